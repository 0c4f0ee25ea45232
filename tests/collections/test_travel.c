/* What collections make is the same when its tasks run in other processes of a cluster; what cannot go there is told. */
#include "../schedulers/cluster/workers.h"
#include "paths.h"

#include <string.h>

enum { ROWS = 300, COLUMNS = 200 };

static cluster c;
static rask_options away;

static void set_up(void)
{
    enter_paths();
    cluster_begin(&c, 2, 1);
    away = on(&c);
}

static void tear_down(void)
{
    leave_paths();
    cluster_end(&c);
}

TestSuite(travel, .init = set_up, .fini = tear_down, .timeout = 60);

/* -- Arrays */

static void store(const char *text, const char *name)
{
    rask_array *a = rask_eval(g, text, NULL, NULL, 0);
    const int64_t chunks[] = {64, 64};
    const rask_store_options how = {.size = sizeof how, .chunks = strstr(name, ".npy") ? NULL : chunks};
    const rask_store_target target = {.array = a, .path = path_of(name), .options = &how};
    cr_assert_eq(rask_array_store(&target, 1, NULL), RASK_OK, "%s: %s", name, rask_graph_error(g));
}

static void must_be_same(rask_array *a, const char *what)
{
    rask_block here = {0}, there = {0};
    cr_assert_not_null(a, "%s: %s", what, rask_graph_error(g));
    cr_assert_eq(rask_array_compute(&a, 1, NULL, &here), RASK_OK, "%s: %s", what, rask_graph_error(g));
    cr_assert_eq(rask_array_compute(&a, 1, &away, &there), RASK_OK, "%s: %s", what, rask_graph_error(g));
    size_t bytes = rask_dtype_size(here.dtype);
    cr_assert_eq(here.ndim, there.ndim);
    for (uint32_t i = 0; i < here.ndim; i++) {
        cr_assert_eq(here.shape[i], there.shape[i]);
        bytes *= (size_t)here.shape[i];
    }
    cr_assert(!memcmp(here.data, there.data, bytes), "%s: other bytes elsewhere", what);
    here.release(here.owner);
    there.release(there.owner);
}

/* x: the array that is opened. */
static void must_all_be_same(const char *name)
{
    static const char *const texts[] = {
        "x * 2.5 + sqrt(abs(x)) - x ** 2",
        "where(x > 50, x, -x)[::3, 10:90:7]",
        "x.T[::-1].astype('float32')",
        "sum(x)",
        "x.std(axis=0)",
        "argmax(x, axis=1)",
        "x @ x.T",
        "cumsum(x, axis=1)",
        "sort(x, axis=1)",
        "median(x, axis=0)",
        "x[[5, 3, 299, 3], :]",
        "x[:, (arange(50) * 7) % 200]",
        "pad(x, 2)",
        "histogram(x, 10)[0]",
        "unique(x.astype('int32') % 7)",
        "concatenate([x, x * 2]).reshape(200, 600)",
    };
    rask_array *x = rask_array_open(g, path_of(name), NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        must_be_same(rask_eval(g, texts[i], (const char *[]){"x"}, &x, 1), texts[i]);
}

Test(travel, arrays_of_files_in_one_piece_are_read_by_the_workers)
{
    store("arange(60000.).reshape(300, 200) % 97 + 0.25", "x.npy");
    must_all_be_same("x.npy");
}

Test(travel, arrays_of_files_in_chunks_are_read_by_the_workers)
{
    store("arange(60000.).reshape(300, 200) % 97 + 0.25", "x.zarr");
    must_all_be_same("x.zarr");
}

static void explanation_must_have(rask_array *a, const rask_options *options, const char *text, bool wanted)
{
    char explained[4096];
    cr_assert_gt(rask_array_explain(a, options, explained, sizeof explained), 0, "%s", rask_graph_error(g));
    cr_expect_eq(strstr(explained, text) != NULL, wanted, "%s: %s", text, explained);
}

/* Each of the many cells of x once: here by way of a file, elsewhere as values; and what is explained is what will run. */
Test(travel, elements_by_computed_numbers_from_far_apart)
{
    store("arange(1200000.) % 9973", "x.npy");
    store("(arange(110000) * 7919) % 1200000 - 600000", "i.npy");
    rask_array *arrays[] = {rask_array_open(g, path_of("x.npy"), NULL),
                            rask_array_open(g, path_of("i.npy"), NULL)};
    rask_array *taken = rask_eval(g, "x[i]", ((const char *[]){"x", "i"}), arrays, 2);
    rask_options here = RASK_OPTIONS_INIT;
    here.scheduler = "threads";
    here.workers = 2;
    here.memory = away.memory = 6 << 20;
    must_be_same(taken, "x[i]");
    explanation_must_have(taken, &here, "take gather", true);
    explanation_must_have(taken, &here, "take share", false);
    explanation_must_have(taken, &away, "take gather", true);
    explanation_must_have(taken, &away, "take share", true);
}

static bool has_hdf5(void)
{
    rask_graph *own = rask_graph_new();
    rask_array *a = rask_eval(own, "ones((2, 2))", NULL, NULL, 0);
    const rask_store_target target = {.array = a, .path = path_of("probe.h5")};
    int status = rask_array_store(&target, 1, NULL);
    rask_graph_free(own);
    return status == RASK_OK;
}

Test(travel, arrays_of_hdf5_files_are_read_by_the_workers)
{
    if (!has_hdf5())
        cr_skip_test("no module for HDF5");
    store("arange(60000.).reshape(300, 200) % 97 + 0.25", "x.h5");
    must_all_be_same("x.h5");
}

Test(travel, arrays_that_are_made_are_made_by_the_workers)
{
    static const char *const texts[] = {
        "random.normal(0, 1, (300, 200)) + random.uniform(0, 1, (300, 200))",
        "linspace(0, 1, 1000) * eye(1000)[3]",
        "arange(100000) // 7 & 12345",
        "full((3, 4), 7) ** 2 > 3",
        "isnan(arange(10.) / 0 * 0) | (arange(10) % 3 == 0)",
        "exp(arange(4.) * 1j).real",
        "linalg.solve(arange(2500.).reshape(50, 50) % 31 + 100 * eye(50), ones(50))",
        "abs(fft.fft(arange(1000.) % 17))",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        must_be_same(rask_eval(g, texts[i], NULL, NULL, 0), texts[i]);
}

Test(travel, elements_in_memory_go_along)
{
    static double own[ROWS][COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; i++)
        own[i / COLUMNS][i % COLUMNS] = i * 31 % 97;
    const rask_block block = {.dtype = RASK_DT_F64,
                              .ndim = 2,
                              .shape = {ROWS, COLUMNS},
                              .strides = {sizeof own[0], sizeof(double)},
                              .data = own};
    rask_array *x = rask_array_from_block(g, &block, true);
    static const char *const texts[] = {"x[::-1, ::2] + 1", "x @ x.T", "x[:, 10:60].T @ x", "x.sum(axis=1)"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        must_be_same(rask_eval(g, texts[i], (const char *[]){"x"}, &x, 1), texts[i]);
}

static int double_chunk(void *context, const rask_chunk *chunk, const rask_block *in, uint32_t count,
                        const rask_block *out, char *message, size_t capacity)
{
    (void)context;
    (void)chunk;
    (void)count;
    (void)message;
    (void)capacity;
    size_t n = 1;
    for (uint32_t i = 0; i < out->ndim; i++)
        n *= (size_t)out->shape[i];
    for (size_t i = 0; i < n; i++)
        ((double *)out->data)[i] = 2 * ((const double *)in->data)[i];
    return 0;
}

static int count_up(void *context, const int64_t *start, const int64_t *count, void *data, char *message,
                    size_t capacity)
{
    (void)context;
    (void)message;
    (void)capacity;
    for (int64_t i = 0; i < *count; i++)
        ((double *)data)[i] = (double)(*start + i);
    return 0;
}

static rask_array *counted(void *context)
{
    const int64_t shape[] = {10000}, chunks[] = {1000};
    return rask_array_from_callback(g, count_up, context, RASK_DT_F64, 1, shape, chunks);
}

Test(travel, functions_of_the_program_go_along_without_a_context)
{
    rask_array *a = counted(NULL);
    must_be_same(rask_array_map_blocks(&a, 1, double_chunk, NULL, RASK_DT_F64), "map_blocks");
}

/* The message has both. */
static void must_be_refused(rask_array *a, const char *class_name, const char *why)
{
    rask_block out = {0};
    cr_assert_eq(rask_array_compute(&a, 1, &away, &out), RASK_EUNSUPPORTED);
    cr_assert(strstr(rask_graph_error(g), class_name) && strstr(rask_graph_error(g), why), "%s",
              rask_graph_error(g));
}

/* A context: what is added to each element. */
static int add_chunk(void *context, const rask_chunk *chunk, const rask_block *in, uint32_t count,
                     const rask_block *out, char *message, size_t capacity)
{
    int status = double_chunk(NULL, chunk, in, count, out, message, capacity);
    for (int64_t i = 0; i < out->shape[0]; i++)
        ((double *)out->data)[i] += *(const double *)context;
    return status;
}

static int count_from(void *context, const int64_t *start, const int64_t *count, void *data, char *message,
                      size_t capacity)
{
    const int64_t from = *start + *(const int64_t *)context;
    return count_up(NULL, &from, count, data, message, capacity);
}

Test(travel, functions_of_the_program_go_along_with_a_context_of_the_graphs)
{
    const int64_t shape[] = {10000}, from = 1000, depth = 1;
    const double more = 0.5;
    void *context = rask_graph_context(g, &more, sizeof more);
    rask_array *a = rask_array_from_callback(g, count_from, rask_graph_context(g, &from, sizeof from),
                                             RASK_DT_F64, 1, shape, NULL);
    must_be_same(a, "from_callback");
    must_be_same(rask_array_map_blocks(&a, 1, add_chunk, context, RASK_DT_F64), "map_blocks");
    must_be_same(rask_array_map_overlap(a, &depth, RASK_BOUNDARY_NEAREST, 0, add_chunk, context, RASK_DT_F64),
                 "map_overlap");
}

Test(travel, a_context_without_bytes_is_refused_and_nothing_is_made_of_it)
{
    cr_assert_null(rask_graph_context(g, NULL, 4));
    cr_assert_eq(rask_graph_status(g), RASK_EINVAL);
    cr_assert(strstr(rask_graph_error(g), "rask_graph_context: no bytes"), "%s", rask_graph_error(g));
}

Test(travel, a_context_of_the_programs_stays_and_that_is_said)
{
    static int context;
    rask_array *a = counted(NULL);
    must_be_refused(counted(&context), "array source", "let rask_graph_context() make it");
    must_be_refused(rask_array_map_blocks(&a, 1, double_chunk, &context, RASK_DT_F64), "function over chunks",
                    "let rask_graph_context() make it");
}

static void must_be_same_files(const char *a, const char *b)
{
    char command[3 * PATH];
    snprintf(command, sizeof command, "cmp %s %s", a, b);
    cr_assert_eq(system(command), 0, "%s is not as %s", b, a);
}

Test(travel, arrays_are_stored_by_the_program)
{
    static const char *const names[] = {"a.npy", "b.zarr"};
    rask_array *a = rask_eval(g, "arange(60000.).reshape(300, 200) @ ones((200, 10))", NULL, NULL, 0);
    store("arange(60000.).reshape(300, 200) @ ones((200, 10))", "want.npy");
    for (size_t i = 0; i < 2; i++) {
        const rask_store_target there = {.array = a, .path = path_of(names[i])};
        cr_assert_eq(rask_array_store(&there, 1, &away), RASK_OK, "%s", rask_graph_error(g));
        const rask_store_target again = {.array = rask_array_open(g, path_of(names[i]), NULL),
                                         .path = path_of("got.npy")};
        cr_assert_eq(rask_array_store(&again, 1, &away), RASK_OK, "%s", rask_graph_error(g));
        must_be_same_files(path_of("want.npy"), path_of("got.npy"));
    }
}

/* -- Text */

static void write_lines(const char *name)
{
    FILE *out = fopen(path_of(name), "w");
    cr_assert_not_null(out);
    for (int i = 0; i < 20000; i++)
        fprintf(out, "line %d of n%d and n%d\n", i, i * 7919 % 211, i % 13);
    fclose(out);
}

static rask_text *open_text(const char *pattern, const char *scheduler)
{
    rask_text_options how = RASK_TEXT_OPTIONS_INIT;
    how.pattern = pattern;
    how.block_bytes = 50000;
    how.workers = 2;
    how.seed = 1;
    how.scheduler = scheduler;
    rask_text *text = rask_text_open(g, (const char *const[]){path_of("lines")}, 1, &how);
    cr_assert_not_null(text, "%s", rask_graph_error(g));
    return text;
}

static void nodes_must_be_same(rask_node *here, rask_node *there)
{
    rask_value a, b;
    cr_assert_eq(rask_compute_values(&here, 1, NULL, &a), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_compute_values(&there, 1, &away, &b), RASK_OK, "%s", rask_graph_error(g));
    cr_assert(rask_value_equal(&a, &b));
    rask_value_unref(&a);
    rask_value_unref(&b);
}

Test(travel, text_is_counted_and_sampled_by_the_workers)
{
    static const char *const patterns[] = {NULL, "n1[0-3]+$", "nobody"};
    write_lines("lines");
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        rask_text *here = open_text(patterns[i], "threads"), *there = open_text(patterns[i], "cluster");
        for (rask_text_unit unit = RASK_TEXT_LINES; unit <= RASK_TEXT_BYTES; unit++)
            nodes_must_be_same(rask_text_count(here, unit), rask_text_count(there, unit));
        nodes_must_be_same(rask_text_frequencies(here, RASK_TEXT_WORDS, 20),
                           rask_text_frequencies(there, RASK_TEXT_WORDS, 20));
        nodes_must_be_same(rask_text_sample(here, 10), rask_text_sample(there, 10));
    }
}

Test(travel, lines_that_workers_find_are_written_in_order)
{
    write_lines("lines");
    for (int i = 0; i < 2; i++)
        nodes_must_be_same(
            rask_text_write(open_text("n12", "threads"), path_of("want"), i ? 100 : UINT64_MAX),
            rask_text_write(open_text("n12", "cluster"), path_of("got"), i ? 100 : UINT64_MAX));
    must_be_same_files(path_of("want"), path_of("got"));
}

/* -- Tables */

static void write_table(const char *name, int rows)
{
    FILE *out = fopen(path_of(name), "w");
    cr_assert_not_null(out);
    fprintf(out, "name,amount,qty,day\n");
    for (int i = 0; i < rows; i++)
        fprintf(out, "n%d,%d.%02d,%d,2020-%02d-%02d\n", i * 7919 % 211, i * 31 % 1000, i % 100, i % 13,
                i % 12 + 1, i % 28 + 1);
    fclose(out);
}

static rask_table *read_table(const char *name)
{
    rask_csv_options how = RASK_CSV_OPTIONS_INIT;
    how.block_bytes = 100000;
    rask_table *t = rask_read_csv(g, path_of(name), &how);
    cr_assert_not_null(t, "%s", rask_graph_error(g));
    return t;
}

static void tables_must_be_same(rask_table *t, const char *name)
{
    char here[PATH], there[PATH];
    snprintf(here, sizeof here, "%s/here.%s", folder, name);
    snprintf(there, sizeof there, "%s/there.%s", folder, name);
    cr_assert_eq(rask_table_write(t, here, RASK_TABLE_BY_ENDING, NULL), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_table_write(t, there, RASK_TABLE_BY_ENDING, &away), RASK_OK, "%s", rask_graph_error(g));
    must_be_same_files(here, there);
}

Test(travel, tables_are_read_by_the_workers_and_written_by_the_program)
{
    write_table("big.csv", 20000);
    rask_table *t = read_table("big.csv");
    tables_must_be_same(rask_table_filter(t, "amount > 900 and qty == 3"), "csv");
    tables_must_be_same(rask_table_with(rask_table_drop(t, "day"), "double", "amount * 2"), "jsonl");
    tables_must_be_same(rask_table_rename(rask_table_select(t, "qty, name"), "qty as n"), "arrow");
    tables_must_be_same(rask_table_fill_nulls(rask_table_drop_nulls(t, "name"), "qty", "0"), "csv");
}

Test(travel, what_needs_all_rows_of_a_table_is_the_same)
{
    const double q[] = {0.1, 0.5};
    write_table("big.csv", 20000);
    rask_table *t = read_table("big.csv");
    tables_must_be_same(rask_table_groupby(t, "name, day", "sum(amount) as s, mean(qty * 2), median(amount)"),
                        "csv");
    tables_must_be_same(rask_table_sort(t, "amount desc, name"), "csv");
    tables_must_be_same(rask_table_limit(rask_table_sort(t, "amount desc, name"), 20), "csv");
    tables_must_be_same(rask_table_tail(t, 20), "csv");
    tables_must_be_same(rask_table_value_counts(t, "qty"), "csv");
    tables_must_be_same(rask_table_describe(t), "csv");
    tables_must_be_same(rask_table_quantiles(t, NULL, q, 2), "csv");
    tables_must_be_same(rask_table_distinct(t, "name, qty"), "csv");
}

Test(travel, tables_together_are_the_same)
{
    write_table("big.csv", 20000);
    write_table("small.csv", 200);
    rask_table *big = read_table("big.csv"), *small = read_table("small.csv");
    for (rask_join_how how = RASK_JOIN_INNER; how <= RASK_JOIN_ANTI; how++)
        for (rask_join_method method = RASK_JOIN_BROADCAST; method <= RASK_JOIN_PARTITIONED; method++) {
            rask_join_options options = RASK_JOIN_OPTIONS_INIT;
            options.method = method;
            options.suffix = "_other";
            tables_must_be_same(rask_table_join_with(big, small, "name, day", how, &options), "csv");
        }
    rask_table *all[] = {big, small, rask_table_filter(big, "qty < 2")};
    tables_must_be_same(rask_table_concat(all, 3), "csv");
}

Test(travel, compressed_tables_are_read_by_the_program_and_parsed_by_the_workers)
{
    char command[2 * PATH];
    write_table("big.csv", 20000);
    snprintf(command, sizeof command, "gzip %s", path_of("big.csv"));
    if (system(command))
        cr_skip_test("no gzip");
    rask_table *t = read_table("big.csv.gz");
    rask_rows *rows;
    if (rask_table_compute(rask_table_limit(t, 1), NULL, &rows))
        cr_skip_test("no module that decompresses");
    rask_rows_free(rows);
    tables_must_be_same(rask_table_groupby(t, "name", "sum(amount) as s"), "csv");
}

/* Of all types, with nulls in some. */
static rask_table *columns_of(int rows)
{
    enum { MOST = 20000 };
    static int64_t numbers[MOST], days[MOST];
    static double reals[MOST];
    static uint8_t flags[MOST], valid[MOST];
    static uint64_t ends[MOST + 1];
    static char text[MOST * 4];
    for (int i = 0; i < rows; i++) {
        numbers[i] = i * 7919 % 211;
        days[i] = i % 5000;
        reals[i] = i % 97 / 4.0;
        flags[i] = i % 3 == 0;
        valid[i] = i % 7 != 0;
        ends[i + 1] = ends[i] + (uint64_t)snprintf(text + ends[i], sizeof text - ends[i], "n%d", i % 50);
    }
    const rask_column columns[] = {
        {.name = "n", .type = RASK_COL_I64, .as.i64 = numbers},
        {.name = "day", .type = RASK_COL_DATE, .as.i64 = days},
        {.name = "x", .type = RASK_COL_F64, .valid = valid, .as.f64 = reals},
        {.name = "flag", .type = RASK_COL_BOOL, .as.boolean = flags},
        {.name = "name", .type = RASK_COL_TEXT, .valid = valid, .as.offsets = ends, .bytes = text}};
    rask_table *t = rask_table_from_columns(g, columns, 5, (uint64_t)rows);
    cr_assert_not_null(t, "%s", rask_graph_error(g));
    return t;
}

static void what_is_made_of_it_must_be_same(rask_table *t)
{
    tables_must_be_same(t, "csv");
    tables_must_be_same(rask_table_filter(t, "n > 100"), "arrow");
    tables_must_be_same(rask_table_groupby(t, "name", "sum(x) as s, count() as c"), "csv");
    tables_must_be_same(rask_table_sort(t, "x desc, n"), "csv");
}

Test(travel, tables_of_columns_in_memory_go_along)
{
    rask_table *t = columns_of(20000), *few = columns_of(20000);
    what_is_made_of_it_must_be_same(t);
    tables_must_be_same(rask_table_join(rask_table_limit(t, 50), few, "n", RASK_JOIN_INNER), "csv");
    tables_must_be_same(rask_table_limit(t, 0), "csv");
}

Test(travel, tables_of_computed_rows_go_along)
{
    rask_rows *rows;
    cr_assert_eq(rask_table_compute(rask_table_drop_nulls(columns_of(9000), "x"), NULL, &rows), RASK_OK);
    rask_table *t = rask_table_from_rows(g, rows);
    rask_rows_free(rows);
    what_is_made_of_it_must_be_same(t);
}

Test(travel, columns_without_a_value_go_where_any_type_does_there_too)
{
    rask_rows *rows;
    cr_assert_eq(rask_table_compute(rask_table_with(columns_of(100), "u", "null"), NULL, &rows), RASK_OK);
    rask_table *t = rask_table_from_rows(g, rows);
    rask_rows_free(rows);
    tables_must_be_same(rask_table_with(t, "v", "coalesce(u, n)"), "csv");
}

Test(travel, tables_of_arrow_files_are_read_by_the_workers)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s", path_of("x.arrow"));
    cr_assert_eq(rask_table_write(columns_of(20000), path, RASK_TABLE_BY_ENDING, NULL), RASK_OK);
    rask_table *t = rask_read_arrow(g, path);
    what_is_made_of_it_must_be_same(t);
    rask_rows *rows;
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rask_table_write(columns_of(50), path, RASK_TABLE_BY_ENDING, NULL), RASK_OK);
    cr_assert_eq(rask_table_compute(t, &away, &rows), RASK_EIO);
    cr_assert(strstr(rask_graph_error(g), path), "%s", rask_graph_error(g));
}

Test(travel, tables_of_arrays_are_made_by_the_workers)
{
    static const char *const names[] = {"a", "b"};
    rask_array *arrays[] = {rask_eval(g, "arange(30000) % 97", NULL, NULL, 0),
                            rask_eval(g, "sqrt(arange(30000.))", NULL, NULL, 0)};
    rask_table *t = rask_table_from_arrays(g, names, arrays, 2);
    tables_must_be_same(rask_table_filter(t, "a > 50"), "csv");
    tables_must_be_same(rask_table_groupby(t, "a", "sum(b) as s"), "csv");
    tables_must_be_same(rask_table_sort(t, "a, b desc"), "csv");
}

static void forget_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void forget_array(struct ArrowArray *array)
{
    array->release = NULL;
}

/* Of unsigned numbers, one of which no column holds. */
static rask_table *with_one_too_large(uint64_t *numbers, size_t count)
{
    static struct ArrowSchema schema, *children[1], child;
    static struct ArrowArray array, *arrays[1], values;
    static const void *none[1], *buffers[2];
    buffers[1] = numbers;
    child = (struct ArrowSchema){
        .format = "L", .name = "u", .flags = ARROW_FLAG_NULLABLE, .release = forget_schema};
    children[0] = &child;
    schema = (struct ArrowSchema){
        .format = "+s", .name = "", .n_children = 1, .children = children, .release = forget_schema};
    values = (struct ArrowArray){
        .length = (int64_t)count, .n_buffers = 2, .buffers = buffers, .release = forget_array};
    arrays[0] = &values;
    array = (struct ArrowArray){.length = (int64_t)count,
                                .n_buffers = 1,
                                .buffers = none,
                                .n_children = 1,
                                .children = arrays,
                                .release = forget_array};
    return rask_table_from_arrow(g, &schema, &array);
}

Test(travel, a_value_that_no_column_holds_is_told_of_by_who_reads_it)
{
    static uint64_t numbers[10000];
    char here[1000];
    rask_rows *rows;
    for (size_t i = 0; i < 10000; i++)
        numbers[i] = i * 3;
    tables_must_be_same(with_one_too_large(numbers, 10000), "csv");
    numbers[6789] = UINT64_MAX;
    rask_table *t = with_one_too_large(numbers, 10000);
    int status = rask_table_compute(t, NULL, &rows);
    snprintf(here, sizeof here, "%s", rask_graph_error(g));
    cr_assert_neq(status, RASK_OK);
    cr_assert_eq(rask_table_compute(t, &away, &rows), status, "%s", rask_graph_error(g));
    cr_assert(strstr(rask_graph_error(g), "row 6790"), "%s", rask_graph_error(g));
    cr_assert(strstr(here, "row 6790"), "%s", here);
    tables_must_be_same(rask_table_limit(t, 5), "csv");
}

/* -- Bags */

static int upper(rask_bag_out *out, const rask_record *record, void *context)
{
    char text[256];
    size_t len = record->items[0].as.bytes.len;
    (void)context;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(record->items[0].as.bytes.data[i] & ~0x20);
    return rask_bag_emit_bytes(out, text, len);
}

static bool is_short(const rask_record *record, void *context)
{
    (void)context;
    return record->items[0].as.bytes.len < 4;
}

static int add_length(void *state, const rask_record *record, void *context)
{
    (void)context;
    *(int64_t *)state += (int64_t)record->items[0].as.bytes.len;
    return 0;
}

static int add_up(void *state, const void *other, void *context)
{
    (void)context;
    *(int64_t *)state += *(const int64_t *)other;
    return 0;
}

static int count_group(rask_bag_out *out, const rask_records *records, void *context)
{
    (void)context;
    return rask_bag_emit_i64(out, (int64_t)rask_records_count(records));
}

static rask_bag *lines_of(const char *name)
{
    const rask_read_text_options how = {.size = sizeof how, .block_bytes = 100000};
    rask_bag *bag = rask_read_text(g, path_of(name), &how);
    cr_assert_not_null(bag, "%s", rask_graph_error(g));
    return bag;
}

static void bags_must_be_same(rask_bag *bag, const char *name)
{
    char here[PATH], there[PATH];
    snprintf(here, sizeof here, "%s/here.%s", folder, name);
    snprintf(there, sizeof there, "%s/there.%s", folder, name);
    cr_assert_not_null(bag, "%s", rask_graph_error(g));
    cr_assert_eq(rask_bag_write(bag, here, NULL), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_bag_write(bag, there, &away), RASK_OK, "%s", rask_graph_error(g));
    must_be_same_files(here, there);
    nodes_must_be_same(rask_bag_node(bag, NULL), rask_bag_node(bag, &away));
}

Test(travel, records_of_files_go_through_functions_of_the_program)
{
    const rask_bag_function capitals = {.size = sizeof capitals, .call = upper};
    const rask_bag_folding lengths = {
        .size = sizeof lengths, .add = add_length, .combine = add_up, .result = 'i'};
    const rask_bag_gathering counts = {.size = sizeof counts, .call = count_group, .result = "i"};
    write_lines("lines");
    rask_bag *words = rask_bag_words(lines_of("lines"));
    bags_must_be_same(rask_bag_map_at(rask_bag_filter(words, is_short, NULL), &capitals, NULL, 0), "txt");
    bags_must_be_same(rask_bag_fold_at(words, &lengths, NULL, 0), "txt");
    bags_must_be_same(rask_bag_groupby_at(words, &counts, NULL, 0), "txt");
    bags_must_be_same(rask_bag_foldby_at(words, &lengths, NULL, 0), "txt");
    bags_must_be_same(rask_bag_map_partitions_at(words, &counts, NULL, 0), "txt");
}

Test(travel, what_brings_records_together_is_the_same)
{
    write_lines("lines");
    rask_bag *lines = lines_of("lines"), *words = rask_bag_words(lines);
    bags_must_be_same(rask_bag_topk(rask_bag_frequencies(words), 20), "txt");
    bags_must_be_same(rask_bag_distinct(words), "txt");
    bags_must_be_same(rask_bag_take(rask_bag_sample(words, 0.1, 7), 100), "txt");
    bags_must_be_same(rask_bag_count(rask_bag_pluck(lines, 3, ' ')), "txt");
    bags_must_be_same(rask_bag_std(rask_bag_range(g, 0, 100000, 3), 1), "txt");
    bags_must_be_same(rask_bag_join(rask_bag_frequencies(words), rask_bag_distinct(words), RASK_JOIN_INNER),
                      "txt");
    bags_must_be_same(rask_bag_zip(words, rask_bag_range(g, 0, 1000, 1)), "txt");
    bags_must_be_same(rask_bag_repartition(rask_bag_concat((&(rask_bag *[]){lines, words}[0]), 2), 3), "txt");
}

Test(travel, records_in_memory_go_along)
{
    enum { MANY = 50000 };
    static int64_t numbers[MANY];
    static double reals[MANY];
    static struct {
        int64_t key, value;
    } pairs[MANY];
    for (int i = 0; i < MANY; i++) {
        numbers[i] = i * 7919 % 211;
        reals[i] = i / 8.0;
        pairs[i].key = i % 13;
        pairs[i].value = i;
    }
    static const char text[] = "one\ntwo\r\n\nthree\nfour";
    const rask_record records[] = {
        {.count = 3, .items = {rask_item_i64(7), rask_item_none(), rask_item_f64(0.5)}},
        {.count = 3, .items = {rask_item_none(), rask_item_bytes("x", 1), rask_item_none()}}};
    bags_must_be_same(rask_bag_frequencies(rask_bag_from_i64(g, numbers, MANY, true)), "txt");
    bags_must_be_same(rask_bag_sum(rask_bag_from_f64(g, reals, MANY, false)), "txt");
    bags_must_be_same(rask_bag_from_lines(g, text, sizeof text - 1), "txt");
    bags_must_be_same(rask_bag_from_records(g, records, 2, "iyd", 0), "txt");
    bags_must_be_same(rask_bag_distinct(rask_bag_from_structs(g, pairs, MANY, sizeof *pairs, true)), "txt");
    bags_must_be_same(rask_bag_count(rask_bag_from_i64(g, numbers, 0, false)), "txt");
}

Test(travel, records_of_arrays_are_made_by_the_workers)
{
    rask_bag *rows = rask_bag_from_array(rask_eval(g, "arange(60000).reshape(20000, 3) % 97", NULL, NULL, 0));
    bags_must_be_same(rask_bag_take(rows, 1000), "txt");
    bags_must_be_same(rask_bag_frequencies(rows), "txt");
}

static bool is_below(const rask_record *record, void *context)
{
    return (int64_t)record->items[0].as.bytes.len < *(const int64_t *)context;
}

static int by_length(const rask_record *a, const rask_record *b, void *context)
{
    int64_t n = *(const int64_t *)context, x = (int64_t)a->items[0].as.bytes.len % n,
            y = (int64_t)b->items[0].as.bytes.len % n;
    return x < y ? -1 : x > y;
}

static int emit_context(rask_bag_out *out, const rask_record *record, void *context)
{
    (void)record;
    return rask_bag_emit_i64(out, *(const int64_t *)context);
}

static int add_context(void *state, const rask_record *record, void *context)
{
    (void)record;
    *(int64_t *)state += *(const int64_t *)context;
    return 0;
}

static int add_states(void *state, const void *other, void *context)
{
    return add_up(state, other, context);
}

static int emit_group(rask_bag_out *out, const rask_records *records, void *context)
{
    return rask_bag_emit_i64(out, (int64_t)rask_records_count(records) * *(const int64_t *)context);
}

Test(travel, contexts_of_the_graphs_go_along_with_functions_of_bags)
{
    const int64_t four = 4;
    void *context = rask_graph_context(g, &four, sizeof four);
    const rask_bag_function told = {
        .size = sizeof told, .call = emit_context, .result = "i", .context = context};
    const rask_bag_folding sum = {
        .size = sizeof sum, .add = add_context, .combine = add_states, .result = 'i', .context = context};
    const rask_bag_gathering groups = {
        .size = sizeof groups, .call = emit_group, .result = "i", .context = context};
    write_lines("lines");
    rask_bag *words = rask_bag_words(lines_of("lines"));
    bags_must_be_same(rask_bag_count(rask_bag_filter(words, is_below, context)), "txt");
    bags_must_be_same(rask_bag_topk_by(words, 10, by_length, context), "txt");
    bags_must_be_same(rask_bag_sum(rask_bag_map_at(words, &told, NULL, 0)), "txt");
    bags_must_be_same(rask_bag_fold_at(words, &sum, NULL, 0), "txt");
    bags_must_be_same(rask_bag_groupby_at(words, &groups, NULL, 0), "txt");
}

Test(travel, other_contexts_stay_and_that_is_said)
{
    static int context;
    int64_t sum;
    write_lines("lines");
    rask_bag *told = rask_bag_count(rask_bag_filter(lines_of("lines"), is_short, &context));
    cr_assert_eq(rask_bag_compute_out(told, &away, RASK_OUT_I64, &sum), RASK_EUNSUPPORTED);
    cr_assert(strstr(rask_graph_error(g), "let rask_graph_context() make it"), "%s", rask_graph_error(g));
}
