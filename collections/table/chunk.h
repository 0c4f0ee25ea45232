/* collections/table/chunk: rows as one run of bytes, so that they can go to disk, to another process and back as they are.
 *
 * Layout: a head, a description of each column, then for each column its values (8 bytes each, 1 for bool; of text rows + 1
 * ends as uint64 and the bytes), and where there are nulls a byte a row. All parts begin at multiples of 8. */
#ifndef RASK_COLLECTIONS_TABLE_CHUNK_H
#define RASK_COLLECTIONS_TABLE_CHUNK_H

#include "collections/table/column.h"
#include "core/base/array.h"

/* -- Making one */

typedef struct rk_chunk_column {
    rask_column_type type;
    bool nulls;
    rk_array values; /* of text: uint64_t ends, without the first, which is 0 */
    rk_array valid;  /* a byte a row, once there are nulls */
    rk_array bytes;
} rk_chunk_column;

typedef struct rk_chunk_builder {
    uint64_t rows;
    uint32_t count;
    rk_chunk_column *columns;
} rk_chunk_builder;

int rk_chunk_builder_init(rk_chunk_builder *b, const rask_column_type *types, uint32_t count);
void rk_chunk_builder_fini(rk_chunk_builder *b); /* legal for a zeroed one */
/* Appends those rows of columns[0 … b->count - 1] whose numbers are rows[0 … count - 1]; NULL: the first count.
 * RASK_OK; RASK_ENOMEM: it can only be ended. */
int rk_chunk_builder_add_rows(rk_chunk_builder *b, const rk_column *const *columns, const uint32_t *rows,
                              uint32_t count);
/* Bytes that it holds. */
uint64_t rk_chunk_builder_bytes(const rk_chunk_builder *b);
/* The rows as a value of bytes. */
int rk_chunk_builder_pack(const rk_chunk_builder *b, rask_value *out);

/* -- Reading one */

typedef struct rk_chunk {
    uint64_t rows;
    uint32_t count;
    const char *data;
} rk_chunk;

/* bytes were made by rk_chunk_builder_pack(). */
void rk_chunk_open(rk_chunk *chunk, rask_bytes bytes);
/* Without a name. */
rask_column rk_chunk_column_at(const rk_chunk *chunk, uint32_t index);
/* Rows first … of a column into one with memory of its own: at most RK_BATCH_ROWS of them, as many as there are: how many.
 * Text points into the chunk. */
uint32_t rk_chunk_read(const rk_chunk *chunk, uint32_t index, uint64_t first, rk_column *out);

/* Rows of chunk_count >= 1 chunks, all of one kind, as one chunk more: place i is the number of a chunk << 32 | the row in
 * it. RASK_OK, RASK_ENOMEM, as rask_value_bytes_alloc() fails. */
int rk_chunk_gather(const rk_chunk *chunks, size_t chunk_count, const uint64_t *places, uint64_t count,
                    rask_value *out);

#endif
