/* Building graphs.
 *
 * A builder checks everything first, then reserves all the memory it needs, then writes: a node is there
 * whole or not at all. The pool of argument words, the constants and the tables only grow; nodes never move.
 */
#include "core/graph/build.h"

#include "core/store/store.h"
#include "core/task/tags.h"

#include <string.h>

/* As rk_array_reserve(), where there mostly is room. */
static inline int make_sure(rk_array *array, size_t count)
{
    bool fits = count <= array->capacity - array->count;
    return __builtin_expect(fits, 1) ? RASK_OK : rk_array_reserve(array, count);
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
    int status = make_sure(&graph->args, words);
    return status ? status : make_sure(&graph->constants, constants);
}

static rask_node *reserve_failed(rask_graph *graph, int status, const char *file, int line)
{
    if (status == RASK_ELIMIT)
        return rk_graph_fail(graph, status, file, line,
                             "more than %u nodes, or too many arguments or constants", RK_MAX_NODES);
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
                        .site = rk_graph_site(graph, file, line),
                        .flags = flags & 0xff};
    return node;
}

static void push_word(rask_graph *graph, uint32_t word)
{
    ((uint32_t *)graph->args.data)[graph->args.count++] = word;
}

rask_node *rk_graph_push(rask_graph *graph, uint32_t def, const uint32_t *words, uint32_t count,
                         unsigned flags, rk_site site)
{
    if (reserve(graph, count, 0))
        return NULL;
    rask_node *node = node_push(graph, def, count, flags, site.file, site.line);
    for (uint32_t i = 0; i < count; i++)
        push_word(graph, words[i]);
    return node;
}

/* A value's type against a letter of a signature: 1 fits, 0 does not, -1 only its content can tell. */
static int fits(char letter, uint32_t type)
{
    switch (letter) {
    case RASK_SIG_BOOL: return type == RASK_BOOL ? 1 : type == RASK_I64 ? -1 : 0;
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

/* The number of an i64 constant; else NULL. */
static const int64_t *node_number(const rask_node *node)
{
    const rask_value *value =
        node->flags & RK_NODE_CONST ? rk_graph_constant(node->graph, rk_node_args(node)[0]) : NULL;
    return value && value->type == RASK_I64 ? &value->as.i64 : NULL;
}

static const int64_t *arg_number(const rask_arg *arg)
{
    switch (arg->kind) {
    case RASK_ARG_NODE: return node_number(arg->as.node);
    case RASK_ARG_I64:
    case RASK_ARG_U64: return &arg->as.i64;
    case RASK_ARG_VALUE: return arg->as.value->type == RASK_I64 ? &arg->as.value->as.i64 : NULL;
    default: return NULL;
    }
}

/* As a bool only 0 and 1 will do. */
static bool is_binary(const int64_t *number)
{
    return *number == 0 || *number == 1;
}

/* Checks one argument of type (or UINT32_MAX) against the signature; adds RK_NODE_CHECK to *flags when only a
 * run can tell. */
static bool check_type(rask_graph *graph, const rask_task_def *def, size_t index, uint32_t type,
                       const int64_t *number, unsigned *flags, const char *file, int line)
{
    if (!def->arguments)
        return true;
    char letter = def->arguments[index];
    if (letter == RASK_SIG_VALUE)
        return true;
    int fit = type == UINT32_MAX ? -1 : fits(letter, type);
    if (letter == RASK_SIG_BOOL && number && !is_binary(number))
        fit = 0;
    if (fit < 0)
        *flags |= RK_NODE_CHECK;
    if (fit)
        return true;
    rk_graph_fail(graph, RASK_ETYPE, file, line, "%s: argument %zu is %s, not %s", def->name, index,
                  rask_type_name(type), letter_name(letter));
    return false;
}

static bool check_node(rask_graph *graph, const char *call, size_t index, const rask_node *node,
                       const char *file, int line)
{
    if (__builtin_expect(node && node->graph == graph, 1))
        return true;
    if (!node)
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: argument %zu is a NULL node", call, index);
    else
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: argument %zu (%s) is a node of another graph",
                      call, index, rask_node_name(node));
    return false;
}

/* As many letters as there are arguments; NULL: any. */
static inline bool takes(const rask_task_def *def, size_t count)
{
    size_t letters = 0;
    while (def->arguments && letters < count && def->arguments[letters])
        letters++;
    return !def->arguments || (letters == count && !def->arguments[count]);
}

static bool check_letters(const char *letters)
{
    return !letters || strspn(letters, "bidsyv") == strlen(letters);
}

/* The definition and the number of arguments. */
static bool check_call(rask_graph *graph, const rask_task_def *def, size_t count, const char *file, int line)
{
    if (!def || !def->call || !def->name || def->size < RK_LEAST_DEF_SIZE)
        rk_graph_fail(graph, RASK_EINVAL, file, line,
                      "call: no definition, or one without name, function or size");
    else if (!check_letters(def->arguments) || (def->result && !strchr("bidsyvn", def->result)))
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: its signature has a letter that is none",
                      def->name);
    else if (!(def->timeout >= 0))
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: its timeout is negative or no number", def->name);
    else if (!(rk_def_backoff(def) >= 0))
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: its backoff is negative or no number", def->name);
    else if (*rk_def_tags(def) && !rk_tags_valid(rk_def_tags(def)))
        rk_graph_fail(graph, RASK_EINVAL, file, line,
                      "%s: its tags are no list such as \"gpu:1,licence:2\": \"%.100s\"", def->name,
                      rk_def_tags(def));
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

/* A definition that the graph knows needs no second look: *index, or UINT32_MAX when it is new. */
static bool check_def(rask_graph *graph, const rask_task_def *def, size_t count, uint32_t *index,
                      const char *file, int line)
{
    *index = rk_graph_find_def(graph, def);
    bool fits = *index != UINT32_MAX && count <= RK_MAX_NODES && takes(def, count);
    return fits || check_call(graph, def, count, file, line);
}

rask_node *rask_call_nodes_at(rask_graph *graph, const rask_task_def *def, rask_node *const *nodes,
                              size_t count, const char *file, int line)
{
    if (!graph || graph->status)
        return NULL;
    if (!nodes && count)
        return rk_graph_fail(graph, RASK_EINVAL, file, line, "call: %zu arguments but no array", count);
    uint32_t index;
    if (!check_def(graph, def, count, &index, file, line))
        return NULL;
    unsigned flags = 0;
    for (size_t i = 0; i < count; i++) {
        if (!check_node(graph, def->name, i, nodes[i], file, line))
            return NULL;
        if (def->arguments &&
            !check_type(graph, def, i, node_type(nodes[i]), node_number(nodes[i]), &flags, file, line))
            return NULL;
    }
    int status = index == UINT32_MAX ? rk_graph_add_def(graph, def, &index) : RASK_OK;
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
    case RASK_ARG_I64:
    case RASK_ARG_U64: return RASK_I64;
    case RASK_ARG_F64: return RASK_F64;
    case RASK_ARG_VALUE: return arg->as.value->type;
    default: return RASK_BYTES;
    }
}

/* An argument that can be used at all. */
static bool check_arg(rask_graph *graph, const char *call, size_t index, const rask_arg *arg,
                      const char *file, int line)
{
    switch (arg->kind) {
    case RASK_ARG_NODE: return check_node(graph, call, index, arg->as.node, file, line);
    case RASK_ARG_BOOL:
    case RASK_ARG_I64:
    case RASK_ARG_F64: return true;
    case RASK_ARG_U64:
        if (arg->as.u64 <= INT64_MAX)
            return true;
        rk_graph_fail(graph, RASK_ERANGE, file, line, "%s: argument %zu is %llu, too large for i64", call,
                      index, (unsigned long long)arg->as.u64);
        return false;
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
    case RASK_ARG_I64:
    case RASK_ARG_U64: *out = rask_value_i64(arg->as.i64); return RASK_OK;
    case RASK_ARG_F64: *out = rask_value_f64(arg->as.f64); return RASK_OK;
    case RASK_ARG_STR: return rask_value_bytes_new(arg->as.str, strlen(arg->as.str), out);
    case RASK_ARG_BYTES: return rask_value_bytes_new(arg->as.bytes.data, arg->as.bytes.len, out);
    default: *out = rask_value_ref(arg->as.value); return RASK_OK;
    }
}

/* Appends the words and constants of args; there is room for all of them. On failure the caller takes them
 * back. */
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
        if (rk_value_is_object(constant))
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
    uint32_t index;
    if (!check_def(graph, def, count, &index, file, line))
        return NULL;
    unsigned flags = 0;
    for (size_t i = 0; i < count; i++) {
        if (!check_arg(graph, def->name, i, &args[i], file, line))
            return NULL;
        if (def->arguments &&
            !check_type(graph, def, i, arg_type(&args[i]), arg_number(&args[i]), &flags, file, line))
            return NULL;
    }
    int status = index == UINT32_MAX ? rk_graph_add_def(graph, def, &index) : RASK_OK;
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

rask_node *rask_call_outputs_at(rask_graph *graph, const rask_task_def *def, const rask_arg *args,
                                size_t count, rask_node **outs, size_t outputs, const char *file, int line)
{
    if (outs && outputs <= RK_MAX_OUTPUTS)
        memset(outs, 0, outputs * sizeof *outs);
    if (!graph || graph->status)
        return NULL;
    if (!outs || !outputs || outputs > RK_MAX_OUTPUTS)
        return rk_graph_fail(graph, RASK_EINVAL, file, line,
                             "%s: needs 1 to %u outputs and an array for them",
                             def && def->name ? def->name : "call", RK_MAX_OUTPUTS);
    rask_node *call = rask_call_at(graph, def, args, count, file, line);
    for (size_t i = 0; i < outputs; i++)
        outs[i] = rask_item_at(call, i, file, line);
    if (outs[outputs - 1])
        return outs[0];
    memset(outs, 0, outputs * sizeof *outs);
    return NULL;
}

/* Room for count more words behind the node's own: where they are, when there is some left, else at the end
 * of the pool, with twice the room, so that adding words one by one stays linear. */
static int make_room(rask_node *node, rk_extra *extra, size_t count)
{
    rask_graph *graph = node->graph;
    size_t words = (size_t)node->nargs + node->order_only, room = 2 * (words + count);
    if (words + count <= extra->room)
        return RASK_OK;
    int status = rk_array_reserve(&graph->args, room);
    if (status)
        return status;
    uint32_t *pool = graph->args.data;
    memcpy(pool + graph->args.count, pool + node->args, words * sizeof *pool);
    node->args = (uint32_t)graph->args.count;
    graph->args.count += room;
    extra->room = (uint32_t)room;
    return RASK_OK;
}

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
            return rk_graph_fail(
                graph, RASK_EINVAL, file, line,
                "after: %s (node %u) was built after %s (node %u), which can only wait for older "
                "nodes",
                rask_node_name(deps[i]), deps[i]->id, rask_node_name(node), node->id);
    }
    rk_extra *extra = rk_graph_extra(node);
    if (!extra)
        return NULL;
    int status = make_room(node, extra, count);
    if (status)
        return reserve_failed(graph, status, file, line);
    uint32_t *words = (uint32_t *)graph->args.data + node->args + node->nargs;
    for (size_t i = 0; i < count; i++)
        words[node->order_only++] = deps[i]->id;
    return node;
}
