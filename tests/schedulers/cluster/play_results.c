/* Scenes: whatever is computed comes to the values that one thread of the program would come to. */
#include "play.h"

#include <math.h>

/* -- Random graphs */

static void random_graphs_come_to_the_values_of_one_worker_each_call_once(const house *h)
{
    for (uint64_t seed = 1; seed <= 14; seed++) {
        random_graph *g = random_graph_new(seed);
        random_graph_must_compute(g, h->options);
        random_graph_free(g);
    }
    cr_assert_eq(random_graph_live_customs(), 0);
}

static int64_t add_to(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK(add_to, i64, i64, i64);

static void a_plan_runs_again_with_other_inputs(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_plan *plan;
    rask_node *input = rask_input(g, 1),
              *sum = rask_delayed(g, add_to, input, rask_delayed(g, add_to, input, 10));
    cr_assert_eq(rask_plan_new(&sum, 1, &plan), RASK_OK);
    for (int64_t i = 0; i < 5; i++) {
        rask_value value = rask_value_i64(i), result;
        cr_assert_eq(rask_plan_bind(plan, input, &value), RASK_OK);
        cr_assert_eq(rask_plan_run(plan, &h->options, &result), RASK_OK, "%s", rask_plan_error(plan));
        cr_assert_eq(result.as.i64, 2 * i + 10);
    }
    rask_plan_free(plan);
    rask_graph_free(g);
}

/* -- Kinds of values */

enum { LONG_TEXT = 100000, MOST_KINDS = 40 };

static int hand_on(rask_task *t)
{
    return rask_return_value(t, rask_value_ref(rask_arg_value(t, 0)));
}
RASK_SLOTS(hand_on);

static rask_value bytes_of(const void *data, size_t len)
{
    rask_value value;
    cr_assert_eq(rask_value_bytes_new(data, len, &value), RASK_OK);
    return value;
}

static rask_value block_of(rask_dtype dtype, uint32_t ndim, const int64_t *shape, size_t bytes)
{
    rask_block block;
    rask_value value;
    cr_assert_eq(rask_value_block_alloc(dtype, ndim, shape, &block, &value), RASK_OK);
    for (size_t i = 0; i < bytes; i++)
        ((unsigned char *)block.data)[i] = dtype == RASK_DT_BOOL ? i % 2 : (unsigned char)(i * 7 + dtype);
    return value;
}

/* Every other column of a matrix that is somebody else's. */
static rask_value view_of_static(void)
{
    static double matrix[6][8];
    const rask_block block = {.dtype = RASK_DT_F64,
                              .ndim = 2,
                              .shape = {6, 4},
                              .strides = {sizeof matrix[0], 2 * sizeof(double)},
                              .data = matrix};
    rask_value value;
    for (int i = 0; i < 48; i++)
        matrix[i / 8][i % 8] = i;
    cr_assert_eq(rask_value_block_adopt(&block, sizeof matrix, &value), RASK_OK);
    return value;
}

static size_t fill_scalars_and_bytes(rask_value *values)
{
    static char text[LONG_TEXT];
    size_t n = 0;
    memset(text, 'x', sizeof text);
    values[n++] = rask_value_none();
    values[n++] = rask_value_bool(true);
    values[n++] = rask_value_i64(INT64_MIN);
    values[n++] = rask_value_i64(INT64_MAX);
    values[n++] = rask_value_f64(-0.0);
    values[n++] = rask_value_f64(NAN);
    values[n++] = rask_value_f64(INFINITY);
    values[n++] = bytes_of("", 0);
    values[n++] = bytes_of("a\0b", 3);
    values[n++] = bytes_of(text, 513);
    values[n++] = bytes_of(text, sizeof text);
    return n;
}

static size_t fill_blocks(rask_value *values)
{
    const int64_t shape[] = {3, 1, 5}, none[] = {0, 4}, large[] = {64, 64};
    size_t n = 0;
    for (rask_dtype dtype = 0; dtype < RASK_DT_COUNT; dtype++)
        values[n++] = block_of(dtype, 3, shape, 15 * rask_dtype_size(dtype));
    values[n++] = block_of(RASK_DT_F64, 0, NULL, sizeof(double));
    values[n++] = block_of(RASK_DT_I32, 2, none, 0);
    values[n++] = block_of(RASK_DT_F64, 2, large, 64 * 64 * sizeof(double));
    values[n++] = view_of_static();
    return n;
}

/* All of them as lists, and lists of these. */
static size_t fill_values(rask_value *values)
{
    size_t n = fill_scalars_and_bytes(values);
    n += fill_blocks(values + n);
    cr_assert_eq(rask_value_list_new(NULL, 0, &values[n]), RASK_OK);
    n++;
    for (int i = 0; i < 2; i++, n++)
        cr_assert_eq(rask_value_list_new(values, n, &values[n]), RASK_OK);
    return n;
}

/* As a constant, from one task to another, and home. */
static void values_of_all_kinds_go_there_and_back(const house *h)
{
    rask_value values[MOST_KINDS], results[MOST_KINDS];
    rask_node *nodes[MOST_KINDS];
    rask_graph *g = rask_graph_new();
    size_t count = fill_values(values);
    for (size_t i = 0; i < count; i++)
        nodes[i] = rask_delayed(g, hand_on, rask_delayed(g, hand_on, rask_const(g, &values[i])));
    cr_assert_eq(rask_compute_values(nodes, count, &h->options, results), RASK_OK, "%s", rask_graph_error(g));
    for (size_t i = 0; i < count; i++) {
        cr_assert(rask_value_equal(&values[i], &results[i]), "value %zu", i);
        rask_value_unref(&results[i]);
        rask_value_unref(&values[i]);
    }
    rask_graph_free(g);
}

/* -- Large ones */

enum { PIECES = 8, PIECE = 1 << 20 };

static void large_results_go_from_worker_to_worker_and_home(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_node *sums[PIECES], *all = list_of_pieces(g, PIECES, PIECE);
    for (int i = 0; i < PIECES; i++)
        sums[i] = rask_delayed(g, add_up, all);
    cr_assert_eq(play_i64(rask_sum(rask_list(g, sums, PIECES)), &h->options),
                 (int64_t)PIECE * PIECES * PIECES * (PIECES - 1) / 2);
    rask_value list = play_value(all, &h->options);
    cr_assert(are_pieces(&list, PIECES, PIECE));
    rask_value_unref(&list);
    rask_graph_free(g);
}

static void large_constants_go_to_all_who_take_them(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_node *sums[PIECES];
    char *data;
    rask_value value;
    cr_assert_eq(rask_value_bytes_alloc(2 * PIECE, &data, &value), RASK_OK);
    memset(data, 3, 2 * PIECE);
    rask_node *large = rask_const(g, &value), *list = rask_list(g, &large, 1);
    rask_value_unref(&value);
    for (int i = 0; i < PIECES; i++)
        sums[i] = rask_delayed(g, add_up, list);
    cr_assert_eq(play_i64(rask_sum(rask_list(g, sums, PIECES)), &h->options),
                 (int64_t)PIECES * 2 * PIECE * 3);
    rask_graph_free(g);
}

/* -- Shapes */

static void long_chains_and_wide_fans_come_to_an_end(const house *h)
{
    enum { LONG = 2000, WIDE = 2000 };
    static rask_node *fan[WIDE];
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_delayed(g, add_to, 0, 0);
    for (int i = 1; i < LONG; i++)
        node = rask_delayed(g, add_to, node, 1);
    for (int i = 0; i < WIDE; i++)
        fan[i] = rask_delayed(g, add_to, node, i);
    cr_assert_eq(play_i64(rask_sum(rask_list(g, fan, WIDE)), &h->options),
                 (int64_t)WIDE * (LONG - 1) + (int64_t)WIDE * (WIDE - 1) / 2);
    rask_graph_free(g);
}

static int pair(rask_task *t)
{
    rask_value both[2] = {rask_value_i64(rask_arg_i64(t, 0)), rask_value_i64(-rask_arg_i64(t, 0))};
    return rask_return_list(t, both, 2);
}
RASK_SLOTS(pair);

static void lists_their_items_and_several_results_of_a_call_are_nodes(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_arg seven = rask_arg_of_i64(7);
    rask_node *both[2], *mixed[3];
    cr_assert_not_null(rask_call_outputs(g, RASK_DEF(pair), &seven, 1, both, 2));
    mixed[0] = both[1];
    mixed[1] = rask_item(rask_delayed(g, pair, 9), 0);
    mixed[2] = rask_delayed(g, add_to, both[0], both[1]);
    rask_node *inner = rask_list(g, mixed, 3), *outer[2] = {inner, rask_item(inner, 1)};
    rask_value result = play_value(rask_list(g, outer, 2), &h->options);
    char text[64];
    rask_value_format(&result, text, sizeof text);
    cr_assert_str_eq(text, "[[-7, 9, 0], 9]");
    rask_value_unref(&result);
    rask_graph_free(g);
}

/* -- What is called, and how often */

static int64_t count_pure(int64_t id, int64_t at, int64_t number)
{
    atomic_fetch_add(&board_at(id)->counts[at], 1);
    return number;
}
RASK_TASK_WITH(count_pure, (.flags = RASK_PURE), i64, i64, i64, i64);

static int64_t count_each(int64_t id, int64_t at, int64_t number)
{
    return count_pure(id, at, number);
}
RASK_TASK(count_each, i64, i64, i64, i64);

static void equal_pure_calls_are_made_once_and_others_as_often_as_they_are_written(const house *h)
{
    enum { TIMES = 12 };
    rask_graph *g = rask_graph_new();
    rask_node *all[3 * TIMES];
    for (int64_t i = 0; i < TIMES; i++) {
        all[3 * i] = rask_delayed(g, count_pure, h->id, 0, 5);
        all[3 * i + 1] = rask_delayed(g, count_pure, h->id, 1, i % 3);
        all[3 * i + 2] = rask_delayed(g, count_each, h->id, 2, 1);
    }
    cr_assert_eq(play_i64(rask_sum(rask_list(g, all, 3 * TIMES)), &h->options), TIMES * (5 + 1 + 1));
    cr_assert_eq(atomic_load(&h->board->counts[0]), 1);
    cr_assert_eq(atomic_load(&h->board->counts[1]), 3);
    cr_assert_eq(atomic_load(&h->board->counts[2]), TIMES);
    rask_graph_free(g);
}

static void what_no_target_needs_is_not_called(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_node *needed = rask_delayed(g, count_each, h->id, 0, 1);
    rask_delayed(g, count_each, h->id, 1, needed);
    cr_assert_eq(play_i64(needed, &h->options), 1);
    cr_assert_eq(atomic_load(&h->board->counts[0]), 1);
    cr_assert_eq(atomic_load(&h->board->counts[1]), 0);
    rask_graph_free(g);
}

static int set_flag(rask_task *t)
{
    sleep_ms(20);
    atomic_store(&board_of(t)->flag, true);
    return rask_return_i64(t, 0);
}
RASK_SLOTS(set_flag);

static int read_flag(rask_task *t)
{
    return rask_return_i64(t, atomic_load(&board_of(t)->flag));
}
RASK_SLOTS(read_flag);

static void what_only_has_to_be_done_before_is_done_before(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_node *before = rask_delayed(g, set_flag, h->id), *after = rask_delayed(g, read_flag, h->id);
    rask_after(after, &before, 1);
    cr_assert_eq(play_i64(after, &h->options), 1);
    rask_graph_free(g);
}

/* Waits until as many have begun, for long enough: more than there are workers. */
static int meet_others(rask_task *t)
{
    enum { MEETING = 8 };
    atomic_int *there = &board_of(t)->counts[0];
    atomic_fetch_add(there, 1);
    for (int i = 0; i < 20000 && atomic_load(there) < MEETING; i++)
        sleep_ms(1);
    return rask_return_i64(t, atomic_load(there) >= MEETING);
}
RASK_SLOTS_WITH(meet_others, (.flags = RASK_IO));

static void tasks_that_wait_have_lanes_beside_the_workers(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_node *all[8];
    for (int i = 0; i < 8; i++)
        all[i] = rask_delayed(g, meet_others, h->id);
    cr_assert_eq(play_i64(rask_sum(rask_list(g, all, 8)), &h->options), 8);
    rask_graph_free(g);
}

static void what_has_to_run_here_runs_in_the_program(const house *h)
{
    rask_graph *g = rask_graph_new();
    cr_assert_eq(play_i64(rask_delayed(g, tell_own_pid), &h->options), getpid());
    rask_graph_free(g);
}

/* -- Results */

static void constants_alone_are_targets_without_a_task(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_options o = h->options;
    rask_report report;
    o.report = &report;
    cr_assert_eq(play_i64(rask_const(g, 42), &o), 42);
    cr_assert_eq(report.tasks, 0);
    rask_graph_free(g);
}

static void results_outlive_their_graph(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_bytes bytes;
    rask_value result = play_value(rask_delayed(g, hand_on, rask_const(g, "kept")), &h->options);
    rask_graph_free(g);
    cr_assert_eq(rask_value_get_bytes(&result, &bytes), RASK_OK);
    cr_assert_str_eq(bytes.data, "kept");
    rask_value_unref(&result);
}

const scene play_results[] = {
    {"random graphs come to the values of one worker, each call once", 0,
     random_graphs_come_to_the_values_of_one_worker_each_call_once},
    {"a plan runs again with other inputs", 0, a_plan_runs_again_with_other_inputs},
    {"values of all kinds go there and back", 0, values_of_all_kinds_go_there_and_back},
    {"large results go from worker to worker, and home", 0, large_results_go_from_worker_to_worker_and_home},
    {"large constants go to all who take them", 0, large_constants_go_to_all_who_take_them},
    {"long chains and wide fans come to an end", 0, long_chains_and_wide_fans_come_to_an_end},
    {"lists, their items and several results of a call are nodes", 0,
     lists_their_items_and_several_results_of_a_call_are_nodes},
    {"equal pure calls are made once, and others as often as they are written", 0,
     equal_pure_calls_are_made_once_and_others_as_often_as_they_are_written},
    {"what no target needs is not called", 0, what_no_target_needs_is_not_called},
    {"what only has to be done before is done before", 0, what_only_has_to_be_done_before_is_done_before},
    {"tasks that wait have lanes beside the workers", NEEDS_TWO,
     tasks_that_wait_have_lanes_beside_the_workers},
    {"what has to run here runs in the program", 0, what_has_to_run_here_runs_in_the_program},
    {"constants alone are targets without a task", 0, constants_alone_are_targets_without_a_task},
    {"results outlive their graph", 0, results_outlive_their_graph},
    {NULL},
};
