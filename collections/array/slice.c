/* Basic slicing, as in Python. */
#include "collections/array/view.h"

#include <inttypes.h>

static const char who[] = "rask_array_slice";

typedef struct slicing {
    rask_array *a;
    const rask_slice *slices;
    uint32_t count;
    uint32_t whole; /* axes that an ellipsis stands for */
    rk_view view;
    uint32_t ndim, axis; /* of the result, of the array: so far */
    int64_t shape[RASK_MAX_DIMENSIONS];
    const char *file;
    int line;
} slicing;

static bool fail(const slicing *s, int status, const char *what, int64_t number)
{
    char text[RK_SHAPE_TEXT];
    rk_graph_fail(s->a->graph, status, s->file, s->line, what, who, number, s->axis,
                  rk_shape_text(s->a->shape, s->a->ndim, text));
    return false;
}

/* A place between 0 (or, backwards, -1) and the end, for a bound that may count from the end. */
static int64_t clip(int64_t bound, int64_t length, bool backwards)
{
    int64_t low = backwards ? -1 : 0, high = backwards ? length - 1 : length;
    if (bound < 0)
        bound = bound < -length ? -length - 1 : bound + length;
    return bound < low ? low : bound > high ? high : bound;
}

/* The next axis, which the view so far takes whole, as a range. */
static bool take_range(slicing *s, const rask_slice *range)
{
    int64_t length = s->a->shape[s->axis], step = range->step == RASK_DEFAULT ? 1 : range->step;
    bool back = step < 0;
    if (!step)
        return fail(s, RASK_EINVAL, "%s: a step of %" PRId64 " along axis %" PRIu32 " of shape %s", 0);
    int64_t start = range->start == RASK_DEFAULT ? (back ? length - 1 : 0) : clip(range->start, length, back);
    int64_t stop = range->stop == RASK_DEFAULT ? (back ? -1 : length) : clip(range->stop, length, back);
    int64_t reach = back ? start - stop : stop - start;
    int64_t count = reach > 0 ? (reach - 1) / (back ? -step : step) + 1 : 0;
    s->view.from[s->axis] = (int8_t)s->ndim;
    s->view.start[s->axis] = count ? start : 0;
    s->view.step[s->axis] = count > 1 ? step : 1;
    s->shape[s->ndim++] = count;
    s->axis++;
    return true;
}

static bool take_index(slicing *s, int64_t index)
{
    int64_t length = s->a->shape[s->axis];
    if (index < -length || index >= length)
        return fail(s, RASK_EINVAL, "%s: index %" PRId64 " is out of bounds for axis %" PRIu32 " of shape %s",
                    index);
    s->view.from[s->axis] = -1;
    s->view.start[s->axis] = index < 0 ? index + length : index;
    s->axis++;
    return true;
}

static void take_whole(slicing *s, uint32_t axes)
{
    for (uint32_t i = 0; i < axes; i++) {
        s->view.from[s->axis] = (int8_t)s->ndim;
        s->shape[s->ndim++] = s->a->shape[s->axis++];
    }
}

/* Whether the slices fit the array's axes; counts what an ellipsis, or the end, stands for. */
static bool measure(slicing *s)
{
    uint32_t used = 0, made = 0, ellipses = 0;
    char text[RK_SHAPE_TEXT];
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t kind = s->slices[i].kind;
        used += kind == RASK_SLICE_RANGE || kind == RASK_SLICE_INDEX;
        made += kind == RASK_SLICE_RANGE || kind == RASK_SLICE_NEWAXIS;
        ellipses += kind == RASK_SLICE_ELLIPSIS;
        if (kind > RASK_SLICE_ELLIPSIS) {
            rk_graph_fail(s->a->graph, RASK_EINVAL, s->file, s->line,
                          "%s: slice %" PRIu32 " is of kind %" PRIu32, who, i, kind);
            return false;
        }
    }
    if (ellipses > 1 || used > s->a->ndim) {
        rk_graph_fail(s->a->graph, RASK_EINVAL, s->file, s->line,
                      ellipses > 1 ? "%s: %" PRIu32 " ellipses for shape %s: one at most"
                                   : "%s: %" PRIu32 " indices for an array of shape %s",
                      who, ellipses > 1 ? ellipses : used, rk_shape_text(s->a->shape, s->a->ndim, text));
        return false;
    }
    s->whole = s->a->ndim - used;
    if (made + s->whole <= RASK_MAX_DIMENSIONS)
        return true;
    rk_graph_fail(s->a->graph, RASK_ELIMIT, s->file, s->line, "%s: %" PRIu32 " dimensions: at most %d", who,
                  made + s->whole, RASK_MAX_DIMENSIONS);
    return false;
}

static bool take(slicing *s, const rask_slice *slice)
{
    switch (slice->kind) {
    case RASK_SLICE_RANGE: return take_range(s, slice);
    case RASK_SLICE_INDEX: return take_index(s, slice->start);
    case RASK_SLICE_NEWAXIS: s->shape[s->ndim++] = 1; return true;
    default: take_whole(s, s->whole); return true;
    }
}

rask_array *rask_array_slice_at(rask_array *a, const rask_slice *slices, uint32_t count, const char *file,
                                int line)
{
    if (!a || a->graph->status)
        return NULL;
    slicing s = {.a = a,
                 .slices = slices,
                 .count = slices ? count : 0,
                 .view = rk_view_whole(a),
                 .file = file,
                 .line = line};
    if (!measure(&s))
        return NULL;
    for (uint32_t i = 0; i < s.count; i++)
        if (!take(&s, &slices[i]))
            return NULL;
    take_whole(&s, a->ndim - s.axis);
    return rk_array_view(a, &s.view, s.ndim, s.shape, file, line);
}
