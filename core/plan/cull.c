/* Which nodes the targets need: one walk from the newest to the oldest, since arguments are older than calls.
 * It notes the consumers of each, too, which hold unless merging or constants change them. */
#include "core/plan/planner.h"

#include <string.h>

static void see_hints(rk_planner *p, const rask_node *node)
{
    const rask_task_def *def = rk_node_def(node);
    p->pure |= (def->flags & RASK_PURE) != 0;
    p->cheap |= (def->flags & RASK_CHEAP) != 0;
    p->sized |= def->result_bytes != 0;
    p->prioritised |= def->priority != 0;
    const rk_extra *extra = rk_node_extra(node);
    if (extra) {
        p->sized |= extra->own_result_bytes && extra->result_bytes;
        p->prioritised |= extra->own_priority && extra->priority;
    }
}

static void need_arguments(rk_planner *p, const rask_node *node)
{
    const uint32_t *args = rk_node_args(node);
    uint32_t count = rk_node_words(node);
    p->words += count;
    for (uint32_t i = 0; i < count; i++) {
        if (args[i] & RK_CONSTANT)
            continue;
        p->edges++;
        p->needed[args[i]] |= RK_NEEDED;
        rk_note_consumer(p, args[i], node->id);
    }
}

int rk_plan_cull(rk_planner *p)
{
    for (size_t i = 0; i < p->target_count; i++)
        if (p->targets[i]->id >= p->nodes)
            p->nodes = p->targets[i]->id + 1;
    p->needed = rk_calloc(p->nodes, 1);
    p->into = rk_alloc_array(p->nodes, sizeof *p->into);
    if (!p->needed || !p->into)
        return RASK_ENOMEM;
    memset(p->into, 0xff, p->nodes * sizeof *p->into); /* RK_NOBODY */
    for (size_t i = 0; i < p->target_count; i++)
        p->needed[p->targets[i]->id] = RK_NEEDED | RK_TARGET;
    uint32_t last_def = RK_NO_DEF;
    for (uint32_t id = p->nodes; id-- > 0;) {
        if (!p->needed[id])
            continue;
        const rask_node *node = rk_graph_node(p->graph, id);
        p->needed_count++;
        if (node->flags & RK_NODE_CONST) {
            p->constants = true;
            continue;
        }
        p->needed[id] |= RK_CALL;
        p->task_count++;
        if (node->def != last_def || node->flags & RK_NODE_EXTRA)
            see_hints(p, node);
        last_def = node->def;
        need_arguments(p, node);
    }
    return RASK_OK;
}
