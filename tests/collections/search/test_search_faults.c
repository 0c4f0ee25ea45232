/* Texts where memory runs out: an error that says so, or the right result; nothing is left. */
#include "tests/failing_allocator.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static char path[] = "/tmp/rask-test-faults-XXXXXX", out_path[sizeof path + 4];

static void write_file(void)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    FILE *file = fdopen(fd, "w");
    for (int i = 0; i < 100; i++)
        fprintf(file, "line %d, with a word that is longer than others%d\n", i, i % 7);
    fclose(file);
    snprintf(out_path, sizeof out_path, "%s.out", path);
}

static void remove_file(void)
{
    unlink(path);
    unlink(out_path);
}

TestSuite(faults, .init = write_file, .fini = remove_file);

typedef rask_node *build(rask_text *text);

/* Two parts, so that there is something to merge; on one thread, so that allocations come in one order. */
static int compute(build *make, const char *pattern, bool (*check)(const rask_value *value))
{
    rask_options options = RASK_OPTIONS_INIT;
    rask_text_options how = RASK_TEXT_OPTIONS_INIT;
    rask_value value = rask_value_none();
    rask_graph *graph = rask_graph_new();
    if (!graph)
        return RASK_ENOMEM;
    how.block_bytes = 3000;
    how.pattern = pattern;
    how.workers = 1;
    how.memory = 64 << 20;
    options.scheduler = "serial";
    rask_node *node = make(rask_text_open(graph, (const char *const[]){path}, 1, &how));
    int status = node ? rask_compute_value(node, &options, &value) : rask_graph_status(graph);
    if (!status && !check(&value))
        status = RASK_EINVAL;
    rask_value_unref(&value);
    rask_graph_free(graph);
    return status;
}

static bool is_hundred(const rask_value *value)
{
    int64_t count = 0;
    return rask_value_get_i64(value, &count) == RASK_OK && count == 100;
}

static bool is_list_of_six(const rask_value *value)
{
    const rask_value *items;
    size_t count = 0;
    return rask_value_get_list(value, &items, &count) == RASK_OK && count == 6;
}

static rask_node *count(rask_text *text)
{
    return rask_text_count(text, RASK_TEXT_MATCHES);
}

static rask_node *frequencies(rask_text *text)
{
    return rask_text_frequencies(text, RASK_TEXT_WORDS, 3);
}

static rask_node *sample(rask_text *text)
{
    return rask_text_sample(text, 6);
}

static rask_node *write_lines(rask_text *text)
{
    return rask_text_write(text, out_path, UINT64_MAX);
}

static int run_count(void)
{
    return compute(count, "line", is_hundred);
}

static int run_frequencies(void)
{
    return compute(frequencies, NULL, is_list_of_six);
}

static int run_sample(void)
{
    return compute(sample, NULL, is_list_of_six);
}

static int run_write(void)
{
    return compute(write_lines, NULL, is_hundred);
}

Test(faults, counting)
{
    sweep(run_count, 8);
}

Test(faults, frequencies)
{
    sweep(run_frequencies, 8);
}

Test(faults, samples)
{
    sweep(run_sample, 8);
}

Test(faults, writing)
{
    sweep(run_write, 8);
}
