/* The memory order: valid, deterministic, linear, and never worse than Dask's on real graphs. */
#include "core/order/order.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <rask/base.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLION    1000000u
#define SMALL      10  /* tasks of a graph whose best order is found by trying all */
#define RENUMBERED 100 /* random numberings of each real graph */

/* A graph under construction: edges in the order of their tasks. */
typedef struct {
    uint32_t n, edges, room;
    uint32_t *start, *pred;
    uint64_t *size;
} builder;

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % limit);
}

static void *must(void *memory)
{
    cr_assert_not_null(memory);
    return memory;
}

static builder build(uint32_t tasks, uint32_t edges)
{
    return (builder){.room = edges,
                     .start = must(calloc(tasks + 1, sizeof(uint32_t))),
                     .pred = must(calloc(edges + 1, sizeof(uint32_t)))};
}

/* Needs of a task are added right behind it. */
static uint32_t add(builder *b)
{
    b->start[++b->n] = b->edges;
    return b->n - 1;
}

static void need(builder *b, uint32_t dependency)
{
    cr_assert_lt(b->edges, b->room);
    cr_assert_lt(dependency, b->n - 1);
    b->pred[b->edges++] = dependency;
    b->start[b->n] = b->edges;
}

static void discard(builder *b)
{
    free(b->start);
    free(b->pred);
    free(b->size);
}

static rk_order_graph graph_of(const builder *b)
{
    uint32_t *start = must(calloc(b->n + 2, sizeof *start)), *succ = must(calloc(b->edges + 1, sizeof *succ));
    for (uint32_t e = 0; e < b->edges; e++)
        start[b->pred[e] + 2]++;
    for (uint32_t t = 2; t <= b->n; t++)
        start[t] += start[t - 1];
    for (uint32_t t = 0; t < b->n; t++)
        for (uint32_t e = b->start[t]; e < b->start[t + 1]; e++)
            succ[start[b->pred[e] + 1]++] = t;
    return (rk_order_graph){b->n, b->start, b->pred, start, succ, b->size};
}

static void release(rk_order_graph *g)
{
    free((void *)g->succ_start);
    free((void *)g->succ);
}

static void assert_valid(const rk_order_graph *g, const uint32_t *order, const char *name)
{
    bool *ran = must(calloc(g->n + 1, sizeof *ran));
    for (uint32_t k = 0; k < g->n; k++) {
        uint32_t t = order[k];
        if (t >= g->n || ran[t])
            cr_assert_fail("%s: task %u at place %u is not a task or ran before", name, t, k);
        for (uint32_t e = g->pred_start[t]; e < g->pred_start[t + 1]; e++)
            if (!ran[g->pred[e]])
                cr_assert_fail("%s: task %u runs before its dependency %u", name, t, g->pred[e]);
        ran[t] = true;
    }
    free(ran);
}

/* The definition, word for word and quadratic: what rk_order_peak() must agree with. */
static uint64_t slow_peak(const rk_order_graph *g, const uint32_t *order)
{
    bool *ran = must(calloc(g->n + 1, sizeof *ran));
    uint64_t peak = 0;
    for (uint32_t k = 0; k < g->n; k++) {
        uint64_t live = 0;
        for (uint32_t t = 0; t < g->n; t++) {
            bool needed = false;
            for (uint32_t e = g->succ_start[t]; e < g->succ_start[t + 1]; e++)
                needed |= !ran[g->succ[e]];
            live += ran[t] && needed ? (g->size ? g->size[t] : 1) : 0;
        }
        peak = live > peak ? live : peak;
        ran[order[k]] = true;
    }
    free(ran);
    return peak;
}

/* Orders the graph, checks the order, returns its peak. */
static uint64_t ordered_peak(const builder *b, const char *name)
{
    rk_order_graph g = graph_of(b);
    uint32_t *order = must(malloc((g.n + 1) * sizeof *order));
    uint64_t peak = 0;
    cr_assert_eq(rk_order(&g, order), RASK_OK);
    assert_valid(&g, order, name);
    cr_assert_eq(rk_order_peak(&g, order, &peak), RASK_OK);
    if (g.n <= 200)
        cr_assert_eq(peak, slow_peak(&g, order), "%s: rk_order_peak says %lu", name, (unsigned long)peak);
    free(order);
    release(&g);
    return peak;
}

/* The least peak of all orders: dynamic programming over the sets of tasks that have run. */
static uint64_t least_peak(const builder *b)
{
    static uint64_t best[1u << SMALL];
    uint32_t needs[SMALL] = {0}, users[SMALL] = {0}, full = (1u << b->n) - 1;
    for (uint32_t t = 0; t < b->n; t++)
        for (uint32_t e = b->start[t]; e < b->start[t + 1]; e++) {
            needs[t] |= 1u << b->pred[e];
            users[b->pred[e]] |= 1u << t;
        }
    for (uint32_t set = full; set + 1 > 0; set--) {
        uint64_t live = 0, rest = set == full ? 0 : UINT64_MAX;
        for (uint32_t t = 0; t < b->n; t++) {
            if ((set >> t & 1) && (users[t] & ~set))
                live += b->size ? b->size[t] : 1;
            if (!(set >> t & 1) && !(needs[t] & ~set) && best[set | 1u << t] < rest)
                rest = best[set | 1u << t];
        }
        best[set] = live > rest ? live : rest;
        if (set == 0)
            break;
    }
    return best[0];
}

/* The same graph under other numbers: tasks become ready and are numbered at random. */
static builder renumber(const builder *b)
{
    rk_order_graph g = graph_of(b);
    builder out = build(b->n, b->edges);
    uint32_t *wait = must(calloc(b->n + 1, sizeof *wait)), *number = must(calloc(b->n + 1, sizeof *number));
    uint32_t *ready = must(calloc(b->n + 1, sizeof *ready)), readies = 0;
    for (uint32_t t = 0; t < b->n; t++)
        if (!(wait[t] = b->start[t + 1] - b->start[t]))
            ready[readies++] = t;
    while (readies) {
        uint32_t at = random_below(readies), t = ready[at];
        ready[at] = ready[--readies];
        number[t] = add(&out);
        for (uint32_t e = b->start[t]; e < b->start[t + 1]; e++)
            need(&out, number[b->pred[e]]);
        for (uint32_t e = g.succ_start[t]; e < g.succ_start[t + 1]; e++)
            if (--wait[g.succ[e]] == 0)
                ready[readies++] = g.succ[e];
    }
    cr_assert_eq(out.n, b->n);
    free(wait);
    free(number);
    free(ready);
    release(&g);
    return out;
}

static cJSON *real_graphs(void)
{
    FILE *file = must(fopen(RASK_TEST_DATA "/order-graphs.json", "rb"));
    static char text[1 << 18];
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    cJSON *graphs = must(cJSON_Parse(text));
    cr_assert_eq(cJSON_GetArraySize(graphs), 25);
    return graphs;
}

/* A graph from the file, numbered anew so that dependencies come first: lowest ready id first. */
static builder real_graph(const cJSON *graph)
{
    const cJSON *lists = cJSON_GetObjectItem(graph, "deps"), *list, *id;
    uint32_t n = (uint32_t)cJSON_GetArraySize(lists), edges = 0;
    uint32_t *number = must(malloc(n * sizeof *number));
    memset(number, 0xff, n * sizeof *number);
    cJSON_ArrayForEach(list, lists) edges += (uint32_t)cJSON_GetArraySize(list);
    builder b = build(n, edges);
    for (uint32_t before = UINT32_MAX; b.n < n && b.n != before;) {
        uint32_t t = 0;
        before = b.n;
        cJSON_ArrayForEach(list, lists)
        {
            bool ready = number[t] == UINT32_MAX;
            cJSON_ArrayForEach(id, list) ready &= number[id->valueint] != UINT32_MAX;
            if (ready) {
                number[t] = add(&b);
                cJSON_ArrayForEach(id, list) need(&b, number[id->valueint]);
            }
            t++;
        }
    }
    cr_assert_eq(b.n, n);
    free(number);
    return b;
}

Test(order, never_needs_more_memory_than_dask_on_real_graphs)
{
    cJSON *graphs = real_graphs(), *graph;
    int below = 0;
    cJSON_ArrayForEach(graph, graphs)
    {
        const char *name = cJSON_GetObjectItem(graph, "name")->valuestring;
        uint64_t dask = (uint64_t)cJSON_GetObjectItem(graph, "dask_peak")->valuedouble;
        builder b = real_graph(graph);
        uint64_t peak = ordered_peak(&b, name);
        cr_expect_leq(peak, dask, "%s: %lu, Dask %lu", name, (unsigned long)peak, (unsigned long)dask);
        below += peak < dask;
        discard(&b);
    }
    /* On the other 20 Dask's peak is the least possible. */
    cr_expect_geq(below, 5, "below Dask on %d graphs", below);
    cJSON_Delete(graphs);
}

Test(order, stays_below_dask_whatever_the_numbering)
{
    cJSON *graphs = real_graphs(), *graph;
    random_state = 1;
    cJSON_ArrayForEach(graph, graphs)
    {
        const char *name = cJSON_GetObjectItem(graph, "name")->valuestring;
        uint64_t dask = (uint64_t)cJSON_GetObjectItem(graph, "dask_peak")->valuedouble;
        builder b = real_graph(graph);
        for (int i = 0; i < RENUMBERED; i++) {
            builder other = renumber(&b);
            cr_expect_leq(ordered_peak(&other, name), dask, "%s, numbering %d", name, i);
            discard(&other);
        }
        discard(&b);
    }
    cJSON_Delete(graphs);
}

/* density: of the 16 chances that a task needs an earlier one. */
static builder random_graph(uint32_t n, uint32_t density, bool sized)
{
    builder b = build(n, n * n);
    b.size = sized ? must(calloc(n, sizeof *b.size)) : NULL;
    for (uint32_t t = 0; t < n; t++) {
        add(&b);
        if (sized)
            b.size[t] = random_below(100);
        for (uint32_t p = 0; p < t; p++)
            for (uint32_t twice = 1 + (random_below(16) == 0); twice-- && random_below(16) < density;)
                need(&b, p);
    }
    return b;
}

static void compare_with_the_best(bool sized)
{
    random_state = 7;
    for (uint32_t i = 0; i < 3000; i++) {
        builder b = random_graph(1 + random_below(SMALL), 1 + i % 8, sized);
        uint64_t peak = ordered_peak(&b, "random"), least = least_peak(&b);
        cr_expect_eq(peak, least, "graph %u: %lu, possible %lu", i, (unsigned long)peak,
                     (unsigned long)least);
        discard(&b);
    }
}

Test(order, finds_the_least_peak_of_small_graphs)
{
    compare_with_the_best(false);
}

Test(order, finds_the_least_peak_of_small_graphs_with_sizes)
{
    compare_with_the_best(true);
}

/* The input that leaves 1 byte behind after 100 must come first, although it is listed second: run last it
 * would find 190 bytes live. Taken as equal results, either order would do. */
Test(order, counts_bytes_not_results)
{
    builder b = build(7, 6);
    uint64_t sizes[] = {5, 90, 100, 50, 50, 1, 1};
    b.size = must(calloc(7, sizeof *b.size));
    memcpy(b.size, sizes, sizeof sizes);
    add(&b); /* 0: 5 bytes */
    add(&b); /* 1: 90 made from them */
    need(&b, 0);
    add(&b); /* 2: 100 bytes */
    add(&b); /* 3 */
    add(&b); /* 4 */
    add(&b); /* 5: 1 byte made from them */
    need(&b, 2);
    add(&b);
    need(&b, 1);
    need(&b, 5);
    need(&b, 3);
    need(&b, 4);
    /* 100 first, down to 1; then 1 + 90 + 50 + 50. */
    cr_assert_eq(ordered_peak(&b, "sizes"), 191);
    discard(&b);
}

/* An allocator that gives `left` more blocks, then none. */
static int left, held;

static void *scarce_alloc(void *context, size_t size)
{
    (void)context;
    if (left-- <= 0)
        return NULL;
    held++;
    return malloc(size);
}

static void *scarce_realloc(void *context, void *ptr, size_t size)
{
    (void)context;
    return left-- <= 0 ? NULL : realloc(ptr, size);
}

static void scarce_free(void *context, void *ptr)
{
    (void)context;
    held -= ptr != NULL;
    free(ptr);
}

Test(order, reports_missing_memory_and_leaks_none)
{
    const rask_allocator scarce = {scarce_alloc, scarce_realloc, scarce_free, NULL};
    random_state = 9;
    builder b = random_graph(100, 1, false);
    rk_order_graph g = graph_of(&b);
    uint32_t order[100];
    uint64_t peak = 77;
    int failures = 0;
    cr_assert_eq(rask_set_allocator(&scarce), RASK_OK);
    for (int blocks = 0; blocks < 8; blocks++) {
        left = blocks;
        int status = rk_order(&g, order);
        cr_expect(status == RASK_OK || status == RASK_ENOMEM);
        cr_expect_eq(held, 0, "%d blocks: %d leaked", blocks, held);
        failures += status != RASK_OK;
        if (!status)
            assert_valid(&g, order, "scarce");
    }
    left = 0;
    cr_expect_eq(rk_order_peak(&g, NULL, &peak), RASK_ENOMEM);
    cr_expect_eq(peak, 77);
    rask_set_allocator(NULL);
    cr_expect_eq(failures, 2, "the search does without; the walks need two blocks");
    release(&g);
    discard(&b);
}

Test(order, is_a_function_of_the_graph)
{
    random_state = 3;
    builder b = random_graph(300, 1, true);
    rk_order_graph g = graph_of(&b);
    uint32_t first[300], again[300];
    cr_assert_eq(rk_order(&g, first), RASK_OK);
    cr_assert_eq(rk_order(&g, again), RASK_OK);
    cr_assert_arr_eq(first, again, sizeof first);
    release(&g);
    discard(&b);
}

Test(order, takes_an_empty_graph_and_a_single_task)
{
    builder none = build(0, 0), one = build(1, 0);
    add(&one);
    cr_expect_eq(ordered_peak(&none, "empty"), 0);
    cr_expect_eq(ordered_peak(&one, "one"), 0);
    discard(&none);
    discard(&one);
}

Test(order, takes_a_dependency_listed_twice_as_one_result)
{
    builder b = build(4, 6);
    for (uint32_t t = 0; t < 4; t++) {
        add(&b);
        for (int twice = 0; t && twice < 2; twice++)
            need(&b, t - 1);
    }
    cr_expect_eq(ordered_peak(&b, "squares"), 1);
    discard(&b);
}

Test(order, follows_a_chain_of_a_million)
{
    builder b = build(MILLION, MILLION);
    for (uint32_t t = 0; t < MILLION; t++) {
        add(&b);
        if (t)
            need(&b, t - 1);
    }
    cr_expect_eq(ordered_peak(&b, "chain"), 1);
    discard(&b);
}

/* Two chains side by side, so that the creation order is not the answer: the walk's path is a million goals
 * long. */
Test(order, finishes_one_long_chain_before_the_next)
{
    builder b = build(MILLION + 1, MILLION + 1);
    for (uint32_t t = 0; t < MILLION; t++) {
        add(&b);
        if (t >= 1000)
            need(&b, t - 1000);
    }
    cr_expect_eq(ordered_peak(&b, "chains"), 1);
    discard(&b);
}

Test(order, takes_a_million_inputs_of_one_task)
{
    builder b = build(MILLION + 2, MILLION + 2);
    for (uint32_t t = 0; t < MILLION; t++)
        add(&b);
    add(&b);
    for (uint32_t t = 0; t < MILLION; t++)
        need(&b, t);
    cr_expect_eq(ordered_peak(&b, "star in"), MILLION);
    discard(&b);
}

/* Every middle task needs the root and is needed by the hub, which also needs the root: nothing is decided by
 * comparing all with all. */
Test(order, takes_stars_on_stars)
{
    uint32_t rays = MILLION / 2;
    builder b = build(2 * rays + 2, 4 * rays + 2);
    add(&b);
    for (uint32_t t = 0; t < rays; t++) {
        add(&b);
        need(&b, 0);
    }
    add(&b);
    for (uint32_t t = 0; t <= rays; t++)
        need(&b, t);
    for (uint32_t t = 0; t < rays; t++) {
        add(&b);
        need(&b, 1 + t);
        need(&b, rays + 1);
    }
    cr_expect_leq(ordered_peak(&b, "stars"), rays + 2);
    discard(&b);
}

static uint32_t add_tree(builder *b, uint32_t first, uint32_t leaves)
{
    while (leaves > 1) {
        uint32_t next = b->n;
        for (uint32_t i = 0; i + 1 < leaves; i += 2) {
            add(b);
            need(b, first + i);
            need(b, first + i + 1);
        }
        first = next;
        leaves /= 2;
    }
    return first;
}

Test(order, reduces_a_million_tasks_with_a_handful_live)
{
    uint32_t chunks = 1u << 18;
    builder b = build(4 * chunks, 4 * chunks);
    for (uint32_t i = 0; i < 2 * chunks; i++)
        add(&b);
    for (uint32_t i = 0; i < chunks; i++) {
        add(&b);
        need(&b, i);
        need(&b, chunks + i);
    }
    add_tree(&b, 2 * chunks, chunks);
    cr_expect_leq(ordered_peak(&b, "two inputs, tree"), 20);
    builder other = renumber(&b);
    cr_expect_leq(ordered_peak(&other, "two inputs, tree, renumbered"), 20);
    discard(&other);
    discard(&b);
}

Test(order, adds_up_along_a_comb_without_keeping_its_teeth)
{
    uint32_t teeth = MILLION / 2;
    builder b = build(2 * teeth + 1, 2 * teeth);
    for (uint32_t i = 0; i <= teeth; i++)
        add(&b);
    for (uint32_t i = 0; i < teeth; i++) {
        add(&b);
        need(&b, 1 + i); /* the tooth comes first in the list, and must run second */
        need(&b, i ? teeth + i : 0);
    }
    cr_expect_eq(ordered_peak(&b, "comb"), 2);
    discard(&b);
}

Test(order, never_exceeds_the_creation_order)
{
    random_state = 11;
    for (uint32_t i = 0; i < 200; i++) {
        builder b = random_graph(20 + random_below(180), 1, i % 2);
        rk_order_graph g = graph_of(&b);
        uint64_t created = 0;
        cr_assert_eq(rk_order_peak(&g, NULL, &created), RASK_OK);
        cr_expect_leq(ordered_peak(&b, "random"), created, "graph %u", i);
        release(&g);
        discard(&b);
    }
}

/* A mesh under random numbers: neighbours share results, no part can be finished alone. */
Test(order, sweeps_a_mesh_whatever_the_numbering)
{
    uint32_t side = 500;
    builder b = build(side * side, 2 * side * side);
    for (uint32_t t = 0; t < side * side; t++) {
        add(&b);
        if (t >= side)
            need(&b, t - side);
        if (t % side)
            need(&b, t - 1);
    }
    random_state = 5;
    builder other = renumber(&b);
    cr_expect_leq(ordered_peak(&other, "mesh"), side);
    discard(&other);
    discard(&b);
}
