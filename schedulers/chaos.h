/* schedulers/chaos: seeded pauses at the racy points of the concurrent code, for tests. Only builds with
 * -Dchaos=true have them, and only after rk_chaos_seed(). */
#ifndef RASK_SCHEDULERS_CHAOS_H
#define RASK_SCHEDULERS_CHAOS_H

#ifdef RASK_WITH_CHAOS
#    include <stdint.h>

/* Starts the pauses of all threads over from this seed; 0 ends them. Not while a run is going on. */
void rk_chaos_seed(uint64_t seed);
void rk_chaos(void);
#else
static inline void rk_chaos(void)
{
}
#endif

#endif
