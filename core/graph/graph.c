/* Building graphs.
 *
 * A builder checks everything first, then reserves all the memory it needs, then writes: a node is there whole or
 * not at all. The pool of argument words, the constants and the tables only grow; nodes never move. */
#include "core/graph/graph.h"

#include "core/store/store.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

rask_graph *rask_graph_new(void)
{
    rask_graph *graph = rk_calloc(1, sizeof *graph);
    if (!graph)
        return NULL;
    rk_init(&graph->refs, 1);
    graph->args = (rk_array)RK_ARRAY(uint32_t, RK_MAX_ARGUMENTS);
    graph->constants = (rk_array)RK_ARRAY(rask_value, RK_MAX_CONSTANTS);
    graph->definitions = (rk_array)RK_ARRAY(const rask_task_def *, RK_MAX_DEFINITIONS);
    graph->sites = (rk_array)RK_ARRAY(rk_site, RK_MAX_SITES - 1);
    graph->extras = (rk_array)RK_ARRAY(rk_extra, RK_MAX_NODES);
    pthread_mutex_init(&graph->lock, NULL);
    return graph;
}

rask_graph *rk_graph_ref(rask_graph *graph)
{
    rk_add_relaxed(&graph->refs, 1);
    return graph;
}

void rask_graph_free(rask_graph *graph)
{
    if (!graph || rk_sub_acq_rel(&graph->refs, 1) != 1)
        return;
    rask_value *constants = graph->constants.data;
    for (size_t i = 0; i < graph->constants.count; i++)
        if (constants[i].type >= RASK_BYTES)
            rask_value_unref(&constants[i]);
    for (int i = 0; i < RK_SEGMENTS; i++)
        rk_free(graph->segments[i]);
    rk_array_fini(&graph->args);
    rk_array_fini(&graph->constants);
    rk_array_fini(&graph->definitions);
    rk_array_fini(&graph->sites);
    rk_array_fini(&graph->extras);
    rk_arena_fini(&graph->arena);
    rk_free(graph->def_slots);
    rk_free(graph->extra_slots);
    rk_free(graph->message);
    pthread_mutex_destroy(&graph->lock);
    rk_free(graph);
}

/* Without memory for the message the status's own text must do. */
static void set_message(rask_graph *graph, const char *where, const char *format, va_list args)
{
    char text[RK_MAX_ERROR];
    int used = snprintf(text, sizeof text, "%s", where);
    vsnprintf(text + used, sizeof text - (size_t)used, format, args);
    rk_free(graph->message);
    graph->message = rk_strndup(text, strlen(text));
}

rask_node *rk_graph_fail(rask_graph *graph, int status, const char *file, int line, const char *format, ...)
{
    if (graph->status)
        return NULL;
    char where[512] = "";
    if (file)
        snprintf(where, sizeof where, "%s:%d: ", file, line);
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&graph->lock);
    graph->status = status;
    set_message(graph, where, format, args);
    pthread_mutex_unlock(&graph->lock);
    va_end(args);
    return NULL;
}

int rk_graph_report(rask_graph *graph, int status, const char *format, ...)
{
    if (!graph)
        return status;
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&graph->lock);
    if (!graph->status) {
        graph->last_status = status;
        if (status) {
            set_message(graph, "", format, args);
        } else {
            rk_free(graph->message);
            graph->message = NULL;
        }
    }
    pthread_mutex_unlock(&graph->lock);
    va_end(args);
    return status;
}

int rask_graph_status(const rask_graph *graph)
{
    if (!graph)
        return RASK_ENOMEM;
    return graph->status ? graph->status : graph->last_status;
}

const char *rask_graph_error(const rask_graph *graph)
{
    int status = rask_graph_status(graph);
    if (!status)
        return "";
    return graph && graph->message ? graph->message : rask_status_text(status);
}

uint32_t rask_graph_size(const rask_graph *graph)
{
    return graph ? graph->count : 0;
}

int rk_graph_of(rask_node *const *targets, size_t count, rask_graph **graph)
{
    *graph = NULL;
    if (!targets || !count)
        return RASK_EINVAL;
    for (size_t i = 0; i < count && !*graph; i++)
        *graph = targets[i] ? targets[i]->graph : NULL;
    if (*graph && (*graph)->status)
        return (*graph)->status;
    for (size_t i = 0; i < count; i++) {
        if (!targets[i])
            return rk_graph_report(*graph, RASK_EGRAPH, "target %zu is NULL: it could not be built", i);
        if (targets[i]->graph != *graph)
            return rk_graph_report(*graph, RASK_EINVAL, "target %zu (%s) belongs to another graph than target 0",
                                   i, rask_node_name(targets[i]));
    }
    return RASK_OK;
}

/* A hash for the two small tables; 0 <= result < slots, which is a power of two. */
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

/* The index of def in the graph's definitions, new or old; most calls use the definition used last. */
static int def_index(rask_graph *graph, const rask_task_def *def, uint32_t *out)
{
    if (graph->count) {
        const rask_node *last = rk_graph_node(graph, graph->count - 1);
        if (rk_node_def(last) == def) {
            *out = last->def;
            return RASK_OK;
        }
    }
    *out = table_find(graph, graph->def_slots, graph->def_slot_count, (uintptr_t)def, def_key);
    if (*out != UINT32_MAX)
        return RASK_OK;
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
static uint32_t site_index(rask_graph *graph, const char *file, int line)
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

/* Room for one more node with so many argument words and constants. */
static int reserve(rask_graph *graph, size_t words, size_t constants)
{
    if (graph->count >= RK_MAX_NODES)
        return RASK_ELIMIT;
    uint32_t place = graph->count + (1u << RK_SEGMENT_FIRST);
    if (!(place & (place - 1))) { /* the first of a segment */
        int segment = 31 - __builtin_clz(place) - RK_SEGMENT_FIRST;
        if (!graph->segments[segment])
            graph->segments[segment] = rk_alloc_array(place, sizeof(rask_node));
        if (!graph->segments[segment])
            return RASK_ENOMEM;
    }
    int status = rk_array_reserve(&graph->args, words);
    if (!status && constants)
        status = rk_array_reserve(&graph->constants, constants);
    return status;
}

static rask_node *reserve_failed(rask_graph *graph, int status, const char *file, int line)
{
    if (status == RASK_ELIMIT)
        return rk_graph_fail(graph, status, file, line, "more than %u nodes, or too many arguments or constants",
                             RK_MAX_NODES);
    return rk_graph_fail(graph, status, file, line, "no memory for node %u", graph->count);
}

/* The next node, whose arguments the caller has room for and pushes next. */
static rask_node *node_push(rask_graph *graph, uint32_t def, size_t nargs, unsigned flags, const char *file,
                            int line)
{
    uint32_t id = graph->count++;
    rask_node *node = rk_graph_node(graph, id);
    *node = (rask_node){.graph = graph,
                        .id = id,
                        .def = def,
                        .args = (uint32_t)graph->args.count,
                        .nargs = (uint32_t)nargs,
                        .site = site_index(graph, file, line),
                        .flags = flags & 0xff};
    return node;
}

static void push_word(rask_graph *graph, uint32_t word)
{
    ((uint32_t *)graph->args.data)[graph->args.count++] = word;
}

/* A value's type against a letter of a signature: 1 fits, 0 does not, -1 only its content can tell. */
static int fits(char letter, uint32_t type)
{
    switch (letter) {
    case RASK_SIG_BOOL: return type == RASK_BOOL;
    case RASK_SIG_I64: return type == RASK_I64 || type == RASK_BOOL;
    case RASK_SIG_F64: return type == RASK_F64 || type == RASK_I64 || type == RASK_BOOL;
    case RASK_SIG_BYTES: return type == RASK_BYTES;
    case RASK_SIG_STR: return type == RASK_BYTES ? -1 : 0;
    default: return 1;
    }
}

static const char *letter_name(char letter)
{
    switch (letter) {
    case RASK_SIG_BOOL: return "bool";
    case RASK_SIG_I64: return "i64";
    case RASK_SIG_F64: return "f64";
    case RASK_SIG_STR: return "str";
    case RASK_SIG_BYTES: return "bytes";
    default: return "value";
    }
}

static uint32_t letter_type(char letter)
{
    switch (letter) {
    case RASK_SIG_BOOL: return RASK_BOOL;
    case RASK_SIG_I64: return RASK_I64;
    case RASK_SIG_F64: return RASK_F64;
    case RASK_SIG_STR:
    case RASK_SIG_BYTES: return RASK_BYTES;
    case RASK_SIG_NONE: return RASK_NONE;
    default: return UINT32_MAX;
    }
}

/* What a node is known to give; UINT32_MAX: not known before it runs. */
static uint32_t node_type(const rask_node *node)
{
    if (node->flags & RK_NODE_CONST)
        return rk_graph_constant(node->graph, rk_node_args(node)[0])->type;
    if (node->flags & RK_NODE_LIST)
        return RASK_LIST;
    return letter_type(rk_node_def(node)->result);
}

/* Checks one argument of type (or UINT32_MAX) against the signature; adds RK_NODE_CHECK to *flags when only a run
 * can tell. */
static bool check_type(rask_graph *graph, const rask_task_def *def, size_t index, uint32_t type, unsigned *flags,
                       const char *file, int line)
{
    if (!def->arguments)
        return true;
    char letter = def->arguments[index];
    if (letter == RASK_SIG_VALUE)
        return true;
    int fit = type == UINT32_MAX ? -1 : fits(letter, type);
    if (fit < 0)
        *flags |= RK_NODE_CHECK;
    if (fit)
        return true;
    rk_graph_fail(graph, RASK_ETYPE, file, line, "%s: argument %zu is %s, not %s", def->name, index,
                  rask_type_name(type), letter_name(letter));
    return false;
}

static bool check_node(rask_graph *graph, const char *call, size_t index, const rask_node *node, const char *file,
                       int line)
{
    if (__builtin_expect(node && node->graph == graph, 1))
        return true;
    if (!node)
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: argument %zu is a NULL node", call, index);
    else
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: argument %zu (%s) is a node of another graph", call,
                      index, rask_node_name(node));
    return false;
}

static bool check_letters(const char *letters)
{
    return !letters || strspn(letters, "bidsyv") == strlen(letters);
}

/* The definition and the number of arguments. */
static bool check_call(rask_graph *graph, const rask_task_def *def, size_t count, const char *file, int line)
{
    if (!def || !def->call || !def->name || def->size < sizeof(rask_task_def))
        rk_graph_fail(graph, RASK_EINVAL, file, line, "call: no definition, or one without name, function or size");
    else if (!check_letters(def->arguments) || (def->result && !strchr("bidsyvn", def->result)))
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: its signature has a letter that is none", def->name);
    else if (!(def->timeout >= 0))
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: its timeout is negative or no number", def->name);
    else if (def->arguments && strlen(def->arguments) != count)
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: takes %zu arguments, was given %zu", def->name,
                      strlen(def->arguments), count);
    else if (count > RK_MAX_NODES)
        rk_graph_fail(graph, RASK_ELIMIT, file, line, "%s: %zu arguments, at most %u are possible", def->name,
                      count, RK_MAX_NODES);
    else
        return true;
    return false;
}

/* A definition that the node before already used needs no second look. */
static bool check_def(rask_graph *graph, const rask_task_def *def, size_t count, const char *file, int line)
{
    if (graph->count && def && !def->arguments && count <= RK_MAX_NODES &&
        rk_node_def(rk_graph_node(graph, graph->count - 1)) == def)
        return true;
    return check_call(graph, def, count, file, line);
}

rask_node *rask_call_nodes_at(rask_graph *graph, const rask_task_def *def, rask_node *const *nodes, size_t count,
                              const char *file, int line)
{
    if (!graph || graph->status)
        return NULL;
    if (!nodes && count)
        return rk_graph_fail(graph, RASK_EINVAL, file, line, "call: %zu arguments but no array", count);
    if (!check_def(graph, def, count, file, line))
        return NULL;
    unsigned flags = 0;
    for (size_t i = 0; i < count; i++) {
        if (!check_node(graph, def->name, i, nodes[i], file, line))
            return NULL;
        if (def->arguments && !check_type(graph, def, i, node_type(nodes[i]), &flags, file, line))
            return NULL;
    }
    uint32_t index;
    int status = def_index(graph, def, &index);
    if (!status)
        status = reserve(graph, count, 0);
    if (status)
        return reserve_failed(graph, status, file, line);
    rask_node *node = node_push(graph, index, count, flags, file, line);
    uint32_t *words = (uint32_t *)graph->args.data + graph->args.count;
    for (size_t i = 0; i < count; i++)
        words[i] = nodes[i]->id;
    graph->args.count += count;
    return node;
}

static uint32_t arg_type(const rask_arg *arg)
{
    switch (arg->kind) {
    case RASK_ARG_NODE: return node_type(arg->as.node);
    case RASK_ARG_BOOL: return RASK_BOOL;
    case RASK_ARG_I64: return RASK_I64;
    case RASK_ARG_F64: return RASK_F64;
    case RASK_ARG_VALUE: return arg->as.value->type;
    default: return RASK_BYTES;
    }
}

/* An argument that can be used at all. */
static bool check_arg(rask_graph *graph, const char *call, size_t index, const rask_arg *arg, const char *file,
                      int line)
{
    switch (arg->kind) {
    case RASK_ARG_NODE: return check_node(graph, call, index, arg->as.node, file, line);
    case RASK_ARG_BOOL:
    case RASK_ARG_I64:
    case RASK_ARG_F64: return true;
    case RASK_ARG_STR:
        if (arg->as.str)
            return true;
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: argument %zu is a NULL string", call, index);
        return false;
    case RASK_ARG_BYTES:
        if (arg->as.bytes.data || !arg->as.bytes.len)
            return true;
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: argument %zu: %zu bytes at NULL", call, index,
                      arg->as.bytes.len);
        return false;
    case RASK_ARG_VALUE:
        if (arg->as.value && arg->as.value->type <= RASK_CUSTOM)
            return true;
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: argument %zu is no value", call, index);
        return false;
    default:
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: argument %zu has the unknown kind %u", call, index,
                      (unsigned)arg->kind);
        return false;
    }
}

/* A constant's value, with a reference for the graph. */
static int arg_value(const rask_arg *arg, rask_value *out)
{
    switch (arg->kind) {
    case RASK_ARG_BOOL: *out = rask_value_bool(arg->as.boolean); return RASK_OK;
    case RASK_ARG_I64: *out = rask_value_i64(arg->as.i64); return RASK_OK;
    case RASK_ARG_F64: *out = rask_value_f64(arg->as.f64); return RASK_OK;
    case RASK_ARG_STR: return rask_value_bytes_new(arg->as.str, strlen(arg->as.str), out);
    case RASK_ARG_BYTES: return rask_value_bytes_new(arg->as.bytes.data, arg->as.bytes.len, out);
    default: *out = rask_value_ref(arg->as.value); return RASK_OK;
    }
}

/* Appends the words and constants of args; there is room for all of them. On failure the caller takes them back. */
static int push_args(rask_graph *graph, const rask_arg *args, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (args[i].kind == RASK_ARG_NODE) {
            push_word(graph, args[i].as.node->id);
            continue;
        }
        rask_value *constant = (rask_value *)graph->constants.data + graph->constants.count;
        int status = arg_value(&args[i], constant);
        if (status)
            return status;
        rk_store_exempt(constant);
        push_word(graph, RK_CONSTANT | (uint32_t)graph->constants.count++);
    }
    return RASK_OK;
}

/* Back to how it was before push_args(). */
static void take_back(rask_graph *graph, size_t words, size_t constants)
{
    graph->args.count = words;
    while (graph->constants.count > constants)
        rask_value_unref((rask_value *)graph->constants.data + --graph->constants.count);
}

/* A node with these arguments, which have been checked. */
static rask_node *node_with_args(rask_graph *graph, uint32_t def, const rask_arg *args, size_t count,
                                 unsigned flags, const char *file, int line)
{
    size_t words = graph->args.count, constants = graph->constants.count, needed = 0;
    for (size_t i = 0; i < count; i++)
        needed += args[i].kind != RASK_ARG_NODE;
    int status = reserve(graph, count, needed);
    if (!status)
        status = push_args(graph, args, count);
    if (status) {
        take_back(graph, words, constants);
        return reserve_failed(graph, status, file, line);
    }
    rask_node *node = node_push(graph, def, count, flags, file, line);
    node->args = (uint32_t)words;
    return node;
}

rask_node *rask_call_at(rask_graph *graph, const rask_task_def *def, const rask_arg *args, size_t count,
                        const char *file, int line)
{
    if (!graph || graph->status)
        return NULL;
    if (!args && count)
        return rk_graph_fail(graph, RASK_EINVAL, file, line, "call: %zu arguments but no array", count);
    if (!check_def(graph, def, count, file, line))
        return NULL;
    unsigned flags = 0;
    for (size_t i = 0; i < count; i++) {
        if (!check_arg(graph, def->name, i, &args[i], file, line))
            return NULL;
        if (def->arguments && !check_type(graph, def, i, arg_type(&args[i]), &flags, file, line))
            return NULL;
    }
    uint32_t index;
    int status = def_index(graph, def, &index);
    if (status)
        return reserve_failed(graph, status, file, line);
    return node_with_args(graph, index, args, count, flags, file, line);
}

static rask_node *constant(rask_graph *graph, const rask_arg *arg, unsigned flags, const char *what,
                           const char *file, int line)
{
    if (!graph || graph->status)
        return NULL;
    if (!arg || arg->kind == RASK_ARG_NODE)
        return rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: needs a constant", what);
    if (!check_arg(graph, what, 0, arg, file, line))
        return NULL;
    return node_with_args(graph, RK_NO_DEF, arg, 1, flags, file, line);
}

rask_node *rask_const_at(rask_graph *graph, const rask_arg *arg, const char *file, int line)
{
    return constant(graph, arg, RK_NODE_CONST, "const", file, line);
}

rask_node *rask_input_at(rask_graph *graph, const rask_arg *arg, const char *file, int line)
{
    return constant(graph, arg, RK_NODE_CONST | RK_NODE_INPUT, "input", file, line);
}

rask_node *rask_list_at(rask_graph *graph, rask_node *const *nodes, size_t count, const char *file, int line)
{
    rask_node *list = rask_call_nodes_at(graph, &rk_list_def, nodes, count, file, line);
    if (list)
        list->flags |= RK_NODE_LIST;
    return list;
}

rask_node *rask_item_at(rask_node *list, size_t index, const char *file, int line)
{
    if (!list)
        return NULL;
    rask_arg args[2] = {{.kind = RASK_ARG_NODE, .as.node = list},
                        {.kind = RASK_ARG_I64, .as.i64 = (int64_t)index}};
    rask_node *item = rask_call_at(list->graph, &rk_item_def, args, 2, file, line);
    if (item)
        item->flags |= RK_NODE_ITEM;
    return item;
}

rask_node *rask_call_outputs_at(rask_graph *graph, const rask_task_def *def, const rask_arg *args, size_t count,
                                rask_node **outs, size_t outputs, const char *file, int line)
{
    if (outs && outputs <= RK_MAX_OUTPUTS)
        memset(outs, 0, outputs * sizeof *outs);
    if (!graph || graph->status)
        return NULL;
    if (!outs || !outputs || outputs > RK_MAX_OUTPUTS)
        return rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: needs 1 to %u outputs and an array for them",
                             def && def->name ? def->name : "call", RK_MAX_OUTPUTS);
    rask_node *call = rask_call_at(graph, def, args, count, file, line);
    for (size_t i = 0; i < outputs; i++)
        outs[i] = rask_item_at(call, i, file, line);
    if (outs[outputs - 1])
        return outs[0];
    memset(outs, 0, outputs * sizeof *outs);
    return NULL;
}

/* The node's words again at the end of the pool, where more can follow. */
static void move_args(rask_graph *graph, rask_node *node)
{
    size_t words = (size_t)node->nargs + node->order_only;
    uint32_t *pool = graph->args.data;
    if (node->args + words == graph->args.count)
        return;
    memcpy(pool + graph->args.count, pool + node->args, words * sizeof *pool);
    node->args = (uint32_t)graph->args.count;
    graph->args.count += words;
}

static rk_extra *extra_of(rask_node *node);

rask_node *rask_after_at(rask_node *node, rask_node *const *deps, size_t count, const char *file, int line)
{
    if (!node || node->graph->status)
        return NULL;
    rask_graph *graph = node->graph;
    if (!deps && count)
        return rk_graph_fail(graph, RASK_EINVAL, file, line, "after: %zu nodes but no array", count);
    if (node->flags & RK_NODE_CONST)
        return rk_graph_fail(graph, RASK_EINVAL, file, line, "after: a constant waits for nothing");
    for (size_t i = 0; i < count; i++) {
        if (!check_node(graph, "after", i, deps[i], file, line))
            return NULL;
        if (deps[i]->id >= node->id)
            return rk_graph_fail(graph, RASK_EINVAL, file, line,
                                 "after: %s (node %u) was built after %s (node %u), which can only wait for older "
                                 "nodes",
                                 rask_node_name(deps[i]), deps[i]->id, rask_node_name(node), node->id);
    }
    if (!extra_of(node))
        return NULL;
    int status = rk_array_reserve(&graph->args, (size_t)node->nargs + node->order_only + count);
    if (status)
        return reserve_failed(graph, status, file, line);
    move_args(graph, node);
    for (size_t i = 0; i < count; i++)
        push_word(graph, deps[i]->id);
    node->order_only += (uint32_t)count;
    return node;
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
static rk_extra *extra_of(rask_node *node)
{
    if (node->flags & RK_NODE_EXTRA)
        return (rk_extra *)rk_node_extra(node);
    rask_graph *graph = node->graph;
    size_t count = graph->extras.count;
    int status = table_grow(graph, &graph->extra_slots, &graph->extra_slot_count, count, extra_key);
    rk_extra *extra = status ? NULL : rk_array_push(&graph->extras);
    if (!extra) {
        reserve_failed(graph, RASK_ENOMEM, NULL, 0);
        return NULL;
    }
    *extra = (rk_extra){.node = node->id, .label = ""};
    table_put(graph, graph->extra_slots, graph->extra_slot_count, (uint32_t)count, extra_key);
    node->flags |= RK_NODE_EXTRA;
    return extra;
}

/* The extra of a node whose graph is in order, for the setters below. */
static rk_extra *extra_to_set(rask_node *node)
{
    return node && !node->graph->status ? extra_of(node) : NULL;
}

rask_node *rask_set_label(rask_node *node, const char *label)
{
    rk_extra *extra = extra_to_set(node);
    if (!extra)
        return NULL;
    size_t len = label ? strnlen(label, RASK_MAX_LABEL) : 0;
    char *copy = rk_arena_alloc(&node->graph->arena, len + 1);
    if (!copy)
        return reserve_failed(node->graph, RASK_ENOMEM, NULL, 0);
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
