/* collections/table/groups/keys: a hash table that numbers the different keys of rows, 0, 1, … as they appear.
 *
 * A key is a row of columns of any types; null is a value like any other, all NaN are one, and so are 0.0 and -0.0. It is
 * kept as a few words:
 *     hash; when there are columns other than text: a bit for each column that is null; then for each column
 *     one word, or for text three: its length (RK_KEY_NULL: null) and its bytes up to 16, with zeros behind;
 *     of longer text a hash and a pointer to the bytes.
 * Hashes are seeded; tables whose keys meet must have one seed. */
#ifndef RASK_COLLECTIONS_TABLE_GROUPS_KEYS_H
#define RASK_COLLECTIONS_TABLE_GROUPS_KEYS_H

#include "collections/table/column.h"
#include "core/base/array.h"

enum {
    RK_KEYS_ROWS = 512, /* most rows that are looked up at once */
    RK_KEY_INLINE = 16, /* longest text that is kept in words */
};
#define RK_KEY_NULL UINT64_MAX

typedef struct rk_keys {
    const rask_column_type *types;
    uint32_t columns;
    uint32_t stride; /* words of a key */
    uint32_t mask;   /* the word that says what is null, or 0 */
    uint64_t seeds[2];
    uint64_t *slots;   /* upper half of the hash, then the key's number + 1; 0: free */
    size_t slot_count; /* a power of two */
    rk_array rows;     /* keys */
    rk_arena texts;    /* of long ones */
    uint64_t *scratch; /* RK_KEYS_ROWS keys */
} rk_keys;

/* types must outlive the table. At most RK_MAX_KEYS columns. RASK_OK, RASK_ENOMEM. */
int rk_keys_init(rk_keys *keys, const rask_column_type *types, uint32_t columns, uint64_t seed);
/* Legal for a zeroed table. */
void rk_keys_fini(rk_keys *keys);

/* ids[i] becomes the number of the key in row first + i of the columns, for i < rows <= RK_KEYS_ROWS; new keys are
 * added, with a copy of their text. RASK_ENOMEM or RASK_ELIMIT (over 2^32 - 2 keys): the table keeps what it has. */
int rk_keys_find(rk_keys *keys, const rk_column *const *columns, uint32_t first, uint32_t rows,
                 uint32_t *ids);

/* The same for keys that are words already, of a table with the same types and seed. */
int rk_keys_find_words(rk_keys *keys, const uint64_t *words, uint32_t rows, uint32_t *ids);

/* Makes room for so many keys in all, which is faster than growing. RASK_OK, RASK_ENOMEM, RASK_ELIMIT. */
int rk_keys_reserve(rk_keys *keys, size_t count);

/* The words of the keys of rows first … of the columns, one behind the other, until the next call: nothing is looked up, and
 * long texts stay where they are. */
const uint64_t *rk_keys_words(rk_keys *keys, const rk_column *const *columns, uint32_t first, uint32_t rows);

/* The words of key number id. */
static inline uint64_t *rk_keys_row(const rk_keys *keys, size_t id)
{
    return (uint64_t *)keys->rows.data + id * keys->stride;
}

/* The word at which a column begins. */
uint32_t rk_keys_word(const rk_keys *keys, uint32_t column);

/* Whether a column of a key is null. */
bool rk_keys_is_null(const rk_keys *keys, const uint64_t *row, uint32_t column);

/* Where the bytes of a text are whose three words are given; it is not null. */
static inline const char *rk_key_text(const uint64_t *word)
{
    return word[0] <= RK_KEY_INLINE ? (const char *)&word[1] : (const char *)(uintptr_t)word[2];
}

/* Bytes held. */
size_t rk_keys_bytes(const rk_keys *keys);

#endif
