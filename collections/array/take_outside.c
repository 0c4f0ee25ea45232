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
#include "collections/array/take.h"
#include "core/base/alloc.h"
#include "core/base/array.h"
#include "core/task/task.h"

#include <string.h>

enum {
    FEW_CELLS = 8,          /* which are in memory together, or nearly */
    WORTH_A_FILE = 8 << 20, /* bytes that are copied otherwise */
    LONG_ROW = 4 << 10,
    AT_ONCE = 256 << 10, /* bytes of rows that are read or written */
};

typedef struct pair {
    uint32_t row, place;
} pair;

/* -- The file */

/* Zeroed before it is filled, as all params. */
typedef struct layout {
    int64_t numbers, stretch; /* all of them, and those of a stretch; the last may have less */
    int64_t cells;
    int64_t in_order; /* a bool: rows lie in the order of the numbers */
} layout;

static uint64_t pair_place(int64_t number)
{
    return (uint64_t)number * sizeof(pair);
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

/* The rows of a tile, and how an element of the axis lies in its chunks: outer times inner bytes. */
typedef struct rows {
    uint64_t place;
    int64_t outer, inner;
} rows;

static uint64_t row_bytes(const rows *r)
{
    return (uint64_t)(r->outer * r->inner);
}

static uint64_t row_place(const rows *r, int64_t number)
{
    return r->place + (uint64_t)number * row_bytes(r);
}

/* Room for as many rows, and pairs, as are read or written at once. */
typedef struct buffers {
    int64_t most;
    pair *pairs;
    char *rows;
} buffers;

static int64_t most_rows(const rows *r)
{
    uint64_t most = AT_ONCE / (row_bytes(r) ? row_bytes(r) : 1);
    return most ? (int64_t)most : 1;
}

static uint64_t room_bytes(const rows *r)
{
    return (uint64_t)most_rows(r) * (sizeof(pair) + row_bytes(r));
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
    int64_t stretch; /* which one, */
    int64_t count;   /* and its numbers */
    int64_t axis, length;
} order_params;

/* The pairs of a stretch. */
typedef struct ordering {
    pair *pairs;
    uint32_t *cell; /* of each number */
    uint32_t *ends; /* cells + 2; where those of the cell before end */
} ordering;

static uint64_t ordering_bytes(const order_params *p)
{
    return (uint64_t)p->count * (sizeof(pair) + sizeof(uint32_t)) +
           (uint64_t)(p->file.cells + 2) * sizeof(uint32_t);
}

/* The cell that has at: most are as long as the first. */
static int64_t cell_of(const int64_t *bounds, int64_t cells, int64_t at)
{
    int64_t low = 0, guess = at / bounds[1];
    if (guess < cells && bounds[guess] <= at && at < bounds[guess + 1])
        return guess;
    for (int64_t half; cells > 1; cells -= half) {
        half = cells / 2;
        low += bounds[low + half] <= at ? half : 0;
    }
    return low;
}

/* Counts in ends[2 + cell]. The task's status. */
static int find_cells(rask_task *task, const order_params *p, const int64_t *bounds, const int64_t *numbers,
                      const ordering *o)
{
    memset(o->ends, 0, (size_t)(p->file.cells + 2) * sizeof *o->ends);
    for (int64_t i = 0; i < p->count; i++) {
        int64_t at = numbers[i] < 0 ? numbers[i] + p->length : numbers[i];
        if (at < 0 || at >= p->length)
            return rk_take_fail(task, numbers[i], p->stretch * p->file.stretch + i, p->axis, p->length);
        o->cell[i] = (uint32_t)cell_of(bounds, p->file.cells, at);
        o->ends[2 + o->cell[i]]++;
    }
    return RASK_OK;
}

/* Those of one cell stay as they follow each other. */
static void put_in_order(const order_params *p, const int64_t *bounds, const int64_t *numbers,
                         const ordering *o)
{
    for (int64_t c = 0; c < p->file.cells; c++)
        o->ends[c + 1] += o->ends[c];
    for (int64_t i = 0; i < p->count; i++) {
        int64_t at = numbers[i] < 0 ? numbers[i] + p->length : numbers[i];
        o->pairs[o->ends[1 + o->cell[i]]++] = (pair){(uint32_t)(at - bounds[o->cell[i]]), (uint32_t)i};
    }
}

static int order(rask_task *task, const order_params *p, const rk_outside *file, const int64_t *numbers,
                 const ordering *o)
{
    int64_t count;
    const int64_t *bounds = rk_outside_notes(file, &count);
    if (find_cells(task, p, bounds, numbers, o))
        return task->status;
    put_in_order(p, bounds, numbers, o);
    int status = rk_outside_write(task, file, pair_place(p->stretch * p->file.stretch), o->pairs,
                                  (uint64_t)p->count * sizeof *o->pairs);
    return status ? status
                  : rk_outside_write(task, file, end_place(&p->file, p->stretch, 0), o->ends,
                                     (uint64_t)(p->file.cells + 1) * sizeof *o->ends);
}

/* (params, numbers, file): a number that says nothing. */
static int call_order(rask_task *task)
{
    const order_params *p = rk_task_params(task, sizeof *p);
    const rk_outside *file = p ? rk_outside_arg(task, 2) : NULL;
    rask_block numbers;
    if (!file || rask_arg_block(task, 1, &numbers))
        return task->status;
    if (numbers.dtype != RASK_DT_I64 || numbers.ndim != 1 || numbers.shape[0] != p->count)
        return rk_task_fail(task, RASK_EINVAL, "the numbers are not as they were planned");
    pair *memory = rk_alloc(ordering_bytes(p));
    if (!memory)
        return rk_task_fail(task, RASK_ENOMEM, "no memory for %lld numbers", (long long)p->count);
    ordering o = {.pairs = memory, .cell = (uint32_t *)(void *)(memory + p->count)};
    o.ends = o.cell + p->count;
    int status = order(task, p, file, numbers.data, &o);
    rk_free(memory);
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

#define GATHER(bytes)                                                                                        \
    for (int64_t i = 0; i < n; i++)                                                                          \
        memcpy(out + i * (bytes), in + (int64_t)pairs[i].row * (bytes), (bytes));                            \
    break;

static void gather_rows(const gather_params *p, int64_t n, const pair *pairs, const char *in, char *out)
{
    int64_t inner = p->rows.inner, step = p->length * inner;
    switch (p->rows.outer == 1 ? inner : 0) { /* a copy of a known size is one instruction */
    case 1: GATHER(1)
    case 2: GATHER(2)
    case 4: GATHER(4)
    case 8: GATHER(8)
    case 16: GATHER(16)
    default:
        for (int64_t i = 0; i < n; i++)
            for (int64_t o = 0; o < p->rows.outer; o++, out += inner)
                memcpy(out, in + o * step + (int64_t)pairs[i].row * inner, (size_t)inner);
    }
}

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
    uint32_t ends[2];
    int status = rk_outside_read(g->task, g->file, end_place(f, stretch, g->p->cell), ends, sizeof ends);
    int64_t first = stretch * f->stretch + ends[0], end = stretch * f->stretch + ends[1];
    while (first < end && !status) {
        int64_t n = least(end - first, g->room.most);
        status = rk_outside_read(g->task, g->file, pair_place(first), g->room.pairs,
                                 (uint64_t)n * sizeof *g->room.pairs);
        if (status)
            break;
        gather_rows(g->p, n, g->room.pairs, g->cell, g->room.rows);
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

#define SCATTER(bytes)                                                                                       \
    for (int64_t i = 0; i < n; i++)                                                                          \
        memcpy(out + (int64_t)pairs[i].place * (bytes), in + i * (bytes), (bytes));                          \
    break;

static void scatter_rows(const chunk_params *p, int64_t n, const pair *pairs, const char *in, char *out)
{
    int64_t inner = p->rows.inner, step = p->shape[p->axis] * inner;
    switch (p->rows.outer == 1 ? inner : 0) {
    case 1: SCATTER(1)
    case 2: SCATTER(2)
    case 4: SCATTER(4)
    case 8: SCATTER(8)
    case 16: SCATTER(16)
    default:
        for (int64_t i = 0; i < n; i++)
            for (int64_t o = 0; o < p->rows.outer; o++, in += inner)
                memcpy(out + o * step + (int64_t)pairs[i].place * inner, in, (size_t)inner);
    }
}

/* Where the rows of n numbers from the chunk's number `at` on belong. */
static int read_places(rask_task *task, const chunk_params *p, const rk_outside *file, int64_t at, int64_t n,
                       pair *pairs)
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
            scatter_rows(p, n, room.pairs, room.rows, out);
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
    order_params p = {.file = w->file,
                      .stretch = stretch,
                      .count = region.count[0],
                      .axis = w->t->axis,
                      .length = w->t->array->inputs[0]->shape[w->t->axis]};
    rask_node *args[] = {rk_lower_region(w->t->l, w->t->array->inputs[1], &region), w->node};
    return args[0] ? rk_lower_call(w->t->l, &order_def, &p, sizeof p, args, 2, 0, ordering_bytes(&p)) : NULL;
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

/* How the rows of a region lie. */
static rows rows_of(const rk_taken *t, const rk_region *region, uint64_t place)
{
    const rask_array *a = t->array;
    return (rows){.place = place,
                  .outer = rk_shape_size(region->count, t->axis),
                  .inner = rk_shape_size(region->count + t->axis + 1, a->ndim - t->axis - 1) *
                           (int64_t)rask_dtype_size(a->dtype)};
}

/* The chunks that are at index[] along the other axes. False: latched. */
static bool lower_tile(lowered *w, int64_t *index)
{
    const rk_taken *t = w->t;
    rk_region region;
    index[t->axis] = 0;
    rk_chunks_region(w->chunks, index, &region);
    w->rows = rows_of(t, &region, w->rows.place);
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
    rows r = rows_of(t, &region, 0);
    f.numbers = t->array->shape[t->axis];
    f.cells = t->cells;
    f.in_order = row_bytes(&r) >= LONG_ROW;
    f.stretch = region.count[t->axis];
    if (f.in_order)
        f.stretch = least(f.numbers, (int64_t)(rk_lowering_chunk_bytes(t->l) / (2 * sizeof(pair))));
    return f;
}

bool rk_take_goes_outside(const rk_taken *t)
{
    double copied = (double)rk_shape_size(t->array->shape, t->array->ndim) *
                    (double)rask_dtype_size(t->array->dtype) * (double)t->cells;
    if (t->cells <= FEW_CELLS || copied < WORTH_A_FILE)
        return false;
    for (int64_t i = 0; i < t->cells; i++)
        if (t->bounds[i + 1] - t->bounds[i] > UINT32_MAX)
            return false;
    return rk_outside_is_possible(t->l);
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
