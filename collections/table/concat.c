#include "collections/table/concat.h"
#include "collections/table/made.h"

#include "collections/table/pipeline.h"
#include "core/base/alloc.h"

#include <string.h>

/* -- Columns that become others */

static void end_expr(void *expr)
{
    rk_expr_free(expr);
}

/* An expression over the columns of a table, of which one is called x and the others nothing. NULL, latched. */
static rk_expr *compile(const rask_table *table, uint32_t column, const char *text, const char *file,
                        int line)
{
    const rk_schema *s = &table->schema;
    const char **names = rk_alloc_array(s->count + (size_t)1, sizeof *names);
    rk_syntax_error error = {.status = RASK_ENOMEM};
    rk_expr *expr = NULL;
    for (uint32_t i = 0; names && i < s->count; i++)
        names[i] = i == column ? "x" : "";
    int status = names ? rk_table_compile(table, text, strlen(text), names, &expr, &error) : RASK_ENOMEM;
    rk_free(names);
    if (!status && rk_graph_at_end(table->graph, end_expr, expr) == RASK_OK)
        return expr;
    rk_expr_free(expr);
    rk_graph_fail(table->graph, RASK_ENOMEM, file, line, "no memory for a table");
    return NULL;
}

/* The table with what an expression makes of column x in place of column out, which may be one behind the last. */
static rask_table *with(rask_table *table, uint32_t x, const char *text, uint32_t out, const char *file,
                        int line)
{
    rk_expr *expr = compile(table, x, text, file, line);
    const rk_schema *s = &table->schema;
    rask_table *result =
        expr ? rk_table_new(table->graph, RK_TABLE_WITH, table, s->count + (out == s->count), file, line)
             : NULL;
    if (!result)
        return NULL;
    memcpy(result->schema.names, s->names, s->count * sizeof *s->names);
    memcpy(result->schema.types, s->types, s->count * sizeof *s->types);
    memcpy(result->schema.empty, s->empty, s->count * sizeof *s->empty);
    result->schema.empty[out] = false;
    if (out == s->count)
        result->schema.names[out] = "";
    result->schema.types[out] = rk_expr_type(expr);
    result->as.with.expr = expr;
    result->as.with.column = out;
    return result;
}

rask_table *rk_table_nulls_at(rask_table *table, uint32_t column, rask_column_type type, const char *file,
                              int line)
{
    static const char *const texts[RASK_COLUMN_TYPES] = {
        [RASK_COL_BOOL] = "bool(null)", [RASK_COL_I64] = "int(null)",
        [RASK_COL_F64] = "float(null)", [RASK_COL_DATE] = "date(null)",
        [RASK_COL_TEXT] = "str(null)",  [RASK_COL_TIMESTAMP] = "timestamp(null)"};
    return with(table, UINT32_MAX, texts[type], column, file, line);
}

rask_table *rk_table_nulls(rask_table *table, rask_column_type type, const char *file, int line)
{
    return rk_table_nulls_at(table, table->schema.count, type, file, line);
}

/* -- The builder */

typedef struct builder {
    rask_table *const *tables;
    uint32_t count;
    rask_table *result;
    const char *file;
    int line;
} builder;

static bool is_number(rask_column_type type)
{
    return type == RASK_COL_I64 || type == RASK_COL_F64;
}

static uint32_t find(const rk_schema *s, const char *name)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (strcmp(s->names[i], name) == 0)
            return i;
    return UINT32_MAX;
}

/* Sets the type of a column that table number has at from. */
static bool unite(const builder *b, uint32_t number, uint32_t column, uint32_t from)
{
    rk_schema *s = &b->result->schema;
    rask_column_type type = b->tables[number]->schema.types[from];
    if (b->tables[number]->schema.empty[from])
        return true;
    if (s->empty[column])
        s->types[column] = type;
    s->empty[column] = false;
    if (s->types[column] == type)
        return true;
    if (!is_number(type) || !is_number(s->types[column]))
        return rk_table_fail(b->result, RASK_ETYPE, b->file, b->line,
                             "rask_table_concat: \"%s\" is %s in table %u, and %s before", s->names[column],
                             rask_column_type_name(type), number + 1,
                             rask_column_type_name(s->types[column]));
    s->types[column] = RASK_COL_F64;
    return true;
}

/* All columns of the first table are in the others, and no more. */
static bool unite_all(const builder *b)
{
    const rk_schema *first = &b->tables[0]->schema;
    for (uint32_t n = 1; n < b->count; n++) {
        const rk_schema *s = &b->tables[n]->schema;
        for (uint32_t i = 0; i < s->count; i++)
            if (find(first, s->names[i]) == UINT32_MAX)
                return rk_table_fail(b->result, RASK_EINVAL, b->file, b->line,
                                     "rask_table_concat: table %u has a column \"%s\", the first has not",
                                     n + 1, s->names[i]);
        for (uint32_t i = 0; i < first->count; i++) {
            uint32_t from = find(s, first->names[i]);
            if (from == UINT32_MAX)
                return rk_table_fail(b->result, RASK_EINVAL, b->file, b->line,
                                     "rask_table_concat: table %u has no column \"%s\", the first has", n + 1,
                                     first->names[i]);
            if (!unite(b, n, i, from))
                return false;
        }
    }
    return true;
}

/* With the columns of the result, in their order and of their types. */
static rask_table *align(const builder *b, rask_table *table)
{
    const rk_schema *s = &b->result->schema;
    uint32_t *pick = rk_table_memory(table->graph, s->count * sizeof *pick, b->file, b->line);
    for (uint32_t i = 0; pick && i < s->count; i++)
        pick[i] = find(&table->schema, s->names[i]);
    table = pick ? rk_table_pick(table->graph, table, pick, s->count, b->file, b->line) : NULL;
    for (uint32_t i = 0; table && i < s->count; i++)
        if (table->schema.types[i] != s->types[i])
            table = table->schema.empty[i] ? rk_table_nulls_at(table, i, s->types[i], b->file, b->line)
                                           : with(table, i, "float(x)", i, b->file, b->line);
    return table;
}

static bool align_all(const builder *b)
{
    rask_table *result = b->result;
    for (uint32_t n = 0; n < b->count; n++) {
        rask_table *table = b->tables[n];
        if (n) {
            result->bytes = rk_table_bytes(result->bytes, table->bytes);
            if (!rk_table_also(result, table, b->file, b->line))
                return false;
        }
        result->as.concat.tables[n] = align(b, table);
        if (!result->as.concat.tables[n])
            return false;
    }
    result->input = result->as.concat.tables[0];
    return true;
}

static bool check_tables(const builder *b)
{
    for (uint32_t n = 0; n < b->count; n++)
        if (!b->tables[n])
            return false;
    for (uint32_t n = 1; n < b->count; n++)
        if (b->tables[n]->graph != b->tables[0]->graph)
            return rk_table_fail(b->tables[0], RASK_EINVAL, b->file, b->line,
                                 "rask_table_concat: tables of two graphs");
    return true;
}

rask_table *rk_build_concat(rask_table *const *tables, size_t count, const char *file, int line)
{
    builder b = {.tables = tables, .count = (uint32_t)count, .file = file, .line = line};
    if (!tables || !count || !tables[0])
        return NULL;
    if (count > RK_TABLE_SOURCES)
        return rk_table_fail(tables[0], RASK_ELIMIT, file, line, "rask_table_concat: more than %d tables",
                             RK_TABLE_SOURCES);
    if (!check_tables(&b))
        return NULL;
    rask_graph *graph = tables[0]->graph;
    b.result = rk_table_like(graph, tables[0], RK_TABLE_CONCAT, file, line);
    if (!b.result)
        return NULL;
    b.result->as.concat.count = b.count;
    b.result->as.concat.tables = rk_table_memory(graph, count * sizeof *tables, file, line);
    return b.result->as.concat.tables && unite_all(&b) && align_all(&b) ? b.result : NULL;
}

/* -- Leaves */

static int add_leaf(rask_graph *graph, rk_array *leaves, rask_table *table)
{
    rask_table **place = rk_array_push(leaves);
    if (!place) {
        rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for tables");
        return RASK_ENOMEM;
    }
    *place = table;
    return RASK_OK;
}

/* What stands between table and source, above other instead of source. NULL, latched. */
static rask_table *put_above(rask_graph *graph, rask_table *table, const rask_table *source,
                             rask_table *other)
{
    rask_table *top = NULL, **place = &top;
    for (rask_table *t = table; t != source; t = t->input) {
        rask_table *copy = rk_table_memory(graph, sizeof *copy, NULL, 0);
        if (!copy)
            return NULL;
        *copy = *t;
        *place = copy;
        place = &copy->input;
    }
    *place = other;
    return top;
}

/* open is a stack whose top comes first: what a table becomes takes its place there, the last one first. */
int rk_table_leaves(rask_graph *graph, rask_table *table, uint64_t room, rask_table ***out, uint32_t *count)
{
    rk_array open = RK_ARRAY(rask_table *, RK_TABLE_SOURCES + 1),
             leaves = RK_ARRAY(rask_table *, RK_TABLE_SOURCES + 1);
    int status = add_leaf(graph, &open, table);
    while (open.count && !status) {
        rask_table *t = ((rask_table **)open.data)[--open.count];
        rask_table *source = rk_pipeline_source(t, room);
        if (source->kind != RK_TABLE_CONCAT) {
            status = add_leaf(graph, &leaves, t);
            continue;
        }
        for (uint32_t i = source->as.concat.count; i-- > 0 && !status;) {
            rask_table *above = put_above(graph, t, source, source->as.concat.tables[i]);
            status = above ? add_leaf(graph, &open, above) : RASK_ENOMEM;
        }
    }
    *count = (uint32_t)leaves.count;
    *out = status ? NULL : rk_table_memory(graph, leaves.count * sizeof **out, NULL, 0);
    if (*out)
        memcpy(*out, leaves.data, leaves.count * sizeof **out);
    rk_array_fini(&open);
    rk_array_fini(&leaves);
    return *out ? RASK_OK : RASK_ENOMEM;
}
