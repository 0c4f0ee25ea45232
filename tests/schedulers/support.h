/* What several tests of schedulers write alike. */
#ifndef RASK_TESTS_SCHEDULERS_SUPPORT_H
#define RASK_TESTS_SCHEDULERS_SUPPORT_H

#include <rask/rask.h>
#include <time.h>

static inline rask_options threads(uint32_t workers)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "threads";
    o.workers = workers;
    return o;
}

static inline void sleep_ms(long ms)
{
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&rest, NULL);
}

#endif
