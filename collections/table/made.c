#include "collections/table/made.h"

#include "core/base/atomic.h"

#include <string.h>

static rk_atomic_u64 turns;

static const char *copy_text(rask_graph *graph, const char *text, const char *file, int line)
{
    return rk_table_text(graph, (rask_bytes){text, strlen(text)}, file, line);
}

/* Memory of the graph's with what stands at from; NULL, latched. */
static void *copy(rask_graph *graph, const void *from, size_t size, const char *file, int line)
{
    void *own = rk_table_memory(graph, size, file, line);
    if (own && size)
        memcpy(own, from, size);
    return own;
}

rask_table *rk_table_note(rask_table *table, const rk_made *made, const char *file, int line)
{
    if (!table || table->made)
        return table;
    rask_graph *graph = table->graph;
    rk_made *own = copy(graph, made, sizeof *made, file, line);
    if (!own)
        return NULL;
    for (int i = 0; i < 2; i++)
        if (made->texts[i] && !(own->texts[i] = copy_text(graph, made->texts[i], file, line)))
            return NULL;
    own->numbers = copy(graph, made->numbers, made->number_count * sizeof *made->numbers, file, line);
    own->inputs = copy(graph, made->inputs, made->input_count * sizeof *made->inputs, file, line);
    own->turn = rk_add_relaxed(&turns, 1);
    if (!own->numbers || !own->inputs)
        return NULL;
    table->made = own;
    return table;
}

rask_table *rask_table_select_at(rask_table *input, const char *columns, const char *file, int line)
{
    const rk_made made = {
        .builder = RK_BUILDER_SELECT, .texts = {columns}, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_select(input, columns, file, line), &made, file, line);
}

rask_table *rask_table_drop_at(rask_table *input, const char *columns, const char *file, int line)
{
    const rk_made made = {.builder = RK_BUILDER_DROP, .texts = {columns}, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_drop(input, columns, file, line), &made, file, line);
}

rask_table *rask_table_with_at(rask_table *input, const char *name, const char *expression, const char *file,
                               int line)
{
    const rk_made made = {
        .builder = RK_BUILDER_WITH, .texts = {name, expression}, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_with(input, name, expression, file, line), &made, file, line);
}

rask_table *rask_table_filter_at(rask_table *input, const char *expression, const char *file, int line)
{
    const rk_made made = {
        .builder = RK_BUILDER_FILTER, .texts = {expression}, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_filter(input, expression, file, line), &made, file, line);
}

rask_table *rask_table_sort_at(rask_table *input, const char *columns, const char *file, int line)
{
    const rk_made made = {.builder = RK_BUILDER_SORT, .texts = {columns}, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_sort(input, columns, file, line), &made, file, line);
}

rask_table *rask_table_limit_at(rask_table *input, uint64_t rows, const char *file, int line)
{
    const rk_made made = {.builder = RK_BUILDER_LIMIT, .rows = rows, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_limit(input, rows, file, line), &made, file, line);
}

rask_table *rask_table_tail_at(rask_table *input, uint64_t rows, const char *file, int line)
{
    const rk_made made = {.builder = RK_BUILDER_TAIL, .rows = rows, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_tail(input, rows, file, line), &made, file, line);
}

rask_table *rask_table_rename_at(rask_table *input, const char *names, const char *file, int line)
{
    const rk_made made = {.builder = RK_BUILDER_RENAME, .texts = {names}, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_rename(input, names, file, line), &made, file, line);
}

rask_table *rask_table_drop_nulls_at(rask_table *input, const char *columns, const char *file, int line)
{
    const rk_made made = {
        .builder = RK_BUILDER_DROP_NULLS, .texts = {columns}, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_drop_nulls(input, columns, file, line), &made, file, line);
}

rask_table *rask_table_fill_nulls_at(rask_table *input, const char *columns, const char *value,
                                     const char *file, int line)
{
    const rk_made made = {
        .builder = RK_BUILDER_FILL_NULLS, .texts = {columns, value}, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_fill_nulls(input, columns, value, file, line), &made, file, line);
}

rask_table *rask_table_value_counts_at(rask_table *input, const char *columns, const char *file, int line)
{
    const rk_made made = {
        .builder = RK_BUILDER_VALUE_COUNTS, .texts = {columns}, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_value_counts(input, columns, file, line), &made, file, line);
}

rask_table *rask_table_concat_at(rask_table *const *tables, size_t count, const char *file, int line)
{
    const rk_made made = {.builder = RK_BUILDER_CONCAT, .inputs = tables, .input_count = count};
    return rk_table_note(rk_build_concat(tables, count, file, line), &made, file, line);
}

rask_table *rask_table_describe_at(rask_table *input, const char *file, int line)
{
    const rk_made made = {.builder = RK_BUILDER_DESCRIBE, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_describe(input, file, line), &made, file, line);
}

rask_table *rask_table_quantiles_at(rask_table *input, const char *columns, const double *q, size_t count,
                                    const char *file, int line)
{
    const rk_made made = {.builder = RK_BUILDER_QUANTILES,
                          .texts = {columns},
                          .numbers = q,
                          .number_count = count,
                          .inputs = &input,
                          .input_count = 1};
    return rk_table_note(rk_build_quantiles(input, columns, q, count, file, line), &made, file, line);
}

rask_table *rask_table_groupby_at(rask_table *input, const char *keys, const char *aggregates,
                                  const char *file, int line)
{
    const rk_made made = {
        .builder = RK_BUILDER_GROUPBY, .texts = {keys, aggregates}, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_groupby(input, keys, aggregates, file, line), &made, file, line);
}

rask_table *rask_table_distinct_at(rask_table *input, const char *columns, const char *file, int line)
{
    const rk_made made = {
        .builder = RK_BUILDER_DISTINCT, .texts = {columns}, .inputs = &input, .input_count = 1};
    return rk_table_note(rk_build_distinct(input, columns, file, line), &made, file, line);
}

rask_table *rask_table_join_at(rask_table *left, rask_table *right, const char *keys, rask_join_how how,
                               const rask_join_options *options, const char *file, int line)
{
    rask_table *const inputs[] = {left, right};
    const rask_join_options defaults = RASK_JOIN_OPTIONS_INIT;
    const rask_join_options *o = options ? options : &defaults;
    const rk_made made = {.builder = RK_BUILDER_JOIN,
                          .texts = {keys, o->suffix},
                          .how = how,
                          .method = o->method,
                          .inputs = inputs,
                          .input_count = 2};
    return rk_table_note(rk_build_join(left, right, keys, how, options, file, line), &made, file, line);
}
