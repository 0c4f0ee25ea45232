#include "collections/files/elsewhere.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_HOST = 255 };

/* What a file is known by. */
typedef struct mark {
    int64_t size, seconds, nanoseconds;
} mark;

static mark mark_of(const struct stat *file)
{
    return (mark){file->st_size, file->st_mtim.tv_sec, file->st_mtim.tv_nsec};
}

/* The absolute path of an open file, if that still leads to it. */
static bool find_path(int fd, const struct stat *file, char path[PATH_MAX])
{
    char link[64];
    struct stat there;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, PATH_MAX - 1);
    if (len <= 0)
        return false;
    path[len] = '\0';
    return !stat(path, &there) && there.st_dev == file->st_dev && there.st_ino == file->st_ino;
}

int rk_file_put(rk_pack_out *out, int fd, const char *path, rk_open_error *error)
{
    struct stat file;
    char found[PATH_MAX];
    if (fstat(fd, &file)) {
        rk_open_fail_errno(error, path);
        return error->status;
    }
    if (!find_path(fd, &file, found)) {
        rk_open_fail(error, RASK_EUNSUPPORTED,
                     "%s: other processes cannot open it: it was removed or replaced since it was opened",
                     path);
        return error->status;
    }
    const mark m = mark_of(&file);
    rk_pack_put_text(out, found);
    rk_pack_put(out, &m, sizeof m);
    return RASK_OK;
}

int rk_file_put_named(rk_pack_out *out, const char *path, rk_open_error *error)
{
    int64_t size;
    int fd = rk_file_open(path, &size, error);
    if (fd < 0)
        return error->status;
    int status = rk_file_put(out, fd, path, error);
    close(fd);
    return status;
}

void rk_open_error_say_where(rk_open_error *error)
{
    char host[MOST_HOST + 1] = "";
    size_t used = strlen(error->message);
    gethostname(host, MOST_HOST);
    snprintf(error->message + used, sizeof error->message - used, " (on the machine %s)", host);
}

/* Whether the open file is the one that was marked. */
static bool is_same(int fd, const char *path, const mark *wanted, rk_open_error *error)
{
    struct stat file;
    if (fstat(fd, &file))
        return rk_open_fail_errno(error, path) != NULL;
    const mark m = mark_of(&file);
    if (m.size != wanted->size)
        rk_open_fail(error, RASK_EIO,
                     "%s: is not the file that the program saw: it has %" PRId64 " bytes, not %" PRId64, path,
                     m.size, wanted->size);
    else if (m.seconds != wanted->seconds || m.nanoseconds != wanted->nanoseconds)
        rk_open_fail(error, RASK_EIO,
                     "%s: is not the file that the program saw: it was changed at another time", path);
    else
        return true;
    return false;
}

static int open_same(const char *path, const mark *wanted, rk_open_error *error)
{
    int64_t size;
    int fd = rk_file_open(path, &size, error);
    if (fd >= 0 && is_same(fd, path, wanted, error))
        return fd;
    if (fd >= 0)
        close(fd);
    rk_open_error_say_where(error);
    return -1;
}

int rk_file_get(rk_pack_in *in, char **path, rk_open_error *error)
{
    char *name = NULL;
    mark wanted;
    bool got = rk_pack_get_text(in, &name);
    const char *at = rk_pack_get(in, sizeof wanted);
    int fd = -1;
    if (!got && !in->failed) {
        rk_open_fail(error, RASK_ENOMEM, "no memory for the path of a file");
    } else if (!at || !name || *name != '/') {
        in->failed = true;
        rk_open_fail(error, RASK_EFORMAT, "what came from another process is no file");
    } else {
        memcpy(&wanted, at, sizeof wanted);
        fd = open_same(name, &wanted, error);
    }
    if (path && fd >= 0)
        *path = name;
    else
        rk_free(name);
    return fd;
}

int rk_encoded(rk_pack_out *out, int status, const rk_open_error *error, rask_value *bytes)
{
    if (!status)
        return rk_pack_out_value(out, bytes);
    rk_pack_out_fini(out);
    rask_value_bytes_new(error->message, strlen(error->message), bytes);
    return status;
}
