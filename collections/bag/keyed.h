/* collections/bag/keyed: what is done by key: the order of keys, and states of a program's foldings. */
#ifndef RASK_COLLECTIONS_BAG_KEYED_H
#define RASK_COLLECTIONS_BAG_KEYED_H

#include "collections/bag/reduction.h"

/* All records of count chunks, in the order of their keys' hashes, then keys, then as they stand: a record's place is its
 * chunk's number << 40 | its index, with RK_BAG_FIRST when none before it has its key. *places is to be ended with rk_free(),
 * and NULL on failure: RASK_ENOMEM, RASK_ELIMIT (more than fit a place). */
int rk_bag_order(const rk_bag_chunk *chunks, uint32_t count, uint32_t keys, uint64_t **places);

/* The records of one builder, in that order, to another. */
int rk_bag_put_in_order(const rk_bag_builder *from, uint32_t keys, rk_bag_builder *to);

/* Packs a state by ranges: scatter puts its records into the builders of theirs. As pack() of rk_bag_reduction_class. */
int rk_bag_pack_ranges(rk_bag_state *state, uint32_t ranges,
                       int (*scatter)(const rk_bag_state *state, uint32_t ranges, rk_bag_builder *builders),
                       rask_value *values);

enum { RK_BAG_PLACE_BITS = 40, RK_BAG_CHUNK_BITS = 23 };
#define RK_BAG_FIRST ((uint64_t)1 << 63)

static inline const rk_bag_chunk *rk_bag_chunk_of(const rk_bag_chunk *chunks, uint64_t place)
{
    return &chunks[(place & ~RK_BAG_FIRST) >> RK_BAG_PLACE_BITS];
}

static inline uint64_t rk_bag_index_of(uint64_t place)
{
    return place & (((uint64_t)1 << RK_BAG_PLACE_BITS) - 1);
}

static inline void rk_bag_at(const rk_bag_chunk *chunks, uint64_t place, rask_record *out)
{
    rk_bag_chunk_get(rk_bag_chunk_of(chunks, place), rk_bag_index_of(place), out);
}

/* The state of no records. */
rask_item rk_bag_folding_initial(const rk_bag_reduction *reduction);

/* status, with a message of the state's if it is a failure. */
int rk_bag_folding_fail(rk_bag_state *state, int status);

#endif
