/* What docs/futures.md and the README show and no example has: as it is written there, and what it comes to. */
#include <criterion/criterion.h>
#include <rask/rask.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static double simulate(int64_t seed)
{
    return (double)(seed * 7919 % 1000) / 1000;
}
RASK_TASK(simulate, f64, i64);

static int fail(rask_task *t)
{
    return rask_fail(t, RASK_EIO, "the disk is gone");
}
RASK_SLOTS(fail);

static int wait_until_told(rask_task *t)
{
    while (!rask_task_cancelled(t)) {
    }
    return RASK_ECANCELLED;
}
RASK_SLOTS(wait_until_told);

static int get_one(double *answer)
{
    rask_client *client;
    if (rask_client_open(NULL, &client)) /* workers that stay */
        return 1;
    rask_graph *g = rask_graph_new();
    rask_future *future = rask_submit(client, rask_delayed(g, simulate, 42)); /* runs from now on */
    rask_graph_free(g);

    int status = rask_future_get(future, answer); /* waits for it */
    if (status)
        fprintf(stderr, "%s\n", rask_future_error(future));
    rask_future_unref(future);
    rask_client_close(client);
    return status;
}

Test(futures_guide, a_result_that_comes_later)
{
    double answer;
    cr_assert_eq(get_one(&answer), RASK_OK);
    cr_assert_eq(answer, simulate(42));
}

static rask_client *open_client(void)
{
    rask_client *client = NULL;
    cr_assert_eq(rask_client_open(NULL, &client), RASK_OK);
    return client;
}

Test(futures_guide, a_call_with_many_inputs)
{
    rask_client *client = open_client();
    rask_value inputs[100];
    rask_future *futures[100];
    for (int i = 0; i < 100; i++)
        inputs[i] = rask_value_i64(i);
    int status = rask_map(client, RASK_DEF(simulate), inputs, 100, futures);
    cr_assert_eq(status, RASK_OK);
    cr_assert_eq(rask_wait_all(futures, 100, -1), RASK_OK);
    for (int i = 0; i < 100; i++) {
        double answer;
        cr_assert_eq(rask_future_get(futures[i], &answer), RASK_OK);
        cr_assert_eq(answer, simulate(i));
        rask_future_unref(futures[i]);
    }
    rask_client_close(client);
}

Test(futures_guide, what_is_late_or_failed_says_so)
{
    rask_client *client = open_client();
    rask_graph *g = rask_graph_new();
    rask_submission how = {.size = sizeof how, .priority = 10, .deadline = 0.05};
    rask_future *urgent = rask_submit_with(client, rask_delayed(g, wait_until_told), &how);
    cr_assert_eq(rask_future_wait(urgent, -1), RASK_OK);
    cr_assert_eq(rask_future_result(urgent, &(rask_value){0}), RASK_ETIMEDOUT, "%s",
                 rask_future_error(urgent));

    rask_node *parts[] = {rask_delayed(g, fail)};
    rask_future *sum = rask_submit(client, rask_sum(rask_list(g, parts, 1)));
    cr_assert_eq(rask_future_result(sum, &(rask_value){0}), RASK_EIO);
    cr_assert(strstr(rask_future_error(sum), "task fail"), "%s", rask_future_error(sum));
    cr_assert(strstr(rask_future_error(sum), "the disk is gone"), "%s", rask_future_error(sum));
    rask_future_unref(urgent);
    rask_future_unref(sum);
    rask_graph_free(g);
    rask_client_close(client);
}

Test(futures_guide, results_that_stay)
{
    rask_client *client = open_client();
    rask_graph *building = rask_graph_new(), *g = rask_graph_new();
    rask_node *table = rask_persist(client, rask_delayed(building, simulate, 1), g);
    rask_graph_free(building);
    for (int i = 0; i < 3; i++) {
        rask_node *question = rask_sum(rask_list(g, ((rask_node *[]){table, rask_const(g, i)}), 2));
        double answer;
        cr_assert_eq(rask_compute(question, &answer), RASK_OK, "%s", rask_graph_error(g));
        cr_assert_eq(answer, simulate(1) + i);
    }
    rask_client_close(client);
    rask_graph_free(g);
}

Test(futures_guide, a_future_as_an_argument)
{
    rask_client *client = open_client();
    rask_graph *g = rask_graph_new(), *later = rask_graph_new();
    rask_future *future = rask_submit(client, rask_delayed(g, simulate, 3));
    rask_node *parts[] = {rask_future_node(later, future), rask_const(later, 1.0)};
    rask_future *sum = rask_submit(client, rask_sum(rask_list(later, parts, 2))); /* when it is there */
    double answer;
    cr_assert_eq(rask_future_get(sum, &answer), RASK_OK);
    cr_assert_eq(answer, simulate(3) + 1);
    rask_future_unref(sum);
    rask_future_unref(future);
    rask_graph_free(later);
    rask_graph_free(g);
    rask_client_close(client);
}

/* -- The README's: a sum that grows. */

static double price(int64_t day)
{
    return 100 + (double)(day % 7);
}

static atomic_int announced;

static void announce(void *what, rask_future *future)
{
    double answer;
    if (!strcmp(what, "a year") && !rask_future_get(future, &answer) && answer > 0)
        atomic_fetch_add(&announced, 1);
}

static int total(rask_task *t);
RASK_SLOTS(total);

static int total(rask_task *t) /* of prices of days */
{
    int64_t from = rask_arg_i64(t, 0), to = rask_arg_i64(t, 1), middle = (from + to) / 2;
    if (to - from < 2)
        return rask_return_f64(t, from < to ? price(from) : 0);
    rask_graph *g = rask_task_graph(t);
    rask_node *halves[] = {rask_delayed(g, total, from, middle), rask_delayed(g, total, middle, to)};
    return rask_return_node(t, rask_sum(rask_list(g, halves, 2))); /* its result is that of this node */
}

static double expected_total(void)
{
    double expected = 0;
    for (int day = 0; day < 365; day++)
        expected += price(day);
    return expected;
}

Test(futures_guide, a_sum_that_grows)
{
    rask_client *client = open_client();
    rask_graph *g = rask_graph_new();
    double answer;
    rask_future *future = rask_submit(client, rask_delayed(g, total, 0, 365)); /* runs from now on */
    rask_future_on_done(future, announce, "a year"); /* or an event loop, or waiting */
    cr_assert_eq(rask_future_get(future, &answer), RASK_OK);
    cr_assert_eq(answer, expected_total());
    rask_client_close(client);
    cr_assert_eq(atomic_load(&announced), 1);
    rask_future_unref(future);
    rask_graph_free(g);
}

Test(futures_guide, a_sum_that_grows_in_a_run)
{
    double answer;
    rask_graph *g = rask_graph_new();
    cr_assert_eq(rask_compute(rask_delayed(g, total, 0, 365), &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, expected_total());
    rask_graph_free(g);
}
