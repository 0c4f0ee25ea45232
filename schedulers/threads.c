/* The threads scheduler: work stealing, in plan order.
 *
 * A run on this scheduler is a session. It has a seat for each worker; a seat is a deque and the counters of
 * whoever sits in it. The thread that waits for the run, its owner, sits in seat 0, so that a task may
 * compute another graph: it works on that graph until it is done, and nobody waits for a thread that waits
 * for him. The other seats are for threads of the pool (schedulers/pool.c), which move from session to
 * session, wherever there is work and a free seat.
 *
 * A cursor goes through the units in plan order. A unit is ready when all its predecessors have been released
 * and the cursor has passed it: its counter counts the cursor as one more predecessor. So units run in plan
 * order, which keeps few results alive and walks memory from end to end; only those that the cursor found
 * waiting for a predecessor are run by whoever finishes that predecessor. Where a worker finds its next unit:
 *   1. the first of the units that its last one made ready, run in place; the others go to its deque, those
 *      that are earlier in plan order on top: own work first, deepest first;
 *   2. its own deque;
 *   3. units that I/O lanes made ready;
 *   4. the cursor, a few units at a time when units are short;
 *   5. the deque of another seat, beginning anywhere: half of it, oldest first.
 *
 * Who wakes whom. A worker that pushed units makes them visible and then looks for sleepers; a sleeper counts
 * itself and then looks for units (both sequentially consistent), so one of the two sees the other and no
 * wake-up is lost. A wake-up costs more than a short unit: a worker holds it back while the work it could
 * give away is worth less than wake_ns, by its own estimate of the length of a unit. That estimate may be
 * wrong (a long unit after many short ones), which is why one sleeper, the sentinel, looks around on its own
 * now and then (schedulers/pool.c). wake_ns grows when a woken thread found next to nothing to do, and
 * shrinks when it did.
 *
 * Bursts (schedulers/burst.c): units so short that sharing them costs more than running them are run by the
 * owner alone, in plan order, without counters, until they get longer.
 *
 * Limits (schedulers/limits.h): a unit that takes what is counted gets it when it becomes ready, or waits outside of all that
 * is described here, until somebody who has finished a unit goes on with it. Its session cannot end before, for the end
 * waits for it. Of a unit that is put off because it has grown (schedulers/growth.h) the same is true.
 *
 * Rests: a unit of which a task waits for its next call is put aside until that is due; who looks for work finds it then.
 * What it takes of what is counted it keeps.
 *
 * Everything slow is under one lock, the pool's: parking, waking, joining and leaving, and the list of I/O
 * units. No lock is held while a task runs. */
#include "schedulers/threads.h"

#include "core/base/clock.h"
#include "schedulers/growth.h"
#include "schedulers/limits.h"
#include "schedulers/told.h"

#include <string.h>

enum {
    TICK_NS = 4000,       /* how often a worker reads the clock */
    MOST_UNITS = 128,     /* between two readings */
    MOST_CLAIMED = 16,    /* of the cursor at once */
    MOST_STOLEN = 64,     /* taken at once */
    SHORT_UNIT_NS = 1000, /* units below are not worth a quarrel over the last few */
    POLITE_NS = 20000,    /* a thief looks for large loot first, unless the session gathers */
    PATIENCE_NS = 50000,  /* and gives up then */
    LEAST_WAKE_NS = 15000,
    MOST_WAKE_NS = 2000000,
    FEW_UNITS = 16, /* what makes a visit to a session not worth a wake-up */
};

/* The estimate of what is in the seat's deque, in nanoseconds of work. */
static uint64_t surplus_ns(const rk_seat *seat)
{
    uint64_t units = rk_deque_size(&seat->deque), unit_ns = rk_load_relaxed(&seat->unit_ns);
    return units && !unit_ns ? UINT64_MAX : units * unit_ns;
}

/* Units may be ready that only the cursor has not passed yet: worth at least one. */
static uint64_t ahead_ns(const rk_session *session, const rk_seat *seat)
{
    bool left = rk_load_relaxed(&session->cursor) < session->run->plan->units;
    return left ? rk_load_relaxed(&seat->unit_ns) : 0;
}

/* There may be units to give away: wakes somebody when somebody sleeps and it pays, or when nobody would look
 * around should the estimate be wrong. */
static void offer(rk_session *session, rk_seat *seat)
{
    if (!rk_pool_may_wake(session))
        return;
    uint64_t surplus = surplus_ns(seat), ahead = ahead_ns(session, seat);
    if (surplus >= rk_load_relaxed(&session->wake_ns) || ahead >= rk_load_relaxed(&session->wake_ns) ||
        (surplus + ahead && !rk_pool_has_sentinel()))
        rk_pool_wake(session);
}

/* Units that find no room in the deque are linked through their join counters, which nobody needs any more.
 * They cannot be stolen, but nothing is lost. */
void rk_session_hold(rk_session *session, rk_seat *seat, uint32_t unit)
{
    if (rk_deque_push(&seat->deque, unit))
        return;
    rk_store_relaxed(&session->run->join[unit], seat->overflow);
    seat->overflow = unit;
}

void rk_session_finish(rk_session *session)
{
    rk_store_release(&session->done, true);
    rk_pool_wake_owner(session);
}

/* A unit that may run: I/O goes to the lanes. True when it is the worker's to run. */
static inline bool take_free(rk_session *session, uint32_t unit)
{
    if (!rk_run_is_io(session->run, unit))
        return true;
    rk_pool_push_io(session, unit);
    return false;
}

/* A unit that is ready: what it takes it gets here, before any worker looks at it, or it waits at the gate, and whoever gives
 * back what it needs goes on with it. True when it is the worker's to run. */
static inline bool take_ready(rk_session *session, const rk_worker *worker, uint32_t unit)
{
    rk_run *run = session->run;
    if (run->observed)
        rk_run_ready(run, worker, unit);
    if (run->limits && !rk_limits_enter(run->limits, unit))
        return false;
    return take_free(session, unit);
}

/* Units that became ready together, latest in plan order first: the earliest is to run next, the others go to the
 * deque. */
typedef struct batch {
    uint32_t next;
    bool pushed;
} batch;

static inline void batch_add(rk_session *session, rk_seat *seat, batch *b, uint32_t unit)
{
    if (b->next != RK_NO_UNIT) {
        rk_session_hold(session, seat, b->next);
        b->pushed = true;
    }
    b->next = unit;
}

static inline uint32_t batch_end(rk_session *session, rk_seat *seat, const batch *b)
{
    if (b->pushed) {
        rk_deque_publish(&seat->deque);
        offer(session, seat);
    }
    return b->next;
}

/* What the unit took goes to those that wait for it; the best of them is to run next, for what is scarce had better be in use. */
static void hand_over(rk_session *session, rk_seat *seat, batch *b, uint32_t unit)
{
    rk_gate_waiter *others = NULL, *waiter = rk_limits_leave(session->run->limits, unit);
    for (rk_gate_waiter *next; waiter; waiter = next) { /* the best to the end */
        next = waiter->next;
        waiter->next = others;
        others = waiter;
    }
    for (rk_gate_waiter *next; others; others = next) {
        uint32_t let_in = rk_limits_unit_of(others);
        next = others->next;
        if (let_in == RK_NO_UNIT)
            rk_growth_let_in(session->run, others);
        else if (take_free(session, let_in))
            batch_add(session, seat, b, let_in);
    }
}

uint32_t rk_session_release(rk_session *session, rk_seat *seat, uint32_t unit)
{
    rk_run *run = session->run;
    const rask_plan *plan = run->plan;
    batch b = {.next = RK_NO_UNIT};
    for (uint32_t e = plan->succ_start[unit + 1]; e-- > plan->succ_start[unit];) {
        uint32_t ready = rk_run_release(run, plan->succ[e]);
        if (ready == RK_NO_UNIT)
            continue;
        if (rk_run_is_end(run, ready))
            rk_session_finish(session);
        else if (take_ready(session, &seat->worker, ready))
            batch_add(session, seat, &b, ready);
    }
    if (run->limits)
        hand_over(session, seat, &b, unit);
    return batch_end(session, seat, &b);
}

/* A unit that waited at the gate may run, or one that was put off goes on. */
static void inject(void *context, uint32_t unit)
{
    rk_session *session = context;
    if (take_free(session, unit))
        rk_pool_push_injected(session, unit);
}

static void release_put_off(void *context, uint32_t unit)
{
    rk_session_release_from_lane(context, unit);
}

/* -- Units that are put off though they pass no gate */

static bool may_leave(void *context, uint32_t worker, uint32_t unit)
{
    rk_session *session = context;
    (void)unit;
    if (!worker && session->bursting)
        return false;
    rk_add_seq_cst(&session->away, 1);
    return true;
}

/* As soon as others can see the unit it may be the last. Who calls this is the session's owner or its guest: no burst begins before. */
static void come_back(void *context, uint32_t unit)
{
    rk_session *session = context;
    rk_sub_seq_cst(&session->away, 1);
    inject(session, unit);
}

static void end_away(void *context, uint32_t unit)
{
    rk_session *session = context;
    rk_sub_seq_cst(&session->away, 1);
    rk_session_release_from_lane(session, unit);
}

void rk_session_release_from_lane(rk_session *session, uint32_t unit)
{
    rk_run *run = session->run;
    const rask_plan *plan = run->plan;
    for (uint32_t e = plan->succ_start[unit + 1]; e-- > plan->succ_start[unit];) {
        uint32_t ready = rk_run_release(run, plan->succ[e]);
        if (ready == RK_NO_UNIT)
            continue;
        if (rk_run_is_end(run, ready))
            rk_session_finish(session);
        else if (take_ready(session, NULL, ready))
            rk_pool_push_injected(session, ready);
    }
    rk_gate_waiter *waiter = run->limits ? rk_limits_leave(run->limits, unit) : NULL;
    for (rk_gate_waiter *next; waiter; waiter = next) {
        uint32_t let_in = rk_limits_unit_of(waiter);
        next = waiter->next;
        if (let_in == RK_NO_UNIT)
            rk_growth_let_in(run, waiter);
        else
            inject(session, let_in);
    }
}

/* Something of the run has been put off before. */
static inline bool goes_on(const rk_run *run)
{
    return run->limits || rk_load_relaxed(&run->next_tasks);
}

bool rk_session_run_unit(rk_session *session, rk_worker *worker, uint32_t unit)
{
    uint64_t due_ns = 0;
    bool over = true;
    if (__builtin_expect(goes_on(session->run), 0)) {
        over = rk_growth_run_unit(worker, unit, &due_ns);
    } else {
        due_ns = rk_run_unit(worker, unit);
        over = __builtin_expect(!worker->put_off, 1) || !rk_growth_set_going(worker);
    }
    if (__builtin_expect(due_ns != 0, 0))
        rk_pool_push_rest(session, unit, due_ns);
    return over && !due_ns;
}

/* Reads the clock every so many units, which gives the estimate of a unit's length. */
static inline void tick(rk_session *session, rk_seat *seat)
{
    if (--seat->countdown)
        return;
    uint64_t now = rk_clock_now(), unit_ns = (now - seat->mark_ns) / seat->interval + 1;
    uint64_t old = rk_load_relaxed(&seat->unit_ns);
    if (old)
        unit_ns = (3 * old + unit_ns) / 4;
    rk_store_relaxed(&seat->unit_ns, unit_ns);
    uint64_t interval = TICK_NS / unit_ns;
    seat->interval = interval < 1 ? 1 : interval > MOST_UNITS ? MOST_UNITS : (uint32_t)interval;
    seat->countdown = seat->interval;
    seat->mark_ns = now;
    offer(session, seat);
    if (seat == session->seats && rk_burst_pays(session, unit_ns))
        rk_store_seq_cst(&session->phase, RK_GATHERING);
}

static uint32_t pop_overflow(rk_session *session, rk_seat *seat)
{
    uint32_t unit = seat->overflow;
    if (unit != RK_NO_UNIT)
        seat->overflow = rk_load_relaxed(&session->run->join[unit]);
    return unit;
}

/* How many units to claim: enough for a while when units are short, one when they are long, and never so many
 * that others go without. */
static uint32_t claim_size(const rk_session *session, const rk_seat *seat, uint32_t left)
{
    uint64_t unit_ns = rk_load_relaxed(&seat->unit_ns);
    uint64_t count = unit_ns ? TICK_NS / unit_ns : 1, share = left / (2 * session->seat_count);
    count = count > MOST_CLAIMED ? MOST_CLAIMED : count;
    count = count > share ? share : count;
    return count ? (uint32_t)count : 1;
}

/* Moves the cursor over units at … at + count - 1: the first that is ready, the others are in the deque. */
static uint32_t pass(rk_session *session, rk_seat *seat, uint32_t at, uint32_t count)
{
    rk_run *run = session->run;
    batch b = {.next = RK_NO_UNIT};
    for (uint32_t unit = at + count; unit-- > at;)
        if (unit < run->plan->units && rk_run_count_down(run, unit) &&
            take_ready(session, &seat->worker, unit))
            batch_add(session, seat, &b, unit);
    return batch_end(session, seat, &b);
}

/* The next unit of the cursor that is ready. */
static uint32_t claim(rk_session *session, rk_seat *seat)
{
    uint32_t units = session->run->plan->units, next = RK_NO_UNIT;
    while (next == RK_NO_UNIT && rk_load_relaxed(&session->phase) == RK_SHARED) {
        uint32_t at = rk_load_relaxed(&session->cursor);
        if (at >= units)
            break;
        uint32_t count = claim_size(session, seat, units - at);
        at = rk_add_relaxed(&session->cursor, count);
        next = pass(session, seat, at, count);
    }
    return next;
}

static uint64_t draw(rk_seat *seat)
{
    seat->random ^= seat->random >> 12;
    seat->random ^= seat->random << 25;
    seat->random ^= seat->random >> 27;
    return seat->random * 0x2545f4914f6cdd1du;
}

/* Half of what the victim has; the first of it is returned, the rest is in the thief's deque. */
static uint32_t steal_from(rk_session *session, rk_seat *seat, rk_seat *victim)
{
    uint64_t half = (rk_deque_size(&victim->deque) + 1) / 2;
    uint32_t first = RK_NO_UNIT;
    for (uint64_t got = 0; got < half && got < MOST_STOLEN;) {
        uint32_t unit = rk_deque_steal(&victim->deque);
        if (unit == RK_DEQUE_AGAIN && first == RK_NO_UNIT)
            continue;
        if (unit >= RK_DEQUE_AGAIN)
            break;
        if (first == RK_NO_UNIT)
            first = unit;
        else
            rk_session_hold(session, seat, unit);
        got++;
    }
    seat->worker.stolen += first != RK_NO_UNIT;
    return first;
}

/* A victim with something to steal; when polite, only one with more than a few short units. */
static uint32_t steal(rk_session *session, rk_seat *seat, bool polite)
{
    uint32_t start = (uint32_t)(draw(seat) % session->seat_count);
    for (uint32_t i = 0; i < session->seat_count; i++) {
        rk_seat *victim = &session->seats[(start + i) % session->seat_count];
        if (victim == seat || (polite && surplus_ns(victim) < SHORT_UNIT_NS))
            continue;
        uint32_t unit = steal_from(session, seat, victim);
        if (unit != RK_NO_UNIT)
            return unit;
    }
    return RK_NO_UNIT;
}

bool rk_session_has_due(const rk_session *session)
{
    uint64_t due_ns = rk_load_seq_cst(&session->next_due_ns);
    if (!due_ns)
        return false;
    return rk_clock_now() >= due_ns || rk_load_relaxed(&session->run->env.stop) ||
           rk_run_must_stop(session->run);
}

/* A unit whose time has come to be called again; it is ready, with all that it takes. */
static uint32_t due_work(rk_session *session)
{
    while (rk_load_relaxed(&session->next_due_ns)) {
        uint32_t unit = rk_pool_pop_due(session);
        if (unit == RK_NO_UNIT || take_free(session, unit))
            return unit;
    }
    return RK_NO_UNIT;
}

static uint32_t own_work(rk_session *session, rk_seat *seat)
{
    uint32_t unit = due_work(session);
    if (unit != RK_NO_UNIT)
        return unit;
    unit = rk_deque_pop(&seat->deque);
    if (unit == RK_DEQUE_EMPTY && (unit = pop_overflow(session, seat)) == RK_NO_UNIT &&
        (unit = rk_pool_pop_injected(session)) == RK_NO_UNIT)
        unit = claim(session, seat);
    return unit;
}

/* Looks around for a while. */
static uint32_t find_work(rk_session *session, rk_seat *seat)
{
    uint64_t start = rk_clock_now(), waited = 0;
    rk_worker_pause(&seat->worker);
    while (!rk_session_is_done(session) && waited < PATIENCE_NS) {
        bool shared = rk_load_relaxed(&session->phase) == RK_SHARED;
        uint32_t unit = own_work(session, seat);
        if (unit == RK_NO_UNIT && session->seat_count > 1)
            unit = steal(session, seat, shared && waited < POLITE_NS);
        if (unit != RK_NO_UNIT)
            return unit;
        if (rk_growth_help(session->run, seat->worker.id)) {
            start = rk_clock_now();
            continue;
        }
        if (!shared)
            break;
        for (int i = 0; i < 32; i++)
            rk_relax();
        waited = rk_clock_now() - start;
    }
    return RK_NO_UNIT;
}

static void start_clock(rk_seat *seat)
{
    seat->mark_ns = rk_clock_now();
    seat->countdown = seat->interval = 1;
}

uint64_t rk_session_work(rk_session *session, rk_seat *seat)
{
    uint64_t units = 0;
    rk_worker_pause(&seat->worker);
    uint32_t unit = own_work(session, seat);
    while (unit != RK_NO_UNIT || (unit = find_work(session, seat)) != RK_NO_UNIT) {
        start_clock(seat);
        while (unit != RK_NO_UNIT) {
            bool over = rk_session_run_unit(session, &seat->worker, unit);
            unit = over ? rk_session_release(session, seat, unit) : RK_NO_UNIT;
            tick(session, seat);
            units++;
            if (unit == RK_NO_UNIT)
                unit = own_work(session, seat);
        }
        if (rk_load_relaxed(&session->phase) != RK_SHARED)
            break;
    }
    return units;
}

/* Whoever came because he was woken tells whether it paid. */
void rk_session_judge_wake(rk_session *session, uint64_t units, uint64_t ns)
{
    uint64_t wake_ns = rk_load_relaxed(&session->wake_ns);
    if (units >= FEW_UNITS || ns > 2 * PATIENCE_NS)
        wake_ns /= 2;
    else
        wake_ns *= 2;
    wake_ns = wake_ns < LEAST_WAKE_NS ? LEAST_WAKE_NS : wake_ns > MOST_WAKE_NS ? MOST_WAKE_NS : wake_ns;
    rk_store_relaxed(&session->wake_ns, wake_ns);
}

bool rk_session_has_work(const rk_session *session)
{
    if (rk_session_is_done(session))
        return false;
    if (rk_growth_has_work(session->run) || rk_session_has_due(session))
        return true;
    bool shared = rk_load_seq_cst(&session->phase) == RK_SHARED;
    if ((shared && rk_load_seq_cst(&session->cursor) < session->run->plan->units) ||
        rk_load_seq_cst(&session->injected) != RK_NO_UNIT)
        return true;
    for (uint32_t i = 0; i < session->seat_count; i++)
        if (rk_deque_size(&session->seats[i].deque))
            return true;
    return false;
}

void rk_session_count_cursor(rk_session *session, uint32_t from)
{
    for (uint32_t unit = from; unit < session->run->plan->units; unit++)
        rk_store_relaxed(&session->run->join[unit], rk_load_relaxed(&session->run->join[unit]) + 1);
}

static void seats_fini(rk_session *session)
{
    for (uint32_t i = 0; session->seats && i < session->seat_count; i++)
        rk_deque_fini(&session->seats[i].deque);
    rk_free(session->seat_memory);
    rk_heap_fini(&session->rests);
}

static int seats_init(rk_session *session, uint32_t count)
{
    session->seat_memory = rk_calloc(1, count * sizeof(rk_seat) + RK_CACHE_LINE);
    if (!session->seat_memory)
        return RASK_ENOMEM;
    uintptr_t start = ((uintptr_t)session->seat_memory + RK_CACHE_LINE - 1) & ~(uintptr_t)(RK_CACHE_LINE - 1);
    session->seats = (rk_seat *)start;
    session->seat_count = count;
    for (uint32_t i = 0; i < count; i++) {
        rk_seat *seat = &session->seats[i];
        seat->overflow = RK_NO_UNIT;
        seat->random = session->run->options.seed + i + 1;
        rk_worker_init(&seat->worker, session->run, i);
        if (rk_deque_init(&seat->deque))
            return RASK_ENOMEM;
    }
    return RASK_OK;
}

/* One worker and no I/O: plan order is the best there is, and needs no counters. */
static bool is_alone(const rk_run *run)
{
    return run->options.workers == 1 && !run->plan->io_tasks;
}

static void wake_for_growth(void *context)
{
    rk_pool_wake_for_growth(context);
}

static int start(rk_run *run, void **handle)
{
    if (is_alone(run))
        return rk_serial.start(run, handle);
    if (rk_run_allow_rests(run))
        return RASK_ENOMEM;
    rk_session *session = rk_calloc(1, sizeof *session);
    if (!session)
        return RASK_ENOMEM;
    session->run = run;
    run->wake = wake_for_growth;
    run->wake_context = session;
    run->go_on = run->limits ? inject : come_back;
    run->over = run->limits ? release_put_off : end_away;
    run->may_leave = run->limits ? NULL : may_leave;
    rk_session_count_cursor(session, 0);
    uint32_t units = run->plan->units ? run->plan->units : 1;
    if (seats_init(session, run->options.workers < units ? run->options.workers : units)) {
        seats_fini(session);
        rk_free(session);
        return RASK_ENOMEM;
    }
    rk_init(&session->injected, RK_NO_UNIT);
    session->io_first = session->io_last = RK_NO_UNIT;
    rk_init(&session->wake_ns, LEAST_WAKE_NS);
    rk_init(&session->done, !run->plan->units);
    rk_pool_enter(session);
    *handle = session;
    return RASK_OK;
}

static void wait(rk_run *run, void *handle)
{
    if (is_alone(run)) {
        rk_serial.wait(run, handle);
        return;
    }
    rk_session *session = handle;
    while (!rk_session_is_done(session)) {
        rk_session_work(session, &session->seats[0]);
        if (rk_load_relaxed(&session->phase) != RK_GATHERING)
            rk_pool_park_owner(session);
        else if (rk_pool_gather(session))
            rk_burst(session);
    }
    rk_pool_leave(session);
    for (uint32_t i = 0; i < session->seat_count; i++)
        rk_worker_fini(&session->seats[i].worker);
    seats_fini(session);
    rk_free(session);
}

const rk_scheduler rk_threads = {.name = "threads", .start = start, .wait = wait};
