/* schedulers/cluster/plans: a run's plan as bytes, for workers of other processes of the same program.
 *
 * What a worker needs to execute any unit that does not run in the program's own process alone (RASK_HERE): the same numbers of
 * tasks and units, functions as module and offset, the constants that such tasks take, attributes that matter to a call. */
#ifndef RASK_SCHEDULERS_CLUSTER_PLANS_H
#define RASK_SCHEDULERS_CLUSTER_PLANS_H

#include "core/task/pack.h"
#include "schedulers/run.h"

/* Appends the run's plan and the options that matter to calls. RASK_ENOMEM; RASK_EUNSUPPORTED, or what encode() of a constant's
 * class returned: *task is the one that cannot go, message says why. */
int rk_pack_put_plan(rk_pack_out *out, const rk_run *run, uint32_t *task, char *message, size_t capacity);

/* A plan of another process, and a run of it to make others like (rk_run_init_apart). */
typedef struct rk_guest {
    rask_plan *plan;
    rk_run model; /* not a run: plan, options and constants only */
} rk_guest;

/* RASK_EFORMAT: it is no plan, or one that this program cannot run; RASK_ENOMEM; what decode() of a constant's class returned;
 * with a message. */
int rk_guest_init(rk_guest *guest, const char *bytes, uint64_t size, char *message, size_t capacity);
/* Legal for zeroed memory. */
void rk_guest_fini(rk_guest *guest);

#endif
