/* Small blocks come from the C library. Large ones are mapped, aligned for huge pages, because arrays over a
 * million nodes are touched once from end to end: with small pages the faults would cost as much as the work.
 * A few freed large blocks are kept for the next who asks, which saves the kernel from clearing them again.
 *
 * Large blocks are listed in a table by address, so that rk_free() can tell: only addresses that are aligned
 * like one are looked up. With a hook installed none of this is used. */
#include "core/base/alloc.h"

#include "core/base/limits.h"

#ifdef __APPLE__
#    include <malloc/malloc.h>
#    define malloc_usable_size malloc_size
#else
#    include <malloc.h>
#endif
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static rask_allocator hook; /* all NULL: none */

enum { KEPT = 32, TABLE = 4096 };

typedef struct block {
    void *at; /* NULL: empty */
    size_t size;
} block;

/* table: open addressing over live blocks; what finds no place there is left to the C library. */
static struct {
    pthread_mutex_t lock;
    block table[TABLE], kept[KEPT];
    size_t live, kept_bytes, next_kept;
} large = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void before_fork(void)
{
    pthread_mutex_lock(&large.lock);
}

static void after_fork_parent(void)
{
    pthread_mutex_unlock(&large.lock);
}

static void after_fork_child(void)
{
    pthread_mutex_init(&large.lock, NULL);
}

static void know_fork(void)
{
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

static size_t rounded(size_t size)
{
    return (size + RK_ALLOC_LARGE - 1) & ~(RK_ALLOC_LARGE - 1);
}

static size_t slot_of(const void *at)
{
    return ((uintptr_t)at / RK_ALLOC_LARGE * 0x9e3779b97f4a7c15u >> 40) % TABLE;
}

static void table_put(block b)
{
    size_t slot = slot_of(b.at);
    while (large.table[slot].at)
        slot = (slot + 1) % TABLE;
    large.table[slot] = b;
    large.live++;
}

/* Takes the entry out and moves up what stood behind it. The size, or 0 when there is none. */
static size_t table_take(const void *at)
{
    size_t slot = slot_of(at);
    while (large.table[slot].at && large.table[slot].at != at)
        slot = (slot + 1) % TABLE;
    size_t size = large.table[slot].at ? large.table[slot].size : 0;
    if (!size)
        return 0;
    large.live--;
    large.table[slot].at = NULL;
    for (size_t next = (slot + 1) % TABLE; large.table[next].at; next = (next + 1) % TABLE) {
        block moved = large.table[next];
        large.table[next].at = NULL;
        large.live--;
        table_put(moved);
    }
    return size;
}

/* The smallest kept block that is large enough, or the front of it. */
static void *take_kept(size_t size)
{
    block *best = NULL;
    for (block *b = large.kept; b < large.kept + KEPT; b++)
        if (b->at && b->size >= size && (!best || b->size < best->size))
            best = b;
    if (!best)
        return NULL;
    block taken = {best->at, size};
    *best = (block){(char *)best->at + size, best->size - size};
    if (!best->size)
        best->at = NULL;
    large.kept_bytes -= size;
    table_put(taken);
    return taken.at;
}

static void *map_large(size_t size)
{
    size_t mapped = size + RK_ALLOC_LARGE;
    char *start = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    char *at = (char *)rounded((uintptr_t)start);
    if (at > start)
        munmap(start, (size_t)(at - start));
    munmap(at + size, (size_t)(start + mapped - (at + size)));
#ifdef MADV_HUGEPAGE
    madvise(at, size, MADV_HUGEPAGE);
#endif
    return at;
}

static void *alloc_large(size_t size)
{
    if (size > PTRDIFF_MAX - 2 * RK_ALLOC_LARGE)
        return NULL;
    size = rounded(size);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, know_fork);
    pthread_mutex_lock(&large.lock);
    bool room = large.live < TABLE / 2;
    void *at = room ? take_kept(size) : NULL;
    pthread_mutex_unlock(&large.lock);
    if (at)
        return at;
    if (!room)
        return malloc(size);
    at = map_large(size);
    if (at) {
        pthread_mutex_lock(&large.lock);
        table_put((block){at, size});
        pthread_mutex_unlock(&large.lock);
    }
    return at;
}

/* Keeps *b in the place of the block kept for the longest, which *b is afterwards; when that would be too
 * much, both are to go: *b and what is returned. */
static block keep(block *b)
{
    block *place = &large.kept[large.next_kept++ % KEPT], old = *place;
    large.kept_bytes -= old.at ? old.size : 0;
    *place = (block){0};
    if (b->size > RK_ALLOC_KEPT - large.kept_bytes)
        return old;
    large.kept_bytes += b->size;
    *place = *b;
    *b = old;
    return (block){0};
}

/* False when the block is not a large one. */
static bool free_large(void *at)
{
    if ((uintptr_t)at & (RK_ALLOC_LARGE - 1))
        return false;
    pthread_mutex_lock(&large.lock);
    block b = {at, table_take(at)}, other = {0};
    bool known = b.size;
    if (known)
        other = keep(&b);
    pthread_mutex_unlock(&large.lock);
    if (known && b.at)
        munmap(b.at, b.size);
    if (other.at)
        munmap(other.at, other.size);
    return known;
}

/* Bytes behind a large block; 0 when it is none. */
static size_t large_size(const void *at)
{
    if ((uintptr_t)at & (RK_ALLOC_LARGE - 1))
        return 0;
    pthread_mutex_lock(&large.lock);
    size_t size = table_take(at);
    if (size)
        table_put((block){(void *)at, size});
    pthread_mutex_unlock(&large.lock);
    return size;
}

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

/* From or to a large block: by copying. */
static void *realloc_large(void *ptr, size_t old, size_t size)
{
    if (size <= old && size > old / 2)
        return ptr;
    void *moved = rk_alloc(size);
    if (!moved)
        return NULL;
    memcpy(moved, ptr, old < size ? old : size);
    rk_free(ptr);
    return moved;
}

void *rk_realloc(void *ptr, size_t size)
{
    if (!ptr || !size)
        return ptr ? NULL : rk_alloc(size);
    if (hook.realloc)
        return hook.realloc(hook.context, ptr, size);
    size_t old = large_size(ptr);
    if (!old && size < RK_ALLOC_LARGE)
        return realloc(ptr, size);
    return realloc_large(ptr, old ? old : malloc_usable_size(ptr), size);
}

void rk_free(void *ptr)
{
    if (!ptr)
        return;
    if (hook.free)
        hook.free(hook.context, ptr);
    else if (!free_large(ptr))
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
