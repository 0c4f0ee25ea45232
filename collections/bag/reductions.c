/* Builders of reductions. */
#include "collections/bag/bag.h"
#include "collections/bag/made.h"
#include "collections/bag/reduction.h"

#include <string.h>

#define SITE(name)                                                                                           \
    {                                                                                                        \
        (name), file, line                                                                                   \
    }

/* A bag of what a reduction, which is copied, makes of bag's records. */
static rask_bag *new_reduction(rask_bag *bag, rk_bag_reduction *r, bool single, const rk_bag_site *site)
{
    r->in = bag->shape;
    r->name = r->name ? r->name : site->what;
    rask_bag *made = rk_bag_new(bag->graph, RK_BAG_REDUCE, &bag, 1, &r->out, site);
    if (!made)
        return NULL;
    made->as.reduction = rk_bag_keep(bag->graph, r, sizeof *r, site);
    made->single = single;
    return made->as.reduction ? made : NULL;
}

static bool is_usable(const rask_bag *bag)
{
    return bag && !bag->graph->status;
}

/* -- Numbers */

rask_bag *rk_build_bag_count(rask_bag *bag, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_count");
    rk_bag_reduction r = {.cls = &rk_bag_reduce_count};
    rk_shape_init(&r.out, "i", 0);
    return is_usable(bag) ? new_reduction(bag, &r, true, &site) : NULL;
}

/* Of a bag with one field, one of types; the result is of the same type, or of the one that is given. */
static rask_bag *reduce_field(rask_bag *bag, rk_bag_reduction *r, const char *types, const char *result,
                              const rk_bag_site *site)
{
    if (!is_usable(bag))
        return NULL;
    if (bag->shape.count != 1 || !strchr(types, bag->shape.types[0]))
        return rk_bag_refuse(bag->graph, RASK_ETYPE, site, "records are \"%s\", not one field of \"%s\"",
                             bag->shape.types, types);
    r->out = bag->shape;
    if (result)
        rk_shape_init(&r->out, result, 0);
    return new_reduction(bag, r, true, site);
}

rask_bag *rk_build_bag_sum(rask_bag *bag, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_sum");
    rk_bag_reduction r = {.cls = &rk_bag_reduce_sum};
    return reduce_field(bag, &r, "id", NULL, &site);
}

rask_bag *rk_build_bag_min(rask_bag *bag, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_min");
    rk_bag_reduction r = {.cls = &rk_bag_reduce_extreme};
    return reduce_field(bag, &r, "idy", NULL, &site);
}

rask_bag *rk_build_bag_max(rask_bag *bag, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_max");
    rk_bag_reduction r = {.cls = &rk_bag_reduce_extreme, .largest = true};
    return reduce_field(bag, &r, "idy", NULL, &site);
}

rask_bag *rk_build_bag_mean(rask_bag *bag, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_mean");
    rk_bag_reduction r = {.cls = &rk_bag_reduce_mean};
    return reduce_field(bag, &r, "id", "d", &site);
}

rask_bag *rk_build_bag_std(rask_bag *bag, uint32_t ddof, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_std");
    rk_bag_reduction r = {.cls = &rk_bag_reduce_std, .ddof = ddof};
    return reduce_field(bag, &r, "id", "d", &site);
}

/* -- Foldings */

/* A copy with an initial state, after checks; its state is a field that is added to out. NULL, latched. */
static const rask_bag_folding *keep_folding(rask_graph *graph, const rask_bag_folding *f, rk_shape *out,
                                            const char **name, const rk_bag_site *site)
{
    rk_shape state;
    const char letters[] = {f ? f->result : 0, 0};
    if (!f || f->size != sizeof *f || !f->add || !f->combine)
        return rk_bag_refuse(graph, RASK_EINVAL, site, "no functions, or the size is not set");
    if (!*letters || !strchr("idx", *letters) || rk_shape_init(&state, letters, f->struct_size))
        return rk_bag_refuse(graph, RASK_EINVAL, site,
                             "result is no 'i', 'd', or 'x' of a size of 1 to %d bytes", RK_MAX_BAG_STRUCT);
    if (rk_shape_append(out, &state, 0, 1))
        return rk_bag_refuse(graph, RASK_ELIMIT, site, "more than %d fields", RASK_MAX_FIELDS);
    rask_bag_folding *kept = rk_bag_keep(graph, f, sizeof *f, site);
    *name = rk_bag_keep_text(graph, f->name ? f->name : site->what, site);
    if (!kept || !*name || rk_bag_release_at_end(graph, f->release, f->context, site))
        return NULL;
    kept->initial = rk_bag_keep(graph, f->initial, state.sizes[0], site);
    return kept->initial ? kept : NULL;
}

rask_bag *rk_build_bag_fold(rask_bag *bag, const rask_bag_folding *folding, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_fold");
    rk_bag_reduction r = {.cls = &rk_bag_reduce_fold};
    if (!is_usable(bag))
        return NULL;
    r.folding = keep_folding(bag->graph, folding, &r.out, &r.name, &site);
    return r.folding ? new_reduction(bag, &r, true, &site) : NULL;
}

rask_bag *rk_build_bag_foldby(rask_bag *bag, const rask_bag_folding *folding, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_foldby");
    rk_bag_reduction r = {.cls = &rk_bag_reduce_keyed, .keys = 1};
    if (!is_usable(bag))
        return NULL;
    rk_shape_append(&r.out, &bag->shape, 0, 1);
    r.folding = keep_folding(bag->graph, folding, &r.out, &r.name, &site);
    return r.folding ? new_reduction(bag, &r, false, &site) : NULL;
}

/* -- Whole records */

/* Strings alone have a table of their own. */
static const rk_bag_reduction_class *keyed_class(const rask_bag *bag)
{
    return bag && strcmp(bag->shape.types, "y") == 0 ? &rk_bag_reduce_strings : &rk_bag_reduce_keyed;
}

rask_bag *rk_build_bag_frequencies(rask_bag *bag, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_frequencies");
    rk_bag_reduction r = {.cls = keyed_class(bag)};
    rk_shape count;
    if (!is_usable(bag) || rk_shape_init(&count, "i", 0))
        return NULL;
    r.keys = bag->shape.count;
    r.out = bag->shape;
    if (rk_shape_append(&r.out, &count, 0, 1))
        return rk_bag_refuse(bag->graph, RASK_ELIMIT, &site, "more than %d fields", RASK_MAX_FIELDS);
    return new_reduction(bag, &r, false, &site);
}

rask_bag *rk_build_bag_distinct(rask_bag *bag, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_distinct");
    rk_bag_reduction r = {.cls = keyed_class(bag)};
    if (!is_usable(bag))
        return NULL;
    r.keys = bag->shape.count;
    r.out = bag->shape;
    return new_reduction(bag, &r, false, &site);
}

rask_bag *rk_build_bag_topk(rask_bag *bag, uint64_t count, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_topk");
    rk_bag_reduction r = {.cls = &rk_bag_reduce_top, .limit = count};
    if (!is_usable(bag))
        return NULL;
    r.out = bag->shape;
    return new_reduction(bag, &r, false, &site);
}

rask_bag *rk_build_bag_topk_by(rask_bag *bag, uint64_t count, const char *name, rask_bag_compare *compare,
                               void *context, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_topk_by");
    rk_bag_reduction r = {.cls = &rk_bag_reduce_top, .limit = count, .compare = compare, .context = context};
    if (!is_usable(bag))
        return NULL;
    if (!compare)
        return rk_bag_refuse(bag->graph, RASK_EINVAL, &site, "no function to compare with");
    r.out = bag->shape;
    r.name = name ? rk_bag_keep_text(bag->graph, name, &site) : NULL;
    return new_reduction(bag, &r, false, &site);
}
