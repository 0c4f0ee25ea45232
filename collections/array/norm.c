/* Vector norms, put together from other operations, in the order of numpy.linalg.norm. */
#include "collections/array/array.h"

#include <math.h>

/* Where the caller is, for errors. */
typedef struct place {
    const char *file;
    int line;
} place;

static rask_array *reduce(rask_reduction op, rask_array *a, int axis, place at)
{
    return rask_array_reduce_axis_at(op, a, axis, at.file, at.line);
}

static rask_array *unary(rask_unary op, rask_array *a, place at)
{
    return rask_array_unary_at(op, a, at.file, at.line);
}

static rask_array *power(rask_array *a, double exponent, place at)
{
    if (!a)
        return NULL;
    rask_operand base = {.kind = RASK_OPERAND_ARRAY, .as.array = a};
    rask_operand by = {.kind = RASK_OPERAND_F64, .as.f64 = exponent};
    return rask_array_binary_at(RASK_BINARY_POWER, base, by, at.file, at.line);
}

/* |x|²: for complex numbers without a root on the way. */
static rask_array *squared(rask_array *a, place at)
{
    if (!a || !rk_dtype_is_complex(a->dtype))
        return unary(RASK_UNARY_SQUARE, a, at);
    rask_array *re = unary(RASK_UNARY_SQUARE, unary(RASK_UNARY_REAL, a, at), at);
    rask_array *im = unary(RASK_UNARY_SQUARE, unary(RASK_UNARY_IMAG, a, at), at);
    if (!re || !im)
        return NULL;
    return rask_array_binary_at(RASK_BINARY_ADD, (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = re},
                                (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = im}, at.file, at.line);
}

/* How many are not zero, in the kind of number that norms of a are. */
static rask_array *count(rask_array *a, int axis, place at)
{
    bool narrow = a->dtype == RASK_DT_F32 || a->dtype == RASK_DT_C64;
    rask_operand zero = {.kind = RASK_OPERAND_I64};
    rask_array *there =
        rask_array_binary_at(RASK_BINARY_NOT_EQUAL, (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = a},
                             zero, at.file, at.line);
    rask_array *ones = rask_array_astype_at(there, narrow ? RASK_DT_F32 : RASK_DT_F64, at.file, at.line);
    return reduce(RASK_REDUCE_SUM, ones, axis, at);
}

/* 1/p as NumPy computes it: in the dtype of the sums. */
static double root(const rask_array *sums, double p)
{
    return sums->dtype == RASK_DT_F32 ? (double)(1.0f / (float)p) : 1.0 / p;
}

rask_array *rask_array_norm_at(rask_array *a, double ord, int axis, const char *file, int line)
{
    place at = {file, line};
    if (!a)
        return NULL;
    if (isnan(ord)) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "rask_array_norm: an order that is no number");
        return NULL;
    }
    if (!rk_dtype_is_float(a->dtype) && !rk_dtype_is_complex(a->dtype))
        a = rk_array_cast(a, RASK_DT_F64, file, line);
    if (!a)
        return NULL;
    if (ord == 2)
        return unary(RASK_UNARY_SQRT, reduce(RASK_REDUCE_SUM, squared(a, at), axis, at), at);
    if (ord == 0)
        return count(a, axis, at);
    rask_array *sizes = unary(RASK_UNARY_ABSOLUTE, a, at);
    if (isinf(ord))
        return reduce(ord > 0 ? RASK_REDUCE_MAX : RASK_REDUCE_MIN, sizes, axis, at);
    if (ord == 1)
        return reduce(RASK_REDUCE_SUM, sizes, axis, at);
    rask_array *sums = reduce(RASK_REDUCE_SUM, power(sizes, ord, at), axis, at);
    return sums ? power(sums, root(sums, ord), at) : NULL;
}
