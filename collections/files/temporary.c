#include "collections/files/temporary.h"

#include "collections/files/file.h"
#include "core/base/alloc.h"
#include "core/base/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    ATTEMPTS = 100,
    BASE_SHOWN = 200, /* bytes of the name that the temporary one repeats: names have at most 255 */
};

char *rk_path_resolve(const char *path)
{
    char *real = realpath(path, NULL);
    char *copy = rk_strndup(real ? real : path, strlen(real ? real : path));
    free(real);
    return copy;
}

/* Different for every call of every process, or nearly. */
static uint32_t draw_number(void)
{
    static rk_atomic_u64 calls;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t x =
        (uint64_t)now.tv_nsec + ((uint64_t)getpid() << 32) + rk_add_relaxed(&calls, 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 33) * 0xff51afd7ed558ccdu;
    return (uint32_t)(x >> 32);
}

char *rk_temporary_name(const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    size_t base = len;
    while (base > 0 && path[base - 1] != '/')
        base--;
    size_t shown = len - base < BASE_SHOWN ? len - base : BASE_SHOWN, room = base + shown + 32;
    char *name = rk_alloc(room);
    if (name)
        snprintf(name, room, "%.*s.%.*s-%08x.part", (int)base, path, (int)shown, path + base, draw_number());
    return name;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? rk_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : rk_strndup(".", 1);
}

/* A file without a name, which Linux offers in most file systems, and a name through which it can be opened. */
static bool open_anonymous(rk_temporary *t)
{
    char name[64];
    char *folder = folder_of(t->path);
    t->fd = folder ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666) : -1;
    rk_free(folder);
    if (t->fd < 0)
        return false;
    snprintf(name, sizeof name, "/proc/self/fd/%d", t->fd);
    t->name = access(name, W_OK) == 0 ? rk_strndup(name, strlen(name)) : NULL;
    t->anonymous = t->name != NULL;
    if (t->anonymous)
        return true;
    close(t->fd);
    t->fd = -1;
    return false;
}

static bool open_named(rk_temporary *t)
{
    errno = EEXIST;
    for (int i = 0; i < ATTEMPTS && t->fd < 0 && errno == EEXIST; i++) {
        rk_free(t->name);
        t->name = rk_temporary_name(t->path);
        errno = ENOMEM;
        if (t->name)
            t->fd = open(t->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    return t->fd >= 0;
}

/* Whether what is there may be replaced; the new file then gets its permissions. */
static bool may_replace(const rk_temporary *t, const char *path, mode_t *mode, rk_open_error *error)
{
    struct stat file;
    *mode = 0;
    if (stat(t->path, &file)) {
        if (errno != ENOENT)
            rk_open_fail_errno(error, path);
        return errno == ENOENT;
    }
    if (!S_ISREG(file.st_mode)) {
        rk_open_fail(error, RASK_EIO, "%s: %s", path,
                     S_ISDIR(file.st_mode) ? strerror(EISDIR)
                                           : "is no regular file: redirect standard output to it");
        return false;
    }
    *mode = file.st_mode & 0777;
    return true;
}

bool rk_temporary_open(rk_temporary *t, const char *path, bool named, rk_open_error *error)
{
    mode_t mode;
    *t = (rk_temporary){.fd = -1, .path = rk_path_resolve(path)};
    if (!t->path) {
        rk_open_fail(error, RASK_ENOMEM, "%s: %s", path, rask_status_text(RASK_ENOMEM));
        return false;
    }
    if (may_replace(t, path, &mode, error) && (t->claim = rk_claim_path(t->path, error))) {
        if ((!named && open_anonymous(t)) || open_named(t)) {
            if (mode)
                fchmod(t->fd, mode);
            return true;
        }
        rk_open_fail_errno(error, path);
    }
    rk_temporary_abort(t);
    return false;
}

static int give_name(rk_temporary *t)
{
    int outcome = -1;
    errno = EEXIST;
    for (int i = 0; i < ATTEMPTS && outcome && errno == EEXIST; i++) {
        char *name = rk_temporary_name(t->path);
        errno = ENOMEM;
        outcome = name ? linkat(AT_FDCWD, t->name, AT_FDCWD, name, AT_SYMLINK_FOLLOW) : -1;
        if (outcome) {
            int number = errno;
            rk_free(name);
            errno = number;
        } else {
            rk_free(t->name);
            t->name = name;
            t->anonymous = false;
        }
    }
    return outcome;
}

int rk_temporary_commit(rk_temporary *t, char *message, size_t capacity)
{
    int status = RASK_OK;
    if (fdatasync(t->fd) || (t->anonymous && give_name(t)) || rename(t->name, t->path)) {
        status = rk_errno_status(errno);
        snprintf(message, capacity, "%s: %s", t->path, strerror(errno));
    } else {
        rk_free(t->name);
        t->name = NULL;
    }
    rk_temporary_abort(t);
    return status;
}

void rk_temporary_abort(rk_temporary *t)
{
    if (t->fd >= 0)
        close(t->fd);
    if (t->name && t->fd >= 0 && !t->anonymous)
        unlink(t->name);
    rk_claim_release(t->claim);
    rk_free(t->name);
    rk_free(t->path);
    *t = (rk_temporary){.fd = -1};
}
