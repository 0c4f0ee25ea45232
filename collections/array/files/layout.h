/* collections/array/files/layout: how elements lie in files. */
#ifndef RASK_COLLECTIONS_ARRAY_FILES_LAYOUT_H
#define RASK_COLLECTIONS_ARRAY_FILES_LAYOUT_H

#include <rask/value.h>

/* Bytes of a shape of a dtype: RASK_OK, or RASK_EFORMAT with a reason in message when a length is negative or they do
 * not fit 62 bits. Empty axes do not hide what the others come to. */
int rk_shape_bytes(rask_dtype dtype, uint32_t ndim, const int64_t *shape, int64_t *bytes);

/* Strides of a dense array, in C order or with the first axis fastest. */
void rk_file_strides(rask_dtype dtype, uint32_t ndim, const int64_t *shape, bool fortran, int64_t *strides);

#endif
