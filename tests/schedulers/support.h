/* What several tests of schedulers write alike. */
#ifndef RASK_TESTS_SCHEDULERS_SUPPORT_H
#define RASK_TESTS_SCHEDULERS_SUPPORT_H

#ifdef RASK_TEST_PLAIN
#    include "plain.h"
#else
#    include <criterion/criterion.h>
#endif
#include <rask/rask.h>
#include <sys/mman.h>
#include <time.h>

/* Zeroed memory that worker processes share with the test: what tasks count. Never NULL. */
static inline void *shared_calloc(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(at, MAP_FAILED);
    return at;
}

static inline void shared_free(void *at, size_t bytes)
{
    munmap(at, bytes);
}

static inline rask_options processes(uint32_t workers)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "processes";
    o.workers = workers;
    return o;
}

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
