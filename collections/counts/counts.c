#include "collections/counts/counts.h"

#include "core/base/alloc.h"

#include <stdlib.h>

/* Equal hashes of different strings: rare, but then the order must not depend on the table. */
static int order_of_equal_hashes(const rk_counts_place *a, const rk_counts_place *b)
{
    return rk_counts_compare(rk_counts_entry_text(&a->table->arena, a->entry),
                             rk_counts_entry_text(&b->table->arena, b->entry));
}

int rk_counts_place_order(const rk_counts_place *a, const rk_counts_place *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return order_of_equal_hashes(a, b);
}

void rk_counts_free(rk_counts *table)
{
    if (!table)
        return;
    rk_free(table->entries);
    rk_counts_arena_fini(&table->arena);
    rk_free(table);
}

/* How far the merge has come in one table. */
typedef struct cursor {
    rk_counts_place place;
    const rk_counts_entry *end;
} cursor;

/* Steps on; false at the end of the table. */
static bool cursor_next(cursor *c)
{
    if (++c->place.entry == c->end)
        return false;
    c->place.hash = rk_counts_entry_hash(&c->place.table->key, c->place.entry);
    return true;
}

static size_t cursors_open(const rk_counts *const *tables, size_t count, cursor *cursors)
{
    size_t open = 0;
    for (size_t i = 0; i < count; i++) {
        const rk_counts *table = tables[i];
        if (table->count)
            cursors[open++] = (cursor){rk_counts_place_of(table, 0), table->entries + table->count};
    }
    return open;
}

static rk_counts_place least_place(const cursor *cursors, size_t open)
{
    rk_counts_place least = cursors[0].place;
    for (size_t i = 1; i < open; i++) {
        const rk_counts_place *place = &cursors[i].place;
        if (place->hash < least.hash ||
            (place->hash == least.hash && order_of_equal_hashes(place, &least) < 0))
            least = *place;
    }
    return least;
}

/* Takes the string at least out of every table that has it, and returns how often it occurs in all of them. */
static uint64_t take_word(cursor *cursors, size_t *open, rk_counts_place least)
{
    uint64_t count = 0;
    for (size_t i = 0; i < *open; i++) {
        cursor *c = &cursors[i];
        if (c->place.hash != least.hash || order_of_equal_hashes(&c->place, &least) != 0)
            continue;
        count += rk_counts_entry_count(c->place.entry);
        if (!cursor_next(c))
            cursors[i--] = cursors[--*open];
    }
    return count;
}

static int append(rk_counts *table, const rk_counts_place *place, uint64_t count)
{
    rk_counts_entry entry = *place->entry;
    uint64_t mark = rk_counts_entry_mark(&entry);
    if (mark == RK_COUNTS_LONG) {
        rask_bytes text = rk_counts_entry_text(&place->table->arena, &entry);
        int status = rk_counts_arena_add(&table->arena, text.data, text.len, &entry.b);
        if (status)
            return status;
    }
    entry.tally = count << RK_COUNTS_MARK_BITS | mark;
    table->entries[table->count++] = entry;
    return RASK_OK;
}

static int merge_into(rk_counts *table, cursor *cursors, size_t open)
{
    while (open > 0) {
        rk_counts_place least = least_place(cursors, open);
        int status = append(table, &least, take_word(cursors, &open, least));
        if (status)
            return status;
    }
    return RASK_OK;
}

/* An empty table with room for so many entries. Pages that stay unused cost nothing, and trim() gives them back. */
static rk_counts *new_counts(rk_counts_key key, size_t entries)
{
    rk_counts *table = rk_calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->key = key;
    table->entries = rk_alloc_array(entries + 1, sizeof *table->entries);
    if (!table->entries) {
        rk_free(table);
        return NULL;
    }
    return table;
}

static rk_counts *table_for(const rk_counts *const *tables, size_t count)
{
    size_t entries = 0;
    for (size_t i = 0; i < count; i++)
        entries += tables[i]->count;
    return new_counts(tables[0]->key, entries);
}

/* A smaller block that cannot be had leaves the larger one in place. */
static void trim(rk_counts *table)
{
    rk_counts_entry *entries = rk_realloc(table->entries, (table->count + 1) * sizeof *entries);
    if (entries)
        table->entries = entries;
}

int rk_counts_merge(const rk_counts *const *tables, size_t count, rk_counts **out)
{
    if (count == 0)
        return RASK_EINVAL;
    for (size_t i = 1; i < count; i++) {
        if (tables[i]->key.seed != tables[0]->key.seed)
            return RASK_EINVAL;
    }
    cursor *cursors = rk_alloc(count * sizeof *cursors);
    rk_counts *table = cursors ? table_for(tables, count) : NULL;
    int status = RASK_ENOMEM;
    if (table)
        status = merge_into(table, cursors, cursors_open(tables, count, cursors));
    rk_free(cursors);
    if (status) {
        rk_counts_free(table);
        return status;
    }
    trim(table);
    *out = table;
    return RASK_OK;
}

int rk_counts_order(const rk_counts_arena *a_arena, const rk_counts_entry *a, const rk_counts_arena *b_arena,
                    const rk_counts_entry *b)
{
    uint64_t count_a = rk_counts_entry_count(a), count_b = rk_counts_entry_count(b);
    if (count_a != count_b)
        return count_a > count_b ? -1 : 1;
    return rk_counts_compare(rk_counts_entry_text(a_arena, a), rk_counts_entry_text(b_arena, b));
}

/* As qsort_r wants it: the more frequent string first. */
static int order_by_count(const void *left, const void *right, void *arena)
{
    return rk_counts_order(arena, left, arena, right);
}

typedef struct selection {
    rk_counts_entry *list; /* twice as many as wanted, so that it is cut down rarely */
    size_t count, capacity, wanted;
    uint64_t least; /* strings below this count are not among the wanted */
} selection;

static void selection_cut(selection *s, const rk_counts *table)
{
    qsort_r(s->list, s->count, sizeof *s->list, order_by_count, (void *)&table->arena);
    if (s->count < s->wanted)
        return;
    s->count = s->wanted;
    s->least = s->count ? rk_counts_entry_count(&s->list[s->count - 1]) : UINT64_MAX;
}

int rk_counts_top(const rk_counts *table, uint64_t k, rk_counts_entry **out, size_t *count)
{
    size_t wanted = k < table->count ? (size_t)k : table->count;
    selection s = {.wanted = wanted, .capacity = 2 * wanted + 1};
    s.list = rk_alloc(s.capacity * sizeof *s.list);
    if (!s.list)
        return RASK_ENOMEM;
    for (size_t i = 0; i < table->count; i++) {
        if (rk_counts_entry_count(&table->entries[i]) < s.least)
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

size_t rk_counts_bytes(const rk_counts *table)
{
    return sizeof *table + (table->count + 1) * sizeof *table->entries + table->arena.capacity;
}

/* The first hash of a part. */
static uint64_t first_hash(uint32_t part, uint32_t parts)
{
    return (uint64_t)(((unsigned __int128)part << 64) / parts);
}

/* The first entry whose hash is at least this. */
static size_t lower_bound(const rk_counts *table, uint64_t hash)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rk_counts_entry_hash(&table->key, &table->entries[middle]) < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int rk_counts_cut(const rk_counts *table, uint32_t part, uint32_t parts, rk_counts **out)
{
    size_t from = lower_bound(table, first_hash(part, parts));
    size_t to = part + 1 == parts ? table->count : lower_bound(table, first_hash(part + 1, parts));
    rk_counts *cut = new_counts(table->key, to - from);
    int status = cut ? RASK_OK : RASK_ENOMEM;
    for (size_t i = from; i < to && !status; i++) {
        rk_counts_place place = {.table = table, .entry = &table->entries[i]};
        status = append(cut, &place, rk_counts_entry_count(place.entry));
    }
    if (status) {
        rk_counts_free(cut);
        return status;
    }
    trim(cut);
    *out = cut;
    return RASK_OK;
}
