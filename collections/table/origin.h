/* collections/table/origin: from which files the values of a column come. */
#ifndef RASK_COLLECTIONS_TABLE_ORIGIN_H
#define RASK_COLLECTIONS_TABLE_ORIGIN_H

#include "collections/table/table.h"

/* One step down: a table whose column number *column, as it is then, is that of t as it is, of a concatenation in the largest of its
 * tables; NULL: it is made here, or read. */
const rask_table *rk_table_below(const rask_table *t, uint32_t *column);

/* Goes down from *table and *column to a table over files with nothing but operations row by row between, whose column has
 * all values that the one above has. False: an expression makes it further up. */
bool rk_table_origin(const rask_table **table, uint32_t *column);

#endif
