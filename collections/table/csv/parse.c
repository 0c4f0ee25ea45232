#include "collections/table/csv/parse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

const double rk_parse_powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool rk_parse_i64(const char *data, size_t len, int64_t *out)
{
    if (len && rk_parse_i64_short(data, len, out))
        return true;
    bool negative = len && *data == '-';
    size_t i = len && (negative || *data == '+');
    uint64_t value = 0, most = (uint64_t)INT64_MAX + negative;
    if (i == len)
        return false;
    for (; i < len; i++) {
        unsigned digit = (unsigned char)data[i] - (unsigned)'0';
        if (digit > 9 || value > (most - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = (int64_t)(negative ? 0 - value : value);
    return true;
}

RK_PARSE_KERNEL bool rk_parse_f64_medium(const char *data, size_t len, double *out)
{
    if (len - 9 >= 8)
        return false;
    unsigned __int128 digits = (unsigned __int128)(rk_load64(data + 8) ^ UINT64_C(0x3030303030303030)) << 64 |
                               (rk_load64(data) ^ UINT64_C(0x3030303030303030));
    digits <<= 128 - 8 * len;
    uint64_t low = (uint64_t)digits ^ UINT64_C(0x1e1e1e1e1e1e1e1e),
             high = (uint64_t)(digits >> 64) ^ UINT64_C(0x1e1e1e1e1e1e1e1e);
    low = (low - UINT64_C(0x0101010101010101)) & ~low & UINT64_C(0x8080808080808080);
    high = (high - UINT64_C(0x0101010101010101)) & ~high & UINT64_C(0x8080808080808080);
    size_t decimals = 0;
    if (low | high) {
        int place = low ? __builtin_ctzll(low) - 7 : __builtin_ctzll(high) + 57;
        unsigned __int128 point = (unsigned __int128)1 << place;
        decimals = 15 - (size_t)place / 8;
        digits = ((digits & -point) ^ point * 0x1e) | (digits & (point - 1)) << 8;
    }
    if (!rk_digits_valid((uint64_t)digits) || !rk_digits_valid((uint64_t)(digits >> 64)))
        return false;
    uint64_t value =
        rk_digits_value((uint64_t)digits) * 100000000 + rk_digits_value((uint64_t)(digits >> 64));
    if (value > (uint64_t)1 << 53)
        return false;
    *out = (double)value / rk_parse_powers[decimals];
    return true;
}

/* What a decimal number says: digits · 10^exponent, the digits being len characters from data on without the point. */
typedef struct decimal {
    const char *data;
    size_t len;       /* from the first digit that is not 0 to the end of digits and point */
    uint64_t value;   /* of the first 19 digits */
    size_t digits;    /* from the first that is not 0 on */
    int64_t exponent; /* of the number that all digits make */
} decimal;

enum { MOST_DIGITS = 19, EXPONENT_LIMIT = 1 << 28 };

/* Eight digits at once, when that many of the first come next. */
static bool read_eight(const char *data, size_t rest, bool point, decimal *d)
{
    if (!d->data || rest < 8 || d->digits + 8 > MOST_DIGITS)
        return false;
    uint64_t digits = rk_digits_load(data, 8);
    if (!rk_digits_valid(digits))
        return false;
    d->value = d->value * 100000000 + rk_digits_value(digits);
    d->digits += 8;
    d->exponent -= point ? 8 : 0;
    return true;
}

static void read_digit(const char *at, bool point, decimal *d)
{
    d->exponent -= point;
    if (!d->data && *at == '0')
        return;
    d->data = d->data ? d->data : at;
    if (d->digits++ < MOST_DIGITS)
        d->value = d->value * 10 + (uint64_t)(*at - '0');
}

/* The digits and the point, from i on; where they end, or 0 when there is no digit. */
static size_t read_digits(const char *data, size_t len, size_t i, decimal *d)
{
    bool point = false, any = false;
    for (; i < len; i++) {
        if (read_eight(data + i, len - i, point, d)) {
            i += 7;
        } else if (is_digit(data[i])) {
            read_digit(data + i, point, d);
            any = true;
        } else if (data[i] == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    d->len = d->data ? (size_t)(data + i - d->data) : 0;
    return any ? i : 0;
}

/* The exponent behind its e, from i on, which reaches to the end. */
static bool read_exponent(const char *data, size_t len, size_t i, decimal *d)
{
    bool negative = i < len && data[i] == '-';
    i += i < len && (data[i] == '-' || data[i] == '+');
    int64_t exponent = 0;
    if (i == len)
        return false;
    for (; i < len; i++) {
        if (!is_digit(data[i]))
            return false;
        if (exponent < ((int64_t)1 << 40))
            exponent = exponent * 10 + (data[i] - '0');
    }
    d->exponent += negative ? -exponent : exponent;
    return true;
}

/* value / 10^places, places up to 19: the quotient of integers with 64 bits, whose remainder says how to round. */
static double divide(uint64_t value, unsigned places)
{
    static const uint64_t powers[] = {
        UINT64_C(1),
        UINT64_C(10),
        UINT64_C(100),
        UINT64_C(1000),
        UINT64_C(10000),
        UINT64_C(100000),
        UINT64_C(1000000),
        UINT64_C(10000000),
        UINT64_C(100000000),
        UINT64_C(1000000000),
        UINT64_C(10000000000),
        UINT64_C(100000000000),
        UINT64_C(1000000000000),
        UINT64_C(10000000000000),
        UINT64_C(100000000000000),
        UINT64_C(1000000000000000),
        UINT64_C(10000000000000000),
        UINT64_C(100000000000000000),
        UINT64_C(1000000000000000000),
        UINT64_C(10000000000000000000),
    };
    int up = __builtin_clzll(value), scale = __builtin_clzll(powers[places]);
    unsigned __int128 dividend = (unsigned __int128)(value << up) << 63;
    uint64_t divisor = powers[places] << scale, quotient = (uint64_t)(dividend / divisor);
    bool rest = (uint64_t)dividend != quotient * divisor;
    /* 63 or 64 bits, of which conversion keeps 53: what is below them only matters when it is not 0. */
    uint64_t unit = (uint64_t)(1023 + scale - up - 63) << 52;
    double power;
    memcpy(&power, &unit, sizeof power);
    return (double)(quotient | rest) * power;
}

/* Any decimal: its first digits, up to as many as can matter, a 1 for what comes behind them, and the exponent. */
static double convert(const decimal *d, locale_t c)
{
    enum { MATTER = 800 };
    char text[MATTER + 40];
    size_t count = 0, digits = 0;
    bool rest = false;
    for (size_t i = 0; i < d->len; i++) {
        if (d->data[i] == '.')
            continue;
        if (digits++ < MATTER)
            text[count++] = d->data[i];
        else
            rest |= d->data[i] != '0';
    }
    int64_t exponent = d->exponent + (int64_t)(digits - count) - rest;
    if (rest)
        text[count++] = '1';
    exponent = exponent > EXPONENT_LIMIT    ? EXPONENT_LIMIT
               : exponent < -EXPONENT_LIMIT ? -EXPONENT_LIMIT
                                            : exponent;
    snprintf(text + count, sizeof text - count, "e%d", (int)exponent);
    return strtod_l(text, NULL, c);
}

static double decimal_value(const decimal *d, locale_t c)
{
    if (!d->digits)
        return 0;
    if (d->digits <= MOST_DIGITS && d->exponent <= 0 && d->exponent >= -MOST_DIGITS)
        return divide(d->value, (unsigned)-d->exponent);
    if (d->value <= (uint64_t)1 << 53 && d->digits <= MOST_DIGITS && d->exponent >= -22 && d->exponent <= 22)
        return d->exponent < 0 ? (double)d->value / rk_parse_powers[-d->exponent]
                               : (double)d->value * rk_parse_powers[d->exponent];
    return convert(d, c);
}

static bool is_word(const char *data, size_t len, const char *word)
{
    return len == strlen(word) && !strncasecmp(data, word, len);
}

static bool parse_special(const char *data, size_t len, double *out)
{
    bool infinite = is_word(data, len, "inf") || is_word(data, len, "infinity");
    if (!infinite && !is_word(data, len, "nan"))
        return false;
    *out = infinite ? INFINITY : NAN;
    return true;
}

RK_PARSE_KERNEL bool rk_parse_f64_long(const char *data, size_t len, locale_t c, double *out)
{
    bool negative = len && *data == '-';
    size_t i = len && (negative || *data == '+');
    double value;
    decimal d = {0};
    size_t end = read_digits(data, len, i, &d);
    if (end) {
        if (end < len && ((data[end] | 32) != 'e' || !read_exponent(data, len, end + 1, &d)))
            return false;
        value = decimal_value(&d, c);
    } else if (!parse_special(data + i, len - i, &value)) {
        return false;
    }
    *out = negative ? -value : value;
    return true;
}

bool rk_parse_f64(const char *data, size_t len, locale_t c, double *out)
{
    return (len && rk_parse_f64_short(data, len, out)) || rk_parse_f64_long(data, len, c, out);
}

bool rk_parse_bool(const char *data, size_t len, uint8_t *out)
{
    bool yes = is_word(data, len, "true");
    if (!yes && !is_word(data, len, "false"))
        return false;
    *out = yes;
    return true;
}

/* The days before a month, and all of a year at the end, when it is no leap year. */
static const uint16_t days_before[16] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

/* Days since 1970-01-01; INT64_MIN when there is no such day. month: less than 16. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
    unsigned century = year / 100;
    bool leap = year % 4 == 0 && (year != century * 100 || century % 4 == 0);
    unsigned length = month - 1 < 12 ? (unsigned)days_before[month + 1] - days_before[month] : 0;
    if (day - 1 >= length + (month == 2 && leap))
        return INT64_MIN;
    unsigned leaps = year / 4 - century + century / 4; /* up to this year, with it */
    return (int64_t)year * 365 + leaps - leap + (month > 2 && leap) + days_before[month] + day - 1 - 719527;
}

/* Two characters as a number, more than 99 when they are no digits. */
static unsigned two(const char *data)
{
    return is_digit(data[0]) && is_digit(data[1]) ? (unsigned)(data[0] - '0') * 10 + (unsigned)(data[1] - '0')
                                                  : 100;
}

RK_PARSE_KERNEL bool rk_parse_date(const char *data, size_t len, int64_t *out)
{
    if (len != 10)
        return false;
    uint64_t front = rk_load64(data) ^ UINT64_C(0x2d30302d30303030); /* 0000-00- */
    uint64_t end = (rk_load64(data + 2) ^ UINT64_C(0x3030000000000000)) & UINT64_C(0xffff000000000000);
    uint64_t digits = (front & UINT64_C(0xffffffff)) | (front >> 8 & UINT64_C(0xffff00000000)) | end;
    if ((front & UINT64_C(0xff0000ff00000000)) || !rk_digits_valid(digits))
        return false;
    uint64_t pairs = digits * 10 + (digits >> 8); /* in bytes 0, 2, 4 and 6 */
    unsigned year = (unsigned)((pairs & 0xff) * 100 + (pairs >> 16 & 0xff)), month = pairs >> 32 & 0xff;
    int64_t days = month < 16 ? days_of(year, month, (unsigned)(pairs >> 48 & 0xff)) : INT64_MIN;
    if (days == INT64_MIN)
        return false;
    *out = days;
    return true;
}

/* What stands behind the point, of which there are one to nine digits: microseconds. */
static bool parse_fraction(const char *data, size_t len, int64_t *out)
{
    int64_t value = 0;
    if (len < 1 || len > 9)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_digit(data[i]))
            return false;
    for (size_t i = 0; i < 6; i++)
        value = value * 10 + (i < len ? data[i] - '0' : 0);
    *out = value;
    return true;
}

/* HH:MM[:SS[.fraction]]: microseconds since midnight. */
static bool parse_time(const char *data, size_t len, int64_t *out)
{
    if (len < 5 || data[2] != ':' || (len > 5 && (len < 8 || data[5] != ':')) || (len > 8 && data[8] != '.'))
        return false;
    unsigned hours = two(data), minutes = two(data + 3), seconds = len > 5 ? two(data + 6) : 0;
    int64_t fraction = 0;
    if (hours > 23 || minutes > 59 || seconds > 59 ||
        (len > 8 && !parse_fraction(data + 9, len - 9, &fraction)))
        return false;
    *out = (int64_t)(hours * 3600 + minutes * 60 + seconds) * 1000000 + fraction;
    return true;
}

bool rk_parse_timestamp(const char *data, size_t len, int64_t *out)
{
    int64_t days, time;
    len -= len && data[len - 1] == 'Z';
    if (len < 16 || (data[10] != 'T' && data[10] != ' ') || !rk_parse_date(data, 10, &days) ||
        !parse_time(data + 11, len - 11, &time))
        return false;
    *out = days * INT64_C(86400000000) + time;
    return true;
}
