/* collections/array/kernels/pairwise: sums and products of a run of numbers in an order that its length alone gives. */
#ifndef RASK_COLLECTIONS_ARRAY_KERNELS_PAIRWISE_H
#define RASK_COLLECTIONS_ARRAY_KERNELS_PAIRWISE_H

#include "collections/array/kernels/complexes.h"

/* Integers wrap. Products of complex numbers are made one after another. Of nothing: 0 and 1. */
uint64_t rk_sum_U64(size_t n, const void *in);
uint64_t rk_product_U64(size_t n, const void *in);
#define RK_RUNS(op, D, T, ...)                                                                               \
    T rk_sum_##D(size_t n, const void *in);                                                                  \
    T rk_product_##D(size_t n, const void *in);
RK_FLOATS(RK_RUNS, )
RK_COMPLEXES(RK_RUNS, )
#undef RK_RUNS

/* The sum of squares of x[i] - mean. */
float rk_squares_F32(size_t n, const void *x, float mean);
double rk_squares_F64(size_t n, const void *x, double mean);

#endif
