/* floor_divide, remainder (of the sign of b) and fmod (of the sign of a). */
#include "collections/array/kernels/integers.h"

#define FLOOR(op, D, T, W, U) RK_BINARY(RK_KERNEL, op, D, T, T, rk_floor_##D(a, b))
#define REMAINDER(op, D, T, W, U)                                                                            \
    RK_BINARY(RK_KERNEL, op, D, T, T, b ? (T)((U)a - 1u * (U)rk_floor_##D(a, b) * (U)b) : 0)
#define FMOD(op, D, T, W, U)                                                                                 \
    RK_BINARY(RK_KERNEL, op, D, T, T, b ? (T)((U)a - 1u * (U)rk_truncate_##D(a, b) * (U)b) : 0)
RK_INTEGERS(FLOOR, floor_divide)
RK_INTEGERS(REMAINDER, remainder)
RK_INTEGERS(FMOD, fmod)

/* As Python divides: the remainder has the sign of b, also when it is zero; the quotient is whole, and the nearest one
 * where rounding left it between two. By zero: Inf or NaN, remainder NaN. */
#define PYTHON(op, D, T, f, unused)                                                                          \
    RK_INLINE T float_remainder_##D(T a, T b)                                                                \
    {                                                                                                        \
        T rest = fmod##f(a, b);                                                                              \
        if (b == 0)                                                                                          \
            return rest;                                                                                     \
        if (rest == 0)                                                                                       \
            return copysign##f(0, b);                                                                        \
        return (b < 0) != (rest < 0) ? rest + b : rest;                                                      \
    }                                                                                                        \
    RK_INLINE T float_floor_divide_##D(T a, T b)                                                             \
    {                                                                                                        \
        if (b == 0)                                                                                          \
            return a / b;                                                                                    \
        T rest = fmod##f(a, b), quotient = (a - rest) / b;                                                   \
        if (rest != 0 && (b < 0) != (rest < 0))                                                              \
            quotient -= 1;                                                                                   \
        if (quotient == 0)                                                                                   \
            return copysign##f(0, a / b);                                                                    \
        T whole = floor##f(quotient);                                                                        \
        return quotient - whole > (T)0.5 ? whole + 1 : whole;                                                \
    }
RK_FLOATS(PYTHON, )

#define FLOAT_FLOOR(op, D, T, f, unused)     RK_BINARY(RK_SCALAR, op, D, T, T, float_floor_divide_##D(a, b))
#define FLOAT_REMAINDER(op, D, T, f, unused) RK_BINARY(RK_SCALAR, op, D, T, T, float_remainder_##D(a, b))
#define FLOAT_FMOD(op, D, T, f, unused)      RK_BINARY(RK_SCALAR, op, D, T, T, fmod##f(a, b))
RK_FLOATS(FLOAT_FLOOR, floor_divide)
RK_FLOATS(FLOAT_REMAINDER, remainder)
RK_FLOATS(FLOAT_FMOD, fmod)

RK_BINARY_ROW(FLOOR_DIVIDE,
              RK_INTEGERS(RK_BINARY_ENTRY, floor_divide) RK_FLOATS(RK_BINARY_ENTRY, floor_divide))
RK_BINARY_ROW(REMAINDER, RK_INTEGERS(RK_BINARY_ENTRY, remainder) RK_FLOATS(RK_BINARY_ENTRY, remainder))
RK_BINARY_ROW(FMOD, RK_INTEGERS(RK_BINARY_ENTRY, fmod) RK_FLOATS(RK_BINARY_ENTRY, fmod))
