/* The registry that users start from: what core knows, and the built-in calls on lists. */
#include "collections/delayed/delayed.h"

#include "core/json/json.h"

rask_registry *rask_registry_new(void)
{
    static const rask_task_def *const built_in[] = {&rk_sum_def, &rk_min_def, &rk_max_def, &rk_concat_def};
    rask_registry *registry = rk_registry_new_empty();
    for (size_t i = 0; registry && i < sizeof built_in / sizeof *built_in; i++)
        if (rask_registry_add(registry, built_in[i])) {
            rask_registry_free(registry);
            registry = NULL;
        }
    return registry;
}
