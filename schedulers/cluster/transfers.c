#include "schedulers/cluster/transfers.h"

#include "schedulers/cluster/conduct.h"
#include "schedulers/told.h"

typedef struct transfer {
    uint32_t unit, attempt, from; /* from: a home */
} transfer;

rk_array rk_transfers_none(void)
{
    return (rk_array)RK_ARRAY(transfer, SIZE_MAX / sizeof(transfer));
}

/* Without memory observers hear nothing of it. */
void rk_transfer_begun(rk_conduct *c, const rk_instruction *in)
{
    transfer *t = c->run->observed ? rk_array_push(&c->hands[in->home].transfers) : NULL;
    if (t)
        *t = (transfer){in->task, in->attempt, in->from};
}

/* False: nobody asked for it, it has ended already, or nobody observes. */
static bool take(rk_array *transfers, uint32_t unit, uint32_t attempt, uint32_t *from)
{
    transfer *all = transfers->data;
    for (size_t i = 0; i < transfers->count; i++)
        if (all[i].unit == unit && all[i].attempt == attempt) {
            *from = all[i].from;
            all[i] = all[--transfers->count];
            return true;
        }
    return false;
}

static uint32_t first_of(const rk_conduct *c, uint32_t home)
{
    return home ? c->hands[home].first : RASK_NO_WORKER;
}

void rk_transfer_ended(rk_conduct *c, uint32_t home, uint32_t unit, uint32_t attempt, int status,
                       uint64_t bytes, uint64_t duration)
{
    uint32_t from;
    uint64_t now = c->hub->now;
    if (take(&c->hands[home].transfers, unit, attempt, &from))
        rk_run_sent(c->run, &(rask_transfer_info){.task = rk_units_last(&c->units, unit),
                                                  .from = first_of(c, from),
                                                  .to = first_of(c, home),
                                                  .status = status,
                                                  .start_ns = now > duration ? now - duration : 1,
                                                  .end_ns = now,
                                                  .bytes = bytes});
    rk_coordinator_transferred(c->coordinator, now, home, unit, attempt, status, bytes, duration);
}
