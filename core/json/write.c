/* Graphs as JSON text, a node a line, in the order of building.
 *
 * The text is written directly: cJSON prints a double with 15 digits when that is close enough, and its tree
 * of a large graph would take several times the memory of the graph. */
#include "core/graph/graph.h"
#include "core/json/json.h"
#include "core/value/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_DEPTH = 2 }; /* levels open around a node */

typedef struct writer {
    rask_graph *graph;
    uint32_t *number; /* per node: 1, 2, … in the order of writing; 0: not needed */
    rk_array out;     /* char */
    int status;       /* the first failure; nothing is written any more */
    char why[512];
    uint32_t node;  /* that is being written */
    unsigned depth; /* levels open */
} writer;

static void fail(writer *w, int status, const char *what)
{
    if (w->status)
        return;
    w->status = status;
    const char *name = w->graph ? rask_node_name(rk_graph_node(w->graph, w->node)) : "";
    snprintf(w->why, sizeof w->why, "node %u (%.64s): %s", w->node, name, what);
}

/* Room for len characters, which count from here on; NULL when there is none, which is noted. */
static char *room(writer *w, size_t len)
{
    int status = w->status ? w->status : rk_array_reserve(&w->out, len);
    if (status == RASK_ELIMIT)
        fail(w, status, "the text would be larger than can be read");
    else if (status)
        fail(w, status, "no memory for the text");
    if (status)
        return NULL;
    w->out.count += len;
    return (char *)w->out.data + w->out.count - len;
}

static void put(writer *w, const char *text, size_t len)
{
    char *place = room(w, len);
    if (place)
        memcpy(place, text, len);
}

static void put_text(writer *w, const char *text)
{
    put(w, text, strlen(text));
}

static void put_integer(writer *w, int64_t number)
{
    char text[24];
    put(w, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)number));
}

/* Opening brackets and braces count against the depth that can be read. */
static void open_level(writer *w, const char *text)
{
    if (w->depth++ == RK_MAX_JSON_DEPTH)
        fail(w, RASK_ELIMIT, "a constant is nested deeper than can be read");
    put_text(w, text);
}

static void close_level(writer *w, const char *text)
{
    w->depth--;
    put_text(w, text);
}

static void put_escaped(writer *w, unsigned char c)
{
    static const char short_for[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    char text[8];
    for (size_t i = 0; i < sizeof short_for - 1; i += 2) {
        if (short_for[i] == (char)c) {
            put(w, (const char[]){'\\', short_for[i + 1]}, 2);
            return;
        }
    }
    put(w, text, (size_t)snprintf(text, sizeof text, "\\u%04x", c));
}

/* In quotes. Bytes that are not UTF-8 become question marks, which only labels have and which makes none
 * longer. */
static void put_string(writer *w, const char *text, size_t len)
{
    put_text(w, "\"");
    const char *end = text + len, *plain = text;
    while (text < end) {
        size_t step = rk_utf8_length(text, end);
        unsigned char c = (unsigned char)*text;
        bool as_is = step && c >= ' ' && c != '"' && c != '\\';
        if (!as_is) {
            put(w, plain, (size_t)(text - plain));
            if (step)
                put_escaped(w, c);
            else
                put_text(w, "?");
            plain = text + 1;
        }
        text += as_is ? step : 1;
    }
    put(w, plain, (size_t)(text - plain));
    put_text(w, "\"");
}

/* The fewest digits that give the same number back, with a point whatever the locale has. */
static void put_digits(writer *w, double number)
{
    char text[48], clean[48];
    int precision = 15;
    do
        snprintf(text, sizeof text, "%.*g", precision, number);
    while (strtod(text, NULL) != number && ++precision <= 17);
    size_t len = 0;
    for (const char *s = text; *s; s++) {
        if (strchr("+-0123456789e", *s))
            clean[len++] = *s;
        else if (len && clean[len - 1] != '.')
            clean[len++] = '.';
    }
    put(w, clean, len);
}

static void put_nan(writer *w, double number)
{
    uint64_t bits;
    char text[32];
    memcpy(&bits, &number, sizeof bits);
    if (bits == 0x7ff8000000000000)
        put_text(w, "\"nan\"");
    else
        put(w, text, (size_t)snprintf(text, sizeof text, "\"0x%016llx\"", (unsigned long long)bits));
}

/* A whole number, or one that is none, would be read as something else without its tag. */
static void put_f64(writer *w, double number)
{
    bool plain = isfinite(number) && trunc(number) != number;
    if (!plain)
        open_level(w, "{\"f64\": ");
    if (isnan(number))
        put_nan(w, number);
    else if (isinf(number))
        put_text(w, number < 0 ? "\"-inf\"" : "\"inf\"");
    else
        put_digits(w, number);
    if (!plain)
        close_level(w, "}");
}

static void put_i64(writer *w, int64_t number)
{
    bool plain = llabs(number / 2) < (int64_t)RK_JSON_EXACT / 2;
    if (!plain)
        open_level(w, "{\"i64\": \"");
    put_integer(w, number);
    if (!plain)
        close_level(w, "\"}");
}

static void put_base64(writer *w, rask_bytes bytes)
{
    open_level(w, "{\"bytes\": \"");
    size_t groups = bytes.len / 3 + (bytes.len % 3 != 0);
    char *place = room(w, groups * 4);
    if (place)
        rk_base64_encode(bytes.data, bytes.len, place);
    close_level(w, "\"}");
}

static void put_bytes(writer *w, const rask_value *value)
{
    rask_bytes bytes;
    rask_value_get_bytes(value, &bytes);
    if (!memchr(bytes.data, 0, bytes.len) && rk_utf8_valid(bytes.data, bytes.len))
        put_string(w, bytes.data, bytes.len);
    else
        put_base64(w, bytes);
}

static void no_such_constant(writer *w, const rask_value *value)
{
    char what[200];
    const char *name = value->type == RASK_CUSTOM ? rk_value_class(value)->name : "";
    snprintf(what, sizeof what, "JSON cannot hold a constant that is a %s%s%.100s",
             rask_type_name(value->type), *name ? " " : "", name);
    fail(w, RASK_EUNSUPPORTED, what);
}

static void put_scalar(writer *w, const rask_value *value)
{
    switch (value->type) {
    case RASK_NONE: put_text(w, "null"); break;
    case RASK_BOOL: put_text(w, value->as.boolean ? "true" : "false"); break;
    case RASK_I64: put_i64(w, value->as.i64); break;
    case RASK_F64: put_f64(w, value->as.f64); break;
    case RASK_BYTES: put_bytes(w, value); break;
    default: no_such_constant(w, value); break;
    }
}

/* Elements of a list that are still to be written. */
typedef struct rest {
    const rask_value *items;
    size_t count;
} rest;

/* A list within a list may be the same one again and again, so what keeps this short is the ceiling of the
 * text. */
static void put_value(writer *w, const rask_value *value)
{
    rest stack[RK_MAX_JSON_DEPTH + 1] = {{value, 1}};
    size_t top = 0;
    while (!w->status) {
        if (!stack[top].count) {
            if (!top)
                return;
            top--;
            close_level(w, "]");
        } else {
            const rask_value *now = stack[top].items++;
            stack[top].count--;
            if (now->type == RASK_LIST) {
                open_level(w, "[");
                if (w->status)
                    return;
                top++;
                rask_value_get_list(now, &stack[top].items, &stack[top].count);
                continue;
            }
            put_scalar(w, now);
        }
        if (top && stack[top].count)
            put_text(w, ", ");
    }
}

static void put_key(writer *w, uint32_t id)
{
    put_text(w, "\"n");
    put_integer(w, w->number[id] - 1);
    put_text(w, "\"");
}

static void put_keys(writer *w, const uint32_t *words, size_t count)
{
    open_level(w, "[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            put_text(w, ", ");
        put_key(w, words[i]);
    }
    close_level(w, "]");
}

static void put_args(writer *w, const rask_node *node)
{
    const uint32_t *words = rk_node_args(node);
    if (!node->nargs)
        return;
    open_level(w, ", \"args\": [");
    for (uint32_t i = 0; i < node->nargs; i++) {
        if (i)
            put_text(w, ", ");
        if (words[i] & RK_CONSTANT) {
            put_value(w, rk_graph_constant(node->graph, words[i]));
        } else {
            open_level(w, "{\"node\": ");
            put_key(w, words[i]);
            close_level(w, "}");
        }
    }
    close_level(w, "]");
}

static void put_call(writer *w, const rask_node *node)
{
    const char *name = rask_node_name(node);
    if (!*name || !rk_utf8_valid(name, strlen(name)))
        fail(w, RASK_EUNSUPPORTED, "the name of its function is not UTF-8 text");
    put_text(w, "\"call\": ");
    put_string(w, name, strlen(name));
    put_args(w, node);
}

/* The index of rask_item(); false when it is one that only a call of "item" can tell. */
static bool item_index(const rask_node *node, int64_t *index)
{
    return node->flags & RK_NODE_ITEM &&
           !rask_value_get_i64(rk_graph_constant(node->graph, rk_node_args(node)[1]), index) && *index >= 0 &&
           *index < (int64_t)RK_JSON_EXACT;
}

static void put_kind(writer *w, const rask_node *node)
{
    const uint32_t *words = rk_node_args(node);
    int64_t index;
    if (node->flags & RK_NODE_CONST) {
        put_text(w, node->flags & RK_NODE_INPUT ? "\"input\": " : "\"const\": ");
        put_value(w, rk_graph_constant(node->graph, words[0]));
    } else if (node->flags & RK_NODE_LIST) {
        put_text(w, "\"list\": ");
        put_keys(w, words, node->nargs);
    } else if (item_index(node, &index)) {
        put_text(w, "\"item\": ");
        put_integer(w, index);
        put_text(w, ", \"of\": ");
        put_key(w, words[0]);
    } else {
        put_call(w, node);
    }
}

static void put_attributes(writer *w, const rk_extra *extra)
{
    if (*extra->label) {
        put_text(w, ", \"label\": ");
        put_string(w, extra->label, strlen(extra->label));
    }
    if (extra->own_priority) {
        put_text(w, ", \"priority\": ");
        put_integer(w, extra->priority);
    }
    if (extra->own_retries) {
        put_text(w, ", \"retries\": ");
        put_integer(w, extra->retries);
    }
    if (extra->own_timeout) {
        put_text(w, ", \"timeout\": ");
        put_f64(w, extra->timeout);
    }
    if (extra->own_backoff) {
        put_text(w, ", \"backoff\": ");
        put_f64(w, extra->backoff);
    }
    if (extra->tags) {
        put_text(w, ", \"tags\": ");
        put_string(w, extra->tags, strlen(extra->tags));
    }
    if (extra->own_result_bytes) { /* a guess: what a double cannot tell apart does not matter */
        uint64_t most = (uint64_t)RK_JSON_EXACT - 1;
        put_text(w, ", \"result_bytes\": ");
        put_integer(w, (int64_t)(extra->result_bytes < most ? extra->result_bytes : most));
    }
}

static void put_node(writer *w, const rask_node *node)
{
    w->node = node->id;
    w->depth = DOCUMENT_DEPTH;
    put_text(w, "    ");
    put_key(w, node->id);
    open_level(w, ": {");
    put_kind(w, node);
    if (node->order_only) {
        put_text(w, ", \"after\": ");
        put_keys(w, rk_node_args(node) + node->nargs, node->order_only);
    }
    const rk_extra *extra = rk_node_extra(node);
    if (extra)
        put_attributes(w, extra);
    close_level(w, "}");
}

/* Arguments are older than their node: one pass from the youngest target down marks all that is needed.
 * Returns the number of ids looked at. */
static uint32_t number_nodes(writer *w, rask_node *const *targets, size_t count)
{
    uint32_t ids = 0, number = 0;
    for (size_t i = 0; i < count; i++) {
        w->number[targets[i]->id] = 1;
        ids = targets[i]->id >= ids ? targets[i]->id + 1 : ids;
    }
    for (uint32_t id = ids; id-- > 0;) {
        const rask_node *node = rk_graph_node(w->graph, id);
        const uint32_t *words = rk_node_args(node);
        for (size_t i = 0; w->number[id] && i < (size_t)node->nargs + node->order_only; i++)
            if (!(words[i] & RK_CONSTANT))
                w->number[words[i]] = 1;
    }
    for (uint32_t id = 0; id < ids; id++)
        if (w->number[id])
            w->number[id] = ++number;
    return ids;
}

static void put_document(writer *w, rask_node *const *targets, size_t count)
{
    uint32_t ids = number_nodes(w, targets, count);
    put_text(w, "{\n  \"rask\": ");
    put_integer(w, RK_JSON_VERSION);
    put_text(w, ",\n  \"nodes\": {\n");
    bool first = true;
    for (uint32_t id = 0; id < ids && !w->status; id++) {
        if (!w->number[id])
            continue;
        if (!first)
            put_text(w, ",\n");
        first = false;
        put_node(w, rk_graph_node(w->graph, id));
    }
    put_text(w, "\n  },\n  \"targets\": [");
    for (size_t i = 0; i < count; i++) {
        if (i)
            put_text(w, ", ");
        put_key(w, targets[i]->id);
    }
    put_text(w, "]\n}\n");
    put(w, "", 1);
}

int rask_graph_to_json(rask_node *const *targets, size_t count, char **text, size_t *len)
{
    writer w = {.out = RK_ARRAY(char, RK_MAX_JSON_BYTES + 1)};
    int status = rk_graph_of(targets, count, &w.graph);
    if (status)
        return status;
    if (!text || !len)
        return rk_graph_report(w.graph, RASK_EINVAL, "json: text and len must not be NULL");
    w.number = rk_calloc(w.graph->count, sizeof *w.number);
    if (!w.number)
        return rk_graph_report(w.graph, RASK_ENOMEM, "json: no memory to number the nodes");
    put_document(&w, targets, count);
    rk_free(w.number);
    if (w.status) {
        rk_array_fini(&w.out);
        return rk_graph_report(w.graph, w.status, "json: %s", w.why);
    }
    *text = w.out.data;
    *len = w.out.count - 1;
    return rk_graph_report(w.graph, RASK_OK, "%s", "");
}

void rask_json_free(char *text)
{
    rk_free(text);
}
