/* Out of memory: every allocation of a program fails once, in turn, and then persistently from there on. Each time the
 * program must end with RASK_ENOMEM or, where memory was not essential, with the right result, and leave nothing
 * behind. What a program checks itself is its result. */
#ifndef RASK_TESTS_FAILING_ALLOCATOR_H
#define RASK_TESTS_FAILING_ALLOCATOR_H

#include <criterion/criterion.h>
#include <rask/rask.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* The allocator: counts, and fails the allocation of a certain number, or all from it on. */
static atomic_long allocations, blocks;
static long fail_at = -1;
static bool persistently;
static atomic_bool has_failed;

static bool refuse(void)
{
    long number = atomic_fetch_add(&allocations, 1);
    if (fail_at < 0 || number < fail_at || (number > fail_at && !persistently))
        return false;
    atomic_store(&has_failed, true);
    return true;
}

static void *counting_alloc(void *context, size_t size)
{
    (void)context;
    void *ptr = refuse() ? NULL : malloc(size);
    atomic_fetch_add(&blocks, ptr != NULL);
    return ptr;
}

static void *counting_realloc(void *context, void *ptr, size_t size)
{
    (void)context;
    void *grown = refuse() ? NULL : realloc(ptr, size);
    atomic_fetch_add(&blocks, !ptr && grown);
    return grown;
}

static void counting_free(void *context, void *ptr)
{
    (void)context;
    atomic_fetch_sub(&blocks, ptr != NULL);
    free(ptr);
}

static const rask_allocator counting = {counting_alloc, counting_realloc, counting_free, NULL};

typedef int program(void);

/* One run with a failure from allocation at on; false when the program needed fewer. kept: blocks that the
 * threads of the pool may hold until the process ends. */
static bool run_failing(program *run, long at, bool from_there, long kept)
{
    atomic_store(&allocations, 0);
    atomic_store(&has_failed, false);
    persistently = from_there;
    fail_at = at;
    int status = run();
    fail_at = -1;
    const char *how = from_there ? "from allocation" : "allocation";
    cr_assert(status == RASK_OK || status == RASK_ENOMEM, "%s %ld failed: status %s", how, at,
              rask_status_name(status));
    cr_assert(status == RASK_OK || atomic_load(&has_failed), "%s without a reason", rask_status_name(status));
    long left = atomic_load(&blocks);
    cr_assert(left >= 0 && left <= kept, "%s %ld failed: %ld blocks are left", how, at, left);
    return atomic_load(&has_failed);
}

/* Hangs are ended by the alarm. */
static inline void sweep(program *run, long kept)
{
    alarm(300);
    cr_assert_eq(rask_set_allocator(&counting), RASK_OK);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(run(), RASK_OK);
    long at = 0;
    while (run_failing(run, at, false, kept))
        at++;
    cr_assert_gt(at, 3, "the program allocates next to nothing: what is swept?");
    for (at = 0; run_failing(run, at, true, kept); at++) {
    }
    alarm(0);
}

#endif
