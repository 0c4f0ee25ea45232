/* A folder of a test's own, with a file to read, path, and the name of one to write, other; nothing else may be left in it. It goes in
 * any case. */
#ifndef RASK_TESTS_FOLDER_H
#define RASK_TESTS_FOLDER_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/rask-test-XXXXXX";
static char path[sizeof folder + 40], other[sizeof folder + 40];

static inline void write_text(const char *file, const char *content)
{
    FILE *out = fopen(file, "w");
    cr_assert(out && fputs(content, out) >= 0 && fclose(out) == 0);
}

/* The files end in ending; path has content. */
static inline void enter_folder(const char *ending, const char *content)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/in%s", folder, ending);
    snprintf(other, sizeof other, "%s/out%s", folder, ending);
    write_text(path, content);
}

/* Files in the folder. */
static inline int files(void)
{
    DIR *dir = opendir(folder);
    int count = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static inline void empty_folder(void)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        cr_expect(entry->d_name[0] == '.', "%s is left", entry->d_name);
        unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
}

static inline void leave_folder(void)
{
    unlink(path);
    unlink(other);
    empty_folder();
    cr_expect_eq(rmdir(folder), 0, "something is left in %s", folder);
}

static inline void expect_file(const char *file, const char *content)
{
    char data[4096];
    FILE *in = fopen(file, "r");
    cr_assert(in, "%s is not there", file);
    data[fread(data, 1, sizeof data - 1, in)] = 0;
    fclose(in);
    cr_assert_str_eq(data, content);
}

#endif
