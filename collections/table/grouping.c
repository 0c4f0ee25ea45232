/* GROUP: keys, aggregates, and what these are of. */
#include "collections/table/list.h"
#include "collections/table/made.h"
#include "collections/table/table.h"
#include "core/base/limits.h"

#include <stdio.h>
#include <string.h>

static void end_grouping(void *what)
{
    rk_grouping *g = what;
    for (uint32_t i = 0; g->arguments && i < g->aggregates.argument_count; i++)
        rk_expr_free(g->arguments[i]);
    rk_aggregates_fini(&g->aggregates);
}

/* What is being built, and where to complain. */
typedef struct builder {
    rask_table *input;
    rk_grouping *g;
    const char *text; /* aggregates */
    const char *file;
    int line;
} builder;

static int fail_aggregates(const builder *b, int status, const char *message, size_t at)
{
    rk_syntax_error error = {.status = status, .at = at};
    snprintf(error.message, sizeof error.message, "%.199s", message);
    rk_table_refuse(b->input, "rask_table_groupby", b->text, &error, b->file, b->line);
    return status;
}

static int parse_aggregates(builder *b)
{
    const rk_schema *s = &b->input->schema;
    rask_bytes *names = rk_table_memory(b->input->graph, s->count * sizeof *names, b->file, b->line);
    char message[256];
    rk_print error = {message, sizeof message, 0};
    size_t at = 0;
    rask_column_type *types = rk_table_memory(b->input->graph, s->count * sizeof *types, b->file, b->line);
    if (!names || !types)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < s->count; i++) {
        names[i] = (rask_bytes){s->names[i], strlen(s->names[i])};
        types[i] = s->empty[i] ? RASK_COL_I64 : s->types[i];
    }
    int status = rk_aggregates_parse((rask_bytes){b->text, strlen(b->text)}, names, types, s->count,
                                     &b->g->aggregates, &error, &at);
    return status ? fail_aggregates(b, status, message, at) : RASK_OK;
}

/* Those arguments that are no columns are expressions; a column without a value is one that no function refuses. */
static int compile_argument(const builder *b, rk_argument *argument, rk_expr **out, rk_syntax_error *error)
{
    static const char nothing[] = "int(null)";
    const rk_schema *s = &b->input->schema;
    argument->empty = argument->column != RK_NO_COLUMN && s->empty[argument->column];
    if (argument->column != RK_NO_COLUMN && !argument->empty)
        return RASK_OK;
    const char *text = argument->empty ? nothing : b->text + argument->at;
    size_t len = argument->empty ? sizeof nothing - 1 : argument->len;
    int status = rk_table_compile(b->input, text, len, s->names, out, error);
    if (status)
        return status;
    argument->column = RK_NO_COLUMN;
    argument->type = rk_expr_type(*out);
    argument->empty |= rk_expr_is_null(*out);
    return RASK_OK;
}

static int compile_arguments(builder *b)
{
    rk_aggregates *a = &b->g->aggregates;
    char message[256];
    rk_print print = {message, sizeof message, 0};
    b->g->arguments =
        rk_table_memory(b->input->graph, (a->argument_count + 1) * sizeof *b->g->arguments, b->file, b->line);
    if (!b->g->arguments)
        return RASK_ENOMEM;
    memset(b->g->arguments, 0, (a->argument_count + 1) * sizeof *b->g->arguments);
    for (uint32_t i = 0; i < a->argument_count; i++) {
        rk_syntax_error error = {0};
        int status = compile_argument(b, &a->arguments[i], &b->g->arguments[i], &error);
        if (status)
            return fail_aggregates(b, status, error.message, a->arguments[i].at + error.at);
    }
    size_t at = 0;
    int status = rk_aggregates_check(a, &print, &at);
    return status ? fail_aggregates(b, status, message, at) : RASK_OK;
}

static int add_key(builder *b, uint32_t column)
{
    rk_grouping *g = b->g;
    if (g->key_count == RK_MAX_KEYS) {
        rk_table_fail(b->input, RASK_ELIMIT, b->file, b->line, "rask_table_groupby: more than %d keys",
                      RK_MAX_KEYS);
        return RASK_ELIMIT;
    }
    for (uint32_t i = 0; i < g->key_count; i++)
        if (g->keys[i] == column) {
            rk_table_fail(b->input, RASK_EINVAL, b->file, b->line, "rask_table_groupby: two keys \"%s\"",
                          b->input->schema.names[column]);
            return RASK_EINVAL;
        }
    g->keys[g->key_count++] = column;
    return RASK_OK;
}

static int find_keys(builder *b, const char *list)
{
    rk_list_item item;
    uint32_t most = 0;
    for (size_t at = 0; rk_list_next(list, RK_LIST_NAMES, &at, &item);)
        most++;
    b->g->keys = rk_table_memory(b->input->graph, (most + 1) * sizeof *b->g->keys, b->file, b->line);
    for (size_t at = 0; b->g->keys && *list && rk_list_next(list, RK_LIST_NAMES, &at, &item);) {
        uint32_t column = rk_table_find(b->input, "rask_table_groupby", item.name, b->file, b->line);
        int status = column == UINT32_MAX ? RASK_EINVAL : add_key(b, column);
        if (status)
            return status;
    }
    return b->g->keys ? RASK_OK : RASK_ENOMEM;
}

/* No result of an aggregate is called like a key. */
static int check_names(const builder *b)
{
    const rk_grouping *g = b->g;
    for (uint32_t i = 0; i < g->aggregates.count; i++)
        for (uint32_t k = 0; k < g->key_count; k++) {
            const rk_aggregate *a = &g->aggregates.items[i];
            const char *key = b->input->schema.names[g->keys[k]];
            if (strlen(key) == a->name.len && memcmp(key, a->name.data, a->name.len) == 0)
                return fail_aggregates(b, RASK_EEXIST, "a key has this name", a->at);
        }
    return RASK_OK;
}

/* Whether what comes of an aggregate has no value either. */
static bool is_empty(const rk_aggregates *all, const rk_aggregate *a)
{
    return a->argument != RK_NO_ARGUMENT && all->arguments[a->argument].empty &&
           a->function != RK_AGGREGATE_COUNT && a->function != RK_AGGREGATE_DISTINCT &&
           a->function != RK_AGGREGATE_SUM;
}

/* The keys, then the aggregates. */
static rask_table *make_table(const builder *b)
{
    const rk_grouping *g = b->g;
    const rk_schema *s = &b->input->schema;
    rask_table *table = rk_table_new(b->input->graph, RK_TABLE_GROUP, b->input,
                                     g->key_count + g->aggregates.count, b->file, b->line);
    for (uint32_t i = 0; table && i < g->key_count; i++) {
        table->schema.names[i] = s->names[g->keys[i]];
        table->schema.types[i] = s->types[g->keys[i]];
        table->schema.empty[i] = s->empty[g->keys[i]];
    }
    for (uint32_t i = 0; table && i < g->aggregates.count; i++) {
        const rk_aggregate *a = &g->aggregates.items[i];
        const char *name = rk_table_text(b->input->graph, a->name, b->file, b->line);
        if (!name)
            return NULL;
        table->schema.names[g->key_count + i] = name;
        table->schema.types[g->key_count + i] = a->type;
        table->schema.empty[g->key_count + i] = is_empty(&g->aggregates, a);
    }
    return table;
}

rask_table *rk_build_groupby(rask_table *input, const char *keys, const char *aggregates, const char *file,
                             int line)
{
    if (!input || !aggregates)
        return input ? rk_table_fail(input, RASK_EINVAL, file, line, "rask_table_groupby: no aggregates")
                     : NULL;
    builder b = {.input = input, .text = aggregates, .file = file, .line = line};
    b.g = rk_table_memory(input->graph, sizeof *b.g, file, line);
    if (!b.g)
        return NULL;
    memset(b.g, 0, sizeof *b.g);
    if (rk_graph_at_end(input->graph, end_grouping, b.g))
        return rk_table_fail(input, RASK_ENOMEM, file, line, "rask_table_groupby: no memory");
    if (find_keys(&b, keys ? keys : "") || parse_aggregates(&b) || check_names(&b) || compile_arguments(&b))
        return NULL;
    rask_table *table = make_table(&b);
    if (table)
        table->as.grouping = b.g;
    return table;
}
