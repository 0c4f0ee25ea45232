/* schedulers/run: one execution of a plan: what all schedulers share.
 *
 * A scheduler decides who executes which unit when; this decides what executing means: arguments, calls,
 * retries, timeouts, failures, counting and releasing results, observers. Its rules:
 *   - A unit runs once all its predecessors have been released to it, and then exactly once.
 *   - A task's result is written before its unit is released to the successors, and each is released by one
 *     atomic decrement with acquire and release order, so a unit that runs sees the results of all before it.
 *   - After a failure (or cancel, or timeout) the graph is still walked to its end, but tasks are skipped
 *     instead of called: all of them, or with keep_going those that depend on a failed one. So every result is
 *     released by its last user however the run ends, and the end is always reached. */
#ifndef RASK_SCHEDULERS_RUN_H
#define RASK_SCHEDULERS_RUN_H

#include "core/base/stopwatch.h"
#include "core/plan/plan.h"
#include "core/store/store.h"
#include "core/task/task.h"

#include <assert.h>

typedef struct rk_failure {
    uint32_t task;
    int status;
    char *message; /* NULL when there was no memory for it */
} rk_failure;

typedef struct rk_worker rk_worker;

typedef struct rk_run {
    /* Read by all, hardly written. */
    rk_task_env env;
    const rask_plan *plan;
    rask_value
        *results; /* by task; reserved != 0 with no value: there is none, for the task failed or was skipped;
                          * with an object: the store manages it (core/store/store.h) */
    rk_atomic_u32 *join; /* by unit of all: predecessors yet to be released; schedulers may link units that
                          * are ready through it */
    rk_atomic_u32 *uses; /* by task: takers of its result yet to come; set when the result is an object */
    rk_atomic_u64 *estimates; /* by definition: bytes that a result takes, as hinted or learned; 0: few */
    uint64_t *ready_ns;       /* by task, when observed; else NULL */
    uint32_t *
        begun; /* by task: one more than the worker on which observers know it started elsewhere; NULL: none */
    rk_store *store;
    const struct rk_checkpoint *checkpoint; /* keeps results; NULL: nobody does */
    struct rk_limits *limits;               /* what its units take of what is counted; NULL: nothing */
    rask_options options;                   /* resolved: no field says "default" any more */
    const char *scheduler;
    uint32_t *
        tries; /* by unit: calls of its first task so far, while that rests; else 0. NULL: whoever runs a task
                      * waits with it for its next call */
    bool careful; /* clocks or seeds ask for more than a bare call */
    bool observed, tells_ready, tells_started;
    rask_run_info info;
    rk_atomic_u32 any_failed; /* some result is missing: look at arguments before a call */

    /* Failures, under lock: the first RASK_MAX_FAILURES in plan order, ascending; but the one that ended the run is the first. */
    pthread_mutex_t lock;
    rk_failure failures[RASK_MAX_FAILURES];
    uint32_t failure_count, failed;

    /* Sums of what the workers did; under lock. */
    uint64_t retries, stolen;
    uint32_t finished, skipped;
    void *memory; /* behind results, join, uses */

    /* What tasks grew (schedulers/growth.h); NULL: nothing. Its scheduler may want to know when there is some of it to run. */
    _Atomic(struct rk_executor *) growth;
    void (*wake)(void *context);
    void *wake_context;
    /* Where units pass a gate: one that was put off has passed it again, and goes on; or is over. Called from
     * threads that work for the run, as which the run's scheduler knows them, and which it waits for at its end: none else may. NULL: none
     * is put off. */
    void (*go_on)(void *context, uint32_t unit);
    void (*over)(void *context, uint32_t unit);
    /* Where units pass no gate: one that waits for what it has grown, of which some rests and nothing can be run now, is put off, if this
     * says so, with wake_context. NULL: it is not. */
    bool (*may_leave)(void *context, uint32_t worker, uint32_t unit);
    _Atomic(uint32_t *) next_tasks; /* by unit: of those that were put off; 0: its first */
    /* Whether *result, a node that this task returned, is run elsewhere: then the task is put off, in worker->put_off, and the unit goes
     * on wherever others say. NULL: never. */
    bool (*send_nodes)(rk_worker *worker, uint32_t task, rask_value *result);
    bool counted_elsewhere;           /* what its tasks take of what is counted: */
    const struct rk_permits *permits; /* who is asked (schedulers/futures/admission.h); NULL: nobody can be */

    /* Of schedulers that keep results elsewhere: what they held instead of the store, and why they gave up; set before
     * rk_run_fini(). */
    rk_store_figures elsewhere;
    bool is_elsewhere;
    char reason[RK_MAX_MESSAGE + 1]; /* "": nothing more is known */
} rk_run;

/* A worker's own part of a run. */
struct rk_worker {
    rk_run *run;
    uint32_t id;
    uint32_t finished, skipped;
    uint64_t retries, stolen;
    uint64_t due_ns;         /* when its task is to be called again, if it is to rest until then; else 0 */
    bool lane;               /* for tasks that wait, as observers are told */
    bool may_rest;           /* it is at the first task of a unit; where units may rest at all */
    rk_atomic_u64 *began_ns; /* where each call that may be timed tells when it began; NULL: nobody asks */
    uint64_t
        mark_ns; /* of a run that is observed: when its last task ended; 0: long ago, look at the clock */
    rk_stopwatch watch;         /* for the times of tasks that are told of */
    struct rk_put_off *put_off; /* the task that was run last (schedulers/growth.h); NULL: it was not */
    char message[RK_MAX_MESSAGE + 1];
};

#define RK_NO_UNIT UINT32_MAX

/* Estimate for I/O tasks of which none has returned yet. */
#define RK_NO_ESTIMATE UINT64_MAX

/* Every observer of a run, or of another structure with options, that asks for it is told. */
#define RK_NOTIFY(run, callback, what)                                                                       \
    for (size_t i_ = 0; i_ < (run)->options.observer_count; i_++) {                                          \
        const rask_observer *o_ = (run)->options.observers[i_];                                              \
        if (o_->callback)                                                                                    \
            o_->callback(o_->context, what);                                                                 \
    }

/* rask_run_info.run of another run of this process. */
uint64_t rk_run_next_number(void);

/* options are resolved. RASK_OK or RASK_ENOMEM. */
int rk_run_init(rk_run *run, rask_plan *plan, const rask_options *options, const char *scheduler);

/* After every worker has left, or when none ever came because the scheduler could not start it: gives the
 * results out, reports, and ends the run. The run's status. */
int rk_run_fini(rk_run *run, rask_plan *plan, rask_value *results);

/* A run's like in another process: the same plan and options, with a table and a store of its own that has no
 * budget, nobody who observes, and failures that end nothing. Cancelled by stop. It is executed unit by unit, in
 * any order that has the arguments in its table: whoever puts them there also takes results out. RASK_ENOMEM. */
int rk_run_init_apart(rk_run *apart, const rk_run *run, const rask_cancel_token *stop);
void rk_run_fini_apart(rk_run *apart);
/* Before its first unit: it is observed after all. observers: one, which outlives the run. */
void rk_run_observe_apart(rk_run *apart, const rask_observer *const *observers);
/* The failure of one of these tasks, which is the caller's from here on; false: there is none. */
bool rk_run_take_failure(rk_run *run, uint32_t first, uint32_t end, rk_failure *failure);

/* No task is to blame for it: the results that were asked for, which are several, have no room together. */
void rk_run_refuse_targets(rk_run *run, uint64_t bytes, uint64_t budget);

/* A task failed for good. */
void rk_run_fail(rk_run *run, uint32_t task, int status, const char *message);

/* A task as observers see it that nobody has started. */
rask_task_info rk_run_describe(const rk_run *run, uint32_t task);

/* What the run and its store know of each other (schedulers/budget.c). */

/* First estimates, from the definitions. */
void rk_budget_init_estimates(rk_run *run);
/* The run as its store sees it. */
rk_store_run rk_budget_store_run(rk_run *run);
/* What a task will hold, hinted or learned: bytes of its result (0: unknown, or nobody takes it), whether that is
 * certain, and bytes besides. */
typedef struct rk_task_needs {
    uint64_t result, scratch;
    bool sure;
} rk_task_needs;
rk_task_needs rk_budget_needs(const rk_run *run, uint32_t task);
/* What a task asks for at the door. */
rk_pass rk_budget_ask(const rk_run *run, uint32_t task, const uint32_t *words, uint32_t count,
                      rk_worker *worker);
/* The result of a task added so many bytes to the store. */
void rk_budget_learn(rk_run *run, uint32_t task, uint64_t bytes);
/* Nothing but constants goes into it, and it may be called again. */
bool rk_budget_is_source(const rk_run *run, uint32_t task);

/* Calls a task that was called before, for a result that the store dropped: RASK_OK, or a failure with its
 * message in message (RK_MAX_MESSAGE + 1 bytes). */
int rk_run_call_again(rk_worker *worker, uint32_t task, rask_value *result, char *message);

/* What only few nodes have; NULL when the task's has none. */
const rk_extra *rk_run_extra(const rk_run *run, uint32_t task);

/* The status of a run that is over, with its message in plan->error (schedulers/failure.c). */
int rk_run_outcome(rk_run *run, rask_plan *plan);

/* The scheduler could not start the run: no task will be called. */
void rk_run_abandon(rk_run *run, int status);

void rk_worker_init(rk_worker *worker, rk_run *run, uint32_t id);

/* Time passes that no task of the worker's is to be charged with. */
static inline void rk_worker_pause(rk_worker *worker)
{
    worker->mark_ns = 0;
}

/* Adds what the worker did to the run. */
void rk_worker_fini(rk_worker *worker);

/* Some task waits before it is called again. */
bool rk_run_backs_off(const rk_run *run);
/* Before any unit: units may rest, if tasks of the run are said to wait before they are called again, which are the first of
 * their units. RASK_ENOMEM. */
int rk_run_allow_rests(rk_run *run);

/* Executes the tasks of a unit: 0. Where units may rest: when the next call of one of them is due, and the unit is to be executed
 * again by any worker, from then on, or as soon as the run is to stop. */
uint64_t rk_run_unit(rk_worker *worker, uint32_t unit);
/* From this one on, as far as none is put off; of a unit that rested from where it did. */
uint64_t rk_run_unit_from(rk_worker *worker, uint32_t unit, uint32_t first);
/* The same where others say who goes on with units, and count retries. *tries: calls of its first task, so far. 0, or how long it has
 * to rest before it is executed again, wherever that is. */
uint64_t rk_run_unit_apart(rk_worker *worker, uint32_t unit, uint32_t first, uint32_t *tries);
/* A task that was put off has come to this; a failure's text is in worker->message. info: what observers are to be told. */
void rk_run_settle(rk_worker *worker, uint32_t task, int status, const rask_value *result,
                   rask_task_info *info);

/* Nanoseconds that a call of the task may take; 0: any number. */
uint64_t rk_run_timeout(const rk_run *run, uint32_t task);

/* How often the task is called again when it fails. */
uint32_t rk_run_retries(const rk_run *run, uint32_t task);

/* Nanoseconds before it is called again for the first time. */
uint64_t rk_run_backoff(const rk_run *run, uint32_t task);

/* True when the run was cancelled or is out of time, and stops it. */
bool rk_run_must_stop(rk_run *run);

/* Nothing new is called from now on; the first status counts. */
void rk_run_stop(rk_run *run, int status);

static inline bool rk_run_is_io(const rk_run *run, uint32_t unit)
{
    return run->plan->io_tasks && rk_plan_def(run->plan, run->plan->unit_start[unit])->flags & RASK_IO;
}

/* Counts one predecessor of unit down; true when it was the last. When only this one is left nobody else can
 * touch the counter, so that no exchange is needed. */
static inline bool rk_run_count_down(rk_run *run, uint32_t unit)
{
    assert(rk_load_relaxed(&run->join[unit]) > 0);
    return rk_load_acquire(&run->join[unit]) == 1 || rk_sub_acq_rel(&run->join[unit], 1) == 1;
}

/* Releases unit (finished) to one successor. The unit that became ready by it, joins passed through: a unit
 * with tasks, the end, or RK_NO_UNIT. */
static inline uint32_t rk_run_release(rk_run *run, uint32_t successor)
{
    const rask_plan *plan = run->plan;
    while (rk_run_count_down(run, successor)) {
        if (successor < plan->units || successor == plan->all_units - 1)
            return successor;
        successor = plan->succ[plan->succ_start[successor]];
    }
    return RK_NO_UNIT;
}

static inline bool rk_run_is_end(const rk_run *run, uint32_t unit)
{
    return unit == run->plan->all_units - 1;
}

#endif
