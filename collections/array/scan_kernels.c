#include "collections/array/scan_kernels.h"

#include <assert.h>
#include <string.h>

typedef struct c64 {
    float re, im;
} c64;
typedef struct c128 {
    double re, im;
} c128;

/* Input and output are the same memory or do not overlap, which the compiler is told: rows are vectors then. Lanes make up
 * for the time that one addition waits for the one before it. */
#define INDEPENDENT _Pragma("GCC ivdep")

#define SCAN_KERNELS(name, type, OP)                                                                         \
    static void row_##name(size_t n, type *out, const type *a, const type *b)                                \
    {                                                                                                        \
        INDEPENDENT                                                                                          \
        for (size_t i = 0; i < n; i++)                                                                       \
            out[i] = OP(a[i], b[i]);                                                                         \
    }                                                                                                        \
    static void line_##name(size_t n, type *out, const type *in, const type *carry)                          \
    {                                                                                                        \
        type last = carry ? OP(*carry, in[0]) : in[0];                                                       \
        out[0] = last;                                                                                       \
        for (size_t i = 1; i < n; i++)                                                                       \
            out[i] = last = OP(last, in[i]);                                                                 \
    }                                                                                                        \
    static void rows_##name(size_t n, size_t inner, void *to, const void *from, const void *carry)           \
    {                                                                                                        \
        type *out = to;                                                                                      \
        const type *in = from;                                                                               \
        if (!n || !inner)                                                                                    \
            return;                                                                                          \
        if (inner == 1) {                                                                                    \
            line_##name(n, out, in, carry);                                                                  \
            return;                                                                                          \
        }                                                                                                    \
        if (carry)                                                                                           \
            row_##name(inner, out, carry, in);                                                               \
        else if (out != in)                                                                                  \
            memcpy(out, in, inner * sizeof *out);                                                            \
        for (size_t i = 1; i < n; i++)                                                                       \
            row_##name(inner, out + i * inner, out + (i - 1) * inner, in + i * inner);                       \
    }                                                                                                        \
    static void lanes_##name(size_t n, size_t stride, void *to, const void *from, const void *const *carry)  \
    {                                                                                                        \
        type *out = to;                                                                                      \
        const type *in = from;                                                                               \
        type last[RK_SCAN_LANES];                                                                            \
        if (!n)                                                                                              \
            return;                                                                                          \
        for (size_t k = 0; k < RK_SCAN_LANES; k++)                                                           \
            out[k * stride] = last[k] =                                                                      \
                carry ? OP(*(const type *)carry[k], in[k * stride]) : in[k * stride];                        \
        for (size_t i = 1; i < n; i++)                                                                       \
            for (size_t k = 0; k < RK_SCAN_LANES; k++)                                                       \
                out[k * stride + i] = last[k] = OP(last[k], in[k * stride + i]);                             \
    }                                                                                                        \
    static void offset_##name(size_t n, size_t inner, void *to, const void *from)                            \
    {                                                                                                        \
        type *restrict out = to; /* not the row's */                                                         \
        const type *restrict row = from;                                                                     \
        if (inner == 1) {                                                                                    \
            type by = row[0];                                                                                \
            for (size_t i = 0; i < n; i++)                                                                   \
                out[i] = OP(by, out[i]);                                                                     \
            return;                                                                                          \
        }                                                                                                    \
        for (size_t i = 0; i < n; i++)                                                                       \
            for (size_t k = 0; k < inner; k++)                                                               \
                out[i * inner + k] = OP(row[k], out[i * inner + k]);                                         \
    }                                                                                                        \
    static const rk_scan_kernels name##_kernels = {rows_##name, lanes_##name, offset_##name};

#define ADD(a, b)      ((a) + (b))
#define MULTIPLY(a, b) ((a) * (b))
#define ADD_HALVES(a, b)                                                                                     \
    {                                                                                                        \
        (a).re + (b).re, (a).im + (b).im                                                                     \
    }
#define ADD_C64(a, b)       ((c64)ADD_HALVES(a, b))
#define ADD_C128(a, b)      ((c128)ADD_HALVES(a, b))
#define MULTIPLY_C64(a, b)  multiply_c64(a, b)
#define MULTIPLY_C128(a, b) multiply_c128(a, b)

static inline c64 multiply_c64(c64 a, c64 b)
{
    return (c64){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static inline c128 multiply_c128(c128 a, c128 b)
{
    return (c128){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

SCAN_KERNELS(sum_u64, uint64_t, ADD)
SCAN_KERNELS(sum_f32, float, ADD)
SCAN_KERNELS(sum_f64, double, ADD)
SCAN_KERNELS(sum_c64, c64, ADD_C64)
SCAN_KERNELS(sum_c128, c128, ADD_C128)
SCAN_KERNELS(product_u64, uint64_t, MULTIPLY)
SCAN_KERNELS(product_f32, float, MULTIPLY)
SCAN_KERNELS(product_f64, double, MULTIPLY)
SCAN_KERNELS(product_c64, c64, MULTIPLY_C64)
SCAN_KERNELS(product_c128, c128, MULTIPLY_C128)

const rk_scan_kernels *rk_scan_find(bool product, rask_dtype dtype)
{
    switch (dtype) {
    case RASK_DT_I64:
    case RASK_DT_U64: return product ? &product_u64_kernels : &sum_u64_kernels;
    case RASK_DT_F32: return product ? &product_f32_kernels : &sum_f32_kernels;
    case RASK_DT_F64: return product ? &product_f64_kernels : &sum_f64_kernels;
    case RASK_DT_C64: return product ? &product_c64_kernels : &sum_c64_kernels;
    case RASK_DT_C128: return product ? &product_c128_kernels : &sum_c128_kernels;
    default: assert(!"a dtype that scans are made in"); return NULL;
    }
}
