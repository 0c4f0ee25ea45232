/* rask/arrow.h: tables from and to other libraries by the Arrow C Data Interface: pyarrow, pandas, Polars, DuckDB, R and others
 * give and take such structures, in one process, without writing anything down.
 *
 * https://arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html have the structures, which are defined here
 * under the guards that they ask for. */
#ifndef RASK_ARROW_H
#define RASK_ARROW_H

#include <rask/table.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#    define ARROW_C_DATA_INTERFACE

#    define ARROW_FLAG_DICTIONARY_ORDERED 1
#    define ARROW_FLAG_NULLABLE           2
#    define ARROW_FLAG_MAP_KEYS_SORTED    4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif

#ifndef ARROW_C_STREAM_INTERFACE
#    define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};
#endif

/* Computed rows as a struct array with a child for each column. int64 ("l"), float64 ("g"), timestamp ("tsu:") and string ("U")
 * are the rows' own memory; bool ("b"), date ("tdD"), what says where nulls are, and text that is not UTF-8 (whose wrong bytes
 * become U+FFFD) are made anew. Text that the rows keep as a dictionary, since few are different, is one: int32 indices ("i"), made
 * anew, into strings. A column that is null alone, whose expression has no type or in whose files there is no value, is of type null
 * ("n"). The structures hold on to the rows, which may be freed before them; both are the caller's to
 * release. RASK_EINVAL: rows is NULL; RASK_ENOMEM; RASK_ERANGE: a date that 32 bits do not hold. On failure neither is set. */
RASK_API int rask_rows_arrow(rask_rows *rows, struct ArrowSchema *schema, struct ArrowArray *array);

/* The same as a stream of one array, for those who take streams. RASK_EINVAL: one is NULL; else as above. */
RASK_API int rask_rows_arrow_stream(rask_rows *rows, struct ArrowArrayStream *stream);

/* A table over the rows of a struct array. Both structures are moved in any case: they are released before the call returns, or
 * when the graph ends. Nothing is copied but dictionaries; values become those of rask_column_type as they are read:
 *
 *   b                     bool
 *   c s i l C S I L       int64; a uint64 over 2^63 - 1 fails the run
 *   e f g                 float64
 *   u U z Z vu vz w:N     string
 *   tdD tdm               date
 *   tss tsm tsu tsn :TZ   timestamp; nanoseconds are rounded down, and the time zone is left out
 *   n                     string, all null, which goes where any type does
 *   dictionaries of these
 *
 * RASK_ETYPE: another format, with column and format; RASK_EFORMAT: a structure that is not what its format says. What the
 * structures cannot tell, that buffers are as long as they must be, is believed. */
RASK_API rask_table *rask_table_from_arrow_at(rask_graph *graph, struct ArrowSchema *schema,
                                              struct ArrowArray *array, const char *file, int line);
/* The same of all arrays of a stream, which are fetched now, in order. RASK_EIO: what the stream says of its failure. */
RASK_API rask_table *rask_table_from_arrow_stream_at(rask_graph *graph, struct ArrowArrayStream *stream,
                                                     const char *file, int line);
#define rask_table_from_arrow(graph, schema, array)                                                          \
    rask_table_from_arrow_at(graph, schema, array, __FILE__, __LINE__)
#define rask_table_from_arrow_stream(graph, stream)                                                          \
    rask_table_from_arrow_stream_at(graph, stream, __FILE__, __LINE__)

/* Rows of Arrow files ("ARROW1") and streams on disk, in order: paths, patterns as of glob(7), folders. All have the columns of the
 * first, of the same names in the same order and of formats above that become the same type; one that is null in some files is of the
 * others' type. What each batch has is read now;
 * rows are loaded when something is computed, only those columns that are needed, and files must stay as they are until then.
 * RASK_ENOENT, RASK_EIO, RASK_EFORMAT: with path and byte, or column; RASK_EUNSUPPORTED: dictionaries that change, big-endian files, types that
 * no column holds, and compressed files where the module for them is not there. */
RASK_API rask_table *rask_read_arrow_files_at(rask_graph *graph, const char *const *paths, size_t count,
                                              const char *file, int line);
#define rask_read_arrow_files(graph, paths, count)                                                           \
    rask_read_arrow_files_at(graph, paths, count, __FILE__, __LINE__)
#define rask_read_arrow(graph, path)                                                                         \
    rask_read_arrow_files_at(graph, (const char *const[]){path}, 1, __FILE__, __LINE__)

#ifdef __cplusplus
}
#endif

#endif
