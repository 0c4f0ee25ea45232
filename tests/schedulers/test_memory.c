/* Out of memory, wherever it happens. */
#include "tests/failing_allocator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static rask_options with(const char *scheduler, uint32_t workers)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = scheduler;
    o.workers = workers;
    return o;
}

/* Why a call failed: a node that could not be built is NULL, and its graph knows the reason. */
static int reason_of(const rask_graph *g, int status)
{
    return status == RASK_EGRAPH ? rask_graph_status(g) : status;
}

/* Ends the graph after a call with it, whose failure must have left a message. */
static int end(rask_graph *g, int status)
{
    status = reason_of(g, status);
    if (g && status)
        cr_assert_neq(*rask_graph_error(g), '\0', "%s without a message", rask_status_name(status));
    rask_graph_free(g);
    return status;
}

/* The first program of the documentation: files are read and added up. */

static double total_sales(const char *path)
{
    return (double)strlen(path) + 0.5;
}
RASK_TASK(total_sales, f64, str);

static int sales(rask_options o)
{
    rask_graph *g = rask_graph_new();
    rask_node *parts[10];
    double answer = 0;
    for (int i = 0; i < 10; i++) {
        char name[20];
        snprintf(name, sizeof name, "sales-%d.csv", i);
        parts[i] = rask_set_label(rask_delayed(g, total_sales, name), name);
    }
    int status = rask_compute_with(rask_sum(rask_list(g, parts, 10)), &o, &answer);
    if (!status)
        cr_assert_float_eq(answer, 115, 1e-9);
    return end(g, status);
}

static int serial_sales(void)
{
    return sales(with("serial", 1));
}

static int threads_sales(void)
{
    return sales(with("threads", 2));
}

static int drawn_sales(void)
{
    rask_options o = with("serial", 1);
    o.seed = 3;
    return sales(o);
}

Test(memory, the_sales_program)
{
    sweep(serial_sales, 0);
}

Test(memory, the_sales_program_in_an_order_drawn_from_a_seed)
{
    sweep(drawn_sales, 0);
}

Test(memory, the_sales_program_on_threads)
{
    sweep(threads_sales, 1);
}

/* A reduction tree over bytes. */

static int join(rask_task *t)
{
    char text[400];
    size_t len = 0;
    for (size_t i = 0; i < rask_arg_count(t); i++) {
        rask_bytes part = rask_arg_bytes(t, i);
        memcpy(text + len, part.data, part.len);
        len += part.len;
    }
    return rask_return_bytes(t, text, len);
}
RASK_SLOTS(join);

static int reduce(rask_options o)
{
    rask_graph *g = rask_graph_new();
    rask_node *parts[60];
    rask_value result;
    rask_bytes bytes;
    for (int i = 0; i < 60; i++) {
        char digit[2] = {(char)('0' + i % 10), 0};
        parts[i] = rask_const(g, digit);
    }
    int status = rask_compute_with(rask_reduce(rask_list(g, parts, 60), join, 4), &o, &result);
    if (!status) {
        cr_assert_eq(rask_value_get_bytes(&result, &bytes), RASK_OK);
        cr_assert_eq(bytes.len, 60);
        cr_assert_eq(strncmp(bytes.data, "01234567890123", 14), 0);
        rask_value_unref(&result);
    }
    return end(g, status);
}

static int serial_reduce(void)
{
    return reduce(with("serial", 1));
}

static int threads_reduce(void)
{
    return reduce(with("threads", 2));
}

Test(memory, a_reduction_of_bytes)
{
    sweep(serial_reduce, 0);
}

Test(memory, a_reduction_of_bytes_on_threads)
{
    sweep(threads_reduce, 1);
}

/* Lists of lists of bytes, given and made, and calls with several outputs. */

static int split(rask_task *t)
{
    rask_bytes text = rask_arg_bytes(t, 0);
    rask_value halves[2] = {rask_value_none(), rask_value_none()};
    int status = rask_value_bytes_new(text.data, text.len / 2, &halves[0]);
    if (!status)
        status = rask_value_bytes_new(text.data + text.len / 2, text.len - text.len / 2, &halves[1]);
    status = status ? rask_fail(t, status, "no memory for halves") : rask_return_list(t, halves, 2);
    rask_value_unref(&halves[0]);
    rask_value_unref(&halves[1]);
    return status;
}
RASK_SLOTS(split);

static int nested_lists(void)
{
    rask_graph *g = rask_graph_new();
    rask_node *outs[2] = {NULL, NULL}, *inner[2], *outer[3];
    rask_arg text = RASK_ARG("left-right");
    rask_value result;
    char printed[200];
    rask_delayed_outputs(g, split, outs, 2, &text, 1);
    inner[0] = rask_list(g, outs, 2);
    inner[1] = rask_concat(rask_list(g, outs, 2));
    outer[0] = rask_list(g, inner, 2);
    outer[1] = outer[0];
    outer[2] = rask_item(outer[0], 0);
    rask_options o = with("serial", 1);
    int status = rask_compute_with(rask_list(g, outer, 3), &o, &result);
    if (!status) {
        rask_value_format(&result, printed, sizeof printed);
        cr_assert_not_null(strstr(printed, "left-right"), "%s", printed);
        rask_value_unref(&result);
    }
    return end(g, status);
}

Test(memory, nested_lists_and_several_outputs)
{
    sweep(nested_lists, 0);
}

/* Custom values. */

static int live_counters;

static void counter_destroy(void *data)
{
    live_counters--;
    free(data);
}

static const rask_class counter_class = {.name = "counter", .destroy = counter_destroy};

static int make_counter(rask_task *t)
{
    int64_t *data = malloc(sizeof *data);
    *data = rask_arg_i64(t, 0);
    live_counters++;
    return rask_return_custom(t, &counter_class, data);
}
RASK_SLOTS(make_counter);

static int add_counters(rask_task *t)
{
    int64_t sum = 0;
    for (size_t i = 0; i < rask_arg_count(t); i++) {
        const int64_t *one = rask_arg_custom(t, i, &counter_class);
        sum += one ? *one : 0;
    }
    int64_t *data = malloc(sizeof *data);
    *data = sum;
    live_counters++;
    return rask_return_custom(t, &counter_class, data);
}
RASK_SLOTS(add_counters);

static int custom_values(void)
{
    rask_graph *g = rask_graph_new();
    rask_node *counters[9];
    rask_value result;
    void *sum;
    for (int i = 0; i < 9; i++)
        counters[i] = rask_delayed(g, make_counter, i);
    rask_options o = with("serial", 1);
    int status = rask_compute_with(rask_reduce(rask_list(g, counters, 9), add_counters, 3), &o, &result);
    if (!status) {
        cr_assert_eq(rask_value_get_custom(&result, &counter_class, &sum), RASK_OK);
        cr_assert_eq(*(int64_t *)sum, 36);
        rask_value_unref(&result);
    }
    cr_assert_eq(live_counters, 0);
    return end(g, status);
}

Test(memory, custom_values)
{
    sweep(custom_values, 0);
}

/* A plan with inputs, priorities, order-only dependencies, retries, tags and hints; run twice, watched, explained.
 */

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK_WITH(add, (.flags = RASK_PURE), i64, i64, i64);

static int run_bound(rask_plan *plan, const rask_node *input, rask_recording *recording, int64_t by)
{
    const rask_observer *observer = rask_recording_observer(recording);
    rask_options o = with("serial", 1);
    rask_value bound = rask_value_i64(by), result;
    int status = rask_plan_bind(plan, input, &bound);
    o.observers = &observer;
    o.observer_count = 1;
    o.limits = "gpu=2,add=1";
    if (!status)
        status = rask_plan_run(plan, &o, &result);
    if (!status)
        cr_assert_eq(result.as.i64, 2 * by + 5);
    return status;
}

static int bound_plan(void)
{
    rask_graph *g = rask_graph_new();
    rask_recording *recording = rask_recording_new();
    rask_plan *plan = NULL;
    char words[2000];
    int64_t zero = 0;
    rask_node *input = rask_input(g, zero), *a = rask_delayed(g, add, input, 2),
              *b = rask_delayed(g, add, input, 3);
    rask_node *twin = rask_delayed(g, add, input, 2);
    rask_set_priority(a, 3);
    rask_set_result_bytes(b, 1000);
    rask_set_retries(b, 2);
    rask_set_tags(b, "gpu:2");
    rask_node *last = rask_after(rask_delayed(g, add, b, twin), &a, 1);
    int status = recording ? rask_plan_new(&last, 1, &plan) : RASK_ENOMEM;
    for (int64_t by = 1; by < 3 && !status; by++)
        status = run_bound(plan, input, recording, by);
    if (!status && !rask_plan_explain(plan, 2, words, sizeof words))
        status = RASK_ENOMEM;
    rask_recording_free(recording);
    rask_plan_free(plan);
    status = reason_of(g, status);
    rask_graph_free(g);
    return status;
}

Test(memory, a_plan_bound_run_recorded_and_explained)
{
    sweep(bound_plan, 0);
}

/* A task that grows, and is put off meanwhile, for it passes a gate. */

static int grow_wide(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[20];
    for (int64_t i = 0; i < 20; i++)
        all[i] = rask_delayed(g, add, i, rask_arg_i64(t, 0));
    return rask_return_node(t, rask_sum(rask_list(g, all, 20)));
}
RASK_SLOTS_WITH(grow_wide, (.tags = "gpu"));

static int put_off(void)
{
    rask_graph *g = rask_graph_new();
    rask_options o = with("threads", 2);
    rask_node *both[2] = {rask_delayed(g, grow_wide, 1), rask_delayed(g, grow_wide, 2)};
    int64_t sum = 0;
    o.limits = "gpu=1";
    int status = rask_compute_with(rask_sum(rask_list(g, both, 2)), &o, &sum);
    if (!status)
        cr_assert_eq(sum, 2 * 190 + 20 + 40);
    return end(g, status);
}

Test(memory, tasks_that_are_put_off_because_they_grew)
{
    sweep(put_off, 1);
}

/* Failures in a run that keeps going: they stay failures of the same kind, unless memory itself is what
 * failed. */

static int fails(rask_task *t)
{
    return rask_fail(t, RASK_EIO, "as expected");
}
RASK_SLOTS(fails);

static int keep_going(rask_options o)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[12];
    rask_value result;
    rask_report report = {0};
    for (int i = 0; i < 12; i++)
        nodes[i] = i % 3 ? rask_delayed(g, add, i, i) : rask_delayed(g, fails);
    o.keep_going = true;
    o.retries = 1;
    o.report = &report;
    o.limits = "add=1,fails=2";
    int status = rask_compute_with(rask_list(g, nodes, 12), &o, &result);
    cr_assert_neq(status, RASK_OK, "four tasks fail");
    if (status == RASK_EIO) {
        cr_assert_eq(report.failed, 4);
        cr_assert_eq(report.finished, 8);
        cr_assert_neq(*rask_graph_error(g), '\0');
        status = RASK_OK;
    }
    return end(g, status);
}

static int serial_keep_going(void)
{
    return keep_going(with("serial", 1));
}

static int threads_keep_going(void)
{
    return keep_going(with("threads", 2));
}

Test(memory, failures_of_a_run_that_keeps_going)
{
    sweep(serial_keep_going, 0);
}

Test(memory, failures_of_a_threads_run_that_keeps_going)
{
    sweep(threads_keep_going, 1);
}

/* I/O lanes: without memory for a thread somebody else does the work. */

static int64_t read_nothing(int64_t i)
{
    return i;
}
RASK_TASK_WITH(read_nothing, (.flags = RASK_IO), i64, i64);

static int io_lanes(void)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[10];
    rask_options o = with("threads", 2);
    int64_t sum = 0;
    o.io_lanes = 3;
    for (int i = 0; i < 10; i++)
        nodes[i] = rask_delayed(g, add, rask_delayed(g, read_nothing, rask_delayed(g, add, i, 1)), 1);
    int status = rask_compute_with(rask_sum(rask_list(g, nodes, 10)), &o, &sum);
    if (!status)
        cr_assert_eq(sum, 65);
    return end(g, status);
}

Test(memory, io_tasks)
{
    sweep(io_lanes, 1 + 3);
}

/* JSON and back. */

static int read_back(const rask_registry *registry, const char *text, size_t len)
{
    rask_graph *g = NULL;
    rask_node **targets;
    size_t count;
    char error[200] = "";
    rask_options o = with("serial", 1);
    int64_t answer = 0;
    int status = rask_graph_from_json(registry, text, len, false, &g, &targets, &count, error, sizeof error);
    if (status) {
        cr_assert_null(g);
        cr_assert_neq(*error, '\0');
        return status;
    }
    status = rask_compute_with(targets[0], &o, &answer);
    if (!status)
        cr_assert_eq(answer, 10);
    rask_graph_free(g);
    return status;
}

static int json_round_trip(void)
{
    rask_registry *registry = rask_registry_new();
    rask_graph *g = rask_graph_new();
    rask_node *pair[2] = {rask_delayed(g, add, 1, 2), NULL};
    char *text = NULL;
    size_t len = 0;
    pair[1] = rask_set_label(rask_delayed(g, add, pair[0], 4), "a \"label\"");
    rask_node *sum = rask_sum(rask_list(g, pair, 2));
    int status = registry && g ? rask_registry_add(registry, RASK_DEF(add)) : RASK_ENOMEM;
    if (!status)
        status = rask_graph_to_json(&sum, 1, &text, &len);
    if (!status)
        status = read_back(registry, text, len);
    rask_json_free(text);
    rask_registry_free(registry);
    status = reason_of(g, status);
    rask_graph_free(g);
    return status;
}

Test(memory, a_graph_as_json_and_back)
{
    sweep(json_round_trip, 0);
}

/* A drawing, which is there whole or not at all. */

static int draw_some(uint32_t limit)
{
    static char path[100];
    snprintf(path, sizeof path, "/tmp/rask-test-memory-%d.dot", (int)getpid());
    rask_graph *g = rask_graph_new();
    rask_node *nodes[30];
    rask_draw_options o = RASK_DRAW_OPTIONS_INIT;
    o.limit = limit;
    o.plan = limit > 100;
    for (int i = 0; i < 30; i++)
        nodes[i] = rask_set_label(rask_delayed(g, add, i % 7, i), "some text");
    int status = rask_draw(rask_sum(rask_list(g, nodes, 30)), path, &o);
    cr_assert_eq(status == RASK_OK, access(path, F_OK) == 0);
    unlink(path);
    return end(g, status);
}

static int draw_whole(void)
{
    return draw_some(300);
}

static int draw_synopsis(void)
{
    return draw_some(5);
}

Test(memory, a_drawing)
{
    sweep(draw_whole, 0);
}

Test(memory, a_drawing_as_synopsis)
{
    sweep(draw_synopsis, 0);
}
