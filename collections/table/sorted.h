/* collections/table/sorted: the rows of chunks in an order, batch by batch, without a chunk of them all. */
#ifndef RASK_COLLECTIONS_TABLE_SORTED_H
#define RASK_COLLECTIONS_TABLE_SORTED_H

#include "collections/table/sink.h"

typedef struct rk_sorted {
    size_t count;       /* of the chunks */
    rk_stored *columns; /* wanted column i of chunk k is columns[i * count + k] */
    uint64_t rows;
    uint64_t *places; /* of all rows: number of the chunk << 32 | the row in it */
} rk_sorted;

/* The columns that a pipeline wants, in the order of plan's keys; the chunks outlive it. RASK_OK, RASK_ENOMEM. */
int rk_sorted_init(rk_sorted *sorted, const rk_table_sink_plan *plan, const rk_pipeline *p,
                   const rask_bytes *chunks, size_t count);
void rk_sorted_fini(rk_sorted *sorted); /* legal for a zeroed one */

/* Rows first … first + rows - 1 of a wanted column, in one with room for them; text points into the chunks. */
void rk_sorted_read(const rk_sorted *sorted, uint32_t wanted, uint64_t first, uint32_t rows, rk_column *out);

#endif
