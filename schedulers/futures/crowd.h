/* schedulers/futures/crowd: memory of futures when there are many: blocks in a row, of chunks as large as the system's huge pages, so
 * that a million futures do not cost a hundred thousand page faults. A chunk ends with its last block. All calls are thread-safe. */
#ifndef RASK_SCHEDULERS_FUTURES_CROWD_H
#define RASK_SCHEDULERS_FUTURES_CROWD_H

#include "core/base/atomic.h"

#include <pthread.h>
#include <stddef.h>

typedef struct rk_crowd {
    pthread_mutex_t lock;
    struct rk_crowd_chunk *chunk; /* that blocks are cut from; NULL: there is none yet */
} rk_crowd;

void rk_crowd_init(rk_crowd *crowd);
/* Blocks that are there stay. */
void rk_crowd_fini(rk_crowd *crowd);

/* Aligned for any type, and not zeroed. NULL: no memory, or more than a chunk has. */
void *rk_crowd_alloc(rk_crowd *crowd, size_t size);
void rk_crowd_free(void *block);

#endif
