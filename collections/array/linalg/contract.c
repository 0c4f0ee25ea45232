/* dot, tensordot and outer: other shapes of the matrix product. */
#include "collections/array/linalg/contract.h"

#include <string.h>

static rask_operand operand_of(rask_array *a)
{
    return (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = a};
}

/* As matmul, but numbers multiply, and stacks are not broadcast: every matrix of one meets every matrix of the other. */
rask_array *rask_array_dot_at(rask_array *a, rask_array *b, const char *file, int line)
{
    if (!a || !b)
        return NULL;
    if (!a->ndim || !b->ndim)
        return rask_array_binary_at(RASK_BINARY_MUL, operand_of(a), operand_of(b), file, line);
    if (b->ndim <= 1 || (a->ndim <= 2 && b->ndim == 2))
        return rask_array_matmul_at(a, b, file, line);
    return rask_array_tensordot_at(a, b, (const int[]){-1}, (const int[]){-2}, 1, file, line);
}

rask_array *rask_array_outer_at(rask_array *a, rask_array *b, const char *file, int line)
{
    rask_array *column = rask_array_expand_dims_at(rask_array_ravel_at(a, file, line), 1, file, line);
    rask_array *row = rask_array_expand_dims_at(rask_array_ravel_at(b, file, line), 0, file, line);
    if (!column || !row)
        return NULL;
    return rask_array_binary_at(RASK_BINARY_MUL, operand_of(column), operand_of(row), file, line);
}

/* a with its axes in order, as a stack of matrices: behind batch of them as many as rows are the rows, the others the columns. */
static rask_array *matrices_of(rask_array *a, const int *order, uint32_t batch, uint32_t rows,
                               const char *file, int line)
{
    int64_t shape[RASK_MAX_DIMENSIONS + 2];
    bool ordered = true;
    shape[batch] = shape[batch + 1] = 1;
    for (uint32_t i = 0; i < a->ndim; i++) {
        ordered = ordered && order[i] == (int)i;
        if (i < batch)
            shape[i] = a->shape[order[i]];
        else
            shape[batch + (i >= batch + rows)] *= a->shape[order[i]];
    }
    if (!ordered)
        a = rask_array_transpose_at(a, order, a->ndim, file, line);
    if (a && a->ndim == batch + 2 && memcmp(a->shape, shape, a->ndim * sizeof *shape) == 0)
        return a;
    return rask_array_reshape_at(a, batch + 2, shape, file, line);
}

rask_array *rk_contract(rask_array *a, const int *a_order, rask_array *b, const int *b_order, uint32_t batch,
                        uint32_t inner, const char *file, int line)
{
    int64_t shape[2 * RASK_MAX_DIMENSIONS];
    if (!a || !b)
        return NULL;
    uint32_t ndim = 0, rows = a->ndim - batch - inner, columns = b->ndim - batch - inner;
    for (uint32_t i = 0; i < batch + rows; i++)
        shape[ndim++] = a->shape[a_order[i]];
    for (uint32_t i = 0; i < columns; i++)
        shape[ndim++] = b->shape[b_order[batch + inner + i]];
    if (ndim > RASK_MAX_DIMENSIONS || batch + 2 > RASK_MAX_DIMENSIONS) {
        rk_graph_fail(a->graph, RASK_ELIMIT, file, line,
                      "a product of %u axes, with %u of stacks of matrices", ndim, batch);
        return NULL;
    }
    rask_array *product = rask_array_matmul_at(matrices_of(a, a_order, batch, rows, file, line),
                                               matrices_of(b, b_order, batch, inner, file, line), file, line);
    if (!product || (ndim == product->ndim && memcmp(shape, product->shape, ndim * sizeof *shape) == 0))
        return product;
    return rask_array_reshape_at(product, ndim, shape, file, line);
}

/* The axes of one operand of tensordot in the order that makes a matrix of it. axes: that go, in pairs with those of the other
 * operand; first: they come before the kept ones. False, latched, when there is no such axis or one is named twice. */
static bool order_axes(rask_array *a, const int *axes, uint32_t count, bool first, int *order,
                       const char *file, int line)
{
    bool gone[RASK_MAX_DIMENSIONS] = {false};
    for (uint32_t i = 0; i < count; i++) {
        int axis = rk_axis(a, axes[i], "rask_array_tensordot", file, line);
        if (axis < 0)
            return false;
        if (gone[axis]) {
            rk_graph_fail(a->graph, RASK_EINVAL, file, line, "rask_array_tensordot: axis %d is named twice",
                          axes[i]);
            return false;
        }
        gone[axis] = true;
        order[first ? i : a->ndim - count + i] = axis;
    }
    uint32_t kept = first ? count : 0;
    for (uint32_t i = 0; i < a->ndim; i++)
        if (!gone[i])
            order[kept++] = (int)i;
    return true;
}

/* Whether the pairs of axes are as long; latches. */
static bool pairs_fit(const rask_array *a, const rask_array *b, const int *a_axes, const int *b_axes,
                      uint32_t count, const char *file, int line)
{
    for (uint32_t i = 0; i < count; i++) {
        int left = a_axes[i] < 0 ? a_axes[i] + (int)a->ndim : a_axes[i];
        int right = b_axes[i] < 0 ? b_axes[i] + (int)b->ndim : b_axes[i];
        if (a->shape[left] != b->shape[right]) {
            rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                          "rask_array_tensordot: axes %d and %d have %lld and %lld elements", a_axes[i],
                          b_axes[i], (long long)a->shape[left], (long long)b->shape[right]);
            return false;
        }
    }
    return true;
}

rask_array *rask_array_tensordot_at(rask_array *a, rask_array *b, const int *a_axes, const int *b_axes,
                                    uint32_t count, const char *file, int line)
{
    int left[RASK_MAX_DIMENSIONS], right[RASK_MAX_DIMENSIONS];
    if (!a || !b)
        return NULL;
    if (count > a->ndim || count > b->ndim || (count && (!a_axes || !b_axes))) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "rask_array_tensordot: %u axes of arrays of %u and %u", count, a->ndim, b->ndim);
        return NULL;
    }
    if (!order_axes(a, a_axes, count, false, left, file, line) ||
        !order_axes(b, b_axes, count, true, right, file, line) ||
        !pairs_fit(a, b, a_axes, b_axes, count, file, line))
        return NULL;
    return rk_contract(a, left, b, right, 0, count, file, line);
}
