/* schedulers/cluster/wire/slots: things with numbers that are never used again. */
#ifndef RASK_SCHEDULERS_CLUSTER_WIRE_SLOTS_H
#define RASK_SCHEDULERS_CLUSTER_WIRE_SLOTS_H

#include "core/base/array.h"

/* most: at once; numbers stay below end. */
typedef struct rk_slots {
    rk_array array;
    uint64_t most, end;
    uint64_t free; /* the slot to be used next, and 1; 0: none */
} rk_slots;

void rk_slots_init(rk_slots *slots, uint64_t most, uint64_t end);
void rk_slots_fini(rk_slots *slots);

/* RASK_OK, RASK_ELIMIT, RASK_ENOMEM. */
int rk_slots_add(rk_slots *slots, void *thing, uint64_t *number);
/* NULL: nothing has this number. */
void *rk_slots_get(const rk_slots *slots, uint64_t number);
void rk_slots_remove(rk_slots *slots, uint64_t number);

/* All things in turn, none twice, while others come and go: *at begins with 0. NULL: no more. */
void *rk_slots_next(const rk_slots *slots, size_t *at);

#endif
