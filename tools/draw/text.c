#include "tools/draw/text.h"

#include "core/base/alloc.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool make_room(rk_text *text, size_t len)
{
    if (text->failed)
        return false;
    if (text->data && text->capacity - text->len > len)
        return true;
    size_t capacity = 2 * text->capacity + len + 64;
    char *data = rk_realloc(text->data, capacity);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void rk_text_put(rk_text *text, const char *data, size_t len)
{
    if (!make_room(text, len))
        return;
    memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void rk_text_print(rk_text *text, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n > 0)
        rk_text_put(text, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

char *rk_text_take(rk_text *text)
{
    if (!text->data && !text->failed)
        rk_text_put(text, "", 0);
    char *data = text->failed ? NULL : text->data;
    if (text->failed)
        rk_free(text->data);
    *text = (rk_text){0};
    return data;
}

enum { NO_CHARACTER = 0xFFFD };

/* Bytes of the sequence that a leading byte announces, and the least character it may hold; 0: no leading
 * byte. */
static size_t sequence(unsigned char lead, uint32_t *bits, uint32_t *least)
{
    if (lead >= 0xC2 && lead < 0xE0) {
        *bits = lead & 0x1F, *least = 0x80;
        return 2;
    }
    if (lead >= 0xE0 && lead < 0xF0) {
        *bits = lead & 0x0F, *least = 0x800;
        return 3;
    }
    if (lead >= 0xF0 && lead < 0xF5) {
        *bits = lead & 0x07, *least = 0x10000;
        return 4;
    }
    return 0;
}

/* The character at data, and how many bytes it takes; one byte that belongs to no character is NO_CHARACTER.
 */
static uint32_t decode(const char *data, size_t len, size_t *taken)
{
    const unsigned char *bytes = (const unsigned char *)data;
    *taken = 1;
    if (bytes[0] < 0x80)
        return bytes[0];
    uint32_t c, least;
    size_t n = sequence(bytes[0], &c, &least);
    if (!n || n > len)
        return NO_CHARACTER;
    for (size_t i = 1; i < n; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return NO_CHARACTER;
        c = c << 6 | (bytes[i] & 0x3F);
    }
    if (c < least || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return NO_CHARACTER;
    *taken = n;
    return c;
}

bool rk_text_is_readable(const char *data, size_t len)
{
    for (size_t at = 0, taken; at < len; at += taken) {
        uint32_t c = decode(data + at, len - at, &taken);
        bool spacing = c == '\t' || c == '\n' || c == '\r';
        if ((c < 0x20 && !spacing) || (c >= 0x7F && c < 0xA0) || (c == NO_CHARACTER && taken == 1))
            return false;
    }
    return true;
}

/* What is drawn instead of a character that XML or a font cannot take. */
static uint32_t drawable(uint32_t c)
{
    enum { CONTROL_PICTURES = 0x2400, DELETE_PICTURE = 0x2421 };
    if (c == '\t')
        return ' ';
    if (c < 0x20)
        return CONTROL_PICTURES + c;
    if (c == 0x7F)
        return DELETE_PICTURE;
    if ((c >= 0x80 && c < 0xA0) || (c & 0xFFFE) == 0xFFFE)
        return NO_CHARACTER;
    return c;
}

static void put_character(rk_text *text, uint32_t c)
{
    char utf8[4];
    size_t n = 0;
    if (c < 0x80) {
        utf8[n++] = (char)c;
    } else if (c < 0x800) {
        utf8[n++] = (char)(0xC0 | c >> 6);
    } else if (c < 0x10000) {
        utf8[n++] = (char)(0xE0 | c >> 12);
        utf8[n++] = (char)(0x80 | (c >> 6 & 0x3F));
    } else {
        utf8[n++] = (char)(0xF0 | c >> 18);
        utf8[n++] = (char)(0x80 | (c >> 12 & 0x3F));
        utf8[n++] = (char)(0x80 | (c >> 6 & 0x3F));
    }
    if (c >= 0x80)
        utf8[n++] = (char)(0x80 | (c & 0x3F));
    rk_text_put(text, utf8, n);
}

/* "&lt;" and the like, which Graphviz would turn into the character it names. */
static bool is_entity(const char *data, size_t len)
{
    enum { LONGEST = 12 };
    for (size_t i = 1; i < len && i < LONGEST; i++) {
        if (data[i] == ';')
            return i > 1;
        if (!((data[i] >= '0' && data[i] <= '9') || (data[i] >= 'a' && data[i] <= 'z') ||
              (data[i] >= 'A' && data[i] <= 'Z') || data[i] == '#'))
            return false;
    }
    return false;
}

void rk_text_line(rk_text *text)
{
    rk_text_put(text, "\\n", 2);
}

static bool is_line_end(const char *data, size_t len, size_t *taken)
{
    *taken = len > 1 && data[0] == '\r' && data[1] == '\n' ? 2 : 1;
    return data[0] == '\n' || *taken == 2;
}

/* Invisible and without width, between two characters that mean something together. */
static void keep_apart(rk_text *text)
{
    static const char word_joiner[] = "\u2060";
    rk_text_put(text, word_joiner, sizeof word_joiner - 1);
}

/* A backslash at data and what follows is an escape to Graphviz. */
static bool is_escape(const char *data, size_t len)
{
    return len > 1 && strchr("NGETHLlnr\\", data[1]);
}

/* One character that is no line end, at data; how many bytes of data it was. */
static size_t say_character(rk_text *text, const char *data, size_t len, bool tooltip, bool *space)
{
    size_t taken;
    uint32_t c = drawable(decode(data, len, &taken));
    if (c == '\\')
        rk_text_put(text, "\\", 1);
    put_character(text, c);
    if ((c == '&' && is_entity(data, len)) || (c == '\\' && tooltip && is_escape(data, len)))
        keep_apart(text);
    *space = c == ' ';
    return taken;
}

/* A line is broken behind a space in its last third, or where it is full. */
static bool is_full(size_t column, size_t width, bool space)
{
    return column >= width || (space && column >= width - width / 3);
}

static size_t characters_up_to(const char *data, size_t len, size_t most)
{
    size_t count = 0, taken;
    for (size_t at = 0; at < len && count < most; at += taken, count++)
        if (!is_line_end(data + at, len - at, &taken))
            decode(data + at, len - at, &taken);
    return count;
}

void rk_text_say(rk_text *text, const char *data, size_t len, rk_style style)
{
    bool shortened = style.most < len && characters_up_to(data, len, style.most + 1) > style.most;
    size_t column = 0, taken;
    for (size_t at = 0, said = 0; at < len && said + shortened < style.most; at += taken, said++) {
        bool space = false, ended = is_line_end(data + at, len - at, &taken);
        if (!ended) {
            taken = say_character(text, data + at, len - at, style.tooltip, &space);
            ended = is_full(++column, style.width, space) && at + taken < len;
        }
        if (ended) {
            rk_text_line(text);
            column = 0;
        }
    }
    if (shortened)
        rk_text_put(text, "…", sizeof "…" - 1);
}

void rk_text_count(rk_text *text, uint64_t count)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, count);
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            rk_text_put(text, ",", 1);
        rk_text_put(text, digits + i, 1);
    }
}

void rk_text_duration(rk_text *text, uint64_t nanoseconds)
{
    if (nanoseconds < 1000)
        rk_text_print(text, "%" PRIu64 " ns", nanoseconds);
    else if (nanoseconds < 1000000)
        rk_text_print(text, "%.3g µs", (double)nanoseconds / 1e3);
    else if (nanoseconds < 1000000000)
        rk_text_print(text, "%.3g ms", (double)nanoseconds / 1e6);
    else
        rk_text_print(text, "%.2f s", (double)nanoseconds / 1e9);
}

void rk_text_bytes(rk_text *text, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    double amount = (double)bytes;
    for (; amount >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
        amount /= 1024;
    rk_text_print(text, unit ? "%.1f %s" : "%.0f %s", amount, units[unit]);
}
