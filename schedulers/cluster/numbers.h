/* schedulers/cluster/numbers: finds the one that has a number, of many at once. Who has one lies in the caller's memory, which stays
 * where it is; numbers count for each home anew. One thread at a time. */
#ifndef RASK_SCHEDULERS_CLUSTER_NUMBERS_H
#define RASK_SCHEDULERS_CLUSTER_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

typedef struct rk_numbered {
    struct rk_numbered *next; /* of those in its slot */
    uint64_t number;
    uint32_t home;
} rk_numbered;

/* A zeroed one is empty. */
typedef struct rk_numbers {
    rk_numbered **slots;
    size_t capacity, count;
} rk_numbers;

/* Home and number are set; they may be there twice. RASK_ENOMEM. */
int rk_numbers_add(rk_numbers *numbers, rk_numbered *one);
/* One of those that have it; NULL: none has. */
rk_numbered *rk_numbers_find(const rk_numbers *numbers, uint32_t home, uint64_t number);
/* It is there. */
void rk_numbers_remove(rk_numbers *numbers, rk_numbered *one);
/* Those that are still there are the caller's to end. */
void rk_numbers_fini(rk_numbers *numbers);

#endif
