/* schedulers/cluster/exchange: calls that grew, from workers that have more of them than threads to those that have nothing to do. The program
 * knows who has what: it asks the one for a call and hands it to the other, and back goes what it came to. Large arguments and
 * results it does not see: these two pull them from each other.
 *
 * A call belongs to who lends it, as a future there. When who has it is lost, it goes home and is called there; when who lent it is lost,
 * nobody needs it any more: its unit is run again. */
#ifndef RASK_SCHEDULERS_CLUSTER_EXCHANGE_H
#define RASK_SCHEDULERS_CLUSTER_EXCHANGE_H

#include "schedulers/cluster/lent.h"
#include "schedulers/cluster/protocol.h"

struct rk_conduct;
struct rk_loan;

typedef struct rk_exchange {
    struct rk_loan *loans; /* by the lower bits of their numbers */
    uint32_t count, room, free;
    uint32_t live;   /* calls that are not over */
    uint32_t spares; /* workers that have said so, and not the contrary since */
    uint32_t turn;   /* the home that was asked last */
} rk_exchange;

/* What a home has of that. */
typedef struct rk_dealings {
    bool spare;        /* it has more than it can run */
    uint32_t asked;    /* for so many, it has not answered yet */
    uint32_t borrowed; /* calls of others that it has, or will have */
    uint32_t idle;     /* of its units and of these, so many wait for what it has lent */
} rk_dealings;

void rk_exchange_init(rk_exchange *x);
void rk_exchange_fini(rk_exchange *x);

/* Of a home: whatever it says is checked. False: it is no message of this kind. */
bool rk_exchange_hear(struct rk_conduct *c, uint32_t home, const rk_message *m);
/* The home was lost. */
void rk_exchange_lose(struct rk_conduct *c, uint32_t home);
/* The run has ended, and who still runs a call of it does not return: their processes end. */
void rk_exchange_kill(struct rk_conduct *c);
/* Asks for calls, for those who have time. After all that the coordinator has said. */
void rk_exchange_balance(struct rk_conduct *c);

#endif
