/* A word and its count, and how words are hashed and compared: what counters and tables share. */
#ifndef WORDS_ENTRY_H
#define WORDS_ENTRY_H

#include <rask/value.h>

#include <stdbool.h>
#include <string.h>

enum {
    WORDS_SHORT = 16,   /* a word of at most so many bytes stands in its entry */
    WORDS_LONG = 31,    /* len of a longer one */
    WORDS_LEN_BITS = 5, /* in tally */
};

/* A short word is in a and b, as in memory, filled up with zeros. Of a long one a is the hash and b the
 * offset of its record in the arena. */
typedef struct words_entry {
    uint64_t a, b;
    uint64_t tally; /* the count above WORDS_LEN_BITS bits of len; 0: an empty slot */
} words_entry;

/* Records of long words: the length in 8 bytes, then the bytes. */
typedef struct words_arena {
    char *data;
    size_t used, capacity;
} words_arena;

/* What hashes are made with: not to be guessed by whoever writes the texts. */
typedef struct words_key {
    uint64_t seed, a, b;
} words_key;

words_key words_key_of(uint64_t seed);
uint64_t words_hash_long(const words_key *key, const char *word, size_t len);

static inline uint64_t words_hash_short(const words_key *key, uint64_t a, uint64_t b, uint64_t len)
{
    unsigned __int128 product = (unsigned __int128)(a ^ key->a) * ((b + len) ^ key->b);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t words_entry_len(const words_entry *entry)
{
    return entry->tally & ((1u << WORDS_LEN_BITS) - 1);
}

static inline uint64_t words_entry_count(const words_entry *entry)
{
    return entry->tally >> WORDS_LEN_BITS;
}

static inline uint64_t words_entry_hash(const words_key *key, const words_entry *entry)
{
    uint64_t len = words_entry_len(entry);
    return len == WORDS_LONG ? entry->a : words_hash_short(key, entry->a, entry->b, len);
}

/* The word; a short one lies in the entry itself. */
static inline rask_bytes words_entry_text(const words_arena *arena, const words_entry *entry)
{
    uint64_t len = words_entry_len(entry);
    if (len != WORDS_LONG)
        return (rask_bytes){(const char *)entry, len};
    const char *record = arena->data + entry->b;
    memcpy(&len, record, sizeof len);
    return (rask_bytes){record + sizeof len, len};
}

/* memcmp order, a prefix first. */
static inline int words_compare_text(rask_bytes a, rask_bytes b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Adds a record and says where. RASK_ENOMEM. */
int words_arena_add(words_arena *arena, const char *word, size_t len, uint64_t *offset);

#endif
