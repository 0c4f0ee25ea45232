/* schedulers/futures/apart: calls in worker processes. */
#ifndef RASK_SCHEDULERS_FUTURES_APART_H
#define RASK_SCHEDULERS_FUTURES_APART_H

#include "schedulers/futures/future.h"

/* For a thread that has sat down to work for the executor: forks the process that stands by for it. */
void rk_apart_begin(const rk_executor *executor);

/* Calls the future's task in a process that stands by for the calling thread, or in one forked for it, beginning with
 * outcome->attempt: *outcome, but for its node. Blocks meanwhile. */
void rk_apart_call(rask_future *future, rk_call_outcome *outcome);

#endif
