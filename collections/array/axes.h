/* collections/array/axes: operations that number each axis anew, by itself: concatenate, pad, repeat, tile, and the
 * surroundings of an overlap.
 *
 * A map says for each place of a result's axis which element of an input's axis is there. Over a range it comes down to
 * a few stretches: runs whose elements lie a fixed step apart in the input, and which may themselves repeat at fixed
 * distances. A region of the result then needs a box of the input for each combination of the axes' spans, and is put
 * together from them; where it is one box in order, it is that box of the input, and nothing is copied. */
#ifndef RASK_COLLECTIONS_ARRAY_AXES_H
#define RASK_COLLECTIONS_ARRAY_AXES_H

#include "collections/array/assemble.h"
#include "collections/array/cuts.h"

typedef enum rk_axis_kind {
    RK_AXIS_CONSTANT,  /* the input's elements from place before on, the fill value around them */
    RK_AXIS_EDGE,      /* its first and last element around them */
    RK_AXIS_REFLECT,   /* mirrored at the outer elements, which are not repeated */
    RK_AXIS_SYMMETRIC, /* mirrored at the edges: the outer elements come twice */
    RK_AXIS_WRAP,      /* again and again */
    RK_AXIS_REPEAT,    /* each element times times */
    RK_AXIS_JOINED,    /* input i at joints[i] … joints[i + 1] - 1 */
} rk_axis_kind;

typedef struct rk_axis_map {
    rk_axis_kind kind;
    uint32_t joint_count; /* inputs, of JOINED */
    int64_t length; /* of the input's axis; not 0 but for CONSTANT, JOINED, and where nothing is asked */
    int64_t before, times;
    const int64_t *joints; /* joint_count + 1; set while lowering, by the inputs' shapes */
} rk_axis_map;

/* Result elements out + j + r * rep_out are input elements in + j * step + r * rep_in, j < count, r < reps. */
typedef struct rk_stretch {
    int64_t out, in, count, step;
    int64_t reps, rep_out, rep_in;
    uint32_t source; /* which input; RK_PART_FILL: the fill value */
    uint32_t span;   /* for rk_axes_region() */
} rk_stretch;

/* Appends the stretches of count elements from start on to list (of rk_stretch); out counts from start. RASK_OK or
 * RASK_ENOMEM. They are few: of mirrored and wrapped axes never more than nine. */
int rk_axis_stretches(const rk_axis_map *map, int64_t start, int64_t count, rk_array *list);

/* What such an operation is: params of its OPAQUE array. */
typedef struct rk_axes {
    const rask_task_def *def; /* RK_ASSEMBLE_DEF() */
    rk_axis_map maps[RASK_MAX_DIMENSIONS];
    uint64_t fill[2]; /* one element */
} rk_axes;

/* The block of a region of axes over inputs (one, or those of JOINED), which all have this dtype. The region may reach
 * beyond the result wherever maps go on. NULL, latched. */
rask_node *rk_axes_region(rk_lowering *lowering, const rk_axes *axes, rask_array *const *inputs,
                          rask_dtype dtype, uint32_t ndim, const rk_region *region);

/* The class of OPAQUE arrays with rk_axes as params. */
int rk_axes_lower(rk_lowering *lowering, rask_array *array, rk_chunks *chunks);

#endif
