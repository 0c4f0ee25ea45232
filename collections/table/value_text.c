#include "collections/table/value_text.h"

#include "collections/table/csv/parse.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

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

/* --- values: read as those of CSV are (csv/parse.h), whose readers look further than short text goes */

typedef struct readable {
    const char *data;
    size_t len;
    char copy[64];
} readable;

/* Without the space around it; room is what a short one is copied to. False: it is empty. */
static bool make_readable(rask_bytes text, readable *r)
{
    rask_bytes t = trimmed(text);
    r->data = t.data;
    r->len = t.len;
    if (!t.len || t.len >= sizeof r->copy)
        return t.len > 0;
    memset(r->copy, 0, sizeof r->copy);
    memcpy(r->copy, t.data, t.len);
    r->data = r->copy;
    return true;
}

bool rk_text_i64(rask_bytes text, int64_t *out)
{
    readable r;
    return make_readable(text, &r) && rk_parse_i64(r.data, r.len, out);
}

bool rk_text_bool(rask_bytes text, uint8_t *out)
{
    readable r;
    return make_readable(text, &r) && rk_parse_bool(r.data, r.len, out);
}

bool rk_text_f64(rask_bytes text, double *out)
{
    readable r;
    if (!make_readable(text, &r))
        return false;
    if (rk_parse_f64_short(r.data, r.len, out))
        return true;
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* in glibc this one is static */
    bool good = c && rk_parse_f64_long(r.data, r.len, c, out);
    if (c)
        freelocale(c);
    return good;
}

bool rk_text_date(rask_bytes text, int64_t *out)
{
    readable r;
    return make_readable(text, &r) && rk_parse_date(r.data, r.len, out);
}

/* A date alone is its midnight. */
bool rk_text_timestamp(rask_bytes text, int64_t *out)
{
    int64_t days;
    readable r;
    if (!make_readable(text, &r))
        return false;
    if (rk_parse_timestamp(r.data, r.len, out))
        return true;
    if (!rk_parse_date(r.data, r.len, &days))
        return false;
    *out = days * RK_DAY_MICROSECONDS;
    return true;
}

/* --- floats to text */

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

/* In an era after Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms". */
rk_date rk_date_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    uint32_t quarters = 4 * (uint32_t)(days - era * 146097) + 3, century = quarters / 146097;
    uint64_t years = UINT64_C(2939745) * (quarters % 146097 | 3);
    uint32_t in_year = (uint32_t)years / 2939745 / 4, months = 2141 * in_year + 197913;
    bool next = in_year >= 306; /* January and February */
    return (rk_date){era * 400 + 100 * century + (uint32_t)(years >> 32) + next,
                     (months >> 16) - (next ? 12 : 0), (months & UINT16_MAX) / 2141 + 1};
}
