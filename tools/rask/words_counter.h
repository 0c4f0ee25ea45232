/* Counting the words of a text: a hash table that one task fills and then turns into a words_table. */
#ifndef WORDS_COUNTER_H
#define WORDS_COUNTER_H

#include "words_entry.h"
#include "words_table.h"

enum { WORDS_PADDING = 64 }; /* bytes behind a text that words_counter_text() may read, whatever they are */

typedef struct words_counter {
    words_entry *slots;
    size_t mask; /* slots - 1; there is a power of two of them */
    unsigned
        shift; /* takes a hash to its slot: its top bits, so that slots are roughly in the order of hashes */
    size_t used;  /* words in it */
    size_t limit; /* words it takes before it grows */
    words_arena arena;
    words_key key;
    uint64_t ceiling; /* bytes it may hold */
} words_counter;

/* ceiling 0: no bound. RASK_ENOMEM; fini is legal after a failure, too. */
int words_counter_init(words_counter *counter, uint64_t seed, uint64_t ceiling);
void words_counter_fini(words_counter *counter);

/* Counts the words of text that white space ends. The first *scanned bytes are known to hold no white space.
 * On return *scanned is the length of the word at the end of text that nothing ends yet and that was not
 * counted, 0 when there is none. RASK_ENOMEM; RASK_EBUDGET: the ceiling. */
int words_counter_text(words_counter *counter, const char *text, size_t len, size_t *scanned);

/* Counts one word of any length but 0. Nothing behind it is read. Fails as above. */
int words_counter_word(words_counter *counter, const char *word, size_t len);

/* The words as a new table; the counter is empty afterwards and only fit for fini. RASK_ENOMEM. */
int words_counter_finish(words_counter *counter, words_table **out);

#endif
