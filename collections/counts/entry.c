#include "collections/counts/entry.h"

#include "core/base/alloc.h"

#include <xxhash.h>

/* splitmix64: spreads a seed, be it 0 or 1, over all bits. */
static uint64_t spread(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

rk_counts_key rk_counts_key_of(uint64_t seed)
{
    uint64_t state = seed;
    uint64_t a = spread(&state);
    return (rk_counts_key){.seed = seed, .a = a, .b = spread(&state)};
}

uint64_t rk_counts_hash_long(const rk_counts_key *key, const char *text, size_t len)
{
    return XXH3_64bits_withSeed(text, len, key->a);
}

static int arena_reserve(rk_counts_arena *arena, size_t more)
{
    if (arena->capacity - arena->used >= more)
        return RASK_OK;
    size_t capacity = arena->capacity + arena->capacity / 2 + 4096;
    if (capacity < arena->used + more)
        capacity = arena->used + more;
    char *data = rk_realloc(arena->data, capacity);
    if (!data)
        return RASK_ENOMEM;
    arena->data = data;
    arena->capacity = capacity;
    return RASK_OK;
}

int rk_counts_arena_add(rk_counts_arena *arena, const char *text, size_t len, uint64_t *offset)
{
    uint64_t length = len;
    int status = arena_reserve(arena, sizeof length + len);
    if (status)
        return status;
    *offset = arena->used;
    memcpy(arena->data + arena->used, &length, sizeof length);
    memcpy(arena->data + arena->used + sizeof length, text, len);
    arena->used += sizeof length + len;
    return RASK_OK;
}
