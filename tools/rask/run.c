#include "run.h"

#include "interrupt.h"
#include "say.h"
#include "watch.h"

#include <rask/plan.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A message of the library, or the meaning of its code where it has none. */
static int say_failure(const char *command, const char *message, int code)
{
    say_error(command, "%s", message && *message ? message : rask_status_text(code));
    return EXIT_FAILED;
}

/* In one sentence: who needs the task says nothing of the memory that it takes. */
static int say_too_little(const char *command, const char *message)
{
    const char *chain = strstr(message, "; needed by ");
    say_error(command, "%.*s; --memory gives it more",
              (int)(chain ? (size_t)(chain - message) : strlen(message)), message);
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
    options.checkpoint = o->checkpoint;
    options.limits = o->limits;
    options.cluster = o->cluster;
    options.cluster_keys = options_keys(o->key_file, o->insecure);
    options.cluster_insecure = o->insecure;
    options.seed = o->seed;
    return options;
}

static void tell_report_json(const char *command, const rask_report *r)
{
    fprintf(stderr,
            "{\"command\":\"%s\",\"tasks\":%" PRIu32 ",\"finished\":%" PRIu32 ",\"failed\":%" PRIu32
            ",\"skipped\":%" PRIu32 ",\"retries\":%" PRIu64 ",\"workers\":%" PRIu32
            ",\"seconds\":%.6f,\"peak_bytes\":%" PRIu64 ",\"spilled_bytes\":%" PRIu64
            ",\"read_back_bytes\":%" PRIu64 ",\"peak_rss\":%" PRIu64 ",\"from_checkpoint\":%" PRIu32
            ",\"kept\":%" PRIu64 ",\"kept_bytes\":%" PRIu64 "}\n",
            command, r->tasks, r->finished, r->failed, r->skipped, r->retries, r->workers, r->seconds,
            r->peak_bytes, r->spilled_bytes, r->read_back_bytes, r->peak_rss, r->from_checkpoint, r->kept,
            r->kept_bytes);
}

static void tell_checkpoint(const char *command, const common_options *o, const rask_report *r)
{
    char kept[32];
    if (o->stats && !o->json && (r->from_checkpoint || r->kept))
        say_error(command, "checkpoint: %u results found, %llu kept, %s", r->from_checkpoint,
                  (unsigned long long)r->kept, say_size(r->kept_bytes, kept, sizeof kept));
    if (*r->checkpoint_note)
        say_error(command, "checkpoint %s: %s", o->checkpoint ? o->checkpoint : "", r->checkpoint_note);
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

int run_observed(const char *command, const common_options *o, run_work work, void *context)
{
    const char *message = NULL;
    rask_report report = {0};
    rask_options options = run_options(o);
    watch w;
    int status = RASK_OK;
    options.cancel = interrupt_begin();
    options.report = &report;
    bool watched = watch_begin(&w, command, o, &options);
    if (watched)
        status = work(context, &options, &message);
    int written = watch_end(&w);
    if (interrupt_end())
        return EXIT_INTERRUPTED;
    if (o->stats && report.tasks)
        (o->json ? tell_report_json : tell_report)(command, &report);
    tell_checkpoint(command, o, &report);
    if (status == RASK_EBUDGET && message && *message)
        return say_too_little(command, message);
    if (status)
        return say_failure(command, message, status);
    return watched ? written : w.misused ? EXIT_USAGE : EXIT_FAILED;
}

typedef struct plan_run {
    const char *command;
    bool by_label;
    rask_plan *plan;
    rask_value *results;
    char message[1300];
} plan_run;

static const char *message_of(const rask_failure *failure)
{
    return failure->message && *failure->message ? failure->message : rask_status_text(failure->status);
}

static void say_failure_of(const plan_run *run, const rask_failure *failure)
{
    if (run->by_label)
        say_error(run->command, "%.200s: %s", failure->label, message_of(failure));
    else
        say_error(run->command, "%s", message_of(failure));
}

static int work_plan(void *context, const rask_options *options, const char **message)
{
    plan_run *run = context;
    const rask_failure *failures;
    int status = rask_plan_run(run->plan, options, run->results);
    uint32_t count = rask_plan_failures(run->plan, &failures), last = options->keep_going ? count - 1 : 0;
    bool own = count && (run->by_label || (status != RASK_EBUDGET && status != RASK_EDIED));
    for (uint32_t i = 0; own && i < last; i++)
        say_failure_of(run, &failures[i]);
    *message = own ? failures[last].message : rask_plan_error(run->plan);
    if (!own || !run->by_label)
        return status;
    snprintf(run->message, sizeof run->message, "%.200s: %s", failures[last].label,
             message_of(&failures[last]));
    *message = run->message;
    return status;
}

/* Runs the plan with the observers that the options ask for. */
static int run_plan(const char *command, const common_options *o, rask_plan *plan, size_t count,
                    rask_value *results)
{
    plan_run run = {.command = command, .by_label = o->by_label, .plan = plan, .results = results};
    int outcome = run_observed(command, o, work_plan, &run);
    for (size_t i = 0; outcome == EXIT_INTERRUPTED && i < count; i++)
        rask_value_unref(&results[i]);
    return outcome;
}

int run_targets(const char *command, const common_options *o, rask_graph *graph, rask_node *const *targets,
                size_t count, rask_value *results)
{
    rask_plan *plan = NULL;
    for (size_t i = 0; i < count; i++)
        results[i] = rask_value_none();
    if (count && targets[0] && !watch_can(command, o))
        return EXIT_FAILED;
    int status = rask_plan_new(targets, count, &plan);
    if (status) {
        rask_plan_free(plan);
        return say_failure(command, graph ? rask_graph_error(graph) : "", status);
    }
    if (o->explain)
        explain(plan, (uint32_t)o->workers);
    int outcome = run_plan(command, o, plan, count, results);
    rask_plan_free(plan);
    return outcome;
}

int run_graph(const char *command, const common_options *o, rask_graph *graph, rask_node *target,
              rask_value *result)
{
    return run_targets(command, o, graph, &target, 1, result);
}
