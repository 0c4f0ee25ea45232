/* schedulers/futures/meet: what was submitted already is met, not done again: futures by the node they were, and by the call they
 * are. Futures are listed as long as somebody refers to them; the last numbers that pure calls came to which
 * tasks grew are referred to here until nothing is under way, so that a task which calls itself in two ways is not called for
 * ever. All calls are thread-safe. */
#ifndef RASK_SCHEDULERS_FUTURES_MEET_H
#define RASK_SCHEDULERS_FUTURES_MEET_H

#include "core/base/spin.h"
#include "schedulers/futures/future.h"

typedef struct rk_meetings {
    rk_spin
        lock; /* for some steps, but for the few times that there are twice as many buckets: never over an allocation */
    rk_meeting **buckets;
    uint64_t mask, count;
    bool widening; /* somebody makes more buckets */
    char padding
        [RK_CACHE_LINE]; /* who ends one looks at what follows, and who submits writes what stands above */
    rask_future **kept;  /* a ring of RK_MEETINGS_KEPT; NULL: nothing yet */
    rk_atomic_u32 next_kept; /* how many came */
} rk_meetings;

enum { RK_MEETINGS_KEPT = 1 << 14 };

int rk_meetings_init(rk_meetings *meetings);
void rk_meetings_fini(rk_meetings *meetings);

/* The future with this key that is not about to end without a result, with a reference and a want for the caller; NULL: none.
 * same: whether it is that call; NULL: a node is sought, by a key that no other has. Neighbours should have keys in a row. */
rask_future *rk_meet(rk_meetings *meetings, uint64_t key,
                     bool (*same)(const rask_future *future, const void *what), const void *what);
/* Lists it under its key from here on. It has room for one more way to be met, and is listed by its call first. Without memory it is not
 * met. */
void rk_meet_list(rk_meetings *meetings, rask_future *future, uint64_t key);
/* The same, unless another is listed already: that one, as rk_meet(); else NULL. */
rask_future *rk_meet_or_list(rk_meetings *meetings, rask_future *future, uint64_t key,
                             bool (*same)(const rask_future *future, const void *what), const void *what);
/* It is not met any more. */
void rk_meet_forget(rk_meetings *meetings, const rask_future *future);

/* Does it refer to any? */
static inline bool rk_meet_keeps(const rk_meetings *meetings)
{
    return rk_load_relaxed(&meetings->next_kept);
}
/* Refers to it until as many others came. */
void rk_meet_keep(rk_meetings *meetings, rask_future *future);
/* Refers to none any more. */
void rk_meet_keep_none(rk_meetings *meetings);

#endif
