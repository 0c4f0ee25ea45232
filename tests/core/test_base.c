/* The floor everything stands on: status codes, memory, arrays, arenas, the clock, modules. */
#include "../forks.h"
#include "core/base/alloc.h"
#include "core/base/array.h"
#include "core/base/atomic.h"
#include "core/base/clock.h"
#include "core/base/limits.h"
#include "core/base/module.h"
#include "core/base/stopwatch.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <malloc.h>
#include <math.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Written out once more: programs in other languages know these numbers and names. */
static const struct {
    int code;
    const char *name, *text;
} codes[] = {
    {0, "RASK_OK", "done"},
    {1, "RASK_EINVAL", "invalid argument"},
    {2, "RASK_ENOMEM", "out of memory"},
    {3, "RASK_ETYPE", "wrong type"},
    {4, "RASK_ETASK", "a task failed"},
    {5, "RASK_ECANCELLED", "cancelled"},
    {6, "RASK_ETIMEDOUT", "timed out"},
    {7, "RASK_EIO", "input or output failed"},
    {8, "RASK_ENOENT", "no such file, name or key"},
    {9, "RASK_EEXIST", "name or key given twice"},
    {10, "RASK_ELIMIT", "a limit was exceeded"},
    {11, "RASK_EBUDGET", "the memory budget was exceeded"},
    {12, "RASK_EGRAPH", "the graph could not be built"},
    {13, "RASK_EFORMAT", "malformed input"},
    {14, "RASK_ECYCLE", "the graph has a cycle"},
    {15, "RASK_EUNSUPPORTED", "not built in or not installed"},
    {16, "RASK_ERANGE", "number out of range"},
    {17, "RASK_ESYSTEM", "the operating system refused"},
    {18, "RASK_EDIED", "a worker process ended"},
};

Test(status, every_code_has_its_number_name_and_text)
{
    for (size_t i = 0; i < COUNT(codes); i++) {
        cr_expect_eq(codes[i].code, (int)i);
        cr_expect_str_eq(rask_status_name(codes[i].code), codes[i].name);
        cr_expect_str_eq(rask_status_text(codes[i].code), codes[i].text);
    }
}

Test(status, what_is_no_code_is_named_so)
{
    const int wrong[] = {-1, COUNT(codes), 1000, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        cr_expect_str_eq(rask_status_name(wrong[i]), "RASK_E?");
        cr_expect_str_eq(rask_status_text(wrong[i]), "unknown status");
    }
}

Test(version, is_that_of_the_headers)
{
    char expected[32];
    snprintf(expected, sizeof expected, "%d.%d.%d", RASK_VERSION_MAJOR, RASK_VERSION_MINOR,
             RASK_VERSION_PATCH);
    cr_expect_str_eq(rask_version(), expected);
}

/* An allocator over one piece of memory, which knows its own pointers and keeps the books. */
enum { POOL_BYTES = 8 << 20, HEADER = 16, MARK = 0x5261736b };

typedef struct counting {
    size_t used, blocks, calls;
    bool refuse;
} counting;

static _Alignas(HEADER) char pool[POOL_BYTES];

static void *pool_alloc(void *context, size_t size)
{
    counting *c = context;
    size_t needed = HEADER + ((size + HEADER - 1) & ~(size_t)(HEADER - 1));
    c->calls++;
    if (c->refuse || needed > POOL_BYTES - c->used)
        return NULL;
    size_t *header = (size_t *)(void *)(pool + c->used);
    header[0] = size;
    header[1] = MARK;
    c->used += needed;
    c->blocks++;
    return header + 2;
}

static void pool_free(void *context, void *ptr)
{
    counting *c = context;
    size_t *header = (size_t *)ptr - 2;
    cr_assert((char *)ptr > pool && (char *)ptr < pool + POOL_BYTES, "freed what was never allocated here");
    cr_assert_eq(header[1], (size_t)MARK, "freed twice, or what was never allocated");
    header[1] = 0;
    c->blocks--;
}

static void *pool_realloc(void *context, void *ptr, size_t size)
{
    size_t old = ((size_t *)ptr - 2)[0];
    void *fresh = pool_alloc(context, size);
    if (!fresh)
        return NULL;
    memcpy(fresh, ptr, old < size ? old : size);
    pool_free(context, ptr);
    return fresh;
}

static void install(counting *c)
{
    const rask_allocator allocator = {pool_alloc, pool_realloc, pool_free, c};
    cr_assert_eq(rask_set_allocator(&allocator), RASK_OK);
}

static size_t heap_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static size_t heap_before, heap_inside;

static rask_value twice(const rask_value *text)
{
    rask_value both[2] = {*text, *text}, list;
    heap_inside = heap_in_use();
    return rask_value_list_new(both, 2, &list) ? rask_value_none() : list;
}
static int64_t length(const rask_value *list)
{
    const rask_value *items;
    size_t count = 0;
    rask_value_get_list(list, &items, &count);
    return (int64_t)count;
}
RASK_TASK_WITH(twice, (.flags = RASK_PURE), value, value);
RASK_TASK(length, i64, value);

/* Every kind of thing that allocates: constants, labels, extras, merging, priorities, results, a second run.
 */
static void build_plan_and_run(void)
{
    rask_options options = RASK_OPTIONS_INIT;
    options.scheduler = "serial";
    rask_graph *g = rask_graph_new();
    rask_node *parts[1000];
    for (int i = 0; i < 1000; i++)
        parts[i] = rask_delayed(g, length, rask_delayed(g, twice, i % 2 ? "some text" : "another"));
    rask_set_label(parts[3], "the fourth");
    rask_set_priority(parts[4], 1);
    rask_after(parts[5], parts, 3);
    rask_node *sum = rask_sum(rask_list(g, parts, 1000));
    rask_plan *plan = NULL;
    cr_assert_eq(rask_plan_new(&sum, 1, &plan), RASK_OK, "%s", rask_graph_error(g));
    for (int round = 0; round < 2; round++) {
        rask_value result;
        cr_assert_eq(rask_plan_run(plan, &options, &result), RASK_OK);
        cr_expect_eq(result.as.i64, 2000);
    }
    rask_plan_get_stats(plan);
    cr_expect_gt(rask_plan_explain(plan, 2, NULL, 0), 0);
    rask_plan_free(plan);
    cr_expect_null(rask_delayed(g, length, 1, 2), "too many arguments: a message is allocated");
    rask_graph_free(g);
}

Test(allocator, serves_all_of_building_planning_and_running)
{
    counting c = {0};
    install(&c);
    rask_default_workers(); /* opens files: the C library keeps what it allocates for the first */
    heap_before = heap_in_use();
    build_plan_and_run();
    cr_expect_gt(c.calls, 10);
    cr_expect_eq(c.blocks, 0, "%zu blocks were not given back", c.blocks);
    cr_expect_eq(heap_inside, heap_before, "a run took %zu bytes behind the allocator's back",
                 heap_inside - heap_before);
    cr_expect_eq(heap_in_use(), heap_before);
    rask_set_allocator(NULL);
}

Test(allocator, without_one_of_its_functions_is_refused_and_changes_nothing)
{
    counting c = {0}, untouched = {0};
    install(&c);
    const rask_allocator broken[] = {{NULL, pool_realloc, pool_free, &untouched},
                                     {pool_alloc, NULL, pool_free, &untouched},
                                     {pool_alloc, pool_realloc, NULL, &untouched}};
    for (size_t i = 0; i < COUNT(broken); i++)
        cr_expect_eq(rask_set_allocator(&broken[i]), RASK_EINVAL);
    rk_free(rk_alloc(10));
    cr_expect_eq(c.calls, 1);
    cr_expect_eq(untouched.calls, 0);
    rask_set_allocator(NULL);
}

Test(allocator, null_brings_the_default_back)
{
    counting c = {0};
    install(&c);
    cr_expect_eq(rask_set_allocator(NULL), RASK_OK);
    rk_free(rk_alloc(10));
    cr_expect_eq(c.calls, 0);
}

Test(allocator, that_has_nothing_left_makes_no_graph)
{
    counting c = {.refuse = true};
    rask_value value = rask_value_i64(7);
    install(&c);
    cr_expect_null(rask_graph_new());
    cr_expect_null(rask_cancel_token_new());
    cr_expect_eq(rask_value_bytes_new("x", 1, &value), RASK_ENOMEM);
    cr_expect_eq(value.as.i64, 7, "an output stays untouched on failure");
    rask_set_allocator(NULL);
}

Test(alloc, refuses_products_that_overflow)
{
    cr_expect_null(rk_alloc_array(SIZE_MAX, 2));
    cr_expect_null(rk_alloc_array(SIZE_MAX / 8 + 1, 8));
    cr_expect_null(rk_calloc(SIZE_MAX / 2, 3));
    cr_expect_null(rk_alloc_array((size_t)1 << 33, (size_t)1 << 33));
}

Test(alloc, gives_nothing_for_nothing)
{
    cr_expect_null(rk_alloc(0));
    cr_expect_null(rk_alloc_array(0, 8));
    cr_expect_null(rk_calloc(8, 0));
    rk_free(NULL);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their allocators keep what was freed */
static size_t resident_bytes(void)
{
    unsigned long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert(file && fscanf(file, "%lu %lu", &all, &resident) == 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

Test(alloc, gives_back_what_small_blocks_leave_behind_while_a_bound_is_set)
{
    enum { BLOCKS = 8000, SIZE = 8 << 10, KEPT = 16 };
    static char *blocks[BLOCKS];
    rk_alloc_bound bound = {0};
    rk_alloc_bound_set(&bound, 32 << 20);
    size_t before = resident_bytes();
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = rk_alloc(SIZE);
        memset(blocks[i], 1, SIZE);
    }
    for (int i = 0; i < BLOCKS; i++) /* the last one keeps the others from the end of the heap */
        if (i + 1 < BLOCKS)
            rk_free(blocks[i]);
    size_t after = resident_bytes();
    cr_expect(after < before + (KEPT << 20), "%zu bytes were resident and then %zu", before, after);
    rk_free(blocks[BLOCKS - 1]);
    rk_alloc_bound_end(&bound);
}

Test(alloc, keeps_the_large_block_that_was_freed_last)
{
    enum { BLOCKS = 400, SIZE = 1 << 20, LARGE = 20 << 20 };
    static char *blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = rk_alloc(SIZE);
    char *large = rk_alloc(LARGE);
    *large = 42;
    for (int i = 0; i < BLOCKS; i++)
        rk_free(blocks[i]);
    rk_free(large);
    char *again = rk_alloc(LARGE);
    cr_expect_eq(*again, 42, "one that the system cleared");
    rk_free(again);
}
#endif

static void set_bound(void)
{
    rk_alloc_bound bound = {0};
    rk_alloc_bound_set(&bound, 1 << 20);
    rk_alloc_bound_end(&bound);
}

static bool sets_bound(void)
{
    set_bound();
    return true;
}

/* Before there was a large block. */
Test(alloc, can_be_bounded_in_a_child_that_was_forked_while_others_did_so)
{
    fork_amid(set_bound, sets_bound);
}

Test(alloc, zeroes_what_calloc_gives)
{
    const size_t sizes[] = {1, 1000, RK_ALLOC_LARGE + 5};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *dirty = rk_alloc(sizes[i]);
        memset(dirty, 0xff, sizes[i]);
        rk_free(dirty);
        char *clean = rk_calloc(sizes[i], 1);
        for (size_t k = 0; k < sizes[i]; k++)
            cr_assert_eq(clean[k], 0);
        rk_free(clean);
    }
}

Test(alloc, keeps_contents_when_a_block_grows_and_shrinks)
{
    const size_t sizes[] = {10, 5000, RK_ALLOC_LARGE - 1, RK_ALLOC_LARGE, 3 * RK_ALLOC_LARGE + 1, 20};
    char *block = rk_realloc(NULL, 8);
    memcpy(block, "contents", 8);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        block = rk_realloc(block, sizes[i]);
        cr_assert_not_null(block);
        cr_expect_arr_eq(block, "contents", 8);
    }
    rk_free(block);
}

Test(alloc, copies_strings_with_a_nul_behind_them)
{
    char *copy = rk_strndup("a\0b", 3), *empty = rk_strndup(NULL, 0);
    cr_expect_arr_eq(copy, "a\0b", 4);
    cr_expect_str_eq(empty, "");
    rk_free(copy);
    rk_free(empty);
}

Test(array, grows_and_keeps_its_elements_in_order)
{
    rk_array array = RK_ARRAY(uint64_t, 100000);
    for (uint64_t i = 0; i < 100000; i++)
        *(uint64_t *)rk_array_push(&array) = i;
    for (uint64_t i = 0; i < 100000; i++)
        cr_assert_eq(((uint64_t *)array.data)[i], i);
    rk_array_fini(&array);
    cr_expect_eq(array.count, 0);
    cr_expect_null(array.data);
}

Test(array, stops_exactly_at_its_ceiling)
{
    const size_t ceilings[] = {1, 15, 16, 17, 33, 1000};
    for (size_t i = 0; i < COUNT(ceilings); i++) {
        rk_array array = RK_ARRAY(uint32_t, ceilings[i]);
        for (size_t k = 0; k < ceilings[i]; k++)
            cr_assert_not_null(rk_array_push(&array));
        cr_expect_null(rk_array_push(&array));
        cr_expect_eq(rk_array_reserve(&array, 1), RASK_ELIMIT);
        cr_expect_eq(rk_array_reserve(&array, SIZE_MAX), RASK_ELIMIT);
        cr_expect_eq(rk_array_reserve(&array, 0), RASK_OK);
        cr_expect_eq(array.count, ceilings[i]);
        rk_array_fini(&array);
    }
}

Test(array, stays_whole_when_there_is_no_memory)
{
    counting c = {0};
    install(&c);
    rk_array array = RK_ARRAY(uint32_t, 1000);
    for (uint32_t i = 0; i < 16; i++)
        *(uint32_t *)rk_array_push(&array) = i;
    c.refuse = true;
    cr_expect_null(rk_array_push(&array));
    cr_expect_eq(rk_array_reserve(&array, 1), RASK_ENOMEM);
    cr_expect_eq(array.count, 16);
    cr_expect_eq(((uint32_t *)array.data)[15], 15);
    rk_array_fini(&array);
    cr_expect_eq(c.blocks, 0);
    rask_set_allocator(NULL);
}

Test(array, whose_bytes_overflow_is_out_of_memory)
{
    rk_array array = {.element = SIZE_MAX / 4, .ceiling = 1000};
    cr_expect_eq(rk_array_reserve(&array, 5), RASK_ENOMEM);
    cr_expect_null(array.data);
}

Test(arena, gives_aligned_memory_that_does_not_overlap)
{
    rk_arena arena = {0};
    char *blocks[500];
    for (size_t i = 0; i < COUNT(blocks); i++) {
        blocks[i] = rk_arena_alloc(&arena, 1 + i);
        cr_assert_not_null(blocks[i]);
        cr_assert_eq((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        memset(blocks[i], (int)i, 1 + i);
    }
    for (size_t i = 0; i < COUNT(blocks); i++)
        for (size_t k = 0; k <= i; k++)
            cr_assert_eq((unsigned char)blocks[i][k], (unsigned char)i);
    rk_arena_fini(&arena);
    cr_expect_eq(arena.total, 0);
}

Test(arena, gives_pieces_larger_than_its_chunks)
{
    rk_arena arena = {0};
    for (size_t size = 1; size <= (size_t)1 << 22; size *= 4) {
        char *piece = rk_arena_alloc(&arena, size);
        cr_assert_not_null(piece);
        memset(piece, 1, size);
    }
    rk_arena_fini(&arena);
}

Test(arena, stays_under_its_ceiling)
{
    rk_arena arena = {.ceiling = 100000};
    size_t given = 0;
    while (rk_arena_alloc(&arena, 1000))
        given += 1000;
    cr_expect_geq(given, 50000);
    cr_expect_leq(given, 100000);
    cr_expect_leq(arena.total, 100000);
    cr_expect_null(rk_arena_alloc(&arena, 200000));
    rk_arena_fini(&arena);
}

Test(arena, refuses_sizes_that_overflow)
{
    rk_arena arena = {0};
    cr_expect_null(rk_arena_alloc(&arena, SIZE_MAX));
    cr_expect_not_null(rk_arena_alloc(&arena, 8));
    for (size_t less = 0; less < 64; less++)
        cr_expect_null(rk_arena_alloc(&arena, SIZE_MAX - less));
    rk_arena_fini(&arena);
}

Test(atomic, raise_never_lowers)
{
    rk_atomic_u64 most;
    rk_init(&most, 5);
    rk_raise_relaxed(&most, 3);
    cr_expect_eq(rk_load_relaxed(&most), 5);
    rk_raise_relaxed(&most, 8);
    cr_expect_eq(rk_load_relaxed(&most), 8);
}

static uint64_t fake_now = 1000;

static uint64_t fake_clock(void)
{
    return fake_now;
}

Test(clock, never_goes_back)
{
    uint64_t last = rk_clock_now();
    cr_expect_neq(last, 0);
    for (int i = 0; i < 10000; i++) {
        uint64_t now = rk_clock_now();
        cr_assert_geq(now, last);
        last = now;
    }
}

Test(clock, can_be_replaced_and_brought_back)
{
    rk_clock_replace(fake_clock);
    cr_expect_eq(rk_clock_now(), 1000);
    fake_now = 5000;
    cr_expect_eq(rk_clock_now(), 5000);
    rk_clock_replace(NULL);
    cr_expect_gt(rk_clock_now(), 5000);
}

Test(clock, sleeps_by_the_systems_time_when_replaced)
{
    uint64_t before = rk_clock_now();
    rk_clock_replace(fake_clock);
    rk_clock_sleep(2000000);
    rk_clock_replace(NULL);
    cr_expect_geq(rk_clock_now() - before, 2000000);
}

/* Between two readings of the clock, but for what it may lag, whoever takes the processor away in between. */
Test(stopwatch, tells_the_time_of_the_clock_and_never_goes_back)
{
    enum { LAG_NS = 5000 };
    rk_stopwatch watch = {0};
    uint64_t last = 0, begin = rk_clock_now();
    for (uint64_t before; (before = rk_clock_now()) < begin + 3000000;)
        for (int i = 0; i < 100; i++) {
            uint64_t now = rk_stopwatch_now(&watch);
            cr_assert_geq(now, last);
            cr_assert_geq(now + LAG_NS, before);
            cr_assert_leq(now, rk_clock_now() + LAG_NS);
            last = now;
        }
}

Test(stopwatch, does_not_run_ahead_when_it_looks_early)
{
    enum { LAG_NS = 5000 };
    rk_stopwatch watch = {0};
    uint64_t last = 0, begin = rk_clock_now();
    while (rk_clock_now() < begin + 1000000) {
        uint64_t now = rk_stopwatch_look(&watch);
        cr_assert_geq(now, last);
        cr_assert_leq(now, rk_clock_now() + LAG_NS);
        last = rk_stopwatch_now(&watch);
        cr_assert_geq(last, now);
    }
}

Test(stopwatch, follows_a_clock_that_is_replaced)
{
    rk_stopwatch watch = {0};
    rk_clock_replace(fake_clock);
    fake_now = 1000;
    cr_expect_eq(rk_stopwatch_now(&watch), 1000);
    fake_now = 5000;
    cr_expect_eq(rk_stopwatch_now(&watch), 5000);
    rk_clock_replace(NULL);
    cr_expect_gt(rk_stopwatch_now(&watch), 5000);
}

static int64_t five_seconds(void)
{
    fake_now += 5000000000u;
    return 5;
}
RASK_TASK_WITH(five_seconds, (.timeout = 4), i64);

Test(clock, decides_what_is_too_late)
{
    rask_options options = RASK_OPTIONS_INIT;
    options.scheduler = "serial";
    rask_graph *g = rask_graph_new();
    int64_t answer = 0;
    rk_clock_replace(fake_clock);
    rask_node *call = rask_delayed(g, five_seconds);
    cr_expect_eq(rask_compute_with(call, &options, &answer), RASK_ETIMEDOUT);
    cr_expect_eq(rask_compute_with(rask_set_timeout(call, 6), &options, &answer), RASK_OK);
    cr_expect_eq(answer, 5);
    rk_clock_replace(NULL);
    rask_graph_free(g);
}

/* A folder of modules, by RASK_MODULE_PATH. */
static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/rask-test-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    setenv("RASK_MODULE_PATH", folder, 1);
}

static void remove_folder(void)
{
    const char *names[] = {"text.so", "foreign.so", "folder.so"};
    char path[128];
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    rmdir(folder);
}

static int open_module(const char *name, char *error)
{
    const void *module = error;
    int status = rk_module_open(name, sizeof(rk_module_head), &module, error, 256);
    cr_expect_eq(module, (const void *)error, "an output stays untouched on failure");
    return status;
}

TestSuite(module, .init = make_folder, .fini = remove_folder);

Test(module, that_is_nowhere_is_named)
{
    char error[256] = "";
    cr_expect_eq(open_module("no-such-module", error), RASK_ENOENT);
    cr_expect_not_null(strstr(error, "no-such-module.so"), "%s", error);
}

Test(module, that_is_no_shared_object_is_refused)
{
    char path[128], error[256] = "";
    snprintf(path, sizeof path, "%s/text.so", folder);
    FILE *file = fopen(path, "w");
    fputs("this is no shared object", file);
    fclose(file);
    cr_expect_eq(open_module("text", error), RASK_EUNSUPPORTED);
    cr_expect_not_null(strstr(error, "text.so"), "%s", error);
    snprintf(path, sizeof path, "%s/folder.so", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_eq(open_module("folder", error), RASK_EUNSUPPORTED);
}

Test(module, of_somebody_else_is_refused)
{
    char path[128], error[256] = "";
    Dl_info info;
    cr_assert_neq(dladdr(dlsym(RTLD_DEFAULT, "getpid"), &info), 0);
    snprintf(path, sizeof path, "%s/foreign.so", folder);
    cr_assert_eq(symlink(info.dli_fname, path), 0);
    cr_expect_eq(open_module("foreign", error), RASK_EUNSUPPORTED);
    cr_expect_not_null(strstr(error, "is no module of Rask"), "%s", error);
}

Test(module, whose_name_is_longer_than_any_path_is_not_found)
{
    char name[8192], error[256] = "";
    memset(name, 'm', sizeof name);
    name[sizeof name - 1] = '\0';
    cr_expect_eq(open_module(name, error), RASK_ENOENT);
}
