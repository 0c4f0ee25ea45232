/* collections/array/kernels/integers: division of integers, one pair at a time, rounded down (floor) or towards zero
 * (truncate). By zero it gives 0; the smallest number divided by -1 wraps to itself.
 *
 * Vector units divide floating-point numbers, but no integers. A quotient of integers of k bits, divided and rounded
 * with at least 2 k - 1 … or, here, 24 and 53 bits for 16 and 32, lies on the same side of every whole number as the
 * exact one: that is either whole, and then so is the rounded one, or at least 1 / b away from the next, which is more
 * than 2^-k of it, and rounding moves it by less. */
#ifndef RASK_COLLECTIONS_ARRAY_KERNELS_INTEGERS_H
#define RASK_COLLECTIONS_ARRAY_KERNELS_INTEGERS_H

#include "collections/array/kernels/kernel.h"

#include <math.h>

#define RK_DIVIDE_BY_FLOATS(T, D, F, round, f)                                                               \
    RK_INLINE T rk_floor_##D(T a, T b)                                                                       \
    {                                                                                                        \
        F quotient = floor##f((F)a / (F)b);                                                                  \
        return (T)round(b ? quotient : 0);                                                                   \
    }                                                                                                        \
    RK_INLINE T rk_truncate_##D(T a, T b)                                                                    \
    {                                                                                                        \
        F quotient = trunc##f((F)a / (F)b);                                                                  \
        return (T)round(b ? quotient : 0);                                                                   \
    }

/* Whole numbers that fit, but for 2^31, which wraps. */
#define RK_TO_I32(f) ((f) == 0x1p31 ? INT32_MIN : (int32_t)(f))
#define RK_TO_U32(f) ((uint32_t)(int32_t)((f)-0x1p31) ^ 0x80000000u)
#define RK_TO_INT(f) ((int32_t)(f))
RK_DIVIDE_BY_FLOATS(int8_t, I8, float, RK_TO_INT, f)
RK_DIVIDE_BY_FLOATS(uint8_t, U8, float, RK_TO_INT, f)
RK_DIVIDE_BY_FLOATS(int16_t, I16, float, RK_TO_INT, f)
RK_DIVIDE_BY_FLOATS(uint16_t, U16, float, RK_TO_INT, f)
RK_DIVIDE_BY_FLOATS(int32_t, I32, double, RK_TO_I32, )
RK_DIVIDE_BY_FLOATS(uint32_t, U32, double, RK_TO_U32, )
#undef RK_TO_INT
#undef RK_TO_I32
#undef RK_TO_U32
#undef RK_DIVIDE_BY_FLOATS

RK_INLINE uint64_t rk_truncate_U64(uint64_t a, uint64_t b)
{
    return b ? a / b : 0;
}
RK_INLINE uint64_t rk_floor_U64(uint64_t a, uint64_t b)
{
    return rk_truncate_U64(a, b);
}
RK_INLINE int64_t rk_truncate_I64(int64_t a, int64_t b)
{
    if (b == 0 || b == -1)
        return b ? (int64_t) - (uint64_t)a : 0;
    return a / b;
}
RK_INLINE int64_t rk_floor_I64(int64_t a, int64_t b)
{
    int64_t quotient = rk_truncate_I64(a, b),
            rest = (int64_t)((uint64_t)a - (uint64_t)quotient * (uint64_t)b);
    return quotient - (b != 0 && rest != 0 && (rest ^ b) < 0);
}

#endif
