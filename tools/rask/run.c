#include "run.h"

#include "interrupt.h"
#include "say.h"

#include <rask/draw.h>
#include <rask/plan.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

rask_options run_options(const common_options *o)
{
    rask_options options = RASK_OPTIONS_INIT;
    options.scheduler = o->scheduler;
    options.workers = (uint32_t)o->workers;
    options.worker_threads = (uint32_t)o->worker_threads;
    options.memory = o->memory;
    options.timeout = o->timeout;
    options.keep_going = o->keep_going;
    options.scratch = o->scratch;
    options.limits = o->limits;
    options.cluster = o->cluster;
    options.seed = o->seed;
    return options;
}

static void tell_report(const char *command, const rask_report *r)
{
    char peak[32], spilled[32], read_back[32], resident[32];
    say_error(command,
              "%u tasks on %u worker%s in %.3f s; at most %s held, %s written to disk, %s read back; "
              "process: at most %s",
              r->tasks, r->workers, r->workers == 1 ? "" : "s", r->seconds,
              say_size(r->peak_bytes, peak, sizeof peak), say_size(r->spilled_bytes, spilled, sizeof spilled),
              say_size(r->read_back_bytes, read_back, sizeof read_back),
              say_size(r->peak_rss, resident, sizeof resident));
}

int run_observed(const char *command, const common_options *o, rask_recording *recording, run_work work,
                 void *context)
{
    const rask_observer *observers[2];
    const char *message = NULL;
    rask_report report = {0};
    rask_options options = run_options(o);
    options.cancel = interrupt_begin();
    options.observers = observers;
    options.report = &report;
    char title[32];
    snprintf(title, sizeof title, "rask %s", command);
    rask_progress *progress = o->no_progress ? NULL : rask_progress_new(title, o->progress);
    if (progress)
        observers[options.observer_count++] = rask_progress_observer(progress);
    if (recording)
        observers[options.observer_count++] = rask_recording_observer(recording);
    int status = work(context, &options, &message);
    rask_progress_free(progress);
    if (interrupt_end())
        return EXIT_INTERRUPTED;
    if (o->report && report.tasks)
        tell_report(command, &report);
    return status ? say_failure(command, message, status) : EXIT_DONE;
}

typedef struct plan_run {
    const char *command;
    rask_plan *plan;
    rask_value *result;
} plan_run;

static int work_plan(void *context, const rask_options *options, const char **message)
{
    plan_run *run = context;
    const rask_failure *failures;
    int status = rask_plan_run(run->plan, options, run->result);
    uint32_t count = rask_plan_failures(run->plan, &failures), last = options->keep_going ? count - 1 : 0;
    bool own = count && status != RASK_EBUDGET && status != RASK_EDIED;
    for (uint32_t i = 0; own && i < last; i++)
        say_failure(run->command, failures[i].message, failures[i].status);
    *message = own ? failures[last].message : rask_plan_error(run->plan);
    return status;
}

/* Runs the plan with the observers that the options ask for. */
static int run_plan(const char *command, const common_options *o, rask_plan *plan, rask_recording *recording,
                    rask_value *result)
{
    plan_run run = {command, plan, result};
    int outcome = run_observed(command, o, recording, work_plan, &run);
    if (outcome == EXIT_INTERRUPTED)
        rask_value_unref(result);
    return outcome;
}

bool run_can_draw(const char *command, const char *path)
{
    if (!path)
        return true;
    const char *slash = strrchr(path, '/');
    size_t len = !slash || slash == path ? 1 : (size_t)(slash - path);
    char *folder = strndup(slash ? path : ".", len);
    bool can = folder && access(folder, W_OK | X_OK) == 0;
    if (!can)
        say_error(command, "--draw: %s: %s", path, strerror(errno));
    free(folder);
    return can;
}

int run_draw(const char *command, const char *path, rask_graph *graph, rask_node *target,
             const rask_recording *recording)
{
    rask_draw_options options = {.size = sizeof options,
                                 .colour = recording ? RASK_COLOUR_DURATION : RASK_COLOUR_NAME,
                                 .recording = recording};
    int status = rask_draw(target, path, &options);
    return status ? say_failure(command, rask_graph_error(graph), status) : EXIT_DONE;
}

int run_graph(const char *command, const common_options *o, rask_graph *graph, rask_node *target,
              rask_value *result)
{
    rask_plan *plan = NULL;
    rask_recording *recording = NULL;
    *result = rask_value_none();
    if (target && !run_can_draw(command, o->draw))
        return EXIT_FAILED;
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
        outcome = run_draw(command, o->draw, graph, target, recording);
    rask_recording_free(recording);
    rask_plan_free(plan);
    return outcome;
}
