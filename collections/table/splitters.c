#include "collections/table/splitters.h"

#include "collections/table/csv_source.h"
#include "collections/table/groups/keys.h"
#include "collections/table/join/join.h"
#include "collections/table/memory.h"
#include "collections/table/origin.h"
#include "collections/table/summary/summary.h"
#include "core/base/alloc.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum {
    MOST_RANGES = 1000,
    RANGES_A_WORKER = 2,
    CACHE_ROOM = 16 << 20,
    AMPLE_ROOM = 4 * CACHE_ROOM,
    SMALL = 8 << 20, /* bytes of files that are sorted at once */
    GROWTH = 4,      /* bytes that sorting takes for a byte of a file: twice its rows, and where they are */
    PLACES = 256,    /* short samples: rows that stand together may be much alike */
    PLACE = 4 << 10,
    PLACE_ROWS = 64, /* of memory */
    FIELD = 12,      /* bytes of a field as text and in a chunk, about */
    GROUP = 16,      /* bytes of a packed group, about: so many, and for each key and aggregate */
    GROUP_KEY = 32,
    GROUP_AGGREGATE = 40,
    GROUP_GROWTH = 3, /* bytes that merging takes for a byte of a packed group */
    SORT_GROWTH = 4,  /* bytes that sorting the entries of a summary's column takes for a byte of them */
    MOST_ENTRIES =
        4, /* bytes of entries for a byte of text: what samples say may be more, of rows that are all alike */
};

#define LEAST_ENTRIES 0.125 /* so that no part grows beyond bounds */

/* Such that the tasks of all workers fit in half of the budget together, and each in little more than a cache where that is a small
 * part of it; else the pieces that go to ranges, each of which is a task and a value, would be many and small. bytes: of all
 * tasks. */
static uint32_t range_count(const rk_table_lowering *l, double bytes)
{
    uint64_t room = l->budget / (2 * (uint64_t)l->workers);
    room = room < AMPLE_ROOM ? room : CACHE_ROOM;
    double count = bytes / (room ? (double)room : 1) + 1;
    return count < MOST_RANGES ? (uint32_t)count : MOST_RANGES;
}

static uint32_t enough_ranges(const rk_table_lowering *l, uint32_t count)
{
    return count < RANGES_A_WORKER * l->workers ? RANGES_A_WORKER * l->workers : count;
}

/* -- Rows of samples */

typedef struct sampling {
    const rk_csv_source *source; /* one of these, or neither */
    const rk_memory_source *memory;
    rk_memory_fed loaded; /* what rows of it that are looked at point into */
    rk_pipeline pipeline;
    const rk_order *first; /* key */
    rk_array ranks;        /* uint64_t: of all rows, or of different keys */
    uint64_t rows, bytes;

    /* Of groups. */
    const uint32_t *keyed; /* columns; NULL: rows are sorted */
    uint32_t key_count;
    rask_column_type types[RK_MAX_KEYS];
    rk_keys keys;
    rk_array seen;  /* uint32_t: the sample that a key was in last */
    uint64_t pairs; /* of a sample and a key in it */
    uint32_t sample;
    bool sliced; /* samples are long: each counts as many */

    /* Of a summary. */
    const struct rk_summary *summary; /* NULL: there is none */
    const rask_column_type *types_of; /* its input's */
    uint64_t seed;
    rk_array *each; /* uint64_t: ranks of its columns, of text hashes */
} sampling;

/* Whether there is something to take samples of: files, or memory. */
static bool has_source(const sampling *s)
{
    return s->source || s->memory;
}

static uint64_t source_bytes(const sampling *s)
{
    return s->source ? rk_csv_source_bytes(s->source) : s->memory ? s->memory->bytes : 0;
}

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
    for (uint32_t k = 0; k < s->key_count; k++)
        columns[k] = run->outputs[s->keyed[k]];
    for (uint32_t at = 0, n; at < run->rows && !status; at += n) {
        n = run->rows - at < RK_KEYS_ROWS ? run->rows - at : RK_KEYS_ROWS;
        status = rk_keys_find(&s->keys, columns, at, n, ids);
        s->sample += s->sliced;
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

/* Ranks of the values of each column. */
static int add_each(sampling *s, const rk_pipeline_run *run)
{
    for (uint32_t i = 0; i < s->summary->count; i++) {
        const rk_column *column = run->outputs[s->summary->columns[i]];
        for (uint32_t row = 0; row < run->rows; row++) {
            if (!rk_column_has(column, row))
                continue;
            uint64_t *rank = rk_array_push(&s->each[i]);
            if (!rank)
                return RASK_ENOMEM;
            *rank = rk_spread_rank(column, row, s->seed).rank;
        }
    }
    return RASK_OK;
}

static int add_rows(sampling *s, const rk_pipeline_run *run)
{
    int status = RASK_OK;
    s->rows += run->rows;
    if (s->keyed)
        return add_keys(s, run);
    if (s->summary)
        return add_each(s, run);
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
    s->sliced = true;
    for (size_t i = 0; i < s->source->sample_count && !status && count < PLACES / 2; i++)
        status = sample_rows(s, s->source->samples[i], i == 0, scanner, run, batch);
    return status;
}

static int sample_csv(sampling *s, rk_pipeline_run *run, rk_batch *batch)
{
    const rk_pipeline *p = &s->pipeline;
    rk_csv_scanner scanner = {0};
    int status = rk_csv_scanner_init(&scanner, &s->source->format, &s->source->schema, p->wanted,
                                     p->wanted_count, RK_CSV_NULL);
    if (!status)
        status = sample_texts(s, &scanner, run, batch);
    rk_csv_scanner_fini(&scanner);
    return status;
}

/* The columns that are wanted, of a few rows; what is wrong with one will be told by who reads it all. */
static int read_slice(sampling *s, const rk_memory_slice *slice, rk_batch *batch)
{
    const rk_pipeline *p = &s->pipeline;
    const rk_memory_source *loader = s->memory->loader ? s->memory : NULL;
    rk_memory_fed fed = {0};
    rk_memory_error error;
    int status = loader ? rk_memory_fed_init(&fed, loader, slice->rows) : RASK_OK;
    for (uint32_t i = 0; i < p->wanted_count && !status; i++) {
        if (loader)
            status = rk_memory_fed_load(&fed, loader, slice, p->wanted[i], &error);
        if (!status)
            status = rk_memory_read_rows(loader ? &fed.source : s->memory, loader ? 0 : slice->part,
                                         p->wanted[i], loader ? 0 : slice->first, (uint32_t)slice->rows,
                                         &batch->columns[i], &error);
    }
    if (!status && fed.own)
        s->loaded = fed;
    else
        rk_memory_fed_fini(&fed);
    return status;
}

static int sample_slice(sampling *s, const rk_memory_slice *slice, rk_pipeline_run *run, rk_batch *batch)
{
    rk_memory_slice some = {slice->part, slice->first, slice->rows < PLACE_ROWS ? slice->rows : PLACE_ROWS};
    int status = read_slice(s, &some, batch);
    batch->rows = (uint32_t)some.rows;
    if (!status && batch->rows) {
        s->sample++;
        s->bytes += batch->rows * (s->memory->bytes / s->memory->rows + 1);
        status = rk_pipeline_take(run, batch);
        status = status ? status : add_rows(s, run);
    }
    rk_memory_fed_fini(&s->loaded);
    s->loaded = (rk_memory_fed){0};
    return status == RASK_ENOMEM ? status : RASK_OK;
}

static int sample_memory(sampling *s, rk_pipeline_run *run, rk_batch *batch)
{
    uint32_t count;
    int status = RASK_OK;
    rk_memory_slice *slices = rk_memory_cut(s->memory, s->memory->bytes / PLACES, &count);
    if (!slices)
        return RASK_ENOMEM;
    for (uint32_t i = 0, step = count / PLACES + 1; i < count && !status; i += step)
        status = sample_slice(s, &slices[i], run, batch);
    rk_free(slices);
    return status;
}

static int sample_all(sampling *s)
{
    const rk_pipeline *p = &s->pipeline;
    rk_pipeline_run run = {0};
    rk_batch batch = {0};
    rask_column_type *types = rk_alloc_array(p->wanted_count + 1, sizeof *types);
    for (uint32_t i = 0; types && i < p->wanted_count; i++)
        types[i] = p->source->schema.types[p->wanted[i]];
    int status = types ? rk_batch_init(&batch, types, p->wanted_count) : RASK_ENOMEM;
    if (!status)
        status = rk_pipeline_run_init(&run, p, NULL);
    if (!status)
        status = s->source ? sample_csv(s, &run, &batch) : sample_memory(s, &run, &batch);
    rk_pipeline_run_fini(&run);
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
static int begin_sampling(const rk_table_lowering *l, sampling *s, rask_table *input, const bool *needed)
{
    int status = rk_pipeline_init(&s->pipeline, input, needed, rk_join_room(l));
    if (!status && s->pipeline.source->kind == RK_TABLE_CSV && !s->pipeline.join_count)
        s->source = s->pipeline.source->as.csv;
    if (!status && s->pipeline.source->kind == RK_TABLE_ROWS && !s->pipeline.join_count &&
        !s->pipeline.source->as.memory->feed)
        s->memory = s->pipeline.source->as.memory;
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

/* Of text that becomes rows. */
static double rows_bytes(const sampling *s, const rask_table *input)
{
    uint64_t bytes = has_source(s) ? source_bytes(s) : input->bytes;
    return bytes == RK_BYTES_UNKNOWN ? (double)RK_BYTES_GUESS : (double)bytes;
}

int rk_splitters_choose(const rk_table_lowering *l, const rask_table *sorted, rk_table_sink_plan *plan,
                        uint32_t *wanted)
{
    sampling s = {.first = &plan->keys[0], .ranks = RK_ARRAY(uint64_t, UINT32_MAX)};
    bool *needed = rk_calloc(sorted->schema.count + 1, sizeof *needed);
    int status = RASK_ENOMEM;
    if (needed) {
        needed[s.first->column] = true;
        status = begin_sampling(l, &s, sorted->input, needed);
    }
    double bytes = rows_bytes(&s, sorted->input);
    uint32_t ranges = range_count(l, bytes * GROWTH);
    *wanted = ranges = bytes < SMALL ? ranges : enough_ranges(l, ranges);
    if (!status && has_source(&s) && ranges > 1)
        status = sample_all(&s);
    if (!status && has_source(&s) && ranges > 1)
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
static double different_keys(const sampling *s)
{
    if (!s->rows || !s->bytes)
        return 0;
    double most = (double)source_bytes(s) / (double)s->bytes * (double)s->pairs;
    double keys = count_different(s->pairs, s->seen.count);
    return keys < most ? keys : most;
}

/* Without a source nothing was sampled. */
static int sample_keys(const rk_table_lowering *l, sampling *s, rask_table *input, bool *needed)
{
    for (uint32_t k = 0; k < s->key_count; k++) {
        needed[s->keyed[k]] = true;
        s->types[k] = input->schema.types[s->keyed[k]];
    }
    int status = begin_sampling(l, s, input, needed);
    if (!status && has_source(s))
        status = rk_keys_init(&s->keys, s->types, s->key_count, l->seed);
    if (!status && has_source(s))
        status = sample_all(s);
    return status;
}

static sampling sampling_of(const rk_order *first, const uint32_t *keys, uint32_t key_count)
{
    return (sampling){.first = first,
                      .ranks = RK_ARRAY(uint64_t, UINT32_MAX),
                      .keyed = keys,
                      .key_count = key_count,
                      .seen = RK_ARRAY(uint32_t, UINT32_MAX)};
}

/* Different keys in a table over files. */
static int sample_origin(const rk_table_lowering *l, const rask_table *table, const uint32_t *keys,
                         uint32_t key_count, double *different)
{
    const rk_order first = {.column = keys[0]};
    sampling s = sampling_of(&first, keys, key_count);
    bool *needed = rk_calloc(table->schema.count + (size_t)1, sizeof *needed);
    int status = needed ? sample_keys(l, &s, (rask_table *)table, needed) : RASK_ENOMEM;
    *different *= status || !s.rows ? 1e15 : different_keys(&s);
    end_sampling(&s);
    rk_free(needed);
    return status;
}

/* Where keys come from several tables, each combination of what these have may be there. */
static int combine_origins(const rk_table_lowering *l, const rask_table *input, const uint32_t *keys,
                           uint32_t key_count, double *different)
{
    const rask_table *tables[RK_MAX_KEYS];
    uint32_t columns[RK_MAX_KEYS], of_one[RK_MAX_KEYS];
    int status = RASK_OK;
    for (uint32_t k = 0; k < key_count; k++) {
        tables[k] = input;
        columns[k] = keys[k];
        if (!rk_table_origin(&tables[k], &columns[k])) {
            *different = 1e15;
            return RASK_OK;
        }
    }
    for (uint32_t k = 0; k < key_count && !status; k++) {
        const rask_table *table = tables[k];
        uint32_t count = 0;
        for (uint32_t i = k; table && i < key_count; i++)
            if (tables[i] == table) {
                of_one[count++] = columns[i];
                tables[i] = NULL;
            }
        status = count ? sample_origin(l, table, of_one, count, different) : RASK_OK;
    }
    return status;
}

/* Different keys of what was sampled, or else from where they come; never more than there may be rows. */
static int count_keys(const rk_table_lowering *l, const sampling *s, const rask_table *input,
                      double *different)
{
    double most = rows_bytes(s, input) / ((double)FIELD * input->schema.count);
    if (s->rows) {
        *different = different_keys(s);
        return RASK_OK;
    }
    *different = 1;
    int status = has_source(s) ? RASK_OK : combine_origins(l, input, s->keyed, s->key_count, different);
    *different = *different < most ? *different : most;
    return status;
}

int rk_splitters_group(const rk_table_lowering *l, rask_table *input, rk_table_sink_plan *plan,
                       uint32_t *wanted)
{
    const rk_grouping *g = plan->grouping;
    const rk_order first = {.column = g->keys[0]};
    sampling s = sampling_of(&first, g->keys, g->key_count);
    double different = 0,
           each = GROUP + (double)g->key_count * GROUP_KEY + (double)g->aggregates.count * GROUP_AGGREGATE;
    bool *needed = rk_calloc(input->schema.count + (size_t)1, sizeof *needed);
    int status = needed ? sample_keys(l, &s, input, needed) : RASK_ENOMEM;
    if (!status)
        status = count_keys(l, &s, input, &different);
    *wanted = rk_splitters_parts(l, different * each);
    if (!status && *wanted > 1 && has_source(&s))
        status = choose(l, &s, *wanted, plan);
    return finish_choosing(l, &s, needed, status);
}

int rk_splitters_different(const rk_table_lowering *l, rask_table *input, const uint32_t *keys,
                           uint32_t key_count, double *different, double *row_bytes, double *row_text)
{
    const rk_order first = {.column = keys[0]};
    sampling s = sampling_of(&first, keys, key_count);
    bool *needed = rk_calloc(input->schema.count + (size_t)1, sizeof *needed);
    int status = needed ? sample_keys(l, &s, input, needed) : RASK_ENOMEM;
    *row_bytes = (double)FIELD * input->schema.count;
    *row_text = s.rows ? (double)s.bytes / (double)s.rows : 0;
    *different = 0;
    if (!status)
        status = count_keys(l, &s, input, different);
    return finish_choosing(l, &s, needed, status);
}

uint32_t rk_splitters_parts(const rk_table_lowering *l, double bytes)
{
    uint32_t parts = range_count(l, bytes * GROUP_GROWTH);
    return bytes < SMALL ? parts : enough_ranges(l, parts);
}

/* -- Summaries */

/* What a summary will keep, as far as samples tell: bytes for a byte of text, and how much more sorting one range of one column
 * takes than all columns of a range are. */
typedef struct estimate {
    double kept, growth;
} estimate;

static size_t count_different_ranks(const rk_array *ranks)
{
    const uint64_t *sorted = ranks->data;
    size_t different = 0;
    for (size_t i = 0; i < ranks->count; i++)
        different += !i || sorted[i] != sorted[i - 1];
    return different;
}

/* ranks are sorted. Values that come again and again are counted, and do not go to ranges one by one. */
static estimate estimate_entries(const sampling *s)
{
    double all = 0, most = 0;
    for (uint32_t i = 0; i < s->summary->count; i++) {
        double bytes = (double)s->each[i].count * sizeof(uint64_t) *
                       (s->types_of[s->summary->columns[i]] == RASK_COL_TEXT ? 2 : 1);
        size_t different = count_different_ranks(&s->each[i]);
        if (different < s->each[i].count / 2)
            bytes *= (double)different / (double)s->each[i].count;
        all += bytes;
        most = bytes > most ? bytes : most;
    }
    double kept = s->bytes ? all / (double)s->bytes : 1;
    kept = kept < LEAST_ENTRIES ? LEAST_ENTRIES : kept;
    return (estimate){kept < MOST_ENTRIES ? kept : MOST_ENTRIES,
                      all > 0 ? 1 + SORT_GROWTH * most / all : 1 + SORT_GROWTH};
}

/* count - 1 ascending ones; ranks are sorted. */
static void split_column(const rk_array *ranks, uint32_t count, uint64_t *splitters)
{
    const uint64_t *sorted = ranks->data;
    for (uint32_t i = 1; i < count; i++)
        splitters[i - 1] = ranks->count ? sorted[ranks->count * i / count] : UINT64_MAX / count * i;
}

static uint32_t summary_ranges(const rk_table_lowering *l, const sampling *s, estimate e)
{
    uint64_t bytes = source_bytes(s);
    uint32_t ranges = range_count(l, (double)bytes * e.kept * e.growth);
    if (bytes < SMALL && ranges < 2)
        return 1;
    ranges = has_source(s) ? enough_ranges(l, ranges) : 1;
    assert(s->summary->count);
    uint32_t most = RK_MAX_SPREAD / s->summary->count;
    return ranges < most ? ranges : most ? most : 1;
}

/* Splitters of all columns, once samples are there. */
static int split_columns(const rk_table_lowering *l, sampling *s, rk_table_sink_plan *plan)
{
    uint32_t count = s->summary->count;
    for (uint32_t i = 0; i < count; i++)
        if (s->each[i].count)
            qsort(s->each[i].data, s->each[i].count, sizeof(uint64_t), compare_ranks);
    estimate e = estimate_entries(s);
    uint32_t ranges = summary_ranges(l, s, e);
    plan->kept = e.kept;
    plan->growth = e.growth - 1;
    uint64_t *splitters = rk_table_memory(l->graph, (size_t)count * ranges * sizeof *splitters, NULL, 0);
    if (!splitters)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        split_column(&s->each[i], ranges, splitters + (size_t)i * (ranges - 1));
    plan->splitters = splitters;
    plan->splitter_count = ranges - 1;
    return RASK_OK;
}

int rk_splitters_summary(const rk_table_lowering *l, rask_table *input, rk_table_sink_plan *plan)
{
    uint32_t count = plan->summary->count;
    sampling s = {.summary = plan->summary, .types_of = input->schema.types, .seed = plan->seed};
    bool *needed = rk_calloc(input->schema.count + 1, sizeof *needed);
    s.each = rk_calloc(count + 1, sizeof *s.each);
    int status = needed && s.each ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; i < count && !status; i++) {
        needed[plan->summary->columns[i]] = true;
        s.each[i] = (rk_array)RK_ARRAY(uint64_t, UINT32_MAX);
    }
    if (!status)
        status = begin_sampling(l, &s, input, needed);
    if (!status && has_source(&s))
        status = sample_all(&s);
    if (!status)
        status = split_columns(l, &s, plan);
    for (uint32_t i = 0; s.each && i < count; i++)
        rk_array_fini(&s.each[i]);
    rk_free(s.each);
    return finish_choosing(l, &s, needed, status);
}
