/* Workers of a cluster, as the commands worker and cluster have them. */
#ifndef CLUSTER_H
#define CLUSTER_H

#include "options.h"

#include <rask/cluster.h>

#include <stdatomic.h>

/* Fields of rask_worker_options as options of a command whose structure has a worker_fields called worker. */
typedef struct worker_fields {
    const char *key_file, *scratch;
    uint64_t threads, memory;
    double patience;
    bool insecure;
    bool quiet; /* no option: another one of the same command says that they wait */
    atomic_flag *
        said; /* no option: one that could not work has said so, for all that see it; NULL: there are no others */
} worker_fields;

/* threads_help, memory_help: with their defaults. */
#define WORKER_ROWS(type, threads_help, memory_help)                                                         \
    {.name = "key-file",                                                                                     \
     .kind = OPTION_TEXT,                                                                                    \
     .offset = offsetof(type, worker.key_file),                                                              \
     .value = "FILE",                                                                                        \
     .help = "keys of the cluster (rask cluster keys); without it the user's own",                           \
     .environment = "RASK_CLUSTER_KEYS"},                                                                    \
        {.name = "insecure",                                                                                 \
         .kind = OPTION_FLAG,                                                                                \
         .offset = offsetof(type, worker.insecure),                                                          \
         .help = "no keys: whoever comes is let in (RASK_CLUSTER_INSECURE=1)"},                              \
        {.name = "threads",                                                                                  \
         .kind = OPTION_NUMBER,                                                                              \
         .offset = offsetof(type, worker.threads),                                                           \
         .value = "N",                                                                                       \
         .help = threads_help,                                                                               \
         .environment = "RASK_WORKERS",                                                                      \
         .least = 1,                                                                                         \
         .most = 1024},                                                                                      \
        {.name = "memory",                                                                                   \
         .kind = OPTION_SIZE,                                                                                \
         .offset = offsetof(type, worker.memory),                                                            \
         .value = "SIZE",                                                                                    \
         .help = memory_help,                                                                                \
         .environment = "RASK_MEMORY"},                                                                      \
        {.name = "scratch",                                                                                  \
         .kind = OPTION_TEXT,                                                                                \
         .offset = offsetof(type, worker.scratch),                                                           \
         .value = "DIR",                                                                                     \
         .help = "folder for what memory has no room for",                                                   \
         .environment = "RASK_SCRATCH"},                                                                     \
    {                                                                                                        \
        .name = "patience", .kind = OPTION_SECONDS, .offset = offsetof(type, worker.patience),               \
        .value = "SECONDS", .help = "how long to look for a program that is not there"                       \
    }

/* As options of the library. */
rask_worker_options cluster_worker_options(const char *address, const worker_fields *fields);
/* Says why, and gives the exit status. */
int cluster_failed(const char *command, const char *address, int status, const char *reason);
/* Works for the program at address; the exit status. */
int cluster_work(const char *command, const char *address, const worker_fields *fields);

#endif
