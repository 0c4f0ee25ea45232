#include "core/json/json.h"

#include <string.h>
#include <xxhash.h>

struct rask_registry {
    rk_array definitions; /* const rask_task_def * */
    uint32_t *slots;      /* index + 1, 0 is empty; at most half full */
    uint32_t slot_count;  /* a power of two, or 0 */
};

rask_registry *rk_registry_new_empty(void)
{
    rask_registry *registry = rk_calloc(1, sizeof *registry);
    if (registry)
        registry->definitions = (rk_array)RK_ARRAY(const rask_task_def *, RK_MAX_DEFINITIONS);
    return registry;
}

void rask_registry_free(rask_registry *registry)
{
    if (!registry)
        return;
    rk_array_fini(&registry->definitions);
    rk_free(registry->slots);
    rk_free(registry);
}

static const rask_task_def *definition(const rask_registry *registry, uint32_t index)
{
    return ((const rask_task_def *const *)registry->definitions.data)[index];
}

/* The slot that holds name, or the empty one where it belongs. */
static uint32_t slot_of(const rask_registry *registry, const char *name)
{
    uint32_t mask = registry->slot_count - 1;
    uint32_t at = (uint32_t)XXH3_64bits(name, strlen(name)) & mask;
    while (registry->slots[at] && strcmp(definition(registry, registry->slots[at] - 1)->name, name) != 0)
        at = (at + 1) & mask;
    return at;
}

const rask_task_def *rask_registry_find(const rask_registry *registry, const char *name)
{
    if (!registry || !name || !registry->slot_count)
        return NULL;
    uint32_t entry = registry->slots[slot_of(registry, name)];
    return entry ? definition(registry, entry - 1) : NULL;
}

/* Room for one more. */
static int grow(rask_registry *registry)
{
    int status = rk_array_reserve(&registry->definitions, 1);
    uint32_t count = (uint32_t)registry->definitions.count;
    if (status || 2 * (count + 1) <= registry->slot_count)
        return status;
    uint32_t slot_count = registry->slot_count ? 2 * registry->slot_count : 16;
    uint32_t *slots = rk_calloc(slot_count, sizeof *slots);
    if (!slots)
        return RASK_ENOMEM;
    rk_free(registry->slots);
    registry->slots = slots;
    registry->slot_count = slot_count;
    for (uint32_t i = 0; i < count; i++)
        slots[slot_of(registry, definition(registry, i)->name)] = i + 1;
    return RASK_OK;
}

int rask_registry_add(rask_registry *registry, const rask_task_def *def)
{
    if (!registry || !def || def->size < sizeof *def || !def->name || !*def->name || !def->call)
        return RASK_EINVAL;
    if (rask_registry_find(registry, def->name))
        return RASK_EEXIST;
    int status = grow(registry);
    if (status)
        return status;
    *(const rask_task_def **)rk_array_push(&registry->definitions) = def;
    registry->slots[slot_of(registry, def->name)] = (uint32_t)registry->definitions.count;
    return RASK_OK;
}
