/* Every shape runs in a child of its own, so that its peak of memory is its own and it meets a fresh heap.
 * The child measures and sends its figures through a pipe; the parent prints them. */
#include "commands.h"
#include "measure.h"
#include "say.h"
#include "shapes.h"

#include <rask/plan.h>
#include <rask/sugar.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPEAT_MAX = 1000, THREADS_MAX = 1024 };

typedef struct bench_options {
    const char *shape, *scheduler;
    uint64_t threads, tasks, repeat, seed;
    bool json;
} bench_options;

static const option_row rows[] = {
    {.name = "shape",
     .kind = OPTION_TEXT,
     .offset = offsetof(bench_options, shape),
     .value = "S",
     .help = "one of those above, or all (default)"},
    {.name = "threads",
     .kind = OPTION_NUMBER,
     .offset = offsetof(bench_options, threads),
     .value = "N",
     .help = "workers (default 2)",
     .least = 1,
     .most = THREADS_MAX},
    {.name = "tasks",
     .kind = OPTION_NUMBER,
     .offset = offsetof(bench_options, tasks),
     .value = "N",
     .help = "about so many (default 1000000)",
     .least = 1,
     .most = BENCH_SHAPE_TASKS_MAX},
    {.name = "repeat",
     .kind = OPTION_NUMBER,
     .offset = offsetof(bench_options, repeat),
     .value = "R",
     .help = "medians of R repeats (default 5)",
     .least = 1,
     .most = REPEAT_MAX},
    {.name = "seed",
     .kind = OPTION_NUMBER,
     .offset = offsetof(bench_options, seed),
     .value = "N",
     .help = "what layered is drawn from (default 1)"},
    {.name = "scheduler",
     .kind = OPTION_SCHEDULER,
     .offset = offsetof(bench_options, scheduler),
     .value = "NAME",
     .help = "who runs the tasks (default threads)"},
    {.name = "json", .kind = OPTION_FLAG, .offset = offsetof(bench_options, json), .help = "print JSON"},
};

enum step { STEP_TOTAL, STEP_BUILD, STEP_RUN, STEP_AGAIN, STEP_FREE, STEP_COUNT };

static const char *const step_names[] = {"total_ns", "build_ns", "run_ns", "again_ns", "free_ns"};

/* Of one shape, per task. */
typedef struct figures {
    uint32_t tasks;
    double ns[STEP_COUNT];
    double peak_bytes; /* below 0: the system does not tell */
} figures;

/* What one repeat makes. */
typedef struct round_state {
    rask_graph *graph;
    rask_node **nodes;
    rask_plan *plan;
    rask_value *results;
} round_state;

/* 1 plus the arguments, modulo 2^64. */
static int add(rask_task *task)
{
    uint64_t sum = 1;
    size_t count = rask_arg_count(task);
    for (size_t i = 0; i < count; i++)
        sum += (uint64_t)rask_arg_i64(task, i);
    return rask_return_i64(task, (int64_t)sum);
}
RASK_SLOTS(add);

/* Ends the child, which leaves what it inherited from its parent alone. */
static void die(const bench_shape *shape, const char *what)
{
    say_error("bench", "%s: %s", shape->name, what);
    _exit(EXIT_FAILED);
}

static rask_node *build_node(const bench_shape *shape, const round_state *r, uint32_t task, rask_node **args)
{
    uint32_t first = shape->pred_start[task], count = bench_shape_pred_count(shape, task);
    for (uint32_t i = 0; i < count; i++)
        args[i] = r->nodes[shape->pred[first + i]];
    return rask_call_nodes(r->graph, RASK_DEF(add), args, count);
}

static void build(const bench_shape *shape, const bench_sinks *sinks, rask_node **args, round_state *r)
{
    r->graph = rask_graph_new();
    r->nodes = malloc(shape->n * sizeof(rask_node *));
    rask_node **targets = malloc(sinks->count * sizeof(rask_node *));
    if (!r->graph || !r->nodes || !targets)
        die(shape, "out of memory");
    for (uint32_t task = 0; task < shape->n; task++)
        r->nodes[task] = build_node(shape, r, task, args);
    for (uint32_t i = 0; i < sinks->count; i++)
        targets[i] = r->nodes[sinks->task[i]];
    if (rask_plan_new(targets, sinks->count, &r->plan))
        die(shape, rask_graph_error(r->graph));
    free(targets);
}

static void run_plan(const bench_shape *shape, const bench_options *o, round_state *r)
{
    rask_options options = RASK_OPTIONS_INIT;
    options.scheduler = o->scheduler;
    options.workers = (uint32_t)o->threads;
    if (rask_plan_run(r->plan, &options, r->results))
        die(shape, rask_plan_error(r->plan));
}

/* Ends the results, too. */
static void verify(const bench_shape *shape, const bench_sinks *sinks, round_state *r)
{
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < sinks->count; i++) {
        int64_t value = 0;
        rask_value_get_i64(&r->results[i], &value);
        wrong += (uint64_t)value != sinks->value[i];
        rask_value_unref(&r->results[i]);
    }
    if (wrong)
        die(shape, "wrong results");
}

static void free_round(round_state *r)
{
    rask_plan_free(r->plan);
    rask_graph_free(r->graph);
    free(r->nodes);
}

static void measure_once(const bench_shape *shape, const bench_sinks *sinks, const bench_options *o,
                         rask_node **args, round_state *r, double *ns)
{
    double start = bench_now_ns();
    build(shape, sinks, args, r);
    double built = bench_now_ns();
    run_plan(shape, o, r);
    double ran = bench_now_ns();
    verify(shape, sinks, r);
    double again = bench_now_ns();
    run_plan(shape, o, r);
    double ran_again = bench_now_ns();
    verify(shape, sinks, r);
    double ending = bench_now_ns();
    free_round(r);
    double ended = bench_now_ns();
    ns[STEP_BUILD] = built - start;
    ns[STEP_RUN] = ran - built;
    ns[STEP_AGAIN] = ran_again - again;
    ns[STEP_FREE] = ended - ending;
    ns[STEP_TOTAL] = ns[STEP_BUILD] + ns[STEP_RUN] + ns[STEP_FREE];
}

/* The threads of a run are kept from one run to the next: started here, they are no part of the figures. */
static void start_threads(const bench_options *o)
{
    bench_shape shape;
    bench_sinks sinks;
    rask_node *args[8];
    rask_value results[8];
    round_state r = {.results = results};
    if (bench_shape_make("independent", 8, 1, &shape) || bench_shape_check(&shape, &sinks))
        _exit(EXIT_FAILED);
    build(&shape, &sinks, args, &r);
    run_plan(&shape, o, &r);
    verify(&shape, &sinks, &r);
    free_round(&r);
    bench_sinks_free(&sinks);
    bench_shape_free(&shape);
}

static figures measure(const bench_shape *shape, const bench_sinks *sinks, const bench_options *o)
{
    static double samples[STEP_COUNT][REPEAT_MAX];
    round_state r = {.results = calloc(sinks->count, sizeof(rask_value))};
    rask_node **args = calloc(shape->n, sizeof *args);
    figures out = {.tasks = shape->n, .peak_bytes = -1};
    if (!args || !r.results)
        die(shape, "out of memory");
    start_threads(o);
    double before = bench_memory_mark();
    for (uint64_t i = 0; i < o->repeat; i++) {
        double ns[STEP_COUNT];
        measure_once(shape, sinks, o, args, &r, ns);
        for (int step = 0; step < STEP_COUNT; step++)
            samples[step][i] = ns[step] / shape->n;
    }
    if (before >= 0)
        out.peak_bytes = (bench_memory_peak() - before) / shape->n;
    for (int step = 0; step < STEP_COUNT; step++)
        out.ns[step] = bench_median(samples[step], o->repeat);
    free(args);
    free(r.results);
    return out;
}

static void measure_and_send(const char *name, const bench_options *o, int pipe_end)
{
    bench_shape shape = {.name = name};
    bench_sinks sinks;
    if (bench_shape_make(name, (uint32_t)o->tasks, o->seed, &shape) || bench_shape_check(&shape, &sinks))
        die(&shape, "out of memory");
    figures f = measure(&shape, &sinks, o);
    bench_sinks_free(&sinks);
    bench_shape_free(&shape);
    _exit(write(pipe_end, &f, sizeof f) == sizeof f ? EXIT_DONE : EXIT_FAILED);
}

/* EXIT_DONE when the child sent its figures. */
static int measure_in_child(const char *name, const bench_options *o, figures *out)
{
    int ends[2], status = 0;
    if (pipe(ends) != 0) {
        say_error("bench", "%s: %s", name, strerror(errno));
        return EXIT_FAILED;
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        measure_and_send(name, o, ends[1]);
    }
    close(ends[1]);
    bool received = child > 0 && read(ends[0], out, sizeof *out) == sizeof *out;
    close(ends[0]);
    if (child < 0)
        say_error("bench", "%s: %s", name, strerror(errno));
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status))
        say_error("bench", "%s: ended by signal %d", name, WTERMSIG(status));
    return received && status == 0 ? EXIT_DONE : EXIT_FAILED;
}

static void print_line(const char *name, const bench_options *o, const figures *f)
{
    printf("rask\t%s\t%u\t%u", name, (unsigned)o->threads, f->tasks);
    for (int step = 0; step < STEP_COUNT; step++)
        printf("\t%.1f", f->ns[step]);
    if (f->peak_bytes < 0)
        printf("\t-\n");
    else
        printf("\t%.1f\n", f->peak_bytes);
}

static void add_json(cJSON *array, const char *name, const bench_options *o, const figures *f)
{
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "engine", "rask");
    cJSON_AddStringToObject(line, "shape", name);
    cJSON_AddNumberToObject(line, "threads", (double)o->threads);
    cJSON_AddNumberToObject(line, "tasks", f->tasks);
    for (int step = 0; step < STEP_COUNT; step++)
        cJSON_AddNumberToObject(line, step_names[step], f->ns[step]);
    if (f->peak_bytes >= 0)
        cJSON_AddNumberToObject(line, "peak_bytes_per_task", f->peak_bytes);
    cJSON_AddItemToArray(array, line);
}

static void print_json(cJSON *array)
{
    char *text = cJSON_PrintUnformatted(array);
    puts(text ? text : "[]");
    cJSON_free(text);
}

static void print_head(void)
{
    printf("#engine\tshape\tthreads\ttasks");
    for (int step = 0; step < STEP_COUNT; step++)
        printf("\t%s", step_names[step]);
    printf("\tpeak_bytes_per_task\n");
}

static int bench_tasks(const bench_options *o)
{
    int outcome = EXIT_DONE;
    cJSON *array = o->json ? cJSON_CreateArray() : NULL;
    if (!o->json)
        print_head();
    for (int i = 0; i < BENCH_SHAPE_COUNT; i++) {
        const char *name = bench_shape_names[i];
        figures f;
        if (strcmp(o->shape, "all") != 0 && strcmp(o->shape, name) != 0)
            continue;
        if (measure_in_child(name, o, &f))
            outcome = EXIT_FAILED;
        else if (o->json)
            add_json(array, name, o, &f);
        else
            print_line(name, o, &f);
    }
    if (o->json)
        print_json(array);
    cJSON_Delete(array);
    return outcome;
}

static bool is_shape(const char *name)
{
    for (int i = 0; i < BENCH_SHAPE_COUNT; i++) {
        if (strcmp(name, bench_shape_names[i]) == 0)
            return true;
    }
    return strcmp(name, "all") == 0;
}

static int run(const tool_command *c, int argc, char **argv)
{
    bench_options o = {
        .shape = "all", .threads = 2, .tasks = BENCH_SHAPE_TASKS, .repeat = 5, .seed = BENCH_SHAPE_SEED};
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    if (argc - first != 1 || strcmp(argv[first], "tasks") != 0) {
        if (argc - first == 1)
            say_error(c->name, "no such benchmark: \"%s\", only tasks", argv[first]);
        else
            say_error(c->name, "one argument needed, what to measure: tasks");
        return EXIT_USAGE;
    }
    if (!is_shape(o.shape)) {
        say_error(c->name, "--shape: no such shape: \"%s\"", o.shape);
        return EXIT_USAGE;
    }
    int outcome = bench_tasks(&o), printed = say_done(c->name);
    return outcome ? outcome : printed;
}

static const char *const words[] = {"tasks", NULL};

const tool_command bench_command = {
    .name = "bench",
    .summary = "the cost of a task",
    .arguments = "tasks [OPTION]…",
    .text = "Measures graphs of tasks that do next to nothing, in nanoseconds a task: build (calls and\n"
            "plan), the first run, a run again, free; total is build, run and free. Shapes: independent,\n"
            "chain, tree-out, tree-in, wavefront, stencil, layered, map-reduce, fork-join.\n",
    .example = "rask bench tasks --shape wavefront --threads 2 --repeat 7\n",
    .words = words,
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
