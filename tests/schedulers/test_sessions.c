/* Runs that share what the process has one of: the lanes of the pool, values that somebody keeps, and threads
 * that the system may refuse. */
#include "schedulers/chaos.h"
#include "support.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <rask/rask.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { HAND_OUTS = 200, SEEDS = 20 };
#else
enum { HAND_OUTS = 1000, SEEDS = 100 };
#endif

static int64_t one(int64_t unused)
{
    (void)unused;
    return 1;
}
RASK_TASK(one, i64, i64);

static int64_t read_one(int64_t unused)
{
    return one(unused);
}
RASK_TASK_WITH(read_one, (.flags = RASK_IO), i64, i64);

/* Whether so many tasks are here at once; false after some seconds. */
static atomic_int arrived;

static int64_t meet(int64_t count)
{
    atomic_fetch_add(&arrived, 1);
    for (int ms = 0; ms < 8000; ms++) {
        if (atomic_load(&arrived) >= count)
            return 1;
        sleep_ms(1);
    }
    return 0;
}
RASK_TASK(meet, i64, i64);

static int64_t meet_io(int64_t count)
{
    return meet(count);
}
RASK_TASK_WITH(meet_io, (.flags = RASK_IO), i64, i64);

/* The sum of so many calls of def, each with this argument. */
static int64_t sum_of(const rask_task_def *def, int count, int64_t argument, rask_options options)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[200];
    rask_arg arg = RASK_ARG(argument);
    int64_t sum = -1;
    for (int i = 0; i < count; i++)
        nodes[i] = rask_call(g, def, &arg, 1);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, (size_t)count)), &options, &sum), RASK_OK,
                 "%s", rask_graph_error(g));
    rask_graph_free(g);
    return sum;
}

/* Lanes. */

static int64_t nested_io(int64_t depth);
RASK_TASK_WITH(nested_io, (.flags = RASK_IO), i64, i64);

/* Two I/O tasks, one after the other, that do the same less deep. */
static int64_t nested_io(int64_t depth)
{
    rask_options o = threads(2);
    o.io_lanes = 1;
    return depth ? sum_of(RASK_DEF(nested_io), 2, depth - 1, o) : 1;
}

/* A session may use one lane only, while the pool has many: who waits for a lane must not wait for good. */
Test(sessions, io_tasks_compute_io_graphs_while_other_lanes_are_idle)
{
    enum { LANES = 16 };
    rask_options o = threads(2);
    alarm(100);
    o.io_lanes = LANES;
    cr_assert_eq(sum_of(RASK_DEF(meet_io), LANES, LANES, o), LANES, "there are fewer lanes");
    o.io_lanes = 1;
    cr_assert_eq(sum_of(RASK_DEF(nested_io), 100, 1, o), 200);
    cr_assert_eq(sum_of(RASK_DEF(nested_io), 5, 4, o), 80);
    alarm(0);
}

static void *nest_io(void *unused)
{
    rask_options o = threads(1);
    o.io_lanes = 1;
    cr_assert_eq(sum_of(RASK_DEF(nested_io), 20, 2, o), 80);
    return unused;
}

Test(sessions, io_tasks_of_several_threads_compute_io_graphs)
{
    pthread_t ids[4];
    alarm(100);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&ids[i], NULL, nest_io, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(ids[i], NULL);
    alarm(0);
}

/* A list that a task keeps, and returns whenever it is called. */

static rask_value kept;

static void keep_list_of_lists(void)
{
    rask_value text, lists[3];
    cr_assert_eq(rask_value_bytes_new("abc", 3, &text), RASK_OK);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(rask_value_list_new(&text, 1, &lists[i]), RASK_OK);
    cr_assert_eq(rask_value_list_new(lists, 3, &kept), RASK_OK);
    for (int i = 0; i < 3; i++)
        rask_value_unref(&lists[i]);
    rask_value_unref(&text);
}

static int return_kept(rask_task *t)
{
    return rask_return_list(t, &kept, 1);
}
RASK_SLOTS(return_kept);

static void must_hand_out_kept(void)
{
    rask_graph *g = rask_graph_new();
    rask_options o = threads(1);
    rask_value result;
    const rask_value *items, *lists;
    size_t count = 0;
    cr_assert_eq(rask_compute_value(rask_delayed(g, return_kept), &o, &result), RASK_OK);
    cr_assert_eq(rask_value_get_list(&result, &items, &count), RASK_OK);
    cr_assert_eq(count, 1);
    cr_assert_eq(rask_value_get_list(items, &lists, &count), RASK_OK);
    cr_assert_eq(count, 3);
    rask_value_unref(&result);
    rask_graph_free(g);
}

static void *hand_out_often(void *unused)
{
    for (int i = 0; i < HAND_OUTS; i++)
        must_hand_out_kept();
    return unused;
}

Test(sessions, several_runs_return_the_same_list_at_once)
{
    pthread_t ids[4];
    keep_list_of_lists();
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&ids[i], NULL, hand_out_often, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(ids[i], NULL);
    must_hand_out_kept();
    rask_value_unref(&kept);
}

/* A text that one task takes, and for which another only waits. */

static int say_hello(rask_task *t)
{
    return rask_return_str(t, "hello");
}
RASK_SLOTS(say_hello);

static int64_t length(const rask_value *text)
{
    return (int64_t)rask_value_size(text);
}
RASK_TASK(length, i64, value);

static int fail(rask_task *t)
{
    return rask_fail(t, RASK_EIO, "meant to fail");
}
RASK_SLOTS(fail);

static void seed_chaos(uint64_t seed)
{
#ifdef RASK_WITH_CHAOS
    rk_chaos_seed(seed);
#else
    (void)seed;
#endif
}

/* Texts, each with who takes it and who waits for it; who waits for the failure is the only one skipped. */
static void must_skip_one(int texts)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[2 + 2 * 200], *failing = rask_delayed(g, fail);
    rask_value results[2 + 2 * 200];
    rask_options o = threads(4);
    rask_report report;
    o.keep_going = true;
    o.report = &report;
    nodes[0] = failing;
    nodes[1] = rask_after(rask_delayed(g, one, 0), &failing, 1);
    for (int i = 1; i <= texts; i++) {
        rask_node *text = rask_delayed(g, say_hello);
        nodes[2 * i] = rask_delayed(g, length, text);
        nodes[2 * i + 1] = rask_after(rask_delayed(g, one, i), &text, 1);
    }
    cr_assert_eq(rask_compute_values(nodes, 2 + 2 * (size_t)texts, &o, results), RASK_EIO);
    cr_assert_eq(report.finished, 3 * texts);
    cr_assert_eq(report.failed, 1);
    cr_assert_eq(report.skipped, 1);
    cr_assert_eq(report.live_bytes, 0);
    rask_graph_free(g);
}

Test(sessions, who_waits_for_a_task_asks_for_its_failure_while_others_end_its_result)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        seed_chaos(seed);
        must_skip_one(200);
        seed_chaos(0);
    }
}

/* The system gives no thread: this program's calls of pthread_create() end here, by the linker's --wrap. */
#ifdef RASK_TEST_WRAPS
#    include <errno.h>

static atomic_bool refusing;
static atomic_int refused;

int __real_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*body)(void *), void *arg);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*body)(void *), void *arg);

int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*body)(void *), void *arg)
{
    if (!atomic_load(&refusing))
        return __real_pthread_create(id, attributes, body, arg);
    atomic_fetch_add(&refused, 1);
    return EAGAIN;
}

static int64_t count_up(const rask_value *before)
{
    int64_t place = -1;
    volatile int turns = 0;
    rask_value_get_i64(before, &place);
    while (turns < 2000)
        turns = turns + 1;
    return place + 1;
}
RASK_TASK(count_up, i64, value);

/* Two chains, each of half of so many tasks. */
static void must_count(rask_options options)
{
    enum { LENGTH = 5000 };
    rask_graph *g = rask_graph_new();
    rask_node *ends[2] = {rask_const(g, 0), rask_const(g, 0)};
    rask_value places[2];
    for (int i = 0; i < LENGTH; i++)
        for (int k = 0; k < 2; k++)
            ends[k] = rask_delayed(g, count_up, ends[k]);
    cr_assert_eq(rask_compute_values(ends, 2, &options, places), RASK_OK);
    cr_assert_eq(places[0].as.i64, LENGTH);
    cr_assert_eq(places[1].as.i64, LENGTH);
    rask_graph_free(g);
}

Test(sessions, a_run_that_gets_no_thread_asks_once_and_goes_on_alone)
{
    atomic_store(&refusing, true);
    for (int run = 1; run <= 3; run++) {
        must_count(threads(4));
        cr_assert_eq(atomic_load(&refused), run);
    }
}

Test(sessions, io_tasks_that_get_no_lane_are_run_all_the_same)
{
    rask_options o = threads(2);
    o.io_lanes = 4;
    alarm(100);
    atomic_store(&refusing, true);
    cr_assert_eq(sum_of(RASK_DEF(read_one), 100, 0, o), 100);
    cr_assert_eq(sum_of(RASK_DEF(nested_io), 10, 2, o), 40);
    cr_assert_gt(atomic_load(&refused), 0);
    alarm(0);
}

Test(sessions, the_next_run_gets_the_threads_that_one_was_refused)
{
    rask_options o = threads(2);
    o.io_lanes = 4;
    alarm(100);
    atomic_store(&refusing, true);
    must_count(o);
    cr_assert_eq(sum_of(RASK_DEF(read_one), 100, 0, o), 100);
    atomic_store(&refusing, false);
    cr_assert_eq(sum_of(RASK_DEF(meet), 2, 2, o), 2, "two workers did not come together");
    atomic_store(&arrived, 0);
    cr_assert_eq(sum_of(RASK_DEF(meet_io), 4, 4, o), 4, "four lanes did not come together");
    alarm(0);
}
#endif
