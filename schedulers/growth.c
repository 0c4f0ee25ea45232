/* What tasks of a run grow. */
#include "schedulers/growth.h"

#include "core/base/clock.h"
#include "core/task/grow.h"
#include "schedulers/futures/executor.h"
#include "schedulers/limits.h"
#include "schedulers/told.h"

#include <stdio.h>
#include <string.h>

/* Who has an executor has it as long as the run. */
static rk_executor *executor_of(const rk_run *run)
{
    return rk_load_acquire(&run->growth);
}

/* What is counted is counted once: by the gate that units pass. Where one worker alone runs units, what one of them takes that rests is
 * not there for what another has grown only once that is over: so what grows passes a gate of its own there. */
static int share_gate(const rk_run *run, rk_executor *executor)
{
    char reason[RK_MAX_MESSAGE];
    const char *limits = run->options.limits ? run->options.limits : "";
    executor->shares_gate = run->limits && run->go_on;
    executor->counted_elsewhere = run->counted_elsewhere;
    executor->permits = run->permits;
    if (!executor->shares_gate)
        return rk_gate_new(limits, &executor->gate, reason, sizeof reason);
    executor->gate = run->limits->gate;
    return RASK_OK;
}

static rk_executor *executor_new(rk_run *run)
{
    rk_executor *executor = rk_executor_new(&run->options, run->options.workers, run->store, &run->env);
    if (executor && share_gate(run, executor)) {
        rk_executor_unref(executor);
        return NULL;
    }
    return executor;
}

/* NULL: no memory. */
static rk_executor *get_executor(rk_run *run)
{
    rk_executor *executor = executor_of(run);
    if (executor)
        return executor;
    pthread_mutex_lock(&run->lock);
    executor = executor_of(run);
    if (!executor && (executor = executor_new(run))) {
        executor->info = run->info;
        executor->wake = run->wake;
        executor->let_in = run->go_on;
        executor->context = run->wake_context;
        rk_store_release(&run->growth, executor);
    }
    pthread_mutex_unlock(&run->lock);
    return executor;
}

rk_executor *rk_growth_executor(rk_run *run)
{
    return get_executor(run);
}

static int fail(rk_worker *worker, int status, const char *message)
{
    snprintf(worker->message, sizeof worker->message, "%s", message);
    return status;
}

/* The bench of a lane, or of a thread beyond the workers, is one of theirs: they share it. */
static rk_place place_of(rk_executor *executor, const rk_worker *worker)
{
    return (rk_place){executor, worker->id % executor->bench_count, worker->id, worker->lane};
}

static int finish(rk_worker *worker, rk_executor *executor, rask_future *root, rask_value *result)
{
    rk_place before = rk_executor_sit(place_of(executor, worker));
    int status = rask_future_result(root, result);
    if (status)
        fail(worker, status, rask_future_error(root));
    rk_executor_sit(before);
    return status;
}

/* The node's future, and what is ready by that. NULL: no memory. */
static rask_future *sow(rk_executor *executor, uint32_t task, rask_value *result, rk_queue *ready)
{
    rask_value node = *result;
    *result = rask_value_none();
    *ready = (rk_queue){NULL, NULL};
    rask_future *root = executor ? rk_executor_sow(executor, rk_grown_node(&node), &task, 0, ready) : NULL;
    rask_value_unref(&node);
    return root;
}

static const char *const no_memory = "no memory for the nodes that it returned";

static int wait_for(rk_worker *worker, uint32_t task, rask_value *result)
{
    rk_executor *executor = get_executor(worker->run);
    rk_queue ready;
    rask_future *root = sow(executor, task, result, &ready);
    if (executor)
        rk_executor_push_all(executor, &ready);
    int status = root ? finish(worker, executor, root, result) : fail(worker, RASK_ENOMEM, no_memory);
    rask_future_unref(root);
    return status;
}

/* What the unit took goes to others meanwhile. */
static int rest(rk_worker *worker, uint32_t task, rask_value *result)
{
    const rk_run *run = worker->run;
    const rk_permits *permits = task == RASK_NO_TASK ? NULL : run->permits;
    if (!permits)
        return wait_for(worker, task, result);
    permits->rest(permits->context);
    int status = wait_for(worker, task, result);
    if (status || task + 1 == run->plan->unit_start[rk_plan_unit(run->plan, task) + 1])
        return status;
    status = permits->resume(permits->context, worker->message, sizeof worker->message);
    if (status) {
        rask_value_unref(result);
        *result = rask_value_none();
    }
    return status;
}

/* -- Putting off */

/* Where units go on; false: no memory. */
static bool note_next_tasks(rk_run *run)
{
    pthread_mutex_lock(&run->lock);
    uint32_t *next = rk_load_relaxed(&run->next_tasks);
    if (!next && (next = rk_calloc((size_t)run->plan->units + 1, sizeof *next)))
        rk_store_release(&run->next_tasks, next);
    pthread_mutex_unlock(&run->lock);
    return next;
}

/* The worker it was put off by is at other tasks by now: for observers it is with who settles it from here on. */
static void settle(rk_put_off *p)
{
    rk_worker worker;
    rask_value result = rask_value_none();
    rk_place place = rk_executor_place(executor_of(p->run));
    assert(place.executor); /* only who works for the run has its results come, as go_on and over ask for */
    rk_worker_init(&worker, p->run, place.number);
    worker.lane = place.lane;
    int status = rask_future_result(p->root, &result);
    if (status)
        fail(&worker, status, rask_future_error(p->root));
    rk_run_settle(&worker, p->task, status, &result, &p->info);
    rk_worker_fini(&worker);
}

static void go_on(rk_put_off *p)
{
    rk_run *run = p->run;
    uint32_t unit = p->unit, next = p->task + 1;
    settle(p);
    rask_future_unref(p->root);
    rk_free(p);
    rk_load_acquire(&run->next_tasks)[unit] = next;
    if (next == run->plan->unit_start[unit + 1])
        run->over(run->wake_context, unit);
    else if (!run->limits || rk_limits_enter(run->limits, unit))
        run->go_on(run->wake_context, unit);
}

/* In whatever thread that is. */
static void tell_done(rk_waiter *waiter, rask_future *root, rk_endings *endings)
{
    if (endings->ready.first) /* it may wait for memory */
        rk_executor_push_all(root->executor, &endings->ready);
    go_on((rk_put_off *)waiter);
}

void rk_growth_let_in(rk_run *run, rk_gate_waiter *waiter)
{
    waiter->next = NULL;
    rk_executor_let_in(executor_of(run), waiter);
}

static int put_off(rk_worker *worker, uint32_t task, rask_value *result)
{
    rk_run *run = worker->run;
    rk_executor *executor = get_executor(run);
    rk_put_off *p = note_next_tasks(run) ? rk_alloc(sizeof *p) : NULL;
    if (!p || !executor) {
        rk_free(p);
        rask_value_unref(result);
        return fail(worker, RASK_ENOMEM, no_memory);
    }
    *p = (rk_put_off){
        .waiter.tell = tell_done, .run = run, .unit = rk_plan_unit(run->plan, task), .task = task};
    p->root = sow(executor, task, result, &p->ready);
    if (!p->root) {
        rk_executor_push_all(executor, &p->ready); /* what was made before has ended, and is let go of */
        rk_free(p);
        return fail(worker, RASK_ENOMEM, no_memory);
    }
    worker->put_off = p;
    return RK_PUT_OFF;
}

typedef struct wait_for_rests {
    rk_executor *executor;
    rask_future *root;
} wait_for_rests;

static bool is_done_or_rests(void *context)
{
    const wait_for_rests *w = context;
    return rask_future_done(w->root) ||
           (rk_load_seq_cst(&w->executor->resting.next_ns) && !rk_executor_has_work(w->executor));
}

static void watch_root(void *context)
{
    rk_store_seq_cst(&((wait_for_rests *)context)->root->watched, true);
}

/* Works until the result has come. False: there is nothing to be run, and something rests. */
static bool run_ready(rk_executor *executor, const rk_worker *worker, rask_future *root)
{
    wait_for_rests w = {executor, root};
    const rk_awaited awaited = {.holds = is_done_or_rests, .watch = watch_root, .what = &w, .shortly = true};
    rk_place before = rk_executor_sit(place_of(executor, worker));
    rk_executor_await(executor, &awaited, 0);
    rk_executor_sit(before);
    return rask_future_done(root);
}

/* Without memory for that it waits. */
static int leave_or_wait(rk_worker *worker, uint32_t task, rask_value *result)
{
    rk_run *run = worker->run;
    rk_executor *executor = get_executor(run);
    uint32_t unit = rk_plan_unit(run->plan, task);
    rk_queue ready;
    rask_future *root = sow(executor, task, result, &ready);
    if (executor)
        rk_executor_push_all(executor, &ready);
    if (!root)
        return fail(worker, RASK_ENOMEM, no_memory);
    uint64_t left_ns = run->observed ? rk_clock_now() : 0;
    bool waits = run_ready(executor, worker, root) || !note_next_tasks(run);
    rk_put_off *p = waits ? NULL : rk_alloc(sizeof *p);
    if (!p || !run->may_leave(run->wake_context, worker->id, unit)) {
        rk_free(p);
        int status = finish(worker, executor, root, result);
        rask_future_unref(root);
        return status;
    }
    *p = (rk_put_off){
        .waiter.tell = tell_done, .run = run, .unit = unit, .task = task, .left_ns = left_ns, .root = root};
    worker->put_off = p;
    return RK_PUT_OFF;
}

/* What grew comes to the gate before its unit leaves it: it goes first. */
static void set_going(const rk_worker *worker, rk_put_off *p)
{
    rk_run *run = p->run;
    rk_executor *executor = executor_of(run);
    uint32_t unit = p->unit;
    rk_place before = rk_executor_sit(place_of(executor, worker));
    rk_executor_push_all(executor, &p->ready);
    if (run->limits)
        rk_executor_let_in(executor, rk_limits_leave(run->limits, unit));
    if (!rk_future_add_waiter(p->root, &p->waiter))
        go_on(p);
    rk_executor_sit(before);
}

bool rk_growth_set_going(rk_worker *worker)
{
    rk_put_off *p = worker->put_off;
    worker->put_off = NULL;
    if (p && worker->run->observed) {
        rk_run_rested(worker->run, &p->info);
        rk_worker_pause(worker);
    }
    if (p)
        set_going(worker, p);
    return p;
}

uint64_t rk_growth_next_due(rk_run *run)
{
    rk_executor *executor = executor_of(run);
    return executor && rk_resting_any(&executor->resting) ? rk_load_seq_cst(&executor->resting.next_ns) : 0;
}

bool rk_growth_run_unit(rk_worker *worker, uint32_t unit, uint64_t *due_ns)
{
    rk_run *run = worker->run;
    const uint32_t *next = rk_load_acquire(&run->next_tasks);
    *due_ns = rk_run_unit_from(worker, unit, next && next[unit] ? next[unit] : run->plan->unit_start[unit]);
    return !rk_growth_set_going(worker);
}

int rk_growth_finish(rk_worker *worker, uint32_t task, bool later, rask_value *result)
{
    if (later && worker->run->send_nodes && worker->run->send_nodes(worker, task, result))
        return RK_PUT_OFF;
    if (later && worker->run->may_leave)
        return leave_or_wait(worker, task, result);
    return later && worker->run->go_on ? put_off(worker, task, result) : rest(worker, task, result);
}

bool rk_growth_help(rk_run *run, uint32_t worker)
{
    rk_executor *executor = executor_of(run);
    if (executor && !rk_executor_has_work(executor) && rk_circles_in_doubt(&executor->circles))
        rk_circles_settle(&executor->circles);
    if (!executor || !rk_executor_has_work(executor))
        return false;
    rk_place place = {executor, worker % executor->bench_count, worker, false},
             before = rk_executor_sit(place);
    bool ran = rk_executor_run_one(executor, place.worker);
    rk_executor_sit(before);
    return ran;
}

bool rk_growth_has_work(const rk_run *run)
{
    rk_executor *executor = executor_of(run);
    return executor && rk_executor_has_work(executor);
}

bool rk_growth_has_more(const rk_run *run)
{
    rk_executor *executor = executor_of(run);
    return executor && rk_executor_backlog(executor) > 1;
}

uint64_t rk_growth_take_retries(rk_run *run)
{
    rk_executor *executor = executor_of(run);
    return executor ? rk_executor_take_retries(executor) : 0;
}

/* What is still queued has ended, and is let go of. */
void rk_growth_end(rk_run *run)
{
    rk_executor *executor = executor_of(run);
    if (!executor)
        return;
    rk_executor_close(executor);
    rk_place before = rk_executor_sit((rk_place){executor, 0, 0, false});
    rk_executor_drain(executor, 0);
    while (rk_executor_run_one(executor, 0)) {
    }
    rk_executor_sit(before);
    rk_meet_keep_none(&executor->meetings);
    run->retries += rk_executor_take_retries(executor);
    rk_executor_unref(executor);
    rk_store_relaxed(&run->growth, NULL);
}
