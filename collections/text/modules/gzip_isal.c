/* gzip by ISA-L. */
#include "collections/text/modules/decoders.h"

#include <isa-l/igzip_lib.h>

typedef struct isal {
    struct inflate_state inflate;
    const rk_decompress_memory *memory;
} isal;

static int begin(const rk_decompress_memory *memory, void **state)
{
    isal *s = memory->alloc(sizeof *s);
    if (!s)
        return RASK_ENOMEM;
    s->memory = memory;
    isal_inflate_init(&s->inflate);
    s->inflate.crc_flag = ISAL_GZIP; /* header and trailer, too, are read and checked */
    *state = s;
    return RASK_OK;
}

static int restart(void *state)
{
    isal_inflate_reset(&((isal *)state)->inflate);
    return RASK_OK;
}

static const char *reason_of(int outcome)
{
    switch (outcome) {
    case ISAL_INCORRECT_CHECKSUM: return "bad checksum or length";
    case ISAL_INVALID_WRAPPER: return "bad header";
    case ISAL_UNSUPPORTED_METHOD: return "unknown method of compression";
    default: return "damaged data";
    }
}

static uint32_t part(size_t len)
{
    return len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
}

static int run(void *state, rk_decompress_io *io, const char **reason)
{
    struct inflate_state *z = &((isal *)state)->inflate;
    uint32_t in = z->avail_in = part(io->in_len), out = z->avail_out = part(io->out_len);
    z->next_in = (uint8_t *)io->in;
    z->next_out = io->out;
    int outcome = isal_inflate(z);
    io->in += in - z->avail_in;
    io->in_len -= in - z->avail_in;
    io->out += out - z->avail_out;
    io->out_len -= out - z->avail_out;
    if (outcome < 0)
        return rk_decoder_wrong(RASK_EFORMAT, reason_of(outcome), reason);
    io->ended = z->block_state == ISAL_BLOCK_FINISH;
    return RASK_OK;
}

static void end(void *state)
{
    isal *s = state;
    if (s)
        s->memory->free(s);
}

const rk_decoder rk_decoder_isal = {begin, restart, run, end};
