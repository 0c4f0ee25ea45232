#include "core/base/array.h"

#include <rask/base.h>

enum { FIRST_CAPACITY = 16, CHUNK_BYTES = 16384, ALIGNMENT = 16 };

int rk_array_reserve(rk_array *array, size_t count)
{
    if (count <= array->capacity - array->count)
        return RASK_OK;
    if (count > array->ceiling - array->count)
        return RASK_ELIMIT;
    size_t twice = array->capacity > SIZE_MAX / 2 ? SIZE_MAX : 2 * array->capacity,
           all = array->count + count;
    size_t capacity = array->capacity ? twice : FIRST_CAPACITY;
    capacity = capacity > all ? capacity : all;
    if (capacity > array->ceiling)
        capacity = array->ceiling;
    size_t bytes;
    if (__builtin_mul_overflow(capacity, array->element, &bytes))
        return RASK_ENOMEM;
    void *data = rk_realloc(array->data, bytes);
    if (!data)
        return RASK_ENOMEM;
    array->data = data;
    array->capacity = capacity;
    return RASK_OK;
}

void rk_array_fini(rk_array *array)
{
    rk_free(array->data);
    array->data = NULL;
    array->count = array->capacity = 0;
}

struct rk_arena_chunk {
    struct rk_arena_chunk *next;
    size_t capacity;
    _Alignas(ALIGNMENT) char bytes[];
};

static struct rk_arena_chunk *chunk_new(rk_arena *arena, size_t least)
{
    size_t capacity = least > CHUNK_BYTES ? least : CHUNK_BYTES;
    if (arena->ceiling && capacity > arena->ceiling - arena->total)
        return NULL;
    struct rk_arena_chunk *chunk = rk_alloc(sizeof *chunk + capacity);
    if (!chunk)
        return NULL;
    chunk->next = arena->chunks;
    chunk->capacity = capacity;
    arena->chunks = chunk;
    arena->used = 0;
    arena->total += capacity;
    return chunk;
}

void *rk_arena_alloc(rk_arena *arena, size_t size)
{
    if (size > PTRDIFF_MAX)
        return NULL;
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct rk_arena_chunk *chunk = arena->chunks;
    if ((!chunk || size > chunk->capacity - arena->used) && !(chunk = chunk_new(arena, size)))
        return NULL;
    void *ptr = chunk->bytes + arena->used;
    arena->used += size;
    return ptr;
}

void rk_arena_fini(rk_arena *arena)
{
    while (arena->chunks) {
        struct rk_arena_chunk *next = arena->chunks->next;
        rk_free(arena->chunks);
        arena->chunks = next;
    }
    arena->used = arena->total = 0;
}
