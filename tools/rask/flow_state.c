#include "flow_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { READ_BYTES = 1 << 18, MOST_NAME = 180 };

bool flow_state_open(const char *folder, char error[FLOW_ERROR])
{
    if (mkdir(folder, 0777) == 0 || errno == EEXIST) {
        struct stat is;
        if (stat(folder, &is) == 0 && S_ISDIR(is.st_mode) && access(folder, W_OK | X_OK) == 0)
            return true;
        errno = stat(folder, &is) == 0 && !S_ISDIR(is.st_mode) ? ENOTDIR : errno;
    }
    snprintf(error, FLOW_ERROR, "%.400s: %s", folder, strerror(errno));
    return false;
}

/* An id as a name of a file: what is not a letter, digit, '.', '-' or '_' by its number, and long ones by their hash, so
 * that no two are the same. */
static void file_name(const char *id, char name[MOST_NAME + 40])
{
    size_t len = 0;
    for (const char *c = id; *c && len < MOST_NAME; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
                     *c == '_' || *c == '-' || (*c == '.' && c > id);
        len += (size_t)snprintf(name + len, 4, plain ? "%c" : "%%%02X", (unsigned char)*c);
    }
    if (len >= MOST_NAME)
        snprintf(name + MOST_NAME - 20, 40, "%%%016llx", (unsigned long long)XXH3_64bits(id, strlen(id)));
}

void flow_state_path(const char *folder, const flow_task *task, const char *kind, char path[FLOW_PATH])
{
    char name[MOST_NAME + 40];
    file_name(task->id, name);
    snprintf(path, FLOW_PATH, "%s/%s.%s", folder, name, kind);
}

/* -- Hashes */

static void add_text(XXH3_state_t *state, const char *text)
{
    XXH3_128bits_update(state, text, strlen(text) + 1);
}

static bool add_file(XXH3_state_t *state, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes = fd < 0 ? NULL : malloc(READ_BYTES);
    ssize_t n = bytes ? 1 : -1;
    uint64_t whole = 0;
    while (n > 0 && (n = read(fd, bytes, READ_BYTES)) > 0) {
        XXH3_128bits_update(state, bytes, (size_t)n);
        whole += (uint64_t)n;
    }
    int reason = errno;
    XXH3_128bits_update(state, &whole, sizeof whole);
    free(bytes);
    if (fd >= 0)
        close(fd);
    errno = reason;
    return n == 0 || (n < 0 && reason == EISDIR); /* of a folder its name counts */
}

/* Paths and contents. */
static bool add_files(XXH3_state_t *state, const char **paths, const char **which)
{
    for (const char **path = paths; path && *path; path++) {
        add_text(state, *path);
        if (!add_file(state, *path)) {
            *which = *path;
            return false;
        }
    }
    add_text(state, "");
    return true;
}

static void put_key(const XXH3_state_t *state, char key[FLOW_KEY])
{
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    snprintf(key, FLOW_KEY, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
}

static bool add_sleep(XXH3_state_t *state, double seconds)
{
    add_text(state, "sleep");
    XXH3_128bits_update(state, &seconds, sizeof seconds);
    return true;
}

static bool add_command(XXH3_state_t *state, const flow_task *task, const char **which)
{
    add_text(state, task->shell ? "shell" : "program");
    add_text(state, task->shell ? task->shell : "");
    for (const char **a = task->arguments; a && *a; a++)
        add_text(state, *a);
    add_text(state, "");
    for (const char **o = task->outputs; o && *o; o++)
        add_text(state, *o);
    return add_files(state, task->inputs, which);
}

bool flow_state_key(const flow_task *task, double scale, char key[FLOW_KEY], const char **which)
{
    XXH3_state_t *state = XXH3_createState();
    *which = NULL;
    if (!state)
        return false;
    XXH3_128bits_reset(state);
    bool good = scale < 0 ? add_command(state, task, which) : add_sleep(state, task->seconds * scale);
    put_key(state, key);
    XXH3_freeState(state);
    return good;
}

static bool key_of_outputs(const flow_task *task, double scale, char key[FLOW_KEY], const char **which)
{
    XXH3_state_t *state = XXH3_createState();
    *which = NULL;
    if (!state)
        return false;
    XXH3_128bits_reset(state);
    bool good = scale >= 0 || add_files(state, task->outputs, which);
    put_key(state, key);
    XXH3_freeState(state);
    return good;
}

/* -- Notes: two keys, of command and inputs, and of outputs. What has slept is noted apart from what has run. */

static void note_path(const char *folder, const flow_task *task, double scale, char path[FLOW_PATH])
{
    flow_state_path(folder, task, scale < 0 ? "done" : "slept", path);
}

bool flow_state_is_done(const char *folder, const flow_task *task, double scale, const char *key)
{
    char path[FLOW_PATH], made[FLOW_KEY], noted[2 * FLOW_KEY + 2] = "", now[2 * FLOW_KEY + 2];
    const char *which;
    if (!folder)
        return false;
    note_path(folder, task, scale, path);
    FILE *note = fopen(path, "re");
    if (!note)
        return false;
    size_t len = fread(noted, 1, sizeof noted - 1, note);
    fclose(note);
    if (!key_of_outputs(task, scale, made, &which))
        return false;
    snprintf(now, sizeof now, "%s %s\n", key, made);
    return len == strlen(now) && !memcmp(noted, now, len);
}

/* Under another name first: a note that is there is whole. */
static bool write_note(const char *path, const char *key, const char *made)
{
    char temporary[FLOW_PATH + 32];
    snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    FILE *note = fopen(temporary, "we");
    bool good = note && fprintf(note, "%s %s\n", key, made) > 0;
    if (note && fclose(note))
        good = false;
    if (good && !rename(temporary, path))
        return true;
    int reason = errno;
    unlink(temporary);
    errno = reason;
    return false;
}

bool flow_state_set_done(const char *folder, const flow_task *task, double scale, const char *key,
                         const char **which)
{
    char path[FLOW_PATH], made[FLOW_KEY];
    if (!folder)
        return true;
    note_path(folder, task, scale, path);
    return key_of_outputs(task, scale, made, which) && write_note(path, key, made);
}
