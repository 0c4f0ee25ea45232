#include "commands.h"
#include "eval_form.h"
#include "eval_names.h"
#include "eval_show.h"
#include "run.h"
#include "say.h"
#include "watch.h"

#include <rask/array.h>
#include <rask/draw.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct eval_options {
    common_options common;
    option_texts outputs;
    eval_form form;
} eval_options;

static const char *const compressors[] = {"zstd", "gzip", "blosc", "none", NULL};

static const option_row rows[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXTS,
     .offset = offsetof(eval_options, outputs),
     .value = "FILE",
     .help = "write to .npy .raw .bin .zarr .h5 .h5:/PATH; once for each result"},
    {.name = "compressor",
     .kind = OPTION_TEXT,
     .offset = offsetof(eval_options, form.compressor),
     .value = "NAME",
     .help = "zstd (default), gzip, blosc, none; see --level, --chunks, --shards",
     .needs = "output",
     .choices = compressors},
    {.name = "level",
     .kind = OPTION_NUMBER,
     .offset = offsetof(eval_options, form.level),
     .value = "N",
     .help = "how hard the compressor tries: zstd 1 to 22, others 1 to 9",
     .brief = true,
     .needs = "output",
     .least = 1,
     .most = 22},
    {.name = "chunks",
     .kind = OPTION_TEXT,
     .offset = offsetof(eval_options, form.chunks),
     .value = "LENGTHS",
     .help = "Zarr, HDF5: elements of a chunk along each axis, such as 1000,500",
     .brief = true,
     .needs = "output"},
    {.name = "shards",
     .kind = OPTION_TEXT,
     .offset = offsetof(eval_options, form.shards),
     .value = "LENGTHS",
     .help = "Zarr 3: elements that share a file, whole chunks",
     .brief = true,
     .needs = "chunks"},
    {.name = "zarr-version",
     .kind = OPTION_NUMBER,
     .offset = offsetof(eval_options, form.zarr_version),
     .value = "N",
     .help = "2 (default) or 3, which --shards implies",
     .brief = true,
     .needs = "output",
     .least = 2,
     .most = 3},
    COMMON_ROWS(eval_options),
};

enum { RESULTS = 16 }; /* of one expression at most */

/* What is evaluated: texts, and the arrays that they give, those of one behind those of the text before it. */
typedef struct job {
    const tool_command *command;
    const eval_options *options;
    rask_graph *graph;
    eval_names names;
    const char **texts;
    uint32_t *given; /* how many, by text */
    rask_array **arrays;
    uint32_t text_count, count; /* count: of arrays */
} job;

/* --- errors in expressions */

enum { WINDOW = 72 }; /* columns of an expression shown around an error */

static bool is_first_byte(char c)
{
    return (c & 0xc0) != 0x80;
}

/* "1:7: …": line and column, from 1 on. What is behind them; NULL: there are none. */
static const char *behind_place(const char *message, size_t *line, size_t *column)
{
    int used = 0;
    return sscanf(message, "%zu:%zu: %n", line, column, &used) == 2 && used > 0 ? message + used : NULL;
}

static const char *line_at(const char *text, size_t line)
{
    for (; line > 1 && text; line--) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return text;
}

/* The characters of a line from one on, as many as fit; what terminals might take for more than a character is a "?". */
static void show_line(const char *line, size_t from, char *out, size_t capacity)
{
    size_t len = strcspn(line, "\n"), column = 0, used = 0, shown = 0;
    for (size_t i = 0; i < len && used + 2 < capacity; i++) {
        column += is_first_byte(line[i]);
        if (column <= from)
            continue;
        shown += is_first_byte(line[i]);
        if (shown > WINDOW)
            break;
        out[used++] = (unsigned char)line[i] < ' ' || line[i] == 0x7f ? '?' : line[i];
    }
    out[used] = 0;
}

/* The message, and below it the line with a caret. */
static void say_place(const char *command, const char *message, const char *text)
{
    size_t line, column;
    const char *reason = behind_place(message, &line, &column), *at = reason ? line_at(text, line) : NULL;
    if (!at) {
        say_error(command, "%s", say_without_call(message));
        return;
    }
    char shown[4 * WINDOW + 8];
    size_t from = column > WINDOW - 12 ? column - (WINDOW - 12) : 0;
    show_line(at, from, shown, sizeof shown);
    say_error(command, "%zu:%zu: %s\n  %s%s\n  %*s^", line, column, say_without_call(reason),
              from ? "..." : "", shown, (int)(column - from - 1 + (from ? 3 : 0)), "");
}

/* --- building */

static int bind_names(job *j, int count, char **arguments)
{
    char message[1200];
    int status = eval_names_init(&j->names, j->graph, count, arguments);
    if (status)
        snprintf(message, sizeof message, "%s", rask_status_text(status));
    for (int i = 0; !status && i < count; i++) {
        if (eval_is_binding(arguments[i]))
            status = eval_names_add(&j->names, arguments[i], message, sizeof message);
    }
    if (status)
        say_error(j->command->name, "%s", message);
    return status ? EXIT_FAILED : EXIT_DONE;
}

static int evaluate(job *j)
{
    rask_options options = run_options(&j->options->common);
    for (uint32_t i = 0; i < j->text_count; i++) {
        j->given[i] = rask_eval_several_at(j->graph, j->texts[i], j->names.names, j->names.operands,
                                           j->names.count, &options, j->arrays + j->count, RESULTS, NULL, 0);
        if (!j->given[i]) {
            say_place(j->command->name, rask_graph_error(j->graph), j->texts[i]);
            return EXIT_FAILED;
        }
        j->count += j->given[i];
    }
    return EXIT_DONE;
}

static void explain_one(const job *j, rask_array *array, const rask_options *options)
{
    size_t len = rask_array_explain(array, options, NULL, 0);
    char *text = malloc(len + 1);
    if (text && rask_array_explain(array, options, text, len + 1))
        fprintf(stderr, "%s%s", text, len && text[len - 1] == '\n' ? "" : "\n");
    free(text);
    if (eval_is_cut(&j->options->common, array))
        fputs("printed: the ends of each axis; nothing else is computed, so what runs is\n", stderr);
}

static void explain(const job *j)
{
    rask_options options = run_options(&j->options->common);
    for (uint32_t i = 0, at = 0; i < j->text_count; i++)
        for (uint32_t k = 0; k < j->given[i]; k++) {
            if (j->given[i] > 1)
                fprintf(stderr, "%s, number %u\n", j->texts[i], k);
            else if (j->count > 1)
                fprintf(stderr, "%s\n", j->texts[i]);
            explain_one(j, j->arrays[at++], &options);
        }
}

/* --- writing */

typedef struct writing {
    const job *job;
    rask_store_target *targets;
} writing;

static int work_store(void *context, const rask_options *options, const char **message)
{
    writing *w = context;
    int status = rask_array_store(w->targets, w->job->count, options);
    *message = rask_graph_error(w->job->graph);
    return status;
}

static void explain_store(const job *j, const rask_store_target *targets)
{
    rask_options options = run_options(&j->options->common);
    size_t len = rask_array_store_explain(targets, j->count, &options, NULL, 0);
    char *text = malloc(len + 1);
    if (text && len && rask_array_store_explain(targets, j->count, &options, text, len + 1))
        fprintf(stderr, "%s%s", text, text[len - 1] == '\n' ? "" : "\n");
    free(text);
}

/* An exit status; says what is wrong with an output. */
static int take_outputs(const job *j, eval_output *outputs, rask_store_target *targets)
{
    char message[1200];
    for (uint32_t i = 0; i < j->count; i++) {
        int status = eval_output_init(&outputs[i], j->options->outputs.items[i], &j->options->form,
                                      j->arrays[i], message, sizeof message);
        if (status) {
            say_error(j->command->name, "%s", message);
            return status == RASK_EINVAL ? EXIT_USAGE : EXIT_FAILED;
        }
        targets[i] = (rask_store_target){j->arrays[i], outputs[i].path, &outputs[i].options};
    }
    return EXIT_DONE;
}

static int store(const job *j)
{
    const common_options *common = &j->options->common;
    writing w = {j, calloc((size_t)j->count + 1, sizeof *w.targets)};
    eval_output *outputs = calloc((size_t)j->count + 1, sizeof *outputs);
    int outcome = EXIT_FAILED;
    if (!w.targets || !outputs) {
        say_error(j->command->name, "%s", rask_status_text(RASK_ENOMEM));
    } else if ((outcome = take_outputs(j, outputs, w.targets)) == EXIT_DONE) {
        if (common->explain)
            explain_store(j, w.targets);
        outcome = run_observed(j->command->name, common, work_store, &w);
    }
    for (uint32_t i = 0; outputs && i < j->count; i++)
        eval_output_fini(&outputs[i]);
    free(outputs);
    free(w.targets);
    return outcome;
}

/* --- the command */

static int refuse_outputs(const job *j, uint32_t wanted, const char *what, const char *expected)
{
    size_t outputs = j->options->outputs.count;
    say_error(j->command->name, "%zu output%s for %u %s%s: %s expected", outputs, outputs == 1 ? "" : "s",
              wanted, what, wanted == 1 ? "" : "s", expected);
    return EXIT_USAGE;
}

static int check_outputs(const job *j)
{
    size_t outputs = j->options->outputs.count;
    return !outputs || outputs == j->count ? EXIT_DONE : refuse_outputs(j, j->count, "result", "as many");
}

static int evaluate_and_give(job *j, int count, char **arguments)
{
    bool seen = watch_can(j->command->name, &j->options->common);
    int outcome = seen ? bind_names(j, count, arguments) : EXIT_FAILED;
    if (outcome == EXIT_DONE)
        outcome = evaluate(j);
    if (outcome == EXIT_DONE)
        outcome = check_outputs(j);
    if (outcome != EXIT_DONE)
        return outcome;
    if (j->options->common.explain && !j->options->outputs.count)
        explain(j);
    return j->options->outputs.count
               ? store(j)
               : eval_show(j->command->name, &j->options->common, j->graph, j->arrays, j->count);
}

/* An expression may give several arrays, which is known when it is evaluated. */
static int check_usage(const job *j)
{
    size_t outputs = j->options->outputs.count;
    if (j->text_count)
        return !outputs || outputs >= j->text_count
                   ? EXIT_DONE
                   : refuse_outputs(j, (uint32_t)j->text_count, "expression", "at least one each");
    say_error(j->command->name, "no expression given (what begins with NAME= says what a name means)");
    return EXIT_USAGE;
}

static int run(const tool_command *c, int argc, char **argv)
{
    eval_options o = {.form = {0}};
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    int count = argc - first, outcome = EXIT_FAILED;
    job j = {.command = c, .options = &o, .graph = rask_graph_new()};
    j.texts = calloc((size_t)count + 1, sizeof *j.texts);
    j.given = calloc((size_t)count + 1, sizeof *j.given);
    j.arrays = calloc((size_t)count * RESULTS + 1, sizeof *j.arrays);
    for (int i = first; j.texts && i < argc; i++) {
        if (!eval_is_binding(argv[i]))
            j.texts[j.text_count++] = argv[i];
    }
    if (!j.graph || !j.texts || !j.given || !j.arrays)
        say_error(c->name, "%s", rask_status_text(RASK_ENOMEM));
    else if ((outcome = check_usage(&j)) == EXIT_DONE)
        outcome = evaluate_and_give(&j, count, argv + first);
    eval_names_fini(&j.names);
    rask_graph_free(j.graph);
    free(j.arrays);
    free(j.given);
    free(j.texts);
    return outcome;
}

const tool_command eval_command = {
    .name = "eval",
    .summary = "NumPy's expressions over arrays larger than memory",
    .arguments = "[OPTION]… EXPRESSION… NAME=FILE…",
    .text =
        "Evaluates each EXPRESSION, written as for NumPy (docs/eval.md), over arrays in files, chunk by\n"
        "chunk and in parallel, within the memory that --memory gives. All expressions are computed in\n"
        "one pass. A NAME in them means\n"
        "  NAME=a.npy, NAME=data.h5:/group/x, NAME=store.zarr[:/path], NAME=z.npz:member\n"
        "  NAME=raw.bin:f4:1000,2000[:OFFSET][:F]    dtype, lengths, bytes before, Fortran order\n"
        "  NAME='part-*.npy', NAME='part-*.npy@0'    files stacked along a new axis, or joined along one\n"
        "  NAME=3.5                                  a number\n"
        "A scalar is printed so that it reads back exactly, an array as NumPy prints it: of a large one\n"
        "only the ends, and no more is computed. A statement NAME = EXPRESSION; may stand before the last\n"
        "one; write spaces around its =. Before an expression that begins with a minus put -- or a space.\n"
        "An output is replaced when it is there; HDF5 files and Zarr folders only when they hold one array,\n"
        "the one that is written, and nothing else.\n",
    .example = "rask eval 'mean((a * 2.5 + b) ** 2)' a=a.npy b=b.npy --memory 256M\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
