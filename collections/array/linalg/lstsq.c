/* Least squares: the triangle of [a b] is [r y; 0 rest] with r of a = q r and y = q^H b, so that no q is needed. */
#include "collections/array/linalg/qr.h"
#include "core/task/task.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct back_params {
    uint64_t dtype;
    int64_t n, columns; /* of x */
    int64_t rows;       /* of the triangle of [a b] */
    int64_t a_rows;
} back_params;

/* A diagonal element that is 0 but for rounding, or NaN: which, or -1. */
static int64_t dependent_column(const back_params *p, const rask_block *triangle)
{
    size_t size = rask_dtype_size(triangle->dtype);
    double largest = 0, eps = rask_dtype_size(triangle->dtype) == 4 || triangle->dtype == RASK_DT_C64
                                  ? FLT_EPSILON
                                  : DBL_EPSILON;
    for (int64_t j = 0; j < p->n; j++)
        largest = fmax(
            largest, fabs(rk_element_real(triangle->dtype, rk_at(triangle->data, j * (p->rows + 1), size))));
    for (int64_t j = 0; j < p->n; j++)
        if (fabs(rk_element_real(triangle->dtype, rk_at(triangle->data, j * (p->rows + 1), size))) <=
            eps * (double)p->a_rows * largest)
            return j;
    return -1;
}

/* params, the triangle of [a b], column-major: x, likewise. */
static int call_back(rask_task *task)
{
    const back_params *p = rk_task_params(task, sizeof *p);
    rask_block triangle, x;
    rask_value value;
    if (!p || rk_lapack_load(task))
        return task->status;
    rask_dtype dtype = (rask_dtype)p->dtype;
    size_t size = rask_dtype_size(dtype);
    if (rk_linalg_block(task, 1, dtype, p->n + p->columns, p->rows, &triangle))
        return task->status;
    int64_t dependent = dependent_column(p, &triangle);
    if (dependent >= 0)
        return rk_task_fail(task, RASK_ERANGE, "column %lld is a combination of those before it",
                            (long long)dependent);
    if (rk_linalg_result(task, dtype, p->columns, p->n, &x, &value))
        return task->status;
    for (int64_t j = 0; j < p->columns; j++)
        memcpy(rk_at(x.data, j * p->n, size), rk_at(triangle.data, (p->n + j) * p->rows, size),
               (size_t)p->n * size);
    rk_lapack()->trsm(dtype, 'U', 'N', 'N', p->n, p->columns, triangle.data, p->rows, x.data, p->n);
    return rask_return_value(task, value);
}

static const rask_task_def back_def = {
    .size = sizeof back_def, .name = "lstsq", .call = call_back, .flags = RASK_PURE};

/* Input: the transpose of the triangle. The transpose of x. */
static int lower_lstsq(rk_lowering *l, rask_array *xt, rk_chunks *c)
{
    rask_array *rt = xt->inputs[0];
    const back_params *p = xt->params;
    int status = rk_grid_regular(l, c, 2, xt->shape, xt->shape);
    rask_node *triangle = status ? NULL : rk_linalg_tile(l, rt, 0, rt->shape[0], 0, rt->shape[1]);
    if (triangle)
        c->nodes[0] = rk_lower_call(l, &back_def, p, sizeof *p, &triangle, 1,
                                    rk_linalg_bytes(xt->dtype, p->columns, p->n), RK_GEMM_SCRATCH);
    return rk_lowering_graph(l)->status;
}

static const rk_opaque lstsq_class = {.name = "lstsq", .lower = lower_lstsq};

static bool sides_fit(const rask_array *a, const rask_array *b, const char *file, int line)
{
    char left[RK_SHAPE_TEXT], right[RK_SHAPE_TEXT];
    if (a->shape[0] < a->shape[1])
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "rask_array_lstsq: a matrix of shape %s is not tall",
                      rk_shape_text(a->shape, 2, left));
    else if (b->shape[0] != a->shape[0])
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "rask_array_lstsq: shapes %s and %s do not fit",
                      rk_shape_text(a->shape, 2, left), rk_shape_text(b->shape, 2, right));
    return !a->graph->status;
}

rask_array *rask_array_lstsq_at(rask_array *a, rask_array *b, const char *file, int line)
{
    rask_array *r = NULL;
    if (!a || !b)
        return NULL;
    bool vector = b->ndim == 1;
    rask_dtype dtype = rk_linalg_dtype(rask_dtype_promote(a->dtype, b->dtype));
    if (vector)
        b = rask_array_expand_dims_at(b, 1, file, line);
    a = rk_linalg_matrix(a, dtype, "rask_array_lstsq", file, line);
    b = rk_linalg_matrix(b, dtype, "rask_array_lstsq", file, line);
    if (!a || !b || !sides_fit(a, b, file, line))
        return NULL;
    rask_array *both = rask_array_concatenate_at((rask_array *[]){a, b}, 2, 1, file, line);
    if (both)
        rk_qr(both, NULL, &r, file, line);
    rask_array *rt = rask_array_transpose_at(r, NULL, 0, file, line);
    if (!rt)
        return NULL;
    back_params p = {.dtype = dtype,
                     .n = a->shape[1],
                     .columns = b->shape[1],
                     .rows = rt->shape[1],
                     .a_rows = a->shape[0]};
    rask_array *xt = rk_linalg_array(&lstsq_class, &p, sizeof p, dtype, p.columns, p.n, &rt, 1, file, line);
    xt = rask_array_transpose_at(xt, NULL, 0, file, line);
    return vector ? rask_array_squeeze_at(xt, 1, file, line) : xt;
}
