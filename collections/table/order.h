/* collections/table/order: in what order rows come.
 *
 * Rows are compared column by column, each ascending or descending. Numbers go by value, false before true, text by its
 * bytes; NaN comes behind all numbers and null behind everything, in both directions. What compares as equal goes by its
 * position in the whole input, so that no order depends on how the input was cut.
 *
 * Most comparisons are decided by a rank: 64 bits of a value that order as the value does; equal ranks decide nothing. */
#ifndef RASK_COLLECTIONS_TABLE_ORDER_H
#define RASK_COLLECTIONS_TABLE_ORDER_H

#include "collections/table/column.h"

#include <string.h>

#define RK_RANK_NULL UINT64_MAX
#define RK_RANK_NAN  (UINT64_MAX - 1)

typedef struct rk_order {
    uint32_t column;
    bool descending;
} rk_order;

static inline uint64_t rk_rank_i64(int64_t x, bool descending)
{
    uint64_t rank = (uint64_t)x ^ (uint64_t)1 << 63;
    return descending ? ~rank : rank;
}

static inline uint64_t rk_rank_f64(double x, bool descending)
{
    uint64_t bits;
    double zeroed = x + 0.0; /* -0.0 becomes 0.0 */
    memcpy(&bits, &zeroed, sizeof bits);
    bits ^= (uint64_t)((int64_t)bits >> 63) | (uint64_t)1 << 63;
    return x != x ? RK_RANK_NAN : descending ? ~bits : bits;
}

/* What ascending ranks are of; of RK_RANK_NAN that is a NaN. */
static inline int64_t rk_unrank_i64(uint64_t rank)
{
    return (int64_t)(rank ^ (uint64_t)1 << 63);
}

static inline double rk_unrank_f64(uint64_t rank)
{
    double x;
    uint64_t bits = rank >> 63 ? rank ^ (uint64_t)1 << 63 : ~rank;
    memcpy(&x, &bits, sizeof x);
    return x;
}

uint64_t rk_rank_text(rask_bytes text, bool descending);
/* Of a row that is not null, or RK_RANK_NULL. */
uint64_t rk_rank(const rk_column *column, uint32_t row, bool descending);

/* The range that a rank is in, of those that count ascending splitters begin, behind the first. */
static inline uint32_t rk_range_of(const uint64_t *splitters, uint32_t count, uint64_t rank)
{
    const uint64_t *at = splitters;
    uint32_t left = count;
    while (left > 1) { /* without branches: nobody can predict them */
        uint32_t half = left / 2;
        at += (size_t)half & -(size_t)(at[half - 1] <= rank);
        left -= half;
    }
    return (uint32_t)(at - splitters) + (left && *at <= rank);
}

/* Row a of one column against row b of another of the same type; < 0 when a comes first. */
int rk_column_compare(const rk_column *a, uint32_t row_a, const rk_column *b, uint32_t row_b,
                      bool descending);

/* Something to be sorted: its rank, and which one it is. */
typedef struct rk_ranked {
    uint64_t rank, item;
} rk_ranked;

/* Compares two items of equal rank; < 0 when a comes first. 0 keeps them as they are. */
typedef int rk_compare(const void *context, uint64_t a, uint64_t b);

/* Sorts, stably; scratch has room for as many. compare: NULL where equal ranks are equal. */
void rk_sort(rk_ranked *items, rk_ranked *scratch, size_t count, rk_compare *compare, const void *context);

#endif
