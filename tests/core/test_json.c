/* Graphs as JSON: round trips, hostile input, size. Texts are written with ' for " to keep them readable. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <math.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MANY = 100000 };
#else
enum { MANY = 1000000 };
#endif

static int64_t inc(int64_t i)
{
    return i + 1;
}
static double half(double x)
{
    return x / 2;
}
static const char *greet(const char *name)
{
    return name;
}
RASK_TASK(inc, i64, i64);
RASK_TASK(half, f64, f64);
RASK_TASK(greet, str, str);

/* Any arguments, as a list. */
static int gather(rask_task *t)
{
    size_t count = rask_arg_count(t);
    rask_value *values = malloc((count + 1) * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = *rask_arg_value(t, i);
    int status = rask_return_list(t, values, count);
    free(values);
    return status;
}
RASK_SLOTS(gather);

static rask_registry *functions(void)
{
    const rask_task_def *defs[] = {RASK_DEF(inc), RASK_DEF(half), RASK_DEF(greet), RASK_DEF(gather)};
    rask_registry *registry = rask_registry_new();
    for (size_t i = 0; i < sizeof defs / sizeof *defs; i++)
        cr_assert_eq(rask_registry_add(registry, defs[i]), RASK_OK);
    return registry;
}

static char *quoted(const char *text)
{
    char *copy = strdup(text);
    for (char *s = copy; *s; s++)
        *s = *s == '\'' ? '"' : *s;
    return copy;
}

/* What reading a text came to. */
typedef struct reading {
    rask_registry *registry;
    rask_graph *graph;
    rask_node **targets;
    size_t count;
    int status;
    char error[1000];
} reading;

static reading read_bytes(const char *text, size_t len, bool stubs)
{
    reading r = {.registry = functions()};
    char *exact = malloc(len + 1); /* so that ASan sees a step over the end */
    memcpy(exact, text, len);
    exact = realloc(exact, len ? len : 1);
    r.status = rask_graph_from_json(r.registry, exact, len, stubs, &r.graph, &r.targets, &r.count, r.error,
                                    sizeof r.error);
    free(exact);
    return r;
}

static reading read_text(const char *text)
{
    char *json = quoted(text);
    reading r = read_bytes(json, strlen(json), false);
    free(json);
    return r;
}

static reading read_well(const char *text)
{
    reading r = read_text(text);
    cr_assert_eq(r.status, RASK_OK, "%s: %s", text, r.error);
    return r;
}

static void reading_end(reading *r)
{
    rask_graph_free(r->graph);
    rask_registry_free(r->registry);
}

static char *write_well(rask_node *const *targets, size_t count, size_t *len)
{
    char *text = NULL;
    int status = rask_graph_to_json(targets, count, &text, len);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(rask_node_graph(targets[0])));
    cr_assert_eq(strlen(text), *len);
    return text;
}

/* Writes, reads and writes again: the same bytes, and the same values when both graphs are computed. */
static void round_trip(rask_node *const *targets, size_t count)
{
    size_t len, again;
    char *first = write_well(targets, count, &len);
    reading r = read_bytes(first, len, false);
    cr_assert_eq(r.status, RASK_OK, "%s\n%s", r.error, first);
    cr_assert_eq(r.count, count);
    char *second = write_well(r.targets, r.count, &again);
    cr_expect_str_eq(first, second);
    for (size_t i = 0; i < count; i++) {
        rask_value before, after;
        cr_assert_eq(rask_compute_value(targets[i], NULL, &before), RASK_OK);
        cr_assert_eq(rask_compute_value(r.targets[i], NULL, &after), RASK_OK, "%s",
                     rask_graph_error(r.graph));
        cr_expect(rask_value_equal(&before, &after), "target %zu of %s", i, first);
        rask_value_unref(&before);
        rask_value_unref(&after);
    }
    rask_json_free(first);
    rask_json_free(second);
    reading_end(&r);
}

/* The constant that stands in text, out of the graph that says it. */
static rask_value constant_of(const char *literal)
{
    char text[400];
    snprintf(text, sizeof text, "{'rask':1,'nodes':{'a':{'const':%s}}}", literal);
    reading r = read_well(text);
    rask_value value;
    cr_assert_eq(rask_compute_value(r.targets[0], NULL, &value), RASK_OK);
    reading_end(&r);
    return value;
}

static double f64_of_bits(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

Test(json, integers_survive_exactly)
{
    rask_graph *g = rask_graph_new();
    const int64_t numbers[] = {0,
                               -1,
                               INT64_MAX,
                               INT64_MIN,
                               INT64_MIN + 1,
                               (1ll << 53) - 1,
                               1ll << 53,
                               (1ll << 53) + 1,
                               -(1ll << 53) + 1,
                               -(1ll << 53),
                               -(1ll << 53) - 1,
                               1234567890123456789};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    rask_node *nodes[COUNT];
    for (int i = 0; i < COUNT; i++)
        nodes[i] = rask_const(g, (int64_t)numbers[i]);
    round_trip(nodes, COUNT);
    rask_graph_free(g);
}

Test(json, floats_survive_bit_by_bit)
{
    rask_graph *g = rask_graph_new();
    const double numbers[] = {0.0,
                              -0.0,
                              1.0,
                              0.1,
                              -2.5,
                              1.0 / 3,
                              1e300,
                              1e-300,
                              5e-324,
                              2.2250738585072014e-308,
                              1.7976931348623157e308,
                              9007199254740993.0,
                              0.30000000000000004,
                              INFINITY,
                              -INFINITY,
                              f64_of_bits(0x7ff8000000000000),
                              f64_of_bits(0xfff8000000000000),
                              f64_of_bits(0x7ff0000000000001)};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    rask_node *nodes[COUNT];
    for (int i = 0; i < COUNT; i++)
        nodes[i] = rask_const(g, numbers[i]);
    round_trip(nodes, COUNT);
    rask_graph_free(g);
}

Test(json, bytes_survive_with_nuls_and_without_utf8)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[300];
    char data[300];
    for (int i = 0; i < 300; i++) {
        data[i] = (char)(i * 7);
        nodes[i] = rask_const(g, ((rask_bytes){data + i / 2, (size_t)i / 3}));
    }
    round_trip(nodes, 300);
    rask_graph_free(g);
}

Test(json, text_survives_with_every_kind_of_character)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[] = {
        rask_const(g, ""),      rask_const(g, "plain"), rask_const(g, "\"\\/\b\f\n\r\t\x01\x1f\x7f"),
        rask_const(g, "Ærø €"), rask_const(g, "𝄞😀"),    rask_const(g, "cut \xc3"),
        rask_const(g, true),    rask_const(g, false),
    };
    round_trip(nodes, sizeof nodes / sizeof *nodes);
    rask_graph_free(g);
}

Test(json, nested_lists_survive)
{
    const char *literals[] = {"[]", "[[]]", "[[],[1,[2.5,null]],[[['x']]],true]",
                              "[{'f64':1},{'i64':'-5'},{'bytes':'AAE='}]"};
    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{'rask':1,'nodes':{'a':{'const':%s},'b':{'call':'gather','args':[%s,%s]}}}", literals[i],
                 literals[i], literals[i]);
        reading r = read_well(text);
        cr_assert_eq(r.count, 2);
        round_trip(r.targets, r.count);
        reading_end(&r);
    }
}

Test(json, attributes_and_labels_survive)
{
    rask_graph *g = rask_graph_new();
    rask_node *a = rask_input(g, 5);
    rask_node *b = rask_set_label(rask_delayed(g, inc, a), "two\nlines \"quoted\" \\ and Ærø 😀");
    rask_node *c = rask_set_priority(rask_delayed(g, inc, b), INT32_MIN);
    rask_set_retries(c, UINT32_MAX);
    rask_set_timeout(c, 0.1);
    rask_set_result_bytes(c, 1 << 20);
    rask_set_backoff(b, 0.25);
    rask_set_tags(b, "gpu: 2,\"odd\" name");
    rask_set_tags(c, "");
    rask_node *d = rask_set_timeout(rask_delayed(g, half, c), INFINITY);
    rask_set_label(a, "the input");
    setenv("RASK_LIMITS", "gpu=2,\"odd\" name=1", 1);
    round_trip(&d, 1);
    rask_graph_free(g);
}

Test(json, a_label_that_is_not_utf8_is_written_with_question_marks)
{
    rask_graph *g = rask_graph_new();
    char *label = malloc(RASK_MAX_LABEL + 100);
    memset(label, '\xe2', RASK_MAX_LABEL + 99);
    label[RASK_MAX_LABEL + 99] = '\0';
    rask_node *nodes[] = {rask_set_label(rask_const(g, 1), "a\xff\xe2\x82"),
                          rask_set_label(rask_const(g, 2), label)};
    round_trip(nodes, 2);
    size_t len;
    char *text = write_well(nodes, 1, &len);
    cr_expect(strstr(text, "\"a???\""), "%s", text);
    rask_json_free(text);
    free(label);
    rask_graph_free(g);
}

Test(json, a_label_over_the_limit_is_refused)
{
    char *text = malloc(RASK_MAX_LABEL + 100);
    int used = sprintf(text, "{'rask':1,'nodes':{'a':{'const':1,'label':'");
    memset(text + used, 'x', RASK_MAX_LABEL + 1);
    strcpy(text + used + RASK_MAX_LABEL + 1, "'}}}");
    reading r = read_text(text);
    cr_expect_eq(r.status, RASK_ELIMIT);
    cr_expect(strstr(r.error, "nodes.a.label: is longer than 65536 bytes"), "%s", r.error);
    reading_end(&r);
    free(text);
}

Test(json, every_kind_of_node_survives)
{
    rask_graph *g = rask_graph_new();
    rask_node *none_of_it = rask_delayed(g, inc, 1);
    rask_node *parts[3] = {rask_delayed(g, inc, 1), rask_const(g, 2), rask_input(g, 3)}, *outs[2];
    rask_node *list = rask_list(g, parts, 3);
    const rask_arg args[] = {RASK_ARG(list), RASK_ARG("x")};
    rask_call_outputs(g, RASK_DEF(gather), args, 2, outs, 2);
    rask_node *targets[] = {rask_sum(list), rask_item(outs[0], 1), outs[1], rask_delayed(g, gather),
                            rask_list(g, NULL, 0)};
    rask_after(targets[3], parts, 3);
    rask_after(targets[3], outs, 2);
    cr_assert(none_of_it);
    cr_assert_eq(rask_graph_status(g), RASK_OK, "%s", rask_graph_error(g));
    round_trip(targets, 5);
    rask_graph_free(g);
}

Test(json, only_what_the_targets_need_is_written)
{
    rask_graph *g = rask_graph_new();
    rask_node *a = rask_delayed(g, inc, 1);
    rask_delayed(g, inc, 77);
    rask_node *b = rask_delayed(g, inc, a);
    rask_delayed(g, inc, b);
    size_t len;
    char *text = write_well(&b, 1, &len),
         *expected = quoted("{\n"
                            "  'rask': 1,\n"
                            "  'nodes': {\n"
                            "    'n0': {'call': 'inc', 'args': [1]},\n"
                            "    'n1': {'call': 'inc', 'args': [{'node': 'n0'}]}\n"
                            "  },\n"
                            "  'targets': ['n1']\n"
                            "}\n");
    cr_expect_str_eq(text, expected);
    rask_json_free(text);
    free(expected);
    rask_graph_free(g);
}

Test(json, keys_may_stand_in_any_order)
{
    reading r = read_well(
        "{'targets':['c','a','c'],'nodes':{'c':{'after':['d'],'args':[{'node':'b'}],'call':'inc'},"
        "'b':{'call':'inc','args':[{'node':'a'}]},'d':{'list':['a','b']},'a':{'const':40}},'rask':1}");
    int64_t answer;
    cr_assert_eq(r.count, 3);
    cr_assert_eq(rask_compute(r.targets[0], &answer), RASK_OK);
    cr_expect_eq(answer, 42);
    cr_expect_eq(r.targets[0], r.targets[2]);
    round_trip(r.targets, r.count);
    reading_end(&r);
}

Test(json, without_targets_the_last_nodes_are_meant)
{
    reading r = read_well("{'rask':1,'nodes':{'a':{'const':1},'b':{'call':'inc','args':[{'node':'a'}]},"
                          "'c':{'call':'gather','after':['a']},'d':{'const':2}}}");
    cr_assert_eq(r.count, 3);
    cr_expect_str_eq(rask_node_name(r.targets[0]), "inc");
    cr_expect_str_eq(rask_node_name(r.targets[1]), "gather");
    cr_expect_str_eq(rask_node_name(r.targets[2]), "const");
    reading_end(&r);
}

Test(json, plain_numbers_are_integers_when_whole)
{
    const struct {
        const char *literal;
        uint32_t type;
        double number;
    } cases[] = {{"0", RASK_I64, 0},
                 {"-7", RASK_I64, -7},
                 {"1.0", RASK_I64, 1},
                 {"2e3", RASK_I64, 2000},
                 {"0.5", RASK_F64, 0.5},
                 {"-1e-3", RASK_F64, -0.001},
                 {"{'f64':3}", RASK_F64, 3},
                 {"{'i64':'-007'}", RASK_I64, -7},
                 {"{'f64':'-inf'}", RASK_F64, -INFINITY}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rask_value value = constant_of(cases[i].literal);
        double number;
        cr_expect_eq(value.type, cases[i].type, "%s", cases[i].literal);
        cr_expect_eq(rask_value_get_f64(&value, &number), RASK_OK);
        cr_expect_eq(number, cases[i].number, "%s", cases[i].literal);
    }
}

Test(json, keys_are_compared_by_what_they_mean)
{
    reading r = read_well(
        "{'rask':1,'nodes':{'\\u0061b\\n':{'const':1},'':{'call':'inc','args':[{'node':'ab\\u000a'}]}},"
        "'targets':['']}");
    cr_expect_eq(r.count, 1);
    reading_end(&r);
}

Test(json, unknown_functions_become_stubs_that_fail_when_they_run)
{
    char *text = quoted(
        "{'rask':1,'nodes':{'a':{'call':'fetch','args':['x']},'b':{'call':'fetch','args':[{'node':'a'},2]},"
        "'c':{'call':'parse','args':[{'node':'b'}]}}}");
    reading r = read_bytes(text, strlen(text), true);
    cr_assert_eq(r.status, RASK_OK, "%s", r.error);
    free(text);
    cr_assert_eq(r.count, 1);
    cr_expect_str_eq(rask_node_name(r.targets[0]), "parse");
    rask_value value;
    cr_expect_eq(rask_compute_value(r.targets[0], NULL, &value), RASK_ENOENT);
    cr_expect(strstr(rask_graph_error(r.graph), "no function named fetch is registered"), "%s",
              rask_graph_error(r.graph));
    reading_end(&r);
}

#define DOC(nodes) "{'rask':1,'nodes':{" nodes "}}"
#define ARG(value) DOC("'a':{'call':'gather','args':[" value "]}")

static const struct {
    const char *text;
    int status;
    const char *message;
} malformed[] = {
    /* no JSON */
    {"", RASK_EFORMAT, "1:1: the text ends too early"},
    {"   \n ", RASK_EFORMAT, "2:2: the text ends too early"},
    {"[]", RASK_EFORMAT, "1:1: '{' is missing"},
    {"\xef\xbb\xbf{}", RASK_EFORMAT, "1:1: '{' is missing"},
    {"{'rask':1,}", RASK_EFORMAT, "1:11: a key in quotes is missing"},
    {"{'rask':1 'nodes':{}}", RASK_EFORMAT, "1:11: ',' or '}' is missing"},
    {"{'rask' 1}", RASK_EFORMAT, "1:9: ':' is missing"},
    {"{rask:1}", RASK_EFORMAT, "1:2: a key in quotes is missing"},
    {"{'rask':1,\n 'nodes':{'a':{'const':}}}", RASK_EFORMAT, "2:24: a value is missing"},
    {DOC("'a':{'const':1}") "x", RASK_EFORMAT, "1:37: something follows"},
    {DOC("'a':{'const':1}") "{}", RASK_EFORMAT, "something follows"},
    {ARG("1,"), RASK_EFORMAT, "a value is missing"},
    {ARG("1 2"), RASK_EFORMAT, "',' or ']' is missing"},
    {ARG("1}"), RASK_EFORMAT, "',' or ']' is missing"},
    {ARG("True"), RASK_EFORMAT, "a value is missing"},
    {ARG("nul"), RASK_EFORMAT, "a value is missing"},
    {ARG("NaN"), RASK_EFORMAT, "a value is missing"},
    {ARG("/* */1"), RASK_EFORMAT, "a value is missing"},
    {ARG("01"), RASK_EFORMAT, "',' or ']' is missing"},
    {ARG("+1"), RASK_EFORMAT, "a value is missing"},
    {ARG(".5"), RASK_EFORMAT, "a value is missing"},
    {ARG("1."), RASK_EFORMAT, "a digit is missing"},
    {ARG("1e"), RASK_EFORMAT, "a digit is missing"},
    {ARG("-"), RASK_EFORMAT, "a digit is missing"},
    {ARG("0x10"), RASK_EFORMAT, "',' or ']' is missing"},
    {ARG("1111111111111111111111111111111111111111111111111111111111111111"), RASK_ELIMIT, "more than 63"},
    {ARG("'a\nb'"), RASK_EFORMAT, "a control character"},
    {ARG("'\\x'"), RASK_EFORMAT, "an unknown escape"},
    {ARG("'\\u12g4'"), RASK_EFORMAT, "four hexadecimal digits"},
    {ARG("'\\u0000'"), RASK_EFORMAT, "base64"},
    {ARG("'\\ud800'"), RASK_EFORMAT, "surrogate"},
    {ARG("'\\udc00\\ud800'"), RASK_EFORMAT, "surrogate"},
    {ARG("'\\ud800\\u0041'"), RASK_EFORMAT, "surrogate"},
    {ARG("'\xc3('"), RASK_EFORMAT, "invalid UTF-8"},
    {ARG("'\xc0\xaf'"), RASK_EFORMAT, "invalid UTF-8"},
    {ARG("'\xed\xa0\x80'"), RASK_EFORMAT, "invalid UTF-8"},
    {ARG("'\xf4\x90\x80\x80'"), RASK_EFORMAT, "invalid UTF-8"},
    {ARG("'\xff'"), RASK_EFORMAT, "invalid UTF-8"},
    /* no document */
    {"{}", RASK_EFORMAT, "the version of the format is missing"},
    {"{'rask':'1','nodes':{}}", RASK_ETYPE, "the version of the format is a number"},
    {"{'rask':1.5,'nodes':{}}", RASK_ETYPE, "the version of the format is a number"},
    {"{'rask':2,'nodes':[],'more':1}", RASK_EFORMAT, "version 2, only version 1 is read"},
    {"{'rask':1}", RASK_EFORMAT, "nodes: missing"},
    {"{'rask':1,'nodes':[]}", RASK_ETYPE, "nodes: is not an object"},
    {"{'rask':1,'nodes':{}}", RASK_EFORMAT, "nodes: there is none"},
    {"{'rask':1,'nodes':{},'more':1}", RASK_EFORMAT, "1:22: unknown field \"more\""},
    {"{'rask':1,'nodes':{},'nodes':{}}", RASK_EEXIST, "\"nodes\" is given twice"},
    {"{'rask':1,'nodes':{'a':{'const':1}},'targets':'a'}", RASK_ETYPE, "targets: is not an array"},
    {"{'rask':1,'nodes':{'a':{'const':1}},'targets':[]}", RASK_EFORMAT, "targets: there is none"},
    {"{'rask':1,'nodes':{'a':{'const':1}},'targets':['a',1]}", RASK_ETYPE, "targets[1]: is not the key"},
    {"{'rask':1,'nodes':{'a':{'const':1}},'targets':['b']}", RASK_ENOENT, "targets[0]: no node named \"b\""},
    /* no node */
    {DOC("'a':1"), RASK_ETYPE, "1:24: nodes.a: is not an object"},
    {DOC("'a':{'const':1},'a':{'const':2}"), RASK_EEXIST, "1:40: nodes.a: the key is given twice"},
    {DOC("'a':{'const':1},'\\u0061':{'const':2}"), RASK_EEXIST, "nodes.a: the key is given twice"},
    {DOC("'a b\\n':{}"), RASK_EFORMAT, "nodes[\"a b?\"]: one of"},
    {DOC("'a':{}"), RASK_EFORMAT, "nodes.a: one of \"call\", \"const\""},
    {DOC("'a':{'args':[]}"), RASK_EFORMAT, "nodes.a: one of"},
    {DOC("'a':{'const':1,'call':'inc'}"), RASK_EFORMAT, "has both \"call\" and \"const\""},
    {DOC("'a':{'const':1,'const':1}"), RASK_EEXIST, "nodes.a.const: given twice"},
    {DOC("'a':{'const':1,'colour':'red'}"), RASK_EFORMAT, "nodes.a: unknown field \"colour\""},
    {DOC("'a':{'const':1,'Label':'red'}"), RASK_EFORMAT, "nodes.a: unknown field \"Label\""},
    {DOC("'a':{'const':1,'args':[]}"), RASK_EFORMAT, "nodes.a.args: does not go with \"const\""},
    {DOC("'b':{'const':1},'a':{'const':1,'after':['b']}"), RASK_EFORMAT, "nodes.a.after: does not go with"},
    {DOC("'a':{'list':[],'of':'a'}"), RASK_EFORMAT, "nodes.a.of: does not go with \"list\""},
    {DOC("'a':{'item':1}"), RASK_EFORMAT, "nodes.a: \"of\" is missing"},
    {DOC("'b':{'list':[]},'a':{'item':-1,'of':'b'}"), RASK_ERANGE, "nodes.a.item: is not a whole number"},
    {DOC("'b':{'list':[]},'a':{'item':0.5,'of':'b'}"), RASK_ERANGE, "nodes.a.item: is not a whole number"},
    {DOC("'a':{'call':1}"), RASK_ETYPE, "nodes.a.call: is not a string"},
    {DOC("'a':{'call':''}"), RASK_EFORMAT, "nodes.a.call: a function has a name"},
    {DOC("'a':{'call':'evil'}"), RASK_ENOENT, "nodes.a.call: no function named \"evil\" is registered"},
    {DOC("'a':{'call':'inc','args':{}}"), RASK_ETYPE, "nodes.a.args: is not an array"},
    {DOC("'a':{'call':'inc'}"), RASK_EINVAL, "nodes.a: inc: takes 1 argument"},
    {DOC("'a':{'call':'inc','args':[1,2]}"), RASK_EINVAL, "nodes.a: inc: takes 1 argument"},
    {DOC("'a':{'call':'inc','args':['x']}"), RASK_ETYPE, "nodes.a: inc: argument 0 is bytes, not i64"},
    {DOC("'a':{'call':'inc','args':[{'node':'b'}]},'b':{'const':'x'}"), RASK_ETYPE,
     "argument 0 is bytes, not i64"},
    {DOC("'a':{'list':['b',1]},'b':{'const':1}"), RASK_ETYPE, "nodes.a.list[1]: is not the key of a node"},
    {DOC("'a':{'list':['b']}"), RASK_ENOENT, "nodes.a.list[0]: no node named \"b\""},
    {DOC("'a':{'call':'gather','after':['x\\ny']}"), RASK_ENOENT, "nodes.a.after[0]: no node named \"x?y\""},
    {DOC("'a':{'const':1,'label':1}"), RASK_ETYPE, "nodes.a.label: is not a string"},
    {DOC("'a':{'const':1,'priority':2147483648}"), RASK_ERANGE, "nodes.a.priority: is not a whole number"},
    {DOC("'a':{'const':1,'retries':-1}"), RASK_ERANGE, "nodes.a.retries: is not a whole number"},
    {DOC("'a':{'const':1,'retries':1e99}"), RASK_ERANGE, "nodes.a.retries: is not a whole number"},
    {DOC("'a':{'const':1,'result_bytes':0.5}"), RASK_ERANGE, "nodes.a.result_bytes: is not a whole number"},
    {DOC("'a':{'const':1,'timeout':-1}"), RASK_ERANGE, "nodes.a.timeout: is negative"},
    {DOC("'a':{'const':1,'timeout':{'f64':'nan'}}"), RASK_ERANGE,
     "nodes.a.timeout: is negative or no number"},
    {DOC("'a':{'const':1,'timeout':{'bytes':''}}"), RASK_ETYPE, "nodes.a.timeout: is not a number"},
    {DOC("'a':{'const':1,'timeout':null}"), RASK_ETYPE, "nodes.a.timeout: is not a number"},
    {DOC("'a':{'const':1,'backoff':-1}"), RASK_ERANGE, "nodes.a.backoff: is negative"},
    {DOC("'a':{'const':1,'backoff':'1'}"), RASK_ETYPE, "nodes.a.backoff: is not a number"},
    {DOC("'a':{'const':1,'tags':1}"), RASK_ETYPE, "nodes.a.tags: is not a string"},
    {DOC("'a':{'const':1,'tags':'gpu:'}"), RASK_EINVAL, "nodes.a.tags: is no list"},
    /* no constant */
    {ARG("1,{'node':'b'}"), RASK_ENOENT, "nodes.a.args[1]: no node named \"b\""},
    {ARG("{'node':1}"), RASK_ETYPE, "nodes.a.args[0]: is not the key of a node"},
    {ARG("{'node':'a','item':1}"), RASK_EFORMAT, "nodes.a.args[0]: \"node\" stands alone"},
    {ARG("0,[1,[2,{'node':'a'}]]"), RASK_ETYPE, "nodes.a.args[1][1][1]: a node cannot stand in a constant"},
    {DOC("'a':{'const':{'node':'a'}}"), RASK_ETYPE, "nodes.a.const: a node cannot stand in a constant"},
    {ARG("{}"), RASK_EFORMAT, "nodes.a.args[0]: an object here has one member"},
    {ARG("{'f32':1}"), RASK_EFORMAT, "an object here has one member"},
    {ARG("{'f64':1,'i64':'1'}"), RASK_EFORMAT, "an object here has one member"},
    {ARG("9007199254740992"), RASK_ERANGE, "nodes.a.args[0]: the number is too large to be exact"},
    {ARG("1e400"), RASK_ERANGE, "the number is too large to be exact"},
    {ARG("{'f64':1e400}"), RASK_ERANGE, "the number is too large for an f64"},
    {ARG("{'f64':'NaN'}"), RASK_EFORMAT, "\"f64\" takes a number"},
    {ARG("{'f64':'0x123'}"), RASK_EFORMAT, "\"f64\" takes a number"},
    {ARG("{'f64':null}"), RASK_ETYPE, "\"f64\" takes a number"},
    {ARG("{'i64':1}"), RASK_ETYPE, "\"i64\" takes a string"},
    {ARG("{'i64':''}"), RASK_EFORMAT, "\"i64\" takes a string"},
    {ARG("{'i64':' 1'}"), RASK_EFORMAT, "\"i64\" takes a string"},
    {ARG("{'i64':'9223372036854775808'}"), RASK_ERANGE, "does not fit into 64 bits"},
    {ARG("{'bytes':1}"), RASK_ETYPE, "\"bytes\" takes"},
    {ARG("{'bytes':'AAA'}"), RASK_EFORMAT, "\"bytes\" takes base64"},
    {ARG("{'bytes':'AA=A'}"), RASK_EFORMAT, "\"bytes\" takes base64"},
    {ARG("{'bytes':'AAB='}"), RASK_EFORMAT, "\"bytes\" takes base64"},
    {ARG("{'bytes':'===='}"), RASK_EFORMAT, "\"bytes\" takes base64"},
    {ARG("{'bytes':'AA==AAAA'}"), RASK_EFORMAT, "\"bytes\" takes base64"},
};

Test(json, malformed_input_is_an_error_that_tells_what_and_where)
{
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        reading r = read_text(malformed[i].text);
        cr_expect_eq(r.status, malformed[i].status, "%s: %s %s", malformed[i].text,
                     rask_status_name(r.status), r.error);
        cr_expect(strstr(r.error, malformed[i].message), "%s: \"%s\", not \"%s\"", malformed[i].text, r.error,
                  malformed[i].message);
        cr_expect_null(r.graph);
        reading_end(&r);
    }
}

Test(json, a_nul_byte_is_no_white_space)
{
    const char text[] = "{\"rask\":1,\0\"nodes\":{\"a\":{\"const\":\"b\0\"}}}";
    reading r = read_bytes(text, sizeof text - 1, false);
    cr_expect_eq(r.status, RASK_EFORMAT);
    cr_expect_str_eq(r.error, "1:11: a key in quotes is missing");
    reading_end(&r);
}

Test(json, every_cut_of_a_document_is_an_error)
{
    char *text =
        quoted("{'rask':1,'nodes':{'a':{'const':[1,{'f64':'nan'},'\\ud83d\\ude00 \xc3\x86']},"
               "'\\u0062':{'call':'inc','args':[-1.5e+3],'after':['a'],'label':'x','timeout':0.25},"
               "'c':{'input':null},'d':{'list':['a','b']},'e':{'item':0,'of':'d'}},'targets':['e','c']}");
    size_t len = strlen(text);
    for (size_t cut = 0; cut < len; cut++) {
        reading r = read_bytes(text, cut, true);
        cr_expect_eq(r.status, RASK_EFORMAT, "cut at %zu: %s", cut, r.error);
        reading_end(&r);
    }
    free(text);
}

Test(json, a_changed_byte_never_crashes)
{
    char *text =
        quoted("{'rask':1,'nodes':{'a':{'const':[1,{'f64':'nan'},'\\ud83d\\ude00',{'bytes':'AAE='}]},"
               "'\\u0062':{'call':'inc','args':[{'i64':'5'}],'after':['a']}},'targets':['b']}");
    const char others[] = "\"\\{}[]:,0-.e \xff\x80n\0";
    for (size_t i = 0; text[i]; i++) {
        for (size_t k = 0; k < sizeof others; k++) {
            char kept = text[i];
            text[i] = others[k];
            reading r = read_bytes(text, strlen(text) + (others[k] == 0), true);
            cr_expect_eq(r.status == RASK_OK, r.graph != NULL);
            reading_end(&r);
            text[i] = kept;
        }
    }
    free(text);
}

/* A constant within so many lists: the document is three levels deeper. */
static reading read_nested(int lists)
{
    char text[300] = "{'rask':1,'nodes':{'a':{'const':";
    for (int i = 0; i < lists; i++)
        strcat(text, "[");
    for (int i = 0; i < lists; i++)
        strcat(text, "]");
    return read_text(strcat(text, "}}}"));
}

Test(json, sixty_four_levels_are_read_and_one_more_is_refused)
{
    reading r = read_nested(61);
    cr_assert_eq(r.status, RASK_OK, "%s", r.error);
    round_trip(r.targets, 1);
    reading_end(&r);
    r = read_nested(62);
    cr_expect_eq(r.status, RASK_ELIMIT);
    cr_expect(strstr(r.error, "nested more than 64 deep"), "%s", r.error);
    reading_end(&r);
}

Test(json, a_text_over_the_limit_is_not_even_looked_at)
{
    reading r = {0};
    cr_expect_eq(rask_graph_from_json(NULL, "{", ((size_t)1 << 30) + 1, false, &r.graph, &r.targets, &r.count,
                                      r.error, sizeof r.error),
                 RASK_ELIMIT);
    cr_expect(strstr(r.error, "1073741824"), "%s", r.error);
}

Test(json, missing_pointers_are_errors)
{
    rask_graph *graph;
    rask_node **targets;
    size_t count, len;
    char *text;
    cr_expect_eq(rask_graph_from_json(NULL, NULL, 1, false, &graph, &targets, &count, NULL, 0), RASK_EINVAL);
    cr_expect_eq(rask_graph_from_json(NULL, "{}", 2, false, NULL, &targets, &count, NULL, 0), RASK_EINVAL);
    cr_expect_eq(rask_graph_from_json(NULL, "{}", 2, false, &graph, NULL, &count, NULL, 0), RASK_EINVAL);
    cr_expect_eq(rask_graph_from_json(NULL, NULL, 0, false, &graph, &targets, &count, NULL, 0), RASK_EFORMAT);
    cr_expect_eq(rask_graph_to_json(NULL, 1, &text, &len), RASK_EINVAL);
    graph = rask_graph_new();
    rask_node *node = rask_const(graph, 1), *missing = NULL;
    cr_expect_eq(rask_graph_to_json(&missing, 1, &text, &len), RASK_EGRAPH);
    cr_expect_eq(rask_graph_to_json(&node, 1, NULL, &len), RASK_EINVAL);
    cr_expect_eq(rask_graph_to_json(&node, 0, &text, &len), RASK_EINVAL);
    rask_graph_free(graph);
}

/* A cycle of count nodes that stands behind count others in the text. */
static char *cycle_text(int count)
{
    size_t used = 0, capacity = (size_t)count * 100 + 200;
    char *text = malloc(capacity);
    used += (size_t)snprintf(text, capacity, "{'rask':1,'nodes':{'start':{'list':['k0']}");
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, capacity - used,
                                 ",'k%d':{'call':'inc','args':[{'node':'k%d'}]}", i, (i + 1) % count);
    snprintf(text + used, capacity - used, "}}");
    return text;
}

Test(json, cycles_are_told_with_their_way)
{
    const struct {
        int count;
        const char *way;
    } cases[] = {
        {1, ": k0 -> k0"},
        {2, ": k0 -> k1 -> k0"},
        {8, ": k0 -> k1 -> k2 -> k3 -> k4 -> k5 -> k6 -> k7 -> k0"},
        {9, ": k0 -> k1 -> k2 -> k3 -> k4 -> k5 -> k6 -> (1 more) -> k8 -> k0"},
        {1000, ": k0 -> k1 -> k2 -> k3 -> k4 -> k5 -> k6 -> (992 more) -> k999 -> k0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = cycle_text(cases[i].count);
        reading r = read_text(text);
        cr_expect_eq(r.status, RASK_ECYCLE, "%s", r.error);
        cr_expect(strstr(r.error, cases[i].way), "%s, not %s", r.error, cases[i].way);
        reading_end(&r);
        free(text);
    }
}

Test(json, a_cycle_through_order_only_dependencies_is_one)
{
    reading r =
        read_text(DOC("'a':{'call':'gather','after':['b']},'b':{'list':['c']},'c':{'item':0,'of':'a'}"));
    cr_expect_eq(r.status, RASK_ECYCLE);
    cr_expect(strstr(r.error, "a -> b -> c -> a"), "%s", r.error);
    reading_end(&r);
}

Test(json, a_long_message_is_cut_to_the_room_there_is)
{
    char *text = quoted(DOC("'a':{'call':'evil'}"));
    for (size_t capacity = 0; capacity < 80; capacity++) {
        char error[100];
        memset(error, '#', sizeof error);
        reading r = {0};
        cr_expect_eq(rask_graph_from_json(NULL, text, strlen(text), false, &r.graph, &r.targets, &r.count,
                                          error, capacity),
                     RASK_ENOENT);
        cr_expect_eq(error[capacity], '#');
        cr_expect(!capacity || memchr(error, 0, capacity));
    }
    free(text);
}

static void destroy_nothing(void *data)
{
    (void)data;
}

Test(json, constants_that_json_cannot_hold_are_named)
{
    static const rask_class tree = {.name = "tree", .destroy = destroy_nothing};
    rask_graph *g = rask_graph_new();
    rask_value custom, block;
    rask_block layout;
    int64_t shape = 3;
    cr_assert_eq(rask_value_custom_new(&tree, NULL, &custom), RASK_OK);
    cr_assert_eq(rask_value_block_alloc(RASK_DT_F64, 1, &shape, &layout, &block), RASK_OK);
    rask_node *nodes[] = {rask_delayed(g, gather, 1, &custom), rask_const(g, &block)};
    const char *messages[] = {"node 0 (gather): JSON cannot hold a constant that is a custom tree",
                              "node 1 (const): JSON cannot hold a constant that is a block"};
    for (int i = 0; i < 2; i++) {
        char *text = NULL;
        size_t len;
        cr_expect_eq(rask_graph_to_json(&nodes[i], 1, &text, &len), RASK_EUNSUPPORTED);
        cr_expect(strstr(rask_graph_error(g), messages[i]), "%s", rask_graph_error(g));
        cr_expect_null(text);
    }
    rask_value_unref(&custom);
    rask_value_unref(&block);
    rask_graph_free(g);
}

Test(json, a_list_nested_deeper_than_can_be_read_is_not_written)
{
    rask_graph *g = rask_graph_new();
    rask_value list = rask_value_none();
    for (int i = 0; i < 62; i++) {
        rask_value outer;
        cr_assert_eq(rask_value_list_new(&list, 1, &outer), RASK_OK);
        rask_value_unref(&list);
        list = outer;
    }
    rask_node *node = rask_const(g, &list);
    char *text;
    size_t len;
    cr_expect_eq(rask_graph_to_json(&node, 1, &text, &len), RASK_ELIMIT);
    cr_expect(strstr(rask_graph_error(g), "nested deeper"), "%s", rask_graph_error(g));
    rask_value_unref(&list);
    rask_graph_free(g);
}

Test(json, registry_finds_what_was_added_and_refuses_doubles)
{
    rask_registry *registry = functions();
    cr_expect_eq(rask_registry_find(registry, "inc"), RASK_DEF(inc));
    const char *built_in[] = {"sum", "min", "max", "concat", "list", "item"};
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
        cr_expect_str_eq(rask_registry_find(registry, built_in[i])->name, built_in[i]);
    cr_expect_null(rask_registry_find(registry, "in"));
    cr_expect_null(rask_registry_find(NULL, "inc"));
    cr_expect_eq(rask_registry_add(registry, RASK_DEF(inc)), RASK_EEXIST);
    cr_expect_eq(rask_registry_add(registry, NULL), RASK_EINVAL);
    rask_task_def defs[1000];
    char names[1000][16];
    for (int i = 0; i < 1000; i++) {
        snprintf(names[i], sizeof names[i], "f%d", i);
        defs[i] = *RASK_DEF(inc);
        defs[i].name = names[i];
        cr_assert_eq(rask_registry_add(registry, &defs[i]), RASK_OK);
    }
    for (int i = 0; i < 1000; i++)
        cr_expect_eq(rask_registry_find(registry, names[i]), &defs[i]);
    rask_registry_free(registry);
}

/* Reads text, which has count nodes and one target. It takes about a second; a quadratic step would take hours. */
static void read_many(const char *text, size_t len, uint32_t count)
{
    reading r = read_bytes(text, len, false);
    cr_assert_eq(r.status, RASK_OK, "%s", r.error);
    cr_expect_eq(rask_graph_size(r.graph), count);
    cr_expect_eq(r.count, 1);
    reading_end(&r);
}

Test(json, a_million_nodes_in_a_chain_are_read)
{
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_const(g, 0);
    for (int i = 1; i < MANY; i++)
        node = rask_delayed(g, inc, node);
    size_t len;
    char *text = write_well(&node, 1, &len);
    rask_graph_free(g);
    read_many(text, len, MANY);
    rask_json_free(text);
}

Test(json, a_chain_in_the_wrong_order_is_read)
{
    size_t capacity = (size_t)MANY * 64, used = 0;
    char *text = malloc(capacity);
    used += (size_t)snprintf(text, capacity, "{\"rask\":1,\"nodes\":{");
    for (int i = MANY; i > 1; i--)
        used += (size_t)snprintf(text + used, capacity - used,
                                 "\"%d\":{\"call\":\"inc\",\"args\":[{\"node\":\"%d\"}]},", i, i - 1);
    used += (size_t)snprintf(text + used, capacity - used, "\"1\":{\"const\":1}}}");
    read_many(text, used, MANY);
    free(text);
}

Test(json, a_list_of_a_million_nodes_is_read)
{
    rask_graph *g = rask_graph_new();
    rask_node **nodes = malloc(MANY * sizeof *nodes);
    for (int i = 0; i < MANY; i++)
        nodes[i] = rask_delayed(g, inc, i);
    rask_node *total = rask_sum(rask_list(g, nodes, MANY));
    size_t len;
    char *text = write_well(&total, 1, &len);
    free(nodes);
    rask_graph_free(g);
    read_many(text, len, MANY + 2);
    rask_json_free(text);
}

/* An allocator that fails from the allowed-th request on, once or for good, and counts what is out. */
static struct {
    long allowed, live;
    bool once, failed;
} memory;

static bool refuse(void)
{
    if (memory.allowed-- > 0 || (memory.once && memory.failed))
        return false;
    memory.failed = true;
    return true;
}

static void *counted_alloc(void *context, size_t size)
{
    (void)context;
    if (refuse())
        return NULL;
    memory.live++;
    return malloc(size);
}

static void *counted_realloc(void *context, void *ptr, size_t size)
{
    (void)context;
    return refuse() ? NULL : realloc(ptr, size);
}

static void counted_free(void *context, void *ptr)
{
    (void)context;
    memory.live--;
    free(ptr);
}

static void *cjson_alloc(size_t size)
{
    return counted_alloc(NULL, size);
}

static void cjson_free(void *ptr)
{
    if (ptr)
        counted_free(NULL, ptr);
}

/* Reads and writes with so much memory; true when all went well. */
static bool copy_graph(const char *text)
{
    rask_registry *registry = rask_registry_new();
    rask_graph *graph = NULL;
    rask_node **targets;
    size_t count, len;
    char error[200], *copy;
    if (!registry)
        return false;
    int status = rask_graph_from_json(registry, text, strlen(text), true, &graph, &targets, &count, error,
                                      sizeof error);
    cr_expect(status == RASK_OK || status == RASK_ENOMEM, "%s", error);
    cr_expect(!status || strstr(error, "memory"), "%s", error);
    if (!status && !(status = rask_graph_to_json(targets, count, &copy, &len)))
        rask_json_free(copy);
    cr_expect(status == RASK_OK || status == RASK_ENOMEM);
    rask_graph_free(graph);
    rask_registry_free(registry);
    return !status;
}

Test(json, without_memory_nothing_leaks)
{
    char *text =
        quoted("{'rask':1,'nodes':{'c':{'call':'fetch','args':[{'node':'a'},[1,['x',{'bytes':'AAE='}]],'y']},"
               "'\\u0061':{'const':['k']},'d':{'list':['c','a'],'after':['b'],'label':'l','timeout':1},"
               "'b':{'input':{'bytes':'AAAA'}},'e':{'item':0,'of':'d','retries':2}},'targets':['e','c']}");
    const rask_allocator allocator = {counted_alloc, counted_realloc, counted_free, NULL};
    cJSON_InitHooks(&(cJSON_Hooks){cjson_alloc, cjson_free}); /* this test is a process of its own */
    cr_assert_eq(rask_set_allocator(&allocator), RASK_OK);
    for (int once = 0; once < 2; once++) {
        bool well = false;
        for (long allowed = 0; !well; allowed++) {
            memory.allowed = allowed;
            memory.live = 0;
            memory.failed = false;
            memory.once = once;
            well = copy_graph(text) && !memory.failed;
            cr_expect_eq(memory.live, 0, "%ld blocks leak when request %ld fails", memory.live, allowed);
            cr_assert_lt(allowed, 10000);
            cr_expect(!well || allowed > 100, "%ld requests are too few to be all", allowed);
        }
    }
    rask_set_allocator(NULL);
    free(text);
}
