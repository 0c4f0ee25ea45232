/* Columns with few different values are counted in a table of fixed size, which is emptied into the ranges when it is full.
 * Where that gathers little the values go there themselves. */
#include "collections/table/summary/summary.h"

#include "core/base/alloc.h"

#include <string.h>
#include <xxhash.h>

enum {
    LEAST_SLOTS = 64,
    MOST_SLOTS = 32768,
    PAYS = 2, /* rows for an entry of the table */
};

/* An entry of the table: free when item is 0. */
typedef struct spread_column {
    bool text, direct; /* direct: values are not counted first */
    uint32_t input;    /* column */
    const uint64_t *splitters;
    rk_ranked *table;
    size_t used;
    uint64_t rows;         /* since the table was empty */
    rk_array *lone, *many; /* by range */
    uint64_t *counts;
} spread_column;

struct rk_spread {
    uint32_t count, ranges;
    unsigned shift; /* of a hash to a slot */
    size_t slots;
    uint64_t seed; /* of hashes, so that nobody can choose texts that collide */
    spread_column *columns;
};

static void column_fini(const rk_spread *s, spread_column *c)
{
    for (uint32_t r = 0; r < s->ranges; r++) {
        if (c->lone)
            rk_array_fini(&c->lone[r]);
        if (c->many)
            rk_array_fini(&c->many[r]);
    }
    rk_free(c->lone);
    rk_free(c->many);
    rk_free(c->counts);
    rk_free(c->table);
}

void rk_spread_free(rk_spread *s)
{
    for (uint32_t i = 0; s && s->columns && i < s->count; i++)
        column_fini(s, &s->columns[i]);
    if (s)
        rk_free(s->columns);
    rk_free(s);
}

static int column_init(const rk_spread *s, spread_column *c)
{
    c->lone = rk_calloc(s->ranges, sizeof *c->lone);
    c->many = rk_calloc(s->ranges, sizeof *c->many);
    c->counts = rk_calloc(s->ranges, sizeof *c->counts);
    c->table = rk_calloc(s->slots, sizeof *c->table);
    if (!c->lone || !c->many || !c->counts || !c->table)
        return RASK_ENOMEM;
    for (uint32_t r = 0; r < s->ranges; r++) {
        c->lone[r] = (rk_array)RK_ARRAY(uint64_t, SIZE_MAX / sizeof(uint64_t));
        c->many[r] = (rk_array)RK_ARRAY(rk_ranked, SIZE_MAX / sizeof(rk_ranked));
    }
    return RASK_OK;
}

uint32_t rk_spread_slots(uint32_t columns, uint64_t bytes)
{
    uint32_t slots = MOST_SLOTS;
    while (slots > LEAST_SLOTS && slots * sizeof(rk_ranked) * columns > bytes)
        slots /= 2;
    return slots;
}

uint64_t rk_spread_bytes(const rk_table_sink_plan *plan)
{
    uint64_t ranges = (plan->splitter_count + 1) * (2 * sizeof(rk_array) + sizeof(uint64_t));
    return plan->summary->count * (ranges + plan->slots * sizeof(rk_ranked));
}

int rk_spread_new(const rk_table_sink_plan *plan, rk_spread **out)
{
    const struct rk_summary *summary = plan->summary;
    rk_spread *s = rk_calloc(1, sizeof *s);
    int status = s ? RASK_OK : RASK_ENOMEM;
    if (!s)
        return status;
    *s = (rk_spread){.count = summary->count,
                     .ranges = plan->splitter_count + 1,
                     .slots = plan->slots,
                     .seed = plan->seed};
    s->shift = 64 - (unsigned)__builtin_ctzll(s->slots);
    s->columns = rk_calloc(s->count + 1, sizeof *s->columns);
    if (!s->columns)
        status = RASK_ENOMEM;
    for (uint32_t i = 0; !status && i < s->count; i++) {
        s->columns[i].input = summary->columns[i];
        s->columns[i].text = plan->schema->types[summary->columns[i]] == RASK_COL_TEXT;
        s->columns[i].splitters = plan->splitters + (size_t)i * plan->splitter_count;
        status = column_init(s, &s->columns[i]);
    }
    if (status)
        rk_spread_free(s);
    else
        *out = s;
    return status;
}

/* -- Rows */

/* A number that is there times times; or both words of a text. */
static int put(const rk_spread *s, spread_column *c, uint64_t rank, uint64_t item)
{
    uint32_t range = rk_range_of(c->splitters, s->ranges - 1, rank);
    bool lone = !c->text && item == 1;
    void *place = rk_array_push(lone ? &c->lone[range] : &c->many[range]);
    if (!place)
        return RASK_ENOMEM;
    if (lone)
        *(uint64_t *)place = rank;
    else
        *(rk_ranked *)place = (rk_ranked){rank, item};
    c->counts[range] += c->text ? 1 : item;
    return RASK_OK;
}

/* Empties the table into the ranges. */
static int flush(const rk_spread *s, spread_column *c)
{
    int status = RASK_OK;
    for (size_t i = 0; i < s->slots && c->used && !status; i++)
        if (c->table[i].item)
            status = put(s, c, c->table[i].rank, c->table[i].item);
    c->direct = c->direct || c->rows < PAYS * c->used;
    memset(c->table, 0, s->slots * sizeof *c->table);
    c->used = 0;
    c->rows = 0;
    return status;
}

static int count_value(const rk_spread *s, spread_column *c, uint64_t rank, uint64_t item)
{
    size_t slot = (rank * UINT64_C(0x9e3779b97f4a7c15)) >> s->shift;
    while (c->table[slot].item && (c->table[slot].rank != rank || (c->text && c->table[slot].item != item)))
        slot = (slot + 1) & (s->slots - 1);
    c->rows++;
    if (!c->table[slot].item) {
        c->table[slot] = (rk_ranked){rank, item};
        return ++c->used > s->slots / 2 ? flush(s, c) : RASK_OK;
    }
    c->table[slot].item += !c->text;
    return RASK_OK;
}

static int add_value(const rk_spread *s, spread_column *c, rk_ranked value)
{
    return c->direct ? put(s, c, value.rank, value.item) : count_value(s, c, value.rank, value.item);
}

rk_ranked rk_spread_rank(const rk_column *column, uint32_t row, uint64_t seed)
{
    if (column->type != RASK_COL_TEXT)
        return (rk_ranked){rk_rank(column, row, false), 1};
    XXH128_hash_t hash = XXH3_128bits_withSeed(column->text[row].data, column->text[row].len, seed);
    return (rk_ranked){hash.high64, hash.low64 | 1}; /* 0 would be a free slot */
}

int rk_spread_add(rk_spread *s, const rk_column *const *outputs, uint32_t rows)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < s->count; i++) {
        spread_column *c = &s->columns[i];
        const rk_column *column = outputs[c->input];
        for (uint32_t row = 0; row < rows && !status; row++)
            if (rk_column_has(column, row))
                status = add_value(s, c, rk_spread_rank(column, row, s->seed));
    }
    return status;
}

/* -- Values */

static size_t range_words(const rk_spread *s, uint32_t range)
{
    size_t words = 0;
    for (uint32_t i = 0; i < s->count; i++)
        words += 2 + s->columns[i].lone[range].count + 2 * s->columns[i].many[range].count;
    return words;
}

static char *put_bytes(char *at, const void *data, size_t size)
{
    return size ? (char *)memcpy(at, data, size) + size : at;
}

/* How many entries of both kinds, then these, column by column; the arrays end. */
static int pack_range(rk_spread *s, uint32_t range, rask_value *out)
{
    char *at;
    int status = rask_value_bytes_alloc(range_words(s, range) * sizeof(uint64_t), &at, out);
    for (uint32_t i = 0; !status && i < s->count; i++) {
        rk_array *lone = &s->columns[i].lone[range], *many = &s->columns[i].many[range];
        const uint64_t counts[2] = {lone->count, many->count};
        at = put_bytes(at, counts, sizeof counts);
        at = put_bytes(at, lone->data, lone->count * sizeof(uint64_t));
        at = put_bytes(at, many->data, many->count * sizeof(rk_ranked));
        rk_array_fini(lone);
        rk_array_fini(many);
    }
    return status;
}

static int pack_counts(const rk_spread *s, rask_value *out)
{
    char *at;
    size_t size = s->ranges * sizeof(uint64_t);
    int status = rask_value_bytes_alloc(s->count * size, &at, out);
    for (uint32_t i = 0; !status && i < s->count; i++)
        at = put_bytes(at, s->columns[i].counts, size);
    return status;
}

int rk_spread_end(rk_spread *s, rask_value *values)
{
    int status = RASK_OK;
    uint32_t made = 0;
    for (uint32_t i = 0; i < s->count && !status; i++)
        status = flush(s, &s->columns[i]);
    for (; made < s->ranges && !status; made += !status)
        status = pack_range(s, made, &values[made]);
    if (!status)
        status = pack_counts(s, &values[s->ranges]);
    for (uint32_t i = 0; status && i < made; i++)
        rask_value_unref(&values[i]);
    return status;
}

rk_spread_column rk_spread_read(rask_bytes range, size_t *at)
{
    uint64_t counts[2];
    memcpy(counts, range.data + *at, sizeof counts);
    rk_spread_column c = {.lone_count = counts[0], .many_count = counts[1]};
    c.lone = (const uint64_t *)(range.data + *at + sizeof counts);
    c.many = (const rk_ranked *)(c.lone + c.lone_count);
    *at += sizeof counts + c.lone_count * sizeof *c.lone + c.many_count * sizeof *c.many;
    return c;
}
