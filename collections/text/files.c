#include "collections/text/files.h"

#include "collections/text/magic.h"
#include "core/base/array.h"
#include "core/base/limits.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

static int fail_push(rk_text_error *error, const rk_array *list, const char *path)
{
    if (list->count < list->ceiling)
        return rk_text_fail_memory(error, path);
    return rk_text_fail(error, RASK_ELIMIT, path, "more than %zu files", list->ceiling);
}

static int open_regular(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

/* How long it is and what it begins with; errors that only come with reading are left to the reader. */
static void look_into(rk_text_file *file, int fd, const struct stat *status)
{
    off_t at = fd == STDIN_FILENO ? lseek(fd, 0, SEEK_CUR) : 0;
    uint8_t magic[RK_MAGIC_BYTES];
    file->start = at > 0 ? (uint64_t)at : 0;
    file->size = status->st_size > 0 ? (uint64_t)status->st_size : RK_TEXT_UNKNOWN_SIZE;
    if (file->start > file->size)
        file->start = file->size;
    file->changed_ns = (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
    ssize_t n = pread(fd, magic, sizeof magic, (off_t)file->start);
    file->compression = n > 0 ? rk_magic_detect(magic, (size_t)n) : RK_PLAIN;
    if (n > 0)
        memcpy(file->begin, magic, (size_t)n < sizeof file->begin ? (size_t)n : sizeof file->begin);
}

static int describe_regular(rk_text_file *file, const struct stat *status, rk_text_error *error)
{
    bool standard = is_standard(file->path);
    int fd = standard ? STDIN_FILENO : open_regular(file->path);
    if (fd < 0)
        return rk_text_fail_errno(error, file->path);
    look_into(file, fd, status);
    if (!standard)
        close(fd);
    return RASK_OK;
}

/* A pipe that is opened and closed again would end whoever writes to it: it is only asked for permission. */
static int describe_stream(rk_text_file *file, rk_text_error *error)
{
    *file = (rk_text_file){
        .path = file->path, .size = RK_TEXT_UNKNOWN_SIZE, .compression = RK_UNKNOWN, .stream = true};
    if (!is_standard(file->path) && faccessat(AT_FDCWD, file->path, R_OK, AT_EACCESS) != 0)
        return rk_text_fail_errno(error, file->path);
    return RASK_OK;
}

/* Takes over the path: the file is in the list, or the path freed. outcome: of finding out about it. */
static int push_file(rk_array *list, const rk_text_file *file, int outcome, rk_text_error *error)
{
    rk_text_file *place = outcome ? NULL : rk_array_push(list);
    if (!place && !outcome)
        outcome = fail_push(error, list, file->path);
    if (place)
        *place = *file;
    else
        rk_free(file->path);
    return outcome;
}

static int add_file(rk_array *list, const char *path, const struct stat *status, rk_text_error *error)
{
    rk_text_file file = {.path = rk_strndup(path, strlen(path))};
    if (!file.path)
        return rk_text_fail_memory(error, path);
    int outcome =
        S_ISREG(status->st_mode) ? describe_regular(&file, status, error) : describe_stream(&file, error);
    return push_file(list, &file, outcome, error);
}

/* --- folders */

typedef struct entry {
    char *path;
    bool regular; /* the folder says that it is a file, and no link to one */
} entry;

static int by_bytes(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->path, ((const entry *)b)->path);
}

/* All that is not hidden, unsorted. */
static int list_folder(const char *folder, DIR *entries, rk_array *list, rk_text_error *error)
{
    const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
    for (;;) {
        char path[PATH_MAX];
        errno = 0;
        struct dirent *found = readdir(entries);
        if (!found)
            return errno ? rk_text_fail_errno(error, folder) : RASK_OK;
        if (*found->d_name == '.')
            continue;
        int n = snprintf(path, sizeof path, "%s%s%s", folder, slash, found->d_name);
        if (n < 0 || (size_t)n >= sizeof path)
            return rk_text_fail(error, RASK_EIO, folder, "%s", strerror(ENAMETOOLONG));
        char *copy = rk_strndup(path, (size_t)n);
        entry *place = copy ? rk_array_push(list) : NULL;
        if (!place) {
            rk_free(copy);
            return fail_push(error, list, folder);
        }
        *place = (entry){copy, found->d_type == DT_REG};
    }
}

/* A link that leads nowhere is no file, nor is what is gone by now. */
static int fail_entry(const char *path, rk_text_error *error)
{
    return errno == ENOENT ? RASK_OK : rk_text_fail_errno(error, path);
}

/* What is known to be a regular file is opened without being asked for by its name before: of many small files each way
 * through the folders counts. */
static int add_known(rk_array *list, const char *path, rk_text_error *error)
{
    struct stat status = {0};
    int fd = open_regular(path);
    if (fd < 0)
        return fail_entry(path, error);
    rk_text_file file = {.path = rk_strndup(path, strlen(path))};
    int outcome = !file.path           ? rk_text_fail_memory(error, path)
                  : fstat(fd, &status) ? rk_text_fail_errno(error, path)
                                       : RASK_OK;
    if (!outcome)
        look_into(&file, fd, &status);
    close(fd);
    return push_file(list, &file, outcome, error);
}

static int add_entry(rk_array *list, const entry *e, rk_text_error *error)
{
    struct stat status;
    if (e->regular)
        return add_known(list, e->path, error);
    if (stat(e->path, &status) != 0)
        return fail_entry(e->path, error);
    return S_ISREG(status.st_mode) ? add_file(list, e->path, &status, error) : RASK_OK;
}

static int add_folder(rk_array *list, const char *folder, rk_text_error *error)
{
    rk_array found = RK_ARRAY(entry, RK_MAX_TEXT_FILES);
    size_t before = list->count;
    DIR *entries = opendir(folder);
    if (!entries)
        return rk_text_fail_errno(error, folder);
    int status = list_folder(folder, entries, &found, error);
    bool others = found.count > 0;
    closedir(entries);
    if (!status && found.count > 0)
        qsort(found.data, found.count, found.element, by_bytes);
    for (size_t i = 0; i < found.count; i++) {
        const entry *e = (const entry *)found.data + i;
        if (!status)
            status = add_entry(list, e, error);
        rk_free(e->path);
    }
    rk_array_fini(&found);
    if (!status && list->count == before)
        status = rk_text_fail(error, RASK_ENOENT, folder,
                              others ? "a folder without files; folders in it are not entered"
                                     : "a folder without files");
    return status;
}

/* --- names */

static int add_matches(rk_array *list, const glob_t *matches, rk_text_error *error)
{
    for (size_t i = 0; i < matches->gl_pathc; i++) {
        struct stat status;
        if (stat(matches->gl_pathv[i], &status) != 0)
            return rk_text_fail_errno(error, matches->gl_pathv[i]);
        int outcome =
            S_ISDIR(status.st_mode) ? RASK_OK : add_file(list, matches->gl_pathv[i], &status, error);
        if (outcome)
            return outcome;
    }
    return RASK_OK;
}

static int add_pattern(rk_array *list, const char *pattern, rk_text_error *error)
{
    glob_t matches = {0};
    size_t before = list->count;
    int outcome = glob(pattern, 0, NULL, &matches);
    int status = outcome == GLOB_NOSPACE ? rk_text_fail_memory(error, pattern)
                 : outcome && outcome != GLOB_NOMATCH
                     ? rk_text_fail(error, RASK_EIO, pattern, "cannot be searched for")
                     : add_matches(list, &matches, error);
    globfree(&matches);
    if (!status && list->count == before)
        status = rk_text_fail(error, RASK_ENOENT, pattern, "no file matches this pattern");
    return status;
}

static int add_name(rk_array *list, const char *name, rk_text_error *error)
{
    struct stat status;
    if (!name || !*name)
        return rk_text_fail(error, RASK_EINVAL, "\"\"", "an empty name of a file");
    if ((is_standard(name) ? fstat(STDIN_FILENO, &status) : stat(name, &status)) == 0)
        return S_ISDIR(status.st_mode) && !is_standard(name) ? add_folder(list, name, error)
                                                             : add_file(list, name, &status, error);
    if (errno == ENOENT && strpbrk(name, "*?["))
        return add_pattern(list, name, error);
    return rk_text_fail_errno(error, name);
}

static void end_list(rk_text_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rk_free(files[i].path);
    rk_free(files);
}

int rk_text_files_init(rk_text_files *files, const char *const *names, size_t count, rk_text_error *error)
{
    rk_array list = RK_ARRAY(rk_text_file, RK_MAX_TEXT_FILES);
    int status = count ? RASK_OK : rk_text_fail(error, RASK_EINVAL, "input", "no files are named");
    for (size_t i = 0; i < count && !status; i++)
        status = add_name(&list, names[i], error);
    if (status) {
        end_list(list.data, list.count);
        return status;
    }
    *files = (rk_text_files){.files = list.data, .count = list.count};
    for (size_t i = 0; i < files->count; i++)
        if (files->files[i].size != RK_TEXT_UNKNOWN_SIZE)
            files->bytes += files->files[i].size - files->files[i].start;
    return RASK_OK;
}

void rk_text_files_fini(rk_text_files *files)
{
    end_list(files->files, files->count);
    *files = (rk_text_files){0};
}
