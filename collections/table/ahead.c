/* Design notes.
 *
 * What reads a file (its reader, the text that was not given out, a scanner that counts records to find where the last
 * whole one ends) belongs to the tasks that make blocks, which run one behind the other: each is ordered after the one
 * before. A block that was made waits for the task that parses it, in the store; so that no more of them wait than tasks
 * can be at work on, a block is ordered after the parsing of an earlier one, too.
 *
 * Where it does not matter which rows a sink gets, as with groups, there are no more sinks than workers: block b goes to lane
 * b modulo their count, whose sink lasts from one block to the next; the tasks of a lane run one behind the other. At the
 * end of all lanes each gives what its sink ends with, and the one that found the first error in the text tells of it.
 *
 * Else each block has a sink of its own, and who settles (scan.c) tells of errors in order. What is wrong is found by who
 * parses, with all rows before it: a block that ends because of an error has the text up to there, and what was wrong
 * with the file.
 *
 * Tasks that share the reader, or a lane, run in the program's own process (RASK_HERE). A block with a sink of its own is parsed
 * anywhere, so there are no lanes where tasks do not share memory, and blocks are longer: each ends with a value. */
#include "collections/table/ahead.h"

#include "collections/table/recipe.h"
#include "collections/table/scan.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <stdio.h>
#include <string.h>

enum { DECODER = 9 << 20 }; /* bytes of most decoders, and of what they read */

/* A sink that takes blocks one behind the other; used by one task at a time. */
typedef struct lane {
    rk_intake rows;
    rk_scan_head head;
    uint32_t block; /* its newest, or the one that something is wrong with */
    bool begun;
} lane;

struct rk_ahead {
    const rk_scan_job *job;
    const rk_csv_part *part;
    rask_graph *graph;
    rask_value self;
    lane *lanes; /* part->lanes of them */

    /* While it is lowered. */
    uint32_t lowered, most;     /* most: blocks that may be there at once */
    rask_node *block, **parsed; /* the newest one; the newest parsings, by number modulo most */

    /* While it is read. */
    uint32_t next; /* block */
    rk_text_reader *reader;
    rk_text_buffer buffer;
    rk_csv_scanner scanner; /* has counted what was given */
    rask_task *task;        /* that reads */
    rk_csv_stream *stream;  /* that it took; NULL: none. Others ask, too, and are refused */
    size_t given;           /* bytes at the buffer's beginning that the last block has */
    bool begun;             /* the header is behind */
    bool ended;             /* the reader has no more */
    bool over;              /* nor has this */
};

/* What stands before the text of a block. */
typedef struct text_block {
    uint64_t lines; /* of the file before it */
    uint64_t len;
    bool last;      /* the file ends behind it */
    int32_t status; /* what is wrong behind it */
    char message[1024];
} text_block;

static const rk_text_file *file_of(const rk_ahead *a)
{
    return &a->job->source->files.files[a->part->file];
}

/* -- Reading */

static void close_file(rk_ahead *a)
{
    rk_text_reader_free(a->reader);
    rk_text_buffer_fini(&a->buffer);
    rk_csv_scanner_fini(&a->scanner);
    a->reader = NULL;
    a->given = 0;
}

static bool is_cancelled(void *ahead)
{
    const rk_ahead *a = ahead;
    return rask_task_cancelled(a->task);
}

/* Whether reading is to end is asked of the task that reads. */
static void ask_task(rk_ahead *a, rask_task *task)
{
    a->task = task;
    if (a->stream)
        a->stream->task = task;
}

/* Something is wrong with the file or its text, which is for who parses to tell; or the task has failed. */
static int note(rk_ahead *a, rask_task *task, text_block *b, const rk_text_error *error)
{
    a->over = true;
    if (error->status != RASK_EFORMAT && error->status != RASK_ELIMIT)
        return rk_task_fail(task, error->status, "%s", error->message);
    b->status = error->status;
    snprintf(b->message, sizeof b->message, "%s", error->message);
    return RASK_OK;
}

static int note_head(rk_ahead *a, rask_task *task, text_block *b, const rk_csv_error *wrong)
{
    rk_text_error error;
    rk_text_fail(&error, wrong->status, file_of(a)->path, "%s", wrong->message);
    if (wrong->status == RASK_EFORMAT || wrong->status == RASK_ELIMIT)
        snprintf(error.message, sizeof error.message, "%s:%llu: %s", file_of(a)->path,
                 (unsigned long long)wrong->line + 1, wrong->message);
    return note(a, task, b, &error);
}

static int open_file(rk_ahead *a, rask_task *task)
{
    rk_csv_source *source = a->job->source;
    const rk_text_file *file = file_of(a);
    rk_text_error error = {0};
    rk_text_options options = {.cancelled = is_cancelled, .context = a};
    a->task = task;
    a->stream = NULL;
    close_file(a);
    a->next = 0;
    a->begun = a->ended = a->over = false;
    int status = rk_csv_scanner_init(&a->scanner, &source->format, &source->schema, NULL, 0, RK_CSV_NULL);
    if (status)
        return rk_task_fail(task, status, "%s: %s", file->path, rask_status_text(status));
    if (file->stream && rk_csv_stream_take(&source->streams[a->part->file], &a->reader, &a->buffer, task))
        a->stream = &source->streams[a->part->file];
    else if (file->stream)
        status = rk_text_fail(&error, RASK_EINVAL, file->path, RK_CSV_STREAM_ONCE);
    if (!status && !a->reader)
        status = rk_text_reader_new(file, file->start, UINT64_MAX, &options, &a->reader, &error);
    if (!status && !a->buffer.data && rk_text_buffer_init(&a->buffer, a->part->block_bytes, 0, 0))
        status = rk_text_fail_memory(&error, file->path);
    return status ? rk_task_fail(task, status, "%s", error.message) : RASK_OK;
}

static int read_more(rk_ahead *a, rask_task *task, text_block *b)
{
    rk_text_error error = {0};
    size_t got;
    if (rk_text_buffer_more(&a->buffer, a->reader, 0, &got, &error))
        return note(a, task, b, &error);
    a->ended = !got;
    return RASK_OK;
}

static int skip_head(rk_ahead *a, rask_task *task, text_block *b)
{
    rk_csv_error error = {0};
    const char *text = rk_text_buffer_data(&a->buffer);
    size_t used = 0, len = rk_text_buffer_len(&a->buffer);
    int status = rk_csv_skip_head(&a->scanner, text, len, a->ended, &a->begun, &used, &error);
    if (!status && a->begun && a->part->file)
        status =
            rk_csv_check_head(&a->scanner, text, used, rk_csv_source_first(a->job->source)->path, &error);
    if (status)
        return note_head(a, task, b, &error);
    rk_text_buffer_take(&a->buffer, used);
    b->lines = rk_csv_lines(&a->scanner);
    return a->begun || a->ended ? RASK_OK : read_more(a, task, b);
}

/* Whole records, or what is wrong, which is all there is: *found. */
static bool find_end(rk_ahead *a, text_block *b)
{
    rk_csv_error error = {0};
    size_t len = rk_text_buffer_len(&a->buffer), used = 0;
    uint64_t rows;
    int status =
        rk_csv_count(&a->scanner, rk_text_buffer_data(&a->buffer), len, a->ended, &rows, &used, &error);
    a->over = a->ended || status;
    b->last = a->ended;
    b->len = a->given = a->over ? len : used;
    return a->over || used;
}

/* The next block, whose text is at the buffer's beginning; when there is no more, it is empty. */
static int next_block(rk_ahead *a, rask_task *task, text_block *b)
{
    int status = RASK_OK;
    a->next++;
    ask_task(a, task);
    rk_text_buffer_take(&a->buffer, a->given);
    a->given = 0;
    *b = (text_block){.lines = rk_csv_lines(&a->scanner)};
    while (!status && !a->over) {
        bool enough = a->ended || rk_text_buffer_len(&a->buffer) >= a->part->block_bytes;
        if (!a->begun)
            status = skip_head(a, task, b);
        else if (enough && find_end(a, b))
            break;
        else
            status = read_more(a, task, b);
    }
    /* What was read before the file turned out to be damaged is looked at, too. */
    if (!status && b->status && a->begun)
        b->len = a->given = rk_text_buffer_len(&a->buffer);
    return status;
}

/* -- Parsing */

/* The rows of a block, then what is wrong; the task fails when it is nobody's text. */
static int take_block(rk_intake *rows, rask_task *task, const text_block *b, const char *text,
                      rk_scan_head *head)
{
    size_t at = 0, used = 1;
    int status = RASK_OK;
    rk_csv_error error = {0};
    rows->scanner.lines = b->lines;
    while (!status && used && at < b->len) {
        status = rk_intake_take(rows, text + at, b->len - at, b->last, &used, &error);
        at += status ? 0 : used;
    }
    if (status && (!error.status || status == RASK_ENOMEM))
        return rk_task_fail(task, status, "%s", rask_status_text(status));
    if (status)
        rk_scan_note(head, &error);
    else if (b->status)
        rk_scan_note_message(head, b->status, b->message);
    head->any = true;
    return RASK_OK;
}

static int begin_rows(rk_intake *rows, rask_task *task, const rk_ahead *a, uint32_t number,
                      rk_scan_head *head)
{
    int status = rk_intake_init(rows, task, a->job, a->part->piece + number);
    *head = (rk_scan_head){.file = a->part->file};
    rows->place = (rk_csv_wrong){.file = a->part->file, .cut = file_of(a)->start};
    return status ? rk_task_fail(task, status, "%s: %s", file_of(a)->path, rask_status_text(status))
                  : RASK_OK;
}

/* The lane of a block, whose rows come behind those of all blocks before. NULL: the task failed. */
static lane *begin_lane(rask_task *task, const rk_ahead *a, uint32_t number)
{
    lane *l = &a->lanes[number % a->part->lanes];
    if (number < a->part->lanes) {
        rk_intake_fini(&l->rows);
        l->begun = false;
    }
    if (!l->begun && begin_rows(&l->rows, task, a, number, &l->head))
        return NULL;
    l->begun = true;
    if (l->head.status)
        return l;
    l->block = number;
    rk_intake_turn(&l->rows, a->part->piece + number);
    return l;
}

/* -- Tasks */

static const rask_class ahead_class = {RK_TABLE_SHARED("text")};

/* (file, number of the block): at the first one reading begins anew. NULL: the task failed. */
static rk_ahead *begin_task(rask_task *task)
{
    rk_ahead *a = rk_shared_arg(task, 0, &ahead_class);
    uint32_t number = (uint32_t)rask_arg_i64(task, 1);
    if (!a)
        return NULL;
    if (!number)
        return open_file(a, task) ? NULL : a;
    if (a->next == number)
        return a;
    rask_fail(task, RASK_EINVAL, "blocks can be read but once, and in order");
    return NULL;
}

/* … the block as bytes. */
static int run_next(rask_task *task)
{
    rk_ahead *a = begin_task(task);
    rask_value value;
    text_block b;
    char *out;
    int status = a ? next_block(a, task, &b) : RASK_EINVAL;
    if (status)
        return status;
    status = rask_value_bytes_alloc(sizeof b + b.len + RK_CSV_PADDING, &out, &value);
    if (status)
        return rask_fail(task, status, rask_status_text(status));
    memcpy(out, &b, sizeof b);
    if (b.len)
        memcpy(out + sizeof b, rk_text_buffer_data(&a->buffer), b.len);
    memset(out + sizeof b + b.len, 0, RK_CSV_PADDING);
    if (a->over)
        close_file(a);
    return rask_return_value(task, value);
}

/* The blocks that are left. */
static int take_rest(rask_task *task, rk_ahead *a, rk_intake *rows, rk_scan_head *head)
{
    text_block b;
    int status = RASK_OK;
    while (!status && !a->over && !head->status) {
        status = next_block(a, task, &b);
        if (!status)
            status = take_block(rows, task, &b, rk_text_buffer_data(&a->buffer), head);
    }
    return status;
}

static size_t block_at(const rk_ahead *a)
{
    return 2 + rk_scan_others(a->job);
}

/* What tasks of a sink begin with: (file, number of the block, what joins need, block), or without a block: all that are
 * left. NULL: the task failed. */
static rk_ahead *begin_taking(rask_task *task)
{
    rk_ahead *a = rk_shared_arg(task, 0, &ahead_class);
    if (!a || rask_arg_count(task) <= block_at(a))
        return a ? begin_task(task) : NULL;
    return rask_arg_bytes(task, block_at(a)).len < sizeof(text_block) ? NULL : a;
}

/* The rows that the task is given. */
static int take_given(rask_task *task, rk_ahead *a, rk_intake *rows, rk_scan_head *head)
{
    text_block b;
    if (rask_arg_count(task) <= block_at(a))
        return take_rest(task, a, rows, head);
    rask_bytes bytes = rask_arg_bytes(task, block_at(a));
    memcpy(&b, bytes.data, sizeof b);
    return take_block(rows, task, &b, bytes.data + sizeof b, head);
}

/* With a sink of its own. */
static int run_parse(rask_task *task)
{
    rk_ahead *a = begin_taking(task);
    rk_intake rows;
    rk_scan_head head;
    if (!a)
        return RASK_EINVAL;
    int status = begin_rows(&rows, task, a, (uint32_t)rask_arg_i64(task, 1), &head);
    if (!status)
        status = take_given(task, a, &rows, &head);
    head.rows = rows.sink.rows;
    if (!status)
        status = rk_scan_return(task, &head, &rows.sink);
    rk_intake_fini(&rows);
    return status;
}

/* With the sink of a lane, which gives nothing yet. */
static int run_take(rask_task *task)
{
    rk_ahead *a = begin_taking(task);
    lane *l = a ? begin_lane(task, a, (uint32_t)rask_arg_i64(task, 1)) : NULL;
    int status = l ? RASK_OK : RASK_EINVAL;
    if (!status && !l->head.status)
        status = take_given(task, a, &l->rows, &l->head);
    return status ? status : rask_return_none(task);
}

/* The lane that found the first error; none did: lanes. */
static uint32_t first_wrong(const rk_ahead *a)
{
    uint32_t first = a->part->lanes;
    for (uint32_t i = 0; i < a->part->lanes; i++)
        if (a->lanes[i].head.status && (first == a->part->lanes || a->lanes[i].block < a->lanes[first].block))
            first = i;
    return first;
}

/* (file, lane): what its sink ends with, as a list. */
static int run_end(rask_task *task)
{
    rk_ahead *a = rk_shared_arg(task, 0, &ahead_class);
    uint32_t number = (uint32_t)rask_arg_i64(task, 1), wrong = a ? first_wrong(a) : 0;
    if (!a || number >= a->part->lanes)
        return RASK_ETYPE;
    lane *l = &a->lanes[number];
    if (number == wrong)
        return rk_scan_tell(task, a->job, &l->head, 0);
    int status = rk_scan_return(task, &l->head, &l->rows.sink);
    rk_intake_fini(&l->rows);
    l->begun = false;
    return status;
}

static const rask_task_def
    next_def = {.size = sizeof next_def,
                .name = "next text",
                .call = run_next,
                .priority = 1,
                .flags = RASK_HERE},
    parse_defs[] = RK_DEFS_BY_PLACE(.name = "parse csv", .call = run_parse),
    take_def = {.size = sizeof take_def, .name = "parse csv", .call = run_take, .flags = RASK_HERE},
    end_def = {.size = sizeof end_def, .name = "read csv", .call = run_end, .flags = RASK_HERE};

/* -- Lowering */

static void end_ahead(void *what)
{
    rk_ahead *a = what;
    for (uint32_t i = 0; i < a->part->lanes; i++)
        rk_intake_fini(&a->lanes[i].rows);
    close_file(a);
    rask_value_unref(&a->self);
}

rk_ahead *rk_ahead_new(rask_graph *graph, const rk_scan_job *job, uint32_t number)
{
    const rk_csv_part *part = &job->parts[number];
    uint32_t most = job->workers + 1;
    rk_ahead *a = rk_table_memory(graph, sizeof *a, NULL, 0);
    rask_node **parsed = rk_table_memory(graph, most * sizeof *parsed, NULL, 0);
    lane *lanes = rk_table_memory(graph, (part->lanes + (size_t)1) * sizeof *lanes, NULL, 0);
    if (!a || !parsed || !lanes)
        return NULL;
    memset(lanes, 0, part->lanes * sizeof *lanes);
    *a = (rk_ahead){.job = job, .part = part, .graph = graph, .lanes = lanes, .most = most, .parsed = parsed};
    if (rk_shared_value(graph, &ahead_class, a, &a->self))
        return NULL;
    if (!rk_graph_at_end(graph, end_ahead, a))
        return a;
    rask_value_unref(&a->self);
    rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
    return NULL;
}

static rask_node *call(const rk_ahead *a, const rask_task_def *def, uint32_t number, rask_node *block,
                       uint64_t scratch, uint64_t result)
{
    rask_arg args[] = {{.kind = RASK_ARG_VALUE, .as.value = &a->self},
                       {.kind = RASK_ARG_I64, .as.i64 = number},
                       {.kind = RASK_ARG_NODE, .as.node = block}};
    rask_node *node = def == &next_def ? rask_call_at(a->graph, def, args, 2, NULL, 0)
                                       : rk_scan_call(a->graph, def, a->job, args, block ? 3 : 2);
    rask_set_scratch_bytes(node, scratch);
    if (result)
        rask_set_result_bytes(node, result);
    return node;
}

static void after(rask_node *node, rask_node *dep)
{
    if (dep)
        rask_after_at(node, &dep, 1, NULL, 0);
}

/* Block number number as a node, behind the one before and the parsing of the oldest that may still be there; the last one
 * is none. */
static rask_node *lower_block(rk_ahead *a, uint32_t number)
{
    uint64_t bytes = a->part->block_bytes;
    if (number + 1 == a->part->blocks)
        return NULL;
    rask_node *node = call(a, &next_def, number, NULL, DECODER + 2 * bytes, sizeof(text_block) + bytes);
    after(node, a->block);
    after(node, number >= a->most ? a->parsed[number % a->most] : NULL);
    a->block = node;
    return node;
}

rask_node *rk_ahead_lower(rk_ahead *ahead, uint64_t scratch, uint64_t result)
{
    uint32_t number = ahead->lowered++, lanes = ahead->part->lanes;
    rask_node *block = lower_block(ahead, number);
    rask_node *node =
        call(ahead, lanes ? &take_def : &parse_defs[!block], number, block,
             scratch + (block ? 0 : DECODER + 2 * ahead->part->block_bytes), lanes ? 0 : result);
    if (!block)
        after(node, ahead->block);
    if (lanes && number >= lanes)
        after(node, ahead->parsed[(number - lanes) % ahead->most]);
    ahead->parsed[number % ahead->most] = node;
    return node;
}

rask_node *rk_ahead_end(rk_ahead *ahead, uint32_t number, uint64_t result)
{
    rask_node *node = call(ahead, &end_def, number, NULL, result, result);
    for (uint32_t i = 0; i < ahead->part->lanes; i++)
        after(node, ahead->parsed[(ahead->lowered - 1 - i) % ahead->most]);
    return node;
}
