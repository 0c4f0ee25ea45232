/* collections/table/groups/flat: bytes that are written twice, first to learn how many they are, and read once. Numbers
 * are as in memory, everything begins at a multiple of 8. */
#ifndef RASK_COLLECTIONS_TABLE_GROUPS_FLAT_H
#define RASK_COLLECTIONS_TABLE_GROUPS_FLAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct rk_flat {
    char *data; /* NULL: only counts */
    size_t len;
} rk_flat;

typedef struct rk_unflat {
    const char *data;
    size_t at, len;
} rk_unflat;

static inline size_t rk_flat_size(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static inline void rk_flat_put(rk_flat *out, const void *data, size_t size)
{
    if (out->data && size) {
        memset(out->data + out->len + (size & ~(size_t)7), 0, rk_flat_size(size) - (size & ~(size_t)7));
        memcpy(out->data + out->len, data, size);
    }
    out->len += rk_flat_size(size);
}

static inline void rk_flat_put_u64(rk_flat *out, uint64_t value)
{
    rk_flat_put(out, &value, sizeof value);
}

/* What was put, in place. */
static inline const void *rk_flat_get(rk_unflat *in, size_t size)
{
    const char *data = in->data + in->at;
    in->at += rk_flat_size(size);
    assert(in->at <= in->len);
    return data;
}

static inline uint64_t rk_flat_get_u64(rk_unflat *in)
{
    uint64_t value;
    memcpy(&value, rk_flat_get(in, sizeof value), sizeof value);
    return value;
}

#endif
