/* schedulers/call: calling a task's function, whoever asks for its result: checks, time limits, retries. */
#ifndef RASK_SCHEDULERS_CALL_H
#define RASK_SCHEDULERS_CALL_H

#include "core/task/task.h"

/* What a call is given beside its arguments. */
typedef struct rk_call_terms {
    uint32_t
        retries; /* times it is called again after a failure, when the definition thinks it worth while */
    uint64_t backoff_ns; /* before it is called again, doubled each time: rk_call_backoff(); 0: at once */
    uint64_t limit_ns;   /* for each time; 0: any */
    bool check;          /* types of arguments first */
    rk_atomic_u64
        *began_ns; /* told when each call begins, and that it waits for the next; NULL: nobody asks */

    /* With a seed: failures in place of calls, and pauses before them, drawn by number and attempt; each so often in a
     * million. */
    uint64_t seed;
    uint32_t number, failures, delays;
} rk_call_terms;

/* Centuries are as long as it gets. */
static inline uint64_t rk_seconds_to_ns(double seconds)
{
    return seconds >= 9e9 ? (uint64_t)9e18 : seconds > 0 && seconds < 1e-9 ? 1 : (uint64_t)(seconds * 1e9);
}

/* Nothing new is called from now on; the first status counts. */
static inline void rk_env_stop(rk_task_env *env, int status)
{
    uint32_t going = RASK_OK;
    rk_cas_acq_rel(&env->stop, &going, (uint32_t)status);
}

/* True when what the task belongs to was cancelled or is out of time, and stops it. */
bool rk_env_is_over(rk_task_env *env);

static inline bool rk_env_must_stop(rk_task_env *env)
{
    return (rk_load_relaxed(&env->cancel) || env->deadline_ns || env->outer) && rk_env_is_over(env);
}

/* What a call is to be known by that failed with this status. */
int rk_call_judge(rask_task *task, int status);

/* One call, with its result in task->result on success. The task's status. */
static inline int rk_call_once(rask_task *task)
{
    task->status = RASK_OK;
    task->told_to_stop = false;
    task->result = rask_value_none();
    task->graph = NULL;
    task->grown = NULL;
    int status = task->def->call(task);
    bool failed = status | task->status | task->told_to_stop;
    if (__builtin_expect(task->graph != NULL, 0))
        failed |= rk_task_end_graph(task, failed) != RASK_OK;
    return __builtin_expect(failed, 0) ? rk_call_judge(task, status) : RASK_OK;
}

/* How long to wait between this attempt and the next: between half of the backoff, doubled as often, and the whole. */
uint64_t rk_call_backoff(const rk_call_terms *terms, uint32_t attempt);

/* The task failed: is it called again? *rest_ns: how long it has to wait before that; 0: not at all. */
bool rk_call_is_repeated(rask_task *task, const rk_call_terms *terms, uint64_t *rest_ns);

/* The task failed: waits as long as the terms say and goes to its next attempt, with *retries one more. False: it is not called
 * again, because it was called often enough, the failure is not worth it, or what it belongs to is over, which ends the wait,
 * too. */
bool rk_call_wait_for_next(rask_task *task, rk_task_env *env, const rk_call_terms *terms, uint64_t *retries);

/* Calls the task, beginning with task->attempt, as often as the terms allow; env is the task's. *retries: one more for
 * each time that it is called again. The status of the last call. */
int rk_call(rask_task *task, rk_task_env *env, const rk_call_terms *terms, uint64_t *retries);

/* The same, but where it would wait it returns: *rest_ns says how long it has to rest before it is called again, with
 * the next attempt, which is the caller's to do and to count; 0: this is its status. */
int rk_call_until_rest(rask_task *task, rk_task_env *env, const rk_call_terms *terms, uint64_t *retries,
                       uint64_t *rest_ns);

#endif
