/* Elements by computed numbers, when the input has many cells: through a scratch file.
 *
 *   take order    puts the numbers of a stretch in order of the cells they lie in, as pairs (row in the cell, place in the
 *                 stretch), and writes these to the file, with where those of each cell end
 *   take gather   reads the pairs that lie in its cell, of one stretch after the other, and writes their rows to the file
 *   take          reads the rows of a chunk, and puts them in their places
 * So each cell of the input is read or computed once, whatever the numbers are, and however many of them lie in one cell, a
 * task needs little beside a cell, a stretch or a chunk. A row is what the result has for one number, within a tile: chunks of
 * the result that differ in place along the taken axis alone.
 *
 * In the file there are the pairs, stretch after stretch; a table of ends, a line for each stretch; and for each tile a row for
 * each number. Short rows lie in the order of their pairs, so that those of a cell are written at once: then a stretch
 * is as long as a chunk. Long rows lie in the order of the numbers. */
#include "collections/array/lowering.h"
#include "collections/array/outside.h"
#include "collections/array/take_rows.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

enum {
    LONG_ROW = 4 << 10,
    AT_ONCE = 256 << 10, /* bytes of rows that are read or written */
};

/* -- The file */

/* Zeroed before it is filled, as all params. */
typedef struct layout {
    int64_t numbers, stretch; /* all of them, and those of a stretch; the last may have less */
    int64_t cells;
    int64_t in_order; /* a bool: rows lie in the order of the numbers */
} layout;

static uint64_t pair_place(int64_t number)
{
    return (uint64_t)number * sizeof(rk_pair);
}

/* Where in a stretch the pairs of the cell before end. */
static uint64_t end_place(const layout *f, int64_t stretch, int64_t cell)
{
    return pair_place(f->numbers) + (uint64_t)(stretch * (f->cells + 1) + cell) * sizeof(uint32_t);
}

static int64_t stretches(const layout *f)
{
    return f->numbers / f->stretch + (f->numbers % f->stretch > 0);
}

/* The rows of a tile. */
typedef struct rows {
    uint64_t place;
    rk_rows lie;
} rows;

static uint64_t row_bytes(const rows *r)
{
    return rk_row_bytes(&r->lie);
}

static uint64_t row_place(const rows *r, int64_t number)
{
    return r->place + (uint64_t)number * row_bytes(r);
}

/* Room for as many rows, and pairs, as are read or written at once. */
typedef struct buffers {
    int64_t most;
    rk_pair *pairs;
    char *rows;
} buffers;

static int64_t most_rows(const rows *r)
{
    uint64_t most = AT_ONCE / (row_bytes(r) ? row_bytes(r) : 1);
    return most ? (int64_t)most : 1;
}

static uint64_t room_bytes(const rows *r)
{
    return (uint64_t)most_rows(r) * (sizeof(rk_pair) + row_bytes(r));
}

/* RASK_OK, or the task's status; ends with rk_free(room->pairs). */
static int open_room(rask_task *task, const rows *r, buffers *room)
{
    room->most = most_rows(r);
    room->pairs = rk_alloc(room_bytes(r));
    room->rows = (char *)(room->pairs + room->most);
    return room->pairs ? RASK_OK
                       : rk_task_fail(task, RASK_ENOMEM, "no memory for %lld rows", (long long)room->most);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* -- Numbers */

typedef struct order_params {
    layout file;
    int64_t stretch; /* which one */
    rk_numbers numbers;
} order_params;

static int write_pairs(rask_task *task, const order_params *p, const rk_outside *file, const rk_ordering *o)
{
    int status = rk_outside_write(task, file, pair_place(p->numbers.first), o->pairs,
                                  (uint64_t)p->numbers.count * sizeof *o->pairs);
    return status ? status
                  : rk_outside_write(task, file, end_place(&p->file, p->stretch, 0), o->ends,
                                     (uint64_t)(p->file.cells + 1) * sizeof *o->ends);
}

/* (params, numbers, file): a number that says nothing. */
static int call_order(rask_task *task)
{
    const order_params *p = rk_task_params(task, sizeof *p);
    const rk_outside *file = p ? rk_outside_arg(task, 2) : NULL;
    rk_ordering o;
    int64_t count;
    if (!file || rk_ordering_init(&o, task, &p->numbers, rk_outside_notes(file, &count)))
        return task->status;
    int status = write_pairs(task, p, file, &o);
    rk_ordering_fini(&o);
    return status ? status : rask_return_i64(task, 0);
}

/* -- Rows of a cell */

typedef struct gather_params {
    layout file;
    rows rows;
    int64_t cell, length; /* which one, and its elements of the axis */
} gather_params;

typedef struct gathering {
    rask_task *task;
    const gather_params *p;
    const rk_outside *file;
    const char *cell;
    buffers room;
} gathering;

/* Of n pairs, at numbers first … of the file. */
static int write_rows(const gathering *g, int64_t stretch, int64_t first, int64_t n)
{
    const rows *r = &g->p->rows;
    uint64_t bytes = row_bytes(r);
    int status = RASK_OK;
    if (!g->p->file.in_order)
        return rk_outside_write(g->task, g->file, row_place(r, first), g->room.rows, (uint64_t)n * bytes);
    for (int64_t i = 0; i < n && !status; i++)
        status = rk_outside_write(g->task, g->file,
                                  row_place(r, stretch * g->p->file.stretch + g->room.pairs[i].place),
                                  g->room.rows + (uint64_t)i * bytes, bytes);
    return status;
}

static int gather_stretch(const gathering *g, int64_t stretch)
{
    const layout *f = &g->p->file;
    const rows *r = &g->p->rows;
    uint32_t ends[2];
    int status = rk_outside_read(g->task, g->file, end_place(f, stretch, g->p->cell), ends, sizeof ends);
    int64_t first = stretch * f->stretch + ends[0], end = stretch * f->stretch + ends[1];
    while (first < end && !status) {
        int64_t n = least(end - first, g->room.most);
        status = rk_outside_read(g->task, g->file, pair_place(first), g->room.pairs,
                                 (uint64_t)n * sizeof *g->room.pairs);
        if (status)
            break;
        rk_rows_gather(&r->lie, g->p->length, n, g->room.pairs, g->cell, g->room.rows);
        status = write_rows(g, stretch, first, n);
        first += n;
    }
    return status;
}

/* (params, cell, file, what the numbers' tasks gave): a number that says nothing. */
static int call_gather(rask_task *task)
{
    const gather_params *p = rk_task_params(task, sizeof *p);
    gathering g = {.task = task, .p = p, .file = p ? rk_outside_arg(task, 2) : NULL};
    rask_block cell;
    if (!g.file || rask_arg_block(task, 1, &cell))
        return task->status;
    if (rk_shape_size(cell.shape, cell.ndim) * (int64_t)rask_dtype_size(cell.dtype) !=
        p->length * (int64_t)row_bytes(&p->rows))
        return rk_task_fail(task, RASK_EINVAL, "the input is not as it was planned");
    g.cell = cell.data;
    int status = open_room(task, &p->rows, &g.room);
    for (int64_t i = 0; i < stretches(&p->file) && !status && !rask_task_cancelled(task); i++)
        status = gather_stretch(&g, i);
    rk_free(g.room.pairs);
    return status ? status : rask_return_i64(task, 0);
}

/* -- Chunks */

typedef struct chunk_params {
    layout file;
    rows rows;
    int64_t first; /* number */
    int64_t dtype, ndim, axis;
    int64_t shape[RASK_MAX_DIMENSIONS];
} chunk_params;

/* Where the rows of n numbers from the chunk's number `at` on belong. */
static int read_places(rask_task *task, const chunk_params *p, const rk_outside *file, int64_t at, int64_t n,
                       rk_pair *pairs)
{
    if (!p->file.in_order)
        return rk_outside_read(task, file, pair_place(p->first + at), pairs, (uint64_t)n * sizeof *pairs);
    for (int64_t i = 0; i < n; i++)
        pairs[i].place = (uint32_t)(at + i);
    return RASK_OK;
}

static int read_chunk(rask_task *task, const chunk_params *p, const rk_outside *file, char *out)
{
    buffers room;
    int64_t n, count = p->shape[p->axis];
    int status = open_room(task, &p->rows, &room);
    for (int64_t at = 0; at < count && !status; at += n) {
        n = least(count - at, room.most);
        status = read_places(task, p, file, at, n, room.pairs);
        if (!status)
            status = rk_outside_read(task, file, row_place(&p->rows, p->first + at), room.rows,
                                     (uint64_t)n * row_bytes(&p->rows));
        if (!status)
            rk_rows_scatter(&p->rows.lie, count, n, room.pairs, room.rows, out);
    }
    rk_free(room.pairs);
    return status;
}

/* (params, file, what the cells' tasks gave) */
static int call_chunk(rask_task *task)
{
    const chunk_params *p = rk_task_params(task, sizeof *p);
    const rk_outside *file = p ? rk_outside_arg(task, 1) : NULL;
    rask_block block;
    rask_value value;
    if (!file || rk_task_result(task, (rask_dtype)p->dtype, (uint32_t)p->ndim, p->shape, &block, &value))
        return task->status;
    int status = read_chunk(task, p, file, block.data);
    if (!status)
        return rask_return_value(task, value);
    rask_value_unref(&value);
    return status;
}

static const rask_task_def order_def = {
    .size = sizeof(rask_task_def), .name = "take order", .call = call_order, .flags = RASK_PURE};
static const rask_task_def gather_def = {
    .size = sizeof(rask_task_def), .name = "take gather", .call = call_gather, .flags = RASK_PURE};
static const rask_task_def chunk_def = {
    .size = sizeof(rask_task_def), .name = "take", .call = call_chunk, .flags = RASK_PURE};

/* -- Lowering */

typedef struct lowered {
    const rk_taken *t;
    rk_chunks *chunks;
    layout file;
    rows rows;           /* of the tile at hand */
    rask_node *node;     /* the file */
    rask_node *ordered;  /* what the numbers' tasks gave, */
    rask_node *gathered; /* and those of the tile's cells: lists */
    rask_node **nodes;   /* room for either */
} lowered;

static rask_node *list_of(const lowered *w, int64_t count)
{
    return rask_list_at(rk_lowering_graph(w->t->l), w->nodes, (size_t)count, NULL, 0);
}

static rask_node *lower_order(const lowered *w, int64_t stretch)
{
    int64_t first = stretch * w->file.stretch;
    rk_region region = {
        .ndim = 1, .start = {first}, .count = {least(w->file.stretch, w->file.numbers - first)}};
    order_params p = {
        .file = w->file, .stretch = stretch, .numbers = rk_taken_numbers(w->t, first, region.count[0])};
    rask_node *args[] = {rk_lower_region(w->t->l, w->t->array->inputs[1], &region), w->node};
    return args[0]
               ? rk_lower_call(w->t->l, &order_def, &p, sizeof p, args, 2, 0, rk_ordering_bytes(&p.numbers))
               : NULL;
}

/* False: latched. */
static bool lower_numbers(lowered *w)
{
    int64_t count = stretches(&w->file);
    for (int64_t i = 0; i < count; i++)
        if (!(w->nodes[i] = lower_order(w, i)))
            return false;
    w->ordered = list_of(w, count);
    return w->ordered;
}

static rask_node *lower_cell(const lowered *w, const rk_region *tile, int64_t cell)
{
    rk_region region = *tile;
    gather_params p = {.file = w->file, .rows = w->rows, .cell = cell};
    region.start[w->t->axis] = w->t->bounds[cell];
    region.count[w->t->axis] = p.length = w->t->bounds[cell + 1] - w->t->bounds[cell];
    rask_node *args[] = {rk_lower_region(w->t->l, w->t->array->inputs[0], &region), w->node, w->ordered};
    return args[0] ? rk_lower_call(w->t->l, &gather_def, &p, sizeof p, args, 3, 0, room_bytes(&w->rows))
                   : NULL;
}

static rask_node *lower_chunk(const lowered *w, const rk_region *region)
{
    const rask_array *a = w->t->array;
    chunk_params p = {.file = w->file,
                      .rows = w->rows,
                      .first = region->start[w->t->axis],
                      .dtype = a->dtype,
                      .ndim = a->ndim,
                      .axis = w->t->axis};
    memcpy(p.shape, region->count, a->ndim * sizeof *p.shape);
    rask_node *args[] = {w->node, w->gathered};
    uint64_t bytes = (uint64_t)region->count[w->t->axis] * row_bytes(&w->rows);
    return rk_lower_call(w->t->l, &chunk_def, &p, sizeof p, args, 2, bytes, room_bytes(&w->rows));
}

/* The chunks that are at index[] along the other axes. False: latched. */
static bool lower_tile(lowered *w, int64_t *index)
{
    const rk_taken *t = w->t;
    rk_region region;
    index[t->axis] = 0;
    rk_chunks_region(w->chunks, index, &region);
    w->rows.lie = rk_taken_rows(t, &region);
    for (int64_t i = 0; i < t->cells; i++)
        if (!(w->nodes[i] = lower_cell(w, &region, i)))
            return false;
    w->gathered = list_of(w, t->cells);
    for (; w->gathered && index[t->axis] < w->chunks->count[t->axis]; index[t->axis]++) {
        int64_t number = 0;
        for (uint32_t i = 0; i < w->chunks->ndim; i++)
            number = number * w->chunks->count[i] + index[i];
        rk_chunks_region(w->chunks, index, &region);
        if (!(w->chunks->nodes[number] = lower_chunk(w, &region)))
            return false;
    }
    index[t->axis] = 0;
    w->rows.place = row_place(&w->rows, w->file.numbers);
    return w->gathered;
}

/* Rows of a whole chunk decide in which order all of them lie. */
static layout layout_of(const rk_taken *t, const rk_chunks *chunks)
{
    const int64_t first[RASK_MAX_DIMENSIONS] = {0};
    rk_region region;
    layout f;
    memset(&f, 0, sizeof f);
    rk_chunks_region(chunks, first, &region);
    rk_rows r = rk_taken_rows(t, &region);
    f.numbers = t->array->shape[t->axis];
    f.cells = t->cells;
    f.in_order = rk_row_bytes(&r) >= LONG_ROW;
    f.stretch = region.count[t->axis];
    if (f.in_order)
        f.stretch = least(f.numbers, (int64_t)(rk_lowering_chunk_bytes(t->l) / (2 * sizeof(rk_pair))));
    return f;
}

int rk_take_outside(const rk_taken *t, rk_chunks *chunks)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, others[RASK_MAX_DIMENSIONS];
    lowered w = {.t = t, .chunks = chunks, .file = layout_of(t, chunks)};
    int64_t count = stretches(&w.file);
    memcpy(others, chunks->count, sizeof others);
    others[t->axis] = 1;
    w.node = rk_outside_new(t->l, "take", t->bounds, t->cells + 1);
    w.nodes =
        w.node ? rk_lowering_memory(t->l, (size_t)(count > t->cells ? count : t->cells) * sizeof(rask_node *))
               : NULL;
    if (!w.nodes || !lower_numbers(&w))
        return rk_lowering_failure(t->l);
    w.rows.place = end_place(&w.file, count, 0);
    do {
        if (!lower_tile(&w, index))
            return rk_lowering_failure(t->l);
    } while (rk_index_next(index, others, chunks->ndim));
    return RASK_OK;
}
