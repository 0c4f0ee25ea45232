/* Waiting for a condition, but not for longer than a while. */
#include "core/base/cond.h"

#include <errno.h>

#ifdef __APPLE__
#    define WAIT_CLOCK CLOCK_REALTIME
#else
#    define WAIT_CLOCK CLOCK_MONOTONIC
#endif

void rk_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
#ifndef __APPLE__
    pthread_condattr_setclock(&attributes, WAIT_CLOCK);
#endif
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct timespec rk_cond_in(uint64_t nanoseconds)
{
    struct timespec moment;
    clock_gettime(WAIT_CLOCK, &moment);
    nanoseconds += (uint64_t)moment.tv_nsec;
    moment.tv_sec += (time_t)(nanoseconds / 1000000000u);
    moment.tv_nsec = (long)(nanoseconds % 1000000000u);
    return moment;
}

bool rk_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *moment)
{
    return pthread_cond_timedwait(cond, lock, moment) != ETIMEDOUT;
}
