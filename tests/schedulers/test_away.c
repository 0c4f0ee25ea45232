/* Runs on processes whose tasks come to nodes: workers that have time run what others grew. What growing means is tested with
 * all schedulers (test_grow); here is who runs it, and what becomes of it when processes end. */
#include "leftovers.h"
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAVES = 40, PIDS = 64, LARGE = 300000 };

/* In memory that processes share, at a place that all know. */
typedef struct counts {
    atomic_int calls, grown, kills;
    atomic_int pids[PIDS];    /* of processes that called a leaf */
    atomic_int grower;        /* the worker that grew */
    atomic_int numbers[PIDS]; /* by number: the process that has it */
    atomic_int mixed;         /* two have the same */
    atomic_int copies;        /* calls that did not see a constant where it was made */
} counts;

static counts *shared;

static void begin(void)
{
    shared = shared_calloc(sizeof *shared);
}

static void end(void)
{
    shared_free(shared, sizeof *shared);
}

TestSuite(away, .init = begin, .fini = end, .timeout = 60);

static void forget(void)
{
    memset((void *)shared, 0, sizeof *shared);
}

static void note_process(void)
{
    int own = (int)getpid();
    for (int i = 0; i < PIDS; i++) {
        int none = 0;
        if (atomic_compare_exchange_strong(&shared->pids[i], &none, own) || none == own)
            return;
    }
}

static int count_processes(void)
{
    int count = 0;
    while (count < PIDS && atomic_load(&shared->pids[count]))
        count++;
    return count;
}

/* (number): itself, after a while, so that others come. */
static int64_t leaf(int64_t number)
{
    note_process();
    atomic_fetch_add(&shared->calls, 1);
    sleep_ms(2);
    return number;
}
RASK_TASK(leaf, i64, i64);

/* (from, count): the sum of so many leaves. */
static int grow_leaves(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    int64_t from = rask_arg_i64(t, 0), count = rask_arg_i64(t, 1);
    rask_node *leaves[LEAVES];
    atomic_fetch_add(&shared->grown, 1);
    sleep_ms(5); /* by then it is known who has nothing to do */
    for (int64_t i = 0; i < count; i++)
        leaves[i] = rask_delayed(g, leaf, from + i);
    return rask_return_node(t, rask_sum(rask_list(g, leaves, (size_t)count)));
}
RASK_SLOTS(grow_leaves);

static void note_number(rask_task *t)
{
    int none = 0, own = (int)getpid();
    if (!atomic_compare_exchange_strong(&shared->numbers[rask_task_worker(t)], &none, own) && none != own)
        atomic_fetch_add(&shared->mixed, 1);
    sleep_ms(2);
}

static int numbered_leaf(rask_task *t)
{
    note_number(t);
    return rask_return_i64(t, 1);
}
RASK_SLOTS(numbered_leaf);

static int grow_numbered(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *leaves[10];
    note_number(t);
    for (int i = 0; i < 10; i++)
        leaves[i] = rask_delayed(g, numbered_leaf);
    return rask_return_node(t, rask_sum(rask_list(g, leaves, 10)));
}
RASK_SLOTS(grow_numbered);

static int64_t compute(rask_node *node, rask_options o)
{
    int64_t sum = -1;
    cr_assert_eq(rask_compute_with(node, &o, &sum), RASK_OK, "%s", rask_graph_error(rask_node_graph(node)));
    return sum;
}

Test(away, what_a_task_grows_is_run_by_several_processes_and_each_call_once)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    cr_expect_eq(compute(rask_delayed(g, grow_leaves, 0, LEAVES), processes(3)), LEAVES * (LEAVES - 1) / 2);
    cr_expect_geq(count_processes(), 2);
    cr_expect_eq(atomic_load(&shared->calls), LEAVES);
    cr_expect_eq(atomic_load(&shared->grown), 1);
    rask_graph_free(g);
    nothing_is_left_since(before);
}

Test(away, many_that_grow_come_to_the_same_as_in_one_process)
{
    for (uint32_t workers = 1; workers <= 4; workers++) {
        rask_graph *g = rask_graph_new();
        rask_node *all[30];
        int64_t expected = 0;
        forget();
        for (int64_t i = 0; i < 30; i++) {
            int64_t from = i * 100, count = i % 7 + 1;
            all[i] = rask_delayed(g, grow_leaves, from, count);
            expected += count * from + count * (count - 1) / 2;
        }
        cr_expect_eq(compute(rask_sum(rask_list(g, all, 30)), processes(workers)), expected);
        cr_expect_eq(atomic_load(&shared->grown), 30);
        rask_graph_free(g);
    }
}

Test(away, no_two_processes_have_the_same_number)
{
    rask_graph *g = rask_graph_new();
    rask_node *all[12];
    for (int i = 0; i < 12; i++)
        all[i] = rask_delayed(g, grow_numbered);
    cr_expect_eq(compute(rask_sum(rask_list(g, all, 12)), processes(3)), 120);
    cr_expect_eq(atomic_load(&shared->mixed), 0);
    rask_graph_free(g);
}

/* (number): so many bytes of it. */
static int large_leaf(rask_task *t)
{
    rask_value value;
    char *data;
    int status = rask_value_bytes_alloc(LARGE, &data, &value);
    if (status)
        return rask_fail(t, status, "no memory");
    memset(data, (int)rask_arg_i64(t, 0), LARGE);
    return rask_return_value(t, value);
}
RASK_SLOTS(large_leaf);

static int grow_large(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *parts[4];
    sleep_ms(5);
    for (int64_t i = 0; i < 4; i++)
        parts[i] = rask_delayed(g, large_leaf, rask_arg_i64(t, 0) + i);
    return rask_return_node(t, rask_list(g, parts, 4));
}
RASK_SLOTS(grow_large);

/* The sum of all bytes of a list. */
static int weigh(rask_task *t)
{
    const rask_value *items;
    rask_bytes bytes;
    size_t count;
    int64_t sum = 0;
    int status = rask_value_get_list(rask_arg_value(t, 0), &items, &count);
    for (size_t i = 0; i < count && !status; i++)
        if (!(status = rask_value_get_bytes(&items[i], &bytes)))
            for (size_t k = 0; k < bytes.len; k++)
                sum += (unsigned char)bytes.data[k];
    return status ? rask_fail(t, status, "not bytes") : rask_return_i64(t, sum);
}
RASK_SLOTS(weigh);

Test(away, large_results_come_back_whole_and_go)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    rask_node *weights[10];
    int64_t expected = 0;
    for (int64_t i = 0; i < 10; i++) {
        rask_node *large = rask_delayed(g, grow_large, i);
        /* taken twice, so that it is a unit of its own */
        weights[i] = rask_sum(
            rask_list(g, ((rask_node *[]){rask_delayed(g, weigh, large), rask_delayed(g, weigh, large)}), 2));
        expected += 2 * LARGE * (4 * i + 6);
    }
    rask_options o = processes(3);
    o.memory = 24 << 20;
    cr_expect_eq(compute(rask_sum(rask_list(g, weights, 10)), o), expected);
    rask_graph_free(g);
    nothing_is_left_since(before);
}

static int bad_leaf(rask_task *t)
{
    return rask_fail(t, RASK_EIO, "the leaf is rotten");
}
RASK_SLOTS(bad_leaf);

static int grow_badly(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    sleep_ms(5);
    return rask_return_node(t, rask_delayed(g, leaf, rask_delayed(g, bad_leaf, rask_arg_i64(t, 0))));
}
RASK_SLOTS(grow_badly);

Test(away, a_failure_of_what_grew_is_the_tasks_with_its_reason)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    int64_t sum;
    cr_expect_eq(rask_compute_with(rask_delayed(g, grow_badly, 7), &o, &sum), RASK_EIO);
    cr_expect_not_null(strstr(rask_graph_error(g), "the leaf is rotten"), "%s", rask_graph_error(g));
    cr_expect_not_null(strstr(rask_graph_error(g), "grow_badly"), "%s", rask_graph_error(g));
    rask_graph_free(g);
    nothing_is_left_since(before);
}

Test(away, with_keep_going_others_go_on)
{
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    rask_node *nodes[] = {rask_delayed(g, grow_badly, 1), rask_delayed(g, grow_leaves, 0, 10),
                          rask_delayed(g, grow_badly, 2)};
    rask_value results[3];
    rask_report report;
    o.keep_going = true;
    o.report = &report;
    cr_expect_eq(rask_compute_values(nodes, 3, &o, results), RASK_EIO);
    cr_expect_eq(report.failed, 2);
    cr_expect_eq(report.finished, 1);
    cr_expect_eq(report.finished + report.failed + report.skipped, report.tasks);
    rask_graph_free(g);
}

/* -- Ends */

static int wait_for_long(rask_task *t)
{
    atomic_fetch_add(&shared->calls, 1);
    while (!rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_i64(t, 0);
}
RASK_SLOTS(wait_for_long);

static int grow_long(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *parts[4];
    sleep_ms(5);
    for (int i = 0; i < 4; i++)
        parts[i] = rask_delayed(g, wait_for_long);
    return rask_return_node(t, rask_sum(rask_list(g, parts, 4)));
}
RASK_SLOTS(grow_long);

static void *cancel_when_called(void *token)
{
    while (!atomic_load(&shared->calls))
        sleep_ms(1);
    rask_cancel(token);
    return NULL;
}

Test(away, a_run_is_cancelled_though_its_tasks_are_away)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    pthread_t thread;
    int64_t sum;
    o.cancel = rask_cancel_token_new();
    cr_assert_eq(pthread_create(&thread, NULL, cancel_when_called, o.cancel), 0);
    cr_expect_eq(rask_compute_with(rask_delayed(g, grow_long), &o, &sum), RASK_ECANCELLED);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    rask_cancel_token_free(o.cancel);
    rask_graph_free(g);
    nothing_is_left_since(before);
}

Test(away, a_run_out_of_time_ends_though_its_tasks_are_away)
{
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    int64_t sum;
    o.timeout = 0.2;
    cr_expect_eq(rask_compute_with(rask_delayed(g, grow_long), &o, &sum), RASK_ETIMEDOUT);
    rask_graph_free(g);
}

/* The failure of another, while one is away, ends it. */
static int fail_when_called(rask_task *t)
{
    while (!atomic_load(&shared->calls))
        sleep_ms(1);
    return rask_fail(t, RASK_EIO, "enough");
}
RASK_SLOTS(fail_when_called);

Test(away, the_failure_of_another_task_ends_what_is_away)
{
    rask_graph *g = rask_graph_new();
    rask_options o = processes(3);
    rask_node *both[] = {rask_delayed(g, grow_long), rask_delayed(g, fail_when_called)};
    rask_value results[2];
    cr_expect_eq(rask_compute_values(both, 2, &o, results), RASK_EIO);
    cr_expect_not_null(strstr(rask_graph_error(g), "enough"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

/* Ends the worker that grew it, the first time. */
static int64_t deadly_leaf(int64_t number)
{
    if (!number && !atomic_fetch_add(&shared->kills, 1) && atomic_load(&shared->grower) != getpid())
        kill(atomic_load(&shared->grower), SIGKILL);
    sleep_ms(20);
    return number;
}
RASK_TASK(deadly_leaf, i64, i64);

static int grow_deadly(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *leaves[8];
    sleep_ms(5);
    atomic_store(&shared->grower, (int)getpid());
    atomic_fetch_add(&shared->grown, 1);
    for (int64_t i = 0; i < 8; i++)
        leaves[i] = rask_delayed(g, deadly_leaf, i);
    return rask_return_node(t, rask_sum(rask_list(g, leaves, 8)));
}
RASK_SLOTS(grow_deadly);

Test(away, a_task_whose_worker_ends_meanwhile_runs_again)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    rask_node *both[] = {rask_delayed(g, grow_deadly), rask_delayed(g, grow_leaves, 0, 10)};
    cr_expect_eq(compute(rask_sum(rask_list(g, both, 2)), processes(3)), 28 + 45);
    cr_expect_leq(atomic_load(&shared->grown), 4);
    rask_graph_free(g);
    nothing_is_left_since(before);
}

/* Ends the process that it is called in, the first time. */
static int64_t suicidal_leaf(int64_t number)
{
    if (!number && !atomic_fetch_add(&shared->kills, 1))
        raise(SIGKILL);
    return number;
}
RASK_TASK(suicidal_leaf, i64, i64);

static int grow_suicidal(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *leaves[8];
    sleep_ms(5);
    for (int64_t i = 0; i < 8; i++)
        leaves[i] = rask_delayed(g, suicidal_leaf, i);
    return rask_return_node(t, rask_sum(rask_list(g, leaves, 8)));
}
RASK_SLOTS(grow_suicidal);

Test(away, a_grown_call_that_ends_its_process_runs_again)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    cr_expect_eq(compute(rask_delayed(g, grow_suicidal), processes(2)), 28);
    rask_graph_free(g);
    nothing_is_left_since(before);
}

/* -- What nodes carry */

enum { CARRIED = 400000 };

/* (large, where it was made, number): the byte there. */
static int pick(rask_task *t)
{
    rask_bytes bytes = rask_arg_bytes(t, 0);
    int64_t at = rask_arg_i64(t, 2);
    note_process();
    atomic_fetch_add(&shared->copies, (int64_t)((uintptr_t)bytes.data >> 6) != rask_arg_i64(t, 1));
    sleep_ms(2);
    return rask_return_i64(t, (unsigned char)bytes.data[at * 9973 % (int64_t)bytes.len]);
}
RASK_SLOTS(pick);

/* (large): picks from what it made itself, and from what it was given. */
static int grow_picks(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *picks[20];
    rask_value own;
    char *data;
    sleep_ms(5);
    if (rask_value_bytes_alloc(CARRIED, &data, &own))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    for (int i = 0; i < CARRIED; i++)
        data[i] = (char)(i * 7);
    rask_arg made = {.kind = RASK_ARG_VALUE, .as.value = &own},
             given = {.kind = RASK_ARG_VALUE, .as.value = rask_arg_value(t, 0)};
    const char *there = rask_arg_bytes(t, 0).data;
    for (int64_t i = 0; i < 20; i++) {
        const char *at = i % 2 ? there : data; /* no address, or the call would stay there */
        const rask_arg args[] = {i % 2 ? given : made,
                                 {.kind = RASK_ARG_I64, .as.i64 = (int64_t)((uintptr_t)at >> 6)},
                                 {.kind = RASK_ARG_I64, .as.i64 = i}};
        picks[i] = rask_call(g, RASK_DEF(pick), args, 3);
    }
    rask_value_unref(&own);
    return rask_return_node(t, rask_sum(rask_list(g, picks, 20)));
}
RASK_SLOTS(grow_picks);

Test(away, large_constants_go_with_the_nodes_uncopied_and_end_with_them)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    rask_node *all[6];
    int64_t expected = 0;
    rask_options o = processes(3);
    o.memory = 16 << 20;
    for (int64_t i = 0; i < 20; i++)
        expected += i % 2 ? 3 : (unsigned char)(i * 9973 % CARRIED * 7);
    for (int i = 0; i < 6; i++)
        all[i] = rask_delayed(g, grow_picks, rask_delayed(g, large_leaf, 3));
    cr_expect_eq(compute(rask_sum(rask_list(g, all, 6)), o), 6 * expected);
    cr_expect_geq(count_processes(), 2);
    cr_expect_eq(atomic_load(&shared->copies), 0);
    rask_graph_free(g);
    nothing_is_left_since(before);
}

static int64_t add_one(int64_t number)
{
    atomic_fetch_add(&shared->grown, 1);
    return number + 1;
}
RASK_TASK(add_one, i64, i64);

Test(away, a_task_in_the_middle_of_a_unit_goes_and_the_rest_of_the_unit_follows)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    rask_node *last =
        rask_delayed(g, add_one, rask_delayed(g, add_one, rask_delayed(g, grow_leaves, 0, LEAVES)));
    cr_expect_eq(compute(last, processes(3)), LEAVES * (LEAVES - 1) / 2 + 2);
    cr_expect_geq(count_processes(), 2);
    cr_expect_eq(atomic_load(&shared->calls), LEAVES);
    cr_expect_eq(atomic_load(&shared->grown), 3);
    rask_graph_free(g);
    nothing_is_left_since(before);
}

Test(away, a_large_result_in_the_middle_of_a_unit_is_where_the_rest_looks_for_it)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    cr_expect_eq(compute(rask_delayed(g, add_one, rask_delayed(g, weigh, rask_delayed(g, grow_large, 1))),
                         processes(2)),
                 LARGE * 10 + 1);
    rask_graph_free(g);
    nothing_is_left_since(before);
}

/* Tagged, and ends its process the first time. */
static int grow_tagged(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *leaves[8];
    for (int64_t i = 0; i < 8; i++)
        leaves[i] = rask_set_tags(rask_delayed(g, suicidal_leaf, i), "gpu");
    return rask_return_node(t, rask_sum(rask_list(g, leaves, 8)));
}
RASK_SLOTS_WITH(grow_tagged, (.tags = "gpu"));

Test(away, who_ends_its_process_gives_back_what_it_took)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    rask_node *both[] = {rask_delayed(g, grow_tagged), rask_delayed(g, grow_tagged)};
    o.limits = "gpu=1";
    cr_expect_eq(compute(rask_sum(rask_list(g, both, 2)), o), 56);
    cr_expect_geq(atomic_load(&shared->kills), 2);
    rask_graph_free(g);
    nothing_is_left_since(before);
}

/* Does not return the first time; on a slow machine, later calls may be too late as well. */
static int hang_at_first(rask_task *t)
{
    while (!rask_task_attempt(t))
        sleep_ms(1);
    return rask_return_i64(t, 7);
}
RASK_SLOTS_WITH(hang_at_first, (.timeout = 0.1, .retries = 9));

static int grow_hanging(rask_task *t)
{
    return rask_return_node(t, rask_delayed(rask_task_graph(t), hang_at_first));
}
RASK_SLOTS_WITH(grow_hanging, (.timeout = 20));

Test(away, a_grown_call_that_does_not_return_in_time_is_ended_and_repeated)
{
    for (uint32_t workers = 1; workers <= 2; workers++) {
        rask_graph *g = rask_graph_new();
        cr_expect_eq(compute(rask_delayed(g, grow_hanging), processes(workers)), 7);
        rask_graph_free(g);
    }
}

/* What cannot leave its process stays there, unless others would have to count it. */
static int64_t look_at(int64_t address)
{
    return *(const int64_t *)(uintptr_t)address;
}
RASK_TASK(look_at, i64, i64);

static int grow_address(rask_task *t)
{
    static int64_t number;
    rask_graph *g = rask_task_graph(t);
    number = 11;
    sleep_ms(5);
    rask_node *node = rask_delayed(g, look_at, (int64_t)(uintptr_t)&number);
    return rask_return_node(t, rask_arg_i64(t, 0) ? rask_set_tags(node, "gpu") : node);
}
RASK_SLOTS(grow_address);

Test(away, an_address_stays_where_it_means_something_and_cannot_be_counted)
{
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    int64_t sum;
    o.limits = "gpu=1";
    cr_expect_eq(compute(rask_delayed(g, grow_address, 0), o), 11);
    cr_expect_eq(rask_compute_with(rask_delayed(g, grow_address, 1), &o, &sum), RASK_EUNSUPPORTED);
    cr_expect_not_null(strstr(rask_graph_error(g), "may be addresses of memory"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}
