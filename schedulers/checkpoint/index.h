/* schedulers/checkpoint/index: where the results are that a journal holds, by their keys. Not thread-safe. */
#ifndef RASK_SCHEDULERS_CHECKPOINT_INDEX_H
#define RASK_SCHEDULERS_CHECKPOINT_INDEX_H

#include "schedulers/checkpoint/key.h"

#include <stddef.h>

typedef struct rk_place {
    rk_key key;      /* none: the slot is empty */
    uint64_t offset; /* of the record in the log; RK_PLACE_FILE, or RK_PLACE_GONE */
    uint64_t length; /* of the result's bytes */
} rk_place;

#define RK_PLACE_FILE UINT64_MAX       /* it has a file of its own */
#define RK_PLACE_GONE (UINT64_MAX - 1) /* it was found to be damaged */

/* A zeroed index is empty. */
typedef struct rk_index {
    rk_place *slots;
    size_t count, capacity;
} rk_index;

/* NULL: it holds none of that key. Valid until the next is put. */
rk_place *rk_index_find(const rk_index *index, rk_key key);

/* In place of another of the same key. RASK_OK or RASK_ENOMEM. */
int rk_index_put(rk_index *index, const rk_place *place);

void rk_index_fini(rk_index *index);

#endif
