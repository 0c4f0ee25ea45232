/* Which tasks become one unit.
 *
 * A task is fused into its consumer when all its edges lead to that one consumer, and
 *   chain:  it is also the consumer's only predecessor, so that no parallelism is lost, or
 *   cheap:  it is marked RASK_CHEAP, so that handing it out would cost more than running it.
 * Tasks that run in different places (I/O in lanes, RASK_HERE in the program's own process) or take different tags never
 * share a unit; one that may wait before it is called again begins one, so that nothing but its call waits with it; and a large graph in which hardly anything would be fused is left as it is. Only the last member of a unit is a target or
 * has consumers outside, so units numbered by their last member are in topological order and cannot form a cycle. */
#include "core/plan/planner.h"

#include <string.h>

static uint32_t place_of(const rask_node *node)
{
    return rk_node_def(node)->flags & (RASK_IO | RASK_HERE);
}

/* Consumers and edges anew, in terms of what words mean after merging. */
static void find_consumers(rk_planner *p)
{
    p->edges = 0;
    memset(p->into, 0xff, p->nodes * sizeof *p->into); /* RK_NOBODY */
    for (uint32_t id = 0; id < p->nodes; id++) {
        if (!rk_is_task(p, id))
            continue;
        const rask_node *node = rk_graph_node(p->graph, id);
        const uint32_t *args = rk_node_args(node);
        for (uint32_t i = 0, n = rk_node_words(node); i < n; i++) {
            uint32_t word = rk_word(p, args[i]);
            if (word & RK_CONSTANT)
                continue;
            p->edges++;
            rk_note_consumer(p, word, id);
        }
    }
}

/* The only predecessor of a task, or RK_NOBODY or RK_MANY. */
static inline uint32_t only_pred(const rk_planner *p, const rask_node *node)
{
    uint32_t only = RK_NOBODY;
    const uint32_t *args = rk_node_args(node);
    for (uint32_t i = 0, n = rk_node_words(node); i < n; i++) {
        uint32_t word = rk_word(p, args[i]);
        if (word & RK_CONSTANT || word == only)
            continue;
        if (only != RK_NOBODY)
            return RK_MANY;
        only = word;
    }
    return only;
}

/* A tag that is taken for one task is not held while another runs. */
static bool take_the_same(const rask_node *a, const rask_node *b)
{
    return !strcmp(rk_node_tags(a), rk_node_tags(b));
}

/* May node, all of whose edges lead to next, share a unit with it? */
static void fuse(rk_planner *p, uint32_t id, const rask_node *next)
{
    const rask_node *node = rk_graph_node(p->graph, id);
    if (p->into[id] != next->id || p->needed[id] & RK_TARGET || !rk_is_task(p, id) ||
        place_of(node) != place_of(next) || !take_the_same(node, next) || rk_node_backs_off(next))
        return;
    p->units -= !(p->needed[id] & RK_FUSED);
    p->needed[id] |= RK_FUSED;
}

static void fuse_cheap(rk_planner *p, uint32_t id)
{
    if (p->into[id] < RK_MANY && rk_node_def(rk_graph_node(p->graph, id))->flags & RASK_CHEAP)
        fuse(p, id, rk_graph_node(p->graph, p->into[id]));
}

/* In a large graph, so few fusions that numbering units apart from nodes costs more than they save. */
enum { LARGE = 4096, FEW = 32 };

static void take_back_few(rk_planner *p)
{
    uint32_t fused = p->task_count - p->units;
    if (p->task_count < LARGE || fused > p->task_count / FEW)
        return;
    for (uint32_t id = 0; id < p->nodes && fused; id++)
        p->needed[id] &= (uint8_t)~RK_FUSED;
    p->units = p->task_count;
}

/* Seen from the consumer: chains; from the producer: cheap ones. */
int rk_plan_fuse(rk_planner *p)
{
    if (p->word)
        find_consumers(p);
    p->units = p->task_count;
    for (uint32_t id = 0; id < p->nodes; id++) {
        if (!rk_is_task(p, id))
            continue;
        const rask_node *node = rk_graph_node(p->graph, id);
        uint32_t pred = only_pred(p, node);
        if (pred < RK_MANY)
            fuse(p, pred, node);
        if (p->cheap)
            fuse_cheap(p, id);
    }
    take_back_few(p);
    return RASK_OK;
}
