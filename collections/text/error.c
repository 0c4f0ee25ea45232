#include "collections/text/error.h"

#include "collections/files/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PATH_SHOWN = 600 }; /* bytes, so that there is room for what was wrong */

const char *rk_text_path_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

int rk_text_fail(rk_text_error *error, int status, const char *path, const char *format, ...)
{
    size_t len = strlen(path);
    const char *tail = len > PATH_SHOWN ? path + len - PATH_SHOWN : path;
    int n = snprintf(error->message, sizeof error->message, "%s%s: ", tail > path ? "..." : "",
                     rk_text_path_name(tail));
    va_list args;
    va_start(args, format);
    vsnprintf(error->message + n, sizeof error->message - (size_t)n, format, args);
    va_end(args);
    error->status = status;
    return status;
}

int rk_text_fail_errno(rk_text_error *error, const char *path)
{
    int number = errno;
    return rk_text_fail(error, rk_errno_status(number), path, "%s", strerror(number));
}

int rk_text_fail_memory(rk_text_error *error, const char *path)
{
    return rk_text_fail(error, RASK_ENOMEM, path, "%s", rask_status_text(RASK_ENOMEM));
}
