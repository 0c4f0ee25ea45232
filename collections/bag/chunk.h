/* collections/bag/chunk: many records in one piece of memory without pointers, which can be spilled, and how one is made.
 *
 * A field is a column: of bytes one buffer and where each item ends, of all else an array; with a byte for each item where
 * some are nothing. */
#ifndef RASK_COLLECTIONS_BAG_CHUNK_H
#define RASK_COLLECTIONS_BAG_CHUNK_H

#include "collections/bag/record.h"

/* Records to look at; what they are in belongs to somebody else. */
typedef struct rk_bag_chunk {
    const rk_shape *shape;
    uint64_t count;
    struct {
        const char *data;
        const uint64_t *ends;  /* of 'y': item i is data[ends[i] … ends[i + 1] - 1] */
        const uint8_t *absent; /* 1 where there is nothing; NULL: nowhere */
    } columns[RASK_MAX_FIELDS];
} rk_bag_chunk;

/* A chunk's value. Its shape is within. */
void rk_bag_chunk_open(rk_bag_chunk *chunk, rask_bytes value);
/* Record index, which exists. */
void rk_bag_chunk_get(const rk_bag_chunk *chunk, uint64_t index, rask_record *out);
/* Its first fields only. */
void rk_bag_chunk_get_first(const rk_bag_chunk *chunk, uint64_t index, uint32_t fields, rask_record *out);

/* Records one by one. Zeroed but for what rk_bag_builder_init() sets; moves when it grows. */
typedef struct rk_bag_builder {
    rk_shape shape;
    uint64_t count;
    struct {
        rk_array data, ends, absent; /* absent is empty while there is something everywhere */
    } columns[RASK_MAX_FIELDS];
} rk_bag_builder;

void rk_bag_builder_init(rk_bag_builder *builder, const rk_shape *shape);
void rk_bag_builder_fini(rk_bag_builder *builder); /* legal for a zeroed one */
/* Forgets the records and keeps the memory. */
void rk_bag_builder_clear(rk_bag_builder *builder);

/* Copies a record of the builder's shape. RASK_ENOMEM, RASK_ELIMIT: then it has none more than before. */
int rk_bag_builder_add(rk_bag_builder *builder, const rask_record *record);

/* Its records as they stand, until it grows. */
void rk_bag_builder_view(const rk_bag_builder *builder, rk_bag_chunk *chunk);
void rk_bag_builder_get(const rk_bag_builder *builder, uint64_t index, rask_record *out);

/* The bytes of field 'i', 'd' or 'x' of a record, to be changed in place. */
void *rk_bag_builder_place(rk_bag_builder *builder, uint32_t field, uint64_t index);

/* A chunk of them. RASK_ENOMEM, RASK_ELIMIT. */
int rk_bag_builder_value(const rk_bag_builder *builder, rask_value *out);

#endif
