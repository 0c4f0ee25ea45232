/* collections/array/quantile: what its parts share: lowering by passes (quantile_passes.c) or by gathering lines
 * (quantile_lines.c). */
#ifndef RASK_COLLECTIONS_ARRAY_QUANTILE_H
#define RASK_COLLECTIONS_ARRAY_QUANTILE_H

#include "collections/array/ranks.h"
#include "collections/array/stream.h"

/* Of the array. */
typedef struct rk_quantile_params {
    int64_t axis;     /* RASK_ALL, or counted from 0 */
    int64_t has_axis; /* the results have one */
    rk_ranks wanted;
} rk_quantile_params;

/* What a lowering goes by. */
typedef struct rk_quantiles {
    rk_lowering *l;
    rask_array *a, *in;
    const rk_quantile_params *p;
    size_t count;
} rk_quantiles;

/* Parameters of the task that gives results. */
typedef struct rk_quantile_ending_head {
    int64_t ndim, shape[RASK_MAX_DIMENSIONS]; /* of their block */
    int64_t n;                                /* elements of a line; passes: 0 */
} rk_quantile_ending_head;

typedef struct rk_quantile_ending {
    rk_quantile_ending_head head;
    rk_ranks wanted;
} rk_quantile_ending;

static inline size_t rk_quantile_ending_bytes(size_t count)
{
    return sizeof(rk_quantile_ending_head) + rk_ranks_bytes(count);
}

/* Results for all elements of box as a block of this shape, in some passes over them. NULL, latched. */
rask_node *rk_quantile_passes(const rk_quantiles *q, const rk_region *box, const int64_t *shape);
/* The same by gathering lines of n elements: box has the axis last, unless all of it is one line. */
rask_node *rk_quantile_lines(const rk_quantiles *q, const rk_region *box, int64_t n, const int64_t *shape);
/* Scratch of gathering so many elements in lines of n. */
uint64_t rk_quantile_lines_scratch(rask_dtype dtype, uint64_t elements, uint64_t n);

/* Parameters that end with what is wanted: head, of size bytes, before it. NULL, latched. */
void *rk_quantile_with(const rk_quantiles *q, const void *head, size_t size);
void *rk_quantile_ending_for(const rk_quantiles *q, const int64_t *shape, int64_t n);
/* In the task. NULL: the task has failed. */
const rk_quantile_ending *rk_quantile_ending_of(rask_task *task, rask_bytes params);
/* Bytes of results of this shape. */
uint64_t rk_quantile_bytes(const rk_quantiles *q, const int64_t *shape);

#define RK_QUANTILE_DEF(function, text)                                                                      \
    static const rask_task_def function##_def = {                                                            \
        .size = sizeof(rask_task_def), .name = text, .call = call_##function, .flags = RASK_PURE}

#endif
