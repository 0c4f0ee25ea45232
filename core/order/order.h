/* core/order: the order in which one worker would visit a graph so that few bytes of results live at once.
 *
 * Pure functions of the graph: the same graph gives the same order on every machine and every run. They block
 * for nothing, keep no state, and may be called from any thread. Time is linear in tasks + edges; scratch is
 * 24 bytes a task (28, and up to 64 KiB more, for graphs small enough to be tried in several ways).
 *
 * The measure. A result is live from the moment its task has run until the last task that needs it has run; a
 * result that nobody needs is never live. The peak of an order is the largest sum of live bytes found just
 * before a task runs. (A task that runs takes the place of inputs which it is the last to use.) */
#ifndef RASK_CORE_ORDER_ORDER_H
#define RASK_CORE_ORDER_ORDER_H

#include <stdint.h>

/* A graph, borrowed for the length of a call. */
typedef struct {
    uint32_t n;                 /* tasks, numbered so that every dependency of task i is < i */
    const uint32_t *pred_start; /* n + 1 offsets into pred */
    const uint32_t *pred;       /* dependencies of each task; may hold the same dependency twice */
    const uint32_t *succ_start; /* n + 1 offsets into succ */
    const uint32_t *succ;       /* the same edges turned round, ascending by source */
    const uint64_t *size;       /* bytes of each task's result; NULL: 1 each */
} rk_order_graph;

/* Fills order[0 .. n): order[k] is the task that runs k-th; every task comes after its dependencies. The
 * order never has a higher peak than the creation order 0, 1, 2, ... RASK_OK, or RASK_ENOMEM (order is then
 * unspecified). */
int rk_order(const rk_order_graph *graph, uint32_t *order);

/* The peak of an order that is valid for the graph (NULL: 0, 1, 2, ...). RASK_OK, or RASK_ENOMEM. */
int rk_order_peak(const rk_order_graph *graph, const uint32_t *order, uint64_t *peak);

#endif
