/* collections/array/ranks: which elements of a sorted array quantiles are made of, and how. */
#ifndef RASK_COLLECTIONS_ARRAY_RANKS_H
#define RASK_COLLECTIONS_ARRAY_RANKS_H

#include "collections/array/array.h"

/* What is wanted of each sorted line. As the parameters of tasks: int64_t and double only. */
typedef struct rk_ranks {
    int64_t dtype;  /* of the elements */
    int64_t median; /* the mean of the two middle elements instead of q */
    int64_t skip_nan;
    int64_t count; /* results */
    double q[];    /* that many; median: one, which means nothing */
} rk_ranks;

static inline size_t rk_ranks_bytes(size_t count)
{
    return sizeof(rk_ranks) + count * sizeof(double);
}

/* Of n sorted elements, 1 or more, result i is made of those at ranks low <= high <= low + 1. */
void rk_ranks_of(const rk_ranks *r, int64_t i, int64_t n, int64_t *low, int64_t *high);

/* Result i of elements with these keys (4 or 8 bytes, widened), to out: an rk_ranks_dtype(). As NumPy interpolates:
 * a + (b - a) t, or b - (b - a)(1 - t) from t = 1/2 on; but where t is 0 or both are equal it is that element, also when
 * it is infinite. */
void rk_ranks_result(const rk_ranks *r, int64_t i, int64_t n, uint64_t low_key, uint64_t high_key, void *out);
/* NaN as a result. */
void rk_ranks_nan(const rk_ranks *r, void *out);

static inline rask_dtype rk_ranks_dtype(bool median, rask_dtype dtype)
{
    return median && dtype == RASK_DT_F32 ? RASK_DT_F32 : RASK_DT_F64;
}

#endif
