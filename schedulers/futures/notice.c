/* Observers are told of futures. */
#include "schedulers/futures/notice.h"

#include "core/base/clock.h"
#include "core/task/grow.h"
#include "schedulers/run.h"

#include <stddef.h>

void rk_notice_begin(rk_executor *e)
{
    if (!e->options.observer_count)
        return;
    e->info = (rask_run_info){.workers = e->bench_count,
                              .scheduler = e->options.scheduler,
                              .start_ns = rk_clock_now(),
                              .run = rk_run_next_number(),
                              .memory = e->options.memory};
    RK_NOTIFY(e, plan_made, &e->info);
}

void rk_notice_end(rk_executor *e)
{
    if (!e->info.run)
        return; /* it never began, or nobody observes */
    e->info.end_ns = rk_clock_now();
    e->info.peak_bytes = rk_store_peak(e->store);
    RK_NOTIFY(e, run_ended, &e->info);
}

static uint64_t size_of_arguments(const rask_future *future)
{
    uint64_t bytes = 0;
    const rk_edge *edges = rk_future_edges(future);
    for (uint32_t i = 0; i < future->edge_count; i++)
        if (edges[i].argument != UINT32_MAX)
            bytes += rask_value_size(&future->args[edges[i].argument]);
    return bytes;
}

void rk_notice_started(const rask_future *future, uint32_t worker, rask_task_info *info)
{
    const rk_executor *e = future->executor;
    *info = (rask_task_info){.task = RASK_NO_TASK,
                             .node = future->node,
                             .name = future->def->name,
                             .label = "",
                             .worker = worker,
                             .attempt = rk_load_relaxed(&future->pending),
                             .ready_ns = future->ready_ns,
                             .start_ns = rk_clock_now(),
                             .run = e->info.run,
                             .bytes_in = size_of_arguments(future),
                             .grown_by = future->origin,
                             .lane = rk_executor_place(e).lane};
    RK_NOTIFY(e, task_started, info);
}

static void note_end(const rk_executor *e, const rk_call_outcome *outcome, rask_task_info *info)
{
    info->end_ns = rk_clock_now();
    info->status = outcome->status;
    info->attempt = outcome->attempt;
    info->bytes = outcome->status ? 0 : rask_value_size(&outcome->result);
    info->live_bytes = rk_store_used(e->store);
    info->spilled_bytes = rk_store_on_disk(e->store);
}

void rk_notice_rested(const rask_future *future, const rk_call_outcome *outcome, rask_task_info *info)
{
    const rk_executor *e = future->executor;
    note_end(e, outcome, info);
    info->message = outcome->message;
    for (size_t i = 0; i < e->options.observer_count; i++) {
        const rask_observer *o = e->options.observers[i];
        if (o->size >= offsetof(rask_observer, task_rested) + sizeof o->task_rested && o->task_rested)
            o->task_rested(o->context, info);
    }
}

void rk_notice_finished(const rask_future *future, const rk_call_outcome *outcome, rask_task_info *info)
{
    const rk_executor *e = future->executor;
    note_end(e, outcome, info);
    info->message = outcome->status ? outcome->message : NULL;
    RK_NOTIFY(e, task_finished, info);
}

void rk_notice_moved(const rk_executor *e, const rk_store_move *move)
{
    if (rk_load_acquire(&e->closed))
        return; /* observers need not outlive the client */
    rask_move_info info = {.run = e->info.run,
                           .move = move->direction == RK_STORE_OUT ? RASK_MOVE_SPILLED : RASK_MOVE_READ_BACK,
                           .task = RASK_NO_TASK,
                           .status = move->status,
                           .start_ns = move->start_ns,
                           .end_ns = move->end_ns,
                           .bytes = move->bytes,
                           .live_bytes = rk_store_used(e->store),
                           .spilled_bytes = rk_store_on_disk(e->store)};
    for (size_t i = 0; i < e->options.observer_count; i++) {
        const rask_observer *o = e->options.observers[i];
        if (o->size >= offsetof(rask_observer, result_moved) + sizeof o->result_moved && o->result_moved)
            o->result_moved(o->context, &info);
    }
}
