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
#include <rask/join.h>
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
    RASK_MISFIT_FAIL, /* the run fails with file, line and column, when the row is one that is wanted */
    RASK_MISFIT_NULL, /* it is null; types are those of at least two thirds of the values in samples */
    RASK_MISFIT_WIDEN, /* there is none: all files are read once at the beginning, and types are such that all values fit:
                        * int64 becomes float64 or, as the others do, string. Not for streams; where types are given
                        * values fail */
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
    const char *types; /* "amount:float64,`unit, size`:string": instead of what samples say; NULL: nothing */
    rask_misfit misfit;
    uint64_t block_bytes; /* of a file as it lies there that one task reads; 0: chosen by size and workers */
    const rask_options *run; /* how RASK_MISFIT_WIDEN reads files; NULL: as the defaults are */
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
 * as they are. All have the columns of the first: the same names in the same order, or no header at all and no_header; a
 * run fails where it reads another one, with RASK_EFORMAT. options may be NULL. RASK_ENOENT, RASK_EIO: with the path;
 * RASK_EFORMAT: with path and line, and of files whose names end as those of Arrow or Parquet do, whatever is in them;
 * RASK_EINVAL: options. */
RASK_API rask_table *rask_read_csv_files_at(rask_graph *graph, const char *const *paths, size_t count,
                                            const rask_csv_options *options, const char *file, int line);
#define rask_read_csv_files(graph, paths, count, options)                                                    \
    rask_read_csv_files_at(graph, paths, count, options, __FILE__, __LINE__)
#define rask_read_csv(graph, path, options)                                                                  \
    rask_read_csv_files_at(graph, (const char *const[]){path}, 1, options, __FILE__, __LINE__)

/* Rows of files that are all CSV, as rask_read_csv_files() reads them, or all Arrow's files and streams, as rask_read_arrow_files()
 * (rask/arrow.h) does: known by what they begin with, whatever they are called. Options are for CSV, and may be NULL. RASK_EFORMAT:
 * files of both kinds, with two names; RASK_EUNSUPPORTED: standard input that is an Arrow file. */
RASK_API rask_table *rask_read_table_files_at(rask_graph *graph, const char *const *paths, size_t count,
                                              const rask_csv_options *options, const char *file, int line);
#define rask_read_table_files(graph, paths, count, options)                                                  \
    rask_read_table_files_at(graph, paths, count, options, __FILE__, __LINE__)
#define rask_read_table(graph, path, options)                                                                \
    rask_read_table_files_at(graph, (const char *const[]){path}, 1, options, __FILE__, __LINE__)

/* -- What a table has */

RASK_API uint32_t rask_table_columns(const rask_table *table); /* 0 for NULL */
/* Of column 0 … columns - 1; NULL and RASK_COLUMN_TYPES behind them. Belongs to the table. */
RASK_API const char *rask_table_name(const rask_table *table, uint32_t column);
RASK_API rask_column_type rask_table_type(const rask_table *table, uint32_t column);
RASK_API rask_graph *rask_table_graph(const rask_table *table);

/* -- Row by row. Lists of columns are separated by commas; names that are no identifiers stand in `backticks`. */

/* These columns, in this order. "name", "name as other". RASK_EINVAL: a name that is not there. */
RASK_API rask_table *rask_table_select_at(rask_table *table, const char *columns, const char *file, int line);
/* All but these. RASK_EINVAL: a name that is not there, or nothing is left. */
RASK_API rask_table *rask_table_drop_at(rask_table *table, const char *columns, const char *file, int line);
/* With one more column, or another in its place: an expression over the columns (docs/table.md). */
RASK_API rask_table *rask_table_with_at(rask_table *table, const char *name, const char *expression,
                                        const char *file, int line);
/* The rows where a bool expression is true; null is not. */
RASK_API rask_table *rask_table_filter_at(rask_table *table, const char *expression, const char *file,
                                          int line);
/* With other names for some: "old as new, qty as n". */
RASK_API rask_table *rask_table_rename_at(rask_table *table, const char *names, const char *file, int line);
/* The rows that have a value in all of these columns; NULL: in all there are. NaN is a value. */
RASK_API rask_table *rask_table_drop_nulls_at(rask_table *table, const char *columns, const char *file,
                                              int line);
/* With an expression's value, such as 0 or "unknown" or price * 2, where these columns have none. It has to be of the
 * columns' type, or an int64 for float64, or a date written as text. columns NULL: all that it fits. */
RASK_API rask_table *rask_table_fill_nulls_at(rask_table *table, const char *columns, const char *value,
                                              const char *file, int line);
#define rask_table_select(table, columns) rask_table_select_at(table, columns, __FILE__, __LINE__)
#define rask_table_drop(table, columns)   rask_table_drop_at(table, columns, __FILE__, __LINE__)
#define rask_table_with(table, name, expression)                                                             \
    rask_table_with_at(table, name, expression, __FILE__, __LINE__)
#define rask_table_filter(table, expression)  rask_table_filter_at(table, expression, __FILE__, __LINE__)
#define rask_table_rename(table, names)       rask_table_rename_at(table, names, __FILE__, __LINE__)
#define rask_table_drop_nulls(table, columns) rask_table_drop_nulls_at(table, columns, __FILE__, __LINE__)
#define rask_table_fill_nulls(table, columns, value)                                                         \
    rask_table_fill_nulls_at(table, columns, value, __FILE__, __LINE__)

/* -- All rows together */

/* One row for each combination of values in the key columns, ordered by them: the keys, then aggregates
 * "sum(amount) as total, mean(amount * qty), count()". keys may be "": one row. */
RASK_API rask_table *rask_table_groupby_at(rask_table *table, const char *keys, const char *aggregates,
                                           const char *file, int line);
/* Ordered by columns: "amount desc, name". Equal rows keep their order; nulls come last. */
RASK_API rask_table *rask_table_sort_at(rask_table *table, const char *columns, const char *file, int line);
/* The first rows. Of a sorted table: nothing is sorted, the first ones are kept. */
RASK_API rask_table *rask_table_limit_at(rask_table *table, uint64_t rows, const char *file, int line);
/* The last rows, in their order. Of plain CSV files without conditions and joins, and as far as there are no quotes: nothing
 * before them is read but the samples, and nothing there is an error. */
RASK_API rask_table *rask_table_tail_at(rask_table *table, uint64_t rows, const char *file, int line);
/* One row for each combination of values in the columns, and how often it comes, as count (or count(), where a column is
 * called that): those that come most often first, equally frequent ones ordered by the columns. */
RASK_API rask_table *rask_table_value_counts_at(rask_table *table, const char *columns, const char *file,
                                                int line);
/* A row for each column: column, type, count (of values), nulls, distinct, mean, std, min, 25%, 50%, 75%, max. All exact;
 * mean and std are of numbers (a true is 1), quartiles of numbers and dates. From min on values are text. RASK_ELIMIT:
 * more than some 1,000 columns. */
RASK_API rask_table *rask_table_describe_at(rask_table *table, const char *file, int line);
/* A row for each of count quantiles from 0 to 1: quantile, then the columns: NULL for all numbers and dates there are. Exact,
 * between two numbers interpolated linearly, of dates the last one before; NaN when a value is. */
RASK_API rask_table *rask_table_quantiles_at(rask_table *table, const char *columns, const double *quantiles,
                                             size_t count, const char *file, int line);
#define rask_table_groupby(table, keys, aggregates)                                                          \
    rask_table_groupby_at(table, keys, aggregates, __FILE__, __LINE__)
#define rask_table_sort(table, columns) rask_table_sort_at(table, columns, __FILE__, __LINE__)
#define rask_table_limit(table, rows)   rask_table_limit_at(table, rows, __FILE__, __LINE__)
#define rask_table_tail(table, rows)    rask_table_tail_at(table, rows, __FILE__, __LINE__)
#define rask_table_describe(table)      rask_table_describe_at(table, __FILE__, __LINE__)
#define rask_table_quantiles(table, columns, quantiles, count)                                               \
    rask_table_quantiles_at(table, columns, quantiles, count, __FILE__, __LINE__)
#define rask_table_value_counts(table, columns) rask_table_value_counts_at(table, columns, __FILE__, __LINE__)

/* -- Tables together. All of one graph: RASK_EINVAL. */

typedef enum rask_join_method {
    RASK_JOIN_AUTO,        /* chosen by sizes and memory */
    RASK_JOIN_BROADCAST,   /* one table is held in memory, and the rows of the other pass by */
    RASK_JOIN_PARTITIONED, /* both are divided by the hashes of their keys, and part joins part */
} rask_join_method;

typedef struct rask_join_options {
    size_t size; /* sizeof(rask_join_options), set by RASK_JOIN_OPTIONS_INIT */
    const char
        *suffix; /* of the right table's columns that are called like one of the left's; NULL: "_right" */
    rask_join_method method; /* which never changes the result */
} rask_join_options;

#ifdef __cplusplus
static inline rask_join_options rask_join_options_init()
{
    rask_join_options options = rask_join_options();
    options.size = sizeof options;
    return options;
}
#    define RASK_JOIN_OPTIONS_INIT rask_join_options_init()
#else
#    define RASK_JOIN_OPTIONS_INIT ((rask_join_options){.size = sizeof(rask_join_options)})
#endif

/* Rows of two tables whose keys are equal: "id", or "id, day = date" where the right table calls them otherwise. int64
 * and float64 are compared as numbers; null is equal to nothing, not even to null; NaN is equal to NaN, 0.0 to -0.0.
 * The columns are those of the left table, then those of the right one without its keys, which of rows that only the right
 * one has stand in the left's place.
 * Rows come in the order of the left table, those with equal keys in the order of the right one; of a RIGHT join in the
 * right table's order, then in the left's; those that only the right table has come last in an OUTER one.
 * Both tables may be one. options may be NULL. RASK_EINVAL: columns, options; RASK_ETYPE: keys of types that do not
 * compare; RASK_EEXIST: columns that would have one name; RASK_ELIMIT: keys. */
RASK_API rask_table *rask_table_join_at(rask_table *left, rask_table *right, const char *keys,
                                        rask_join_how how, const rask_join_options *options, const char *file,
                                        int line);
#define rask_table_join(left, right, keys, how)                                                              \
    rask_table_join_at(left, right, keys, how, NULL, __FILE__, __LINE__)
#define rask_table_join_with(left, right, keys, how, options)                                                \
    rask_table_join_at(left, right, keys, how, options, __FILE__, __LINE__)

/* The rows of count >= 1 tables, one after the other. All have the columns of the first, by name, in any order; int64 here
 * and float64 there become float64. RASK_EINVAL: a column that is missing or too many; RASK_ETYPE; with the table's
 * number, from 1. */
RASK_API rask_table *rask_table_concat_at(rask_table *const *tables, size_t count, const char *file,
                                          int line);
#define rask_table_concat(tables, count) rask_table_concat_at(tables, count, __FILE__, __LINE__)

/* The first row of each combination of values in these columns ("" or NULL: all), in the order in which they come. Null is
 * a value like any other, as for groups. */
RASK_API rask_table *rask_table_distinct_at(rask_table *table, const char *columns, const char *file,
                                            int line);
#define rask_table_distinct(table, columns) rask_table_distinct_at(table, columns, __FILE__, __LINE__)

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
        const uint64_t *offsets; /* TEXT: row i is bytes[offsets[i] … offsets[i + 1] - 1] */
    } as;
    const char *bytes; /* of TEXT */
} rask_column;

/* Computes all rows of a table. options may be NULL. *out is the caller's to free; untouched on failure, which the graph
 * reports. */
RASK_API int rask_table_compute(rask_table *table, const rask_options *options, rask_rows **out);
RASK_API void rask_rows_free(rask_rows *rows); /* NULL is legal */
RASK_API uint64_t rask_rows_count(const rask_rows *rows);
RASK_API uint32_t rask_rows_columns(const rask_rows *rows);
/* RASK_EINVAL: there is no such column. RASK_ENOMEM: text of which few are different is kept as a dictionary, and laid out row by
 * row when it is first asked for. */
RASK_API int rask_rows_column(const rask_rows *rows, uint32_t index, rask_column *out);

/* -- Tables of what is in memory. Arrow's arrays: rask/arrow.h */

/* The rows once more as a table, which keeps them: rows may be freed before it is computed. */
RASK_API rask_table *rask_table_from_rows_at(rask_graph *graph, rask_rows *rows, const char *file, int line);
/* rows values in each of count columns, laid out as rask_column says. Names and the structures are copied; values are
 * borrowed, and must stay as they are until the last compute. RASK_EINVAL: no columns, two of one name, offsets that fall, bools or
 * valid that are neither 0 nor 1. */
RASK_API rask_table *rask_table_from_columns_at(rask_graph *graph, const rask_column *columns, uint32_t count,
                                                uint64_t rows, const char *file, int line);
#define rask_table_from_rows(graph, rows) rask_table_from_rows_at(graph, rows, __FILE__, __LINE__)
#define rask_table_from_columns(graph, columns, count, rows)                                                 \
    rask_table_from_columns_at(graph, columns, count, rows, __FILE__, __LINE__)

/* -- Files */

typedef enum rask_table_format {
    RASK_TABLE_BY_ENDING, /* .json, .jsonl, .ndjson; .arrow, .feather; .arrows; .npy; else CSV */
    RASK_TABLE_CSV,       /* RFC 4180 with \n; null is nothing, empty text "" */
    RASK_TABLE_JSON,      /* an object a line */
    RASK_TABLE_ARROW,     /* Arrow's file format ("ARROW1"), types as of rask_rows_arrow() */
    RASK_TABLE_ARROW_STREAM,
    RASK_TABLE_NPY,       /* NumPy's arrays of one axis; not to standard output */
    RASK_TABLE_ARROW_LZ4, /* as RASK_TABLE_ARROW, with each buffer compressed */
    RASK_TABLE_ARROW_ZSTD,
} rask_table_format;

/* Writes all rows to a file, as they are made. The file appears whole under its name, or not at all. "-": standard
 * output. options may be NULL. RASK_EIO: with the path; RASK_EUNSUPPORTED: its ending says that it is compressed, or Parquet, or the module for
 * compressed Arrow files is not there; else as the run fails. What has written when it fails is not called again, whatever options.retries.
 *
 * RASK_TABLE_NPY writes a file for each column, and path has "{column}" where its name goes; a table of one column does without.
 * Types are bool, int64, float64, datetime64[D] and datetime64[us]; null is NaN or NaT. RASK_ETYPE: a string; RASK_ERANGE: a null in
 * a column of bool or int64. */
RASK_API int rask_table_write(rask_table *table, const char *path, rask_table_format format,
                              const rask_options *options);

/* Why a column is string though most of its values in samples of the file are of another type: file, line and value of the first
 * one that is not, in buffer, cut where it has no room. The length of that; 0: there is nothing to say. table: of CSV files, or made of
 * them; nothing is said of columns that are made, or whose type was given. Looks through the samples, once for all columns, and reads the
 * file up to there. Several threads may ask at once, though none while the table's graph is built on. */
RASK_API size_t rask_table_column_note(const rask_table *table, const char *column, char *buffer,
                                       size_t capacity);

/* What will be read, with which columns, conditions and parts, what is done where all rows are needed, and the plan with its
 * memory, in words, as of rask_table_compute(). As rask_plan_explain(). */
RASK_API size_t rask_table_explain(rask_table *table, const rask_options *options, char *buffer,
                                   size_t capacity);

/* A node of the table's graph that rask_table_compute() would run, with all that is beneath: to be drawn, planned and run. Its
 * value is the rows as bytes in a form of Rask's own. NULL, latched. */
RASK_API rask_node *rask_table_node_at(rask_table *table, const rask_options *options, const char *file,
                                       int line);
#define rask_table_node(table, options) rask_table_node_at(table, options, __FILE__, __LINE__)

#ifdef __cplusplus
}
#endif

#endif
