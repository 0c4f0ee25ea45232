#include "collections/table/print.h"

#include "collections/table/value_text.h"
#include "core/json/json.h"

#include <math.h>
#include <string.h>

/* -- Numbers */

static char *put_digits(char *at, uint64_t number, int least)
{
    char digits[20];
    int count = 0;
    for (; number || count < least; number /= 10)
        digits[count++] = (char)('0' + number % 10);
    while (count)
        *at++ = digits[--count];
    return at;
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
        double mantissa = nearbyint(magnitude * powers[behind]);
        if (mantissa > 9007199254740992.0)
            return NULL;
        if (mantissa / powers[behind] != magnitude)
            continue;
        uint64_t whole = (uint64_t)mantissa, unit = (uint64_t)powers[behind];
        if (signbit(value))
            *at++ = '-';
        at = put_digits(at, whole / unit, 1);
        *at++ = '.';
        return put_digits(at, whole % unit, behind ? behind : 1);
    }
    return NULL;
}

static char *put_f64(char *at, double value)
{
    if (isnan(value) || isinf(value))
        return stpcpy(at, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
    char *end = put_decimal(at, value);
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
    at = put_digits(at, (uint64_t)(date.year < 0 ? -date.year : date.year), 4);
    *at++ = '-';
    at = put_digits(at, date.month, 2);
    *at++ = '-';
    return put_digits(at, date.day, 2);
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
static char *room(rk_array *out, size_t size)
{
    return rk_array_reserve(out, size) ? NULL : (char *)out->data + out->count;
}

static bool needs_quotes(rask_bytes text, char delimiter)
{
    if (!text.len || text.data[0] == ' ' || text.data[text.len - 1] == ' ')
        return true;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == delimiter || text.data[i] == '"' || text.data[i] == '\n' || text.data[i] == '\r')
            return true;
    return false;
}

static int put_csv_text(rk_array *out, rask_bytes text, char delimiter)
{
    char *at = room(out, 2 * text.len + 2), *begin = at;
    if (!at)
        return RASK_ENOMEM;
    if (!needs_quotes(text, delimiter)) {
        memcpy(at, text.data, text.len);
        out->count += text.len;
        return RASK_OK;
    }
    *at++ = '"';
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            *at++ = '"';
        *at++ = text.data[i];
    }
    *at++ = '"';
    out->count += (size_t)(at - begin);
    return RASK_OK;
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
    int status = RASK_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        status = put_csv_text(out, (rask_bytes){names[i], strlen(names[i])}, delimiter);
        if (!status)
            status = put_byte(out, i + 1 < count ? delimiter : '\n');
    }
    return status;
}

static int print_csv_row(rk_array *out, const rk_column *const *columns, uint32_t count, uint32_t row,
                         char delimiter)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        const rk_column *c = columns[i];
        char *at = room(out, RK_NUMBER_TEXT);
        if (!at)
            return RASK_ENOMEM;
        if (rk_column_has(c, row) && c->type == RASK_COL_TEXT)
            status = put_csv_text(out, c->text[row], delimiter);
        else if (rk_column_has(c, row))
            out->count += rk_print_value(c, row, at);
        if (!status)
            status = put_byte(out, i + 1 < count ? delimiter : '\n');
    }
    return status;
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
    int status = RASK_OK;
    for (uint32_t row = 0; row < rows && !status; row++)
        status = format == RK_PRINT_CSV ? print_csv_row(out, columns, count, row, delimiter)
                                        : print_json_row(out, names, columns, count, row);
    return status;
}
