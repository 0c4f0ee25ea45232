/* QR of tall matrices: see A. Benson, D. Gleich, J. Demmel, "Direct QR factorizations for tall-and-skinny matrices in
 * MapReduce architectures", 2013.
 *
 * Up: a's rows are cut into blocks, each is factored, and their triangles r, one below the other, are a matrix that is
 * factored in the same way, until one block is left. Down: q of a block is its reflectors applied to the n rows that the
 * level above has for it, with zeros below.
 *   level        rows      of                          cut into
 *   0            m         a                           blocks of a good size, at least 4 n rows
 *   k + 1        n c       the c triangles of level k  blocks of some triangles
 * The last block of a level takes what is left over, so that none has fewer than n rows. A wide matrix is one block.
 *
 * Signs: LAPACK's r has a real diagonal; rows of r and columns of q are negated where it is negative. */
#include "collections/array/linalg/qr.h"

#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

enum { LEAF_BYTES = 1 << 20, LEAF_SHAPE = 4, MOST_TRIANGLES = 16, LEVELS = 64 };

/* How the rows of a level are cut. */
typedef struct level {
    int64_t rows, unit, count; /* unit: of all blocks but the last */
} level;

static int64_t level_start(const level *v, int64_t block)
{
    return block < v->count ? block * v->unit : v->rows;
}

/* Elements up to 16 bytes; by shape alone. */
static level leaf_level(int64_t rows, int64_t columns)
{
    int64_t unit = rk_most(LEAF_SHAPE * columns, LEAF_BYTES / 8 / columns);
    return (level){.rows = rows, .unit = unit, .count = rk_most(1, rows / unit)};
}

static level next_level(const level *below, int64_t leaf_unit, int64_t columns)
{
    int64_t triangles = rk_most(2, rk_least(MOST_TRIANGLES, leaf_unit / columns));
    return (level){.rows = below->count * columns,
                   .unit = triangles * columns,
                   .count = rk_most(1, below->count / triangles)};
}

/* -- Tasks -- */

/* Blocks are column-major: rows of a block as it lies are columns of the matrix. A factored block has one more row than
 * the matrix: the reflectors' factors. */
typedef struct block_params {
    uint64_t dtype;
    int64_t rows, columns;
    int64_t top; /* 1: the tree's last block */
} block_params;

static int64_t reflectors(const block_params *p)
{
    return rk_least(p->rows, p->columns);
}

static int call_factor(rask_task *task)
{
    const block_params *p = rk_task_params(task, sizeof *p);
    rask_block in, out;
    rask_value value;
    if (!p || rk_lapack_load(task))
        return task->status;
    rask_dtype dtype = (rask_dtype)p->dtype;
    size_t size = rask_dtype_size(dtype);
    int64_t ld = p->rows + 1;
    if (rk_linalg_block(task, 1, dtype, p->columns, p->rows, &in) ||
        rk_linalg_result(task, dtype, p->columns, ld, &out, &value))
        return task->status;
    char *tau = rk_linalg_scratch(task, (uint64_t)(p->columns + rk_qr_work(p->columns)) * size);
    if (!tau)
        return rask_return_value(task, value);
    for (int64_t j = 0; j < p->columns; j++)
        memcpy(rk_at(out.data, j * ld, size), rk_at(in.data, j * p->rows, size), (size_t)p->rows * size);
    rk_lapack()->geqrf(dtype, p->rows, p->columns, out.data, ld, tau, rk_at(tau, p->columns, size));
    for (int64_t j = 0; j < p->columns; j++)
        if (j < reflectors(p))
            memcpy(rk_at(out.data, j * ld + p->rows, size), rk_at(tau, j, size), size);
        else
            memset(rk_at(out.data, j * ld + p->rows, size), 0, size);
    rk_free(tau);
    return rask_return_value(task, value);
}

/* The triangle of a factored block, column-major. */
static int call_triangle(rask_task *task)
{
    const block_params *p = rk_task_params(task, sizeof *p);
    rask_block in, out;
    rask_value value;
    if (!p || rk_linalg_block(task, 1, (rask_dtype)p->dtype, p->columns, p->rows + 1, &in) ||
        rk_linalg_result(task, (rask_dtype)p->dtype, p->columns, reflectors(p), &out, &value))
        return task->status;
    size_t size = rask_dtype_size(in.dtype);
    int64_t k = reflectors(p);
    for (int64_t j = 0; j < p->columns; j++) {
        int64_t filled = rk_least(j + 1, k);
        memcpy(rk_at(out.data, j * k, size), rk_at(in.data, j * (p->rows + 1), size), (size_t)filled * size);
        memset(rk_at(out.data, j * k + filled, size), 0, (size_t)(k - filled) * size);
    }
    for (int64_t i = 0; p->top && i < k; i++)
        if (rk_element_real(out.dtype, rk_at(out.data, i * k + i, size)) < 0)
            rk_elements_negate(out.dtype, rk_at(out.data, i * k + i, size), p->columns - i, k);
    return rask_return_value(task, value);
}

/* What the block's reflectors are applied to, in the first rows of zeroed q: the level above's, or for the last block
 * ones with the signs that r needs. */
static int start_q(rask_task *task, const block_params *p, const rask_block *factored, const rask_block *q)
{
    rask_block above;
    size_t size = rask_dtype_size(q->dtype);
    int64_t k = reflectors(p);
    if (!p->top && rk_linalg_block(task, 2, q->dtype, k, k, &above))
        return task->status;
    for (int64_t j = 0; j < k; j++) {
        char *column = rk_at(q->data, j * p->rows, size);
        if (!p->top) {
            memcpy(column, rk_at(above.data, j * k, size), (size_t)k * size);
            continue;
        }
        rk_element_set_one(q->dtype, rk_at(column, j, size));
        if (rk_element_real(q->dtype, rk_at(factored->data, j * (p->rows + 1) + j, size)) < 0)
            rk_elements_negate(q->dtype, rk_at(column, j, size), 1, 1);
    }
    return RASK_OK;
}

static int call_q(rask_task *task)
{
    const block_params *p = rk_task_params(task, sizeof *p);
    rask_block factored, q;
    rask_value value;
    if (!p || rk_lapack_load(task))
        return task->status;
    rask_dtype dtype = (rask_dtype)p->dtype;
    size_t size = rask_dtype_size(dtype);
    int64_t k = reflectors(p), ld = p->rows + 1;
    if (rk_linalg_block(task, 1, dtype, p->columns, ld, &factored) ||
        rk_linalg_result(task, dtype, k, p->rows, &q, &value))
        return task->status;
    memset(q.data, 0, rk_linalg_bytes(dtype, k, p->rows));
    char *tau = rk_linalg_scratch(task, (uint64_t)(k + rk_qr_work(k)) * size);
    if (tau && !start_q(task, p, &factored, &q)) {
        for (int64_t j = 0; j < k; j++)
            memcpy(rk_at(tau, j, size), rk_at(factored.data, j * ld + p->rows, size), size);
        rk_lapack()->ormqr(dtype, p->rows, k, k, factored.data, ld, tau, q.data, p->rows,
                           rk_at(tau, k, size));
    }
    rk_free(tau);
    return rask_return_value(task, value);
}

static const rask_task_def factor_def = {
    .size = sizeof factor_def, .name = "qr", .call = call_factor, .flags = RASK_PURE};
static const rask_task_def triangle_def = {
    .size = sizeof triangle_def, .name = "qr_r", .call = call_triangle, .flags = RASK_PURE};
static const rask_task_def q_def = {.size = sizeof q_def, .name = "qr_q", .call = call_q, .flags = RASK_PURE};

/* -- Lowering: one call a block, on blocks of the inputs -- */

typedef struct step_params {
    level level;
    int64_t columns;
    bool top;
} step_params;

static block_params block_of(const step_params *s, rask_dtype dtype, int64_t i)
{
    return (block_params){.dtype = dtype,
                          .rows = level_start(&s->level, i + 1) - level_start(&s->level, i),
                          .columns = s->columns,
                          .top = s->top};
}

static uint64_t scratch_of(rask_dtype dtype, int64_t columns)
{
    return (uint64_t)(columns + rk_qr_work(columns)) * rask_dtype_size(dtype) + RK_GEMM_SCRATCH;
}

/* A grid of one axis whole, and of a chunk a block with so many columns more, or of exactly so many. */
static int cut(rk_lowering *l, const rask_array *a, const step_params *s, int64_t more, int64_t exactly,
               rk_chunks *c)
{
    int64_t *bounds = rk_lowering_memory(l, ((size_t)s->level.count + 1) * sizeof *bounds);
    if (!bounds)
        return RASK_ENOMEM;
    for (int64_t i = 0; i <= s->level.count; i++)
        bounds[i] = exactly ? i * exactly : level_start(&s->level, i) + i * more;
    return rk_linalg_cut(l, c, a->shape[0], bounds, s->level.count);
}

/* Input: the transpose of the level's matrix. */
static int lower_factor(rk_lowering *l, rask_array *a, rk_chunks *c)
{
    const step_params *s = a->params;
    int status = cut(l, a, s, 1, 0, c);
    for (int64_t i = 0; !status && i < s->level.count; i++) {
        block_params p = block_of(s, a->dtype, i);
        rask_node *in = rk_linalg_tile(l, a->inputs[0], 0, p.columns, level_start(&s->level, i), p.rows);
        c->nodes[i] = in ? rk_lower_call(l, &factor_def, &p, sizeof p, &in, 1,
                                         rk_linalg_bytes(a->dtype, p.columns, p.rows + 1),
                                         scratch_of(a->dtype, p.columns))
                         : NULL;
        if (!c->nodes[i])
            return rk_lowering_failure(l);
    }
    return status;
}

/* Input: the factored blocks. */
static int lower_triangle(rk_lowering *l, rask_array *a, rk_chunks *c)
{
    const step_params *s = a->params;
    const rk_chunks *factored = rk_lower_chunks(l, a->inputs[0]);
    int64_t k = a->shape[1] / s->level.count;
    int status = factored ? cut(l, a, s, 0, k, c) : rk_lowering_failure(l);
    for (int64_t i = 0; !status && i < s->level.count; i++) {
        block_params p = block_of(s, a->dtype, i);
        c->nodes[i] = rk_lower_call(l, &triangle_def, &p, sizeof p, &factored->nodes[i], 1,
                                    rk_linalg_bytes(a->dtype, p.columns, k), 0);
        if (!c->nodes[i])
            return rk_lowering_failure(l);
    }
    return status;
}

/* Inputs: the factored blocks, and but for the last level q of the level above. */
static int lower_q(rk_lowering *l, rask_array *a, rk_chunks *c)
{
    const step_params *s = a->params;
    const rk_chunks *factored = rk_lower_chunks(l, a->inputs[0]);
    int status = factored ? cut(l, a, s, 0, 0, c) : rk_lowering_failure(l);
    for (int64_t i = 0; !status && i < s->level.count; i++) {
        block_params p = block_of(s, a->dtype, i);
        int64_t k = reflectors(&p);
        rask_node *args[2] = {factored->nodes[i]};
        if (!s->top)
            args[1] = rk_linalg_tile(l, a->inputs[1], 0, k, i * k, k);
        c->nodes[i] = s->top || args[1]
                          ? rk_lower_call(l, &q_def, &p, sizeof p, args, s->top ? 1 : 2,
                                          rk_linalg_bytes(a->dtype, k, p.rows), scratch_of(a->dtype, k))
                          : NULL;
        if (!c->nodes[i])
            return rk_lowering_failure(l);
    }
    return status;
}

static const rk_opaque factor_class = {.name = "qr_factors", .lower = lower_factor};
static const rk_opaque triangle_class = {.name = "qr_r", .lower = lower_triangle};
static const rk_opaque q_class = {.name = "qr_q", .lower = lower_q};

/* -- Builders -- */

static step_params step_of(const level *v, int64_t columns, bool top)
{
    step_params s;
    memset(&s, 0, sizeof s);
    s.level = *v;
    s.columns = columns;
    s.top = top;
    return s;
}

/* Up the tree: the factored blocks of each level, and r's transpose; how many levels. */
static int build_up(rask_array *at, level *levels, rask_array **factored, rask_array **rt, const char *file,
                    int line)
{
    int64_t columns = at->shape[0];
    int height = 0;
    for (rask_array *in = at;; height++) {
        levels[height] = height ? next_level(&levels[height - 1], levels[0].unit, columns)
                                : leaf_level(at->shape[1], columns);
        const level *v = &levels[height];
        step_params s = step_of(v, columns, v->count == 1);
        int64_t k = rk_least(columns, v->rows);
        factored[height] = rk_linalg_array(&factor_class, &s, sizeof s, at->dtype, columns,
                                           v->rows + v->count, &in, 1, file, line);
        in = rk_linalg_array(&triangle_class, &s, sizeof s, at->dtype, columns, v->count * k,
                             &factored[height], 1, file, line);
        if (!in || s.top) {
            *rt = in;
            return height + 1;
        }
    }
}

/* Down the tree: q's transpose. */
static rask_array *build_down(const level *levels, rask_array *const *factored, int height, const char *file,
                              int line)
{
    rask_array *q = NULL;
    int64_t columns = factored[0]->shape[0];
    for (int i = height; i-- > 0;) {
        bool top = i == height - 1;
        step_params s = step_of(&levels[i], columns, top);
        rask_array *inputs[2] = {factored[i], q};
        q = rk_linalg_array(&q_class, &s, sizeof s, factored[i]->dtype, rk_least(columns, levels[i].rows),
                            levels[i].rows, inputs, top ? 1 : 2, file, line);
        if (!q)
            return NULL;
    }
    return q;
}

void rk_qr(rask_array *a, rask_array **q, rask_array **r, const char *file, int line)
{
    level levels[LEVELS];
    rask_array *factored[LEVELS], *rt = NULL, *at = rask_array_transpose_at(a, NULL, 0, file, line);
    int height = at ? build_up(at, levels, factored, &rt, file, line) : 0;
    *r = rask_array_transpose_at(rt, NULL, 0, file, line);
    if (q)
        *q = rt ? rask_array_transpose_at(build_down(levels, factored, height, file, line), NULL, 0, file,
                                          line)
                : NULL;
}

int rask_array_qr_at(rask_array *a, rask_array **q, rask_array **r, const char *file, int line)
{
    rask_array *triangle;
    if (q)
        *q = NULL;
    if (r)
        *r = NULL;
    if (!a)
        return RASK_EGRAPH;
    rask_graph *graph = a->graph;
    a = rk_linalg_matrix(a, rk_linalg_dtype(a->dtype), "rask_array_qr", file, line);
    if (a)
        rk_qr(a, q, r ? r : &triangle, file, line);
    return graph->status;
}
