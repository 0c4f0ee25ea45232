/* core/task/grow: what a task returned that returned a node: a value of a class of its own, which holds the graph that the node
 * is of. It never leaves the schedulers. */
#ifndef RASK_CORE_TASK_GROW_H
#define RASK_CORE_TASK_GROW_H

#include "core/value/value.h"

#include <rask/grow.h>

bool rk_grown_is(const rask_value *value);
/* The value, which takes over a reference to the node's graph. RASK_ENOMEM: it took nothing. */
int rk_grown_new(rask_node *node, rask_value *out);
/* Valid as long as the value. */
rask_node *rk_grown_node(const rask_value *value);

#endif
