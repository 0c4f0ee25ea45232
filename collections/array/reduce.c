/* Reductions: partial states of canonical units, merged by a fixed tree.
 *
 * The logical axes of the program are those of the input, permuted to outer × reduced × inner:
 *   rows form     inner is nothing: elements lie closest along a reduced axis. A unit is a strip of the reduced axes.
 *   columns form  inner is the axes behind the last reduced one (all kept ones, when there is little to reduce). A unit is
 *                 a group of rows of the reduced axes, added to each column from the top.
 * Units are numbered in C order over the reduced axes; how they lie is given by the shape alone. The result is the tree
 * that merges neighbours 2i and 2i + 1 level by level, the last one alone where it has no neighbour. A task reduces 2^k
 * units from a multiple of 2^k on, which is a whole part of that tree, so that the bits do not depend on k. */
#include "collections/array/copy.h"
#include "collections/array/cuts.h"
#include "collections/array/job.h"
#include "collections/array/lowering.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <assert.h>
#include <string.h>

enum {
    FEW = 32,               /* elements to reduce that are better taken as columns */
    GROUP_ROWS = 64,        /* of the columns form: rows of a unit, */
    GROUP_ELEMENTS = 32768, /* and more when they are short */
    COLUMNS = 8192,         /* that a task of the columns form has at least, if there are so many */
    FAN_IN = 32,            /* partial results that one task merges */
    LEVELS = 64,
};

/* How an input is reduced: what lowering and tasks both know from a few words. */
typedef struct layout {
    const rk_reducer *reducer;
    uint32_t outer, reduced, inner;    /* logical axes of each kind, in this order */
    rk_striping units;                 /* over outer and reduced axes alone (columns) or over all (rows) */
    int64_t grid[RASK_MAX_DIMENSIONS]; /* units along each reduced axis up to the segmented one */
    uint32_t grid_ndim;
    int64_t total; /* units */
} layout;

static layout layout_of(rask_reduction op, rask_dtype dtype, const int64_t *shape, uint32_t outer,
                        uint32_t reduced, uint32_t inner)
{
    layout y = {.reducer = rk_reducer_find(op, dtype),
                .outer = outer,
                .reduced = reduced,
                .inner = inner,
                .total = 1};
    int64_t columns = rk_shape_size(shape + outer + reduced, inner);
    if (!inner) {
        y.units = rk_striping_of(shape, outer + reduced, outer);
    } else {
        int64_t rows =
            columns && GROUP_ELEMENTS / columns > GROUP_ROWS ? GROUP_ELEMENTS / columns : GROUP_ROWS;
        y.units = (rk_striping){.segmented = outer + reduced - 1, .inner = 1};
        while (y.units.segmented > outer && y.units.inner * shape[y.units.segmented] <= rows)
            y.units.inner *= shape[y.units.segmented--];
        y.units.segment = rows / y.units.inner;
    }
    for (uint32_t i = outer; i <= y.units.segmented && reduced; i++) {
        int64_t step = i == y.units.segmented ? y.units.segment : 1;
        y.total *= y.grid[y.grid_ndim++] = (shape[i] + step - 1) / step;
    }
    return y;
}

/* -- States --------------------------------------------------------------------------------------------------- */

/* m states in one piece of memory, component after component. */
typedef struct states {
    void *component[RK_MAX_COMPONENTS];
    size_t m;
} states;

static size_t component_bytes(const rk_reducer *r, uint32_t c, size_t m)
{
    return (m * rask_dtype_size(r->component[c]) + 15) & ~(size_t)15;
}

static size_t states_bytes(const rk_reducer *r, size_t m)
{
    size_t bytes = 0;
    for (uint32_t c = 0; c < r->components; c++)
        bytes += component_bytes(r, c, m);
    return bytes;
}

static states states_at(const rk_reducer *r, void *memory, size_t m)
{
    states s = {.m = m};
    char *at = memory;
    for (uint32_t c = 0; c < r->components; at += component_bytes(r, c++, m))
        s.component[c] = at;
    return s;
}

static void copy_state(const rk_reducer *r, const states *to, size_t to_at, const states *from,
                       size_t from_at)
{
    for (uint32_t c = 0; c < r->components; c++) {
        size_t size = rask_dtype_size(r->component[c]);
        memcpy((char *)to->component[c] + to_at * size, (char *)from->component[c] + from_at * size, size);
    }
}

/* The tree over sets of states that come one after another: level k holds a set that stands for 2^k of them, or none. */
typedef struct tree {
    const rk_reducer *reducer;
    size_t m, bytes;
    void *next;          /* memory for the set to come */
    void *level[LEVELS]; /* likewise, also where no set is */
    bool full[LEVELS];
} tree;

static void tree_init(tree *t, const rk_reducer *reducer, size_t m)
{
    *t = (tree){.reducer = reducer, .m = m, .bytes = states_bytes(reducer, m)};
}

static void tree_fini(tree *t)
{
    rk_free(t->next);
    for (uint32_t k = 0; k < LEVELS; k++)
        rk_free(t->level[k]);
}

/* Room for the next set; NULL: no memory. */
static void *tree_next(tree *t)
{
    if (!t->next)
        t->next = rk_alloc(t->bytes ? t->bytes : 1);
    return t->next;
}

/* Merges what comes second into what comes first. */
static void merge_sets(const tree *t, void *first, void *second)
{
    states to = states_at(t->reducer, first, t->m), from = states_at(t->reducer, second, t->m);
    t->reducer->merge(t->m, to.component, 0, from.component, 0);
}

/* The next set has been written: takes it in. */
static void tree_push(tree *t)
{
    void *set = t->next;
    uint32_t k = 0;
    for (; t->full[k]; k++) {
        void *older = t->level[k];
        merge_sets(t, older, set);
        t->level[k] = set;
        t->full[k] = false;
        set = older;
    }
    t->next = t->level[k];
    t->level[k] = set;
    t->full[k] = true;
}

/* All sets as one: NULL when there was none. Belongs to the tree. */
static void *tree_end(tree *t)
{
    void *newer = NULL;
    for (uint32_t k = 0; k < LEVELS; k++) {
        if (!t->full[k])
            continue;
        if (newer)
            merge_sets(t, t->level[k], newer);
        newer = t->level[k];
    }
    return newer;
}

/* The same tree over states first … first + count - 1 of one set; the outcome is at first. */
static void fold(const rk_reducer *r, states *s, size_t first, size_t count)
{
    for (size_t step = 1; step < count; step *= 2)
        for (size_t i = 0; i + step < count; i += 2 * step)
            r->merge(1, s->component, first + i, s->component, first + i + step);
}

/* -- Words of a task ------------------------------------------------------------------------------------------ */

/* What a partial task is told beside its box; of it a merging task needs the first part. */
typedef struct finish_words {
    int64_t op, dtype; /* of the input */
    int64_t finish;    /* give results, not states */
    int64_t count;     /* elements of each result */
    int64_t ddof;      /* bits of a double */
    int64_t results;   /* states */
    int64_t out_dtype, ndim;
    int64_t shape[RASK_MAX_DIMENSIONS]; /* of the block of results */
} finish_words;

typedef struct partial_words {
    finish_words end;
    int64_t outer, reduced, inner;
    int64_t first, last; /* units first … last - 1 */
} partial_words;

enum { PARTIAL_WORDS = sizeof(partial_words) / sizeof(int64_t) };

/* A block of bytes that holds states. */
static int new_states(rask_task *task, size_t bytes, rask_block *block, rask_value *value)
{
    int64_t shape = (int64_t)bytes;
    return rk_task_result(task, RASK_DT_U8, 1, &shape, block, value);
}

/* Returns the states as they are, or what they come to. */
static int give(rask_task *task, const finish_words *w, const rk_reducer *r, states *s)
{
    rask_block block;
    rask_value value;
    size_t m = (size_t)w->results;
    if (!w->finish) {
        int status = new_states(task, states_bytes(r, m), &block, &value);
        states to = states_at(r, block.data, m);
        for (uint32_t c = 0; c < r->components && !status; c++) {
            assert(s->component[c]);
            memcpy(to.component[c], s->component[c], m * rask_dtype_size(r->component[c]));
        }
        return status ? status : rask_return_value(task, value);
    }
    double ddof;
    memcpy(&ddof, &w->ddof, sizeof ddof);
    int status = rk_task_result(task, (rask_dtype)w->out_dtype, (uint32_t)w->ndim, w->shape, &block, &value);
    if (status)
        return status;
    if (!r->finish(m, s->component, w->count, ddof, block.data))
        return rask_return_value(task, value);
    rask_value_unref(&value);
    return rask_fail(task, RASK_EINVAL, "all of a slice is NaN");
}

/* -- Rows form ------------------------------------------------------------------------------------------------ */

/* A box of units: first number of it, and its place in the logical axes. */
typedef struct unit_box {
    int64_t first, count;
    int64_t start[RASK_MAX_DIMENSIONS], extent[RASK_MAX_DIMENSIONS]; /* elements, all logical axes */
} unit_box;

/* The largest box of units that begins at unit `first` and ends before `last`. */
static unit_box next_box(const layout *y, const int64_t *shape, const int64_t *start, const int64_t *count,
                         int64_t first, int64_t last)
{
    unit_box b = {.first = first, .count = 1};
    uint32_t ndim = y->outer + y->reduced + y->inner, axis = y->grid_ndim;
    int64_t index[RASK_MAX_DIMENSIONS], rest = first;
    for (uint32_t i = y->grid_ndim; i-- > 0; rest /= y->grid[i])
        index[i] = rest % y->grid[i];
    /* whole axes from the last one on, as long as they fit */
    while (axis > 1 && !index[axis - 1] && b.count * y->grid[axis - 1] <= last - first)
        b.count *= y->grid[--axis];
    memcpy(b.start, start, ndim * sizeof *start);
    memcpy(b.extent, count, ndim * sizeof *count);
    if (!axis)
        return b;
    int64_t most = (last - first) / b.count, left = y->grid[axis - 1] - index[axis - 1];
    int64_t take = most < left ? most : left;
    b.count *= take;
    for (uint32_t i = 0; i < y->reduced; i++) {
        uint32_t at = y->outer + i;
        int64_t step = at == y->units.segmented ? y->units.segment : 1;
        b.start[at] = i < axis ? index[i] * step : 0;
        b.extent[at] = i + 1 < axis ? step : i + 1 == axis ? take * step : shape[at];
        if (b.start[at] + b.extent[at] > shape[at])
            b.extent[at] = shape[at] - b.start[at];
    }
    return b;
}

typedef struct row_sums {
    const layout *y;
    states *s;
    int64_t units;            /* of each result: what lies between two results' states */
    int64_t at;               /* of the box's first unit */
    int64_t rows, segments;   /* of the box, for each result */
    int64_t index, row_index; /* of the box's first element; what a row adds */
} row_sums;

static void take_row_strip(void *context, const rk_strip_at *at, const void *elements)
{
    const row_sums *t = context;
    int64_t result = at->row / t->rows, row = at->row % t->rows;
    int64_t unit = t->at + row * t->segments + at->segment;
    int64_t index = t->index + row * t->row_index + at->segment * t->y->units.segment * t->y->units.inner;
    t->y->reducer->strip(at->length, elements, index, (size_t)(result * t->units + unit), t->s->component);
}

/* The number of a position along the reduced axes, in C order over all of them. */
static int64_t reduced_index(const layout *y, const int64_t *shape, const int64_t *start)
{
    int64_t index = 0;
    for (uint32_t i = y->outer; i < y->outer + y->reduced; i++)
        index = index * shape[i] + start[i];
    return index;
}

/* Rows and segments of a box of units for one result. */
static void row_extent(const layout *y, const int64_t *shape, const unit_box *b, row_sums *t)
{
    t->rows = t->segments = 1;
    t->row_index = y->units.inner;
    for (uint32_t i = y->outer; i < y->units.segmented; i++)
        t->rows *= b->extent[i];
    if (!y->reduced)
        return;
    t->segments = (b->extent[y->units.segmented] + y->units.segment - 1) / y->units.segment;
    t->row_index *= shape[y->units.segmented];
}

static int run_rows(rask_task *task, rk_job *job, const layout *y, const partial_words *w)
{
    const rk_execution *e = &job->execution;
    int64_t units = w->last > w->first ? w->last - w->first : 1, results = w->end.results;
    void *memory = rk_alloc(states_bytes(y->reducer, (size_t)(units * results)) + 1);
    if (!memory)
        return rk_task_fail(task, RASK_ENOMEM, "no memory for the states of %lld strips",
                            (long long)units * results);
    states s = states_at(y->reducer, memory, (size_t)(units * results));
    y->reducer->init(s.m, s.component);
    int status = RASK_OK;
    for (int64_t first = w->first; first < w->last && !status;) {
        unit_box b = next_box(y, e->program->shape, e->start, e->count, first, w->last);
        row_sums t = {.y = y, .s = &s, .units = units, .at = first - w->first};
        row_extent(y, e->program->shape, &b, &t);
        t.index = reduced_index(y, e->program->shape, b.start);
        rk_execution part = *e;
        part.start = b.start;
        part.count = b.extent;
        part.striping = &y->units;
        part.taker = (rk_taker){.context = &t, .take = take_row_strip};
        status = rk_execute(task, &part);
        first += b.count;
    }
    for (int64_t i = 0; i < results && !status; i++) {
        fold(y->reducer, &s, (size_t)(i * units), (size_t)units);
        copy_state(y->reducer, &s, (size_t)i, &s, (size_t)(i * units));
    }
    if (!status)
        status = give(task, &w->end, y->reducer, &s);
    rk_free(memory);
    return status;
}

/* -- Columns form --------------------------------------------------------------------------------------------- */

/* A strip covers part of the inner axes, or, when these are short, whole rows of the reduced ones. */
typedef struct column_sums {
    const layout *y;
    states s;
    rk_striping strips;
    size_t row_bytes;   /* of the input: all columns of the box */
    int64_t columns;    /* of the box */
    int64_t lines;      /* rows of strips for each result of the outer axes */
    int64_t line_rows;  /* rows of the reduced axes in each of them, */
    int64_t strip_rows; /* and in each strip; 0: less than one */
    int64_t line_parts; /* then: rows of strips that make up one row of the reduced axes, */
    int64_t part_width; /* and columns of each */
    int64_t index;      /* of the box's first row */
} column_sums;

static void take_part_of_row(void *context, const rk_strip_at *at, const void *elements)
{
    const column_sums *t = context;
    int64_t result = at->row / t->lines, line = at->row % t->lines;
    int64_t column = line % t->line_parts * t->part_width + at->segment * t->strips.segment * t->strips.inner;
    t->y->reducer->add(at->length, elements, t->index + line / t->line_parts,
                       (size_t)(result * t->columns + column), (void *const *)t->s.component);
}

static void take_whole_rows(void *context, const rk_strip_at *at, const void *elements)
{
    const column_sums *t = context;
    int64_t result = at->row / t->lines,
            row = at->row % t->lines * t->line_rows + at->segment * t->strip_rows;
    int64_t rows = (int64_t)at->length / t->columns;
    for (int64_t i = 0; i < rows; i++)
        t->y->reducer->add((size_t)t->columns, (const char *)elements + (size_t)i * t->row_bytes,
                           t->index + row + i, (size_t)(result * t->columns), (void *const *)t->s.component);
}

static int64_t product(const int64_t *count, uint32_t from, uint32_t to)
{
    return from < to ? rk_shape_size(count + from, to - from) : 1;
}

/* How the strips of a box lie over its columns. */
static column_sums columns_of(const layout *y, const rk_program *p, const unit_box *b, rask_dtype dtype)
{
    uint32_t inner = y->outer + y->reduced, ndim = p->ndim;
    column_sums t = {.y = y, .strips = rk_striping_of(b->extent, ndim, y->outer)};
    uint32_t q = t.strips.segmented;
    t.columns = product(b->extent, inner, ndim);
    t.row_bytes = (size_t)t.columns * rask_dtype_size(dtype);
    t.lines = product(b->extent, y->outer, q);
    if (q < inner) {
        t.line_rows = product(b->extent, q, inner);
        t.strip_rows = t.strips.segment * (t.strips.inner / t.columns);
    } else {
        t.line_parts = product(b->extent, inner, q);
        t.part_width = product(b->extent, q, ndim);
    }
    t.index = reduced_index(y, p->shape, b->start);
    return t;
}

static int add_unit(rask_task *task, const rk_execution *e, const layout *y, int64_t unit, void *memory,
                    size_t m)
{
    unit_box b = next_box(y, e->program->shape, e->start, e->count, unit, unit + 1);
    column_sums t = columns_of(y, e->program, &b, e->program->dtype);
    t.s = states_at(y->reducer, memory, m);
    y->reducer->init(m, t.s.component);
    rk_execution part = *e;
    part.start = b.start;
    part.count = b.extent;
    part.striping = &t.strips;
    part.ordered = t.strip_rows > 0;
    part.taker = (rk_taker){.context = &t, .take = t.strip_rows ? take_whole_rows : take_part_of_row};
    return rk_execute(task, &part);
}

/* Nothing reduced is what init leaves. */
static int give_columns(rask_task *task, tree *t, const partial_words *w)
{
    void *memory = w->first < w->last ? tree_end(t) : tree_next(t);
    if (!memory)
        return rk_task_fail(task, RASK_ENOMEM, "no memory for the states of %zu results", t->m);
    states s = states_at(t->reducer, memory, t->m);
    if (w->first >= w->last)
        t->reducer->init(t->m, s.component);
    return give(task, &w->end, t->reducer, &s);
}

static int run_columns(rask_task *task, rk_job *job, const layout *y, const partial_words *w)
{
    tree t;
    size_t m = (size_t)w->end.results;
    int status = RASK_OK;
    tree_init(&t, y->reducer, m);
    for (int64_t unit = w->first; unit < w->last && !status; unit++) {
        void *memory = tree_next(&t);
        status = memory ? add_unit(task, &job->execution, y, unit, memory, m)
                        : rk_task_fail(task, RASK_ENOMEM, "no memory for the states of %zu results", m);
        if (!status)
            tree_push(&t);
    }
    if (!status)
        status = give_columns(task, &t, w);
    tree_fini(&t);
    return status;
}

/* -- Tasks ---------------------------------------------------------------------------------------------------- */

static int run_partial(rask_task *task)
{
    rk_job job;
    int status = rk_job_open(task, PARTIAL_WORDS, &job);
    if (status)
        return status;
    const partial_words *w = (const partial_words *)(const void *)job.extra;
    layout y = layout_of((rask_reduction)w->end.op, (rask_dtype)w->end.dtype, job.execution.program->shape,
                         (uint32_t)w->outer, (uint32_t)w->reduced, (uint32_t)w->inner);
    status = y.inner ? run_columns(task, &job, &y, w) : run_rows(task, &job, &y, w);
    rk_job_close(&job);
    return status;
}

/* Argument 0: finish_words; 1 …: blocks of states, in order. */
static int run_merge(rask_task *task)
{
    const finish_words *w = rk_task_params(task, sizeof *w);
    if (!w)
        return task->status;
    tree t;
    int status = RASK_OK;
    tree_init(&t, rk_reducer_find((rask_reduction)w->op, (rask_dtype)w->dtype), (size_t)w->results);
    for (size_t i = 1; i < rask_arg_count(task) && !status; i++) {
        rask_block block;
        void *memory = tree_next(&t);
        status = rask_arg_block(task, i, &block);
        if (!memory)
            status = rk_task_fail(task, RASK_ENOMEM, "no memory for the states of %zu results", t.m);
        if (!memory || status)
            break;
        memcpy(memory, block.data, t.bytes);
        tree_push(&t);
    }
    if (!status) {
        void *memory = tree_end(&t);
        assert(memory);
        states s = states_at(t.reducer, memory, t.m);
        status = give(task, w, t.reducer, &s);
    }
    tree_fini(&t);
    return status;
}

#define PARTIAL_DEF(op, numpy)                                                                               \
    {.size = sizeof(rask_task_def), .name = #numpy, .call = run_partial, .flags = RASK_PURE},
static const rask_task_def partial_defs[] = {RASK_REDUCTION_TABLE(PARTIAL_DEF)};
#undef PARTIAL_DEF

#define MERGE_DEF(op, numpy)                                                                                 \
    {.size = sizeof(rask_task_def), .name = #numpy " merge", .call = run_merge, .flags = RASK_PURE},
static const rask_task_def merge_defs[] = {RASK_REDUCTION_TABLE(MERGE_DEF)};
#undef MERGE_DEF

/* -- Lowering ------------------------------------------------------------------------------------------------- */

typedef struct reduction {
    rk_lowering *l;
    rask_array *a, *in;
    const rk_reduce *how;
    const rk_program *program;
    uint32_t outer, reduced, inner;
    layout y;
    finish_words end; /* for the chunk at hand */
    int64_t units_a_task;
    uint64_t result_bytes;
    int64_t start[RASK_MAX_DIMENSIONS],
        count[RASK_MAX_DIMENSIONS]; /* of the chunk at hand, by logical axis */
} reduction;

/* How far apart a leaf's elements lie along each logical axis, dense strides for chunks; 0: it does not move. */
static void distances(const rk_leaf *leaf, uint32_t ndim, int64_t *far)
{
    memset(far, 0, ndim * sizeof *far);
    int64_t stride = 1;
    for (uint32_t i = leaf->ndim; leaf->kind == RK_LEAF_CHUNKS && i-- > 0; stride *= leaf->shape[i])
        if (leaf->map.from[i] >= 0)
            far[leaf->map.from[i]] = stride * leaf->map.step[i];
    for (uint32_t i = 0; i < ndim; i++) {
        far[i] = leaf->kind == RK_LEAF_CHUNKS ? far[i] : leaf->strides[i];
        far[i] = far[i] < 0 ? -far[i] : far[i];
    }
}

/* Those of the leaf with the most elements, the first of equal ones; of a C-order array when there is none. */
static void main_distances(const rk_program *p, int64_t *far)
{
    int64_t most = 0, own[RASK_MAX_DIMENSIONS];
    rk_dense_strides(p->ndim, p->shape, 1, far);
    for (uint32_t k = 0; k < p->leaf_count; k++) {
        int64_t elements = 1;
        distances(&p->leaves[k], p->ndim, own);
        for (uint32_t i = 0; i < p->ndim; i++)
            elements *= own[i] ? p->shape[i] : 1;
        if (p->leaves[k].kind == RK_LEAF_CONSTANT || elements <= most)
            continue;
        most = elements;
        memcpy(far, own, p->ndim * sizeof *far);
    }
}

/* Axis numbers by falling distance: insertion sort, axes of equal distance as they were. */
static void sort_axes(uint8_t *axes, uint32_t count, const int64_t *far)
{
    for (uint32_t i = 1; i < count; i++) {
        uint8_t axis = axes[i];
        uint32_t at = i;
        for (; at && far[axes[at - 1]] < far[axis]; at--)
            axes[at] = axes[at - 1];
        axes[at] = axis;
    }
}

/* The axis of most than one element along which elements lie closest; the last of equal ones, or of all. */
static uint32_t closest_axis(const rk_program *p, const int64_t *far)
{
    uint32_t closest = p->ndim ? p->ndim - 1 : 0;
    int64_t least = INT64_MAX;
    for (uint32_t i = p->ndim; i-- > 0;)
        if (far[i] && p->shape[i] > 1 && far[i] < least) {
            least = far[i];
            closest = i;
        }
    return closest;
}

static bool gives_index(rask_reduction op)
{
    return op == RASK_REDUCE_ARGMIN || op == RASK_REDUCE_ARGMAX || op == RASK_REDUCE_NANARGMIN ||
           op == RASK_REDUCE_NANARGMAX;
}

/* How many of the last kept axes are inner ones: from the closest axis on, and those before it that lie closer than all
 * that is reduced. */
static uint32_t inner_axes(const uint8_t *kept, uint32_t kept_count, uint32_t closest, const uint8_t *reduced,
                           uint32_t reduced_count, const int64_t *far)
{
    uint32_t first = 0;
    int64_t least = INT64_MAX;
    while (first + 1 < kept_count && kept[first] != closest)
        first++;
    for (uint32_t i = 0; i < reduced_count; i++)
        least = far[reduced[i]] < least ? far[reduced[i]] : least;
    while (first && far[kept[first - 1]] < least)
        first--;
    return kept_count - first;
}

/* Logical axes: outer, reduced, inner, in the order that suits where elements lie, which is part of the expression. Kept
 * axes stay in the result's order. */
static int choose_axes(reduction *r, uint8_t *axes)
{
    const rask_array *in = r->in;
    const rk_program *p = rk_lower_program(r->l, r->in, NULL, false);
    uint8_t kept[RASK_MAX_DIMENSIONS], reduced[RASK_MAX_DIMENSIONS];
    int64_t far[RASK_MAX_DIMENSIONS], size = 1;
    uint32_t kept_count = 0;
    if (!p)
        return rk_lowering_graph(r->l)->status;
    main_distances(p, far);
    for (uint32_t i = 0; i < in->ndim; i++) {
        if (!r->how->reduced[i]) {
            kept[kept_count++] = (uint8_t)i;
            continue;
        }
        reduced[r->reduced++] = (uint8_t)i;
        size *= in->shape[i];
    }
    if (!gives_index(r->how->op))
        sort_axes(reduced, r->reduced, far);
    uint32_t closest = closest_axis(p, far);
    if (r->reduced && kept_count && !r->how->reduced[closest])
        r->inner = inner_axes(kept, kept_count, closest, reduced, r->reduced, far);
    else if (r->reduced && size < FEW)
        r->inner = kept_count;
    r->outer = kept_count - r->inner;
    memcpy(axes, kept, r->outer);
    memcpy(axes + r->outer, reduced, r->reduced);
    memcpy(axes + r->outer + r->reduced, kept + r->outer, r->inner);
    return RASK_OK;
}

/* Work of a task whose lines in some file are only as long as its box has rows: some tasks a worker in all. */
static int64_t turned_work(const reduction *r, int64_t work)
{
    const int64_t *shape = r->program->shape;
    uint32_t ndim = r->in->ndim;
    int64_t most = rk_shape_size(shape, ndim) / (3 * (int64_t)rk_lowering_workers(r->l));
    int64_t least =
        shape[ndim - 1] * RK_TURNED_ROWS / 8 * 9; /* strips are counted as a little longer than they are */
    least = least < most ? least : most;
    return work < least ? least : work;
}

/* Columns that a task has at least, of those there are: fewer where chunks under a unit of them would not fit. */
static int64_t least_columns(const reduction *r, int64_t size, int64_t columns)
{
    int64_t unit = size / (r->y.total ? r->y.total : 1) + 1, least = columns < COLUMNS ? columns : COLUMNS;
    if (!rk_array_is_chunked(r->in))
        return least;
    int64_t most = (int64_t)(rk_lowering_budget(r->l) / 4 / rask_dtype_size(r->in->dtype)) / unit;
    return most < 1 ? 1 : most < least ? most : least;
}

/* Lengths of the result's chunks, and units of one task. */
static void choose_parts(reduction *r, int64_t *lengths)
{
    const int64_t *shape = r->program->shape;
    uint64_t element = rask_dtype_size(r->in->dtype),
             total = (uint64_t)rk_shape_size(shape, r->in->ndim) * element;
    int64_t work = (int64_t)(rk_lowering_part_bytes(r->l, total) / element);
    if (rk_execute_turns(r->program))
        work = turned_work(r, work);
    int64_t size = product(shape, r->outer, r->outer + r->reduced),
            columns = product(shape, r->outer + r->reduced, r->in->ndim);
    int64_t results = size ? work / size : work, least = r->inner ? least_columns(r, size, columns) : 1;
    results = results < least ? least : results;
    rk_grid_auto((uint64_t)(results < 1 ? 1 : results), 1, r->a->ndim, r->a->shape, NULL, lengths);
    int64_t chunk = rk_shape_size(lengths, r->a->ndim), unit = size / (r->y.total ? r->y.total : 1) + 1,
            units = 1;
    while (units < r->y.total && 2 * units * unit * chunk <= work)
        units *= 2;
    r->units_a_task = units;
}

/* The chunk's box along the logical axes that are kept. */
static void set_box(reduction *r, const rk_region *region)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < r->in->ndim; i++) {
        r->start[i] = 0;
        r->count[i] = r->program->shape[i];
    }
    for (uint32_t i = 0, in = 0; i < r->a->ndim; i++) {
        while (!r->how->keepdims && in < r->in->ndim && r->how->reduced[in])
            in++;
        bool reduced = r->how->keepdims && r->how->reduced[in];
        in++;
        if (reduced)
            continue;
        uint32_t axis = kept < r->outer ? kept : kept + r->reduced;
        kept++;
        r->start[axis] = region->start[i];
        r->count[axis] = region->count[i];
    }
    r->end.ndim = r->a->ndim;
    r->end.results = rk_shape_size(region->count, region->ndim);
    memset(r->end.shape, 0, sizeof r->end.shape);
    memcpy(r->end.shape, region->count, region->ndim * sizeof *region->count);
}

/* The box around units first … last - 1: what chunks the task needs. */
static void bound_units(const reduction *r, int64_t first, int64_t last, int64_t *start, int64_t *count)
{
    const layout *y = &r->y;
    int64_t low[RASK_MAX_DIMENSIONS], high[RASK_MAX_DIMENSIONS], a = first, b = last - 1;
    bool same = true;
    memcpy(start, r->start, sizeof r->start);
    memcpy(count, r->count, sizeof r->count);
    for (uint32_t i = y->total ? y->grid_ndim : 0; i-- > 0; a /= y->grid[i], b /= y->grid[i]) {
        low[i] = a % y->grid[i];
        high[i] = b % y->grid[i];
    }
    for (uint32_t i = 0; i < y->grid_ndim && same && y->total; i++) {
        uint32_t axis = y->outer + i;
        int64_t step = axis == y->units.segmented ? y->units.segment : 1, length = r->program->shape[axis];
        start[axis] = low[i] * step;
        int64_t end = (high[i] + 1) * step;
        count[axis] = (end < length ? end : length) - start[axis];
        same = low[i] == high[i];
    }
}

static uint64_t scratch_of(const reduction *r, int64_t units)
{
    uint64_t sets = r->y.inner ? 2 + 64 - (uint64_t)__builtin_clzll((uint64_t)units | 1) : (uint64_t)units;
    return rk_execute_scratch(r->program) + sets * states_bytes(r->y.reducer, (size_t)r->end.results);
}

static uint64_t outcome_bytes(const reduction *r, bool finish)
{
    size_t m = (size_t)r->end.results;
    return finish ? m * rask_dtype_size(r->a->dtype) : states_bytes(r->y.reducer, m);
}

static rask_node *partial(reduction *r, int64_t first, int64_t last)
{
    partial_words w = {.end = r->end,
                       .outer = r->outer,
                       .reduced = r->reduced,
                       .inner = r->inner,
                       .first = first,
                       .last = last};
    int64_t start[RASK_MAX_DIMENSIONS], count[RASK_MAX_DIMENSIONS];
    w.end.finish = last - first == r->y.total;
    bound_units(r, first, last, start, count);
    return rk_job_call(r->l, &partial_defs[r->how->op], r->program, start, count, (const int64_t *)&w,
                       PARTIAL_WORDS, outcome_bytes(r, w.end.finish), scratch_of(r, last - first));
}

static rask_node *merge(reduction *r, rask_node *const *nodes, size_t count, bool finish)
{
    finish_words w = r->end;
    w.finish = finish;
    return rk_lower_call(r->l, &merge_defs[r->how->op], &w, sizeof w, nodes, count, outcome_bytes(r, finish),
                         8 * states_bytes(r->y.reducer, (size_t)w.results));
}

static size_t fan_in(const reduction *r)
{
    size_t fan = 2, most = r->how->fan_in ? r->how->fan_in : FAN_IN;
    while (2 * fan <= most)
        fan *= 2;
    return fan;
}

/* One chunk of the result: partial results, and merging tasks above them, level by level. */
static rask_node *reduce_chunk(reduction *r)
{
    int64_t total = r->y.total, step = r->units_a_task;
    size_t count = total ? (size_t)((total + step - 1) / step) : 1, fan = fan_in(r);
    rask_node **nodes = rk_alloc_array(count, sizeof(rask_node *)), *node = NULL;
    if (!nodes) {
        rk_lowering_fail(r->l, RASK_ENOMEM, "no memory for the parts of a reduction");
        return NULL;
    }
    bool made = true;
    for (size_t i = 0; i < count && made; i++) {
        int64_t first = (int64_t)i * step, last = first + step < total ? first + step : total;
        made = (nodes[i] = partial(r, first, last));
    }
    while (made && count > 1) {
        size_t above = (count + fan - 1) / fan;
        for (size_t i = 0; i < above && made; i++) {
            size_t rest = count - i * fan;
            made = (nodes[i] = merge(r, nodes + i * fan, rest < fan ? rest : fan, above == 1));
        }
        count = above;
    }
    node = made ? nodes[0] : NULL;
    rk_free(nodes);
    return node;
}

static int reduction_init(reduction *r, rk_lowering *l, rask_array *a)
{
    *r = (reduction){.l = l, .a = a, .in = a->inputs[0], .how = a->as.reduce};
    uint8_t axes[RASK_MAX_DIMENSIONS];
    int status = choose_axes(r, axes);
    if (status)
        return status;
    r->program = rk_lower_program(l, r->in, axes, false);
    if (!r->program)
        return rk_lowering_failure(l);
    r->y = layout_of(r->how->op, r->in->dtype, r->program->shape, r->outer, r->reduced, r->inner);
    r->end = (finish_words){.op = r->how->op, .dtype = r->in->dtype, .out_dtype = a->dtype};
    r->end.count = product(r->program->shape, r->outer, r->outer + r->reduced);
    memcpy(&r->end.ddof, &r->how->ddof, sizeof r->how->ddof);
    return RASK_OK;
}

int rk_lower_reduce(rk_lowering *l, rask_array *a, rk_chunks *chunks)
{
    reduction r;
    int64_t lengths[RASK_MAX_DIMENSIONS], index[RASK_MAX_DIMENSIONS] = {0};
    int status = reduction_init(&r, l, a);
    if (status)
        return status;
    choose_parts(&r, lengths);
    status = rk_grid_regular(l, chunks, a->ndim, a->shape, lengths);
    for (int64_t i = 0; i < rk_chunks_total(chunks) && !status; i++) {
        rk_region region;
        rk_chunks_region(chunks, index, &region);
        set_box(&r, &region);
        chunks->nodes[i] = reduce_chunk(&r);
        status = chunks->nodes[i] ? RASK_OK : rk_lowering_graph(l)->status;
        rk_index_next(index, chunks->count, chunks->ndim);
    }
    return status;
}
