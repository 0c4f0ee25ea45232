/* Small blocks come from the C library. Large ones are mapped: page-aligned, and from RK_ALLOC_HUGE bytes on
 * aligned for huge pages, because arrays over a million nodes are touched once from end to end: with small pages the
 * faults would cost as much as the work. Freed large blocks are kept for the next who asks, which saves the kernel from
 * clearing them again; runs with a budget bound what is kept beside what lives.
 *
 * Large blocks are listed in a table by address, so that rk_free() can tell: only addresses that are aligned
 * like one are looked up. With a hook installed none of this is used.
 *
 * Small blocks that were freed stay with the process, in gaps between others: as much as ever was in them at once, beside
 * what large ones take later. While some bound is set these gaps are given back each time that a part of it was freed. */
#include "core/base/alloc.h"

#include "core/base/atomic.h"
#include "core/base/forks.h"
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

enum {
    KEPT = 512,
    TABLE = 1 << 15,
    PAGE = 4096,
    LEAST_GAP = 1 << 10, /* bytes of a small block worth counting */
    GAPS = 32,           /* part of the bound that is freed in small blocks before they are tidied up */
};

typedef struct block {
    void *at; /* NULL: empty */
    size_t size;
} block;

/* table: open addressing over live blocks; what finds no place there is left to the C library.
 * kept: a ring, the oldest at next_kept. */
static struct {
    pthread_mutex_t lock;
    block table[TABLE], kept[KEPT];
    size_t live, next_kept;
    uint64_t live_bytes, kept_bytes;
    rk_alloc_bound *bounds;
    uint64_t most; /* live and kept together, beyond which nothing is kept: the least of bounds */
} large = {.lock = PTHREAD_MUTEX_INITIALIZER, .most = UINT64_MAX};

/* Bytes freed in small blocks since these were tidied up, and after how many that is done again; 0: never. */
static rk_atomic_u64 gaps, most_gaps;

RK_KNOW_FORKS(large.lock)

static void lock_large(void)
{
    know_forks();
    pthread_mutex_lock(&large.lock);
}

static void unlock_large(void)
{
    pthread_mutex_unlock(&large.lock);
}

static uintptr_t rounded(uintptr_t number, size_t step)
{
    return (number + step - 1) & ~(uintptr_t)(step - 1);
}

static size_t slot_of(const void *at)
{
    return ((uintptr_t)at / PAGE * 0x9e3779b97f4a7c15u >> 40) % TABLE;
}

static void table_put(block b)
{
    size_t slot = slot_of(b.at);
    while (large.table[slot].at)
        slot = (slot + 1) % TABLE;
    large.table[slot] = b;
    large.live++;
    large.live_bytes += b.size;
}

static block *table_find(const void *at)
{
    size_t slot = slot_of(at);
    while (large.table[slot].at && large.table[slot].at != at)
        slot = (slot + 1) % TABLE;
    return large.table[slot].at ? &large.table[slot] : NULL;
}

static void table_clear(size_t slot)
{
    large.live--;
    large.live_bytes -= large.table[slot].size;
    large.table[slot].at = NULL;
}

/* Takes the entry out and moves up what stood behind it. The size, or 0 when there is none. */
static size_t table_take(const void *at)
{
    block *found = table_find(at);
    if (!found)
        return 0;
    size_t size = found->size, slot = (size_t)(found - large.table);
    table_clear(slot);
    for (size_t next = (slot + 1) % TABLE; large.table[next].at; next = (next + 1) % TABLE) {
        block moved = large.table[next];
        table_clear(next);
        table_put(moved);
    }
    return size;
}

/* The smallest kept block that is large enough. One that is much larger is used only where it can be cut: a huge
 * one, by the front. */
static block *find_kept(size_t size)
{
    block *best = NULL;
    size_t most = size < RK_ALLOC_HUGE ? size + size / 4 : SIZE_MAX;
    for (block *b = large.kept; b < large.kept + KEPT; b++)
        if (b->at && b->size >= size && b->size <= most && (!best || b->size < best->size))
            best = b;
    return best;
}

static void *take_kept(size_t size)
{
    block *best = find_kept(size);
    if (!best)
        return NULL;
    size_t front = rounded(size, RK_ALLOC_HUGE);
    block taken = *best;
    if (size >= RK_ALLOC_HUGE && best->size - size > size / 4 && best->size > front) {
        taken.size = front;
        *best = (block){(char *)best->at + front, best->size - front};
    } else {
        best->at = NULL;
    }
    large.kept_bytes -= taken.size;
    table_put(taken);
    return taken.at;
}

/* Under the lock: takes out the block kept for the longest; none: nothing is kept. */
static block take_oldest(void)
{
    for (size_t i = 0; i < KEPT && large.kept_bytes; i++) {
        block *b = &large.kept[(large.next_kept + i) % KEPT], taken = *b;
        if (!taken.at)
            continue;
        large.kept_bytes -= taken.size;
        b->at = NULL;
        return taken;
    }
    return (block){0};
}

/* Under the lock: the block kept for the longest, if there is one and so many bytes more would be too much. */
static block take_surplus(uint64_t bytes)
{
    return large.live_bytes + large.kept_bytes + bytes > large.most ? take_oldest() : (block){0};
}

/* Gives kept blocks back to the system until there is room for so many bytes more. The lock is free while
 * the system works. */
static void trim(uint64_t bytes)
{
    block surplus;
    lock_large();
    while ((surplus = take_surplus(bytes)).at) {
        unlock_large();
        munmap(surplus.at, surplus.size);
        lock_large();
    }
    unlock_large();
}

static void *map_aligned(size_t size, size_t align)
{
    size_t mapped = size + align - PAGE;
    char *start = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    char *at = (char *)rounded((uintptr_t)start, align), *end = at + size;
    if (at > start)
        munmap(start, (size_t)(at - start));
    if (start + mapped > end)
        munmap(end, (size_t)(start + mapped - end));
    return at;
}

/* Huge pages only where all of one is asked for: the rest of it would be resident for nothing. */
static void *map_large(size_t size)
{
    if (size < RK_ALLOC_HUGE)
        return map_aligned(size, PAGE);
    char *at = map_aligned(size, RK_ALLOC_HUGE);
#ifdef MADV_HUGEPAGE
    if (at)
        madvise(at, size & ~(RK_ALLOC_HUGE - 1), MADV_HUGEPAGE);
#endif
    return at;
}

static void *alloc_large(size_t size)
{
    if (size > PTRDIFF_MAX - 2 * RK_ALLOC_HUGE)
        return NULL;
    size = rounded(size, PAGE);
    lock_large();
    bool room = large.live < TABLE / 2;
    void *at = room ? take_kept(size) : NULL;
    unlock_large();
    if (at)
        return at;
    trim(size);
    if (!room)
        return malloc(size);
    at = map_large(size);
    if (at) {
        lock_large();
        table_put((block){at, size});
        unlock_large();
    }
    return at;
}

/* Under the lock. False: something has to go before: *old, or, when that is none, the block itself. What was freed last is
 * kept: it is what is asked for next, and those before it may never be. */
static bool keep(block b, block *old)
{
    block *place = &large.kept[large.next_kept % KEPT];
    uint64_t most = large.live_bytes < large.most ? large.most - large.live_bytes : 0;
    most = most < RK_ALLOC_KEPT ? most : RK_ALLOC_KEPT;
    *old = (block){0};
    if (b.size > most)
        return false;
    if (place->at || large.kept_bytes + b.size > most) {
        *old = take_oldest();
        return false;
    }
    large.next_kept++;
    large.kept_bytes += b.size;
    *place = b;
    return true;
}

/* False when the block is not a large one. */
static bool free_large(void *at)
{
    if ((uintptr_t)at & (PAGE - 1))
        return false;
    lock_large();
    block b = {at, table_take(at)}, old = {0};
    bool known = b.size, kept = false;
    while (known && !(kept = keep(b, &old)) && old.at) { /* the lock is free while the system works */
        unlock_large();
        munmap(old.at, old.size);
        lock_large();
    }
    unlock_large();
    if (known && !kept)
        munmap(b.at, b.size);
    return known;
}

/* Bytes behind a large block; 0 when it is none. */
static size_t large_size(const void *at)
{
    if ((uintptr_t)at & (PAGE - 1))
        return 0;
    lock_large();
    const block *found = table_find(at);
    size_t size = found ? found->size : 0;
    unlock_large();
    return size;
}

uint64_t rk_alloc_mapped(void)
{
    lock_large();
    uint64_t bytes = large.live_bytes;
    unlock_large();
    return bytes;
}

void rk_alloc_trim(void)
{
#ifdef __GLIBC__
    if (!hook.free)
        malloc_trim(0);
#endif
}

/* Under the lock. */
static void find_most(void)
{
    large.most = UINT64_MAX;
    for (rk_alloc_bound *b = large.bounds; b; b = b->next)
        large.most = b->most < large.most ? b->most : large.most;
    rk_store_relaxed(&most_gaps, large.bounds ? large.most / GAPS + 1 : 0);
}

void rk_alloc_bound_set(rk_alloc_bound *bound, uint64_t most)
{
    lock_large();
    if (!bound->known) {
        bound->known = true;
        bound->next = large.bounds;
        large.bounds = bound;
    }
    bound->most = most;
    find_most();
    unlock_large();
    trim(0);
}

void rk_alloc_bound_end(rk_alloc_bound *bound)
{
    if (!bound->known)
        return;
    lock_large();
    rk_alloc_bound **at = &large.bounds;
    while (*at != bound)
        at = &(*at)->next;
    *at = bound->next;
    bound->known = false;
    find_most();
    unlock_large();
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

static void free_small(void *ptr)
{
    uint64_t most = rk_load_relaxed(&most_gaps), size = most ? malloc_usable_size(ptr) : 0;
    free(ptr);
    if (size < LEAST_GAP)
        return;
    uint64_t all = rk_add_relaxed(&gaps, size) + size;
    if (all >= most && rk_cas_acq_rel(&gaps, &all, 0))
        rk_alloc_trim();
}

void rk_free(void *ptr)
{
    if (!ptr)
        return;
    if (hook.free)
        hook.free(hook.context, ptr);
    else if (!free_large(ptr))
        free_small(ptr);
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
