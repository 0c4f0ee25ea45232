/* collections/table/csv/csv: comma-separated text in memory becomes batches of typed columns (RFC 4180).
 *
 * A record ends with LF, CRLF or the end of the input. A field that begins with a quote ends with one; in it delimiters
 * and newlines are text and a doubled quote is a quote. A quote further inside a field is an ordinary character, and so
 * are NUL and bytes that are no UTF-8. Empty lines are skipped when there is more than one column; with one they are a
 * null. Spaces around everything but text are skipped.
 *
 * No call reads files or blocks. Objects belong to one thread at a time. Every text that is handed in has
 * RK_CSV_PADDING readable bytes behind its length, whose content does not matter. */
#ifndef RASK_COLLECTIONS_TABLE_CSV_CSV_H
#define RASK_COLLECTIONS_TABLE_CSV_CSV_H

#include "collections/table/column.h"
#include "core/base/array.h"

#include <locale.h>
#include <rask/value.h>

enum { RK_CSV_PADDING = 64 };

typedef struct rk_csv_format {
    char delimiter; /* , */
    char quote;     /* "; 0: none */
    char comment;   /* lines that begin with it are skipped; 0: none */
    bool header;    /* the first record has the names */
    const char *const
        *nulls; /* unquoted texts that mean null; an empty one always does, and for all types but text */
    size_t null_count; /* a quoted empty one, too */
} rk_csv_format;

/* Of a file's columns. Who fills it in by hand need not call rk_csv_schema_fini(). */
typedef struct rk_csv_schema {
    uint32_t count;
    char **names;
    rask_column_type *types;
    bool *empty; /* those that have no value, not even empty text, in what was looked at */
    bool whole;  /* that is all records of the samples, the last of which do not end within one */
} rk_csv_schema;

/* What becomes of a value that does not fit its column's type: the call fails, or the value is null. */
typedef enum rk_csv_policy { RK_CSV_FAIL, RK_CSV_NULL } rk_csv_policy;

typedef struct rk_csv_error {
    int status;
    uint64_t line;   /* newlines before the place in all the text that the scanner was given, from 0 */
    uint32_t column; /* of the file; UINT32_MAX: none */
    bool misfit;     /* a value that does not fit its type, else the text is malformed or something failed */
    char message[256];
    const char *advice; /* that may follow the message, static; NULL: none */
} rk_csv_error;

typedef struct rk_csv_scanner {
    rk_csv_format format;
    const rk_csv_schema *schema;
    rk_csv_policy policy;
    uint64_t lines;
    bool null_begins[256]; /* bytes that texts which mean null begin with */
    struct rk_csv_wanted *wanted;
    uint32_t wanted_count;
    uint32_t *
        index; /* room for capacity ends of fields behind those that are kept, and one for the end before the first */
    size_t capacity;
    size_t strip; /* bytes that are indexed at once */
    size_t kept;  /* ends of the batch's runs, when some columns are late */
    struct rk_csv_kept *runs;
    uint32_t run_count;
    uint32_t most_rows; /* of a batch */
    bool eager;         /* the caller's: late columns are not, and what does not fit in them is null */
    bool misfits;       /* of the last call: there was such a value */
    bool *late;         /* of the wanted columns; NULL: none is */
    rk_arena unescaped;
    char *room; /* of that */
    size_t room_left;
    locale_t locale;
} rk_csv_scanner;

/* For the columns wanted[], in that order, out of schema's; none is legal. format's nulls and schema stay the caller's
 * and stay there as long as the scanner. RASK_OK, RASK_ENOMEM, RASK_EINVAL (a column that is not there, no column at
 * all, delimiter, quote and comment that are the same or end lines, or the delimiter is NUL), RASK_ELIMIT (more than
 * RK_MAX_CSV_COLUMNS). */
int rk_csv_scanner_init(rk_csv_scanner *s, const rk_csv_format *format, const rk_csv_schema *schema,
                        const uint32_t *wanted, uint32_t wanted_count, rk_csv_policy policy);
/* Legal for a zeroed one. */
void rk_csv_scanner_fini(rk_csv_scanner *s);

/* Takes what stands before the first row from the beginning of a file: a byte order mark and, when the format has one,
 * the header with the lines before it that are no records, whatever names and how many it has. Unless *whole, which is always so with last, the text is too
 * short for that, and nothing is taken. *used: bytes that are taken. RASK_OK, RASK_EFORMAT, RASK_ELIMIT. */
int rk_csv_skip_head(rk_csv_scanner *s, const char *text, size_t len, bool last, bool *whole, size_t *used,
                     rk_csv_error *error);

/* Whether a record begins in text, which begins a file, behind a byte order mark and lines that are no records; last: the file ends
 * where text does. */
bool rk_csv_has_record(const rk_csv_format *format, const char *text, size_t len, bool last);

/* Whether the header in text, which rk_csv_skip_head() took from the beginning of a file, names the columns of the
 * scanner's schema in their order; text with no header at all does. first: the file that the schema is of, for messages.
 * RASK_OK, RASK_EFORMAT with the column, RASK_ELIMIT, RASK_ENOMEM. */
int rk_csv_check_head(const rk_csv_scanner *s, const char *text, size_t len, const char *first,
                      rk_csv_error *error);

/* Takes whole records from text, which begins where a record begins; at most RK_BATCH_ROWS go to batch, which
 * rk_batch_init() made for the types of wanted[]. last: the input ends behind text. *used: bytes that are taken, which
 * may be lines that are no records. When none is, there is no whole record: more text is needed (twice as much, so that
 * long records take linear time), or with last the input is over. Text in columns points into text, or into memory of
 * the scanner that lasts until its next call.
 * RASK_OK; RASK_EFORMAT: malformed, or a value that does not fit under RK_CSV_FAIL; RASK_ELIMIT: a record longer than
 * RK_MAX_CSV_RECORD; RASK_ENOMEM. Then *error tells about the first record that is wrong, batch has the rows before it
 * (none without memory), and the scanner is good for rk_csv_scanner_fini() only. */
int rk_csv_scan(rk_csv_scanner *s, const char *text, size_t len, bool last, rk_batch *batch, size_t *used,
                rk_csv_error *error);

/* Columns late[i] of the wanted ones are from now on left to rk_csv_fill(): to whoever needs them of few rows. Batches of
 * many columns get fewer rows. RASK_OK, RASK_ENOMEM. */
int rk_csv_scanner_delay(rk_csv_scanner *s, const bool *late);
/* Bytes that it takes. */
uint64_t rk_csv_late_bytes(const rk_csv_schema *schema);

/* The late columns of the batch that the last call of rk_csv_scan() filled, whose text is still there, for its rows rows[from]
 * to rows[count - 1], which ascend: they become rows from, … of these columns. RASK_OK; RASK_EFORMAT: under RK_CSV_FAIL, a
 * value that does not fit, of row *done, as rk_csv_scan() would tell of it: those before are done; RASK_ENOMEM. */
int rk_csv_fill(rk_csv_scanner *s, rk_batch *batch, const uint32_t *rows, uint32_t from, uint32_t count,
                uint32_t *done, rk_csv_error *error);

/* Only counts records, all of them, and does not look at how many fields they have. Else as rk_csv_scan(). */
int rk_csv_count(rk_csv_scanner *s, const char *text, size_t len, bool last, uint64_t *rows, size_t *used,
                 rk_csv_error *error);

/* Newlines in the text that was taken. */
uint64_t rk_csv_lines(const rk_csv_scanner *s);

/* Where the first record behind the beginning of text begins, which is any place of a file; len when it is not in text.
 * A guess from whether records have the fields and the types of schema when the place is taken to be outside of quotes,
 * inside, or where a field begins: who uses it compares it with where the record before really ends. */
size_t rk_csv_resume(const rk_csv_format *format, const rk_csv_schema *schema, const char *text, size_t len);

/* Where rows begin in text, which begins a file and with last is all of it, and has the columns of schema. RASK_OK; RASK_EFORMAT: it has
 * others, or ends before; RASK_ELIMIT; RASK_ENOMEM. */
int rk_csv_rows_begin(const rk_csv_format *format, const rk_csv_schema *schema, const char *text, size_t len,
                      bool last, size_t *begin);

/* Names and types from samples: the first begins the file, the others begin with a whole record; last: the last one
 * ends the file, else a record that a sample's end cuts is left out. Types are what all values of a column are:
 * bool (true, false, in any case), int64, float64 (and integers that int64 does not hold), date (YYYY-MM-DD), timestamp
 * (YYYY-MM-DD, T or space, HH:MM[:SS[.fraction]][Z]), else text, and text when there is no value. Names that are empty or
 * there before become column_3, name_2. out is freed with rk_csv_schema_fini().
 * RASK_OK; RASK_ENOMEM; RASK_EINVAL: format as above; RASK_EFORMAT: no record in the first sample, or a malformed one;
 * RASK_ELIMIT. A malformed record in a later sample ends that sample. */
int rk_csv_infer(const rk_csv_format *format, const rask_bytes *samples, size_t count, bool last,
                 rk_csv_schema *out, rk_csv_error *error);
/* A value that makes a column text: at least two thirds of the values in the samples are of another type, and it is the first one
 * that is not. */
typedef struct rk_csv_odd {
    rask_column_type type; /* of the others; text: there is no such value, and nothing else counts */
    size_t sample, at;     /* where its record begins */
    char text[64];         /* what it begins with: control characters and what is no UTF-8 as \x1b */
} rk_csv_odd;

/* Those of the columns of schema, which came of these samples; of columns that are not text there is none. out has room for all
 * columns. RASK_OK, RASK_ENOMEM. */
int rk_csv_find_odds(const rk_csv_format *format, const rask_bytes *samples, size_t count,
                     const rk_csv_schema *schema, rk_csv_odd *out);

/* Legal for a zeroed one. */
void rk_csv_schema_fini(rk_csv_schema *schema);

/* Which of , ; tab and | cuts the sample's first records into the same number of fields, and most of them; a comma when
 * none does. format's delimiter is not looked at. */
char rk_csv_sniff_delimiter(const rk_csv_format *format, rask_bytes sample);

#endif
