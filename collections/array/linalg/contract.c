/* dot, tensordot and outer: other shapes of the matrix product. */
#include "collections/array/linalg/linalg.h"

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

/* One operand of tensordot: its axes in the order that makes a matrix of it, and the lengths of those that stay. */
typedef struct side {
    int axes[RASK_MAX_DIMENSIONS];
    int64_t kept[RASK_MAX_DIMENSIONS];
    uint32_t kept_count;
    int64_t inner; /* elements over the axes that go */
} side;

/* axes: that go, in pairs with those of the other operand; first: they come before the kept ones. False, latched, when
 * there is no such axis or one is named twice. */
static bool side_of(rask_array *a, const int *axes, uint32_t count, bool first, side *s, const char *file,
                    int line)
{
    bool gone[RASK_MAX_DIMENSIONS] = {false};
    int going[RASK_MAX_DIMENSIONS];
    *s = (side){.inner = 1};
    for (uint32_t i = 0; i < count; i++) {
        going[i] = rk_axis(a, axes[i], "rask_array_tensordot", file, line);
        if (going[i] < 0)
            return false;
        if (gone[going[i]]) {
            rk_graph_fail(a->graph, RASK_EINVAL, file, line, "rask_array_tensordot: axis %d is named twice",
                          axes[i]);
            return false;
        }
        gone[going[i]] = true;
        s->inner *= a->shape[going[i]];
    }
    uint32_t kept_at = first ? count : 0;
    for (uint32_t i = 0; i < a->ndim; i++)
        if (!gone[i]) {
            s->axes[kept_at + s->kept_count] = (int)i;
            s->kept[s->kept_count++] = a->shape[i];
        }
    for (uint32_t i = 0; i < count; i++)
        s->axes[first ? i : s->kept_count + i] = going[i];
    return true;
}

/* a with its axes in order, as a matrix. */
static rask_array *matrix_of(rask_array *a, const side *s, bool first, const char *file, int line)
{
    int64_t kept = rk_shape_size(s->kept, s->kept_count);
    int64_t shape[2] = {first ? s->inner : kept, first ? kept : s->inner};
    bool ordered = true;
    for (uint32_t i = 0; i < a->ndim; i++)
        ordered = ordered && s->axes[i] == (int)i;
    if (!ordered)
        a = rask_array_transpose_at(a, s->axes, a->ndim, file, line);
    if (a && a->ndim == 2 && a->shape[0] == shape[0] && a->shape[1] == shape[1])
        return a;
    return rask_array_reshape_at(a, 2, shape, file, line);
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
    side left, right;
    int64_t shape[RASK_MAX_DIMENSIONS];
    if (!a || !b)
        return NULL;
    if (count > a->ndim || count > b->ndim || (count && (!a_axes || !b_axes))) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "rask_array_tensordot: %u axes of arrays of %u and %u", count, a->ndim, b->ndim);
        return NULL;
    }
    if (!side_of(a, a_axes, count, false, &left, file, line) ||
        !side_of(b, b_axes, count, true, &right, file, line) ||
        !pairs_fit(a, b, a_axes, b_axes, count, file, line))
        return NULL;
    uint32_t ndim = left.kept_count + right.kept_count;
    if (ndim > RASK_MAX_DIMENSIONS) {
        rk_graph_fail(a->graph, RASK_ELIMIT, file, line, "rask_array_tensordot: a result of %u axes", ndim);
        return NULL;
    }
    memcpy(shape, left.kept, left.kept_count * sizeof *shape);
    memcpy(shape + left.kept_count, right.kept, right.kept_count * sizeof *shape);
    rask_array *product = rask_array_matmul_at(matrix_of(a, &left, false, file, line),
                                               matrix_of(b, &right, true, file, line), file, line);
    if (!product || (ndim == 2 && shape[0] == product->shape[0] && shape[1] == product->shape[1]))
        return product;
    return rask_array_reshape_at(product, ndim, shape, file, line);
}
