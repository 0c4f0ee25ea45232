/* core/base/array: a growable array with a ceiling, and an arena for small things that end together. */
#ifndef RASK_CORE_BASE_ARRAY_H
#define RASK_CORE_BASE_ARRAY_H

#include "core/base/alloc.h"

#include <stdbool.h>

/* A zeroed rk_array with element and ceiling set is an empty array. Elements move when it grows. */
typedef struct rk_array {
    void *data;
    size_t count;
    size_t capacity; /* elements */
    size_t element;  /* bytes of one */
    size_t ceiling;  /* most elements it may ever hold */
} rk_array;

#define RK_ARRAY(type, most)                                                                                 \
    {                                                                                                        \
        .element = sizeof(type), .ceiling = (most)                                                           \
    }

/* Makes room for count more elements: RASK_OK, RASK_ENOMEM, or RASK_ELIMIT over the ceiling. */
int rk_array_reserve(rk_array *array, size_t count);

/* The next element, which counts from here on; NULL as above. */
static inline void *rk_array_push(rk_array *array)
{
    if (__builtin_expect(array->count == array->capacity, 0) && rk_array_reserve(array, 1))
        return NULL;
    return (char *)array->data + array->element * array->count++;
}

void rk_array_fini(rk_array *array);

/* Memory that ends all at once. A zeroed arena is empty. */
typedef struct rk_arena {
    struct rk_arena_chunk *chunks;
    size_t used;  /* of the newest chunk */
    size_t total; /* bytes taken from the allocator */
    size_t ceiling;
} rk_arena;

/* size bytes aligned for any type, or NULL (no memory, or over the ceiling when that is not 0). */
void *rk_arena_alloc(rk_arena *arena, size_t size);
void rk_arena_fini(rk_arena *arena);

#endif
