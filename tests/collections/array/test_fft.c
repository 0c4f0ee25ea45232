/* Fourier transforms against their definition. */
#include "linalg_support.h"

#define HERE __FILE__, __LINE__

/* Lines of length n of d, which has them as rows; sign -1: forward. */
static dense by_definition(const dense *d, int sign)
{
    dense out = dense_new(d->rows, d->columns);
    int64_t n = d->columns;
    for (int64_t i = 0; i < d->rows; i++)
        for (int64_t k = 0; k < n; k++)
            for (int64_t j = 0; j < n; j++)
                *at(&out, i, k) += *at(d, i, j) *
                                   cexp(sign * 2 * M_PI * I * (double)(j * k % n) / (double)n) /
                                   (sign > 0 ? (double)n : 1);
    return out;
}

static double close_to(rask_dtype dtype, int64_t n)
{
    return (dtype == RASK_DT_F32 || dtype == RASK_DT_C64 ? 1e-5 : 1e-13) * 20 * (double)(n + 1);
}

static void expect_transform(rask_dtype dtype, int64_t n, bool inverse)
{
    rask_graph *g = FFTW_GRAPH();
    dense a = random_dense((uint64_t)n, 3, n, dtype, 9);
    if (dtype == RASK_DT_BOOL || dtype == RASK_DT_U8)
        for (int64_t i = 0; i < 3 * n; i++)
            a.x[i] = fabs(creal(a.x[i])) > 4;
    rask_array *t = rask_array_fft_at(matrix_of(g, dtype, &a), 1, inverse, HERE);
    cr_assert_not_null(t, "%s", rask_graph_error(g));
    cr_expect_eq(rask_array_dtype(t),
                 dtype == RASK_DT_F32 || dtype == RASK_DT_C64 ? RASK_DT_C64 : RASK_DT_C128);
    dense expected = by_definition(&a, inverse ? 1 : -1), found = values_of(t);
    cr_expect_leq(distance(&found, &expected), close_to(dtype, n), "%s %lld", rask_dtype_name(dtype),
                  (long long)n);
    free(a.x), free(expected.x), free(found.x);
    rask_graph_free(g);
}

Test(fft, is_the_transform_for_all_dtypes_and_lengths)
{
    const rask_dtype dtypes[] = {RASK_DT_BOOL, RASK_DT_U8,  RASK_DT_I64, RASK_DT_F32,
                                 RASK_DT_F64,  RASK_DT_C64, RASK_DT_C128};
    const int64_t lengths[] = {1, 2, 3, 4, 5, 8, 15, 16, 17, 97, 100, 128};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++)
            for (int inverse = 0; inverse < 2; inverse++)
                expect_transform(dtypes[i], lengths[j], inverse);
}

/* Along axis 1 of three, as of the transpose that has it last. */
Test(fft, goes_along_any_axis)
{
    rask_graph *g = FFTW_GRAPH();
    for (int axis = 0; axis < 3; axis++) {
        int64_t shape[3] = {4, 5, 37};
        dense a = random_dense(1, 4 * 5, 37, RASK_DT_C128, 9);
        rask_array *x = array_of(g, RASK_DT_C128, 3, shape, a.x);
        rask_array *found = rask_array_fft_at(x, axis - 3, false, HERE);
        rask_array *last = rask_array_fft_at(rask_array_swapaxes_at(x, axis, 2, HERE), 2, false, HERE);
        dense one = values_of(found), other = values_of(rask_array_swapaxes_at(last, axis, 2, HERE));
        cr_expect_eq(distance(&one, &other), 0);
        free(a.x), free(one.x), free(other.x);
    }
    rask_graph_free(g);
}

Test(rfft, is_the_first_half_of_fft)
{
    const int64_t lengths[] = {1, 2, 7, 8, 33};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        rask_graph *g = FFTW_GRAPH();
        int64_t n = lengths[i];
        dense a = random_dense(2, 2, n, RASK_DT_F64, 9), expected = by_definition(&a, -1);
        dense found = values_of(rask_array_rfft_at(matrix_of(g, RASK_DT_F64, &a), -1, HERE));
        cr_assert_eq(found.columns, n / 2 + 1);
        for (int64_t k = 0; k < 2 * (n / 2 + 1); k++)
            cr_expect_leq(cabs(found.x[k] - *at(&expected, k / (n / 2 + 1), k % (n / 2 + 1))), 1e-11);
        free(a.x), free(expected.x), free(found.x);
        rask_graph_free(g);
    }
}

Test(irfft, takes_rfft_back)
{
    for (int64_t n = 1; n < 20; n++)
        for (int single = 0; single < 2; single++) {
            rask_graph *g = FFTW_GRAPH();
            rask_dtype dtype = single ? RASK_DT_F32 : RASK_DT_F64;
            dense a = random_dense(3, 3, n, dtype, 9);
            rask_array *half = rask_array_rfft_at(matrix_of(g, dtype, &a), 1, HERE);
            rask_array *back = rask_array_irfft_at(half, 1, n, HERE);
            cr_assert_not_null(back, "%s", rask_graph_error(g));
            cr_expect_eq(rask_array_dtype(back), dtype);
            dense found = values_of(back);
            cr_expect_leq(distance(&found, &a), close_to(dtype, n));
            free(a.x), free(found.x);
            rask_graph_free(g);
        }
}

/* As a spectrum of its own length, filled up with zeros or cut off. */
Test(irfft, takes_lengths_of_its_own)
{
    rask_graph *g = FFTW_GRAPH();
    const double complex half[] = {3, 1 + 2 * I, -2 + I, 5 - I, 1};
    for (int64_t n = 1; n < 14; n++) {
        dense whole = dense_new(1, n);
        for (int64_t k = 0; k < n; k++) {
            int64_t from = k <= n / 2 ? k : n - k;
            double complex z = from < 5 ? half[from] : 0;
            whole.x[k] = k == 0 || 2 * k == n ? creal(z) : k <= n / 2 ? z : conj(z);
        }
        dense expected = by_definition(&whole, 1);
        dense found =
            values_of(rask_array_irfft_at(array_of(g, RASK_DT_C128, 1, SHAPE(5), half), 0, n, HERE));
        cr_expect_leq(distance(&found, &expected), 1e-13, "%lld", (long long)n);
        free(whole.x), free(expected.x), free(found.x);
    }
    cr_expect_eq(
        rask_array_size(rask_array_irfft_at(array_of(g, RASK_DT_C128, 1, SHAPE(5), half), 0, 0, HERE)), 8);
    rask_graph_free(g);
}

static rask_array *columns(rask_graph *g)
{
    return rask_array_fft_at(rask_array_normal_at(g, 1, 0, 1, 2, SHAPE(3000, 700), HERE), 0, false, HERE);
}

static rask_array *rows(rask_graph *g)
{
    return rask_array_fft_at(
        rask_array_fft_at(rask_array_normal_at(g, 2, 0, 1, 2, SHAPE(701, 3000), HERE), 1, false, HERE), 1,
        true, HERE);
}

Test(fft, gives_the_same_bits_whatever_budget_and_workers)
{
    rask_graph_free(FFTW_GRAPH());
    expect_same_bits(columns);
    expect_same_bits(rows);
}

Test(fft, does_not_mind_that_a_computation_failed_before)
{
    rask_graph *g = FFTW_GRAPH();
    rask_array *a = array_of(g, RASK_DT_F64, 1, SHAPE(2), (double complex[]){1, 2});
    fail_to_compute(a);
    cr_expect_not_null(rask_array_node(rask_array_fft_at(a, 0, false, HERE)));
    rask_graph_free(g);
}

Test(fft, of_lines_without_elements_is_an_error)
{
    for (int i = 0; i < 3; i++) {
        rask_graph *g = FFTW_GRAPH();
        rask_array *none = array_of(g, RASK_DT_F64, 2, SHAPE(3, 0), NULL),
                   *one = array_of(g, RASK_DT_C128, 2, SHAPE(1, 1), (double complex[]){1});
        cr_expect_null(i == 0   ? rask_array_fft_at(none, 1, false, HERE)
                       : i == 1 ? rask_array_rfft_at(none, 1, HERE)
                                : rask_array_irfft_at(one, 1, 0, HERE));
        cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
        rask_graph_free(g);
    }
}

Test(fft, of_no_lines_is_empty)
{
    rask_graph *g = FFTW_GRAPH();
    dense found =
        values_of(rask_array_fft_at(array_of(g, RASK_DT_F64, 2, SHAPE(0, 3), NULL), 1, false, HERE));
    cr_expect_eq(found.rows, 0);
    free(found.x);
    rask_graph_free(g);
}

Test(rfft, refuses_complex_numbers_and_axes_that_are_not_there)
{
    for (int i = 0; i < 2; i++) {
        rask_graph *g = FFTW_GRAPH();
        rask_array *a = array_of(g, i ? RASK_DT_F64 : RASK_DT_C64, 1, SHAPE(2), (double complex[]){1, 2});
        cr_expect_null(rask_array_rfft_at(a, i ? 1 : 0, HERE));
        cr_expect_eq(rask_graph_status(g), i ? RASK_EINVAL : RASK_ETYPE);
        rask_graph_free(g);
    }
}
