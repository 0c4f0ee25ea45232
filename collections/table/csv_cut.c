/* Which parts of which files tasks read. */
#include "collections/table/csv_source.h"

#include "collections/text/split.h"
#include "core/base/alloc.h"
#include "core/base/limits.h"

enum {
    EXPANDS = 4,           /* bytes of text for a byte of a compressed file, about */
    EXPANDS_MOST = 12,     /* blocks are made for; what there is more is read by the last one */
    AHEAD_LEAST = 1 << 20, /* bytes of text that are worth blocks */
    AHEAD_PARTS = 4,       /* a file that has more than this part of all text is read in blocks */
    STREAM_BLOCKS = 2048,  /* values of sinks together */
    LEAST_BLOCKS = 8,      /* of a stream, or it is not worth it */
    MOST_BLOCKS = 4096,
    MOST_GROWTH = 4, /* of blocks, when there would be more */
};

typedef struct cutting {
    const rk_csv_source *source;
    const rk_csv_cut *how;
    uint64_t text;   /* bytes of all files */
    uint32_t pieces; /* so far */
    rk_array parts;
    rk_text_error *error;
} cutting;

uint64_t rk_csv_text_bytes(const rk_text_file *file)
{
    if (file->size == RK_TEXT_UNKNOWN_SIZE || file->stream)
        return 0;
    return (file->size - file->start) * (file->compression == RK_PLAIN ? 1 : EXPANDS);
}

uint64_t rk_csv_source_bytes(const rk_csv_source *source)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < source->files.count; i++)
        bytes += rk_csv_text_bytes(&source->files.files[i]);
    return bytes;
}

static int add_part(cutting *c, rk_csv_part part)
{
    rk_csv_part *place = rk_array_push(&c->parts);
    if (!place)
        return rk_text_fail_memory(c->error, c->source->files.files[part.file].path);
    *place = part;
    place->piece = c->pieces;
    c->pieces += part.blocks ? part.blocks : 1;
    return RASK_OK;
}

/* A part has the records that begin behind its first byte, and at its end: so those of a plain file are moved by one. */
static int add_cuts(cutting *c, uint32_t number, const rk_text_cuts *cuts)
{
    bool plain = c->source->files.files[number].compression == RK_PLAIN;
    int status = RASK_OK;
    for (size_t i = 0; i < cuts->parts && !status; i++) {
        bool first = i == 0, last = i + 1 == cuts->parts;
        status = add_part(c, (rk_csv_part){.file = number,
                                           .files = 1,
                                           .first = first,
                                           .last = last,
                                           .begin = cuts->at[i] - (plain && !first),
                                           .end = cuts->at[i + 1] - (plain && !last)});
    }
    return status;
}

/* Cuts an undivided file into blocks, read one behind the other while others look at what was read; into none when it is
 * not worth it, or when not all of it may be wanted. */
static void cut_blocks(const cutting *c, const rk_text_file *file, rk_csv_part *part)
{
    uint64_t text = rk_csv_text_bytes(file), bytes = c->how->block_bytes, least = c->text / AHEAD_PARTS;
    bool unknown = file->stream || file->size == RK_TEXT_UNKNOWN_SIZE;
    if (!c->source->block_bytes && least < AHEAD_LEAST)
        least = AHEAD_LEAST;
    if (!c->how->ahead || (unknown ? c->how->values > STREAM_BLOCKS / LEAST_BLOCKS : text < least))
        return;
    uint64_t most = text / EXPANDS * EXPANDS_MOST, growth = most / MOST_BLOCKS / bytes + 1;
    part->block_bytes =
        c->source->block_bytes ? bytes : bytes * (growth < MOST_GROWTH ? growth : MOST_GROWTH);
    uint64_t count = unknown ? STREAM_BLOCKS / c->how->values : most / part->block_bytes + 2;
    part->blocks = count < MOST_BLOCKS ? (uint32_t)count : MOST_BLOCKS;
    part->lanes = c->how->lanes < part->blocks ? c->how->lanes : part->blocks;
}

static int add_whole(cutting *c, uint32_t number, const rk_text_cuts *cuts)
{
    rk_csv_part part = {
        .file = number, .files = 1, .first = true, .last = true, .begin = cuts->at[0], .end = cuts->at[1]};
    cut_blocks(c, &c->source->files.files[number], &part);
    return add_part(c, part);
}

static int cut_file(cutting *c, uint32_t number)
{
    const rk_text_file *file = &c->source->files.files[number];
    uint64_t bytes = c->how->bytes,
             expands = file->compression == RK_PLAIN || c->source->block_bytes ? 1 : EXPANDS;
    rk_text_cuts cuts = {0};
    int status = rk_text_split(file, bytes > expands ? bytes / expands : 1, &cuts, c->error);
    bool whole = cuts.parts == 1 && file->compression != RK_PLAIN;
    if (!status)
        status = whole ? add_whole(c, number, &cuts) : add_cuts(c, number, &cuts);
    rk_text_cuts_fini(&cuts);
    return status;
}

/* Files from number on that one task reads: such that they have no more text than a part. */
static uint32_t group_files(const cutting *c, uint32_t number)
{
    const rk_text_files *files = &c->source->files;
    uint64_t bytes = 0;
    uint32_t count = 0;
    for (size_t i = number; c->how->grouped && i < files->count; i++, count++) {
        bytes += rk_csv_text_bytes(&files->files[i]);
        if (files->files[i].stream || bytes > c->how->bytes)
            break;
    }
    return count;
}

int rk_csv_source_cut(const rk_csv_source *source, const rk_csv_cut *how, rk_csv_part **parts,
                      uint32_t *count, rk_text_error *error)
{
    cutting c = {.source = source,
                 .how = how,
                 .text = rk_csv_source_bytes(source),
                 .parts = RK_ARRAY(rk_csv_part, RK_MAX_NODES / 8),
                 .error = error};
    int status = RASK_OK;
    for (uint32_t i = 0; i < source->files.count && !status;) {
        uint32_t files = group_files(&c, i);
        const rk_text_file *file = &source->files.files[i];
        status = files > 1 ? add_part(&c, (rk_csv_part){.file = i,
                                                        .files = files,
                                                        .first = true,
                                                        .last = true,
                                                        .begin = file->start,
                                                        .end = file->size})
                           : cut_file(&c, i);
        i += files > 1 ? files : 1;
    }
    if (status) {
        rk_array_fini(&c.parts);
        return status;
    }
    *parts = c.parts.data;
    *count = (uint32_t)c.parts.count;
    return RASK_OK;
}
