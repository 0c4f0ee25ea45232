/* core/graph/wrap: a node, and all that its graph has before it, as one value, which travels as values do: to another process of
 * the same program, where definitions and texts of the source are at the same addresses. */
#ifndef RASK_CORE_GRAPH_WRAP_H
#define RASK_CORE_GRAPH_WRAP_H

#include "core/graph/graph.h"

/* *out is the caller's. RASK_ENOMEM. */
int rk_graph_wrap(const rask_node *node, rask_value *out);

/* The node again, in a graph of its own, which is the caller's. RASK_ENOMEM, or RASK_EINVAL: it is not what wrap() made. */
int rk_graph_unwrap(const rask_value *wrapped, rask_node **node);

#endif
