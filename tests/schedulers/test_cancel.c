/* Runs that are cancelled or out of time end soon, whole, and with nothing left behind. */
#include "graphs.h"
#include "support.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static rask_options with(const char *scheduler, uint32_t workers)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = scheduler;
    o.workers = workers;
    return o;
}

enum { SETUPS = 5, IN_ONE_PROCESS = 4 };

/* Each of the ways to run. */
static rask_options setup(size_t i)
{
    const rask_options all[SETUPS] = {with("serial", 0), with("threads", 1), with("threads", 2),
                                      with("threads", 8), with("processes", 2)};
    return all[i];
}

typedef struct counts {
    atomic_int polling, calls;
} counts;

/* In memory that worker processes share. */
static counts *counted;

static void share_counts(void)
{
    counted = shared_calloc(sizeof *counted);
}

TestSuite(cancel, .init = share_counts);

/* Until told to stop, but 20 seconds at most; tells whether it was told. */
static int poll_until_cancelled(rask_task *t)
{
    atomic_fetch_add(&counted->polling, 1);
    for (int i = 0; i < 20000 && !rask_task_cancelled(t); i++)
        sleep_ms(1);
    return rask_return_bool(t, rask_task_cancelled(t));
}
RASK_SLOTS(poll_until_cancelled);

static int wait_until_cancelled(rask_task *t)
{
    return poll_until_cancelled(t);
}
RASK_SLOTS_WITH(wait_until_cancelled, (.flags = RASK_IO));

static int64_t count_call(int64_t i)
{
    atomic_fetch_add(&counted->calls, 1);
    return i;
}
RASK_TASK(count_call, i64, i64);

static int64_t count_after(const rask_value *value)
{
    (void)value;
    return atomic_fetch_add(&counted->calls, 1);
}
RASK_TASK(count_after, i64, value);

/* Timeouts. */

Test(cancel, a_run_out_of_time_ends_though_its_task_would_go_on)
{
    for (size_t i = 0; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i);
        rask_report report;
        int64_t answer = 5;
        o.timeout = 0.05;
        o.report = &report;
        atomic_store(&counted->calls, 0);
        rask_node *slow = rask_delayed(g, poll_until_cancelled), *after = rask_delayed(g, count_after, slow);
        cr_assert_eq(rask_compute_with(after, &o, &answer), RASK_ETIMEDOUT);
        cr_assert(strstr(rask_graph_error(g), "0.05"), "%s", rask_graph_error(g));
        cr_assert_eq(answer, 5);
        cr_assert_eq(atomic_load(&counted->calls), 0);
        cr_assert_eq(report.finished + report.failed + report.skipped, report.tasks);
        rask_graph_free(g);
    }
}

Test(cancel, a_task_out_of_time_fails_with_its_figure)
{
    for (size_t i = 0; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i);
        bool answer;
        rask_node *slow = rask_set_timeout(rask_delayed(g, poll_until_cancelled), 0.02);
        cr_assert_eq(rask_compute_with(slow, &o, &answer), RASK_ETIMEDOUT);
        cr_assert(strstr(rask_graph_error(g), "poll_until_cancelled"), "%s", rask_graph_error(g));
        cr_assert(strstr(rask_graph_error(g), "0.02"), "%s", rask_graph_error(g));
        rask_graph_free(g);
    }
}

/* Tells that it was stopped in the way of a run that was cancelled, whoever it was that stopped it. */
static int give_up_when_cancelled(rask_task *t)
{
    poll_until_cancelled(t);
    return rask_fail(t, RASK_ECANCELLED, "stopped in the middle");
}
RASK_SLOTS(give_up_when_cancelled);

Test(cancel, a_task_that_gives_up_at_the_runs_deadline_leaves_the_run_timed_out)
{
    for (size_t i = 0; i < 2 * SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i % SETUPS);
        rask_report report;
        int64_t answer;
        o.timeout = 0.02;
        o.keep_going = i >= SETUPS;
        o.report = &report;
        rask_node *after = rask_delayed(g, count_after, rask_delayed(g, give_up_when_cancelled));
        cr_assert_eq(rask_compute_with(after, &o, &answer), RASK_ETIMEDOUT, "%s", rask_graph_error(g));
        cr_assert(strstr(rask_graph_error(g), "0.02"), "%s", rask_graph_error(g));
        cr_assert_eq(report.failed, 0);
        cr_assert_eq(report.skipped, 2);
        rask_graph_free(g);
    }
}

Test(cancel, a_task_that_gives_up_at_its_own_deadline_is_out_of_time)
{
    for (size_t i = 0; i < 2 * SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i % SETUPS);
        rask_report report;
        bool answer;
        o.keep_going = i >= SETUPS;
        o.report = &report;
        rask_node *slow = rask_set_timeout(rask_delayed(g, give_up_when_cancelled), 0.02);
        cr_assert_eq(rask_compute_with(slow, &o, &answer), RASK_ETIMEDOUT, "%s", rask_graph_error(g));
        cr_assert(strstr(rask_graph_error(g), "give_up_when_cancelled"), "%s", rask_graph_error(g));
        cr_assert(strstr(rask_graph_error(g), "0.02"), "%s", rask_graph_error(g));
        cr_assert_eq(report.failed, 1);
        rask_graph_free(g);
    }
}

/* Its first call takes too long, its second does not, or on a slow machine one of those behind it. */
static int slow_at_first(rask_task *t)
{
    while (!rask_task_attempt(t) && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_i64(t, rask_task_attempt(t));
}
RASK_SLOTS_WITH(slow_at_first, (.timeout = 0.05, .retries = 9));

Test(cancel, a_task_out_of_time_is_retried_with_time_of_its_own)
{
    for (size_t i = 0; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i);
        int64_t attempt = 0;
        cr_assert_eq(rask_compute_with(rask_delayed(g, slow_at_first), &o, &attempt), RASK_OK, "%s",
                     rask_graph_error(g));
        cr_assert_geq(attempt, 1);
        rask_graph_free(g);
    }
}

Test(cancel, only_the_task_out_of_time_fails_when_the_run_keeps_going)
{
    rask_graph *g = rask_graph_new();
    rask_options o = with("threads", 2);
    rask_report report;
    rask_node *nodes[11];
    rask_value result;
    o.keep_going = true;
    o.report = &report;
    nodes[0] = rask_set_timeout(rask_delayed(g, poll_until_cancelled), 0.02);
    for (int i = 1; i < 11; i++)
        nodes[i] = rask_delayed(g, count_call, i);
    cr_assert_eq(rask_compute_with(rask_list(g, nodes, 11), &o, &result), RASK_ETIMEDOUT);
    cr_assert_eq(atomic_load(&counted->calls), 10);
    cr_assert_eq(report.failed, 1);
    cr_assert_eq(report.finished, 10);
    cr_assert_eq(report.skipped, 1);
    rask_graph_free(g);
}

/* Cancelling. */

Test(cancel, a_run_cancelled_before_it_starts_calls_nothing)
{
    rask_cancel_token *token = rask_cancel_token_new();
    cr_assert_not(rask_cancelled(token));
    rask_cancel(token);
    cr_assert(rask_cancelled(token));
    for (size_t i = 0; i < SETUPS; i++) {
        rask_options o = setup(i);
        rask_report report;
        random_graph *g = random_graph_new(5);
        rask_value results[GRAPH_MAX_TARGETS];
        o.cancel = token;
        o.report = &report;
        cr_assert_eq(rask_compute_values(g->targets, g->target_count, &o, results), RASK_ECANCELLED);
        cr_assert(strstr(rask_graph_error(g->graph), "cancelled"), "%s", rask_graph_error(g->graph));
        cr_assert_gt(report.tasks, 0);
        cr_assert_eq(report.skipped, report.tasks);
        for (uint32_t k = 0; k < g->count; k++)
            cr_assert_eq(atomic_load(&g->steps[k].calls), 0);
        random_graph_free(g);
    }
    rask_cancel_token_free(token);
    rask_cancel_token_free(NULL);
}

static void *cancel_when_polling(void *token)
{
    while (!atomic_load(&counted->polling))
        sleep_ms(1);
    rask_cancel(token);
    return NULL;
}

static void cancel_from_another_thread(rask_options options, const rask_task_def *def)
{
    rask_cancel_token *token = rask_cancel_token_new();
    rask_graph *g = rask_graph_new();
    rask_node *slow = rask_call(g, def, NULL, 0), *after = rask_delayed(g, count_after, slow);
    int64_t answer;
    pthread_t thread;
    options.cancel = token;
    atomic_store(&counted->polling, 0);
    cr_assert_eq(pthread_create(&thread, NULL, cancel_when_polling, token), 0);
    cr_assert_eq(rask_compute_with(after, &options, &answer), RASK_ECANCELLED);
    cr_assert_eq(atomic_load(&counted->calls), 0);
    pthread_join(thread, NULL);
    rask_graph_free(g);
    rask_cancel_token_free(token);
}

Test(cancel, another_thread_cancels_a_running_task)
{
    for (size_t i = 0; i < SETUPS; i++)
        cancel_from_another_thread(setup(i), RASK_DEF(poll_until_cancelled));
}

Test(cancel, another_thread_cancels_a_running_io_task)
{
    for (size_t i = 0; i < SETUPS; i++)
        cancel_from_another_thread(setup(i), RASK_DEF(wait_until_cancelled));
}

static rask_cancel_token *signal_token;

static void on_signal(int number)
{
    (void)number;
    rask_cancel(signal_token);
}

static int raise_signal(rask_task *t)
{
    raise(SIGUSR1);
    return rask_return_bool(t, rask_task_cancelled(t));
}
RASK_SLOTS(raise_signal);

Test(cancel, a_signal_handler_cancels_a_run)
{
    signal(SIGUSR1, on_signal);
    for (size_t i = 0; i < IN_ONE_PROCESS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i);
        int64_t answer;
        o.cancel = signal_token = rask_cancel_token_new();
        rask_node *after = rask_delayed(g, count_after, rask_delayed(g, raise_signal));
        cr_assert_eq(rask_compute_with(after, &o, &answer), RASK_ECANCELLED);
        cr_assert_eq(atomic_load(&counted->calls), 0);
        rask_graph_free(g);
        rask_cancel_token_free(signal_token);
    }
}

/* Cancels its run when it is the call of a certain number. */
static rask_cancel_token *nth_token;
static atomic_int nth_left;

static void cancel_at_nth(void *context, const rask_task_info *task)
{
    (void)context;
    (void)task;
    if (atomic_fetch_sub(&nth_left, 1) == 1)
        rask_cancel(nth_token);
}

/* The graph is cancelled when its k-th task has finished; whether that was before its last. */
static bool cancel_at(uint64_t seed, int k, rask_options options)
{
    random_graph *g = random_graph_new(seed);
    rask_observer observer = {.size = sizeof observer, .task_finished = cancel_at_nth};
    const rask_observer *observers[] = {&observer};
    rask_value results[GRAPH_MAX_TARGETS];
    rask_report report;
    options.observers = observers;
    options.observer_count = 1;
    options.report = &report;
    options.cancel = nth_token = rask_cancel_token_new();
    atomic_store(&nth_left, k);
    int status = rask_compute_values(g->targets, g->target_count, &options, results);
    cr_assert_eq(report.finished + report.skipped, report.tasks);
    cr_assert_eq(report.failed, 0);
    cr_assert_eq(report.live_bytes, 0);
    cr_assert_eq(status, report.skipped ? RASK_ECANCELLED : RASK_OK, "%s", rask_graph_error(g->graph));
    if (!strcmp(options.scheduler, "serial") && status)
        cr_assert_eq(report.finished, k);
    for (uint32_t i = 0; !status && i < g->target_count; i++)
        rask_value_unref(&results[i]);
    random_graph_free(g);
    rask_cancel_token_free(nth_token);
    cr_assert_eq(random_graph_live_customs(), 0);
    return status != RASK_OK;
}

Test(cancel, a_run_cancelled_at_any_task_ends_whole)
{
    for (uint64_t seed = 0; seed < 40; seed++)
        for (size_t i = 0; i < SETUPS; i++)
            for (int k = 1; cancel_at(seed, k, setup(i)) && k < 200; k += 1 + k / 4) {
            }
}

/* One token for several runs. */

static void *compute_slow(void *token)
{
    rask_graph *g = rask_graph_new();
    rask_options o = with("threads", 2);
    bool answer;
    o.cancel = token;
    cr_assert_eq(rask_compute_with(rask_delayed(g, poll_until_cancelled), &o, &answer), RASK_ECANCELLED,
                 "a task that was told to stop has a result");
    rask_graph_free(g);
    return NULL;
}

Test(cancel, one_token_ends_all_runs_that_use_it)
{
    rask_cancel_token *token = rask_cancel_token_new();
    pthread_t ids[4];
    atomic_store(&counted->polling, 0);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&ids[i], NULL, compute_slow, token), 0);
    while (atomic_load(&counted->polling) < 4)
        sleep_ms(1);
    rask_cancel(token);
    for (int i = 0; i < 4; i++)
        pthread_join(ids[i], NULL);
    rask_cancel_token_free(token);
}

/* It returns as if nothing had happened. */
Test(cancel, a_last_task_told_to_stop_has_no_result)
{
    for (int serial = 0; serial < 2; serial++) {
        rask_graph *g = rask_graph_new();
        rask_options o = with(serial ? "serial" : "threads", 2);
        bool answer;
        o.timeout = 0.02;
        cr_expect_eq(rask_compute_with(rask_delayed(g, poll_until_cancelled), &o, &answer), RASK_ETIMEDOUT);
        cr_expect(strstr(rask_graph_error(g), "the run took longer"), "%s", rask_graph_error(g));
        rask_graph_free(g);
    }
}
