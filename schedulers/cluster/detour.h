/* schedulers/cluster/detour: transfers between workers that did not come about because one did not reach the other.
 *
 * Either the other is dead, which its neighbour may notice before the program does, or the network lets the program reach both,
 * and not them each other. So the program waits a while for news of a loss. Then it pulls the result itself, and offers it to who
 * wants it; from there on it does so at once for the same two workers. */
#ifndef RASK_SCHEDULERS_CLUSTER_DETOUR_H
#define RASK_SCHEDULERS_CLUSTER_DETOUR_H

#include "core/base/array.h"

#include <stdbool.h>
#include <stdint.h>

struct rk_conduct;
struct rk_fetch;

typedef struct rk_detours {
    rk_array all;   /* those under way */
    rk_array apart; /* two homes each, the first of which does not reach the second */
    uint64_t bytes; /* pulled, or on their way here */
} rk_detours;

void rk_detours_init(rk_detours *detours);
void rk_detours_fini(rk_detours *detours);

/* A transfer to home failed by RASK_EIO. */
void rk_detour_doubt(struct rk_conduct *conduct, uint32_t home, uint32_t unit, uint32_t attempt);
/* One is to be, and goes by the program if these are known not to reach each other; else false. */
bool rk_detour_takes(struct rk_conduct *conduct, uint32_t home, uint32_t from, uint32_t unit,
                     uint32_t attempt);
/* Who was offered a result has answered; false: it was offered none by this attempt. */
bool rk_detour_ended(struct rk_conduct *conduct, uint32_t attempt);
/* A pull of the program has ended. True: it was for somebody else, and fetch->into is taken. */
bool rk_detour_pulled(struct rk_conduct *conduct, struct rk_fetch *fetch);
/* The encoded result that is offered, and its size; NULL: this one is not. */
const char *rk_detour_object(const struct rk_conduct *conduct, uint32_t unit, uint64_t *size);
/* Now and then, and when a worker was lost. */
void rk_detours_settle(struct rk_conduct *conduct);

#endif
