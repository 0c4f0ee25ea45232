/* collections/array/assemble: blocks put together from parts of other blocks: what concatenate, pad, repeat, tile,
 * reshape, rechunk and the edges of overlaps come to in the end.
 *
 * A part copies elements from one source block to the result. It counts along some axes of its own, which need not be
 * those of either block: each has a count and two strides, so that a repeat, a reversal, or the elements of a box that
 * lie in one run in a reshaped result are parts like any other. */
#ifndef RASK_COLLECTIONS_ARRAY_ASSEMBLE_H
#define RASK_COLLECTIONS_ARRAY_ASSEMBLE_H

#include "collections/array/lower.h"

/* Strides in elements, any sign, 0 to repeat. */
typedef struct rk_part_axis {
    int64_t count, in, out;
} rk_part_axis;

enum { RK_PART_AXES = 2 * RASK_MAX_DIMENSIONS };
#define RK_PART_FILL UINT32_MAX /* as a source: the assembly's fill value */

typedef struct rk_part {
    uint32_t source; /* number of rk_assembly_source(), or RK_PART_FILL */
    uint32_t ndim;
    int64_t in, out; /* elements before the first one */
    rk_part_axis axes[RK_PART_AXES];
} rk_part;

/* Copies a part of elements of size bytes: 1, 2, 4, 8 or 16. Long runs are copied as such. */
void rk_part_copy(const rk_part *part, size_t size, const void *in, void *out);

/* The same copy in fewer axes: those of one element vanish, neighbours that count on are joined. */
void rk_part_simplify(rk_part *part);

/* The part that copies a box of a C-order block of shape in_shape, from in_start on, to a box of one of out_shape,
 * from out_start on. */
void rk_part_box(rk_part *part, uint32_t source, uint32_t ndim, const int64_t *count, const int64_t *in_shape,
                 const int64_t *in_start, const int64_t *out_shape, const int64_t *out_start);

/* An assemble call in the making. Zeroed by init; ended by finish, whatever happened. Failures are remembered. */
typedef struct rk_assembly {
    rk_lowering *lowering;
    const rask_task_def *def;
    uint64_t result_bytes;
    rk_array nodes; /* rask_node * */
    rk_array words; /* int64_t: the call's params, as assemble.c describes */
    bool failed;
} rk_assembly;

/* The result will be a block of dtype and shape. def: RK_ASSEMBLE_DEF() of the operation. fill: one element, NULL: 0. */
void rk_assembly_init(rk_assembly *a, rk_lowering *lowering, const rask_task_def *def, rask_dtype dtype,
                      uint32_t ndim, const int64_t *shape, const void *fill);
/* A block of the result's dtype to copy from; its number. A NULL node fails the assembly. */
uint32_t rk_assembly_source(rk_assembly *a, rask_node *node);
/* Parts should cover the result, each element once: it is not cleared before. A part without elements is legal. */
void rk_assembly_part(rk_assembly *a, const rk_part *part);
/* The call; NULL, latched. */
rask_node *rk_assembly_finish(rk_assembly *a);

/* The task behind all of them, and a definition that names it after an operation. */
int rk_assemble_call(rask_task *task);
#define RK_ASSEMBLE_DEF(operation)                                                                           \
    {                                                                                                        \
        .size = sizeof(rask_task_def), .name = operation, .call = rk_assemble_call, .flags = RASK_PURE       \
    }

/* The block of a region of what chunks hold: the node of a chunk where the region is just that, else an assembly of the
 * chunks it meets. NULL, latched. */
rask_node *rk_chunks_take(rk_lowering *lowering, const rask_task_def *def, const rk_chunks *chunks,
                          rask_dtype dtype, const rk_region *region);

#endif
