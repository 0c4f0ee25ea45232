/* collections/array/computation: lowering, running and ending, as all that computes arrays at once does it.
 *
 * What is computed at once is lowered into a graph of its own, which ends with it, so that computing again and again does
 * not make the user's graph grow; unless the array is made of nodes of the user's. */
#ifndef RASK_COLLECTIONS_ARRAY_COMPUTATION_H
#define RASK_COLLECTIONS_ARRAY_COMPUTATION_H

#include "collections/array/lowering.h"
#include "core/base/array.h"

typedef struct rk_computation {
    rask_graph *graph;    /* the user's; NULL when there is no array */
    rask_graph *own;      /* NULL: lowered into the user's */
    rask_options options; /* effective ones */
    rk_lowering *lowering;
    rk_array targets; /* rask_node * */
} rk_computation;

/* Checks the arrays and opens a lowering. RASK_OK, or a status that the graph reports. End it in either case. */
int rk_computation_begin(rk_computation *c, rask_array *const *arrays, uint32_t count,
                         const rask_options *options);

/* node is to run; NULL: the lowering failed, whose status is returned. */
int rk_computation_add_target(rk_computation *c, rask_node *node);

/* Runs the targets for what they do. */
int rk_computation_run(rk_computation *c);

/* Ends everything and returns status, which the graph reports: with what the lowering or the run said, if they failed. */
int rk_computation_end(rk_computation *c, int status);

/* All arrays that these are made of, themselves first, each once: list is to be ended by rk_array_fini(). RASK_OK or
 * RASK_ENOMEM. */
int rk_computation_reach(rask_array *const *arrays, uint32_t count, rk_array *list);

/* The value of an array of one element: a number, or a block when it is complex. NULL, latched. */
rask_node *rk_lower_number(rk_lowering *l, rask_array *a);

#endif
