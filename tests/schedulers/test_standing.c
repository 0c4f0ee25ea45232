/* Clients on processes: calls go to worker processes that stand by. What futures mean is tested with those of all schedulers
 * (test_futures); here is what only processes can do, and do wrong. */
#include "leftovers.h"
#include "support.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Made before any worker is forked. */
typedef struct counts {
    atomic_int calls, begun;
    atomic_intptr_t address;
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

TestSuite(standing, .init = begin, .fini = end);

static rask_client *open_client(uint32_t workers)
{
    rask_client *client = NULL;
    rask_options o = processes(workers);
    cr_assert_eq(rask_client_open(&o, &client), RASK_OK);
    return client;
}

/* Submits the node, and its graph ends. */
static rask_future *submit(rask_client *client, rask_graph *g, rask_node *node)
{
    rask_future *future = rask_submit(client, node);
    cr_assert_not_null(future);
    rask_graph_free(g);
    return future;
}

static int64_t result_of(rask_future *future)
{
    int64_t i = -1;
    cr_assert_eq(rask_future_get(future, &i), RASK_OK, "%s", rask_future_error(future));
    rask_future_unref(future);
    return i;
}

static int64_t process_of(int64_t nothing)
{
    return getpid() + 0 * nothing;
}
RASK_TASK(process_of, i64, i64);

static int64_t ask_process(rask_client *client)
{
    rask_graph *g = rask_graph_new();
    return result_of(submit(client, g, rask_delayed(g, process_of, 0)));
}

Test(standing, calls_of_a_thread_go_to_one_process)
{
    leftovers before = look_around();
    rask_client *client = open_client(1);
    int64_t first = ask_process(client);
    cr_assert_neq(first, getpid());
    for (int i = 0; i < 100; i++)
        cr_assert_eq(ask_process(client), first);
    rask_client_close(client);
    nothing_is_left_since(before);
}

/* Returns when so many have come. */
static int meet(rask_task *t)
{
    atomic_fetch_add(&shared->begun, 1);
    while (atomic_load(&shared->begun) < rask_arg_i64(t, 0))
        sleep_ms(1);
    return rask_return_i64(t, getpid());
}
RASK_SLOTS(meet);

Test(standing, all_workers_call_at_once)
{
    rask_client *client = open_client(3);
    rask_graph *g = rask_graph_new();
    rask_future *futures[3];
    int64_t process[3];
    for (int i = 0; i < 3; i++)
        futures[i] = rask_submit(client, rask_delayed(g, meet, 3));
    for (int i = 0; i < 3; i++)
        process[i] = result_of(futures[i]);
    cr_expect(process[0] != process[1] && process[1] != process[2] && process[0] != process[2]);
    rask_graph_free(g);
    rask_client_close(client);
}

/* -- Values */

enum { LARGE = 1 << 20 };

static char pattern(int64_t number, size_t at)
{
    return (char)(number * 31 + (int64_t)at);
}

/* (number): a lot of bytes, and where they are. */
static int make_bytes(rask_task *t)
{
    char *data;
    rask_value value;
    if (rask_value_bytes_alloc(LARGE, &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    for (size_t i = 0; i < LARGE; i += 97)
        data[i] = pattern(rask_arg_i64(t, 0), i);
    atomic_store(&shared->address, (intptr_t)data);
    return rask_return_value(t, value);
}
RASK_SLOTS(make_bytes);

/* (bytes, number): they are what make_bytes() gave. */
static int check_bytes(rask_task *t)
{
    rask_bytes bytes = rask_arg_bytes(t, 0);
    for (size_t i = 0; i < bytes.len; i += 97)
        if (bytes.data[i] != pattern(rask_arg_i64(t, 1), i))
            return rask_fail(t, RASK_ETASK, "a byte is another");
    return rask_return_i64(t, (int64_t)bytes.len);
}
RASK_SLOTS(check_bytes);

Test(standing, large_results_are_read_where_they_were_written_and_outlive_the_client)
{
    leftovers before = look_around();
    rask_client *client = open_client(1);
    rask_graph *g = rask_graph_new();
    rask_future *future = submit(client, g, rask_delayed(g, make_bytes, 5));
    rask_value value;
    rask_bytes bytes;
    cr_assert_eq(rask_future_result(future, &value), RASK_OK);
    rask_future_unref(future);
    rask_client_close(client);
    cr_assert_eq(rask_value_get_bytes(&value, &bytes), RASK_OK);
    cr_expect_eq((intptr_t)bytes.data, atomic_load(&shared->address));
    for (size_t i = 0; i < bytes.len; i += 97)
        cr_assert_eq(bytes.data[i], pattern(5, i));
    rask_value_unref(&value);
    nothing_is_left_since(before);
}

Test(standing, memory_of_results_that_nobody_has_any_more_is_used_again)
{
    rask_client *client = open_client(1);
    intptr_t places[4] = {0};
    int different = 0;
    for (int64_t i = 0; i < 300; i++) {
        rask_graph *g = rask_graph_new();
        rask_node *bytes = rask_delayed(g, make_bytes, i);
        cr_assert_eq(result_of(submit(client, g, rask_delayed(g, check_bytes, bytes, i))), LARGE);
        intptr_t at = atomic_load(&shared->address);
        int k = 0;
        while (k < different && places[k] != at)
            k++;
        cr_assert_lt(k, 4, "results go to more and more places");
        places[k] = at;
        different += k == different;
    }
    rask_client_close(client);
}

static void free_number(void *data)
{
    free(data);
}

/* Its values stay in the process that made them. */
static const rask_class private_class = {.name = "private", .destroy = free_number};

static int open_private(rask_task *t)
{
    const int64_t *number = rask_arg_custom(t, 0, &private_class);
    return rask_return_i64(t, number ? *number : 0);
}
RASK_SLOTS(open_private);

Test(standing, what_cannot_travel_is_called_in_a_process_of_its_own)
{
    rask_client *client = open_client(1);
    int64_t *number = malloc(sizeof *number);
    rask_value value;
    (void)ask_process(client); /* it was forked before this: */
    *number = 42;
    cr_assert_eq(rask_value_custom_new(&private_class, number, &value), RASK_OK);
    rask_graph *g = rask_graph_new();
    const rask_arg arg = {.kind = RASK_ARG_VALUE, .as.value = &value};
    rask_future *future = submit(client, g, rask_call(g, RASK_DEF(open_private), &arg, 1));
    cr_expect_eq(result_of(future), 42);
    rask_value_unref(&value);
    rask_client_close(client);
}

static int fail_in_private(rask_task *t)
{
    atomic_fetch_add(&shared->calls, 1);
    return rask_fail(t, RASK_EIO, "once more");
}
RASK_SLOTS_WITH(fail_in_private, (.retries = 2, .backoff = 0.001));

Test(standing, what_rests_between_processes_of_its_own_is_called_as_often_as_its_definition_says)
{
    rask_client *client = open_client(1);
    rask_value value;
    cr_assert_eq(rask_value_custom_new(&private_class, malloc(1), &value), RASK_OK);
    rask_graph *g = rask_graph_new();
    const rask_arg arg = {.kind = RASK_ARG_VALUE, .as.value = &value};
    rask_future *future = submit(client, g, rask_call(g, RASK_DEF(fail_in_private), &arg, 1));
    cr_expect_eq(rask_future_result(future, NULL), RASK_EIO);
    cr_expect_eq(atomic_load(&shared->calls), 3);
    rask_future_unref(future);
    rask_value_unref(&value);
    rask_client_close(client);
}

Test(standing, a_definition_that_was_made_at_run_time_is_called_in_a_process_of_its_own)
{
    rask_client *client = open_client(1);
    int64_t standing = ask_process(client);
    rask_task_def *def = malloc(sizeof *def);
    *def = *RASK_DEF(process_of);
    rask_graph *g = rask_graph_new();
    const rask_arg arg = {.kind = RASK_ARG_I64};
    cr_expect_neq(result_of(submit(client, g, rask_call(g, def, &arg, 1))), standing);
    rask_client_close(client);
    free(def);
}

static int process_here(rask_task *t)
{
    return rask_return_i64(t, getpid());
}
RASK_SLOTS_WITH(process_here, (.flags = RASK_HERE));

Test(standing, what_runs_in_the_programs_own_process_only_runs_there)
{
    rask_client *client = open_client(1);
    rask_graph *g = rask_graph_new();
    cr_expect_neq(ask_process(client), getpid());
    cr_expect_eq(result_of(submit(client, g, rask_delayed(g, process_here))), getpid());
    rask_client_close(client);
}

static int64_t read_at(int64_t address)
{
    return *(const int64_t *)(intptr_t)address;
}
RASK_TASK(read_at, i64, i64);

Test(standing, a_pointer_that_is_passed_as_a_number_is_followed_to_what_is_there_at_the_call)
{
    rask_client *client = open_client(1);
    int64_t *number = malloc(sizeof *number);
    *number = 1;
    (void)ask_process(client); /* it was forked before this: */
    for (*number = 2; *number < 5; ++*number) {
        rask_graph *g = rask_graph_new();
        cr_expect_eq(result_of(submit(client, g, rask_delayed(g, read_at, (int64_t)(intptr_t)number))),
                     *number);
    }
    rask_client_close(client);
    free(number);
}

/* -- Failures */

static int fail(rask_task *t)
{
    char text[64];
    snprintf(text, sizeof text, "no luck in process %d", (int)getpid());
    return rask_fail(t, RASK_EIO, text);
}
RASK_SLOTS(fail);

Test(standing, a_failure_is_told_with_its_message_and_ends_no_process)
{
    rask_client *client = open_client(1);
    int64_t process = ask_process(client);
    rask_graph *g = rask_graph_new();
    rask_future *future = submit(client, g, rask_delayed(g, fail));
    char text[64];
    snprintf(text, sizeof text, "no luck in process %d", (int)process);
    cr_expect_eq(rask_future_wait(future, -1), RASK_OK);
    cr_expect_eq(rask_future_result(future, NULL), RASK_EIO);
    cr_expect_not_null(strstr(rask_future_error(future), text), "%s", rask_future_error(future));
    rask_future_unref(future);
    cr_expect_eq(ask_process(client), process);
    rask_client_close(client);
}

static int crash(rask_task *t)
{
    signal(SIGSEGV, SIG_DFL); /* sanitizers have a handler that exits */
    raise(SIGSEGV);
    return rask_return_i64(t, 0);
}
RASK_SLOTS(crash);

Test(standing, a_crash_is_told_by_task_and_signal_and_the_next_call_goes_well)
{
    leftovers before = look_around();
    rask_client *client = open_client(1);
    rask_graph *g = rask_graph_new();
    rask_future *future = submit(client, g, rask_delayed(g, crash));
    cr_expect_eq(rask_future_result(future, NULL), RASK_EDIED);
    const char *text = rask_future_error(future);
    cr_expect(strstr(text, "crash") && strstr(text, "SIGSEGV"), "%s", text);
    rask_future_unref(future);
    cr_expect_gt(ask_process(client), 0);
    rask_client_close(client);
    nothing_is_left_since(before);
}

Test(standing, a_process_that_was_killed_meanwhile_is_replaced)
{
    leftovers before = look_around();
    rask_client *client = open_client(1);
    int64_t last = ask_process(client);
    for (int i = 0; i < 10; i++) {
        kill((pid_t)last, SIGKILL);
        int64_t next = ask_process(client);
        cr_assert_neq(next, last);
        last = ask_process(client);
    }
    rask_client_close(client);
    nothing_is_left_since(before);
}

/* Kills its process the first time. */
static int die_once(rask_task *t)
{
    if (!atomic_fetch_add(&shared->calls, 1))
        raise(SIGKILL);
    return rask_return_i64(t, 7);
}
RASK_SLOTS(die_once);

Test(standing, a_call_whose_process_was_killed_is_made_again)
{
    rask_client *client = open_client(1);
    rask_graph *g = rask_graph_new();
    cr_expect_eq(result_of(submit(client, g, rask_delayed(g, die_once))), 7);
    cr_expect_eq(atomic_load(&shared->calls), 2);
    rask_client_close(client);
}

/* Never returns, but for the second time. */
static int hang_once(rask_task *t)
{
    while (!atomic_fetch_add(&shared->calls, 1))
        sleep_ms(100000);
    return rask_return_i64(t, 8);
}
RASK_SLOTS(hang_once);

Test(standing, a_task_that_hangs_is_ended_after_its_time)
{
    rask_client *client = open_client(1);
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_set_timeout(rask_delayed(g, hang_once), 0.1);
    rask_future *future = submit(client, g, node);
    cr_expect_eq(rask_future_result(future, NULL), RASK_ETIMEDOUT);
    cr_expect_not_null(strstr(rask_future_error(future), "0.1 seconds"), "%s", rask_future_error(future));
    rask_future_unref(future);
    cr_expect_gt(ask_process(client), 0);
    rask_client_close(client);
}

/* On a slow machine, later calls may be too late as well. */
Test(standing, a_task_that_hangs_is_called_again_when_it_may_be)
{
    rask_client *client = open_client(1);
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_set_retries(rask_set_timeout(rask_delayed(g, hang_once), 0.1), 9);
    cr_expect_eq(result_of(submit(client, g, node)), 8);
    cr_expect_geq(atomic_load(&shared->calls), 2);
    rask_client_close(client);
}

/* Hangs, and is killed for its time; and then dies. First attempts are counted. */
static int hang_and_die(rask_task *t)
{
    atomic_fetch_add(&shared->calls, !rask_task_attempt(t));
    while (!rask_task_attempt(t))
        sleep_ms(100000);
    raise(SIGKILL);
    return rask_return_i64(t, 0);
}
RASK_SLOTS(hang_and_die);

/* On a slow machine, the first may be over before it is called, and later ones be too late as well. */
Test(standing, attempts_that_were_made_are_not_made_again_elsewhere)
{
    rask_client *client = open_client(1);
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_set_retries(rask_set_timeout(rask_delayed(g, hang_and_die), 0.1), 9);
    rask_future *future = submit(client, g, node);
    cr_expect_eq(rask_future_result(future, NULL), RASK_EDIED, "%s", rask_future_error(future));
    cr_expect_leq(atomic_load(&shared->calls), 1);
    rask_future_unref(future);
    rask_client_close(client);
}

/* Whatever it is told. */
static int stay(rask_task *t)
{
    atomic_fetch_add(&shared->begun, 1);
    while (atomic_load(&shared->begun))
        sleep_ms(1000);
    return rask_return_i64(t, 0);
}
RASK_SLOTS(stay);

Test(standing, a_cancelled_task_that_does_not_end_is_ended_after_its_grace)
{
    leftovers before = look_around();
    rask_client *client = open_client(1);
    rask_graph *g = rask_graph_new();
    rask_future *future = submit(client, g, rask_delayed(g, stay));
    while (!atomic_load(&shared->begun))
        sleep_ms(1);
    rask_future_cancel(future);
    cr_expect_eq(rask_future_result(future, NULL), RASK_ECANCELLED);
    rask_future_unref(future);
    cr_expect_gt(ask_process(client), 0);
    rask_client_close(client);
    nothing_is_left_since(before);
}

/* -- What calls grow */

/* One that was called here: (leaf) → the process, after a while, so that others come. */
static int64_t leaf(int64_t nothing)
{
    (void)nothing;
    atomic_fetch_add(&shared->calls, 1);
    sleep_ms(2);
    return getpid();
}
RASK_TASK(leaf, i64, i64);

static int grow_leaves(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *leaves[40];
    for (int64_t i = 0; i < 40; i++)
        leaves[i] = rask_delayed(g, leaf, i);
    return rask_return_node(t, rask_list(g, leaves, 40));
}
RASK_SLOTS(grow_leaves);

/* How many processes made the leaves that the node comes to. */
static size_t count_processes(rask_client *client, rask_graph *g, rask_node *node)
{
    rask_future *future = submit(client, g, node);
    rask_value list;
    const rask_value *items;
    int64_t first, process;
    size_t count, others = 0;
    cr_assert_eq(rask_future_result(future, &list), RASK_OK, "%s", rask_future_error(future));
    cr_assert_eq(rask_value_get_list(&list, &items, &count), RASK_OK);
    cr_assert_eq(rask_value_get_i64(&items[0], &first), RASK_OK);
    for (size_t i = 1; i < count; i++) {
        cr_assert_eq(rask_value_get_i64(&items[i], &process), RASK_OK);
        others += process != first;
    }
    rask_value_unref(&list);
    rask_future_unref(future);
    return others ? 2 : 1;
}

Test(standing, what_a_call_grows_is_made_by_all_processes)
{
    leftovers before = look_around();
    rask_client *client = open_client(2);
    rask_graph *g = rask_graph_new();
    cr_expect_eq(count_processes(client, g, rask_delayed(g, grow_leaves)), 2);
    cr_expect_eq(atomic_load(&shared->calls), 40);
    rask_client_close(client);
    nothing_is_left_since(before);
}

/* A constant that means nothing elsewhere. */
static int leaf_at(rask_task *t)
{
    atomic_fetch_add(&shared->calls, *(const int *)(intptr_t)rask_arg_i64(t, 0));
    sleep_ms(2);
    return rask_return_i64(t, getpid());
}
RASK_SLOTS(leaf_at);

static int grow_leaves_at(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *leaves[20];
    int *own = malloc(1 << 20); /* mapped by this process alone; for as long as that lives */
    *own = 3;
    for (int64_t i = 0; i < 20; i++)
        leaves[i] = rask_delayed(g, leaf_at, (int64_t)(intptr_t)own);
    return rask_return_node(t, rask_list(g, leaves, 20));
}
RASK_SLOTS(grow_leaves_at);

Test(standing, what_cannot_travel_is_made_where_it_grew)
{
    rask_client *client = open_client(2);
    rask_graph *g = rask_graph_new();
    cr_expect_eq(count_processes(client, g, rask_delayed(g, grow_leaves_at)), 1);
    cr_expect_eq(atomic_load(&shared->calls), 60);
    rask_client_close(client);
}

/* (depth) → calls that grow in turn, each of two: 2^depth leaves. */
static int grow_tree(rask_task *t);
RASK_SLOTS(grow_tree);
static int grow_tree(rask_task *t)
{
    int64_t depth = rask_arg_i64(t, 0);
    rask_graph *g = rask_task_graph(t);
    atomic_fetch_add(&shared->calls, 1);
    if (!depth)
        return rask_return_i64(t, 1);
    rask_node *halves[2];
    for (int i = 0; i < 2; i++)
        halves[i] = rask_delayed(g, grow_tree, depth - 1);
    return rask_return_node(t, rask_sum(rask_list(g, halves, 2)));
}

Test(standing, trees_grow_here_and_there_and_each_call_is_made_once)
{
    leftovers before = look_around();
    rask_client *client = open_client(3);
    rask_graph *g = rask_graph_new();
    cr_expect_eq(result_of(submit(client, g, rask_delayed(g, grow_tree, 13))), 1 << 13);
    cr_expect_eq(atomic_load(&shared->calls), (1 << 14) - 1);
    rask_client_close(client);
    nothing_is_left_since(before);
}

static int grow_badly(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *parts[2] = {rask_delayed(g, process_of, 1), rask_delayed(g, hang_once)};
    rask_set_timeout(parts[1], 0.1);
    return rask_return_node(t, rask_sum(rask_list(g, parts, 2)));
}
RASK_SLOTS(grow_badly);

Test(standing, what_grown_calls_fail_of_is_told)
{
    rask_client *client = open_client(2);
    rask_graph *g = rask_graph_new();
    rask_future *future = submit(client, g, rask_delayed(g, grow_badly));
    cr_expect_eq(rask_future_result(future, NULL), RASK_ETIMEDOUT);
    cr_expect_not_null(strstr(rask_future_error(future), "hang_once"), "%s", rask_future_error(future));
    rask_future_unref(future);
    rask_client_close(client);
}

Test(standing, a_stopped_process_is_replaced)
{
    rask_client *client = open_client(1);
    int64_t process = ask_process(client);
    kill((pid_t)process, SIGSTOP);
    cr_expect_neq(ask_process(client), process);
    rask_client_close(client);
}
