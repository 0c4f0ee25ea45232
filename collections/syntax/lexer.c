#include "collections/syntax/lexer.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NUMBER = 400 }; /* characters of a number: more than any double needs */

static const char *const mark_texts[] = {
#define MARK_TEXT(name, text) text,
    RK_MARK_TABLE(MARK_TEXT)
#undef MARK_TEXT
};

const char *rk_mark_text(rk_mark mark)
{
    return mark < RK_MARK_COUNT ? mark_texts[mark] : "?";
}

bool rk_syntax_fail(rk_syntax_error *error, int status, size_t at, const char *format, ...)
{
    va_list args;
    if (error->status)
        return false;
    error->status = status;
    error->at = at;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return false;
}

/* Whatever the locale is. */
static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Byte i behind the place; -1 behind the end. */
static int peek(const rk_lexer *l, size_t i)
{
    return i < l->len - l->at ? (unsigned char)l->text[l->at + i] : -1;
}

static void skip_space(rk_lexer *l)
{
    for (int c; (c = peek(l, 0)) >= 0;) {
        if (c == '#')
            while ((c = peek(l, 0)) >= 0 && c != '\n')
                l->at++;
        else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || (c == '\n' && (l->depth || l->columns)))
            l->at++;
        else
            break;
    }
}

/* --- numbers */

/* Digits of a base, with single underscores between them, added to buffer without those. */
static bool take_digits(rk_lexer *l, int base, char *buffer, size_t *used)
{
    bool any = false;
    for (;; l->at++) {
        int c = peek(l, 0), low = c | 0x20;
        bool digit = is_digit(c) ? c - '0' < base : base == 16 && low >= 'a' && low <= 'f';
        if (c == '_' && any && (is_digit(peek(l, 1)) || base == 16))
            continue;
        if (!digit)
            return any;
        if (*used + 2 > MAX_NUMBER)
            return false;
        any = true;
        buffer[(*used)++] = (char)c;
    }
}

static bool bad_number(rk_syntax_error *error, size_t at)
{
    return rk_syntax_fail(error, RASK_EFORMAT, at, "not a number as Python writes them");
}

static bool whole_number(const char *digits, size_t count, int base, rk_token *token, rk_syntax_error *error)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = is_digit(digits[i]) ? (unsigned)(digits[i] - '0') : (digits[i] | 0x20) - 'a' + 10u;
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return rk_syntax_fail(error, RASK_ERANGE, token->at,
                                  "integers have at most 64 bits: write a float, such as 1e20");
    }
    token->number.kind = value <= INT64_MAX ? RASK_OPERAND_I64 : RASK_OPERAND_U64;
    token->number.as.u64 = value;
    return true;
}

static double decimal_number(const char *text)
{
    locale_t points = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* in glibc this one is static */
    double value = points ? strtod_l(text, NULL, points) : strtod(text, NULL);
    if (points)
        freelocale(points);
    return value;
}

static bool take_based(rk_lexer *l, int base, rk_token *token, rk_syntax_error *error)
{
    char digits[MAX_NUMBER];
    size_t used = 0;
    l->at += 2;
    if (!take_digits(l, base, digits, &used))
        return bad_number(error, token->at);
    return whole_number(digits, used, base, token, error);
}

/* What may follow the digits before the point. *whole: nothing did. */
static bool take_fraction(rk_lexer *l, char *buffer, size_t *used, bool *whole)
{
    bool any = *used > 0;
    *whole = true;
    if (peek(l, 0) == '.') {
        *whole = false;
        buffer[(*used)++] = '.';
        l->at++;
        any |= take_digits(l, 10, buffer, used);
    }
    int sign = peek(l, 1) == '+' || peek(l, 1) == '-';
    if (any && (peek(l, 0) | 0x20) == 'e' && is_digit(peek(l, 1 + (size_t)sign)) && *used + 3 < MAX_NUMBER) {
        *whole = false;
        buffer[(*used)++] = 'e';
        if (sign)
            buffer[(*used)++] = (char)peek(l, 1);
        l->at += 1 + (size_t)sign;
        any = take_digits(l, 10, buffer, used);
    }
    return any;
}

static bool take_decimal(rk_lexer *l, rk_token *token, rk_syntax_error *error)
{
    char text[MAX_NUMBER + 1];
    size_t used = 0;
    bool whole;
    take_digits(l, 10, text, &used);
    if (!take_fraction(l, text, &used, &whole) || used + 2 > MAX_NUMBER)
        return bad_number(error, token->at);
    text[used] = 0;
    if ((peek(l, 0) | 0x20) == 'j') {
        l->at++;
        token->number.kind = RASK_OPERAND_C128;
        token->number.as.c128[0] = 0;
        token->number.as.c128[1] = decimal_number(text);
        return true;
    }
    if (!whole) {
        token->number.kind = RASK_OPERAND_F64;
        token->number.as.f64 = decimal_number(text);
        return true;
    }
    if (text[0] == '0' && strspn(text, "0") != used)
        return rk_syntax_fail(error, RASK_EFORMAT, token->at, "an integer does not begin with 0");
    return whole_number(text, used, 10, token, error);
}

static bool take_number(rk_lexer *l, rk_token *token, rk_syntax_error *error)
{
    int prefix = peek(l, 0) == '0' ? peek(l, 1) | 0x20 : 0;
    bool good = prefix == 'x'   ? take_based(l, 16, token, error)
                : prefix == 'o' ? take_based(l, 8, token, error)
                : prefix == 'b' ? take_based(l, 2, token, error)
                                : take_decimal(l, token, error);
    if (good && (is_letter(peek(l, 0)) || is_digit(peek(l, 0))))
        return bad_number(error, token->at);
    token->kind = RK_TOKEN_NUMBER;
    token->len = l->at - token->at;
    return good;
}

/* --- the rest */

static bool take_string(rk_lexer *l, rk_token *token, rk_syntax_error *error)
{
    int quote = peek(l, 0);
    token->kind = RK_TOKEN_STRING;
    token->at++;
    for (l->at++; peek(l, 0) != quote; l->at++) {
        if (peek(l, 0) == '\\' && !l->columns)
            return rk_syntax_fail(error, RASK_EFORMAT, l->at, "strings have no escapes");
        if (peek(l, 0) == '\\')
            l->at++;
        if (peek(l, 0) < 0 || (peek(l, 0) == '\n' && !l->columns))
            return rk_syntax_fail(error, RASK_EFORMAT, token->at - 1, "a string that nothing ends");
    }
    token->len = l->at - token->at;
    l->at++;
    return true;
}

size_t rk_string_unescape(const char *text, size_t len, char *out)
{
    static const char escapes[][2] = {{'\\', '\\'}, {'\'', '\''}, {'"', '"'},
                                      {'n', '\n'},  {'t', '\t'},  {'r', '\r'}};
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        out[used] = text[i];
        for (size_t e = 0; text[i] == '\\' && i + 1 < len && e < sizeof escapes / sizeof *escapes; e++) {
            if (text[i + 1] != escapes[e][0])
                continue;
            out[used] = escapes[e][1];
            i++;
            break;
        }
        used++;
    }
    return used;
}

static bool take_quoted_name(rk_lexer *l, rk_token *token, rk_syntax_error *error)
{
    token->kind = RK_TOKEN_NAME;
    token->quoted = true;
    token->at++;
    for (l->at++; peek(l, 0) != '`' || peek(l, 1) == '`'; l->at++) {
        l->at += peek(l, 0) == '`'; /* two are one of the name */
        if (peek(l, 0) < 0)
            return rk_syntax_fail(error, RASK_EFORMAT, token->at - 1,
                                  "a name in backticks that no backtick ends; two are one of the name");
    }
    token->len = l->at - token->at;
    l->at++;
    return true;
}

size_t rk_name_unquote(const char *text, size_t len, char quote, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        out[used++] = text[i];
        i += text[i] == quote && i + 1 < len && text[i + 1] == quote;
    }
    return used;
}

bool rk_quoted_name_is(const char *text, size_t len, const char *name)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != *name++)
            return false;
        i += text[i] == '`';
    }
    return !*name;
}

static void take_name(rk_lexer *l, rk_token *token)
{
    token->kind = RK_TOKEN_NAME;
    while (is_letter(peek(l, 0)) || is_digit(peek(l, 0)))
        l->at++;
    token->len = l->at - token->at;
    for (unsigned i = RK_MARK_EITHER; l->columns && i <= RK_MARK_IN; i++) {
        if (strlen(mark_texts[i]) == token->len && !memcmp(l->text + token->at, mark_texts[i], token->len)) {
            token->kind = RK_TOKEN_MARK;
            token->mark = (rk_mark)i;
        }
    }
}

static bool take_mark(rk_lexer *l, rk_token *token)
{
    for (unsigned i = 0; i < RK_MARK_EITHER; i++) {
        size_t len = strlen(mark_texts[i]);
        if (l->len - l->at < len || memcmp(l->text + l->at, mark_texts[i], len) != 0)
            continue;
        token->kind = RK_TOKEN_MARK;
        token->mark = (rk_mark)i;
        token->len = len;
        l->at += len;
        l->depth += i == RK_MARK_OPEN || i == RK_MARK_OPEN_INDEX;
        l->depth -= (i == RK_MARK_CLOSE || i == RK_MARK_CLOSE_INDEX) && l->depth;
        return true;
    }
    return false;
}

/* Bytes of the character of UTF-8 at the place; 0: it is none. */
static size_t utf8_length(const rk_lexer *l)
{
    int c = peek(l, 0);
    size_t len = c < 0x80                ? 1
                 : c >= 0xc2 && c < 0xe0 ? 2
                 : c >= 0xe0 && c < 0xf0 ? 3
                 : c >= 0xf0 && c < 0xf5 ? 4
                                         : 0;
    for (size_t i = 1; i < len; i++) {
        if ((peek(l, i) & 0xc0) != 0x80 || peek(l, i) < 0)
            return 0;
    }
    int second = peek(l, 1);
    bool wrong = (c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) ||
                 (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f);
    return wrong ? 0 : len;
}

static bool bad_character(rk_lexer *l, rk_syntax_error *error)
{
    int c = peek(l, 0);
    size_t len = utf8_length(l);
    if (len == 0)
        return rk_syntax_fail(error, RASK_EFORMAT, l->at, "byte 0x%02x is not UTF-8", (unsigned)c);
    if (c < ' ' || c == 0x7f)
        return rk_syntax_fail(error, RASK_EFORMAT, l->at, "control character 0x%02x", (unsigned)c);
    return rk_syntax_fail(error, RASK_EFORMAT, l->at, "'%.*s' means nothing here", (int)len, l->text + l->at);
}

/* What other languages write. */
static bool foreign_mark(const rk_lexer *l, rk_syntax_error *error)
{
    static const char *const marks[][2] = {{"&&", "write and"},
                                           {"||", "write or"},
                                           {"<>", "write !="},
                                           {"=~", "write matches(a, \"regex\")"},
                                           {"!~", "write not matches(a, \"regex\")"}};
    for (size_t i = 0; l->columns && i < sizeof marks / sizeof *marks; i++)
        if (peek(l, 0) == marks[i][0][0] && peek(l, 1) == marks[i][0][1]) {
            rk_syntax_fail(error, RASK_EFORMAT, l->at, "'%s' is no operator: %s", marks[i][0], marks[i][1]);
            return true;
        }
    if (l->columns && peek(l, 0) == '!' && peek(l, 1) != '=') {
        rk_syntax_fail(error, RASK_EFORMAT, l->at, "'!' is no operator: write not");
        return true;
    }
    return false;
}

bool rk_syntax_hint(rk_syntax_error *error)
{
    size_t len = strlen(error->message);
    snprintf(error->message + len, sizeof error->message - len,
             "; names of columns that are no words stand in backticks");
    return false;
}

/* Whether a date stands around a place: its year begins there, or five or eight bytes before. */
static bool is_date(const rk_lexer *l, size_t at)
{
    static const char pattern[] = "dddd-dd-dd";
    for (size_t before = 0; before <= 8; before += before ? 3 : 5) {
        size_t i = 0;
        while (at >= before && i < sizeof pattern - 1 && at - before + i < l->len &&
               (pattern[i] == 'd' ? is_digit((unsigned char)l->text[at - before + i])
                                  : l->text[at - before + i] == '-'))
            i++;
        if (i == sizeof pattern - 1)
            return true;
    }
    return false;
}

static bool hint_number(const rk_lexer *l, size_t at, rk_syntax_error *error)
{
    if (error->status != RASK_EFORMAT || !is_date(l, at))
        return rk_syntax_hint(error);
    snprintf(error->message, sizeof error->message, "dates stand in quotes: \"2020-01-31\"");
    return false;
}

bool rk_lexer_next(rk_lexer *l, rk_token *token, rk_syntax_error *error)
{
    skip_space(l);
    *token = (rk_token){.kind = RK_TOKEN_END, .at = l->at};
    int c = peek(l, 0);
    if (c < 0)
        return true;
    if (is_digit(c) || (c == '.' && is_digit(peek(l, 1))))
        return take_number(l, token, error) || (l->columns && hint_number(l, token->at, error));
    if (c == '\'' || c == '"')
        return take_string(l, token, error);
    if (c == '`' && l->columns)
        return take_quoted_name(l, token, error);
    if (is_letter(c)) {
        take_name(l, token);
        return true;
    }
    if (c == ';' || c == '\n') {
        token->kind = RK_TOKEN_BREAK;
        token->len = 1;
        l->at++;
        return true;
    }
    return !foreign_mark(l, error) && (take_mark(l, token) || bad_character(l, error));
}

const char *rk_token_text(const rk_lexer *l, const rk_token *token, char buffer[RK_TOKEN_TEXT])
{
    int shown = token->len < 40 ? (int)token->len : 40;
    const char *text = l->text + token->at, *more = token->len > 40 ? "..." : "";
    switch (token->kind) {
    case RK_TOKEN_END: snprintf(buffer, RK_TOKEN_TEXT, "the end"); break;
    case RK_TOKEN_BREAK: snprintf(buffer, RK_TOKEN_TEXT, *text == ';' ? "';'" : "the end of the line"); break;
    case RK_TOKEN_NAME: snprintf(buffer, RK_TOKEN_TEXT, "name \"%.*s%s\"", shown, text, more); break;
    case RK_TOKEN_NUMBER: snprintf(buffer, RK_TOKEN_TEXT, "number %.*s%s", shown, text, more); break;
    case RK_TOKEN_STRING: snprintf(buffer, RK_TOKEN_TEXT, "a string"); break;
    case RK_TOKEN_MARK: snprintf(buffer, RK_TOKEN_TEXT, "'%s'", rk_mark_text(token->mark)); break;
    }
    return buffer;
}
