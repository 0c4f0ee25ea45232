/* Values between processes: large ones stay where they were written, and all outlive the run that made them. */
#include "leftovers.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(processes_values);

#define MIB ((int64_t)1 << 20)

/* A byte of content, by what it is the content of and where. */
static char pattern(int64_t number, size_t at)
{
    return (char)(number * 31 + (int64_t)(at >> 12) + (int64_t)at);
}

static void fill(char *data, size_t len, int64_t number)
{
    for (size_t i = 0; i < len; i += 61)
        data[i] = pattern(number, i);
}

static bool is_filled(const char *data, size_t len, int64_t number)
{
    for (size_t i = 0; i < len; i += 61)
        if (data[i] != pattern(number, i))
            return false;
    return true;
}

/* (bytes, number) */
static int make_bytes(rask_task *t)
{
    char *data;
    rask_value value;
    size_t len = (size_t)rask_arg_i64(t, 0);
    if (rask_value_bytes_alloc(len, &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    fill(data, len, rask_arg_i64(t, 1));
    return rask_return_value(t, value);
}
RASK_SLOTS(make_bytes);

/* (bytes, number, where to note the address): a block of two rows. */
static int make_block(rask_task *t)
{
    rask_block block;
    rask_value value;
    const int64_t shape[2] = {2, rask_arg_i64(t, 0) / 2};
    if (rask_value_block_alloc(RASK_DT_U8, 2, shape, &block, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    fill(block.data, (size_t)(2 * shape[1]), rask_arg_i64(t, 1));
    atomic_store((atomic_intptr_t *)(intptr_t)rask_arg_i64(t, 2), (intptr_t)block.data);
    return rask_return_value(t, value);
}
RASK_SLOTS(make_block);

static int64_t address_in(const rask_value *value)
{
    rask_bytes bytes;
    rask_block block;
    if (!rask_value_get_bytes(value, &bytes))
        return (int64_t)(intptr_t)bytes.data;
    return rask_value_get_block(value, &block) ? 0 : (int64_t)(intptr_t)block.data;
}

/* (value, how many come together, where they count themselves): its address, once all are here: on several workers. */
static int look_together(rask_task *t)
{
    atomic_int *arrived = (atomic_int *)(intptr_t)rask_arg_i64(t, 2);
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < rask_arg_i64(t, 1))
        sleep_ms(1);
    return rask_return_i64(t, address_in(rask_arg_value(t, 0)));
}
RASK_SLOTS(look_together);

Test(processes_values, large_results_are_read_where_they_were_written)
{
    static const int64_t sizes[] = {MIB, 16 * MIB, 64 * MIB};
    struct {
        atomic_intptr_t made;
        atomic_int arrived;
    } *shared = shared_calloc(4096);
    for (int i = 0; i < 3; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = processes(3);
        rask_node *looks[3];
        rask_value results[3];
        atomic_store(&shared->arrived, 0);
        rask_node *block = rask_delayed(g, make_block, sizes[i], i, (int64_t)(intptr_t)&shared->made);
        for (int k = 0; k < 3; k++)
            looks[k] = rask_delayed(g, look_together, block, 3, (int64_t)(intptr_t)&shared->arrived);
        cr_assert_eq(rask_compute_values(looks, 3, &o, results), RASK_OK, "%s", rask_graph_error(g));
        for (int k = 0; k < 3; k++)
            cr_assert_eq(results[k].as.i64, atomic_load(&shared->made));
        rask_graph_free(g);
    }
    shared_free(shared, 4096);
}

static rask_value same(const rask_value *value)
{
    return rask_value_ref(value);
}
RASK_TASK(same, value, value);

static void release_value(void *owner)
{
    rask_value_unref(owner);
    free(owner);
}

/* (block): its second row. */
static int second_row(rask_task *t)
{
    rask_block block;
    rask_value view, *owner = malloc(sizeof *owner);
    if (rask_arg_block(t, 0, &block))
        return RASK_ETYPE;
    *owner = rask_value_ref(rask_arg_value(t, 0));
    rask_block row = {.dtype = block.dtype, .ndim = 1, .release = release_value, .owner = owner};
    row.shape[0] = block.shape[1];
    row.strides[0] = 1;
    row.data = (char *)block.data + block.strides[0];
    if (rask_value_block_adopt(&row, (size_t)row.shape[0], &view))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    return rask_return_value(t, view);
}
RASK_SLOTS(second_row);

static int64_t address(const rask_value *value)
{
    return address_in(value);
}
RASK_TASK(address, i64, value);

Test(processes_values, identity_tasks_and_views_copy_nothing)
{
    atomic_intptr_t *made = shared_calloc(4096);
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    rask_value results[3];
    rask_node *block = rask_delayed(g, make_block, 16 * MIB, 1, (int64_t)(intptr_t)made),
              *again = rask_delayed(g, same, rask_delayed(g, same, block)),
              *row = rask_delayed(g, same, rask_delayed(g, second_row, again));
    rask_node *targets[3] = {rask_delayed(g, address, again), rask_delayed(g, address, row), row};
    cr_assert_eq(rask_compute_values(targets, 3, &o, results), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(results[0].as.i64, atomic_load(made));
    cr_assert_eq(results[1].as.i64, atomic_load(made) + 8 * MIB);
    cr_assert_eq(address_in(&results[2]), atomic_load(made) + 8 * MIB);
    rask_value_unref(&results[2]);
    rask_graph_free(g);
    shared_free(made, 4096);
}

static int64_t is_whole(const rask_value *value, int64_t number)
{
    rask_bytes bytes;
    return !rask_value_get_bytes(value, &bytes) && is_filled(bytes.data, bytes.len, number);
}
RASK_TASK(is_whole, i64, value, i64);

Test(processes_values, results_outlive_their_run_and_are_constants_of_the_next)
{
    leftovers before = look_around();
    rask_options o = processes(2);
    rask_value results[4];
    rask_graph *g = rask_graph_new();
    rask_node *nodes[4], *checks[8];
    for (int i = 0; i < 4; i++)
        nodes[i] = rask_delayed(g, make_bytes, (i + 1) * MIB, i);
    cr_assert_eq(rask_compute_values(nodes, 4, &o, results), RASK_OK, "%s", rask_graph_error(g));
    rask_graph_free(g);
    g = rask_graph_new();
    for (int i = 0; i < 4; i++) {
        cr_assert(is_whole(&results[i], i));
        rask_node *constant = rask_const(g, &results[i]);
        checks[i] = rask_delayed(g, is_whole, constant, i);
        checks[i + 4] = rask_delayed(g, is_whole, rask_delayed(g, same, constant), i);
        nodes[i] = rask_delayed(g, address, constant);
    }
    int64_t whole;
    rask_value addresses[4];
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, checks, 8)), &o, &whole), RASK_OK);
    cr_assert_eq(whole, 8);
    cr_assert_eq(rask_compute_values(nodes, 4, &o, addresses), RASK_OK);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(addresses[i].as.i64, address_in(&results[i]));
    rask_graph_free(g);
    for (int i = 0; i < 4; i++) {
        cr_assert(is_whole(&results[i], i));
        rask_value_unref(&results[i]);
    }
    nothing_is_left_since(before);
}

/* (value, depth): in so many lists. */
static int nest(rask_task *t)
{
    rask_value inner = rask_value_ref(rask_arg_value(t, 0));
    for (int64_t depth = rask_arg_i64(t, 1); depth > 0; depth--) {
        rask_value list;
        if (rask_value_list_new(&inner, 1, &list))
            return rask_fail(t, RASK_ENOMEM, "no memory");
        rask_value_unref(&inner);
        inner = list;
    }
    return rask_return_value(t, inner);
}
RASK_SLOTS(nest);

static int64_t depth_of(const rask_value *value)
{
    const rask_value *items = value;
    size_t count;
    int64_t depth = 0;
    while (!rask_value_get_list(items, &items, &count) && count)
        depth++;
    return depth;
}
RASK_TASK(depth_of, i64, value);

Test(processes_values, lists_may_be_nested_deeply)
{
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    rask_value results[2];
    rask_node *deep = rask_delayed(g, nest, rask_delayed(g, nest, rask_delayed(g, make_bytes, MIB, 3), 30000),
                                   40000),
              *targets[2] = {rask_delayed(g, depth_of, deep), deep};
    cr_assert_eq(rask_compute_values(targets, 2, &o, results), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(results[0].as.i64, 70000);
    cr_assert_eq(depth_of(&results[1]), 70000);
    rask_value_unref(&results[1]);
    rask_graph_free(g);
}

enum { MANY = 100000 };

/* Scalars of every type, in turn. */
static int make_scalars(rask_task *t)
{
    rask_value *items = malloc(MANY * sizeof *items), list;
    for (int i = 0; i < MANY; i++)
        items[i] = i % 4 == 0   ? rask_value_i64(i)
                   : i % 4 == 1 ? rask_value_f64(i)
                   : i % 4 == 2 ? rask_value_bool(i % 8 == 2)
                                : rask_value_none();
    int status = rask_value_list_new(items, MANY, &list);
    free(items);
    return status ? rask_fail(t, status, "no memory") : rask_return_value(t, list);
}
RASK_SLOTS(make_scalars);

static int64_t sum_scalars(const rask_value *list)
{
    const rask_value *items;
    size_t count;
    int64_t sum = 0;
    double number;
    rask_value_get_list(list, &items, &count);
    for (size_t i = 0; i < count; i++)
        if (!rask_value_get_f64(&items[i], &number))
            sum += (int64_t)number;
    return sum;
}
RASK_TASK(sum_scalars, i64, value);

Test(processes_values, lists_of_many_scalars_arrive)
{
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    rask_value results[2];
    int64_t expected = 0;
    for (int i = 0; i < MANY; i++)
        expected += i % 4 < 2 ? i : i % 8 == 2;
    rask_node *list = rask_delayed(g, make_scalars), *targets[2] = {rask_delayed(g, sum_scalars, list), list};
    cr_assert_eq(rask_compute_values(targets, 2, &o, results), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(results[0].as.i64, expected);
    cr_assert_eq(sum_scalars(&results[1]), expected);
    rask_value_unref(&results[1]);
    rask_graph_free(g);
}

static rask_value kept;
static int64_t kept_number = -1;

/* (bytes, number): keeps the first that its worker sees, and finds it whole ever after. */
static int keep(rask_task *t)
{
    if (kept_number < 0) {
        kept = rask_value_ref(rask_arg_value(t, 0));
        kept_number = rask_arg_i64(t, 1);
    }
    return rask_return_i64(t, is_whole(rask_arg_value(t, 0), rask_arg_i64(t, 1)) &&
                                  is_whole(&kept, kept_number));
}
RASK_SLOTS(keep);

Test(processes_values, a_task_may_keep_its_argument)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    rask_node *nodes[200];
    int64_t whole;
    o.memory = 64 * MIB;
    for (int i = 0; i < 200; i++)
        nodes[i] = rask_delayed(g, keep, rask_delayed(g, make_bytes, MIB / (1 + i % 5 * 10), i), i);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 200)), &o, &whole), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(whole, 200);
    rask_graph_free(g);
    nothing_is_left_since(before);
}

static int64_t size_of(const rask_value *value)
{
    return (int64_t)rask_value_size(value);
}
RASK_TASK(size_of, i64, value);

Test(processes_values, values_are_as_large_as_on_other_schedulers)
{
    for (int64_t len = 0; len < MIB; len = 3 * len + 1) {
        rask_graph *g = rask_graph_new();
        rask_options all[2] = {threads(2), processes(2)};
        int64_t sizes[2];
        rask_node *made = rask_delayed(g, make_bytes, len, 1), *pair[2] = {made, made};
        for (int i = 0; i < 2; i++)
            cr_assert_eq(
                rask_compute_with(rask_delayed(g, size_of, rask_list(g, pair, 2)), &all[i], &sizes[i]),
                RASK_OK);
        cr_assert_eq(sizes[0], sizes[1], "%lld bytes", (long long)len);
        rask_graph_free(g);
    }
}

/* -- Values of a class */

static void end_number(void *data)
{
    free(data);
}

static int encode_number(const void *data, rask_value *bytes)
{
    return rask_value_bytes_new(data, sizeof(int64_t), bytes);
}

static int decode_number(rask_bytes bytes, void **data)
{
    *data = malloc(sizeof(int64_t));
    memcpy(*data, bytes.data, sizeof(int64_t));
    return RASK_OK;
}

static int refuse_to_encode(const void *data, rask_value *bytes)
{
    (void)data, (void)bytes;
    return RASK_ELIMIT;
}

static int refuse_to_decode(rask_bytes bytes, void **data)
{
    (void)bytes, (void)data;
    return RASK_EFORMAT;
}

static const rask_class classes[] = {
    {.name = "traveller", .destroy = end_number, .encode = encode_number, .decode = decode_number},
    {.name = "stay_at_home", .destroy = end_number},
    {.name = "tongue_tied", .destroy = end_number, .encode = refuse_to_encode, .decode = decode_number},
    {.name = "unreadable", .destroy = end_number, .encode = encode_number, .decode = refuse_to_decode},
};

/* (class, number) */
static int make_custom(rask_task *t)
{
    int64_t *data = malloc(sizeof *data);
    *data = rask_arg_i64(t, 1);
    return rask_return_custom(t, &classes[rask_arg_i64(t, 0)], data);
}
RASK_SLOTS(make_custom);

/* (class, value) */
static int read_custom(rask_task *t)
{
    const int64_t *data = rask_arg_custom(t, 1, &classes[rask_arg_i64(t, 0)]);
    return rask_return_i64(t, data ? *data : -1);
}
RASK_SLOTS(read_custom);

Test(processes_values, a_custom_value_travels_by_its_encode_and_decode)
{
    static const struct {
        int status;
        const char *words;
    } expected[] = {{RASK_OK, ""},
                    {RASK_EUNSUPPORTED, "a stay_at_home"},
                    {RASK_ELIMIT, "encode() of tongue_tied"},
                    {RASK_EFORMAT, "decode() of unreadable"}};
    for (int64_t i = 0; i < 4; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = processes(2);
        rask_node *made = rask_delayed(g, make_custom, i, 40 + i),
                  *nodes[2] = {rask_delayed(g, read_custom, i, made), rask_delayed(g, read_custom, i, made)};
        int64_t sum = -1;
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 2)), &o, &sum), expected[i].status, "%s",
                     rask_graph_error(g));
        cr_assert(strstr(rask_graph_error(g), expected[i].words), "%s", rask_graph_error(g));
        cr_assert_eq(sum, i ? -1 : 80);
        if (i)
            cr_assert(
                strstr(rask_graph_error(g), i < 3 ? "task make_custom (node" : "task read_custom (node"),
                "%s", rask_graph_error(g));
        rask_graph_free(g);
    }
}

/* -- Blocks of all shapes */

/* (shape): a block of i32 that stands on its head: strides are negative; element i has i as its value. */
static int make_reversed(rask_task *t)
{
    static const int64_t shapes[][3] = {{0, 3, 4}, {2, 3, 4}, {40, 50, 60}, {1, 1, 1}};
    rask_block block, view;
    rask_value base, value, *owner = malloc(sizeof *owner);
    const int64_t *shape = shapes[rask_arg_i64(t, 0)];
    if (rask_value_block_alloc(RASK_DT_I32, 3, shape, &block, &base))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    int64_t count = shape[0] * shape[1] * shape[2];
    for (int64_t i = 0; i < count; i++)
        ((int32_t *)block.data)[i] = (int32_t)(count - 1 - i);
    view = block;
    for (int i = 0; i < 3; i++)
        view.strides[i] = -block.strides[i];
    view.data = (int32_t *)block.data + (count ? count - 1 : 0);
    view.release = release_value;
    *owner = base;
    view.owner = owner;
    if (rask_value_block_adopt(&view, (size_t)count * 4, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    return rask_return_value(t, value);
}
RASK_SLOTS(make_reversed);

/* How many elements are where they should be; -1: one is not. */
static int64_t count_in_order(const rask_value *value)
{
    rask_block b;
    int32_t next = 0;
    if (rask_value_get_block(value, &b))
        return -1;
    for (int64_t i = 0; i < b.shape[0]; i++)
        for (int64_t j = 0; j < b.shape[1]; j++)
            for (int64_t k = 0; k < b.shape[2]; k++) {
                const char *at = (char *)b.data + i * b.strides[0] + j * b.strides[1] + k * b.strides[2];
                if (*(const int32_t *)at != next++)
                    return -1;
            }
    return next;
}
RASK_TASK(count_in_order, i64, value);

Test(processes_values, blocks_of_all_shapes_and_strides_arrive)
{
    static const int64_t counts[] = {0, 24, 120000, 1};
    for (int i = 0; i < 4; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = processes(2);
        rask_value results[2];
        rask_node *block = rask_delayed(g, make_reversed, i),
                  *targets[2] = {rask_delayed(g, count_in_order, rask_delayed(g, same, block)), block};
        cr_assert_eq(rask_compute_values(targets, 2, &o, results), RASK_OK, "%s", rask_graph_error(g));
        cr_assert_eq(results[0].as.i64, counts[i]);
        cr_assert_eq(count_in_order(&results[1]), counts[i]);
        rask_value_unref(&results[1]);
        rask_graph_free(g);
    }
}

/* A list of a value twice, and of itself in a list. */
static int make_shared(rask_task *t)
{
    rask_value items[3], inner;
    items[0] = rask_value_ref(rask_arg_value(t, 0));
    items[1] = items[0];
    if (rask_value_list_new(items, 2, &inner))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    items[2] = inner;
    int status = rask_return_list(t, items, 3);
    rask_value_unref(&inner);
    rask_value_unref(&items[0]);
    return status;
}
RASK_SLOTS(make_shared);

static int64_t count_whole(const rask_value *value, int64_t number)
{
    const rask_value *items;
    size_t count;
    if (rask_value_get_list(value, &items, &count))
        return is_whole(value, number);
    int64_t whole = 0;
    for (size_t i = 0; i < count; i++) {
        const rask_value *inner;
        size_t more;
        if (rask_value_get_list(&items[i], &inner, &more))
            whole += is_whole(&items[i], number);
        else
            whole += is_whole(&inner[0], number) + is_whole(&inner[1], number);
    }
    return whole;
}
RASK_TASK(count_whole, i64, value, i64);

Test(processes_values, values_that_a_list_holds_several_times_arrive_each_time)
{
    leftovers before = look_around();
    for (int64_t len = 10; len < 4 * MIB; len *= 40) {
        rask_graph *g = rask_graph_new();
        rask_options o = processes(2);
        rask_value results[2];
        rask_node *list = rask_delayed(g, make_shared, rask_delayed(g, make_bytes, len, 9)),
                  *targets[2] = {rask_delayed(g, count_whole, rask_delayed(g, same, list), 9), list};
        cr_assert_eq(rask_compute_values(targets, 2, &o, results), RASK_OK, "%s", rask_graph_error(g));
        rask_graph_free(g);
        cr_assert_eq(results[0].as.i64, 4);
        cr_assert_eq(count_whole(&results[1], 9), 4);
        rask_value_unref(&results[1]);
    }
    nothing_is_left_since(before);
}
