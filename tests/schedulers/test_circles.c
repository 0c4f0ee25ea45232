/* Pure calls that grow each other: those that wait for themselves fail, whatever lies between, and no others do. */
#include "clients.h"

#include <pthread.h>

/* (number, of): of so many in a ring each grows the next. */
static int ring(rask_task *t);
RASK_SLOTS_WITH(ring, (.flags = RASK_PURE));

static int ring(rask_task *t)
{
    int64_t number = rask_arg_i64(t, 0), of = rask_arg_i64(t, 1);
    return rask_return_node(t, rask_delayed(rask_task_graph(t), ring, (number + 1) % of, of));
}

/* (one): as ping and pong. */
static int ping(rask_task *t);
static int pong(rask_task *t);
RASK_SLOTS_WITH(ping, (.flags = RASK_PURE));
RASK_SLOTS_WITH(pong, (.flags = RASK_PURE));

static int ping(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t, rask_delayed(g, add, rask_delayed(g, pong, rask_arg_i64(t, 0)), 1));
}

static int pong(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t, rask_delayed(g, add, rask_delayed(g, ping, rask_arg_i64(t, 0)), 1));
}

static void must_be_circle(rask_future *future, const char *names)
{
    cr_assert_eq(rask_future_result(future, NULL), RASK_ECYCLE, "%s", rask_future_error(future));
    cr_expect(strstr(rask_future_error(future), names), "%s", rask_future_error(future));
    rask_future_unref(future);
}

Test(circles, two_that_grow_each_other_fail_by_name, .timeout = 120)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(setup(i));
        rask_graph *g = rask_graph_new();
        for (int64_t k = 0; k < 20; k++) {
            rask_future *first = rask_submit(client, rask_delayed(g, ping, k));
            rask_future *second = rask_submit(client, rask_delayed(g, pong, k));
            cr_assert_eq(rask_future_wait(first, -1), RASK_OK);
            cr_expect(strstr(rask_future_error(first), "it waits for itself: "), "%s",
                      rask_future_error(first));
            must_be_circle(first, "-> add -> ping");
            must_be_circle(second, "-> add -> pong");
        }
        cr_assert_eq(result_of(rask_submit(client, rask_delayed(g, add, 1, 1))), 2);
        rask_graph_free(g);
        rask_client_close(client);
    }
}

Test(circles, one_that_grows_itself_fails, .timeout = 120)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(setup(i));
        rask_graph *g = rask_graph_new();
        must_be_circle(rask_submit(client, rask_delayed(g, ring, 0, 1)), "it waits for itself: ring -> ring");
        rask_graph_free(g);
        rask_client_close(client);
    }
}

Test(circles, long_ones_are_found_when_nothing_else_is_to_be_done, .timeout = 120)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(setup(i));
        rask_graph *g = rask_graph_new();
        int64_t of = i == 3 ? 300 : 2000;
        rask_future *other = rask_submit(client, rask_delayed(g, ring, of / 2, of));
        must_be_circle(rask_submit(client, rask_delayed(g, ring, 0, of)), "more) -> ring");
        must_be_circle(other, "more) -> ring");
        rask_graph_free(g);
        rask_client_close(client);
    }
}

/* (row, column): the number of ways there from the corner. */
static int ways(rask_task *t);
RASK_SLOTS_WITH(ways, (.flags = RASK_PURE));

static int ways(rask_task *t)
{
    int64_t row = rask_arg_i64(t, 0), column = rask_arg_i64(t, 1);
    if (!row || !column)
        return rask_return_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t, rask_delayed(g, add, rask_delayed(g, ways, row - 1, column),
                                            rask_delayed(g, ways, row, column - 1)));
}

Test(circles, calls_that_meet_without_one_are_done, .timeout = 120)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(setup(i));
        rask_graph *g = rask_graph_new();
        rask_future *small = rask_submit(client, rask_delayed(g, ways, 8, 8));
        cr_assert_eq(result_of(rask_submit(client, rask_delayed(g, ways, 15, 15))), 155117520);
        cr_assert_eq(result_of(small), 12870);
        rask_graph_free(g);
        rask_client_close(client);
    }
}

Test(circles, a_compute_fails_with_the_tasks_on_it, .timeout = 120)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        int64_t sum;
        rask_graph *g = rask_graph_new();
        cr_assert_eq(rask_compute_with(rask_delayed(g, ping, 1), &o, &sum), RASK_ECYCLE);
        cr_expect(strstr(rask_graph_error(g), "ping -> ") && strstr(rask_graph_error(g), "pong -> "), "%s",
                  rask_graph_error(g));
        rask_graph_free(g);
    }
}

static void *submit_ring(void *context)
{
    rask_client *client = context;
    rask_graph *g = rask_graph_new();
    for (int64_t k = 0; k < 100; k++) {
        rask_future *future = rask_submit(client, rask_delayed(g, ring, k % 7, 7 + k / 7));
        cr_assert_eq(rask_future_result(future, NULL), RASK_ECYCLE);
        rask_future_unref(future);
    }
    rask_graph_free(g);
    return NULL;
}

Test(circles, many_threads_close_the_same_ones, .timeout = 120)
{
    rask_client *client = open_client(threads(3));
    pthread_t others[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&others[i], NULL, submit_ring, client);
    for (int i = 0; i < 3; i++)
        pthread_join(others[i], NULL);
    rask_client_close(client);
}
