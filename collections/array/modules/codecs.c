/* rask-codecs: chunks of Zarr stores, encoded and decoded. */
#include "collections/array/modules/codecs.h"

#include <blosc.h>
#include <libdeflate.h>
#include <limits.h>
#include <zstd.h>

enum { USUAL_DEFLATE = 5, MOST_DEFLATE = 12, USUAL_ZSTD = 3, USUAL_BLOSC = 5, MOST_BLOSC = 9 };

static int wrong(int status, const char *what, const char **reason)
{
    *reason = what;
    return status;
}

static int decode_zlib(struct libdeflate_decompressor *d, const void *data, size_t len, void *out,
                       size_t capacity, size_t *out_len)
{
    return libdeflate_zlib_decompress(d, data, len, out, capacity, out_len);
}

/* One member after another, as gzip(1) reads them. */
static int decode_gzip(struct libdeflate_decompressor *d, const void *data, size_t len, void *out,
                       size_t capacity, size_t *out_len)
{
    size_t from = 0, to = 0, used, made;
    int outcome = LIBDEFLATE_SUCCESS;
    do {
        outcome = libdeflate_gzip_decompress_ex(d, (const char *)data + from, len - from, (char *)out + to,
                                                capacity - to, &used, &made);
        if (outcome == LIBDEFLATE_SUCCESS) {
            from += used;
            to += made;
        }
    } while (outcome == LIBDEFLATE_SUCCESS && from < len);
    *out_len = to;
    return outcome;
}

static int decode_deflate(rk_codec codec, const void *data, size_t len, void *out, size_t capacity,
                          size_t *out_len, const char **reason)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    if (!d)
        return wrong(RASK_ENOMEM, "out of memory", reason);
    int outcome = (codec == RK_CODEC_GZIP ? decode_gzip : decode_zlib)(d, data, len, out, capacity, out_len);
    libdeflate_free_decompressor(d);
    if (outcome == LIBDEFLATE_INSUFFICIENT_SPACE)
        return wrong(RASK_EFORMAT, "holds more than a chunk", reason);
    return outcome ? wrong(RASK_EFORMAT, "is damaged", reason) : RASK_OK;
}

static int decode_zstd(const void *data, size_t len, void *out, size_t capacity, size_t *out_len,
                       const char **reason)
{
    size_t made = ZSTD_decompress(out, capacity, data, len);
    if (ZSTD_isError(made))
        return wrong(RASK_EFORMAT, ZSTD_getErrorName(made), reason);
    *out_len = made;
    return RASK_OK;
}

static int decode_blosc(const void *data, size_t len, void *out, size_t capacity, size_t *out_len,
                        const char **reason)
{
    size_t promised;
    if (blosc_cbuffer_validate(data, len, &promised))
        return wrong(RASK_EFORMAT, "is damaged", reason);
    if (promised > capacity)
        return wrong(RASK_EFORMAT, "holds more than a chunk", reason);
    int made = promised ? blosc_decompress_ctx(data, out, capacity, 1) : 0;
    if (made == -5)
        return wrong(RASK_EUNSUPPORTED, "is compressed in a way that this Blosc lacks", reason);
    if (made < 0 || (size_t)made != promised)
        return wrong(RASK_EFORMAT, "is damaged", reason);
    *out_len = promised;
    return RASK_OK;
}

static int decode(rk_codec codec, const void *data, size_t len, void *out, size_t capacity, size_t *out_len,
                  const char **reason)
{
    switch (codec) {
    case RK_CODEC_GZIP:
    case RK_CODEC_ZLIB: return decode_deflate(codec, data, len, out, capacity, out_len, reason);
    case RK_CODEC_ZSTD: return decode_zstd(data, len, out, capacity, out_len, reason);
    case RK_CODEC_BLOSC: return decode_blosc(data, len, out, capacity, out_len, reason);
    default: return wrong(RASK_EUNSUPPORTED, "is compressed in an unknown way", reason);
    }
}

static size_t bound(rk_codec codec, size_t len)
{
    switch (codec) {
    case RK_CODEC_GZIP: return libdeflate_gzip_compress_bound(NULL, len);
    case RK_CODEC_ZLIB: return libdeflate_zlib_compress_bound(NULL, len);
    case RK_CODEC_ZSTD: return ZSTD_compressBound(len);
    default: return len + BLOSC_MAX_OVERHEAD;
    }
}

static int level_or(int level, int usual, int most)
{
    return !level ? usual : level > most ? most : level < 0 ? 1 : level;
}

static int encode_deflate(rk_codec codec, int level, const void *data, size_t len, void *out, size_t *out_len,
                          const char **reason)
{
    struct libdeflate_compressor *c =
        libdeflate_alloc_compressor(level_or(level, USUAL_DEFLATE, MOST_DEFLATE));
    if (!c)
        return wrong(RASK_ENOMEM, "out of memory", reason);
    size_t room = bound(codec, len);
    *out_len = codec == RK_CODEC_GZIP ? libdeflate_gzip_compress(c, data, len, out, room)
                                      : libdeflate_zlib_compress(c, data, len, out, room);
    libdeflate_free_compressor(c);
    return *out_len ? RASK_OK : wrong(RASK_ENOMEM, "cannot be compressed", reason);
}

static int encode_zstd(int level, const void *data, size_t len, void *out, size_t *out_len,
                       const char **reason)
{
    size_t made =
        ZSTD_compress(out, ZSTD_compressBound(len), data, len, level_or(level, USUAL_ZSTD, ZSTD_maxCLevel()));
    if (ZSTD_isError(made))
        return wrong(RASK_ENOMEM, ZSTD_getErrorName(made), reason);
    *out_len = made;
    return RASK_OK;
}

static int encode_blosc(int level, size_t size, const void *data, size_t len, void *out, size_t *out_len,
                        const char **reason)
{
    if (len > BLOSC_MAX_BUFFERSIZE)
        return wrong(RASK_ELIMIT, "is too large a chunk for Blosc", reason);
    int made = blosc_compress_ctx(level_or(level, USUAL_BLOSC, MOST_BLOSC), BLOSC_SHUFFLE, size, len, data,
                                  out, len + BLOSC_MAX_OVERHEAD, BLOSC_LZ4_COMPNAME, 0, 1);
    if (made <= 0)
        return wrong(RASK_ENOMEM, "cannot be compressed", reason);
    *out_len = (size_t)made;
    return RASK_OK;
}

static int encode(rk_codec codec, int level, size_t size, const void *data, size_t len, void *out,
                  size_t *out_len, const char **reason)
{
    switch (codec) {
    case RK_CODEC_GZIP:
    case RK_CODEC_ZLIB: return encode_deflate(codec, level, data, len, out, out_len, reason);
    case RK_CODEC_ZSTD: return encode_zstd(level, data, len, out, out_len, reason);
    case RK_CODEC_BLOSC: return encode_blosc(level, size, data, len, out, out_len, reason);
    default: return wrong(RASK_EUNSUPPORTED, "cannot be compressed in an unknown way", reason);
    }
}

RASK_API extern const rk_codecs_module rask_module;
const rk_codecs_module rask_module = {
    .head = RK_MODULE_HEAD(rk_codecs_module),
    .decode = decode,
    .bound = bound,
    .encode = encode,
};
