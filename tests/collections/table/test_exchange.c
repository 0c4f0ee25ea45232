/* Columns as arrays, and arrays as columns and records. */
#include "../../failing_allocator.h"

#include <math.h>
#include <string.h>

static rask_rows *compute(rask_table *t)
{
    rask_rows *rows = NULL;
    int status = rask_table_compute(t, NULL, &rows);
    cr_assert_eq(status, RASK_OK, "%s", t ? rask_graph_error(rask_table_graph(t)) : "no table");
    return rows;
}

static int64_t whole(const rask_rows *rows, uint32_t column, uint64_t row)
{
    rask_column c;
    cr_assert_eq(rask_rows_column(rows, column, &c), RASK_OK);
    return c.as.i64[row];
}

static double real(const rask_rows *rows, uint32_t column, uint64_t row)
{
    rask_column c;
    cr_assert_eq(rask_rows_column(rows, column, &c), RASK_OK);
    return c.as.f64[row];
}

static const int64_t numbers[] = {1, 2, 3, 4};
static const double reals[] = {0.5, 7, 1.5, 2};
static const uint8_t valid[] = {1, 0, 1, 1}, bools[] = {1, 0, 1, 1};
static const uint64_t ends[] = {0, 1, 2, 3, 4};

static rask_rows *four_rows(rask_graph *g)
{
    const rask_column columns[] = {
        {.name = "i", .type = RASK_COL_I64, .as.i64 = numbers},
        {.name = "f", .type = RASK_COL_F64, .as.f64 = reals, .valid = valid},
        {.name = "b", .type = RASK_COL_BOOL, .as.boolean = bools},
        {.name = "n", .type = RASK_COL_I64, .as.i64 = numbers, .valid = valid},
        {.name = "s", .type = RASK_COL_TEXT, .as.offsets = ends, .bytes = "abcd"},
    };
    rask_table *t = rask_table_from_columns(g, columns, 5, 4);
    rask_rows *rows = NULL;
    return rask_table_compute(t, NULL, &rows) ? NULL : rows;
}

Test(exchange, columns_are_arrays_over_the_rows_that_the_graph_keeps)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = four_rows(g);
    double sum = 0;
    rask_array *i = rask_rows_array(g, rows, "i"), *f = rask_rows_array(g, rows, "f"),
               *b = rask_rows_array(g, rows, "b");
    rask_rows_free(rows);
    cr_assert_eq(rask_array_dtype(i), RASK_DT_I64);
    cr_assert_eq(rask_array_dtype(b), RASK_DT_BOOL);
    cr_assert_eq(rask_array_shape(i)[0], 4);
    cr_assert_eq(rask_compute(rask_array_sum(i, RASK_ALL), &sum), RASK_OK, "%s", rask_graph_error(g));
    cr_expect_eq(sum, 10);
    cr_assert_eq(rask_compute(rask_array_sum(b, RASK_ALL), &sum), RASK_OK);
    cr_expect_eq(sum, 3);
    cr_assert_eq(rask_compute(rask_array_sum(f, RASK_ALL), &sum), RASK_OK);
    cr_expect(isnan(sum), "a null is %g", sum);
    rask_graph_free(g);
}

static void expect_refused(const char *column, int status, const char *message)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = four_rows(g);
    cr_expect_null(rask_rows_array_at(g, rows, column, NULL, 0));
    cr_expect_eq(rask_graph_status(g), status);
    cr_expect_str_eq(rask_graph_error(g), message);
    rask_rows_free(rows);
    rask_graph_free(g);
}

Test(exchange, columns_that_no_array_holds_are_refused)
{
    expect_refused("x", RASK_ENOENT, "rask_rows_array: no column \"x\"");
    expect_refused("s", RASK_ETYPE, "rask_rows_array: column \"s\" is string, which no array holds");
    expect_refused("n", RASK_ERANGE,
                   "rask_rows_array: column \"n\" is int64 and has nulls, which only float64 can tell");
}

/* … of the type that its expression has: NaN where it has none, as .npy files have it. */
Test(exchange, a_column_without_a_value_is_an_array_of_nan)
{
    rask_graph *g = rask_graph_new();
    rask_rows *four = four_rows(g);
    rask_rows *rows = compute(rask_table_with(rask_table_from_rows(g, four), "u", "null"));
    rask_array *u = rask_rows_array(g, rows, "u");
    double nan_count = 0;
    cr_assert_eq(rask_array_dtype(u), RASK_DT_F64, "%s", rask_graph_error(g));
    cr_assert_eq(rask_compute(rask_array_sum(rask_array_ne(u, u), RASK_ALL), &nan_count), RASK_OK);
    cr_expect_eq(nan_count, 4);
    rask_rows_free(rows);
    rask_rows_free(four);
    rask_graph_free(g);
}

Test(exchange, arrays_are_columns_that_are_computed_in_slices)
{
    enum { ROWS = 500000 };
    rask_graph *g = rask_graph_new();
    rask_array *ids = rask_array_astype(rask_array_arange(g, 0, ROWS, 1), RASK_DT_I32);
    rask_array *halves = rask_array_mul(ids, 0.5), *even = rask_array_eq(rask_array_mod(ids, 2), 0);
    const char *names[] = {"id", "half", "even"};
    rask_table *t = rask_table_from_arrays(g, names, ((rask_array *[]){ids, halves, even}), 3);
    cr_assert_eq(rask_table_type(t, 0), RASK_COL_I64);
    cr_assert_eq(rask_table_type(t, 1), RASK_COL_F64);
    cr_assert_eq(rask_table_type(t, 2), RASK_COL_BOOL);
    rask_rows *rows = compute(rask_table_groupby(t, "even", "sum(id) as s, max(half) as m"));
    cr_assert_eq(rask_rows_count(rows), 2);
    cr_expect_eq(whole(rows, 1, 0) + whole(rows, 1, 1), (int64_t)ROWS * (ROWS - 1) / 2);
    cr_expect_eq(real(rows, 2, 0), (ROWS - 1) / 2.0);
    rask_rows_free(rows);
    rows = compute(rask_table_limit(rask_table_sort(t, "id desc"), 2));
    cr_expect_eq(whole(rows, 0, 1), ROWS - 2);
    rask_rows_free(rows);
    rows = compute(t);
    cr_assert_eq(rask_rows_count(rows), ROWS);
    for (int64_t i = 0; i < ROWS; i++)
        cr_assert(whole(rows, 0, (uint64_t)i) == i && real(rows, 1, (uint64_t)i) == (double)i / 2);
    rask_rows_free(rows);
    rask_graph_free(g);
}

Test(exchange, arrays_of_no_elements_are_a_table_without_rows)
{
    rask_graph *g = rask_graph_new();
    rask_array *none = rask_array_arange(g, 0, 0, 1);
    rask_table *t = rask_table_from_arrays(g, (const char *[]){"x"}, &none, 1);
    rask_rows *rows = compute(t);
    cr_expect_eq(rask_rows_count(rows), 0);
    rask_rows_free(rows);
    rows = compute(rask_table_groupby(t, "", "count() as n"));
    cr_expect_eq(whole(rows, 0, 0), 0);
    rask_rows_free(rows);
    rask_graph_free(g);
}

static void expect_arrays_refused(rask_graph *g, rask_array *a, rask_array *b, int status,
                                  const char *message)
{
    rask_array *const arrays[] = {a, b};
    cr_expect_null(rask_table_from_arrays_at(g, (const char *[]){"a", "b"}, arrays, 2, NULL, 0));
    cr_expect_eq(rask_graph_status(g), status);
    cr_expect_str_eq(rask_graph_error(g), message);
    rask_graph_free(g);
}

Test(exchange, arrays_that_are_no_columns_are_refused_by_name)
{
    rask_graph *g = rask_graph_new();
    expect_arrays_refused(g, rask_array_arange(g, 0, 4, 1), rask_array_arange(g, 0, 5, 1), RASK_EINVAL,
                          "rask_table_from_arrays: \"b\" is not of one axis, as long as that of the first");
    g = rask_graph_new();
    expect_arrays_refused(g, rask_array_arange(g, 0, 4, 1),
                          rask_array_astype(rask_array_arange(g, 0, 4, 1), RASK_DT_C128), RASK_ETYPE,
                          "rask_table_from_arrays: \"b\" is of complex numbers, which no column holds");
    g = rask_graph_new();
    const int64_t shape[] = {4};
    rask_node *node = rask_const(g, (int64_t)1);
    expect_arrays_refused(g, rask_array_arange(g, 0, 4, 1), rask_array_from_node(node, RASK_DT_I64, 1, shape),
                          RASK_EUNSUPPORTED,
                          "rask_table_from_arrays: \"b\" is made of nodes: compute it first");
    g = rask_graph_new();
    expect_arrays_refused(g, rask_array_arange(g, 0, 4, 1), NULL, RASK_EINVAL,
                          "rask_table_from_arrays: \"b\" is not an array of this graph");
}

Test(exchange, a_large_uint64_fails_the_run)
{
    const uint64_t large[] = {1, UINT64_MAX};
    const rask_block block = {
        .dtype = RASK_DT_U64, .ndim = 1, .shape = {2}, .strides = {8}, .data = (void *)large};
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_from_block(g, &block, true);
    rask_rows *rows = NULL;
    rask_table *t = rask_table_from_arrays(g, (const char *[]){"x"}, &a, 1);
    cr_expect_eq(rask_table_compute(t, NULL, &rows), RASK_ERANGE);
    cr_expect_str_eq(rask_graph_error(g), "column \"x\", row 2: 18446744073709551615 is no int64");
    rask_graph_free(g);
}

/* -- Records */

static rask_records *compute_bag(rask_bag *bag)
{
    rask_records *records = NULL;
    int status = rask_bag_compute(bag, NULL, &records);
    cr_assert_eq(status, RASK_OK, "%s", bag ? rask_graph_error(rask_bag_graph(bag)) : "no bag");
    return records;
}

Test(exchange, rows_of_an_array_are_records)
{
    enum { ROWS = 700000 };
    rask_graph *g = rask_graph_new();
    rask_array *counting_up = rask_array_arange(g, 0, 3 * ROWS, 1);
    rask_array *rows = rask_array_reshape(counting_up, ROWS, 3);
    rask_bag *bag = rask_bag_from_array(rask_array_mul(rows, 0.5));
    rask_record record;
    cr_assert_str_eq(rask_bag_types(bag), "ddd");
    rask_records *records = compute_bag(bag);
    cr_assert_eq(rask_records_count(records), ROWS);
    for (uint64_t i = 0; i < ROWS; i++) {
        cr_assert_eq(rask_records_get(records, i, &record), RASK_OK);
        for (uint32_t k = 0; k < 3; k++)
            cr_assert_eq(rask_record_f64(&record, k), (double)(3 * i + k) / 2);
    }
    rask_records_free(records);
    int64_t sum;
    cr_assert_eq(rask_compute(rask_bag_sum(rask_bag_from_array(counting_up)), &sum), RASK_OK);
    cr_expect_eq(sum, (int64_t)3 * ROWS * (3 * ROWS - 1) / 2);
    rask_graph_free(g);
}

Test(exchange, elements_of_any_width_are_records)
{
    static const rask_dtype dtypes[] = {RASK_DT_BOOL, RASK_DT_I8,  RASK_DT_I16, RASK_DT_I32,
                                        RASK_DT_I64,  RASK_DT_U8,  RASK_DT_U16, RASK_DT_U32,
                                        RASK_DT_U64,  RASK_DT_F32, RASK_DT_F64};
    rask_graph *g = rask_graph_new();
    rask_array *bits = rask_array_arange(g, 0, 2, 1);
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        rask_bag *bag = rask_bag_from_array(rask_array_astype(bits, dtypes[i]));
        rask_record record;
        cr_assert_str_eq(rask_bag_types(bag), dtypes[i] >= RASK_DT_F32 ? "d" : "i");
        rask_records *records = compute_bag(bag);
        cr_assert_eq(rask_records_count(records), 2);
        cr_assert_eq(rask_records_get(records, 1, &record), RASK_OK);
        cr_expect_eq(rask_record_f64(&record, 0), 1);
        rask_records_free(records);
    }
    rask_records *none = compute_bag(rask_bag_from_array(rask_array_arange(g, 0, 0, 1)));
    cr_expect_eq(rask_records_count(none), 0);
    rask_records_free(none);
    rask_graph_free(g);
}

static void expect_no_bag(rask_graph *g, rask_array *a, int status, const char *message)
{
    cr_expect_null(rask_bag_from_array_at(a, NULL, 0));
    cr_expect_eq(rask_graph_status(g), status);
    cr_expect_str_eq(rask_graph_error(g), message);
    rask_graph_free(g);
}

Test(exchange, arrays_that_are_no_records_are_refused)
{
    static const int64_t four = 4;
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_arange(g, 0, 68, 1);
    expect_no_bag(g, rask_array_reshape(a, 4, 1, 17), RASK_EINVAL,
                  "rask_bag_from_array: an array of 3 axes is no list of records");
    g = rask_graph_new();
    a = rask_array_arange(g, 0, 68, 1);
    expect_no_bag(g, rask_array_reshape(a, 4, 17), RASK_EINVAL,
                  "rask_bag_from_array: rows of 17 numbers are no records of 1 to 16 fields");
    g = rask_graph_new();
    expect_no_bag(g, rask_array_astype(rask_array_arange(g, 0, 4, 1), RASK_DT_C128), RASK_ETYPE,
                  "rask_bag_from_array: complex numbers, which no record holds");
    g = rask_graph_new();
    expect_no_bag(g, rask_array_from_node(rask_const(g, (int64_t)1), RASK_DT_I64, 1, &four),
                  RASK_EUNSUPPORTED, "rask_bag_from_array: the array is made of nodes: compute it first");
    cr_expect_null(rask_bag_from_array(NULL));
}

static int refuse_one(rask_bag_out *out, const rask_record *record, void *context)
{
    (void)context;
    return rask_record_i64(record, 0) == 2000000 ? rask_bag_fail(out, RASK_EINVAL, "two million")
                                                 : rask_bag_emit_i64(out, 1);
}

Test(exchange, records_of_arrays_have_numbers_in_messages)
{
    uint64_t large[] = {1, 2, 3, UINT64_MAX};
    const rask_block block = {
        .dtype = RASK_DT_U64, .ndim = 2, .shape = {2, 2}, .strides = {16, 8}, .data = large};
    const rask_bag_function f = {.size = sizeof f, .name = "refuse", .call = refuse_one, .result = "i"};
    rask_graph *g = rask_graph_new();
    rask_records *records = NULL;
    rask_bag *bag = rask_bag_from_array(rask_array_from_block(g, &block, true));
    cr_expect_eq(rask_bag_compute(bag, NULL, &records), RASK_ERANGE);
    cr_expect_str_eq(rask_graph_error(g), "record 2: a uint64 of 2^63 or more is no int64");
    bag = rask_bag_map_at(rask_bag_from_array(rask_array_arange(g, 0, 3000000, 1)), &f, NULL, 0);
    cr_expect_eq(rask_bag_compute(bag, NULL, &records), RASK_EINVAL);
    cr_expect_str_eq(rask_graph_error(g), "record 2000001: refuse: two million");
    rask_graph_free(g);
}

static int sum_of_rows(void)
{
    rask_graph *g = rask_graph_new();
    int64_t sum = 0;
    rask_array *a = g ? rask_array_arange(g, 0, 8, 1) : NULL;
    rask_bag *bag = rask_bag_from_array(rask_array_reshape(a, 4, 2));
    int status = rask_compute(rask_bag_sum(rask_bag_pick(bag, ((uint32_t[]){1}), 1)), &sum);
    if (!status)
        cr_assert_eq(sum, 1 + 3 + 5 + 7);
    if (!g || (status == RASK_EGRAPH && rask_graph_status(g) == RASK_ENOMEM))
        status = RASK_ENOMEM;
    rask_graph_free(g);
    return status;
}

Test(exchange, records_of_an_array_survive_every_failed_allocation)
{
    sweep(sum_of_rows, 60);
}

static int there_and_back(void)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = g ? four_rows(g) : NULL, *back = NULL;
    rask_array *a = rask_rows_array(g, rows, "i");
    rask_array *twice = rask_array_mul(a, 2);
    int status = rows ? RASK_OK : RASK_ENOMEM;
    rask_rows_free(rows);
    if (!status)
        status =
            rask_table_compute(rask_table_groupby(rask_table_from_arrays(g, (const char *[]){"x"}, &twice, 1),
                                                  "", "sum(x) as s"),
                               NULL, &back);
    if (!status)
        cr_assert_eq(whole(back, 0, 0), 20);
    rask_rows_free(back);
    rask_graph_free(g);
    return status == RASK_EGRAPH ? RASK_ENOMEM : status;
}

Test(exchange, there_and_back_survives_every_failed_allocation)
{
    sweep(there_and_back, 60);
}
