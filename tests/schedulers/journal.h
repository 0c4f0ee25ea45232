/* What tests of runs that resume write alike: a folder for a journal, and graphs whose calls are counted. */
#ifndef RASK_TESTS_SCHEDULERS_JOURNAL_H
#define RASK_TESTS_SCHEDULERS_JOURNAL_H

#include "support.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char journal[] = "/tmp/rask-test-journal-XXXXXX";

static inline void journal_begin(void)
{
    strcpy(journal + strlen(journal) - 6, "XXXXXX");
    cr_assert(mkdtemp(journal));
}

/* Ends the folder with all that is in it. */
static inline void journal_end(void)
{
    char file[sizeof journal + 300];
    DIR *folder = opendir(journal);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        snprintf(file, sizeof file, "%s/%s", journal, entry->d_name);
        unlink(file);
    }
    if (folder)
        closedir(folder);
    cr_expect_eq(rmdir(journal), 0, "%s cannot be removed", journal);
}

static inline rask_options with_journal(rask_options o, rask_report *report)
{
    o.checkpoint = journal;
    o.report = report;
    return o;
}

/* Calls of step() so far, in whatever process. */
typedef struct calls {
    atomic_long steps;
    atomic_long slow_us; /* that each of them takes */
} calls;

static calls *counted;

/* (number, value of the one before, or a number) */
static int step(rask_task *t)
{
    if (counted) {
        atomic_fetch_add(&counted->steps, 1);
        struct timespec rest = {0, atomic_load(&counted->slow_us) * 1000};
        if (rest.tv_nsec)
            nanosleep(&rest, NULL);
    }
    uint64_t number = (uint64_t)rask_arg_i64(t, 0), before = (uint64_t)rask_arg_i64(t, 1);
    return rask_return_i64(t, (int64_t)((before + number) * 0x9e3779b97f4a7c15u >> 8));
}
RASK_SLOTS_WITH(step, (.flags = RASK_PURE));

/* Layers of width steps, each of which takes two of the layer before; a sum at the end, which is no step. */
static inline rask_node *net(rask_graph *g, int layers, int width, int64_t first)
{
    rask_node *now[64], *next[64];
    for (int i = 0; i < width; i++)
        now[i] = rask_delayed(g, step, first + i, (int64_t)i);
    for (int layer = 1; layer < layers; layer++) {
        for (int i = 0; i < width; i++) {
            rask_node *pair[] = {now[i], now[(i + 1) % width]};
            next[i] = rask_delayed(g, step, (int64_t)layer, rask_max(rask_list(g, pair, 2)));
        }
        memcpy(now, next, sizeof now);
    }
    return rask_max(rask_list(g, now, (size_t)width));
}

/* Computes that, and says how many steps were called for it. */
static inline long compute_net(rask_options o, int layers, int width, int64_t first, int64_t *value)
{
    rask_graph *g = rask_graph_new();
    long before = atomic_load(&counted->steps);
    cr_assert_eq(rask_compute_with(net(g, layers, width, first), &o, value), RASK_OK, "%s",
                 rask_graph_error(g));
    rask_graph_free(g);
    return atomic_load(&counted->steps) - before;
}

static inline void count_from_here(void)
{
    counted = shared_calloc(sizeof *counted);
}

/* A child that computes the net with the options, and is killed when so many steps were called. */
static inline void compute_and_kill(rask_options o, int layers, int width, long at)
{
    long begin = atomic_load(&counted->steps);
    int64_t value;
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (!child) {
        rask_graph *g = rask_graph_new();
        _exit(rask_compute_with(net(g, layers, width, 0), &o, &value));
    }
    while (atomic_load(&counted->steps) - begin < at && !waitpid(child, NULL, WNOHANG))
        sched_yield();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

#endif
