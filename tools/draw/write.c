/* Files that appear whole under their name, or not at all. */
#include "core/base/clock.h"
#include "tools/draw/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_ATTEMPTS = 100 };

/* 0, or an errno. */
static int write_all(int file, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(file, bytes, len);
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* Writes and closes; 0, or the first errno. */
static int finish(int file, const char *bytes, size_t len)
{
    int reason = write_all(file, bytes, len);
    if (close(file) && !reason)
        reason = errno;
    return reason;
}

static int write_through(const char *path, const char *bytes, size_t len)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    return file < 0 ? errno : finish(file, bytes, len);
}

/* A new file beside path, with the permissions a new file gets here; its name in temporary. -1 and errno on
 * failure. */
static int open_beside(const char *path, char *temporary, size_t capacity)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    for (int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
        int n = snprintf(temporary, capacity, "%.*s.rask-%ld-%" PRIx64, folder, path, (long)getpid(),
                         rk_clock_now());
        if (n < 0 || (size_t)n >= capacity) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0 || errno != EEXIST)
            return file;
    }
    return -1;
}

/* Owner and permissions of the file that is replaced, as far as they may be given. */
static void inherit(int file, const struct stat *old)
{
    if (fchown(file, old->st_uid, old->st_gid) == 0 || old->st_uid == geteuid())
        (void)!fchmod(file, old->st_mode & 0777);
}

/* old: what path names now; NULL: nothing. */
static int replace(const char *path, const struct stat *old, const char *bytes, size_t len)
{
    char temporary[PATH_MAX];
    int file = open_beside(path, temporary, sizeof temporary);
    if (file < 0)
        return errno;
    if (old)
        inherit(file, old);
    int reason = finish(file, bytes, len);
    if (!reason && rename(temporary, path))
        reason = errno;
    if (reason)
        unlink(temporary);
    return reason;
}

static int write_file(const char *path, const char *bytes, size_t len)
{
    char real[PATH_MAX];
    struct stat old;
    if (stat(path, &old))
        return errno == ENOENT ? replace(path, NULL, bytes, len) : errno;
    if (!S_ISREG(old.st_mode))
        return write_through(path, bytes, len);
    if (access(path, W_OK) || !realpath(path, real))
        return errno;
    return replace(real, &old, bytes, len);
}

int rk_write_file(const char *path, const char *bytes, size_t len, char *error, size_t capacity)
{
    int reason = write_file(path, bytes, len);
    if (!reason)
        return RASK_OK;
    snprintf(error, capacity, "%s: %s", path, strerror(reason));
    return RASK_EIO;
}
