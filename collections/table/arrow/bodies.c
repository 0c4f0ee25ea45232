#include "collections/table/arrow/bodies.h"

const rk_bodies_module *rk_bodies_load(const char *path, rk_open_error *error)
{
    char reason[512] = "";
    const void *module;
    if (rk_module_open(RK_BODIES_MODULE, sizeof(rk_bodies_module), &module, reason, sizeof reason) == RASK_OK)
        return module;
    return rk_open_fail(error, RASK_EUNSUPPORTED,
                        "%s: compressed batches need the module " RK_BODIES_MODULE
                        " of Rask (%s): install the packages liblz4-1, libzstd1 and " RK_BODIES_MODULE,
                        path, reason);
}
