/* Design notes.
 *
 * The loop over a text works on strips of STRIP bytes, in three passes, each without branches that depend on
 * the text: the places where words begin and end, from bit masks; key and hash of each word, its slot asked
 * for from memory; then the slots. A strip holds at most STRIP / 2 words, and the table has room for as many
 * before a strip begins, so that the last pass neither grows it nor fails for short words.
 *
 * Slots are probed one after another from the one that the hash's top bits name, around the end. So the words
 * of a full table stand nearly in the order of their hashes, and sorting them in the end is a pass with short
 * moves. */
#include "words_counter.h"

#include "words_pages.h"
#include "words_scan.h"

#include <stdlib.h>

enum {
    STRIP = 1024,
    STRIP_WORDS = STRIP / 2,
    FIRST_SLOTS = 4 * STRIP_WORDS,
};

typedef struct found {
    uint64_t a, b, hash;
    uint64_t len; /* the word's, however long */
    const char *word;
} found;

static size_t counter_bytes(size_t slots, const words_arena *arena)
{
    return slots * sizeof(words_entry) + arena->capacity;
}

static void use_slots(words_counter *counter, words_entry *slots, size_t count)
{
    counter->slots = slots;
    counter->mask = count - 1;
    counter->shift = 64 - (unsigned)__builtin_ctzll(count);
    counter->limit = count / 8 * 5;
}

int words_counter_init(words_counter *counter, uint64_t seed, uint64_t ceiling)
{
    *counter = (words_counter){.key = words_key_of(seed), .ceiling = ceiling ? ceiling : UINT64_MAX};
    words_entry *slots = words_pages_new(FIRST_SLOTS * sizeof *slots);
    if (!slots)
        return RASK_ENOMEM;
    use_slots(counter, slots, FIRST_SLOTS);
    return RASK_OK;
}

void words_counter_fini(words_counter *counter)
{
    words_pages_free(counter->slots, (counter->mask + 1) * sizeof *counter->slots);
    free(counter->arena.data);
    counter->slots = NULL;
    counter->arena = (words_arena){0};
}

static void place(words_counter *counter, const words_entry *entry)
{
    size_t i = words_entry_hash(&counter->key, entry) >> counter->shift;
    while (counter->slots[i].tally)
        i = (i + 1) & counter->mask;
    counter->slots[i] = *entry;
}

static int grow(words_counter *counter)
{
    words_entry *old = counter->slots;
    size_t old_count = counter->mask + 1;
    if (counter_bytes(2 * old_count, &counter->arena) > counter->ceiling)
        return RASK_EBUDGET;
    words_entry *slots = words_pages_new(2 * old_count * sizeof *slots);
    if (!slots)
        return RASK_ENOMEM;
    use_slots(counter, slots, 2 * old_count);
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].tally)
            place(counter, &old[i]);
    }
    words_pages_free(old, old_count * sizeof *old);
    return RASK_OK;
}

static int make_room(words_counter *counter, size_t words)
{
    return counter->used + words <= counter->limit ? RASK_OK : grow(counter);
}

static inline void count_short(words_counter *counter, uint64_t a, uint64_t b, uint64_t hash, uint64_t len)
{
    words_entry *slots = counter->slots;
    for (size_t i = hash >> counter->shift;; i = (i + 1) & counter->mask) {
        words_entry *slot = &slots[i];
        if (((slot->a ^ a) | (slot->b ^ b) | (words_entry_len(slot) ^ len)) == 0) {
            slot->tally += 1 << WORDS_LEN_BITS;
            return;
        }
        if (!slot->tally) {
            *slot = (words_entry){a, b, 1 << WORDS_LEN_BITS | len};
            counter->used++;
            return;
        }
    }
}

static bool is_long_word(const words_counter *counter, const words_entry *slot, const char *word, size_t len,
                         uint64_t hash)
{
    if (slot->a != hash || words_entry_len(slot) != WORDS_LONG)
        return false;
    rask_bytes text = words_entry_text(&counter->arena, slot);
    return text.len == len && memcmp(text.data, word, len) == 0;
}

static int insert_long(words_counter *counter, words_entry *slot, const char *word, size_t len, uint64_t hash)
{
    uint64_t offset;
    if (counter_bytes(counter->mask + 1, &counter->arena) + len > counter->ceiling)
        return RASK_EBUDGET;
    int status = words_arena_add(&counter->arena, word, len, &offset);
    if (status)
        return status;
    *slot = (words_entry){hash, offset, 1 << WORDS_LEN_BITS | WORDS_LONG};
    counter->used++;
    return RASK_OK;
}

static int count_long(words_counter *counter, const char *word, size_t len, uint64_t hash)
{
    size_t i = hash >> counter->shift;
    while (counter->slots[i].tally && !is_long_word(counter, &counter->slots[i], word, len, hash))
        i = (i + 1) & counter->mask;
    words_entry *slot = &counter->slots[i];
    if (!slot->tally)
        return insert_long(counter, slot, word, len, hash);
    slot->tally += 1 << WORDS_LEN_BITS;
    return RASK_OK;
}

/* The bytes of a word of len in a and b, whatever follows it cut off. Reads WORDS_SHORT bytes. */
static inline void load_short(const char *word, size_t len, uint64_t *a, uint64_t *b)
{
    static const unsigned char keep[2 * WORDS_SHORT] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                        255, 255, 255, 255, 255, 255, 255, 255};
    uint64_t text[2], mask[2];
    memcpy(text, word, sizeof text);
    memcpy(mask, keep + WORDS_SHORT - len, sizeof mask);
    *a = text[0] & mask[0];
    *b = text[1] & mask[1];
}

static inline void look_up(const words_counter *counter, const char *word, size_t len, found *out)
{
    out->word = word;
    out->len = len;
    if (len <= WORDS_SHORT) {
        load_short(word, len, &out->a, &out->b);
        out->hash = words_hash_short(&counter->key, out->a, out->b, len);
    } else {
        out->hash = words_hash_long(&counter->key, word, len);
    }
    __builtin_prefetch(&counter->slots[out->hash >> counter->shift], 1);
}

/* Writes the positions of set bits behind base and returns how many. May write up to 8 more than that. */
static inline size_t write_positions(uint64_t bits, size_t base, size_t *out)
{
    size_t count = (size_t)__builtin_popcountll(bits);
    for (size_t done = 0; done < count; done += 8) {
        for (int i = 0; i < 8; i++) {
            out[done + (size_t)i] = base + (bits ? (size_t)__builtin_ctzll(bits) : 0);
            bits &= bits - 1;
        }
    }
    return count;
}

/* The positions in text[from … to) at which words begin and end, by turns; the first is an end when in_word.
 */
static size_t find_edges(const char *text, size_t from, size_t to, bool in_word, size_t *out)
{
    uint64_t before = in_word;
    size_t count = 0;
    for (; from < to; from += WORDS_CHUNK) {
        uint64_t word = ~words_space_mask(text + from);
        uint64_t edges = word ^ (word << 1 | before);
        before = word >> 63;
        if (to - from < WORDS_CHUNK)
            edges &= (UINT64_C(1) << (to - from)) - 1;
        count += write_positions(edges, from, out + count);
    }
    return count;
}

static int count_words(words_counter *counter, const char *text, const size_t *edges, size_t words)
{
    found list[STRIP_WORDS + 1];
    int status = make_room(counter, words);
    if (status)
        return status;
    for (size_t i = 0; i < words; i++)
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): find_edges() wrote 2 * words
        look_up(counter, text + edges[2 * i], edges[2 * i + 1] - edges[2 * i], &list[i]);
    for (size_t i = 0; i < words; i++) {
        const found *f = &list[i];
        if (f->len <= WORDS_SHORT)
            count_short(counter, f->a, f->b, f->hash, f->len);
        else if ((status = count_long(counter, f->word, f->len, f->hash)))
            return status;
    }
    return RASK_OK;
}

int words_counter_text(words_counter *counter, const char *text, size_t len, size_t *scanned)
{
    size_t edges[1 + STRIP + WORDS_CHUNK];
    bool in_word = *scanned > 0;
    edges[0] = 0; /* where the word that is open now begins */
    for (size_t from = *scanned; from < len; from += STRIP) {
        size_t to = len - from < STRIP ? len : from + STRIP;
        size_t count = in_word + find_edges(text, from, to, in_word, edges + in_word);
        int status = count_words(counter, text, edges, count / 2);
        if (status)
            return status;
        in_word = count % 2;
        if (in_word)
            edges[0] = edges[count - 1];
    }
    *scanned = in_word ? len - edges[0] : 0;
    return RASK_OK;
}

int words_counter_word(words_counter *counter, const char *word, size_t len)
{
    char copy[WORDS_SHORT] = {0};
    found f;
    int status = make_room(counter, 1);
    if (status)
        return status;
    if (len > WORDS_SHORT)
        return count_long(counter, word, len, words_hash_long(&counter->key, word, len));
    memcpy(copy, word, len);
    look_up(counter, copy, len, &f);
    count_short(counter, f.a, f.b, f.hash, len);
    return RASK_OK;
}

/* Whether the word in slot i got there around the end of the slots. */
static bool wrapped(const words_counter *counter, size_t i)
{
    return words_entry_hash(&counter->key, &counter->slots[i]) >> counter->shift > i;
}

/* Appends the words in slots[from … to) of which wrapped() is as said. */
static void gather(const words_counter *counter, size_t from, size_t to, bool around, words_table *table)
{
    for (size_t i = from; i < to; i++) {
        if (counter->slots[i].tally && wrapped(counter, i) == around)
            table->entries[table->count++] = counter->slots[i];
    }
}

/* Insertion sort: every entry is within a run of full slots of its place. */
static void sort_by_hash(words_table *table)
{
    for (size_t i = 1; i < table->count; i++) {
        words_entry entry = table->entries[i];
        words_place place = {table, &entry, words_entry_hash(&table->key, &entry)};
        size_t j = i;
        for (; j > 0; j--) {
            words_place before = words_place_of(table, j - 1);
            if (words_place_order(&before, &place) < 0)
                break;
            table->entries[j] = table->entries[j - 1];
        }
        table->entries[j] = entry;
    }
}

int words_counter_finish(words_counter *counter, words_table **out)
{
    words_table *table = calloc(1, sizeof *table);
    words_entry *entries = malloc((counter->used + 1) * sizeof *entries);
    if (!table || !entries) {
        free(table);
        free(entries);
        return RASK_ENOMEM;
    }
    *table = (words_table){.entries = entries, .arena = counter->arena, .key = counter->key};
    counter->arena = (words_arena){0};
    gather(counter, 0, counter->mask + 1, false, table);
    gather(counter, 0, counter->mask + 1, true, table);
    sort_by_hash(table);
    *out = table;
    return RASK_OK;
}
