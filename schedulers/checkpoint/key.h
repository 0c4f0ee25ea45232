/* schedulers/checkpoint/key: what a result is known by from run to run: a hash of 128 bits. */
#ifndef RASK_SCHEDULERS_CHECKPOINT_KEY_H
#define RASK_SCHEDULERS_CHECKPOINT_KEY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rk_key {
    uint64_t low, high; /* both 0: there is none */
} rk_key;

static inline bool rk_key_is(rk_key key)
{
    return key.low | key.high;
}

static inline bool rk_key_equal(rk_key a, rk_key b)
{
    return a.low == b.low && a.high == b.high;
}

#endif
