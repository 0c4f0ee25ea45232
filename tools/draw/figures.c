/* What a recording and a plan say of each box. */
#include "core/plan/plan.h"
#include "tools/draw/picture.h"

#include <string.h>

/* The box that a node is in; NULL when it is not drawn, as when the recording is of another graph. */
static rk_box *box_of_node(const rk_picture *picture, uint32_t node)
{
    const rk_sketch *sketch = picture->sketch;
    if (node >= sketch->nodes || sketch->item_of[node] == RK_NO_ITEM)
        return NULL;
    return &picture->boxes[picture->box_of[sketch->item_of[node]]];
}

static void add_task(rk_figures *figures, const rask_task_info *task)
{
    if (!task->end_ns || task->status == RASK_ECANCELLED)
        return;
    figures->finished++;
    figures->failed += task->status != RASK_OK;
    figures->bytes += task->bytes;
    if (task->end_ns > task->start_ns)
        figures->nanoseconds += task->end_ns - task->start_ns;
    bool same = figures->worker == RK_WORKER_NONE || figures->worker == task->worker;
    figures->worker = same ? task->worker : RK_WORKER_SEVERAL;
}

static void add_kind(rk_figures *figures, const rask_grown *kind)
{
    figures->grown += kind->count;
    for (int i = 0; i < RK_GROWN_KINDS; i++) {
        rask_grown *known = &figures->kinds[i];
        if (known->count && strcmp(known->name, kind->name) != 0)
            continue;
        known->name = kind->name;
        known->count += kind->count;
        return;
    }
}

enum { MOST_KINDS = 32 };

static void add_grown(rk_figures *figures, const rask_recording *recording, uint32_t task)
{
    rask_grown kinds[MOST_KINDS];
    uint32_t count = rask_recording_grown(recording, task, kinds, MOST_KINDS);
    for (uint32_t i = 0; i < count && i < MOST_KINDS; i++)
        add_kind(figures, &kinds[i]);
}

static void add_places(rk_picture *picture)
{
    const rk_sketch *sketch = picture->sketch;
    double last = sketch->plan->tasks > 1 ? sketch->plan->tasks - 1 : 1;
    for (uint32_t item = 0; item < sketch->count; item++) {
        if (sketch->task[item] == RK_NO_ITEM)
            continue;
        rk_figures *figures = &picture->boxes[picture->box_of[item]].figures;
        figures->ordered++;
        figures->place += sketch->task[item] / last;
    }
}

void rk_picture_figures(rk_picture *picture)
{
    for (uint32_t b = 0; b < picture->box_count; b++)
        picture->boxes[b].figures.worker = RK_WORKER_NONE;
    uint32_t count = 0;
    const rask_task_info *tasks = NULL;
    if (picture->options->recording)
        tasks = rask_recording_tasks(picture->options->recording, &count);
    for (uint32_t t = 0; t < count; t++) {
        rk_box *box = box_of_node(picture, tasks[t].node);
        if (!box)
            continue;
        add_task(&box->figures, &tasks[t]);
        add_grown(&box->figures, picture->options->recording, t);
    }
    if (picture->sketch->plan)
        add_places(picture);
}
