/* Design notes.
 *
 * Strings are counted in batches, in three passes, each without branches that depend on the text: where they begin and end
 * (for words and lines from bit masks, text/spaces.h); key, hash and slot of each, which is asked for from memory; then the
 * slots. What the last pass needs of a short string is in one place, half a line of the cache. A batch holds at most BATCH
 * strings, and the table has room for as many before it begins, so that the last pass neither grows it nor fails for short
 * strings.
 *
 * Slots are probed one after another from the one that the hash's top bits name, around the end. So the strings of a full
 * table stand nearly in the order of their hashes, and sorting them in the end is a pass with short moves. */
#include "collections/counts/counter.h"

#include "collections/text/spaces.h"
#include "core/base/alloc.h"

enum {
    BATCH = 512,
    FIRST_SLOTS = 4 * BATCH,
    ONE = 1 << RK_COUNTS_MARK_BITS, /* in a tally */
};

/* A string of a batch: its entry in all but the count, or, of a long one, the hash in a and its mark; and the slot where it
 * is looked for first. */
typedef struct sought {
    uint64_t a, b, mark;
    rk_counts_entry *slot;
} sought;

/* Where strings are in a text: from edges[2 * i] to edges[2 * i + 1]. Positions are written some at a time. */
typedef size_t edge_list[2 * BATCH + RK_SPACE_CHUNK];

size_t rk_counter_bytes(const rk_counter *counter)
{
    return (counter->mask + 1) * sizeof *counter->slots + counter->arena.capacity;
}

static void use_slots(rk_counter *counter, rk_counts_entry *slots, size_t count)
{
    counter->slots = slots;
    counter->mask = count - 1;
    counter->shift = 64 - (unsigned)__builtin_ctzll(count);
    counter->limit = count / 8 * 5;
}

int rk_counter_init(rk_counter *counter, uint64_t seed, uint64_t ceiling)
{
    *counter = (rk_counter){.key = rk_counts_key_of(seed), .ceiling = ceiling ? ceiling : UINT64_MAX};
    rk_counts_entry *slots = rk_calloc(FIRST_SLOTS, sizeof *slots);
    if (!slots)
        return RASK_ENOMEM;
    use_slots(counter, slots, FIRST_SLOTS);
    return RASK_OK;
}

void rk_counter_fini(rk_counter *counter)
{
    rk_free(counter->slots);
    rk_counts_arena_fini(&counter->arena);
    counter->slots = NULL;
}

static void place(rk_counter *counter, const rk_counts_entry *entry)
{
    size_t i = rk_counts_entry_hash(&counter->key, entry) >> counter->shift;
    while (counter->slots[i].tally)
        i = (i + 1) & counter->mask;
    counter->slots[i] = *entry;
}

/* To so many slots, which are more: a power of two. */
static int grow(rk_counter *counter, size_t count)
{
    rk_counts_entry *old = counter->slots;
    size_t old_count = counter->mask + 1;
    if (rk_counter_bytes(counter) + count * sizeof *old > counter->ceiling)
        return RASK_EBUDGET;
    rk_counts_entry *slots = rk_calloc(count, sizeof *slots);
    if (!slots)
        return RASK_ENOMEM;
    use_slots(counter, slots, count);
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].tally)
            place(counter, &old[i]);
    }
    rk_free(old);
    return RASK_OK;
}

static int make_room(rk_counter *counter, size_t strings)
{
    return counter->used + strings <= counter->limit ? RASK_OK : grow(counter, 2 * (counter->mask + 1));
}

int rk_counter_reserve(rk_counter *counter, size_t strings)
{
    size_t count = counter->mask + 1;
    while (count / 8 * 5 < strings && count <= SIZE_MAX / 2 / sizeof(rk_counts_entry))
        count *= 2;
    return count > counter->mask + 1 ? grow(counter, count) : RASK_OK;
}

static inline rk_counts_entry *next_slot(const rk_counter *counter, rk_counts_entry *slot)
{
    return slot == &counter->slots[counter->mask] ? counter->slots : slot + 1;
}

/* added: to the tally, times * ONE. */
static inline void count_short(rk_counter *counter, const sought *s, uint64_t added)
{
    for (rk_counts_entry *slot = s->slot;; slot = next_slot(counter, slot)) {
        uint64_t tally = slot->tally;
        if (((slot->a ^ s->a) | (slot->b ^ s->b) | ((tally ^ s->mark) & (ONE - 1))) == 0) {
            slot->tally = tally + added;
            return;
        }
        if (!tally) {
            *slot = (rk_counts_entry){s->a, s->b, added | s->mark};
            counter->used++;
            return;
        }
    }
}

static bool is_long(const rk_counter *counter, const rk_counts_entry *slot, uint64_t hash, rask_bytes text)
{
    if (slot->a != hash || rk_counts_entry_mark(slot) != RK_COUNTS_LONG)
        return false;
    rask_bytes other = rk_counts_entry_text(&counter->arena, slot);
    return other.len == text.len && memcmp(other.data, text.data, text.len) == 0;
}

static int insert_long(rk_counter *counter, rk_counts_entry *slot, uint64_t hash, rask_bytes text,
                       uint64_t added)
{
    uint64_t offset;
    if (rk_counter_bytes(counter) + text.len > counter->ceiling)
        return RASK_EBUDGET;
    int status = rk_counts_arena_add(&counter->arena, text.data, text.len, &offset);
    if (status)
        return status;
    *slot = (rk_counts_entry){hash, offset, added | RK_COUNTS_LONG};
    counter->used++;
    return RASK_OK;
}

static int count_long(rk_counter *counter, const sought *s, rask_bytes text, uint64_t added)
{
    rk_counts_entry *slot = s->slot;
    while (slot->tally && !is_long(counter, slot, s->a, text))
        slot = next_slot(counter, slot);
    if (!slot->tally)
        return insert_long(counter, slot, s->a, text, added);
    slot->tally += added;
    return RASK_OK;
}

/* The bytes of a string of len in a and b, whatever follows it cut off. Reads RK_COUNTS_SHORT bytes. */
static inline void load_short(const char *text, size_t len, uint64_t *a, uint64_t *b)
{
    static const unsigned char keep[2 * RK_COUNTS_SHORT] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                            255, 255, 255, 255, 255, 255, 255, 255};
    uint64_t bytes[2], mask[2];
    memcpy(bytes, text, sizeof bytes);
    memcpy(mask, keep + RK_COUNTS_SHORT - len, sizeof mask);
    *a = bytes[0] & mask[0];
    *b = bytes[1] & mask[1];
}

/* A slot may lie in two lines of the cache. */
static inline void ask_for(const rk_counts_entry *slot)
{
    __builtin_prefetch(slot, 1);
    __builtin_prefetch(&slot->tally, 1);
}

static inline void look_up(const rk_counter *counter, const char *text, size_t len, sought *out)
{
    uint64_t hash;
    if (len <= RK_COUNTS_SHORT) {
        load_short(text, len, &out->a, &out->b);
        out->mark = len + 1;
        hash = rk_counts_hash_short(&counter->key, out->a, out->b, len);
    } else {
        out->a = hash = rk_counts_hash_long(&counter->key, text, len);
        out->mark = RK_COUNTS_LONG;
    }
    out->slot = &counter->slots[hash >> counter->shift];
    ask_for(out->slot);
}

static inline int count_sought(rk_counter *counter, const sought *s, const char *text, size_t len,
                               uint64_t added)
{
    if (s->mark == RK_COUNTS_LONG)
        return count_long(counter, s, (rask_bytes){text, len}, added);
    count_short(counter, s, added);
    return RASK_OK;
}

/* At most BATCH strings of text, each of them times[i] times; NULL: once. */
static int count_batch(rk_counter *counter, const char *text, const size_t *edges, const int64_t *times,
                       size_t strings)
{
    sought list[BATCH];
    int status = make_room(counter, strings);
    const rk_counter now =
        *counter; /* whose key and slots nothing below can change: they stay in registers */
    for (size_t i = 0; i < strings && !status; i++)
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): whoever finds edges writes them in pairs
        look_up(&now, text + edges[2 * i], edges[2 * i + 1] - edges[2 * i], &list[i]);
    for (size_t i = 0; i < strings && !status; i++)
        status = count_sought(counter, &list[i], text + edges[2 * i], edges[2 * i + 1] - edges[2 * i],
                              times ? (uint64_t)times[i] * ONE : ONE);
    return status;
}

int rk_counter_add(rk_counter *counter, const char *text, size_t len, uint64_t times)
{
    char copy[RK_COUNTS_SHORT] = {0};
    sought s;
    int status = make_room(counter, 1);
    if (status)
        return status;
    if (len <= RK_COUNTS_SHORT && len > 0)
        text = memcpy(copy, text, len);
    else if (len == 0)
        text = copy;
    look_up(counter, text, len, &s);
    return count_sought(counter, &s, text, len, times * ONE);
}

int rk_counter_add_all(rk_counter *counter, const char *text, uint64_t begin, const uint64_t *ends,
                       const int64_t *times, size_t count)
{
    edge_list edges;
    int status = RASK_OK;
    for (size_t done = 0; done < count && !status;) {
        size_t some = count - done < BATCH ? count - done : BATCH;
        for (size_t i = 0; i < some; i++) {
            edges[2 * i] = begin;
            edges[2 * i + 1] = begin = ends[done + i];
        }
        status = count_batch(counter, text, edges, times ? times + done : NULL, some);
        done += some;
    }
    return status;
}

int rk_counter_words(rk_counter *counter, const char *text, size_t len)
{
    enum { STRIP = 2 * BATCH - RK_SPACE_CHUNK };
    edge_list edges;
    bool in_word = false;
    int status = RASK_OK;
    edges[0] = 0; /* where the word that is open now begins */
    for (size_t from = 0; from < len && !status; from += STRIP) {
        size_t to = len - from < STRIP ? len : from + STRIP;
        size_t count = in_word + rk_word_edges(text, from, to, in_word, edges + in_word);
        if (to == len && count % 2)
            edges[count++] = len;
        status = count_batch(counter, text, edges, NULL, count / 2);
        in_word = count % 2;
        if (in_word)
            edges[0] = edges[count - 1];
    }
    return status;
}

/* The lines that end in text[from … to), the first of which begins at begin; *begin moves on to the next one. */
static size_t find_lines(const char *text, size_t from, size_t to, size_t *begin, size_t *edges)
{
    size_t ends[BATCH + RK_SPACE_CHUNK];
    size_t count = rk_newline_places(text, from, to, ends);
    for (size_t i = 0; i < count; i++) {
        // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): as in count_batch()
        size_t end = ends[i];
        edges[2 * i] = *begin;
        edges[2 * i + 1] = end - (end > *begin && text[end - 1] == '\r');
        *begin = end + 1;
    }
    return count;
}

int rk_counter_lines(rk_counter *counter, const char *text, size_t len)
{
    enum { STRIP = BATCH - RK_SPACE_CHUNK };
    edge_list edges;
    size_t begin = 0;
    int status = RASK_OK;
    for (size_t from = 0; from < len && !status; from += STRIP) {
        size_t to = len - from < STRIP ? len : from + STRIP;
        size_t count = find_lines(text, from, to, &begin, edges);
        status = count_batch(counter, text, edges, NULL, count);
    }
    if (!status && begin < len)
        status = count_batch(counter, text, (size_t[]){begin, len}, NULL, 1);
    return status;
}

/* Whether the string in slot i got there around the end of the slots. */
static bool wrapped(const rk_counter *counter, size_t i)
{
    return rk_counts_entry_hash(&counter->key, &counter->slots[i]) >> counter->shift > i;
}

/* How many slots are full from the first on: what wrapped() is among them. */
static size_t full_ones(const rk_counter *counter)
{
    size_t i = 0;
    while (counter->slots[i].tally)
        i++;
    return i;
}

/* Appends the strings in the first so many slots, all full, of which wrapped() is as said. */
static void gather_full(const rk_counter *counter, size_t count, bool around, rk_counts *table)
{
    for (size_t i = 0; i < count; i++)
        if (wrapped(counter, i) == around)
            table->entries[table->count++] = counter->slots[i];
}

/* Those in slots from one on. All slots are copied, to places that the next one takes where one was empty: which are is not to be
 * predicted. */
static void gather_rest(const rk_counter *counter, size_t from, rk_counts *table)
{
    size_t count = table->count;
    for (size_t i = from; i <= counter->mask; i++) {
        table->entries[count] = counter->slots[i];
        count += counter->slots[i].tally != 0;
    }
    table->count = count;
}

/* Puts entry i in its place among those before it, which are sorted. */
static void insert_sorted(rk_counts *table, size_t i, uint64_t hash)
{
    rk_counts_entry entry = table->entries[i];
    rk_counts_place place = {table, &entry, hash};
    for (; i > 0; i--) {
        rk_counts_place before = rk_counts_place_of(table, i - 1);
        if (rk_counts_place_order(&before, &place) < 0)
            break;
        table->entries[i] = table->entries[i - 1];
    }
    table->entries[i] = entry;
}

/* Insertion sort: every entry is within a run of full slots of its place. */
static void sort_by_hash(rk_counts *table)
{
    uint64_t last = 0; /* the highest hash so far */
    for (size_t i = 0; i < table->count; i++) {
        uint64_t hash = rk_counts_entry_hash(&table->key, &table->entries[i]);
        if (hash <= last)
            insert_sorted(table, i, hash);
        else
            last = hash;
    }
}

int rk_counter_finish(rk_counter *counter, rk_counts **out)
{
    rk_counts *table = rk_calloc(1, sizeof *table);
    rk_counts_entry *entries =
        rk_alloc_array(counter->used + 1, sizeof *entries); /* one more: gather_rest() */
    if (!table || !entries) {
        rk_free(table);
        rk_free(entries);
        return RASK_ENOMEM;
    }
    *table = (rk_counts){.entries = entries, .arena = counter->arena, .key = counter->key};
    counter->arena = (rk_counts_arena){0};
    size_t full = full_ones(counter);
    gather_full(counter, full, false, table);
    gather_rest(counter, full, table);
    gather_full(counter, full, true, table);
    sort_by_hash(table);
    *out = table;
    return RASK_OK;
}
