/* Values as text in files: numbers and dates of every length, against the C library, and rows. */
#include "collections/table/print.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *text_of(const rk_column *column)
{
    static char text[RK_NUMBER_TEXT + 1];
    text[rk_print_value(column, 0, text)] = 0;
    return text;
}

static void expect_integer(int64_t value)
{
    char expected[32];
    snprintf(expected, sizeof expected, "%" PRId64, value);
    cr_assert_str_eq(text_of(&(rk_column){.type = RASK_COL_I64, .i64 = &value}), expected);
}

Test(print, integers_of_every_length)
{
    int64_t power = 1;
    srand(1);
    for (int digits = 1; digits < 19; digits++, power *= 10)
        for (int i = 0; i < 1000; i++) {
            int64_t value =
                power + (int64_t)(((uint64_t)rand() << 31 | (uint64_t)rand()) % (uint64_t)(9 * power));
            expect_integer(value);
            expect_integer(-value);
        }
    for (power = 1; power < INT64_MAX / 10; power *= 10) {
        expect_integer(power);
        expect_integer(power - 1);
    }
    expect_integer(INT64_MAX);
    expect_integer(INT64_MIN);
}

Test(print, decimals_have_the_digits_that_they_were_read_with)
{
    char expected[40];
    srand(2);
    for (int decimals = 1; decimals < 10; decimals++)
        for (int i = 0; i < 3000; i++) {
            int64_t digits =
                (int64_t)(((uint64_t)rand() << 20 ^ (uint64_t)rand()) >> (rand() % 40 + 5)) * 10 + 1 +
                rand() % 9;
            double power = pow(10, decimals), value = (double)digits / power;
            if (value < 1e-4)
                continue;
            snprintf(expected, sizeof expected, "-%.*f", decimals, value);
            cr_assert_str_eq(text_of(&(rk_column){.type = RASK_COL_F64, .f64 = &value}), expected + 1);
            value = -value;
            cr_assert_str_eq(text_of(&(rk_column){.type = RASK_COL_F64, .f64 = &value}), expected);
        }
    static const struct {
        double value;
        const char *text;
    } others[] = {{0, "0.0"},
                  {-0.0, "-0.0"},
                  {3, "3.0"},
                  {1200, "1200.0"},
                  {-0.5, "-0.5"},
                  {12.0340, "12.034"},
                  {1e-4, "0.0001"},
                  {99999999.9999, "99999999.9999"},
                  {99999999.99995, "99999999.99995"},
                  {100000000.5, "100000000.5"},
                  {1e15 - 1, "999999999999999.0"},
                  {INFINITY, "inf"},
                  {-INFINITY, "-inf"},
                  {NAN, "nan"},
                  {0.1 + 0.2, "0.30000000000000004"},
                  {1.999999999, "1.999999999"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_expect_str_eq(text_of(&(rk_column){.type = RASK_COL_F64, .f64 = (double *)&others[i].value}),
                         others[i].text);
}

Test(print, dates_and_timestamps_of_every_year)
{
    char expected[64];
    for (int64_t days = -719162; days < 3000000; days += 97) { /* from year 1 on */
        time_t seconds = (time_t)days * 86400;
        struct tm date;
        gmtime_r(&seconds, &date);
        snprintf(expected, sizeof expected, "%04d-%02d-%02d", date.tm_year + 1900, date.tm_mon + 1,
                 date.tm_mday);
        cr_assert_str_eq(text_of(&(rk_column){.type = RASK_COL_DATE, .i64 = &days}), expected);
        int64_t time = (days * 86400 + 45296) * 1000000 + 7;
        strcat(expected, " 12:34:56.000007");
        cr_assert_str_eq(text_of(&(rk_column){.type = RASK_COL_TIMESTAMP, .i64 = &time}), expected);
    }
    int64_t days = -719528 - 365; /* 0000-01-01 and a year */
    cr_expect_str_eq(text_of(&(rk_column){.type = RASK_COL_DATE, .i64 = &days}), "-0001-01-01");
}

Test(print, rows_with_nulls_and_quotes)
{
    int64_t numbers[] = {1, 0, -3};
    uint8_t has[] = {1, 0, 1}, truths[] = {1, 0, 1};
    rask_bytes texts[] = {{"plain", 5}, {"", 0}, {"a \"b\", c", 8}};
    const rk_column number = {.type = RASK_COL_I64, .nulls = true, .i64 = numbers, .valid = has},
                    truth = {.type = RASK_COL_BOOL, .boolean = truths},
                    text = {.type = RASK_COL_TEXT, .text = texts};
    const rk_column *const columns[] = {&number, &text, &truth};
    const char *const names[] = {"n", "t,u", "b"};
    rk_array out = RK_ARRAY(char, SIZE_MAX);
    cr_assert_eq(rk_print_header(&out, names, 3, ','), RASK_OK);
    cr_assert_eq(rk_print_rows(&out, RK_PRINT_CSV, names, columns, 3, 3, ','), RASK_OK);
    static const char expected[] = "n,\"t,u\",b\n1,plain,true\n,\"\",false\n-3,\"a \"\"b\"\", c\",true\n";
    cr_expect_eq(out.count, sizeof expected - 1);
    cr_expect_arr_eq(out.data, expected, sizeof expected - 1);
    rk_array_fini(&out);
}
