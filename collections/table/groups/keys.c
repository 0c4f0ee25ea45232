#include "collections/table/groups/keys.h"

#include "core/base/limits.h"

#include <assert.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    FIRST_SLOTS = 1024,
    SPARSE_SLOTS = 8192, /* up to so many there are eight for a key, then two */
    NEAR_SLOTS = 16384,  /* up to so many nothing is fetched ahead: they are near anyway */
    TEXT_STRIDE = 4,     /* words of a key that is one text */
    INTEGER_STRIDE = 3,  /* … one integer */
    PAGE = 4096,
    SLOT_AHEAD = 24, /* lookups before its own that a slot is fetched, and then the key it names */
    KEY_AHEAD = 12,
};

/* Both halves of the product, folded; after wyhash. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static bool is_text(const rk_keys *keys, uint32_t column)
{
    return keys->types[column] == RASK_COL_TEXT;
}

int rk_keys_init(rk_keys *keys, const rask_column_type *types, uint32_t columns, uint64_t seed)
{
    assert(columns <= RK_MAX_KEYS);
    *keys = (rk_keys){.types = types, .columns = columns, .stride = 1};
    keys->seeds[0] = mix(seed ^ 0x9e3779b97f4a7c15u, 0xd1b54a32d192ed03u);
    keys->seeds[1] = mix(keys->seeds[0] ^ 0x8cb92ba72f3d8dd7u, 0xaef17502108ef2d9u) | 1;
    for (uint32_t i = 0; i < columns; i++)
        if (!is_text(keys, i))
            keys->mask = 1;
    keys->stride += keys->mask;
    for (uint32_t i = 0; i < columns; i++)
        keys->stride += is_text(keys, i) ? 3 : 1;
    keys->rows = (rk_array){.element = keys->stride * sizeof(uint64_t), .ceiling = UINT32_MAX - 1};
    keys->slots = rk_calloc(FIRST_SLOTS, sizeof *keys->slots);
    keys->slot_count = FIRST_SLOTS;
    keys->scratch =
        rk_alloc(RK_KEYS_ROWS * keys->rows.element + sizeof(uint64_t)); /* row[1] is there without columns */
    if (keys->slots && keys->scratch)
        return RASK_OK;
    rk_keys_fini(keys);
    return RASK_ENOMEM;
}

void rk_keys_fini(rk_keys *keys)
{
    rk_free(keys->slots);
    rk_free(keys->scratch);
    rk_array_fini(&keys->rows);
    rk_arena_fini(&keys->texts);
    *keys = (rk_keys){0};
}

uint32_t rk_keys_word(const rk_keys *keys, uint32_t column)
{
    uint32_t at = 1 + keys->mask;
    for (uint32_t i = 0; i < column; i++)
        at += is_text(keys, i) ? 3 : 1;
    return at;
}

bool rk_keys_is_null(const rk_keys *keys, const uint64_t *row, uint32_t column)
{
    return is_text(keys, column) ? row[rk_keys_word(keys, column)] == RK_KEY_NULL : row[1] >> column & 1;
}

size_t rk_keys_bytes(const rk_keys *keys)
{
    return keys->slot_count * sizeof *keys->slots + RK_KEYS_ROWS * keys->rows.element +
           keys->rows.capacity * keys->rows.element + keys->texts.total;
}

/* Keys of rows. */

/* 1 to 16 bytes with zeros behind them. Reads 16 where no page ends in between, so that none can be missing. */
__attribute__((no_sanitize("address"))) static inline void load_short(const char *data, size_t len,
                                                                      uint64_t *low, uint64_t *high)
{
    static const uint8_t kept[2 * RK_KEY_INLINE] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                    255, 255, 255, 255, 255, 255, 255, 255};
    uint64_t low_mask, high_mask;
    char copy[RK_KEY_INLINE];
    memcpy(&low_mask, kept + RK_KEY_INLINE - len, sizeof low_mask);
    memcpy(&high_mask, kept + RK_KEY_INLINE + 8 - len, sizeof high_mask);
    if (__builtin_expect(((uintptr_t)data & (PAGE - 1)) > PAGE - RK_KEY_INLINE, 0)) {
        memset(copy, 0, sizeof copy);
        for (size_t i = 0; i < len; i++)
            copy[i] = data[i];
        data = copy;
    }
    memcpy(low, data, sizeof *low);
    memcpy(high, data + 8, sizeof *high);
    *low &= low_mask;
    *high &= high_mask;
}

typedef struct seeds {
    uint64_t first, second;
} seeds;

/* The words of a text and its hash, which goes on from h. */
static inline uint64_t text_words(seeds s, rask_bytes text, uint64_t h, uint64_t *word)
{
    uint64_t low = 0, high = 0;
    word[0] = text.len;
    if (__builtin_expect(text.len > RK_KEY_INLINE, 0)) {
        word[1] = XXH3_64bits_withSeed(text.data, text.len, s.first);
        word[2] = (uintptr_t)text.data;
        return mix(h ^ word[1], s.second);
    }
    if (text.len)
        load_short(text.data, text.len, &low, &high);
    word[1] = low;
    word[2] = high;
    return mix(h ^ low ^ text.len << 59, s.second ^ high);
}

static inline __attribute__((always_inline)) void add_texts(rk_keys *keys, const rask_bytes *text,
                                                            const uint8_t *valid, uint32_t rows, uint32_t at)
{
    const seeds s = {keys->seeds[0], keys->seeds[1]};
    const size_t stride = keys->stride;
    uint64_t *row = keys->scratch;
    for (uint32_t i = 0; i < rows; i++, row += stride) {
        if (!valid || valid[i]) {
            row[0] = text_words(s, text[i], row[0], row + at);
            continue;
        }
        row[at] = RK_KEY_NULL;
        row[at + 1] = row[at + 2] = 0;
        row[0] = mix(row[0] + 1, s.second);
    }
}

static void add_text(rk_keys *keys, const rk_column *column, uint32_t first, uint32_t rows, uint32_t at)
{
    if (column->nulls)
        add_texts(keys, column->text + first, column->valid + first, rows, at);
    else
        add_texts(keys, column->text + first, NULL, rows, at);
}

/* The bits of a number, the same for all that count as equal. */
static inline uint64_t number_bits(const rk_column *column, uint32_t row)
{
    if (column->type == RASK_COL_BOOL)
        return column->boolean[row];
    if (column->type != RASK_COL_F64)
        return (uint64_t)column->i64[row];
    double x = column->f64[row] + 0.0; /* -0.0 becomes 0.0 */
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return x == x ? bits : 0x7ff8000000000000u;
}

static void add_numbers(rk_keys *keys, const rk_column *column, uint32_t first, uint32_t rows, uint32_t at,
                        uint32_t number)
{
    const uint64_t seed = keys->seeds[1];
    const size_t stride = keys->stride;
    uint64_t *row = keys->scratch;
    for (uint32_t i = 0; i < rows; i++, row += stride) {
        bool has = rk_column_has(column, first + i);
        row[at] = has ? number_bits(column, first + i) : 0;
        row[1] |= (uint64_t)!has << number;
        row[0] = mix(row[0] ^ row[at], seed) + !has;
    }
}

/* The rows of keys that are one text, none of which is null. */
static void build_texts(rk_keys *keys, const rask_bytes *text, uint32_t rows)
{
    const seeds s = {keys->seeds[0], keys->seeds[1]};
    uint64_t *row = keys->scratch;
    for (uint32_t i = 0; i < rows; i++, row += TEXT_STRIDE)
        row[0] = text_words(s, text[i], s.first, row + 1);
}

/* The same of keys that are one integer: those of add_numbers(), in one pass. */
static void build_integers(rk_keys *keys, const int64_t *x, uint32_t rows)
{
    const seeds s = {keys->seeds[0], keys->seeds[1]};
    uint64_t *row = keys->scratch;
    for (uint32_t i = 0; i < rows; i++, row += INTEGER_STRIDE) {
        row[0] = mix(s.first ^ (uint64_t)x[i], s.second);
        row[1] = 0;
        row[2] = (uint64_t)x[i];
    }
}

/* Most keys are one column without nulls; false: these are not. */
static bool build_plain(rk_keys *keys, const rk_column *column, uint32_t first, uint32_t rows)
{
    if (keys->columns != 1 || column->nulls || column->type == RASK_COL_BOOL || column->type == RASK_COL_F64)
        return false;
    if (column->type == RASK_COL_TEXT)
        build_texts(keys, column->text + first, rows);
    else
        build_integers(keys, column->i64 + first, rows);
    return true;
}

static void build_rows(rk_keys *keys, const rk_column *const *columns, uint32_t first, uint32_t rows)
{
    const uint64_t seed = keys->seeds[0];
    const size_t stride = keys->stride;
    uint64_t *row = keys->scratch;
    if (keys->columns && build_plain(keys, columns[0], first, rows))
        return;
    for (uint32_t i = 0; i < rows; i++, row += stride) {
        row[1] = 0;
        row[0] = seed;
    }
    uint32_t at = 1 + keys->mask;
    for (uint32_t i = 0; i < keys->columns; i++) {
        if (is_text(keys, i))
            add_text(keys, columns[i], first, rows, at);
        else
            add_numbers(keys, columns[i], first, rows, at, i);
        at += is_text(keys, i) ? 3 : 1;
    }
}

/* The table. */

static bool same_long_texts(const uint64_t *a, const uint64_t *b)
{
    return a[0] > RK_KEY_INLINE && a[0] != RK_KEY_NULL && memcmp(rk_key_text(a), rk_key_text(b), a[0]) == 0;
}

/* Two keys with the same hash. */
static bool same_columns(const rk_keys *keys, const uint64_t *a, const uint64_t *b)
{
    if (keys->mask && a[1] != b[1])
        return false;
    uint32_t at = 1 + keys->mask;
    for (uint32_t i = 0; i < keys->columns; i++) {
        bool text = is_text(keys, i);
        if (a[at] != b[at])
            return false;
        if (text && (a[at + 1] != b[at + 1] || (a[at + 2] != b[at + 2] && !same_long_texts(a + at, b + at))))
            return false;
        at += text ? 3 : 1;
    }
    return true;
}

static inline bool same_keys(const rk_keys *keys, const uint64_t *a, const uint64_t *b)
{
    uint64_t differs = (a[0] ^ b[0]) | (a[keys->stride - 1] ^ b[keys->stride - 1]);
    for (uint32_t i = 1; i + 1 < keys->stride; i++)
        differs |= a[i] ^ b[i];
    return !differs || (a[0] == b[0] && same_columns(keys, a, b));
}

/* One text, or four words anyway. */
static inline bool same_four(const rk_keys *keys, const uint64_t *a, const uint64_t *b)
{
    uint64_t differs = (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]);
    return !differs || (a[0] == b[0] && same_columns(keys, a, b));
}

/* count: of slots from here on, a power of two. */
static int grow(rk_keys *keys, size_t count)
{
    uint64_t *slots = rk_calloc(count, sizeof *slots);
    if (!slots)
        return RASK_ENOMEM;
    const uint64_t *row = keys->rows.data;
    for (size_t id = 0; id < keys->rows.count; id++, row += keys->stride) {
        size_t i = row[0] & (count - 1);
        while (slots[i])
            i = (i + 1) & (count - 1);
        slots[i] = (row[0] >> 32 << 32) | (id + 1);
    }
    rk_free(keys->slots);
    keys->slots = slots;
    keys->slot_count = count;
    return RASK_OK;
}

int rk_keys_reserve(rk_keys *keys, size_t count)
{
    size_t slots = keys->slot_count;
    while (slots < 2 * count)
        slots *= 2;
    int status = slots > keys->slot_count ? grow(keys, slots) : RASK_OK;
    return status || count <= keys->rows.count ? status
                                               : rk_array_reserve(&keys->rows, count - keys->rows.count);
}

/* Long texts of a key become copies of the table's own. */
static int keep_texts(rk_keys *keys, uint64_t *row)
{
    uint32_t at = 1 + keys->mask;
    for (uint32_t i = 0; i < keys->columns; i++) {
        uint64_t *word = row + at;
        at += is_text(keys, i) ? 3 : 1;
        if (!is_text(keys, i) || word[0] <= RK_KEY_INLINE || word[0] == RK_KEY_NULL)
            continue;
        char *copy = rk_arena_alloc(&keys->texts, word[0]);
        if (!copy)
            return RASK_ENOMEM;
        memcpy(copy, rk_key_text(word), word[0]);
        word[2] = (uintptr_t)copy;
    }
    return RASK_OK;
}

/* A new key; its slot is the free one that probing for it ended at, unless the table grows. */
static int add_key(rk_keys *keys, const uint64_t *words, size_t slot, uint32_t *id)
{
    if ((keys->slot_count < SPARSE_SLOTS ? 8 : 2) * keys->rows.count >= keys->slot_count) {
        int status = grow(keys, 2 * keys->slot_count);
        if (status)
            return status;
        for (slot = words[0] & (keys->slot_count - 1); keys->slots[slot];)
            slot = (slot + 1) & (keys->slot_count - 1);
    }
    uint64_t *row = rk_array_push(&keys->rows);
    if (!row)
        return keys->rows.count == keys->rows.ceiling ? RASK_ELIMIT : RASK_ENOMEM;
    memcpy(row, words, keys->rows.element);
    int status = keep_texts(keys, row);
    if (status) {
        keys->rows.count--;
        return status;
    }
    *id = (uint32_t)keys->rows.count - 1;
    keys->slots[slot] = (words[0] >> 32 << 32) | keys->rows.count;
    return RASK_OK;
}

static inline int find(rk_keys *keys, const uint64_t *words, uint32_t stride, uint32_t *id)
{
    size_t i = words[0] & (keys->slot_count - 1);
    for (uint64_t slot; (slot = keys->slots[i]); i = (i + 1) & (keys->slot_count - 1)) {
        if (slot >> 32 != words[0] >> 32)
            continue;
        const uint64_t *row = (const uint64_t *)keys->rows.data + (size_t)((uint32_t)slot - 1) * stride;
        *id = (uint32_t)slot - 1;
        if (stride == 4 ? same_four(keys, row, words) : same_keys(keys, row, words))
            return RASK_OK;
    }
    return add_key(keys, words, i, id);
}

/* Fetches what later lookups will look at. Always inline: a function that only fetches is one that does nothing. */
static inline __attribute__((always_inline)) void look_ahead(const rk_keys *keys, const uint64_t *words,
                                                             uint32_t stride)
{
    uint64_t slot = keys->slots[words[KEY_AHEAD * stride] & (keys->slot_count - 1)];
    __builtin_prefetch(&keys->slots[words[SLOT_AHEAD * stride] & (keys->slot_count - 1)]);
    __builtin_prefetch((const uint64_t *)keys->rows.data + (size_t)((uint32_t)slot - (slot != 0)) * stride);
}

static inline __attribute__((always_inline)) int find_all(rk_keys *keys, const uint64_t *words,
                                                          uint32_t stride, uint32_t rows, uint32_t *ids)
{
    int status = RASK_OK;
    uint32_t far = keys->slot_count > NEAR_SLOTS && rows > SLOT_AHEAD ? rows - SLOT_AHEAD : 0;
    for (uint32_t i = 0; i < rows && !status; i++, words += stride) {
        if (i < far)
            look_ahead(keys, words, stride);
        status = find(keys, words, stride, &ids[i]);
    }
    return status;
}

int rk_keys_find_words(rk_keys *keys, const uint64_t *words, uint32_t rows, uint32_t *ids)
{
    return keys->stride == 4 ? find_all(keys, words, 4, rows, ids)
                             : find_all(keys, words, keys->stride, rows, ids);
}

const uint64_t *rk_keys_words(rk_keys *keys, const rk_column *const *columns, uint32_t first, uint32_t rows)
{
    assert(rows <= RK_KEYS_ROWS);
    build_rows(keys, columns, first, rows);
    return keys->scratch;
}

int rk_keys_find(rk_keys *keys, const rk_column *const *columns, uint32_t first, uint32_t rows, uint32_t *ids)
{
    return rk_keys_find_words(keys, rk_keys_words(keys, columns, first, rows), rows, ids);
}
