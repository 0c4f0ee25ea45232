/* rask_text_count(): a number of each part, and their sum. */
#include "collections/search/search.h"
#include "collections/text/spaces.h"

typedef struct counting {
    rask_task *task;
    const rk_search_job *job;
    uint64_t count;
} counting;

static int count_match(void *context, const char *text, size_t len)
{
    counting *c = context;
    (void)text;
    (void)len;
    c->count++;
    return RASK_OK;
}

static int take_piece(void *context, const rk_search_piece *piece)
{
    counting *c = context;
    switch (c->job->unit) {
    case RASK_TEXT_WORDS: c->count += rk_count_words(piece->text, piece->len); break;
    case RASK_TEXT_BYTES: c->count += piece->len; break;
    case RASK_TEXT_MATCHES: return rk_search_matches(c->task, c->job, piece, count_match, c);
    default:
        c->count += rk_count_newlines(piece->text, piece->len) + (piece->text[piece->len - 1] != '\n');
        break;
    }
    return RASK_OK;
}

/* (job, part) */
static int run_count(rask_task *task)
{
    const rk_search_job *job = rk_search_job_of(task);
    if (!job)
        return RASK_ETYPE;
    counting c = {task, job, 0};
    int status = rk_search_read(task, job, (uint32_t)rask_arg_i64(task, 1), take_piece, &c);
    return status ? status : rask_return_i64(task, (int64_t)c.count);
}

static const rask_task_def count_defs[] =
    RK_PURE_DEFS_BY_PLACE(.name = "count", .call = run_count, .result = 'i');

rask_node *rask_text_count_at(rask_text *text, rask_text_unit unit, const char *file, int line)
{
    if (!text || text->graph->status || !rk_search_check_unit(text, unit, "rask_text_count", file, line))
        return NULL;
    rk_text_cutting cutting = {.block_bytes = rk_search_block(text)};
    rk_search_job *job = rk_search_job_new(text, "rask_text_count", &cutting, file, line);
    rask_node **nodes = job ? rk_search_nodes(text->graph, job->parts.count) : NULL;
    if (!nodes)
        return NULL;
    job->unit = unit;
    if (rk_search_lower_parts(job, count_defs, rk_search_reading_bytes(job), 0, nodes))
        return NULL;
    return rask_sum_at(rask_list_at(text->graph, nodes, job->parts.count, file, line), file, line);
}
