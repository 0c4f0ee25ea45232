/* Attributes of single nodes, and asking for them. */
#include "core/graph/build.h"

#include <string.h>

/* The extra of a node whose graph is in order, for the setters below. */
static rk_extra *extra_to_set(rask_node *node)
{
    return node && !node->graph->status ? rk_graph_extra(node) : NULL;
}

rask_node *rask_set_label(rask_node *node, const char *label)
{
    rk_extra *extra = extra_to_set(node);
    if (!extra)
        return NULL;
    size_t len = label ? strnlen(label, RASK_MAX_LABEL) : 0;
    char *copy = rk_arena_alloc(&node->graph->arena, len + 1);
    if (!copy)
        return rk_graph_fail(node->graph, RASK_ENOMEM, NULL, 0, "no memory for a label of %zu bytes", len);
    if (len)
        memcpy(copy, label, len);
    copy[len] = '\0';
    extra->label = copy;
    return node;
}

rask_node *rask_set_priority(rask_node *node, int32_t priority)
{
    rk_extra *extra = extra_to_set(node);
    if (!extra)
        return NULL;
    extra->priority = priority;
    extra->own_priority = true;
    return node;
}

rask_node *rask_set_retries(rask_node *node, uint32_t retries)
{
    rk_extra *extra = extra_to_set(node);
    if (!extra)
        return NULL;
    extra->retries = retries;
    extra->own_retries = true;
    return node;
}

rask_node *rask_set_timeout(rask_node *node, double seconds)
{
    if (node && !node->graph->status && !(seconds >= 0))
        return rk_graph_fail(node->graph, RASK_EINVAL, NULL, 0, "%s: the timeout %g is negative or no number",
                             rask_node_name(node), seconds);
    rk_extra *extra = extra_to_set(node);
    if (!extra)
        return NULL;
    extra->timeout = seconds;
    extra->own_timeout = true;
    return node;
}

rask_node *rask_set_result_bytes(rask_node *node, uint64_t bytes)
{
    rk_extra *extra = extra_to_set(node);
    if (!extra)
        return NULL;
    extra->result_bytes = bytes;
    extra->own_result_bytes = true;
    return node;
}

rask_node *rask_set_scratch_bytes(rask_node *node, uint64_t bytes)
{
    rk_extra *extra = extra_to_set(node);
    if (!extra)
        return NULL;
    extra->scratch_bytes = bytes;
    return node;
}

rask_graph *rask_node_graph(const rask_node *node)
{
    return node ? node->graph : NULL;
}

uint32_t rask_node_id(const rask_node *node)
{
    return node ? node->id : UINT32_MAX;
}

const char *rask_node_name(const rask_node *node)
{
    if (!node)
        return "";
    if (node->flags & RK_NODE_CONST)
        return node->flags & RK_NODE_INPUT ? "input" : "const";
    return rk_node_def(node)->name;
}

const char *rask_node_label(const rask_node *node)
{
    const rk_extra *extra = node ? rk_node_extra(node) : NULL;
    return extra ? extra->label : "";
}
