/* schedulers/futures/admission: what a future takes of what is counted (rask_options.limits), while it runs. A client has one gate
 * (schedulers/gate.h) for all that is submitted to it and grows there. A future passes it when it is ready, before it is put
 * into a queue, and leaves when its call has returned: what it has grown takes for itself. */
#ifndef RASK_SCHEDULERS_FUTURES_ADMISSION_H
#define RASK_SCHEDULERS_FUTURES_ADMISSION_H

#include "schedulers/futures/future.h"
#include "schedulers/gate.h"

typedef struct rk_admission {
    rk_gate_waiter waiter;
    rask_future *future;
    /* Of who is asked, where somebody else counts. */
    struct rk_admission *next, *previous;
    void *note;
    bool asked;           /* and not let in */
    rk_atomic_bool rests; /* it was let in, and waits for its next call, or did */
    rk_atomic_bool left;
    int refused; /* it cannot have what it takes: a status, */
    char *why;   /* and in words; NULL: there is no memory for them */
} rk_admission;

/* Who is asked where somebody else counts, and the gate only says what there is. Thread-safe; none blocks but resume(). */
typedef struct rk_permits {
    void *context;
    /* It wants in: rk_executor_let_in() is called for it, later. */
    void (*ask)(void *context, rk_admission *admission);
    /* It was let in, and has run or never will. */
    void (*give)(void *context, rk_admission *admission);
    /* It does not want any more. False: it was let in. */
    bool (*forget)(void *context, rk_admission *admission);
    /* What the worker is at has returned with nodes: it takes nothing; and it goes on, when it has again what it took. */
    void (*rest)(void *context);
    int (*resume)(void *context, char *message,
                  size_t capacity); /* fails: it cannot have it; with a message */
} rk_permits;

/* By who is asked, before it is let in: it cannot have what it takes. It fails with that when it is to run. */
void rk_admission_refuse(rk_admission *admission, int status, const char *why);

/* NULL is legal. */
void rk_admission_free(rk_admission *admission);

/* What a new future takes: future->admission, or nothing. tags: as definitions have them. A future that cannot have it, or not where
 * its executor is, is refused when it is to run, with the reason. */
void rk_admission_init(rask_future *future, const char *tags);

/* True: it may go into a queue. False: who leaves puts it there. */
bool rk_admission_enter(rask_future *future, rk_gate *gate);
/* It was let in, and has run or never will; whoever says so first is right: those who are let in by that, linked by next. */
rk_gate_waiter *rk_admission_leave(rask_future *future, rk_gate *gate);
/* It has ended. True: it waited, and does not any more: the reference of the queue that it would have come into is the
 * caller's. *others: as above, in any case. */
bool rk_admission_give_up(rask_future *future, rk_gate *gate, rk_gate_waiter **others);

/* A waiter that is no unit's (schedulers/limits.h). */
static inline rk_admission *rk_admission_of(rk_gate_waiter *waiter)
{
    return (rk_admission *)waiter;
}

#endif
