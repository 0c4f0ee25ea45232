#include "collections/array/files/codecs.h"

#include "collections/files/file.h"

const rk_codecs_module *rk_codecs_load(const char *path, rk_open_error *error)
{
    char reason[512] = "";
    const void *module;
    if (rk_module_open(RK_CODECS_MODULE, sizeof(rk_codecs_module), &module, reason, sizeof reason) == RASK_OK)
        return module;
    return rk_open_fail(
        error, RASK_EUNSUPPORTED,
        "%s: what is compressed needs the module " RK_CODECS_MODULE
        " of Rask (%s): install the packages libdeflate0, libzstd1, libblosc1 and " RK_CODECS_MODULE,
        path, reason);
}
