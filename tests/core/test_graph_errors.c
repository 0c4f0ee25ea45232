/* Bad graphs and bad calls: each is refused with its code and a message that says where and what, the graph
 * remembers the first error only, and from then on every builder returns NULL. */
#include "core/base/limits.h"

#include <criterion/criterion.h>
#include <math.h>
#include <rask/rask.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
static double half(double x)
{
    return x / 2;
}
static void nothing(void)
{
}
static int64_t measure(const char *text)
{
    return (int64_t)strlen(text);
}
static int echo(rask_task *t)
{
    return rask_return_value(t, rask_value_ref(rask_arg_value(t, 0)));
}
RASK_TASK(add, i64, i64, i64);
RASK_TASK(half, f64, f64);
RASK_TASK(nothing, none);
RASK_TASK(measure, i64, str);
RASK_SLOTS(echo);

/* What the cases below are made of. Everything but foreign belongs to g. */
static rask_graph *g, *other;
static rask_node *number, *text, *call, *list, *empty, *young, *foreign;

static void set_up(void)
{
    g = rask_graph_new();
    other = rask_graph_new();
    foreign = rask_const(other, 1);
    number = rask_const(g, 1);
    text = rask_const(g, "text");
    call = rask_delayed(g, add, number, number);
    list = rask_list(g, ((rask_node *[]){number, call, text}), 3);
    empty = rask_list(g, NULL, 0);
    young = rask_delayed(g, echo, number);
    cr_assert_eq(rask_graph_status(g), RASK_OK);
}

static void tear_down(void)
{
    rask_graph_free(g);
    rask_graph_free(other);
}

/* After the first error nothing more is built, and the error stays. */
static void expect_dead(int code, const char *message)
{
    char before[RK_MAX_ERROR + 1];
    uint32_t size = rask_graph_size(g);
    rask_node *outs[2] = {number, number};
    const rask_arg one = rask_arg_of_i64(1);
    snprintf(before, sizeof before, "%s", rask_graph_error(g));
    const rask_node *later[] = {
        rask_call_at(g, RASK_DEF(half), &one, 1, NULL, 0),
        rask_call_nodes(g, RASK_DEF(half), &number, 1),
        rask_call_outputs(g, RASK_DEF(half), &one, 1, outs, 2),
        rask_const(g, 1),
        rask_input(g, 1),
        rask_list(g, &number, 1),
        rask_item(list, 0),
        rask_after(young, &number, 1),
        rask_set_label(number, "label"),
        rask_set_priority(number, 1),
        rask_set_retries(number, 1),
        rask_set_timeout(number, 1),
        rask_set_timeout(number, -1),
        rask_set_result_bytes(number, 1),
        rask_sum(list),
        rask_min(list),
        rask_max(list),
        rask_concat(list),
        rask_apply(add, list),
        rask_reduce(list, add, 2),
        rask_reduce(list, add, 0),
        rask_list(g, &foreign, 1),
    };
    for (size_t i = 0; i < COUNT(later); i++)
        cr_expect_null(later[i], "builder %zu built on a failed graph (%s)", i, message);
    cr_expect(!outs[0] && !outs[1], "all outputs are NULL on failure (%s)", message);
    rask_value result;
    rask_plan *plan;
    cr_expect_eq(rask_compute_value(number, NULL, &result), code);
    cr_expect_eq(rask_plan_new(&number, 1, &plan), code);
    cr_expect_eq(rask_graph_size(g), size);
    cr_expect_eq(rask_graph_status(g), code);
    cr_expect_str_eq(rask_graph_error(g), before);
}

/* "file:line: " at the beginning; a case that is written on two lines has its builder on the second. */
static bool says_where(const char *error, int line)
{
    char here[100], below[100];
    snprintf(here, sizeof here, "%s:%d: ", __FILE__, line);
    snprintf(below, sizeof below, "%s:%d: ", __FILE__, line + 1);
    return !strncmp(error, here, strlen(here)) || !strncmp(error, below, strlen(below));
}

static void expect_refused(const rask_node *node, int code, const char *message, int line)
{
    const char *error = rask_graph_error(g);
    cr_expect_null(node, "was built: %s", message);
    cr_expect_eq(rask_graph_status(g), code, "%s instead of %s: %s", rask_status_name(rask_graph_status(g)),
                 rask_status_name(code), message);
    cr_expect(!line || says_where(error, line), "\"%s\" does not name line %d", error, line);
    cr_expect_not_null(strstr(error, message), "\"%s\" does not say \"%s\"", error, message);
    expect_dead(code, message);
}

/* A builder that must fail on a fresh graph, at this line. */
#define BAD(code, message, builder)                                                                          \
    do {                                                                                                     \
        set_up();                                                                                            \
        expect_refused(builder, code, message, __LINE__);                                                    \
        tear_down();                                                                                         \
    } while (0)

/* The same for builders that do not know their line. */
#define BAD_SOMEWHERE(code, message, builder)                                                                \
    do {                                                                                                     \
        set_up();                                                                                            \
        expect_refused(builder, code, message, 0);                                                           \
        tear_down();                                                                                         \
    } while (0)

/* Builders on g with their arrays written out, built here. */
#define HERE                           __FILE__, __LINE__
#define NODES(...)                     ((rask_node *[]){__VA_ARGS__}), COUNT(((rask_node *[]){__VA_ARGS__}))
#define ARGS(...)                      ((rask_arg[]){__VA_ARGS__}), COUNT(((rask_arg[]){__VA_ARGS__}))
#define CALL(def, ...)                 rask_call_at(g, def, ARGS(__VA_ARGS__), HERE)
#define CALL_NODES(def, ...)           rask_call_nodes_at(g, def, NODES(__VA_ARGS__), HERE)
#define LIST(...)                      rask_list_at(g, NODES(__VA_ARGS__), HERE)
#define AFTER(node, ...)               rask_after_at(node, NODES(__VA_ARGS__), HERE)
#define OUTPUTS(def, arg, into, count) rask_call_outputs_at(g, def, ARGS(arg), into, count, HERE)

static rask_node *outs[4];

Test(bad_calls, with_null_nodes)
{
    BAD(RASK_EINVAL, "add: argument 1 is a NULL node", CALL_NODES(RASK_DEF(add), number, NULL));
    BAD(RASK_EINVAL, "add: argument 0 is a NULL node", rask_delayed(g, add, (rask_node *)NULL, 2));
    BAD(RASK_EINVAL, "echo: argument 0 is a NULL node", CALL_NODES(RASK_DEF(echo), NULL));
    BAD(RASK_EINVAL, "list: argument 2 is a NULL node", LIST(number, call, NULL));
    BAD(RASK_EINVAL, "after: argument 0 is a NULL node", AFTER(young, NULL));
    BAD(RASK_EINVAL, "half: argument 0 is a NULL node",
        OUTPUTS(RASK_DEF(half), rask_arg_of_node(NULL), outs, 2));
}

Test(bad_calls, with_nodes_of_another_graph)
{
    BAD(RASK_EINVAL, "add: argument 0 (const) is a node of another graph",
        CALL_NODES(RASK_DEF(add), foreign, number));
    BAD(RASK_EINVAL, "add: argument 1 (const) is a node of another graph", rask_delayed(g, add, 1, foreign));
    BAD(RASK_EINVAL, "echo: argument 0 (const) is a node of another graph", rask_delayed(g, echo, foreign));
    BAD(RASK_EINVAL, "list: argument 1 (const) is a node of another graph", LIST(number, foreign));
    BAD(RASK_EINVAL, "after: argument 1 (const) is a node of another graph", AFTER(young, number, foreign));
    BAD(RASK_EINVAL, "half: argument 0 (const) is a node of another graph",
        OUTPUTS(RASK_DEF(half), rask_arg_of_node(foreign), outs, 1));
}

Test(bad_calls, with_a_count_but_no_array)
{
    BAD(RASK_EINVAL, "call: 2 arguments but no array", rask_call_nodes(g, RASK_DEF(add), NULL, 2));
    BAD(RASK_EINVAL, "call: 2 arguments but no array", rask_call(g, RASK_DEF(add), NULL, 2));
    BAD(RASK_EINVAL, "3 arguments but no array", rask_list(g, NULL, 3));
    BAD(RASK_EINVAL, "after: 1 nodes but no array", rask_after(young, NULL, 1));
    BAD(RASK_EINVAL, "call: 1 arguments but no array",
        rask_call_outputs(g, RASK_DEF(half), NULL, 1, outs, 1));
}

Test(bad_calls, with_too_few_or_too_many_arguments)
{
    BAD(RASK_EINVAL, "add: takes 2 arguments, was given 0", rask_delayed(g, add));
    BAD(RASK_EINVAL, "add: takes 2 arguments, was given 1", rask_delayed(g, add, number));
    BAD(RASK_EINVAL, "add: takes 2 arguments, was given 3", rask_delayed(g, add, 1, 2, 3));
    BAD(RASK_EINVAL, "add: takes 2 arguments, was given 8", rask_delayed(g, add, 1, 2, 3, 4, 5, 6, 7, 8));
    BAD(RASK_EINVAL, "nothing: takes 0 arguments, was given 1", rask_delayed(g, nothing, number));
    BAD(RASK_EINVAL, "half: takes 1 arguments, was given 18446744073709551615",
        rask_call_nodes(g, RASK_DEF(half), &number, SIZE_MAX));
    BAD(RASK_EINVAL, "add: takes 2 arguments, was given 1",
        OUTPUTS(RASK_DEF(add), rask_arg_of_i64(1), outs, 2));
}

Test(bad_calls, with_more_arguments_than_any_call_may_have)
{
    const size_t many = (size_t)RASK_MAX_NODES + 1;
    BAD(RASK_ELIMIT, "list: 1073741825 arguments, at most 1073741824 are possible",
        rask_list(g, &number, many));
    BAD(RASK_ELIMIT, "echo: 1073741825 arguments", rask_call_nodes(g, RASK_DEF(echo), &number, many));
    BAD(RASK_ELIMIT, "echo: 18446744073709551615 arguments",
        rask_call_nodes(g, RASK_DEF(echo), &number, SIZE_MAX));
    const rask_arg one = rask_arg_of_i64(1);
    BAD(RASK_ELIMIT, "echo: 1073741825 arguments", rask_call(g, RASK_DEF(echo), &one, many));
    BAD(RASK_ELIMIT, "list: 1073741825 arguments",
        (rask_list(g, &number, 1), rask_list(g, &number, many))); /* the definition used last, too */
}

Test(bad_calls, with_arguments_that_are_no_value)
{
    const struct {
        rask_arg arg;
        const char *message;
    } cases[] = {
        {{.kind = RASK_ARG_STR, .as.str = NULL}, "argument 0 is a NULL string"},
        {{.kind = RASK_ARG_BYTES, .as.bytes = {NULL, 9}}, "argument 0: 9 bytes at NULL"},
        {{.kind = RASK_ARG_VALUE, .as.value = NULL}, "argument 0 is no value"},
        {{.kind = RASK_ARG_VALUE, .as.value = &(const rask_value){.type = 8}}, "argument 0 is no value"},
        {{.kind = RASK_ARG_U64 + 1}, "argument 0 has the unknown kind 8"},
        {{.kind = UINT32_MAX}, "argument 0 has the unknown kind 4294967295"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        BAD(RASK_EINVAL, cases[i].message, rask_call(g, RASK_DEF(echo), &cases[i].arg, 1));
        BAD(RASK_EINVAL, cases[i].message, rask_call(g, RASK_DEF(half), &cases[i].arg, 1));
        BAD(RASK_EINVAL, cases[i].message, rask_const_at(g, &cases[i].arg, __FILE__, __LINE__));
        BAD(RASK_EINVAL, cases[i].message, rask_input_at(g, &cases[i].arg, __FILE__, __LINE__));
    }
}

Test(bad_constants, are_refused)
{
    const rask_arg missing = rask_arg_of_node(NULL);
    BAD(RASK_EINVAL, "const: needs a constant", rask_const(g, number));
    BAD(RASK_EINVAL, "input: needs a constant", rask_input(g, number));
    BAD(RASK_EINVAL, "const: needs a constant", rask_const_at(g, NULL, __FILE__, __LINE__));
    BAD(RASK_EINVAL, "input: needs a constant", rask_input_at(g, NULL, __FILE__, __LINE__));
    BAD(RASK_EINVAL, "const: needs a constant", rask_const_at(g, &missing, __FILE__, __LINE__));
}

/* Every letter of signatures against every type, as a constant and as a node of known type. */

static int any_call(rask_task *t)
{
    return rask_return_none(t);
}

static const rask_class nobodys = {.name = "nobody's", .destroy = free};

static rask_value of_type(uint32_t type)
{
    rask_block block;
    rask_value value;
    switch (type) {
    case RASK_NONE: return rask_value_none();
    case RASK_BOOL: return rask_value_bool(true);
    case RASK_I64: return rask_value_i64(2);
    case RASK_F64: return rask_value_f64(1);
    case RASK_BYTES: rask_value_bytes_new("x", 1, &value); return value;
    case RASK_LIST: rask_value_list_new(NULL, 0, &value); return value;
    case RASK_BLOCK: rask_value_block_alloc(RASK_DT_U8, 0, NULL, &block, &value); return value;
    default: rask_value_custom_new(&nobodys, NULL, &value); return value;
    }
}

static void check_fit(char letter, const char *letter_name, uint32_t type, bool fits)
{
    char message[100];
    rask_task_def def = {.size = sizeof def, .name = "f", .call = any_call, .arguments = (char[]){letter, 0}};
    rask_value value = of_type(type);
    snprintf(message, sizeof message, "f: argument 0 is %s, not %s", rask_type_name(type), letter_name);
    if (fits) {
        set_up();
        cr_expect_not_null(CALL(&def, rask_arg_of_value(&value)), "%s", message);
        cr_expect_not_null(CALL_NODES(&def, rask_const(g, &value)), "%s", message);
        tear_down();
    } else {
        BAD(RASK_ETYPE, message, CALL(&def, rask_arg_of_value(&value)));
        BAD(RASK_ETYPE, message, CALL_NODES(&def, rask_const(g, &value)));
        BAD(RASK_ETYPE, message, CALL_NODES(&def, rask_input(g, &value)));
    }
    rask_value_unref(&value);
}

Test(bad_types, of_constants_are_found_by_the_signature)
{
    const struct {
        char letter;
        const char *name, *fits; /* one mark a type: none bool i64 f64 bytes list block custom */
    } letters[] = {
        {'b', "bool", ".x......"}, {'i', "i64", ".xx....."},   {'d', "f64", ".xxx...."},
        {'s', "str", "....x..."},  {'y', "bytes", "....x..."}, {'v', "value", "xxxxxxxx"},
    };
    for (size_t i = 0; i < COUNT(letters); i++)
        for (uint32_t type = RASK_NONE; type <= RASK_CUSTOM; type++)
            check_fit(letters[i].letter, letters[i].name, type, letters[i].fits[type] == 'x');
}

Test(bad_types, of_calls_whose_result_is_known_are_found_while_building)
{
    BAD(RASK_ETYPE, "add: argument 1 is f64, not i64", rask_delayed(g, add, 1, rask_delayed(g, half, 1.0)));
    BAD(RASK_ETYPE, "half: argument 0 is none, not f64", rask_delayed(g, half, rask_delayed(g, nothing)));
    BAD(RASK_ETYPE, "half: argument 0 is list, not f64", rask_delayed(g, half, list));
    BAD(RASK_ETYPE, "measure: argument 0 is i64, not str", rask_delayed(g, measure, call));
    BAD(RASK_ETYPE, "half: argument 0 is list, not f64", CALL_NODES(RASK_DEF(half), empty));
}

/* Definitions. */

Test(bad_definitions, are_refused_by_every_call)
{
    const rask_task_def good = *RASK_DEF(echo);
    rask_task_def nameless = good, empty_call = good, no_size = good, small = good, letter = good,
                  none_letter = good, result = good, negative = good, nan_timeout = good,
                  minus_infinity = good;
    nameless.name = NULL;
    empty_call.call = NULL;
    no_size.size = 0;
    small.size = offsetof(rask_task_def, backoff) - 1; /* less than the oldest */
    letter.arguments = "iXi";
    none_letter.arguments = "n";
    result.result = 'z';
    negative.timeout = -1e-9;
    nan_timeout.timeout = NAN;
    minus_infinity.timeout = -INFINITY;
    const struct {
        const rask_task_def *def;
        const char *message;
    } cases[] = {
        {NULL, "no definition, or one without name, function or size"},
        {&nameless, "no definition, or one without name, function or size"},
        {&empty_call, "no definition, or one without name, function or size"},
        {&no_size, "no definition, or one without name, function or size"},
        {&small, "no definition, or one without name, function or size"},
        {&letter, "echo: its signature has a letter that is none"},
        {&none_letter, "echo: its signature has a letter that is none"},
        {&result, "echo: its signature has a letter that is none"},
        {&negative, "echo: its timeout is negative or no number"},
        {&nan_timeout, "echo: its timeout is negative or no number"},
        {&minus_infinity, "echo: its timeout is negative or no number"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const rask_task_def *def = cases[i].def;
        BAD(RASK_EINVAL, cases[i].message, CALL(def, rask_arg_of_i64(1)));
        BAD(RASK_EINVAL, cases[i].message, CALL_NODES(def, number));
        BAD(RASK_EINVAL, cases[i].message, OUTPUTS(def, rask_arg_of_i64(1), outs, 2));
        BAD(RASK_EINVAL, cases[i].message, rask_apply_at(def, list, __FILE__, __LINE__));
        BAD(RASK_EINVAL, cases[i].message, rask_reduce_at(list, def, 2, __FILE__, __LINE__));
    }
}

Test(bad_definitions, with_a_huge_name_make_a_message_that_is_cut)
{
    static char name[100000];
    memset(name, 'x', sizeof name - 1);
    rask_task_def def = *RASK_DEF(half);
    def.name = name;
    BAD(RASK_EINVAL, "xxxxxxxxxx", rask_call(g, &def, NULL, 0));
    set_up();
    cr_expect_null(rask_call(g, &def, NULL, 0));
    cr_expect_lt(strlen(rask_graph_error(g)), RK_MAX_ERROR);
    tear_down();
}

Test(bad_sites, with_a_huge_file_name_make_a_message_that_is_cut)
{
    static char file[100000];
    memset(file, 'f', sizeof file - 1);
    BAD_SOMEWHERE(RASK_EINVAL, "ffffffff", rask_list_at(g, NULL, 1, file, 1));
    BAD_SOMEWHERE(RASK_EINVAL, "1 arguments but no array", rask_list_at(g, NULL, 1, NULL, 1));
}

/* Order-only dependencies, items, outputs, attributes, trees. */

Test(bad_after, is_refused)
{
    BAD(RASK_EINVAL, "which can only wait for older nodes", rask_after(call, &young, 1));
    BAD(RASK_EINVAL, "after: echo (node 5) was built after add (node 2)", rask_after(call, &young, 1));
    BAD(RASK_EINVAL, "after: echo (node 5) was built after echo (node 5)", rask_after(young, &young, 1));
    BAD(RASK_EINVAL, "after: a constant waits for nothing", rask_after(text, &number, 1));
    BAD(RASK_EINVAL, "after: a constant waits for nothing", rask_after(rask_input(g, 1), &number, 1));
    BAD(RASK_EINVAL, "which can only wait for older nodes", AFTER(young, number, call, young));
}

Test(bad_outputs, are_refused)
{
    const char *message = "half: needs 1 to 1048576 outputs and an array for them";
    BAD(RASK_EINVAL, message, OUTPUTS(RASK_DEF(half), rask_arg_of_f64(1), outs, 0));
    BAD(RASK_EINVAL, message, OUTPUTS(RASK_DEF(half), rask_arg_of_f64(1), NULL, 2));
    BAD(RASK_EINVAL, message, OUTPUTS(RASK_DEF(half), rask_arg_of_f64(1), outs, RK_MAX_OUTPUTS + 1));
    BAD(RASK_EINVAL, message, OUTPUTS(RASK_DEF(half), rask_arg_of_f64(1), outs, SIZE_MAX));
    BAD(RASK_EINVAL, "call: needs 1 to 1048576 outputs", rask_call_outputs(g, NULL, NULL, 0, outs, 0));
}

Test(bad_outputs, are_all_null)
{
    set_up();
    for (int i = 0; i < 4; i++)
        outs[i] = number;
    cr_expect_null(OUTPUTS(RASK_DEF(add), rask_arg_of_i64(1), outs, 4));
    for (int i = 0; i < 4; i++)
        cr_expect_null(outs[i]);
    outs[0] = number;
    cr_expect_null(rask_call_outputs(NULL, RASK_DEF(half), NULL, 0, outs, 1));
    cr_expect_null(outs[0]);
    tear_down();
}

Test(bad_attributes, are_refused)
{
    BAD_SOMEWHERE(RASK_EINVAL, "add: the timeout -1 is negative or no number", rask_set_timeout(call, -1));
    BAD_SOMEWHERE(RASK_EINVAL, "add: the timeout nan is negative or no number", rask_set_timeout(call, NAN));
    BAD_SOMEWHERE(RASK_EINVAL, "const: the timeout -inf", rask_set_timeout(number, -INFINITY));
}

Test(bad_trees, are_refused)
{
    BAD(RASK_EINVAL, "reduce: a fan-in of 0, at least 2 is needed", rask_reduce(list, add, 0));
    BAD(RASK_EINVAL, "reduce: a fan-in of 1, at least 2 is needed", rask_reduce(list, add, 1));
    BAD(RASK_EINVAL, "reduce: the list is empty", rask_reduce(empty, add, 2));
    BAD(RASK_EINVAL, "reduce: needs a node of rask_list(), not const", rask_reduce(number, add, 2));
    BAD(RASK_EINVAL, "reduce: needs a node of rask_list(), not add", rask_reduce(call, add, 2));
    BAD(RASK_EINVAL, "reduce: needs a node of rask_list(), not item",
        rask_reduce(rask_item(list, 0), add, 2));
    BAD(RASK_EINVAL, "add: takes 2 arguments, was given 3", rask_reduce(list, add, 3));
    BAD(RASK_ETYPE, "add: argument 0 is bytes, not i64", rask_reduce(LIST(text, text, text), add, 2));
    BAD(RASK_EINVAL, "apply: needs a node of rask_list(), not const", rask_apply(add, number));
    BAD(RASK_EINVAL, "apply: needs a node of rask_list(), not echo", rask_apply(add, young));
    BAD(RASK_EINVAL, "add: takes 2 arguments, was given 3", rask_apply(add, list));
    BAD(RASK_EINVAL, "add: takes 2 arguments, was given 0", rask_apply(add, empty));
}

/* NULL in, NULL out. */

Test(null, graph_gives_null_from_every_builder)
{
    const rask_arg one = rask_arg_of_i64(1);
    set_up();
    cr_expect_null(rask_call(NULL, RASK_DEF(half), &one, 1));
    cr_expect_null(rask_call_nodes(NULL, RASK_DEF(half), &number, 1));
    cr_expect_null(rask_call_outputs(NULL, RASK_DEF(half), &one, 1, outs, 2));
    cr_expect_null(rask_const(NULL, 1));
    cr_expect_null(rask_input(NULL, 1));
    cr_expect_null(rask_list(NULL, &number, 1));
    cr_expect_eq(rask_graph_status(g), RASK_OK);
    cr_expect_eq(rask_graph_status(NULL), RASK_ENOMEM);
    cr_expect_str_eq(rask_graph_error(NULL), "out of memory");
    cr_expect_eq(rask_graph_size(NULL), 0);
    rask_graph_free(NULL);
    tear_down();
}

Test(null, node_gives_null_and_is_no_error_of_the_graph)
{
    set_up();
    cr_expect_null(rask_item(NULL, 0));
    cr_expect_null(rask_after(NULL, &number, 1));
    cr_expect_null(rask_set_label(NULL, "x"));
    cr_expect_null(rask_set_priority(NULL, 1));
    cr_expect_null(rask_set_retries(NULL, 1));
    cr_expect_null(rask_set_timeout(NULL, -1));
    cr_expect_null(rask_set_result_bytes(NULL, 1));
    cr_expect_null(rask_sum(NULL));
    cr_expect_null(rask_min(NULL));
    cr_expect_null(rask_max(NULL));
    cr_expect_null(rask_concat(NULL));
    cr_expect_null(rask_apply(add, NULL));
    cr_expect_null(rask_reduce(NULL, add, 0));
    cr_expect_null(rask_node_graph(NULL));
    cr_expect_str_eq(rask_node_name(NULL), "");
    cr_expect_str_eq(rask_node_label(NULL), "");
    cr_expect_eq(rask_graph_status(g), RASK_OK);
    tear_down();
}

Test(first_error, is_the_one_reported)
{
    set_up();
    rask_node *bad = rask_delayed(g, add, foreign, 1);
    char first[RK_MAX_ERROR];
    snprintf(first, sizeof first, "%s", rask_graph_error(g));
    rask_node *worse = rask_sum(LIST(bad, rask_delayed(g, nothing, 1)));
    double answer = 7;
    cr_expect_null(worse);
    cr_expect_eq(rask_compute(worse, &answer), RASK_EGRAPH);
    cr_expect_eq(rask_compute(number, &answer), RASK_EINVAL);
    cr_expect_eq(answer, 7);
    cr_expect_str_eq(rask_graph_error(g), first);
    tear_down();
}

Test(bad_types, true_and_false_of_c_are_bools_and_other_numbers_are_not)
{
    set_up();
    rask_task_def def = {.size = sizeof def, .name = "f", .call = any_call, .arguments = "b"};
    cr_expect_not_null(CALL(&def, RASK_ARG(true)));
    cr_expect_not_null(CALL_NODES(&def, rask_const(g, false)));
    tear_down();
    BAD(RASK_ETYPE, "f: argument 0 is i64, not bool", CALL(&def, RASK_ARG(2)));
}

Test(bad_arguments, an_unsigned_number_too_large_for_i64_is_refused)
{
    BAD(RASK_ERANGE, "echo: argument 0 is 9223372036854775808, too large for i64",
        CALL(RASK_DEF(echo), RASK_ARG((uint64_t)1 << 63)));
    set_up();
    cr_expect_not_null(rask_const(g, (uint64_t)INT64_MAX));
    tear_down();
}
