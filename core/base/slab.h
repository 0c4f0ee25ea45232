/* core/base/slab: many small things of a kind, made by some threads and ended by others: from chunks, the larger the more there are, so that
 * millions come in huge pages. Chunks that are empty go back, but for one. The system clears a page when it is touched first, which costs
 * more than all else that is done with what comes to lie there: somebody who has time may do that beforehand. All calls but for
 * init and fini are thread-safe. */
#ifndef RASK_CORE_BASE_SLAB_H
#define RASK_CORE_BASE_SLAB_H

#include "core/base/alloc.h"
#include "core/base/spin.h"

typedef struct rk_slabs {
    rk_spin lock;
    size_t block;          /* bytes of each */
    bool one_by_one;       /* blocks are the allocator's, and there are no chunks */
    struct rk_slab *roomy; /* chunks that have room, the one that is used first */
    uint64_t bytes;        /* of all chunks that are in use */
    struct rk_slab *ahead; /* the next ones, whose pages have been touched */
    uint32_t coming;       /* how many these are, and those that are being made */
    uint32_t surplus;      /* how many more are being made, which nobody needs by now */
    rk_atomic_bool wanted; /* one more of them would be of use */
    char padding[RK_CACHE_LINE];
} rk_slabs;

/* For blocks of so many bytes, of at least one. Where a sanitizer watches each access, they are the allocator's, one by one: it sees
 * nothing else; who wants chunks all the same says so before the first block. */
void rk_slabs_init(rk_slabs *slabs, size_t block);
/* All blocks have been freed. */
void rk_slabs_fini(rk_slabs *slabs);

/* size bytes, aligned for pointers; more than a block come from rk_alloc(). NULL: no memory. */
void *rk_slab_alloc(rk_slabs *slabs, size_t size);
/* Has the next chunk ready, when blocks come by whole huge pages; false: that is of no use, or there is no memory. Takes as long as the system needs to clear
 * one: for threads that have nothing else to do. */
bool rk_slabs_prepare(rk_slabs *slabs);
/* What that returned, before the slabs end. */
void rk_slab_free(void *at);

#endif
