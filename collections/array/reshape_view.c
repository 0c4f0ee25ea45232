/* Reshaping: as a view where only axes of length 1 come and go. */
#include "collections/array/reshape.h"

#include "collections/array/view.h"

#include <inttypes.h>

/* A view as which a has this shape, when the two differ in axes of length 1 alone. */
static bool differs_in_ones(const rask_array *a, uint32_t ndim, const int64_t *shape, rk_view *view)
{
    uint32_t out = 0;
    *view = rk_view_whole(a);
    for (uint32_t i = 0; i < a->ndim; i++) {
        view->from[i] = -1;
        if (a->shape[i] == 1)
            continue;
        while (out < ndim && shape[out] == 1)
            out++;
        if (out == ndim || shape[out] != a->shape[i])
            return false;
        view->from[i] = (int8_t)out++;
    }
    while (out < ndim && shape[out] == 1)
        out++;
    return out == ndim;
}

/* Puts the length that is -1 into shape; false, latched, when it cannot be, or when the sizes differ. */
static bool complete(rask_array *a, uint32_t ndim, const int64_t *asked, int64_t *shape, const char *file,
                     int line)
{
    int64_t size = rk_shape_size(a->shape, a->ndim), known = 1;
    int open = -1;
    bool wrong = false;
    for (uint32_t i = 0; i < ndim; i++) {
        shape[i] = asked[i];
        if (asked[i] == -1 && open < 0)
            open = (int)i;
        else
            wrong |= asked[i] < 0 || __builtin_mul_overflow(known, asked[i], &known);
    }
    if (!wrong && open >= 0) {
        wrong = !known || size % known;
        shape[open] = wrong ? -1 : size / known;
    } else {
        wrong |= known != size;
    }
    char text[RK_SHAPE_TEXT], wanted[RK_SHAPE_TEXT];
    if (wrong)
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "rask_array_reshape: an array of shape %s, %" PRId64 " elements, cannot have shape %s",
                      rk_shape_text(a->shape, a->ndim, text), size, rk_shape_text(asked, ndim, wanted));
    return !wrong;
}

/* An array of one number, wherever it stands. */
static bool is_constant(const rask_array *a)
{
    return a->kind == RK_VIEW && !a->inputs[0]->ndim;
}

rask_array *rask_array_reshape_at(rask_array *a, uint32_t ndim, const int64_t *asked, const char *file,
                                  int line)
{
    int64_t shape[RASK_MAX_DIMENSIONS];
    rk_view view;
    if (!a || a->graph->status)
        return NULL;
    if (ndim > RASK_MAX_DIMENSIONS || (ndim && !asked)) {
        rk_graph_fail(a->graph, asked ? RASK_ELIMIT : RASK_EINVAL, file, line,
                      "rask_array_reshape: a shape of %" PRIu32 " dimensions%s", ndim,
                      asked ? ": too many" : " without lengths");
        return NULL;
    }
    if (!complete(a, ndim, asked, shape, file, line))
        return NULL;
    if (is_constant(a))
        return rk_array_broadcast(a->inputs[0], ndim, shape, file, line);
    if (differs_in_ones(a, ndim, shape, &view))
        return rk_array_view(a, &view, ndim, shape, file, line);
    return rk_array_reshape_copy(a, ndim, shape, file, line);
}

rask_array *rask_array_ravel_at(rask_array *a, const char *file, int line)
{
    return rask_array_reshape_at(a, 1, (const int64_t[]){-1}, file, line);
}
