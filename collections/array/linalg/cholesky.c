/* Cholesky factorisation in square blocks.
 *
 * Block (i, k) of the factor l of a, k ≤ i, from those left of it:
 *   s = a_ik - sum over p < k of l_ip l_kp^H;   l_kk l_kk^H = s;   l_ik = s l_kk^-H
 * A task subtracts some of the terms, in order, and the last one of a block ends it. Blocks are in C order, so that
 * column-major routines see transposes: a lower triangle is an upper one, and l_ip l_kp^H comes as conj(l_kp) l_ip^T. */
#include "collections/array/linalg/linalg.h"
#include "core/task/task.h"

#include <string.h>

enum { SIDE = 512, WHOLE = 1024 };

/* -- Tasks -- */

/* What ends the block: nothing yet, its own factorisation, or the triangle of its column. */
enum { MORE_COME, FACTOR, SOLVE };

typedef struct block_params {
    uint32_t dtype, end;
    int64_t row, rows, columns; /* row: of the whole matrix, for messages */
    int64_t terms;              /* pairs of blocks; on the diagonal both are one */
    int64_t depth;              /* columns of each */
    bool diagonal;
    char zero[7]; /* equal bytes are equal calls */
} block_params;

/* s -= l_ip l_kp^H. */
static int subtract(rask_task *task, const block_params *p, int64_t term, void *s)
{
    rask_block left, right;
    size_t at = 2 + (size_t)term * (p->diagonal ? 1 : 2);
    rask_dtype dtype = p->dtype;
    if (rk_linalg_block(task, at, dtype, p->rows, p->depth, &left) ||
        rk_linalg_block(task, p->diagonal ? at : at + 1, dtype, p->columns, p->depth, &right))
        return task->status;
    rk_lapack()->gemm(dtype, 'C', 'N', p->columns, p->rows, p->depth, -1, right.data, p->depth, left.data,
                      p->depth, 1, s, p->columns);
    return RASK_OK;
}

static int factor(rask_task *task, const block_params *p, void *s)
{
    size_t size = rask_dtype_size(p->dtype);
    int info = rk_lapack()->potrf(p->dtype, 'U', p->rows, s, p->rows);
    if (info)
        return rk_task_fail(task, RASK_ERANGE,
                            "the matrix is not positive definite: its leading minor of order %lld is not",
                            (long long)p->row + info);
    for (int64_t i = 0; i < p->rows; i++)
        memset(rk_at(s, i * p->rows + i + 1, size), 0, (size_t)(p->rows - i - 1) * size);
    return RASK_OK;
}

/* l_ik = s l_kk^-H, whose transpose is conj(l_kk)^-1 s^T. */
static int solve(rask_task *task, const block_params *p, void *s)
{
    rask_block triangle;
    if (rk_linalg_block(task, 2 + 2 * (size_t)p->terms, p->dtype, p->columns, p->columns, &triangle))
        return task->status;
    rk_lapack()->trsm(p->dtype, 'U', 'C', 'N', p->columns, p->rows, triangle.data, p->columns, s, p->columns);
    return RASK_OK;
}

/* params, s so far, pairs of blocks, and for SOLVE the triangle. */
static int call_cholesky(rask_task *task)
{
    const block_params *p = rk_task_params(task, sizeof *p);
    rask_block before, s;
    rask_value value;
    if (!p || rk_lapack_load(task) || rk_linalg_block(task, 1, p->dtype, p->rows, p->columns, &before) ||
        rk_linalg_result(task, p->dtype, p->rows, p->columns, &s, &value))
        return task->status;
    memcpy(s.data, before.data, rk_linalg_bytes(p->dtype, p->rows, p->columns));
    for (int64_t i = 0; i < p->terms && !task->status && !rask_task_cancelled(task); i++)
        subtract(task, p, i, s.data);
    if (!task->status && p->end == FACTOR)
        factor(task, p, s.data);
    if (!task->status && p->end == SOLVE)
        solve(task, p, s.data);
    return rask_return_value(task, value);
}

typedef struct zeros_params {
    uint64_t dtype;
    int64_t rows, columns;
} zeros_params;

static int call_zeros(rask_task *task)
{
    const zeros_params *p = rk_task_params(task, sizeof *p);
    rask_block zeros;
    rask_value value;
    if (!p || rk_linalg_result(task, (rask_dtype)p->dtype, p->rows, p->columns, &zeros, &value))
        return task->status;
    memset(zeros.data, 0, rk_linalg_bytes((rask_dtype)p->dtype, p->rows, p->columns));
    return rask_return_value(task, value);
}

static const rask_task_def cholesky_def = {
    .size = sizeof cholesky_def, .name = "cholesky", .call = call_cholesky, .flags = RASK_PURE};
static const rask_task_def zeros_def = {
    .size = sizeof zeros_def, .name = "zeros", .call = call_zeros, .flags = RASK_PURE | RASK_SOURCE};

/* -- Lowering -- */

/* The blocks of the rows i and k that one task subtracts, from p on: the arguments behind s. */
static size_t add_terms(const rk_chunks *c, int64_t i, int64_t k, int64_t p, int64_t terms, rask_node **args)
{
    size_t count = 0;
    for (int64_t q = p; q < p + terms; q++) {
        args[count++] = c->nodes[i * c->count[1] + q];
        if (i != k)
            args[count++] = c->nodes[k * c->count[1] + q];
    }
    return count;
}

static rask_node *lower_block(rk_lowering *l, rask_array *a, const rk_chunks *c, int64_t i, int64_t k,
                              int64_t group, rask_node **args)
{
    const int64_t *rows = &c->bounds[0][i], *columns = &c->bounds[1][k];
    block_params p;
    memset(&p, 0, sizeof p);
    p.dtype = a->dtype;
    p.row = rows[0];
    p.rows = rows[1] - rows[0];
    p.columns = columns[1] - columns[0];
    p.diagonal = i == k;
    p.depth = c->bounds[1][1];
    uint64_t bytes = rk_linalg_bytes(a->dtype, p.rows, p.columns);
    rask_node *s = rk_linalg_tile(l, a, rows[0], p.rows, columns[0], p.columns);
    for (int64_t from = 0; s && (from < k || !from); from += group) {
        p.terms = rk_least(group, k - from);
        p.end = from + group < k ? MORE_COME : i == k ? FACTOR : SOLVE;
        args[0] = s;
        size_t count = 1 + add_terms(c, i, k, from, p.terms, args + 1);
        if (p.end == SOLVE)
            args[count++] = c->nodes[k * c->count[1] + k];
        s = rk_lower_call(l, &cholesky_def, &p, sizeof p, args, count, bytes, RK_GEMM_SCRATCH);
    }
    return s;
}

static rask_node *lower_zeros(rk_lowering *l, rask_dtype dtype, const rk_chunks *c, int64_t i, int64_t k)
{
    zeros_params p = {dtype, c->bounds[0][i + 1] - c->bounds[0][i], c->bounds[1][k + 1] - c->bounds[1][k]};
    return rk_lower_call(l, &zeros_def, &p, sizeof p, NULL, 0, rk_linalg_bytes(dtype, p.rows, p.columns), 0);
}

static int lower_cholesky(rk_lowering *l, rask_array *factor_array, rk_chunks *c)
{
    rask_array *a = factor_array->inputs[0];
    int64_t n = a->shape[0], side = n <= WHOLE ? n : SIDE;
    int status = rk_grid_regular(l, c, 2, a->shape, (const int64_t[]){side, side});
    if (status)
        return status;
    int64_t count = c->count[0], group = rk_linalg_group(l, 2 * rk_linalg_bytes(a->dtype, side, side), count);
    rask_node **args = rk_lowering_memory(l, (2 * (size_t)group + 2) * sizeof *args);
    if (!args)
        return RASK_ENOMEM;
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < count; i++) {
            rask_node *node =
                i < k ? lower_zeros(l, a->dtype, c, i, k) : lower_block(l, a, c, i, k, group, args);
            c->nodes[i * count + k] = node;
            if (!node)
                return rk_lowering_failure(l);
        }
    return RASK_OK;
}

static const rk_opaque cholesky_class = {.name = "cholesky", .lower = lower_cholesky};

/* -- Builder -- */

rask_array *rask_array_cholesky_at(rask_array *a, const char *file, int line)
{
    a = rk_linalg_square(a, "rask_array_cholesky", file, line);
    if (!a)
        return NULL;
    return rk_linalg_array(&cholesky_class, NULL, 0, a->dtype, a->shape[0], a->shape[1], &a, 1, file, line);
}
