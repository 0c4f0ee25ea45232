/* Singular values: a = q r, and r = u' diag(s) vt in one task, so that u = q u'. A wide matrix by its transpose.
 *
 * What that task gives is one array of 2 n + 1 rows: u', s, vt. */
#include "collections/array/linalg/qr.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

typedef struct svd_params {
    uint64_t dtype;
    int64_t n;
} svd_params;

static uint64_t scratch_of(rask_dtype dtype, int64_t n)
{
    return rk_linalg_bytes(dtype, n, n) + rk_linalg_bytes(dtype, n, 1) + rk_svd_work(dtype, n) + 64;
}

/* Real s, behind each other, as n elements. */
static void spread(rask_dtype dtype, int64_t n, const void *s, void *row)
{
    size_t size = rask_dtype_size(dtype), part = rk_dtype_is_complex(dtype) ? size / 2 : size;
    memset(row, 0, (size_t)n * size);
    for (int64_t i = 0; i < n; i++)
        memcpy(rk_at(row, i, size), rk_at(s, i, part), part);
}

/* r in C order is r^T to LAPACK, whose left vectors are vt^T and whose right ones are u'^T: in C order vt and u'. */
static int decompose(rask_task *task, const svd_params *p, const void *r, const rask_block *out,
                     char *scratch)
{
    rask_dtype dtype = (rask_dtype)p->dtype;
    size_t size = rask_dtype_size(dtype);
    int64_t n = p->n;
    char *s = rk_at(scratch, n * n, size), *work = s + ((size_t)n * size + 15) / 16 * 16;
    memcpy(scratch, r, rk_linalg_bytes(dtype, n, n));
    int info = rk_lapack()->gesdd(dtype, n, scratch, s, rk_at(out->data, (n + 1) * n, size), out->data, work);
    if (info)
        return rk_task_fail(task, RASK_ERANGE,
                            info < 0 ? "the matrix holds NaN" : "the singular values do not converge");
    spread(dtype, n, s, rk_at(out->data, n * n, size));
    return RASK_OK;
}

static int call_svd(rask_task *task)
{
    const svd_params *p = rk_task_params(task, sizeof *p);
    rask_block r, out;
    rask_value value;
    if (!p || rk_lapack_load(task) || rk_linalg_block(task, 1, (rask_dtype)p->dtype, p->n, p->n, &r) ||
        rk_linalg_result(task, (rask_dtype)p->dtype, 2 * p->n + 1, p->n, &out, &value))
        return task->status;
    char *scratch = rk_linalg_scratch(task, scratch_of(r.dtype, p->n));
    if (scratch)
        decompose(task, p, r.data, &out, scratch);
    rk_free(scratch);
    return rask_return_value(task, value);
}

static const rask_task_def svd_def = {
    .size = sizeof svd_def, .name = "svd", .call = call_svd, .flags = RASK_PURE};

static int lower_svd(rk_lowering *l, rask_array *a, rk_chunks *c)
{
    svd_params p = {a->dtype, a->shape[1]};
    int status = rk_grid_regular(l, c, 2, a->shape, a->shape);
    rask_node *r = status ? NULL : rk_linalg_tile(l, a->inputs[0], 0, p.n, 0, p.n);
    if (r)
        c->nodes[0] =
            rk_lower_call(l, &svd_def, &p, sizeof p, &r, 1, rk_linalg_bytes(a->dtype, a->shape[0], p.n),
                          scratch_of(a->dtype, p.n) + RK_GEMM_SCRATCH);
    return rk_lowering_graph(l)->status;
}

static const rk_opaque svd_class = {.name = "svd", .lower = lower_svd};

static rask_array *rows_of(rask_array *a, int64_t start, int64_t stop, const char *file, int line)
{
    return rask_array_slice_at(a, &(rask_slice){RASK_SLICE_RANGE, start, stop, RASK_DEFAULT}, 1, file, line);
}

/* The three of a tall matrix. */
static void build(rask_array *a, rask_array **u, rask_array **s, rask_array **vt, const char *file, int line)
{
    rask_array *q = NULL, *r = NULL, *all = NULL;
    int64_t n = a->shape[1];
    rk_qr(a, u ? &q : NULL, &r, file, line);
    if (r)
        all = rk_linalg_array(&svd_class, NULL, 0, a->dtype, 2 * n + 1, n, &r, 1, file, line);
    if (u)
        *u = rask_array_matmul_at(q, rows_of(all, 0, n, file, line), file, line);
    if (vt)
        *vt = rows_of(all, n + 1, 2 * n + 1, file, line);
    if (s) {
        *s = rask_array_slice_at(all, &(rask_slice){RASK_SLICE_INDEX, n, 0, 0}, 1, file, line);
        if (rk_dtype_is_complex(a->dtype))
            *s = rask_array_unary_at(RASK_UNARY_REAL, *s, file, line);
    }
}

static void transpose_back(rask_array **x, const char *file, int line)
{
    if (x)
        *x = rask_array_transpose_at(*x, NULL, 0, file, line);
}

int rask_array_svd_at(rask_array *a, rask_array **u, rask_array **s, rask_array **vt, const char *file,
                      int line)
{
    if (u)
        *u = NULL;
    if (s)
        *s = NULL;
    if (vt)
        *vt = NULL;
    if (!a)
        return RASK_EGRAPH;
    rask_graph *graph = a->graph;
    a = rk_linalg_matrix(a, rk_linalg_dtype(a->dtype), "rask_array_svd", file, line);
    if (!a)
        return graph->status;
    if (a->shape[0] >= a->shape[1]) {
        build(a, u, s, vt, file, line);
        return graph->status;
    }
    a = rask_array_transpose_at(a, NULL, 0, file, line);
    if (a)
        build(a, vt, s, u, file, line);
    transpose_back(u, file, line);
    transpose_back(vt, file, line);
    return graph->status;
}
