#include "collections/table/row_order.h"

#include "core/base/alloc.h"

int rk_row_order_init(rk_row_order *o, const rk_order *keys, uint32_t key_count, const rk_chunk *chunks,
                      size_t chunk_count)
{
    *o = (rk_row_order){.keys = keys,
                        .key_count = key_count,
                        .chunk_count = chunk_count,
                        .columns = rk_alloc_array(key_count * (chunk_count + 1), sizeof *o->columns)};
    for (uint32_t k = 0; o->columns && k < key_count; k++)
        for (size_t i = 0; i < chunk_count; i++)
            o->columns[k * chunk_count + i] = rk_chunk_stored(&chunks[i], keys[k].column);
    return o->columns ? RASK_OK : RASK_ENOMEM;
}

void rk_row_order_fini(rk_row_order *o)
{
    rk_free(o->columns);
    *o = (rk_row_order){0};
}

static bool has_value(const rk_stored *c, uint64_t row)
{
    return !c->column.valid || c->column.valid[row];
}

/* Of a value that is no text. */
static uint64_t number_rank(const rask_column *c, uint64_t row, bool descending)
{
    switch (c->type) {
    case RASK_COL_BOOL: return rk_rank_i64(c->as.boolean[row], descending);
    case RASK_COL_F64: return rk_rank_f64(c->as.f64[row], descending);
    default: return rk_rank_i64(c->as.i64[row], descending);
    }
}

uint64_t rk_row_rank(const rk_row_order *o, uint64_t place)
{
    const rk_stored *c = &o->columns[place >> 32];
    uint64_t row = place & UINT32_MAX;
    if (!has_value(c, row))
        return RK_RANK_NULL;
    return c->column.type == RASK_COL_TEXT ? rk_rank_text(rk_stored_text(c, row), o->keys->descending)
                                           : number_rank(&c->column, row, o->keys->descending);
}

/* The last int64 has the rank that null has. */
bool rk_row_rank_decides(const rk_row_order *o)
{
    rask_column_type type = o->chunk_count ? o->columns->column.type : RASK_COL_F64;
    bool nulls = false;
    for (size_t i = 0; i < o->chunk_count; i++)
        nulls |= o->columns[i].column.valid != NULL;
    return o->key_count == 1 && type != RASK_COL_TEXT && (type == RASK_COL_F64 || !nulls);
}

static int compare_values(const rk_stored *a, uint64_t row_a, const rk_stored *b, uint64_t row_b,
                          bool descending)
{
    bool has_a = has_value(a, row_a), has_b = has_value(b, row_b);
    if (!has_a || !has_b)
        return has_b - has_a;
    if (a->column.type == RASK_COL_TEXT) {
        int order = rk_text_compare(rk_stored_text(a, row_a), rk_stored_text(b, row_b));
        return descending ? -order : order;
    }
    uint64_t rank_a = number_rank(&a->column, row_a, descending);
    uint64_t rank_b = number_rank(&b->column, row_b, descending);
    return (rank_a > rank_b) - (rank_a < rank_b);
}

int rk_row_compare(const void *context, uint64_t a, uint64_t b)
{
    const rk_row_order *o = context;
    int order = 0;
    for (uint32_t k = 0; k < o->key_count && !order; k++) {
        const rk_stored *columns = o->columns + k * o->chunk_count;
        order = compare_values(&columns[a >> 32], a & UINT32_MAX, &columns[b >> 32], b & UINT32_MAX,
                               o->keys[k].descending);
    }
    return order;
}

/* -- Texts that are in dictionaries are ranked once each, all of them together: so ranks decide */

typedef struct text_ranks {
    const rk_row_order *order;
    uint64_t *firsts; /* of each chunk, where the ranks of its texts begin */
    uint64_t *ranks;  /* NULL: there are none */
    uint64_t count;
} text_ranks;

/* Of all chunks; 0: some chunk has no dictionary, or there are as many texts as rows. */
static uint64_t count_texts(const rk_row_order *o, const rk_chunk *chunks, uint64_t rows)
{
    uint64_t texts = 0;
    for (size_t i = 0; i < o->chunk_count; i++) {
        if (!o->columns[i].codes && chunks[i].rows)
            return 0;
        texts += o->columns[i].texts;
    }
    return texts <= rows / 2 ? texts : 0;
}

/* Places of texts are number of the chunk << 32 | the text in it. */
static rask_bytes dictionary_text(const rk_row_order *o, uint64_t place)
{
    const rask_column *c = &o->columns[place >> 32].column;
    return rk_text_at(c->as.offsets, c->bytes, place & UINT32_MAX);
}

static int compare_texts(const void *context, uint64_t a, uint64_t b)
{
    return rk_text_compare(dictionary_text(context, a), dictionary_text(context, b));
}

static void rank_texts(text_ranks *t, rk_ranked *items)
{
    const rk_row_order *o = t->order;
    bool descending = o->keys->descending;
    uint64_t n = 0, rank = 0;
    for (uint64_t i = 0; i < o->chunk_count; i++) {
        t->firsts[i] = n;
        for (uint64_t text = 0; text < o->columns[i].texts; text++, n++)
            items[n] = (rk_ranked){rk_rank_text(dictionary_text(o, i << 32 | text), false), i << 32 | text};
    }
    rk_sort(items, items + n, n, compare_texts, o);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t place = items[i].item;
        rank += i && compare_texts(o, items[i - 1].item, place) != 0;
        t->ranks[t->firsts[place >> 32] + (place & UINT32_MAX)] = descending ? n - rank : rank;
    }
}

static int init_ranks(text_ranks *t, const rk_row_order *o, const rk_chunk *chunks, uint64_t rows)
{
    *t = (text_ranks){.order = o, .count = count_texts(o, chunks, rows)};
    if (!t->count)
        return RASK_OK;
    rk_ranked *items = rk_alloc_array(2 * t->count, sizeof *items);
    t->firsts = rk_alloc_array(o->chunk_count, sizeof *t->firsts);
    t->ranks = rk_alloc_array(t->count, sizeof *t->ranks);
    int status = items && t->firsts && t->ranks ? RASK_OK : RASK_ENOMEM;
    if (!status)
        rank_texts(t, items);
    rk_free(items);
    return status;
}

static void fini_ranks(text_ranks *t)
{
    rk_free(t->firsts);
    rk_free(t->ranks);
}

/* -- Sorting: by the first key; then rows that are equal in it by the second, run by run, and so on. A row's rank in a key is so
 * looked up once, and not with every comparison. */

/* One of the keys. */
typedef struct sort_key {
    rk_row_order order; /* of this one */
    text_ranks ranks;
    bool decided;     /* equal ranks are equal */
    uint64_t at, end; /* runs that are equal in it are found in [at, end) */
} sort_key;

typedef struct sorting {
    sort_key *keys;
    uint32_t count;
    rk_ranked *items, *scratch;
} sorting;

static uint64_t rank_of(const sort_key *k, uint64_t place)
{
    const rk_stored *s = &k->order.columns[place >> 32];
    uint64_t row = place & UINT32_MAX;
    if (!k->ranks.ranks)
        return rk_row_rank(&k->order, place);
    return has_value(s, row) ? k->ranks.ranks[k->ranks.firsts[place >> 32] + s->codes[row]] : RK_RANK_NULL;
}

static int init_key(sort_key *k, const rk_row_order *all, uint32_t number, const rk_chunk *chunks,
                    uint64_t rows)
{
    k->order = (rk_row_order){.keys = all->keys + number,
                              .key_count = 1,
                              .chunk_count = all->chunk_count,
                              .columns = all->columns + number * all->chunk_count};
    int status = init_ranks(&k->ranks, &k->order, chunks, rows);
    k->decided = rk_row_rank_decides(&k->order) || k->ranks.ranks;
    return status;
}

/* Of no rows at all there may be no chunk. */
static int init_keys(sorting *s, const rk_row_order *all, const rk_chunk *chunks, uint64_t rows)
{
    s->keys = rk_calloc(all->key_count + (size_t)1, sizeof *s->keys);
    int status = s->keys ? RASK_OK : RASK_ENOMEM;
    for (; s->count < all->key_count && !status; s->count++)
        status = init_key(&s->keys[s->count], all, s->count, chunks, rows);
    return status;
}

static void fini_keys(sorting *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        fini_ranks(&s->keys[i].ranks);
    rk_free(s->keys);
}

/* Items of the rows of a chunk, by the rank of the first key. */
static void rank_chunk(const sort_key *k, uint64_t chunk, uint64_t rows, rk_ranked *items)
{
    const rask_column *c = &k->order.columns[chunk].column;
    bool descending = k->order.keys->descending, plain = !c->valid && c->type == RASK_COL_F64;
    for (uint64_t row = 0; row < rows; row++) {
        uint64_t place = chunk << 32 | row;
        items[row] = (rk_ranked){plain ? rk_rank_f64(c->as.f64[row], descending) : rank_of(k, place), place};
    }
}

/* Items that are there by this key. */
static void sort_run(const sorting *s, const sort_key *k, uint64_t from, uint64_t count)
{
    rk_sort(s->items + from, s->scratch, count, k->decided ? NULL : rk_row_compare, &k->order);
}

/* Where items that are equal to the first in a key end. */
static uint64_t run_end(const sorting *s, const sort_key *k)
{
    const rk_ranked *first = &s->items[k->at];
    uint64_t end = k->at + 1;
    while (end < k->end && s->items[end].rank == first->rank &&
           (k->decided || rk_row_compare(&k->order, first->item, s->items[end].item) == 0))
        end++;
    return end;
}

/* Items are sorted by the first key. Of each key but the last there is one range in which runs are looked for, within a run of the
 * key before. */
static void sort_runs(sorting *s, uint64_t rows)
{
    uint32_t level = 0;
    s->keys[0].at = 0;
    s->keys[0].end = rows;
    for (;;) {
        sort_key *k = &s->keys[level], *next = k + 1;
        if (k->at == k->end && !level)
            return;
        if (k->at == k->end) {
            level--;
            continue;
        }
        uint64_t from = k->at, end = run_end(s, k);
        k->at = end;
        if (end - from == 1)
            continue;
        for (uint64_t i = from; i < end; i++)
            s->items[i].rank = rank_of(next, s->items[i].item);
        sort_run(s, next, from, end - from);
        next->at = from;
        next->end = end;
        level += level + 2 < s->count;
    }
}

/* items has room for twice as many. */
static int sort_rows(const rk_row_order *order, const rk_chunk *chunks, uint64_t rows, rk_ranked *items)
{
    sorting s = {.items = items, .scratch = items + rows};
    int status = init_keys(&s, order, chunks, rows);
    if (!status && s.count) {
        rk_ranked *at = items;
        for (size_t i = 0; i < order->chunk_count; at += chunks[i++].rows)
            rank_chunk(&s.keys[0], i, chunks[i].rows, at);
        sort_run(&s, &s.keys[0], 0, rows);
        if (s.count > 1)
            sort_runs(&s, rows);
    }
    fini_keys(&s);
    return status;
}

int rk_rows_sort(const rk_order *keys, uint32_t key_count, const rk_chunk *chunks, size_t chunk_count,
                 uint64_t rows, uint64_t **places)
{
    rk_row_order order = {0};
    rk_ranked *items = rk_alloc_array(2 * rows + 2, sizeof *items);
    uint64_t *sorted = (uint64_t *)items;
    int status = items ? rk_row_order_init(&order, keys, key_count, chunks, chunk_count) : RASK_ENOMEM;
    if (!status)
        status = sort_rows(&order, chunks, rows, items);
    for (uint64_t i = 0; i < rows && !status; i++)
        sorted[i] = items[i].item;
    if (status)
        rk_free(items);
    else
        *places = sorted;
    rk_row_order_fini(&order);
    return status;
}
