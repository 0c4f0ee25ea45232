/* Graphs on workers of other processes: the same values as anywhere. */
#include "../graphs.h"
#include "workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* -- Random graphs */

static void compute_random(uint64_t seed, uint32_t workers, uint32_t threads_each)
{
    cluster c;
    random_graph *g = random_graph_new(seed);
    cluster_begin(&c, workers, threads_each);
    random_graph_must_compute(g, on(&c));
    cluster_end(&c);
    random_graph_free(g);
    cr_assert_eq(random_graph_live_customs(), 0);
}

Test(cluster, random_graphs_give_the_values_of_one_worker)
{
    for (uint64_t seed = 1; seed <= 12; seed++)
        compute_random(seed, 1 + seed % 3, 1 + seed % 2);
}

Test(cluster, after_failures_of_tasks_just_what_needs_them_is_missing)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        cluster c;
        rask_report report;
        random_graph *g = random_graph_new(seed);
        random_graph_add_failures(g, 12, GRAPH_FAILS_ALWAYS);
        cluster_begin(&c, 2, 2);
        rask_options o = on(&c);
        o.keep_going = seed % 2;
        random_graph_compute_with_failures(g, o, &report);
        cluster_end(&c);
        random_graph_free(g);
    }
}

/* -- Larger results */

/* (bytes, what) */
static int fill(rask_task *t)
{
    size_t len = (size_t)rask_arg_i64(t, 0);
    char *data;
    rask_value value;
    if (rask_value_bytes_alloc(len, &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    memset(data, (int)rask_arg_i64(t, 1), len);
    return rask_return_value(t, value);
}
RASK_SLOTS(fill);

/* Adds the bytes of a list's items. */
static int add_up(rask_task *t)
{
    int64_t sum = 0;
    size_t count;
    const rask_value *items = rask_arg_list(t, 0, &count);
    for (size_t i = 0; i < count; i++) {
        rask_bytes bytes = {NULL, 0};
        rask_value_get_bytes(&items[i], &bytes);
        for (size_t k = 0; k < bytes.len; k++)
            sum += bytes.data[k];
    }
    return rask_return_i64(t, sum);
}
RASK_SLOTS(add_up);

enum { PIECES = 12, PIECE = 1 << 20 };

static rask_node *list_of_pieces(rask_graph *g)
{
    rask_node *pieces[PIECES];
    for (int i = 0; i < PIECES; i++)
        pieces[i] = rask_delayed(g, fill, PIECE, i);
    return rask_list(g, pieces, PIECES);
}

Test(cluster, large_results_go_from_worker_to_worker_and_home)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_node *targets[] = {list_of_pieces(g), NULL};
    rask_value results[2];
    const rask_value *items;
    size_t count;
    rask_bytes bytes;
    targets[1] = rask_delayed(g, add_up, targets[0]);
    cluster_begin(&c, 3, 1);
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_values(targets, 2, &o, results), RASK_OK, "%s", rask_graph_error(g));
    cluster_end(&c);
    cr_assert_eq(results[1].as.i64, (int64_t)PIECE * PIECES * (PIECES - 1) / 2);
    cr_assert_eq(rask_value_get_list(&results[0], &items, &count), RASK_OK);
    cr_assert_eq(count, PIECES);
    for (int i = 0; i < PIECES; i++) {
        cr_assert_eq(rask_value_get_bytes(&items[i], &bytes), RASK_OK);
        cr_assert(bytes.len == PIECE && bytes.data[0] == i && bytes.data[PIECE - 1] == i);
    }
    rask_value_unref(&results[0]);
    rask_graph_free(g);
}

/* -- Where tasks run */

static int tell_pid(rask_task *t)
{
    return rask_return_i64(t, getpid());
}
RASK_SLOTS(tell_pid);

static int tell_own_pid(rask_task *t)
{
    return tell_pid(t);
}
RASK_SLOTS_WITH(tell_own_pid, (.flags = RASK_HERE));

Test(cluster, tasks_run_in_workers_but_those_that_want_the_program)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t pid = 0;
    cluster_begin(&c, 1, 1);
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_with(rask_delayed(g, tell_pid), &o, &pid), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(pid, c.pids[0]);
    cr_assert_eq(rask_compute_with(rask_delayed(g, tell_own_pid), &o, &pid), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(pid, getpid());
    cluster_end(&c);
    rask_graph_free(g);
}

/* -- Workers that come and go */

/* (milliseconds, number): sleeps, and gives the number. */
static int nap(rask_task *t)
{
    sleep_ms((long)rask_arg_i64(t, 0));
    return rask_return_i64(t, rask_arg_i64(t, 1));
}
RASK_SLOTS(nap);

typedef struct killer {
    cluster *c;
    atomic_bool over;
    int kills;
} killer;

/* One worker after the other, and each has a successor. */
static void *kill_workers(void *context)
{
    killer *k = context;
    for (uint32_t i = 0; !atomic_load(&k->over); i = (i + 1) % k->c->count) {
        sleep_ms(40);
        kill(k->c->pids[i], SIGKILL);
        waitpid(k->c->pids[i], NULL, 0);
        cluster_hire(k->c, i);
        k->kills++;
    }
    return NULL;
}

enum { NAPS = 400 };

static rask_node *sum_of_naps(rask_graph *g, int64_t ms)
{
    rask_node *naps[NAPS];
    for (int i = 0; i < NAPS; i++)
        naps[i] = rask_delayed(g, nap, ms, rask_delayed(g, nap, 0, i));
    return rask_sum(rask_list(g, naps, NAPS));
}

Test(cluster, workers_that_are_killed_change_no_result)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_node *sum = sum_of_naps(g, 3);
    int64_t answer = 0;
    pthread_t thread;
    cluster_begin(&c, 3, 2);
    killer k = {.c = &c};
    rask_options o = on(&c);
    cr_assert_eq(pthread_create(&thread, NULL, kill_workers, &k), 0);
    int status = rask_compute_with(sum, &o, &answer);
    atomic_store(&k.over, true);
    pthread_join(thread, NULL);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, NAPS * (NAPS - 1) / 2);
    cr_assert_gt(k.kills, 0);
    cluster_end(&c);
    rask_graph_free(g);
}

static int crash(rask_task *t)
{
    (void)t;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return RASK_OK;
}
RASK_SLOTS(crash);

/* Each that dies has a successor, until told. */
static void *replace_workers(void *context)
{
    killer *k = context;
    while (!atomic_load(&k->over))
        for (uint32_t i = 0; i < k->c->count; i++, sleep_ms(2))
            if (waitpid(k->c->pids[i], NULL, WNOHANG) == k->c->pids[i]) {
                cluster_hire(k->c, i);
                k->kills++;
            }
    return NULL;
}

Test(cluster, a_task_that_crashes_is_blamed_after_three_workers)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_value result;
    pthread_t thread;
    rask_node *node = rask_delayed(g, crash);
    cluster_begin(&c, 1, 1);
    killer k = {.c = &c};
    rask_options o = on(&c);
    cr_assert_eq(pthread_create(&thread, NULL, replace_workers, &k), 0);
    cr_assert_eq(rask_compute_with(node, &o, &result), RASK_EDIED);
    cr_assert_not_null(strstr(rask_graph_error(g), "task crash"), "%s", rask_graph_error(g));
    cr_assert_not_null(strstr(rask_graph_error(g), "3 workers died of it"), "%s", rask_graph_error(g));
    atomic_store(&k.over, true);
    pthread_join(thread, NULL);
    cluster_end(&c);
    rask_graph_free(g);
}

Test(cluster, a_worker_that_is_told_to_go_leaves_its_results_behind)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_node *sum = sum_of_naps(g, 1);
    rask_report report;
    int64_t answer = 0;
    cluster_begin(&c, 2, 1);
    rask_options o = on(&c);
    o.report = &report;
    pid_t timer = fork();
    if (!timer) {
        sleep_ms(150);
        kill(c.pids[0], SIGTERM);
        _exit(0);
    }
    cr_assert_eq(rask_compute_with(sum, &o, &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, NAPS * (NAPS - 1) / 2);
    waitpid(timer, NULL, 0);
    int how;
    cr_assert_eq(waitpid(c.pids[0], &how, 0), c.pids[0]);
    cr_assert(WIFEXITED(how) && WEXITSTATUS(how) == 0, "it left with %d", how);
    c.pids[0] = 0;
    cluster_end(&c);
    rask_graph_free(g);
}

Test(cluster, a_worker_that_comes_late_gets_work)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_node *sum = sum_of_naps(g, 1);
    int64_t answer = 0;
    cluster_begin(&c, 1, 1);
    pid_t late = fork();
    if (!late) {
        sleep_ms(100);
        cluster_hire(&c, 1);
        waitpid(c.pids[1], NULL, 0);
        _exit(0);
    }
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_with(sum, &o, &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, NAPS * (NAPS - 1) / 2);
    kill(late, SIGKILL);
    waitpid(late, NULL, 0);
    cluster_end(&c);
    rask_graph_free(g);
}
