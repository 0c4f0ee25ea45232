/* collections/array/fill: arrays whose elements follow from their index. */
#ifndef RASK_COLLECTIONS_ARRAY_FILL_H
#define RASK_COLLECTIONS_ARRAY_FILL_H

#include "collections/array/array.h"

/* A FILL array; params is copied, and compared byte by byte. NULL, latched. */
rask_array *rk_array_fill(rask_graph *graph, rk_fill_function function, const void *params, size_t size,
                          rask_dtype dtype, uint32_t ndim, const int64_t *shape, const char *file, int line);

/* Philox 4x32 with 10 rounds: four words from a counter and a key. */
void rk_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]);

/* The quantile of the standard normal distribution at p, 0 < p < 1. */
double rk_normal_quantile(double p);

#endif
