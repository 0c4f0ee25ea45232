#include "schedulers/told.h"

#include "core/base/alloc.h"
#include "core/base/clock.h"

#include <stddef.h>

/* Of callbacks that observers may be too old to have. */
#define NOTIFY_WHO_KNOWS(run, callback, what)                                                                \
    for (size_t i_ = 0; i_ < (run)->options.observer_count; i_++) {                                          \
        const rask_observer *o_ = (run)->options.observers[i_];                                              \
        bool knows_ = o_->size >= offsetof(rask_observer, callback) + sizeof o_->callback;                   \
        if (knows_ && o_->callback)                                                                          \
            o_->callback(o_->context, what);                                                                 \
    }

static void tell_ready(rk_run *run, uint32_t unit)
{
    const rask_plan *plan = run->plan;
    for (uint32_t number = plan->unit_start[unit]; number < plan->unit_start[unit + 1]; number++) {
        rask_task_info info = rk_run_describe(run, number);
        RK_NOTIFY(run, task_ready, &info);
    }
}

static inline void tell_ready_at(rk_run *run, uint64_t now, uint32_t unit)
{
    const rask_plan *plan = run->plan;
    for (uint32_t number = plan->unit_start[unit]; number < plan->unit_start[unit + 1]; number++)
        run->ready_ns[number] = now;
    if (run->tells_ready)
        tell_ready(run, unit);
}

void rk_run_ready(rk_run *run, const rk_worker *worker, uint32_t unit)
{
    tell_ready_at(run, worker && worker->mark_ns ? worker->mark_ns : rk_clock_now(), unit);
}

void rk_run_roots_ready(rk_run *run)
{
    uint64_t now = run->observed ? rk_clock_now() : 0;
    for (uint32_t i = 0; i < run->plan->root_count && run->observed; i++)
        tell_ready_at(run, now, run->plan->roots[i]);
}

void rk_run_rested(rk_run *run, const rask_task_info *info)
{
    NOTIFY_WHO_KNOWS(run, task_rested, info);
}

void rk_run_grown(rk_run *run, const rask_task_info *info, rk_grown_event event, bool begun)
{
    rask_task_info told = *info;
    told.run = run->info.run;
    if (!begun) {
        rask_task_info began = told;
        began.end_ns = began.bytes = 0;
        began.status = RASK_OK;
        began.message = NULL;
        RK_NOTIFY(run, task_started, &began);
    }
    if (event == RK_GROWN_RESTS)
        NOTIFY_WHO_KNOWS(run, task_rested, &told)
    else if (event == RK_GROWN_ENDED)
        RK_NOTIFY(run, task_finished, &told)
}

void rk_run_moved(rk_run *run, const rask_move_info *info)
{
    NOTIFY_WHO_KNOWS(run, result_moved, info);
}

void rk_run_worker_changed(rk_run *run, const rask_worker_info *info)
{
    rask_worker_info told = *info;
    told.run = run->info.run;
    NOTIFY_WHO_KNOWS(run, worker_changed, &told);
}

void rk_run_worker_refused(rk_run *run, const char *reason)
{
    const rask_worker_info told = {.run = run->info.run, .host = "", .reason = reason};
    NOTIFY_WHO_KNOWS(run, worker_refused, &told);
}

void rk_run_sent(rk_run *run, const rask_transfer_info *info)
{
    rask_transfer_info told = *info;
    told.run = run->info.run;
    NOTIFY_WHO_KNOWS(run, result_sent, &told);
}

static bool has_begun(const rk_run *run, uint32_t task, uint32_t worker)
{
    return run->begun && run->begun[task] == worker + 1;
}

void rk_run_begun(rk_run *run, uint32_t task, uint32_t worker, bool lane, uint64_t start_ns)
{
    if (!run->begun && !(run->begun = rk_calloc((size_t)run->plan->tasks + 1, sizeof *run->begun)))
        return;
    if (has_begun(run, task, worker))
        return;
    run->begun[task] = worker + 1;
    rask_task_info info = rk_run_describe(run, task);
    info.worker = worker;
    info.lane = lane;
    info.start_ns = start_ns;
    RK_NOTIFY(run, task_started, &info);
}

/* As observers of this run are told, who are told first that it started. */
static rask_task_info relay_start(rk_run *run, const rask_task_info *info)
{
    rask_task_info told = *info;
    told.ready_ns = run->ready_ns[info->task];
    told.run = run->info.run;
    if (info->worker != UINT32_MAX && !has_begun(run, info->task, info->worker)) {
        rask_task_info begun = told;
        begun.end_ns = begun.bytes = 0;
        begun.status = RASK_OK;
        begun.message = NULL;
        RK_NOTIFY(run, task_started, &begun);
    }
    return told;
}

void rk_run_relay(rk_run *run, const rask_task_info *info)
{
    const rask_task_info told = relay_start(run, info);
    RK_NOTIFY(run, task_finished, &told);
}

void rk_run_relay_rest(rk_run *run, const rask_task_info *info)
{
    const rask_task_info told = relay_start(run, info);
    if (has_begun(run, info->task, info->worker))
        run->begun[info->task] = 0;
    rk_run_rested(run, &told);
}

void rk_run_rest_until(rk_run *run, uint32_t unit, uint64_t now_ns, uint64_t rest_ns)
{
    if (run->ready_ns)
        run->ready_ns[run->plan->unit_start[unit]] = now_ns + rest_ns;
}
