/* Design notes.
 *
 * BGZF: a cut is looked for near every multiple of the block size, as the first place from which a chain of headers leads
 * over CHAIN bytes, or to the end of the file. Blocks are at most 64 KiB long, so one begins within the first 64 KiB looked
 * at. What only looks like a chain (a file of BGZF that was compressed again without effect) is broken by the next header
 * of the outer blocks, which come closer than CHAIN.
 *
 * zstd: frames do not tell their length, but their blocks do, of at most 128 KiB of text each: the walk goes from one to
 * the next (RFC 8878, section 3.1.1), and on to the frame behind. */
#include "collections/text/split.h"

#include "collections/text/bytes.h"
#include "collections/text/magic.h"
#include "core/base/array.h"
#include "core/base/limits.h"

#include <assert.h>
#include <string.h>

enum {
    BGZF_BLOCK = 64 << 10,
    CHAIN = 192 << 10,
    ZSTD_BLOCKS = 1 << 16,  /* headers looked at */
    ZSTD_FRAME_HEADER = 18, /* bytes at most */
};

typedef struct splitting {
    rk_text_bytes bytes;
    uint64_t block, size;
    rk_array cuts;
    rk_text_error *error;
} splitting;

static int add_cut(splitting *s, uint64_t at)
{
    uint64_t *place = rk_array_push(&s->cuts);
    if (!place)
        return rk_text_fail_memory(s->error, s->bytes.file->path);
    *place = at;
    return RASK_OK;
}

static uint64_t last_cut(const splitting *s)
{
    return ((const uint64_t *)s->cuts.data)[s->cuts.count - 1];
}

/* Reads len bytes at a position, or those there are. */
static int read_at(splitting *s, uint64_t at, uint8_t *data, size_t len, size_t *got)
{
    size_t done = 0, n = 1;
    s->bytes.at = s->bytes.asked = at;
    s->bytes.first_end = at; /* nothing ahead */
    while (done < len && n > 0) {
        int status = rk_text_bytes_read(&s->bytes, data + done, len - done, &n, s->error);
        if (status)
            return status;
        done += n;
    }
    *got = done;
    return RASK_OK;
}

static int split_plain(splitting *s)
{
    int status = RASK_OK;
    while (!status && s->size - last_cut(s) > s->block)
        status = add_cut(s, last_cut(s) + s->block);
    return status;
}

/* --- BGZF */

/* Whether blocks follow each other from a place in data on. */
static bool is_chain(const uint8_t *data, size_t len, size_t from, bool to_end)
{
    size_t at = from;
    while (at < len && at - from < CHAIN) {
        size_t block = rk_magic_bgzf_block(data + at, len - at);
        if (block == 0)
            return false;
        at += block;
    }
    return at - from >= CHAIN || (to_end && at == len);
}

static int find_bgzf(splitting *s, uint8_t *data, uint64_t from, uint64_t *found)
{
    size_t len;
    int status = read_at(s, from, data, BGZF_BLOCK + CHAIN + BGZF_BLOCK, &len);
    if (status)
        return status;
    *found = s->size;
    for (size_t i = 0; i < BGZF_BLOCK && i < len && *found == s->size; i++)
        if (is_chain(data, len, i, from + len == s->size))
            *found = from + i;
    return RASK_OK;
}

static int split_bgzf(splitting *s)
{
    uint8_t *data = rk_alloc(BGZF_BLOCK + CHAIN + BGZF_BLOCK);
    if (!data)
        return rk_text_fail_memory(s->error, s->bytes.file->path);
    int status = RASK_OK;
    uint64_t from = last_cut(s) + s->block, found = s->size;
    while (!status && from < s->size) {
        status = find_bgzf(s, data, from, &found);
        if (!status && found < s->size)
            status = add_cut(s, found);
        from = found < s->size - s->block ? found + s->block : s->size;
    }
    rk_free(data);
    return status;
}

/* --- zstd */

/* A walk from frame to frame. */
typedef struct walk {
    uint64_t at;
    uint32_t budget; /* headers that may still be looked at */
    bool lost;       /* what is at the position is nothing that it knows */
} walk;

static void step_over(walk *w, uint64_t bytes, const splitting *s)
{
    w->lost |= bytes > s->size - w->at;
    if (!w->lost)
        w->at += bytes;
}

static size_t frame_header_len(uint8_t descriptor)
{
    static const uint8_t dictionary[] = {0, 1, 2, 4};
    bool single = descriptor >> 5 & 1;
    unsigned content = descriptor >> 6;
    return 5 + !single + dictionary[descriptor & 3] + (content ? (size_t)1 << content : single);
}

/* To behind the blocks of a frame. */
static int skip_blocks(splitting *s, walk *w)
{
    bool last = false;
    while (!last && !w->lost) {
        uint8_t head[3];
        size_t got;
        int status = read_at(s, w->at, head, sizeof head, &got);
        if (status)
            return status;
        w->lost = got < sizeof head || w->budget-- == 0;
        if (w->lost)
            break;
        uint32_t bits = (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16;
        bool repeated = (bits >> 1 & 3) == 1; /* one byte stands for all */
        last = bits & 1;
        step_over(w, sizeof head + (repeated ? 1 : bits >> 3), s);
    }
    return RASK_OK;
}

static int skip_frame(splitting *s, walk *w)
{
    uint8_t head[ZSTD_FRAME_HEADER];
    size_t got;
    int status = read_at(s, w->at, head, sizeof head, &got);
    if (status)
        return status;
    w->lost = got < 8 || w->budget-- == 0;
    if (w->lost)
        return RASK_OK;
    uint32_t magic = rk_load32(head);
    if ((magic & ~15u) == RK_ZSTD_SKIPPABLE) {
        step_over(w, 8 + (uint64_t)rk_load32(head + 4), s);
        return RASK_OK;
    }
    w->lost = magic != RK_ZSTD_MAGIC;
    step_over(w, frame_header_len(head[4]), s);
    status = skip_blocks(s, w);
    bool checksum = head[4] >> 2 & 1;
    step_over(w, checksum ? 4 : 0, s);
    return status;
}

static int split_zstd(splitting *s)
{
    walk w = {.at = last_cut(s), .budget = ZSTD_BLOCKS};
    int status = RASK_OK;
    while (!status && !w.lost && w.at < s->size) {
        if (w.at - last_cut(s) >= s->block)
            status = add_cut(s, w.at);
        if (!status)
            status = skip_frame(s, &w);
    }
    return status;
}

/* --- all */

static int split_regular(splitting *s)
{
    switch (s->bytes.file->compression) {
    case RK_PLAIN: return split_plain(s);
    case RK_BGZF: return split_bgzf(s);
    case RK_ZSTD: return split_zstd(s);
    default: return RASK_OK;
    }
}

static int split(splitting *s, const rk_text_file *file)
{
    if (file->stream || s->size == RK_TEXT_UNKNOWN_SIZE || s->size - file->start <= s->block)
        return RASK_OK;
    int status = rk_text_bytes_open(&s->bytes, file, file->start, file->size, NULL, s->error);
    if (status)
        return status;
    status = split_regular(s);
    rk_text_bytes_close(&s->bytes);
    return status;
}

int rk_text_split(const rk_text_file *file, uint64_t block_bytes, rk_text_cuts *cuts, rk_text_error *error)
{
    assert(block_bytes > 0);
    uint64_t least_block =
        file->size == RK_TEXT_UNKNOWN_SIZE ? 0 : (file->size - file->start) / RK_MAX_TEXT_CUTS + 1;
    splitting s = {.bytes.file = file,
                   .block = block_bytes > least_block ? block_bytes : least_block,
                   .size = file->size,
                   .cuts = RK_ARRAY(uint64_t, RK_MAX_TEXT_CUTS + 2),
                   .error = error};
    int status = add_cut(&s, file->start);
    if (!status)
        status = split(&s, file);
    if (!status)
        status = add_cut(&s, file->size);
    if (status) {
        rk_array_fini(&s.cuts);
        return status;
    }
    *cuts = (rk_text_cuts){.at = s.cuts.data, .parts = s.cuts.count - 1};
    return RASK_OK;
}

void rk_text_cuts_fini(rk_text_cuts *cuts)
{
    rk_free(cuts->at);
    *cuts = (rk_text_cuts){0};
}
