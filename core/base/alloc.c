#include "core/base/alloc.h"

#include "core/base/limits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static rask_allocator hook; /* all NULL: the C library's */

int rask_set_allocator(const rask_allocator *allocator)
{
    if (!allocator) {
        hook = (rask_allocator){0};
        return RASK_OK;
    }
    if (!allocator->alloc || !allocator->realloc || !allocator->free)
        return RASK_EINVAL;
    hook = *allocator;
    return RASK_OK;
}

/* Arrays over a million nodes are touched once from end to end: with small pages the faults would cost as much
 * as the work. */
static void *alloc_large(size_t size)
{
    void *ptr;
    if (posix_memalign(&ptr, RK_ALLOC_LARGE, size))
        return NULL;
#ifdef MADV_HUGEPAGE
    madvise(ptr, size & ~(RK_ALLOC_LARGE - 1), MADV_HUGEPAGE);
#endif
    return ptr;
}

void *rk_alloc(size_t size)
{
    if (!size)
        return NULL;
    if (hook.alloc)
        return hook.alloc(hook.context, size);
    return size < RK_ALLOC_LARGE ? malloc(size) : alloc_large(size);
}

void *rk_alloc_array(size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : rk_alloc(bytes);
}

void *rk_calloc(size_t count, size_t size)
{
    void *ptr = rk_alloc_array(count, size);
    return ptr ? memset(ptr, 0, count * size) : NULL;
}

void *rk_realloc(void *ptr, size_t size)
{
    if (!ptr || !size)
        return ptr ? NULL : rk_alloc(size);
    return hook.realloc ? hook.realloc(hook.context, ptr, size) : realloc(ptr, size);
}

void rk_free(void *ptr)
{
    if (!ptr)
        return;
    if (hook.free)
        hook.free(hook.context, ptr);
    else
        free(ptr);
}

char *rk_strndup(const char *text, size_t len)
{
    char *copy = rk_alloc(len + 1);
    if (copy) {
        if (len)
            memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}
