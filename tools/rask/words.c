#include "commands.h"
#include "run.h"
#include "say.h"
#include "text_show.h"

typedef struct words_options {
    common_options common;
    uint64_t top;
} words_options;

static const option_row rows[] = {
    {.name = "top",
     .letter = 'n',
     .kind = OPTION_COUNT,
     .offset = offsetof(words_options, top),
     .value = "K",
     .help = "print the K most frequent words (default 10), or all"},
    BLOCK_SIZE_ROW(words_options),
    COMMON_ROWS(words_options),
};

static int print(const tool_command *c, const words_options *o, const rask_value *words)
{
    if (o->common.json && text_show_frequencies_json(words, "words", "word")) {
        say_error(c->name, "%s", rask_status_text(RASK_ENOMEM));
        return EXIT_FAILED;
    }
    if (!o->common.json)
        text_show_frequencies(words);
    return say_done(c->name);
}

static rask_node *build(rask_graph *graph, const words_options *o, char **paths, size_t count)
{
    rask_text_options options = text_reading(&o->common);
    rask_text *text = rask_text_open_at(graph, (const char *const *)paths, count, &options, NULL, 0);
    return rask_text_frequencies_at(text, RASK_TEXT_WORDS, o->top, NULL, 0);
}

static int run(const tool_command *c, int argc, char **argv)
{
    words_options o = {.top = 10};
    rask_value words;
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    if (first == argc) {
        say_error(c->name, "no file given; - is standard input");
        return EXIT_USAGE;
    }
    rask_graph *graph = rask_graph_new();
    rask_node *node = build(graph, &o, argv + first, (size_t)(argc - first));
    if (!node) {
        text_say_failure(c->name, graph);
        rask_graph_free(graph);
        return EXIT_FAILED;
    }
    int outcome = run_graph(c->name, &o.common, graph, node, &words);
    if (words.type == RASK_LIST) {
        int printed = print(c, &o, &words);
        outcome = outcome == EXIT_DONE ? printed : outcome;
    }
    rask_value_unref(&words);
    rask_graph_free(graph);
    return outcome;
}

const tool_command words_command = {
    .name = "words",
    .summary = "the most frequent words of files",
    .arguments = "[OPTION]… FILE…",
    .text = "Prints the most frequent words of all FILEs together, as lines of count, tab, word: by\n"
            "count, then by bytes. A word is a run of bytes that are not ASCII white space. FILE: a path,\n"
            "a pattern, a folder, or - for standard input; compressed or not. The same as rask text --words\n"
            "--frequencies. With --json, bytes that JSON cannot hold become U+FFFD, and all of the word is\n"
            "in \"bytes\" as base64.\n",
    .example = "rask words -n 20 --draw words.svg logs/*.txt\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
