#include "schedulers/heap.h"

#include "core/base/alloc.h"

#include <rask/base.h>

enum { FIRST_ROOM = 16, ARITY = 4 };

int rk_heap_reserve(rk_heap *heap, uint32_t count)
{
    uint32_t room = heap->room ? heap->room : FIRST_ROOM;
    if (count <= heap->room)
        return RASK_OK;
    while (room < count)
        room *= 2;
    rk_heap_entry *entries = rk_realloc(heap->entries, room * sizeof *entries);
    if (!entries)
        return RASK_ENOMEM;
    heap->entries = entries;
    heap->room = room;
    return RASK_OK;
}

void rk_heap_fini(rk_heap *heap)
{
    rk_free(heap->entries);
    *heap = (rk_heap){0};
}

static inline void note(rk_places places, uint32_t item, uint32_t place)
{
    if (places.at)
        places.at[item * places.stride] = place;
}

static inline void put(rk_heap *heap, rk_places places, uint32_t place, rk_heap_entry entry)
{
    heap->entries[place] = entry;
    note(places, entry.item, place);
}

static void sift_up(rk_heap *heap, rk_places places, uint32_t place, rk_heap_entry entry)
{
    while (place && entry.key < heap->entries[(place - 1) / ARITY].key) {
        put(heap, places, place, heap->entries[(place - 1) / ARITY]);
        place = (place - 1) / ARITY;
    }
    put(heap, places, place, entry);
}

static void sift_down(rk_heap *heap, rk_places places, uint32_t place, rk_heap_entry entry)
{
    for (;;) {
        uint32_t child = place * ARITY + 1, end = child + ARITY, least = child;
        if (child >= heap->count)
            break;
        for (end = end < heap->count ? end : heap->count; ++child < end;)
            if (heap->entries[child].key < heap->entries[least].key)
                least = child;
        if (heap->entries[least].key >= entry.key)
            break;
        put(heap, places, place, heap->entries[least]);
        place = least;
    }
    put(heap, places, place, entry);
}

int rk_heap_push(rk_heap *heap, rk_places places, uint64_t key, uint32_t item)
{
    if (heap->count == heap->room && rk_heap_reserve(heap, heap->count + 1))
        return RASK_ENOMEM;
    sift_up(heap, places, heap->count++, (rk_heap_entry){key, item});
    return RASK_OK;
}

static void settle(rk_heap *heap, rk_places places, uint32_t place, rk_heap_entry entry)
{
    if (place && entry.key < heap->entries[(place - 1) / ARITY].key)
        sift_up(heap, places, place, entry);
    else
        sift_down(heap, places, place, entry);
}

void rk_heap_remove(rk_heap *heap, rk_places places, uint32_t place)
{
    rk_heap_entry last = heap->entries[--heap->count];
    note(places, heap->entries[place].item, RK_NO_PLACE);
    if (place < heap->count)
        settle(heap, places, place, last);
}

void rk_heap_change(rk_heap *heap, rk_places places, uint32_t place, uint64_t key)
{
    settle(heap, places, place, (rk_heap_entry){key, heap->entries[place].item});
}
