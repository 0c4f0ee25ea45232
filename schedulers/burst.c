/* Bursts: very short units, run by the owner alone.
 *
 * When the guests have gathered out (threads.c), all units that the cursor passed are finished: a prefix of the plan.
 * The owner goes on from there in plan order, in which every unit's predecessors come before it: no counter is looked
 * at or written. When units get longer it makes the counters again, as if the cursor had come as far, and shares.
 *
 * A burst must not hold everybody up when a unit turns out to be long. The owner publishes its position before each
 * unit; the sentinel, finding it unchanged after a while, breaks the burst: it makes the counters, moves the cursor
 * behind the position and shares the session, while the owner is still in that unit. Who runs which unit then:
 *   owner     position = p;  light fence;  if broken: stop, else run p
 *   sentinel  broken = true; heavy fence;  p' = position: the owner has p', all units before it are finished
 * The fences make sure that either the owner sees broken before running p, or the sentinel sees that p. Once the
 * session is shared the owner compares: having found p' at its own position it has yet to run it; otherwise it has just
 * run it; in both cases it then releases p' like any other unit. The pair of fences is that of biased locks (D. Dice,
 * H. Huang, M. Yang: "Asymmetric Dekker synchronization", 2001): the light one costs nothing, the heavy one is
 * membarrier(2).
 *
 * Each end of a burst that did not reach the end of the plan doubles the number of units that must have been short
 * before the next: making the counters is linear in the plan, and happens a logarithmic number of times. */
#include "core/base/clock.h"
#include "core/base/fence.h"
#include "schedulers/threads.h"

#include <sched.h>
#include <string.h>

enum {
    SHORT_NS = 500,    /* with what sharing costs: units below may be better run alone */
    LONG_NS = 200,     /* without it: units above are better shared */
    LEAST_UNITS = 512, /* left: a burst for fewer is not worth gathering for */
    LOOK_UNITS = 64,   /* between two readings of the clock */
    LEAST_TRUST = 64,
    /* Above LONG_NS, summed up, before a burst ends: a page fault or two are no reason. */
    PATIENCE_NS = 500000,
};

bool rk_burst_pays(const rk_session *session, uint64_t unit_ns)
{
    const rk_run *run = session->run;
    if (unit_ns > SHORT_NS || run->observed || run->tries || run->plan->io_tasks || run->limits ||
        rk_load_relaxed(&session->away) || rk_load_acquire(&session->phase) != RK_SHARED)
        return false;
    uint64_t cursor = rk_load_relaxed(&session->cursor);
    uint64_t trust = session->trust ? session->trust : LEAST_TRUST;
    return cursor + LEAST_UNITS < run->plan->units && cursor - session->shared_since >= trust;
}

void rk_session_distrust(rk_session *session)
{
    session->shared_since = rk_load_relaxed(&session->cursor);
    session->trust = session->trust ? 2 * session->trust : 2 * LEAST_TRUST;
}

/* A predecessor less, passing through joins; only units behind the prefix have counters that matter, and they
 * count the cursor, so none becomes ready. */
static void count_down(rk_run *run, uint32_t unit)
{
    const rask_plan *plan = run->plan;
    for (;;) {
        uint32_t left = rk_load_relaxed(&run->join[unit]) - 1;
        rk_store_relaxed(&run->join[unit], left);
        if (left || unit < plan->units || rk_run_is_end(run, unit))
            return;
        unit = plan->succ[plan->succ_start[unit]];
    }
}

/* Counters as they are when units below finished are done, and the cursor has passed those below passed. */
static void make_counters(rk_session *session, uint32_t finished, uint32_t passed)
{
    rk_run *run = session->run;
    const rask_plan *plan = run->plan;
    memcpy((void *)run->join, plan->join, plan->all_units * sizeof *plan->join);
    for (uint32_t unit = 0; unit < finished; unit++)
        for (uint32_t e = plan->succ_start[unit]; e < plan->succ_start[unit + 1]; e++)
            count_down(run, plan->succ[e]);
    rk_session_count_cursor(session, passed);
    rk_store_relaxed(&session->cursor, passed);
    rk_session_distrust(session);
}

void rk_burst_break(rk_session *session)
{
    rk_store_relaxed(&session->broken, true);
    rk_fence_heavy();
    session->broken_at = rk_load_acquire(&session->position);
    make_counters(session, session->broken_at, session->broken_at + 1);
    rk_pool_share(session);
}

/* The sentinel found the owner at broken_at: it is the owner's to run, unless he has just done so. at: the
 * unit he was going to run. */
static void rejoin(rk_session *session, uint32_t at)
{
    while (rk_load_acquire(&session->phase) != RK_SHARED)
        sched_yield();
    rk_seat *seat = session->seats;
    uint32_t unit = session->broken_at;
    if (unit == at)
        rk_run_unit(&seat->worker, unit);
    unit = rk_session_release(session, seat, unit);
    if (unit != RK_NO_UNIT)
        rk_session_hold(session, seat, unit);
}

/* Units are longer than thought: everybody may help again. */
static void share(rk_session *session, uint32_t finished)
{
    make_counters(session, finished, finished);
    rk_pool_share(session);
    if (rk_pool_may_wake(session))
        rk_pool_wake(session);
}

static void burst(rk_session *session)
{
    rk_seat *seat = session->seats;
    uint32_t units = session->run->plan->units, unit = rk_load_relaxed(&session->position);
    uint64_t mark = rk_clock_now();
    int64_t excess = 0;
    if (!rk_pool_has_sentinel())
        rk_pool_wake(session); /* who finds nothing to do, and becomes it */
    for (uint32_t look = LOOK_UNITS; unit < units; look--) {
        rk_store_release(&session->position, unit);
        rk_fence_light();
        rk_chaos();
        if (__builtin_expect(rk_load_relaxed(&session->broken), 0)) {
            rejoin(session, unit);
            return;
        }
        rk_run_unit(&seat->worker, unit++);
        if (__builtin_expect(look > 1, 1))
            continue;
        look = LOOK_UNITS + 1;
        uint64_t now = rk_clock_now();
        excess += (int64_t)(now - mark) - LOOK_UNITS * LONG_NS;
        excess = excess < 0 ? 0 : excess;
        mark = now;
        if (excess > PATIENCE_NS && unit < units && rk_pool_end_burst(session)) {
            share(session, unit);
            return;
        }
    }
    rk_session_finish(session);
}

void rk_burst(rk_session *session)
{
    session->bursting = true;
    burst(session);
    session->bursting = false;
}
