/* tools/draw/names: what tasks are called, each name once. Data has names, too. */
#ifndef RASK_TOOLS_DRAW_NAMES_H
#define RASK_TOOLS_DRAW_NAMES_H

#include "core/graph/graph.h"

enum { RK_NAME_CONSTANT, RK_NAME_INPUT, RK_NAME_FIRST_TASK };

typedef struct rk_names {
    uint32_t count;
    const char **text; /* per name, and one more for many names at once; belong to the graph */
    uint32_t *of_def;  /* per definition of the graph: its name */
} rk_names;

/* RASK_OK or RASK_ENOMEM. On failure the names still want fini. */
int rk_names_init(rk_names *names, const rask_graph *graph);
void rk_names_fini(rk_names *names);

static inline uint32_t rk_name_of(const rk_names *names, const rask_node *node)
{
    if (node->flags & RK_NODE_CONST)
        return node->flags & RK_NODE_INPUT ? RK_NAME_INPUT : RK_NAME_CONSTANT;
    return names->of_def[node->def];
}

#endif
