/* Signs, squares, parts and predicates: unary operations that are one expression. */
#include "collections/array/kernels/complexes.h"

#include <string.h>

/* -- Signs -- */

#define NEGATIVE(op, D, T, W, U) RK_UNARY(RK_KERNEL, op, D, T, T, (T)(0u - a))
#define ABSOLUTE(op, D, T, W, U) RK_UNARY(RK_KERNEL, op, D, T, T, a < 0 ? (T)(0 - (U)a) : a)
#define COPY(op, D, T, ...)      RK_UNARY(RK_KERNEL, op, D, T, T, a)
#define SQUARE(op, D, T, W, U)   RK_UNARY(RK_KERNEL, op, D, T, T, (T)(1u * a * a))
#define SIGN(op, D, T, W, U)     RK_UNARY(RK_KERNEL, op, D, T, T, (T)((a > 0) - (a < 0)))
#define NONZERO(op, D, T, W, U)  RK_UNARY(RK_KERNEL, op, D, T, T, a > 0)
/* 1 and -1 have one; of the others, 0 among them, it is 0. */
#define INVERSE(op, D, T, W, U)          RK_UNARY(RK_KERNEL, op, D, T, T, (a == 1) | (a == (T)-1) ? a : 0)
#define UNSIGNED_INVERSE(op, D, T, W, U) RK_UNARY(RK_KERNEL, op, D, T, T, a == 1)
RK_UNSIGNED(NEGATIVE, negative)
RK_SIGNED(ABSOLUTE, absolute)
RK_UNSIGNED(COPY, copy)
RK_UNSIGNED(SQUARE, square)
RK_SIGNED(SIGN, sign)
RK_UNSIGNED(NONZERO, sign)
RK_SIGNED(INVERSE, reciprocal)
RK_UNSIGNED(UNSIGNED_INVERSE, reciprocal)
RK_UNARY(RK_KERNEL, copy, BOOL, rk_bool, rk_bool, a != 0)

#define FLOAT_NEGATIVE(op, D, T, f, unused) RK_UNARY(RK_KERNEL, op, D, T, T, -a)
#define FLOAT_ABSOLUTE(op, D, T, f, unused) RK_UNARY(RK_KERNEL, op, D, T, T, fabs##f(a))
#define FLOAT_SQUARE(op, D, T, f, unused)   RK_UNARY(RK_KERNEL, op, D, T, T, a *a)
#define FLOAT_SIGN(op, D, T, f, unused)     RK_UNARY(RK_KERNEL, op, D, T, T, a != a ? a : (T)((a > 0) - (a < 0)))
#define FLOAT_INVERSE(op, D, T, f, unused)  RK_UNARY(RK_KERNEL, op, D, T, T, 1 / a)
RK_FLOATS(FLOAT_NEGATIVE, negative)
RK_FLOATS(FLOAT_ABSOLUTE, absolute)
RK_FLOATS(COPY, copy)
RK_FLOATS(FLOAT_SQUARE, square)
RK_FLOATS(FLOAT_SIGN, sign)
RK_FLOATS(FLOAT_INVERSE, reciprocal)

/* The sign of a complex number is that of its real part, or where that is 0 of the imaginary one. */
#define SIGN_OF(f)                       (((f) > 0) - ((f) < 0))
#define COMPLEX_NEGATIVE(op, D, T, R, F) RK_UNARY(RK_KERNEL, op, D, T, T, (T){-a.re, -a.im})
#define COMPLEX_SQUARE(op, D, T, R, F)   RK_UNARY(RK_KERNEL, op, D, T, T, rk_multiply_##D(a, a))
#define COMPLEX_SIGN(op, D, T, R, F)                                                                         \
    RK_UNARY(RK_KERNEL, op, D, T, T,                                                                         \
             (T){rk_isnan_##D(a) ? (F)NAN : (F)(a.re != 0 ? SIGN_OF(a.re) : SIGN_OF(a.im)), 0})
#define COMPLEX_INVERSE(op, D, T, R, F) RK_UNARY(RK_SCALAR, op, D, T, T, rk_reciprocal_##D(a))
RK_COMPLEXES(COMPLEX_NEGATIVE, negative)
RK_COMPLEXES(COPY, copy)
RK_COMPLEXES(COMPLEX_SQUARE, square)
RK_COMPLEXES(COMPLEX_SIGN, sign)
RK_COMPLEXES(COMPLEX_INVERSE, reciprocal)
RK_UNARY(RK_SCALAR, absolute, C64, float, rk_c64, hypotf(a.re, a.im))
RK_UNARY(RK_SCALAR, absolute, C128, double, rk_c128, hypot(a.re, a.im))

#define NUMBERS(X, op) RK_FLOATS(X, op) RK_COMPLEXES(X, op)
RK_UNARY_ROW(NEGATIVE, RK_INTEGERS(RK_UNARY_SHARED, negative) NUMBERS(RK_UNARY_ENTRY, negative))
RK_UNARY_ROW(POSITIVE, RK_INTEGERS(RK_UNARY_SHARED, copy) NUMBERS(RK_UNARY_ENTRY, copy))
RK_UNARY_ROW(ABSOLUTE, RK_BOOLS(RK_UNARY_ENTRY, copy) RK_SIGNED(RK_UNARY_ENTRY, absolute)
                           RK_UNSIGNED(RK_UNARY_ENTRY, copy) NUMBERS(RK_UNARY_ENTRY, absolute))
RK_UNARY_ROW(SIGN, RK_INTEGERS(RK_UNARY_ENTRY, sign) NUMBERS(RK_UNARY_ENTRY, sign))
RK_UNARY_ROW(SQUARE, RK_INTEGERS(RK_UNARY_SHARED, square) NUMBERS(RK_UNARY_ENTRY, square))
RK_UNARY_ROW(RECIPROCAL, RK_INTEGERS(RK_UNARY_ENTRY, reciprocal) NUMBERS(RK_UNARY_ENTRY, reciprocal))

/* -- Parts -- */

static void zero_8(size_t n, void *out, const void *in)
{
    (void)in;
    memset(out, 0, n);
}
static void zero_16(size_t n, void *out, const void *in)
{
    zero_8(2 * n, out, in);
}
static void zero_32(size_t n, void *out, const void *in)
{
    zero_8(4 * n, out, in);
}
static void zero_64(size_t n, void *out, const void *in)
{
    zero_8(8 * n, out, in);
}

#define REAL(op, D, T, R, F)            RK_UNARY(RK_KERNEL, op, D, F, T, a.re)
#define IMAGINARY(op, D, T, R, F)       RK_UNARY(RK_KERNEL, op, D, F, T, a.im)
#define CONJUGATE(op, D, T, R, F)       RK_UNARY(RK_KERNEL, op, D, T, T, (T){a.re, -a.im})
#define REAL_ANGLE(op, D, T, f, unused) RK_UNARY(RK_SCALAR, op, D, T, T, atan2##f(0, a))
RK_COMPLEXES(REAL, real)
RK_COMPLEXES(IMAGINARY, imag)
RK_COMPLEXES(CONJUGATE, conj)
RK_FLOATS(REAL_ANGLE, angle)
RK_UNARY(RK_SCALAR, angle, C64, float, rk_c64, atan2f(a.im, a.re))
RK_UNARY(RK_SCALAR, angle, C128, double, rk_c128, atan2(a.im, a.re))

RK_UNARY_ROW(REAL, RK_BOOLS(RK_UNARY_ENTRY, copy) RK_INTEGERS(RK_UNARY_SHARED, copy)
                       RK_FLOATS(RK_UNARY_ENTRY, copy) RK_COMPLEXES(RK_UNARY_ENTRY, real))
RK_UNARY_ROW(IMAG, .by[RASK_DT_BOOL] = zero_8, .by[RASK_DT_I8] = zero_8, .by[RASK_DT_I16] = zero_16,
             .by[RASK_DT_I32] = zero_32, .by[RASK_DT_I64] = zero_64, .by[RASK_DT_U8] = zero_8,
             .by[RASK_DT_U16] = zero_16, .by[RASK_DT_U32] = zero_32, .by[RASK_DT_U64] = zero_64,
             .by[RASK_DT_F32] = zero_32, .by[RASK_DT_F64] = zero_64, RK_COMPLEXES(RK_UNARY_ENTRY, imag))
RK_UNARY_ROW(CONJ, RK_INTEGERS(RK_UNARY_SHARED, copy) RK_FLOATS(RK_UNARY_ENTRY, copy)
                       RK_COMPLEXES(RK_UNARY_ENTRY, conj))
RK_UNARY_ROW(ANGLE, NUMBERS(RK_UNARY_ENTRY, angle))

/* -- Predicates -- */

static void ones_8(size_t n, void *out, const void *in)
{
    (void)in;
    memset(out, 1, n);
}

#define IS_ZERO(op, D, T, ...)              RK_UNARY(RK_KERNEL, op, D, bool, T, a == 0)
#define FLOAT_ISNAN(op, D, T, f, unused)    RK_UNARY(RK_KERNEL, op, D, bool, T, a != a)
#define FLOAT_ISINF(op, D, T, f, unused)    RK_UNARY(RK_KERNEL, op, D, bool, T, fabs##f(a) == (T)INFINITY)
#define FLOAT_ISFINITE(op, D, T, f, unused) RK_UNARY(RK_KERNEL, op, D, bool, T, fabs##f(a) < (T)INFINITY)
RK_BOOLS(IS_ZERO, is_zero)
RK_UNSIGNED(IS_ZERO, is_zero)
RK_FLOATS(IS_ZERO, is_zero)
RK_FLOATS(FLOAT_ISNAN, isnan)
RK_FLOATS(FLOAT_ISINF, isinf)
RK_FLOATS(FLOAT_ISFINITE, isfinite)
RK_UNARY(RK_KERNEL, signbit, F32, bool, uint32_t, a >> 31)
RK_UNARY(RK_KERNEL, signbit, F64, bool, uint64_t, a >> 63)

#define BOTH_ZERO(op, D, T, R, F)     RK_UNARY(RK_KERNEL, op, D, bool, T, (a.re == 0) & (a.im == 0))
#define COMPLEX_ISNAN(op, D, T, R, F) RK_UNARY(RK_KERNEL, op, D, bool, T, rk_isnan_##D(a))
#define COMPLEX_ISINF(op, D, T, R, F)                                                                        \
    RK_UNARY(RK_KERNEL, op, D, bool, T,                                                                      \
             (rk_absolute_##R(a.re) == (F)INFINITY) | (rk_absolute_##R(a.im) == (F)INFINITY))
#define COMPLEX_ISFINITE(op, D, T, R, F)                                                                     \
    RK_UNARY(RK_KERNEL, op, D, bool, T,                                                                      \
             (rk_absolute_##R(a.re) < (F)INFINITY) & (rk_absolute_##R(a.im) < (F)INFINITY))
RK_COMPLEXES(BOTH_ZERO, is_zero)
RK_COMPLEXES(COMPLEX_ISNAN, isnan)
RK_COMPLEXES(COMPLEX_ISINF, isinf)
RK_COMPLEXES(COMPLEX_ISFINITE, isfinite)

/* Whole numbers are never NaN or infinite. */
#define ALWAYS_TRUE(op, D, ...)  .by[RASK_DT_##D] = ones_8,
#define ALWAYS_FALSE(op, D, ...) .by[RASK_DT_##D] = zero_8,
#define WHOLE(X)                 RK_BOOLS(X, ) RK_INTEGERS(X, )
RK_UNARY_ROW(LOGICAL_NOT, RK_BOOLS(RK_UNARY_ENTRY, is_zero) RK_INTEGERS(RK_UNARY_SHARED, is_zero)
                              NUMBERS(RK_UNARY_ENTRY, is_zero))
RK_UNARY_ROW(ISNAN, WHOLE(ALWAYS_FALSE) NUMBERS(RK_UNARY_ENTRY, isnan))
RK_UNARY_ROW(ISINF, WHOLE(ALWAYS_FALSE) NUMBERS(RK_UNARY_ENTRY, isinf))
RK_UNARY_ROW(ISFINITE, WHOLE(ALWAYS_TRUE) NUMBERS(RK_UNARY_ENTRY, isfinite))
RK_UNARY_ROW(SIGNBIT, RK_FLOATS(RK_UNARY_ENTRY, signbit))
