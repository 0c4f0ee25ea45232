/* rask run: workflows of shell commands. */
#include "flow.h"

#include "commands.h"
#include "flow_away.h"
#include "flow_command.h"
#include "flow_stand.h"
#include "flow_state.h"
#include "input.h"
#include "run.h"
#include "say.h"
#include "watch.h"

#include <cjson/cJSON.h>
#include <rask/plan.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

typedef struct flow_options {
    common_options common;
    const char *state, *simulate;
    bool spin;
    uint64_t retries;
    bool dry_run, again;
} flow_options;

static const option_row rows[] = {
    {.name = "dry-run",
     .letter = 'n',
     .kind = OPTION_FLAG,
     .offset = offsetof(flow_options, dry_run),
     .help = "only tell what would run, and what is done; with --draw in colours"},
    {.name = "again",
     .letter = 'a',
     .kind = OPTION_FLAG,
     .offset = offsetof(flow_options, again),
     .help = "run what is done, too"},
    {.name = "retries",
     .kind = OPTION_NUMBER,
     .offset = offsetof(flow_options, retries),
     .value = "N",
     .help = "run a command that fails so many times more",
     .most = 1000000},
    {.name = "state",
     .kind = OPTION_TEXT,
     .offset = offsetof(flow_options, state),
     .value = "DIR",
     .help = "folder for notes of what is done (default: FLOW.json.rask)"},
    {.name = "simulate",
     .kind = OPTION_TEXT,
     .offset = offsetof(flow_options, simulate),
     .value = "SCALE",
     .help = "run nothing: sleep as long as commands took, times SCALE"},
    {.name = "spin",
     .kind = OPTION_FLAG,
     .offset = offsetof(flow_options, spin),
     .help = "with --simulate: compute for that long instead"},
    COMMON_ROWS(flow_options),
};

/* What tasks need to know. One flow runs in a process, and worker processes have a copy. */
static struct {
    flow flow;
    flow_manner manner; /* outcomes are in memory that worker processes share; a task's own writes it */
} job;

/* -- A task: what came of it is noted, whatever it returns */

static int fail_for(rask_task *t, const char *what, const char *which)
{
    char message[400], tried[FLOW_ATTEMPTS];
    flow_command_say_attempts(t, tried);
    snprintf(message, sizeof message, "%s%s%.300s", tried, what, which ? which : "");
    return rask_fail(t, RASK_ENOENT, message);
}

static int run_command(rask_task *t, const flow_task *what)
{
    char out[FLOW_PATH], err[FLOW_PATH];
    if (job.manner.scale >= 0)
        return flow_command_simulate(t, what->seconds * job.manner.scale, job.manner.spins);
    flow_state_path(job.manner.folder, what, "out", out);
    flow_state_path(job.manner.folder, what, "err", err);
    return what->shell || what->arguments ? flow_command_run(t, what, NULL, out, err) : RASK_OK;
}

static int run_unless_done(rask_task *t, const flow_task *what, unsigned char *outcome)
{
    char key[FLOW_KEY];
    const char *which;
    if (!flow_state_key(what, job.manner.scale, key, &which))
        return fail_for(t, "no such input: ", which);
    if (!job.manner.again && flow_state_is_done(job.manner.folder, what, job.manner.scale, key)) {
        *outcome = FLOW_WAS_DONE;
        return RASK_OK;
    }
    int status = run_command(t, what);
    if (status)
        return status;
    if (!flow_state_set_done(job.manner.folder, what, job.manner.scale, key, &which))
        return which ? fail_for(t, "it did not make its output ", which)
                     : flow_command_not_noted(t, job.manner.folder);
    *outcome = FLOW_RAN;
    return RASK_OK;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run_task(rask_task *t)
{
    const flow_task *what = &job.flow.tasks[rask_arg_i64(t, 0)];
    unsigned char *outcome = &job.manner.outcomes[rask_arg_i64(t, 0)];
    double begun = now();
    *outcome = FLOW_BEGUN;
    int status = run_unless_done(t, what, outcome);
    if (status == RASK_ECANCELLED && !(what->timeout > 0 && now() - begun >= what->timeout))
        *outcome = FLOW_NOT_RUN; /* stopped with the run */
    return status ? status : rask_return_i64(t, 0);
}

/* -- What would run */

static bool has_changed(const bool *runs, const flow_task *t)
{
    for (uint32_t i = 0; i < t->before_count; i++)
        if (runs[t->before[i]])
            return true;
    return false;
}

/* On the line. */
static void put_text(const char *text)
{
    for (; *text; text++)
        putchar((unsigned char)*text < ' ' ? ' ' : *text);
}

/* As a shell would have it. */
static void put_argument(const char *text)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%^";
    if (*text && !text[strspn(text, plain)]) {
        put_text(text);
        return;
    }
    putchar('\'');
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\'", stdout);
        putchar((unsigned char)*text < ' ' ? ' ' : *text);
    }
    putchar('\'');
}

static void put_command(const flow_task *t)
{
    put_text(t->shell ? t->shell : "");
    for (const char **a = t->arguments; a && *a; a++) {
        if (a != t->arguments)
            putchar(' ');
        put_argument(*a);
    }
    putchar('\n');
}

static void tell_task(const flow_task *t, bool done, bool json)
{
    if (!json) {
        printf("%s\t%s\t", done ? "done" : "run", t->id);
        put_command(t);
        return;
    }
    cJSON *object = cJSON_CreateObject(), *arguments;
    cJSON_AddStringToObject(object, "task", t->id);
    cJSON_AddBoolToObject(object, "done", done);
    if (t->shell)
        cJSON_AddStringToObject(object, "command", t->shell);
    else if (t->arguments && (arguments = cJSON_AddArrayToObject(object, "command")))
        for (const char **a = t->arguments; *a; a++)
            cJSON_AddItemToArray(arguments, cJSON_CreateString(*a));
    else
        cJSON_AddNullToObject(object, "command");
    char *text = cJSON_PrintUnformatted(object);
    puts(text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(object);
}

/* A task behind one that would run is told as one that would, too, though that may come to the same outputs as before. */
static void tell_tasks(bool *runs, bool json)
{
    for (uint32_t i = 0; i < job.flow.count; i++) {
        const flow_task *t = &job.flow.tasks[job.flow.order[i]];
        char key[FLOW_KEY];
        const char *which;
        bool done = !job.manner.again && !has_changed(runs, t) &&
                    flow_state_key(t, job.manner.scale, key, &which) &&
                    flow_state_is_done(job.manner.folder, t, job.manner.scale, key);
        runs[job.flow.order[i]] = !done;
        tell_task(t, done, json);
    }
}

static int tell_plan(const tool_command *c, const flow_options *o, const char *path)
{
    char error[FLOW_ERROR];
    if (!watch_can(c->name, &o->common))
        return EXIT_FAILED;
    bool *runs = calloc(job.flow.count, sizeof *runs);
    if (!runs) {
        say_error(c->name, "%s", rask_status_text(RASK_ENOMEM));
        return EXIT_FAILED;
    }
    tell_tasks(runs, o->common.json);
    bool good = !o->common.draw || flow_stand_draw(&job.flow, path, runs, &o->common, error);
    if (!good)
        say_error(c->name, "%s%s", strncmp(error, "draw: ", 6) ? "" : "--", error);
    free(runs);
    int told = say_done(c->name);
    return good ? told : EXIT_FAILED;
}

/* -- The command */

/* What is done stays done, so this is also what there is to do. */
static void say_rest(const tool_command *c, const flow_options *o, const uint32_t counts[FLOW_OUTCOMES],
                     bool interrupted)
{
    char failed[32] = "";
    if (counts[FLOW_BEGUN])
        snprintf(failed, sizeof failed, "%u failed, ", counts[FLOW_BEGUN]);
    say_error(c->name, "%s%u of %u tasks done, %s%u not run%s", interrupted ? "interrupted: " : "",
              counts[FLOW_RAN] + counts[FLOW_WAS_DONE], job.flow.count, failed, counts[FLOW_NOT_RUN],
              !job.manner.folder ? ""
              : o->again         ? ": the same command without --again does what is left"
                                 : ": the same command does what is left");
}

/* Of a run that failed, too, and of one that was interrupted. */
static int tell_end(const tool_command *c, const flow_options *o, int outcome)
{
    uint32_t counts[FLOW_OUTCOMES] = {0};
    for (uint32_t i = 0; i < job.flow.count; i++)
        counts[job.manner.outcomes[i]]++;
    uint32_t done = counts[FLOW_RAN] + counts[FLOW_WAS_DONE];
    if (o->common.json)
        printf("{\"tasks\":%u,\"ran\":%u,\"done_before\":%u,\"failed\":%u,\"not_run\":%u}\n", job.flow.count,
               counts[FLOW_RAN], counts[FLOW_WAS_DONE], counts[FLOW_BEGUN], counts[FLOW_NOT_RUN]);
    else if (done == job.flow.count)
        printf("%u of %u tasks run, %u done before\n", counts[FLOW_RAN], job.flow.count,
               counts[FLOW_WAS_DONE]);
    if (done < job.flow.count && (outcome == EXIT_INTERRUPTED || counts[FLOW_NOT_RUN] < job.flow.count))
        say_rest(c, o, counts, outcome == EXIT_INTERRUPTED);
    int told = say_done(c->name);
    return outcome == EXIT_DONE ? told : outcome;
}

static const flow_stages own_stages = {.work = run_task, .arguments = "i"};

static bool is_away(const common_options *o)
{
    rask_options options = run_options(o), effective = RASK_OPTIONS_INIT;
    return !rask_options_effective(&options, &effective) && strcmp(effective.scheduler, "cluster") == 0;
}

static int run_built(const tool_command *c, const flow_options *o, rask_graph *graph, rask_value *values,
                     bool away)
{
    common_options common = o->common;
    if (away && !(common.observer = flow_away_observer())) {
        say_error(c->name, "%s", rask_status_text(RASK_ENOMEM));
        return EXIT_FAILED;
    }
    return run_targets(c->name, &common, graph, job.flow.nodes, job.flow.count, values);
}

static int run_flow(const tool_command *c, const flow_options *o, const char *path, rask_graph *graph)
{
    char error[FLOW_ERROR];
    rask_value *values = calloc(job.flow.count, sizeof *values);
    if (!graph || !values) {
        free(values);
        say_error(c->name, "%s", rask_status_text(RASK_ENOMEM));
        return EXIT_FAILED;
    }
    int outcome = EXIT_FAILED;
    bool away = is_away(&o->common);
    if (away && !flow_away_begin(&job.flow, &job.manner, error))
        say_error(c->name, "%s", error);
    else if (flow_build(&job.flow, graph, away ? &flow_away_stages : &own_stages, (uint32_t)o->retries, path,
                        error))
        outcome = run_built(c, o, graph, values, away);
    else
        say_error(c->name, "%s: %s", path, error);
    flow_away_end();
    free(values); /* none of which holds anything */
    return tell_end(c, o, outcome);
}

static int compute(const tool_command *c, const flow_options *o, const char *path)
{
    char error[FLOW_ERROR];
    if (job.manner.folder && !flow_state_open(job.manner.folder, error)) {
        say_error(c->name, "--state: %s", error);
        return EXIT_FAILED;
    }
    void *shared = mmap(NULL, job.flow.count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        say_error(c->name, "%s", rask_status_text(RASK_ENOMEM));
        return EXIT_FAILED;
    }
    job.manner.outcomes = shared;
    rask_graph *graph = rask_graph_new();
    int outcome = run_flow(c, o, path, graph);
    rask_graph_free(graph);
    munmap(shared, job.flow.count);
    return outcome;
}

static int read_and_run(const tool_command *c, const flow_options *o, const char *path)
{
    char error[FLOW_ERROR], folder[FLOW_PATH];
    size_t len;
    char *text = input_read(c->name, path, &len);
    if (!text)
        return EXIT_FAILED;
    bool good = flow_read(&job.flow, text, len, error);
    free(text);
    if (!good) {
        say_error(c->name, "%s: %s", input_name(path), error);
        return EXIT_FAILED;
    }
    snprintf(folder, sizeof folder, "%s.rask", strcmp(path, "-") ? path : "flow");
    job.manner.folder = o->state ? o->state : job.manner.scale < 0 ? folder : NULL;
    job.manner.again = o->again;
    int outcome = o->dry_run ? tell_plan(c, o, input_name(path)) : compute(c, o, input_name(path));
    flow_fini(&job.flow);
    return outcome;
}

/* Nothing runs, so there is nothing that they could tell of. */
static const char *without_run(const common_options *o)
{
    const char *colour = o->colour ? o->colour : "status";
    return o->trace                            ? "--trace"
           : o->profile                        ? "--profile"
           : o->page                           ? "--report"
           : o->dashboard || o->dashboard_open ? "--dashboard"
           : strcmp(colour, "status") && strcmp(colour, "name") && strcmp(colour, "order")
               ? "--draw-by with anything but status, name and order"
               : NULL;
}

static int run(const tool_command *c, int argc, char **argv)
{
    flow_options o = {.common.by_label = true};
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    if (argc - first != 1) {
        say_error(c->name,
                  argc == first ? "no workflow given; - is standard input" : "more than one workflow given");
        return EXIT_USAGE;
    }
    if (o.dry_run && without_run(&o.common)) {
        say_error(c->name, "%s: nothing runs with --dry-run", without_run(&o.common));
        return EXIT_USAGE;
    }
    job.manner.scale = -1;
    if (o.simulate && strcmp(o.simulate, "0") != 0 && !options_seconds(o.simulate, &job.manner.scale)) {
        say_error(c->name, "--simulate: not a number: \"%s\"", o.simulate);
        return EXIT_USAGE;
    }
    if (o.simulate && job.manner.scale < 0)
        job.manner.scale = 0;
    if (o.spin && !o.simulate) {
        say_error(c->name, "--spin says how --simulate SCALE is to pass the time, which is not given");
        return EXIT_USAGE;
    }
    job.manner.spins = o.spin;
    return read_and_run(c, &o, argv[first]);
}

const tool_command run_command_of_flows = {
    .name = "run",
    .summary = "workflows of shell commands, in parallel, what is done only once",
    .arguments = "[OPTION]… FLOW.json",
    .text =
        "Runs the commands of a workflow (docs/run.md, or WfFormat 1.4 and 1.5 of WfCommons), each after\n"
        "those that it needs. What is done, by the contents of its inputs and outputs, is not done again:\n"
        "an interrupted run goes on where it was. What commands print is in FLOW.json.rask.\n",
    .example = "rask run flow.json --workers 4 --keep-going --report flow.html\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
