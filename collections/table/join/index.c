#include "collections/table/join/index.h"

#include "core/base/limits.h"

#include <assert.h>
#include <string.h>

enum {
    SLOT_AHEAD = 24, /* lookups before its own that a slot is fetched, and then the key it names */
    KEY_AHEAD = 12,
    FIRST_ROWS = 64 << 10, /* tell how many different keys there may be */
};

typedef struct index_head {
    uint64_t slot_count, slots, words, texts, starts, rows; /* places; starts, rows: 0, there are none */
} index_head;

/* -- Keys as they are compared */

int rk_join_finder_init(rk_join_finder *f, const rk_join_by *by)
{
    *f = (rk_join_finder){.count = by->count,
                          .columns = rk_calloc(by->count, sizeof *f->columns),
                          .numbers = rk_calloc(by->count, sizeof *f->numbers)};
    int status =
        f->columns && f->numbers ? rk_keys_init(&f->keys, by->types, by->count, by->seed) : RASK_ENOMEM;
    if (status)
        rk_join_finder_fini(f);
    return status;
}

void rk_join_finder_fini(rk_join_finder *f)
{
    for (uint32_t i = 0; f->numbers && i < f->count; i++)
        rk_column_fini(&f->numbers[i]);
    rk_free(f->numbers);
    rk_free(f->columns);
    rk_keys_fini(&f->keys);
    *f = (rk_join_finder){0};
}

/* An integer that no float64 is equals none: it is null, which finds nothing either. */
static void convert(const rk_column *from, uint32_t rows, rk_column *to)
{
    to->nulls = true;
    for (uint32_t i = 0; i < rows; i++) {
        double x = (double)from->i64[i];
        to->f64[i] = x;
        to->valid[i] = rk_column_has(from, i) && x < 0x1p63 && (int64_t)x == from->i64[i];
    }
}

static int set_columns(rk_join_finder *f, const rk_column *const *columns, uint32_t rows)
{
    for (uint32_t i = 0; i < f->count; i++) {
        rk_column *number = &f->numbers[i];
        f->columns[i] = columns[i];
        if (columns[i]->type == f->keys.types[i])
            continue;
        assert(columns[i]->type == RASK_COL_I64 && f->keys.types[i] == RASK_COL_F64);
        if (!number->data && rk_column_init(number, RASK_COL_F64))
            return RASK_ENOMEM;
        convert(columns[i], rows, number);
        f->columns[i] = number;
    }
    return RASK_OK;
}

/* Rows with a null in their key have no key. */
static void leave_out_nulls(const rk_join_finder *f, uint32_t first, uint32_t rows, uint32_t *ids)
{
    for (uint32_t k = 0; k < f->count; k++)
        for (uint32_t i = 0; f->columns[k]->nulls && i < rows; i++)
            if (!f->columns[k]->valid[first + i])
                ids[i] = RK_JOIN_NONE;
}

/* -- Building */

typedef struct building {
    const rk_chunk *chunk;
    rk_join_finder finder; /* whose keys are those of the index */
    uint32_t *ids;         /* by row */
    uint32_t *starts;      /* by key, and one more */
    uint64_t listed;       /* rows that have a key */
} building;

static int number_batch(building *b, rk_batch *batch, const rk_column **columns, uint32_t *ids)
{
    rk_join_finder *f = &b->finder;
    int status = RASK_OK;
    for (uint32_t k = 0; k < f->count; k++)
        columns[k] = &batch->columns[k];
    status = set_columns(f, columns, batch->rows);
    for (uint32_t at = 0, n; at < batch->rows && !status; at += n) {
        n = batch->rows - at < RK_KEYS_ROWS ? batch->rows - at : RK_KEYS_ROWS;
        status = rk_keys_find(&f->keys, f->columns, at, n, ids + at);
        leave_out_nulls(f, at, n, ids + at);
    }
    return status;
}

static int number_rows(building *b)
{
    const rk_chunk *chunk = b->chunk;
    const rk_column *columns[RK_MAX_KEYS];
    rask_column_type types[RK_MAX_KEYS];
    rk_batch batch;
    for (uint32_t k = 0; k < b->finder.count; k++)
        types[k] = rk_chunk_stored(chunk, k).column.type;
    int status = rk_batch_init(&batch, types, b->finder.count);
    if (status)
        return status;
    for (uint64_t row = 0; row < chunk->rows && !status; row += batch.rows) {
        for (uint32_t k = 0; k < batch.count; k++)
            batch.rows = rk_chunk_read(chunk, k, row, &batch.columns[k]);
        status = number_batch(b, &batch, columns, b->ids + row);
        if (!status && row + batch.rows == FIRST_ROWS)
            status = rk_keys_reserve(&b->finder.keys,
                                     (size_t)(b->finder.keys.rows.count * (chunk->rows / FIRST_ROWS + 1)));
    }
    rk_batch_fini(&batch);
    return status;
}

static int count_rows(building *b)
{
    size_t keys = b->finder.keys.rows.count;
    b->starts = rk_calloc(keys + 2, sizeof *b->starts);
    if (!b->starts)
        return RASK_ENOMEM;
    for (uint64_t row = 0; row < b->chunk->rows; row++)
        if (b->ids[row] != RK_JOIN_NONE) {
            b->starts[b->ids[row] + 1]++;
            b->listed++;
        }
    for (size_t i = 1; i <= keys; i++)
        b->starts[i] += b->starts[i - 1];
    return RASK_OK;
}

/* Long texts of a key go to texts; the key has where they begin there. */
static void pack_texts(const rk_keys *keys, uint64_t *row, char *texts, uint64_t *end)
{
    for (uint32_t k = 0, at = 1 + keys->mask; k < keys->columns; k++) {
        bool text = keys->types[k] == RASK_COL_TEXT;
        uint64_t *word = row + at, len = word[0];
        at += text ? 3 : 1;
        if (!text || len <= RK_KEY_INLINE || len == RK_KEY_NULL)
            continue;
        if (texts) {
            memcpy(texts + *end, rk_key_text(word), len);
            word[2] = *end;
        }
        *end += len;
    }
}

static uint64_t text_bytes(const rk_keys *keys)
{
    uint64_t bytes = 0;
    for (size_t i = 0; keys->texts.total && i < keys->rows.count; i++)
        pack_texts(keys, rk_keys_row(keys, i), NULL, &bytes);
    return bytes;
}

/* starts[i] is used up on the way to where the rows of key i end, which is where those of i + 1 begin. */
static void pack_lists(building *b, const index_head *head, char *data)
{
    uint32_t *starts = (uint32_t *)(data + head->starts), *rows = (uint32_t *)(data + head->rows);
    memcpy(starts, b->starts, (b->finder.keys.rows.count + 1) * sizeof *starts);
    for (uint64_t row = 0; row < b->chunk->rows; row++)
        if (b->ids[row] != RK_JOIN_NONE)
            rows[b->starts[b->ids[row]]++] = (uint32_t)row;
}

static uint64_t padded(uint64_t bytes)
{
    return (bytes + 7) & ~(uint64_t)7;
}

static int pack(building *b, bool lists, rask_value *out)
{
    const rk_keys *keys = &b->finder.keys;
    uint64_t key_bytes = keys->rows.count * keys->rows.element, texts = text_bytes(keys), end = 0;
    index_head head = {.slot_count = keys->slot_count, .slots = sizeof head};
    char *data;
    head.words = head.slots + keys->slot_count * sizeof *keys->slots;
    head.texts = head.words + key_bytes;
    uint64_t at = head.texts + padded(texts);
    if (lists) {
        head.starts = at;
        head.rows = at + padded((keys->rows.count + 1) * sizeof(uint32_t));
        at = head.rows + padded(b->listed * sizeof(uint32_t));
    }
    int status = rask_value_bytes_alloc(at, &data, out);
    if (status)
        return status;
    memset(data + head.texts, 0, at - head.texts);
    memcpy(data, &head, sizeof head);
    memcpy(data + head.slots, keys->slots, head.words - head.slots);
    if (key_bytes)
        memcpy(data + head.words, keys->rows.data, key_bytes);
    for (size_t i = 0; texts && i < keys->rows.count; i++)
        pack_texts(keys, (uint64_t *)(data + head.words) + i * keys->stride, data + head.texts, &end);
    if (lists)
        pack_lists(b, &head, data);
    return RASK_OK;
}

int rk_join_index_build(const rk_chunk *chunk, const rk_join_by *by, bool lists, rask_value *out)
{
    building b = {.chunk = chunk};
    if (chunk->rows >= RK_JOIN_NONE - 1)
        return RASK_ELIMIT;
    int status = rk_join_finder_init(&b.finder, by);
    if (!status && !(b.ids = rk_alloc_array(chunk->rows + 1, sizeof *b.ids)))
        status = RASK_ENOMEM;
    if (!status)
        status = number_rows(&b);
    if (!status)
        status = count_rows(&b);
    if (!status)
        status = pack(&b, lists && b.finder.keys.rows.count < chunk->rows, out);
    rk_free(b.ids);
    rk_free(b.starts);
    rk_join_finder_fini(&b.finder);
    return status;
}

/* -- Looking up */

void rk_join_index_open(rk_join_index *index, rask_bytes bytes)
{
    index_head head;
    assert(bytes.len >= sizeof head);
    memcpy(&head, bytes.data, sizeof head);
    *index = (rk_join_index){.slots = (const uint64_t *)(bytes.data + head.slots),
                             .slot_count = head.slot_count,
                             .words = (const uint64_t *)(bytes.data + head.words),
                             .texts = bytes.data + head.texts};
    if (!head.starts)
        return;
    index->starts = (const uint32_t *)(bytes.data + head.starts);
    index->rows = (const uint32_t *)(bytes.data + head.rows);
}

static bool same_text(const rk_join_index *index, const uint64_t *stored, const uint64_t *words)
{
    if (stored[0] != words[0] || stored[1] != words[1])
        return false;
    if (words[0] <= RK_KEY_INLINE || words[0] == RK_KEY_NULL)
        return stored[2] == words[2];
    return memcmp(index->texts + stored[2], rk_key_text(words), words[0]) == 0;
}

/* Two keys with the same hash. */
static bool same_key(const rk_join_index *index, const rk_keys *keys, const uint64_t *stored,
                     const uint64_t *words)
{
    uint32_t at = 1 + keys->mask;
    if (keys->mask && stored[1] != words[1])
        return false;
    for (uint32_t k = 0; k < keys->columns; k++) {
        bool text = keys->types[k] == RASK_COL_TEXT;
        if (text ? !same_text(index, stored + at, words + at) : stored[at] != words[at])
            return false;
        at += text ? 3 : 1;
    }
    return true;
}

/* The same words are the same key; those of long texts, which say where they are, never are the same. */
static inline bool same_words(const uint64_t *stored, const uint64_t *words, uint32_t stride)
{
    uint64_t differs = 0;
    for (uint32_t i = 0; i < stride; i++)
        differs |= stored[i] ^ words[i];
    return !differs;
}

static inline __attribute__((always_inline)) uint32_t
find_one(const rk_join_index *index, const rk_keys *keys, const uint64_t *words, uint32_t stride)
{
    size_t i = words[0] & (index->slot_count - 1);
    for (uint64_t slot; (slot = index->slots[i]); i = (i + 1) & (index->slot_count - 1)) {
        if (slot >> 32 != words[0] >> 32)
            continue;
        const uint64_t *stored = index->words + (size_t)((uint32_t)slot - 1) * stride;
        if (same_words(stored, words, stride) ||
            (stored[0] == words[0] && same_key(index, keys, stored, words)))
            return (uint32_t)slot - 1;
    }
    return RK_JOIN_NONE;
}

/* Fetches what later lookups will look at. Always inline: a function that only fetches is one that does nothing. */
static inline __attribute__((always_inline)) void look_ahead(const rk_join_index *index,
                                                             const uint64_t *words, uint32_t stride)
{
    uint64_t slot = index->slots[words[KEY_AHEAD * stride] & (index->slot_count - 1)];
    __builtin_prefetch(&index->slots[words[SLOT_AHEAD * stride] & (index->slot_count - 1)]);
    __builtin_prefetch(index->words + (size_t)((uint32_t)slot - (slot != 0)) * stride);
}

static inline __attribute__((always_inline)) void find_all(const rk_join_index *index, const rk_keys *keys,
                                                           const uint64_t *words, uint32_t stride,
                                                           uint32_t rows, uint32_t *ids)
{
    for (uint32_t i = 0; i < rows; i++, words += stride) {
        if (i + SLOT_AHEAD < rows)
            look_ahead(index, words, stride);
        ids[i] = find_one(index, keys, words, stride);
    }
}

/* Most keys are one number or one text. */
static void find_words(const rk_join_index *index, const rk_keys *keys, const uint64_t *words, uint32_t rows,
                       uint32_t *ids)
{
    switch (keys->stride) {
    case 3: find_all(index, keys, words, 3, rows, ids); break;
    case 4: find_all(index, keys, words, 4, rows, ids); break;
    default: find_all(index, keys, words, keys->stride, rows, ids); break;
    }
}

int rk_join_find(rk_join_finder *f, const rk_join_index *index, const rk_column *const *columns,
                 uint32_t rows, uint32_t *ids)
{
    int status = set_columns(f, columns, rows);
    for (uint32_t at = 0, n; at < rows && !status; at += n) {
        n = rows - at < RK_KEYS_ROWS ? rows - at : RK_KEYS_ROWS;
        find_words(index, &f->keys, rk_keys_words(&f->keys, f->columns, at, n), n, ids + at);
        leave_out_nulls(f, at, n, ids + at);
    }
    return status;
}

int rk_join_hash(rk_join_finder *f, const rk_column *const *columns, uint32_t rows, uint64_t *hashes)
{
    int status = set_columns(f, columns, rows);
    for (uint32_t at = 0, n; at < rows && !status; at += n) {
        n = rows - at < RK_KEYS_ROWS ? rows - at : RK_KEYS_ROWS;
        const uint64_t *words = rk_keys_words(&f->keys, f->columns, at, n);
        for (uint32_t i = 0; i < n; i++)
            hashes[at + i] = words[(size_t)i * f->keys.stride];
    }
    return status;
}
