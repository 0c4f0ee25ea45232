/* What may go to another process. */
#include "schedulers/processes/travel.h"

#include "core/graph/graph.h"
#include "core/value/tree.h"

enum { LEAST_ADDRESS = 1 << 16 };

bool rk_may_travel_def(const rk_modules *modules, const rask_task_def *def)
{
    return rk_modules_have(modules, def) && rk_modules_have(modules, (const void *)def->call) &&
           (!RK_DEF_HAS(def, retry_if) || !def->retry_if ||
            rk_modules_have(modules, (const void *)def->retry_if));
}

/* What it points to may have been made, or changed, since the processes parted. Most numbers are too small for that. */
bool rk_may_be_address(const rask_value *value)
{
    return value->type == RASK_I64 && value->as.i64 >= LEAST_ADDRESS &&
           rk_system_is_mapped((uint64_t)value->as.i64);
}

static bool may_travel_custom(const rk_modules *modules, const rask_value *value)
{
    const rask_class *cls = rk_value_class(value);
    return cls->encode && cls->decode && rk_modules_have(modules, cls);
}

bool rk_may_travel_value(const rk_modules *modules, const rask_value *value)
{
    if (!rk_value_is_object(value))
        return !rk_may_be_address(value);
    if (value->type != RASK_LIST)
        return value->type != RASK_CUSTOM || may_travel_custom(modules, value);
    bool may = true;
    rk_tree_walk walk;
    for (rk_tree_walk_init(&walk, value); walk.at && may;) {
        may = walk.at->type != RASK_CUSTOM || may_travel_custom(modules, walk.at);
        may &= !rk_tree_walk_on(&walk);
    }
    rk_tree_walk_fini(&walk);
    return may;
}

bool rk_may_travel_node(const rk_modules *modules, const rask_node *node)
{
    const rask_graph *graph = node->graph;
    const rask_task_def *const *defs = graph->definitions.data;
    bool may = true;
    for (size_t i = 0; i < graph->definitions.count && may; i++)
        may = rk_may_travel_def(modules, defs[i]);
    for (size_t i = 0; i < graph->constants.count && may; i++)
        may = rk_may_travel_value(modules, rk_graph_constant(graph, (uint32_t)i));
    return may;
}
