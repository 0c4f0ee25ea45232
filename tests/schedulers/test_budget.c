/* The memory budget through whole runs: results that go to disk and come back, sources that are called again, what
 * is too large, what fails, and that the store never holds more than it may. */
#include "support.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Values whose content is drawn from a number and can be told from any other. */

enum kind { BYTES, BLOCK, ADOPTED, BOX, LIST, NESTED, KINDS };

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

static void fill(void *data, size_t len, uint64_t seed)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)data)[i] = (uint8_t)(seed >> (i % 8 * 8)) ^ (uint8_t)(i >> 8);
}

static uint64_t digest(const void *data, size_t len)
{
    uint64_t hash = len;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
    return hash;
}

typedef struct box {
    size_t len;
    uint8_t data[];
} box;

static atomic_int live_boxes;

static box *box_new(size_t len)
{
    box *b = malloc(sizeof *b + len);
    b->len = len;
    atomic_fetch_add(&live_boxes, 1);
    return b;
}

static void box_destroy(void *data)
{
    atomic_fetch_sub(&live_boxes, 1);
    free(data);
}

static size_t box_size(const void *data)
{
    return sizeof(box) + ((const box *)data)->len;
}

static int box_encode(const void *data, rask_value *bytes)
{
    const box *b = data;
    return rask_value_bytes_new(b->data, b->len, bytes);
}

static int box_decode(rask_bytes bytes, void **data)
{
    box *b = box_new(bytes.len);
    memcpy(b->data, bytes.data, bytes.len);
    *data = b;
    return RASK_OK;
}

static const rask_class box_class = {.name = "box",
                                     .destroy = box_destroy,
                                     .size = box_size,
                                     .encode = box_encode,
                                     .decode = box_decode},
                        fixed_class = {.name = "fixed box", .destroy = box_destroy, .size = box_size};

static rask_value bytes_of(size_t len, uint64_t seed)
{
    rask_value value;
    char *data;
    cr_assert_eq(rask_value_bytes_alloc(len, &data, &value), RASK_OK);
    fill(data, len, seed);
    return value;
}

static rask_value block_of(size_t len, uint64_t seed)
{
    int64_t shape[3] = {(int64_t)len / 8 / 4, 1, 4};
    rask_block block;
    rask_value value;
    cr_assert_eq(rask_value_block_alloc(RASK_DT_F64, 3, shape, &block, &value), RASK_OK);
    fill(block.data, len / 32 * 32, seed);
    return value;
}

static rask_value adopted_of(size_t len, uint64_t seed)
{
    char *data = malloc(len);
    rask_block block = {.dtype = RASK_DT_U8,
                        .ndim = 1,
                        .shape = {(int64_t)len},
                        .strides = {1},
                        .data = data,
                        .owner = data,
                        .release = free};
    rask_value value;
    fill(data, len, seed);
    cr_assert_eq(rask_value_block_adopt(&block, len, &value), RASK_OK);
    return value;
}

static rask_value box_of(const rask_class *cls, size_t len, uint64_t seed)
{
    rask_value value;
    box *b = box_new(len);
    fill(b->data, len, seed);
    cr_assert_eq(rask_value_custom_new(cls, b, &value), RASK_OK);
    return value;
}

static rask_value list_of(size_t len, uint64_t seed)
{
    rask_value value, items[4] = {bytes_of(len / 2, seed), rask_value_i64((int64_t)seed),
                                  block_of(len / 4, seed + 1), rask_value_none()};
    cr_assert_eq(rask_value_list_new(items, 4, &value), RASK_OK);
    for (int i = 0; i < 4; i++)
        rask_value_unref(&items[i]);
    return value;
}

/* Lists in lists, some of them empty, with numbers between them. */
static rask_value nested_of(size_t len, uint64_t seed)
{
    enum { NUMBERS = 20 };
    rask_value value, inner, numbers[NUMBERS], items[4] = {list_of(len / 2, seed)};
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = i % 2 ? rask_value_f64((double)(seed % 1000) + i) : rask_value_bool(i % 4);
    cr_assert_eq(rask_value_list_new(NULL, 0, &items[1]), RASK_OK);
    cr_assert_eq(rask_value_list_new(numbers, NUMBERS, &items[2]), RASK_OK);
    items[3] = box_of(&box_class, len / 4, seed + 2);
    cr_assert_eq(rask_value_list_new(items, 4, &inner), RASK_OK);
    for (int i = 0; i < 4; i++)
        rask_value_unref(&items[i]);
    items[0] = inner;
    items[1] = bytes_of(len / 8, seed + 3);
    cr_assert_eq(rask_value_list_new(items, 2, &value), RASK_OK);
    for (int i = 0; i < 2; i++)
        rask_value_unref(&items[i]);
    return value;
}

static rask_value value_of(uint32_t kind, size_t len, uint64_t seed)
{
    switch (kind) {
    case BYTES: return bytes_of(len, seed);
    case BLOCK: return block_of(len, seed);
    case ADOPTED: return adopted_of(len, seed);
    case BOX: return box_of(&box_class, len, seed);
    case LIST: return list_of(len, seed);
    default: return nested_of(len, seed);
    }
}

static uint64_t digest_of(const rask_value *value)
{
    rask_bytes bytes;
    rask_block block;
    const rask_value *items;
    void *data;
    size_t count;
    uint64_t hash = value->type;
    if (!rask_value_get_bytes(value, &bytes))
        return hash ^ digest(bytes.data, bytes.len);
    if (!rask_value_get_block(value, &block)) {
        size_t len = rask_dtype_size(block.dtype);
        for (uint32_t i = 0; i < block.ndim; i++)
            len *= (size_t)block.shape[i];
        return hash ^ digest(block.data, len) ^ block.ndim;
    }
    if (!rask_value_get_custom(value, NULL, &data))
        return hash ^ digest(((box *)data)->data, ((box *)data)->len);
    if (rask_value_get_list(value, &items, &count))
        return mix(hash ^ (uint64_t)value->as.i64);
    for (size_t i = 0; i < count; i++)
        hash = mix(hash) ^ digest_of(&items[i]);
    return hash;
}

/* Tasks. The first argument says what the result is to be: kind, length and a number; the digest of the others
 * goes into its content. */

static int64_t recipe(uint32_t kind, size_t len, uint32_t number)
{
    return (int64_t)((uint64_t)kind << 56 | (uint64_t)len << 24 | number);
}

static uint64_t digest_arguments(rask_task *t)
{
    uint64_t hash = mix((uint64_t)rask_arg_i64(t, 0));
    for (size_t i = 1; i < rask_arg_count(t); i++)
        hash = mix(hash ^ digest_of(rask_arg_value(t, i)));
    return hash;
}

static int make_some(rask_task *t)
{
    uint64_t what = (uint64_t)rask_arg_i64(t, 0);
    return rask_return_value(t, value_of(what >> 56, what >> 24 & 0xffffffff, digest_arguments(t)));
}

static int weigh(rask_task *t)
{
    return rask_return_i64(t, (int64_t)digest_arguments(t));
}

#define MAKER(id, ...)                                                                                       \
    {                                                                                                        \
        .size = sizeof(rask_task_def), .name = #id, .call = make_some, __VA_ARGS__                           \
    }
static const rask_task_def make = MAKER(make, ), make_io = MAKER(make_io, .flags = RASK_IO),
                           make_cheap = MAKER(make_cheap, .flags = RASK_CHEAP),
                           make_source = MAKER(make_source, .flags = RASK_SOURCE),
                           weigh_def = {.size = sizeof(rask_task_def), .name = "weigh", .call = weigh};

static rask_arg number_arg(int64_t number)
{
    return (rask_arg){.kind = RASK_ARG_I64, .as.i64 = number};
}

static rask_node *call(rask_graph *g, const rask_task_def *def, int64_t what, rask_node *const *nodes,
                       size_t count)
{
    rask_arg args[20] = {number_arg(what)};
    for (size_t i = 0; i < count; i++)
        args[i + 1] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = nodes[i]};
    return rask_call(g, def, args, count + 1);
}

/* Waits for all of nodes, and is taken by those who are to come after them. */
static rask_node *gate(rask_graph *g, rask_node *const *nodes, size_t count)
{
    return rask_after(call(g, &weigh_def, 1, NULL, 0), nodes, count);
}

/* Everything is made before anything is used, in order or against it. */
static rask_node *make_then_weigh(rask_graph *g, const rask_task_def *def, uint32_t kind, size_t count,
                                  size_t len, bool backwards)
{
    rask_node **made = calloc(count, sizeof *made);
    for (size_t i = 0; i < count; i++)
        made[i] = call(g, def, recipe(kind == KINDS ? i % KINDS : kind, len, (uint32_t)i), NULL, 0);
    rask_node *sum = gate(g, made, count);
    for (size_t i = 0; i < count; i++) {
        rask_node *pair[2] = {made[backwards ? count - 1 - i : i], sum};
        sum = call(g, &weigh_def, (int64_t)i, pair, 2);
    }
    free(made);
    return sum;
}

/* So many threads; 0: serial. Or processes. */
enum { PROCESSES = 1000, SETUPS = 4 };
static const uint32_t setups[SETUPS] = {0, 1, 2, PROCESSES};

static rask_options budget(uint64_t bytes, uint32_t workers)
{
    rask_options o = workers == PROCESSES ? processes(2) : threads(workers);
    if (!workers)
        o.scheduler = "serial";
    o.memory = bytes;
    return o;
}

/* The node's value, within the budget. */
static int64_t must_give(rask_node *node, rask_options o, rask_report *report)
{
    int64_t value = 0;
    o.report = report;
    cr_assert_eq(rask_compute_with(node, &o, &value), RASK_OK, "%s", rask_graph_error(rask_node_graph(node)));
    cr_assert_leq(report->peak_bytes, o.memory ? o.memory : UINT64_MAX);
    cr_assert_eq(report->live_bytes, 0);
    return value;
}

/* Fails with the status, a message that has these words, and nothing left. */
static rask_report must_refuse(rask_node *node, rask_options o, int status, const char *words)
{
    int64_t value = 77;
    rask_report report;
    o.report = &report;
    rask_graph *g = rask_node_graph(node);
    int got = rask_compute_with(node, &o, &value);
    cr_assert_eq(got, status, "%s: %s", rask_status_name(got), rask_graph_error(g));
    cr_assert_not_null(strstr(rask_graph_error(g), words), "\"%s\" is not in: %s", words,
                       rask_graph_error(g));
    cr_assert_eq(value, 77);
    cr_assert_eq(report.live_bytes, 0);
    return report;
}

static void set_up(void)
{
    alarm(100);
}

static void tear_down(void)
{
    cr_assert_eq(atomic_load(&live_boxes), 0);
}
TestSuite(budget, .init = set_up, .fini = tear_down);

enum { LEN = 20000, MADE = 60, SMALL_BUDGET = 8 * (LEN + 1000) };

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

/* The results of many calls gathered in lists of lists, each of which is taken by somebody later. */
Test(budget, lists_of_what_others_returned_go_to_disk_with_it)
{
    enum { GROUPS = 12, PAIRS = 2 };
    for (uint32_t i = 0; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_node *groups[GROUPS], *sum;
        for (uint32_t k = 0; k < GROUPS; k++) {
            rask_node *pairs[PAIRS], *made[2];
            for (uint32_t p = 0; p < PAIRS; p++) {
                for (uint32_t m = 0; m < 2; m++)
                    made[m] = call(g, &make, recipe((k + p + m) % KINDS, LEN, 4 * k + 2 * p + m), NULL, 0);
                pairs[p] = rask_list(g, made, 2);
            }
            groups[k] = rask_list(g, pairs, PAIRS);
        }
        sum = gate(g, groups, GROUPS);
        for (uint32_t k = 0; k < GROUPS; k++)
            sum = call(g, &weigh_def, k, (rask_node *[]){groups[k], sum}, 2);
        rask_report free_run, report;
        int64_t expected = must_give(sum, budget(0, 1), &free_run);
        cr_expect_eq(must_give(sum, budget(2 * SMALL_BUDGET, setups[i]), &report), expected);
        cr_expect_gt(report.spilled_bytes, 0);
        rask_graph_free(g);
    }
}

/* Before anything is used, all results are in a list of two, and wanted by others as well: before the lists, with them, or
 * after. */
static rask_node *weigh_lists_and_items(rask_graph *g, const rask_task_def *def, uint32_t turn)
{
    enum { LISTS = 15 };
    rask_node *made[2 * LISTS], *lists[LISTS], *sum;
    for (uint32_t i = 0; i < 2 * LISTS; i++)
        made[i] = call(g, def, recipe((i + turn) % KINDS, LEN, i), NULL, 0);
    for (uint32_t k = 0; k < LISTS; k++)
        lists[k] = rask_list(g, made + 2 * k, 2);
    sum = gate(g, lists, LISTS);
    for (uint32_t i = 0; i < 2 * LISTS && turn == 0; i++)
        sum = call(g, &weigh_def, i, (rask_node *[]){made[2 * LISTS - 1 - i], sum}, 2);
    for (uint32_t k = 0; k < LISTS; k++)
        sum = call(g, &weigh_def, 100 + k, (rask_node *[]){lists[k], made[turn == 1 ? 2 * k : 0], sum}, 3);
    for (uint32_t i = 0; i < 2 * LISTS && turn == 2; i++)
        sum = call(g, &weigh_def, i, (rask_node *[]){made[i], sum}, 2);
    return sum;
}

Test(budget, results_that_a_list_and_others_want_go_to_disk)
{
    for (uint32_t i = 0; i < SETUPS; i++)
        for (uint32_t turn = 0; turn < 3; turn++) {
            rask_graph *g = rask_graph_new();
            rask_node *sum = weigh_lists_and_items(g, &make, turn);
            rask_report free_run, report;
            int64_t expected = must_give(sum, budget(0, 1), &free_run);
            cr_expect_eq(must_give(sum, budget(SMALL_BUDGET, setups[i]), &report), expected);
            cr_expect_gt(report.spilled_bytes, 0);
            rask_graph_free(g);
        }
}

/* Pairs of results, which others want, too, and pairs of pairs, and all of them together; but in turn 0 the results are wanted, too. */
static rask_node *weigh_lists_of_lists(rask_graph *g, uint32_t turn)
{
    enum { OUTER = 6, INNER = 2 * OUTER };
    rask_node *made[2 * INNER], *pairs[INNER], *outer[OUTER], *sum;
    for (uint32_t i = 0; i < 2 * INNER; i++)
        made[i] = call(g, &make, recipe((i + turn) % KINDS, LEN, i), NULL, 0);
    for (uint32_t k = 0; k < INNER; k++)
        pairs[k] = rask_list(g, made + 2 * k, 2);
    for (uint32_t k = 0; k < OUTER; k++)
        outer[k] = rask_list(g, pairs + 2 * k, 2);
    sum = gate(g, outer, OUTER);
    for (uint32_t k = 0; k < OUTER; k++)
        sum = call(g, &weigh_def, 100 + k, (rask_node *[]){outer[k], pairs[2 * k], sum}, 3);
    for (uint32_t k = 0; k < INNER; k++)
        sum = call(g, &weigh_def, 200 + k, (rask_node *[]){pairs[turn == 1 ? k : INNER - 1 - k], sum}, 2);
    for (uint32_t i = 0; i < 2 * INNER && turn == 0; i++)
        sum = call(g, &weigh_def, i, (rask_node *[]){made[i], sum}, 2);
    return sum;
}

Test(budget, lists_of_lists_that_others_want_go_to_disk)
{
    for (uint32_t i = 0; i < SETUPS; i++)
        for (uint32_t turn = 0; turn < 3; turn++) {
            rask_graph *g = rask_graph_new();
            rask_node *sum = weigh_lists_of_lists(g, turn);
            rask_report free_run, report;
            int64_t expected = must_give(sum, budget(0, 1), &free_run);
            cr_expect_eq(must_give(sum, budget(SMALL_BUDGET, setups[i]), &report), expected);
            cr_expect_gt(report.spilled_bytes, 0);
            if (setups[i] != PROCESSES)
                cr_expect_lt(report.spilled_bytes, 24 * (LEN + 2000), "written once: %llu",
                             (unsigned long long)report.spilled_bytes);
            rask_graph_free(g);
        }
}

/* Each is a list of the one before, which others want, and of a result; deeper than lists are linked to what is in them. */
Test(budget, lists_that_grow_and_are_all_wanted_are_linked_as_far_as_that_goes)
{
    enum { DEPTH = 200 };
    rask_graph *g = rask_graph_new();
    rask_node *lists[DEPTH], *sum = NULL;
    lists[0] = call(g, &make, recipe(BYTES, 6000, 0), NULL, 0);
    for (uint32_t k = 1; k < DEPTH; k++) {
        rask_node *both[] = {lists[k - 1], call(g, &make, recipe(BYTES, 6000, k), NULL, 0)};
        lists[k] = rask_list(g, both, 2);
    }
    for (uint32_t k = 0; k < DEPTH; k += 37)
        sum = call(g, &weigh_def, k, (rask_node *[]){lists[DEPTH - 1 - k], sum}, sum ? 2 : 1);
    rask_report free_run, report;
    int64_t expected = must_give(sum, budget(0, 1), &free_run);
    cr_expect_eq(must_give(sum, budget(DEPTH * 6400, 2), &report), expected);
    rask_graph_free(g);
}

/* Each result is written once, though it is in two lists and in a place of its own. */
Test(budget, what_lists_share_is_written_once)
{
    enum { COUNT = 20 };
    rask_graph *g = rask_graph_new();
    rask_node *made[COUNT + 1], *lists[COUNT], *sum;
    for (uint32_t i = 0; i <= COUNT; i++)
        made[i] = call(g, &make, recipe(BYTES, LEN, i), NULL, 0);
    for (uint32_t k = 0; k < COUNT; k++)
        lists[k] = rask_list(g, made + k, 2);
    sum = gate(g, lists, COUNT);
    for (uint32_t k = 0; k < COUNT; k++)
        sum = call(g, &weigh_def, k, (rask_node *[]){lists[k], sum}, 2);
    for (uint32_t i = 0; i <= COUNT; i++)
        sum = call(g, &weigh_def, i, (rask_node *[]){made[i], sum}, 2);
    rask_report free_run, report;
    int64_t expected = must_give(sum, budget(0, 1), &free_run);
    cr_expect_eq(must_give(sum, budget(SMALL_BUDGET, 1), &report), expected);
    cr_expect_gt(report.spilled_bytes, COUNT / 2 * LEN);
    cr_expect_lt(report.spilled_bytes, (COUNT + 1) * (LEN + 500), "%llu",
                 (unsigned long long)report.spilled_bytes);
    rask_graph_free(g);
}

static int count_items(rask_task *t)
{
    const rask_value *items;
    size_t count = 0;
    rask_value_get_list(rask_arg_value(t, 1), &items, &count);
    return rask_return_i64(t, (int64_t)count + (rask_arg_count(t) > 2 ? rask_arg_i64(t, 2) : 0));
}
static const rask_task_def count_items_def = {
    .size = sizeof(rask_task_def), .name = "count_items", .call = count_items};

/* A list of so many times the list before, and so on, over a large value. What is on disk is wanted when all are made; so is each of the lists,
 * last first, if they are kept. */
static rask_node *nest_lists(rask_graph *g, uint32_t levels, uint32_t wide, bool kept)
{
    enum { OTHERS = 20, WIDEST = 8 };
    rask_node *others[OTHERS], *items[WIDEST], **lists = calloc(levels + 1, sizeof *lists), *sum;
    for (uint32_t i = 0; i < OTHERS; i++)
        others[i] = call(g, &make, recipe(BYTES, LEN, i), NULL, 0);
    lists[0] = rask_after(call(g, &make, recipe(BYTES, 4 * LEN, OTHERS), NULL, 0), others, OTHERS);
    for (uint32_t i = 0; i < levels; i++) {
        for (uint32_t k = 0; k < wide; k++)
            items[k] = lists[i];
        lists[i + 1] = rask_list(g, items, wide);
    }
    sum = call(g, &count_items_def, 0, &lists[levels], 1);
    for (uint32_t i = levels; i-- > 1 && kept;)
        sum = call(g, &count_items_def, i, (rask_node *[]){lists[i], sum}, 2);
    for (uint32_t i = 0; i < OTHERS; i++)
        sum = call(g, &weigh_def, i, (rask_node *[]){others[i], sum}, 2);
    free(lists);
    return sum;
}

/* Each level is large, and what is in it is not walked each time: that would take a minute. */
Test(budget, lists_nested_deep_are_not_walked_at_every_level)
{
    enum { LEVELS = 30000, LIST_OF_ONE = 64 };
    for (uint32_t kept = 0; kept < 2; kept++) {
        rask_graph *g = rask_graph_new();
        rask_node *sum = nest_lists(g, LEVELS, 1, kept);
        rask_report free_run, report;
        int64_t expected = must_give(sum, budget(0, 1), &free_run);
        cr_expect_eq(must_give(sum, budget(LEVELS * LIST_OF_ONE + 6 * LEN, 1), &report), expected);
        cr_expect_gt(report.spilled_bytes, 0);
        rask_graph_free(g);
    }
}

/* There are 8 to the power of 14 ways through them. */
Test(budget, lists_that_share_lists_are_walked_once)
{
    enum { LEVELS = 14, WIDE = 8 };
    rask_graph *g = rask_graph_new();
    rask_node *sum = nest_lists(g, LEVELS, WIDE, true);
    rask_report free_run, report;
    int64_t expected = must_give(sum, budget(0, 1), &free_run);
    cr_expect_eq(must_give(sum, budget(10 * LEN, 1), &report), expected);
    cr_expect_gt(report.spilled_bytes, 0);
    rask_graph_free(g);
}

/* Of a list of sources only the list is written. What workers begin with, before anybody knows how large results are, is not known
 * to be a source's. */
Test(budget, sources_that_a_list_and_others_want_are_called_again)
{
    rask_graph *g = rask_graph_new();
    rask_node *sum = weigh_lists_and_items(g, &make_source, 2);
    rask_report free_run, report;
    int64_t expected = must_give(sum, budget(0, 1), &free_run);
    cr_expect_eq(must_give(sum, budget(SMALL_BUDGET, 2), &report), expected);
    cr_expect_gt(report.remade, 0);
    cr_expect_lt(report.spilled_bytes, 15 * 1000 + 2 * (LEN + 1000), "%llu",
                 (unsigned long long)report.spilled_bytes);
    rask_graph_free(g);
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
