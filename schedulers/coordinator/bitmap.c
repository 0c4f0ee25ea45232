#include "schedulers/coordinator/bitmap.h"

#include "core/base/alloc.h"

#include <rask/base.h>

static uint64_t words_for(uint64_t bits)
{
    return (bits + 63) / 64;
}

int rk_bitmap_init(rk_bitmap *b, uint32_t count)
{
    uint64_t total = 0, bits = count ? count : 1;
    b->levels = 0;
    do {
        bits = words_for(bits);
        total += bits;
        b->levels++;
    } while (bits > 1);
    uint64_t *at = b->memory = rk_calloc(total, sizeof *at);
    if (!at)
        return RASK_ENOMEM;
    bits = count ? count : 1;
    for (uint32_t l = 0; l < b->levels; l++) {
        b->level[l] = at;
        bits = words_for(bits);
        at += bits;
    }
    return RASK_OK;
}

void rk_bitmap_fini(rk_bitmap *b)
{
    rk_free(b->memory);
    b->memory = NULL;
}
