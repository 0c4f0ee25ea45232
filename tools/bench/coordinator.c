/* How fast the coordinator decides, and how good its decisions are: shapes and workflows on simulated workers.
 *
 *   coordinator [--workers N] [--homes N] [--tasks N] [--task-us N] [--latency-us N] [--shape NAME|all] [WORKFLOW.json ...]
 *
 * One line a graph: tasks; ns a task and bytes a task that the coordinator takes itself; the makespan in simulated
 * seconds; what no schedule can beat, the larger of total work over slots and the longest path; and one over the
 * other. Tasks take from half to one and a half of --task-us, workers are equal, and a message takes --latency-us. */
#include "schedulers/coordinator/coordinator.h"
#include "measure.h"
#include "shapes.h"
#include "workflow.h"

#include <rask/base.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE = 128, RESULT_BYTES = 8 };

typedef struct entry {
    uint32_t task, attempt;
    uint64_t comes_ns;
} entry;

/* One slot, and a ring of what waits for it. */
typedef struct worker {
    uint32_t epoch, first, count;
    bool busy;
    entry queue[QUEUE];
} worker;

typedef enum kind { JOB_ENDS, NEWS_FINISHED, RECALL_COMES, NEWS_RECALLED, NEWS_FETCHED, TICK } kind;

typedef struct event {
    uint64_t at, duration_ns;
    kind kind;
    uint32_t worker, task, attempt;
    bool flag;
} event;

typedef struct bench {
    uint32_t worker_count, homes;
    uint64_t latency_ns, task_ns, tick_at, now;
    rk_coordinator_graph graph;
    const uint64_t *durations, *bytes; /* NULL: made up */
    rk_coordinator *c;
    worker *workers;
    event *events; /* a heap by time */
    size_t event_count, event_room;
    double cost_ns; /* of the coordinator */
    int status;
    bool ended;
} bench;

static uint64_t duration_of(const bench *b, uint32_t task)
{
    return b->durations ? b->durations[task] + 1 : bench_shape_duration_ns(task, b->task_ns);
}

static uint64_t bytes_of(const bench *b, uint32_t task)
{
    return b->bytes ? b->bytes[task] : RESULT_BYTES;
}

static void describe(void *context, uint32_t task, rk_traits *out)
{
    const bench *b = context;
    out->sure = true;
    out->result_bytes = bytes_of(b, task);
}

static void add(bench *b, uint64_t at, event e)
{
    if (b->event_count == b->event_room) {
        b->event_room = b->event_room ? 2 * b->event_room : 1024;
        b->events = realloc(b->events, b->event_room * sizeof *b->events);
        if (!b->events)
            exit(1);
    }
    e.at = at;
    size_t place = b->event_count++;
    for (; place && at < b->events[(place - 1) / 4].at; place = (place - 1) / 4)
        b->events[place] = b->events[(place - 1) / 4];
    b->events[place] = e;
}

static event take(bench *b)
{
    event first = b->events[0], last = b->events[--b->event_count];
    size_t place = 0;
    for (;;) {
        size_t least = 4 * place + 1, end = least + 4;
        if (least >= b->event_count)
            break;
        for (size_t child = least + 1; child < end && child < b->event_count; child++)
            if (b->events[child].at < b->events[least].at)
                least = child;
        if (b->events[least].at >= last.at)
            break;
        b->events[place] = b->events[least];
        place = least;
    }
    b->events[place] = last;
    return first;
}

/* The hands. */

static void begin(bench *b, uint32_t number)
{
    worker *w = &b->workers[number];
    if (w->busy || !w->count)
        return;
    const entry *e = &w->queue[w->first];
    uint64_t start = e->comes_ns > b->now ? e->comes_ns : b->now, takes = duration_of(b, e->task);
    w->busy = true;
    add(b, start + takes,
        (event){.kind = JOB_ENDS,
                .worker = number,
                .task = e->task,
                .attempt = e->attempt,
                .duration_ns = takes});
}

static void queue_run(bench *b, const rk_instruction *i)
{
    worker *w = &b->workers[i->worker];
    if (w->count == QUEUE) {
        fprintf(stderr, "coordinator: a worker's queue overflows\n");
        exit(1);
    }
    w->queue[(w->first + w->count++) % QUEUE] = (entry){i->task, i->attempt, b->now + b->latency_ns};
    begin(b, i->worker);
}

static void job_ends(bench *b, const event *e)
{
    worker *w = &b->workers[e->worker];
    event news = *e;
    news.kind = NEWS_FINISHED;
    w->first = (w->first + 1) % QUEUE;
    w->count--;
    w->busy = false;
    add(b, b->now + b->latency_ns, news);
    begin(b, e->worker);
}

static void recall_comes(bench *b, const event *e)
{
    worker *w = &b->workers[e->worker];
    event news = *e;
    news.kind = NEWS_RECALLED;
    for (uint32_t k = w->busy; k < w->count && !news.flag; k++)
        if (w->queue[(w->first + k) % QUEUE].attempt == e->attempt) {
            for (news.flag = true, w->count--; k < w->count; k++)
                w->queue[(w->first + k) % QUEUE] = w->queue[(w->first + k + 1) % QUEUE];
        }
    add(b, b->now + b->latency_ns, news);
}

static void tell(bench *b, const event *e)
{
    uint32_t epoch = e->kind == NEWS_FETCHED ? 0 : b->workers[e->worker].epoch;
    double start = bench_now_ns();
    if (e->kind == NEWS_FINISHED)
        rk_coordinator_finished(b->c, b->now, e->worker, epoch, e->task, e->attempt, bytes_of(b, e->task),
                                e->duration_ns);
    else if (e->kind == NEWS_RECALLED)
        rk_coordinator_recalled(b->c, b->now, e->worker, epoch, e->task, e->attempt, e->flag);
    else if (e->kind == NEWS_FETCHED)
        rk_coordinator_transferred(b->c, b->now, e->worker, e->task, e->attempt, RASK_OK,
                                   bytes_of(b, e->task), e->duration_ns);
    else
        rk_coordinator_tick(b->c, b->now);
    b->cost_ns += bench_now_ns() - start;
}

static void carry_out(bench *b, const rk_instruction *i)
{
    uint64_t fetch = 2 * b->latency_ns + i->bytes; /* 1 GB/s */
    switch (i->kind) {
    case RK_DO_RUN: queue_run(b, i); break;
    case RK_DO_RECALL:
        add(b, b->now + b->latency_ns,
            (event){.kind = RECALL_COMES, .worker = i->worker, .task = i->task, .attempt = i->attempt});
        break;
    case RK_DO_FETCH:
        add(b, b->now + fetch,
            (event){.kind = NEWS_FETCHED,
                    .worker = i->home,
                    .task = i->task,
                    .attempt = i->attempt,
                    .duration_ns = fetch});
        break;
    case RK_DO_END:
        b->ended = true;
        b->status = i->status;
        break;
    default: break;
    }
}

static void draw_all(bench *b)
{
    rk_instruction i;
    for (bool more = true; more && !b->ended;) {
        double start = bench_now_ns();
        more = rk_coordinator_next(b->c, &i);
        b->cost_ns += bench_now_ns() - start;
        if (more)
            carry_out(b, &i);
    }
    uint64_t when = rk_coordinator_wants_tick(b->c);
    if (when != UINT64_MAX && (b->tick_at <= b->now || when < b->tick_at)) {
        b->tick_at = when > b->now ? when : b->now + 1;
        add(b, b->tick_at, (event){.kind = TICK});
    }
}

static int set_up(bench *b)
{
    const uint32_t homes = b->homes;
    if (!homes)
        return RASK_EINVAL;
    rk_coordinator_options options = {
        .most_workers = b->worker_count, .most_homes = homes, .latency_ns = b->latency_ns};
    double start = bench_now_ns();
    int status = rk_coordinator_new(&b->graph, &options, &b->c);
    for (uint32_t home = 0; home < homes && !status; home++)
        status = rk_coordinator_home(b->c, 0, home, UINT64_MAX);
    for (uint32_t k = 0; k < b->worker_count && !status; k++) {
        rk_worker_offer offer = {.home = k % homes, .slots = 1};
        uint32_t number = 0;
        status = rk_coordinator_joined(b->c, 0, &offer, &number, &b->workers[k].epoch);
    }
    b->cost_ns = bench_now_ns() - start;
    return status;
}

/* The longest path and the sum of all, in nanoseconds. */
static uint64_t lower_bound(const bench *b)
{
    uint64_t *ends = calloc((size_t)b->graph.tasks + 1, sizeof *ends), longest = 0, total = 0;
    for (uint32_t task = 0; ends && task < b->graph.tasks; task++) {
        uint64_t takes = duration_of(b, task);
        for (uint64_t at = b->graph.input_start[task]; at < b->graph.input_start[task + 1]; at++)
            if (ends[b->graph.inputs[at]] > ends[task])
                ends[task] = ends[b->graph.inputs[at]];
        ends[task] += takes;
        total += takes;
        longest = ends[task] > longest ? ends[task] : longest;
    }
    free(ends);
    return longest > total / b->worker_count ? longest : total / b->worker_count;
}

static void run(bench *b, const char *name)
{
    double before = bench_memory_mark();
    b->now = b->tick_at = 0;
    b->event_count = 0;
    b->ended = false;
    b->graph.context = b;
    b->graph.describe = describe;
    b->workers = calloc(b->worker_count, sizeof *b->workers);
    if (!b->workers || set_up(b))
        exit(1);
    draw_all(b);
    while (!b->ended && b->event_count) {
        event e = take(b);
        b->now = e.at;
        if (e.kind == JOB_ENDS)
            job_ends(b, &e);
        else if (e.kind == RECALL_COMES)
            recall_comes(b, &e);
        else
            tell(b, &e);
        if (e.kind != JOB_ENDS && e.kind != RECALL_COMES)
            draw_all(b);
    }
    rk_coordinator_figures f = rk_coordinator_get_figures(b->c);
    double peak = bench_memory_peak();
    uint64_t bound = lower_bound(b);
    printf("%-12s\t%" PRIu32 "\t%.0f\t%.0f\t%.3f\t%.3f\t%.3f\t%" PRIu64 "\t%" PRIu64 "%s\n", name,
           b->graph.tasks, b->cost_ns / b->graph.tasks, (peak - before) / b->graph.tasks,
           (double)b->now / 1e9, (double)bound / 1e9, (double)b->now / (double)bound, f.recalls, f.transfers,
           b->ended && !b->status && f.finished == b->graph.tasks ? "" : "\tNOT FINISHED");
    fflush(stdout);
    rk_coordinator_free(b->c);
    free(b->workers);
}

static void run_shape(bench *b, const char *name, uint32_t tasks)
{
    bench_shape shape;
    if (bench_shape_make(name, tasks, BENCH_SHAPE_SEED, &shape)) {
        fprintf(stderr, "coordinator: no shape '%s', or no memory\n", name);
        exit(2);
    }
    uint64_t *start = malloc(((size_t)shape.n + 1) * sizeof *start);
    if (!start)
        exit(1);
    for (uint32_t task = 0; task <= shape.n; task++)
        start[task] = shape.pred_start[task];
    b->graph = (rk_coordinator_graph){.tasks = shape.n, .input_start = start, .inputs = shape.pred};
    run(b, name);
    free(start);
    bench_shape_free(&shape);
}

static void run_workflow(bench *b, const char *path)
{
    bench_workflow w;
    const char *name = strrchr(path, '/');
    if (bench_workflow_read(path, &w))
        exit(1);
    b->graph = (rk_coordinator_graph){.tasks = w.tasks, .input_start = w.input_start, .inputs = w.inputs};
    b->durations = w.duration_ns;
    b->bytes = w.bytes;
    run(b, name ? name + 1 : path);
    b->durations = b->bytes = NULL;
    bench_workflow_free(&w);
}

static uint64_t option(const char *value)
{
    char *end = NULL;
    uint64_t number = value ? strtoull(value, &end, 10) : 0;
    if (!end || *end || !number) {
        fprintf(stderr, "coordinator: an option wants a number\n");
        exit(2);
    }
    return number;
}

int main(int argc, char **argv)
{
    bench b = {.worker_count = 10000, .homes = 100, .latency_ns = 50000, .task_ns = 10000000};
    uint32_t tasks = 10000000;
    const char *shape = NULL;
    int at = 1;
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        if (!strcmp(argv[at], "--workers"))
            b.worker_count = (uint32_t)option(argv[at + 1]);
        else if (!strcmp(argv[at], "--homes"))
            b.homes = (uint32_t)option(argv[at + 1]);
        else if (!strcmp(argv[at], "--tasks"))
            tasks = (uint32_t)option(argv[at + 1]);
        else if (!strcmp(argv[at], "--task-us"))
            b.task_ns = option(argv[at + 1]) * 1000;
        else if (!strcmp(argv[at], "--latency-us"))
            b.latency_ns = option(argv[at + 1]) * 1000;
        else if (!strcmp(argv[at], "--shape"))
            shape = argv[at + 1];
    }
    printf("graph\ttasks\tns\tbytes\tmakespan\tbound\tratio\trecalls\tfetches\n");
    for (int i = at; i < argc; i++)
        run_workflow(&b, argv[i]);
    for (int i = 0; i < BENCH_SHAPE_COUNT && at == argc; i++)
        if (!shape || !strcmp(shape, "all") || !strcmp(shape, bench_shape_names[i]))
            run_shape(&b, bench_shape_names[i], tasks);
    free(b.events);
    return 0;
}
