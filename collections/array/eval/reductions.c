/* Functions that make one number of many. */
#include "collections/array/eval/function.h"

static rask_array *reduce(rk_call *c, rask_reduction op, rask_array *a)
{
    int axes[RASK_MAX_DIMENSIONS];
    rask_operand initial;
    rask_reduce_options options = {.size = sizeof options, .axes = axes};
    if (rk_call_given(c, "axis"))
        options.axis_count = rk_eval_to_axes(c->eval, rk_call_value(c, "axis"), axes);
    options.keepdims = rk_call_bool(c, "keepdims", false);
    options.ddof = rk_call_f64(c, "ddof", 0);
    options.own_dtype = rk_call_given(c, "dtype");
    options.dtype = rk_call_dtype(c, "dtype", RASK_DT_COUNT);
    if (rk_call_given(c, "where"))
        options.where = rk_call_array(c, "where");
    if (rk_call_given(c, "initial")) {
        initial = rk_call_operand(c, "initial");
        options.initial = &initial;
    }
    if (c->eval->graph->status)
        return NULL;
    if (rk_call_given(c, "axis") && options.axis_count == 0) {
        rk_call_fail(c, "axis", RASK_EUNSUPPORTED, "at least one axis expected");
        return NULL;
    }
    return rask_array_reduce_at(op, a, &options, RK_EVAL_SITE(c->eval));
}

static rk_eval_value reduction(rk_call *c)
{
    return rk_eval_array(reduce(c, (rask_reduction)c->function->code, rk_call_array(c, "a")));
}

/* Largest less smallest. */
static rk_eval_value ptp(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a");
    rask_array *most = reduce(c, RASK_REDUCE_MAX, a), *least = reduce(c, RASK_REDUCE_MIN, a);
    return rk_eval_array(rk_call_binary(c, RASK_BINARY_SUB, most, least));
}

/* Weights have the array's shape, or are those of one axis. */
static rask_array *fit_weights(rk_call *c, rask_array *a, rask_array *weights)
{
    int64_t shape[RASK_MAX_DIMENSIONS];
    int axis = a && weights && weights->ndim == 1 && a->ndim > 1
                   ? rk_call_axis_of(c, a, rk_call_axis(c, "axis", 0))
                   : -1;
    if (axis < 0)
        return weights;
    for (uint32_t i = 0; i < a->ndim; i++)
        shape[i] = (int)i == axis ? weights->shape[0] : 1;
    return rask_array_reshape_at(weights, a->ndim, shape, RK_EVAL_SITE(c->eval));
}

static rk_eval_value average(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a");
    if (!rk_call_given(c, "weights"))
        return rk_eval_array(reduce(c, RASK_REDUCE_MEAN, a));
    rask_array *weights = fit_weights(c, a, rk_call_array(c, "weights"));
    if (a && weights && weights->ndim < a->ndim)
        return rk_call_fail(c, "weights", RASK_EINVAL,
                            "as many weights as elements, or one for each of an axis, expected");
    rask_array *weighted = rk_call_binary(c, RASK_BINARY_MUL, a, weights);
    if (weights && weighted && weights->ndim == weighted->ndim)
        weights = rask_array_broadcast_to_at(weights, weighted->ndim, weighted->shape, RK_EVAL_SITE(c->eval));
    rask_array *total = reduce(c, RASK_REDUCE_SUM, weights);
    return rk_eval_array(rk_call_binary(c, RASK_BINARY_DIV, reduce(c, RASK_REDUCE_SUM, weighted), total));
}

static const rk_eval_function rows[] = {
    {"sum", "a; axis dtype * keepdims initial where", reduction, RASK_REDUCE_SUM, RK_EVAL_METHOD},
    {"prod", "a; axis dtype * keepdims initial where", reduction, RASK_REDUCE_PROD, RK_EVAL_METHOD},
    {"min", "a; axis * keepdims initial where", reduction, RASK_REDUCE_MIN, RK_EVAL_METHOD},
    {"max", "a; axis * keepdims initial where", reduction, RASK_REDUCE_MAX, RK_EVAL_METHOD},
    {"amin", "a; axis * keepdims initial where", reduction, RASK_REDUCE_MIN, 0},
    {"amax", "a; axis * keepdims initial where", reduction, RASK_REDUCE_MAX, 0},
    {"mean", "a; axis dtype * keepdims where", reduction, RASK_REDUCE_MEAN, RK_EVAL_METHOD},
    {"var", "a; axis dtype * ddof keepdims where", reduction, RASK_REDUCE_VAR, RK_EVAL_METHOD},
    {"std", "a; axis dtype * ddof keepdims where", reduction, RASK_REDUCE_STD, RK_EVAL_METHOD},
    {"any", "a; axis * keepdims where", reduction, RASK_REDUCE_ANY, RK_EVAL_METHOD},
    {"all", "a; axis * keepdims where", reduction, RASK_REDUCE_ALL, RK_EVAL_METHOD},
    {"argmin", "a; axis * keepdims", reduction, RASK_REDUCE_ARGMIN, RK_EVAL_METHOD},
    {"argmax", "a; axis * keepdims", reduction, RASK_REDUCE_ARGMAX, RK_EVAL_METHOD},
    {"count_nonzero", "a; axis * keepdims", reduction, RASK_REDUCE_COUNT_NONZERO, 0},
    {"nansum", "a; axis dtype * keepdims initial where", reduction, RASK_REDUCE_NANSUM, 0},
    {"nanprod", "a; axis dtype * keepdims initial where", reduction, RASK_REDUCE_NANPROD, 0},
    {"nanmin", "a; axis * keepdims initial where", reduction, RASK_REDUCE_NANMIN, 0},
    {"nanmax", "a; axis * keepdims initial where", reduction, RASK_REDUCE_NANMAX, 0},
    {"nanmean", "a; axis dtype * keepdims where", reduction, RASK_REDUCE_NANMEAN, 0},
    {"nanvar", "a; axis dtype * ddof keepdims where", reduction, RASK_REDUCE_NANVAR, 0},
    {"nanstd", "a; axis dtype * ddof keepdims where", reduction, RASK_REDUCE_NANSTD, 0},
    {"nanargmin", "a; axis * keepdims", reduction, RASK_REDUCE_NANARGMIN, 0},
    {"nanargmax", "a; axis * keepdims", reduction, RASK_REDUCE_NANARGMAX, 0},
    {"ptp", "a; axis * keepdims", ptp, 0, 0},
    {"average", "a; axis weights * keepdims", average, 0, 0},
};

const rk_eval_table rk_eval_reductions = {rows, sizeof rows / sizeof *rows};
