/* Reductions of some elements, and from a first value on, put together from others: elements that are left out become what
 * changes nothing, and the first value is the last one that is taken in. */
#include "collections/array/reduction.h"
#include "collections/array/view.h"

#include <stdio.h>

typedef struct masked {
    rask_reduction op;
    const char *who;
    rask_array *a, *where; /* where: bools, of a's shape; NULL: all */
    const rask_operand *initial;
    rask_reduce_options o; /* without these two */
    const char *file;
    int line;
} masked;

static rask_operand of(rask_array *a)
{
    return (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = a};
}

static rask_operand truth(bool value)
{
    return (rask_operand){.kind = RASK_OPERAND_BOOL, .as.boolean = value};
}

static rask_array *fail(const masked *m, int status, const char *what)
{
    char text[RK_SHAPE_TEXT];
    rk_graph_fail(m->a->graph, status, m->file, m->line, "%s of an array of shape %s: %s", m->who,
                  rk_shape_text(m->a->shape, m->a->ndim, text), what);
    return NULL;
}

static rask_array *binary(const masked *m, rask_binary op, rask_array *a, rask_operand b)
{
    if (!a || (b.kind == RASK_OPERAND_ARRAY && !b.as.array))
        return NULL;
    return rask_array_binary_at(op, of(a), b, m->file, m->line);
}

static rask_array *unary(const masked *m, rask_unary op, rask_array *a)
{
    return rask_array_unary_at(op, a, m->file, m->line);
}

static rask_array *cast(const masked *m, rask_array *a, rask_dtype dtype)
{
    return a ? rk_array_cast(a, dtype, m->file, m->line) : NULL;
}

/* Another reduction along the same axes. */
static rask_array *along(const masked *m, rask_reduction op, rask_array *a, bool keepdims)
{
    rask_reduce_options o = {.size = sizeof o,
                             .axes = m->o.axes,
                             .axis_count = m->o.axis_count,
                             .keepdims = keepdims,
                             .fan_in = m->o.fan_in};
    return rask_array_reduce_at(op, a, &o, m->file, m->line);
}

/* a where it counts, else otherwise. */
static rask_array *kept(const masked *m, rask_array *a, rask_operand otherwise)
{
    if (!a || !m->where)
        return a;
    return rask_array_where_at(m->where, of(a), otherwise, m->file, m->line);
}

/* -- Sums of some, divided by how many they are */

static rask_array *mean(const masked *m, rask_array *a, rask_array *count, bool keepdims)
{
    rask_array *total = along(m, RASK_REDUCE_SUM, kept(m, a, truth(false)), keepdims);
    return a && count ? cast(m, binary(m, RASK_BINARY_DIV, total, of(count)), a->dtype) : NULL;
}

/* |x|². */
static rask_array *squared(const masked *m, rask_array *a)
{
    if (!a || !rk_dtype_is_complex(a->dtype))
        return unary(m, RASK_UNARY_SQUARE, a);
    rask_array *im = unary(m, RASK_UNARY_SQUARE, unary(m, RASK_UNARY_IMAG, a));
    return binary(m, RASK_BINARY_ADD, unary(m, RASK_UNARY_SQUARE, unary(m, RASK_UNARY_REAL, a)), of(im));
}

/* In two passes: what is left out has no part in the mean either. */
static rask_array *variance(const masked *m, rask_array *a)
{
    rask_operand ddof = {.kind = RASK_OPERAND_F64, .as.f64 = m->o.ddof};
    rask_operand zero = {.kind = RASK_OPERAND_F64, .as.f64 = 0};
    rask_array *counts = along(m, RASK_REDUCE_SUM, m->where, true);
    rask_array *distance = binary(m, RASK_BINARY_SUB, a, of(mean(m, a, counts, true)));
    rask_array *squares = squared(m, distance);
    rask_array *total = along(m, RASK_REDUCE_SUM, kept(m, squares, truth(false)), m->o.keepdims);
    rask_array *count = along(m, RASK_REDUCE_SUM, m->where, m->o.keepdims);
    rask_array *divisor = binary(m, RASK_BINARY_MAXIMUM, binary(m, RASK_BINARY_SUB, count, ddof), zero);
    return total ? cast(m, binary(m, RASK_BINARY_DIV, total, of(divisor)), total->dtype) : NULL;
}

static rask_array *average(masked *m)
{
    rask_array *a = m->a;
    if (m->initial)
        return fail(m, RASK_EINVAL, "it takes no initial value");
    bool skips = m->op == RASK_REDUCE_NANMEAN || m->op == RASK_REDUCE_NANVAR || m->op == RASK_REDUCE_NANSTD;
    if (skips)
        m->where = binary(m, RASK_BINARY_LOGICAL_AND, m->where,
                          of(unary(m, RASK_UNARY_LOGICAL_NOT, unary(m, RASK_UNARY_ISNAN, a))));
    rask_dtype dtype = m->o.own_dtype ? m->o.dtype : a->dtype < RASK_DT_F32 ? RASK_DT_F64 : a->dtype;
    a = m->where ? cast(m, a, dtype) : NULL;
    if (m->op == RASK_REDUCE_MEAN || m->op == RASK_REDUCE_NANMEAN)
        return mean(m, a, along(m, RASK_REDUCE_SUM, m->where, m->o.keepdims), m->o.keepdims);
    rask_array *result = variance(m, a);
    return m->op == RASK_REDUCE_STD || m->op == RASK_REDUCE_NANSTD ? unary(m, RASK_UNARY_SQRT, result)
                                                                   : result;
}

/* -- Values one by one */

/* The first value, as one element of dtype. NULL, latched: it is something else. */
static rask_array *first_value(const masked *m, rask_dtype dtype)
{
    char text[120];
    rask_array *value = rk_operand_array(m->a->graph, m->initial, dtype, m->who, m->file, m->line);
    if (!value)
        return NULL;
    if (value->ndim)
        return fail(m, RASK_EINVAL, "its initial value is one element");
    if (rask_dtype_promote(value->dtype, dtype) == dtype)
        return cast(m, value, dtype);
    snprintf(text, sizeof text, "its initial value is %s, and the result %s", rask_dtype_name(value->dtype),
             rask_dtype_name(dtype));
    return fail(m, RASK_ETYPE, text);
}

static rask_array *total(const masked *m, bool neutral, rask_binary with)
{
    rask_reduce_options o = m->o;
    rask_array *result = rask_array_reduce_at(m->op, kept(m, m->a, truth(neutral)), &o, m->file, m->line);
    if (!result || !m->initial)
        return result;
    rask_array *first = first_value(m, result->dtype);
    return first ? binary(m, with, result, of(first)) : NULL;
}

static rask_array *extreme(const masked *m, rask_binary with)
{
    rask_array *a = m->a;
    if (!m->initial)
        return fail(m, RASK_EINVAL, "with where it needs an initial value, in case nothing is left");
    rask_array *first = first_value(m, a->dtype);
    if (!first)
        return NULL;
    if (rk_shape_size(a->shape, a->ndim))
        return binary(m, with, along(m, m->op, kept(m, a, of(first)), m->o.keepdims), of(first));
    rask_array *shaped = along(m, RASK_REDUCE_ANY, a, m->o.keepdims);
    return shaped ? rask_array_full_at(a->graph, a->dtype, shaped->ndim, shaped->shape, of(first), m->file,
                                       m->line)
                  : NULL;
}

static rask_array *truths(const masked *m, bool neutral)
{
    if (m->initial)
        return fail(m, RASK_EINVAL, "it takes no initial value");
    return along(m, m->op, kept(m, m->a, truth(neutral)), m->o.keepdims);
}

static rask_array *reduce(masked *m)
{
    switch (m->op) {
    case RASK_REDUCE_SUM:
    case RASK_REDUCE_NANSUM: return total(m, false, RASK_BINARY_ADD);
    case RASK_REDUCE_PROD:
    case RASK_REDUCE_NANPROD: return total(m, true, RASK_BINARY_MUL);
    case RASK_REDUCE_MIN: return extreme(m, RASK_BINARY_MINIMUM);
    case RASK_REDUCE_MAX: return extreme(m, RASK_BINARY_MAXIMUM);
    case RASK_REDUCE_NANMIN: return extreme(m, RASK_BINARY_FMIN);
    case RASK_REDUCE_NANMAX: return extreme(m, RASK_BINARY_FMAX);
    case RASK_REDUCE_ANY: return truths(m, false);
    case RASK_REDUCE_ALL: return truths(m, true);
    case RASK_REDUCE_MEAN:
    case RASK_REDUCE_NANMEAN:
    case RASK_REDUCE_VAR:
    case RASK_REDUCE_NANVAR:
    case RASK_REDUCE_STD:
    case RASK_REDUCE_NANSTD: return average(m);
    default: return fail(m, RASK_EINVAL, "it takes no where and no initial value");
    }
}

/* NULL, latched, when they are not for a's elements. */
static rask_array *take_mask(const masked *m, rask_array *where)
{
    char mine[RK_SHAPE_TEXT], text[RK_SHAPE_TEXT + 100];
    int64_t shape[RASK_MAX_DIMENSIONS];
    uint32_t ndim;
    rask_array *a = m->a;
    if (where->graph != a->graph)
        return fail(m, RASK_EINVAL, "where is of another graph");
    if (where->dtype >= RASK_DT_F32)
        return fail(m, RASK_ETYPE, "where has numbers, not bools");
    bool fits = !rk_broadcast(where->ndim, where->shape, a->ndim, a->shape, &ndim, shape) && ndim == a->ndim;
    for (uint32_t i = 0; fits && i < ndim; i++)
        fits = shape[i] == a->shape[i];
    if (fits)
        return rk_array_broadcast(cast(m, where, RASK_DT_BOOL), a->ndim, a->shape, m->file, m->line);
    snprintf(text, sizeof text, "where has shape %s", rk_shape_text(where->shape, where->ndim, mine));
    return fail(m, RASK_EINVAL, text);
}

rask_array *rk_reduce_where(rask_reduction op, const char *who, rask_array *a, const rask_reduce_options *o,
                            const char *file, int line)
{
    masked m = {.op = op, .who = who, .a = a, .initial = o->initial, .o = *o, .file = file, .line = line};
    m.o.size = sizeof m.o;
    m.o.where = NULL;
    m.o.initial = NULL;
    if (o->where && !(m.where = take_mask(&m, o->where)))
        return NULL;
    return reduce(&m);
}
