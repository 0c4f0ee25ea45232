/* The order of keys: places by their hashes; then, where different keys have one hash, which hardly ever happens, by the
 * keys. Hashes are spread evenly, so they go to buckets of a few each at first; a merge sort orders these. */
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

static void get_key(const ordering *o, uint64_t place, rask_record *out)
{
    rk_bag_chunk_get_first(rk_bag_chunk_of(o->chunks, place), rk_bag_index_of(place), o->keys, out);
}

/* Whether b must come before a, which stands before it. */
static bool is_wrong(const ordering *o, const hashed *a, const hashed *b)
{
    rask_record x, y;
    if (!o->by_key)
        return a->hash > b->hash;
    get_key(o, a->place, &x);
    get_key(o, b->place, &y);
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

/* -- Buckets */

enum { MOST_BUCKET_BITS = 16, IN_BUCKET = 8 };

/* Which bits of a hash, less the least one, are the number of its bucket. */
typedef struct bucketing {
    uint64_t least;
    unsigned shift;
    uint32_t count;
} bucketing;

static bucketing choose_buckets(const hashed *items, uint64_t count)
{
    uint64_t least = UINT64_MAX, most = 0;
    unsigned bits = 1;
    for (uint64_t i = 0; i < count; i++) {
        least = items[i].hash < least ? items[i].hash : least;
        most = items[i].hash > most ? items[i].hash : most;
    }
    while (bits < MOST_BUCKET_BITS && count >> bits > IN_BUCKET)
        bits++;
    unsigned width = most > least ? 64 - (unsigned)__builtin_clzll(most - least) : 0;
    unsigned shift = width > bits ? width - bits : 0;
    return (bucketing){least, shift, count ? (uint32_t)((most - least) >> shift) + 1 : 0};
}

static uint64_t bucket_of(const bucketing *b, const hashed *item)
{
    return (item->hash - b->least) >> b->shift;
}

/* Sorts by hash; items of one hash stay as they are. RASK_ENOMEM. */
static int sort_by_hash(const ordering *o, hashed *items, hashed *spare, uint64_t count)
{
    const bucketing b = choose_buckets(items, count);
    uint64_t *ends = rk_calloc((size_t)b.count + 1, sizeof *ends); /* at first begins, one further on */
    if (!ends)
        return RASK_ENOMEM;
    for (uint64_t i = 0; i < count; i++)
        ends[bucket_of(&b, &items[i]) + 1]++;
    for (uint32_t k = 0; k < b.count; k++)
        ends[k + 1] += ends[k];
    for (uint64_t i = 0; i < count; i++)
        spare[ends[bucket_of(&b, &items[i])]++] = items[i];
    for (uint64_t k = 0, begin = 0; k < b.count; begin = ends[k++])
        sort(o, spare + begin, items + begin, ends[k] - begin);
    if (count)
        memcpy(items, spare, count * sizeof *items);
    rk_free(ends);
    return RASK_OK;
}

/* -- Keys */

/* How many items, of one hash, are at the beginning; *different: not all of one key. */
static uint64_t same_hash(const ordering *o, const hashed *items, uint64_t count, bool *different)
{
    rask_record first, other;
    uint64_t n = 1;
    *different = false;
    for (; n < count && items[n].hash == items[0].hash; n++) {
        if (n == 1)
            get_key(o, items[0].place, &first);
        get_key(o, items[n].place, &other);
        *different |= rk_record_compare(&first, &other, o->keys) != 0;
    }
    return n;
}

/* Items of one hash and several keys. */
static void sort_keys(const ordering *o, hashed *items, hashed *spare, uint64_t count)
{
    sort(o, items, spare, count);
    for (uint64_t i = 1; i < count; i++)
        items[i].place |= is_wrong(o, &items[i], &items[i - 1]) ? RK_BAG_FIRST : 0;
}

static int sort_all(ordering *o, hashed *items, hashed *spare, uint64_t count)
{
    bool different;
    int status = sort_by_hash(o, items, spare, count);
    o->by_key = true;
    for (uint64_t i = 0, n; i < count && !status; i += n) {
        n = same_hash(o, items + i, count - i, &different);
        if (different)
            sort_keys(o, items + i, spare, n);
        items[i].place |= RK_BAG_FIRST;
    }
    return status;
}

static void hash_all(const ordering *o, uint32_t count, hashed *items)
{
    for (uint64_t c = 0; c < count; c++)
        for (uint64_t i = 0; i < o->chunks[c].count; i++) {
            rask_record record;
            rk_bag_chunk_get_first(&o->chunks[c], i, o->keys, &record);
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
    if (total >> RK_BAG_PLACE_BITS || count >> RK_BAG_CHUNK_BITS)
        return RASK_ELIMIT;
    hashed *items = rk_alloc_array(2 * total + 2, sizeof *items);
    if (!items)
        return RASK_ENOMEM;
    hash_all(&o, count, items);
    int status = sort_all(&o, items, items + total, total);
    if (status) {
        rk_free(items);
        return status;
    }
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
        rk_bag_at(&view, places[i], &record);
        status = rk_bag_builder_add(to, &record);
    }
    rk_free(places);
    return status;
}
