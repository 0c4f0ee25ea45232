/* Text to numbers, against the C library; types and names from samples. */
#include "collections/table/csv/numbers.h"
#include "collections/table/csv/parse.h"
#include "csv_support.h"

#include <errno.h>
#include <locale.h>
#include <math.h>

static locale_t c_locale;

static void begin(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static void expect_like_strtod(const char *text)
{
    char copy[2048] = {0};
    double value = 123, right = strtod_l(text, NULL, c_locale);
    strcpy(copy, text);
    cr_assert(rk_parse_f64(copy, strlen(text), c_locale, &value), "%s is refused", text);
    cr_assert(!memcmp(&value, &right, sizeof value), "%s: %a, not %a", text, value, right);
    if (rk_parse_f64_short(copy, strlen(text), &value))
        cr_assert(!memcmp(&value, &right, sizeof value), "%s, the short way: %a, not %a", text, value, right);
}

static uint64_t random_state = 88172645463325252u;
static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

Test(csv_parse, random_decimals_are_rounded_as_strtod_does, .init = begin)
{
    char text[128];
    for (int i = 0; i < 200000; i++) {
        int len = 0, digits = 1 + (int)(next_random() % 22), point = (int)(next_random() % 24);
        if (next_random() % 2)
            text[len++] = '-';
        for (int d = 0; d < digits; d++) {
            if (d == point)
                text[len++] = '.';
            text[len++] = (char)('0' + next_random() % 10);
        }
        text[len] = 0;
        if (next_random() % 4 == 0)
            sprintf(text + len, "e%d", (int)(next_random() % 700) - 350);
        expect_like_strtod(text);
    }
}

Test(csv_parse, doubles_come_back_as_they_were_printed, .init = begin)
{
    char text[64];
    for (int i = 0; i < 60000; i++) {
        uint64_t bits = next_random();
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) {
            sprintf(text, "%.17g", value);
            expect_like_strtod(text);
        }
        sprintf(text, "%.16f", (double)(bits >> 11) * 0x1p-53);
        expect_like_strtod(text);
    }
}

Test(csv_parse, numbers_between_two_doubles_go_to_the_even_one, .init = begin)
{
    static const char *const halves[] = {"9007199254740993",
                                         "9007199254740993.0000000000000000000000001",
                                         "9007199254740992.9999999999999999",
                                         "0.1",
                                         "0.30000000000000004",
                                         "4.9e-324",
                                         "2.4703282292062327e-324",
                                         "2.4703282292062328e-324",
                                         "1.7976931348623157e308",
                                         "1.7976931348623159e308",
                                         "1e309",
                                         "1e-400",
                                         "0e999999999999999999999",
                                         "0.000",
                                         "18446744073709551615",
                                         "9999999999999999999",
                                         "1e22",
                                         "1e23",
                                         "123456789012345678e-19",
                                         "1e99999999999999999999999",
                                         "1e-99999999999999999999999",
                                         "6631236846766476e-316"};
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
        expect_like_strtod(halves[i]);
    /* Half of the way between 1 and the next, written out, and what a digit far behind changes. */
    static char text[2000];
    int len = sprintf(text, "1.00000000000000011102230246251565404236316680908203125");
    expect_like_strtod(text);
    memset(text + len, '0', 1500);
    text[len + 1500] = 0;
    expect_like_strtod(text);
    text[len + 1499] = '1';
    expect_like_strtod(text);
}

Test(csv_parse, what_is_no_number_is_refused_and_nothing_is_written, .init = begin)
{
    static const char *const wrong[] = {
        "",         "-",         "+",     ".",    "-.",     "e5",           "1e",
        "1e+",      "1..2",      "1.2.3", "--1",  "+-1",    "0x10",         "1 2",
        "1,2",      "in",        "infin", "nanx", "nan(1)", "1e5.5",        "12345678.12345678.",
        "1234567/", "12345678:", "1_000", "\xff", "1\xb0",  "11111111\xb0", "/",
        ":",        "- 1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char copy[64] = {0};
        double f = 5;
        int64_t n = 5;
        strcpy(copy, wrong[i]);
        cr_assert(!rk_parse_f64(copy, strlen(copy), c_locale, &f) && f == 5, "\"%s\" is a float", wrong[i]);
        cr_assert(!rk_parse_i64(copy, strlen(copy), &n) && n == 5, "\"%s\" is an integer", wrong[i]);
    }
}

Test(csv_parse, integers_of_every_length_are_read_and_do_not_overflow)
{
    for (int i = 0; i < 200000; i++) {
        int64_t value = (int64_t)(next_random() >> (next_random() % 64)), read = 0;
        char text[64] = {0};
        value = next_random() % 2 ? value : -value;
        int len = sprintf(text, "%s%0*" PRId64, value >= 0 && i % 7 == 0 ? "+" : "", i % 5 ? 0 : 24, value);
        cr_assert(rk_parse_i64(text, (size_t)len, &read) && read == value, "%s: %" PRId64, text, read);
    }
    static const char *const over[] = {"9223372036854775808", "-9223372036854775809", "18446744073709551616",
                                       "100000000000000000000"};
    for (size_t i = 0; i < sizeof over / sizeof *over; i++) {
        char copy[64] = {0};
        int64_t n;
        strcpy(copy, over[i]);
        cr_assert_not(rk_parse_i64(copy, strlen(copy), &n), "%s", over[i]);
    }
}

/* Up to ten characters, mostly what numbers are made of; behind them more of these. Its length. */
static uint64_t random_number(char *text)
{
    static const char letters[] = "01234567890123456789.5-+e:/ ";
    size_t choice = next_random() % 4 ? 20 : sizeof letters - 1, point = next_random() % 12;
    for (size_t i = 0; i < 16; i++)
        text[i] = i == point ? '.' : letters[next_random() % choice];
    if (next_random() % 3 == 0)
        text[0] = '-';
    return next_random() % 11;
}

Test(csv_parse, many_numbers_at_once_are_what_each_of_them_is)
{
    char text[RK_NUMBERS][48] = {0};
    uint64_t words[RK_NUMBERS], lens[RK_NUMBERS], done = 0;
    for (int round = 0; round < 4000; round++) {
        double f[RK_NUMBERS], real = 7;
        int64_t n[RK_NUMBERS], integer = 7;
        uint32_t count = 1 + (uint32_t)(next_random() % RK_NUMBERS);
        for (uint32_t i = 0; i < count; i++) {
            lens[i] = random_number(text[i]);
            words[i] = rk_load64(text[i]);
        }
        uint64_t reals = rk_csv_doubles(words, lens, count, f),
                 integers = rk_csv_integers(words, lens, count, n);
        for (uint32_t i = 0; i < count; i++) {
            bool is_real = rk_parse_f64_short(text[i], lens[i], &real);
            bool is_integer = rk_parse_i64_short(text[i], lens[i], &integer);
            cr_assert(reals >> i & 1 || (is_real && !memcmp(&f[i], &real, sizeof real)), "%.*s", (int)lens[i],
                      text[i]);
            cr_assert(integers >> i & 1 || (is_integer && n[i] == integer), "%.*s", (int)lens[i], text[i]);
            done += !(reals >> i & 1);
        }
        cr_assert(count == RK_NUMBERS || !((reals | integers) >> count));
    }
    cr_assert(!rk_csv_numbers_there() || done > 1000);
}

Test(csv_parse, dates_are_days_of_the_calendar)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = -719528;
    for (int y = 0; y < 10000; y++)
        for (int m = 1; m <= 12; m++) {
            int length = lengths[m - 1] + (m == 2 && (y % 4 == 0 && (y % 100 || y % 400 == 0)));
            for (int d = 0; d <= 32; d += d < 2 || d >= 27 ? 1 : 5) {
                char text[64] = {0};
                int64_t read = INT64_MIN;
                sprintf(text, "%04d-%02d-%02d", y, m, d);
                bool is = rk_parse_date(text, 10, &read);
                cr_assert_eq(is, d >= 1 && d <= length, "%s", text);
                cr_assert(!is || read == days + d - 1, "%s: %" PRId64, text, read);
            }
            days += length;
        }
}

Test(csv_parse, dates_and_times_that_are_none_are_refused)
{
    static const char *const wrong[] = {"2020-13-01",
                                        "2020-00-01",
                                        "2020-1-01",
                                        "20200101",
                                        "2020/01/01",
                                        "2020-01-01 ",
                                        "2020-01-0a",
                                        "202o-01-01",
                                        "2020-01-01 24:00",
                                        "2020-01-01 12:60",
                                        "2020-01-01 12:00:60",
                                        "2020-01-01 12",
                                        "2020-01-01 12:0",
                                        "2020-01-01 12:00:",
                                        "2020-01-01 12:00:00.",
                                        "2020-01-01 12:00:00.1234567890",
                                        "2020-01-01x12:00",
                                        "2020-01-01 12:00ZZ",
                                        "2020-01-01 12:00:0",
                                        "2020-01-01 12-00",
                                        "2020-19-01",
                                        "2020-99-99"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char copy[64] = {0};
        int64_t value = 7;
        strcpy(copy, wrong[i]);
        cr_assert_not(rk_parse_date(copy, strlen(copy), &value), "%s", wrong[i]);
        cr_assert(!rk_parse_timestamp(copy, strlen(copy), &value) && value == 7, "%s", wrong[i]);
    }
}

static rk_csv_schema infer(const rk_csv_format *f, const char *text)
{
    rk_csv_schema schema = {0};
    rk_csv_error error = {0};
    char *copy = padded(text, strlen(text));
    rask_bytes sample = {copy, strlen(text)};
    cr_assert_eq(rk_csv_infer(f, &sample, 1, true, &schema, &error), RASK_OK, "%s: %s", text, error.message);
    free(copy);
    return schema;
}

static void expect_types(const char *text, const char *types)
{
    static const char letters[] = "bifdts";
    rk_csv_schema schema = infer(&plain_format, text);
    cr_assert_eq(schema.count, strlen(types));
    for (uint32_t i = 0; i < schema.count; i++)
        cr_assert_eq(letters[schema.types[i]], types[i], "%s: column %u is %s", text, i,
                     rask_column_type_name(schema.types[i]));
    rk_csv_schema_fini(&schema);
}

Test(csv_infer, types_are_what_all_values_are)
{
    expect_types("1,1.5,true,2020-01-01,2020-01-01 10:00,x\n", "ifbdts");
    expect_types("1,1,true,2020-01-01,2020-01-01T10:00:00Z,\n2,1.5,1,x,2020-01-01,\n", "ifssss");
    expect_types(",,,\n 3 ,\"4\",inf,\"\"\n", "iifs");
    expect_types("9223372036854775807\n", "i");
    expect_types("9223372036854775808\n1\n", "f");
    expect_types("1\n2.5", "f");
    expect_types("\xef\xbb\xbf"
                 "1\r\n2\r\n",
                 "i");
    expect_types("nan,TRUE\n,false\n", "fb");
}

/* types: of the others, a letter a column, t: there is no odd value. */
static void expect_odds(const char *text, const char *types, const char *first)
{
    static const char letters[] = "bifdts";
    rk_csv_schema schema = infer(&plain_format, text);
    rk_csv_odd odds[4];
    char *copy = padded(text, strlen(text));
    const rask_bytes sample = {copy, strlen(text)};
    cr_assert_eq(schema.count, strlen(types));
    cr_assert_eq(rk_csv_find_odds(&plain_format, &sample, 1, &schema, odds), RASK_OK);
    for (uint32_t i = 0; i < schema.count; i++)
        cr_assert_eq(letters[odds[i].type], types[i], "%s: column %u is %s", text, i,
                     rask_column_type_name(odds[i].type));
    if (first)
        cr_assert_str_eq(odds[0].text, first);
    free(copy);
    rk_csv_schema_fini(&schema);
}

Test(csv_infer, the_type_that_two_thirds_of_the_values_have_is_no_matter_of_which_comes_first)
{
    expect_odds("true\n0\n1\n2\n3\n4\n", "i", "true");
    expect_odds("0\n1\n2\n3\n4\ntrue\n", "i", "true");
    expect_odds("2020-01-01\n1\n2.5\nx\n3\n4\n5\n", "f", "2020-01-01");
    expect_odds("true\nfalse\n0\n1\n", "s", NULL);
    expect_odds("x,1,1,a\n1,2,2.5,b\n2,3,y,c\n3,4,4,d\n", "isfs", "x");
    expect_odds("1\n\n2\n", "s", NULL);
}

Test(csv_infer, an_odd_value_is_shown_in_whole_characters_and_without_control_characters)
{
    char text[256] = "1\n2\n3\n4\n5\n\x1b[31mred\x07\x7f\xc3\xa4\xff\n", long_one[160];
    expect_odds(text, "i", "\\x1b[31mred\\x07\\x7f\xc3\xa4\\xff");
    memset(long_one, 0, sizeof long_one);
    for (int i = 0; i < 40; i++)
        strcat(long_one, "\xe2\x82\xac");
    snprintf(text, sizeof text, "1\n2\n3\n4\n%s\n", long_one);
    long_one[63] = 0;
    expect_odds(text, "i", long_one);
}

Test(csv_infer, names_are_made_unique_and_never_empty)
{
    rk_csv_format f = {.delimiter = ',', .quote = '"', .header = true};
    static const char *const right[] = {"a", "a_2", "column_3", "a_2_2", "a_3", "b\"c", "column_3_2", "d"};
    rk_csv_schema schema = infer(&f, "\xef\xbb\xbf"
                                     "a,a,,a_2,a,\"b\"\"c\",column_3,d\r\n1,2,3,4,5,6,7,8\n");
    cr_assert_eq(schema.count, 8);
    for (uint32_t i = 0; i < 8; i++)
        cr_assert_str_eq(schema.names[i], right[i]);
    rk_csv_schema_fini(&schema);
    schema = infer(&plain_format, "1,2\n");
    cr_assert_str_eq(schema.names[1], "column_2");
    rk_csv_schema_fini(&schema);
}

Test(csv_infer, samples_end_anywhere_and_the_first_one_must_be_sound)
{
    char *first = padded("a,b\n1,2\n3,x", 11), *second = padded("4,5.5\n\"", 7);
    rask_bytes samples[] = {{first, 11}, {second, 7}};
    rk_csv_format f = {.delimiter = ',', .quote = '"', .header = true};
    rk_csv_schema schema;
    rk_csv_error error;
    cr_assert_eq(rk_csv_infer(&f, samples, 2, false, &schema, &error), RASK_OK);
    cr_assert(schema.types[0] == RASK_COL_I64 && schema.types[1] == RASK_COL_F64);
    rk_csv_schema_fini(&schema);
    samples[0] = (rask_bytes){first, 3};
    cr_assert_eq(rk_csv_infer(&f, samples, 1, false, &schema, &error), RASK_EFORMAT);
    cr_assert_str_eq(error.message, "no record in the first 3 bytes");
    samples[0] = (rask_bytes){first, 0};
    cr_assert_eq(rk_csv_infer(&f, samples, 1, true, &schema, &error), RASK_EFORMAT);
    free(second);
    second = padded("a,b\n1\n", 6);
    samples[0] = (rask_bytes){second, 6};
    cr_assert_eq(rk_csv_infer(&f, samples, 1, true, &schema, &error), RASK_EFORMAT);
    cr_assert(error.line == 1 && !strcmp(error.message, "record has 1 field, 2 expected"));
    free(first);
    free(second);
}

Test(csv_infer, the_delimiter_is_the_one_that_cuts_evenly)
{
    static const struct {
        const char *text;
        char delimiter;
    } cases[] = {{"a;b;c\n1,5;2;3\n", ';'}, {"a\tb\n1\t2\n", '\t'}, {"a|b|c\n1|\"x|y\"|3\n", '|'},
                 {"a,b\n1,2\n", ','},       {"abc\ndef\n", ','},    {"", ','}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *copy = padded(cases[i].text, strlen(cases[i].text));
        cr_assert_eq(rk_csv_sniff_delimiter(&plain_format, (rask_bytes){copy, strlen(cases[i].text)}),
                     cases[i].delimiter, "%s", cases[i].text);
        free(copy);
    }
}
