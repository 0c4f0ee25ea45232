/* schedulers/futures/resting: futures whose call has failed and that wait for their next: READY, by the time at which that is due.
 * They hold no worker; what they take of what is counted stays theirs. All calls are thread-safe. */
#ifndef RASK_SCHEDULERS_FUTURES_RESTING_H
#define RASK_SCHEDULERS_FUTURES_RESTING_H

#include "core/base/clock.h"
#include "schedulers/futures/ranking.h"

typedef struct rk_resting {
    pthread_mutex_t lock;
    rk_ranking futures;
    size_t many;           /* as soon as there are so many those that have ended are let go of */
    rk_atomic_u64 next_ns; /* when the first is due; 0: there is none */
} rk_resting;

void rk_resting_init(rk_resting *resting);
void rk_resting_fini(rk_resting *resting);

/* It is RUNNING, and READY from here on, when it may be anybody's at once. *first: none is due before it. False: no memory; nothing
 * happened. */
bool rk_resting_add(rk_resting *resting, rask_future *future, uint64_t due_ns, bool *first);
/* The first that is due by now, the caller's to queue; NULL: none is. Some may have ended meanwhile. */
rask_future *rk_resting_pop(rk_resting *resting, uint64_t now_ns);

/* Some do that have not ended; those that would come before them are let go of. */
bool rk_resting_any(rk_resting *resting);

static inline bool rk_resting_is_due(const rk_resting *resting)
{
    uint64_t next_ns = rk_load_seq_cst(&resting->next_ns);
    return next_ns && rk_clock_now() >= next_ns;
}

#endif
