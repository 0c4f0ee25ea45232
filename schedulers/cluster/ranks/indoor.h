/* schedulers/cluster/ranks/indoor: the wire of a rank's child: its packets go through the tube to its rank, which has MPI (relay.h). */
#ifndef RASK_SCHEDULERS_CLUSTER_RANKS_INDOOR_H
#define RASK_SCHEDULERS_CLUSTER_RANKS_INDOOR_H

#include "schedulers/cluster/ranks/tube.h"

extern const rk_wire_module rk_indoor_wire;

/* This process is a child, and its one endpoint goes through the tube, on which the rank tells how it is dialled. The tube outlives
 * the endpoint. */
void rk_indoor_enter(rk_tube *tube, const char *contact);
/* enter() was called. */
bool rk_indoor_is(void);

#endif
