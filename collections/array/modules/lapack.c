/* rask-lapack: CBLAS and LAPACKE, chosen by dtype. */
#include "collections/array/modules/lapack.h"

#include <cblas.h>
#include <complex.h>
#include <lapacke.h>

/* OpenBLAS has it; others have no threads of their own, or are told through the environment. */
extern void openblas_set_num_threads(int num_threads) __attribute__((weak));

/* Tasks are the threads: a call that starts more would only be in their way. */
__attribute__((constructor)) static void one_thread_a_call(void)
{
    if (openblas_set_num_threads)
        openblas_set_num_threads(1);
}

static CBLAS_TRANSPOSE transposition(char op)
{
    return op == 'N' ? CblasNoTrans : op == 'T' ? CblasTrans : CblasConjTrans;
}

static void gemm(rask_dtype dtype, char a_op, char b_op, int64_t m, int64_t n, int64_t k, double alpha,
                 const void *a, int64_t lda, const void *b, int64_t ldb, double beta, void *c, int64_t ldc)
{
    CBLAS_TRANSPOSE ta = transposition(a_op), tb = transposition(b_op);
    int rows = (int)m, columns = (int)n, inner = (int)k, la = (int)lda, lb = (int)ldb, lc = (int)ldc;
    float single_alpha[2] = {(float)alpha, 0}, single_beta[2] = {(float)beta, 0};
    double double_alpha[2] = {alpha, 0}, double_beta[2] = {beta, 0};
    if (dtype == RASK_DT_F32)
        cblas_sgemm(CblasColMajor, ta, tb, rows, columns, inner, (float)alpha, a, la, b, lb, (float)beta, c,
                    lc);
    else if (dtype == RASK_DT_F64)
        cblas_dgemm(CblasColMajor, ta, tb, rows, columns, inner, alpha, a, la, b, lb, beta, c, lc);
    else if (dtype == RASK_DT_C64)
        cblas_cgemm(CblasColMajor, ta, tb, rows, columns, inner, single_alpha, a, la, b, lb, single_beta, c,
                    lc);
    else
        cblas_zgemm(CblasColMajor, ta, tb, rows, columns, inner, double_alpha, a, la, b, lb, double_beta, c,
                    lc);
}

static void trsm(rask_dtype dtype, char triangle, char a_op, char diagonal, int64_t m, int64_t n,
                 const void *a, int64_t lda, void *b, int64_t ldb)
{
    static const float single_one[2] = {1, 0};
    static const double double_one[2] = {1, 0};
    CBLAS_UPLO part = triangle == 'U' ? CblasUpper : CblasLower;
    CBLAS_DIAG unit = diagonal == 'U' ? CblasUnit : CblasNonUnit;
    CBLAS_TRANSPOSE op = transposition(a_op);
    int rows = (int)m, columns = (int)n, la = (int)lda, lb = (int)ldb;
    if (dtype == RASK_DT_F32)
        cblas_strsm(CblasColMajor, CblasLeft, part, op, unit, rows, columns, 1, a, la, b, lb);
    else if (dtype == RASK_DT_F64)
        cblas_dtrsm(CblasColMajor, CblasLeft, part, op, unit, rows, columns, 1, a, la, b, lb);
    else if (dtype == RASK_DT_C64)
        cblas_ctrsm(CblasColMajor, CblasLeft, part, op, unit, rows, columns, single_one, a, la, b, lb);
    else
        cblas_ztrsm(CblasColMajor, CblasLeft, part, op, unit, rows, columns, double_one, a, la, b, lb);
}

/* The routine of this dtype. */
#define BY_DTYPE(routine, ...)                                                                               \
    (dtype == RASK_DT_F32   ? LAPACKE_s##routine##_work(LAPACK_COL_MAJOR, __VA_ARGS__)                       \
     : dtype == RASK_DT_F64 ? LAPACKE_d##routine##_work(LAPACK_COL_MAJOR, __VA_ARGS__)                       \
     : dtype == RASK_DT_C64 ? LAPACKE_c##routine##_work(LAPACK_COL_MAJOR, __VA_ARGS__)                       \
                            : LAPACKE_z##routine##_work(LAPACK_COL_MAJOR, __VA_ARGS__))

static int potrf(rask_dtype dtype, char triangle, int64_t n, void *a, int64_t lda)
{
    return BY_DTYPE(potrf, triangle, (lapack_int)n, a, (lapack_int)lda);
}

static int getrf(rask_dtype dtype, int64_t m, int64_t n, void *a, int64_t lda, int32_t *pivots)
{
    _Static_assert(sizeof(lapack_int) == sizeof(int32_t), "LAPACKE with 32-bit integers");
    return BY_DTYPE(getrf, (lapack_int)m, (lapack_int)n, a, (lapack_int)lda, pivots);
}

static int geqrf(rask_dtype dtype, int64_t m, int64_t n, void *a, int64_t lda, void *tau, void *work)
{
    return BY_DTYPE(geqrf, (lapack_int)m, (lapack_int)n, a, (lapack_int)lda, tau, work,
                    (lapack_int)rk_qr_work(n));
}

static void *element(const void *data, int64_t i, rask_dtype dtype)
{
    return (char *)(uintptr_t)data + i * (int64_t)rk_lapack_size(dtype);
}

/* Reflectors first … first + count - 1 of a, as one block: c = (1 - v t v^H) c. */
static int apply_block(rask_dtype dtype, int64_t m, int64_t n, int64_t first, int64_t count, const void *a,
                       int64_t lda, const void *tau, void *c, int64_t ldc, void *work)
{
    const void *v = element(a, first * lda + first, dtype), *factors = element(tau, first, dtype);
    void *rows = element(c, first, dtype), *t = work;
    void *rest = element(work, (int64_t)RK_QR_BLOCK * RK_QR_BLOCK, dtype);
    lapack_int height = (lapack_int)(m - first), width = (lapack_int)n, reflectors = (lapack_int)count;
    int info = BY_DTYPE(larft, 'F', 'C', height, reflectors, v, (lapack_int)lda, factors, t, RK_QR_BLOCK);
    return info ? info
                : BY_DTYPE(larfb, 'L', 'N', 'F', 'C', height, width, reflectors, v, (lapack_int)lda, t,
                           RK_QR_BLOCK, rows, (lapack_int)ldc, rest, width);
}

/* LAPACK's own ormqr, const as its prototype is, writes ones into a's diagonal while it works: whoever reads the block
 * at that time, such as the task that takes r from it, reads them. These two routines only read. */
static int ormqr(rask_dtype dtype, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda,
                 const void *tau, void *c, int64_t ldc, void *work)
{
    int info = 0;
    for (int64_t first = (k - 1) / RK_QR_BLOCK * RK_QR_BLOCK; !info && first >= 0; first -= RK_QR_BLOCK) {
        int64_t count = k - first < RK_QR_BLOCK ? k - first : RK_QR_BLOCK;
        info = apply_block(dtype, m, n, first, count, a, lda, tau, c, ldc, work);
    }
    return info;
}

static int gesdd(rask_dtype dtype, int64_t n, void *a, void *s, void *u, void *vt, void *work)
{
    size_t element = rk_lapack_size(dtype);
    lapack_int order = (lapack_int)n, elements = (lapack_int)rk_svd_elements(dtype, n);
    void *reals = (char *)work + (size_t)elements * element;
    lapack_int *integers =
        (lapack_int *)(void *)((char *)reals + (size_t)rk_svd_reals(dtype, n) * element / 2);
    switch (dtype) {
    case RASK_DT_F32:
        return LAPACKE_sgesdd_work(LAPACK_COL_MAJOR, 'S', order, order, a, order, s, u, order, vt, order,
                                   work, elements, integers);
    case RASK_DT_F64:
        return LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, 'S', order, order, a, order, s, u, order, vt, order,
                                   work, elements, integers);
    case RASK_DT_C64:
        return LAPACKE_cgesdd_work(LAPACK_COL_MAJOR, 'S', order, order, a, order, s, u, order, vt, order,
                                   work, elements, reals, integers);
    default:
        return LAPACKE_zgesdd_work(LAPACK_COL_MAJOR, 'S', order, order, a, order, s, u, order, vt, order,
                                   work, elements, reals, integers);
    }
}

static int heevd(rask_dtype dtype, bool vectors, char triangle, int64_t n, void *a, void *w, void *work)
{
    size_t size = rk_lapack_size(dtype);
    lapack_int order = (lapack_int)n, elements = (lapack_int)rk_eigh_elements(dtype, vectors, n);
    lapack_int real_count = (lapack_int)rk_eigh_reals(dtype, vectors, n);
    lapack_int integer_count = (lapack_int)rk_eigh_integers(n);
    void *reals = element(work, elements, dtype);
    lapack_int *integers = (lapack_int *)(void *)((char *)reals + (size_t)real_count * size / 2);
    char job = vectors ? 'V' : 'N';
    switch (dtype) {
    case RASK_DT_F32:
        return LAPACKE_ssyevd_work(LAPACK_COL_MAJOR, job, triangle, order, a, order, w, work, elements,
                                   integers, integer_count);
    case RASK_DT_F64:
        return LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, job, triangle, order, a, order, w, work, elements,
                                   integers, integer_count);
    case RASK_DT_C64:
        return LAPACKE_cheevd_work(LAPACK_COL_MAJOR, job, triangle, order, a, order, w, work, elements, reals,
                                   real_count, integers, integer_count);
    default:
        return LAPACKE_zheevd_work(LAPACK_COL_MAJOR, job, triangle, order, a, order, w, work, elements, reals,
                                   real_count, integers, integer_count);
    }
}

static int geev(rask_dtype dtype, bool vectors, int64_t n, void *a, void *w, void *v, void *work)
{
    lapack_int order = (lapack_int)n, elements = (lapack_int)rk_eig_elements(n);
    void *reals = element(work, elements, dtype), *imaginary = element(w, n, dtype);
    char job = vectors ? 'V' : 'N';
    switch (dtype) {
    case RASK_DT_F32:
        return LAPACKE_sgeev_work(LAPACK_COL_MAJOR, 'N', job, order, a, order, w, imaginary, NULL, order, v,
                                  order, work, elements);
    case RASK_DT_F64:
        return LAPACKE_dgeev_work(LAPACK_COL_MAJOR, 'N', job, order, a, order, w, imaginary, NULL, order, v,
                                  order, work, elements);
    case RASK_DT_C64:
        return LAPACKE_cgeev_work(LAPACK_COL_MAJOR, 'N', job, order, a, order, w, NULL, order, v, order, work,
                                  elements, reals);
    default:
        return LAPACKE_zgeev_work(LAPACK_COL_MAJOR, 'N', job, order, a, order, w, NULL, order, v, order, work,
                                  elements, reals);
    }
}

RASK_API extern const rk_lapack_module rask_module;
const rk_lapack_module rask_module = {
    .head = RK_MODULE_HEAD(rk_lapack_module),
    .gemm = gemm,
    .trsm = trsm,
    .potrf = potrf,
    .getrf = getrf,
    .geqrf = geqrf,
    .ormqr = ormqr,
    .gesdd = gesdd,
    .heevd = heevd,
    .geev = geev,
};
