/* collections/array/linalg/memory: matrices that BLAS can read where they are. */
#ifndef RASK_COLLECTIONS_ARRAY_LINALG_MEMORY_H
#define RASK_COLLECTIONS_ARRAY_LINALG_MEMORY_H

#include "collections/array/linalg/linalg.h"

/* Memory of the user's, through whatever slices and transpositions. */
typedef struct rk_matrix {
    struct rk_source *source; /* a reference, when this is a value's */
    rask_dtype dtype;
    int64_t rows, columns;
    const char *data; /* of element (0, 0) */
    int64_t stride;   /* elements from one row to the next, or, transposed, from one column to the next */
    bool transposed;
} rk_matrix;

/* The value that tasks get such a matrix as; where they run in other processes of a cluster, with a copy of its elements. */
extern const rask_class rk_matrix_class;

/* Whether a, of two axes, is one. */
bool rk_matrix_of(const rask_array *a, rk_matrix *matrix);

/* A constant of the lowering's graph, which keeps the memory as long. NULL, latched. */
rask_node *rk_matrix_node(rk_lowering *l, const rk_matrix *matrix);

#endif
