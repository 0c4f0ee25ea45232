/* Plays all scenes over an engine whose processes a launcher starts together; rank 0 leads, and prints TAP.
 *
 *   mpirun -n RANKS play_ranks ENGINE */
#include "conformance.h"

#include <string.h>

/* Of the first that is set: Open MPI's, MPICH's, Slurm's. */
static int number_of(const char *first, const char *second, const char *third)
{
    const char *text = getenv(first);
    if (!text)
        text = getenv(second);
    if (!text)
        text = getenv(third);
    return text ? atoi(text) : -1;
}

/* All ranks open an endpoint for each scene, in partners' own time. */
static void play(const scene *what, const rk_transport_engine *engine, int rank, int ranks)
{
    int partners = what->partners < ranks - 1 ? what->partners : ranks - 1;
    stage s = {.engine = engine, .index = rank, .partners = partners, .leader = "mpi:0"};
    if (rank > 0 && rank <= partners) {
        what->assist(&s);
        return;
    }
    player_open(&s.self, engine, NULL);
    if (rank == 0)
        what->lead(&s);
    else
        player_close(&s.self);
}

int main(int argc, char **argv)
{
    char reason[600] = "";
    const rk_transport_engine *engine = NULL;
    int rank = number_of("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"),
        ranks = number_of("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS");
    if (argc < 2 || rk_transport_find(argv[1], &engine, reason, sizeof reason) || rank < 0 || ranks < 2) {
        printf("Bail out! %s\n",
               *reason ? reason : "usage: mpirun -n RANKS play_ranks ENGINE, with two ranks or more");
        return 1;
    }
    if (rank == 0)
        printf("1..%zu\n", conformance_count);
    for (size_t i = 0; i < conformance_count; i++) {
        const scene *what = &conformance_scenes[i];
        if (!what->needs_loss)
            play(what, engine, rank, ranks);
        if (rank == 0)
            printf("ok %zu - %s%s\n", i + 1, what->name,
                   what->needs_loss ? " # SKIP the job dies with a rank" : "");
        fflush(stdout);
    }
    return 0;
}
