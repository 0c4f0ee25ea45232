/* A recording: an observer that keeps what it is told of one run. Every task writes its own place, and all
 * callbacks of one task come in order, so no lock is needed. */
#include "core/base/alloc.h"

#include <rask/observe.h>
#include <string.h>

struct rask_recording {
    rask_observer observer;
    rask_task_info *tasks; /* NULL: no memory, or no run yet */
    rask_run_info run;
};

static void plan_made(void *context, const rask_run_info *run)
{
    rask_recording *recording = context;
    rk_free(recording->tasks);
    recording->tasks = rk_calloc(run->tasks, sizeof *recording->tasks);
    recording->run = *run;
}

static void task_finished(void *context, const rask_task_info *task)
{
    rask_recording *recording = context;
    if (recording->tasks && task->task < recording->run.tasks)
        recording->tasks[task->task] = *task;
}

static void run_ended(void *context, const rask_run_info *run)
{
    ((rask_recording *)context)->run = *run;
}

rask_recording *rask_recording_new(void)
{
    rask_recording *recording = rk_calloc(1, sizeof *recording);
    if (recording)
        recording->observer = (rask_observer){.size = sizeof(rask_observer),
                                              .context = recording,
                                              .plan_made = plan_made,
                                              .task_finished = task_finished,
                                              .run_ended = run_ended};
    return recording;
}

void rask_recording_free(rask_recording *recording)
{
    if (recording)
        rk_free(recording->tasks);
    rk_free(recording);
}

const rask_observer *rask_recording_observer(rask_recording *recording)
{
    return recording ? &recording->observer : NULL;
}

const rask_task_info *rask_recording_tasks(const rask_recording *recording, uint32_t *count)
{
    *count = recording && recording->tasks ? recording->run.tasks : 0;
    return recording ? recording->tasks : NULL;
}

rask_run_info rask_recording_run(const rask_recording *recording)
{
    return recording ? recording->run : (rask_run_info){0};
}
