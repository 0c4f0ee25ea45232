/* sum, prod and mean, and their nan-versions, for which NaN is nothing: 0 or 1, and not counted. */
#include "collections/array/kernels/pairwise.h"
#include "collections/array/kernels/reduce.h"

/* -- Runs ---------------------------------------------------------------------------------------------------- */

/* Without NaNs: in a copy of the strip they are made nothing. */
#define WITHOUT_NAN(D, T, name, run, TAKE)                                                                   \
    RK_KERNEL static void name##_copy_##D(size_t n, T *out, const T *x)                                      \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++)                                                                       \
            out[i] = TAKE(x[i]);                                                                             \
    }                                                                                                        \
    static T name##_##D(size_t n, const void *in)                                                            \
    {                                                                                                        \
        T kept[RK_STRIP];                                                                                    \
        name##_copy_##D(n, kept, in);                                                                        \
        return rk_##run##_##D(n, kept);                                                                      \
    }
#define OR_ZERO(x)      ((x) == (x) ? (x) : 0)
#define OR_ONE(x)       ((x) == (x) ? (x) : 1)
#define OR_ZERO_C64(x)  (rk_isnan_C64(x) ? (rk_c64){0, 0} : (x))
#define OR_ONE_C64(x)   (rk_isnan_C64(x) ? (rk_c64){1, 0} : (x))
#define OR_ZERO_C128(x) (rk_isnan_C128(x) ? (rk_c128){0, 0} : (x))
#define OR_ONE_C128(x)  (rk_isnan_C128(x) ? (rk_c128){1, 0} : (x))

#define REAL_NAN_RUNS(op, D, T, f, unused)                                                                   \
    WITHOUT_NAN(D, T, without_sum, sum, OR_ZERO)                                                             \
    WITHOUT_NAN(D, T, without_product, product, OR_ONE)
#define COMPLEX_NAN_RUNS(op, D, T, R, F)                                                                     \
    WITHOUT_NAN(D, T, without_sum, sum, OR_ZERO_##D)                                                         \
    WITHOUT_NAN(D, T, without_product, product, OR_ONE_##D)
RK_FLOATS(REAL_NAN_RUNS, )
RK_COMPLEXES(COMPLEX_NAN_RUNS, )

/* -- sum, prod ----------------------------------------------------------------------------------------------- */

#define COMPLEX_SUM(a, b)                                                                                    \
    {                                                                                                        \
        (a).re + (b).re, (a).im + (b).im                                                                     \
    }
#define ITSELF(x)      (x)
#define ADD_UP(a, b)   ((a) + (b))
#define MULTIPLY(a, b) ((a) * (b))

#define C64_SUM(a, b)  ((rk_c64)COMPLEX_SUM(a, b))
#define C128_SUM(a, b) ((rk_c128)COMPLEX_SUM(a, b))

RK_FOLD(RK_KERNEL, sum, U64, uint64_t, uint64_t, 0, ADD_UP, ITSELF, rk_sum_U64, sum_U64_add, false)
RK_FOLD(RK_KERNEL, prod, U64, uint64_t, uint64_t, 1, MULTIPLY, ITSELF, rk_product_U64, prod_U64_add, false)

#define REAL_FOLDS(op, D, T, f, unused)                                                                      \
    RK_FOLD(RK_KERNEL, sum, D, T, T, 0, ADD_UP, ITSELF, rk_sum_##D, sum_##D##_add, false)                    \
    RK_FOLD(RK_KERNEL, prod, D, T, T, 1, MULTIPLY, ITSELF, rk_product_##D, prod_##D##_add, false)            \
    RK_FOLD(RK_KERNEL, nansum, D, T, T, 0, ADD_UP, OR_ZERO, without_sum_##D, sum_##D##_add, false)           \
    RK_FOLD(RK_KERNEL, nanprod, D, T, T, 1, MULTIPLY, OR_ONE, without_product_##D, prod_##D##_add, false)
RK_FLOATS(REAL_FOLDS, )

#define NOTHING                                                                                              \
    {                                                                                                        \
        0, 0                                                                                                 \
    }
#define ONE                                                                                                  \
    {                                                                                                        \
        1, 0                                                                                                 \
    }
#define COMPLEX_FOLDS(op, D, T, R, F)                                                                        \
    RK_FOLD(RK_KERNEL, sum, D, T, T, NOTHING, D##_SUM, ITSELF, rk_sum_##D, sum_##D##_add, false)             \
    RK_FOLD(RK_COMPLEX_KERNEL, prod, D, T, T, ONE, rk_multiply_##D, ITSELF, rk_product_##D, prod_##D##_add,  \
            false)                                                                                           \
    RK_FOLD(RK_KERNEL, nansum, D, T, T, NOTHING, D##_SUM, OR_ZERO_##D, without_sum_##D, sum_##D##_add,       \
            false)                                                                                           \
    RK_FOLD(RK_COMPLEX_KERNEL, nanprod, D, T, T, ONE, rk_multiply_##D, OR_ONE_##D, without_product_##D,      \
            prod_##D##_add, false)
RK_COMPLEXES(COMPLEX_FOLDS, )

#define ROWS(op, nan_op)                                                                                     \
    RK_REDUCER(op, I64, U64)                                                                                 \
    RK_REDUCER(op, U64, U64) RK_FLOATS(RK_REDUCER_ENTRY, nan_op) RK_COMPLEXES(RK_REDUCER_ENTRY, nan_op)
const rk_reducer_row rk_reduce_SUM = {ROWS(sum, sum)};
const rk_reducer_row rk_reduce_PROD = {ROWS(prod, prod)};
const rk_reducer_row rk_reduce_NANSUM = {ROWS(sum, nansum)};
const rk_reducer_row rk_reduce_NANPROD = {ROWS(prod, nanprod)};

/* -- mean: a sum that finish divides; nanmean: a sum and a count ---------------------------------------------- */

#define REAL_QUOTIENT(D, T, a, n)    ((a) / (T)(n))
#define COMPLEX_QUOTIENT(D, T, a, n) rk_mean_##D(a, (double)(n))

#define MEAN(D, T, QUOTIENT)                                                                                 \
    static int mean_##D##_finish(size_t m, void *const *states, int64_t count, double ddof, void *out)       \
    {                                                                                                        \
        const T *s = states[0];                                                                              \
        T *o = out;                                                                                          \
        (void)ddof;                                                                                          \
        for (size_t i = 0; i < m; i++) {                                                                     \
            const T mean = QUOTIENT(D, T, s[i], count);                                                      \
            o[i] = mean;                                                                                     \
        }                                                                                                    \
        return RASK_OK;                                                                                      \
    }                                                                                                        \
    static void nanmean_##D##_init(size_t m, void *const *states)                                            \
    {                                                                                                        \
        nansum_##D##_init(m, states);                                                                        \
        memset(states[1], 0, m * sizeof(int64_t));                                                           \
    }                                                                                                        \
    RK_KERNEL static int64_t numbers_##D(size_t n, const T *x)                                               \
    {                                                                                                        \
        int64_t count = 0;                                                                                   \
        for (size_t i = 0; i < n; i++)                                                                       \
            count += !IS_NAN_##D(x[i]);                                                                      \
        return count;                                                                                        \
    }                                                                                                        \
    static void nanmean_##D##_strip(size_t n, const void *in, int64_t index, size_t at, void *const *states) \
    {                                                                                                        \
        nansum_##D##_strip(n, in, index, at, states);                                                        \
        ((int64_t *)states[1])[at] += numbers_##D(n, in);                                                    \
    }                                                                                                        \
    RK_KERNEL static void count_##D(size_t n, const T *x, int64_t *count)                                    \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++)                                                                       \
            count[i] += !IS_NAN_##D(x[i]);                                                                   \
    }                                                                                                        \
    static void nanmean_##D##_add(size_t n, const void *in, int64_t index, size_t at, void *const *states)   \
    {                                                                                                        \
        nansum_##D##_add(n, in, index, at, states);                                                          \
        count_##D(n, in, (int64_t *)states[1] + at);                                                         \
    }                                                                                                        \
    static void nanmean_##D##_merge(size_t n, void *const *a, size_t a_at, void *const *b, size_t b_at)      \
    {                                                                                                        \
        nansum_##D##_merge(n, a, a_at, b, b_at);                                                             \
        sum_U64_merge(n, a + 1, a_at, b + 1, b_at);                                                          \
    }                                                                                                        \
    static int nanmean_##D##_finish(size_t m, void *const *states, int64_t count, double ddof, void *out)    \
    {                                                                                                        \
        const T *s = states[0];                                                                              \
        const int64_t *numbers = states[1];                                                                  \
        T *o = out;                                                                                          \
        (void)count, (void)ddof;                                                                             \
        for (size_t i = 0; i < m; i++) {                                                                     \
            const T mean = QUOTIENT(D, T, s[i], numbers[i]);                                                 \
            o[i] = mean;                                                                                     \
        }                                                                                                    \
        return RASK_OK;                                                                                      \
    }
#define IS_NAN_F32(x)  ((x) != (x))
#define IS_NAN_F64(x)  ((x) != (x))
#define IS_NAN_C64(x)  rk_isnan_C64(x)
#define IS_NAN_C128(x) rk_isnan_C128(x)
MEAN(F32, float, REAL_QUOTIENT)
MEAN(F64, double, REAL_QUOTIENT)
MEAN(C64, rk_c64, COMPLEX_QUOTIENT)
MEAN(C128, rk_c128, COMPLEX_QUOTIENT)

#define MEAN_ENTRY(op, D, ...)                                                                               \
    .by[RASK_DT_##D] = {1,                                                                                   \
                        {RASK_DT_##D},                                                                       \
                        RASK_DT_##D,                                                                         \
                        .init = sum_##D##_init,                                                              \
                        .strip = sum_##D##_strip,                                                            \
                        .add = sum_##D##_add,                                                                \
                        .merge = sum_##D##_merge,                                                            \
                        .finish = mean_##D##_finish},
#define NANMEAN_ENTRY(op, D, ...)                                                                            \
    .by[RASK_DT_##D] = {2, {RASK_DT_##D, RASK_DT_I64}, RASK_DT_##D, RK_FUNCTIONS(nanmean, D)},
const rk_reducer_row rk_reduce_MEAN = {RK_FLOATS(MEAN_ENTRY, ) RK_COMPLEXES(MEAN_ENTRY, )};
const rk_reducer_row rk_reduce_NANMEAN = {RK_FLOATS(NANMEAN_ENTRY, ) RK_COMPLEXES(NANMEAN_ENTRY, )};
