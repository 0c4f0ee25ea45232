/* schedulers/coordinator/bitmap: a set of small numbers that knows its least one, in time that grows with the
 * logarithm to base 64 of how large they may be. */
#ifndef RASK_SCHEDULERS_COORDINATOR_BITMAP_H
#define RASK_SCHEDULERS_COORDINATOR_BITMAP_H

#include <stdbool.h>
#include <stdint.h>

enum { RK_BITMAP_LEVELS = 6 };

typedef struct rk_bitmap {
    uint64_t *level[RK_BITMAP_LEVELS]; /* a bit of level i + 1 says that a word of level i is not 0 */
    uint32_t levels;
    void *memory;
} rk_bitmap;

/* For numbers below count. RASK_OK, RASK_ENOMEM. */
int rk_bitmap_init(rk_bitmap *b, uint32_t count);
/* Legal for a zeroed one. */
void rk_bitmap_fini(rk_bitmap *b);

static inline bool rk_bitmap_has(const rk_bitmap *b, uint32_t i)
{
    return b->level[0][i / 64] >> i % 64 & 1;
}

static inline bool rk_bitmap_any(const rk_bitmap *b)
{
    return *b->level[b->levels - 1] != 0;
}

static inline void rk_bitmap_add(rk_bitmap *b, uint32_t i)
{
    for (uint32_t l = 0; l < b->levels; l++, i /= 64) {
        uint64_t before = b->level[l][i / 64];
        b->level[l][i / 64] = before | (uint64_t)1 << i % 64;
        if (before)
            return;
    }
}

static inline void rk_bitmap_remove(rk_bitmap *b, uint32_t i)
{
    for (uint32_t l = 0; l < b->levels; l++, i /= 64)
        if (b->level[l][i / 64] &= ~((uint64_t)1 << i % 64))
            return;
}

/* UINT32_MAX: none. */
static inline uint32_t rk_bitmap_first(const rk_bitmap *b)
{
    uint32_t at = 0;
    if (!rk_bitmap_any(b))
        return UINT32_MAX;
    for (uint32_t l = b->levels; l-- > 0;)
        at = at * 64 + (uint32_t)__builtin_ctzll(b->level[l][at]);
    return at;
}

#endif
