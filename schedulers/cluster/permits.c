/* What tasks take that grew in workers. */
#include "schedulers/cluster/permits.h"

#include "schedulers/cluster/conduct.h"
#include "schedulers/limits.h"

#include <stddef.h>
#include <string.h>

/* Of a home; in a list of its own. */
typedef struct rk_permit {
    rk_gate_waiter waiter; /* the first member */
    rk_numbered numbered;  /* by the home */
    bool again;            /* a unit wants to go on: */
    uint32_t unit, attempt;
    struct rk_permit *next, *previous;
} rk_permit;

static rk_permit *permit_of(rk_numbered *numbered)
{
    return numbered ? (rk_permit *)((char *)numbered - offsetof(rk_permit, numbered)) : NULL;
}

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

static void link_permit(rk_conduct *c, rk_permit *p)
{
    rk_permits_of_home *of = &c->hands[p->numbered.home].permits;
    p->next = of->first;
    if (p->next)
        p->next->previous = p;
    of->first = p;
    of->count++;
}

static void unlink_permit(rk_conduct *c, rk_permit *p)
{
    rk_permits_of_home *of = &c->hands[p->numbered.home].permits;
    *(p->previous ? &p->previous->next : &of->first) = p->next;
    if (p->next)
        p->next->previous = p->previous;
    of->count--;
    rk_numbers_remove(&c->permits.numbers, &p->numbered);
    rk_free(p);
}

static const char *const too_many_at_once =
    "too many tasks that grew in one process take what is counted, or wait for it: 1048576 are possible";

_Static_assert(RK_MAX_PERMITS == 1048576, "a message says so");

static void say_granted(rk_conduct *c, uint32_t home, uint64_t number)
{
    if (home)
        rk_conduct_order(c, home, (rk_message){.kind = RK_SAY_GRANTED, .size = number});
    else
        rk_shop_granted(c->own, number);
}

static void say_denied(rk_conduct *c, uint32_t home, uint64_t number, int status)
{
    const char *why = status == RASK_ENOMEM ? "no memory for what it takes" : RK_TOO_MANY_NEED_KINDS;
    if (status == RASK_ELIMIT && c->hands[home].permits.count == RK_MAX_PERMITS)
        why = too_many_at_once;
    if (home)
        rk_conduct_order(
            c, home,
            (rk_message){
                .kind = RK_SAY_DENIED, .size = number, .status = (uint32_t)status, .text = rk_word(why)});
    else
        rk_shop_denied(c->own, number, status, why);
}

/* What was borrowed for a unit is the unit's from here on; who is let in because that is not there any more. */
static rk_gate_waiter *resume(rk_conduct *c, rk_permit *p)
{
    const rk_hand *hand = &c->hands[p->numbered.home];
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
        say_granted(c, p->numbered.home, p->numbered.number);
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
    for (uint32_t i = 0; i < needs->count; i++) {
        uint32_t counter = needs->of[i].counter;
        if (counter >= rk_gate_counters(gate) || (i && counter <= needs->of[i - 1].counter) ||
            !needs->of[i].count || needs->of[i].count > rk_gate_total(gate, counter))
            return false;
    }
    return true;
}

/* What a unit took; none: nothing. */
static rk_needs needs_of_unit(const rk_conduct *c, uint32_t unit)
{
    const rk_gate_waiter *waiter = c->run->limits ? rk_limits_of(c->run->limits, unit) : NULL;
    return waiter ? *rk_gate_needs(c->run->limits->gate, waiter->class) : (rk_needs){0};
}

/* It says what no worker says. */
static void distrust(rk_conduct *c, uint32_t home)
{
    if (home && c->hands[home].member)
        rk_hub_kill(c->hub, c->hands[home].member);
}

/* RASK_ELIMIT, RASK_ENOMEM. */
static int permit_new(rk_conduct *c, uint32_t home, const rk_message *m, uint32_t class, rk_permit **out)
{
    rk_permit *p = c->hands[home].permits.count < RK_MAX_PERMITS ? rk_alloc(sizeof *p) : NULL;
    if (!p)
        return c->hands[home].permits.count < RK_MAX_PERMITS ? RASK_ENOMEM : RASK_ELIMIT;
    *p = (rk_permit){
        .waiter = {.class = class, .priority = (int32_t)m->status, .place = c->permits.given_out++},
        .numbered = {.home = home, .number = m->size},
        .again = m->flag,
        .unit = m->unit,
        .attempt = m->attempt};
    if (rk_numbers_add(&c->permits.numbers, &p->numbered)) {
        rk_free(p);
        return RASK_ENOMEM;
    }
    link_permit(c, p);
    *out = p;
    return RASK_OK;
}

static void want(rk_conduct *c, uint32_t home, const rk_message *m)
{
    rk_needs needs = m->flag ? needs_of_unit(c, m->unit) : (rk_needs){0};
    uint32_t class = 0;
    rk_permit *p = NULL;
    if (!m->flag && !read_needs(c->permits.gate, m->blob, &needs)) {
        distrust(c, home);
        return;
    }
    int status = rk_gate_class(c->permits.gate, &needs, &class);
    if (!status)
        status = permit_new(c, home, m, class, &p);
    if (status)
        say_denied(c, home, m->size, status);
    else if (!class || rk_gate_enter(c->permits.gate, &p->waiter))
        let_in(c, &p->waiter);
}

static void take_back(rk_conduct *c, uint32_t home, uint64_t number)
{
    rk_permit *p = permit_of(rk_numbers_find(&c->permits.numbers, home, number));
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
        say_denied(c, home, m->size, RASK_ENOMEM);
    else
        want(c, home, m);
}

void rk_permits_lose(rk_conduct *c, uint32_t home)
{
    while (c->hands[home].permits.first)
        end_permit(c, c->hands[home].permits.first);
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
    for (uint32_t home = 0; c->hands && home < c->home_count; home++)
        while (c->hands[home].permits.first)
            unlink_permit(c, c->hands[home].permits.first);
    rk_numbers_fini(&c->permits.numbers);
    rk_gate_free(c->permits.gate);
}
