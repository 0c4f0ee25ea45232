/* collections/array/files/npy: NumPy's file of one array (NumPy Enhancement Proposal 1, "A Simple File Format for
 * NumPy Arrays"), versions 1 to 3: magic, version, length of the header, header, elements. The header is a Python
 * dictionary of exactly three entries: descr, fortran_order and shape. */
#ifndef RASK_COLLECTIONS_ARRAY_FILES_NPY_H
#define RASK_COLLECTIONS_ARRAY_FILES_NPY_H

#include "collections/array/source.h"
#include "collections/files/npy_head.h"

enum {
    RK_NPY_PREFIX = 12,          /* bytes that are enough to learn how long the header is */
    RK_NPY_MAX_HEADER = 64 << 10 /* bytes of a header, with its prefix */
};

typedef struct rk_npy_header {
    rask_dtype dtype;
    bool swapped, fortran;
    uint32_t ndim;
    int64_t shape[RASK_MAX_DIMENSIONS];
    size_t size; /* bytes before the first element */
} rk_npy_header;

/* Reads what begins a file: len bytes of it, RK_NPY_MAX_HEADER or all there are. RASK_OK; RASK_EFORMAT and
 * RASK_EUNSUPPORTED with a reason. */
int rk_npy_parse(const char *data, size_t len, rk_npy_header *header, char *message, size_t capacity);

/* The source over the array at bytes offset … offset + size - 1 of fd, which it takes over, also on failure. path: for
 * messages. */
rk_source *rk_npy_source(const char *path, int fd, int64_t offset, int64_t size, rk_open_error *error);

/* The header for an array in this machine's byte order, padded so that elements begin at a multiple of 64 bytes, as
 * NumPy does. Returns its length, at most RK_NPY_HEADER_ROOM. */
size_t rk_npy_format(rask_dtype dtype, uint32_t ndim, const int64_t *shape, bool fortran,
                     char header[RK_NPY_HEADER_ROOM]);

#endif
