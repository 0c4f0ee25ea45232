/* min and max, and their nan-versions: the state is the extreme so far. For min and max a NaN stays; for the others NaN is
 * what nothing comes to. */
#include "collections/array/kernels/extremes.h"

/* -- Which of two: a is the extreme so far, b comes ----------------------------------------------------------- */

#define LESS(a, b)    ((b) < (a) ? (b) : (a))
#define GREATER(a, b) ((b) > (a) ? (b) : (a))
#define BOTH(a, b)    ((a) & (b))
#define EITHER(a, b)  ((a) | (b))
/* One comparison more lets a NaN in; none can drive it out. */
#define LESS_OR_NAN(a, b)    (((b) < (a)) | ((b) != (b)) ? (b) : (a))
#define GREATER_OR_NAN(a, b) (((b) > (a)) | ((b) != (b)) ? (b) : (a))
/* Anything drives out a NaN. */
#define LESS_NUMBER(a, b)    (((b) < (a)) | ((a) != (a)) ? (b) : (a))
#define GREATER_NUMBER(a, b) (((b) > (a)) | ((a) != (a)) ? (b) : (a))
#define ITSELF(x)            (x)
#define TRUTH(x)             ((x) != 0)

#define COMPLEX_CHOICES(op, D, T, R, F)                                                                      \
    RK_INLINE T less_or_nan_##D(T a, T b)                                                                    \
    {                                                                                                        \
        return !rk_isnan_##D(a) && (rk_isnan_##D(b) || rk_less_##D(b, a)) ? b : a;                           \
    }                                                                                                        \
    RK_INLINE T greater_or_nan_##D(T a, T b)                                                                 \
    {                                                                                                        \
        return !rk_isnan_##D(a) && (rk_isnan_##D(b) || rk_less_##D(a, b)) ? b : a;                           \
    }                                                                                                        \
    RK_INLINE T less_number_##D(T a, T b)                                                                    \
    {                                                                                                        \
        return rk_isnan_##D(a) || rk_less_##D(b, a) ? b : a;                                                 \
    }                                                                                                        \
    RK_INLINE T greater_number_##D(T a, T b)                                                                 \
    {                                                                                                        \
        return rk_isnan_##D(a) || rk_less_##D(a, b) ? b : a;                                                 \
    }
RK_COMPLEXES(COMPLEX_CHOICES, )

/* -- Strips ---------------------------------------------------------------------------------------------------- */

/* Element i goes to lane i modulo their number, which is the dtype's alone; so many that the loop over them is vectorised
 * whatever the vectors. */
#define RUN(how, name, D, T, LANES, EMPTY, JOIN, TAKE)                                                       \
    how T rk_##name##_run_##D(size_t n, const void *in)                                                      \
    {                                                                                                        \
        const T *x = in;                                                                                     \
        T lane[LANES];                                                                                       \
        size_t i = 0;                                                                                        \
        for (size_t k = 0; k < LANES; k++)                                                                   \
            lane[k] = EMPTY;                                                                                 \
        for (; i + LANES <= n; i += LANES)                                                                   \
            for (size_t k = 0; k < LANES; k++)                                                               \
                lane[k] = JOIN(lane[k], TAKE(x[i + k]));                                                     \
        for (size_t half = LANES / 2; half; half /= 2)                                                       \
            for (size_t k = 0; k < half; k++)                                                                \
                lane[k] = JOIN(lane[k], lane[k + half]);                                                     \
        for (; i < n; i++)                                                                                   \
            lane[0] = JOIN(lane[0], TAKE(x[i]));                                                             \
        return lane[0];                                                                                      \
    }
#define LANES_OF(T) (256 / sizeof(T))

#define EXTREME(how, op, D, T, LANES, EMPTY, JOIN, TAKE)                                                     \
    RUN(how, op, D, T, LANES, EMPTY, JOIN, TAKE)                                                             \
    RK_FOLD(how, op, D, T, T, EMPTY, JOIN, TAKE, rk_##op##_run_##D, op##_##D##_add, true)

#define LARGEST_I8  INT8_MAX
#define LARGEST_I16 INT16_MAX
#define LARGEST_I32 INT32_MAX
#define LARGEST_I64 INT64_MAX
#define LARGEST_U8  UINT8_MAX
#define LARGEST_U16 UINT16_MAX
#define LARGEST_U32 UINT32_MAX
#define LARGEST_U64 UINT64_MAX
#define WHOLE_EXTREMES(op, D, T, W, U)                                                                       \
    EXTREME(RK_KERNEL, min, D, T, LANES_OF(T), LARGEST_##D, LESS, ITSELF)                                    \
    EXTREME(RK_KERNEL, max, D, T, LANES_OF(T), (T)(-LARGEST_##D - 1), GREATER, ITSELF)
RK_INTEGERS(WHOLE_EXTREMES, )
EXTREME(RK_KERNEL, min, BOOL, rk_bool, LANES_OF(rk_bool), 1, BOTH, TRUTH)
EXTREME(RK_KERNEL, max, BOOL, rk_bool, LANES_OF(rk_bool), 0, EITHER, TRUTH)

#define FLOAT_EXTREMES(op, D, T, f, unused)                                                                  \
    EXTREME(RK_KERNEL, min, D, T, LANES_OF(T), INFINITY, LESS_OR_NAN, ITSELF)                                \
    EXTREME(RK_KERNEL, max, D, T, LANES_OF(T), -INFINITY, GREATER_OR_NAN, ITSELF)                            \
    EXTREME(RK_KERNEL, nanmin, D, T, LANES_OF(T), NAN, LESS_NUMBER, ITSELF)                                  \
    EXTREME(RK_KERNEL, nanmax, D, T, LANES_OF(T), NAN, GREATER_NUMBER, ITSELF)
RK_FLOATS(FLOAT_EXTREMES, )

#define COMPLEX_EXTREMES(op, D, T, R, F)                                                                     \
    EXTREME(RK_SCALAR, min, D, T, 1, ((T){INFINITY, INFINITY}), less_or_nan_##D, ITSELF)                     \
    EXTREME(RK_SCALAR, max, D, T, 1, ((T){-INFINITY, -INFINITY}), greater_or_nan_##D, ITSELF)                \
    EXTREME(RK_SCALAR, nanmin, D, T, 1, ((T){NAN, NAN}), less_number_##D, ITSELF)                            \
    EXTREME(RK_SCALAR, nanmax, D, T, 1, ((T){NAN, NAN}), greater_number_##D, ITSELF)
RK_COMPLEXES(COMPLEX_EXTREMES, )

#define ROWS(op, nan_op)                                                                                     \
    RK_BOOLS(RK_REDUCER_ENTRY, op)                                                                           \
    RK_INTEGERS(RK_REDUCER_ENTRY, op)                                                                        \
    RK_FLOATS(RK_REDUCER_ENTRY, nan_op) RK_COMPLEXES(RK_REDUCER_ENTRY, nan_op)
const rk_reducer_row rk_reduce_MIN = {ROWS(min, min)};
const rk_reducer_row rk_reduce_MAX = {ROWS(max, max)};
const rk_reducer_row rk_reduce_NANMIN = {ROWS(min, nanmin)};
const rk_reducer_row rk_reduce_NANMAX = {ROWS(max, nanmax)};
