/* rask/graph.h: building graphs. Nothing runs here.
 *
 * A graph owns its nodes and the first error made while building. That error is latched with its code,
 * message and the caller's file and line; from then on every builder returns NULL. Builders take NULL nodes,
 * which only a failed builder returns, and return NULL, so that one check at compute is enough.
 *
 * One graph is built by one thread at a time; several graphs by several threads. While a graph is computed it
 * may be neither extended nor freed. At most RASK_MAX_NODES nodes; time and memory are linear. */
#ifndef RASK_GRAPH_H
#define RASK_GRAPH_H

#include <rask/task.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rask_graph rask_graph;
typedef struct rask_node rask_node; /* belongs to its graph and lives as long */

#define RASK_MAX_NODES ((uint32_t)1 << 30)

/* NULL only when there is no memory. */
RASK_API rask_graph *rask_graph_new(void);

/* Ends the graph and its nodes. Plans made of it stay valid. NULL is legal. */
RASK_API void rask_graph_free(rask_graph *graph);

/* The first error made while building; if there was none, that of the last compute, plan, draw or JSON call;
 * "" when all went well. Valid until the next call with this graph. */
RASK_API const char *rask_graph_error(const rask_graph *graph);

/* Its code. */
RASK_API int rask_graph_status(const rask_graph *graph);

/* Nodes built so far. */
RASK_API uint32_t rask_graph_size(const rask_graph *graph);

/* An argument of a call: a constant or a node. */
typedef enum rask_arg_kind {
    RASK_ARG_NODE,
    RASK_ARG_BOOL,
    RASK_ARG_I64,
    RASK_ARG_F64,
    RASK_ARG_STR,   /* NUL-terminated, copied */
    RASK_ARG_BYTES, /* copied */
    RASK_ARG_VALUE, /* a reference of its own is taken */
    RASK_ARG_U64,   /* an i64; RASK_ERANGE when it is too large for that */
} rask_arg_kind;

typedef struct rask_arg {
    uint32_t kind;
    union {
        rask_node *node;
        bool boolean;
        int64_t i64;
        uint64_t u64;
        double f64;
        const char *str;
        rask_bytes bytes;
        const rask_value *value;
    } as;
} rask_arg;

/* A call of def, later. RASK_EINVAL: too few or too many arguments, a node of another graph, no function;
 * RASK_ETYPE: a constant, or a node whose type is known, that the signature does not take;
 * RASK_ELIMIT: too many nodes or arguments; RASK_ENOMEM. */
RASK_API rask_node *rask_call_at(rask_graph *graph, const rask_task_def *def, const rask_arg *args,
                                 size_t count, const char *file, int line);
#define rask_call(graph, def, args, count) rask_call_at(graph, def, args, count, __FILE__, __LINE__)

/* The same with every argument a node. */
RASK_API rask_node *rask_call_nodes_at(rask_graph *graph, const rask_task_def *def, rask_node *const *nodes,
                                       size_t count, const char *file, int line);
#define rask_call_nodes(graph, def, nodes, count)                                                            \
    rask_call_nodes_at(graph, def, nodes, count, __FILE__, __LINE__)

/* A call whose function returns a list of outputs values, each a node of its own in outs[0 … outputs - 1].
 * Returns outs[0]; on failure all outs are NULL. */
RASK_API rask_node *rask_call_outputs_at(rask_graph *graph, const rask_task_def *def, const rask_arg *args,
                                         size_t count, rask_node **outs, size_t outputs, const char *file,
                                         int line);
#define rask_call_outputs(graph, def, args, count, outs, outputs)                                            \
    rask_call_outputs_at(graph, def, args, count, outs, outputs, __FILE__, __LINE__)

/* A constant. Calls that differ only in equal scalars or bytes are equal calls; lists, blocks and values of a class
 * without hash() and equal() are equal to themselves alone. */
RASK_API rask_node *rask_const_at(rask_graph *graph, const rask_arg *arg, const char *file, int line);

/* A constant that rask_plan_bind() may replace before a plan runs again: never merged with others. */
RASK_API rask_node *rask_input_at(rask_graph *graph, const rask_arg *arg, const char *file, int line);

/* The values of count nodes as one list. */
RASK_API rask_node *rask_list_at(rask_graph *graph, rask_node *const *nodes, size_t count, const char *file,
                                 int line);
#define rask_list(graph, nodes, count) rask_list_at(graph, nodes, count, __FILE__, __LINE__)

/* Element index (from 0) of a node whose value is a list; a list that is too short fails when it runs. */
RASK_API rask_node *rask_item_at(rask_node *list, size_t index, const char *file, int line);
#define rask_item(list, index) rask_item_at(list, index, __FILE__, __LINE__)

/* What functions that collections take are to be given as their context: a copy of size bytes, aligned for any type, that lives as
 * long as the graph. In other processes of a cluster functions get a copy of it as it is when the run begins, so pointers in it mean
 * nothing there. Any other context is memory of the program's, and what needs it runs in the program's own process or fails.
 * RASK_EINVAL: no bytes; RASK_ENOMEM. */
RASK_API void *rask_graph_context_at(rask_graph *graph, const void *data, size_t size, const char *file,
                                     int line);
#define rask_graph_context(graph, data, size) rask_graph_context_at(graph, data, size, __FILE__, __LINE__)

/* node runs only after deps have, whose values it does not take. Every dep must be older than node (so that
 * no cycle can be built): RASK_EINVAL. Returns node. */
RASK_API rask_node *rask_after_at(rask_node *node, rask_node *const *deps, size_t count, const char *file,
                                  int line);
#define rask_after(node, deps, count) rask_after_at(node, deps, count, __FILE__, __LINE__)

/* For people: messages and drawings. Copied, cut at RASK_MAX_LABEL bytes. Returns node. */
#define RASK_MAX_LABEL 65536
RASK_API rask_node *rask_set_label(rask_node *node, const char *label);

/* This call's own attributes instead of its definition's. Return node; RASK_EINVAL for a negative or NaN
 * timeout or backoff, and for tags that are no list of names and counts.
 *
 * Priorities: of the tasks that could run next, those with the largest come first in the plan, and one worker runs them in just
 * that order, whatever the scheduler (but for serial with a seed, which draws its order). Several workers begin tasks in that
 * order as far as they are ready, with three exceptions: a worker goes on with what its last task made ready, it may have taken
 * a few short tasks at once, and I/O tasks that wait for a lane go in the order in which they became ready. Of the tasks
 * that wait for the same tag, the one with the largest priority gets it. No task is interrupted for another. */
RASK_API rask_node *rask_set_priority(rask_node *node, int32_t priority);
RASK_API rask_node *rask_set_retries(rask_node *node, uint32_t retries);
RASK_API rask_node *rask_set_timeout(rask_node *node, double seconds);
RASK_API rask_node *rask_set_backoff(rask_node *node, double seconds);
RASK_API rask_node *rask_set_tags(rask_node *node, const char *tags); /* copied; "" or NULL: none */
/* The size of its result, in bytes: what the memory order goes by and the budget reserves before the call. 0: unknown. */
RASK_API rask_node *rask_set_result_bytes(rask_node *node, uint64_t bytes);
/* Memory that the call uses while it runs, beside its arguments and its result: the budget counts it from before the
 * call to its return. */
RASK_API rask_node *rask_set_scratch_bytes(rask_node *node, uint64_t bytes);

RASK_API rask_graph *rask_node_graph(const rask_node *node);
RASK_API uint32_t rask_node_id(const rask_node *node); /* 0, 1, 2, … in the order of building */
RASK_API const char *rask_node_name(const rask_node *node);
RASK_API const char *rask_node_label(const rask_node *node); /* "" when it has none */

/* Calls on lists that are built in (collections/delayed). Each takes a node whose value is a list.
 *   sum      of bool, i64 and f64: f64 when one of them is, else i64, and RASK_ERANGE when that is too small for it;
 *            0 when empty
 *   min max  of the same; a NaN wins; RASK_EINVAL when empty
 *   concat   of bytes, or of lists; empty bytes when empty */
RASK_API rask_node *rask_sum_at(rask_node *list, const char *file, int line);
RASK_API rask_node *rask_min_at(rask_node *list, const char *file, int line);
RASK_API rask_node *rask_max_at(rask_node *list, const char *file, int line);
RASK_API rask_node *rask_concat_at(rask_node *list, const char *file, int line);
#define rask_sum(list)    rask_sum_at(list, __FILE__, __LINE__)
#define rask_min(list)    rask_min_at(list, __FILE__, __LINE__)
#define rask_max(list)    rask_max_at(list, __FILE__, __LINE__)
#define rask_concat(list) rask_concat_at(list, __FILE__, __LINE__)

/* def with the elements of list as its arguments. list must come from rask_list(): RASK_EINVAL. */
RASK_API rask_node *rask_apply_at(const rask_task_def *def, rask_node *list, const char *file, int line);

/* A tree of calls of combine, each of at most fan_in (2 or more) neighbours, in order, down to one node; the
 * tree's shape depends on the number of elements and fan_in alone. One element is returned as it is. list
 * must come from rask_list() and not be empty: RASK_EINVAL. combine takes up to fan_in values. */
RASK_API rask_node *rask_reduce_at(rask_node *list, const rask_task_def *combine, size_t fan_in,
                                   const char *file, int line);

#ifdef __cplusplus
}
#endif

#endif
