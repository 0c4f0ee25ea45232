/* What the ways to sort long lines have in common: runs of keys with their indices, and the chunks that come of them. */
#include "collections/array/sort.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

enum { RUN_BYTES = 8 << 20 }; /* of keys */

/* -- Tasks */

void rk_sort_room_fini(rk_sort_room *r)
{
    rk_free(r->p.keys);
    rk_free(r->p.indices);
    rk_free(r->key_scratch);
    rk_free(r->index_scratch);
}

int rk_sort_room_init(rask_task *task, rk_sort_room *r, size_t n, size_t width, bool indices)
{
    size_t most = n ? n : 1;
    *r = (rk_sort_room){.p = {.n = n, .width = width}};
    r->p.keys = rk_alloc_array(most, width);
    r->key_scratch = rk_alloc_array(most, width);
    if (indices) {
        r->p.indices = rk_alloc_array(most, sizeof *r->p.indices);
        r->index_scratch = rk_alloc_array(most, sizeof *r->index_scratch);
    }
    if (r->p.keys && r->key_scratch && (!indices || (r->p.indices && r->index_scratch)))
        return RASK_OK;
    return rk_task_fail(task, RASK_ENOMEM, "no memory to sort %zu elements", n);
}

void rk_sort_room_sort(rk_sort_room *r)
{
    rk_keys_sort_indices(r->p.width, r->p.n, r->p.keys, r->p.indices, r->key_scratch, r->index_scratch);
}

typedef struct gathering {
    rask_dtype dtype;
    bool indices;
    rk_pairs *to;
    size_t at;
} gathering;

static void gather_strip(void *context, size_t n, const void *elements)
{
    gathering *g = context;
    rk_keys_make(g->dtype, n, elements, g->indices, g->to->keys + g->at * g->to->width);
    g->at += n;
}

int rk_sort_room_read(rask_task *task, rk_stream *s, bool indices, int64_t first, rk_sort_room *r)
{
    int status = rk_sort_room_init(task, r, s->size, rk_key_width(s->dtype), indices);
    gathering g = {.dtype = s->dtype, .indices = indices, .to = &r->p};
    if (!status)
        status = rk_stream_run(task, s, gather_strip, &g);
    if (status)
        return status;
    for (size_t i = 0; r->p.indices && i < r->p.n; i++)
        r->p.indices[i] = first + (int64_t)i;
    rk_sort_room_sort(r);
    return RASK_OK;
}

static uint64_t all_below(size_t count, rk_keys_below_in below, void *runs, rk_u128 key)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += below(runs, i, key);
    return total;
}

void rk_sort_split(size_t width, uint64_t rank, size_t count, rk_keys_below_in below, void *runs,
                   size_t *ends)
{
    rk_u128 key = 0; /* the largest with no more than rank below it */
    for (unsigned bit = (unsigned)width * 8; bit-- > 0;)
        if (all_below(count, below, runs, key | (rk_u128)1 << bit) <= rank)
            key |= (rk_u128)1 << bit;
    uint64_t left = rank - all_below(count, below, runs, key);
    rk_u128 most = ~(rk_u128)0 >> (128 - 8 * width);
    for (size_t i = 0; i < count; i++) {
        size_t less = below(runs, i, key), equal = (key < most ? below(runs, i, key + 1) : ends[i]) - less;
        size_t taken = equal < left ? equal : (size_t)left;
        ends[i] = less + taken;
        left -= taken;
    }
}

int rk_sort_return(rask_task *task, const rk_sort_range *chunk, const rk_pairs *sorted)
{
    int64_t shape[RASK_MAX_DIMENSIONS];
    rask_block out;
    rask_value value;
    for (int64_t i = 0; i < chunk->ndim; i++)
        shape[i] = i + 1 < chunk->ndim ? 1 : chunk->count;
    rask_dtype dtype = chunk->indices ? RASK_DT_I64 : (rask_dtype)chunk->dtype;
    if (rk_task_result(task, dtype, (uint32_t)chunk->ndim, shape, &out, &value))
        return task->status;
    if (chunk->indices)
        memcpy(out.data, sorted->indices, sorted->n * sizeof *sorted->indices);
    else
        rk_keys_back(dtype, sorted->n, sorted->keys, out.data);
    return rask_return_value(task, value);
}

/* -- Lowering */

int rk_sort_grid(rk_lowering *l, rask_array *a, rk_chunks *chunks)
{
    int64_t lengths[RASK_MAX_DIMENSIONS];
    uint64_t most = rk_lowering_chunk_bytes(l) / 2, width = rk_key_width(a->inputs[0]->dtype);
    for (uint32_t i = 0; i + 1 < a->ndim; i++)
        lengths[i] = 1;
    lengths[a->ndim - 1] = (int64_t)((most < RUN_BYTES ? most : RUN_BYTES) / width);
    return rk_grid_regular(l, chunks, a->ndim, a->shape, lengths);
}

rk_sort_range rk_sort_range_of(const rask_array *a, const rk_region *region)
{
    return (rk_sort_range){.indices = ((const rk_sort_params *)a->params)->indices,
                           .dtype = a->inputs[0]->dtype,
                           .start = region->start[a->ndim - 1],
                           .count = region->count[a->ndim - 1],
                           .ndim = a->ndim};
}
