/* collections/text/error: why text could not be read. */
#ifndef RASK_COLLECTIONS_TEXT_ERROR_H
#define RASK_COLLECTIONS_TEXT_ERROR_H

#include <rask/base.h>

typedef struct rk_text_error {
    int status;
    char message[1000];
} rk_text_error;

/* Sets error to "PATH: …" and returns status. "-" is called standard input; of a very long path the end is named. */
int rk_text_fail(rk_text_error *error, int status, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "PATH: text of errno": RASK_ENOENT, RASK_ENOMEM, else RASK_EIO. */
int rk_text_fail_errno(rk_text_error *error, const char *path);
/* "PATH: out of memory": RASK_ENOMEM. */
int rk_text_fail_memory(rk_text_error *error, const char *path);

#endif
