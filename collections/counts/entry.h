/* collections/counts/entry: a string and its count, and how strings are hashed and compared: what counters and tables
 * share. Strings are any bytes, and may be empty. */
#ifndef RASK_COLLECTIONS_COUNTS_ENTRY_H
#define RASK_COLLECTIONS_COUNTS_ENTRY_H

#include <rask/value.h>

#include <string.h>

enum {
    RK_COUNTS_SHORT = 16,    /* a string of at most so many bytes stands in its entry */
    RK_COUNTS_LONG = 31,     /* mark of a longer one */
    RK_COUNTS_MARK_BITS = 5, /* in tally */
};

/* A short string is in a and b, as in memory, filled up with zeros. Of a long one a is the hash and b the place of its
 * record in the arena: the chunk's number above RK_COUNTS_CHUNK_BITS bits of offset. */
typedef struct rk_counts_entry {
    uint64_t a, b;
    uint64_t
        tally; /* the count above RK_COUNTS_MARK_BITS bits of mark, which is a short string's length + 1; 0: an empty slot */
} rk_counts_entry;

enum { RK_COUNTS_CHUNK_BITS = 40 };

/* Records of long strings: the length in 8 bytes, then the bytes. In chunks, which never move: what grows by copying holds
 * all twice, and leaves blocks of all sizes behind. Zeroed, it is empty. */
typedef struct rk_counts_chunk {
    char *data;
    size_t used, capacity;
    size_t before; /* bytes used in the chunks before this one, which are full */
} rk_counts_chunk;

typedef struct rk_counts_arena {
    rk_counts_chunk *chunks;
    uint32_t count;
    size_t used, capacity; /* of all chunks */
} rk_counts_arena;

/* What hashes are made with: not to be guessed by whoever writes the strings. */
typedef struct rk_counts_key {
    uint64_t seed, a, b;
} rk_counts_key;

rk_counts_key rk_counts_key_of(uint64_t seed);
uint64_t rk_counts_hash_long(const rk_counts_key *key, const char *text, size_t len);

static inline uint64_t rk_counts_hash_short(const rk_counts_key *key, uint64_t a, uint64_t b, uint64_t len)
{
    unsigned __int128 product = (unsigned __int128)(a ^ key->a) * ((b + len) ^ key->b);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t rk_counts_entry_mark(const rk_counts_entry *entry)
{
    return entry->tally & ((1u << RK_COUNTS_MARK_BITS) - 1);
}

static inline uint64_t rk_counts_entry_count(const rk_counts_entry *entry)
{
    return entry->tally >> RK_COUNTS_MARK_BITS;
}

static inline uint64_t rk_counts_entry_hash(const rk_counts_key *key, const rk_counts_entry *entry)
{
    uint64_t mark = rk_counts_entry_mark(entry);
    return mark == RK_COUNTS_LONG ? entry->a : rk_counts_hash_short(key, entry->a, entry->b, mark - 1);
}

static inline const char *rk_counts_arena_at(const rk_counts_arena *arena, uint64_t place)
{
    uint64_t offset = place & ((UINT64_C(1) << RK_COUNTS_CHUNK_BITS) - 1);
    return arena->chunks[place >> RK_COUNTS_CHUNK_BITS].data + offset;
}

/* The string; a short one lies in the entry itself. */
static inline rask_bytes rk_counts_entry_text(const rk_counts_arena *arena, const rk_counts_entry *entry)
{
    uint64_t len, mark = rk_counts_entry_mark(entry);
    if (mark != RK_COUNTS_LONG)
        return (rask_bytes){(const char *)entry, mark - 1};
    const char *record = rk_counts_arena_at(arena, entry->b);
    memcpy(&len, record, sizeof len);
    return (rask_bytes){record + sizeof len, len};
}

/* memcmp order, a prefix first. */
static inline int rk_counts_compare(rask_bytes a, rask_bytes b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Adds a record and says where. RASK_ENOMEM. */
int rk_counts_arena_add(rk_counts_arena *arena, const char *text, size_t len, uint64_t *place);
/* A chunk with room for so many bytes, behind the others. RASK_ENOMEM. */
int rk_counts_arena_open(rk_counts_arena *arena, size_t capacity);
void rk_counts_arena_fini(rk_counts_arena *arena);

#endif
