/* collections/table/summary/finish: from what ranges found to rows. */
#ifndef RASK_COLLECTIONS_TABLE_SUMMARY_FINISH_H
#define RASK_COLLECTIONS_TABLE_SUMMARY_FINISH_H

#include "collections/table/summary/summary.h"

/* The value at a wanted place. */
typedef struct rk_found {
    uint64_t has, rank;
} rk_found;

/* What a range gives: for each column how many different values, as uint64_t, then for each target the value at its place and,
 * where the target lies between two, the next one. */
static inline size_t rk_summary_column_size(const struct rk_summary *s)
{
    return sizeof(uint64_t) + 2 * (size_t)s->target_count * sizeof(rk_found);
}

static inline size_t rk_summary_size(const struct rk_summary *s)
{
    return s->count * rk_summary_column_size(s);
}

/* Of a column's values: how many, where a range begins in their order, and how many are in it. */
typedef struct rk_summary_place {
    uint64_t total, begin, count;
} rk_summary_place;

rk_summary_place rk_summary_place_of(const rk_table_sink_plan *plan, const uint64_t *counts, uint32_t column,
                                     uint32_t range);

/* All that was found. */
typedef struct rk_summary_found {
    const rk_table_sink_plan *plan;
    const uint64_t *counts; /* by column and range */
    const char **ranges;
    rk_chunk facts; /* one row, when there are */
} rk_summary_found;

/* The rows of plan->result as a chunk. RASK_OK, RASK_ENOMEM. */
int rk_summary_finish(const rk_summary_found *all, rask_value *out);

/* From the values of a stage over parts to the node of a chunk. NULL, latched. */
rask_node *rk_summary_ranges(const rk_table_lowering *l, const rk_table_sink_plan *plan, rk_nodes parts);

#endif
