/* collections/array/take: what its parts share. */
#ifndef RASK_COLLECTIONS_ARRAY_TAKE_H
#define RASK_COLLECTIONS_ARRAY_TAKE_H

#include "collections/array/lower.h"

/* A take of computed numbers that is lowered. */
typedef struct rk_taken {
    rk_lowering *l;
    rask_array *array; /* inputs: of what, and the numbers (i64, one axis) */
    uint32_t axis;
    int64_t cells;   /* how many the input's axis is cut into; */
    int64_t *bounds; /* cells + 1: where */
} rk_taken;

/* How numbers that are out of bounds are told of: number, at place in all of them, of an axis of so many elements. The task's
 * status. */
int rk_take_fail(rask_task *task, int64_t number, int64_t place, int64_t axis, int64_t length);

/* Lowers such that each cell is gone to once for all chunks, by way of a scratch file (take_outside.c), or where tasks share none as
 * values (take_apart.c); the chunks' grid is made, nodes are missing. RASK_OK, or latched. */
int rk_take_outside(const rk_taken *t, rk_chunks *chunks);
int rk_take_apart(const rk_taken *t, rk_chunks *chunks);

#endif
