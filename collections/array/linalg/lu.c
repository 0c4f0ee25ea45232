/* LU factorisation with partial pivoting, in panels of columns.
 *
 * Panel j of the factors, x being columns of a:
 *   for each panel p < j:  exchange rows of x;  x_p = l_pp^-1 x_p;  x_below -= l_p x_p
 *   then factor what is below row j * RK_LU_PANEL.
 * A task takes some of the panels p, in order, and the last one of a panel factors it. */
#include "collections/array/linalg/lu.h"

#include "core/task/task.h"

#include <string.h>

/* -- Panels -- */

int rk_lu_panel(rask_task *task, size_t index, rask_dtype dtype, int64_t rows, int64_t columns,
                rask_block *block)
{
    return rk_linalg_block(task, index, dtype, columns, rows + 1, block);
}

int64_t rk_lu_pivot(const rask_block *panel, int64_t first, int64_t row)
{
    int32_t other;
    int64_t rows = panel->shape[1] - 1;
    size_t size = rask_dtype_size(panel->dtype);
    memcpy(&other, rk_at(panel->data, (row - first) * (rows + 1) + rows, size), sizeof other);
    return other >= row && other < rows ? other : row;
}

static void swap(char *a, char *b, size_t size)
{
    char kept[16];
    memcpy(kept, a, size);
    memcpy(a, b, size);
    memcpy(b, kept, size);
}

void rk_lu_exchange(const rask_block *panel, int64_t number, int64_t count, void *x, int64_t rows,
                    int64_t columns)
{
    size_t size = rask_dtype_size(panel->dtype);
    int64_t first = number * RK_LU_PANEL, other[RK_LU_PANEL];
    for (int64_t j = 0; j < count; j++)
        other[j] = rk_lu_pivot(panel, first, first + j);
    for (int64_t column = 0; column < columns; column++)
        for (int64_t j = 0; j < count; j++)
            if (other[j] != first + j)
                swap(rk_at(x, column * rows + first + j, size), rk_at(x, column * rows + other[j], size),
                     size);
}

/* -- The factoring task -- */

typedef struct panel_params {
    uint64_t dtype;
    int64_t rows, pivots, width; /* width: columns of x */
    int64_t first, count;        /* panels to apply */
    int64_t factor;              /* number of this panel when it is to be factored, else -1 */
} panel_params;

/* x as it is after panel number `number`. */
static int apply(rask_task *task, const panel_params *p, int64_t number, size_t index, void *x, int64_t ldx)
{
    rask_block panel;
    rask_dtype dtype = (rask_dtype)p->dtype;
    size_t size = rask_dtype_size(dtype);
    int64_t row = number * RK_LU_PANEL, count = rk_lu_width(number, p->pivots), below = p->rows - row - count;
    if (rk_linalg_rows(task, index, dtype, p->rows + 1, &panel))
        return task->status;
    if (panel.shape[0] < count)
        return rk_task_fail(task, RASK_EINVAL, "argument %zu has too few columns", index);
    rk_lu_exchange(&panel, number, count, x, ldx, p->width);
    rk_lapack()->trsm(dtype, 'L', 'N', 'U', count, p->width, rk_at(panel.data, row, size), p->rows + 1,
                      rk_at(x, row, size), ldx);
    if (below)
        rk_lapack()->gemm(dtype, 'N', 'N', below, p->width, count, -1, rk_at(panel.data, row + count, size),
                          p->rows + 1, rk_at(x, row, size), ldx, 1, rk_at(x, row + count, size), ldx);
    return RASK_OK;
}

/* The rows from the panel's own on; a pivot that is 0 is for solve to complain about. */
static void factor(const panel_params *p, void *x)
{
    rask_dtype dtype = (rask_dtype)p->dtype;
    size_t size = rask_dtype_size(dtype);
    int64_t row = p->factor * RK_LU_PANEL, count = rk_lu_width(p->factor, p->pivots);
    int32_t pivots[RK_LU_PANEL];
    if (count)
        rk_lapack()->getrf(dtype, p->rows - row, p->width, rk_at(x, row, size), p->rows + 1, pivots);
    for (int64_t j = 0; j < p->width; j++) {
        int32_t other = j < count ? (int32_t)row + pivots[j] - 1 : 0;
        char *place = rk_at(x, j * (p->rows + 1) + p->rows, size);
        memset(place, 0, size);
        memcpy(place, &other, sizeof other);
    }
}

/* Columns of x into those of a block of another leading dimension. */
static void copy_columns(const rask_block *from, int64_t rows, const rask_block *to)
{
    size_t size = rask_dtype_size(from->dtype);
    for (int64_t j = 0; j < from->shape[0]; j++)
        memcpy(rk_at(to->data, j * to->shape[1], size), rk_at(from->data, j * from->shape[1], size),
               (size_t)rows * size);
}

/* params, x, panels. */
static int call_lu(rask_task *task)
{
    const panel_params *p = rk_task_params(task, sizeof *p);
    rask_block before, x;
    rask_value value;
    if (!p || rk_lapack_load(task))
        return task->status;
    rask_dtype dtype = (rask_dtype)p->dtype;
    if (rk_linalg_block(task, 1, dtype, p->width, p->rows, &before) ||
        rk_linalg_result(task, dtype, p->width, p->rows + (p->factor >= 0), &x, &value))
        return task->status;
    copy_columns(&before, p->rows, &x);
    for (int64_t i = 0; i < p->count && !task->status && !rask_task_cancelled(task); i++)
        apply(task, p, p->first + i, 2 + (size_t)i, x.data, x.shape[1]);
    if (!task->status && p->factor >= 0)
        factor(p, x.data);
    return rask_return_value(task, value);
}

static const rask_task_def lu_def = {
    .size = sizeof lu_def, .name = "lu", .call = call_lu, .flags = RASK_PURE};

/* -- The factors -- */

/* Few workers: more panels a task, fewer copies of x. */
static int64_t panels_a_task(rk_lowering *l, rask_dtype dtype, int64_t rows)
{
    return rk_linalg_group(l, rk_linalg_bytes(dtype, rows, RK_LU_PANEL), rk_lowering_workers(l) > 4 ? 2 : 4);
}

static rask_node *lower_panel(rk_lowering *l, rask_array *at, const rk_chunks *c, int64_t j, int64_t group)
{
    int64_t rows = at->shape[1], from = c->bounds[0][j];
    panel_params p = {.dtype = at->dtype,
                      .rows = rows,
                      .pivots = rk_least(rows, at->shape[0]),
                      .width = c->bounds[0][j + 1] - from};
    int64_t panels = rk_least(j, rk_ceil_div(p.pivots, RK_LU_PANEL));
    rask_node *args[8], *x = rk_linalg_tile(l, at, from, p.width, 0, rows);
    for (p.first = 0; x && (p.first < panels || !p.first); p.first += group) {
        bool last = p.first + group >= panels;
        p.count = rk_least(group, panels - p.first);
        p.factor = last ? j : -1;
        args[0] = x;
        for (int64_t i = 0; i < p.count; i++)
            args[1 + i] = c->nodes[p.first + i];
        x = rk_lower_call(l, &lu_def, &p, sizeof p, args, 1 + (size_t)p.count,
                          rk_linalg_bytes(at->dtype, rows + last, p.width), RK_GEMM_SCRATCH);
    }
    return x;
}

static int lower_factors(rk_lowering *l, rask_array *factors, rk_chunks *c)
{
    rask_array *at = factors->inputs[0];
    int status = rk_grid_regular(l, c, 2, factors->shape, (const int64_t[]){RK_LU_PANEL, factors->shape[1]});
    int64_t group = panels_a_task(l, at->dtype, at->shape[1]);
    for (int64_t j = 0; j < c->count[0] && !status; j++) {
        c->nodes[j] = lower_panel(l, at, c, j, group);
        if (!c->nodes[j])
            status = rk_lowering_failure(l);
    }
    return status;
}

static const rk_opaque factors_class = {.name = "lu_factors", .lower = lower_factors};

rask_array *rk_lu_factors(rask_array *a, const char *file, int line)
{
    rask_array *at = rask_array_transpose_at(a, NULL, 0, file, line);
    if (!at)
        return NULL;
    return rk_linalg_array(&factors_class, NULL, 0, at->dtype, at->shape[0], at->shape[1] + 1, &at, 1, file,
                           line);
}

/* -- Permutation and triangles --
 *
 * Inputs: the factors, or for the permutation the exchanges: i64, one an element, cut as the panels are. */

typedef struct part_params {
    uint64_t dtype;
    int64_t rows, pivots, width, number;
} part_params;

static part_params part_of(const rask_array *factors, const rk_chunks *c, int64_t number)
{
    int64_t rows = factors->shape[1] - 1;
    return (part_params){.dtype = factors->dtype,
                         .rows = rows,
                         .pivots = rk_least(rows, factors->shape[0]),
                         .width = c->bounds[0][number + 1] - c->bounds[0][number],
                         .number = number};
}

static int call_exchanges(rask_task *task)
{
    const part_params *p = rk_task_params(task, sizeof *p);
    rask_block panel, out;
    rask_value value;
    if (!p || rk_lu_panel(task, 1, (rask_dtype)p->dtype, p->rows, p->width, &panel))
        return task->status;
    int64_t first = p->number * RK_LU_PANEL, count = rk_lu_width(p->number, p->pivots);
    if (rk_task_result(task, RASK_DT_I64, 1, &count, &out, &value))
        return task->status;
    for (int64_t j = 0; j < count; j++)
        ((int64_t *)out.data)[j] = rk_lu_pivot(&panel, first, first + j);
    return rask_return_value(task, value);
}

/* Row number by row number, all exchanges done: the numbers are elements of a column of one. */
static int exchange_numbers(rask_task *task, size_t index, int64_t number, void *x, int64_t rows,
                            int64_t columns, size_t size)
{
    rask_block exchanges;
    if (rask_arg_block(task, index, &exchanges))
        return task->status;
    if (exchanges.dtype != RASK_DT_I64 || exchanges.ndim != 1)
        return rk_task_fail(task, RASK_EINVAL, "argument %zu holds no exchanges", index);
    const int64_t *other = exchanges.data;
    int64_t first = number * RK_LU_PANEL;
    for (int64_t column = 0; column < columns; column++)
        for (int64_t j = 0; j < exchanges.shape[0] && first + j < rows; j++)
            if (other[j] > first + j && other[j] < rows)
                swap(rk_at(x, column * rows + first + j, size), rk_at(x, column * rows + other[j], size),
                     size);
    return RASK_OK;
}

/* rows as a parameter, exchanges of all panels. */
static int call_permutation(rask_task *task)
{
    const int64_t *rows = rk_task_params(task, sizeof *rows);
    rask_block out;
    rask_value value;
    if (!rows || rk_task_result(task, RASK_DT_I64, 1, rows, &out, &value))
        return task->status;
    for (int64_t i = 0; i < *rows; i++)
        ((int64_t *)out.data)[i] = i;
    for (size_t i = 1; i < rask_arg_count(task) && !task->status; i++)
        exchange_numbers(task, i, (int64_t)i - 1, out.data, *rows, 1, sizeof(int64_t));
    return rask_return_value(task, value);
}

/* Columns of l: the panel, and the exchanges of those behind it. */
static int call_lower(rask_task *task)
{
    const part_params *p = rk_task_params(task, sizeof *p);
    rask_block panel, out;
    rask_value value;
    if (!p)
        return task->status;
    rask_dtype dtype = (rask_dtype)p->dtype;
    size_t size = rask_dtype_size(dtype);
    int64_t first = p->number * RK_LU_PANEL, count = rk_lu_width(p->number, p->pivots);
    if (rk_lu_panel(task, 1, dtype, p->rows, p->width, &panel) ||
        rk_linalg_result(task, dtype, count, p->rows, &out, &value))
        return task->status;
    for (int64_t j = 0; j < count; j++) {
        char *column = rk_at(out.data, j * p->rows, size);
        memset(column, 0, (size_t)(first + j + 1) * size);
        rk_element_set_one(dtype, rk_at(column, first + j, size));
        memcpy(rk_at(column, first + j + 1, size), rk_at(panel.data, j * (p->rows + 1) + first + j + 1, size),
               (size_t)(p->rows - first - j - 1) * size);
    }
    for (size_t i = 2; i < rask_arg_count(task) && !task->status; i++)
        exchange_numbers(task, i, p->number + (int64_t)i - 1, out.data, p->rows, count, size);
    return rask_return_value(task, value);
}

static int call_upper(rask_task *task)
{
    const part_params *p = rk_task_params(task, sizeof *p);
    rask_block panel, out;
    rask_value value;
    if (!p || rk_lu_panel(task, 1, (rask_dtype)p->dtype, p->rows, p->width, &panel) ||
        rk_linalg_result(task, (rask_dtype)p->dtype, p->width, p->pivots, &out, &value))
        return task->status;
    size_t size = rask_dtype_size(panel.dtype);
    for (int64_t j = 0; j < p->width; j++) {
        int64_t filled = rk_least(p->number * RK_LU_PANEL + j + 1, p->pivots);
        char *column = rk_at(out.data, j * p->pivots, size);
        memcpy(column, rk_at(panel.data, j * (p->rows + 1), size), (size_t)filled * size);
        memset(rk_at(column, filled, size), 0, (size_t)(p->pivots - filled) * size);
    }
    return rask_return_value(task, value);
}

static const rask_task_def exchanges_def = {
    .size = sizeof exchanges_def, .name = "lu_exchanges", .call = call_exchanges, .flags = RASK_PURE};
static const rask_task_def permutation_def = {
    .size = sizeof permutation_def, .name = "lu_permutation", .call = call_permutation, .flags = RASK_PURE};
static const rask_task_def lower_def = {
    .size = sizeof lower_def, .name = "lu_lower", .call = call_lower, .flags = RASK_PURE};
static const rask_task_def upper_def = {
    .size = sizeof upper_def, .name = "lu_upper", .call = call_upper, .flags = RASK_PURE};

static int lower_exchanges(rk_lowering *l, rask_array *exchanges, rk_chunks *c)
{
    rask_array *factors = exchanges->inputs[0];
    const rk_chunks *panels = rk_lower_chunks(l, factors);
    int status = panels ? rk_grid_regular(l, c, 1, exchanges->shape, (const int64_t[]){RK_LU_PANEL})
                        : rk_lowering_failure(l);
    for (int64_t j = 0; !status && j < c->count[0]; j++) {
        part_params p = part_of(factors, panels, j);
        c->nodes[j] = rk_lower_call(l, &exchanges_def, &p, sizeof p, &panels->nodes[j], 1,
                                    (uint64_t)rk_lu_width(j, p.pivots) * sizeof(int64_t), 0);
        if (!c->nodes[j])
            status = rk_lowering_failure(l);
    }
    return status;
}

static int lower_permutation(rk_lowering *l, rask_array *permutation, rk_chunks *c)
{
    const rk_chunks *exchanges = rk_lower_chunks(l, permutation->inputs[0]);
    int status =
        exchanges ? rk_grid_regular(l, c, 1, permutation->shape, permutation->shape) : rk_lowering_failure(l);
    if (status)
        return status;
    c->nodes[0] =
        rk_lower_call(l, &permutation_def, &permutation->shape[0], sizeof(int64_t), exchanges->nodes,
                      (size_t)exchanges->count[0], (uint64_t)permutation->shape[0] * sizeof(int64_t), 0);
    return c->nodes[0] ? RASK_OK : rk_lowering_failure(l);
}

/* Inputs: factors, exchanges. The transpose of l. */
static int lower_lower(rk_lowering *l, rask_array *lower, rk_chunks *c)
{
    const rk_chunks *panels = rk_lower_chunks(l, lower->inputs[0]),
                    *exchanges = rk_lower_chunks(l, lower->inputs[1]);
    int64_t lengths[2] = {RK_LU_PANEL, lower->shape[1]};
    int status =
        panels && exchanges ? rk_grid_regular(l, c, 2, lower->shape, lengths) : rk_lowering_failure(l);
    rask_node **args = status ? NULL : rk_lowering_memory(l, ((size_t)c->count[0] + 1) * sizeof *args);
    if (!args)
        return rk_lowering_failure(l);
    for (int64_t j = 0; !status && j < c->count[0]; j++) {
        part_params p = part_of(lower->inputs[0], panels, j);
        int64_t behind = c->count[0] - j - 1;
        args[0] = panels->nodes[j];
        memcpy(args + 1, exchanges->nodes + j + 1, (size_t)behind * sizeof *args);
        c->nodes[j] = rk_lower_call(l, &lower_def, &p, sizeof p, args, 1 + (size_t)behind,
                                    rk_linalg_bytes(lower->dtype, rk_lu_width(j, p.pivots), p.rows), 0);
        if (!c->nodes[j])
            status = rk_lowering_failure(l);
    }
    return status;
}

/* The transpose of u. */
static int lower_upper(rk_lowering *l, rask_array *upper, rk_chunks *c)
{
    const rk_chunks *panels = rk_lower_chunks(l, upper->inputs[0]);
    int64_t lengths[2] = {RK_LU_PANEL, upper->shape[1]};
    int status = panels ? rk_grid_regular(l, c, 2, upper->shape, lengths) : rk_lowering_failure(l);
    for (int64_t j = 0; !status && j < c->count[0]; j++) {
        part_params p = part_of(upper->inputs[0], panels, j);
        c->nodes[j] = rk_lower_call(l, &upper_def, &p, sizeof p, &panels->nodes[j], 1,
                                    rk_linalg_bytes(upper->dtype, p.width, p.pivots), 0);
        if (!c->nodes[j])
            status = rk_lowering_failure(l);
    }
    return status;
}

static const rk_opaque exchanges_class = {.name = "lu_exchanges", .lower = lower_exchanges};
static const rk_opaque permutation_class = {.name = "lu_permutation", .lower = lower_permutation};
static const rk_opaque lower_class = {.name = "lu_lower", .lower = lower_lower};
static const rk_opaque upper_class = {.name = "lu_upper", .lower = lower_upper};

/* -- Builder -- */

int rask_array_lu_at(rask_array *a, rask_array **p, rask_array **l, rask_array **u, const char *file,
                     int line)
{
    if (p)
        *p = NULL;
    if (l)
        *l = NULL;
    if (u)
        *u = NULL;
    if (!a)
        return RASK_EGRAPH;
    rask_graph *graph = a->graph;
    a = rk_linalg_matrix(a, rk_linalg_dtype(a->dtype), "rask_array_lu", file, line);
    if (!a)
        return graph->status;
    int64_t rows = a->shape[0], columns = a->shape[1], pivots = rk_least(rows, columns);
    rask_array *inputs[2] = {rk_lu_factors(a, file, line)};
    if (inputs[0])
        inputs[1] =
            rk_array_opaque(graph, &exchanges_class, NULL, 0, RASK_DT_I64, 1, &pivots, inputs, 1, file, line);
    if (!inputs[1])
        return graph->status;
    rask_array *lower = rk_linalg_array(&lower_class, NULL, 0, a->dtype, pivots, rows, inputs, 2, file, line);
    rask_array *upper =
        rk_linalg_array(&upper_class, NULL, 0, a->dtype, columns, pivots, inputs, 1, file, line);
    if (p)
        *p = rk_array_opaque(graph, &permutation_class, NULL, 0, RASK_DT_I64, 1, &rows, &inputs[1], 1, file,
                             line);
    if (l)
        *l = rask_array_transpose_at(lower, NULL, 0, file, line);
    if (u)
        *u = rask_array_transpose_at(upper, NULL, 0, file, line);
    return graph->status;
}
