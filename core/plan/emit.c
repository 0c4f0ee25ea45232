/* Everything renumbered in plan order, in arrays of the plan's own. */
#include "core/plan/planner.h"

#include <string.h>

/* Joins that stand between a unit and its count predecessors: a tree with RK_JOIN_FAN_IN leaves a node. */
static uint64_t join_count(uint64_t count)
{
    uint64_t joins = 0;
    while (count > RK_JOIN_FAN_IN)
        joins += count = (count + RK_JOIN_FAN_IN - 1) / RK_JOIN_FAN_IN;
    return joins;
}

static uint32_t degree(const uint32_t *start, uint32_t unit)
{
    return start[unit + 1] - start[unit];
}

static void *array(size_t count)
{
    return rk_alloc_array(count ? count : 1, sizeof(uint32_t));
}

static int alloc_tasks(const rk_planner *p, rask_plan *plan, size_t words)
{
    size_t tasks = p->task_count;
    plan->def = array(tasks);
    plan->node = array(tasks);
    plan->arg_start = array(tasks + 1);
    plan->args = array(words);
    plan->uses = rk_calloc(tasks ? tasks : 1, sizeof *plan->uses);
    plan->unit_start = array((size_t)p->units + 1);
    plan->targets = array(p->target_count);
    bool done = plan->def && plan->node && plan->arg_start && plan->args && plan->uses && plan->unit_start &&
                plan->targets;
    return done ? RASK_OK : RASK_ENOMEM;
}

static uint32_t flags_of(rask_plan *plan, const rask_node *node)
{
    plan->io_tasks += (rk_node_def(node)->flags & RASK_IO) != 0;
    return (node->flags & RK_NODE_CHECK ? RK_TASK_CHECK : 0) |
           (node->flags & RK_NODE_EXTRA ? RK_TASK_EXTRA : 0);
}

/* A task without its arguments: the number of its node is in number[] from here on. */
static uint32_t begin_task(rask_plan *plan, const rask_node *node, uint32_t *number)
{
    uint32_t task = plan->tasks++;
    number[node->id] = task;
    plan->node[task] = node->id;
    plan->def[task] = flags_of(plan, node) | node->def;
    return task;
}

/* Arguments of all tasks, when the plan keeps the graph's order and all its words. */
static void copy_tasks(const rk_planner *p, rask_plan *plan, uint32_t *number)
{
    for (uint32_t id = 0; id < p->nodes; id++) {
        begin_task(plan, rk_graph_node(p->graph, id), number);
        plan->arg_start[id] = p->pred_start[id];
        plan->unit_start[id] = id;
    }
    plan->arg_start[p->nodes] = (uint32_t)p->words;
    plan->unit_start[p->nodes] = p->nodes;
    memcpy(plan->args, p->pool, p->words * sizeof *plan->args);
    for (uint64_t i = 0; i < p->words; i++)
        plan->uses[p->pool[i]]++;
}

static bool keeps_order(const rk_planner *p)
{
    for (uint32_t k = 0; k < p->units; k++)
        if (p->order[k] != k)
            return false;
    return true;
}

/* One task, with its arguments. */
static void emit_task(const rk_planner *p, rask_plan *plan, uint32_t id, uint32_t *number)
{
    const rask_node *node = rk_graph_node(p->graph, id);
    uint32_t task = begin_task(plan, node, number), at = plan->arg_start[task];
    const uint32_t *args = rk_node_args(node);
    for (uint32_t i = 0, n = rk_node_words(node); i < n; i++) {
        uint32_t word = rk_word(p, args[i]);
        if (!(word & RK_CONSTANT)) {
            word = number[word];
            plan->uses[word] += i < node->nargs;
        }
        plan->args[at++] = word;
    }
    plan->arg_start[task + 1] = at;
}

static void emit_targets(const rk_planner *p, rask_plan *plan, const uint32_t *number)
{
    plan->target_count = (uint32_t)p->target_count;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const rask_node *node = p->targets[i];
        uint32_t word = node->flags & RK_NODE_CONST ? rk_node_args(node)[0] : rk_word(p, node->id);
        if (!(word & RK_CONSTANT)) {
            word = number[word];
            plan->uses[word]++;
        }
        plan->targets[i] = word;
    }
}

/* number: scratch by node; may be the memory of unit_of, which nobody reads after unite. */
int rk_plan_emit_tasks(rk_planner *p, rask_plan *plan)
{
    if (p->words >= RK_MAX_ARGUMENTS)
        return RASK_ELIMIT;
    int status = alloc_tasks(p, plan, p->words);
    if (status)
        return status;
    plan->arg_start[0] = plan->unit_start[0] = 0;
    bool copied = p->pool && keeps_order(p);
    if (copied)
        copy_tasks(p, plan, p->unit_of);
    for (uint32_t k = 0; k < p->units && !copied; k++) {
        uint32_t u = p->order[k];
        for (uint32_t m = rk_first_member(p, u), end = rk_first_member(p, u + 1); m < end; m++)
            emit_task(p, plan, rk_member(p, m), p->unit_of);
        plan->unit_start[k + 1] = plan->tasks;
    }
    emit_targets(p, plan, p->unit_of);
    return RASK_OK;
}

/* Where the edges into one unit go: straight to it, or through a tree of joins whose lowest level is first.
 */
typedef struct funnel {
    uint32_t unit, first, edges, seen;
} funnel;

static funnel funnel_init(rask_plan *plan, uint32_t unit, uint32_t edges, uint32_t *next_join)
{
    funnel f = {unit, *next_join, edges, 0};
    *next_join += (uint32_t)join_count(edges);
    plan->join[unit] = edges;
    return f;
}

static uint32_t funnel_next(funnel *f)
{
    return f->edges > RK_JOIN_FAN_IN ? f->first + f->seen++ / RK_JOIN_FAN_IN : f->unit;
}

/* Edges and counters inside the tree of joins. */
static void emit_joins(rask_plan *plan, const funnel *f)
{
    uint32_t level = f->first, below = f->edges;
    while (below > RK_JOIN_FAN_IN) {
        uint32_t count = (below + RK_JOIN_FAN_IN - 1) / RK_JOIN_FAN_IN, above = level + count;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t rest = below - i * RK_JOIN_FAN_IN;
            plan->join[level + i] = rest < RK_JOIN_FAN_IN ? rest : RK_JOIN_FAN_IN;
            plan->succ[plan->succ_start[level + i]] =
                count > RK_JOIN_FAN_IN ? above + i / RK_JOIN_FAN_IN : f->unit;
        }
        level = above;
        below = count;
    }
    plan->join[f->unit] = below;
}

/* Edges into unit k from the units pred[0 … edges - 1] of before the ordering, straight or through joins. */
static void emit_edges_into(rask_plan *plan, uint32_t k, const uint32_t *pred, uint32_t edges,
                            const uint32_t *rank, uint32_t *cursor, uint32_t *next_join)
{
    funnel f = funnel_init(plan, k, edges, next_join);
    if (edges <= RK_JOIN_FAN_IN) {
        for (uint32_t e = 0; e < edges; e++)
            plan->succ[cursor[rank[pred[e]]]++] = k;
        return;
    }
    for (uint32_t e = 0; e < edges; e++)
        plan->succ[cursor[rank[pred[e]]]++] = funnel_next(&f);
    emit_joins(plan, &f);
}

/* Units with so many successors each; a unit without any leads to the end. */
static uint32_t start_edges(const rk_planner *p, rask_plan *plan, uint32_t *sinks)
{
    uint32_t edges = 0;
    *sinks = 0;
    for (uint32_t k = 0; k < p->units; k++) {
        uint32_t out = degree(p->succ_start, p->order[k]);
        *sinks += !out;
        plan->succ_start[k] = edges;
        edges += out ? out : 1;
    }
    for (uint32_t k = p->units; k < plan->all_units; k++, edges++)
        plan->succ_start[k] = edges;
    plan->succ_start[plan->all_units - 1] = plan->succ_start[plan->all_units] = edges - 1;
    return edges - 1;
}

/* cursor[k]: where the next edge out of k goes. */
static void emit_units(const rk_planner *p, rask_plan *plan, const uint32_t *rank, uint32_t *cursor,
                       uint32_t sinks)
{
    uint32_t next_join = p->units, end = plan->all_units - 1;
    memcpy(cursor, plan->succ_start, p->units * sizeof *cursor);
    for (uint32_t k = 0; k < p->units; k++) {
        uint32_t u = p->order[k];
        emit_edges_into(plan, k, p->pred + p->pred_start[u], degree(p->pred_start, u), rank, cursor,
                        &next_join);
    }
    funnel f = funnel_init(plan, end, sinks, &next_join);
    for (uint32_t k = 0; k < p->units; k++)
        if (!degree(p->succ_start, p->order[k]))
            plan->succ[cursor[k]] = funnel_next(&f);
    emit_joins(plan, &f);
}

static uint64_t count_joins(const rk_planner *p)
{
    uint64_t joins = 0;
    uint32_t sinks = 0;
    for (uint32_t u = 0; u < p->units; u++) {
        uint32_t in = degree(p->pred_start, u);
        if (in > RK_JOIN_FAN_IN)
            joins += join_count(in);
        sinks += !degree(p->succ_start, u);
    }
    return joins + join_count(sinks);
}

static int emit_roots(rask_plan *plan)
{
    for (uint32_t k = 0; k < plan->units; k++)
        plan->root_count += !plan->join[k];
    plan->roots = array(plan->root_count);
    if (!plan->roots)
        return RASK_ENOMEM;
    for (uint32_t k = 0, i = 0; k < plan->units; k++)
        if (!plan->join[k])
            plan->roots[i++] = k;
    return RASK_OK;
}

static int emit_between_units(const rk_planner *p, rask_plan *plan, uint32_t *rank)
{
    uint32_t sinks;
    plan->succ = array(start_edges(p, plan, &sinks));
    if (!plan->succ)
        return RASK_ENOMEM;
    for (uint32_t k = 0; k < p->units; k++)
        rank[p->order[k]] = k;
    emit_units(p, plan, rank, rank + p->units, sinks);
    return emit_roots(plan);
}

int rk_plan_emit_edges(rk_planner *p, rask_plan *plan)
{
    uint64_t all = p->units + count_joins(p) + 1;
    if (all >= RK_CONSTANT || p->edges + all > UINT32_MAX)
        return RASK_ELIMIT;
    plan->units = p->units;
    plan->all_units = (uint32_t)all;
    plan->join = array(all);
    plan->succ_start = array(all + 1);
    uint32_t *rank = array(2 * (size_t)p->units);
    if (!plan->join || !plan->succ_start || !rank) {
        rk_free(rank);
        return RASK_ENOMEM;
    }
    int status = emit_between_units(p, plan, rank);
    rk_free(rank);
    return status;
}
