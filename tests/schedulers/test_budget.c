/* The memory budget through whole runs: results that go to disk and come back, sources that are called again, what
 * is too large, what fails, and that the store never holds more than it may. */
#include "budget_support.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

TestSuite(budget, .init = set_up, .fini = tear_down);

Test(budget, results_that_went_to_disk_come_back_with_the_same_bytes)
{
    for (uint32_t kind = 0; kind <= KINDS; kind++) {
        for (uint32_t workers = 0; workers <= 4; workers++) {
            rask_graph *g = rask_graph_new();
            rask_node *sum = make_then_weigh(g, &make, kind, MADE, LEN, workers == 1);
            rask_report free_run, report;
            int64_t expected = must_give(sum, budget(0, 1), &free_run);
            cr_assert_eq(must_give(sum, budget(SMALL_BUDGET, workers), &report), expected);
            cr_assert_eq(free_run.spilled_bytes, 0);
            cr_assert_gt(report.spilled_bytes, MADE / 2 * LEN / 2);
            cr_assert_geq(report.read_back_bytes, MADE / 2 * LEN / 2);
            cr_assert_eq(report.dropped, 0);
            cr_assert_gt(report.peak_rss, 1 << 20);
            rask_graph_free(g);
        }
    }
}

Test(budget, sources_are_called_again_and_not_written)
{
    for (uint32_t workers = 0; workers <= 2; workers++) {
        rask_graph *g = rask_graph_new();
        rask_node *sum = make_then_weigh(g, &make_source, KINDS, MADE, LEN, false);
        rask_report report;
        int64_t expected = must_give(sum, budget(0, 1), &report);
        cr_assert_eq(must_give(sum, budget(SMALL_BUDGET, workers), &report), expected);
        cr_assert_eq(report.spilled_bytes, 0);
        cr_assert_gt(report.dropped, MADE / 2);
        cr_assert_geq(report.remade, MADE / 2);
        rask_graph_free(g);
    }
}

Test(budget, a_source_that_takes_nodes_is_written_like_others)
{
    rask_graph *g = rask_graph_new();
    rask_node *made[MADE], *one = call(g, &weigh_def, 1, NULL, 0), *sum;
    for (uint32_t i = 0; i < MADE; i++)
        made[i] = call(g, &make_source, recipe(BYTES, LEN, i), &one, 1);
    sum = gate(g, made, MADE);
    for (uint32_t i = 0; i < MADE; i++)
        sum = call(g, &weigh_def, i, (rask_node *[]){made[i], sum}, 2);
    rask_report report;
    must_give(sum, budget(SMALL_BUDGET, 2), &report);
    cr_assert_eq(report.dropped, 0);
    cr_assert_gt(report.spilled_bytes, 0);
    rask_graph_free(g);
}

/* What is too large. */

static atomic_int calls;

static int count_calls(rask_task *t)
{
    atomic_fetch_add(&calls, 1);
    return make_some(t);
}
static const rask_task_def counted = {.size = sizeof(rask_task_def), .name = "counted", .call = count_calls};

Test(budget, a_task_that_is_too_large_fails_before_it_starts_and_says_what_it_needs)
{
    rask_graph *g = rask_graph_new();
    rask_node *node = call(g, &counted, recipe(BYTES, 10, 1), NULL, 0);
    rask_set_result_bytes(node, 300000);
    rask_set_scratch_bytes(node, 50000);
    rask_node *sum = call(g, &weigh_def, 1, &node, 1);
    must_refuse(sum, budget(100000, 2), RASK_EBUDGET, "needs 350000 bytes");
    must_refuse(sum, budget(100000, PROCESSES), RASK_EBUDGET, "needs 350000 bytes");
    must_refuse(sum, budget(100000, 0), RASK_EBUDGET,
                "the memory budget is 100000; arguments and results (chunks) 1/6 as large may fit");
    cr_assert_eq(atomic_load(&calls), 0);
    rask_report report;
    must_give(sum, budget(400000, 2), &report);
    cr_assert_geq(report.peak_bytes, 350000, "scratch is counted");
    must_give(sum, budget(400000, PROCESSES), &report);
    cr_assert_geq(report.peak_bytes, 350000, "scratch is counted");
    rask_graph_free(g);
}

/* What a refusal says of its causes, in a budget of 100000 bytes. */
static void refusal_ends(uint64_t result, uint64_t scratch, const char *end)
{
    rask_graph *g = rask_graph_new();
    rask_node *node = call(g, &counted, recipe(BYTES, 10, 1), NULL, 0);
    rask_set_result_bytes(node, result);
    rask_set_scratch_bytes(node, scratch);
    rask_node *weighed = call(g, &weigh_def, 1, &node, 1);
    must_refuse(weighed, budget(100000, 2), RASK_EBUDGET, end);
    must_refuse(weighed, budget(100000, PROCESSES), RASK_EBUDGET, end);
    rask_graph_free(g);
}

Test(budget, smaller_chunks_are_advised_only_where_they_may_help)
{
    refusal_ends(60000, 50000, "budget is 100000; arguments and results (chunks) 1/2 as large may fit");
    refusal_ends(99000, 99900, "budget is 100000; arguments and results (chunks) 1/990 as large may fit");
    refusal_ends(2000000, 99000, "budget is 100000; needed by");
    refusal_ends(1, 100000, "budget is 100000; needed by");
    refusal_ends(10, 4000000, "budget is 100000; needed by");
}

Test(budget, arguments_that_do_not_fit_together_are_refused)
{
    rask_graph *g = rask_graph_new();
    rask_node *made[10];
    for (uint32_t i = 0; i < 10; i++)
        made[i] = call(g, &make, recipe(BYTES, LEN, i), NULL, 0);
    rask_node *all = call(g, &weigh_def, 1, made, 10);
    for (uint32_t i = 0; i < SETUPS; i++)
        must_refuse(all, budget(6 * LEN, setups[i]), RASK_EBUDGET, "task weigh");
    rask_graph_free(g);
}

/* Where tasks of a unit run one after the other, it is who takes too much, and not who comes last. */
Test(budget, of_a_unit_the_task_that_takes_what_does_not_fit_is_named)
{
    rask_graph *g = rask_graph_new();
    rask_node *made[10];
    for (uint32_t i = 0; i < 10; i++)
        made[i] = call(g, &make, recipe(BYTES, LEN, i), NULL, 0);
    rask_node *together = rask_concat(rask_list(g, made, 10));
    rask_node *all = call(g, &weigh_def, 1, &together, 1);
    for (uint32_t i = 0; i < SETUPS; i++) {
        must_refuse(all, budget(6 * LEN, setups[i]), RASK_EBUDGET, "task list");
        must_refuse(all, budget(6 * LEN, setups[i]), RASK_EBUDGET, "; needed by concat < weigh");
    }
    rask_graph_free(g);
}

Test(budget, results_asked_for_must_fit_together)
{
    rask_graph *g = rask_graph_new();
    rask_node *made[10];
    rask_value results[10];
    for (uint32_t i = 0; i < 10; i++)
        made[i] = call(g, &make, recipe(i % KINDS, LEN, i), NULL, 0);
    for (uint32_t s = 0; s < SETUPS; s++) {
        rask_report report;
        rask_options o = budget(6 * LEN, setups[s]);
        o.report = &report;
        cr_assert_eq(rask_compute_values(made, 10, &o, results), RASK_EBUDGET);
        cr_assert_not_null(strstr(rask_graph_error(g), "the 10 results that were asked for take "), "%s",
                           rask_graph_error(g));
        cr_assert_null(strstr(rask_graph_error(g), "task "), "no task is to blame: %s", rask_graph_error(g));
        cr_assert_eq(report.live_bytes, 0);
        o.memory = 12 * LEN;
        cr_assert_eq(rask_compute_values(made, 10, &o, results), RASK_OK);
        cr_assert_eq(report.live_bytes, 0);
        for (uint32_t i = 0; i < 10; i++) {
            cr_assert_eq(results[i].reserved, 0);
            rask_value_unref(&results[i]);
        }
    }
    rask_graph_free(g);
}

static int make_fixed(rask_task *t)
{
    return rask_return_value(t, box_of(&fixed_class, LEN, (uint64_t)rask_arg_i64(t, 0)));
}
static const rask_task_def fixed = {.size = sizeof(rask_task_def), .name = "fixed", .call = make_fixed};

Test(budget, what_cannot_go_to_disk_is_refused_with_the_figures)
{
    for (uint32_t workers = 0; workers <= 2; workers++) {
        rask_graph *g = rask_graph_new();
        rask_node *sum = make_then_weigh(g, &fixed, BYTES, 20, LEN, false);
        must_refuse(sum, budget(6 * LEN, workers), RASK_EBUDGET, "cannot go to disk");
        rask_graph_free(g);
    }
}

Test(budget, results_larger_than_said_go_to_disk_at_once)
{
    rask_graph *g = rask_graph_new();
    rask_node *made[20], *sum;
    for (uint32_t i = 0; i < 20; i++)
        made[i] = rask_set_result_bytes(call(g, &make, recipe(i % KINDS, LEN, i), NULL, 0), 2000);
    sum = gate(g, made, 20);
    for (uint32_t i = 0; i < 20; i++)
        sum = call(g, &weigh_def, i, (rask_node *[]){made[i], sum}, 2);
    rask_report report;
    for (uint32_t workers = 0; workers <= 4; workers++)
        must_give(sum, budget(2 * LEN, workers), &report);
    rask_graph_free(g);
}

/* What goes wrong. */

Test(budget, a_scratch_folder_that_is_not_there_is_an_error_with_its_name)
{
    for (uint32_t i = 0; i < SETUPS; i++) {
        uint32_t workers = setups[i];
        rask_graph *g = rask_graph_new();
        rask_options o = budget(SMALL_BUDGET, workers);
        unsetenv("RASK_SCRATCH");
        setenv("TMPDIR", "/nowhere/at/all", 1); /* one that is named is tried before anything runs */
        rask_node *sum = make_then_weigh(g, &make, KINDS, MADE, LEN, false);
        must_refuse(sum, o, RASK_EIO, "/nowhere/at/all: No such file");
        rask_graph_free(g);
    }
}

/* Whether it is needed shows with the data, and then much has been computed. */
Test(budget, a_scratch_folder_that_is_named_is_looked_at_before_anything_runs)
{
    static const char *const folders[] = {"/nowhere/at/all", "/dev/null", "/proc"}; /* takes no files */
    rask_graph *g = rask_graph_new();
    rask_node *made = call(g, &make, recipe(BYTES, 10, 0), NULL, 0);
    rask_value result = rask_value_none();
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        rask_options o = RASK_OPTIONS_INIT;
        rask_report report = {0};
        o.scratch = folders[i];
        o.report = &report;
        cr_expect_eq(rask_compute_value(made, &o, &result), RASK_EIO, "%s", folders[i]);
        cr_expect_not_null(strstr(rask_graph_error(g), folders[i]), "%s", rask_graph_error(g));
        cr_expect_eq(report.finished, 0);
        setenv("RASK_SCRATCH", folders[i], 1);
        o.scratch = NULL;
        cr_expect_eq(rask_compute_value(made, &o, &result), RASK_EIO, "%s", folders[i]);
        unsetenv("RASK_SCRATCH");
    }
    rask_graph_free(g);
}

/* One that was tried by the run before is not tried again. */
Test(budget, a_scratch_folder_that_has_gone_since_the_last_run_is_missed_before_anything_runs)
{
    char folder[] = "/tmp/rask-scratch-XXXXXX";
    rask_graph *g = rask_graph_new();
    rask_node *made = call(g, &make, recipe(BYTES, 10, 0), NULL, 0);
    rask_options o = RASK_OPTIONS_INIT;
    cr_assert_not_null(mkdtemp(folder));
    o.scratch = folder;
    for (int i = 0; i < 4; i++) {
        rask_value result = rask_value_none();
        cr_expect_eq(rask_compute_value(made, &o, &result), i < 2 ? RASK_OK : RASK_EIO, "%d", i);
        rask_value_unref(&result);
        if (i == 1)
            cr_assert_eq(rmdir(folder), 0);
    }
    cr_expect_not_null(strstr(rask_graph_error(g), folder), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

Test(budget, a_full_disk_is_an_error_with_the_folder)
{
    struct rlimit limit = {200000, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    char folder[] = "/tmp/rask-test-budget-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (uint32_t i = 0; i < SETUPS; i++) {
        uint32_t workers = setups[i];
        rask_graph *g = rask_graph_new();
        rask_options o = budget(SMALL_BUDGET, workers);
        o.scratch = folder;
        must_refuse(make_then_weigh(g, &make, KINDS, MADE, LEN, false), o, RASK_EIO, folder);
        rask_graph_free(g);
    }
    cr_assert_eq(rmdir(folder), 0, "nothing was left behind");
}

static int fail_late(rask_task *t)
{
    return rask_fail(t, RASK_EFORMAT, "as it should");
}
static const rask_task_def fail_def = {.size = sizeof(rask_task_def), .name = "fail_late", .call = fail_late};

Test(budget, a_failure_leaves_nothing_on_disk_or_in_memory)
{
    for (uint32_t i = 0; i < SETUPS; i++) {
        uint32_t workers = setups[i];
        rask_graph *g = rask_graph_new();
        rask_node *sum = make_then_weigh(g, &make, KINDS, MADE, LEN, false);
        rask_node *failed = rask_after(rask_call(g, &fail_def, NULL, 0), &sum, 1);
        rask_node *pair[2] = {make_then_weigh(g, &make, KINDS, MADE, LEN, true), failed};
        must_refuse(call(g, &weigh_def, 1, pair, 2), budget(SMALL_BUDGET, workers), RASK_EFORMAT,
                    "as it should");
        rask_graph_free(g);
    }
}

static rask_cancel_token *token;

static int cancel_run(rask_task *t)
{
    rask_cancel(token);
    return rask_return_i64(t, 1);
}
static const rask_task_def cancel_def = {.size = sizeof(rask_task_def), .name = "cancel", .call = cancel_run};

Test(budget, cancelling_in_the_middle_leaves_nothing)
{
    for (uint32_t workers = 0; workers <= 4; workers++) {
        rask_graph *g = rask_graph_new();
        rask_node *made[MADE];
        for (uint32_t i = 0; i < MADE; i++)
            made[i] = call(g, &make, recipe(i % KINDS, LEN, i), NULL, 0);
        rask_node *cancel = rask_after(rask_call(g, &cancel_def, NULL, 0), made, MADE), *sum = cancel;
        for (uint32_t i = 0; i < MADE; i++)
            sum = call(g, &weigh_def, i, (rask_node *[]){made[i], sum}, 2);
        rask_options o = budget(SMALL_BUDGET, workers);
        o.cancel = token = rask_cancel_token_new();
        must_refuse(sum, o, RASK_ECANCELLED, "cancelled");
        rask_cancel_token_free(token);
        rask_graph_free(g);
    }
}

/* Sources that fail when they are called again. */
static atomic_int source_calls;

static int fickle(rask_task *t)
{
    if (atomic_fetch_add(&source_calls, 1) >= MADE)
        return rask_fail(t, RASK_EIO, "the file is gone");
    return make_some(t);
}
static const rask_task_def fickle_def = {
    .size = sizeof(rask_task_def), .name = "fickle", .call = fickle, .flags = RASK_SOURCE};

Test(budget, a_source_that_fails_when_called_again_fails_who_needs_it)
{
    for (uint32_t workers = 0; workers <= 2; workers++) {
        rask_graph *g = rask_graph_new();
        rask_node *sum = make_then_weigh(g, &fickle_def, BYTES, MADE, LEN, false);
        atomic_store(&source_calls, 0);
        must_refuse(sum, budget(SMALL_BUDGET, workers), RASK_EIO, "fickle failed: the file is gone");
        rask_graph_free(g);
    }
}

static int odd_at_first(rask_task *t)
{
    return rask_task_attempt(t) < 1 ? rask_fail(t, RASK_EIO, "not yet") : make_some(t);
}
static const rask_task_def odd_def = {
    .size = sizeof(rask_task_def), .name = "odd", .call = odd_at_first, .retries = 1, .flags = RASK_SOURCE};

Test(budget, tasks_are_tried_again_as_often_as_ever)
{
    for (uint32_t i = 0; i < SETUPS; i++) {
        uint32_t workers = setups[i];
        rask_graph *g = rask_graph_new();
        rask_node *sum = make_then_weigh(g, &odd_def, KINDS, MADE, LEN, false);
        rask_report report;
        must_give(sum, budget(SMALL_BUDGET, workers), &report);
        cr_assert_eq(report.retries, MADE + report.remade);
        rask_graph_free(g);
    }
}

/* I/O lanes. */

static atomic_long lane_bytes, most_lane_bytes;

static int read_ahead(rask_task *t)
{
    long now = atomic_fetch_add(&lane_bytes, LEN) + LEN, most = atomic_load(&most_lane_bytes);
    while (now > most && !atomic_compare_exchange_weak(&most_lane_bytes, &most, now)) {
    }
    return make_some(t);
}
static const rask_task_def read_ahead_def = {
    .size = sizeof(rask_task_def), .name = "read_ahead", .call = read_ahead, .flags = RASK_IO};

static int consume(rask_task *t)
{
    sleep_ms(1);
    atomic_fetch_sub(&lane_bytes, LEN);
    return weigh(t);
}
static const rask_task_def consume_def = {.size = sizeof(rask_task_def), .name = "consume", .call = consume};

/* True: what lanes read found room, and nothing had to go for it. */
static bool reads_keep_back(uint32_t workers)
{
    rask_graph *g = rask_graph_new();
    rask_node *weights[200];
    for (uint32_t i = 0; i < 200; i++) {
        rask_node *made = call(g, &read_ahead_def, recipe(BYTES, LEN, i), NULL, 0);
        rask_set_result_bytes(made, LEN + 100);
        weights[i] = call(g, &consume_def, i, &made, 1);
    }
    rask_node *list = rask_list(g, weights, 200);
    rask_options o = budget(20 * (LEN + 100), workers);
    rask_report report;
    rask_value result;
    o.report = &report;
    o.io_lanes = 8;
    atomic_store(&most_lane_bytes, 0);
    cr_assert_eq(rask_compute_value(list, &o, &result), RASK_OK, "%s", rask_graph_error(g));
    rask_value_unref(&result);
    cr_assert_leq(report.peak_bytes, o.memory);
    rask_graph_free(g);
    return atomic_load(&most_lane_bytes) <= 20 * LEN && !report.spilled_bytes;
}

/* They wait while others come and go; when those are kept from it for long, by other programs, they do not wait for ever. */
Test(budget, lanes_do_not_run_ahead_further_than_the_budget_allows)
{
    for (uint32_t workers = 1; workers <= 2; workers++) {
        bool kept_back = false;
        for (int i = 0; i < 10 && !kept_back; i++)
            kept_back = reads_keep_back(workers);
        cr_assert(kept_back, "held back, not put out of memory");
    }
}

Test(budget, lanes_go_on_when_nobody_else_can)
{
    rask_graph *g = rask_graph_new();
    rask_node *sum = make_then_weigh(g, &make_io, KINDS, MADE, LEN, false);
    rask_report report;
    for (uint32_t workers = 1; workers <= 2; workers++) {
        rask_options o = budget(SMALL_BUDGET, workers);
        o.io_lanes = 4;
        must_give(sum, o, &report);
        cr_assert_gt(report.spilled_bytes, 0);
    }
    rask_graph_free(g);
}

/* Observers see each task once, in memory or not. */

Test(budget, observers_see_every_task_once)
{
    for (uint32_t workers = 0; workers <= 2; workers++) {
        rask_graph *g = rask_graph_new();
        rask_node *pair[2] = {make_then_weigh(g, &make, KINDS, MADE, LEN, false),
                              make_then_weigh(g, &make_source, KINDS, MADE, LEN, true)};
        rask_recording *recording = rask_recording_new();
        const rask_observer *observer = rask_recording_observer(recording);
        rask_options o = budget(SMALL_BUDGET, workers);
        o.observers = &observer;
        o.observer_count = 1;
        rask_report report;
        must_give(call(g, &weigh_def, 1, pair, 2), o, &report);
        uint32_t count;
        const rask_task_info *tasks = rask_recording_tasks(recording, &count);
        cr_assert_eq(count, report.tasks);
        for (uint32_t i = 0; i < count; i++)
            cr_assert(tasks[i].end_ns >= tasks[i].start_ns && tasks[i].start_ns &&
                      tasks[i].status == RASK_OK);
        rask_recording_free(recording);
        rask_graph_free(g);
    }
}

/* Runs inside of tasks have a budget of their own. */

static int nested(rask_task *t)
{
    rask_graph *g = rask_graph_new();
    rask_report report;
    int64_t sum =
        must_give(make_then_weigh(g, &make_io, KINDS, 30, LEN, false), budget(SMALL_BUDGET, 2), &report);
    rask_graph_free(g);
    return rask_return_value(t, bytes_of(LEN, (uint64_t)sum));
}
static const rask_task_def nested_def = {.size = sizeof(rask_task_def), .name = "nested", .call = nested};

Test(budget, a_run_inside_a_task_ends_though_the_outer_one_is_short_of_room)
{
    rask_graph *g = rask_graph_new();
    rask_node *made[12], *sum;
    for (uint32_t i = 0; i < 12; i++)
        made[i] = rask_set_result_bytes(
            call(g, i % 2 ? &nested_def : &make_io, recipe(BYTES, LEN, i), NULL, 0), LEN + 100);
    sum = gate(g, made, 12);
    for (uint32_t i = 0; i < 12; i++)
        sum = call(g, &weigh_def, i, (rask_node *[]){made[i], sum}, 2);
    rask_report report;
    must_give(sum, budget(3 * LEN, 2), &report);
    rask_graph_free(g);
}

/* Random graphs within every budget from what just suffices to plenty. */

typedef struct sweep {
    uint64_t random;
    rask_graph *graph;
    rask_node *nodes[200];
    uint64_t bytes[200]; /* more than each result takes */
    uint32_t count;
    uint64_t least; /* budget that suffices */
    rask_node *target;
} sweep;

static uint32_t draw(sweep *s, uint32_t below)
{
    s->random = mix(s->random);
    return (uint32_t)(s->random >> 33) % below;
}

static void add_random_call(sweep *s, bool hints)
{
    static const rask_task_def *const defs[] = {&make,    &make,        &make,     &make_cheap,
                                                &make_io, &make_source, &weigh_def};
    const rask_task_def *def = defs[draw(s, COUNT(defs))];
    uint32_t args = s->count && def != &make_source ? draw(s, 4) : 0, kind = draw(s, KINDS);
    size_t len = 1024 << draw(s, 6);
    len += draw(s, (uint32_t)len);
    rask_node *nodes[4];
    uint64_t need = 0;
    for (uint32_t i = 0; i < args; i++) {
        uint32_t back = draw(s, draw(s, 4) ? 10 : s->count), from = back < s->count ? s->count - 1 - back : 0;
        nodes[i] = s->nodes[from];
        need += s->bytes[from];
    }
    rask_node *node = call(s->graph, def, recipe(kind, len, s->count), nodes, args);
    s->bytes[s->count] = def == &weigh_def ? 0 : len + 500;
    uint64_t scratch = draw(s, 3) ? 0 : draw(s, 30000);
    if (hints && def != &weigh_def && draw(s, 4))
        rask_set_result_bytes(node, len + 500);
    if (scratch)
        rask_set_scratch_bytes(node, scratch);
    need += s->bytes[s->count] + scratch;
    s->least = need > s->least ? need : s->least;
    s->nodes[s->count++] = node;
}

/* Everything is weighed in the end, a few at a time. */
static void add_target(sweep *s)
{
    rask_node *sum = call(s->graph, &weigh_def, 1, NULL, 0);
    for (uint32_t i = 0; i < s->count; i++) {
        rask_node *pair[2] = {s->nodes[(i * 7) % s->count], sum};
        sum = call(s->graph, &weigh_def, i, pair, 2);
    }
    s->target = sum;
}

static void sweep_graph(uint64_t seed)
{
    sweep s = {.random = seed, .graph = rask_graph_new()};
    uint32_t count = 20 + draw(&s, 100);
    bool hints = draw(&s, 2);
    while (s.count < count)
        add_random_call(&s, hints);
    add_target(&s);
    rask_report report;
    int64_t expected = must_give(s.target, budget(0, 1), &report);
    /* A source that was dropped needs its scratch again beside the task that takes it. */
    uint64_t least = s.least + 4 * 30000;
    for (uint32_t step = 0; step < 4; step++) {
        for (uint32_t workers = 0; workers <= 4; workers += workers ? workers : 1) {
            rask_options o = budget(least + least * step * step / 4, workers);
            o.seed = workers ? 0 : seed * 4 + step;
            o.io_lanes = 3;
            cr_assert_eq(must_give(s.target, o, &report), expected, "seed %llu, budget %llu, %u workers",
                         (unsigned long long)seed, (unsigned long long)o.memory, workers);
        }
    }
    rask_graph_free(s.graph);
}

Test(budget, random_graphs_fit_into_any_budget_that_suffices)
{
    uint64_t first = getenv("RASK_TEST_SEED") ? strtoull(getenv("RASK_TEST_SEED"), NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + 6; seed++)
        sweep_graph(seed);
}
