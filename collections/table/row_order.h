/* collections/table/row_order: rows of several chunks, compared by some of their columns. */
#ifndef RASK_COLLECTIONS_TABLE_ROW_ORDER_H
#define RASK_COLLECTIONS_TABLE_ROW_ORDER_H

#include "collections/table/chunk.h"
#include "collections/table/order.h"

/* Places of rows are number of the chunk << 32 | the row in it. */
typedef struct rk_row_order {
    const rk_order *keys; /* whose columns are those of the chunks, unless the caller sets columns itself */
    uint32_t key_count;
    size_t chunk_count;
    rk_stored *columns; /* key k of chunk i is columns[k * chunk_count + i] */
} rk_row_order;

/* keys outlive it. RASK_OK, RASK_ENOMEM. */
int rk_row_order_init(rk_row_order *order, const rk_order *keys, uint32_t key_count, const rk_chunk *chunks,
                      size_t chunk_count);
void rk_row_order_fini(rk_row_order *order); /* legal for a zeroed one */

/* The rank of a row's first key (order.h). */
uint64_t rk_row_rank(const rk_row_order *order, uint64_t place);

/* Whether rows of equal ranks are equal. */
bool rk_row_rank_decides(const rk_row_order *order);

/* An rk_compare of places, whose context is an rk_row_order. */
int rk_row_compare(const void *context, uint64_t a, uint64_t b);

/* The places of all rows of chunks, rows of them, in order; equal ones as they stand. *places is to be ended with
 * rk_free(). RASK_OK, RASK_ENOMEM. */
int rk_rows_sort(const rk_order *keys, uint32_t key_count, const rk_chunk *chunks, size_t chunk_count,
                 uint64_t rows, uint64_t **places);

#endif
