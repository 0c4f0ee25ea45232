#include "collections/table/value_text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_NUMBER = 800 }; /* characters of a float: more than decide its rounding */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static rask_bytes trimmed(rask_bytes t)
{
    while (t.len && (*t.data == ' ' || *t.data == '\t')) {
        t.data++;
        t.len--;
    }
    while (t.len && (t.data[t.len - 1] == ' ' || t.data[t.len - 1] == '\t'))
        t.len--;
    return t;
}

static bool same(rask_bytes t, const char *word)
{
    return t.len == strlen(word) && strncasecmp(t.data, word, t.len) == 0;
}

bool rk_text_i64(rask_bytes text, int64_t *out)
{
    rask_bytes t = trimmed(text);
    size_t sign = t.len && (*t.data == '-' || *t.data == '+');
    int64_t value = 0; /* negative, since there is one more of those */
    if (t.len == sign)
        return false;
    for (size_t i = sign; i < t.len; i++) {
        if (!is_digit(t.data[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, t.data[i] - '0', &value))
            return false;
    }
    bool negative = sign && *t.data == '-';
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}

bool rk_text_bool(rask_bytes text, uint8_t *out)
{
    rask_bytes t = trimmed(text);
    bool yes = same(t, "true");
    if (!yes && !same(t, "false"))
        return false;
    *out = yes;
    return true;
}

/* --- floats */

typedef struct decimal {
    uint64_t digits; /* of the number without its point */
    int64_t power;   /* of ten that they are multiplied with */
    bool exact;      /* digits holds them all */
} decimal;

static size_t take_digits(rask_bytes t, size_t at, bool fraction, decimal *d)
{
    size_t from = at;
    for (; at < t.len && is_digit(t.data[at]); at++) {
        d->exact = d->exact && d->digits < (UINT64_C(1) << 53) / 10;
        if (d->exact)
            d->digits = d->digits * 10 + (unsigned)(t.data[at] - '0');
        d->power -= fraction;
    }
    return at - from;
}

/* From behind the sign. */
static bool take_decimal(rask_bytes t, size_t at, decimal *d)
{
    size_t whole = take_digits(t, at, false, d), fraction = 0;
    at += whole;
    if (at < t.len && t.data[at] == '.') {
        fraction = take_digits(t, at + 1, true, d);
        at += 1 + fraction;
    }
    if (!whole && !fraction)
        return false;
    if (at < t.len && (t.data[at] | 0x20) == 'e') {
        int64_t exponent = 0;
        bool negative = ++at < t.len && t.data[at] == '-';
        size_t from = at += at < t.len && (t.data[at] == '-' || t.data[at] == '+');
        for (; at < t.len && is_digit(t.data[at]); at++)
            exponent = exponent < 100000 ? exponent * 10 + (t.data[at] - '0') : exponent;
        if (at == from)
            return false;
        d->power += negative ? -exponent : exponent;
    }
    return at == t.len;
}

static bool careful_f64(rask_bytes t, double *out)
{
    char text[MAX_NUMBER + 1];
    if (t.len > MAX_NUMBER)
        return false;
    memcpy(text, t.data, t.len);
    text[t.len] = 0;
    locale_t points = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* in glibc this one is static */
    *out = points ? strtod_l(text, NULL, points) : strtod(text, NULL);
    if (points)
        freelocale(points);
    return true;
}

static bool named_f64(rask_bytes t, bool negative, double *out)
{
    bool infinite = same(t, "inf") || same(t, "infinity");
    if (!infinite && !same(t, "nan"))
        return false;
    *out = infinite ? (negative ? -INFINITY : INFINITY) : NAN;
    return true;
}

/* Digits and powers of ten that doubles hold exactly need one rounding alone (Clinger 1990). */
bool rk_text_f64(rask_bytes text, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    rask_bytes t = trimmed(text);
    bool negative = t.len && *t.data == '-';
    size_t sign = t.len && (*t.data == '-' || *t.data == '+');
    decimal d = {.exact = true};
    if (!take_decimal(t, sign, &d))
        return t.len > sign && named_f64((rask_bytes){t.data + sign, t.len - sign}, negative, out);
    if (!d.exact || d.power < -22 || d.power > 22)
        return careful_f64(t, out);
    double value = (double)d.digits;
    value = d.power < 0 ? value / powers[-d.power] : value * powers[d.power];
    *out = negative ? -value : value;
    return true;
}

/* Numbers of few decimals, such as prices: digits / 10^k is correctly rounded, so where it is the value, its text reads
 * back as it; the least k has the fewest digits. 0: not one of those. */
static size_t short_f64_text(double value, char out[RK_F64_TEXT])
{
    enum { DECIMALS = 6 };
    double size = fabs(value), scale = 1;
    int decimals = 0;
    if (!(size < 1e9 && (size >= 1e-3 || value == 0)))
        return 0;
    while (rint(size * scale) / scale != size && decimals <= DECIMALS) {
        scale *= 10;
        decimals++;
    }
    if (decimals > DECIMALS)
        return 0;
    char text[RK_F64_TEXT];
    size_t at = sizeof text;
    uint64_t digits = (uint64_t)rint(size * scale);
    for (int i = 0; i < decimals; i++, digits /= 10)
        text[--at] = (char)('0' + digits % 10);
    if (!decimals)
        text[--at] = '0';
    text[--at] = '.';
    do
        text[--at] = (char)('0' + digits % 10);
    while (digits /= 10);
    if (signbit(value))
        text[--at] = '-';
    memcpy(out, text + at, sizeof text - at);
    return sizeof text - at;
}

size_t rk_f64_text(double value, char out[RK_F64_TEXT])
{
    size_t len = short_f64_text(value, out);
    if (len)
        return len;
    if (isnan(value) || isinf(value))
        return (size_t)snprintf(out, RK_F64_TEXT, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
    for (int digits = 15; digits <= 17; digits++) {
        double back = 0;
        len = (size_t)snprintf(out, RK_F64_TEXT, "%.*g", digits, value);
        for (size_t i = 0; i < len; i++) /* the point of another locale */
            out[i] = is_digit(out[i]) || strchr("+-e", out[i]) ? out[i] : '.';
        if (rk_text_f64((rask_bytes){out, len}, &back) && back == value)
            break;
    }
    if (!memchr(out, '.', len) && !memchr(out, 'e', len)) {
        out[len++] = '.';
        out[len++] = '0';
    }
    return len;
}

/* --- dates */

/* Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March, eras have 400 of them. */
int64_t rk_date_days(rk_date date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * ((int64_t)date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

rk_date rk_date_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned in_era = (unsigned)(days - era * 146097);
    unsigned year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
    unsigned march = (5 * in_year + 2) / 153;
    unsigned month = march < 10 ? march + 3 : march - 9;
    return (rk_date){year + era * 400 + (month <= 2), month, in_year - (153 * march + 2) / 5 + 1};
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* count digits at a place, at most most. */
static bool digits_at(rask_bytes t, size_t at, size_t count, unsigned most, unsigned *out)
{
    *out = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= t.len || !is_digit(t.data[i]))
            return false;
        *out = *out * 10 + (unsigned)(t.data[i] - '0');
    }
    return *out <= most;
}

static bool date_at_start(rask_bytes t, int64_t *days)
{
    unsigned year, month, day;
    if (t.len < 10 || t.data[4] != '-' || t.data[7] != '-' || !digits_at(t, 0, 4, 9999, &year) ||
        !digits_at(t, 5, 2, 12, &month) || !month || !digits_at(t, 8, 2, 31, &day) || !day ||
        day > month_days(year, month))
        return false;
    *days = rk_date_days((rk_date){year, month, day});
    return true;
}

bool rk_text_date(rask_bytes text, int64_t *out)
{
    rask_bytes t = trimmed(text);
    return t.len == 10 && date_at_start(t, out);
}

/* Fraction of a second behind the point at byte 19, in microseconds. *end: the byte behind it. */
static bool fraction_at(rask_bytes t, int64_t *micros, size_t *end)
{
    size_t count = 0;
    int64_t unit = 100000;
    for (*micros = 0; 20 + count < t.len && is_digit(t.data[20 + count]); count++, unit /= 10)
        *micros += unit * (t.data[20 + count] - '0');
    *end = 20 + count;
    return count > 0 && count <= 9;
}

bool rk_text_timestamp(rask_bytes text, int64_t *out)
{
    rask_bytes t = trimmed(text);
    int64_t days, micros = 0;
    unsigned hour, minute, second = 0;
    size_t end = 16;
    if (!date_at_start(t, &days))
        return false;
    if (t.len == 10) {
        *out = days * RK_DAY_MICROSECONDS;
        return true;
    }
    if (t.len < 16 || (t.data[10] != 'T' && t.data[10] != ' ') || t.data[13] != ':' ||
        !digits_at(t, 11, 2, 23, &hour) || !digits_at(t, 14, 2, 59, &minute))
        return false;
    if (end < t.len && t.data[end] == ':') {
        end = 19;
        if (!digits_at(t, 17, 2, 59, &second) ||
            (t.len > 19 && t.data[19] == '.' && !fraction_at(t, &micros, &end)))
            return false;
    }
    end += end < t.len && t.data[end] == 'Z';
    if (end != t.len)
        return false;
    *out = days * RK_DAY_MICROSECONDS + ((int64_t)hour * 3600 + minute * 60 + second) * 1000000 + micros;
    return true;
}
