/* The order of keys: a merge sort of places by their hashes; then, where different keys have one hash, which hardly ever happens,
 * by the keys. */
#include "collections/bag/keyed.h"
#include "core/base/alloc.h"

#include <string.h>

typedef struct hashed {
    uint64_t hash, place;
} hashed;

typedef struct ordering {
    const rk_bag_chunk *chunks;
    uint32_t keys;
    bool by_key; /* else by hash */
} ordering;

/* Whether b must come before a, which stands before it. */
static bool is_wrong(const ordering *o, const hashed *a, const hashed *b)
{
    rask_record x, y;
    if (!o->by_key)
        return a->hash > b->hash;
    rk_bag_at(o->chunks, a->place, &x);
    rk_bag_at(o->chunks, b->place, &y);
    return rk_record_compare(&x, &y, o->keys) > 0;
}

static void merge(const ordering *o, const hashed *from, uint64_t middle, uint64_t end, hashed *to)
{
    uint64_t a = 0, b = middle;
    for (uint64_t i = 0; i < end; i++) {
        bool second = a == middle || (b < end && is_wrong(o, &from[a], &from[b]));
        to[i] = second ? from[b++] : from[a++];
    }
}

/* Sorts count items, which end in items; spare has room for as many. */
static void sort(const ordering *o, hashed *items, hashed *spare, uint64_t count)
{
    hashed *from = items, *to = spare;
    for (uint64_t run = 1; run < count; run *= 2) {
        for (uint64_t i = 0; i < count; i += 2 * run) {
            uint64_t left = count - i, end = left < 2 * run ? left : 2 * run;
            merge(o, from + i, run < end ? run : end, end, to + i);
        }
        hashed *swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, count * sizeof *items);
}

/* How many items, of one hash, are at the beginning; *different: not all of one key. */
static uint64_t same_hash(const ordering *o, const hashed *items, uint64_t count, bool *different)
{
    rask_record first, other;
    uint64_t n = 1;
    *different = false;
    for (; n < count && items[n].hash == items[0].hash; n++) {
        if (n == 1)
            rk_bag_at(o->chunks, items[0].place, &first);
        rk_bag_at(o->chunks, items[n].place, &other);
        *different |= rk_record_compare(&first, &other, o->keys) != 0;
    }
    return n;
}

static void sort_all(ordering *o, hashed *items, hashed *spare, uint64_t count)
{
    bool different;
    sort(o, items, spare, count);
    o->by_key = true;
    for (uint64_t i = 0, n; i < count; i += n) {
        n = same_hash(o, items + i, count - i, &different);
        if (different)
            sort(o, items + i, spare, n);
    }
}

static void hash_all(const ordering *o, uint32_t count, hashed *items)
{
    for (uint64_t c = 0; c < count; c++)
        for (uint64_t i = 0; i < o->chunks[c].count; i++) {
            rask_record record;
            rk_bag_chunk_get(&o->chunks[c], i, &record);
            *items++ =
                (hashed){rk_record_hash(&record, o->keys, RK_BAG_ORDER_SEED), c << RK_BAG_PLACE_BITS | i};
        }
}

int rk_bag_order(const rk_bag_chunk *chunks, uint32_t count, uint32_t keys, uint64_t **places)
{
    ordering o = {chunks, keys, false};
    uint64_t total = 0;
    *places = NULL;
    for (uint32_t c = 0; c < count; c++)
        total += chunks[c].count;
    if (total >> RK_BAG_PLACE_BITS || count >> (64 - RK_BAG_PLACE_BITS))
        return RASK_ELIMIT;
    hashed *items = rk_alloc_array(2 * total + 2, sizeof *items);
    if (!items)
        return RASK_ENOMEM;
    hash_all(&o, count, items);
    sort_all(&o, items, items + total, total);
    *places = (uint64_t *)items;
    for (uint64_t i = 0; i < total; i++)
        (*places)[i] = items[i].place;
    return RASK_OK;
}

int rk_bag_put_in_order(const rk_bag_builder *from, uint32_t keys, rk_bag_builder *to)
{
    rk_bag_chunk view;
    uint64_t *places;
    rk_bag_builder_view(from, &view);
    int status = rk_bag_order(&view, 1, keys, &places);
    for (uint64_t i = 0; i < view.count && !status; i++) {
        rask_record record;
        rk_bag_chunk_get(&view, places[i], &record);
        status = rk_bag_builder_add(to, &record);
    }
    rk_free(places);
    return status;
}
