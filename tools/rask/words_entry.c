#include "words_entry.h"

#include <stdlib.h>
#include <xxhash.h>

/* splitmix64: spreads a seed, be it 0 or 1, over all bits. */
static uint64_t spread(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

words_key words_key_of(uint64_t seed)
{
    uint64_t state = seed;
    uint64_t a = spread(&state);
    return (words_key){.seed = seed, .a = a, .b = spread(&state)};
}

uint64_t words_hash_long(const words_key *key, const char *word, size_t len)
{
    return XXH3_64bits_withSeed(word, len, key->a);
}

static int arena_reserve(words_arena *arena, size_t more)
{
    if (arena->capacity - arena->used >= more)
        return RASK_OK;
    size_t capacity = arena->capacity + arena->capacity / 2 + 4096;
    if (capacity < arena->used + more)
        capacity = arena->used + more;
    char *data = realloc(arena->data, capacity);
    if (!data)
        return RASK_ENOMEM;
    arena->data = data;
    arena->capacity = capacity;
    return RASK_OK;
}

int words_arena_add(words_arena *arena, const char *word, size_t len, uint64_t *offset)
{
    uint64_t length = len;
    int status = arena_reserve(arena, sizeof length + len);
    if (status)
        return status;
    *offset = arena->used;
    memcpy(arena->data + arena->used, &length, sizeof length);
    memcpy(arena->data + arena->used + sizeof length, word, len);
    arena->used += sizeof length + len;
    return RASK_OK;
}
