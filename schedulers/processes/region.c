/* Sizes go by classes, eight between powers of two; a freed extent serves its class again. Large ones that are freed
 * keep their pages for who asks next, as far as most_kept: shared pages cost more to be had than to be filled. Others give
 * them back, for their class may never be asked for again. */
#include "schedulers/processes/region.h"

#include "core/base/forks.h"
#include "schedulers/processes/system.h"

#include <sys/mman.h>

enum { PAGE = 4096 };
#define LEAST_RANGE  ((uint64_t)64 << 20)
#define MOST_REGION  ((uint64_t)32 << 40)
#define LARGE_EXTENT ((uint64_t)256 << 10) /* has pages of its own */

/* All of this process. */
static pthread_mutex_t regions_lock = PTHREAD_MUTEX_INITIALIZER;
static rk_region *regions;
static uint64_t next_number = 1;

RK_KNOW_FORKS(regions_lock)

static void lock_regions(void)
{
    know_forks();
    pthread_mutex_lock(&regions_lock);
}

static void list_region(rk_region *region)
{
    lock_regions();
    region->number = next_number++;
    region->next = regions;
    if (regions)
        regions->previous = region;
    regions = region;
    pthread_mutex_unlock(&regions_lock);
}

static void unlist_region(const rk_region *region)
{
    lock_regions();
    *(region->previous ? &region->previous->next : &regions) = region->next;
    if (region->next)
        region->next->previous = region->previous;
    pthread_mutex_unlock(&regions_lock);
}

uint64_t rk_region_next_number(void)
{
    lock_regions();
    uint64_t number = next_number;
    pthread_mutex_unlock(&regions_lock);
    return number;
}

bool rk_region_is_seen(const void *at, uint64_t number)
{
    lock_regions();
    const rk_region *region = regions;
    while (region && (region->number >= number ||
                      (uintptr_t)at - (uintptr_t)region->at >= region->range * region->ranges))
        region = region->next;
    pthread_mutex_unlock(&regions_lock);
    return region;
}

rk_region *rk_region_new(uint32_t ranges, uint64_t bytes)
{
    rk_region *region = rk_calloc(1, sizeof *region);
    if (!region)
        return NULL;
    uint64_t most = MOST_REGION / ranges, range = LEAST_RANGE;
    while (range < bytes && range < most)
        range *= 2;
    while (!(region->at = rk_system_share(range * ranges)) && range > LEAST_RANGE)
        range /= 2;
    if (!region->at) {
        rk_free(region);
        return NULL;
    }
    rk_init(&region->refs, 1);
    region->range = range;
    region->ranges = ranges;
    list_region(region);
    return region;
}

void rk_region_ref(rk_region *region)
{
    rk_add_relaxed(&region->refs, 1);
}

void rk_region_unref(rk_region *region)
{
    if (!region || rk_sub_acq_rel(&region->refs, 1) != 1)
        return;
    unlist_region(region);
    rk_system_unshare(region->at, region->range * region->ranges);
    rk_free(region);
}

void rk_region_discard(void *at, uint64_t bytes)
{
#ifdef MADV_REMOVE
    uintptr_t first = ((uintptr_t)at + PAGE - 1) & ~(uintptr_t)(PAGE - 1),
              end = ((uintptr_t)at + bytes) & ~(uintptr_t)(PAGE - 1);
    if (first < end)
        madvise((void *)first, end - first, MADV_REMOVE);
#else
    (void)at;
    (void)bytes;
#endif
}

/* Worth giving back by itself: pages that are no other's. */
static bool has_pages(uint64_t bytes)
{
    return bytes >= 2 * PAGE;
}

/* The smallest class whose extents hold so many bytes, and how many they hold. */
static uint32_t class_of(uint64_t bytes, uint64_t *size)
{
    uint32_t bit = RK_SHARED_HEAP_LEAST_BIT;
    while (bytes > (uint64_t)2 << bit)
        bit++;
    uint64_t step = (uint64_t)1 << (bit - 3), base = (uint64_t)1 << bit;
    uint64_t steps = bytes <= base ? 0 : (bytes - base + step - 1) / step;
    *size = base + steps * step;
    return 8 * (bit - RK_SHARED_HEAP_LEAST_BIT) + (uint32_t)steps;
}

void rk_shared_heap_init(rk_shared_heap *heap, const rk_region *region, uint32_t range, uint32_t life,
                         rk_atomic_u64 *used, uint64_t most_kept)
{
    *heap = (rk_shared_heap){.life = life, .used = used, .most_kept = most_kept};
    pthread_mutex_init(&heap->lock, NULL);
    heap->start = rk_region_range(region, range);
    heap->next = heap->start + rk_load_relaxed(used);
    heap->end = heap->start + region->range;
    for (uint32_t i = 0; i < RK_SHARED_HEAP_CLASSES; i++)
        heap->free[i] = (rk_array)RK_ARRAY(rk_extent *, UINT32_MAX);
}

void rk_shared_heap_fini(rk_shared_heap *heap)
{
    for (uint32_t i = 0; i < RK_SHARED_HEAP_CLASSES; i++)
        rk_array_fini(&heap->free[i]);
    pthread_mutex_destroy(&heap->lock);
}

/* The part of a range that was never used. Large extents begin so that their content has pages of its own. */
static rk_extent *extend(rk_shared_heap *heap, uint64_t bytes)
{
    uint64_t whole = (bytes + 2 * sizeof(rk_extent) - 1) & ~(uint64_t)(sizeof(rk_extent) - 1);
    char *at = heap->next;
    if (bytes >= LARGE_EXTENT)
        at += (uintptr_t) - ((uintptr_t)at + sizeof(rk_extent)) & (PAGE - 1);
    if (at > heap->end || (uint64_t)(heap->end - at) < whole)
        return NULL;
    heap->next = at + whole;
    rk_store_release(heap->used, (uint64_t)(heap->next - heap->start));
    return (rk_extent *)at;
}

/* False: it is not allowed as much. */
static bool charge(rk_account *account, uint64_t bytes)
{
    pthread_mutex_lock(&account->lock);
    bool allowed =
        account->taken + bytes <= account->allowed || account->ask(account, account->taken + bytes);
    account->taken += allowed ? bytes : 0;
    pthread_mutex_unlock(&account->lock);
    return allowed;
}

static void discharge(rk_account *account, uint32_t number, uint64_t bytes)
{
    pthread_mutex_lock(&account->lock);
    account->taken -= account->number == number ? bytes : 0;
    pthread_mutex_unlock(&account->lock);
}

/* An extent that was freed, or a new one. What its last content has behind the next goes, when that is more than a page. */
static rk_extent *find_room(rk_shared_heap *heap, uint32_t size_class, uint64_t size, uint64_t held)
{
    rk_array *list = &heap->free[size_class];
    if (!list->count)
        return extend(heap, size);
    rk_extent *extent = ((rk_extent **)list->data)[--list->count];
    if (extent->gone)
        return extent;
    heap->kept -= has_pages(size) ? size : 0;
    if (extent->held > held + PAGE)
        rk_region_discard((char *)(extent + 1) + held, extent->held - held);
    return extent;
}

void *rk_shared_heap_alloc(rk_shared_heap *heap, rk_account *account, uint64_t bytes)
{
    uint64_t size;
    if (bytes > (uint64_t)(heap->end - heap->start))
        return NULL;
    uint32_t size_class = class_of(bytes, &size);
    uint64_t held = bytes < LARGE_EXTENT ? size + sizeof(rk_extent) : bytes;
    if (account && !charge(account, held))
        return NULL;
    pthread_mutex_lock(&heap->lock);
    rk_extent *extent = find_room(heap, size_class, size, held);
    pthread_mutex_unlock(&heap->lock);
    if (!extent) {
        if (account)
            discharge(account, account->number, held);
        return NULL;
    }
    extent->bytes = size;
    extent->held = held;
    extent->size_class = size_class;
    extent->life = heap->life;
    extent->account = account;
    extent->number = account ? account->number : 0;
    extent->published = extent->gone = false;
    extent->payer = 0;
    extent->scratch = 0;
    rk_init(&extent->refs, 0);
    return extent + 1;
}

/* What finds no place in the list is lost to the heap. */
void rk_shared_heap_free(rk_shared_heap *heap, void *content)
{
    rk_extent *extent = rk_extent_of(content);
    uint64_t bytes = extent->bytes;
    if (extent->account && !extent->published)
        discharge(extent->account, extent->number, extent->held);
    pthread_mutex_lock(&heap->lock);
    extent->gone = has_pages(bytes) && heap->kept + bytes > heap->most_kept;
    if (extent->gone)
        rk_region_discard(content, bytes);
    else if (has_pages(bytes))
        heap->kept += bytes;
    rk_extent **place = rk_array_push(&heap->free[extent->size_class]);
    if (place)
        *place = extent;
    pthread_mutex_unlock(&heap->lock);
}
