/* Graphs as values: what comes back is what went in. */
#include "core/graph/wrap.h"
#include "core/value/value.h"
#include "graphs.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static rask_node *wrap_and_unwrap(const rask_node *node)
{
    rask_value wrapped;
    rask_node *back = NULL;
    cr_assert_eq(rk_graph_wrap(node, &wrapped), RASK_OK);
    cr_assert_eq(rk_graph_unwrap(&wrapped, &back), RASK_OK);
    rask_value_unref(&wrapped);
    cr_assert_eq(back->id, node->id);
    return back;
}

Test(wrap, random_graphs_come_to_the_same_results)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        random_graph *g = random_graph_new(seed);
        rask_node *targets[GRAPH_MAX_TARGETS];
        rask_value results[GRAPH_MAX_TARGETS];
        rask_options o = RASK_OPTIONS_INIT;
        const rask_node *last = rk_graph_node(g->graph, g->graph->count - 1);
        rask_graph *graph = wrap_and_unwrap(last)->graph;
        cr_assert_eq(graph->count, g->graph->count);
        for (uint32_t i = 0; i < g->target_count; i++)
            targets[i] = rk_graph_node(graph, g->targets[i]->id);
        cr_assert_eq(rask_compute_values(targets, g->target_count, &o, results), RASK_OK, "%s",
                     rask_graph_error(graph));
        cr_assert(random_graph_equal(g, results), "seed %llu", (unsigned long long)seed);
        for (uint32_t i = 0; i < g->target_count; i++)
            rask_value_unref(&results[i]);
        rask_graph_free(graph);
        random_graph_free(g);
    }
    cr_assert_eq(random_graph_live_customs(), 0);
}

static int add(rask_task *t)
{
    return rask_return_i64(t, rask_arg_i64(t, 0) + rask_arg_i64(t, 1));
}
RASK_SLOTS_WITH(add, (.tags = "licence", .retries = 1));

static char *text_of(rask_node *node)
{
    char *text;
    size_t len;
    cr_assert_eq(rask_graph_to_json(&node, 1, &text, &len), RASK_OK, "%s", rask_graph_error(node->graph));
    return text;
}

/* A node with each of the attributes, behind one with none. */
static rask_node *add_with_all(rask_graph *g)
{
    rask_node *first = rask_delayed(g, add, 1, 2), *other = rask_delayed(g, add, first, 3);
    rask_node *node = rask_delayed(g, add, first, rask_const(g, 4));
    rask_set_label(node, "the last");
    rask_set_tags(node, "gpu:2,disk");
    rask_set_priority(node, -3);
    rask_set_retries(node, 5);
    rask_set_timeout(node, 1.5);
    rask_set_backoff(node, 0.25);
    rask_set_result_bytes(node, 800);
    rask_set_scratch_bytes(node, 900);
    return rask_after(node, &other, 1);
}

Test(wrap, what_was_set_comes_along)
{
    rask_graph *g = rask_graph_new();
    rask_node *node = add_with_all(g), *back = wrap_and_unwrap(node);
    const rk_extra *extra = rk_node_extra(back);
    char *before = text_of(node), *after = text_of(back);
    cr_expect_str_eq(before, after);
    cr_assert_not_null(extra);
    cr_expect_str_eq(extra->label, "the last");
    cr_expect_str_eq(rk_node_tags(back), "gpu:2,disk");
    cr_expect_eq(rk_node_priority(back), -3);
    cr_expect(extra->own_retries && extra->retries == 5);
    cr_expect(extra->own_timeout && extra->timeout == 1.5);
    cr_expect(extra->own_backoff && extra->backoff == 0.25);
    cr_expect(extra->own_result_bytes && extra->result_bytes == 800 && extra->scratch_bytes == 900);
    cr_expect_eq(back->order_only, 1);
    cr_expect_str_eq(rk_node_tags(rk_graph_node(back->graph, 0)), "licence");
    rask_json_free(before);
    rask_json_free(after);
    rask_graph_free(back->graph);
    rask_graph_free(g);
}

Test(wrap, where_nodes_were_built_comes_along)
{
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_delayed(g, add, 1, 2), *back = wrap_and_unwrap(node);
    cr_expect_str_eq(rk_node_site(back).file, __FILE__);
    cr_expect_eq(rk_node_site(back).line, rk_node_site(node).line);
    rask_graph_free(back->graph);
    rask_graph_free(g);
}

Test(wrap, what_is_no_graph_is_refused)
{
    rask_graph *g = rask_graph_new();
    rask_node *node = add_with_all(g), *back;
    rask_value wrapped, number = rask_value_i64(7), list, cut;
    rask_bytes bytes;
    cr_assert_eq(rk_graph_unwrap(&number, &back), RASK_EINVAL);
    cr_assert_eq(rask_value_list_new(&number, 1, &list), RASK_OK);
    cr_assert_eq(rk_graph_unwrap(&list, &back), RASK_EINVAL);
    rask_value_unref(&list);
    cr_assert_eq(rk_graph_wrap(node, &wrapped), RASK_OK);
    cr_assert_eq(rask_value_get_bytes(&rk_value_list(&wrapped)->items[0], &bytes), RASK_OK);
    for (size_t len = 0; len < bytes.len; len += 7) {
        cr_assert_eq(rask_value_bytes_new(bytes.data, len, &cut), RASK_OK);
        cr_assert_eq(rask_value_list_new(&cut, 1, &list), RASK_OK);
        cr_expect_eq(rk_graph_unwrap(&list, &back), RASK_EINVAL);
        rask_value_unref(&list);
        rask_value_unref(&cut);
    }
    rask_value_unref(&wrapped);
    rask_graph_free(g);
}
