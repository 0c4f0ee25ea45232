/* Building graphs: what each builder makes, and that size does not matter. What they refuse is in
 * test_graph_errors.c. */
#include "core/graph/graph.h"

#include <criterion/criterion.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MILLION = 100000, CHAIN = 100000 }; /* sanitizers are slow and hold three times the memory */
#else
enum { MILLION = 1000000, CHAIN = 10000000 };
#endif

static rask_graph *g;

static void set_up(void)
{
    g = rask_graph_new();
}
static void tear_down(void)
{
    rask_graph_free(g);
}
TestSuite(graph, .init = set_up, .fini = tear_down);
TestSuite(nodes, .init = set_up, .fini = tear_down);
TestSuite(attributes, .init = set_up, .fini = tear_down);
TestSuite(size, .init = set_up, .fini = tear_down);

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
static int64_t next(int64_t i)
{
    return i + 1;
}
static int64_t eight(int64_t a, double b, bool c, const char *d, rask_bytes e, const rask_value *f, int64_t h,
                     double i)
{
    return a + (int64_t)b + c + d[0] + (int64_t)e.len + f->as.i64 + h + (int64_t)i;
}
static int64_t seven(void)
{
    return 7;
}
RASK_TASK(add, i64, i64, i64);
RASK_TASK(next, i64, i64);
RASK_TASK(eight, i64, i64, f64, bool, str, bytes, value, i64, f64);
RASK_TASK(seven, i64);

/* A list of as many numbers, from its argument on. */
static int count_up(rask_task *t)
{
    rask_value values[10];
    for (int64_t i = 0; i < 10; i++)
        values[i] = rask_value_i64(rask_arg_i64(t, 0) + i);
    return rask_return_list(t, values, 10);
}
RASK_SLOTS(count_up);

static const bool yes = true; /* a bare true is an int before C23 */

static int64_t computed(rask_node *node)
{
    int64_t answer = INT64_MIN;
    cr_expect_eq(rask_compute(node, &answer), RASK_OK, "%s", rask_graph_error(rask_node_graph(node)));
    return answer;
}

Test(graph, starts_empty_and_in_order)
{
    cr_expect_eq(rask_graph_size(g), 0);
    cr_expect_eq(rask_graph_status(g), RASK_OK);
    cr_expect_str_eq(rask_graph_error(g), "");
}

Test(graph, numbers_its_nodes_in_the_order_of_building)
{
    rask_node *nodes[] = {rask_const(g, 1), rask_delayed(g, seven), rask_delayed(g, add, 1, 2),
                          rask_list(g, NULL, 0), rask_input(g, 2)};
    const char *names[] = {"const", "seven", "add", "list", "input"};
    for (uint32_t i = 0; i < COUNT(nodes); i++) {
        cr_expect_eq(rask_node_id(nodes[i]), i);
        cr_expect_eq(rask_node_graph(nodes[i]), g);
        cr_expect_str_eq(rask_node_name(nodes[i]), names[i]);
        cr_expect_str_eq(rask_node_label(nodes[i]), "");
    }
    cr_expect_eq(rask_graph_size(g), COUNT(nodes));
}

Test(graph, reports_the_last_operation_until_the_next)
{
    double real = 0;
    rask_node *text = rask_const(g, "text"), *number = rask_const(g, 2);
    cr_expect_eq(rask_compute(text, &real), RASK_ETYPE);
    cr_expect_eq(rask_graph_status(g), RASK_ETYPE);
    cr_expect_neq(rask_graph_error(g)[0], '\0');
    cr_expect_eq(rask_compute(number, &real), RASK_OK);
    cr_expect_eq(rask_graph_status(g), RASK_OK);
    cr_expect_str_eq(rask_graph_error(g), "");
}

Test(graph, can_be_extended_after_it_was_computed)
{
    rask_node *sum = rask_delayed(g, add, 1, 2);
    cr_expect_eq(computed(sum), 3);
    cr_expect_eq(computed(rask_delayed(g, add, sum, 4)), 7);
}

Test(graph, that_nobody_else_refers_to_is_renewed)
{
    uint64_t serial = g->serial;
    rask_node *text = rask_const(g, "text"), *three = rask_delayed(g, next, 3);
    cr_assert(text && three);
    cr_assert(rk_graph_renew(g));
    cr_assert_eq(rask_graph_size(g), 0);
    cr_assert_neq(g->serial, serial, "it is another graph");
    cr_assert_eq(g->constants.count, 0, "what it held is let go of");
    cr_assert_eq(computed(rask_delayed(g, next, 4)), 5);
    cr_assert_eq(g->definitions.count, 1, "definitions are known already");
}

Test(graph, that_others_refer_to_or_that_is_more_than_nodes_is_not_renewed)
{
    rask_node *node = rask_delayed(g, next, 3);
    rk_graph_ref(g);
    cr_assert_not(rk_graph_renew(g));
    rask_graph_free(g);
    cr_assert_eq(computed(node), 4, "it is as it was");
    rask_set_label(node, "by name");
    cr_assert_not(rk_graph_renew(g));
    rask_graph *large = rask_graph_new(), *broken = rask_graph_new();
    for (int64_t i = 0; i < 1000; i++)
        rask_delayed(large, next, i);
    cr_assert_not(rk_graph_renew(large));
    rask_delayed(broken, next, "text");
    cr_assert_not(rk_graph_renew(broken));
    rask_graph_free(large);
    rask_graph_free(broken);
}

Test(nodes, take_every_kind_of_constant)
{
    rask_value six = rask_value_i64(6);
    rask_bytes five = {"12345", 5};
    cr_expect_eq(computed(rask_delayed(g, eight, 1, 2.0, yes, "a", five, &six, 7, 8.0f)),
                 1 + 2 + 1 + 'a' + 5 + 6 + 7 + 8);
    cr_expect_eq(computed(rask_delayed(g, eight, (short)1, 2, yes, "a", five, &six, 7u, 8)),
                 1 + 2 + 1 + 'a' + 5 + 6 + 7 + 8);
}

Test(nodes, take_every_kind_of_node)
{
    rask_value six = rask_value_i64(6);
    rask_bytes five = {"12345", 5};
    rask_node *call =
        rask_delayed(g, eight, rask_const(g, 1), rask_const(g, 2.0), rask_const(g, yes), rask_const(g, "a"),
                     rask_const(g, five), rask_const(g, &six), rask_input(g, 7), rask_delayed(g, add, 4, 4));
    cr_expect_eq(computed(call), 1 + 2 + 1 + 'a' + 5 + 6 + 7 + 8);
}

Test(nodes, keep_their_own_copy_of_constants)
{
    char text[] = "before";
    rask_value result;
    rask_bytes bytes;
    rask_node *node = rask_const(g, text);
    memset(text, 'x', sizeof text - 1);
    cr_assert_eq(rask_compute(node, &result), RASK_OK);
    rask_value_get_bytes(&result, &bytes);
    cr_expect_str_eq(bytes.data, "before");
    rask_value_unref(&result);
}

Test(nodes, know_where_they_were_built)
{
    rask_node *built[6];
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < COUNT(built); i++)
            built[i] = rask_call_at(g, RASK_DEF(seven), NULL, 0, "here.c", (int)i + 1);
    for (size_t i = 0; i < COUNT(built); i++) {
        cr_expect_str_eq(rk_node_site(built[i]).file, "here.c");
        cr_expect_eq(rk_node_site(built[i]).line, (int)i + 1);
    }
    rask_node *nowhere = rask_call_at(g, RASK_DEF(seven), NULL, 0, NULL, 0);
    cr_expect_null(rk_node_site(nowhere).file);
    rask_node *here = rask_delayed(g, seven);
    cr_expect_eq(rk_node_site(here).line, __LINE__ - 1);
    cr_expect_str_eq(rk_node_site(here).file, __FILE__);
}

Test(nodes, of_one_line_share_its_site)
{
    for (int i = 0; i < 1000; i++)
        rask_delayed(g, next, rask_delayed(g, seven));
    cr_expect_leq(g->sites.count, 4);
    cr_expect_eq(g->definitions.count, 2);
}

Test(nodes, remember_many_definitions)
{
    enum { DEFINITIONS = 1000 };
    static rask_task_def defs[DEFINITIONS];
    static char names[DEFINITIONS][16];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < DEFINITIONS; i++) {
            defs[i] = *RASK_DEF(seven);
            snprintf(names[i], sizeof names[i], "f%d", i);
            defs[i].name = names[i];
            cr_expect_str_eq(rask_node_name(rask_call(g, &defs[i], NULL, 0)), names[i]);
        }
    cr_expect_eq(g->definitions.count, DEFINITIONS);
}

Test(nodes, give_items_of_lists)
{
    rask_node *list = rask_delayed(g, count_up, 100);
    for (size_t i = 0; i < 10; i++)
        cr_expect_eq(computed(rask_item(list, i)), 100 + (int64_t)i);
}

Test(nodes, give_several_outputs_of_one_call)
{
    rask_node *outs[10];
    const rask_arg from[] = {rask_arg_of_i64(50)};
    cr_expect_eq(rask_delayed_outputs(g, count_up, outs, 10, from, 1), outs[0]);
    cr_expect_eq(rask_graph_size(g), 11);
    for (int i = 0; i < 10; i++)
        cr_expect_eq(computed(outs[i]), 50 + i);
}

Test(nodes, wait_for_others_without_taking_their_values)
{
    rask_node *first = rask_delayed(g, seven), *second = rask_const(g, "no number"),
              *third = rask_delayed(g, seven);
    rask_node *call = rask_delayed(g, add, 1, 2), *deps[] = {first, second, first};
    cr_expect_eq(rask_after(call, deps, 3), call);
    cr_expect_eq(rask_after(call, &third, 1), call);
    cr_expect_eq(rask_after(call, NULL, 0), call);
    cr_expect_eq(call->nargs, 2);
    cr_expect_eq(call->order_only, 4);
    cr_expect_eq(computed(call), 3);
}

Test(nodes, keep_their_arguments_when_they_wait_later)
{
    rask_node *nodes[100];
    for (int i = 0; i < 100; i++)
        nodes[i] = rask_delayed(g, add, i, 1000);
    for (int i = 1; i < 100; i++)
        for (int k = 0; k < i; k += 7)
            cr_assert_eq(rask_after(nodes[i], &nodes[k], 1), nodes[i]);
    for (int i = 0; i < 100; i++) {
        cr_expect_eq(nodes[i]->order_only, (uint32_t)(i + 6) / 7);
        cr_expect_eq(computed(nodes[i]), i + 1000);
    }
}

Test(attributes, are_kept_with_their_node)
{
    static rask_node *nodes[1000];
    char label[32];
    for (int i = 0; i < 1000; i++) {
        nodes[i] = rask_delayed(g, seven);
        snprintf(label, sizeof label, "label %d", i);
        if (i % 3)
            cr_assert_eq(rask_set_label(nodes[i], label), nodes[i]);
        if (i % 5)
            cr_assert_eq(rask_set_priority(nodes[i], -i), nodes[i]);
    }
    cr_assert_eq(rask_set_retries(nodes[1], 3), nodes[1]);
    cr_assert_eq(rask_set_timeout(nodes[1], 2.5), nodes[1]);
    cr_assert_eq(rask_set_result_bytes(nodes[1], 1ull << 40), nodes[1]);
    const rk_extra *extra = rk_node_extra(nodes[1]);
    cr_expect(extra->own_retries && extra->retries == 3);
    cr_expect(extra->own_timeout && extra->timeout == 2.5);
    cr_expect(extra->own_result_bytes && extra->result_bytes == 1ull << 40);
    for (int i = 0; i < 1000; i++) {
        snprintf(label, sizeof label, i % 3 ? "label %d" : "", i);
        cr_expect_str_eq(rask_node_label(nodes[i]), label);
        extra = rk_node_extra(nodes[i]);
        cr_expect_eq(extra && extra->own_priority, i % 5 != 0);
        cr_expect(!extra || extra->priority == (i % 5 ? -i : 0));
    }
    cr_expect_null(rk_node_extra(nodes[0]));
}

Test(attributes, may_be_set_again)
{
    rask_node *node = rask_const(g, 1);
    const char *labels[] = {"one", "two", "", "four", NULL, "six", "seven", "eight", "nine", "ten"};
    for (size_t i = 0; i < COUNT(labels); i++) {
        cr_expect_eq(rask_set_label(node, labels[i]), node);
        cr_expect_str_eq(rask_node_label(node), labels[i] ? labels[i] : "");
    }
}

Test(attributes, cut_huge_labels)
{
    char *label = malloc(RASK_MAX_LABEL + 100);
    memset(label, 'l', RASK_MAX_LABEL + 99);
    label[RASK_MAX_LABEL + 99] = '\0';
    rask_node *node = rask_const(g, 1);
    cr_expect_eq(rask_set_label(node, label), node);
    cr_expect_eq(strlen(rask_node_label(node)), RASK_MAX_LABEL);
    label[RASK_MAX_LABEL] = '\0';
    cr_expect_str_eq(rask_node_label(node), label);
    free(label);
}

/* Nodes live in segments of 256, 512, 1024, …: around each border ids, arguments and addresses stay right. */
Test(size, borders_between_segments_do_not_show)
{
    const uint32_t borders[] = {256, 768, 1792, 3840, 65280, 65536, 130816};
    enum { NODES = 131000 };
    rask_node **nodes = malloc(NODES * sizeof *nodes);
    nodes[0] = rask_const(g, 0);
    for (uint32_t i = 1; i < NODES; i++)
        nodes[i] = rask_call_nodes(g, RASK_DEF(next), &nodes[i - 1], 1);
    for (size_t b = 0; b < COUNT(borders); b++)
        for (uint32_t id = borders[b] - 2; id <= borders[b] + 2; id++) {
            cr_expect_eq(rk_graph_node(g, id), nodes[id]);
            cr_expect_eq(rask_node_id(nodes[id]), id);
            cr_expect_eq(rk_node_args(nodes[id])[0], id - 1);
            cr_expect_eq(computed(nodes[id]), id);
        }
    free(nodes);
}

Test(size, counts_of_nodes_at_borders_are_exact)
{
    const uint32_t counts[] = {1, 255, 256, 257, 767, 768, 769, 65535, 65536, 65537};
    for (size_t i = 0; i < COUNT(counts); i++) {
        rask_graph *graph = rask_graph_new();
        rask_node *last = rask_const(graph, 1);
        for (uint32_t k = 1; k < counts[i]; k++)
            last = rask_delayed(graph, next, last);
        cr_expect_eq(rask_graph_size(graph), counts[i]);
        cr_expect_eq(computed(last), counts[i]);
        rask_graph_free(graph);
    }
}

Test(size, calls_take_any_number_of_arguments)
{
    const size_t counts[] = {0, 1, 15, 16, 17, 255, 256, 257, 4096, 65535, 65536, 65537};
    rask_node **nodes = malloc(65537 * sizeof *nodes);
    for (size_t i = 0; i < 65537; i++)
        nodes[i] = rask_const(g, (int64_t)i);
    for (size_t i = 0; i < COUNT(counts); i++) {
        int64_t n = (int64_t)counts[i];
        cr_expect_eq(computed(rask_sum(rask_list(g, nodes, counts[i]))), n * (n - 1) / 2, "%zu", counts[i]);
    }
    free(nodes);
}

Test(size, a_list_holds_a_million_nodes)
{
    rask_node **nodes = malloc(MILLION * sizeof *nodes), *shared = rask_delayed(g, seven);
    for (int64_t i = 0; i < MILLION; i++)
        nodes[i] = i % 2 ? shared : rask_delayed(g, next, i);
    rask_node *list = rask_list(g, nodes, MILLION);
    cr_expect_eq(list->nargs, MILLION);
    cr_expect_eq(computed(rask_item(list, MILLION - 2)), MILLION - 1);
    cr_expect_eq(computed(rask_sum(list)), (int64_t)MILLION / 2 * 7 + (int64_t)MILLION / 2 * (MILLION / 2));
    free(nodes);
}

Test(size, a_chain_of_ten_million_is_built_planned_and_run_without_recursion)
{
    rask_node *last = rask_const(g, 0);
    for (int i = 0; i < CHAIN; i++)
        last = rask_call_nodes(g, RASK_DEF(next), &last, 1);
    cr_assert_eq(rask_graph_size(g), CHAIN + 1);
    cr_expect_eq(computed(last), CHAIN);
}
