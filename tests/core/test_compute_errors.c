/* Bad calls on a good graph: planning, computing, binding and asking with what cannot be. Each is refused
 * with its code and a message, leaves its outputs untouched, and the graph as usable as before. */
#include "core/base/limits.h"

#include <criterion/criterion.h>
#include <math.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
static double half(double x)
{
    return x / 2;
}
static const char *hello(void)
{
    return "hello";
}
RASK_TASK(add, i64, i64, i64);
RASK_TASK(half, f64, f64);
RASK_TASK(hello, str);

static rask_graph *g, *other;
static rask_node *input, *sum, *text, *foreign;

static void set_up(void)
{
    g = rask_graph_new();
    other = rask_graph_new();
    foreign = rask_input(other, 1);
    input = rask_input(g, 1);
    sum = rask_delayed(g, add, input, 2);
    text = rask_delayed(g, hello);
}

/* The graph still does what it should. */
static void tear_down(void)
{
    int64_t answer = 0;
    cr_expect_eq(rask_compute(sum, &answer), RASK_OK);
    cr_expect_eq(answer, 3);
    cr_expect_eq(rask_graph_status(g), RASK_OK);
    cr_expect_str_eq(rask_graph_error(g), "");
    rask_graph_free(g);
    rask_graph_free(other);
}

TestSuite(bad_targets, .init = set_up, .fini = tear_down);
TestSuite(bad_results, .init = set_up, .fini = tear_down);
TestSuite(bad_options, .init = set_up, .fini = tear_down);
TestSuite(bad_plan, .init = set_up, .fini = tear_down);

static void expect_error(int status, int code, const char *error, const char *message)
{
    cr_expect_eq(status, code, "%s instead of %s: %s", rask_status_name(status), rask_status_name(code),
                 message);
    cr_expect_not_null(strstr(error, message), "\"%s\" does not say \"%s\"", error, message);
}

/* The call comes before its error is asked for. */
#define EXPECT_ERROR(call, code, error, message)                                                             \
    do {                                                                                                     \
        int status_of_call = (call);                                                                         \
        expect_error(status_of_call, code, error, message);                                                  \
    } while (0)

static void expect_bad_targets(rask_node *const *targets, size_t count, int code, const char *message)
{
    rask_plan *untouched = (rask_plan *)&count, *plan = untouched;
    rask_value results[2] = {rask_value_i64(7), rask_value_i64(7)};
    EXPECT_ERROR(rask_plan_new(targets, count, &plan), code, rask_graph_error(g), message);
    EXPECT_ERROR(rask_compute_values(targets, count, NULL, results), code, rask_graph_error(g), message);
    cr_expect_eq(plan, untouched);
    cr_expect(results[0].as.i64 == 7 && results[1].as.i64 == 7);
}

Test(bad_targets, that_are_null)
{
    expect_bad_targets((rask_node *[]){sum, NULL}, 2, RASK_EGRAPH, "target 1 is NULL: it could not be built");
    expect_bad_targets((rask_node *[]){NULL, sum}, 2, RASK_EGRAPH, "target 0 is NULL: it could not be built");
    expect_bad_targets((rask_node *[]){NULL, NULL}, 2, RASK_EGRAPH, "");
    expect_bad_targets((rask_node *[]){NULL}, 1, RASK_EGRAPH, "");
}

Test(bad_targets, that_are_none)
{
    expect_bad_targets(NULL, 1, RASK_EINVAL, "");
    expect_bad_targets(&sum, 0, RASK_EINVAL, "");
    expect_bad_targets(NULL, 0, RASK_EINVAL, "");
}

Test(bad_targets, of_two_graphs)
{
    expect_bad_targets((rask_node *[]){sum, foreign}, 2, RASK_EINVAL,
                       "target 1 (input) belongs to another graph than target 0");
    rask_node *mixed[] = {foreign, sum};
    rask_value results[2];
    cr_expect_eq(rask_compute_values(mixed, 2, NULL, results), RASK_EINVAL);
    cr_expect_not_null(
        strstr(rask_graph_error(other), "target 1 (add) belongs to another graph than target 0"));
}

Test(bad_targets, of_a_failed_graph)
{
    rask_value result;
    cr_expect_null(rask_delayed(other, add, 1));
    cr_expect_eq(rask_compute_value(foreign, NULL, &result), RASK_EINVAL);
    cr_expect_not_null(strstr(rask_graph_error(other), "add: takes 2 arguments, was given 1"));
}

Test(bad_results, have_nowhere_to_go)
{
    rask_plan *plan;
    EXPECT_ERROR(rask_compute_value(sum, NULL, NULL), RASK_EINVAL, rask_graph_error(g),
                 "nowhere to put the result");
    EXPECT_ERROR(rask_compute_out(sum, NULL, RASK_OUT_I64, NULL), RASK_EINVAL, rask_graph_error(g),
                 "nowhere to put the result");
    EXPECT_ERROR(rask_plan_new(&sum, 1, NULL), RASK_EINVAL, "", "");
    cr_assert_eq(rask_plan_new(&sum, 1, &plan), RASK_OK);
    EXPECT_ERROR(rask_plan_run(plan, NULL, NULL), RASK_EINVAL, rask_plan_error(plan),
                 "nowhere to put the results");
    rask_plan_free(plan);
    cr_expect_eq(rask_compute_out(NULL, NULL, RASK_OUT_I64, NULL), RASK_EGRAPH);
}

Test(bad_results, of_another_type_say_which)
{
    bool b = true;
    int64_t i = 7;
    double f = 7;
    EXPECT_ERROR(rask_compute(sum, &b), RASK_ETYPE, rask_graph_error(g),
                 "the result of add is i64, not bool");
    EXPECT_ERROR(rask_compute(text, &i), RASK_ETYPE, rask_graph_error(g),
                 "the result of hello is bytes, not i64");
    EXPECT_ERROR(rask_compute(text, &f), RASK_ETYPE, rask_graph_error(g),
                 "the result of hello is bytes, not f64");
    EXPECT_ERROR(rask_compute(rask_delayed(g, half, 1), &i), RASK_ETYPE, rask_graph_error(g),
                 "is f64, not i64: no int64_t takes it");
    cr_expect(b && i == 7 && f == 7);
    cr_expect_eq(rask_compute_out(sum, NULL, (rask_out_kind)99, &i), RASK_EINVAL);
    cr_expect_eq(i, 7);
}

/* One field wrong at a time. */
static void expect_bad_options(const rask_options *options, int code, const char *message)
{
    rask_value result = rask_value_i64(7);
    rask_plan *plan;
    EXPECT_ERROR(rask_compute_value(sum, options, &result), code, rask_graph_error(g), message);
    cr_assert_eq(rask_plan_new(&sum, 1, &plan), RASK_OK);
    EXPECT_ERROR(rask_plan_run(plan, options, &result), code, rask_plan_error(plan), message);
    cr_expect_eq(rask_plan_run(plan, NULL, &result), RASK_OK, "the plan is still usable");
    cr_expect_str_eq(rask_plan_error(plan), "");
    rask_plan_free(plan);
    result = rask_value_i64(7);
    cr_expect_eq(rask_compute_out(sum, options, RASK_OUT_VALUE, &result), code);
    cr_expect_eq(result.as.i64, 7);
}
#define BAD_OPTIONS(code, message, ...)                                                                      \
    expect_bad_options(&(rask_options){.size = sizeof(rask_options), __VA_ARGS__}, code, message)

Test(bad_options, are_refused)
{
    rask_observer sizeless = {0};
    const rask_observer *missing[] = {NULL}, *small[] = {&sizeless};
    expect_bad_options(&(rask_options){0}, RASK_EINVAL, "options: size is 0: start from RASK_OPTIONS_INIT");
    expect_bad_options(&(rask_options){.size = sizeof(rask_options) + 1}, RASK_EINVAL, "options: size is");
    expect_bad_options(&(rask_options){.size = SIZE_MAX}, RASK_EINVAL,
                       "options: size is 18446744073709551615");
    BAD_OPTIONS(RASK_EINVAL, "scheduler: \"quantum\" is not", .scheduler = "quantum");
    BAD_OPTIONS(RASK_EINVAL, "scheduler: \"\" is not", .scheduler = "");
    BAD_OPTIONS(RASK_EINVAL, "scheduler: \"Threads\" is not", .scheduler = "Threads");
    BAD_OPTIONS(RASK_ERANGE, "workers: 1025, at most 1024", .scheduler = "threads",
                .workers = RK_MAX_WORKERS + 1);
    BAD_OPTIONS(RASK_ERANGE, "workers: 4294967295", .scheduler = "threads", .workers = UINT32_MAX);
    BAD_OPTIONS(RASK_EINVAL, "timeout: -1 seconds is negative or no number", .timeout = -1);
    BAD_OPTIONS(RASK_EINVAL, "timeout: nan seconds", .timeout = NAN);
    BAD_OPTIONS(RASK_EINVAL, "timeout: -inf seconds", .timeout = -INFINITY);
    BAD_OPTIONS(RASK_EINVAL, "inject_failures and inject_delays need a seed", .inject_failures = 1);
    BAD_OPTIONS(RASK_EINVAL, "inject_failures and inject_delays need a seed", .inject_delays = 1);
    BAD_OPTIONS(RASK_EINVAL, "observers: number 0 is NULL or has no size", .observer_count = 1);
    BAD_OPTIONS(RASK_EINVAL, "observers: number 0 is NULL", .observers = missing, .observer_count = 1);
    BAD_OPTIONS(RASK_EINVAL, "observers: number 0 is NULL or has no size", .observers = small,
                .observer_count = 1);
}

Test(bad_options, with_a_huge_name_make_a_message_that_is_cut)
{
    static char name[100000];
    memset(name, 'x', sizeof name - 1);
    BAD_OPTIONS(RASK_EINVAL, "scheduler: \"xxx", .scheduler = name);
    rask_value result;
    const rask_options options = {.size = sizeof options, .scheduler = name};
    rask_compute_value(sum, &options, &result);
    cr_expect_lt(strlen(rask_graph_error(g)), RK_MAX_ERROR);
}

Test(bad_options, of_an_older_program_are_still_understood)
{
    rask_options options = {.size = offsetof(rask_options, memory), .scheduler = "serial", .workers = 1};
    rask_value result;
    memset((char *)&options + options.size, 0xff, sizeof options - options.size);
    cr_expect_eq(rask_compute_value(sum, &options, &result), RASK_OK, "%s", rask_graph_error(g));
}

/* The plan's calls. */

Test(bad_plan, is_null)
{
    rask_value value = rask_value_i64(1);
    uint64_t bytes = 7;
    cr_expect_eq(rask_plan_run(NULL, NULL, &value), RASK_EINVAL);
    cr_expect_eq(rask_plan_bind(NULL, input, &value), RASK_EINVAL);
    cr_expect_eq(rask_plan_expected_peak(NULL, 1, &bytes), RASK_EINVAL);
    cr_expect_eq(rask_plan_explain(NULL, 1, NULL, 0), 0);
    cr_expect_eq(rask_plan_get_stats(NULL).tasks, 0);
    cr_expect_str_eq(rask_plan_error(NULL), "");
    cr_expect_eq(bytes, 7);
    rask_plan_free(NULL);
}

Test(bad_plan, bindings_say_why)
{
    rask_plan *plan;
    rask_value number = rask_value_i64(5), real = rask_value_f64(5), nothing = {.type = 99}, result;
    cr_assert_eq(rask_plan_new(&sum, 1, &plan), RASK_OK);
    rask_node *late = rask_input(g, 1);
    const struct {
        const rask_node *node;
        const rask_value *value;
        int code;
        const char *message;
    } cases[] = {
        {NULL, &number, RASK_EINVAL, "bind: no input"},
        {input, NULL, RASK_EINVAL, "no value"},
        {input, &nothing, RASK_EINVAL, "no value"},
        {input, &real, RASK_ETYPE, "bind: input 0 is i64, not f64"},
        {sum, &number, RASK_EINVAL, "bind: add (node 1) is no input of the plan's graph"},
        {foreign, &number, RASK_EINVAL, "bind: input (node 0) is no input of the plan's graph"},
        {late, &number, RASK_EINVAL, "bind: input 3 was built after the plan"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int status = rask_plan_bind(plan, cases[i].node, cases[i].value);
        expect_error(status, cases[i].code, rask_plan_error(plan), cases[i].message);
        expect_error(status, cases[i].code, rask_graph_error(g), cases[i].message);
    }
    cr_expect_eq(rask_plan_run(plan, NULL, &result), RASK_OK);
    cr_expect_eq(result.as.i64, 3, "a refused binding changes nothing");
    cr_expect_eq(rask_plan_bind(plan, cases[3].node, &real), RASK_ETYPE);
    cr_expect_eq(rask_plan_bind(plan, input, &number), RASK_OK);
    cr_expect_str_eq(rask_plan_error(plan), "");
    rask_plan_free(plan);
}

Test(bad_plan, peaks_are_for_one_to_as_many_workers_as_there_may_be)
{
    rask_plan *plan;
    uint64_t bytes = 7;
    cr_assert_eq(rask_plan_new(&sum, 1, &plan), RASK_OK);
    cr_expect_eq(rask_plan_expected_peak(plan, 0, &bytes), RASK_EINVAL);
    cr_expect_eq(rask_plan_expected_peak(plan, RK_MAX_WORKERS + 1, &bytes), RASK_EINVAL);
    cr_expect_eq(rask_plan_expected_peak(plan, 1, NULL), RASK_EINVAL);
    cr_expect_eq(bytes, 7);
    cr_expect_eq(rask_plan_expected_peak(plan, RK_MAX_WORKERS, &bytes), RASK_OK);
    rask_plan_free(plan);
}
