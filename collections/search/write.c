/* rask_text_write(): tasks find lines, and others write what they found, one after the other. */
#include "collections/search/output.h"
#include "collections/search/search.h"
#include "core/base/alloc.h"

enum {
    BLOCK = 4 << 20, /* of a file that a task reads: more than that waits for those before */
    LEAST_KEPT = 256 << 10,
    MOST_KEPT = 8 << 20,
    AHEAD = 4, /* parts of each worker that may be read before it is known whether lines are missing */
};

static void free_output(void *what)
{
    rk_text_output *output = what;
    rk_text_output_fini(output);
    rk_free(output);
}

/* -- Finding */

typedef struct finding {
    rask_task *task;
    rk_lines_out out;
} finding;

static int take_piece(void *context, const rk_search_piece *piece)
{
    finding *f = context;
    char message[RK_MAX_MESSAGE] = "";
    if (rk_lines_out_is_full(&f->out))
        return RK_SEARCH_ENOUGH;
    int status = piece->len ? rk_lines_out_add(&f->out, piece->text, piece->len, message, sizeof message)
                            : rk_lines_out_flush(&f->out, message, sizeof message);
    return status ? rk_task_fail(f->task, status, "%s", message) : RASK_OK;
}

/* (job, part), and perhaps how many lines were written before it began: the lines that were not written yet. */
static int find(rask_task *task, bool here)
{
    const rk_search_job *job = rk_search_job_of(task);
    finding f = {.task = task};
    rask_value value;
    if (!job)
        return RASK_ETYPE;
    uint32_t part = (uint32_t)rask_arg_i64(task, 1);
    rk_lines_out_init(&f.out, job->output, part, here);
    bool enough = rask_arg_count(task) > 2 && (uint64_t)rask_arg_i64(task, 2) >= f.out.output->limit;
    enough |= rk_lines_out_is_full(&f.out);
    int status = enough ? RASK_OK : rk_search_read(task, job, part, take_piece, &f);
    if (!status && (status = rk_lines_out_end(&f.out, &value)))
        rk_task_fail(task, status, "%s", rask_status_text(status));
    else if (!status)
        status = rask_return_value(task, value);
    rk_lines_out_fini(&f.out);
    return status;
}

static int run_find(rask_task *task)
{
    return find(task, false);
}

static int run_find_here(rask_task *task)
{
    return find(task, true);
}

/* -- Writing */

/* (job, part, lines, what was written before): how many lines were written so far. */
static int run_write(rask_task *task)
{
    const rk_search_job *job = rk_search_job_of(task);
    rask_bytes lines = rask_arg_bytes(task, 2);
    char message[RK_MAX_MESSAGE] = "";
    if (!job || task->status)
        return RASK_ETYPE;
    rk_text_output *output = job->output;
    int status = rk_text_output_take(output, (uint32_t)rask_arg_i64(task, 1), lines, message, sizeof message);
    return status ? rk_task_fail(task, status, "%s", message) : rask_return_i64(task, (int64_t)output->lines);
}

/* (job, what was written): how many lines were. */
static int run_close(rask_task *task)
{
    const rk_search_job *job = rk_search_job_of(task);
    if (!job)
        return RASK_ETYPE;
    rk_text_output *output = job->output;
    int status = rk_text_output_close(output);
    return status ? rk_task_fail(task, status, "%s", output->message)
                  : rask_return_i64(task, (int64_t)output->lines);
}

static const rask_task_def
    find_def = {.size = sizeof find_def, .name = "find", .call = run_find},
    find_here_def = {.size = sizeof find_here_def, .name = "find", .call = run_find_here, .flags = RASK_HERE},
    write_def = {.size = sizeof write_def, .name = "write", .call = run_write, .flags = RASK_HERE},
    close_def = {
        .size = sizeof close_def, .name = "close", .call = run_close, .result = 'i', .flags = RASK_HERE};

/* -- Lowering */

/* Bytes of lines that a task keeps in memory: of all that wait at once, a part of the budget. */
static uint64_t most_kept(const rask_text *text)
{
    uint64_t most = text->memory / (8 * (uint64_t)text->workers);
    return most < LEAST_KEPT ? LEAST_KEPT : most > MOST_KEPT ? MOST_KEPT : most;
}

/* A part whose lines may be more than a task can keep, or come when somebody writes them. */
static bool is_long(const rk_search_job *job, uint32_t part)
{
    const rk_text_range *range = &job->parts.ranges[job->parts.first[part]];
    const rk_text_file *file = &job->text->files.files[range->file];
    uint64_t most = file->compression == RK_PLAIN ? BLOCK : BLOCK / 3;
    return file->stream || range->end - range->begin > most;
}

/* What finds lines can write them, too, where it shares memory with what writes. Elsewhere it finds few, and is told how many
 * were written of parts that are not far before it: there may be enough. */
static rask_node *lower_find(rk_search_job *job, const rask_value *value, uint32_t part, rask_node **written)
{
    const rk_text_output *output = job->output;
    uint32_t ahead = AHEAD * job->text->workers;
    bool here = !job->text->apart || is_long(job, part);
    bool told = !here && output->limit != UINT64_MAX && part >= ahead;
    return rk_search_lower_part(job, value, part, told ? written[part - ahead] : NULL,
                                here ? &find_here_def : &find_def, rk_search_reading_bytes(job),
                                most_kept(job->text));
}

/* written has room for a node of each part. */
static rask_node *lower_all(rk_search_job *job, const rask_value *value, rask_node **written)
{
    rask_graph *graph = job->text->graph;
    uint32_t count = job->parts.count;
    rask_arg args[4] = {{.kind = RASK_ARG_VALUE, .as.value = value},
                        {.kind = RASK_ARG_I64},
                        {.kind = RASK_ARG_NODE},
                        {.kind = RASK_ARG_NODE}};
    for (uint32_t i = 0; i < count && !graph->status; i++) {
        args[1].as.i64 = i;
        args[2].as.node = lower_find(job, value, i, written);
        written[i] = rask_call_at(graph, &write_def, args, i ? 4 : 3, NULL, 0);
        args[3].as.node = written[i];
    }
    args[1] = args[3];
    return rask_call_at(graph, &close_def, args, 2, NULL, 0);
}

static int open_output(rk_search_job *job, const char *path, uint64_t lines, const char *file, int line)
{
    rask_graph *graph = job->text->graph;
    rk_text_output *output = rk_alloc(sizeof *output);
    if (!output) {
        rk_graph_fail(graph, RASK_ENOMEM, file, line, "rask_text_write: %s", rask_status_text(RASK_ENOMEM));
        return graph->status;
    }
    int status =
        rk_text_output_init(output, path, job->text->scratch, lines, most_kept(job->text), job->parts.count);
    if (!status) {
        job->output = output;
        job->more = output;
        job->end_more = free_output;
        return RASK_OK;
    }
    rk_graph_fail(graph, status, file, line, "rask_text_write: %s", output->message);
    free_output(output);
    return status;
}

rask_node *rask_text_write_at(rask_text *text, const char *path, uint64_t lines, const char *file, int line)
{
    rask_value value;
    if (!text || text->graph->status)
        return NULL;
    if (!path)
        return rk_graph_fail(text->graph, RASK_EINVAL, file, line, "rask_text_write: no path");
    rk_text_cutting cutting = {.block_bytes = BLOCK};
    rk_search_job *job = rk_search_job_new(text, "rask_text_write", &cutting, file, line);
    rask_node **nodes = job ? rk_search_nodes(text->graph, job->parts.count) : NULL;
    if (!nodes || open_output(job, path, lines, file, line) || rk_search_job_value(job, &value))
        return NULL;
    job->eager = true;
    rask_node *node = lower_all(job, &value, nodes);
    rask_value_unref(&value);
    return node;
}
