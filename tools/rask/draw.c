#include "commands.h"
#include "flow.h"
#include "input.h"
#include "say.h"

#include <cjson/cJSON.h>
#include <rask/draw.h>
#include <rask/json.h>
#include <rask/plan.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct draw_options {
    const char *output, *colour, *title;
    uint64_t limit;
    bool plan, json;
} draw_options;

static const char *const colours[] = {"name", "order", NULL}; /* those that need no run */

static const option_row rows[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_DRAWING,
     .offset = offsetof(draw_options, output),
     .value = "FILE",
     .help = "the picture: .svg .png .pdf .dot; without it DOT goes to a pipe or file"},
    {.name = "colour",
     .kind = OPTION_TEXT,
     .offset = offsetof(draw_options, colour),
     .value = "BY",
     .help = "name (default) or order",
     .choices = colours},
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
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(draw_options, json),
     .help = "print figures of the graph as JSON"},
};

static int nothing(rask_task *task)
{
    return rask_return_none(task);
}

/* What a workflow would run. */
static int build_flow(flow *f, const char *text, size_t len, const char *path, rask_graph **graph,
                      rask_node ***targets, size_t *count, char *error)
{
    if (!flow_read(f, text, len, error))
        return RASK_EFORMAT;
    *graph = rask_graph_new();
    if (!flow_build(f, *graph, &(flow_stages){.work = nothing, .arguments = "i"}, 0, input_name(path), error))
        return RASK_EFORMAT;
    *targets = f->nodes;
    *count = f->count;
    return RASK_OK;
}

/* Functions that nobody knows are drawn all the same. */
static int build_graph(const char *text, size_t len, rask_graph **graph, rask_node ***targets, size_t *count,
                       char *error, size_t capacity)
{
    rask_registry *registry = rask_registry_new();
    int status = registry
                     ? rask_graph_from_json(registry, text, len, true, graph, targets, count, error, capacity)
                     : RASK_ENOMEM;
    rask_registry_free(registry);
    return status;
}

/* In whatever order: an object's members have none. */
static int print_figures(const tool_command *c, const char *output, size_t targets, rask_plan_stats s)
{
    const struct {
        const char *name;
        double number;
    } figures[] = {{"nodes", s.nodes},
                   {"targets", (double)targets},
                   {"tasks", s.tasks},
                   {"not_needed", s.culled},
                   {"merged", s.merged},
                   {"edges", (double)s.edges},
                   {"longest_path", s.longest_path}};
    cJSON *root = cJSON_CreateObject();
    if (output)
        cJSON_AddStringToObject(root, "file", output);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        cJSON_AddNumberToObject(root, figures[i].name, figures[i].number);
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    if (!text) {
        say_error(c->name, "%s", rask_status_text(RASK_ENOMEM));
        return EXIT_FAILED;
    }
    puts(text);
    cJSON_free(text);
    return say_done(c->name);
}

static int tell_figures(const tool_command *c, const char *output, rask_graph *graph, rask_node **targets,
                        size_t count)
{
    rask_plan *plan = NULL;
    int status = rask_plan_new(targets, count, &plan), outcome = EXIT_FAILED;
    if (status)
        say_error(c->name, "%s",
                  *rask_graph_error(graph) ? rask_graph_error(graph) : rask_status_text(status));
    else
        outcome = print_figures(c, output, count, rask_plan_get_stats(plan));
    rask_plan_free(plan);
    return outcome;
}

/* The library's messages say that they are of drawing, as does the command. */
static const char *without_prefix(const char *message)
{
    static const char prefix[] = "draw: ";
    return message + (strncmp(message, prefix, sizeof prefix - 1) ? 0 : sizeof prefix - 1);
}

static int draw_targets(const tool_command *c, const draw_options *o, rask_colour colour, rask_graph *graph,
                        rask_node **targets, size_t count)
{
    rask_draw_options options = {.size = sizeof options,
                                 .colour = colour,
                                 .limit = (uint32_t)o->limit,
                                 .plan = o->plan,
                                 .title = o->title};
    const char *output = o->output || o->json ? o->output : "-";
    int status = output ? rask_draw_nodes(targets, count, output, &options) : RASK_OK;
    if (status) {
        const char *message = without_prefix(rask_graph_error(graph));
        say_error(c->name, "%s", *message ? message : rask_status_text(status));
        return EXIT_FAILED;
    }
    return o->json ? tell_figures(c, o->output, graph, targets, count) : say_done(c->name);
}

static int draw(const tool_command *c, const draw_options *o, rask_colour colour, const char *path)
{
    char error[1000] = "";
    size_t len, count = 0;
    rask_graph *graph = NULL;
    rask_node **targets = NULL;
    flow workflow = {0};
    char *text = input_read(c->name, path, &len);
    if (!text)
        return EXIT_FAILED;
    int outcome = EXIT_FAILED;
    int status = flow_is(text, len) ? build_flow(&workflow, text, len, path, &graph, &targets, &count, error)
                                    : build_graph(text, len, &graph, &targets, &count, error, sizeof error);
    free(text);
    if (status)
        say_error(c->name, "%s: %s", input_name(path), *error ? error : rask_status_text(status));
    else
        outcome = draw_targets(c, o, colour, graph, targets, count);
    rask_graph_free(graph);
    flow_fini(&workflow);
    return outcome;
}

static int run(const tool_command *c, int argc, char **argv)
{
    draw_options o = {.colour = "name"};
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    if (argc - first != 1) {
        say_error(c->name,
                  argc == first ? "no graph given; - is standard input" : "more than one graph given");
        return EXIT_USAGE;
    }
    if (!o.output && !o.json && isatty(STDOUT_FILENO)) {
        say_error(
            c->name,
            "--output: needed: the picture to draw; or --json; DOT goes to a pipe or file without either");
        return EXIT_USAGE;
    }
    if (options_find(colours, o.colour) < 0) {
        say_error(c->name, "--colour: neither name nor order; a graph in a file has not run: \"%s\"",
                  o.colour);
        return EXIT_USAGE;
    }
    return draw(c, &o, (rask_colour)options_find(options_colours, o.colour), argv[first]);
}

const tool_command draw_command = {
    .name = "draw",
    .summary = "a picture of a graph or workflow in a JSON file",
    .arguments = "GRAPH.json [-o FILE] [OPTION]…",
    .text =
        "Draws a graph, in the format of docs/graph-json.md, or a workflow (docs/run.md), through Graphviz.\n"
        "Functions need not be known. - is standard input. Without --output DOT goes to standard output, if\n"
        "that is no terminal. --json prints the graph's figures, too, or, without --output, instead.\n",
    .example = "rask draw pipeline.json -o pipeline.svg --colour order\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
