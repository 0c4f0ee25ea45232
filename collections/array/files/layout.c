#include "collections/array/files/layout.h"

#include "collections/array/array.h"

int rk_shape_bytes(rask_dtype dtype, uint32_t ndim, const int64_t *shape, int64_t *bytes)
{
    int64_t whole = (int64_t)rask_dtype_size(dtype);
    bool empty = false;
    for (uint32_t i = 0; i < ndim; i++) {
        empty |= shape[i] == 0;
        if (shape[i] < 0 || __builtin_mul_overflow(whole, shape[i] ? shape[i] : 1, &whole) || whole >> 62)
            return RASK_EFORMAT;
    }
    *bytes = empty ? 0 : whole;
    return RASK_OK;
}

void rk_file_strides(rask_dtype dtype, uint32_t ndim, const int64_t *shape, bool fortran, int64_t *strides)
{
    int64_t stride = (int64_t)rask_dtype_size(dtype);
    for (uint32_t i = 0; i < ndim; i++) {
        uint32_t axis = fortran ? i : ndim - 1 - i;
        strides[axis] = stride;
        stride *= shape[axis] ? shape[axis] : 1;
    }
}
