/* The first k rows against sorting all of them, from any batches and merges. */
#include "random_table.h"

#include "collections/table/top.h"

static const random_table *sorted_table;
static const rk_order *sorted_order;
static uint32_t sorted_columns;

static int slow_order(const void *a, const void *b)
{
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    for (uint32_t c = 0; c < sorted_columns; c++) {
        const rk_column *column = &sorted_table->columns[sorted_order[c].column];
        int order = slow_compare(column, i, column, k, sorted_order[c].descending);
        if (order)
            return order;
    }
    return (i > k) - (i < k);
}

/* The first k rows, as bytes. */
static text_bytes slow_top(const random_table *t, const rk_order *order, uint32_t columns, uint64_t k)
{
    uint32_t *rows = calloc(t->rows + 1, sizeof *rows);
    for (uint32_t i = 0; i < t->rows; i++)
        rows[i] = i;
    sorted_table = t;
    sorted_order = order;
    sorted_columns = columns;
    qsort(rows, t->rows, sizeof *rows, slow_order);
    text_bytes out = {0};
    for (uint32_t i = 0; i < t->rows && i < k; i++) {
        rk_column row[TABLE_COLUMNS];
        for (uint32_t c = 0; c < TABLE_COLUMNS; c++)
            row[c] = column_from(t, c, rows[i]);
        rk_batch batch = {.rows = 1, .count = TABLE_COLUMNS, .columns = row};
        put_batch(&out, &batch);
    }
    free(rows);
    return out;
}

static uint32_t columns_added = TABLE_COLUMNS;

static int add_rows(rk_top *top, const random_table *t, uint32_t from, uint32_t count)
{
    rk_column columns[TABLE_COLUMNS];
    for (uint32_t c = 0; c < TABLE_COLUMNS; c++)
        columns[c] = column_from(t, c, from);
    rk_batch batch = {.rows = count, .count = columns_added, .columns = columns};
    return rk_top_add(top, &batch, from, NULL);
}

static text_bytes results(rk_top *top)
{
    rk_batch batch;
    text_bytes out = {0};
    cr_assert_eq(rk_batch_init(&batch, table_types, TABLE_COLUMNS), RASK_OK);
    cr_assert_eq(rk_top_finish(top), RASK_OK);
    do {
        rk_top_next(top, &batch);
        put_batch(&out, &batch);
    } while (batch.rows);
    rk_batch_fini(&batch);
    rk_top_free(top);
    return out;
}

/* Batches go to three workers, from the last to the first; the workers are merged. */
static void check_top(const random_table *t, const rk_order *order, uint32_t columns, uint64_t k,
                      uint32_t most)
{
    rk_top *workers[3];
    uint64_t seed = k + columns;
    for (int w = 0; w < 3; w++)
        cr_assert_eq(rk_top_new(table_types, TABLE_COLUMNS, order, columns, k, &workers[w]), RASK_OK);
    for (uint32_t end = t->rows, n; end > 0; end -= n) {
        n = 1 + (uint32_t)(next_random(&seed) % most);
        n = n < end ? n : end;
        cr_assert_eq(add_rows(workers[next_random(&seed) % 3], t, end - n, n), RASK_OK);
    }
    for (int w = 1; w < 3; w++) {
        rask_value packed;
        rask_bytes bytes;
        cr_assert_eq(rk_top_pack(workers[w], &packed), RASK_OK);
        cr_assert_eq(rask_value_get_bytes(&packed, &bytes), RASK_OK);
        cr_assert_eq(rk_top_merge(workers[0], bytes), RASK_OK);
        rask_value_unref(&packed);
        rk_top_free(workers[w]);
    }
    text_bytes got = results(workers[0]), expected = slow_top(t, order, columns, k);
    expect_same(&got, &expected, "top");
    free(got.data);
    free(expected.data);
}

Test(order, first_rows_are_those_of_a_full_sort)
{
    const rk_order orders[][3] = {{{2, false}, {0, true}, {1, false}}, {{2, true}, {0, false}, {1, true}},
                                  {{0, false}, {3, true}, {2, true}},  {{0, true}, {5, false}, {1, false}},
                                  {{1, true}, {2, false}, {0, false}}, {{3, false}, {4, false}, {6, true}},
                                  {{5, true}, {0, false}, {1, true}}};
    random_table t = random_table_new(9000, 60, 17), few = random_table_new(40, 5, 18);
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        for (uint32_t columns = i % 2 ? 1 : 3; columns <= 3; columns += 3) {
            check_top(&t, orders[i], columns, 10, 4096);
            check_top(&t, orders[i], columns, i % 2 ? 5000 : 1, 3000);
            check_top(&few, orders[i], columns, 7, 3);
        }
    }
    check_top(&t, orders[0], 3, 0, 4096);
    check_top(&t, orders[0], 3, 12000, 4096);
    check_top(&few, orders[0], 3, RK_TOP_MOST, 40);
    random_table_free(&t);
    random_table_free(&few);
}

Test(order, equal_rows_go_by_position)
{
    random_table t = random_table_new(9000, 1, 4);
    memset(t.columns[3].valid, 1, t.rows);
    memset(t.columns[3].data, 1, t.rows);
    const rk_order order = {3, false};
    check_top(&t, &order, 1, 100, 4096);
    check_top(&t, &order, 1, 6000, 4096);
    random_table_free(&t);
}

Test(order, too_many_rows_are_refused)
{
    const rk_order order = {0, false};
    rk_top *top = NULL;
    cr_assert_eq(rk_top_new(table_types, 1, &order, 1, RK_TOP_MOST + (uint64_t)1, &top), RASK_ELIMIT);
    cr_assert_null(top);
}

static int no_order(const void *context, uint64_t a, uint64_t b)
{
    (void)context, (void)a, (void)b;
    return 0;
}

Test(order, sorting_is_stable_for_any_count)
{
    rk_ranked items[300], scratch[300];
    uint64_t seed = 1;
    for (size_t n = 0; n < 300; n++) {
        for (size_t i = 0; i < n; i++)
            items[i] = (rk_ranked){next_random(&seed) % 20, i};
        rk_sort(items, scratch, n, no_order, NULL);
        for (size_t i = 1; i < n; i++)
            cr_assert(items[i - 1].rank < items[i].rank ||
                      (items[i - 1].rank == items[i].rank && items[i - 1].item < items[i].item));
    }
}

static random_table swept;

static int keep_and_merge(void)
{
    const rk_order order[] = {{1, false}, {0, true}};
    rk_top *one = NULL, *two = NULL;
    rask_value packed = {0};
    rask_bytes bytes;
    int status = rk_top_new(table_types, 2, order, 2, 20, &one);
    if (!status)
        status = rk_top_new(table_types, 2, order, 2, 20, &two);
    for (uint32_t from = 0; from < swept.rows && !status; from += 2800)
        status = add_rows(one, &swept, from, 2800);
    if (!status)
        status = rk_top_pack(one, &packed);
    if (!status && !(status = rask_value_get_bytes(&packed, &bytes)))
        status = rk_top_merge(two, bytes);
    if (!status)
        status = rk_top_finish(two);
    rask_value_unref(&packed);
    rk_top_free(one);
    rk_top_free(two);
    return status;
}

Test(order, out_of_memory_is_an_error)
{
    swept = random_table_new(8400, 50, 6);
    columns_added = 2;
    sweep(keep_and_merge, 0);
    random_table_free(&swept);
}
