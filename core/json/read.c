/* Nodes of a document as nodes of a graph.
 *
 * Builders want arguments that are older than the call, but keys may stand in any order. So nodes are visited
 * depth first, with a stack of our own. A visit parses the node and looks up the keys it needs:
 *
 *   all of them built   the node is built and leaves the stack
 *   some not yet        the node becomes open and they go on the stack above it; it is parsed anew when they
 *                       are done, since a million drafts would not fit into memory
 *   one of them open    the open nodes from there to the top of the stack are a cycle
 *
 * A node is parsed at most twice, and only once when the document is in a good order. */
#include "core/json/reader.h"

#include <stdio.h>
#include <string.h>

/* A bit of stacked entries: open, waiting for what is above. */
#define OPENED ((uint32_t)1 << 31)
_Static_assert(RK_MAX_NODES <= OPENED, "an entry and a bit");

/* Appends " -> key", or the key alone to an empty text. */
static void append_key(const rk_reader *r, uint32_t index, char *text, size_t capacity)
{
    char name[RK_JSON_QUOTED];
    size_t used = strlen(text);
    snprintf(text + used, capacity - used, "%s%s", used ? " -> " : "",
             rk_json_name(rk_json_entry_at(&r->document, index), name));
}

/* Tells the way from the open entry first, through all that wait above it, and back. A long way loses its
 * middle. */
static int cycle(const rk_reader *r, uint32_t first)
{
    const uint32_t *stack = r->stack.data;
    size_t start = 0, length = 0, seen = 0;
    while (stack[start] != (first | OPENED))
        start++;
    for (size_t i = start; i < r->stack.count; i++)
        length += (stack[i] & OPENED) != 0;
    char way[(RK_MAX_CHAIN + 2) * RK_JSON_PATH] = "";
    for (size_t i = start; i < r->stack.count; i++) {
        if (!(stack[i] & OPENED))
            continue;
        seen++;
        if (length > RK_MAX_CHAIN && seen == RK_MAX_CHAIN) {
            size_t used = strlen(way);
            snprintf(way + used, sizeof way - used, " -> (%zu more)", length - RK_MAX_CHAIN);
        } else if (seen < RK_MAX_CHAIN || seen == length) {
            append_key(r, stack[i] & ~OPENED, way, sizeof way);
        }
    }
    append_key(r, first, way, sizeof way);
    return rk_reader_fail(r, RASK_ECYCLE, RK_AT_NODE, "it waits for itself: %s", way);
}

/* Puts what is not built on the stack, the first need on top: nodes are built in the order they are named. */
static int push_needs(rk_reader *r)
{
    if (rk_array_reserve(&r->stack, r->needs.count))
        return rk_reader_no_memory(r);
    for (size_t i = r->needs.count; i-- > 0;) {
        uint32_t needed = ((const uint32_t *)r->needs.data)[i];
        uint32_t id = rk_json_entry_at(&r->document, needed)->id;
        if (id == RK_JSON_OPEN)
            return cycle(r, needed);
        if (id == RK_JSON_NEW)
            *(uint32_t *)rk_array_push(&r->stack) = needed;
    }
    return RASK_OK;
}

static bool needs_are_built(const rk_reader *r)
{
    for (size_t i = 0; i < r->needs.count; i++)
        if (rk_json_entry_at(&r->document, ((const uint32_t *)r->needs.data)[i])->id >= RK_JSON_OPEN)
            return false;
    return true;
}

/* Looks at the entry on top of the stack, which is not built. */
static int visit(rk_reader *r)
{
    uint32_t *top = (uint32_t *)r->stack.data + r->stack.count - 1;
    r->current = *top & ~OPENED;
    rk_draft draft;
    int status = rk_draft_read(r, &draft);
    if (!status)
        status = rk_draft_needs(r, &draft);
    if (!status && needs_are_built(r)) {
        status = rk_draft_build(r, &draft);
    } else if (!status) {
        *top |= OPENED;
        rk_json_entry_at(&r->document, r->current)->id = RK_JSON_OPEN;
        status = push_needs(r);
    }
    cJSON_Delete(draft.tree);
    return status;
}

static int read_nodes(rk_reader *r)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < r->document.entries.count; i++) {
        uint32_t *bottom = rk_array_push(&r->stack);
        if (!bottom)
            return rk_reader_no_memory(r);
        *bottom = i;
        while (r->stack.count && !status) {
            uint32_t top = ((const uint32_t *)r->stack.data)[r->stack.count - 1] & ~OPENED;
            if (rk_json_entry_at(&r->document, top)->id < RK_JSON_OPEN)
                r->stack.count--;
            else
                status = visit(r);
        }
        if (status)
            return status;
    }
    return RASK_OK;
}

/* Memory for the result, which belongs to the graph. */
static rask_node **targets_alloc(const rk_reader *r, size_t count)
{
    return rk_arena_alloc(&r->graph->arena, count * sizeof(rask_node *));
}

/* The node that key, the target number index, names. */
static int find_target(const rk_reader *r, const cJSON *key, size_t index, rask_node **out)
{
    size_t at = r->document.targets.at;
    if (!cJSON_IsString(key))
        return rk_json_fail(&r->document, RASK_ETYPE, at, "targets[%zu]: is not the key of a node", index);
    size_t len = strlen(key->valuestring);
    uint32_t found = rk_json_find(&r->document, key->valuestring, len);
    char quoted[RK_JSON_QUOTED];
    if (found == UINT32_MAX)
        return rk_json_fail(&r->document, RASK_ENOENT, at, "targets[%zu]: no node named %s", index,
                            rk_json_quote(key->valuestring, len, quoted));
    *out = rk_graph_node(r->graph, rk_json_entry_at(&r->document, found)->id);
    return RASK_OK;
}

static int named_targets(const rk_reader *r, const cJSON *tree, rask_node ***targets, size_t *count)
{
    size_t at = r->document.targets.at, total = 0, i = 0;
    if (!cJSON_IsArray(tree))
        return rk_json_fail(&r->document, RASK_ETYPE, at, "targets: is not an array");
    if (!tree->child)
        return rk_json_fail(&r->document, RASK_EFORMAT, at, "targets: there is none");
    for (const cJSON *key = tree->child; key; key = key->next)
        total++;
    rask_node **found = targets_alloc(r, total);
    if (!found)
        return rk_json_fail(&r->document, RASK_ENOMEM, at, "targets: no memory for them");
    int status = RASK_OK;
    for (const cJSON *key = tree->child; key && !status; key = key->next, i++)
        status = find_target(r, key, i, &found[i]);
    if (status)
        return status;
    *targets = found;
    *count = total;
    return RASK_OK;
}

/* Marks every node that another one needs and returns how many there are. */
static uint32_t mark_needed(const rask_graph *graph, bool *needed)
{
    uint32_t count = 0;
    for (uint32_t id = 0; id < graph->count; id++) {
        const rask_node *node = rk_graph_node(graph, id);
        const uint32_t *words = rk_node_args(node);
        for (size_t i = 0; i < (size_t)node->nargs + node->order_only; i++) {
            if (words[i] & RK_CONSTANT)
                continue;
            count += !needed[words[i]];
            needed[words[i]] = true;
        }
    }
    return count;
}

/* The nodes that nothing needs. There is one, as there are nodes and no cycles. */
static int last_nodes(const rk_reader *r, rask_node ***targets, size_t *count)
{
    const rask_graph *graph = r->graph;
    bool *needed = rk_calloc(graph->count, sizeof *needed);
    size_t total = needed ? graph->count - mark_needed(graph, needed) : 0, used = 0;
    rask_node **found = needed ? targets_alloc(r, total) : NULL;
    for (uint32_t id = 0; found && id < graph->count; id++)
        if (!needed[id])
            found[used++] = rk_graph_node(graph, id);
    rk_free(needed);
    if (!found)
        return rk_json_fail(&r->document, RASK_ENOMEM, 0, "no memory for the targets");
    *targets = found;
    *count = total;
    return RASK_OK;
}

static int find_targets(const rk_reader *r, rask_node ***targets, size_t *count)
{
    if (!r->document.targets.len)
        return last_nodes(r, targets, count);
    cJSON *tree = rk_json_parse(&r->document, r->document.targets);
    if (!tree)
        return rk_json_fail(&r->document, RASK_ENOMEM, r->document.targets.at,
                            "targets: no memory to read them");
    int status = named_targets(r, tree, targets, count);
    cJSON_Delete(tree);
    return status;
}

static int reader_init(rk_reader *r, const char *text, size_t len, bool unknown_as_stub, char *error,
                       size_t capacity)
{
    r->stack = r->needs = (rk_array)RK_ARRAY(uint32_t, RK_MAX_JSON_BYTES);
    r->nodes = (rk_array)RK_ARRAY(rask_node *, RK_MAX_JSON_BYTES);
    r->values = (rk_array)RK_ARRAY(rask_value, RK_MAX_JSON_BYTES);
    r->args = (rk_array)RK_ARRAY(rask_arg, RK_MAX_JSON_BYTES);
    int status = rk_json_document_init(&r->document, text, len, error, capacity);
    if (status)
        return status;
    r->graph = rask_graph_new();
    r->unknown = unknown_as_stub ? rk_registry_new_empty() : NULL;
    if (!r->graph || (unknown_as_stub && !r->unknown))
        return rk_json_fail(&r->document, RASK_ENOMEM, 0, "no memory for the graph");
    return RASK_OK;
}

static void reader_fini(rk_reader *r)
{
    rk_array_fini(&r->stack);
    rk_array_fini(&r->needs);
    rk_array_fini(&r->nodes);
    rk_array_fini(&r->values);
    rk_array_fini(&r->args);
    rask_registry_free(r->unknown);
    rk_json_document_fini(&r->document);
}

int rask_graph_from_json(const rask_registry *registry, const char *text, size_t len, bool unknown_as_stub,
                         rask_graph **graph, rask_node ***targets, size_t *count, char *error,
                         size_t capacity)
{
    if (error && capacity)
        *error = '\0';
    if (!graph || !targets || !count || (!text && len)) {
        if (error)
            snprintf(error, capacity, "graph, targets, count and text must not be NULL");
        return RASK_EINVAL;
    }
    *graph = NULL;
    rk_reader r = {.registry = registry};
    int status = reader_init(&r, text ? text : "", len, unknown_as_stub, error, capacity);
    if (!status)
        status = read_nodes(&r);
    if (!status)
        status = find_targets(&r, targets, count);
    if (status)
        rask_graph_free(r.graph);
    else
        *graph = r.graph;
    reader_fini(&r);
    return status;
}
