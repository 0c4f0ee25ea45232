/* Units: numbered by their last member, with their members and the edges between them in both directions. */
#include "core/plan/planner.h"

#include <string.h>

/* unit_of over into, newest first: a member's unit is its consumer's, which is newer and already numbered. */
static void number_units(rk_planner *p)
{
    p->unit_of = p->into;
    uint32_t next = p->units;
    for (uint32_t id = p->nodes; id-- > 0;)
        if (rk_is_task(p, id))
            p->unit_of[id] = p->needed[id] & RK_FUSED ? p->unit_of[p->into[id]] : --next;
}

/* Members of units of one, in the order of units. */
static void list_members(rk_planner *p)
{
    for (uint32_t id = 0, at = 0; id < p->nodes; id++)
        if (rk_is_task(p, id))
            p->members[at++] = id;
}

/* By counting: start[u + 1] is first the size of u, then its end, then its start. */
static void sort_members(rk_planner *p)
{
    uint32_t *start = p->member_start;
    for (uint32_t id = 0; id < p->nodes; id++)
        if (rk_is_task(p, id))
            start[p->unit_of[id] + 1]++;
    for (uint32_t u = 0; u < p->units; u++)
        start[u + 1] += start[u];
    for (uint32_t id = p->nodes; id-- > 0;)
        if (rk_is_task(p, id))
            p->members[--start[p->unit_of[id] + 1]] = id;
    for (uint32_t u = 0; u < p->units; u++)
        start[u] = start[u + 1];
    start[p->units] = p->task_count;
}

static int place_members(rk_planner *p)
{
    if (p->units == p->nodes)
        return RASK_OK;
    p->members = rk_alloc_array((size_t)p->task_count + 1, sizeof *p->members);
    if (!p->members)
        return RASK_ENOMEM;
    if (p->units == p->task_count) {
        list_members(p);
        return RASK_OK;
    }
    p->member_start = rk_calloc((size_t)p->units + 1, sizeof *p->member_start);
    if (!p->member_start)
        return RASK_ENOMEM;
    sort_members(p);
    return RASK_OK;
}

/* Appends the units that the members of unit take results from; counts them in succ_start[from + 1]. */
static uint32_t append_preds(rk_planner *p, uint32_t unit, uint32_t at)
{
    for (uint32_t m = rk_first_member(p, unit), end = rk_first_member(p, unit + 1); m < end; m++) {
        const rask_node *node = rk_graph_node(p->graph, rk_member(p, m));
        const uint32_t *args = rk_node_args(node);
        for (uint32_t i = 0, n = rk_node_words(node); i < n; i++) {
            uint32_t word = rk_word(p, args[i]);
            if (word & RK_CONSTANT || p->unit_of[word] == unit)
                continue;
            p->pred[at++] = p->unit_of[word];
            p->succ_start[p->unit_of[word] + 1]++;
        }
    }
    return at;
}

/* The graph's own pool of words, when it is what append_preds() would make; pred_start is filled in then. */
static const uint32_t *find_pool(rk_planner *p)
{
    if (p->units != p->nodes || p->word || p->edges != p->words || !p->nodes)
        return NULL;
    uint32_t first = rk_graph_node(p->graph, 0)->args, at = 0;
    for (uint32_t u = 0; u < p->units; u++) {
        const rask_node *node = rk_graph_node(p->graph, u);
        if (node->args - first != at || node->order_only)
            return NULL;
        p->pred_start[u] = at;
        at += node->nargs;
    }
    p->pred_start[p->units] = at;
    return (const uint32_t *)p->graph->args.data + first;
}

static void place_preds(rk_planner *p)
{
    uint32_t at = 0;
    p->pool = find_pool(p);
    if (p->pool) {
        memcpy(p->pred, p->pool, p->edges * sizeof *p->pred);
        for (uint64_t e = 0; e < p->edges; e++)
            p->succ_start[p->pool[e] + 1]++;
        return;
    }
    for (uint32_t u = 0; u < p->units; u++) {
        p->pred_start[u] = at;
        at = append_preds(p, u, at);
    }
    p->pred_start[p->units] = at;
}

/* By counting, as above: afterwards succ_start[u + 1] is where the edges out of u end. */
static void place_succs(rk_planner *p)
{
    uint32_t *end = p->succ_start, edges = 0;
    for (uint32_t u = 0; u < p->units; u++) {
        uint32_t count = end[u + 1];
        end[u + 1] = edges;
        edges += count;
    }
    for (uint32_t u = 0; u < p->units; u++)
        for (uint32_t e = p->pred_start[u]; e < p->pred_start[u + 1]; e++)
            p->succ[end[p->pred[e] + 1]++] = u;
}

static uint64_t result_bytes(const rk_planner *p, uint32_t node_id)
{
    const rask_node *node = rk_graph_node(p->graph, node_id);
    const rk_extra *extra = rk_node_extra(node);
    return extra && extra->own_result_bytes ? extra->result_bytes : rk_node_def(node)->result_bytes;
}

/* Size of what each unit leaves behind; results of unknown size count like a scalar's 16 bytes. */
static int make_sizes(rk_planner *p)
{
    p->size = rk_alloc_array(p->units, sizeof *p->size);
    if (!p->size)
        return RASK_ENOMEM;
    for (uint32_t u = 0; u < p->units; u++) {
        uint64_t bytes = result_bytes(p, rk_member(p, rk_first_member(p, u + 1) - 1));
        p->size[u] = bytes ? bytes : sizeof(rask_value);
    }
    return RASK_OK;
}

int rk_plan_unite(rk_planner *p)
{
    if (p->edges >= RK_MAX_ARGUMENTS)
        return RASK_ELIMIT;
    number_units(p);
    int status = place_members(p);
    p->pred_start = rk_alloc_array((size_t)p->units + 1, sizeof *p->pred_start);
    p->succ_start = rk_calloc((size_t)p->units + 1, sizeof *p->succ_start);
    p->pred = rk_alloc_array(p->edges + 1, sizeof *p->pred);
    p->succ = rk_alloc_array(p->edges + 1, sizeof *p->succ);
    if (status || !p->pred_start || !p->succ_start || !p->pred || !p->succ)
        return RASK_ENOMEM;
    place_preds(p);
    place_succs(p);
    return p->sized ? make_sizes(p) : RASK_OK;
}
