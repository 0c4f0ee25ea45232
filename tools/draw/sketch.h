/* tools/draw/sketch: what is to be drawn, in dense form: the nodes that the targets need, or with
 * options.plan what is left of them after equal pure calls were merged.
 *
 * Items are numbered in the order of building, so an item's predecessors have smaller numbers. Made in linear
 * time and without recursion. */
#ifndef RASK_TOOLS_DRAW_SKETCH_H
#define RASK_TOOLS_DRAW_SKETCH_H

#include "core/graph/graph.h"

#include <rask/draw.h>
#include <rask/plan.h>

#define RK_NO_ITEM    UINT32_MAX
#define RK_ORDER_ONLY ((uint32_t)1 << 31) /* in pred: is waited for, its value is not taken */

typedef struct rk_sketch {
    rask_graph *graph;
    uint32_t nodes;       /* ids below this may be items */
    uint32_t count;       /* items */
    uint32_t *node;       /* per item: the id of its node */
    uint32_t *pred_start; /* count + 1 */
    uint32_t *pred;       /* items | RK_ORDER_ONLY, with repetitions */
    uint32_t *item_of;    /* per node: the item that stands for it; RK_NO_ITEM when it is not drawn */
    uint32_t *stands_for; /* per item: how many needed nodes; NULL: one each */
    uint8_t *target;      /* per item */
    rask_plan *plan;      /* NULL unless rk_sketch_plan() made it */
    uint32_t *task;       /* per item: its task in plan, or RK_NO_ITEM */
} rk_sketch;

/* RASK_OK, RASK_ENOMEM, RASK_ELIMIT. merge: draw equal pure calls once. On failure the sketch still wants
 * fini. */
int rk_sketch_init(rk_sketch *sketch, rask_graph *graph, rask_node *const *targets, size_t count, bool merge);

/* Plans the targets, too, for fused chains and the order of tasks. */
int rk_sketch_plan(rk_sketch *sketch, rask_node *const *targets, size_t count);

void rk_sketch_fini(rk_sketch *sketch);

/* Each item's level, the longest path to it from the sources; returns how many levels there are. */
uint32_t rk_sketch_levels(const rk_sketch *sketch, uint32_t *level);

/* Sets width to the number of items of the widest level. RASK_OK, RASK_ENOMEM. */
int rk_sketch_width(const rk_sketch *sketch, uint32_t *width);

static inline const rask_node *rk_sketch_node(const rk_sketch *sketch, uint32_t item)
{
    return rk_graph_node(sketch->graph, sketch->node[item]);
}

#endif
