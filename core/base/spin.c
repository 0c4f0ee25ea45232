/* Waiting for a short lock. */
#include "core/base/spin.h"

#include <sched.h>

enum { PATIENCE = 64 };

void rk_spin_wait(rk_spin *spin)
{
    do {
        for (int i = 0; i < PATIENCE && rk_load_relaxed(&spin->locked); i++)
            rk_relax();
        if (rk_load_relaxed(&spin->locked))
            sched_yield(); /* who has it may have no processor */
    } while (rk_exchange_acquire(&spin->locked, true));
}
