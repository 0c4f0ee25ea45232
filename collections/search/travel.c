#include "collections/search/travel.h"

#include "collections/files/elsewhere.h"
#include "collections/search/output.h"
#include "collections/text/travel.h"
#include "core/base/alloc.h"

#include <string.h>

enum { VERSION = 1 };

/* What stands first. */
typedef struct head {
    uint32_t version, unit, ranges, workers;
    uint64_t limit, ceiling, longest, memory, seed, hash_seed, output_limit;
    uint32_t files, parts, part_ranges;
    uint8_t inverted, writes, eager, unused;
} head;

_Static_assert(sizeof(head) == 88, "no byte of it is unset");

/* -- Writing */

static void put_pattern(const rask_text *text, rk_pack_out *out)
{
    rk_pack_put_text(out, text->pattern);
    rk_pack_put_u8(out, text->fixed);
    rk_pack_put_u8(out, text->ignore_case);
}

/* Bytes between the fields are zero, so that equal ranges are equal bytes: a later run is to find what it has done. */
static void put_ranges(const rk_text_range *ranges, uint32_t count, rk_pack_out *out)
{
    for (uint32_t i = 0; i < count; i++) {
        rk_text_range range;
        memset(&range, 0, sizeof range);
        range.file = ranges[i].file;
        range.begin = ranges[i].begin;
        range.end = ranges[i].end;
        rk_pack_put(out, &range, sizeof range);
    }
}

int rk_search_job_encode(const rk_search_job *job, rask_value *bytes)
{
    const rask_text *text = job->text;
    const rk_text_parts *parts = &job->parts;
    rk_pack_out out = {0};
    rk_open_error error = {0};
    const head h = {.version = VERSION,
                    .unit = job->unit,
                    .ranges = job->ranges,
                    .workers = text->workers,
                    .limit = job->limit,
                    .ceiling = job->ceiling,
                    .longest = job->longest,
                    .memory = text->memory,
                    .seed = text->seed,
                    .hash_seed = text->hash_seed,
                    .output_limit = job->output ? job->output->limit : 0,
                    .files = (uint32_t)text->files.count,
                    .parts = parts->count,
                    .part_ranges = parts->first[parts->count],
                    .inverted = text->inverted,
                    .writes = job->output != NULL,
                    .eager = job->eager};
    rk_pack_put(&out, &h, sizeof h);
    int status = rk_text_files_put(&text->files, &out, &error);
    rk_pack_put(&out, parts->first, ((size_t)parts->count + 1) * sizeof *parts->first);
    put_ranges(parts->ranges, h.part_ranges, &out);
    put_pattern(text, &out);
    return rk_encoded(&out, status, &error, bytes);
}

/* -- Reading */

/* A job with all that it is made of. */
typedef struct guest {
    rk_search_job job; /* first */
    rask_text text;
    rk_text_output output; /* only its limit counts: whatever is written is written elsewhere */
} guest;

void rk_search_guest_free(rk_search_job *job)
{
    guest *g = (guest *)(void *)job; /* which the job is the first of */
    rk_text_parts_fini(&g->job.parts);
    rk_text_files_fini(&g->text.files);
    rk_matcher_free(g->text.matcher);
    rk_free(g->text.pattern);
    rk_free(g);
}

/* Parts have ranges one behind the other, and these are of files that are there. */
static bool are_parts(const rk_text_parts *parts, const head *h)
{
    if (parts->first[0] || parts->first[h->parts] != h->part_ranges)
        return false;
    for (uint32_t i = 0; i < h->parts; i++)
        if (parts->first[i + 1] <= parts->first[i])
            return false;
    for (uint32_t i = 0; i < h->part_ranges; i++)
        if (parts->ranges[i].file >= h->files || parts->ranges[i].begin > parts->ranges[i].end)
            return false;
    return true;
}

static int get_parts(rk_pack_in *in, const head *h, rk_text_parts *parts)
{
    const char *first = rk_pack_get(in, ((uint64_t)h->parts + 1) * sizeof *parts->first);
    const char *ranges = rk_pack_get(in, (uint64_t)h->part_ranges * sizeof *parts->ranges);
    if (!first || !ranges)
        return RASK_EFORMAT;
    parts->first = rk_alloc_array((size_t)h->parts + 1, sizeof *parts->first);
    parts->ranges = rk_alloc_array((size_t)h->part_ranges + 1, sizeof *parts->ranges);
    if (!parts->first || !parts->ranges)
        return RASK_ENOMEM;
    memcpy(parts->first, first, ((size_t)h->parts + 1) * sizeof *parts->first);
    memcpy(parts->ranges, ranges, h->part_ranges * sizeof *parts->ranges);
    parts->count = h->parts;
    return are_parts(parts, h) ? RASK_OK : RASK_EFORMAT;
}

/* What was compiled before compiles again, but for a module that is missing here. */
static int get_pattern(rk_pack_in *in, rask_text *text)
{
    char message[256];
    if (!rk_pack_get_text(in, &text->pattern))
        return in->failed ? RASK_EFORMAT : RASK_ENOMEM;
    text->fixed = rk_pack_get_u8(in) != 0;
    text->ignore_case = rk_pack_get_u8(in) != 0;
    if (in->failed)
        return RASK_EFORMAT;
    return text->pattern ? rk_matcher_new(text->pattern, text->fixed, text->ignore_case, &text->matcher,
                                          message, sizeof message)
                         : RASK_OK;
}

static int get_job(rk_pack_in *in, guest *g)
{
    head h;
    const char *at = rk_pack_get(in, sizeof h);
    if (!at)
        return RASK_EFORMAT;
    memcpy(&h, at, sizeof h);
    if (h.version != VERSION || h.unit > RASK_TEXT_MATCHES || !h.parts || !h.ranges)
        return RASK_EFORMAT;
    g->text.inverted = h.inverted;
    g->text.memory = h.memory;
    g->text.seed = h.seed;
    g->text.hash_seed = h.hash_seed;
    g->text.workers = h.workers;
    g->text.apart = true;
    g->output.limit = h.output_limit;
    g->job.text = &g->text;
    g->job.output = h.writes ? &g->output : NULL;
    g->job.unit = (rask_text_unit)h.unit;
    g->job.limit = h.limit;
    g->job.ceiling = h.ceiling;
    g->job.longest = h.longest;
    g->job.ranges = h.ranges;
    g->job.eager = h.eager;
    int status = rk_text_files_get(in, &g->text.files);
    if (!status && g->text.files.count != h.files)
        status = RASK_EFORMAT;
    if (!status)
        status = get_parts(in, &h, &g->job.parts);
    return status ? status : get_pattern(in, &g->text);
}

int rk_search_job_decode(rask_bytes bytes, rk_search_job **job)
{
    rk_pack_in in = {bytes.data, bytes.data + bytes.len, false, NULL};
    guest *g = rk_calloc(1, sizeof *g);
    if (!g)
        return RASK_ENOMEM;
    g->job.guest = true;
    int status = get_job(&in, g);
    if (status)
        rk_search_guest_free(&g->job);
    else
        *job = &g->job;
    return status;
}
