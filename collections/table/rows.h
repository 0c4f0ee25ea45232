/* collections/table/rows: what rask_table_compute() gives: a chunk that several may hold on to. */
#ifndef RASK_COLLECTIONS_TABLE_ROWS_H
#define RASK_COLLECTIONS_TABLE_ROWS_H

#include "collections/table/chunk.h"
#include "collections/table/table.h"
#include "core/base/atomic.h"

/* Texts of rows, spelt out: ends, and behind them bytes. NULL: nobody has asked for them. */
typedef uint64_t *_Atomic rk_spelt;

struct rask_rows {
    rk_atomic_u32 refs;
    rask_value value; /* that chunk is in */
    rk_chunk chunk;
    char **names;
    rk_spelt *spelt; /* by column; of text that is in dictionaries */
    bool *empty;     /* by column: it has no value, and is string for want of another type */
};

/* Rows of a chunk with the names of schema; takes over value, also on failure. NULL: no memory. */
rask_rows *rk_rows_new(const rk_schema *schema, rask_value value);

/* One more reference, which rask_rows_free() ends. */
rask_rows *rk_rows_ref(rask_rows *rows);

#endif
