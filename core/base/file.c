/* Files that appear whole under their name, or not at all. */
#include "core/base/file.h"

#include "core/base/clock.h"

#include <rask/base.h>

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

/* What is to be replaced: nothing, or an ordinary file that may be written. 0, or an errno. */
static int look_at(rk_new_file *file, const char *path)
{
    struct stat old;
    char temporary[PATH_MAX];
    int fd;
    if (stat(path, &old)) {
        if (errno != ENOENT || snprintf(file->path, sizeof file->path, "%s", path) >= (int)sizeof file->path)
            return errno == ENOENT ? ENAMETOOLONG : errno;
        fd = open_beside(file->path, file->temporary, sizeof file->temporary);
    } else if (!S_ISREG(old.st_mode)) {
        fd = open(path, O_WRONLY | O_CLOEXEC);
    } else if (access(path, W_OK) || !realpath(path, file->path)) {
        return errno;
    } else if ((fd = open_beside(file->path, temporary, sizeof temporary)) >= 0) {
        memcpy(file->temporary, temporary, sizeof temporary);
        inherit(fd, &old);
    }
    if (fd < 0)
        return errno;
    file->stream = fdopen(fd, "w");
    return file->stream ? 0 : errno;
}

static int complain(const char *path, int reason, char *error, size_t capacity)
{
    if (!reason)
        return RASK_OK;
    snprintf(error, capacity, "%s: %s", path, strerror(reason));
    return RASK_EIO;
}

int rk_new_file_open(rk_new_file *file, const char *path, char *error, size_t capacity)
{
    file->stream = NULL;
    file->temporary[0] = 0;
    file->name = path;
    return complain(path, look_at(file, path), error, capacity);
}

int rk_new_file_close(rk_new_file *file, bool keep, char *error, size_t capacity)
{
    int reason = ferror(file->stream) || fflush(file->stream) ? errno ? errno : EIO : 0;
    if (fclose(file->stream) && !reason)
        reason = errno;
    if (*file->temporary && keep && !reason && rename(file->temporary, file->path))
        reason = errno;
    if (*file->temporary && (!keep || reason))
        unlink(file->temporary);
    return complain(file->name, reason, error, capacity);
}

int rk_write_file(const char *path, const char *bytes, size_t len, char *error, size_t capacity)
{
    rk_new_file file;
    int status = rk_new_file_open(&file, path, error, capacity);
    if (status)
        return status;
    (void)fwrite(bytes, 1, len, file.stream);
    return rk_new_file_close(&file, true, error, capacity);
}
