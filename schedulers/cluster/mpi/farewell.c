#include "schedulers/cluster/mpi/farewell.h"

#include "core/base/atomic.h"
#include "schedulers/cluster/mpi/launcher.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

enum { LAST_S = 3, MOST_DESCRIPTORS = 1024 };

/* A process of its own sees to it, which nobody ends: this one is ended by the abort. */
static void end_launcher_soon(void)
{
    pid_t launcher = rk_launcher_find();
    if (!launcher || fork() != 0)
        return;
    setsid();
    for (int fd = 0; fd < MOST_DESCRIPTORS; fd++)
        close(fd); /* what others wait for the end of */
    for (int i = 0; i < 2; i++) {
        sleep(LAST_S - 1);
        if (rk_launcher_is(launcher))
            kill(launcher, i ? SIGKILL : SIGTERM);
    }
    _exit(EXIT_SUCCESS);
}

/* MPI, too, may wait for the silent one, and what is done at exit for the lock on MPI, which this thread has. */
static void end_soon(void)
{
    sigset_t set;
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    alarm(LAST_S);
}

static rk_atomic_bool is_said;

bool rk_farewell_is_said(void)
{
    return rk_load_relaxed(&is_said);
}

_Noreturn void rk_farewell(const rk_wire *wire, int silent)
{
    char words[400];
    int len = snprintf(words, sizeof words,
                       "rank %d of %d: rank %d has said nothing for %g seconds: its machine is down, no way "
                       "leads there, or it was stopped, as by a debugger; the job ends "
                       "(RASK_MPI_SILENCE=SECONDS waits longer, RASK_MPI_SILENCE=0 for good)\n",
                       wire->rank, wire->ranks, silent, (double)wire->silence_ns / 1e9);
    rk_store_relaxed(&is_said, true);
    end_soon();
    end_launcher_soon();
    ssize_t written = write(STDERR_FILENO, words, (size_t)len); /* stdio may be held by who cannot write */
    (void)written;
    MPI_Abort(wire->comm, EXIT_FAILURE);
    _exit(EXIT_FAILURE);
}
