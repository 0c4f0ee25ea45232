#include "words_graph.h"

#include <rask/sugar.h>

#include <stdio.h>
#include <stdlib.h>

enum {
    FAN_IN = 4,            /* tables that one task merges */
    BLOCKS_PER_WORKER = 4, /* more would even out workers better, but every block has a table of its own */
    BLOCKS_WHEN_BOUNDED = 2,
    LEAST_BLOCK = 4 << 20, /* below this merging costs more than other workers help */
    FILES_PER_PART = 1024, /* opening a file is work, too, be it empty */
};

/* --- the tasks */

static bool task_cancelled(void *task)
{
    return rask_task_cancelled(task);
}

/* Ends the job and gives its table, or its failure, to the task. */
static int return_table(rask_task *task, words_job *job, int status)
{
    words_table *table;
    if (!status)
        status = words_counter_finish(&job->counter, &table);
    words_job_fini(job);
    if (!status)
        return rask_return_custom(task, &words_table_class, table);
    return rask_fail(task, status, job->failure.code ? job->failure.text : rask_status_text(status));
}

static int start_job(rask_task *task, words_job *job)
{
    int status = words_job_init(job, (uint64_t)rask_arg_i64(task, 1), (uint64_t)rask_arg_i64(task, 2));
    job->cancelled = task_cancelled;
    job->context = task;
    return status;
}

/* A range as an argument: the numbers, then the path with its NUL. Returns the bytes it took, 0: malformed.
 */
static size_t unpack_range(rask_bytes bytes, words_range *range)
{
    const char *end =
        bytes.len > sizeof *range ? memchr(bytes.data + sizeof *range, 0, bytes.len - sizeof *range) : NULL;
    if (!end)
        return 0;
    memcpy(range, bytes.data, sizeof *range);
    range->path = bytes.data + sizeof *range;
    return (size_t)(end + 1 - bytes.data);
}

/* (ranges, seed, ceiling): the words of the ranges. */
static int count(rask_task *task)
{
    rask_bytes rest = rask_arg_bytes(task, 0);
    words_job job;
    int status = start_job(task, &job);
    while (!status && rest.len > 0) {
        words_range range;
        size_t taken = unpack_range(rest, &range);
        status = taken ? words_read_range(&job, &range) : RASK_EINVAL;
        rest.data += taken;
        rest.len -= taken;
    }
    return return_table(task, &job, status);
}
RASK_SLOTS(count);

/* (stream's address, seed, ceiling): the words of those pieces of the streams that no other task took. */
static int count_stream(rask_task *task)
{
    words_stream *stream;
    int64_t address = rask_arg_i64(task, 0);
    words_job job;
    int status = start_job(task, &job);
    memcpy(&stream, &address, sizeof stream);
    if (!status)
        status = words_read_stream(&job, stream);
    return return_table(task, &job, status);
}
RASK_SLOTS(count_stream);

static int merge(rask_task *task)
{
    const words_table *tables[FAN_IN];
    words_table *merged;
    size_t tables_count = rask_arg_count(task) < FAN_IN ? rask_arg_count(task) : FAN_IN;
    for (size_t i = 0; i < tables_count; i++) {
        tables[i] = rask_arg_custom(task, i, &words_table_class);
        if (!tables[i])
            return RASK_ETYPE;
    }
    int status = words_table_merge(tables, tables_count, &merged);
    return status ? rask_fail(task, status, rask_status_text(status))
                  : rask_return_custom(task, &words_table_class, merged);
}
RASK_SLOTS(merge);

/* Makes values of entries: word, count, word, count. On failure those made so far are ended. */
static int values_of(const words_table *table, const words_entry *entries, size_t entry_count,
                     rask_value *values)
{
    for (size_t i = 0; i < entry_count; i++) {
        rask_bytes text = words_entry_text(&table->arena, &entries[i]);
        int status = rask_value_bytes_new(text.data, text.len, &values[2 * i]);
        if (status) {
            for (size_t j = 0; j < i; j++)
                rask_value_unref(&values[2 * j]);
            return status;
        }
        values[2 * i + 1] = rask_value_i64((int64_t)words_entry_count(&entries[i]));
    }
    return RASK_OK;
}

static int return_words(rask_task *task, const words_table *table, const words_entry *entries,
                        size_t entry_count)
{
    rask_value *values = malloc((2 * entry_count + 1) * sizeof *values);
    if (!values)
        return rask_fail(task, RASK_ENOMEM, rask_status_text(RASK_ENOMEM));
    int status = values_of(table, entries, entry_count, values);
    if (status) {
        free(values);
        return rask_fail(task, status, rask_status_text(status));
    }
    status = rask_return_list(task, values, 2 * entry_count);
    for (size_t i = 0; i < entry_count; i++)
        rask_value_unref(&values[2 * i]);
    free(values);
    return status;
}

/* (table, k): the k most frequent words. */
static int top(rask_task *task)
{
    const words_table *table = rask_arg_custom(task, 0, &words_table_class);
    words_entry *entries;
    size_t entry_count;
    if (!table)
        return RASK_ETYPE;
    int status = words_table_top(table, (uint64_t)rask_arg_i64(task, 1), &entries, &entry_count);
    if (status)
        return rask_fail(task, status, rask_status_text(status));
    status = return_words(task, table, entries, entry_count);
    free(entries);
    return status;
}
RASK_SLOTS(top);

/* --- the graph: built without this file's name and line, which mean nothing to whoever reads a failure */

/* Count tasks as they are made; the ranges of the next one gather in data. */
typedef struct builder {
    rask_graph *graph;
    const words_layout *layout;
    rask_node **parts;
    size_t part_count;
    char *data;
    size_t used, capacity;
    size_t ranges;
    uint64_t bytes;
    char label[256];
    bool failed;
} builder;

static uint64_t known_size(const words_range *file)
{
    return file->size == WORDS_UNKNOWN_SIZE ? 0 : file->end - file->begin;
}

uint64_t words_parts(const words_inputs *inputs, uint64_t block_size)
{
    uint64_t parts = 0;
    for (size_t i = 0; i < inputs->file_count; i++)
        parts += known_size(&inputs->files[i]) / block_size + 1;
    return parts;
}

uint64_t words_block_size(uint64_t bytes, uint64_t workers, bool bounded)
{
    uint64_t blocks = workers * (bounded ? BLOCKS_WHEN_BOUNDED : BLOCKS_PER_WORKER);
    uint64_t size = bytes / blocks + 1;
    return size < LEAST_BLOCK ? LEAST_BLOCK : size;
}

static rask_node *count_call(builder *b, const rask_task_def *def, rask_arg what)
{
    rask_arg args[] = {what, rask_arg_of_i64((int64_t)b->layout->seed),
                       rask_arg_of_i64((int64_t)b->layout->ceiling)};
    return rask_call_at(b->graph, def, args, 3, NULL, 0);
}

/* Makes a count task of what has gathered. */
static void flush(builder *b)
{
    if (b->ranges == 0)
        return;
    rask_node *node = count_call(b, RASK_DEF(count), rask_arg_of_bytes((rask_bytes){b->data, b->used}));
    if (b->ranges > 1)
        snprintf(b->label, sizeof b->label, "%zu files", b->ranges);
    b->parts[b->part_count++] = rask_set_label(node, b->label);
    b->used = b->ranges = 0;
    b->bytes = 0;
}

static bool reserve(builder *b, size_t more)
{
    if (b->used + more <= b->capacity)
        return true;
    size_t capacity = 2 * b->capacity + more;
    char *data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

static void add_range(builder *b, const words_range *range)
{
    size_t path = strlen(range->path) + 1;
    if (!reserve(b, sizeof *range + path))
        return;
    words_range packed = *range;
    packed.path = NULL; /* follows; an address would make equal calls differ */
    memcpy(b->data + b->used, &packed, sizeof packed);
    memcpy(b->data + b->used + sizeof packed, range->path, path);
    b->used += sizeof packed + path;
    b->ranges++;
    b->bytes += known_size(range);
    snprintf(b->label, sizeof b->label, "%.200s from %llu", range->path, (unsigned long long)range->begin);
}

static void add_blocks(builder *b, const words_range *file)
{
    words_range block = *file;
    for (; block.begin < file->end && !b->failed; block.begin = block.end) {
        uint64_t rest = file->end - block.begin;
        block.end = rest < b->layout->block_size ? file->end : block.begin + b->layout->block_size;
        add_range(b, &block);
        flush(b);
    }
}

static void add_files(builder *b, const words_inputs *inputs)
{
    for (size_t i = 0; i < inputs->file_count && !b->failed; i++) {
        const words_range *file = &inputs->files[i];
        if (b->ranges == FILES_PER_PART || b->bytes + known_size(file) > b->layout->block_size)
            flush(b);
        if (known_size(file) > b->layout->block_size)
            add_blocks(b, file);
        else
            add_range(b, file);
    }
    flush(b);
}

static void add_streams(builder *b, words_stream *stream)
{
    int64_t address = 0;
    memcpy(&address, &stream, sizeof stream);
    for (uint64_t i = 0; i < b->layout->stream_tasks; i++)
        b->parts[b->part_count++] = count_call(b, RASK_DEF(count_stream), rask_arg_of_i64(address));
}

rask_node *words_graph_build(rask_graph *graph, const words_inputs *inputs, words_stream *stream,
                             const words_layout *layout)
{
    builder b = {.graph = graph, .layout = layout};
    uint64_t most =
        words_parts(inputs, layout->block_size) + (inputs->stream_count ? layout->stream_tasks : 0);
    rask_node *node = NULL;
    b.parts = malloc((most + 1) * sizeof *b.parts);
    if (b.parts)
        add_files(&b, inputs);
    if (b.parts && inputs->stream_count)
        add_streams(&b, stream);
    if (b.parts && !b.failed) {
        rask_node *list = rask_list_at(graph, b.parts, b.part_count, NULL, 0);
        node = rask_reduce_at(list, RASK_DEF(merge), FAN_IN, NULL, 0);
        rask_arg args[] = {rask_arg_of_node(node), rask_arg_of_i64((int64_t)layout->top)};
        node = rask_call_at(graph, RASK_DEF(top), args, 2, NULL, 0);
    }
    free(b.data);
    free(b.parts);
    return node;
}
