/* collections/array/modules/hdf5: what the module rask-hdf5 gives to the library: datasets of HDF5 files.
 *
 * libhdf5 lets one thread in at a time, and so does the module: a call waits until others are through. Elements that lie
 * in one piece are therefore only located here, and read and written by the library itself; so are compressed chunks,
 * which come and go as they stand in the file. */
#ifndef RASK_COLLECTIONS_ARRAY_MODULES_HDF5_H
#define RASK_COLLECTIONS_ARRAY_MODULES_HDF5_H

#include "core/base/module.h"

#include <rask/value.h>

#define RK_HDF5_MODULE "rask-hdf5"

typedef struct rk_hdf5_data rk_hdf5_data; /* an open dataset */

enum { RK_HDF5_NAME = 256 };

/* What a dataset is. */
typedef struct rk_hdf5_form {
    rask_dtype dtype;
    bool swapped; /* in the other byte order than the machine's */
    uint32_t ndim;
    int64_t shape[RASK_MAX_DIMENSIONS];
    int64_t chunk[RASK_MAX_DIMENSIONS]; /* all 0: has no chunks */
    int64_t offset;          /* of the first element, when all lie in one piece in C order; else -1 */
    bool deflated, shuffled; /* how chunks are kept, when encoded is false */
    bool encoded;            /* in ways that only libhdf5 undoes */
    char name
        [RK_HDF5_NAME]; /* of one that was opened, from the root on, "/a/b"; "": it was not found; may be cut off */
} rk_hdf5_form;

/* Every int is RASK_OK or a status, with what is wrong, without the path, in error. */
typedef struct rk_hdf5_module {
    rk_module_head head;
    /* Opens the dataset member, NULL: the only one in the root group; of form, name is good after a failure, too. RASK_ENOENT, RASK_EINVAL: which one is to be named,
     * RASK_EUNSUPPORTED: its type, RASK_EFORMAT. */
    int (*open)(const char *path, const char *member, rk_hdf5_data **data, rk_hdf5_form *form, char *error,
                size_t capacity);
    /* Whether a file at path holds nothing but, perhaps, the dataset member and the groups on the way to it: RASK_OK; else
     * RASK_EEXIST, with what else there is; RASK_EFORMAT: it is no HDF5 file. */
    int (*survey)(const char *path, const char *member, char *error, size_t capacity);
    /* A new file at path, emptied if it is there, with one dataset. level: of gzip, for chunks; 0: none. For a dataset
     * without chunks form->offset is set, and *data NULL: the file is closed. */
    int (*create)(const char *path, const char *member, rk_hdf5_form *form, int level, rk_hdf5_data **data,
                  char *error, size_t capacity);
    /* A box, in C order, in the byte order of the file. */
    int (*read)(rk_hdf5_data *data, const int64_t *start, const int64_t *count, void *out, char *error,
                size_t capacity);
    /* Bytes of the chunk that begins at element start[], as it stands in the file; 0: it is not there. */
    uint64_t (*chunk_size)(rk_hdf5_data *data, const int64_t *start);
    /* Those bytes; *encoded: not in the way that form says. */
    int (*read_chunk)(rk_hdf5_data *data, const int64_t *start, void *out, bool *encoded, char *error,
                      size_t capacity);
    int (*write_chunk)(rk_hdf5_data *data, const int64_t *start, const void *in, size_t len, char *error,
                       size_t capacity);
    /* Ends data; of a created file: after all is written. NULL is legal. */
    int (*close)(rk_hdf5_data *data, char *error, size_t capacity);
} rk_hdf5_module;

#endif
