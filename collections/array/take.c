/* Elements of one axis by number.
 *
 * Numbers that are at hand when the array is built (a short array in memory) are read then: wrong ones are errors at once,
 * evenly spaced ones make a slice, and only those parts of the input are read that hold a wanted element. They stay with
 * the array: a node for each stretch of them that chunks of the result have in common shows them to the tasks. Other
 * numbers are computed like any array, and the input is gone through cell by cell: a chain of calls each of which adds to
 * the result what its cell has of it, so that one cell of the input is in memory at a time. Of many cells each is gone to
 * once for all chunks of the result (take_outside.c, take_apart.c). */
#include "collections/array/take.h"
#include "collections/array/assemble.h"
#include "collections/array/cuts.h"
#include "collections/array/kernels/kernels.h"
#include "collections/array/lowering.h"
#include "collections/array/outside.h"
#include "collections/array/rechunk.h"
#include "collections/array/source.h"
#include "collections/array/take_tasks.h"
#include "core/base/array.h"
#include "core/task/task.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_KNOWN = 1 << 16,   /* numbers read while building */
    WORTH_A_GAP = 16 << 10, /* bytes between wanted elements that are read through rather than jumped over, */
    WORTH_A_CELL = 64 << 10,  /* and bytes that are computed rather than that a task is added */
    NEAR_CELL = 4 << 20,      /* bytes that caches have, for rows that are gathered from all over a cell */
    WORTH_ONE_PASS = 8 << 20, /* bytes that are copied otherwise */
};

/* -- Lowering */

/* Params of the arrays; known numbers follow. */
typedef struct take_array {
    int64_t axis;
    int64_t known; /* numbers; without inputs[1] then */
} take_array;

static const int64_t *known_numbers(const take_array *t)
{
    return (const int64_t *)(const void *)(t + 1);
}

/* Chunks of the result: along other axes as the input is cut, if it is. A chunk's numbers are no more than its size. */
static int make_grid(rk_lowering *l, rask_array *array, uint32_t axis, rk_chunks *chunks)
{
    size_t element = rask_dtype_size(array->dtype);
    uint64_t bytes = rk_lowering_part_bytes(l, (uint64_t)rk_shape_size(array->shape, array->ndim) * element);
    int64_t lengths[RASK_MAX_DIMENSIONS], shape[RASK_MAX_DIMENSIONS],
        most = (int64_t)(bytes / sizeof(int64_t));
    bool whole[RASK_MAX_DIMENSIONS] = {false};
    memcpy(shape, array->shape, sizeof shape);
    shape[axis] = shape[axis] < most ? shape[axis] : most;
    if (rk_array_is_chunked(array->inputs[0])) {
        rk_chunks input;
        int status = rk_grid_of(l, array->inputs[0], &input);
        for (uint32_t i = 0; i < array->ndim && !status; i++) {
            whole[i] = i != axis && input.count[i] > 1;
            shape[i] = whole[i] ? rk_grid_longest(&input, i) : shape[i];
        }
        if (status)
            return status;
    }
    rk_grid_auto(bytes, element, array->ndim, shape, whole, lengths);
    return rk_grid_regular(l, chunks, array->ndim, array->shape, lengths);
}

/* Bytes of one element of the axis in a chunk. */
static double bytes_across(const rask_array *array, const rk_chunks *chunks, uint32_t axis)
{
    double bytes = (double)rask_dtype_size(array->dtype);
    for (uint32_t i = 0; i < array->ndim; i++)
        bytes *= i == axis ? 1 : (double)rk_grid_longest(chunks, i);
    return bytes;
}

/* The most elements of the axis that a cell of so many bytes may have. */
static int64_t longest_cell(uint64_t bytes, double across)
{
    double most = (double)bytes / (across > 1 ? across : 1);
    return most < 1 ? 1 : most > 1e15 ? (int64_t)1e15 : (int64_t)most;
}

/* Cells of the input's axis as it is cut, or of the most elements that are good. RASK_OK, or latched. */
static int regular_cells(rk_lowering *l, rask_array *input, uint32_t axis, int64_t most, int64_t *count,
                         int64_t **bounds)
{
    rk_chunks grid;
    rk_cuts cuts;
    int64_t length = input->shape[axis];
    if (rk_array_is_chunked(input)) {
        int status = rk_grid_of(l, input, &grid);
        *count = grid.count[axis];
        *bounds = grid.bounds[axis];
        return status;
    }
    rk_cuts_init(&cuts, length, most, most);
    for (int64_t at = most; at < length && !cuts.failed; at += most)
        rk_cuts_wish(&cuts, at);
    return rk_cuts_fini(&cuts, l, count, bounds);
}

static rk_region cell_region(const rk_region *chunk, uint32_t axis, int64_t start, int64_t end)
{
    rk_region region = *chunk;
    region.start[axis] = start;
    region.count[axis] = end - start;
    return region;
}

static rk_take_params params_of(const rask_array *array, uint32_t axis, const rk_region *chunk)
{
    rk_take_params p = {.dtype = array->dtype,
                        .ndim = array->ndim,
                        .axis = axis,
                        .length = array->inputs[0]->shape[axis],
                        .position = chunk->start[axis]};
    memcpy(p.shape, chunk->count, array->ndim * sizeof *p.shape);
    return p;
}

static uint64_t bytes_of(const rask_array *array, const rk_region *region)
{
    return (uint64_t)rk_shape_size(region->count, region->ndim) * rask_dtype_size(array->dtype);
}

/* -- of known numbers: cells hold what is wanted */

typedef struct cell {
    int64_t start, end;
} cell;

static int compare_numbers(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Cells of an axis around the sorted numbers: short gaps are read through, and no cell is longer than most. Of an input in
 * chunks they end where chunks end. */
static size_t find_cells(const int64_t *sorted, int64_t n, int64_t gap, int64_t most, const rk_chunks *grid,
                         uint32_t axis, cell *cells)
{
    size_t count = 0;
    int64_t at = 0; /* chunk of grid */
    for (int64_t i = 0; i < n; i++) {
        cell *last = count ? &cells[count - 1] : NULL;
        bool same = last && sorted[i] - last->end <= gap && sorted[i] + 1 - last->start <= most;
        if (grid && sorted[i] >= grid->bounds[axis][at + 1]) {
            while (sorted[i] >= grid->bounds[axis][at + 1])
                at++;
            same = false;
        }
        if (same)
            last->end = sorted[i] + 1;
        else
            cells[count++] = (cell){sorted[i], sorted[i] + 1};
    }
    return count;
}

/* Elements of the axis between two wanted ones that belong to a cell, too. */
static int64_t worthwhile_gap(const rask_array *array, uint32_t axis, double across)
{
    const rask_array *input = array->inputs[0];
    bool jumps =
        input->kind == RK_FILL || (input->kind == RK_SOURCE && input->as.source->kind == RK_SOURCE_MEMORY);
    double inner = (double)rask_dtype_size(array->dtype), gap = WORTH_A_CELL / across;
    for (uint32_t i = axis + 1; i < array->ndim; i++)
        inner *= (double)array->shape[i];
    double read = jumps ? 0 : WORTH_A_GAP / inner;
    return (int64_t)(gap > read ? gap : read);
}

/* Work of one lowering of known numbers. */
typedef struct taking {
    rk_lowering *l;
    rask_array *array;
    uint32_t axis;
    const int64_t *numbers;
    rask_node *all; /* the numbers as a constant */
    rk_arena arena;
    cell *cells;
    int64_t *starts; /* of cells */
    size_t cell_count;
    const rk_chunks
        *moved;        /* the input in chunks with all of the axis, when it was worth it: the only cell */
    int64_t *wanted;   /* numbers of the stretch at hand, by cell */
    size_t *used;      /* cells that have some */
    size_t used_count; /* of them */
    int64_t *words;    /* room for a call's params: rk_take_params, starts */
    rask_node **nodes; /* of a call: the numbers of the stretch, then cells */
} taking;

/* What the chunks number `at` along the axis have in common. False, latched. */
static bool begin_stretch(taking *t, const rk_chunks *chunks, int64_t at)
{
    int64_t start = chunks->bounds[t->axis][at];
    rk_take_stretch params = {start, chunks->bounds[t->axis][at + 1] - start};
    memset(t->wanted, 0, t->cell_count * sizeof *t->wanted);
    for (int64_t i = 0; i < params.n; i++)
        t->wanted[rk_take_last_before(t->starts, t->cell_count, t->numbers[start + i])]++;
    t->used_count = 0;
    for (size_t i = 0; i < t->cell_count; i++)
        if (t->wanted[i])
            t->used[t->used_count++] = i;
    t->nodes[0] = rk_lower_call(t->l, &rk_take_index_def, &params, sizeof params, &t->all, 1,
                                (uint64_t)params.n * sizeof *t->numbers, 0);
    return t->nodes[0];
}

/* A call for a part of the result, from the stretch's numbers and count cells, the first of which is used[first]. */
static rask_node *call_known(taking *t, rk_take_kind kind, const rk_region *part, size_t first, size_t count,
                             rask_node *const *nodes)
{
    rk_take_params params = params_of(t->array, t->axis, part);
    size_t head = sizeof params / sizeof *t->words;
    params.kind = kind;
    params.cells = (int64_t)count;
    memcpy(t->words, &params, sizeof params);
    for (size_t i = 0; i < count; i++)
        t->words[head + i] = t->starts[t->used[first + i]];
    return rk_lower_call(t->l, &rk_take_def, t->words, (head + count) * sizeof *t->words, nodes, count + 1,
                         bytes_of(t->array, part), rk_take_scratch_bytes(kind, count));
}

static const rask_task_def move_def = RK_ASSEMBLE_DEF("rechunk");

/* The cells' nodes; their bytes. 0: latched. */
static uint64_t ask_for_cells(taking *t, const rk_region *chunk)
{
    uint64_t bytes = 1;
    for (size_t i = 0; i < t->used_count; i++) {
        const cell *c = &t->cells[t->used[i]];
        rk_region region = cell_region(chunk, t->axis, c->start, c->end);
        t->nodes[1 + i] = t->moved ? rk_chunks_take(t->l, &move_def, t->moved, t->array->dtype, &region)
                                   : rk_lower_region(t->l, t->array->inputs[0], &region);
        bytes += bytes_of(t->array, &region);
        if (!t->nodes[1 + i])
            return 0;
    }
    return bytes;
}

/* Each cell is cut down to what is wanted of it, by a call of its own, when all of them would be too much at once. */
static rask_node *take_chunk(taking *t, const rk_region *chunk)
{
    uint64_t bytes = ask_for_cells(t, chunk);
    if (!bytes)
        return NULL;
    if (bytes <= 2 * rk_lowering_chunk_bytes(t->l) || t->used_count == 1)
        return call_known(t, RK_TAKE_CELLS, chunk, 0, t->used_count, t->nodes);
    for (size_t i = 0; i < t->used_count; i++) {
        rk_region part = *chunk;
        rask_node *both[2] = {t->nodes[0], t->nodes[1 + i]};
        part.count[t->axis] = t->wanted[t->used[i]];
        t->nodes[1 + i] = call_known(t, RK_TAKE_PART, &part, i, 1, both);
        if (!t->nodes[1 + i])
            return NULL;
    }
    return call_known(t, RK_TAKE_PARTS, chunk, 0, t->used_count, t->nodes);
}

/* Stretch by stretch: what a stretch takes to find out is found out once. */
static int take_chunks(taking *t, rk_chunks *chunks)
{
    int64_t count[RASK_MAX_DIMENSIONS];
    memcpy(count, chunks->count, sizeof count);
    count[t->axis] = 1;
    for (int64_t at = 0; at < chunks->count[t->axis]; at++) {
        int64_t index[RASK_MAX_DIMENSIONS] = {0};
        if (!begin_stretch(t, chunks, at))
            return rk_lowering_failure(t->l);
        do {
            rk_region region;
            int64_t number = 0;
            index[t->axis] = at;
            for (uint32_t i = 0; i < chunks->ndim; i++)
                number = number * chunks->count[i] + index[i];
            rk_chunks_region(chunks, index, &region);
            chunks->nodes[number] = take_chunk(t, &region);
            if (!chunks->nodes[number])
                return rk_lowering_failure(t->l);
            index[t->axis] = 0;
        } while (rk_index_next(index, count, chunks->ndim));
    }
    return RASK_OK;
}

/* Room for all n numbers in cells of their own. */
static bool make_room(taking *t, size_t n)
{
    t->cells = rk_arena_alloc(&t->arena, n * sizeof *t->cells);
    t->starts = rk_arena_alloc(&t->arena, n * sizeof *t->starts);
    t->wanted = rk_arena_alloc(&t->arena, n * sizeof *t->wanted);
    t->used = rk_arena_alloc(&t->arena, n * sizeof *t->used);
    t->words = rk_arena_alloc(&t->arena, sizeof(rk_take_params) + n * sizeof *t->words);
    t->nodes = (rask_node **)rk_arena_alloc(&t->arena, (n + 1) * sizeof *t->nodes);
    return t->cells && t->starts && t->wanted && t->used && t->words && t->nodes;
}

/* Sets the cells. grid: the input's, or NULL. */
static void cut_cells(taking *t, size_t n, const rk_chunks *chunks, const rk_chunks *grid)
{
    double across = bytes_across(t->array, chunks, t->axis);
    int64_t *sorted = t->wanted;
    memcpy(sorted, t->numbers, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_numbers);
    t->cell_count = find_cells(sorted, (int64_t)n, worthwhile_gap(t->array, t->axis, across),
                               longest_cell(rk_lowering_chunk_bytes(t->l), across), grid, t->axis, t->cells);
    for (size_t i = 0; i < t->cell_count; i++)
        t->starts[i] = t->cells[i].start;
}

/* Each of several stretches would need more of the input's chunks than fit, and one line of it does. */
static bool is_scattered(const taking *t, const rk_chunks *chunks)
{
    double across = bytes_across(t->array, chunks, t->axis), wanted = 0,
           most = (double)rk_lowering_chunk_bytes(t->l);
    double line = (double)t->array->inputs[0]->shape[t->axis] * (double)rask_dtype_size(t->array->dtype);
    for (size_t i = 0; i < t->cell_count; i++)
        wanted += (double)(t->cells[i].end - t->cells[i].start) * across;
    return chunks->count[t->axis] > 1 && t->cell_count > 1 && wanted > 2 * most && line <= most;
}

/* Moves the input's elements to chunks that have all of the axis, and cuts the result likewise. RASK_OK, or latched. */
static int move_input(taking *t, rk_chunks *chunks, rk_chunks *moved)
{
    rask_array *input = t->array->inputs[0];
    size_t element = rask_dtype_size(t->array->dtype);
    uint64_t bytes =
        rk_lowering_part_bytes(t->l, (uint64_t)rk_shape_size(input->shape, input->ndim) * element);
    int64_t lengths[RASK_MAX_DIMENSIONS], shape[RASK_MAX_DIMENSIONS];
    int64_t most = (int64_t)(rk_lowering_chunk_bytes(t->l) / sizeof(int64_t));
    bool whole[RASK_MAX_DIMENSIONS] = {false};
    whole[t->axis] = true;
    rk_grid_auto(bytes, element, input->ndim, input->shape, whole, lengths);
    int status = rk_rechunk_lower(t->l, input, lengths, moved);
    for (uint32_t i = 0; i < input->ndim; i++)
        shape[i] = lengths[i];
    shape[t->axis] = t->array->shape[t->axis] < most ? t->array->shape[t->axis] : most;
    for (uint32_t i = 0; i < input->ndim; i++)
        whole[i] = i != t->axis;
    rk_grid_auto(bytes, element, input->ndim, shape, whole, lengths);
    if (!status)
        status = rk_grid_regular(t->l, chunks, input->ndim, t->array->shape, lengths);
    t->moved = moved;
    t->cell_count = 1;
    t->cells[0] = (cell){0, input->shape[t->axis]};
    t->starts[0] = 0;
    return status;
}

static int lower_known(rk_lowering *l, rask_array *array, rk_chunks *chunks)
{
    const take_array *params = array->params;
    size_t n = (size_t)params->known;
    taking t = {.l = l, .array = array, .axis = (uint32_t)params->axis, .numbers = known_numbers(params)};
    rk_chunks grid, moved;
    bool chunked = rk_array_is_chunked(array->inputs[0]);
    int status = make_grid(l, array, t.axis, chunks);
    if (!status && chunked)
        status = rk_grid_of(l, array->inputs[0], &grid);
    if (!status && !(t.all = rk_take_numbers(l, t.numbers, params->known)))
        status = rk_lowering_failure(l);
    if (!status && !make_room(&t, n))
        status = rk_lowering_fail(l, RASK_ENOMEM, "take: no memory for its numbers");
    if (!status) {
        cut_cells(&t, n, chunks, chunked ? &grid : NULL);
        if (chunked && is_scattered(&t, chunks))
            status = move_input(&t, chunks, &moved);
    }
    if (!status)
        status = take_chunks(&t, chunks);
    rk_arena_fini(&t.arena);
    return status;
}

/* -- of computed numbers */

static rask_node *chain(const rk_taken *t, const rk_region *chunk)
{
    rk_region numbers = {.ndim = 1, .start = {chunk->start[t->axis]}, .count = {chunk->count[t->axis]}};
    rask_node *args[3] = {rk_lower_region(t->l, t->array->inputs[1], &numbers)}, *result = NULL;
    rk_take_params params = params_of(t->array, t->axis, chunk);
    params.cells = t->cells;
    for (int64_t i = 0; i < t->cells && args[0]; i++) {
        rk_region region = cell_region(chunk, t->axis, t->bounds[i], t->bounds[i + 1]);
        params.first = t->bounds[i];
        args[1] = rk_lower_region(t->l, t->array->inputs[0], &region);
        args[2] = result;
        result = args[1] ? rk_lower_call(t->l, &rk_take_computed_def, &params, sizeof params, args, i ? 3 : 2,
                                         bytes_of(t->array, chunk),
                                         (uint64_t)chunk->count[t->axis] * sizeof(int64_t))
                         : NULL;
        if (!result)
            return NULL;
    }
    return result;
}

static int chain_all(const rk_taken *t, rk_chunks *chunks)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, number = 0;
    rk_region region;
    do {
        rk_chunks_region(chunks, index, &region);
        chunks->nodes[number] = chain(t, &region);
        if (!chunks->nodes[number++])
            return rk_lowering_failure(t->l);
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}

/* The cells are many enough that each is better gone to once for all chunks. */
static bool is_far_apart(const rk_taken *t)
{
    double copied = (double)rk_shape_size(t->array->shape, t->array->ndim) *
                    (double)rask_dtype_size(t->array->dtype) * (double)t->cells;
    if (t->cells <= RK_TAKE_FEW_CELLS || copied < WORTH_ONE_PASS)
        return false;
    for (int64_t i = 0; i < t->cells; i++)
        if (t->bounds[i + 1] - t->bounds[i] > UINT32_MAX)
            return false;
    return true;
}

static int lower_computed(rk_lowering *l, rask_array *array, rk_chunks *chunks)
{
    rk_taken t = {.l = l, .array = array, .axis = (uint32_t)((const take_array *)array->params)->axis};
    uint64_t most = rk_lowering_chunk_bytes(l), near = most < NEAR_CELL ? most : NEAR_CELL;
    int status = make_grid(l, array, t.axis, chunks);
    double across = status ? 0 : bytes_across(array, chunks, t.axis);
    if (!status)
        status = regular_cells(l, array->inputs[0], t.axis, longest_cell(near, across), &t.cells, &t.bounds);
    bool far = !status && is_far_apart(&t);
    if (far && rk_outside_is_possible(l))
        return rk_take_outside(&t, chunks);
    if (!status)
        status = regular_cells(l, array->inputs[0], t.axis, longest_cell(most, across), &t.cells, &t.bounds);
    if (status)
        return status;
    return far ? rk_take_apart(&t, chunks) : chain_all(&t, chunks);
}

static const rk_opaque take_known_opaque = {.name = "take", .lower = lower_known};
static const rk_opaque take_computed_opaque = {.name = "take", .lower = lower_computed};

/* -- Builder */

static const char who[] = "rask_array_take";

/* A number of a short array in memory, or of one that is computed from the index (arange). */
static int64_t number_at(const rask_array *indices, int64_t i)
{
    uint64_t element[2];
    int64_t number;
    const void *from = element;
    if (indices->kind == RK_FILL)
        indices->as.fill->function(indices->as.fill->params, indices->shape, 1, i, 1, element);
    else
        from = (const char *)indices->as.source->data + i * indices->as.source->strides[0];
    if (indices->dtype == RASK_DT_I64)
        memcpy(&number, from, sizeof number);
    else
        rk_cast_find(indices->dtype, RASK_DT_I64)(1, &number, from);
    return number;
}

/* The params of a take of numbers that are at hand: from 0 on. In new memory for rk_free(); NULL, latched. */
static take_array *read_numbers(rask_array *a, const rask_array *indices, uint32_t axis, const char *file,
                                int line)
{
    int64_t n = indices->shape[0], length = a->shape[axis];
    take_array *t = rk_alloc(sizeof *t + (size_t)n * sizeof(int64_t));
    if (!t) {
        rk_graph_fail(a->graph, RASK_ENOMEM, file, line, "%s: no memory for %lld numbers", who, (long long)n);
        return NULL;
    }
    *t = (take_array){axis, n};
    int64_t *numbers = (int64_t *)(void *)(t + 1);
    for (int64_t i = 0; i < n; i++) {
        int64_t number = number_at(indices, i);
        numbers[i] = number + (number < 0 ? length : 0);
        if (numbers[i] < 0 || numbers[i] >= length || (number < 0 && indices->dtype == RASK_DT_U64)) {
            rk_graph_fail(a->graph, RASK_ERANGE, file, line,
                          "%s: index %lld, at place %lld, is out of bounds for axis %u of %lld elements", who,
                          (long long)number, (long long)i, axis, (long long)length);
            rk_free(t);
            return NULL;
        }
    }
    return t;
}

static rask_array *slice_axis(rask_array *a, uint32_t axis, rask_slice slice, const char *file, int line)
{
    rask_slice slices[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < axis; i++)
        slices[i] = (rask_slice){RASK_SLICE_RANGE, RASK_DEFAULT, RASK_DEFAULT, RASK_DEFAULT};
    slices[axis] = slice;
    return rask_array_slice_at(a, slices, axis + 1, file, line);
}

/* The slice that has these numbers. */
static bool as_slice(const take_array *t, rask_slice *slice)
{
    const int64_t *numbers = known_numbers(t);
    int64_t step = t->known > 1 ? numbers[1] - numbers[0] : 1, stop;
    if (!t->known || !step)
        return false;
    for (int64_t i = 1; i < t->known; i++)
        if (numbers[i] - numbers[i - 1] != step)
            return false;
    stop = numbers[t->known - 1] + (step > 0 ? 1 : -1);
    *slice = (rask_slice){RASK_SLICE_RANGE, numbers[0], stop < 0 ? RASK_DEFAULT : stop, step};
    return true;
}

static rask_array *take_known(rask_array *a, const rask_array *indices, uint32_t axis, const int64_t *shape,
                              const char *file, int line)
{
    take_array *t = read_numbers(a, indices, axis, file, line);
    rask_array *result;
    rask_slice slice;
    if (!t)
        return NULL;
    if (as_slice(t, &slice))
        result = slice_axis(a, axis, slice, file, line);
    else
        result =
            rk_array_opaque(a->graph, &take_known_opaque, t, sizeof *t + (size_t)t->known * sizeof(int64_t),
                            a->dtype, a->ndim, shape, &a, 1, file, line);
    rk_free(t);
    return result;
}

/* As i64; unsigned numbers too large for that stay out of bounds. */
static rask_array *as_i64(rask_array *indices, const char *file, int line)
{
    if (indices->dtype == RASK_DT_U64)
        indices = rask_array_binary_at(
            RASK_BINARY_MINIMUM, (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = indices},
            (rask_operand){.kind = RASK_OPERAND_I64, .as.i64 = INT64_MAX}, file, line);
    return indices ? rk_array_cast(indices, RASK_DT_I64, file, line) : NULL;
}

static bool is_known(const rask_array *indices)
{
    bool at_hand = indices->kind == RK_FILL ||
                   (indices->kind == RK_SOURCE && indices->as.source->kind == RK_SOURCE_MEMORY);
    return at_hand && indices->shape[0] <= MOST_KNOWN;
}

static bool check(rask_array *a, const rask_array *indices, const char *file, int line)
{
    char text[RK_SHAPE_TEXT];
    if (!rk_dtype_is_integer(indices->dtype))
        rk_graph_fail(a->graph, RASK_ETYPE, file, line, "%s: indices are %s, not integers%s", who,
                      rask_dtype_name(indices->dtype),
                      indices->dtype == RASK_DT_BOOL ? ": rask_array_compress() takes a mask" : "");
    else if (indices->ndim != 1)
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: indices of shape %s: one axis is needed", who,
                      rk_shape_text(indices->shape, indices->ndim, text));
    else
        return true;
    return false;
}

/* The axis of its input that is the axis of a, which only turns it; -1: a does anything else. */
static int axis_of_turned(const rask_array *a, uint32_t axis)
{
    const rk_view *v = a->as.view;
    int found = -1;
    if (a->kind != RK_VIEW || a->inputs[0]->ndim != a->ndim)
        return -1;
    for (uint32_t i = 0; i < a->ndim; i++) {
        int from = v->from[i];
        if (from < 0 || v->start[i] || v->step[i] != 1 || a->shape[from] != a->inputs[0]->shape[i])
            return -1;
        found = from == (int)axis ? (int)i : found;
    }
    return found;
}

static rask_array *take_along(rask_array *a, rask_array *indices, uint32_t axis, const char *file, int line)
{
    int64_t shape[RASK_MAX_DIMENSIONS];
    memcpy(shape, a->shape, sizeof shape);
    shape[axis] = indices->shape[0];
    if (is_known(indices))
        return take_known(a, indices, axis, shape, file, line);
    rask_array *inputs[2] = {a, as_i64(indices, file, line)};
    take_array params = {axis, 0};
    if (!inputs[1])
        return NULL;
    return rk_array_opaque(a->graph, &take_computed_opaque, &params, sizeof params, a->dtype, a->ndim, shape,
                           inputs, 2, file, line);
}

/* What is taken of a turned array is taken of it as it lies, and turned. */
static rask_array *take_turned(rask_array *a, rask_array *indices, uint32_t axis, uint32_t within,
                               const char *file, int line)
{
    int64_t shape[RASK_MAX_DIMENSIONS];
    rask_array *taken = take_along(a->inputs[0], indices, within, file, line);
    memcpy(shape, a->shape, sizeof shape);
    shape[axis] = indices->shape[0];
    return taken ? rk_array_view(taken, a->as.view, a->ndim, shape, file, line) : NULL;
}

rask_array *rask_array_take_at(rask_array *a, rask_array *indices, int axis, const char *file, int line)
{
    if (!a || !indices)
        return NULL;
    if (axis == RASK_ALL) {
        a = rask_array_ravel_at(a, file, line);
        axis = 0;
    }
    int along = a ? rk_axis(a, axis, who, file, line) : -1;
    if (along < 0 || !check(a, indices, file, line))
        return NULL;
    if (!indices->shape[0])
        return slice_axis(a, (uint32_t)along, (rask_slice){RASK_SLICE_RANGE, 0, 0, 1}, file, line);
    int within = axis_of_turned(a, (uint32_t)along);
    return within < 0 ? take_along(a, indices, (uint32_t)along, file, line)
                      : take_turned(a, indices, (uint32_t)along, (uint32_t)within, file, line);
}
