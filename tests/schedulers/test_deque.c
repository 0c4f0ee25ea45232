/* The deque alone: every item is taken exactly once, whoever races for it; and short sessions that park and
 * wake. */
#include "schedulers/deque.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <rask/rask.h>
#include <stdlib.h>

enum { ITEMS = 20000, MOST_THIEVES = 4 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SEEDS = 60, SESSIONS = 1200 };
#else
enum { SEEDS = 200, SESSIONS = 12000 };
#endif

/* Seeded pauses where the build has them. */
static void seed_chaos(uint64_t seed)
{
#ifdef RASK_WITH_CHAOS
    rk_chaos_seed(seed);
#else
    (void)seed;
#endif
}

/* Aligned as the deque wants it. */
static rk_deque *deque_new(void)
{
    rk_deque *d =
        aligned_alloc(RK_CACHE_LINE, (sizeof *d + RK_CACHE_LINE - 1) / RK_CACHE_LINE * RK_CACHE_LINE);
    cr_assert_eq(rk_deque_init(d), RASK_OK);
    return d;
}

static void deque_free(rk_deque *d)
{
    rk_deque_fini(d);
    free(d);
}

Test(deque, an_empty_deque_gives_nothing)
{
    rk_deque *d = deque_new();
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(rk_deque_pop(d), RK_DEQUE_EMPTY);
        cr_assert_eq(rk_deque_steal(d), RK_DEQUE_EMPTY);
        cr_assert_eq(rk_deque_size(d), 0);
    }
    deque_free(d);
}

Test(deque, the_owner_takes_the_newest_and_a_thief_the_oldest)
{
    rk_deque *d = deque_new();
    for (uint32_t i = 0; i < 1000; i++)
        cr_assert(rk_deque_push(d, i));
    cr_assert_eq(rk_deque_size(d), 1000);
    for (uint32_t i = 0; i < 500; i++) {
        cr_assert_eq(rk_deque_pop(d), 999 - i);
        cr_assert_eq(rk_deque_steal(d), i);
    }
    cr_assert_eq(rk_deque_pop(d), RK_DEQUE_EMPTY);
    cr_assert_eq(rk_deque_steal(d), RK_DEQUE_EMPTY);
    deque_free(d);
}

Test(deque, it_wraps_around_and_grows_while_full)
{
    rk_deque *d = deque_new();
    uint32_t pushed = 0, stolen = 0;
    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < 7; i++)
            cr_assert(rk_deque_push(d, pushed++));
        for (int i = 0; i < 5; i++)
            cr_assert_eq(rk_deque_steal(d), stolen++);
    }
    cr_assert_eq(rk_deque_size(d), pushed - stolen);
    while (stolen < pushed)
        cr_assert_eq(rk_deque_pop(d), --pushed);
    deque_free(d);
}

/* An allocator that gives only so much. */
static int allocations_left;

static void *few_alloc(void *context, size_t size)
{
    (void)context;
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void *few_realloc(void *context, void *ptr, size_t size)
{
    (void)context;
    return realloc(ptr, size);
}

static void few_free(void *context, void *ptr)
{
    (void)context;
    free(ptr);
}

Test(deque, a_deque_without_memory_to_grow_refuses_and_keeps_what_it_has)
{
    const rask_allocator few = {few_alloc, few_realloc, few_free, NULL};
    cr_assert_eq(rask_set_allocator(&few), RASK_OK);
    allocations_left = 0;
    rk_deque refused;
    cr_assert_eq(rk_deque_init(&refused), RASK_ENOMEM);
    rk_deque_fini(&refused);
    allocations_left = 1;
    rk_deque *d = deque_new();
    uint32_t pushed = 0;
    while (rk_deque_push(d, pushed))
        pushed++;
    cr_assert_gt(pushed, 0);
    cr_assert_not(rk_deque_push(d, pushed));
    cr_assert_eq(rk_deque_steal(d), 0);
    cr_assert(rk_deque_push(d, pushed), "there is room again");
    for (uint32_t i = pushed; i > 0; i--)
        cr_assert_eq(rk_deque_pop(d), i);
    cr_assert_eq(rk_deque_pop(d), RK_DEQUE_EMPTY);
    deque_free(d);
    rask_set_allocator(NULL);
}

/* One owner, some thieves. */
typedef struct heist {
    rk_deque *deque;
    atomic_bool over;
    atomic_uchar taken[ITEMS];
    pthread_t thieves[MOST_THIEVES];
    int thief_count;
} heist;

static void take(heist *h, uint32_t item)
{
    cr_assert_lt(item, ITEMS);
    atomic_fetch_add(&h->taken[item], 1);
}

static void *thief(void *context)
{
    heist *h = context;
    while (!atomic_load(&h->over)) {
        uint32_t item = rk_deque_steal(h->deque);
        if (item < RK_DEQUE_AGAIN)
            take(h, item);
        else
            rk_relax();
    }
    return NULL;
}

static heist *heist_begin(int thieves)
{
    heist *h = calloc(1, sizeof *h);
    h->deque = deque_new();
    h->thief_count = thieves;
    for (int i = 0; i < thieves; i++)
        cr_assert_eq(pthread_create(&h->thieves[i], NULL, thief, h), 0);
    return h;
}

/* The first so many items were pushed: each was taken once. */
static void heist_end(heist *h, uint32_t pushed)
{
    for (uint32_t item; (item = rk_deque_pop(h->deque)) != RK_DEQUE_EMPTY;)
        take(h, item);
    while (rk_deque_size(h->deque))
        rk_relax();
    atomic_store(&h->over, true);
    for (int i = 0; i < h->thief_count; i++)
        pthread_join(h->thieves[i], NULL);
    for (uint32_t i = 0; i < ITEMS; i++)
        cr_assert_eq(atomic_load(&h->taken[i]), i < pushed, "item %u was taken %d times", i, h->taken[i]);
    deque_free(h->deque);
    free(h);
}

/* Pushes push items and pops pop of them, in turn. */
static void alternate(int thieves, uint32_t items, int push, int pop)
{
    heist *h = heist_begin(thieves);
    uint32_t next = 0;
    while (next < items) {
        for (int i = 0; i < push && next < items; i++)
            cr_assert(rk_deque_push(h->deque, next++));
        rk_deque_publish(h->deque);
        for (int i = 0; i < pop; i++) {
            uint32_t item = rk_deque_pop(h->deque);
            if (item != RK_DEQUE_EMPTY)
                take(h, item);
        }
    }
    heist_end(h, items);
}

Test(deque, the_last_item_is_taken_once_by_owner_or_thief)
{
    for (int thieves = 1; thieves <= MOST_THIEVES; thieves++)
        alternate(thieves, ITEMS, 1, 1);
}

Test(deque, items_are_taken_once_while_it_grows)
{
    for (int thieves = 1; thieves <= MOST_THIEVES; thieves++)
        alternate(thieves, ITEMS, ITEMS / 2, 3);
}

Test(deque, items_are_taken_once_while_it_wraps_around)
{
    for (int thieves = 1; thieves <= MOST_THIEVES; thieves++)
        alternate(thieves, ITEMS, 100, 90);
}

Test(deque, items_are_taken_once_with_pauses_at_the_racy_points)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        seed_chaos(seed);
        alternate(1 + (int)(seed % MOST_THIEVES), 300 + 20 * (uint32_t)seed, 1 + (int)(seed % 5),
                  (int)(seed % 4));
    }
    seed_chaos(0);
}

/* Sessions: many short runs, in which workers park, wake and steal all the time. */

static int64_t add(const rask_value *a, const rask_value *b)
{
    int64_t x = 0, y = 0;
    rask_value_get_i64(a, &x);
    rask_value_get_i64(b, &y);
    return x + y;
}
RASK_TASK(add, i64, value, value);

static int64_t one(void)
{
    return 1;
}
RASK_TASK(one, i64);

static int64_t one_after_io(void)
{
    return 1;
}
RASK_TASK_WITH(one_after_io, (.flags = RASK_IO), i64);

/* A binary tree over so many leaves; every so many leaves is I/O. */
static rask_plan *tree(rask_graph *g, uint32_t leaves, uint32_t io_every)
{
    rask_node *level[64];
    for (uint32_t i = 0; i < leaves; i++)
        level[i] = io_every && i % io_every == 0 ? rask_delayed(g, one_after_io) : rask_delayed(g, one);
    rask_plan *plan;
    rask_node *root = rask_reduce(rask_list(g, level, leaves), add, 2);
    cr_assert_eq(rask_plan_new(&root, 1, &plan), RASK_OK);
    return plan;
}

static void run_trees(uint64_t seed, uint32_t sessions)
{
    uint32_t leaves = 2 + (uint32_t)(seed * 7 % 40);
    rask_graph *g = rask_graph_new();
    rask_plan *plan = tree(g, leaves, (uint32_t)(seed % 3 * 2));
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "threads";
    for (uint32_t i = 0; i < sessions; i++) {
        rask_value sum;
        o.workers = 2 + i % 3;
        o.io_lanes = 1 + i % 2;
        cr_assert_eq(rask_plan_run(plan, &o, &sum), RASK_OK);
        cr_assert_eq(sum.as.i64, leaves);
    }
    rask_plan_free(plan);
    rask_graph_free(g);
}

Test(deque, sessions_end_however_their_threads_are_delayed, .timeout = 60)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        seed_chaos(seed);
        run_trees(seed, SESSIONS / SEEDS);
    }
    seed_chaos(0);
}

static void *sessions_of(void *seed)
{
    run_trees((uint64_t)(uintptr_t)seed, SESSIONS / 16);
    return NULL;
}

Test(deque, sessions_of_several_threads_end_however_they_are_delayed, .timeout = 60)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        pthread_t ids[4];
        seed_chaos(seed);
        for (uint64_t i = 0; i < 4; i++)
            cr_assert_eq(pthread_create(&ids[i], NULL, sessions_of, (void *)(uintptr_t)(seed + i)), 0);
        for (int i = 0; i < 4; i++)
            pthread_join(ids[i], NULL);
    }
    seed_chaos(0);
}
