#include "schedulers/checkpoint/index.h"

#include "core/base/alloc.h"

#include <rask/base.h>

enum { FIRST_CAPACITY = 256 };

/* Keys are hashes: any bits of theirs will do. Tables are at most half full, so there is an empty slot. */
static rk_place *slot_of(const rk_index *index, rk_key key)
{
    size_t at = key.low & (index->capacity - 1);
    while (rk_key_is(index->slots[at].key) && !rk_key_equal(index->slots[at].key, key))
        at = (at + 1) & (index->capacity - 1);
    return &index->slots[at];
}

rk_place *rk_index_find(const rk_index *index, rk_key key)
{
    rk_place *slot = index->capacity ? slot_of(index, key) : NULL;
    return slot && rk_key_is(slot->key) && slot->offset != RK_PLACE_GONE ? slot : NULL;
}

static int grow(rk_index *index)
{
    rk_index wider = {.count = index->count, .capacity = 2 * index->capacity};
    if (!wider.capacity)
        wider.capacity = FIRST_CAPACITY;
    wider.slots = rk_calloc(wider.capacity, sizeof *wider.slots);
    if (!wider.slots)
        return RASK_ENOMEM;
    for (size_t i = 0; i < index->capacity; i++)
        if (rk_key_is(index->slots[i].key))
            *slot_of(&wider, index->slots[i].key) = index->slots[i];
    rk_free(index->slots);
    *index = wider;
    return RASK_OK;
}

int rk_index_put(rk_index *index, const rk_place *place)
{
    if (2 * (index->count + 1) > index->capacity && grow(index))
        return RASK_ENOMEM;
    rk_place *slot = slot_of(index, place->key);
    index->count += !rk_key_is(slot->key);
    *slot = *place;
    return RASK_OK;
}

void rk_index_fini(rk_index *index)
{
    rk_free(index->slots);
    *index = (rk_index){0};
}
