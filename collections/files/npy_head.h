/* collections/files/npy_head: how a NumPy file begins (NumPy Enhancement Proposal 1), version 1. */
#ifndef RASK_COLLECTIONS_FILES_NPY_HEAD_H
#define RASK_COLLECTIONS_FILES_NPY_HEAD_H

#include <stdbool.h>
#include <stddef.h>

enum {
    RK_NPY_HEADER_ROOM = 512,
    RK_NPY_ROW_HEADER = 128 /* bytes of the header of one axis, however long it is */
};

/* The header for elements of descr ("<f8") in a shape ("(3, 4)"), padded so that they begin at a multiple of 64 bytes, as
 * NumPy does. Returns its length. */
size_t rk_npy_head(const char *descr, const char *shape, bool fortran, char header[RK_NPY_HEADER_ROOM]);

#endif
