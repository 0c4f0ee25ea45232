/* Elements that lie apart, made contiguous, and matrices transposed. Only the size of elements matters; sources may be
 * aligned in any way. */
#include "collections/array/kernels/kernel.h"

#include <string.h>

typedef struct bytes_16 {
    uint64_t first, second;
} bytes_16;

/* size, type of an element */
#define SIZES(X) X(1, uint8_t) X(2, uint16_t) X(4, uint32_t) X(8, uint64_t) X(16, bytes_16)

/* -- One run ------------------------------------------------------------------------------------------------ */

/* Constant distances have loops of their own, which the compiler makes shuffles of. */
#define GATHER(size, T)                                                                                      \
    RK_INLINE T load_##size(const char *from)                                                                \
    {                                                                                                        \
        T element;                                                                                           \
        memcpy(&element, from, sizeof element);                                                              \
        return element;                                                                                      \
    }                                                                                                        \
    RK_KERNEL static void gather_##size(size_t n, void *out, const char *in, int64_t stride)                 \
    {                                                                                                        \
        T *o = out;                                                                                          \
        if (stride == -(int64_t)sizeof(T)) {                                                                 \
            for (size_t i = 0; i < n; i++)                                                                   \
                o[i] = load_##size(in - i * sizeof(T));                                                      \
        } else if (stride == 2 * (int64_t)sizeof(T)) {                                                       \
            for (size_t i = 0; i < n; i++)                                                                   \
                o[i] = load_##size(in + 2 * i * sizeof(T));                                                  \
        } else if (stride == 0) {                                                                            \
            const T element = load_##size(in);                                                               \
            for (size_t i = 0; i < n; i++)                                                                   \
                o[i] = element;                                                                              \
        } else {                                                                                             \
            for (size_t i = 0; i < n; i++)                                                                   \
                o[i] = load_##size(in + (int64_t)i * stride);                                                \
        }                                                                                                    \
    }
SIZES(GATHER)

void rk_gather(size_t n, size_t size, void *out, const void *in, int64_t stride)
{
    if (!n)
        return;
    if (stride == (int64_t)size) {
        memcpy(out, in, n * size);
        return;
    }
    switch (size) {
    case 1: gather_1(n, out, in, stride); break;
    case 2: gather_2(n, out, in, stride); break;
    case 4: gather_4(n, out, in, stride); break;
    case 8: gather_8(n, out, in, stride); break;
    default: gather_16(n, out, in, stride); break;
    }
}

/* -- Transposing ---------------------------------------------------------------------------------------------
 *
 * In squares whose side is a cache line: its elements are read line by line, and the lines it writes are full before
 * they leave the cache, however far apart they are. A square is made of tiles that fit registers where there are shuffles
 * for them. */

enum { LINE = 64 };

#if defined(__has_builtin)
#    if __has_builtin(__builtin_shufflevector)
#        define WITH_SHUFFLES
#    endif
#endif

/* A tile of `side` elements each way whose rows are contiguous. */
#ifdef WITH_SHUFFLES
#    define TILE(size, T)                                                                                    \
        RK_INLINE void tile_##size(T *out, size_t rows, const char *in, int64_t row_stride)                  \
        {                                                                                                    \
            typedef T row __attribute__((vector_size(4 * sizeof(T))));                                       \
            row a, b, c, d;                                                                                  \
            memcpy(&a, in, sizeof a);                                                                        \
            memcpy(&b, in + row_stride, sizeof b);                                                           \
            memcpy(&c, in + 2 * row_stride, sizeof c);                                                       \
            memcpy(&d, in + 3 * row_stride, sizeof d);                                                       \
            row even = __builtin_shufflevector(a, b, 0, 4, 2, 6);                                            \
            row odd = __builtin_shufflevector(a, b, 1, 5, 3, 7);                                             \
            row next_even = __builtin_shufflevector(c, d, 0, 4, 2, 6);                                       \
            row next_odd = __builtin_shufflevector(c, d, 1, 5, 3, 7);                                        \
            a = __builtin_shufflevector(even, next_even, 0, 1, 4, 5);                                        \
            b = __builtin_shufflevector(odd, next_odd, 0, 1, 4, 5);                                          \
            c = __builtin_shufflevector(even, next_even, 2, 3, 6, 7);                                        \
            d = __builtin_shufflevector(odd, next_odd, 2, 3, 6, 7);                                          \
            memcpy(out, &a, sizeof a);                                                                       \
            memcpy(out + rows, &b, sizeof b);                                                                \
            memcpy(out + 2 * rows, &c, sizeof c);                                                            \
            memcpy(out + 3 * rows, &d, sizeof d);                                                            \
        }
#else
#    define TILE(size, T) PLAIN_TILE(size, T)
#endif
#define PLAIN_TILE(size, T)                                                                                  \
    RK_INLINE void tile_##size(T *out, size_t rows, const char *in, int64_t row_stride)                      \
    {                                                                                                        \
        for (size_t r = 0; r < 4; r++)                                                                       \
            for (size_t c = 0; c < 4; c++)                                                                   \
                out[c * rows + r] = load_##size(in + (int64_t)r * row_stride + c * sizeof(T));               \
    }
PLAIN_TILE(1, uint8_t)
PLAIN_TILE(2, uint16_t)
TILE(4, uint32_t)
TILE(8, uint64_t)
PLAIN_TILE(16, bytes_16)

/* Any part of a matrix: out as rk_gather_2d() has it, the part's first element. */
#define TRANSPOSE(size, T)                                                                                   \
    RK_INLINE void part_##size(size_t rows, size_t r_count, size_t c_count, T *out, const char *in,          \
                               int64_t row_stride, int64_t column_stride)                                    \
    {                                                                                                        \
        for (size_t r = 0; r < r_count; r++)                                                                 \
            for (size_t c = 0; c < c_count; c++)                                                             \
                out[c * rows + r] = load_##size(in + (int64_t)r * row_stride + (int64_t)c * column_stride);  \
    }                                                                                                        \
    RK_KERNEL static void transpose_##size(size_t rows, size_t columns, void *to, const char *in,            \
                                           int64_t row_stride, int64_t column_stride)                        \
    {                                                                                                        \
        T *out = to;                                                                                         \
        const size_t side = LINE / sizeof(T);                                                                \
        for (size_t r = 0; r < rows; r += side)                                                              \
            for (size_t c = 0; c < columns; c += side) {                                                     \
                size_t r_count = rows - r < side ? rows - r : side;                                          \
                size_t c_count = columns - c < side ? columns - c : side;                                    \
                const char *from = in + (int64_t)r * row_stride + (int64_t)c * column_stride;                \
                T *at = out + c * rows + r;                                                                  \
                if (r_count < side || c_count < side || column_stride != (int64_t)sizeof(T)) {               \
                    part_##size(rows, r_count, c_count, at, from, row_stride, column_stride);                \
                    continue;                                                                                \
                }                                                                                            \
                for (size_t i = 0; i < side; i += 4)                                                         \
                    for (size_t k = 0; k < side; k += 4)                                                     \
                        tile_##size(at + k * rows + i, rows, from + (int64_t)i * row_stride + k * sizeof(T), \
                                    row_stride);                                                             \
            }                                                                                                \
    }
SIZES(TRANSPOSE)

static bool nearer(int64_t a, int64_t b)
{
    return (a < 0 ? -a : a) <= (b < 0 ? -b : b);
}

void rk_gather_2d(size_t rows, size_t columns, size_t size, void *out, const void *in, int64_t row_stride,
                  int64_t column_stride)
{
    if (nearer(row_stride, column_stride) || rows < 4 || columns < 2) {
        for (size_t c = 0; c < columns; c++)
            rk_gather(rows, size, (char *)out + c * rows * size,
                      (const char *)in + (int64_t)c * column_stride, row_stride);
        return;
    }
    switch (size) {
    case 1: transpose_1(rows, columns, out, in, row_stride, column_stride); break;
    case 2: transpose_2(rows, columns, out, in, row_stride, column_stride); break;
    case 4: transpose_4(rows, columns, out, in, row_stride, column_stride); break;
    case 8: transpose_8(rows, columns, out, in, row_stride, column_stride); break;
    default: transpose_16(rows, columns, out, in, row_stride, column_stride); break;
    }
}
