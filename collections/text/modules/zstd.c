/* zstd by libzstd, whose default ceiling for windows (128 MiB) stands. */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_createDCtx_advanced: memory through the library's door */
#include "collections/text/modules/decoders.h"

#include <zstd.h>
#include <zstd_errors.h>

static void *take(void *opaque, size_t size)
{
    return ((const rk_decompress_memory *)opaque)->alloc(size);
}

static void give(void *opaque, void *ptr)
{
    ((const rk_decompress_memory *)opaque)->free(ptr);
}

static int begin(const rk_decompress_memory *memory, void **state)
{
    ZSTD_DCtx *d = ZSTD_createDCtx_advanced((ZSTD_customMem){take, give, (void *)memory});
    if (!d)
        return RASK_ENOMEM;
    *state = d;
    return RASK_OK;
}

static int restart(void *state)
{
    return ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only)) ? RASK_ENOMEM : RASK_OK;
}

static int wrong(size_t outcome, const char **reason)
{
    switch (ZSTD_getErrorCode(outcome)) {
    case ZSTD_error_memory_allocation: return rk_decoder_wrong(RASK_ENOMEM, "out of memory", reason);
    case ZSTD_error_frameParameter_windowTooLarge:
        return rk_decoder_wrong(RASK_ELIMIT, "needs a window of more than 128 MiB", reason);
    case ZSTD_error_dictionary_wrong:
        return rk_decoder_wrong(RASK_EUNSUPPORTED, "needs a dictionary", reason);
    case ZSTD_error_checksum_wrong: return rk_decoder_wrong(RASK_EFORMAT, "bad checksum", reason);
    default: return rk_decoder_wrong(RASK_EFORMAT, "damaged data", reason);
    }
}

static int run(void *state, rk_decompress_io *io, const char **reason)
{
    ZSTD_inBuffer in = {.src = io->in, .size = io->in_len};
    ZSTD_outBuffer out = {.dst = io->out, .size = io->out_len};
    size_t outcome = ZSTD_decompressStream(state, &out, &in);
    if (ZSTD_isError(outcome))
        return wrong(outcome, reason);
    io->in += in.pos;
    io->in_len -= in.pos;
    io->out += out.pos;
    io->out_len -= out.pos;
    io->ended = outcome == 0;
    return RASK_OK;
}

static void end(void *state)
{
    ZSTD_freeDCtx(state);
}

const rk_decoder rk_decoder_zstd = {begin, restart, run, end};
