/* What is the threads scheduler's own: nesting, many runs at once, I/O lanes, wake-ups, fork, the program's
 * end. */
#include "../forks.h"
#include "graphs.h"
#include "support.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { TINY_RUNS = 5000, RUNS_OF_EACH = 20, AGAIN = 500 };
#else
enum { TINY_RUNS = 20000, RUNS_OF_EACH = 40, AGAIN = 1000 };
#endif

static int64_t one(int64_t unused)
{
    (void)unused;
    return 1;
}
RASK_TASK(one, i64, i64);

static int64_t add(const rask_value *a, const rask_value *b)
{
    int64_t x = 0, y = 0;
    rask_value_get_i64(a, &x);
    rask_value_get_i64(b, &y);
    return x + y;
}
RASK_TASK(add, i64, value, value);

/* Nesting: a task that computes a graph of tasks that compute graphs… The argument is the depth left, then
 * the workers; the result counts the leaves. */

enum { CHILDREN = 4 };

static int64_t nested(int64_t depth, int64_t workers);
RASK_TASK(nested, i64, i64, i64);

static int64_t nested_io(int64_t depth, int64_t workers)
{
    return nested(depth, workers);
}
RASK_TASK_WITH(nested_io, (.flags = RASK_IO), i64, i64, i64);

static int64_t nested(int64_t depth, int64_t workers)
{
    if (!depth)
        return 1;
    rask_graph *g = rask_graph_new();
    rask_node *children[CHILDREN];
    rask_options o = threads((uint32_t)workers);
    int64_t leaves = 0;
    for (int i = 0; i < CHILDREN; i++)
        children[i] = i % 2 ? rask_delayed(g, nested, depth - 1, workers)
                            : rask_delayed(g, nested_io, depth - 1, workers);
    o.io_lanes = 2;
    int status = rask_compute_with(rask_sum(rask_list(g, children, CHILDREN)), &o, &leaves);
    rask_graph_free(g);
    return status ? INT64_MIN / 1000 : leaves;
}

static int64_t power(int64_t base, int exponent)
{
    return exponent ? base * power(base, exponent - 1) : 1;
}

Test(threads, tasks_compute_graphs_three_levels_deep)
{
    static const int64_t workers[] = {1, 2, 4, 8};
    for (size_t i = 0; i < 4; i++)
        for (int round = 0; round < 5; round++)
            cr_assert_eq(nested(3, workers[i]), power(CHILDREN, 3));
}

/* Several threads, each with graphs of its own. */

static void *compute_many(void *first)
{
    for (uint64_t i = 0; i < RUNS_OF_EACH; i++) {
        random_graph *g = random_graph_new((uint64_t)(uintptr_t)first + i);
        random_graph_must_compute(g, threads(1 + (uint32_t)(i % 5)));
        random_graph_free(g);
    }
    return NULL;
}

Test(threads, eight_threads_compute_graphs_at_once)
{
    pthread_t ids[8];
    for (uintptr_t i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&ids[i], NULL, compute_many, (void *)(i * 1000)), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(ids[i], NULL);
    cr_assert_eq(random_graph_live_customs(), 0);
}

static void *nest_many(void *unused)
{
    for (int i = 0; i < 3; i++)
        cr_assert_eq(nested(2, 1 + i), power(CHILDREN, 2));
    return unused;
}

Test(threads, eight_threads_nest_graphs_at_once)
{
    pthread_t ids[8];
    for (int i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&ids[i], NULL, nest_many, NULL), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(ids[i], NULL);
}

/* I/O lanes. */

static atomic_int io_running, io_most;

static int64_t wait_for_disk(int64_t ms)
{
    int now = atomic_fetch_add(&io_running, 1) + 1, most = atomic_load(&io_most);
    while (most < now && !atomic_compare_exchange_weak(&io_most, &most, now)) {
    }
    sleep_ms((long)ms);
    atomic_fetch_sub(&io_running, 1);
    return 1;
}
RASK_TASK_WITH(wait_for_disk, (.flags = RASK_IO), i64, i64);

static int64_t compute_io(uint32_t tasks, int64_t ms, rask_options options)
{
    rask_graph *g = rask_graph_new();
    rask_node **nodes = calloc(tasks, sizeof *nodes);
    int64_t sum = -1;
    for (uint32_t i = 0; i < tasks; i++)
        nodes[i] = rask_delayed(g, wait_for_disk, ms);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, tasks)), &options, &sum), RASK_OK);
    free(nodes);
    rask_graph_free(g);
    return sum;
}

Test(threads, sixteen_io_tasks_wait_together_on_two_workers)
{
    rask_options o = threads(2);
    o.io_lanes = 16;
    atomic_store(&io_most, 0);
    cr_assert_eq(compute_io(16, 50, o), 16);
    cr_assert_gt(atomic_load(&io_most), 2, "no more waited together than there are workers");
}

Test(threads, no_more_io_tasks_run_at_once_than_there_are_lanes)
{
    for (uint32_t lanes = 1; lanes <= 8; lanes *= 2) {
        rask_options o = threads(2);
        o.io_lanes = lanes;
        atomic_store(&io_most, 0);
        cr_assert_eq(compute_io(100, 1, o), 100);
        cr_assert_leq(atomic_load(&io_most), lanes);
        cr_assert(lanes < 4 || atomic_load(&io_most) >= 2);
    }
}

static int threads_of_this_process(void)
{
    char line[256];
    int count = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file) && sscanf(line, "Threads: %d", &count) != 1) {
    }
    if (file)
        fclose(file);
    return count;
}

Test(threads, many_io_tasks_make_no_more_threads_than_lanes)
{
    rask_options o = threads(2);
    o.io_lanes = 4;
    int before = threads_of_this_process();
    cr_assert_eq(compute_io(3000, 0, o), 3000);
    int after = threads_of_this_process();
    cr_assert_leq(after - before, 2 + 4, "%d threads were made", after - before);
}

/* Wake-ups: small graphs of every shape, again and again. A lost wake-up would hang: the alarm ends that. */

static rask_node *chain(rask_graph *g)
{
    rask_node *node = rask_delayed(g, one, 0), *zero = rask_const(g, 0);
    for (int i = 0; i < 10; i++)
        node = rask_delayed(g, add, node, zero);
    return rask_delayed(g, add, node, zero);
}

static rask_node *fan(rask_graph *g, int width, bool io)
{
    rask_node *nodes[64];
    for (int i = 0; i < width; i++)
        nodes[i] = io && i % 2 ? rask_delayed(g, wait_for_disk, 0) : rask_delayed(g, one, i);
    return rask_sum(rask_list(g, nodes, (size_t)width));
}

/* One task, then a fan of tasks that wait for it. */
static rask_node *burst(rask_graph *g, int width)
{
    rask_node *nodes[64], *first = rask_delayed(g, one, 0), *zero = rask_const(g, 0);
    for (int i = 0; i < width; i++)
        nodes[i] = rask_delayed(g, add, first, zero);
    return rask_sum(rask_list(g, nodes, (size_t)width));
}

static rask_node *diamonds(rask_graph *g)
{
    rask_node *node = rask_delayed(g, one, 0);
    for (int i = 0; i < 4; i++) {
        rask_node *zero = rask_const(g, 0), *left = rask_delayed(g, add, node, zero);
        node = rask_delayed(g, add, left, rask_delayed(g, add, zero, rask_delayed(g, add, node, zero)));
    }
    return node;
}

typedef struct shape {
    rask_plan *plan;
    int64_t answer;
} shape;

enum { SHAPES = 7 };

static void make_shapes(rask_graph *g, shape *shapes)
{
    const struct {
        rask_node *node;
        int64_t answer;
    } all[SHAPES] = {
        {chain(g), 1},      {fan(g, 2, false), 2}, {fan(g, 40, false), 40},     {fan(g, 6, true), 6},
        {burst(g, 12), 12}, {diamonds(g), 16},     {rask_delayed(g, one, 1), 1}};
    for (int i = 0; i < SHAPES; i++) {
        shapes[i].answer = all[i].answer;
        cr_assert_eq(rask_plan_new(&all[i].node, 1, &shapes[i].plan), RASK_OK, "%s", rask_graph_error(g));
    }
}

static void run_shapes(uint32_t runs)
{
    rask_graph *g = rask_graph_new();
    shape shapes[SHAPES];
    make_shapes(g, shapes);
    for (uint32_t i = 0; i < runs; i++) {
        rask_options o = threads(2 + i / SHAPES % 7);
        rask_value value;
        cr_assert_eq(rask_plan_run(shapes[i % SHAPES].plan, &o, &value), RASK_OK);
        cr_assert_eq(value.as.i64, shapes[i % SHAPES].answer);
    }
    for (int i = 0; i < SHAPES; i++)
        rask_plan_free(shapes[i].plan);
    rask_graph_free(g);
}

Test(threads, no_wake_up_is_lost_in_many_tiny_runs)
{
    alarm(100);
    run_shapes(TINY_RUNS);
    alarm(0);
}

static void *run_shapes_body(void *unused)
{
    run_shapes(TINY_RUNS / 8);
    return unused;
}

Test(threads, no_wake_up_is_lost_in_many_tiny_runs_of_several_threads)
{
    pthread_t ids[3];
    alarm(100);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&ids[i], NULL, run_shapes_body, NULL), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(ids[i], NULL);
    alarm(0);
}

Test(threads, a_plan_runs_again_a_thousand_times)
{
    rask_graph *g = rask_graph_new();
    int64_t start = 0;
    rask_node *input = rask_input(g, start), *nodes[8];
    for (int i = 0; i < 8; i++)
        nodes[i] = rask_delayed(g, add, input, rask_const(g, i));
    rask_node *sum = rask_sum(rask_list(g, nodes, 8));
    rask_plan *plan;
    rask_options o = threads(4);
    cr_assert_eq(rask_plan_new(&sum, 1, &plan), RASK_OK);
    for (int64_t i = 0; i < AGAIN; i++) {
        rask_value bound = rask_value_i64(i), result;
        cr_assert_eq(rask_plan_bind(plan, input, &bound), RASK_OK);
        cr_assert_eq(rask_plan_run(plan, &o, &result), RASK_OK);
        cr_assert_eq(result.as.i64, 8 * i + 28);
    }
    rask_plan_free(plan);
    rask_graph_free(g);
}

/* Long tasks behind many short ones: both must run at once, so each waits in itself for the other. */

static atomic_int arrived;

static int64_t meet(const rask_value *after)
{
    (void)after;
    atomic_fetch_add(&arrived, 1);
    for (int ms = 0; ms < 8000; ms++) {
        if (atomic_load(&arrived) >= 2)
            return 1;
        sleep_ms(1);
    }
    return 0;
}
RASK_TASK(meet, i64, value);

/* Two tasks that must meet, made ready at the end of as many short ones, by one and the same or by two. */
static void must_meet(uint32_t shorts, bool same)
{
    rask_graph *g = rask_graph_new();
    rask_node *last[2] = {rask_delayed(g, one, 0), rask_delayed(g, one, 1)}, *zero = rask_const(g, 0);
    for (uint32_t i = 0; i < shorts; i++) {
        rask_node *both[2] = {rask_delayed(g, add, last[0], zero), rask_delayed(g, add, last[1], last[0])};
        memcpy(last, both, sizeof both);
    }
    rask_node *meeting[2] = {rask_delayed(g, meet, last[0]), rask_delayed(g, meet, last[same ? 0 : 1])};
    rask_options o = threads(2);
    int64_t met = 0;
    atomic_store(&arrived, 0);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, meeting, 2)), &o, &met), RASK_OK);
    cr_assert_eq(met, 2, "behind %u short ones%s they ran one after another", shorts,
                 same ? ", made ready at once," : "");
    rask_graph_free(g);
}

Test(threads, long_tasks_behind_many_short_ones_run_together)
{
    static const uint32_t shorts[] = {0, 1, 100, 20000};
    for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++) {
        must_meet(shorts[i], false);
        must_meet(shorts[i], true);
    }
}

/* Among many short roots, two long ones next to each other. */
Test(threads, long_roots_among_many_short_ones_run_together)
{
    for (int place = 0; place <= 10000; place += 2500) {
        rask_graph *g = rask_graph_new();
        rask_node *nodes[10002], *zero = rask_const(g, 0);
        rask_options o = threads(2);
        int64_t sum = 0;
        for (int i = 0; i < 10002; i++)
            nodes[i] = i == place || i == place + 1 ? rask_delayed(g, meet, zero) : rask_delayed(g, one, i);
        atomic_store(&arrived, 0);
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 10002)), &o, &sum), RASK_OK);
        cr_assert_eq(sum, 10002, "the long tasks ran one after another");
        rask_graph_free(g);
    }
}

static int64_t meet_io(int64_t unused)
{
    (void)unused;
    return meet(NULL);
}
RASK_TASK_WITH(meet_io, (.flags = RASK_IO), i64, i64);

/* The I/O task waits in itself for the CPU task, which the one worker runs after another I/O task. */
static void must_meet_io(uint32_t workers)
{
    rask_graph *g = rask_graph_new();
    rask_node *pair[2] = {rask_delayed(g, meet_io, 0),
                          rask_delayed(g, meet, rask_delayed(g, wait_for_disk, 0))};
    rask_options o = threads(workers);
    int64_t met = 0;
    atomic_store(&arrived, 0);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, pair, 2)), &o, &met), RASK_OK);
    cr_assert_eq(met, 2, "an I/O task kept a CPU task of %u workers waiting", workers);
    rask_graph_free(g);
}

Test(threads, an_io_task_does_not_keep_the_only_worker_from_cpu_tasks)
{
    for (uint32_t round = 0; round < 100; round++)
        must_meet_io(1 + round % 2);
}

/* Priorities: one worker, so the order is plain. */

static atomic_int next_place;

static int64_t place(int64_t unused)
{
    (void)unused;
    return atomic_fetch_add(&next_place, 1);
}
RASK_TASK(place, i64, i64);

Test(threads, one_worker_runs_larger_priorities_first)
{
    enum { COUNT = 20 };
    rask_graph *g = rask_graph_new();
    rask_node *nodes[COUNT];
    rask_value places[COUNT];
    rask_options o = threads(1);
    for (int i = 0; i < COUNT; i++)
        nodes[i] = rask_set_priority(rask_delayed(g, place, i), i * 7 % COUNT);
    cr_assert_eq(rask_compute_values(nodes, COUNT, &o, places), RASK_OK);
    for (int i = 0; i < COUNT; i++)
        cr_assert_eq(places[i].as.i64, COUNT - 1 - i * 7 % COUNT);
    rask_graph_free(g);
}

Test(threads, more_workers_than_tasks_do_no_harm)
{
    for (uint32_t workers = 1; workers <= 1024; workers *= 4) {
        rask_graph *g = rask_graph_new();
        rask_options o = threads(workers);
        int64_t answer = 0;
        cr_assert_eq(rask_compute_with(fan(g, 3, false), &o, &answer), RASK_OK);
        cr_assert_eq(answer, 3);
        rask_graph_free(g);
    }
}

/* The process: affinity, fork, the end. */

Test(threads, default_workers_are_the_cores_of_the_affinity_mask)
{
    cpu_set_t all, first;
    cr_assert_eq(sched_getaffinity(0, sizeof all, &all), 0);
    uint32_t workers = rask_default_workers();
    cr_assert_geq(workers, 1);
    cr_assert_leq(workers, CPU_COUNT(&all));
    CPU_ZERO(&first);
    for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&first); cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &first);
    cr_assert_eq(sched_setaffinity(0, sizeof first, &first), 0);
    cr_assert_eq(rask_default_workers(), 1);
}

/* In children of this process: ThreadSanitizer forbids threads in a child whose parent had some. */
#if !defined(__SANITIZE_THREAD__)
static bool computes(void)
{
    rask_graph *g = rask_graph_new();
    rask_options o = threads(4);
    int64_t answer = 0;
    o.io_lanes = 2;
    bool right = !rask_compute_with(fan(g, 40, true), &o, &answer) && answer == 40;
    rask_graph_free(g);
    return right;
}

static int exit_code(pid_t child)
{
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

Test(threads, parent_and_child_compute_after_a_fork)
{
    for (int i = 0; i < 10; i++) {
        cr_assert(computes());
        pid_t child = fork();
        if (!child) {
            alarm(100);
            _exit(computes() && computes() ? 0 : 1);
        }
        cr_assert(computes());
        cr_assert_eq(exit_code(child), 0);
    }
}

/* AddressSanitizer's allocator may be locked by another thread at the fork, for good in the child. */
#    if !defined(__SANITIZE_ADDRESS__)
static void *fork_often(void *unused)
{
    for (int i = 0; i < 30; i++) {
        pid_t child = fork();
        if (!child) {
            alarm(100);
            _exit(computes() ? 0 : 1);
        }
        int code = exit_code(child);
        cr_assert_eq(code, 0, "the child ended with %d", code);
    }
    return unused;
}

static pid_t home;

static int64_t at_home(int64_t one)
{
    if (getpid() != home)
        _exit(3); /* a child runs what is its parent's */
    return one;
}
RASK_TASK(at_home, i64, i64);

static bool computes_at_home(void)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[200];
    rask_options o = threads(4);
    int64_t answer = 0;
    for (int i = 0; i < 200; i++)
        nodes[i] = rask_delayed(g, at_home, 1);
    bool right = !rask_compute_with(rask_sum(rask_list(g, nodes, 200)), &o, &answer) && answer == 200;
    rask_graph_free(g);
    return right;
}

Test(threads, a_fork_in_the_middle_of_another_threads_runs_does_no_harm)
{
    pthread_t forking;
    home = getpid();
    cr_assert_eq(pthread_create(&forking, NULL, fork_often, NULL), 0);
    while (pthread_tryjoin_np(forking, NULL))
        cr_assert(computes_at_home());
}

/* Large enough for the allocator to map it, and to keep it in its own table. */
static rask_value large(int64_t fill)
{
    enum { BYTES = 4 << 20 };
    rask_value value;
    char *data;
    if (rask_value_bytes_alloc(BYTES, &data, &value))
        return rask_value_none();
    data[0] = (char)fill;
    return value;
}
RASK_TASK(large, value, i64);

static int64_t first_byte(const rask_value *bytes)
{
    rask_bytes b;
    return rask_value_get_bytes(bytes, &b) ? -1000 : b.data[0];
}
RASK_TASK(first_byte, i64, value);

static bool computes_large(void)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[4];
    rask_options o = threads(2);
    int64_t answer = 0;
    for (int i = 0; i < 4; i++)
        nodes[i] = rask_delayed(g, first_byte, rask_delayed(g, large, i));
    bool right = !rask_compute_with(rask_sum(rask_list(g, nodes, 4)), &o, &answer) && answer == 6;
    rask_graph_free(g);
    return right;
}

static void allocate_large(void)
{
    rask_value value = large(1);
    rask_value_unref(&value);
}

Test(threads, a_fork_while_other_threads_allocate_large_results_does_no_harm)
{
    fork_amid(allocate_large, computes_large);
}
#    endif

/* What a program does at its end, in a child. */

static int64_t leave(int64_t code)
{
    exit((int)code);
}
RASK_TASK(leave, i64, i64);

static void compute_and_return(void)
{
    exit(computes() ? 0 : 1);
}

static void exit_in_a_task(void)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[20];
    int64_t answer;
    for (int i = 0; i < 20; i++)
        nodes[i] = i == 10 ? rask_delayed(g, leave, 7) : rask_delayed(g, wait_for_disk, 1);
    rask_options o = threads(2);
    rask_compute_with(rask_sum(rask_list(g, nodes, 20)), &o, &answer);
    _exit(1);
}

static int ends_with(void (*program)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        alarm(100);
        program();
        _exit(2);
    }
    return exit_code(child);
}

Test(threads, a_program_ends_cleanly_after_its_runs)
{
    for (int i = 0; i < 20; i++)
        cr_assert_eq(ends_with(compute_and_return), 0);
}

Test(threads, a_task_may_end_the_program)
{
    for (int i = 0; i < 20; i++)
        cr_assert_eq(ends_with(exit_in_a_task), 7);
}
#endif
