/* Convolution of strips. */
#include "collections/array/kernels/complexes.h"

/* Four products at a time, so that out is read and written once for them; they are added one after the other. */
#define CONVOLVE(how, D, T, ADD)                                                                             \
    how static void convolve_four_##D(size_t n, T *out, const T *in, const T *v)                             \
    {                                                                                                        \
        const T v0 = v[0], v1 = v[1], v2 = v[2], v3 = v[3];                                                  \
        RK_LOOP                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                                     \
            const T *x = in + i;                                                                             \
            out[i] = ADD(D, T, ADD(D, T, ADD(D, T, ADD(D, T, out[i], x[0], v0), x[-1], v1), x[-2], v2),      \
                         x[-3], v3);                                                                         \
        }                                                                                                    \
    }                                                                                                        \
    how static void convolve_one_##D(size_t n, T *out, const T *in, T v)                                     \
    {                                                                                                        \
        RK_LOOP                                                                                              \
        for (size_t i = 0; i < n; i++)                                                                       \
            out[i] = ADD(D, T, out[i], in[i], v);                                                            \
    }                                                                                                        \
    static void convolve_##D(size_t n, void *out, const void *in, size_t count, const void *weights)         \
    {                                                                                                        \
        const T *x = in, *v = weights;                                                                       \
        size_t k = 0;                                                                                        \
        for (; k + 4 <= count; k += 4)                                                                       \
            convolve_four_##D(n, out, x - k, v + k);                                                         \
        for (; k < count; k++)                                                                               \
            convolve_one_##D(n, out, x - k, v[k]);                                                           \
    }

#define REAL_ADD(D, T, sum, a, b)    ((T)((sum) + (a) * (b)))
#define TRUTH_ADD(D, T, sum, a, b)   ((T)((sum) | (((a) != 0) & ((b) != 0))))
#define COMPLEX_ADD(D, T, sum, a, b) add_product_##D(sum, a, b)
/* Wide enough not to overflow as a signed int does. */
#define NARROW_ADD(D, T, sum, a, b) ((T)((sum) + (uint32_t)(a) * (b)))

#define ADD_PRODUCT(op, D, T, R, F)                                                                          \
    RK_INLINE T add_product_##D(T sum, T a, T b)                                                             \
    {                                                                                                        \
        const T product = rk_multiply_##D(a, b);                                                             \
        return (T){sum.re + product.re, sum.im + product.im};                                                \
    }
RK_COMPLEXES(ADD_PRODUCT, )

CONVOLVE(RK_KERNEL, BOOL, rk_bool, TRUTH_ADD)
CONVOLVE(RK_KERNEL, U8, uint8_t, NARROW_ADD)
CONVOLVE(RK_KERNEL, U16, uint16_t, NARROW_ADD)
CONVOLVE(RK_KERNEL, U32, uint32_t, REAL_ADD)
CONVOLVE(RK_KERNEL, U64, uint64_t, REAL_ADD)
CONVOLVE(RK_KERNEL, F32, float, REAL_ADD)
CONVOLVE(RK_KERNEL, F64, double, REAL_ADD)
CONVOLVE(RK_COMPLEX_KERNEL, C64, rk_c64, COMPLEX_ADD)
CONVOLVE(RK_COMPLEX_KERNEL, C128, rk_c128, COMPLEX_ADD)

rk_convolve_kernel rk_convolve_find(rask_dtype dtype)
{
    static const rk_convolve_kernel by[RASK_DT_COUNT] = {
        [RASK_DT_BOOL] = convolve_BOOL, [RASK_DT_I8] = convolve_U8,   [RASK_DT_I16] = convolve_U16,
        [RASK_DT_I32] = convolve_U32,   [RASK_DT_I64] = convolve_U64, [RASK_DT_U8] = convolve_U8,
        [RASK_DT_U16] = convolve_U16,   [RASK_DT_U32] = convolve_U32, [RASK_DT_U64] = convolve_U64,
        [RASK_DT_F32] = convolve_F32,   [RASK_DT_F64] = convolve_F64, [RASK_DT_C64] = convolve_C64,
        [RASK_DT_C128] = convolve_C128,
    };
    return by[dtype];
}
