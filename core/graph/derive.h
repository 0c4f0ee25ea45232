/* core/graph/derive: a graph that is made of another one's calls: some of them, with the same ids, so that what is said of a node
 * holds for both. Labels and tags stay the other's, which lives as long. */
#ifndef RASK_CORE_GRAPH_DERIVE_H
#define RASK_CORE_GRAPH_DERIVE_H

#include "core/graph/build.h"

/* A new graph takes over so many constants, by the same numbers. RASK_ENOMEM, RASK_ELIMIT. */
int rk_derive_begin(rask_graph *graph, const rask_value *constants, uint32_t count);

/* The next id is nobody's; count as above. NULL: no memory. */
rask_node *rk_derive_gap(rask_graph *graph, uint32_t count);

/* The next id is a call like that one, with its attributes, of so many words, those of order among them. NULL: no memory. */
rask_node *rk_derive_call(rask_graph *graph, const rask_node *like, const uint32_t *words, uint32_t count,
                          bool check);

#endif
