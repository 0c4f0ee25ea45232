/* Values: making, sharing, ending, reading, comparing and printing them. */
#include "core/base/alloc.h"
#include "core/base/limits.h"
#include "core/value/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MILLION      1000000

static rask_value bytes_of(const char *text)
{
    rask_value value;
    cr_assert_eq(rask_value_bytes_new(text, strlen(text), &value), RASK_OK);
    return value;
}

/* Takes over the references of its items. */
static rask_value list_of(size_t count, rask_value *items)
{
    rask_value list;
    cr_assert_eq(rask_value_list_new(items, count, &list), RASK_OK);
    for (size_t i = 0; i < count; i++)
        rask_value_unref(&items[i]);
    return list;
}
#define LIST(...) list_of(COUNT(((rask_value[]){__VA_ARGS__})), (rask_value[]){__VA_ARGS__})

/* [ [ … innermost … ] ], taking over the reference. */
static rask_value nested(int depth, rask_value innermost)
{
    for (int i = 0; i < depth; i++)
        innermost = LIST(innermost);
    return innermost;
}

static uint32_t refs(const rask_value *value)
{
    return rk_load_relaxed(&value->as.object->refs);
}

static bool equal_and_end(rask_value a, rask_value b)
{
    bool equal = rask_value_equal(&a, &b);
    cr_expect_eq(rask_value_equal(&b, &a), equal, "equality has two sides");
    rask_value_unref(&a);
    rask_value_unref(&b);
    return equal;
}

/* A custom type that counts what is asked of it. */
static int destroyed, sized;

static void counted_destroy(void *data)
{
    destroyed++;
    free(data);
}
static size_t counted_size(const void *data)
{
    (void)data;
    sized++;
    return 1000;
}
static size_t counted_print(const void *data, char *buffer, size_t capacity)
{
    return (size_t)snprintf(buffer, capacity, "number %d", *(const int *)data);
}
static bool counted_equal(const void *a, const void *b)
{
    return *(const int *)a == *(const int *)b;
}
static const rask_class counted = {.name = "counted",
                                   .destroy = counted_destroy,
                                   .size = counted_size,
                                   .print = counted_print,
                                   .equal = counted_equal};
static const rask_class plain = {.name = "plain", .destroy = counted_destroy};

static rask_value custom_of(const rask_class *cls, int number)
{
    rask_value value;
    int *data = malloc(sizeof *data);
    *data = number;
    cr_assert_eq(rask_value_custom_new(cls, data, &value), RASK_OK);
    return value;
}

/* Types. */

Test(types, have_names)
{
    const char *names[] = {"none", "bool", "i64", "f64", "bytes", "list", "block", "custom"};
    for (uint32_t type = 0; type < COUNT(names); type++)
        cr_expect_str_eq(rask_type_name(type), names[type]);
    cr_expect_str_eq(rask_type_name(COUNT(names)), "?");
    cr_expect_str_eq(rask_type_name(UINT32_MAX), "?");
}

Test(types, are_sixteen_bytes_and_carry_what_was_put_in)
{
    bool b = false;
    int64_t i = 0;
    double f = 0;
    rask_value of_bool = rask_value_bool(true), of_i64 = rask_value_i64(INT64_MIN),
               of_f64 = rask_value_f64(-0.5);
    cr_expect_eq(sizeof(rask_value), 16);
    cr_expect_eq(rask_value_get_bool(&of_bool, &b), RASK_OK);
    cr_expect_eq(rask_value_get_i64(&of_i64, &i), RASK_OK);
    cr_expect_eq(rask_value_get_f64(&of_f64, &f), RASK_OK);
    cr_expect(b && i == INT64_MIN && f == -0.5);
    cr_expect_eq(rask_value_none().type, RASK_NONE);
}

/* Bit k set: readers of type k take a value of this type. */
enum { AS_BOOL = 1, AS_I64 = 2, AS_F64 = 4, AS_BYTES = 8, AS_LIST = 16, AS_BLOCK = 32, AS_CUSTOM = 64 };

static unsigned readable_as(const rask_value *value)
{
    bool b = true;
    int64_t i = 77;
    double f = 77;
    rask_bytes bytes = {"untouched", 9};
    const rask_value *items = value;
    size_t count = 77;
    rask_block block = {.ndim = 77};
    void *data = &b;
    unsigned as = 0;
    as |= rask_value_get_bool(value, &b) ? 0 : AS_BOOL;
    as |= rask_value_get_i64(value, &i) ? 0 : AS_I64;
    as |= rask_value_get_f64(value, &f) ? 0 : AS_F64;
    as |= rask_value_get_bytes(value, &bytes) ? 0 : AS_BYTES;
    as |= rask_value_get_list(value, &items, &count) ? 0 : AS_LIST;
    as |= rask_value_get_block(value, &block) ? 0 : AS_BLOCK;
    as |= rask_value_get_custom(value, NULL, &data) ? 0 : AS_CUSTOM;
    cr_expect(b || as & AS_BOOL);
    cr_expect(i == 77 || as & AS_I64);
    cr_expect(f == 77 || as & AS_F64);
    cr_expect(bytes.len == 9 || as & AS_BYTES);
    cr_expect((items == value && count == 77) || as & AS_LIST);
    cr_expect(block.ndim == 77 || as & AS_BLOCK);
    cr_expect(data == &b || as & AS_CUSTOM);
    return as;
}

Test(types, are_read_as_what_they_are_and_leave_outputs_of_others_untouched)
{
    rask_block block;
    rask_value of_block;
    cr_assert_eq(rask_value_block_alloc(RASK_DT_U8, 0, NULL, &block, &of_block), RASK_OK);
    struct {
        rask_value value;
        unsigned as;
    } cases[] = {
        {rask_value_none(), 0},
        {rask_value_bool(false), AS_BOOL | AS_I64 | AS_F64},
        {rask_value_i64(1), AS_BOOL | AS_I64 | AS_F64},
        {rask_value_i64(2), AS_I64 | AS_F64},
        {rask_value_f64(1), AS_F64},
        {bytes_of("x"), AS_BYTES},
        {LIST(rask_value_i64(1)), AS_LIST},
        {of_block, AS_BLOCK},
        {custom_of(&plain, 1), AS_CUSTOM},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cr_expect_eq(readable_as(&cases[i].value), cases[i].as, "type %s",
                     rask_type_name(cases[i].value.type));
        rask_value_unref(&cases[i].value);
    }
}

Test(types, widen_from_bool_to_i64_to_f64)
{
    rask_value yes = rask_value_bool(true), large = rask_value_i64((1ll << 53) + 2);
    int64_t i = 0;
    double f = 0;
    cr_expect_eq(rask_value_get_i64(&yes, &i), RASK_OK);
    cr_expect_eq(i, 1);
    cr_expect_eq(rask_value_get_f64(&yes, &f), RASK_OK);
    cr_expect_eq(f, 1.0);
    cr_expect_eq(rask_value_get_f64(&large, &f), RASK_OK);
    cr_expect_eq(f, 0x1p53 + 2);
}

/* References. */

Test(references, are_counted)
{
    rask_value a = bytes_of("shared"), b = rask_value_ref(&a);
    cr_expect_eq(refs(&a), 2);
    cr_expect_eq(a.as.object, b.as.object);
    rask_value_unref(&b);
    cr_expect_eq(b.type, RASK_NONE);
    cr_expect_eq(refs(&a), 1);
    rask_value_unref(&a);
    rask_value_unref(&a);
    rask_value_unref(NULL);
}

Test(references, of_scalars_cost_nothing)
{
    rask_value scalar = rask_value_i64(5), copy = rask_value_ref(&scalar);
    cr_expect_eq(copy.as.i64, 5);
    cr_expect_eq(rask_value_size(&scalar), 0);
    rask_value_unref(&scalar);
    cr_expect_eq(scalar.type, RASK_NONE);
}

Test(references, of_a_list_are_its_own)
{
    rask_value item = bytes_of("item"), twice[2] = {item, item}, list;
    cr_assert_eq(rask_value_list_new(twice, 2, &list), RASK_OK);
    cr_expect_eq(refs(&item), 3);
    rask_value_unref(&list);
    cr_expect_eq(refs(&item), 1);
    rask_value_unref(&item);
}

static void *churn(void *value)
{
    for (int i = 0; i < 20000; i++) {
        rask_value copy = rask_value_ref(value);
        rask_value_unref(&copy);
    }
    return NULL;
}

Test(references, are_atomic)
{
    rask_value value = bytes_of("shared by threads");
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, churn, &value);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(refs(&value), 1);
    rask_value_unref(&value);
}

static void *build_and_end_a_deep_list(void *context)
{
    rask_value list = nested(MILLION, custom_of(&counted, 1));
    *(size_t *)context = rask_value_size(&list);
    rask_value_unref(&list);
    return NULL;
}

Test(references, end_lists_nested_a_million_deep_without_recursion)
{
    pthread_attr_t small;
    pthread_t thread;
    size_t size = 0;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 << 10);
    cr_assert_eq(pthread_create(&thread, &small, build_and_end_a_deep_list, &size), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&small);
    cr_expect_eq(destroyed, 1);
    cr_expect_gt(size, (size_t)MILLION * sizeof(rask_value));
}

Test(references, end_wide_and_mixed_lists)
{
    enum { WIDE = 1000 };
    rask_value items[WIDE], shared = bytes_of("shared");
    for (int i = 0; i < WIDE; i++)
        items[i] = i % 3 == 0   ? rask_value_i64(i)
                   : i % 3 == 1 ? LIST(rask_value_ref(&shared), rask_value_none())
                                : nested(i, custom_of(&plain, i));
    rask_value list = list_of(WIDE, items);
    cr_expect_eq(refs(&shared), 1 + WIDE / 3);
    rask_value_unref(&list);
    cr_expect_eq(refs(&shared), 1);
    cr_expect_eq(destroyed, WIDE / 3);
    rask_value_unref(&shared);
}

/* Bytes and lists. */

Test(bytes, are_copied_and_end_with_a_nul_that_does_not_count)
{
    char text[] = "a\0b";
    rask_value value;
    rask_bytes bytes;
    cr_assert_eq(rask_value_bytes_new(text, 3, &value), RASK_OK);
    text[0] = 'x';
    cr_expect_eq(rask_value_get_bytes(&value, &bytes), RASK_OK);
    cr_expect_eq(bytes.len, 3);
    cr_expect_arr_eq(bytes.data, "a\0b", 4);
    rask_value_unref(&value);
}

Test(bytes, can_be_written_in_place)
{
    char *data;
    rask_bytes bytes;
    rask_value value;
    cr_assert_eq(rask_value_bytes_alloc(5, &data, &value), RASK_OK);
    cr_expect_eq(data[5], '\0');
    memcpy(data, "later", 5);
    rask_value_get_bytes(&value, &bytes);
    cr_expect_str_eq(bytes.data, "later");
    rask_value_unref(&value);
}

Test(bytes, may_be_empty)
{
    rask_value value;
    rask_bytes bytes;
    cr_assert_eq(rask_value_bytes_new(NULL, 0, &value), RASK_OK);
    rask_value_get_bytes(&value, &bytes);
    cr_expect_eq(bytes.len, 0);
    cr_expect_str_eq(bytes.data, "");
    rask_value_unref(&value);
}

Test(bytes, refuse_what_makes_no_sense)
{
    char *data = NULL;
    rask_value value = rask_value_i64(3);
    cr_expect_eq(rask_value_bytes_new(NULL, 1, &value), RASK_EINVAL);
    cr_expect_eq(rask_value_bytes_new("x", 1, NULL), RASK_EINVAL);
    cr_expect_eq(rask_value_bytes_alloc(1, NULL, &value), RASK_EINVAL);
    cr_expect_eq(rask_value_bytes_alloc(1, &data, NULL), RASK_EINVAL);
    cr_expect_neq(rask_value_bytes_alloc(SIZE_MAX, &data, &value), RASK_OK);
    cr_expect_neq(rask_value_bytes_alloc((size_t)PTRDIFF_MAX, &data, &value), RASK_OK);
    cr_expect_null(data);
    cr_expect_eq(value.as.i64, 3);
}

Test(list, holds_values_in_order)
{
    rask_value list = LIST(rask_value_i64(1), bytes_of("two"), LIST(rask_value_f64(3)), rask_value_none());
    const rask_value *items;
    size_t count;
    cr_assert_eq(rask_value_get_list(&list, &items, &count), RASK_OK);
    cr_expect_eq(count, 4);
    const uint32_t types[] = {RASK_I64, RASK_BYTES, RASK_LIST, RASK_NONE};
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(items[i].type, types[i]);
    rask_value_unref(&list);
}

Test(list, refuses_what_makes_no_sense)
{
    rask_value value = rask_value_i64(3), one = rask_value_i64(1);
    cr_expect_eq(rask_value_list_new(NULL, 1, &value), RASK_EINVAL);
    cr_expect_eq(rask_value_list_new(&one, 1, NULL), RASK_EINVAL);
    cr_expect_eq(rask_value_list_new(&one, SIZE_MAX, &value), RASK_ELIMIT);
    cr_expect_eq(rask_value_list_new(&one, SIZE_MAX / sizeof one + 2, &value), RASK_ELIMIT);
    cr_expect_eq(value.as.i64, 3);
    cr_expect_eq(rask_value_list_new(NULL, 0, &value), RASK_OK);
    rask_value_unref(&value);
}

/* Sizes: what the allocator was asked for, to the byte. */

static size_t asked;

static void *asking_alloc(void *context, size_t size)
{
    (void)context;
    asked += size;
    return malloc(size);
}
static void *asking_realloc(void *context, void *ptr, size_t size)
{
    (void)context;
    return realloc(ptr, size);
}
static void asking_free(void *context, void *ptr)
{
    (void)context;
    free(ptr);
}

static void count_memory(void)
{
    const rask_allocator allocator = {asking_alloc, asking_realloc, asking_free, NULL};
    rask_set_allocator(&allocator);
}

TestSuite(size, .init = count_memory);

static void expect_exact_size(rask_value value, size_t beside)
{
    cr_expect_eq(rask_value_size(&value), asked + beside, "%s: %zu bytes, asked for %zu",
                 rask_type_name(value.type), rask_value_size(&value), asked + beside);
    rask_value_unref(&value);
    asked = 0;
}

Test(size, is_what_was_allocated)
{
    rask_block block;
    rask_value value;
    for (size_t len = 0; len < 100; len += 33) {
        cr_assert_eq(rask_value_bytes_new(NULL, 0, &value), RASK_OK);
        expect_exact_size(value, 0);
        char *data;
        cr_assert_eq(rask_value_bytes_alloc(len, &data, &value), RASK_OK);
        expect_exact_size(value, 0);
    }
    expect_exact_size(LIST(rask_value_i64(1), rask_value_none(), rask_value_bool(true)), 0);
    expect_exact_size(LIST(bytes_of("deep"), LIST(bytes_of("deeper"))), 0);
    cr_assert_eq(rask_value_block_alloc(RASK_DT_C128, 2, (int64_t[]){3, 5}, &block, &value), RASK_OK);
    expect_exact_size(value, 0);
}

Test(size, of_what_is_held_twice_counts_twice)
{
    rask_value item = bytes_of("0123456789");
    size_t one = asked;
    expect_exact_size(LIST(rask_value_ref(&item), rask_value_ref(&item)), one);
    rask_value_unref(&item);
}

Test(size, of_custom_and_adopted_values_is_what_they_say)
{
    int64_t shape[] = {4};
    rask_block block = {.dtype = RASK_DT_I32, .ndim = 1, .shape = {4}, .strides = {4}, .data = shape};
    rask_value value;
    expect_exact_size(custom_of(&counted, 1), 1000);
    cr_assert_eq(rask_value_block_adopt(&block, 12345, &value), RASK_OK);
    expect_exact_size(value, 12345);
}

Test(size, that_would_overflow_stays_at_the_largest_number)
{
    rask_value list = bytes_of("doubled, and doubled again");
    for (int i = 0; i < 70; i++) {
        size_t before = rask_value_size(&list);
        list = LIST(rask_value_ref(&list), list);
        cr_assert_geq(rask_value_size(&list), before, "after %d doublings", i);
    }
    cr_expect_eq(rask_value_size(&list), SIZE_MAX);
    rask_value_unref(&list);
}

/* Custom values. */

Test(custom, is_destroyed_once_and_asked_for_its_size_once)
{
    rask_value value = custom_of(&counted, 7), copy = rask_value_ref(&value),
               list = LIST(rask_value_ref(&value));
    rask_value_size(&value);
    rask_value_size(&list);
    rask_value_unref(&value);
    rask_value_unref(&copy);
    cr_expect_eq(destroyed, 0);
    rask_value_unref(&list);
    cr_expect_eq(destroyed, 1);
    cr_expect_eq(sized, 1);
}

Test(custom, is_given_out_by_its_class_only)
{
    rask_value value = custom_of(&counted, 7);
    void *data = NULL;
    cr_expect_eq(rask_value_get_custom(&value, &plain, &data), RASK_ETYPE);
    cr_expect_null(data);
    cr_expect_eq(rask_value_get_custom(&value, &counted, &data), RASK_OK);
    cr_expect_eq(*(int *)data, 7);
    rask_value_unref(&value);
}

Test(custom, without_name_or_destroy_is_refused_and_stays_the_callers)
{
    const rask_class nameless = {.destroy = counted_destroy}, endless = {.name = "endless"};
    rask_value value = rask_value_i64(3);
    int data;
    cr_expect_eq(rask_value_custom_new(NULL, &data, &value), RASK_EINVAL);
    cr_expect_eq(rask_value_custom_new(&nameless, &data, &value), RASK_EINVAL);
    cr_expect_eq(rask_value_custom_new(&endless, &data, &value), RASK_EINVAL);
    cr_expect_eq(rask_value_custom_new(&counted, &data, NULL), RASK_EINVAL);
    cr_expect_eq(destroyed, 0);
    cr_expect_eq(value.as.i64, 3);
}

/* Equality. */

Test(equal, compares_type_and_content)
{
    cr_expect(equal_and_end(rask_value_none(), rask_value_none()));
    cr_expect(equal_and_end(rask_value_bool(true), rask_value_bool(true)));
    cr_expect_not(equal_and_end(rask_value_bool(true), rask_value_bool(false)));
    cr_expect_not(equal_and_end(rask_value_bool(true), rask_value_i64(1)));
    cr_expect_not(equal_and_end(rask_value_i64(1), rask_value_f64(1)));
    cr_expect(equal_and_end(bytes_of("same"), bytes_of("same")));
    cr_expect_not(equal_and_end(bytes_of("same"), bytes_of("some")));
    cr_expect_not(equal_and_end(bytes_of("same"), bytes_of("same more")));
    cr_expect(equal_and_end(LIST(bytes_of("a"), rask_value_i64(1)), LIST(bytes_of("a"), rask_value_i64(1))));
    cr_expect_not(equal_and_end(LIST(rask_value_i64(1)), LIST(rask_value_i64(1), rask_value_i64(2))));
    cr_expect_not(equal_and_end(LIST(rask_value_i64(1)), LIST(rask_value_i64(2))));
    cr_expect_not(equal_and_end(LIST(bytes_of("a")), bytes_of("a")));
}

Test(equal, compares_the_bits_of_f64)
{
    cr_expect(equal_and_end(rask_value_f64(NAN), rask_value_f64(NAN)));
    cr_expect_not(equal_and_end(rask_value_f64(NAN), rask_value_f64(0)));
    cr_expect_not(equal_and_end(rask_value_f64(0.0), rask_value_f64(-0.0)));
    cr_expect_not(equal_and_end(rask_value_f64(1), rask_value_f64(nextafter(1, 2))));
}

Test(equal, gives_up_below_its_depth)
{
    cr_expect(equal_and_end(nested(RK_MAX_VALUE_DEPTH, rask_value_i64(1)),
                            nested(RK_MAX_VALUE_DEPTH, rask_value_i64(1))));
    cr_expect_not(equal_and_end(nested(RK_MAX_VALUE_DEPTH + 1, rask_value_i64(1)),
                                nested(RK_MAX_VALUE_DEPTH + 1, rask_value_i64(1))));
    cr_expect_not(
        equal_and_end(nested(MILLION / 10, rask_value_none()), nested(MILLION / 10, rask_value_none())));
    rask_value deep = nested(1000, bytes_of("itself"));
    cr_expect(rask_value_equal(&deep, &deep));
    rask_value_unref(&deep);
}

Test(equal, asks_the_class_of_custom_values)
{
    cr_expect(equal_and_end(custom_of(&counted, 1), custom_of(&counted, 1)));
    cr_expect_not(equal_and_end(custom_of(&counted, 1), custom_of(&counted, 2)));
    cr_expect_not(equal_and_end(custom_of(&counted, 1), custom_of(&plain, 1)));
    cr_expect_not(equal_and_end(custom_of(&plain, 1), custom_of(&plain, 1)));
    rask_value one = custom_of(&plain, 1);
    cr_expect(equal_and_end(rask_value_ref(&one), one));
}
