#include "collections/text/decoder.h"

#include "collections/text/magic.h"

#include <assert.h>

static const char *const libraries[RK_COMPRESSIONS] = {
    [RK_GZIP] = "ISA-L (libisal-dev) or zlib (zlib1g-dev)",
    [RK_BGZF] = "ISA-L (libisal-dev) or zlib (zlib1g-dev)",
    [RK_ZSTD] = "libzstd (libzstd-dev)",
    [RK_XZ] = "liblzma (liblzma-dev)",
    [RK_BZIP2] = "libbz2 (libbz2-dev)",
};

int rk_decoder_find(rk_compression compression, const char *path, const rk_decoder **decoder,
                    rk_text_error *error)
{
    char reason[300] = "";
    const void *found;
    assert(compression > RK_PLAIN && compression < RK_COMPRESSIONS);
    if (rk_module_open(RK_DECOMPRESS_MODULE, sizeof(rk_decompress_module), &found, reason, sizeof reason))
        return rk_text_fail(error, RASK_EUNSUPPORTED, path,
                            "what is compressed needs the module " RK_DECOMPRESS_MODULE
                            " of Rask (%s): install the packages libisal2, libzstd1, liblzma5, libbz2-1.0 "
                            "and " RK_DECOMPRESS_MODULE,
                            reason);
    const rk_decompress_module *module = found;
    if (!module->decoders[compression])
        return rk_text_fail(error, RASK_EUNSUPPORTED, path,
                            "%s: the module " RK_DECOMPRESS_MODULE " was built without %s",
                            rk_compression_name(compression), libraries[compression]);
    *decoder = module->decoders[compression];
    return RASK_OK;
}
