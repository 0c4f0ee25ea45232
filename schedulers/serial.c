/* The serial scheduler: the waiting thread executes everything.
 *
 * Without a seed, units run in plan order, which is a legal order. With one, the next unit is drawn from
 * those that are ready: any legal order may come out, the same for the same seed. Ready units are kept in an
 * array of their own; drawing swaps the chosen one with the last.
 *
 * Once a unit rests until its next call, those behind it in the plan go on as far as they do not need it: from there on
 * counters say which. Where nothing is counted that is so for a unit, too, of which a task has grown what rests. It keeps what it takes of what is counted, so from there on units pass the gate, too. With a seed nothing rests, for the order must not depend on the time. */
#include "schedulers/call.h"
#include "schedulers/growth.h"
#include "schedulers/heap.h"
#include "schedulers/limits.h"
#include "schedulers/scheduler.h"

#include "core/base/clock.h"
#include "schedulers/told.h"

#include <string.h>
#include <xxhash.h>

enum { LOOK_NS = 5000000, NAP_NS = 500000 };

typedef struct serial {
    rk_run *run;
    uint32_t *ready; /* with a seed; else NULL */
    uint32_t count;
    uint64_t draws;
    rk_heap rests; /* units by the time at which they are due */
    rk_heap late;  /* units that became ready since one rests, by their numbers */
    uint32_t
        cursor; /* units that wait for none are next from here on; RK_NO_UNIT: none rests, the plan's order is that of all */
    uint32_t away; /* units that are put off */
} serial;

/* Room for a unit that is late was made when one began to rest. */
static void add_ready(serial *s, uint32_t unit)
{
    if (s->ready)
        s->ready[s->count++] = unit;
    else if (s->cursor != RK_NO_UNIT)
        rk_heap_push(&s->late, RK_NO_PLACES, (uint64_t)unit + 1, unit);
}

static void release(rk_run *run, serial *s, const rk_worker *worker, uint32_t unit)
{
    const rask_plan *plan = run->plan;
    for (uint32_t e = plan->succ_start[unit]; e < plan->succ_start[unit + 1]; e++) {
        uint32_t next = rk_run_release(run, plan->succ[e]);
        if (next == RK_NO_UNIT || rk_run_is_end(run, next))
            continue;
        if (run->observed)
            rk_run_ready(run, worker, next);
        add_ready(s, next);
    }
}

/* What it took goes to those that wait for it. */
static void leave_gate(const rk_run *run, serial *s, uint32_t unit)
{
    rk_gate_waiter *waiter = run->limits ? rk_limits_leave(run->limits, unit) : NULL;
    for (; waiter; waiter = waiter->next)
        add_ready(s, rk_limits_unit_of(waiter));
}

/* False: it waits at the gate. */
static bool pass_gate(const rk_run *run, uint32_t unit)
{
    const rk_gate_waiter *waiter = run->limits ? rk_limits_of(run->limits, unit) : NULL;
    return !waiter || waiter->inside || rk_limits_enter(run->limits, unit);
}

/* Of its tasks those that are left, when it was put off. */
static uint64_t run_unit(const rk_run *run, rk_worker *worker, uint32_t unit)
{
    const uint32_t *next = rk_load_relaxed(&run->next_tasks);
    return next && next[unit] ? rk_run_unit_from(worker, unit, next[unit]) : rk_run_unit(worker, unit);
}

/* When it is to be executed again; 0: it has been, or is put off. */
static uint64_t execute(rk_run *run, serial *s, rk_worker *worker, uint32_t unit)
{
    uint64_t due_ns = run_unit(run, worker, unit);
    if (worker->put_off) {
        s->away++;
        rk_growth_set_going(worker);
        return 0;
    }
    bool counts = s->ready || run->observed || s->cursor != RK_NO_UNIT; /* plan order needs no counters */
    if (!due_ns && counts)
        release(run, s, worker, unit);
    if (!due_ns)
        leave_gate(run, s, unit);
    return due_ns;
}

/* Who cancels may be a signal handler, which wakes nobody: looks now and then. */
static void sleep_until(rk_run *run, uint64_t due_ns)
{
    for (uint64_t now = rk_clock_now();
         now < due_ns && !rk_load_relaxed(&run->env.stop) && !rk_run_must_stop(run); now = rk_clock_now())
        rk_clock_sleep(due_ns - now < LOOK_NS ? due_ns - now : LOOK_NS);
}

/* To its end, with all waiting. */
static void finish(rk_run *run, serial *s, rk_worker *worker, uint32_t unit, uint64_t due_ns)
{
    for (; due_ns; due_ns = execute(run, s, worker, unit))
        sleep_until(run, due_ns);
}

/* Without memory for that nobody goes on meanwhile. */
static void rest(rk_run *run, serial *s, rk_worker *worker, uint32_t unit, uint64_t due_ns)
{
    if (rk_heap_push(&s->rests, RK_NO_PLACES, due_ns, unit))
        finish(run, s, worker, unit, due_ns);
}

static void run_or_rest(rk_run *run, serial *s, rk_worker *worker, uint32_t unit)
{
    uint64_t due_ns = execute(run, s, worker, unit);
    if (due_ns)
        rest(run, s, worker, unit, due_ns);
}

/* The first that rests is to be executed: its time has come, or everybody's. */
static bool is_due(rk_run *run, const serial *s)
{
    uint64_t due_ns = rk_heap_least(&s->rests);
    return due_ns && (rk_clock_now() >= due_ns || rk_load_relaxed(&run->env.stop) || rk_run_must_stop(run));
}

/* From here on counters say who may run: all before the one that rests have. */
static bool begin_to_count(rk_run *run, serial *s, uint32_t resting)
{
    const rask_plan *plan = run->plan;
    if (rk_heap_reserve(&s->late, plan->units))
        return false;
    memcpy((void *)run->join, plan->join, plan->all_units * sizeof *plan->join);
    s->cursor = resting + 1;
    for (uint32_t unit = 0; unit < resting; unit++)
        for (uint32_t e = plan->succ_start[unit]; e < plan->succ_start[unit + 1]; e++) {
            uint32_t next = rk_run_release(run, plan->succ[e]);
            if (next != RK_NO_UNIT && next > resting && !rk_run_is_end(run, next))
                add_ready(s, next);
        }
    return true;
}

/* The next unit to execute, in plan order; RK_NO_UNIT: there is none but such as rest. */
static uint32_t next_unit(rk_run *run, serial *s)
{
    const rask_plan *plan = run->plan;
    uint64_t late = rk_heap_least(&s->late);
    if (is_due(run, s))
        return rk_heap_pop(&s->rests, RK_NO_PLACES);
    while (s->cursor < plan->units && plan->join[s->cursor])
        s->cursor++;
    if (late && late - 1 < s->cursor)
        return rk_heap_pop(&s->late, RK_NO_PLACES);
    return s->cursor < plan->units ? s->cursor++ : RK_NO_UNIT;
}

/* Nothing is to be done but what rests, or waits for others. What grew may wait for what nobody here knows. */
static void sleep_on(rk_run *run, const serial *s)
{
    uint64_t due_ns = rk_heap_least(&s->rests), grown_ns = s->away ? rk_growth_next_due(run) : 0;
    if (s->away && !grown_ns)
        rk_clock_sleep(NAP_NS);
    else
        sleep_until(run, !due_ns || (grown_ns && grown_ns < due_ns) ? grown_ns : due_ns);
}

/* The rest of the plan, when a unit of it was the first to rest, or was put off for what does. */
static void run_around(rk_run *run, serial *s, rk_worker *worker)
{
    for (;;) {
        if (s->away && rk_growth_help(run, worker->id))
            continue;
        uint32_t unit = next_unit(run, s);
        if (unit != RK_NO_UNIT && pass_gate(run, unit))
            run_or_rest(run, s, worker, unit);
        else if (unit != RK_NO_UNIT)
            continue;
        else if (s->away || rk_heap_least(&s->rests))
            sleep_on(run, s);
        else
            break;
    }
}

static void run_in_order(rk_run *run, serial *s, rk_worker *worker)
{
    for (uint32_t unit = 0; unit < run->plan->units && s->cursor == RK_NO_UNIT; unit++) {
        uint64_t due_ns = execute(run, s, worker, unit);
        if (due_ns && (s->cursor != RK_NO_UNIT || begin_to_count(run, s, unit))) {
            (void)pass_gate(run, unit); /* as the first */
            rest(run, s, worker, unit, due_ns);
        } else {
            finish(run, s, worker, unit, due_ns);
        }
    }
    if (s->cursor != RK_NO_UNIT)
        run_around(run, s, worker);
}

static void run_drawn(rk_run *run, serial *s, rk_worker *worker)
{
    while (s->count) {
        uint64_t words[2] = {run->options.seed, s->draws++};
        uint32_t at = (uint32_t)(XXH3_64bits(words, sizeof words) % s->count);
        uint32_t unit = s->ready[at];
        s->ready[at] = s->ready[--s->count];
        execute(run, s, worker, unit);
    }
}

/* -- Units that are put off */

static bool may_leave(void *context, uint32_t worker, uint32_t unit)
{
    serial *s = context;
    (void)worker;
    return s->cursor != RK_NO_UNIT || begin_to_count(s->run, s, unit);
}

/* Both from the one thread that works for the run. */
static void go_on(void *context, uint32_t unit)
{
    serial *s = context;
    s->away--;
    add_ready(s, unit);
}

static void over(void *context, uint32_t unit)
{
    serial *s = context;
    s->away--;
    release(s->run, s, NULL, unit);
}

/* -- Start and end */

/* With a seed the order of all has to be the seed's. */
static void allow_leaving(rk_run *run, serial *s)
{
    if (run->options.seed || run->limits)
        return;
    run->may_leave = may_leave;
    run->go_on = go_on;
    run->over = over;
    run->wake_context = s;
}

static int start(rk_run *run, void **handle)
{
    if (!run->options.seed && rk_run_allow_rests(run))
        return RASK_ENOMEM;
    serial *s = rk_calloc(1, sizeof *s);
    if (s && run->options.seed &&
        !(s->ready = rk_alloc_array((size_t)run->plan->units + 1, sizeof *s->ready))) {
        rk_free(s);
        s = NULL;
    }
    if (!s)
        return RASK_ENOMEM;
    s->run = run;
    s->cursor = RK_NO_UNIT;
    allow_leaving(run, s);
    *handle = s;
    return RASK_OK;
}

static void wait(rk_run *run, void *handle)
{
    serial *s = handle;
    rk_worker worker;
    rk_worker_init(&worker, run, 0);
    rk_run_roots_ready(run);
    for (uint32_t i = 0; i < run->plan->root_count && s->ready; i++)
        add_ready(s, run->plan->roots[i]);
    if (s->ready)
        run_drawn(run, s, &worker);
    else
        run_in_order(run, s, &worker);
    rk_worker_fini(&worker);
    rk_heap_fini(&s->rests);
    rk_heap_fini(&s->late);
    rk_free(s->ready);
    rk_free(s);
}

const rk_scheduler rk_serial = {.name = "serial", .start = start, .wait = wait};
