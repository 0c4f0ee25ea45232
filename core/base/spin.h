/* core/base/spin: a lock for a few steps that neither block, nor allocate much, nor call anybody: cheaper than a mutex, and who waits
 * for it is not put to sleep. A zeroed lock is free. */
#ifndef RASK_CORE_BASE_SPIN_H
#define RASK_CORE_BASE_SPIN_H

#include "core/base/atomic.h"

typedef struct rk_spin {
    rk_atomic_bool locked;
} rk_spin;

/* Until who has it is through; the processor is left to that now and then. */
void rk_spin_wait(rk_spin *spin);

static inline void rk_spin_lock(rk_spin *spin)
{
    if (__builtin_expect(rk_exchange_acquire(&spin->locked, true), 0))
        rk_spin_wait(spin);
}

static inline void rk_spin_unlock(rk_spin *spin)
{
    rk_store_release(&spin->locked, false);
}

#endif
