/* schedulers/growth: what tasks of a run grow: nodes that they return instead of a value.
 *
 * A run that grows has an executor (schedulers/futures/executor.h). The worker whose task has returned a node runs what is ready
 * there until the node's result has come; workers that have nothing else to do help.
 *
 * What grew takes of what is counted where the run's units do: at the same gate (schedulers/limits.h). There, nobody may
 * wait who has what others wait for, or who alone could run those that have it. So where units pass a gate, a task that has returned a node is put
 * off: its unit gives back what it took, its worker goes on with others, and when the result has come the unit does, too, with
 * its next task, for which it passes the gate once more. Where units pass no gate, it is put off only when
 * nothing of what has grown can be run and some of it rests. */
#ifndef RASK_SCHEDULERS_GROWTH_H
#define RASK_SCHEDULERS_GROWTH_H

#include "schedulers/futures/queue.h"
#include "schedulers/gate.h"
#include "schedulers/run.h"

/* The task is put off: what rk_growth_finish() returns is no status. */
#define RK_PUT_OFF (-1)

/* A task that is put off: its worker's until rk_growth_run_unit() is over. */
typedef struct rk_put_off {
    rk_waiter waiter; /* for the end of root; the first member */
    rk_run *run;
    uint32_t unit, task;
    uint64_t left_ns;    /* when its function had returned, if others ran on the worker since; else 0 */
    rask_future *root;   /* whose result is to be the task's */
    rk_queue ready;      /* what is yet to be queued */
    rask_task_info info; /* of the task up to here, when the run is observed */
} rk_put_off;

/* *result, a node (core/task/grow.h) that this task returned, becomes the node's result. Else the status, with a text in worker->message, and *result
 * is none. later: it may be put off, in worker->put_off, where units pass a gate: then RK_PUT_OFF. */
int rk_growth_finish(rk_worker *worker, uint32_t task, bool later, rask_value *result);

/* Executes a unit that has passed the gate, or goes on with it. False: it is put off; run->go_on or run->over is called for it later,
 * perhaps already. *due_ns: as of rk_run_unit(). */
bool rk_growth_run_unit(rk_worker *worker, uint32_t unit, uint64_t *due_ns);

/* The unit that the worker has just run: true: it is put off, as above, and run->go_on or run->over is called for it from here on. */
bool rk_growth_set_going(rk_worker *worker);
/* When the first of what grew and rests is due; 0: nothing rests. */
uint64_t rk_growth_next_due(rk_run *run);

/* One that waited at the gate of the run, and is no unit's, was let in. */
void rk_growth_let_in(rk_run *run, rk_gate_waiter *waiter);

/* Runs one of the grown tasks that are ready, as this worker; false: there is none. What waits for itself ends then. */
bool rk_growth_help(rk_run *run, uint32_t worker);
bool rk_growth_has_work(const rk_run *run);
/* More than one can run at once. */
bool rk_growth_has_more(const rk_run *run);

/* The run's executor; made when it has none yet. NULL: no memory. */
struct rk_executor *rk_growth_executor(rk_run *run);

/* Calls of what grew that were repeated since this was asked last. rk_growth_end() adds the rest to the run's. */
uint64_t rk_growth_take_retries(rk_run *run);

/* At the end of the run. */
void rk_growth_end(rk_run *run);

#endif
