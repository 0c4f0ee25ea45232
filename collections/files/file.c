#include "collections/files/file.h"

#include "core/base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int rk_errno_status(int number)
{
    return number == ENOENT ? RASK_ENOENT : number == ENOMEM ? RASK_ENOMEM : RASK_EIO;
}

void *rk_open_fail(rk_open_error *error, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error->status = status;
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return NULL;
}

void *rk_open_fail_errno(rk_open_error *error, const char *path)
{
    int number = errno;
    return rk_open_fail(error, rk_errno_status(number), "%s: %s", path, strerror(number));
}

int rk_file_open(const char *path, int64_t *size, rk_open_error *error)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &file)) {
        rk_open_fail_errno(error, path);
    } else if (!S_ISREG(file.st_mode)) {
        rk_open_fail(error, RASK_EIO, "%s: %s", path,
                     S_ISDIR(file.st_mode) ? strerror(EISDIR) : "is no regular file");
    } else {
        *size = file.st_size;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

int64_t rk_file_read(int fd, void *data, size_t len, int64_t place)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got = pread(fd, (char *)data + done, len - done, place + (int64_t)done);
        if (got > 0)
            done += (size_t)got;
        else if (got == 0)
            break;
        else if (errno != EINTR)
            return -1;
    }
    return (int64_t)done;
}

int rk_file_allow(int64_t size)
{
    struct rlimit most;
    if (getrlimit(RLIMIT_FSIZE, &most) || most.rlim_cur == RLIM_INFINITY || (uint64_t)size <= most.rlim_cur)
        return 0;
    errno = EFBIG;
    return -1;
}

int rk_file_write(int fd, const void *data, size_t len, int64_t place)
{
    size_t done = 0;
    if (rk_file_allow(place + (int64_t)len))
        return -1;
    while (done < len) {
        ssize_t put = pwrite(fd, (const char *)data + done, len - done, place + (int64_t)done);
        if (put > 0)
            done += (size_t)put;
        else if (put == 0)
            errno = ENOSPC;
        if (put == 0 || (put < 0 && errno != EINTR))
            return -1;
    }
    return 0;
}

/* The bytes of an open file of this size. */
static char *load(int fd, const char *path, size_t size, size_t *len, rk_open_error *error)
{
    char *text = rk_alloc(size + 1);
    if (!text)
        return rk_open_fail(error, RASK_ENOMEM, "%s: %s", path, rask_status_text(RASK_ENOMEM));
    int64_t got = rk_file_read(fd, text, size, 0);
    if (got < 0) {
        rk_open_fail_errno(error, path);
        rk_free(text);
        return NULL;
    }
    text[got] = '\0';
    *len = (size_t)got;
    return text;
}

int rk_standard_write(const void *data, size_t len)
{
    const char *at = data;
    while (len) {
        ssize_t n = write(STDOUT_FILENO, at, len);
        if (n < 0 && errno != EINTR)
            return -1;
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

char *rk_file_load(const char *path, size_t ceiling, size_t *len, rk_open_error *error)
{
    int64_t size;
    char *text = NULL;
    int fd = rk_file_open(path, &size, error);
    if (fd < 0)
        return NULL;
    if ((uint64_t)size > ceiling)
        rk_open_fail(error, RASK_EFORMAT, "%s: %lld bytes are too many, %zu are the limit", path,
                     (long long)size, ceiling);
    else
        text = load(fd, path, (size_t)size, len, error);
    close(fd);
    return text;
}

char *rk_path_join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + 1 + strlen(name) + 1;
    char *path = rk_alloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

bool rk_path_ends(const char *path, const char *ending)
{
    size_t len = strlen(path), tail = strlen(ending);
    return len > tail && strcasecmp(path + len - tail, ending) == 0;
}

bool rk_path_is_plain(const char *path, rk_open_error *error)
{
    static const char *const endings[] = {".gz", ".bgz", ".zst", ".xz", ".bz2"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (rk_path_ends(path, endings[i])) {
            rk_open_fail(
                error, RASK_EUNSUPPORTED,
                "%s: nothing is compressed as it is written: write to standard output, and compress that",
                path);
            return false;
        }
    return true;
}
