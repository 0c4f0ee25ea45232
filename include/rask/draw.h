/* rask/draw.h: pictures of graphs, through Graphviz. */
#ifndef RASK_DRAW_H
#define RASK_DRAW_H

#include <rask/graph.h>
#include <rask/observe.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rask_colour {
    RASK_COLOUR_NAME,     /* one colour a task name: the default */
    RASK_COLOUR_ORDER,    /* early to late in plan order */
    RASK_COLOUR_DURATION, /* these need a recording of a finished run */
    RASK_COLOUR_BYTES,
    RASK_COLOUR_WORKER,
    RASK_COLOUR_STATUS, /* failed, done, not run */
} rask_colour;

typedef struct rask_draw_options {
    size_t size; /* sizeof(rask_draw_options), set by RASK_DRAW_OPTIONS_INIT */
    rask_colour colour;
    const rask_recording *recording; /* of a run of the same targets, told in tooltips, too; NULL: none */
    uint32_t limit;    /* more nodes than this are drawn as a synopsis; 0: 300, 60 of them side by side */
    bool plan;         /* draw the plan: equal calls merged into one, fused chains in frames */
    const char *title; /* UTF-8; NULL: none */
} rask_draw_options;

/* Everything at its default. */
#ifdef __cplusplus
static inline rask_draw_options rask_draw_options_init()
{
    rask_draw_options options = rask_draw_options();
    options.size = sizeof options;
    return options;
}
#    define RASK_DRAW_OPTIONS_INIT rask_draw_options_init()
#else
#    define RASK_DRAW_OPTIONS_INIT ((rask_draw_options){.size = sizeof(rask_draw_options)})
#endif

/* Draws what node needs into path: .dot, .svg, .png or .pdf, by its ending; "-" is standard output, as DOT.
 *
 * Boxes are data (constants, inputs), ellipses calls, with their label, or else the arguments that are no nodes
 * beneath the name; [ ] is a list, [3] an element of one. A thick border: used more than once; a double one:
 * a target; a dashed arrow: waits, but takes no value. Labels are shown as they are, long ones shortened;
 * tooltips have them in full.
 *
 * A graph of more nodes than the limit, or of so many edges that no one could follow them, is drawn as a
 * synopsis: one box a task name and level (the longest path from the sources) with its count, and the picture
 * says so. When that is too much still, neighbouring levels share boxes. A million nodes take less than a
 * second.
 *
 * options may be NULL. The file appears whole or not at all. RASK_EINVAL: another ending, no path, bad
 * options, a colour that needs a recording without one; RASK_EUNSUPPORTED: no Graphviz module for SVG, PNG,
 * PDF: the message names the package; RASK_EIO: writing failed; RASK_EGRAPH, RASK_ENOMEM. The message is in
 * rask_graph_error(). One drawing at a time is made in a process: calls from several threads wait for each
 * other, since Graphviz is not thread-safe. The module is looked for in the folder that the environment variable
 * RASK_MODULE_PATH names, where Rask was installed, and beside the library. */
RASK_API int rask_draw(rask_node *node, const char *path, const rask_draw_options *options);
RASK_API int rask_draw_nodes(rask_node *const *nodes, size_t count, const char *path,
                             const rask_draw_options *options);

/* The same of a plan's targets: also where only the plan is known, as in rask_observer.run_ended. The message goes to
 * error (may be NULL). */
RASK_API int rask_draw_plan(const struct rask_plan *plan, const char *path, const rask_draw_options *options,
                            char *error, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
