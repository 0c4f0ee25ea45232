/* collections/runs/own: running what a collection means in a graph of its own that ends with the run, so that computing again
 * and again does not make the user's graph grow. */
#ifndef RASK_COLLECTIONS_RUNS_OWN_H
#define RASK_COLLECTIONS_RUNS_OWN_H

#include <rask/graph.h>
#include <rask/options.h>

typedef struct rk_own_run {
    rask_graph *user; /* reports what goes wrong; NULL: there is no collection */
    rask_graph *own;
    rask_options options;
} rk_own_run;

/* Clears what user reported last, and makes the run's graph. RASK_OK, or a status that the user's graph reports once the run
 * is ended, which it has to be in either case. user: NULL gives RASK_EGRAPH. */
int rk_own_run_begin(rk_own_run *run, rask_graph *user, const rask_options *options);

/* Runs nodes of the own graph; their values are the caller's. */
int rk_own_run_nodes(rk_own_run *run, rask_node *const *nodes, uint32_t count, rask_value *values);

/* Ends the own graph and returns status, which the user's graph reports. */
int rk_own_run_end(rk_own_run *run, int status);

/* A seed for hashes, so that nobody can prepare keys that collide; results must not depend on it. given: the user's seed, which
 * decides it; 0: it is drawn, once for all runs that share a folder (rask_options.checkpoint; NULL: there is none). */
uint64_t rk_draw_seed(uint64_t given, const char *checkpoint);

#endif
