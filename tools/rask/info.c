/* rask info: what a run would use, where that comes from, and what is built in. */
#include "commands.h"
#include "info_try.h"
#include "say.h"

#include <rask/base.h>

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct info_options {
    uint64_t workers, memory;
    const char *scheduler, *cluster, *keys;
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
     .most = 1024},
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
    {.name = "cluster",
     .kind = OPTION_TEXT,
     .offset = offsetof(info_options, cluster),
     .value = "ADDRESS",
     .environment = "RASK_CLUSTER"},
    {.name = "key-file",
     .kind = OPTION_TEXT,
     .offset = offsetof(info_options, keys),
     .value = "FILE",
     .environment = "RASK_CLUSTER_KEYS"},
};

/* What there is one of. */
typedef struct fact {
    const char *name, *key; /* in text, and of the member of JSON */
    char value[256];
    bool counted; /* the value is number, and as text says it */
    uint64_t number;
    char from[128]; /* where it comes from; "": that goes without saying */
} fact;

typedef struct facts {
    fact all[16];
    size_t count;
} facts;

static fact *add(facts *f, const char *name, const char *key, const char *value, const char *from)
{
    fact *added = &f->all[f->count++];
    *added = (fact){.name = name, .key = key};
    snprintf(added->value, sizeof added->value, "%s", value);
    snprintf(added->from, sizeof added->from, "%s", from ? from : "");
    return added;
}

static void add_number(facts *f, const char *name, const char *key, uint64_t number, const char *value,
                       const char *from)
{
    fact *added = add(f, name, key, value, from);
    added->counted = true;
    added->number = number;
}

static void add_workers(facts *f, const info_options *o)
{
    char text[32], from[128] = "RASK_WORKERS";
    uint64_t workers = o->workers ? o->workers : rask_default_workers();
    if (!o->workers)
        snprintf(from, sizeof from, "of %ld cores, by affinity mask and cgroup quota",
                 sysconf(_SC_NPROCESSORS_ONLN));
    snprintf(text, sizeof text, "%" PRIu64, workers);
    add_number(f, "workers", "workers", workers, text, from);
}

static void add_memory(facts *f, const info_options *o)
{
    char size[32];
    uint64_t budget = o->memory ? o->memory : rask_default_memory();
    uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    add_number(f, "memory for results", "memory", budget, say_size(budget, size, sizeof size),
               o->memory ? "RASK_MEMORY" : "60 % of what is available");
    add_number(f, "memory of the machine", "machine_memory", machine, say_size(machine, size, sizeof size),
               NULL);
}

/* The first of the variables that is there. */
static void add_scratch(facts *f)
{
    static const char *const variables[] = {"RASK_SCRATCH", "TMPDIR"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *folder = getenv(variables[i]);
        if (folder && *folder) {
            add(f, "scratch folder", "scratch", folder, variables[i]);
            return;
        }
    }
    add(f, "scratch folder", "scratch", "/tmp", "default");
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
    add(f, "huge pages", "huge_pages", text, NULL);
}

static void add_keys(facts *f, const info_options *o, bool away)
{
    const char *insecure = getenv("RASK_CLUSTER_INSECURE");
    bool none = insecure && *insecure && strcmp(insecure, "0") != 0;
    if (o->keys && *o->keys)
        add(f, "keys of the cluster", "cluster_keys", o->keys, "RASK_CLUSTER_KEYS");
    else if (none)
        add(f, "keys of the cluster", "cluster_keys", "none", "RASK_CLUSTER_INSECURE");
    else if (away)
        add(f, "keys of the cluster", "cluster_keys", "the user's own", "default");
}

/* An address implies the scheduler, unless another is named. */
static void add_scheduler(facts *f, const info_options *o)
{
    bool named = o->scheduler && *o->scheduler, away = o->cluster && *o->cluster;
    add(f, "scheduler", "scheduler",
        named  ? o->scheduler
        : away ? "cluster"
               : "threads",
        named  ? "RASK_SCHEDULER"
        : away ? "RASK_CLUSTER"
               : "default");
    if (away)
        add(f, "address of the cluster", "cluster", o->cluster,
            named && strcmp(o->scheduler, "cluster") != 0 ? "RASK_CLUSTER, not used" : "RASK_CLUSTER");
    add_keys(f, o, away);
}

static void gather(facts *f, const info_options *o)
{
    add(f, "version", "version", rask_version(), NULL);
    add_scheduler(f, o);
    add_workers(f, o);
    add_memory(f, o);
    add_scratch(f);
    add_huge_pages(f);
}

/* -- Text */

/* Those of a group with that outcome, behind what is said of the first of them. */
static void print_those(const info_feature *features, size_t count, info_outcome outcome, const char *first)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (features[i].outcome != outcome)
            continue;
        const char *between = outcome == INFO_MISSING ? "," : "";
        printf("%s %s", any ? between : first, features[i].name);
        if (outcome == INFO_MISSING)
            printf(" (no module %s)", features[i].module);
        any = true;
    }
}

/* How many of the first's group there are. */
static size_t group_size(const info_feature *features, size_t count)
{
    size_t size = 1;
    while (size < count && strcmp(features[size].group, features->group) == 0)
        size++;
    return size;
}

static void print_text(const facts *f, const info_feature *features, size_t count)
{
    for (size_t i = 0; i < f->count; i++)
        printf(*f->all[i].from ? "%-22s %s (%s)\n" : "%-22s %s\n", f->all[i].name, f->all[i].value,
               f->all[i].from);
    printf("%-22s", "schedulers");
    for (const char *const *name = rask_schedulers(); *name; name++)
        printf(" %s", *name);
    puts("");
    for (size_t i = 0, size; i < count; i += size) {
        size = group_size(features + i, count - i);
        printf("%-22s", features[i].group);
        print_those(features + i, size, INFO_THERE, "");
        print_those(features + i, size, INFO_MISSING, "; not");
        print_those(features + i, size, INFO_NOT_TRIED, "; not tried, for want of a temporary folder:");
        puts("");
    }
}

/* -- JSON */

static void add_fact(cJSON *root, const fact *f)
{
    cJSON *value = f->counted ? cJSON_CreateNumber((double)f->number) : cJSON_CreateString(f->value);
    if (!*f->from) {
        cJSON_AddItemToObject(root, f->key, value);
        return;
    }
    cJSON *both = cJSON_AddObjectToObject(root, f->key);
    cJSON_AddItemToObject(both, "value", value);
    cJSON_AddStringToObject(both, "from", f->from);
}

static void print_json(const facts *f, const info_feature *features, size_t count)
{
    cJSON *root = cJSON_CreateObject(), *group = NULL;
    for (size_t i = 0; i < f->count; i++)
        add_fact(root, &f->all[i]);
    cJSON *schedulers = cJSON_AddArrayToObject(root, "schedulers");
    for (const char *const *name = rask_schedulers(); *name; name++)
        cJSON_AddItemToArray(schedulers, cJSON_CreateString(*name));
    for (size_t i = 0; i < count; i++) {
        if (!i || strcmp(features[i].group, features[i - 1].group) != 0)
            group = cJSON_AddObjectToObject(root, features[i].group);
        if (features[i].outcome == INFO_NOT_TRIED)
            cJSON_AddNullToObject(group, features[i].name);
        else
            cJSON_AddBoolToObject(group, features[i].name, features[i].outcome == INFO_THERE);
    }
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
    info_feature features[INFO_FEATURES_MOST];
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    if (first < argc) {
        bool file = !access(argv[first], F_OK);
        say_error(c->name, "%s: takes no argument", argv[first]);
        fprintf(stderr, "Try: rask help %s%s\n", c->name,
                file ? "; to look at a file: rask csv -n 5 FILE, or of an array rask eval x x=FILE" : "");
        return EXIT_USAGE;
    }
    if (options_parse(&environment, 1, nothing, &o, &first) != OPTIONS_GOOD)
        return EXIT_USAGE;
    gather(&f, &o);
    size_t count = info_try(features);
    if (o.json)
        print_json(&f, features, count);
    else
        print_text(&f, features, count);
    return say_done(c->name);
}

const tool_command info_command = {
    .name = "info",
    .summary = "what this build can do and what a run would use",
    .arguments = "[--json]",
    .text = "Prints version, scheduler, workers, memory and scratch folder that a run would use, and in "
            "brackets\n"
            "what each comes from; then what is built in and works here, and which modules are missing.\n"
            "RASK_SCHEDULER, RASK_WORKERS, RASK_MEMORY and RASK_SCRATCH are the defaults of all commands.\n"
            "docs/info.md has the members of the JSON.\n",
    .example = "RASK_WORKERS=4 rask info\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
