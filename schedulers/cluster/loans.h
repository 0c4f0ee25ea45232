/* schedulers/cluster/loans: what a worker lends to others of what grew there in a run, and what it has borrowed (exchange.h has the program's
 * side). All calls come from the thread that talks, but for what futures tell when they are done. */
#ifndef RASK_SCHEDULERS_CLUSTER_LOANS_H
#define RASK_SCHEDULERS_CLUSTER_LOANS_H

#include "schedulers/cluster/line.h"
#include "schedulers/cluster/shop.h"

typedef struct rk_loans rk_loans;

typedef struct rk_loans_setup {
    rk_shop *shop; /* until rk_loans_close() */
    void (*say)(void *context, rk_message message);
    void (*pull)(void *context, uint32_t number, uint64_t size,
                 rask_bytes contact); /* rk_loans_pulled() answers */
    void (*tell)(void *context);      /* what observers are to know comes before what a call came to */
    void (*wake)(void *context);      /* from any thread: rk_loans_turn() has something to do */
    void *context;
} rk_loans_setup;

/* NULL: no memory. */
rk_loans *rk_loans_new(const rk_loans_setup *setup);

/* What the program says of a call that is lent; false: it is no message of this kind. */
bool rk_loans_hear(rk_loans *loans, const rk_message *m);
/* A pull has ended; fetch->into is the caller's. */
void rk_loans_pulled(rk_loans *loans, const rk_fetch *fetch);
/* Bytes of a call's arguments, or of its result, as rk_shop_object(). */
const char *rk_loans_object(const rk_loans *loans, uint32_t number, uint64_t begin, uint64_t size,
                            uint64_t *total);

/* Says what is to be said. Nanoseconds until it wants its next turn, though nothing happened. */
uint64_t rk_loans_turn(rk_loans *loans, uint64_t now);

/* The run is being stopped: nothing that was lent is waited for any more. NULL is legal, for these three. */
void rk_loans_stop(rk_loans *loans);
/* Before the shop is freed: what was borrowed ends with it. Nothing but free() is called any more. */
void rk_loans_close(rk_loans *loans);
/* After that. */
void rk_loans_free(rk_loans *loans);

#endif
