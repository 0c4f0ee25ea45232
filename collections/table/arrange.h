/* collections/table/arrange: chunks that are there, put in order together, when nothing was known of them before.
 *
 * Some rows of each are sorted, and every so many of them is where a range begins; each chunk is cut into the ranges, by
 * all columns of the order, and what is in a range is sorted by one task. */
#ifndef RASK_COLLECTIONS_TABLE_ARRANGE_H
#define RASK_COLLECTIONS_TABLE_ARRANGE_H

#include "collections/table/lower.h"

/* The rows of chunks with plan->schema in the order of plan->keys; equal ones keep theirs. bytes: of all of them, about; 0:
 * not known. RASK_OK, or latched. */
int rk_arrange_lower(const rk_table_lowering *l, const rk_table_sink_plan *plan, const rk_nodes *chunks,
                     double bytes, rk_nodes *out);

#endif
