/* collections/table/csv_source: the files of a table, what their first lines say of its columns, and the parts that tasks
 * read. */
#ifndef RASK_COLLECTIONS_TABLE_CSV_SOURCE_H
#define RASK_COLLECTIONS_TABLE_CSV_SOURCE_H

#include "collections/table/csv/csv.h"
#include "collections/table/table.h"
#include "collections/text/buffer.h"
#include "collections/text/files.h"

/* A stream is read once: what samples took of it waits here. */
typedef struct rk_csv_stream {
    rk_text_reader *reader; /* NULL: nothing was taken */
    rk_text_buffer buffer;
    void *task; /* that reads it, to ask whether it was cancelled */
    bool taken;
} rk_csv_stream;

typedef struct rk_csv_source {
    rk_text_files files;
    rk_csv_stream *streams; /* by file */
    rk_csv_format format;
    rk_csv_schema schema;
    rask_misfit misfit;
    uint64_t block_bytes; /* asked for; 0: nothing */
    rask_bytes
        *samples; /* the first begins the first file, the others begin with a record; with padding behind */
    size_t sample_count;
} rk_csv_source;

/* What a task reads of a file. */
typedef struct rk_csv_part {
    uint32_t file;
    bool first, last; /* of its file */
    uint64_t begin, end;
} rk_csv_part;

/* Cuts all files into parts of about so many bytes: *parts is to be ended with rk_free(). RASK_OK, or error. */
int rk_csv_source_cut(const rk_csv_source *source, uint64_t bytes, rk_csv_part **parts, uint32_t *count,
                      rk_text_error *error);

/* Up to most short samples, each of whole records but for its end, from places that lie evenly over plain files; with padding
 * behind. out has room for them; each is to be ended with rk_free(). How many; 0 also where nothing can be read, which
 * who reads it all will tell. */
uint32_t rk_csv_source_samples(const rk_csv_source *source, uint32_t most, size_t bytes, rask_bytes *out);

/* Moves what there is of a stream that was not taken before into reader and buffer, for task: false when it was. */
bool rk_csv_stream_take(rk_csv_stream *stream, rk_text_reader **reader, rk_text_buffer *buffer, void *task);

void rk_csv_source_free(void *what); /* a source; NULL is legal */

#endif
