#include "collections/table/splitters.h"

#include "collections/table/csv_source.h"
#include "collections/table/groups/keys.h"
#include "core/base/alloc.h"

#include <math.h>
#include <stdlib.h>

enum {
    MOST_RANGES = 1000,
    RANGES_A_WORKER = 2,
    MOST_ROOM = 64 << 20,
    SMALL = 8 << 20, /* bytes of files that are sorted at once */
    GROWTH = 4,      /* bytes that sorting takes for a byte of a file: twice its rows, and where they are */
    COMPRESSED = 4,  /* bytes of text for a byte of a compressed file */
    PLACES = 256,    /* short samples: rows that stand together may be much alike */
    PLACE = 4 << 10,
    GROUP = 16, /* bytes of a packed group, about: so many, and for each key and aggregate */
    GROUP_KEY = 32,
    GROUP_AGGREGATE = 40,
    GROUP_GROWTH = 3, /* bytes that merging takes for a byte of a packed group */
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

/* Such that the tasks of all workers fit in half of the budget together, and each in little more than a cache; bytes: of
 * all tasks. */
static uint32_t range_count(const rk_table_lowering *l, double bytes)
{
    uint64_t room = l->budget / (2 * (uint64_t)l->workers);
    room = room < MOST_ROOM ? room : MOST_ROOM;
    double count = bytes / (room ? (double)room : 1) + 1;
    return count < MOST_RANGES ? (uint32_t)count : MOST_RANGES;
}

static uint32_t enough_ranges(const rk_table_lowering *l, uint32_t count)
{
    return count < RANGES_A_WORKER * l->workers ? RANGES_A_WORKER * l->workers : count;
}

/* -- Rows of samples */

typedef struct sampling {
    const rk_csv_source *source;
    rk_pipeline pipeline;
    const rk_order *first; /* key */
    rk_array ranks;        /* uint64_t: of all rows, or of different keys */
    uint64_t rows, bytes;

    /* Of groups. */
    const rk_grouping *grouping; /* NULL: rows are sorted */
    rask_column_type types[RK_MAX_KEYS];
    rk_keys keys;
    rk_array seen;  /* uint32_t: the sample that a key was in last */
    uint64_t pairs; /* of a sample and a key in it */
    uint32_t sample;
} sampling;

static int add_rank(sampling *s, const rk_pipeline_run *run, uint32_t row)
{
    uint64_t *rank = rk_array_push(&s->ranks);
    if (rank)
        *rank = rk_rank(run->outputs[s->first->column], row, s->first->descending);
    return rank ? RASK_OK : RASK_ENOMEM;
}

/* Notes keys that were not in this sample before, and ranks of those that were in none. */
static int add_keys(sampling *s, const rk_pipeline_run *run)
{
    const rk_column *columns[RK_MAX_KEYS];
    uint32_t ids[RK_KEYS_ROWS];
    int status = RASK_OK;
    for (uint32_t k = 0; k < s->grouping->key_count; k++)
        columns[k] = run->outputs[s->grouping->keys[k]];
    for (uint32_t at = 0, n; at < run->rows && !status; at += n) {
        n = run->rows - at < RK_KEYS_ROWS ? run->rows - at : RK_KEYS_ROWS;
        status = rk_keys_find(&s->keys, columns, at, n, ids);
        for (uint32_t i = 0; i < n && !status; i++) {
            bool is_new = ids[i] == s->seen.count;
            uint32_t *seen = is_new ? rk_array_push(&s->seen) : (uint32_t *)s->seen.data + ids[i];
            if (!seen)
                return RASK_ENOMEM;
            s->pairs += is_new || *seen != s->sample;
            *seen = s->sample;
            status = is_new ? add_rank(s, run, at + i) : RASK_OK;
        }
    }
    return status;
}

static int add_rows(sampling *s, const rk_pipeline_run *run)
{
    int status = RASK_OK;
    s->rows += run->rows;
    if (s->grouping)
        return add_keys(s, run);
    for (uint32_t i = 0; i < run->rows && !status; i++)
        status = add_rank(s, run, i);
    return status;
}

/* Rows of a sample up to where it is cut, or wrong: that will be told by who reads it all. */
static int sample_rows(sampling *s, rask_bytes text, bool first, rk_csv_scanner *scanner,
                       rk_pipeline_run *run, rk_batch *batch)
{
    rk_csv_error error;
    size_t used = 0, at = 0;
    bool whole;
    int status = first ? rk_csv_skip_head(scanner, text.data, text.len, false, &whole, &at, &error) : RASK_OK;
    s->sample++;
    while (!status) {
        status = rk_csv_scan(scanner, text.data + at, text.len - at, false, batch, &used, &error);
        if (status || !used)
            return status == RASK_ENOMEM ? status : RASK_OK;
        at += used;
        s->bytes += used;
        status = batch->rows ? rk_pipeline_take(run, batch) : RASK_OK;
        if (!status && batch->rows)
            status = add_rows(s, run);
    }
    return status == RASK_ENOMEM ? status : RASK_OK;
}

/* Many short samples, or those that the types were told from. */
static int sample_texts(sampling *s, rk_csv_scanner *scanner, rk_pipeline_run *run, rk_batch *batch)
{
    rask_bytes places[PLACES];
    uint32_t count = rk_csv_source_samples(s->source, PLACES, PLACE, places);
    int status = RASK_OK;
    for (uint32_t i = 0; i < count; i++) {
        if (!status)
            status = sample_rows(s, places[i], false, scanner, run, batch);
        rk_free((void *)places[i].data);
    }
    for (size_t i = 0; i < s->source->sample_count && !status && count < PLACES / 2; i++)
        status = sample_rows(s, s->source->samples[i], i == 0, scanner, run, batch);
    return status;
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
    if (!status)
        status = sample_texts(s, &scanner, &run, &batch);
    rk_pipeline_run_fini(&run);
    rk_csv_scanner_fini(&scanner);
    rk_batch_fini(&batch);
    rk_free(types);
    return status;
}

static void end_sampling(sampling *s)
{
    rk_pipeline_fini(&s->pipeline);
    rk_array_fini(&s->ranks);
    rk_array_fini(&s->seen);
    rk_keys_fini(&s->keys);
}

/* -- Choosing */

static int compare_ranks(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

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

/* A pipeline up to input that makes these columns. */
static int begin_sampling(sampling *s, rask_table *input, const bool *needed)
{
    int status = rk_pipeline_init(&s->pipeline, input, needed);
    if (!status && s->pipeline.source->kind == RK_TABLE_CSV)
        s->source = s->pipeline.source->as.csv;
    return status;
}

static int finish_choosing(const rk_table_lowering *l, sampling *s, bool *needed, int status)
{
    end_sampling(s);
    rk_free(needed);
    if (status)
        rk_graph_fail(l->graph, status, NULL, 0, "no memory for samples");
    return status;
}

int rk_splitters_choose(const rk_table_lowering *l, const rask_table *sorted, rk_table_sink_plan *plan)
{
    sampling s = {.first = &plan->keys[0], .ranks = RK_ARRAY(uint64_t, UINT32_MAX)};
    bool *needed = rk_calloc(sorted->schema.count + 1, sizeof *needed);
    int status = RASK_ENOMEM;
    if (needed) {
        needed[s.first->column] = true;
        status = begin_sampling(&s, sorted->input, needed);
    }
    uint64_t bytes = s.source ? text_bytes(s.source) : 0;
    uint32_t ranges = range_count(l, (double)bytes * GROWTH);
    ranges = bytes < SMALL ? ranges : enough_ranges(l, ranges);
    if (!status && s.source && ranges > 1)
        status = sample_all(&s);
    if (!status && s.source && ranges > 1)
        status = choose(l, &s, ranges, plan);
    return finish_choosing(l, &s, needed, status);
}

/* -- Groups */

/* How many different keys there are when so many draws, each as likely to be any, found so many. */
static double count_different(uint64_t draws, uint64_t different)
{
    double low = (double)different, high = 1e15;
    if (draws == different)
        return high;
    for (int i = 0; i < 100; i++) {
        double middle = sqrt(low * high), found = -middle * expm1(-(double)draws / middle);
        if (found < (double)different)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* A key that is in a sample more than once may be there because like rows stand together: it counts once. */
static double group_bytes(const sampling *s)
{
    if (!s->rows || !s->bytes)
        return 0;
    double each = GROUP + (double)s->grouping->key_count * GROUP_KEY +
                  (double)s->grouping->aggregates.count * GROUP_AGGREGATE;
    double most = (double)text_bytes(s->source) / (double)s->bytes * (double)s->pairs;
    double groups = count_different(s->pairs, s->seen.count);
    return each * (groups < most ? groups : most);
}

static int sample_groups(const rk_table_lowering *l, sampling *s, rask_table *input, bool *needed)
{
    const rk_grouping *g = s->grouping;
    for (uint32_t k = 0; k < g->key_count; k++) {
        needed[g->keys[k]] = true;
        s->types[k] = input->schema.types[g->keys[k]];
    }
    int status = begin_sampling(s, input, needed);
    if (!status && s->source)
        status = rk_keys_init(&s->keys, s->types, g->key_count, l->seed);
    if (!status && s->source)
        status = sample_all(s);
    return status;
}

int rk_splitters_group(const rk_table_lowering *l, rask_table *input, rk_table_sink_plan *plan)
{
    const rk_order first = {.column = plan->grouping->keys[0]};
    sampling s = {.first = &first,
                  .ranks = RK_ARRAY(uint64_t, UINT32_MAX),
                  .grouping = plan->grouping,
                  .seen = RK_ARRAY(uint32_t, UINT32_MAX)};
    bool *needed = rk_calloc(input->schema.count + 1, sizeof *needed);
    int status = needed ? sample_groups(l, &s, input, needed) : RASK_ENOMEM;
    double bytes = status || !s.source ? 0 : group_bytes(&s) * GROUP_GROWTH;
    uint32_t ranges = range_count(l, bytes);
    ranges = bytes < SMALL * GROUP_GROWTH ? ranges : enough_ranges(l, ranges);
    if (!status && ranges > 1)
        status = choose(l, &s, ranges, plan);
    return finish_choosing(l, &s, needed, status);
}
