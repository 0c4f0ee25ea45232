/* collections/table/csv/record: one record, byte by byte: what the index leaves over, and whoever looks at few. */
#ifndef RASK_COLLECTIONS_TABLE_CSV_RECORD_H
#define RASK_COLLECTIONS_TABLE_CSV_RECORD_H

#include "collections/table/csv/csv.h"

typedef struct rk_csv_text {
    const char *text;
    size_t len;
    bool last; /* the input ends behind it */
} rk_csv_text;

typedef enum rk_csv_found {
    RK_CSV_RECORD,
    RK_CSV_PART,         /* the text ends before the record does */
    RK_CSV_UNTERMINATED, /* the input ends within quotes */
    RK_CSV_BEHIND_QUOTE, /* something stands behind a quote that closes */
    RK_CSV_TOO_LONG
} rk_csv_found;

typedef struct rk_csv_record {
    size_t bytes;    /* with the end of the line */
    uint64_t fields; /* all of them */
    size_t place;    /* of the trouble */
} rk_csv_record;

/* The record that begins at from. The ends of its first most fields go to ends, counted from base. A CR before the end of
 * the line, or of the input, belongs to the last field. */
rk_csv_found rk_csv_record_read(const rk_csv_format *format, const rk_csv_text *t, size_t from, size_t base,
                                uint32_t *ends, uint64_t most, rk_csv_record *out);

/* Bytes of the lines from from on that are no records: comments, and empty ones when blanks. *part: the last of them may
 * have more bytes behind the text, and is not counted. */
size_t rk_csv_lines_skip(const rk_csv_format *format, const rk_csv_text *t, size_t from, bool blanks,
                         bool *part);

/* Bytes of the byte order mark that text, which begins a file, begins with. */
size_t rk_csv_mark(const char *text, size_t len);

/* What a field is without its quotes. */
typedef struct rk_csv_field {
    const char *data;
    size_t len;
    bool quoted;
} rk_csv_field;

/* From the bytes between separators; at_end: it is its record's last field, whose CR is dropped. */
static inline rk_csv_field rk_csv_field_of(const rk_csv_format *format, const char *data, size_t len,
                                           bool at_end)
{
    if (at_end && len && data[len - 1] == '\r')
        len--;
    if (len > 1 && format->quote && *data == format->quote)
        return (rk_csv_field){data + 1, len - 2, true};
    return (rk_csv_field){data, len, false};
}

/* Copies text with quotes doubled in it, each pair as one, to out, which has room for len; the bytes written. */
size_t rk_csv_unescape(char quote, const char *text, size_t len, char *out);

bool rk_csv_is_null(const rk_csv_format *format, const rk_csv_field *field);
/* Without the spaces around it. */
rk_csv_field rk_csv_trim(rk_csv_field field);

bool rk_csv_format_valid(const rk_csv_format *format);

/* Fills *error; its status is returned. format: the message. */
int rk_csv_fail(rk_csv_error *error, int status, uint64_t line, uint32_t column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* The same for what rk_csv_record_read() found; line: newlines before the record. */
int rk_csv_fail_record(rk_csv_error *error, rk_csv_found found, uint64_t line, const rk_csv_text *t,
                       size_t from, const rk_csv_record *record);
/* For a record of the wrong number of fields. */
int rk_csv_fail_fields(rk_csv_error *error, uint64_t line, uint64_t fields, uint32_t expected);

#endif
