/* core/base/cond: waiting for a condition, but not for longer than a while. Whiles go by a clock that nobody sets back, where the
 * system has such waits, and not by rk_clock_now(), which tests replace. */
#ifndef RASK_CORE_BASE_COND_H
#define RASK_CORE_BASE_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* For conditions that are waited for with the calls below. */
void rk_cond_init(pthread_cond_t *cond);

/* The moment in so many nanoseconds. */
struct timespec rk_cond_in(uint64_t nanoseconds);

/* As pthread_cond_wait(), until that moment at the latest. False: that was it. */
bool rk_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *moment);

#endif
