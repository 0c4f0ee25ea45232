/* schedulers/processes/region: memory that the processes of a run share.
 *
 * A region is mapped before the workers are forked, so that an address in it means the same in every process. It is
 * cut into ranges, one for each worker and one for the program's own process, and whoever has a range is the only
 * one to allocate there: what he notes of it is his own, and his death leaves no result of another damaged.
 *
 * An extent is one allocation. Its maker writes it, and publishes it when a result refers to it; from then on it is
 * not written any more, and the program's process says when it is free again. */
#ifndef RASK_SCHEDULERS_PROCESSES_REGION_H
#define RASK_SCHEDULERS_PROCESSES_REGION_H

#include "core/base/array.h"
#include "core/base/atomic.h"

#include <pthread.h>

typedef struct rk_region {
    rk_atomic_u64
        refs; /* the run, and every value handed out that is still in it; the program's process only */
    char *at;
    uint64_t range; /* bytes of each */
    uint32_t ranges;
    uint64_t number; /* ascending */
    struct rk_region *next, *previous;
} rk_region;

/* A region whose ranges hold at least so many bytes, where the system has the addresses; with one reference. NULL:
 * no memory. Nothing is resident before it is written. */
rk_region *rk_region_new(uint32_t ranges, uint64_t bytes);
void rk_region_ref(rk_region *region);
/* The last one unmaps it. NULL is legal. */
void rk_region_unref(rk_region *region);

/* The number of the next region that this process makes: whom it forks before sees all with lower ones. */
uint64_t rk_region_next_number(void);
/* This address is in a region with a lower number, where who was forked when this was the next sees it, too, as long as somebody here
 * refers to it. */
bool rk_region_is_seen(const void *at, uint64_t number);

static inline char *rk_region_range(const rk_region *region, uint32_t range)
{
    return region->at + range * region->range;
}

/* Which range an address is in. */
static inline uint32_t rk_region_range_of(const rk_region *region, const void *at)
{
    return (uint32_t)((uint64_t)((const char *)at - region->at) / region->range);
}

/* What a unit under way may have of shared memory, and has: extents that no result refers to yet. */
typedef struct rk_account {
    pthread_mutex_t lock;
    uint32_t number; /* of the unit: extents of earlier ones are not its own */
    uint64_t allowed, taken;
    /* So many bytes are needed altogether: waits until they are allowed, or false: never. Called with the lock held. */
    bool (*ask)(struct rk_account *account, uint64_t bytes);
} rk_account;

/* Before the content of every extent. */
typedef struct rk_extent {
    /* Its maker's. */
    uint64_t bytes; /* of content there is room for */
    uint64_t held;  /* of them that may be resident: what counts */
    uint32_t size_class;
    uint32_t life;       /* of the heap it comes from */
    rk_account *account; /* that it was taken from, for the unit with */
    uint32_t number;     /* this number; NULL: from none */
    bool published;      /* it belongs to a result: its maker leaves it alone */
    bool gone;           /* it is free, and its pages went back to the system */
    /* The program's process's. */
    rk_atomic_u32 refs; /* results, and values handed out, that refer to it */
    uint32_t payer;     /* one more than the unit whose result it counts with; 0: it counts by itself */
    uint64_t scratch;   /* where its content is in the scratch file, while it is there */
    char apart[8];      /* content begins on a cache line */
} rk_extent;

_Static_assert(sizeof(rk_extent) == RK_CACHE_LINE, "content begins on a cache line");

static inline rk_extent *rk_extent_of(const void *content)
{
    return (rk_extent *)content - 1;
}

/* How much of its content may be in use. */
static inline uint64_t rk_extent_content(const rk_extent *extent)
{
    return extent->held < extent->bytes ? extent->held : extent->bytes;
}

/* The pages of memory that nobody needs go back to the system; what is there afterwards is zero. */
void rk_region_discard(void *at, uint64_t bytes);

enum { RK_SHARED_HEAP_LEAST_BIT = 7, RK_SHARED_HEAP_CLASSES = 8 * (48 - RK_SHARED_HEAP_LEAST_BIT) };

/* What the owner of a range notes of it. Thread-safe within its process. */
typedef struct rk_shared_heap {
    pthread_mutex_t lock;
    uint32_t life;                         /* of the range: one more for each owner */
    char *start, *next, *end;              /* never used: from next on */
    rk_atomic_u64 *used;                   /* where others see how far it was used: bytes from the start */
    rk_array free[RK_SHARED_HEAP_CLASSES]; /* rk_extent *, by size class */
    uint64_t kept, most_kept;              /* bytes of free extents that are still resident */
} rk_shared_heap;

/* The rest of a range from *used on, which an earlier owner left. most_kept: bytes of freed memory to keep for
 * reuse. */
void rk_shared_heap_init(rk_shared_heap *heap, const rk_region *region, uint32_t range, uint32_t life,
                         rk_atomic_u64 *used, uint64_t most_kept);
void rk_shared_heap_fini(rk_shared_heap *heap);

/* Content of so many bytes, aligned to a cache line; not zeroed. account: who has it, NULL: nobody that counts; may wait.
 * NULL: the range is full, or the account is not allowed as much. */
void *rk_shared_heap_alloc(rk_shared_heap *heap, rk_account *account, uint64_t bytes);
/* It is free: it was never published, then it is given back to its account, or the program's process says so. */
void rk_shared_heap_free(rk_shared_heap *heap, void *content);

#endif
