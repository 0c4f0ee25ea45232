/* How often each word of a text occurs: an immutable array without gaps, in the order of the words' hashes,
 * so that tables are merged front to back like sorted lists. */
#ifndef WORDS_TABLE_H
#define WORDS_TABLE_H

#include "words_entry.h"

typedef struct words_table {
    words_entry *entries; /* by hash; equal hashes by bytes */
    size_t count;
    words_arena arena;
    words_key key;
} words_table;

/* An entry with what it takes to compare it. */
typedef struct words_place {
    const words_table *table;
    const words_entry *entry;
    uint64_t hash;
} words_place;

static inline words_place words_place_of(const words_table *table, size_t index)
{
    const words_entry *entry = &table->entries[index];
    return (words_place){table, entry, words_entry_hash(&table->key, entry)};
}

/* The order of entries within tables: below, above or, for the same word, 0. */
int words_place_order(const words_place *a, const words_place *b);

/* A new table of the words of count others, their counts added up. RASK_EINVAL: none, or different seeds;
 * RASK_ENOMEM. */
int words_table_merge(const words_table *const *tables, size_t count, words_table **out);
void words_table_free(words_table *table);

/* The k most frequent words, or all there are: by count, then by bytes. *out is freed with free().
 * RASK_ENOMEM. */
int words_table_top(const words_table *table, uint64_t k, words_entry **out, size_t *count);

/* A table as the value of a task. */
extern const rask_class words_table_class;

#endif
