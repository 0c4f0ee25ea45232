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
            o->columns[k * chunk_count + i] = rk_chunk_column_at(&chunks[i], keys[k].column);
    return o->columns ? RASK_OK : RASK_ENOMEM;
}

void rk_row_order_fini(rk_row_order *o)
{
    rk_free(o->columns);
    *o = (rk_row_order){0};
}

static bool has_value(const rask_column *c, uint64_t row)
{
    return !c->valid || c->valid[row];
}

static rask_bytes text_at(const rask_column *c, uint64_t row)
{
    return (rask_bytes){c->bytes + c->as.ends[row], c->as.ends[row + 1] - c->as.ends[row]};
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
    const rask_column *c = &o->columns[place >> 32];
    uint64_t row = place & UINT32_MAX;
    if (!has_value(c, row))
        return RK_RANK_NULL;
    return c->type == RASK_COL_TEXT ? rk_rank_text(text_at(c, row), o->keys->descending)
                                    : number_rank(c, row, o->keys->descending);
}

/* The last int64 has the rank that null has. */
bool rk_row_rank_decides(const rk_row_order *o)
{
    rask_column_type type = o->chunk_count ? o->columns->type : RASK_COL_F64;
    bool nulls = false;
    for (size_t i = 0; i < o->chunk_count; i++)
        nulls |= o->columns[i].valid != NULL;
    return o->key_count == 1 && type != RASK_COL_TEXT && (type == RASK_COL_F64 || !nulls);
}

static int compare_values(const rask_column *a, uint64_t row_a, const rask_column *b, uint64_t row_b,
                          bool descending)
{
    bool has_a = has_value(a, row_a), has_b = has_value(b, row_b);
    if (!has_a || !has_b)
        return has_b - has_a;
    if (a->type == RASK_COL_TEXT) {
        int order = rk_text_compare(text_at(a, row_a), text_at(b, row_b));
        return descending ? -order : order;
    }
    uint64_t rank_a = number_rank(a, row_a, descending), rank_b = number_rank(b, row_b, descending);
    return (rank_a > rank_b) - (rank_a < rank_b);
}

int rk_row_compare(const void *context, uint64_t a, uint64_t b)
{
    const rk_row_order *o = context;
    int order = 0;
    for (uint32_t k = 0; k < o->key_count && !order; k++) {
        const rask_column *columns = o->columns + k * o->chunk_count;
        order = compare_values(&columns[a >> 32], a & UINT32_MAX, &columns[b >> 32], b & UINT32_MAX,
                               o->keys[k].descending);
    }
    return order;
}

/* -- Sorting */

/* Equal ranks of the only key are equal values. */
static int compare_nothing(const void *context, uint64_t a, uint64_t b)
{
    (void)context;
    (void)a;
    (void)b;
    return 0;
}

/* Items of all rows, by the rank of the first key. */
static void rank_rows(const rk_row_order *order, const rk_chunk *chunks, rk_ranked *items)
{
    bool descending = order->keys[0].descending;
    for (size_t i = 0; i < order->chunk_count; i++) {
        const rask_column *c = &order->columns[i];
        bool plain = !c->valid && c->type == RASK_COL_F64;
        for (uint64_t row = 0; row < chunks[i].rows; row++, items++) {
            uint64_t place = (uint64_t)i << 32 | row;
            *items = (rk_ranked){plain ? rk_rank_f64(c->as.f64[row], descending) : rk_row_rank(order, place),
                                 place};
        }
    }
}

int rk_rows_sort(const rk_order *keys, uint32_t key_count, const rk_chunk *chunks, size_t chunk_count,
                 uint64_t rows, uint64_t **places)
{
    rk_row_order order = {0};
    rk_ranked *items = rk_alloc_array(2 * rows + 2, sizeof *items);
    uint64_t *sorted = (uint64_t *)items;
    int status = items ? rk_row_order_init(&order, keys, key_count, chunks, chunk_count) : RASK_ENOMEM;
    if (!status) {
        rank_rows(&order, chunks, items);
        rk_sort(items, items + rows, rows, rk_row_rank_decides(&order) ? compare_nothing : rk_row_compare,
                &order);
        for (uint64_t i = 0; i < rows; i++)
            sorted[i] = items[i].item;
        *places = sorted;
    } else {
        rk_free(items);
    }
    rk_row_order_fini(&order);
    return status;
}
