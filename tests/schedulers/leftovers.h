/* tests/schedulers/leftovers: what runs on processes may leave behind: children, descriptors, shared mappings. */
#ifndef RASK_TESTS_SCHEDULERS_LEFTOVERS_H
#define RASK_TESTS_SCHEDULERS_LEFTOVERS_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

typedef struct leftovers {
    int descriptors, mappings;
} leftovers;

static inline int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Pages that processes share and that have no file appear as if they had this one. */
static inline int count_shared_mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int count = 0;
    while (fgets(line, sizeof line, maps))
        count += strstr(line, "/dev/zero") != NULL;
    fclose(maps);
    return count;
}

static inline leftovers look_around(void)
{
    return (leftovers){count_descriptors(), count_shared_mappings()};
}

static inline void nothing_is_left_since(leftovers before)
{
    leftovers now = look_around();
    siginfo_t info;
    cr_assert_eq(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), -1, "a child is left");
    cr_assert_eq(errno, ECHILD);
    cr_assert_eq(now.descriptors, before.descriptors);
    cr_assert_eq(now.mappings, before.mappings);
}

#endif
