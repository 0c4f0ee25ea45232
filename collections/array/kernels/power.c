/* power. What is exact in one operation takes it, whatever the shapes: squares, roots, reciprocals. */
#include "collections/array/kernels/complexes.h"

/* By squaring; wraps. */
#define UNSIGNED_POWER(op, D, T, W, U)                                                                       \
    RK_INLINE T whole_power_##D(T a, T left)                                                                 \
    {                                                                                                        \
        T product = 1;                                                                                       \
        for (; left; left >>= 1) {                                                                           \
            if (left & 1)                                                                                    \
                product = (T)(1u * product * a);                                                             \
            a = (T)(1u * a * a);                                                                             \
        }                                                                                                    \
        return product;                                                                                      \
    }                                                                                                        \
    RK_BINARY(RK_SCALAR, op, D, T, T, whole_power_##D(a, b))
RK_UNSIGNED(UNSIGNED_POWER, power)

/* A negative exponent gives what is left of the power in whole numbers: 1 and -1 have one, all else gives 0. */
#define SIGNED_POWER(op, D, T, W, U)                                                                         \
    RK_INLINE T whole_power_##D(T a, T b)                                                                    \
    {                                                                                                        \
        if (b >= 0)                                                                                          \
            return (T)whole_power_##W((U)a, (U)b);                                                           \
        if (a != 1 && a != -1)                                                                               \
            return 0;                                                                                        \
        return b & 1 ? a : 1;                                                                                \
    }                                                                                                        \
    RK_BINARY(RK_SCALAR, op, D, T, T, whole_power_##D(a, b))
RK_SIGNED(SIGNED_POWER, power)

/* pow(a, 0.5), where a root of -Inf is Inf and one of -0 is 0. */
#define ROOT(a, f) ((a) == -INFINITY ? INFINITY : sqrt##f(a) + 0)

#define FLOAT_POWER(op, D, T, f, unused)                                                                     \
    RK_INLINE T float_power_##D(T a, T b)                                                                    \
    {                                                                                                        \
        if (b == 2)                                                                                          \
            return a * a;                                                                                    \
        if (b == (T)0.5)                                                                                     \
            return ROOT(a, f);                                                                               \
        return b == -1 ? 1 / a : pow##f(a, b);                                                               \
    }                                                                                                        \
    RK_UNARY(RK_KERNEL, square, D, T, T, a *a)                                                               \
    RK_UNARY(RK_KERNEL, root, D, T, T, ROOT(a, f))                                                           \
    RK_UNARY(RK_KERNEL, reciprocal, D, T, T, 1 / a)                                                          \
    RK_BINARY_LOOP(RK_SCALAR, general_##D##_vs, T, T, const T one = *y, x[i], one, pow##f(a, b))             \
    RK_BINARY_LOOP(RK_SCALAR, op##_##D##_vv, T, T, , x[i], y[i], float_power_##D(a, b))                      \
    RK_BINARY_LOOP(RK_SCALAR, op##_##D##_sv, T, T, const T one = *x, one, y[i], float_power_##D(a, b))       \
    static void op##_##D##_vs(size_t n, void *out, const void *left, const void *right)                      \
    {                                                                                                        \
        T b = *(const T *)right;                                                                             \
        rk_unary_kernel simple = b == 2        ? square_##D                                                  \
                                 : b == (T)0.5 ? root_##D                                                    \
                                 : b == -1     ? reciprocal_##D                                              \
                                               : NULL;                                                           \
        if (simple)                                                                                          \
            simple(n, out, left);                                                                            \
        else                                                                                                 \
            general_##D##_vs(n, out, left, right);                                                           \
    }
RK_FLOATS(FLOAT_POWER, power)

#define COMPLEX_POWER(op, D, T, R, F) RK_BINARY(RK_SCALAR, op, D, T, T, rk_power_##D(a, b))
RK_COMPLEXES(COMPLEX_POWER, power)

RK_BINARY_ROW(POWER, RK_INTEGERS(RK_BINARY_ENTRY, power) RK_FLOATS(RK_BINARY_ENTRY, power)
                         RK_COMPLEXES(RK_BINARY_ENTRY, power))
