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
        bool second = b->rank != a->rank ? b->rank < a->rank : compare(context, b->item, a->item) < 0;
        *out++ = second ? *b++ : *a++;
    }
    memcpy(out, a, (size_t)(end_a - a) * sizeof *a);
    memcpy(out + (end_a - a), b, (size_t)(end_b - b) * sizeof *b);
}

void rk_sort(rk_ranked *items, rk_ranked *scratch, size_t count, rk_compare *compare, const void *context)
{
    rk_ranked *from = items, *to = scratch;
    for (size_t run = 1; run < count; run *= 2) {
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
