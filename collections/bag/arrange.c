/* Builders of what takes, brings together and rearranges records. */
#include "collections/bag/bag.h"
#include "collections/bag/made.h"

#define SITE(name)                                                                                           \
    {                                                                                                        \
        (name), file, line                                                                                   \
    }

static bool is_usable(const rask_bag *bag)
{
    return bag && !bag->graph->status;
}

rask_bag *rk_build_bag_take(rask_bag *bag, uint64_t count, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_take");
    rask_bag *made = is_usable(bag) ? rk_bag_new(bag->graph, RK_BAG_TAKE, &bag, 1, NULL, &site) : NULL;
    if (made)
        made->as.limit = count;
    return made;
}

/* -- Functions of many records */

static rask_bag *new_gathering(rask_bag *bag, rk_bag_kind kind, const rask_bag_gathering *function,
                               const rk_bag_site *site)
{
    rk_shape shape;
    if (!is_usable(bag))
        return NULL;
    const rask_bag_gathering *kept = rk_bag_keep_gathering(bag, function, &shape, site);
    rask_bag *made = kept ? rk_bag_new(bag->graph, kind, &bag, 1, &shape, site) : NULL;
    if (made)
        made->as.gathering = kept;
    return made;
}

rask_bag *rk_build_bag_groupby(rask_bag *bag, const rask_bag_gathering *function, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_groupby");
    return new_gathering(bag, RK_BAG_GROUPS, function, &site);
}

rask_bag *rk_build_bag_map_partitions(rask_bag *bag, const rask_bag_gathering *function, const char *file,
                                      int line)
{
    const rk_bag_site site = SITE("rask_bag_map_partitions");
    return new_gathering(bag, RK_BAG_PARTS, function, &site);
}

/* -- Two bags */

static bool is_one_graph(const rask_bag *left, const rask_bag *right, const rk_bag_site *site)
{
    if (!is_usable(left) || !right)
        return false;
    if (left->graph != right->graph)
        rk_bag_refuse(left->graph, RASK_EINVAL, site, "bags of different graphs");
    return !left->graph->status;
}

rask_bag *rk_build_bag_join(rask_bag *left, rask_bag *right, rask_join_how how, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_join");
    if (!is_one_graph(left, right, &site))
        return NULL;
    rk_shape shape = left->shape;
    rask_bag *const inputs[] = {left, right};
    if ((uint32_t)how > RASK_JOIN_ANTI)
        return rk_bag_refuse(left->graph, RASK_EINVAL, &site, "no such join");
    if (left->shape.types[0] != right->shape.types[0] || left->shape.sizes[0] != right->shape.sizes[0])
        return rk_bag_refuse(left->graph, RASK_ETYPE, &site, "keys of different types: \"%s\" and \"%s\"",
                             left->shape.types, right->shape.types);
    bool pairs = how != RASK_JOIN_SEMI && how != RASK_JOIN_ANTI;
    if (pairs && rk_shape_append(&shape, &right->shape, 1, right->shape.count - 1))
        return rk_bag_refuse(left->graph, RASK_ELIMIT, &site, "more than %d fields", RASK_MAX_FIELDS);
    rask_bag *made = rk_bag_new(left->graph, RK_BAG_JOIN, inputs, 2, &shape, &site);
    if (made)
        made->as.join = how;
    return made;
}

rask_bag *rk_build_bag_zip(rask_bag *left, rask_bag *right, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_zip");
    if (!is_one_graph(left, right, &site))
        return NULL;
    rk_shape shape = left->shape;
    rask_bag *const inputs[] = {left, right};
    if (rk_shape_append(&shape, &right->shape, 0, right->shape.count))
        return rk_bag_refuse(left->graph, RASK_ELIMIT, &site, "more than %d fields", RASK_MAX_FIELDS);
    return rk_bag_new(left->graph, RK_BAG_ZIP, inputs, 2, &shape, &site);
}

/* -- Parts */

rask_bag *rk_build_bag_concat(rask_bag *const *bags, uint32_t count, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_concat");
    if (!bags || !count || !is_usable(bags[0]))
        return NULL;
    for (uint32_t i = 1; i < count && bags[i]; i++)
        if (!rk_shape_equal(&bags[i]->shape, &bags[0]->shape))
            return rk_bag_refuse(bags[0]->graph, RASK_ETYPE, &site, "different records: \"%s\" and \"%s\"",
                                 bags[0]->shape.types, bags[i]->shape.types);
    return rk_bag_new(bags[0]->graph, RK_BAG_CONCAT, bags, count, NULL, &site);
}

rask_bag *rk_build_bag_repartition(rask_bag *bag, uint32_t parts, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_repartition");
    if (!is_usable(bag))
        return NULL;
    if (!parts || parts > RK_MAX_BAG_PARTS)
        return rk_bag_refuse(bag->graph, RASK_EINVAL, &site, "%u parts, not 1 to %d", parts,
                             RK_MAX_BAG_PARTS);
    rask_bag *made = rk_bag_new(bag->graph, RK_BAG_REPARTITION, &bag, 1, NULL, &site);
    if (made)
        made->as.parts = parts;
    return made;
}
