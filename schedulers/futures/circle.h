/* schedulers/futures/circle: futures that wait for each other in a circle, because pure calls met. A circle closes when a future comes to
 * stand for what a task of it returned, and some of that was met. A look from there finds it, as long as it has not to go far. Who was
 * looked at so far without end is remembered, and what it waits for is gone through as a whole when there is nothing else to do, or
 * when there are many: looking costs in proportion to what grows. All calls are thread-safe. */
#ifndef RASK_SCHEDULERS_FUTURES_CIRCLE_H
#define RASK_SCHEDULERS_FUTURES_CIRCLE_H

#include "schedulers/futures/future.h"

typedef struct rk_circles {
    pthread_mutex_t lock;
    rk_array doubtful; /* rask_future *, referenced: those of which it is not known */
    rk_atomic_u32 count;
    size_t many; /* as soon as there are so many they are gone through */
    bool closed;
} rk_circles;

void rk_circles_init(rk_circles *circles);
void rk_circles_fini(rk_circles *circles);

/* The future stands for another, some of which was met: if it waits for itself it fails (RASK_ECYCLE), with the names of those on the
 * circle. The caller refers to it. */
void rk_circle_look(rk_circles *circles, rask_future *future, rk_endings *endings);

/* There is nothing else to do: goes through what is left in doubt. */
void rk_circles_settle(rk_circles *circles);
static inline bool rk_circles_in_doubt(const rk_circles *circles)
{
    return rk_load_relaxed(&circles->count);
}

/* Nothing is in doubt any more, for all ends. */
void rk_circles_close(rk_circles *circles);

/* Its edges are about to be let go of: waits for who looks at them. Its state says already that it waits no more. */
static inline void rk_circle_await_looks(rask_future *future)
{
    while (__builtin_expect(rk_load_seq_cst(&future->searched), 0))
        rk_relax();
}

#endif
