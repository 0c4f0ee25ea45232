/* collections/array/lower: from expressions to chunk tasks.
 *
 * Everything asks for regions. rk_lower_region() gives a node whose value is a block (C order, contiguous, of the
 * library) with the elements of a box of any expression: element-wise operations and views above it are fused into one
 * task that reads sources and chunks where it needs them. An OPAQUE operation makes chunks of its result on a grid of
 * its choice, by calling tasks of its own on regions of its inputs; chunks that nobody needs are never run.
 *
 * Sizes are exact: each node gets its result_bytes and scratch_bytes, which the budget admits tasks by. */
#ifndef RASK_COLLECTIONS_ARRAY_LOWER_H
#define RASK_COLLECTIONS_ARRAY_LOWER_H

#include "collections/array/array.h"

#include <assert.h>

/* A box of elements. */
typedef struct rk_region {
    uint32_t ndim;
    int64_t start[RASK_MAX_DIMENSIONS], count[RASK_MAX_DIMENSIONS];
} rk_region;

/* An array cut along each axis: chunk (i0, i1, …) covers bounds[k][ik] … bounds[k][ik + 1] - 1 of axis k. */
typedef struct rk_chunks {
    uint32_t ndim;
    int64_t count[RASK_MAX_DIMENSIONS];   /* chunks per axis; 1 or more (an empty axis has one empty chunk) */
    int64_t *bounds[RASK_MAX_DIMENSIONS]; /* count + 1 each */
    rask_node **nodes; /* product of count, C order; each gives a block, C order, contiguous */
} rk_chunks;

typedef struct rk_lowering rk_lowering;

/* What a lowering is for. */
rask_graph *rk_lowering_graph(const rk_lowering *l);
/* What was latched by a call that gave NULL. */
static inline int rk_lowering_failure(const rk_lowering *l)
{
    int status = rk_lowering_graph(l)->status;
    assert(status);
    return status;
}
uint64_t rk_lowering_budget(const rk_lowering *l); /* bytes; never 0 */
uint32_t rk_lowering_workers(const rk_lowering *l);
/* Bytes that one chunk should have at most: so that workers × some of them fit the budget; at most 128 MiB. */
uint64_t rk_lowering_chunk_bytes(const rk_lowering *l);
/* A folder for files of what memory has no room for, which tasks share; NULL: they can share none. */
const char *rk_lowering_scratch(const rk_lowering *l);
/* Memory that ends with the lowering; latches RASK_ENOMEM and returns NULL. */
void *rk_lowering_memory(rk_lowering *l, size_t size);

/* The block of a region of a; a single number is a block of one element, too. The same node for the same region. NULL,
 * latched, on failure. */
rask_node *rk_lower_region(rk_lowering *l, rask_array *a, const rk_region *region);

/* The chunks of a, whatever kind it is: those of an OPAQUE array, else on the grid of rk_grid_choose(). Made once.
 * NULL, latched, on failure. Belongs to the lowering. */
const rk_chunks *rk_lower_chunks(rk_lowering *l, rask_array *a);

/* A grid without nodes (room for them, zeroed). lengths: elements per axis of each chunk; the last of an axis may be
 * shorter. RASK_OK, or latched. */
int rk_grid_regular(rk_lowering *l, rk_chunks *chunks, uint32_t ndim, const int64_t *shape,
                    const int64_t *lengths);
/* Lengths for a: what the user asked for, where 0 or nothing: the grid of the source or chunks it is made of, or chosen
 * such that a chunk has at most rk_lowering_chunk_bytes() / element size elements, long in the last axes. */
void rk_grid_choose(rk_lowering *l, rask_array *a, int64_t *lengths);
/* Lengths for any shape and element size: at most bytes a chunk; axes with whole[i] are not cut. */
void rk_grid_auto(uint64_t bytes, size_t element, uint32_t ndim, const int64_t *shape, const bool *whole,
                  int64_t *lengths);

/* Makes lengths (1 or more) whole multiples of themselves: as many as come to at most bytes, along the last axes first. */
void rk_grid_multiply(uint64_t bytes, size_t element, uint32_t ndim, const int64_t *shape, int64_t *lengths);

static inline int64_t rk_chunks_total(const rk_chunks *c)
{
    return rk_shape_size(c->count, c->ndim);
}
/* The region of chunk number index[]. */
void rk_chunks_region(const rk_chunks *c, const int64_t *index, rk_region *region);
/* index[] to the next in C order; false behind the last. */
bool rk_index_next(int64_t *index, const int64_t *count, uint32_t ndim);

/* A call of def with params (size bytes, copied; compared when equal calls are merged) as argument 0 and nodes as
 * arguments 1 …: what makes up most of a lower() function. result_bytes and scratch_bytes: exact. NULL, latched. */
rask_node *rk_lower_call(rk_lowering *l, const rask_task_def *def, const void *params, size_t size,
                         rask_node *const *nodes, size_t count, uint64_t result_bytes,
                         uint64_t scratch_bytes);

/* A constant that owns data from here on, for tasks to take; also on failure: NULL, latched. */
rask_node *rk_lower_constant(rk_lowering *l, const rask_class *cls, void *data);

/* In a task: argument 0 as params of this size (a size that does not fit fails the task and returns NULL), and a new
 * result block, C order. */
const void *rk_task_params(rask_task *task, size_t size);
int rk_task_result(rask_task *task, rask_dtype dtype, uint32_t ndim, const int64_t *shape, rask_block *block,
                   rask_value *value); /* RASK_OK, or the task's status with a message */

#endif
