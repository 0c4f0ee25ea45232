#include "collections/table/order.h"

#include <string.h>

uint64_t rk_rank_text(rask_bytes text, bool descending)
{
    uint64_t rank = 0;
    if (text.len >= 8) {
        memcpy(&rank, text.data, sizeof rank);
        rank = __builtin_bswap64(rank);
    } else {
        for (size_t i = 0; i < text.len; i++)
            rank |= (uint64_t)(unsigned char)text.data[i] << (56 - 8 * i);
    }
    return descending ? ~rank : rank;
}

uint64_t rk_rank(const rk_column *column, uint32_t row, bool descending)
{
    if (!rk_column_has(column, row))
        return RK_RANK_NULL;
    switch (column->type) {
    case RASK_COL_BOOL: return rk_rank_i64(column->boolean[row], descending);
    case RASK_COL_F64: return rk_rank_f64(column->f64[row], descending);
    case RASK_COL_TEXT: return rk_rank_text(column->text[row], descending);
    default: return rk_rank_i64(column->i64[row], descending);
    }
}

int rk_column_compare(const rk_column *a, uint32_t row_a, const rk_column *b, uint32_t row_b, bool descending)
{
    bool has_a = rk_column_has(a, row_a), has_b = rk_column_has(b, row_b);
    if (!has_a || !has_b)
        return has_b - has_a;
    uint64_t rank_a = rk_rank(a, row_a, descending), rank_b = rk_rank(b, row_b, descending);
    if (rank_a != rank_b)
        return rank_a < rank_b ? -1 : 1;
    if (a->type != RASK_COL_TEXT)
        return 0;
    int order = rk_text_compare(a->text[row_a], b->text[row_b]);
    return descending ? -order : order;
}

/* Merges two sorted runs that lie one behind the other. */
static void merge(const rk_ranked *a, size_t na, const rk_ranked *b, size_t nb, rk_ranked *out,
                  rk_compare *compare, const void *context)
{
    const rk_ranked *end_a = a + na, *end_b = b + nb;
    while (a < end_a && b < end_b) {
        bool second =
            b->rank != a->rank ? b->rank < a->rank : compare && compare(context, b->item, a->item) < 0;
        *out++ = second ? *b++ : *a++;
    }
    memcpy(out, a, (size_t)(end_a - a) * sizeof *a);
    memcpy(out + (end_a - a), b, (size_t)(end_b - b) * sizeof *b);
}

enum { SHORT = 12, BUCKET_BITS = 11, BUCKETS = 1 << BUCKET_BITS, FEW = 256 };

static bool comes_before(const rk_ranked *a, const rk_ranked *b, rk_compare *compare, const void *context)
{
    return a->rank != b->rank ? a->rank < b->rank : compare && compare(context, a->item, b->item) < 0;
}

static void insert(rk_ranked *items, size_t count, rk_compare *compare, const void *context)
{
    for (size_t i = 1; i < count; i++) {
        rk_ranked item = items[i];
        size_t at = i;
        for (; at && comes_before(&item, &items[at - 1], compare, context); at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

static void sort_by_merging(rk_ranked *items, rk_ranked *scratch, size_t count, rk_compare *compare,
                            const void *context)
{
    rk_ranked *from = items, *to = scratch;
    for (size_t at = 0; at < count; at += SHORT)
        insert(items + at, count - at < SHORT ? count - at : SHORT, compare, context);
    for (size_t run = SHORT; run < count; run *= 2) {
        for (size_t at = 0; at < count; at += 2 * run) {
            size_t na = run < count - at ? run : count - at, left = count - at - na;
            merge(from + at, na, from + at + na, left < run ? left : run, to + at, compare, context);
        }
        rk_ranked *swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, count * sizeof *items);
}

/* Distance of a rank from the least, less the lowest bits, so that it is the number of a bucket. */
typedef struct buckets {
    uint64_t least;
    unsigned shift;
    size_t ends[BUCKETS + 1];
} buckets;

/* False: all ranks but those of nulls and NaN are equal, or there are none. */
static bool choose_buckets(buckets *b, const rk_ranked *items, size_t count)
{
    uint64_t most = 0;
    b->least = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        uint64_t rank = items[i].rank;
        b->least = rank < b->least ? rank : b->least;
        most = rank < RK_RANK_NAN && rank > most ? rank : most;
    }
    if (most <= b->least)
        return false;
    unsigned bits = 64 - (unsigned)__builtin_clzll(most - b->least);
    b->shift = bits > BUCKET_BITS ? bits - BUCKET_BITS : 0;
    return true;
}

static size_t bucket_of(const buckets *b, uint64_t rank)
{
    uint64_t number = (rank - b->least) >> b->shift;
    return number < BUCKETS - 1 ? (size_t)number : BUCKETS - 1;
}

/* The first of the buckets whose items may have different ranks, or equal ones that are not equal. */
static size_t first_mixed(const buckets *b, rk_compare *compare)
{
    return compare || b->shift ? 0 : BUCKETS - 1; /* in the last one are nulls, too */
}

/* False: nothing was done, since ranks do not tell buckets apart. */
static bool sort_by_buckets(rk_ranked *items, rk_ranked *scratch, size_t count, rk_compare *compare,
                            const void *context)
{
    buckets b = {0};
    if (!choose_buckets(&b, items, count))
        return false;
    size_t mixed = first_mixed(&b, compare);
    for (size_t i = 0; i < count; i++)
        b.ends[bucket_of(&b, items[i].rank) + 1]++;
    for (size_t i = 1; i <= BUCKETS; i++)
        b.ends[i] += b.ends[i - 1];
    for (size_t i = 0; i < count; i++) /* ends[k] is where bucket k begins, and then where it ends */
        scratch[b.ends[bucket_of(&b, items[i].rank)]++] = items[i];
    for (size_t i = mixed, from = mixed ? b.ends[mixed - 1] : 0; i < BUCKETS; from = b.ends[i++])
        sort_by_merging(scratch + from, items + from, b.ends[i] - from, compare, context);
    memcpy(items, scratch, count * sizeof *items);
    return true;
}

void rk_sort(rk_ranked *items, rk_ranked *scratch, size_t count, rk_compare *compare, const void *context)
{
    if (count < FEW || !sort_by_buckets(items, scratch, count, compare, context))
        sort_by_merging(items, scratch, count, compare, context);
}
