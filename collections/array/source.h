/* collections/array/source: where elements are kept: memory, a file, or chunks behind a decoder.
 *
 * LINEAR sources have every element at a place that strides give: in memory, or in a file at offset + strides. Readers
 * of files use pread(2) in blocks, so that what is resident is what is being worked on, and a file that was cut short
 * is an error, not a signal. CHUNKED sources decode whole chunks of a regular grid. */
#ifndef RASK_COLLECTIONS_ARRAY_SOURCE_H
#define RASK_COLLECTIONS_ARRAY_SOURCE_H

#include "collections/array/array.h"
#include "collections/files/elsewhere.h"
#include "core/base/mapped.h"

struct rk_source;

/* How chunked sources of a format go to another process of a cluster and are opened again there. */
typedef struct rk_source_format {
    /* What get() needs. RASK_OK, or a status with error. */
    int (*put)(const struct rk_source *source, rk_pack_out *out, rk_open_error *error);
    /* like: its dtype, shape and chunks. NULL with error; in->failed is set when the bytes are none of put(). */
    struct rk_source *(*get)(rk_pack_in *in, const struct rk_source *like, rk_open_error *error);
} rk_source_format;

extern const rk_source_format rk_format_zarr, rk_format_hdf5, rk_format_callback;

typedef enum rk_source_kind { RK_SOURCE_MEMORY, RK_SOURCE_FILE, RK_SOURCE_CHUNKED } rk_source_kind;

typedef struct rk_source {
    rk_atomic_u32 refs;
    rk_source_kind kind;
    rask_dtype dtype;
    uint32_t ndim;
    int64_t shape[RASK_MAX_DIMENSIONS];
    int64_t strides[RASK_MAX_DIMENSIONS]; /* bytes; MEMORY and FILE */
    const void *data;                     /* MEMORY: of element 0 */
    int fd;                               /* FILE; else -1. Open as long as the source lives */
    rk_mappable own_parts, *parts;        /* FILE: parts is NULL, or of this source or another one with fd */
    int64_t offset;                       /* FILE: of element 0 */
    bool swapped;                         /* FILE: in the other byte order */
    int64_t chunk[RASK_MAX_DIMENSIONS];   /* CHUNKED: elements per axis */
    /* CHUNKED: decodes chunk number index[], which starts at index[i] * chunk[i] and has count[i] elements per axis
     * (less than chunk[i] at the end of an axis), into data, in C order. Thread-safe. 0, or a status with a reason
     * that names the file. */
    int (*read_chunk)(struct rk_source *source, const int64_t *index, const int64_t *count, void *data,
                      char *message, size_t capacity);
    uint64_t chunk_scratch; /* CHUNKED: bytes of memory that decoding one chunk takes beside data */
    void *context;          /* of read_chunk */
    void (*close)(
        struct rk_source *source);  /* ends data, context; NULL: nothing to end. fd is closed anyway */
    char *path;                     /* for messages: owned; NULL for memory */
    const rk_source_format *format; /* CHUNKED; NULL: tasks elsewhere cannot read it */
    char *
        absent; /* why there is nothing to read in this process: owned; NULL: all is well. Reading fails with it */
} rk_source;

/* A zeroed source with one reference, fd -1, of this dtype and shape; path is copied. NULL: no memory. */
rk_source *rk_source_new(rk_source_kind kind, const char *path, rask_dtype dtype, uint32_t ndim,
                         const int64_t *shape);
rk_source *rk_source_ref(rk_source *source);
void rk_source_unref(rk_source *source); /* NULL is legal */

/* An array of graph that reads source, whose reference it takes over, also on failure. chunks as rask_array.chunks, or
 * NULL. */
rask_array *rk_array_source(rask_graph *graph, rk_source *source, const int64_t *chunks, const char *file,
                            int line);

/* Memory that one rk_source_read() may take for a moment. */
enum { RK_READ_SCRATCH = 64 << 10 };

/* Reads the box start … start + count - 1 of a linear file source into out, whose elements are at out_strides (bytes,
 * positive, dense along the source's fastest axis), in the machine's byte order. Long runs are single reads. RASK_EIO:
 * message says path, offset and errno or that the file is shorter than it was. Thread-safe. */
int rk_source_read(const rk_source *source, const int64_t *start, const int64_t *count, void *out,
                   const int64_t *out_strides, char *message, size_t capacity);

/* len bytes as they stand in a file become elements the machine can work with, in place: swapped: in the other byte
 * order; a bool that is not 0 becomes 1. */
void rk_source_mend(rask_dtype dtype, bool swapped, void *data, size_t len);

/* A copy of a block's elements, in C order, with a reference. NULL: no memory. */
rk_source *rk_source_copy(const rask_block *block);

/* Values that hold a reference to a source. They can go to other processes of a cluster: elements in memory do so as they are,
 * up to RK_MAX_TRAVELLING bytes, files are opened again. */
extern const rask_class rk_source_class;

/* The same as bytes: RASK_OK, or a status with error. */
int rk_source_put(const rk_source *source, rk_pack_out *out, rk_open_error *error);
/* And back; one that cannot be opened here is absent. NULL with RASK_ENOMEM or RASK_EFORMAT in error. */
rk_source *rk_source_get(rk_pack_in *in, rk_open_error *error);

/* Opening by format: each returns a source, or NULL with a status and a reason (with the path) in error. */
rk_source *rk_npy_open(const char *path, rk_open_error *error);
rk_source *rk_npz_open(const char *path, const char *member, rk_open_error *error);
rk_source *rk_raw_open(const char *path, const rask_open_options *options, rk_open_error *error);
rk_source *rk_zarr_open(const char *path, const char *member, rk_open_error *error);
rk_source *rk_hdf5_open(const char *path, const char *member, rk_open_error *error);

/* Where results go. write() is called for disjoint boxes that together are the whole, from several threads at once, with
 * the elements in C order; then commit() once, or abort() at any time: exactly one of them, which end the sink. What
 * write() does is seen under the path only after commit(). Processes that were forked from the one that opened the sink may
 * call write(), too, and again with the same box, unless it is bound to that one. */
typedef struct rk_sink rk_sink;
struct rk_sink {
    rask_dtype dtype;
    uint32_t ndim;
    int64_t shape[RASK_MAX_DIMENSIONS];
    int64_t chunk
        [RASK_MAX_DIMENSIONS]; /* boxes must be unions of whole chunks of this regular grid; all 0: any box */
    uint64_t scratch;          /* bytes of memory that one write() takes for a moment */
    bool bound;                /* only the process that opened it writes */
    int (*write)(rk_sink *sink, const int64_t *start, const int64_t *count, const void *data, char *message,
                 size_t capacity);
    int (*commit)(rk_sink *sink, char *message, size_t capacity);
    void (*abort)(rk_sink *sink);
};

/* By format; NULL with a status and reason. */
rk_sink *rk_sink_open(const char *path, const rask_store_options *options, rask_dtype dtype, uint32_t ndim,
                      const int64_t *shape, rk_open_error *error);

#endif
