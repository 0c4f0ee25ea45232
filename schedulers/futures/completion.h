/* schedulers/futures/completion: futures in the order in which they are done. Each that is waited for has a slot, which may be
 * used again for another once it has been told: what is waited for may change without end, in memory that stays the same. */
#ifndef RASK_SCHEDULERS_FUTURES_COMPLETION_H
#define RASK_SCHEDULERS_FUTURES_COMPLETION_H

#include "schedulers/futures/future.h"

/* Of so many slots. NULL: no memory. Freed by rask_completion_free(), whatever is waited for. Used by one thread at a time. */
rask_completion *rk_completion_new(size_t slots);
/* The slot of this number waits for future (NULL: it is done), or for another after it was taken. */
void rk_completion_watch(rask_completion *completion, size_t number, rask_future *future);
/* A slot whose future is done; waits for it until deadline_ns (0: however long), when the number of slots is given. */
size_t rk_completion_take(rask_completion *completion, uint64_t deadline_ns);

#endif
