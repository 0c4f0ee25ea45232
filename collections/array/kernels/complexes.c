#include "collections/array/kernels/complexes.h"

#include <complex.h>

/* To the C library's type, and back: the layout is the same. */
#define CONVERSIONS(op, D, T, R, F)                                                                          \
    RK_INLINE F _Complex to_c_##D(T a)                                                                       \
    {                                                                                                        \
        F _Complex z;                                                                                        \
        __builtin_memcpy(&z, &a, sizeof z);                                                                  \
        return z;                                                                                            \
    }                                                                                                        \
    RK_INLINE T from_c_##D(F _Complex z)                                                                     \
    {                                                                                                        \
        T a;                                                                                                 \
        __builtin_memcpy(&a, &z, sizeof a);                                                                  \
        return a;                                                                                            \
    }
RK_COMPLEXES(CONVERSIONS, )

#define FUNCTION(name, function)                                                                             \
    rk_c64 rk_##name##_C64(rk_c64 a)                                                                         \
    {                                                                                                        \
        return from_c_C64(function##f(to_c_C64(a)));                                                         \
    }                                                                                                        \
    rk_c128 rk_##name##_C128(rk_c128 a)                                                                      \
    {                                                                                                        \
        return from_c_C128(function(to_c_C128(a)));                                                          \
    }
RK_COMPLEX_FUNCTIONS(FUNCTION)

#define SCALED_LOGARITHM(name, D, T, F, factor)                                                              \
    T rk_##name##_##D(T a)                                                                                   \
    {                                                                                                        \
        T l = rk_log_##D(a);                                                                                 \
        return (T){l.re * (F)factor, l.im * (F)factor};                                                      \
    }
SCALED_LOGARITHM(log2, C64, rk_c64, float, M_LOG2E)
SCALED_LOGARITHM(log2, C128, rk_c128, double, M_LOG2E)
SCALED_LOGARITHM(log10, C64, rk_c64, float, M_LOG10E)
SCALED_LOGARITHM(log10, C128, rk_c128, double, M_LOG10E)

/* expm1: the real part without cancellation where a is small: cos y = 1 - 2 sin²(y / 2). */
#define REST(D, T, F, f)                                                                                     \
    T rk_exp2_##D(T a)                                                                                       \
    {                                                                                                        \
        return rk_exp_##D((T){a.re * (F)M_LN2, a.im * (F)M_LN2});                                            \
    }                                                                                                        \
    T rk_expm1_##D(T a)                                                                                      \
    {                                                                                                        \
        F half = sin##f(a.im / 2);                                                                           \
        return (T){expm1##f(a.re) * cos##f(a.im) - 2 * half * half, exp##f(a.re) * sin##f(a.im)};            \
    }                                                                                                        \
    T rk_log1p_##D(T a)                                                                                      \
    {                                                                                                        \
        return (T){log##f(hypot##f(a.re + 1, a.im)), atan2##f(a.im, a.re + 1)};                              \
    }                                                                                                        \
    T rk_reciprocal_##D(T a)                                                                                 \
    {                                                                                                        \
        if (fabs##f(a.im) <= fabs##f(a.re)) {                                                                \
            F ratio = a.im / a.re, divisor = a.re + a.im * ratio;                                            \
            return (T){1 / divisor, -ratio / divisor};                                                       \
        }                                                                                                    \
        F ratio = a.re / a.im, divisor = a.re * ratio + a.im;                                                \
        return (T){ratio / divisor, -1 / divisor};                                                           \
    }                                                                                                        \
    /* a to a whole number, by squaring but for the first ones. */                                           \
    static T whole_power_##D(T a, int exponent)                                                              \
    {                                                                                                        \
        T product = {1, 0}, square = rk_multiply_##D(a, a);                                                  \
        if (exponent > 0 && exponent <= 3)                                                                   \
            return exponent == 1 ? a : exponent == 2 ? square : rk_multiply_##D(a, square);                  \
        for (unsigned left = exponent < 0 ? -exponent : exponent; left; left >>= 1) {                        \
            if (left & 1)                                                                                    \
                product = rk_multiply_##D(product, a);                                                       \
            a = rk_multiply_##D(a, a);                                                                       \
        }                                                                                                    \
        return exponent < 0 ? rk_divide_##D((T){1, 0}, product) : product;                                   \
    }                                                                                                        \
    T rk_power_##D(T a, T b)                                                                                 \
    {                                                                                                        \
        if (b.re == 0 && b.im == 0)                                                                          \
            return (T){1, 0};                                                                                \
        if (a.re == 0 && a.im == 0)                                                                          \
            return b.re > 0 && b.im == 0 ? (T){0, 0} : (T){NAN, NAN};                                        \
        if (b.im == 0 && b.re > -100 && b.re < 100 && b.re == (int)b.re)                                     \
            return whole_power_##D(a, (int)b.re);                                                            \
        return from_c_##D(cpow##f(to_c_##D(a), to_c_##D(b)));                                                \
    }
REST(C64, rk_c64, float, f)
REST(C128, rk_c128, double, )
