#include "collections/array/copy.h"

#include "collections/array/kernels/kernels.h"

#include <string.h>

void rk_dense_strides(uint32_t ndim, const int64_t *count, size_t size, int64_t *strides)
{
    int64_t stride = (int64_t)size;
    for (uint32_t i = ndim; i-- > 0; stride *= count[i])
        strides[i] = stride;
}

/* Axes that both sides walk as one are one, those of length 1 are none. */
typedef struct box {
    uint32_t ndim;
    int64_t count[RASK_MAX_DIMENSIONS], to[RASK_MAX_DIMENSIONS], from[RASK_MAX_DIMENSIONS];
} box;

static box simplify(uint32_t ndim, const int64_t *count, const int64_t *to, const int64_t *from)
{
    box b = {0};
    for (uint32_t i = 0; i < ndim; i++) {
        if (count[i] == 1)
            continue;
        uint32_t last = b.ndim - 1;
        if (b.ndim && b.to[last] == to[i] * count[i] && b.from[last] == from[i] * count[i]) {
            b.count[last] *= count[i];
            b.to[last] = to[i];
            b.from[last] = from[i];
            continue;
        }
        b.count[b.ndim] = count[i];
        b.to[b.ndim] = to[i];
        b.from[b.ndim++] = from[i];
    }
    return b;
}

/* One line. */
static void copy_line(int64_t count, size_t size, char *to, int64_t to_stride, const char *from,
                      int64_t from_stride)
{
    if (to_stride == (int64_t)size && from_stride == (int64_t)size)
        memcpy(to, from, (size_t)count * size);
    else if (to_stride == (int64_t)size)
        rk_gather((size_t)count, size, to, from, from_stride);
    else
        for (int64_t i = 0; i < count; i++)
            memcpy(to + i * to_stride, from + i * from_stride, size);
}

static bool is_transposed(const box *b, size_t size)
{
    return b->ndim >= 2 && b->to[b->ndim - 1] == (int64_t)size &&
           b->to[b->ndim - 2] == b->count[b->ndim - 1] * (int64_t)size &&
           b->from[b->ndim - 2] == (int64_t)size;
}

void rk_copy_box(uint32_t ndim, const int64_t *count, size_t size, void *to, const int64_t *to_strides,
                 const void *from, const int64_t *from_strides)
{
    for (uint32_t i = 0; i < ndim; i++)
        if (!count[i])
            return;
    box b = simplify(ndim, count, to_strides, from_strides);
    if (!b.ndim) {
        memcpy(to, from, size);
        return;
    }
    bool transposed = is_transposed(&b, size);
    uint32_t walked = b.ndim - 1 - transposed, last = b.ndim - 1;
    int64_t index[RASK_MAX_DIMENSIONS] = {0};
    char *out = to;
    const char *in = from;
    for (;;) {
        if (transposed)
            rk_gather_2d((size_t)b.count[last], (size_t)b.count[last - 1], size, out, in, b.from[last],
                         b.from[last - 1]);
        else
            copy_line(b.count[last], size, out, b.to[last], in, b.from[last]);
        uint32_t i = walked;
        while (i-- > 0) {
            out += b.to[i];
            in += b.from[i];
            if (++index[i] < b.count[i])
                break;
            out -= b.to[i] * b.count[i];
            in -= b.from[i] * b.count[i];
            index[i] = 0;
        }
        if (i == UINT32_MAX)
            return;
    }
}
