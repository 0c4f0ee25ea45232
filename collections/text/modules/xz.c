/* xz by liblzma. */
#include "collections/text/modules/decoders.h"

#include <lzma.h>

#define MOST_MEMORY ((uint64_t)256 << 20) /* xz -9 needs 65 MiB */

typedef struct xz {
    lzma_stream z;
    lzma_allocator allocator;
    const rk_decompress_memory *memory;
} xz;

static void *take(void *opaque, size_t items, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(items, size, &bytes) ? NULL
                                                       : ((const rk_decompress_memory *)opaque)->alloc(bytes);
}

static void give(void *opaque, void *ptr)
{
    ((const rk_decompress_memory *)opaque)->free(ptr);
}

/* On a stream that was used already, it takes its memory over. */
static int restart(void *state)
{
    return lzma_stream_decoder(&((xz *)state)->z, MOST_MEMORY, LZMA_TELL_UNSUPPORTED_CHECK) == LZMA_OK
               ? RASK_OK
               : RASK_ENOMEM;
}

static void end(void *state)
{
    xz *s = state;
    if (!s)
        return;
    lzma_end(&s->z);
    s->memory->free(s);
}

static int begin(const rk_decompress_memory *memory, void **state)
{
    xz *s = memory->alloc(sizeof *s);
    if (!s)
        return RASK_ENOMEM;
    *s = (xz){.z = LZMA_STREAM_INIT, .allocator = {take, give, (void *)memory}, .memory = memory};
    s->z.allocator = &s->allocator;
    if (restart(s)) {
        end(s);
        return RASK_ENOMEM;
    }
    *state = s;
    return RASK_OK;
}

static int outcome_of(lzma_ret outcome, const char **reason)
{
    switch (outcome) {
    case LZMA_OK:
    case LZMA_STREAM_END:
    case LZMA_BUF_ERROR: return RASK_OK;
    case LZMA_MEM_ERROR: return rk_decoder_wrong(RASK_ENOMEM, "out of memory", reason);
    case LZMA_MEMLIMIT_ERROR:
        return rk_decoder_wrong(RASK_ELIMIT, "needs more than 256 MiB of memory", reason);
    case LZMA_OPTIONS_ERROR:
    case LZMA_UNSUPPORTED_CHECK:
        return rk_decoder_wrong(RASK_EUNSUPPORTED, "compressed or checked in a way that this liblzma lacks",
                                reason);
    default: return rk_decoder_wrong(RASK_EFORMAT, "bad checksum or damaged data", reason);
    }
}

static int run(void *state, rk_decompress_io *io, const char **reason)
{
    lzma_stream *z = &((xz *)state)->z;
    z->next_in = io->in;
    z->avail_in = io->in_len;
    z->next_out = io->out;
    z->avail_out = io->out_len;
    lzma_ret outcome = lzma_code(z, LZMA_RUN);
    io->in = z->next_in;
    io->in_len = z->avail_in;
    io->out = z->next_out;
    io->out_len = z->avail_out;
    io->ended = outcome == LZMA_STREAM_END;
    return outcome_of(outcome, reason);
}

const rk_decoder rk_decoder_xz = {begin, restart, run, end};
