/* core/order/peak: measuring an order. Internal to core/order. */
#ifndef RASK_CORE_ORDER_PEAK_H
#define RASK_CORE_ORDER_PEAK_H

#include "core/order/order.h"

typedef struct {
    uint64_t peak;  /* of the order measured */
    uint64_t bound; /* no order of the graph has a lower peak */
    uint64_t total; /* bytes of all results that some task needs */
} rk_order_measure;

/* Measures an order (NULL: 0, 1, 2, ...) in one pass. `uses` is scratch for n numbers. */
rk_order_measure rk_order_survey(const rk_order_graph *graph, const uint32_t *order, uint32_t *uses);

#endif
