#include "commands.h"
#include "run.h"
#include "say.h"
#include "words_graph.h"
#include "words_print.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

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
    {.name = "block-size",
     .kind = OPTION_SIZE,
     .offset = offsetof(words_options, common.block_size),
     .value = "SIZE",
     .help = "cut files into blocks of SIZE, such as 64M"},
    COMMON_ROWS(words_options),
};

static uint64_t workers_of(const common_options *o)
{
    if (o->scheduler && strcmp(o->scheduler, "serial") == 0)
        return 1;
    return o->workers ? o->workers : rask_default_workers();
}

/* Tasks that share a stream share memory, which only workers that are threads do. */
static bool workers_share_memory(const common_options *o)
{
    return !o->scheduler || strcmp(o->scheduler, "threads") == 0;
}

static uint64_t hash_seed(const common_options *o)
{
    uint64_t seed = o->seed;
    if (seed == 0 && getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
        seed = 1;
    return seed;
}

/* What each of so many tasks at once may take. */
static uint64_t share(uint64_t memory, uint64_t tasks)
{
    return tasks ? memory / tasks : memory;
}

static words_layout layout_of(const words_options *o, const words_inputs *inputs)
{
    const common_options *common = &o->common;
    uint64_t workers = workers_of(common);
    words_layout layout = {
        .block_size = common->block_size,
        .stream_tasks = workers_share_memory(common) ? workers : 1,
        .seed = hash_seed(common),
        .top = o->top,
    };
    if (layout.block_size == 0)
        layout.block_size = words_block_size(inputs->file_bytes, workers, common->memory > 0);
    uint64_t parts =
        words_parts(inputs, layout.block_size) + (inputs->stream_count ? layout.stream_tasks : 0);
    if (common->memory)
        layout.ceiling = share(common->memory, parts < workers ? parts : workers);
    return layout;
}

/* Tells of every input that cannot be read, not only of the first. */
static int add_inputs(const tool_command *c, words_inputs *inputs, char **paths, size_t count)
{
    words_failure failure;
    int outcome = EXIT_DONE;
    if (words_inputs_init(inputs, count)) {
        say_error(c->name, "%s", rask_status_text(RASK_ENOMEM));
        return EXIT_FAILED;
    }
    for (size_t i = 0; i < count; i++) {
        if (words_inputs_add(inputs, paths[i], &failure)) {
            say_error(c->name, "%s", failure.text);
            outcome = EXIT_FAILED;
        }
    }
    return outcome;
}

static int print(const tool_command *c, const words_options *o, const rask_value *words)
{
    if (o->common.json && words_print_json(words)) {
        say_error(c->name, "%s", rask_status_text(RASK_ENOMEM));
        return EXIT_FAILED;
    }
    if (!o->common.json)
        words_print_text(words);
    return say_done(c->name);
}

static int count_and_print(const tool_command *c, const words_options *o, const words_inputs *inputs)
{
    words_layout layout = layout_of(o, inputs);
    words_stream stream;
    rask_value words;
    if (words_parts(inputs, layout.block_size) > WORDS_MAX_PARTS) {
        say_error(c->name, "--block-size: cuts the input into more than %llu blocks: \"%llu\"",
                  (unsigned long long)WORDS_MAX_PARTS, (unsigned long long)layout.block_size);
        return EXIT_USAGE;
    }
    words_stream_init(&stream, inputs->streams, inputs->stream_count);
    rask_graph *graph = rask_graph_new();
    rask_node *node = words_graph_build(graph, inputs, &stream, &layout);
    int outcome = run_graph(c->name, &o->common, graph, node, &words);
    if (words.type == RASK_LIST) {
        int printed = print(c, o, &words);
        outcome = outcome == EXIT_DONE ? printed : outcome;
    }
    rask_value_unref(&words);
    rask_graph_free(graph);
    words_stream_fini(&stream);
    return outcome;
}

static int run(const tool_command *c, int argc, char **argv)
{
    words_options o = {.top = 10};
    words_inputs inputs;
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    if (first == argc) {
        say_error(c->name, "no file given; - is standard input");
        return EXIT_USAGE;
    }
    int outcome = add_inputs(c, &inputs, argv + first, (size_t)(argc - first));
    if (outcome == EXIT_DONE)
        outcome = count_and_print(c, &o, &inputs);
    words_inputs_fini(&inputs);
    return outcome;
}

const tool_command words_command = {
    .name = "words",
    .summary = "the most frequent words of files",
    .arguments = "[OPTION]… FILE…",
    .text = "Prints the most frequent words of all FILEs together, as lines of count, tab, word: by\n"
            "count, then by bytes. A word is a run of bytes that are not ASCII white space. FILE - is\n"
            "standard input. Memory depends on the number of different words, not on the files' sizes.\n"
            "With --json, bytes that JSON cannot hold become U+FFFD, and all of the word is in \"bytes\"\n"
            "as base64.\n",
    .example = "rask words -n 20 --draw words.svg logs/*.txt\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
