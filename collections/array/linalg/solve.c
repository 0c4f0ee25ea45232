/* a x = b by LU: all panels forward, then all panels backward, over columns of b.
 *
 * y is a column-major block of RHS columns of b at most, how many being given by b's shape alone; a task takes it
 * through some of the panels. */
#include "collections/array/linalg/lu.h"
#include "core/task/task.h"

#include <string.h>

enum { RHS = 256 };

/* -- Task -- */

typedef struct sweep_params {
    uint64_t dtype;
    int64_t n, columns;   /* of y */
    int64_t first, count; /* panels, the first to be applied first */
    int64_t step;         /* 1: forward, -1: backward */
} sweep_params;

static void forward(const sweep_params *p, int64_t number, const rask_block *panel, void *y)
{
    rask_dtype dtype = (rask_dtype)p->dtype;
    size_t size = rask_dtype_size(dtype);
    int64_t row = number * RK_LU_PANEL, count = rk_lu_width(number, p->n), below = p->n - row - count;
    rk_lu_exchange(panel, number, count, y, p->n, p->columns);
    rk_lapack()->trsm(dtype, 'L', 'N', 'U', count, p->columns, rk_at(panel->data, row, size), p->n + 1,
                      rk_at(y, row, size), p->n);
    if (below)
        rk_lapack()->gemm(dtype, 'N', 'N', below, p->columns, count, -1,
                          rk_at(panel->data, row + count, size), p->n + 1, rk_at(y, row, size), p->n, 1,
                          rk_at(y, row + count, size), p->n);
}

static int backward(rask_task *task, const sweep_params *p, int64_t number, const rask_block *panel, void *y)
{
    rask_dtype dtype = (rask_dtype)p->dtype;
    size_t size = rask_dtype_size(dtype);
    int64_t row = number * RK_LU_PANEL, count = rk_lu_width(number, p->n);
    for (int64_t j = 0; j < count; j++)
        if (rk_element_is_zero(dtype, rk_at(panel->data, j * (p->n + 1) + row + j, size)))
            return rk_task_fail(task, RASK_ERANGE, "the matrix is singular: pivot %lld is 0",
                                (long long)row + j);
    rk_lapack()->trsm(dtype, 'U', 'N', 'N', count, p->columns, rk_at(panel->data, row, size), p->n + 1,
                      rk_at(y, row, size), p->n);
    if (row)
        rk_lapack()->gemm(dtype, 'N', 'N', row, p->columns, count, -1, panel->data, p->n + 1,
                          rk_at(y, row, size), p->n, 1, y, p->n);
    return RASK_OK;
}

/* params, y, panels. */
static int call_solve(rask_task *task)
{
    const sweep_params *p = rk_task_params(task, sizeof *p);
    rask_block before, panel, y;
    rask_value value;
    if (!p || rk_lapack_load(task) ||
        rk_linalg_block(task, 1, (rask_dtype)p->dtype, p->columns, p->n, &before) ||
        rk_linalg_result(task, (rask_dtype)p->dtype, p->columns, p->n, &y, &value))
        return task->status;
    memcpy(y.data, before.data, rk_linalg_bytes(y.dtype, p->columns, p->n));
    for (int64_t i = 0; i < p->count && !rask_task_cancelled(task); i++) {
        int64_t number = p->first + i * p->step;
        if (rk_lu_panel(task, 2 + (size_t)i, y.dtype, p->n, rk_lu_width(number, p->n), &panel))
            break;
        if (p->step > 0)
            forward(p, number, &panel, y.data);
        else if (backward(task, p, number, &panel, y.data))
            break;
    }
    return rask_return_value(task, value);
}

static const rask_task_def solve_def = {
    .size = sizeof solve_def, .name = "solve", .call = call_solve, .flags = RASK_PURE};

/* -- Lowering -- */

/* y through all panels in one direction. */
static rask_node *lower_sweep(rk_lowering *l, const rk_chunks *panels, sweep_params *p, int64_t group,
                              rask_node *y, rask_node **args)
{
    int64_t total = panels->count[0];
    for (int64_t done = 0; y && done < total; done += group) {
        p->count = rk_least(group, total - done);
        p->first = p->step > 0 ? done : total - 1 - done;
        args[0] = y;
        for (int64_t i = 0; i < p->count; i++)
            args[1 + i] = panels->nodes[p->first + i * p->step];
        y = rk_lower_call(l, &solve_def, p, sizeof *p, args, 1 + (size_t)p->count,
                          rk_linalg_bytes((rask_dtype)p->dtype, p->columns, p->n), RK_GEMM_SCRATCH);
    }
    return y;
}

/* Inputs: the factors of a, the transpose of b. The transpose of x. */
static int lower_solve(rk_lowering *l, rask_array *xt, rk_chunks *c)
{
    rask_array *bt = xt->inputs[1];
    int64_t n = xt->shape[1];
    const rk_chunks *panels = rk_lower_chunks(l, xt->inputs[0]);
    int status =
        panels ? rk_grid_regular(l, c, 2, xt->shape, (const int64_t[]){RHS, n}) : rk_lowering_failure(l);
    if (status)
        return status;
    int64_t group = rk_linalg_group(l, rk_linalg_bytes(xt->dtype, RK_LU_PANEL, n), panels->count[0]);
    rask_node **args = rk_lowering_memory(l, ((size_t)group + 1) * sizeof *args);
    if (!args)
        return rk_lowering_failure(l);
    for (int64_t j = 0; j < c->count[0]; j++) {
        sweep_params p = {
            .dtype = xt->dtype, .n = n, .columns = c->bounds[0][j + 1] - c->bounds[0][j], .step = 1};
        rask_node *y = rk_linalg_tile(l, bt, c->bounds[0][j], p.columns, 0, n);
        y = lower_sweep(l, panels, &p, group, y, args);
        p.step = -1;
        c->nodes[j] = lower_sweep(l, panels, &p, group, y, args);
        if (!c->nodes[j])
            return rk_lowering_failure(l);
    }
    return RASK_OK;
}

static const rk_opaque solve_class = {.name = "solve", .lower = lower_solve};

/* -- Builder -- */

static bool sides_fit(const rask_array *a, const rask_array *b, const char *file, int line)
{
    char left[RK_SHAPE_TEXT], right[RK_SHAPE_TEXT];
    if (a->shape[0] != a->shape[1])
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "rask_array_solve: a matrix of shape %s is not square",
                      rk_shape_text(a->shape, 2, left));
    else if (b->shape[0] != a->shape[0])
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "rask_array_solve: shapes %s and %s do not fit",
                      rk_shape_text(a->shape, 2, left), rk_shape_text(b->shape, b->ndim, right));
    return !a->graph->status;
}

rask_array *rask_array_solve_at(rask_array *a, rask_array *b, const char *file, int line)
{
    if (!a || !b)
        return NULL;
    bool vector = b->ndim == 1;
    rask_dtype dtype = rk_linalg_dtype(rask_dtype_promote(a->dtype, b->dtype));
    if (vector)
        b = rask_array_expand_dims_at(b, 1, file, line);
    a = rk_linalg_matrix(a, dtype, "rask_array_solve", file, line);
    b = rk_linalg_matrix(b, dtype, "rask_array_solve", file, line);
    if (!a || !b || !sides_fit(a, b, file, line))
        return NULL;
    rask_array *inputs[2] = {rk_lu_factors(a, file, line), rask_array_transpose_at(b, NULL, 0, file, line)};
    rask_array *xt =
        rk_linalg_array(&solve_class, NULL, 0, dtype, b->shape[1], a->shape[0], inputs, 2, file, line);
    xt = rask_array_transpose_at(xt, NULL, 0, file, line);
    return vector ? rask_array_squeeze_at(xt, 1, file, line) : xt;
}
