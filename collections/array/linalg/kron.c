/* Kronecker's product and the cross product: element-wise products of views. */
#include "collections/array/array.h"

#include <string.h>

static rask_array *binary(rask_binary op, rask_array *a, rask_array *b, const char *file, int line)
{
    if (!a || !b)
        return NULL;
    return rask_array_binary_at(op, (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = a},
                                (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = b}, file, line);
}

/* -- Kronecker's product -- */

/* a with 2 ndim axes: its own, new ones in front, at every second place from first on; the others have one element. */
static rask_array *spread(rask_array *a, uint32_t ndim, uint32_t first, const char *file, int line)
{
    rk_view view;
    int64_t shape[RASK_MAX_DIMENSIONS];
    memset(&view, 0, sizeof view);
    for (uint32_t i = 0; i < 2 * ndim; i++)
        shape[i] = 1;
    for (uint32_t i = 0; i < a->ndim; i++) {
        uint32_t to = 2 * (ndim - a->ndim + i) + first;
        view.from[i] = (int8_t)to;
        view.step[i] = 1;
        shape[to] = a->shape[i];
    }
    return rk_array_view(a, &view, 2 * ndim, shape, file, line);
}

rask_array *rask_array_kron_at(rask_array *a, rask_array *b, const char *file, int line)
{
    char left[RK_SHAPE_TEXT], right[RK_SHAPE_TEXT];
    int64_t shape[RASK_MAX_DIMENSIONS];
    if (!a || !b || a->graph->status)
        return NULL;
    uint32_t ndim = a->ndim > b->ndim ? a->ndim : b->ndim;
    if (2 * ndim > RASK_MAX_DIMENSIONS) {
        rk_graph_fail(a->graph, RASK_ELIMIT, file, line,
                      "rask_array_kron: more than %d axes: shapes %s and %s", RASK_MAX_DIMENSIONS / 2,
                      rk_shape_text(a->shape, a->ndim, left), rk_shape_text(b->shape, b->ndim, right));
        return NULL;
    }
    rask_array *product =
        binary(RASK_BINARY_MUL, spread(a, ndim, 0, file, line), spread(b, ndim, 1, file, line), file, line);
    for (uint32_t i = 0; product && i < ndim; i++)
        shape[i] = product->shape[2 * i] * product->shape[2 * i + 1];
    return product ? rask_array_reshape_at(product, ndim, shape, file, line) : NULL;
}

/* -- The cross product -- */

/* The elements of the vectors, as arrays without their axis; those of the third are none where there are two. */
typedef struct vectors {
    rask_array *x[3];
} vectors;

static bool take_vectors(rask_array *a, int axis, vectors *v, const char *file, int line)
{
    static const char who[] = "rask_array_cross";
    char text[RK_SHAPE_TEXT];
    *v = (vectors){{NULL}};
    int at = rk_axis(a, axis, who, file, line);
    if (at < 0)
        return false;
    if (a->shape[at] != 2 && a->shape[at] != 3) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "%s: vectors of %lld elements, along axis %d of shape %s: 2 or 3 expected", who,
                      (long long)a->shape[at], axis, rk_shape_text(a->shape, a->ndim, text));
        return false;
    }
    a = rask_array_moveaxis_at(a, at, 0, file, line);
    for (int64_t i = 0; a && i < a->shape[0]; i++)
        v->x[i] = rask_array_slice_at(a, &(rask_slice){.kind = RASK_SLICE_INDEX, .start = i}, 1, file, line);
    return a != NULL;
}

/* a_i b_k - a_k b_i, where what is not there is 0. */
static rask_array *component(const vectors *a, const vectors *b, int i, int k, const char *file, int line)
{
    rask_array *plus = binary(RASK_BINARY_MUL, a->x[i], b->x[k], file, line);
    rask_array *minus = binary(RASK_BINARY_MUL, a->x[k], b->x[i], file, line);
    if (plus && minus)
        return binary(RASK_BINARY_SUB, plus, minus, file, line);
    return plus ? plus : rask_array_unary_at(RASK_UNARY_NEGATIVE, minus, file, line);
}

rask_array *rask_array_cross_at(rask_array *a, rask_array *b, int axis, const char *file, int line)
{
    vectors u, v;
    if (!a || !b || a->graph->status || !take_vectors(a, axis, &u, file, line) ||
        !take_vectors(b, axis, &v, file, line))
        return NULL;
    rask_array *parts[3] = {NULL, NULL, component(&u, &v, 0, 1, file, line)};
    if (!u.x[2] && !v.x[2])
        return parts[2];
    parts[0] = component(&u, &v, 1, 2, file, line);
    parts[1] = component(&u, &v, 2, 0, file, line);
    for (int i = 0; i < 3; i++)
        if (!parts[i])
            return NULL;
    for (int i = 0; i < 2; i++) /* where one has no third element, two may be less broadcast than the last */
        parts[i] = rask_array_broadcast_to_at(parts[i], parts[2]->ndim, parts[2]->shape, file, line);
    return rask_array_stack_at(parts, 3, axis, file, line);
}
