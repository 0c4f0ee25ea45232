/* Executing tasks: see run.h for the rules. */
#include "schedulers/run.h"

#include "core/base/clock.h"
#include "core/store/available.h"
#include "core/task/grow.h"
#include "schedulers/call.h"
#include "schedulers/checkpoint/checkpoint.h"
#include "schedulers/growth.h"
#include "schedulers/told.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* More than any memory, and room for sums. */
#define NO_BUDGET ((uint64_t)1 << 62)

/* One block of memory for all a run needs by task and unit. */
static size_t state_bytes(const rask_plan *plan)
{
    return ((size_t)plan->tasks + 1) * (sizeof(rask_value) + sizeof(rk_atomic_u32)) +
           plan->def_count * sizeof(rk_atomic_u64) + ((size_t)plan->all_units + 4) * sizeof(rk_atomic_u32);
}

static void place_state(rk_run *run)
{
    const rask_plan *plan = run->plan;
    run->results = run->memory;
    run->estimates = (rk_atomic_u64 *)(run->results + plan->tasks + 1);
    run->uses = (rk_atomic_u32 *)(run->estimates + plan->def_count);
    run->join = run->uses + plan->tasks + 1;
}

/* The plan keeps it for its next run. */
static int alloc_state(rk_run *run, rask_plan *plan)
{
    run->memory = plan->spare ? plan->spare : rk_alloc(state_bytes(plan));
    if (!run->memory)
        return RASK_ENOMEM;
    place_state(run);
    if (!plan->spare)
        rk_budget_init_estimates(run); /* what a run learned holds for the next */
    plan->spare = NULL;
    memcpy((void *)run->join, plan->join, plan->all_units * sizeof *plan->join);
    if (run->observed && !(run->ready_ns = rk_calloc((size_t)plan->tasks + 1, sizeof *run->ready_ns)))
        return RASK_ENOMEM;
    return RASK_OK;
}

static bool has_timeouts(const rask_plan *plan)
{
    const rask_task_def *const *defs = plan->graph->definitions.data;
    for (size_t i = 0; i < plan->graph->definitions.count; i++)
        if (defs[i]->timeout > 0)
            return true;
    return false;
}

uint64_t rk_run_next_number(void)
{
    static rk_atomic_u64 runs;
    return rk_add_relaxed(&runs, 1) + 1;
}

static bool is_careful(const rk_run *run)
{
    const rask_options *options = &run->options;
    return options->timeout > 0 || options->inject_failures || options->inject_delays ||
           has_timeouts(run->plan);
}

bool rk_run_backs_off(const rk_run *run)
{
    const rask_plan *plan = run->plan;
    const rask_task_def *const *defs = plan->graph->definitions.data;
    const rk_extra *extras = plan->graph->extras.data;
    for (uint32_t i = 0; i < plan->def_count; i++)
        if (rk_def_backoff(defs[i]) > 0)
            return true;
    for (size_t i = 0; i < plan->graph->extras.count; i++)
        if (extras[i].own_backoff && extras[i].backoff > 0)
            return true;
    return false;
}

int rk_run_allow_rests(rk_run *run)
{
    if (!rk_run_backs_off(run))
        return RASK_OK;
    run->tries = rk_calloc((size_t)run->plan->units + 1, sizeof *run->tries);
    return run->tries ? RASK_OK : RASK_ENOMEM;
}

static void note_wishes(rk_run *run, const rask_observer *observer)
{
    run->tells_ready |= observer->task_ready != NULL;
    run->tells_started |= observer->task_started != NULL;
}

/* Who only wants to know of runs and workers makes no task slower. */
static bool wants_tasks(const rask_options *options)
{
    bool wants = false;
    for (size_t i = 0; i < options->observer_count && !wants; i++) {
        const rask_observer *o = options->observers[i];
        wants = o->task_ready || o->task_started || o->task_finished ||
                (o->size > offsetof(rask_observer, result_moved) && o->result_moved) ||
                (o->size > offsetof(rask_observer, result_sent) && o->result_sent) ||
                (o->size > offsetof(rask_observer, task_rested) && o->task_rested);
    }
    return wants;
}

int rk_run_init(rk_run *run, rask_plan *plan, const rask_options *options, const char *scheduler)
{
    memset(run, 0, sizeof *run);
    run->plan = plan;
    run->options = *options;
    run->scheduler = scheduler;
    run->observed = wants_tasks(options);
    pthread_mutex_init(&run->lock, NULL);
    rk_store_run store_run = rk_budget_store_run(run);
    run->store = rk_store_new(options->memory, options->scratch, &store_run);
    int status = run->store ? alloc_state(run, plan) : RASK_ENOMEM;
    if (status) {
        rk_store_end(run->store);
        rk_free(run->memory);
        pthread_mutex_destroy(&run->lock);
        return status;
    }
    run->env.results = run->results;
    run->env.constants = rk_plan_constants(plan);
    run->env.cancel = options->cancel;
    run->info = (rask_run_info){.tasks = plan->tasks,
                                .workers = options->workers,
                                .scheduler = scheduler,
                                .start_ns = rk_clock_now(),
                                .run = rk_run_next_number(),
                                .plan = plan,
                                .memory = options->memory};
    if (options->timeout > 0)
        run->env.deadline_ns = run->info.start_ns + rk_seconds_to_ns(options->timeout);
    run->careful = is_careful(run);
    for (size_t i = 0; i < options->observer_count; i++)
        note_wishes(run, options->observers[i]);
    RK_NOTIFY(run, plan_made, &run->info);
    return RASK_OK;
}

int rk_run_init_apart(rk_run *apart, const rk_run *run, const rask_cancel_token *stop)
{
    memset(apart, 0, sizeof *apart);
    const rask_plan *plan = run->plan;
    apart->plan = plan;
    apart->options = run->options;
    apart->options.keep_going = true;
    apart->options.observer_count = 0;
    apart->scheduler = run->scheduler;
    apart->memory = rk_alloc(state_bytes(plan));
    rk_store_run store_run = rk_budget_store_run(apart);
    apart->store = rk_store_new(NO_BUDGET, run->options.scratch, &store_run);
    pthread_mutex_init(&apart->lock, NULL);
    if (!apart->memory || !apart->store) {
        rk_run_fini_apart(apart);
        return RASK_ENOMEM;
    }
    place_state(apart);
    rk_budget_init_estimates(apart);
    apart->env.results = apart->results;
    apart->env.constants = run->env.constants;
    apart->env.cancel = stop;
    apart->env.deadline_ns = run->env.deadline_ns;
    apart->careful = is_careful(apart);
    return RASK_OK;
}

void rk_run_observe_apart(rk_run *apart, const rask_observer *const *observers)
{
    apart->options.observers = observers;
    apart->options.observer_count = 1;
    apart->observed = true;
    note_wishes(apart, observers[0]);
}

void rk_run_fini_apart(rk_run *apart)
{
    rk_growth_end(apart);
    if (apart->store)
        rk_store_end(apart->store);
    for (uint32_t i = 0; i < apart->failure_count; i++)
        rk_free(apart->failures[i].message);
    rk_free(apart->memory);
    rk_free(apart->tries);
    pthread_mutex_destroy(&apart->lock);
}

void rk_worker_init(rk_worker *worker, rk_run *run, uint32_t id)
{
    worker->run = run;
    worker->id = id;
    worker->finished = worker->skipped = 0;
    worker->retries = worker->stolen = 0;
    worker->began_ns = NULL;
    worker->put_off = NULL;
    worker->mark_ns = worker->due_ns = 0;
    worker->may_rest = worker->lane = false;
    worker->watch = (rk_stopwatch){0};
}

void rk_worker_fini(rk_worker *worker)
{
    rk_run *run = worker->run;
    pthread_mutex_lock(&run->lock);
    run->finished += worker->finished;
    run->skipped += worker->skipped;
    run->retries += worker->retries;
    run->stolen += worker->stolen;
    pthread_mutex_unlock(&run->lock);
}

void rk_run_stop(rk_run *run, int status)
{
    rk_env_stop(&run->env, status);
}

void rk_run_abandon(rk_run *run, int status)
{
    rk_run_stop(run, status);
    run->skipped = run->plan->tasks;
}

/* Keeps the failure in its place among those that come first in plan order. The first of a run that does not go on ends it, and stays the
 * first: what was under way then may have failed because of that. */
static void keep_failure(rk_run *run, rk_failure failure)
{
    uint32_t at = run->failure_count, least = run->options.keep_going ? 0 : 1;
    if (at == RASK_MAX_FAILURES) {
        if (run->failures[at - 1].task < failure.task) {
            rk_free(failure.message);
            return;
        }
        rk_free(run->failures[--at].message);
    } else {
        run->failure_count++;
    }
    for (; at > least && run->failures[at - 1].task > failure.task; at--)
        run->failures[at] = run->failures[at - 1];
    run->failures[at] = failure;
}

void rk_run_fail(rk_run *run, uint32_t task, int status, const char *message)
{
    rk_failure failure = {task, status, rk_strndup(message, strlen(message))};
    rk_store_relaxed(&run->any_failed, 1);
    pthread_mutex_lock(&run->lock);
    run->failed++;
    keep_failure(run, failure);
    pthread_mutex_unlock(&run->lock);
    if (!run->options.keep_going)
        rk_run_stop(run, RASK_ETASK);
}

bool rk_run_take_failure(rk_run *run, uint32_t first, uint32_t end, rk_failure *failure)
{
    bool found = false;
    pthread_mutex_lock(&run->lock);
    for (uint32_t i = 0; i < run->failure_count; i++) {
        if (found)
            run->failures[i - 1] = run->failures[i];
        else if (run->failures[i].task >= first && run->failures[i].task < end) {
            *failure = run->failures[i];
            found = true;
        }
    }
    run->failure_count -= found;
    pthread_mutex_unlock(&run->lock);
    return found;
}

const rk_extra *rk_run_extra(const rk_run *run, uint32_t task)
{
    const rask_plan *plan = run->plan;
    return plan->def[task] & RK_TASK_EXTRA ? rk_node_extra(rk_graph_node(plan->graph, plan->node[task]))
                                           : NULL;
}

uint32_t rk_run_retries(const rk_run *run, uint32_t task)
{
    const rk_extra *extra = rk_run_extra(run, task);
    uint32_t own = extra && extra->own_retries ? extra->retries : rk_plan_def(run->plan, task)->retries;
    return own > run->options.retries ? own : run->options.retries;
}

uint64_t rk_run_timeout(const rk_run *run, uint32_t task)
{
    const rk_extra *extra = rk_run_extra(run, task);
    return rk_seconds_to_ns(extra && extra->own_timeout ? extra->timeout
                                                        : rk_plan_def(run->plan, task)->timeout);
}

uint64_t rk_run_backoff(const rk_run *run, uint32_t task)
{
    const rk_extra *extra = rk_run_extra(run, task);
    return rk_seconds_to_ns(extra && extra->own_backoff ? extra->backoff
                                                        : rk_def_backoff(rk_plan_def(run->plan, task)));
}

/* Member by member: to clear a structure of this size at once takes a string instruction, and that as long as all the rest. */
static inline void describe_in(const rk_worker *worker, uint32_t number, rask_task_info *out)
{
    const rk_run *run = worker->run;
    bool plain = !(run->plan->def[number] & RK_TASK_EXTRA);
    const rk_extra *extra = plain ? NULL : rk_run_extra(run, number);
    out->task = number;
    out->node = run->plan->node[number];
    out->name = rk_plan_def(run->plan, number)->name;
    out->label = extra ? extra->label : "";
    out->worker = worker->id;
    out->status = RASK_OK;
    out->attempt = 0;
    out->ready_ns = run->ready_ns ? run->ready_ns[number] : 0;
    out->start_ns = out->end_ns = 0;
    out->bytes = out->bytes_in = 0;
    out->run = run->info.run;
    out->waited_ns = 0;
    out->live_bytes = out->spilled_bytes = 0;
    out->grown_by = 0;
    out->message = NULL;
    out->lane = worker->lane;
}

static rask_task_info describe(const rk_worker *worker, uint32_t number)
{
    rask_task_info info;
    describe_in(worker, number, &info);
    return info;
}

rask_task_info rk_run_describe(const rk_run *run, uint32_t task)
{
    rk_worker nobody = {.run = (rk_run *)run, .id = UINT32_MAX};
    return describe(&nobody, task);
}

bool rk_run_must_stop(rk_run *run)
{
    return rk_env_must_stop(&run->env);
}

static rk_call_terms terms_of(const rk_run *run, uint32_t number)
{
    const rask_options *options = &run->options;
    return (rk_call_terms){.retries = rk_run_retries(run, number),
                           .backoff_ns = rk_run_backoff(run, number),
                           .limit_ns = rk_run_timeout(run, number),
                           .check = run->plan->def[number] & RK_TASK_CHECK,
                           .seed = options->seed,
                           .number = number,
                           .failures = options->inject_failures,
                           .delays = options->inject_delays};
}

static uint64_t due_after(uint64_t rest_ns)
{
    return rest_ns ? rk_clock_now() + rest_ns : 0;
}

/* As often as retries allow, and as it need not rest. */
static int call_on_terms(rk_worker *worker, rask_task *task, const rk_call_terms *terms)
{
    rk_run *run = worker->run;
    uint64_t rest_ns;
    if (!run->tries || !worker->may_rest)
        return rk_call(task, &run->env, terms, &worker->retries);
    int status = rk_call_until_rest(task, &run->env, terms, &worker->retries, &rest_ns);
    worker->due_ns = due_after(rest_ns);
    return status;
}

/* Everything a call may need. */
static int call_carefully(rk_worker *worker, uint32_t number, rask_task *task)
{
    rk_call_terms terms = terms_of(worker->run, number);
    terms.began_ns = worker->began_ns;
    return call_on_terms(worker, task, &terms);
}

/* The first call failed in the short way. */
static int call_again(rk_worker *worker, uint32_t number, rask_task *task)
{
    rk_call_terms terms = terms_of(worker->run, number);
    int status = task->status;
    uint64_t rest_ns = 0;
    if (worker->run->tries && worker->may_rest && rk_call_is_repeated(task, &terms, &rest_ns) && rest_ns) {
        worker->due_ns = due_after(rest_ns);
        return status;
    }
    if (!rk_call_wait_for_next(task, &worker->run->env, &terms, &worker->retries))
        return status;
    return call_on_terms(worker, task, &terms);
}

/* The short way: nothing but the call, until it fails. */
static inline int call(rk_worker *worker, uint32_t number, rask_task *task)
{
    int status = rk_call_once(task);
    return __builtin_expect(status, 0) ? call_again(worker, number, task) : RASK_OK;
}

/* Type and mark of the result stay as they were written: a task that only waits for this one may be asking
 * whether there was one. */
static void drop_use(rk_run *run, uint32_t task)
{
    rask_value *place = &run->results[task];
    assert(rk_load_relaxed(&run->uses[task]) > 0);
    if (rk_store_is_managed(place)) {
        if (rk_sub_acq_rel(&run->uses[task], 1) == 1)
            rk_store_drop(run->store, place);
        return;
    }
    rask_value result = *place;
    if (rk_sub_acq_rel(&run->uses[task], 1) == 1)
        rask_value_unref(&result);
}

/* The task has taken its arguments: those it was the last to take end here. */
static inline void release_arguments(rk_run *run, const uint32_t *words, const uint32_t *end)
{
    for (; words < end; words++)
        if (!(*words & RK_CONSTANT) && __builtin_expect(rk_value_is_object(&run->results[*words]), 0))
            drop_use(run, *words);
}

/* No result: whoever needs it is skipped. */
static void miss_result(rk_run *run, uint32_t number)
{
    run->results[number] = (rask_value){.reserved = 1};
}

/* The task ended early because it saw that the run is being stopped: that is no failure of its own. */
static bool gave_way(rk_run *run, int status)
{
    rk_env_must_stop(&run->env);
    return status == RASK_ECANCELLED && rk_load_relaxed(&run->env.stop);
}

static int fail(rk_worker *worker, uint32_t number, int status, const char *message)
{
    if (gave_way(worker->run, status)) {
        worker->skipped++;
        miss_result(worker->run, number);
        return status;
    }
    rk_run_fail(worker->run, number, status, message);
    miss_result(worker->run, number);
    return status;
}

/* An object in its place, unless nobody takes it. */
static int keep_object(rk_worker *worker, uint32_t number, rask_value *result, rk_pass *pass)
{
    rk_run *run = worker->run;
    uint32_t uses = run->plan->uses[number];
    if (!uses) {
        rask_value_unref(result);
        run->results[number] = rask_value_none();
        worker->finished++;
        return RASK_OK;
    }
    uint64_t bytes;
    rk_store_relaxed(&run->uses[number], uses);
    int status =
        rk_store_keep(run->store, pass, number, pass && rk_budget_is_source(run, number),
                      &run->results[number], result, &bytes, worker->message, sizeof worker->message);
    if (__builtin_expect(status, 0)) {
        rask_value_unref(result);
        return fail(worker, number, status, worker->message);
    }
    if (pass || bytes >= rk_store_threshold(run->store))
        rk_budget_learn(run, number, bytes);
    worker->finished++;
    return RASK_OK;
}

/* What came of the task is in its place: a result, or none. The status it has now. pass may be NULL. */
static inline int settle(rk_worker *worker, uint32_t number, rask_task *task, rk_pass *pass, int status)
{
    if (__builtin_expect(status, 0))
        return status == RK_PUT_OFF ? status : fail(worker, number, status, worker->message);
    if (__builtin_expect(worker->run->checkpoint != NULL, 0))
        rk_checkpoint_keep(worker->run->checkpoint, number, &task->result);
    if (__builtin_expect(rk_value_is_object(&task->result), 0))
        return keep_object(worker, number, &task->result, pass);
    worker->run->results[number] = task->result;
    worker->finished++;
    return RASK_OK;
}

static bool misses_argument(const rk_run *run, const uint32_t *words, const uint32_t *end)
{
    for (; words < end; words++)
        if (!(*words & RK_CONSTANT) && run->results[*words].type == RASK_NONE &&
            run->results[*words].reserved)
            return true;
    return false;
}

/* A reason not to call a task: the run was stopped, cancelled or is out of time, or an argument is missing.
 */
static inline bool must_skip(rk_run *run, const uint32_t *words, const uint32_t *end)
{
    if (rk_load_relaxed(&run->env.stop) || rk_env_must_stop(&run->env))
        return true;
    return rk_load_relaxed(&run->any_failed) && misses_argument(run, words, end);
}

static void skip(rk_worker *worker, uint32_t number)
{
    worker->skipped++;
    miss_result(worker->run, number);
    if (!worker->run->observed)
        return;
    rask_task_info info = describe(worker, number);
    info.worker = UINT32_MAX;
    info.status = RASK_ECANCELLED;
    RK_NOTIFY(worker->run, task_finished, &info);
}

/* A node in place of a result has one in the end. */
static inline int finish_growth(rk_worker *worker, uint32_t number, bool later, rask_task *task, int status)
{
    bool may_be = !status && task->result.type == RASK_CUSTOM;
    if (__builtin_expect(may_be, 0) && rk_grown_is(&task->result))
        return rk_growth_finish(worker, number, later, &task->result);
    return status;
}

static int call_in_some_way(rk_worker *worker, uint32_t number, rask_task *task, uint32_t special)
{
    int status =
        special | worker->run->careful ? call_carefully(worker, number, task) : call(worker, number, task);
    return finish_growth(worker, number, true, task, status);
}

static inline uint64_t size_of(const rask_value *value)
{
    return __builtin_expect(rk_value_is_object(value), 0) ? rask_value_size(value) : 0;
}

static inline uint64_t size_of_arguments(const rk_run *run, const rask_task *task)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < task->nargs; i++)
        if (!(task->args[i] & RK_CONSTANT))
            bytes += size_of(&run->results[task->args[i]]);
    return bytes;
}

/* When the worker came to a task, if that is observed. */
static inline uint64_t now_of(rk_worker *worker)
{
    return !worker->run->observed ? 0 : worker->mark_ns ? worker->mark_ns : rk_stopwatch_now(&worker->watch);
}

/* Others make tasks ready, too, by clocks that lag a little: no worker came to a task before it was. */
static inline void come_no_sooner(rask_task_info *info)
{
    uint64_t came_ns = info->start_ns - info->waited_ns;
    came_ns = came_ns > info->ready_ns ? came_ns : info->ready_ns;
    info->start_ns = info->start_ns > came_ns ? info->start_ns : came_ns;
    info->waited_ns = info->start_ns - came_ns;
}

/* came_ns: when the worker came to the door with it. Where nobody asks for the start, the time at which the task became ready is
 * loaded here and looked at when it has returned: tasks beside it became ready for other workers, whose line of memory that
 * is, and it comes while the function runs. */
static void tell_start(rk_worker *worker, uint32_t number, const rask_task *task, const rk_pass *pass,
                       uint64_t came_ns, rask_task_info *info)
{
    rk_run *run = worker->run;
    describe_in(worker, number, info);
    info->start_ns = came_ns;
    if (pass && pass->inside) {
        uint64_t now = rk_stopwatch_now(&worker->watch);
        info->start_ns = now > came_ns ? now : came_ns;
    }
    info->waited_ns = info->start_ns - came_ns;
    info->bytes_in = size_of_arguments(run, task);
    if (run->tells_started) {
        come_no_sooner(info);
        RK_NOTIFY(run, task_started, info);
    }
}

/* The function has returned. */
static void note_end(rk_worker *worker, const rask_task *task, int status, rask_task_info *info)
{
    uint64_t now = rk_stopwatch_now(&worker->watch);
    come_no_sooner(info);
    info->end_ns = now > info->start_ns ? now : info->start_ns;
    info->attempt = task->attempt;
    info->bytes = status ? 0 : size_of(&task->result);
    worker->mark_ns = info->end_ns;
}

static void note_memory(const rk_run *run, rask_task_info *info)
{
    info->live_bytes = rk_store_used(run->store);
    info->spilled_bytes = rk_store_on_disk(run->store);
}

/* Letting go of results and keeping them takes time: the next task is not charged with it. */
static void tell_end(rk_worker *worker, int status, rask_task_info *info)
{
    rk_run *run = worker->run;
    info->status = status;
    info->message = status ? worker->message : NULL;
    note_memory(run, info);
    if (info->bytes | info->bytes_in | info->live_bytes)
        rk_worker_pause(worker);
    RK_NOTIFY(run, task_finished, info);
}

/* It failed, and its worker leaves it until its next call: it is ready from when that is due on. */
static void tell_rest(rk_worker *worker, const rask_task *task, int status, rask_task_info *info)
{
    note_end(worker, task, status, info);
    info->status = status;
    info->message = worker->message;
    note_memory(worker->run, info);
    rk_run_rested(worker->run, info);
    if (worker->run->ready_ns) /* not of workers that are processes: the program has it */
        worker->run->ready_ns[info->task] = worker->due_ns;
    rk_worker_pause(worker);
}

/* It has returned a node, and its worker leaves it until that has a result: whoever puts it off tells of it. */
static void note_put_off(rk_put_off *p, const rk_run *run, rask_task_info *info)
{
    if (p->left_ns && p->left_ns < info->end_ns)
        info->end_ns = p->left_ns > info->start_ns ? p->left_ns : info->start_ns;
    note_memory(run, info);
    p->info = *info;
}

/* It is with this worker now, who does no more than take the result. */
static void tell_return(rk_worker *worker, rask_task_info *info)
{
    info->worker = worker->id;
    info->lane = worker->lane;
    info->start_ns = info->ready_ns = rk_stopwatch_now(&worker->watch);
    info->end_ns = info->waited_ns = 0;
    if (worker->run->tells_started)
        RK_NOTIFY(worker->run, task_started, info);
}

/* The task was let in, or why not; or it passes no door (NULL). */
static void run_admitted(rk_worker *worker, uint32_t number, rask_task *task, rk_pass *pass, int status,
                         uint64_t came_ns)
{
    rk_run *run = worker->run;
    rask_task_info info;
    const bool observed = run->observed;
    uint32_t special = run->plan->def[number] & (RK_TASK_CHECK | RK_TASK_EXTRA);
    if (observed)
        tell_start(worker, number, task, pass, came_ns, &info);
    if (!status)
        status = call_in_some_way(worker, number, task, special);
    if (worker->due_ns) {
        if (pass)
            rk_store_leave(run->store, pass);
        if (observed)
            tell_rest(worker, task, status, &info);
        return;
    }
    if (observed)
        note_end(worker, task, status, &info);
    if (pass)
        rk_store_unpin(run->store, pass);
    release_arguments(run, task->args, task->args + task->nargs);
    status = settle(worker, number, task, pass, status);
    if (pass)
        rk_store_leave(run->store, pass);
    if (observed && status == RK_PUT_OFF)
        note_put_off(worker->put_off, run, &info);
    else if (observed)
        tell_end(worker, status, &info);
}

/* The way of tasks that may hold much, or take what does. Releases the arguments. */
static void run_by_the_door(rk_worker *worker, uint32_t number, rask_task *task)
{
    rk_run *run = worker->run;
    rk_pass pass = rk_budget_ask(run, number, task->args, task->nargs, worker);
    uint64_t came_ns = now_of(worker);
    task->status = RASK_OK;
    int status = rk_store_enter(run->store, &pass, worker->message, sizeof worker->message);
    if (status == RASK_ECANCELLED && rk_load_relaxed(&run->env.stop)) {
        skip(worker, number);
        release_arguments(run, task->args, task->args + task->nargs);
    } else {
        run_admitted(worker, number, task, &pass, status, came_ns);
    }
}

/* The task may hold much or take what does, for all that can be told without looking closer. */
static inline bool needs_door(const rk_run *run, uint32_t number, uint32_t special)
{
    uint64_t estimate = rk_load_relaxed(&run->estimates[run->plan->def[number] & RK_TASK_DEF_MASK]);
    return estimate >= rk_store_threshold(run->store) || special & RK_TASK_EXTRA ||
           rk_store_has_managed(run->store);
}

/* attempt: that it has come to. worker->due_ns: it has come to nothing yet. */
static inline void run_task(rk_worker *worker, uint32_t number, rask_task *task, uint32_t attempt)
{
    rk_run *run = worker->run;
    const rask_plan *plan = run->plan;
    const uint32_t *words = plan->args + plan->arg_start[number],
                   *end = plan->args + plan->arg_start[number + 1];
    uint32_t special = plan->def[number] & (RK_TASK_CHECK | RK_TASK_EXTRA);
    task->def = rk_plan_def(plan, number);
    task->args = words;
    task->nargs = special ? rk_plan_nargs(plan, number) : (uint32_t)(end - words);
    task->attempt = attempt || !(special & RK_TASK_EXTRA) ? attempt : rk_run_extra(run, number)->attempt;
    if (must_skip(run, words, end)) {
        skip(worker, number);
    } else if (__builtin_expect(needs_door(run, number, special), 0)) {
        run_by_the_door(worker, number, task);
        return;
    } else if (__builtin_expect(run->observed, 0)) {
        run_admitted(worker, number, task, NULL, RASK_OK, now_of(worker));
        return;
    } else {
        int status = call_in_some_way(worker, number, task, special);
        if (__builtin_expect(status != RASK_OK, 0) && worker->due_ns)
            return;
        settle(worker, number, task, NULL, status);
    }
    release_arguments(run, words, words + task->nargs);
}

int rk_run_call_again(rk_worker *worker, uint32_t task, rask_value *result, char *message)
{
    const rask_plan *plan = worker->run->plan;
    rask_task again = {.env = &worker->run->env, .worker = worker->id, .message = worker->message};
    again.def = rk_plan_def(plan, task);
    again.args = plan->args + plan->arg_start[task];
    again.nargs = rk_plan_nargs(plan, task);
    rk_call_terms terms = terms_of(worker->run, task);
    int status = rk_call(&again, &worker->run->env, &terms, &worker->retries);
    status = finish_growth(worker, task, false, &again, status);
    if (status)
        memcpy(message, worker->message, RK_MAX_MESSAGE + 1);
    else
        *result = again.result;
    return status;
}

/* Member by member, as descriptions are: run_task() and rk_call_once() set the others. */
static inline void init_task(rask_task *task, rk_worker *worker)
{
    task->env = &worker->run->env;
    task->status = RASK_OK;
    task->result = rask_value_none();
    task->deadline_ns = 0;
    task->worker = worker->id;
    task->told_to_stop = task->takes_nodes = false;
    task->message = worker->message;
    task->graph = task->lent = NULL;
    task->spare = NULL;
    task->grown = NULL;
}

/* It rests no more: the attempt that its first task has come to. */
static uint32_t take_tries(rk_run *run, uint32_t unit)
{
    uint32_t tries = run->tries ? run->tries[unit] : 0;
    if (tries)
        run->tries[unit] = 0;
    return tries;
}

/* And is counted. */
static uint32_t resume(rk_worker *worker, uint32_t unit)
{
    uint32_t tries = take_tries(worker->run, unit);
    worker->retries += tries && !rk_load_relaxed(&worker->run->env.stop);
    return tries;
}

/* From task number on, which has come to this attempt: until one is put off, or the first rests. */
static uint64_t run_on(rk_worker *worker, uint32_t unit, uint32_t number, uint32_t attempt, rask_task *task)
{
    rk_run *run = worker->run;
    const rask_plan *plan = run->plan;
    uint32_t first = plan->unit_start[unit];
    for (; number < plan->unit_start[unit + 1] && !worker->put_off; number++, attempt = 0) {
        worker->may_rest = number == first;
        run_task(worker, number, task, attempt);
        uint64_t due_ns = worker->due_ns;
        if (!due_ns)
            continue;
        worker->due_ns = 0;
        run->tries[unit] = task->attempt + 1;
        return due_ns;
    }
    return 0;
}

uint64_t rk_run_unit(rk_worker *worker, uint32_t unit)
{
    rk_run *run = worker->run;
    const rask_plan *plan = run->plan;
    rask_task task;
    init_task(&task, worker);
    if (__builtin_expect(run->tries != NULL, 0))
        return run_on(worker, unit, plan->unit_start[unit], resume(worker, unit), &task);
    for (uint32_t number = plan->unit_start[unit]; number < plan->unit_start[unit + 1]; number++) {
        run_task(worker, number, &task, 0);
        if (__builtin_expect(worker->put_off != NULL, 0))
            break;
    }
    return 0;
}

uint64_t rk_run_unit_from(rk_worker *worker, uint32_t unit, uint32_t first)
{
    rask_task task;
    init_task(&task, worker);
    worker->put_off = NULL;
    return run_on(worker, unit, first, resume(worker, unit), &task);
}

uint64_t rk_run_unit_apart(rk_worker *worker, uint32_t unit, uint32_t first, uint32_t *tries)
{
    rask_task task;
    init_task(&task, worker);
    worker->put_off = NULL;
    uint64_t due_ns = run_on(worker, unit, first, *tries, &task);
    if (!due_ns)
        return 0;
    *tries = take_tries(worker->run, unit);
    uint64_t now = rk_clock_now();
    return due_ns > now ? due_ns - now : 1;
}

void rk_run_settle(rk_worker *worker, uint32_t task, int status, const rask_value *result,
                   rask_task_info *info)
{
    rask_task returned = {.result = *result, .attempt = info->attempt};
    if (worker->run->observed) {
        tell_return(worker, info);
        note_end(worker, &returned, status, info);
    }
    status = settle(worker, task, &returned, NULL, status);
    if (worker->run->observed)
        tell_end(worker, status, info);
}

/* Targets may name the same result more than once, and constants. */
static void hand_out(rk_run *run, rask_value *results)
{
    const rask_plan *plan = run->plan;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const rask_value *value = rk_env_value(&run->env, plan->targets[i]);
        rk_store_hand_out(run->store, value);
        results[i] = rask_value_ref(value);
        results[i].reserved = 0;
    }
}

static uint32_t first_task(const uint32_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!(words[i] & RK_CONSTANT))
            return words[i];
    return 0;
}

void rk_run_refuse_targets(rk_run *run, uint64_t bytes, uint64_t budget)
{
    snprintf(run->reason, sizeof run->reason,
             "the %" PRIu32 " results that were asked for take %" PRIu64
             " bytes together, and the memory budget is %" PRIu64
             ": ask for fewer at once, or for more memory",
             run->plan->target_count, bytes, budget);
    rk_run_stop(run, RASK_EBUDGET);
}

/* The results asked for, all in memory: they are asked for like arguments. */
static int gather_targets(rk_run *run, rk_worker *worker, rk_pass *pass)
{
    const rask_plan *plan = run->plan;
    *pass = (rk_pass){.task = UINT32_MAX,
                      .words = plan->targets,
                      .count = plan->target_count,
                      .results = run->results,
                      .worker = worker};
    if (rk_load_relaxed(&run->env.stop) || rk_load_relaxed(&run->any_failed))
        return RASK_OK;
    int status = rk_store_enter(run->store, pass, worker->message, sizeof worker->message);
    if (status == RASK_EBUDGET && plan->target_count > 1 && pass->arguments > rk_store_budget(run->store))
        rk_run_refuse_targets(run, pass->arguments, rk_store_budget(run->store));
    else if (status)
        rk_run_fail(run, first_task(plan->targets, plan->target_count), status, worker->message);
    return status;
}

/* What targets still hold ends. Of a run that never began nothing is held. */
static void release_targets(rk_run *run)
{
    if (!run->finished)
        return;
    release_arguments(run, run->plan->targets, run->plan->targets + run->plan->target_count);
}

static void fill_report(rk_run *run)
{
    rask_report *report = run->options.report;
    if (!report)
        return;
    rk_store_figures store = run->is_elsewhere ? run->elsewhere : rk_store_get_figures(run->store);
    *report = (rask_report){.tasks = run->plan->tasks,
                            .finished = run->finished,
                            .failed = run->failed,
                            .skipped = run->skipped,
                            .retries = run->retries,
                            .stolen = run->stolen,
                            .peak_bytes = run->info.peak_bytes,
                            .live_bytes = store.live,
                            .seconds = (double)(run->info.end_ns - run->info.start_ns) / 1e9,
                            .workers = run->info.workers,
                            .spilled_bytes = store.spilled,
                            .read_back_bytes = store.read_back,
                            .dropped = store.dropped,
                            .remade = store.remade,
                            .peak_rss = rk_peak_rss()};
}

/* As observers are told: who begins anew did not fail. */
static int told_status(const rk_run *run, int status)
{
    bool for_now = status == RASK_ECANCELLED && !run->failure_count;
    return for_now && rk_cancelled_for_now(run->options.cancel) ? RASK_OK : status;
}

int rk_run_fini(rk_run *run, rask_plan *plan, rask_value *results)
{
    rk_worker worker;
    rk_pass pass;
    rk_growth_end(run);
    rk_worker_init(&worker, run, 0);
    gather_targets(run, &worker, &pass);
    int status = rk_run_outcome(run, plan);
    if (!status)
        hand_out(run, results);
    rk_store_leave(run->store, &pass);
    rk_worker_fini(&worker);
    release_targets(run);
    rk_store_finish(run->store);
    run->info.end_ns = rk_clock_now();
    run->info.status = told_status(run, status);
    run->info.peak_bytes = run->is_elsewhere ? run->elsewhere.peak : rk_store_peak(run->store);
    fill_report(run);
    RK_NOTIFY(run, run_ended, &run->info);
    rk_store_end(run->store);
    rk_free(run->ready_ns);
    rk_free(run->begun);
    rk_free(run->tries);
    rk_free(rk_load_relaxed(&run->next_tasks));
    plan->spare = run->memory;
    pthread_mutex_destroy(&run->lock);
    return status;
}
