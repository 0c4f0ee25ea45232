/* What a failed run says: which task, where it was built, why, and who needed it. */
#include "core/base/limits.h"

#include <criterion/criterion.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_line(rask_task *t)
{
    return rask_fail(t, RASK_EFORMAT, "empty line");
}
RASK_SLOTS(parse_line);

static int64_t count_fields(const rask_value *line)
{
    (void)line;
    return 0;
}
RASK_TASK(count_fields, i64, value);

static int64_t total_fields(const rask_value *fields)
{
    (void)fields;
    return 0;
}
RASK_TASK(total_fields, i64, value);

static rask_options serial(void)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "serial";
    return o;
}

/* Computes node, which must fail with this status; the message. */
static const char *failure(rask_node *node, rask_options options, int status)
{
    rask_value result;
    cr_assert_not_null(node);
    cr_assert_eq(rask_compute_value(node, &options, &result), status, "%s",
                 rask_graph_error(rask_node_graph(node)));
    cr_assert_eq(rask_graph_status(rask_node_graph(node)), status);
    return rask_graph_error(rask_node_graph(node));
}

static void must_contain(const char *message, const char *part)
{
    cr_assert_not_null(strstr(message, part), "\"%s\" lacks \"%s\"", message, part);
}

Test(failure, a_message_names_task_node_label_place_reason_and_chain)
{
    rask_graph *g = rask_graph_new();
    rask_delayed(g, parse_line);
    rask_node *line = rask_set_label(rask_delayed(g, parse_line), "line 17 of a.csv");
    int built_at = __LINE__ - 1;
    rask_node *total = rask_delayed(g, total_fields, rask_delayed(g, count_fields, line));
    const char *message = failure(total, serial(), RASK_EFORMAT);
    char place[100];
    snprintf(place, sizeof place, "test_failure.c:%d", built_at);
    must_contain(message, "task parse_line (node 1, line 17 of a.csv");
    must_contain(message, place);
    must_contain(message, "): empty line");
    must_contain(message, "needed by count_fields < total_fields");
    rask_graph_free(g);
}

Test(failure, a_run_that_stops_reports_one_failure)
{
    rask_graph *g = rask_graph_new();
    rask_node *both[2] = {rask_delayed(g, parse_line), rask_delayed(g, parse_line)};
    const char *message = failure(rask_list(g, both, 2), serial(), RASK_EFORMAT);
    must_contain(message, "task parse_line (node 0");
    cr_assert_null(strstr(message, "node 1"), "%s", message);
    rask_graph_free(g);
}

Test(failure, a_run_that_keeps_going_reports_all_in_plan_order)
{
    rask_graph *g = rask_graph_new();
    rask_node *three[3] = {rask_delayed(g, parse_line), rask_delayed(g, parse_line),
                           rask_delayed(g, parse_line)};
    rask_options o = serial();
    o.keep_going = true;
    const char *message = failure(rask_list(g, three, 3), o, RASK_EFORMAT);
    must_contain(message, "3 tasks failed");
    const char *first = strstr(message, "(node 0"), *second = strstr(message, "(node 1"),
               *third = strstr(message, "(node 2");
    cr_assert(first && first < second && second < third, "%s", message);
    rask_graph_free(g);
}

Test(failure, many_failures_are_counted_and_the_first_of_them_told)
{
    enum { MANY = 3 * RASK_MAX_FAILURES };
    rask_graph *g = rask_graph_new();
    rask_node *nodes[MANY];
    rask_options o = RASK_OPTIONS_INIT;
    rask_report report;
    for (int i = 0; i < MANY; i++)
        nodes[i] = rask_delayed(g, parse_line);
    o.workers = 4;
    o.keep_going = true;
    o.report = &report;
    const char *message = failure(rask_list(g, nodes, MANY), o, RASK_EFORMAT);
    must_contain(message, "300 tasks failed");
    must_contain(message, "(node 0");
    must_contain(message, "more");
    cr_assert_lt(strlen(message), RK_MAX_ERROR);
    cr_assert_eq(report.failed, MANY);
    rask_graph_free(g);
}

Test(failure, a_long_chain_is_cut)
{
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_delayed(g, parse_line);
    for (int i = 0; i < 1000; i++)
        node = rask_delayed(g, count_fields, node);
    const char *message = failure(node, serial(), RASK_EFORMAT);
    must_contain(message, "needed by count_fields < count_fields");
    must_contain(message, "992 more");
    cr_assert_lt(strlen(message), 500);
    rask_graph_free(g);
}

static int shout(rask_task *t)
{
    char message[5000];
    memset(message, '!', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    return rask_fail(t, RASK_EIO, message);
}
RASK_SLOTS(shout);

Test(failure, a_long_message_is_cut_at_a_thousand_bytes)
{
    rask_graph *g = rask_graph_new();
    const char *message = failure(rask_delayed(g, shout), serial(), RASK_EIO);
    const char *from = strchr(message, '!');
    cr_assert_not_null(from);
    cr_assert_eq(strspn(from, "!"), RK_MAX_MESSAGE);
    rask_graph_free(g);
}

Test(failure, a_long_label_is_cut)
{
    rask_graph *g = rask_graph_new();
    char label[20001];
    memset(label, 'L', sizeof label - 1);
    label[sizeof label - 1] = '\0';
    const char *message = failure(rask_set_label(rask_delayed(g, parse_line), label), serial(), RASK_EFORMAT);
    must_contain(message, "LLLL");
    must_contain(message, "empty line");
    cr_assert_lt(strlen(message), 500);
    rask_graph_free(g);
}

/* Ways to fail. */

static int fail_without_code(rask_task *t)
{
    return rask_fail(t, RASK_OK, NULL);
}
RASK_SLOTS(fail_without_code);

static int return_a_code(rask_task *t)
{
    (void)t;
    return RASK_ENOENT;
}
RASK_SLOTS(return_a_code);

static int fail_twice(rask_task *t)
{
    rask_fail(t, RASK_ERANGE, "the first");
    rask_fail(t, RASK_EIO, "the second");
    return rask_return_i64(t, 1);
}
RASK_SLOTS(fail_twice);

static int ask_for_bytes(rask_task *t)
{
    rask_arg_bytes(t, 0);
    return rask_return_i64(t, 1);
}
RASK_SLOTS(ask_for_bytes);

static int ask_for_too_many(rask_task *t)
{
    rask_arg_i64(t, 3);
    return rask_return_i64(t, 1);
}
RASK_SLOTS(ask_for_too_many);

Test(failure, every_way_to_fail_is_told)
{
    rask_graph *g = rask_graph_new();
    must_contain(failure(rask_delayed(g, fail_without_code), serial(), RASK_ETASK), "fail_without_code");
    must_contain(failure(rask_delayed(g, return_a_code), serial(), RASK_ENOENT), "RASK_ENOENT");
    const char *twice = failure(rask_delayed(g, fail_twice), serial(), RASK_ERANGE);
    must_contain(twice, "the first");
    cr_assert_null(strstr(twice, "the second"));
    must_contain(failure(rask_delayed(g, ask_for_bytes, 7), serial(), RASK_ETYPE),
                 "argument 0 is i64, not bytes");
    must_contain(failure(rask_delayed(g, ask_for_too_many, 7), serial(), RASK_EINVAL), "argument 3");
    rask_graph_free(g);
}

static rask_value make_text(void)
{
    rask_value text;
    cr_assert_eq(rask_value_bytes_new("text", 4, &text), RASK_OK);
    return text;
}
RASK_TASK(make_text, value);

static int64_t square(int64_t i)
{
    return i * i;
}
RASK_TASK(square, i64, i64);

Test(failure, a_result_of_the_wrong_type_fails_the_task_that_takes_it)
{
    rask_graph *g = rask_graph_new();
    const char *message = failure(rask_delayed(g, square, rask_delayed(g, make_text)), serial(), RASK_ETYPE);
    must_contain(message, "task square");
    must_contain(message, "argument 0 is bytes, not i64");
    rask_graph_free(g);
}

Test(failure, a_result_of_the_wrong_type_for_the_variable_is_told)
{
    rask_graph *g = rask_graph_new();
    int64_t whole = 9;
    cr_assert_eq(rask_compute(rask_delayed(g, make_text), &whole), RASK_ETYPE);
    must_contain(rask_graph_error(g), "the result of make_text is bytes, not i64");
    cr_assert_eq(whole, 9);
    rask_graph_free(g);
}

Test(failure, a_plan_tells_its_last_run_only)
{
    rask_graph *g = rask_graph_new();
    int64_t whole = 3;
    rask_node *input = rask_input(g, whole), *node = rask_item(rask_list(g, &input, 1), 0);
    rask_node *targets[2] = {node, rask_item(rask_list(g, &input, 1), 1)};
    rask_plan *good, *bad;
    rask_value result;
    cr_assert_eq(rask_plan_new(targets, 1, &good), RASK_OK);
    cr_assert_eq(rask_plan_new(targets + 1, 1, &bad), RASK_OK);
    cr_assert_neq(rask_plan_run(bad, NULL, &result), RASK_OK);
    cr_assert_neq(*rask_plan_error(bad), '\0');
    cr_assert_eq(rask_plan_run(good, NULL, &result), RASK_OK);
    cr_assert_str_eq(rask_plan_error(good), "");
    rask_options wrong = serial();
    wrong.timeout = -1;
    cr_assert_eq(rask_plan_run(good, &wrong, &result), RASK_EINVAL);
    must_contain(rask_plan_error(good), "timeout");
    cr_assert_eq(rask_plan_run(good, NULL, &result), RASK_OK);
    cr_assert_str_eq(rask_plan_error(good), "");
    rask_plan_free(good);
    rask_plan_free(bad);
    rask_graph_free(g);
}

Test(failure, a_latched_error_of_the_graph_is_what_compute_returns)
{
    rask_graph *g = rask_graph_new();
    rask_value result;
    rask_node *fine = rask_delayed(g, square, 2);
    cr_assert_null(rask_call(g, RASK_DEF(square), NULL, 0));
    must_contain(rask_graph_error(g), "square");
    must_contain(rask_graph_error(g), "test_failure.c");
    cr_assert_eq(rask_compute_value(fine, NULL, &result), RASK_EINVAL);
    must_contain(rask_graph_error(g), "takes 1 arguments, was given 0");
    rask_graph_free(g);
}

Test(failure, calls_without_a_plan_or_a_place_for_results_are_refused)
{
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_delayed(g, square, 2);
    rask_plan *plan;
    rask_value result;
    cr_assert_eq(rask_plan_new(&node, 1, &plan), RASK_OK);
    cr_assert_eq(rask_plan_run(NULL, NULL, &result), RASK_EINVAL);
    cr_assert_eq(rask_plan_run(plan, NULL, NULL), RASK_EINVAL);
    cr_assert_eq(rask_compute_values(&node, 1, NULL, NULL), RASK_EINVAL);
    cr_assert_eq(rask_compute_out(node, NULL, RASK_OUT_I64, NULL), RASK_EINVAL);
    cr_assert_eq(rask_compute_out(node, NULL, (rask_out_kind)9, &result), RASK_EINVAL);
    cr_assert_eq(rask_compute_value(NULL, NULL, &result), RASK_EGRAPH);
    cr_assert_str_eq(rask_plan_error(NULL), "");
    rask_plan_free(plan);
    rask_plan_free(NULL);
    rask_graph_free(g);
}
