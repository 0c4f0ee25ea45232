/* rask/text.h from C: what is refused, and that nodes of texts are nodes like all others. */
#include <rask/rask.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/rask-test-text-XXXXXX";

static void write_file(void)
{
    static const char text[] = "one two\nthree\n\ntwo\n";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void remove_file(void)
{
    unlink(path);
}

TestSuite(text, .init = write_file, .fini = remove_file);

static rask_text *open_text(rask_graph *graph, const rask_text_options *options)
{
    return rask_text_open(graph, (const char *const[]){path}, 1, options);
}

static void must_refuse(rask_graph *graph, int status, const char *message)
{
    cr_assert_eq(rask_graph_status(graph), status, "%s", rask_graph_error(graph));
    cr_assert(strstr(rask_graph_error(graph), message), "%s", rask_graph_error(graph));
    rask_graph_free(graph);
}

Test(text, counts_are_numbers_to_compute_with)
{
    rask_graph *graph = rask_graph_new();
    rask_text_options options = RASK_TEXT_OPTIONS_INIT;
    options.pattern = "t";
    options.fixed = true;
    rask_text *all = open_text(graph, NULL), *some = open_text(graph, &options);
    rask_node *parts[] = {rask_text_count(all, RASK_TEXT_LINES), rask_text_count(some, RASK_TEXT_LINES),
                          rask_text_count(some, RASK_TEXT_WORDS), rask_text_count(some, RASK_TEXT_MATCHES)};
    rask_node *sum = rask_sum(rask_list(graph, parts, 4));
    for (int again = 0; again < 2; again++) {
        rask_value value;
        int64_t number = 0;
        cr_assert_eq(rask_compute_value(sum, NULL, &value), RASK_OK, "%s", rask_graph_error(graph));
        cr_assert_eq(rask_value_get_i64(&value, &number), RASK_OK);
        cr_assert_eq(number, 4 + 3 + 4 + 3);
    }
    rask_graph_free(graph);
}

Test(text, is_not_opened_with_options_that_are_none)
{
    rask_text_options none = {0};
    rask_graph *graph = rask_graph_new();
    cr_assert_null(open_text(graph, &none));
    must_refuse(graph, RASK_EINVAL, "rask_text_open: options.size is not set");
}

Test(text, needs_files)
{
    rask_graph *graph = rask_graph_new();
    cr_assert_null(rask_text_open(graph, NULL, 0, NULL));
    must_refuse(graph, RASK_EINVAL, "rask_text_open: ");
    graph = rask_graph_new();
    cr_assert_null(rask_text_open(graph, (const char *const[]){"/no/such/file"}, 1, NULL));
    must_refuse(graph, RASK_ENOENT, "/no/such/file: No such file");
}

Test(text, builders_take_null_and_return_it)
{
    cr_assert_null(rask_text_open(NULL, (const char *const[]){path}, 1, NULL));
    cr_assert_null(rask_text_count(NULL, RASK_TEXT_LINES));
    cr_assert_null(rask_text_frequencies(NULL, RASK_TEXT_LINES, 3));
    cr_assert_null(rask_text_sample(NULL, 3));
    cr_assert_null(rask_text_write(NULL, "x", 3));
}

Test(text, units_that_make_no_sense_are_refused)
{
    rask_graph *graph = rask_graph_new();
    cr_assert_null(rask_text_frequencies(open_text(graph, NULL), RASK_TEXT_BYTES, 3));
    must_refuse(graph, RASK_EINVAL, "not of bytes");
    graph = rask_graph_new();
    cr_assert_null(rask_text_count(open_text(graph, NULL), RASK_TEXT_MATCHES));
    must_refuse(graph, RASK_EINVAL, "there is no pattern");
    graph = rask_graph_new();
    cr_assert_null(rask_text_count(open_text(graph, NULL), (rask_text_unit)7));
    must_refuse(graph, RASK_EINVAL, "no unit 7");
    graph = rask_graph_new();
    cr_assert_null(rask_text_write(open_text(graph, NULL), NULL, 7));
    must_refuse(graph, RASK_EINVAL, "no path");
}

Test(text, lines_are_written_once)
{
    char out[80], line[40] = "";
    rask_value value;
    int64_t lines = 0;
    snprintf(out, sizeof out, "%s.out", path);
    rask_graph *graph = rask_graph_new();
    rask_node *node = rask_text_write(open_text(graph, NULL), out, 2);
    cr_assert_neq(access(out, F_OK), 0);
    cr_assert_eq(rask_compute_value(node, NULL, &value), RASK_OK, "%s", rask_graph_error(graph));
    cr_assert_eq(rask_value_get_i64(&value, &lines), RASK_OK);
    cr_assert_eq(lines, 2);
    FILE *file = fopen(out, "r");
    cr_assert_not_null(file);
    cr_assert_eq(fread(line, 1, sizeof line, file), strlen("one two\nthree\n"));
    cr_assert_str_eq(line, "one two\nthree\n");
    fclose(file);
    cr_assert_eq(rask_compute_value(node, NULL, &value), RASK_EINVAL);
    cr_assert(strstr(rask_graph_error(graph), "but once"), "%s", rask_graph_error(graph));
    rask_graph_free(graph);
    unlink(out);
}

Test(text, what_is_never_computed_writes_nothing)
{
    char out[80];
    snprintf(out, sizeof out, "%s.out", path);
    rask_graph *graph = rask_graph_new();
    cr_assert_not_null(rask_text_write(open_text(graph, NULL), out, 2));
    rask_graph_free(graph);
    cr_assert_neq(access(out, F_OK), 0);
}
