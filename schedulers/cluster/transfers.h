/* schedulers/cluster/transfers: results on their way from home to home, as observers are told of them. The hub thread's. */
#ifndef RASK_SCHEDULERS_CLUSTER_TRANSFERS_H
#define RASK_SCHEDULERS_CLUSTER_TRANSFERS_H

#include "core/base/array.h"

#include <stdint.h>

struct rk_conduct;
struct rk_instruction;

/* To one home: who is under way, when somebody observes. */
rk_array rk_transfers_none(void);

/* The coordinator said so. */
void rk_transfer_begun(struct rk_conduct *conduct, const struct rk_instruction *instruction);
/* However it ended: observers hear of it, and the coordinator. bytes: that it takes in the home; duration: nanoseconds, 0 when it did
 * not come about. */
void rk_transfer_ended(struct rk_conduct *conduct, uint32_t home, uint32_t unit, uint32_t attempt, int status,
                       uint64_t bytes, uint64_t duration);

#endif
