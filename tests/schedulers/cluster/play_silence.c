/* A job some of whose processes say nothing for a while: test_silence.sh starts it, and says what is to come of each.
 *
 *   mpirun -n 3 play_silence pauses   an observer of rank 0 does not return for longer than ranks may be silent
 *   mpirun -n 3 play_silence rests    two ranks that had something of each other have nothing to say for as long, and end
 *   mpirun -n 3 play_silence stops    one rank is stopped when all has been computed */
#include "tasks.h"

#include <rask/cluster.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum {
    PIECES = 16,
    PIECE = 256 << 10,
    PAUSE_MS = 3500 /* where RASK_MPI_SILENCE is 2, of which ranks make 2.75 */
};

static void pause_long(void)
{
    const struct timespec time = {PAUSE_MS / 1000, PAUSE_MS % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Of rank 0's thread that all messages come to. */
static void on_finished(void *context, const rask_task_info *task)
{
    bool *paused = context;
    (void)task;
    if (!*paused)
        pause_long();
    *paused = true;
}

/* Tasks run in a child of the nursery, which is a child of the rank. */
static int64_t find_rank(int64_t number)
{
    char path[64];
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)getppid());
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*d %*s %*c %d", &parent) != 1)
        parent = 0;
    if (file)
        fclose(file);
    return number >= 0 ? parent : 0;
}
RASK_TASK(find_rank, i64, i64);

static int64_t compute(rask_graph *g, rask_node *node, bool pauses)
{
    bool paused = false;
    const rask_observer observer = {
        .size = sizeof observer, .context = &paused, .task_finished = on_finished};
    const rask_observer *const observers[] = {&observer};
    rask_options o = RASK_OPTIONS_INIT;
    int64_t answer = 0;
    o.observers = observers;
    o.observer_count = pauses;
    if (rask_compute_with(node, &o, &answer)) {
        fprintf(stderr, "play_silence: %s\n", rask_graph_error(g));
        exit(EXIT_FAILURE);
    }
    return answer;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    setenv("RASK_WORKERS", "1", 1);
    rask_cluster_init(&argc, &argv);
    rask_graph *g = rask_graph_new();
    int64_t sum =
        compute(g, rask_delayed(g, add_up, list_of_pieces(g, PIECES, PIECE)), !strcmp(what, "pauses"));
    if (!strcmp(what, "rests"))
        pause_long();
    if (!strcmp(what, "stops"))
        kill((pid_t)compute(g, rask_delayed(g, find_rank, (int64_t)1), false), SIGSTOP);
    printf("computed %lld\n", (long long)sum);
    fflush(stdout);
    rask_graph_free(g);
    return EXIT_SUCCESS;
}
