/* collections/bag/task: what tasks of bags share. */
#ifndef RASK_COLLECTIONS_BAG_TASK_H
#define RASK_COLLECTIONS_BAG_TASK_H

#include "core/graph/graph.h"

/* A structure that lives as long as the graph, as the first argument of calls: rk_shared_arg() of this class. */
extern const rask_class rk_bag_shared_class;

/* A call of def with shared, then count other arguments; with what it uses and makes, 0: not known. NULL, latched. */
rask_node *rk_bag_call(rask_graph *graph, const rask_task_def *def, const void *shared, const rask_arg *args,
                       size_t count, uint64_t scratch, uint64_t result);
/* The same with nodes. */
rask_node *rk_bag_call_nodes(rask_graph *graph, const rask_task_def *def, const void *shared,
                             rask_node *const *nodes, uint32_t count, uint64_t scratch, uint64_t result);

/* Item index of a list of bytes, as bytes of its own: what a list is made of goes when all have what is theirs. */
rask_node *rk_bag_take_item(rask_graph *graph, rask_node *list, uint32_t index, uint64_t result);

/* The nodes of a call that makes count values: itself, or items of its list. RASK_OK, or latched. */
int rk_bag_split(rask_graph *graph, rask_node *node, uint32_t count, uint64_t result, rask_node **nodes);

/* count values, which it ends, as the task's result: the only one, or a list. */
int rk_bag_return(rask_task *task, rask_value *values, uint32_t count);

/* Fails with message, or with the status's text when that is "". */
int rk_bag_task_fail(rask_task *task, int status, const char *message);

#endif
