/* schedulers/deque: a work-stealing deque of units.
 *
 * D. Chase, Y. Lev: "Dynamic circular work-stealing deque", SPAA 2005; memory orders after N. M. Lê, A. Pop,
 * A. Cohen, F. Zappa Nardelli: "Correct and efficient work-stealing for weak memory models", PPoPP 2013, with
 * sequentially consistent accesses in place of fences, which ThreadSanitizer understands and which cost the
 * same.
 *
 * The owner pushes and pops at the bottom, thieves take from the top. Units top … bottom - 1 are in it.
 *   top     written by thieves, and by the owner when it takes the last unit; only ever grows
 *   bottom  written by the owner
 *   ring    replaced by the owner when full; older rings live until the deque ends, since a thief may still look
 *   seen    the owner's own note of a top that was true once: top is never below it
 * A unit is taken exactly once: by the owner if top < bottom - 1 after it lowered bottom, else by whoever moves top
 * over it. */
#ifndef RASK_SCHEDULERS_DEQUE_H
#define RASK_SCHEDULERS_DEQUE_H

#include "core/base/alloc.h"
#include "core/base/atomic.h"
#include "schedulers/chaos.h"

#define RK_DEQUE_EMPTY UINT32_MAX
#define RK_DEQUE_AGAIN (UINT32_MAX - 1) /* a thief lost a race: there may be more */

typedef struct rk_ring {
    int64_t mask;
    struct rk_ring *older;
    rk_atomic_u32 items[];
} rk_ring;

typedef struct rk_deque {
    _Alignas(RK_CACHE_LINE) rk_atomic_i64 top;
    _Alignas(RK_CACHE_LINE) rk_atomic_i64 bottom;
    _Atomic(rk_ring *) ring;
    int64_t seen;
} rk_deque;

/* RASK_OK or RASK_ENOMEM. */
int rk_deque_init(rk_deque *deque);
void rk_deque_fini(rk_deque *deque);

/* Owner: twice the room. False when there is no memory. */
bool rk_deque_grow(rk_deque *deque);

/* Owner. False when there is no room and no memory for more. Thieves may see the unit at once. */
static inline bool rk_deque_push(rk_deque *deque, uint32_t unit)
{
    int64_t bottom = rk_load_relaxed(&deque->bottom);
    rk_ring *ring = rk_load_relaxed(&deque->ring);
    if (__builtin_expect(bottom - deque->seen > ring->mask, 0)) {
        deque->seen = rk_load_acquire(&deque->top);
        if (bottom - deque->seen > ring->mask) {
            if (!rk_deque_grow(deque))
                return false;
            ring = rk_load_relaxed(&deque->ring);
        }
    }
    rk_store_relaxed(&ring->items[bottom & ring->mask], unit);
    rk_store_release(&deque->bottom, bottom + 1);
    return true;
}

/* Owner, after pushes: everything pushed is visible before anything the owner reads from here on. */
static inline void rk_deque_publish(rk_deque *deque)
{
    rk_store_seq_cst(&deque->bottom, rk_load_relaxed(&deque->bottom));
}

/* Owner: the unit pushed last, or RK_DEQUE_EMPTY. */
static inline uint32_t rk_deque_pop(rk_deque *deque)
{
    int64_t bottom = rk_load_relaxed(&deque->bottom) - 1;
    if (bottom < deque->seen)
        return RK_DEQUE_EMPTY;
    rk_ring *ring = rk_load_relaxed(&deque->ring);
    rk_store_seq_cst(&deque->bottom, bottom);
    rk_chaos();
    int64_t top = deque->seen = rk_load_seq_cst(&deque->top);
    uint32_t unit = RK_DEQUE_EMPTY;
    if (top <= bottom) {
        unit = rk_load_relaxed(&ring->items[bottom & ring->mask]);
        if (top < bottom)
            return unit;
        if (!rk_cas_seq_cst(&deque->top, &top, top + 1))
            unit = RK_DEQUE_EMPTY;
        deque->seen = bottom + 1;
    }
    rk_store_relaxed(&deque->bottom, bottom + 1);
    return unit;
}

/* Anyone: the unit pushed first, RK_DEQUE_EMPTY or RK_DEQUE_AGAIN. */
static inline uint32_t rk_deque_steal(rk_deque *deque)
{
    int64_t top = rk_load_seq_cst(&deque->top);
    rk_chaos();
    int64_t bottom = rk_load_seq_cst(&deque->bottom);
    if (top >= bottom)
        return RK_DEQUE_EMPTY;
    rk_ring *ring = rk_load_acquire(&deque->ring);
    uint32_t unit = rk_load_relaxed(&ring->items[top & ring->mask]);
    rk_chaos();
    return rk_cas_seq_cst(&deque->top, &top, top + 1) ? unit : RK_DEQUE_AGAIN;
}

/* Anyone: how many units there are, or were a moment ago. */
static inline uint64_t rk_deque_size(const rk_deque *deque)
{
    int64_t bottom = rk_load_seq_cst(&deque->bottom), top = rk_load_seq_cst(&deque->top);
    return bottom > top ? (uint64_t)(bottom - top) : 0;
}

#endif
