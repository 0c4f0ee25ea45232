/* What went from process to process in a run, for the arrows of its trace: of each argument of each task, as the plan has them, who
 * made it and where. All are known when the run is over, and the plan is still there. */
#include "core/observe/trace.h"
#include "core/plan/plan.h"

#include <string.h>

/* Where a task ran last. */
typedef struct place {
    const rk_trace_task *task; /* NULL: it did not, or is not kept */
    uint32_t worker, group;
} place;

/* The first thread of the process that a worker, or a lane, is a thread of; itself where nobody told. */
static uint32_t group_of(const rask_trace *trace, uint32_t worker)
{
    const rask_worker_info *workers = trace->workers.data;
    for (size_t i = 0; i < trace->workers.count; i++)
        if (worker - workers[i].first < workers[i].numbers)
            return workers[i].first;
    return worker;
}

static void note_track(const rask_trace *trace, uint32_t worker, place *places, uint32_t tasks)
{
    const rk_trace_track *track = trace->tracks[worker];
    const rk_trace_chunk *chunk = track->run_chunk ? track->run_chunk : track->first;
    uint32_t at = track->run_chunk ? track->run_at : 0, group = group_of(trace, worker);
    for (; chunk; chunk = chunk->next, at = 0)
        for (; at < chunk->count; at++)
            if (chunk->tasks[at].task < tasks)
                places[chunk->tasks[at].task] = (place){&chunk->tasks[at], worker, group};
}

static void add_flow(rask_trace *trace, const place *made, const place *taken)
{
    uint64_t end = rk_trace_end(made->task);
    rk_trace_flow *flow = rk_array_push(&trace->flows);
    if (!flow) {
        trace->flows_dropped++;
        return;
    }
    *flow = (rk_trace_flow){.made_ns =
                                made->task->duration_ns ? end - 1 : end, /* what is at the end is outside */
                            .taken_ns = taken->task->start_ns,
                            .bytes = made->task->bytes_out,
                            .from = made->worker,
                            .to = taken->worker,
                            .task = made->task->task};
}

static void add_flows_to(rask_trace *trace, const rask_plan *plan, uint32_t task, const place *places)
{
    const uint32_t *words = plan->args + plan->arg_start[task];
    for (uint32_t i = 0; i < rk_plan_nargs(plan, task); i++) {
        const place *made = words[i] & RK_CONSTANT ? NULL : &places[words[i]];
        if (made && made->task && made->group != places[task].group &&
            made->task->bytes_out >= RK_TRACE_FLOW_BYTES)
            add_flow(trace, made, &places[task]);
    }
}

void rk_trace_add_flows(rask_trace *trace, const rask_run_info *run)
{
    const rask_plan *plan = run->plan;
    bool apart = !strcmp(run->scheduler, "processes") || !strcmp(run->scheduler, "cluster");
    place *places = apart && plan ? rk_calloc((size_t)plan->tasks + 1, sizeof *places) : NULL;
    if (!places)
        return;
    for (uint32_t i = 0; i < RK_TRACE_TRACKS; i++)
        if (trace->tracks[i])
            note_track(trace, i, places, plan->tasks);
    for (uint32_t task = 0; task < plan->tasks; task++)
        if (places[task].task)
            add_flows_to(trace, plan, task, places);
    rk_free(places);
}
