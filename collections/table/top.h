/* collections/table/top: the first k rows in an order, with all their columns, while batches pass by.
 *
 * What is kept depends on the rows and their positions alone, not on batches, workers or merges. Not thread-safe. After
 * a failure it is good for rk_top_free() only. */
#ifndef RASK_COLLECTIONS_TABLE_TOP_H
#define RASK_COLLECTIONS_TABLE_TOP_H

#include "collections/table/order.h"

typedef struct rk_top rk_top;

enum { RK_TOP_MOST = 1 << 28 }; /* rows that may be kept */

/* Keeps the first k rows of batches with count columns of these types, in the order of order_count >= 1 columns. Memory
 * goes with k and is taken when rows come. RASK_ELIMIT: k is over RK_TOP_MOST; RASK_ENOMEM. */
int rk_top_new(const rask_column_type *types, uint32_t count, const rk_order *order, uint32_t order_count,
               uint64_t k, rk_top **out);
/* NULL is legal. */
void rk_top_free(rk_top *top);

/* Which of count rows of a column, the first one in the order, may be among the first k, as far as is known: they go to chosen, which
 * ascends. How many. */
uint32_t rk_top_candidates(const rk_top *top, const rk_column *column, uint32_t count, uint32_t *chosen);

/* Takes in the rows of a batch, the first one with this position in the whole input. Text is copied. wrong: of each row,
 * what it is to be an error for once it is among the first k, empty: for nothing; NULL: none is. RASK_ENOMEM. */
int rk_top_add(rk_top *top, const rk_batch *batch, uint64_t position, const rask_bytes *wrong);

/* What is kept, as bytes; and taking in such bytes, of a top with the same types, order and k. RASK_ENOMEM. */
int rk_top_pack(rk_top *top, rask_value *out);
int rk_top_merge(rk_top *top, rask_bytes packed);

size_t rk_top_bytes(const rk_top *top);

/* Nothing comes any more: puts the rows in order. Once. RASK_ENOMEM. */
int rk_top_finish(rk_top *top);

/* What the first row is an error for that is one; empty: all are good. After rk_top_finish(). */
rask_bytes rk_top_wrong(const rk_top *top);

/* The next rows, up to RK_BATCH_ROWS, into a batch of these types; no rows: there are no more. Text belongs to top. */
void rk_top_next(rk_top *top, rk_batch *batch);

#endif
