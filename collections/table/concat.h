/* collections/table/concat: tables one after the other, and where a pipeline goes through them. */
#ifndef RASK_COLLECTIONS_TABLE_CONCAT_H
#define RASK_COLLECTIONS_TABLE_CONCAT_H

#include "collections/table/table.h"

/* The table with one more column, without a name, of nulls of a type. NULL, latched. */
rask_table *rk_table_nulls(rask_table *table, rask_column_type type, const char *file, int line);

/* Tables that are together what table is, in order, none of which has a CONCAT beneath operations row by row: what stands
 * above one is copied above each of its tables. room: as for rk_pipeline_init(). RASK_OK, or latched. */
int rk_table_leaves(rask_graph *graph, rask_table *table, uint64_t room, rask_table ***out, uint32_t *count);

/* The table with nulls of a type in place of a column. NULL, latched. */
rask_table *rk_table_nulls_at(rask_table *table, uint32_t column, rask_column_type type, const char *file,
                              int line);

#endif
