#include "collections/table/made.h"

#include <string.h>

rask_table *rk_table_note(rask_table *table, const rk_builder_call *call)
{
    if (!table || table->made)
        return table;
    table->made = rk_builder_note(table->graph, call);
    return table->made ? table : NULL;
}

/* Of one table. */
static rask_table *note(rask_table *table, rk_builder builder, rask_table *input, const char *a,
                        const char *b)
{
    void *const inputs[] = {input};
    return rk_table_note(
        table, &(rk_builder_call){.builder = builder, .texts = {a, b}, .inputs = inputs, .input_count = 1});
}

static rask_table *note_rows(rask_table *table, rk_builder builder, rask_table *input, uint64_t rows)
{
    void *const inputs[] = {input};
    return rk_table_note(table, &(rk_builder_call){.builder = builder,
                                                   .numbers = {[RK_MADE_ROWS] = rows},
                                                   .inputs = inputs,
                                                   .input_count = 1});
}

rask_table *rask_table_select_at(rask_table *input, const char *columns, const char *file, int line)
{
    return note(rk_build_select(input, columns, file, line), RK_BUILDER_SELECT, input, columns, NULL);
}

rask_table *rask_table_drop_at(rask_table *input, const char *columns, const char *file, int line)
{
    return note(rk_build_drop(input, columns, file, line), RK_BUILDER_DROP, input, columns, NULL);
}

rask_table *rask_table_with_at(rask_table *input, const char *name, const char *expression, const char *file,
                               int line)
{
    return note(rk_build_with(input, name, expression, file, line), RK_BUILDER_WITH, input, name, expression);
}

rask_table *rask_table_filter_at(rask_table *input, const char *expression, const char *file, int line)
{
    return note(rk_build_filter(input, expression, file, line), RK_BUILDER_FILTER, input, expression, NULL);
}

rask_table *rask_table_sort_at(rask_table *input, const char *columns, const char *file, int line)
{
    return note(rk_build_sort(input, columns, file, line), RK_BUILDER_SORT, input, columns, NULL);
}

rask_table *rask_table_limit_at(rask_table *input, uint64_t rows, const char *file, int line)
{
    return note_rows(rk_build_limit(input, rows, file, line), RK_BUILDER_LIMIT, input, rows);
}

rask_table *rask_table_tail_at(rask_table *input, uint64_t rows, const char *file, int line)
{
    return note_rows(rk_build_tail(input, rows, file, line), RK_BUILDER_TAIL, input, rows);
}

rask_table *rask_table_rename_at(rask_table *input, const char *names, const char *file, int line)
{
    return note(rk_build_rename(input, names, file, line), RK_BUILDER_RENAME, input, names, NULL);
}

rask_table *rask_table_drop_nulls_at(rask_table *input, const char *columns, const char *file, int line)
{
    return note(rk_build_drop_nulls(input, columns, file, line), RK_BUILDER_DROP_NULLS, input, columns, NULL);
}

rask_table *rask_table_fill_nulls_at(rask_table *input, const char *columns, const char *value,
                                     const char *file, int line)
{
    return note(rk_build_fill_nulls(input, columns, value, file, line), RK_BUILDER_FILL_NULLS, input, columns,
                value);
}

rask_table *rask_table_value_counts_at(rask_table *input, const char *columns, const char *file, int line)
{
    return note(rk_build_value_counts(input, columns, file, line), RK_BUILDER_VALUE_COUNTS, input, columns,
                NULL);
}

rask_table *rask_table_concat_at(rask_table *const *tables, size_t count, const char *file, int line)
{
    const rk_builder_call made = {
        .builder = RK_BUILDER_CONCAT, .inputs = (void *const *)tables, .input_count = count};
    return rk_table_note(rk_build_concat(tables, count, file, line), &made);
}

rask_table *rask_table_describe_at(rask_table *input, const char *file, int line)
{
    return note(rk_build_describe(input, file, line), RK_BUILDER_DESCRIBE, input, NULL, NULL);
}

rask_table *rask_table_quantiles_at(rask_table *input, const char *columns, const double *q, size_t count,
                                    const char *file, int line)
{
    void *const inputs[] = {input};
    const rk_builder_call made = {.builder = RK_BUILDER_QUANTILES,
                                  .texts = {columns},
                                  .bytes = {(const char *)q, count * sizeof *q},
                                  .inputs = inputs,
                                  .input_count = 1};
    return rk_table_note(rk_build_quantiles(input, columns, q, count, file, line), &made);
}

rask_table *rask_table_groupby_at(rask_table *input, const char *keys, const char *aggregates,
                                  const char *file, int line)
{
    return note(rk_build_groupby(input, keys, aggregates, file, line), RK_BUILDER_GROUPBY, input, keys,
                aggregates);
}

rask_table *rask_table_distinct_at(rask_table *input, const char *columns, const char *file, int line)
{
    return note(rk_build_distinct(input, columns, file, line), RK_BUILDER_DISTINCT, input, columns, NULL);
}

rask_table *rask_table_join_at(rask_table *left, rask_table *right, const char *keys, rask_join_how how,
                               const rask_join_options *options, const char *file, int line)
{
    const rask_join_options defaults = RASK_JOIN_OPTIONS_INIT;
    const rask_join_options *o = options ? options : &defaults;
    void *const inputs[] = {left, right};
    const rk_builder_call made = {.builder = RK_BUILDER_JOIN,
                                  .texts = {keys, o->suffix},
                                  .numbers = {[RK_MADE_HOW] = how, [RK_MADE_METHOD] = o->method},
                                  .inputs = inputs,
                                  .input_count = 2};
    return rk_table_note(rk_build_join(left, right, keys, how, options, file, line), &made);
}
