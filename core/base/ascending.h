/* core/base/ascending: finding a place among ascending numbers. */
#ifndef RASK_CORE_BASE_ASCENDING_H
#define RASK_CORE_BASE_ASCENDING_H

#include <stddef.h>
#include <stdint.h>

/* Index of the last of count ascending numbers that is at or before place; 0 when there is none. */
static inline size_t rk_last_at(const int64_t *numbers, size_t count, int64_t place)
{
    size_t low = 0, high = count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (numbers[middle] <= place)
            low = middle;
        else
            high = middle;
    }
    return low;
}

#endif
