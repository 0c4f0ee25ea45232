/* Built-in calls on lists: what they compute, what they refuse, and the shape of the trees they make. */
#include "core/graph/graph.h"

#include <criterion/criterion.h>
#include <math.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define LARGE        ((int64_t)1 << 53) /* from here on f64 misses whole numbers */
#define I(x)                                                                                                 \
    {                                                                                                        \
        .type = RASK_I64, .as.i64 = (x)                                                                      \
    }
#define F(x)                                                                                                 \
    {                                                                                                        \
        .type = RASK_F64, .as.f64 = (x)                                                                      \
    }
#define B(x)                                                                                                 \
    {                                                                                                        \
        .type = RASK_BOOL, .as.boolean = (x)                                                                 \
    }

static rask_graph *g;

static void set_up(void)
{
    g = rask_graph_new();
}
static void tear_down(void)
{
    rask_graph_free(g);
}
TestSuite(sum, .init = set_up, .fini = tear_down);
TestSuite(extremes, .init = set_up, .fini = tear_down);
TestSuite(concat, .init = set_up, .fini = tear_down);
TestSuite(list, .init = set_up, .fini = tear_down);
TestSuite(reduce, .init = set_up, .fini = tear_down);
TestSuite(apply, .init = set_up, .fini = tear_down);
TestSuite(outputs, .init = set_up, .fini = tear_down);
TestSuite(order_only, .init = set_up, .fini = tear_down);

enum { MOST = 4 };

typedef struct numeric_case {
    int count;
    rask_value items[MOST];
    rask_value expected; /* of type none: fails with code */
    int code;
    const char *message;
} numeric_case;

static rask_node *list_of(const rask_value *items, int count)
{
    rask_node *nodes[MOST];
    for (int i = 0; i < count; i++)
        nodes[i] = rask_const(g, &items[i]);
    return rask_list(g, nodes, (size_t)count);
}

typedef rask_node *builder(rask_node *list, const char *file, int line);

static void check(builder *build, const numeric_case *c, size_t number)
{
    rask_value result = rask_value_none();
    char shown[100];
    int status = rask_compute_value(build(list_of(c->items, c->count), __FILE__, __LINE__), NULL, &result);
    rask_value_format(&result, shown, sizeof shown);
    cr_expect_eq(status, c->code, "case %zu: %s", number, rask_graph_error(g));
    cr_expect(rask_value_equal(&result, &c->expected), "case %zu gives %s", number, shown);
    cr_expect(!c->message || strstr(rask_graph_error(g), c->message), "case %zu: %s", number,
              rask_graph_error(g));
}

Test(sum, is_whole_until_a_real_number_comes)
{
    const numeric_case cases[] = {
        {0, {I(0)}, I(0), 0, NULL},
        {1, {I(5)}, I(5), 0, NULL},
        {3, {I(1), I(2), I(3)}, I(6), 0, NULL},
        {3, {B(true), B(false), B(true)}, I(2), 0, NULL},
        {2, {I(1), F(0.5)}, F(1.5), 0, NULL},
        {2, {F(2), B(true)}, F(3), 0, NULL},
        {1, {F(-0.0)}, F(0.0), 0, NULL},
        {2, {F(INFINITY), I(1)}, F(INFINITY), 0, NULL},
        {2, {I(LARGE), I(1)}, I(LARGE + 1), 0, NULL},
        {2, {I(INT64_MAX), I(0)}, I(INT64_MAX), 0, NULL},
        {2, {I(INT64_MIN), I(INT64_MAX)}, I(-1), 0, NULL},
        {2, {I(INT64_MAX), I(1)}, {0}, RASK_ERANGE, "the sum of 2 items is too large for i64"},
        {2, {I(INT64_MIN), I(-1)}, {0}, RASK_ERANGE, "too large for i64"},
        {3, {I(INT64_MAX), I(1), F(0)}, F(0x1p63), 0, NULL},
        {1, {{.type = RASK_NONE}}, {0}, RASK_ETYPE, "item 0 is none, not a number"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check(rask_sum_at, &cases[i], i);
}

Test(sum, of_a_nan_is_a_nan)
{
    double real = 0;
    const rask_value items[] = {F(1), F(NAN)};
    cr_expect_eq(rask_compute(rask_sum(list_of(items, 2)), &real), RASK_OK);
    cr_expect(isnan(real));
}

Test(extremes, compare_exactly)
{
    static const struct {
        rask_value small, large;
    } cases[] = {
        {I(1), I(2)},
        {I(-1), I(0)},
        {F(-1.5), F(0.5)},
        {B(false), B(true)},
        {B(true), F(1.5)},
        {I(INT64_MIN), I(INT64_MAX)},
        {F(-INFINITY), F(INFINITY)},
        {F(-INFINITY), I(INT64_MIN)},
        {I(INT64_MAX), F(INFINITY)},
        {I(INT64_MAX), F(0x1p63)},
        {F(-0x1p63), I(INT64_MIN + 1)},
        {F((double)LARGE), I(LARGE + 1)},
        {I(-LARGE - 1), F(-(double)LARGE)},
        {I(LARGE + 1), F((double)LARGE + 2)},
        {F(0.5), I(1)},
        {I(0), F(5e-324)},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        rask_value small = cases[i].small, large = cases[i].large;
        check(rask_min_at, &(numeric_case){2, {small, large}, small, 0, NULL}, i);
        check(rask_min_at, &(numeric_case){2, {large, small}, small, 0, NULL}, i);
        check(rask_max_at, &(numeric_case){2, {small, large}, large, 0, NULL}, i);
        check(rask_max_at, &(numeric_case){3, {large, small, small}, large, 0, NULL}, i);
        check(rask_max_at, &(numeric_case){1, {small}, small, 0, NULL}, i);
    }
}

Test(extremes, of_equal_items_are_the_first)
{
    static const rask_value equal[][2] = {{I(1), F(1)}, {F(1), I(1)}, {F(0.0), F(-0.0)}, {B(true), I(1)}};
    for (size_t i = 0; i < COUNT(equal); i++) {
        check(rask_min_at, &(numeric_case){2, {equal[i][0], equal[i][1]}, equal[i][0], 0, NULL}, i);
        check(rask_max_at, &(numeric_case){2, {equal[i][0], equal[i][1]}, equal[i][0], 0, NULL}, i);
    }
}

Test(extremes, let_a_nan_win)
{
    static const rask_value with_nan[][3] = {
        {F(NAN), I(1), F(2)}, {I(1), F(NAN), I(2)}, {F(-INFINITY), F(1), F(NAN)}};
    for (size_t i = 0; i < COUNT(with_nan); i++) {
        double least = 0, most = 0;
        cr_expect_eq(rask_compute(rask_min(list_of(with_nan[i], 3)), &least), RASK_OK);
        cr_expect_eq(rask_compute(rask_max(list_of(with_nan[i], 3)), &most), RASK_OK);
        cr_expect(isnan(least) && isnan(most));
    }
}

Test(extremes, of_nothing_or_of_no_numbers_are_errors)
{
    const numeric_case cases[] = {
        {0, {I(0)}, {0}, RASK_EINVAL, "the list is empty"},
        {2, {I(0), {.type = RASK_NONE}}, {0}, RASK_ETYPE, "item 1 is none, not a number"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        check(rask_min_at, &cases[i], i);
        check(rask_max_at, &cases[i], i);
    }
}

static const char *computed_text(rask_node *node)
{
    static char text[256];
    rask_value value = rask_value_none();
    cr_expect_eq(rask_compute(node, &value), RASK_OK, "%s", rask_graph_error(g));
    rask_value_format(&value, text, sizeof text);
    rask_value_unref(&value);
    return text;
}

static void expect_failure(rask_node *node, int code, const char *message)
{
    rask_value value;
    cr_expect_eq(rask_compute(node, &value), code);
    cr_expect_not_null(strstr(rask_graph_error(g), message), "%s", rask_graph_error(g));
}

static rask_node *texts(size_t count, const char *const *texts)
{
    rask_node *nodes[MOST];
    for (size_t i = 0; i < count; i++)
        nodes[i] = rask_const(g, texts[i]);
    return rask_list(g, nodes, count);
}
#define TEXTS(...) texts(COUNT(((const char *[]){__VA_ARGS__})), (const char *[]){__VA_ARGS__})

Test(concat, joins_bytes_in_order)
{
    const char *const parts[] = {"one", "", "two", "three"};
    cr_expect_str_eq(computed_text(rask_concat(texts(4, parts))), "\"onetwothree\"");
    cr_expect_str_eq(computed_text(rask_concat(texts(1, parts))), "\"one\"");
    cr_expect_str_eq(computed_text(rask_concat(texts(0, parts))), "\"\"");
    rask_node *binary[] = {rask_const(g, ((rask_bytes){"a\0b", 3})), rask_const(g, ((rask_bytes){NULL, 0}))};
    cr_expect_str_eq(computed_text(rask_concat(rask_list(g, binary, 2))), "\"a\\x00b\"");
}

Test(concat, joins_lists_in_order)
{
    const char *const parts[] = {"a", "b", "c"};
    rask_node *lists[] = {texts(2, parts), rask_list(g, NULL, 0), texts(1, parts + 2)};
    cr_expect_str_eq(computed_text(rask_concat(rask_list(g, lists, 3))), "[\"a\", \"b\", \"c\"]");
    cr_expect_str_eq(computed_text(rask_concat(rask_list(g, lists + 1, 1))), "[]");
}

Test(concat, refuses_a_mixture)
{
    rask_node *text = rask_const(g, "text"), *number = rask_const(g, 1), *list = rask_list(g, &text, 1);
    rask_node *bytes_first[] = {text, number}, *list_first[] = {list, text}, *list_last[] = {text, list};
    expect_failure(rask_concat(rask_list(g, bytes_first, 2)), RASK_ETYPE, "item 1 is i64, not bytes");
    expect_failure(rask_concat(rask_list(g, list_first, 2)), RASK_ETYPE, "item 1 is bytes, not a list");
    expect_failure(rask_concat(rask_list(g, list_last, 2)), RASK_ETYPE, "item 1 is list, not bytes");
    expect_failure(rask_concat(rask_list(g, &number, 1)), RASK_ETYPE, "item 0 is i64, not bytes");
}

Test(list, is_needed_by_all_of_them)
{
    builder *const builders[] = {rask_sum_at, rask_min_at, rask_max_at, rask_concat_at};
    for (size_t i = 0; i < COUNT(builders); i++)
        expect_failure(builders[i](rask_const(g, 5), NULL, 0), RASK_ETYPE, "argument 0 is i64, not list");
}

Test(list, may_be_a_value_that_a_task_made)
{
    rask_value items[2] = {I(3), I(4)}, value;
    int64_t answer = 0;
    cr_assert_eq(rask_value_list_new(items, 2, &value), RASK_OK);
    cr_expect_eq(rask_compute(rask_sum(rask_const(g, &value)), &answer), RASK_OK);
    cr_expect_eq(answer, 7);
    rask_value_unref(&value);
}

Test(list, gives_its_items_or_says_that_it_is_too_short)
{
    const char *const parts[] = {"a", "b"};
    rask_node *list = texts(2, parts);
    cr_expect_str_eq(computed_text(rask_item(list, 1)), "\"b\"");
    expect_failure(rask_item(list, 2), RASK_ERANGE, "item 2 of a list of 2");
    expect_failure(rask_item(list, SIZE_MAX), RASK_ERANGE, "of a list of 2");
    expect_failure(rask_item(rask_const(g, 1), 0), RASK_ETYPE, "argument 0 is i64, not list");
}

/* Shows which calls a tree is made of: (a b) for combine(a, b). */
static int combine(rask_task *t)
{
    char text[1024] = "(";
    for (size_t i = 0; i < rask_arg_count(t); i++) {
        strcat(text, i ? " " : "");
        strcat(text, rask_arg_str(t, i));
    }
    strcat(text, ")");
    return rask_return_str(t, text);
}
static int64_t subtract_digits(int64_t a, int64_t b)
{
    return a * 10 + b;
}
RASK_SLOTS(combine);
RASK_TASK(subtract_digits, i64, i64, i64);

/* The first n of the alphabet's letters, each a constant. */
static rask_node *letters(size_t n)
{
    rask_node *nodes[100];
    for (size_t i = 0; i < n; i++)
        nodes[i] = rask_const(g, ((char[]){(char)('a' + i % 26), 0}));
    return rask_list(g, nodes, n);
}

Test(reduce, makes_trees_of_neighbours)
{
    const struct {
        size_t n, fan_in;
        const char *tree;
    } cases[] = {
        {1, 2, "a"},
        {2, 2, "(a b)"},
        {3, 2, "((a b) c)"},
        {4, 2, "((a b) (c d))"},
        {5, 2, "(((a b) (c d)) e)"},
        {7, 2, "(((a b) (c d)) ((e f) g))"},
        {3, 3, "(a b c)"},
        {4, 3, "((a b c) d)"},
        {8, 3, "((a b c) (d e f) (g h))"},
        {10, 3, "(((a b c) (d e f) (g h i)) j)"},
        {8, 8, "(a b c d e f g h)"},
        {9, 8, "((a b c d e f g h) i)"},
        {5, SIZE_MAX, "(a b c d e)"},
    };
    char expected[100];
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(expected, sizeof expected, "\"%s\"", cases[i].tree);
        cr_expect_str_eq(computed_text(rask_reduce(letters(cases[i].n), combine, cases[i].fan_in)), expected);
    }
}

/* Levels of a tree over n leaves: no more than are needed. */
static size_t calls_for(size_t n, size_t fan_in)
{
    size_t calls = 0;
    for (; n > 1; n = (n + fan_in - 1) / fan_in)
        calls += n / fan_in + (n % fan_in > 1);
    return calls;
}

Test(reduce, keeps_the_order_and_makes_no_call_too_many)
{
    const size_t fan_ins[] = {2, 3, 8};
    for (size_t f = 0; f < COUNT(fan_ins); f++)
        for (size_t n = 1; n <= 100; n++) {
            rask_node *list = letters(n);
            uint32_t before = rask_graph_size(g);
            rask_node *root = rask_reduce(list, combine, fan_ins[f]);
            cr_expect_eq(rask_graph_size(g) - before, calls_for(n, fan_ins[f]), "%zu by %zu", n, fan_ins[f]);
            rask_value value;
            rask_bytes tree;
            cr_assert_eq(rask_compute(root, &value), RASK_OK);
            rask_value_get_bytes(&value, &tree);
            size_t seen = 0;
            for (const char *c = tree.data; *c; c++)
                if (*c >= 'a' && *c <= 'z')
                    cr_assert_eq(*c, (char)('a' + seen++ % 26), "%zu by %zu: %s", n, fan_ins[f], tree.data);
            cr_expect_eq(seen, n);
            rask_value_unref(&value);
        }
}

Test(reduce, of_one_is_that_one)
{
    rask_node *only = rask_const(g, 5);
    cr_expect_eq(rask_reduce(rask_list(g, &only, 1), combine, 2), only);
}

Test(apply, calls_with_the_elements_as_arguments)
{
    int64_t answer = 0;
    rask_node *numbers[] = {rask_const(g, 1), rask_const(g, 2)};
    cr_expect_eq(rask_compute(rask_apply(subtract_digits, rask_list(g, numbers, 2)), &answer), RASK_OK);
    cr_expect_eq(answer, 12);
    cr_expect_str_eq(computed_text(rask_apply(combine, TEXTS("x", "y", "z"))), "\"(x y z)\"");
    cr_expect_str_eq(computed_text(rask_apply(combine, rask_list(g, NULL, 0))), "\"()\"");
}

/* Several outputs. */

static int divide(rask_task *t)
{
    int64_t a = rask_arg_i64(t, 0), b = rask_arg_i64(t, 1);
    if (!b)
        return rask_fail(t, RASK_ERANGE, "division by zero");
    rask_value both[2] = {rask_value_i64(a / b), rask_value_i64(a % b)};
    return rask_return_list(t, both, 2);
}
RASK_SLOTS(divide);

Test(outputs, are_nodes_of_their_own)
{
    rask_node *outs[2];
    int64_t quotient = 0, rest = 0;
    const rask_arg args[] = {rask_arg_of_i64(17), rask_arg_of_i64(5)};
    cr_assert_not_null(rask_delayed_outputs(g, divide, outs, 2, args, 2));
    cr_expect_eq(rask_compute(outs[0], &quotient), RASK_OK);
    cr_expect_eq(rask_compute(outs[1], &rest), RASK_OK);
    cr_expect(quotient == 3 && rest == 2);
}

Test(outputs, that_the_call_does_not_give_are_an_error_of_theirs)
{
    rask_node *outs[3];
    const rask_arg args[] = {rask_arg_of_i64(17), rask_arg_of_i64(5)};
    cr_assert_not_null(rask_delayed_outputs(g, divide, outs, 3, args, 2));
    cr_expect_str_eq(computed_text(outs[1]), "2");
    expect_failure(outs[2], RASK_ERANGE, "item 2 of a list of 2");
}

Test(outputs, fail_with_their_call)
{
    rask_node *outs[2];
    const rask_arg args[] = {rask_arg_of_i64(17), rask_arg_of_i64(0)};
    cr_assert_not_null(rask_delayed_outputs(g, divide, outs, 2, args, 2));
    expect_failure(outs[1], RASK_ERANGE, "task divide");
    cr_expect_not_null(strstr(rask_graph_error(g), "division by zero; needed by item"), "%s",
                       rask_graph_error(g));
}

/* Order-only dependencies. */

static int counter;

static int64_t take_number(void)
{
    return __atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
}
RASK_TASK(take_number, i64);

Test(order_only, calls_come_after_what_they_wait_for)
{
    enum { CALLS = 50 };
    rask_node *calls[CALLS];
    rask_value numbers[CALLS];
    for (int i = 0; i < CALLS; i++) {
        calls[i] = rask_delayed(g, take_number);
        if (i)
            rask_after(calls[i], &calls[i - 1], 1);
    }
    cr_assert_eq(rask_compute_values(calls, CALLS, NULL, numbers), RASK_OK);
    for (int i = 0; i < CALLS; i++)
        cr_expect_eq(numbers[i].as.i64, i);
}

static int fails(rask_task *t)
{
    return rask_fail(t, RASK_ETASK, "on purpose");
}
RASK_SLOTS(fails);

Test(order_only, calls_never_run_behind_a_failure)
{
    rask_node *first = rask_delayed(g, fails), *second = rask_delayed(g, take_number);
    rask_after(second, &first, 1);
    expect_failure(second, RASK_ETASK, "on purpose");
    cr_expect_eq(counter, 0);
}
