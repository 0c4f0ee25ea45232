/* The parser of expressions: what binds to what, what is refused and where. */
#include "collections/syntax/syntax.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rk_array nodes;
static rk_syntax_error error;

static int parse(const char *text)
{
    rk_array_fini(&nodes);
    nodes = (rk_array)RK_ARRAY(rk_syntax, 1 << 22);
    return rk_syntax_parse(text, strlen(text), &nodes, &error);
}

static void end(void)
{
    rk_array_fini(&nodes);
}

/* --- a text with all its brackets */

typedef struct output {
    char text[2000];
    size_t len;
} output;

static void put(output *out, const char *text, size_t len)
{
    cr_assert_lt(out->len + len, sizeof out->text);
    memcpy(out->text + out->len, text, len);
    out->len += len;
    out->text[out->len] = 0;
}

static void puts_to(output *out, const char *text)
{
    put(out, text, strlen(text));
}

static void write_node(output *out, const char *text, uint32_t node);

static void write_children(output *out, const char *text, uint32_t child, const char *open, const char *close)
{
    puts_to(out, open);
    for (const char *between = ""; child != RK_NO_SYNTAX; between = " ") {
        puts_to(out, between);
        write_node(out, text, child);
        child = ((rk_syntax *)nodes.data)[child].next;
    }
    puts_to(out, close);
}

static void write_number(output *out, const rask_operand *n)
{
    char text[64];
    switch (n->kind) {
    case RASK_OPERAND_BOOL: snprintf(text, sizeof text, n->as.boolean ? "True" : "False"); break;
    case RASK_OPERAND_I64: snprintf(text, sizeof text, "%lld", (long long)n->as.i64); break;
    case RASK_OPERAND_U64: snprintf(text, sizeof text, "%lluu", (unsigned long long)n->as.u64); break;
    case RASK_OPERAND_F64: snprintf(text, sizeof text, "%gf", n->as.f64); break;
    default: snprintf(text, sizeof text, "%gj", n->as.c128[1]); break;
    }
    puts_to(out, text);
}

static void write_node(output *out, const char *text, uint32_t index)
{
    const rk_syntax *n = (rk_syntax *)nodes.data + index;
    char head[300];
    snprintf(head, sizeof head, "(%.*s ", (int)n->len, text + n->text);
    switch (n->kind) {
    case RK_SYNTAX_NONE: puts_to(out, "None"); break;
    case RK_SYNTAX_NUMBER: write_number(out, &n->number); break;
    case RK_SYNTAX_STRING:
    case RK_SYNTAX_NAME: put(out, text + n->text, n->len); break;
    case RK_SYNTAX_ELLIPSIS: puts_to(out, "..."); break;
    case RK_SYNTAX_UNARY:
    case RK_SYNTAX_BINARY:
        snprintf(head, sizeof head, "(%s ", rk_mark_text(n->mark));
        write_children(out, text, n->first, head, ")");
        break;
    case RK_SYNTAX_ATTRIBUTE:
        snprintf(head, sizeof head, "(.%.*s ", (int)n->len, text + n->text);
        write_children(out, text, n->first, head, ")");
        break;
    case RK_SYNTAX_CALL: write_children(out, text, n->first, "(call ", ")"); break;
    case RK_SYNTAX_KEYWORD:
        snprintf(head, sizeof head, "(%.*s= ", (int)n->len, text + n->text);
        write_children(out, text, n->first, head, ")");
        break;
    case RK_SYNTAX_INDEX: write_children(out, text, n->first, "(index ", ")"); break;
    case RK_SYNTAX_SLICE: write_children(out, text, n->first, "(slice ", ")"); break;
    case RK_SYNTAX_TUPLE: write_children(out, text, n->first, "(tuple ", ")"); break;
    case RK_SYNTAX_LIST: write_children(out, text, n->first, "(list ", ")"); break;
    case RK_SYNTAX_ASSIGN: write_children(out, text, n->first, head, ")"); break;
    }
}

static void check(const char *text, const char *wanted)
{
    output out = {.len = 0};
    cr_assert_eq(parse(text), RASK_OK, "%s: %s", text, error.message);
    write_node(&out, text, (uint32_t)nodes.count - 1);
    cr_expect_str_eq(out.text, wanted, "%s gives %s, not %s", text, out.text, wanted);
}

static void check_error(const char *text, int status, size_t at, const char *message)
{
    cr_expect_eq(parse(text), status, "%s: status %d", text, error.status);
    cr_expect_eq(error.at, at, "%s: at %zu: %s", text, error.at, error.message);
    cr_expect_str_eq(error.message, message, "%s: %s", text, error.message);
}

/* --- what is legal */

Test(eval_syntax, operators_bind_as_in_python, .fini = end)
{
    static const char *const cases[][2] = {
        {"a + b * c", "(+ a (* b c))"},
        {"a * b + c", "(+ (* a b) c)"},
        {"a - b - c", "(- (- a b) c)"},
        {"a / b // c % d", "(% (// (/ a b) c) d)"},
        {"a @ b * c", "(* (@ a b) c)"},
        {"-a ** b", "(- (** a b))"},
        {"a ** -b", "(** a (- b))"},
        {"a ** b ** c", "(** a (** b c))"},
        {"-a ** -b ** c", "(- (** a (- (** b c))))"},
        {"- -a", "(- (- a))"},
        {"~a & b", "(& (~ a) b)"},
        {"-a * b", "(* (- a) b)"},
        {"a & b | c ^ d", "(| (& a b) (^ c d))"},
        {"a | b & c", "(| a (& b c))"},
        {"a << b + c", "(<< a (+ b c))"},
        {"a & b << c", "(& a (<< b c))"},
        {"a < b | c", "(< a (| b c))"},
        {"(a < b) | (c >= d)", "(| (< a b) (>= c d))"},
        {"a + b == c - d", "(== (+ a b) (- c d))"},
        {"a != b", "(!= a b)"},
        {"(a)", "a"},
        {"a.T @ b.T", "(@ (.T a) (.T b))"},
        {"-a.b[0](c)", "(- (call (index (.b a) 0) c))"},
        {"a[0] ** 2", "(** (index a 0) 2)"},
        {"2 ** a.sum()", "(** 2 (call (.sum a)))"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i][0], cases[i][1]);
}

Test(eval_syntax, numbers_are_pythons, .fini = end)
{
    static const char *const cases[][2] = {
        {"0", "0"},
        {"00", "0"},
        {"42", "42"},
        {"1_000_000", "1000000"},
        {"0x1F", "31"},
        {"0b101", "5"},
        {"0o17", "15"},
        {"0xff_ff", "65535"},
        {"9223372036854775807", "9223372036854775807"},
        {"9223372036854775808", "9223372036854775808u"},
        {"18446744073709551615", "18446744073709551615u"},
        {"1.5", "1.5f"},
        {"1.", "1f"},
        {".5", "0.5f"},
        {"1e3", "1000f"},
        {"1E-3", "0.001f"},
        {"1_0.2_5e+1_0", "1.025e+11f"},
        {"1e400", "inff"},
        {"2j", "2j"},
        {"1.5e2J", "150j"},
        {"0777.5", "777.5f"},
        {"True", "True"},
        {"False", "False"},
        {"None", "None"},
        {"...", "..."},
        {"'f4'", "f4"},
        {"\"a'b\"", "a'b"},
        {"''", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i][0], cases[i][1]);
}

Test(eval_syntax, calls_subscripts_and_lists, .fini = end)
{
    static const char *const cases[][2] = {
        {"f()", "(call f)"},
        {"f(a, b=1, c=2,)", "(call f a (b= 1) (c= 2))"},
        {"sum(x, axis=(0, 1))", "(call sum x (axis= (tuple 0 1)))"},
        {"np.linalg.norm(x)", "(call (.norm (.linalg np)) x)"},
        {"f(a == b)", "(call f (== a b))"},
        {"x[1:-1, ::2, None, ..., -1]", "(index x (slice 1 (- 1) None) (slice None None 2) None ... (- 1))"},
        {"x[:]", "(index x (slice None None None))"},
        {"x[a:b:c]", "(index x (slice a b c))"},
        {"x[::-1]", "(index x (slice None None (- 1)))"},
        {"x[1:]", "(index x (slice 1 None None))"},
        {"x[:,]", "(index x (slice None None None))"},
        {"x[(0, 1)]", "(index x (tuple 0 1))"},
        {"x[[1, 2]][0]", "(index (index x (list 1 2)) 0)"},
        {"[]", "(list )"},
        {"()", "(tuple )"},
        {"(a,)", "(tuple a)"},
        {"[[1, 2], [3, 4],]", "(list (list 1 2) (list 3 4))"},
        {"f(\n  a,\n  b # why\n)", "(call f a b)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i][0], cases[i][1]);
}

Test(eval_syntax, the_last_statement_is_the_value, .fini = end)
{
    check("m = mean(a); a - m", "(- a m)");
    check("\n\nm = 1\n\nm + 2\n;\n", "(+ m 2)");
    check("# nothing\na", "a");
    cr_assert_eq(parse("m = a + 1; m"), RASK_OK);
    const rk_syntax *all = nodes.data;
    cr_assert_eq(all[3].kind, RK_SYNTAX_ASSIGN);
    cr_assert_eq(all[3].at, 0);
    cr_assert_eq(all[2].at, 6);
}

Test(eval_syntax, nodes_stand_behind_what_they_are_made_of, .fini = end)
{
    cr_assert_eq(parse("x = f(a, b=[1, (2, c)])[0:n].T ** -2; x + x"), RASK_OK);
    const rk_syntax *all = nodes.data;
    for (uint32_t i = 0; i < nodes.count; i++) {
        for (uint32_t child = all[i].first; child != RK_NO_SYNTAX; child = all[child].next)
            cr_expect_lt(child, i);
    }
}

Test(eval_syntax, expressions_with_commas_are_a_tuple, .fini = end)
{
    const char *const texts[] = {"a, b", "a, b,", "x = a, b; a, b", "a, b\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        rk_array_fini(&nodes);
        cr_assert_eq(parse(texts[i]), RASK_OK, "%s", texts[i]);
        const rk_syntax *last = (const rk_syntax *)nodes.data + nodes.count - 1;
        cr_expect_eq(last->kind, RK_SYNTAX_TUPLE, "%s", texts[i]);
        cr_expect_eq(last->count, 2, "%s", texts[i]);
    }
}

/* --- what is not */

Test(eval_syntax, errors_point_at_the_character, .fini = end)
{
    check_error("", RASK_EFORMAT, 0, "an expression expected, not the end");
    check_error("a +", RASK_EFORMAT, 3, "an expression expected, not the end");
    check_error("a + * b", RASK_EFORMAT, 4, "an expression expected, not '*'");
    check_error("a b", RASK_EFORMAT, 2, "an operator expected, not name \"b\"");
    check_error("(a + b", RASK_EFORMAT, 0, "no ')' closes this");
    check_error("f(a, b", RASK_EFORMAT, 1, "no ')' closes this");
    check_error("a[1", RASK_EFORMAT, 1, "no ']' closes this");
    check_error("(a]", RASK_EFORMAT, 2, "')' or ',' expected, not ']'");
    check_error("a[]", RASK_EFORMAT, 2, "an expression expected, not ']'");
    check_error("a)", RASK_EFORMAT, 1, "an operator expected, not ')'");
    check_error("a.1", RASK_EFORMAT, 1, "an operator expected, not number .1");
    check_error("a.", RASK_EFORMAT, 2, "a name expected, not the end");
    check_error("f(a=1, b)", RASK_EFORMAT, 7, "an argument without a name behind one with a name");
    check_error("f(*a)", RASK_EFORMAT, 2, "arguments are not unpacked");
    check_error("a = 1", RASK_EFORMAT, 0,
                "nothing is given: behind the last assignment an expression is expected");
    check_error("a = = 1", RASK_EFORMAT, 4, "an expression expected, not '='");
    check_error("a, + ", RASK_EFORMAT, 5, "an expression expected, not the end");
    check_error("a, b = f(c); a", RASK_EFORMAT, 5, "one name before '=': write f = …; f[0], f[1]");
    check_error("a\n\n  +", RASK_EFORMAT, 6, "an expression expected, not the end");
    check_error("'abc", RASK_EFORMAT, 0, "a string that nothing ends");
    check_error("'a\\n'", RASK_EFORMAT, 2, "strings have no escapes");
    check_error("a ? b", RASK_EFORMAT, 2, "'?' means nothing here");
    check_error("a ! b", RASK_EFORMAT, 2, "'!' means nothing here");
}

Test(eval_syntax, what_python_has_and_arrays_have_not_gets_a_hint, .fini = end)
{
    check_error("a < b < c", RASK_EFORMAT, 6, "comparisons of arrays do not chain: write (a < b) & (b < c)");
    check_error("a and b", RASK_EFORMAT, 2, "'and' does not work on arrays: write (a) & (b)");
    check_error("f(a or b)", RASK_EFORMAT, 4, "'or' does not work on arrays: write (a) | (b)");
    check_error("not a", RASK_EFORMAT, 0, "'not' does not work on arrays: write ~(a)");
    check_error("a if b else c", RASK_EFORMAT, 2, "no 'if' in expressions: write where(condition, a, b)");
    check_error("lambda x: x", RASK_EFORMAT, 0, "no functions are made in expressions");
    check_error("[x for x in a]", RASK_EFORMAT, 3, "no loops in expressions");
}

Test(eval_syntax, numbers_that_are_none, .fini = end)
{
    const char *bad = "not a number as Python writes them";
    check_error("1__0", RASK_EFORMAT, 0, bad);
    check_error("1_", RASK_EFORMAT, 0, bad);
    check_error("0x", RASK_EFORMAT, 0, bad);
    check_error("0b2", RASK_EFORMAT, 0, bad);
    check_error("1e", RASK_EFORMAT, 0, bad);
    check_error("a + 12abc", RASK_EFORMAT, 4, bad);
    check_error("007", RASK_EFORMAT, 0, "an integer does not begin with 0");
    check_error("18446744073709551616", RASK_ERANGE, 0,
                "integers have at most 64 bits: write a float, such as 1e20");
}

Test(eval_syntax, bytes_that_are_no_text, .fini = end)
{
    check_error("a + \xff", RASK_EFORMAT, 4, "byte 0xff is not UTF-8");
    check_error("\xc3", RASK_EFORMAT, 0, "byte 0xc3 is not UTF-8");
    check_error("\xe2\x82", RASK_EFORMAT, 0, "byte 0xe2 is not UTF-8");
    check_error("\xed\xa0\x80", RASK_EFORMAT, 0, "byte 0xed is not UTF-8");
    check_error("a \xc3\x97 b", RASK_EFORMAT, 2, "'\xc3\x97' means nothing here");
    check_error("a + \x01", RASK_EFORMAT, 4, "control character 0x01");
}

static char *repeated(const char *head, const char *text, size_t times, const char *tail)
{
    size_t len = strlen(text);
    char *all = malloc(strlen(head) + times * len + strlen(tail) + 1), *at = stpcpy(all, head);
    for (size_t i = 0; i < times; i++)
        at = stpcpy(at, text);
    strcpy(at, tail);
    return all;
}

static void check_repeated(const char *head, const char *text, size_t times, const char *tail, int status)
{
    char *all = repeated(head, text, times, tail);
    cr_expect_eq(parse(all), status, "%zu times \"%s\": %d: %s", times, text, error.status, error.message);
    free(all);
}

Test(eval_syntax, nesting_has_a_limit_and_length_has_another, .fini = end)
{
    check_repeated("", "(", 100000, "a", RASK_ELIMIT);
    check_repeated("", "[", 100000, "", RASK_ELIMIT);
    check_repeated("", "-", 100000, "a", RASK_ELIMIT);
    check_repeated("a", "**a", 100000, "", RASK_ELIMIT);
    check_repeated("", "f(", 100000, "", RASK_ELIMIT);
    check_repeated("", "x[", 100000, "", RASK_ELIMIT);
    check_repeated("", "a*(", 100000, "", RASK_ELIMIT);
    check_repeated("", "((((a))))+", 10, "a", RASK_OK);
    check_repeated("a", "+a", 200000, "", RASK_OK);
    check_repeated("a", "[0]", 100000, "", RASK_OK);
    check_repeated("a", ".T", 100000, "", RASK_OK);
    check_repeated("", "a=1;", 100000, "a", RASK_OK);
    check_repeated("[", "1,", 100000, "]", RASK_OK);
    check_repeated("", "a", 1000000, "", RASK_OK);
    check_repeated("a", " ", 2000000, "", RASK_ELIMIT);
    check_repeated("", "1", 1000, "", RASK_EFORMAT);
    check_repeated("1.", "0", 1000, "", RASK_EFORMAT);
}
