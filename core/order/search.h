/* core/order/search: looks for an order below a given peak, step by step with second thoughts. Internal to
 * core/order: it is far more thorough than a walk, and only for small graphs. */
#ifndef RASK_CORE_ORDER_SEARCH_H
#define RASK_CORE_ORDER_SEARCH_H

#include "core/order/order.h"

#define RK_SEARCH_TASKS  512   /* the largest graph that is searched */
#define RK_SEARCH_EFFORT 16384 /* edges looked at before it gives up, ... */
#define RK_SEARCH_SHARE  64    /* ... and as many more for each task and edge of the graph */

/* Replaces `order`, a valid order with this peak, by better ones while it finds them. Stops at a peak of
 * `bound`, when nothing better exists, or when the effort is spent. Without memory it leaves the order as it
 * is. */
void rk_search(const rk_order_graph *graph, uint64_t bound, uint32_t *order, uint64_t peak);

#endif
