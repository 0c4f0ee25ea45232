#include "core/json/json.h"

#include <string.h>

enum { MAX_NUMBER = 63 }; /* characters of a number that cJSON reads */

/* What must come next. */
enum want { BAD, VALUE, KEY, AFTER };

static enum want bad(rk_scan *scan, int status, const char *why)
{
    scan->status = status;
    scan->why = why;
    return BAD;
}

static enum want malformed(rk_scan *scan, const char *why)
{
    return bad(scan, RASK_EFORMAT, scan->at == scan->end ? "the text ends too early" : why);
}

/* The next byte; -1 at the end. */
static int peek(const rk_scan *scan)
{
    return scan->at < scan->end ? (unsigned char)*scan->at : -1;
}

static void skip_space(rk_scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits behind \u; -1 when they are not there. */
static long hex4(rk_scan *scan)
{
    long code = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        int value = scan->at < scan->end ? hex_value(*scan->at) : -1;
        if (value < 0)
            return -1;
        code = code << 4 | value;
    }
    return code;
}

/* What follows \u, with the second half of a surrogate pair. */
static enum want scan_unicode(rk_scan *scan)
{
    long code = hex4(scan);
    if (code < 0)
        return malformed(scan, "\\u needs four hexadecimal digits");
    if (!code)
        return malformed(scan, "\\u0000 cannot stand in a string: write {\"bytes\": base64}");
    if (code < 0xd800 || code > 0xdfff)
        return AFTER;
    if (code < 0xdc00 && scan->end - scan->at >= 2 && scan->at[0] == '\\' && scan->at[1] == 'u') {
        scan->at += 2;
        long low = hex4(scan);
        if (low >= 0xdc00 && low <= 0xdfff)
            return AFTER;
    }
    return malformed(scan, "half of a surrogate pair");
}

static enum want scan_escape(rk_scan *scan)
{
    scan->at++;
    int c = peek(scan);
    if (c < 1 || !strchr("\"\\/bfnrtu", c))
        return malformed(scan, "an unknown escape");
    scan->at++;
    return c == 'u' ? scan_unicode(scan) : AFTER;
}

static enum want scan_string(rk_scan *scan)
{
    for (scan->at++; scan->at < scan->end;) {
        unsigned char c = (unsigned char)*scan->at;
        if (c == '"') {
            scan->at++;
            return AFTER;
        }
        if (c == '\\') {
            if (!scan_escape(scan))
                return BAD;
        } else if (c < 0x20) {
            return malformed(scan, "a control character in a string");
        } else {
            size_t len = rk_utf8_length(scan->at, scan->end);
            if (!len)
                return malformed(scan, "invalid UTF-8");
            scan->at += len;
        }
    }
    return malformed(scan, "");
}

static bool skip_digits(rk_scan *scan)
{
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return scan->at > start;
}

static bool skip_fraction(rk_scan *scan)
{
    if (peek(scan) != '.')
        return true;
    scan->at++;
    return skip_digits(scan);
}

static bool skip_exponent(rk_scan *scan)
{
    if (peek(scan) != 'e' && peek(scan) != 'E')
        return true;
    scan->at++;
    if (peek(scan) == '+' || peek(scan) == '-')
        scan->at++;
    return skip_digits(scan);
}

static enum want scan_number(rk_scan *scan)
{
    const char *start = scan->at;
    if (*scan->at == '-')
        scan->at++;
    if (peek(scan) == '0')
        scan->at++;
    else if (!skip_digits(scan))
        return malformed(scan, "a digit is missing");
    if (!skip_fraction(scan) || !skip_exponent(scan))
        return malformed(scan, "a digit is missing");
    if (scan->at - start > MAX_NUMBER)
        return bad(scan, RASK_ELIMIT, "a number of more than 63 characters");
    return AFTER;
}

static enum want scan_word(rk_scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(scan->end - scan->at) >= len && !memcmp(scan->at, words[i], len)) {
            scan->at += len;
            return AFTER;
        }
    }
    return malformed(scan, "a value is missing");
}

/* Opens an object or array and closes it again when it is empty. */
static enum want scan_open(rk_scan *scan, bool object)
{
    if (scan->depth == RK_MAX_JSON_DEPTH)
        return bad(scan, RASK_ELIMIT, "nested more than 64 deep");
    uint64_t bit = (uint64_t)1 << scan->depth;
    scan->objects = object ? scan->objects | bit : scan->objects & ~bit;
    scan->depth++;
    scan->at++;
    skip_space(scan);
    if (peek(scan) != (object ? '}' : ']'))
        return object ? KEY : VALUE;
    scan->at++;
    scan->depth--;
    return AFTER;
}

static enum want scan_begin(rk_scan *scan)
{
    int c = peek(scan);
    if (c == '{' || c == '[')
        return scan_open(scan, c == '{');
    if (c == '"')
        return scan_string(scan);
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(scan);
    return scan_word(scan);
}

static enum want scan_key(rk_scan *scan)
{
    if (peek(scan) != '"')
        return malformed(scan, "a key in quotes is missing");
    if (!scan_string(scan))
        return BAD;
    skip_space(scan);
    if (peek(scan) != ':')
        return malformed(scan, "':' is missing");
    scan->at++;
    return VALUE;
}

/* Behind a value: a comma, or the end of the innermost level. */
static enum want scan_after(rk_scan *scan)
{
    bool object = scan->objects >> (scan->depth - 1) & 1;
    int c = peek(scan);
    if (c != ',' && c != (object ? '}' : ']'))
        return malformed(scan, object ? "',' or '}' is missing" : "',' or ']' is missing");
    scan->at++;
    if (c == ',')
        return object ? KEY : VALUE;
    scan->depth--;
    return AFTER;
}

/* One whole value. */
static bool scan_value(rk_scan *scan)
{
    unsigned base = scan->depth;
    enum want want = VALUE;
    while (want != BAD && (want != AFTER || scan->depth > base)) {
        skip_space(scan);
        want = want == VALUE ? scan_begin(scan) : want == KEY ? scan_key(scan) : scan_after(scan);
    }
    return want != BAD;
}

void rk_scan_init(rk_scan *scan, const char *text, size_t len)
{
    *scan = (rk_scan){.text = text, .at = text, .end = text + len};
}

bool rk_scan_object(rk_scan *scan)
{
    skip_space(scan);
    if (peek(scan) != '{')
        return malformed(scan, "'{' is missing");
    scan->objects |= (uint64_t)1 << scan->depth++;
    scan->at++;
    return true;
}

static rk_slice slice_from(const rk_scan *scan, const char *start)
{
    return (rk_slice){(uint32_t)(start - scan->text), (uint32_t)(scan->at - start)};
}

int rk_scan_member(rk_scan *scan, bool first, rk_slice *key, rk_slice *value)
{
    skip_space(scan);
    if (first && peek(scan) == '}') {
        scan->at++;
        scan->depth--;
        return 0;
    }
    unsigned outside = scan->depth - 1;
    if (!first && !scan_after(scan))
        return -1;
    if (scan->depth == outside)
        return 0;
    skip_space(scan);
    const char *start = scan->at;
    if (!scan_key(scan))
        return -1;
    *key = slice_from(scan, start);
    key->len = (uint32_t)((const char *)memrchr(start, '"', key->len) - start) + 1;
    skip_space(scan);
    start = scan->at;
    if (!scan_value(scan))
        return -1;
    *value = slice_from(scan, start);
    return 1;
}

bool rk_scan_end(rk_scan *scan)
{
    skip_space(scan);
    return scan->at == scan->end || bad(scan, RASK_EFORMAT, "something follows the end of the document");
}
