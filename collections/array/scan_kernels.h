/* collections/array/scan_kernels: running sums and products over contiguous memory.
 *
 * A run is n rows of `inner` elements; row i of the result is row i - 1 of the result and row i of the input, added or
 * multiplied element by element, strictly one after another, as NumPy does it. in may be out. Thread-safe. */
#ifndef RASK_COLLECTIONS_ARRAY_SCAN_KERNELS_H
#define RASK_COLLECTIONS_ARRAY_SCAN_KERNELS_H

#include "collections/array/array.h"

enum { RK_SCAN_LANES = 4 };

typedef struct rk_scan_kernels {
    /* One run. carry: the row before it, or NULL. */
    void (*rows)(size_t n, size_t inner, void *out, const void *in, const void *carry);
    /* RK_SCAN_LANES runs of single elements at once, lane k at k * stride elements; carry[k] is one element, or NULL for
     * all. */
    void (*lanes)(size_t n, size_t stride, void *out, const void *in, const void *const *carry);
    /* out = row and out, for each of n rows. */
    void (*offset)(size_t n, size_t inner, void *out, const void *row);
} rk_scan_kernels;

/* For i64, u64, f32, f64, c64 and c128. */
const rk_scan_kernels *rk_scan_find(bool product, rask_dtype dtype);

#endif
