/* schedulers/cluster/mpi/launcher: what started a job's ranks, as far as it is on this machine. Knows no MPI. */
#ifndef RASK_SCHEDULERS_CLUSTER_MPI_LAUNCHER_H
#define RASK_SCHEDULERS_CLUSTER_MPI_LAUNCHER_H

#include <stdbool.h>
#include <sys/types.h>

/* What waits for the word of every machine, also of those that are lost: mpirun and its daemons, or mpiexec. By its name. */
bool rk_launcher_is(pid_t pid);
/* The one above this process; 0: there is none on this machine, or nobody tells. */
pid_t rk_launcher_find(void);

#endif
