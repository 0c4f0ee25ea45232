/* A detour's states:
 *
 *  DOUBTED   the source turns out to be lost: told as a failure; time is over: WAITING, or told, if this was its second time
 *  WAITING   there is room for its bytes: PULLING
 *  PULLING   they are here: OFFERED; they do not come: DOUBTED
 *  OFFERED   answered: it ends
 * In all but PULLING it ends when who wanted the result is lost; a pull that goes on would be taken for the program's own. */
#include "schedulers/cluster/detour.h"

#include "schedulers/cluster/conduct.h"

#define DOUBT_NS   700000000u /* a worker that is cut off is noticed so much later here than there, at most */
#define MOST_BYTES ((uint64_t)64 << 20)

enum { MOST_APART = 4096 };

typedef enum detour_state { DOUBTED, WAITING, PULLING, OFFERED } detour_state;

typedef struct detour {
    detour_state state;
    bool again; /* the program did not get it either */
    uint32_t home, from, unit, attempt;
    uint64_t since_ns, size;
    char *bytes;
} detour;

typedef struct pair {
    uint32_t home, from;
} pair;

void rk_detours_init(rk_detours *detours)
{
    *detours =
        (rk_detours){.all = RK_ARRAY(detour, SIZE_MAX / sizeof(detour)), .apart = RK_ARRAY(pair, MOST_APART)};
}

void rk_detours_fini(rk_detours *detours)
{
    detour *all = detours->all.data;
    for (size_t i = 0; i < detours->all.count; i++)
        rk_free(all[i].bytes);
    rk_array_fini(&detours->all);
    rk_array_fini(&detours->apart);
}

static bool is_apart(const rk_conduct *c, uint32_t home, uint32_t from)
{
    const pair *pairs = c->detours.apart.data;
    for (size_t i = 0; i < c->detours.apart.count; i++)
        if (pairs[i].home == home && pairs[i].from == from)
            return true;
    return false;
}

/* Those for whom there is no room are found out anew each time. */
static void note_apart(rk_conduct *c, uint32_t home, uint32_t from)
{
    pair *p = is_apart(c, home, from) ? NULL : rk_array_push(&c->detours.apart);
    if (p)
        *p = (pair){home, from};
}

static void tell_failure(rk_conduct *c, uint32_t home, uint32_t unit, uint32_t attempt)
{
    rk_transfer_ended(c, home, unit, attempt, RASK_EIO, 0, 0);
}

static void end(rk_conduct *c, size_t at)
{
    detour *all = c->detours.all.data;
    if (all[at].state >= PULLING)
        c->detours.bytes -= all[at].size;
    rk_free(all[at].bytes);
    all[at] = all[--c->detours.all.count];
}

static void fail(rk_conduct *c, size_t at)
{
    detour d = ((detour *)c->detours.all.data)[at];
    end(c, at);
    tell_failure(c, d.home, d.unit, d.attempt);
}

/* NULL: no memory. */
static detour *begin(rk_conduct *c, detour_state state, uint32_t home, uint32_t unit, uint32_t attempt)
{
    detour *d = rk_array_push(&c->detours.all);
    if (d)
        *d =
            (detour){.state = state, .home = home, .unit = unit, .attempt = attempt, .since_ns = c->hub->now};
    return d;
}

static void pull(rk_conduct *c, detour *d)
{
    const rk_member *source = c->hands[d->from].member;
    uint64_t size = c->notes[d->unit].size;
    if (c->detours.bytes && c->detours.bytes + size > MOST_BYTES)
        return;
    if (!source || rk_fetches_add(&c->hub->fetches, source->peer, c->number, d->unit, d->attempt, size))
        return; /* its loss will be told of; or there may be memory later */
    d->state = PULLING;
    d->size = size;
    c->detours.bytes += size;
}

void rk_detour_doubt(rk_conduct *c, uint32_t home, uint32_t unit, uint32_t attempt)
{
    uint32_t from = rk_coordinator_source(c->coordinator, home, unit);
    detour *d = from == RK_NO_HOME ? NULL : begin(c, DOUBTED, home, unit, attempt);
    if (d)
        d->from = from;
    else
        tell_failure(c, home, unit, attempt);
}

bool rk_detour_takes(rk_conduct *c, uint32_t home, uint32_t from, uint32_t unit, uint32_t attempt)
{
    detour *d = home && from && is_apart(c, home, from) ? begin(c, WAITING, home, unit, attempt) : NULL;
    if (!d)
        return false;
    d->from = from;
    pull(c, d);
    return true;
}

static size_t find(const rk_conduct *c, uint32_t attempt, detour_state state)
{
    const detour *all = c->detours.all.data;
    size_t i = 0;
    while (i < c->detours.all.count && (all[i].attempt != attempt || all[i].state != state))
        i++;
    return i;
}

bool rk_detour_ended(rk_conduct *c, uint32_t attempt)
{
    size_t at = find(c, attempt, OFFERED);
    bool is_one = at < c->detours.all.count;
    if (is_one)
        end(c, at);
    return is_one;
}

bool rk_detour_pulled(rk_conduct *c, rk_fetch *f)
{
    size_t at = find(c, f->attempt, PULLING);
    if (at == c->detours.all.count)
        return false;
    detour *d = &((detour *)c->detours.all.data)[at];
    rk_member *member = c->hands[d->home].member;
    if (f->status) {
        c->detours.bytes -= d->size;
        d->state = DOUBTED;
        d->again = true;
        d->since_ns = c->hub->now;
    } else if (!member) {
        end(c, at);
    } else {
        d->state = OFFERED;
        d->bytes = f->into;
        f->into = NULL;
        rk_hub_say(c->hub, member,
                   &(rk_message){.kind = RK_SAY_FETCH,
                                 .run = c->number,
                                 .unit = d->unit,
                                 .attempt = d->attempt,
                                 .size = d->size});
    }
    return true;
}

const char *rk_detour_object(const rk_conduct *c, uint32_t unit, uint64_t *size)
{
    const detour *all = c->detours.all.data;
    for (size_t i = 0; i < c->detours.all.count; i++)
        if (all[i].unit == unit && all[i].state == OFFERED) {
            *size = all[i].size;
            return all[i].bytes;
        }
    return NULL;
}

/* In DOUBTED: the time for news of the source's loss is over. */
static void go_round(rk_conduct *c, size_t at)
{
    detour *d = &((detour *)c->detours.all.data)[at];
    if (d->again || !d->home || !d->from) {
        fail(c, at);
        return;
    }
    note_apart(c, d->home, d->from);
    d->state = WAITING;
    pull(c, d);
}

static void settle(rk_conduct *c, size_t at)
{
    detour *d = &((detour *)c->detours.all.data)[at];
    bool wanted = !d->home || c->hands[d->home].joined;
    bool orphaned =
        d->state != OFFERED && rk_coordinator_source(c->coordinator, d->home, d->unit) == RK_NO_HOME;
    if (orphaned && wanted)
        fail(c, at);
    else if (d->state != PULLING ? !wanted : orphaned)
        end(c, at);
    else if (d->state == DOUBTED && c->hub->now - d->since_ns >= DOUBT_NS)
        go_round(c, at);
    else if (d->state == WAITING)
        pull(c, d);
}

void rk_detours_settle(rk_conduct *c)
{
    for (size_t i = c->ended ? 0 : c->detours.all.count; i-- > 0;)
        settle(c, i);
}
