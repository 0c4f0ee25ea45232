/* collections/table/distinct: the first row of each key, in the order in which they come.
 *
 * Each task that reads keeps the first rows that it sees. Where there are few different keys these are merged in a tree,
 * in order. Where there are many they go to parts by the hash of the key, each part finds its first rows, block by
 * block, and the parts of each block are put in order by the positions of the rows. */
#ifndef RASK_COLLECTIONS_TABLE_DISTINCT_DISTINCT_H
#define RASK_COLLECTIONS_TABLE_DISTINCT_DISTINCT_H

#include "collections/table/groups/keys.h"
#include "collections/table/lower.h"

/* The rows of a DISTINCT, as chunks of the wanted columns, in order; unless they are to be ordered, in any. RASK_OK, or
 * latched. */
int rk_distinct_lower(const rk_table_lowering *l, rask_table *table, const uint32_t *wanted,
                      uint32_t wanted_count, bool ordered, rk_nodes *out);

/* -- The first rows of what one task reads */

/* Of rows of a batch those whose key was not seen before go to fresh[], and their hashes to hashes[]: how many to *count.
 * RASK_OK, RASK_ENOMEM, RASK_ELIMIT. */
int rk_distinct_see(rk_keys *seen, const rk_column *const *keys, uint32_t rows, uint32_t *fresh,
                    uint64_t *hashes, uint32_t *count);

#endif
