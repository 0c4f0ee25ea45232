/* core/base/clock: monotonic time in nanoseconds, which tests may replace. */
#ifndef RASK_CORE_BASE_CLOCK_H
#define RASK_CORE_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Never 0 and never less than before on the same thread. Thread-safe. */
uint64_t rk_clock_now(void);

/* Takes the time from source instead, or from the system again when NULL. For tests; no run may be going on.
 */
void rk_clock_replace(uint64_t (*source)(void));

/* Whether it is taken from somewhere else. */
bool rk_clock_is_replaced(void);

/* Sleeps, by the system's clock whatever source says. */
void rk_clock_sleep(uint64_t nanoseconds);

#endif
