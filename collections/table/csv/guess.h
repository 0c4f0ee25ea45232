/* collections/table/csv/guess: what type the values of a column have in common. */
#ifndef RASK_COLLECTIONS_TABLE_CSV_GUESS_H
#define RASK_COLLECTIONS_TABLE_CSV_GUESS_H

#include "collections/table/csv/record.h"

#include <locale.h>

/* types: bits of rask_column_type that all values so far are of, none for text alone. Guesses over different values are put together
 * by what both have in types, and either in seen. */
typedef struct rk_csv_guess {
    uint8_t types;
    bool seen; /* a value that is not null */
    bool some; /* or one that says nothing */
} rk_csv_guess;

enum {
    RK_CSV_ANY_TYPE = 1 << RASK_COL_BOOL | 1 << RASK_COL_I64 | 1 << RASK_COL_F64 | 1 << RASK_COL_DATE |
                      1 << RASK_COL_TIMESTAMP
};

/* Learns from a value that is not null; one of spaces alone says nothing. c: of the locale C. */
void rk_csv_guess_value(rk_csv_guess *guess, rk_csv_field field, locale_t c);

/* The first that is left of int64, float64, bool, date, timestamp; else text. */
rask_column_type rk_csv_guess_type(rk_csv_guess guess);

#endif
