/* A node that stands for the result of a future: the call of a task that waits for it, with the future wrapped in a constant. */
#include "schedulers/futures/await.h"

#include "core/value/value.h"

static void end(void *future)
{
    rask_future_unref(future);
}

static const rask_class future_class = {.name = "future", .destroy = end};

static int await(rask_task *task)
{
    rask_future *future = rask_arg_custom(task, 0, &future_class);
    rask_value value;
    int status = future ? rask_future_result(future, &value) : RASK_ETYPE;
    if (status)
        return rask_fail(task, status, future ? rask_future_error(future) : "no future");
    return rask_return_value(task, value);
}

static const rask_task_def await_def = {
    .size = sizeof(rask_task_def), .name = "await", .call = await, .arguments = "v", .flags = RASK_HERE};

rask_node *rask_future_node_at(rask_graph *graph, rask_future *future, const char *file, int line)
{
    if (!graph)
        return NULL;
    if (!future)
        return rk_graph_fail(graph, RASK_ENOMEM, file, line, "future: no memory for a submission");
    rask_value value;
    if (rask_value_custom_new(&future_class, rask_future_ref(future), &value)) {
        rask_future_unref(future);
        return rk_graph_fail(graph, RASK_ENOMEM, file, line, "future: no memory for its node");
    }
    rask_node *node = rask_call_at(graph, &await_def, &(rask_arg){.kind = RASK_ARG_VALUE, .as.value = &value},
                                   1, file, line);
    rask_value_unref(&value);
    return node;
}

rask_future *rk_await_of(const rask_node *node, const rk_executor *executor)
{
    if (rk_node_def(node) != &await_def)
        return NULL;
    uint32_t word = rk_node_args(node)[0];
    const rask_value *value = word & RK_CONSTANT ? rk_graph_constant(node->graph, word) : NULL;
    rask_future *future = value ? rk_value_custom_data(value) : NULL;
    return future && future->executor == executor ? future : NULL;
}
