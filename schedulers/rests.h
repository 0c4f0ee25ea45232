/* schedulers/rests: units of a run that wait for their next call, by the time at which it is due: a binary heap. Not thread-safe. */
#ifndef RASK_SCHEDULERS_RESTS_H
#define RASK_SCHEDULERS_RESTS_H

#include "core/base/array.h"

#include <stdint.h>

typedef struct rk_rest {
    uint64_t due_ns;
    uint32_t unit;
} rk_rest;

typedef struct rk_rests {
    rk_array items; /* rk_rest */
} rk_rests;

#define RK_RESTS                                                                                             \
    {                                                                                                        \
        RK_ARRAY(rk_rest, UINT32_MAX)                                                                        \
    }

/* False: no memory. */
bool rk_rests_push(rk_rests *rests, rk_rest rest);
/* When the first is due; 0: there is none. */
uint64_t rk_rests_next(const rk_rests *rests);
/* The unit of the first, of which there is one. */
uint32_t rk_rests_pop(rk_rests *rests);
void rk_rests_fini(rk_rests *rests);

#endif
