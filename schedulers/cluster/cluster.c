/* The cluster scheduler: a run goes to the hub at the address of its options (hub.h), whose thread conducts it (conduct.h);
 * the thread that waits for the run sleeps meanwhile. */
#include "schedulers/cluster/conduct.h"
#include "schedulers/cluster/worker.h"
#include "schedulers/processes/crew.h"
#include "schedulers/scheduler.h"
#include "schedulers/told.h"

#include <stdio.h>

/* What a task computes is computed where the task is. */
static bool is_within(void)
{
    return rk_worker_is() || rk_squad_is_worker();
}

/* Of the run that this thread starts and then waits for: in between another thread may become a worker, or be one no more. */
static _Thread_local bool within;

static int complain(rk_run *run, int status, const char *why)
{
    if (!*run->reason)
        snprintf(run->reason, sizeof run->reason, "cluster: %s", why);
    return status;
}

static int start(rk_run *run, void **handle)
{
    char reason[512] = "out of memory";
    rk_hub *hub;
    rk_conduct *conduct;
    int status;
    if (is_within()) {
        status = rk_threads.start(run, handle);
        within = true;
        return status;
    }
    if (!run->options.cluster || !*run->options.cluster)
        return complain(
            run, RASK_EINVAL,
            "no address to wait for workers at: options.cluster (--cluster ADDRESS) or RASK_CLUSTER");
    status = rk_hub_get(run->options.cluster, run->options.cluster_keys, &hub, reason, sizeof reason);
    if (status)
        return complain(run, status, reason);
    status = rk_conduct_new(hub, run, &conduct);
    if (status) /* a task that cannot go is a failure of the run */
        return run->failure_count ? status : complain(run, status, rask_status_text(status));
    *handle = conduct;
    within = false; /* last: what encodes values may compute, too */
    return RASK_OK;
}

static void wait(rk_run *run, void *handle)
{
    if (within) {
        rk_threads.wait(run, handle);
        return;
    }
    rk_conduct *conduct = handle;
    rk_run_roots_ready(run);
    rk_hub_add(conduct->hub, conduct);
    rk_hub_wait(conduct->hub, conduct);
    rk_conduct_finish(conduct);
}

const rk_scheduler rk_cluster = {
    .name = "cluster", .start = start, .wait = wait, .apart = true, .remote = true};
