/* core/base/stopwatch: the time of rk_clock_now() for one thread that asks for it often, where the processor's counter is to be had for
 * less. Between two looks at the clock, which are some tens of microseconds apart, it counts; it never runs ahead of the clock, and lags
 * by less than a tenth of a microsecond. Only where the system itself keeps its time by that counter: then it runs evenly, and alike on
 * all processors. Elsewhere, and while tests replace the clock, each reading is one of the clock. */
#ifndef RASK_CORE_BASE_STOPWATCH_H
#define RASK_CORE_BASE_STOPWATCH_H

#include <stdint.h>

#if defined(__x86_64__) && defined(__linux__)
#    define RK_HAS_TICKS 1
#else
#    define RK_HAS_TICKS 0
#endif

/* Zeroed, it is one that was never looked at. Of one thread. */
typedef struct rk_stopwatch {
    uint64_t ns, ticks; /* at the last look */
    uint64_t valid;     /* ticks for which rate holds from then on; 0: the next reading is a look */
    uint64_t rate;      /* nanoseconds of a tick, times 2^32 */
    uint64_t origin_ns, origin_ticks; /* of an early look, which rate is measured from; 0: none */
} rk_stopwatch;

/* Looks at the clock, whether or not it is time for that. */
uint64_t rk_stopwatch_look(rk_stopwatch *watch);

/* Nanoseconds of the monotonic clock. Never 0, and never less than before. */
static inline uint64_t rk_stopwatch_now(rk_stopwatch *watch)
{
#if RK_HAS_TICKS
    uint64_t passed = __builtin_ia32_rdtsc() - watch->ticks;
    if (__builtin_expect(passed < watch->valid, 1))
        return watch->ns + (passed * watch->rate >> 32);
#endif
    return rk_stopwatch_look(watch);
}

#endif
