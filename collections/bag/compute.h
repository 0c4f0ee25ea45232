/* collections/bag/compute: running what a bag means, in a graph of its own that ends with it, so that computing again and
 * again does not make the user's graph grow. */
#ifndef RASK_COLLECTIONS_BAG_COMPUTE_H
#define RASK_COLLECTIONS_BAG_COMPUTE_H

#include "collections/bag/lower.h"

typedef struct rk_bag_computation {
    rask_graph *graph; /* the user's; NULL: there is no bag */
    rask_options options;
    rk_bag_lowering lowering; /* its graph is the computation's own */
} rk_bag_computation;

/* RASK_OK, or a status that the graph reports. To be ended in either case. */
int rk_bag_begin(rk_bag_computation *c, rask_bag *bag, const rask_options *options);

/* Runs nodes; their values are the caller's. */
int rk_bag_run_nodes(rk_bag_computation *c, rask_node *const *nodes, uint32_t count, rask_value *values);

/* Ends everything and returns status, which the user's graph reports. */
int rk_bag_end(rk_bag_computation *c, int status);

#endif
