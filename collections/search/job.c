#include "collections/search/search.h"

#include "collections/files/elsewhere.h"
#include "collections/search/travel.h"
#include "collections/text/spaces.h"
#include "core/base/alloc.h"

#include <stdio.h>
#include <string.h>

enum {
    BLOCKS_PER_WORKER = 4, /* more would even out workers better, but every block has a result of its own */
    LEAST_BLOCK = 4 << 20, /* below this a task costs more than other workers help */
};

/* -- Jobs */

static void free_job(void *what)
{
    rk_search_job *job = what;
    if (!job)
        return;
    if (job->more)
        job->end_more(job->more);
    rk_text_parts_fini(&job->parts);
    rk_free(job);
}

uint64_t rk_search_block(const rask_text *text)
{
    uint64_t weight = 0;
    for (size_t i = 0; i < text->files.count; i++)
        weight += rk_text_file_weight(&text->files.files[i]);
    uint64_t size = weight / ((uint64_t)text->workers * BLOCKS_PER_WORKER) + 1;
    return size < LEAST_BLOCK ? LEAST_BLOCK : size;
}

/* Parts, and an end with the graph. */
static int prepare(rk_search_job *job, rask_text *text, const rk_text_cutting *cutting, rk_text_error *error)
{
    rk_text_cutting how = *cutting;
    if (text->block_bytes)
        how.block_bytes = text->block_bytes;
    int status = rk_text_parts_init(&job->parts, &text->files, &how, error);
    if (!status && rk_graph_at_end(text->graph, free_job, job))
        status = rk_text_fail_memory(error, text->files.files[0].path);
    return status;
}

rk_search_job *rk_search_job_new(rask_text *text, const char *name, const rk_text_cutting *cutting,
                                 const char *file, int line)
{
    rk_text_error error = {.message = ""};
    rk_search_job *job = rk_calloc(1, sizeof *job);
    if (!job) {
        rk_graph_fail(text->graph, RASK_ENOMEM, file, line, "%s: %s", name, rask_status_text(RASK_ENOMEM));
        return NULL;
    }
    int status = prepare(job, text, cutting, &error);
    if (status) {
        free_job(job);
        rk_graph_fail(text->graph, status, file, line, "%s: %s", name, error.message);
        return NULL;
    }
    job->text = text;
    job->name = name;
    job->ranges = 1;
    return job;
}

const char *rk_text_unit_name(rask_text_unit unit)
{
    static const char *const names[] = {"lines", "words", "bytes", "matches"};
    return unit <= RASK_TEXT_MATCHES ? names[unit] : "?";
}

bool rk_search_check_unit(rask_text *text, rask_text_unit unit, const char *name, const char *file, int line)
{
    if (unit > RASK_TEXT_MATCHES)
        rk_graph_fail(text->graph, RASK_EINVAL, file, line, "%s: no unit %d", name, (int)unit);
    else if (unit == RASK_TEXT_MATCHES && (!text->matcher || text->inverted))
        rk_graph_fail(text->graph, RASK_EINVAL, file, line, "%s: matches: %s", name,
                      text->matcher ? "lines without a match have none" : "there is no pattern");
    return !text->graph->status;
}

/* What tasks take: a job that is the graph's, or one that came from another process and is the value's. */
typedef struct job_ref {
    rk_search_job *job;
    bool guest;
} job_ref;

static size_t print_job(const void *data, char *buffer, size_t capacity)
{
    const rk_search_job *job = ((const job_ref *)data)->job;
    return (size_t)snprintf(buffer, capacity, "%s%s", job->text->files.files[0].path,
                            job->text->files.count > 1 ? ", …" : "");
}

static void end_ref(void *data)
{
    const job_ref *ref = data;
    if (ref->guest)
        rk_search_guest_free(ref->job);
    rk_free(data);
}

static int encode_ref(const void *data, rask_value *bytes)
{
    return rk_search_job_encode(((const job_ref *)data)->job, bytes);
}

static int decode_ref(rask_bytes bytes, void **data)
{
    job_ref *ref = rk_calloc(1, sizeof *ref);
    int status = ref ? rk_search_job_decode(bytes, &ref->job) : RASK_ENOMEM;
    if (status) {
        rk_free(ref);
        return status;
    }
    ref->guest = true;
    *data = ref;
    return RASK_OK;
}

static const rask_class job_class = {
    .name = "text", .destroy = end_ref, .print = print_job, .encode = encode_ref, .decode = decode_ref};

int rk_search_job_value(rk_search_job *job, rask_value *out)
{
    rask_graph *graph = job->text->graph;
    if (graph->status)
        return graph->status;
    job_ref *ref = rk_calloc(1, sizeof *ref);
    if (ref)
        ref->job = job;
    if (!ref || rask_value_custom_new(&job_class, ref, out)) {
        rk_free(ref);
        rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "%s: no memory for a task", job->name);
    }
    return graph->status;
}

rk_search_job *rk_search_job_of(rask_task *task)
{
    const job_ref *ref = rask_arg_custom(task, 0, &job_class);
    return ref ? ref->job : NULL;
}

rask_node **rk_search_nodes(rask_graph *graph, size_t count)
{
    rask_node **nodes = rk_alloc_array(count + 1, sizeof *nodes);
    if (nodes && !rk_graph_at_end(graph, rk_free, nodes))
        return nodes;
    rk_free(nodes);
    rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for tasks");
    return NULL;
}

rask_node *rk_search_lower_part(rk_search_job *job, const rask_value *value, uint32_t part, rask_node *more,
                                const rask_task_def *def, uint64_t scratch, uint64_t result)
{
    char label[256];
    rask_arg args[3] = {{.kind = RASK_ARG_VALUE, .as.value = value},
                        {.kind = RASK_ARG_I64, .as.i64 = part},
                        {.kind = RASK_ARG_NODE, .as.node = more}};
    rask_node *node = rask_call_at(job->text->graph, def, args, more ? 3 : 2, NULL, 0);
    rask_set_scratch_bytes(node, scratch);
    if (result)
        rask_set_result_bytes(node, result);
    rk_text_part_label(&job->parts, part, &job->text->files, label, sizeof label);
    return rask_set_label(node, label);
}

bool rk_search_is_stream(const rk_search_job *job, uint32_t part)
{
    return job->text->files.files[job->parts.ranges[job->parts.first[part]].file].stream;
}

int rk_search_lower_parts(rk_search_job *job, const rask_task_def defs[2], uint64_t scratch, uint64_t result,
                          rask_node **nodes)
{
    rask_value value;
    int status = rk_search_job_value(job, &value);
    if (status)
        return status;
    for (uint32_t i = 0; i < job->parts.count && !job->text->graph->status; i++)
        nodes[i] =
            rk_search_lower_part(job, &value, i, NULL, &defs[rk_search_is_stream(job, i)], scratch, result);
    rask_value_unref(&value);
    return job->text->graph->status;
}

/* -- Reading */

/* As collections/text/reader.h says, with what a usual window takes. */
static uint64_t decoder_bytes(rk_compression compression)
{
    switch (compression) {
    case RK_PLAIN: return 0;
    case RK_GZIP:
    case RK_BGZF: return 256 << 10;
    case RK_BZIP2: return 4 << 20;
    default: return 9 << 20;
    }
}

uint64_t rk_search_reading_bytes(const rk_search_job *job)
{
    uint64_t most = 0;
    for (size_t i = 0; i < job->text->files.count; i++) {
        uint64_t bytes = decoder_bytes(job->text->files.files[i].compression);
        most = bytes > most && !job->text->files.files[i].stream ? bytes : most;
    }
    return RK_TEXT_BLOCK + most;
}

static bool is_cancelled(void *task)
{
    return rask_task_cancelled(task);
}

int rk_search_fail(rask_task *task, int status, const rk_search_job *job, uint32_t file)
{
    const char *path = job->text->files.files[file].path;
    return rk_task_fail(task, status, "%s: %s", rk_text_path_name(path), rask_status_text(status));
}

/* With the number of the line, which is worth reading the file again. */
static int fail_matching(rask_task *task, const rk_search_job *job, const rk_search_piece *piece)
{
    const rk_text_file *file = &job->text->files.files[piece->file];
    uint64_t line = rk_text_lines_until(file, piece->range->begin) + rk_text_lines_before(piece->lines) +
                    rk_count_newlines(piece->given, (size_t)(piece->text - piece->given)) + 1;
    return rk_task_fail(task, RASK_ELIMIT, "%s:%llu: the pattern takes too long",
                        rk_text_path_name(file->path), (unsigned long long)line);
}

int rk_search_matches(rask_task *task, const rk_search_job *job, const rk_search_piece *line,
                      rk_search_match *take, void *context)
{
    size_t len = rk_line_len(line->text, line->len), from = 0, to;
    for (;;) {
        int found = rk_matching_find(line->matching, line->text, len, &from, &to);
        if (found <= 0)
            return found < 0 ? fail_matching(task, job, line) : RASK_OK;
        int status = take(context, line->text + from, to - from);
        if (status)
            return status;
        from = to;
    }
}

/* Gives those of whole lines to take that are meant. */
static int take_lines(rask_task *task, const rk_search_job *job, const rk_search_piece *all,
                      rk_search_take *take, void *context)
{
    rk_run run;
    int found, status = RASK_OK;
    if (!all->matching)
        return take(context, all);
    rk_matching_begin(all->matching, all->text, all->len, job->text->inverted);
    while (!status && (found = rk_matching_next(all->matching, &run))) {
        rk_search_piece piece = *all;
        piece.text += run.begin;
        piece.len = run.end - run.begin;
        piece.position += run.begin;
        status = found < 0 ? fail_matching(task, job, &piece) : take(context, &piece);
    }
    return status;
}

/* Elsewhere with the machine, which may see other files. */
static int fail_reading(rask_task *task, const rk_search_job *job, const rk_text_error *error)
{
    rk_open_error told = {.status = error->status};
    snprintf(told.message, sizeof told.message, "%s", error->message);
    if (job->guest)
        rk_open_error_say_where(&told);
    return rk_task_fail(task, told.status, "%s", told.message);
}

static int read_range(rask_task *task, const rk_search_job *job, const rk_text_range *range,
                      rk_matching *matching, rk_search_take *take, void *context)
{
    rk_text_options options = {.cancelled = is_cancelled,
                               .context = task,
                               .longest = job->longest,
                               .words = job->unit == RASK_TEXT_WORDS && !job->text->matcher};
    rk_text_lines *lines = NULL;
    rk_text_error error = {0};
    rk_search_piece piece = {.file = range->file, .len = 1, .matching = matching, .range = range};
    int status = rk_text_lines_new(&job->text->files.files[range->file], range->begin, range->end, &options,
                                   &lines, &error);
    while (!status && piece.len) {
        status = rk_text_lines_next(lines, &piece.text, &piece.len, &error);
        if (status || !piece.len)
            break;
        piece.position = rk_text_lines_position(lines);
        piece.lines = lines;
        piece.given = piece.text;
        int taken = take_lines(task, job, &piece, take, context);
        if (!taken && job->eager && job->text->files.files[range->file].stream)
            taken = take(context, &(rk_search_piece){.file = range->file});
        if (taken) {
            rk_text_lines_free(lines);
            return taken;
        }
    }
    rk_text_lines_free(lines);
    return status ? fail_reading(task, job, &error) : RASK_OK;
}

int rk_search_read(rask_task *task, const rk_search_job *job, uint32_t part, rk_search_take *take,
                   void *context)
{
    const rk_text_parts *parts = &job->parts;
    rk_matching *matching = NULL;
    int status = job->text->matcher ? rk_matching_new(job->text->matcher, &matching) : RASK_OK;
    if (status)
        return rk_search_fail(task, status, job, parts->ranges[parts->first[part]].file);
    for (uint32_t i = parts->first[part]; i < parts->first[part + 1] && !status; i++)
        status = read_range(task, job, &parts->ranges[i], matching, take, context);
    rk_matching_free(matching);
    return status == RK_SEARCH_ENOUGH ? RASK_OK : status;
}
