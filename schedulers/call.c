/* Calling a task's function. */
#include "schedulers/call.h"

#include "core/base/clock.h"

#include <string.h>
#include <xxhash.h>

enum { LOOK_NS = 5000000 }; /* while it waits for a task's next attempt */

bool rk_env_is_over(rk_task_env *env)
{
    if (rask_cancelled(rk_load_acquire(&env->cancel)))
        rk_env_stop(env, RASK_ECANCELLED);
    else if (env->deadline_ns && rk_clock_now() >= env->deadline_ns)
        rk_env_stop(env, RASK_ETIMEDOUT);
    else if (env->outer && rk_load_relaxed(&env->outer->stop))
        rk_env_stop(env, (int)rk_load_relaxed(&env->outer->stop));
    else
        return false;
    return true;
}

int rk_call_judge(rask_task *task, int status)
{
    rask_value_unref(&task->result);
    if (task->told_to_stop)
        return task->status = RASK_ECANCELLED;
    if (task->status)
        return task->status;
    if (!strcmp(rask_status_name(status), "RASK_E?"))
        return rk_task_fail(task, RASK_ETASK, "returned %d, which is no status", status);
    return rk_task_fail(task, status, "returned %s (%s)", rask_status_name(status), rask_status_text(status));
}

static uint64_t draw(const rk_call_terms *terms, uint32_t attempt, uint64_t what)
{
    uint64_t words[4] = {terms->seed, terms->number, attempt, what};
    return XXH3_64bits(words, sizeof words);
}

/* With a seed: a failure in place of the call, or a pause before it. */
static int inject(rask_task *task, const rk_call_terms *terms)
{
    uint64_t pause = draw(terms, task->attempt, 1);
    if (pause % 1000000 < terms->delays)
        rk_clock_sleep((pause >> 32) % 100000);
    if (draw(terms, task->attempt, 2) % 1000000 < terms->failures)
        return rk_task_fail(task, RASK_ETASK, "injected failure");
    return RASK_OK;
}

static void forget_result(rask_task *task)
{
    rask_value_unref(&task->result);
    rask_graph_free(task->grown ? task->grown->graph : NULL);
    task->grown = NULL;
    task->status = RASK_OK;
}

static int fail_late(rask_task *task, uint64_t limit_ns)
{
    double seconds = (double)limit_ns / 1e9;
    if (!task->attempt)
        return rk_task_fail(task, RASK_ETIMEDOUT, "took longer than its %g seconds", seconds);
    return rk_task_fail(task, RASK_ETIMEDOUT, "tried %u times, the last: took longer than its %g seconds",
                        task->attempt + 1, seconds);
}

static int call_in_time(rask_task *task, rk_task_env *env, uint64_t limit_ns)
{
    task->deadline_ns = limit_ns ? rk_clock_now() + limit_ns : 0;
    int status = rk_call_once(task);
    bool gave_up = status == RASK_ECANCELLED && (rk_load_relaxed(&env->stop) || rk_env_must_stop(env));
    if (limit_ns && rk_clock_now() >= task->deadline_ns && !gave_up) {
        forget_result(task);
        status = fail_late(task, limit_ns);
    }
    task->deadline_ns = 0;
    return status;
}

static uint64_t longest_backoff(const rk_call_terms *terms, uint32_t attempt)
{
    uint64_t longest = terms->backoff_ns;
    for (; attempt && longest && longest < RK_MAX_BACKOFF_NS; attempt--)
        longest = 2 * longest < RK_MAX_BACKOFF_NS ? 2 * longest : RK_MAX_BACKOFF_NS;
    return longest;
}

uint64_t rk_call_backoff(const rk_call_terms *terms, uint32_t attempt)
{
    uint64_t longest = longest_backoff(terms, attempt);
    return longest ? longest - draw(terms, attempt, 3) % (longest / 2 + 1) : 0;
}

static void tell_begin(const rk_call_terms *terms)
{
    if (terms->began_ns)
        rk_store_relaxed(terms->began_ns, rk_clock_now());
}

/* Who cancels may be a signal handler, which wakes nobody: looks now and then. True: the time is over, and nothing else. */
static bool pause_for(rk_task_env *env, const rk_call_terms *terms, uint64_t ns)
{
    uint64_t begin = rk_clock_now(), passed = 0;
    while (!rk_load_relaxed(&env->stop) && !rk_env_must_stop(env)) {
        if (passed >= ns)
            return true;
        tell_begin(terms);
        rk_clock_sleep(ns - passed < LOOK_NS ? ns - passed : LOOK_NS);
        passed = rk_clock_now() - begin;
    }
    return false;
}

bool rk_call_is_repeated(rask_task *task, const rk_call_terms *terms, uint64_t *rest_ns)
{
    if (task->attempt >= terms->retries || rask_task_cancelled(task) ||
        !rk_def_would_retry(task->def, task->status, task->attempt))
        return false;
    *rest_ns = rk_call_backoff(terms, task->attempt);
    return true;
}

bool rk_call_wait_for_next(rask_task *task, rk_task_env *env, const rk_call_terms *terms, uint64_t *retries)
{
    uint64_t rest_ns;
    if (!rk_call_is_repeated(task, terms, &rest_ns) || !pause_for(env, terms, rest_ns))
        return false;
    task->attempt++;
    ++*retries;
    return true;
}

static int call_one(rask_task *task, rk_task_env *env, const rk_call_terms *terms)
{
    task->status = RASK_OK;
    task->result = rask_value_none();
    tell_begin(terms);
    int status = terms->seed ? inject(task, terms) : RASK_OK;
    if (!status && terms->check)
        status = rk_task_check(task);
    return status ? status : call_in_time(task, env, terms->limit_ns);
}

int rk_call(rask_task *task, rk_task_env *env, const rk_call_terms *terms, uint64_t *retries)
{
    for (;;) {
        int status = call_one(task, env, terms);
        if (!status || !rk_call_wait_for_next(task, env, terms, retries))
            return status;
    }
}

int rk_call_until_rest(rask_task *task, rk_task_env *env, const rk_call_terms *terms, uint64_t *retries,
                       uint64_t *rest_ns)
{
    *rest_ns = 0;
    for (;;) {
        int status = call_one(task, env, terms);
        if (!status || !rk_call_is_repeated(task, terms, rest_ns) || *rest_ns ||
            rk_load_relaxed(&env->stop) || rk_env_must_stop(env))
            return status;
        task->attempt++;
        ++*retries;
    }
}
