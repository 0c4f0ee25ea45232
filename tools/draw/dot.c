/* A picture as DOT, built and written by libcgraph, so that every string is quoted as Graphviz reads it.
 *
 * libcgraph allocates with malloc, not through the library's hook: it does not survive an allocator that
 * fails. It reports through globals, which are put back as they were found. */
#include "core/plan/plan.h"
#include "tools/draw/picture.h"
#include "tools/draw/text.h"

#include <graphviz/cgraph.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FONTS "DejaVu Sans,Verdana,Helvetica,Arial,sans-serif"

typedef struct attribute {
    const char *name, *value;
} attribute;

/* linelength: libcgraph would break long strings over lines. */
static const attribute graph_attributes[] = {
    {"linelength", "0"}, {"bgcolor", "white"},     {"pad", "0.25"},
    {"nodesep", "0.22"}, {"ranksep", "0.45"},      {"fontname", FONTS},
    {"fontsize", "13"},  {"fontcolor", "#3a4250"}, {"labelloc", "t"},
};
static const attribute node_attributes[] = {
    {"shape", "ellipse"}, {"style", "filled"}, {"fontname", FONTS},      {"fontsize", "11"},
    {"height", "0.38"},   {"width", "0.6"},    {"margin", "0.10,0.055"}, {"fillcolor", "#ffffff"},
    {"color", "#555555"}, {"penwidth", "1"},
};
static const attribute edge_attributes[] = {
    {"color", "#6d7684"}, {"arrowsize", "0.65"}, {"penwidth", "1"},
    {"fontname", FONTS},  {"fontsize", "9"},     {"fontcolor", "#5a6370"},
};
/* What keeps dot from searching minutes for the last crossing in pictures of many arrows. */
static const attribute hurry[] = {{"nslimit", "2"}, {"nslimit1", "2"}, {"mclimit", "0.3"}};
enum { HURRY_ARROWS = 400 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* libcgraph takes char * for what it does not change. */
static void set(void *object, const char *name, const char *value)
{
    agsafeset(object, (char *)name, (char *)value, (char *)"");
}

static void declare(Agraph_t *dot, int kind, const attribute *attributes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        agattr(dot, kind, (char *)attributes[i].name, (char *)attributes[i].value);
}

static void set_shape(Agnode_t *drawn, const rk_picture *picture, const rk_box *box)
{
    const rask_node *node = rk_sketch_node(picture->sketch, box->item);
    if (rk_box_is_data(box)) {
        set(drawn, "shape", "box");
        set(drawn, "style", box->name == RK_NAME_INPUT ? "filled,rounded,bold" : "filled,rounded");
    } else if (!picture->synopsis && node->flags & (RK_NODE_LIST | RK_NODE_ITEM) && !*rask_node_label(node)) {
        set(drawn, "width", "0.3");
        set(drawn, "height", "0.24");
        set(drawn, "margin", "0.03,0.01");
        set(drawn, "fontsize", "9");
    }
}

static Agnode_t *add_box(Agraph_t *dot, const rk_picture *picture, const rk_box *box)
{
    char name[32];
    snprintf(name, sizeof name, "n%" PRIu32, picture->sketch->node[box->item]);
    Agnode_t *drawn = agnode(dot, name, 1);
    if (!drawn)
        return NULL;
    set(drawn, "label", box->label);
    set(drawn, "tooltip", box->tooltip);
    set(drawn, "fillcolor", box->paint.fill);
    set(drawn, "color", box->paint.line);
    set(drawn, "fontcolor", box->paint.ink);
    set_shape(drawn, picture, box);
    if (box->uses > 1 && !picture->synopsis)
        set(drawn, "penwidth", "2.4");
    if (box->target)
        set(drawn, "peripheries", "2");
    return drawn;
}

/* 1.3 and 0.3 more a decimal digit. Put together from integers, since locales differ in decimal points. */
static void write_width(char *out, size_t capacity, uint64_t count)
{
    unsigned tenths = 10;
    for (; count; count /= 10)
        tenths += 3;
    snprintf(out, capacity, "%u.%u", tenths / 10, tenths % 10);
}

static bool set_count(Agedge_t *edge, uint64_t count)
{
    char width[32];
    rk_text label = {0};
    rk_text_print(&label, " ×");
    rk_text_count(&label, count);
    char *text = rk_text_take(&label);
    if (!text)
        return false;
    set(edge, "label", text);
    rk_free(text);
    write_width(width, sizeof width, count);
    set(edge, "penwidth", width);
    return true;
}

static bool add_arrow(Agraph_t *dot, Agnode_t *const *drawn, const rk_arrow *arrow)
{
    Agedge_t *edge = agedge(dot, drawn[arrow->from], drawn[arrow->to], NULL, 1);
    if (!edge)
        return false;
    if (arrow->order_only)
        set(edge, "style", "dashed");
    return arrow->count == 1 || set_count(edge, arrow->count);
}

/* Tasks that were fused run one after another on one worker: a frame around them. */
static bool add_frame(Agraph_t *dot, const rk_sketch *sketch, Agnode_t *const *drawn, uint32_t unit)
{
    char name[32];
    snprintf(name, sizeof name, "cluster_%" PRIu32, unit);
    Agraph_t *frame = agsubg(dot, name, 1);
    if (!frame)
        return false;
    set(frame, "label", "fused");
    set(frame, "labeljust", "r");
    set(frame, "fontsize", "8");
    set(frame, "fontcolor", "#8a93a0");
    set(frame, "style", "rounded,filled");
    set(frame, "color", "#b9c0ca");
    set(frame, "fillcolor", "#f6f7f9");
    set(frame, "tooltip", "fused: run one after another by the same worker");
    const rask_plan *plan = sketch->plan;
    for (uint32_t t = plan->unit_start[unit]; t < plan->unit_start[unit + 1]; t++)
        agsubnode(frame, drawn[sketch->item_of[plan->node[t]]], 1);
    return true;
}

static bool add_frames(Agraph_t *dot, const rk_picture *picture, Agnode_t *const *drawn)
{
    const rask_plan *plan = picture->sketch->plan;
    if (!plan || !picture->options->plan || picture->synopsis)
        return true;
    for (uint32_t u = 0; u < plan->units; u++)
        if (plan->unit_start[u + 1] - plan->unit_start[u] > 1 && !add_frame(dot, picture->sketch, drawn, u))
            return false;
    return true;
}

static bool fill(Agraph_t *dot, const rk_picture *picture)
{
    Agnode_t **drawn = rk_alloc_array(picture->box_count, sizeof *drawn);
    bool good = drawn != NULL;
    declare(dot, AGRAPH, graph_attributes, COUNT(graph_attributes));
    declare(dot, AGNODE, node_attributes, COUNT(node_attributes));
    declare(dot, AGEDGE, edge_attributes, COUNT(edge_attributes));
    if (picture->arrow_count > HURRY_ARROWS)
        declare(dot, AGRAPH, hurry, COUNT(hurry));
    for (uint32_t b = 0; b < picture->box_count && good; b++)
        good = (drawn[b] = add_box(dot, picture, &picture->boxes[b])) != NULL;
    for (uint32_t a = 0; a < picture->arrow_count && good; a++)
        good = add_arrow(dot, drawn, &picture->arrows[a]);
    good = good && add_frames(dot, picture, drawn);
    set(dot, "label", picture->caption);
    set(dot, "tooltip", picture->tooltip);
    rk_free(drawn);
    return good;
}

static int put_string(void *channel, const char *string)
{
    rk_text_put(channel, string, strlen(string));
    return 0;
}

static int put_nothing(void *channel)
{
    (void)channel;
    return 0;
}

/* The library never prints. What could go wrong here shows in NULLs. */
static int stay_silent(char *message)
{
    (void)message;
    return 0;
}

int rk_picture_dot(const rk_picture *picture, char **dot, size_t *len)
{
    Agiodisc_t io = {.putstr = put_string, .flush = put_nothing};
    Agdisc_t disc = {.mem = &AgMemDisc, .id = &AgIdDisc, .io = &io};
    rk_text out = {0};
    agusererrf before = agseterrf(stay_silent);
    Agraph_t *built = agopen((char *)"rask", Agdirected, &disc);
    bool good = built && fill(built, picture) && !agwrite(built, &out);
    if (built)
        agclose(built);
    agseterrf(before);
    *len = out.len;
    char *text = rk_text_take(&out);
    if (!good || !text) {
        rk_free(text);
        return RASK_ENOMEM;
    }
    *dot = text;
    return RASK_OK;
}
