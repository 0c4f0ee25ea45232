#include "schedulers/checkpoint/folder.h"

#include "core/base/alloc.h"
#include "schedulers/checkpoint/record.h"

#include <rask/options.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define HEAD_MAGIC UINT64_C(0x316461656b736172)

typedef struct head {
    uint64_t magic;
    rk_folder_head head;
    uint64_t self;
} head;

static int complain(const char *path, const char *why, char *message, size_t capacity)
{
    snprintf(message, capacity, "checkpoint %s: %s", path, why);
    return RASK_EIO;
}

int rk_folder_make(const char *path, char *message, size_t capacity)
{
    struct stat there;
    if ((mkdir(path, 0700) && errno != EEXIST) || stat(path, &there))
        return complain(path, strerror(errno), message, capacity);
    if (!S_ISDIR(there.st_mode))
        return complain(path, "is no folder", message, capacity);
    if (there.st_mode & S_IWOTH)
        return complain(path, "everybody may write to this folder, so that what is there cannot be trusted",
                        message, capacity);
    if (access(path, R_OK | W_OK | X_OK))
        return complain(path, strerror(errno), message, capacity);
    return RASK_OK;
}

int rk_folder_name(const char *path, const char *name, char out[PATH_MAX], char *message, size_t capacity)
{
    int len = snprintf(out, PATH_MAX, "%s/%s", path, name);
    if (len > 0 && len < PATH_MAX)
        return RASK_OK;
    return complain(path, strerror(ENAMETOOLONG), message, capacity);
}

void rk_folder_name_key(rk_key key, bool whole, char out[RK_FOLDER_NAME])
{
    snprintf(out, RK_FOLDER_NAME, "%s%016" PRIx64 "%016" PRIx64 "." RK_FOLDER_VERSION, whole ? "" : ".",
             key.high, key.low);
}

/* -- The head */

static bool read_head(const char *file, rk_folder_head *out)
{
    head h;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && rk_read_at(fd, &h, sizeof h, 0) && h.magic == HEAD_MAGIC &&
                h.self == XXH3_64bits(&h, offsetof(head, self)) && h.head.secret;
    if (fd >= 0)
        close(fd);
    if (good)
        *out = h.head;
    return good;
}

/* The head is linked under its name: who comes first has made it. One that is damaged has to go before. */
static int link_head(const char *temporary, const char *file)
{
    rk_folder_head ignored;
    if (!link(temporary, file) || (errno == EEXIST && read_head(file, &ignored)))
        return 0;
    return errno == EEXIST && !rename(temporary, file) ? 0 : errno;
}

static int write_head(const char *file, const char *temporary)
{
    head h = {.magic = HEAD_MAGIC, .head = {.memory = rask_default_memory()}};
    if (getrandom(&h.head.secret, sizeof h.head.secret, 0) != sizeof h.head.secret)
        return errno;
    h.head.secret |= 1;
    h.self = XXH3_64bits(&h, offsetof(head, self));
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int reason = rk_write_at(fd, &h, sizeof h, 0) && !fsync(fd) ? 0 : errno;
    if (close(fd) && !reason)
        reason = errno;
    if (!reason)
        reason = link_head(temporary, file);
    unlink(temporary);
    return reason;
}

int rk_folder_head_of(const char *path, rk_folder_head *out, char *message, size_t capacity)
{
    char file[PATH_MAX], name[64], temporary[PATH_MAX];
    snprintf(name, sizeof name, "." RK_FOLDER_VERSION ".head-%ld-%p", (long)getpid(), (void *)out);
    int status = rk_folder_name(path, RK_FOLDER_VERSION ".head", file, message, capacity);
    if (!status)
        status = rk_folder_name(path, name, temporary, message, capacity);
    if (status || read_head(file, out))
        return status;
    int reason = write_head(file, temporary);
    if (!reason && !read_head(file, out))
        reason = EIO;
    return reason ? complain(path, strerror(reason), message, capacity) : RASK_OK;
}

/* -- The lock */

static int say_locked(const char *path, int fd, char *message, size_t capacity)
{
    struct flock who = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char why[80] = "another process uses it";
    if (!fcntl(fd, F_GETLK, &who) && who.l_type != F_UNLCK)
        snprintf(why, sizeof why, "process %ld uses it", (long)who.l_pid);
    return complain(path, why, message, capacity);
}

/* Of the process, not of the open file: worker processes that outlive a killed program for a moment do not hold it. */
int rk_folder_lock(const char *path, int *out, char *message, size_t capacity)
{
    char file[PATH_MAX];
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int status = rk_folder_name(path, RK_FOLDER_VERSION ".lock", file, message, capacity);
    if (status)
        return status;
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return complain(path, strerror(errno), message, capacity);
    if (fcntl(fd, F_SETLK, &all)) {
        bool taken = errno == EACCES || errno == EAGAIN;
        status = taken ? say_locked(path, fd, message, capacity)
                       : complain(path, strerror(errno), message, capacity);
        close(fd);
        return status;
    }
    *out = fd;
    return RASK_OK;
}

/* -- All names */

static bool read_digits(const char *text, uint64_t *number)
{
    *number = 0;
    for (int i = 0; i < RK_FOLDER_KEY / 2; i++) {
        const char *digits = "0123456789abcdef", *at = text[i] ? strchr(digits, text[i]) : NULL;
        if (!at)
            return false;
        *number = *number << 4 | (uint64_t)(at - digits);
    }
    return true;
}

/* "KEY.rask-2" */
static bool read_key(const char *name, rk_key *key)
{
    return strlen(name) == RK_FOLDER_KEY + strlen("." RK_FOLDER_VERSION) &&
           !strcmp(name + RK_FOLDER_KEY, "." RK_FOLDER_VERSION) && read_digits(name, &key->high) &&
           read_digits(name + RK_FOLDER_KEY / 2, &key->low) && rk_key_is(*key);
}

static bool is_of_others(const char *name)
{
    const char *dot = strchr(name, '.');
    return !strncmp(name, "rask-", 5) && dot && !strcmp(dot, ".head") &&
           strcmp(name, RK_FOLDER_VERSION ".head") != 0;
}

static int look_at(int folder, const char *name, rk_folder_names *names)
{
    rk_key key;
    if (read_key(name, &key))
        return names->visit(names->context, key);
    if (*name == '.' && read_key(name + 1, &key))
        unlinkat(folder, name, 0);
    names->others |= is_of_others(name);
    return RASK_OK;
}

int rk_folder_look(const char *path, rk_folder_names *names, char *message, size_t capacity)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    int status = RASK_OK;
    if (!folder)
        return complain(path, strerror(errno), message, capacity);
    while (!status && (entry = readdir(folder)))
        status = look_at(dirfd(folder), entry->d_name, names);
    closedir(folder);
    return status ? complain(path, rask_status_text(status), message, capacity), status : RASK_OK;
}

void rk_folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!fsync(fd);
    close(fd);
}
