/* Blocks of chunks. Before each stands the chunk that it is of. */
#include "core/base/slab.h"

#include "core/base/limits.h"

#include <stdalign.h>

/* Where each access is watched, blocks are the allocator's, one by one. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ONE_BY_ONE = 1 };
#else
enum { ONE_BY_ONE = 0 };
#endif

enum { LEAST_CHUNK = 16 << 10 };

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
    *slabs = (rk_slabs){.block = block + (rest ? alignof(slot) - rest : 0)};
}

void rk_slabs_fini(rk_slabs *slabs)
{
    for (chunk *c = slabs->roomy, *next; c; c = next) {
        next = c->next;
        rk_free(c);
    }
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

/* As large as all that there is, from a few pages to a huge one. */
static bool add_chunk(rk_slabs *slabs, uint64_t bytes)
{
    size_t size = bytes < LEAST_CHUNK ? LEAST_CHUNK : bytes > RK_ALLOC_HUGE ? RK_ALLOC_HUGE : (size_t)bytes;
    size_t least = sizeof(chunk) + slot_size(slabs);
    size = size < least ? least : size;
    chunk *c = rk_alloc(size);
    if (!c)
        return false;
    *c =
        (chunk){.slabs = slabs, .bytes = size, .room = (uint32_t)((size - sizeof(chunk)) / slot_size(slabs))};
    rk_spin_lock(&slabs->lock);
    slabs->bytes += size;
    link_in(slabs, c);
    rk_spin_unlock(&slabs->lock);
    return true;
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
    if (ONE_BY_ONE || size > slabs->block)
        return alloc_alone(size);
    for (;;) {
        rk_spin_lock(&slabs->lock);
        chunk *c = slabs->roomy;
        slot *s = c ? take(slabs, c) : NULL;
        uint64_t bytes = slabs->bytes;
        rk_spin_unlock(&slabs->lock);
        if (s)
            return s->content;
        if (!add_chunk(slabs, bytes))
            return NULL;
    }
}

/* Under the lock. True: the chunk is empty, and there is another: it is the caller's to free. */
static bool give_back(rk_slabs *slabs, slot *s)
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
    bool empty = give_back(slabs, s);
    rk_spin_unlock(&slabs->lock);
    if (empty)
        rk_free(c);
}
