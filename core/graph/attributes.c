/* Attributes of single nodes, and asking for them. */
#include "core/graph/build.h"
#include "core/task/tags.h"

#include <string.h>

/* The extra of a node whose graph is in order, for the setters below. */
static rk_extra *extra_to_set(rask_node *node)
{
    return node && !node->graph->status ? rk_graph_extra(node) : NULL;
}

/* A copy in the graph's arena of at most so many bytes of text (NULL: ""); NULL is latched. */
static const char *keep_text(rask_graph *graph, const char *text, size_t most, const char *what)
{
    size_t len = text ? strlen(text) : 0;
    len = len < most ? len : most;
    char *copy = rk_arena_alloc(&graph->arena, len + 1);
    if (!copy) {
        rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for %s of %zu bytes", what, len);
        return NULL;
    }
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

rask_node *rask_set_label(rask_node *node, const char *label)
{
    rk_extra *extra = extra_to_set(node);
    const char *copy = extra ? keep_text(node->graph, label, RASK_MAX_LABEL, "a label") : NULL;
    if (!copy)
        return NULL;
    extra->label = copy;
    return node;
}

rask_node *rask_set_tags(rask_node *node, const char *tags)
{
    if (node && !node->graph->status && tags && *tags && !rk_tags_valid(tags))
        return rk_graph_fail(node->graph, RASK_EINVAL, NULL, 0,
                             "%s: the tags \"%.100s\" are no list such as \"gpu:1,licence:2\"",
                             rask_node_name(node), tags);
    rk_extra *extra = extra_to_set(node);
    const char *copy = extra ? keep_text(node->graph, tags, SIZE_MAX, "tags") : NULL;
    if (!copy)
        return NULL;
    extra->tags = copy;
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

/* The same, for what is a time. */
static rk_extra *extra_to_set_time(rask_node *node, const char *what, double seconds)
{
    if (node && !node->graph->status && !(seconds >= 0))
        rk_graph_fail(node->graph, RASK_EINVAL, NULL, 0, "%s: the %s %g is negative or no number",
                      rask_node_name(node), what, seconds);
    return extra_to_set(node);
}

rask_node *rask_set_timeout(rask_node *node, double seconds)
{
    rk_extra *extra = extra_to_set_time(node, "timeout", seconds);
    if (!extra)
        return NULL;
    extra->timeout = seconds;
    extra->own_timeout = true;
    return node;
}

rask_node *rask_set_backoff(rask_node *node, double seconds)
{
    rk_extra *extra = extra_to_set_time(node, "backoff", seconds);
    if (!extra)
        return NULL;
    extra->backoff = seconds;
    extra->own_backoff = true;
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
