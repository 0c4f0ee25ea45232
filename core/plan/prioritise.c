/* Priorities: of the units that could run next, the one with the largest priority goes first, and among
 * equals the one that the memory order put first. A binary heap: the one place where planning takes n log n
 * steps, and only for graphs with priorities. */
#include "core/plan/planner.h"

typedef struct heap {
    uint32_t *items; /* units */
    uint32_t count;
    const int32_t *priority; /* by unit */
    const uint32_t *rank;    /* by unit: place in the memory order */
} heap;

static bool before(const heap *h, uint32_t a, uint32_t b)
{
    return h->priority[a] != h->priority[b] ? h->priority[a] > h->priority[b] : h->rank[a] < h->rank[b];
}

static void heap_push(heap *h, uint32_t unit)
{
    uint32_t at = h->count++;
    for (; at && before(h, unit, h->items[(at - 1) / 2]); at = (at - 1) / 2)
        h->items[at] = h->items[(at - 1) / 2];
    h->items[at] = unit;
}

static uint32_t heap_pop(heap *h)
{
    uint32_t top = h->items[0], last = h->items[--h->count], at = 0;
    for (uint32_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && before(h, h->items[child + 1], h->items[child]))
            child++;
        if (!before(h, h->items[child], last))
            break;
        h->items[at] = h->items[child];
    }
    h->items[at] = last;
    return top;
}

static void unit_priorities(const rk_planner *p, int32_t *priority)
{
    for (uint32_t u = 0; u < p->units; u++) {
        priority[u] = INT32_MIN;
        for (uint32_t m = rk_first_member(p, u); m < rk_first_member(p, u + 1); m++) {
            int32_t own = rk_node_priority(rk_graph_node(p->graph, rk_member(p, m)));
            priority[u] = own > priority[u] ? own : priority[u];
        }
    }
}

int rk_plan_prioritise(rk_planner *p)
{
    if (!p->prioritised)
        return RASK_OK;
    uint32_t *waiting = rk_alloc_array(3 * (size_t)p->units, sizeof *waiting);
    int32_t *priority = rk_alloc_array(p->units, sizeof *priority);
    if (!waiting || !priority) {
        rk_free(waiting);
        rk_free(priority);
        return RASK_ENOMEM;
    }
    uint32_t *rank = waiting + p->units;
    heap h = {.items = rank + p->units, .priority = priority, .rank = rank};
    unit_priorities(p, priority);
    for (uint32_t k = 0; k < p->units; k++)
        rank[p->order[k]] = k;
    for (uint32_t u = 0; u < p->units; u++) {
        waiting[u] = p->pred_start[u + 1] - p->pred_start[u];
        if (!waiting[u])
            heap_push(&h, u);
    }
    for (uint32_t k = 0; h.count; k++) {
        uint32_t u = p->order[k] = heap_pop(&h);
        for (uint32_t e = p->succ_start[u]; e < p->succ_start[u + 1]; e++)
            if (!--waiting[p->succ[e]])
                heap_push(&h, p->succ[e]);
    }
    rk_free(waiting);
    rk_free(priority);
    return RASK_OK;
}
