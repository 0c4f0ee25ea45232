/* schedulers/heap: a heap of numbered items with the least key on top. Items whose places are kept can leave from anywhere. */
#ifndef RASK_SCHEDULERS_HEAP_H
#define RASK_SCHEDULERS_HEAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct rk_heap_entry {
    uint64_t key;
    uint32_t item;
} rk_heap_entry;

/* Zeroed: empty. */
typedef struct rk_heap {
    rk_heap_entry *entries;
    uint32_t count, room;
} rk_heap;

/* Where the places of items are kept: item i's at at + i * stride. It may move between calls. */
typedef struct rk_places {
    uint32_t *at;  /* NULL: nowhere */
    size_t stride; /* in uint32_t */
} rk_places;

#define RK_NO_PLACE  UINT32_MAX
#define RK_NO_PLACES ((rk_places){NULL, 0})

/* Makes room for count items in all. RASK_OK, RASK_ENOMEM. */
int rk_heap_reserve(rk_heap *heap, uint32_t count);
/* RASK_OK, RASK_ENOMEM. */
int rk_heap_push(rk_heap *heap, rk_places places, uint64_t key, uint32_t item);
/* The item at a place leaves; its place is RK_NO_PLACE then. */
void rk_heap_remove(rk_heap *heap, rk_places places, uint32_t place);
/* The item at a place has another key. */
void rk_heap_change(rk_heap *heap, rk_places places, uint32_t place, uint64_t key);
void rk_heap_fini(rk_heap *heap);

/* The key on top; 0: it is empty. */
static inline uint64_t rk_heap_least(const rk_heap *heap)
{
    return heap->count ? heap->entries[0].key : 0;
}

/* The item on top, of which there is one, leaves. */
static inline uint32_t rk_heap_pop(rk_heap *heap, rk_places places)
{
    uint32_t item = heap->entries[0].item;
    rk_heap_remove(heap, places, 0);
    return item;
}

#endif
