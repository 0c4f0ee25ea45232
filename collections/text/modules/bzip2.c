/* bzip2 by libbz2. */
#include "collections/text/modules/decoders.h"

#include <bzlib.h>

typedef struct bzip2 {
    bz_stream z;
    const rk_decompress_memory *memory;
    bool open;
} bzip2;

static void *take(void *opaque, int items, int size)
{
    return ((const rk_decompress_memory *)opaque)->alloc((size_t)items * (size_t)size);
}

static void give(void *opaque, void *ptr)
{
    ((const rk_decompress_memory *)opaque)->free(ptr);
}

static int restart(void *state)
{
    bzip2 *s = state;
    if (s->open)
        BZ2_bzDecompressEnd(&s->z);
    s->z = (bz_stream){.bzalloc = take, .bzfree = give, .opaque = (void *)s->memory};
    s->open = BZ2_bzDecompressInit(&s->z, 0, 0) == BZ_OK;
    return s->open ? RASK_OK : RASK_ENOMEM;
}

static void end(void *state)
{
    bzip2 *s = state;
    if (!s)
        return;
    if (s->open)
        BZ2_bzDecompressEnd(&s->z);
    s->memory->free(s);
}

static int begin(const rk_decompress_memory *memory, void **state)
{
    bzip2 *s = memory->alloc(sizeof *s);
    if (!s)
        return RASK_ENOMEM;
    *s = (bzip2){.memory = memory};
    if (restart(s)) {
        end(s);
        return RASK_ENOMEM;
    }
    *state = s;
    return RASK_OK;
}

static unsigned part(size_t len)
{
    return len < UINT32_MAX ? (unsigned)len : UINT32_MAX;
}

static int run(void *state, rk_decompress_io *io, const char **reason)
{
    bz_stream *z = &((bzip2 *)state)->z;
    unsigned in = z->avail_in = part(io->in_len), out = z->avail_out = part(io->out_len);
    z->next_in = (char *)io->in;
    z->next_out = (char *)io->out;
    int outcome = BZ2_bzDecompress(z);
    io->in += in - z->avail_in;
    io->in_len -= in - z->avail_in;
    io->out += out - z->avail_out;
    io->out_len -= out - z->avail_out;
    if (outcome == BZ_MEM_ERROR)
        return rk_decoder_wrong(RASK_ENOMEM, "out of memory", reason);
    if (outcome != BZ_OK && outcome != BZ_STREAM_END)
        return rk_decoder_wrong(RASK_EFORMAT, "bad checksum or damaged data", reason);
    io->ended = outcome == BZ_STREAM_END;
    return RASK_OK;
}

const rk_decoder rk_decoder_bzip2 = {begin, restart, run, end};
