#include "collections/bag/task.h"

#include "collections/bag/recipe.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

const rask_class rk_bag_shared_class = {RK_SHARED_CLASS("bag", rk_bag_shared_decode)};

static rask_node *tell(rask_node *node, uint64_t scratch, uint64_t result)
{
    if (node && scratch)
        rask_set_scratch_bytes(node, scratch);
    if (node && result)
        rask_set_result_bytes(node, result);
    return node;
}

rask_node *rk_bag_call(rask_graph *graph, const rask_task_def *def, const void *shared, const rask_arg *args,
                       size_t count, uint64_t scratch, uint64_t result)
{
    rask_value value;
    rask_arg *all = rk_alloc_array(count + 1, sizeof *all);
    if (!all)
        return rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
    if (rk_shared_value(graph, &rk_bag_shared_class, shared, &value)) {
        rk_free(all);
        return NULL;
    }
    all[0] = (rask_arg){.kind = RASK_ARG_VALUE, .as.value = &value};
    for (size_t i = 0; i < count; i++)
        all[i + 1] = args[i];
    rask_node *node = rask_call_at(graph, def, all, count + 1, NULL, 0);
    rask_value_unref(&value);
    rk_free(all);
    return tell(node, scratch, result);
}

rask_node *rk_bag_call_nodes(rask_graph *graph, const rask_task_def *def, const void *shared,
                             rask_node *const *nodes, uint32_t count, uint64_t scratch, uint64_t result)
{
    rask_arg *args = rk_alloc_array((size_t)count + 1, sizeof *args);
    if (!args)
        return rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
    for (uint32_t i = 0; i < count; i++)
        args[i] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = nodes[i]};
    rask_node *node = rk_bag_call(graph, def, shared, args, count, scratch, result);
    rk_free(args);
    return node;
}

/* -- Lists */

/* (index, list) */
static int run_take_item(rask_task *task)
{
    size_t index = (size_t)rask_arg_i64(task, 0), count = 0;
    const rask_value *items = rask_arg_list(task, 1, &count);
    rask_bytes bytes;
    rask_value copy;
    if (!items || index >= count || rask_value_get_bytes(&items[index], &bytes))
        return rask_fail(task, RASK_ETYPE, "no such item");
    int status = rask_value_bytes_new(bytes.data, bytes.len, &copy);
    return status ? rk_bag_task_fail(task, status, "") : rask_return_value(task, copy);
}

static const rask_task_def take_item_def = {
    .size = sizeof take_item_def, .name = "take", .call = run_take_item};

rask_node *rk_bag_take_item(rask_graph *graph, rask_node *list, uint32_t index, uint64_t result)
{
    const rask_arg args[] = {{.kind = RASK_ARG_I64, .as.i64 = index},
                             {.kind = RASK_ARG_NODE, .as.node = list}};
    return tell(rask_call_at(graph, &take_item_def, args, 2, NULL, 0), 0, result);
}

int rk_bag_split(rask_graph *graph, rask_node *node, uint32_t count, uint64_t result, rask_node **nodes)
{
    for (uint32_t i = 0; i < count; i++)
        nodes[i] = count == 1 ? node : rk_bag_take_item(graph, node, i, result / count);
    return graph->status;
}

/* -- Ends of tasks */

int rk_bag_return(rask_task *task, rask_value *values, uint32_t count)
{
    if (count == 1)
        return rask_return_value(task, values[0]);
    int status = rask_return_list(task, values, count);
    for (uint32_t i = 0; i < count; i++)
        rask_value_unref(&values[i]);
    return status;
}

int rk_bag_task_fail(rask_task *task, int status, const char *message)
{
    return rask_fail(task, status, *message ? message : rask_status_text(status));
}
