/* schedulers/futures/await: a node that stands for the result of a future. */
#ifndef RASK_SCHEDULERS_FUTURES_AWAIT_H
#define RASK_SCHEDULERS_FUTURES_AWAIT_H

#include "schedulers/futures/future.h"

/* The future that node stands for, when it is one of this executor; else NULL. Borrowed. */
rask_future *rk_await_of(const rask_node *node, const rk_executor *executor);

#endif
