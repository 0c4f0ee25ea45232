/* schedulers/cluster/ranks/launch: a program that mpirun, mpiexec or srun started many times: rank 0 is the program, the others are
 * its workers.
 *
 * Each of the others is a process that has MPI and passes packets on (relay.h), and a child of it that runs tasks, forked before
 * MPI begins (nursery.h), so that a task that crashes takes no rank with it. With RASK_TRANSPORT=tcp MPI carries nothing but the
 * address and the keys of the program, and workers reach it by ZeroMQ. */
#ifndef RASK_SCHEDULERS_CLUSTER_RANKS_LAUNCH_H
#define RASK_SCHEDULERS_CLUSTER_RANKS_LAUNCH_H

#include "schedulers/cluster/setup.h"

#include <rask/options.h>

/* What started this process, as far as launchers tell by the environment. */
typedef struct rk_launch {
    uint32_t rank, ranks; /* ranks: 1: it was started alone */
    uint32_t local;       /* ranks on this machine */
    bool tcp;             /* RASK_TRANSPORT=tcp */
} rk_launch;

/* RASK_EUNSUPPORTED: by a launcher that does not tell MPI of it; RASK_EINVAL: RASK_TRANSPORT is neither mpi nor tcp; with a reason. */
int rk_launch_read(rk_launch *launch, char *reason, size_t capacity);

/* What a child of a rank does: keys as in rk_worker_setup. It answers how its process shall end. */
typedef int (*rk_launch_work)(const rk_launch *launch, const char *address, const rk_cluster_keys *keys);

/* With two ranks or more: rank 0 returns when the others can reach it; the others work, and their processes end. Fails with a
 * reason, as the engines do. */
int rk_launch_begin(const rk_launch *launch, rk_launch_work work, char *reason, size_t capacity);

/* In rank 0 of a launch: where options leave the address of the cluster open, or say "mpi:", it is that of the ranks. */
void rk_launch_fill(rask_options *options);

/* In rank 0 of a launch whose ranks do not come to this address: how many they are. Else 0. */
uint32_t rk_launch_elsewhere(const char *address);

/* The engine of "mpi:…" in this process. RASK_EUNSUPPORTED: it is no rank of a launch, with the right command in reason. */
int rk_launch_engine(const rk_transport_engine **engine, char *reason, size_t capacity);

#endif
