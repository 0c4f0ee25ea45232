/* Sorting along the last axis; builders move the axis there and back.
 *
 * Elements are keys that compare as they do, sorted by a stable radix sort. A task has whole lines; lines too long for
 * that are sorted by several (sort_long.c, sort_outside.c). */
#include "collections/array/sort.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

enum {
    SORT_BYTES = 4 << 20, /* of lines for one task */
    SORT_LONG = 16 << 20, /* bytes of the keys of a line for several */
};

/* Lines by several tasks: in memory where the keys of one fit beside what tasks work with. */
static int lower_long(rk_lowering *l, rask_array *a, rk_chunks *chunks)
{
    const rk_sort_params *p = a->params;
    uint64_t pairs =
        (uint64_t)a->shape[a->ndim - 1] * rk_pair_bytes(rk_key_width(a->inputs[0]->dtype), p->indices);
    return pairs > rk_lowering_budget(l) / 2 && rk_lowering_scratch(l) ? rk_sort_outside(l, a, chunks)
                                                                       : rk_sort_long(l, a, chunks);
}

/* Memory for one line at a time. */
typedef struct sorter {
    rask_dtype dtype;
    size_t n, width;
    char *keys, *key_scratch;
    int64_t *index_scratch; /* NULL: no indices */
} sorter;

/* keys, scratch, scratch of indices. */
static uint64_t sorter_bytes(rask_dtype dtype, uint64_t n, bool indices)
{
    return 2 * n * rk_key_width(dtype) + (indices ? n * sizeof(int64_t) : 0) + 16;
}

static sorter sorter_in(char *memory, rask_dtype dtype, size_t n, bool indices)
{
    sorter s = {.dtype = dtype, .n = n, .width = rk_key_width(dtype), .keys = memory};
    s.key_scratch = s.keys + n * s.width;
    if (indices)
        s.index_scratch = (int64_t *)(void *)(s.key_scratch + n * s.width);
    return s;
}

static void sort_line(const sorter *s, void *elements)
{
    rk_keys_make(s->dtype, s->n, elements, false, s->keys);
    rk_keys_sort(s->width, s->n, s->keys, s->key_scratch);
    rk_keys_back(s->dtype, s->n, s->keys, elements);
}

/* -0 and 0 are equal here, so that they stay in order. */
static void sort_indices(const sorter *s, const void *elements, int64_t *indices)
{
    for (size_t i = 0; i < s->n; i++)
        indices[i] = (int64_t)i;
    rk_keys_make(s->dtype, s->n, elements, true, s->keys);
    rk_keys_sort_indices(s->width, s->n, s->keys, indices, s->key_scratch, s->index_scratch);
}

/* Elements of all lines for argsort, then the sorter's memory. */
static uint64_t sort_scratch(rask_dtype dtype, uint64_t elements, uint64_t n, bool indices)
{
    return (indices ? (elements * rask_dtype_size(dtype) + 15) & ~(uint64_t)15 : 0) +
           sorter_bytes(dtype, n, indices);
}

static int sort_stream(rask_task *task, rk_stream *s, char *memory)
{
    bool indices = ((const rk_sort_params *)s->params)->indices;
    size_t n = (size_t)s->count[s->ndim - 1], lines = n ? s->size / n : 0, size = rask_dtype_size(s->dtype);
    rask_block out;
    rask_value value;
    if (rk_task_result(task, indices ? RASK_DT_I64 : s->dtype, s->ndim, s->count, &out, &value))
        return task->status;
    char *elements = indices ? memory : out.data;
    sorter sort =
        sorter_in(memory + (indices ? (s->size * size + 15) & ~(size_t)15 : 0), s->dtype, n, indices);
    int status = rk_stream_read(task, s, elements);
    for (size_t i = 0; i < lines && !status; i++) {
        char *line = elements + i * n * size;
        if (indices)
            sort_indices(&sort, line, (int64_t *)out.data + i * n);
        else
            sort_line(&sort, line);
        if (rask_task_cancelled(task))
            status = RASK_ECANCELLED;
    }
    if (!status)
        return rask_return_value(task, value);
    rask_value_unref(&value);
    return status;
}

static int call_sort(rask_task *task)
{
    rk_stream s;
    int status = rk_stream_open(task, sizeof(rk_sort_params), &s);
    if (status)
        return status;
    bool indices = ((const rk_sort_params *)s.params)->indices;
    char *memory = rk_alloc((size_t)sort_scratch(s.dtype, s.size, (uint64_t)s.count[s.ndim - 1], indices));
    status = memory ? sort_stream(task, &s, memory)
                    : rk_task_fail(task, RASK_ENOMEM, "no memory to sort %zu elements", s.size);
    rk_free(memory);
    rk_stream_close(&s);
    return status;
}

static const rask_task_def sort_def = {
    .size = sizeof(rask_task_def), .name = "sort", .call = call_sort, .flags = RASK_PURE};

static rask_node *lower_lines(rk_lowering *l, rask_array *a, const rk_region *region)
{
    const rk_sort_params *p = a->params;
    rask_array *in = a->inputs[0];
    uint64_t elements = (uint64_t)rk_shape_size(region->count, region->ndim);
    uint64_t n = (uint64_t)region->count[region->ndim - 1];
    return rk_stream_call(l, in, &sort_def, region, p, sizeof *p, NULL, elements * rask_dtype_size(a->dtype),
                          sort_scratch(in->dtype, elements, n, p->indices));
}

static int lower_sort(rk_lowering *l, rask_array *a, rk_chunks *chunks)
{
    int64_t lengths[RASK_MAX_DIMENSIONS], index[RASK_MAX_DIMENSIONS] = {0}, n = a->shape[a->ndim - 1];
    uint64_t most = rk_lowering_chunk_bytes(l), line = (uint64_t)n * rk_key_width(a->inputs[0]->dtype);
    if (line > most || line > SORT_LONG)
        return lower_long(l, a, chunks);
    size_t size = rask_dtype_size(a->inputs[0]->dtype), at = 0;
    most = most / 4 < SORT_BYTES ? most / 4 : SORT_BYTES;
    rk_lengths_along(a->ndim, a->shape, a->ndim - 1, size, size, most, n ? n : 1, lengths);
    int status = rk_grid_regular(l, chunks, a->ndim, a->shape, lengths);
    if (status)
        return status;
    do {
        rk_region region;
        rk_chunks_region(chunks, index, &region);
        chunks->nodes[at] = lower_lines(l, a, &region);
        if (!chunks->nodes[at++])
            return rask_graph_status(rk_lowering_graph(l));
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}

static const rk_opaque sort_class = {.name = "sort", .lower = lower_sort},
                       argsort_class = {.name = "argsort", .lower = lower_sort};

static rask_array *sort(bool indices, rask_array *a, int axis, const char *file, int line)
{
    if (axis == RASK_ALL) {
        a = rask_array_ravel_at(a, file, line);
        axis = 0;
    }
    axis = a ? rk_axis(a, axis, indices ? "rask_array_argsort" : "rask_array_sort", file, line) : -1;
    if (axis < 0)
        return NULL;
    bool moved = (uint32_t)axis + 1 < a->ndim;
    if (moved)
        a = rask_array_moveaxis_at(a, axis, -1, file, line);
    if (!a)
        return NULL;
    rk_sort_params params = {.indices = indices};
    a = rk_array_opaque(a->graph, indices ? &argsort_class : &sort_class, &params, sizeof params,
                        indices ? RASK_DT_I64 : a->dtype, a->ndim, a->shape, &a, 1, file, line);
    return moved ? rask_array_moveaxis_at(a, -1, axis, file, line) : a;
}

rask_array *rask_array_sort_at(rask_array *a, int axis, const char *file, int line)
{
    return sort(false, a, axis, file, line);
}

rask_array *rask_array_argsort_at(rask_array *a, int axis, const char *file, int line)
{
    return sort(true, a, axis, file, line);
}
