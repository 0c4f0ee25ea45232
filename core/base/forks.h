/* core/base/forks: locks that a fork must not find taken: whoever has one goes on in the parent only, and in the child it
 * would never be free. */
#ifndef RASK_CORE_BASE_FORKS_H
#define RASK_CORE_BASE_FORKS_H

#include <pthread.h>

/* In the child of a fork that took the mutex before it. It is the forking thread's, and so is the child: that lets go of it first, as
 * who watches over locks expects, and makes it anew, for threads that are not here may be noted in it as waiting. */
static inline void rk_mutex_renew(pthread_mutex_t *mutex)
{
    pthread_mutex_unlock(mutex);
    pthread_mutex_init(mutex, NULL);
}

/* Static functions around a static mutex: know_forks() is called before the mutex is locked for the first time. A fork then
 * waits until the mutex is free, so what it guards is whole in the child, too. */
#define RK_KNOW_FORKS(mutex)                                                                                 \
    static void hold_at_fork(void)                                                                           \
    {                                                                                                        \
        pthread_mutex_lock(&(mutex));                                                                        \
    }                                                                                                        \
    static void free_at_fork(void)                                                                           \
    {                                                                                                        \
        pthread_mutex_unlock(&(mutex));                                                                      \
    }                                                                                                        \
    static void renew_at_fork(void)                                                                          \
    {                                                                                                        \
        rk_mutex_renew(&(mutex));                                                                            \
    }                                                                                                        \
    static void register_forks(void)                                                                         \
    {                                                                                                        \
        pthread_atfork(hold_at_fork, free_at_fork, renew_at_fork);                                           \
    }                                                                                                        \
    static void know_forks(void)                                                                             \
    {                                                                                                        \
        static pthread_once_t once = PTHREAD_ONCE_INIT;                                                      \
        pthread_once(&once, register_forks);                                                                 \
    }

#endif
