/* A look reads the clock between two readings of the counter. Where these are too far apart, somebody else had the processor between
 * them, and the look says nothing of the counter. The rate is measured from the first good look on, so that the longer a stopwatch runs
 * the less it matters how exact a look is, and is taken a little low: what was told is made up for by the next look, and never
 * has to be taken back. When the counter jumps, as it may where a machine moves to other hardware, the next look finds a rate that is
 * not the one before, and begins again. */
#include "core/base/stopwatch.h"

#include "core/base/clock.h"

#if RK_HAS_TICKS

#    include <pthread.h>
#    include <stdbool.h>
#    include <stdio.h>
#    include <string.h>

enum {
    LEAST_BASE_NS = 200000, /* from the origin on, for a rate */
    VALID_NS = 50000,       /* between two looks */
    MOST_LOOK_TICKS = 400,  /* a look takes a part of that, and is not more exact */
    LOW = 2048,             /* the part of the rate that is taken off it, */
    SAME = 64,              /* and the part by which two rates of one counter may differ */
};

static bool is_even; /* the counter */

static void ask_system(void)
{
    char source[16] = "";
    FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
    if (!file)
        return;
    is_even = fgets(source, sizeof source, file) && !strcmp(source, "tsc\n");
    fclose(file);
}

static bool has_even_ticks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, ask_system);
    return is_even;
}

static void begin_again(rk_stopwatch *watch, uint64_t ns, uint64_t ticks)
{
    watch->origin_ns = ns;
    watch->origin_ticks = ticks;
    watch->valid = watch->rate = 0;
}

/* Sets the rate, and how long it holds. */
static void measure(rk_stopwatch *watch, uint64_t ns, uint64_t ticks)
{
    if (!watch->origin_ns || ticks <= watch->origin_ticks) {
        begin_again(watch, ns, ticks);
        return;
    }
    if (ns - watch->origin_ns < LEAST_BASE_NS)
        return;
    double rate = (double)(ns - watch->origin_ns) / (double)(ticks - watch->origin_ticks) * 4294967296.0;
    double old = (double)watch->rate;
    bool fits = rate > 1 << 24 && rate < 1ull << 40; /* of 4 MHz to 256 GHz; nothing below overflows */
    if (!fits || (watch->rate && (rate < old - old / SAME || rate > old + old / SAME))) {
        begin_again(watch, ns, ticks);
        return;
    }
    watch->rate = (uint64_t)(rate - rate / LOW);
    watch->valid = (uint64_t)(VALID_NS * 4294967296.0 / rate);
}

uint64_t rk_stopwatch_look(rk_stopwatch *watch)
{
    if (rk_clock_is_replaced() || !has_even_ticks()) {
        *watch = (rk_stopwatch){0};
        return rk_clock_now();
    }
    uint64_t before = __builtin_ia32_rdtsc(), now = rk_clock_now(), after = __builtin_ia32_rdtsc();
    uint64_t passed = before - watch->ticks, counted = passed < watch->valid ? passed : watch->valid;
    uint64_t told = watch->ns + (counted * watch->rate >> 32); /* at most, since the last look */
    bool good = after - before < MOST_LOOK_TICKS;
    if (good)
        measure(watch, now, before + (after - before) / 2);
    else
        watch->valid = 0;
    watch->ticks = after;
    watch->ns = now > told ? now : told;
    return watch->ns;
}

#else

uint64_t rk_stopwatch_look(rk_stopwatch *watch)
{
    (void)watch;
    return rk_clock_now();
}

#endif
