#include "core/base/fence.h"

#ifdef __linux__
#    include <linux/membarrier.h>
#    include <sys/syscall.h>
#    include <unistd.h>

static long membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}
#endif

rk_atomic_u32 rk_fence_is_free;

/* An exchange on a variable that all share: a full fence that ThreadSanitizer knows, too. */
static rk_atomic_u32 everyone;

void rk_fence_full(void)
{
    rk_add_seq_cst(&everyone, 1);
}

void rk_fence_init(void)
{
#ifdef __linux__
    static rk_atomic_bool asked;
    if (rk_load_acquire(&asked))
        return;
    if (!membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
        rk_store_relaxed(&rk_fence_is_free, 1);
    rk_store_release(&asked, true);
#endif
}

void rk_fence_heavy(void)
{
    rk_fence_full();
#ifdef __linux__
    if (rk_load_relaxed(&rk_fence_is_free))
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
#endif
}
