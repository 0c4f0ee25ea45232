/* collections/table/merge: what tasks made of parts becomes one: packed groups and first rows, chunks. */
#ifndef RASK_COLLECTIONS_TABLE_MERGE_H
#define RASK_COLLECTIONS_TABLE_MERGE_H

#include "collections/table/lower.h"

/* A copy that lives as long as the graph, for the calls below. NULL, latched. */
const rk_table_sink_plan *rk_merge_keep(rask_graph *graph, const rk_table_sink_plan *plan);

/* Packed groups, or packed first rows, of count nodes as one. NULL, latched. */
rask_node *rk_merge_lower(rask_graph *graph, const rk_table_sink_plan *plan, rask_node *const *nodes,
                          uint32_t count);
/* What the parts of a range have, in order, as one chunk; bytes: of that, about; 0: not known. NULL, latched. */
typedef rask_node *rk_merge_range(rask_graph *graph, const rk_table_sink_plan *plan, rask_node *const *nodes,
                                  uint32_t count, uint64_t bytes);
rk_merge_range rk_merge_finish; /* packed groups or first rows: a chunk of plan->result */
rk_merge_range
    rk_merge_sort; /* chunks: their rows in plan's order, without the last column where that is positions */

/* The first rows of chunks, in order, as one chunk; all of them, for a limit of UINT64_MAX. */
rask_node *rk_merge_first(rask_graph *graph, uint64_t limit, rask_node *const *nodes, uint32_t count);

/* The same of the last rows. */
rask_node *rk_merge_last(rask_graph *graph, uint64_t limit, rask_node *const *nodes, uint32_t count);

/* All rows of chunks as one chunk, which may be the only one; bytes: of that, about; 0: not known. */
rask_node *rk_merge_chunks(rask_graph *graph, rask_node *const *nodes, uint32_t count, uint64_t bytes);

#endif
