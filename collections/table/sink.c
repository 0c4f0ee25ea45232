#include "collections/table/sink.h"

#include "collections/table/csv/guess.h"
#include "collections/table/distinct/distinct.h"
#include "collections/table/divide.h"
#include "collections/table/groups/groups.h"
#include "collections/table/order.h"
#include "collections/table/summary/summary.h"
#include "collections/table/top.h"
#include "core/base/alloc.h"

#include <assert.h>
#include <string.h>

enum { SLACK = 65536 }; /* rows beyond those to keep, before they are left out */

static bool has_parts(const rk_table_sink_plan *plan)
{
    return plan->kind == RK_SINK_PARTS || plan->kind == RK_SINK_DISTINCT;
}

static bool has_chunks(const rk_table_sink_plan *plan)
{
    return plan->kind == RK_SINK_CHUNK || plan->kind == RK_SINK_RANGES || has_parts(plan);
}

uint32_t rk_table_sink_values(const rk_table_sink_plan *plan)
{
    if (plan->parts)
        return plan->parts;
    bool summary = plan->kind == RK_SINK_SUMMARY;
    return plan->splitter_count + 1 + summary + (summary && plan->grouping);
}

uint64_t rk_table_sink_bytes(const rk_table_sink_plan *plan)
{
    const rk_grouping *g = plan->grouping;
    bool keeps = false;
    for (uint32_t i = 0; g && i < g->aggregates.argument_count; i++)
        keeps |= g->arguments[i] && rk_expr_keeps(g->arguments[i]);
    return (plan->kind == RK_SINK_SUMMARY ? rk_spread_bytes(plan) : 0) + (keeps ? plan->memo_room : 0);
}

void rk_table_sink_needs(const rk_table_sink_plan *plan, bool *needed)
{
    const rk_grouping *g = plan->grouping;
    bool all = plan->kind != RK_SINK_GROUPS && plan->kind != RK_SINK_SUMMARY;
    memset(needed, all, plan->schema->count);
    for (uint32_t i = 0; plan->summary && i < plan->summary->count; i++)
        needed[plan->summary->columns[i]] = true;
    if (!g)
        return;
    for (uint32_t i = 0; i < g->key_count; i++)
        needed[g->keys[i]] = true;
    for (uint32_t i = 0; i < g->aggregates.argument_count; i++) {
        uint32_t column = g->aggregates.arguments[i].column;
        if (column != RK_NO_COLUMN)
            needed[column] = true;
        for (uint32_t k = 0; column == RK_NO_COLUMN && k < plan->schema->count; k++)
            needed[k] |= rk_expr_uses(g->arguments[i], k);
    }
}

/* Of 0.0 and -0.0, which are equal, the first one is the least, and the greatest. */
bool rk_table_sink_is_ordered(const rk_table_sink_plan *plan)
{
    bool ordered = plan->kind != RK_SINK_GROUPS;
    for (uint32_t i = 0; !ordered && i < plan->grouping->aggregates.count; i++) {
        const rk_aggregate *a = &plan->grouping->aggregates.items[i];
        bool extreme = a->function == RK_AGGREGATE_MIN || a->function == RK_AGGREGATE_MAX;
        ordered = a->function == RK_AGGREGATE_FIRST || a->function == RK_AGGREGATE_LAST ||
                  (extreme && a->type == RASK_COL_F64);
    }
    return ordered;
}

/* -- Beginning and ending */

rk_groups *rk_table_sink_new_groups(const rk_table_sink_plan *plan, int *status)
{
    const rk_grouping *g = plan->grouping;
    rk_groups *groups = NULL;
    rask_column_type *types = rk_alloc_array(g->key_count + 1, sizeof *types);
    for (uint32_t i = 0; types && i < g->key_count; i++)
        types[i] = plan->schema->types[g->keys[i]];
    *status = types ? rk_groups_new(types, g->key_count, &g->aggregates, plan->seed, &groups) : RASK_ENOMEM;
    rk_free(types);
    return groups;
}

static int init_groups(rk_table_sink *s)
{
    const rk_grouping *g = s->plan->grouping;
    uint32_t count = g->aggregates.argument_count;
    int status;
    s->groups = rk_table_sink_new_groups(s->plan, &status);
    s->keys = rk_calloc(g->key_count + 1, sizeof *s->keys);
    s->arguments = rk_calloc(count + 1, sizeof *s->arguments);
    s->runs = rk_calloc(count + 1, sizeof *s->runs);
    if (!status && (!s->keys || !s->arguments || !s->runs))
        status = RASK_ENOMEM;
    for (uint32_t i = 0; i < count && !status; i++)
        if (g->arguments[i])
            status = rk_expr_run_new(g->arguments[i], s->room ? &s->room : NULL, &s->runs[i]);
    return status;
}

static int init_parts(rk_table_sink *s)
{
    const rk_table_sink_plan *plan = s->plan;
    s->hashes = rk_alloc_array(RK_BATCH_ROWS, sizeof *s->hashes);
    s->columns = rk_calloc(plan->schema->count + plan->by.count + (size_t)1, sizeof *s->columns);
    s->chosen = rk_alloc_array(RK_BATCH_ROWS, sizeof *s->chosen);
    int status =
        s->hashes && s->columns && s->chosen ? rk_column_init(&s->position, RASK_COL_I64) : RASK_ENOMEM;
    if (status)
        return status;
    return plan->kind == RK_SINK_PARTS
               ? rk_join_finder_init(&s->finder, &plan->by)
               : rk_keys_init(&s->seen, plan->by.types, plan->by.count, plan->by.seed);
}

/* The column whose equal values go to one part; UINT32_MAX: there is none, or no text comes twice. */
static uint32_t divided_by(const rk_table_sink_plan *plan)
{
    if (plan->kind == RK_SINK_RANGES)
        return plan->keys[0].column;
    return plan->kind == RK_SINK_PARTS && plan->by.count == 1 ? plan->hashed[0] : UINT32_MAX;
}

static int init_chunks(rk_table_sink *s)
{
    const rk_table_sink_plan *plan = s->plan;
    uint32_t columns = plan->schema->count;
    rask_column_type *types = rk_alloc_array(columns + (size_t)1, sizeof *types);
    int status = types ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; types && i <= columns; i++)
        types[i] = i < columns ? plan->schema->types[i] : RASK_COL_I64;
    if (!status && has_parts(plan))
        status = init_parts(s);
    if (!status)
        status = rk_chunk_builder_init(&s->builder, types, columns + plan->positions);
    if (!status && rk_table_sink_values(plan) > 1)
        rk_chunk_builder_divided(&s->builder, divided_by(plan));
    rk_free(types);
    return status;
}

static int init_top(rk_table_sink *s)
{
    const rk_table_sink_plan *plan = s->plan;
    s->views = rk_calloc(plan->schema->count + 1, sizeof *s->views);
    return s->views ? rk_top_new(plan->schema->types, plan->schema->count, plan->keys, plan->key_count,
                                 plan->limit, &s->top)
                    : RASK_ENOMEM;
}

static int init_summary(rk_table_sink *s)
{
    int status = rk_spread_new(s->plan, &s->spread);
    return !status && s->plan->grouping ? init_groups(s) : status;
}

static int init_types(rk_table_sink *s)
{
    uint32_t count = s->plan->schema->count;
    s->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    s->guesses = rk_calloc(count + 1, sizeof *s->guesses);
    for (uint32_t i = 0; s->guesses && i < count; i++)
        s->guesses[i].types = RK_CSV_ANY_TYPE;
    return s->guesses && s->locale ? RASK_OK : RASK_ENOMEM;
}

int rk_table_sink_init(rk_table_sink *s, const rk_table_sink_plan *plan)
{
    int status = RASK_OK;
    *s = (rk_table_sink){.plan = plan,
                         .room = plan->memo_room,
                         .text = {.element = 1, .ceiling = SIZE_MAX},
                         .part = RK_ARRAY(uint32_t, SIZE_MAX)};
    if (has_chunks(plan))
        status = init_chunks(s);
    else if (plan->kind == RK_SINK_GROUPS)
        status = init_groups(s);
    else if (plan->kind == RK_SINK_TOP)
        status = init_top(s);
    else if (plan->kind == RK_SINK_SUMMARY)
        status = init_summary(s);
    else if (plan->kind == RK_SINK_TYPES)
        status = init_types(s);
    if (status)
        rk_table_sink_fini(s);
    return status;
}

void rk_table_sink_fini(rk_table_sink *s)
{
    rk_chunk_builder_fini(&s->builder);
    for (uint32_t i = 0; s->runs && i < s->plan->grouping->aggregates.argument_count; i++)
        rk_expr_run_free(s->runs[i]);
    rk_array_fini(&s->part);
    rk_free(s->chosen);
    rk_free(s->hashes);
    rk_free(s->columns);
    rk_column_fini(&s->position);
    rk_join_finder_fini(&s->finder);
    rk_keys_fini(&s->seen);
    rk_array_fini(&s->text);
    rk_groups_free(s->groups);
    rk_top_free(s->top);
    rk_spread_free(s->spread);
    rk_free(s->guesses);
    if (s->locale)
        freelocale(s->locale);
    rk_free(s->views);
    rk_free(s->runs);
    rk_free(s->keys);
    rk_free(s->arguments);
    *s = (rk_table_sink){0};
}

/* -- Rows */

static int add_groups(rk_table_sink *s, const rk_pipeline_run *run, uint64_t position)
{
    const rk_grouping *g = s->plan->grouping;
    int status = RASK_OK;
    for (uint32_t i = 0; i < g->key_count; i++)
        s->keys[i] = run->outputs[g->keys[i]];
    for (uint32_t i = 0; i < g->aggregates.argument_count && !status; i++) {
        if (g->arguments[i])
            status = rk_expr_evaluate(g->arguments[i], s->runs[i], run->outputs, run->rows, &s->arguments[i]);
        else
            s->arguments[i] = run->outputs[g->aggregates.arguments[i].column];
    }
    return status ? status : rk_groups_add(s->groups, s->keys, s->arguments, run->rows, position);
}

/* Room for the parts of so many rows more; NULL: no memory. */
static uint32_t *more_parts(rk_table_sink *s, uint32_t rows)
{
    if (rk_array_reserve(&s->part, rows))
        return NULL;
    s->part.count += rows;
    return (uint32_t *)s->part.data + s->part.count - rows;
}

/* The range of each row. */
static int find_ranges(rk_table_sink *s, const rk_column *column, uint32_t rows)
{
    const rk_table_sink_plan *plan = s->plan;
    bool descending = plan->keys[0].descending, plain = column->type == RASK_COL_F64 && !column->nulls;
    uint32_t *range = more_parts(s, rows);
    if (!range)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < rows; i++)
        range[i] =
            rk_range_of(plan->splitters, plan->splitter_count,
                        plain ? rk_rank_f64(column->f64[i], descending) : rk_rank(column, i, descending));
    return RASK_OK;
}

static int add_ranges(rk_table_sink *s, const rk_pipeline_run *run)
{
    const rk_table_sink_plan *plan = s->plan;
    int status =
        plan->splitter_count ? find_ranges(s, run->outputs[plan->keys[0].column], run->rows) : RASK_OK;
    return status ? status : rk_chunk_builder_add_rows(&s->builder, run->outputs, NULL, run->rows);
}

/* Which rows go on: the first ones of their keys, or all, which is NULL. Sets their hashes. */
static int choose_rows(rk_table_sink *s, const rk_pipeline_run *run, const uint32_t **chosen, uint32_t *count)
{
    const rk_table_sink_plan *plan = s->plan;
    for (uint32_t k = 0; k < plan->by.count; k++)
        s->columns[k] = run->outputs[plan->hashed[k]];
    *chosen = plan->kind == RK_SINK_DISTINCT ? s->chosen : NULL;
    *count = run->rows;
    return *chosen ? rk_distinct_see(&s->seen, s->columns, run->rows, s->chosen, s->hashes, count)
                   : rk_join_hash(&s->finder, s->columns, run->rows, s->hashes);
}

/* The part of each row, by the upper bits of its hash, which no table uses for slots. */
static int find_parts(rk_table_sink *s, uint32_t count)
{
    uint32_t *part = more_parts(s, count);
    if (!part)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        part[i] = (uint32_t)((s->hashes[i] >> 32) * s->plan->parts >> 32);
    return RASK_OK;
}

static int add_parts(rk_table_sink *s, const rk_pipeline_run *run, uint64_t position)
{
    const rk_table_sink_plan *plan = s->plan;
    uint32_t columns = plan->schema->count, count;
    const uint32_t *chosen;
    int status = choose_rows(s, run, &chosen, &count);
    if (!status && plan->parts > 1)
        status = find_parts(s, count);
    if (status)
        return status;
    for (uint32_t i = 0; i < run->rows && plan->positions; i++)
        s->position.i64[i] = (int64_t)(position + i);
    for (uint32_t i = 0; i <= columns; i++)
        s->columns[i] = i < columns ? run->outputs[i] : &s->position;
    return rk_chunk_builder_add_rows(&s->builder, s->columns, chosen, count);
}

static int add_top(rk_table_sink *s, const rk_pipeline_run *run, uint64_t position)
{
    uint32_t count = s->plan->schema->count;
    for (uint32_t i = 0; i < count; i++)
        s->views[i] = *run->outputs[i];
    return rk_top_add(s->top, &(rk_batch){.rows = run->rows, .count = count, .columns = s->views}, position,
                      s->wrong);
}

static int add_summary(rk_table_sink *s, const rk_pipeline_run *run, uint64_t position)
{
    int status = rk_spread_add(s->spread, run->outputs, run->rows);
    return !status && s->plan->grouping ? add_groups(s, run, position) : status;
}

/* A field that is not where it was read has had quotes in it. */
static void add_types(rk_table_sink *s, const rk_pipeline_run *run)
{
    char quote = s->plan->quote;
    for (uint32_t i = 0; i < s->plan->schema->count; i++) {
        rk_csv_guess *guess = &s->guesses[i];
        const rk_column *column = run->outputs[i];
        for (uint32_t row = 0; row < run->rows && guess->types; row++) {
            rask_bytes text = column->text[row];
            if (!rk_column_has(column, row))
                continue;
            if (quote && memchr(text.data, quote, text.len))
                *guess = (rk_csv_guess){.seen = true, .some = true};
            else
                rk_csv_guess_value(guess, (rk_csv_field){text.data, text.len, false}, s->locale);
        }
    }
}

/* Rows of these that are wanted yet. */
static uint32_t wanted_rows(const rk_table_sink *s, uint32_t rows)
{
    uint64_t left = s->plan->limit - s->rows;
    return left < rows ? (uint32_t)left : rows;
}

/* Printed, and given away when it is much. */
static int add_text(rk_table_sink *s, const rk_pipeline_run *run, uint32_t rows)
{
    enum { MUCH = 1 << 20 };
    const rk_table_sink_plan *plan = s->plan;
    int status = rk_print_rows(&s->text, plan->format, plan->schema->names, run->outputs, plan->schema->count,
                               rows, plan->delimiter);
    if (status || !plan->flush || s->text.count < MUCH)
        return status;
    status = plan->flush(plan->writer, s->text.data, s->text.count);
    s->text.count = 0;
    return status;
}

static int keep_last(rk_table_sink *s)
{
    rask_value all;
    rask_bytes bytes;
    rk_chunk chunk;
    uint64_t last = s->plan->last;
    if (s->builder.rows <= last)
        return RASK_OK;
    int status = rk_chunk_builder_pack(&s->builder, &all);
    if (status)
        return status;
    status = rk_table_sink_bytes_of(&all, &bytes);
    if (!status) {
        rk_chunk_open(&chunk, bytes);
        rk_chunk_builder_clear(&s->builder);
        status = rk_chunk_builder_add_chunk(&s->builder, &chunk, chunk.rows - last, last);
    }
    rask_value_unref(&all);
    return status;
}

int rk_table_sink_add(rk_table_sink *s, const rk_pipeline_run *run, uint64_t position)
{
    const rk_table_sink_plan *plan = s->plan;
    uint32_t rows = run->rows;
    int status = RASK_OK;
    if (!rows)
        return RASK_OK;
    switch (plan->kind) {
    case RK_SINK_GROUPS: status = add_groups(s, run, position); break;
    case RK_SINK_RANGES: status = add_ranges(s, run); break;
    case RK_SINK_PARTS:
    case RK_SINK_DISTINCT: status = add_parts(s, run, position); break;
    case RK_SINK_TOP: status = add_top(s, run, position); break;
    case RK_SINK_SUMMARY: status = add_summary(s, run, position); break;
    case RK_SINK_TYPES: add_types(s, run); break;
    case RK_SINK_CHUNK:
        rows = wanted_rows(s, rows);
        status = rk_chunk_builder_add_rows(&s->builder, run->outputs, NULL, rows);
        if (!status && plan->last && s->builder.rows / 2 >= plan->last + SLACK)
            status = keep_last(s);
        break;
    case RK_SINK_TEXT:
        rows = wanted_rows(s, rows);
        status = add_text(s, run, rows);
        break;
    }
    s->rows += status ? 0 : rows;
    return status;
}

int rk_table_sink_pass(rk_table_sink *s, rk_pipeline_run *run, uint64_t part)
{
    for (;;) {
        if (s->passed + run->rows > UINT32_MAX)
            return RASK_ELIMIT;
        int status = rk_table_sink_add(s, run, part << 32 | s->passed);
        s->passed += run->rows;
        if (status || !rk_pipeline_more(run) || rk_table_sink_is_full(s))
            return status;
        status = rk_pipeline_next(run);
        if (status)
            return status;
    }
}

uint32_t rk_table_sink_first(const rk_table_sink_plan *plan)
{
    return plan->kind == RK_SINK_TOP ? plan->keys[0].column : UINT32_MAX;
}

uint32_t rk_table_sink_choose(const rk_table_sink *s, const rk_pipeline_run *run, uint32_t *chosen)
{
    assert(s->plan->kind == RK_SINK_TOP);
    return rk_top_candidates(s->top, run->outputs[rk_table_sink_first(s->plan)], run->rows, chosen);
}

bool rk_table_sink_is_full(const rk_table_sink *s)
{
    return (s->plan->kind == RK_SINK_CHUNK || s->plan->kind == RK_SINK_TEXT) && s->rows >= s->plan->limit;
}

void rk_table_sink_expect(rk_table_sink *s, double part)
{
    if (part <= 0 || part >= 1)
        return;
    rk_chunk_expect(&s->text, part);
    rk_chunk_expect(&s->part, part);
    rk_chunk_builder_expect(&s->builder, part);
}

/* The memory of the text goes with the value. */
static int end_text(rk_table_sink *s, rask_value *value)
{
    rask_block block = {.data = s->text.data,
                        .dtype = RASK_DT_U8,
                        .ndim = 1,
                        .shape = {(int64_t)s->text.count},
                        .strides = {1},
                        .release = rk_free,
                        .owner = s->text.data};
    int status = rask_value_block_adopt(&block, s->text.count, value);
    if (!status)
        s->text = (rk_array){.element = 1, .ceiling = SIZE_MAX};
    return status;
}

bool rk_table_sink_never_again(int status, uint32_t attempt)
{
    (void)status;
    (void)attempt;
    return false;
}

int rk_table_sink_bytes_of(const rask_value *value, rask_bytes *out)
{
    rask_block block;
    if (rask_value_get_block(value, &block))
        return rask_value_get_bytes(value, out);
    if (block.dtype != RASK_DT_U8 || block.ndim != 1)
        return RASK_ETYPE;
    *out = (rask_bytes){block.data, (size_t)block.shape[0]};
    return RASK_OK;
}

static int end_summary(rk_table_sink *s, rask_value *values)
{
    uint32_t spread = s->plan->splitter_count + 2;
    int status = rk_spread_end(s->spread, values);
    if (status || !s->plan->grouping)
        return status;
    status = rk_groups_pack(s->groups, &values[spread]);
    for (uint32_t i = 0; status && i < spread; i++)
        rask_value_unref(&values[i]);
    return status;
}

int rk_table_sink_end(rk_table_sink *s, rask_value *values)
{
    uint32_t count = rk_table_sink_values(s->plan);
    switch (s->plan->kind) {
    case RK_SINK_GROUPS:
        if (s->plan->parts)
            return rk_groups_split(s->groups, s->plan->parts, values);
        return s->plan->splitter_count
                   ? rk_groups_cut(s->groups, s->plan->splitters, s->plan->splitter_count, values)
                   : rk_groups_pack(s->groups, values);
    case RK_SINK_TOP: return rk_top_pack(s->top, values);
    case RK_SINK_SUMMARY: return end_summary(s, values);
    case RK_SINK_TYPES:
        return rask_value_bytes_new(s->guesses, s->plan->schema->count * sizeof *s->guesses, values);
    case RK_SINK_TEXT: return end_text(s, values);
    default: break;
    }
    int status = s->plan->last ? keep_last(s) : RASK_OK;
    if (!status)
        status = count > 1 ? rk_chunk_divide(&s->builder, s->part.data, count, values)
                           : rk_chunk_builder_pack(&s->builder, values);
    rk_chunk_builder_fini(&s->builder);
    return status;
}
