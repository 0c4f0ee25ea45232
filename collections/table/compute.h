/* collections/table/compute: running what a table means, in a graph of its own that ends with it, so that computing again
 * and again does not make the user's graph grow. */
#ifndef RASK_COLLECTIONS_TABLE_COMPUTE_H
#define RASK_COLLECTIONS_TABLE_COMPUTE_H

#include "collections/table/lower.h"

#include <rask/plan.h>

typedef struct rk_table_run {
    rask_graph *graph; /* the user's; NULL: there is no table */
    rask_options options;
    rk_table_lowering lowering; /* its graph is the run's own */
    struct rk_join_built *built;
} rk_table_run;

/* RASK_OK, or a status that the graph reports. To be ended in either case. */
int rk_table_run_begin(rk_table_run *run, rask_table *table, const rask_options *options);

/* Runs a node, NULL: its lowering failed. *value is the caller's. */
int rk_table_run_node(rk_table_run *run, rask_node *node, rask_value *value);

/* Ends everything and returns status, which the user's graph reports. */
int rk_table_run_end(rk_table_run *run, int status);

#endif
