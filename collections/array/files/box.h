/* collections/array/files/box: a box of elements that lies in a file and in memory, and how to go through it in the
 * order of the file.
 *
 * Axes are sorted by how far apart their elements are in the file. Those of one element vanish, and neighbours that
 * continue each other in both places are made one. */
#ifndef RASK_COLLECTIONS_ARRAY_FILES_BOX_H
#define RASK_COLLECTIONS_ARRAY_FILES_BOX_H

#include "collections/array/array.h"

/* How many elements, and how many bytes apart they are in the file and in memory. */
typedef struct rk_box_axis {
    int64_t count, file, memory;
} rk_box_axis;

typedef struct rk_box {
    size_t size;                           /* of an element */
    int64_t first;                         /* byte of the file that the first element begins at */
    uint32_t ndim;                         /* 1 or more */
    rk_box_axis axes[RASK_MAX_DIMENSIONS]; /* slowest in the file first */
} rk_box;

/* The box of count[] elements from start[] on of an array whose element 0 is at offset in the file. Strides are
 * positive; no count is 0. */
void rk_box_init(rk_box *box, size_t size, uint32_t ndim, int64_t offset, const int64_t *file_strides,
                 const int64_t *start, const int64_t *count, const int64_t *memory_strides);

/* The axis along which to cut pieces that span at most room bytes of the file, with gaps of at most gap bytes inside:
 * pieces have count (1 or more) elements of it, and each of those, with all axes behind, spans extent bytes. */
uint32_t rk_box_split(const rk_box *box, int64_t room, int64_t gap, int64_t *count, int64_t *extent);

/* Steps index, of axes 0 … ndim - 1, by step elements of the last one; false behind the end. */
bool rk_box_next(const rk_box *box, uint32_t ndim, int64_t step, int64_t *index);

/* Where index, of axes 0 … ndim - 1, is from the first element on. */
void rk_box_locate(const rk_box *box, uint32_t ndim, const int64_t *index, int64_t *file, int64_t *memory);

/* Copies a piece, count elements of axis split and all behind it, between a copy of that part of the file and memory. */
void rk_box_unpack(const rk_box *box, uint32_t split, int64_t count, const void *file, void *memory);
void rk_box_pack(const rk_box *box, uint32_t split, int64_t count, void *file, const void *memory);

#endif
