/* gzip by zlib. */
#include "collections/text/modules/decoders.h"

#include <string.h>
#include <zlib.h>

enum { WITH_GZIP = 16 }; /* to zlib's window bits: header and trailer are read and checked */

typedef struct zlib {
    z_stream z;
    const rk_decompress_memory *memory;
} zlib;

static voidpf take(voidpf opaque, uInt items, uInt size)
{
    return ((const rk_decompress_memory *)opaque)->alloc((size_t)items * size);
}

static void give(voidpf opaque, voidpf ptr)
{
    ((const rk_decompress_memory *)opaque)->free(ptr);
}

static int begin(const rk_decompress_memory *memory, void **state)
{
    zlib *s = memory->alloc(sizeof *s);
    if (!s)
        return RASK_ENOMEM;
    *s = (zlib){.z = {.zalloc = take, .zfree = give, .opaque = (voidpf)memory}, .memory = memory};
    if (inflateInit2(&s->z, MAX_WBITS + WITH_GZIP) != Z_OK) {
        memory->free(s);
        return RASK_ENOMEM;
    }
    *state = s;
    return RASK_OK;
}

static int restart(void *state)
{
    return inflateReset(&((zlib *)state)->z) == Z_OK ? RASK_OK : RASK_ENOMEM;
}

static const char *reason_of(const z_stream *z)
{
    const char *text = z->msg ? z->msg : "";
    return strstr(text, "check")    ? "bad checksum or length"
           : strstr(text, "header") ? "bad header"
           : strstr(text, "method") ? "unknown method of compression"
                                    : "damaged data";
}

static uInt part(size_t len)
{
    return len < UINT32_MAX ? (uInt)len : UINT32_MAX;
}

static int run(void *state, rk_decompress_io *io, const char **reason)
{
    z_stream *z = &((zlib *)state)->z;
    uInt in = z->avail_in = part(io->in_len), out = z->avail_out = part(io->out_len);
    z->next_in = (Bytef *)io->in;
    z->next_out = io->out;
    int outcome = inflate(z, Z_NO_FLUSH);
    io->in += in - z->avail_in;
    io->in_len -= in - z->avail_in;
    io->out += out - z->avail_out;
    io->out_len -= out - z->avail_out;
    if (outcome == Z_MEM_ERROR)
        return rk_decoder_wrong(RASK_ENOMEM, "out of memory", reason);
    if (outcome != Z_OK && outcome != Z_STREAM_END && outcome != Z_BUF_ERROR)
        return rk_decoder_wrong(RASK_EFORMAT, reason_of(z), reason);
    io->ended = outcome == Z_STREAM_END;
    return RASK_OK;
}

static void end(void *state)
{
    zlib *s = state;
    if (!s)
        return;
    inflateEnd(&s->z);
    s->memory->free(s);
}

const rk_decoder rk_decoder_zlib = {begin, restart, run, end};
