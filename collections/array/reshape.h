/* collections/array/reshape: reshapes that no view can express. */
#ifndef RASK_COLLECTIONS_ARRAY_RESHAPE_H
#define RASK_COLLECTIONS_ARRAY_RESHAPE_H

#include "collections/array/array.h"

/* a's elements in C order as an array of this shape, which has as many. Without a copy where they lie in memory or in a
 * file such that strides can say it, or are computed from such ones; else a copy of each byte. NULL, latched. */
rask_array *rk_array_reshape_copy(rask_array *a, uint32_t ndim, const int64_t *shape, const char *file,
                                  int line);

/* Strides of the new shape for the elements at these strides of the old one, both with as many elements, more than none.
 * False when there are none. */
bool rk_reshape_strides(uint32_t ndim, const int64_t *shape, const int64_t *strides, uint32_t new_ndim,
                        const int64_t *new_shape, int64_t *new_strides);

/* The next box of elements pos … end - 1 of a shape, counted in C order: its size in elements. Few boxes make any range:
 * at most two for each axis. */
int64_t rk_flat_box(uint32_t ndim, const int64_t *shape, int64_t pos, int64_t end, int64_t *start,
                    int64_t *count);

#endif
