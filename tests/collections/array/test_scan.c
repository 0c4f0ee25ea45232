/* Running sums and products: one after another as NumPy's, in pieces along few long lines; the same whatever the budget. */
#include "statistics.h"

static rask_graph *g;

static void set_up(void)
{
    g = rask_graph_new();
}
static void tear_down(void)
{
    rask_graph_free(g);
}
TestSuite(scan, .init = set_up, .fini = tear_down);

static double *random_reals(size_t n)
{
    uint64_t state = 7;
    double *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = next_real(&state);
    return x;
}

/* outer × n × inner elements added along n, one after another. */
static double *added_up(const double *x, size_t outer, size_t n, size_t inner)
{
    double *y = malloc(outer * n * inner * sizeof *y);
    for (size_t o = 0; o < outer; o++)
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < inner; k++) {
                size_t at = (o * n + i) * inner + k;
                y[at] = i ? y[at - inner] + x[at] : x[at];
            }
    return y;
}

static void expect_sums(uint32_t ndim, const int64_t *shape, int axis)
{
    size_t outer = 1, inner = 1, size = 1;
    for (uint32_t i = 0; i < ndim; i++) {
        outer *= (int)i < axis ? (size_t)shape[i] : 1;
        inner *= (int)i > axis ? (size_t)shape[i] : 1;
        size *= (size_t)shape[i];
    }
    double *x = random_reals(size), *y = added_up(x, outer, (size_t)shape[axis], inner);
    rask_array *a = array_of(g, RASK_DT_F64, x, ndim, shape);
    expect_bytes(rask_array_cumsum_at(a, axis, HERE), y, size * sizeof *y, "cumsum");
    free(x);
    free(y);
}

Test(scan, every_axis_gives_the_bits_of_adding_one_after_another)
{
    const int64_t cube[] = {70, 130, 90}, flat[] = {3000, 700}, tall[] = {200000, 3}, wide[] = {5, 300001};
    for (int axis = 0; axis < 3; axis++)
        expect_sums(3, cube, axis);
    for (int axis = 0; axis < 2; axis++) {
        expect_sums(2, flat, axis);
        expect_sums(2, tall, axis);
        expect_sums(2, wide, axis);
    }
}

Test(scan, one_line_up_to_a_million_elements_is_added_in_order)
{
    const int64_t n = 1 << 20;
    expect_sums(1, &n, 0);
}

/* What the contract says of longer ones. */
Test(scan, a_long_line_is_added_in_pieces_of_4096)
{
    const size_t n = ((size_t)1 << 20) + 70001;
    double *x = random_reals(n), *y = malloc(n * sizeof *y), before = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 4096 == 0 && i)
            before = y[i - 1];
        static double local;
        local = i % 4096 ? local + x[i] : x[i];
        y[i] = i < 4096 ? local : before + local;
    }
    expect_bytes(rask_array_cumsum_at(vector_of(g, RASK_DT_F64, x, (int64_t)n), 0, HERE), y, n * sizeof *y,
                 "pieces");
    free(x);
    free(y);
}

Test(scan, few_long_lines_of_integers_wrap)
{
    const int64_t shape[] = {(1 << 20) + 5000, 3};
    size_t n = (size_t)(shape[0] * shape[1]);
    int64_t *x = malloc(n * sizeof *x), *sums = malloc(n * sizeof *x), *products = malloc(n * sizeof *x);
    uint64_t state = 3;
    for (size_t i = 0; i < n; i++) {
        x[i] = (int64_t)((uint64_t)next_random(&state) << 32 | next_random(&state) | 1);
        sums[i] = i < 3 ? x[i] : (int64_t)((uint64_t)sums[i - 3] + (uint64_t)x[i]);
        products[i] = i < 3 ? x[i] : (int64_t)((uint64_t)products[i - 3] * (uint64_t)x[i]);
    }
    rask_array *a = array_of(g, RASK_DT_I64, x, 2, shape);
    expect_bytes(rask_array_cumsum_at(a, 0, HERE), sums, n * sizeof *x, "sums");
    expect_bytes(rask_array_cumprod_at(a, 0, HERE), products, n * sizeof *x, "products");
    free(x);
    free(sums);
    free(products);
}

Test(scan, small_integers_grow_and_bools_count)
{
    const int8_t x[] = {100, 100, -128, 127};
    const bool b[] = {true, false, true, true};
    const uint16_t u[] = {60000, 60000, 2, 3};
    const int64_t x_sums[] = {100, 200, 72, 199}, b_sums[] = {1, 1, 2, 3};
    const uint64_t u_products[] = {60000, 3600000000u, 7200000000u, 21600000000u};
    rask_array *bytes = rask_array_cumsum_at(vector_of(g, RASK_DT_I8, x, 4), -1, HERE);
    rask_array *products = rask_array_cumprod_at(vector_of(g, RASK_DT_U16, u, 4), 0, HERE);
    cr_expect_eq(rask_array_dtype(bytes), RASK_DT_I64);
    cr_expect_eq(rask_array_dtype(products), RASK_DT_U64);
    expect_bytes(bytes, x_sums, sizeof x_sums, "i8");
    expect_bytes(products, u_products, sizeof u_products, "u16");
    expect_bytes(rask_array_cumsum_at(vector_of(g, RASK_DT_BOOL, b, 4), 0, HERE), b_sums, sizeof b_sums,
                 "bool");
}

Test(scan, complex_products_multiply)
{
    const double x[] = {1, 2, 0, 1, -3, 0.5}, y[] = {1, 2, -2, 1, 5.5, -4};
    expect_bytes(rask_array_cumprod_at(vector_of(g, RASK_DT_C128, x, 3), 0, HERE), y, sizeof y, "c128");
}

Test(scan, all_axes_are_taken_in_c_order)
{
    const int32_t x[2][3] = {{1, 2, 3}, {4, 5, 6}};
    const int64_t shape[] = {2, 3}, y[] = {1, 3, 6, 10, 15, 21};
    rask_array *sums = rask_array_cumsum_at(array_of(g, RASK_DT_I32, x, 2, shape), RASK_ALL, HERE);
    cr_assert_eq(rask_array_ndim(sums), 1);
    expect_bytes(sums, y, sizeof y, "flat");
}

Test(scan, nothing_gives_nothing)
{
    const int64_t shape[] = {0, 3};
    for (int axis = 0; axis < 2; axis++) {
        rask_array *a = array_of(g, RASK_DT_F64, "", 2, shape);
        rask_block out = computed(rask_array_cumsum_at(a, axis, HERE), NULL);
        cr_expect(out.shape[0] == 0 && out.shape[1] == 3);
        release(&out);
    }
}

Test(scan, an_axis_that_is_not_there_is_an_error)
{
    const double x[] = {1};
    cr_expect_null(rask_array_cumsum_at(vector_of(g, RASK_DT_F64, x, 1), 1, HERE));
    cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
    cr_expect_not_null(strstr(rask_graph_error(g), "rask_array_cumsum"));
}
