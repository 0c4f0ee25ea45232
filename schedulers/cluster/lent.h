/* schedulers/cluster/lent: calls that one worker of a run lends to another by way of the program (schedulers/futures/lend.h), as both sides
 * know them. */
#ifndef RASK_SCHEDULERS_CLUSTER_LENT_H
#define RASK_SCHEDULERS_CLUSTER_LENT_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers of such calls have this bit, which no unit's has; the program gives them out. */
#define RK_LENT_BIT ((uint32_t)1 << 31)

static inline bool rk_is_lent(uint32_t number)
{
    return number & RK_LENT_BIT;
}

/* How a call comes back. */
typedef enum rk_lent_end {
    RK_LENT_DONE, /* with a status, and a result when that is RASK_OK */
    RK_LENT_GREW, /* a pure one returned nodes, and is to grow where it is known */
    RK_LENT_LOST, /* nobody called it, or nobody will say what it came to: who lent it is to call it */
    RK_LENT_ENDS
} rk_lent_end;

#endif
