/* Plans by hand: merging, inputs and their values, lifetimes, priorities, figures and words. Random graphs
 * against brute force are in test_plan_random.c. */
#include "core/plan/plan.h"

#include <criterion/criterion.h>
#include <math.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static rask_graph *g;

static void set_up(void)
{
    g = rask_graph_new();
}
static void tear_down(void)
{
    rask_graph_free(g);
}
TestSuite(cull, .init = set_up, .fini = tear_down);
TestSuite(merge, .init = set_up, .fini = tear_down);
TestSuite(fuse, .init = set_up, .fini = tear_down);
TestSuite(input, .init = set_up, .fini = tear_down);
TestSuite(order, .init = set_up, .fini = tear_down);
TestSuite(explain, .init = set_up, .fini = tear_down);

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
static int64_t twin(int64_t a, int64_t b)
{
    return a + b;
}
static int64_t next(int64_t i)
{
    return i + 1;
}
static int64_t length(rask_bytes b)
{
    return (int64_t)b.len;
}
static double same(double x)
{
    return x;
}
static int64_t measure(const rask_value *value)
{
    return (int64_t)rask_value_size(value);
}
RASK_TASK_WITH(add, (.flags = RASK_PURE), i64, i64, i64);
RASK_TASK_WITH(twin, (.flags = RASK_PURE), i64, i64, i64);
RASK_TASK_WITH(length, (.flags = RASK_PURE), i64, bytes);
RASK_TASK_WITH(same, (.flags = RASK_PURE), f64, f64);
RASK_TASK_WITH(measure, (.flags = RASK_PURE), i64, value);
RASK_TASK(next, i64, i64);

static const rask_task_def same_function = {.size = sizeof(rask_task_def),
                                            .name = "another definition of add",
                                            .call = rask_call_of_add,
                                            .identity = (void (*)(void))add,
                                            .arguments = "ii",
                                            .flags = RASK_PURE,
                                            .result_bytes = 10};

static rask_plan *plan_of(rask_node *const *targets, size_t count)
{
    rask_plan *plan = NULL;
    cr_assert_eq(rask_plan_new(targets, count, &plan), RASK_OK, "%s", rask_graph_error(g));
    return plan;
}
#define PLAN(...) plan_of((rask_node *[]){__VA_ARGS__}, COUNT(((rask_node *[]){__VA_ARGS__})))

static rask_plan_stats stats_and_end(rask_plan *plan)
{
    rask_plan_stats stats = rask_plan_get_stats(plan);
    rask_plan_free(plan);
    return stats;
}

static int64_t run(rask_plan *plan)
{
    rask_value result = rask_value_i64(INT64_MIN);
    cr_expect_eq(rask_plan_run(plan, NULL, &result), RASK_OK, "%s", rask_plan_error(plan));
    return result.as.i64;
}

Test(cull, leaves_out_what_no_target_needs)
{
    rask_node *a = rask_delayed(g, next, 1), *b = rask_delayed(g, next, a), *c = rask_delayed(g, next, 2);
    rask_delayed(g, next, c);
    rask_plan_stats stats = stats_and_end(PLAN(b));
    cr_expect_eq(stats.nodes, 4);
    cr_expect_eq(stats.tasks, 2);
    cr_expect_eq(stats.culled, 2);
}

Test(cull, keeps_what_a_target_only_waits_for)
{
    rask_node *first = rask_delayed(g, next, 1), *second = rask_delayed(g, next, 2);
    rask_after(second, &first, 1);
    cr_expect_eq(stats_and_end(PLAN(second)).tasks, 2);
}

Test(cull, takes_the_same_target_many_times_and_constants)
{
    rask_node *call = rask_delayed(g, next, 1), *text = rask_const(g, "text"), *input = rask_input(g, 5.0);
    rask_plan *plan = PLAN(call, text, call, input, text, call);
    rask_value results[6];
    cr_assert_eq(rask_plan_run(plan, NULL, results), RASK_OK);
    const uint32_t types[] = {RASK_I64, RASK_BYTES, RASK_I64, RASK_F64, RASK_BYTES, RASK_I64};
    for (size_t i = 0; i < COUNT(types); i++) {
        cr_expect_eq(results[i].type, types[i]);
        rask_value_unref(&results[i]);
    }
    cr_expect_eq(plan->tasks, 1);
    cr_expect_eq(plan->uses[0], 3);
    rask_plan_free(plan);
}

Test(cull, of_constants_alone_leaves_nothing_to_run)
{
    rask_plan *plan = PLAN(rask_const(g, 7));
    cr_expect_eq(plan->tasks, 0);
    cr_expect_eq(plan->units, 0);
    cr_expect_eq(plan->all_units, 1);
    cr_expect_eq(run(plan), 7);
    rask_plan_free(plan);
}

/* How many of two calls are left. */
static uint32_t left_of(rask_node *a, rask_node *b)
{
    return stats_and_end(PLAN(a, b)).tasks;
}

Test(merge, makes_equal_pure_calls_one)
{
    rask_node *two = rask_const(g, 2), *also_two = rask_const(g, 2);
    cr_expect_eq(left_of(rask_delayed(g, add, 1, 2), rask_delayed(g, add, 1, 2)), 1);
    cr_expect_eq(left_of(rask_delayed(g, add, 1, two), rask_delayed(g, add, 1, also_two)), 1);
    cr_expect_eq(left_of(rask_delayed(g, add, 1, two), rask_delayed(g, add, 1, 2)), 1);
    cr_expect_eq(left_of(rask_delayed(g, length, "some text"), rask_delayed(g, length, "some text")), 1);
    cr_expect_eq(left_of(rask_delayed(g, same, NAN), rask_delayed(g, same, NAN)), 1);
}

Test(merge, goes_by_function_not_by_definition)
{
    const rask_arg args[] = {rask_arg_of_i64(1), rask_arg_of_i64(2)};
    cr_expect_eq(left_of(rask_delayed(g, add, 1, 2), rask_call(g, &same_function, args, 2)), 1);
}

Test(merge, keeps_different_calls_apart)
{
    cr_expect_eq(left_of(rask_delayed(g, add, 1, 2), rask_delayed(g, add, 2, 1)), 2);
    cr_expect_eq(left_of(rask_delayed(g, add, 1, 2), rask_delayed(g, twin, 1, 2)), 2);
    cr_expect_eq(left_of(rask_delayed(g, length, "text"), rask_delayed(g, length, "test")), 2);
    cr_expect_eq(left_of(rask_delayed(g, same, 0.0), rask_delayed(g, same, -0.0)), 2);
    cr_expect_eq(left_of(rask_delayed(g, same, 1), rask_delayed(g, same, 1.0)), 2);
    cr_expect_eq(left_of(rask_delayed(g, same, (bool)true), rask_delayed(g, same, 1)), 2);
}

Test(merge, leaves_impure_calls_alone)
{
    cr_expect_eq(left_of(rask_delayed(g, next, 1), rask_delayed(g, next, 1)), 2);
}

Test(merge, leaves_calls_alone_that_wait_for_others)
{
    rask_node *first = rask_delayed(g, next, 1), *a = rask_delayed(g, add, 1, 2),
              *b = rask_delayed(g, add, 1, 2);
    rask_after(a, &first, 1);
    cr_expect_eq(left_of(a, b), 3);
}

Test(merge, goes_on_through_equal_arguments)
{
    rask_node *sums[2];
    for (int i = 0; i < 2; i++) {
        sums[i] = rask_delayed(g, add, 1, 2);
        for (int k = 0; k < 100; k++)
            sums[i] = rask_delayed(g, add, sums[i], sums[i]);
    }
    rask_plan *plan = PLAN(sums[0], sums[1]);
    cr_expect_eq(plan->tasks, 101);
    cr_expect_eq(plan->merged, 101);
    cr_expect_eq(plan->targets[0], plan->targets[1]);
    rask_plan_free(plan);
}

Test(merge, compares_shared_objects_by_identity)
{
    rask_value list, items[2] = {rask_value_i64(1), rask_value_i64(2)};
    cr_assert_eq(rask_value_list_new(items, 2, &list), RASK_OK);
    cr_expect_eq(left_of(rask_delayed(g, measure, &list), rask_delayed(g, measure, &list)), 1);
    rask_value_unref(&list);
}

/* Bytes of every length and nearly equal content: whatever the hash makes of them, only equal ones merge. */
Test(merge, tells_nearly_equal_constants_apart)
{
    enum { LENGTHS = 300 };
    static char text[LENGTHS];
    rask_node *calls[2 * LENGTHS];
    memset(text, 'a', sizeof text);
    for (int i = 0; i < LENGTHS; i++) {
        calls[2 * i] = rask_delayed(g, length, ((rask_bytes){text, (size_t)i}));
        text[i] = 'b';
        calls[2 * i + 1] = rask_delayed(g, length, ((rask_bytes){text, (size_t)i + 1}));
        text[i] = 'a';
    }
    cr_expect_eq(stats_and_end(plan_of(calls, 2 * LENGTHS)).tasks, 2 * LENGTHS);
}

/* Of this thread: what others do meanwhile is not in it. */
static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Equal hashes would make a chain of 200,000 entries. The bound is far above what it takes under a sanitizer. */
static void expect_quick(rask_node *const *calls, size_t count, uint32_t tasks)
{
    double start = processor_seconds();
    cr_expect_eq(stats_and_end(plan_of(calls, count)).tasks, tasks);
    cr_expect_lt(processor_seconds() - start, 4);
}

Test(merge, stays_linear_for_many_inputs_of_one_value)
{
    enum { CALLS = 200000 };
    rask_node **calls = malloc(CALLS * sizeof *calls);
    for (int i = 0; i < CALLS; i++)
        calls[i] = rask_delayed(g, add, rask_input(g, 1), 2);
    expect_quick(calls, CALLS, CALLS);
    free(calls);
}

Test(merge, stays_linear_for_many_equal_calls)
{
    enum { CALLS = 200000 };
    rask_node **calls = malloc(CALLS * sizeof *calls);
    for (int i = 0; i < CALLS; i++)
        calls[i] = rask_delayed(g, add, i % 10, 2);
    expect_quick(calls, CALLS, 10);
    free(calls);
}

Test(fuse, makes_a_chain_one_unit)
{
    rask_node *last = rask_delayed(g, next, 0);
    for (int i = 1; i < 1000; i++)
        last = rask_delayed(g, next, last);
    rask_plan *plan = PLAN(last);
    cr_expect_eq(plan->units, 1);
    cr_expect_eq(plan->tasks, 1000);
    cr_expect_eq(run(plan), 1000);
    rask_plan_free(plan);
}

Test(fuse, begins_a_unit_with_a_call_that_may_wait_for_its_next)
{
    rask_node *first = rask_delayed(g, next, 1), *second = rask_set_backoff(rask_delayed(g, next, first), 1),
              *third = rask_set_backoff(rask_delayed(g, next, second), 0);
    rask_plan *plan = PLAN(rask_delayed(g, next, third));
    cr_expect_eq(plan->units, 2);
    rask_plan_free(plan);
}

Test(fuse, keeps_branches_apart)
{
    rask_node *root = rask_delayed(g, next, 0), *left = rask_delayed(g, next, root),
              *right = rask_delayed(g, next, root), *both = rask_delayed(g, add, left, right);
    rask_plan *plan = PLAN(both);
    cr_expect_eq(plan->units, 4);
    cr_expect_eq(run(plan), 4);
    rask_plan_free(plan);
}

Test(fuse, keeps_a_target_last_in_its_unit)
{
    rask_node *inner = rask_delayed(g, next, 0), *outer = rask_delayed(g, next, inner);
    rask_plan *plan = PLAN(inner, outer);
    rask_value results[2];
    cr_expect_eq(plan->units, 2);
    cr_assert_eq(rask_plan_run(plan, NULL, results), RASK_OK);
    cr_expect(results[0].as.i64 == 1 && results[1].as.i64 == 2);
    rask_plan_free(plan);
}

Test(input, is_never_merged)
{
    rask_node *a = rask_input(g, 1), *b = rask_input(g, 1), *constant = rask_const(g, 1);
    cr_expect_eq(left_of(rask_delayed(g, add, a, 2), rask_delayed(g, add, b, 2)), 2);
    cr_expect_eq(left_of(rask_delayed(g, add, a, 2), rask_delayed(g, add, constant, 2)), 2);
    cr_expect_eq(left_of(rask_delayed(g, add, a, 2), rask_delayed(g, add, 1, 2)), 2);
    cr_expect_eq(left_of(rask_delayed(g, add, a, 2), rask_delayed(g, add, a, 2)), 1,
                 "but is equal to itself");
}

Test(input, bound_anew_changes_the_next_run)
{
    rask_node *a = rask_input(g, 1), *b = rask_input(g, 1);
    rask_plan *plan = PLAN(rask_delayed(g, add, rask_delayed(g, add, a, b), 100));
    cr_expect_eq(run(plan), 102);
    for (int64_t i = 0; i < 10; i++) {
        rask_value value = rask_value_i64(i);
        cr_expect_eq(rask_plan_bind(plan, a, &value), RASK_OK);
        cr_expect_eq(run(plan), 101 + i);
        cr_expect_eq(run(plan), 101 + i);
    }
    rask_plan_free(plan);
}

Test(input, bound_in_one_plan_leaves_others_alone)
{
    rask_node *a = rask_input(g, 1), *call = rask_delayed(g, next, a);
    rask_plan *bound = PLAN(call), *other = PLAN(call);
    rask_value value = rask_value_i64(10);
    cr_expect_eq(rask_plan_bind(bound, a, &value), RASK_OK);
    cr_expect_eq(run(bound), 11);
    cr_expect_eq(run(other), 2);
    rask_plan_free(bound);
    rask_plan_free(other);
}

Test(input, holds_a_reference_of_its_own)
{
    rask_node *text = rask_input(g, "one");
    rask_plan *plan = PLAN(rask_delayed(g, length, text));
    for (int i = 0; i < 3; i++) {
        rask_value longer;
        cr_assert_eq(rask_value_bytes_new("longer text", 4 + (size_t)i, &longer), RASK_OK);
        cr_expect_eq(rask_plan_bind(plan, text, &longer), RASK_OK);
        rask_value_unref(&longer);
        cr_expect_eq(run(plan), 4 + i);
    }
    rask_plan_free(plan);
}

Test(input, that_is_a_target_gives_what_was_bound)
{
    rask_node *a = rask_input(g, 1);
    rask_plan *plan = PLAN(a);
    rask_value value = rask_value_i64(9);
    cr_expect_eq(rask_plan_bind(plan, a, &value), RASK_OK);
    cr_expect_eq(run(plan), 9);
    rask_plan_free(plan);
}

Test(input, that_no_target_needs_is_bound_without_effect)
{
    rask_node *idle = rask_input(g, 1);
    rask_plan *plan = PLAN(rask_delayed(g, next, 1));
    rask_value value = rask_value_i64(9);
    cr_expect_eq(rask_plan_bind(plan, idle, &value), RASK_OK);
    cr_expect_eq(run(plan), 2);
    rask_plan_free(plan);
}

Test(plan, outlives_its_graph)
{
    rask_graph *graph = rask_graph_new();
    rask_node *text = rask_const(graph, "a constant with memory of its own");
    rask_node *call = rask_set_label(rask_delayed(graph, length, text), "label"), *targets[] = {call, text};
    rask_plan *plan = plan_of(targets, 2);
    rask_value results[2];
    rask_bytes bytes;
    rask_graph_free(graph);
    cr_expect_gt(rask_plan_explain(plan, 1, NULL, 0), 0);
    cr_assert_eq(rask_plan_run(plan, NULL, results), RASK_OK);
    rask_plan_free(plan);
    cr_expect_eq(results[0].as.i64, 33);
    cr_expect_eq(rask_value_get_bytes(&results[1], &bytes), RASK_OK);
    cr_expect_str_eq(bytes.data, "a constant with memory of its own");
    rask_value_unref(&results[1]);
}

Test(plan, is_not_changed_by_what_is_built_later)
{
    rask_graph *graph = rask_graph_new();
    rask_node *last = rask_delayed(graph, next, 1), *a = rask_input(graph, 5),
              *sum = rask_delayed(graph, add, a, last);
    rask_plan *plan = plan_of(&sum, 1);
    rask_value value = rask_value_i64(50);
    for (int i = 0; i < 100000; i++)
        last = rask_delayed(graph, next, last);
    cr_expect_eq(run(plan), 7);
    cr_expect_eq(rask_plan_bind(plan, a, &value), RASK_OK);
    for (int i = 0; i < 1000; i++)
        rask_delayed(graph, next, i);
    cr_expect_eq(run(plan), 52);
    rask_plan_free(plan);
    rask_graph_free(graph);
}

Test(order, puts_larger_priorities_first)
{
    enum { CALLS = 50 };
    rask_node *calls[CALLS];
    for (int i = 0; i < CALLS; i++)
        calls[i] = rask_set_priority(rask_delayed(g, next, i), (i * 7) % CALLS - CALLS / 2);
    rask_plan *plan = plan_of(calls, CALLS);
    for (uint32_t t = 1; t < CALLS; t++)
        cr_expect_gt(rk_node_extra(rk_graph_node(g, plan->node[t - 1]))->priority,
                     rk_node_extra(rk_graph_node(g, plan->node[t]))->priority);
    rask_plan_free(plan);
}

Test(order, never_puts_a_priority_before_what_it_needs)
{
    rask_node *low = rask_set_priority(rask_delayed(g, next, 1), -5), *other = rask_delayed(g, next, 2);
    rask_node *urgent = rask_set_priority(rask_delayed(g, add, low, other), 1000);
    rask_plan *plan = PLAN(urgent, rask_delayed(g, next, 3));
    cr_assert_eq(plan->tasks, 4);
    cr_expect_eq(plan->node[2], rask_node_id(low), "by its own priority it comes behind all others");
    cr_expect_eq(plan->node[3], rask_node_id(urgent));
    rask_plan_free(plan);
}

Test(order, knows_sizes)
{
    /* Two pairs: taking each large result at once holds one of them at a time. */
    rask_node *ends[2];
    rask_node *a = rask_set_result_bytes(rask_delayed(g, next, 1), 1000);
    rask_node *b = rask_set_result_bytes(rask_delayed(g, next, 2), 1000);
    rask_node *x = rask_delayed(g, next, 3);
    ends[0] = rask_delayed(g, add, a, x);
    ends[1] = rask_delayed(g, add, b, x);
    rask_plan_stats stats = stats_and_end(PLAN(rask_delayed(g, add, ends[0], ends[1])));
    cr_expect_eq(stats.peak_bytes, 1000 + 16 + 16);
}

static char text[4096];

static size_t explained(rask_plan *plan, uint32_t workers)
{
    return rask_plan_explain(plan, workers, text, sizeof text);
}

Test(explain, says_what_will_run)
{
    rask_node *parts[8];
    for (int i = 0; i < 8; i++)
        parts[i] = rask_delayed(g, next, rask_delayed(g, add, i / 2, 1));
    rask_delayed(g, next, 100);
    rask_plan *plan = PLAN(rask_sum(rask_list(g, parts, 8)));
    cr_expect_eq(explained(plan, 2), strlen(text));
    const char *lines[] = {"14 tasks in ",
                           " edges, from 19 nodes\n",
                           "         4 x add (pure)\n",
                           "         8 x next\n",
                           "         1 x sum (pure)\n",
                           "not needed: 1; merged into equal calls: 4; fused: ",
                           "longest path: 4 tasks; parallelism: 3.5\n",
                           "expected peak: 8 results of unknown size on 1 worker\n",
                           "expected peak: 8 results of unknown size on 2 workers\n"};
    for (size_t i = 0; i < COUNT(lines); i++)
        cr_expect_not_null(strstr(text, lines[i]), "\"%s\" is not in:\n%s", lines[i], text);
    rask_plan_free(plan);
}

Test(explain, of_a_peak_that_nothing_is_known_of_nothing_is_said)
{
    rask_plan *plan = PLAN(rask_delayed(g, next, 100));
    explained(plan, 1);
    cr_expect_null(strstr(text, "peak: 0 results"), "%s", text);
    rask_plan_free(plan);
}

Test(explain, shows_bytes_in_fitting_units)
{
    const struct {
        uint64_t bytes;
        const char *shown;
    } cases[] = {{100, "100 bytes"},
                 {1536, "1.5 KiB"},
                 {5 << 20, "5.0 MiB"},
                 {3ull << 30, "3.0 GiB"},
                 {1ull << 52, "4.0 PiB"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        rask_node *a = rask_set_result_bytes(rask_delayed(g, next, 1), cases[i].bytes);
        rask_plan *plan = PLAN(rask_delayed(g, next, a), rask_delayed(g, next, a));
        explained(plan, 1);
        char line[64];
        snprintf(line, sizeof line, "expected peak: %s on 1 worker\n", cases[i].shown);
        cr_expect_not_null(strstr(text, line), "\"%s\" is not in:\n%s", line, text);
        rask_plan_free(plan);
    }
}

Test(explain, cuts_at_the_capacity_as_snprintf_does)
{
    rask_plan *plan = PLAN(rask_delayed(g, next, 1));
    size_t len = explained(plan, 2);
    char full[4096], cut[4096];
    strcpy(full, text);
    cr_expect_eq(rask_plan_explain(plan, 2, NULL, 0), len);
    for (size_t capacity = 1; capacity <= len + 1; capacity++) {
        memset(cut, '#', sizeof cut);
        cr_expect_eq(rask_plan_explain(plan, 2, cut, capacity), len);
        cr_expect_eq(strlen(cut), capacity - 1);
        cr_expect_arr_eq(cut, full, capacity - 1);
    }
    rask_plan_free(plan);
}
