/* Sorting lines that are too long for one task.
 *
 * A line is cut into runs, which are sorted each by a task: a list of its keys and, where asked for, their indices in the
 * line. A chunk of the result is known by its ranks (places in sorted order). The elements of any rank are found in sorted
 * runs by bisection: how many keys are below a key is known after one search in each run. So each chunk takes its part of
 * each run and sorts these once more. Equal keys stay in order, since runs come in order. The runs of a line are held
 * together, which is what bounds its length. */
#include "collections/array/sort.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <assert.h>
#include <string.h>

/* -- Runs */

typedef struct run_params {
    int64_t indices;
    int64_t first; /* index of the run's first element in its line */
} run_params;

/* The sorted pairs as a list of two blocks (of one without indices). */
static int return_pairs(rask_task *task, rask_dtype key_dtype, const rk_pairs *p)
{
    int64_t n = (int64_t)p->n;
    rask_block keys, indices;
    rask_value list[2];
    int status = rk_task_result(task, key_dtype, 1, &n, &keys, &list[0]);
    if (status)
        return status;
    if (p->indices)
        status = rk_task_result(task, RASK_DT_I64, 1, &n, &indices, &list[1]);
    if (!status) {
        memcpy(keys.data, p->keys, p->n * p->width);
        if (p->indices)
            memcpy(indices.data, p->indices, p->n * sizeof *p->indices);
        status = rask_return_list(task, list, p->indices ? 2 : 1);
        if (p->indices)
            rask_value_unref(&list[1]);
    }
    rask_value_unref(&list[0]);
    return status;
}

static int call_sort_run(rask_task *task)
{
    rk_stream s;
    rk_sort_room r = {.p = {.n = 0}};
    int status = rk_stream_open(task, sizeof(run_params), &s);
    const run_params *p = s.params;
    if (!status)
        status = rk_sort_room_read(task, &s, p->indices, p->first, &r);
    if (!status)
        status = return_pairs(task, rk_key_dtype(s.dtype), &r.p);
    rk_sort_room_fini(&r);
    rk_stream_close(&s);
    return status;
}

/* -- Chunks */

/* False after failing the task. */
static bool open_run(rask_task *task, size_t index, bool indices, rk_pairs *run)
{
    size_t count;
    const rask_value *items = rask_arg_list(task, index, &count);
    rask_block keys, where = {.data = NULL};
    if (!items || count < 1 || rask_value_get_block(&items[0], &keys) ||
        (indices && (count < 2 || rask_value_get_block(&items[1], &where)))) {
        rk_task_fail(task, RASK_ETYPE, "argument %zu is no sorted run", index);
        return false;
    }
    *run = (rk_pairs){(size_t)keys.shape[0], rask_dtype_size(keys.dtype), keys.data, where.data};
    return true;
}

static size_t below(void *runs, size_t run, rk_u128 key)
{
    const rk_pairs *r = (const rk_pairs *)runs + run;
    return rk_keys_below(r->width, r->n, r->keys, key);
}

/* Where ranks below `rank` end in each run. */
static void split(rk_pairs *runs, size_t count, uint64_t rank, size_t *at)
{
    for (size_t i = 0; i < count; i++)
        at[i] = runs[i].n;
    rk_sort_split(runs[0].width, rank, count, below, runs, at);
}

/* The parts of all runs with these ranks, one after another. */
static void collect(const rk_pairs *runs, size_t count, const size_t *from, const size_t *to, rk_pairs *out)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = to[i] - from[i], width = out->width;
        memcpy(out->keys + at * width, runs[i].keys + from[i] * width, n * width);
        assert(!out->indices || runs[i].indices);
        if (out->indices)
            memcpy(out->indices + at, runs[i].indices + from[i], n * sizeof *out->indices);
        at += n;
    }
}

/* runs and ends: room for count and 2 * count. */
static int sort_range(rask_task *task, const rk_sort_range *p, rk_pairs *runs, size_t count, size_t *ends)
{
    rk_sort_room r;
    bool indices = p->indices;
    for (size_t i = 0; i < count; i++)
        if (!open_run(task, i + 1, indices, &runs[i]))
            return task->status;
    split(runs, count, (uint64_t)p->start, ends);
    split(runs, count, (uint64_t)(p->start + p->count), ends + count);
    int status = rk_sort_room_init(task, &r, (size_t)p->count, runs[0].width, indices);
    if (!status) {
        collect(runs, count, ends, ends + count, &r.p);
        rk_sort_room_sort(&r);
        status = rk_sort_return(task, p, &r.p);
    }
    rk_sort_room_fini(&r);
    return status;
}

/* (params, runs…): the elements with these ranks. */
static int call_sort_range(rask_task *task)
{
    const rk_sort_range *p = rk_task_params(task, sizeof *p);
    size_t count = rask_arg_count(task) - 1;
    rk_pairs *runs = rk_alloc_array(count, sizeof *runs);
    size_t *ends = rk_alloc_array(2 * count, sizeof *ends);
    if (p && runs && ends)
        sort_range(task, p, runs, count, ends);
    else if (p)
        rk_task_fail(task, RASK_ENOMEM, "no memory for %zu runs", count);
    rk_free(runs);
    rk_free(ends);
    return task->status;
}

static const rask_task_def sort_run_def = {
    .size = sizeof(rask_task_def), .name = "sort run", .call = call_sort_run, .flags = RASK_PURE};
static const rask_task_def sort_range_def = {
    .size = sizeof(rask_task_def), .name = "sort", .call = call_sort_range, .flags = RASK_PURE};

/* -- Lowering */

/* One line's runs, as long as its chunks. */
static bool lower_runs(rk_lowering *l, rask_array *a, const rk_chunks *chunks, const int64_t *line,
                       rask_node **runs)
{
    uint32_t last = a->ndim - 1;
    int64_t index[RASK_MAX_DIMENSIONS];
    size_t width = rk_key_width(a->inputs[0]->dtype);
    run_params p = {.indices = ((const rk_sort_params *)a->params)->indices};
    memcpy(index, line, a->ndim * sizeof *index);
    for (index[last] = 0; index[last] < chunks->count[last]; index[last]++) {
        rk_region region;
        rk_chunks_region(chunks, index, &region);
        uint64_t bytes = (uint64_t)region.count[last] * rk_pair_bytes(width, p.indices);
        p.first = region.start[last];
        runs[index[last]] =
            rk_stream_call(l, a->inputs[0], &sort_run_def, &region, &p, sizeof p, NULL, bytes, 2 * bytes);
        if (!runs[index[last]])
            return false;
    }
    return true;
}

/* One chunk, of its line's runs. */
static rask_node *lower_range(rk_lowering *l, rask_array *a, const rk_chunks *chunks, const int64_t *index,
                              rask_node *const *runs)
{
    uint32_t last = a->ndim - 1;
    rk_region region;
    rk_chunks_region(chunks, index, &region);
    rk_sort_range p = rk_sort_range_of(a, &region);
    return rk_lower_call(l, &sort_range_def, &p, sizeof p, runs, (size_t)chunks->count[last],
                         (uint64_t)p.count * rask_dtype_size(a->dtype),
                         2 * (uint64_t)p.count * rk_pair_bytes(rk_key_width(a->inputs[0]->dtype), p.indices));
}

int rk_sort_long(rk_lowering *l, rask_array *a, rk_chunks *chunks)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0};
    uint32_t last = a->ndim - 1;
    int status = rk_sort_grid(l, a, chunks);
    rask_node **runs = status ? NULL : rk_lowering_memory(l, (size_t)chunks->count[last] * sizeof *runs);
    size_t at = 0;
    if (!runs)
        return rask_graph_status(rk_lowering_graph(l));
    do {
        if (!index[last] && !lower_runs(l, a, chunks, index, runs))
            return rask_graph_status(rk_lowering_graph(l));
        chunks->nodes[at] = lower_range(l, a, chunks, index, runs);
        if (!chunks->nodes[at++])
            return rask_graph_status(rk_lowering_graph(l));
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}
