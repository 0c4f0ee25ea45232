#include "collections/bag/compressor.h"

#include "collections/bag/modules/compress.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <stdio.h>
#include <string.h>

int rk_compressor_find(const char *path, const rk_compressor **compressor, char *message, size_t capacity)
{
    static const char *const endings[RK_COMPRESSORS] = {
        [RK_COMPRESS_GZIP] = ".gz", [RK_COMPRESS_ZSTD] = ".zst"};
    static const char *const libraries[RK_COMPRESSORS] = {
        [RK_COMPRESS_GZIP] = "zlib", [RK_COMPRESS_ZSTD] = "libzstd"};
    const void *loaded;
    char reason[500];
    uint32_t kind = 0;
    *compressor = NULL;
    while (kind < RK_COMPRESSORS && !rk_path_ends(path, endings[kind]))
        kind++;
    if (kind == RK_COMPRESSORS && (rk_path_ends(path, ".xz") || rk_path_ends(path, ".bz2"))) {
        snprintf(message, capacity, "%s: what is written can be compressed as .gz or .zst", path);
        return RASK_EUNSUPPORTED;
    }
    if (kind == RK_COMPRESSORS)
        return RASK_OK;
    if (rk_module_open(RK_COMPRESS_MODULE, sizeof(rk_compress_module), &loaded, reason, sizeof reason)) {
        snprintf(message, capacity,
                 "%s: what compresses is in the module " RK_COMPRESS_MODULE
                 " of Rask (%s): install the packages zlib1g, libzstd1 and " RK_COMPRESS_MODULE,
                 path, reason);
        return RASK_EUNSUPPORTED;
    }
    *compressor = ((const rk_compress_module *)loaded)->compressors[kind];
    if (*compressor)
        return RASK_OK;
    snprintf(message, capacity, "%s: this build is without %s", path, libraries[kind]);
    return RASK_EUNSUPPORTED;
}

int rk_compressor_run(const rk_compressor *compressor, rask_bytes text, rask_value *out, char *message,
                      size_t capacity)
{
    size_t bound = compressor->bound(text.len), len = bound;
    char *buffer = rk_alloc(bound);
    if (!buffer)
        return RASK_ENOMEM;
    int status = compressor->run(text.data, text.len, buffer, &len);
    if (status)
        snprintf(message, capacity, "compressing %zu bytes failed: %s", text.len, rask_status_text(status));
    else
        status = rask_value_bytes_new(buffer, len, out);
    rk_free(buffer);
    return status;
}
