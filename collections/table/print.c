#include "collections/table/print.h"

#include "collections/table/value_text.h"
#include "core/json/json.h"

#include <math.h>
#include <string.h>

/* -- Numbers */

enum { EIGHT_DIGITS = 100000000 };

/* The digits of a number below EIGHT_DIGITS, the first in the lowest byte: halves, and their halves, and so on, side by side. */
static uint64_t eight_digits(uint32_t number)
{
    uint64_t x = (uint64_t)(number % 10000) << 32 | number / 10000;
    uint64_t hundreds = (x * 10486 >> 20) & UINT64_C(0x7f0000007f);
    x = (x - hundreds * 100) << 16 | hundreds;
    uint64_t tens = (x * 103 >> 10) & UINT64_C(0xf000f000f000f);
    return (x - tens * 10) << 8 | tens;
}

static void put_bytes(char *at, uint64_t bytes)
{
    bytes = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? bytes : __builtin_bswap64(bytes);
    memcpy(at, &bytes, sizeof bytes);
}

#define ASCII_ZEROS UINT64_C(0x3030303030303030)

/* A number below EIGHT_DIGITS with zeros before it to at least so many digits, 1 to 8. Writes 8 bytes in any case. */
static inline char *put_few_digits(char *at, uint32_t number, unsigned least)
{
    uint64_t digits = eight_digits(number);
    unsigned zeros = (unsigned)__builtin_ctzll(digits | (uint64_t)1 << (64 - 8 * least)) / 8;
    put_bytes(at, (digits + ASCII_ZEROS) >> 8 * zeros);
    return at + 8 - zeros;
}

static char *put_digits(char *at, uint64_t number, unsigned least)
{
    if (number < EIGHT_DIGITS && least <= 8)
        return put_few_digits(at, (uint32_t)number, least);
    uint64_t upper = number / EIGHT_DIGITS;
    if (upper >= EIGHT_DIGITS) {
        at = put_few_digits(at, (uint32_t)(upper / EIGHT_DIGITS), 1);
        at = put_few_digits(at, (uint32_t)(upper % EIGHT_DIGITS), 8);
    } else {
        at = put_few_digits(at, (uint32_t)upper, least > 8 ? least - 8 : 1);
    }
    return put_few_digits(at, (uint32_t)(number % EIGHT_DIGITS), 8);
}

static char *put_i64(char *at, int64_t value)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    if (value < 0)
        *at++ = '-';
    return put_digits(at, magnitude, 1);
}

/* Decimals of up to 9 digits behind the point with a mantissa that a double holds: value is their quotient, rounded once,
 * which is how they are read back (Clinger, "How to Read Floating Point Numbers Accurately"). NULL: it is none. */
static char *put_decimal(char *at, double value)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    double magnitude = fabs(value);
    if (magnitude >= 1e15 || (magnitude != 0 && magnitude < 1e-4))
        return NULL;
    for (int behind = 0; behind < 10; behind++) {
        double scaled = magnitude * powers[behind];
        double mantissa = scaled < 0x1p52 ? scaled + 0x1p52 - 0x1p52 : scaled; /* the nearest integer */
        if (mantissa > 0x1p53)
            return NULL;
        if (fabs(scaled - mantissa) > scaled * 0x1p-50 || mantissa / powers[behind] != magnitude)
            continue;
        uint64_t whole = (uint64_t)magnitude, unit = (uint64_t)powers[behind];
        whole -= whole * unit > (uint64_t)mantissa; /* the value was rounded up to it */
        if (signbit(value))
            *at++ = '-';
        at = put_digits(at, whole, 1);
        *at++ = '.';
        return put_digits(at, (uint64_t)mantissa - whole * unit, behind ? (unsigned)behind : 1);
    }
    return NULL;
}

/* The same of up to eight digits before the point and four behind it: the fewest digits that are the value are
 * those without the zeros at their end, since no two decimals this short are one double. */
static inline char *put_short_decimal(char *at, double value)
{
    enum { UNIT = 10000 };
    double magnitude = fabs(value);
    if (!(magnitude < EIGHT_DIGITS))
        return NULL;
    uint64_t mantissa = (uint64_t)(magnitude * UNIT + 0.5);
    if ((double)mantissa / UNIT != magnitude)
        return NULL;
    uint32_t digits = (uint32_t)eight_digits((uint32_t)(mantissa % UNIT) * UNIT); /* of the decimals */
    *at = '-';
    at = put_few_digits(at + (signbit(value) != 0), (uint32_t)(mantissa / UNIT), 1);
    *at++ = '.';
    put_bytes(at, digits + ASCII_ZEROS);
    return at + 4 - __builtin_clz(digits | 1) / 8;
}

static char *put_f64(char *at, double value)
{
    char *end = put_short_decimal(at, value);
    if (end)
        return end;
    if (isnan(value) || isinf(value))
        return stpcpy(at, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
    end = put_decimal(at, value);
    return end ? end : at + rk_f64_text(value, at);
}

/* -- Dates */

static char *put_date(char *at, int64_t days)
{
    if (days < -RK_MAX_DATE || days > RK_MAX_DATE)
        return put_i64(at, days);
    rk_date date = rk_date_of(days);
    if (date.year < 0)
        *at++ = '-';
    uint64_t year = (uint64_t)(date.year < 0 ? -date.year : date.year);
    if (year > 9999)
        at = put_digits(at, year / 10000, 1);
    uint64_t digits =
        eight_digits((uint32_t)(year % 10000 * 10000) + date.month * 100 + date.day) + ASCII_ZEROS;
    put_bytes(at, (digits & UINT32_MAX) | (uint64_t)'-' << 32 | (digits >> 32 & UINT16_MAX) << 40 |
                      (uint64_t)'-' << 56);
    put_bytes(at + 8, digits >> 48);
    return at + 10;
}

static char *put_timestamp(char *at, int64_t microseconds)
{
    enum { SECOND = 1000000 };
    int64_t days = microseconds / RK_DAY_MICROSECONDS - (microseconds % RK_DAY_MICROSECONDS < 0);
    int64_t rest = microseconds - days * RK_DAY_MICROSECONDS;
    at = put_date(at, days);
    *at++ = ' ';
    at = put_digits(at, (uint64_t)(rest / SECOND / 3600), 2);
    *at++ = ':';
    at = put_digits(at, (uint64_t)(rest / SECOND / 60 % 60), 2);
    *at++ = ':';
    at = put_digits(at, (uint64_t)(rest / SECOND % 60), 2);
    if (rest % SECOND) {
        *at++ = '.';
        at = put_digits(at, (uint64_t)(rest % SECOND), 6);
        while (at[-1] == '0')
            at--;
    }
    return at;
}

size_t rk_print_value(const rk_column *column, uint32_t row, char text[RK_NUMBER_TEXT])
{
    switch (column->type) {
    case RASK_COL_BOOL: return (size_t)(stpcpy(text, column->boolean[row] ? "true" : "false") - text);
    case RASK_COL_I64: return (size_t)(put_i64(text, column->i64[row]) - text);
    case RASK_COL_F64: return (size_t)(put_f64(text, column->f64[row]) - text);
    case RASK_COL_DATE: return (size_t)(put_date(text, column->i64[row]) - text);
    case RASK_COL_TIMESTAMP: return (size_t)(put_timestamp(text, column->i64[row]) - text);
    default: return 0;
    }
}

/* -- CSV */

/* Room for size bytes behind those there are; NULL: no memory. */
static inline char *room(rk_array *out, size_t size)
{
    return size > out->capacity - out->count && rk_array_reserve(out, size) ? NULL
                                                                            : (char *)out->data + out->count;
}

/* Bytes that quotes must stand around. */
typedef struct quoting {
    bool needed[256];
} quoting;

static quoting quoting_for(char delimiter)
{
    quoting q = {.needed = {['"'] = true, ['\n'] = true, ['\r'] = true}};
    q.needed[(unsigned char)delimiter] = true;
    return q;
}

static bool needs_quotes(rask_bytes text, const quoting *q)
{
    if (!text.len || text.data[0] == ' ' || text.data[text.len - 1] == ' ')
        return true;
    bool any = false;
    for (size_t i = 0; i < text.len && !any; i++)
        any = q->needed[(unsigned char)text.data[i]];
    return any;
}

/* Bytes that a text may take. */
static size_t quoted_size(size_t len)
{
    return 2 * len + 2;
}

static char *put_csv_text(char *at, rask_bytes text, const quoting *q)
{
    if (!needs_quotes(text, q))
        return (char *)memcpy(at, text.data, text.len) + text.len;
    *at++ = '"';
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            *at++ = '"';
        *at++ = text.data[i];
    }
    *at++ = '"';
    return at;
}

static int put_byte(rk_array *out, char byte)
{
    char *at = rk_array_push(out);
    if (at)
        *at = byte;
    return at ? RASK_OK : RASK_ENOMEM;
}

int rk_print_header(rk_array *out, const char *const *names, uint32_t count, char delimiter)
{
    const quoting q = quoting_for(delimiter);
    for (uint32_t i = 0; i < count; i++) {
        rask_bytes name = {names[i], strlen(names[i])};
        char *at = room(out, quoted_size(name.len) + 1), *begin = at;
        if (!at)
            return RASK_ENOMEM;
        at = put_csv_text(at, name, &q);
        *at++ = i + 1 < count ? delimiter : '\n';
        out->count += (size_t)(at - begin);
    }
    return RASK_OK;
}

/* Bytes that a row may take. */
static size_t csv_row_size(const rk_column *const *columns, uint32_t count, uint32_t row)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size +=
            1 + (columns[i]->type == RASK_COL_TEXT ? quoted_size(columns[i]->text[row].len) : RK_NUMBER_TEXT);
    return size;
}

static int print_csv_row(rk_array *out, const rk_column *const *columns, uint32_t count, uint32_t row,
                         char delimiter, const quoting *q)
{
    char *at = room(out, csv_row_size(columns, count, row)), *begin = at;
    if (!at)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        const rk_column *c = columns[i];
        if (rk_column_has(c, row))
            at = c->type == RASK_COL_TEXT ? put_csv_text(at, c->text[row], q)
                                          : at + rk_print_value(c, row, at);
        *at++ = delimiter;
    }
    if (count)
        at[-1] = '\n';
    out->count += (size_t)(at - begin);
    return RASK_OK;
}

/* -- JSON Lines */

static char *put_json_byte(char *at, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    *at++ = '\\';
    switch (c) {
    case '"':
    case '\\': *at++ = (char)c; return at;
    case '\n': *at++ = 'n'; return at;
    case '\r': *at++ = 'r'; return at;
    case '\t': *at++ = 't'; return at;
    default:
        at = stpcpy(at, "u00");
        *at++ = hex[c >> 4];
        *at++ = hex[c & 15];
        return at;
    }
}

static int put_json_text(rk_array *out, rask_bytes text)
{
    char *at = room(out, 6 * text.len + 2), *begin = at;
    if (!at)
        return RASK_ENOMEM;
    *at++ = '"';
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.data[i];
        size_t size = rk_utf8_length(text.data + i, text.data + text.len);
        if (c < 0x20 || c == '"' || c == '\\')
            at = put_json_byte(at, c);
        else if (size)
            at = (char *)memcpy(at, text.data + i, size) + size;
        else
            at = stpcpy(at, "\xef\xbf\xbd");
        i += size ? size : 1;
    }
    *at++ = '"';
    out->count += (size_t)(at - begin);
    return RASK_OK;
}

static int put_json_value(rk_array *out, const rk_column *c, uint32_t row)
{
    char *at = room(out, RK_NUMBER_TEXT + 2), *begin = at;
    if (!at)
        return RASK_ENOMEM;
    if (!rk_column_has(c, row) || (c->type == RASK_COL_F64 && !isfinite(c->f64[row]))) {
        out->count += (size_t)(stpcpy(at, "null") - begin);
        return RASK_OK;
    }
    if (c->type == RASK_COL_TEXT)
        return put_json_text(out, c->text[row]);
    bool quoted = c->type == RASK_COL_DATE || c->type == RASK_COL_TIMESTAMP;
    if (quoted)
        *at++ = '"';
    at += rk_print_value(c, row, at);
    if (quoted)
        *at++ = '"';
    out->count += (size_t)(at - begin);
    return RASK_OK;
}

static int print_json_row(rk_array *out, const char *const *names, const rk_column *const *columns,
                          uint32_t count, uint32_t row)
{
    int status = put_byte(out, '{');
    for (uint32_t i = 0; i < count && !status; i++) {
        status = put_json_text(out, (rask_bytes){names[i], strlen(names[i])});
        if (!status)
            status = put_byte(out, ':');
        if (!status)
            status = put_json_value(out, columns[i], row);
        if (!status && i + 1 < count)
            status = put_byte(out, ',');
    }
    if (!status)
        status = put_byte(out, '}');
    return status ? status : put_byte(out, '\n');
}

int rk_print_rows(rk_array *out, rk_print_format format, const char *const *names,
                  const rk_column *const *columns, uint32_t count, uint32_t rows, char delimiter)
{
    const quoting q = quoting_for(delimiter);
    int status = RASK_OK;
    for (uint32_t row = 0; row < rows && !status; row++)
        status = format == RK_PRINT_CSV ? print_csv_row(out, columns, count, row, delimiter, &q)
                                        : print_json_row(out, names, columns, count, row);
    return status;
}
