#include "collections/table/scan.h"

#include "collections/table/ahead.h"
#include "collections/table/recipe.h"
#include "collections/table/take.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    UNKNOWN = -1,
    BLOCK = 256 << 10,
    LEAST_ROOM = 256,
    TAIL = 4 << 10, /* bytes read first for the rest of a record */
};

/* Where the part before ended, and of all before: rows, and of the same file lines. */
typedef struct scan_token {
    uint64_t over, lines, rows;
} scan_token;

/* A part being read. */
typedef struct scan {
    rask_task *task;
    const rk_scan_job *job;
    const rk_csv_part *part;
    uint32_t file;
    rk_intake *rows;
    rk_text_reader *reader;
    rk_text_buffer buffer;
    bool ended;    /* the reader has no more: up to the part's end, then up to the file's */
    bool extended; /* it reads behind the part's end */
    bool none;     /* no record begins in the part */
    rk_scan_head *head;
} scan;

static bool is_cancelled(void *task)
{
    return rask_task_cancelled(task);
}

static const char *path_of(const rk_scan_job *job, uint32_t file)
{
    return job->source->files.files[file].path;
}

/* -- What goes wrong */

void rk_scan_note(rk_scan_head *head, const rk_csv_error *error)
{
    head->status = error->status;
    head->line = error->line;
    snprintf(head->message, sizeof head->message, "%s", error->message);
}

void rk_scan_note_message(rk_scan_head *head, int status, const char *message)
{
    head->status = status;
    head->line = UINT64_MAX;
    snprintf(head->message, sizeof head->message, "%s", message);
}

/* What is wrong with the text, and with how it is compressed, is told later, by who knows that the part began where a
 * record does, and that it is wanted. */
static int fail_reading(const scan *s, int status, const rk_text_error *error)
{
    if (status != RASK_EFORMAT && status != RASK_ELIMIT)
        return rk_task_fail(s->task, status, "%s", error->message);
    rk_scan_note_message(s->head, status, error->message);
    return status;
}

static int fail_text(const scan *s, int status, const rk_csv_error *error)
{
    if (!error->status || status == RASK_ENOMEM)
        return rk_task_fail(s->task, status, "%s: %s", path_of(s->job, s->file), rask_status_text(status));
    rk_scan_note(s->head, error);
    return status;
}

/* -- Text */

/* Room for a block of text, or, of a small file, for all of it as the buffer likes it: half of it is to be empty. */
static size_t room_for(const rk_text_file *file, uint64_t begin, uint64_t end)
{
    bool known = file->compression == RK_PLAIN && !file->stream && file->size != RK_TEXT_UNKNOWN_SIZE;
    return known && end - begin < BLOCK / 2 ? 2 * (size_t)(end - begin) + LEAST_ROOM : BLOCK;
}

static int open_reader(scan *s)
{
    rk_csv_source *source = s->job->source;
    const rk_text_file *file = &source->files.files[s->file];
    rk_text_error error = {0};
    rk_text_options options = {.cancelled = is_cancelled, .context = s->task};
    bool whole = s->part->files > 1;
    uint64_t begin = whole ? file->start : s->part->begin, end = whole ? file->size : s->part->end;
    int status = RASK_OK;
    if (file->stream && !rk_csv_stream_take(&source->streams[s->file], &s->reader, &s->buffer, s->task))
        status = rk_text_fail(&error, RASK_EINVAL, file->path, RK_CSV_STREAM_ONCE);
    if (!status && !s->reader)
        status = rk_text_reader_new(file, begin, end, &options, &s->reader, &error);
    if (!status && !s->buffer.data && rk_text_buffer_init(&s->buffer, room_for(file, begin, end), 0, 0))
        status = rk_text_fail_memory(&error, file->path);
    return status ? fail_reading(s, status, &error) : RASK_OK;
}

static size_t text_len(const scan *s)
{
    return rk_text_buffer_len(&s->buffer);
}

/* More text behind what there is, most bytes or, 0, as many as there is room for; of what lies behind the part only once it
 * is extended. */
static int read_more(scan *s, size_t most)
{
    rk_text_error error = {0};
    size_t got;
    int status = rk_text_buffer_more(&s->buffer, s->reader, most, &got, &error);
    if (status)
        return fail_reading(s, status, &error);
    s->ended = !got;
    if (s->ended && !s->extended)
        s->head->size = s->buffer.position + text_len(s);
    return RASK_OK;
}

/* From here on what lies behind the part is read, too. */
static void extend(scan *s)
{
    if (s->extended)
        return;
    rk_text_reader_extend(s->reader, UINT64_MAX);
    s->extended = true;
    s->ended = false;
}

static bool is_last(const scan *s)
{
    return s->ended && (s->part->last || s->extended);
}

static bool is_full(const scan *s)
{
    return rk_table_sink_is_full(&s->rows->sink);
}

/* -- Records */

/* The records in the first len bytes; *used: bytes of them, which are taken. */
static int take_text(scan *s, size_t len, size_t *used)
{
    rk_csv_error error = {0};
    bool last = is_last(s) && len == text_len(s);
    int status = rk_intake_take(s->rows, rk_text_buffer_data(&s->buffer), len, last, used, &error);
    if (status)
        return fail_text(s, status, &error);
    rk_text_buffer_take(&s->buffer, *used);
    return RASK_OK;
}

/* Once some records were taken: there is a file's worth of them, or a part's. */
static void expect_more(const scan *s)
{
    const rk_text_file *file = &s->job->source->files.files[s->file];
    uint64_t text = s->part->files > 1 ? 0 : s->part->end - s->part->begin;
    if (text && !file->stream && rk_csv_text_bytes(file) == file->size)
        rk_table_sink_expect(&s->rows->sink, (double)s->buffer.position / (double)text);
}

/* All records that end in the part; what begins a last one is left in the buffer. */
static int scan_inside(scan *s)
{
    int status = RASK_OK;
    size_t used = 0;
    for (bool first = true; !status && !is_full(s); first = false) {
        bool ended = s->ended;
        status = take_text(s, text_len(s), &used);
        if (first && !status)
            expect_more(s);
        if (!status && !used && ended)
            break;
        if (!status && !used)
            status = read_more(s, 0);
    }
    return status;
}

/* Where the line ends that has byte at: behind its newline; the text's end when it has none. */
static size_t line_end(const scan *s, size_t at)
{
    const char *text = rk_text_buffer_data(&s->buffer);
    const char *newline = at < text_len(s) ? memchr(text + at, '\n', text_len(s) - at) : NULL;
    return newline ? (size_t)(newline - text) + 1 : text_len(s);
}

/* The record that begins in the part or at its end, and ends behind it: the text grows line by line, more of them each time. */
static int scan_last_record(scan *s)
{
    size_t low = s->extended ? 0 : text_len(s), used = 0, most = TAIL;
    int status = RASK_OK;
    extend(s);
    while (!status && !used) {
        size_t end = line_end(s, low);
        bool whole = end < text_len(s) || (end > low && rk_text_buffer_data(&s->buffer)[end - 1] == '\n');
        if (!whole && !s->ended) {
            status = read_more(s, most);
            most *= 2;
            continue;
        }
        status = take_text(s, end, &used);
        if (!used && end == text_len(s) && s->ended)
            break;
        low = end;
    }
    return status;
}

/* -- Beginning */

/* Files behind the first that has columns must have them, too. */
static int check_head(scan *s, const char *text, size_t len)
{
    const rk_csv_source *source = s->job->source;
    rk_csv_error error = {0};
    if (s->file <= source->first)
        return RASK_OK;
    int status = rk_csv_check_head(&s->rows->scanner, text, len, rk_csv_source_first(source)->path, &error);
    return status ? fail_text(s, status, &error) : RASK_OK;
}

static int try_head(scan *s, bool *found)
{
    rk_csv_error error = {0};
    const char *text = rk_text_buffer_data(&s->buffer);
    size_t used = 0;
    int status = rk_csv_skip_head(&s->rows->scanner, text, text_len(s), is_last(s), found, &used, &error);
    if (status)
        return fail_text(s, status, &error);
    if (*found) {
        status = check_head(s, text, used);
        rk_text_buffer_take(&s->buffer, used);
    }
    return status;
}

/* A header may end behind the part that it begins in. */
static int skip_head(scan *s)
{
    bool found = false;
    int status = RASK_OK;
    while (!status && !found) {
        status = try_head(s, &found);
        if (status || found)
            break;
        if (s->ended)
            extend(s);
        status = read_more(s, 0);
    }
    s->none = s->extended && s->buffer.position > s->head->size;
    return status;
}

/* To where the part before ended, or to the end of a part in which no record begins. */
static int skip_to(scan *s, uint64_t from)
{
    int status = RASK_OK;
    while (!status) {
        uint64_t left = from - s->buffer.position;
        rk_text_buffer_take(&s->buffer, left < text_len(s) ? (size_t)left : text_len(s));
        if (s->buffer.position == from || s->ended)
            break;
        status = read_more(s, 0);
    }
    s->none = s->buffer.position < from;
    return status;
}

/* To where the first record seems to begin. */
static int guess_begin(scan *s)
{
    const rk_csv_source *source = s->job->source;
    int status = RASK_OK;
    while (!status) {
        size_t len = text_len(s);
        size_t used = rk_csv_resume(&source->format, &source->schema, rk_text_buffer_data(&s->buffer), len);
        s->none = used == len;
        if (!s->none || s->ended) {
            rk_text_buffer_take(&s->buffer, used);
            break;
        }
        status = read_more(s, 0);
    }
    return status;
}

/* -- Parts */

static bool is_last_open(const scan *s)
{
    return !s->part->last && !is_full(s) && s->buffer.position <= s->head->size;
}

static int scan_records(scan *s)
{
    int status = s->extended ? RASK_OK : scan_inside(s);
    uint64_t before = UINT64_MAX;
    while (!status && is_last_open(s) && s->buffer.position != before) {
        before = s->buffer.position;
        status = scan_last_record(s);
    }
    return status;
}

/* Reads the records of the part from a place that is known, from its beginning on, or from a guess. */
static int scan_part(scan *s, int64_t from)
{
    rk_scan_head *head = s->head;
    int status = open_reader(s);
    if (!status && !text_len(s))
        status = read_more(s, 0);
    if (!status)
        status = s->part->first    ? skip_head(s)
                 : s->part->exact  ? RASK_OK
                 : from == UNKNOWN ? guess_begin(s)
                                   : skip_to(s, (uint64_t)from);
    head->begin = s->none && from != UNKNOWN ? (uint64_t)from : s->buffer.position;
    head->any = !status && !s->none;
    s->rows->place = (rk_csv_wrong){.file = s->file,
                                    .cut = s->part->files > 1 ? s->job->source->files.files[s->file].start
                                                              : s->part->begin,
                                    .begin = s->part->first ? 0 : head->begin};
    if (head->any)
        status = scan_records(s);
    head->over = (head->any ? s->buffer.position : head->begin) - head->size;
    head->lines = rk_csv_lines(&s->rows->scanner);
    return status;
}

/* One of the files of a part. */
static int read_file(rask_task *task, rk_intake *rows, const rk_csv_part *part, uint32_t file, int64_t from,
                     rk_scan_head *head)
{
    scan s = {.task = task, .job = rows->job, .part = part, .file = file, .rows = rows, .head = head};
    *head = (rk_scan_head){.file = file};
    rows->scanner.lines = 0;
    int status = scan_part(&s, from);
    rk_text_buffer_fini(&s.buffer);
    rk_text_reader_free(s.reader);
    return head->status ? RASK_OK : status;
}

/* What the sink ends with; of text that is wrong, as head says, what was there before. On failure there are no values. */
static int read_part(rask_task *task, const rk_scan_job *job, uint32_t number, int64_t from,
                     rk_scan_head *head, rask_value *values)
{
    rk_intake rows;
    const rk_csv_part *part = &job->parts[number];
    int status = rk_intake_init(&rows, task, job, part->piece);
    *head = (rk_scan_head){0};
    if (status)
        rk_task_fail(task, status, "%s: %s", path_of(job, part->file), rask_status_text(status));
    bool wanted = number <= rk_load_relaxed(job->last_wanted);
    for (uint32_t i = 0; i < part->files && !status && !head->status && wanted; i++) {
        status = read_file(task, &rows, part, part->file + i, from, head);
        wanted = !rk_table_sink_is_full(&rows.sink);
    }
    head->rows = rows.sink.rows;
    if (!status && (status = rk_table_sink_end(&rows.sink, values)))
        rk_task_fail(task, status, "%s", rask_status_text(status));
    rk_intake_fini(&rows);
    return status;
}

/* Lines of a file before all that is read of it, for who tells of a line; 0, too, where they cannot be read. */
static uint64_t lines_before(const rk_scan_job *job, uint32_t file)
{
    const rk_csv_part *first = &job->parts[0];
    rk_text_error error;
    uint64_t lines = 0;
    if (first->exact && first->file == file)
        rk_csv_source_lines(job->source, &(rk_csv_wrong){.file = file, .cut = first->begin}, &lines, &error);
    return lines;
}

int rk_scan_tell(rask_task *task, const rk_scan_job *job, const rk_scan_head *head, uint64_t lines)
{
    if (head->line == UINT64_MAX)
        return rk_task_fail(task, head->status, "%s", head->message);
    lines += head->line + 1 + lines_before(job, head->file);
    return rk_task_fail(task, head->status, "%s:%llu: %s", path_of(job, head->file),
                        (unsigned long long)lines, head->message);
}

static void unref_all(rask_value *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        rask_value_unref(&values[i]);
}

/* -- Tasks */

static size_t print_job(const void *data, char *buffer, size_t capacity)
{
    const rk_scan_job *job = rk_shared_what(data);
    return (size_t)snprintf(buffer, capacity, "parts of %s%s", path_of(job, 0),
                            job->source->files.count > 1 ? ", …" : "");
}

static const rask_class job_class = {RK_TABLE_SHARED("scan"), .print = print_job};

/* What tasks of a part begin with: room for the values, and before them for one more. NULL: the task failed. */
static rask_value *begin_task(rask_task *task, const rk_scan_job **job, uint32_t *number, uint32_t *count)
{
    *job = rk_shared_arg(task, 0, &job_class);
    *number = (uint32_t)rask_arg_i64(task, 1);
    *count = *job ? rk_table_sink_values(&(*job)->sink) : 0;
    rask_value *items = *job ? rk_calloc(*count + 1, sizeof *items) : NULL;
    if (*job && !items)
        rask_fail(task, RASK_ENOMEM, rask_status_text(RASK_ENOMEM));
    for (uint32_t i = 0; items && i <= *count; i++)
        items[i] = rask_value_none();
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

int rk_scan_return(rask_task *task, const rk_scan_head *head, rk_table_sink *sink)
{
    uint32_t count = rk_table_sink_values(sink->plan);
    rask_value *items = rk_calloc(count + 1, sizeof *items);
    int status = items ? rk_table_sink_end(sink, items + 1) : RASK_ENOMEM;
    if (!status)
        status = return_with(task, head, sizeof *head, items, count);
    else
        rk_task_fail(task, status, "%s", rask_status_text(status));
    if (items)
        end_task(items, count + 1, status);
    return status;
}

/* (job, number, what joins need): whole files: their values, or the only one. */
static int run_read(rask_task *task)
{
    const rk_scan_job *job;
    uint32_t number, count;
    rk_scan_head head;
    rask_value *items = begin_task(task, &job, &number, &count);
    int status = items ? read_part(task, job, number, UNKNOWN, &head, items + 1) : RASK_ENOMEM;
    if (!items)
        return status;
    if (!status && head.status)
        status = rk_scan_tell(task, job, &head, 0);
    else if (!status && count == 1)
        status = rask_return_value(task, rask_value_ref(&items[1]));
    else if (!status)
        status = rask_return_list(task, items + 1, count);
    return end_task(items, count + 1, status);
}

/* (job, number, what joins need): a part from a guess on: its head and its values. */
static int run_scan(rask_task *task)
{
    const rk_scan_job *job;
    uint32_t number, count;
    rk_scan_head head;
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

/* Rows are wanted up to a number: where these are there, nobody looks at what comes behind. */
static bool is_limited(const rk_scan_job *job)
{
    return (job->sink.kind == RK_SINK_CHUNK || job->sink.kind == RK_SINK_TEXT) &&
           job->sink.limit != UINT64_MAX;
}

static bool has_enough(const rk_scan_job *job, uint64_t rows)
{
    return is_limited(job) && rows >= job->sink.limit;
}

/* The parts up to this one have enough: those behind it need not be read, where anybody can tell their tasks. */
static void stop_behind(const rk_scan_job *job, uint32_t number)
{
    uint32_t before = rk_load_relaxed(job->last_wanted);
    while (number < before && !rk_cas_relaxed(job->last_wanted, &before, number)) {
    }
}

/* Whether a guess was right: records begin where those before end, or there are none and should be none. */
static bool fits(const rk_scan_head *head, const rk_csv_part *part, const scan_token *before)
{
    if (part->first || part->exact)
        return true;
    if (head->any)
        return head->begin == before->over;
    bool none = before->over > head->size || (before->over == head->size && part->last);
    return none && !head->status;
}

/* What comes behind a part that is all right. */
static void step(const rk_scan_head *head, const rk_csv_part *part, scan_token *token)
{
    token->over = part->first || head->any ? head->over : token->over - head->size;
    token->lines += head->lines;
    token->rows += head->rows;
}

/* Whether what was found will do; else the values, found now from where the records before end. */
static int settle(rask_task *task, const rk_scan_job *job, uint32_t number, const rask_value *found,
                  scan_token *token, bool *good, rask_value *values)
{
    rk_scan_head head;
    const rk_csv_part *part = &job->parts[number];
    size_t at = 3 + rk_scan_others(job);
    const rask_value *before = rask_arg_count(task) > at ? rask_arg_value(task, at) : NULL;
    *token = (scan_token){0};
    if (!take_bytes(found, &head, sizeof head) || (before && !take_bytes(before, token, sizeof *token)))
        return RASK_ETYPE;
    if (part->first)
        token->over = token->lines = 0;
    *good = has_enough(job, token->rows) || fits(&head, part, token);
    int status = *good ? RASK_OK : read_part(task, job, number, (int64_t)token->over, &head, values);
    if (!status && head.status && !has_enough(job, token->rows + head.rows))
        return rk_scan_tell(task, job, &head, token->lines);
    step(&head, part, token);
    if (!status && has_enough(job, token->rows))
        stop_behind(job, number);
    return status;
}

/* (job, number, what joins need, head and values, token of the part before): the token of this part, then the values, unless those that
 * were found are right. */
static int run_settle(rask_task *task)
{
    const rk_scan_job *job;
    uint32_t number, count;
    size_t found_count;
    scan_token token;
    bool good = false;
    rask_value *items = begin_task(task, &job, &number, &count);
    const rask_value *found = items ? rask_arg_list(task, 2 + rk_scan_others(job), &found_count) : NULL;
    int status = found && found_count == count + 1 ? RASK_OK : RASK_ETYPE;
    if (!status)
        status = settle(task, job, number, found, &token, &good, items + 1);
    if (!status)
        status = return_with(task, &token, sizeof token, items, good ? 0 : count);
    return items ? end_task(items, count + 1, status) : status;
}

/* The second is of what cannot be read twice (is_here()). */
static const rask_task_def read_defs[] = {
    {.size = sizeof *read_defs, .name = "read csv", .call = run_read, .flags = RASK_PURE},
    {.size = sizeof *read_defs,
     .name = "read csv",
     .call = run_read,
     .flags = RASK_HERE,
     .retry_if = rk_table_sink_never_again}};
static const rask_task_def scan_defs[] = RK_PURE_DEFS_BY_PLACE(.name = "scan csv", .call = run_scan),
                           settle_def = {.size = sizeof settle_def, .name = "settle", .call = run_settle};

/* -- Lowering */

uint64_t rk_scan_bytes(const rk_scan_job *job)
{
    return 2 * BLOCK + rk_intake_bytes(job);
}

uint32_t rk_scan_pieces(const rk_scan_job *job)
{
    if (!job->parts || !job->part_count)
        return job->part_count;
    const rk_csv_part *last = &job->parts[job->part_count - 1];
    return last->piece + (last->blocks ? last->blocks : 1);
}

uint64_t rk_scan_nodes(const rk_scan_job *job)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < job->part_count; i++)
        count += rk_csv_part_sinks(&job->parts[i]);
    return count * rk_table_sink_values(&job->sink);
}

static rask_node *call(rask_graph *graph, const rk_scan_job *job, const rask_task_def *def,
                       const rask_arg *args, size_t arg_count, uint64_t scratch, uint64_t result)
{
    rask_node *node = rk_scan_call(graph, def, job, args, arg_count);
    rask_set_scratch_bytes(node, scratch);
    if (result)
        rask_set_result_bytes(node, result);
    return node;
}

/* Parts are lowered one after the other. */
typedef struct lowering {
    rask_graph *graph;
    rk_scan_job *job;
    uint64_t scratch, result;
    uint32_t values; /* of a part */
    rask_arg args[2];
    rask_node *before; /* token of the part before; NULL: there is none */
    rask_node **outs;  /* of the next one */
    bool chained;      /* it comes behind another in the same file */
} lowering;

/* The values of a part that is settled. They are taken before the next one is: what was found goes early. */
static void lower_settled(lowering *l, rask_node *found)
{
    rask_arg with[4] = {l->args[0], l->args[1], {.kind = RASK_ARG_NODE}, {.kind = RASK_ARG_NODE}};
    with[2].as.node = found;
    with[3].as.node = l->before;
    rask_node *settled = call(l->graph, l->job, &settle_def, with, l->before ? 4 : 3, l->scratch, 0);
    if (l->chained)
        rask_after_at(settled, l->outs - l->values, l->values, NULL, 0);
    for (uint32_t i = 0; i < l->values; i++)
        *l->outs++ = rk_take_lower(l->graph, i + 1, settled, found, l->result / l->values);
    l->before = rask_item_at(settled, 0, NULL, 0);
    l->chained = true;
}

/* What is read of a stream by one process the others do not have, and a file that rows go to at once is open in one. */
static bool is_here(const rk_scan_job *job, const rk_csv_part *part)
{
    return job->sink.flush || job->source->files.files[part->file].stream;
}

static void lower_whole(lowering *l, const rk_csv_part *part)
{
    const rask_task_def *def = &read_defs[is_here(l->job, part)];
    rask_node *node = call(l->graph, l->job, def, l->args, 2, l->scratch, l->result);
    for (uint32_t i = 0; i < l->values; i++)
        *l->outs++ = l->values > 1 ? rk_take_lower(l->graph, i, node, NULL, l->result / l->values) : node;
}

static void lower_blocks(lowering *l, const rk_csv_part *part)
{
    rk_ahead *ahead = rk_ahead_new(l->graph, l->job, (uint32_t)l->args[1].as.i64);
    for (uint32_t i = 0; i < part->blocks && ahead && !l->graph->status; i++) {
        rask_node *block = rk_ahead_lower(ahead, l->scratch, l->result);
        if (!part->lanes)
            lower_settled(l, block);
    }
    for (uint32_t i = 0; i < part->lanes && !l->graph->status; i++) {
        rask_node *node = rk_ahead_end(ahead, i, l->result);
        for (uint32_t k = 1; k <= l->values; k++)
            *l->outs++ = rk_take_lower(l->graph, k, node, NULL, l->result / l->values);
    }
}

static void lower_part(lowering *l, const rk_csv_part *part)
{
    bool limited = is_limited(l->job);
    if (part->first && !limited) {
        l->before = NULL;
        l->chained = false;
    }
    if (part->blocks)
        lower_blocks(l, part);
    else if (part->first && part->last && !limited)
        lower_whole(l, part);
    else
        lower_settled(
            l, call(l->graph, l->job, &scan_defs[is_here(l->job, part)], l->args, 2, l->scratch, l->result));
}

int rk_scan_lower(rask_graph *graph, rk_scan_job *job, uint64_t scratch, uint64_t result, rask_node **nodes)
{
    rask_value value;
    if (rk_shared_value(graph, &job_class, job, &value))
        return RASK_ENOMEM;
    lowering l = {.graph = graph,
                  .job = job,
                  .scratch = scratch,
                  .result = result,
                  .values = rk_table_sink_values(&job->sink),
                  .args = {{.kind = RASK_ARG_VALUE, .as.value = &value}, {.kind = RASK_ARG_I64}},
                  .outs = nodes};
    for (uint32_t i = 0; i < job->part_count && !graph->status; i++) {
        l.args[1].as.i64 = i;
        lower_part(&l, &job->parts[i]);
    }
    rask_value_unref(&value);
    return graph->status;
}
