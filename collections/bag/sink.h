/* collections/bag/sink: what becomes of the records that a task's steps let through: kept, printed, sent to ranges of their
 * keys' hashes, or brought down to a state. Each task has a sink of its own. */
#ifndef RASK_COLLECTIONS_BAG_SINK_H
#define RASK_COLLECTIONS_BAG_SINK_H

#include "collections/bag/chunk.h"
#include "collections/bag/reduction.h"

typedef enum rk_bag_sink_kind {
    RK_BAG_SINK_CHUNK,   /* a chunk */
    RK_BAG_SINK_PRINTED, /* text, compressed or not */
    RK_BAG_SINK_RANGES,  /* chunks, one for each range of the hashes of the first fields */
    RK_BAG_SINK_STATE,   /* a reduction's states, one for each range */
} rk_bag_sink_kind;

struct rk_compressor;

/* What all sinks of a stage do; immutable. */
typedef struct rk_bag_sink_plan {
    rk_bag_sink_kind kind;
    rk_shape shape;                         /* of the records */
    uint64_t limit;                         /* CHUNK: of records that are enough */
    uint32_t ranges;                        /* RANGES, STATE: how many; at least 1 */
    const rk_bag_reduction *reduction;      /* STATE */
    uint64_t seed;                          /* STATE */
    const struct rk_compressor *compressor; /* PRINTED; NULL: not compressed */
} rk_bag_sink_plan;

typedef struct rk_bag_sink {
    const rk_bag_sink_plan *plan;
    uint64_t taken;
    rk_bag_builder *builders; /* CHUNK, RANGES */
    rk_array text;
    rk_bag_state state;
    char message[RK_MAX_MESSAGE]; /* why it failed; "": the status says all */
} rk_bag_sink;

/* RASK_OK, RASK_ENOMEM; to be ended in either case. */
int rk_bag_sink_init(rk_bag_sink *sink, const rk_bag_sink_plan *plan);
void rk_bag_sink_fini(rk_bag_sink *sink); /* legal for a zeroed one */

int rk_bag_sink_add(rk_bag_sink *sink, const rask_record *record);

/* All lines of text, or all words, as records of their own, for sinks that take them so; RK_TEXT_PADDING readable bytes are
 * behind text. */
int rk_bag_sink_add_text(rk_bag_sink *sink, rask_bytes text, bool words);
bool rk_bag_sink_takes_text(const rk_bag_sink_plan *plan);

/* No more records are needed. */
static inline bool rk_bag_sink_full(const rk_bag_sink *sink)
{
    return sink->plan->kind == RK_BAG_SINK_CHUNK && sink->taken >= sink->plan->limit;
}

/* Values that a sink of this plan ends with: bytes, each. */
uint32_t rk_bag_sink_values(const rk_bag_sink_plan *plan);
/* They are the caller's; on failure there are none. */
int rk_bag_sink_end(rk_bag_sink *sink, rask_value *values);

/* Which range of so many a hash falls into: ranges are in the order of hashes. */
static inline uint32_t rk_bag_range_of(uint64_t hash, uint32_t ranges)
{
    return (uint32_t)((unsigned __int128)hash * ranges >> 64);
}

#endif
