/* Graphs on the ranks of a job: what test_cluster.c does with workers that it forks, as far as ranks can. Rank 0 prints TAP.
 *
 *   mpirun -n RANKS play_cluster         with RASK_TRANSPORT=tcp over ZeroMQ */
#include "tasks.h"

#include <glob.h>
#include <pthread.h>
#include <rask/cluster.h>
#include <rask/rask.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Ends the program, and the job with it, with a line that says what was wrong. */
#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                          \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static void sleep_ms(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static rask_graph *g;

static void must_compute(rask_node *node, const rask_options *o, int64_t wanted)
{
    int64_t answer = 0;
    if (rask_compute_with(node, o, &answer))
        fprintf(stderr, "%s\n", rask_graph_error(g));
    MUST(!*rask_graph_error(g) && answer == wanted);
}

static void must_fail(rask_node *node, const rask_options *o, int wanted, const char *word)
{
    int64_t answer;
    int status = rask_compute_with(node, o, &answer);
    if (status != wanted || !strstr(rask_graph_error(g), word))
        fprintf(stderr, "%d: %s\n", status, rask_graph_error(g));
    MUST(status == wanted && strstr(rask_graph_error(g), word));
}

/* -- Where tasks run */

/* Long enough that all have some. */
static int tell_pid_later(rask_task *t)
{
    sleep_ms(30);
    return tell_pid(t);
}
RASK_SLOTS(tell_pid_later);

static void tasks_run_in_all_ranks_but_the_first(int others)
{
    enum { LOOKS = 60 };
    rask_node *looks[LOOKS];
    const rask_value *pids;
    rask_value list;
    size_t count;
    int different = 0;
    for (int i = 0; i < LOOKS; i++)
        looks[i] = rask_delayed(g, tell_pid_later);
    rask_node *all = rask_list(g, looks, LOOKS);
    MUST(!rask_compute_values(&all, 1, NULL, &list));
    MUST(!rask_value_get_list(&list, &pids, &count) && count == LOOKS);
    for (size_t i = 0; i < count; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again |= pids[k].as.i64 == pids[i].as.i64;
        different += !again;
        MUST(pids[i].as.i64 != getpid());
    }
    rask_value_unref(&list);
    MUST(different == others);
    must_compute(rask_delayed(g, tell_own_pid), NULL, getpid());
}

/* -- Results */

enum { PIECES = 12, PIECE = 1 << 20 };

/* Each sum needs all pieces, so that all ranks fetch from each other at once. */
static void large_results_go_from_rank_to_rank_and_home(int others)
{
    rask_node *sums[PIECES];
    rask_value list;
    (void)others;
    rask_node *all = list_of_pieces(g, PIECES, PIECE);
    for (int i = 0; i < PIECES; i++)
        sums[i] = rask_delayed(g, add_up, all);
    must_compute(rask_sum(rask_list(g, sums, PIECES)), NULL,
                 (int64_t)PIECE * PIECES * PIECES * (PIECES - 1) / 2);
    MUST(!rask_compute_values(&all, 1, NULL, &list) && are_pieces(&list, PIECES, PIECE));
    rask_value_unref(&list);
}

static void pure_calls_that_grow_stay_where_they_meet(int others)
{
    (void)others;
    must_compute(rask_delayed(g, fibonacci, 20), NULL, 6765);
}

/* Files of processes that were seen in a run, which may be removed. */
static int visit_files(int run, bool remove)
{
    char pattern[64];
    glob_t found;
    snprintf(pattern, sizeof pattern, "/tmp/rask-test-seen-%d-*", run);
    int count = glob(pattern, 0, NULL, &found) ? 0 : (int)found.gl_pathc;
    for (int i = 0; i < count && remove; i++)
        unlink(found.gl_pathv[i]);
    globfree(&found);
    return count;
}

/* (number, run, processes): waits until so many have been there, which leave files. */
static int leave_file(rask_task *t)
{
    char path[64];
    struct stat file;
    snprintf(path, sizeof path, "/tmp/rask-test-seen-%d-%d", (int)rask_arg_i64(t, 1), (int)getpid());
    if (stat(path, &file))
        fclose(fopen(path, "w"));
    while (visit_files((int)rask_arg_i64(t, 1), false) < (int)rask_arg_i64(t, 2) && !rask_task_cancelled(t))
        sleep_ms(2);
    return rask_return_i64(t, rask_arg_i64(t, 0));
}
RASK_SLOTS(leave_file);

enum { LEAVES = 40 };

/* (run, processes) */
static int grow_leaves(rask_task *t)
{
    rask_graph *own = rask_task_graph(t);
    rask_node *all[LEAVES];
    for (int i = 0; i < LEAVES; i++)
        all[i] = rask_delayed(own, leave_file, i, rask_arg_i64(t, 0), rask_arg_i64(t, 1));
    return rask_return_node(t, rask_sum(rask_list(own, all, LEAVES)));
}
RASK_SLOTS(grow_leaves);

static void what_one_task_grows_is_run_by_all_ranks(int others)
{
    visit_files((int)getpid(), true);
    must_compute(rask_delayed(g, grow_leaves, (int64_t)getpid(), others), NULL, LEAVES * (LEAVES - 1) / 2);
    MUST(visit_files((int)getpid(), true) == others);
}

enum { NAPS = 2000 };

static void runs_go_on_side_by_side(int others)
{
    enum { SIDES = 3 };
    pthread_t threads[SIDES];
    side sides[SIDES];
    (void)others;
    for (int i = 0; i < SIDES; i++) {
        sides[i] = (side){.naps = NAPS};
        MUST(!pthread_create(&threads[i], NULL, compute_aside, &sides[i]));
    }
    for (int i = 0; i < SIDES; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SIDES; i++)
        MUST(!sides[i].status && sides[i].answer == NAPS * (NAPS - 1) / 2);
}

/* -- What goes wrong */

/* (a file, how, number): ends its process, as long as the file is not there, which it makes. */
static int end_once(rask_task *t)
{
    const char *path = rask_arg_str(t, 0);
    struct stat file;
    if (stat(path, &file)) {
        fclose(fopen(path, "w"));
        signal(SIGSEGV, SIG_DFL);
        if (rask_arg_i64(t, 1))
            _exit(0);
        raise(SIGSEGV);
    }
    return rask_return_i64(t, rask_arg_i64(t, 2));
}
RASK_SLOTS(end_once);

/* Tasks end their processes, by a signal or by leaving, while results are under way. */
static void tasks_that_end_their_process_take_no_rank_with_them(int others)
{
    enum { ENDS = 2 }; /* a worker that dies takes news with it, so more would count for tasks before */
    char paths[ENDS][64];
    rask_node *ends[ENDS + 1];
    int64_t wanted = NAPS * (NAPS - 1) / 2;
    ends[ENDS] = sum_of_naps(g, NAPS, 0);
    for (int i = 0; i < ENDS; i++) {
        snprintf(paths[i], sizeof paths[i], "/tmp/rask-test-end-%d-%d", (int)getpid(), i);
        unlink(paths[i]);
        ends[i] = rask_delayed(g, end_once, paths[i], i % 2, i);
        wanted += i;
    }
    must_compute(rask_sum(rask_list(g, ends, ENDS + 1)), NULL, wanted);
    for (int i = 0; i < ENDS; i++)
        unlink(paths[i]);
    tasks_run_in_all_ranks_but_the_first(others);
}

static void a_task_that_crashes_is_blamed(int others)
{
    must_fail(rask_delayed(g, crash), NULL, RASK_EDIED, "task crash");
    rask_graph_free(g);
    g = rask_graph_new();
    tasks_run_in_all_ranks_but_the_first(others);
}

static void a_task_that_does_not_return_is_ended(int others)
{
    rask_options o = RASK_OPTIONS_INIT;
    rask_node *node = rask_delayed(g, nap, 60000, 1);
    (void)others;
    rask_set_timeout(node, 0.2);
    must_fail(node, &o, RASK_ETIMEDOUT, "task nap");
    rask_graph_free(g);
    g = rask_graph_new();
    must_compute(sum_of_naps(g, NAPS, 0), NULL, NAPS * (NAPS - 1) / 2);
}

static void a_failure_says_which_task_and_why(int others)
{
    (void)others;
    must_fail(rask_delayed(g, nap, 0, rask_delayed(g, refuse)), NULL, RASK_EIO, "nothing to read");
}

static void ranks_stay_when_the_cluster_is_closed(int others)
{
    rask_cluster_close();
    tasks_run_in_all_ranks_but_the_first(others);
}

static void a_scheduler_that_is_named_is_the_one(int others)
{
    rask_options o = RASK_OPTIONS_INIT;
    (void)others;
    o.scheduler = "threads";
    must_compute(rask_delayed(g, tell_pid), &o, getpid());
}

static const struct {
    const char *name;
    void (*play)(int others);
} scenes[] = {
    {"tasks run in all ranks but the first", tasks_run_in_all_ranks_but_the_first},
    {"large results go from rank to rank, and home", large_results_go_from_rank_to_rank_and_home},
    {"pure calls that grow stay where they meet", pure_calls_that_grow_stay_where_they_meet},
    {"what one task grows is run by all ranks", what_one_task_grows_is_run_by_all_ranks},
    {"runs go on side by side", runs_go_on_side_by_side},
    {"tasks that end their process take no rank with them",
     tasks_that_end_their_process_take_no_rank_with_them},
    {"a task that crashes is blamed", a_task_that_crashes_is_blamed},
    {"a task that does not return is ended", a_task_that_does_not_return_is_ended},
    {"a failure says which task, and why", a_failure_says_which_task_and_why},
    {"ranks stay when the cluster is closed", ranks_stay_when_the_cluster_is_closed},
    {"a scheduler that is named is the one", a_scheduler_that_is_named_is_the_one},
};
enum { SCENES = sizeof scenes / sizeof *scenes };

/* As launchers say it; srun's with pmix says it only for itself. */
static int number_of_ranks(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
    const char *text = NULL;
    for (int i = 0; i < 3 && !text; i++)
        text = getenv(names[i]);
    return text ? atoi(text) : 0;
}

int main(int argc, char **argv)
{
    rask_cluster_init(&argc, &argv);
    int ranks = number_of_ranks();
    if (ranks < 2) {
        printf("Bail out! usage: mpirun -n RANKS play_cluster, with two ranks or more\n");
        return 1;
    }
    printf("1..%d\n", SCENES);
    for (int i = 0; i < SCENES; i++) {
        g = rask_graph_new();
        scenes[i].play(ranks - 1);
        rask_graph_free(g);
        printf("ok %d - %s\n", i + 1, scenes[i].name);
        fflush(stdout);
    }
    return 0;
}
