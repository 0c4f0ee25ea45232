/* Quantiles: exact, of lines and in passes, of every dtype, with NumPy's interpolation. */
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
TestSuite(quantile, .init = set_up, .fini = tear_down);

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Of sorted elements, as numpy.quantile. */
static double expected_quantile(const double *sorted, size_t n, double q)
{
    double at = (double)(n - 1) * q, low = floor(at), t = at - low;
    double a = sorted[(size_t)low], b = sorted[(size_t)low + 1 < n ? (size_t)low + 1 : n - 1];
    if (a == b || t == 0)
        return a;
    return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
}

enum { MANY = 9 };
static const double many[MANY] = {0, 1, 0.5, 0.25, 0.001, 0.999, 0.3333, 0.75, 0.123456};

/* count quantiles of all of x. */
static void expect_quantiles(const double *x, size_t n, size_t count, const char *what)
{
    double *sorted = malloc(n * sizeof *sorted), expected[MANY];
    memcpy(sorted, x, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    for (size_t i = 0; i < count; i++)
        expected[i] = expected_quantile(sorted, n, many[i]);
    rask_array *a = vector_of(g, RASK_DT_F64, x, (int64_t)n);
    expect_bytes(rask_array_quantile_at(a, many, count, RASK_ALL, HERE), expected, count * sizeof *expected,
                 what);
    free(sorted);
}

Test(quantile, few_elements)
{
    const double x[] = {3, -1, 4, 1, -5, 9, 2.5, -6};
    for (size_t n = 1; n <= 8; n++)
        expect_quantiles(x, n, MANY, "few");
}

Test(quantile, many_elements_are_found_in_passes)
{
    const size_t n = 300000;
    double *x = malloc(n * sizeof *x);
    uint64_t state = 5;
    for (size_t i = 0; i < n; i++)
        x[i] = next_real(&state) * exp(20 * next_real(&state));
    expect_quantiles(x, n, 1, "one");
    expect_quantiles(x, n, 3, "three");
    expect_quantiles(x, n, MANY, "many");
    for (size_t i = 0; i < n; i++)
        x[i] = (double)(i % 3); /* ranks that share their keys */
    expect_quantiles(x, n, MANY, "equal ones");
    free(x);
}

Test(quantile, more_quantiles_than_digits_have_room)
{
    enum { COUNT = 1000 };
    const size_t n = 100003;
    double *x = malloc(n * sizeof *x), q[COUNT], *expected = malloc(COUNT * sizeof *expected);
    uint64_t state = 9;
    for (size_t i = 0; i < n; i++)
        x[i] = next_real(&state);
    rask_array *a = vector_of(g, RASK_DT_F64, x, (int64_t)n);
    double *sorted = malloc(n * sizeof *sorted);
    memcpy(sorted, x, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    for (size_t i = 0; i < COUNT; i++) {
        q[i] = (double)i / (COUNT - 1);
        expected[i] = expected_quantile(sorted, n, q[i]);
    }
    expect_bytes(rask_array_quantile_at(a, q, COUNT, 0, HERE), expected, COUNT * sizeof *expected,
                 "thousand");
    free(x);
    free(sorted);
    free(expected);
}

Test(quantile, along_each_axis)
{
    const int64_t shape[] = {40, 501, 7};
    size_t size = 40 * 501 * 7;
    double *x = malloc(size * sizeof *x), line[501], *expected = malloc(2 * size * sizeof *x);
    const double q[] = {0.1, 0.77};
    uint64_t state = 2;
    for (size_t i = 0; i < size; i++)
        x[i] = next_real(&state);
    rask_array *a = array_of(g, RASK_DT_F64, x, 3, shape);
    size_t strides[] = {501 * 7, 7, 1};
    for (int axis = 0; axis < 3; axis++) {
        size_t n = (size_t)shape[axis], at = 0, lines = size / n;
        for (size_t start = 0; start < size; start++) {
            if (start / strides[axis] % n)
                continue;
            for (size_t i = 0; i < n; i++)
                line[i] = x[start + i * strides[axis]];
            qsort(line, n, sizeof *line, compare);
            expected[at] = expected_quantile(line, n, q[0]);
            expected[at++ + lines] = expected_quantile(line, n, q[1]);
        }
        rask_array *both = rask_array_quantile_at(a, q, 2, axis, HERE);
        cr_assert_eq(rask_array_ndim(both), 3);
        expect_bytes(both, expected, 2 * lines * sizeof *expected, "two");
        rask_array *one = rask_array_quantile_at(a, q, 0, axis, HERE);
        cr_assert_eq(rask_array_ndim(one), 2);
        expect_bytes(one, expected, lines * sizeof *expected, "one");
    }
    free(x);
    free(expected);
}

/* Two columns of more than a task should have of one line. */
Test(quantile, lines_too_long_for_a_task_go_in_passes)
{
    const int64_t shape[] = {2200000, 2};
    size_t n = (size_t)shape[0];
    double *x = malloc(2 * n * sizeof *x), expected[2] = {(double)(n - 1) / 2, (double)n - 1};
    for (size_t i = 0; i < n; i++) {
        x[2 * i] = (double)(i * 1234577 % n);
        x[2 * i + 1] = 2 * x[2 * i];
    }
    rask_block out = computed(rask_array_median_at(array_of(g, RASK_DT_F64, x, 2, shape), 0, HERE), NULL);
    cr_expect(!memcmp(out.data, expected, sizeof expected));
    release(&out);
    free(x);
}

#define INTEGERS(T, type, low, high)                                                                         \
    {                                                                                                        \
        const type x[] = {high, low, 3, 1, 2};                                                               \
        const double expected[] = {(double)(type)(low), 2, (double)(type)(high)}, q[] = {0, 0.5, 1};         \
        expect_bytes(rask_array_quantile_at(vector_of(g, RASK_DT_##T, x, 5), q, 3, 0, HERE), expected,       \
                     sizeof expected, #T);                                                                   \
    }

Test(quantile, every_integer_keeps_its_order){
    INTEGERS(I8, int8_t, INT8_MIN, INT8_MAX) INTEGERS(I16, int16_t, INT16_MIN, INT16_MAX)
        INTEGERS(I32, int32_t, INT32_MIN, INT32_MAX) INTEGERS(I64, int64_t, INT64_MIN, INT64_MAX)
            INTEGERS(U8, uint8_t, 0, UINT8_MAX) INTEGERS(U16, uint16_t, 0, UINT16_MAX)
                INTEGERS(U32, uint32_t, 0, UINT32_MAX) INTEGERS(U64, uint64_t, 0, UINT64_MAX)}

/* The same by passes: as many as a key has digits. */
Test(quantile, every_dtype_goes_in_passes)
{
    enum { N = 70000 };
    static int8_t i8[8 * N];
    static int16_t i16[4 * N];
    static float f32[N];
    static int64_t i64[N];
    double q = 0.25;
    for (int i = 0; i < 8 * N; i++)
        i8[i] = (int8_t)(i % 201 - 100);
    for (int i = 0; i < 4 * N; i++)
        i16[i] = (int16_t)(i % 20001 - 10000);
    for (int i = 0; i < N; i++) {
        f32[i] = (float)(i * 31 % N) - 1000.5f;
        i64[i] = ((int64_t)i * 31 % N - 1000) * 1000000007;
    }
    double expected[] = {-50, -5000, 0, 0};
    double at = (N - 1) * q, low = floor(at);
    expected[2] = (low - 1000.5) + (at - low);
    expected[3] = ((low + 1) - 1000) * 1000000007 - 1000000007 * (1 - (at - low));
    expect_bytes(rask_array_quantile_at(vector_of(g, RASK_DT_I8, i8, 8 * N / 201 * 201), &q, 0, 0, HERE),
                 &expected[0], 8, "i8");
    expect_bytes(
        rask_array_quantile_at(vector_of(g, RASK_DT_I16, i16, 4 * N / 20001 * 20001), &q, 0, 0, HERE),
        &expected[1], 8, "i16");
    expect_bytes(rask_array_quantile_at(vector_of(g, RASK_DT_F32, f32, N), &q, 0, 0, HERE), &expected[2], 8,
                 "f32");
    expect_bytes(rask_array_quantile_at(vector_of(g, RASK_DT_I64, i64, N), &q, 0, 0, HERE), &expected[3], 8,
                 "i64");
}

static double number(rask_array *a)
{
    rask_block out = computed(a, NULL);
    double x = out.dtype == RASK_DT_F32 ? (double)*(float *)out.data : *(double *)out.data;
    release(&out);
    return x;
}

Test(quantile, nan_spoils_a_line_or_is_left_out)
{
    const double x[] = {1, NAN, 3, -NAN, 2, 10}, none[] = {NAN, NAN}, half = 0.5;
    rask_array *a = vector_of(g, RASK_DT_F64, x, 6), *nans = vector_of(g, RASK_DT_F64, none, 2);
    cr_expect(isnan(number(rask_array_quantile_at(a, &half, 0, RASK_ALL, HERE))));
    cr_expect(isnan(number(rask_array_median_at(a, RASK_ALL, HERE))));
    cr_expect_eq(number(rask_array_nanquantile_at(a, &half, 0, 0, HERE)), 2.5);
    cr_expect_eq(number(rask_array_nanmedian_at(a, 0, HERE)), 2.5);
    cr_expect(isnan(number(rask_array_nanmedian_at(nans, 0, HERE))));
}

Test(quantile, nan_among_many_elements)
{
    enum { N = 100000 };
    double *x = malloc(N * sizeof *x);
    for (int i = 0; i < N; i++)
        x[i] = i;
    x[777] = NAN;
    x[N - 1] = -NAN;
    rask_array *a = vector_of(g, RASK_DT_F64, x, N);
    cr_expect(isnan(number(rask_array_median_at(a, RASK_ALL, HERE))));
    cr_expect_eq(number(rask_array_nanmedian_at(a, RASK_ALL, HERE)), 50000 - 0.5);
    free(x);
}

Test(quantile, medians_of_f32_are_f32_and_of_integers_f64)
{
    const float f[] = {1, 2.5f};
    const int16_t i[] = {5, 2, 8, 3};
    rask_array *a = rask_array_median_at(vector_of(g, RASK_DT_F32, f, 2), 0, HERE);
    cr_expect_eq(rask_array_dtype(a), RASK_DT_F32);
    cr_expect_eq(number(a), 1.75);
    cr_expect_eq(number(rask_array_median_at(vector_of(g, RASK_DT_I16, i, 4), 0, HERE)), 4);
}

Test(quantile, infinities_are_elements_like_others)
{
    const double x[] = {-INFINITY, 0, INFINITY, INFINITY};
    const double q[] = {0, 1, 0.9};
    const double expected[] = {-INFINITY, INFINITY, INFINITY};
    expect_bytes(rask_array_quantile_at(vector_of(g, RASK_DT_F64, x, 4), q, 3, 0, HERE), expected,
                 sizeof expected, "inf");
}

Test(quantile, percentiles_count_to_a_hundred)
{
    const int32_t x[] = {0, 10, 20, 30, 40};
    const double q[] = {50, 12.5}, expected[] = {20, 5};
    expect_bytes(rask_array_percentile_at(vector_of(g, RASK_DT_I32, x, 5), q, 2, 0, HERE), expected,
                 sizeof expected, "%");
}

static void expect_refused(rask_array *a, int status, const char *text)
{
    cr_expect_null(a);
    cr_expect_eq(rask_graph_status(g), status);
    cr_expect_not_null(strstr(rask_graph_error(g), text), "%s", rask_graph_error(g));
    tear_down();
    set_up();
}

Test(quantile, what_has_no_quantiles_is_refused)
{
    const double x[] = {1, 2}, low = -0.1, high = 100.5, nan = NAN, half = 0.5;
    expect_refused(rask_array_quantile_at(vector_of(g, RASK_DT_F64, x, 2), &low, 0, 0, HERE), RASK_EINVAL,
                   "-0.1");
    expect_refused(rask_array_quantile_at(vector_of(g, RASK_DT_F64, x, 2), &nan, 1, 0, HERE), RASK_EINVAL,
                   "nan");
    expect_refused(rask_array_percentile_at(vector_of(g, RASK_DT_F64, x, 2), &high, 1, 0, HERE), RASK_EINVAL,
                   "100.5");
    expect_refused(rask_array_quantile_at(vector_of(g, RASK_DT_F64, x, 0), &half, 0, 0, HERE), RASK_EINVAL,
                   "no elements");
    expect_refused(rask_array_quantile_at(vector_of(g, RASK_DT_C128, x, 1), &half, 0, 0, HERE), RASK_ETYPE,
                   "complex");
    expect_refused(rask_array_quantile_at(vector_of(g, RASK_DT_F64, x, 2), &half, 0, 1, HERE), RASK_EINVAL,
                   "axis");
    expect_refused(rask_array_quantile_at(vector_of(g, RASK_DT_F64, x, 2), NULL, 0, 0, HERE), RASK_EINVAL,
                   "no quantiles");
}
