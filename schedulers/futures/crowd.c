/* Futures when there are many. */
#include "schedulers/futures/crowd.h"

#include "core/base/alloc.h"

#include <stdalign.h>

#define CHUNK ((size_t)2 << 20)

typedef struct rk_crowd_chunk {
    rk_atomic_u32 refs; /* of blocks, and of the crowd that cuts them */
    size_t used;
} chunk;

/* Before each block. */
typedef struct head {
    alignas(max_align_t) chunk *of;
} head;

void rk_crowd_init(rk_crowd *crowd)
{
    pthread_mutex_init(&crowd->lock, NULL);
    crowd->chunk = NULL;
}

static void unref(chunk *c)
{
    if (c && rk_sub_acq_rel(&c->refs, 1) == 1)
        rk_free(c);
}

void rk_crowd_fini(rk_crowd *crowd)
{
    unref(crowd->chunk);
    pthread_mutex_destroy(&crowd->lock);
}

static size_t padded(size_t size)
{
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

/* Under the lock: a chunk with so much room; NULL: no memory. */
static chunk *with_room(rk_crowd *crowd, size_t size)
{
    chunk *c = crowd->chunk;
    if (c && size <= CHUNK - c->used)
        return c;
    chunk *next = rk_alloc(CHUNK);
    if (!next)
        return NULL;
    rk_init(&next->refs, 1);
    next->used = padded(sizeof *next);
    unref(c);
    return crowd->chunk = next;
}

void *rk_crowd_alloc(rk_crowd *crowd, size_t size)
{
    if (size > CHUNK - padded(sizeof(chunk)) - sizeof(head))
        return NULL;
    size = padded(size) + sizeof(head);
    head *block = NULL;
    pthread_mutex_lock(&crowd->lock);
    chunk *c = with_room(crowd, size);
    if (c) {
        block = (head *)((char *)c + c->used);
        block->of = c;
        c->used += size;
        rk_add_relaxed(&c->refs, 1);
    }
    pthread_mutex_unlock(&crowd->lock);
    return block ? block + 1 : NULL;
}

void rk_crowd_free(void *block)
{
    unref(((head *)block - 1)->of);
}
