#include "collections/table/scan.h"

#include "collections/table/take.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { UNKNOWN = -1, BLOCK = 512 << 10 };

/* What a part was found to be. */
typedef struct scan_head {
    uint64_t begin, end; /* of the records it has; equal: it has none */
    uint64_t lines;      /* newlines between */
    bool full;           /* its sink wanted no more: end means nothing, and nobody needs the parts behind */
    int32_t status;      /* what is wrong with the text */
    uint64_t line;       /* where, from begin on */
    char message[300];
} scan_head;

/* Where the part before ended, and the lines of the file up to there. */
typedef struct scan_token {
    uint64_t end, lines;
    bool full;
} scan_token;

/* A part being read. */
typedef struct scan {
    rask_task *task;
    const rk_scan_job *job;
    const rk_csv_part *part;
    uint32_t number;
    rk_text_reader *reader;
    rk_text_buffer buffer;
    rk_csv_scanner scanner;
    rk_batch batch;
    rk_pipeline_run run;
    rk_table_sink sink;
    bool ended;    /* the reader has no more: up to the part's end, then up to the file's */
    bool extended; /* it reads behind the part's end */
    uint64_t rows;
    scan_head *head;
} scan;

static bool is_cancelled(void *task)
{
    return rask_task_cancelled(task);
}

static const char *path_of(const scan *s)
{
    return s->job->source->files.files[s->part->file].path;
}

/* -- Beginning */

/* A record of the part before may end at the part's first byte: the one before it tells. */
static uint64_t first_byte(const scan *s, int64_t from)
{
    return from != UNKNOWN ? (uint64_t)from : s->part->begin - !s->part->first;
}

static int open_reader(scan *s, int64_t from, rk_text_error *error)
{
    rk_csv_source *source = s->job->source;
    const rk_text_file *file = &source->files.files[s->part->file];
    rk_text_options options = {.cancelled = is_cancelled, .context = s->task};
    uint64_t begin = first_byte(s, from), end = s->part->end < begin ? begin : s->part->end;
    if (file->stream && !rk_csv_stream_take(&source->streams[s->part->file], &s->reader, &s->buffer, s->task))
        return rk_text_fail(error, RASK_EINVAL, file->path, "a stream can be read but once");
    int status = s->reader ? RASK_OK : rk_text_reader_new(file, begin, end, &options, &s->reader, error);
    if (!status && !s->buffer.data && rk_text_buffer_init(&s->buffer, BLOCK, 0, begin))
        status = rk_text_fail_memory(error, file->path);
    return status;
}

static int open_rest(scan *s)
{
    const rk_scan_job *job = s->job;
    rk_csv_source *source = job->source;
    const rk_pipeline *p = &job->pipeline;
    rask_column_type *types = rk_alloc_array(p->wanted_count + 1, sizeof *types);
    rk_csv_policy policy = source->misfit == RASK_MISFIT_NULL ? RK_CSV_NULL : RK_CSV_FAIL;
    int status = types ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; types && i < p->wanted_count; i++)
        types[i] = source->schema.types[p->wanted[i]];
    if (!status)
        status = rk_batch_init(&s->batch, types, p->wanted_count);
    if (!status)
        status = rk_csv_scanner_init(&s->scanner, &source->format, &source->schema, p->wanted,
                                     p->wanted_count, policy);
    if (!status)
        status = rk_pipeline_run_init(&s->run, p);
    if (!status)
        status = rk_table_sink_init(&s->sink, &job->sink);
    rk_free(types);
    return status;
}

static void close_scan(scan *s)
{
    rk_table_sink_fini(&s->sink);
    rk_pipeline_run_fini(&s->run);
    rk_csv_scanner_fini(&s->scanner);
    rk_batch_fini(&s->batch);
    rk_text_buffer_fini(&s->buffer);
    rk_text_reader_free(s->reader);
}

/* -- Text */

static int fail_reading(const scan *s, int status, const rk_text_error *error)
{
    return rk_task_fail(s->task, status, "%s", error->message);
}

/* What is wrong with the text is told later, by who knows that the part began where a record does. */
static int note_error(scan *s, int status, const rk_csv_error *error)
{
    if (status != RASK_EFORMAT && status != RASK_ELIMIT)
        return rk_task_fail(s->task, status, "%s: %s", path_of(s), error->message);
    s->head->status = status;
    s->head->line = error->line;
    snprintf(s->head->message, sizeof s->head->message, "%s", error->message);
    return status;
}

/* More text behind what there is; of what lies behind the part only once it is extended. */
static int read_more(scan *s)
{
    rk_text_error error = {0};
    size_t got;
    int status = rk_text_buffer_more(&s->buffer, s->reader, 0, &got, &error);
    if (status)
        return fail_reading(s, status, &error);
    s->ended = !got;
    return RASK_OK;
}

/* From here on what lies behind the part is read, too. */
static void extend(scan *s)
{
    rk_text_reader_extend(s->reader, UINT64_MAX);
    s->extended = true;
    s->ended = false;
}

static bool is_last(const scan *s)
{
    return s->ended && (s->part->last || s->extended);
}

/* -- Rows */

static int take_rows(scan *s)
{
    int status = RASK_OK;
    if (s->batch.rows) {
        status = rk_pipeline_take(&s->run, &s->batch);
        if (!status)
            status = rk_table_sink_add(&s->sink, &s->run, (uint64_t)s->number << 32 | s->rows);
        s->rows += s->batch.rows;
    }
    return status ? rk_task_fail(s->task, status, "%s", rask_status_text(status)) : RASK_OK;
}

/* Nothing of a record matters but that it is there. */
static bool only_counts(const scan *s)
{
    return !s->job->pipeline.wanted_count && !s->job->pipeline.step_count &&
           s->job->sink.kind == RK_SINK_GROUPS;
}

static int count_rows(scan *s, size_t len, size_t *used)
{
    rk_csv_error error = {0};
    uint64_t rows = 0;
    int status =
        rk_csv_count(&s->scanner, rk_text_buffer_data(&s->buffer), len, is_last(s), &rows, used, &error);
    if (status)
        return note_error(s, status, &error);
    while (rows && !status) {
        s->batch.rows = rows < RK_BATCH_ROWS ? (uint32_t)rows : RK_BATCH_ROWS;
        rows -= s->batch.rows;
        status = take_rows(s);
    }
    return status;
}

/* The records in the first len bytes that were not taken; *used: bytes of them. */
static int scan_text(scan *s, size_t len, size_t *used)
{
    rk_csv_error error = {0};
    bool last = is_last(s) && len == rk_text_buffer_len(&s->buffer);
    *used = 0;
    if (only_counts(s) && !s->extended)
        return count_rows(s, len, used);
    s->batch.rows = 0;
    int status =
        rk_csv_scan(&s->scanner, rk_text_buffer_data(&s->buffer), len, last, &s->batch, used, &error);
    return status ? note_error(s, status, &error) : take_rows(s);
}

/* All records that end in the part; what begins a last one is left in the buffer. */
static int scan_inside(scan *s)
{
    int status = RASK_OK;
    size_t used = 0;
    while (!status && !rk_table_sink_is_full(&s->sink)) {
        bool ended = s->ended;
        status = scan_text(s, rk_text_buffer_len(&s->buffer), &used);
        rk_text_buffer_take(&s->buffer, used);
        if (!status && !used && ended)
            break;
        if (!status && !used)
            status = read_more(s);
    }
    return status;
}

/* Where the line ends that has byte at: behind its newline; len when it has none. */
static size_t line_end(const scan *s, size_t at)
{
    size_t len = rk_text_buffer_len(&s->buffer);
    const char *text = rk_text_buffer_data(&s->buffer);
    const char *newline = at < len ? memchr(text + at, '\n', len - at) : NULL;
    return newline ? (size_t)(newline - text) + 1 : len;
}

/* The record that the part ends in, and no more: the text grows line by line, more of them each time. */
static int scan_last_record(scan *s)
{
    size_t len = rk_text_buffer_len(&s->buffer), low = len, used = 0;
    int status = RASK_OK;
    if (!len || s->part->last || rk_table_sink_is_full(&s->sink))
        return RASK_OK;
    extend(s);
    while (!status && !used) {
        size_t end = line_end(s, low);
        bool whole = end < rk_text_buffer_len(&s->buffer) ||
                     (end > low && rk_text_buffer_data(&s->buffer)[end - 1] == '\n');
        if (!whole && !s->ended) {
            status = read_more(s);
            continue;
        }
        status = scan_text(s, end, &used);
        if (!used && end == rk_text_buffer_len(&s->buffer) && s->ended)
            break;
        low = end;
    }
    rk_text_buffer_take(&s->buffer, used);
    return status;
}

/* -- Parts */

/* Tries to find where the first record begins in the text that there is: behind the header, or by a guess. */
static int try_begin(scan *s, bool guess, bool *found)
{
    rk_csv_error error = {0};
    const char *text = rk_text_buffer_data(&s->buffer);
    size_t used = 0, len = rk_text_buffer_len(&s->buffer);
    int status = RASK_OK;
    if (guess) {
        used = rk_csv_resume(&s->job->source->format, &s->job->source->schema, text, len);
        *found = used < len;
    } else {
        status = rk_csv_skip_head(&s->scanner, text, len, s->ended, found, &used, &error);
    }
    if (status)
        return note_error(s, status, &error);
    if (*found || s->ended)
        rk_text_buffer_take(&s->buffer, used);
    return RASK_OK;
}

/* A header may end behind the part that it begins in. */
static int find_begin(scan *s, int64_t from)
{
    bool found = !s->part->first && from != UNKNOWN, guess = !s->part->first;
    int status = RASK_OK;
    while (!status && !found) {
        bool ended = s->ended;
        if (ended && !guess && !is_last(s)) {
            extend(s);
            ended = false;
        } else {
            status = try_begin(s, guess, &found);
        }
        if (!status && !found && ended)
            break;
        if (!status && !found && !s->ended)
            status = read_more(s);
    }
    return status;
}

/* Reads the records that begin in the part: from a known place, or from a guess. */
static int scan_part(scan *s, int64_t from)
{
    rk_text_error error = {0};
    *s->head = (scan_head){0};
    int status = open_reader(s, from, &error);
    if (status)
        return fail_reading(s, status, &error);
    status = open_rest(s);
    if (status)
        return rk_task_fail(s->task, status, "%s: %s", path_of(s), rask_status_text(status));
    status = rk_text_buffer_len(&s->buffer) ? RASK_OK : read_more(s);
    if (!status)
        status = find_begin(s, from);
    s->head->begin = s->buffer.position;
    uint64_t lines = rk_csv_lines(&s->scanner);
    if (!status && s->head->begin < s->part->end)
        status = scan_inside(s);
    if (!status && s->head->begin < s->part->end)
        status = scan_last_record(s);
    s->head->end = s->buffer.position;
    s->head->lines = rk_csv_lines(&s->scanner) - (s->part->first ? 0 : lines);
    s->head->full = rk_table_sink_is_full(&s->sink);
    return status;
}

/* Status and line as the user is told of them; lines: of the file before the part's first record. */
static int fail_text(rask_task *task, const rk_scan_job *job, uint32_t number, const scan_head *head,
                     uint64_t lines)
{
    uint64_t line = lines + head->line + 1;
    return rk_task_fail(task, head->status, "%s:%llu: %s",
                        job->source->files.files[job->parts[number].file].path, (unsigned long long)line,
                        head->message);
}

static void unref_all(rask_value *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        rask_value_unref(&values[i]);
}

/* The values of the sink, each none when the text is wrong, which head says. On failure there are none. */
static int read_part(rask_task *task, const rk_scan_job *job, uint32_t number, int64_t from, scan_head *head,
                     rask_value *values)
{
    scan s = {.task = task, .job = job, .part = &job->parts[number], .number = number, .head = head};
    for (uint32_t i = 0; i < rk_table_sink_values(&job->sink); i++)
        values[i] = rask_value_none();
    int status = scan_part(&s, from);
    if (!status) {
        status = rk_table_sink_end(&s.sink, values);
        if (status)
            rk_task_fail(task, status, "%s", rask_status_text(status));
    } else if (head->status) {
        status = RASK_OK;
    }
    close_scan(&s);
    return status;
}

/* -- Tasks */

static size_t print_job(const void *data, char *buffer, size_t capacity)
{
    const rk_scan_job *job = data;
    return (size_t)snprintf(buffer, capacity, "parts of %s%s", job->source->files.files[0].path,
                            job->source->files.count > 1 ? ", …" : "");
}

static void keep_job(void *data)
{
    (void)data; /* the lowering's */
}

static const rask_class job_class = {.name = "scan", .destroy = keep_job, .print = print_job};

/* What tasks of a part begin with: room for the values, and before them for one more. NULL: the task failed. */
static rask_value *begin_task(rask_task *task, const rk_scan_job **job, uint32_t *number, uint32_t *count)
{
    *job = rask_arg_custom(task, 0, &job_class);
    *number = (uint32_t)rask_arg_i64(task, 1);
    *count = *job ? rk_table_sink_values(&(*job)->sink) : 0;
    rask_value *items = *job ? rk_calloc(*count + 1, sizeof *items) : NULL;
    if (*job && !items)
        rask_fail(task, RASK_ENOMEM, rask_status_text(RASK_ENOMEM));
    return items;
}

static int end_task(rask_value *items, uint32_t count, int status)
{
    unref_all(items, count);
    rk_free(items);
    return status;
}

/* items[0] is what stands at data; then the list is the result. */
static int return_with(rask_task *task, const void *data, size_t size, rask_value *items, uint32_t count)
{
    int status = rask_value_bytes_new(data, size, &items[0]);
    return status ? rask_fail(task, status, rask_status_text(status))
                  : rask_return_list(task, items, count + 1);
}

/* (job, number): a part that is a whole file: its only value. */
static int run_read(rask_task *task)
{
    const rk_scan_job *job;
    uint32_t number, count;
    scan_head head;
    rask_value *items = begin_task(task, &job, &number, &count);
    int status = items ? read_part(task, job, number, UNKNOWN, &head, items + 1) : RASK_ENOMEM;
    if (!items)
        return status;
    if (!status && head.status)
        status = fail_text(task, job, number, &head, 0);
    else if (!status)
        status = rask_return_value(task, rask_value_ref(&items[1]));
    return end_task(items, count + 1, status);
}

/* (job, number): a part from a guess on: its head and its values. */
static int run_scan(rask_task *task)
{
    const rk_scan_job *job;
    uint32_t number, count;
    scan_head head;
    rask_value *items = begin_task(task, &job, &number, &count);
    int status = items ? read_part(task, job, number, UNKNOWN, &head, items + 1) : RASK_ENOMEM;
    if (!items)
        return status;
    if (!status)
        status = return_with(task, &head, sizeof head, items, count);
    return end_task(items, count + 1, status);
}

/* Bytes of an item as a structure. */
static bool take_bytes(const rask_value *item, void *out, size_t size)
{
    rask_bytes bytes;
    if (rask_value_get_bytes(item, &bytes) || bytes.len != size)
        return false;
    memcpy(out, bytes.data, size);
    return true;
}

/* Whether a guess was right: records begin where those before end, or there are none and should be none. */
static bool fits(const scan_head *head, const rk_csv_part *part, const scan_token *before)
{
    bool none = (head->begin >= part->end || head->begin == head->end) && !head->status;
    return part->first || before->full || (before->end >= part->end ? none : head->begin == before->end);
}

/* The values of a part whose rows nobody needs. */
static int make_empty(rask_task *task, const rk_scan_job *job, rask_value *values)
{
    rk_table_sink sink;
    int status = rk_table_sink_init(&sink, &job->sink);
    if (!status) {
        status = rk_table_sink_end(&sink, values);
        rk_table_sink_fini(&sink);
    }
    return status ? rk_task_fail(task, status, "%s", rask_status_text(status)) : RASK_OK;
}

/* Whether what was found will do; else the values, found now from where the records before end. */
static int settle(rask_task *task, const rk_scan_job *job, uint32_t number, const rask_value *found,
                  scan_token *token, bool *good, rask_value *values)
{
    scan_head head;
    int status = RASK_OK;
    const rask_value *before = rask_arg_count(task) > 3 ? rask_arg_value(task, 3) : NULL;
    *token = (scan_token){0};
    if (!take_bytes(found, &head, sizeof head) || (before && !take_bytes(before, token, sizeof *token)))
        return RASK_ETYPE;
    *good = fits(&head, &job->parts[number], token);
    if (!*good)
        status = read_part(task, job, number, (int64_t)token->end, &head, values);
    if (!status && head.status && !token->full)
        return fail_text(task, job, number, &head, token->lines);
    if (!status && head.status) {
        *good = false;
        status = make_empty(task, job, values);
    }
    token->end = head.end > token->end ? head.end : token->end;
    token->lines += head.lines;
    token->full |= head.full;
    return status;
}

/* (job, number, head and values, token of the part before): the token of this part, then the values, unless those that
 * were found are right. */
static int run_settle(rask_task *task)
{
    const rk_scan_job *job;
    uint32_t number, count;
    size_t found_count;
    scan_token token;
    bool good = false;
    rask_value *items = begin_task(task, &job, &number, &count);
    const rask_value *found = rask_arg_list(task, 2, &found_count);
    int status = items && found && found_count == count + 1 ? RASK_OK : RASK_ETYPE;
    if (!status)
        status = settle(task, job, number, found, &token, &good, items + 1);
    if (!status)
        status = return_with(task, &token, sizeof token, items, good ? 0 : count);
    return items ? end_task(items, count + 1, status) : status;
}

static const rask_task_def read_def = {.size = sizeof read_def, .name = "read csv", .call = run_read},
                           scan_def = {.size = sizeof scan_def, .name = "scan csv", .call = run_scan},
                           settle_def = {.size = sizeof settle_def, .name = "settle", .call = run_settle};

/* -- Lowering */

uint64_t rk_scan_bytes(const rk_scan_job *job)
{
    uint64_t columns = job->pipeline.wanted_count;
    return 2 * BLOCK + (1 << 20) + columns * RK_BATCH_ROWS * (sizeof(rask_bytes) + 1) +
           rk_pipeline_bytes(&job->pipeline);
}

static rask_node *call(rask_graph *graph, const rask_task_def *def, const rask_arg *args, size_t arg_count,
                       uint64_t scratch, uint64_t result)
{
    rask_node *node = rask_call_at(graph, def, args, arg_count, NULL, 0);
    rask_set_scratch_bytes(node, scratch);
    if (result)
        rask_set_result_bytes(node, result);
    return node;
}

/* Parts are lowered one after the other. */
typedef struct lowering {
    rask_graph *graph;
    const rk_scan_job *job;
    uint64_t scratch, result;
    uint32_t values;   /* of a part */
    rask_node *before; /* token of the part before, in the same file; NULL: there is none */
} lowering;

/* The values of a part go to outs. They are taken before the next part is settled: what was found goes early. */
static void lower_part(lowering *l, const rask_arg *args, const rk_csv_part *part, rask_node **outs)
{
    rask_arg with[4] = {args[0], args[1], {.kind = RASK_ARG_NODE}, {.kind = RASK_ARG_NODE}};
    if (part->first && part->last && l->values == 1) {
        *outs = call(l->graph, &read_def, args, 2, l->scratch, l->result);
        return;
    }
    rask_node *found = call(l->graph, &scan_def, args, 2, l->scratch, l->result);
    with[2].as.node = found;
    with[3].as.node = part->first ? NULL : l->before;
    rask_node *settled = call(l->graph, &settle_def, with, with[3].as.node ? 4 : 3, l->scratch, 0);
    if (!part->first)
        rask_after_at(settled, outs - l->values, l->values, NULL, 0);
    for (uint32_t i = 0; i < l->values; i++)
        outs[i] = rk_take_lower(l->graph, i + 1, settled, found, l->result / l->values);
    l->before = rask_item_at(settled, 0, NULL, 0);
}

static int lower_parts(rask_graph *graph, rk_scan_job *job, const rask_value *value, uint64_t scratch,
                       uint64_t result, rask_node **nodes)
{
    lowering l = {graph, job, scratch, result, rk_table_sink_values(&job->sink), NULL};
    rask_arg args[2] = {{.kind = RASK_ARG_VALUE, .as.value = value}, {.kind = RASK_ARG_I64}};
    for (uint32_t i = 0; i < job->part_count && !graph->status; i++) {
        args[1].as.i64 = i;
        lower_part(&l, args, &job->parts[i], nodes + (size_t)i * l.values);
    }
    return graph->status;
}

int rk_scan_lower(rask_graph *graph, rk_scan_job *job, uint64_t scratch, uint64_t result, rask_node **nodes)
{
    rask_value value;
    if (rask_value_custom_new(&job_class, job, &value)) {
        rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
        return RASK_ENOMEM;
    }
    int status = lower_parts(graph, job, &value, scratch, result, nodes);
    rask_value_unref(&value);
    return status;
}
