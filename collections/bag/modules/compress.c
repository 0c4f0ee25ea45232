/* rask-compress: gzip by zlib, zstd by libzstd, each where it was found. */
#include "collections/bag/modules/compress.h"

#ifdef RASK_WITH_ZLIB
#    include <zlib.h>

enum { WITH_GZIP = 16, MEMORY = 8 }; /* to zlib's window bits: a gzip header; its default for memory */

static size_t gzip_bound(size_t len)
{
    return compressBound(len) + 32; /* a gzip header and trailer are longer than zlib's */
}

/* zlib counts in 32 bits. */
static uInt step(size_t len)
{
    return len < UINT32_MAX ? (uInt)len : UINT32_MAX;
}

static int gzip_run(const void *in, size_t len, void *out, size_t *out_len)
{
    z_stream z = {.next_in = (Bytef *)in, .next_out = out};
    size_t room = *out_len, left = len;
    int outcome = Z_OK;
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + WITH_GZIP, MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return RASK_ENOMEM;
    while (outcome == Z_OK) {
        uInt in_step = z.avail_in = step(left), out_step = z.avail_out = step(room);
        outcome = deflate(&z, in_step == left ? Z_FINISH : Z_NO_FLUSH);
        left -= in_step - z.avail_in;
        room -= out_step - z.avail_out;
    }
    deflateEnd(&z);
    *out_len -= room;
    return outcome == Z_STREAM_END ? RASK_OK : RASK_ELIMIT;
}

static const struct rk_compressor gzip = {gzip_bound, gzip_run};
#endif

#ifdef RASK_WITH_ZSTD
#    include <zstd.h>

static size_t zstd_bound(size_t len)
{
    return ZSTD_compressBound(len);
}

static int zstd_run(const void *in, size_t len, void *out, size_t *out_len)
{
    size_t made = ZSTD_compress(out, *out_len, in, len, ZSTD_CLEVEL_DEFAULT);
    if (ZSTD_isError(made))
        return RASK_ENOMEM;
    *out_len = made;
    return RASK_OK;
}

static const struct rk_compressor zstd = {zstd_bound, zstd_run};
#endif

RASK_API extern const rk_compress_module rask_module;
const rk_compress_module rask_module = {
    .head = RK_MODULE_HEAD(rk_compress_module),
    .compressors =
        {
#ifdef RASK_WITH_ZLIB
            [RK_COMPRESS_GZIP] = &gzip,
#endif
#ifdef RASK_WITH_ZSTD
            [RK_COMPRESS_ZSTD] = &zstd,
#endif
        },
};
