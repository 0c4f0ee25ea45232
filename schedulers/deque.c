#include "schedulers/deque.h"

#include <rask/base.h>

enum { FIRST_ROOM = 256 };

static rk_ring *ring_new(int64_t room, rk_ring *older)
{
    rk_ring *ring = rk_alloc(sizeof *ring + (size_t)room * sizeof *ring->items);
    if (ring)
        *ring = (rk_ring){.mask = room - 1, .older = older};
    return ring;
}

int rk_deque_init(rk_deque *deque)
{
    rk_init(&deque->top, 0);
    rk_init(&deque->bottom, 0);
    deque->seen = 0;
    rk_ring *ring = ring_new(FIRST_ROOM, NULL);
    rk_init(&deque->ring, ring);
    return ring ? RASK_OK : RASK_ENOMEM;
}

void rk_deque_fini(rk_deque *deque)
{
    for (rk_ring *ring = rk_load_relaxed(&deque->ring), *older; ring; ring = older) {
        older = ring->older;
        rk_free(ring);
    }
}

bool rk_deque_grow(rk_deque *deque)
{
    rk_ring *old = rk_load_relaxed(&deque->ring), *ring = ring_new(2 * (old->mask + 1), old);
    if (!ring)
        return false;
    int64_t bottom = rk_load_relaxed(&deque->bottom);
    for (int64_t i = rk_load_relaxed(&deque->top); i < bottom; i++)
        rk_store_relaxed(&ring->items[i & ring->mask], rk_load_relaxed(&old->items[i & old->mask]));
    rk_store_release(&deque->ring, ring);
    return true;
}
