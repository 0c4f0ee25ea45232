/* Every scheduler runs any graph to the same bytes, each task once, and a failure hurts only what depends on
 * it. */
#include "graphs.h"
#include "schedulers/chaos.h"
#include "support.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

static rask_options serial(uint64_t seed)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "serial";
    o.seed = seed;
    return o;
}

/* Computes the graphs of so many seeds, from the first; then nothing may be left of them. */
static void compute_graphs(uint64_t first, uint64_t count, rask_options options)
{
    uint64_t seed = options.seed;
    for (uint64_t i = first; i < first + count; i++) {
        random_graph *g = random_graph_new(i);
        options.seed = seed ? i + 1 : 0;
        random_graph_must_compute(g, options);
        random_graph_free(g);
    }
    cr_assert_eq(random_graph_live_customs(), 0);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { GRAPHS = 80, SEEDS = 100 };
#else
enum { GRAPHS = 150, SEEDS = 250 };
#endif

/* Four cases of SEEDS each, so that they share the cores: 1,000 seeds, but for sanitizers. */
ParameterizedTestParameters(run, seeded_serial_runs_any_legal_order_to_the_same_result)
{
    static uint64_t firsts[] = {0, SEEDS, 2 * SEEDS, 3 * SEEDS};
    return cr_make_param_array(uint64_t, firsts, 4);
}

ParameterizedTest(uint64_t *first, run, seeded_serial_runs_any_legal_order_to_the_same_result)
{
    compute_graphs(*first, SEEDS, serial(1));
}

Test(run, serial_computes_random_graphs)
{
    compute_graphs(0, GRAPHS, serial(0));
}

ParameterizedTestParameters(run, threads_compute_random_graphs)
{
    static uint32_t workers[] = {1, 2, 3, 8};
    return cr_make_param_array(uint32_t, workers, 4);
}

ParameterizedTest(uint32_t *workers, run, threads_compute_random_graphs)
{
    compute_graphs(0, GRAPHS, threads(*workers));
}

ParameterizedTestParameters(run, processes_compute_random_graphs)
{
    static uint32_t workers[] = {1, 2, 5};
    return cr_make_param_array(uint32_t, workers, 3);
}

ParameterizedTest(uint32_t *workers, run, processes_compute_random_graphs)
{
    compute_graphs(0, GRAPHS, processes(*workers));
}

#ifdef RASK_WITH_CHAOS
Test(run, threads_compute_random_graphs_with_pauses_at_the_racy_points)
{
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        rask_options o = threads(2 + (uint32_t)(seed % 3));
        o.io_lanes = 1 + (uint32_t)(seed % 4);
        rk_chaos_seed(seed);
        compute_graphs(seed, 1, o);
    }
    rk_chaos_seed(0);
}
#endif

Test(run, few_io_lanes_are_enough)
{
    rask_options o = threads(2);
    o.io_lanes = 1;
    compute_graphs(0, GRAPHS, o);
}

Test(run, a_plan_runs_again_with_the_same_result_on_every_scheduler)
{
    const rask_options options[] = {serial(0), serial(7), threads(1), threads(2), threads(8), processes(2)};
    for (uint64_t seed = 0; seed < 20; seed++) {
        random_graph *g = random_graph_new(seed);
        rask_plan *plan;
        cr_assert_eq(rask_plan_new(g->targets, g->target_count, &plan), RASK_OK);
        for (size_t i = 0; i < 18; i++) {
            rask_value results[GRAPH_MAX_TARGETS];
            cr_assert_eq(rask_plan_run(plan, &options[i % 6], results), RASK_OK, "%s", rask_plan_error(plan));
            cr_assert(random_graph_equal(g, results));
            for (uint32_t k = 0; k < g->target_count; k++)
                rask_value_unref(&results[k]);
        }
        rask_plan_free(plan);
        random_graph_free(g);
    }
    cr_assert_eq(random_graph_live_customs(), 0);
}

/* Failures. */

static void compute_failing_graphs(rask_options options)
{
    uint64_t failed = 0;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        random_graph *g = random_graph_new(seed);
        rask_report report;
        random_graph_add_failures(g, 12, GRAPH_FAILS_ALWAYS);
        int status = random_graph_compute_with_failures(g, options, &report);
        if (status)
            cr_assert_eq(status, RASK_EIO, "%s", rask_graph_error(g->graph));
        failed += report.failed;
        random_graph_free(g);
    }
    cr_assert_gt(failed, GRAPHS / 10, "too few failures to mean anything");
    cr_assert_eq(random_graph_live_customs(), 0);
}

Test(run, a_failure_ends_a_serial_run_and_leaks_nothing)
{
    compute_failing_graphs(serial(0));
}

Test(run, a_failure_ends_a_threads_run_and_leaks_nothing)
{
    compute_failing_graphs(threads(2));
    compute_failing_graphs(threads(8));
}

Test(run, a_failure_ends_a_run_on_processes_and_leaks_nothing)
{
    compute_failing_graphs(processes(2));
}

Test(run, keep_going_skips_dependents_and_runs_all_others)
{
    rask_options all[] = {serial(0), serial(3), threads(1), threads(2), threads(8), processes(2)};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        all[i].keep_going = true;
        compute_failing_graphs(all[i]);
    }
}

/* The first node that a message names. */
static uint32_t first_node(const char *message)
{
    uint32_t node = UINT32_MAX;
    const char *at = strstr(message, "(node ");
    if (at)
        sscanf(at, "(node %u", &node);
    return node;
}

/* Of a run that was recorded: the node of the failed task with the lowest number. */
static uint32_t lowest_failed(const rask_recording *recording)
{
    uint32_t count;
    const rask_task_info *tasks = rask_recording_tasks(recording, &count);
    for (uint32_t i = 0; i < count; i++)
        if (tasks[i].status && tasks[i].status != RASK_ECANCELLED)
            return tasks[i].node;
    return UINT32_MAX;
}

Test(run, keep_going_reports_the_first_failure_in_plan_order_first)
{
    rask_options all[] = {serial(0), serial(5), threads(2), threads(8), processes(2)};
    for (uint64_t seed = 0; seed < 60; seed++) {
        char messages[5][4096 + 1];
        for (size_t i = 0; i < 5; i++) {
            random_graph *g = random_graph_new(seed);
            rask_recording *recording = rask_recording_new();
            const rask_observer *observer = rask_recording_observer(recording);
            rask_report report;
            all[i].keep_going = true;
            all[i].observers = &observer;
            all[i].observer_count = 1;
            random_graph_add_failures(g, 8, GRAPH_FAILS_ALWAYS);
            random_graph_compute_with_failures(g, all[i], &report);
            snprintf(messages[i], sizeof messages[i], "%s", rask_graph_error(g->graph));
            cr_assert_eq(first_node(messages[i]), lowest_failed(recording), "%s", messages[i]);
            cr_assert_str_eq(messages[i], messages[0]);
            rask_recording_free(recording);
            random_graph_free(g);
        }
    }
}

Test(run, a_task_that_fails_less_often_than_it_may_be_retried_succeeds)
{
    rask_options all[] = {serial(0), serial(5), threads(1), threads(2), threads(8), processes(2)};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (uint64_t seed = 0; seed < 30; seed++) {
            random_graph *g = random_graph_new(seed);
            random_graph_add_failures(g, 3, 2);
            all[i].retries = 2;
            random_graph_must_compute(g, all[i]);
            random_graph_free(g);
        }
}

Test(run, a_task_that_fails_more_often_than_it_may_be_retried_fails)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        rask_options o = seed % 3 == 2 ? processes(2) : seed % 3 ? threads(2) : serial(0);
        random_graph *g = random_graph_new(seed);
        rask_report report;
        o.retries = 2;
        o.keep_going = seed % 4 < 2;
        random_graph_add_failures(g, 10, GRAPH_FAILS_ALWAYS);
        random_graph_compute_with_failures(g, o, &report);
        if (o.keep_going)
            cr_assert_eq(report.retries, 2 * report.failed);
        random_graph_free(g);
    }
    cr_assert_eq(random_graph_live_customs(), 0);
}

/* Fails in its first calls, as many as its argument says, and then tells which attempt it was. */
static int stubborn(rask_task *t)
{
    int64_t failures = rask_arg_i64(t, 0);
    if (rask_task_attempt(t) < failures)
        return rask_fail(t, RASK_EIO, "not yet");
    return rask_return_i64(t, rask_task_attempt(t));
}
RASK_SLOTS_WITH(stubborn, (.retries = 2));

Test(run, retries_are_the_larger_of_the_tasks_own_and_the_runs)
{
    rask_graph *g = rask_graph_new();
    rask_options o = threads(2);
    rask_report report;
    int64_t attempt = -1;
    o.report = &report;
    cr_assert_eq(rask_compute_with(rask_delayed(g, stubborn, 2), &o, &attempt), RASK_OK);
    cr_assert_eq(attempt, 2);
    cr_assert_eq(report.retries, 2);
    cr_assert_eq(rask_compute_with(rask_delayed(g, stubborn, 3), &o, &attempt), RASK_EIO);
    cr_assert_eq(rask_compute_with(rask_set_retries(rask_delayed(g, stubborn, 3), 3), &o, &attempt), RASK_OK);
    cr_assert_eq(attempt, 3);
    cr_assert_eq(rask_compute_with(rask_set_retries(rask_delayed(g, stubborn, 1), 0), &o, &attempt),
                 RASK_EIO);
    o.retries = 4;
    cr_assert_eq(rask_compute_with(rask_set_retries(rask_delayed(g, stubborn, 4), 0), &o, &attempt), RASK_OK);
    cr_assert_eq(attempt, 4);
    rask_graph_free(g);
}

Test(run, after_a_failure_nothing_new_starts_unless_the_run_keeps_going)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[10];
    rask_options o = serial(0);
    rask_report report;
    rask_value result;
    o.report = &report;
    nodes[0] = rask_delayed(g, stubborn, 9);
    for (int i = 1; i < 10; i++)
        nodes[i] = rask_delayed(g, stubborn, 0);
    cr_assert_eq(rask_compute_with(rask_list(g, nodes, 10), &o, &result), RASK_EIO);
    cr_assert_eq(report.finished, 0);
    cr_assert_eq(report.skipped, 10);
    o.keep_going = true;
    cr_assert_eq(rask_compute_with(rask_list(g, nodes, 10), &o, &result), RASK_EIO);
    cr_assert_eq(report.finished, 9);
    cr_assert_eq(report.skipped, 1);
    rask_graph_free(g);
}

Test(run, retries_behave_the_same_with_an_observer)
{
    rask_graph *g = rask_graph_new();
    rask_recording *recording = rask_recording_new();
    const rask_observer *observer = rask_recording_observer(recording);
    rask_options o = threads(2);
    uint32_t count;
    int64_t attempt = -1;
    o.observers = &observer;
    o.observer_count = 1;
    cr_assert_eq(rask_compute_with(rask_delayed(g, stubborn, 2), &o, &attempt), RASK_OK);
    cr_assert_eq(attempt, 2);
    cr_assert_eq(rask_recording_tasks(recording, &count)[0].attempt, 2);
    cr_assert_eq(count, 1);
    rask_recording_free(recording);
    rask_graph_free(g);
}

/* Injection. */

typedef struct outcome {
    int status;
    rask_report report;
    char message[4096 + 1];
} outcome;

static outcome run_injected(uint64_t graph_seed, rask_options options)
{
    outcome out = {0};
    random_graph *g = random_graph_new(graph_seed);
    rask_value results[GRAPH_MAX_TARGETS];
    options.report = &out.report;
    out.status = rask_compute_values(g->targets, g->target_count, &options, results);
    snprintf(out.message, sizeof out.message, "%s", rask_graph_error(g->graph));
    if (!out.status)
        cr_assert(random_graph_equal(g, results));
    for (uint32_t i = 0; !out.status && i < g->target_count; i++)
        rask_value_unref(&results[i]);
    random_graph_free(g);
    return out;
}

Test(run, injected_failures_and_delays_repeat_with_their_seed)
{
    uint32_t failed = 0, retried = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        rask_options o = serial(seed);
        o.inject_failures = 100000;
        o.inject_delays = 20000;
        o.retries = seed % 2;
        o.keep_going = seed % 4 < 2;
        outcome first = run_injected(seed, o), second = run_injected(seed, o);
        cr_assert_eq(first.status, second.status);
        cr_assert_str_eq(first.message, second.message);
        cr_assert_eq(first.report.finished, second.report.finished);
        cr_assert_eq(first.report.failed, second.report.failed);
        cr_assert_eq(first.report.retries, second.report.retries);
        cr_assert(!first.status || strstr(first.message, "injected failure"), "%s", first.message);
        failed += first.report.failed;
        retried += (uint32_t)first.report.retries;
    }
    cr_assert_gt(failed, 20);
    cr_assert_gt(retried, 20);
    cr_assert_eq(random_graph_live_customs(), 0);
}

Test(run, injected_failures_are_drawn_by_task_and_not_by_order_so_all_schedulers_agree)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        rask_options o = serial(seed), p = seed % 2 ? threads(4) : processes(2);
        p.seed = seed;
        o.inject_failures = p.inject_failures = 100000;
        o.keep_going = p.keep_going = true;
        cr_assert_str_eq(run_injected(seed, o).message, run_injected(seed, p).message);
    }
}

/* Small things of a run. */

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK(add, i64, i64, i64);

Test(run, constants_alone_are_targets_without_a_task)
{
    const char *const names[] = {"serial", "threads", "processes"};
    for (size_t i = 0; i < 3; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = RASK_OPTIONS_INIT;
        rask_report report;
        int64_t answer = 0;
        o.scheduler = names[i];
        o.workers = 8;
        o.report = &report;
        cr_assert_eq(rask_compute_with(rask_const(g, 42), &o, &answer), RASK_OK);
        cr_assert_eq(answer, 42);
        cr_assert_eq(report.tasks, 0);
        rask_graph_free(g);
    }
}

Test(run, results_outlive_graph_plan_and_run)
{
    rask_graph *g = rask_graph_new();
    rask_node *text = rask_const(g, "kept"), *list = rask_list(g, &text, 1);
    rask_value result;
    cr_assert_eq(rask_compute(list, &result), RASK_OK);
    rask_graph_free(g);
    const rask_value *items;
    size_t count;
    rask_bytes bytes;
    cr_assert_eq(rask_value_get_list(&result, &items, &count), RASK_OK);
    cr_assert_eq(count, 1);
    cr_assert_eq(rask_value_get_bytes(&items[0], &bytes), RASK_OK);
    cr_assert_str_eq(bytes.data, "kept");
    rask_value_unref(&result);
}

Test(run, results_stay_untouched_when_the_run_fails)
{
    rask_graph *g = rask_graph_new();
    rask_node *targets[] = {rask_delayed(g, add, 1, 2), rask_delayed(g, stubborn, 9)};
    rask_value results[2] = {rask_value_i64(77), rask_value_i64(78)};
    int64_t answer = 79;
    cr_assert_eq(rask_compute_values(targets, 2, NULL, results), RASK_EIO);
    cr_assert_eq(results[0].as.i64, 77);
    cr_assert_eq(results[1].as.i64, 78);
    cr_assert_eq(rask_compute(targets[1], &answer), RASK_EIO);
    cr_assert_eq(answer, 79);
    cr_assert_eq(rask_compute(targets[0], &answer), RASK_OK, "a failed run spoils no later one");
    cr_assert_str_eq(rask_graph_error(g), "");
    rask_graph_free(g);
}

Test(run, the_report_tells_workers_and_peak)
{
    rask_graph *g = rask_graph_new();
    rask_node *text = rask_const(g, "0123456789"), *list = rask_list(g, &text, 1);
    rask_options o = threads(3);
    rask_report report;
    rask_value result;
    o.report = &report;
    cr_assert_eq(rask_compute_with(list, &o, &result), RASK_OK);
    cr_assert_eq(report.workers, 3);
    cr_assert_eq(report.tasks, 1);
    cr_assert_geq(report.peak_bytes, sizeof(rask_value));
    cr_assert_gt(report.seconds, 0);
    rask_value_unref(&result);
    rask_graph_free(g);
}

static int oversized(rask_task *t)
{
    char data[3000] = {0};
    return rask_return_bytes(t, data, sizeof data);
}
RASK_SLOTS(oversized);

Test(run, a_result_over_the_budget_is_an_error_with_the_figures)
{
    rask_graph *g = rask_graph_new();
    rask_options all[] = {threads(2), processes(2)};
    for (size_t i = 0; i < 2; i++) {
        rask_report report;
        rask_value result;
        all[i].memory = 2000;
        all[i].report = &report;
        cr_assert_eq(rask_compute_with(rask_delayed(g, oversized), &all[i], &result), RASK_EBUDGET);
        cr_assert(strstr(rask_graph_error(g), "oversized"), "%s", rask_graph_error(g));
        cr_assert(strstr(rask_graph_error(g), "2000"), "%s", rask_graph_error(g));
        cr_assert_eq(report.live_bytes, 0);
        cr_assert_eq(report.failed, 1);
    }
    rask_graph_free(g);
}
