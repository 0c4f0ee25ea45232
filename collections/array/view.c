/* Views: elements counted in another way. A view of a view is one view of what is beneath, so that at most one stands
 * between an array and whoever uses it. */
#include "collections/array/view.h"

#include <inttypes.h>
#include <string.h>

static bool is_empty(uint32_t ndim, const int64_t *shape)
{
    for (uint32_t i = 0; i < ndim; i++)
        if (!shape[i])
            return true;
    return false;
}

/* What outer does on top of inner, whose input has ndim axes. */
static rk_view compose(const rk_view *inner, uint32_t ndim, const rk_view *outer)
{
    rk_view both = {0};
    for (uint32_t i = 0; i < ndim; i++) {
        both.from[i] = -1;
        both.start[i] = inner->start[i];
        if (inner->from[i] < 0)
            continue;
        int middle = inner->from[i];
        both.start[i] += inner->step[i] * outer->start[middle];
        both.from[i] = outer->from[middle];
        both.step[i] = inner->step[i] * outer->step[middle];
    }
    return both;
}

/* One spelling for all that is the same: of what is not used and of axes that have no second element. */
static rk_view tidy(const rk_view *view, uint32_t input_ndim, uint32_t ndim, const int64_t *shape)
{
    rk_view tidied;
    memset(&tidied, 0, sizeof tidied); /* with what lies between the members: views are compared by bytes */
    bool empty = is_empty(ndim, shape);
    for (uint32_t i = 0; i < input_ndim; i++) {
        int from = view->from[i];
        bool moves = from >= 0 && shape[from] > 1 && !empty;
        tidied.from[i] = (int8_t)(from < 0 ? -1 : from);
        tidied.start[i] = empty ? 0 : view->start[i];
        tidied.step[i] = from < 0 ? 0 : moves ? view->step[i] : 1;
    }
    return tidied;
}

static bool is_identity(const rk_view *view, const rask_array *input, uint32_t ndim, const int64_t *shape)
{
    if (ndim != input->ndim || (ndim && memcmp(shape, input->shape, ndim * sizeof *shape)))
        return false;
    for (uint32_t i = 0; i < ndim; i++)
        if (shape[i] != 1 && (view->from[i] != (int)i || view->start[i] || view->step[i] != 1))
            return false;
    return true;
}

rask_array *rk_array_view(rask_array *input, const rk_view *view, uint32_t ndim, const int64_t *shape,
                          const char *file, int line)
{
    if (!input)
        return NULL;
    rk_view composed;
    if (input->kind == RK_VIEW && ndim <= RASK_MAX_DIMENSIONS) {
        composed = compose(input->as.view, input->inputs[0]->ndim, view);
        view = &composed;
        input = input->inputs[0];
    }
    rask_array key = {.graph = input->graph,
                      .kind = RK_VIEW,
                      .dtype = input->dtype,
                      .ndim = ndim,
                      .input_count = 1,
                      .inputs = &input};
    if (ndim > RASK_MAX_DIMENSIONS)
        return rk_array_intern(&key, file, line); /* which says so */
    rk_view tidied = tidy(view, input->ndim, ndim, shape);
    if (is_identity(&tidied, input, ndim, shape))
        return input;
    key.as.view = &tidied;
    if (ndim)
        memcpy(key.shape, shape, ndim * sizeof *shape);
    return rk_array_intern(&key, file, line);
}

rk_view rk_view_whole(const rask_array *a)
{
    rk_view view = {0};
    for (uint32_t i = 0; i < a->ndim; i++) {
        view.from[i] = (int8_t)i;
        view.step[i] = 1;
    }
    return view;
}

/* A view that only puts axes elsewhere: result axis i is axis axes[i] of a. */
static rask_array *permute(rask_array *a, const int *axes, const char *file, int line)
{
    rk_view view = rk_view_whole(a);
    int64_t shape[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < a->ndim; i++) {
        view.from[axes[i]] = (int8_t)i;
        shape[i] = a->shape[axes[i]];
    }
    return rk_array_view(a, &view, a->ndim, shape, file, line);
}

rask_array *rask_array_transpose_at(rask_array *a, const int *axes, uint32_t count, const char *file,
                                    int line)
{
    static const char who[] = "rask_array_transpose";
    int order[RASK_MAX_DIMENSIONS];
    bool seen[RASK_MAX_DIMENSIONS] = {false};
    char text[RK_SHAPE_TEXT];
    if (!a || a->graph->status)
        return NULL;
    if (axes && count != a->ndim) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: %" PRIu32 " axes for an array of shape %s", who,
                      count, rk_shape_text(a->shape, a->ndim, text));
        return NULL;
    }
    for (uint32_t i = 0; i < a->ndim; i++) {
        order[i] = axes ? rk_axis(a, axes[i], who, file, line) : (int)(a->ndim - 1 - i);
        if (order[i] < 0)
            return NULL;
        if (seen[order[i]]) {
            rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: axis %d is there twice", who, order[i]);
            return NULL;
        }
        seen[order[i]] = true;
    }
    return permute(a, order, file, line);
}

rask_array *rask_array_swapaxes_at(rask_array *a, int first, int second, const char *file, int line)
{
    static const char who[] = "rask_array_swapaxes";
    if (!a || a->graph->status)
        return NULL;
    first = rk_axis(a, first, who, file, line);
    second = first < 0 ? -1 : rk_axis(a, second, who, file, line);
    if (second < 0)
        return NULL;
    int order[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < a->ndim; i++)
        order[i] = (int)i;
    order[first] = second;
    order[second] = first;
    return permute(a, order, file, line);
}

rask_array *rask_array_moveaxis_at(rask_array *a, int from, int to, const char *file, int line)
{
    static const char who[] = "rask_array_moveaxis";
    if (!a || a->graph->status)
        return NULL;
    from = rk_axis(a, from, who, file, line);
    to = from < 0 ? -1 : rk_axis(a, to, who, file, line);
    if (to < 0)
        return NULL;
    int order[RASK_MAX_DIMENSIONS], next = 0;
    for (int i = 0; i < (int)a->ndim; i++) {
        next += next == from; /* the others keep their order */
        order[i] = i == to ? from : next++;
    }
    return permute(a, order, file, line);
}

rask_array *rk_array_broadcast(rask_array *a, uint32_t ndim, const int64_t *shape, const char *file, int line)
{
    if (!a)
        return NULL;
    rk_view view = rk_view_whole(a);
    for (uint32_t i = 0; i < a->ndim; i++) {
        uint32_t out = ndim - a->ndim + i;
        view.from[i] = (int8_t)(a->shape[i] == shape[out] ? (int)out : -1);
    }
    return rk_array_view(a, &view, ndim, shape, file, line);
}

rask_array *rask_array_broadcast_to_at(rask_array *a, uint32_t ndim, const int64_t *shape, const char *file,
                                       int line)
{
    static const char who[] = "rask_array_broadcast_to";
    int64_t both[RASK_MAX_DIMENSIONS];
    uint32_t both_ndim;
    char text[RK_SHAPE_TEXT], wanted[RK_SHAPE_TEXT];
    if (!a || a->graph->status)
        return NULL;
    if (!rk_shape_given(a->graph, ndim, shape, who, file, line))
        return NULL;
    if (ndim < a->ndim || rk_broadcast(a->ndim, a->shape, ndim, shape, &both_ndim, both) ||
        (ndim && memcmp(both, shape, ndim * sizeof *shape))) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: shape %s does not broadcast to %s", who,
                      rk_shape_text(a->shape, a->ndim, text), rk_shape_text(shape, ndim, wanted));
        return NULL;
    }
    return rk_array_broadcast(a, ndim, shape, file, line);
}

rask_array *rask_array_flip_at(rask_array *a, int axis, const char *file, int line)
{
    if (!a || a->graph->status)
        return NULL;
    int only = axis == RASK_ALL ? 0 : rk_axis(a, axis, "rask_array_flip", file, line);
    if (only < 0)
        return NULL;
    rk_view view = rk_view_whole(a);
    for (int i = 0; i < (int)a->ndim; i++)
        if (axis == RASK_ALL || i == only) {
            view.start[i] = a->shape[i] - 1;
            view.step[i] = -1;
        }
    return rk_array_view(a, &view, a->ndim, a->shape, file, line);
}

/* -- Axes of length 1 come and go */

/* a without the axes that go. */
static rask_array *drop(rask_array *a, const bool *goes, const char *file, int line)
{
    rk_view view = rk_view_whole(a);
    int64_t shape[RASK_MAX_DIMENSIONS];
    uint32_t ndim = 0;
    for (uint32_t i = 0; i < a->ndim; i++) {
        view.from[i] = (int8_t)(goes[i] ? -1 : (int)ndim);
        if (!goes[i])
            shape[ndim++] = a->shape[i];
    }
    return rk_array_view(a, &view, ndim, shape, file, line);
}

rask_array *rask_array_squeeze_at(rask_array *a, int axis, const char *file, int line)
{
    static const char who[] = "rask_array_squeeze";
    bool goes[RASK_MAX_DIMENSIONS] = {false};
    char text[RK_SHAPE_TEXT];
    if (!a || a->graph->status)
        return NULL;
    int only = axis == RASK_ALL ? 0 : rk_axis(a, axis, who, file, line);
    if (only < 0)
        return NULL;
    if (axis != RASK_ALL && a->shape[only] != 1) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: axis %d of shape %s is not of length 1", who,
                      axis, rk_shape_text(a->shape, a->ndim, text));
        return NULL;
    }
    for (uint32_t i = 0; i < a->ndim; i++)
        goes[i] = axis == RASK_ALL ? a->shape[i] == 1 : (int)i == only;
    return drop(a, goes, file, line);
}

rask_array *rask_array_expand_dims_at(rask_array *a, int axis, const char *file, int line)
{
    if (!a || a->graph->status)
        return NULL;
    int ndim = (int)a->ndim + 1, at = axis < 0 ? axis + ndim : axis;
    char text[RK_SHAPE_TEXT];
    if (axis < -ndim || at >= ndim || ndim > RASK_MAX_DIMENSIONS) {
        rk_graph_fail(a->graph, ndim > RASK_MAX_DIMENSIONS ? RASK_ELIMIT : RASK_EINVAL, file, line,
                      "rask_array_expand_dims: no axis %d can be new in an array of shape %s", axis,
                      rk_shape_text(a->shape, a->ndim, text));
        return NULL;
    }
    rk_view view = rk_view_whole(a);
    int64_t shape[RASK_MAX_DIMENSIONS];
    for (int i = 0; i < ndim; i++)
        shape[i] = i == at ? 1 : a->shape[i - (i > at)];
    for (int i = at; i < (int)a->ndim; i++)
        view.from[i] = (int8_t)(i + 1);
    return rk_array_view(a, &view, (uint32_t)ndim, shape, file, line);
}
