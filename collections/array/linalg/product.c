/* Products of matrices in memory: BLAS for floats and complex numbers, plain loops that wrap for integers. */
#include "collections/array/kernels/kernel.h"
#include "collections/array/linalg/linalg.h"

#include <string.h>

/* The part of b that the innermost loops go through again and again: within the second-level cache. */
enum { BLOCK_DEPTH = 64, BLOCK_WIDTH = 1024 };

/* How many rows, columns and terms, and where they are. */
typedef struct block {
    int64_t m, n, k, a_stride, b_stride, c_stride;
} block;

/* c += a b. Four rows of b at a time, so that c is read and written once for four products. TERM is wide enough not to
 * overflow as a signed int does. */
#define PRODUCT(T, WIDE)                                                                                     \
    RK_KERNEL static void add_row_##T(int64_t n, T *c, const T *b, int64_t stride, const T *a)               \
    {                                                                                                        \
        const WIDE a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];                                               \
        const T *b0 = b, *b1 = b + stride, *b2 = b1 + stride, *b3 = b2 + stride;                             \
        RK_LOOP                                                                                              \
        for (int64_t j = 0; j < n; j++)                                                                      \
            c[j] = (T)(c[j] + a0 * b0[j] + a1 * b1[j] + a2 * b2[j] + a3 * b3[j]);                            \
    }                                                                                                        \
    static void product_##T(const block *s, const void *left, const void *right, void *result)               \
    {                                                                                                        \
        for (int64_t i = 0; i < s->m; i++) {                                                                 \
            const T *a = (const T *)left + i * s->a_stride, *b = right;                                      \
            T *c = (T *)result + i * s->c_stride;                                                            \
            int64_t p = 0;                                                                                   \
            for (; p + 4 <= s->k; p += 4)                                                                    \
                add_row_##T(s->n, c, b + p * s->b_stride, s->b_stride, a + p);                               \
            for (; p < s->k; p++)                                                                            \
                add_row_##T(s->n, c, b + p * s->b_stride, 0, (const T[4]){a[p]});                            \
        }                                                                                                    \
    }

PRODUCT(uint8_t, uint32_t)
PRODUCT(uint16_t, uint32_t)
PRODUCT(uint32_t, uint32_t)
PRODUCT(uint64_t, uint64_t)

/* Bytes that are 0 or not. */
static void product_bool(const block *s, const void *left, const void *right, void *result)
{
    for (int64_t i = 0; i < s->m; i++) {
        const uint8_t *a = (const uint8_t *)left + i * s->a_stride, *b = right;
        uint8_t *c = (uint8_t *)result + i * s->c_stride;
        for (int64_t p = 0; p < s->k; p++)
            for (int64_t j = 0; a[p] && j < s->n; j++)
                c[j] |= b[p * s->b_stride + j] != 0;
    }
}

typedef void (*block_function)(const block *s, const void *a, const void *b, void *c);

static block_function function_of(rask_dtype dtype)
{
    switch (rask_dtype_size(dtype)) {
    case 1: return dtype == RASK_DT_BOOL ? product_bool : product_uint8_t;
    case 2: return product_uint16_t;
    case 4: return product_uint32_t;
    default: return product_uint64_t;
    }
}

static void run_integers(const rk_product *p)
{
    size_t size = rask_dtype_size(p->dtype);
    block_function run = function_of(p->dtype);
    for (int64_t i = 0; i < p->m && !p->accumulate; i++)
        memset(rk_at(p->c, i * p->c_stride, size), 0, (size_t)p->n * size);
    for (int64_t j = 0; j < p->n; j += BLOCK_WIDTH)
        for (int64_t q = 0; q < p->k; q += BLOCK_DEPTH) {
            block s = {.m = p->m,
                       .n = rk_least(p->n - j, BLOCK_WIDTH),
                       .k = rk_least(p->k - q, BLOCK_DEPTH),
                       .a_stride = p->a_stride,
                       .b_stride = p->b_stride,
                       .c_stride = p->c_stride};
            run(&s, rk_at(p->a, q, size), rk_at(p->b, q * p->b_stride + j, size), rk_at(p->c, j, size));
        }
}

/* Element (i, j) of an operand. */
static const void *element(const rk_product *p, const void *x, int64_t stride, bool transposed, int64_t i,
                           int64_t j)
{
    return rk_at(x, transposed ? j * stride + i : i * stride + j, rask_dtype_size(p->dtype));
}

/* Rows and columns of c from (i, j) on, over all of k. In C order a product is that of the transposes, the other way round. */
static void run_part(const rk_product *p, int64_t i, int64_t j, int64_t m, int64_t n)
{
    for (int64_t q = 0; q < p->k; q += RK_PRODUCT_DEPTH)
        rk_lapack()->gemm(p->dtype, p->b_transposed ? 'T' : 'N', p->a_transposed ? 'T' : 'N', n, m,
                          rk_least(p->k - q, RK_PRODUCT_DEPTH), 1,
                          element(p, p->b, p->b_stride, p->b_transposed, q, j), p->b_stride,
                          element(p, p->a, p->a_stride, p->a_transposed, i, q), p->a_stride,
                          q || p->accumulate ? 1 : 0,
                          rk_at(p->c, i * p->c_stride + j, rask_dtype_size(p->dtype)), p->c_stride);
}

/* A call first makes a copy of its part of a in an order of its own: the more columns it has, the less that costs. Whole
 * blocks beside each other are one call, for they come to the same bits as by one call each; what is left at the right
 * may be done in another way where it has company, and has none. */
static void run_rows(const rk_product *p, int64_t i, int64_t m)
{
    int64_t whole = m == RK_PRODUCT_SIDE ? p->n / RK_PRODUCT_SIDE * RK_PRODUCT_SIDE : 0;
    if (whole)
        run_part(p, i, 0, m, whole);
    for (int64_t j = whole; j < p->n; j += RK_PRODUCT_SIDE)
        run_part(p, i, j, m, rk_least(p->n - j, RK_PRODUCT_SIDE));
}

void rk_product_run(const rk_product *p)
{
    if (!rk_product_is_fast(p->dtype)) {
        run_integers(p);
        return;
    }
    for (int64_t i = 0; i < p->m; i += RK_PRODUCT_SIDE)
        run_rows(p, i, rk_least(p->m - i, RK_PRODUCT_SIDE));
}
