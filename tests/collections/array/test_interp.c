/* Convolution and interpolation. What they come to is compared with NumPy elsewhere. */
#include "linalg_support.h"

#define HERE __FILE__, __LINE__

static rask_array *smoothed(rask_graph *g)
{
    return rask_array_convolve(rask_array_uniform(g, 1, -1, 1, 1500000), rask_array_uniform(g, 2, -1, 1, 37),
                               RASK_CONVOLVE_FULL);
}

static rask_array *looked_up(rask_graph *g)
{
    rask_array *xp = rask_array_linspace(g, 0, 1, 1000);
    return rask_array_interp(rask_array_uniform(g, 1, -0.1, 1.1, 3000, 200), xp, rask_array_square(xp), NULL,
                             NULL);
}

Test(convolve, the_bits_do_not_depend_on_budget_and_workers)
{
    expect_same_bits(smoothed);
}

Test(interp, the_bits_do_not_depend_on_budget_and_workers)
{
    expect_same_bits(looked_up);
}

/* Every element is made of whole numbers, so that no order of them shows. */
Test(convolve, chunks_are_made_of_what_is_around_them)
{
    enum { N = 70000, M = 3000 };
    rask_graph *g = rask_graph_new();
    rask_options o = with(2, (uint64_t)8 << 20);
    rask_array *ones = rask_array_ones(g, RASK_DT_I64, N);
    rask_block out =
        computed(rask_array_convolve(rask_array_ones(g, RASK_DT_I64, M), ones, RASK_CONVOLVE_FULL), &o);
    const int64_t *x = out.data;
    cr_assert_eq(out.shape[0], N + M - 1);
    for (int64_t i = 0; i < N + M - 1; i++)
        cr_assert_eq(x[i], i < M ? i + 1 : i < N ? M : N + M - 1 - i, "%lld", (long long)i);
    drop(&out);
    rask_graph_free(g);
}

/* Beyond the ends there is nothing, and nothing times infinity is not added. */
Test(convolve, infinities_at_the_ends_stay_infinities)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = array_of(g, RASK_DT_F64, 1, SHAPE(3), (double complex[]){1, 2, 3});
    rask_array *v = array_of(g, RASK_DT_F64, 1, SHAPE(2), (double complex[]){1, INFINITY});
    dense x = values_of(rask_array_convolve(a, v, RASK_CONVOLVE_FULL));
    cr_expect_eq(creal(x.x[0]), 1);
    cr_expect_eq(creal(x.x[1]), INFINITY);
    free(x.x);
    rask_graph_free(g);
}

static void refused(rask_graph *g, rask_array *made, int status, const char *reason)
{
    rask_block out = {0};
    cr_expect_eq(made ? rask_array_compute(&made, 1, NULL, &out) : rask_graph_status(g), status);
    cr_expect_not_null(strstr(rask_graph_error(g), reason), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

Test(convolve, what_is_no_vector_with_elements_is_refused)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_ones(g, RASK_DT_F64, 3);
    refused(g, rask_array_convolve(a, rask_array_ones(g, RASK_DT_F64, 0), RASK_CONVOLVE_SAME), RASK_EINVAL,
            "two vectors with elements expected, not shapes (3,) and (0,)");
    g = rask_graph_new();
    a = rask_array_ones(g, RASK_DT_F64, 3);
    refused(g, rask_array_convolve(a, a, (rask_convolve_mode)3), RASK_EINVAL, "3 is no mode");
}

static rask_array *table(rask_graph *g, int64_t n, const double complex *xp)
{
    return rask_array_interp(rask_array_ones(g, RASK_DT_F64, 2, 2), array_of(g, RASK_DT_F64, 1, SHAPE(n), xp),
                             rask_array_ones(g, RASK_DT_F64, 2), NULL, NULL);
}

Test(interp, a_table_that_does_not_ascend_is_refused)
{
    rask_graph *g = rask_graph_new();
    refused(g, table(g, 2, (double complex[]){1, 0}), RASK_EINVAL, "xp[0] is 1 and the next one 0");
    g = rask_graph_new();
    refused(g, table(g, 2, (double complex[]){0, NAN}), RASK_EINVAL, "xp must ascend");
    g = rask_graph_new();
    refused(g, table(g, 3, (double complex[]){0, 1, 2}), RASK_EINVAL, "not of shapes (3,) and (2,)");
}
