#include "tools/draw/sketch.h"

#include "core/plan/planner.h"

/* What stands for a node: itself, or the equal call it was merged into. */
static uint32_t stand_in(const rk_planner *planner, uint32_t id)
{
    uint32_t word = planner->word ? planner->word[id] : id;
    return word & RK_CONSTANT ? id : word;
}

static void mark_arguments(const rk_planner *planner, uint8_t *drawn, const rask_node *node)
{
    const uint32_t *args = rk_node_args(node);
    for (uint32_t i = 0, n = rk_node_words(node); i < n; i++)
        if (!(args[i] & RK_CONSTANT))
            drawn[stand_in(planner, args[i])] = 1;
}

/* drawn: by node. Merging leaves nodes behind that only merged calls needed, so this walks once more. Newest
 * first: a node that stands for another is older than it. */
static void mark(rk_sketch *sketch, const rk_planner *planner, uint8_t *drawn)
{
    for (size_t i = 0; i < planner->target_count; i++)
        drawn[stand_in(planner, planner->targets[i]->id)] = 1;
    for (uint32_t id = sketch->nodes; id-- > 0;) {
        if (!drawn[id])
            continue;
        const rask_node *node = rk_graph_node(sketch->graph, id);
        sketch->count++;
        if (!(node->flags & RK_NODE_CONST))
            mark_arguments(planner, drawn, node);
    }
}

static int number_items(rk_sketch *sketch, const rk_planner *planner, const uint8_t *drawn)
{
    sketch->node = rk_alloc_array(sketch->count, sizeof *sketch->node);
    sketch->target = rk_calloc(sketch->count, 1);
    sketch->item_of = rk_alloc_array(sketch->nodes, sizeof *sketch->item_of);
    if (planner->word)
        sketch->stands_for = rk_calloc(sketch->count, sizeof *sketch->stands_for);
    if (!sketch->node || !sketch->target || !sketch->item_of || (planner->word && !sketch->stands_for))
        return RASK_ENOMEM;
    uint32_t item = 0;
    for (uint32_t id = 0; id < sketch->nodes; id++) {
        sketch->item_of[id] = RK_NO_ITEM;
        if (drawn[id]) {
            sketch->node[item] = id;
            sketch->item_of[id] = item++;
        } else if (planner->word && planner->needed[id]) {
            sketch->item_of[id] = sketch->item_of[stand_in(planner, id)];
        }
        if (planner->word && sketch->item_of[id] != RK_NO_ITEM)
            sketch->stands_for[sketch->item_of[id]]++;
    }
    for (size_t i = 0; i < planner->target_count; i++)
        sketch->target[sketch->item_of[planner->targets[i]->id]] = 1;
    return RASK_OK;
}

static uint32_t *add_edges(const rk_sketch *sketch, const rask_node *node, uint32_t *end)
{
    const uint32_t *args = rk_node_args(node);
    for (uint32_t i = 0, n = rk_node_words(node); i < n; i++)
        if (!(args[i] & RK_CONSTANT))
            *end++ = sketch->item_of[args[i]] | (i < node->nargs ? 0 : RK_ORDER_ONLY);
    return end;
}

static int make_edges(rk_sketch *sketch)
{
    uint64_t words = 1;
    for (uint32_t i = 0; i < sketch->count; i++)
        words += rk_node_words(rk_sketch_node(sketch, i));
    sketch->pred_start = rk_alloc_array((size_t)sketch->count + 1, sizeof *sketch->pred_start);
    sketch->pred = rk_alloc_array(words, sizeof *sketch->pred);
    if (!sketch->pred_start || !sketch->pred)
        return RASK_ENOMEM;
    if (words > UINT32_MAX)
        return RASK_ELIMIT;
    uint32_t *end = sketch->pred;
    for (uint32_t i = 0; i < sketch->count; i++) {
        const rask_node *node = rk_sketch_node(sketch, i);
        sketch->pred_start[i] = (uint32_t)(end - sketch->pred);
        if (!(node->flags & RK_NODE_CONST))
            end = add_edges(sketch, node, end);
    }
    sketch->pred_start[sketch->count] = (uint32_t)(end - sketch->pred);
    return RASK_OK;
}

static int make(rk_sketch *sketch, const rk_planner *planner)
{
    uint8_t *drawn = rk_calloc(planner->nodes, 1);
    if (!drawn)
        return RASK_ENOMEM;
    mark(sketch, planner, drawn);
    int status = number_items(sketch, planner, drawn);
    rk_free(drawn);
    return status ? status : make_edges(sketch);
}

int rk_sketch_init(rk_sketch *sketch, rask_graph *graph, rask_node *const *targets, size_t count, bool merge)
{
    *sketch = (rk_sketch){.graph = graph};
    rk_planner planner = {.graph = graph, .targets = targets, .target_count = count};
    int status = rk_plan_cull(&planner);
    if (!status && merge)
        status = rk_plan_merge(&planner);
    sketch->nodes = planner.nodes;
    if (!status)
        status = make(sketch, &planner);
    rk_planner_fini(&planner);
    return status;
}

int rk_sketch_plan(rk_sketch *sketch, rask_node *const *targets, size_t count)
{
    int status = rask_plan_new(targets, count, &sketch->plan);
    if (status)
        return status;
    sketch->task = rk_alloc_array(sketch->count, sizeof *sketch->task);
    if (!sketch->task)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < sketch->count; i++)
        sketch->task[i] = RK_NO_ITEM;
    for (uint32_t t = 0; t < sketch->plan->tasks; t++)
        sketch->task[sketch->item_of[sketch->plan->node[t]]] = t;
    return RASK_OK;
}

void rk_sketch_fini(rk_sketch *sketch)
{
    rk_free(sketch->node);
    rk_free(sketch->pred_start);
    rk_free(sketch->pred);
    rk_free(sketch->item_of);
    rk_free(sketch->stands_for);
    rk_free(sketch->target);
    rk_free(sketch->task);
    rask_plan_free(sketch->plan);
    *sketch = (rk_sketch){0};
}

uint32_t rk_sketch_levels(const rk_sketch *sketch, uint32_t *level)
{
    uint32_t levels = 0;
    for (uint32_t i = 0; i < sketch->count; i++) {
        level[i] = 0;
        for (uint32_t e = sketch->pred_start[i]; e < sketch->pred_start[i + 1]; e++) {
            uint32_t below = level[sketch->pred[e] & ~RK_ORDER_ONLY] + 1;
            if (below > level[i])
                level[i] = below;
        }
        if (level[i] >= levels)
            levels = level[i] + 1;
    }
    return levels;
}

int rk_sketch_width(const rk_sketch *sketch, uint32_t *width)
{
    uint32_t *level = rk_calloc(2 * (size_t)sketch->count, sizeof *level);
    *width = 0;
    if (!level)
        return RASK_ENOMEM;
    uint32_t *items = level + sketch->count;
    rk_sketch_levels(sketch, level);
    for (uint32_t i = 0; i < sketch->count; i++)
        if (++items[level[i]] > *width)
            *width = items[level[i]];
    rk_free(level);
    return RASK_OK;
}
