/* What tasks of a run grow. */
#include "schedulers/growth.h"

#include "core/task/grow.h"
#include "schedulers/futures/executor.h"

#include <stdio.h>
#include <string.h>

/* Who has an executor has it as long as the run. */
static rk_executor *executor_of(const rk_run *run)
{
    return rk_load_acquire(&run->growth);
}

static rk_executor *get_executor(rk_run *run)
{
    rk_executor *executor = executor_of(run);
    if (executor)
        return executor;
    pthread_mutex_lock(&run->lock);
    executor = executor_of(run);
    if (!executor &&
        (executor = rk_executor_new(&run->options, run->options.workers, run->store, &run->env))) {
        executor->info = run->info;
        executor->wake = run->wake;
        executor->context = run->wake_context;
        rk_store_release(&run->growth, executor);
    }
    pthread_mutex_unlock(&run->lock);
    return executor;
}

static int fail(rk_worker *worker, int status, const char *message)
{
    snprintf(worker->message, sizeof worker->message, "%s", message);
    return status;
}

/* The place of a lane, or of a thread beyond the workers, is one of theirs: they share it. */
static int finish(rk_worker *worker, rk_executor *executor, rask_future *root, rask_value *result)
{
    rk_place before = rk_executor_sit((rk_place){executor, worker->id % executor->bench_count, worker->id});
    int status = rask_future_result(root, result);
    if (status)
        fail(worker, status, rask_future_error(root));
    rk_executor_sit(before);
    return status;
}

int rk_growth_finish(rk_worker *worker, uint32_t task, rask_value *result)
{
    if (worker->run->send_nodes && worker->run->send_nodes(worker, task, result))
        return RASK_OK;
    rk_executor *executor = get_executor(worker->run);
    rask_value node = *result;
    *result = rask_value_none();
    rk_queue ready = {NULL, NULL};
    rask_future *root = executor ? rk_executor_sow(executor, rk_grown_node(&node), &task, 0, &ready) : NULL;
    rk_executor_push_all(executor, &ready);
    rask_value_unref(&node);
    int status = root ? finish(worker, executor, root, result)
                      : fail(worker, RASK_ENOMEM, "no memory for the nodes that it returned");
    rask_future_unref(root);
    return status;
}

bool rk_growth_help(rk_run *run, uint32_t worker)
{
    rk_executor *executor = executor_of(run);
    if (!executor || !rk_executor_has_work(executor))
        return false;
    rk_place place = {executor, worker % executor->bench_count, worker}, before = rk_executor_sit(place);
    bool ran = rk_executor_run_one(executor, place.worker);
    rk_executor_sit(before);
    return ran;
}

bool rk_growth_has_work(const rk_run *run)
{
    const rk_executor *executor = executor_of(run);
    return executor && rk_executor_has_work(executor);
}

/* What is still queued has ended, and is let go of. */
void rk_growth_end(rk_run *run)
{
    rk_executor *executor = executor_of(run);
    if (!executor)
        return;
    rk_executor_close(executor);
    rk_place before = rk_executor_sit((rk_place){executor, 0, 0});
    rk_executor_drain(executor, 0);
    while (rk_executor_run_one(executor, 0)) {
    }
    rk_executor_sit(before);
    rk_meet_keep_none(&executor->meetings);
    rk_executor_unref(executor);
    rk_store_relaxed(&run->growth, NULL);
}
