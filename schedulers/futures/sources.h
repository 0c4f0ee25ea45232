/* schedulers/futures/sources: what threads outside have submitted and nobody has taken: a queue for each thread, first come
 * first served, and the queues by turns, so that nobody waits for another's million. Who pushes and who takes do not wait for
 * each other but for a moment. All calls are thread-safe. */
#ifndef RASK_SCHEDULERS_FUTURES_SOURCES_H
#define RASK_SCHEDULERS_FUTURES_SOURCES_H

#include "core/base/spin.h"
#include "schedulers/futures/queue.h"

typedef struct rk_source {
    struct rk_source *next; /* all of them */
    rk_spin lock;           /* of owner and pushed */
    const void *owner;      /* a thread's own address; another's when it is empty */
    rk_queue pushed;
    rk_queue ready; /* pushed before; of who takes */
} rk_source;

typedef struct rk_sources {
    uint64_t serial; /* no other has it */
    char read_only[RK_CACHE_LINE];
    pthread_mutex_t lock; /* of who takes, and of who has no source yet */
    rk_source *first, *turn;
    char of_takers[RK_CACHE_LINE];
    rk_atomic_u32 count; /* in all of them, or more; sequentially consistent */
    char of_all[RK_CACHE_LINE];
} rk_sources;

void rk_sources_init(rk_sources *all);
void rk_sources_fini(rk_sources *all);

/* So many, to the calling thread's queue. False: no memory. */
bool rk_sources_push(rk_sources *all, const rk_queue *futures, uint32_t count);

/* Takes some of the source whose turn it is, at most so many, to the end of out. They are counted in *others, but for the first,
 * before they are not any more in count: who adds up both never sees less than there is. */
void rk_sources_take(rk_sources *all, uint32_t most, rk_queue *out, rk_atomic_u32 *others);

#endif
