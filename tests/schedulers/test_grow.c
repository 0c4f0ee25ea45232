/* Tasks that answer with nodes: graphs that grow while they run, in clients and in computes, on every scheduler. */
#include "growing.h"
#include "leftovers.h"

#include <pthread.h>
#include <stdlib.h>

/* (steps): 42 after so many tail calls. */
static int tail(rask_task *t);
RASK_SLOTS(tail);

static int tail(rask_task *t)
{
    int64_t steps = rask_arg_i64(t, 0);
    if (steps < 0)
        return rask_fail(t, RASK_EIO, "went below zero");
    return steps ? rask_return_node(t, rask_delayed(rask_task_graph(t), tail, steps - 1))
                 : rask_return_i64(t, 42);
}

/* (counts, n): Fibonacci numbers, each once. */
static int fib(rask_task *t);
RASK_SLOTS_WITH(fib, (.flags = RASK_PURE));

static int fib(rask_task *t)
{
    counts *c = counts_of(t);
    int64_t n = rask_arg_i64(t, 1);
    atomic_fetch_add(&c->calls[n], 1);
    if (n < 2)
        return rask_return_i64(t, n);
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t, rask_delayed(g, add, rask_delayed(g, fib, address(c), n - 1),
                                            rask_delayed(g, fib, address(c), n - 2)));
}

/* Both ways to the same answer. */
static int64_t compute(rask_options o, rask_node *node)
{
    int64_t i = -1;
    cr_assert_eq(rask_compute_with(node, &o, &i), RASK_OK, "%s: %s", o.scheduler,
                 rask_graph_error(rask_node_graph(node)));
    return i;
}

Test(grow, a_tree_grows_to_its_sum)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        leftovers before = look_around();
        rask_graph *g = rask_graph_new();
        cr_assert_eq(compute(setup(i), rask_delayed(g, tree, 12)), 4096);
        cr_assert_eq(submit(setup(i), rask_delayed(g, tree, 12)), 4096);
        rask_graph_free(g);
        nothing_is_left_since(before);
    }
}

Test(grow, tail_calls_are_as_many_as_one_likes)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        cr_assert_eq(compute(setup(i), rask_delayed(g, tail, 100000)), 42);
        cr_assert_eq(submit(setup(i), rask_delayed(g, tail, 100000)), 42);
        rask_graph_free(g);
    }
}

Test(grow, equal_pure_calls_are_one)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        cr_assert_eq(compute(setup(i), rask_delayed(g, fib, address(c), 80)), 23416728348467685);
        for (int n = 0; n <= 80; n++)
            cr_assert_eq(atomic_load(&c->calls[n]), 1, "fib(%d) was called %d times on %s", n,
                         atomic_load(&c->calls[n]), setup(i).scheduler);
        rask_graph_free(g);
        free_counts(c);
    }
}

Test(grow, what_was_grown_is_fused_and_taken_like_any_result)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_node *node = rask_delayed(g, tree, 3), *nodes[50];
        for (int k = 0; k < 5; k++)
            node = rask_delayed(g, add, node, 1);
        for (int k = 0; k < 50; k++)
            nodes[k] = rask_delayed(g, add, rask_delayed(g, tail, k), node);
        cr_assert_eq(compute(setup(i), rask_sum(rask_list(g, nodes, 50))), 50 * (42 + 13));
        rask_graph_free(g);
    }
}

Test(grow, a_failure_within_is_the_tasks_failure)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        rask_client *client;
        rask_graph *g = rask_graph_new();
        int64_t none = 5;
        rask_node *node = rask_delayed(g, add, rask_delayed(g, add, rask_delayed(g, tail, -1), 1), 1);
        cr_assert_eq(rask_compute_with(node, &o, &none), RASK_EIO);
        cr_assert_not_null(strstr(rask_graph_error(g), "went below zero"), "%s", rask_graph_error(g));
        cr_assert_not_null(strstr(rask_graph_error(g), "needed by add"), "%s", rask_graph_error(g));
        cr_assert_eq(rask_client_open(&o, &client), RASK_OK);
        rask_future *future = rask_submit(client, node);
        cr_assert_eq(rask_future_get(future, &none), RASK_EIO);
        cr_assert_not_null(strstr(rask_future_error(future), "went below zero; needed by add"), "%s",
                           rask_future_error(future));
        rask_future_unref(future);
        rask_client_close(client);
        rask_graph_free(g);
    }
}

/* (counts): fails twice after building, then returns a node. */
static int build_and_fail(rask_task *t)
{
    counts *c = counts_of(t);
    rask_graph *g = rask_task_graph(t);
    rask_node *node = rask_delayed(g, tail, 3);
    cr_assert_eq(rask_graph_size(g), 1, "nothing of an earlier attempt is there");
    int64_t attempt = atomic_fetch_add(&c->calls[0], 1);
    cr_assert_eq(rask_return_node(t, node), 0);
    return attempt < 2 ? rask_fail(t, RASK_EIO, "not yet") : RASK_OK;
}
RASK_SLOTS_WITH(build_and_fail, (.retries = 3));

Test(grow, a_retried_task_begins_with_nothing)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        cr_assert_eq(compute(setup(i), rask_delayed(g, build_and_fail, address(c))), 42);
        cr_assert_eq(atomic_load(&c->calls[0]), 3);
        atomic_store(&c->calls[0], 0);
        cr_assert_eq(submit(setup(i), rask_delayed(g, build_and_fail, address(c))), 42);
        cr_assert_eq(atomic_load(&c->calls[0]), 3);
        rask_graph_free(g);
        free_counts(c);
    }
}

/* (counts, n): the sum of n ones; what is built beside it is never called. */
static int64_t one(int64_t c)
{
    atomic_fetch_add(&((counts *)(intptr_t)c)->calls[1], 1);
    return 1;
}
RASK_TASK(one, i64, i64);

static int add_up(rask_task *t)
{
    counts *c = counts_of(t);
    int64_t n = rask_arg_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    rask_node *ones[CLIENT_PLACES];
    for (int64_t i = 0; i < n; i++) {
        ones[i] = rask_delayed(g, one, address(c));
        rask_delayed(g, add, ones[i], ones[0]);
    }
    if (n == CLIENT_PLACES)
        rask_set_label(ones[0], "by name");
    return rask_return_node(t, rask_sum(rask_list(g, ones, (size_t)n)));
}
RASK_SLOTS(add_up);

Test(grow, nodes_few_or_many_begin_where_others_grew_before)
{
    const int64_t sizes[] = {1, 40, 2, CLIENT_PLACES, 3, 100, 1};
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        int64_t all = 0;
        rask_node *sums[sizeof sizes / sizeof *sizes];
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            sums[k] = rask_delayed(g, add_up, address(c), sizes[k]);
            all += sizes[k];
        }
        rask_node *sum = rask_sum(rask_list(g, sums, sizeof sizes / sizeof *sizes));
        cr_assert_eq(compute(setup(i), sum), all);
        cr_assert_eq(submit(setup(i), sum), all);
        cr_assert_eq(atomic_load(&c->calls[1]), 2 * all, "each once, and nothing that nobody needs");
        rask_graph_free(g);
        free_counts(c);
    }
}

static rask_node *stranger;

static int return_strange(rask_task *t)
{
    return rask_return_node(t, rask_arg_i64(t, 0) ? stranger : NULL);
}
RASK_SLOTS(return_strange);

static int return_unbuilt(rask_task *t)
{
    return rask_return_node(t,
                            rask_delayed(rask_task_graph(t), add, rask_const(rask_task_graph(t), "text"), 1));
}
RASK_SLOTS(return_unbuilt);

Test(grow, what_is_no_node_of_the_tasks_own_graph_is_a_failure_that_says_so)
{
    rask_graph *g = rask_graph_new();
    rask_options o = threads(2);
    int64_t none;
    stranger = rask_delayed(g, add, 1, 2);
    cr_assert_eq(rask_compute_with(rask_delayed(g, return_strange, 1), &o, &none), RASK_EINVAL);
    cr_assert_not_null(strstr(rask_graph_error(g), "another graph"), "%s", rask_graph_error(g));
    cr_assert_eq(rask_compute_with(rask_delayed(g, return_strange, 0), &o, &none), RASK_EINVAL);
    cr_assert_not_null(strstr(rask_graph_error(g), "NULL node"), "%s", rask_graph_error(g));
    cr_assert_eq(rask_compute_with(rask_delayed(g, return_unbuilt), &o, &none), RASK_ETYPE);
    cr_assert_not_null(strstr(rask_graph_error(g), "argument 0 is bytes"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

/* A constant, and a list of what grew. */
static int return_constant(rask_task *t)
{
    return rask_return_node(t, rask_const(rask_task_graph(t), "hello"));
}
RASK_SLOTS(return_constant);

static int return_list(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *nodes[] = {rask_delayed(g, return_constant), rask_delayed(g, tree, 2), rask_const(g, 2.5)};
    return rask_return_node(t, rask_list(g, nodes, 3));
}
RASK_SLOTS(return_list);

Test(grow, any_value_may_grow)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        rask_graph *g = rask_graph_new();
        rask_value value;
        const rask_value *items;
        size_t n;
        rask_bytes text;
        cr_assert_eq(rask_compute_with(rask_delayed(g, return_list), &o, &value), RASK_OK);
        cr_assert_eq(rask_value_get_list(&value, &items, &n), RASK_OK);
        cr_assert_eq(n, 3);
        cr_assert_eq(rask_value_get_bytes(&items[0], &text), RASK_OK);
        cr_assert_str_eq(text.data, "hello");
        cr_assert_eq(items[1].as.i64, 4);
        cr_assert_eq(items[2].as.f64, 2.5);
        rask_value_unref(&value);
        rask_graph_free(g);
    }
}

/* (counts): grows for ever. */
static int weed(rask_task *t);
RASK_SLOTS(weed);

static int weed(rask_task *t)
{
    counts *c = counts_of(t);
    rask_graph *g = rask_task_graph(t);
    atomic_fetch_add(&c->calls[0], 1);
    return rask_return_node(
        t, rask_delayed(g, add, rask_delayed(g, weed, address(c)), rask_delayed(g, tail, 10)));
}

static void *pull(void *context)
{
    void **what = context;
    counts *c = what[0];
    while (atomic_load(&c->calls[0]) < 100)
        sleep_ms(1);
    rask_cancel(what[1]);
    return NULL;
}

Test(grow, what_grows_for_ever_can_be_cancelled)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        int64_t none;
        pthread_t puller;
        void *what[2] = {c, o.cancel = rask_cancel_token_new()};
        pthread_create(&puller, NULL, pull, what);
        cr_assert_eq(rask_compute_with(rask_delayed(g, weed, address(c)), &o, &none), RASK_ECANCELLED);
        pthread_join(puller, NULL);
        rask_cancel_token_free(o.cancel);
        rask_graph_free(g);
        free_counts(c);
    }
}

Test(grow, a_future_that_grows_for_ever_can_be_cancelled)
{
    for (uint32_t workers = 1; workers < 4; workers++) {
        rask_options o = threads(workers);
        rask_client *client;
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        cr_assert_eq(rask_client_open(&o, &client), RASK_OK);
        rask_future *future = rask_submit(client, rask_delayed(g, weed, address(c)));
        while (atomic_load(&c->calls[0]) < 100)
            sleep_ms(1);
        cr_assert(rask_future_cancel(future));
        cr_assert_eq(rask_client_drain(client, -1), RASK_OK);
        cr_assert_eq(rask_future_result(future, NULL), RASK_ECANCELLED);
        rask_future_unref(future);
        rask_client_close(client);
        rask_graph_free(g);
        free_counts(c);
    }
}

Test(grow, with_keep_going_the_others_are_done)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        rask_report report;
        rask_graph *g = rask_graph_new();
        rask_node *nodes[20];
        rask_value none[20];
        o.keep_going = true;
        o.report = &report;
        for (int k = 0; k < 20; k++)
            nodes[k] = rask_delayed(g, tail, k % 5 ? 7 : -1);
        cr_assert_eq(rask_compute_values(nodes, 20, &o, none), RASK_EIO);
        cr_assert_eq(report.finished, 16);
        cr_assert_eq(report.failed, 4);
        rask_graph_free(g);
    }
}

/* (depth, bytes): texts of so many bytes, joined as a tree: so many times 2^depth. */
static int texts(rask_task *t);
RASK_SLOTS(texts);

static int join(rask_task *t)
{
    rask_bytes a = rask_arg_bytes(t, 0), b = rask_arg_bytes(t, 1);
    char *both = malloc(a.len + b.len);
    memcpy(both, a.data, a.len);
    memcpy(both + a.len, b.data, b.len);
    int status = rask_return_bytes(t, both, a.len + b.len);
    free(both);
    return status;
}
RASK_SLOTS(join);

static int texts(rask_task *t)
{
    static const char text[100000];
    int64_t depth = rask_arg_i64(t, 0), bytes = rask_arg_i64(t, 1);
    if (!depth)
        return rask_return_bytes(t, text, (size_t)bytes);
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t, rask_delayed(g, join, rask_delayed(g, texts, depth - 1, bytes),
                                            rask_delayed(g, texts, depth - 1, bytes)));
}

Test(grow, results_that_grew_are_counted_and_released)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        rask_report report;
        rask_graph *g = rask_graph_new();
        o.report = &report;
        rask_value all;
        rask_node *root = rask_delayed(g, texts, 6, 100000);
        cr_assert_eq(rask_compute_values(&root, 1, &o, &all), RASK_OK, "%s", rask_graph_error(g));
        rask_bytes bytes = {NULL, 0};
        cr_assert_eq(rask_value_get_bytes(&all, &bytes), RASK_OK);
        cr_expect_eq(bytes.len, 6400000);
        cr_expect_eq(report.live_bytes, 0);
        cr_expect_geq(report.peak_bytes, 6400000);
        rask_value_unref(&all);
        rask_graph_free(g);
    }
}

enum { TOGETHER = 8 };

static atomic_int met;

/* Returns when all have begun. */
static int64_t meet_all(int64_t i)
{
    atomic_fetch_add(&met, 1);
    while (atomic_load(&met) < TOGETHER)
        sleep_ms(1);
    return i;
}
RASK_TASK(meet_all, i64, i64);

static int grow_meeting(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[TOGETHER];
    for (int64_t i = 0; i < TOGETHER; i++)
        all[i] = rask_delayed(g, meet_all, i);
    return rask_return_node(t, rask_sum(rask_list(g, all, TOGETHER)));
}
RASK_SLOTS_WITH(grow_meeting, (.tags = "gpu"));

/* In place of its task, and while that is put off. */
Test(grow, what_is_ready_at_once_runs_on_all_workers, .timeout = 60)
{
    rask_graph *g = rask_graph_new();
    for (int i = 0; i < 2; i++) {
        rask_options o = threads(TOGETHER);
        rask_node *node = rask_set_tags(rask_delayed(g, grow_meeting), i ? "gpu" : "");
        int64_t sum = 0;
        o.limits = "gpu=1";
        atomic_store(&met, 0);
        cr_assert_eq(rask_compute_with(node, &o, &sum), RASK_OK, "%s", rask_graph_error(g));
        cr_expect_eq(sum, TOGETHER * (TOGETHER - 1) / 2);
    }
    rask_graph_free(g);
}
