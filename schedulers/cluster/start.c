/* What programs call: to be a worker, and to make keys. */
#include "schedulers/cluster/hub.h"
#include "schedulers/cluster/ranks/launch.h"
#include "schedulers/cluster/worker.h"
#include "schedulers/scheduler.h"

#include <rask/cluster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LANES_A_THREAD = 4, LEAST_LANES = 16, PATIENCE = 30, LAUNCH_PATIENCE = 10 };

static int complain(char *reason, size_t capacity, const char *why)
{
    snprintf(reason, capacity, "%s", why);
    return RASK_EINVAL;
}

/* Threads, memory and scratch are what a run of the same process would use. */
static int resolve(const rask_worker_options *o, rk_worker_setup *setup, char *reason, size_t capacity)
{
    rask_options run = RASK_OPTIONS_INIT, resolved;
    run.scheduler = rk_threads.name;
    run.workers = o->threads;
    run.memory = o->memory;
    run.scratch = o->scratch;
    int status = rk_options_resolve(&run, &resolved, reason, capacity);
    if (status)
        return status;
    uint32_t lanes = LANES_A_THREAD * resolved.workers;
    lanes = lanes < LEAST_LANES ? LEAST_LANES : lanes;
    *setup = (rk_worker_setup){.address = o->address,
                               .threads = resolved.workers,
                               .lanes = o->lanes ? o->lanes : lanes,
                               .memory = resolved.memory ? resolved.memory : rask_default_memory(),
                               .scratch = resolved.scratch,
                               .patience = o->patience > 0 ? o->patience : PATIENCE,
                               .waiting = o->waiting,
                               .context = o->context};
    if (setup->lanes > RK_MAX_LANES)
        setup->lanes = RK_MAX_LANES;
    return RASK_OK;
}

static void share(uint32_t parts, rk_worker_setup *setup)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN) / (long)parts;
    uint32_t most = cores > 1 ? (uint32_t)cores : 1;
    if (!getenv("RASK_WORKERS") && setup->threads > most)
        setup->threads = most;
    if (!getenv("RASK_MEMORY"))
        setup->memory /= parts;
}

static int work_with(const rask_worker_options *o, char *reason, size_t capacity)
{
    rk_worker_setup setup;
    rk_cluster_keys keys;
    char path[RK_MAX_KEY_PATH + 1];
    int status = resolve(o, &setup, reason, capacity);
    if (!status)
        status = rk_cluster_keys_choose(o->address, o->key_file, o->insecure, path, reason, capacity);
    if (!status && *path)
        status = rk_cluster_keys_read(path, &keys, reason, capacity);
    if (status)
        return status;
    setup.keys = *path ? &keys : NULL;
    setup.key_file = path;
    status = rk_worker_work(&setup, reason, capacity);
    explicit_bzero(&keys, sizeof keys);
    return status;
}

int rask_cluster_worker(const rask_worker_options *options, char *reason, size_t capacity)
{
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    if (!options || !options->size || options->size > sizeof o)
        return complain(reason, capacity, "options: start from RASK_WORKER_OPTIONS_INIT");
    memcpy(&o, options, options->size);
    if (!o.address || !*o.address)
        return complain(reason, capacity, "a worker needs the address of its program");
    rk_worker_become(true); /* RASK_WORKER_OF says nothing else */
    int status = work_with(&o, reason, capacity);
    rk_worker_become(false);
    return status;
}

/* A rank has its part of what the machine has, when it is not told how much. */
static int work_for_launch(const rk_launch *launch, const char *address, const rk_cluster_keys *keys)
{
    char reason[512] = "";
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    rk_worker_setup setup;
    o.address = address;
    o.patience = LAUNCH_PATIENCE;
    rk_worker_become(true);
    int status = resolve(&o, &setup, reason, sizeof reason);
    if (!status) {
        share(launch->local, &setup);
        setup.keys = keys;
        status = rk_worker_work(&setup, reason, sizeof reason);
    }
    if (status)
        fprintf(stderr, "rank %u of %u: %s\n", launch->rank, launch->ranks,
                *reason ? reason : rask_status_text(status));
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Rank 0 returns; that others do each what is one program's to do is worse than an end. */
static int join_launch(void)
{
    static rk_launch launch;
    char reason[1024] = "";
    int status = rk_launch_read(&launch, reason, sizeof reason);
    if (!status && launch.ranks > 1)
        status = rk_launch_begin(&launch, work_for_launch, reason, sizeof reason);
    if (!status)
        return RASK_OK;
    fprintf(stderr, "rank %u of %u: %s\n", launch.rank, launch.ranks,
            *reason ? reason : rask_status_text(status));
    exit(EXIT_FAILURE);
}

/* What its tasks start is no worker, though it may be this very program. */
static void work_for(const char *of)
{
    char reason[512] = "", address[RK_MAX_CONTACT + 1];
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    snprintf(address, sizeof address, "%s", of);
    unsetenv("RASK_WORKER_OF");
    o.address = address;
    o.key_file = getenv("RASK_CLUSTER_KEYS");
    o.insecure = rk_options_say_insecure();
    int status = rask_cluster_worker(&o, reason, sizeof reason);
    if (status)
        fprintf(stderr, "worker of %s: %s\n", o.address, *reason ? reason : rask_status_text(status));
    exit(status ? EXIT_FAILURE : EXIT_SUCCESS);
}

static rk_atomic_bool may_be_worker;

bool rk_worker_may_be(void)
{
    return rk_load_relaxed(&may_be_worker);
}

int rask_cluster_init(int *argc, char ***argv)
{
    const char *worker_of = getenv("RASK_WORKER_OF");
    (void)argc, (void)argv;
    rk_store_relaxed(&may_be_worker, true);
    if (!worker_of || !*worker_of)
        return join_launch();
    work_for(worker_of);
    return RASK_OK; /* never */
}

int rask_cluster_make_keys(const char *path, char *reason, size_t capacity)
{
    const rk_transport_engine *engine;
    if (!path || !*path)
        return complain(reason, capacity, "no file for the keys");
    int status = rk_transport_find("zmq", &engine, reason, capacity);
    return status ? status : rk_cluster_keys_write(path, engine, reason, capacity);
}

void rask_cluster_close(void)
{
    rk_hub_close_all();
}
