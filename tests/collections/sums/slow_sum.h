/* Correctly rounded sums by another method than the library's. */
#ifndef RASK_TESTS_SLOW_SUM_H
#define RASK_TESTS_SLOW_SUM_H

#include <math.h>
#include <stddef.h>

/* Shewchuk's partials, rounded half to even as Python's fsum does. */
static double slow_sum(const double *x, size_t n)
{
    static double partials[4096];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        double a = x[i];
        size_t kept = 0;
        for (size_t k = 0; k < count; k++) {
            double b = partials[k];
            if (fabs(a) < fabs(b)) {
                double swap = a;
                a = b;
                b = swap;
            }
            volatile double high = a + b, back = high - a, low = b - back;
            if (low != 0)
                partials[kept++] = low;
            a = high;
        }
        count = kept;
        partials[count++] = a;
    }
    if (!count)
        return 0;
    volatile double high = partials[--count], low = 0;
    while (count > 0 && low == 0) {
        double a = high, b = partials[--count];
        high = a + b;
        volatile double back = high - a;
        low = b - back;
    }
    if (count > 0 && ((low < 0 && partials[count - 1] < 0) || (low > 0 && partials[count - 1] > 0))) {
        volatile double twice = low * 2, moved = high + twice, back = moved - high;
        if (twice == back)
            high = moved;
    }
    return high;
}

#endif
