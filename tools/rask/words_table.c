#include "words_table.h"

#include <stdlib.h>

/* Equal hashes of different words: rare, but then the order must not depend on the table. */
static int order_of_equal_hashes(const words_place *a, const words_place *b)
{
    return words_compare_text(words_entry_text(&a->table->arena, a->entry),
                              words_entry_text(&b->table->arena, b->entry));
}

int words_place_order(const words_place *a, const words_place *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return order_of_equal_hashes(a, b);
}

void words_table_free(words_table *table)
{
    if (!table)
        return;
    free(table->entries);
    free(table->arena.data);
    free(table);
}

/* How far the merge has come in one table. */
typedef struct cursor {
    words_place place;
    const words_entry *end;
} cursor;

/* Steps on; false at the end of the table. */
static bool cursor_next(cursor *c)
{
    if (++c->place.entry == c->end)
        return false;
    c->place.hash = words_entry_hash(&c->place.table->key, c->place.entry);
    return true;
}

static size_t cursors_open(const words_table *const *tables, size_t count, cursor *cursors)
{
    size_t open = 0;
    for (size_t i = 0; i < count; i++) {
        const words_table *table = tables[i];
        if (table->count)
            cursors[open++] = (cursor){words_place_of(table, 0), table->entries + table->count};
    }
    return open;
}

static words_place least_place(const cursor *cursors, size_t open)
{
    words_place least = cursors[0].place;
    for (size_t i = 1; i < open; i++) {
        const words_place *place = &cursors[i].place;
        if (place->hash < least.hash ||
            (place->hash == least.hash && order_of_equal_hashes(place, &least) < 0))
            least = *place;
    }
    return least;
}

/* Takes the word at least out of every table that has it, and returns how often it occurs in all of them. */
static uint64_t take_word(cursor *cursors, size_t *open, words_place least)
{
    uint64_t count = 0;
    for (size_t i = 0; i < *open; i++) {
        cursor *c = &cursors[i];
        if (c->place.hash != least.hash || order_of_equal_hashes(&c->place, &least) != 0)
            continue;
        count += words_entry_count(c->place.entry);
        if (!cursor_next(c))
            cursors[i--] = cursors[--*open];
    }
    return count;
}

static int append(words_table *table, const words_place *place, uint64_t count)
{
    words_entry entry = *place->entry;
    uint64_t len = words_entry_len(&entry);
    if (len == WORDS_LONG) {
        rask_bytes text = words_entry_text(&place->table->arena, &entry);
        int status = words_arena_add(&table->arena, text.data, text.len, &entry.b);
        if (status)
            return status;
    }
    entry.tally = count << WORDS_LEN_BITS | len;
    table->entries[table->count++] = entry;
    return RASK_OK;
}

static int merge_into(words_table *table, cursor *cursors, size_t open)
{
    while (open > 0) {
        words_place least = least_place(cursors, open);
        int status = append(table, &least, take_word(cursors, &open, least));
        if (status)
            return status;
    }
    return RASK_OK;
}

/* An empty table with room for all entries of the others. Pages that stay unused cost nothing, and trim()
 * gives them back. */
static words_table *table_for(const words_table *const *tables, size_t count)
{
    size_t entries = 1;
    for (size_t i = 0; i < count; i++)
        entries += tables[i]->count;
    words_table *table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->key = tables[0]->key;
    table->entries = malloc(entries * sizeof *table->entries);
    if (!table->entries) {
        free(table);
        return NULL;
    }
    return table;
}

/* A smaller block that cannot be had leaves the larger one in place. */
static void trim(words_table *table)
{
    words_entry *entries = realloc(table->entries, (table->count + 1) * sizeof *entries);
    if (entries)
        table->entries = entries;
    char *data = table->arena.used ? realloc(table->arena.data, table->arena.used) : NULL;
    if (data) {
        table->arena.data = data;
        table->arena.capacity = table->arena.used;
    }
}

int words_table_merge(const words_table *const *tables, size_t count, words_table **out)
{
    if (count == 0)
        return RASK_EINVAL;
    for (size_t i = 1; i < count; i++) {
        if (tables[i]->key.seed != tables[0]->key.seed)
            return RASK_EINVAL;
    }
    cursor *cursors = malloc(count * sizeof *cursors);
    words_table *table = cursors ? table_for(tables, count) : NULL;
    int status = RASK_ENOMEM;
    if (table)
        status = merge_into(table, cursors, cursors_open(tables, count, cursors));
    free(cursors);
    if (status) {
        words_table_free(table);
        return status;
    }
    trim(table);
    *out = table;
    return RASK_OK;
}

/* qsort_r's comparison: the more frequent word first. */
static int order_by_count(const void *left, const void *right, void *arena)
{
    const words_entry *a = left, *b = right;
    uint64_t count_a = words_entry_count(a), count_b = words_entry_count(b);
    if (count_a != count_b)
        return count_a > count_b ? -1 : 1;
    return words_compare_text(words_entry_text(arena, a), words_entry_text(arena, b));
}

typedef struct selection {
    words_entry *list; /* twice as many as wanted, so that it is cut down rarely */
    size_t count, capacity, wanted;
    uint64_t least; /* words below this count are not among the wanted */
} selection;

static void selection_cut(selection *s, const words_table *table)
{
    qsort_r(s->list, s->count, sizeof *s->list, order_by_count, (void *)&table->arena);
    if (s->count < s->wanted)
        return;
    s->count = s->wanted;
    s->least = s->count ? words_entry_count(&s->list[s->count - 1]) : UINT64_MAX;
}

int words_table_top(const words_table *table, uint64_t k, words_entry **out, size_t *count)
{
    size_t wanted = k < table->count ? (size_t)k : table->count;
    selection s = {.wanted = wanted, .capacity = 2 * wanted + 1};
    s.list = malloc(s.capacity * sizeof *s.list);
    if (!s.list)
        return RASK_ENOMEM;
    for (size_t i = 0; i < table->count; i++) {
        if (words_entry_count(&table->entries[i]) < s.least)
            continue;
        s.list[s.count++] = table->entries[i];
        if (s.count == s.capacity)
            selection_cut(&s, table);
    }
    selection_cut(&s, table);
    *out = s.list;
    *count = s.count;
    return RASK_OK;
}
