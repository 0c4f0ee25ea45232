#include "core/graph/graph.h"
#include "core/json/json.h"

#include <string.h>
#include <xxhash.h>

struct rask_registry {
    const rask_task_def **slots; /* hash table by name; NULL is empty; at most half full */
    uint32_t slot_count;         /* a power of two, or 0 */
    uint32_t count;
};

void rask_registry_free(rask_registry *registry)
{
    if (!registry)
        return;
    rk_free(registry->slots);
    rk_free(registry);
}

/* The slot that holds name, or the empty one where it belongs. */
static const rask_task_def **slot_of(const rask_registry *registry, const char *name)
{
    uint32_t mask = registry->slot_count - 1;
    uint32_t at = (uint32_t)XXH3_64bits(name, strlen(name)) & mask;
    while (registry->slots[at] && strcmp(registry->slots[at]->name, name) != 0)
        at = (at + 1) & mask;
    return &registry->slots[at];
}

const rask_task_def *rask_registry_find(const rask_registry *registry, const char *name)
{
    return registry && name && registry->slot_count ? *slot_of(registry, name) : NULL;
}

/* Room for one more. */
static int grow(rask_registry *registry)
{
    if (registry->count == RK_MAX_DEFINITIONS)
        return RASK_ELIMIT;
    if (2 * (registry->count + 1) <= registry->slot_count)
        return RASK_OK;
    rask_registry grown = *registry;
    grown.slot_count = registry->slot_count ? 2 * registry->slot_count : 16;
    grown.slots = rk_calloc(grown.slot_count, sizeof *grown.slots);
    if (!grown.slots)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < registry->slot_count; i++)
        if (registry->slots[i])
            *slot_of(&grown, registry->slots[i]->name) = registry->slots[i];
    rk_free(registry->slots);
    *registry = grown;
    return RASK_OK;
}

int rask_registry_add(rask_registry *registry, const rask_task_def *def)
{
    if (!registry || !def || def->size < RK_LEAST_DEF_SIZE || !def->name || !*def->name || !def->call)
        return RASK_EINVAL;
    if (rask_registry_find(registry, def->name))
        return RASK_EEXIST;
    int status = grow(registry);
    if (status)
        return status;
    *slot_of(registry, def->name) = def;
    registry->count++;
    return RASK_OK;
}

rask_registry *rk_registry_new_empty(void)
{
    rask_registry *registry = rk_calloc(1, sizeof *registry);
    if (registry && !rask_registry_add(registry, &rk_list_def) && !rask_registry_add(registry, &rk_item_def))
        return registry;
    rask_registry_free(registry);
    return NULL;
}
