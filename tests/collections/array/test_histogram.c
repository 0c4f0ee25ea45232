/* Histograms: bins as NumPy's, NaN in none, edges computed or given, counts that do not depend on chunks. */
#include "statistics.h"

#include <math.h>

static rask_graph *g;

static void set_up(void)
{
    g = rask_graph_new();
}
static void tear_down(void)
{
    rask_graph_free(g);
}
TestSuite(histogram, .init = set_up, .fini = tear_down);

/* By definition. */
static void count(const double *x, size_t n, const double *edges, size_t bins, int64_t *counts)
{
    memset(counts, 0, bins * sizeof *counts);
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < bins; b++)
            if (x[i] >= edges[b] && (x[i] < edges[b + 1] || (b + 1 == bins && x[i] == edges[b + 1])))
                counts[b]++;
}

static void expect_histogram(const double *x, size_t n, const double *edges, size_t bins, const char *what)
{
    int64_t *counts = malloc(bins * sizeof *counts);
    count(x, n, edges, bins, counts);
    rask_array *h = rask_array_histogram_at(vector_of(g, RASK_DT_F64, x, (int64_t)n), edges, bins + 1, HERE);
    cr_assert_eq(rask_array_dtype(h), RASK_DT_I64);
    expect_bytes(h, counts, bins * sizeof *counts, what);
    free(counts);
}

Test(histogram, elements_at_edges_belong_to_the_bin_above)
{
    const double x[] = {
        0, 1, 1, 2, 3, 3, -0.1, 3.1, NAN, INFINITY, -INFINITY, nextafter(1, 0), nextafter(2, 0)};
    const double even[] = {0, 1, 2, 3}, uneven[] = {0, 0.1, 2, 3}, same[] = {0, 1, 1, 1, 3},
                 wide[] = {-INFINITY, 0, INFINITY};
    const double point[] = {1, 1}, tail[] = {0, 3, 3};
    expect_histogram(x, 13, even, 3, "even");
    expect_histogram(x, 13, uneven, 3, "uneven");
    expect_histogram(x, 13, same, 4, "equal edges");
    expect_histogram(x, 13, wide, 2, "infinite");
    expect_histogram(x, 13, point, 1, "a point");
    expect_histogram(x, 13, tail, 2, "a point at the end");
}

Test(histogram, many_elements_in_many_parts)
{
    const size_t n = 600000, bins = 37;
    double *x = malloc(n * sizeof *x), edges[38], skewed[38];
    uint64_t state = 11;
    for (size_t i = 0; i < n; i++)
        x[i] = i % 1000 ? next_real(&state) * 1.2 : NAN;
    for (size_t i = 0; i <= bins; i++) {
        edges[i] = -1 + 2 * (double)i / (double)bins;
        skewed[i] = -1 + pow((double)i / (double)bins, 3);
    }
    expect_histogram(x, n, edges, bins, "even");
    expect_histogram(x, n, skewed, bins, "skewed");
    free(x);
}

/* Where rounding puts the guess into the neighbour. */
Test(histogram, elements_that_are_edges_are_where_the_edges_say)
{
    const size_t bins = 3000;
    double edges[3001], x[9003];
    for (size_t i = 0; i <= bins; i++) {
        edges[i] = 0.1 + (double)i * 0.1;
        x[3 * i] = edges[i];
        x[3 * i + 1] = nextafter(edges[i], -1);
        x[3 * i + 2] = nextafter(edges[i], 1000);
    }
    expect_histogram(x, 9003, edges, bins, "edges as elements");
}

Test(histogram, edges_are_those_of_linspace)
{
    const double x[] = {1, 4, 2, 2, 11, 7};
    const double edges_given[] = {1, 6, 11};
    const int64_t counts[] = {4, 2};
    rask_array *edges,
        *h = rask_array_histogram_bins_at(vector_of(g, RASK_DT_F64, x, 6), 2, NULL, &edges, HERE);
    expect_bytes(h, counts, sizeof counts, "counts");
    expect_bytes(edges, edges_given, sizeof edges_given, "edges");
}

Test(histogram, edges_of_f32_are_f32)
{
    const float x[] = {0, 10, 5};
    const float step = 10.0f / 7;
    float expected[8];
    for (int i = 0; i < 8; i++)
        expected[i] = i == 7 ? 10 : (float)i * step + 0;
    rask_array *edges;
    cr_assert_not_null(rask_array_histogram_bins_at(vector_of(g, RASK_DT_F32, x, 3), 7, NULL, &edges, HERE));
    cr_assert_eq(rask_array_dtype(edges), RASK_DT_F32);
    expect_bytes(edges, expected, sizeof expected, "edges");
}

Test(histogram, one_value_and_no_value_have_a_range)
{
    const double x[] = {3, 3}, around[] = {2.5, 3, 3.5}, unit[] = {0, 0.5, 1};
    const int64_t counts[] = {0, 2}, none[] = {0, 0};
    rask_array *edges,
        *h = rask_array_histogram_bins_at(vector_of(g, RASK_DT_F64, x, 2), 2, NULL, &edges, HERE);
    expect_bytes(edges, around, sizeof around, "one value");
    expect_bytes(h, counts, sizeof counts, "one value");
    h = rask_array_histogram_bins_at(vector_of(g, RASK_DT_F64, x, 0), 2, NULL, &edges, HERE);
    expect_bytes(edges, unit, sizeof unit, "no value");
    expect_bytes(h, none, sizeof none, "no value");
}

Test(histogram, a_range_leaves_out_what_is_outside)
{
    const int32_t x[] = {-5, 0, 1, 9, 10, 11};
    const double range[] = {0, 10};
    const int64_t counts[] = {2, 2};
    expect_bytes(rask_array_histogram_bins_at(vector_of(g, RASK_DT_I32, x, 6), 2, range, NULL, HERE), counts,
                 sizeof counts, "range");
}

Test(histogram, a_range_that_is_not_finite_fails_when_it_runs)
{
    const double x[] = {1, NAN};
    rask_block out = {.data = NULL};
    rask_array *h = rask_array_histogram_bins_at(vector_of(g, RASK_DT_F64, x, 2), 2, NULL, NULL, HERE);
    cr_assert_not_null(h);
    rask_options o = options_of(64 << 20, 2);
    cr_expect_eq(rask_array_compute(&h, 1, &o, &out), RASK_EINVAL);
    cr_expect_not_null(strstr(rask_graph_error(g), "not finite"), "%s", rask_graph_error(g));
    cr_expect_not_null(rask_array_histogram_bins_at(vector_of(g, RASK_DT_F64, x, 1), 2, NULL, NULL, HERE),
                       "the graph is in no error");
}

static void expect_refused(rask_array *h, int status, const char *text)
{
    cr_expect_null(h);
    cr_expect_eq(rask_graph_status(g), status, "%s", text);
    cr_expect_not_null(strstr(rask_graph_error(g), text), "%s", rask_graph_error(g));
    tear_down();
    set_up();
}

Test(histogram, bad_edges_are_refused)
{
    const double x[] = {1, 2}, falling[] = {0, 2, 1}, nan_edges[] = {0, NAN}, range[] = {3, 1};
    const double z[] = {1, 2};
    expect_refused(rask_array_histogram_at(vector_of(g, RASK_DT_F64, x, 2), falling, 3, HERE), RASK_EINVAL,
                   "ascend");
    expect_refused(rask_array_histogram_at(vector_of(g, RASK_DT_F64, x, 2), nan_edges, 2, HERE), RASK_EINVAL,
                   "ascend");
    expect_refused(rask_array_histogram_at(vector_of(g, RASK_DT_F64, x, 2), falling, 1, HERE), RASK_EINVAL,
                   "at least 2");
    expect_refused(rask_array_histogram_at(vector_of(g, RASK_DT_C128, z, 1), x, 2, HERE), RASK_ETYPE,
                   "complex128");
    expect_refused(rask_array_histogram_bins_at(vector_of(g, RASK_DT_F64, x, 2), 0, NULL, NULL, HERE),
                   RASK_EINVAL, "at least 1");
    expect_refused(rask_array_histogram_bins_at(vector_of(g, RASK_DT_F64, x, 2), 2, range, NULL, HERE),
                   RASK_EINVAL, "ascend");
}
