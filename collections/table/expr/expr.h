/* collections/table/expr: the text of a condition or of a value, such as amount * qty > 1000 and startswith(name, "A"),
 * compiled against the columns of a table and evaluated a batch at a time.
 *
 * The syntax is Python's (collections/syntax/syntax.h), names are columns. Where an operand is null the result is, but for
 *   and, or          true or null is true, false and null is false (& and | on bools are the same)
 *   x in (a, b)      null, when it is not found and the list has a null
 *   if(c, a, b)      b when c is null
 *   is_null, coalesce, fill
 * Nothing fails while it is evaluated:
 *   int64            null where 64 bits do not hold the result, and where // or % divides by 0; / gives float64;
 *                    ** gives int64 when the exponent is written as a number of 0 or more, else float64
 *   float64          as IEEE has it; // and % round down, as in Python
 *   int64, float64   together are float64, also where they are compared
 *   casts            int(), float(), bool(), date(), timestamp(): null where there is no such value; int() cuts off
 *   text             compared byte by byte; length(), substring() and find() count code points from 0, and a byte that
 *                    begins none as part of the one before; lower() and upper() know ASCII and the Latin of U+00C0 to
 *                    U+00FE; strip() takes off ASCII's space
 *   dates            compare with "2020-01-31", which has to be one; date - date is int64 days, timestamp - timestamp
 *                    int64 microseconds, both take int64 on their other side; weekday() is 0 on Mondays;
 *                    date_trunc("month", d) is where the unit begins that d is in, of d's type; date_diff("month", a, b)
 *                    how often a unit begins on the way from a to b; weeks begin on Mondays
 *   case             case(c, a, d, b, …, e): a where c is true, else b where d is, else e
 *   min, max         of a row: null where one is null, NaN where one is
 *   matches, extract patterns of PCRE2, from the module rask-pcre2, in any place of the text; extract(x, p) is the first
 *                    group, or all when there is none; null where nothing matches, or a match takes too long to find */
#ifndef RASK_COLLECTIONS_TABLE_EXPR_EXPR_H
#define RASK_COLLECTIONS_TABLE_EXPR_EXPR_H

#include "collections/syntax/lexer.h"
#include "collections/table/column.h"

/* Immutable once compiled: any number of threads evaluate one. */
typedef struct rk_expr rk_expr;

/* names, types: the columns that text may speak of; they are not needed afterwards, nor is text. A column of type RASK_COLUMN_TYPES
 * has no values: its name is written for null. The caller frees *out.
 * RASK_OK, or as in error, with the byte it is about: RASK_EFORMAT, RASK_ENOENT (a name), RASK_ETYPE, RASK_ERANGE,
 * RASK_ELIMIT (length, depth, RK_MAX_EXPR_LIVE), RASK_EUNSUPPORTED (no module), RASK_ENOMEM. */
int rk_expr_compile(const char *text, size_t len, const char *const *names, const rask_column_type *types,
                    uint32_t count, rk_expr **out, rk_syntax_error *error);

rask_column_type rk_expr_type(const rk_expr *e);
/* Null alone, which is of any type. */
bool rk_expr_is_null(const rk_expr *e);
/* What it was compiled from. */
const char *rk_expr_source(const rk_expr *e);
/* Whether the value depends on column number column. */
bool rk_expr_uses(const rk_expr *e, uint32_t column);
/* After its last run. NULL is legal. */
void rk_expr_free(rk_expr *e);

enum { RK_EXPR_MEMO_BYTES = 1 << 20 }; /* room for what runs keep that is as good as any */

/* Whether runs that have room keep something from batch to batch: what was found for texts that come again. */
bool rk_expr_keeps(const rk_expr *e);

/* What one thread needs to evaluate: its size is fixed, but for the text of a batch and what is kept. */
typedef struct rk_expr_run rk_expr_run;

/* e has to outlive it. room: bytes that this run and others of the same thread may still keep, which changes as they do; NULL: they
 * keep nothing. RASK_OK, RASK_ENOMEM. */
int rk_expr_run_new(const rk_expr *e, uint64_t *room, rk_expr_run **out);
void rk_expr_run_free(rk_expr_run *run);

/* columns[i] is the column for name i, of its type and of rows rows, at most RK_BATCH_ROWS; NULL where it is not used.
 * *out points into run, to an input column, or, for text, to a column whose text is in either; it is valid until the next
 * call and while columns are. RASK_OK, RASK_ENOMEM, or RASK_ELIMIT: text of more than RK_MAX_EXPR_TEXT bytes. */
int rk_expr_evaluate(const rk_expr *e, rk_expr_run *run, const rk_column *const *columns, uint32_t rows,
                     const rk_column **out);

/* Numbers of rows where a bool column is true, and so not null, ascending: how many. out has room for rows. */
uint32_t rk_column_true(const rk_column *column, uint32_t rows, uint32_t *out);

#endif
