/* rask_draw(): from targets to a file. */
#include "core/base/file.h"
#include "core/plan/plan.h"
#include "tools/draw/output.h"
#include "tools/draw/picture.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* libcgraph and libgvc keep their state in globals. Held while they work and never while a user's function
 * runs: the text of values, which custom classes print, is made before. */
static pthread_mutex_t graphviz = PTHREAD_MUTEX_INITIALIZER;

enum { ERROR_BYTES = 1024, PATH_SHOWN = 200 };

typedef struct job {
    rask_graph *graph;
    rask_node *const *targets;
    size_t count;
    const char *path;
    rk_format format;
    rask_draw_options options;
} job;

/* The caller's options with defaults filled in; an older caller's structure may be shorter. */
static int take_options(job *j, const rask_draw_options *given)
{
    if (given && !given->size)
        return rk_graph_report(j->graph, RASK_EINVAL,
                               "draw: options.size is 0: begin with RASK_DRAW_OPTIONS_INIT");
    if (given)
        memcpy(&j->options, given, given->size < sizeof j->options ? given->size : sizeof j->options);
    return RASK_OK;
}

static int check_colour(const job *j)
{
    static const char *const names[] = {
        [RASK_COLOUR_NAME] = "name",   [RASK_COLOUR_ORDER] = "order",   [RASK_COLOUR_DURATION] = "duration",
        [RASK_COLOUR_BYTES] = "bytes", [RASK_COLOUR_WORKER] = "worker", [RASK_COLOUR_STATUS] = "status",
    };
    uint32_t colour = j->options.colour;
    if (colour > RASK_COLOUR_STATUS)
        return rk_graph_report(j->graph, RASK_EINVAL, "draw: %u is no colour", colour);
    if (!rk_colour_is_recorded(j->options.colour))
        return RASK_OK;
    if (!j->options.recording)
        return rk_graph_report(j->graph, RASK_EINVAL,
                               "draw: colours by %s need options.recording, of a finished run",
                               names[colour]);
    if (!rask_recording_run(j->options.recording).start_ns)
        return rk_graph_report(j->graph, RASK_EINVAL,
                               "draw: colours by %s need a finished run, and the recording holds none",
                               names[colour]);
    return RASK_OK;
}

static bool is_standard_output(const char *path)
{
    return strcmp(path, "-") == 0;
}

static int check_path(job *j)
{
    if (!j->path || !*j->path)
        return rk_graph_report(j->graph, RASK_EINVAL, "draw: no path");
    j->format = is_standard_output(j->path) ? RK_DOT : rk_format_of(j->path);
    if (j->format == RK_NO_FORMAT)
        return rk_graph_report(j->graph, RASK_EINVAL, "draw: %.*s: does not end in .dot, .svg, .png or .pdf",
                               PATH_SHOWN, j->path);
    return RASK_OK;
}

static int write_out(const char *dot, size_t len, char *error, size_t capacity)
{
    if (fwrite(dot, 1, len, stdout) == len && !fflush(stdout))
        return RASK_OK;
    snprintf(error, capacity, "standard output: %s", strerror(errno));
    return RASK_EIO;
}

static int render_and_write(const job *j, const char *dot, size_t len, char *error, size_t capacity)
{
    rk_rendered rendered = {0};
    if (is_standard_output(j->path))
        return write_out(dot, len, error, capacity);
    if (j->format == RK_DOT)
        return rk_write_file(j->path, dot, len, error, capacity);
    int status = rk_render(dot, j->format, &rendered, error, capacity);
    if (!status)
        status = rk_write_file(j->path, rendered.bytes, rendered.len, error, capacity);
    rk_rendered_fini(&rendered);
    return status;
}

static int draw_picture(const job *j, const rk_picture *picture)
{
    char error[ERROR_BYTES];
    char *dot;
    size_t len;
    pthread_mutex_lock(&graphviz);
    int status = rk_picture_dot(picture, &dot, &len);
    snprintf(error, sizeof error, "%s", rask_status_text(status));
    if (!status) {
        status = render_and_write(j, dot, len, error, sizeof error);
        rk_free(dot);
    }
    pthread_mutex_unlock(&graphviz);
    return status ? rk_graph_report(j->graph, status, "draw: %s", error) : RASK_OK;
}

static int out_of_memory(const job *j, int status)
{
    return rk_graph_report(j->graph, status, "draw: %s", rask_status_text(status));
}

static int draw_sketch(const job *j, const rk_sketch *sketch)
{
    rk_picture picture;
    int status = rk_picture_init(&picture, sketch, &j->options);
    status = status ? out_of_memory(j, status) : draw_picture(j, &picture);
    rk_picture_fini(&picture);
    return status;
}

/* Without a limit of the caller's, what would be a picture too wide to look at becomes a synopsis. */
static int choose_limit(job *j, const rk_sketch *sketch)
{
    uint32_t width = 0;
    if (j->options.limit)
        return RASK_OK;
    int status = sketch->count > RK_LIMIT_NODES ? RASK_OK : rk_sketch_width(sketch, &width);
    j->options.limit = width > RK_LIMIT_WIDTH ? sketch->count - 1 : RK_LIMIT_NODES;
    return status;
}

static int draw(job *j)
{
    rk_sketch sketch;
    int status = rk_sketch_init(&sketch, j->graph, j->targets, j->count, j->options.plan);
    if (!status)
        status = choose_limit(j, &sketch);
    bool frames = j->options.plan && sketch.count <= j->options.limit;
    if (status)
        status = out_of_memory(j, status);
    else if ((frames || j->options.colour == RASK_COLOUR_ORDER) &&
             (status = rk_sketch_plan(&sketch, j->targets, j->count)))
        status = out_of_memory(j, status);
    if (!status)
        status = draw_sketch(j, &sketch);
    rk_sketch_fini(&sketch);
    return status;
}

int rask_draw_nodes(rask_node *const *nodes, size_t count, const char *path, const rask_draw_options *options)
{
    job j = {.targets = nodes, .count = count, .path = path};
    int status = rk_graph_of(nodes, count, &j.graph);
    if (!status)
        status = check_path(&j);
    if (!status)
        status = take_options(&j, options);
    if (!status)
        status = check_colour(&j);
    if (!status)
        status = draw(&j);
    return status ? status : rk_graph_report(j.graph, RASK_OK, " ");
}

int rask_draw(rask_node *node, const char *path, const rask_draw_options *options)
{
    return rask_draw_nodes(&node, 1, path, options);
}

int rask_draw_plan(const rask_plan *plan, const char *path, const rask_draw_options *options, char *error,
                   size_t capacity)
{
    size_t count = 0;
    rask_node **nodes = plan ? rk_alloc_array((size_t)plan->target_count + 1, sizeof *nodes) : NULL;
    for (uint32_t i = 0; nodes && i < plan->target_count; i++)
        if (!(plan->targets[i] & RK_CONSTANT))
            nodes[count++] = rk_graph_node(plan->graph, plan->node[plan->targets[i]]);
    int status = !plan ? RASK_EINVAL : !nodes ? RASK_ENOMEM : RASK_OK;
    if (nodes)
        status = rask_draw_nodes(nodes, count, path, options);
    if (capacity)
        snprintf(error, capacity, "%s",
                 status && nodes ? rask_graph_error(plan->graph)
                 : status        ? rask_status_text(status)
                                 : "");
    rk_free(nodes);
    return status;
}
