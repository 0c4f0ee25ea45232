/* core/base/slab: many small things of a kind, made by some threads and ended by others: from chunks, the larger the more there are, so that
 * millions come in huge pages. Chunks that are empty go back, but for one. All calls but for init and fini are thread-safe. */
#ifndef RASK_CORE_BASE_SLAB_H
#define RASK_CORE_BASE_SLAB_H

#include "core/base/alloc.h"
#include "core/base/spin.h"

typedef struct rk_slabs {
    rk_spin lock;
    size_t block;          /* bytes of each */
    struct rk_slab *roomy; /* chunks that have room, the one that is used first */
    uint64_t bytes;        /* of all chunks */
    char padding[RK_CACHE_LINE];
} rk_slabs;

void rk_slabs_init(rk_slabs *slabs, size_t block);
/* All blocks have been freed. */
void rk_slabs_fini(rk_slabs *slabs);

/* size bytes, aligned for pointers; more than a block come from rk_alloc(). NULL: no memory. */
void *rk_slab_alloc(rk_slabs *slabs, size_t size);
/* What that returned, before the slabs end. */
void rk_slab_free(void *at);

#endif
