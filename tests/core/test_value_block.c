/* Blocks, and values as text for people. */
#include "core/value/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HUGE_SIDE    ((int64_t)1 << 40)

static rask_value bytes_of(const char *data, size_t len)
{
    rask_value value;
    cr_assert_eq(rask_value_bytes_new(data, len, &value), RASK_OK);
    return value;
}

/* Blocks. */

Test(dtype, has_the_size_of_its_c_type)
{
    const size_t sizes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 8, 16};
    cr_assert_eq(COUNT(sizes), RASK_DT_COUNT);
    for (int dtype = 0; dtype < RASK_DT_COUNT; dtype++)
        cr_expect_eq(rask_dtype_size(dtype), sizes[dtype]);
    cr_expect_eq(rask_dtype_size(RASK_DT_COUNT), 0);
    cr_expect_eq(rask_dtype_size(-1), 0);
}

Test(block, is_row_major)
{
    const struct {
        rask_dtype dtype;
        uint32_t ndim;
        int64_t shape[4], strides[4];
    } cases[] = {
        {RASK_DT_F64, 0, {0}, {0}},
        {RASK_DT_F64, 1, {5}, {8}},
        {RASK_DT_I16, 2, {3, 4}, {8, 2}},
        {RASK_DT_C128, 3, {2, 3, 4}, {192, 64, 16}},
        {RASK_DT_U8, 4, {1, 1, 1, 7}, {7, 7, 7, 1}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        rask_block made, read;
        rask_value value;
        cr_assert_eq(rask_value_block_alloc(cases[i].dtype, cases[i].ndim, cases[i].shape, &made, &value),
                     RASK_OK);
        cr_assert_eq(rask_value_get_block(&value, &read), RASK_OK);
        cr_expect_eq(read.data, made.data);
        cr_expect_eq(read.dtype, cases[i].dtype);
        cr_expect_eq(read.ndim, cases[i].ndim);
        for (uint32_t axis = 0; axis < cases[i].ndim; axis++) {
            cr_expect_eq(read.shape[axis], cases[i].shape[axis]);
            cr_expect_eq(read.strides[axis], cases[i].strides[axis]);
        }
        rask_value_unref(&value);
    }
}

Test(block, owns_as_many_bytes_as_its_shape_needs)
{
    const int64_t shape[] = {3, 5, 7};
    rask_block block;
    rask_value value;
    cr_assert_eq(rask_value_block_alloc(RASK_DT_F32, 3, shape, &block, &value), RASK_OK);
    memset(block.data, 0x5a, 3 * 5 * 7 * 4);
    cr_expect_gt(rask_value_size(&value), 3 * 5 * 7 * 4);
    rask_value_unref(&value);
}

Test(block, may_be_empty)
{
    const int64_t shape[] = {4, 0};
    rask_block block;
    rask_value value;
    cr_assert_eq(rask_value_block_alloc(RASK_DT_F64, 2, shape, &block, &value), RASK_OK);
    cr_expect_not_null(block.data);
    rask_value_unref(&value);
}

Test(block, of_a_bad_shape_is_refused)
{
    const struct {
        int dtype;
        uint32_t ndim;
        int64_t shape[3];
        int code;
    } cases[] = {
        {RASK_DT_COUNT, 1, {1}, RASK_EINVAL},
        {-1, 1, {1}, RASK_EINVAL},
        {RASK_DT_F64, RASK_MAX_DIMENSIONS + 1, {1}, RASK_EINVAL},
        {RASK_DT_F64, UINT32_MAX, {1}, RASK_EINVAL},
        {RASK_DT_F64, 1, {-1}, RASK_EINVAL},
        {RASK_DT_F64, 2, {5, INT64_MIN}, RASK_EINVAL},
        {RASK_DT_F64, 1, {INT64_MAX}, RASK_ELIMIT},
        {RASK_DT_F64, 2, {HUGE_SIDE, HUGE_SIDE}, RASK_ELIMIT},
        {RASK_DT_U8, 3, {HUGE_SIDE, HUGE_SIDE, HUGE_SIDE}, RASK_ELIMIT},
        {RASK_DT_C128, 1, {(int64_t)1 << 60}, RASK_ELIMIT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        rask_block block = {.ndim = 77};
        rask_value value = rask_value_i64(3);
        cr_expect_eq(rask_value_block_alloc(cases[i].dtype, cases[i].ndim, cases[i].shape, &block, &value),
                     cases[i].code, "case %zu", i);
        cr_expect(block.ndim == 77 && value.as.i64 == 3, "an output was touched in case %zu", i);
    }
    rask_block block;
    rask_value value;
    cr_expect_eq(rask_value_block_alloc(RASK_DT_F64, 1, NULL, &block, &value), RASK_EINVAL);
    cr_expect_eq(rask_value_block_alloc(RASK_DT_F64, 0, NULL, NULL, &value), RASK_EINVAL);
    cr_expect_eq(rask_value_block_alloc(RASK_DT_F64, 0, NULL, &block, NULL), RASK_EINVAL);
}

static int released;

static void count_release(void *owner)
{
    released += *(int *)owner;
}

/* A block of i32 over data, which belongs to nobody; release counts. */
static rask_block over(void *data, uint32_t ndim, const int64_t *shape, const int64_t *strides)
{
    static int one = 1;
    rask_block block = {
        .dtype = RASK_DT_I32, .ndim = ndim, .data = data, .release = count_release, .owner = &one};
    memcpy(block.shape, shape, ndim * sizeof *shape);
    memcpy(block.strides, strides, ndim * sizeof *strides);
    return block;
}

static rask_value adopt(void *data, uint32_t ndim, const int64_t *shape, const int64_t *strides)
{
    rask_block block = over(data, ndim, shape, strides);
    rask_value value;
    cr_assert_eq(rask_value_block_adopt(&block, 100, &value), RASK_OK);
    return value;
}
#define SHAPE(...)                                                                                           \
    (const int64_t[])                                                                                        \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

Test(block, that_was_adopted_is_released_once_by_the_last_reference)
{
    int32_t data[4] = {1, 2, 3, 4};
    rask_value value = adopt(data, 1, SHAPE(4), SHAPE(4)), copy = rask_value_ref(&value);
    rask_value_unref(&value);
    cr_expect_eq(released, 0);
    rask_value_unref(&copy);
    cr_expect_eq(released, 1);
}

Test(block, that_cannot_be_adopted_is_not_released)
{
    int32_t data[4];
    rask_block good = over(data, 1, SHAPE(4), SHAPE(4)), bad_dtype = good, bad_ndim = good,
               negative = over(data, 2, SHAPE(2, -1), SHAPE(8, 4));
    rask_value value = rask_value_i64(3);
    bad_dtype.dtype = RASK_DT_COUNT;
    bad_ndim.ndim = RASK_MAX_DIMENSIONS + 1;
    cr_expect_eq(rask_value_block_adopt(NULL, 16, &value), RASK_EINVAL);
    cr_expect_eq(rask_value_block_adopt(&good, 16, NULL), RASK_EINVAL);
    cr_expect_eq(rask_value_block_adopt(&bad_dtype, 16, &value), RASK_EINVAL);
    cr_expect_eq(rask_value_block_adopt(&bad_ndim, 16, &value), RASK_EINVAL);
    cr_expect_eq(rask_value_block_adopt(&negative, 16, &value), RASK_EINVAL);
    cr_expect_eq(rask_value_block_adopt(&good, SIZE_MAX, &value), RASK_ELIMIT);
    cr_expect_eq(released, 0);
    cr_expect_eq(value.as.i64, 3);
}

Test(block, without_release_leaves_its_memory_alone)
{
    int32_t data[1] = {5};
    rask_block block = {.dtype = RASK_DT_I32, .ndim = 1, .shape = {1}, .strides = {4}, .data = data};
    rask_value value;
    cr_assert_eq(rask_value_block_adopt(&block, 4, &value), RASK_OK);
    rask_value_unref(&value);
    cr_expect_eq(data[0], 5);
}

static bool equal_and_end(rask_value a, rask_value b)
{
    bool equal = rask_value_equal(&a, &b);
    cr_expect_eq(rask_value_equal(&b, &a), equal);
    rask_value_unref(&a);
    rask_value_unref(&b);
    return equal;
}

Test(block, equals_another_with_the_same_elements_whatever_the_strides)
{
    int32_t rows[] = {1, 2, 3, 4, 5, 6}, columns[] = {1, 4, 2, 5, 3, 6}, back[] = {6, 5, 4, 3, 2, 1};
    int32_t loose[] = {1, 9, 2, 9, 3, 9, 4, 9, 5, 9, 6, 9}, ones[] = {1, 1, 1};
    rask_value straight = adopt(rows, 2, SHAPE(2, 3), SHAPE(12, 4));
    cr_expect(equal_and_end(rask_value_ref(&straight), adopt(columns, 2, SHAPE(2, 3), SHAPE(4, 8))));
    cr_expect(equal_and_end(rask_value_ref(&straight), adopt(back + 5, 2, SHAPE(2, 3), SHAPE(-12, -4))));
    cr_expect(equal_and_end(rask_value_ref(&straight), adopt(loose, 2, SHAPE(2, 3), SHAPE(24, 8))));
    cr_expect_not(equal_and_end(rask_value_ref(&straight), adopt(columns, 2, SHAPE(2, 3), SHAPE(12, 4))));
    cr_expect_not(equal_and_end(rask_value_ref(&straight), adopt(rows, 2, SHAPE(3, 2), SHAPE(8, 4))));
    cr_expect_not(equal_and_end(rask_value_ref(&straight), adopt(rows, 1, SHAPE(6), SHAPE(4))));
    cr_expect(equal_and_end(adopt(ones, 1, SHAPE(3), SHAPE(4)), adopt(ones, 1, SHAPE(3), SHAPE(0))));
    cr_expect(
        equal_and_end(adopt(rows, 2, SHAPE(0, 3), SHAPE(0, 0)), adopt(NULL, 2, SHAPE(0, 3), SHAPE(12, 4))));
    cr_expect(equal_and_end(adopt(ones, 0, SHAPE(1), SHAPE(1)), adopt(rows, 0, SHAPE(1), SHAPE(1))));
    rask_value_unref(&straight);
}

Test(block, of_another_dtype_is_another)
{
    int32_t data[2] = {0};
    rask_block unsigned_block = over(data, 1, SHAPE(2), SHAPE(4));
    rask_value other;
    unsigned_block.dtype = RASK_DT_U32;
    cr_assert_eq(rask_value_block_adopt(&unsigned_block, 8, &other), RASK_OK);
    cr_expect_not(equal_and_end(adopt(data, 1, SHAPE(2), SHAPE(4)), other));
}

/* Text. */

static void expect_text(rask_value value, const char *expected)
{
    char text[512];
    size_t len = rask_value_format(&value, text, sizeof text);
    cr_expect_str_eq(text, expected);
    cr_expect_eq(len, strlen(expected));
    rask_value_unref(&value);
}

Test(format, writes_scalars_so_that_they_read_back)
{
    expect_text(rask_value_none(), "none");
    expect_text(rask_value_bool(true), "true");
    expect_text(rask_value_bool(false), "false");
    expect_text(rask_value_i64(INT64_MIN), "-9223372036854775808");
    expect_text(rask_value_f64(1), "1.0");
    expect_text(rask_value_f64(-0.0), "-0.0");
    expect_text(rask_value_f64(0.1), "0.1");
    expect_text(rask_value_f64(1e300), "1e+300");
    expect_text(rask_value_f64(1.0 / 3), "0.3333333333333333");
    expect_text(rask_value_f64(INFINITY), "inf");
    expect_text(rask_value_f64(-INFINITY), "-inf");
    const double exact[] = {0.1 + 0.2, 5e-324, 1.7976931348623157e308, 123456789.123456789, -2.5e-7};
    for (size_t i = 0; i < COUNT(exact); i++) {
        char text[64];
        rask_value value = rask_value_f64(exact[i]);
        rask_value_format(&value, text, sizeof text);
        cr_expect_eq(strtod(text, NULL), exact[i], "%s", text);
    }
    char text[8];
    rask_value nan = rask_value_f64(NAN);
    rask_value_format(&nan, text, sizeof text);
    cr_expect_not_null(strstr(text, "nan"));
}

Test(format, escapes_what_a_terminal_would_obey)
{
    expect_text(bytes_of("", 0), "\"\"");
    expect_text(bytes_of("quote \" and \\", 13), "\"quote \\\" and \\\\\"");
    expect_text(bytes_of("\n\t\x1b\x7f\0", 5), "\"\\x0a\\x09\\x1b\\x7f\\x00\"");
    expect_text(bytes_of("Blåbær", strlen("Blåbær")), "\"Blåbær\"");
}

Test(format, shortens_long_bytes_and_lists)
{
    char long_text[1000], expected[100];
    memset(long_text, 'x', sizeof long_text);
    snprintf(expected, sizeof expected, "\"%.60s…\" (1000 bytes)", long_text);
    expect_text(bytes_of(long_text, sizeof long_text), expected);
    rask_value many[9], list, deep;
    for (int i = 0; i < 9; i++)
        many[i] = rask_value_i64(i);
    rask_value_list_new(many, 8, &list);
    expect_text(list, "[0, 1, 2, 3, 4, 5, 6, 7]");
    rask_value_list_new(many, 9, &list);
    expect_text(list, "[0, 1, 2, 3, 4, 5, 6, 7…] (9 items)");
    rask_value_list_new(NULL, 0, &list);
    expect_text(list, "[]");
    rask_value_list_new(many, 1, &deep);
    for (int i = 0; i < 5; i++) {
        rask_value inner = deep;
        rask_value_list_new(&inner, 1, &deep);
        rask_value_unref(&inner);
    }
    expect_text(deep, "[[[[[…] (1 items)]]]]");
}

Test(format, names_the_type_and_shape_of_blocks)
{
    const int64_t shape[] = {3, 0, 12};
    rask_block block;
    rask_value value;
    rask_value_block_alloc(RASK_DT_C128, 3, shape, &block, &value);
    expect_text(value, "c128[3, 0, 12]");
    rask_value_block_alloc(RASK_DT_BOOL, 0, NULL, &block, &value);
    expect_text(value, "bool[]");
}

static void no_destroy(void *data)
{
    (void)data;
}
static size_t print_word(const void *data, char *buffer, size_t capacity)
{
    return (size_t)snprintf(buffer, capacity, "%s!", (const char *)data);
}

Test(format, asks_the_class_of_custom_values)
{
    static const rask_class silent = {.name = "matrix", .destroy = no_destroy};
    static const rask_class printed = {.name = "word", .destroy = no_destroy, .print = print_word};
    static char word[] = "hello";
    rask_value value, list;
    rask_value_custom_new(&silent, word, &value);
    expect_text(value, "<matrix>");
    rask_value_custom_new(&printed, word, &value);
    rask_value_list_new(&value, 1, &list);
    rask_value_unref(&value);
    expect_text(list, "[hello!]");
}

/* Every capacity: the text cut there, with its NUL, nothing behind it, and always the full length returned.
 */
Test(format, cuts_at_the_capacity_as_snprintf_does)
{
    static const rask_class printed = {.name = "word", .destroy = no_destroy, .print = print_word};
    static char word[] = "custom";
    rask_value items[4] = {rask_value_f64(2.5), bytes_of("a \"b\"", 5), rask_value_none()}, list;
    rask_value_custom_new(&printed, word, &items[3]);
    rask_value_list_new(items, 4, &list);
    char full[100], text[100];
    size_t len = rask_value_format(&list, full, sizeof full);
    cr_expect_str_eq(full, "[2.5, \"a \\\"b\\\"\", none, custom!]");
    cr_expect_eq(rask_value_format(&list, NULL, 0), len);
    for (size_t capacity = 0; capacity <= len + 2; capacity++) {
        memset(text, '#', sizeof text);
        cr_expect_eq(rask_value_format(&list, text, capacity), len);
        size_t shown = capacity > len ? len : capacity ? capacity - 1 : 0;
        cr_expect_arr_eq(text, full, shown, "capacity %zu", capacity);
        cr_expect_eq(text[shown], capacity ? '\0' : '#', "capacity %zu", capacity);
        cr_expect_eq(text[capacity], '#', "wrote behind a capacity of %zu", capacity);
    }
    rask_value_unref(&list);
    for (int i = 0; i < 4; i++)
        rask_value_unref(&items[i]);
}
