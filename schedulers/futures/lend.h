/* schedulers/futures/lend: calls that go from one executor to another, elsewhere, which has time for them: futures of one are called
 * by the other, as futures of its own. Who lends one gets it back with its outcome, or without, and then calls it itself.
 *
 * Equal pure calls meet (meet.h), and so may wait for themselves, which is noticed where they meet (circle.h): in one executor, not in
 * several. So what might be part of such a circle does not leave:
 *   - A pure call that was lent must not grow: what it returns is told to who lent it, who calls it again and keeps what it grows.
 *   - An executor where a pure call has grown lends nothing from then on.
 * What waits for a call that was lent does so by the tree of who grew whom from the first such call on, and a tree has no circles. */
#ifndef RASK_SCHEDULERS_FUTURES_LEND_H
#define RASK_SCHEDULERS_FUTURES_LEND_H

#include "schedulers/futures/executor.h"

/* A call as another executor sees it. */
typedef struct rk_lent_call {
    const rask_task_def *def;
    rask_value *args; /* borrowed */
    uint32_t nargs;
    uint32_t origin; /* the task of a plan that it grew from */
    uint32_t node;   /* that it was */
    uint32_t retries;
    uint64_t limit_ns, backoff_ns;
    rk_needs needs; /* what it takes of what is counted, by the numbers that gates of equal limits have */
    bool check;     /* types of arguments first */
    bool leaf;      /* it must not grow: then its result is a node as a value (core/task/grow.h) */
} rk_lent_call;

/* Others may have some of what is ready, or soon will be. Their store is another's. */
bool rk_executor_may_lend(rk_executor *executor);

/* Takes one that is ready: it is the caller's until rk_future_conclude() or rk_future_come_home() (future.h). growers: definitions, count of
 * them, whose pure calls are known to grow. NULL: there is none that may go. */
rask_future *rk_executor_lend(rk_executor *executor, const rask_task_def *const *growers, uint32_t count);

/* The call of such a future; what it refers to is the future's. */
rk_lent_call rk_lent_call_of(const rask_future *future);

/* The same call as a future of this executor, which is queued: a reference and a want are the caller's. waiter is told of its end, in
 * whatever thread that is. RASK_ENOMEM, RASK_ELIMIT: its gate knows too many combinations. */
int rk_executor_borrow(rk_executor *executor, const rk_lent_call *call, rk_waiter *waiter, rask_future **out);

#endif
