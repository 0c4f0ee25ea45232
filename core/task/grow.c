/* Tasks that return nodes. */
#include "core/task/grow.h"

#include "core/task/task.h"

static void end(void *node)
{
    rask_graph_free(((rask_node *)node)->graph);
}

static const rask_class grown_class = {.name = "node", .destroy = end};

bool rk_grown_is(const rask_value *value)
{
    return value->type == RASK_CUSTOM && rk_value_class(value) == &grown_class;
}

int rk_grown_new(rask_node *node, rask_value *out)
{
    return rask_value_custom_new(&grown_class, node, out);
}

rask_node *rk_grown_node(const rask_value *value)
{
    return rk_value_custom_data(value);
}

static rask_graph *take_spare(rask_task *task)
{
    rask_graph *lent = task->lent;
    task->lent = NULL;
    return lent || !task->spare ? lent : rk_exchange_acquire(task->spare, NULL);
}

rask_graph *rask_task_graph(rask_task *task)
{
    if (!task->graph && !(task->graph = take_spare(task)) && !(task->graph = rask_graph_new()))
        rk_task_fail(task, RASK_ENOMEM, "no memory for a graph");
    return task->graph;
}

void rk_spare_put(rk_spare_graph *spare, rask_graph *graph)
{
    rask_graph *none = NULL;
    if (!spare || !rk_graph_renew(graph) || !rk_cas_release(spare, &none, graph))
        rask_graph_free(graph);
}

/* Until the call is over the node is task->grown, and the result a value of no type that names it: any other value takes its place. */
static rask_value mark_of(rask_node *node)
{
    return (rask_value){.type = RASK_NONE, .as.object = (struct rask_object *)node};
}

static rask_node *take_marked(rask_task *task)
{
    rask_node *node = task->grown;
    if (!node || task->result.type != RASK_NONE || task->result.as.object != mark_of(node).as.object)
        return NULL;
    task->result = rask_value_none();
    return node;
}

int rk_task_end_graph(rask_task *task, bool failed)
{
    rask_node *node = take_marked(task);
    rask_graph *graph = task->graph;
    task->graph = NULL;
    task->grown = NULL;
    if (node && !failed && task->takes_nodes) {
        task->grown = node;
        return RASK_OK;
    }
    if (node && !failed && !rk_grown_new(node, &task->result))
        return RASK_OK;
    rask_graph_free(graph);
    return node && !failed ? rk_task_fail(task, RASK_ENOMEM, "no memory for the node that it returned")
                           : RASK_OK;
}

int rask_return_node(rask_task *task, rask_node *node)
{
    if (!node && task->graph && rask_graph_status(task->graph))
        return rk_task_fail(task, rask_graph_status(task->graph), "%s", rask_graph_error(task->graph));
    if (!node || node->graph != task->graph)
        return rk_task_fail(task, RASK_EINVAL,
                            node ? "returned a node of another graph than its own (rask_task_graph)"
                                 : "returned a NULL node");
    if (node->graph->status)
        return rk_task_fail(task, node->graph->status, "%s", rask_graph_error(node->graph));
    task->grown = node;
    return rask_return_value(task, mark_of(node));
}
