/* collections/array/copy: boxes of elements copied between memory with strides. */
#ifndef RASK_COLLECTIONS_ARRAY_COPY_H
#define RASK_COLLECTIONS_ARRAY_COPY_H

#include "collections/array/array.h"

/* count[0] × … elements of size bytes (1, 2, 4, 8 or 16); strides in bytes, of any sign; 0 in from repeats. */
void rk_copy_box(uint32_t ndim, const int64_t *count, size_t size, void *to, const int64_t *to_strides,
                 const void *from, const int64_t *from_strides);

/* Strides of a dense C-order box. */
void rk_dense_strides(uint32_t ndim, const int64_t *count, size_t size, int64_t *strides);

#endif
