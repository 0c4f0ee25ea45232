#include "core/base/clock.h"

#include <stddef.h>
#include <time.h>

static uint64_t (*replacement)(void);

uint64_t rk_clock_now(void)
{
    if (replacement)
        return replacement();
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void rk_clock_replace(uint64_t (*source)(void))
{
    replacement = source;
}

bool rk_clock_is_replaced(void)
{
    return replacement;
}

void rk_clock_sleep(uint64_t nanoseconds)
{
    struct timespec rest = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
    while (nanosleep(&rest, &rest)) {
    }
}
