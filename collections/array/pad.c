/* Arrays with something around them. */
#include "collections/array/pad.h"

#include "collections/array/kernels/kernels.h"

#include <string.h>

static const rask_task_def pad_def = RK_ASSEMBLE_DEF("pad");
static const rk_opaque pad_opaque = {.name = "pad", .lower = rk_axes_lower};

int rk_operand_element(const rask_operand *operand, rask_dtype dtype, void *element)
{
    const rask_operand *number = operand;
    if (number->kind == RASK_OPERAND_ARRAY && number->as.array && number->as.array->kind == RK_SCALAR)
        number = &number->as.array->as.scalar;
    rask_dtype from;
    switch (number->kind) {
    case RASK_OPERAND_BOOL: from = RASK_DT_BOOL; break;
    case RASK_OPERAND_I64: from = RASK_DT_I64; break;
    case RASK_OPERAND_U64: from = RASK_DT_U64; break;
    case RASK_OPERAND_F64: from = RASK_DT_F64; break;
    case RASK_OPERAND_C128: from = RASK_DT_C128; break;
    default: return RASK_EINVAL;
    }
    if (from == dtype)
        memcpy(element, &number->as, rask_dtype_size(dtype));
    else
        rk_cast_find(from, dtype)(1, element, &number->as);
    return RASK_OK;
}

rk_axis_kind rk_pad_kind(rask_pad_mode mode)
{
    switch (mode) {
    case RASK_PAD_EDGE: return RK_AXIS_EDGE;
    case RASK_PAD_REFLECT: return RK_AXIS_REFLECT;
    case RASK_PAD_SYMMETRIC: return RK_AXIS_SYMMETRIC;
    case RASK_PAD_WRAP: return RK_AXIS_WRAP;
    default: return RK_AXIS_CONSTANT;
    }
}

static bool check(rask_array *a, const int64_t *before, const int64_t *after, rask_pad_mode mode,
                  const char *file, int line)
{
    static const char who[] = "rask_array_pad";
    char shape[RK_SHAPE_TEXT];
    int64_t length;
    if (mode > RASK_PAD_WRAP || (a->ndim && (!before || !after))) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      mode > RASK_PAD_WRAP ? "%s: %d is no way to pad" : "%s: no widths", who, (int)mode);
        return false;
    }
    for (uint32_t i = 0; i < a->ndim; i++) {
        if (before[i] < 0 || after[i] < 0) {
            rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: %lld and %lld elements around axis %u", who,
                          (long long)before[i], (long long)after[i], i);
            return false;
        }
        if (mode != RASK_PAD_CONSTANT && !a->shape[i] && (before[i] || after[i])) {
            rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                          "%s: axis %u of shape %s is empty: only a constant can be put around it", who, i,
                          rk_shape_text(a->shape, a->ndim, shape));
            return false;
        }
        if (__builtin_add_overflow(before[i], after[i], &length) ||
            __builtin_add_overflow(length, a->shape[i], &length)) {
            rk_graph_fail(a->graph, RASK_ELIMIT, file, line, "%s: axis %u becomes too long", who, i);
            return false;
        }
    }
    return true;
}

/* Pads some axes: first … end - 1. */
static rask_array *pad_axes(rask_array *a, uint32_t first, uint32_t end, const int64_t *before,
                            const int64_t *after, rk_axis_kind kind, const void *element, const char *file,
                            int line)
{
    rk_axes axes = {.def = &pad_def};
    int64_t shape[RASK_MAX_DIMENSIONS];
    bool same = true;
    memcpy(axes.fill, element, sizeof axes.fill);
    for (uint32_t i = 0; i < a->ndim; i++) {
        bool padded = i >= first && i < end && (before[i] || after[i]);
        axes.maps[i] = (rk_axis_map){.kind = padded ? kind : RK_AXIS_CONSTANT,
                                     .length = a->shape[i],
                                     .before = padded ? before[i] : 0};
        shape[i] = a->shape[i] + (padded ? before[i] + after[i] : 0);
        same &= !padded;
    }
    return same ? a
                : rk_array_opaque(a->graph, &pad_opaque, &axes, sizeof axes, a->dtype, a->ndim, shape, &a, 1,
                                  file, line);
}

rask_array *rask_array_pad_at(rask_array *a, const int64_t *before, const int64_t *after, rask_pad_mode mode,
                              rask_operand value, const char *file, int line)
{
    enum { AXES_AT_ONCE = 4 }; /* corners are pieces of their own: 3^axes of them */
    uint64_t element[2] = {0};
    if (!a || !check(a, before, after, mode, file, line))
        return NULL;
    if (mode == RASK_PAD_CONSTANT && rk_operand_element(&value, a->dtype, element)) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "rask_array_pad: the value is not a number");
        return NULL;
    }
    uint32_t step = mode == RASK_PAD_CONSTANT ? RASK_MAX_DIMENSIONS : AXES_AT_ONCE;
    uint32_t ndim = a->ndim;
    for (uint32_t i = 0; a && i < ndim; i += step)
        a = pad_axes(a, i, i + step, before, after, rk_pad_kind(mode), element, file, line);
    return a;
}
