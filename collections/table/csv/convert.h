/* collections/table/csv/convert: fields of consecutive records become values of a column. */
#ifndef RASK_COLLECTIONS_TABLE_CSV_CONVERT_H
#define RASK_COLLECTIONS_TABLE_CSV_CONVERT_H

#include "collections/table/csv/record.h"

/* A column that is wanted. */
typedef struct rk_csv_wanted {
    uint32_t field; /* of the file */
    rask_column_type type;
    bool last; /* of its record */
    uint64_t
        nulls_first; /* lengths, the last bit stands for all from 63 on, of texts that mean null and would be taken
                           * for a value: look there before parsing */
} rk_csv_wanted;

/* Records one behind the other: field f of record r ends at ends[r * fields + f] of text and begins one behind the end
 * before it, the very first at ends[-1] + 1, which is 0. */
typedef struct rk_csv_run {
    const char *text;
    const uint32_t *ends;
    uint32_t fields, rows;
    bool quoted;            /* there may be quotes */
    const uint32_t *chosen; /* the rows that are meant, of which there are rows; NULL: all are */
} rk_csv_run;

static inline uint32_t rk_csv_run_row(const rk_csv_run *run, uint32_t i)
{
    return run->chosen ? run->chosen[i] : i;
}

/* The rows of run that are meant become rows first, first + 1, … of column. The number of rows done: less than run's when a value does
 * not fit, or there was no memory for it (*status). */
uint32_t rk_csv_convert(rk_csv_scanner *s, const rk_csv_wanted *wanted, const rk_csv_run *run,
                        rk_column *column, uint32_t first, int *status);

/* The bit of a length in rk_csv_wanted.nulls_first. */
static inline uint64_t rk_csv_length_bit(size_t len)
{
    return (uint64_t)1 << (len < 63 ? len : 63);
}

/* Where field f of the record that is row i among those that are meant ends. */
static inline const uint32_t *rk_csv_run_end(const rk_csv_run *run, uint32_t i, uint32_t f)
{
    return run->ends + (size_t)rk_csv_run_row(run, i) * run->fields + f;
}

/* The bytes of the field that ends there. */
static inline rask_bytes rk_csv_run_bytes(const rk_csv_run *run, const uint32_t *end)
{
    uint32_t begin = end[-1] + 1;
    return (rask_bytes){run->text + begin, *end - begin};
}

/* The bytes of field f of record r. */
static inline rask_bytes rk_csv_run_field(const rk_csv_run *run, uint32_t r, uint32_t f)
{
    return rk_csv_run_bytes(run, run->ends + (size_t)r * run->fields + f);
}

/* Whether text, which is trimmed and not empty, is a value of this type; it goes to *out, which holds any but text. */
bool rk_csv_parse(rask_column_type type, const char *data, size_t len, locale_t c, void *out);

#endif
