#include "collections/table/lower.h"

#include "collections/table/arrange.h"
#include "collections/table/concat.h"
#include "collections/table/distinct/distinct.h"
#include "collections/table/explain.h"
#include "collections/table/join/join.h"
#include "collections/table/merge.h"
#include "collections/table/scan.h"
#include "collections/table/splitters.h"
#include "collections/table/stage.h"
#include "collections/table/summary/summary.h"
#include "collections/table/tail.h"
#include "core/base/alloc.h"

#include <string.h>

enum {
    PARTS_A_WORKER = 8,
    LEAST_PART = 4 << 20,
    LEAST_SLICE = 1 << 20, /* of memory: it need not be parsed */
    MOST_PART = 16 << 20,  /* of those that are kept: what comes of them is in a cache, or was a moment ago */
    MOST_BLOCK = 1 << 20,  /* of a file that is read ahead */
    MOST_APART = 4 << 20,  /* the same where each block goes to another process */
    LEAST_PIECE = 64 << 10,
    ROOM_FOR_PART = 8, /* of the budget: what a task keeps and makes of a part is some times as much */
    FAN_IN = 4,
    MOST_TOP = 1 << 20, /* rows that are kept while others pass by; more are sorted */
    FEW_ROWS = 65536,   /* take no memory to speak of */
    GROWING = 2,        /* bytes of memory for rows that come one by one, for a byte of them */
};

static int fail_memory(const rk_table_lowering *l)
{
    rk_graph_fail(l->graph, RASK_ENOMEM, NULL, 0, "no memory for tasks");
    return RASK_ENOMEM;
}

static void *memory(const rk_table_lowering *l, size_t size)
{
    return rk_table_memory(l->graph, size, NULL, 0);
}

/* -- Stages */

static void end_job(void *what)
{
    rk_scan_job *job = what;
    rk_pipeline_fini(&job->pipeline);
    rk_free(job->parts);
}

/* Columns may be late where a sink that chooses rows by what else is in them knows whose they are, and can tell where a value
 * does not fit. */
static int delay(rk_pipeline *p, const rk_table_sink_plan *sink)
{
    uint32_t first = rk_table_sink_first(sink);
    bool told = p->source->kind == RK_TABLE_CSV && (first == UINT32_MAX || sink->source == p->source->as.csv);
    return told ? rk_pipeline_delay(p, first) : RASK_OK;
}

/* What is found for texts that come again is kept in a small part of each worker's share, or not at all: what else a task needs
 * comes first. */
static uint64_t memo_room(const rk_table_lowering *l)
{
    enum { PART = 32, LEAST = RK_EXPR_MEMO_BYTES / 4 };
    uint64_t room = l->budget / ((uint64_t)l->workers * PART);
    return room < LEAST ? 0 : room < RK_EXPR_MEMO_BYTES ? room : RK_EXPR_MEMO_BYTES;
}

rk_scan_job *rk_lower_job(const rk_table_lowering *l, rask_table *table, const rk_table_sink_plan *sink)
{
    rk_scan_job *job = memory(l, sizeof *job);
    bool *needed = rk_alloc_array(table->schema.count + 1, sizeof *needed);
    rk_atomic_u32 *last_wanted = memory(l, sizeof *last_wanted);
    int status = job && needed && last_wanted ? RASK_OK : RASK_ENOMEM;
    if (job)
        *job = (rk_scan_job){.sink = *sink, .last_wanted = last_wanted};
    if (last_wanted)
        rk_init(last_wanted, UINT32_MAX);
    if (!status) {
        rk_table_sink_needs(sink, needed);
        status = rk_pipeline_init(&job->pipeline, table, needed, rk_join_room(l));
        job->pipeline.seed = l->seed;
        job->pipeline.memo_room = job->sink.memo_room = memo_room(l);
        if (!status)
            status = delay(&job->pipeline, sink);
    }
    rk_free(needed);
    if (!status && rk_graph_at_end(l->graph, end_job, job))
        status = RASK_ENOMEM;
    if (!status)
        return job;
    if (job)
        end_job(job);
    fail_memory(l);
    return NULL;
}

/* What sinks end with goes with the rows they get. */
static bool keeps_rows(const rk_table_sink_plan *sink)
{
    switch (sink->kind) {
    case RK_SINK_TOP:
    case RK_SINK_TYPES: return false;
    case RK_SINK_GROUPS: return rk_table_sink_values(sink) > 1;
    case RK_SINK_DISTINCT: return sink->parts > 1;
    default: return true;
    }
}

/* Bytes of text, or memory, of a part, of all bytes that there are: enough parts for all workers; where parts are kept, such
 * that many of them fit the budget, but not so many that what goes to a range is next to nothing: each piece is a value of
 * its own, and a task. */
static uint64_t part_bytes(const rk_table_lowering *l, uint64_t all, uint64_t least,
                           const rk_table_sink_plan *sink)
{
    uint64_t bytes = all / ((uint64_t)l->workers * PARTS_A_WORKER) + 1;
    uint64_t most = l->budget / ((uint64_t)l->workers * PARTS_A_WORKER);
    if (sink->kind == RK_SINK_SUMMARY)
        most = (uint64_t)((double)most / sink->kept);
    else
        most = most < MOST_PART ? most : MOST_PART;
    most = sink->kind == RK_SINK_GROUPS || sink->kind == RK_SINK_DISTINCT ? most / 2 : most;
    bytes = bytes < least ? least : bytes;
    bytes = keeps_rows(sink) && bytes > most ? most : bytes;
    most = l->budget / ROOM_FOR_PART;
    uint64_t whole = (uint64_t)rk_table_sink_values(sink) * LEAST_PIECE;
    whole = whole < most ? whole : most;
    bytes = sink->splitter_count && bytes < whole ? whole : bytes;
    return bytes < LEAST_PIECE ? LEAST_PIECE : bytes;
}

static bool is_limited(const rk_table_sink_plan *sink)
{
    return (sink->kind == RK_SINK_CHUNK || sink->kind == RK_SINK_TEXT) && sink->limit != UINT64_MAX;
}

/* Rows that are only wanted up to a number are read by tasks that stop there. What joins need may move between the tasks of a
 * lane. */
static rk_csv_cut how_to_cut(const rk_table_lowering *l, const rk_scan_job *job)
{
    const rk_csv_source *source = job->source;
    const rk_table_sink_plan *sink = &job->sink;
    bool shared = !keeps_rows(sink) && !job->pipeline.join_count && !l->apart;
    uint64_t bytes = source->block_bytes ? source->block_bytes
                                         : part_bytes(l, rk_csv_source_bytes(source), LEAST_PART, sink);
    uint64_t block = l->budget / (8 * ((uint64_t)l->workers + 1));
    uint64_t most = l->apart ? MOST_APART : MOST_BLOCK;
    block = block < LEAST_PIECE ? LEAST_PIECE : block < most ? block : most;
    block = block < bytes ? block : bytes;
    return (rk_csv_cut){.bytes = bytes,
                        .block_bytes = block,
                        .grouped = !sink->last,
                        .ahead = !is_limited(sink) && l->workers > 1,
                        .lanes = shared ? l->workers : 0,
                        .values = rk_table_sink_values(sink)};
}

/* Bytes that rows take, about, that were so many bytes of text; never so many that a task could not begin. */
static uint64_t kept_bytes(const rk_table_lowering *l, const rk_table_sink_plan *sink, uint64_t text)
{
    if (!keeps_rows(sink) || (is_limited(sink) && sink->limit < FEW_ROWS) ||
        (sink->last && sink->last < FEW_ROWS))
        return 0;
    bool grouped = sink->kind == RK_SINK_GROUPS || sink->kind == RK_SINK_DISTINCT;
    uint64_t bytes = sink->kind == RK_SINK_TEXT      ? text / 4 * 5
                     : grouped                       ? text * 2
                     : sink->kind == RK_SINK_SUMMARY ? (uint64_t)((double)text * sink->kept)
                                                     : text / 2 * 3;
    uint64_t most = sink->splitter_count ? l->budget / 5 : l->budget / 8;
    return bytes < most ? bytes : most;
}

/* A row comes of every row of the source. */
static bool keeps_all(const rk_pipeline *p)
{
    bool all = true;
    for (uint32_t i = 0; i < p->step_count; i++)
        all = all && !p->steps[i].join && p->steps[i].out != UINT32_MAX;
    return all;
}

static int lower_files(const rk_table_lowering *l, rk_scan_job *job, rk_nodes *out)
{
    rk_csv_source *source = job->source = job->pipeline.source->as.csv;
    rk_text_error error = {0};
    rk_csv_cut how = how_to_cut(l, job);
    uint64_t kept = kept_bytes(l, &job->sink, how.bytes);
    int status = rk_csv_source_cut(source, &how, &job->parts, &job->part_count, &error);
    if (status) {
        rk_graph_fail(l->graph, status, NULL, 0, "%s", error.message);
        return status;
    }
    if (job->sink.last && keeps_all(&job->pipeline))
        rk_tail_cut(rk_tail_find(source, job->sink.last), job->parts, &job->part_count);
    job->workers = l->workers;
    uint64_t count = rk_scan_nodes(job);
    if (count > 1)
        job->sink.flush = NULL; /* parts are written in order */
    if (l->notes)
        rk_explain_reading(l->notes, job);
    out->count = (uint32_t)count;
    out->bytes = kept / rk_table_sink_values(&job->sink);
    out->nodes = memory(l, count * sizeof *out->nodes);
    return out->nodes ? rk_scan_lower(l->graph, job,
                                      rk_scan_bytes(job) + rk_table_sink_bytes(&job->sink) + kept * GROWING,
                                      kept, out->nodes)
                      : RASK_ENOMEM;
}

static int lower_slices(const rk_table_lowering *l, rk_scan_job *job, const rk_memory_slice *slices,
                        uint32_t count, uint64_t kept, rk_nodes *out)
{
    const rk_memory_feed *feed = job->pipeline.source->as.memory->feed;
    uint32_t values = rk_table_sink_values(&job->sink);
    job->part_count = count;
    void *begun = feed ? feed->begin(feed->what, l) : NULL;
    out->count = count * values;
    out->bytes = kept / values;
    out->nodes = memory(l, out->count * sizeof *out->nodes);
    int status = out->nodes && (begun || !feed) ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; i < count && !status; i++)
        status =
            rk_stage_lower_memory(l->graph, job, i, &slices[i], begun, kept, out->nodes + (size_t)i * values);
    if (feed)
        feed->end(begun);
    return status;
}

static int lower_memory(const rk_table_lowering *l, rk_scan_job *job, rk_nodes *out)
{
    const rk_memory_source *source = job->pipeline.source->as.memory;
    uint64_t bytes = part_bytes(l, source->bytes, LEAST_SLICE, &job->sink);
    uint32_t count;
    rk_memory_slice *slices = rk_memory_cut(source, bytes, &count);
    if (!slices)
        return fail_memory(l);
    if (count > 1 || l->apart)
        job->sink.flush = NULL; /* parts are written in order, and by the program's own process */
    int status = lower_slices(l, job, slices, count, kept_bytes(l, &job->sink, bytes), out);
    rk_free(slices);
    return status;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as operations that need all rows stand one above the other, RK_TABLE_DEPTH */

static int lower_source(const rk_table_lowering *l, const rk_pipeline *p, bool ordered, rk_nodes *out)
{
    switch (p->source->kind) {
    case RK_TABLE_JOIN: return rk_join_lower(l, p->source, p->wanted, p->wanted_count, ordered, out);
    case RK_TABLE_DISTINCT: return rk_distinct_lower(l, p->source, p->wanted, p->wanted_count, ordered, out);
    default: return rk_lower_rows(l, p->source, out);
    }
}

static int lower_sort(const rk_table_lowering *l, rask_table *table, rk_scan_job *job, rk_nodes *out);

/* Room for what comes of so many chunks; kept: bytes that their rows take. */
static int begin_passing(const rk_table_lowering *l, rk_scan_job *job, const rk_nodes *chunks, uint64_t *kept,
                         rk_nodes *out)
{
    uint32_t values = rk_table_sink_values(&job->sink);
    job->part_count = chunks->count;
    *kept = keeps_rows(&job->sink) ? chunks->bytes : 0;
    out->count = chunks->count * values;
    out->bytes = *kept / values;
    out->nodes = memory(l, out->count * sizeof *out->nodes);
    return out->nodes ? RASK_OK : RASK_ENOMEM;
}

static int pass_chunks(const rk_table_lowering *l, rk_scan_job *job, const rk_nodes *chunks, rk_nodes *out)
{
    uint32_t values = rk_table_sink_values(&job->sink);
    uint64_t kept;
    int status = begin_passing(l, job, chunks, &kept, out);
    for (uint32_t i = 0; i < chunks->count && !status; i++)
        status = rk_stage_lower(l->graph, job, i, chunks->nodes[i], kept, out->nodes + (size_t)i * values);
    return status;
}

static int lower_chunks(const rk_table_lowering *l, rk_scan_job *job, rk_nodes *out)
{
    rk_nodes chunks = {0};
    const rk_pipeline *p = &job->pipeline;
    job->sink.flush = NULL;
    if (p->source->kind == RK_TABLE_SORT)
        return lower_sort(l, p->source, job, out);
    int status = lower_source(l, p, rk_table_sink_is_ordered(&job->sink), &chunks);
    return status ? status : pass_chunks(l, job, &chunks, out);
}

static int lower_tasks(const rk_table_lowering *l, rk_scan_job *job, rk_nodes *out)
{
    switch (job->pipeline.source->kind) {
    case RK_TABLE_CSV: return lower_files(l, job, out);
    case RK_TABLE_ROWS: return lower_memory(l, job, out);
    default: return lower_chunks(l, job, out);
    }
}

/* One whose source is no CONCAT. *parts: of the stages before, and with it. */
static int lower_leaf(const rk_table_lowering *l, rask_table *table, const rk_table_sink_plan *sink,
                      uint32_t *parts, rk_nodes *out)
{
    rk_scan_job *job = rk_lower_job(l, table, sink);
    if (!job || rk_join_lower_others(l, job))
        return RASK_ENOMEM;
    job->before = *parts;
    const rk_pipeline *p = &job->pipeline;
    bool at_once =
        p->source->kind == RK_TABLE_JOIN && !p->join_count && !rk_table_sink_is_ordered(&job->sink);
    int status =
        at_once ? rk_join_lower_into(l, table, job, keeps_rows(&job->sink), out) : lower_tasks(l, job, out);
    *parts += rk_scan_pieces(job);
    return status;
}

static int append(rk_array *all, const rk_nodes *more)
{
    int status = rk_array_reserve(all, more->count);
    for (uint32_t i = 0; i < more->count && !status; i++)
        *(rask_node **)rk_array_push(all) = more->nodes[i];
    return status;
}

static int lower_leaves(const rk_table_lowering *l, rask_table **leaves, uint32_t count,
                        const rk_table_sink_plan *sink, rk_nodes *out)
{
    rk_array all = RK_ARRAY(rask_node *, RK_MAX_NODES);
    uint32_t parts = 0;
    int status = RASK_OK;
    *out = (rk_nodes){0};
    for (uint32_t i = 0; i < count && !status; i++) {
        rk_nodes more = {0};
        status = lower_leaf(l, leaves[i], sink, &parts, &more);
        if (!status && append(&all, &more))
            status = fail_memory(l);
        out->bytes = more.bytes > out->bytes ? more.bytes : out->bytes;
    }
    out->count = (uint32_t)all.count;
    out->nodes = status ? NULL : memory(l, all.count * sizeof *out->nodes);
    if (out->nodes && all.count)
        memcpy(out->nodes, all.data, all.count * sizeof *out->nodes);
    rk_array_fini(&all);
    return out->nodes ? RASK_OK : status ? status : RASK_ENOMEM;
}

int rk_lower_stage(const rk_table_lowering *l, rask_table *table, const rk_table_sink_plan *sink,
                   rk_nodes *out)
{
    rask_table **leaves;
    uint32_t count, parts = 0;
    rk_table_sink_plan in_order = *sink;
    int status = rk_table_leaves(l->graph, table, rk_join_room(l), &leaves, &count);
    if (status || count == 1)
        return status ? status : lower_leaf(l, leaves[0], sink, &parts, out);
    in_order.flush = NULL; /* tables are written one after the other */
    return lower_leaves(l, leaves, count, &in_order, out);
}

/* -- Where all rows are needed */

static int one(const rk_table_lowering *l, rask_node *node, rk_nodes *out)
{
    out->nodes = memory(l, sizeof *out->nodes);
    if (!out->nodes || !node)
        return l->graph->status;
    out->nodes[0] = node;
    out->count = 1;
    out->bytes = 0;
    return RASK_OK;
}

/* Levels of merges, then one more that makes a chunk. */
rask_node *rk_lower_merges(const rk_table_lowering *l, const rk_table_sink_plan *sink, rk_nodes parts)
{
    const rk_table_sink_plan *kept = rk_merge_keep(l->graph, sink);
    while (kept && parts.count > FAN_IN && !l->graph->status) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < parts.count; i += FAN_IN) {
            uint32_t some = parts.count - i < FAN_IN ? parts.count - i : FAN_IN;
            rask_node *node =
                some == 1 ? parts.nodes[i] : rk_merge_lower(l->graph, kept, parts.nodes + i, some);
            parts.nodes[count++] = node;
        }
        parts.count = count;
    }
    return kept && !l->graph->status ? rk_merge_finish(l->graph, kept, parts.nodes, parts.count, 0) : NULL;
}

static int lower_merged(const rk_table_lowering *l, rask_table *input, const rk_table_sink_plan *sink,
                        rk_nodes *out)
{
    rk_nodes parts;
    int status = rk_lower_stage(l, input, sink, &parts);
    return status ? status : one(l, rk_lower_merges(l, sink, parts), out);
}

/* What tasks made of parts, range by range. */
typedef struct ranges {
    const rk_table_sink_plan *plan;
    uint32_t count, tasks;
    uint64_t bytes;    /* of a range, about */
    rask_node **nodes; /* of each range as many as there are tasks */
} ranges;

/* Rows, or groups, go to ranges of the first key. */
static int cut_ranges(const rk_table_lowering *l, rask_table *input, const rk_table_sink_plan *sink,
                      ranges *out)
{
    rk_nodes parts;
    int status = rk_lower_stage(l, input, sink, &parts);
    if (status)
        return status;
    uint32_t count = rk_table_sink_values(sink), tasks = parts.count / count;
    uint64_t bytes = parts.bytes * tasks, most = l->budget / 8;
    *out = (ranges){.plan = rk_merge_keep(l->graph, sink),
                    .count = count,
                    .tasks = tasks,
                    .bytes = bytes < most ? bytes : most,
                    .nodes = memory(l, ((size_t)parts.count + 1) * sizeof *out->nodes)};
    if (!out->plan || !out->nodes)
        return RASK_ENOMEM;
    for (uint32_t r = 0; r < count; r++)
        for (uint32_t i = 0; i < tasks; i++)
            out->nodes[(size_t)r * tasks + i] = parts.nodes[(size_t)i * count + r];
    return RASK_OK;
}

/* What is in a range is put in order by one task. */
static int lower_ranges(const rk_table_lowering *l, rask_table *input, const rk_table_sink_plan *sink,
                        rk_merge_range *merge, rk_nodes *out)
{
    ranges cut;
    int status = cut_ranges(l, input, sink, &cut);
    if (status)
        return status;
    *out = (rk_nodes){memory(l, cut.count * sizeof *out->nodes), cut.count, cut.bytes};
    for (uint32_t r = 0; r < cut.count && out->nodes && !l->graph->status; r++)
        out->nodes[r] = merge(l->graph, cut.plan, cut.nodes + (size_t)r * cut.tasks, cut.tasks, cut.bytes);
    return out->nodes ? l->graph->status : RASK_ENOMEM;
}

/* The same task passes the rows on. */
static int pass_ranges(const rk_table_lowering *l, rask_table *input, const rk_table_sink_plan *sink,
                       rk_scan_job *job, rk_nodes *out)
{
    ranges cut;
    uint64_t kept;
    uint32_t values = rk_table_sink_values(&job->sink);
    int status = cut_ranges(l, input, sink, &cut);
    if (!status)
        status = begin_passing(l, job, &(rk_nodes){NULL, cut.count, cut.bytes}, &kept, out);
    for (uint32_t r = 0; !status && r < cut.count; r++)
        status = rk_stage_lower_sorted(l->graph, job, r, cut.plan,
                                       &(rk_nodes){cut.nodes + (size_t)r * cut.tasks, cut.tasks, cut.bytes},
                                       kept, out->nodes + (size_t)r * values);
    return status;
}

/* Whether ranges are about as many as there should be: where the first key has few values they are not, since each
 * value is in one range. */
static bool are_enough(const rk_table_sink_plan *sink, uint32_t wanted)
{
    return wanted == 1 || (sink->splitter_count + (uint64_t)1) * 4 >= (uint64_t)wanted * 3;
}

/* Groups go to parts by the hash of the whole key, and what comes of the parts is put in order. */
static int lower_group_parts(const rk_table_lowering *l, rask_table *table, rk_table_sink_plan *sink,
                             uint32_t parts, rk_nodes *out)
{
    uint32_t keys = sink->grouping->key_count;
    rk_nodes groups;
    rk_order *order = memory(l, keys * sizeof *order);
    const rk_table_sink_plan plan = {.schema = &table->schema, .keys = order, .key_count = keys};
    for (uint32_t k = 0; order && k < keys; k++)
        order[k] = (rk_order){.column = k};
    sink->splitter_count = 0;
    sink->parts = parts;
    int status = order ? lower_ranges(l, table->input, sink, rk_merge_finish, &groups) : RASK_ENOMEM;
    return status ? status : rk_arrange_lower(l, &plan, &groups, (double)groups.bytes * parts, out);
}

static int lower_group(const rk_table_lowering *l, rask_table *table, rk_nodes *out)
{
    rk_table_sink_plan sink = {.kind = RK_SINK_GROUPS,
                               .schema = &table->input->schema,
                               .result = &table->schema,
                               .grouping = table->as.grouping,
                               .seed = l->seed};
    uint32_t wanted = 1;
    int status = sink.grouping->key_count ? rk_splitters_group(l, table->input, &sink, &wanted) : RASK_OK;
    if (status)
        return status;
    if (!are_enough(&sink, wanted))
        return lower_group_parts(l, table, &sink, wanted, out);
    return sink.splitter_count ? lower_ranges(l, table->input, &sink, rk_merge_finish, out)
                               : lower_merged(l, table->input, &sink, out);
}

static int lower_top(const rk_table_lowering *l, rask_table *sorted, uint64_t rows, rk_nodes *out)
{
    const rask_table *source = rk_pipeline_source(sorted->input, rk_join_room(l));
    rk_table_sink_plan sink = {.kind = RK_SINK_TOP,
                               .source = source->kind == RK_TABLE_CSV ? source->as.csv : NULL,
                               .schema = &sorted->schema,
                               .result = &sorted->schema,
                               .limit = rows,
                               .keys = sorted->as.sort.keys,
                               .key_count = sorted->as.sort.count};
    return lower_merged(l, sorted->input, &sink, out);
}

static int lower_limit(const rk_table_lowering *l, rask_table *table, rk_nodes *out)
{
    rk_table_sink_plan sink = {
        .kind = RK_SINK_CHUNK, .schema = &table->input->schema, .limit = table->as.limit};
    rk_nodes parts;
    if (table->input->kind == RK_TABLE_SORT && table->as.limit <= MOST_TOP)
        return lower_top(l, table->input, table->as.limit, out);
    int status = rk_lower_stage(l, table->input, &sink, &parts);
    return status ? status : one(l, rk_merge_first(l->graph, table->as.limit, parts.nodes, parts.count), out);
}

/* Each task keeps its last rows, and of these the last ones are kept, level by level. */
static int lower_tail(const rk_table_lowering *l, rask_table *table, rk_nodes *out)
{
    rk_table_sink_plan sink = {
        .kind = RK_SINK_CHUNK, .schema = &table->input->schema, .limit = UINT64_MAX, .last = table->as.limit};
    rk_nodes parts;
    int status = rk_lower_stage(l, table->input, &sink, &parts);
    while (!status && parts.count > 1) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < parts.count; i += FAN_IN) {
            uint32_t some = parts.count - i < FAN_IN ? parts.count - i : FAN_IN;
            parts.nodes[count++] = rk_merge_last(l->graph, sink.last, parts.nodes + i, some);
        }
        parts.count = count;
        status = l->graph->status;
    }
    return status ? status : one(l, parts.nodes[0], out);
}

/* Rows of which nothing is known before they are there. */
static int lower_arranged(const rk_table_lowering *l, rask_table *table, const rk_table_sink_plan *sink,
                          rk_nodes *out)
{
    const rk_table_sink_plan all = {.kind = RK_SINK_CHUNK, .schema = &table->schema, .limit = UINT64_MAX};
    rk_nodes chunks;
    uint64_t bytes = table->input->bytes;
    int status = rk_lower_stage(l, table->input, &all, &chunks);
    return status ? status
                  : rk_arrange_lower(l, sink, &chunks,
                                     bytes == RK_BYTES_UNKNOWN ? (double)RK_BYTES_GUESS : (double)bytes, out);
}

/* The rows in order as chunks, or, with a job, what its sinks end with. */
static int lower_sort(const rk_table_lowering *l, rask_table *table, rk_scan_job *job, rk_nodes *out)
{
    rk_table_sink_plan sink = {.kind = RK_SINK_RANGES,
                               .schema = &table->schema,
                               .keys = table->as.sort.keys,
                               .key_count = table->as.sort.count};
    uint32_t wanted;
    rk_nodes chunks = {0};
    int status = rk_splitters_choose(l, table, &sink, &wanted);
    if (status)
        return status;
    if (are_enough(&sink, wanted))
        return job ? pass_ranges(l, table->input, &sink, job, out)
                   : lower_ranges(l, table->input, &sink, rk_merge_sort, out);
    status = lower_arranged(l, table, &sink, &chunks);
    if (!job)
        *out = chunks;
    return status || !job ? status : pass_chunks(l, job, &chunks, out);
}

/* The chunks of a JOIN or a DISTINCT with all columns, which are none of a stage. */
static int lower_whole(const rk_table_lowering *l, rask_table *table, rk_nodes *out)
{
    uint32_t *all = memory(l, table->schema.count * sizeof *all);
    for (uint32_t i = 0; all && i < table->schema.count; i++)
        all[i] = i;
    if (!all)
        return RASK_ENOMEM;
    return table->kind == RK_TABLE_JOIN ? rk_join_lower(l, table, all, table->schema.count, true, out)
                                        : rk_distinct_lower(l, table, all, table->schema.count, true, out);
}

int rk_lower_rows(const rk_table_lowering *l, rask_table *table, rk_nodes *out)
{
    if (table->kind == RK_TABLE_DISTINCT ||
        (table->kind == RK_TABLE_JOIN && !rk_join_is_small(table, rk_join_room(l))))
        return lower_whole(l, table, out);
    switch (table->kind) {
    case RK_TABLE_GROUP: return lower_group(l, table, out);
    case RK_TABLE_SORT: return lower_sort(l, table, NULL, out);
    case RK_TABLE_LIMIT: return lower_limit(l, table, out);
    case RK_TABLE_TAIL: return lower_tail(l, table, out);
    case RK_TABLE_SUMMARY: return rk_summary_lower(l, table, out);
    default: break;
    }
    rk_table_sink_plan sink = {.kind = RK_SINK_CHUNK, .schema = &table->schema, .limit = UINT64_MAX};
    return rk_lower_stage(l, table, &sink, out);
}

/* NOLINTEND(misc-no-recursion) */

rask_node *rk_lower_table(const rk_table_lowering *l, rask_table *table)
{
    rk_nodes chunks = {0};
    if (rk_lower_rows(l, table, &chunks))
        return NULL;
    return chunks.count == 1 ? chunks.nodes[0]
                             : rk_merge_first(l->graph, UINT64_MAX, chunks.nodes, chunks.count);
}
