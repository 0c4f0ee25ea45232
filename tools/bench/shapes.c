#include "shapes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What a shape's rules need to know beside the task's id. */
typedef struct layout {
    uint32_t n;
    uint32_t width; /* of a row, or of a fork-join stage with its fork and join; 0 where there is neither */
    uint64_t random;
} layout;

enum { STAGE_TASKS = 1000, LAYER_PREDS_MAX = 4 };

/* splitmix64: tiny, and every seed is a good one. */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void layout_exact(layout *l, uint32_t tasks)
{
    l->n = tasks;
}

static void layout_tree(layout *l, uint32_t tasks)
{
    while (l->n < tasks)
        l->n = 2 * l->n + 1;
}

static void layout_grid(layout *l, uint32_t tasks)
{
    while ((uint64_t)(l->width + 1) * (l->width + 1) <= tasks)
        l->width++;
    l->n = tasks / l->width * l->width;
}

static void layout_map_reduce(layout *l, uint32_t tasks)
{
    l->n = tasks + 1;
}

static void layout_fork_join(layout *l, uint32_t tasks)
{
    l->width = tasks >= STAGE_TASKS ? STAGE_TASKS : tasks >= 3 ? tasks : 3;
    l->n = tasks >= STAGE_TASKS ? tasks / STAGE_TASKS * STAGE_TASKS : l->width;
}

/* The rules below write the predecessors of one task, ascending, and return how many there are. */

static uint32_t preds_none(layout *l, uint32_t task, uint32_t *out)
{
    (void)l;
    (void)task;
    (void)out;
    return 0;
}

static uint32_t preds_chain(layout *l, uint32_t task, uint32_t *out)
{
    (void)l;
    if (task == 0)
        return 0;
    out[0] = task - 1;
    return 1;
}

static uint32_t preds_tree_out(layout *l, uint32_t task, uint32_t *out)
{
    (void)l;
    if (task == 0)
        return 0;
    out[0] = (task - 1) / 2;
    return 1;
}

/* tree-out with its ids turned around: the children of heap place p are places 2p + 1 and 2p + 2. */
static uint32_t preds_tree_in(layout *l, uint32_t task, uint32_t *out)
{
    uint32_t place = l->n - 1 - task;
    if (place >= l->n / 2)
        return 0;
    out[0] = l->n - 1 - (2 * place + 2);
    out[1] = out[0] + 1;
    return 2;
}

static uint32_t preds_wavefront(layout *l, uint32_t task, uint32_t *out)
{
    uint32_t count = 0;
    if (task >= l->width)
        out[count++] = task - l->width;
    if (task % l->width != 0)
        out[count++] = task - 1;
    return count;
}

static uint32_t preds_stencil(layout *l, uint32_t task, uint32_t *out)
{
    uint32_t count = 0;
    uint32_t column = task % l->width;
    if (task < l->width)
        return 0;
    if (column > 0)
        out[count++] = task - l->width - 1;
    out[count++] = task - l->width;
    if (column + 1 < l->width)
        out[count++] = task - l->width + 1;
    return count;
}

/* Puts a value into an ascending list; returns false when it is there already. */
static bool insert_distinct(uint32_t *list, uint32_t count, uint32_t value)
{
    uint32_t at = count;
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == value)
            return false;
    }
    for (; at > 0 && list[at - 1] > value; at--)
        list[at] = list[at - 1];
    list[at] = value;
    return true;
}

static uint32_t preds_layered(layout *l, uint32_t task, uint32_t *out)
{
    if (task < l->width)
        return 0;
    uint32_t row = task / l->width * l->width - l->width;
    uint32_t wanted = 1 + (uint32_t)(random_next(&l->random) % LAYER_PREDS_MAX);
    if (wanted > l->width)
        wanted = l->width;
    for (uint32_t count = 0; count < wanted;) {
        if (insert_distinct(out, count, row + (uint32_t)(random_next(&l->random) % l->width)))
            count++;
    }
    return wanted;
}

static uint32_t preds_range(uint32_t first, uint32_t count, uint32_t *out)
{
    for (uint32_t i = 0; i < count; i++)
        out[i] = first + i;
    return count;
}

static uint32_t preds_map_reduce(layout *l, uint32_t task, uint32_t *out)
{
    return task + 1 < l->n ? 0 : preds_range(0, task, out);
}

static uint32_t preds_fork_join(layout *l, uint32_t task, uint32_t *out)
{
    uint32_t place = task % l->width;
    uint32_t fork = task - place;
    if (place == 0)
        return preds_chain(l, task, out);
    if (place + 1 < l->width)
        return preds_range(fork, 1, out);
    return preds_range(fork + 1, l->width - 2, out);
}

/* edges: at most this many predecessors a task, taken over the whole shape. */
static const struct {
    void (*lay_out)(layout *l, uint32_t tasks);
    uint32_t (*preds)(layout *l, uint32_t task, uint32_t *out);
    uint32_t edges;
} rules[BENCH_SHAPE_COUNT] = {
    {layout_exact, preds_none, 0},          {layout_exact, preds_chain, 1},
    {layout_tree, preds_tree_out, 1},       {layout_tree, preds_tree_in, 2},
    {layout_grid, preds_wavefront, 2},      {layout_grid, preds_stencil, 3},
    {layout_grid, preds_layered, 4},        {layout_map_reduce, preds_map_reduce, 1},
    {layout_fork_join, preds_fork_join, 2},
};

const char *const bench_shape_names[BENCH_SHAPE_COUNT] = {
    "independent", "chain",   "tree-out",   "tree-in",   "wavefront",
    "stencil",     "layered", "map-reduce", "fork-join",
};

static int shape_find(const char *name)
{
    for (int i = 0; i < BENCH_SHAPE_COUNT; i++) {
        if (strcmp(name, bench_shape_names[i]) == 0)
            return i;
    }
    return -1;
}

int bench_shape_make(const char *name, uint32_t tasks, uint64_t seed, bench_shape *out)
{
    int which = shape_find(name);
    layout l = {.random = seed};
    if (which < 0 || tasks == 0 || tasks > BENCH_SHAPE_TASKS_MAX)
        return EINVAL;
    rules[which].lay_out(&l, tasks);
    bench_shape shape = {.name = bench_shape_names[which], .n = l.n};
    shape.pred_start = malloc(((size_t)l.n + 1) * sizeof *shape.pred_start);
    shape.pred = malloc(((size_t)l.n * rules[which].edges + 1) * sizeof *shape.pred);
    if (!shape.pred_start || !shape.pred) {
        bench_shape_free(&shape);
        return ENOMEM;
    }
    shape.pred_start[0] = 0;
    for (uint32_t task = 0; task < l.n; task++) {
        uint32_t at = shape.pred_start[task];
        shape.pred_start[task + 1] = at + rules[which].preds(&l, task, shape.pred + at);
    }
    *out = shape;
    return 0;
}

void bench_shape_free(bench_shape *shape)
{
    free(shape->pred_start);
    free(shape->pred);
    shape->pred_start = NULL;
    shape->pred = NULL;
    shape->n = 0;
}

/* Marks the tasks that another one takes and returns how many are left. */
static uint32_t mark_taken(const bench_shape *shape, unsigned char *taken)
{
    uint32_t sinks = shape->n;
    for (uint32_t i = 0; i < shape->pred_start[shape->n]; i++) {
        sinks -= !taken[shape->pred[i]];
        taken[shape->pred[i]] = 1;
    }
    return sinks;
}

int bench_shape_check(const bench_shape *shape, bench_sinks *out)
{
    int status = ENOMEM;
    bench_sinks sinks = {0};
    uint64_t *values = malloc((size_t)shape->n * sizeof *values);
    unsigned char *taken = calloc(shape->n, 1);
    if (!values || !taken)
        goto done;
    sinks.count = mark_taken(shape, taken);
    sinks.task = malloc(sinks.count * sizeof *sinks.task);
    sinks.value = malloc(sinks.count * sizeof *sinks.value);
    if (!sinks.task || !sinks.value) {
        bench_sinks_free(&sinks);
        goto done;
    }
    for (uint32_t task = 0, at = 0; task < shape->n; task++) {
        values[task] = bench_shape_value(shape, values, task);
        if (taken[task])
            continue;
        sinks.task[at] = task;
        sinks.value[at++] = values[task];
        sinks.sum += values[task];
    }
    *out = sinks;
    status = 0;
done:
    free(values);
    free(taken);
    return status;
}

void bench_sinks_free(bench_sinks *sinks)
{
    free(sinks->task);
    free(sinks->value);
    *sinks = (bench_sinks){0};
}

uint32_t bench_sinks_wrong(const bench_sinks *sinks, const uint64_t *values)
{
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < sinks->count; i++)
        wrong += values[sinks->task[i]] != sinks->value[i];
    return wrong;
}
