/* Functions about the distribution of elements, and running sums. */
#include "collections/array/eval/function.h"

static rk_eval_value cumulative(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a");
    if (rk_call_given(c, "dtype"))
        a = rk_call_cast(c, a, rk_call_dtype(c, "dtype", RASK_DT_COUNT));
    int axis = rk_call_axis(c, "axis", RASK_ALL);
    return rk_eval_array(c->function->code ? rask_array_cumprod_at(a, axis, RK_EVAL_SITE(c->eval))
                                           : rask_array_cumsum_at(a, axis, RK_EVAL_SITE(c->eval)));
}

/* --- histograms */

static rask_array *array_of_edges(rk_call *c, double *edges, size_t count)
{
    rask_block block = {.dtype = RASK_DT_F64, .ndim = 1, .data = edges};
    block.shape[0] = (int64_t)count;
    block.strides[0] = sizeof *edges;
    return rask_array_from_block_at(c->eval->graph, &block, false, RK_EVAL_SITE(c->eval));
}

/* Between edges that were given as a list, or an array, which is computed now. */
static rask_array *count_between(rk_call *c, rask_array *a, rask_array **edges)
{
    size_t count = 0;
    double *numbers = rk_eval_to_numbers(c->eval, rk_call_value(c, "bins"), &count);
    if (!numbers)
        return NULL;
    *edges = array_of_edges(c, numbers, count);
    return rask_array_histogram_at(a, numbers, count, RK_EVAL_SITE(c->eval));
}

static rask_array *count_evenly(rk_call *c, rask_array *a, rask_array **edges)
{
    double *range = NULL;
    size_t count = 0;
    int64_t bins = rk_call_i64(c, "bins", 10);
    if (rk_call_given(c, "range"))
        range = rk_eval_to_numbers(c->eval, rk_call_value(c, "range"), &count);
    if (range && count != 2)
        rk_call_fail(c, "range", RASK_EINVAL, "two numbers expected");
    if (c->eval->graph->status)
        return NULL;
    return rask_array_histogram_bins_at(a, bins, range, edges, RK_EVAL_SITE(c->eval));
}

/* Counts by the bins' widths and the number of all: so that the area is 1. */
static rask_array *density(rk_call *c, rask_array *counts, rask_array *edges)
{
    rask_array *widths = rk_call_binary(c, RASK_BINARY_SUB, rk_call_part(c, edges, 0, 1, RASK_DEFAULT),
                                        rk_call_part(c, edges, 0, 0, -1));
    rask_array *total = rk_call_reduce(c, RASK_REDUCE_SUM, counts, RASK_ALL);
    return rk_call_binary(c, RASK_BINARY_DIV, rk_call_binary(c, RASK_BINARY_DIV, counts, widths), total);
}

static rk_eval_value histogram(rk_call *c)
{
    const rk_eval_value *bins = rk_call_value(c, "bins");
    rask_array *a = rk_call_array(c, "a"), *edges = NULL;
    if (bins->kind == RK_EVAL_STRING)
        return rk_call_fail(c, "bins", RASK_EUNSUPPORTED, "bins are given by their number or their edges");
    bool listed = bins->kind == RK_EVAL_ARRAY || rk_eval_is_list(bins);
    rask_array *counts = listed ? count_between(c, a, &edges) : count_evenly(c, a, &edges);
    if (counts && rk_call_bool(c, "density", false))
        counts = density(c, counts, edges);
    rk_eval_value parts[2] = {rk_eval_array(counts), rk_eval_array(edges)};
    return rk_eval_tuple(c->eval, parts, 2);
}

/* --- quantiles */

/* The result with the axes that it lost, of one element each. */
static rask_array *keep_axes(rk_call *c, rask_array *a, rask_array *result, int axis)
{
    if (axis != RASK_ALL)
        return rask_array_expand_dims_at(result, rk_call_axis_of(c, a, axis) - (int)a->ndim,
                                         RK_EVAL_SITE(c->eval));
    for (uint32_t i = 0; i < a->ndim; i++)
        result = rask_array_expand_dims_at(result, -1, RK_EVAL_SITE(c->eval));
    return result;
}

enum { QUANTILE, NANQUANTILE, PERCENTILE, NANPERCENTILE };

static rask_array *quantiles(rk_call *c, rask_array *a, double *q, size_t count, int axis)
{
    for (size_t i = 0; i < (count ? count : 1) && c->function->code == NANPERCENTILE; i++)
        q[i] /= 100;
    switch (c->function->code) {
    case QUANTILE: return rask_array_quantile_at(a, q, count, axis, RK_EVAL_SITE(c->eval));
    case PERCENTILE: return rask_array_percentile_at(a, q, count, axis, RK_EVAL_SITE(c->eval));
    default: return rask_array_nanquantile_at(a, q, count, axis, RK_EVAL_SITE(c->eval));
    }
}

static rk_eval_value quantile(rk_call *c)
{
    const rk_eval_value *given = rk_call_value(c, "q"), *method = rk_call_value(c, "method");
    rask_array *a = rk_call_array(c, "a");
    int axis = rk_call_axis(c, "axis", RASK_ALL);
    size_t count = 0;
    double one = 0, *q = &one;
    if (rk_eval_given(method) && !rk_eval_text_is(method, "linear"))
        return rk_call_fail(c, "method", RASK_EUNSUPPORTED, "the one method is \"linear\"");
    if (given->kind == RK_EVAL_NUMBER)
        one = rk_eval_to_f64(c->eval, given);
    else
        q = rk_eval_to_numbers(c->eval, given, &count);
    bool keep = rk_call_bool(c, "keepdims", false);
    if (!q || c->eval->graph->status)
        return (rk_eval_value){.kind = RK_EVAL_FAILED};
    rask_array *result = quantiles(c, a, q, count, axis);
    return rk_eval_array(result && keep ? keep_axes(c, a, result, axis) : result);
}

static rk_eval_value median(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a");
    int axis = rk_call_axis(c, "axis", RASK_ALL);
    rask_array *result = c->function->code ? rask_array_nanmedian_at(a, axis, RK_EVAL_SITE(c->eval))
                                           : rask_array_median_at(a, axis, RK_EVAL_SITE(c->eval));
    bool keep = rk_call_bool(c, "keepdims", false);
    return rk_eval_array(result && keep ? keep_axes(c, a, result, axis) : result);
}

/* --- order */

/* Along the last axis, unless another one was given; None: of all elements. */
static rk_eval_value sort(rk_call *c)
{
    bool flat = rk_call_value(c, "axis")->kind == RK_EVAL_NONE;
    int axis = rk_call_axis(c, "axis", flat ? RASK_ALL : -1);
    rask_array *a = rk_call_array(c, "a");
    return rk_eval_array(c->function->code ? rask_array_argsort_at(a, axis, RK_EVAL_SITE(c->eval))
                                           : rask_array_sort_at(a, axis, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value topk(rk_call *c)
{
    int64_t k = rk_call_i64(c, "k", 1);
    return rk_eval_array(rask_array_topk_at(rk_call_array(c, "a"), k, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value unique(rk_call *c)
{
    rask_array *counts = NULL;
    bool wanted = rk_call_bool(c, "return_counts", false);
    rask_array *a = rk_call_array(c, "a");
    if (!a || c->eval->graph->status)
        return (rk_eval_value){.kind = RK_EVAL_FAILED};
    rask_array *values =
        rask_array_unique_at(a, wanted ? &counts : NULL, c->eval->options, RK_EVAL_SITE(c->eval));
    if (!wanted)
        return rk_eval_array(values);
    rk_eval_value parts[2] = {rk_eval_array(values), rk_eval_array(counts)};
    return rk_eval_tuple(c->eval, parts, 2);
}

/* Differences of neighbours, n times. */
static rk_eval_value diff(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a");
    int64_t n = rk_call_i64(c, "n", 1);
    int axis = a ? rk_call_axis_of(c, a, rk_call_axis(c, "axis", -1)) : -1;
    if (axis < 0)
        return (rk_eval_value){.kind = RK_EVAL_FAILED};
    if (n < 0 || n > 100)
        return rk_call_fail(c, "n", RASK_EINVAL, "from 0 to 100 differences expected");
    for (int64_t i = 0; a && i < n; i++) {
        rask_binary op = a->dtype == RASK_DT_BOOL ? RASK_BINARY_NOT_EQUAL : RASK_BINARY_SUB;
        a = rk_call_binary(c, op, rk_call_part(c, a, axis, 1, RASK_DEFAULT), rk_call_part(c, a, axis, 0, -1));
    }
    return rk_eval_array(a);
}

/* Elements parts[2] … less than parts[3] are taken from those at parts[0] … less than parts[1], over their distance. */
static rask_array *slope(rk_call *c, rask_array *a, int axis, const int64_t parts[4], double distance)
{
    rask_array *later = rk_call_part(c, a, axis, parts[0], parts[1]);
    rask_array *rise =
        rk_call_binary(c, RASK_BINARY_SUB, later, rk_call_part(c, a, axis, parts[2], parts[3]));
    return rk_call_with(c, RASK_BINARY_DIV, rise, distance);
}

/* The slope between the neighbours of each element; at the ends to its only neighbour. */
static rk_eval_value gradient(rk_call *c)
{
    static const int64_t parts[3][4] = {{1, 2, 0, 1}, {2, RASK_DEFAULT, 0, -2}, {-1, RASK_DEFAULT, -2, -1}};
    rask_array *a = rk_call_array(c, "f"), *slopes[3];
    double dx = rk_call_f64(c, "dx", 1);
    if (a && a->ndim != 1 && !rk_call_given(c, "axis"))
        return rk_call_fail(c, "f", RASK_EUNSUPPORTED, "of %u dimensions along one axis only: axis=0",
                            a->ndim);
    int axis = a ? rk_call_axis_of(c, a, rk_call_axis(c, "axis", 0)) : -1;
    if (axis < 0 || c->eval->graph->status)
        return (rk_eval_value){.kind = RK_EVAL_FAILED};
    if (a->shape[axis] < 2)
        return rk_call_fail(c, "f", RASK_EINVAL, "two elements or more expected, not %lld",
                            (long long)a->shape[axis]);
    if (!rk_dtype_is_float(a->dtype) && !rk_dtype_is_complex(a->dtype))
        a = rk_call_cast(c, a, RASK_DT_F64);
    for (int i = 0; i < 3; i++)
        slopes[i] = slope(c, a, axis, parts[i], i == 1 ? 2 * dx : dx);
    return rk_eval_array(rask_array_concatenate_at(slopes, 3, axis, RK_EVAL_SITE(c->eval)));
}

/* The smallest and the largest element, now. NULL, latched. */
static double *ends_of(rk_call *c, rask_array *a)
{
    size_t count = 0;
    rask_array *both[2] = {rk_call_reduce(c, RASK_REDUCE_MIN, a, RASK_ALL),
                           rk_call_reduce(c, RASK_REDUCE_MAX, a, RASK_ALL)};
    rk_eval_value value = rk_eval_array(rask_array_stack_at(both, 2, 0, RK_EVAL_SITE(c->eval)));
    value.at = c->eval->at;
    return value.kind == RK_EVAL_ARRAY ? rk_eval_to_numbers(c->eval, &value, &count) : NULL;
}

/* How often 0, 1, 2, … occur: the last bin of a histogram has both its ends, but there is nothing beyond the largest. */
static rk_eval_value bincount(rk_call *c)
{
    rask_array *a = rk_call_array(c, "x");
    int64_t count = rk_call_i64(c, "minlength", 0);
    if (a && (a->ndim != 1 || !rk_dtype_is_integer(a->dtype)))
        return rk_call_fail(c, "x", RASK_ETYPE, "integers along one axis expected");
    const double *ends = a && a->shape[0] && !c->eval->graph->status ? ends_of(c, a) : NULL;
    if (c->eval->graph->status)
        return (rk_eval_value){.kind = RK_EVAL_FAILED};
    if (count < 0 || count >= RK_MAX_EVAL_LIST || (ends && (ends[0] < 0 || ends[1] >= RK_MAX_EVAL_LIST - 1)))
        return rk_call_fail(c, "x", RASK_ERANGE, "numbers from 0 to below %d expected", RK_MAX_EVAL_LIST - 1);
    count = ends && ends[1] >= (double)count ? (int64_t)ends[1] + 1 : count;
    double *edges = rk_eval_memory(c->eval, ((size_t)count + 1) * sizeof *edges);
    for (int64_t i = 0; edges && i <= count; i++)
        edges[i] = (double)i;
    return rk_eval_array(!edges  ? NULL
                         : count ? rask_array_histogram_at(a, edges, (size_t)count + 1, RK_EVAL_SITE(c->eval))
                                 : rk_call_cast(c, a, RASK_DT_I64));
}

/* --- vectors of points */

/* "full", "same" or "valid"; -1, latched: something else. */
static int convolve_mode(rk_call *c)
{
    const rk_eval_value *mode = rk_call_value(c, "mode");
    if (!rk_eval_given(mode) || rk_eval_text_is(mode, "full"))
        return RASK_CONVOLVE_FULL;
    if (rk_eval_text_is(mode, "same"))
        return RASK_CONVOLVE_SAME;
    if (rk_eval_text_is(mode, "valid"))
        return RASK_CONVOLVE_VALID;
    rk_call_fail(c, "mode", RASK_EINVAL, "\"full\", \"same\" or \"valid\" expected");
    return -1;
}

/* A number is a vector of one. */
static rask_array *vector(rk_call *c, const char *name)
{
    rask_array *a = rk_call_array(c, name);
    return a && !a->ndim ? rask_array_expand_dims_at(a, 0, RK_EVAL_SITE(c->eval)) : a;
}

static rk_eval_value convolve(rk_call *c)
{
    rask_array *a = vector(c, "a"), *v = vector(c, "v");
    int mode = convolve_mode(c);
    if (mode < 0)
        return (rk_eval_value){.kind = RK_EVAL_FAILED};
    return rk_eval_array(rask_array_convolve_at(a, v, (rask_convolve_mode)mode, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value interp(rk_call *c)
{
    rask_operand left, right;
    bool has_left = rk_call_given(c, "left"), has_right = rk_call_given(c, "right");
    rask_array *x = rk_call_array(c, "x"), *xp = rk_call_array(c, "xp"), *fp = rk_call_array(c, "fp");
    if (has_left)
        left = rk_call_operand(c, "left");
    if (has_right)
        right = rk_call_operand(c, "right");
    if (c->eval->graph->status)
        return (rk_eval_value){.kind = RK_EVAL_FAILED};
    return rk_eval_array(rask_array_interp_at(x, xp, fp, has_left ? &left : NULL, has_right ? &right : NULL,
                                              RK_EVAL_SITE(c->eval)));
}

static const rk_eval_function rows[] = {
    {"argsort", "a; axis", sort, 1, RK_EVAL_METHOD},
    {"bincount", "x; * minlength", bincount, 0, 0},
    {"convolve", "a v; mode", convolve, 0, 0},
    {"cumsum", "a; axis dtype", cumulative, 0, RK_EVAL_METHOD},
    {"cumprod", "a; axis dtype", cumulative, 1, RK_EVAL_METHOD},
    {"diff", "a; n axis", diff, 0, 0},
    {"gradient", "f; dx * axis", gradient, 0, 0},
    {"histogram", "a; bins range density", histogram, 0, 0},
    {"interp", "x xp fp; left right", interp, 0, 0},
    {"median", "a; axis * keepdims", median, 0, 0},
    {"nanmedian", "a; axis * keepdims", median, 1, 0},
    {"nanpercentile", "a q; axis * method keepdims", quantile, NANPERCENTILE, 0},
    {"nanquantile", "a q; axis * method keepdims", quantile, NANQUANTILE, 0},
    {"percentile", "a q; axis * method keepdims", quantile, PERCENTILE, 0},
    {"quantile", "a q; axis * method keepdims", quantile, QUANTILE, 0},
    {"sort", "a; axis", sort, 0, 0},
    {"topk", "a k", topk, 0, 0},
    {"unique", "a; * return_counts", unique, 0, 0},
};

const rk_eval_table rk_eval_statistics = {rows, sizeof rows / sizeof *rows};
