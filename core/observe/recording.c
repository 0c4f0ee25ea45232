/* A recording: an observer that keeps what it is told of one run. Every task of the plan writes its own place, and all
 * callbacks of one task come in order, so no lock is needed, but for what tasks grow: sums by task and name, in a list
 * for each task. */
#include "core/base/alloc.h"
#include "core/base/array.h"
#include "core/base/atomic.h"

#include <pthread.h>
#include <rask/observe.h>
#include <string.h>

typedef struct growth {
    rask_grown sum;
    uint32_t next; /* one more than the place of the task's next; 0: there is none */
} growth;

struct rask_recording {
    rask_observer observer;
    rask_task_info *tasks; /* NULL: no memory, or no run yet */
    rask_run_info run;
    rk_atomic_u64 current; /* the run that is recorded; 0: none */

    pthread_mutex_t lock; /* of what follows */
    rk_array grown;       /* growth */
    uint32_t *first;      /* by task: as next; NULL: nothing grew, or no memory */
};

static void forget(rask_recording *recording)
{
    rk_free(recording->tasks);
    rk_free(recording->first);
    recording->tasks = NULL;
    recording->first = NULL;
    recording->grown.count = 0;
}

static void plan_made(void *context, const rask_run_info *run)
{
    rask_recording *recording = context;
    uint64_t none = 0;
    if (!rk_cas_acq_rel(&recording->current, &none, run->run))
        return; /* another goes on */
    forget(recording);
    recording->tasks = rk_calloc(run->tasks, sizeof *recording->tasks);
    recording->run = *run;
}

/* Under the lock: the sum that a grown task belongs to; NULL: no memory. */
static rask_grown *sum_of(rask_recording *recording, const rask_task_info *task)
{
    if (!recording->first && !(recording->first = rk_calloc(recording->run.tasks, sizeof(uint32_t))))
        return NULL;
    for (uint32_t at = recording->first[task->grown_by]; at;) {
        growth *g = (growth *)recording->grown.data + at - 1;
        if (!strcmp(g->sum.name, task->name))
            return &g->sum;
        at = g->next;
    }
    growth *last = rk_array_push(&recording->grown);
    if (!last)
        return NULL;
    *last = (growth){{.name = task->name}, recording->first[task->grown_by]};
    recording->first[task->grown_by] = (uint32_t)recording->grown.count;
    return &last->sum;
}

static void add_grown(rask_recording *recording, const rask_task_info *task)
{
    pthread_mutex_lock(&recording->lock);
    rask_grown *sum = sum_of(recording, task);
    if (sum) {
        sum->count++;
        sum->nanoseconds += task->end_ns - task->start_ns;
    }
    pthread_mutex_unlock(&recording->lock);
}

static void task_finished(void *context, const rask_task_info *task)
{
    rask_recording *recording = context;
    if (rk_load_acquire(&recording->current) != task->run)
        return;
    if (recording->tasks && task->task < recording->run.tasks)
        recording->tasks[task->task] = *task;
    else if (task->task == RASK_NO_TASK && task->grown_by < recording->run.tasks)
        add_grown(recording, task);
}

static void run_ended(void *context, const rask_run_info *run)
{
    rask_recording *recording = context;
    if (rk_load_acquire(&recording->current) != run->run)
        return;
    recording->run = *run;
    rk_store_release(&recording->current, (uint64_t)0);
}

rask_recording *rask_recording_new(void)
{
    rask_recording *recording = rk_calloc(1, sizeof *recording);
    if (!recording)
        return NULL;
    pthread_mutex_init(&recording->lock, NULL);
    recording->grown = (rk_array)RK_ARRAY(growth, UINT32_MAX - 1);
    recording->observer = (rask_observer){.size = sizeof(rask_observer),
                                          .context = recording,
                                          .plan_made = plan_made,
                                          .task_finished = task_finished,
                                          .run_ended = run_ended};
    return recording;
}

void rask_recording_free(rask_recording *recording)
{
    if (!recording)
        return;
    forget(recording);
    rk_array_fini(&recording->grown);
    pthread_mutex_destroy(&recording->lock);
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

uint32_t rask_recording_grown(const rask_recording *recording, uint32_t task, rask_grown *out,
                              uint32_t capacity)
{
    uint32_t count = 0;
    if (!recording || !recording->first || task >= recording->run.tasks)
        return 0;
    for (uint32_t at = recording->first[task]; at; count++) {
        const growth *g = (const growth *)recording->grown.data + at - 1;
        if (count < capacity)
            out[count] = g->sum;
        at = g->next;
    }
    return count;
}
