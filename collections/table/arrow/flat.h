/* collections/table/arrow/flat: FlatBuffers, written from front to back (https://flatbuffers.dev/internals/): what stands in
 * another's field comes behind it, and is referred to once it is there. */
#ifndef RASK_COLLECTIONS_TABLE_ARROW_FLAT_H
#define RASK_COLLECTIONS_TABLE_ARROW_FLAT_H

#include "core/base/array.h"

enum { RK_FLAT_FIELDS = 8 }; /* most fields of a table */

typedef struct rk_flat {
    rk_array bytes; /* places are counted from its beginning, which lies at a multiple of 8 */
    int status;     /* RASK_ENOMEM: nothing that is written matters any more */
} rk_flat;

/* Where fields of a table are. */
typedef struct rk_flat_table {
    size_t place;
    size_t fields[RK_FLAT_FIELDS];
} rk_flat_table;

void rk_flat_init(rk_flat *f); /* with room for the reference to the root, at place 0 */
void rk_flat_fini(rk_flat *f);

/* A table whose fields have sizes[0 … count - 1] bytes: 1, 2, 4, 8; 0: it is left out. All are 0 as yet. */
rk_flat_table rk_flat_table_new(rk_flat *f, const uint8_t *sizes, uint32_t count);
/* size bytes of a little-endian number. */
void rk_flat_set(rk_flat *f, size_t place, uint64_t value, uint32_t size);
/* The four bytes at place refer to target, which lies behind it. */
void rk_flat_refer(rk_flat *f, size_t place, size_t target);

size_t rk_flat_string(rk_flat *f, const char *text);
/* count elements of size bytes, all 0: the place of the vector; *first: that of its first element, a multiple of 8 for those of
 * 8 bytes and more. */
size_t rk_flat_vector(rk_flat *f, size_t count, size_t size, size_t *first);

#endif
