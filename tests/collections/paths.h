/* A graph, and a folder of a test's own: names in it, and all that is there goes with it. */
#ifndef RASK_TESTS_COLLECTIONS_PATHS_H
#define RASK_TESTS_COLLECTIONS_PATHS_H

#include <criterion/criterion.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH = 256 };

static char folder[] = "/tmp/rask-test-XXXXXX";
static rask_graph *g;

static inline void enter_paths(void)
{
    cr_assert_not_null(mkdtemp(folder));
    g = rask_graph_new();
}

static inline void leave_paths(void)
{
    char command[PATH];
    rask_graph_free(g);
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

/* Some names in turn; they may be used together. */
static inline const char *path_of(const char *name)
{
    static char paths[4][PATH];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH, "%s/%s", folder, name);
    return path;
}

#endif
