/* What process pools are bad at, on any scheduler: one work, once. tools/bench/traps runs it beside others.
 * usage: traps WORK SCHEDULER WORKERS [TASKS|FILE]
 *
 *   sum       1 GiB of numbers of the program's, in so many tasks     balance-constant, balance-ramped, balance-bimodal,
 *   file      the same from FILE.npy, as an array                     balance-giant, balance-hinted
 *   given     1 GiB of the program's, given whole to each task                  tasks of those costs; the giant is the
 *   made      1 GiB that a task makes, given whole to each task                 last one, and hinted has priority
 *   tiny      so many tasks that square a number
 *
 * Prints seconds from plan to result, and for balance what could not be less: the seconds that tasks took, shared out
 * evenly, or those of the longest. What a busy machine takes from tasks counts in both. */
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ELEMENTS = 1 << 27, BALANCED = 10000 };

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* (block, part, parts): the sum of a part of the numbers. */
static int sum_part(rask_task *t)
{
    rask_block block;
    if (rask_arg_block(t, 0, &block))
        return RASK_ETYPE;
    int64_t parts = rask_arg_i64(t, 2), len = block.shape[0] / parts;
    const double *at = (const double *)block.data + rask_arg_i64(t, 1) * len;
    double sums[8] = {0};
    for (int64_t i = 0; i < len; i += 8)
        for (int k = 0; k < 8; k++)
            sums[k] += at[i + k];
    return rask_return_f64(t, sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] + sums[7]);
}
RASK_SLOTS(sum_part);

/* (): numbers whose sum is their count. */
static int make_numbers(rask_task *t)
{
    rask_block block;
    rask_value value;
    const int64_t shape[1] = {ELEMENTS};
    if (rask_value_block_alloc(RASK_DT_F64, 1, shape, &block, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory for the numbers");
    for (int64_t i = 0; i < ELEMENTS; i++)
        ((double *)block.data)[i] = (double)(i & 1) * 2;
    return rask_return_value(t, value);
}
RASK_SLOTS_WITH(make_numbers, (.result_bytes = sizeof(double) * ELEMENTS + 512));

static int64_t square(int64_t i)
{
    return i * i;
}
RASK_TASK(square, i64, i64);

/* Busy for so many nanoseconds; gives how many it were. */
static int64_t spin(int64_t ns)
{
    uint64_t start = now_ns(), passed;
    while ((passed = now_ns() - start) < (uint64_t)ns) {
    }
    return (int64_t)passed;
}
RASK_TASK(spin, i64, i64);

typedef struct work {
    const char *name;
    rask_graph *graph;
    rask_options options;
    rask_node *target;
    double expected; /* 0: any; what tasks took */
} work;

static rask_node *add_up(work *w, rask_node **nodes, long count)
{
    rask_node *sum = rask_sum(rask_list(w->graph, nodes, (size_t)count));
    free(nodes);
    return sum;
}

static rask_node **nodes_of(long count)
{
    rask_node **nodes = malloc((size_t)count * sizeof *nodes);
    if (!nodes)
        exit(2);
    return nodes;
}

/* The numbers of the program, made by a run of their own. */
static rask_node *own_numbers(work *w)
{
    rask_value numbers;
    rask_options serial = RASK_OPTIONS_INIT;
    serial.scheduler = "serial";
    if (rask_compute_value(rask_delayed(w->graph, make_numbers), &serial, &numbers))
        exit(2);
    rask_node *node = rask_const(w->graph, &numbers);
    rask_value_unref(&numbers);
    return node;
}

/* Tasks that take the numbers: a part each, or all. */
static void build_sums(work *w, rask_node *numbers, long tasks, bool whole)
{
    rask_node **nodes = nodes_of(tasks);
    for (long i = 0; i < tasks; i++)
        nodes[i] = whole ? rask_delayed(w->graph, sum_part, numbers, 0, 1)
                         : rask_delayed(w->graph, sum_part, numbers, i, tasks);
    w->expected = (double)ELEMENTS * (whole ? (double)tasks : 1);
    w->target = add_up(w, nodes, tasks);
}

static void build_tiny(work *w, long tasks)
{
    rask_node **nodes = nodes_of(tasks);
    for (long i = 0; i < tasks; i++) {
        nodes[i] = rask_delayed(w->graph, square, i % 1000);
        w->expected += (double)((i % 1000) * (i % 1000));
    }
    w->target = add_up(w, nodes, tasks);
}

/* Nanoseconds of the task with this number. */
static int64_t cost(const char *shape, long i)
{
    if (!strcmp(shape, "constant"))
        return 200000;
    if (!strcmp(shape, "ramped"))
        return 40 * i;
    if (!strcmp(shape, "bimodal"))
        return i % 10 ? 50000 : 1550000;
    return i < BALANCED - 1 ? 100000 : 500000000;
}

static void build_balance(work *w, const char *shape)
{
    rask_node **nodes = nodes_of(BALANCED);
    for (long i = 0; i < BALANCED; i++)
        nodes[i] = rask_delayed(w->graph, spin, cost(shape, i));
    if (!strcmp(shape, "hinted"))
        rask_set_priority(nodes[BALANCED - 1], 1);
    w->target = rask_list(w->graph, nodes, BALANCED);
    free(nodes);
}

static bool build(work *w, const char *last)
{
    long tasks = last ? strtol(last, NULL, 10) : 64;
    if (!strcmp(w->name, "sum"))
        build_sums(w, own_numbers(w), tasks, false);
    else if (!strcmp(w->name, "given"))
        build_sums(w, own_numbers(w), tasks, true);
    else if (!strcmp(w->name, "made"))
        build_sums(w, rask_delayed(w->graph, make_numbers), tasks, true);
    else if (!strcmp(w->name, "tiny"))
        build_tiny(w, tasks);
    else if (!strncmp(w->name, "balance-", 8))
        build_balance(w, w->name + 8);
    else if (!strcmp(w->name, "file") && last) {
        w->target = rask_array_node(rask_array_sum(rask_array_open(w->graph, last, NULL), RASK_ALL));
        w->expected = ELEMENTS;
    } else
        return false;
    return true;
}

/* Of tasks that gave how many nanoseconds they took. */
static double least_seconds(const work *w, const rask_value *list)
{
    const rask_value *items;
    size_t count;
    double total = 0, most = 0, ns;
    if (rask_value_get_list(list, &items, &count))
        return 0;
    for (size_t i = 0; i < count && !rask_value_get_f64(&items[i], &ns); i++) {
        total += ns;
        most = ns > most ? ns : most;
    }
    total /= w->options.workers;
    return (total > most ? total : most) / 1e9;
}

int main(int argc, char **argv)
{
    work w = {.options = RASK_OPTIONS_INIT};
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: traps WORK SCHEDULER WORKERS [TASKS|FILE]\n");
        return 2;
    }
    w.name = argv[1];
    w.options.scheduler = argv[2];
    w.options.workers = (uint32_t)strtoul(argv[3], NULL, 10);
    w.graph = rask_graph_new();
    if (!build(&w, argv[4])) {
        fprintf(stderr, "traps: no work %s\n", w.name);
        return 2;
    }
    double sum = 0;
    rask_value result;
    uint64_t start = now_ns();
    int status = rask_compute_value(w.target, &w.options, &result);
    double seconds = (double)(now_ns() - start) / 1e9;
    bool right = !status && (!w.expected || (!rask_value_get_f64(&result, &sum) && sum == w.expected));
    if (!right)
        fprintf(stderr, "traps: %s: %s\n", w.name, status ? rask_graph_error(w.graph) : "wrong sum");
    else
        printf("%.6f %.6f\n", seconds, least_seconds(&w, &result));
    if (!status)
        rask_value_unref(&result);
    rask_graph_free(w.graph);
    return !right;
}
