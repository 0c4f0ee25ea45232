/* Lists within the memory budget: of results that others want, too, of lists, and of sources. */
#include "budget_support.h"

TestSuite(budget_lists, .init = set_up, .fini = tear_down);

/* The results of many calls gathered in lists of lists, each of which is taken by somebody later. */
Test(budget_lists, lists_of_what_others_returned_go_to_disk_with_it)
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

Test(budget_lists, results_that_a_list_and_others_want_go_to_disk)
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

Test(budget_lists, lists_of_lists_that_others_want_go_to_disk)
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
Test(budget_lists, lists_that_grow_and_are_all_wanted_are_linked_as_far_as_that_goes)
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
Test(budget_lists, what_lists_share_is_written_once)
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
Test(budget_lists, lists_nested_deep_are_not_walked_at_every_level)
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
Test(budget_lists, lists_that_share_lists_are_walked_once)
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
Test(budget_lists, sources_that_a_list_and_others_want_are_called_again)
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
