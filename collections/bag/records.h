/* collections/bag/records: what a program sees as rask_records: all records of a result, of a part, or of a key. */
#ifndef RASK_COLLECTIONS_BAG_RECORDS_H
#define RASK_COLLECTIONS_BAG_RECORDS_H

#include "collections/bag/chunk.h"

/* In the order of the chunks, or of places (keyed.h). All but the values belong to whoever made it, unless it was made by
 * rk_bag_records_new(). */
struct rask_records {
    uint64_t count;
    uint32_t chunk_count;
    const rk_bag_chunk *chunks;
    const int64_t *starts;  /* number of each chunk's first record; NULL: there is but one chunk */
    const uint64_t *places; /* NULL: as they stand */
    rask_value *values;     /* of the chunks; NULL: not owned */
    rk_shape shape;
};

/* The records of count chunks; takes over the values, which are none afterwards, unless it fails. NULL: no memory. */
rask_records *rk_bag_records_new(const rk_shape *shape, rask_value *values, uint32_t count);

#endif
