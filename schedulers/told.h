/* What observers are told of a run, but for what a worker of this process does: that stands beside the call, in run.c.
 *
 * From any thread of the run's; observers are called by the thread that tells. */
#ifndef RK_TOLD_H
#define RK_TOLD_H

#include "schedulers/run.h"

/* Tells observers that a unit's tasks are ready. worker: who found out, right behind its last task; NULL: somebody
 * else. */
void rk_run_ready(rk_run *run, const rk_worker *worker, uint32_t unit);
/* The same of all units that wait for none, which may be a million: the clock is read once. Without observers: nothing. */
void rk_run_roots_ready(rk_run *run);

/* Tells observers what a task did elsewhere, and before it that it started, unless they were told. */
void rk_run_relay(rk_run *run, const rask_task_info *info);
/* Tells observers that a task goes on elsewhere, once a worker. From the thread that relays. */
void rk_run_begun(rk_run *run, uint32_t task, uint32_t worker, bool lane, uint64_t start_ns);
/* Tells observers that a task of this process rests until its next call. */
void rk_run_rested(rk_run *run, const rask_task_info *info);
/* The same of one that was called elsewhere, and before it that it started, unless they were told: its next start is told of anew,
 * wherever that is. From the thread that relays. */
void rk_run_relay_rest(rk_run *run, const rask_task_info *info);
/* The unit is to be run again so much later than now: for observers its first task is ready then. */
void rk_run_rest_until(rk_run *run, uint32_t unit, uint64_t now_ns, uint64_t rest_ns);
/* Of a call that grew, and that a process elsewhere has made. */
typedef enum rk_grown_event { RK_GROWN_BEGAN, RK_GROWN_RESTS, RK_GROWN_ENDED } rk_grown_event;
/* Tells observers of it, and before that it began, unless they were told (begun); info.run is the run's. */
void rk_run_grown(rk_run *run, const rask_task_info *info, rk_grown_event event, bool begun);
/* Tells observers of a result that was moved; info.run is the run's. */
void rk_run_moved(rk_run *run, const rask_move_info *info);
/* Tells observers of a result that went from one process to another; all but info.run is the caller's. */
void rk_run_sent(rk_run *run, const rask_transfer_info *info);
/* Tells observers of a worker process; all but info.run is the caller's. */
void rk_run_worker_changed(rk_run *run, const rask_worker_info *info);
/* Nobody of the run's came, for this reason. */
void rk_run_worker_refused(rk_run *run, const char *reason);

#endif
