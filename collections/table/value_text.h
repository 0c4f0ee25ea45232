/* collections/table/value_text: single values from text and dates in parts, for whoever has one at a time.
 *
 * Each reads the whole of text, with ASCII spaces and tabs around it, whatever the locale; false, and *out as it was, when
 * that is no such value. All calls are thread-safe and none allocates. */
#ifndef RASK_COLLECTIONS_TABLE_VALUE_TEXT_H
#define RASK_COLLECTIONS_TABLE_VALUE_TEXT_H

#include <rask/value.h>

/* Decimal digits behind + or -; false where 64 bits do not hold it. */
bool rk_text_i64(rask_bytes text, int64_t *out);
/* Decimals, correctly rounded; inf, infinity and nan in any case. */
bool rk_text_f64(rask_bytes text, double *out);
/* true or false, in any case. */
bool rk_text_bool(rask_bytes text, uint8_t *out);
/* YYYY-MM-DD as days since 1970-01-01. */
bool rk_text_date(rask_bytes text, int64_t *out);
/* YYYY-MM-DD, or YYYY-MM-DD[T ]HH:MM[:SS[.f…]][Z] with 1 to 9 digits f, as microseconds since 1970-01-01 00:00; what is
 * finer than a microsecond is left out. */
bool rk_text_timestamp(rask_bytes text, int64_t *out);

enum { RK_F64_TEXT = 32 };
/* The shortest text that reads back as the number, with a point, an exponent, inf or nan, and no NUL behind it: its
 * length. */
size_t rk_f64_text(double value, char out[RK_F64_TEXT]);

#define RK_DAY_MICROSECONDS INT64_C(86400000000)
/* Days that have a year of at most nine digits, on either side of 0. */
#define RK_MAX_DATE INT64_C(365000000000)

typedef struct rk_date {
    int64_t year;
    unsigned month, day; /* from 1 */
} rk_date;

/* Of the proleptic Gregorian calendar; days lies within RK_MAX_DATE of 0. */
rk_date rk_date_of(int64_t days);
int64_t rk_date_days(rk_date date);

#endif
