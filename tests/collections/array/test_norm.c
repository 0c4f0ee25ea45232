/* Norms over all elements and along an axis. */
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
TestSuite(norm, .init = set_up, .fini = tear_down);

static double norm_of(rask_array *a, double ord)
{
    rask_block out = computed(rask_array_norm_at(a, ord, RASK_ALL, HERE), NULL);
    double x = *(double *)out.data;
    cr_expect_eq(out.ndim, 0);
    release(&out);
    return x;
}

Test(norm, orders)
{
    const double x[] = {3, -4, 0, 12};
    rask_array *a = vector_of(g, RASK_DT_F64, x, 4);
    cr_expect_eq(norm_of(a, 2), 13);
    cr_expect_eq(norm_of(a, 1), 19);
    cr_expect_eq(norm_of(a, 0), 3);
    cr_expect_eq(norm_of(a, INFINITY), 12);
    cr_expect_eq(norm_of(a, -INFINITY), 0);
    cr_expect_float_eq(norm_of(a, 3), cbrt(27 + 64 + 1728), 1e-12);
}

Test(norm, integers_and_complex_numbers_have_real_norms)
{
    const int8_t x[] = {-100, 100};
    const double z[] = {3, 4, 0, 12};
    cr_expect_eq(norm_of(vector_of(g, RASK_DT_I8, x, 2), 2), sqrt(20000));
    cr_expect_eq(norm_of(vector_of(g, RASK_DT_C128, z, 2), 2), 13);
    cr_expect_eq(norm_of(vector_of(g, RASK_DT_C128, z, 2), 1), 17);
}

Test(norm, along_an_axis)
{
    const float x[] = {3, 4, 6, 8}, rows[] = {5, 10};
    const int64_t shape[] = {2, 2};
    rask_array *a = rask_array_norm_at(array_of(g, RASK_DT_F32, x, 2, shape), 2, 1, HERE);
    cr_expect_eq(rask_array_dtype(a), RASK_DT_F32);
    expect_bytes(a, rows, sizeof rows, "rows");
}

Test(norm, an_order_that_is_no_number_is_refused)
{
    cr_expect_null(rask_array_norm_at(vector_of(g, RASK_DT_F64, (double[]){1}, 1), NAN, RASK_ALL, HERE));
    cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
}
