/* Elements of one axis where a mask is true.
 *
 * How many there are decides the result's shape. So the mask is computed twice: while building, for the number of true
 * elements in each block of it, and when the result is computed, for where they are. Neither the mask nor the numbers
 * of its true elements are ever held as a whole, and blocks without a true element are not read again. */
#include "collections/array/cuts.h"
#include "collections/array/lowering.h"
#include "core/task/task.h"

#include <string.h>

static const char who[] = "rask_array_compress";

enum {
    MOST_BLOCKS = 1 << 20,
    BLOCK_BYTES = 1 << 20, /* of elements that a block of the mask stands for */
    COUNTED_AT_ONCE = 4 << 20,
    WORTH_A_GAP = 16 << 10, /* bytes between wanted elements that are jumped over */
};

/* -- Counting: an i64 for each block of the mask */

typedef struct count_params {
    int64_t block; /* elements of a block; the last may be shorter */
} count_params;

static int64_t count_true(const uint8_t *mask, int64_t n)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += mask[i];
    return count;
}

static int call_count(rask_task *task)
{
    const count_params *params = rk_task_params(task, sizeof *params);
    rask_block mask, block;
    rask_value value;
    if (!params || rask_arg_block(task, 1, &mask))
        return task->status;
    int64_t n = mask.shape[0], blocks = n / params->block + (n % params->block > 0);
    int status = rk_task_result(task, RASK_DT_I64, 1, &blocks, &block, &value);
    if (status)
        return status;
    for (int64_t i = 0; i < blocks; i++) {
        int64_t start = i * params->block, rest = n - start;
        ((int64_t *)block.data)[i] =
            count_true((const uint8_t *)mask.data + start, rest < params->block ? rest : params->block);
    }
    return rask_return_value(task, value);
}

static const rask_task_def count_def = {
    .size = sizeof(rask_task_def), .name = "count_true", .call = call_count, .flags = RASK_PURE};

static int lower_count(rk_lowering *l, rask_array *array, rk_chunks *chunks)
{
    const count_params *params = array->params;
    rask_array *mask = array->inputs[0];
    int64_t at_once = COUNTED_AT_ONCE / params->block, length = at_once > 0 ? at_once : 1;
    int status = rk_grid_regular(l, chunks, 1, array->shape, &length);
    for (int64_t i = 0; i < chunks->count[0] && !status; i++) {
        int64_t first = chunks->bounds[0][i], end = chunks->bounds[0][i + 1] * params->block;
        rk_region region = {.ndim = 1, .start = {first * params->block}};
        region.count[0] = (end < mask->shape[0] ? end : mask->shape[0]) - region.start[0];
        rask_node *elements = rk_lower_region(l, mask, &region);
        uint64_t bytes = (uint64_t)(chunks->bounds[0][i + 1] - first) * sizeof(int64_t);
        chunks->nodes[i] =
            elements ? rk_lower_call(l, &count_def, params, sizeof *params, &elements, 1, bytes, 0) : NULL;
        status = chunks->nodes[i] ? RASK_OK : rk_lowering_graph(l)->status;
    }
    return status;
}

static const rk_opaque count_opaque = {.name = "count_true", .lower = lower_count};

/* -- Selecting */

/* What an array is: the counts of its blocks follow. */
typedef struct compress_array {
    int64_t axis, block, blocks;
} compress_array;

typedef struct compress_params {
    int64_t dtype, ndim, axis;
    int64_t shape[RASK_MAX_DIMENSIONS]; /* of the result */
} compress_params;

/* Elements of known size: each is written, and the place counts on when it was wanted. Ends behind the last one. */
#define SELECT(bytes)                                                                                        \
    for (int64_t i = 0, k = 0; k < count; i++) {                                                             \
        memcpy(out + k * (bytes), in + i * (bytes), (bytes));                                                \
        k += mask[i];                                                                                        \
    }

static void select_elements(const uint8_t *mask, int64_t count, size_t size, const char *in, char *out)
{
    switch (size) {
    case 1: SELECT(1) break;
    case 2: SELECT(2) break;
    case 4: SELECT(4) break;
    case 8: SELECT(8) break;
    default: SELECT(16)
    }
}

static void select_rows(const uint8_t *mask, int64_t n, size_t row, const char *in, char *out)
{
    for (int64_t i = 0; i < n; i++, in += row)
        if (mask[i]) {
            memcpy(out, in, row);
            out += row;
        }
}

/* All of outer boxes of n rows. */
static void select_all(const compress_params *p, const uint8_t *mask, int64_t n, const char *in, char *out)
{
    uint32_t axis = (uint32_t)p->axis, ndim = (uint32_t)p->ndim;
    size_t size = rask_dtype_size((rask_dtype)p->dtype);
    int64_t outer = rk_shape_size(p->shape, axis), count = p->shape[axis];
    int64_t inner = rk_shape_size(p->shape + axis + 1, ndim - axis - 1);
    size_t row = (size_t)inner * size;
    for (int64_t o = 0; o < outer; o++, in += (size_t)n * row, out += (size_t)count * row) {
        if (inner == 1)
            select_elements(mask, count, size, in, out);
        else
            select_rows(mask, n, row, in, out);
    }
}

static int call_compress(rask_task *task)
{
    const compress_params *params = rk_task_params(task, sizeof *params);
    rask_block mask, input, block;
    rask_value value;
    if (!params || rask_arg_block(task, 1, &mask) || rask_arg_block(task, 2, &input))
        return task->status;
    int64_t n = mask.shape[0], count = params->shape[params->axis];
    if (input.ndim != params->ndim || input.shape[params->axis] != n ||
        input.dtype != (rask_dtype)params->dtype)
        return rk_task_fail(task, RASK_EINVAL, "the input is not as it was planned");
    if (count_true(mask.data, n) != count)
        return rk_task_fail(task, RASK_EINVAL, "the mask has changed: %lld elements are true that were %lld",
                            (long long)count_true(mask.data, n), (long long)count);
    int status = rk_task_result(task, input.dtype, (uint32_t)params->ndim, params->shape, &block, &value);
    if (status)
        return status;
    select_all(params, mask.data, n, input.data, block.data);
    return rask_return_value(task, value);
}

static const rask_task_def compress_def = {
    .size = sizeof(rask_task_def), .name = "compress", .call = call_compress, .flags = RASK_PURE};

/* A stretch of blocks whose true elements make one chunk of the result. */
typedef struct stretch {
    int64_t first, end; /* blocks */
} stretch;

/* Cuts the blocks such that a chunk comes from at most `most` of them, without those at its ends that are empty, and from
 * none on both sides of so many empty ones as `gap`. Returns how many chunks there are; bounds: one more. */
static int64_t find_stretches(const int64_t *counts, int64_t blocks, int64_t most, int64_t gap,
                              stretch *stretches, int64_t *bounds)
{
    int64_t n = 0;
    bounds[0] = 0;
    for (int64_t i = 0; i < blocks; i++) {
        if (!counts[i])
            continue;
        if (n && i + 1 - stretches[n - 1].first <= most && i - stretches[n - 1].end < gap) {
            stretches[n - 1].end = i + 1;
            bounds[n] += counts[i];
            continue;
        }
        stretches[n++] = (stretch){i, i + 1};
        bounds[n] = bounds[n - 1] + counts[i];
    }
    return n;
}

/* Lengths of boxes of the input that suit how it lies: long along the last axes, or whole chunks. along: elements of the
 * axis; 0: whatever suits. RASK_OK, or latched. */
static int input_lengths(rk_lowering *l, rask_array *array, uint64_t bytes, int64_t along, int64_t *lengths)
{
    const compress_array *c = array->params;
    rask_array *input = array->inputs[0];
    size_t element = rask_dtype_size(array->dtype);
    int64_t shape[RASK_MAX_DIMENSIONS];
    bool whole[RASK_MAX_DIMENSIONS] = {false};
    memcpy(shape, input->shape, sizeof shape);
    if (rk_array_is_chunked(input)) {
        rk_chunks grid;
        int status = rk_grid_of(l, input, &grid);
        for (uint32_t i = 0; i < input->ndim && !status; i++)
            shape[i] = rk_grid_longest(&grid, i);
        if (status)
            return status;
        rk_grid_multiply(bytes, element, input->ndim, input->shape, shape);
    }
    if (along) {
        shape[c->axis] = along;
        whole[c->axis] = true;
    }
    rk_grid_auto(bytes, element, array->ndim, shape, whole, lengths);
    return RASK_OK;
}

/* Empty blocks that are worth jumping over. */
static int64_t worthwhile_gap(const rask_array *array, const compress_array *c)
{
    double bytes = (double)rask_dtype_size(array->dtype) * (double)c->block;
    for (uint32_t i = (uint32_t)c->axis + 1; i < array->ndim; i++)
        bytes *= (double)array->shape[i];
    return bytes < WORTH_A_GAP ? (int64_t)(WORTH_A_GAP / bytes) : 1;
}

static rask_node *compress_chunk(rk_lowering *l, rask_array *array, const rk_region *chunk,
                                 const stretch *blocks)
{
    const compress_array *c = array->params;
    int64_t length = array->inputs[0]->shape[c->axis], end = blocks->end * c->block;
    compress_params params = {.dtype = array->dtype, .ndim = array->ndim, .axis = c->axis};
    rk_region mask = {.ndim = 1, .start = {blocks->first * c->block}}, region = *chunk;
    mask.count[0] = (end < length ? end : length) - mask.start[0];
    region.start[c->axis] = mask.start[0];
    region.count[c->axis] = mask.count[0];
    memcpy(params.shape, chunk->count, array->ndim * sizeof *params.shape);
    rask_node *nodes[2] = {rk_lower_region(l, array->inputs[1], &mask),
                           rk_lower_region(l, array->inputs[0], &region)};
    uint64_t bytes = (uint64_t)rk_shape_size(chunk->count, chunk->ndim) * rask_dtype_size(array->dtype);
    return nodes[0] && nodes[1] ? rk_lower_call(l, &compress_def, &params, sizeof params, nodes, 2, bytes, 0)
                                : NULL;
}

static int64_t longest_stretch(const stretch *stretches, int64_t n)
{
    int64_t longest = 1;
    for (int64_t i = 0; i < n; i++)
        if (stretches[i].end - stretches[i].first > longest)
            longest = stretches[i].end - stretches[i].first;
    return longest;
}

/* The grid: along the axis with a chunk for each stretch, regular across. */
static int make_grid(rk_lowering *l, rask_array *array, rk_chunks *chunks, stretch **stretches)
{
    const compress_array *c = array->params;
    const rask_array *input = array->inputs[0];
    int64_t lengths[RASK_MAX_DIMENSIONS];
    uint64_t bytes = rk_lowering_part_bytes(l, (uint64_t)rk_shape_size(input->shape, input->ndim) *
                                                   rask_dtype_size(array->dtype));
    int64_t *bounds = rk_lowering_memory(l, ((size_t)c->blocks + 1) * sizeof *bounds);
    *stretches = rk_lowering_memory(l, ((size_t)c->blocks + 1) * sizeof **stretches);
    if (!bounds || !*stretches)
        return RASK_ENOMEM;
    int status = input_lengths(l, array, bytes, 0, lengths);
    if (status)
        return status;
    int64_t count = find_stretches((const int64_t *)(const void *)(c + 1), c->blocks,
                                   lengths[c->axis] / c->block, worthwhile_gap(array, c), *stretches, bounds);
    status = input_lengths(l, array, bytes, longest_stretch(*stretches, count) * c->block, lengths);
    if (!status)
        status = rk_grid_regular(l, chunks, array->ndim, array->shape, lengths);
    if (status)
        return status;
    chunks->count[c->axis] = count;
    chunks->bounds[c->axis] = bounds;
    return rk_grid_bounded(l, chunks, array->ndim, chunks->count, chunks->bounds);
}

static int lower_compress(rk_lowering *l, rask_array *array, rk_chunks *chunks)
{
    const compress_array *c = array->params;
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, number = 0;
    rk_region region;
    stretch *stretches;
    int status = make_grid(l, array, chunks, &stretches);
    if (status)
        return status;
    do {
        rk_chunks_region(chunks, index, &region);
        chunks->nodes[number] = compress_chunk(l, array, &region, &stretches[index[c->axis]]);
        if (!chunks->nodes[number++])
            return rk_lowering_graph(l)->status;
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}

static const rk_opaque compress_opaque = {.name = "compress", .lower = lower_compress};

/* -- Builder */

/* Elements of a block: what is read for it is about BLOCK_BYTES. */
static int64_t block_length(const rask_array *a, uint32_t axis)
{
    double across = (double)rask_dtype_size(a->dtype), length;
    for (uint32_t i = 0; i < a->ndim; i++)
        across *= i == axis || !a->shape[i] ? 1 : (double)a->shape[i];
    length = BLOCK_BYTES / across;
    int64_t least = a->shape[axis] / MOST_BLOCKS + 1;
    return length > (double)least ? (int64_t)length : least;
}

/* Computes how many elements of each block are true. False, latched. */
static bool compute_counts(rask_array *mask, int64_t block, const rask_options *options, const char *file,
                           int line, rask_block *counts)
{
    count_params params = {block};
    int64_t blocks = mask->shape[0] / block + (mask->shape[0] % block > 0);
    rask_array *array = rk_array_opaque(mask->graph, &count_opaque, &params, sizeof params, RASK_DT_I64, 1,
                                        &blocks, &mask, 1, file, line);
    memset(counts, 0, sizeof *counts);
    if (!array)
        return false;
    int status = rask_array_compute(&array, 1, options, counts);
    if (status)
        rk_graph_fail(mask->graph, status, file, line, "%s: the mask cannot be computed: %s", who,
                      rask_graph_error(mask->graph));
    return !status;
}

/* The array, from counts. */
static rask_array *build(rask_array *a, rask_array *mask, uint32_t axis, int64_t block,
                         const rask_block *counts, const char *file, int line)
{
    size_t bytes = (size_t)counts->shape[0] * sizeof(int64_t);
    int64_t shape[RASK_MAX_DIMENSIONS];
    compress_array *c = rk_alloc(sizeof *c + bytes);
    if (!c) {
        rk_graph_fail(a->graph, RASK_ENOMEM, file, line, "%s: no memory for %lld counts", who,
                      (long long)counts->shape[0]);
        return NULL;
    }
    *c = (compress_array){axis, block, counts->shape[0]};
    memcpy(c + 1, counts->data, bytes);
    memcpy(shape, a->shape, sizeof shape);
    shape[axis] = 0;
    for (int64_t i = 0; i < c->blocks; i++)
        shape[axis] += ((const int64_t *)counts->data)[i];
    rask_array *inputs[2] = {a, mask}, *result;
    if (shape[axis] == a->shape[axis])
        result = a;
    else if (shape[axis])
        result = rk_array_opaque(a->graph, &compress_opaque, c, sizeof *c + bytes, a->dtype, a->ndim, shape,
                                 inputs, 2, file, line);
    else {
        rask_slice none[RASK_MAX_DIMENSIONS];
        for (uint32_t i = 0; i < axis; i++)
            none[i] = (rask_slice){RASK_SLICE_RANGE, RASK_DEFAULT, RASK_DEFAULT, RASK_DEFAULT};
        none[axis] = (rask_slice){RASK_SLICE_RANGE, 0, 0, 1};
        result = rask_array_slice_at(a, none, axis + 1, file, line);
    }
    rk_free(c);
    return result;
}

static bool check(rask_array *a, const rask_array *mask, int axis, const char *file, int line)
{
    char shape[RK_SHAPE_TEXT], other[RK_SHAPE_TEXT];
    bool alike = axis != RASK_ALL ||
                 (mask->ndim == a->ndim && !memcmp(mask->shape, a->shape, a->ndim * sizeof *a->shape));
    if (mask->dtype != RASK_DT_BOOL)
        rk_graph_fail(a->graph, RASK_ETYPE, file, line, "%s: the mask is %s, not bool", who,
                      rask_dtype_name(mask->dtype));
    else if (!alike)
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: a mask of shape %s for an array of shape %s",
                      who, rk_shape_text(mask->shape, mask->ndim, shape),
                      rk_shape_text(a->shape, a->ndim, other));
    else
        return true;
    return false;
}

static bool check_axis(rask_array *a, const rask_array *mask, uint32_t axis, const char *file, int line)
{
    char shape[RK_SHAPE_TEXT], other[RK_SHAPE_TEXT];
    if (mask->ndim == 1 && mask->shape[0] == a->shape[axis])
        return true;
    rk_graph_fail(
        a->graph, RASK_EINVAL, file, line, "%s: a mask of shape %s for axis %u of an array of shape %s", who,
        rk_shape_text(mask->shape, mask->ndim, shape), axis, rk_shape_text(a->shape, a->ndim, other));
    return false;
}

rask_array *rask_array_compress_at(rask_array *a, rask_array *mask, int axis, const rask_options *options,
                                   const char *file, int line)
{
    rask_block counts;
    if (!a || !mask || !check(a, mask, axis, file, line))
        return NULL;
    if (axis == RASK_ALL) {
        a = rask_array_ravel_at(a, file, line);
        mask = rask_array_ravel_at(mask, file, line);
        axis = 0;
    }
    int along = a && mask ? rk_axis(a, axis, who, file, line) : -1;
    if (along < 0 || !check_axis(a, mask, (uint32_t)along, file, line))
        return NULL;
    if (!a->shape[along])
        return a;
    int64_t block = block_length(a, (uint32_t)along);
    if (!compute_counts(mask, block, options, file, line, &counts))
        return NULL;
    rask_array *result = build(a, mask, (uint32_t)along, block, &counts, file, line);
    if (counts.release)
        counts.release(counts.owner);
    return result;
}
