/* Tables when there is no memory: each operation, as far as it gets, leaves nothing. */
#include "table_support.h"

TestSuite(table, .init = enter, .fini = leave_folder);

static int all_operations(void)
{
    rask_options options = RASK_OPTIONS_INIT;
    options.scheduler = "serial";
    rask_graph *g = rask_graph_new();
    if (!g)
        return RASK_ENOMEM;
    rask_table *t = read_blocks(g, 40);
    t = rask_table_with(t, "half", "if(is_null(qty), 0.5, amount / 2) + length(name)");
    t = rask_table_filter(t, "half > 0 or contains(name, \"x\")");
    t = rask_table_groupby(t, "name, day",
                           "sum(half * 2) as s, median(amount), max(name) as m, count_distinct(qty)");
    t = rask_table_drop(rask_table_sort(t, "s desc, name"), "median(amount)");
    int status = t ? rask_table_write(t, other, RASK_TABLE_CSV, &options) : rask_graph_status(g);
    rask_graph_free(g);
    if (!status)
        expect_file(other, "name,day,s,m,count_distinct(qty)\n"
                           "ann,2024-01-31,16.5,ann,1\nann,,13.25,ann,1\nbob,2024-02-01,7.0,bob,0\n");
    unlink(other);
    cr_assert_eq(files(), 1);
    return status;
}

static int rows_in_order(void)
{
    rask_options options = RASK_OPTIONS_INIT;
    options.scheduler = "serial";
    rask_rows *rows = NULL;
    rask_graph *g = rask_graph_new();
    if (!g)
        return RASK_ENOMEM;
    rask_table *t =
        rask_table_sort(rask_table_select(read_blocks(g, 40), "amount, name as n"), "amount desc");
    int status = t ? rask_table_compute(t, &options, &rows) : rask_graph_status(g);
    cr_assert(status || column_of(rows, 0).as.f64[0] == 10.5);
    rask_rows_free(rows);
    rows = NULL;
    if (!status)
        status = (t = rask_table_limit(t, 2)) ? rask_table_compute(t, &options, &rows) : rask_graph_status(g);
    cr_assert(status || column_of(rows, 0).as.f64[1] == 7.25);
    rask_rows_free(rows);
    rask_graph_free(g);
    return status;
}

/* The rows of a table, of which column column's first value is wanted: a number. */
static int first_number(rask_table *t, uint32_t column, double wanted)
{
    rask_options options = RASK_OPTIONS_INIT;
    rask_rows *rows = NULL;
    options.scheduler = "serial";
    int status = rask_table_compute(t, &options, &rows);
    if (!status) {
        rask_column c = column_of(rows, column);
        cr_assert_eq(c.type == RASK_COL_F64 ? c.as.f64[0] : (double)c.as.i64[0], wanted);
    }
    rask_rows_free(rows);
    return status;
}

/* Ends the graph, and says why there is no table, or what computing it came to. */
static int finish(rask_graph *g, rask_table *t, uint32_t column, double wanted)
{
    int status = t ? first_number(t, column, wanted) : g ? rask_graph_status(g) : RASK_ENOMEM;
    rask_graph_free(g);
    return status;
}

static int shorthands(void)
{
    rask_options options = RASK_OPTIONS_INIT;
    rask_csv_options csv = RASK_CSV_OPTIONS_INIT;
    rask_graph *g = rask_graph_new();
    options.scheduler = "serial";
    csv.misfit = RASK_MISFIT_WIDEN;
    csv.run = &options;
    rask_table *t = rask_table_rename(rask_read_csv(g, path, &csv), "name as n, qty as q");
    t = rask_table_drop_nulls(rask_table_fill_nulls(t, "q", "1 + 1"), NULL);
    return finish(g, rask_table_value_counts(t, "n"), 1, 1);
}

static int quantiles(void)
{
    rask_graph *g = rask_graph_new();
    return finish(g, rask_table_quantiles(read_blocks(g, 60), "amount", &(double){0.5}, 1), 1, 5.125);
}

static int description(void)
{
    rask_graph *g = rask_graph_new();
    return finish(g, rask_table_describe(rask_table_select(rask_read_csv(g, path, NULL), "name, qty")), 2, 4);
}

static int types_of_files(void)
{
    rask_graph *g = rask_graph_new();
    const char *const paths[] = {path, other};
    rask_table *t = rask_read_csv_files(g, paths, 2, NULL);
    cr_assert(!t || rask_table_type(t, 2) == RASK_COL_F64); /* which the second one says */
    return finish(g, rask_table_groupby(t, "", "max(qty) as q"), 0, 1.5);
}

Test(table, no_memory_for_shorthands_leaves_nothing)
{
    sweep(shorthands, 0);
}

Test(table, no_memory_for_types_of_all_files_leaves_nothing)
{
    write_text(path, "name,amount,qty,day\nann,1,,\n");
    write_text(other, "name,amount,qty,day\nann,1,1.5,\n");
    sweep(types_of_files, 0);
}

Test(table, no_memory_for_quantiles_leaves_nothing)
{
    sweep(quantiles, 0);
}

Test(table, no_memory_for_a_description_leaves_nothing)
{
    sweep(description, 0);
}

/* A gzip file that holds text as it is. */
static void write_gzip(const char *name, const char *text)
{
    static const unsigned char head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1};
    uint32_t len = (uint32_t)strlen(text), crc = UINT32_MAX, lens = len | ~len << 16;
    for (uint32_t i = 0; i < len; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    crc = ~crc;
    FILE *file = fopen(name, "wb");
    cr_assert(file);
    fwrite(head, 1, sizeof head, file);
    fwrite(&lens, 1, sizeof lens, file);
    fwrite(text, 1, len, file);
    fwrite(&crc, 1, sizeof crc, file);
    fwrite(&len, 1, sizeof len, file);
    cr_assert_eq(fclose(file), 0);
}

/* Read ahead, with a sink for each worker when there are groups, else with one for each block. */
static bool in_groups;

static int blocks_of_gzip(void)
{
    static const char text[] = "k,x,s\n1,2.5,a\n2,3.5,b\n1,4.5,\"c\n\"\n2,5.5,d\n3,6.5,e\n";
    rask_options options = RASK_OPTIONS_INIT;
    rask_csv_options how = RASK_CSV_OPTIONS_INIT;
    options.scheduler = "threads";
    options.workers = 2;
    how.block_bytes = 30;
    rask_rows *rows = NULL;
    rask_graph *g = rask_graph_new();
    if (!g)
        return RASK_ENOMEM;
    write_gzip(other, text);
    rask_table *t = rask_read_csv(g, other, &how);
    t = in_groups ? rask_table_groupby(t, "k", "sum(x) as x") : rask_table_filter(t, "x > 3");
    int status = t ? rask_table_compute(t, &options, &rows) : rask_graph_status(g);
    cr_assert(status || rask_rows_count(rows) == (in_groups ? 3 : 4));
    cr_assert(status || column_of(rows, 1).as.f64[0] == (in_groups ? 7.0 : 3.5));
    rask_rows_free(rows);
    rask_graph_free(g);
    return status;
}

static void sweep_blocks(bool groups)
{
    in_groups = groups;
    if (blocks_of_gzip() == RASK_EUNSUPPORTED)
        cr_skip_test("what decompresses is not installed");
    sweep(blocks_of_gzip, 2);
}

Test(table, no_memory_for_blocks_read_ahead_leaves_nothing)
{
    sweep_blocks(false);
}

Test(table, no_memory_for_groups_of_blocks_leaves_nothing)
{
    sweep_blocks(true);
}

Test(table, no_memory_for_groups_written_leaves_nothing)
{
    sweep(all_operations, 0);
}

Test(table, no_memory_for_rows_in_order_leaves_nothing)
{
    sweep(rows_in_order, 0);
}
