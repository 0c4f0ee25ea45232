/* Options of commands, parsed and explained from one table a command. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <rask/options.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum option_kind {
    OPTION_FLAG,    /* bool: true */
    OPTION_NUMBER,  /* uint64_t between least and most */
    OPTION_COUNT,   /* the same, or "all": UINT64_MAX */
    OPTION_SIZE,    /* uint64_t: bytes, with K, M, G or T as powers of 1024; not 0 */
    OPTION_SECONDS, /* double: more than 0 */
    OPTION_TEXT,    /* const char * */
    OPTION_FILLED,  /* the same, but "" is none */
    OPTION_MAYBE,   /* const char *: "" without a value, which stands behind = */
    OPTION_PLACE, /* the same; what looks like a port, or ends in one, may also stand for itself behind it */
    OPTION_TEXTS, /* option_texts: each time one more */
    OPTION_SCHEDULER, /* const char *: one of rask_schedulers() */
    OPTION_DRAWING,   /* const char *: a path with an ending that rask_draw() knows */
    OPTION_PAGE,      /* const char *: a path that ends in .html */
    OPTION_COLOUR,    /* const char *: one of options_colours */
    OPTION_ADDRESS,   /* const char *: of a cluster */
} option_kind;

enum { OPTION_TEXTS_MOST = 64 };

typedef struct option_texts {
    const char *items[OPTION_TEXTS_MOST];
    size_t count;
} option_texts;

typedef struct option_row {
    const char *name; /* without the dashes */
    char letter;      /* for "-n"; 0: none */
    option_kind kind;
    size_t offset;           /* of its field in the command's structure */
    const char *value;       /* what the help calls it; NULL for flags */
    const char *help;        /* at most half a line */
    bool brief;              /* the help of another row mentions it; manuals and completions have it */
    const char *needs;       /* the option without which it means nothing; NULL: none */
    const char *environment; /* gives the value when the option is not there; NULL: nothing does */
    const char *const *
        choices; /* what completions offer for a TEXT or MAYBE, NULL at the end; NULL: see options_choices() */
    uint64_t least, most; /* of numbers; most 0: no bound */
} option_row;

/* What commands that run graphs have in common. */
typedef struct common_options {
    const char *scheduler;
    uint64_t workers, worker_threads, memory, block_size, seed;
    double timeout;
    const char *draw, *colour, *scratch, *limits, *cluster, *key_file, *checkpoint;
    const char *trace, *page, *profile; /* profile: "" for a table on stderr, else a file for JSON */
    const char *dashboard;              /* "" for an address of its own choice */
    bool dashboard_open;
    bool explain, progress, no_progress, json, stats, keep_going;
    bool by_label;                 /* no option: a failure is told with the label of its task */
    const rask_observer *observer; /* no option: the command's own; NULL: it has none */
} common_options;

/* Rows for a structure that has a common_options called common. */
#define COMMON_ROWS(type) COMMON_ROWS_LETTERED(type, 'v')
/* The same with another letter for --stats, or 0. */
#define COMMON_ROWS_LETTERED(type, stats_letter)                                                             \
    {.name = "scheduler",                                                                                    \
     .kind = OPTION_SCHEDULER,                                                                               \
     .offset = offsetof(type, common.scheduler),                                                             \
     .value = "NAME",                                                                                        \
     .help = "threads (default), processes, serial; cluster (--cluster, --key-file)",                        \
     .environment = "RASK_SCHEDULER"},                                                                       \
        {.name = "workers",                                                                                  \
         .kind = OPTION_NUMBER,                                                                              \
         .offset = offsetof(type, common.workers),                                                           \
         .value = "N",                                                                                       \
         .help = "tasks at once (default: the cores); each with --worker-threads M",                         \
         .environment = "RASK_WORKERS",                                                                      \
         .least = 1,                                                                                         \
         .most = 1024},                                                                                      \
        {.name = "limits",                                                                                   \
         .kind = OPTION_FILLED,                                                                              \
         .offset = offsetof(type, common.limits),                                                            \
         .value = "LIST",                                                                                    \
         .help = "NAME=N,...: tasks of a name at once, and what there is of tags",                           \
         .environment = "RASK_LIMITS"},                                                                      \
        {.name = "cluster",                                                                                  \
         .kind = OPTION_ADDRESS,                                                                             \
         .offset = offsetof(type, common.cluster),                                                           \
         .value = "ADDRESS",                                                                                 \
         .help = "compute on a cluster, whose workers come to tcp://*:7077 or the like",                     \
         .brief = true,                                                                                      \
         .environment = "RASK_CLUSTER"},                                                                     \
        {.name = "key-file",                                                                                 \
         .kind = OPTION_FILLED,                                                                              \
         .offset = offsetof(type, common.key_file),                                                          \
         .value = "FILE",                                                                                    \
         .help = "keys of the cluster (rask cluster keys); without it RASK_CLUSTER_KEYS",                    \
         .brief = true,                                                                                      \
         .environment = "RASK_CLUSTER_KEYS"},                                                                \
        {.name = "worker-threads",                                                                           \
         .kind = OPTION_NUMBER,                                                                              \
         .offset = offsetof(type, common.worker_threads),                                                    \
         .value = "N",                                                                                       \
         .help = "tasks at once of each worker that is a process (default 1)",                               \
         .brief = true,                                                                                      \
         .least = 1,                                                                                         \
         .most = 64},                                                                                        \
        {.name = "memory",                                                                                   \
         .kind = OPTION_SIZE,                                                                                \
         .offset = offsetof(type, common.memory),                                                            \
         .value = "SIZE",                                                                                    \
         .help = "memory for results and tasks, such as 256M",                                               \
         .environment = "RASK_MEMORY"},                                                                      \
        {.name = "scratch",                                                                                  \
         .kind = OPTION_FILLED,                                                                              \
         .offset = offsetof(type, common.scratch),                                                           \
         .value = "DIR",                                                                                     \
         .help = "folder for what memory has no room for; --checkpoint DIR: resumes",                        \
         .environment = "RASK_SCRATCH"},                                                                     \
        {.name = "checkpoint",                                                                               \
         .kind = OPTION_FILLED,                                                                              \
         .offset = offsetof(type, common.checkpoint),                                                        \
         .value = "DIR",                                                                                     \
         .help = "keep results in DIR as they come, and go on from those that are there",                    \
         .brief = true,                                                                                      \
         .environment = "RASK_CHECKPOINT"},                                                                  \
        {.name = "timeout",                                                                                  \
         .kind = OPTION_SECONDS,                                                                             \
         .offset = offsetof(type, common.timeout),                                                           \
         .value = "SECONDS",                                                                                 \
         .help = "give up after so long, such as 2.5"},                                                      \
        {.name = "keep-going",                                                                               \
         .kind = OPTION_FLAG,                                                                                \
         .offset = offsetof(type, common.keep_going),                                                        \
         .help = "after a failure run what does not need it all the same"},                                  \
        {.name = "seed",                                                                                     \
         .kind = OPTION_NUMBER,                                                                              \
         .offset = offsetof(type, common.seed),                                                              \
         .value = "N",                                                                                       \
         .help = "what is drawn at random is drawn from N"},                                                 \
        {.name = "draw",                                                                                     \
         .kind = OPTION_DRAWING,                                                                             \
         .offset = offsetof(type, common.draw),                                                              \
         .value = "FILE",                                                                                    \
         .help = "draw what ran (.svg .png .pdf .dot), --draw-by bytes, worker, ..."},                       \
        {.name = "draw-by",                                                                                  \
         .kind = OPTION_COLOUR,                                                                              \
         .offset = offsetof(type, common.colour),                                                            \
         .value = "WHAT",                                                                                    \
         .help = "colours of --draw: name, order, duration (default), bytes, worker or status",              \
         .brief = true,                                                                                      \
         .needs = "draw"},                                                                                   \
        {.name = "trace",                                                                                    \
         .kind = OPTION_FILLED,                                                                              \
         .offset = offsetof(type, common.trace),                                                             \
         .value = "FILE",                                                                                    \
         .help = "write what ran when and where, for ui.perfetto.dev"},                                      \
        {.name = "profile",                                                                                  \
         .kind = OPTION_MAYBE,                                                                               \
         .offset = offsetof(type, common.profile),                                                           \
         .value = "FILE",                                                                                    \
         .help = "tell on stderr where the time went; as JSON in FILE"},                                     \
        {.name = "report",                                                                                   \
         .kind = OPTION_PAGE,                                                                                \
         .offset = offsetof(type, common.page),                                                              \
         .value = "FILE.html",                                                                               \
         .help = "write a page of what ran; --dashboard[=ADDRESS]: a live one"},                             \
        {.name = "dashboard",                                                                                \
         .kind = OPTION_PLACE,                                                                               \
         .offset = offsetof(type, common.dashboard),                                                         \
         .value = "ADDRESS",                                                                                 \
         .help = "show the run in a browser, behind a token",                                                \
         .brief = true},                                                                                     \
        {.name = "dashboard-open",                                                                           \
         .kind = OPTION_FLAG,                                                                                \
         .offset = offsetof(type, common.dashboard_open),                                                    \
         .help = "to whoever reaches it, without a token",                                                   \
         .brief = true},                                                                                     \
        {.name = "explain",                                                                                  \
         .kind = OPTION_FLAG,                                                                                \
         .offset = offsetof(type, common.explain),                                                           \
         .help = "first tell on stderr what will run"},                                                      \
        {.name = "stats",                                                                                    \
         .letter = (stats_letter),                                                                           \
         .kind = OPTION_FLAG,                                                                                \
         .offset = offsetof(type, common.stats),                                                             \
         .help = "tell on stderr what the run took: time, memory, disk"},                                    \
        {.name = "progress",                                                                                 \
         .kind = OPTION_FLAG,                                                                                \
         .offset = offsetof(type, common.progress),                                                          \
         .help = "tell how far it is at once; --no-progress: never"},                                        \
        {.name = "no-progress",                                                                              \
         .kind = OPTION_FLAG,                                                                                \
         .offset = offsetof(type, common.no_progress),                                                       \
         .help = "never tell how far it is, whatever --progress says",                                       \
         .brief = true},                                                                                     \
    {                                                                                                        \
        .name = "json", .kind = OPTION_FLAG, .offset = offsetof(type, common.json), .help = "print JSON"     \
    }

/* The row of commands that cut files for their tasks. */
#define BLOCK_SIZE_ROW(type)                                                                                 \
    {                                                                                                        \
        .name = "block-size", .kind = OPTION_SIZE, .offset = offsetof(type, common.block_size),              \
        .value = "SIZE", .help = "bytes of a file for one task (default: by size and workers)"               \
    }

typedef struct tool_command {
    const char *name;
    const char *summary;      /* half a line */
    const char *arguments;    /* as in "rask words [OPTION]… FILE…" */
    const char *text;         /* what the help says before and after the options, */
    const char *example;      /* each ending with a newline */
    const char *const *words; /* that its arguments can be, NULL at the end; NULL: they are files */
    const option_row *rows;
    size_t row_count;
    int (*run)(const struct tool_command *command, int argc, char **argv);
} tool_command;

typedef enum options_outcome { OPTIONS_GOOD, OPTIONS_HELP, OPTIONS_BAD } options_outcome;

/* Fills the fields that argv and the environment name; argv[0] is the command's name. *first is the index of
 * the first argument that is no option: those are moved to the end. Of an option that is given more than once the last
 * counts, but for TEXTS; what is given counts before the environment. HELP: the help was asked for and printed. BAD: told
 * on stderr. */
options_outcome options_parse(const tool_command *command, int argc, char **argv, void *fields, int *first);

/* Prints the help of a command. */
void options_help(const tool_command *command);

/* What a value of the option can be, NULL at the end; NULL: anything. */
const char *const *options_choices(const option_row *row);
/* Is its value a path? */
bool options_takes_path(const option_row *row);
/* May it stand without its value? */
bool options_may_be_bare(const option_row *row);

/* The number of text among names, which end with NULL; -1: it is none of them. */
int options_find(const char *const *names, const char *text);
/* Whether a path ends, in whatever case, in one of the endings, which end with NULL, and has a name before it. */
bool options_ends_in(const char *path, const char *const *endings);

/* What drawings can be coloured by, in the order of rask_colour; NULL at the end. */
extern const char *const options_colours[];

/* A number, a size or seconds as options take them. False: it is none. */
bool options_number(const char *text, uint64_t *out);
bool options_size(const char *text, uint64_t *out);
bool options_seconds(const char *text, double *out);

#endif
