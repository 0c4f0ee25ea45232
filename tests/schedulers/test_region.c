/* Memory that processes share: what is freed does not stay resident without end. */
#include "schedulers/processes/region.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, MOST = 1 << 15, COUNT = 400 };

static uint64_t resident(const rk_region *region, uint64_t bytes)
{
    static unsigned char pages[MOST];
    uint64_t count = 0;
    bytes = (bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    cr_assert_leq(bytes / PAGE, MOST);
    cr_assert_eq(mincore(region->at, bytes, pages), 0);
    for (uint64_t i = 0; i < bytes / PAGE; i++)
        count += pages[i] & 1;
    return count * PAGE;
}

/* As many extents as would be pieces of a table that is sorted: more than are kept, each of them small. */
Test(region, freed_extents_of_any_size_keep_their_pages_only_as_far_as_allowed)
{
    static const uint64_t sizes[] = {20000, 60000, 200000};
    enum { KEPT = 1 << 20 };
    rk_region *region = rk_region_new(1, 1 << 28);
    cr_assert_not_null(region);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        rk_atomic_u64 used;
        rk_shared_heap heap;
        void *contents[COUNT];
        rk_init(&used, 0);
        rk_shared_heap_init(&heap, region, 0, 1, &used, KEPT);
        for (int i = 0; i < COUNT; i++) {
            contents[i] = rk_shared_heap_alloc(&heap, NULL, sizes[k]);
            cr_assert_not_null(contents[i]);
            memset(contents[i], 1, sizes[k]);
        }
        cr_assert_geq(resident(region, rk_load_relaxed(&used)), COUNT * sizes[k]);
        for (int i = 0; i < COUNT; i++)
            rk_shared_heap_free(&heap, contents[i]);
        /* the first and the last page of an extent may be another's, too */
        uint64_t left = resident(region, rk_load_relaxed(&used));
        cr_assert_leq(left, 2 * KEPT + COUNT * 2 * PAGE, "%llu bytes of extents of %llu are left",
                      (unsigned long long)left, (unsigned long long)sizes[k]);
        cr_assert_not_null(rk_shared_heap_alloc(&heap, NULL, sizes[k]));
        rk_shared_heap_fini(&heap);
        rk_region_discard(region->at, rk_load_relaxed(&used));
    }
    rk_region_unref(region);
}

static rk_atomic_bool enough;

static void *ask_often(void *region)
{
    while (!rk_load_relaxed(&enough))
        rk_region_is_seen(region, 0);
    return NULL;
}

/* A child that waits for ever is ended by its alarm. */
Test(region, a_fork_while_other_threads_look_at_them_does_no_harm, .timeout = 60)
{
    rk_region *region = rk_region_new(1, 1 << 20);
    pthread_t threads[2];
    int failed = 0;
    cr_assert_not_null(region);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, ask_often, region), 0);
    for (int i = 0; i < 50 && !failed; i++) {
        int status = 0;
        pid_t child = fork();
        cr_assert_geq(child, 0);
        if (!child) {
            alarm(100);
            rk_region_unref(region);
            _exit(rk_region_next_number() ? 0 : 1);
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        failed = status;
    }
    rk_store_relaxed(&enough, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(failed, 0, "%d", failed);
    rk_region_unref(region);
}
