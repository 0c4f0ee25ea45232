/* schedulers/scheduler: what a scheduler is.
 *
 * A scheduler executes the units of a run (schedulers/run.h), each after its predecessors, until the end is
 * reached. It outlives runs and takes new ones while earlier ones still go on, from any thread, tasks
 * included. */
#ifndef RASK_SCHEDULERS_SCHEDULER_H
#define RASK_SCHEDULERS_SCHEDULER_H

#include "schedulers/run.h"

typedef struct rk_scheduler {
    const char *name;
    /* Takes a run and returns at once; *handle is the scheduler's own note of it. RASK_ENOMEM. */
    int (*start)(rk_run *run, void **handle);
    /* Returns when the run is over and no thread of the scheduler knows it any more; ends handle. The calling
     * thread may execute units meanwhile. */
    void (*wait)(rk_run *run, void *handle);
    /* Whatever a run will need with these options, at once: how a client learns that none will have it; NULL: there is nothing. As
     * start() fails, with a reason. */
    int (*prepare)(const rask_options *options, char *reason, size_t capacity);
    bool apart;  /* tasks run in processes of their own, which do not see what others change in memory */
    bool remote; /* and which were not forked from this one, so that they see nothing of it */
} rk_scheduler;

extern const rk_scheduler rk_serial, rk_threads, rk_processes, rk_cluster;

/* NULL when there is none of that name. */
const rk_scheduler *rk_scheduler_find(const char *name);

struct rk_checkpoint;

/* Runs a plan with resolved options: results are the caller's, and untouched on failure, whose message is the plan's and its
 * graph's. checkpoint: keeps what tasks come to that run in this process; NULL: nobody does. */
int rk_plan_execute(rask_plan *plan, const rask_options *options, const struct rk_checkpoint *checkpoint,
                    rask_value *results);

/* Copies options (NULL: none) and fills in every default: from the environment (RASK_SCHEDULER, RASK_WORKERS,
 * RASK_MEMORY, RASK_SCRATCH, TMPDIR, RASK_LIMITS, RASK_CLUSTER, RASK_CLUSTER_KEYS, RASK_CLUSTER_INSECURE, RASK_CHECKPOINT), then from the machine; but memory stays 0 for rask_default_memory(), which is
 * asked for when it matters. Refuses what RASK_WORKER_OF meant to be a worker. A run reads the environment here and nowhere else. On failure reason gets a text.
 * RASK_EINVAL, RASK_ERANGE. */
int rk_options_resolve(const rask_options *options, rask_options *resolved, char *reason, size_t capacity);

/* RASK_CLUSTER_INSECURE says so. */
bool rk_options_say_insecure(void);

/* The same for what is run as a part of something else, which keeps the time, hears of cancelling, and tells its observers. */
rask_options rk_options_within(const rask_options *options);

#endif
