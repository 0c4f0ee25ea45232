/* The first line of any bytes as paths into JSON and their types, "a.b, [0] iy", the rest as records: refused with a message, or
 * fields that are what they are said to be, and nothing leaks. With replay.c a test over the corpus; with clang's
 * -fsanitize=fuzzer,address a fuzzer. */
#include <rask/rask.h>

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const rask_records *records, const char *types)
{
    rask_record record;
    for (uint64_t i = 0; i < rask_records_count(records); i++) {
        assert(!rask_records_get(records, i, &record) && record.count == strlen(types));
        for (uint32_t k = 0; k < record.count; k++)
            assert(record.items[k].type == 'n' || record.items[k].type == types[k]);
    }
}

static void ask(rask_graph *graph, const char *paths, const char *types, const char *text, size_t len)
{
    rask_options options = RASK_OPTIONS_INIT;
    rask_records *records = NULL;
    options.scheduler = "serial";
    rask_bag *bag = rask_bag_json(rask_bag_from_lines(graph, text, len), paths, types);
    assert(!bag == !!rask_graph_status(graph));
    int status = rask_bag_compute(bag, &options, &records);
    if (status)
        assert(*rask_graph_error(graph));
    else
        check(records, types);
    rask_records_free(records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    size_t len = newline ? (size_t)(newline - data) : size;
    char *paths = calloc(len + 1, 1);
    rask_graph *graph = rask_graph_new();
    assert(paths && graph);
    if (len)
        memcpy(paths, data, len);
    char *blank = strrchr(paths, ' ');
    if (blank)
        *blank = 0;
    const size_t rest = newline ? size - len - 1 : 0;
    ask(graph, paths, blank ? blank + 1 : "y", rest ? (const char *)newline + 1 : "", rest);
    rask_graph_free(graph);
    free(paths);
    return 0;
}
