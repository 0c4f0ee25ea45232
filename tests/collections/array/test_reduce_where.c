/* Reductions of some elements, and from a first value on. What they come to is compared with NumPy elsewhere. */
#include "linalg_support.h"

#define HERE __FILE__, __LINE__

static rask_array *reduced(rask_reduction op, rask_array *a, rask_array *where, const rask_operand *initial)
{
    rask_reduce_options o = {.size = sizeof o, .where = where, .initial = initial};
    return rask_array_reduce(op, a, &o);
}

static rask_array *variance(rask_graph *g)
{
    rask_array *a = rask_array_uniform(g, 1, -1, 1, 900, 1000);
    rask_reduce_options o = {
        .size = sizeof o, .axes = (const int[]){1}, .axis_count = 1, .where = rask_array_gt(a, 0)};
    return rask_array_reduce(RASK_REDUCE_VAR, a, &o);
}

Test(reduce_where, the_bits_do_not_depend_on_budget_and_workers)
{
    expect_same_bits(variance);
}

/* Options of a program that was built before these members were there end before them. */
Test(reduce_where, shorter_options_have_no_mask)
{
    rask_graph *g = rask_graph_new();
    rask_reduce_options o = {.size = offsetof(rask_reduce_options, where),
                             .where = rask_array_zeros(g, RASK_DT_BOOL, 3)};
    double sum = 0;
    cr_assert_eq(
        rask_compute(rask_array_reduce(RASK_REDUCE_SUM, rask_array_ones(g, RASK_DT_F64, 3), &o), &sum),
        RASK_OK);
    cr_expect_eq(sum, 3);
    rask_graph_free(g);
}

static void refused(rask_reduction op, bool masked, const int64_t *mask_shape, const rask_operand *initial,
                    int status, const char *reason)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_ones(g, RASK_DT_I64, 3, 4);
    rask_array *mask =
        masked ? rask_array_full_at(g, RASK_DT_BOOL, 2, mask_shape, RASK_OPERAND(true), HERE) : NULL;
    cr_expect_null(reduced(op, a, mask, initial));
    cr_expect_eq(rask_graph_status(g), status, "%s", reason);
    cr_expect_not_null(strstr(rask_graph_error(g), reason), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

Test(reduce_where, what_does_not_fit_is_refused_with_the_shapes)
{
    const rask_operand half = RASK_OPERAND(0.5), one = RASK_OPERAND(1);
    refused(RASK_REDUCE_SUM, true, SHAPE(2, 4), NULL, RASK_EINVAL,
            "array of shape (3, 4): where has shape (2, 4)");
    refused(RASK_REDUCE_MAX, true, SHAPE(3, 4), NULL, RASK_EINVAL, "needs an initial value");
    refused(RASK_REDUCE_SUM, false, NULL, &half, RASK_ETYPE,
            "initial value is float64, and the result int64");
    refused(RASK_REDUCE_MEAN, false, NULL, &one, RASK_EINVAL, "takes no initial value");
    refused(RASK_REDUCE_ARGMAX, true, SHAPE(3, 4), NULL, RASK_EINVAL, "takes no where");
}

Test(reduce_where, numbers_are_no_mask)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_ones(g, RASK_DT_F64, 3);
    cr_expect_null(reduced(RASK_REDUCE_SUM, a, a, NULL));
    cr_expect_eq(rask_graph_status(g), RASK_ETYPE);
    rask_graph_free(g);
}
