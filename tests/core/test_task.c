/* Functions as tasks: arguments in, results out, failures, and which function is the same in every process.
 */
#include "../forks.h"
#include "core/base/limits.h"
#include "core/task/task.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static rask_graph *g;
static const bool yes = true; /* a bare true is an int before C23 */

static void set_up(void)
{
    g = rask_graph_new();
}
static void tear_down(void)
{
    rask_graph_free(g);
}
TestSuite(wrapped, .init = set_up, .fini = tear_down);
TestSuite(slots, .init = set_up, .fini = tear_down);
TestSuite(failure, .init = set_up, .fini = tear_down);
TestSuite(result, .init = set_up, .fini = tear_down);

/* The value of a call as text; or its status and message. */
static const char *outcome(rask_node *node)
{
    static char text[RK_MAX_ERROR + 100];
    rask_value value;
    int status = rask_compute(node, &value);
    if (status) {
        snprintf(text, sizeof text, "%s: %s", rask_status_name(status), rask_graph_error(g));
        return text;
    }
    rask_value_format(&value, text, sizeof text);
    rask_value_unref(&value);
    return text;
}

static void expect_failure(rask_node *node, const char *code, const char *message)
{
    const char *text = outcome(node);
    cr_expect(!strncmp(text, code, strlen(code)), "not %s: %s", code, text);
    cr_expect_not_null(strstr(text, message), "\"%s\" is not in: %s", message, text);
}

/* RASK_TASK with every type and every number of arguments. */

static bool not_b(bool b)
{
    return !b;
}
static int64_t twice_i(int64_t i)
{
    return 2 * i;
}
static double half_d(double d)
{
    return d / 2;
}
static const char *tail_s(const char *s)
{
    return s + 1;
}
static rask_bytes tail_y(rask_bytes y)
{
    return (rask_bytes){y.data + 1, y.len - 1};
}
static rask_value same_v(const rask_value *v)
{
    return rask_value_ref(v);
}
static void nothing(void)
{
}
RASK_TASK(not_b, bool, bool);
RASK_TASK(twice_i, i64, i64);
RASK_TASK(half_d, f64, f64);
RASK_TASK(tail_s, str, str);
RASK_TASK(tail_y, bytes, bytes);
RASK_TASK(same_v, value, value);
RASK_TASK(nothing, none);

Test(wrapped, functions_take_and_give_every_type)
{
    const rask_value list = {.type = RASK_F64, .as.f64 = 2.5};
    cr_expect_str_eq(outcome(rask_delayed(g, not_b, yes)), "false");
    cr_expect_str_eq(outcome(rask_delayed(g, twice_i, 21)), "42");
    cr_expect_str_eq(outcome(rask_delayed(g, half_d, 5.0)), "2.5");
    cr_expect_str_eq(outcome(rask_delayed(g, tail_s, "xyz")), "\"yz\"");
    cr_expect_str_eq(outcome(rask_delayed(g, tail_y, ((rask_bytes){"x\0z", 3}))), "\"\\x00z\"");
    cr_expect_str_eq(outcome(rask_delayed(g, same_v, &list)), "2.5");
    cr_expect_str_eq(outcome(rask_delayed(g, nothing)), "none");
}

Test(wrapped, functions_take_narrower_numbers)
{
    cr_expect_str_eq(outcome(rask_delayed(g, twice_i, yes)), "2");
    cr_expect_str_eq(outcome(rask_delayed(g, half_d, yes)), "0.5");
    cr_expect_str_eq(outcome(rask_delayed(g, half_d, 3)), "1.5");
}

Test(wrapped, functions_have_the_signature_that_was_written)
{
    const struct {
        const rask_task_def *def;
        const char *name, *arguments;
        char result;
    } cases[] = {
        {RASK_DEF(not_b), "not_b", "b", 'b'},    {RASK_DEF(twice_i), "twice_i", "i", 'i'},
        {RASK_DEF(half_d), "half_d", "d", 'd'},  {RASK_DEF(tail_s), "tail_s", "s", 's'},
        {RASK_DEF(tail_y), "tail_y", "y", 'y'},  {RASK_DEF(same_v), "same_v", "v", 'v'},
        {RASK_DEF(nothing), "nothing", "", 'n'},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cr_expect_str_eq(cases[i].def->name, cases[i].name);
        cr_expect_str_eq(cases[i].def->arguments, cases[i].arguments);
        cr_expect_eq(cases[i].def->result, cases[i].result);
        cr_expect_eq(cases[i].def->size, sizeof(rask_task_def));
    }
}

static int64_t of0(void)
{
    return 9;
}
static int64_t of1(int64_t a)
{
    return a;
}
static int64_t of2(int64_t a, int64_t b)
{
    return of1(a) * 10 + b;
}
static int64_t of3(int64_t a, int64_t b, int64_t c)
{
    return of2(a, b) * 10 + c;
}
static int64_t of4(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return of3(a, b, c) * 10 + d;
}
static int64_t of5(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e)
{
    return of4(a, b, c, d) * 10 + e;
}
static int64_t of6(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f)
{
    return of5(a, b, c, d, e) * 10 + f;
}
static int64_t of7(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f, int64_t h)
{
    return of6(a, b, c, d, e, f) * 10 + h;
}
static int64_t of8(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f, int64_t h, int64_t i)
{
    return of7(a, b, c, d, e, f, h) * 10 + i;
}
RASK_TASK(of0, i64);
RASK_TASK(of1, i64, i64);
RASK_TASK(of2, i64, i64, i64);
RASK_TASK(of3, i64, i64, i64, i64);
RASK_TASK(of4, i64, i64, i64, i64, i64);
RASK_TASK(of5, i64, i64, i64, i64, i64, i64);
RASK_TASK(of6, i64, i64, i64, i64, i64, i64, i64);
RASK_TASK(of7, i64, i64, i64, i64, i64, i64, i64, i64);
RASK_TASK(of8, i64, i64, i64, i64, i64, i64, i64, i64, i64);

Test(wrapped, functions_take_up_to_eight_arguments_in_order)
{
    rask_node *two = rask_const(g, 2);
    cr_expect_str_eq(outcome(rask_delayed(g, of0)), "9");
    cr_expect_str_eq(outcome(rask_delayed(g, of1, 1)), "1");
    cr_expect_str_eq(outcome(rask_delayed(g, of2, 1, two)), "12");
    cr_expect_str_eq(outcome(rask_delayed(g, of3, 1, two, 3)), "123");
    cr_expect_str_eq(outcome(rask_delayed(g, of4, 1, two, 3, 4)), "1234");
    cr_expect_str_eq(outcome(rask_delayed(g, of5, 1, two, 3, 4, 5)), "12345");
    cr_expect_str_eq(outcome(rask_delayed(g, of6, 1, two, 3, 4, 5, 6)), "123456");
    cr_expect_str_eq(outcome(rask_delayed(g, of7, 1, two, 3, 4, 5, 6, 7)), "1234567");
    cr_expect_str_eq(outcome(rask_delayed(g, of8, 1, two, 3, 4, 5, 6, 7, 8)), "12345678");
}

static int64_t attributed(int64_t i)
{
    return i;
}
RASK_TASK_WITH(attributed, (.flags = RASK_PURE | RASK_IO, .retries = 2, .timeout = 1.5, .priority = -3), i64,
               i64);

Test(wrapped, functions_carry_their_attributes)
{
    const rask_task_def *def = RASK_DEF(attributed);
    cr_expect_eq(def->flags, RASK_PURE | RASK_IO);
    cr_expect(def->retries == 2 && def->timeout == 1.5 && def->priority == -3);
    cr_expect_eq(def->identity, (void (*)(void))attributed);
}

/* Types that only a run can know. */

Test(wrapped, functions_refuse_what_turns_out_to_be_of_a_wrong_type)
{
    rask_node *text = rask_delayed(g, same_v, "text"), *real = rask_delayed(g, same_v, 1.0);
    rask_node *nul = rask_delayed(g, same_v, ((rask_bytes){"a\0b", 3}));
    expect_failure(rask_delayed(g, twice_i, text), "RASK_ETYPE", "argument 0 is bytes, not i64");
    expect_failure(rask_delayed(g, of3, 1, 2, real), "RASK_ETYPE", "argument 2 is f64, not i64");
    expect_failure(rask_delayed(g, half_d, text), "RASK_ETYPE", "argument 0 is bytes, not f64");
    expect_failure(rask_delayed(g, not_b, real), "RASK_ETYPE", "argument 0 is f64, not bool");
    expect_failure(rask_delayed(g, tail_s, real), "RASK_ETYPE", "argument 0 is f64, not bytes");
    expect_failure(rask_delayed(g, tail_s, nul), "RASK_ETYPE",
                   "argument 0 is bytes with a NUL inside, not str");
    expect_failure(rask_delayed(g, tail_s, ((rask_bytes){"a\0b", 3})), "RASK_ETYPE", "NUL inside, not str");
    expect_failure(rask_delayed(g, tail_y, real), "RASK_ETYPE", "task tail_y");
    cr_expect_str_eq(outcome(rask_delayed(g, tail_y, nul)), "\"\\x00b\"");
}

static int called;

static int64_t count_call(int64_t i)
{
    called++;
    return i;
}
RASK_TASK(count_call, i64, i64);

Test(wrapped, functions_are_not_called_with_a_wrong_type)
{
    expect_failure(rask_delayed(g, count_call, rask_delayed(g, same_v, "text")), "RASK_ETYPE", "count_call");
    cr_expect_eq(called, 0);
}

/* Slot tasks. */

static void no_destroy(void *data)
{
    (void)data;
}
static const rask_class point_class = {.name = "point", .destroy = no_destroy},
                        other_class = {.name = "other", .destroy = no_destroy};

/* Asks for its arguments as what the letters of its first say, and goes on whatever it gets. */
static int read_as(rask_task *t)
{
    size_t count;
    rask_block block = {.ndim = 7};
    const char *letters = rask_arg_str(t, 0);
    for (size_t i = 1; *letters; i++, letters++)
        switch (*letters) {
        case 'b': cr_assert(!rask_arg_bool(t, i) || rask_arg_count(t) > i); break;
        case 'i': rask_arg_i64(t, i); break;
        case 'd': rask_arg_f64(t, i); break;
        case 's': cr_assert_not_null(rask_arg_str(t, i)); break;
        case 'y': cr_assert_not_null(rask_arg_bytes(t, i).data); break;
        case 'v': cr_assert_not_null(rask_arg_value(t, i)); break;
        case 'l': rask_arg_list(t, i, &count); break;
        case 'k': rask_arg_block(t, i, &block); break;
        case 'c': rask_arg_custom(t, i, &point_class); break;
        default: rask_arg_custom(t, i, NULL); break;
        }
    return rask_return_i64(t, (int64_t)rask_arg_count(t));
}
RASK_SLOTS(read_as);

Test(slots, give_arguments_by_position_and_type)
{
    int x = 0;
    rask_value point, list;
    rask_node *empty = rask_list(g, NULL, 0);
    cr_assert_eq(rask_value_custom_new(&point_class, &x, &point), RASK_OK);
    cr_assert_eq(rask_value_list_new(&point, 1, &list), RASK_OK);
    cr_expect_str_eq(outcome(rask_delayed(g, read_as, "")), "1");
    cr_expect_str_eq(outcome(rask_delayed(g, read_as, "bidsyl", yes, 1, 2.0, "s", "y", empty)), "7");
    cr_expect_str_eq(outcome(rask_delayed(g, read_as, "c?lv", &point, &point, &list, &list)), "5");
    cr_expect_str_eq(outcome(rask_delayed(g, read_as, "", 1, 2, 3)), "4");
    rask_value_unref(&list);
    rask_value_unref(&point);
}

static int take_two(rask_task *t)
{
    return rask_return_i64(t, rask_arg_i64(t, 0) + rask_arg_i64(t, 1));
}
RASK_SLOTS(take_two);

Test(slots, are_told_why_a_list_is_not_spread)
{
    rask_node *two[] = {rask_delayed(g, take_two, 1, 2), rask_delayed(g, take_two, 3, 4)};
    expect_failure(
        rask_delayed(g, take_two, rask_list(g, two, 2)), "RASK_ETYPE",
        "argument 0 is list, not i64: a list is one argument, which is spread only where a definition");
    cr_expect_str_eq(outcome(rask_delayed(g, take_two, two[0], two[1])), "10");
}

Test(slots, name_the_argument_that_is_wrong)
{
    int x = 0;
    rask_value other;
    cr_assert_eq(rask_value_custom_new(&other_class, &x, &other), RASK_OK);
    expect_failure(rask_delayed(g, read_as, "b", 2), "RASK_ETYPE", "argument 1 is i64, not bool");
    expect_failure(rask_delayed(g, read_as, "ii", 1, 2.0), "RASK_ETYPE", "argument 2 is f64, not i64");
    expect_failure(rask_delayed(g, read_as, "d", "x"), "RASK_ETYPE", "argument 1 is bytes, not f64");
    expect_failure(rask_delayed(g, read_as, "s", 1), "RASK_ETYPE", "argument 1 is i64, not bytes");
    expect_failure(rask_delayed(g, read_as, "l", 1), "RASK_ETYPE", "argument 1 is i64, not list");
    expect_failure(rask_delayed(g, read_as, "k", "x"), "RASK_ETYPE", "argument 1 is bytes, not block");
    expect_failure(rask_delayed(g, read_as, "c", &other), "RASK_ETYPE", "argument 1 is custom, not point");
    expect_failure(rask_delayed(g, read_as, "?", 1), "RASK_ETYPE", "argument 1 is i64, not custom");
    expect_failure(rask_delayed(g, read_as, "v"), "RASK_EINVAL", "asked for argument 1 but was given 1");
    expect_failure(rask_delayed(g, read_as, "ls", 1, 2), "RASK_ETYPE", "argument 1 is i64, not list");
    rask_value_unref(&other);
}

static int describe_itself(rask_task *t)
{
    char text[100];
    snprintf(text, sizeof text, "%s %u %zu %d", rask_task_name(t), rask_task_attempt(t), rask_arg_count(t),
             rask_task_cancelled(t));
    return rask_task_attempt(t) < 2 ? rask_fail(t, RASK_EIO, text) : rask_return_str(t, text);
}
RASK_SLOTS(describe_itself);

Test(slots, know_their_name_and_attempt)
{
    rask_node *call = rask_delayed(g, describe_itself, 1, 2);
    expect_failure(call, "RASK_EIO", "describe_itself 0 2 0");
    cr_expect_str_eq(outcome(rask_set_retries(call, 2)), "\"describe_itself 2 2 0\"");
}

/* Failures. */

/* What the argument asks for: see the table below. */
static int misbehave(rask_task *t)
{
    static char long_message[3000];
    switch (rask_arg_i64(t, 0)) {
    case 0: return RASK_EIO;
    case 1: return -1;
    case 2: return 12345;
    case 3: return rask_fail(t, RASK_ENOENT, "no such thing");
    case 4: return rask_fail(t, RASK_OK, "not quite");
    case 5: return rask_fail(t, RASK_EIO, NULL);
    case 6: return rask_fail(t, RASK_OK, NULL);
    case 7: rask_fail(t, RASK_EIO, "the first"); return rask_fail(t, RASK_ENOENT, "the second");
    case 8: rask_fail(t, RASK_EIO, "latched"); return rask_return_i64(t, 1);
    case 9: rask_fail(t, RASK_EIO, "latched, and forgotten"); return RASK_OK;
    case 10: rask_return_str(t, "a result to be freed"); return RASK_ETASK;
    case 11: return rask_return_str(t, NULL);
    case 12: return rask_return_bytes(t, NULL, 5);
    case 13: return rask_return_list(t, NULL, 5);
    case 14: return rask_return_custom(t, NULL, NULL);
    case 15: return rask_fail(t, RASK_EIO, "100%s %n %d");
    default: memset(long_message, 'm', sizeof long_message - 1); return rask_fail(t, RASK_EIO, long_message);
    }
}
RASK_SLOTS(misbehave);

Test(failure, is_reported_with_its_code_and_message)
{
    const struct {
        const char *code, *message;
    } cases[] = {
        {"RASK_EIO", "returned RASK_EIO (input or output failed)"},
        {"RASK_ETASK", "returned -1, which is no status"},
        {"RASK_ETASK", "returned 12345, which is no status"},
        {"RASK_ENOENT", "): no such thing"},
        {"RASK_ETASK", "): not quite"},
        {"RASK_EIO", "): input or output failed"},
        {"RASK_ETASK", "): a task failed"},
        {"RASK_EIO", "): the first"},
        {"RASK_EIO", "): latched"},
        {"RASK_EIO", "): latched, and forgotten"},
        {"RASK_ETASK", "returned RASK_ETASK (a task failed)"},
        {"RASK_ETASK", "returned a NULL string"},
        {"RASK_EINVAL", "returned 5 bytes at NULL"},
        {"RASK_EINVAL", "returned what is no value"},
        {"RASK_EINVAL", "returned what is no value"},
        {"RASK_EIO", "): 100%s %n %d"},
        {"RASK_EIO", "): mmmm"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        expect_failure(rask_delayed(g, misbehave, (int64_t)i), cases[i].code, cases[i].message);
}

Test(failure, is_cut_at_its_longest)
{
    outcome(rask_delayed(g, misbehave, 99));
    const char *message = strstr(rask_graph_error(g), "mmm");
    cr_expect_eq(strspn(message, "m"), RK_MAX_MESSAGE);
}

Test(failure, names_task_label_place_and_who_needed_it)
{
    const int line = __LINE__ + 1;
    rask_node *bad = rask_set_label(rask_delayed(g, misbehave, 3), "the culprit");
    rask_node *needs = rask_delayed(g, twice_i, rask_delayed(g, same_v, bad));
    char place[300];
    snprintf(place, sizeof place, "task misbehave (node 0, the culprit, %s:%d): no such thing", __FILE__,
             line);
    expect_failure(needs, "RASK_ENOENT", place);
    expect_failure(needs, "RASK_ENOENT", "; needed by same_v < twice_i");
}

/* Results. */

static int last_result_counts(rask_task *t)
{
    rask_value list, item = rask_value_i64(1);
    rask_return_str(t, "replaced");
    rask_return_i64(t, 1);
    rask_return_bytes(t, "replaced", 8);
    rask_return_f64(t, 1);
    if (rask_value_list_new(&item, 1, &list))
        return rask_fail(t, RASK_ENOMEM, NULL);
    rask_return_value(t, list);
    rask_return_none(t);
    rask_return_list(t, &item, 1);
    return rask_return_bool(t, true);
}
RASK_SLOTS(last_result_counts);

Test(result, is_the_last_one_returned)
{
    cr_expect_str_eq(outcome(rask_delayed(g, last_result_counts)), "true");
}

static int destroyed;

static void count_destroy(void *data)
{
    destroyed++;
    free(data);
}
static size_t print_number(const void *data, char *buffer, size_t capacity)
{
    return (size_t)snprintf(buffer, capacity, "#%d", *(const int *)data);
}
static const rask_class number_class = {.name = "number", .destroy = count_destroy, .print = print_number},
                        nameless_class = {.destroy = count_destroy};

static int make_number(rask_task *t)
{
    int *number = malloc(sizeof *number);
    *number = (int)rask_arg_i64(t, 0);
    return rask_return_custom(t, *number < 0 ? &nameless_class : &number_class, number);
}
static int pack(rask_task *t)
{
    rask_value items[8];
    for (size_t i = 0; i < rask_arg_count(t); i++)
        items[i] = *rask_arg_value(t, i);
    return rask_return_list(t, items, rask_arg_count(t));
}
RASK_SLOTS(make_number);
RASK_SLOTS(pack);

Test(result, may_be_a_list_of_anything)
{
    rask_node *number = rask_delayed(g, make_number, 7);
    rask_node *inner = rask_delayed(g, pack, number, "text"),
              *outer = rask_delayed(g, pack, inner, number, inner, 1);
    cr_expect_str_eq(outcome(outer), "[[#7, \"text\"], #7, [#7, \"text\"], 1]");
    cr_expect_str_eq(outcome(rask_delayed(g, pack)), "[]");
    cr_expect_eq(destroyed, 1);
}

Test(result, of_a_class_that_is_none_is_destroyed_and_a_failure)
{
    expect_failure(rask_delayed(g, make_number, -1), "RASK_EINVAL", "returned what is no value");
    cr_expect_eq(destroyed, 1);
}

/* Identity. */

typedef void anything(void);

static rk_identity identity_of(anything *function)
{
    rk_identity identity;
    cr_expect_eq(rk_identity_of(function, &identity), RASK_OK);
    return identity;
}

static bool same_module(rk_identity a, rk_identity b)
{
    return !memcmp(a.module, b.module, sizeof a.module);
}

static anything *symbol(const char *name)
{
    void *address = dlsym(RTLD_DEFAULT, name);
    anything *function;
    cr_assert_not_null(address);
    memcpy(&function, &address, sizeof function);
    return function;
}

Test(identity, is_equal_for_the_same_function_and_differs_for_others)
{
    anything *functions[] = {(anything *)of1,        (anything *)of2,       (anything *)rask_graph_new,
                             symbol("XXH3_128bits"), symbol("XXH3_64bits"), symbol("getpid"),
                             symbol("getppid")};
    for (size_t i = 0; i < COUNT(functions); i++)
        for (size_t k = 0; k < COUNT(functions); k++) {
            rk_identity a = identity_of(functions[i]), b = identity_of(functions[k]);
            cr_expect_eq(same_module(a, b) && a.offset == b.offset, i == k, "functions %zu and %zu", i, k);
        }
}

Test(identity, has_one_module_for_each_shared_object)
{
    rk_identity here = identity_of((anything *)of1), hash = identity_of(symbol("XXH3_64bits")),
                libc = identity_of(symbol("getpid"));
    cr_expect(same_module(here, identity_of((anything *)of8)));
    cr_expect(same_module(hash, identity_of(symbol("XXH3_128bits"))));
    cr_expect(same_module(libc, identity_of(symbol("getppid"))));
    cr_expect_not(same_module(here, hash));
    cr_expect_not(same_module(hash, libc));
    cr_expect_not(same_module(here, libc));
    cr_expect_lt(here.offset, (uint64_t)1 << 32, "an offset, not an address");
}

Test(identity, of_a_function_made_at_run_time_is_its_address)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    anything *made;
    rk_identity identity;
    memcpy(&made, &page, sizeof made);
    cr_expect_eq(rk_identity_of(made, &identity), RASK_ENOENT);
    cr_expect_eq(identity.offset, (uintptr_t)page);
    for (size_t i = 0; i < sizeof identity.module; i++)
        cr_expect_eq(identity.module[i], 0);
    munmap(page, 4096);
}

static void look(void)
{
    identity_of((anything *)of1);
}

static bool looks(void)
{
    look();
    return true;
}

Test(identity, is_there_in_a_child_that_was_forked_while_others_looked)
{
    fork_amid(look, looks);
}
