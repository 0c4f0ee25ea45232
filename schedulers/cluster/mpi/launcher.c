#include "schedulers/cluster/mpi/launcher.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* Names go on: mpirun.openmpi, mpiexec.hydra. "prte" is also prterun, which Open MPI's mpirun becomes from its version 5 on, and
 * its daemons, prted. */
bool rk_launcher_is(pid_t pid)
{
    static const char *const names[] = {"mpirun", "mpiexec", "orterun", "orted", "prte"};
    char name[32];
    pid_t above;
    bool found = read_process(pid, name, &above);
    for (size_t i = 0; found && i < sizeof names / sizeof *names; i++)
        if (!strncmp(name, names[i], strlen(names[i])))
            return true;
    return false;
}

/* MPICH's is above a proxy of its own. */
pid_t rk_launcher_find(void)
{
    char name[32];
    pid_t parent = getppid(), above = 0;
    if (rk_launcher_is(parent))
        return parent;
    bool proxy = read_process(parent, name, &above) && !strncmp(name, "hydra_pmi", strlen("hydra_pmi"));
    return proxy && rk_launcher_is(above) ? above : 0;
}
#else
bool rk_launcher_is(pid_t pid)
{
    (void)pid;
    return false;
}

pid_t rk_launcher_find(void)
{
    return 0;
}
#endif
