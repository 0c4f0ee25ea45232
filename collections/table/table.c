/* Builders: what a user says, checked and written down. Nothing is read here. */
#include "collections/table/table.h"
#include "collections/table/made.h"

#include "collections/table/list.h"
#include "core/base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LIMIT_FIELD = 32 }; /* bytes of text of a field, more than most */

/* -- What all builders share */

void *rk_table_memory(rask_graph *graph, size_t size, const char *file, int line)
{
    void *memory = rk_arena_alloc(&graph->arena, size ? size : 1);
    if (!memory)
        rk_graph_fail(graph, RASK_ENOMEM, file, line, "no memory for a table");
    return memory;
}

const char *rk_table_text(rask_graph *graph, rask_bytes text, const char *file, int line)
{
    char *copy = rk_table_memory(graph, text.len + 1, file, line);
    if (!copy)
        return NULL;
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    return copy;
}

rask_table *rk_table_new(rask_graph *graph, rk_table_kind kind, rask_table *input, uint32_t count,
                         const char *file, int line)
{
    if (graph->status)
        return NULL;
    bool row_by_row = kind == RK_TABLE_PICK || kind == RK_TABLE_WITH || kind == RK_TABLE_FILTER;
    uint32_t depth = input ? input->depth + !row_by_row : 0;
    if (count > RK_TABLE_COLUMNS || depth > RK_TABLE_DEPTH) {
        rk_graph_fail(
            graph, RASK_ELIMIT, file, line,
            "a table of more than %d columns, or of %d operations one above the other that need all rows",
            RK_TABLE_COLUMNS, RK_TABLE_DEPTH);
        return NULL;
    }
    rask_table *table = rk_table_memory(graph, sizeof *table, file, line);
    if (!table)
        return NULL;
    *table = (rask_table){.graph = graph, .kind = kind, .input = input, .depth = depth};
    table->bytes = input ? input->bytes : 0;
    table->sources = input ? input->sources : 1;
    table->once = input && input->once;
    table->schema.count = count;
    table->schema.names = rk_table_memory(graph, count * sizeof *table->schema.names, file, line);
    table->schema.types = rk_table_memory(graph, count * sizeof *table->schema.types, file, line);
    table->schema.empty = rk_table_memory(graph, count * sizeof *table->schema.empty, file, line);
    if (!table->schema.names || !table->schema.types || !table->schema.empty)
        return NULL;
    memset(table->schema.empty, 0, count * sizeof *table->schema.empty);
    return table;
}

bool rk_table_also(rask_table *table, const rask_table *other, const char *file, int line)
{
    table->depth = other->depth < table->depth ? table->depth : other->depth + 1;
    table->sources += other->sources;
    table->once |= other->once;
    if (table->depth <= RK_TABLE_DEPTH && table->sources <= RK_TABLE_SOURCES)
        return true;
    rk_graph_fail(
        table->graph, RASK_ELIMIT, file, line,
        "a table of more than %d operations one above the other that need all rows, or of %d readings",
        RK_TABLE_DEPTH, RK_TABLE_SOURCES);
    return false;
}

void *rk_table_fail(const rask_table *table, int status, const char *file, int line, const char *format, ...)
{
    char text[RK_MAX_MESSAGE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return rk_graph_fail(table->graph, status, file, line, "%s", text);
}

static bool is_name(const char *name, rask_bytes text)
{
    return strlen(name) == text.len && memcmp(name, text.data, text.len) == 0;
}

/* -- Columns */

uint32_t rask_table_columns(const rask_table *table)
{
    return table ? table->schema.count : 0;
}

const char *rask_table_name(const rask_table *table, uint32_t column)
{
    return table && column < table->schema.count ? table->schema.names[column] : NULL;
}

rask_column_type rask_table_type(const rask_table *table, uint32_t column)
{
    return table && column < table->schema.count ? table->schema.types[column] : RASK_COLUMN_TYPES;
}

rask_graph *rask_table_graph(const rask_table *table)
{
    return table ? table->graph : NULL;
}

/* -- PICK */

static uint32_t count_items(const char *list, rk_list_kind kind)
{
    rk_list_item item;
    uint32_t count = 0;
    for (size_t at = 0; rk_list_next(list, kind, &at, &item);)
        count++;
    return count;
}

uint32_t rk_pick_add(uint32_t *pick, uint32_t *count, uint32_t column)
{
    for (uint32_t i = 0; i < *count; i++)
        if (pick[i] == column)
            return i;
    pick[*count] = column;
    return (*count)++;
}

rask_table *rk_table_pick(rask_graph *graph, rask_table *input, const uint32_t *pick, uint32_t count,
                          const char *file, int line)
{
    rask_table *table = rk_table_new(graph, RK_TABLE_PICK, input, count, file, line);
    uint32_t *own = table ? rk_table_memory(graph, count * sizeof *own, file, line) : NULL;
    if (!own)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        own[i] = pick[i];
        table->schema.names[i] = input->schema.names[pick[i]];
        table->schema.types[i] = input->schema.types[pick[i]];
        table->schema.empty[i] = input->schema.empty[pick[i]];
    }
    table->as.pick = own;
    return table;
}

static int check_name(const rask_table *table, uint32_t count, const char *what, rask_bytes name,
                      const char *file, int line)
{
    for (uint32_t i = 0; i < count; i++)
        if (is_name(table->schema.names[i], name)) {
            rk_table_fail(table, RASK_EINVAL, file, line, "%s: two columns \"%.*s\"", what, (int)name.len,
                          name.data);
            return RASK_EINVAL;
        }
    return RASK_OK;
}

rask_table *rk_build_select(rask_table *input, const char *columns, const char *file, int line)
{
    rk_list_item item;
    uint32_t n = 0;
    if (!input || !columns)
        return input ? rk_table_fail(input, RASK_EINVAL, file, line, "rask_table_select: no columns") : NULL;
    uint32_t count = count_items(columns, RK_LIST_RENAMES);
    rask_table *table = rk_table_new(input->graph, RK_TABLE_PICK, input, count, file, line);
    uint32_t *pick = table ? rk_table_memory(input->graph, count * sizeof *pick, file, line) : NULL;
    for (size_t at = 0; pick && rk_list_next(columns, RK_LIST_RENAMES, &at, &item); n++) {
        pick[n] = rk_table_find(input, "rask_table_select", item.name, file, line);
        if (pick[n] == UINT32_MAX || check_name(table, n, "rask_table_select", item.as, file, line))
            return NULL;
        table->schema.types[n] = input->schema.types[pick[n]];
        table->schema.empty[n] = input->schema.empty[pick[n]];
        table->schema.names[n] = rk_table_text(input->graph, item.as, file, line);
        if (!table->schema.names[n])
            return NULL;
    }
    if (pick)
        table->as.pick = pick;
    return pick ? table : NULL;
}

rask_table *rk_build_drop(rask_table *input, const char *columns, const char *file, int line)
{
    rk_list_item item;
    uint32_t count = 0;
    if (!input || !columns)
        return input;
    bool *dropped = rk_table_memory(input->graph, input->schema.count + 1, file, line);
    uint32_t *pick = rk_table_memory(input->graph, input->schema.count * sizeof *pick, file, line);
    if (!dropped || !pick)
        return NULL;
    memset(dropped, 0, input->schema.count);
    for (size_t at = 0; rk_list_next(columns, RK_LIST_NAMES, &at, &item);) {
        uint32_t column = rk_table_find(input, "rask_table_drop", item.name, file, line);
        if (column == UINT32_MAX)
            return NULL;
        dropped[column] = true;
    }
    for (uint32_t i = 0; i < input->schema.count; i++)
        if (!dropped[i])
            pick[count++] = i;
    if (!count)
        return rk_table_fail(input, RASK_EINVAL, file, line, "rask_table_drop: no column would be left");
    return rk_table_pick(input->graph, input, pick, count, file, line);
}

/* -- Expressions */

static void end_expr(void *expr)
{
    rk_expr_free(expr);
}

int rk_table_compile(const rask_table *table, const char *text, size_t len, const char *const *names,
                     rk_expr **out, rk_syntax_error *error)
{
    const rk_schema *s = &table->schema;
    rask_column_type *types = rk_alloc_array(s->count + (size_t)1, sizeof *types);
    if (!types) {
        rk_syntax_fail(error, RASK_ENOMEM, 0, "%s", rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    for (uint32_t i = 0; i < s->count; i++)
        types[i] = s->empty[i] ? RASK_COLUMN_TYPES : s->types[i];
    int status = rk_expr_compile(text, len, names, types, s->count, out, error);
    rk_free(types);
    return status;
}

/* Compiled over the table's columns, by these names, and the graph's from here on. NULL, latched. */
static rk_expr *compile(const rask_table *table, const char *what, const char *text, const char *const *names,
                        const char *file, int line)
{
    rk_syntax_error error = {0};
    rk_expr *expr = NULL;
    int status = rk_table_compile(table, text, strlen(text), names, &expr, &error);
    if (status)
        return rk_table_refuse(table, what, text, &error, file, line);
    if (rk_graph_at_end(table->graph, end_expr, expr) == RASK_OK)
        return expr;
    rk_expr_free(expr);
    return rk_table_fail(table, RASK_ENOMEM, file, line, "%s: no memory", what);
}

/* An expression for a column. *empty: it is null alone, which is text here, as a column without a value is. */
static rk_expr *compile_column(const rask_table *table, const char *what, const char *text, bool *empty,
                               const char *file, int line)
{
    rk_expr *expr = compile(table, what, text, table->schema.names, file, line);
    *empty = expr && rk_expr_is_null(expr);
    return *empty ? compile(table, what, "str(null)", table->schema.names, file, line) : expr;
}

rask_table *rk_build_with(rask_table *input, const char *name, const char *expression, const char *file,
                          int line)
{
    bool empty;
    if (!input || !name || !*name || !expression)
        return input ? rk_table_fail(input, RASK_EINVAL, file, line,
                                     "rask_table_with: no name or no expression")
                     : NULL;
    uint32_t column = 0, count = input->schema.count;
    while (column < count && strcmp(input->schema.names[column], name) != 0)
        column++;
    rk_expr *expr = compile_column(input, "rask_table_with", expression, &empty, file, line);
    rask_table *table =
        expr ? rk_table_new(input->graph, RK_TABLE_WITH, input, count + (column == count), file, line) : NULL;
    if (!table)
        return NULL;
    memcpy(table->schema.names, input->schema.names, count * sizeof *input->schema.names);
    memcpy(table->schema.types, input->schema.types, count * sizeof *input->schema.types);
    memcpy(table->schema.empty, input->schema.empty, count * sizeof *input->schema.empty);
    table->schema.types[column] = rk_expr_type(expr);
    table->schema.empty[column] = empty;
    table->schema.names[column] = rk_table_text(input->graph, (rask_bytes){name, strlen(name)}, file, line);
    table->as.with.expr = expr;
    table->as.with.column = column;
    return table->schema.names[column] ? table : NULL;
}

rask_table *rk_table_like(rask_graph *graph, rask_table *input, rk_table_kind kind, const char *file,
                          int line)
{
    rask_table *table = rk_table_new(graph, kind, input, input->schema.count, file, line);
    if (!table)
        return NULL;
    memcpy(table->schema.names, input->schema.names, input->schema.count * sizeof *input->schema.names);
    memcpy(table->schema.types, input->schema.types, input->schema.count * sizeof *input->schema.types);
    memcpy(table->schema.empty, input->schema.empty, input->schema.count * sizeof *input->schema.empty);
    return table;
}

rask_table *rk_table_filter(rask_table *input, const char *what, const char *condition,
                            const char *const *names, const char *file, int line)
{
    rk_expr *expr = compile(input, what, condition, names, file, line);
    if (!expr)
        return NULL;
    if (rk_expr_type(expr) != RASK_COL_BOOL)
        return rk_table_fail(input, RASK_ETYPE, file, line, "%s: \"%.200s\" is %s, not bool", what, condition,
                             rask_column_type_name(rk_expr_type(expr)));
    rask_table *table = rk_table_like(input->graph, input, RK_TABLE_FILTER, file, line);
    if (table)
        table->as.filter = expr;
    return table;
}

rask_table *rk_build_filter(rask_table *input, const char *expression, const char *file, int line)
{
    if (!input || !expression)
        return input ? rk_table_fail(input, RASK_EINVAL, file, line, "rask_table_filter: no expression")
                     : NULL;
    return rk_table_filter(input, "rask_table_filter", expression, input->schema.names, file, line);
}

/* -- GROUP: see group.c. SORT and LIMIT */

rask_table *rk_build_sort(rask_table *input, const char *columns, const char *file, int line)
{
    rk_list_item item;
    uint32_t n = 0;
    if (!input || !columns || !*columns)
        return input ? rk_table_fail(input, RASK_EINVAL, file, line, "rask_table_sort: no columns") : NULL;
    rask_table *table = rk_table_like(input->graph, input, RK_TABLE_SORT, file, line);
    uint32_t count = count_items(columns, RK_LIST_ORDER);
    rk_order *keys = table ? rk_table_memory(input->graph, count * sizeof *keys, file, line) : NULL;
    for (size_t at = 0; keys && rk_list_next(columns, RK_LIST_ORDER, &at, &item); n++) {
        keys[n] = (rk_order){.column = rk_table_find_key(input, item.name, file, line),
                             .descending = item.descending};
        if (keys[n].column == UINT32_MAX)
            return NULL;
    }
    if (!keys)
        return NULL;
    table->as.sort.keys = keys;
    table->as.sort.count = count;
    return table;
}

static rask_table *some_rows(rask_table *input, rk_table_kind kind, uint64_t rows, const char *file, int line)
{
    rask_table *table = input ? rk_table_like(input->graph, input, kind, file, line) : NULL;
    if (!table)
        return NULL;
    uint64_t each = (uint64_t)LIMIT_FIELD * input->schema.count + 1;
    table->as.limit = rows;
    table->bytes = rows < input->bytes / each ? rows * each : input->bytes;
    return table;
}

rask_table *rk_build_limit(rask_table *input, uint64_t rows, const char *file, int line)
{
    return some_rows(input, RK_TABLE_LIMIT, rows, file, line);
}

rask_table *rk_build_tail(rask_table *input, uint64_t rows, const char *file, int line)
{
    return some_rows(input, rows ? RK_TABLE_TAIL : RK_TABLE_LIMIT, rows, file, line);
}
