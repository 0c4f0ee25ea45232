/* Tables as values: what a store, a drawing or another process need to know of them. */
#include "collections/counts/counts.h"
#include "core/base/alloc.h"

#include <stdio.h>

#define CHUNK_OFFSET ((UINT64_C(1) << RK_COUNTS_CHUNK_BITS) - 1)

/* The entries follow, then the records of long strings as one chunk. */
typedef struct encoded_head {
    uint64_t seed, count, arena_bytes;
} encoded_head;

static void destroy(void *data)
{
    rk_counts_free(data);
}

static size_t size(const void *data)
{
    return rk_counts_bytes(data);
}

/* An entry for an arena of one chunk. */
static rk_counts_entry in_one_chunk(const rk_counts *table, rk_counts_entry entry)
{
    if (rk_counts_entry_mark(&entry) == RK_COUNTS_LONG) {
        const rk_counts_chunk *chunk = &table->arena.chunks[entry.b >> RK_COUNTS_CHUNK_BITS];
        entry.b = chunk->before + (entry.b & CHUNK_OFFSET);
    }
    return entry;
}

static void write_table(const rk_counts *table, char *out)
{
    encoded_head head = {table->key.seed, table->count, table->arena.used};
    memcpy(out, &head, sizeof head);
    out += sizeof head;
    for (size_t i = 0; i < table->count; i++, out += sizeof(rk_counts_entry)) {
        rk_counts_entry entry = in_one_chunk(table, table->entries[i]);
        memcpy(out, &entry, sizeof entry);
    }
    for (uint32_t i = 0; i < table->arena.count; i++) {
        const rk_counts_chunk *chunk = &table->arena.chunks[i];
        memcpy(out + chunk->before, chunk->data, chunk->used);
    }
}

static int encode(const void *data, rask_value *bytes)
{
    const rk_counts *table = data;
    char *out;
    size_t len = sizeof(encoded_head) + table->count * sizeof(rk_counts_entry) + table->arena.used;
    int status = rask_value_bytes_alloc(len, &out, bytes);
    if (!status)
        write_table(table, out);
    return status;
}

/* Of an arena that was decoded, which has one chunk. */
static bool record_fits(const rk_counts_arena *arena, uint64_t offset)
{
    uint64_t len;
    if (offset > arena->used || arena->used - offset < sizeof len)
        return false;
    memcpy(&len, rk_counts_arena_at(arena, offset), sizeof len);
    return len > RK_COUNTS_SHORT && len <= arena->used - offset - sizeof len;
}

static bool entry_is_sound(const rk_counts *table, const rk_counts_entry *entry)
{
    static const char zeros[RK_COUNTS_SHORT];
    uint64_t mark = rk_counts_entry_mark(entry), len = mark - 1;
    if (rk_counts_entry_count(entry) == 0 || mark == 0)
        return false;
    if (mark == RK_COUNTS_LONG)
        return record_fits(&table->arena, entry->b);
    return len <= RK_COUNTS_SHORT && memcmp((const char *)entry + len, zeros, RK_COUNTS_SHORT - len) == 0;
}

static bool table_is_sound(const rk_counts *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (!entry_is_sound(table, &table->entries[i]))
            return false;
        if (i == 0)
            continue;
        rk_counts_place before = rk_counts_place_of(table, i - 1), here = rk_counts_place_of(table, i);
        if (rk_counts_place_order(&before, &here) >= 0)
            return false;
    }
    return true;
}

static int table_alloc(const encoded_head *head, rk_counts **out)
{
    rk_counts *table = rk_calloc(1, sizeof *table);
    if (!table)
        return RASK_ENOMEM;
    table->key = rk_counts_key_of(head->seed);
    table->count = head->count;
    table->entries = rk_alloc((head->count + 1) * sizeof *table->entries);
    *out = table;
    int status = rk_counts_arena_open(&table->arena, head->arena_bytes + 1);
    if (!status)
        table->arena.used = table->arena.chunks[0].used = head->arena_bytes;
    return table->entries ? status : RASK_ENOMEM;
}

static bool head_fits(const encoded_head *head, size_t rest)
{
    return head->count <= rest / sizeof(rk_counts_entry) && head->arena_bytes < CHUNK_OFFSET &&
           head->arena_bytes == rest - head->count * sizeof(rk_counts_entry);
}

static int decode(rask_bytes bytes, void **data)
{
    encoded_head head;
    rk_counts *table = NULL;
    if (bytes.len < sizeof head)
        return RASK_EFORMAT;
    memcpy(&head, bytes.data, sizeof head);
    if (!head_fits(&head, bytes.len - sizeof head))
        return RASK_EFORMAT;
    int status = table_alloc(&head, &table);
    if (!status) {
        size_t entry_bytes = table->count * sizeof(rk_counts_entry);
        memcpy(table->entries, bytes.data + sizeof head, entry_bytes);
        memcpy(table->arena.chunks[0].data, bytes.data + sizeof head + entry_bytes, table->arena.used);
        status = table_is_sound(table) ? RASK_OK : RASK_EFORMAT;
    }
    if (status)
        rk_counts_free(table);
    else
        *data = table;
    return status;
}

static size_t print(const void *data, char *buffer, size_t capacity)
{
    const rk_counts *table = data;
    int len = snprintf(buffer, capacity, "%zu different strings", table->count);
    return len < 0 ? 0 : (size_t)len;
}

static bool entries_equal(const rk_counts *a, const rk_counts *b, size_t i)
{
    return rk_counts_entry_count(&a->entries[i]) == rk_counts_entry_count(&b->entries[i]) &&
           rk_counts_compare(rk_counts_entry_text(&a->arena, &a->entries[i]),
                             rk_counts_entry_text(&b->arena, &b->entries[i])) == 0;
}

static bool equal(const void *left, const void *right)
{
    const rk_counts *a = left, *b = right;
    if (a->key.seed != b->key.seed || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!entries_equal(a, b, i))
            return false;
    }
    return true;
}

const rask_class rk_counts_class = {
    .name = "counts",
    .destroy = destroy,
    .size = size,
    .encode = encode,
    .decode = decode,
    .print = print,
    .equal = equal,
};
