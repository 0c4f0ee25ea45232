/* Which tasks become one unit.
 *
 * A task is fused into its consumer when all its edges lead to that one consumer, and
 *   chain:  it is also the consumer's only predecessor, so that no parallelism is lost, or
 *   cheap:  it is marked RASK_CHEAP, so that handing it out would cost more than running it.
 * I/O and CPU tasks never share a unit. Only the last member of a unit has consumers outside, so units numbered by
 * their last member are in topological order and cannot form a cycle. */
#include "core/plan/planner.h"

enum { NOBODY = UINT32_MAX, MANY = UINT32_MAX - 1 };

static bool is_io(const rask_node *node)
{
    return rk_node_def(node)->flags & RASK_IO;
}

/* into[n] = the only consumer of n, NOBODY or MANY. */
static void find_consumers(rk_planner *p)
{
    for (uint32_t id = 0; id < p->nodes; id++) {
        p->into[id] = NOBODY;
        if (!rk_is_task(p, id))
            continue;
        const rask_node *node = rk_graph_node(p->graph, id);
        const uint32_t *args = rk_node_args(node);
        for (uint32_t i = 0, n = rk_node_words(node); i < n; i++) {
            uint32_t word = rk_word(p, args[i]);
            if (word & RK_CONSTANT)
                continue;
            p->edges++;
            p->into[word] = p->into[word] == NOBODY || p->into[word] == id ? id : MANY;
        }
    }
}

/* The only predecessor of a task, or NOBODY or MANY. */
static uint32_t only_pred(const rk_planner *p, const rask_node *node)
{
    uint32_t only = NOBODY;
    const uint32_t *args = rk_node_args(node);
    for (uint32_t i = 0, n = rk_node_words(node); i < n; i++) {
        uint32_t word = rk_word(p, args[i]);
        if (word & RK_CONSTANT || word == only)
            continue;
        if (only != NOBODY)
            return MANY;
        only = word;
    }
    return only;
}

/* Newest first, so that a consumer's unit is known before its producers': into becomes unit_of, first in terms of
 * last members. */
int rk_plan_fuse(rk_planner *p)
{
    p->into = rk_alloc_array(p->nodes, sizeof *p->into);
    if (!p->into)
        return RASK_ENOMEM;
    find_consumers(p);
    p->units = p->task_count;
    for (uint32_t id = 0; id < p->nodes; id++) {
        if (!rk_is_task(p, id))
            continue;
        uint32_t consumer = p->into[id];
        p->into[id] = id;
        if (consumer >= MANY)
            continue;
        const rask_node *node = rk_graph_node(p->graph, id), *next = rk_graph_node(p->graph, consumer);
        bool cheap = rk_node_def(node)->flags & RASK_CHEAP;
        if ((cheap || only_pred(p, next) == id) && is_io(node) == is_io(next)) {
            p->into[id] = consumer;
            p->units--;
        }
    }
    return RASK_OK;
}
