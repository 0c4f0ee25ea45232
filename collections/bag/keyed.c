/* Reductions by key: frequencies, distinct, foldby.
 *
 * Design notes. The keys, and beside them the last field of the result, stand in a builder in the order they first came; a
 * table of slots finds them by a hash that nobody can foresee. What comes out is in the order of another hash, which
 * is always the same, then of the keys: so it does not depend on how records came to their states. Packed, the records of
 * a range are just those whose order hash falls into it. */
#include "collections/bag/reduction.h"

#include "collections/bag/keyed.h"
#include "collections/bag/sink.h"
#include "core/base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

typedef struct slot {
    uint32_t index; /* of the record, and one more; 0: empty */
    uint32_t hash;  /* upper half */
} slot;

typedef struct keyed {
    rk_bag_builder records;
    slot *slots;
    uint64_t mask; /* slots, a power of two, minus 1 */
} keyed;

static int keyed_init(rk_bag_state *state)
{
    keyed *k = state->own;
    rk_bag_builder_init(&k->records, &state->reduction->out);
    k->slots = rk_calloc(FIRST_SLOTS, sizeof *k->slots);
    k->mask = FIRST_SLOTS - 1;
    return k->slots ? RASK_OK : RASK_ENOMEM;
}

static void keyed_fini(rk_bag_state *state)
{
    keyed *k = state->own;
    rk_bag_builder_fini(&k->records);
    rk_free(k->slots);
}

/* -- Finding */

static bool has_key(const rk_bag_state *state, uint64_t index, const rask_record *record)
{
    const keyed *k = state->own;
    rask_record held;
    rk_bag_chunk view;
    rk_bag_builder_view(&k->records, &view);
    rk_bag_chunk_get_first(&view, index, state->reduction->keys, &held);
    return rk_record_compare(&held, record, state->reduction->keys) == 0;
}

/* Bytes alone are looked at where they stand. */
static bool has_bytes(const keyed *k, uint64_t index, rask_bytes key)
{
    const uint64_t *ends = k->records.columns[0].ends.data;
    const uint8_t *absent = k->records.columns[0].absent.count ? k->records.columns[0].absent.data : NULL;
    return ends[index + 1] - ends[index] == key.len && !(absent && absent[index]) &&
           memcmp((const char *)k->records.columns[0].data.data + ends[index], key.data, key.len) == 0;
}

static int grow(keyed *k)
{
    uint64_t count = 2 * (k->mask + 1);
    slot *slots = rk_calloc(count, sizeof *slots);
    if (!slots)
        return RASK_ENOMEM;
    unsigned shift = (unsigned)__builtin_clzll(k->mask) - 32; /* a slot follows from the hash's upper half */
    for (uint64_t i = 0; i <= k->mask; i++) {
        slot s = k->slots[i];
        if (!s.index)
            continue;
        uint64_t at = (uint64_t)s.hash >> (shift - 1);
        while (slots[at].index)
            at = (at + 1) & (count - 1);
        slots[at] = s;
    }
    rk_free(k->slots);
    k->slots = slots;
    k->mask = count - 1;
    return RASK_OK;
}

/* The slot that has the key, or is empty and where it belongs. */
static slot *find(const rk_bag_state *state, const rask_record *record, uint32_t hash)
{
    const keyed *k = state->own;
    bool bytes = state->reduction->keys == 1 && record->items[0].type == 'y';
    uint64_t at = (uint64_t)hash >> ((unsigned)__builtin_clzll(k->mask) - 32);
    for (;; at = (at + 1) & k->mask) {
        slot *s = &k->slots[at];
        if (!s->index)
            return s;
        if (s->hash == hash && (bytes ? has_bytes(k, s->index - 1, record->items[0].as.bytes)
                                      : has_key(state, s->index - 1, record)))
            return s;
    }
}

/* A new key with the state of no records. */
static int insert(const rk_bag_state *state, const rask_record *record, slot *s, uint32_t hash)
{
    keyed *k = state->own;
    const rk_bag_reduction *r = state->reduction;
    rask_record made = *record;
    made.count = r->out.count;
    if (r->out.count > r->keys)
        made.items[r->keys] = r->folding ? rk_bag_folding_initial(r) : rask_item_i64(0);
    int status = k->records.count < RK_MAX_BAG_KEYS ? rk_bag_builder_add(&k->records, &made) : RASK_ELIMIT;
    if (status)
        return status;
    *s = (slot){(uint32_t)k->records.count, hash};
    return k->records.count > k->mask / 2 ? grow(k) : RASK_OK;
}

/* The place of the key's state, new or old; NULL with *status. */
static void *state_of(const rk_bag_state *state, const rask_record *record, int *status)
{
    keyed *k = state->own;
    uint32_t keys = state->reduction->keys;
    uint32_t hash = (uint32_t)(rk_record_hash(record, keys, state->seed) >> 32);
    slot *s = find(state, record, hash);
    uint64_t index = s->index ? s->index - 1 : k->records.count;
    *status = s->index ? RASK_OK : insert(state, record, s, hash);
    return *status || state->reduction->out.count == keys ? NULL
                                                          : rk_bag_builder_place(&k->records, keys, index);
}

/* -- Records and parts */

static int keyed_add(rk_bag_state *state, const rask_record *record)
{
    const rask_bag_folding *f = state->reduction->folding;
    int status;
    void *place = state_of(state, record, &status);
    if (!place)
        return status;
    if (f)
        return rk_bag_folding_fail(state, f->add(place, record, f->context));
    ++*(int64_t *)place;
    return RASK_OK;
}

static int keyed_take(rk_bag_state *state, rask_bytes packed)
{
    const rask_bag_folding *f = state->reduction->folding;
    uint32_t keys = state->reduction->keys, size = f ? state->reduction->out.sizes[keys] : 0;
    rk_bag_chunk chunk;
    int status = RASK_OK;
    rk_bag_chunk_open(&chunk, packed);
    for (uint64_t i = 0; i < chunk.count && !status; i++) {
        rask_record record;
        rk_bag_chunk_get(&chunk, i, &record);
        void *place = state_of(state, &record, &status);
        if (place && f)
            status = rk_bag_folding_fail(state,
                                         f->combine(place, chunk.columns[keys].data + i * size, f->context));
        else if (place)
            *(int64_t *)place += record.items[keys].as.i64;
    }
    return status;
}

/* -- Out again */

/* Records to ranges, in the order they first came. */
static int scatter(const rk_bag_state *state, uint32_t ranges, rk_bag_builder *builders)
{
    const keyed *k = state->own;
    int status = RASK_OK;
    for (uint64_t i = 0; i < k->records.count && !status; i++) {
        rask_record record;
        rk_bag_builder_get(&k->records, i, &record);
        uint64_t hash = rk_record_hash(&record, state->reduction->keys, RK_BAG_ORDER_SEED);
        status = rk_bag_builder_add(&builders[rk_bag_range_of(hash, ranges)], &record);
    }
    return status;
}

static int keyed_pack(rk_bag_state *state, uint32_t ranges, rask_value *values)
{
    if (ranges == 1)
        return rk_bag_builder_value(&((const keyed *)state->own)->records, values);
    return rk_bag_pack_ranges(state, ranges, scatter, values);
}

static int keyed_finish(rk_bag_state *state, rk_bag_builder *records)
{
    return rk_bag_put_in_order(&((const keyed *)state->own)->records, state->reduction->keys, records);
}

const rk_bag_reduction_class rk_bag_reduce_keyed = {.name = "by key",
                                                    .size = sizeof(keyed),
                                                    .init = keyed_init,
                                                    .fini = keyed_fini,
                                                    .add = keyed_add,
                                                    .pack = keyed_pack,
                                                    .take = keyed_take,
                                                    .finish = keyed_finish,
                                                    .keyed = true};
