/* collections/counts/counter: counting strings: a hash table that one task fills and then turns into rk_counts.
 *
 * Memory is that of the different strings: 24 bytes of each in a table that is filled up to five eighths, and those of more
 * than RK_COUNTS_SHORT bytes in an arena. Not thread-safe. After a failure good for rk_counter_fini() only. */
#ifndef RASK_COLLECTIONS_COUNTS_COUNTER_H
#define RASK_COLLECTIONS_COUNTS_COUNTER_H

#include "collections/counts/counts.h"

enum { RK_COUNTS_PADDING = 64 }; /* bytes behind a text that the calls below may read, whatever they are */

typedef struct rk_counter {
    rk_counts_entry *slots;
    size_t mask; /* slots - 1; there is a power of two of them */
    unsigned
        shift; /* takes a hash to its slot: its top bits, so that slots are roughly in the order of hashes */
    size_t used;  /* strings in it */
    size_t limit; /* strings it takes before it grows */
    rk_counts_arena arena;
    rk_counts_key key;
    uint64_t ceiling; /* bytes it may hold */
} rk_counter;

/* seed: best a secret of the run, so that nobody can choose strings that collide. ceiling 0: no bound. RASK_ENOMEM; fini
 * is legal after a failure, too. */
int rk_counter_init(rk_counter *counter, uint64_t seed, uint64_t ceiling);
/* Legal for a zeroed one. */
void rk_counter_fini(rk_counter *counter);

/* Room for so many strings, of RK_COUNTS_SHORT bytes at most. Best called before a table's strings are counted in the order
 * that they have there, nearly that of hashes: a small table would fill from one end. Fails as below. */
int rk_counter_reserve(rk_counter *counter, size_t strings);

/* Counts one string, times times (at least once). Nothing behind it is read. RASK_ENOMEM; RASK_EBUDGET: the ceiling. */
int rk_counter_add(rk_counter *counter, const char *text, size_t len, uint64_t times);

/* Counts the strings text[begin … ends[0] - 1] and text[ends[i - 1] … ends[i] - 1] for i from 1 to count - 1: string i times[i]
 * times (at least once; NULL: once each). Behind the last one are RK_COUNTS_PADDING readable bytes. Fails as above. */
int rk_counter_add_all(rk_counter *counter, const char *text, uint64_t begin, const uint64_t *ends,
                       const int64_t *times, size_t count);

/* Counts the words of text: runs of bytes that are no white space (collections/text/spaces.h), and the last one, too, when
 * nothing ends it. Behind text are RK_COUNTS_PADDING readable bytes. Fails as above. */
int rk_counter_words(rk_counter *counter, const char *text, size_t len);

/* Counts the lines of text, without the \n or \r\n that ends them; the last one may end without, and then a \r is its own.
 * Otherwise as above. */
int rk_counter_lines(rk_counter *counter, const char *text, size_t len);

/* Bytes that it holds. */
size_t rk_counter_bytes(const rk_counter *counter);

/* What was counted as a new table; the counter is empty afterwards and good for fini only. RASK_ENOMEM. */
int rk_counter_finish(rk_counter *counter, rk_counts **out);

#endif
