/* What many nodes share and few have: definitions and source lines by number, extras by node, contexts by address. */
#include "core/graph/build.h"

#include <string.h>

/* A hash for the small tables; 0 <= result < slots, which is a power of two. */
static uint32_t slot_of(uint64_t key, uint32_t slots)
{
    return (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32) & (slots - 1);
}

static uint64_t def_key(const rask_graph *graph, uint32_t index)
{
    return (uintptr_t)((const rask_task_def *const *)graph->definitions.data)[index];
}

static uint64_t extra_key(const rask_graph *graph, uint32_t index)
{
    return ((const rk_extra *)graph->extras.data)[index].node;
}

static uint64_t context_key(const rask_graph *graph, uint32_t index)
{
    return (uintptr_t)((const rk_context *)graph->contexts.data)[index].data;
}

/* Index of the entry with this key, or UINT32_MAX. */
static uint32_t table_find(const rask_graph *graph, const uint32_t *slots, uint32_t slot_count, uint64_t key,
                           uint64_t (*key_of)(const rask_graph *, uint32_t))
{
    if (!slot_count)
        return UINT32_MAX;
    for (uint32_t at = slot_of(key, slot_count); slots[at]; at = (at + 1) & (slot_count - 1))
        if (key_of(graph, slots[at] - 1) == key)
            return slots[at] - 1;
    return UINT32_MAX;
}

static void table_put(const rask_graph *graph, uint32_t *slots, uint32_t slot_count, uint32_t index,
                      uint64_t (*key_of)(const rask_graph *, uint32_t))
{
    uint32_t at = slot_of(key_of(graph, index), slot_count);
    while (slots[at])
        at = (at + 1) & (slot_count - 1);
    slots[at] = index + 1;
}

/* Room for one entry more than count: the table stays at most half full. */
static int table_grow(const rask_graph *graph, uint32_t **slots, uint32_t *slot_count, size_t count,
                      uint64_t (*key_of)(const rask_graph *, uint32_t))
{
    if (2 * (count + 1) <= *slot_count)
        return RASK_OK;
    uint32_t size = *slot_count ? 2 * *slot_count : 16;
    uint32_t *grown = rk_calloc(size, sizeof *grown);
    if (!grown)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        table_put(graph, grown, size, i, key_of);
    rk_free(*slots);
    *slots = grown;
    *slot_count = size;
    return RASK_OK;
}

/* Most calls use the definition used last. */
uint32_t rk_graph_find_def(const rask_graph *graph, const rask_task_def *def)
{
    if (graph->count) {
        const rask_node *last = rk_graph_node(graph, graph->count - 1);
        if (rk_node_def(last) == def)
            return last->def;
    }
    return table_find(graph, graph->def_slots, graph->def_slot_count, (uintptr_t)def, def_key);
}

int rk_graph_add_def(rask_graph *graph, const rask_task_def *def, uint32_t *out)
{
    size_t count = graph->definitions.count;
    int status = table_grow(graph, &graph->def_slots, &graph->def_slot_count, count, def_key);
    if (!status)
        status = rk_array_reserve(&graph->definitions, 1);
    if (status)
        return status;
    *(const rask_task_def **)rk_array_push(&graph->definitions) = def;
    table_put(graph, graph->def_slots, graph->def_slot_count, (uint32_t)count, def_key);
    *out = (uint32_t)count;
    return RASK_OK;
}

/* Number of a source line; 0 when there is no room: a line is worth nothing more than a better message. */
uint32_t rk_graph_site(rask_graph *graph, const char *file, int line)
{
    if (!file)
        return 0;
    const rk_site *sites = graph->sites.data;
    size_t count = graph->sites.count;
    for (size_t back = 1; back <= 4 && back <= count; back++)
        if (sites[count - back].line == line && sites[count - back].file == file)
            return (uint32_t)(count - back + 1);
    rk_site *site = rk_array_push(&graph->sites);
    if (!site)
        return 0;
    *site = (rk_site){file, line};
    return (uint32_t)graph->sites.count;
}

rk_site rk_node_site(const rask_node *node)
{
    return node->site ? ((const rk_site *)node->graph->sites.data)[node->site - 1] : (rk_site){NULL, 0};
}

const rk_extra *rk_node_extra(const rask_node *node)
{
    if (!(node->flags & RK_NODE_EXTRA))
        return NULL;
    const rask_graph *graph = node->graph;
    uint32_t index = table_find(graph, graph->extra_slots, graph->extra_slot_count, node->id, extra_key);
    return (const rk_extra *)graph->extras.data + index;
}

/* The node's extra, made when it has none; NULL when there is no memory, which is latched. */
rk_extra *rk_graph_extra(rask_node *node)
{
    if (node->flags & RK_NODE_EXTRA)
        return (rk_extra *)rk_node_extra(node);
    rask_graph *graph = node->graph;
    size_t count = graph->extras.count;
    int status = table_grow(graph, &graph->extra_slots, &graph->extra_slot_count, count, extra_key);
    rk_extra *extra = status ? NULL : rk_array_push(&graph->extras);
    if (!extra) {
        rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for attributes of node %u", node->id);
        return NULL;
    }
    *extra = (rk_extra){.node = node->id, .label = ""};
    table_put(graph, graph->extra_slots, graph->extra_slot_count, (uint32_t)count, extra_key);
    node->flags |= RK_NODE_EXTRA;
    return extra;
}

rask_bytes rk_graph_context(const rask_graph *graph, const void *context)
{
    uint32_t index =
        table_find(graph, graph->context_slots, graph->context_slot_count, (uintptr_t)context, context_key);
    if (index == UINT32_MAX)
        return (rask_bytes){NULL, 0};
    const rk_context *found = (const rk_context *)graph->contexts.data + index;
    return (rask_bytes){found->data, found->size};
}

void *rask_graph_context_at(rask_graph *graph, const void *data, size_t size, const char *file, int line)
{
    if (!graph || graph->status)
        return NULL;
    if (!data || !size)
        return rk_graph_fail(graph, RASK_EINVAL, file, line, "rask_graph_context: no bytes");
    size_t count = graph->contexts.count;
    int status = table_grow(graph, &graph->context_slots, &graph->context_slot_count, count, context_key);
    void *own = status ? NULL : rk_arena_alloc(&graph->arena, size);
    rk_context *context = own ? rk_array_push(&graph->contexts) : NULL;
    if (!context)
        return rk_graph_fail(graph, RASK_ENOMEM, file, line, "rask_graph_context: no memory for %zu bytes",
                             size);
    *context = (rk_context){memcpy(own, data, size), size};
    table_put(graph, graph->context_slots, graph->context_slot_count, (uint32_t)count, context_key);
    return own;
}
