/* collections/sums/sum: sums of float64 that do not depend on the order of their terms.
 *
 * A sum is exact: an integer of a few limbs, a window, in units of a power of two that follows the first term. Terms that
 * do not fit the window make the sum wide: an integer that holds any. Rounding happens once, when
 * the sum is asked for, so its bits depend on the set of terms alone. Infinities and NaN are remembered apart and
 * come out as in ordinary addition. Many sums (one a group) live together; so do their wide ones.
 *
 * The bit at position p of a sum stands for 2^(p - 1075), of a sum of squares for 2^(p - 2149); positions begin at 1. */
#ifndef RASK_COLLECTIONS_SUMS_SUM_H
#define RASK_COLLECTIONS_SUMS_SUM_H

#include "core/base/array.h"

/* One sum, flat. Empty: limbs 0, base RK_SUM_EMPTY, the rest 0. */
typedef struct rk_sum {
    uint64_t limb[3];  /* least first; 0 when wide */
    int16_t base;      /* position of the lowest bit; RK_SUM_EMPTY: no window (yet, or because it is wide) */
    uint16_t specials; /* which of RK_SUM_… were added */
    uint32_t wide;     /* 0, or one more than the index of the wide sum */
} rk_sum;

enum { RK_SUM_EMPTY = 0x4000, RK_SUM_PLUS = 1, RK_SUM_MINUS = 2, RK_SUM_NAN = 4 };
enum { RK_SUM_LIMBS = 34, RK_SUM_SQUARES_LIMBS = 67 }; /* of wide ones */

typedef struct rk_sums {
    rk_array sums; /* of rk_sum */
    rk_array wide; /* of RK_SUM_LIMBS or RK_SUM_SQUARES_LIMBS limbs, in two's complement */
    bool squares;
} rk_sums;

/* No sums yet. squares: they add up x * x instead of x. */
void rk_sums_init(rk_sums *sums, bool squares);
void rk_sums_fini(rk_sums *sums);

/* From here on there are count sums, the new ones empty. count does not shrink. RASK_OK, RASK_ENOMEM, RASK_ELIMIT. */
int rk_sums_resize(rk_sums *sums, size_t count);

/* Adds x[i] to sum number groups[i], for i < rows, but those with valid[i] == 0 (valid may be NULL). After RASK_ENOMEM
 * or RASK_ELIMIT some terms are in and others are not. */
int rk_sums_add(rk_sums *sums, const uint32_t *groups, const double *x, const uint8_t *valid, uint32_t rows);

/* Adds another sum to sum number i. wide: the limbs of that one when it is wide. RASK_OK, RASK_ENOMEM, RASK_ELIMIT. */
int rk_sums_merge(rk_sums *sums, size_t i, const rk_sum *from, const uint64_t *wide);

/* The limbs of one of these sums when it is wide, else NULL; and their number for a wide one. */
const uint64_t *rk_sums_wide(const rk_sums *sums, const rk_sum *sum);
uint32_t rk_sums_limbs(const rk_sums *sums);

/* Sum number i (not for squares), correctly rounded; 0 when it is empty. */
double rk_sums_get(const rk_sums *sums, size_t i);

/* (Σx² - (Σx)² / n) / (n - 1) from exact sums of the same n > 1 terms, so nothing cancels; NaN when one was infinite. */
double rk_sums_variance(const rk_sums *sums, const rk_sums *squares, size_t i, uint64_t n);

#endif
