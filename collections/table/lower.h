/* collections/table/lower: from expressions over tables to tasks.
 *
 * A stage is a pipeline between two places where all rows are needed: it reads the parts of files, or chunks that a stage
 * before it made, and ends in sinks. What all tasks of a stage share, and all else that a lowering makes, lives as long
 * as the graph that it makes nodes in. */
#ifndef RASK_COLLECTIONS_TABLE_LOWER_H
#define RASK_COLLECTIONS_TABLE_LOWER_H

#include "collections/table/sink.h"
#include "core/base/print.h"

typedef struct rk_table_lowering {
    rask_graph *graph; /* nodes go here, and errors */
    uint64_t budget;
    uint32_t workers;
    uint64_t seed;
    bool apart;                   /* tasks of the run see nothing of what others change in memory */
    rk_print *notes;              /* what will be read, for who explains it; NULL: nobody does */
    struct rk_join_built **built; /* what joins have made so far */
} rk_table_lowering;

/* Nodes in order. */
typedef struct rk_nodes {
    rask_node **nodes; /* in the graph's memory */
    uint32_t count;
    uint64_t bytes; /* of the value of one of them, about; 0: not known */
} rk_nodes;

struct rk_scan_job;

/* What the tasks of a stage share, without the parts that they read. NULL, latched. */
struct rk_scan_job *rk_lower_job(const rk_table_lowering *l, rask_table *table,
                                 const rk_table_sink_plan *sink);

/* What the sinks of a stage over table end with: one after the other, rk_table_sink_values() for each task. sink is copied.
 * RASK_OK, or latched. */
int rk_lower_stage(const rk_table_lowering *l, rask_table *table, const rk_table_sink_plan *sink,
                   rk_nodes *out);

/* The rows of table as chunks, in order. RASK_OK, or latched. */
int rk_lower_rows(const rk_table_lowering *l, rask_table *table, rk_nodes *out);

/* Packed groups or first rows, merged in a tree, as a chunk. NULL, latched. */
rask_node *rk_lower_merges(const rk_table_lowering *l, const rk_table_sink_plan *sink, rk_nodes parts);

/* All rows in one chunk. NULL, latched. */
rask_node *rk_lower_table(const rk_table_lowering *l, rask_table *table);

#endif
