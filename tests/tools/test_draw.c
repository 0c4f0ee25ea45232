/* rask_draw(): what is in the pictures, and what happens when there can be none. DOT is read back with
 * libcgraph, so that the strings compared are those that Graphviz would draw. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <graphviz/cgraph.h>
#include <locale.h>
#include <pthread.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t increment(int64_t a)
{
    return a + 1;
}
RASK_TASK(increment, i64, i64);

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK_WITH(add, (.flags = RASK_PURE), i64, i64, i64);

static int64_t read_file(const char *path)
{
    return (int64_t)strlen(path);
}
RASK_TASK(read_file, i64, str);

static int refuse(rask_task *task)
{
    return rask_fail(task, RASK_EINVAL, "refused");
}
RASK_SLOTS(refuse);

static rask_graph *g;
static char folder[64];

static void begin(void)
{
    g = rask_graph_new();
    strcpy(folder, "/tmp/rask-test-draw-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Entries of the folder, of which there are no more than these when nothing was left behind. */
static int files(void)
{
    int count = -2;
    DIR *dir = opendir(folder);
    cr_assert_not_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void end(void)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
            unlink(in_folder(entry->d_name));
    closedir(dir);
    rmdir(folder);
    rask_graph_free(g);
}

TestSuite(draw, .init = begin, .fini = end, .timeout = 120);

static char *contents(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s was not written", path);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *bytes = calloc((size_t)size + 1, 1);
    cr_assert_eq(fread(bytes, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    *len = (size_t)size;
    return bytes;
}

/* The drawing as DOT, read back. */
static Agraph_t *drawn(rask_node *node, const rask_draw_options *options)
{
    size_t len;
    const char *path = in_folder("graph.dot");
    cr_assert_eq(rask_draw(node, path, options), RASK_OK, "%s", rask_graph_error(g));
    char *dot = contents(path, &len);
    Agraph_t *graph = agmemread(dot);
    cr_assert_not_null(graph, "%s", dot);
    free(dot);
    return graph;
}

static Agnode_t *box(Agraph_t *graph, const rask_node *node)
{
    char name[32];
    snprintf(name, sizeof name, "n%u", rask_node_id(node));
    Agnode_t *found = agnode(graph, name, 0);
    cr_assert_not_null(found, "no %s", name);
    return found;
}

static const char *get(void *object, const char *attribute)
{
    const char *value = agget(object, (char *)attribute);
    return value ? value : "";
}

static bool has_label(Agraph_t *graph, const char *label)
{
    for (Agnode_t *n = agfstnode(graph); n; n = agnxtnode(graph, n))
        if (!strcmp(get(n, "label"), label))
            return true;
    return false;
}

static rask_node *chain(rask_node *node, size_t length)
{
    for (size_t i = 0; i < length; i++)
        node = rask_delayed(g, increment, node);
    return node;
}

static rask_node *fan_in(size_t width)
{
    rask_node **parts = calloc(width, sizeof *parts);
    for (size_t i = 0; i < width; i++)
        parts[i] = rask_delayed(g, increment, (int64_t)i);
    rask_node *sum = rask_sum(rask_list(g, parts, width));
    free(parts);
    return sum;
}

/* Labels. */

static void shows(const char *label, const char *wanted)
{
    rask_node *node = rask_set_label(rask_delayed(g, increment, 1), label);
    Agraph_t *graph = drawn(node, NULL);
    char whole[4096];
    snprintf(whole, sizeof whole, "increment\\n%s", wanted); /* the label stands for the argument */
    cr_expect_str_eq(get(box(graph, node), "label"), whole);
    cr_expect_not(aghtmlstr(agget(box(graph, node), (char *)"label")));
    agclose(graph);
}

Test(draw, labels_are_shown_as_they_are)
{
    shows("plain", "plain");
    shows("\"quoted\"", "\"quoted\"");
    shows("<b>bold</b>", "<b>bold</b>");
    shows("<", "<");
    shows("back\\slash \\N \\G", "back\\\\slash \\\\N \\\\G");
    shows("ends in \\", "ends in \\\\");
    shows("\\\"", "\\\\\"");
    shows("two\nlines", "two\\nlines");
    shows("of DOS\r\nlines", "of DOS\\nlines");
    shows("Grüße, 世界 🌍", "Grüße, 世界 🌍");
    shows("; } /* -> [a=b]", "; } /* -> [a=b]");
}

Test(draw, entities_are_not_turned_into_characters)
{
    shows("&lt;", "&\u2060lt;");
    shows("&#64;", "&\u2060#64;");
    shows("a && b; c & d", "a && b; c & d");
}

Test(draw, what_is_no_utf8_becomes_a_replacement_character)
{
    shows("a\xff z", "a\uFFFD z");
    shows("\xc0\xaf", "\uFFFD\uFFFD");
    shows("\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD");
    shows("cut \xe4\xb8", "cut \uFFFD\uFFFD");
    shows("\xf5\x80\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD");
    shows("\xef\xbf\xbf", "\uFFFD");
}

Test(draw, control_characters_become_their_pictures)
{
    shows("a\x01z\x1b[31m\x7f", "a␁z␛[31m␡");
    shows("a\tb", "a b");
}

static void shows_bytes(const char *data, size_t len, const char *wanted)
{
    rask_node *node = rask_delayed(g, read_file, ((rask_bytes){data, len}));
    Agraph_t *graph = drawn(node, NULL);
    char whole[200];
    snprintf(whole, sizeof whole, "read_file\\n%s", wanted);
    cr_expect_str_eq(get(box(graph, node), "label"), whole);
    cr_expect_null(strstr(get(box(graph, node), "tooltip"), "x00"));
    agclose(graph);
}

Test(draw, bytes_that_are_no_text_are_counted)
{
    shows_bytes("file name", 9, "\"file name\"");
    shows_bytes("Gr\xc3\xbc\xc3\x9f", 6, "\"Gr\u00fc\u00df\"");
    shows_bytes("", 0, "\"\"");
    shows_bytes("\0", 1, "1 byte");
    shows_bytes("a\0\0\0\1\0\0\0", 8, "8 bytes");
    shows_bytes("cut \xe4\xb8", 6, "6 bytes");
    shows_bytes("\x1b[31m", 5, "5 bytes");
}

Test(draw, long_labels_are_shortened_and_whole_in_the_tooltip)
{
    char label[10001];
    memset(label, 'x', sizeof label - 1);
    label[sizeof label - 1] = '\0';
    rask_node *node = rask_set_label(rask_delayed(g, increment, 1), label);
    Agraph_t *graph = drawn(node, NULL);
    cr_expect_lt(strlen(get(box(graph, node), "label")), 250);
    cr_expect(strstr(get(box(graph, node), "label"), "…"));
    cr_expect(strstr(get(box(graph, node), "tooltip"), label));
    agclose(graph);
}

Test(draw, any_label_renders)
{
    static const char *const hostile[] = {"&lt;<>&&#0;\\N\\\"", "\xff\xfe\x80", "\x01\x02\x1b\x7f\xc2\x85",
                                          "<table><tr><td>",    "]]>--><!--",   "\\",
                                          "\xef\xbf\xbe",       "\u202E right"};
    rask_node *nodes[8];
    for (size_t i = 0; i < 8; i++)
        nodes[i] = rask_set_label(rask_delayed(g, read_file, hostile[i]), hostile[i]);
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    options.title = hostile[0];
    rask_node *list = rask_list(g, nodes, 8);
    cr_assert_eq(rask_draw(list, in_folder("x.svg"), &options), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_draw(list, in_folder("x.png"), &options), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_draw(list, in_folder("x.pdf"), &options), RASK_OK, "%s", rask_graph_error(g));
}

/* What is drawn. */

Test(draw, boxes_are_data_and_ellipses_calls)
{
    rask_node *constant = rask_const(g, 7), *input = rask_input(g, "in.csv");
    rask_node *call = rask_delayed(g, add, constant, rask_delayed(g, read_file, input));
    Agraph_t *graph = drawn(call, NULL);
    cr_expect_str_eq(get(box(graph, constant), "shape"), "box");
    cr_expect_str_eq(get(box(graph, constant), "label"), "7");
    cr_expect_str_eq(get(box(graph, input), "shape"), "box");
    cr_expect_str_eq(get(box(graph, input), "label"), "input\\n\"in.csv\"");
    cr_expect_str_eq(get(box(graph, call), "shape"), "ellipse");
    cr_expect_str_eq(get(box(graph, call), "peripheries"), "2");
    agclose(graph);
}

Test(draw, only_what_the_target_needs_is_drawn)
{
    rask_node *needed = rask_delayed(g, increment, 1);
    rask_delayed(g, increment, needed);
    Agraph_t *graph = drawn(needed, NULL);
    cr_expect_eq(agnnodes(graph), 1);
    agclose(graph);
}

Test(draw, shared_work_shows)
{
    rask_node *shared = rask_delayed(g, increment, 1), *once = rask_delayed(g, increment, shared);
    rask_node *twice = rask_delayed(g, add, shared, once);
    Agraph_t *graph = drawn(rask_delayed(g, add, twice, twice), NULL);
    cr_expect_str_neq(get(box(graph, shared), "penwidth"), get(box(graph, once), "penwidth"));
    cr_expect_eq(agdegree(graph, box(graph, shared), 0, 1), 2);
    cr_expect_eq(agdegree(graph, box(graph, twice), 0, 1), 1);
    cr_expect_str_eq(get(agfstout(graph, box(graph, twice)), "label"), " ×2");
    agclose(graph);
}

Test(draw, order_only_dependencies_are_dashed)
{
    rask_node *first = rask_delayed(g, increment, 1), *then = rask_delayed(g, increment, 2);
    rask_after(then, &first, 1);
    Agraph_t *graph = drawn(then, NULL);
    cr_expect_str_eq(get(agfstout(graph, box(graph, first)), "style"), "dashed");
    agclose(graph);
}

Test(draw, a_plan_shows_merged_calls_once_and_fused_chains_in_frames)
{
    rask_node *input = rask_input(g, 1);
    rask_node *a = rask_delayed(g, add, input, 2), *b = rask_delayed(g, add, input, 2);
    rask_node *target = rask_delayed(g, add, chain(a, 3), b);
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    Agraph_t *graph = drawn(target, &options);
    cr_expect_eq(agnnodes(graph), 7);
    agclose(graph);
    options.plan = true;
    graph = drawn(target, &options);
    cr_expect_eq(agnnodes(graph), 6);
    cr_expect_str_eq(get(box(graph, a), "label"), "add ×2\\n2");
    Agraph_t *frame = agfstsubg(graph);
    cr_assert_not_null(frame);
    cr_expect_not(strncmp(agnameof(frame), "cluster", 7));
    cr_expect_geq(agnnodes(frame), 2);
    agclose(graph);
}

Test(draw, constants_of_merged_calls_are_not_drawn_twice)
{
    rask_node *a = rask_delayed(g, add, rask_const(g, 1), 2), *b = rask_delayed(g, add, rask_const(g, 1), 2);
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    options.plan = true;
    Agraph_t *graph = drawn(rask_delayed(g, add, a, b), &options);
    cr_expect_eq(agnnodes(graph), 3);
    agclose(graph);
}

Test(draw, several_targets_are_drawn_together)
{
    rask_node *nodes[2] = {rask_delayed(g, increment, 1), rask_delayed(g, read_file, "x")};
    size_t len;
    cr_assert_eq(rask_draw_nodes(nodes, 2, in_folder("two.dot"), NULL), RASK_OK);
    char *dot = contents(in_folder("two.dot"), &len);
    cr_expect(strstr(dot, "increment") && strstr(dot, "read_file"));
    free(dot);
}

Test(draw, the_same_graph_gives_the_same_bytes)
{
    size_t first_len, second_len;
    rask_node *target = fan_in(20);
    cr_assert_eq(rask_draw(target, in_folder("a.svg"), NULL), RASK_OK);
    cr_assert_eq(rask_draw(target, in_folder("b.svg"), NULL), RASK_OK);
    char *first = contents(in_folder("a.svg"), &first_len),
         *second = contents(in_folder("b.svg"), &second_len);
    cr_expect(first_len == second_len && !memcmp(first, second, first_len));
    free(first);
    free(second);
}

/* The synopsis. */

Test(draw, many_nodes_become_one_box_a_name_and_level)
{
    Agraph_t *graph = drawn(chain(fan_in(10000), 1), NULL);
    cr_expect_eq(agnnodes(graph), 4);
    cr_expect(has_label(graph, "increment × 10,000"));
    cr_expect(has_label(graph, "sum"));
    cr_expect(strstr(get(graph, "label"), "10,003 nodes drawn as 4 groups: one box per task name and level"));
    agclose(graph);
}

Test(draw, the_limit_decides_when)
{
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    rask_node *target = fan_in(50);
    options.limit = 52;
    Agraph_t *graph = drawn(target, &options);
    cr_expect_eq(agnnodes(graph), 52);
    agclose(graph);
    options.limit = 51;
    graph = drawn(target, &options);
    cr_expect_eq(agnnodes(graph), 3);
    agclose(graph);
    options.limit = 1;
    graph = drawn(target, &options);
    cr_expect_eq(agnnodes(graph), 1);
    cr_expect(has_label(graph, "other tasks × 52\\nlevels 0 – 2"));
    agclose(graph);
}

Test(draw, a_deep_graph_puts_levels_together)
{
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    rask_node *target = chain(rask_delayed(g, increment, 1), 99999);
    for (options.limit = 1; options.limit < 1000; options.limit *= 3) {
        Agraph_t *graph = drawn(target, &options);
        cr_expect_leq(agnnodes(graph), (int)options.limit);
        cr_expect(strstr(get(graph, "label"), "range of"));
        agclose(graph);
    }
}

Test(draw, more_names_than_boxes_share_one)
{
    static rask_task_def defs[1000];
    static char names[1000][16];
    rask_node *nodes[1000];
    for (int i = 0; i < 1000; i++) {
        snprintf(names[i], sizeof names[i], "name%d", i);
        defs[i] = *RASK_DEF(refuse);
        defs[i].name = names[i];
        nodes[i] = rask_call_nodes(g, &defs[i], NULL, 0);
    }
    Agraph_t *graph = drawn(rask_list(g, nodes, 1000), NULL);
    cr_expect_leq(agnnodes(graph), 300);
    cr_expect(strstr(get(graph, "label"), "names share boxes"));
    agclose(graph);
}

Test(draw, what_is_too_wide_to_look_at_becomes_a_synopsis)
{
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    Agraph_t *graph = drawn(fan_in(100), NULL);
    cr_expect_lt(agnnodes(graph), 10);
    agclose(graph);
    graph = drawn(fan_in(30), NULL);
    cr_expect_geq(agnnodes(graph), 30);
    agclose(graph);
    options.limit = 1000;
    graph = drawn(fan_in(100), &options);
    cr_expect_geq(agnnodes(graph), 100, "who asks for single nodes gets them");
    agclose(graph);
}

Test(draw, too_many_arrows_to_follow_become_a_synopsis)
{
    rask_node *nodes[200];
    for (size_t i = 0; i < 200; i++)
        nodes[i] = rask_call_nodes(g, RASK_DEF(refuse), nodes, i);
    Agraph_t *graph = drawn(nodes[199], NULL);
    cr_expect_lt(agnedges(graph), 1000);
    cr_expect(strstr(get(graph, "label"), "of 19,900"));
    for (Agnode_t *n = agfstnode(graph); n; n = agnxtnode(graph, n))
        cr_expect_gt(agdegree(graph, n, 1, 1), 0, "%s stands alone", agnameof(n));
    agclose(graph);
}

/* 1,000 x 1,000, down and right */
static rask_node *wavefront(void)
{
    enum { SIDE = 1000 };
    static rask_node *row[SIDE];
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            if (!y)
                row[x] = x ? rask_delayed(g, increment, row[x - 1]) : rask_delayed(g, increment, 1);
            else
                row[x] = x ? rask_delayed(g, add, row[x], row[x - 1]) : rask_delayed(g, increment, row[x]);
    return row[SIDE - 1];
}

/* Each takes a tenth of a second; a quadratic step would take hours. */
Test(draw, a_million_nodes_are_drawn)
{
    rask_node *targets[] = {chain(fan_in(1000000), 1), wavefront(),
                            chain(rask_delayed(g, increment, 1), 1000000)};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(rask_draw(targets[i], in_folder("million.svg"), NULL), RASK_OK, "%s",
                     rask_graph_error(g));
        size_t len;
        char *svg = contents(in_folder("million.svg"), &len);
        cr_expect_lt(len, 1u << 20);
        cr_expect(strstr(svg, "nodes drawn as"));
        free(svg);
    }
}

/* Colours. */

static rask_recording *recorded(rask_node *target, int *status)
{
    rask_recording *recording = rask_recording_new();
    const rask_observer *observer = rask_recording_observer(recording);
    rask_options options = RASK_OPTIONS_INIT;
    options.observers = &observer;
    options.observer_count = 1;
    options.workers = 2;
    options.keep_going = true;
    rask_value result = rask_value_none();
    *status = rask_compute_value(target, &options, &result);
    rask_value_unref(&result);
    return recording;
}

static int64_t add_up(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK(add_up, i64, i64, i64);

static int halve(rask_task *t);
RASK_SLOTS(halve);

static int halve(rask_task *t)
{
    int64_t depth = rask_arg_i64(t, 0);
    rask_graph *own = rask_task_graph(t);
    return depth ? rask_return_node(t, rask_delayed(own, add_up, rask_delayed(own, halve, depth - 1),
                                                    rask_delayed(own, halve, depth - 1)))
                 : rask_return_i64(t, 1);
}

Test(draw, what_a_task_grew_is_told_inside_it)
{
    int status;
    rask_node *target = rask_delayed(g, halve, 3);
    rask_recording *recording = recorded(target, &status);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g));
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    options.colour = RASK_COLOUR_DURATION;
    options.recording = recording;
    cr_assert_eq(rask_draw(target, in_folder("grown.dot"), &options), RASK_OK);
    size_t len;
    char *dot = contents(in_folder("grown.dot"), &len);
    cr_expect(strstr(dot, "grew 21: "), "%s", dot);
    cr_expect(strstr(dot, "halve × 14"), "%s", dot);
    cr_expect(strstr(dot, "add_up × 7"), "%s", dot);
    free(dot);
    rask_recording_free(recording);
}

Test(draw, colours_of_a_run_need_a_recording)
{
    rask_node *target = fan_in(3);
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    for (int colour = RASK_COLOUR_DURATION; colour <= RASK_COLOUR_STATUS; colour++) {
        options.colour = (rask_colour)colour;
        options.recording = NULL;
        cr_expect_eq(rask_draw(target, in_folder("x.dot"), &options), RASK_EINVAL);
        cr_expect(strstr(rask_graph_error(g), "recording"), "%s", rask_graph_error(g));
        rask_recording *empty = rask_recording_new();
        options.recording = empty;
        cr_expect_eq(rask_draw(target, in_folder("x.dot"), &options), RASK_EINVAL);
        rask_recording_free(empty);
    }
    options.colour = (rask_colour)99;
    cr_expect_eq(rask_draw(target, in_folder("x.dot"), &options), RASK_EINVAL);
    cr_expect_eq(files(), 0);
}

Test(draw, every_colour_draws_with_a_recording)
{
    int status;
    rask_node *target = fan_in(10), *data = rask_const(g, 5);
    target = rask_delayed(g, add, target, data);
    rask_recording *recording = recorded(target, &status);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g));
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    options.recording = recording;
    for (int plan = 0; plan < 2; plan++)
        for (int colour = RASK_COLOUR_NAME; colour <= RASK_COLOUR_STATUS; colour++) {
            options.colour = (rask_colour)colour;
            options.plan = plan;
            Agraph_t *graph = drawn(target, &options);
            cr_expect_str_eq(get(box(graph, data), "fillcolor"), "#ffffff");
            cr_expect_str_neq(get(box(graph, target), "fillcolor"), "#ffffff");
            cr_expect(strstr(get(box(graph, target), "tooltip"), "on worker"));
            agclose(graph);
        }
    rask_recording_free(recording);
}

Test(draw, status_tells_done_failed_and_never_run_apart)
{
    int status;
    rask_node *good = rask_delayed(g, increment, 1), *bad = rask_delayed(g, refuse, 1);
    rask_node *after = rask_delayed(g, increment, bad), *target = rask_delayed(g, add, good, after);
    rask_recording *recording = recorded(target, &status);
    cr_assert_neq(status, RASK_OK);
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    options.recording = recording;
    options.colour = RASK_COLOUR_STATUS;
    Agraph_t *graph = drawn(target, &options);
    cr_expect_str_neq(get(box(graph, good), "fillcolor"), get(box(graph, bad), "fillcolor"));
    cr_expect_str_neq(get(box(graph, good), "fillcolor"), get(box(graph, after), "fillcolor"));
    cr_expect_str_neq(get(box(graph, bad), "fillcolor"), get(box(graph, after), "fillcolor"));
    cr_expect_str_eq(get(box(graph, after), "fillcolor"), get(box(graph, target), "fillcolor"));
    agclose(graph);
    rask_recording_free(recording);
}

Test(draw, a_recording_of_another_graph_does_no_harm)
{
    int status;
    rask_graph *mine = g;
    g = rask_graph_new();
    rask_recording *recording = recorded(fan_in(5000), &status);
    rask_graph_free(g);
    g = mine;
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    options.recording = recording;
    options.colour = RASK_COLOUR_DURATION;
    agclose(drawn(fan_in(3), &options));
    rask_recording_free(recording);
}

/* Files. */

Test(draw, the_ending_decides_the_format)
{
    static const struct {
        const char *name, *begins;
    } formats[] = {{"a.dot", "digraph"}, {"a.svg", "<?xml"}, {"a.png", "\x89PNG\r\n\x1a\n"},
                   {"a.pdf", "%PDF-"},   {"A.SVG", "<?xml"}, {"v1.2.svg", "<?xml"}};
    rask_node *target = fan_in(3);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        size_t len;
        cr_assert_eq(rask_draw(target, in_folder(formats[i].name), NULL), RASK_OK, "%s", rask_graph_error(g));
        char *bytes = contents(in_folder(formats[i].name), &len);
        cr_expect_not(memcmp(bytes, formats[i].begins, strlen(formats[i].begins)), "%s", formats[i].name);
        free(bytes);
    }
    cr_expect_eq(files(), 6);
}

Test(draw, an_svg_names_the_tasks)
{
    size_t len;
    cr_assert_eq(rask_draw(fan_in(3), in_folder("a.svg"), NULL), RASK_OK);
    char *svg = contents(in_folder("a.svg"), &len);
    cr_expect(strstr(svg, ">increment<") && strstr(svg, ">sum<") && strstr(svg, "</svg>"));
    free(svg);
}

Test(draw, other_endings_are_refused)
{
    static const char *const names[] = {"a", "a.", "a.jpg", "svg", "a.svg.gz", "a.svg/b", "a.svg "};
    rask_node *target = fan_in(3);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cr_expect_eq(rask_draw(target, in_folder(names[i]), NULL), RASK_EINVAL, "%s", names[i]);
        cr_expect(strstr(rask_graph_error(g), ".svg"), "%s", rask_graph_error(g));
    }
    cr_expect_eq(files(), 0);
}

Test(draw, bad_calls_are_refused)
{
    rask_node *target = fan_in(3);
    rask_draw_options unset = {.colour = RASK_COLOUR_NAME};
    cr_expect_eq(rask_draw(NULL, in_folder("a.dot"), NULL), RASK_EGRAPH);
    cr_expect_eq(rask_draw_nodes(NULL, 1, in_folder("a.dot"), NULL), RASK_EINVAL);
    cr_expect_eq(rask_draw_nodes(&target, 0, in_folder("a.dot"), NULL), RASK_EINVAL);
    cr_expect_eq(rask_draw(target, NULL, NULL), RASK_EINVAL);
    cr_expect_eq(rask_draw(target, "", NULL), RASK_EINVAL);
    cr_expect_eq(rask_draw(target, in_folder("a.dot"), &unset), RASK_EINVAL);
    cr_expect_eq(files(), 0);
    cr_expect_eq(rask_draw(target, in_folder("a.dot"), NULL), RASK_OK);
    cr_expect_str_eq(rask_graph_error(g), "");
}

Test(draw, a_failed_graph_is_not_drawn)
{
    rask_node *target = fan_in(3);
    cr_assert_null(rask_delayed(g, add, 1));
    int failure = rask_graph_status(g);
    cr_expect_eq(rask_draw(target, in_folder("a.dot"), NULL), failure);
    cr_expect_eq(files(), 0);
}

Test(draw, what_cannot_be_written_is_told_and_leaves_nothing)
{
    rask_node *target = fan_in(3);
    cr_expect_eq(rask_draw(target, in_folder("none/a.dot"), NULL), RASK_EIO);
    cr_expect(strstr(rask_graph_error(g), "none/a.dot: No such file"), "%s", rask_graph_error(g));
    mkdir(in_folder("folder.svg"), 0777);
    cr_expect_eq(rask_draw(target, in_folder("folder.svg"), NULL), RASK_EIO);
    cr_expect_eq(files(), 1);
    rmdir(in_folder("folder.svg"));
    chmod(folder, 0500);
    int status = rask_draw(target, in_folder("a.dot"), NULL);
    chmod(folder, 0700);
    if (geteuid()) {
        cr_expect_eq(status, RASK_EIO);
        cr_expect_eq(files(), 0);
    }
}

Test(draw, a_full_disk_leaves_the_old_file)
{
    rask_node *target = fan_in(3);
    cr_assert_eq(symlink("/dev/full", in_folder("full.dot")), 0);
    cr_expect_eq(rask_draw(target, in_folder("full.dot"), NULL), RASK_EIO);
    cr_expect(strstr(rask_graph_error(g), "No space left"), "%s", rask_graph_error(g));
    cr_expect_eq(files(), 1);
}

Test(draw, a_file_that_is_replaced_keeps_permissions_and_links)
{
    struct stat info;
    char real[512];
    rask_node *target = fan_in(3);
    snprintf(real, sizeof real, "%s", in_folder("real.dot"));
    fclose(fopen(real, "w"));
    chmod(real, 0640);
    cr_assert_eq(symlink(real, in_folder("link.dot")), 0);
    cr_assert_eq(rask_draw(target, in_folder("link.dot"), NULL), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(lstat(in_folder("link.dot"), &info), 0);
    cr_expect(S_ISLNK(info.st_mode));
    cr_assert_eq(stat(real, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0640);
    cr_expect_gt(info.st_size, 100);
    cr_expect_eq(files(), 2);
}

/* Memory and threads. */

static struct {
    long live, until_failure; /* < 0: none fails */
} memory = {.until_failure = -1};

static void *counted_alloc(void *context, size_t size)
{
    (void)context;
    if (memory.until_failure >= 0 && memory.until_failure-- == 0)
        return NULL;
    memory.live++;
    return malloc(size);
}

static void *counted_realloc(void *context, void *ptr, size_t size)
{
    (void)context;
    if (memory.until_failure >= 0 && memory.until_failure-- == 0)
        return NULL;
    memory.live += !ptr;
    return realloc(ptr, size);
}

static void counted_free(void *context, void *ptr)
{
    (void)context;
    memory.live -= ptr != NULL;
    free(ptr);
}

/* Lets the first, second, … allocation of a drawing fail until one gets through. */
static void sweep(size_t width, const rask_draw_options *options)
{
    long n = 0;
    for (int status = RASK_ENOMEM; status; n++) {
        g = rask_graph_new();
        rask_node *target = rask_delayed(g, add, fan_in(width), chain(rask_const(g, 7), 3));
        memory.until_failure = n;
        status = rask_draw(target, in_folder("x.dot"), options);
        bool reached = memory.until_failure < 0;
        memory.until_failure = -1;
        cr_assert_eq(status, reached ? RASK_ENOMEM : RASK_OK, "allocation %ld: %d", n, status);
        cr_assert_eq(files(), status ? 0 : 1);
        rask_graph_free(g);
        cr_assert_eq(memory.live, 0, "allocation %ld", n);
    }
    cr_assert_gt(n, 20);
    unlink(in_folder("x.dot"));
}

Test(draw, any_allocation_may_fail)
{
    static const rask_allocator counted = {counted_alloc, counted_realloc, counted_free, NULL};
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    rask_graph_free(g);
    cr_assert_eq(rask_set_allocator(&counted), RASK_OK);
    sweep(5, &options);
    sweep(1000, &options);
    options.plan = true;
    options.colour = RASK_COLOUR_ORDER;
    sweep(5, &options);
    sweep(1000, &options);
    rask_set_allocator(NULL);
    g = NULL;
}

typedef struct drawer {
    pthread_t thread;
    char path[128];
    int status;
} drawer;

static void *draw_often(void *context)
{
    drawer *d = context;
    rask_graph *mine = rask_graph_new();
    rask_node *node = rask_delayed(mine, increment, rask_delayed(mine, read_file, d->path));
    for (int i = 0; i < 20 && !d->status; i++)
        d->status = rask_draw(node, d->path, NULL);
    rask_graph_free(mine);
    return NULL;
}

Test(draw, several_threads_may_draw)
{
    drawer drawers[4] = {0};
    for (int i = 0; i < 4; i++) {
        snprintf(drawers[i].path, sizeof drawers[i].path, "%s/%d.svg", folder, i);
        cr_assert_eq(pthread_create(&drawers[i].thread, NULL, draw_often, &drawers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(drawers[i].thread, NULL);
        cr_expect_eq(drawers[i].status, RASK_OK);
    }
    cr_expect_eq(files(), 4);
}

/* The module. */

Test(draw, a_module_that_does_not_load_is_told_with_the_package)
{
    rask_node *target = fan_in(3);
    FILE *file = fopen(in_folder("rask-graphviz.so"), "w");
    fputs("no shared object", file);
    fclose(file);
    setenv("RASK_MODULE_PATH", folder, 1);
    cr_expect_eq(rask_draw(target, in_folder("a.svg"), NULL), RASK_EUNSUPPORTED);
    cr_expect(strstr(rask_graph_error(g), "SVG needs"), "%s", rask_graph_error(g));
    cr_expect(strstr(rask_graph_error(g), "libgvc6"), "%s", rask_graph_error(g));
    cr_expect_eq(rask_draw(target, in_folder("a.dot"), NULL), RASK_OK);
    unsetenv("RASK_MODULE_PATH");
    cr_expect_eq(rask_draw(target, in_folder("a.svg"), NULL), RASK_OK, "%s", rask_graph_error(g));
}

Test(draw, numbers_are_written_with_points_in_every_locale)
{
    size_t len, other_len;
    rask_node *target = fan_in(3);
    cr_assert_eq(rask_draw(target, in_folder("a.svg"), NULL), RASK_OK);
    if (!setlocale(LC_ALL, "de_DE.UTF-8")) {
        end(); /* which a skipped test does not come to */
        cr_skip_test("this machine has no locale with decimal commas");
    }
    cr_assert_eq(rask_draw(target, in_folder("b.svg"), NULL), RASK_OK);
    char *one = contents(in_folder("a.svg"), &len), *other = contents(in_folder("b.svg"), &other_len);
    cr_expect(len == other_len && !memcmp(one, other, len));
    free(one);
    free(other);
}
