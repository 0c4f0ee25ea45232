/* collections/table/take: one of the values that a task ended with, as a value of its own.
 *
 * What is left in a list can leave memory only with all of it, and an item that shares memory with its list not at all
 * (core/store): so values that wait for different tasks are copied out of their list, which ends soon. */
#ifndef RASK_COLLECTIONS_TABLE_TAKE_H
#define RASK_COLLECTIONS_TABLE_TAKE_H

#include "core/graph/graph.h"

/* Item index, bytes, of the list newer where that is so long, else of older; older may be NULL. NULL, latched. */
rask_node *rk_take_lower(rask_graph *graph, uint32_t index, rask_node *newer, rask_node *older,
                         uint64_t result);

#endif
