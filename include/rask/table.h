/* rask/table.h: typed columns, larger than memory.
 *
 * A rask_table is an expression: builders check names and types at once and read no more than samples of a file; rows are
 * read when something is computed or written, chunk by chunk, inside the memory budget, and only those columns that the
 * result needs. Tables belong to their graph. Builders take NULL tables and return NULL; their errors are latched in the
 * graph, with the byte of an expression that they are about.
 *
 * Rows keep the order of the files wherever an operation keeps rows. Results have the same bytes on every scheduler, with any
 * number of workers and blocks of any size: sums of floating-point numbers do not depend on the order of addition. */
#ifndef RASK_TABLE_H
#define RASK_TABLE_H

#include <rask/graph.h>
#include <rask/options.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Enumerator and name of the types of columns. */
#define RASK_COLUMN_TYPE_TABLE(X)                                                                            \
    X(BOOL, "bool")                                                                                          \
    X(I64, "int64")                                                                                          \
    X(F64, "float64")                                                                                        \
    X(DATE, "date")           /* days since 1970-01-01, as int64 */                                          \
    X(TIMESTAMP, "timestamp") /* microseconds since 1970-01-01 00:00 UTC, as int64 */                        \
    X(TEXT, "string")         /* bytes, UTF-8 by convention */

typedef enum rask_column_type {
#define RASK_COLUMN_ENUM(name, text) RASK_COL_##name,
    RASK_COLUMN_TYPE_TABLE(RASK_COLUMN_ENUM)
#undef RASK_COLUMN_ENUM
        RASK_COLUMN_TYPES
} rask_column_type;

/* "int64", …; "?" for a number that is no type. Static. */
RASK_API const char *rask_column_type_name(rask_column_type type);

typedef struct rask_table rask_table;

/* -- Reading */

/* What becomes of a value that does not fit its column's type. */
typedef enum rask_misfit {
    RASK_MISFIT_FAIL, /* the run fails with file, line and column */
    RASK_MISFIT_NULL, /* it is null */
} rask_misfit;

typedef struct rask_csv_options {
    size_t size;    /* sizeof(rask_csv_options), set by RASK_CSV_OPTIONS_INIT */
    char delimiter; /* 0: the one that the first lines suggest */
    char quote;     /* 0: '"' */
    char comment;   /* lines that begin with it are left out; 0: none */
    bool no_quotes; /* quotes are bytes as others */
    bool no_header; /* the first record is data; columns are called column_1, column_2, … */
    const char *const *
        nulls; /* texts that mean null, beside nothing at all; NULL: "NA", "N/A", "NULL", "null", "NaN", "nan" */
    size_t null_count;
    const char *types; /* "amount:float64,name:string": instead of what samples say; NULL: nothing */
    rask_misfit misfit;
    uint64_t block_bytes; /* of a file that one task reads; 0: chosen by size and workers */
} rask_csv_options;

#ifdef __cplusplus
static inline rask_csv_options rask_csv_options_init()
{
    rask_csv_options options = rask_csv_options();
    options.size = sizeof options;
    return options;
}
#    define RASK_CSV_OPTIONS_INIT rask_csv_options_init()
#else
#    define RASK_CSV_OPTIONS_INIT ((rask_csv_options){.size = sizeof(rask_csv_options)})
#endif

/* Records of one or more files, in order: paths, patterns as of glob(7), folders, "-" for standard input; compressed ones
 * as they are. All have the columns of the first, by position. options may be NULL. RASK_ENOENT, RASK_EIO: with the
 * path; RASK_EFORMAT: with path and line; RASK_EINVAL: options. */
RASK_API rask_table *rask_read_csv_files_at(rask_graph *graph, const char *const *paths, size_t count,
                                            const rask_csv_options *options, const char *file, int line);
#define rask_read_csv_files(graph, paths, count, options)                                                    \
    rask_read_csv_files_at(graph, paths, count, options, __FILE__, __LINE__)
#define rask_read_csv(graph, path, options)                                                                  \
    rask_read_csv_files_at(graph, (const char *const[]){path}, 1, options, __FILE__, __LINE__)

/* -- What a table has */

RASK_API uint32_t rask_table_columns(const rask_table *table); /* 0 for NULL */
/* Of column 0 … columns - 1; NULL and RASK_COLUMN_TYPES behind them. Belongs to the table. */
RASK_API const char *rask_table_name(const rask_table *table, uint32_t column);
RASK_API rask_column_type rask_table_type(const rask_table *table, uint32_t column);
RASK_API rask_graph *rask_table_graph(const rask_table *table);

/* -- Row by row. Lists of columns are separated by commas; names that are no identifiers stand in `backticks`. */

/* These columns, in this order. "name", "name as other". RASK_EINVAL: a name that is not there. */
RASK_API rask_table *rask_table_select_at(rask_table *table, const char *columns, const char *file, int line);
/* All but these. */
RASK_API rask_table *rask_table_drop_at(rask_table *table, const char *columns, const char *file, int line);
/* With one more column, or another in its place: an expression over the columns (docs/table.md). */
RASK_API rask_table *rask_table_with_at(rask_table *table, const char *name, const char *expression,
                                        const char *file, int line);
/* The rows where a bool expression is true; null is not. */
RASK_API rask_table *rask_table_filter_at(rask_table *table, const char *expression, const char *file,
                                          int line);
#define rask_table_select(table, columns) rask_table_select_at(table, columns, __FILE__, __LINE__)
#define rask_table_drop(table, columns)   rask_table_drop_at(table, columns, __FILE__, __LINE__)
#define rask_table_with(table, name, expression)                                                             \
    rask_table_with_at(table, name, expression, __FILE__, __LINE__)
#define rask_table_filter(table, expression) rask_table_filter_at(table, expression, __FILE__, __LINE__)

/* -- All rows together */

/* One row for each combination of values in the key columns, ordered by them: the keys, then aggregates
 * "sum(amount) as total, mean(amount * qty), count()". keys may be "": one row. */
RASK_API rask_table *rask_table_groupby_at(rask_table *table, const char *keys, const char *aggregates,
                                           const char *file, int line);
/* Ordered by columns: "amount desc, name". Equal rows keep their order; nulls come last. */
RASK_API rask_table *rask_table_sort_at(rask_table *table, const char *columns, const char *file, int line);
/* The first rows. Of a sorted table: nothing is sorted, the first ones are kept. */
RASK_API rask_table *rask_table_limit_at(rask_table *table, uint64_t rows, const char *file, int line);
#define rask_table_groupby(table, keys, aggregates)                                                          \
    rask_table_groupby_at(table, keys, aggregates, __FILE__, __LINE__)
#define rask_table_sort(table, columns) rask_table_sort_at(table, columns, __FILE__, __LINE__)
#define rask_table_limit(table, rows)   rask_table_limit_at(table, rows, __FILE__, __LINE__)

/* -- Results */

/* Rows in memory: immutable, any number of threads may read them. */
typedef struct rask_rows rask_rows;

/* One column of them. What it points to belongs to the rows. */
typedef struct rask_column {
    const char *name;
    rask_column_type type;
    const uint8_t *valid; /* 1 where there is a value, 0 where it is null; NULL: no nulls */
    union {
        const uint8_t *boolean;
        const int64_t *i64; /* I64, DATE, TIMESTAMP */
        const double *f64;
        const uint64_t *ends; /* TEXT: row i is bytes[ends[i] … ends[i + 1] - 1] */
    } as;
    const char *bytes; /* of TEXT */
} rask_column;

/* Computes all rows of a table. options may be NULL. *out is the caller's to free; untouched on failure, which the graph
 * reports. */
RASK_API int rask_table_compute(rask_table *table, const rask_options *options, rask_rows **out);
RASK_API void rask_rows_free(rask_rows *rows); /* NULL is legal */
RASK_API uint64_t rask_rows_count(const rask_rows *rows);
RASK_API uint32_t rask_rows_columns(const rask_rows *rows);
/* RASK_EINVAL: there is no such column. */
RASK_API int rask_rows_column(const rask_rows *rows, uint32_t index, rask_column *out);

typedef enum rask_table_format {
    RASK_TABLE_BY_ENDING, /* .json, .jsonl, .ndjson: JSON; else CSV */
    RASK_TABLE_CSV,       /* RFC 4180 with \n; null is nothing, empty text "" */
    RASK_TABLE_JSON,      /* an object a line */
} rask_table_format;

/* Writes all rows to a file, as they are made. The file appears whole under its name, or not at all. "-": standard
 * output. options may be NULL. RASK_EIO: with the path; else as the run fails. */
RASK_API int rask_table_write(rask_table *table, const char *path, rask_table_format format,
                              const rask_options *options);

#ifdef __cplusplus
}
#endif

#endif
