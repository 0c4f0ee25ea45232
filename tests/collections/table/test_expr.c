/* Expressions on columns: what each operator and function gives, with nulls and without, what is refused and where. */
#include "collections/table/expr/expr.h"
#include "core/base/print.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A table of four rows; the last one is null in the columns whose name begins with n. */
enum { ROWS = 4, COLUMNS = 14 };

static const char *const names[COLUMNS] = {"i",    "j",  "ni",  "f",  "nf",   "b",      "nb",
                                           "name", "nt", "day", "at", "nday", "unit £", "big"};
static const rask_column_type types[COLUMNS] = {
    RASK_COL_I64,       RASK_COL_I64,  RASK_COL_I64,  RASK_COL_F64,  RASK_COL_F64,
    RASK_COL_BOOL,      RASK_COL_BOOL, RASK_COL_TEXT, RASK_COL_TEXT, RASK_COL_DATE,
    RASK_COL_TIMESTAMP, RASK_COL_DATE, RASK_COL_F64,  RASK_COL_I64};

static int64_t i_values[] = {7, -7, 0, 3}, j_values[] = {2, 2, 0, -2}, ni_values[] = {1, 2, 3, 0};
static int64_t big_values[] = {INT64_MAX, INT64_MIN, 1, -1};
static double f_values[] = {1.5, -2.5, 0, 1e300}, nf_values[] = {0.5, INFINITY, NAN, 0};
static double unit_values[] = {10, 20, 30, 40};
static uint8_t b_values[] = {1, 0, 1, 0}, nb_values[] = {1, 1, 0, 0}, last_null[] = {1, 1, 1, 0};
static rask_bytes name_values[] = {{"Ann", 3}, {"", 0}, {"  bob ", 6}, {"Zo\xc3\xa9", 4}};
static rask_bytes nt_values[] = {{"12", 2}, {"x1y22", 5}, {"2020-01-31", 10}, {NULL, 0}};
static int64_t day_values[] = {18292, -1, 0, 11016}; /* 2020-01-31, 1969-12-31, 1970-01-01, 2000-02-29 */
static int64_t nday_values[] = {18292, 0, 1, 0};
static int64_t at_values[] = {18292 * 86400000000LL + 45296789000, -1, 0, 951782400000000};

static rk_column columns[COLUMNS];
static const rk_column *places[COLUMNS];

static void set(uint32_t i, void *data, bool nulls)
{
    columns[i] =
        (rk_column){.type = types[i], .data = data, .nulls = nulls, .valid = nulls ? last_null : NULL};
    places[i] = &columns[i];
}

static void make_table(void)
{
    set(0, i_values, false), set(1, j_values, false), set(2, ni_values, true), set(3, f_values, false);
    set(4, nf_values, true), set(5, b_values, false), set(6, nb_values, true), set(7, name_values, false);
    set(8, nt_values, true), set(9, day_values, false), set(10, at_values, false), set(11, nday_values, true);
    set(12, unit_values, false), set(13, big_values, false);
}

TestSuite(expr, .init = make_table, .timeout = 20);

/* --- results as text: "int64: 1 2 null" */

static void add_value(rk_print *out, const rk_column *column, uint32_t row)
{
    if (!rk_column_has(column, row))
        rk_print_add(out, " null");
    else if (column->type == RASK_COL_BOOL)
        rk_print_add(out, " %s", column->boolean[row] ? "true" : "false");
    else if (column->type == RASK_COL_F64)
        rk_print_add(out, " %.10g",
                     isnan(column->f64[row]) ? (double)NAN : column->f64[row]); /* of any sign */
    else if (column->type == RASK_COL_TEXT)
        rk_print_add(out, " '%.*s'", (int)column->text[row].len,
                     column->text[row].data ? column->text[row].data : "");
    else
        rk_print_add(out, " %lld", (long long)column->i64[row]);
}

static void cr_nothing_behind_nulls(const char *text, const rk_column *column, uint32_t rows)
{
    static const char zero[16];
    size_t size = rk_column_size(column->type);
    for (uint32_t i = 0; i < rows; i++) {
        if (!rk_column_has(column, i))
            cr_assert(memcmp((char *)column->data + i * size, zero, size) == 0, "%s: row %u", text, i);
    }
}

static const char *result_of(const char *text)
{
    static char buffer[4000];
    rk_print out = {.buffer = buffer, .capacity = sizeof buffer};
    rk_syntax_error error;
    rk_expr *e = NULL;
    rk_expr_run *run = NULL;
    uint64_t room = RK_EXPR_MEMO_BYTES;
    const rk_column *result = NULL;
    if (rk_expr_compile(text, strlen(text), names, types, COLUMNS, &e, &error)) {
        rk_print_add(&out, "%s %zu: %s", rask_status_name(error.status), error.at, error.message);
        return buffer;
    }
    cr_assert_eq(rk_expr_run_new(e, &room, &run), RASK_OK);
    for (int again = 0; again < 2; again++)
        cr_assert_eq(rk_expr_evaluate(e, run, places, ROWS, &result), RASK_OK, "%s", text);
    cr_assert_eq(result->type, rk_expr_type(e), "%s", text);
    cr_nothing_behind_nulls(text, result, ROWS);
    rk_print_add(&out, "%s:", rask_column_type_name(result->type));
    for (uint32_t i = 0; i < ROWS; i++)
        add_value(&out, result, i);
    rk_expr_run_free(run);
    rk_expr_free(e);
    return buffer;
}

typedef struct example {
    const char *text, *result;
} example;

static void check(const example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *result = result_of(examples[i].text);
        cr_expect_str_eq(result, examples[i].result, "%s\n  gives   %s\n  and not %s", examples[i].text,
                         result, examples[i].result);
    }
}

#define CHECK(...)                                                                                           \
    do {                                                                                                     \
        static const example examples[] = {__VA_ARGS__};                                                     \
        check(examples, sizeof examples / sizeof *examples);                                                 \
    } while (0)

/* --- operators */

Test(expr, columns_and_literals)
{
    CHECK({"i", "int64: 7 -7 0 3"}, {"ni", "int64: 1 2 3 null"}, {"`unit £`", "float64: 10 20 30 40"},
          {"nt", "string: '12' 'x1y22' '2020-01-31' null"}, {"1", "int64: 1 1 1 1"},
          {"true", "bool: true true true true"}, {"False", "bool: false false false false"},
          {"null", "bool: null null null null"}, {"2.5e0", "float64: 2.5 2.5 2.5 2.5"},
          {"'a\"'", "string: 'a\"' 'a\"' 'a\"' 'a\"'"},
          {"'\\'\\\\\\d'", "string: ''\\\\d' ''\\\\d' ''\\\\d' ''\\\\d'"},
          {"-9223372036854775808", "int64: -9223372036854775808 -9223372036854775808 -9223372036854775808 "
                                   "-9223372036854775808"},
          {"i\n + # a note\n 1", "int64: 8 -6 1 4"});
}

Test(expr, integers)
{
    CHECK({"i + j", "int64: 9 -5 0 1"}, {"i - j", "int64: 5 -9 0 5"}, {"i * j", "int64: 14 -14 0 -6"},
          {"i // j", "int64: 3 -4 null -2"}, {"i % j", "int64: 1 1 null -1"},
          {"i / j", "float64: 3.5 -3.5 nan -1.5"}, {"-i", "int64: -7 7 0 -3"}, {"+i", "int64: 7 -7 0 3"},
          {"i + 1", "int64: 8 -6 1 4"}, {"1 - i", "int64: -6 8 1 -2"}, {"i ** 2", "int64: 49 49 0 9"},
          {"i ** 0", "int64: 1 1 1 1"}, {"2 ** i", "float64: 128 0.0078125 1 8"}, {"i & 3", "int64: 3 1 0 3"},
          {"i | 8", "int64: 15 -7 8 11"}, {"i ^ i", "int64: 0 0 0 0"}, {"~i", "int64: -8 6 -1 -4"},
          {"ni + i", "int64: 8 -5 3 null"}, {"2 * ni", "int64: 2 4 6 null"},
          {"ni * null", "int64: null null null null"}, {"7 // 2 + 7 % -4", "int64: 2 2 2 2"},
          {"1 // 0", "int64: null null null null"});
}

Test(expr, integers_that_overflow_are_null)
{
    CHECK({"big + 1", "int64: null -9223372036854775807 2 0"},
          {"big - 1", "int64: 9223372036854775806 null 0 -2"}, {"big + big", "int64: null null 2 -2"},
          {"big * 2", "int64: null null 2 -2"}, {"-big", "int64: -9223372036854775807 null -1 1"},
          {"abs(big)", "int64: 9223372036854775807 null 1 1"},
          {"big // -1", "int64: -9223372036854775807 null -1 1"}, {"big % -1", "int64: 0 0 0 0"},
          {"big ** 2", "int64: null null 1 1"}, {"i ** 30", "int64: null null 0 205891132094649"},
          {"i ** 63", "int64: null null 0 null"}, {"int(1e300 * f)", "int64: null null 0 null"},
          {"9223372036854775807 + 1", "int64: null null null null"},
          {"(-1) ** 9223372036854775807", "int64: -1 -1 -1 -1"});
}

Test(expr, floats)
{
    CHECK({"f + 1", "float64: 2.5 -1.5 1 1e+300"}, {"f - f", "float64: 0 0 0 0"},
          {"f * i", "float64: 10.5 17.5 0 3e+300"}, {"3 / `unit £`", "float64: 0.3 0.15 0.1 0.075"},
          {"f // 1", "float64: 1 -3 0 1e+300"}, {"f % 2", "float64: 1.5 1.5 0 0"},
          {"-f", "float64: -1.5 2.5 -0 -1e+300"}, {"nf + f", "float64: 2 inf nan null"},
          {"f ** 2", "float64: 2.25 6.25 0 inf"}, {"1 - nf", "float64: 0.5 -inf nan null"},
          {"is_nan(nf)", "bool: false false true null"});
}

Test(expr, comparisons)
{
    CHECK({"i > 0", "bool: true false false true"}, {"0 >= i", "bool: false true true false"},
          {"i == j", "bool: false false true false"}, {"i != j", "bool: true true false true"},
          {"i <= j", "bool: false true true false"}, {"i < f", "bool: false true false true"},
          {"f == 1.5", "bool: true false false false"}, {"nf < 1", "bool: true false false null"},
          {"nf != nf", "bool: false false true null"}, {"ni == null", "bool: null null null null"},
          {"b == nb", "bool: true false false null"}, {"b < nb", "bool: false true false null"},
          {"name == 'Ann'", "bool: true false false false"}, {"'Ann' != name", "bool: false true true true"},
          {"name == ''", "bool: false true false false"}, {"name < 'B'", "bool: true true true false"},
          {"name >= name", "bool: true true true true"},
          {"nt == '2020-01-31'", "bool: false false true null"},
          {"nt == 'x1y22'", "bool: false true false null"}, {"nt == '12'", "bool: true false false null"},
          {"name == nt", "bool: false false false null"}, {"'a' < 'b'", "bool: true true true true"});
}

Test(expr, text_of_every_length_compares_with_a_constant)
{
    char text[64], shown[200];
    for (int len = 1; len < 40; len++) {
        char same[64], other[64];
        memset(text, 'a', sizeof text);
        snprintf(same, sizeof same, "%.*s", len, text);
        memcpy(other, same, sizeof other);
        for (int at = 0; at < len; at++) {
            other[at] = 'b';
            rask_bytes values[ROWS] = {
                {same, (size_t)len}, {other, (size_t)len}, {text, (size_t)len + 1}, {NULL, 0}};
            columns[7].text = values;
            snprintf(shown, sizeof shown, "name == '%s'", same);
            cr_assert_str_eq(result_of(shown), "bool: true false false false", "%d %d", len, at);
            other[at] = 'a';
        }
    }
}

Test(expr, logic_has_three_values)
{
    CHECK({"b and nb", "bool: true false false false"}, {"b or nb", "bool: true true true null"},
          {"nb and nb", "bool: true true false null"}, {"nb and true", "bool: true true false null"},
          {"nb or null", "bool: true true null null"}, {"nb and null", "bool: null null false null"},
          {"nb and false", "bool: false false false false"}, {"nb or true", "bool: true true true true"},
          {"not nb", "bool: false false true null"}, {"~b", "bool: false true false true"},
          {"b & nb | b", "bool: true false true false"}, {"b ^ nb", "bool: false true true null"},
          {"null or true", "bool: true true true true"}, {"null and true", "bool: null null null null"},
          {"not i > 0 and b or nb", "bool: true true true null"});
}

Test(expr, precedence_is_pythons)
{
    CHECK({"true or true and false", "bool: true true true true"},
          {"not false and false", "bool: false false false false"},
          {"not 1 == 2", "bool: true true true true"}, {"not not b", "bool: true false true false"},
          {"i + 2 * 3 > 6 and i < 100", "bool: true false false true"}, {"-2 ** 2", "int64: -4 -4 -4 -4"},
          {"b and i in (7, 0)", "bool: true false true false"},
          {"(i > 0) & (i < 5)", "bool: false false false true"});
}

Test(expr, lists)
{
    CHECK({"i in (3, 7, 7, 100)", "bool: true false false true"},
          {"i not in [3, 7]", "bool: false true true false"}, {"ni in (1, 2)", "bool: true true false null"},
          {"i in (7, null)", "bool: true null null null"},
          {"i not in (7, null)", "bool: false null null null"}, {"i in ()", "bool: false false false false"},
          {"i in (0.5, 7)", "bool: true false false false"},
          {"f in (1.5, -2.5)", "bool: true true false false"},
          {"nf in (0.5, 1)", "bool: true false false null"},
          {"name in ('Ann', 'Bob', '')", "bool: true true false false"},
          {"b in (true,)", "bool: true false true false"},
          {"day in ('2020-01-31', '1970-01-01')", "bool: true false true false"},
          {"i in (-7,)", "bool: false true false false"}, {"null in (1, 2)", "bool: null null null null"},
          {"3 in (1, 2, 3)", "bool: true true true true"});
}

/* --- functions */

Test(expr, functions_of_numbers)
{
    CHECK({"abs(i)", "int64: 7 7 0 3"}, {"abs(f)", "float64: 1.5 2.5 0 1e+300"},
          {"sign(i)", "int64: 1 -1 0 1"}, {"sign(nf)", "float64: 1 1 nan null"},
          {"round(f)", "float64: 2 -2 0 1e+300"}, {"round(i)", "int64: 7 -7 0 3"},
          {"round(f / 7, 2)", "float64: 0.21 -0.36 0 1.428571429e+299"},
          {"round(`unit £` + 4.5, -1)", "float64: 10 20 30 40"},
          {"round(nf, 400)", "float64: 0.5 inf nan null"}, {"floor(f)", "float64: 1 -3 0 1e+300"},
          {"ceil(f)", "float64: 2 -2 0 1e+300"}, {"floor(i)", "int64: 7 -7 0 3"},
          {"sqrt(`unit £` * 10)", "float64: 10 14.14213562 17.32050808 20"},
          {"exp(i * 0)", "float64: 1 1 1 1"}, {"log2(`unit £` / 10)", "float64: 0 1 1.584962501 2"},
          {"log10(`unit £`) > 1", "bool: false true true true"}, {"log(exp(2))", "float64: 2 2 2 2"},
          {"pow(i, 2)", "float64: 49 49 0 9"},
          {"exp(ni)", "float64: 2.718281828 7.389056099 20.08553692 null"});
}

Test(expr, extremes_of_a_row)
{
    CHECK({"min(i, j)", "int64: 2 -7 0 -2"}, {"max(i, j, 1)", "int64: 7 2 1 3"},
          {"least(i, f)", "float64: 1.5 -7 0 3"}, {"greatest(ni, 2)", "int64: 2 2 3 null"},
          {"max(nf, 1)", "float64: 1 inf nan null"}, {"min(1, nf)", "float64: 0.5 1 nan null"},
          {"min(name, 'B')", "string: 'Ann' '' '  bob ' 'B'"}, {"max(b, nb)", "bool: true true true null"},
          {"max(day, '2000-01-01')", "date: 18292 10957 10957 11016"}, {"min(i)", "int64: 7 -7 0 3"});
}

Test(expr, choices)
{
    CHECK({"if(b, i, j)", "int64: 7 2 0 -2"}, {"if(nb, 1, 2.5)", "float64: 1 1 2.5 2.5"},
          {"if(b, nt, 'no')", "string: '12' 'no' '2020-01-31' 'no'"},
          {"if(b, ni, null)", "int64: 1 null 3 null"}, {"if(true, i, j)", "int64: 7 -7 0 3"},
          {"is_null(ni)", "bool: false false false true"}, {"is_null(i)", "bool: false false false false"},
          {"is_null(null)", "bool: true true true true"}, {"coalesce(ni, i, 5)", "int64: 1 2 3 3"},
          {"fill(nf, 0)", "float64: 0.5 inf nan 0"},
          {"coalesce(null, nt)", "string: '12' 'x1y22' '2020-01-31' null"},
          {"fill(nb, false)", "bool: true true false false"},
          {"fill(nday, '1970-01-05')", "date: 18292 0 1 4"},
          {"if(b, '2020-01-01', day)", "date: 18262 -1 18262 11016"},
          {"coalesce(null, null)", "bool: null null null null"});
}

/* They go where what they are made of goes. */
Test(expr, what_is_computed_of_nulls_alone_is_null)
{
    CHECK({"length(coalesce(null, null))", "int64: null null null null"},
          {"year(if(b, null, null))", "int64: null null null null"},
          {"case(b, null, nb, null, null) + 'x'", "string: null null null null"},
          {"least(null, null) == day", "bool: null null null null"},
          {"lower(null + null)", "string: null null null null"}, {"coalesce(-null, -i)", "int64: -7 7 0 -3"},
          {"coalesce(null * null, f)", "float64: 1.5 -2.5 0 1e+300"});
}

Test(expr, casts)
{
    CHECK({"int(f)", "int64: 1 -2 0 null"}, {"int(nt)", "int64: 12 null null null"},
          {"int(b)", "int64: 1 0 1 0"}, {"int(day)", "int64: 18292 -1 0 11016"},
          {"float(i)", "float64: 7 -7 0 3"}, {"float(nt)", "float64: 12 null null null"},
          {"float(nb)", "float64: 1 1 0 null"}, {"float(' 1e3')", "float64: 1000 1000 1000 1000"},
          {"str(i)", "string: '7' '-7' '0' '3'"},
          {"str(big)", "string: '9223372036854775807' '-9223372036854775808' '1' '-1'"},
          {"str(f)", "string: '1.5' '-2.5' '0.0' '1e+300'"},
          {"str(nb)", "string: 'true' 'true' 'false' null"},
          {"str(day)", "string: '2020-01-31' '1969-12-31' '1970-01-01' '2000-02-29'"},
          {"str(at)", "string: '2020-01-31 12:34:56.789' '1969-12-31 23:59:59.999999' '1970-01-01 00:00:00' "
                      "'2000-02-29 00:00:00'"},
          {"bool(i)", "bool: true true false true"}, {"bool('TRUE')", "bool: true true true true"},
          {"bool(nt)", "bool: null null null null"}, {"date(nt)", "date: null null 18292 null"},
          {"date(at)", "date: 18292 -1 0 11016"},
          {"timestamp(day)", "timestamp: 1580428800000000 -86400000000 0 951782400000000"},
          {"timestamp('2020-01-31T12:34:56.789Z') == at", "bool: true false false false"},
          {"str(name)", "string: 'Ann' '' '  bob ' 'Zo\xc3\xa9'"},
          {"str(date(365000000000 + 1))", "string: null null null null"},
          {"int(null)", "int64: null null null null"});
}

Test(expr, text)
{
    CHECK(
        {"name + '!'", "string: 'Ann!' '!' '  bob !' 'Zo\xc3\xa9!'"},
        {"name + nt", "string: 'Ann12' 'x1y22' '  bob 2020-01-31' null"}, {"length(name)", "int64: 3 0 6 3"},
        {"bytes(name)", "int64: 3 0 6 4"}, {"lower(name)", "string: 'ann' '' '  bob ' 'zo\xc3\xa9'"},
        {"upper(name)", "string: 'ANN' '' '  BOB ' 'ZO\xc3\x89'"},
        {"lower('\xc3\x89\xc3\x97\xc3\xbf')", "string: '\xc3\xa9\xc3\x97\xc3\xbf' '\xc3\xa9\xc3\x97\xc3\xbf' "
                                              "'\xc3\xa9\xc3\x97\xc3\xbf' '\xc3\xa9\xc3\x97\xc3\xbf'"},
        {"strip(name)", "string: 'Ann' '' 'bob' 'Zo\xc3\xa9'"},
        {"contains(name, 'o')", "bool: false false true true"},
        {"contains(name, '')", "bool: true true true true"},
        {"startswith(name, 'A')", "bool: true false false false"},
        {"endswith(name, 'nn')", "bool: true false false false"},
        {"startswith(nt, name)", "bool: false true false null"},
        {"replace(nt, '2', 'ab')", "string: '1ab' 'x1yabab' 'ab0ab0-01-31' null"},
        {"replace(name, '', 'x')", "string: 'Ann' '' '  bob ' 'Zo\xc3\xa9'"},
        {"replace(name, 'n', '')", "string: 'A' '' '  bob ' 'Zo\xc3\xa9'"},
        {"substring(name, 1)", "string: 'nn' '' ' bob ' 'o\xc3\xa9'"},
        {"substring(name, 1, 2)", "string: 'nn' '' ' b' 'o\xc3\xa9'"},
        {"substring(name, -1)", "string: 'n' '' ' ' '\xc3\xa9'"},
        {"substring(name, 0, -1)", "string: '' '' '' ''"},
        {"substring(name, -100, 1)", "string: 'A' '' ' ' 'Z'"}, {"find(name, 'n')", "int64: 1 -1 -1 -1"},
        {"find(name, '\xc3\xa9')", "int64: -1 -1 -1 2"}, {"find(name, '')", "int64: 0 0 0 0"},
        {"length(nt)", "int64: 2 5 10 null"});
}

Test(expr, dates)
{
    CHECK({"day == '2020-01-31'", "bool: true false false false"},
          {"'2000-01-01' < day", "bool: true false false true"},
          {"day - '2020-01-01'", "int64: 30 -18263 -18262 -7246"}, {"day + 1", "date: 18293 0 1 11017"},
          {"1 + day", "date: 18293 0 1 11017"}, {"day - 1", "date: 18291 -2 -1 11015"},
          {"day - nday", "int64: 0 -1 -1 null"},
          {"at - '1970-01-01'", "int64: 1580474096789000 -1 0 951782400000000"},
          {"at - at", "int64: 0 0 0 0"}, {"at >= day", "bool: true true true true"},
          {"at < '1970-01-01 00:00'", "bool: false true false false"},
          {"at + 1", "timestamp: 1580474096789001 0 1 951782400000001"},
          {"year(day)", "int64: 2020 1969 1970 2000"}, {"month(at)", "int64: 1 12 1 2"},
          {"day(day)", "int64: 31 31 1 29"}, {"weekday(day)", "int64: 4 2 3 1"},
          {"hour(at)", "int64: 12 23 0 0"}, {"minute(at)", "int64: 34 59 0 0"},
          {"second(at)", "int64: 56 59 0 0"}, {"year(nday)", "int64: 2020 1970 1970 null"},
          {"year(date(big))", "int64: null null 1970 1969"},
          {"timestamp(date(big))", "timestamp: null null 86400000000 -86400000000"},
          {"day + null", "date: null null null null"});
}

Test(expr, dates_in_units)
{
    /* day: 2020-01-31, 1969-12-31, 1970-01-01, 2000-02-29, of which the first was a Friday */
    CHECK({"quarter(day)", "int64: 1 4 1 1"}, {"yearday(day)", "int64: 31 365 1 60"},
          {"str(date_trunc('year', day))", "string: '2020-01-01' '1969-01-01' '1970-01-01' '2000-01-01'"},
          {"str(date_trunc('quarter', day))", "string: '2020-01-01' '1969-10-01' '1970-01-01' '2000-01-01'"},
          {"str(date_trunc('month', day))", "string: '2020-01-01' '1969-12-01' '1970-01-01' '2000-02-01'"},
          {"str(date_trunc('week', day))", "string: '2020-01-27' '1969-12-29' '1969-12-29' '2000-02-28'"},
          {"date_trunc('hour', day)", "date: 18292 -1 0 11016"},
          {"str(date_trunc('day', at))",
           "string: '2020-01-31 00:00:00' '1969-12-31 00:00:00' '1970-01-01 00:00:00' '2000-02-29 00:00:00'"},
          {"str(date_trunc('minute', at))",
           "string: '2020-01-31 12:34:00' '1969-12-31 23:59:00' '1970-01-01 00:00:00' '2000-02-29 00:00:00'"},
          {"str(date_trunc('month', at))",
           "string: '2020-01-01 00:00:00' '1969-12-01 00:00:00' '1970-01-01 00:00:00' '2000-02-01 00:00:00'"},
          {"date_trunc('second', nday)", "date: 18292 0 1 null"},
          {"date_trunc('week', date(big))", "date: null null -3 -3"},
          {"date_trunc('second', timestamp(big))", "timestamp: 9223372036854000000 null 0 -1000000"},
          {"date_diff('year', day, '2020-12-31')", "int64: 0 51 50 20"},
          {"date_diff('month', '2020-01-01', day)", "int64: 0 -601 -600 -239"},
          {"date_diff('week', day, '2020-02-03')", "int64: 1 2614 2614 1040"},
          {"date_diff('day', nday, day)", "int64: 0 -1 -1 null"},
          {"date_diff('hour', day, at)", "int64: 12 23 0 0"},
          {"date_diff('second', at, at)", "int64: 0 0 0 0"},
          {"date_diff('month', date(big), day)", "int64: null null 0 362"});
}

Test(expr, cases)
{
    CHECK({"case(i > 5, 'many', i > 0, 'some', 'none')", "string: 'many' 'none' 'none' 'some'"},
          {"case(nb, ni, 7)", "int64: 1 2 7 7"}, {"case(b, i, null)", "int64: 7 null 0 null"},
          {"case(b, i, nb, 0.5, f)", "float64: 7 0.5 0 1e+300"}, {"case(null, 1, 2)", "int64: 2 2 2 2"},
          {"case(true, 1, 2)", "int64: 1 1 1 1"},
          {"case(i == 7, '2020-01-31', day)", "date: 18292 -1 0 11016"},
          {"case(b, i)",
           "RASK_EFORMAT 0: case() takes conditions, a value behind each, and a last value for all else"},
          {"case(i, 1, 2)", "RASK_ETYPE 5: case() takes bool, not int64 i"},
          {"case(b, i, name)", "RASK_ETYPE 11: case() takes values of one type, not int64 i and string name"},
          {"date_trunc('eon', day)",
           "RASK_ETYPE 11: date_trunc() takes \"year\", \"quarter\", \"month\", \"week\", "
           "\"day\", \"hour\", \"minute\" or \"second\", not string"},
          {"date_diff('day', i, j)", "RASK_ETYPE 17: date_diff() takes dates or timestamps, not int64 i"});
}

Test(expr, patterns)
{
    if (strstr(result_of("matches(name, 'a')"), "rask-pcre2"))
        cr_skip_test("no module rask-pcre2");
    CHECK({"matches(name, '^[A-Z]')", "bool: true false false true"},
          {"matches(nt, '\\d{2}$')", "bool: true true true null"},
          {"extract(nt, '([a-z])(\\d+)')", "string: null 'x' null null"},
          {"extract(nt, '([a-z])(\\d+)', 2)", "string: null '1' null null"},
          {"extract(nt, '\\d+')", "string: '12' '1' '2020' null"},
          {"extract(nt, '(z)?\\d')", "string: null null null null"},
          {"matches(name, 'o.$')", "bool: false false false true"},
          {"extract(nt, '1()')", "string: '' '' '' null"},
          {"matches('ab', '^(a+)+$')", "bool: false false false false"},
          {"matches(nt, '(')", "RASK_EFORMAT 12: pattern, byte 1: missing closing parenthesis"},
          {"extract(nt, 'a', 1)", "RASK_ERANGE 17: the pattern has 0 groups"},
          {"matches(nt, name)", "RASK_ETYPE 12: matches() takes a pattern written here, not string name"});
}

Test(expr, patterns_see_bytes_that_are_no_text)
{
    rask_bytes values[ROWS] = {{"\xff"
                                "a",
                                2},
                               {"a\0b", 3},
                               {"\xc3", 1},
                               {"b", 1}};
    if (strstr(result_of("matches(name, 'a')"), "rask-pcre2"))
        cr_skip_test("no module rask-pcre2");
    columns[7].text = values;
    CHECK({"matches(name, 'a')", "bool: true true false false"}, {"length(name)", "int64: 2 3 1 1"});
}

/* --- refusals */

Test(expr, refusals_say_what_and_where)
{
    CHECK(
        {"contains(f, 'a')", "RASK_ETYPE 9: contains() takes string, not float64 f"},
        {"i + name", "RASK_ETYPE 2: '+' does not go with int64 i and string name"},
        {"nam == 'x'", "RASK_ENOENT 0: no column \"nam\": did you mean \"name\"?"},
        {"qqqqqq > 1", "RASK_ENOENT 0: no column \"qqqqqq\""},
        {"contain(name, 'a')", "RASK_ENOENT 0: no function \"contain\": did you mean \"contains\"?"},
        {"day == '2020-13-01'", "RASK_EFORMAT 7: \"2020-13-01\" is no date: YYYY-MM-DD expected"},
        {"at > 'x'", "RASK_EFORMAT 5: \"x\" is no timestamp: YYYY-MM-DD HH:MM:SS expected"},
        {"i = 1", "RASK_EFORMAT 2: '=' does not compare: write =="},
        {"i < j < f",
         "RASK_EFORMAT 6: comparisons do not chain: write a < b and b < c, and ( ) around what & and | join"},
        {"i and b", "RASK_ETYPE 2: 'and' does not go with int64 i and bool b"},
        {"b AND b", "RASK_EFORMAT 2: small letters: write and"},
        {"not i", "RASK_ETYPE 0: 'not' does not go with int64 i"},
        {"-name", "RASK_ETYPE 0: '-' does not go with string name"},
        {"i in name",
         "RASK_ETYPE 5: a list expected behind in: x in (1, 2); for text in text write contains()"},
        {"i in (1, 'a')", "RASK_ETYPE 2: 'in' does not go with int64 i and string"},
        {"i in (j, 1)", "RASK_ETYPE 6: lists hold numbers and strings, not columns: write x == a or x == b"},
        {"i not 3", "RASK_EFORMAT 6: 'in' expected, not number 3"},
        {"(1, 2)", "RASK_ETYPE 0: a list goes with in alone: x in (1, 2)"},
        {"name.upper()", "RASK_EFORMAT 5: write upper(x), not x.upper()"},
        {"name[0]", "RASK_EFORMAT 4: this means nothing for columns: no [ ], no :, no ..."},
        {"abs()", "RASK_EFORMAT 0: abs() takes 1 argument, not 0"},
        {"round(f, 1, 2)", "RASK_EFORMAT 0: round() takes 1 or 2 arguments, not 3"},
        {"min()", "RASK_EFORMAT 0: min() takes arguments"},
        {"round(f, i)",
         "RASK_ETYPE 9: round() takes a number written here as its last argument, not int64 i"},
        {"hour(day)", "RASK_ETYPE 5: hour() takes timestamp, not date day"},
        {"year(1)", "RASK_ETYPE 5: year() takes date or timestamp, not int64"},
        {"coalesce(i, name)",
         "RASK_ETYPE 12: coalesce() takes values of one type, not int64 i and string name"},
        {"abs(x=1)", "RASK_EFORMAT 4: arguments have no names"},
        {"9223372036854775808",
         "RASK_ERANGE 0: integers have at most 64 bits, one of them the sign: write a float, such as 1e19"},
        {"2j", "RASK_ETYPE 0: columns have no complex numbers"},
        {"i @ j", "RASK_ETYPE 2: '@' does not go with int64 i and int64 j"},
        {"", "RASK_EFORMAT 0: an expression expected, not the end"},
        {"i;", "RASK_EFORMAT 1: an operator expected, not ';'"},
        {"`i", "RASK_EFORMAT 0: a name in backticks that no backtick ends; two are one of the name"},
        {"'a", "RASK_EFORMAT 0: a string that nothing ends"},
        {"'a\\", "RASK_EFORMAT 0: a string that nothing ends"},
        {"date(f)", "RASK_ETYPE 5: date() does not take float64 f"},
        {"i == 'x'", "RASK_ETYPE 2: '==' does not go with int64 i and string"},
        {"`and`", "RASK_ENOENT 0: no column \"and\""},
        {"i is null", "RASK_EFORMAT 2: no 'is': write is_null(a) or not is_null(a)"},
        {"1(2)", "RASK_ETYPE 1: this is no function"},
        {"nt == day", "RASK_ETYPE 3: '==' does not go with string nt and date day"});
}

static char *repeated(const char *before, const char *what, const char *behind, int count)
{
    size_t len = strlen(what);
    char *text = malloc(strlen(before) + len * (size_t)count + strlen(behind) + 1);
    cr_assert(text);
    char *at = stpcpy(text, before);
    for (int i = 0; i < count; i++)
        at = stpcpy(at, what);
    strcpy(at, behind);
    return text;
}

Test(expr, long_and_deep_texts_are_bounded)
{
    char *sum = repeated("i", " + i", "", 20000), *deep = repeated("", "(", "i", 100000),
         *nots = repeated("", "not ", "b", 1000);
    char *wide = repeated("max(i", ", -i", ")", 300);
    cr_expect_str_eq(result_of(sum), "int64: 140007 -140007 0 60003");
    cr_expect(strstr(result_of(deep), "nested deeper"));
    cr_expect(strstr(result_of(nots), "nested deeper"));
    cr_expect(strstr(result_of(wide), "more than 256 values"));
    free(sum), free(deep), free(nots), free(wide);
}

Test(expr, text_that_grows_without_end_is_refused)
{
    char *once = repeated("replace(name, 'n', '", "n", "')", 40000), *text = malloc(100000);
    rk_syntax_error error;
    rk_expr *e;
    rk_expr_run *run;
    uint64_t room = RK_EXPR_MEMO_BYTES;
    const rk_column *out;
    snprintf(text, 100000, "replace(%s, 'n%s", once, once + strlen("replace(name, 'n"));
    cr_assert_eq(rk_expr_compile(text, strlen(text), names, types, COLUMNS, &e, &error), RASK_OK, "%s",
                 error.message);
    cr_assert_eq(rk_expr_run_new(e, &room, &run), RASK_OK);
    cr_expect_eq(rk_expr_evaluate(e, run, places, ROWS, &out), RASK_ELIMIT);
    rk_expr_run_free(run);
    rk_expr_free(e);
    free(once), free(text);
}

Test(expr, uses_are_known)
{
    rk_syntax_error error;
    rk_expr *e;
    cr_assert_eq(rk_expr_compile("i > 0 and name in ('a',)", 24, names, types, COLUMNS, &e, &error), RASK_OK);
    for (uint32_t i = 0; i < COLUMNS + 1; i++)
        cr_expect_eq(rk_expr_uses(e, i), i == 0 || i == 7);
    cr_expect_eq(rk_expr_type(e), RASK_COL_BOOL);
    rk_expr_free(e);
    rk_expr_free(NULL);
}

Test(expr, true_rows_are_numbered)
{
    uint8_t values[37] = {0}, valid[37];
    uint32_t rows[37];
    rk_column column = {.type = RASK_COL_BOOL, .nulls = true, .boolean = values, .valid = valid};
    memset(valid, 1, sizeof valid);
    values[0] = values[9] = values[36] = 1;
    valid[10] = 0;
    cr_assert_eq(rk_column_true(&column, 37, rows), 3);
    cr_expect(rows[0] == 0 && rows[1] == 9 && rows[2] == 36);
    cr_expect_eq(rk_column_true(&column, 36, rows), 2);
}
