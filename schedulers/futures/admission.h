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
} rk_admission;

/* What a new future takes: future->admission, or nothing. tags: as definitions have them. A future that cannot have it, or not where
 * its executor is, is refused when it is to run, with the reason. */
void rk_admission_init(rask_future *future, const char *tags);

/* True: it may go into a queue. False: who leaves puts it there. */
bool rk_admission_enter(rask_future *future, rk_gate *gate);
/* It was let in, and has run or never will: those who are let in by that, linked by next. */
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
