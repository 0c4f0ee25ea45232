/* collections/array/sort: what its parts share. */
#ifndef RASK_COLLECTIONS_ARRAY_SORT_H
#define RASK_COLLECTIONS_ARRAY_SORT_H

#include "collections/array/keys.h"
#include "collections/array/stream.h"

/* Of the array; its input is sorted along the last axis. */
typedef struct rk_sort_params {
    int64_t indices; /* a bool: where elements were, instead of elements */
} rk_sort_params;

/* Lowers lines of any length, each by several tasks. RASK_OK, or latched. */
int rk_sort_long(rk_lowering *l, rask_array *a, rk_chunks *chunks);

#endif
