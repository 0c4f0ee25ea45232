/* collections/table/made: how tables were made, so that another process of a cluster can make them again.
 *
 * The public builders of tables stand here: they call those that do the work, and note what they were told. Of sources the note
 * says only which they are (recipe.c knows the rest). */
#ifndef RASK_COLLECTIONS_TABLE_MADE_H
#define RASK_COLLECTIONS_TABLE_MADE_H

#include "collections/recipes/recipe.h"
#include "collections/table/table.h"

/* Each builder has a number, for it goes to other processes. */
typedef enum rk_builder {
    RK_BUILDER_CSV,
    RK_BUILDER_ROWS,
    RK_BUILDER_SELECT,
    RK_BUILDER_DROP,
    RK_BUILDER_WITH,
    RK_BUILDER_FILTER,
    RK_BUILDER_SORT,
    RK_BUILDER_LIMIT,
    RK_BUILDER_TAIL,
    RK_BUILDER_RENAME,
    RK_BUILDER_DROP_NULLS,
    RK_BUILDER_FILL_NULLS,
    RK_BUILDER_VALUE_COUNTS,
    RK_BUILDER_CONCAT,
    RK_BUILDER_DESCRIBE,
    RK_BUILDER_QUANTILES,
    RK_BUILDER_GROUPBY,
    RK_BUILDER_DISTINCT,
    RK_BUILDER_JOIN,
    RK_BUILDERS
} rk_builder;

/* What a builder was told: numbers are, as far as it has them, rows; how and method of joins. */
enum { RK_MADE_ROWS, RK_MADE_HOW, RK_MADE_METHOD };

/* Notes how table (NULL: it was not) was made, unless that is known. Returns table, or NULL, latched. */
rask_table *rk_table_note(rask_table *table, const rk_builder_call *call);

/* As the public functions of the same names. */
rask_table *rk_build_select(rask_table *input, const char *columns, const char *file, int line);
rask_table *rk_build_drop(rask_table *input, const char *columns, const char *file, int line);
rask_table *rk_build_with(rask_table *input, const char *name, const char *expression, const char *file,
                          int line);
rask_table *rk_build_filter(rask_table *input, const char *expression, const char *file, int line);
rask_table *rk_build_sort(rask_table *input, const char *columns, const char *file, int line);
rask_table *rk_build_limit(rask_table *input, uint64_t rows, const char *file, int line);
rask_table *rk_build_tail(rask_table *input, uint64_t rows, const char *file, int line);
rask_table *rk_build_rename(rask_table *input, const char *names, const char *file, int line);
rask_table *rk_build_drop_nulls(rask_table *input, const char *columns, const char *file, int line);
rask_table *rk_build_fill_nulls(rask_table *input, const char *columns, const char *value, const char *file,
                                int line);
rask_table *rk_build_value_counts(rask_table *input, const char *columns, const char *file, int line);
rask_table *rk_build_concat(rask_table *const *tables, size_t count, const char *file, int line);
rask_table *rk_build_describe(rask_table *input, const char *file, int line);
rask_table *rk_build_quantiles(rask_table *input, const char *columns, const double *q, size_t count,
                               const char *file, int line);
rask_table *rk_build_groupby(rask_table *input, const char *keys, const char *aggregates, const char *file,
                             int line);
rask_table *rk_build_distinct(rask_table *input, const char *columns, const char *file, int line);
rask_table *rk_build_join(rask_table *left, rask_table *right, const char *keys, rask_join_how how,
                          const rask_join_options *options, const char *file, int line);

#endif
