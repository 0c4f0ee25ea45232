/* collections/table/summary: exact quantiles and numbers of different values of many columns at once, in bounded memory.
 *
 * Every value stands for a rank that orders as it does (order.h), of text two words of a hash. The task that reads a part
 * sends the ranks of each column to ranges, whose bounds samples gave; all columns have as many. A range is then sorted by one task, which
 * knows from counts where in the whole order it begins, and finds the quantiles that lie in it. So no task holds more than a part
 * or a range, ranges wait on disk where memory is short, and files are read once. What is computed of all rows beside that (means,
 * extremes, counts) are ordinary aggregates without keys, the facts. */
#ifndef RASK_COLLECTIONS_TABLE_SUMMARY_SUMMARY_H
#define RASK_COLLECTIONS_TABLE_SUMMARY_SUMMARY_H

#include "collections/table/lower.h"

/* What is asked of a table. */
struct rk_summary {
    uint32_t count;
    const uint32_t *columns; /* of the input */
    rask_table *
        facts; /* groups of the same input: RK_FACTS of each column, then rows; NULL: only quantiles are asked */
    const char **names; /* of the columns */
    uint32_t target_count;
    const double *targets; /* quantiles, and behind them 1: the last value */
};

/* Aggregates of a column among the facts; numbers' mean and std only of what has them. */
enum { RK_FACT_COUNT, RK_FACT_MIN, RK_FACT_MAX, RK_FACT_MEAN, RK_FACT_STD, RK_FACTS };

/* Whether a column has quantiles; and is a number for those, not a date. */
static inline bool rk_summary_orders(rask_column_type type)
{
    return type != RASK_COL_TEXT;
}

/* -- What a task that reads keeps: entries by column and range */

typedef struct rk_spread rk_spread;

/* Slots of the table that a column's values are counted in, so that those of so many columns take so many bytes. */
uint32_t rk_spread_slots(uint32_t columns, uint64_t bytes);
/* Bytes that a spread takes before there are rows. */
uint64_t rk_spread_bytes(const rk_table_sink_plan *plan);

/* plan has summary, schema, slots and splitters: splitter_count of each column, one column behind the other. RASK_OK,
 * RASK_ENOMEM. */
int rk_spread_new(const rk_table_sink_plan *plan, rk_spread **out);
void rk_spread_free(rk_spread *spread); /* NULL is legal */

/* What stands for a value that is not null: rank, and item 1 or, of text, the other word of a hash with this seed. */
rk_ranked rk_spread_rank(const rk_column *column, uint32_t row, uint64_t seed);

/* Takes rows of the outputs of plan's schema. RASK_ENOMEM. */
int rk_spread_add(rk_spread *spread, const rk_column *const *outputs, uint32_t rows);

/* What there is: a value for each range, and one more with how many values there are in each range of each column. They are the
 * caller's; on failure there are none. */
int rk_spread_end(rk_spread *spread, rask_value *values);

/* Reading a range: entries of one column after the other. */
typedef struct rk_spread_column {
    const uint64_t *lone;  /* values that came once, as often as they stand here */
    const rk_ranked *many; /* and item times; of text both words are hash */
    uint64_t lone_count, many_count;
} rk_spread_column;

/* The next column of a range, from byte *at on. */
rk_spread_column rk_spread_read(rask_bytes range, size_t *at);

/* -- Tasks */

/* The rows of a table of kind SUMMARY. RASK_OK, or latched. */
int rk_summary_lower(const rk_table_lowering *l, rask_table *table, rk_nodes *out);

#endif
