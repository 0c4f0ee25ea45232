/* Messages about names that are not there and texts that mean nothing: what was meant, as far as that can be told. */
#include "collections/table/csv_source.h"
#include "collections/table/origin.h"
#include "collections/table/table.h"

#include "collections/syntax/nearest.h"
#include "core/base/alloc.h"
#include "core/base/print.h"

#include <stdio.h>
#include <string.h>

static char quote_for(const char *text, size_t len)
{
    return memchr(text, '"', len) && !memchr(text, '\'', len) ? '\'' : '"';
}

static uint32_t find(const rask_table *table, rask_bytes name)
{
    for (uint32_t i = 0; i < table->schema.count; i++)
        if (strlen(table->schema.names[i]) == name.len &&
            memcmp(table->schema.names[i], name.data, name.len) == 0)
            return i;
    return UINT32_MAX;
}

static bool has_column(const rask_table *table, rask_bytes name)
{
    return find(table, name) != UINT32_MAX;
}

/* -- Columns that are text for few of their values */

/* NOLINTBEGIN(misc-no-recursion): as deep as tables stand one behind the other within others, RK_TABLE_DEPTH */

static bool note_column(const rask_table *t, uint32_t column, char *out, size_t capacity)
{
    bool noted = false;
    while (t && t->kind != RK_TABLE_CSV && t->kind != RK_TABLE_CONCAT)
        t = rk_table_below(t, &column);
    if (t && t->kind == RK_TABLE_CSV)
        return rk_csv_source_note(t->as.csv, column, out, capacity);
    for (uint32_t i = 0; t && i < t->as.concat.count && !noted; i++)
        noted = note_column(t->as.concat.tables[i], column, out, capacity);
    return noted;
}

/* NOLINTEND(misc-no-recursion) */

/* The length of the note on a column that is text. */
static size_t note_text(const rask_table *table, rask_bytes name, char *buffer, size_t capacity)
{
    char note[RK_MAX_MESSAGE];
    uint32_t index = find(table, name);
    if (index == UINT32_MAX || table->schema.types[index] != RASK_COL_TEXT ||
        !note_column(table, index, note, sizeof note))
        return 0;
    if (capacity)
        snprintf(buffer, capacity, "%s", note);
    return strlen(note);
}

size_t rask_table_column_note(const rask_table *table, const char *column, char *buffer, size_t capacity)
{
    return table && column ? note_text(table, (rask_bytes){column, strlen(column)}, buffer, capacity) : 0;
}

/* Whether a token is the name of a column: functions have a bracket behind them, new names stand behind "as". */
static bool is_column(const rk_lexer *behind, const rk_token *before, const rk_token *token)
{
    rk_lexer next = *behind;
    rk_token follower;
    rk_syntax_error error = {0};
    bool new = before->kind == RK_TOKEN_NAME && !before->quoted && before->len == 2 &&
               memcmp(behind->text + before->at, "as", 2) == 0;
    bool called = rk_lexer_next(&next, &follower, &error) && follower.kind == RK_TOKEN_MARK &&
                  follower.mark == RK_MARK_OPEN;
    return token->kind == RK_TOKEN_NAME && !new && !called;
}

/* The note on the first column of text that an expression speaks of. */
static size_t find_note(const rask_table *table, const char *text, char *buffer, size_t capacity)
{
    rk_lexer lexer = {.text = text, .len = strlen(text), .columns = true};
    rk_token before = {0}, token = {0};
    rk_syntax_error error = {0};
    size_t len = 0;
    while (!len && rk_lexer_next(&lexer, &token, &error) && token.kind != RK_TOKEN_END) {
        char *name = is_column(&lexer, &before, &token) ? rk_strndup(text + token.at, token.len) : NULL;
        if (name) {
            size_t size = token.quoted ? rk_name_unquote(name, token.len, '`', name) : token.len;
            len = note_text(table, (rask_bytes){name, size}, buffer, capacity);
        }
        rk_free(name);
        before = token;
    }
    return len;
}

void *rk_table_refuse(const rask_table *table, const char *what, const char *text,
                      const rk_syntax_error *error, const char *file, int line)
{
    char quote = quote_for(text, strlen(text)), note[RK_MAX_MESSAGE] = "";
    size_t noted = error->status == RASK_ETYPE ? find_note(table, text, note, sizeof note) : 0;
    return rk_table_fail(table, error->status, file, line, "%s: %s, at byte %zu of %c%.200s%c%s%s", what,
                         error->message, error->at + 1, quote, text, quote, noted ? "; " : "", note);
}

/* -- Columns that are not there */

/* Their names, as many as a line has room for. */
static void list_columns(rk_print *out, const rask_table *table)
{
    enum { ROOM = 160 };
    const rk_schema *s = &table->schema;
    size_t begin = out->len;
    if (s->count == 1) {
        rk_print_add(out, "; the only one is \"%.200s\": is the delimiter another one?", s->names[0]);
        return;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        rk_print_add(out, i ? ", %.80s" : "; there are: %.80s", s->names[i]);
        if (out->len - begin > ROOM && i + 1 < s->count) {
            rk_print_add(out, " and %u more", s->count - i - 1);
            return;
        }
    }
}

/* Whether a name is an expression of columns: that would be none without them. */
static bool is_computed(const rask_table *table, rask_bytes name)
{
    rk_syntax_error error = {0};
    rk_expr *with = NULL, *without = NULL;
    bool computed =
        rk_table_compile(table, name.data, name.len, table->schema.names, &with, &error) == RASK_OK &&
        rk_expr_compile(name.data, name.len, NULL, NULL, 0, &without, &error) == RASK_ENOENT;
    rk_expr_free(with);
    rk_expr_free(without);
    return computed;
}

static void add_hint(rk_print *out, const rask_table *table, rask_bytes name)
{
    rk_nearest nearest = rk_nearest_to(name.data, name.len);
    for (uint32_t i = 0; i < table->schema.count; i++)
        rk_nearest_consider(&nearest, table->schema.names[i], strlen(table->schema.names[i]));
    if (nearest.name)
        rk_print_add(out, ": did you mean \"%.*s\"?", (int)nearest.name_len, nearest.name);
    else if (is_computed(table, name))
        rk_print_add(out,
                     ": what is computed becomes a column first, with a name of its own: rask_table_with()");
    else
        list_columns(out, table);
}

static void fail_to_find(const rask_table *table, const char *what, rask_bytes name, const char *file,
                         int line)
{
    char hint[RK_MAX_MESSAGE] = "", quote = quote_for(name.data, name.len);
    rk_print out = {hint, sizeof hint, 0};
    add_hint(&out, table, name);
    rk_table_fail(table, RASK_EINVAL, file, line, "%s: no column %c%.*s%c%s", what, quote, (int)name.len,
                  name.data, quote, hint);
}

uint32_t rk_table_find(const rask_table *table, const char *what, rask_bytes name, const char *file, int line)
{
    uint32_t index = find(table, name);
    if (index == UINT32_MAX)
        fail_to_find(table, what, name, file, line);
    return index;
}

/* -- Orders and new names */

/* What stands behind a column and a space or colon, and is no direction; len 0: nothing of that kind. */
static rask_bytes misspelt_direction(const rask_table *table, rask_bytes name)
{
    for (size_t at = name.len; !has_column(table, name) && at-- > 1;)
        if (strchr(" \t:", name.data[at]))
            return has_column(table, (rask_bytes){name.data, at})
                       ? (rask_bytes){name.data + at + 1, name.len - at - 1}
                       : (rask_bytes){0};
    return (rask_bytes){0};
}

uint32_t rk_table_find_key(const rask_table *table, rask_bytes name, const char *file, int line)
{
    rask_bytes wrong = misspelt_direction(table, name);
    rask_bytes behind = name.len ? (rask_bytes){name.data + 1, name.len - 1} : name;
    if (wrong.len) {
        size_t column = (size_t)(wrong.data - 1 - name.data);
        rk_table_fail(
            table, RASK_EINVAL, file, line,
            "rask_table_sort: \"%.*s\" is neither asc nor desc: write \"%.*s:desc\" for the largest first",
            (int)wrong.len, wrong.data, (int)column, name.data);
        return UINT32_MAX;
    }
    if (!has_column(table, name) && behind.len && strchr("+-", *name.data) && has_column(table, behind)) {
        rk_table_fail(table, RASK_EINVAL, file, line,
                      "rask_table_sort: no column \"%.*s\": write \"%.*s:%s\" for the %s first",
                      (int)name.len, name.data, (int)behind.len, behind.data,
                      *name.data == '-' ? "desc" : "asc", *name.data == '-' ? "largest" : "least");
        return UINT32_MAX;
    }
    return rk_table_find(table, "rask_table_sort", name, file, line);
}

uint32_t rk_table_find_renamed(const rask_table *table, rask_bytes name, const char *file, int line)
{
    for (size_t at = 1; !has_column(table, name) && at + 1 < name.len; at++) {
        rask_bytes before = {name.data, at}, behind = {name.data + at + 1, name.len - at - 1};
        if (!strchr("=:", name.data[at]))
            continue;
        if (!has_column(table, before) && has_column(table, behind)) {
            rask_bytes swap = before;
            before = behind;
            behind = swap;
        } else if (!has_column(table, before)) {
            return rk_table_find(table, "rask_table_rename", before, file, line);
        }
        rk_table_fail(table, RASK_EINVAL, file, line, "rask_table_rename: \"%.*s\": write \"%.*s as %.*s\"",
                      (int)name.len, name.data, (int)before.len, before.data, (int)behind.len, behind.data);
        return UINT32_MAX;
    }
    return rk_table_find(table, "rask_table_rename", name, file, line);
}
