/* Forks in the middle of what other threads do: a child has to come up whatever these hold. */
#ifndef RASK_TESTS_FORKS_H
#define RASK_TESTS_FORKS_H

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

/* Three threads call meanwhile(), again and again; children call in_child() once, which has to return true. */
typedef struct forks {
    void (*meanwhile)(void);
    bool (*in_child)(void);
    atomic_bool end;
} forks;

static inline void *forks_meanwhile(void *context)
{
    forks *f = context;
    while (!atomic_load(&f->end))
        f->meanwhile();
    return NULL;
}

static inline void fork_amid(void (*meanwhile)(void), bool (*in_child)(void))
{
    enum { THREADS = 3, FORKS = 200, SECONDS = 100 };
    static forks f;
    pthread_t threads[THREADS];
    int status = 0;
    f = (forks){meanwhile, in_child, false};
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, forks_meanwhile, &f), 0);
    for (int i = 0; i < FORKS && !status; i++) {
        pid_t child = fork();
        if (!child) {
            alarm(SECONDS); /* should it hang */
            _exit(in_child() ? 0 : 1);
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
    }
    atomic_store(&f.end, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_expect(WIFEXITED(status) && !WEXITSTATUS(status), "a child hung, or failed: %d", status);
}

#endif
