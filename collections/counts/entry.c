#include "collections/counts/entry.h"

#include "core/base/alloc.h"

#include <xxhash.h>

#include <stdbool.h>

enum { FIRST_CHUNK = 4 << 10, MOST_CHUNK = 2 << 20 }; /* bytes; a string may need more */

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

void rk_counts_arena_fini(rk_counts_arena *arena)
{
    for (uint32_t i = 0; i < arena->count; i++)
        rk_free(arena->chunks[i].data);
    rk_free(arena->chunks);
    *arena = (rk_counts_arena){0};
}

int rk_counts_arena_open(rk_counts_arena *arena, size_t capacity)
{
    bool full = (arena->count & (arena->count - 1)) == 0; /* room is made for twice as many */
    size_t room = arena->count ? 2 * (size_t)arena->count : 1;
    rk_counts_chunk *chunks = full ? rk_realloc(arena->chunks, room * sizeof *chunks) : arena->chunks;
    if (!chunks)
        return RASK_ENOMEM;
    arena->chunks = chunks;
    char *data = arena->count >> (64 - RK_COUNTS_CHUNK_BITS) ? NULL : rk_alloc(capacity);
    if (!data)
        return RASK_ENOMEM;
    chunks[arena->count++] = (rk_counts_chunk){.data = data, .capacity = capacity, .before = arena->used};
    arena->capacity += capacity;
    return RASK_OK;
}

/* A chunk behind which that many bytes are free. */
static int find_room(rk_counts_arena *arena, size_t bytes)
{
    const rk_counts_chunk *last = arena->count ? &arena->chunks[arena->count - 1] : NULL;
    if (last && last->capacity - last->used >= bytes)
        return RASK_OK;
    size_t capacity = arena->capacity + FIRST_CHUNK < MOST_CHUNK ? arena->capacity + FIRST_CHUNK : MOST_CHUNK;
    return rk_counts_arena_open(arena, capacity < bytes ? bytes : capacity);
}

int rk_counts_arena_add(rk_counts_arena *arena, const char *text, size_t len, uint64_t *place)
{
    uint64_t length = len;
    int status = find_room(arena, sizeof length + len);
    if (status)
        return status;
    rk_counts_chunk *chunk = &arena->chunks[arena->count - 1];
    *place = (uint64_t)(arena->count - 1) << RK_COUNTS_CHUNK_BITS | chunk->used;
    memcpy(chunk->data + chunk->used, &length, sizeof length);
    memcpy(chunk->data + chunk->used + sizeof length, text, len);
    chunk->used += sizeof length + len;
    arena->used += sizeof length + len;
    return RASK_OK;
}
