/* schedulers/cluster/permits: what tasks take of what is counted that grew in workers. They ask, and the program counts: at a gate
 * (schedulers/gate.h) to which the coordinator, which counts what units take, lends what is wanted there. */
#ifndef RASK_SCHEDULERS_CLUSTER_PERMITS_H
#define RASK_SCHEDULERS_CLUSTER_PERMITS_H

#include "schedulers/cluster/numbers.h"
#include "schedulers/cluster/protocol.h"
#include "schedulers/gate.h"

#include <stdbool.h>

struct rk_conduct;

typedef struct rk_permit_office {
    rk_gate *gate; /* NULL: nothing has been wanted yet */
    rk_numbers numbers;
    uint64_t given_out;
} rk_permit_office;

/* Of a home. */
typedef struct rk_permits_of_home {
    struct rk_permit *first;
    uint32_t count;
} rk_permits_of_home;

/* WANTS, GAVE, or RESTS, of a home: whatever it says is checked. What cannot be given is denied; who says what nobody means to say
 * is ended. */
void rk_permits_hear(struct rk_conduct *c, uint32_t home, const rk_message *m);

/* The home was lost, and the coordinator knows. */
void rk_permits_lose(struct rk_conduct *c, uint32_t home);

/* Before the coordinator gives to units what has just been given back: what grew goes first. */
void rk_permits_balance(struct rk_conduct *c);

void rk_permits_fini(struct rk_conduct *c);

#endif
