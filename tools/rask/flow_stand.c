/* A picture by states is one of a recorded run. So there is one, in which each task is called and does nothing, and the recording is
 * told of those alone that are done. */
#include "flow_stand.h"

#include <rask/draw.h>
#include <rask/plan.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct stand {
    const bool *done; /* by node */
    uint32_t nodes;
    const common_options *options;
    const rask_observer *observer; /* of the recording */
    rask_recording *recording;
    int drawn;
    char *error;
} stand;

static int nothing(rask_task *task)
{
    return rask_return_none(task);
}

static void plan_made(void *context, const rask_run_info *run)
{
    const stand *s = context;
    s->observer->plan_made(s->observer->context, run);
}

static void task_finished(void *context, const rask_task_info *task)
{
    const stand *s = context;
    rask_task_info told = *task;
    told.start_ns = told.end_ns; /* how long nothing took is nobody's business */
    if (task->node < s->nodes && s->done[task->node])
        s->observer->task_finished(s->observer->context, &told);
}

/* The plan is there until then. */
static void run_ended(void *context, const rask_run_info *run)
{
    stand *s = context;
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    s->observer->run_ended(s->observer->context, run);
    options.colour = s->options->colour ? (rask_colour)options_find(options_colours, s->options->colour)
                                        : RASK_COLOUR_STATUS;
    options.recording = s->recording;
    s->drawn = rask_draw_plan(run->plan, s->options->draw, &options, s->error, FLOW_ERROR);
}

static bool run(stand *s, const flow *f)
{
    const rask_observer observer = {.size = sizeof observer,
                                    .context = s,
                                    .plan_made = plan_made,
                                    .task_finished = task_finished,
                                    .run_ended = run_ended},
                        *observers[] = {&observer};
    rask_options options = RASK_OPTIONS_INIT;
    options.scheduler = "serial";
    options.limits = s->options->limits;
    options.checkpoint = ""; /* whatever the environment says: nothing is computed */
    options.observers = observers;
    options.observer_count = 1;
    rask_value *values = calloc(f->count, sizeof *values);
    int status = values ? rask_compute_values(f->nodes, f->count, &options, values) : RASK_ENOMEM;
    free(values); /* none of which holds anything */
    if (!status)
        status = s->drawn;
    if (status && !*s->error)
        snprintf(s->error, FLOW_ERROR, "%s", rask_status_text(status));
    return !status;
}

/* By node; NULL: no memory. */
static bool *find_done(const flow *f, const bool *runs, uint32_t *nodes)
{
    *nodes = 0;
    for (uint32_t i = 0; i < f->count; i++)
        if (rask_node_id(f->nodes[i]) >= *nodes)
            *nodes = rask_node_id(f->nodes[i]) + 1;
    bool *done = calloc(*nodes, sizeof *done);
    for (uint32_t i = 0; done && i < f->count; i++)
        done[rask_node_id(f->nodes[i])] = !runs[i];
    return done;
}

bool flow_stand_draw(flow *f, const char *path, const bool *runs, const common_options *o,
                     char error[FLOW_ERROR])
{
    stand s = {.options = o, .recording = rask_recording_new(), .error = error};
    rask_graph *graph = rask_graph_new();
    bool *done = NULL, drawn = false;
    *error = 0;
    s.observer = rask_recording_observer(s.recording);
    if (!graph || !s.recording)
        snprintf(error, FLOW_ERROR, "%s", rask_status_text(RASK_ENOMEM));
    else if (flow_build(f, graph, &(flow_stages){.work = nothing, .arguments = "i"}, 0, path, error)) {
        s.done = done = find_done(f, runs, &s.nodes);
        drawn = done && run(&s, f);
        if (!done)
            snprintf(error, FLOW_ERROR, "%s", rask_status_text(RASK_ENOMEM));
    }
    free(done);
    rask_graph_free(graph);
    rask_recording_free(s.recording);
    return drawn;
}
