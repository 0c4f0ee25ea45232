/* Builders of what is done record by record, and how it is done. */
#include "collections/bag/made.h"
#include "collections/bag/run.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define SITE(name)                                                                                           \
    {                                                                                                        \
        (name), file, line                                                                                   \
    }

rask_bag *rk_bag_step_new(rask_bag *input, const rk_bag_step *step, const rk_bag_site *site)
{
    rask_bag *bag = input ? rk_bag_new(input->graph, RK_BAG_STEP, &input, 1, &step->shape, site) : NULL;
    rk_bag_step *kept = bag ? rk_bag_keep(bag->graph, step, sizeof *step, site) : NULL;
    if (!kept)
        return NULL;
    bag->as.step = kept;
    return bag;
}

/* -- Functions of the program */

static int call(rask_bag_out *out, const rask_record *record)
{
    const rask_bag_function *f = out->step->with;
    int status = f->call(out, record, f->context);
    if (out->run->status)
        return out->run->status;
    return status ? rk_bag_out_fail(out, status, "%s", rask_status_text(status)) : RASK_OK;
}

static int take_flat_map(rask_bag_out *out, const rask_record *record)
{
    return call(out, record);
}

static int take_map(rask_bag_out *out, const rask_record *record)
{
    uint64_t made = out->made;
    int status = call(out, record);
    made = out->made - made;
    return status || made == 1 ? status
                               : rk_bag_out_fail(out, RASK_EINVAL, "made %llu records of one, not one",
                                                 (unsigned long long)made);
}

static rask_bag *new_call(rask_bag *bag, const rask_bag_function *f,
                          int (*take)(rask_bag_out *, const rask_record *), const rk_bag_site *site)
{
    rk_bag_step step = {.take = take};
    if (!bag || bag->graph->status)
        return NULL;
    if (!f || f->size != sizeof *f || !f->call)
        return rk_bag_refuse(bag->graph, RASK_EINVAL, site, "no function, or its size is not set");
    if (rk_bag_result_shape(bag->graph, &bag->shape, f->result, f->struct_size, &step.shape, site))
        return NULL;
    step.with = rk_bag_keep(bag->graph, f, sizeof *f, site);
    step.name = rk_bag_keep_text(bag->graph, f->name ? f->name : site->what, site);
    if (!step.with || !step.name || rk_bag_release_at_end(bag->graph, f->release, f->context, site))
        return NULL;
    return rk_bag_step_new(bag, &step, site);
}

rask_bag *rk_build_bag_map(rask_bag *bag, const rask_bag_function *function, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_map");
    return new_call(bag, function, take_map, &site);
}

rask_bag *rk_build_bag_flat_map(rask_bag *bag, const rask_bag_function *function, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_flat_map");
    return new_call(bag, function, take_flat_map, &site);
}

typedef struct filtering {
    rask_bag_predicate *keep;
    void *context;
} filtering;

static int take_filter(rask_bag_out *out, const rask_record *record)
{
    const filtering *f = out->step->with;
    return f->keep(record, f->context) ? rk_bag_out_put(out, record) : RASK_OK;
}

rask_bag *rk_build_bag_filter(rask_bag *bag, const char *name, rask_bag_predicate *keep, void *context,
                              const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_filter");
    const filtering f = {keep, context};
    if (!bag || bag->graph->status)
        return NULL;
    if (!keep)
        return rk_bag_refuse(bag->graph, RASK_EINVAL, &site, "no predicate");
    rk_bag_step step = {.take = take_filter, .shape = bag->shape};
    step.with = rk_bag_keep(bag->graph, &f, sizeof f, &site);
    step.name = rk_bag_keep_text(bag->graph, name ? name : site.what, &site);
    return step.with && step.name ? rk_bag_step_new(bag, &step, &site) : NULL;
}

/* -- Fields */

typedef struct picking {
    uint32_t count, fields[RASK_MAX_FIELDS];
} picking;

static int take_pick(rask_bag_out *out, const rask_record *record)
{
    const picking *p = out->step->with;
    rask_record picked;
    picked.count = p->count;
    for (uint32_t i = 0; i < p->count; i++)
        picked.items[i] = record->items[p->fields[i]];
    return rk_bag_out_put(out, &picked);
}

rask_bag *rk_build_bag_pick(rask_bag *bag, const uint32_t *fields, uint32_t count, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_pick");
    rk_bag_step step = {.name = site.what, .take = take_pick};
    picking p = {.count = count};
    if (!bag || bag->graph->status)
        return NULL;
    if (!fields || !count || count > RASK_MAX_FIELDS)
        return rk_bag_refuse(bag->graph, RASK_EINVAL, &site, "%u fields, not 1 to %d", count,
                             RASK_MAX_FIELDS);
    for (uint32_t i = 0; i < count; i++) {
        p.fields[i] = fields[i];
        if (fields[i] >= bag->shape.count)
            return rk_bag_refuse(bag->graph, RASK_EINVAL, &site, "no field %u: records are \"%s\"", fields[i],
                                 bag->shape.types);
        rk_shape_append(&step.shape, &bag->shape, fields[i], 1);
    }
    step.with = rk_bag_keep(bag->graph, &p, sizeof p, &site);
    return step.with ? rk_bag_step_new(bag, &step, &site) : NULL;
}

/* A step that makes text of the first field, which must be text. */
static rask_bag *new_text_step(rask_bag *bag, rk_bag_step *step, const void *with, size_t size,
                               const rk_bag_site *site)
{
    if (!bag || bag->graph->status)
        return NULL;
    if (bag->shape.types[0] != 'y')
        return rk_bag_refuse(bag->graph, RASK_ETYPE, site, "records are \"%s\", not bytes at first",
                             bag->shape.types);
    rk_shape_init(&step->shape, "y", 0);
    step->name = site->what;
    step->with = rk_bag_keep(bag->graph, with, size, site);
    return step->with ? rk_bag_step_new(bag, step, site) : NULL;
}

typedef struct plucking {
    uint32_t index;
    char delimiter;
} plucking;

static int take_pluck(rask_bag_out *out, const rask_record *record)
{
    const plucking *p = out->step->with;
    rask_bytes left = rask_record_bytes(record, 0);
    rask_record piece; /* not all of which is worth clearing */
    piece.count = 1;
    piece.items[0] = rask_item_none();
    bool there = record->items[0].type == 'y';
    for (uint32_t i = 0; there; i++) {
        const char *end = left.len ? memchr(left.data, p->delimiter, left.len) : NULL;
        size_t n = end ? (size_t)(end - left.data) : left.len;
        if (i == p->index) {
            piece.items[0] = rask_item_bytes(left.data, n);
            break;
        }
        there = end;
        if (end)
            left = (rask_bytes){end + 1, left.len - n - 1};
    }
    return rk_bag_out_put(out, &piece);
}

rask_bag *rk_build_bag_pluck(rask_bag *bag, uint32_t index, char delimiter, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_pluck");
    const plucking p = {index, delimiter};
    rk_bag_step step = {.take = take_pluck};
    return new_text_step(bag, &step, &p, sizeof p, &site);
}

/* -- Words */

static const uint8_t is_space[256] = {[' '] = 1, ['\t'] = 1, ['\n'] = 1, ['\v'] = 1, ['\f'] = 1, ['\r'] = 1};

static int take_words(rask_bag_out *out, const rask_record *record)
{
    rask_bytes text = rask_record_bytes(record, 0);
    rask_record word = {.count = 1, .items[0].type = 'y'};
    const char *at = text.data, *end = at + text.len;
    bool in_text = out->run->place.text;
    while (at < end) {
        while (at < end && is_space[(uint8_t)*at])
            at++;
        const char *begin = at;
        while (at < end && !is_space[(uint8_t)*at])
            at++;
        if (at == begin)
            break;
        word.items[0].as.bytes = (rask_bytes){begin, (size_t)(at - begin)};
        if (in_text && out->index == 0)
            out->run->place.text = begin;
        int status = rk_bag_out_put(out, &word);
        if (status)
            return status;
    }
    return RASK_OK;
}

rask_bag *rk_build_bag_words(rask_bag *bag, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_words");
    rk_bag_step step = {.take = take_words, .in_blocks = true};
    return new_text_step(bag, &step, NULL, 0, &site);
}

/* -- Samples: drawn by where a record comes from and which of that place it is */

typedef struct sampling {
    double share;
    uint64_t seed;
} sampling;

static int take_sample(rask_bag_out *out, const rask_record *record)
{
    const sampling *s = out->step->with;
    const rk_bag_place *place = &out->run->place;
    out->seen = out->turn == place->turn ? out->seen + 1 : 0;
    out->turn = place->turn;
    const uint64_t words[] = {place->source, place->at, out->seen};
    uint64_t drawn = XXH3_64bits_withSeed(words, sizeof words, s->seed) >> 11;
    return (double)drawn * 0x1p-53 < s->share ? rk_bag_out_put(out, record) : RASK_OK;
}

rask_bag *rk_build_bag_sample(rask_bag *bag, double share, uint64_t seed, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_sample");
    const sampling s = {share, seed};
    if (!bag || bag->graph->status)
        return NULL;
    if (!(share >= 0 && share <= 1))
        return rk_bag_refuse(bag->graph, RASK_EINVAL, &site, "a share of %g, not 0 to 1", share);
    rk_bag_step step = {.name = site.what, .take = take_sample, .shape = bag->shape, .by_place = true};
    step.with = rk_bag_keep(bag->graph, &s, sizeof s, &site);
    return step.with ? rk_bag_step_new(bag, &step, &site) : NULL;
}
