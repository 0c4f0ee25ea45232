#include "collections/table/sink.h"

#include "collections/table/groups/groups.h"
#include "collections/table/order.h"
#include "collections/table/top.h"
#include "core/base/alloc.h"

#include <string.h>

static bool has_chunks(const rk_table_sink_plan *plan)
{
    return plan->kind == RK_SINK_CHUNK || plan->kind == RK_SINK_RANGES;
}

uint32_t rk_table_sink_values(const rk_table_sink_plan *plan)
{
    return plan->splitter_count + 1;
}

void rk_table_sink_needs(const rk_table_sink_plan *plan, bool *needed)
{
    const rk_grouping *g = plan->grouping;
    memset(needed, plan->kind != RK_SINK_GROUPS, plan->schema->count);
    if (plan->kind != RK_SINK_GROUPS)
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
            status = rk_expr_run_new(g->arguments[i], &s->runs[i]);
    return status;
}

static int init_chunks(rk_table_sink *s)
{
    int status = RASK_OK;
    uint32_t count = rk_table_sink_values(s->plan);
    s->builders = rk_calloc(count, sizeof *s->builders);
    s->chosen =
        s->plan->kind == RK_SINK_RANGES ? rk_alloc_array((size_t)RK_BATCH_ROWS * 2, sizeof *s->chosen) : NULL;
    if (!s->builders || (s->plan->kind == RK_SINK_RANGES && !s->chosen))
        return RASK_ENOMEM;
    for (; s->builder_count < count && !status; s->builder_count += !status)
        status = rk_chunk_builder_init(&s->builders[s->builder_count], s->plan->schema->types,
                                       s->plan->schema->count);
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

int rk_table_sink_init(rk_table_sink *s, const rk_table_sink_plan *plan)
{
    int status = RASK_OK;
    *s = (rk_table_sink){.plan = plan, .text = {.element = 1, .ceiling = SIZE_MAX}};
    if (has_chunks(plan))
        status = init_chunks(s);
    else if (plan->kind == RK_SINK_GROUPS)
        status = init_groups(s);
    else if (plan->kind == RK_SINK_TOP)
        status = init_top(s);
    if (status)
        rk_table_sink_fini(s);
    return status;
}

void rk_table_sink_fini(rk_table_sink *s)
{
    for (uint32_t i = 0; i < s->builder_count; i++)
        rk_chunk_builder_fini(&s->builders[i]);
    for (uint32_t i = 0; s->runs && i < s->plan->grouping->aggregates.argument_count; i++)
        rk_expr_run_free(s->runs[i]);
    rk_free(s->builders);
    rk_free(s->chosen);
    rk_array_fini(&s->text);
    rk_groups_free(s->groups);
    rk_top_free(s->top);
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

/* chosen: the range of each row, then the rows of one. */
static int add_ranges(rk_table_sink *s, const rk_pipeline_run *run)
{
    const rk_order *key = &s->plan->keys[0];
    uint32_t *range = s->chosen, *rows = s->chosen + RK_BATCH_ROWS;
    int status = RASK_OK;
    for (uint32_t i = 0; i < run->rows; i++)
        range[i] = rk_range_of(s->plan->splitters, s->plan->splitter_count,
                               rk_rank(run->outputs[key->column], i, key->descending));
    for (uint32_t r = 0; r < s->builder_count && !status; r++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < run->rows; i++) {
            rows[count] = i;
            count += range[i] == r;
        }
        status = rk_chunk_builder_add_rows(&s->builders[r], run->outputs, rows, count);
    }
    return status;
}

static int add_top(rk_table_sink *s, const rk_pipeline_run *run, uint64_t position)
{
    uint32_t count = s->plan->schema->count;
    for (uint32_t i = 0; i < count; i++)
        s->views[i] = *run->outputs[i];
    return rk_top_add(s->top, &(rk_batch){.rows = run->rows, .count = count, .columns = s->views}, position);
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
    case RK_SINK_TOP: status = add_top(s, run, position); break;
    case RK_SINK_CHUNK:
        rows = wanted_rows(s, rows);
        status = rk_chunk_builder_add_rows(&s->builders[0], run->outputs, NULL, rows);
        break;
    case RK_SINK_TEXT:
        rows = wanted_rows(s, rows);
        status = add_text(s, run, rows);
        break;
    }
    s->rows += status ? 0 : rows;
    return status;
}

bool rk_table_sink_is_full(const rk_table_sink *s)
{
    return (s->plan->kind == RK_SINK_CHUNK || s->plan->kind == RK_SINK_TEXT) && s->rows >= s->plan->limit;
}

int rk_table_sink_end(rk_table_sink *s, rask_value *values)
{
    int status = RASK_OK;
    uint32_t made = 0;
    switch (s->plan->kind) {
    case RK_SINK_GROUPS:
        return s->plan->splitter_count
                   ? rk_groups_cut(s->groups, s->plan->splitters, s->plan->splitter_count, values)
                   : rk_groups_pack(s->groups, values);
    case RK_SINK_TOP: return rk_top_pack(s->top, values);
    case RK_SINK_TEXT: return rask_value_bytes_new(s->text.count ? s->text.data : "", s->text.count, values);
    default: break;
    }
    for (; made < s->builder_count && !status; made++) {
        status = rk_chunk_builder_pack(&s->builders[made], &values[made]);
        rk_chunk_builder_fini(&s->builders[made]);
    }
    for (uint32_t i = 0; status && i + 1 < made; i++)
        rask_value_unref(&values[i]);
    return status;
}
