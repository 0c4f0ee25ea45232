/* Elements again and again: repeat, tile; and in another place: roll. */
#include "collections/array/axes.h"

#include <string.h>

static const rask_task_def repeat_def = RK_ASSEMBLE_DEF("repeat"), tile_def = RK_ASSEMBLE_DEF("tile");
static const rk_opaque repeat_opaque = {.name = "repeat", .lower = rk_axes_lower},
                       tile_opaque = {.name = "tile", .lower = rk_axes_lower};

static rask_array *too_long(rask_array *a, const char *who, const char *file, int line)
{
    rk_graph_fail(a->graph, RASK_ELIMIT, file, line, "%s: the result is too large", who);
    return NULL;
}

rask_array *rask_array_repeat_at(rask_array *a, int64_t times, int axis, const char *file, int line)
{
    static const char who[] = "rask_array_repeat";
    rk_axes axes = {.def = &repeat_def};
    int64_t shape[RASK_MAX_DIMENSIONS];
    if (!a)
        return NULL;
    if (axis == RASK_ALL) {
        a = rask_array_ravel_at(a, file, line);
        axis = 0;
    }
    int along = a ? rk_axis(a, axis, who, file, line) : -1;
    if (along < 0)
        return NULL;
    if (times < 0) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: %lld times", who, (long long)times);
        return NULL;
    }
    if (times == 1)
        return a;
    for (uint32_t i = 0; i < a->ndim; i++) {
        axes.maps[i] = (rk_axis_map){.kind = RK_AXIS_CONSTANT, .length = a->shape[i]};
        shape[i] = a->shape[i];
    }
    if (__builtin_mul_overflow(a->shape[along], times, &shape[along]))
        return too_long(a, who, file, line);
    axes.maps[along] = (rk_axis_map){.kind = RK_AXIS_REPEAT, .length = a->shape[along], .times = times};
    return rk_array_opaque(a->graph, &repeat_opaque, &axes, sizeof axes, a->dtype, a->ndim, shape, &a, 1,
                           file, line);
}

rask_array *rask_array_tile_at(rask_array *a, const int64_t *times, uint32_t count, const char *file,
                               int line)
{
    static const char who[] = "rask_array_tile";
    rk_axes axes = {.def = &tile_def};
    int64_t shape[RASK_MAX_DIMENSIONS];
    bool same = true;
    if (a && count > RASK_MAX_DIMENSIONS) {
        rk_graph_fail(a->graph, RASK_ELIMIT, file, line, "%s: %u axes, %d are possible", who, count,
                      RASK_MAX_DIMENSIONS);
        return NULL;
    }
    while (a && a->ndim < count)
        a = rask_array_expand_dims_at(a, 0, file, line);
    if (!a)
        return NULL;
    for (uint32_t i = 0; i < a->ndim; i++) {
        int64_t often = i + count < a->ndim ? 1 : times[i + count - a->ndim];
        if (often < 0) {
            rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: %lld times along axis %u", who,
                          (long long)often, i);
            return NULL;
        }
        if (__builtin_mul_overflow(a->shape[i], often, &shape[i]))
            return too_long(a, who, file, line);
        same &= often == 1;
        axes.maps[i] =
            (rk_axis_map){.kind = often == 1 ? RK_AXIS_CONSTANT : RK_AXIS_WRAP, .length = a->shape[i]};
    }
    return same ? a
                : rk_array_opaque(a->graph, &tile_opaque, &axes, sizeof axes, a->dtype, a->ndim, shape, &a, 1,
                                  file, line);
}

/* Elements start … stop - 1 of one axis. */
static rask_array *part_of(rask_array *a, uint32_t axis, int64_t start, int64_t stop, const char *file,
                           int line)
{
    rask_slice slices[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < axis; i++)
        slices[i] = (rask_slice){RASK_SLICE_RANGE, RASK_DEFAULT, RASK_DEFAULT, RASK_DEFAULT};
    slices[axis] = (rask_slice){RASK_SLICE_RANGE, start, stop, 1};
    return rask_array_slice_at(a, slices, axis + 1, file, line);
}

/* The end of the axis, then its start. */
static rask_array *roll(rask_array *a, int64_t shift, int along, const char *file, int line)
{
    int64_t length = a->shape[along], moved = length ? shift % length : 0;
    moved += moved < 0 ? length : 0;
    if (!moved)
        return a;
    rask_array *parts[2] = {part_of(a, (uint32_t)along, length - moved, length, file, line),
                            part_of(a, (uint32_t)along, 0, length - moved, file, line)};
    return parts[0] && parts[1] ? rask_array_concatenate_at(parts, 2, along, file, line) : NULL;
}

rask_array *rask_array_roll_at(rask_array *a, int64_t shift, int axis, const char *file, int line)
{
    if (!a)
        return NULL;
    if (axis == RASK_ALL) {
        rask_array *flat = rask_array_ravel_at(a, file, line);
        flat = flat ? roll(flat, shift, 0, file, line) : NULL;
        return flat ? rask_array_reshape_at(flat, a->ndim, a->shape, file, line) : NULL;
    }
    int along = rk_axis(a, axis, "rask_array_roll", file, line);
    return along < 0 ? NULL : roll(a, shift, along, file, line);
}
