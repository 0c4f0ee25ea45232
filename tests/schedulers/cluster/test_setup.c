/* Key files: the user's own where they cannot be made, or only without links; those that are in the making. */
#include "schedulers/cluster/setup.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <rask/cluster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char home[] = "/tmp/rask-test-home-XXXXXX", reason[400];

static void enter_home(void)
{
    cr_assert_not_null(mkdtemp(home));
    unsetenv("XDG_STATE_HOME");
    setenv("HOME", home, 1);
}

static void leave_home(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", home);
    cr_assert_eq(system(command), 0);
}

TestSuite(setup, .init = enter_home, .fini = leave_home);

static void must_fail(size_t room, int status, const char *words)
{
    char path[200] = "untouched";
    cr_assert_eq(rask_cluster_own_keys(path, room, reason, sizeof reason), status);
    cr_assert_str_eq(path, "untouched");
    cr_assert_not_null(strstr(reason, words), "\"%s\" lacks \"%s\"", reason, words);
}

Test(setup, own_keys_that_cannot_be_had_leave_the_name_alone)
{
    must_fail(41, RASK_ELIMIT, "longer than 40 bytes");
    must_fail(0, RASK_ELIMIT, "longer than 0 bytes");
    setenv("XDG_STATE_HOME", "/proc/nowhere/at/all", 1);
    must_fail(200, RASK_EIO,
              "the folder /proc/nowhere for the key file /proc/nowhere/at/all/rask/cluster.keys");
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    must_fail(200, RASK_ENOENT, "set HOME");
}

Test(setup, a_name_that_fits_exactly_is_given)
{
    char path[200], exact[200];
    cr_assert_eq(rask_cluster_own_keys(path, sizeof path, reason, sizeof reason), RASK_OK, "%s", reason);
    cr_assert_eq(rask_cluster_own_keys(exact, strlen(path) + 1, reason, sizeof reason), RASK_OK, "%s",
                 reason);
    cr_assert_str_eq(exact, path);
    must_fail(strlen(path), RASK_ELIMIT, "longer than");
}

#ifdef RASK_TEST_WRAPS

/* -- A system whose calls fail, or during which something else happens */

static int link_error;
static const char *rest_of_file, *file_in_the_making;

int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to)
{
    if (!link_error)
        return __real_link(from, to);
    errno = link_error;
    return -1;
}

int __real_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
    if (!rest_of_file)
        return __real_nanosleep(time, left);
    FILE *file = fopen(file_in_the_making, "a");
    cr_assert(file && fputs(rest_of_file, file) >= 0 && !fclose(file));
    rest_of_file = NULL;
    return 0;
}

enum { AT_ONCE = 6 };

static void have_own_keys_at_once(rk_cluster_keys *all)
{
    char path[200];
    int how;
    pid_t pids[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++)
        if ((pids[i] = fork()) == 0)
            _exit(rask_cluster_own_keys(path, sizeof path, reason, sizeof reason) ||
                  rk_cluster_keys_read(path, &all[i], reason, sizeof reason));
    for (int i = 0; i < AT_ONCE; i++)
        cr_assert(waitpid(pids[i], &how, 0) == pids[i] && how == 0);
}

Test(setup, own_keys_are_made_once_and_whole_where_files_have_one_name_only)
{
    static const int errors[] = {EPERM, ENOTSUP, ENOSYS};
    char command[300];
    rk_cluster_keys *all =
        mmap(NULL, AT_ONCE * sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(all, MAP_FAILED);
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++) {
        link_error = errors[e];
        have_own_keys_at_once(all);
        for (int i = 0; i < AT_ONCE; i++)
            cr_assert(*all[i].program && !strcmp(all[i].program, all[0].program) &&
                      !strcmp(all[i].worker, all[0].worker));
        snprintf(command, sizeof command, "cd %s/.local/state/rask && [ $(ls -A) = cluster.keys ] && rm *",
                 home);
        cr_assert_eq(system(command), 0, "nothing else is left there");
    }
    munmap(all, AT_ONCE * sizeof *all);
}

Test(setup, a_link_that_fails_for_another_reason_is_told_of)
{
    link_error = ENOSPC;
    must_fail(200, RASK_EIO, "cluster.keys cannot be made: No space");
}

/* Of each length that a file in the making may have. */
Test(setup, a_key_file_that_is_in_the_making_is_waited_for)
{
    static char path[200], text[1000];
    rk_cluster_keys whole, keys;
    cr_assert_eq(rask_cluster_own_keys(path, sizeof path, reason, sizeof reason), RASK_OK, "%s", reason);
    cr_assert_eq(rk_cluster_keys_read(path, &whole, reason, sizeof reason), RASK_OK, "%s", reason);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    file_in_the_making = path;
    for (size_t part = 0; part < len; part++) {
        cr_assert_eq(truncate(path, (off_t)part), 0);
        rest_of_file = text + part;
        cr_assert_eq(rk_cluster_keys_read(path, &keys, reason, sizeof reason), RASK_OK, "%zu, %s", part,
                     reason);
        cr_assert(!strcmp(keys.program, whole.program) && !strcmp(keys.worker, whole.worker), "%zu", part);
    }
}

#endif
