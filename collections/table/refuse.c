/* Messages about names that are not there and texts that mean nothing: what was meant, as far as that can be told. */
#include "collections/table/csv_source.h"
#include "collections/table/table.h"

#include "collections/syntax/nearest.h"
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

size_t rask_table_column_note(const rask_table *table, const char *column, char *buffer, size_t capacity)
{
    char note[RK_MAX_MESSAGE];
    const rask_table *source = table;
    while (source && source->kind != RK_TABLE_CSV)
        source = source->input;
    uint32_t index = source && column ? find(source, (rask_bytes){column, strlen(column)}) : UINT32_MAX;
    if (index == UINT32_MAX || !rk_csv_source_note(source->as.csv, index, note, sizeof note))
        return 0;
    if (capacity)
        snprintf(buffer, capacity, "%s", note);
    return strlen(note);
}

/* The note on the first column of text that an expression may speak of. */
static size_t find_note(const rask_table *table, const char *text, char *buffer, size_t capacity)
{
    size_t len = 0;
    for (uint32_t i = 0; i < table->schema.count && !len; i++)
        if (table->schema.types[i] == RASK_COL_TEXT && strstr(text, table->schema.names[i]))
            len = rask_table_column_note(table, table->schema.names[i], buffer, capacity);
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

static bool is_computed(rask_bytes name)
{
    for (size_t i = 1; i < name.len; i++)
        if (strchr("(*/<>=", name.data[i]))
            return true;
    return false;
}

static void add_hint(rk_print *out, const rask_table *table, rask_bytes name)
{
    rk_nearest nearest = rk_nearest_to(name.data, name.len);
    for (uint32_t i = 0; i < table->schema.count; i++)
        rk_nearest_consider(&nearest, table->schema.names[i], strlen(table->schema.names[i]));
    if (is_computed(name))
        rk_print_add(out,
                     ": what is computed becomes a column first, with a name of its own: --with 'NAME=%.*s'",
                     (int)(name.len < 80 ? name.len : 80), name.data);
    else if (nearest.name)
        rk_print_add(out, ": did you mean \"%.*s\"?", (int)nearest.name_len, nearest.name);
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
