/* Files: what the footer says is read, and nothing else may be there. */
#include "collections/table/arrow/messages.h"
#include "collections/table/arrow/walk.h"
#include "core/base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { TRAILER = 10 /* the footer's size, and the magic */, MOST_PADDING = 64 };

static int take_blocks(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *footer, uint32_t slot,
                       uint64_t kind, rk_array *blocks)
{
    size_t count, at = rk_unflat_vector_in(f, footer, slot, 24, &count);
    for (size_t i = 0; i < count; i++, at += 24) {
        const rk_arrow_part b = {kind, rk_unflat_number(f, at, 8), rk_unflat_number(f, at + 8, 4),
                                 rk_unflat_number(f, at + 16, 8)};
        if (b.place < RK_ARROW_AHEAD || b.place % RK_ARROW_ALIGNMENT || b.place > w->end ||
            b.metadata < RK_ARROW_HEAD || b.metadata > w->end - b.place ||
            b.body > w->end - b.place - b.metadata)
            return rk_arrow_walk_fail(w, RASK_EFORMAT, "a footer with a batch that is not in the file");
        rk_arrow_part *new = rk_array_push(blocks);
        if (!new)
            return rk_arrow_walk_fail_memory(w);
        *new = b;
    }
    return f->wrong ? rk_arrow_walk_fail(w, RASK_EFORMAT, "a footer that is not whole") : RASK_OK;
}

/* blocks: dictionaries, then batches. */
static int read_footer(const rk_arrow_walk *w, uint32_t size, rk_array *blocks)
{
    unsigned char *data = rk_alloc(size);
    rk_unflat f = {.data = data, .len = size};
    if (!data)
        return rk_arrow_walk_fail_memory(w);
    int status = rk_arrow_walk_bytes(w, data, size, w->at);
    if (!status) {
        rk_unflat_table footer = rk_unflat_root(&f), schema = rk_unflat_table_in(&f, &footer, 1);
        status = f.wrong ? rk_arrow_walk_fail(w, RASK_EFORMAT, "a footer that is not whole")
                         : rk_arrow_walk_schema(w, &f, &schema);
        if (!status)
            status = take_blocks(w, &f, &footer, 2, RK_ARROW_DICTIONARY, blocks);
        if (!status)
            status = take_blocks(w, &f, &footer, 3, RK_ARROW_RECORD_BATCH, blocks);
    }
    rk_free(data);
    return status;
}

static int read_block(rk_arrow_walk *w, const rk_arrow_part *b)
{
    uint32_t head[2];
    w->at = b->place;
    w->block = b;
    int status = rk_arrow_walk_bytes(w, head, sizeof head, w->at);
    return status ? status : rk_arrow_walk_message(w, head);
}

/* Up to place there is nothing but what fills up to a multiple of at most 64, or the mark of the end. */
static int skip_nothing(rk_arrow_walk *w, uint64_t place)
{
    static const char mark[RK_ARROW_HEAD] = "\xff\xff\xff\xff";
    char between[MOST_PADDING];
    uint64_t len = place - w->at, from = 0;
    if (place < w->at)
        return rk_arrow_walk_fail(w, RASK_EFORMAT, "the footer has batches that lie in one another");
    int status = rk_arrow_walk_bytes(w, between, len < sizeof between ? len : sizeof between, w->at);
    if (status)
        return status;
    from = len >= RK_ARROW_HEAD && place == w->end && memcmp(between, mark, RK_ARROW_HEAD) == 0
               ? RK_ARROW_HEAD
               : 0;
    bool nothing = len < MOST_PADDING;
    for (uint64_t i = from; nothing && i < len; i++)
        nothing = !between[i];
    return nothing ? RASK_OK : rk_arrow_walk_fail(w, RASK_EFORMAT, "bytes that the footer says nothing of");
}

/* The schema once more, which not all who write files put there. */
static int read_front(rk_arrow_walk *w, uint64_t end)
{
    uint32_t head[2] = {0};
    w->at = RK_ARROW_AHEAD;
    int status = end - RK_ARROW_AHEAD < RK_ARROW_HEAD
                     ? RASK_OK
                     : rk_arrow_walk_bytes(w, head, sizeof head, RK_ARROW_AHEAD);
    if (status || head[0] != UINT32_MAX || !head[1] || head[1] > end - RK_ARROW_AHEAD - RK_ARROW_HEAD)
        return status;
    return read_block(
        w, &(rk_arrow_part){RK_ARROW_SCHEMA, RK_ARROW_AHEAD, RK_ARROW_HEAD + (uint64_t)head[1], 0});
}

static int compare_places(const void *a, const void *b)
{
    const rk_arrow_part *x = a, *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* Sorts blocks by place. */
static int check_between(rk_arrow_walk *w, rk_array *blocks)
{
    rk_arrow_part *all = blocks->data;
    if (blocks->count)
        qsort(all, blocks->count, sizeof *all, compare_places);
    int status = read_front(w, blocks->count ? all->place : w->end);
    for (size_t i = 0; i < blocks->count && !status; i++) {
        status = skip_nothing(w, all[i].place);
        w->at = status ? w->at : all[i].place + all[i].metadata + all[i].body;
    }
    return status ? status : skip_nothing(w, w->end);
}

static int read_blocks(rk_arrow_walk *w, uint32_t footer)
{
    rk_array blocks = RK_ARRAY(rk_arrow_part, RK_ARROW_BATCHES);
    int status = read_footer(w, footer, &blocks);
    for (size_t i = 0; i < blocks.count && !status; i++)
        status = read_block(w, (const rk_arrow_part *)blocks.data + i);
    if (!status)
        status = check_between(w, &blocks);
    rk_array_fini(&blocks);
    return status;
}

static uint64_t footer_size(const char *trailer, uint64_t before)
{
    uint32_t size;
    memcpy(&size, trailer, sizeof size);
    return size <= before - RK_ARROW_AHEAD && size <= RK_ARROW_METADATA &&
                   memcmp(trailer + 4, "ARROW1", RK_ARROW_MAGIC) == 0
               ? size
               : 0;
}

/* A file without a trailer at its end: it is cut, or goes on behind it. */
static int fail_trailer(rk_arrow_walk *w, uint64_t size)
{
    enum { MOST_BEHIND = 4096 };
    char tail[MOST_BEHIND + TRAILER];
    uint64_t len = size - RK_ARROW_AHEAD < sizeof tail ? size - RK_ARROW_AHEAD : sizeof tail,
             from = size - len;
    int status = rk_arrow_walk_bytes(w, tail, len, from);
    for (uint64_t i = len - TRAILER + 1; !status && i-- > 0;)
        if (footer_size(tail + i, from + i)) {
            w->at = from + i + TRAILER;
            return rk_arrow_walk_fail(w, RASK_EFORMAT, "bytes behind the end of the file");
        }
    w->at = size - RK_ARROW_MAGIC;
    return status ? status
                  : rk_arrow_walk_fail(w, RASK_EFORMAT,
                                       "the file is cut or damaged: no \"ARROW1\" behind a footer");
}

int rk_arrow_walk_file(rk_arrow_walk *w, uint64_t size)
{
    char trailer[TRAILER];
    if (size < RK_ARROW_AHEAD + TRAILER) {
        w->at = size;
        return rk_arrow_walk_fail(w, RASK_EFORMAT, "the file is cut");
    }
    int status = rk_arrow_walk_bytes(w, trailer, sizeof trailer, size - TRAILER);
    uint64_t footer = status ? 0 : footer_size(trailer, size - TRAILER);
    if (!footer)
        return status ? status : fail_trailer(w, size);
    w->at = w->end = size - TRAILER - footer;
    return read_blocks(w, (uint32_t)footer);
}
