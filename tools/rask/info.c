#include "commands.h"
#include "say.h"

#include <rask/array.h>
#include <rask/base.h>
#include <rask/draw.h>
#include <rask/sugar.h>
#include <rask/table.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct info_options {
    uint64_t workers, memory;
    const char *scheduler;
    bool json;
} info_options;

/* The environment alone says what a run would use. */
static const option_row rows[] = {
    {.name = "json", .kind = OPTION_FLAG, .offset = offsetof(info_options, json), .help = "print JSON"},
};
static const option_row defaults[] = {
    {.name = "workers",
     .kind = OPTION_NUMBER,
     .offset = offsetof(info_options, workers),
     .value = "N",
     .environment = "RASK_WORKERS",
     .least = 1,
     .most = UINT32_MAX},
    {.name = "memory",
     .kind = OPTION_SIZE,
     .offset = offsetof(info_options, memory),
     .value = "SIZE",
     .environment = "RASK_MEMORY"},
    {.name = "scheduler",
     .kind = OPTION_SCHEDULER,
     .offset = offsetof(info_options, scheduler),
     .value = "NAME",
     .environment = "RASK_SCHEDULER"},
};

/* Name and value by turns, each line as it is printed. */
typedef struct facts {
    const char *names[16];
    char values[16][256];
    size_t count;
} facts;

static void add(facts *f, const char *name, const char *value)
{
    f->names[f->count] = name;
    snprintf(f->values[f->count++], sizeof f->values[0], "%s", value);
}

static void add_schedulers(facts *f)
{
    char text[256] = "";
    for (const char *const *name = rask_schedulers(); *name; name++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%s", len ? " " : "", *name);
    }
    add(f, "schedulers", text);
}

/* Draws a graph of one node, since only drawing shows whether the module and Graphviz's own parts are all
 * there. */
static int try_to_render(char *directory, char *message, size_t capacity)
{
    char path[256];
    rask_graph *graph = rask_graph_new();
    snprintf(path, sizeof path, "%s/one.svg", directory);
    int status = rask_draw(rask_const(graph, (int64_t)1), path, NULL);
    snprintf(message, capacity, "%s", graph ? rask_graph_error(graph) : rask_status_text(RASK_ENOMEM));
    rask_graph_free(graph);
    unlink(path);
    return status;
}

/* A folder for trials, of at most 200 bytes; false: there is none to be had. */
static bool make_directory(char directory[200])
{
    const char *temporary = getenv("TMPDIR");
    snprintf(directory, 200, "%s/rask-info-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    return mkdtemp(directory) != NULL;
}

static void add_drawing(facts *f)
{
    char directory[200], message[200], text[256];
    if (!make_directory(directory)) {
        add(f, "drawing", "dot; svg png pdf: not tried, no temporary directory");
        return;
    }
    int status = try_to_render(directory, message, sizeof message);
    rmdir(directory);
    if (status)
        snprintf(text, sizeof text, "dot; no svg png pdf: %s", message);
    else
        snprintf(text, sizeof text, "dot svg png pdf (Graphviz module found)");
    add(f, "drawing", text);
}

/* Writes an array of one number, which shows whether the module for it and its library are there. */
static bool try_to_store(const char *directory, const char *name)
{
    char path[256];
    rask_graph *graph = rask_graph_new();
    double one = 1;
    rask_block block = {.dtype = RASK_DT_F64, .data = &one};
    snprintf(path, sizeof path, "%s/%s", directory, name);
    rask_store_target target = {.array = rask_array_from_block(graph, &block, false), .path = path};
    int status = rask_array_store(&target, 1, NULL);
    rask_graph_free(graph);
    return status == RASK_OK;
}

static void remove_in(const char *directory, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    remove(path);
}

static void add_files(facts *f)
{
    char directory[200], text[256];
    if (!make_directory(directory)) {
        add(f, "array files",
            "npy npz raw zarr; compressed zarr and hdf5: not tried, no temporary directory");
        return;
    }
    bool codecs = try_to_store(directory, "one.zarr"), hdf5 = try_to_store(directory, "one.h5");
    static const char *const made[] = {"one.zarr/.zarray", "one.zarr/0", "one.zarr", "one.h5"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        remove_in(directory, made[i]);
    rmdir(directory);
    snprintf(text, sizeof text, "npy npz raw zarr (%s)%s",
             codecs ? "zstd gzip blosc none" : "none; no module rask-codecs",
             hdf5 ? " hdf5" : "; no hdf5: no module rask-hdf5");
    add(f, "array files", text);
}

/* A table of one column and one row, "a" and 1, as text compressed by each. */
static const struct {
    const char *name;
    size_t len;
    unsigned char bytes[64];
} compressed[] = {
    {"gzip", 24, {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x4b, 0xe4,
                  0x32, 0xe4, 0x02, 0x00, 0x00, 0x24, 0xc1, 0x89, 0x04, 0x00, 0x00, 0x00}},
    {"zstd",
     17,
     {0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x04, 0x21, 0x00, 0x00, 0x61, 0x0a, 0x31, 0x0a, 0x75, 0x1c, 0xc3, 0x01}},
    {"xz", 60, {0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21,
                0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x03, 0x61, 0x0a, 0x31,
                0x0a, 0x00, 0xa5, 0x95, 0xdb, 0xc3, 0xb7, 0xbe, 0xa3, 0xf0, 0x00, 0x01, 0x1c, 0x04, 0x6f,
                0x2c, 0x9c, 0xc1, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a}},
    {"bzip2", 43, {0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0x1f, 0x79, 0xe9, 0x9e, 0x00,
                   0x00, 0x01, 0xc9, 0x00, 0x00, 0x10, 0x20, 0x00, 0x20, 0x00, 0x20, 0x00, 0x30, 0xcc, 0x0c,
                   0x7a, 0x82, 0x71, 0x77, 0x24, 0x53, 0x85, 0x09, 0x01, 0xf7, 0x9e, 0x99, 0xe0}},
};
enum { COMPRESSED = sizeof compressed / sizeof *compressed };

/* Reads what shows whether the module for it is there. */
static bool try_to_read(const char *directory, size_t i)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, compressed[i].name);
    FILE *file = fopen(path, "wbe");
    bool good = file && fwrite(compressed[i].bytes, compressed[i].len, 1, file) == 1;
    if (file)
        fclose(file);
    rask_graph *graph = rask_graph_new();
    good = good && rask_read_csv(graph, path, NULL);
    rask_graph_free(graph);
    remove(path);
    return good;
}

static bool try_patterns(const char *directory)
{
    char path[256];
    rask_graph *graph = rask_graph_new();
    snprintf(path, sizeof path, "%s/plain", directory);
    FILE *file = fopen(path, "we");
    bool good = file && fputs("a\nx\n", file) >= 0;
    if (file)
        fclose(file);
    good = good && rask_table_filter(rask_read_csv(graph, path, NULL), "matches(a, 'x')");
    rask_graph_free(graph);
    remove(path);
    return good;
}

static void add_text(facts *f)
{
    char directory[200], text[256] = "plain";
    if (!make_directory(directory)) {
        add(f, "text files", "plain; compressed ones and patterns: not tried, no temporary directory");
        return;
    }
    for (size_t i = 0; i < COMPRESSED; i++) {
        strcat(text, try_to_read(directory, i) ? " " : " no:");
        strcat(text, compressed[i].name);
    }
    strcat(text, try_patterns(directory) ? "; patterns (PCRE2)" : "; no patterns: no module rask-pcre2");
    rmdir(directory);
    add(f, "text files", text);
}

static void add_workers(facts *f, const info_options *o)
{
    char text[256];
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (o->workers)
        snprintf(text, sizeof text, "%llu (RASK_WORKERS)", (unsigned long long)o->workers);
    else
        snprintf(text, sizeof text, "%u (of %ld cores, by affinity mask and cgroup quota)",
                 rask_default_workers(), online);
    add(f, "workers", text);
}

static void add_memory(facts *f, const info_options *o)
{
    char text[256], size[32];
    uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES), page = (uint64_t)sysconf(_SC_PAGESIZE);
    if (o->memory)
        snprintf(text, sizeof text, "%s (RASK_MEMORY)", say_size(o->memory, size, sizeof size));
    else
        snprintf(text, sizeof text, "%s (60 %% of what is available)",
                 say_size(rask_default_memory(), size, sizeof size));
    add(f, "memory for results", text);
    add(f, "memory of the machine", say_size(pages * page, size, sizeof size));
}

/* The word in brackets of the kernel's "always [madvise] never". */
static void add_huge_pages(facts *f)
{
    char line[128] = "", text[64] = "unknown";
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
    if (file && fgets(line, sizeof line, file) && strchr(line, '['))
        sscanf(strchr(line, '['), "[%63[^]]", text);
    if (file)
        fclose(file);
    add(f, "huge pages", text);
}

static void gather(facts *f, const info_options *o)
{
    add(f, "version", rask_version());
    add_schedulers(f);
    add(f, "scheduler", o->scheduler ? o->scheduler : "threads");
    add_workers(f, o);
    add_memory(f, o);
    add(f, "allocator", "the C library's");
    add_huge_pages(f);
    add_drawing(f);
    add_files(f);
    add_text(f);
}

static void print_text(const facts *f)
{
    for (size_t i = 0; i < f->count; i++)
        printf("%-22s %s\n", f->names[i], f->values[i]);
}

static void print_json(const facts *f)
{
    cJSON *root = cJSON_CreateObject();
    for (size_t i = 0; i < f->count; i++)
        cJSON_AddStringToObject(root, f->names[i], f->values[i]);
    char *text = cJSON_PrintUnformatted(root);
    puts(text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(root);
}

static int run(const tool_command *c, int argc, char **argv)
{
    tool_command environment = {
        .name = c->name, .rows = defaults, .row_count = sizeof defaults / sizeof *defaults};
    char *nothing[] = {argv[0], NULL};
    info_options o = {0};
    facts f = {0};
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    if (first < argc) {
        say_error(c->name, "%s: takes no argument", argv[first]);
        return EXIT_USAGE;
    }
    if (options_parse(&environment, 1, nothing, &o, &first) != OPTIONS_GOOD)
        return EXIT_USAGE;
    gather(&f, &o);
    if (o.json)
        print_json(&f);
    else
        print_text(&f);
    return say_done(c->name);
}

const tool_command info_command = {
    .name = "info",
    .summary = "what this build can do and what a run would use",
    .arguments = "[--json]",
    .text = "Prints version, schedulers, workers, memory and what can be drawn, a line each.\n"
            "RASK_SCHEDULER, RASK_WORKERS and RASK_MEMORY are the defaults of all commands.\n",
    .example = "RASK_WORKERS=4 rask info\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
