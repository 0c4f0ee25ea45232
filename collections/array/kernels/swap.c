/* Byte order. */
#include "collections/array/kernels/kernel.h"

#define SWAP(bits)                                                                                           \
    RK_KERNEL static void swap_##bits(size_t n, uint##bits##_t *data)                                        \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++)                                                                       \
            data[i] = __builtin_bswap##bits(data[i]);                                                        \
    }
SWAP(16)
SWAP(32)
SWAP(64)

void rk_swap_bytes(size_t n, rask_dtype dtype, void *data)
{
    size_t halves = rk_dtype_is_complex(dtype) ? 2 : 1;
    switch (rask_dtype_size(dtype) / halves) {
    case 2: swap_16(n, data); break;
    case 4: swap_32(n * halves, data); break;
    case 8: swap_64(n * halves, data); break;
    default: break;
    }
}
