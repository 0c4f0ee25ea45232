/* schedulers/cluster/grown: what observers hear of calls that grew in workers, in the program. Their definitions are the workers', and
 * so are their names, which stay here as long as the process: few are different. */
#ifndef RASK_SCHEDULERS_CLUSTER_GROWN_H
#define RASK_SCHEDULERS_CLUSTER_GROWN_H

#include "schedulers/cluster/protocol.h"
#include "schedulers/cluster/shop.h"

struct rk_conduct;

/* In the flag of TOLD_GROWN, beside the event: that it began was told of. */
#define RK_GROWN_WAS_TOLD 4u

/* For the program. */
rk_message rk_grown_message(const rk_grown_news *news);
/* From a worker: whatever it says is checked. */
void rk_grown_hear(struct rk_conduct *c, uint32_t home, const rk_message *m);
/* Of the program's own process. */
void rk_grown_tell_own(struct rk_conduct *c);
void rk_grown_tell_own_begun(struct rk_conduct *c);

#endif
