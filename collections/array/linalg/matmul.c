/* Matrix product, of stacks of matrices, too.
 *
 * Design. The result is cut into tiles, whose sides are multiples of RK_PRODUCT_SIDE, and the terms of a tile's sums into
 * runs of multiples of RK_PRODUCT_DEPTH. One task adds the products of one run to what the runs before came to:
 *   c1 = a1 b1,  c2 = c1 + a2 b2,  …
 * Where there are too few tiles to occupy many workers, the runs of a tile are dealt to several such chains, whose results
 * are added up by a tree. How many chains is given by the shapes alone; tiles and runs go by budget and workers and change
 * nothing, since blocks of a product meet in the same order anyway (product.c).
 * A matrix of the user's memory is read where it is, any other operand comes as blocks.
 * Products with a vector are sums of element-wise products: they run at the speed of memory, without copies. */
#include "collections/array/kernels/kernels.h"
#include "collections/array/linalg/contract.h"
#include "collections/array/linalg/memory.h"
#include "core/task/task.h"

#include <assert.h>
#include <string.h>

/* -- Tasks -- */

/* Zeroed before it is filled: equal bytes are equal calls. */
typedef struct tile_params {
    uint32_t dtype, ndim;
    int64_t shape[RASK_MAX_DIMENSIONS]; /* of the tile of the result */
    int64_t row, column, term, terms; /* where it begins, and which terms are added: for operands in memory */
} tile_params;

/* An operand of a tile: how far to step for the next matrix along each axis of the result's stack, in elements. */
typedef struct operand {
    const void *data;
    int64_t stride;
    bool transposed;
    int64_t step[RASK_MAX_DIMENSIONS];
} operand;

/* Of rows × columns that begin at (row, column) of a matrix in memory. */
static void open_matrix(const tile_params *p, const rk_matrix *m, int64_t row, int64_t column, operand *o)
{
    int64_t place = m->transposed ? column * m->stride + row : row * m->stride + column;
    o->data = rk_at(m->data, place, rask_dtype_size((rask_dtype)p->dtype));
    o->stride = m->stride;
    o->transposed = m->transposed;
}

static int open_block(rask_task *task, size_t index, const tile_params *p, int64_t rows, int64_t columns,
                      operand *o)
{
    rask_block b;
    if (rask_arg_block(task, index, &b))
        return task->status;
    bool fits = b.dtype == (rask_dtype)p->dtype && b.ndim >= 2 && b.ndim <= p->ndim &&
                b.shape[b.ndim - 2] == rows && b.shape[b.ndim - 1] == columns;
    int64_t step = rows * columns;
    for (uint32_t i = 3; fits && i <= b.ndim; i++) {
        int64_t length = b.shape[b.ndim - i];
        o->step[p->ndim - i] = length > 1 ? step : 0;
        fits = length == 1 || length == p->shape[p->ndim - i];
        step *= length;
    }
    o->data = b.data;
    o->stride = columns;
    return fits ? RASK_OK : rk_task_fail(task, RASK_EINVAL, "argument %zu does not fit the tile", index);
}

/* a (index 1) or b (index 2). */
static int open_operand(rask_task *task, size_t index, const tile_params *p, operand *o)
{
    int64_t m = p->shape[p->ndim - 2], n = p->shape[p->ndim - 1];
    const rask_value *value = rask_arg_value(task, index);
    memset(o, 0, sizeof *o);
    if (value->type != RASK_CUSTOM)
        return open_block(task, index, p, index == 1 ? m : p->terms, index == 1 ? p->terms : n, o);
    const rk_matrix *matrix = rask_arg_custom(task, index, &rk_matrix_class);
    if (!matrix)
        return task->status;
    open_matrix(p, matrix, index == 1 ? p->row : p->term, index == 1 ? p->term : p->column, o);
    return RASK_OK;
}

static int64_t offset_of(const operand *o, const int64_t *index, uint32_t ndim)
{
    int64_t at = 0;
    for (uint32_t i = 0; i + 2 < ndim; i++)
        at += index[i] * o->step[i];
    return at;
}

/* All matrices of the tile's stack. */
static void multiply_all(rask_task *task, const tile_params *p, const operand *a, const operand *b, void *c,
                         bool accumulate)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, m = p->shape[p->ndim - 2], n = p->shape[p->ndim - 1];
    size_t size = rask_dtype_size((rask_dtype)p->dtype);
    rk_product product = {.dtype = (rask_dtype)p->dtype,
                          .m = m,
                          .n = n,
                          .k = p->terms,
                          .a_stride = a->stride,
                          .b_stride = b->stride,
                          .a_transposed = a->transposed,
                          .b_transposed = b->transposed,
                          .c = c,
                          .c_stride = n,
                          .accumulate = accumulate};
    do {
        product.a = rk_at(a->data, offset_of(a, index, p->ndim), size);
        product.b = rk_at(b->data, offset_of(b, index, p->ndim), size);
        rk_product_run(&product);
        product.c = (char *)product.c + m * n * (int64_t)size;
    } while (rk_index_next(index, p->shape, p->ndim - 2) && !rask_task_cancelled(task));
}

/* Argument index as a block of the tile's dtype and shape. */
static int open_tile(rask_task *task, size_t index, const tile_params *p, rask_block *tile)
{
    if (rask_arg_block(task, index, tile))
        return task->status;
    if (tile->dtype != (rask_dtype)p->dtype || tile->ndim != p->ndim ||
        memcmp(tile->shape, p->shape, p->ndim * sizeof *p->shape) != 0)
        return rk_task_fail(task, RASK_EINVAL, "argument %zu does not fit the tile", index);
    return RASK_OK;
}

static uint64_t tile_bytes(const tile_params *t)
{
    return (uint64_t)rk_shape_size(t->shape, t->ndim) * rask_dtype_size((rask_dtype)t->dtype);
}

/* params, a, b, and perhaps what comes before. */
static int call_matmul(rask_task *task)
{
    const tile_params *p = rk_task_params(task, sizeof *p);
    operand a, b;
    rask_block before, c;
    rask_value value;
    bool accumulate = rask_arg_count(task) == 4;
    if (!p || (rk_product_is_fast((rask_dtype)p->dtype) && rk_lapack_load(task)) ||
        open_operand(task, 1, p, &a) || open_operand(task, 2, p, &b) ||
        (accumulate && open_tile(task, 3, p, &before)) ||
        rk_task_result(task, (rask_dtype)p->dtype, p->ndim, p->shape, &c, &value))
        return task->status;
    if (accumulate)
        memcpy(c.data, before.data, tile_bytes(p));
    multiply_all(task, p, &a, &b, c.data, accumulate);
    return rask_return_value(task, value);
}

/* params and some blocks of that shape, added up in order. */
static int call_matmul_sum(rask_task *task)
{
    const tile_params *p = rk_task_params(task, sizeof *p);
    rask_block sum, term;
    rask_value value;
    if (!p || rk_task_result(task, (rask_dtype)p->dtype, p->ndim, p->shape, &sum, &value))
        return task->status;
    size_t n = (size_t)rk_shape_size(p->shape, p->ndim), count = rask_arg_count(task);
    rk_binary_kernel add = rk_binary_find(RASK_BINARY_ADD, (rask_dtype)p->dtype)->vv;
    for (size_t i = 1; i < count && !open_tile(task, i, p, &term); i++)
        if (i == 1)
            memcpy(sum.data, term.data, tile_bytes(p));
        else
            add(n, sum.data, sum.data, term.data);
    return rask_return_value(task, value);
}

static const rask_task_def matmul_def = {
    .size = sizeof matmul_def, .name = "matmul", .call = call_matmul, .flags = RASK_PURE};
static const rask_task_def matmul_sum_def = {
    .size = sizeof matmul_sum_def, .name = "matmul_sum", .call = call_matmul_sum, .flags = RASK_PURE};

/* -- Lowering -- */

enum {
    LARGEST_SIDE = 4 * RK_PRODUCT_SIDE,
    TILES_A_WORKER = 4,
    FEW_BLOCKS = 64,    /* of the result: fewer are not enough work for many workers */
    CHAIN_LEAST = 4096, /* terms of a chain, so that adding chains up costs little */
    CHAIN_FAN_IN = 8,
};

typedef struct plan {
    rk_lowering *l;
    rask_array *result, *a, *b;
    rask_node *a_memory, *b_memory;     /* operands that need no blocks; else NULL */
    int64_t m, n, k, stack;             /* matrices in the stack */
    int64_t tile_m, tile_n, run, chain; /* elements */
    uint64_t scratch;
} plan;

/* A multiple of RK_PRODUCT_SIDE, or all. */
static int64_t whole_sides(int64_t wanted, int64_t all)
{
    wanted = rk_most(wanted / RK_PRODUCT_SIDE * RK_PRODUCT_SIDE, RK_PRODUCT_SIDE);
    return rk_least(wanted, all);
}

/* A result that is narrower or lower than that has tiles of as many elements. */
static void set_tile(plan *p, int64_t rows, int64_t columns)
{
    p->tile_m = whole_sides(rows, p->m);
    p->tile_n = whole_sides(columns, p->n);
    if (p->tile_n < columns)
        p->tile_m = whole_sides(rows * columns / p->tile_n, p->m);
    else if (p->tile_m < rows)
        p->tile_n = whole_sides(rows * columns / p->tile_m, p->n);
}

/* There are enough tiles for all workers, and they leave room for the others. */
static bool is_good_tile(const plan *p, uint64_t room)
{
    uint64_t element = rask_dtype_size(p->result->dtype), m = (uint64_t)p->tile_m, n = (uint64_t)p->tile_n;
    int64_t tiles = p->stack * rk_ceil_div(p->m, p->tile_m) * rk_ceil_div(p->n, p->tile_n);
    uint64_t depth = (uint64_t)rk_least(p->k, RK_PRODUCT_DEPTH);
    return tiles >= (int64_t)rk_lowering_workers(p->l) * TILES_A_WORKER &&
           element * (2 * m * n + (m + n) * depth) <= room;
}

/* The largest good tiles: squares, or twice as wide as high, since what a call costs goes down with its columns. */
static void choose_tile(plan *p)
{
    uint64_t element = rask_dtype_size(p->result->dtype), room = 3 * rk_lowering_chunk_bytes(p->l);
    for (int64_t side = LARGEST_SIDE; side >= RK_PRODUCT_SIDE; side /= 2) {
        set_tile(p, side, side);
        if (is_good_tile(p, room))
            return;
        set_tile(p, rk_most(side / 2, RK_PRODUCT_SIDE), side);
        if (is_good_tile(p, room))
            return;
    }
    if (element * (uint64_t)(p->tile_m + p->tile_n) * (uint64_t)rk_least(p->k, RK_PRODUCT_DEPTH) > room) {
        p->tile_m = whole_sides(RK_PRODUCT_SIDE, p->m);
        p->tile_n = whole_sides(RK_PRODUCT_SIDE, p->n);
    }
}

/* Terms of a chain: all, unless the result is so small that there must be several. */
static int64_t chain_of(const plan *p)
{
    int64_t blocks = p->stack * rk_ceil_div(p->m, RK_PRODUCT_SIDE) * rk_ceil_div(p->n, RK_PRODUCT_SIDE);
    int64_t chains = blocks ? rk_least(FEW_BLOCKS / blocks, p->k / CHAIN_LEAST) : 1;
    if (chains <= 1)
        return p->k;
    return rk_ceil_div(rk_ceil_div(p->k, chains), RK_PRODUCT_DEPTH) * RK_PRODUCT_DEPTH;
}

static void choose_run(plan *p)
{
    uint64_t element = rask_dtype_size(p->result->dtype);
    uint64_t row = element * (uint64_t)(p->tile_m + p->tile_n);
    uint64_t fit = 2 * rk_lowering_chunk_bytes(p->l) / row / RK_PRODUCT_DEPTH;
    p->chain = chain_of(p);
    p->run = fit < 1                                       ? RK_PRODUCT_DEPTH
             : fit < (uint64_t)p->k / RK_PRODUCT_DEPTH + 1 ? (int64_t)fit * RK_PRODUCT_DEPTH
                                                           : p->k;
    if (p->a_memory && p->b_memory)
        p->run = p->chain;
    p->run = rk_least(p->run, p->chain);
}

/* Matrices that fit a tile go into a task several at a time. */
static void choose_lengths(const plan *p, int64_t *lengths)
{
    const rask_array *c = p->result;
    uint64_t element = rask_dtype_size(c->dtype), chunk = rk_lowering_chunk_bytes(p->l);
    uint64_t one = element * ((uint64_t)(p->m * p->n) + (uint64_t)(p->m * p->k) + (uint64_t)(p->k * p->n)),
             part;
    bool small = p->tile_m == p->m && p->tile_n == p->n && p->run == p->k;
    lengths[c->ndim - 2] = p->tile_m;
    lengths[c->ndim - 1] = p->tile_n;
    part = small ? one * (uint64_t)p->stack / (rk_lowering_workers(p->l) * TILES_A_WORKER) : 0;
    rk_grid_auto(part < chunk ? part : chunk, one, c->ndim - 2, c->shape, NULL, lengths);
}

/* The region of an operand that a tile needs: its stack's axes counted from the last, those of length 1 stay. */
static rask_node *operand_region(const plan *p, rask_array *x, const rk_region *tile, int64_t row,
                                 int64_t rows, int64_t column, int64_t columns)
{
    rk_region region = {.ndim = x->ndim};
    for (uint32_t i = 0; i + 2 < x->ndim; i++) {
        uint32_t axis = i + tile->ndim - x->ndim;
        region.start[i] = x->shape[i] == 1 ? 0 : tile->start[axis];
        region.count[i] = x->shape[i] == 1 ? 1 : tile->count[axis];
    }
    region.start[x->ndim - 2] = row;
    region.count[x->ndim - 2] = rows;
    region.start[x->ndim - 1] = column;
    region.count[x->ndim - 1] = columns;
    return rk_lower_region(p->l, x, &region);
}

/* The chain over terms from … to - 1. */
static rask_node *lower_chain(const plan *p, const rk_region *tile, tile_params *t, int64_t from, int64_t to)
{
    uint32_t m = tile->ndim - 2, n = tile->ndim - 1;
    rask_node *sum = NULL;
    for (t->term = from; t->term < to; t->term += p->run) {
        t->terms = rk_least(p->run, to - t->term);
        rask_node *args[3] = {p->a_memory, p->b_memory, sum};
        if (!args[0])
            args[0] = operand_region(p, p->a, tile, tile->start[m], tile->count[m], t->term, t->terms);
        if (!args[1])
            args[1] = operand_region(p, p->b, tile, t->term, t->terms, tile->start[n], tile->count[n]);
        if (!args[0] || !args[1])
            return NULL;
        sum = rk_lower_call(p->l, &matmul_def, t, sizeof *t, args, sum ? 3 : 2, tile_bytes(t), p->scratch);
        if (!sum)
            return NULL;
    }
    return sum;
}

/* Neighbours by CHAIN_FAN_IN, until one is left. */
static rask_node *lower_sum(const plan *p, const tile_params *t, rask_node **parts, int64_t count)
{
    assert(count > 0); /* of no terms there is no product: the builder gives zeros */
    while (count > 1) {
        int64_t made = 0;
        for (int64_t i = 0; i < count; i += CHAIN_FAN_IN, made++) {
            size_t some = (size_t)rk_least(CHAIN_FAN_IN, count - i);
            rask_node *sum = some == 1 ? parts[i]
                                       : rk_lower_call(p->l, &matmul_sum_def, t, sizeof *t, parts + i, some,
                                                       tile_bytes(t), 0);
            if (!sum)
                return NULL;
            parts[made] = sum;
        }
        count = made;
    }
    return parts[0];
}

static rask_node *lower_tile(const plan *p, const rk_region *tile)
{
    tile_params t;
    rask_node *parts[FEW_BLOCKS + 1];
    int64_t count = 0;
    memset(&t, 0, sizeof t);
    t.dtype = p->result->dtype;
    t.ndim = tile->ndim;
    memcpy(t.shape, tile->count, tile->ndim * sizeof *t.shape);
    t.row = tile->start[tile->ndim - 2];
    t.column = tile->start[tile->ndim - 1];
    for (int64_t k = 0; k < p->k; k += p->chain) {
        parts[count] = lower_chain(p, tile, &t, k, rk_least(k + p->chain, p->k));
        if (!parts[count++])
            return NULL;
    }
    return lower_sum(p, &t, parts, count);
}

/* NULL: x comes in blocks, or a failure was latched. */
static rask_node *memory_node(const plan *p, rask_array *x)
{
    rk_matrix matrix;
    bool direct = p->result->ndim == 2 && p->scratch && rk_matrix_of(x, &matrix);
    return direct ? rk_matrix_node(p->l, &matrix) : NULL;
}

static int lower_matmul(rk_lowering *l, rask_array *c, rk_chunks *chunks)
{
    int64_t lengths[RASK_MAX_DIMENSIONS], index[RASK_MAX_DIMENSIONS] = {0};
    rask_array *a = c->inputs[0], *b = c->inputs[1];
    plan p = {.l = l,
              .result = c,
              .a = a,
              .b = b,
              .m = c->shape[c->ndim - 2],
              .n = c->shape[c->ndim - 1],
              .k = a->shape[a->ndim - 1],
              .stack = rk_shape_size(c->shape, c->ndim - 2),
              .scratch = rk_dtype_is_integer(c->dtype) || c->dtype == RASK_DT_BOOL ? 0 : RK_GEMM_SCRATCH};
    p.a_memory = memory_node(&p, a);
    p.b_memory = memory_node(&p, b);
    choose_tile(&p);
    choose_run(&p);
    choose_lengths(&p, lengths);
    int status = rk_grid_regular(l, chunks, c->ndim, c->shape, lengths);
    if (status)
        return status;
    int64_t number = 0;
    do {
        rk_region tile;
        rk_chunks_region(chunks, index, &tile);
        chunks->nodes[number] = lower_tile(&p, &tile);
        if (!chunks->nodes[number++])
            return rk_lowering_failure(l);
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}

static const rk_opaque matmul_class = {.name = "matmul", .lower = lower_matmul};

/* -- Builder -- */

/* The shape of the result of 2-d operands and stacks of them; false after latching. */
static bool result_shape(rask_array *a, rask_array *b, uint32_t *ndim, int64_t *shape, const char *file,
                         int line)
{
    char left[RK_SHAPE_TEXT], right[RK_SHAPE_TEXT];
    int64_t inner = a->shape[a->ndim - 1], other = b->shape[b->ndim - 2];
    rk_shape_text(a->shape, a->ndim, left);
    rk_shape_text(b->shape, b->ndim, right);
    if (inner != other) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "rask_array_matmul: shapes %s and %s do not fit: the inner sides are %lld and %lld",
                      left, right, (long long)inner, (long long)other);
        return false;
    }
    if (rk_broadcast(a->ndim - 2, a->shape, b->ndim - 2, b->shape, ndim, shape)) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "rask_array_matmul: the stacks of shapes %s and %s do not broadcast", left, right);
        return false;
    }
    shape[(*ndim)++] = a->shape[a->ndim - 2];
    shape[(*ndim)++] = b->shape[b->ndim - 1];
    return true;
}

static rask_operand operand_of(rask_array *a)
{
    return (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = a};
}

rask_array *rk_sum_as_products(rask_array *a, const int *axes, uint32_t count, bool keepdims,
                               const char *file, int line)
{
    if (!a)
        return NULL;
    rask_dtype dtype = a->dtype;
    bool truths = dtype == RASK_DT_BOOL;
    rask_reduce_options options = {.size = sizeof options,
                                   .axes = axes,
                                   .axis_count = count,
                                   .keepdims = keepdims,
                                   .own_dtype = !truths,
                                   .dtype = dtype};
    /* what wraps at 64 bits has wrapped at fewer */
    if (rk_dtype_is_signed(dtype))
        options.dtype = RASK_DT_I64;
    else if (rk_dtype_is_unsigned(dtype))
        options.dtype = RASK_DT_U64;
    a = rask_array_reduce_at(truths ? RASK_REDUCE_ANY : RASK_REDUCE_SUM, a, &options, file, line);
    return a ? rk_array_cast(a, dtype, file, line) : NULL;
}

/* a b for a matrix of one column (axis -1) or row (axis -2), as a sum along that axis of element-wise products; vectors
 * lose it. */
static rask_array *sum_of_products(rask_array *a, rask_array *b, int axis, bool keep, const char *file,
                                   int line)
{
    rask_array *product =
        a && b ? rask_array_binary_at(RASK_BINARY_MUL, operand_of(a), operand_of(b), file, line) : NULL;
    return rk_sum_as_products(product, &axis, 1, keep, file, line);
}

static rask_array *product_of_stacks(rask_array *a, rask_array *b, const char *file, int line)
{
    uint32_t ndim;
    int64_t shape[RASK_MAX_DIMENSIONS + 2];
    if (!result_shape(a, b, &ndim, shape, file, line))
        return NULL;
    if (b->shape[b->ndim - 1] == 1)
        return sum_of_products(a, rask_array_swapaxes_at(b, -1, -2, file, line), -1, true, file, line);
    if (a->shape[a->ndim - 2] == 1)
        return sum_of_products(rask_array_swapaxes_at(a, -1, -2, file, line), b, -2, true, file, line);
    if (!a->shape[a->ndim - 1] || !rk_shape_size(shape, ndim))
        return rask_array_full_at(a->graph, a->dtype, ndim, shape, (rask_operand){.kind = RASK_OPERAND_BOOL},
                                  file, line);
    if (!rk_dtype_is_integer(a->dtype) && a->dtype != RASK_DT_BOOL &&
        rk_lapack_need(a->graph, "rask_array_matmul", file, line))
        return NULL;
    return rk_array_opaque(a->graph, &matmul_class, NULL, 0, a->dtype, ndim, shape, (rask_array *[]){a, b}, 2,
                           file, line);
}

/* A vector on the left is a row, on the right a column; its own axis is not in the result. */
static rask_array *product_of_vectors(rask_array *a, rask_array *b, const char *file, int line)
{
    char left[RK_SHAPE_TEXT], right[RK_SHAPE_TEXT];
    int64_t inner = b->shape[b->ndim > 1 ? b->ndim - 2 : 0];
    if (a->shape[a->ndim - 1] != inner) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "rask_array_matmul: shapes %s and %s do not fit: the inner sides are %lld and %lld",
                      rk_shape_text(a->shape, a->ndim, left), rk_shape_text(b->shape, b->ndim, right),
                      (long long)a->shape[a->ndim - 1], (long long)inner);
        return NULL;
    }
    if (b->ndim == 1)
        return sum_of_products(a, b, -1, false, file, line);
    return sum_of_products(rask_array_expand_dims_at(a, 1, file, line), b, -2, false, file, line);
}

rask_array *rask_array_matmul_at(rask_array *a, rask_array *b, const char *file, int line)
{
    if (!a || !b)
        return NULL;
    if (a->graph != b->graph || !a->ndim || !b->ndim) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      a->graph != b->graph ? "rask_array_matmul: arrays of two graphs"
                                           : "rask_array_matmul: a number is no matrix: multiply instead");
        return NULL;
    }
    rask_dtype dtype = rask_dtype_promote(a->dtype, b->dtype);
    a = rk_array_cast(a, dtype, file, line);
    b = rk_array_cast(b, dtype, file, line);
    if (!a || !b)
        return NULL;
    return a->ndim == 1 || b->ndim == 1 ? product_of_vectors(a, b, file, line)
                                        : product_of_stacks(a, b, file, line);
}
