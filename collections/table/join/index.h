/* collections/table/join/index: which rows of a chunk have a key, as bytes that any number of tasks look into where they
 * are.
 *
 * Keys are those of groups/keys.h, compared as the types of the join: an int64 that stands against float64 is compared as
 * the number it is. A null in a key is equal to nothing, so rows that have one are in no index and find nothing. */
#ifndef RASK_COLLECTIONS_TABLE_JOIN_INDEX_H
#define RASK_COLLECTIONS_TABLE_JOIN_INDEX_H

#include "collections/table/chunk.h"
#include "collections/table/groups/keys.h"

#define RK_JOIN_NONE UINT32_MAX

/* What is compared, as both sides have to say it. */
typedef struct rk_join_by {
    const rask_column_type *types; /* of the keys as they are compared */
    uint32_t count;                /* 1 … RK_MAX_KEYS */
    uint64_t seed;                 /* best a secret, as for groups */
} rk_join_by;

typedef struct rk_join_index {
    const uint64_t *slots; /* upper half of the hash, then the key's number + 1; 0: free */
    size_t slot_count;     /* a power of two */
    const uint64_t *words; /* of keys; of long texts where they begin in texts */
    const char *texts;
    const uint32_t *starts; /* the rows of key i are rows[starts[i]] … rows[starts[i + 1] - 1], ascending */
    const uint32_t *rows;   /* NULL, as starts: key i is row i and no other */
} rk_join_index;

/* The index of a chunk whose first columns are the keys. lists: of the rows of each key; else only which keys there are.
 * RASK_OK; RASK_ENOMEM; RASK_ELIMIT: 2^32 - 2 rows or more. */
int rk_join_index_build(const rk_chunk *chunk, const rk_join_by *by, bool lists, rask_value *out);

/* bytes were made by the call above, and outlive index. */
void rk_join_index_open(rk_join_index *index, rask_bytes bytes);

/* -- Looking up: one thread's memory */

typedef struct rk_join_finder {
    rk_keys keys;              /* only makes words */
    const rk_column **columns; /* the keys as they are compared */
    rk_column *numbers;        /* of those that had to be converted; no data: it had not */
    uint32_t count;
} rk_join_finder;

/* by->types outlives it. RASK_OK, RASK_ENOMEM. */
int rk_join_finder_init(rk_join_finder *finder, const rk_join_by *by);
void rk_join_finder_fini(rk_join_finder *finder); /* legal for a zeroed one */

/* columns: the keys of up to RK_BATCH_ROWS rows, each of its type or int64 where that is float64. ids[i] becomes the
 * number of the key of row i in index, or RK_JOIN_NONE. RASK_OK, RASK_ENOMEM. */
int rk_join_find(rk_join_finder *finder, const rk_join_index *index, const rk_column *const *columns,
                 uint32_t rows, uint32_t *ids);

/* hashes[i] becomes the hash of the key of row i: equal keys of one seed have equal ones. As above. */
int rk_join_hash(rk_join_finder *finder, const rk_column *const *columns, uint32_t rows, uint64_t *hashes);

#endif
