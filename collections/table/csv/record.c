#include "collections/table/csv/record.h"

#include "collections/table/csv/index.h"
#include "core/base/limits.h"
#include "core/base/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Whether the line ends at i, which is the end of the text or not; *part: nobody knows yet. */
static bool line_ends(const rk_csv_text *t, size_t i, bool *part)
{
    bool carriage = i < t->len && t->text[i] == '\r';
    if (i + carriage < t->len)
        return t->text[i + carriage] == '\n';
    *part = !t->last;
    return t->last;
}

/* Where the quoted field that begins at from ends: at a delimiter, a CR, a newline or the end of the text. */
static rk_csv_found read_quoted(const rk_csv_format *f, const rk_csv_text *t, size_t from, size_t *end)
{
    bool part = false;
    for (size_t i = from + 1;;) {
        const char *quote = memchr(t->text + i, f->quote, t->len - i);
        *end = from;
        if (!quote)
            return t->last ? RK_CSV_UNTERMINATED : RK_CSV_PART;
        i = (size_t)(quote - t->text) + 1;
        if (i < t->len && t->text[i] == f->quote) {
            i++;
            continue;
        }
        *end = i;
        if ((i < t->len && t->text[i] == f->delimiter) || line_ends(t, i, &part))
            return RK_CSV_RECORD;
        return part ? RK_CSV_PART : RK_CSV_BEHIND_QUOTE;
    }
}

/* Moves *i from where a field begins to the separator that ends it. */
static rk_csv_found read_field(const rk_csv_format *f, const rk_csv_text *t, size_t *i)
{
    if (f->quote && *i < t->len && t->text[*i] == f->quote) {
        rk_csv_found found = read_quoted(f, t, *i, i);
        if (found != RK_CSV_RECORD)
            return found;
    }
    while (*i < t->len && t->text[*i] != f->delimiter && t->text[*i] != '\n')
        ++*i;
    return *i == t->len && !t->last ? RK_CSV_PART : RK_CSV_RECORD;
}

rk_csv_found rk_csv_record_read(const rk_csv_format *format, const rk_csv_text *t, size_t from, size_t base,
                                uint32_t *ends, uint64_t most, rk_csv_record *out)
{
    rk_csv_text within = *t;
    if (t->len - from > RK_MAX_CSV_RECORD)
        within = (rk_csv_text){t->text, from + RK_MAX_CSV_RECORD, false};
    *out = (rk_csv_record){0};
    for (size_t i = from;; i++) {
        rk_csv_found found = read_field(format, &within, &i);
        out->place = i;
        if (found != RK_CSV_RECORD)
            return found == RK_CSV_PART && within.len - from == RK_MAX_CSV_RECORD ? RK_CSV_TOO_LONG : found;
        if (out->fields++ < most)
            ends[out->fields - 1] = (uint32_t)(i - base);
        bool over = i == within.len;
        if (over || within.text[i] == '\n') {
            out->bytes = i + !over - from;
            return RK_CSV_RECORD;
        }
    }
}

size_t rk_csv_lines_skip(const rk_csv_format *format, const rk_csv_text *t, size_t from, bool blanks,
                         bool *part)
{
    size_t i = from;
    *part = false;
    while (i < t->len) {
        const char *newline = t->text + i;
        if (format->comment && t->text[i] == format->comment)
            newline = memchr(newline, '\n', t->len - i);
        else if (blanks && line_ends(t, i, part))
            newline += *newline == '\r';
        else
            break;
        *part = !newline && !t->last;
        if (*part)
            break;
        i = newline && newline < t->text + t->len ? (size_t)(newline - t->text) + 1 : t->len;
    }
    return i - from;
}

size_t rk_csv_mark(const char *text, size_t len)
{
    return len > 2 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
}

size_t rk_csv_unescape(char quote, const char *text, size_t len, char *out)
{
    char *to = out;
    for (size_t i = 0; i < len;) {
        const char *next = memchr(text + i, quote, len - i);
        size_t bytes = next ? (size_t)(next - text) - i + 1 : len - i;
        memcpy(to, text + i, bytes);
        to += bytes;
        i += bytes + (next != NULL);
    }
    return (size_t)(to - out);
}

bool rk_csv_is_null(const rk_csv_format *format, const rk_csv_field *field)
{
    size_t len = field->len;
    for (size_t i = 0; !field->quoted && i < format->null_count; i++) {
        const char *null = format->nulls[i];
        bool begins = !len || *null == *field->data; /* few fields do */
        if (begins && strnlen(null, len + 1) == len && !memcmp(null, field->data, len))
            return true;
    }
    return false;
}

rk_csv_field rk_csv_trim(rk_csv_field field)
{
    while (field.len && (field.data[field.len - 1] == ' ' || field.data[field.len - 1] == '\t'))
        field.len--;
    while (field.len && (*field.data == ' ' || *field.data == '\t')) {
        field.data++;
        field.len--;
    }
    return field;
}

static bool ends_lines(char c)
{
    return c == '\n' || c == '\r';
}

bool rk_csv_format_valid(const rk_csv_format *f)
{
    return f->delimiter && f->delimiter != f->quote && f->delimiter != f->comment &&
           (!f->quote || f->quote != f->comment) && !ends_lines(f->delimiter) && !ends_lines(f->quote) &&
           !ends_lines(f->comment);
}

int rk_csv_fail(rk_csv_error *error, int status, uint64_t line, uint32_t column, const char *format, ...)
{
    *error = (rk_csv_error){.status = status, .line = line, .column = column};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

int rk_csv_fail_record(rk_csv_error *error, rk_csv_found found, uint64_t line, const rk_csv_text *t,
                       size_t from, const rk_csv_record *record)
{
    if (found == RK_CSV_TOO_LONG)
        return rk_csv_fail(error, RASK_ELIMIT, line, UINT32_MAX, "record is longer than %zu bytes",
                           (size_t)RK_MAX_CSV_RECORD);
    uint32_t column = record->fields < UINT32_MAX ? (uint32_t)record->fields : UINT32_MAX;
    line += rk_csv_newlines(t->text + from, record->place - from);
    return rk_csv_fail(
        error, RASK_EFORMAT, line, column, "field %llu: %s", (unsigned long long)record->fields + 1,
        found == RK_CSV_UNTERMINATED ? "the quote is not closed" : "text behind the closing quote");
}

int rk_csv_fail_fields(rk_csv_error *error, uint64_t line, uint64_t fields, uint32_t expected)
{
    return rk_csv_fail(error, RASK_EFORMAT, line, UINT32_MAX, "record has %llu field%s, %u expected",
                       (unsigned long long)fields, fields == 1 ? "" : "s", expected);
}
