/* tests/schedulers/cluster/play: what a scheduler must do, whatever it is, as scenes that are played on each of them: the ranks of a
 * job of Open MPI or MPICH, workers that came by ZeroMQ, processes, threads, one thread. play_cluster.c has the engines.
 *
 * Tasks run in processes that know nothing of the scene, and need not be children of its own: what they count is on a board, a file
 * that all map. Its name is a number, which tasks take as their first argument. */
#ifndef RASK_TESTS_SCHEDULERS_CLUSTER_PLAY_H
#define RASK_TESTS_SCHEDULERS_CLUSTER_PLAY_H

#include "../graphs.h"
#include "../support.h"
#include "tasks.h"

#include <stdatomic.h>

enum { BOARD_COUNTS = 64, BOARD_NOTES = 64, PLAY_BUDGET = 24 << 20 };

typedef struct board {
    atomic_int counts[BOARD_COUNTS];
    atomic_int running[2], most[2]; /* of what tasks take */
    atomic_int noted;
    int64_t notes[BOARD_NOTES];
    atomic_bool flag;
    random_graph graph; /* of which there is one at a time */
} board;

/* What a scene needs of its engine. */
enum {
    NEEDS_OTHERS =
        1 << 0, /* workers that are processes of their own: one that crashes or hangs is replaced */
    NEEDS_TRAVEL = 1 << 1, /* that have nothing of the program's memory */
    NEEDS_TWO = 1 << 2,    /* that work at once */
    NEEDS_RANKS = 1 << 3,
    NEEDS_GROWN_TOLD = 1 << 4 /* observers are told of what grew */
};

typedef struct house {
    rask_options options; /* a copy is each scene's to change */
    unsigned has;         /* NEEDS_… */
    uint32_t workers;
    int64_t id; /* of the board, which is empty when a scene begins */
    board *board;
} house;

typedef struct scene {
    const char *name;
    unsigned needs;
    void (*play)(const house *h);
} scene;

extern const scene play_results[], play_failures[], play_rules[], play_runs[]; /* each ends with a NULL */

/* In whatever process. */
board *board_of(rask_task *t);
board *board_at(int64_t id);
void board_note(board *b, int64_t number);

/* What an i64 or list of such comes to; the run must succeed. */
int64_t play_i64(rask_node *node, const rask_options *o);
rask_value play_value(rask_node *node, const rask_options *o);
/* The run must fail so, and with each of these words, the last of which is NULL. */
void play_failure(rask_node *node, const rask_options *o, int status, const char *const *words);
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
