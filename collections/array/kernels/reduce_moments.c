/* var and std: a state is a count, a mean and the sum of squared deviations from it. Two states are put together by Chan's
 * formulae; one more element is a state of one. Within a strip the mean comes first and then the deviations from it, in
 * the dtype itself, as NumPy does with a whole array; across strips everything is f64. Deviations of complex numbers are
 * distances. */
#include "collections/array/kernels/pairwise.h"
#include "collections/array/kernels/reduce.h"

/* -- States ---------------------------------------------------------------------------------------------------
 *
 * For real numbers the mean is one array of doubles, for complex ones one of pairs; H names how many halves there are. */

static void moments_init(size_t m, void *const *states, size_t mean_size)
{
    memset(states[0], 0, m * sizeof(double));
    memset(states[1], 0, m * mean_size);
    memset(states[2], 0, m * sizeof(double));
}

/* One state as it is being worked on. */
typedef struct moments {
    double count, mean[2], squares;
} moments;

/* T. Chan, G. Golub, R. LeVeque, 1979, formula 2.1. Nothing on either side leaves the other as it is, be it infinite. */
#define MERGE(H)                                                                                             \
    RK_INLINE moments joined_##H(moments a, moments b)                                                       \
    {                                                                                                        \
        moments both = {.count = a.count + b.count};                                                         \
        double share = b.count / both.count, distance = 0;                                                   \
        for (int h = 0; h < H; h++) {                                                                        \
            double d = b.mean[h] - a.mean[h];                                                                \
            double mean = a.mean[h] + d * share;                                                             \
            distance += d * d;                                                                               \
            both.mean[h] = b.count == 0 ? a.mean[h] : a.count == 0 ? b.mean[h] : mean;                       \
        }                                                                                                    \
        double squares = a.squares + b.squares + distance * (a.count * share);                               \
        both.squares = b.count == 0 ? a.squares : a.count == 0 ? b.squares : squares;                        \
        return both;                                                                                         \
    }                                                                                                        \
    RK_INLINE moments state_##H(void *const *states, size_t i)                                               \
    {                                                                                                        \
        const double *mean = (const double *)states[1] + H * i;                                              \
        return (moments){                                                                                    \
            ((const double *)states[0])[i], {mean[0], mean[H - 1]}, ((const double *)states[2])[i]};         \
    }                                                                                                        \
    RK_INLINE void set_##H(void *const *states, size_t i, moments made)                                      \
    {                                                                                                        \
        double *mean = (double *)states[1] + H * i;                                                          \
        ((double *)states[0])[i] = made.count;                                                               \
        mean[0] = made.mean[0];                                                                              \
        mean[H - 1] = made.mean[H - 1];                                                                      \
        ((double *)states[2])[i] = made.squares;                                                             \
    }                                                                                                        \
    static void init_##H(size_t m, void *const *states)                                                      \
    {                                                                                                        \
        moments_init(m, states, H * sizeof(double));                                                         \
    }                                                                                                        \
    RK_KERNEL static void merge_##H(size_t n, void *const *to, size_t to_at, void *const *from,              \
                                    size_t from_at)                                                          \
    {                                                                                                        \
        void *const s[3] = {to[0], to[1], to[2]}, *const t[3] = {from[0], from[1], from[2]};                 \
        RK_LOOP                                                                                              \
        for (size_t i = 0; i < n; i++)                                                                       \
            set_##H(s, to_at + i, joined_##H(state_##H(s, to_at + i), state_##H(t, from_at + i)));           \
    }
MERGE(1)
MERGE(2)

/* -- Elements --------------------------------------------------------------------------------------------------
 *
 * The squares of distances from a mean, and NaNs made nothing, are written down and then added up as anything else. */

#define REAL_ELEMENTS(op, D, T, f, unused)                                                                   \
    RK_INLINE bool is_nan_##D(T x)                                                                           \
    {                                                                                                        \
        return x != x;                                                                                       \
    }                                                                                                        \
    RK_INLINE moments element_##D(T x)                                                                       \
    {                                                                                                        \
        return (moments){1, {x, x}, x - x};                                                                  \
    }                                                                                                        \
    RK_KERNEL static void numbers_##D(size_t n, T *out, const T *x)                                          \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++)                                                                       \
            out[i] = x[i] == x[i] ? x[i] : 0;                                                                \
    }                                                                                                        \
    RK_KERNEL static void distances_##D(size_t n, T *out, const T *x, T mean)                                \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++)                                                                       \
            out[i] = x[i] == x[i] ? (x[i] - mean) * (x[i] - mean) : 0;                                       \
    }                                                                                                        \
    RK_INLINE moments strip_##D(size_t n, const T *x)                                                        \
    {                                                                                                        \
        T mean = rk_sum_##D(n, x) / (T)n;                                                                    \
        return (moments){(double)n, {mean, mean}, rk_squares_##D(n, x, mean)};                               \
    }                                                                                                        \
    RK_INLINE moments nan_strip_##D(size_t n, size_t count, const T *x)                                      \
    {                                                                                                        \
        T kept[RK_STRIP];                                                                                    \
        numbers_##D(n, kept, x);                                                                             \
        T mean = rk_sum_##D(n, kept) / (T)count;                                                             \
        distances_##D(n, kept, x, mean);                                                                     \
        return (moments){(double)count, {mean, mean}, rk_sum_##D(n, kept)};                                  \
    }
RK_FLOATS(REAL_ELEMENTS, )

#define COMPLEX_ELEMENTS(op, D, T, R, F)                                                                     \
    RK_INLINE bool is_nan_##D(T x)                                                                           \
    {                                                                                                        \
        return rk_isnan_##D(x);                                                                              \
    }                                                                                                        \
    RK_INLINE moments element_##D(T x)                                                                       \
    {                                                                                                        \
        return (moments){1, {x.re, x.im}, (x.re - x.re) + (x.im - x.im)};                                    \
    }                                                                                                        \
    RK_KERNEL static void numbers_##D(size_t n, T *out, const T *x)                                          \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++) {                                                                     \
            bool skipped = rk_isnan_##D(x[i]);                                                               \
            out[i] = (T){skipped ? 0 : x[i].re, skipped ? 0 : x[i].im};                                      \
        }                                                                                                    \
    }                                                                                                        \
    RK_KERNEL static void distances_##D(size_t n, F *out, const T *x, T mean, bool skip)                     \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++) {                                                                     \
            F re = x[i].re - mean.re, im = x[i].im - mean.im, square = re * re + im * im;                    \
            out[i] = skip & rk_isnan_##D(x[i]) ? 0 : square;                                                 \
        }                                                                                                    \
    }                                                                                                        \
    RK_INLINE moments nan_strip_##D(size_t n, size_t count, const T *x)                                      \
    {                                                                                                        \
        T kept[RK_STRIP];                                                                                    \
        F squares[RK_STRIP];                                                                                 \
        numbers_##D(n, kept, x);                                                                             \
        T mean = rk_sum_##D(n, kept);                                                                        \
        mean = rk_mean_##D(mean, (double)count);                                                             \
        distances_##D(n, squares, x, mean, true);                                                            \
        return (moments){(double)count, {mean.re, mean.im}, rk_sum_##R(n, squares)};                         \
    }                                                                                                        \
    RK_INLINE moments strip_##D(size_t n, const T *x)                                                        \
    {                                                                                                        \
        T mean = rk_sum_##D(n, x);                                                                           \
        F squares[RK_STRIP];                                                                                 \
        mean = rk_mean_##D(mean, (double)n);                                                                 \
        distances_##D(n, squares, x, mean, false);                                                           \
        return (moments){(double)n, {mean.re, mean.im}, rk_sum_##R(n, squares)};                             \
    }
RK_COMPLEXES(COMPLEX_ELEMENTS, )

/* H: halves of a mean. */
#define REDUCTION(D, T, H)                                                                                   \
    static void var_##D##_strip(size_t n, const void *in, int64_t index, size_t at, void *const *states)     \
    {                                                                                                        \
        (void)index;                                                                                         \
        assert(n <= RK_STRIP);                                                                               \
        if (n)                                                                                               \
            set_##H(states, at, joined_##H(state_##H(states, at), strip_##D(n, in)));                        \
    }                                                                                                        \
    static void nanvar_##D##_strip(size_t n, const void *in, int64_t index, size_t at, void *const *states)  \
    {                                                                                                        \
        const T *x = in;                                                                                     \
        size_t count = 0;                                                                                    \
        (void)index;                                                                                         \
        assert(n <= RK_STRIP);                                                                               \
        for (size_t i = 0; i < n; i++)                                                                       \
            count += !is_nan_##D(x[i]);                                                                      \
        if (count)                                                                                           \
            set_##H(states, at,                                                                              \
                    joined_##H(state_##H(states, at),                                                        \
                               count == n ? strip_##D(n, x) : nan_strip_##D(n, count, x)));                  \
    }                                                                                                        \
    RK_KERNEL static void var_##D##_add(size_t n, const void *in, int64_t index, size_t at,                  \
                                        void *const *states)                                                 \
    {                                                                                                        \
        void *const s[3] = {states[0], states[1], states[2]};                                                \
        const T *x = in;                                                                                     \
        (void)index;                                                                                         \
        RK_LOOP                                                                                              \
        for (size_t i = 0; i < n; i++)                                                                       \
            set_##H(s, at + i, joined_##H(state_##H(s, at + i), element_##D(x[i])));                         \
    }                                                                                                        \
    RK_KERNEL static void nanvar_##D##_add(size_t n, const void *in, int64_t index, size_t at,               \
                                           void *const *states)                                              \
    {                                                                                                        \
        void *const s[3] = {states[0], states[1], states[2]};                                                \
        const T *x = in;                                                                                     \
        (void)index;                                                                                         \
        RK_LOOP                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                                     \
            moments one = element_##D(x[i]);                                                                 \
            one.count = is_nan_##D(x[i]) ? 0 : 1;                                                            \
            set_##H(s, at + i, joined_##H(state_##H(s, at + i), one));                                       \
        }                                                                                                    \
    }
REDUCTION(F32, float, 1)
REDUCTION(F64, double, 1)
REDUCTION(C64, rk_c64, 2)
REDUCTION(C128, rk_c128, 2)

/* -- Results ---------------------------------------------------------------------------------------------------- */

/* With too few elements, var divides by 0 and nanvar gives NaN. */
static double variance(void *const *states, size_t i, double ddof)
{
    double freedom = ((const double *)states[0])[i] - ddof;
    return ((const double *)states[2])[i] / (freedom > 0 ? freedom : 0);
}

static double nan_variance(void *const *states, size_t i, double ddof)
{
    return ((const double *)states[0])[i] - ddof > 0 ? variance(states, i, ddof) : NAN;
}

#define FINISH(name, R, F, which, root)                                                                      \
    static int name##_##R##_finish(size_t m, void *const *states, int64_t count, double ddof, void *out)     \
    {                                                                                                        \
        F *o = out;                                                                                          \
        (void)count;                                                                                         \
        for (size_t i = 0; i < m; i++)                                                                       \
            o[i] = root((F)which(states, i, ddof));                                                          \
        return RASK_OK;                                                                                      \
    }
FINISH(var, F32, float, variance, )
FINISH(std, F32, float, variance, sqrtf)
FINISH(nanvar, F32, float, nan_variance, )
FINISH(nanstd, F32, float, nan_variance, sqrtf)
FINISH(var, F64, double, variance, )
FINISH(std, F64, double, variance, sqrt)
FINISH(nanvar, F64, double, nan_variance, )
FINISH(nanstd, F64, double, nan_variance, sqrt)

#define ENTRY(op, name, D, MEAN, R, H)                                                                       \
    .by[RASK_DT_##D] = {3,                                                                                   \
                        {RASK_DT_F64, RASK_DT_##MEAN, RASK_DT_F64},                                          \
                        RASK_DT_##R,                                                                         \
                        .init = init_##H,                                                                    \
                        .strip = op##_##D##_strip,                                                           \
                        .add = op##_##D##_add,                                                               \
                        .merge = merge_##H,                                                                  \
                        .finish = name##_##R##_finish},
#define ROWS(op, name)                                                                                       \
    ENTRY(op, name, F32, F64, F32, 1)                                                                        \
    ENTRY(op, name, F64, F64, F64, 1) ENTRY(op, name, C64, C128, F32, 2) ENTRY(op, name, C128, C128, F64, 2)
const rk_reducer_row rk_reduce_VAR = {ROWS(var, var)};
const rk_reducer_row rk_reduce_STD = {ROWS(var, std)};
const rk_reducer_row rk_reduce_NANVAR = {ROWS(nanvar, nanvar)};
const rk_reducer_row rk_reduce_NANSTD = {ROWS(nanvar, nanstd)};
