/* Diagonals: the axes of a matrix as one, of which every (columns + 1)-th element is taken. */
#include "collections/array/array.h"

static const char who[] = "rask_array_diagonal";

/* Of an array whose last axis is rows of so many columns, one behind the other. */
static rask_array *taken(rask_array *lines, int64_t rows, int64_t columns, int64_t offset, const char *file,
                         int line)
{
    int64_t row = offset < 0 ? -offset : 0, column = offset < 0 ? 0 : offset, first = 0, stop = 0;
    if (row < rows && column < columns) {
        int64_t count = rows - row < columns - column ? rows - row : columns - column;
        first = row * columns + column;
        stop = first + (count - 1) * (columns + 1) + 1;
    }
    rask_slice slices[2] = {{.kind = RASK_SLICE_ELLIPSIS}, {RASK_SLICE_RANGE, first, stop, columns + 1}};
    return rask_array_slice_at(lines, slices, 2, file, line);
}

rask_array *rask_array_diagonal_at(rask_array *a, int64_t offset, int axis1, int axis2, const char *file,
                                   int line)
{
    static const int64_t most = (int64_t)1 << 62;
    char text[RK_SHAPE_TEXT];
    int order[RASK_MAX_DIMENSIONS];
    int64_t shape[RASK_MAX_DIMENSIONS];
    uint32_t others = 0;
    if (!a || a->graph->status)
        return NULL;
    int first = rk_axis(a, axis1, who, file, line),
        second = first < 0 ? -1 : rk_axis(a, axis2, who, file, line);
    if (second < 0)
        return NULL;
    if (first == second || offset > most || offset < -most) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: no diagonal %lld of axes %d and %d of shape %s",
                      who, (long long)offset, axis1, axis2, rk_shape_text(a->shape, a->ndim, text));
        return NULL;
    }
    for (int i = 0; i < (int)a->ndim; i++)
        if (i != first && i != second) {
            shape[others] = a->shape[i];
            order[others++] = i;
        }
    order[others] = first;
    order[others + 1] = second;
    shape[others] = a->shape[first] * a->shape[second];
    rask_array *matrices = rask_array_transpose_at(a, order, a->ndim, file, line);
    rask_array *lines = rask_array_reshape_at(matrices, others + 1, shape, file, line);
    return lines ? taken(lines, a->shape[first], a->shape[second], offset, file, line) : NULL;
}
