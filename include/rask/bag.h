/* rask/bag.h: records in partitions, larger than memory: lines of text, numbers, structures, and tuples of them.
 *
 * A rask_bag is an expression: builders check at once and read no data; records are read when something is computed or
 * written, part by part, inside the memory budget. Bags belong to their graph. Builders take NULL bags and return NULL; their
 * errors are latched in the graph.
 *
 * A record has 1 to RASK_MAX_FIELDS fields. Which ones is the same for all records of a bag, a letter a field:
 *   'y' bytes    'i' int64    'd' float64    'x' a structure of a fixed size
 * so lines of text are "y", and what rask_bag_frequencies() makes of them "yi". Any field of a record may be nothing ('n').
 * Where records are brought together by a key, that is their first field.
 *
 * Records keep the order of their files wherever an operation keeps records; what comes out by key is in an order of its own,
 * always the same. Results have the same bytes on every scheduler and with any number of workers, and with blocks of any size as
 * long as a program's own functions for folding do not mind how their terms are put in brackets.
 *
 * Functions of the program are called by many threads at once. They return 0, or a status: then the run fails with a message
 * that names function, file and line. Contexts belong to the program and outlive the graph; those of rask_graph_context() go to
 * other processes of a cluster, too. */
#ifndef RASK_BAG_H
#define RASK_BAG_H

#include <rask/graph.h>
#include <rask/join.h>
#include <rask/options.h>
#include <rask/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rask_bag rask_bag;

/* -- Records */

#define RASK_MAX_FIELDS 16
#define RASK_SIG_STRUCT 'x'

typedef struct rask_item {
    char type; /* 'y', 'i', 'd', 'x'; 'n': nothing */
    union {
        int64_t i64;
        double f64;
        rask_bytes bytes; /* of 'y' and 'x', whose bytes are aligned for int64_t */
    } as;
} rask_item;

/* What bytes point to belongs to somebody else, who says for how long. */
typedef struct rask_record {
    uint32_t count; /* of fields */
    rask_item items[RASK_MAX_FIELDS];
} rask_record;

static inline rask_item rask_item_bytes(const void *data, size_t len)
{
    rask_item item;
    item.type = 'y';
    item.as.bytes.data = (const char *)data;
    item.as.bytes.len = len;
    return item;
}

static inline rask_item rask_item_struct(const void *data, size_t size)
{
    rask_item item = rask_item_bytes(data, size);
    item.type = RASK_SIG_STRUCT;
    return item;
}

static inline rask_item rask_item_i64(int64_t i)
{
    rask_item item;
    item.type = 'i';
    item.as.i64 = i;
    return item;
}

static inline rask_item rask_item_f64(double f)
{
    rask_item item;
    item.type = 'd';
    item.as.f64 = f;
    return item;
}

static inline rask_item rask_item_none(void)
{
    rask_item item;
    item.type = 'n';
    item.as.i64 = 0;
    return item;
}

/* Fields by number; 0, or no bytes, where there is no such field or it is of another type. f64 takes i64. */
static inline rask_bytes rask_record_bytes(const rask_record *record, uint32_t field)
{
    const rask_item none = rask_item_bytes(NULL, 0);
    bool there = field < record->count &&
                 (record->items[field].type == 'y' || record->items[field].type == RASK_SIG_STRUCT);
    return there ? record->items[field].as.bytes : none.as.bytes;
}

static inline int64_t rask_record_i64(const rask_record *record, uint32_t field)
{
    return field < record->count && record->items[field].type == 'i' ? record->items[field].as.i64 : 0;
}

static inline double rask_record_f64(const rask_record *record, uint32_t field)
{
    return field < record->count && record->items[field].type == 'd' ? record->items[field].as.f64
                                                                     : (double)rask_record_i64(record, field);
}

/* Records in memory: immutable, any number of threads may read them. */
typedef struct rask_records rask_records;

RASK_API uint64_t rask_records_count(const rask_records *records); /* 0 for NULL */
RASK_API const char *rask_records_types(const rask_records *records);
/* Record index (from 0), valid as long as the records. RASK_EINVAL: there is no such record. */
RASK_API int rask_records_get(const rask_records *records, uint64_t index, rask_record *out);
RASK_API void rask_records_free(rask_records *records); /* NULL is legal */

/* -- Functions of the program */

/* Where a function puts the records it makes. What they point to is needed during the call only. Each returns 0, or a status
 * for the function to return. RASK_ETYPE: not the fields that the function was said to make. */
typedef struct rask_bag_out rask_bag_out;
RASK_API int rask_bag_emit(rask_bag_out *out, const rask_item *items, uint32_t count);
RASK_API int rask_bag_emit_bytes(rask_bag_out *out, const void *data, size_t len);
RASK_API int rask_bag_emit_i64(rask_bag_out *out, int64_t i);
RASK_API int rask_bag_emit_f64(rask_bag_out *out, double f);
RASK_API int rask_bag_emit_struct(rask_bag_out *out, const void *data, size_t size);
/* Says why the function fails, and returns code for it to return. The message is copied. */
RASK_API int rask_bag_fail(rask_bag_out *out, int code, const char *message);

/* Makes records of one record. */
typedef struct rask_bag_function {
    size_t size;      /* sizeof(rask_bag_function) */
    const char *name; /* for messages */
    int (*call)(rask_bag_out *out, const rask_record *record, void *context);
    const char *result; /* the fields of its records, as "y" or "yi"; NULL: as those it takes */
    size_t struct_size; /* of 'x' in result */
    void *context;
    void (*release)(void *context); /* called when the graph ends; NULL: no */
} rask_bag_function;

/* Makes records of many. */
typedef struct rask_bag_gathering {
    size_t size; /* sizeof(rask_bag_gathering) */
    const char *name;
    int (*call)(rask_bag_out *out, const rask_records *records, void *context); /* records: during the call */
    const char *result;
    size_t struct_size;
    void *context;
    void (*release)(void *context);
} rask_bag_gathering;

/* Brings records down to a state, which is an int64_t, a double or a structure without pointers. */
typedef struct rask_bag_folding {
    size_t size; /* sizeof(rask_bag_folding) */
    const char *name;
    int (*add)(void *state, const rask_record *record, void *context);
    int (*combine)(void *state, const void *other, void *context); /* other's records come behind state's */
    const void
        *initial; /* copied: state of no records, which combines with any without effect; NULL: zeros */
    char result;  /* 'i', 'd' or 'x' */
    size_t struct_size;
    void *context;
    void (*release)(void *context);
} rask_bag_folding;

/* The order of records: below 0, 0 or above as a comes before, with or behind b. */
typedef int rask_bag_compare(const rask_record *a, const rask_record *b, void *context);
typedef bool rask_bag_predicate(const rask_record *record, void *context);

/* -- Sources */

typedef struct rask_read_text_options {
    size_t size;          /* sizeof(rask_read_text_options), set by RASK_READ_TEXT_OPTIONS_INIT */
    uint64_t block_bytes; /* of a file that one task reads; 0: chosen by the files' size and the budget */
} rask_read_text_options;

#ifdef __cplusplus
static inline rask_read_text_options rask_read_text_options_init()
{
    rask_read_text_options options = rask_read_text_options();
    options.size = sizeof options;
    return options;
}
#    define RASK_READ_TEXT_OPTIONS_INIT rask_read_text_options_init()
#else
#    define RASK_READ_TEXT_OPTIONS_INIT ((rask_read_text_options){.size = sizeof(rask_read_text_options)})
#endif

/* The lines of one or more files, in order, without what ends them (\n, \r\n): paths, patterns as of glob(7), folders, "-" for
 * standard input; compressed ones as they are. Small files are put together in one part. options may be NULL. RASK_ENOENT,
 * RASK_EIO: with the path; RASK_EINVAL: options. */
RASK_API rask_bag *rask_read_text_files_at(rask_graph *graph, const char *const *paths, size_t count,
                                           const rask_read_text_options *options, const char *file, int line);
#define rask_read_text_files(graph, paths, count, options)                                                   \
    rask_read_text_files_at(graph, paths, count, options, __FILE__, __LINE__)
#define rask_read_text(graph, path, options)                                                                 \
    rask_read_text_files_at(graph, (const char *const[]){path}, 1, options, __FILE__, __LINE__)

/* Of memory; of arrays: rask_bag_from_array() of rask/exchange.h. Lines, bytes and records are copied; numbers and structures with
 * borrowed only where they stand: then they must outlive the graph, and structures must be aligned for what is in them. To workers of
 * a cluster structures go byte by byte: pointers in them mean nothing there. */
RASK_API rask_bag *rask_bag_from_lines_at(rask_graph *graph, const char *text, size_t len, const char *file,
                                          int line);
RASK_API rask_bag *rask_bag_from_bytes_at(rask_graph *graph, const rask_bytes *items, size_t count,
                                          const char *file, int line);
RASK_API rask_bag *rask_bag_from_i64_at(rask_graph *graph, const int64_t *items, size_t count, bool borrowed,
                                        const char *file, int line);
RASK_API rask_bag *rask_bag_from_f64_at(rask_graph *graph, const double *items, size_t count, bool borrowed,
                                        const char *file, int line);
RASK_API rask_bag *rask_bag_from_structs_at(rask_graph *graph, const void *items, size_t count, size_t size,
                                            bool borrowed, const char *file, int line);
/* Records with these fields; those of type 'x' have struct_size bytes. RASK_ETYPE: a record with others. */
RASK_API rask_bag *rask_bag_from_records_at(rask_graph *graph, const rask_record *records, size_t count,
                                            const char *types, size_t struct_size, const char *file,
                                            int line);
/* begin, begin + step, … up to but without end. RASK_EINVAL: a step of 0. */
RASK_API rask_bag *rask_bag_range_at(rask_graph *graph, int64_t begin, int64_t end, int64_t step,
                                     const char *file, int line);
#define rask_bag_from_lines(graph, text, len) rask_bag_from_lines_at(graph, text, len, __FILE__, __LINE__)
#define rask_bag_from_bytes(graph, items, count)                                                             \
    rask_bag_from_bytes_at(graph, items, count, __FILE__, __LINE__)
#define rask_bag_from_i64(graph, items, count, borrowed)                                                     \
    rask_bag_from_i64_at(graph, items, count, borrowed, __FILE__, __LINE__)
#define rask_bag_from_f64(graph, items, count, borrowed)                                                     \
    rask_bag_from_f64_at(graph, items, count, borrowed, __FILE__, __LINE__)
#define rask_bag_from_structs(graph, items, count, size, borrowed)                                           \
    rask_bag_from_structs_at(graph, items, count, size, borrowed, __FILE__, __LINE__)
#define rask_bag_from_records(graph, records, count, types, struct_size)                                     \
    rask_bag_from_records_at(graph, records, count, types, struct_size, __FILE__, __LINE__)
#define rask_bag_range(graph, begin, end, step) rask_bag_range_at(graph, begin, end, step, __FILE__, __LINE__)

/* -- What a bag has */

RASK_API const char *rask_bag_types(const rask_bag *bag); /* "y", "yi", …; "" for NULL */
RASK_API rask_graph *rask_bag_graph(const rask_bag *bag);

/* -- Record by record */

/* One record for each: the function must make exactly one. */
RASK_API rask_bag *rask_bag_map_at(rask_bag *bag, const rask_bag_function *function, const char *file,
                                   int line);
/* As many as the function makes of each. */
RASK_API rask_bag *rask_bag_flat_map_at(rask_bag *bag, const rask_bag_function *function, const char *file,
                                        int line);
/* Those for which the predicate is true. name: for messages; context may be NULL. */
RASK_API rask_bag *rask_bag_filter_at(rask_bag *bag, const char *name, rask_bag_predicate *keep,
                                      void *context, const char *file, int line);
/* These fields, by number, in this order. */
RASK_API rask_bag *rask_bag_pick_at(rask_bag *bag, const uint32_t *fields, uint32_t count, const char *file,
                                    int line);
/* Piece number index (from 0) of bytes that delimiter cuts, of the first field; nothing where there are fewer. */
RASK_API rask_bag *rask_bag_pluck_at(rask_bag *bag, uint32_t index, char delimiter, const char *file,
                                     int line);
/* The words of the first field: what white space (as of isspace(3) in the C locale) separates. */
RASK_API rask_bag *rask_bag_words_at(rask_bag *bag, const char *file, int line);
/* About this share (0 … 1) of the records, drawn by seed; the same ones whatever the blocks and the scheduler. */
RASK_API rask_bag *rask_bag_sample_at(rask_bag *bag, double share, uint64_t seed, const char *file, int line);

/* Fields of JSON texts, the first fields of the records: one for each path, "user.name, items[0].price", parsed once.
 * types: a letter for each: 'y' (text as it means; else as JSON writes it), 'i', 'd'. What is not there, and null, is nothing.
 * Every int64 comes out as it is written; as 'y' a number of 2^53 or more does, too, whatever it is. Otherwise numbers are float64.
 * The run fails with RASK_EFORMAT where a text is no JSON, with RASK_ETYPE where a value is no number, with RASK_ERANGE where it is
 * no int64 (one of 2^53 or more that is written with a point or an exponent counts as none) or too large for float64; blank
 * lines make no record. */
RASK_API rask_bag *rask_bag_json_at(rask_bag *bag, const char *paths, const char *types, const char *file,
                                    int line);

#define rask_bag_filter(bag, keep, context)   rask_bag_filter_at(bag, #keep, keep, context, __FILE__, __LINE__)
#define rask_bag_pick(bag, fields, count)     rask_bag_pick_at(bag, fields, count, __FILE__, __LINE__)
#define rask_bag_pluck(bag, index, delimiter) rask_bag_pluck_at(bag, index, delimiter, __FILE__, __LINE__)
#define rask_bag_words(bag)                   rask_bag_words_at(bag, __FILE__, __LINE__)
#define rask_bag_sample(bag, share, seed)     rask_bag_sample_at(bag, share, seed, __FILE__, __LINE__)
#define rask_bag_json(bag, paths, types)      rask_bag_json_at(bag, paths, types, __FILE__, __LINE__)
#define rask_bag_json_field(bag, path)        rask_bag_json_at(bag, path, "y", __FILE__, __LINE__)
#define rask_bag_json_number(bag, path)       rask_bag_json_at(bag, path, "d", __FILE__, __LINE__)

/* -- All records together: bags of one record */

RASK_API rask_bag *rask_bag_count_at(rask_bag *bag, const char *file, int line);
/* Of a bag's only field, 'i' or 'd', without those that are nothing. sum: of the same type, and RASK_ERANGE when that is too small
 * for it, 0 of no records; mean, and std with n - ddof below the line: 'd', NaN where there are too few. Sums of float64 are exact
 * and rounded once. min, max: of 'y', too; nothing of no records; a NaN wins. */
RASK_API rask_bag *rask_bag_sum_at(rask_bag *bag, const char *file, int line);
RASK_API rask_bag *rask_bag_min_at(rask_bag *bag, const char *file, int line);
RASK_API rask_bag *rask_bag_max_at(rask_bag *bag, const char *file, int line);
RASK_API rask_bag *rask_bag_mean_at(rask_bag *bag, const char *file, int line);
RASK_API rask_bag *rask_bag_std_at(rask_bag *bag, uint32_t ddof, const char *file, int line);
/* The state that all records come to: in every part from the initial one on, then combined in order. */
RASK_API rask_bag *rask_bag_fold_at(rask_bag *bag, const rask_bag_folding *folding, const char *file,
                                    int line);
#define rask_bag_count(bag)     rask_bag_count_at(bag, __FILE__, __LINE__)
#define rask_bag_sum(bag)       rask_bag_sum_at(bag, __FILE__, __LINE__)
#define rask_bag_min(bag)       rask_bag_min_at(bag, __FILE__, __LINE__)
#define rask_bag_max(bag)       rask_bag_max_at(bag, __FILE__, __LINE__)
#define rask_bag_mean(bag)      rask_bag_mean_at(bag, __FILE__, __LINE__)
#define rask_bag_std(bag, ddof) rask_bag_std_at(bag, ddof, __FILE__, __LINE__)

/* -- Some of all records */

/* The first count records; no more is read than they need. */
RASK_API rask_bag *rask_bag_take_at(rask_bag *bag, uint64_t count, const char *file, int line);
/* The count largest by their last field, the largest first; of equal ones those whose other fields are smaller, from the first on. */
RASK_API rask_bag *rask_bag_topk_at(rask_bag *bag, uint64_t count, const char *file, int line);
/* The count first in the order of compare; equal ones in their own order. */
RASK_API rask_bag *rask_bag_topk_by_at(rask_bag *bag, uint64_t count, const char *name,
                                       rask_bag_compare *compare, void *context, const char *file, int line);
/* Every record once. */
RASK_API rask_bag *rask_bag_distinct_at(rask_bag *bag, const char *file, int line);
#define rask_bag_take(bag, count) rask_bag_take_at(bag, count, __FILE__, __LINE__)
#define rask_bag_topk(bag, count) rask_bag_topk_at(bag, count, __FILE__, __LINE__)
#define rask_bag_topk_by(bag, count, compare, context)                                                       \
    rask_bag_topk_by_at(bag, count, #compare, compare, context, __FILE__, __LINE__)
#define rask_bag_distinct(bag) rask_bag_distinct_at(bag, __FILE__, __LINE__)

/* -- By key */

/* Every record once, with one more field: how often it occurs. */
RASK_API rask_bag *rask_bag_frequencies_at(rask_bag *bag, const char *file, int line);
/* Pairs: each key, and the state that the records with that key come to. */
RASK_API rask_bag *rask_bag_foldby_at(rask_bag *bag, const rask_bag_folding *folding, const char *file,
                                      int line);
/* What the function makes of all records with the same key, key by key. Those of one key must fit in memory. */
RASK_API rask_bag *rask_bag_groupby_at(rask_bag *bag, const rask_bag_gathering *function, const char *file,
                                       int line);

/* Pairs of records with the same key: the key, the left one's other fields, the right one's. A key that is nothing has no
 * partner. RASK_ETYPE: keys of different types; RASK_ELIMIT: more than RASK_MAX_FIELDS. */
RASK_API rask_bag *rask_bag_join_at(rask_bag *left, rask_bag *right, rask_join_how how, const char *file,
                                    int line);
#define rask_bag_frequencies(bag)       rask_bag_frequencies_at(bag, __FILE__, __LINE__)
#define rask_bag_join(left, right, how) rask_bag_join_at(left, right, how, __FILE__, __LINE__)

/* -- Parts */

/* Record by record beside each other: the fields of both. As many as the shorter one has; both are computed to
 * their ends. */
RASK_API rask_bag *rask_bag_zip_at(rask_bag *left, rask_bag *right, const char *file, int line);
/* One behind the other. RASK_ETYPE: different fields. */
RASK_API rask_bag *rask_bag_concat_at(rask_bag *const *bags, uint32_t count, const char *file, int line);
/* In this many parts or nearly so: neighbours are put together, or each is cut evenly. */
RASK_API rask_bag *rask_bag_repartition_at(rask_bag *bag, uint32_t parts, const char *file, int line);
/* What the function makes of all records of a part at once. What parts there are depends on the size of files and blocks, and a
 * part may be empty. */
RASK_API rask_bag *rask_bag_map_partitions_at(rask_bag *bag, const rask_bag_gathering *function,
                                              const char *file, int line);
#define rask_bag_zip(left, right)        rask_bag_zip_at(left, right, __FILE__, __LINE__)
#define rask_bag_concat(bags, count)     rask_bag_concat_at(bags, count, __FILE__, __LINE__)
#define rask_bag_repartition(bag, parts) rask_bag_repartition_at(bag, parts, __FILE__, __LINE__)

/* -- Results */

/* Computes all records of a bag. options may be NULL. *out is the caller's to free; untouched on failure, which the graph
 * reports. */
RASK_API int rask_bag_compute(rask_bag *bag, const rask_options *options, rask_records **out);

/* The only field of a bag's only record, as rask_compute_out(). RASK_ETYPE: it has more or none, or another type. */
RASK_API int rask_bag_compute_out(rask_bag *bag, const rask_options *options, rask_out_kind kind, void *out);

/* The bag as a node of its graph. Of a bag of one record and field (count, sum, fold, …): that field's value; else a list of the
 * records, each its only field's value, or a list of its fields' values. What is nothing is none, structures are bytes.
 * options (NULL: none) say for what budget it is cut. */
RASK_API rask_node *rask_bag_node_at(rask_bag *bag, const rask_options *options, const char *file, int line);
#define rask_bag_node(bag, options) rask_bag_node_at(bag, options, __FILE__, __LINE__)

/* Writes a line for each record: its fields, with a tab between them; bytes as they are, nothing as nothing, numbers so that
 * they can be read back, structures as hexadecimal digits. "-" is standard output. A path with a '*' stands for a file for each part, in
 * whose name the part's number replaces it: 000, 001, …. What ends in .gz or .zst is compressed. Every file appears whole, or
 * not at all. options may be NULL. RASK_EIO: with the path; RASK_EUNSUPPORTED: what compresses is not installed; else as the
 * run fails. */
RASK_API int rask_bag_write(rask_bag *bag, const char *path, const rask_options *options);

#ifdef __cplusplus
}
#endif

#endif
