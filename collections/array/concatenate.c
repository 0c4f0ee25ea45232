/* Arrays put side by side: concatenate, stack, block. */
#include "collections/array/axes.h"

#include <string.h>

static const rask_task_def concatenate_def = RK_ASSEMBLE_DEF("concatenate");
static const rk_opaque concatenate_opaque = {.name = "concatenate", .lower = rk_axes_lower};

/* The graph to report to: that of the first array. NULL: some array is NULL, which has been reported. */
static rask_graph *graph_of(rask_array *const *arrays, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!arrays || !arrays[i])
            return NULL;
    return count ? arrays[0]->graph : NULL;
}

static int not_alike(rask_array *const *arrays, uint32_t i, uint32_t axis, const char *who, const char *file,
                     int line)
{
    char first[RK_SHAPE_TEXT], other[RK_SHAPE_TEXT];
    rk_shape_text(arrays[0]->shape, arrays[0]->ndim, first);
    rk_shape_text(arrays[i]->shape, arrays[i]->ndim, other);
    if (arrays[0]->ndim != arrays[i]->ndim)
        rk_graph_fail(arrays[0]->graph, RASK_EINVAL, file, line,
                      "%s: array 0 has shape %s and array %u has %s: not as many axes", who, first, i, other);
    else
        rk_graph_fail(arrays[0]->graph, RASK_EINVAL, file, line,
                      "%s: array 0 has shape %s and array %u has %s: they may differ along axis %u only", who,
                      first, i, other, axis);
    return RASK_EINVAL;
}

/* Shape and dtype of all together. */
static int measure(rask_array *const *arrays, uint32_t count, uint32_t axis, const char *who,
                   const char *file, int line, int64_t *shape, rask_dtype *dtype)
{
    int64_t length = 0;
    *dtype = arrays[0]->dtype;
    memcpy(shape, arrays[0]->shape, arrays[0]->ndim * sizeof *shape);
    for (uint32_t i = 0; i < count; i++) {
        if (arrays[i]->ndim != arrays[0]->ndim)
            return not_alike(arrays, i, axis, who, file, line);
        for (uint32_t k = 0; k < arrays[0]->ndim; k++)
            if (k != axis && arrays[i]->shape[k] != shape[k])
                return not_alike(arrays, i, axis, who, file, line);
        *dtype = rask_dtype_promote(*dtype, arrays[i]->dtype);
        if (__builtin_add_overflow(length, arrays[i]->shape[axis], &length)) {
            rk_graph_fail(arrays[0]->graph, RASK_ELIMIT, file, line, "%s: too long together", who);
            return RASK_ELIMIT;
        }
    }
    shape[axis] = length;
    return RASK_OK;
}

static rask_array *join(rask_array *const *arrays, uint32_t count, uint32_t axis, const char *who,
                        const char *file, int line)
{
    rask_graph *graph = arrays[0]->graph;
    int64_t shape[RASK_MAX_DIMENSIONS];
    rask_dtype dtype;
    if (measure(arrays, count, axis, who, file, line, shape, &dtype))
        return NULL;
    if (count == 1)
        return arrays[0];
    rk_axes axes = {.def = &concatenate_def};
    for (uint32_t i = 0; i < arrays[0]->ndim; i++)
        axes.maps[i] = (rk_axis_map){.kind = RK_AXIS_CONSTANT, .length = shape[i]};
    axes.maps[axis] = (rk_axis_map){.kind = RK_AXIS_JOINED, .joint_count = count};
    rask_array **cast = rk_alloc_array(count, sizeof *cast);
    if (!cast) {
        rk_graph_fail(graph, RASK_ENOMEM, file, line, "%s: no memory for %u arrays", who, count);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++)
        cast[i] = rk_array_cast(arrays[i], dtype, file, line);
    rask_array *joined = rk_array_opaque(graph, &concatenate_opaque, &axes, sizeof axes, dtype,
                                         arrays[0]->ndim, shape, cast, count, file, line);
    rk_free(cast);
    return joined;
}

rask_array *rask_array_concatenate_at(rask_array *const *arrays, uint32_t count, int axis, const char *file,
                                      int line)
{
    static const char who[] = "rask_array_concatenate";
    rask_graph *graph = graph_of(arrays, count);
    if (!graph)
        return NULL;
    if (!arrays[0]->ndim) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: arrays without axes cannot be joined: stack them",
                      who);
        return NULL;
    }
    int along = rk_axis(arrays[0], axis, who, file, line);
    return along < 0 ? NULL : join(arrays, count, (uint32_t)along, who, file, line);
}

/* Each array with a new axis, in a new array for rk_free(); NULL, latched. */
static rask_array **expanded(rask_array *const *arrays, uint32_t count, int axis, const char *file, int line)
{
    rask_array **all = rk_alloc_array(count, sizeof *all);
    if (!all)
        rk_graph_fail(arrays[0]->graph, RASK_ENOMEM, file, line, "rask_array_stack: no memory for %u arrays",
                      count);
    for (uint32_t i = 0; all && i < count; i++)
        all[i] = rask_array_expand_dims_at(arrays[i], axis, file, line);
    return all;
}

rask_array *rask_array_stack_at(rask_array *const *arrays, uint32_t count, int axis, const char *file,
                                int line)
{
    static const char who[] = "rask_array_stack";
    rask_graph *graph = graph_of(arrays, count);
    if (!graph)
        return NULL;
    int ndim = (int)arrays[0]->ndim + 1, along = axis < 0 ? axis + ndim : axis;
    char shape[RK_SHAPE_TEXT];
    for (uint32_t i = 1; i < count; i++)
        if (arrays[i]->ndim != arrays[0]->ndim ||
            memcmp(arrays[i]->shape, arrays[0]->shape, arrays[0]->ndim * sizeof *arrays[0]->shape)) {
            char other[RK_SHAPE_TEXT];
            rk_graph_fail(graph, RASK_EINVAL, file, line,
                          "%s: array 0 has shape %s and array %u has %s: they must be the same", who,
                          rk_shape_text(arrays[0]->shape, arrays[0]->ndim, shape), i,
                          rk_shape_text(arrays[i]->shape, arrays[i]->ndim, other));
            return NULL;
        }
    if (along < 0 || along >= ndim || ndim > RASK_MAX_DIMENSIONS) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: axis %d of stacked arrays of shape %s", who, axis,
                      rk_shape_text(arrays[0]->shape, arrays[0]->ndim, shape));
        return NULL;
    }
    rask_array **all = expanded(arrays, count, along, file, line);
    bool whole = all && !graph->status;
    rask_array *stacked = whole ? join(all, count, (uint32_t)along, who, file, line) : NULL;
    rk_free(all);
    return stacked;
}

/* a with at least so many axes, new ones first. */
static rask_array *at_least(rask_array *a, uint32_t ndim, const char *file, int line)
{
    while (a && a->ndim < ndim)
        a = rask_array_expand_dims_at(a, 0, file, line);
    return a;
}

/* Each row joined along the last axis, then the rows along the one before. lines has room for both. */
static rask_array *join_rows(rask_array **arrays, rask_array **lines, uint32_t rows, uint32_t columns,
                             const char *file, int line)
{
    static const char who[] = "rask_array_block";
    uint32_t last = arrays[0]->ndim - 1;
    for (uint32_t i = 0; i < rows; i++) {
        lines[i] = join(arrays + (size_t)i * columns, columns, last, who, file, line);
        if (!lines[i])
            return NULL;
    }
    return join(lines, rows, last - 1, who, file, line);
}

rask_array *rask_array_block_at(rask_array *const *arrays, uint32_t rows, uint32_t columns, const char *file,
                                int line)
{
    uint32_t count, ndim = 2;
    if (__builtin_mul_overflow(rows, columns, &count) || count > INT32_MAX || !graph_of(arrays, count))
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        ndim = arrays[i]->ndim > ndim ? arrays[i]->ndim : ndim;
    rask_array **all = rk_alloc_array((size_t)count + rows, sizeof *all), *result = NULL;
    if (!all) {
        rk_graph_fail(arrays[0]->graph, RASK_ENOMEM, file, line, "rask_array_block: no memory for %u arrays",
                      count);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++)
        all[i] = at_least(arrays[i], ndim, file, line);
    if (!arrays[0]->graph->status)
        result = join_rows(all, all + count, rows, columns, file, line);
    rk_free(all);
    return result;
}
