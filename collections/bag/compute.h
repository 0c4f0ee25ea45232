/* collections/bag/compute: running what a bag means. */
#ifndef RASK_COLLECTIONS_BAG_COMPUTE_H
#define RASK_COLLECTIONS_BAG_COMPUTE_H

#include "collections/bag/lower.h"
#include "collections/runs/own.h"

typedef struct rk_bag_computation {
    rk_own_run run;
    rk_bag_lowering lowering; /* its graph is the run's own */
} rk_bag_computation;

/* As rk_own_run_begin(), to be ended by rk_own_run_end(). bag: NULL gives RASK_EGRAPH. */
int rk_bag_begin(rk_bag_computation *c, rask_bag *bag, const rask_options *options);

#endif
