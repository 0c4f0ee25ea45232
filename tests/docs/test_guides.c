/* What the README, CONTRIBUTING.md and the guides but that of futures show, as it is written there, and what it comes to. */
#include <criterion/criterion.h>
#include <rask/rask.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- A folder with the files that the documents speak of */

static char folder[] = "/tmp/rask-guides-XXXXXX";

static void make_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file, "%s", path);
    fputs(text, file);
    cr_assert_eq(fclose(file), 0);
}

static void enter(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    cr_assert_eq(mkdir("logs", 0700), 0);
    make_file("logs/1.gz",
              "to be or not to be: amount 2.5\nto be: amount 4\n"); /* told from what they begin with */
    make_file("sales-1.csv", "name,amount,qty,customer,day\nann,600,2,1,2024-01-01\nbob,5,1,2,2024-01-02\n");
    make_file("sales-2.csv", "name,amount,qty,customer,day\nbob,2000,1,2,2024-01-02\n");
    make_file("customers.csv", "id,day,country\n1,2024-01-01,no\n");
}

static void leave(void)
{
    static const char *const made[] = {"logs/1.gz",     "sales-1.csv", "sales-2.csv",
                                       "customers.csv", "totals.csv",  "a.npy",
                                       "b.npy",         "log",         "centred.npy"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        unlink(made[i]);
    cr_assert_eq(rmdir("logs"), 0);
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(rmdir(folder), 0);
}

TestSuite(guides, .init = enter, .fini = leave);

static void expect_text(const char *path, const char *wanted)
{
    char text[1000];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    cr_assert_str_eq(text, wanted);
}

/* -- Tasks */

static size_t count_fields(rask_bytes line)
{
    size_t count = 1;
    for (size_t i = 0; i < line.len; i++)
        count += line.data[i] == ',';
    return count;
}

static int parse(rask_task *t)
{
    rask_bytes line = rask_arg_bytes(t, 0);
    if (!line.len)
        return rask_fail(t, RASK_EINVAL, "empty line"); /* task parse (node 3, prog.c:20): empty line; … */
    return rask_return_i64(t, count_fields(line));
}
RASK_SLOTS(parse);

Test(guides, a_function_that_can_fail_says_what_went_wrong)
{
    rask_graph *g = rask_graph_new();
    int64_t fields;
    cr_assert_eq(rask_compute(rask_delayed(g, parse, "a,b,c"), &fields), RASK_OK);
    cr_assert_eq(fields, 3);
    cr_assert_eq(rask_compute(rask_delayed(g, parse, ""), &fields), RASK_EINVAL);
    cr_assert_not_null(strstr(rask_graph_error(g), "task parse (node"), "%s", rask_graph_error(g));
    cr_assert_not_null(strstr(rask_graph_error(g), "): empty line"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

static double area(double width, double height);
RASK_TASK(area, f64, f64, f64); /* result, then arguments */

static double volume(double width, double height, double depth);
RASK_TASK_WITH(volume, (.flags = RASK_PURE), f64, f64, f64, f64); /* with attributes: equal calls run once */

static double area(double width, double height)
{
    return width * height;
}

static atomic_int volumes;

static double volume(double width, double height, double depth)
{
    atomic_fetch_add(&volumes, 1);
    return width * height * depth;
}

Test(guides, a_task_of_ones_own_and_one_with_attributes)
{
    rask_graph *g = rask_graph_new();
    rask_node *parts[] = {rask_delayed(g, area, 2., 3.), rask_delayed(g, volume, 2., 3., 4.),
                          rask_delayed(g, volume, 2., 3., 4.)};
    double sum;
    cr_assert_eq(rask_compute(rask_sum(rask_list(g, parts, 3)), &sum), RASK_OK);
    cr_assert_eq(sum, 6 + 24 + 24);
    cr_assert_eq(atomic_load(&volumes), 1);
    rask_graph_free(g);
}

/* -- docs/limits.md, docs/processes.md */

static int download(rask_task *t)
{
    return rask_task_attempt(t) ? rask_return_i64(t, 7) : rask_fail(t, RASK_EIO, "the server is busy");
}

static bool worth_it(int status, uint32_t attempt)
{
    (void)attempt;
    return status == RASK_EIO;
}

static int train(rask_task *t)
{
    return rask_return_i64(t, rask_arg_i64(t, 0) + 1);
}

RASK_SLOTS_WITH(download,
                (.flags = RASK_IO, .retries = 3, .backoff = 0.5, .retry_if = worth_it, .timeout = 60));
RASK_SLOTS_WITH(train, (.tags = "gpu:1,licence:2"));

Test(guides, limits)
{
    rask_graph *g = rask_graph_new();
    rask_node *report = rask_delayed(g, train, rask_delayed(g, download));
    int64_t answer;
    int st;
    rask_options o = RASK_OPTIONS_INIT;
    o.limits = "download=2,gpu=1,licence=4";
    st = rask_compute_with(report, &o, &answer);
    cr_assert_eq(st, RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, 8);
    rask_graph_free(g);
}

/* -- docs/checkpoint.md */

static void remove_kept(void)
{
    static const char *const made[] = {"kept/rask-2.lock", "kept/rask-2.log"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        cr_assert_eq(unlink(made[i]), 0);
    cr_assert_eq(rmdir("kept"), 0);
}

static int64_t twice(int64_t i)
{
    return 2 * i;
}
RASK_TASK_WITH(twice, (.flags = RASK_PURE), i64, i64);

static uint32_t resume(int64_t *out)
{
    rask_graph *g = rask_graph_new();
    rask_node *total = rask_delayed(g, twice, rask_delayed(g, twice, 5));
    int64_t answer;
    int st;
    rask_report report;
    rask_options o = RASK_OPTIONS_INIT;
    o.checkpoint = "kept";
    o.report = &report;
    st = rask_compute_with(total, &o, &answer);
    printf("%u results found, %llu kept\n", report.from_checkpoint, (unsigned long long)report.kept);
    cr_assert_eq(st, RASK_OK, "%s", rask_graph_error(g));
    rask_graph_free(g);
    *out = answer;
    return report.from_checkpoint;
}

Test(guides, runs_that_resume)
{
    int64_t first, again;
    cr_assert_eq(resume(&first), 0);
    cr_assert_eq(resume(&again), 1);
    cr_assert_eq(first, 20);
    cr_assert_eq(again, 20);
    remove_kept();
}

static int append_to_log(rask_task *t)
{
    make_file("log", "once\n");
    return rask_return_i64(t, getpid());
}
RASK_SLOTS_WITH(append_to_log, (.flags = RASK_HERE));

Test(guides, worker_processes)
{
    rask_graph *g = rask_graph_new();
    rask_node *total = rask_delayed(g, append_to_log);
    int64_t answer;
    int st;
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "processes";
    o.workers = 8;
    st = rask_compute_with(total, &o, &answer);
    cr_assert_eq(st, RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, getpid());
    expect_text("log", "once\n");
    rask_graph_free(g);
}

/* -- Arrays */

static void store_two(void)
{
    rask_graph *g = rask_graph_new();
    rask_store_target targets[] = {{.array = rask_eval(g, "arange(4) * 1.0", NULL, NULL, 0), .path = "a.npy"},
                                   {.array = rask_eval(g, "ones(4)", NULL, NULL, 0), .path = "b.npy"}};
    cr_assert_eq(rask_array_store(targets, 2, NULL), RASK_OK, "%s", rask_graph_error(g));
    rask_graph_free(g);
}

Test(guides, arrays_of_files)
{
    store_two();
    rask_graph *g = rask_graph_new();
    int st;
    rask_array *a = rask_array_open(g, "a.npy", NULL),
               *b = rask_array_open(g, "b.npy", NULL); /* of any size */
    rask_array *m = rask_array_mean(rask_array_square(rask_array_add(rask_array_mul(a, 2.5), b)), RASK_ALL);
    double mean;
    st = rask_compute(m, &mean);
    st = rask_array_write(rask_array_sub(a, mean), "centred.npy",
                          NULL); /* or .zarr, .h5, .raw: chunk by chunk */
    cr_assert_eq(st, RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(mean, (1 + 12.25 + 36 + 72.25) / 4);
    double written;
    rask_array *centred = rask_array_open(g, "centred.npy", NULL);
    cr_assert_eq(rask_compute(rask_array_sum(centred, RASK_ALL), &written), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(written, 6 - 4 * mean);
    rask_graph_free(g);
}

Test(guides, expressions)
{
    store_two();
    rask_graph *graph = rask_graph_new();
    rask_array *a = rask_array_open(graph, "a.npy", NULL), *b = rask_array_open(graph, "b.npy", NULL);
    const char *names[] = {"a", "b"};
    rask_array *arrays[] = {a, b};
    rask_array *mean = rask_eval(graph, "mean((a * 2.5 + b) ** 2)", names, arrays, 2);
    double value;
    int status = rask_compute(mean, &value);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(graph));
    cr_assert_eq(value, (1 + 12.25 + 36 + 72.25) / 4);
    rask_graph_free(graph);
}

/* -- Tables */

Test(guides, tables_in_a_line_or_two)
{
    rask_graph *g = rask_graph_new();
    int st;
    rask_table *t = rask_read_csv(g, "sales-*.csv", NULL); /* names and types are told from samples */
    t = rask_table_groupby(rask_table_filter(t, "amount * qty > 1000"), "name",
                           "sum(amount) as total, count() as n");
    st = rask_table_write(rask_table_sort(t, "total desc"), "totals.csv", RASK_TABLE_BY_ENDING, NULL);
    cr_assert_eq(st, RASK_OK, "%s", rask_graph_error(g));
    expect_text("totals.csv", "name,total,n\nbob,2000,1\nann,600,1\n");
    rask_graph_free(g);
}

Test(guides, tables_step_by_step)
{
    rask_graph *graph = rask_graph_new();
    rask_table *sales = rask_read_csv(graph, "sales-*.csv", NULL);
    rask_table *good = rask_table_filter(sales, "amount * qty > 1000 and not is_null(name)");
    rask_table *totals = rask_table_groupby(good, "name", "sum(amount) as total, count() as n");
    int status =
        rask_table_write(rask_table_sort(totals, "total desc"), "totals.csv", RASK_TABLE_BY_ENDING, NULL);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(graph));
    expect_text("totals.csv", "name,total,n\nbob,2000,1\nann,600,1\n");
    rask_graph_free(graph);
}

Test(guides, a_table_that_joins_another)
{
    rask_graph *graph = rask_graph_new();
    rask_table *sales = rask_read_csv(graph, "sales-*.csv", NULL);
    rask_table *customers = rask_read_csv(graph, "customers.csv", NULL);
    rask_table *all = rask_table_join(sales, customers, "customer = id, day", RASK_JOIN_LEFT);
    rask_rows *rows;
    cr_assert_eq(rask_table_compute(all, NULL, &rows), RASK_OK, "%s", rask_graph_error(graph));
    cr_assert_eq(rask_rows_count(rows), 3);
    rask_rows_free(rows);
    rask_graph_free(graph);
}

/* -- Bags */

static bool find_amount(rask_bytes line, double *value)
{
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)line.len, line.data);
    const char *at = strstr(text, "amount ");
    return at && sscanf(at, "amount %lf", value) == 1;
}

static int amount(rask_bag_out *out, const rask_record *record, void *context)
{
    (void)context;
    rask_bytes line = rask_record_bytes(record, 0);
    double value;
    if (!find_amount(line, &value))
        return rask_bag_fail(out, RASK_EFORMAT, "no amount"); /* logs/7.gz:1042: amount: no amount */
    return rask_bag_emit_f64(out, value);
}

Test(guides, a_function_over_lines)
{
    rask_graph *graph = rask_graph_new();
    rask_bag *lines = rask_read_text(graph, "logs/*.gz", NULL);
    double sum;
    rask_bag *amounts = rask_bag_map(lines, amount, .result = "d");
    cr_assert_eq(rask_compute(rask_bag_sum(amounts), &sum), RASK_OK, "%s", rask_graph_error(graph));
    cr_assert_eq(sum, 6.5);
    rask_graph_free(graph);
    make_file("logs/1.gz", "amount 1\nnothing\n");
    graph = rask_graph_new();
    rask_bag *failing =
        rask_bag_sum(rask_bag_map(rask_read_text(graph, "logs/*.gz", NULL), amount, .result = "d"));
    cr_assert_eq(rask_compute(failing, &sum), RASK_EFORMAT);
    cr_assert_not_null(strstr(rask_graph_error(graph), "logs/1.gz:2: amount: no amount"), "%s",
                       rask_graph_error(graph));
    rask_graph_free(graph);
}

static void expect_most_frequent(const rask_records *records)
{
    cr_assert_eq(rask_records_count(records), 8);
}

struct limits {
    size_t least, most;
};

static bool is_within(const rask_record *word, void *context)
{
    const struct limits *limits = context;
    size_t len = word->items[0].as.bytes.len;
    return len >= limits->least && len <= limits->most;
}

Test(guides, a_context_that_goes_to_other_processes)
{
    int64_t count;
    rask_graph *g = rask_graph_new();
    rask_bag *words = rask_bag_words(rask_read_text(g, "logs/*.gz", NULL));
    const struct limits limits = {.least = 3, .most = 8}; /* no pointers in it */
    rask_bag *few = rask_bag_filter(words, is_within, rask_graph_context(g, &limits, sizeof limits));
    cr_assert_eq(rask_compute(rask_bag_count(few), &count), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(count, 6); /* not be: amount 2.5 be: amount */
    rask_graph_free(g);
}

Test(guides, the_most_frequent_words)
{
    rask_graph *g = rask_graph_new();
    int st;
    rask_bag *words =
        rask_bag_words(rask_read_text(g, "logs/*.gz", NULL)); /* lines of files of any size and kind */
    rask_bag *top =
        rask_bag_topk(rask_bag_frequencies(words), 10); /* or a program's own functions, on all cores */
    rask_records *ten;
    st = rask_bag_compute(top, NULL, &ten);
    cr_assert_eq(st, RASK_OK, "%s", rask_graph_error(g));
    expect_most_frequent(ten);
    rask_records_free(ten);
    rask_graph_free(g);
}

Test(guides, the_most_frequent_words_again)
{
    rask_graph *graph = rask_graph_new();
    rask_bag *words = rask_bag_words(rask_read_text(graph, "logs/*.gz", NULL));
    rask_bag *top = rask_bag_topk(rask_bag_frequencies(words), 10);
    rask_records *records;
    int status = rask_bag_compute(top, NULL, &records);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(graph));
    expect_most_frequent(records);
    rask_records_free(records);
    rask_graph_free(graph);
}

Test(guides, a_page_by_an_option)
{
    rask_graph *g = rask_graph_new();
    double answer = 0;
    rask_options options = RASK_OPTIONS_INIT;
    options.dashboard = ""; /* or "8787", as above */
    int status = rask_compute_with(rask_delayed(g, area, 2.0, 3.0), &options, &answer);
    cr_expect(status ? status == RASK_EUNSUPPORTED : answer == 6, "%s", rask_graph_error(g));
    rask_graph_free(g);
}
