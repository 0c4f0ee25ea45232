#include "commands.h"
#include "csv_join.h"
#include "csv_show.h"
#include "run.h"
#include "say.h"
#include "watch.h"

#include <rask/arrow.h>
#include <rask/table.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN = 50 }; /* rows on a terminal */

typedef struct csv_options {
    common_options common;
    const char *select, *drop, *rename, *drop_nulls, *group_by, *aggregates, *value_counts, *quantiles, *sort,
        *output, *compress, *types, *delimiter, *comment, *misfit;
    const char *distinct; /* of these columns; "": of whole rows */
    option_texts where, with, fill_nulls, nulls;
    csv_joins joins;
    uint64_t limit, tail;
    bool schema, describe, no_header, no_quotes;
} csv_options;

#define TEXT_ROW(option, field_name, what, text)                                                             \
    {                                                                                                        \
        .name = option, .kind = OPTION_TEXT, .offset = offsetof(csv_options, field_name), .value = what,     \
        .help = text                                                                                         \
    }

static const char *const misfits[] = {"fail", "null", "widen", NULL}; /* in the order of rask_misfit */

static const char *const codecs[] = {"lz4", "zstd", NULL}; /* in the order of formats */

static const option_row rows[] = {
    TEXT_ROW("select", select, "COLUMNS", "these columns, in this order: name, amount as price"),
    TEXT_ROW("drop", drop, "COLUMNS", "all columns but these"),
    TEXT_ROW("rename", rename, "LIST", "other names for some: amount as price, qty as n"),
    {.name = "fill-nulls",
     .kind = OPTION_TEXTS,
     .offset = offsetof(csv_options, fill_nulls),
     .value = "C=EXPR",
     .help = "a value where columns C have none; =EXPR: where it fits"},
    TEXT_ROW("drop-nulls", drop_nulls, "LIST", "only rows with values in all of these columns; *: in all"),
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
    {.name = "join",
     .kind = OPTION_TEXTS,
     .offset = offsetof(csv_options, joins.files),
     .value = "FILE",
     .help = "with the columns of FILE, before all else; more than once: in order"},
    {.name = "on",
     .kind = OPTION_TEXTS,
     .offset = offsetof(csv_options, joins.on),
     .value = "COLUMNS",
     .help = "where these are equal: id, day = date (in FILE)"},
    {.name = "how",
     .kind = OPTION_TEXTS,
     .offset = offsetof(csv_options, joins.how),
     .value = "WHAT",
     .help = "inner (default), left, right, outer, semi or anti",
     .choices = csv_join_hows},
    {.name = "join-types",
     .kind = OPTION_TEXTS,
     .offset = offsetof(csv_options, joins.types),
     .value = "LIST",
     .help = "--types of the joined FILE"},
    {.name = "join-method",
     .kind = OPTION_TEXT,
     .offset = offsetof(csv_options, joins.method),
     .value = "NAME",
     .help = "auto (default), broadcast or partitioned: the same rows",
     .choices = csv_join_methods},
    {.name = "distinct",
     .kind = OPTION_MAYBE,
     .offset = offsetof(csv_options, distinct),
     .value = "COLUMNS",
     .help = "the first row of each of their values; alone: of whole rows"},
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
    TEXT_ROW("value-counts", value_counts, "LIST",
             "how often each combination of their values comes, most first"),
    {.name = "describe",
     .kind = OPTION_FLAG,
     .offset = offsetof(csv_options, describe),
     .help = "a row a column: count, nulls, distinct, mean, std, min, quartiles, max"},
    TEXT_ROW("quantiles", quantiles, "LIST", "0.5, 0.9: these quantiles of all columns of numbers and dates"),
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
    {.name = "tail",
     .kind = OPTION_NUMBER,
     .offset = offsetof(csv_options, tail),
     .value = "N",
     .help = "the last N rows"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(csv_options, output),
     .value = "FILE",
     .help = "write to FILE, by its ending: .jsonl, .arrow, .npy; else CSV"},
    {.name = "compress",
     .kind = OPTION_TEXT,
     .offset = offsetof(csv_options, compress),
     .value = "HOW",
     .help = "lz4 or zstd: compress FILE, which is an Arrow file",
     .choices = codecs},
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
    {.name = "misfit",
     .kind = OPTION_TEXT,
     .offset = offsetof(csv_options, misfit),
     .value = "WHAT",
     .help = "a value that is not of its column's type: fail (default), null, widen",
     .choices = misfits},
    TEXT_ROW("comment", comment, "CHAR", "lines that begin with it are left out"),
    {.name = "null",
     .kind = OPTION_TEXTS,
     .offset = offsetof(csv_options, nulls),
     .value = "TEXT",
     .help = "means that there is no value (default: NA, N/A, NULL, null, NaN, nan)"},
    {.name = "no-header",
     .kind = OPTION_FLAG,
     .offset = offsetof(csv_options, no_header),
     .help = "the first line is data: column_1, column_2…"},
    {.name = "no-quotes",
     .kind = OPTION_FLAG,
     .offset = offsetof(csv_options, no_quotes),
     .help = "quotes are bytes as others"},
    BLOCK_SIZE_ROW(csv_options),
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

/* What to do with values that do not fit. False: text is nothing of that. */
static bool take_misfit(const char *text, rask_misfit *out)
{
    int found = text ? options_find(misfits, text) : (int)*out;
    if (found >= 0)
        *out = (rask_misfit)found;
    return found >= 0;
}

enum { MOST_QUANTILES = 1000 };

/* Numbers from 0 to 1 between commas: how many; 0: they are none. */
static size_t take_quantiles(const char *text, double out[MOST_QUANTILES])
{
    size_t count = 0;
    for (char *end; *text && count < MOST_QUANTILES; text = end + (*end == ','), count++) {
        out[count] = strtod(text, &end);
        end += strspn(end, " ");
        if (end == text || (*end && *end != ',') || !(out[count] >= 0 && out[count] <= 1))
            return 0;
    }
    return *text ? 0 : count;
}

/* The = of NAME=EXPR, outside of backticks; NULL: there is none. */
static const char *find_equals(const char *text)
{
    bool quoted = false;
    for (; *text && (quoted || *text != '='); text++)
        quoted ^= *text == '`';
    return *text ? text : NULL;
}

/* NAME=EXPR, with a name. */
static bool is_assignment(const char *text)
{
    const char *equals = find_equals(text);
    return equals && strspn(text, " ") < (size_t)(equals - text);
}

static void say_unlike(const char *command, const char *what, const char *text)
{
    char quote = say_quote(text);
    say_error(command, "%s: %c%s%c", what, quote, text, quote);
}

static bool check_assignments(const tool_command *c, const csv_options *o)
{
    for (size_t i = 0; i < o->with.count; i++)
        if (!is_assignment(o->with.items[i])) {
            say_unlike(c->name, "--with: not NAME=EXPR", o->with.items[i]);
            return false;
        }
    for (size_t i = 0; i < o->fill_nulls.count; i++)
        if (!find_equals(o->fill_nulls.items[i])) {
            say_unlike(c->name, "--fill-nulls: not C=EXPR", o->fill_nulls.items[i]);
            return false;
        }
    return true;
}

/* What is compressed is an Arrow file. */
static bool check_output(const tool_command *c, const csv_options *o)
{
    static const char *const endings[] = {".arrow", ".feather", NULL};
    if (!o->compress)
        return true;
    if (options_find(codecs, o->compress) < 0)
        say_error(c->name, "--compress: neither lz4 nor zstd: \"%s\"", o->compress);
    else if (!o->output || !options_ends_in(o->output, endings) || o->common.json)
        say_error(c->name, "--compress: only with -o FILE.arrow or FILE.feather");
    else
        return true;
    return false;
}

/* Rows become groups, or counts, or a description: one of them. */
static bool check_summaries(const tool_command *c, const csv_options *o)
{
    int asked =
        (o->group_by || o->aggregates) + (o->value_counts != NULL) + o->describe + (o->quantiles != NULL);
    double q[MOST_QUANTILES];
    if (o->limit < UINT64_MAX && o->tail < UINT64_MAX)
        say_error(c->name, "--limit or --tail: one of them");
    else if (asked > 1)
        say_error(c->name, "--group-by with --agg, --value-counts, --describe, --quantiles: one of them");
    else if (o->quantiles && !take_quantiles(o->quantiles, q))
        say_error(c->name, "--quantiles: not numbers from 0 to 1: \"%s\"", o->quantiles);
    else
        return true;
    return false;
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
        say_error(c->name, "--misfit: not fail, null or widen: \"%s\"", o->misfit);
    else
        return check_assignments(c, o) && check_summaries(c, o) && check_output(c, o) &&
               csv_joins_check(c, &o->joins);
    return false;
}

/* Of a name that is in some; two inside are one of it. */
static void take_backticks(char *name, size_t len)
{
    size_t used = 0;
    if (len < 3 || name[0] != '`' || name[len - 1] != '`')
        return;
    for (size_t i = 1; i + 1 < len; i++) {
        name[used++] = name[i];
        i += name[i] == '`';
    }
    name[used] = '\0';
}

/* Of NAME=EXPR. */
static rask_table *add_column(rask_table *t, const char *text)
{
    const char *equals = find_equals(text);
    text += strspn(text, " ");
    size_t len = (size_t)(equals - text);
    while (text[len - 1] == ' ')
        len--;
    char *name = strndup(text, len);
    if (name)
        take_backticks(name, len);
    t = rask_table_with_at(t, name ? name : "", equals + 1, NULL, 0);
    free(name);
    return t;
}

/* Of COLUMNS=EXPR, or =EXPR. */
static rask_table *fill_nulls(rask_table *t, const char *text)
{
    const char *equals = find_equals(text);
    char *columns = strndup(text, (size_t)(equals - text));
    bool all = columns && !columns[strspn(columns, " ")];
    t = columns ? rask_table_fill_nulls_at(t, all ? NULL : columns, equals + 1, NULL, 0) : NULL;
    free(columns);
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

static rask_table *sort(rask_table *t, const csv_options *o)
{
    return o->sort ? rask_table_sort_at(t, o->sort, NULL, 0) : t;
}

/* What is left of the rows that would be written. */
static rask_table *finish(rask_table *t, const csv_options *o)
{
    if (o->distinct && !*o->distinct)
        t = rask_table_distinct_at(t, NULL, NULL, 0);
    if (o->tail < UINT64_MAX)
        return rask_table_tail_at(t, o->tail, NULL, 0);
    return o->limit < UINT64_MAX ? rask_table_limit_at(t, o->limit, NULL, 0) : t;
}

/* Names, nulls, new columns, conditions: row by row. */
static rask_table *prepare(rask_table *t, const csv_options *o)
{
    if (o->rename)
        t = rask_table_rename_at(t, o->rename, NULL, 0);
    for (size_t i = 0; t && i < o->fill_nulls.count; i++)
        t = fill_nulls(t, o->fill_nulls.items[i]);
    if (o->drop_nulls)
        t = rask_table_drop_nulls_at(t, strcmp(o->drop_nulls, "*") == 0 ? NULL : o->drop_nulls, NULL, 0);
    for (size_t i = 0; t && i < o->with.count; i++)
        t = add_column(t, o->with.items[i]);
    for (size_t i = 0; i < o->where.count; i++)
        t = rask_table_filter_at(t, o->where.items[i], NULL, 0);
    return t;
}

static rask_table *quantiles(rask_table *t, const char *text)
{
    double q[MOST_QUANTILES];
    size_t count = take_quantiles(text, q);
    return rask_table_quantiles_at(t, NULL, q, count, NULL, 0);
}

static rask_table *choose(rask_table *t, const csv_options *o)
{
    if (o->select)
        t = rask_table_select_at(t, o->select, NULL, 0);
    return o->drop ? rask_table_drop_at(t, o->drop, NULL, 0) : t;
}

static rask_table *build(rask_table *t, const csv_options *o)
{
    t = prepare(t, o);
    if (o->distinct && *o->distinct)
        t = rask_table_distinct_at(t, o->distinct, NULL, 0);
    if (o->describe)
        return finish(sort(rask_table_describe_at(choose(t, o), NULL, 0), o), o);
    if (o->quantiles)
        return finish(sort(quantiles(choose(t, o), o->quantiles), o), o);
    if (o->value_counts)
        t = rask_table_value_counts_at(t, o->value_counts, NULL, 0);
    else if (o->group_by || o->aggregates)
        t = rask_table_groupby_at(t, o->group_by ? o->group_by : "",
                                  o->aggregates ? o->aggregates : "count()", NULL, 0);
    /* Columns are chosen before rows are sorted, when the order does not need others. */
    rask_table *chosen = t ? choose(t, o) : NULL;
    if (!chosen || !o->sort || keeps_order(t, chosen, o->select ? o->select : "", o->sort))
        return finish(sort(chosen, o), o);
    if (o->distinct && !*o->distinct)
        return finish(choose(sort(t, o), o), o);
    return choose(finish(sort(t, o), o), o);
}

/* -- Messages */

/* The same for ways out, which the library tells a program. To be freed. */
static char *in_own_words(const char *message)
{
    static const char *const words[][2] = {{"rask_table_with()", "--with NAME=EXPR"},
                                           {"RASK_MISFIT_NULL", "--misfit null"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *at = strstr(message, words[i][0]);
        char *text = NULL;
        if (at && asprintf(&text, "%.*s%s%s", (int)(at - message), message, words[i][1],
                           at + strlen(words[i][0])) >= 0)
            return text;
    }
    return strdup(message);
}

/* What the library says of a call, of the option that it stands for. */
static void say_failure(const tool_command *c, const csv_options *o, const char *message)
{
    const char *const options[][2] = {
        {"rask_read_csv: types: ", o->joins.types.count ? "--types, --join-types: " : "--types: "},
        {"rask_read_csv: ", ""},
        {"rask_read_arrow: ", ""},
        {"rask_read_table: ", ""},
        {"rask_table_with: ", "--with: "},
        {"rask_table_filter: ", "--where: "},
        {"rask_table_groupby: ", "--group-by, --agg: "},
        {"rask_table_sort: ", "--sort: "},
        {"rask_table_select: ", "--select: "},
        {"rask_table_drop: ", "--drop: "},
        {"rask_table_rename: ", "--rename: "},
        {"rask_table_drop_nulls: ", "--drop-nulls: "},
        {"rask_table_fill_nulls: ", "--fill-nulls: "},
        {"rask_table_value_counts: ", "--value-counts: "},
        {"rask_table_describe: ", "--describe: "},
        {"rask_table_quantiles: ", "--quantiles: "},
        {"rask_table_join: ", "--join, --on: "},
        {"rask_table_distinct: ", "--distinct: "},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        size_t len = strlen(options[i][0]);
        if (strncmp(message, options[i][0], len) == 0) {
            char *own = in_own_words(message + len);
            say_error(c->name, "%s%s", options[i][1], own ? own : message + len);
            free(own);
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
    int outcome = run_observed(c->name, &o->common, work_rows, &w);
    if (outcome == EXIT_DONE && !csv_show_rows(w.rows, SHOWN)) {
        say_error(c->name, "%s", rask_status_text(RASK_ENOMEM));
        outcome = EXIT_FAILED;
    }
    rask_rows_free(w.rows);
    return outcome == EXIT_DONE ? say_done(c->name) : outcome;
}

static void explain(const csv_options *o, rask_table *t)
{
    rask_options options = run_options(&o->common);
    size_t len = rask_table_explain(t, &options, NULL, 0);
    char *text = len ? malloc(len + 1) : NULL;
    if (text && rask_table_explain(t, &options, text, len + 1))
        fputs(text, stderr);
    free(text);
}

/* Columns of the files that are text for few of their values. */
static void say_notes(const tool_command *c, const rask_table *t)
{
    char note[1024];
    for (uint32_t i = 0; i < rask_table_columns(t); i++)
        if (rask_table_column_note(t, rask_table_name(t, i), note, sizeof note)) {
            char *own = in_own_words(note);
            say_error(c->name, "note: %s", own ? own : note);
            free(own);
        }
}

static int write_rows(const tool_command *c, const csv_options *o, rask_table *t)
{
    csv_work w = {.table = t, .path = o->output ? o->output : "-"};
    w.format = o->compress ? (rask_table_format)(RASK_TABLE_ARROW_LZ4 + options_find(codecs, o->compress))
               : o->common.json ? RASK_TABLE_JSON
               : o->output      ? RASK_TABLE_BY_ENDING
                                : RASK_TABLE_CSV;
    return run_observed(c->name, &o->common, work_write, &w);
}

static int give(const tool_command *c, const csv_options *o, rask_table *t)
{
    if (o->schema) {
        csv_show_schema(t, o->common.json);
        say_notes(c, t);
        return say_done(c->name);
    }
    if (!watch_can(c->name, &o->common))
        return EXIT_FAILED;
    if (o->common.explain) {
        explain(o, t);
        say_notes(c, t);
    }
    bool shown = !o->output && !o->common.json && isatty(STDOUT_FILENO);
    return shown ? show(c, o, t) : write_rows(c, o, t);
}

static int run(const tool_command *c, int argc, char **argv)
{
    csv_options o = {.limit = UINT64_MAX, .tail = UINT64_MAX};
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
    rask_options how = run_options(&o.common);
    csv.run = &how;
    rask_graph *graph = rask_graph_new();
    int outcome = EXIT_FAILED;
    rask_table *t = rask_read_table_files_at(graph, (const char *const *)argv + first, (size_t)(argc - first),
                                             &csv, NULL, 0);
    t = build(csv_joins_add(t, &o.joins, &csv), &o);
    if (t)
        outcome = give(c, &o, t);
    else if (!graph || rask_graph_status(graph))
        say_failure(c, &o, graph ? rask_graph_error(graph) : rask_status_text(RASK_ENOMEM));
    rask_graph_free(graph);
    return outcome;
}

const tool_command csv_command = {
    .name = "csv",
    .summary = "filter, join, group, sort CSV files larger than memory",
    .arguments = "[OPTION]… FILE…",
    .text =
        "Reads the records of all FILEs, compressed ones too, in parallel and within the memory that\n"
        "--memory gives: only the columns that are needed. Types are told from samples; Arrow files, which\n"
        "are known by what they begin with, have theirs. In this order:\n"
        "--join, --rename, --fill-nulls, --drop-nulls, --with, --where, --distinct=COLUMNS, then --group-by\n"
        "with --agg or --value-counts, --sort, --limit or --tail, --select and --drop; --describe and\n"
        "--quantiles are of the columns that --select and --drop leave. A table on a terminal, CSV in a\n"
        "pipe, JSON Lines with --json. Expressions: docs/table.md.\n",
    .example = "rask csv sales-*.csv --group-by name --agg 'sum(amount) as total' --sort total:desc -n 10\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
