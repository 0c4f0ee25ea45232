/* core/order/walk: one depth-first walk over a graph that lets results live as short as it can. Internal to
 * core/order: order.c tries a few walks and keeps the best. */
#ifndef RASK_CORE_ORDER_WALK_H
#define RASK_CORE_ORDER_WALK_H

#include "core/order/order.h"

#include <stdbool.h>

/* What a walk keeps of a task: 24 bytes. */
typedef struct {
    uint32_t uses;   /* edges to tasks that have not run */
    uint32_t wait;   /* edges from tasks that have not run; CHOSEN or RAN beyond that */
    float gain;      /* bytes that die when this task runs: inputs it is the last to need */
    float label;     /* bytes needed to make this result from nothing, were the graph a tree */
    uint32_t cursor; /* before it runs: place in its dependencies; afterwards: in its successors */
    uint32_t link;   /* the next task of the one list that this task is on */
} rk_walk_task;

/* The choices that the theory leaves open. All zero: go deep, from sinks. */
typedef struct {
    bool last_first;    /* of equal dependencies and of sinks: the last one first */
    bool oldest_first;  /* go on from the oldest live result, not from the latest that few tasks need */
    bool from_sources;  /* a new start is made at a source, not at a sink */
    uint32_t lookahead; /* successors compared when the walk goes on from a live result */
} rk_walk_style;

/* Writes a valid order with a peak below `limit` and its peak, and returns true; or gives up as soon as the
 * limit is reached, and returns false (order is then unspecified). `task` is scratch for n tasks. */
bool rk_walk(const rk_order_graph *graph, rk_walk_style style, uint64_t limit, rk_walk_task *task,
             uint32_t *order, uint64_t *peak);

static inline uint64_t rk_order_size(const rk_order_graph *graph, uint32_t t)
{
    return graph->size ? graph->size[t] : 1;
}

/* What a task's result adds when it has just run. */
static inline uint64_t rk_order_made(const rk_order_graph *graph, uint32_t t)
{
    return graph->succ_start[t + 1] == graph->succ_start[t] ? 0 : rk_order_size(graph, t);
}

#endif
