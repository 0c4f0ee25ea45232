/* Builders that say in one call what others say in several: names, nulls, counts of values. */
#include "collections/table/list.h"
#include "collections/table/made.h"
#include "collections/table/table.h"
#include "core/base/alloc.h"
#include "core/base/print.h"

#include <string.h>

enum {
    NUMBERED = 24, /* bytes that a column's number takes in a text, with what stands around it */
    FEW = 200,     /* bytes of other words in one */
};

/* -- Names */

/* Which columns of the input a list of "old as new" renames: renamed[i] gets the new name. RASK_OK, or latched. */
static int find_new_names(rask_table *input, const char *names, const char **renamed, const char *file,
                          int line)
{
    rk_list_item item;
    for (size_t at = 0; rk_list_next(names, RK_LIST_RENAMES, &at, &item);) {
        uint32_t column = rk_table_find_renamed(input, item.name, file, line);
        if (column == UINT32_MAX)
            return RASK_EINVAL;
        if (item.as.data == item.name.data || !item.as.len || renamed[column]) {
            rk_table_fail(input, RASK_EINVAL, file, line,
                          renamed[column] ? "rask_table_rename: \"%.*s\" is renamed twice"
                                          : "rask_table_rename: \"%.*s\" gets no name: OLD as NEW expected",
                          (int)item.name.len, item.name.data);
            return RASK_EINVAL;
        }
        renamed[column] = rk_table_text(input->graph, item.as, file, line);
        if (!renamed[column])
            return RASK_ENOMEM;
    }
    return RASK_OK;
}

static bool has_twins(const rask_table *table, const char *what, const char *file, int line)
{
    const rk_schema *s = &table->schema;
    for (uint32_t i = 0; i < s->count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(s->names[i], s->names[k]) == 0) {
                rk_table_fail(table, RASK_EINVAL, file, line, "%s: two columns \"%s\"", what, s->names[i]);
                return true;
            }
    return false;
}

rask_table *rk_build_rename(rask_table *input, const char *names, const char *file, int line)
{
    if (!input || !names)
        return input ? rk_table_fail(input, RASK_EINVAL, file, line, "rask_table_rename: no names") : NULL;
    uint32_t count = input->schema.count;
    rask_table *table = rk_table_new(input->graph, RK_TABLE_PICK, input, count, file, line);
    uint32_t *pick = table ? rk_table_memory(input->graph, count * sizeof *pick, file, line) : NULL;
    if (!pick)
        return NULL;
    memset(table->schema.names, 0, count * sizeof *table->schema.names);
    if (find_new_names(input, names, table->schema.names, file, line))
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        pick[i] = i;
        table->schema.types[i] = input->schema.types[i];
        table->schema.empty[i] = input->schema.empty[i];
        if (!table->schema.names[i])
            table->schema.names[i] = input->schema.names[i];
    }
    table->as.pick = pick;
    return has_twins(table, "rask_table_rename", file, line) ? NULL : table;
}

/* -- Nulls */

/* Columns that a list names, NULL for all, as marks in memory of its own. NULL, latched. */
static bool *mark_columns(const rask_table *table, const char *what, const char *list, const char *file,
                          int line)
{
    rk_list_item item;
    bool *marks = rk_alloc_array(table->schema.count + 1, sizeof *marks);
    if (!marks)
        return rk_table_fail(table, RASK_ENOMEM, file, line, "%s: no memory", what);
    memset(marks, !list, table->schema.count);
    for (size_t at = 0; list && rk_list_next(list, RK_LIST_NAMES, &at, &item);) {
        uint32_t column = rk_table_find(table, what, item.name, file, line);
        if (column == UINT32_MAX) {
            rk_free(marks);
            return NULL;
        }
        marks[column] = true;
    }
    return marks;
}

/* "not (is_null(c0) or is_null(c7))" over columns that are called by their number, so that no name has to be written. */
static rask_table *filter_numbered(rask_table *input, const bool *marks, const char *file, int line)
{
    uint32_t count = input->schema.count;
    char *numbers = rk_alloc_array(count + 1, NUMBERED);
    const char **names = rk_alloc_array(count + 1, sizeof *names);
    rk_print text = {rk_alloc_array(count + 2, NUMBERED), ((size_t)count + 2) * NUMBERED, 0};
    rask_table *table = NULL;
    if (numbers && names && text.buffer) {
        const char *word = "not (";
        for (uint32_t i = 0; i < count; i++) {
            rk_print name = {numbers + (size_t)i * NUMBERED, NUMBERED, 0};
            rk_print_add(&name, "c%u", i);
            names[i] = name.buffer;
            if (marks[i]) {
                rk_print_add(&text, "%sis_null(c%u)", word, i);
                word = " or ";
            }
        }
        rk_print_add(&text, text.len ? ")" : "true");
        table = rk_table_filter(input, "rask_table_drop_nulls", text.buffer, names, file, line);
    } else {
        rk_table_fail(input, RASK_ENOMEM, file, line, "rask_table_drop_nulls: no memory");
    }
    rk_free(text.buffer);
    rk_free((void *)names);
    rk_free(numbers);
    return table;
}

rask_table *rk_build_drop_nulls(rask_table *input, const char *columns, const char *file, int line)
{
    if (!input)
        return NULL;
    bool *marks = mark_columns(input, "rask_table_drop_nulls", columns, file, line);
    rask_table *table = marks ? filter_numbered(input, marks, file, line) : NULL;
    rk_free(marks);
    return table;
}

/* The type of an expression over the table's columns; RASK_COLUMN_TYPES: it is none, and *error says why. */
static rask_column_type type_of(const rask_table *t, const char *text, rk_syntax_error *error)
{
    rk_expr *expr = NULL;
    *error = (rk_syntax_error){0};
    if (rk_table_compile(t, text, strlen(text), t->schema.names, &expr, error))
        return RASK_COLUMN_TYPES;
    rask_column_type type = rk_expr_type(expr);
    rk_expr_free(expr);
    return type;
}

/* One column with its nulls filled; as it is where value is of another type and not all is wanted. */
static rask_table *fill_column(rask_table *input, uint32_t column, const char *value, bool all,
                               const char *file, int line)
{
    static const char what[] = "rask_table_fill_nulls";
    const char *name = input->schema.names[column];
    rk_syntax_error error;
    size_t room = 2 * strlen(name) + strlen(value) + FEW;
    rk_print text = {rk_alloc(room), room, 0};
    rask_table *table = NULL;
    if (!text.buffer)
        return rk_table_fail(input, RASK_ENOMEM, file, line, "%s: no memory", what);
    rk_print_add(&text, "coalesce(`");
    for (const char *c = name; *c; c++)
        rk_print_add(&text, *c == '`' ? "``" : "%c", *c);
    rk_print_add(&text, "`, (%s))", value);
    rask_column_type type = type_of(input, text.buffer, &error), own = input->schema.types[column];
    if (type == own || (type != RASK_COLUMN_TYPES && input->schema.empty[column]))
        table = rk_build_with(input, name, text.buffer, file, line);
    else if (all && error.status != RASK_ENOMEM)
        table = input;
    else if (error.status && error.status != RASK_ETYPE)
        rk_table_refuse(input, what, value, &error, file, line);
    else
        rk_table_fail(input, RASK_ETYPE, file, line, "%s: column \"%s\" is %s, and %.200s is not", what, name,
                      rask_column_type_name(own), value);
    rk_free(text.buffer);
    return table;
}

rask_table *rk_build_fill_nulls(rask_table *input, const char *columns, const char *value, const char *file,
                                int line)
{
    static const char what[] = "rask_table_fill_nulls";
    rk_syntax_error error;
    if (!input || !value)
        return input ? rk_table_fail(input, RASK_EINVAL, file, line, "%s: no value", what) : NULL;
    if (type_of(input, value, &error) == RASK_COLUMN_TYPES)
        return rk_table_refuse(input, what, value, &error, file, line);
    bool *marks = mark_columns(input, what, columns, file, line);
    uint32_t count = marks ? input->schema.count : 0;
    rask_table *table = marks ? input : NULL;
    for (uint32_t i = 0; i < count && table; i++)
        if (marks[i])
            table = fill_column(table, i, value, !columns, file, line);
    rk_free(marks);
    return table;
}

/* -- Values */

static bool has_column(const rask_table *table, const char *name)
{
    for (uint32_t i = 0; i < table->schema.count; i++)
        if (strcmp(table->schema.names[i], name) == 0)
            return true;
    return false;
}

rask_table *rk_build_value_counts(rask_table *input, const char *columns, const char *file, int line)
{
    if (!input || !columns || !columns[strspn(columns, " ")])
        return input ? rk_table_fail(input, RASK_EINVAL, file, line, "rask_table_value_counts: no columns")
                     : NULL;
    bool *marks = mark_columns(input, "rask_table_value_counts", columns, file, line);
    if (!marks)
        return NULL;
    rk_free(marks);
    bool taken = has_column(input, "count");
    rask_table *groups = rk_build_groupby(input, columns, taken ? "count()" : "count() as count", file, line);
    return rk_build_sort(groups, taken ? "`count()` desc" : "count desc", file, line);
}
