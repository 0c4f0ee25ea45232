/* collections/table/csv_source: the files of a table, what their first lines say of its columns, and the parts that tasks
 * read. */
#ifndef RASK_COLLECTIONS_TABLE_CSV_SOURCE_H
#define RASK_COLLECTIONS_TABLE_CSV_SOURCE_H

#include "collections/table/csv/csv.h"
#include "collections/table/table.h"
#include "collections/text/buffer.h"
#include "collections/text/travel.h"
#include "core/base/atomic.h"

/* Why a stream that is asked for a second time fails. */
#define RK_CSV_STREAM_ONCE                                                                                   \
    "a stream can be read but once, and an outer join reads both tables twice: write it to a file first"

/* A stream is read once: what samples took of it waits here. */
typedef struct rk_csv_stream {
    rk_text_reader *reader; /* NULL: nothing was taken */
    rk_text_buffer buffer;
    void *task; /* that reads it, to ask whether it was cancelled */
    rk_atomic_bool taken;
} rk_csv_stream;

typedef struct rk_csv_source {
    rk_text_files files;
    size_t first;           /* the file that says what the columns are called: those before it are empty */
    rk_csv_stream *streams; /* by file */
    rk_csv_format format;
    rk_csv_schema schema;
    rask_misfit misfit;
    uint64_t block_bytes; /* asked for; 0: nothing */
    rask_bytes *
        samples; /* the first begins the first file with columns, the others begin with a record; with padding behind */
    struct rk_csv_place
        *places; /* where each of them begins; NULL in other processes than that which took them */
    size_t sample_count;
    struct rk_csv_odd *_Atomic odds; /* by column; NULL: nobody has asked */
    const bool *given;               /* columns whose type the program gave; as places */
} rk_csv_source;

typedef struct rk_csv_place {
    uint32_t file;
    uint64_t begin; /* of the part from which it was read, and where in the text of that it begins */
    size_t skipped;
} rk_csv_place;

/* Why column number column is text though most of its values in the samples are not, as a sentence; false: there is nothing to say. The
 * first call looks for all columns. Any number of threads may ask at once. */
bool rk_csv_source_note(rk_csv_source *source, uint32_t column, char *out, size_t capacity);

/* What a task reads: the records that begin in (begin, end] of a file, and at the beginning of the first part; or some
 * files as a whole, one behind the other. */
typedef struct rk_csv_part {
    uint32_t file, files; /* files: 1, or more small ones, from file on */
    bool first, last;     /* of its file */
    bool exact;           /* a record begins at its beginning, and what is before is not read (tail.h) */
    uint64_t begin, end;  /* of the file as it lies there */
    uint32_t blocks;      /* that it is read in by as many tasks; 0: it is read by one */
    uint32_t lanes;       /* sinks that these share; 0: each has its own */
    uint64_t block_bytes; /* of text, about, in each */
    uint32_t piece;       /* number of the task that reads it, or its first block, among all */
} rk_csv_part;

typedef struct rk_csv_cut {
    uint64_t bytes;       /* of text in a part, about */
    uint64_t block_bytes; /* in a block */
    bool grouped;         /* small files are */
    bool ahead;           /* what has to be read from its beginning to its end is cut into blocks */
    uint32_t lanes;       /* for these; 0: none */
    uint32_t values;      /* that a sink ends with */
} rk_csv_cut;

/* Sinks for a part. */
static inline uint32_t rk_csv_part_sinks(const rk_csv_part *part)
{
    return part->lanes ? part->lanes : part->blocks ? part->blocks : 1;
}

/* rask_read_csv() of files that are listed already; takes over the list. NULL, latched. */
rask_table *rk_csv_read_list(rask_graph *graph, rk_text_files *list, const rask_csv_options *options,
                             const char *file, int line);
/* Whether options (NULL: the defaults) are such; false: latched, by the name of the call. */
bool rk_csv_options_check(rask_graph *graph, const rask_csv_options *options, const char *what,
                          const char *file, int line);

/* Cuts all files into parts: *parts is to be ended with rk_free(). RASK_OK, or error. */
int rk_csv_source_cut(const rk_csv_source *source, const rk_csv_cut *how, rk_csv_part **parts,
                      uint32_t *count, rk_text_error *error);

/* Bytes of text that a file has, about; 0: nobody knows. Of all files. */
uint64_t rk_csv_text_bytes(const rk_text_file *file);
uint64_t rk_csv_source_bytes(const rk_csv_source *source);

/* Makes the types of the columns, but for those that are given, such that all values of all files are of them: reads
 * them once, as options (NULL: the defaults) say. table: of this source. RASK_OK, or a status whose message is that of the
 * table's graph. */
int rk_csv_source_widen(rask_table *table, const bool *given, const rask_options *options);

/* A value that does not fit, of a row that may or may not be wanted. */
typedef struct rk_csv_wrong {
    uint32_t file;
    uint64_t cut, begin; /* the part where it is, and where its records begin in it */
    uint64_t line;       /* from there on */
    char message[256];
} rk_csv_wrong;

/* Newlines in a file before byte begin of the text of the part that begins at cut. RASK_OK, or error. */
int rk_csv_source_lines(const rk_csv_source *source, const rk_csv_wrong *wrong, uint64_t *lines,
                        rk_text_error *error);

/* Up to most short samples, each of whole records but for its end, from places that lie evenly over plain files; with padding
 * behind. out has room for them; each is to be ended with rk_free(). How many; 0 also where nothing can be read, which
 * who reads it all will tell. */
uint32_t rk_csv_source_samples(const rk_csv_source *source, uint32_t most, size_t bytes, rask_bytes *out);

/* Moves what there is of a stream that was not taken before into reader and buffer, for task: false when it was. Tasks that
 * run at the same time may ask. */
bool rk_csv_stream_take(rk_csv_stream *stream, rk_text_reader **reader, rk_text_buffer *buffer, void *task);

static inline const rk_text_file *rk_csv_source_first(const rk_csv_source *source)
{
    return &source->files.files[source->first];
}

void rk_csv_source_free(void *what); /* a source; NULL is legal */

/* A table of such a source, which lives as long as the graph. NULL, latched. */
rask_table *rk_csv_source_table(rask_graph *graph, rk_csv_source *source, const char *file, int line);

/* -- In other processes of a cluster, which read the files themselves (csv_travel.c) */

/* RASK_OK, or a status with error. */
int rk_csv_source_put(const rk_csv_source *source, rk_pack_out *out, rk_open_error *error);
/* The same source, with texts in graph's memory; what was sampled comes along, so that both choose alike. NULL with RASK_EFORMAT or
 * RASK_ENOMEM in error; files are not looked at. */
rk_csv_source *rk_csv_source_get(rask_graph *graph, rk_pack_in *in, rk_open_error *error);

#endif
