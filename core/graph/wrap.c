/* A list: bytes, which are a header, nodes, words and extras; then the constants of the graph, and behind them labels and tags. */
#include "core/graph/wrap.h"

#include "core/graph/build.h"
#include "core/value/value.h"

#include <string.h>

typedef struct header {
    uint32_t nodes, words, extras, constants; /* constants: without labels and tags */
} header;

typedef struct wrapped_node {
    const rask_task_def *def; /* NULL: a constant */
    const char *file;
    int32_t line;
    uint32_t flags, nargs, order_only;
} wrapped_node;

/* label, tags: places in the list; 0: none. */
typedef struct wrapped_extra {
    rk_extra extra;
    uint64_t label, tags;
} wrapped_extra;

/* Where the parts of the bytes are. */
typedef struct parts {
    header *head;
    wrapped_node *nodes;
    wrapped_extra *extras;
    uint32_t *words;
} parts;

static size_t bytes_of(const header *h)
{
    return sizeof *h + h->nodes * sizeof(wrapped_node) + h->extras * sizeof(wrapped_extra) +
           h->words * sizeof(uint32_t);
}

static parts parts_of(void *bytes)
{
    parts p = {.head = bytes};
    p.nodes = (wrapped_node *)(p.head + 1);
    p.extras = (wrapped_extra *)(p.nodes + p.head->nodes);
    p.words = (uint32_t *)(p.extras + p.head->extras);
    return p;
}

_Static_assert(sizeof(header) % sizeof(void *) == 0, "nodes are where pointers may be");

/* -- There */

static header measure(const rask_node *last)
{
    header h = {.nodes = last->id + 1, .constants = (uint32_t)last->graph->constants.count};
    for (uint32_t id = 0; id < h.nodes; id++) {
        const rask_node *node = rk_graph_node(last->graph, id);
        h.words += node->nargs + node->order_only;
        h.extras += node->flags & RK_NODE_EXTRA ? 1 : 0;
    }
    return h;
}

/* A text behind the constants; *place: its own in the list. */
static int add_text(rask_value *list, size_t *count, const char *text, uint64_t *place)
{
    *place = 0;
    if (!text)
        return RASK_OK;
    int status = rask_value_bytes_new(text, strlen(text), &list[*count]);
    if (!status)
        *place = (*count)++;
    return status;
}

static int write_extra(const rk_extra *extra, rask_value *list, size_t *count, wrapped_extra *to)
{
    *to = (wrapped_extra){.extra = *extra};
    int status = add_text(list, count, *extra->label ? extra->label : NULL, &to->label);
    return status ? status : add_text(list, count, extra->tags, &to->tags);
}

static int write_all(const rask_graph *graph, parts p, rask_value *list, size_t *count)
{
    int status = RASK_OK;
    for (uint32_t id = 0; id < p.head->nodes && !status; id++) {
        const rask_node *node = rk_graph_node(graph, id);
        const rk_site site = rk_node_site(node);
        uint32_t words = node->nargs + node->order_only;
        p.nodes[id] = (wrapped_node){.def = rk_node_def(node),
                                     .file = graph->arena.total ? NULL : site.file, /* it may be in there */
                                     .line = site.line,
                                     .flags = node->flags,
                                     .nargs = node->nargs,
                                     .order_only = node->order_only};
        if (words)
            memcpy(p.words, rk_node_args(node), words * sizeof *p.words);
        p.words += words;
        if (node->flags & RK_NODE_EXTRA)
            status = write_extra(rk_node_extra(node), list, count, p.extras++);
    }
    return status;
}

int rk_graph_wrap(const rask_node *node, rask_value *out)
{
    const rask_graph *graph = node->graph;
    header h = measure(node);
    size_t most = 1 + (size_t)h.constants + 2 * (size_t)h.extras, count = 1;
    rask_value *list = rk_calloc(most, sizeof *list);
    char *bytes;
    if (!list)
        return RASK_ENOMEM;
    int status = rask_value_bytes_alloc(bytes_of(&h), &bytes, &list[0]);
    for (uint32_t i = 0; i < h.constants && !status; i++)
        list[count++] = rask_value_ref(rk_graph_constant(graph, i));
    if (!status) {
        memcpy(bytes, &h, sizeof h);
        status = write_all(graph, parts_of(bytes), list, &count);
    }
    if (!status)
        status = rask_value_list_new(list, count, out);
    for (size_t i = 0; i < count; i++)
        rask_value_unref(&list[i]);
    rk_free(list);
    return status;
}

/* -- And back */

typedef struct unwrapping {
    parts p;
    const rk_list *list;
    rask_graph *graph;
    rask_node **nodes;
    rask_arg *args; /* of the node under way */
} unwrapping;

static rask_node *read_call(unwrapping *u, const wrapped_node *from)
{
    for (uint32_t i = 0; i < from->nargs; i++) {
        uint32_t word = u->p.words[i];
        if (word & RK_CONSTANT)
            u->args[i] =
                (rask_arg){.kind = RASK_ARG_VALUE, .as.value = &u->list->items[1 + (word & ~RK_CONSTANT)]};
        else
            u->args[i] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = u->nodes[word]};
    }
    if (!from->def)
        return from->flags & RK_NODE_INPUT ? rask_input_at(u->graph, u->args, from->file, from->line)
                                           : rask_const_at(u->graph, u->args, from->file, from->line);
    rask_node *node = rask_call_at(u->graph, from->def, u->args, from->nargs, from->file, from->line);
    if (node)
        node->flags |= from->flags & (RK_NODE_LIST | RK_NODE_ITEM);
    return node;
}

/* Waits for the nodes that are told behind its arguments. */
static rask_node *read_order(unwrapping *u, rask_node *node, const wrapped_node *from)
{
    for (uint32_t i = 0; i < from->order_only && node; i++)
        node = rask_after_at(node, &u->nodes[u->p.words[from->nargs + i]], 1, from->file, from->line);
    return node;
}

static const char *text_at(const unwrapping *u, uint64_t place)
{
    rask_bytes text = {"", 0};
    rask_value_get_bytes(&u->list->items[place], &text);
    return text.data;
}

static rask_node *read_extra(unwrapping *u, rask_node *node)
{
    const wrapped_extra *from = u->p.extras++;
    rk_extra *extra = rk_graph_extra(node);
    if (!extra)
        return NULL;
    *extra = from->extra;
    extra->node = node->id;
    extra->room = 0;
    extra->label = "";
    extra->tags = NULL;
    if (from->label)
        node = rask_set_label(node, text_at(u, from->label));
    return node && from->tags ? rask_set_tags(node, text_at(u, from->tags)) : node;
}

static int read_all(unwrapping *u)
{
    for (uint32_t id = 0; id < u->p.head->nodes; id++) {
        const wrapped_node *from = &u->p.nodes[id];
        rask_node *node = read_call(u, from);
        if (node && from->flags & RK_NODE_EXTRA)
            node = read_extra(u, node);
        node = read_order(u, node, from);
        if (!node)
            return rask_graph_status(u->graph);
        u->nodes[id] = node;
        u->p.words += from->nargs + from->order_only;
    }
    return RASK_OK;
}

/* The bytes of a list that wrap() made, where numbers and pointers may be; NULL: no memory, or it is none of those. */
static char *copy_bytes(const rask_value *wrapped, int *status)
{
    const rk_list *list = wrapped->type == RASK_LIST ? rk_value_list(wrapped) : NULL;
    rask_bytes bytes;
    header h = {0};
    *status = RASK_EINVAL;
    if (!list || !list->count || rask_value_get_bytes(&list->items[0], &bytes) || bytes.len < sizeof h)
        return NULL;
    memcpy(&h, bytes.data, sizeof h);
    if (!h.nodes || bytes.len != bytes_of(&h) || list->count <= h.constants)
        return NULL;
    char *copy = rk_alloc(bytes.len);
    *status = copy ? RASK_OK : RASK_ENOMEM;
    return copy ? memcpy(copy, bytes.data, bytes.len) : NULL;
}

int rk_graph_unwrap(const rask_value *wrapped, rask_node **node)
{
    int status;
    char *bytes = copy_bytes(wrapped, &status);
    if (!bytes)
        return status;
    unwrapping u = {.p = parts_of(bytes), .list = rk_value_list(wrapped), .graph = rask_graph_new()};
    u.nodes = rk_alloc_array(u.p.head->nodes, sizeof(rask_node *));
    u.args = rk_alloc_array((size_t)u.p.head->words + 1, sizeof *u.args);
    status = u.graph && u.nodes && u.args ? read_all(&u) : RASK_ENOMEM;
    if (!status)
        *node = u.nodes[u.p.head->nodes - 1];
    else
        rask_graph_free(u.graph);
    rk_free(u.nodes);
    rk_free(u.args);
    rk_free(bytes);
    return status;
}
