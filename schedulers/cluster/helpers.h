/* schedulers/cluster/helpers: threads of a worker that run what grew there, or was lent to it, when its seats have nothing to do: as
 * many as there are seats, of which no more run at once than seats are free. A unit never waits for them: its seat begins at
 * once, and one of them stops as soon as its call has returned. */
#ifndef RASK_SCHEDULERS_CLUSTER_HELPERS_H
#define RASK_SCHEDULERS_CLUSTER_HELPERS_H

#include "core/base/atomic.h"
#include "schedulers/futures/executor.h"

typedef struct rk_helpers rk_helpers;

/* How many seats are at units, and who waits for fewer of them. Zeroed: none. */
typedef struct rk_seat_count {
    rk_atomic_u32 busy, barred;
    _Atomic(rk_helpers *) helpers;
} rk_seat_count;

/* The first is known to tasks by first_number. count seats; they stay where they are. NULL: no memory, or no thread. */
rk_helpers *rk_helpers_new(rk_executor *executor, uint32_t count, uint32_t first_number,
                           rk_seat_count *seats);
/* How many run something. NULL: 0. */
uint32_t rk_helpers_active(const rk_helpers *helpers);
/* The executor is closed; when they have returned from what they run. NULL is legal. */
void rk_helpers_free(rk_helpers *helpers);

/* A seat begins with a unit, or has done so. */
static inline void rk_seat_begins(rk_seat_count *seats)
{
    rk_add_seq_cst(&seats->busy, 1);
}
void rk_helpers_let_in(rk_seat_count *seats);
static inline void rk_seat_ends(rk_seat_count *seats)
{
    rk_sub_seq_cst(&seats->busy, 1);
    if (rk_load_seq_cst(&seats->barred))
        rk_helpers_let_in(seats);
}

#endif
