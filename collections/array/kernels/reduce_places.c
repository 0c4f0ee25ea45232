/* argmin, argmax and their nan-versions: the state is the extreme so far and its index, -1 for nothing. Equal ones go by
 * their index, so that states may be merged in any order. */
#include "collections/array/kernels/extremes.h"

#define EQUAL(a, b)         ((a) == (b))
#define TRUTH_EQUAL(a, b)   (((a) != 0) == ((b) != 0))
#define EQUAL_OR_NAN(a, b)  (((a) == (b)) | (((a) != (a)) & ((b) != (b))))
#define EQUAL_COMPLEX(a, b) ((((a).re == (b).re) & ((a).im == (b).im)) | (IS_NAN(a) & IS_NAN(b)))
#define IS_NAN(a)           (((a).re != (a).re) | ((a).im != (a).im))
#define IS_BELOW(a, b)      ((b) < (a))
#define IS_ABOVE(a, b)      ((b) > (a))
#define TRUTH_BELOW(a, b)   (((b) == 0) & ((a) != 0))
#define TRUTH_ABOVE(a, b)   (((b) != 0) & ((a) == 0))
#define BELOW_OR_NAN(a, b)  (((b) < (a)) | (((b) != (b)) & ((a) == (a))))
#define ABOVE_OR_NAN(a, b)  (((b) > (a)) | (((b) != (b)) & ((a) == (a))))
#define BELOW_COMPLEX(a, b) (rk_less(b, a) | (IS_NAN(b) & !IS_NAN(a)))
#define ABOVE_COMPLEX(a, b) (rk_less(a, b) | (IS_NAN(b) & !IS_NAN(a)))
#define rk_less(a, b)       _Generic(a, rk_c64 : rk_less_C64, rk_c128 : rk_less_C128)(a, b)
#define ALWAYS(x)           true
#define A_NUMBER(x)         ((x) == (x))
#define A_COMPLEX_NUMBER(x) (!IS_NAN(x))

/* run: finds the extreme of a strip. BEATS(a, b): b is more extreme than a. SAME(a, b). COUNTS(b): it takes part. */
#define ARG(op, D, T, run, BEATS, SAME, COUNTS)                                                              \
    static void op##_##D##_init(size_t m, void *const *states)                                               \
    {                                                                                                        \
        memset(states[0], 0, m * sizeof(T));                                                                 \
        memset(states[1], -1, m * sizeof(int64_t));                                                          \
    }                                                                                                        \
    /* Whether b at index k goes before a at index i. */                                                     \
    RK_INLINE bool op##_##D##_better(T a, int64_t i, T b, int64_t k)                                         \
    {                                                                                                        \
        return (k >= 0) & COUNTS(b) & ((i < 0) | BEATS(a, b) | (SAME(a, b) & (k < i)));                      \
    }                                                                                                        \
    static void op##_##D##_strip(size_t n, const void *in, int64_t index, size_t at, void *const *states)    \
    {                                                                                                        \
        T *value = (T *)states[0] + at;                                                                      \
        int64_t *place = (int64_t *)states[1] + at;                                                          \
        if (!n)                                                                                              \
            return;                                                                                          \
        const T best = rk_##run##_run_##D(n, in);                                                            \
        if (!op##_##D##_better(*value, *place, best, index))                                                 \
            return;                                                                                          \
        *value = best;                                                                                       \
        *place = index + (int64_t)first_##D(n, in, best);                                                    \
    }                                                                                                        \
    RK_KERNEL static void op##_##D##_add(size_t n, const void *in, int64_t index, size_t at,                 \
                                         void *const *states)                                                \
    {                                                                                                        \
        T *value = (T *)states[0] + at;                                                                      \
        int64_t *place = (int64_t *)states[1] + at;                                                          \
        const T *x = in;                                                                                     \
        RK_LOOP                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                                     \
            const T a = value[i], b = x[i];                                                                  \
            const bool take = op##_##D##_better(a, place[i], b, index);                                      \
            value[i] = take ? b : a;                                                                         \
            place[i] = take ? index : place[i];                                                              \
        }                                                                                                    \
    }                                                                                                        \
    static void op##_##D##_merge(size_t n, void *const *to, size_t to_at, void *const *from, size_t from_at) \
    {                                                                                                        \
        T *value = (T *)to[0] + to_at;                                                                       \
        int64_t *place = (int64_t *)to[1] + to_at;                                                           \
        const T *values = (const T *)from[0] + from_at;                                                      \
        const int64_t *places = (const int64_t *)from[1] + from_at;                                          \
        for (size_t i = 0; i < n; i++)                                                                       \
            if (op##_##D##_better(value[i], place[i], values[i], places[i])) {                               \
                value[i] = values[i];                                                                        \
                place[i] = places[i];                                                                        \
            }                                                                                                \
    }

/* The first element that is the same as value: one is. */
#define FIRST(D, T, SAME)                                                                                    \
    static size_t first_##D(size_t n, const T *x, const T value)                                             \
    {                                                                                                        \
        enum { BLOCK = 64 };                                                                                 \
        size_t i = 0;                                                                                        \
        for (; i + BLOCK <= n; i += BLOCK) {                                                                 \
            int seen = 0;                                                                                    \
            for (size_t k = i; k < i + BLOCK; k++)                                                           \
                seen |= SAME(x[k], value);                                                                   \
            if (seen)                                                                                        \
                break;                                                                                       \
        }                                                                                                    \
        while (i + 1 < n && !SAME(x[i], value))                                                              \
            i++;                                                                                             \
        return i;                                                                                            \
    }

static int place_finish(size_t m, void *const *states, int64_t count, double ddof, void *out)
{
    const int64_t *place = states[1];
    (void)count, (void)ddof;
    for (size_t i = 0; i < m; i++)
        if (place[i] < 0)
            return RASK_EINVAL;
    memcpy(out, place, m * sizeof *place);
    return RASK_OK;
}

#define WHOLE_ARGS(op, D, T, W, U)                                                                           \
    FIRST(D, T, EQUAL)                                                                                       \
    ARG(argmin, D, T, min, IS_BELOW, EQUAL, ALWAYS)                                                          \
    ARG(argmax, D, T, max, IS_ABOVE, EQUAL, ALWAYS)
RK_INTEGERS(WHOLE_ARGS, )
FIRST(BOOL, rk_bool, TRUTH_EQUAL)
ARG(argmin, BOOL, rk_bool, min, TRUTH_BELOW, TRUTH_EQUAL, ALWAYS)
ARG(argmax, BOOL, rk_bool, max, TRUTH_ABOVE, TRUTH_EQUAL, ALWAYS)

#define FLOAT_ARGS(op, D, T, f, unused)                                                                      \
    FIRST(D, T, EQUAL_OR_NAN)                                                                                \
    ARG(argmin, D, T, min, BELOW_OR_NAN, EQUAL_OR_NAN, ALWAYS)                                               \
    ARG(argmax, D, T, max, ABOVE_OR_NAN, EQUAL_OR_NAN, ALWAYS)                                               \
    ARG(nanargmin, D, T, nanmin, IS_BELOW, EQUAL, A_NUMBER)                                                  \
    ARG(nanargmax, D, T, nanmax, IS_ABOVE, EQUAL, A_NUMBER)
RK_FLOATS(FLOAT_ARGS, )

#define COMPLEX_ARGS(op, D, T, R, F)                                                                         \
    FIRST(D, T, EQUAL_COMPLEX)                                                                               \
    ARG(argmin, D, T, min, BELOW_COMPLEX, EQUAL_COMPLEX, ALWAYS)                                             \
    ARG(argmax, D, T, max, ABOVE_COMPLEX, EQUAL_COMPLEX, ALWAYS)                                             \
    ARG(nanargmin, D, T, nanmin, BELOW_COMPLEX, EQUAL_COMPLEX, A_COMPLEX_NUMBER)                             \
    ARG(nanargmax, D, T, nanmax, ABOVE_COMPLEX, EQUAL_COMPLEX, A_COMPLEX_NUMBER)
RK_COMPLEXES(COMPLEX_ARGS, )

#define ARG_ENTRY(op, D, ...)                                                                                \
    .by[RASK_DT_##D] = {2,                                                                                   \
                        {RASK_DT_##D, RASK_DT_I64},                                                          \
                        RASK_DT_I64,                                                                         \
                        .init = op##_##D##_init,                                                             \
                        .strip = op##_##D##_strip,                                                           \
                        .add = op##_##D##_add,                                                               \
                        .merge = op##_##D##_merge,                                                           \
                        .finish = place_finish},
#define ARG_ROWS(op, nan_op)                                                                                 \
    RK_BOOLS(ARG_ENTRY, op)                                                                                  \
    RK_INTEGERS(ARG_ENTRY, op) RK_FLOATS(ARG_ENTRY, nan_op) RK_COMPLEXES(ARG_ENTRY, nan_op)
const rk_reducer_row rk_reduce_ARGMIN = {ARG_ROWS(argmin, argmin)};
const rk_reducer_row rk_reduce_ARGMAX = {ARG_ROWS(argmax, argmax)};
const rk_reducer_row rk_reduce_NANARGMIN = {ARG_ROWS(argmin, nanargmin)};
const rk_reducer_row rk_reduce_NANARGMAX = {ARG_ROWS(argmax, nanargmax)};
