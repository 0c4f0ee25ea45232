#if defined __linux__ && !defined _GNU_SOURCE
#    define _GNU_SOURCE /* dl_iterate_phdr */
#endif
#include "core/base/loaded.h"

#ifdef __linux__

#    include "core/base/forks.h"

static pthread_mutex_t walking = PTHREAD_MUTEX_INITIALIZER;
RK_KNOW_FORKS(walking)

int rk_loaded_walk(int (*look)(struct dl_phdr_info *, size_t, void *), void *context)
{
    know_forks();
    pthread_mutex_lock(&walking);
    int status = dl_iterate_phdr(look, context);
    pthread_mutex_unlock(&walking);
    return status;
}

#endif
