/* schedulers/cluster/ranks/relay: a rank beside rank 0: it has MPI, and its child what runs tasks (nursery.h). Packets go through it,
 * from the child's tube to MPI and back; when the child dies its peers hear that it left, and its successor dials again. */
#ifndef RASK_SCHEDULERS_CLUSTER_RANKS_RELAY_H
#define RASK_SCHEDULERS_CLUSTER_RANKS_RELAY_H

#include "schedulers/cluster/ranks/nursery.h"
#include "schedulers/cluster/ranks/tube.h"

/* Until the child's work has ended, or rank 0 has: *outcome is how. calls: MPI's; all ranks come here together, rank 0 by opening
 * its endpoint. RASK_ESYSTEM: there are no children any more; or as the wire's open(); with a reason. */
int rk_relay_mpi(const rk_nursery *nursery, const rk_wire_module *calls, int *outcome, char *reason,
                 size_t capacity);

/* The same, for children that work elsewhere: order is what RK_FRAME_ADDRESS has. */
int rk_relay_address(const rk_nursery *nursery, const char *order, size_t size, int *outcome, char *reason,
                     size_t capacity);

#endif
