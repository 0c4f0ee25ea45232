#include "schedulers/cluster/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILE = 4 * RK_MAX_KEY };

static int fail_io(const char *path, const char *what, char *reason, size_t capacity)
{
    snprintf(reason, capacity, "the key file %.200s cannot be %s: %s", path, what, strerror(errno));
    return RASK_EIO;
}

/* All of a small file that is its owner's alone. */
static int read_file(const char *path, char *text, char *reason, size_t capacity)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_io(path, "opened", reason, capacity);
    ssize_t len = read(fd, text, MOST_FILE);
    int status = len < 0 || fstat(fd, &file) ? fail_io(path, "read", reason, capacity) : RASK_OK;
    close(fd);
    if (status)
        return status;
    text[len] = '\0';
    if (!(file.st_mode & (S_IRWXG | S_IRWXO)))
        return RASK_OK;
    snprintf(reason, capacity, "the key file %.200s can be read by others: chmod 600 it", path);
    return RASK_EINVAL;
}

/* The word behind "name " at the beginning of a line. */
static bool find_key(const char *text, const char *name, char key[RK_MAX_KEY + 1])
{
    size_t len = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) != 0 || line[len] != ' ')
            continue;
        size_t size = strcspn(line + len + 1, " \t\r\n");
        if (!size || size > RK_MAX_KEY)
            return false;
        memcpy(key, line + len + 1, size);
        key[size] = '\0';
        return true;
    }
    return false;
}

int rk_cluster_keys_read(const char *path, rk_cluster_keys *keys, char *reason, size_t capacity)
{
    char text[MOST_FILE + 1];
    int status = read_file(path, text, reason, capacity);
    if (!status && (!find_key(text, "program", keys->program) || !find_key(text, "worker", keys->worker))) {
        snprintf(reason, capacity,
                 "%.200s is no key file: it has no lines \"program KEY\" and \"worker KEY\"", path);
        status = RASK_EFORMAT;
    }
    explicit_bzero(text, sizeof text);
    return status;
}

static int write_file(const char *path, const char *text, size_t len, char *reason, size_t capacity)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0 && errno == EEXIST) {
        snprintf(reason, capacity, "the key file %.200s exists already", path);
        return RASK_EEXIST;
    }
    if (fd < 0)
        return fail_io(path, "made", reason, capacity);
    bool written = write(fd, text, len) == (ssize_t)len && !fsync(fd);
    if (!written) {
        fail_io(path, "written", reason, capacity);
        unlink(path);
    }
    close(fd);
    return written ? RASK_OK : RASK_EIO;
}

int rk_cluster_keys_write(const char *path, const rk_transport_engine *engine, char *reason, size_t capacity)
{
    rk_cluster_keys keys;
    char text[MOST_FILE + 1];
    int status = engine->make_secret(keys.program);
    if (!status)
        status = engine->make_secret(keys.worker);
    if (status) {
        snprintf(reason, capacity, "no keys can be made: %s", rask_status_text(status));
        return status;
    }
    int len = snprintf(text, sizeof text,
                       "# Whoever has this file belongs to the cluster, and can run anything on it.\n"
                       "program %s\nworker %s\n",
                       keys.program, keys.worker);
    status = write_file(path, text, (size_t)len, reason, capacity);
    explicit_bzero(text, sizeof text);
    explicit_bzero(&keys, sizeof keys);
    return status;
}

bool rk_cluster_is_local(const char *address)
{
    static const char *const locals[] = {"tcp://127.", "tcp://localhost:", "tcp://[::1]:"};
    if (strncmp(address, "tcp://", strlen("tcp://")) != 0)
        return true;
    for (size_t i = 0; i < sizeof locals / sizeof *locals; i++)
        if (!strncmp(address, locals[i], strlen(locals[i])))
            return true;
    return false;
}

int rk_cluster_ids_find(rk_cluster_ids *ids, char *reason, size_t capacity)
{
    if (!rk_identity_of_program(&ids->program) &&
        !rk_identity_of((void (*)(void))rask_version, &ids->library))
        return RASK_OK;
    snprintf(reason, capacity,
             "the program has no build-id to tell it from others by: link it with -Wl,--build-id");
    return RASK_EUNSUPPORTED;
}
