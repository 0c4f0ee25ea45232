#include "commands.h"
#include "run.h"
#include "say.h"
#include "text_show.h"

#include <stdio.h>
#include <string.h>

typedef struct text_options {
    common_options common;
    const char *grep, *count, *output;
    uint64_t limit, sample;
    bool fixed, invert, ignore_case, frequencies, words, matches;
} text_options;

#define NOT_GIVEN (UINT64_MAX - 1)

#define FLAG_ROW(option, short_name, field, text)                                                            \
    {                                                                                                        \
        .name = option, .letter = short_name, .kind = OPTION_FLAG, .offset = offsetof(text_options, field),  \
        .help = text                                                                                         \
    }

/* Names of rask_text_unit. */
static const char *const units[] = {"lines", "words", "bytes", "matches", NULL};

static const option_row rows[] = {
    {.name = "grep",
     .letter = 'g',
     .kind = OPTION_TEXT,
     .offset = offsetof(text_options, grep),
     .value = "REGEX",
     .help = "only lines that match it, as PCRE2 has it"},
    FLAG_ROW("fixed", 'F', fixed, "REGEX is text to look for"),
    FLAG_ROW("ignore-case", 'i', ignore_case, "capitals and small letters are the same"),
    FLAG_ROW("invert", 'v', invert, "only lines that do not match"),
    {.name = "count",
     .letter = 'c',
     .kind = OPTION_TEXT,
     .offset = offsetof(text_options, count),
     .value = "WHAT",
     .help = "print how many there are: lines, words, bytes, or matches",
     .choices = units},
    FLAG_ROW("frequencies", 'f', frequencies, "print the most frequent lines, and how often they occur;"),
    FLAG_ROW("words", 'w', words, "words instead of lines,"),
    FLAG_ROW("matches", 'm', matches, "or what matches, instead"),
    {.name = "sample",
     .kind = OPTION_NUMBER,
     .offset = offsetof(text_options, sample),
     .value = "N",
     .help = "print N lines, drawn from --seed",
     .most = UINT32_MAX},
    {.name = "limit",
     .letter = 'n',
     .kind = OPTION_COUNT,
     .offset = offsetof(text_options, limit),
     .value = "K",
     .help = "the first K lines; the K most frequent (default 10), or all"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(text_options, output),
     .value = "FILE",
     .help = "write lines to FILE"},
    BLOCK_SIZE_ROW(text_options),
    COMMON_ROWS_LETTERED(text_options, 0),
};

/* -- What is wanted */

/* What of the options does not go with what; NULL: all does. */
static const char *find_conflict(const text_options *o)
{
    bool sample = o->sample != NOT_GIVEN, only = !o->count && !o->frequencies && !sample;
    if ((o->count != NULL) + o->frequencies + sample > 1)
        return "only one of --count, --frequencies and --sample";
    if ((o->words || o->matches) && (!o->frequencies || (o->words && o->matches)))
        return "--words or --matches say what --frequencies are of";
    if (o->limit != NOT_GIVEN && (o->count || sample))
        return "--limit is for lines and --frequencies";
    if (!only && o->output)
        return "--output is for lines";
    if (only && o->common.json)
        return "--json is for --count, --frequencies and --sample";
    if (!o->grep && (o->matches || (o->count && strcmp(o->count, "matches") == 0)))
        return "--grep says what matches";
    if (!o->grep && (o->fixed || o->ignore_case || o->invert))
        return "--fixed, --ignore-case and --invert say how --grep is meant";
    return NULL;
}

static rask_text *open_text(rask_graph *graph, const text_options *o, char **paths, size_t count)
{
    rask_text_options options = text_reading(&o->common);
    options.pattern = o->grep;
    options.fixed = o->fixed;
    options.ignore_case = o->ignore_case;
    options.inverted = o->invert;
    return rask_text_open_at(graph, (const char *const *)paths, count, &options, NULL, 0);
}

static rask_text_unit frequencies_of(const text_options *o)
{
    return o->words ? RASK_TEXT_WORDS : o->matches ? RASK_TEXT_MATCHES : RASK_TEXT_LINES;
}

static rask_node *build(rask_text *text, const text_options *o, rask_text_unit unit)
{
    if (o->count)
        return rask_text_count_at(text, unit, NULL, 0);
    if (o->frequencies)
        return rask_text_frequencies_at(text, unit, o->limit == NOT_GIVEN ? 10 : o->limit, NULL, 0);
    if (o->sample != NOT_GIVEN)
        return rask_text_sample_at(text, o->sample, NULL, 0);
    return rask_text_write_at(text, o->output ? o->output : "-",
                              o->limit == NOT_GIVEN ? UINT64_MAX : o->limit, NULL, 0);
}

/* -- Results */

static void show_count(const text_options *o, const rask_value *value)
{
    int64_t count = 0;
    rask_value_get_i64(value, &count);
    if (o->common.json)
        printf("{\"%s\":%lld}\n", o->count, (long long)count);
    else
        printf("%lld\n", (long long)count);
}

static int show_list(const text_options *o, const rask_value *value)
{
    static const char *const items[] = {"line", "word", "", "match"};
    rask_text_unit unit = frequencies_of(o);
    if (!o->common.json)
        (o->frequencies ? text_show_frequencies : text_show_lines)(value);
    else if (o->frequencies)
        return text_show_frequencies_json(value, units[unit], items[unit]);
    else
        return text_show_lines_json(value);
    return RASK_OK;
}

static int show(const tool_command *c, const text_options *o, const rask_value *value)
{
    int status = RASK_OK;
    if (o->count)
        show_count(o, value);
    else if (value->type == RASK_LIST)
        status = show_list(o, value);
    if (!status)
        return say_done(c->name);
    say_error(c->name, "%s", rask_status_text(status));
    return EXIT_FAILED;
}

static int compute(const tool_command *c, const text_options *o, rask_graph *graph, rask_node *node)
{
    rask_value value;
    int outcome = run_graph(c->name, &o->common, graph, node, &value);
    if (value.type != RASK_NONE) {
        int shown = show(c, o, &value);
        outcome = outcome == EXIT_DONE ? shown : outcome;
    }
    rask_value_unref(&value);
    return outcome;
}

static int run(const tool_command *c, int argc, char **argv)
{
    text_options o = {.limit = NOT_GIVEN, .sample = NOT_GIVEN};
    int first, outcome = EXIT_FAILED;
    int unit = RASK_TEXT_LINES;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    const char *conflict = first == argc ? "no file given; - is standard input" : find_conflict(&o);
    if (!conflict && o.count && (unit = options_find(units, o.count)) < 0)
        conflict = "--count: not lines, words, bytes or matches";
    if (conflict) {
        say_error(c->name, "%s", conflict);
        return EXIT_USAGE;
    }
    rask_graph *graph = rask_graph_new();
    rask_text *text = open_text(graph, &o, argv + first, (size_t)(argc - first));
    rask_node *node = build(text, &o, o.frequencies ? frequencies_of(&o) : (rask_text_unit)unit);
    if (node)
        outcome = compute(c, &o, graph, node);
    else
        text_say_failure(c->name, graph);
    rask_graph_free(graph);
    return outcome;
}

const tool_command text_command = {
    .name = "text",
    .summary = "search, count, sample the lines of files of any size",
    .arguments = "[OPTION]… FILE…",
    .text =
        "Prints lines of all FILEs in order: those that match, and no more than asked for; or what they\n"
        "come to. FILE: a path, a pattern, a folder, or - for standard input; compressed or not. A word is\n"
        "a run of bytes that are not ASCII white space. See docs/text.md.\n",
    .example = "rask text logs/ --grep 'ERROR \\w+' --frequencies --matches\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
