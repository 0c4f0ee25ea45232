/* collections/table/arrow/unflat: FlatBuffers from outside, read in place; nothing is believed. A place that is not in the bytes
 * sets wrong, and what is read from there on is 0. */
#ifndef RASK_COLLECTIONS_TABLE_ARROW_UNFLAT_H
#define RASK_COLLECTIONS_TABLE_ARROW_UNFLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rk_unflat {
    const unsigned char *data;
    size_t len;
    bool wrong;
} rk_unflat;

typedef struct rk_unflat_table {
    size_t place, vtable;
    uint32_t slots; /* 0: there is none, or nothing in it */
} rk_unflat_table;

/* A little-endian number of size bytes. */
uint64_t rk_unflat_number(rk_unflat *f, size_t place, uint32_t size);
rk_unflat_table rk_unflat_root(rk_unflat *f);
/* The table that the four bytes at place refer to. */
rk_unflat_table rk_unflat_at(rk_unflat *f, size_t place);

bool rk_unflat_has(rk_unflat *f, const rk_unflat_table *t, uint32_t slot);
/* A field; what it is when it is left out is fallback. */
uint64_t rk_unflat_field(rk_unflat *f, const rk_unflat_table *t, uint32_t slot, uint32_t size,
                         uint64_t fallback);
rk_unflat_table rk_unflat_table_in(rk_unflat *f, const rk_unflat_table *t, uint32_t slot);
/* Elements of a vector in a field, each of size bytes: where the first is; *count: 0 when the field is left out. */
size_t rk_unflat_vector_in(rk_unflat *f, const rk_unflat_table *t, uint32_t slot, size_t size, size_t *count);

#endif
