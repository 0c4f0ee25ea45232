/* collections/table/arrow/file: an Arrow file or stream on disk, walked message by message: what its columns are called and how
 * they lie, and where each batch has its buffers. Its bytes are hostile: what is accepted lies within the file. */
#ifndef RASK_COLLECTIONS_TABLE_ARROW_FILE_H
#define RASK_COLLECTIONS_TABLE_ARROW_FILE_H

#include "collections/files/elsewhere.h"
#include "collections/table/arrow/bodies.h"
#include "collections/table/arrow/layout.h"
#include "collections/text/files.h"
#include "core/base/array.h"

#include <sys/stat.h>

/* Bytes of a file; length 0: there are none. */
typedef struct rk_arrow_range {
    uint64_t place, length;
    uint64_t packed; /* bytes in the file, of which length will be made; 0: they are as they are */
} rk_arrow_range;

/* A column of a batch. */
typedef struct rk_arrow_chunk {
    rk_arrow_range buffers[3]; /* of views the third is a number in texts, and how many */
    bool nulls;
} rk_arrow_chunk;

typedef struct rk_arrow_batch {
    uint64_t rows, bytes;
    size_t first; /* of its chunks */
    bool packed;  /* a buffer is read as a whole, or not at all */
    rk_body_codec codec;
} rk_arrow_batch;

/* What the indices of a column mean. */
typedef struct rk_arrow_dictionary {
    bool used, read;        /* the column has one; it was found */
    int64_t id;             /* in the file */
    rk_arrow_layout values; /* as they lie in the file */
    rk_arrow_layout layout; /* gives values, when its indices are set */
    void *own;              /* memory that they are in */
} rk_arrow_dictionary;

typedef struct rk_arrow_file {
    int fd;        /* -1: it is opened for what is loaded, and closed again */
    uint64_t size; /* of the file, and its modification time: then it has to be as it was */
    int64_t changed_ns;
    char *path;
    uint32_t count; /* of columns */
    char **names;
    rk_arrow_layout *layouts; /* of their formats; where there is a dictionary, of the indices */
    rk_arrow_dictionary *dictionaries;
    rk_array batches;               /* rk_arrow_batch */
    rk_array chunks;                /* rk_arrow_chunk: batch by batch */
    rk_array texts;                 /* rk_arrow_range: what views speak of */
    const rk_bodies_module *bodies; /* NULL: no batch is compressed */
} rk_arrow_file;

/* What files and streams begin with. */
#define RK_ARROW_FILE_BEGIN   "ARROW1"
#define RK_ARROW_STREAM_BEGIN "\xff\xff\xff\xff"

/* Opens and walks a file. RASK_OK, or a status with path and reason. */
int rk_arrow_file_open(rk_arrow_file *f, const char *path, rk_open_error *error);
static inline int64_t rk_arrow_changed_ns(const struct stat *file)
{
    return (int64_t)file->st_mtim.tv_sec * 1000000000 + file->st_mtim.tv_nsec;
}

/* Of an open one: closes what is open on disk, of which there is no end in a process. RASK_OK, or RASK_EIO with error. */
int rk_arrow_file_rest(rk_arrow_file *f, rk_open_error *error);
void rk_arrow_file_close(rk_arrow_file *f); /* legal for a zeroed one whose fd is -1 */

/* RASK_COLUMN_TYPES: the column is of Arrow's type null, which has no values. */
rask_column_type rk_arrow_file_type(const rk_arrow_file *f, uint32_t column);

/* Rows of a batch's column, as rk_memory_loader says of load. */
int rk_arrow_file_load(const rk_arrow_file *f, size_t batch, uint32_t column, uint64_t first, uint64_t rows,
                       rk_arrow_layout *layout, void **own, rk_memory_error *error);

/* rask_read_arrow() of files that are listed already; takes over the list. NULL, latched. */
rask_table *rk_arrow_read_list(rask_graph *graph, rk_text_files *list, const char *file, int line);

/* Appends the files that a table of rask_read_arrow() loads from. RASK_OK, or a status with error. */
int rk_arrow_files_put(const rk_memory_source *source, rk_pack_out *out, rk_open_error *error);
/* A table of the next ones. NULL: the bytes are none, latched, or with RASK_EIO in error: they are not as they were. */
rask_table *rk_arrow_files_get(rask_graph *graph, rk_pack_in *in, rk_open_error *error);

#endif
