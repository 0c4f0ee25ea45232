/* What may be replaced by a Zarr store: a wrong path, or one of a group, must not cost somebody's files. */
#include "collections/array/files/zarr.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEEPEST = RASK_MAX_DIMENSIONS + 1 /* folders in each other, of chunks */ };

/* A folder that is being looked through, and the way to it. */
typedef struct level {
    DIR *open;
    size_t len; /* of its path */
} level;

typedef struct survey {
    char *path; /* of what is looked at */
    size_t capacity;
    level levels[DEEPEST];
    uint32_t depth;
    bool entries, document; /* something was met; .zarray or zarr.json was */
    int error;              /* errno; 0: none */
} survey;

static bool is_document(const char *name)
{
    return strcmp(name, ".zarray") == 0 || strcmp(name, "zarr.json") == 0;
}

/* A chunk's key, or a part of one: numbers with dots between them; the first may have a "c" in front. */
static bool is_key(const char *name, bool first)
{
    if (first && strcmp(name, "c") == 0)
        return true;
    if (first && name[0] == 'c' && name[1] == '.')
        name += 2;
    return name[0] >= '0' && name[0] <= '9' && name[strspn(name, "0123456789.")] == '\0';
}

static bool set_path(survey *s, size_t parent, const char *name)
{
    size_t len = parent + 1 + strlen(name);
    if (len >= s->capacity) {
        char *path = rk_realloc(s->path, 2 * len + 64);
        if (!path) {
            s->error = ENOMEM;
            return false;
        }
        s->path = path;
        s->capacity = 2 * len + 64;
    }
    s->path[parent] = '/';
    strcpy(s->path + parent + 1, name);
    return true;
}

/* Goes on in the folder that path names. */
static bool enter(survey *s)
{
    DIR *open = opendir(s->path);
    if (!open) {
        s->error = errno;
        return false;
    }
    s->levels[s->depth++] = (level){open, strlen(s->path)};
    return true;
}

/* Whether an entry, whose path is set, belongs to an array; folders of chunks are entered. */
static bool belongs(survey *s, const char *name)
{
    struct stat file;
    bool first = s->depth == 1, document = first && is_document(name);
    if (lstat(s->path, &file) || (!document && !is_key(name, first)))
        return false;
    s->document |= document;
    if (document || !S_ISDIR(file.st_mode))
        return S_ISREG(file.st_mode);
    return s->depth < DEEPEST && enter(s);
}

/* True when there is nothing but an array; else path is what is there, or error is set. */
static bool is_alone(survey *s)
{
    bool alone = enter(s);
    while (alone && s->depth) {
        level *at = &s->levels[s->depth - 1];
        errno = 0;
        const struct dirent *e = readdir(at->open);
        if (!e) {
            s->error = errno;
            alone = !s->error;
            closedir(at->open);
            s->depth--;
        } else if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            s->entries = true;
            alone = set_path(s, at->len, e->d_name) && belongs(s, e->d_name);
        }
    }
    while (s->depth)
        closedir(s->levels[--s->depth].open);
    return alone;
}

/* The document says that this is an array without attributes. */
static bool is_plain_array(const char *path, rk_open_error *error)
{
    bool old = rk_path_ends(path, ".zarray");
    size_t len;
    rk_zarr_meta meta;
    char reason[400] = "";
    char *text = rk_file_load(path, RK_ZARR_MAX_JSON, &len, error);
    if (!text)
        return false;
    int status = (old ? rk_zarr_parse_v2 : rk_zarr_parse_v3)(text, len, &meta, reason, sizeof reason);
    rk_free(text);
    if (!status && !meta.attributes)
        return true;
    return rk_open_fail(error, status == RASK_ENOMEM ? status : RASK_EEXIST, "%s: is in the way: %s", path,
                        !status                ? "its array has attributes"
                        : status == RASK_ETYPE ? "it is of a group"
                                               : reason);
}

static bool check_document(const char *folder, rk_open_error *error)
{
    static const char *const names[] = {".zarray", "zarr.json"};
    bool good = true;
    for (size_t i = 0; i < sizeof names / sizeof *names && good; i++) {
        char *path = rk_path_join(folder, names[i]);
        if (!path)
            return rk_open_fail(error, RASK_ENOMEM, "%s: %s", folder, rask_status_text(RASK_ENOMEM));
        good = access(path, F_OK) != 0 || is_plain_array(path, error);
        rk_free(path);
    }
    return good;
}

static bool check_folder(const char *path, rk_open_error *error)
{
    survey s = {.path = rk_strndup(path, strlen(path))};
    s.capacity = strlen(path) + 1;
    bool alone = s.path && is_alone(&s);
    if (!s.path || s.error)
        rk_open_fail(error, s.path ? rk_errno_status(s.error) : RASK_ENOMEM, "%s: %s", s.path ? s.path : path,
                     s.path ? strerror(s.error) : rask_status_text(RASK_ENOMEM));
    else if (!alone)
        rk_open_fail(
            error, RASK_EEXIST,
            "%s: is in the way: only a folder that holds one Zarr array and nothing else is replaced",
            s.path);
    else if (s.entries && !s.document)
        alone = rk_open_fail(error, RASK_EEXIST,
                             "%s: is a folder that is no Zarr array, which is not replaced", path);
    rk_free(s.path);
    return alone && check_document(path, error);
}

bool rk_zarr_may_replace(const char *path, rk_open_error *error)
{
    struct stat file;
    if (stat(path, &file)) {
        if (errno != ENOENT)
            rk_open_fail_errno(error, path);
        return errno == ENOENT;
    }
    if (!S_ISDIR(file.st_mode))
        return rk_open_fail(error, RASK_EEXIST, "%s: is there and no folder, as a Zarr store is", path);
    return check_folder(path, error);
}
