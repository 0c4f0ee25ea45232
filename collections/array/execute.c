/* Running a program: see execute.h for how strips and macro blocks lie.
 *
 * Three nested levels. walk: the axes before the row axis, one index at a time. macro: rows × segments of the two last
 * axes; leaves that need it get a window: a dense copy of what the macro block needs, in the order that suits where it
 * comes from. strip: for each leaf a pointer to its elements, in place when they are contiguous there, else gathered; then
 * the instructions. Leaves whose elements lie along the row axis (a transposed matrix) are gathered for a batch of rows at
 * once, since each cache line they touch holds elements of many rows. */
#include "collections/array/execute.h"

#include "collections/array/copy.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <assert.h>
#include <string.h>

enum {
    BATCH = 32,                /* rows gathered at once */
    WINDOWS_BYTES = 384 << 10, /* all windows of a macro block */
    TURNED_BYTES = 8 << 20,    /* at most, when one is turned: its lines are only as long as there are rows */
    LEAST_ELEMENTS = 4096,     /* of a macro block with windows */
    MOST_ELEMENTS = 1 << 20,   /* of one without: how long cancelling may take */
    MOST_MAPPED = 8 << 20,     /* of a file that are mapped at once, */
    ALL_MAPPED = 24 << 20,     /* of all files of a task, */
    LEAST_MAPPED = 256 << 10,  /* and of a file at least, since mapping costs some calls of the kernel */
    MOST_GAP = 512,            /* bytes from one element to the next that are rather read than jumped over */
    STRIP_BYTES = RK_STRIP * 16, /* of the largest element */
};

typedef struct leaf_run {
    const rk_leaf *leaf;
    size_t size;
    bool windowed, mappable;
    bool along_rows;                      /* gathered in batches */
    const char *base;                     /* of the macro block's first element */
    int64_t strides[RASK_MAX_DIMENSIONS]; /* by logical axis, from there */
    int64_t index;                        /* FILL: as base, in elements */
    char *window;                         /* memory for it, and for a batch and a strip */
    size_t window_bytes;
    char *batch, *strip;
    rk_mapped mapped;  /* FILE: the part that the window would be read from, when it need not be read */
    const void **data; /* CHUNKS: of each piece */
    int64_t batch_row; /* first row of the batch that is loaded, -1: none */
    int64_t batch_segment;
} leaf_run;

typedef struct execution {
    rask_task *task;
    const rk_execution *what;
    const rk_program *p;
    rk_striping striping;
    uint32_t ndim, q;                   /* q: the segmented axis */
    int64_t count[RASK_MAX_DIMENSIONS]; /* of the box; at least one axis */
    int64_t start[RASK_MAX_DIMENSIONS];
    int64_t at[RASK_MAX_DIMENSIONS];     /* the macro block: from the box's start */
    int64_t extent[RASK_MAX_DIMENSIONS]; /* its elements per axis */
    int64_t macro_rows, macro_segments;
    leaf_run *leaves;
    const void **registers;
    char *memory;
} execution;

rk_striping rk_striping_of(const int64_t *shape, uint32_t ndim, uint32_t keep)
{
    rk_striping s = {.segmented = ndim ? ndim - 1 : 0, .segment = 1, .inner = 1};
    while (s.segmented > keep && shape[s.segmented] && s.inner * shape[s.segmented] <= RK_STRIP)
        s.inner *= shape[s.segmented--];
    s.segment = RK_STRIP / s.inner;
    return s;
}

/* -- Windows ------------------------------------------------------------------------------------------------ */

/* Logical axes of the leaf by falling distance in the file; those it does not move along are left out. */
static uint32_t file_order(const rk_leaf *leaf, uint32_t ndim, uint8_t *order)
{
    uint32_t n = 0;
    for (uint32_t axis = 0; axis < ndim; axis++) {
        int64_t stride = leaf->strides[axis] < 0 ? -leaf->strides[axis] : leaf->strides[axis];
        if (!stride)
            continue;
        uint32_t at = n++;
        for (; at && (leaf->strides[order[at - 1]] < 0 ? -leaf->strides[order[at - 1]]
                                                       : leaf->strides[order[at - 1]]) < stride;
             at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)axis;
    }
    return n;
}

/* Elements that are read for one wanted along the axis that varies fastest in the file. */
static int64_t file_gap(const rk_leaf *leaf, uint32_t ndim)
{
    uint8_t order[RASK_MAX_DIMENSIONS];
    uint32_t n = file_order(leaf, ndim, order);
    int64_t size = (int64_t)rask_dtype_size(leaf->dtype);
    int64_t stride = n ? leaf->strides[order[n - 1]] : size;
    stride = stride < 0 ? -stride : stride;
    return stride % size || stride > MOST_GAP ? 1 : stride / size;
}

/* Places in a file: those of a box lie in first … last. */
typedef struct span {
    int64_t first, last;
} span;

/* Of count elements per axis from start on; strides are not negative. */
static span span_of(const rk_leaf *leaf, uint32_t ndim, const int64_t *start, const int64_t *count)
{
    span s = {leaf->offset, leaf->offset + (int64_t)rask_dtype_size(leaf->dtype) - 1};
    for (uint32_t i = 0; i < ndim; i++) {
        s.first += leaf->strides[i] * start[i];
        s.last += leaf->strides[i] * (start[i] + count[i] - 1);
    }
    return s;
}

/* Elements lie in the file as the machine takes them, and macro blocks come in its order. */
static bool is_mappable(const rk_leaf *leaf, uint32_t ndim)
{
    int64_t size = (int64_t)rask_dtype_size(leaf->dtype), within = INT64_MAX;
    if (leaf->kind != RK_LEAF_FILE || !leaf->source->parts || leaf->source->absent || leaf->source->swapped ||
        leaf->dtype == RASK_DT_BOOL || leaf->offset % (size > 8 ? 8 : size))
        return false;
    for (uint32_t i = 0; i < ndim; i++) {
        if (leaf->strides[i] < 0 || leaf->strides[i] > within)
            return false;
        within = leaf->strides[i] ? leaf->strides[i] : within;
    }
    return true;
}

/* Another part of the file: the macro block, and what follows it in the box as far as it is worth while. */
static bool map_more(const execution *x, leaf_run *l, span block)
{
    const rk_source *source = l->leaf->source;
    int64_t end = span_of(l->leaf, x->ndim, x->start, x->count).last;
    int64_t bytes = block.last - block.first + 1, most = (int64_t)x->p->mapped_bytes;
    int64_t last = end - block.first < most ? end : block.first + most / bytes * bytes - 1;
    if (last < block.last || last - block.first < LEAST_MAPPED) {
        rk_unmap(&l->mapped);
        return false;
    }
    return rk_map(source->parts, source->fd, block.first, (size_t)(last - block.first + 1),
                  (size_t)(end - block.first + 1), &l->mapped);
}

/* The macro block's elements where the kernel keeps the file: half of its bytes there at least are wanted. */
static bool map_file(const execution *x, leaf_run *l)
{
    const rk_leaf *leaf = l->leaf;
    int64_t start[RASK_MAX_DIMENSIONS], wanted = (int64_t)l->size;
    if (!l->mappable)
        return false;
    for (uint32_t i = 0; i < x->ndim; i++) {
        start[i] = x->start[i] + x->at[i];
        wanted *= leaf->strides[i] ? x->extent[i] : 1;
    }
    span block = span_of(leaf, x->ndim, start, x->extent);
    if (block.last - block.first > 2 * wanted)
        return false;
    if ((!l->mapped.file || block.last >= l->mapped.first + (int64_t)l->mapped.len) && !map_more(x, l, block))
        return false;
    if (block.first < l->mapped.first)
        return false;
    memcpy(l->strides, leaf->strides, sizeof l->strides);
    l->base = l->mapped.data + (block.first - l->mapped.first);
    return true;
}

static int load_file(execution *x, leaf_run *l)
{
    const rk_leaf *leaf = l->leaf;
    uint8_t order[RASK_MAX_DIMENSIONS];
    uint32_t n = file_order(leaf, x->ndim, order);
    rk_source view = {.kind = RK_SOURCE_FILE,
                      .dtype = leaf->dtype,
                      .ndim = n,
                      .fd = leaf->source->fd,
                      .offset = leaf->offset,
                      .swapped = leaf->source->swapped,
                      .path = leaf->source->path,
                      .absent = leaf->source->absent};
    int64_t zero[RASK_MAX_DIMENSIONS] = {0}, count[RASK_MAX_DIMENSIONS], out[RASK_MAX_DIMENSIONS];
    int64_t gap = file_gap(leaf, x->ndim), size = (int64_t)l->size, at = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t axis = order[i];
        int64_t stride = leaf->strides[axis], first = x->start[axis] + x->at[axis];
        count[i] = x->extent[axis];
        view.offset += stride * (stride < 0 ? first + count[i] - 1 : first);
        view.strides[i] = stride < 0 ? -stride : stride;
    }
    if (n && gap > 1) {
        count[n - 1] = (count[n - 1] - 1) * gap + 1;
        view.strides[n - 1] = size;
    }
    memcpy(view.shape, count, n * sizeof *count);
    rk_dense_strides(n, count, l->size, out);
    memset(l->strides, 0, sizeof l->strides);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t axis = order[i];
        int64_t stride = i == n - 1 ? out[i] * gap : out[i];
        l->strides[axis] = leaf->strides[axis] < 0 ? -stride : stride;
        at += leaf->strides[axis] < 0 ? stride * (x->extent[axis] - 1) : 0;
    }
    l->base = l->window + at;
    char message[RK_MAX_MESSAGE];
    int status = rk_source_read(&view, zero, count, l->window, out, message, sizeof message);
    return status ? rask_fail(x->task, status, message) : RASK_OK;
}

/* Strides by logical axis of a leaf's array whose own are given; the place of the macro block's first element, which is
 * index first[i] of axis i where the strides begin. */
static void map_strides(const execution *x, leaf_run *l, const char *data, const int64_t *own,
                        const int64_t *origin)
{
    const rk_leaf *leaf = l->leaf;
    memset(l->strides, 0, sizeof l->strides);
    for (uint32_t i = 0; i < leaf->ndim; i++) {
        int from = leaf->map.from[i];
        int64_t first = leaf->map.start[i];
        if (from >= 0) {
            first += leaf->map.step[i] * (x->start[from] + x->at[from]);
            l->strides[from] += leaf->map.step[i] * own[i];
        }
        data += (first - origin[i]) * own[i];
    }
    l->base = data;
}

/* The part of the macro block that a piece has: numbers first[i] … last[i] - 1 of the runs. False: none. */
static bool piece_part(const rk_leaf *leaf, const rk_run_of *runs, const int64_t *box, int64_t *first,
                       int64_t *last)
{
    for (uint32_t i = 0; i < leaf->ndim; i++) {
        rk_run_within(runs[i], box[i], box[leaf->ndim + i] + box[i], &first[i], &last[i]);
        if (first[i] >= last[i])
            return false;
    }
    return true;
}

static bool is_whole(const rk_leaf *leaf, const rk_run_of *runs, const int64_t *first, const int64_t *last)
{
    for (uint32_t i = 0; i < leaf->ndim; i++)
        if (first[i] || last[i] != runs[i].count)
            return false;
    return true;
}

/* One piece's part into the window. */
static void copy_part(leaf_run *l, const rk_run_of *runs, const int64_t *box, const char *data,
                      const int64_t *first, const int64_t *last, const int64_t *to)
{
    const rk_leaf *leaf = l->leaf;
    int64_t own[RASK_MAX_DIMENSIONS], count[RASK_MAX_DIMENSIONS], from[RASK_MAX_DIMENSIONS];
    char *out = l->window;
    rk_dense_strides(leaf->ndim, box + leaf->ndim, l->size, own);
    for (uint32_t i = 0; i < leaf->ndim; i++) {
        count[i] = last[i] - first[i];
        from[i] = runs[i].step * own[i];
        data += (runs[i].first + runs[i].step * first[i] - box[i]) * own[i];
        out += first[i] * to[i];
    }
    rk_copy_box(leaf->ndim, count, l->size, out, to, data, from);
}

/* In place when one piece has it all, else put together in the window. */
static int load_chunks(execution *x, leaf_run *l, const rk_pieces *pieces)
{
    const rk_leaf *leaf = l->leaf;
    rk_run_of runs[RASK_MAX_DIMENSIONS];
    int64_t first[RASK_MAX_DIMENSIONS], last[RASK_MAX_DIMENSIONS], count[RASK_MAX_DIMENSIONS],
        start[RASK_MAX_DIMENSIONS], own[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < x->ndim; i++)
        start[i] = x->start[i] + x->at[i];
    for (uint32_t i = 0; i < leaf->ndim; i++) {
        runs[i] = rk_leaf_run(leaf, i, start, x->extent);
        count[i] = runs[i].count;
    }
    rk_dense_strides(leaf->ndim, count, l->size, own);
    for (uint32_t k = 0; k < pieces->count; k++) {
        const int64_t *box = pieces->boxes + 2 * (size_t)k * leaf->ndim;
        if (!piece_part(leaf, runs, box, first, last))
            continue;
        if (is_whole(leaf, runs, first, last)) {
            rk_dense_strides(leaf->ndim, box + leaf->ndim, l->size, own);
            map_strides(x, l, l->data[k], own, box);
            return RASK_OK;
        }
        copy_part(l, runs, box, l->data[k], first, last, own);
    }
    l->base = l->window;
    memset(l->strides, 0, sizeof l->strides);
    for (uint32_t i = 0; i < leaf->ndim; i++)
        if (leaf->map.from[i] >= 0)
            l->strides[leaf->map.from[i]] += own[i];
    return RASK_OK;
}

/* Elements along the row axis lie next to each other, those along the segmented axis do not. */
static bool lies_along_rows(const execution *x, const leaf_run *l)
{
    if (!x->q || x->striping.inner > 1 || l->leaf->kind == RK_LEAF_FILL)
        return false;
    int64_t row = l->strides[x->q - 1], segment = l->strides[x->q];
    return row == (int64_t)l->size && segment != (int64_t)l->size && segment;
}

static int load(execution *x)
{
    for (uint32_t k = 0; k < x->p->leaf_count; k++) {
        leaf_run *l = &x->leaves[k];
        const rk_leaf *leaf = l->leaf;
        int status = RASK_OK;
        if (leaf->kind == RK_LEAF_FILE) {
            status = map_file(x, l) ? RASK_OK : load_file(x, l);
        } else if (leaf->kind == RK_LEAF_CHUNKS) {
            status = load_chunks(x, l, &x->what->pieces[k]);
        } else if (leaf->kind != RK_LEAF_CONSTANT) {
            l->index = leaf->offset;
            for (uint32_t i = 0; i < x->ndim; i++)
                l->index += leaf->strides[i] * (x->start[i] + x->at[i]);
            l->base = leaf->kind == RK_LEAF_MEMORY ? (const char *)leaf->source->data + l->index : NULL;
        }
        if (status)
            return status;
        l->along_rows = lies_along_rows(x, l);
        l->batch_row = -1;
    }
    return RASK_OK;
}

/* -- Strips ------------------------------------------------------------------------------------------------- */

/* A strip's place in the macro block. */
typedef struct place {
    int64_t row, segment; /* from the macro block's start */
    int64_t width;        /* indices of the segmented axis */
    size_t length;        /* elements */
} place;

static int64_t distance(const execution *x, const leaf_run *l, const place *at)
{
    int64_t d = at->segment * x->striping.segment * l->strides[x->q];
    return x->q ? d + at->row * l->strides[x->q - 1] : d;
}

/* Elements of a FILL, which counts in elements. */
static void fill_strip(const execution *x, const leaf_run *l, const place *at, char *out)
{
    const rk_leaf *leaf = l->leaf;
    int64_t index = l->index + distance(x, l, at), count[RASK_MAX_DIMENSIONS], lines = 1;
    uint32_t n = x->ndim - x->q, last = x->ndim - 1;
    assert(n > 0);
    for (uint32_t i = 0; i < n; i++)
        count[i] = i ? x->count[x->q + i] : at->width;
    for (uint32_t i = 0; i + 1 < n; i++)
        lines *= count[i];
    int64_t walk[RASK_MAX_DIMENSIONS] = {0}, length = count[n - 1], step = l->strides[last];
    for (int64_t line = 0; line < lines; line++) {
        for (int64_t e = 0; e < (step == 1 ? 1 : length); e++, out += l->size)
            leaf->fill.function(leaf->fill.params, leaf->shape, leaf->ndim, index + e * step,
                                step == 1 ? (size_t)length : 1, out);
        out += step == 1 ? (length - 1) * (int64_t)l->size : 0;
        for (uint32_t i = n - 1; i-- > 0;) {
            index += l->strides[x->q + i];
            if (++walk[i] < count[i])
                break;
            index -= l->strides[x->q + i] * count[i];
            walk[i] = 0;
        }
    }
}

static bool is_contiguous(const execution *x, const leaf_run *l, const place *at)
{
    int64_t stride = (int64_t)l->size;
    for (uint32_t i = x->ndim; i-- > x->q;) {
        int64_t count = i > x->q ? x->count[i] : at->width;
        if (count != 1 && l->strides[i] != stride)
            return false;
        stride *= count;
    }
    return true;
}

/* Rows row … of one segment, gathered together: a strip every RK_STRIP elements of the batch. */
static const void *batch_strip(execution *x, leaf_run *l, const place *at)
{
    int64_t first = at->row / BATCH * BATCH;
    size_t room = (size_t)at->width * l->size;
    if (l->batch_row != first || l->batch_segment != at->segment) {
        place origin = {first, at->segment, at->width, at->length};
        int64_t rows = x->extent[x->q - 1] - first;
        rk_gather_2d((size_t)at->width, (size_t)(rows < BATCH ? rows : BATCH), l->size, l->batch,
                     l->base + distance(x, l, &origin), l->strides[x->q], l->strides[x->q - 1]);
        l->batch_row = first;
        l->batch_segment = at->segment;
    }
    return l->batch + (size_t)(at->row - first) * room;
}

/* A strip of a leaf's elements: in place when they lie there as they should, else in `into`. */
static const void *leaf_strip(execution *x, leaf_run *l, const place *at, void *into)
{
    if (l->leaf->kind == RK_LEAF_CONSTANT)
        return l->strip;
    if (l->leaf->kind == RK_LEAF_FILL) {
        fill_strip(x, l, at, into);
        return into;
    }
    if (l->along_rows)
        return batch_strip(x, l, at);
    const char *from = l->base + distance(x, l, at);
    if (is_contiguous(x, l, at) && !((uintptr_t)from % (l->size > 8 ? 8 : l->size)))
        return from;
    int64_t count[RASK_MAX_DIMENSIONS], to[RASK_MAX_DIMENSIONS];
    uint32_t n = x->ndim - x->q;
    for (uint32_t i = 0; i < n; i++)
        count[i] = i ? x->count[x->q + i] : at->width;
    rk_dense_strides(n, count, l->size, to);
    rk_copy_box(n, count, l->size, into, to, from, l->strides + x->q);
    return into;
}

static void run_instructions(const execution *x, size_t n, void *result)
{
    const rk_program *p = x->p;
    const void **r = x->registers;
    for (uint32_t k = 0; k < p->instruction_count; k++) {
        const rk_instruction *i = &p->instructions[k];
        void *out = result && k == p->instruction_count - 1 ? result : (void *)r[i->out];
        if (i->kind == RK_DO_BINARY)
            i->run.binary(n, out, r[i->a], r[i->b]);
        else if (i->kind == RK_DO_UNARY)
            i->run.unary(n, out, r[i->a]);
        else
            i->run.where(n, out, r[i->a], r[i->b], r[i->c]);
    }
}

/* The number of the macro block's first row over all axes before the segmented one. */
static int64_t first_row(const execution *x)
{
    int64_t row = 0;
    for (uint32_t i = 0; i < x->q; i++)
        row = row * x->count[i] + x->at[i];
    return row;
}

static void run_strip(execution *x, const place *at, int64_t row, int64_t segment)
{
    const rk_program *p = x->p;
    const rk_taker *taker = &x->what->taker;
    rk_strip_at where = {row + at->row, segment + at->segment, at->length};
    void *result = taker->place ? taker->place(taker->context, &where) : NULL;
    for (uint32_t k = 0; k < p->leaf_count; k++) {
        bool is_result = result && p->result == k;
        x->registers[k] = leaf_strip(x, &x->leaves[k], at, is_result ? result : x->leaves[k].strip);
    }
    run_instructions(x, at->length, result);
    const void *made = result && p->instruction_count ? result : x->registers[p->result];
    if (result && made != result)
        memcpy(result, made, at->length * p->register_size[p->result]);
    if (taker->take)
        taker->take(taker->context, &where, made);
}

/* All strips of the macro block. */
static void run_macro(execution *x)
{
    const rk_striping *s = &x->striping;
    int64_t rows = x->q ? x->extent[x->q - 1] : 1, width = x->extent[x->q];
    int64_t segments = (width + s->segment - 1) / s->segment, step = 1;
    int64_t row = first_row(x), segment = x->at[x->q] / s->segment;
    for (uint32_t k = 0; k < x->p->leaf_count; k++)
        step = x->leaves[k].along_rows && !x->what->ordered ? BATCH : step;
    for (int64_t first = 0; first < rows; first += step)
        for (int64_t g = 0; g < segments; g++)
            for (int64_t r = first; r < rows && r < first + step; r++) {
                int64_t left = width - g * s->segment;
                place at = {.row = r, .segment = g, .width = left < s->segment ? left : s->segment};
                at.length = (size_t)(at.width * s->inner);
                run_strip(x, &at, row, segment);
            }
}

/* -- Macro blocks ------------------------------------------------------------------------------------------- */

/* Sets extents; the last macro block of an axis is smaller. */
static void set_extent(execution *x)
{
    for (uint32_t i = 0; i < x->ndim; i++) {
        int64_t left = x->count[i] - x->at[i];
        int64_t most = i > x->q        ? x->count[i]
                       : i == x->q     ? x->macro_segments * x->striping.segment
                       : i + 1 == x->q ? x->macro_rows
                                       : 1;
        x->extent[i] = left < most ? left : most;
    }
}

/* To the next macro block: along the segmented axis, then rows, then the others. */
static bool next_macro(execution *x)
{
    for (uint32_t i = x->q + 1; i-- > 0;) {
        x->at[i] += x->extent[i];
        if (x->at[i] < x->count[i])
            return true;
        x->at[i] = 0;
    }
    return false;
}

static int run_macros(execution *x)
{
    do {
        set_extent(x);
        int status = load(x);
        if (status)
            return status;
        run_macro(x);
        if (rask_task_cancelled(x->task))
            return RASK_ECANCELLED;
    } while (next_macro(x));
    return RASK_OK;
}

static bool needs_window(const rk_leaf *leaf, const rk_pieces *pieces)
{
    return leaf->kind == RK_LEAF_FILE || (leaf->kind == RK_LEAF_CHUNKS && pieces->count > 1);
}

/* The leaf's own fastest axis is not the one that strips go along. */
static bool is_turned(const execution *x, const rk_leaf *leaf)
{
    if (leaf->kind != RK_LEAF_FILE || !x->q)
        return false;
    uint8_t order[RASK_MAX_DIMENSIONS];
    uint32_t n = file_order(leaf, x->ndim, order);
    return n && order[n - 1] < x->q;
}

/* Rows and segments of a macro block, such that windows fit the cache. */
static void choose_macro(execution *x)
{
    int64_t bytes = 0, row_segments = (x->count[x->q] + x->striping.segment - 1) / x->striping.segment;
    bool turned = false;
    for (uint32_t k = 0; k < x->p->leaf_count; k++) {
        const rk_leaf *leaf = x->leaves[k].leaf;
        if (!x->leaves[k].windowed)
            continue;
        bytes += (int64_t)x->leaves[k].size * (leaf->kind == RK_LEAF_FILE ? file_gap(leaf, x->ndim) : 1);
        turned |= is_turned(x, leaf) && !x->what->ordered;
    }
    int64_t elements = bytes ? (int64_t)x->p->window_bytes / bytes : MOST_ELEMENTS;
    int64_t strip = x->striping.segment * x->striping.inner;
    elements = elements < LEAST_ELEMENTS ? LEAST_ELEMENTS : elements;
    int64_t strips = elements / strip ? elements / strip : 1, rows = x->q ? x->count[x->q - 1] : 1;
    rows = rows < RK_TURNED_ROWS ? rows : RK_TURNED_ROWS;
    x->macro_segments = turned ? (strips / rows ? strips / rows : 1) : strips;
    x->macro_segments = x->macro_segments > row_segments ? row_segments : x->macro_segments;
    x->macro_rows = x->what->ordered && x->macro_segments < row_segments ? 1 : strips / x->macro_segments;
    if (x->q && x->macro_rows > x->count[x->q - 1])
        x->macro_rows = x->count[x->q - 1];
}

static size_t rounded(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

/* Bytes of a leaf's window, for the largest macro block. */
static size_t window_bytes(const execution *x, const leaf_run *l)
{
    if (!l->windowed)
        return 0;
    int64_t elements = x->macro_rows * x->macro_segments * x->striping.segment * x->striping.inner;
    int64_t gap = l->leaf->kind == RK_LEAF_FILE ? file_gap(l->leaf, x->ndim) : 1;
    return rounded((size_t)(elements * gap) * l->size);
}

/* One block of memory for windows, batches, strips and registers. */
static int alloc_memory(execution *x)
{
    const rk_program *p = x->p;
    size_t total = 0, batch = rounded(BATCH * STRIP_BYTES);
    for (uint32_t k = 0; k < p->leaf_count; k++)
        total += window_bytes(x, &x->leaves[k]) + (x->q ? batch : 0) + STRIP_BYTES;
    total += (p->register_count - p->leaf_count) * (size_t)STRIP_BYTES + 64;
    x->memory = rk_alloc(total);
    if (!x->memory)
        return rk_task_fail(x->task, RASK_ENOMEM, "no memory for %zu bytes of windows", total);
    char *at = (char *)rounded((size_t)(uintptr_t)x->memory);
    for (uint32_t k = 0; k < p->leaf_count; k++) {
        leaf_run *l = &x->leaves[k];
        l->window = at;
        l->batch = at += window_bytes(x, l);
        l->strip = at += x->q ? batch : 0;
        at += STRIP_BYTES;
    }
    for (uint32_t k = p->leaf_count; k < p->register_count; k++, at += STRIP_BYTES)
        x->registers[k] = at;
    return RASK_OK;
}

/* Constants stand in their strips for good. */
static void fill_constants(execution *x)
{
    for (uint32_t k = 0; k < x->p->leaf_count; k++) {
        const leaf_run *l = &x->leaves[k];
        for (size_t i = 0; i < RK_STRIP && l->leaf->kind == RK_LEAF_CONSTANT; i++)
            memcpy(l->strip + i * l->size, l->leaf->constant, l->size);
    }
}

/* Where the pieces of all chunk leaves are. */
static int find_pieces(execution *x, const void **data)
{
    for (uint32_t k = 0; k < x->p->leaf_count; k++) {
        leaf_run *l = &x->leaves[k];
        const rk_pieces *pieces = &x->what->pieces[k];
        if (l->leaf->kind != RK_LEAF_CHUNKS)
            continue;
        l->data = data;
        for (uint32_t i = 0; i < pieces->count; i++) {
            rask_block block;
            if (rask_arg_block(x->task, pieces->first + i, &block))
                return x->task->status;
            *data++ = block.data;
        }
    }
    return RASK_OK;
}

static int prepare(execution *x, const void **data)
{
    for (uint32_t k = 0; k < x->p->leaf_count; k++) {
        leaf_run *l = &x->leaves[k];
        l->leaf = &x->p->leaves[k];
        l->size = rask_dtype_size(l->leaf->dtype);
        l->windowed = needs_window(l->leaf, &x->what->pieces[k]);
        l->mappable = x->p->mapped_bytes && is_mappable(l->leaf, x->p->ndim);
        memcpy(l->strides, l->leaf->strides, sizeof l->strides);
    }
    choose_macro(x);
    int status = alloc_memory(x);
    if (!status)
        status = find_pieces(x, data);
    if (!status)
        fill_constants(x);
    return status;
}

static size_t count_pieces(const rk_program *p, const rk_pieces *pieces)
{
    size_t count = 0;
    for (uint32_t k = 0; k < p->leaf_count; k++)
        count += p->leaves[k].kind == RK_LEAF_CHUNKS ? pieces[k].count : 0;
    return count;
}

int rk_execute(rask_task *task, const rk_execution *what)
{
    const rk_program *p = what->program;
    execution x = {.task = task, .what = what, .p = p, .ndim = p->ndim ? p->ndim : 1};
    x.count[0] = 1;
    memcpy(x.count, what->count, p->ndim * sizeof *x.count);
    memcpy(x.start, what->start, p->ndim * sizeof *x.start);
    for (uint32_t i = 0; i < p->ndim; i++)
        if (!x.count[i])
            return RASK_OK;
    x.striping = what->striping ? *what->striping : rk_striping_of(x.count, x.ndim, 0);
    x.q = x.striping.segmented;
    x.leaves = rk_calloc(p->leaf_count, sizeof *x.leaves);
    x.registers = rk_calloc(p->register_count, sizeof *x.registers);
    const void **data = rk_alloc_array(count_pieces(p, what->pieces) + 1, sizeof *data);
    int status = x.leaves && x.registers && data ? prepare(&x, data)
                                                 : rk_task_fail(task, RASK_ENOMEM, "no memory to start with");
    if (!status)
        status = run_macros(&x);
    for (uint32_t k = 0; x.leaves && k < p->leaf_count; k++)
        rk_unmap(&x.leaves[k].mapped);
    rk_free(x.memory);
    rk_free((void *)data);
    rk_free((void *)x.registers);
    rk_free(x.leaves);
    return status;
}

bool rk_execute_turns(const rk_program *p)
{
    uint8_t order[RASK_MAX_DIMENSIONS];
    for (uint32_t k = 0; k < p->leaf_count; k++) {
        uint32_t n = p->leaves[k].kind == RK_LEAF_FILE ? file_order(&p->leaves[k], p->ndim, order) : 0;
        if (n && order[n - 1] + 1u < p->ndim)
            return true;
    }
    return false;
}

static uint32_t count_mappable(const rk_program *p)
{
    uint32_t files = 0;
    for (uint32_t k = 0; k < p->leaf_count; k++)
        files += is_mappable(&p->leaves[k], p->ndim);
    return files;
}

/* Mapped are at most as many bytes as a quarter of bytes, for each file alike. */
static uint64_t mapped_bytes(uint32_t files, uint64_t bytes)
{
    uint64_t all = bytes / 4 < ALL_MAPPED ? bytes / 4 : ALL_MAPPED, one = files ? all / files : 0;
    return one < LEAST_MAPPED ? 0 : one < MOST_MAPPED ? one : MOST_MAPPED;
}

void rk_execute_bound(rk_program *p, uint64_t bytes)
{
    uint64_t most = rk_execute_turns(p) ? TURNED_BYTES : WINDOWS_BYTES;
    p->bound = bytes;
    p->window_bytes = bytes < WINDOWS_BYTES ? WINDOWS_BYTES : bytes < most ? bytes : most;
    p->mapped_bytes = mapped_bytes(count_mappable(p), bytes);
}

uint64_t rk_execute_scratch(const rk_program *p)
{
    uint64_t bytes = 0, leaf = BATCH * STRIP_BYTES + STRIP_BYTES;
    bool files = false;
    for (uint32_t k = 0; k < p->leaf_count; k++) {
        const rk_leaf *l = &p->leaves[k];
        uint8_t order[RASK_MAX_DIMENSIONS];
        uint32_t n = l->kind == RK_LEAF_FILE ? file_order(l, p->ndim, order) : 0;
        uint64_t gap = n ? (uint64_t)file_gap(l, p->ndim) : 1;
        bytes += l->kind == RK_LEAF_FILE || l->kind == RK_LEAF_CHUNKS ? rask_dtype_size(l->dtype) * gap : 0;
        files |= n > 0;
    }
    uint64_t least = LEAST_ELEMENTS * bytes;
    return p->leaf_count * leaf + p->register_count * (uint64_t)STRIP_BYTES + (files ? RK_READ_SCRATCH : 0) +
           count_mappable(p) * p->mapped_bytes +
           (bytes ? p->window_bytes > least ? p->window_bytes : least : 0);
}
