#include "collections/array/take_rows.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

/* -- Numbers */

rk_numbers rk_taken_numbers(const rk_taken *t, int64_t first, int64_t count)
{
    rk_numbers n;
    memset(&n, 0, sizeof n);
    n.first = first;
    n.count = count;
    n.cells = t->cells;
    n.axis = t->axis;
    n.length = t->array->inputs[0]->shape[t->axis];
    return n;
}

uint64_t rk_ordering_bytes(const rk_numbers *n)
{
    return (uint64_t)n->count * (sizeof(rk_pair) + sizeof(uint32_t)) +
           (uint64_t)(n->cells + 2) * sizeof(uint32_t);
}

/* The cell that has at: most are as long as the first. */
static int64_t cell_of(const int64_t *bounds, int64_t cells, int64_t at)
{
    int64_t low = 0, guess = at / bounds[1];
    if (guess < cells && bounds[guess] <= at && at < bounds[guess + 1])
        return guess;
    for (int64_t half; cells > 1; cells -= half) {
        half = cells / 2;
        low += bounds[low + half] <= at ? half : 0;
    }
    return low;
}

/* Counts in ends[2 + cell]. The task's status. */
static int find_cells(const rk_ordering *o, rask_task *task, const rk_numbers *n, const int64_t *bounds,
                      const int64_t *numbers)
{
    memset(o->ends, 0, (size_t)(n->cells + 2) * sizeof *o->ends);
    for (int64_t i = 0; i < n->count; i++) {
        int64_t at = numbers[i] < 0 ? numbers[i] + n->length : numbers[i];
        if (at < 0 || at >= n->length)
            return rk_take_fail(task, numbers[i], n->first + i, n->axis, n->length);
        o->cell[i] = (uint32_t)cell_of(bounds, n->cells, at);
        o->ends[2 + o->cell[i]]++;
    }
    return RASK_OK;
}

static void put_in_order(const rk_ordering *o, const rk_numbers *n, const int64_t *bounds,
                         const int64_t *numbers)
{
    for (int64_t c = 0; c < n->cells; c++)
        o->ends[c + 1] += o->ends[c];
    for (int64_t i = 0; i < n->count; i++) {
        int64_t at = numbers[i] < 0 ? numbers[i] + n->length : numbers[i];
        o->pairs[o->ends[1 + o->cell[i]]++] = (rk_pair){(uint32_t)(at - bounds[o->cell[i]]), (uint32_t)i};
    }
}

int rk_ordering_init(rk_ordering *o, rask_task *task, const rk_numbers *n, const int64_t *bounds)
{
    rask_block numbers;
    if (rask_arg_block(task, 1, &numbers))
        return task->status;
    if (numbers.dtype != RASK_DT_I64 || numbers.ndim != 1 || numbers.shape[0] != n->count)
        return rk_task_fail(task, RASK_EINVAL, "the numbers are not as they were planned");
    o->pairs = rk_alloc(rk_ordering_bytes(n));
    if (!o->pairs)
        return rk_task_fail(task, RASK_ENOMEM, "no memory for %lld numbers", (long long)n->count);
    o->cell = (uint32_t *)(void *)(o->pairs + n->count);
    o->ends = o->cell + n->count;
    int status = find_cells(o, task, n, bounds, numbers.data);
    if (status)
        rk_ordering_fini(o);
    else
        put_in_order(o, n, bounds, numbers.data);
    return status;
}

void rk_ordering_fini(rk_ordering *o)
{
    rk_free(o->pairs);
}

/* -- Rows */

rk_rows rk_taken_rows(const rk_taken *t, const rk_region *region)
{
    const rask_array *a = t->array;
    return (rk_rows){.outer = rk_shape_size(region->count, t->axis),
                     .inner = rk_shape_size(region->count + t->axis + 1, a->ndim - t->axis - 1) *
                              (int64_t)rask_dtype_size(a->dtype)};
}

#define GATHER(bytes)                                                                                        \
    for (int64_t i = 0; i < n; i++)                                                                          \
        memcpy(out + i * (bytes), in + (int64_t)pairs[i].row * (bytes), (bytes));                            \
    break;

void rk_rows_gather(const rk_rows *r, int64_t length, int64_t n, const rk_pair *pairs, const char *in,
                    char *out)
{
    int64_t inner = r->inner, step = length * inner;
    switch (r->outer == 1 ? inner : 0) { /* a copy of a known size is one instruction */
    case 1: GATHER(1)
    case 2: GATHER(2)
    case 4: GATHER(4)
    case 8: GATHER(8)
    case 16: GATHER(16)
    default:
        for (int64_t i = 0; i < n; i++)
            for (int64_t o = 0; o < r->outer; o++, out += inner)
                memcpy(out, in + o * step + (int64_t)pairs[i].row * inner, (size_t)inner);
    }
}

#define SCATTER(bytes)                                                                                       \
    for (int64_t i = 0; i < n; i++)                                                                          \
        memcpy(out + (int64_t)pairs[i].place * (bytes), in + i * (bytes), (bytes));                          \
    break;

void rk_rows_scatter(const rk_rows *r, int64_t length, int64_t n, const rk_pair *pairs, const char *in,
                     char *out)
{
    int64_t inner = r->inner, step = length * inner;
    switch (r->outer == 1 ? inner : 0) {
    case 1: SCATTER(1)
    case 2: SCATTER(2)
    case 4: SCATTER(4)
    case 8: SCATTER(8)
    case 16: SCATTER(16)
    default:
        for (int64_t i = 0; i < n; i++)
            for (int64_t o = 0; o < r->outer; o++, in += inner)
                memcpy(out + o * step + (int64_t)pairs[i].place * inner, in, (size_t)inner);
    }
}
