/* Eigenvalues and eigenvectors, by one task for a whole matrix.
 *
 * What the task gives is one array: with vectors n + 1 rows, the eigenvectors and then the eigenvalues; else one row. Its input is
 * the transpose of the matrix, so that the block of it is the matrix itself in LAPACK's order. */
#include "collections/array/linalg/linalg.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

enum { MOST = 30000 }; /* rows: LAPACK counts its workspace in 32 bits */

typedef struct eig_params {
    uint64_t dtype; /* of the matrix */
    int64_t n;
    int64_t vectors, upper; /* bools */
} eig_params;

static rask_dtype complex_of(rask_dtype dtype)
{
    return dtype == RASK_DT_F32 ? RASK_DT_C64 : dtype == RASK_DT_F64 ? RASK_DT_C128 : dtype;
}

/* -- Tasks -- */

/* A row of a lies in a column of the block. RASK_OK, or the task's status. */
static int check_finite(rask_task *task, const eig_params *p, const void *a, bool all)
{
    rask_dtype dtype = (rask_dtype)p->dtype;
    for (int64_t j = 0; j < p->n; j++) {
        int64_t first = all || p->upper ? 0 : j, last = all || !p->upper ? p->n : j + 1;
        const void *column = rk_at(a, j * p->n + first, rask_dtype_size(dtype));
        int64_t finite = rk_elements_finite(dtype, column, last - first);
        if (finite < last - first)
            return rk_task_fail(task, RASK_ERANGE, "row %lld of the matrix, column %lld, is not finite",
                                (long long)(first + finite), (long long)j);
    }
    return RASK_OK;
}

static int converged(rask_task *task, int info)
{
    return info ? rk_task_fail(task, RASK_ERANGE, "the eigenvalues do not converge") : RASK_OK;
}

/* n numbers, parts of which are there, each a row of their own, as elements. */
static void spread(rask_dtype dtype, int64_t n, const void *re, const void *im, void *row)
{
    size_t size = rask_dtype_size(dtype), part = rk_dtype_is_complex(dtype) ? size / 2 : size;
    memset(row, 0, (size_t)n * size);
    for (int64_t i = 0; i < n; i++) {
        memcpy(rk_at(row, i, size), rk_at(re, i, part), part);
        if (im)
            memcpy(rk_at(row, i, size) + part, rk_at(im, i, part), part);
    }
}

static uint64_t aligned(uint64_t bytes)
{
    return (bytes + 15) / 16 * 16;
}

/* The matrix where there are no vectors, whose place it takes else; values; workspace. */
static uint64_t eigh_scratch(const eig_params *p)
{
    rask_dtype dtype = (rask_dtype)p->dtype;
    return (p->vectors ? 0 : aligned(rk_linalg_bytes(dtype, p->n, p->n))) +
           aligned(rk_linalg_bytes(dtype, p->n, 1)) + rk_eigh_work(dtype, p->vectors, p->n);
}

static int find_hermitian(rask_task *task, const eig_params *p, const rask_block *a, const rask_block *out,
                          char *scratch)
{
    rask_dtype dtype = (rask_dtype)p->dtype;
    uint64_t matrix = rk_linalg_bytes(dtype, p->n, p->n);
    char *in = p->vectors ? out->data : scratch, *w = scratch + (p->vectors ? 0 : aligned(matrix));
    memcpy(in, a->data, matrix);
    int info = rk_lapack()->heevd(dtype, p->vectors, p->upper ? 'U' : 'L', p->n, in, w,
                                  w + aligned(rk_linalg_bytes(dtype, p->n, 1)));
    spread(dtype, p->n, w, NULL, (char *)out->data + (p->vectors ? matrix : 0));
    return converged(task, info);
}

/* A copy of the matrix, values, vectors, workspace. */
static uint64_t eig_scratch(const eig_params *p)
{
    rask_dtype dtype = (rask_dtype)p->dtype;
    uint64_t matrix = aligned(rk_linalg_bytes(dtype, p->n, p->n));
    return (p->vectors ? 2 : 1) * matrix + aligned(rk_linalg_bytes(dtype, p->n, 2)) +
           rk_eig_work(dtype, p->n);
}

/* Vectors of a real matrix: a pair whose values are conjugates has the parts of its first one as columns. */
static void spread_vectors(rask_dtype dtype, int64_t n, const void *im, const void *v, const rask_block *out)
{
    size_t size = rask_dtype_size(dtype), wide = 2 * size;
    for (int64_t i = 0; i < n; i++) {
        const void *column = rk_at(v, i * n, size), *next = rk_at(v, (i + 1) * n, size);
        bool paired = !rk_element_is_zero(dtype, rk_at(im, i, size)) && i + 1 < n;
        spread(out->dtype, n, column, paired ? next : NULL, rk_at(out->data, i * n, wide));
        if (!paired)
            continue;
        i++;
        spread(out->dtype, n, column, next, rk_at(out->data, i * n, wide));
        for (int64_t k = 0; k < n; k++)
            rk_elements_negate(dtype, rk_at(out->data, i * n + k, wide) + size, 1, 1);
    }
}

static int find_any(rask_task *task, const eig_params *p, const rask_block *a, const rask_block *out,
                    char *scratch)
{
    rask_dtype dtype = (rask_dtype)p->dtype;
    uint64_t matrix = rk_linalg_bytes(dtype, p->n, p->n);
    char *w = scratch + aligned(matrix), *v = w + aligned(rk_linalg_bytes(dtype, p->n, 2));
    char *work = p->vectors ? v + aligned(matrix) : v;
    void *im = rk_at(w, p->n, rask_dtype_size(dtype)),
         *values = rk_at(out->data, p->vectors ? p->n * p->n : 0, rask_dtype_size(out->dtype));
    memcpy(scratch, a->data, matrix);
    int info = rk_lapack()->geev(dtype, p->vectors, p->n, scratch, w, v, work);
    if (rk_dtype_is_complex(dtype)) {
        memcpy(values, w, rk_linalg_bytes(dtype, p->n, 1));
        memcpy(out->data, p->vectors ? v : w, p->vectors ? matrix : 0);
    } else {
        spread(out->dtype, p->n, w, im, values);
        if (p->vectors)
            spread_vectors(dtype, p->n, im, v, out);
    }
    return converged(task, info);
}

/* (params, the matrix) */
static int call(rask_task *task, bool hermitian)
{
    const eig_params *p = rk_task_params(task, sizeof *p);
    rask_block a, out;
    rask_value value;
    if (!p || rk_lapack_load(task) || rk_linalg_block(task, 1, (rask_dtype)p->dtype, p->n, p->n, &a) ||
        check_finite(task, p, a.data, !hermitian) ||
        rk_linalg_result(task, hermitian ? a.dtype : complex_of(a.dtype), p->vectors ? p->n + 1 : 1, p->n,
                         &out, &value))
        return task->status;
    char *scratch = rk_linalg_scratch(task, hermitian ? eigh_scratch(p) : eig_scratch(p));
    if (scratch)
        (hermitian ? find_hermitian : find_any)(task, p, &a, &out, scratch);
    rk_free(scratch);
    return rask_return_value(task, value);
}

static int call_eigh(rask_task *task)
{
    return call(task, true);
}

static int call_eig(rask_task *task)
{
    return call(task, false);
}

static const rask_task_def eigh_def = {
    .size = sizeof eigh_def, .name = "eigh", .call = call_eigh, .flags = RASK_PURE};
static const rask_task_def eig_def = {
    .size = sizeof eig_def, .name = "eig", .call = call_eig, .flags = RASK_PURE};

/* -- Lowering -- */

static int lower(rk_lowering *l, rask_array *array, const rask_task_def *def, uint64_t scratch, rk_chunks *c)
{
    const eig_params *p = array->params;
    int status = rk_grid_regular(l, c, 2, array->shape, array->shape);
    rask_node *a = status ? NULL : rk_linalg_tile(l, array->inputs[0], 0, p->n, 0, p->n);
    if (a)
        c->nodes[0] =
            rk_lower_call(l, def, p, sizeof *p, &a, 1, rk_linalg_bytes(array->dtype, array->shape[0], p->n),
                          scratch + RK_GEMM_SCRATCH);
    return rk_lowering_graph(l)->status;
}

static int lower_eigh(rk_lowering *l, rask_array *array, rk_chunks *c)
{
    return lower(l, array, &eigh_def, eigh_scratch(array->params), c);
}

static int lower_eig(rk_lowering *l, rask_array *array, rk_chunks *c)
{
    return lower(l, array, &eig_def, eig_scratch(array->params), c);
}

static const rk_opaque eigh_class = {.name = "eigh", .lower = lower_eigh},
                       eig_class = {.name = "eig", .lower = lower_eig};

/* -- Builders -- */

/* The array of the class's task, and the results cut out of it. */
static int build(rask_array *a, bool hermitian, bool upper, rask_array **values, rask_array **vectors,
                 const char *file, int line)
{
    const char *who = hermitian ? "rask_array_eigh" : "rask_array_eig";
    rask_graph *graph = a->graph;
    a = rk_linalg_square(a, who, file, line);
    if (a && a->shape[0] > MOST) {
        rk_graph_fail(graph, RASK_ELIMIT, file, line, "%s: %lld rows: at most %d", who,
                      (long long)a->shape[0], MOST);
        return RASK_ELIMIT;
    }
    a = a ? rask_array_transpose_at(a, NULL, 0, file, line) : NULL;
    if (!a)
        return graph->status;
    eig_params p = {.dtype = a->dtype, .n = a->shape[0], .vectors = vectors != NULL, .upper = upper};
    rask_array *all = rk_linalg_array(hermitian ? &eigh_class : &eig_class, &p, sizeof p,
                                      hermitian ? a->dtype : complex_of(a->dtype), p.vectors ? p.n + 1 : 1,
                                      p.n, &a, 1, file, line);
    rask_slice rows = {RASK_SLICE_RANGE, 0, p.n, RASK_DEFAULT},
               last = {.kind = RASK_SLICE_INDEX, .start = -1};
    if (vectors)
        *vectors =
            rask_array_transpose_at(rask_array_slice_at(all, &rows, 1, file, line), NULL, 0, file, line);
    if (values)
        *values = rask_array_slice_at(all, &last, 1, file, line);
    if (values && hermitian && rk_dtype_is_complex(a->dtype))
        *values = rask_array_unary_at(RASK_UNARY_REAL, *values, file, line);
    return graph->status;
}

int rask_array_eigh_at(rask_array *a, bool upper, rask_array **values, rask_array **vectors, const char *file,
                       int line)
{
    if (values)
        *values = NULL;
    if (vectors)
        *vectors = NULL;
    return a ? build(a, true, upper, values, vectors, file, line) : RASK_EGRAPH;
}

int rask_array_eig_at(rask_array *a, rask_array **values, rask_array **vectors, const char *file, int line)
{
    if (values)
        *values = NULL;
    if (vectors)
        *vectors = NULL;
    return a ? build(a, false, false, values, vectors, file, line) : RASK_EGRAPH;
}
