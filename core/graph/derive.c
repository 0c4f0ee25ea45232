#include "core/graph/derive.h"

#include <string.h>

int rk_derive_begin(rask_graph *graph, const rask_value *constants, uint32_t count)
{
    int status = rk_array_reserve(&graph->constants, (size_t)count + 1);
    if (status)
        return status;
    rask_value *to = graph->constants.data;
    for (uint32_t i = 0; i < count; i++)
        to[i] = rask_value_ref(&constants[i]);
    to[count] = rask_value_none();
    graph->constants.count = (size_t)count + 1;
    return RASK_OK;
}

rask_node *rk_derive_gap(rask_graph *graph, uint32_t count)
{
    const uint32_t none = RK_CONSTANT | count;
    return rk_graph_push(graph, RK_NO_DEF, &none, 1, RK_NODE_CONST, (rk_site){NULL, 0});
}

/* Everything but the room for words, which is its own. */
static bool copy_extra(rask_node *node, const rk_extra *like)
{
    rk_extra *extra = rk_graph_extra(node);
    if (!extra)
        return false;
    uint32_t id = extra->node;
    *extra = *like;
    extra->node = id;
    extra->room = 0;
    return true;
}

rask_node *rk_derive_call(rask_graph *graph, const rask_node *like, const uint32_t *words, uint32_t count,
                          bool check)
{
    const rk_extra *extra = rk_node_extra(like);
    uint32_t def = rk_graph_find_def(graph, rk_node_def(like));
    if (def == UINT32_MAX && rk_graph_add_def(graph, rk_node_def(like), &def))
        return NULL;
    unsigned flags = (like->flags & (RK_NODE_LIST | RK_NODE_ITEM)) | (check ? RK_NODE_CHECK : 0);
    rask_node *node = rk_graph_push(graph, def, words, count, flags, rk_node_site(like));
    if (!node)
        return NULL;
    node->nargs = count - like->order_only;
    node->order_only = like->order_only;
    return !extra || copy_extra(node, extra) ? node : NULL;
}
