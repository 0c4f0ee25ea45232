/* collections/table/column: a few thousand rows as typed columns, the way they go from the reader through filters and
 * expressions to whoever adds them up or keeps them.
 *
 * A column has one value a row, of one type; a value may be missing (null). What stands where a value is missing is 0 or
 * empty text, so that equal batches have equal bytes. Text refers to bytes that somebody else keeps for as long as the
 * batch is looked at. */
#ifndef RASK_COLLECTIONS_TABLE_COLUMN_H
#define RASK_COLLECTIONS_TABLE_COLUMN_H

#include <rask/table.h>
#include <string.h>

enum { RK_BATCH_ROWS = 4096 }; /* most rows of a batch */

typedef struct rk_column {
    rask_column_type type;
    bool nulls; /* some rows may be null: valid[] counts; else none is, and valid[] means nothing */
    union {
        void *data;
        int64_t *i64; /* I64, DATE, TIMESTAMP */
        double *f64;
        uint8_t *boolean; /* 0, 1 */
        rask_bytes *text;
    };
    uint8_t *valid; /* 1: the row has a value, 0: it is null */
} rk_column;

typedef struct rk_batch {
    uint32_t rows, count; /* count: of columns */
    rk_column *columns;
} rk_batch;

/* Bytes of a value in data. */
size_t rk_column_size(rask_column_type type);

/* Memory for RK_BATCH_ROWS rows in each of count columns of these types; no rows yet. RASK_OK, RASK_ENOMEM. */
int rk_batch_init(rk_batch *batch, const rask_column_type *types, uint32_t count);
/* Legal for a zeroed batch. */
void rk_batch_fini(rk_batch *batch);

/* The same for one column; its type is set and nulls is false. */
int rk_column_init(rk_column *column, rask_column_type type);
void rk_column_fini(rk_column *column);

static inline bool rk_column_has(const rk_column *column, uint32_t row)
{
    return !column->nulls || column->valid[row];
}

/* Text number i of those that end in ends, 0 before the first; bytes may be NULL where all are empty. */
static inline rask_bytes rk_text_at(const uint64_t *ends, const char *bytes, uint64_t i)
{
    size_t len = ends[i + 1] - ends[i];
    return (rask_bytes){len ? bytes + ends[i] : "", len};
}

/* Bytes in their order, a shorter text before those it begins; < 0, 0, > 0. */
static inline int rk_text_compare(rask_bytes a, rask_bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Keeps the rows whose number is in rows[0 … count - 1], which ascends. */
void rk_column_keep(rk_column *column, const uint32_t *rows, uint32_t count);
void rk_batch_keep(rk_batch *batch, const uint32_t *rows, uint32_t count);

#endif
