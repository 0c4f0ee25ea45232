/* tests/schedulers/growing: what tests of tasks that grow write alike, beside what clients need. */
#ifndef RASK_TESTS_SCHEDULERS_GROWING_H
#define RASK_TESTS_SCHEDULERS_GROWING_H

#include "clients.h"

/* (depth): 2^depth, as a tree. */
static int tree(rask_task *t);
RASK_SLOTS(tree);

static int tree(rask_task *t)
{
    int64_t depth = rask_arg_i64(t, 0);
    rask_graph *g = rask_task_graph(t);
    if (!depth)
        return rask_return_i64(t, 1);
    return rask_return_node(
        t, rask_delayed(g, add, rask_delayed(g, tree, depth - 1), rask_delayed(g, tree, depth - 1)));
}

/* What a number comes to that is submitted to a client of its own. */
static inline int64_t submit(rask_options o, rask_node *node)
{
    rask_client *client = open_client(o);
    int64_t i = result_of(rask_submit(client, node));
    rask_client_close(client);
    return i;
}

#endif
