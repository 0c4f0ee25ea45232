#include "schedulers/chaos.h"

#ifdef RASK_WITH_CHAOS
#    include "core/base/atomic.h"
#    include "core/base/clock.h"

#    include <sched.h>

static rk_atomic_u64 base, threads;
static _Thread_local uint64_t state, of_base;

void rk_chaos_seed(uint64_t seed)
{
    rk_store_relaxed(&base, seed);
    rk_store_relaxed(&threads, 0);
}

/* xorshift64*, a stream of its own for every thread. */
static uint64_t draw(uint64_t seed)
{
    if (of_base != seed) {
        of_base = seed;
        state = seed * 0x9e3779b97f4a7c15u + rk_add_relaxed(&threads, 1) + 1;
    }
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1du;
}

void rk_chaos(void)
{
    uint64_t seed = rk_load_relaxed(&base);
    if (!seed)
        return;
    uint64_t drawn = draw(seed) >> 32;
    if (drawn % 512 == 0)
        rk_clock_sleep(drawn % 50000);
    else if (drawn % 16 == 0)
        sched_yield();
}
#else
typedef int rk_chaos_is_off;
#endif
