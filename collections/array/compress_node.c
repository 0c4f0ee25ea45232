/* Elements where a mask is true, as a node: its value may have any length, so that nothing has to be known of the mask
 * before. Pieces of both are read together, each gives the elements it has, and one task puts them together. */
#include "collections/array/computation.h"
#include "collections/array/lowering.h"
#include "core/task/task.h"

#include <string.h>

static const char who[] = "rask_array_compress_node";

enum {
    PIECE_BYTES = 4 << 20, /* of elements, at most */
    SHARE = 8,             /* of the budget is set aside for what all pieces give, at most */
};

/* (params, elements, mask): the elements that are chosen. */
static int call_choose(rask_task *task)
{
    rask_block elements, mask, out;
    rask_value value;
    if (rask_arg_block(task, 1, &elements) || rask_arg_block(task, 2, &mask))
        return task->status;
    const uint8_t *chosen = mask.data;
    size_t size = rask_dtype_size(elements.dtype);
    int64_t n = elements.shape[0], count = 0;
    for (int64_t i = 0; i < n; i++)
        count += chosen[i];
    if (rk_task_result(task, elements.dtype, 1, &count, &out, &value))
        return task->status;
    for (int64_t i = 0, at = 0; i < n; i++)
        if (chosen[i])
            memcpy((char *)out.data + (size_t)at++ * size, (const char *)elements.data + (size_t)i * size,
                   size);
    return rask_return_value(task, value);
}

/* (params, pieces…): one block. */
static int call_join(rask_task *task)
{
    rask_block piece = {.dtype = RASK_DT_BOOL}, out;
    rask_value value;
    int64_t total = 0;
    size_t at = 0, count = rask_arg_count(task);
    for (size_t i = 1; i < count; i++, total += piece.shape[0])
        if (rask_arg_block(task, i, &piece))
            return task->status;
    if (rk_task_result(task, piece.dtype, 1, &total, &out, &value))
        return task->status;
    for (size_t i = 1; i < count; i++) {
        rask_arg_block(task, i, &piece);
        size_t bytes = (size_t)piece.shape[0] * rask_dtype_size(piece.dtype);
        memcpy((char *)out.data + at, piece.data, bytes);
        at += bytes;
    }
    return rask_return_value(task, value);
}

static const rask_task_def choose_def = {
    .size = sizeof choose_def, .name = "compress", .call = call_choose, .flags = RASK_PURE};
static const rask_task_def join_def = {
    .size = sizeof join_def, .name = "compress join", .call = call_join, .flags = RASK_PURE};

static rask_node *lower_piece(rk_lowering *l, rask_array *a, rask_array *mask, const rk_region *region)
{
    rask_node *nodes[2] = {rk_lower_region(l, a, region), NULL};
    nodes[1] = nodes[0] ? rk_lower_region(l, mask, region) : NULL;
    uint64_t bytes = (uint64_t)region->count[0] * rask_dtype_size(a->dtype);
    return nodes[1] ? rk_lower_call(l, &choose_def, "", 0, nodes, 2, bytes, 0) : NULL;
}

/* a and mask have one axis. */
static rask_node *lower(rk_lowering *l, rask_array *a, rask_array *mask)
{
    uint64_t size = rask_dtype_size(a->dtype), most = rk_lowering_chunk_bytes(l) / 2,
             share = rk_lowering_budget(l) / SHARE;
    int64_t n = a->shape[0], length = (int64_t)((most < PIECE_BYTES ? most : PIECE_BYTES) / size);
    size_t count = n ? (size_t)((n - 1) / length + 1) : 1;
    rask_node **pieces = rk_lowering_memory(l, count * sizeof *pieces);
    for (size_t i = 0; pieces && i < count; i++) {
        rk_region region = {.ndim = 1, .start = {(int64_t)i * length}};
        region.count[0] = n - region.start[0] < length ? n - region.start[0] : length;
        if (!(pieces[i] = lower_piece(l, a, mask, &region)))
            return NULL;
    }
    uint64_t bytes = (uint64_t)n * size;
    return pieces ? rk_lower_call(l, &join_def, "", 0, pieces, count, bytes < share ? bytes : share, 0)
                  : NULL;
}

static bool check(const rask_array *a, const rask_array *mask, const char *file, int line)
{
    char shape[RK_SHAPE_TEXT], other[RK_SHAPE_TEXT];
    if (mask->dtype != RASK_DT_BOOL)
        rk_graph_fail(a->graph, RASK_ETYPE, file, line, "%s: the mask is %s, not bool", who,
                      rask_dtype_name(mask->dtype));
    else if (mask->ndim != a->ndim || memcmp(mask->shape, a->shape, a->ndim * sizeof *a->shape) != 0)
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: a mask of shape %s for an array of shape %s",
                      who, rk_shape_text(mask->shape, mask->ndim, shape),
                      rk_shape_text(a->shape, a->ndim, other));
    return !a->graph->status;
}

rask_node *rask_array_compress_node_at(rask_array *a, rask_array *mask, const rask_options *options,
                                       const char *file, int line)
{
    if (!a || !mask || !check(a, mask, file, line))
        return NULL;
    rask_graph *graph = a->graph;
    a = rask_array_ravel_at(a, file, line);
    mask = rask_array_ravel_at(mask, file, line);
    if (!a || !mask)
        return NULL;
    rk_lowering *l = rk_lowering_for_nodes(graph, options, who, file, line);
    if (!l)
        return NULL;
    rask_node *node = lower(l, a, mask);
    rk_lowering_free(l);
    return node;
}
