/* Building reductions; reduce.c lowers them. */
#include "collections/array/reduction.h"
#include "collections/array/kernels/kernels.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const names[RASK_REDUCE_COUNT] = {
#define NUMPY_NAME(op, numpy) [RASK_REDUCE_##op] = "rask_array_" #numpy,
    RASK_REDUCTION_TABLE(NUMPY_NAME)
#undef NUMPY_NAME
};

static bool is_arg(rask_reduction op)
{
    return op == RASK_REDUCE_ARGMIN || op == RASK_REDUCE_ARGMAX || op == RASK_REDUCE_NANARGMIN ||
           op == RASK_REDUCE_NANARGMAX;
}

static bool is_extreme(rask_reduction op)
{
    return op == RASK_REDUCE_MIN || op == RASK_REDUCE_MAX || op == RASK_REDUCE_NANMIN ||
           op == RASK_REDUCE_NANMAX;
}

static bool is_total(rask_reduction op)
{
    return op == RASK_REDUCE_SUM || op == RASK_REDUCE_PROD || op == RASK_REDUCE_NANSUM ||
           op == RASK_REDUCE_NANPROD;
}

static bool is_spread(rask_reduction op)
{
    return op == RASK_REDUCE_VAR || op == RASK_REDUCE_STD || op == RASK_REDUCE_NANVAR ||
           op == RASK_REDUCE_NANSTD;
}

/* The same reduction where no NaN can be. */
static rask_reduction without_nan(rask_reduction op)
{
    switch (op) {
    case RASK_REDUCE_NANSUM: return RASK_REDUCE_SUM;
    case RASK_REDUCE_NANPROD: return RASK_REDUCE_PROD;
    case RASK_REDUCE_NANMIN: return RASK_REDUCE_MIN;
    case RASK_REDUCE_NANMAX: return RASK_REDUCE_MAX;
    case RASK_REDUCE_NANMEAN: return RASK_REDUCE_MEAN;
    case RASK_REDUCE_NANVAR: return RASK_REDUCE_VAR;
    case RASK_REDUCE_NANSTD: return RASK_REDUCE_STD;
    case RASK_REDUCE_NANARGMIN: return RASK_REDUCE_ARGMIN;
    case RASK_REDUCE_NANARGMAX: return RASK_REDUCE_ARGMAX;
    default: return op;
    }
}

typedef struct building {
    rask_reduction op;
    rask_array *a;
    rask_reduce_options o;
    rk_reduce how;
    const char *file;
    int line;
} building;

static bool fail(const building *b, int status, const char *what)
{
    char text[RK_SHAPE_TEXT];
    rk_graph_fail(b->a->graph, status, b->file, b->line, "%s of an array of shape %s: %s", names[b->op],
                  rk_shape_text(b->a->shape, b->a->ndim, text), what);
    return false;
}

static bool take_options(building *b, const rask_reduce_options *options)
{
    if (options && !options->size)
        return fail(b, RASK_EINVAL, "its options have no size");
    if (options)
        memcpy(&b->o, options, options->size < sizeof b->o ? options->size : sizeof b->o);
    if (b->o.fan_in == 1)
        return fail(b, RASK_EINVAL, "a fan-in of 1, at least 2 is needed");
    if (b->o.own_dtype && !rask_dtype_size(b->o.dtype))
        return fail(b, RASK_EINVAL, "its dtype is none");
    if (b->o.own_dtype && !is_total(b->op) && b->o.dtype < RASK_DT_F32)
        return fail(b, RASK_ETYPE, "only sums and products are made in integers");
    if (b->o.own_dtype && (is_arg(b->op) || is_extreme(b->op)))
        return fail(b, RASK_EINVAL, "it takes no dtype");
    return true;
}

static bool take_axes(building *b)
{
    uint32_t count = b->o.axes ? b->o.axis_count : 0;
    if (is_arg(b->op) && count > 1)
        return fail(b, RASK_EINVAL, "it goes along one axis, or all of the array");
    for (uint32_t i = 0; i < b->a->ndim; i++)
        b->how.reduced[i] = !count;
    for (uint32_t i = 0; i < count; i++) {
        int axis = rk_axis(b->a, b->o.axes[i], names[b->op], b->file, b->line);
        if (axis < 0)
            return false;
        if (b->how.reduced[axis])
            return fail(b, RASK_EINVAL, "an axis is there twice");
        b->how.reduced[axis] = true;
    }
    return true;
}

/* The result's shape; false, latched, where a result would be of no elements and needs some. */
static bool shape_of(const building *b, rask_array *key)
{
    int64_t each = 1, results = 1;
    for (uint32_t i = 0; i < b->a->ndim; i++) {
        int64_t length = b->a->shape[i];
        if (b->how.reduced[i])
            each *= length;
        else
            results *= length;
        if (!b->how.reduced[i] || b->how.keepdims)
            key->shape[key->ndim++] = b->how.reduced[i] ? 1 : length;
    }
    if (!each && results && (is_extreme(b->op) || is_arg(b->op)))
        return fail(b, RASK_EINVAL, "it needs elements, and there are none");
    return true;
}

/* a cast to what is reduced; *result: the dtype asked for, or what comes. NULL, latched. */
static rask_array *cast(building *b, rask_dtype *out, rask_dtype *result)
{
    rask_array *a = b->o.own_dtype ? rk_array_cast(b->a, b->o.dtype, b->file, b->line) : b->a;
    if (a && a->dtype < RASK_DT_F32)
        b->op = without_nan(b->op);
    rask_dtype in;
    if (a && rk_reduction_types(b->op, a->dtype, &in, out)) {
        rk_graph_fail(a->graph, RASK_ETYPE, b->file, b->line, "%s: not defined for %s", names[b->op],
                      rask_dtype_name(a->dtype));
        return NULL;
    }
    *result = a && b->o.own_dtype && is_total(b->op) ? b->o.dtype : *out;
    return a ? rk_array_cast(a, in, b->file, b->line) : NULL;
}

rask_array *rask_array_reduce_at(rask_reduction op, rask_array *a, const rask_reduce_options *options,
                                 const char *file, int line)
{
    if (!a || a->graph->status)
        return NULL;
    if ((unsigned)op >= RASK_REDUCE_COUNT) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%d is no reduction", (int)op);
        return NULL;
    }
    building b = {.op = op, .a = a, .file = file, .line = line};
    rask_array key = {.graph = a->graph, .kind = RK_REDUCE, .input_count = 1};
    memset(&b.how, 0, sizeof b.how); /* with what lies between its members: they are compared by bytes */
    if (!take_options(&b, options) || !take_axes(&b))
        return NULL;
    if (b.o.where || b.o.initial)
        return rk_reduce_where(op, names[op], a, &b.o, file, line);
    b.how.keepdims = b.o.keepdims;
    b.how.fan_in = b.o.fan_in;
    b.how.ddof = is_spread(op) ? b.o.ddof : 0;
    rask_dtype result;
    rask_array *input = shape_of(&b, &key) ? cast(&b, &key.dtype, &result) : NULL;
    if (!input)
        return NULL;
    b.how.op = b.op;
    key.inputs = &input;
    key.as.reduce = &b.how;
    return rk_array_cast(rk_array_intern(&key, file, line), result, file, line);
}

rask_array *rask_array_reduce_axis_at(rask_reduction op, rask_array *a, int axis, const char *file, int line)
{
    rask_reduce_options options = {.size = sizeof options, .axes = &axis, .axis_count = axis != RASK_ALL};
    return rask_array_reduce_at(op, a, &options, file, line);
}
