/* Bags as recipes: what they were lowered with, then the calls of builders that made them, and with those of sources the files or the
 * records. */
#include "collections/bag/recipe.h"

#include "collections/bag/compute.h"
#include "collections/bag/held.h"
#include "collections/bag/made.h"
#include "collections/text/travel.h"
#include "core/base/alloc.h"

#include <string.h>

/* What a recipe is of. */
typedef struct bag_recipe {
    rask_bag *bag;
    rk_bag_root root;
    const char *path;
    rk_bag_lowering lowering;
} bag_recipe;

typedef struct head {
    uint64_t budget, seed;
    uint32_t root, workers, bags, unused;
} head;

/* -- Writing */

static rk_builder_call *call_of(const void *bag)
{
    return ((const rask_bag *)bag)->made;
}

static int put_bag(const rk_builder_calls *calls, const rask_bag *bag, rk_pack_out *out, rk_open_error *error)
{
    int status = rk_builder_call_put(calls, bag->made, out, error);
    if (!status && bag->kind == RK_BAG_TEXT)
        status = rk_text_files_put(&bag->as.text->files, out, error);
    if (!status && bag->kind == RK_BAG_HELD)
        status = rk_bag_held_put(bag, out, error);
    return status;
}

static int put(const void *of, rk_pack_out *out, rk_open_error *error)
{
    const bag_recipe *r = of;
    rk_builder_calls calls = {.call_of = call_of, .why = "nobody knows how it was made"};
    int status = rk_builder_calls_find(&calls, r->bag, error);
    const head h = {.budget = r->lowering.budget,
                    .seed = r->lowering.seed,
                    .root = r->root,
                    .workers = r->lowering.workers,
                    .bags = (uint32_t)calls.made.count};
    rk_pack_put(out, &h, sizeof h);
    rk_pack_put_text(out, r->path);
    for (size_t i = 0; i < calls.made.count && !status; i++)
        status = put_bag(&calls, ((rask_bag **)calls.made.data)[i], out, error);
    rk_array_fini(&calls.made);
    return status;
}

/* -- Reading */

typedef struct reading {
    rask_graph *graph;
    rk_pack_in *in;
    rk_open_error *error;
    bool others; /* files are others than the program saw: the error says which */
} reading;

static rask_bag *get_text(reading *r, const rk_builder_call *call)
{
    static const rk_bag_site site = {.what = "rask_read_text"};
    rk_text_files files;
    if (rk_text_files_get(r->in, &files)) {
        rk_text_files_fini(&files);
        return NULL;
    }
    r->others = r->others || rk_text_files_check(&files, r->error);
    return rk_bag_text_new(r->graph, &files, call->numbers[0], &site);
}

/* NULL: there is no such bag, or latched. */
static rask_bag *make(reading *r, const rk_builder_call *call)
{
    switch (call->builder) {
    case RK_BAG_MADE_TEXT: return get_text(r, call);
    case RK_BAG_MADE_HELD: return rk_bag_held_get(r->graph, r->in);
    case RK_BAG_MADE_FED: return rk_bag_fed_stand_in(r->graph, call->texts[0], call->numbers[0]);
    default: return rk_bag_make_again(r->graph, call);
    }
}

/* RASK_OK; RASK_EFORMAT, RASK_ENOMEM. */
static int get_bag(reading *r, rask_bag **bags, uint32_t number)
{
    rk_builder_call call;
    int status = rk_builder_call_get(r->in, (void *const *)bags, number, &call);
    if (!status)
        bags[number] = make(r, &call);
    rk_builder_call_fini(&call);
    if (!status && !bags[number])
        status = r->graph->status == RASK_ENOMEM ? RASK_ENOMEM : RASK_EFORMAT;
    return status;
}

static int lower(const rk_bag_lowering *l, rask_bag *bag, uint32_t root, const char *path,
                 rk_open_error *error)
{
    rk_bag_nodes nodes;
    switch (root) {
    case RK_BAG_AS_CHUNKS: return rk_bag_lower(l, bag, &nodes);
    case RK_BAG_AS_VALUE: return rk_bag_lower_value(l, bag) ? RASK_OK : l->graph->status;
    default: return rk_bag_lower_text(l, bag, path, &nodes, error->message, sizeof error->message);
    }
}

static int lower_again(const reading *r, const head *h, rask_bag *bag, const char *path)
{
    const rk_bag_lowering l = {
        .graph = r->graph, .budget = h->budget, .seed = h->seed, .workers = h->workers};
    if (r->others)
        return RASK_EIO;
    int status = lower(&l, bag, h->root, path, r->error);
    if (!status || status == RASK_ENOMEM)
        return status;
    if (r->graph->status)
        rk_open_fail(r->error, RASK_EIO, "%s", rask_graph_error(r->graph));
    rk_open_error_say_where(r->error);
    return RASK_EIO;
}

static int again(rask_graph *graph, rk_pack_in *in, rk_open_error *error)
{
    reading r = {.graph = graph, .in = in, .error = error};
    head h;
    char *path = NULL;
    const char *at = rk_pack_get(in, sizeof h);
    if (!at || !rk_pack_get_text(in, &path))
        return !at || in->failed ? RASK_EFORMAT : RASK_ENOMEM;
    memcpy(&h, at, sizeof h);
    bool good = h.root < RK_BAG_ROOTS && h.workers && h.budget && h.bags && h.bags <= rk_pack_left(in);
    rask_bag **bags = good ? rk_alloc_array(h.bags, sizeof *bags) : NULL;
    int status = !good ? RASK_EFORMAT : bags ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; i < h.bags && !status; i++)
        status = get_bag(&r, bags, i);
    if (!status)
        status = lower_again(&r, &h, bags[h.bags - 1], path);
    rk_free((void *)bags);
    rk_free(path);
    return status;
}

static const rk_recipe_kind bag_kind = {.size = sizeof(bag_recipe), .put = put, .again = again};

rk_recipe *rk_bag_recipe_begin(const rk_bag_lowering *l, rask_bag *bag, rk_bag_root root, const char *path)
{
    const bag_recipe of = {.bag = bag, .root = root, .path = path, .lowering = *l};
    return rk_recipe_begin(&bag_kind, &of);
}

int rk_bag_shared_decode(rask_bytes bytes, void **shared)
{
    return rk_shared_decode(&bag_kind, bytes, shared);
}
