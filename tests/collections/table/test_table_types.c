/* Nulls, types, of several files and widened, quantiles, and what a table says of itself. */
#include "table_support.h"

#include <fcntl.h>
#include <sys/stat.h>

TestSuite(table, .init = enter, .fini = leave_folder);

Test(table, nulls_are_filled_and_dropped)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *t = rask_table_fill_nulls(rask_read_csv(g, path, NULL), "qty", "int(amount)");
    cr_assert_eq(rask_table_compute(rask_table_drop_nulls(t, NULL), NULL, &rows), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(rask_rows_count(rows), 3);
    rask_column qty = column_of(rows, 2);
    cr_assert(!qty.valid && qty.as.i64[0] == 2 && qty.as.i64[1] == 3 && qty.as.i64[2] == 1);
    rask_rows_free(rows);
    rask_graph_free(g);
}

static rask_table *read_text(rask_graph *g, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
    return rask_read_csv(g, path, NULL);
}

Test(table, columns_without_a_value_go_where_any_type_does)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *tables[] = {read_text(g, "a,b,c\n"), read_text(g, "a,b,c\n3,1.5,z\n"),
                            read_text(g, "a,b,c\n1,,x\n2,,y\n")};
    rask_table *all = rask_table_concat(tables, 3);
    cr_assert(all, "%s", rask_graph_error(g));
    cr_expect_eq(rask_table_type(all, 0), RASK_COL_I64);
    cr_expect_eq(rask_table_type(all, 1), RASK_COL_F64);
    cr_expect_eq(rask_table_type(all, 2), RASK_COL_TEXT);
    rask_table *joined = rask_table_join(tables[0], tables[1], "b", RASK_JOIN_OUTER);
    cr_expect_eq(rask_table_type(joined, 1), RASK_COL_F64, "%s", rask_graph_error(g));
    rask_table *sums =
        rask_table_groupby(rask_table_select(tables[2], "b as n"), "", "sum(n), mean(n), count(n)");
    cr_assert_eq(rask_table_compute(sums, NULL, &rows), RASK_OK, "%s", rask_graph_error(g));
    rask_column sum = column_of(rows, 0), mean = column_of(rows, 1), count = column_of(rows, 2);
    cr_expect(sum.as.i64[0] == 0 && (!sum.valid || sum.valid[0]));
    cr_expect(mean.valid && !mean.valid[0]);
    cr_expect_eq(count.as.i64[0], 0);
    rask_rows_free(rows);
    rask_graph_free(g);
}

static void expect_types(const rask_table *t, rask_column_type a, rask_column_type b, rask_column_type c)
{
    cr_expect_eq(rask_table_type(t, 0), a);
    cr_expect_eq(rask_table_type(t, 1), b);
    cr_expect_eq(rask_table_type(t, 2), c);
}

Test(table, types_are_those_of_all_files)
{
    rask_graph *g = rask_graph_new();
    expect_types(read_both(g, "a,b,c\n", "a,b,c\n1,1.5,2024-01-31\n", NULL), RASK_COL_I64, RASK_COL_F64,
                 RASK_COL_DATE);
    expect_types(read_both(g, "a,b,c\n1,,5\n", "a,b,c\n2,true,6.5", NULL), RASK_COL_I64, RASK_COL_BOOL,
                 RASK_COL_F64);
    expect_types(read_both(g, "a,b,c\n1,2,5", "a,b,c\n,2,x\n", NULL), RASK_COL_I64, RASK_COL_I64,
                 RASK_COL_TEXT);
    cr_expect_eq(rask_graph_status(g), RASK_OK);
    rask_graph_free(g);
}

Test(table, files_before_the_first_header_may_be_empty)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *t = read_both(g, "", "a,b,c\n1,,5\n", NULL);
    expect_types(t, RASK_COL_I64, RASK_COL_TEXT, RASK_COL_I64);
    t = rask_table_groupby(t, "b", "sum(a)");
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_OK, "%s", rask_graph_error(g));
    cr_expect_eq(column_of(rows, 1).as.i64[0], 1);
    rask_rows_free(rows);
    cr_expect_null(read_both(g, "", "", NULL));
    cr_expect(strstr(rask_graph_error(g), "out.csv: the file is empty: it has no header"), "%s",
              rask_graph_error(g));
    rask_graph_free(g);
}

Test(table, types_are_given_to_names_in_backticks)
{
    rask_csv_options csv = RASK_CSV_OPTIONS_INIT;
    rask_graph *g = rask_graph_new();
    csv.types = "`a,b` : float64, `c:``d`:string, e:f:date";
    write_text(path, "\"a,b\",c:`d,e:f\n1,2,\n");
    expect_types(rask_read_csv(g, path, &csv), RASK_COL_F64, RASK_COL_TEXT, RASK_COL_DATE);
    cr_expect_eq(rask_graph_status(g), RASK_OK, "%s", rask_graph_error(g));
    csv.types = "`c:``d`";
    cr_expect_null(rask_read_csv(g, path, &csv));
    cr_expect(strstr(rask_graph_error(g), "types: \"c:`d\" is no NAME:TYPE"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

/* It is an error where it is read. */
Test(table, a_file_of_other_columns_says_nothing_of_types)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *t = read_both(g, "a,b,c\n1,2,\n", "a,c,b\nx,y,z\n", NULL);
    expect_types(t, RASK_COL_I64, RASK_COL_I64, RASK_COL_TEXT);
    cr_assert_eq(rask_table_compute(rask_table_limit(t, 1), NULL, &rows), RASK_OK, "%s", rask_graph_error(g));
    rask_rows_free(rows);
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_EFORMAT);
    cr_assert(strstr(rask_graph_error(g), "the header has the columns in another order"), "%s",
              rask_graph_error(g));
    rask_graph_free(g);
}

Test(table, columns_without_a_value_in_any_file_go_where_any_type_does)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = read_both(g, "a,b,c\n1,,\n", "a,b,c\n2,,3\n", NULL);
    cr_expect(rask_table_groupby(t, "c", "sum(b), mean(b)"), "%s", rask_graph_error(g));
    rask_graph_free(g);
    g = rask_graph_new();
    t = read_both(g, "a,b,c\n1,,\n", "a,b,c\n2,\"\",3\n", NULL); /* text, though it is empty */
    cr_expect_null(rask_table_groupby(t, "c", "sum(b)"));
    rask_graph_free(g);
}

Test(table, columns_without_a_value_are_nan_in_numpys_files)
{
    double values[2] = {0};
    char npy[sizeof folder + 40];
    snprintf(npy, sizeof npy, "%s/b.npy", folder);
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_select(read_both(g, "a,b,c\n1,,\n", "a,b,c\n2,,3\n", NULL), "b");
    cr_assert_eq(rask_table_write(t, npy, RASK_TABLE_BY_ENDING, NULL), RASK_OK, "%s", rask_graph_error(g));
    FILE *in = fopen(npy, "rb");
    cr_assert(in && fseek(in, -(long)sizeof values, SEEK_END) == 0);
    cr_assert_eq(fread(values, sizeof *values, 2, in), 2);
    cr_expect(values[0] != values[0] && values[1] != values[1]);
    fclose(in);
    unlink(npy);
    rask_graph_free(g);
}

static void write_of_old(const char *file, const char *content)
{
    const struct timespec times[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    write_text(file, content);
    cr_assert_eq(utimensat(AT_FDCWD, file, times, 0), 0);
}

/* Formats without room for values in such columns take none. The file is another one than was looked at, of the same size and time. */
Test(table, a_column_that_gets_a_value_is_not_written_as_one_without)
{
    rask_graph *g = rask_graph_new();
    char arrow[sizeof folder + 40];
    snprintf(arrow, sizeof arrow, "%s/b.arrow", folder);
    write_of_old(path, "a,b,c\n2,,34\n");
    rask_table *t = rask_read_csv(g, path, NULL);
    write_of_old(path, "a,b,c\n2,4,3\n");
    cr_expect_eq(rask_table_write(t, arrow, RASK_TABLE_BY_ENDING, NULL), RASK_EIO);
    cr_expect(strstr(rask_graph_error(g), "column \"b\" has a value"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

/* What ends the looking, so that nothing is known of what is behind it. */
Test(table, a_column_has_values_behind_text_that_is_wrong)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = read_both(g, "a,b,c\n1,,2\n", "a,b,c\n1,,2\n1,2\n1,5,2\n", NULL);
    cr_expect_null(rask_table_filter(t, "b > 1"));
    rask_graph_free(g);
}

/* A value behind the samples. */
Test(table, columns_without_a_value_in_samples_widen_to_what_there_is)
{
    enum { ROWS = 60000 };
    rask_csv_options csv = RASK_CSV_OPTIONS_INIT;
    csv.misfit = RASK_MISFIT_WIDEN;
    FILE *out = fopen(path, "w");
    cr_assert(out && fprintf(out, "a,b,c\n") > 0);
    for (int i = 0; i < ROWS; i++)
        fprintf(out, "%d,%s,\n", i, i + 1 < ROWS ? "" : "2.5");
    cr_assert_eq(fclose(out), 0);
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_read_csv(g, path, &csv);
    expect_types(t, RASK_COL_I64, RASK_COL_F64, RASK_COL_TEXT);
    cr_expect(rask_table_filter(t, "c > 1"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

Test(table, columns_of_spaces_or_empty_text_have_values)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = read_text(g, "a,b,c\n1,  ,\n2,,\"\"\n");
    cr_assert_null(rask_table_filter(t, "b > 1"));
    rask_graph_free(g);
    g = rask_graph_new();
    t = read_text(g, "a,b,c\n1,  ,\n2,,\"\"\n");
    cr_assert_null(rask_table_filter(t, "c > 1"));
    rask_graph_free(g);
}

Test(table, quantiles_are_of_the_chosen_columns)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *t = rask_table_quantiles(read_blocks(g, 7), "day, amount", ((double[]){0.5, 1}), 2);
    cr_assert_str_eq(rask_table_name(t, 0), "quantile");
    cr_assert_eq(rask_table_type(t, 1), RASK_COL_DATE);
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_rows_count(rows), 2);
    cr_assert_eq(column_of(rows, 0).as.f64[1], 1);
    cr_assert_eq(column_of(rows, 1).as.i64[0], 19754); /* 2024-02-01 */
    cr_assert_eq(column_of(rows, 2).as.f64[0], 5.125);
    cr_assert_eq(column_of(rows, 2).as.f64[1], 10.5);
    rask_rows_free(rows);
    rask_graph_free(g);
}

Test(table, quantiles_of_what_has_nan_are_nan)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *t = rask_table_with(read_blocks(g, 7), "amount", "if(qty == 4, 0.0 / 0, amount)");
    t = rask_table_quantiles(t, "amount", &(double){0}, 1);
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_OK, "%s", rask_graph_error(g));
    double value = column_of(rows, 1).as.f64[0];
    cr_assert(value != value);
    rask_rows_free(rows);
    rask_graph_free(g);
}

/* Values in many ranges of little memory: n - 1 - i of 0 … n - 1 in every row. */
Test(table, quantiles_come_out_of_ranges_within_little_memory)
{
    enum { ROWS = 400000 };
    FILE *out = fopen(path, "w");
    cr_assert(out);
    fprintf(out, "a,b,c\n");
    for (int i = 0; i < ROWS; i++)
        fprintf(out, "%d,%d,text%d\n", (int)((int64_t)i * 7919 % ROWS), i % 5, i);
    fclose(out);
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_options options = RASK_OPTIONS_INIT;
    options.memory = 8 << 20;
    options.workers = 2;
    rask_table *t = rask_read_csv(g, path, NULL);
    cr_assert_eq(rask_table_compute(rask_table_describe(t), &options, &rows), RASK_OK, "%s",
                 rask_graph_error(g));
    rask_column distinct = column_of(rows, 4), median = column_of(rows, 9);
    cr_expect_eq(distinct.as.i64[0], ROWS);
    cr_expect_eq(distinct.as.i64[1], 5);
    cr_expect_eq(distinct.as.i64[2], ROWS);
    expect_text(&median, 0, "199999.5");
    expect_text(&median, 1, "2.0");
    cr_expect(!median.valid[2]);
    rask_rows_free(rows);
    rask_graph_free(g);
}

Test(table, types_widen_to_what_all_values_are)
{
    write_text(path, "a,b\n1,1\n");
    write_text(other, "a,b\n2.5,x\n");
    rask_csv_options csv = RASK_CSV_OPTIONS_INIT;
    csv.misfit = RASK_MISFIT_WIDEN;
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *t = rask_read_csv_files(g, ((const char *const[]){path, other}), 2, &csv);
    cr_assert_eq(rask_table_type(t, 0), RASK_COL_F64);
    cr_assert_eq(rask_table_type(t, 1), RASK_COL_TEXT);
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(column_of(rows, 0).as.f64[1], 2.5);
    rask_rows_free(rows);
    rask_graph_free(g);
}

Test(table, a_table_says_what_it_will_do)
{
    char text[4000];
    rask_graph *g = rask_graph_new();
    rask_table *t =
        rask_table_filter(rask_table_with(rask_read_csv(g, path, NULL), "x", "amount * 2"), "qty > 1");
    t = rask_table_sort(rask_table_groupby(t, "name", "count()"), "name desc");
    size_t len = rask_table_explain(t, NULL, text, sizeof text);
    cr_assert(len > 0 && len < sizeof text);
    cr_assert(strstr(text, " in 1 part: name, qty: 2 of 4 columns\n  where qty > 1\n"), "%s", text);
    cr_assert(strstr(text, "groups by name: count()\nsorts by name desc\ngives name string, count() int64\n"),
              "%s", text);
    cr_assert_eq(rask_table_explain(t, NULL, text, 10), len);
    cr_assert_eq(strlen(text), 9);
    cr_assert_eq(rask_table_explain(t, NULL, NULL, 0), len);
    rask_graph_free(g);
}

Test(table, a_table_is_a_node_of_its_graph)
{
    rask_graph *g = rask_graph_new();
    rask_value value = rask_value_none();
    rask_node *node = rask_table_node(rask_table_describe(rask_read_csv(g, path, NULL)), NULL);
    cr_assert(node, "%s", rask_graph_error(g));
    cr_assert_eq(rask_compute_value(node, NULL, &value), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(value.type, RASK_BYTES);
    rask_value_unref(&value);
    rask_graph_free(g);
}
