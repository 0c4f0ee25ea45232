/* What collections make is the same when tasks run in processes of their own: files that are written, memory that is filled,
 * streams that are read. Where a graph was built for another scheduler, too. */
#include "../failing_allocator.h"
#include "paths.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { LINES = 20000 };

static rask_options apart = RASK_OPTIONS_INIT;

static void set_up(void)
{
    enter_paths();
    apart.scheduler = "processes";
    apart.workers = 2;
    apart.memory = 32 << 20;
}

TestSuite(elsewhere, .init = set_up, .fini = leave_paths, .timeout = 60);

static void write_lines(const char *path)
{
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    fprintf(out, "name,amount,qty\n");
    for (int i = 0; i < LINES; i++)
        fprintf(out, "n%d,%d.%02d,%d\n", i * 7919 % 211, i * 31 % 1000, i % 100, i % 13);
    fclose(out);
}

static char *load(const char *path, size_t *len)
{
    FILE *in = fopen(path, "r");
    cr_assert_not_null(in, "%s", path);
    char *data = malloc(4 << 20);
    *len = fread(data, 1, 4 << 20, in);
    fclose(in);
    return data;
}

static void must_be_same(const char *path, const char *other)
{
    size_t len, other_len;
    char *data = load(path, &len), *other_data = load(other, &other_len);
    cr_assert_gt(len, 0);
    cr_assert(len == other_len && memcmp(data, other_data, len) == 0, "%s is not as %s", other, path);
    free(data);
    free(other_data);
}

/* -- Arrays */

static rask_array *some_array(void)
{
    rask_array *a = rask_eval(
        g, "(arange(60000).reshape(300, 200) % 97) @ (arange(200 * 150).reshape(200, 150) % 89) + 0.5", NULL,
        NULL, 0);
    cr_assert_not_null(a, "%s", rask_graph_error(g));
    return a;
}

static void store(rask_array *a, const char *path, const rask_store_options *how, const rask_options *options)
{
    const rask_store_target target = {.array = a, .path = path, .options = how};
    cr_assert_eq(rask_array_store(&target, 1, options), RASK_OK, "%s: %s", path, rask_graph_error(g));
}

Test(elsewhere, arrays_are_stored_as_by_threads_and_read_again)
{
    static const char *const names[] = {"a.npy", "a.zarr", "a.h5", "b.h5"};
    const int64_t chunks[] = {64, 64};
    const rask_store_options how = {.size = sizeof how, .chunks = chunks};
    store(some_array(), path_of("want.npy"), NULL, NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const rask_store_target target = {
            .array = some_array(), .path = path_of(names[i]), .options = i % 3 ? &how : NULL};
        int status = rask_array_store(&target, 1, &apart);
        if (status == RASK_EUNSUPPORTED)
            continue; /* a module that was not built */
        cr_assert_eq(status, RASK_OK, "%s: %s", names[i], rask_graph_error(g));
        rask_array *again = rask_array_open(g, path_of(names[i]), NULL);
        store(again, path_of("got.npy"), NULL, &apart);
        must_be_same(path_of("want.npy"), path_of("got.npy"));
    }
}

Test(elsewhere, arrays_are_computed_into_the_callers_memory)
{
    static double own[300][150];
    rask_block out = {0}, given = {.dtype = RASK_DT_F64, .ndim = 2, .shape = {300, 150}, .data = own};
    given.strides[0] = sizeof own[0];
    given.strides[1] = sizeof(double);
    rask_array *arrays[] = {some_array(), rask_eval(g, "sort(sin(arange(50000.0)))", NULL, NULL, 0)};
    rask_block both[] = {given, {0}};
    cr_assert_eq(rask_array_compute(arrays, 1, NULL, &out), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_array_compute(arrays, 2, &apart, both), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_arr_eq(out.data, own, sizeof own);
    const double *sorted = both[1].data;
    for (int i = 1; i < 50000; i++)
        cr_assert_leq(sorted[i - 1], sorted[i]);
    both[1].release(both[1].owner);
    out.release(out.owner);
}

/* -- Text */

/* The node is built for one scheduler and computed on another. */
static int64_t write_text(const char *to, const char *built_for, const rask_options *options, uint64_t lines)
{
    rask_text_options how = RASK_TEXT_OPTIONS_INIT;
    int64_t count = -1;
    how.pattern = "n1";
    how.fixed = true;
    how.block_bytes = 10000;
    how.workers = 2;
    how.scheduler = built_for;
    rask_text *text = rask_text_open(g, (const char *const[]){path_of("lines.csv")}, 1, &how);
    rask_node *node = rask_text_write(text, to, lines);
    cr_assert_eq(rask_compute_out(node, options, RASK_OUT_I64, &count), RASK_OK, "%s", rask_graph_error(g));
    return count;
}

Test(elsewhere, text_is_written_in_order_whatever_it_was_built_for)
{
    static const char *const built_for[] = {"threads", "processes"};
    static const uint64_t limits[] = {UINT64_MAX, 1000, 1};
    write_lines(path_of("lines.csv"));
    for (size_t i = 0; i < 3; i++) {
        int64_t want = write_text(path_of("want"), NULL, NULL, limits[i]);
        for (size_t k = 0; k < 2; k++) {
            cr_assert_eq(write_text(path_of("got"), built_for[k], &apart, limits[i]), want);
            must_be_same(path_of("want"), path_of("got"));
        }
    }
}

/* Somebody writes the lines into a pipe that nobody can read twice. */
static void feed(const char *pipe)
{
    cr_assert_eq(mkfifo(pipe, 0600), 0);
    if (fork())
        return;
    write_lines(pipe);
    _exit(0);
}

Test(elsewhere, streams_are_read_in_the_programs_own_process)
{
    int64_t lines = 0;
    rask_rows *rows = NULL;
    rask_records *records = NULL;
    feed(path_of("pipe"));
    rask_text *text = rask_text_open(g, (const char *const[]){path_of("pipe")}, 1, NULL);
    cr_assert_eq(rask_compute_out(rask_text_count(text, RASK_TEXT_LINES), &apart, RASK_OUT_I64, &lines),
                 RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(lines, LINES + 1);
    feed(path_of("rows"));
    rask_table *t = rask_table_groupby(rask_read_csv(g, path_of("rows"), NULL), "", "count() as n");
    cr_assert_eq(rask_table_compute(t, &apart, &rows), RASK_OK, "%s", rask_graph_error(g));
    rask_column column;
    rask_rows_column(rows, 0, &column);
    cr_assert_eq(column.as.i64[0], LINES);
    rask_rows_free(rows);
    feed(path_of("records"));
    rask_bag *bag = rask_read_text(g, path_of("records"), NULL);
    cr_assert_eq(rask_bag_compute(bag, &apart, &records), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_records_count(records), LINES + 1);
    rask_records_free(records);
    while (wait(NULL) > 0) {
    }
}

/* -- Tables and bags */

Test(elsewhere, tables_are_written_as_by_threads)
{
    static const char *const endings[] = {"csv", "jsonl", "arrow"};
    write_lines(path_of("lines.csv"));
    rask_table *t = rask_table_sort(rask_read_csv(g, path_of("lines.csv"), NULL), "qty desc, amount");
    for (size_t i = 0; i < 3; i++) {
        char want[32], got[32];
        snprintf(want, sizeof want, "want.%s", endings[i]);
        snprintf(got, sizeof got, "got.%s", endings[i]);
        cr_assert_eq(rask_table_write(t, path_of(want), RASK_TABLE_BY_ENDING, NULL), RASK_OK);
        cr_assert_eq(rask_table_write(t, path_of(got), RASK_TABLE_BY_ENDING, &apart), RASK_OK, "%s",
                     rask_graph_error(g));
        must_be_same(path_of(want), path_of(got));
    }
}

Test(elsewhere, bags_are_written_as_by_threads)
{
    write_lines(path_of("lines.csv"));
    rask_bag *top = rask_bag_topk(rask_bag_frequencies(rask_read_text(g, path_of("lines.csv"), NULL)), 100);
    rask_bag *lines = rask_read_text(g, path_of("lines.csv"), NULL);
    cr_assert_eq(rask_bag_write(top, path_of("want"), NULL), RASK_OK);
    cr_assert_eq(rask_bag_write(top, path_of("got"), &apart), RASK_OK, "%s", rask_graph_error(g));
    must_be_same(path_of("want"), path_of("got"));
    cr_assert_eq(rask_bag_write(lines, path_of("all"), &apart), RASK_OK);
    must_be_same(path_of("lines.csv"), path_of("all"));
    cr_assert_eq(rask_bag_write(lines, path_of("part-*"), &apart), RASK_OK);
    must_be_same(path_of("lines.csv"), path_of("part-000"));
}

/* -- Memory that is not there in the program's own process */

static int let_workers_be(void *context, uint32_t worker)
{
    (void)context;
    (void)worker;
    fail_at = -1;
    return RASK_OK;
}

static int words_elsewhere(void)
{
    rask_graph *graph = rask_graph_new();
    rask_text_options how = RASK_TEXT_OPTIONS_INIT;
    rask_options options = apart;
    rask_value list = rask_value_none();
    how.scheduler = options.scheduler;
    how.seed = 1;
    options.worker_init = let_workers_be;
    if (!graph)
        return RASK_ENOMEM;
    rask_text *text = rask_text_open(graph, (const char *const[]){path_of("lines.csv")}, 1, &how);
    rask_node *node = rask_text_frequencies(text, RASK_TEXT_WORDS, 10);
    int status = rask_compute_value(node, &options, &list);
    if (status && rask_graph_status(graph))
        status = rask_graph_status(graph);
    rask_value_unref(&list);
    rask_graph_free(graph);
    return status;
}

Test(elsewhere, memory_that_is_not_there_is_an_error_and_nothing_leaks)
{
    FILE *out = fopen(path_of("lines.csv"), "w");
    fprintf(out, "to be or not to be\n");
    fclose(out);
    rask_set_allocator(NULL);
    rask_graph_free(g);
    g = NULL;
    sweep(words_elsewhere, 0);
}
