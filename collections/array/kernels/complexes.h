/* collections/array/kernels/complexes: numbers of two halves, one at a time. The formulas are NumPy's, so that the bits are
 * NumPy's, too; functions are the C library's where it has them. */
#ifndef RASK_COLLECTIONS_ARRAY_KERNELS_COMPLEXES_H
#define RASK_COLLECTIONS_ARRAY_KERNELS_COMPLEXES_H

#include "collections/array/kernels/kernel.h"

#include <math.h>

RK_INLINE float rk_absolute_F32(float a)
{
    return fabsf(a);
}
RK_INLINE double rk_absolute_F64(double a)
{
    return fabs(a);
}

/* R. Smith, "Algorithm 116: Complex division", 1962: no square of a half is formed, which could overflow. */
#define RK_COMPLEX_DIVIDE(op, D, T, R, F)                                                                    \
    RK_INLINE T rk_divide_##D(T a, T b)                                                                      \
    {                                                                                                        \
        F re = rk_absolute_##R(b.re), im = rk_absolute_##R(b.im);                                            \
        if (re >= im) {                                                                                      \
            if (re == 0 && im == 0)                                                                          \
                return (T){a.re / re, a.im / re};                                                            \
            F ratio = b.im / b.re, scale = 1 / (b.re + b.im * ratio);                                        \
            return (T){(a.re + a.im * ratio) * scale, (a.im - a.re * ratio) * scale};                        \
        }                                                                                                    \
        F ratio = b.re / b.im, scale = 1 / (b.im + b.re * ratio);                                            \
        return (T){(a.re * ratio + a.im) * scale, (a.im * ratio - a.re) * scale};                            \
    }                                                                                                        \
    RK_INLINE T rk_multiply_##D(T a, T b)                                                                    \
    {                                                                                                        \
        return (T){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};                                    \
    }                                                                                                        \
    /* In the order of NumPy: by real parts, then by imaginary ones; false with a NaN. */                    \
    RK_INLINE bool rk_less_##D(T a, T b)                                                                     \
    {                                                                                                        \
        return (a.re < b.re && a.im == a.im && b.im == b.im) || (a.re == b.re && a.im < b.im);               \
    }                                                                                                        \
    RK_INLINE bool rk_less_equal_##D(T a, T b)                                                               \
    {                                                                                                        \
        return (a.re < b.re && a.im == a.im && b.im == b.im) || (a.re == b.re && a.im <= b.im);              \
    }                                                                                                        \
    RK_INLINE bool rk_isnan_##D(T a)                                                                         \
    {                                                                                                        \
        return (a.re != a.re) | (a.im != a.im);                                                              \
    }
RK_COMPLEXES(RK_COMPLEX_DIVIDE, divide)
#undef RK_COMPLEX_DIVIDE

/* A sum divided by how many it is of: as NumPy does, a division of complex numbers in double precision. */
#define RK_COMPLEX_MEAN(op, D, T, R, F)                                                                      \
    RK_INLINE T rk_mean_##D(T sum, double count)                                                             \
    {                                                                                                        \
        const rk_c128 mean = rk_divide_C128((rk_c128){sum.re, sum.im}, (rk_c128){count, 0});                 \
        return (T){(F)mean.re, (F)mean.im};                                                                  \
    }
RK_COMPLEXES(RK_COMPLEX_MEAN, mean)
#undef RK_COMPLEX_MEAN

/* Functions of complex numbers that the C library has: our name and its. */
#define RK_COMPLEX_FUNCTIONS(X)                                                                              \
    X(sqrt, csqrt)                                                                                           \
    X(exp, cexp)                                                                                             \
    X(log, clog)                                                                                             \
    X(sin, csin)                                                                                             \
    X(cos, ccos)                                                                                             \
    X(tan, ctan)                                                                                             \
    X(asin, casin)                                                                                           \
    X(acos, cacos)                                                                                           \
    X(atan, catan)                                                                                           \
    X(sinh, csinh)                                                                                           \
    X(cosh, ccosh)                                                                                           \
    X(tanh, ctanh)                                                                                           \
    X(asinh, casinh)                                                                                         \
    X(acosh, cacosh)                                                                                         \
    X(atanh, catanh)

#define RK_COMPLEX_DECLARE(name, c)                                                                          \
    rk_c64 rk_##name##_C64(rk_c64 a);                                                                        \
    rk_c128 rk_##name##_C128(rk_c128 a);
RK_COMPLEX_FUNCTIONS(RK_COMPLEX_DECLARE)
RK_COMPLEX_DECLARE(exp2, )
RK_COMPLEX_DECLARE(expm1, )
RK_COMPLEX_DECLARE(log2, )
RK_COMPLEX_DECLARE(log10, )
RK_COMPLEX_DECLARE(log1p, )
RK_COMPLEX_DECLARE(reciprocal, )
#undef RK_COMPLEX_DECLARE
rk_c64 rk_power_C64(rk_c64 a, rk_c64 b);
rk_c128 rk_power_C128(rk_c128 a, rk_c128 b);

#endif
