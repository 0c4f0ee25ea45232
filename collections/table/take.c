#include "collections/table/take.h"

#include "collections/table/sink.h"
#include "core/task/task.h"

/* (index, newer list, older list): the value itself, which can leave memory by itself once its list is gone */
static int run_take(rask_task *task)
{
    size_t index = (size_t)rask_arg_i64(task, 0), count = 0;
    const rask_value *items = NULL;
    rask_value copy;
    rask_bytes bytes;
    for (size_t i = 1; i < rask_arg_count(task) && index >= count; i++)
        items = rask_arg_list(task, i, &count);
    if (!items || index >= count || rk_table_sink_bytes_of(&items[index], &bytes))
        return rask_fail(task, RASK_ETYPE, "no such value");
    if (items[index].type == RASK_BYTES)
        return rask_return_value(task, rask_value_ref(&items[index]));
    int status = rask_value_bytes_new(bytes.data, bytes.len, &copy);
    return status ? rask_fail(task, status, rask_status_text(status)) : rask_return_value(task, copy);
}

static const rask_task_def take_def = {
    .size = sizeof take_def, .name = "take", .call = run_take, .flags = RASK_PURE};

rask_node *rk_take_lower(rask_graph *graph, uint32_t index, rask_node *newer, rask_node *older,
                         uint64_t result)
{
    rask_arg args[] = {{.kind = RASK_ARG_I64, .as.i64 = index},
                       {.kind = RASK_ARG_NODE, .as.node = newer},
                       {.kind = RASK_ARG_NODE, .as.node = older}};
    rask_node *node = rask_call_at(graph, &take_def, args, older ? 3 : 2, NULL, 0);
    if (result)
        rask_set_result_bytes(node, result);
    return node;
}
