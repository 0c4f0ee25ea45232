/* core/base/file: files that appear whole under their name, or not at all. */
#ifndef RASK_CORE_BASE_FILE_H
#define RASK_CORE_BASE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

/* A file being written: under another name in the same folder, until it is closed. A symbolic link stays one, a file
 * that is replaced hands on its permissions, and what is no ordinary file (a pipe, /dev/stdout) is simply written to. */
typedef struct rk_new_file {
    FILE *stream; /* for the caller to print to; failures are found when it is closed */
    const char *name;
    char path[PATH_MAX], temporary[PATH_MAX];
} rk_new_file;

/* path outlives the file. RASK_EIO, with a message that names path and reason: nothing is open. */
int rk_new_file_open(rk_new_file *file, const char *path, char *error, size_t capacity);
/* The file gets its name, if it is to be kept and all of it could be written. RASK_EIO, with a message. */
int rk_new_file_close(rk_new_file *file, bool keep, char *error, size_t capacity);

/* A whole file at once. RASK_EIO, with a message. */
int rk_write_file(const char *path, const char *bytes, size_t len, char *error, size_t capacity);

#endif
