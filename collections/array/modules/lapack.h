/* collections/array/modules/lapack: what the module rask-lapack gives to the library: BLAS and LAPACK, one thread a call.
 *
 * Matrices are column-major, as LAPACK has them; ld… counts elements from one column to the next. A matrix in C order is
 * its own transpose to these calls. dtype is RASK_DT_F32, F64, C64 or C128, and is that of all matrices of a call. Sides,
 * triangles and transpositions are LAPACK's letters. Dimensions fit 32 bits: who builds arrays has seen to that.
 * All calls are thread-safe, none allocates but OpenBLAS's packing buffers, one a thread. */
#ifndef RASK_COLLECTIONS_ARRAY_MODULES_LAPACK_H
#define RASK_COLLECTIONS_ARRAY_MODULES_LAPACK_H

#include "core/base/module.h"

#include <rask/value.h>

#define RK_LAPACK_MODULE "rask-lapack"

/* Bytes that a call of gemm on operands of this library's sizes packs into at most. */
#define RK_GEMM_SCRATCH ((uint64_t)4 << 20)

typedef struct rk_lapack_module {
    rk_module_head head;
    /* c = alpha op(a) op(b) + beta c, where op(a) is m × k and op(b) k × n; ops are 'N', 'T' or 'C'. */
    void (*gemm)(rask_dtype dtype, char a_op, char b_op, int64_t m, int64_t n, int64_t k, double alpha,
                 const void *a, int64_t lda, const void *b, int64_t ldb, double beta, void *c, int64_t ldc);
    /* b = op(a)^-1 b, of m × n, a triangular. */
    void (*trsm)(rask_dtype dtype, char triangle, char a_op, char diagonal, int64_t m, int64_t n,
                 const void *a, int64_t lda, void *b, int64_t ldb);
    /* Each returns LAPACK's info: 0, or which minor or pivot (from 1) is in the way. */
    int (*potrf)(rask_dtype dtype, char triangle, int64_t n, void *a, int64_t lda);
    int (*getrf)(rask_dtype dtype, int64_t m, int64_t n, void *a, int64_t lda, int32_t *pivots);
    /* Householder QR of m × n; work: rk_qr_work(n) elements. Then c = q c, c being m × n and q of k reflectors, at least
     * one; a and tau are only read, also in between, so that others may read them at the same time. */
    int (*geqrf)(rask_dtype dtype, int64_t m, int64_t n, void *a, int64_t lda, void *tau, void *work);
    int (*ormqr)(rask_dtype dtype, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda,
                 const void *tau, void *c, int64_t ldc, void *work);
    /* a = u diag(s) vt of n × n, all of leading dimension n; a is overwritten; s is real. work: rk_svd_work() bytes,
     * aligned as malloc aligns. Greater than 0: did not converge; less: a holds NaN. */
    int (*gesdd)(rask_dtype dtype, int64_t n, void *a, void *s, void *u, void *vt, void *work);
    /* Of a = v diag(w) v^H, of which one triangle is read: real w, ascending; with vectors a becomes v, else it is
     * overwritten. work: rk_eigh_work() bytes, aligned likewise. Greater than 0: did not converge. */
    int (*heevd)(rask_dtype dtype, bool vectors, char triangle, int64_t n, void *a, void *w, void *work);
    /* Of a v = v diag(w): a is overwritten. Of real matrices w is all real parts, then all imaginary ones, and a conjugate pair
     * has the real and the imaginary part of its first vector as columns of v. work: rk_eig_work() bytes. */
    int (*geev)(rask_dtype dtype, bool vectors, int64_t n, void *a, void *w, void *v, void *work);
} rk_lapack_module;

/* Reflectors that ormqr applies in one go. */
enum { RK_QR_BLOCK = 32 };

/* Elements for geqrf's blocks of at most 64 columns, and for ormqr's and their triangle. */
static inline int64_t rk_qr_work(int64_t n)
{
    return 64 * n + 65 * 64;
}

/* The parts of gesdd's workspace, in elements of dtype, reals and integers: LAPACK's least, and blocks of 64 beside. */
static inline int64_t rk_svd_elements(rask_dtype dtype, int64_t n)
{
    return dtype >= RASK_DT_C64 ? 3 * n * n + 130 * n : 4 * n * n + 135 * n;
}
static inline int64_t rk_svd_reals(rask_dtype dtype, int64_t n)
{
    return dtype >= RASK_DT_C64 ? 5 * n * n + 7 * n : 0;
}
static inline size_t rk_lapack_size(rask_dtype dtype)
{
    return dtype == RASK_DT_F32 ? 4 : dtype == RASK_DT_C128 ? 16 : 8;
}
/* The same of heevd, and of geev, which has no integers. */
static inline int64_t rk_eigh_elements(rask_dtype dtype, bool vectors, int64_t n)
{
    int64_t squares = !vectors ? 0 : dtype >= RASK_DT_C64 ? n * n : 2 * n * n;
    return squares + 70 * n + 1;
}
static inline int64_t rk_eigh_reals(rask_dtype dtype, bool vectors, int64_t n)
{
    return dtype < RASK_DT_C64 ? 0 : vectors ? 2 * n * n + 5 * n + 1 : n;
}
static inline int64_t rk_eigh_integers(int64_t n)
{
    return 5 * n + 3;
}
static inline int64_t rk_eig_elements(int64_t n)
{
    return 70 * n;
}
static inline int64_t rk_eig_reals(rask_dtype dtype, int64_t n)
{
    return dtype >= RASK_DT_C64 ? 2 * n : 0;
}
static inline uint64_t rk_eigh_work(rask_dtype dtype, bool vectors, int64_t n)
{
    size_t element = rk_lapack_size(dtype);
    return (uint64_t)rk_eigh_elements(dtype, vectors, n) * element +
           (uint64_t)rk_eigh_reals(dtype, vectors, n) * element / 2 +
           (uint64_t)rk_eigh_integers(n) * sizeof(int32_t);
}
static inline uint64_t rk_eig_work(rask_dtype dtype, int64_t n)
{
    size_t element = rk_lapack_size(dtype);
    return (uint64_t)rk_eig_elements(n) * element + (uint64_t)rk_eig_reals(dtype, n) * element / 2;
}
static inline uint64_t rk_svd_work(rask_dtype dtype, int64_t n)
{
    size_t element = rk_lapack_size(dtype);
    return (uint64_t)rk_svd_elements(dtype, n) * element + (uint64_t)rk_svd_reals(dtype, n) * element / 2 +
           (uint64_t)n * 8 * sizeof(int32_t);
}

#endif
