/* rask_text_sample(): each line draws a number from the seed and its place; those with the least numbers are the sample. So it
 * does not matter who reads which lines, and tasks keep no more than a sample each.
 *
 * Between tasks a sample is bytes: a header for each line, its text behind it; the least numbers first. */
#include "collections/search/search.h"
#include "core/base/array.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    FAN_IN = 4,
    LINE_BYTES = 128, /* of a usual line, with its header */
};

typedef struct drawn {
    uint64_t number, position;
    uint64_t file, len;
    uint64_t text; /* where it is: in the sample's text, or behind the header */
} drawn;

typedef struct sample {
    uint64_t seed, wanted;
    rk_array lines, text; /* drawn, bytes */
    rk_array kept;        /* bytes: text is moved here when lines go */
    uint64_t least_unwanted;
} sample;

static void begin(sample *s, const rk_search_job *job)
{
    *s = (sample){.seed = job->text->seed,
                  .wanted = job->limit,
                  .lines = RK_ARRAY(drawn, SIZE_MAX / sizeof(drawn)),
                  .text = RK_ARRAY(char, SIZE_MAX / 2),
                  .kept = RK_ARRAY(char, SIZE_MAX / 2),
                  .least_unwanted = job->limit ? UINT64_MAX : 0};
}

static void end(sample *s)
{
    rk_array_fini(&s->lines);
    rk_array_fini(&s->text);
    rk_array_fini(&s->kept);
}

static int by_place(const void *left, const void *right)
{
    const drawn *a = left, *b = right;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return (a->position > b->position) - (a->position < b->position);
}

static int by_number(const void *left, const void *right)
{
    const drawn *a = left, *b = right;
    return a->number != b->number ? (a->number < b->number ? -1 : 1) : by_place(left, right);
}

static int add_text(rk_array *out, const char *text, size_t len, uint64_t *place)
{
    int status = len > out->capacity - out->count ? rk_array_reserve(out, len + out->count / 2) : RASK_OK;
    if (status)
        return status;
    *place = out->count;
    if (len)
        memcpy((char *)out->data + out->count, text, len);
    out->count += len;
    return RASK_OK;
}

/* Leaves out what is not among the wanted. */
static int cut(sample *s)
{
    drawn *lines = s->lines.data;
    if (s->lines.count)
        qsort(lines, s->lines.count, sizeof *lines, by_number);
    if (s->lines.count <= s->wanted)
        return RASK_OK;
    s->lines.count = s->wanted;
    s->least_unwanted = s->wanted ? lines[s->wanted - 1].number : 0;
    s->kept.count = 0;
    int status = RASK_OK;
    for (size_t i = 0; i < s->lines.count && !status; i++)
        status = add_text(&s->kept, (const char *)s->text.data + lines[i].text, lines[i].len, &lines[i].text);
    rk_array swap = s->text;
    s->text = s->kept;
    s->kept = swap;
    return status;
}

static int add_line(sample *s, drawn line, const char *text)
{
    if (line.number > s->least_unwanted || s->wanted == 0)
        return RASK_OK;
    int status = add_text(&s->text, text, line.len, &line.text);
    drawn *place = status ? NULL : rk_array_push(&s->lines);
    if (!place)
        return RASK_ENOMEM;
    *place = line;
    return s->lines.count / 2 > s->wanted ? cut(s) : RASK_OK;
}

static int pack(sample *s, rask_value *out)
{
    const drawn *lines = s->lines.data;
    char *to;
    size_t bytes = 0;
    int status = cut(s);
    assert(lines || !s->lines.count);
    for (size_t i = 0; i < s->lines.count; i++)
        bytes += sizeof *lines + lines[i].len;
    if (!status)
        status = rask_value_bytes_alloc(bytes, &to, out);
    for (size_t i = 0; i < s->lines.count && !status; i++) {
        memcpy(to, &lines[i], sizeof *lines);
        memcpy(to + sizeof *lines, (const char *)s->text.data + lines[i].text, lines[i].len);
        to += sizeof *lines + lines[i].len;
    }
    return status;
}

static int unpack(sample *s, rask_bytes bytes)
{
    int status = RASK_OK;
    while (bytes.len >= sizeof(drawn) && !status) {
        drawn line;
        memcpy(&line, bytes.data, sizeof line);
        bytes.data += sizeof line;
        bytes.len -= sizeof line;
        if (line.len > bytes.len)
            return RASK_EFORMAT;
        status = add_line(s, line, bytes.data);
        bytes.data += line.len;
        bytes.len -= line.len;
    }
    return status;
}

/* -- Tasks */

typedef struct sampling {
    rask_task *task;
    const rk_search_job *job;
    sample sample;
} sampling;

static uint64_t draw(const sample *s, uint64_t file, uint64_t position)
{
    const uint64_t place[2] = {file, position};
    return XXH3_64bits_withSeed(place, sizeof place, s->seed);
}

static int take_piece(void *context, const rk_search_piece *piece)
{
    sampling *s = context;
    int status = RASK_OK;
    for (size_t at = 0; at < piece->len && !status;) {
        const char *line = piece->text + at, *newline = memchr(line, '\n', piece->len - at);
        size_t len = newline ? (size_t)(newline - line) + 1 : piece->len - at;
        drawn d = {.position = piece->position + at, .file = piece->file, .len = rk_line_len(line, len)};
        d.number = draw(&s->sample, d.file, d.position);
        status = add_line(&s->sample, d, line);
        at += len;
    }
    return status ? rk_search_fail(s->task, status, s->job, piece->file) : RASK_OK;
}

static int return_sample(rask_task *task, sample *s)
{
    rask_value value;
    int status = pack(s, &value);
    return status ? rk_task_fail(task, status, "%s", rask_status_text(status))
                  : rask_return_value(task, value);
}

/* (job, part) */
static int run_sample(rask_task *task)
{
    sampling s = {.task = task, .job = rk_search_job_of(task)};
    if (!s.job)
        return RASK_ETYPE;
    begin(&s.sample, s.job);
    int status = rk_search_read(task, s.job, (uint32_t)rask_arg_i64(task, 1), take_piece, &s);
    if (!status)
        status = return_sample(task, &s.sample);
    end(&s.sample);
    return status;
}

/* The samples that are arguments first …, as one. */
static int unite(rask_task *task, const rk_search_job *job, sample *s)
{
    int status = RASK_OK;
    begin(s, job);
    for (size_t i = 1; i < rask_arg_count(task) && !status; i++)
        status = unpack(s, rask_arg_bytes(task, i));
    return status ? rk_task_fail(task, status, "%s", rask_status_text(status)) : RASK_OK;
}

/* (job, samples …) */
static int run_merge(rask_task *task)
{
    const rk_search_job *job = rk_search_job_of(task);
    sample s;
    if (!job)
        return RASK_ETYPE;
    int status = unite(task, job, &s);
    if (!status)
        status = return_sample(task, &s);
    end(&s);
    return status;
}

static int return_lines(rask_task *task, sample *s)
{
    drawn *lines = s->lines.data;
    rask_value *values = rk_calloc(s->lines.count + 1, sizeof *values);
    int status = values ? RASK_OK : RASK_ENOMEM;
    if (s->lines.count)
        qsort(lines, s->lines.count, sizeof *lines, by_place);
    for (size_t i = 0; i < s->lines.count && !status; i++)
        status = rask_value_bytes_new((const char *)s->text.data + lines[i].text, lines[i].len, &values[i]);
    if (status)
        rk_task_fail(task, status, "%s", rask_status_text(status));
    return rk_return_values(task, status, values, s->lines.count);
}

/* (job, samples …): the lines of all, in order. */
static int run_finish(rask_task *task)
{
    const rk_search_job *job = rk_search_job_of(task);
    sample s;
    if (!job)
        return RASK_ETYPE;
    int status = unite(task, job, &s);
    if (!status && (status = cut(&s)))
        rk_task_fail(task, status, "%s", rask_status_text(status));
    if (!status)
        status = return_lines(task, &s);
    end(&s);
    return status;
}

static const rask_task_def sample_defs[] = RK_DEFS_BY_PLACE(.name = "sample", .call = run_sample),
                           merge_def = {.size = sizeof merge_def, .name = "merge", .call = run_merge},
                           finish_def = {.size = sizeof finish_def, .name = "in order", .call = run_finish};

/* -- Lowering */

static rask_node *call(rask_graph *graph, const rask_task_def *def, const rask_value *job,
                       rask_node *const *nodes, uint32_t count)
{
    rask_arg args[1 + FAN_IN] = {{.kind = RASK_ARG_VALUE, .as.value = job}};
    for (uint32_t i = 0; i < count; i++)
        args[1 + i] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = nodes[i]};
    return rask_call_at(graph, def, args, 1 + count, NULL, 0);
}

static rask_node *lower_merges(rask_graph *graph, const rask_value *job, rask_node **nodes, uint32_t count)
{
    while (count > FAN_IN && !graph->status) {
        uint32_t merged = 0;
        for (uint32_t i = 0; i < count; i += FAN_IN) {
            uint32_t some = count - i < FAN_IN ? count - i : FAN_IN;
            nodes[merged++] = call(graph, &merge_def, job, nodes + i, some);
        }
        count = merged;
    }
    return call(graph, &finish_def, job, nodes, count);
}

rask_node *rask_text_sample_at(rask_text *text, uint64_t lines, const char *file, int line)
{
    rask_value value;
    rask_node *node = NULL;
    if (!text || text->graph->status)
        return NULL;
    rk_text_cutting cutting = {.block_bytes = rk_search_block(text), .whole = true};
    rk_search_job *job = rk_search_job_new(text, "rask_text_sample", &cutting, file, line);
    rask_node **nodes = job ? rk_search_nodes(text->graph, job->parts.count) : NULL;
    if (!nodes || rk_search_job_value(job, &value))
        return NULL;
    job->limit = lines < UINT32_MAX ? lines : UINT32_MAX;
    uint64_t bytes = job->limit * LINE_BYTES;
    if (!rk_search_lower_parts(job, sample_defs,
                               rk_search_reading_bytes(job) + (bytes < 1 << 20 ? 2 * bytes : 0), 0, nodes))
        node = lower_merges(text->graph, &value, nodes, job->parts.count);
    rask_value_unref(&value);
    return node;
}
