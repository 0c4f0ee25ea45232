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

static int open_hub(const rask_options *o, rk_hub **hub, char *reason, size_t capacity)
{
    char keys[RK_MAX_KEY_PATH + 1];
    if (!o->cluster || !*o->cluster) {
        snprintf(reason, capacity,
                 "no address to wait for workers at: options.cluster (--cluster ADDRESS) or RASK_CLUSTER");
        return RASK_EINVAL;
    }
    int status =
        rk_cluster_keys_choose(o->cluster, o->cluster_keys, o->cluster_insecure, keys, reason, capacity);
    return status ? status : rk_hub_get(o->cluster, *keys ? keys : NULL, hub, reason, capacity);
}

static int prepare(const rask_options *options, char *reason, size_t capacity)
{
    rk_hub *hub;
    char why[512] = "out of memory";
    int status = is_within() ? RASK_OK : open_hub(options, &hub, why, sizeof why);
    if (status)
        snprintf(reason, capacity, "cluster: %s", why);
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
    status = open_hub(&run->options, &hub, reason, sizeof reason);
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
    .name = "cluster", .start = start, .wait = wait, .prepare = prepare, .apart = true, .remote = true};
