/* rask/grow.h: graphs that grow while they run: tasks that answer with a node instead of a value.
 *
 * A task builds nodes in a graph of its own and returns one of them. Its result is then the result of that node, as in a tail
 * call: the task has returned, nobody waits within it, and the node's own tasks may grow in turn, as deep as they like. It works in
 * computes and in clients, on every scheduler, and workers that have time run what others grew; docs/processes.md says when
 * worker processes do, docs/cluster.md when workers of a cluster. Tags, priorities and limits are kept by what grows, too
 * (docs/limits.md). Of a task that grows, timeout, retries and what it takes are for its call, not for what it grew. Pure calls that
 * need each other in a circle fail with RASK_ECYCLE. */
#ifndef RASK_GROW_H
#define RASK_GROW_H

#include <rask/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A new graph for what this call of the task wants done; the same one when asked again. It belongs to the call: what was
 * built and is not returned ends with it, as does all of it when the call fails. NULL, and a failure of the task, when there
 * is no memory. */
RASK_API rask_graph *rask_task_graph(rask_task *task);

/* The result is that of node, which is one of rask_task_graph(task). Takes NULL, which a failed builder returns: the task
 * fails with the graph's error. Returns 0, or the code of a latched failure, for the task to return. */
RASK_API int rask_return_node(rask_task *task, rask_node *node);

#ifdef __cplusplus
}
#endif

#endif
