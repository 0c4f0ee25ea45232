/* Design notes.
 *
 * A plain file is read straight into the caller's buffer. A stream begins in the input buffer, where its first bytes are
 * looked at; a plain one is read straight, too, once these are handed out.
 *
 * A compressed file is a row of members (gzip) or frames (zstd) or streams (xz, bzip2), all called members here:
 *
 *   state    what comes next in the input       goes to
 *   BETWEEN  the first bytes of a member        INSIDE
 *            zeros that fill up (gzip)          PADDING
 *            zeros, four at a time (xz)         BETWEEN
 *            the end                            DONE
 *            anything else is an error
 *   INSIDE   bytes of a member                  BETWEEN, when the decoder says that it has ended
 *            the end is an error: truncated
 *   PADDING  zeros                              DONE, at the end; anything else is an error
 *   DONE     nothing                            BETWEEN, when the end moves on
 *
 * A part of a file is a row of whole members. A cut that is none is found by the part before it, whose last member is
 * then truncated: so wrong cuts make errors, never wrong bytes. */
#include "collections/text/reader.h"

#include "collections/text/decoder.h"
#include "collections/text/magic.h"
#include "core/base/alloc.h"

#include <assert.h>
#include <string.h>

enum {
    INPUT = 128 << 10,  /* bytes of compressed input read at once */
    OUTPUT = 1 << 20,   /* most bytes made at once */
    LONGEST_MAGIC = 10, /* of all members' */
};

typedef enum reader_state { BETWEEN, INSIDE, PADDING, DONE } reader_state;

struct rk_text_reader {
    rk_text_bytes bytes;
    rk_compression compression;
    reader_state state;
    bool first;   /* member */
    bool dry;     /* there is no more input */
    bool pending; /* the decoder may have output that there was no room for */
    const rk_decoder *decoder;
    void *decoding;
    uint8_t *input; /* [taken, used) is still to be decoded */
    size_t taken, used;
};

static const rk_decompress_memory memory = {rk_alloc, rk_free};

static const char *path_of(const rk_text_reader *r)
{
    return r->bytes.file->path;
}

/* --- input */

static size_t left(const rk_text_reader *r)
{
    return r->used - r->taken;
}

static int fill(rk_text_reader *r, rk_text_error *error)
{
    size_t got;
    memmove(r->input, r->input + r->taken, left(r));
    r->used -= r->taken;
    r->taken = 0;
    int status = rk_text_bytes_read(&r->bytes, r->input + r->used, INPUT - r->used, &got, error);
    if (status)
        return status;
    r->used += got;
    r->dry = got == 0;
    return RASK_OK;
}

/* Makes count bytes ready, or all there are. */
static int look(rk_text_reader *r, size_t count, rk_text_error *error)
{
    int status = RASK_OK;
    while (!status && left(r) < count && !r->dry)
        status = fill(r, error);
    return status;
}

/* In the file, of the next byte. */
static uint64_t position(const rk_text_reader *r)
{
    return r->bytes.at - left(r);
}

static int fail_at(const rk_text_reader *r, int status, const char *what, rk_text_error *error)
{
    return rk_text_fail(error, status, path_of(r), "%s: %s at byte %llu of the compressed file",
                        rk_compression_name(r->compression), what, (unsigned long long)position(r));
}

/* --- members */

static int begin_member(rk_text_reader *r, rk_text_error *error)
{
    int status = !r->decoding ? r->decoder->begin(&memory, &r->decoding)
                 : r->first   ? RASK_OK
                              : r->decoder->restart(r->decoding);
    if (status)
        return rk_text_fail_memory(error, path_of(r));
    r->first = r->pending = false;
    r->state = INSIDE;
    return RASK_OK;
}

/* What xz calls stream padding. */
static int skip_four_zeros(rk_text_reader *r, rk_text_error *error)
{
    if (left(r) < 4 || rk_load32(r->input + r->taken) != 0)
        return fail_at(r, RASK_EFORMAT, "garbage", error);
    r->taken += 4;
    return RASK_OK;
}

static int between_members(rk_text_reader *r, rk_text_error *error)
{
    int status = look(r, LONGEST_MAGIC, error);
    if (status)
        return status;
    const uint8_t *next = r->input + r->taken;
    if (left(r) == 0)
        r->state = DONE;
    else if (rk_magic_begins(r->compression, next, left(r)))
        return begin_member(r, error);
    else if (r->first || *next != 0)
        return fail_at(r, RASK_EFORMAT, "garbage", error);
    else if (r->compression == RK_XZ)
        return skip_four_zeros(r, error);
    else if (r->compression == RK_GZIP || r->compression == RK_BGZF)
        r->state = PADDING;
    else
        return fail_at(r, RASK_EFORMAT, "garbage", error);
    return RASK_OK;
}

/* gzip(1), too, takes a file that was filled up with zeros, as tapes do. */
static int skip_padding(rk_text_reader *r, rk_text_error *error)
{
    int status = look(r, 1, error);
    if (status)
        return status;
    while (left(r) > 0 && r->input[r->taken] == 0)
        r->taken++;
    if (left(r) > 0)
        return fail_at(r, RASK_EFORMAT, "garbage", error);
    if (r->dry)
        r->state = DONE;
    return RASK_OK;
}

static int run_decoder(rk_text_reader *r, rk_decompress_io *io, rk_text_error *error)
{
    const char *reason = NULL;
    size_t room = io->out_len, before = left(r);
    io->in = r->input + r->taken;
    io->in_len = before;
    io->ended = false;
    int status = r->decoder->run(r->decoding, io, &reason);
    assert(io->in_len <= before && io->out_len <= room);
    r->taken = r->used - io->in_len;
    r->pending = io->out_len == 0;
    if (status)
        return fail_at(r, status, reason, error);
    if (io->ended)
        r->state = BETWEEN;
    else if (io->in_len == before && io->out_len == room && (before > 0 || r->dry))
        return fail_at(r, RASK_EFORMAT, before > 0 ? "damaged data" : "truncated", error);
    return RASK_OK;
}

static int inside_member(rk_text_reader *r, rk_decompress_io *io, rk_text_error *error)
{
    int status = r->pending ? RASK_OK : look(r, 1, error);
    return status ? status : run_decoder(r, io, error);
}

static int step(rk_text_reader *r, rk_decompress_io *io, rk_text_error *error)
{
    switch (r->state) {
    case BETWEEN: return between_members(r, error);
    case INSIDE: return inside_member(r, io, error);
    default: return skip_padding(r, error);
    }
}

/* Until the buffer is full, or the input is, that was read at once, has become something. */
static int read_members(rk_text_reader *r, void *buffer, size_t capacity, size_t *got, rk_text_error *error)
{
    rk_decompress_io io = {.out = buffer, .out_len = capacity < OUTPUT ? capacity : OUTPUT};
    size_t room = io.out_len;
    while (r->state != DONE && io.out_len > 0 && (left(r) > 0 || io.out_len == room)) {
        int status = step(r, &io, error);
        if (status)
            return status;
    }
    *got = room - io.out_len;
    return RASK_OK;
}

/* --- readers */

static int read_plain(rk_text_reader *r, void *buffer, size_t capacity, size_t *got, rk_text_error *error)
{
    size_t n = left(r) < capacity ? left(r) : capacity;
    if (n == 0)
        return rk_text_bytes_read(&r->bytes, buffer, capacity, got, error);
    memcpy(buffer, r->input + r->taken, n);
    r->taken += n;
    *got = n;
    return RASK_OK;
}

/* Before the first byte of a stream is handed out. */
static int detect(rk_text_reader *r, rk_text_error *error)
{
    while (!r->dry && left(r) < RK_MAGIC_BYTES && (left(r) == 0 || rk_magic_undecided(r->input, left(r)))) {
        int status = fill(r, error);
        if (status)
            return status;
    }
    rk_compression found = rk_magic_detect(r->input, left(r));
    if (found != RK_PLAIN) {
        int status = rk_decoder_find(found, path_of(r), &r->decoder, error);
        if (status)
            return status;
    }
    r->compression = found;
    return RASK_OK;
}

int rk_text_reader_read(rk_text_reader *reader, void *buffer, size_t capacity, size_t *got,
                        rk_text_error *error)
{
    assert(capacity > 0);
    int status = reader->compression == RK_UNKNOWN ? detect(reader, error) : RASK_OK;
    if (status)
        return status;
    return (reader->compression == RK_PLAIN ? read_plain : read_members)(reader, buffer, capacity, got,
                                                                         error);
}

void rk_text_reader_extend(rk_text_reader *reader, uint64_t end)
{
    rk_text_bytes *bytes = &reader->bytes;
    if (end > bytes->file->size)
        end = bytes->file->size;
    if (end <= bytes->end)
        return;
    bytes->end = end;
    reader->dry = false;
    if (reader->state == DONE)
        reader->state = BETWEEN;
}

const char *rk_text_reader_path(const rk_text_reader *reader)
{
    return path_of(reader);
}

bool rk_text_reader_compressed(const rk_text_reader *reader)
{
    return reader->compression != RK_PLAIN && reader->compression != RK_UNKNOWN;
}

static int prepare(rk_text_reader *r, rk_text_error *error)
{
    if (r->compression == RK_PLAIN)
        return RASK_OK;
    r->input = rk_alloc(INPUT + RK_DECOMPRESS_PADDING);
    if (!r->input)
        return rk_text_fail_memory(error, path_of(r));
    memset(r->input + INPUT, 0, RK_DECOMPRESS_PADDING);
    return r->compression == RK_UNKNOWN ? RASK_OK
                                        : rk_decoder_find(r->compression, path_of(r), &r->decoder, error);
}

int rk_text_reader_new(const rk_text_file *file, uint64_t begin, uint64_t end, const rk_text_options *options,
                       rk_text_reader **out, rk_text_error *error)
{
    rk_text_reader *r = rk_alloc(sizeof *r);
    if (!r)
        return rk_text_fail_memory(error, file->path);
    *r = (rk_text_reader){.compression = file->compression, .first = true};
    int status = rk_text_bytes_open(&r->bytes, file, begin, end, options, error);
    if (status) {
        rk_free(r);
        return status;
    }
    status = prepare(r, error);
    if (status) {
        rk_text_reader_free(r);
        return status;
    }
    *out = r;
    return RASK_OK;
}

void rk_text_reader_free(rk_text_reader *reader)
{
    if (!reader)
        return;
    if (reader->decoder)
        reader->decoder->end(reader->decoding);
    rk_text_bytes_close(&reader->bytes);
    rk_free(reader->input);
    rk_free(reader);
}
