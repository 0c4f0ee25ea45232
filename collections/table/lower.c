#include "collections/table/lower.h"

#include "collections/table/merge.h"
#include "collections/table/scan.h"
#include "collections/table/splitters.h"
#include "collections/table/stage.h"
#include "core/base/alloc.h"

#include <string.h>

enum {
    PARTS_A_WORKER = 8,
    LEAST_PART = 4 << 20,
    MOST_PART = 16 << 20, /* of those that are kept: what comes of them is in a cache, or was a moment ago */
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

/* A job whose pipeline is made. NULL, latched. */
static rk_scan_job *new_job(const rk_table_lowering *l, rask_table *table, const rk_table_sink_plan *sink)
{
    rk_scan_job *job = memory(l, sizeof *job);
    bool *needed = rk_alloc_array(table->schema.count + 1, sizeof *needed);
    int status = job && needed ? RASK_OK : RASK_ENOMEM;
    if (!status) {
        *job = (rk_scan_job){.sink = *sink};
        rk_table_sink_needs(sink, needed);
        status = rk_pipeline_init(&job->pipeline, table, needed);
    }
    rk_free(needed);
    if (!status && rk_graph_at_end(l->graph, end_job, job)) {
        end_job(job);
        status = RASK_ENOMEM;
    }
    if (!status)
        return job;
    fail_memory(l);
    return NULL;
}

/* What sinks end with goes with the rows they get. */
static bool keeps_rows(const rk_table_sink_plan *sink)
{
    return sink->kind != RK_SINK_TOP && (sink->kind != RK_SINK_GROUPS || sink->splitter_count);
}

/* Bytes of a part: enough parts for all workers; where parts are kept, such that many of them fit the budget. */
static uint64_t part_bytes(const rk_table_lowering *l, const rk_csv_source *source,
                           const rk_table_sink_plan *sink)
{
    uint64_t bytes = source->files.bytes / ((uint64_t)l->workers * PARTS_A_WORKER) + 1;
    uint64_t most = l->budget / ((uint64_t)l->workers * PARTS_A_WORKER);
    most = most < MOST_PART ? most : MOST_PART;
    most = sink->kind == RK_SINK_GROUPS ? most / 2 : most;
    if (source->block_bytes)
        return source->block_bytes;
    bytes = bytes < LEAST_PART ? LEAST_PART : bytes;
    bytes = keeps_rows(sink) && bytes > most ? most : bytes;
    return bytes < 64 << 10 ? 64 << 10 : bytes;
}

/* Bytes that rows take, about, that were so many bytes of text; never so many that a task could not begin. */
static uint64_t kept_bytes(const rk_table_lowering *l, const rk_table_sink_plan *sink, uint64_t text)
{
    bool limited = sink->kind == RK_SINK_CHUNK || sink->kind == RK_SINK_TEXT;
    if (!keeps_rows(sink) || (limited && sink->limit < FEW_ROWS))
        return 0;
    uint64_t bytes = sink->kind == RK_SINK_TEXT     ? text / 4 * 5
                     : sink->kind == RK_SINK_GROUPS ? text * 2
                                                    : text / 2 * 3;
    uint64_t most = l->budget / 8;
    return bytes < most ? bytes : most;
}

static int lower_files(const rk_table_lowering *l, rk_scan_job *job, rk_nodes *out)
{
    rk_csv_source *source = job->source = job->pipeline.source->as.csv;
    rk_text_error error = {0};
    uint64_t bytes = part_bytes(l, source, &job->sink), kept = kept_bytes(l, &job->sink, bytes);
    int status = rk_csv_source_cut(source, bytes, &job->parts, &job->part_count, &error);
    if (status) {
        rk_graph_fail(l->graph, status, NULL, 0, "%s", error.message);
        return status;
    }
    if (job->part_count > 1)
        job->sink.flush = NULL; /* parts are written in order */
    uint32_t values = rk_table_sink_values(&job->sink);
    out->count = job->part_count * values;
    out->bytes = kept / values;
    out->nodes = memory(l, out->count * sizeof *out->nodes);
    return out->nodes ? rk_scan_lower(l->graph, job, rk_scan_bytes(job) + kept * GROWING, kept, out->nodes)
                      : RASK_ENOMEM;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as operations that need all rows stand one above the other, RK_TABLE_DEPTH */

static int lower_chunks(const rk_table_lowering *l, rk_scan_job *job, rk_nodes *out)
{
    rk_nodes chunks = {0};
    uint32_t values = rk_table_sink_values(&job->sink);
    job->sink.flush = NULL;
    int status = rk_lower_rows(l, job->pipeline.source, &chunks);
    if (status)
        return status;
    uint64_t kept = keeps_rows(&job->sink) ? chunks.bytes : 0;
    out->count = chunks.count * values;
    out->bytes = kept / values;
    out->nodes = memory(l, out->count * sizeof *out->nodes);
    for (uint32_t i = 0; out->nodes && i < chunks.count && !status; i++)
        status = rk_stage_lower(l->graph, job, i, chunks.nodes[i], kept, out->nodes + (size_t)i * values);
    return out->nodes ? status : RASK_ENOMEM;
}

int rk_lower_stage(const rk_table_lowering *l, rask_table *table, const rk_table_sink_plan *sink,
                   rk_nodes *out)
{
    rk_scan_job *job = new_job(l, table, sink);
    if (!job)
        return RASK_ENOMEM;
    return job->pipeline.source->kind == RK_TABLE_CSV ? lower_files(l, job, out) : lower_chunks(l, job, out);
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
static rask_node *merge_tree(const rk_table_lowering *l, const rk_table_sink_plan *sink, rk_nodes parts)
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
    return status ? status : one(l, merge_tree(l, sink, parts), out);
}

/* Rows, or groups, go to ranges of the first key, and what is in a range is put in order by one task. */
static int lower_ranges(const rk_table_lowering *l, rask_table *input, const rk_table_sink_plan *sink,
                        rk_merge_range *merge, rk_nodes *out)
{
    rk_nodes parts;
    int status = rk_lower_stage(l, input, sink, &parts);
    if (status)
        return status;
    const rk_table_sink_plan *kept = rk_merge_keep(l->graph, sink);
    uint32_t ranges = rk_table_sink_values(sink), tasks = parts.count / ranges;
    uint64_t bytes = parts.bytes * tasks, most = l->budget / 8;
    rask_node **of_range = memory(l, (tasks + 1) * sizeof *of_range);
    out->count = ranges;
    out->bytes = bytes < most ? bytes : most;
    out->nodes = memory(l, ranges * sizeof *out->nodes);
    if (!kept || !of_range || !out->nodes)
        return RASK_ENOMEM;
    for (uint32_t r = 0; r < ranges && !l->graph->status; r++) {
        for (uint32_t i = 0; i < tasks; i++)
            of_range[i] = parts.nodes[(size_t)i * ranges + r];
        out->nodes[r] = merge(l->graph, kept, of_range, tasks, out->bytes);
    }
    return l->graph->status;
}

static int lower_group(const rk_table_lowering *l, rask_table *table, rk_nodes *out)
{
    rk_table_sink_plan sink = {.kind = RK_SINK_GROUPS,
                               .schema = &table->input->schema,
                               .result = &table->schema,
                               .grouping = table->as.grouping,
                               .seed = l->seed};
    int status = sink.grouping->key_count ? rk_splitters_group(l, table->input, &sink) : RASK_OK;
    if (status)
        return status;
    return sink.splitter_count ? lower_ranges(l, table->input, &sink, rk_merge_finish, out)
                               : lower_merged(l, table->input, &sink, out);
}

static int lower_top(const rk_table_lowering *l, rask_table *sorted, uint64_t rows, rk_nodes *out)
{
    rk_table_sink_plan sink = {.kind = RK_SINK_TOP,
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

static int lower_sort(const rk_table_lowering *l, rask_table *table, rk_nodes *out)
{
    rk_table_sink_plan sink = {.kind = RK_SINK_RANGES,
                               .schema = &table->schema,
                               .keys = table->as.sort.keys,
                               .key_count = table->as.sort.count};
    int status = rk_splitters_choose(l, table, &sink);
    return status ? status : lower_ranges(l, table->input, &sink, rk_merge_sort, out);
}

int rk_lower_rows(const rk_table_lowering *l, rask_table *table, rk_nodes *out)
{
    switch (table->kind) {
    case RK_TABLE_GROUP: return lower_group(l, table, out);
    case RK_TABLE_SORT: return lower_sort(l, table, out);
    case RK_TABLE_LIMIT: return lower_limit(l, table, out);
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
