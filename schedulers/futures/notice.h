/* schedulers/futures/notice: observers (include/rask/observe.h) are told of futures: tasks that no plan has. Where nobody observes,
 * nothing of this is called. */
#ifndef RASK_SCHEDULERS_FUTURES_NOTICE_H
#define RASK_SCHEDULERS_FUTURES_NOTICE_H

#include "schedulers/futures/executor.h"

/* A client begins and ends: as a run without a plan. */
void rk_notice_begin(rk_executor *executor);
void rk_notice_end(rk_executor *executor);

/* The future's call begins, or begins again after a rest: *info is for rk_notice_finished(). */
void rk_notice_started(const rask_future *future, uint32_t worker, rask_task_info *info);
/* It has come to this. */
/* Its call failed, and it rests until the next: as rk_notice_finished(), before it may be anybody's. */
void rk_notice_rested(const rask_future *future, const rk_call_outcome *outcome, rask_task_info *info);
void rk_notice_finished(const rask_future *future, const rk_call_outcome *outcome, rask_task_info *info);

/* A result went to disk, or came back. */
void rk_notice_moved(const rk_executor *executor, const rk_store_move *move);

#endif
