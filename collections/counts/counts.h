/* collections/counts/counts: how often each of many strings occurs: an immutable table without gaps, in the order of the
 * strings' hashes, so that tables are merged front to back like sorted lists, and a range of hashes is a run of entries.
 *
 * A counter (counter.h) makes tables; those that are to meet have the same seed. What is counted does not depend on it,
 * nor on who merges what with what: the most frequent strings come in an order of their own. */
#ifndef RASK_COLLECTIONS_COUNTS_COUNTS_H
#define RASK_COLLECTIONS_COUNTS_COUNTS_H

#include "collections/counts/entry.h"

typedef struct rk_counts {
    rk_counts_entry *entries; /* by hash; equal hashes by bytes */
    size_t count;
    rk_counts_arena arena;
    rk_counts_key key;
} rk_counts;

/* An entry with what it takes to compare it. */
typedef struct rk_counts_place {
    const rk_counts *table;
    const rk_counts_entry *entry;
    uint64_t hash;
} rk_counts_place;

static inline rk_counts_place rk_counts_place_of(const rk_counts *table, size_t index)
{
    const rk_counts_entry *entry = &table->entries[index];
    return (rk_counts_place){table, entry, rk_counts_entry_hash(&table->key, entry)};
}

/* The order of entries within tables: below, above or, for the same string, 0. */
int rk_counts_place_order(const rk_counts_place *a, const rk_counts_place *b);

/* A new table of the strings of count others, their counts added up. RASK_EINVAL: none, or different seeds; RASK_ENOMEM. */
int rk_counts_merge(const rk_counts *const *tables, size_t count, rk_counts **out);
/* NULL is legal. */
void rk_counts_free(rk_counts *table);

/* The strings whose hashes are in part part (from 0) of parts equal parts of all hashes, as a table of its own: the same
 * strings in every table with this seed. RASK_ENOMEM. */
int rk_counts_cut(const rk_counts *table, uint32_t part, uint32_t parts, rk_counts **out);

/* Bytes that the table takes. */
size_t rk_counts_bytes(const rk_counts *table);

/* The k most frequent strings, or all there are: by count, then by bytes. *out, which points into the table's arena, is
 * ended with rk_free(). RASK_ENOMEM. */
int rk_counts_top(const rk_counts *table, uint64_t k, rk_counts_entry **out, size_t *count);

/* The order that they come in, for entries of one table or of two. */
int rk_counts_order(const rk_counts_arena *a_arena, const rk_counts_entry *a, const rk_counts_arena *b_arena,
                    const rk_counts_entry *b);

/* A table as the value of a task: it can be spilled, and sent to another process. */
extern const rask_class rk_counts_class;

#endif
