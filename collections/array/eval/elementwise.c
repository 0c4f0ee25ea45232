/* Functions that go element by element. */
#include "collections/array/eval/function.h"
#include "collections/array/eval/names.h"
#include "collections/array/kernels/kernels.h"

#include <float.h>
#include <math.h>

static rk_eval_value unary(rk_call *c)
{
    return rk_eval_array(rk_call_unary(c, (rask_unary)c->function->code, rk_call_array(c, "x")));
}

/* abs() in floats, of what has them. */
static rk_eval_value float_absolute(rk_call *c)
{
    rask_array *x = rk_call_array(c, "x");
    rask_dtype in, out;
    if (x && rk_dtype_is_complex(x->dtype))
        return rk_call_fail(c, "x", RASK_ETYPE, "fabs() of complex numbers: take abs()");
    if (x && !rk_unary_types(RASK_UNARY_SQRT, x->dtype, &in, &out))
        x = rk_call_cast(c, x, in);
    return rk_eval_array(rk_call_unary(c, RASK_UNARY_ABSOLUTE, x));
}

/* Of two numbers one becomes an array, so that the result is one. */
static rk_eval_value binary(rk_call *c)
{
    rask_operand a = rk_call_operand(c, "x1"), b = rk_call_operand(c, "x2");
    if (a.kind != RASK_OPERAND_ARRAY && b.kind != RASK_OPERAND_ARRAY)
        a = (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = rk_call_array(c, "x1")};
    return rk_eval_array(rask_array_binary_at((rask_binary)c->function->code, a, b, RK_EVAL_SITE(c->eval)));
}

/* The places of flat numbers in an array of a's shape, along each axis. */
static rk_eval_value unravel(rk_call *c, const rask_array *a, rask_array *flat)
{
    rk_eval_value places[RASK_MAX_DIMENSIONS];
    int64_t inner = 1;
    for (uint32_t i = a->ndim; i-- > 0;) {
        int64_t length = a->shape[i] ? a->shape[i] : 1;
        rask_array *place =
            i + 1 < a->ndim ? rk_call_with_i64(c, RASK_BINARY_FLOOR_DIVIDE, flat, inner) : flat;
        places[i] = rk_eval_array(i ? rk_call_with_i64(c, RASK_BINARY_REMAINDER, place, length) : place);
        inner *= length;
    }
    return c->eval->graph->status ? (rk_eval_value){.kind = RK_EVAL_FAILED}
                                  : rk_eval_tuple(c->eval, places, a->ndim);
}

/* Where elements are true, which is computed now. */
static rk_eval_value nonzero(rk_call *c)
{
    rask_array *a = rk_call_array(c, "condition");
    if (!a)
        return (rk_eval_value){.kind = RK_EVAL_FAILED};
    if (a->ndim == 0)
        return rk_call_fail(c, "condition", RASK_EINVAL, "an array without dimensions has no places");
    rk_eval_variable given = {"a", 1, rk_eval_array(a)};
    rk_eval_value flat = rk_eval_within(c->eval, NULL, "flatnonzero(a)", &given, 1);
    return flat.kind == RK_EVAL_ARRAY ? unravel(c, a, flat.as.array) : flat;
}

/* The places, a line for each. */
static rk_eval_value argwhere(rk_call *c)
{
    rk_eval_value places = nonzero(c);
    uint32_t count;
    rask_array **arrays = places.kind == RK_EVAL_TUPLE ? rk_eval_to_arrays(c->eval, &places, &count) : NULL;
    return rk_eval_array(arrays ? rask_array_stack_at(arrays, count, -1, RK_EVAL_SITE(c->eval)) : NULL);
}

static rk_eval_value where(rk_call *c)
{
    if (!rk_call_given(c, "x") && !rk_call_given(c, "y"))
        return nonzero(c);
    if (!rk_call_given(c, "x") || !rk_call_given(c, "y"))
        return rk_call_fail(c, "condition", RASK_EINVAL, "where() takes both x and y, or neither");
    rask_array *condition = rk_call_array(c, "condition");
    if (condition && condition->dtype != RASK_DT_BOOL)
        condition = rk_call_cast(c, condition, RASK_DT_BOOL);
    return rk_eval_array(rask_array_where_at(condition, rk_call_operand(c, "x"), rk_call_operand(c, "y"),
                                             RK_EVAL_SITE(c->eval)));
}

/* NumPy: the greater of a and the least, then the smaller of that and the most; NaN stays NaN. */
static rk_eval_value clip(rk_call *c)
{
    rask_operand a = {.kind = RASK_OPERAND_ARRAY, .as.array = rk_call_array(c, "a")};
    if (rk_call_given(c, "min"))
        a.as.array =
            rask_array_binary_at(RASK_BINARY_MAXIMUM, a, rk_call_operand(c, "min"), RK_EVAL_SITE(c->eval));
    if (rk_call_given(c, "max"))
        a.as.array =
            rask_array_binary_at(RASK_BINARY_MINIMUM, a, rk_call_operand(c, "max"), RK_EVAL_SITE(c->eval));
    return rk_eval_array(a.as.array);
}

static rk_eval_value round_to(rk_call *c)
{
    int decimals = rk_call_axis(c, "decimals", 0);
    return rk_eval_array(rask_array_round_at(rk_call_array(c, "a"), decimals, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value astype(rk_call *c)
{
    rask_dtype dtype = rk_call_dtype(c, "dtype", RASK_DT_COUNT);
    if (dtype == RASK_DT_COUNT)
        return rk_call_fail(c, "dtype", RASK_EINVAL, "a dtype expected");
    return rk_eval_array(rk_call_cast(c, rk_call_array(c, "x"), dtype));
}

/* |a - b| <= atol + rtol |b| where b is finite, else a == b. In floats: differences of integers may wrap, and bools have
 * none. */
static rask_array *close_to(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a"), *b = rk_call_array(c, "b");
    if (b && !rk_dtype_is_float(b->dtype) && !rk_dtype_is_complex(b->dtype))
        b = rk_call_cast(c, b, RASK_DT_F64);
    rask_array *distance = rk_call_unary(c, RASK_UNARY_ABSOLUTE, rk_call_binary(c, RASK_BINARY_SUB, a, b));
    rask_array *bound = rk_call_with(c, RASK_BINARY_MUL, rk_call_unary(c, RASK_UNARY_ABSOLUTE, b),
                                     rk_call_f64(c, "rtol", 1e-5));
    bound = rk_call_with(c, RASK_BINARY_ADD, bound, rk_call_f64(c, "atol", 1e-8));
    rask_array *near = rk_call_binary(c, RASK_BINARY_LESS_EQUAL, distance, bound);
    near = rk_call_binary(c, RASK_BINARY_BITWISE_AND, near, rk_call_unary(c, RASK_UNARY_ISFINITE, b));
    near = rk_call_binary(c, RASK_BINARY_BITWISE_OR, near, rk_call_binary(c, RASK_BINARY_EQUAL, a, b));
    if (!rk_call_bool(c, "equal_nan", false))
        return near;
    rask_array *nans = rk_call_binary(c, RASK_BINARY_BITWISE_AND, rk_call_unary(c, RASK_UNARY_ISNAN, a),
                                      rk_call_unary(c, RASK_UNARY_ISNAN, b));
    return rk_call_binary(c, RASK_BINARY_BITWISE_OR, near, nans);
}

static rk_eval_value isclose(rk_call *c)
{
    return rk_eval_array(close_to(c));
}

static rk_eval_value allclose(rk_call *c)
{
    return rk_eval_array(rk_call_reduce(c, RASK_REDUCE_ALL, close_to(c), RASK_ALL));
}

static rk_eval_value array_equal(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a1"), *b = rk_call_array(c, "a2");
    bool same = a && b && a->ndim == b->ndim;
    for (uint32_t i = 0; same && i < a->ndim; i++)
        same = a->shape[i] == b->shape[i];
    if (a && b && !same)
        return rk_eval_bool(false);
    rask_array *equal = rk_call_binary(c, RASK_BINARY_EQUAL, a, b);
    return rk_eval_array(rk_call_reduce(c, RASK_REDUCE_ALL, equal, RASK_ALL));
}

static rask_array *replace(rk_call *c, rask_array *where_true, double number, rask_array *a)
{
    rask_operand with = {.kind = RASK_OPERAND_F64, .as.f64 = number};
    rask_operand rest = {.kind = RASK_OPERAND_ARRAY, .as.array = a};
    return rask_array_where_at(where_true, with, rest, RK_EVAL_SITE(c->eval));
}

static rk_eval_value nan_to_num(rk_call *c)
{
    rask_array *x = rk_call_array(c, "x");
    if (!x || rk_dtype_is_integer(x->dtype) || x->dtype == RASK_DT_BOOL)
        return rk_eval_array(x);
    if (rk_dtype_is_complex(x->dtype))
        return rk_call_fail(c, "x", RASK_ETYPE, "nan_to_num() of complex numbers: take real() and imag()");
    double most = x->dtype == RASK_DT_F32 ? FLT_MAX : DBL_MAX;
    rask_array *a = replace(c, rk_call_unary(c, RASK_UNARY_ISNAN, x), rk_call_f64(c, "nan", 0), x);
    a = replace(c, rk_call_with(c, RASK_BINARY_EQUAL, x, INFINITY), rk_call_f64(c, "posinf", most), a);
    a = replace(c, rk_call_with(c, RASK_BINARY_EQUAL, x, -INFINITY), rk_call_f64(c, "neginf", -most), a);
    return rk_eval_array(a);
}

static rk_eval_value divmod(rk_call *c)
{
    rk_eval_value parts[2];
    rask_operand a = {.kind = RASK_OPERAND_ARRAY, .as.array = rk_call_array(c, "x1")};
    rask_operand b = rk_call_operand(c, "x2");
    parts[0] = rk_eval_array(rask_array_binary_at(RASK_BINARY_FLOOR_DIVIDE, a, b, RK_EVAL_SITE(c->eval)));
    parts[1] = rk_eval_array(rask_array_binary_at(RASK_BINARY_REMAINDER, a, b, RK_EVAL_SITE(c->eval)));
    return rk_eval_tuple(c->eval, parts, 2);
}

#define UNARY(op, numpy)  {#numpy, "x", unary, RASK_UNARY_##op, 0},
#define BINARY(op, numpy) {#numpy, "x1 x2", binary, RASK_BINARY_##op, 0},
#define UNARY_ALIAS(name, op)                                                                                \
    {                                                                                                        \
        name, "x", unary, RASK_UNARY_##op, 0                                                                 \
    }
#define BINARY_ALIAS(name, op)                                                                               \
    {                                                                                                        \
        name, "x1 x2", binary, RASK_BINARY_##op, 0                                                           \
    }

static const rk_eval_function rows[] = {
    RASK_UNARY_TABLE(UNARY) RASK_BINARY_TABLE(BINARY) UNARY_ALIAS("abs", ABSOLUTE),
    {"fabs", "x", float_absolute, 0, 0},
    UNARY_ALIAS("acos", ARCCOS),
    UNARY_ALIAS("acosh", ARCCOSH),
    UNARY_ALIAS("asin", ARCSIN),
    UNARY_ALIAS("asinh", ARCSINH),
    UNARY_ALIAS("atan", ARCTAN),
    UNARY_ALIAS("atanh", ARCTANH),
    UNARY_ALIAS("bitwise_invert", INVERT),
    UNARY_ALIAS("bitwise_not", INVERT),
    {"conjugate", "x", unary, RASK_UNARY_CONJ, RK_EVAL_METHOD},
    {"conj", "x", unary, RASK_UNARY_CONJ, RK_EVAL_METHOD_ONLY},
    UNARY_ALIAS("degrees", RAD2DEG),
    UNARY_ALIAS("fix", TRUNC),
    UNARY_ALIAS("radians", DEG2RAD),
    BINARY_ALIAS("atan2", ARCTAN2),
    BINARY_ALIAS("bitwise_left_shift", LEFT_SHIFT),
    BINARY_ALIAS("bitwise_right_shift", RIGHT_SHIFT),
    BINARY_ALIAS("mod", REMAINDER),
    BINARY_ALIAS("pow", POWER),
    BINARY_ALIAS("true_divide", DIV),
    {"allclose", "a b; rtol atol equal_nan", allclose, 0, 0},
    {"array_equal", "a1 a2", array_equal, 0, 0},
    {"around", "a; decimals", round_to, 0, 0},
    {"astype", "x dtype", astype, 0, RK_EVAL_METHOD},
    {"clip", "a; min|a_min max|a_max", clip, 0, RK_EVAL_METHOD},
    {"divmod", "x1 x2", divmod, 0, 0},
    {"isclose", "a b; rtol atol equal_nan", isclose, 0, 0},
    {"nan_to_num", "x; * nan posinf neginf", nan_to_num, 0, 0},
    {"round", "a; decimals", round_to, 0, RK_EVAL_METHOD},
    {"argwhere", "condition|a", argwhere, 0, 0},
    {"nonzero", "condition|a", nonzero, 0, RK_EVAL_METHOD},
    {"where", "condition; x y", where, 0, 0},
};

const rk_eval_table rk_eval_elementwise = {rows, sizeof rows / sizeof *rows};
