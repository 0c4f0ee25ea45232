/* schedulers/cluster/status: what the program that computes tells who asks how things stand. */
#ifndef RASK_SCHEDULERS_CLUSTER_STATUS_H
#define RASK_SCHEDULERS_CLUSTER_STATUS_H

#include "schedulers/cluster/hub.h"

/* Most workers, and runs, that are told of. */
enum { RK_MAX_TOLD = 8192 };

/* By the hub's thread: answers ASK with all but the last word, which is returned: TOLD_ALL, or REFUSED, with *why, which is
 * static. */
rk_said rk_status_tell(rk_hub *hub, rk_member *member, const rk_message *ask, const char **why);

#endif
