/* core/base/fence: an asymmetric pair of fences, for when one side is hot and the other hardly ever comes.
 *
 * A store before a fence is visible to every load behind the other side's fence, as with two sequentially
 * consistent fences, but the light one costs nothing where the system can interrupt all running threads of
 * the process for the heavy one (Linux: membarrier). Elsewhere both are full fences. */
#ifndef RASK_CORE_BASE_FENCE_H
#define RASK_CORE_BASE_FENCE_H

#include "core/base/atomic.h"

/* Whether the light fence is free: found out once, by the first heavy or light fence's rk_fence_init(). */
extern rk_atomic_u32 rk_fence_is_free;

/* Before the first use in a process; cheap when repeated. Thread-safe. */
void rk_fence_init(void);

void rk_fence_heavy(void);
void rk_fence_full(void);

static inline void rk_fence_light(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(!rk_load_relaxed(&rk_fence_is_free), 0))
        rk_fence_full();
}

#endif
