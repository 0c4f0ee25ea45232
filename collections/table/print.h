/* collections/table/print: rows as CSV (RFC 4180, with \n) and as JSON Lines.
 *
 * Numbers are written in as few digits as give them back, dates as 2024-01-31, timestamps as 2024-01-31 12:34:56.5,
 * whatever the locale. null: nothing in CSV, null in JSON; so that empty text is "" in CSV. inf and nan are null in JSON.
 * Bytes that are no UTF-8 become U+FFFD in JSON. */
#ifndef RASK_COLLECTIONS_TABLE_PRINT_H
#define RASK_COLLECTIONS_TABLE_PRINT_H

#include "collections/table/column.h"
#include "core/base/array.h"

typedef enum rk_print_format { RK_PRINT_CSV, RK_PRINT_JSON } rk_print_format;

enum { RK_NUMBER_TEXT = 40 }; /* bytes that any number or date takes at most */

/* A value that is neither null nor text, as CSV has it, without a NUL: bytes written. */
size_t rk_print_value(const rk_column *column, uint32_t row, char text[RK_NUMBER_TEXT]);

/* Appends the names as a CSV record to out (an rk_array of bytes). RASK_OK, RASK_ENOMEM. */
int rk_print_header(rk_array *out, const char *const *names, uint32_t count, char delimiter);

/* Appends rows. names: for JSON. */
int rk_print_rows(rk_array *out, rk_print_format format, const char *const *names,
                  const rk_column *const *columns, uint32_t count, uint32_t rows, char delimiter);

#endif
