/* gzip by ISA-L. */
#include "collections/text/modules/decoders.h"

#include <isa-l/igzip_lib.h>

typedef struct isal {
    struct inflate_state inflate;
    struct isal_gzip_header header; /* kept here: isal_inflate() forgets one that comes in two pieces */
    bool in_header;
    const rk_decompress_memory *memory;
} isal;

static int restart(void *state)
{
    isal *s = state;
    isal_inflate_reset(&s->inflate);
    isal_gzip_header_init(&s->header);
    s->inflate.crc_flag = ISAL_GZIP_NO_HDR_VER; /* checks the trailer, too */
    s->in_header = true;
    return RASK_OK;
}

static int begin(const rk_decompress_memory *memory, void **state)
{
    isal *s = memory->alloc(sizeof *s);
    if (!s)
        return RASK_ENOMEM;
    s->memory = memory;
    isal_inflate_init(&s->inflate);
    restart(s);
    *state = s;
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

static int read_on(isal *s)
{
    if (!s->in_header)
        return isal_inflate(&s->inflate);
    int outcome = isal_read_gzip_header(&s->inflate, &s->header);
    if (outcome == ISAL_DECOMP_OK)
        s->in_header = false;
    return outcome == ISAL_END_INPUT ? ISAL_DECOMP_OK : outcome;
}

static int run(void *state, rk_decompress_io *io, const char **reason)
{
    isal *s = state;
    struct inflate_state *z = &s->inflate;
    uint32_t in = z->avail_in = part(io->in_len), out = z->avail_out = part(io->out_len);
    z->next_in = (uint8_t *)io->in;
    z->next_out = io->out;
    int outcome = read_on(s);
    /* where data is damaged, it may have looked at some bytes behind the input and counted below zero */
    bool astray = z->avail_in > in || z->avail_out > out;
    if (!astray) {
        io->in += in - z->avail_in;
        io->in_len -= in - z->avail_in;
        io->out += out - z->avail_out;
        io->out_len -= out - z->avail_out;
    }
    if (outcome != ISAL_DECOMP_OK || astray)
        return rk_decoder_wrong(RASK_EFORMAT, reason_of(outcome), reason);
    io->ended = !s->in_header && z->block_state == ISAL_BLOCK_FINISH;
    return RASK_OK;
}

static void end(void *state)
{
    isal *s = state;
    if (s)
        s->memory->free(s);
}

const rk_decoder rk_decoder_isal = {begin, restart, run, end};
