/* Functions of text. A code point is a byte that continues none, with those that continue it. */
#include "collections/table/expr/kernels/loops.h"

#include <string.h>

static rask_bytes text_at(const rk_expr_call *c, uint32_t operand, uint32_t row)
{
    return c->in[operand]->text[rk_row(c, operand, row)];
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Bytes that continue have bit 7 and not bit 6: eight of them at once. */
static int64_t code_points(const char *text, size_t len)
{
    int64_t count = (int64_t)len;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t eight;
        memcpy(&eight, text + i, 8);
        count -= __builtin_popcountll(eight & ~(eight << 1) & UINT64_C(0x8080808080808080));
    }
    for (; i < len; i++)
        count -= continues(text[i]);
    return count;
}

/* The byte behind count code points. */
static size_t skip(rask_bytes text, size_t at, int64_t count)
{
    while (at < text.len && (count > 0 || continues(text.data[at])))
        count -= !continues(text.data[at++]);
    return at;
}

enum { SHORT = 128 }; /* bytes of text in which memmem() takes longer to begin than to search */

static const char *search_short(rask_bytes text, rask_bytes wanted)
{
    const char *end = text.data + text.len - wanted.len + 1;
    for (const char *at = text.data; at < end; at++) {
        at = memchr(at, *wanted.data, (size_t)(end - at));
        if (!at || !memcmp(at, wanted.data, wanted.len))
            return at;
    }
    return NULL;
}

static const char *search(rask_bytes text, rask_bytes wanted)
{
    if (!wanted.len || !wanted.data)
        return text.data ? text.data : "";
    if (wanted.len > text.len)
        return NULL;
    return text.len <= SHORT ? search_short(text, wanted)
                             : memmem(text.data, text.len, wanted.data, wanted.len);
}

int rk_expr_bytes(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++)
        c->out->i64[i] = (int64_t)text_at(c, 0, i).len;
    return RASK_OK;
}

int rk_expr_length(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++)
        c->out->i64[i] = code_points(text_at(c, 0, i).data, text_at(c, 0, i).len);
    return RASK_OK;
}

/* --- questions */

int rk_expr_contains(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++)
        c->out->boolean[i] = search(text_at(c, 0, i), text_at(c, 1, i)) != NULL;
    return RASK_OK;
}

int rk_expr_find(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++) {
        rask_bytes text = text_at(c, 0, i), wanted = text_at(c, 1, i);
        const char *found = search(text, wanted);
        c->out->i64[i] = !found ? -1 : wanted.len ? code_points(text.data, (size_t)(found - text.data)) : 0;
    }
    return RASK_OK;
}

/* --- parts */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int rk_expr_strip(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++) {
        rask_bytes text = text_at(c, 0, i);
        while (text.len && is_space(*text.data)) {
            text.data++;
            text.len--;
        }
        while (text.len && is_space(text.data[text.len - 1]))
            text.len--;
        c->out->text[i] = text;
    }
    return RASK_OK;
}

/* A start before 0 counts from the end. */
int rk_expr_substring(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++) {
        rask_bytes text = text_at(c, 0, i);
        int64_t start = c->in[1]->i64[rk_row(c, 1, i)], length = c->in[2]->i64[rk_row(c, 2, i)];
        if (start < 0) {
            start += code_points(text.data, text.len);
            start = start < 0 ? 0 : start;
        }
        size_t from = start ? skip(text, 0, start) : 0;
        size_t to = length > 0 ? skip(text, from, length) : from;
        c->out->text[i] = to > from ? (rask_bytes){text.data + from, to - from} : (rask_bytes){0};
    }
    return RASK_OK;
}

/* --- new text */

/* Room for all rows at once. NULL, and *status RASK_OK, when nothing is needed. */
static char *room_for(const rk_expr_call *c, uint32_t operands, int *status)
{
    size_t total = 0;
    for (uint32_t k = 0; k < operands; k++) {
        for (uint32_t i = 0; i < c->rows; i++)
            total += text_at(c, k, i).len;
    }
    return total ? rk_expr_text_alloc(c->run, total, status) : NULL;
}

static char *append(char *at, rask_bytes text)
{
    if (text.len)
        memcpy(at, text.data, text.len);
    return at + text.len;
}

int rk_expr_concat(const rk_expr_call *c)
{
    int status = RASK_OK;
    char *at = room_for(c, 2, &status);
    for (uint32_t i = 0; !status && i < c->rows; i++) {
        rask_bytes a = text_at(c, 0, i), b = text_at(c, 1, i);
        c->out->text[i] = (rask_bytes){at, a.len + b.len};
        if (at)
            at = append(append(at, a), b);
    }
    return status;
}

RK_CLONES static void change_ascii(char *text, size_t len, char first, char last)
{
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(text[i] ^ ((text[i] >= first) & (text[i] <= last)) << 5);
}

/* U+00C0 to U+00FE: 0xc3 and a byte whose bit 5 is the case, but for two signs. */
static void change_latin(char *text, size_t len, bool upper)
{
    for (size_t i = 0; i + 1 < len; i++) {
        unsigned char next = (unsigned char)text[i + 1], low = next & ~0x20u;
        bool is_lower = (next & 0x20) != 0;
        if ((unsigned char)text[i] == 0xc3 && low >= 0x80 && low <= 0x9e && low != 0x97 && is_lower == upper)
            text[i + 1] = (char)(next ^ 0x20);
    }
}

static int with_case(const rk_expr_call *c, bool upper)
{
    int status = RASK_OK;
    char *text = room_for(c, 1, &status), *at = text;
    for (uint32_t i = 0; !status && i < c->rows; i++) {
        rask_bytes in = text_at(c, 0, i);
        c->out->text[i] = (rask_bytes){at, in.len};
        if (at)
            at = append(at, in);
    }
    if (status || !text)
        return status;
    size_t total = (size_t)(at - text);
    change_ascii(text, total, upper ? 'a' : 'A', upper ? 'z' : 'Z');
    bool latin = memchr(text, 0xc3, total);
    for (uint32_t i = 0; latin && i < c->rows; i++)
        change_latin(text + (c->out->text[i].data - text), c->out->text[i].len, upper);
    return RASK_OK;
}

int rk_expr_lower(const rk_expr_call *c)
{
    return with_case(c, false);
}

int rk_expr_upper(const rk_expr_call *c)
{
    return with_case(c, true);
}

static size_t occurrences(rask_bytes text, rask_bytes wanted)
{
    size_t count = 0;
    for (const char *found; (found = search(text, wanted)); count++) {
        size_t behind = (size_t)(found - text.data) + wanted.len;
        text = (rask_bytes){text.data + behind, text.len - behind};
    }
    return count;
}

static void write_replaced(char *out, rask_bytes text, rask_bytes wanted, rask_bytes with)
{
    for (const char *found; (found = search(text, wanted));) {
        size_t before = (size_t)(found - text.data);
        memcpy(out, text.data, before);
        out += before;
        if (with.len)
            memcpy(out, with.data, with.len);
        out += with.len;
        text = (rask_bytes){found + wanted.len, text.len - before - wanted.len};
    }
    memcpy(out, text.data, text.len);
}

static int replace_in(const rk_expr_call *c, uint32_t row, rask_bytes text, rask_bytes wanted,
                      rask_bytes with)
{
    int status = RASK_OK;
    size_t count = wanted.len ? occurrences(text, wanted) : 0, more;
    c->out->text[row] = text;
    if (!count)
        return RASK_OK;
    if (__builtin_mul_overflow(count, with.len, &more) || more > RK_MAX_EXPR_TEXT)
        return RASK_ELIMIT;
    size_t len = text.len - count * wanted.len + more;
    char *out = rk_expr_text_alloc(c->run, len, &status);
    if (!out)
        return status;
    write_replaced(out, text, wanted, with);
    c->out->text[row] = (rask_bytes){out, len};
    return RASK_OK;
}

int rk_expr_replace(const rk_expr_call *c)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < c->rows && !status; i++)
        status = replace_in(c, i, text_at(c, 0, i), text_at(c, 1, i), text_at(c, 2, i));
    return status;
}
