#include "collections/table/splitters.h"

#include "collections/table/csv_source.h"
#include "core/base/alloc.h"

#include <stdlib.h>

enum {
    MOST_RANGES = 1000,
    RANGES_A_WORKER = 2,
    SMALL = 8 << 20, /* bytes of files that are sorted at once */
    GROWTH = 5,      /* bytes that sorting takes for a byte of a file: twice its rows, and where they are */
    COMPRESSED = 4,  /* bytes of text for a byte of a compressed file */
};

static uint64_t text_bytes(const rk_csv_source *source)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < source->files.count; i++) {
        const rk_text_file *file = &source->files.files[i];
        if (file->size != RK_TEXT_UNKNOWN_SIZE)
            bytes += file->size * (file->compression == RK_PLAIN ? 1 : COMPRESSED);
    }
    return bytes;
}

static uint32_t range_count(const rk_table_lowering *l, const rk_csv_source *source)
{
    uint64_t bytes = text_bytes(source), room = l->budget / (2 * (uint64_t)l->workers);
    uint64_t count = bytes * GROWTH / (room ? room : 1) + 1;
    if (bytes < SMALL)
        return count < 2 ? 1 : (uint32_t)count;
    count = count < RANGES_A_WORKER * l->workers ? RANGES_A_WORKER * l->workers : count;
    return count > MOST_RANGES ? MOST_RANGES : (uint32_t)count;
}

/* -- Ranks of the rows of samples */

typedef struct sampling {
    const rk_csv_source *source;
    rk_pipeline pipeline;
    const rk_order *key;
    rk_array ranks; /* uint64_t */
} sampling;

static int add_ranks(sampling *s, const rk_pipeline_run *run)
{
    for (uint32_t i = 0; i < run->rows; i++) {
        uint64_t *rank = rk_array_push(&s->ranks);
        if (!rank)
            return RASK_ENOMEM;
        *rank = rk_rank(run->outputs[s->key->column], i, s->key->descending);
    }
    return RASK_OK;
}

/* Rows of a sample up to where it is cut, or wrong: that will be told by who reads it all. */
static int sample_rows(sampling *s, rask_bytes text, bool first, rk_csv_scanner *scanner,
                       rk_pipeline_run *run, rk_batch *batch)
{
    rk_csv_error error;
    size_t used = 0, at = 0;
    bool whole;
    int status = first ? rk_csv_skip_head(scanner, text.data, text.len, false, &whole, &at, &error) : RASK_OK;
    while (!status) {
        status = rk_csv_scan(scanner, text.data + at, text.len - at, false, batch, &used, &error);
        if (status || !used)
            return status == RASK_ENOMEM ? status : RASK_OK;
        at += used;
        status = batch->rows ? rk_pipeline_take(run, batch) : RASK_OK;
        if (!status && batch->rows)
            status = add_ranks(s, run);
    }
    return status == RASK_ENOMEM ? status : RASK_OK;
}

static int sample_all(sampling *s)
{
    const rk_pipeline *p = &s->pipeline;
    rk_csv_scanner scanner = {0};
    rk_pipeline_run run = {0};
    rk_batch batch = {0};
    rask_column_type *types = rk_alloc_array(p->wanted_count + 1, sizeof *types);
    for (uint32_t i = 0; types && i < p->wanted_count; i++)
        types[i] = s->source->schema.types[p->wanted[i]];
    int status = types ? rk_batch_init(&batch, types, p->wanted_count) : RASK_ENOMEM;
    if (!status)
        status = rk_csv_scanner_init(&scanner, &s->source->format, &s->source->schema, p->wanted,
                                     p->wanted_count, RK_CSV_NULL);
    if (!status)
        status = rk_pipeline_run_init(&run, p);
    for (size_t i = 0; i < s->source->sample_count && !status; i++)
        status = sample_rows(s, s->source->samples[i], i == 0, &scanner, &run, &batch);
    rk_pipeline_run_fini(&run);
    rk_csv_scanner_fini(&scanner);
    rk_batch_fini(&batch);
    rk_free(types);
    return status;
}

static int compare_ranks(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* -- Choosing */

static int choose(const rk_table_lowering *l, sampling *s, uint32_t ranges, rk_table_sink_plan *plan)
{
    uint64_t *ranks = s->ranks.data;
    uint64_t *splitters = rk_table_memory(l->graph, ranges * sizeof *splitters, NULL, 0);
    if (!splitters)
        return RASK_ENOMEM;
    if (s->ranks.count)
        qsort(ranks, s->ranks.count, sizeof *ranks, compare_ranks);
    for (uint32_t i = 1; i < ranges && s->ranks.count; i++) {
        uint64_t rank = ranks[s->ranks.count * i / ranges];
        if (!plan->splitter_count || splitters[plan->splitter_count - 1] < rank)
            splitters[plan->splitter_count++] = rank;
    }
    plan->splitters = splitters;
    return RASK_OK;
}

int rk_splitters_choose(const rk_table_lowering *l, const rask_table *sorted, rk_table_sink_plan *plan)
{
    sampling s = {.key = &plan->keys[0], .ranks = RK_ARRAY(uint64_t, UINT32_MAX)};
    bool *needed = rk_calloc(sorted->schema.count + 1, sizeof *needed);
    int status = needed ? RASK_OK : RASK_ENOMEM;
    if (!status) {
        needed[s.key->column] = true;
        status = rk_pipeline_init(&s.pipeline, sorted->input, needed);
    }
    if (!status && s.pipeline.source->kind == RK_TABLE_CSV) {
        s.source = s.pipeline.source->as.csv;
        uint32_t ranges = range_count(l, s.source);
        status = ranges > 1 ? sample_all(&s) : RASK_OK;
        if (!status && ranges > 1)
            status = choose(l, &s, ranges, plan);
    }
    rk_pipeline_fini(&s.pipeline);
    rk_array_fini(&s.ranks);
    rk_free(needed);
    if (status)
        rk_graph_fail(l->graph, status, NULL, 0, "no memory for samples");
    return status;
}
