#include "commands.h"
#include "csv_show.h"
#include "run.h"
#include "say.h"

#include <rask/table.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN = 50 }; /* rows on a terminal */

typedef struct csv_options {
    common_options common;
    const char *select, *group_by, *aggregates, *sort, *output, *types, *delimiter, *comment, *misfit;
    option_texts where, with, nulls;
    uint64_t limit;
    bool schema, no_header, no_quotes;
} csv_options;

#define TEXT_ROW(option, field_name, what, text)                                                             \
    {                                                                                                        \
        .name = option, .kind = OPTION_TEXT, .offset = offsetof(csv_options, field_name), .value = what,     \
        .help = text                                                                                         \
    }

static const option_row rows[] = {
    TEXT_ROW("select", select, "COLUMNS", "these columns, in this order: name, amount as price"),
    {.name = "where",
     .letter = 'w',
     .kind = OPTION_TEXTS,
     .offset = offsetof(csv_options, where),
     .value = "EXPR",
     .help = "only rows where this is true"},
    {.name = "with",
     .kind = OPTION_TEXTS,
     .offset = offsetof(csv_options, with),
     .value = "NAME=EXPR",
     .help = "one more column, before rows are chosen"},
    {.name = "group-by",
     .letter = 'g',
     .kind = OPTION_TEXT,
     .offset = offsetof(csv_options, group_by),
     .value = "COLUMNS",
     .help = "a row for each combination of their values"},
    {.name = "agg",
     .letter = 'a',
     .kind = OPTION_TEXT,
     .offset = offsetof(csv_options, aggregates),
     .value = "LIST",
     .help = "sum(amount) as total, mean(x * y), count(), median(x)…"},
    {.name = "sort",
     .letter = 's',
     .kind = OPTION_TEXT,
     .offset = offsetof(csv_options, sort),
     .value = "COLUMNS",
     .help = "in this order: amount:desc, name"},
    {.name = "limit",
     .letter = 'n',
     .kind = OPTION_NUMBER,
     .offset = offsetof(csv_options, limit),
     .value = "N",
     .help = "the first N rows"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(csv_options, output),
     .value = "FILE",
     .help = "write to FILE: CSV, or JSON Lines for .json, .jsonl"},
    {.name = "schema",
     .kind = OPTION_FLAG,
     .offset = offsetof(csv_options, schema),
     .help = "print names and types of the columns, and read no more"},
    {.name = "delimiter",
     .letter = 'd',
     .kind = OPTION_TEXT,
     .offset = offsetof(csv_options, delimiter),
     .value = "CHAR",
     .help = "between fields (default: what the first lines suggest)"},
    TEXT_ROW("types", types, "LIST", "name:string, amount:float64: instead of what samples say"),
    TEXT_ROW("on-error", misfit, "WHAT", "a value that is not of its column's type: fail (default) or null"),
    TEXT_ROW("comment", comment, "CHAR", "lines that begin with it are left out"),
    {.name = "null",
     .kind = OPTION_TEXTS,
     .offset = offsetof(csv_options, nulls),
     .value = "TEXT",
     .help = "means that there is no value (default: NA, N/A, NULL, NaN)"},
    {.name = "no-header",
     .kind = OPTION_FLAG,
     .offset = offsetof(csv_options, no_header),
     .help = "the first line is data: column_1, column_2…"},
    {.name = "no-quotes",
     .kind = OPTION_FLAG,
     .offset = offsetof(csv_options, no_quotes),
     .help = "quotes are bytes as others"},
    {.name = "block-size",
     .kind = OPTION_SIZE,
     .offset = offsetof(csv_options, common.block_size),
     .value = "SIZE",
     .help = "bytes of a file for one task (default: by size and workers)"},
    COMMON_ROWS(csv_options),
};

/* -- From options to a table */

/* One byte, or \t. False: it is none. */
static bool take_byte(const char *text, char *out)
{
    if (text && strcmp(text, "\\t") == 0)
        *out = '\t';
    else if (text && strlen(text) == 1)
        *out = *text;
    else
        return !text;
    return true;
}

static bool take_misfit(const char *text, rask_misfit *out)
{
    static const char *const names[] = {"fail", "null"};
    for (int i = 0; text && i < 2; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (rask_misfit)i;
            return true;
        }
    return !text;
}

/* NAME=EXPR, with a name. */
static bool is_assignment(const char *text)
{
    const char *equals = strchr(text, '=');
    return equals && strspn(text, " ") < (size_t)(equals - text);
}

static bool check_with(const tool_command *c, const csv_options *o)
{
    for (size_t i = 0; i < o->with.count; i++)
        if (!is_assignment(o->with.items[i])) {
            say_error(c->name, "--with: not NAME=EXPR: \"%s\"", o->with.items[i]);
            return false;
        }
    return true;
}

static bool take_csv_options(const tool_command *c, const csv_options *o, rask_csv_options *csv)
{
    *csv = RASK_CSV_OPTIONS_INIT;
    csv->no_header = o->no_header;
    csv->no_quotes = o->no_quotes;
    csv->types = o->types;
    csv->block_bytes = o->common.block_size;
    csv->nulls = o->nulls.count ? o->nulls.items : NULL;
    csv->null_count = o->nulls.count;
    if (!take_byte(o->delimiter, &csv->delimiter))
        say_error(c->name, "--delimiter: not one byte: \"%s\"", o->delimiter);
    else if (!take_byte(o->comment, &csv->comment))
        say_error(c->name, "--comment: not one byte: \"%s\"", o->comment);
    else if (!take_misfit(o->misfit, &csv->misfit))
        say_error(c->name, "--on-error: not fail or null: \"%s\"", o->misfit);
    else if (o->common.draw || o->common.explain)
        say_error(c->name, "--%s: not there for tables", o->common.draw ? "draw" : "explain");
    else
        return check_with(c, o);
    return false;
}

/* Of NAME=EXPR. */
static rask_table *add_column(rask_table *t, const char *text)
{
    const char *equals = strchr(text, '=');
    text += strspn(text, " ");
    size_t len = (size_t)(equals - text);
    while (text[len - 1] == ' ')
        len--;
    char *name = strndup(text, len);
    t = rask_table_with_at(t, name ? name : "", equals + 1, NULL, 0);
    free(name);
    return t;
}

static bool has_column(const rask_table *t, const char *name, size_t len)
{
    for (uint32_t i = 0; i < rask_table_columns(t); i++)
        if (strlen(rask_table_name(t, i)) == len && memcmp(rask_table_name(t, i), name, len) == 0)
            return true;
    return false;
}

/* Whether a list calls some column by this name that may be another's. */
static bool is_given(const char *list, const char *name, size_t len)
{
    for (const char *as = strcasestr(list, " as "); as; as = strcasestr(as, " as ")) {
        as += 4;
        as += strspn(as, " `");
        if (strncmp(as, name, len) == 0)
            return true;
    }
    return false;
}

/* Whether the columns of an order are the same ones in a table and in what is chosen of it. */
static bool keeps_order(const rask_table *t, const rask_table *chosen, const char *list, const char *order)
{
    for (const char *at = order; *at;) {
        at += strspn(at, " ,");
        size_t len = strcspn(at, " ,:");
        if (len && (!has_column(chosen, at, len) || (has_column(t, at, len) && is_given(list, at, len))))
            return false;
        at += len;
        at += strcspn(at, ",");
    }
    return true;
}

static rask_table *sort_and_limit(rask_table *t, const csv_options *o)
{
    if (o->sort)
        t = rask_table_sort_at(t, o->sort, NULL, 0);
    return o->limit < UINT64_MAX ? rask_table_limit_at(t, o->limit, NULL, 0) : t;
}

/* Columns are chosen before rows are sorted, when the order does not need others. */
static rask_table *build(rask_table *t, const csv_options *o)
{
    for (size_t i = 0; t && i < o->with.count; i++)
        t = add_column(t, o->with.items[i]);
    for (size_t i = 0; i < o->where.count; i++)
        t = rask_table_filter_at(t, o->where.items[i], NULL, 0);
    if (o->group_by || o->aggregates)
        t = rask_table_groupby_at(t, o->group_by ? o->group_by : "",
                                  o->aggregates ? o->aggregates : "count()", NULL, 0);
    rask_table *chosen = o->select && t ? rask_table_select_at(t, o->select, NULL, 0) : t;
    if (!chosen || !o->select || !o->sort || keeps_order(t, chosen, o->select, o->sort))
        return sort_and_limit(chosen, o);
    return rask_table_select_at(sort_and_limit(t, o), o->select, NULL, 0);
}

/* -- Messages */

/* What the library says of a call, of the option that it stands for. */
static void say_failure(const tool_command *c, const char *message)
{
    static const char *const options[][2] = {
        {"rask_read_csv: ", ""},
        {"rask_table_with: ", "--with: "},
        {"rask_table_filter: ", "--where: "},
        {"rask_table_groupby: ", "--group-by, --agg: "},
        {"rask_table_sort: ", "--sort: "},
        {"rask_table_select: ", "--select: "},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        size_t len = strlen(options[i][0]);
        if (strncmp(message, options[i][0], len) == 0) {
            say_error(c->name, "%s%s", options[i][1], message + len);
            return;
        }
    }
    say_error(c->name, "%s", message);
}

/* -- Results */

typedef struct csv_work {
    rask_table *table;
    const char *path;
    rask_table_format format;
    rask_rows *rows;
} csv_work;

static int work_rows(void *context, const rask_options *options, const char **message)
{
    csv_work *w = context;
    int status = rask_table_compute(w->table, options, &w->rows);
    *message = rask_graph_error(rask_table_graph(w->table));
    return status;
}

static int work_write(void *context, const rask_options *options, const char **message)
{
    const csv_work *w = context;
    int status = rask_table_write(w->table, w->path, w->format, options);
    *message = rask_graph_error(rask_table_graph(w->table));
    return status;
}

static int show(const tool_command *c, const csv_options *o, rask_table *t)
{
    csv_work w = {.table = rask_table_limit_at(t, SHOWN + 1, NULL, 0)};
    int outcome = run_observed(c->name, &o->common, NULL, work_rows, &w);
    if (outcome == EXIT_DONE && !csv_show_rows(w.rows, SHOWN)) {
        say_error(c->name, "%s", rask_status_text(RASK_ENOMEM));
        outcome = EXIT_FAILED;
    }
    rask_rows_free(w.rows);
    return outcome == EXIT_DONE ? say_done(c->name) : outcome;
}

static int give(const tool_command *c, const csv_options *o, rask_table *t)
{
    if (o->schema) {
        csv_show_schema(t, o->common.json);
        return say_done(c->name);
    }
    if (!o->output && !o->common.json && isatty(STDOUT_FILENO))
        return show(c, o, t);
    csv_work w = {.table = t, .path = o->output ? o->output : "-"};
    w.format = o->common.json ? RASK_TABLE_JSON : o->output ? RASK_TABLE_BY_ENDING : RASK_TABLE_CSV;
    return run_observed(c->name, &o->common, NULL, work_write, &w);
}

static int run(const tool_command *c, int argc, char **argv)
{
    csv_options o = {.limit = UINT64_MAX};
    rask_csv_options csv;
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    if (first == argc) {
        say_error(c->name, "no file given (- is standard input)");
        return EXIT_USAGE;
    }
    if (!take_csv_options(c, &o, &csv))
        return EXIT_USAGE;
    rask_graph *graph = rask_graph_new();
    int outcome = EXIT_FAILED;
    rask_table *t = rask_read_csv_files_at(graph, (const char *const *)argv + first, (size_t)(argc - first),
                                           &csv, NULL, 0);
    t = build(t, &o);
    if (t)
        outcome = give(c, &o, t);
    else if (!graph || rask_graph_status(graph))
        say_failure(c, graph ? rask_graph_error(graph) : rask_status_text(RASK_ENOMEM));
    rask_graph_free(graph);
    return outcome;
}

const tool_command csv_command = {
    .name = "csv",
    .summary = "filter, group, sort CSV files larger than memory",
    .arguments = "[OPTION]… FILE…",
    .text =
        "Reads the records of all FILEs, compressed ones too, in parallel and within the memory that\n"
        "--memory gives: only the columns that are needed. Types are told from samples. In this order:\n"
        "--with, --where, --group-by with --agg, --sort, --limit, --select. A table on a terminal, CSV in\n"
        "a pipe, JSON Lines with --json. Expressions: docs/table.md.\n",
    .example = "rask csv sales-*.csv --group-by name --agg 'sum(amount) as total, count()' --sort total:desc "
               "-n 10\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
