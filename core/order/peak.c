#include "core/order/peak.h"

#include "core/base/alloc.h"
#include "core/order/walk.h"

#include <rask/base.h>
#include <stdbool.h>

/* The inputs that die with a task were all live before it, in any order: the largest such sum is a lower
 * bound. (Counting deaths counts a dependency once, even when it is listed twice.) Inlined once with sizes
 * and once without, so that the inner loop has no branch: which use is the last cannot be foreseen. */
static inline rk_order_measure survey(const rk_order_graph *graph, const uint32_t *order, uint32_t *uses,
                                      bool sized)
{
    rk_order_measure m = {0, 0, 0};
    uint64_t live = 0;
    for (uint32_t t = 0; t < graph->n; t++)
        uses[t] = graph->succ_start[t + 1] - graph->succ_start[t];
    for (uint32_t k = 0; k < graph->n; k++) {
        uint32_t t = order ? order[k] : k;
        bool needed = graph->succ_start[t + 1] > graph->succ_start[t];
        uint64_t dying = 0, made = needed ? (sized ? graph->size[t] : 1) : 0;
        for (uint32_t e = graph->pred_start[t], end = graph->pred_start[t + 1]; e < end; e++) {
            uint32_t p = graph->pred[e], left = --uses[p];
            dying += (sized ? graph->size[p] : 1) & (left ? 0 : UINT64_MAX);
        }
        m.peak = live > m.peak ? live : m.peak;
        m.bound = dying > m.bound ? dying : m.bound;
        m.bound = made > m.bound ? made : m.bound;
        m.total += made;
        live = live - dying + made;
    }
    return m;
}

rk_order_measure rk_order_survey(const rk_order_graph *graph, const uint32_t *order, uint32_t *uses)
{
    return graph->size ? survey(graph, order, uses, true) : survey(graph, order, uses, false);
}

int rk_order_peak(const rk_order_graph *graph, const uint32_t *order, uint64_t *peak)
{
    uint32_t *uses = rk_alloc_array(graph->n ? graph->n : 1, sizeof *uses);
    if (!uses)
        return RASK_ENOMEM;
    *peak = rk_order_survey(graph, order, uses).peak;
    rk_free(uses);
    return RASK_OK;
}
