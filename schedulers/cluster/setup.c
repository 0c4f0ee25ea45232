#include "schedulers/cluster/setup.h"

#include "core/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <rask/cluster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILE = 4 * RK_MAX_KEY, LOOKS = 50, LOOK_MS = 20 /* at a file that is being written */ };

#define FIRST_LINE "# Whoever has this file belongs to the cluster, and can run anything on it.\n"

static int fail_io(const char *path, const char *what, char *reason, size_t capacity)
{
    snprintf(reason, capacity, "the key file %.200s cannot be %s: %s", path, what, strerror(errno));
    return RASK_EIO;
}

/* All of a small file. alone: nobody but its owner may read it. */
static int read_file(const char *path, char *text, bool *alone, char *reason, size_t capacity)
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
    *alone = !(file.st_mode & (S_IRWXG | S_IRWXO));
    return RASK_OK;
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

static bool find_keys(const char *text, rk_cluster_keys *keys)
{
    return find_key(text, "program", keys->program) && find_key(text, "worker", keys->worker);
}

/* Keys of one's own may be in the making under their name, and a key cut short is one, too. What was written by hand is no such file. */
static bool is_in_the_making(const char *text, rk_cluster_keys *keys)
{
    size_t len = strlen(text), first = strlen(FIRST_LINE);
    bool made = !strncmp(text, FIRST_LINE, len < first ? len : first);
    return made && !(len && text[len - 1] == '\n' && find_keys(text, keys));
}

static int read_whole(const char *path, char *text, bool *alone, rk_cluster_keys *keys, char *reason,
                      size_t capacity)
{
    int status = read_file(path, text, alone, reason, capacity);
    for (int i = 0; i < LOOKS && !status && is_in_the_making(text, keys); i++) {
        rk_clock_sleep(LOOK_MS * UINT64_C(1000000));
        status = read_file(path, text, alone, reason, capacity);
    }
    return status;
}

int rk_cluster_keys_read(const char *path, rk_cluster_keys *keys, char *reason, size_t capacity)
{
    char text[MOST_FILE + 1];
    bool alone = false;
    int status = read_whole(path, text, &alone, keys, reason, capacity);
    if (!status && !find_keys(text, keys)) {
        snprintf(reason, capacity,
                 "%.200s is no key file: it has no lines \"program KEY\" and \"worker KEY\"", path);
        status = RASK_EFORMAT;
    } else if (!status && !alone) {
        snprintf(reason, capacity, "the key file %.200s can be read by others: chmod 600 it", path);
        status = RASK_EIO;
    }
    explicit_bzero(text, sizeof text);
    if (status)
        explicit_bzero(keys, sizeof *keys);
    return status;
}

static int write_all(int fd, const char *path, const char *text, char *reason, size_t capacity)
{
    size_t len = strlen(text);
    bool written = write(fd, text, len) == (ssize_t)len && !fsync(fd);
    int status = written ? RASK_OK : fail_io(path, "written", reason, capacity);
    if (!written)
        unlink(path);
    close(fd);
    return status;
}

static int write_file(const char *path, const char *text, char *reason, size_t capacity)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0 && errno == EEXIST) {
        snprintf(reason, capacity, "the key file %.200s exists already", path);
        return RASK_EEXIST;
    }
    return fd < 0 ? fail_io(path, "made", reason, capacity) : write_all(fd, path, text, reason, capacity);
}

static int make_text(const rk_transport_engine *engine, char text[MOST_FILE + 1], char *reason,
                     size_t capacity)
{
    rk_cluster_keys keys;
    int status = engine->make_secret(keys.program);
    if (!status)
        status = engine->make_secret(keys.worker);
    if (status)
        snprintf(reason, capacity, "no keys can be made: %s", rask_status_text(status));
    else
        snprintf(text, MOST_FILE + 1, FIRST_LINE "program %s\nworker %s\n", keys.program, keys.worker);
    explicit_bzero(&keys, sizeof keys);
    return status;
}

int rk_cluster_keys_write(const char *path, const rk_transport_engine *engine, char *reason, size_t capacity)
{
    char text[MOST_FILE + 1];
    int status = make_text(engine, text, reason, capacity);
    if (!status)
        status = write_file(path, text, reason, capacity);
    explicit_bzero(text, sizeof text);
    return status;
}

/* -- The user's own */

static int find_own(char *path, size_t room, char *reason, size_t capacity)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int len;
    if (state && *state == '/')
        len = snprintf(path, room, "%s/rask/cluster.keys", state);
    else if (home && *home == '/')
        len = snprintf(path, room, "%s/.local/state/rask/cluster.keys", home);
    else {
        snprintf(
            reason, capacity,
            "there is no key file, and no home to have one of one's own in: name one (RASK_CLUSTER_KEYS; "
            "rask cluster keys makes it), or set HOME");
        return RASK_ENOENT;
    }
    if (len >= 0 && (size_t)len < room)
        return RASK_OK;
    snprintf(reason, capacity, "the name of the key file in one's home is longer than %zu bytes",
             room ? room - 1 : 0);
    return RASK_ELIMIT;
}

/* All folders that are missing on the way to it. */
static int make_way(const char *path, char *reason, size_t capacity)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *at = strchr(folder + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(folder, S_IRWXU) && errno != EEXIST) {
            snprintf(reason, capacity, "the folder %.200s for the key file %.200s cannot be made: %s", folder,
                     path, strerror(errno));
            return RASK_EIO;
        }
        *at = '/';
    }
    return RASK_OK;
}

/* Where files have one name only: some of FUSE, of CIFS, exFAT. */
static bool has_no_links(int error)
{
    return error == EPERM || error == ENOTSUP || error == EOPNOTSUPP || error == ENOSYS;
}

/* Under another name first: of several who make it at once all come to have the same, and a whole one. Without links one of them
 * makes it under its name, and those who find it short look again. */
static int make_own(const char *path, const char *text, char *reason, size_t capacity)
{
    char made[PATH_MAX];
    int status = make_way(path, reason, capacity);
    if (status)
        return status;
    snprintf(made, sizeof made, "%.4000s.XXXXXX", path);
    int fd = mkostemp(made, O_CLOEXEC);
    if (fd < 0)
        return fail_io(path, "made", reason, capacity);
    status = write_all(fd, made, text, reason, capacity);
    if (status)
        return status;
    int error = link(made, path) ? errno : 0;
    unlink(made);
    if (has_no_links(error)) {
        status = write_file(path, text, reason, capacity);
        return status == RASK_EEXIST ? RASK_OK : status;
    }
    errno = error;
    return error && error != EEXIST ? fail_io(path, "made", reason, capacity) : RASK_OK;
}

static int make_missing(const char *path, char *reason, size_t capacity)
{
    const rk_transport_engine *engine;
    char text[MOST_FILE + 1];
    if (!access(path, F_OK))
        return RASK_OK;
    int status = rk_transport_find("zmq", &engine, reason, capacity);
    if (!status)
        status = make_text(engine, text, reason, capacity);
    if (!status)
        status = make_own(path, text, reason, capacity);
    explicit_bzero(text, sizeof text);
    return status;
}

int rask_cluster_own_keys(char *path, size_t room, char *reason, size_t capacity)
{
    char own[PATH_MAX];
    int status = find_own(own, room < sizeof own ? room : sizeof own, reason, capacity);
    if (!status)
        status = make_missing(own, reason, capacity);
    if (!status)
        memcpy(path, own, strlen(own) + 1);
    return status;
}

int rk_cluster_keys_choose(const char *address, const char *key_file, bool insecure,
                           char path[RK_MAX_KEY_PATH + 1], char *reason, size_t capacity)
{
    bool named = key_file && *key_file, encrypts = !strncmp(address, "tcp://", strlen("tcp://"));
    *path = '\0';
    if (named && insecure) {
        snprintf(reason, capacity, "both a key file, %.200s, and that there are to be no keys (insecure)",
                 key_file);
        return RASK_EINVAL;
    }
    if (!named && encrypts && !insecure)
        return rask_cluster_own_keys(path, RK_MAX_KEY_PATH + 1, reason, capacity);
    if (named && strlen(key_file) > RK_MAX_KEY_PATH) {
        snprintf(reason, capacity, "the name of the key file is longer than %d bytes", RK_MAX_KEY_PATH);
        return RASK_ELIMIT;
    }
    snprintf(path, RK_MAX_KEY_PATH + 1, "%s", named ? key_file : "");
    return RASK_OK;
}

static bool is_own(const char *key_file)
{
    char own[RK_MAX_KEY_PATH + 1], reason[128];
    return !find_own(own, sizeof own, reason, sizeof reason) && !strcmp(own, key_file);
}

void rk_cluster_keys_tell(const char *key_file, char *text, size_t capacity)
{
    if (key_file && *key_file)
        snprintf(text, capacity, "; the keys here are %s %.200s",
                 is_own(key_file) ? "the user's own," : "those of", key_file);
    else
        snprintf(text, capacity, "; there are no keys here (insecure)");
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
