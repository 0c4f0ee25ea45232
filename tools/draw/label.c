/* What is written: in boxes, in tooltips, and above the picture. */
#include "tools/draw/picture.h"
#include "tools/draw/text.h"

#include <string.h>

enum { VALUE_BYTES = 400, TOOLTIP_VALUES = 600 };

static const rk_style name_style = {.most = 80, .width = 36};
static const rk_style label_style = {.most = 200, .width = 36};
static const rk_style value_style = {.most = 48, .width = 36};
static const rk_style values_style = {.most = 72, .width = 36};
static const rk_style title_style = {.most = 1000, .width = 100};
static const rk_style tooltip_style = {.most = RK_UNLIMITED, .width = RK_UNLIMITED, .tooltip = true};
static const rk_style tooltip_values_style = {.most = TOOLTIP_VALUES, .width = RK_UNLIMITED, .tooltip = true};

static void say(rk_text *text, const char *string, rk_style style)
{
    rk_text_say(text, string, strlen(string), style);
}

/* Bytes that are no text tell nobody anything but how many they are. */
static void add_value(rk_text *out, const rask_value *value)
{
    char shown[VALUE_BYTES];
    rask_bytes bytes;
    if (rask_value_get_bytes(value, &bytes) == RASK_OK && !rk_text_is_readable(bytes.data, bytes.len)) {
        rk_text_count(out, bytes.len);
        rk_text_print(out, bytes.len == 1 ? " byte" : " bytes");
        return;
    }
    size_t len = rask_value_format(value, shown, sizeof shown);
    rk_text_put(out, shown, len < sizeof shown ? len : sizeof shown - 1);
}

/* The arguments that are no nodes, in order, as they are: not yet safe for Graphviz. */
static char *plain_arguments(const rask_node *node)
{
    rk_text out = {0};
    const uint32_t *args = rk_node_args(node);
    for (uint32_t i = 0; i < node->nargs && out.len < TOOLTIP_VALUES; i++) {
        if (!(args[i] & RK_CONSTANT))
            continue;
        if (out.len)
            rk_text_put(&out, ", ", 2);
        add_value(&out, rk_graph_constant(node->graph, args[i]));
    }
    return rk_text_take(&out);
}

static bool is_plain_list(const rask_node *node)
{
    return node->flags & RK_NODE_LIST && !*rask_node_label(node);
}

static bool is_plain_item(const rask_node *node)
{
    return node->flags & RK_NODE_ITEM && !*rask_node_label(node);
}

/* A label of the user's stands for the arguments, which the tooltip still has. */
static void label_call(rk_text *out, const rk_picture *picture, const rk_box *box, const char *arguments)
{
    const rask_node *node = rk_sketch_node(picture->sketch, box->item);
    const char *label = rask_node_label(node);
    if (is_plain_list(node)) {
        rk_text_print(out, "[ ]");
    } else if (is_plain_item(node)) {
        rk_text_print(out, "[");
        say(out, arguments, value_style);
        rk_text_print(out, "]");
    } else {
        say(out, picture->names.text[box->name], name_style);
    }
    if (picture->sketch->stands_for && picture->sketch->stands_for[box->item] > 1) {
        rk_text_print(out, " ×");
        rk_text_count(out, picture->sketch->stands_for[box->item]);
    }
    if (*label) {
        rk_text_line(out);
        say(out, label, label_style);
    } else if (*arguments && !is_plain_item(node)) {
        rk_text_line(out);
        say(out, arguments, values_style);
    }
}

static void label_data(rk_text *out, const rk_picture *picture, const rk_box *box, const char *arguments)
{
    const rask_node *node = rk_sketch_node(picture->sketch, box->item);
    if (box->name == RK_NAME_INPUT) {
        rk_text_print(out, "input");
        rk_text_line(out);
    }
    if (*rask_node_label(node)) {
        say(out, rask_node_label(node), label_style);
        rk_text_line(out);
    }
    say(out, arguments, value_style);
}

static void label_group(rk_text *out, const rk_picture *picture, const rk_box *box)
{
    say(out, picture->names.text[box->name], name_style);
    if (box->count > 1) {
        rk_text_print(out, " × ");
        rk_text_count(out, box->count);
    }
    if (picture->level_bin > 1) {
        rk_text_line(out);
        rk_text_print(out, box->level < box->last_level ? "levels " : "level ");
        rk_text_count(out, box->level);
        if (box->level < box->last_level) {
            rk_text_print(out, " – ");
            rk_text_count(out, box->last_level);
        }
    }
}

static void tell_figures(rk_text *out, const rk_figures *figures)
{
    if (!figures->finished)
        return;
    rk_text_line(out);
    if (figures->finished > 1) {
        rk_text_count(out, figures->finished);
        rk_text_print(out, " ran ");
    } else {
        rk_text_print(out, "ran ");
    }
    rk_text_duration(out, figures->nanoseconds);
    if (figures->worker != RK_WORKER_SEVERAL)
        rk_text_print(out, " on worker %u", figures->worker);
    rk_text_print(out, ", results ");
    rk_text_bytes(out, figures->bytes);
    if (figures->failed) {
        rk_text_print(out, ", failed: ");
        rk_text_count(out, figures->failed);
    }
}

static void tell_grown(rk_text *out, const rk_figures *figures)
{
    if (!figures->grown)
        return;
    rk_text_line(out);
    rk_text_print(out, "grew ");
    rk_text_count(out, figures->grown);
    for (int i = 0; i < RK_GROWN_KINDS && figures->kinds[i].count; i++) {
        rk_text_print(out, i ? ", " : ": ");
        say(out, figures->kinds[i].name, name_style);
        rk_text_print(out, " × ");
        rk_text_count(out, figures->kinds[i].count);
    }
}

static void tell_node(rk_text *out, const rk_picture *picture, const rk_box *box, const char *arguments)
{
    const rask_node *node = rk_sketch_node(picture->sketch, box->item);
    rk_site site = rk_node_site(node);
    rk_text_print(out, " (node %u)", node->id);
    if (*rask_node_label(node)) {
        rk_text_line(out);
        say(out, rask_node_label(node), tooltip_style);
    }
    if (*arguments) {
        rk_text_line(out);
        say(out, arguments, tooltip_values_style);
    }
    if (site.file) {
        rk_text_line(out);
        rk_text_print(out, "built at ");
        say(out, site.file, tooltip_values_style);
        rk_text_print(out, ":%d", site.line);
    }
    if (box->uses > 1) {
        rk_text_line(out);
        rk_text_print(out, "used ");
        rk_text_count(out, box->uses);
        rk_text_print(out, " times");
    }
}

static int label_box(const rk_picture *picture, rk_box *box)
{
    rk_text label = {0}, tooltip = {0};
    char *arguments = picture->synopsis ? NULL : plain_arguments(rk_sketch_node(picture->sketch, box->item));
    if (!picture->synopsis && !arguments)
        return RASK_ENOMEM;
    if (picture->synopsis)
        label_group(&label, picture, box);
    else if (rk_box_is_data(box))
        label_data(&label, picture, box, arguments);
    else
        label_call(&label, picture, box, arguments);
    tell_grown(&label, &box->figures);
    say(&tooltip, picture->names.text[box->name], tooltip_style);
    if (!picture->synopsis)
        tell_node(&tooltip, picture, box, arguments);
    tell_figures(&tooltip, &box->figures);
    rk_free(arguments);
    box->label = rk_text_take(&label);
    box->tooltip = rk_text_take(&tooltip);
    return box->label && box->tooltip ? RASK_OK : RASK_ENOMEM;
}

static void tell_synopsis(rk_text *out, const rk_picture *picture)
{
    rk_text_count(out, picture->sketch->count);
    rk_text_print(out, " nodes drawn as ");
    rk_text_count(out, picture->box_count);
    rk_text_print(out, " groups: one box per task name and ");
    if (picture->level_bin > 1) {
        rk_text_print(out, "range of ");
        rk_text_count(out, picture->level_bin);
        rk_text_print(out, " levels");
    } else {
        rk_text_print(out, "level");
    }
    if (!picture->lumped_names && !picture->arrows_left_out)
        return;
    rk_text_line(out);
    if (picture->lumped_names) {
        rk_text_print(out, "the rarest ");
        rk_text_count(out, picture->lumped_names);
        rk_text_print(out, " names share boxes");
    }
    if (picture->arrows_left_out) {
        rk_text_print(out, picture->lumped_names ? "; of the arrows the heaviest "
                                                 : "of the arrows the heaviest ");
        rk_text_count(out, picture->arrow_count);
        rk_text_print(out, " of ");
        rk_text_count(out, (uint64_t)picture->arrow_count + picture->arrows_left_out);
    }
}

static void tell_colours(rk_text *out, const rk_picture *picture)
{
    switch (picture->options->colour) {
    case RASK_COLOUR_ORDER: rk_text_print(out, "colours: order of the plan, dark first, yellow last"); return;
    case RASK_COLOUR_WORKER: rk_text_print(out, "colours: one a worker"); return;
    case RASK_COLOUR_STATUS:
        rk_text_print(out, "colours: green done, red failed, grey not run");
        if (picture->synopsis)
            rk_text_print(out, ", yellow done in part");
        return;
    case RASK_COLOUR_DURATION: rk_text_print(out, "colours: duration, from 0 (light) to "); break;
    case RASK_COLOUR_BYTES: rk_text_print(out, "colours: size of results, from 0 (light) to "); break;
    default: return;
    }
    if (picture->options->colour == RASK_COLOUR_BYTES)
        rk_text_bytes(out, rk_picture_hottest(picture));
    else
        rk_text_duration(out, rk_picture_hottest(picture));
    rk_text_print(out, picture->synopsis ? " a box (dark red)" : " (dark red)");
}

static char *caption(const rk_picture *picture, rk_style style)
{
    rk_text out = {0};
    if (picture->options->title)
        say(&out, picture->options->title, style);
    if (picture->synopsis) {
        if (out.len)
            rk_text_line(&out);
        tell_synopsis(&out, picture);
    }
    if (picture->options->colour != RASK_COLOUR_NAME) {
        if (out.len)
            rk_text_line(&out);
        tell_colours(&out, picture);
    }
    if (out.len && !style.tooltip) { /* an empty line keeps it off the boxes */
        rk_text_line(&out);
        rk_text_print(&out, " ");
    }
    return rk_text_take(&out);
}

int rk_picture_label(rk_picture *picture)
{
    picture->caption = caption(picture, title_style);
    picture->tooltip = caption(picture, tooltip_style);
    int status = picture->caption && picture->tooltip ? RASK_OK : RASK_ENOMEM;
    for (uint32_t b = 0; b < picture->box_count && !status; b++)
        status = label_box(picture, &picture->boxes[b]);
    return status;
}
