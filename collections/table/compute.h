/* collections/table/compute: running what a table means. */
#ifndef RASK_COLLECTIONS_TABLE_COMPUTE_H
#define RASK_COLLECTIONS_TABLE_COMPUTE_H

#include "collections/runs/own.h"
#include "collections/table/lower.h"

typedef struct rk_table_run {
    rk_own_run own;
    rk_table_lowering lowering; /* its graph is the run's own */
    struct rk_join_built *built;
} rk_table_run;

/* As rk_own_run_begin(), to be ended by rk_own_run_end(). table: NULL gives RASK_EGRAPH. */
int rk_table_run_begin(rk_table_run *run, rask_table *table, const rask_options *options);

/* Runs a node, NULL: its lowering failed. *value is the caller's. */
int rk_table_run_node(rk_table_run *run, rask_node *node, rask_value *value);

#endif
