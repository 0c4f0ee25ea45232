/* Design notes.
 *
 * A recipe is one of two things. Where the collection is the program's, it notes what is shared, in order, and is written down when a
 * value is encoded. As a *guest*, in another process, it has a graph of its own with the collection made again, and all that came of
 * lowering it. Guests that are in use stand in a list, where values of the same recipe find them; the last value ends it.
 *
 * Bytes of a value: its number, how many there are of them, and the recipe. Of values that are encoded together the first one has
 * that, and the others what is drawn from it (digest), by which they find the guest. */
#include "collections/recipes/recipe.h"

#include "core/base/alloc.h"
#include "core/base/atomic.h"
#include "core/task/task.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { VERSION = 1 };

typedef struct item {
    const rask_class *cls;
    const void *what;
} item;

struct rk_recipe {
    rk_atomic_u32 refs;
    const rk_recipe_kind *kind;
    void *of;             /* owned; of a guest NULL */
    rk_array items;       /* item */
    rask_graph *graph;    /* of a guest; NULL: it is none */
    XXH128_hash_t digest; /* of what a guest was made of, or what was written last, */
    uint64_t written;     /* when that was (rk_pack_together()); with guests_lock held */
    rk_recipe *outer;     /* that was current before */
    char *absent;         /* why a guest has no items; NULL: all is well */
    rk_recipe *next;      /* of the guests */
};

/* The data of values. */
typedef struct shared {
    rk_recipe *recipe; /* a reference; NULL: there is none */
    uint32_t number;
    const rask_class *cls;
    const void *what;
} shared;

static _Thread_local rk_recipe *current;

static pthread_mutex_t guests_lock = PTHREAD_MUTEX_INITIALIZER;
static rk_recipe *guests;

/* -- Life */

static rk_recipe *recipe_new(void)
{
    rk_recipe *r = rk_calloc(1, sizeof *r);
    if (!r)
        return NULL;
    rk_init(&r->refs, 1);
    r->items = (rk_array)RK_ARRAY(item, UINT32_MAX);
    return r;
}

static void recipe_free(rk_recipe *r)
{
    rask_graph_free(r->graph);
    rk_array_fini(&r->items);
    rk_free(r->absent);
    rk_free(r->of);
    rk_free(r);
}

static void recipe_unref(rk_recipe *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&guests_lock);
    bool last = rk_sub_acq_rel(&r->refs, 1) == 1;
    rk_recipe **at = &guests;
    while (last && *at && *at != r)
        at = &(*at)->next;
    if (last && *at)
        *at = r->next;
    pthread_mutex_unlock(&guests_lock);
    if (last)
        recipe_free(r);
}

rk_recipe *rk_recipe_begin(const rk_recipe_kind *kind, const void *of)
{
    rk_recipe *r = recipe_new();
    void *copy = r ? rk_alloc(kind->size) : NULL;
    if (!copy) {
        rk_free(r);
        return NULL;
    }
    memcpy(copy, of, kind->size);
    r->kind = kind;
    r->of = copy;
    r->outer = current;
    current = r;
    return r;
}

void rk_recipe_end(rk_recipe *recipe)
{
    if (recipe)
        current = recipe->outer;
    recipe_unref(recipe);
}

/* -- What is shared */

/* Its number among those of the recipe. A guest's values are nobody's, and need it not. */
static int note(shared *s)
{
    item *place = current ? rk_array_push(&current->items) : NULL;
    if (!place)
        return current ? RASK_ENOMEM : RASK_OK;
    *place = (item){s->cls, s->what};
    s->number = (uint32_t)current->items.count - 1;
    if (!current->graph) {
        s->recipe = current;
        rk_add_relaxed(&current->refs, 1);
    }
    return RASK_OK;
}

int rk_shared_value(rask_graph *graph, const rask_class *cls, const void *what, rask_value *out)
{
    shared *s = rk_alloc(sizeof *s);
    if (s)
        *s = (shared){.cls = cls, .what = what};
    if (s && !note(s) && !rask_value_custom_new(cls, s, out))
        return RASK_OK;
    if (s)
        rk_shared_destroy(s);
    rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
    return RASK_ENOMEM;
}

void rk_shared_destroy(void *data)
{
    shared *s = data;
    recipe_unref(s->recipe);
    rk_free(s);
}

const void *rk_shared_what(const void *data)
{
    return ((const shared *)data)->what;
}

void *rk_shared_arg(rask_task *task, size_t index, const rask_class *cls)
{
    const shared *s = rask_arg_custom(task, index, cls);
    if (!s)
        return NULL;
    if (s->recipe && s->recipe->absent)
        rk_task_fail(task, RASK_EIO, "%s", s->recipe->absent);
    else if (s->cls != cls)
        rk_task_fail(task, RASK_EFORMAT, "%s: what came from another process is something else", cls->name);
    else
        return (void *)s->what;
    return NULL;
}

/* -- Writing */

typedef struct head {
    uint32_t version, number, items, whole; /* whole: the recipe is there, else the digest */
} head;

/* What values of one recipe have in common. */
static XXH128_hash_t digest_of(uint32_t items, const char *bytes, size_t size)
{
    return XXH3_128bits_withSeed(bytes, size, items);
}

/* The recipe, or, where it was written a moment ago, what it is found by. */
static int put_shared(const shared *s, rk_pack_out *out, rk_open_error *error)
{
    rk_recipe *r = s->recipe;
    uint64_t now = rk_pack_together();
    const head h = {VERSION, s->number, (uint32_t)r->items.count, !now || r->written != now};
    int status = RASK_OK;
    rk_pack_put(out, &h, sizeof h);
    if (!h.whole) {
        rk_pack_put(out, &r->digest, sizeof r->digest);
        return RASK_OK;
    }
    status = r->kind->put(r->of, out, error);
    if (!status && !out->failed)
        r->digest = digest_of(h.items, out->data + sizeof h, out->size - sizeof h);
    r->written = status || out->failed ? 0 : now;
    return status;
}

int rk_shared_encode(const void *data, rask_value *bytes)
{
    const shared *s = data;
    rk_pack_out out = {0};
    rk_open_error error = {0};
    int status = RASK_EUNSUPPORTED;
    if (!s->recipe || s->recipe->graph) {
        rk_open_fail(&error, status, "it was lowered for this process alone");
    } else {
        pthread_mutex_lock(&guests_lock);
        status = put_shared(s, &out, &error);
        pthread_mutex_unlock(&guests_lock);
    }
    return rk_encoded(&out, status, &error, bytes);
}

/* -- Reading */

/* Says why a guest has nothing. */
static int be_absent(rk_recipe *r, const char *why)
{
    r->absent = rk_strndup(why, strlen(why));
    return r->absent ? RASK_OK : RASK_ENOMEM;
}

static int make_again(rk_recipe *r, rk_pack_in *in, uint32_t items)
{
    rk_open_error error = {0};
    r->outer = current;
    current = r;
    int status = r->kind->again(r->graph, in, &error);
    current = r->outer;
    if (status == RASK_ENOMEM || status == RASK_EFORMAT || (!status && r->items.count == items))
        return status;
    if (!status) {
        rk_open_fail(&error, RASK_EIO, "it is cut into other tasks here than where the program runs");
        rk_open_error_say_where(&error);
    }
    return be_absent(r, error.message);
}

static int guest_new(const rk_recipe_kind *kind, rk_pack_in in, uint32_t items, rk_recipe **out)
{
    rk_recipe *r = recipe_new();
    if (!r || !(r->graph = rask_graph_new())) {
        rk_free(r);
        return RASK_ENOMEM;
    }
    r->kind = kind;
    int status = make_again(r, &in, items);
    if (status)
        recipe_free(r);
    else
        *out = r;
    return status;
}

/* By which a guest is found; RASK_EFORMAT. */
static int digest_in(rk_pack_in in, const head *h, XXH128_hash_t *digest)
{
    const char *at = h->whole ? NULL : rk_pack_get(&in, sizeof *digest);
    if (h->whole)
        *digest = digest_of(h->items, in.at, rk_pack_left(&in));
    else if (at)
        memcpy(digest, at, sizeof *digest);
    return in.failed ? RASK_EFORMAT : RASK_OK;
}

/* The guest of these bytes, with a reference: one that is there, or a new one. What it is made with may take a while; nobody else
 * looks for guests meanwhile but values of other plans. */
static int find_guest(const rk_recipe_kind *kind, rk_pack_in in, const head *h, rk_recipe **out)
{
    XXH128_hash_t digest = {0};
    int status = digest_in(in, h, &digest);
    if (status)
        return status;
    pthread_mutex_lock(&guests_lock);
    rk_recipe *r = guests;
    while (r && (r->kind != kind || !XXH128_isEqual(r->digest, digest)))
        r = r->next;
    if (r)
        rk_add_relaxed(&r->refs, 1);
    else if (!h->whole)
        status = RASK_EFORMAT;
    else if (!(status = guest_new(kind, in, h->items, &r))) {
        r->digest = digest;
        r->next = guests;
        guests = r;
    }
    pthread_mutex_unlock(&guests_lock);
    if (!status)
        *out = r;
    return status;
}

int rk_shared_decode(const rk_recipe_kind *kind, rask_bytes bytes, void **out)
{
    rk_pack_in in = {bytes.data, bytes.data + bytes.len, false, NULL};
    head h;
    const char *at = rk_pack_get(&in, sizeof h);
    if (!at)
        return RASK_EFORMAT;
    memcpy(&h, at, sizeof h);
    if (h.version != VERSION || h.number >= h.items || h.whole > 1)
        return RASK_EFORMAT;
    shared *s = rk_calloc(1, sizeof *s);
    if (!s)
        return RASK_ENOMEM;
    s->number = h.number;
    int status = find_guest(kind, in, &h, &s->recipe);
    if (status) {
        rk_free(s);
        return status;
    }
    if (s->number < s->recipe->items.count) {
        const item *found = (const item *)s->recipe->items.data + s->number;
        s->cls = found->cls;
        s->what = found->what;
    }
    *out = s;
    return RASK_OK;
}
