/* The store: every object counted once, from when a task returns it to when it dies or is handed out. */
#include "core/base/clock.h"
#include "core/store/image.h"
#include "core/store/store.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static rk_store *store;

static void set_up(void)
{
    store = rk_store_new(0, NULL, NULL);
}
static void tear_down(void)
{
    rk_store_end(store);
}
TestSuite(store, .init = set_up, .fini = tear_down);

static rask_value bytes_of(size_t len)
{
    rask_value value;
    char *data;
    cr_assert_eq(rask_value_bytes_alloc(len, &data, &value), RASK_OK);
    memset(data, 'x', len);
    return value;
}

static rask_value list_of(size_t count, const rask_value *items)
{
    rask_value list;
    cr_assert_eq(rask_value_list_new(items, count, &list), RASK_OK);
    return list;
}

static void expect_live(size_t bytes)
{
    cr_expect_eq(rk_store_live(store), bytes, "%zu bytes live, not %zu", (size_t)rk_store_live(store), bytes);
}

Test(store, counts_a_result_until_it_dies)
{
    rask_value value = bytes_of(1000), copy = rask_value_ref(&value);
    size_t size = rask_value_size(&value);
    cr_expect_eq(rk_store_add(store, &value), RASK_OK);
    expect_live(size);
    rask_value_unref(&value);
    expect_live(size);
    rask_value_unref(&copy);
    expect_live(0);
    cr_expect_eq(rk_store_peak(store), size);
}

Test(store, counts_nothing_for_scalars)
{
    const rask_value scalars[] = {rask_value_none(), rask_value_bool(true), rask_value_i64(1),
                                  rask_value_f64(1)};
    for (size_t i = 0; i < COUNT(scalars); i++) {
        cr_expect_eq(rk_store_add(store, &scalars[i]), RASK_OK);
        rk_store_hand_out(store, &scalars[i]);
    }
    expect_live(0);
    cr_expect_eq(rk_store_peak(store), 0);
}

Test(store, counts_an_object_once_however_often_it_is_returned)
{
    rask_value value = bytes_of(100);
    for (int i = 0; i < 5; i++)
        cr_expect_eq(rk_store_add(store, &value), RASK_OK);
    expect_live(rask_value_size(&value));
    rask_value_unref(&value);
    expect_live(0);
}

Test(store, counts_what_lists_share_once)
{
    rask_value shared = bytes_of(100), items[3] = {shared, shared, rask_value_i64(1)};
    rask_value inner = list_of(3, items), outer_items[3] = {inner, shared, inner},
               outer = list_of(3, outer_items);
    size_t bytes = rask_value_size(&shared), headers = rask_value_size(&inner) - 2 * bytes;
    size_t outer_header = rask_value_size(&outer) - 2 * rask_value_size(&inner) - bytes;
    cr_expect_eq(rk_store_add(store, &outer), RASK_OK);
    expect_live(bytes + headers + outer_header);
    cr_expect_eq(rk_store_add(store, &shared), RASK_OK);
    cr_expect_eq(rk_store_add(store, &inner), RASK_OK);
    expect_live(bytes + headers + outer_header);
    rask_value_unref(&outer);
    expect_live(bytes + headers);
    rask_value_unref(&inner);
    expect_live(bytes);
    rask_value_unref(&shared);
    expect_live(0);
}

Test(store, counts_the_rest_of_a_list_whose_items_it_knows)
{
    rask_value known = bytes_of(100), fresh = bytes_of(10), items[2] = {known, fresh};
    cr_expect_eq(rk_store_add(store, &known), RASK_OK);
    rask_value list = list_of(2, items);
    cr_expect_eq(rk_store_add(store, &list), RASK_OK);
    expect_live(rask_value_size(&list));
    for (int i = 0; i < 2; i++)
        rask_value_unref(&items[i]);
    expect_live(rask_value_size(&list));
    rask_value_unref(&list);
    expect_live(0);
}

Test(store, counts_lists_nested_a_hundred_thousand_deep)
{
    rask_value list = bytes_of(7);
    for (int i = 0; i < 100000; i++) {
        rask_value outer = list_of(1, &list);
        rask_value_unref(&list);
        list = outer;
    }
    cr_expect_eq(rk_store_add(store, &list), RASK_OK);
    expect_live(rask_value_size(&list));
    rk_store_hand_out(store, &list);
    expect_live(0);
    rask_value_unref(&list);
}

Test(store, no_longer_counts_what_is_handed_out)
{
    rask_value item = bytes_of(50), list = list_of(1, &item), other = bytes_of(20);
    cr_expect_eq(rk_store_add(store, &list), RASK_OK);
    cr_expect_eq(rk_store_add(store, &other), RASK_OK);
    rk_store_hand_out(store, &list);
    expect_live(rask_value_size(&other));
    rk_store_hand_out(store, &list);
    expect_live(rask_value_size(&other));
    rask_value_unref(&list);
    rask_value_unref(&item);
    rask_value_unref(&other);
    expect_live(0);
}

Test(store, counts_again_what_another_run_was_handed)
{
    rk_store *first = rk_store_new(0, NULL, NULL);
    rask_value value = bytes_of(50);
    cr_expect_eq(rk_store_add(first, &value), RASK_OK);
    cr_expect_eq(rk_store_add(store, &value), RASK_OK);
    expect_live(0);
    rk_store_hand_out(first, &value);
    rk_store_end(first);
    cr_expect_eq(rk_store_add(store, &value), RASK_OK);
    expect_live(rask_value_size(&value));
    rask_value_unref(&value);
}

Test(store, may_end_before_the_objects_it_counts)
{
    rk_store *early = rk_store_new(0, NULL, NULL);
    rask_value value = bytes_of(50), list = list_of(1, &value);
    cr_expect_eq(rk_store_add(early, &list), RASK_OK);
    rk_store_end(early);
    rask_value_unref(&list);
    rask_value_unref(&value);
    rk_store_end(NULL);
}

Test(store, remembers_its_peak)
{
    size_t peak = 0;
    for (size_t len = 100; len > 0; len -= 10) {
        rask_value a = bytes_of(len), b = bytes_of(len);
        rk_store_add(store, &a);
        rk_store_add(store, &b);
        peak = rk_store_live(store) > peak ? rk_store_live(store) : peak;
        rask_value_unref(&a);
        rask_value_unref(&b);
    }
    expect_live(0);
    cr_expect_eq(rk_store_peak(store), peak);
}

Test(store, that_has_a_budget_says_when_it_is_exceeded)
{
    rask_value values[3] = {bytes_of(400), bytes_of(400), bytes_of(400)};
    rk_store *small = rk_store_new(1000, NULL, NULL);
    cr_expect_eq(rk_store_budget(small), 1000);
    cr_expect_eq(rk_store_add(small, &values[0]), RASK_OK);
    cr_expect_eq(rk_store_add(small, &values[1]), RASK_OK);
    cr_expect_eq(rk_store_add(small, &values[2]), RASK_EBUDGET);
    cr_expect_gt(rk_store_live(small), 1000, "what went over is counted all the same");
    rask_value_unref(&values[2]);
    rask_value_unref(&values[1]);
    rask_value_unref(&values[0]);
    cr_expect_eq(rk_store_live(small), 0);
    rk_store_end(small);
}

static void *add_and_forget(void *shared)
{
    for (int i = 0; i < 5000; i++) {
        rask_value own = bytes_of((size_t)i % 100), items[2] = {own, *(rask_value *)shared},
                   list = list_of(2, items);
        rk_store_add(store, &list);
        rk_store_add(store, &own);
        rk_store_add(store, shared);
        rask_value_unref(&own);
        if (i % 3 == 0)
            rk_store_hand_out(store, &list);
        rask_value_unref(&list);
    }
    return NULL;
}

Test(store, is_shared_by_threads)
{
    rask_value shared = bytes_of(1000);
    pthread_t threads[2];
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, add_and_forget, &shared);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    rk_store_hand_out(store, &shared);
    expect_live(0);
    cr_expect_geq(rk_store_peak(store), rask_value_size(&shared));
    rask_value_unref(&shared);
}

/* Memory whose owner takes his time. */
static void release_slowly(void *owner)
{
    rk_clock_sleep(100000000);
    *(bool *)owner = true;
}

/* A block of the size that the owner says it has, as a source's result. */
static void keep_slow_block(rk_store *kept, size_t bytes, bool *released, rask_value *place)
{
    static char element;
    char message[512];
    rask_value value;
    uint64_t counted;
    rask_block block = {.data = &element, .dtype = RASK_DT_U8, .release = release_slowly, .owner = released};
    cr_assert_eq(rask_value_block_adopt(&block, bytes, &value), RASK_OK);
    cr_assert_eq(rk_store_keep(kept, NULL, 0, true, place, &value, &counted, message, sizeof message),
                 RASK_OK);
}

/* In and out again; the status. */
static void *pass_through(void *argument)
{
    char message[512];
    rk_pass pass = {.task = 1, .result = 500000, .surely = 500000, .others = true};
    intptr_t status = rk_store_enter(argument, &pass, message, sizeof message);
    rk_store_leave(argument, &pass);
    return (void *)status;
}

Test(store, refuses_nobody_while_an_object_is_on_its_way_out)
{
    bool released = false;
    rask_value place;
    rk_store *small = rk_store_new(1000000, NULL, NULL);
    keep_slow_block(small, 700000, &released, &place);
    pthread_t threads[2];
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, pass_through, small);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *status;
        pthread_join(threads[i], &status);
        cr_expect_eq((intptr_t)status, RASK_OK);
    }
    cr_expect(released);
    rk_store_drop(small, &place);
    rk_store_end(small);
}

Test(store, takes_bytes_out_of_memory_that_a_task_passed_on_from_a_list)
{
    char message[512];
    uint64_t counted;
    rk_store *small = rk_store_new(1000000, NULL, NULL);
    rask_value items[] = {bytes_of(400000), bytes_of(400000)}, all = list_of(2, items),
               item = rask_value_ref(&items[1]), places[2];
    for (size_t i = 0; i < COUNT(items); i++)
        rask_value_unref(&items[i]);
    cr_assert_eq(rk_store_keep(small, NULL, 0, false, &places[0], &all, &counted, message, sizeof message),
                 0);
    cr_assert_eq(rk_store_keep(small, NULL, 1, false, &places[1], &item, &counted, message, sizeof message),
                 0);
    cr_expect_eq(counted, 0, "the list brought it");
    rk_store_drop(small, &places[0]);
    cr_expect_lt(rk_store_live(small), 500000);
    rk_pass pass = {.task = 2, .result = 700000, .surely = 700000, .others = true};
    cr_expect_eq(rk_store_enter(small, &pass, message, sizeof message), RASK_OK, "%s", message);
    cr_expect_eq(rk_store_live(small), 0);
    rk_store_leave(small, &pass);
    rk_store_drop(small, &places[1]);
    rk_store_end(small);
}

/* One result has its last taker, and another task makes one that is nearly too large beside it. */
Test(store, lets_tasks_in_of_which_nobody_knows_what_comes)
{
    char message[512];
    uint64_t counted;
    rk_store *small = rk_store_new(1000000, NULL, NULL);
    rask_value value = bytes_of(400000), table[3] = {{0}};
    const uint32_t words[] = {0};
    const rk_atomic_u32 uses[] = {1, 0, 0};
    cr_assert_eq(rk_store_keep(small, NULL, 0, false, &table[0], &value, &counted, message, sizeof message),
                 0);
    rk_pass takes = {.task = 1, .words = words, .count = 1, .results = table, .uses = uses};
    rk_pass makes = {.task = 2, .result = 500000, .surely = 500000, .others = true};
    cr_assert_eq(rk_store_enter(small, &takes, message, sizeof message), RASK_OK, "%s", message);
    cr_assert_eq(rk_store_enter(small, &makes, message, sizeof message), RASK_OK, "%s", message);
    rk_store_leave(small, &makes);
    rk_store_leave(small, &takes);
    rk_store_drop(small, &table[0]);
    rk_store_end(small);
}

/* What may go to disk. */

Test(image, is_not_made_of_blocks_with_gaps_wherever_they_stand_in_a_list)
{
    static char elements[64];
    const int64_t strides[][2] = {{4, 1}, {8, 1}, {4, 2}, {0, 0}, {-4, 1}};
    for (size_t i = 0; i < COUNT(strides); i++) {
        rask_block block = {.data = elements + 32,
                            .dtype = RASK_DT_U8,
                            .ndim = 2,
                            .shape = {2, 4},
                            .strides = {strides[i][0], strides[i][1]}};
        rask_value value, items[2] = {rask_value_i64(1)};
        cr_assert_eq(rask_value_block_adopt(&block, 64, &value), RASK_OK);
        items[1] = value;
        rask_value inner = list_of(2, items), outer = list_of(1, &inner);
        cr_expect_eq(rk_image_fits(&value), i == 0, "strides %zu", i);
        cr_expect_eq(rk_image_fits(&outer), i == 0, "strides %zu, in lists", i);
        rask_value_unref(&outer);
        rask_value_unref(&inner);
        rask_value_unref(&value);
    }
    rask_value number = rask_value_i64(1);
    cr_expect_not(rk_image_fits(&number), "nothing would come free");
}

/* Strides of dimensions that are walked at most once mean nothing. */
Test(image, is_made_of_blocks_that_are_empty_or_one_element_wide)
{
    static char elements[64];
    const int64_t shapes[][2] = {{0, 4}, {4, 0}, {1, 1}, {1, 4}};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        rask_block block = {.data = elements,
                            .dtype = RASK_DT_U8,
                            .ndim = 2,
                            .shape = {shapes[i][0], shapes[i][1]},
                            .strides = {-100, 1}};
        rask_value value;
        cr_assert_eq(rask_value_block_adopt(&block, 64, &value), RASK_OK);
        cr_expect(rk_image_fits(&value), "shape %zu", i);
        rask_value_unref(&value);
    }
}

Test(image, of_a_list_is_worth_it_once_nobody_else_holds_anything_in_it)
{
    rask_value leaves[] = {bytes_of(5), bytes_of(6)}, numbers = list_of(1, (rask_value[]){rask_value_i64(1)}),
               pair = list_of(2, leaves), items[] = {numbers, rask_value_i64(2), pair},
               all = list_of(3, items), *held[] = {&pair, &leaves[1], &numbers, &leaves[0]};
    rk_image_look look = {0};
    for (size_t i = 0; i < COUNT(held); i++) {
        cr_expect_not(rk_image_is_alone(&all, NULL, 0, &look), "%zu of what is in it was let go of", i);
        rask_value_unref(held[i]);
    }
    cr_expect(rk_image_is_alone(&all, NULL, 0, &look));
    rask_value copy = rask_value_ref(&all);
    cr_expect_not(rk_image_is_alone(&all, NULL, 0, &look));
    rask_value_unref(&copy);
    const rask_value *in_it;
    size_t count;
    rask_value_get_list(&all, &in_it, &count);
    copy = rask_value_ref(&in_it[0]);
    cr_expect_not(rk_image_is_alone(&all, NULL, 0, &look));
    look = (rk_image_look){0};
    cr_expect(rk_image_is_alone(&all, &copy, 1, &look), "the item is kept by itself");
    rask_value_unref(&copy);
    rask_value_unref(&all);
}

/* Who begins again at each look takes twenty thousand million steps. */
Test(image, of_a_list_is_not_looked_at_from_the_front_whenever_an_item_is_let_go_of)
{
    enum { ITEMS = 200000 };
    rask_value *items = malloc(ITEMS * sizeof *items);
    for (size_t i = 0; i < ITEMS; i++)
        items[i] = bytes_of(1);
    rask_value all = list_of(ITEMS, items);
    rk_image_look look = {0};
    for (size_t i = 0; i < ITEMS; i++) {
        cr_assert_not(rk_image_is_alone(&all, NULL, 0, &look));
        rask_value_unref(&items[i]);
    }
    cr_expect(rk_image_is_alone(&all, NULL, 0, &look));
    rask_value_unref(&all);
    free(items);
}

/* Through whole runs. */

static int blob(rask_task *t)
{
    char *data;
    rask_value value;
    size_t len = (size_t)rask_arg_i64(t, 0);
    if (rask_value_bytes_alloc(len, &data, &value))
        return rask_fail(t, RASK_ENOMEM, NULL);
    memset(data, 'b', len);
    return rask_return_value(t, value);
}
static int64_t length(rask_bytes bytes)
{
    return (int64_t)bytes.len;
}
RASK_SLOTS(blob);
RASK_TASK(length, i64, bytes);

static rask_report run(rask_node *node, uint64_t budget, int expected)
{
    rask_report report = {0};
    rask_value result;
    rask_options options = RASK_OPTIONS_INIT;
    options.scheduler = "serial";
    options.memory = budget;
    options.report = &report;
    int status = rask_compute_value(node, &options, &result);
    cr_expect_eq(status, expected, "%s", rask_graph_error(rask_node_graph(node)));
    if (!status)
        rask_value_unref(&result);
    cr_expect_eq(report.live_bytes, 0);
    return report;
}

Test(run, frees_results_at_their_last_use)
{
    rask_graph *g = rask_graph_new();
    rask_node *lengths[20];
    for (int i = 0; i < 20; i++)
        lengths[i] = rask_delayed(g, length, rask_delayed(g, blob, 10000));
    rask_report report = run(rask_sum(rask_list(g, lengths, 20)), 0, RASK_OK);
    cr_expect_gt(report.peak_bytes, 10000);
    cr_expect_lt(report.peak_bytes, 2 * 10000, "one blob at a time is enough");
    rask_graph_free(g);
}

Test(run, counts_no_constants_and_nothing_that_was_handed_out)
{
    rask_graph *g = rask_graph_new();
    rask_node *texts[] = {rask_const(g, "a constant"), rask_input(g, "an input"), rask_delayed(g, blob, 3)};
    rask_node *list = rask_list(g, texts, 3);
    run(list, 0, RASK_OK);
    run(rask_item(list, 0), 0, RASK_OK);
    run(rask_concat(list), 0, RASK_OK);
    rask_graph_free(g);
}

Test(run, over_its_budget_says_so_with_the_figures)
{
    rask_graph *g = rask_graph_new();
    rask_node *big = rask_delayed(g, blob, 5000), *small = rask_delayed(g, blob, 10);
    rask_node *both[] = {small, big};
    run(rask_concat(rask_list(g, both, 2)), 100000, RASK_OK);
    rask_report report = run(rask_concat(rask_list(g, both, 2)), 4000, RASK_EBUDGET);
    cr_expect_eq(report.failed, 1);
    const char *figures[] = {"blob", "bytes", "the memory budget of 4000"};
    for (size_t i = 0; i < COUNT(figures); i++)
        cr_expect_not_null(strstr(rask_graph_error(g), figures[i]), "\"%s\": %s", figures[i],
                           rask_graph_error(g));
    rask_graph_free(g);
}
