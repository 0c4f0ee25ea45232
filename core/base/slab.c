/* Blocks of chunks. Before each stands the chunk that it is of. */
#include "core/base/slab.h"

#include "core/base/limits.h"

#include <assert.h>
#include <stdalign.h>

/* Is each access watched? */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define WATCHED true
#elif defined(__has_feature)
#    define WATCHED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#    define WATCHED false
#endif

enum { LEAST_CHUNK = 16 << 10, PAGE = 4096, MOST_AHEAD = 2 };

typedef struct slot {
    struct rk_slab *chunk; /* NULL: it is none's */
    void *content[];       /* while it is free, the next that is */
} slot;

typedef struct rk_slab {
    rk_slabs *slabs;
    struct rk_slab *next, *previous; /* of those that have room */
    slot *free;
    size_t bytes;
    uint32_t used, fresh, room; /* fresh: how many were ever used */
    void *slots[];
} chunk;

void rk_slabs_init(rk_slabs *slabs, size_t block)
{
    size_t rest = block % alignof(slot);
    assert(block);
    *slabs = (rk_slabs){.block = block + (rest ? alignof(slot) - rest : 0), .one_by_one = WATCHED};
}

static void free_all(chunk *c)
{
    for (chunk *next; c; c = next) {
        next = c->next;
        rk_free(c);
    }
}

void rk_slabs_fini(rk_slabs *slabs)
{
    free_all(slabs->roomy);
    free_all(slabs->ahead);
}

static size_t slot_size(const rk_slabs *slabs)
{
    return sizeof(slot) + slabs->block;
}

static void link_in(rk_slabs *slabs, chunk *c)
{
    c->previous = NULL;
    c->next = slabs->roomy;
    if (c->next)
        c->next->previous = c;
    slabs->roomy = c;
}

static void link_out(rk_slabs *slabs, chunk *c)
{
    *(c->previous ? &c->previous->next : &slabs->roomy) = c->next;
    if (c->next)
        c->next->previous = c->previous;
}

static chunk *new_chunk(rk_slabs *slabs, size_t size)
{
    size_t least = sizeof(chunk) + slot_size(slabs);
    size = size < least ? least : size;
    chunk *c = rk_alloc(size);
    if (c)
        *c = (chunk){
            .slabs = slabs, .bytes = size, .room = (uint32_t)((size - sizeof(chunk)) / slot_size(slabs))};
    return c;
}

/* Under the lock. */
static void put_in(rk_slabs *slabs, chunk *c)
{
    slabs->bytes += c->bytes;
    link_in(slabs, c);
}

/* Under the lock, when that has changed. */
static void note_wanted(rk_slabs *slabs)
{
    rk_store_relaxed(&slabs->wanted, slabs->bytes >= 2 * RK_ALLOC_HUGE && slabs->coming < MOST_AHEAD);
}

/* Under the lock: one that lies ready is put in. NULL: none does. */
static chunk *put_in_ahead(rk_slabs *slabs)
{
    chunk *c = slabs->ahead;
    if (!c)
        return NULL;
    slabs->ahead = c->next;
    slabs->coming--;
    put_in(slabs, c);
    note_wanted(slabs);
    return c;
}

/* As large as all that there is, from a few pages to a huge one. */
static bool add_chunk(rk_slabs *slabs, uint64_t bytes)
{
    size_t size = bytes < LEAST_CHUNK ? LEAST_CHUNK : bytes > RK_ALLOC_HUGE ? RK_ALLOC_HUGE : (size_t)bytes;
    chunk *c = new_chunk(slabs, size);
    if (!c)
        return false;
    rk_spin_lock(&slabs->lock);
    put_in(slabs, c);
    note_wanted(slabs);
    rk_spin_unlock(&slabs->lock);
    return true;
}

/* True: the caller is to make one. */
static bool promise(rk_slabs *slabs)
{
    rk_spin_lock(&slabs->lock);
    bool wanted = rk_load_relaxed(&slabs->wanted);
    slabs->coming += wanted;
    note_wanted(slabs);
    rk_spin_unlock(&slabs->lock);
    return wanted;
}

/* c: as promised; NULL: no memory. False: it is of no use any more. */
static bool keep_promise(rk_slabs *slabs, chunk *c)
{
    rk_spin_lock(&slabs->lock);
    bool needed = !slabs->surplus;
    if (!needed) {
        slabs->surplus--;
    } else if (c) {
        c->next = slabs->ahead;
        slabs->ahead = c;
    } else {
        slabs->coming--;
        note_wanted(slabs);
    }
    rk_spin_unlock(&slabs->lock);
    return needed;
}

bool rk_slabs_prepare(rk_slabs *slabs)
{
    if (!rk_load_relaxed(&slabs->wanted) || !promise(slabs))
        return false;
    chunk *c = new_chunk(slabs, RK_ALLOC_HUGE);
    for (size_t at = PAGE; c && at < c->bytes; at += PAGE)
        ((volatile char *)c)[at] = 0;
    bool needed = keep_promise(slabs, c);
    if (!needed)
        rk_free(c);
    return needed && c;
}

/* Under the lock. */
static slot *take(rk_slabs *slabs, chunk *c)
{
    slot *s = c->free;
    if (s) {
        c->free = s->content[0];
    } else {
        s = (slot *)((char *)c->slots + c->fresh++ * slot_size(slabs));
        s->chunk = c;
    }
    if (++c->used == c->room)
        link_out(slabs, c);
    return s;
}

static void *alloc_alone(size_t size)
{
    slot *s = rk_alloc(sizeof *s + size);
    if (!s)
        return NULL;
    s->chunk = NULL;
    return s->content;
}

void *rk_slab_alloc(rk_slabs *slabs, size_t size)
{
    if (slabs->one_by_one || size > slabs->block)
        return alloc_alone(size);
    for (;;) {
        rk_spin_lock(&slabs->lock);
        chunk *c = slabs->roomy ? slabs->roomy : put_in_ahead(slabs);
        slot *s = c ? take(slabs, c) : NULL;
        uint64_t bytes = slabs->bytes;
        rk_spin_unlock(&slabs->lock);
        if (s)
            return s->content;
        if (!add_chunk(slabs, bytes))
            return NULL;
    }
}

/* Under the lock: one less is needed than there was to be. NULL: none lies ready; else it is the caller's to free. */
static chunk *take_back_ahead(rk_slabs *slabs)
{
    chunk *c = slabs->ahead;
    rk_store_relaxed(&slabs->wanted, false);
    if (!slabs->coming)
        return NULL;
    slabs->coming--;
    if (c) {
        slabs->ahead = c->next;
        c->next = NULL;
    } else {
        slabs->surplus++;
    }
    return c;
}

/* Under the lock. True: the chunk is empty, and there is another: it is the caller's to free, as is *ahead, since
 * fewer are needed. */
static bool give_back(rk_slabs *slabs, slot *s, chunk **ahead)
{
    chunk *c = s->chunk;
    s->content[0] = c->free;
    c->free = s;
    if (c->used-- == c->room)
        link_in(slabs, c);
    if (c->used || !(c->next || c->previous))
        return false;
    link_out(slabs, c);
    slabs->bytes -= c->bytes;
    *ahead = take_back_ahead(slabs);
    return true;
}

void rk_slab_free(void *at)
{
    if (!at)
        return;
    slot *s = (slot *)((char *)at - offsetof(slot, content));
    chunk *c = s->chunk;
    if (!c) {
        rk_free(s);
        return;
    }
    rk_slabs *slabs = c->slabs;
    rk_spin_lock(&slabs->lock);
    chunk *ahead = NULL;
    bool empty = give_back(slabs, s, &ahead);
    rk_spin_unlock(&slabs->lock);
    if (empty)
        rk_free(c);
    rk_free(ahead);
}
