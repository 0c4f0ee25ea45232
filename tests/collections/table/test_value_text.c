/* Single values from text, and back. */
#include "collections/table/value_text.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rask_bytes bytes(const char *text)
{
    return (rask_bytes){text, strlen(text)};
}

Test(value_text, integers)
{
    int64_t value = 5;
    cr_expect(rk_text_i64(bytes(" +0012 "), &value) && value == 12);
    cr_expect(rk_text_i64(bytes("-9223372036854775808"), &value) && value == INT64_MIN);
    cr_expect(rk_text_i64(bytes("9223372036854775807"), &value) && value == INT64_MAX);
    static const char *const wrong[] = {"",
                                        " ",
                                        "-",
                                        "+",
                                        "1.0",
                                        "1 2",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "12x",
                                        "0x1",
                                        "--1",
                                        "99999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect(!rk_text_i64(bytes(wrong[i]), &value) && value == INT64_MAX, "%s", wrong[i]);
}

Test(value_text, bools)
{
    uint8_t value = 7;
    cr_expect(rk_text_bool(bytes("True"), &value) && value == 1);
    cr_expect(rk_text_bool(bytes("FALSE "), &value) && value == 0);
    cr_expect(!rk_text_bool(bytes("yes"), &value) && !rk_text_bool(bytes(""), &value) &&
              !rk_text_bool(bytes("1"), &value));
}

Test(value_text, floats_are_read_as_the_c_library_reads_them)
{
    char text[80];
    srand(7);
    for (int i = 0; i < 100000; i++) {
        double value = -1, expected;
        int64_t digits = (int64_t)rand() << 31 ^ rand();
        if (i % 3 == 0)
            snprintf(text, sizeof text, "%" PRId64 "e%d", digits, rand() % 700 - 360);
        else if (i % 3 == 1)
            snprintf(text, sizeof text, "%d.%0*d", rand() % 100000 - 50000, rand() % 20 + 1, rand() % 1000);
        else
            snprintf(text, sizeof text, "%.*g", rand() % 20 + 1, (double)digits * pow(10, rand() % 40 - 20));
        expected = strtod(text, NULL);
        cr_assert(rk_text_f64(bytes(text), &value) && memcmp(&value, &expected, 8) == 0, "%s: %a, not %a",
                  text, value, expected);
    }
}

Test(value_text, floats_have_forms)
{
    double value = 0;
    cr_expect(rk_text_f64(bytes("-inf"), &value) && value == -INFINITY);
    cr_expect(rk_text_f64(bytes("Infinity"), &value) && value == INFINITY);
    cr_expect(rk_text_f64(bytes("NaN"), &value) && isnan(value));
    cr_expect(rk_text_f64(bytes(".5"), &value) && value == 0.5);
    cr_expect(rk_text_f64(bytes("5."), &value) && value == 5);
    cr_expect(rk_text_f64(bytes("-0"), &value) && value == 0 && signbit(value));
    cr_expect(rk_text_f64(bytes("1e999999999999999999999"), &value) && value == INFINITY);
    cr_expect(rk_text_f64(bytes("0e999999999999999999999"), &value) && value == 0);
    static const char *const wrong[] = {"",     ".",    "-",    "e5",   "1e",  "1e+",
                                        "1 e5", "0x10", "infi", "1.5.", "--1", "+"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect(!rk_text_f64(bytes(wrong[i]), &value), "%s", wrong[i]);
}

Test(value_text, floats_are_written_so_that_they_read_back)
{
    char text[RK_F64_TEXT];
    double back = 0;
    srand(9);
    for (int i = 0; i < 30000; i++) {
        uint64_t bits = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
        double value;
        memcpy(&value, &bits, 8);
        if (i % 2)
            value = (rand() % 2000000 - 1000000) / (double)(rand() % 1000 + 1);
        size_t len = rk_f64_text(value, text);
        cr_assert(len < RK_F64_TEXT && rk_text_f64((rask_bytes){text, len}, &back), "%a", value);
        cr_assert(isnan(value) ? isnan(back) : back == value, "%.*s is not %a", (int)len, text, value);
    }
}

Test(value_text, floats_are_written_short)
{
    static const struct {
        double value;
        const char *text;
    } examples[] = {{0, "0.0"},
                    {-0.0, "-0.0"},
                    {1, "1.0"},
                    {0.1, "0.1"},
                    {-12.345, "-12.345"},
                    {1e15, "1e+15"},
                    {123456789, "123456789.0"},
                    {1.0 / 3, "0.3333333333333333"},
                    {1e-7, "1e-07"},
                    {100, "100.0"},
                    {1e22, "1e+22"},
                    {0.001, "0.001"},
                    {INFINITY, "inf"},
                    {5e-324, "4.94065645841247e-324"}};
    char text[RK_F64_TEXT];
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        size_t len = rk_f64_text(examples[i].value, text);
        cr_expect(len == strlen(examples[i].text) && !memcmp(text, examples[i].text, len), "%.*s, not %s",
                  (int)len, text, examples[i].text);
    }
}

Test(value_text, dates)
{
    int64_t value = 0;
    cr_expect(rk_text_date(bytes("1970-01-01"), &value) && value == 0);
    cr_expect(rk_text_date(bytes(" 2000-02-29"), &value) && value == 11016);
    cr_expect(rk_text_date(bytes("0000-01-01"), &value) && value == -719528);
    static const char *const wrong[] = {"1900-02-29", "2020-00-01",  "2020-13-01", "2020-01-00",
                                        "2020-01-32", "2020-1-1",    "2020-04-31", "2020/01/01",
                                        "20200101",   "2020-01-011", "",           "-020-01-01"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect(!rk_text_date(bytes(wrong[i]), &value), "%s", wrong[i]);
}

Test(value_text, every_day_has_one_date)
{
    rk_date before = rk_date_of(-800000);
    for (int64_t days = -799999; days < 800000; days++) {
        rk_date date = rk_date_of(days);
        cr_assert_eq(rk_date_days(date), days);
        bool next = date.day == before.day + 1 && date.month == before.month;
        cr_assert(next || (date.day == 1 && date.month == before.month % 12 + 1), "%lld", (long long)days);
        before = date;
    }
    cr_assert_eq(rk_date_days(rk_date_of(RK_MAX_DATE)), RK_MAX_DATE);
    cr_assert_eq(rk_date_days(rk_date_of(-RK_MAX_DATE)), -RK_MAX_DATE);
}

Test(value_text, timestamps)
{
    int64_t value = 0, noon = 43200000000;
    cr_expect(rk_text_timestamp(bytes("1970-01-01 12:00"), &value) && value == noon);
    cr_expect(rk_text_timestamp(bytes("1970-01-01T12:00:01Z"), &value) && value == noon + 1000000);
    cr_expect(rk_text_timestamp(bytes("1970-01-01 12:00:00.5"), &value) && value == noon + 500000);
    cr_expect(rk_text_timestamp(bytes("1970-01-01 12:00:00.123456789"), &value) && value == noon + 123456);
    cr_expect(rk_text_timestamp(bytes("1969-12-31"), &value) && value == -RK_DAY_MICROSECONDS);
    static const char *const wrong[] = {"1970-01-01 24:00",
                                        "1970-01-01 12:60",
                                        "1970-01-01 12:00:60",
                                        "1970-01-01 12",
                                        "1970-01-01 12:00:",
                                        "1970-01-01 12:00:00.",
                                        "1970-01-01 12:00:00.1234567890",
                                        "1970-01-01x12:00",
                                        "1970-01-01 12:00ZZ",
                                        "1970-01-01Z",
                                        ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect(!rk_text_timestamp(bytes(wrong[i]), &value), "%s", wrong[i]);
}
