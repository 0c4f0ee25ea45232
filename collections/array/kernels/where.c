/* condition ? a : b, by the size of elements: their bytes are all that matters. */
#include "collections/array/kernels/kernel.h"

#define WHERE(size, T)                                                                                       \
    RK_KERNEL static void where_##size(size_t n, void *out, const bool *condition, const void *a,            \
                                       const void *b)                                                        \
    {                                                                                                        \
        T *o = out;                                                                                          \
        const rk_bool *c = (const rk_bool *)condition;                                                       \
        const T *x = a, *y = b;                                                                              \
        RK_LOOP                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                                     \
            const T p = x[i], q = y[i];                                                                      \
            o[i] = c[i] ? p : q;                                                                             \
        }                                                                                                    \
    }
WHERE(1, uint8_t)
WHERE(2, uint16_t)
WHERE(4, uint32_t)
WHERE(8, uint64_t)

RK_KERNEL static void where_16(size_t n, void *out, const bool *condition, const void *a, const void *b)
{
    uint64_t *o = out;
    const rk_bool *c = (const rk_bool *)condition;
    const uint64_t *x = a, *y = b;
    RK_LOOP
    for (size_t i = 0; i < n; i++) {
        const uint64_t p = x[2 * i], q = y[2 * i], r = x[2 * i + 1], s = y[2 * i + 1];
        o[2 * i] = c[i] ? p : q;
        o[2 * i + 1] = c[i] ? r : s;
    }
}

rk_where_kernel rk_where_find(rask_dtype dtype)
{
    switch (rask_dtype_size(dtype)) {
    case 1: return where_1;
    case 2: return where_2;
    case 4: return where_4;
    case 8: return where_8;
    default: return where_16;
    }
}
