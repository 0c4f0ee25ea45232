/* collections/text/error: why text could not be read. */
#ifndef RASK_COLLECTIONS_TEXT_ERROR_H
#define RASK_COLLECTIONS_TEXT_ERROR_H

#include <rask/base.h>

typedef struct rk_text_error {
    int status;
    char message[1000];
} rk_text_error;

/* What messages call a file: its path, or standard input for "-". */
const char *rk_text_path_name(const char *path);

/* Sets error to "PATH: …" and returns status. Of a very long path the end is named. */
int rk_text_fail(rk_text_error *error, int status, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "PATH: text of errno": RASK_ENOENT, RASK_ENOMEM, else RASK_EIO. */
int rk_text_fail_errno(rk_text_error *error, const char *path);
/* "PATH: out of memory": RASK_ENOMEM. */
int rk_text_fail_memory(rk_text_error *error, const char *path);

#endif
