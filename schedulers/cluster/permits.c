/* What tasks take that grew in workers. */
#include "schedulers/cluster/permits.h"

#include "schedulers/cluster/conduct.h"
#include "schedulers/limits.h"

#include <string.h>

enum { MOST_PERMITS = 1 << 20 }; /* at once: a worker that wants more is ended */

/* Of a home; in a list of all. */
typedef struct rk_permit {
    rk_gate_waiter waiter; /* the first member */
    uint32_t home;
    uint64_t number; /* the home's */
    bool again;      /* a unit wants to go on: */
    uint32_t unit, attempt;
    struct rk_permit *next, *previous;
} rk_permit;

/* -- The gate */

/* All of what units take, too, is the coordinator's at first. RASK_ENOMEM. */
static int open_gate(rk_conduct *c)
{
    char reason[RK_MAX_MESSAGE];
    uint32_t all[RK_MAX_LIMITS];
    const char *limits = c->run->options.limits ? c->run->options.limits : "";
    if (c->permits.gate)
        return RASK_OK;
    int status = rk_gate_new(limits, &c->permits.gate, reason, sizeof reason);
    if (!status && c->run->limits)
        rk_gate_remove_spare(c->permits.gate, all);
    return status;
}

static void unlink_permit(rk_conduct *c, rk_permit *p)
{
    *(p->previous ? &p->previous->next : &c->permits.permits) = p->next;
    if (p->next)
        p->next->previous = p->previous;
    c->permits.count--;
    rk_free(p);
}

static void say_granted(rk_conduct *c, uint32_t home, uint64_t number)
{
    if (home)
        rk_conduct_order(c, home, (rk_message){.kind = RK_SAY_GRANTED, .size = number});
    else
        rk_shop_granted(c->own, number);
}

/* What was borrowed for a unit is the unit's from here on; who is let in because that is not there any more. */
static rk_gate_waiter *resume(rk_conduct *c, rk_permit *p)
{
    const rk_hand *hand = &c->hands[p->home];
    uint32_t class = p->waiter.class;
    bool resumed =
        rk_coordinator_resumes(c->coordinator, c->hub->now, hand->worker, hand->epoch, p->unit, p->attempt);
    unlink_permit(c, p);
    return resumed || !class ? NULL : rk_gate_leave(c->permits.gate, class);
}

static void let_in(rk_conduct *c, rk_gate_waiter *first)
{
    while (first) {
        rk_permit *p = (rk_permit *)first;
        rk_gate_waiter *next = first->next, *more, **end = &more;
        say_granted(c, p->home, p->number);
        for (more = p->again ? resume(c, p) : NULL; *end;)
            end = &(*end)->next;
        *end = next;
        first = more;
    }
}

static void end_permit(rk_conduct *c, rk_permit *p)
{
    rk_gate_waiter *others = NULL;
    if (p->waiter.inside)
        others = rk_gate_leave(c->permits.gate, p->waiter.class);
    else
        rk_gate_forget(c->permits.gate, &p->waiter, &others);
    unlink_permit(c, p);
    let_in(c, others);
}

/* -- What homes say */

/* False: it cannot be what anybody wants. */
static bool read_needs(const rk_gate *gate, rask_bytes blob, rk_needs *needs)
{
    const size_t each = sizeof needs->of[0];
    *needs = (rk_needs){.count = (uint32_t)(blob.len / each)};
    if (!blob.len || blob.len % each || needs->count > RK_MAX_GATE_NEEDS)
        return false;
    memcpy(needs->of, blob.data, blob.len);
    return rk_gate_can_give(gate, needs);
}

/* What a unit took; none: nothing. */
static rk_needs needs_of_unit(const rk_conduct *c, uint32_t unit)
{
    const rk_gate_waiter *waiter = c->run->limits ? rk_limits_of(c->run->limits, unit) : NULL;
    return waiter ? *rk_gate_needs(c->run->limits->gate, waiter->class) : (rk_needs){0};
}

static void distrust(rk_conduct *c, uint32_t home)
{
    if (home && c->hands[home].member)
        rk_hub_kill(c->hub, c->hands[home].member);
}

static rk_permit *permit_new(rk_conduct *c, uint32_t home, const rk_message *m, uint32_t class)
{
    rk_permit *p = rk_alloc(sizeof *p);
    if (!p)
        return NULL;
    *p = (rk_permit){
        .waiter = {.class = class, .priority = (int32_t)m->status, .place = c->permits.given_out++},
        .home = home,
        .number = m->size,
        .again = m->flag,
        .unit = m->unit,
        .attempt = m->attempt,
        .next = c->permits.permits};
    if (p->next)
        p->next->previous = p;
    c->permits.permits = p;
    c->permits.count++;
    return p;
}

static void want(rk_conduct *c, uint32_t home, const rk_message *m)
{
    rk_needs needs = m->flag ? needs_of_unit(c, m->unit) : (rk_needs){0};
    uint32_t class = 0;
    bool sound = m->flag || read_needs(c->permits.gate, m->blob, &needs);
    if (!sound || c->permits.count >= MOST_PERMITS || rk_gate_class(c->permits.gate, &needs, &class)) {
        distrust(c, home);
        return;
    }
    rk_permit *p = permit_new(c, home, m, class);
    if (!p)
        distrust(c, home);
    else if (!class || rk_gate_enter(c->permits.gate, &p->waiter))
        let_in(c, &p->waiter);
}

static void take_back(rk_conduct *c, uint32_t home, uint64_t number)
{
    rk_permit *p = c->permits.permits;
    while (p && (p->home != home || p->number != number))
        p = p->next;
    if (p)
        end_permit(c, p);
}

void rk_permits_hear(rk_conduct *c, uint32_t home, const rk_message *m)
{
    const rk_hand *hand = &c->hands[home];
    if (c->ended)
        return;
    if (m->kind == RK_SAY_RESTS)
        rk_coordinator_rests(c->coordinator, c->hub->now, hand->worker, hand->epoch, m->unit, m->attempt);
    else if (m->kind == RK_SAY_GAVE)
        take_back(c, home, m->size);
    else if (open_gate(c))
        distrust(c, home);
    else
        want(c, home, m);
}

void rk_permits_lose(rk_conduct *c, uint32_t home)
{
    rk_permit *p = c->permits.permits;
    while (p) {
        if (p->home != home) {
            p = p->next;
            continue;
        }
        end_permit(c, p);
        p = c->permits.permits; /* others may have ended by that */
    }
}

/* -- What the coordinator lends */

static void return_spare(rk_conduct *c)
{
    uint32_t spare[RK_MAX_LIMITS];
    if (!rk_gate_remove_spare(c->permits.gate, spare))
        return;
    for (uint32_t i = 0; i < rk_gate_counters(c->permits.gate); i++)
        if (spare[i])
            rk_coordinator_give_back(c->coordinator, c->hub->now, i, spare[i]);
}

void rk_permits_balance(rk_conduct *c)
{
    uint32_t more[RK_MAX_LIMITS], all = 0;
    if (!c->permits.gate || !c->run->limits)
        return;
    return_spare(c);
    rk_gate_wanted(c->permits.gate, more);
    for (uint32_t i = 0; i < rk_gate_counters(c->permits.gate); i++) {
        more[i] = more[i] ? rk_coordinator_borrow(c->coordinator, c->hub->now, i, more[i]) : 0;
        all |= more[i];
    }
    if (all)
        let_in(c, rk_gate_add(c->permits.gate, more));
}

void rk_permits_fini(rk_conduct *c)
{
    while (c->permits.permits)
        unlink_permit(c, c->permits.permits);
    rk_gate_free(c->permits.gate);
}
