#include "collections/bag/scan.h"

#include "collections/bag/recipe.h"
#include "collections/bag/records.h"
#include "collections/bag/task.h"
#include "collections/text/lines.h"
#include "collections/text/spaces.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <stdio.h>
#include <string.h>

/* A task at work. */
typedef struct scan {
    rask_task *task;
    const rk_bag_job *job;
    rk_bag_sink sink;
    rk_bag_run run;
    bool in_part; /* nobody knows how many records came before */
} scan;

static bool is_full(const scan *s)
{
    return rk_bag_sink_full(&s->sink);
}

static int take(scan *s, uint64_t at, const rask_record *record)
{
    s->run.place.at = at;
    s->run.place.turn++;
    return rk_bag_run_take(&s->run, record);
}

/* -- Text */

/* A part of a file being read. */
typedef struct reading {
    scan *s;
    const rk_text_file *file;
    uint64_t begin;
    rk_text_lines *lines;
    const char *text; /* whole lines */
    size_t len;
} reading;

static bool is_cancelled(void *task)
{
    return rask_task_cancelled(task);
}

/* The next lines; len is 0 at the end. */
static int next_lines(reading *r)
{
    rk_text_error error = {0};
    int status = rk_text_lines_next(r->lines, &r->text, &r->len, &error);
    if (status)
        return rk_task_fail(r->s->task, status, "%s", error.message);
    return RASK_OK;
}

/* With the line of the record that failed, which is worth reading the file again. */
static int fail_line(const reading *r, int status)
{
    const scan *s = r->s;
    const char *at = s->run.place.text ? s->run.place.text : r->text;
    uint64_t line = rk_text_lines_until(r->file, r->begin) + rk_text_lines_before(r->lines) +
                    rk_count_newlines(r->text, (size_t)(at - r->text)) + 1;
    return rk_task_fail(s->task, status, "%s:%llu: %s", r->file->path, (unsigned long long)line,
                        s->run.message);
}

static int take_lines(reading *r)
{
    scan *s = r->s;
    uint64_t position = rk_text_lines_position(r->lines);
    rask_record record = {.count = 1, .items[0].type = 'y'};
    for (size_t at = 0; at < r->len && !is_full(s);) {
        const char *newline = memchr(r->text + at, '\n', r->len - at);
        size_t n = newline ? (size_t)(newline - r->text) - at : r->len - at;
        bool returned = newline && n && r->text[at + n - 1] == '\r';
        record.items[0].as.bytes = (rask_bytes){r->text + at, n - returned};
        s->run.place.text = r->text + at;
        int status = take(s, position + at, &record);
        if (status)
            return fail_line(r, status);
        at += n + 1;
    }
    return RASK_OK;
}

/* All of them in one record, for a step that knows. */
static int take_block(reading *r)
{
    const rask_record record = {.count = 1, .items = {rask_item_bytes(r->text, r->len)}};
    r->s->run.place.text = r->text;
    int status = take(r->s, rk_text_lines_position(r->lines), &record);
    return status ? fail_line(r, status) : RASK_OK;
}

/* Into the sink, as they are. */
static int take_text(reading *r)
{
    scan *s = r->s;
    int status = rk_bag_sink_add_text(&s->sink, (rask_bytes){r->text, r->len}, s->job->grain == RK_BAG_WORDS);
    return status ? rk_bag_task_fail(s->task, status, s->sink.message) : RASK_OK;
}

static int read_lines(reading *r)
{
    static int (*const takers[])(reading *) = {[RK_BAG_RECORDS] = take_lines,
                                               [RK_BAG_BLOCKS] = take_block,
                                               [RK_BAG_LINES] = take_text,
                                               [RK_BAG_WORDS] = take_text};
    scan *s = r->s;
    int status = next_lines(r);
    while (!status && r->len && !is_full(s)) {
        status = takers[s->job->grain](r);
        if (!status && !is_full(s))
            status = next_lines(r);
    }
    return status;
}

/* A stream is read once. */
static bool take_stream(const rk_bag_text *text, uint32_t number)
{
    bool taken = false;
    return !text->files.files[number].stream || rk_cas_acq_rel(&text->taken[number], &taken, true);
}

static int read_file(scan *s, uint32_t number, uint64_t begin, uint64_t end)
{
    const rk_bag_text *text = s->job->source->as.text;
    const rk_text_file *file = &text->files.files[number];
    rk_text_options options = {.cancelled = is_cancelled, .context = s->task};
    rk_text_error error = {0};
    reading r = {.s = s, .file = file, .begin = begin};
    if (!take_stream(text, number))
        return rk_task_fail(s->task, RASK_EINVAL, "%s: a stream can be read but once", file->path);
    int status = rk_text_lines_new(file, begin, end, &options, &r.lines, &error);
    if (status)
        return rk_task_fail(s->task, status, "%s", error.message);
    s->run.place = (rk_bag_place){.source = number, .turn = s->run.place.turn};
    status = read_lines(&r);
    rk_text_lines_free(r.lines);
    return status;
}

static int read_files(scan *s, uint32_t part)
{
    const rk_text_parts *parts = &s->job->text;
    int status = RASK_OK;
    for (uint32_t i = parts->first[part]; i < parts->first[part + 1] && !status && !is_full(s); i++)
        status = read_file(s, parts->ranges[i].file, parts->ranges[i].begin, parts->ranges[i].end);
    return status;
}

/* -- Memory and numbers */

/* number: from 0 on, as places have it; people count from 1, as they do lines. */
static int fail_record(const scan *s, int status, uint64_t number)
{
    const char *where = s->in_part ? " of a part" : "";
    return rk_task_fail(s->task, status, "record %llu%s: %s", (unsigned long long)number + 1, where,
                        s->run.message);
}

/* Records begin … end - 1, the first of which is called number. */
static int take_chunk(scan *s, const rk_bag_chunk *chunk, uint64_t begin, uint64_t end, uint64_t number)
{
    enum { SOME = 4096 };
    rask_record record;
    for (uint64_t i = begin; i < end && !is_full(s); i++) {
        rk_bag_chunk_get(chunk, i, &record);
        int status = take(s, number + (i - begin), &record);
        if (status)
            return fail_record(s, status, number + (i - begin));
        if (i % SOME == 0 && rask_task_cancelled(s->task))
            return rk_bag_task_fail(s->task, RASK_ECANCELLED, "");
    }
    return RASK_OK;
}

static int take_range(scan *s, uint64_t begin, uint64_t end)
{
    enum { SOME = 65536 };
    const rk_bag_range *range = &s->job->source->as.range;
    rask_record record = {.count = 1, .items[0].type = 'i'};
    for (uint64_t i = begin; i < end && !is_full(s); i++) {
        record.items[0].as.i64 = (int64_t)((uint64_t)range->begin + i * (uint64_t)range->step);
        int status = take(s, i, &record);
        if (status)
            return fail_record(s, status, i);
        if (i % SOME == 0 && rask_task_cancelled(s->task))
            return rk_bag_task_fail(s->task, RASK_ECANCELLED, "");
    }
    return RASK_OK;
}

static int take_part(scan *s, uint32_t part)
{
    const rask_bag *source = s->job->source;
    if (source->kind == RK_BAG_TEXT)
        return read_files(s, part);
    const rk_bag_slice *slice = &s->job->parts[part];
    return source->kind == RK_BAG_HELD
               ? take_chunk(s, source->as.held, slice->begin, slice->end, slice->begin)
               : take_range(s, slice->begin, slice->end);
}

static int take_together(scan *s, const rk_bag_chunk *chunk)
{
    const rask_bag *parts = s->job->source;
    const rask_records records = {
        .count = chunk->count, .chunk_count = 1, .chunks = chunk, .shape = *chunk->shape};
    int status = rk_bag_run_gather(&s->run, parts->as.gathering, &parts->shape, &records);
    return status ? rk_task_fail(s->task, status, "%s", s->run.message) : RASK_OK;
}

/* -- Tasks */

static int begin(scan *s)
{
    int status = rk_bag_sink_init(&s->sink, &s->job->sink);
    if (!status)
        status = rk_bag_run_init(&s->run, s->job->steps, s->job->step_count, &s->sink);
    return status ? rk_bag_task_fail(s->task, status, "") : RASK_OK;
}

/* The sink's values are the result, unless status is a failure. */
static int end(scan *s, int status)
{
    uint32_t count = rk_bag_sink_values(&s->job->sink);
    rask_value *values = status ? NULL : rk_calloc(count, sizeof *values);
    if (!status) {
        status = values ? rk_bag_sink_end(&s->sink, values) : RASK_ENOMEM;
        status = status ? rk_bag_task_fail(s->task, status, s->sink.message)
                        : rk_bag_return(s->task, values, count);
    }
    rk_free(values);
    rk_bag_run_fini(&s->run);
    rk_bag_sink_fini(&s->sink);
    return status;
}

/* (job, first part, last part) */
static int run_parts(rask_task *task)
{
    scan s = {.task = task, .job = rk_shared_arg(task, 0, &rk_bag_shared_class)};
    uint32_t last = (uint32_t)rask_arg_i64(task, 2);
    if (!s.job)
        return RASK_ETYPE;
    int status = begin(&s);
    for (uint32_t i = (uint32_t)rask_arg_i64(task, 1); i <= last && !status && !is_full(&s); i++)
        status = take_part(&s, i);
    return end(&s, status);
}

/* (job, chunk) and the number of its first record */
static int run_chunk(rask_task *task)
{
    bool numbered = rask_arg_count(task) > 2;
    scan s = {.task = task, .job = rk_shared_arg(task, 0, &rk_bag_shared_class), .in_part = !numbered};
    uint64_t number = numbered ? (uint64_t)rask_arg_i64(task, 2) : 0;
    rk_bag_chunk chunk;
    if (!s.job)
        return RASK_ETYPE;
    rk_bag_chunk_open(&chunk, rask_arg_bytes(task, 1));
    int status = begin(&s);
    if (!status)
        status = s.job->source->kind == RK_BAG_PARTS ? take_together(&s, &chunk)
                                                     : take_chunk(&s, &chunk, 0, chunk.count, number);
    return end(&s, status);
}

/* (chunk) and the number of its first record */
static int run_number(rask_task *task)
{
    rk_bag_chunk chunk;
    int64_t before = rask_arg_count(task) > 1 ? rask_arg_i64(task, 1) : 0;
    rk_bag_chunk_open(&chunk, rask_arg_bytes(task, 0));
    return rask_return_i64(task, before + (int64_t)chunk.count);
}

static const rask_task_def text_defs[] = RK_DEFS_BY_PLACE(.name = "read text", .call = run_parts),
                           parts_def = {.size = sizeof parts_def, .name = "records", .call = run_parts},
                           chunk_def = {.size = sizeof chunk_def, .name = "records", .call = run_chunk},
                           number_def = {.size = sizeof number_def, .name = "number", .call = run_number};

/* -- Lowering */

uint64_t rk_bag_scan_bytes(const rk_bag_job *job)
{
    bool text = job->source->kind == RK_BAG_TEXT;
    return (text ? 2 * RK_TEXT_BLOCK + (1 << 20) : 0) + sizeof(scan) + job->step_count * sizeof(rask_bag_out);
}

/* What is read of a stream by one process the others do not have. */
static bool has_stream(const rk_bag_job *job, uint32_t first, uint32_t last)
{
    const rk_text_file *files = job->source->as.text->files.files;
    bool stream = false;
    for (uint32_t i = job->text.first[first]; i < job->text.first[last + 1] && !stream; i++)
        stream = files[job->text.ranges[i].file].stream;
    return stream;
}

int rk_bag_scan_parts(rask_graph *graph, const rk_bag_job *job, uint32_t first, uint32_t last,
                      uint64_t scratch, uint64_t result, rask_node **nodes)
{
    const rask_arg args[] = {{.kind = RASK_ARG_I64, .as.i64 = first}, {.kind = RASK_ARG_I64, .as.i64 = last}};
    const rask_task_def *def =
        job->source->kind == RK_BAG_TEXT ? &text_defs[has_stream(job, first, last)] : &parts_def;
    rask_node *node = rk_bag_call(graph, def, job, args, 2, scratch, result);
    return rk_bag_split(graph, node, rk_bag_sink_values(&job->sink), result, nodes);
}

int rk_bag_scan_chunk(rask_graph *graph, const rk_bag_job *job, rask_node *chunk, rask_node *number,
                      uint64_t scratch, uint64_t result, rask_node **nodes)
{
    rask_node *const args[] = {chunk, number};
    rask_node *node = rk_bag_call_nodes(graph, &chunk_def, job, args, number ? 2 : 1, scratch, result);
    return rk_bag_split(graph, node, rk_bag_sink_values(&job->sink), result, nodes);
}

rask_node *rk_bag_scan_number(rask_graph *graph, rask_node *before, rask_node *chunk)
{
    rask_node *const args[] = {chunk, before};
    return rask_call_nodes_at(graph, &number_def, args, before ? 2 : 1, NULL, 0);
}
