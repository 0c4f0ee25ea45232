/* collections/bag/record: what fields records have, and what can be done with one: hash, compare, print. */
#ifndef RASK_COLLECTIONS_BAG_RECORD_H
#define RASK_COLLECTIONS_BAG_RECORD_H

#include "core/base/array.h"
#include "core/base/limits.h"

#include <rask/bag.h>

/* The fields of a bag's records. */
typedef struct rk_shape {
    uint32_t count;
    char types[RASK_MAX_FIELDS + 1]; /* letters, with a NUL */
    uint32_t sizes[RASK_MAX_FIELDS]; /* bytes of an item: 8, of 'x' the structure's; of 'y' 0 */
} rk_shape;

/* Of letters. RASK_EINVAL: none, too many, an unknown one, or an 'x' whose size is 0 or more than RK_MAX_BAG_STRUCT. */
int rk_shape_init(rk_shape *shape, const char *types, size_t struct_size);
/* Adds fields from … from + count - 1 of another. RASK_ELIMIT. */
int rk_shape_append(rk_shape *shape, const rk_shape *other, uint32_t from, uint32_t count);
bool rk_shape_equal(const rk_shape *a, const rk_shape *b);

/* Whether a record has these fields, each of which may be nothing. */
bool rk_shape_takes(const rk_shape *shape, const rask_item *items, uint32_t count);

/* Order of items of one type: of numbers, with 0.0 equal to -0.0 and all NaN alike and behind; of bytes as memcmp, a prefix
 * first; nothing comes last. */
int rk_item_compare(const rask_item *a, const rask_item *b);
int rk_record_compare(const rask_record *a, const rask_record *b, uint32_t fields);

/* Of the first fields; equal ones have equal hashes. */
uint64_t rk_record_hash(const rask_record *record, uint32_t fields, uint64_t seed);

/* The seed of the hashes that records are ordered by, everywhere and always. */
#define RK_BAG_ORDER_SEED 0

/* Appends the record as a line of text, fields separated by tabs. RASK_OK, RASK_ENOMEM, RASK_ELIMIT. */
int rk_record_print(const rask_record *record, rk_array *text);

#endif
