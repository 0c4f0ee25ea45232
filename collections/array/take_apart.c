/* Elements by computed numbers, when the input has many cells and tasks share no file: as values that go from task to task.
 *
 *   take order    puts the numbers of a chunk in order of the cells they lie in: a list of pairs (row in the cell, place in
 *                 the chunk) for each cell
 *   take share    one of these
 *   take gather   the rows of a cell that a chunk has, in the order of the share
 *   take          puts the rows from all cells in their places
 * So a cell is computed once and goes to no place where nothing of it is wanted; what goes around is the numbers, as pairs, and
 * the result. However many numbers lie in one cell, no task has more at once than a cell, a chunk and its pairs. */
#include "collections/array/lowering.h"
#include "collections/array/take_rows.h"
#include "core/base/alloc.h"
#include "core/base/array.h"
#include "core/task/task.h"

#include <string.h>

static int not_as_planned(rask_task *task, const char *what)
{
    return rk_task_fail(task, RASK_EINVAL, "%s not as planned", what);
}

/* -- Numbers */

/* The params: how many there are of what, then the cells' bounds. */
static const rk_numbers *order_params(rask_task *task, const int64_t **bounds)
{
    rask_bytes bytes = rask_arg_bytes(task, 0);
    const rk_numbers *n = (const void *)bytes.data;
    size_t most = bytes.len < sizeof *n ? 0 : (bytes.len - sizeof *n) / sizeof **bounds;
    if (most < 2 || n->cells != (int64_t)most - 1 || bytes.len % sizeof **bounds) {
        not_as_planned(task, "the parameters are");
        return NULL;
    }
    *bounds = (const void *)(n + 1);
    return n;
}

/* A list: the pairs of each cell. */
static int return_shares(rask_task *task, const rk_numbers *n, const rk_ordering *o)
{
    int64_t made = 0;
    int status = RASK_OK;
    rask_value *shares = rk_alloc_array((size_t)n->cells, sizeof *shares);
    for (; shares && made < n->cells && !status; made += !status)
        status = rask_value_bytes_new(o->pairs + o->ends[made],
                                      (o->ends[made + 1] - o->ends[made]) * sizeof *o->pairs, &shares[made]);
    if (!shares || status)
        rk_task_fail(task, RASK_ENOMEM, "no memory for %lld numbers", (long long)n->count);
    else
        rask_return_list(task, shares, (size_t)made);
    for (int64_t i = 0; shares && i < made; i++)
        rask_value_unref(&shares[i]);
    rk_free(shares);
    return task->status;
}

/* (params, numbers) */
static int call_order(rask_task *task)
{
    const int64_t *bounds;
    const rk_numbers *n = order_params(task, &bounds);
    rk_ordering o;
    if (!n || rk_ordering_init(&o, task, n, bounds))
        return task->status;
    return_shares(task, n, &o);
    rk_ordering_fini(&o);
    return task->status;
}

/* (number, list). No rask_item(), which is fused into who takes it: then the whole list would go there. */
static int call_share(rask_task *task)
{
    const int64_t *number = rk_task_params(task, sizeof *number);
    size_t count = 0;
    const rask_value *shares = number ? rask_arg_list(task, 1, &count) : NULL;
    if (!shares)
        return task->status;
    if (*number < 0 || (size_t)*number >= count)
        return not_as_planned(task, "the numbers are");
    return rask_return_value(task, rask_value_ref(&shares[*number]));
}

/* An argument as pairs whose rows are below `rows` and whose places are below `places`; they may come from elsewhere. NULL after
 * failing the task. */
static const rk_pair *pairs_of(rask_task *task, size_t argument, int64_t rows, int64_t places, int64_t *count)
{
    rask_bytes bytes = rask_arg_bytes(task, argument);
    const rk_pair *pairs = (const void *)bytes.data;
    if (task->status)
        return NULL;
    *count = (int64_t)(bytes.len / sizeof *pairs);
    bool good = bytes.len % sizeof *pairs == 0;
    for (int64_t i = 0; i < *count; i++)
        good &= pairs[i].row < rows && pairs[i].place < places;
    if (good)
        return pairs;
    not_as_planned(task, "the numbers are");
    return NULL;
}

/* -- Rows */

typedef struct gather_params {
    rk_rows rows;
    int64_t length, places; /* elements of the axis in the cell, and in the chunk */
} gather_params;

/* (params, cell, share) */
static int call_gather(rask_task *task)
{
    const gather_params *p = rk_task_params(task, sizeof *p);
    rask_block cell;
    rask_value value;
    char *rows;
    int64_t count;
    if (!p || rask_arg_block(task, 1, &cell))
        return task->status;
    if (rk_shape_size(cell.shape, cell.ndim) * (int64_t)rask_dtype_size(cell.dtype) !=
        p->length * (int64_t)rk_row_bytes(&p->rows))
        return not_as_planned(task, "the input is");
    const rk_pair *pairs = pairs_of(task, 2, p->length, p->places, &count);
    if (!pairs)
        return task->status;
    if (rask_value_bytes_alloc((size_t)count * rk_row_bytes(&p->rows), &rows, &value))
        return rk_task_fail(task, RASK_ENOMEM, "no memory for %lld rows", (long long)count);
    rk_rows_gather(&p->rows, p->length, count, pairs, cell.data, rows);
    return rask_return_value(task, value);
}

typedef struct chunk_params {
    rk_rows rows;
    int64_t cells;
    int64_t dtype, ndim, axis;
    int64_t shape[RASK_MAX_DIMENSIONS];
} chunk_params;

/* What all cells have of the chunk. The task's status. */
static int scatter_all(rask_task *task, const chunk_params *p, char *out)
{
    int64_t length = p->shape[p->axis], count, all = 0;
    for (int64_t i = 0; i < p->cells; i++) {
        const rk_pair *pairs = pairs_of(task, (size_t)(1 + i), INT64_MAX, length, &count);
        rask_bytes rows = rask_arg_bytes(task, (size_t)(1 + p->cells + i));
        if (!pairs || task->status)
            return task->status;
        if (rows.len != (size_t)count * rk_row_bytes(&p->rows))
            return not_as_planned(task, "the rows are");
        rk_rows_scatter(&p->rows, length, count, pairs, rows.data, out);
        all += count;
    }
    return all == length ? RASK_OK : not_as_planned(task, "the numbers are");
}

/* (params, share…, rows…) */
static int call_chunk(rask_task *task)
{
    const chunk_params *p = rk_task_params(task, sizeof *p);
    rask_block block;
    rask_value value;
    if (!p || rk_task_result(task, (rask_dtype)p->dtype, (uint32_t)p->ndim, p->shape, &block, &value))
        return task->status;
    int status = scatter_all(task, p, block.data);
    if (!status)
        return rask_return_value(task, value);
    rask_value_unref(&value);
    return status;
}

static const rask_task_def order_def = {
    .size = sizeof(rask_task_def), .name = "take order", .call = call_order, .flags = RASK_PURE};
static const rask_task_def share_def = {
    .size = sizeof(rask_task_def), .name = "take share", .call = call_share, .flags = RASK_PURE};
static const rask_task_def gather_def = {
    .size = sizeof(rask_task_def), .name = "take gather", .call = call_gather, .flags = RASK_PURE};
static const rask_task_def chunk_def = {
    .size = sizeof(rask_task_def), .name = "take", .call = call_chunk, .flags = RASK_PURE};

/* -- Lowering */

typedef struct lowered {
    const rk_taken *t;
    rk_chunks *chunks;
    int64_t stretches;          /* chunks of the result along the axis */
    rask_node **shares, **rows; /* of each stretch, from each cell; rows: of the tile at hand */
    rask_node **args;           /* room for a chunk's */
    int64_t *words;             /* room for the params of a stretch */
} lowered;

static uint64_t stretch_count(const lowered *w, int64_t stretch)
{
    const int64_t *bounds = w->chunks->bounds[w->t->axis];
    return (uint64_t)(bounds[stretch + 1] - bounds[stretch]);
}

/* What is to be expected of one cell. */
static uint64_t part_of(const lowered *w, uint64_t bytes, int64_t cell)
{
    const rk_taken *t = w->t;
    double part = (double)(t->bounds[cell + 1] - t->bounds[cell]) / (double)t->bounds[t->cells];
    return (uint64_t)((double)bytes * part) + 1;
}

/* False: latched. */
static bool lower_shares(const lowered *w, int64_t stretch)
{
    const rk_taken *t = w->t;
    rk_region region = {.ndim = 1,
                        .start = {w->chunks->bounds[t->axis][stretch]},
                        .count = {(int64_t)stretch_count(w, stretch)}};
    rk_numbers n = rk_taken_numbers(t, region.start[0], region.count[0]);
    uint64_t bytes = (uint64_t)n.count * sizeof(rk_pair);
    size_t size = sizeof n + (size_t)(t->cells + 1) * sizeof *t->bounds;
    memcpy(w->words, &n, sizeof n);
    memcpy((char *)w->words + sizeof n, t->bounds, size - sizeof n);
    rask_node *numbers = rk_lower_region(t->l, t->array->inputs[1], &region);
    rask_node *order = numbers
                           ? rk_lower_call(t->l, &order_def, w->words, size, &numbers, 1,
                                           bytes + (uint64_t)t->cells * sizeof(rask_value),
                                           rk_ordering_bytes(&n) + (uint64_t)t->cells * sizeof(rask_value))
                           : NULL;
    for (int64_t i = 0; i < t->cells && order; i++) {
        rask_node **share = &w->shares[stretch * t->cells + i];
        *share = rk_lower_call(t->l, &share_def, &i, sizeof i, &order, 1, part_of(w, bytes, i), 0);
        order = *share ? order : NULL;
    }
    return order;
}

/* What a cell has for all chunks of a tile, whose rows lie like that. False: latched. */
static bool lower_cell(const lowered *w, const rk_region *tile, const rk_rows *rows, int64_t cell)
{
    const rk_taken *t = w->t;
    rk_region region = *tile;
    region.start[t->axis] = t->bounds[cell];
    region.count[t->axis] = t->bounds[cell + 1] - t->bounds[cell];
    rask_node *args[2] = {rk_lower_region(t->l, t->array->inputs[0], &region)};
    for (int64_t i = 0; i < w->stretches && args[0]; i++) {
        gather_params p = {
            .rows = *rows, .length = region.count[t->axis], .places = (int64_t)stretch_count(w, i)};
        rask_node **made = &w->rows[i * t->cells + cell];
        args[1] = w->shares[i * t->cells + cell];
        *made = rk_lower_call(t->l, &gather_def, &p, sizeof p, args, 2,
                              part_of(w, stretch_count(w, i) * rk_row_bytes(rows), cell), 0);
        args[0] = *made ? args[0] : NULL;
    }
    return args[0];
}

static rask_node *lower_chunk(const lowered *w, const rk_region *region, const rk_rows *rows, int64_t stretch)
{
    const rask_array *a = w->t->array;
    int64_t cells = w->t->cells;
    chunk_params p = {.rows = *rows, .cells = cells, .dtype = a->dtype, .ndim = a->ndim, .axis = w->t->axis};
    memcpy(p.shape, region->count, a->ndim * sizeof *p.shape);
    memcpy((void *)w->args, w->shares + stretch * cells, (size_t)cells * sizeof *w->args);
    memcpy((void *)(w->args + cells), w->rows + stretch * cells, (size_t)cells * sizeof *w->args);
    return rk_lower_call(w->t->l, &chunk_def, &p, sizeof p, w->args, 2 * (size_t)cells,
                         stretch_count(w, stretch) * rk_row_bytes(rows), 0);
}

/* The chunks that are at index[] along the other axes. False: latched. */
static bool lower_tile(const lowered *w, int64_t *index)
{
    const rk_taken *t = w->t;
    rk_region region;
    index[t->axis] = 0;
    rk_chunks_region(w->chunks, index, &region);
    rk_rows rows = rk_taken_rows(t, &region);
    for (int64_t i = 0; i < t->cells; i++)
        if (!lower_cell(w, &region, &rows, i))
            return false;
    for (int64_t i = 0; i < w->stretches; i++) {
        int64_t number = 0;
        index[t->axis] = i;
        for (uint32_t k = 0; k < w->chunks->ndim; k++)
            number = number * w->chunks->count[k] + index[k];
        rk_chunks_region(w->chunks, index, &region);
        if (!(w->chunks->nodes[number] = lower_chunk(w, &region, &rows, i)))
            return false;
    }
    index[t->axis] = 0;
    return true;
}

/* False: latched. */
static bool make_room(lowered *w)
{
    rk_lowering *l = w->t->l;
    size_t cells = (size_t)w->t->cells, pieces = cells * (size_t)w->stretches;
    w->shares = rk_lowering_memory(l, pieces * sizeof *w->shares);
    w->rows = rk_lowering_memory(l, pieces * sizeof *w->rows);
    w->args = rk_lowering_memory(l, 2 * cells * sizeof *w->args);
    w->words = rk_lowering_memory(l, sizeof(rk_numbers) + (cells + 1) * sizeof *w->words);
    return w->shares && w->rows && w->args && w->words;
}

int rk_take_apart(const rk_taken *t, rk_chunks *chunks)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, others[RASK_MAX_DIMENSIONS];
    lowered w = {.t = t, .chunks = chunks, .stretches = chunks->count[t->axis]};
    memcpy(others, chunks->count, sizeof others);
    others[t->axis] = 1;
    bool good = make_room(&w);
    for (int64_t i = 0; i < w.stretches && good; i++)
        good = lower_shares(&w, i);
    while (good && (good = lower_tile(&w, index)) && rk_index_next(index, others, chunks->ndim))
        ;
    return good ? RASK_OK : rk_lowering_failure(t->l);
}
