#include "schedulers/cluster/mpi/farewell.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { LAST_S = 3, MOST_DESCRIPTORS = 1024 };

#ifdef __linux__
/* A process's name, as far as the kernel keeps it, and its parent; false: there is none. */
static bool read_process(pid_t pid, char name[32], pid_t *parent)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    int found = file ? fscanf(file, "%*d (%31[^)]) %*c %d", name, parent) : 0;
    if (file)
        fclose(file);
    return found == 2;
}

/* What waits for the word of every machine, also of those that are lost: mpirun and its daemons, or mpiexec, above Hydra's proxies. */
static bool is_launcher(pid_t pid)
{
    static const char *const names[] = {"mpirun", "mpiexec", "orterun", "orted"};
    char name[32];
    pid_t above;
    bool found = read_process(pid, name, &above);
    for (size_t i = 0; found && i < sizeof names / sizeof *names; i++)
        if (!strncmp(name, names[i], strlen(names[i])))
            return true;
    return false;
}

/* On this machine; 0: it is elsewhere. */
static pid_t find_launcher(void)
{
    char name[32];
    pid_t parent = getppid(), above = 0;
    if (is_launcher(parent))
        return parent;
    bool proxy = read_process(parent, name, &above) && !strncmp(name, "hydra_pmi", strlen("hydra_pmi"));
    return proxy && is_launcher(above) ? above : 0;
}

/* A process of its own sees to it, which nobody ends: this one is ended by the abort. */
static void end_launcher_soon(void)
{
    pid_t launcher = find_launcher();
    if (!launcher || fork() != 0)
        return;
    setsid();
    for (int fd = 0; fd < MOST_DESCRIPTORS; fd++)
        close(fd); /* what others wait for the end of */
    for (int i = 0; i < 2; i++) {
        sleep(LAST_S - 1);
        if (is_launcher(launcher))
            kill(launcher, i ? SIGKILL : SIGTERM);
    }
    _exit(EXIT_SUCCESS);
}
#else
static void end_launcher_soon(void)
{
}
#endif

_Noreturn void rk_farewell(const rk_wire *wire, int silent)
{
    fprintf(stderr,
            "rank %d of %d: rank %d has said nothing for %g seconds: its machine is down, or no way leads "
            "there; the "
            "job ends (RASK_MPI_SILENCE)\n",
            wire->rank, wire->ranks, silent, (double)wire->silence_ns / 1e9);
    fflush(stderr);
    end_launcher_soon();
    signal(SIGALRM, SIG_DFL);
    alarm(LAST_S); /* MPI, too, may wait for the silent one */
    MPI_Abort(wire->comm, EXIT_FAILURE);
    _exit(EXIT_FAILURE);
}
