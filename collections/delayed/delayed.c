/* Built-in calls on lists. */
#include "collections/delayed/delayed.h"

#include "core/graph/graph.h"
#include "core/task/task.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* The number item index is, as both kinds; false after failing the task. */
static bool number(rask_task *task, const rask_value *item, size_t index, int64_t *i, double *f)
{
    *i = 0;
    if (rask_value_get_f64(item, f)) {
        rk_task_fail(task, RASK_ETYPE, "item %zu is %s, not a number", index, rask_type_name(item->type));
        return false;
    }
    rask_value_get_i64(item, i);
    return true;
}

/* The one argument. No items when it is no list, which has failed the task then. */
static const rask_value *list_of(rask_task *task, size_t *count)
{
    const rask_value *items = rask_arg_list(task, 0, count);
    assert(items || !*count);
    return items;
}

static int call_sum(rask_task *task)
{
    size_t count;
    const rask_value *items = list_of(task, &count);
    __int128 whole = 0; /* no list is long enough to leave it */
    int64_t i;
    double real = 0, f;
    bool is_real = false;
    for (size_t k = 0; k < count; k++) {
        if (!number(task, &items[k], k, &i, &f))
            return task->status;
        is_real |= items[k].type == RASK_F64;
        whole += i;
        real += f;
    }
    if (is_real)
        return rask_return_f64(task, real);
    if (whole < INT64_MIN || whole > INT64_MAX)
        return rk_task_fail(task, RASK_ERANGE, "the sum of %zu items is too large for i64", count);
    return rask_return_i64(task, (int64_t)whole);
}

/* a < b exactly, also between i64 and f64 beyond 2^53, where a conversion would round; no NaN comes here. */
static bool less(const rask_value *a, const rask_value *b)
{
    int64_t i, j;
    double f, g;
    bool a_whole = !rask_value_get_i64(a, &i), b_whole = !rask_value_get_i64(b, &j);
    rask_value_get_f64(a, &f);
    rask_value_get_f64(b, &g);
    if (a_whole && b_whole)
        return i < j;
    if (f != g || (!a_whole && !b_whole))
        return f < g;
    /* Equal after rounding: |f| up to 2^63, where i64 has more digits than f64. */
    if (a_whole)
        return g >= 0x1p63 || i < (int64_t)g;
    return f < 0x1p63 && (int64_t)f < j;
}

static bool is_nan(const rask_value *value)
{
    return value->type == RASK_F64 && isnan(value->as.f64);
}

/* sign 1: the smallest item; -1: the largest. The first of equal ones; a NaN wins. */
static int extreme(rask_task *task, int sign)
{
    size_t count;
    const rask_value *items = list_of(task, &count), *best = NULL;
    int64_t i;
    double f;
    for (size_t k = 0; k < count; k++) {
        if (!number(task, &items[k], k, &i, &f))
            return task->status;
        if (!best || (is_nan(&items[k]) && !is_nan(best)))
            best = &items[k];
        else if (!is_nan(best) && (sign > 0 ? less(&items[k], best) : less(best, &items[k])))
            best = &items[k];
    }
    if (!best)
        return rk_task_fail(task, RASK_EINVAL, "the list is empty");
    return rask_return_value(task, *best);
}

static int call_min(rask_task *task)
{
    return extreme(task, 1);
}

static int call_max(rask_task *task)
{
    return extreme(task, -1);
}

static int concat_bytes(rask_task *task, const rask_value *items, size_t count)
{
    size_t total = 0;
    rask_bytes part;
    for (size_t k = 0; k < count; k++) {
        if (rask_value_get_bytes(&items[k], &part))
            return rk_task_fail(task, RASK_ETYPE, "item %zu is %s, not bytes", k,
                                rask_type_name(items[k].type));
        if (__builtin_add_overflow(total, part.len, &total))
            return rk_task_fail(task, RASK_ELIMIT, "the parts are too long together");
    }
    rask_value whole;
    char *to;
    int status = rask_value_bytes_alloc(total, &to, &whole);
    if (status)
        return rk_task_fail(task, status, "no memory for %zu bytes", total);
    for (size_t k = 0; k < count; k++) {
        rask_value_get_bytes(&items[k], &part);
        if (part.len)
            memcpy(to, part.data, part.len);
        to += part.len;
    }
    return rask_return_value(task, whole);
}

static int concat_lists(rask_task *task, const rask_value *items, size_t count)
{
    size_t total = 0, len;
    const rask_value *part;
    for (size_t k = 0; k < count; k++) {
        if (rask_value_get_list(&items[k], &part, &len))
            return rk_task_fail(task, RASK_ETYPE, "item %zu is %s, not a list", k,
                                rask_type_name(items[k].type));
        total += len;
    }
    rask_value *all = rk_alloc_array(total ? total : 1, sizeof *all);
    if (!all)
        return rk_task_fail(task, RASK_ENOMEM, "no memory for a list of %zu items", total);
    total = 0;
    for (size_t k = 0; k < count; k++) {
        rask_value_get_list(&items[k], &part, &len);
        if (len)
            memcpy(all + total, part, len * sizeof *all);
        total += len;
    }
    int status = rask_return_list(task, all, total);
    rk_free(all);
    return status;
}

static int call_concat(rask_task *task)
{
    size_t count;
    const rask_value *items = list_of(task, &count);
    if (count && items[0].type == RASK_LIST)
        return concat_lists(task, items, count);
    return concat_bytes(task, items, count);
}

#define BUILT_IN(function)                                                                                   \
    const rask_task_def rk_##function##_def = {.size = sizeof(rask_task_def),                                \
                                               .name = #function,                                            \
                                               .call = call_##function,                                      \
                                               .arguments = "v",                                             \
                                               .flags = RASK_PURE}
BUILT_IN(sum);
BUILT_IN(min);
BUILT_IN(max);
BUILT_IN(concat);

static rask_node *call_on_list(const rask_task_def *def, rask_node *list, const char *file, int line)
{
    return list ? rask_call_nodes_at(list->graph, def, &list, 1, file, line) : NULL;
}

rask_node *rask_sum_at(rask_node *list, const char *file, int line)
{
    return call_on_list(&rk_sum_def, list, file, line);
}

rask_node *rask_min_at(rask_node *list, const char *file, int line)
{
    return call_on_list(&rk_min_def, list, file, line);
}

rask_node *rask_max_at(rask_node *list, const char *file, int line)
{
    return call_on_list(&rk_max_def, list, file, line);
}

rask_node *rask_concat_at(rask_node *list, const char *file, int line)
{
    return call_on_list(&rk_concat_def, list, file, line);
}

/* The elements of a node that rask_list() made: a new array of nodes, or NULL after latching an error. */
static rask_node **elements(rask_node *list, const char *what, const char *file, int line)
{
    rask_graph *graph = list->graph;
    if (!(list->flags & RK_NODE_LIST)) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: needs a node of rask_list(), not %s", what,
                      rask_node_name(list));
        return NULL;
    }
    rask_node **nodes = rk_alloc_array(list->nargs ? list->nargs : 1, sizeof *nodes);
    if (!nodes) {
        rk_graph_fail(graph, RASK_ENOMEM, file, line, "%s: no memory for %u nodes", what, list->nargs);
        return NULL;
    }
    const uint32_t *args = rk_node_args(list);
    for (uint32_t i = 0; i < list->nargs; i++)
        nodes[i] = rk_graph_node(graph, args[i]);
    return nodes;
}

rask_node *rask_apply_at(const rask_task_def *def, rask_node *list, const char *file, int line)
{
    if (!list || list->graph->status)
        return NULL;
    rask_node **nodes = elements(list, "apply", file, line);
    if (!nodes)
        return NULL;
    rask_node *call = rask_call_nodes_at(list->graph, def, nodes, list->nargs, file, line);
    rk_free(nodes);
    return call;
}

/* One level of the tree: nodes shrinks in place to *count / fan_in nodes, rounded up. A single neighbour
 * moves up as it is. */
static bool reduce_level(rask_graph *graph, const rask_task_def *combine, rask_node **nodes, size_t *count,
                         size_t fan_in, const char *file, int line)
{
    size_t made = 0;
    for (size_t i = 0; i < *count; i += fan_in, made++) {
        size_t few = *count - i < fan_in ? *count - i : fan_in;
        nodes[made] = few == 1 ? nodes[i] : rask_call_nodes_at(graph, combine, nodes + i, few, file, line);
        if (!nodes[made])
            return false;
    }
    *count = made;
    return true;
}

rask_node *rask_reduce_at(rask_node *list, const rask_task_def *combine, size_t fan_in, const char *file,
                          int line)
{
    if (!list || list->graph->status)
        return NULL;
    rask_graph *graph = list->graph;
    if (fan_in < 2)
        return rk_graph_fail(graph, RASK_EINVAL, file, line, "reduce: a fan-in of %zu, at least 2 is needed",
                             fan_in);
    rask_node **nodes = elements(list, "reduce", file, line);
    if (!nodes)
        return NULL;
    size_t count = list->nargs;
    if (!count)
        rk_graph_fail(graph, RASK_EINVAL, file, line, "reduce: the list is empty");
    while (count > 1 && reduce_level(graph, combine, nodes, &count, fan_in, file, line)) {
    }
    rask_node *root = graph->status ? NULL : nodes[0];
    rk_free(nodes);
    return root;
}
