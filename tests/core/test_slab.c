/* Blocks of chunks: whose they are, and what goes back. */
#include "core/base/slab.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

enum { BLOCKS = 20000, BLOCK = 100 };

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
    rk_slabs_init(&slabs, BLOCK);
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
    rk_slabs_init(&slabs, BLOCK);
    fill(blocks, &slabs, 0, 1);
    uint64_t least = slabs.bytes;
    fill(blocks, &slabs, 1, BLOCKS);
    uint64_t most = slabs.bytes;
    for (size_t i = 0; i < BLOCKS; i++)
        rk_slab_free(blocks[i]);
    cr_expect_leq(slabs.bytes, most / 2 + 1);
    cr_expect_geq(most, least);
    rk_slabs_fini(&slabs);
}

Test(slab, large_chunks_are_made_ready_ahead)
{
    enum { HUGE_BLOCK = 64 << 10, MANY = 256 };
    static void *blocks[MANY];
    rk_slabs slabs;
    rk_slabs_init(&slabs, HUGE_BLOCK);
    cr_assert_not(rk_slabs_prepare(&slabs), "nothing large is in use");
    for (size_t i = 0; i < MANY; i++) {
        blocks[i] = rk_slab_alloc(&slabs, HUGE_BLOCK);
        cr_assert(blocks[i]);
        memset(blocks[i], (int)i, HUGE_BLOCK);
        while (rk_slabs_prepare(&slabs)) {
        }
    }
    for (size_t i = 0; i < MANY; i++)
        cr_assert_eq(((unsigned char *)blocks[i])[HUGE_BLOCK - 1], i);
    for (size_t i = 0; i < MANY; i++)
        rk_slab_free(blocks[i]);
    cr_expect_leq(slabs.coming, 1, "they go with those that were used");
    rk_slabs_fini(&slabs);
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

typedef struct relay {
    rk_slabs *slabs;
    _Atomic(void *) places[64];
} relay;

/* Takes from each place what is there, and puts something new. */
static void *exchange(void *context)
{
    relay *r = context;
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t *mine = rk_slab_alloc(r->slabs, BLOCK);
        *mine = i % 64;
        size_t *theirs = atomic_exchange_explicit(&r->places[i % 64], mine, memory_order_acq_rel);
        cr_assert(!theirs || *theirs == i % 64);
        rk_slab_free(theirs);
        rk_slabs_prepare(r->slabs);
    }
    return NULL;
}

Test(slab, threads_free_what_others_made)
{
    static relay r;
    rk_slabs slabs;
    pthread_t threads[4];
    rk_slabs_init(&slabs, BLOCK);
    r.slabs = &slabs;
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, exchange, &r), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 64; i++)
        rk_slab_free(r.places[i]);
    rk_slabs_fini(&slabs);
}
