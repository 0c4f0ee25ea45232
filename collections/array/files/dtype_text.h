/* collections/array/files/dtype_text: dtypes as NumPy writes them into .npy headers and Zarr metadata: "<f8". */
#ifndef RASK_COLLECTIONS_ARRAY_FILES_DTYPE_TEXT_H
#define RASK_COLLECTIONS_ARRAY_FILES_DTYPE_TEXT_H

#include <rask/value.h>

/* Byte order ('<', '>', '=' or '|', or none), kind and size. False when it is none of ours; *swapped: in the other
 * order than the machine's. */
bool rk_typestr_parse(const char *text, size_t len, rask_dtype *dtype, bool *swapped);

/* For this machine's byte order; static. */
const char *rk_typestr(rask_dtype dtype);

#endif
