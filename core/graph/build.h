/* core/graph/build: what builders share. */
#ifndef RASK_CORE_GRAPH_BUILD_H
#define RASK_CORE_GRAPH_BUILD_H

#include "core/graph/graph.h"

/* The index of def in the graph's definitions; UINT32_MAX when it is not among them. */
uint32_t rk_graph_find_def(const rask_graph *graph, const rask_task_def *def);
/* The index of def, which is not among them yet. RASK_OK, RASK_ENOMEM or RASK_ELIMIT. */
int rk_graph_add_def(rask_graph *graph, const rask_task_def *def, uint32_t *out);

/* The next node, with these words and flags; all words are its arguments. No memory, or too many: NULL, not latched. */
rask_node *rk_graph_push(rask_graph *graph, uint32_t def, const uint32_t *words, uint32_t count,
                         unsigned flags, rk_site site);

/* Number of a source line, for rask_node.site; 0 when there is no room: it is worth no more than a better
 * message. */
uint32_t rk_graph_site(rask_graph *graph, const char *file, int line);

/* The node's extra, made when it has none; NULL when there is no memory, which is latched. */
rk_extra *rk_graph_extra(rask_node *node);

#endif
