/* Tables as values: what a store, a drawing or another process need to know of them. */
#include "words_table.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct encoded_head {
    uint64_t seed, count, arena_bytes;
} encoded_head;

static void destroy(void *data)
{
    words_table_free(data);
}

static size_t size(const void *data)
{
    const words_table *table = data;
    return sizeof *table + (table->count + 1) * sizeof(words_entry) + table->arena.capacity;
}

static int encode(const void *data, rask_value *bytes)
{
    const words_table *table = data;
    encoded_head head = {table->key.seed, table->count, table->arena.used};
    size_t entry_bytes = table->count * sizeof(words_entry);
    char *out;
    int status = rask_value_bytes_alloc(sizeof head + entry_bytes + table->arena.used, &out, bytes);
    if (status)
        return status;
    memcpy(out, &head, sizeof head);
    memcpy(out + sizeof head, table->entries, entry_bytes);
    if (table->arena.used)
        memcpy(out + sizeof head + entry_bytes, table->arena.data, table->arena.used);
    return RASK_OK;
}

static bool record_fits(const words_arena *arena, uint64_t offset)
{
    uint64_t len;
    if (offset > arena->used || arena->used - offset < sizeof len)
        return false;
    memcpy(&len, arena->data + offset, sizeof len);
    return len > WORDS_SHORT && len <= arena->used - offset - sizeof len;
}

static bool entry_is_sound(const words_table *table, const words_entry *entry)
{
    static const char zeros[WORDS_SHORT];
    uint64_t len = words_entry_len(entry);
    if (words_entry_count(entry) == 0)
        return false;
    if (len == WORDS_LONG)
        return record_fits(&table->arena, entry->b);
    return len > 0 && len <= WORDS_SHORT && memcmp((const char *)entry + len, zeros, WORDS_SHORT - len) == 0;
}

static bool table_is_sound(const words_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (!entry_is_sound(table, &table->entries[i]))
            return false;
        if (i == 0)
            continue;
        words_place before = words_place_of(table, i - 1), here = words_place_of(table, i);
        if (words_place_order(&before, &here) >= 0)
            return false;
    }
    return true;
}

static int table_alloc(const encoded_head *head, words_table **out)
{
    words_table *table = calloc(1, sizeof *table);
    if (!table)
        return RASK_ENOMEM;
    table->key = words_key_of(head->seed);
    table->count = head->count;
    table->entries = malloc((head->count + 1) * sizeof *table->entries);
    table->arena = (words_arena){malloc(head->arena_bytes + 1), head->arena_bytes, head->arena_bytes + 1};
    *out = table;
    return table->entries && table->arena.data ? RASK_OK : RASK_ENOMEM;
}

static bool head_fits(const encoded_head *head, size_t rest)
{
    return head->count <= rest / sizeof(words_entry) &&
           head->arena_bytes == rest - head->count * sizeof(words_entry);
}

static int decode(rask_bytes bytes, void **data)
{
    encoded_head head;
    words_table *table = NULL;
    if (bytes.len < sizeof head)
        return RASK_EFORMAT;
    memcpy(&head, bytes.data, sizeof head);
    if (!head_fits(&head, bytes.len - sizeof head))
        return RASK_EFORMAT;
    int status = table_alloc(&head, &table);
    if (!status) {
        size_t entry_bytes = table->count * sizeof(words_entry);
        memcpy(table->entries, bytes.data + sizeof head, entry_bytes);
        memcpy(table->arena.data, bytes.data + sizeof head + entry_bytes, table->arena.used);
        status = table_is_sound(table) ? RASK_OK : RASK_EFORMAT;
    }
    if (status)
        words_table_free(table);
    else
        *data = table;
    return status;
}

static size_t print(const void *data, char *buffer, size_t capacity)
{
    const words_table *table = data;
    int len = snprintf(buffer, capacity, "%zu different words", table->count);
    return len < 0 ? 0 : (size_t)len;
}

static bool entries_equal(const words_table *a, const words_table *b, size_t i)
{
    return words_entry_count(&a->entries[i]) == words_entry_count(&b->entries[i]) &&
           words_compare_text(words_entry_text(&a->arena, &a->entries[i]),
                              words_entry_text(&b->arena, &b->entries[i])) == 0;
}

static bool equal(const void *left, const void *right)
{
    const words_table *a = left, *b = right;
    if (a->key.seed != b->key.seed || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!entries_equal(a, b, i))
            return false;
    }
    return true;
}

const rask_class words_table_class = {
    .name = "words table",
    .destroy = destroy,
    .size = size,
    .encode = encode,
    .decode = decode,
    .print = print,
    .equal = equal,
};
