/* rask-arrow: buffers of Arrow's batches, encoded and decoded. */
#include "collections/table/modules/bodies.h"

#include <lz4frame.h>
#include <zstd.h>

enum { USUAL_ZSTD = 1 };

static const char no_memory[] = "out of memory", damaged[] = "is damaged",
                  another_size[] = "holds more or fewer bytes than it says";

static int wrong(int status, const char *what, const char **reason)
{
    *reason = what;
    return status;
}

/* -- LZ4 */

/* One frame, and nothing behind it. */
static int decode_frame(LZ4F_dctx *d, const char *data, size_t len, char *out, size_t size,
                        const char **reason)
{
    size_t from = 0, to = 0, hint, used, made;
    do {
        used = len - from;
        made = size - to;
        hint = LZ4F_decompress(d, out + to, &made, data + from, &used, NULL);
        if (LZ4F_isError(hint))
            return wrong(RASK_EFORMAT, damaged, reason);
        from += used;
        to += made;
    } while (hint && (used || made));
    return hint || from < len || to < size ? wrong(RASK_EFORMAT, another_size, reason) : RASK_OK;
}

static int decode_lz4(const void *data, size_t len, void *out, size_t size, const char **reason)
{
    LZ4F_dctx *d;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION)))
        return wrong(RASK_ENOMEM, no_memory, reason);
    int status = decode_frame(d, data, len, out, size, reason);
    LZ4F_freeDecompressionContext(d);
    return status;
}

/* -- Zstandard */

static int decode_zstd(const void *data, size_t len, void *out, size_t size, const char **reason)
{
    size_t made = ZSTD_decompress(out, size, data, len);
    if (ZSTD_isError(made))
        return wrong(RASK_EFORMAT, ZSTD_getErrorName(made), reason);
    return made == size ? RASK_OK : wrong(RASK_EFORMAT, another_size, reason);
}

/* -- Both */

static int decode(rk_body_codec codec, const void *data, size_t len, void *out, size_t size,
                  const char **reason)
{
    return (codec == RK_BODY_ZSTD ? decode_zstd : decode_lz4)(data, len, out, size, reason);
}

static size_t bound(rk_body_codec codec, size_t len)
{
    return codec == RK_BODY_ZSTD ? ZSTD_compressBound(len) : LZ4F_compressFrameBound(len, NULL);
}

static int encode(rk_body_codec codec, const void *data, size_t len, void *out, size_t *out_len,
                  const char **reason)
{
    size_t room = bound(codec, len);
    bool zstd = codec == RK_BODY_ZSTD;
    size_t made = zstd ? ZSTD_compress(out, room, data, len, USUAL_ZSTD)
                       : LZ4F_compressFrame(out, room, data, len, NULL);
    if (zstd ? ZSTD_isError(made) : LZ4F_isError(made))
        return wrong(RASK_ENOMEM, no_memory, reason);
    *out_len = made;
    return RASK_OK;
}

RASK_API extern const rk_bodies_module rask_module;
const rk_bodies_module rask_module = {
    .head = RK_MODULE_HEAD(rk_bodies_module),
    .decode = decode,
    .bound = bound,
    .encode = encode,
};
