#include "core/observe/write.h"

#include "core/json/json.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static void put_escaped(FILE *out, unsigned char c)
{
    if (c == '"' || c == '\\')
        fprintf(out, "\\%c", c);
    else
        fprintf(out, "\\u%04x", c);
}

void rk_put_string(FILE *out, const char *text)
{
    const char *end = text + strlen(text);
    putc('"', out);
    while (text < end) {
        size_t step = rk_utf8_length(text, end);
        unsigned char c = (unsigned char)*text;
        if (!step)
            putc('?', out);
        else if (c < ' ' || c == '"' || c == '\\' || c == '<' || c == 0x7f)
            put_escaped(out, c);
        else
            (void)fwrite(text, 1, step, out);
        text += step ? step : 1;
    }
    putc('"', out);
}

void rk_put_us(FILE *out, uint64_t ns)
{
    fprintf(out, "%" PRIu64 ".%03u", ns / 1000, (unsigned)(ns % 1000));
}

/* -- By hand */

enum { MOST_DIGITS = 20 }; /* of 64 bits */

void rk_pen_flush(rk_pen *pen)
{
    (void)fwrite(pen->bytes, 1, pen->len, pen->out);
    pen->len = 0;
}

void rk_pen_add(rk_pen *pen, const char *bytes, size_t len)
{
    if (len > sizeof pen->bytes - pen->len)
        rk_pen_flush(pen);
    if (len > sizeof pen->bytes) {
        (void)fwrite(bytes, 1, len, pen->out);
        return;
    }
    memcpy(pen->bytes + pen->len, bytes, len);
    pen->len += len;
}

/* Before end. Where it begins. */
static char *digits_before(char *end, uint64_t number)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return end;
}

void rk_pen_number(rk_pen *pen, uint64_t number)
{
    char text[MOST_DIGITS], *end = text + sizeof text, *begin = digits_before(end, number);
    rk_pen_add(pen, begin, (size_t)(end - begin));
}

void rk_pen_us(rk_pen *pen, uint64_t ns)
{
    char text[MOST_DIGITS + 4], *end = text + sizeof text, *point = end - 4;
    unsigned rest = (unsigned)(ns % 1000);
    point[0] = '.';
    point[1] = (char)('0' + rest / 100);
    point[2] = (char)('0' + rest / 10 % 10);
    point[3] = (char)('0' + rest % 10);
    char *begin = digits_before(point, ns / 1000);
    rk_pen_add(pen, begin, (size_t)(end - begin));
}

static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<';
}

void rk_pen_string(rk_pen *pen, const char *text)
{
    size_t len = 0;
    while (is_plain((unsigned char)text[len]))
        len++;
    if (text[len]) {
        rk_pen_flush(pen);
        rk_put_string(pen->out, text);
        return;
    }
    rk_pen_add(pen, "\"", 1);
    rk_pen_add(pen, text, len);
    rk_pen_add(pen, "\"", 1);
}
