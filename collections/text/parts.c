#include "collections/text/parts.h"

#include "collections/text/split.h"
#include "core/base/array.h"
#include "core/base/limits.h"

#include <stdio.h>

enum {
    EXPANSION = 4,         /* bytes of text, about, in a byte of a compressed file */
    FILES_PER_PART = 1024, /* opening a file is work, too, be it empty */
};

typedef struct gathering {
    const rk_text_files *files;
    const rk_text_cutting *cutting;
    rk_array ranges, first, shared;
    uint64_t weight; /* of the part under way, */
    size_t in_part;  /* and ranges of it */
    rk_text_error *error;
} gathering;

uint64_t rk_text_file_weight(const rk_text_file *file)
{
    if (file->stream || file->size == RK_TEXT_UNKNOWN_SIZE)
        return 0;
    uint64_t size = file->size - file->start;
    return file->compression == RK_PLAIN || size > UINT64_MAX / EXPANSION ? size : size * EXPANSION;
}

static int fail(const gathering *g, const rk_text_file *file)
{
    if (g->first.count < g->first.ceiling && g->ranges.count < g->ranges.ceiling)
        return rk_text_fail_memory(g->error, file->path);
    return rk_text_fail(g->error, RASK_ELIMIT, file->path,
                        "the input is cut into more than %u blocks, which is the limit", RK_MAX_TEXT_PARTS);
}

/* What comes next is another part's. */
static int end_part(gathering *g, const rk_text_file *file)
{
    if (g->in_part == 0)
        return RASK_OK;
    uint32_t *first = rk_array_push(&g->first);
    if (!first)
        return fail(g, file);
    *first = (uint32_t)g->ranges.count;
    g->in_part = 0;
    g->weight = 0;
    return RASK_OK;
}

static int add_range(gathering *g, const rk_text_range *range, uint64_t weight)
{
    const rk_text_file *file = &g->files->files[range->file];
    bool alone = file->stream; /* others may be waiting for who writes it */
    bool full = g->in_part == FILES_PER_PART || g->weight + weight > g->cutting->block_bytes;
    int status = alone || full ? end_part(g, file) : RASK_OK;
    rk_text_range *place = status ? NULL : rk_array_push(&g->ranges);
    if (!place)
        return status ? status : fail(g, file);
    *place = *range;
    g->weight += weight;
    g->in_part++;
    return alone ? end_part(g, file) : RASK_OK;
}

static int add_shared(gathering *g, uint32_t number)
{
    const rk_text_file *file = &g->files->files[number];
    rk_text_range *place = rk_array_push(&g->shared);
    if (!place)
        return fail(g, file);
    *place = (rk_text_range){number, file->start, UINT64_MAX};
    return RASK_OK;
}

static int add_cuts(gathering *g, uint32_t number, const rk_text_cuts *cuts)
{
    const rk_text_file *file = &g->files->files[number];
    uint64_t weight = rk_text_file_weight(file);
    bool front_to_back = file->stream || file->compression != RK_PLAIN || file->size == RK_TEXT_UNKNOWN_SIZE;
    if (g->cutting->share && cuts->parts == 1 && front_to_back &&
        (weight > g->cutting->block_bytes || file->stream))
        return add_shared(g, number);
    int status = RASK_OK;
    for (size_t i = 0; i < cuts->parts && !status; i++) {
        rk_text_range range = {number, cuts->at[i], cuts->at[i + 1]};
        uint64_t bytes = range.end - range.begin;
        status = add_range(g, &range,
                           cuts->parts == 1                ? weight
                           : file->compression == RK_PLAIN ? bytes
                                                           : bytes * EXPANSION);
    }
    return status;
}

static int add_file(gathering *g, uint32_t number)
{
    const rk_text_file *file = &g->files->files[number];
    uint64_t block = g->cutting->block_bytes;
    rk_text_cuts cuts = {0};
    if (file->compression != RK_PLAIN)
        block = g->cutting->whole ? UINT64_MAX : block / EXPANSION + 1;
    int status = rk_text_split(file, block, &cuts, g->error);
    if (!status)
        status = add_cuts(g, number, &cuts);
    rk_text_cuts_fini(&cuts);
    return status;
}

int rk_text_parts_init(rk_text_parts *parts, const rk_text_files *files, const rk_text_cutting *cutting,
                       rk_text_error *error)
{
    gathering g = {.files = files,
                   .cutting = cutting,
                   .ranges = RK_ARRAY(rk_text_range, UINT32_MAX),
                   .first = RK_ARRAY(uint32_t, (size_t)RK_MAX_TEXT_PARTS + 1),
                   .shared = RK_ARRAY(rk_text_range, RK_MAX_TEXT_FILES),
                   .error = error};
    uint32_t *first = rk_array_push(&g.first);
    int status = first ? RASK_OK : rk_text_fail_memory(error, files->files[0].path);
    if (first)
        *first = 0;
    for (size_t i = 0; i < files->count && !status; i++)
        status = add_file(&g, (uint32_t)i);
    if (!status)
        status = end_part(&g, &files->files[files->count - 1]);
    *parts = (rk_text_parts){.ranges = g.ranges.data,
                             .first = g.first.data,
                             .count = (uint32_t)(g.first.count - 1),
                             .shared = g.shared.data,
                             .shared_count = (uint32_t)g.shared.count};
    if (status)
        rk_text_parts_fini(parts);
    return status;
}

void rk_text_parts_fini(rk_text_parts *parts)
{
    rk_free(parts->ranges);
    rk_free(parts->first);
    rk_free(parts->shared);
    *parts = (rk_text_parts){0};
}

void rk_text_part_label(const rk_text_parts *parts, uint32_t part, const rk_text_files *files, char *text,
                        size_t capacity)
{
    uint32_t ranges = parts->first[part + 1] - parts->first[part];
    const rk_text_range *range = &parts->ranges[parts->first[part]];
    if (ranges > 1)
        snprintf(text, capacity, "%u files", ranges);
    else
        snprintf(text, capacity, "%.200s from %llu", files->files[range->file].path,
                 (unsigned long long)range->begin);
}
