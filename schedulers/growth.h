/* schedulers/growth: what tasks of a run grow: nodes that they return instead of a value.
 *
 * A run that grows has an executor (schedulers/futures/executor.h). The worker whose task has returned a node runs what is ready
 * there until the node's result has come; workers that have nothing else to do help. */
#ifndef RASK_SCHEDULERS_GROWTH_H
#define RASK_SCHEDULERS_GROWTH_H

#include "schedulers/run.h"

/* *result, a node (core/task/grow.h) that this task returned, becomes the node's result. Else the status, with a text in worker->message, and *result
 * is none. */
int rk_growth_finish(rk_worker *worker, uint32_t task, rask_value *result);

/* Runs one of the grown tasks that are ready, as this worker; false: there is none. */
bool rk_growth_help(rk_run *run, uint32_t worker);
bool rk_growth_has_work(const rk_run *run);

/* At the end of the run. */
void rk_growth_end(rk_run *run);

#endif
