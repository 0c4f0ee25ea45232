/* Units that wait for their next call. */
#include "schedulers/rests.h"

#include <assert.h>

bool rk_rests_push(rk_rests *rests, rk_rest rest)
{
    if (!rk_array_push(&rests->items))
        return false;
    rk_rest *items = rests->items.data;
    size_t at = rests->items.count - 1;
    for (; at && items[(at - 1) / 2].due_ns > rest.due_ns; at = (at - 1) / 2)
        items[at] = items[(at - 1) / 2];
    items[at] = rest;
    return true;
}

uint64_t rk_rests_next(const rk_rests *rests)
{
    return rests->items.count ? ((const rk_rest *)rests->items.data)->due_ns : 0;
}

uint32_t rk_rests_pop(rk_rests *rests)
{
    rk_rest *items = rests->items.data;
    assert(rests->items.count);
    uint32_t unit = items[0].unit;
    size_t count = --rests->items.count, at = 0;
    rk_rest last = items[count];
    for (size_t below; (below = 2 * at + 1) < count; at = below) {
        below += below + 1 < count && items[below + 1].due_ns < items[below].due_ns;
        if (items[below].due_ns >= last.due_ns)
            break;
        items[at] = items[below];
    }
    items[at] = last;
    return unit;
}

void rk_rests_fini(rk_rests *rests)
{
    rk_array_fini(&rests->items);
}
