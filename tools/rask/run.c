#include "run.h"

#include "interrupt.h"
#include "say.h"

#include <rask/draw.h>
#include <rask/plan.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A message of the library, or the meaning of its code where it has none. */
static int say_failure(const char *command, const char *message, int code)
{
    say_error(command, "%s", message && *message ? message : rask_status_text(code));
    return EXIT_FAILED;
}

static void explain(const rask_plan *plan, uint32_t workers)
{
    size_t len = rask_plan_explain(plan, workers, NULL, 0);
    char *text = malloc(len + 1);
    if (text && rask_plan_explain(plan, workers, text, len + 1))
        fprintf(stderr, "%s%s", text, len && text[len - 1] == '\n' ? "" : "\n");
    free(text);
}

/* Runs the plan with the observers that the options ask for. */
static int run_plan(const char *command, const common_options *o, rask_plan *plan, rask_recording *recording,
                    rask_value *result)
{
    const rask_observer *observers[2];
    rask_options options = RASK_OPTIONS_INIT;
    options.scheduler = o->scheduler;
    options.workers = (uint32_t)o->workers;
    options.memory = o->memory;
    options.seed = o->seed;
    options.cancel = interrupt_begin();
    options.observers = observers;
    char title[32];
    snprintf(title, sizeof title, "rask %s", command);
    rask_progress *progress = o->no_progress ? NULL : rask_progress_new(title, o->progress);
    if (progress)
        observers[options.observer_count++] = rask_progress_observer(progress);
    if (recording)
        observers[options.observer_count++] = rask_recording_observer(recording);
    int status = rask_plan_run(plan, &options, result);
    rask_progress_free(progress);
    if (interrupt_end()) {
        rask_value_unref(result);
        return EXIT_INTERRUPTED;
    }
    const rask_failure *failures;
    bool own = rask_plan_failures(plan, &failures) && status != RASK_EBUDGET;
    const char *message = own ? failures[0].message : rask_plan_error(plan);
    return status ? say_failure(command, message, status) : EXIT_DONE;
}

static int draw(const char *command, const char *path, rask_graph *graph, rask_node *target,
                const rask_recording *recording)
{
    rask_draw_options options = {
        .size = sizeof options, .colour = RASK_COLOUR_DURATION, .recording = recording};
    int status = rask_draw(target, path, &options);
    return status ? say_failure(command, rask_graph_error(graph), status) : EXIT_DONE;
}

int run_graph(const char *command, const common_options *o, rask_graph *graph, rask_node *target,
              rask_value *result)
{
    rask_plan *plan = NULL;
    rask_recording *recording = NULL;
    *result = rask_value_none();
    int status = rask_plan_new(&target, 1, &plan);
    if (!status && o->draw && !(recording = rask_recording_new()))
        status = RASK_ENOMEM;
    if (status) {
        rask_plan_free(plan);
        return say_failure(command, graph ? rask_graph_error(graph) : "", status);
    }
    if (o->explain)
        explain(plan, (uint32_t)o->workers);
    int outcome = run_plan(command, o, plan, recording, result);
    if (outcome == EXIT_DONE && o->draw)
        outcome = draw(command, o->draw, graph, target, recording);
    rask_recording_free(recording);
    rask_plan_free(plan);
    return outcome;
}
