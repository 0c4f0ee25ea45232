/* Design notes
 *
 * Which order of a graph needs the fewest live bytes is NP-hard to say (it is pebbling with sliding, or
 * register allocation across a whole block). Trees are solved: Sethi and Ullman (1970) for equal sizes, Liu
 * (1987) in general. Rask takes what the theory of trees gives, in linear time, and lets a few variants
 * compete.
 *
 * 1. Measure the creation order (peak.c). One pass gives its peak and a lower bound for all orders, the most
 * bytes that die with one task. When they meet, the creation order is the answer: chains, map-reduce,
 * fork-join end here.
 * 2. Walk depth-first (walk.c). Three rules, in this order:
 *    a. a ready task that frees at least what it makes runs at once: no order gets worse by that (proof in
 * search.c); b. towards a goal, first the dependency that needs most bytes above those it leaves behind: its
 * label; c. with no goal, go on to a task that needs a live result, so that the result can die; with none
 * live, to a sink.
 * 3. A large graph that still holds much gets a second walk that serves the oldest live result instead of the
 * latest: that is better where results are shared among neighbours (bands, meshes) and no subtree can be
 * finished alone.
 * 4. Graphs up to THOROUGH_TASKS are walked in every style, those up to RK_SEARCH_TASKS searched (search.c).
 *
 * Invariants: the order kept is never above the creation order; a walk is given up when it is no better than
 * the best so far; ties are broken by position in the graph's arrays, never by address or time.
 *
 * Why a walk is linear: every task runs once and then looks at its edges once. The place in a list of
 * dependencies or successors only moves forward (`cursor`; twice over dependencies), lists of up to FEW are
 * compared whole; a task is on one linked list at a time, so that lists need no memory of their own. Nothing
 * recurses: the path to a goal is the linked list of goals. */
#include "core/order/order.h"

#include "core/base/alloc.h"
#include "core/order/peak.h"
#include "core/order/search.h"
#include "core/order/walk.h"

#include <rask/base.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define THOROUGH_TASKS 20000 /* graphs up to this size are walked in every style */
#define WIDE_SHARE     256   /* larger ones a second time if more than a 256th of all bytes is live at once */

static const rk_walk_style depth_first = {0};
static const rk_walk_style breadth_first = {.oldest_first = true, .from_sources = true};
static const rk_walk_style other_styles[] = {
    {.last_first = true},
    {.oldest_first = true},
    {.lookahead = 16},
    {.lookahead = 16, .from_sources = true, .last_first = true},
    {.lookahead = 16, .from_sources = true, .last_first = true, .oldest_first = true},
};

/* Walks compete: each is given up as soon as it is no better than the best before it. */
typedef struct {
    const rk_order_graph *graph;
    rk_walk_task *task;
    uint32_t *order; /* the best so far */
    uint32_t *trial; /* where small graphs are walked */
    uint64_t peak;   /* of order */
    uint64_t bound;  /* of all orders */
} contest;

static void number(uint32_t *order, uint32_t n)
{
    for (uint32_t t = 0; t < n; t++)
        order[t] = t;
}

static bool enter(contest *c, rk_walk_style style)
{
    if (c->peak <= c->bound || !rk_walk(c->graph, style, c->peak, c->task, c->trial, &c->peak))
        return false;
    memcpy(c->order, c->trial, c->graph->n * sizeof *c->order);
    return true;
}

/* In a forest of equal results, each needed once, labels are lower bounds (Sethi and Ullman). The first walk
 * usually meets them, which spares reductions all further attempts. */
static void raise_bound(contest *c, uint64_t total)
{
    if (c->graph->size || c->graph->pred_start[c->graph->n] != total)
        return;
    for (uint32_t t = 0; t < c->graph->n; t++)
        if (c->task[t].label > (float)c->bound)
            c->bound = (uint64_t)c->task[t].label;
}

static void order_small(contest *c, uint64_t total)
{
    if (enter(c, depth_first))
        raise_bound(c, total);
    enter(c, breadth_first);
    for (size_t i = 0; i < COUNT(other_styles); i++)
        enter(c, other_styles[i]);
    if (c->graph->n <= RK_SEARCH_TASKS && c->peak > c->bound)
        rk_search(c->graph, c->bound, c->order, c->peak);
}

/* The walks write straight into the order. To walk again when the second is no better is rare, and cheaper
 * than the pages of a second array would be for every graph. */
static void order_large(contest *c, uint64_t total)
{
    const rk_order_graph *g = c->graph;
    bool deep = rk_walk(g, depth_first, c->peak, c->task, c->order, &c->peak);
    bool wide = c->peak > total / WIDE_SHARE;
    if (wide && rk_walk(g, breadth_first, c->peak, c->task, c->order, &c->peak))
        return;
    if (!deep)
        number(c->order, g->n);
    else if (wide)
        rk_walk(g, depth_first, UINT64_MAX, c->task, c->order, &c->peak);
}

int rk_order(const rk_order_graph *graph, uint32_t *order)
{
    uint32_t n = graph->n;
    if (!n)
        return RASK_OK;
    contest c = {.graph = graph, .order = order};
    bool small = n <= THOROUGH_TASKS;
    c.task = rk_alloc_array(n, sizeof *c.task);
    c.trial = small ? rk_alloc_array(n, sizeof *c.trial) : NULL;
    int status = c.task && (c.trial || !small) ? RASK_OK : RASK_ENOMEM;
    if (!status) {
        rk_order_measure m = rk_order_survey(graph, NULL, (uint32_t *)c.task);
        c.peak = m.peak;
        c.bound = m.bound;
        number(order, n);
        if (small)
            order_small(&c, m.total);
        else if (m.peak > m.bound)
            order_large(&c, m.total);
    }
    rk_free(c.trial);
    rk_free(c.task);
    return status;
}
