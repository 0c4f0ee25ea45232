/* Calls that are repeated: when, how often, after how long a wait, and what ends that; the same on every scheduler. */
#include "core/base/clock.h"
#include "schedulers/call.h"
#include "setups.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

enum { MOST_CALLS = 64 };

/* In memory that worker processes share. */
typedef struct counts {
    atomic_uint calls;
    atomic_ullong begin_ns[MOST_CALLS], end_ns[MOST_CALLS];
} counts;

static counts *counted;

static void share_counts(void)
{
    counted = shared_calloc(sizeof *counted);
}

static void forget_counts(void)
{
    memset((void *)counted, 0, sizeof *counted);
}

TestSuite(retries, .init = share_counts, .timeout = 100);

/* Fails as often as the first argument says, with the status that is the second. */
static int stumble(rask_task *t)
{
    unsigned call = atomic_fetch_add(&counted->calls, 1) % MOST_CALLS;
    atomic_store(&counted->begin_ns[call], rk_clock_now());
    if (rask_task_attempt(t) >= rask_arg_i64(t, 0))
        return rask_return_i64(t, rask_task_attempt(t));
    atomic_store(&counted->end_ns[call], rk_clock_now());
    return rask_fail(t, (int)rask_arg_i64(t, 1), "stumbled");
}
RASK_SLOTS(stumble);

Test(retries, a_task_waits_before_it_is_called_again_and_longer_each_time)
{
    for (size_t i = 0; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i);
        int64_t attempts;
        rask_node *node = rask_set_backoff(rask_set_retries(rask_delayed(g, stumble, 4, RASK_EIO), 4), 0.004);
        forget_counts();
        cr_assert_eq(rask_compute_with(node, &o, &attempts), RASK_OK, "%s", rask_graph_error(g));
        cr_expect_eq(attempts, 4);
        for (uint64_t k = 0; k < 4; k++)
            cr_expect_geq(counted->begin_ns[k + 1] - counted->end_ns[k], 2000000u << k);
        rask_graph_free(g);
    }
}

Test(retries, a_future_waits_before_it_is_called_again_as_a_task_of_a_run_does)
{
    for (size_t i = 0; i < SETUPS; i += 3) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i);
        rask_client *client;
        int64_t attempts;
        rask_node *node = rask_set_backoff(rask_set_retries(rask_delayed(g, stumble, 3, RASK_EIO), 3), 0.004);
        forget_counts();
        cr_assert_eq(rask_client_open(&o, &client), RASK_OK);
        rask_future *future = rask_submit(client, node);
        cr_expect_eq(rask_future_out(future, RASK_OUT_I64, &attempts), RASK_OK, "%s",
                     rask_future_error(future));
        cr_expect_eq(attempts, 3);
        for (uint64_t k = 0; k < 3; k++)
            cr_expect_geq(counted->begin_ns[k + 1] - counted->end_ns[k], 2000000u << k);
        rask_future_unref(future);
        rask_client_close(client);
        rask_graph_free(g);
    }
}

Test(retries, the_wait_is_drawn_grows_and_has_a_ceiling)
{
    rk_call_terms terms = {.backoff_ns = 1000, .number = 7}, other = {.backoff_ns = 1000, .number = 8},
                  seeded = {.backoff_ns = 1000, .number = 7, .seed = 3}, none = {.number = 7},
                  long_one = {.backoff_ns = 5 * RK_MAX_BACKOFF_NS};
    unsigned differ = 0;
    for (uint32_t attempt = 0; attempt < 100; attempt++) {
        uint64_t longest = attempt < 26 ? (uint64_t)1000 << attempt : RK_MAX_BACKOFF_NS;
        longest = longest < RK_MAX_BACKOFF_NS ? longest : RK_MAX_BACKOFF_NS;
        uint64_t wait = rk_call_backoff(&terms, attempt);
        cr_expect_leq(wait, longest);
        cr_expect_geq(wait, longest / 2);
        cr_expect_eq(wait, rk_call_backoff(&terms, attempt));
        differ += wait != rk_call_backoff(&other, attempt);
        differ += wait != rk_call_backoff(&seeded, attempt);
        cr_expect_eq(rk_call_backoff(&none, attempt), 0);
        cr_expect_geq(rk_call_backoff(&long_one, attempt), 2 * RK_MAX_BACKOFF_NS);
        cr_expect_leq(rk_call_backoff(&long_one, attempt), 5 * RK_MAX_BACKOFF_NS);
    }
    cr_expect_gt(differ, 150);
}

/* Runs out of time. How often the task was called. */
static unsigned calls_within(double timeout, rask_options o)
{
    rask_graph *g = rask_graph_new();
    int64_t attempts;
    o.timeout = timeout;
    forget_counts();
    rask_node *node = rask_set_backoff(rask_set_retries(rask_delayed(g, stumble, 9, RASK_EIO), 9), 1000);
    cr_assert_eq(rask_compute_with(node, &o, &attempts), RASK_ETIMEDOUT, "%s", rask_graph_error(g));
    rask_graph_free(g);
    return atomic_load(&counted->calls);
}

/* The wait would take minutes; the suite's time would be over first. A slow machine comes to no call in the shortest time. */
Test(retries, a_wait_ends_with_the_time_of_the_run)
{
    for (size_t i = 0; i < SETUPS; i++) {
        unsigned calls = 0;
        for (double timeout = 0.1; !calls; timeout *= 2)
            calls = calls_within(timeout, setup(i));
        cr_expect_eq(calls, 1);
    }
}

Test(retries, a_wait_ends_when_the_run_is_cancelled)
{
    for (size_t i = 0; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i);
        pthread_t thread;
        int64_t attempts;
        forget_counts();
        o.cancel = rask_cancel_token_new();
        rask_node *node = rask_set_backoff(rask_set_retries(rask_delayed(g, stumble, 9, RASK_EIO), 9), 1000);
        canceller who = {o.cancel, &counted->calls};
        cr_assert_eq(pthread_create(&thread, NULL, cancel_when_called, &who), 0);
        cr_assert_eq(rask_compute_with(node, &o, &attempts), RASK_ECANCELLED, "%s", rask_graph_error(g));
        cr_assert_eq(pthread_join(thread, NULL), 0);
        rask_cancel_token_free(o.cancel);
        rask_graph_free(g);
    }
}

static bool worth_repeating(int status, uint32_t attempt)
{
    return status == RASK_EIO && attempt < 2;
}

static int choosy(rask_task *t)
{
    return stumble(t);
}
RASK_SLOTS_WITH(choosy, (.retries = 10, .retry_if = worth_repeating));

Test(retries, only_failures_that_are_worth_it_are_repeated)
{
    const struct {
        int64_t failures, status;
        int outcome;
        unsigned calls;
    } cases[] = {{0, RASK_EIO, RASK_OK, 1},
                 {2, RASK_EIO, RASK_OK, 3},
                 {3, RASK_EIO, RASK_EIO, 3},
                 {1, RASK_ENOENT, RASK_ENOENT, 1}};
    for (size_t i = 0; i < SETUPS; i++)
        for (size_t k = 0; k < 2 * 4; k++) {
            rask_graph *g = rask_graph_new();
            rask_options o = setup(i);
            rask_report report;
            int64_t attempts;
            o.report = &report;
            forget_counts();
            rask_node *node = rask_delayed(g, choosy, cases[k / 2].failures, cases[k / 2].status);
            if (k % 2) /* the way of calls that need more than a call */
                rask_set_timeout(node, 60);
            cr_expect_eq(rask_compute_with(node, &o, &attempts), cases[k / 2].outcome, "%s",
                         rask_graph_error(g));
            cr_expect_eq(atomic_load(&counted->calls), cases[k / 2].calls, "%zu: %u", k, counted->calls);
            cr_expect_eq(report.retries, cases[k / 2].calls - 1);
            rask_graph_free(g);
        }
}
