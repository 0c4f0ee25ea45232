/* collections/table/chunk: rows as one run of bytes, so that they can go to disk, to another process and back as they are.
 *
 * Layout: a head, a description of each column, then for each column its values (8 bytes each, 1 for bool; of text rows + 1
 * ends as uint64 and the bytes), and where there are nulls a byte a row. Text of which few are different is a dictionary (codes.h):
 * ends and bytes are those of the different ones, and a uint16 a row says which. Who makes chunks decides that by size, for each
 * column of each chunk; who reads them need not know. All parts begin at multiples of 8. */
#ifndef RASK_COLLECTIONS_TABLE_CHUNK_H
#define RASK_COLLECTIONS_TABLE_CHUNK_H

#include "collections/table/codes.h"
#include "collections/table/column.h"
#include "core/base/array.h"

typedef struct rk_chunk {
    uint64_t rows;
    uint32_t count;
    const char *data;
} rk_chunk;

/* -- Making one */

typedef struct rk_chunk_column {
    rask_column_type type;
    bool nulls;
    rk_array values; /* of text: uint64_t ends, once there are rows also the first, which is 0 */
    rk_array valid;  /* a byte a row, once there are nulls */
    rk_array bytes;
    rk_codes codes; /* of text: when there, values and bytes are those of the different ones */
} rk_chunk_column;

typedef struct rk_chunk_builder {
    uint64_t rows;
    uint32_t count;
    rk_chunk_column *columns;
} rk_chunk_builder;

int rk_chunk_builder_init(rk_chunk_builder *b, const rask_column_type *types, uint32_t count);
void rk_chunk_builder_fini(rk_chunk_builder *b); /* legal for a zeroed one */
/* Text is kept row by row from here on, whatever it is. Before any row. */
void rk_chunk_builder_plain(rk_chunk_builder *b);
/* Its rows will be divided (divide.h) into so many parts that each text would be in most of them, but for those of column key
 * (UINT32_MAX: none), by which they are divided: of the others only few texts pay. */
void rk_chunk_builder_divided(rk_chunk_builder *b, uint32_t key);
/* An array's elements are this part, of 1, of those that will come: room is made for the others, if there is memory. */
void rk_chunk_expect(rk_array *array, double part);
/* The same for the rows of a builder. */
void rk_chunk_builder_expect(rk_chunk_builder *b, double part);
/* Appends those rows of columns[0 … b->count - 1] whose numbers are rows[0 … count - 1]; NULL: the first count.
 * RASK_OK; RASK_ENOMEM: it can only be ended. */
int rk_chunk_builder_add_rows(rk_chunk_builder *b, const rk_column *const *columns, const uint32_t *rows,
                              uint32_t count);
/* The same with rows first … first + count - 1 of a chunk of such columns. */
int rk_chunk_builder_add_chunk(rk_chunk_builder *b, const rk_chunk *chunk, uint64_t first, uint64_t count);
/* The text of a column stays numbered from here on, when its rows are cleared, too, unless there come too many texts; false: it is
 * not numbered now. */
bool rk_chunk_builder_keep(rk_chunk_builder *b, uint32_t index);
/* The same column row by row from here on. RASK_OK, RASK_ENOMEM. */
int rk_chunk_builder_spell(rk_chunk_builder *b, uint32_t index);
/* Bytes that its rows take when none are numbered, which do not depend on how they came. */
uint64_t rk_chunk_builder_used(const rk_chunk_builder *b);
/* No rows are left; the memory is. */
void rk_chunk_builder_clear(rk_chunk_builder *b);
/* Bytes that it holds. */
uint64_t rk_chunk_builder_bytes(const rk_chunk_builder *b);
/* The rows as a value of bytes. */
int rk_chunk_builder_pack(const rk_chunk_builder *b, rask_value *out);

/* -- Reading one */

/* bytes were made by rk_chunk_builder_pack(). */
void rk_chunk_open(rk_chunk *chunk, rask_bytes bytes);

/* A column as it lies there, without a name. Value v of text is that of row v, or, with codes, of all rows whose code it is. */
typedef struct rk_stored {
    rask_column column;
    const uint16_t *codes; /* NULL: none */
    uint32_t texts;        /* with codes: different ones */
} rk_stored;

rk_stored rk_chunk_stored(const rk_chunk *chunk, uint32_t index);
/* A column of a builder as it is by now; valid until more is added. */
rk_stored rk_chunk_builder_stored(const rk_chunk_builder *b, uint32_t index);
/* One that is no text, or of one row. */
rask_column rk_chunk_column_at(const rk_chunk *chunk, uint32_t index);

static inline uint64_t rk_stored_value(const rk_stored *s, uint64_t row)
{
    return s->codes ? s->codes[row] : row;
}

static inline rask_bytes rk_stored_text(const rk_stored *s, uint64_t row)
{
    const uint64_t *ends = s->column.as.offsets + rk_stored_value(s, row);
    return (rask_bytes){s->column.bytes + ends[0], ends[1] - ends[0]};
}

/* Rows first … of a column into one with memory of its own: at most RK_BATCH_ROWS of them, as many as there are: how many.
 * Text points into the chunk. */
uint32_t rk_chunk_read(const rk_chunk *chunk, uint32_t index, uint64_t first, rk_column *out);

/* Rows first … first + rows - 1 of a column, in one with room for them; text points to the column's bytes. */
void rk_column_read(const rask_column *column, uint64_t first, uint32_t rows, rk_column *out);
void rk_stored_read(const rk_stored *stored, uint64_t first, uint32_t rows, rk_column *out);

/* Rows of chunk_count >= 1 chunks, all of one kind, as one chunk more: place i is the number of a chunk << 32 | the row in
 * it. RASK_OK, RASK_ENOMEM, as rask_value_bytes_alloc() fails. */
int rk_chunk_gather(const rk_chunk *chunks, size_t chunk_count, const uint64_t *places, uint64_t count,
                    rask_value *out);

#endif
