/* schedulers/cluster/mpi/farewell: the end of a job that has lost a rank. */
#ifndef RASK_SCHEDULERS_CLUSTER_MPI_FAREWELL_H
#define RASK_SCHEDULERS_CLUSTER_MPI_FAREWELL_H

#include "schedulers/cluster/mpi/mail.h"

/* Says on stderr who is silent, and ends the process, the ranks that MPI reaches, and the launcher where it would wait for those that
 * it does not. */
_Noreturn void rk_farewell(const rk_wire *wire, int silent);
/* The process ends by it: MPI is not ended in order. From any thread. */
bool rk_farewell_is_said(void);

#endif
