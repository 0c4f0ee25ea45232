#include "commands.h"
#include "say.h"

#include <rask/draw.h>
#include <rask/json.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_JSON ((size_t)1 << 30)

typedef struct draw_options {
    const char *output, *colour, *title;
    uint64_t limit;
    bool plan;
} draw_options;

static const option_row rows[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_DRAWING,
     .offset = offsetof(draw_options, output),
     .value = "FILE",
     .help = "the picture: .svg .png .pdf .dot; required"},
    {.name = "colour",
     .kind = OPTION_TEXT,
     .offset = offsetof(draw_options, colour),
     .value = "BY",
     .help = "name (default) or order"},
    {.name = "limit",
     .kind = OPTION_NUMBER,
     .offset = offsetof(draw_options, limit),
     .value = "N",
     .help = "draw more than N nodes as a synopsis (default 300, 60 side by side)",
     .least = 1,
     .most = UINT32_MAX},
    {.name = "plan",
     .kind = OPTION_FLAG,
     .offset = offsetof(draw_options, plan),
     .help = "draw what is left after merging and fusing"},
    {.name = "title",
     .kind = OPTION_TEXT,
     .offset = offsetof(draw_options, title),
     .value = "TEXT",
     .help = "written over the picture"},
};

static bool find_colour(const char *name, rask_colour *out)
{
    static const struct {
        const char *name;
        rask_colour colour;
    } known[] = {{"name", RASK_COLOUR_NAME}, {"order", RASK_COLOUR_ORDER}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) == 0) {
            *out = known[i].colour;
            return true;
        }
    }
    return false;
}

/* All of the file, as malloc's. NULL: told on stderr. */
static char *read_stream(const tool_command *c, const char *name, FILE *file, size_t *len)
{
    char *text = NULL;
    size_t used = 0, capacity = 0, got = 1;
    while (got > 0 && used <= MAX_JSON) {
        if (used == capacity) {
            capacity = 2 * capacity + 65536;
            char *more = realloc(text, capacity);
            if (!more) {
                say_error(c->name, "%s: %s", name, rask_status_text(RASK_ENOMEM));
                free(text);
                return NULL;
            }
            text = more;
        }
        got = fread(text + used, 1, capacity - used, file);
        used += got;
    }
    if (ferror(file) || used > MAX_JSON) {
        say_error(c->name, "%s: %s", name, ferror(file) ? strerror(errno) : "more than 1 GiB");
        free(text);
        return NULL;
    }
    *len = used;
    return text;
}

static char *read_file(const tool_command *c, const char *path, size_t *len)
{
    if (strcmp(path, "-") == 0)
        return read_stream(c, "standard input", stdin, len);
    FILE *file = fopen(path, "re");
    if (!file) {
        say_error(c->name, "%s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = read_stream(c, path, file, len);
    fclose(file);
    return text;
}

/* Functions that nobody knows are drawn all the same. */
static int read_graph(const tool_command *c, const char *path, rask_graph **graph, rask_node ***targets,
                      size_t *count)
{
    char error[1000] = "";
    size_t len;
    char *text = read_file(c, path, &len);
    if (!text)
        return EXIT_FAILED;
    rask_registry *registry = rask_registry_new();
    int status =
        registry ? rask_graph_from_json(registry, text, len, true, graph, targets, count, error, sizeof error)
                 : RASK_ENOMEM;
    rask_registry_free(registry);
    free(text);
    if (status)
        say_error(c->name, "%s: %s", strcmp(path, "-") ? path : "standard input",
                  *error ? error : rask_status_text(status));
    return status ? EXIT_FAILED : EXIT_DONE;
}

static int draw(const tool_command *c, const draw_options *o, rask_colour colour, const char *path)
{
    rask_draw_options options = {.size = sizeof options,
                                 .colour = colour,
                                 .limit = (uint32_t)o->limit,
                                 .plan = o->plan,
                                 .title = o->title};
    rask_graph *graph = NULL;
    rask_node **targets;
    size_t count;
    if (read_graph(c, path, &graph, &targets, &count))
        return EXIT_FAILED;
    int status = rask_draw_nodes(targets, count, o->output, &options);
    if (status) {
        const char *message = rask_graph_error(graph);
        say_error(c->name, "%s", *message ? message : rask_status_text(status));
    }
    rask_graph_free(graph);
    return status ? EXIT_FAILED : EXIT_DONE;
}

static int run(const tool_command *c, int argc, char **argv)
{
    draw_options o = {.colour = "name"};
    rask_colour colour;
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    if (argc - first != 1) {
        say_error(c->name,
                  argc == first ? "no graph given; - is standard input" : "more than one graph given");
        return EXIT_USAGE;
    }
    if (!o.output) {
        say_error(c->name, "--output: needed: the picture to draw");
        return EXIT_USAGE;
    }
    if (!find_colour(o.colour, &colour)) {
        say_error(c->name, "--colour: neither name nor order; a graph in a file has not run: \"%s\"",
                  o.colour);
        return EXIT_USAGE;
    }
    return draw(c, &o, colour, argv[first]);
}

const tool_command draw_command = {
    .name = "draw",
    .summary = "a picture of a graph in a JSON file",
    .arguments = "GRAPH.json -o FILE [OPTION]…",
    .text = "Draws a graph, in the format of docs/graph-json.md, through Graphviz. Functions need not be\n"
            "known. - is standard input.\n",
    .example = "rask draw pipeline.json -o pipeline.svg --colour order\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
