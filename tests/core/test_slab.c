/* Blocks of chunks: whose they are, and what goes back. */
#include "core/base/slab.h"

#include "core/base/limits.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <rask/rask.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 20000, BLOCK = 100, HUGE_BLOCK = 64 << 10, HUGE_BLOCKS = 128 };

/* Chunks are what is tried, also where a sanitizer watches. */
static void init_chunks(rk_slabs *slabs, size_t block)
{
    rk_slabs_init(slabs, block);
    slabs->one_by_one = false;
}

/* Counts the allocator's blocks, and, when it is asked for a chunk, does something first. */
static atomic_long live;
static bool (*before_chunk)(void); /* false: there is no memory for it */

static void *counting_alloc(void *context, size_t size)
{
    (void)context;
    if (size >= RK_ALLOC_HUGE && before_chunk && !before_chunk())
        return NULL;
    void *at = malloc(size);
    atomic_fetch_add(&live, at != NULL);
    return at;
}

static void *counting_realloc(void *context, void *at, size_t size)
{
    (void)context;
    atomic_fetch_add(&live, !at);
    return realloc(at, size);
}

static void counting_free(void *context, void *at)
{
    (void)context;
    atomic_fetch_sub(&live, at != NULL);
    free(at);
}

static void count_blocks(void)
{
    rask_allocator counting = {counting_alloc, counting_realloc, counting_free, NULL};
    cr_assert_eq(rask_set_allocator(&counting), RASK_OK);
}

/* Each is filled with its number, and still is when all are there. */
static void fill(void **blocks, rk_slabs *slabs, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        blocks[i] = rk_slab_alloc(slabs, BLOCK);
        cr_assert_not_null(blocks[i]);
        memset(blocks[i], (int)(i % 251), BLOCK);
    }
}

static void verify(void *const *blocks)
{
    for (size_t i = 0; i < BLOCKS; i++)
        for (size_t k = 0; k < BLOCK; k++)
            cr_assert_eq(((unsigned char *)blocks[i])[k], i % 251);
}

Test(slab, blocks_do_not_overlap_and_are_used_again)
{
    static void *blocks[BLOCKS];
    rk_slabs slabs;
    init_chunks(&slabs, BLOCK);
    fill(blocks, &slabs, 0, BLOCKS);
    for (size_t i = 0; i < BLOCKS; i += 3)
        rk_slab_free(blocks[i]);
    uint64_t bytes = slabs.bytes;
    for (size_t i = 0; i < BLOCKS; i += 3)
        fill(blocks, &slabs, i, i + 1);
    cr_assert_eq(slabs.bytes, bytes);
    verify(blocks);
    for (size_t i = 0; i < BLOCKS; i++)
        rk_slab_free(blocks[i]);
    rk_slabs_fini(&slabs);
}

Test(slab, chunks_that_are_empty_go_back_but_for_one)
{
    static void *blocks[BLOCKS];
    rk_slabs slabs;
    count_blocks();
    init_chunks(&slabs, BLOCK);
    fill(blocks, &slabs, 0, BLOCKS);
    cr_expect_gt(atomic_load(&live), 4);
    for (size_t i = 0; i < BLOCKS; i++)
        rk_slab_free(blocks[i]);
    cr_expect_eq(atomic_load(&live), 1);
    rk_slabs_fini(&slabs);
    cr_expect_eq(atomic_load(&live), 0);
    rask_set_allocator(NULL);
}

Test(slab, watched_blocks_are_the_allocators_own)
{
    void *blocks[3];
    rk_slabs slabs;
    count_blocks();
    rk_slabs_init(&slabs, BLOCK);
    slabs.one_by_one = true;
    fill(blocks, &slabs, 0, 3);
    cr_expect_eq(atomic_load(&live), 3);
    for (size_t i = 0; i < 3; i++)
        rk_slab_free(blocks[i]);
    cr_expect_eq(atomic_load(&live), 0);
    rk_slabs_fini(&slabs);
    rask_set_allocator(NULL);
}

static rk_slabs huge;
static char *huge_blocks[HUGE_BLOCKS];
static size_t huge_count;

static void fill_huge(void)
{
    for (huge_count = 0; huge_count < HUGE_BLOCKS; huge_count++) {
        huge_blocks[huge_count] = rk_slab_alloc(&huge, HUGE_BLOCK);
        cr_assert(huge_blocks[huge_count]);
        huge_blocks[huge_count][HUGE_BLOCK - 1] = (char)huge_count;
    }
}

static void free_huge(size_t but)
{
    while (huge_count > but) {
        huge_count--;
        cr_assert_eq(huge_blocks[huge_count][HUGE_BLOCK - 1], (char)huge_count);
        rk_slab_free(huge_blocks[huge_count]);
    }
}

Test(slab, large_chunks_are_made_ready_ahead)
{
    init_chunks(&huge, HUGE_BLOCK);
    cr_assert_not(rk_slabs_prepare(&huge), "nothing large is in use");
    fill_huge();
    cr_assert(rk_slabs_prepare(&huge));
    cr_assert(rk_slabs_prepare(&huge));
    cr_assert_not(rk_slabs_prepare(&huge), "two are enough");
    uint64_t bytes = huge.bytes;
    count_blocks();
    void *blocks[2 * HUGE_BLOCKS];
    size_t count = 0;
    while (huge.coming)
        blocks[count++] = rk_slab_alloc(&huge, HUGE_BLOCK);
    cr_expect_eq(huge.bytes, bytes + 2 * RK_ALLOC_HUGE);
    cr_expect_eq(atomic_load(&live), 0, "nobody waited for the allocator");
    rask_set_allocator(NULL);
    cr_expect(rk_slabs_prepare(&huge), "the next is wanted by now");
    while (count)
        rk_slab_free(blocks[--count]);
    free_huge(0);
    cr_expect_eq(huge.coming, 0, "they go with those that were used");
    rk_slabs_fini(&huge);
}

static bool free_most_before(void)
{
    free_huge(1);
    return true;
}

static bool refuse(void)
{
    return false;
}

Test(slab, a_chunk_that_nobody_needs_once_it_is_made_goes_back)
{
    count_blocks();
    init_chunks(&huge, HUGE_BLOCK);
    fill_huge();
    before_chunk = free_most_before;
    cr_expect_not(rk_slabs_prepare(&huge));
    cr_expect_eq(huge.coming, 0);
    cr_expect_null(huge.ahead);
    before_chunk = NULL;
    free_huge(0);
    cr_expect_eq(atomic_load(&live), 1);
    rk_slabs_fini(&huge);
    rask_set_allocator(NULL);
}

Test(slab, without_memory_the_next_chunk_is_made_later)
{
    count_blocks();
    init_chunks(&huge, HUGE_BLOCK);
    fill_huge();
    cr_assert(rk_slabs_prepare(&huge));
    before_chunk = refuse;
    cr_expect_not(rk_slabs_prepare(&huge));
    cr_expect_eq(huge.coming, 1);
    before_chunk = NULL;
    cr_expect(rk_slabs_prepare(&huge));
    cr_expect_eq(huge.coming, 2);
    free_huge(0);
    rk_slabs_fini(&huge);
    cr_expect_eq(atomic_load(&live), 0);
    rask_set_allocator(NULL);
}

Test(slab, what_is_larger_than_a_block_is_had_all_the_same)
{
    rk_slabs slabs;
    rk_slabs_init(&slabs, 7);
    char *small = rk_slab_alloc(&slabs, 7), *large = rk_slab_alloc(&slabs, 1 << 20);
    memset(small, 1, 7);
    memset(large, 2, 1 << 20);
    cr_assert_eq(small[6], 1);
    rk_slab_free(small);
    rk_slab_free(large);
    rk_slab_free(NULL);
    rk_slabs_fini(&slabs);
}

/* Each takes from each place what is there, and puts something new. */
enum { PLACES = 256, THREADS = 4 };

typedef struct relay {
    rk_slabs *slabs;
    size_t block, rounds;
    _Atomic(void *) places[PLACES];
    atomic_long prepared;
} relay;

static void *exchange(void *context)
{
    relay *r = context;
    for (size_t i = 0; i < r->rounds; i++) {
        size_t *mine = rk_slab_alloc(r->slabs, r->block);
        *mine = i % PLACES;
        size_t *theirs = atomic_exchange_explicit(&r->places[i % PLACES], mine, memory_order_acq_rel);
        cr_assert(!theirs || *theirs == i % PLACES);
        rk_slab_free(theirs);
        atomic_fetch_add(&r->prepared, rk_slabs_prepare(r->slabs));
    }
    return NULL;
}

static void exchange_all(relay *r)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, exchange, r), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < PLACES; i++)
        rk_slab_free(r->places[i]);
}

Test(slab, threads_free_what_others_made)
{
    static relay r = {.block = BLOCK, .rounds = BLOCKS};
    rk_slabs slabs;
    init_chunks(&slabs, BLOCK);
    r.slabs = &slabs;
    exchange_all(&r);
    rk_slabs_fini(&slabs);
}

Test(slab, threads_free_what_others_made_of_large_chunks)
{
    static relay r = {.block = HUGE_BLOCK, .rounds = 8 * (size_t)PLACES};
    init_chunks(&huge, HUGE_BLOCK);
    r.slabs = &huge;
    exchange_all(&r);
    cr_expect_gt(atomic_load(&r.prepared), 0);
    cr_expect_eq(huge.surplus, 0);
    rk_slabs_fini(&huge);
}
