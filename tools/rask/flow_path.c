#include "flow_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_dots(const char *part, size_t len)
{
    return len <= 2 && strspn(part, ".") >= len;
}

/* Relative, and each part a name: as good as all are. */
static bool is_plain(const char *path)
{
    for (const char *part = path;; part++) {
        size_t len = strcspn(part, "/");
        if (is_dots(part, len)) /* none at all, too: two slashes, or one at an end */
            return false;
        part += len;
        if (!*part)
            return true;
    }
}

/* An absolute path without "." and "..", in its place. */
static void straighten(char *path)
{
    char *end = path;
    for (const char *part = path; *part;) {
        part += strspn(part, "/");
        size_t len = strcspn(part, "/");
        if (len == 2 && is_dots(part, len)) {
            while (end > path && *--end != '/') {
            }
        } else if (len && !is_dots(part, len)) {
            *end++ = '/';
            memmove(end, part, len);
            end += len;
        }
        part += len;
    }
    if (end == path)
        *end++ = '/';
    *end = 0;
}

static char *join(const char *folder, const char *name)
{
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = malloc(room);
    if (path)
        snprintf(path, room, "%s/%s", folder, name);
    return path;
}

/* Malloced: an absolute path with its folder's links followed; NULL: there is no such folder, or no memory. */
static char *follow(char *path)
{
    char *name = strrchr(path, '/'), *found = NULL;
    if (is_dots(name + 1, strlen(name + 1)))
        return NULL;
    *name = 0;
    char *real = realpath(*path ? path : "/", NULL);
    *name = '/';
    if (real)
        found = join(real, name + 1);
    free(real);
    return found;
}

/* Malloced: absolute. NULL: no memory. */
static char *resolve(const char *folder, const char *path)
{
    char *whole = join(*path == '/' ? "" : folder, path), *found = whole ? follow(whole) : NULL;
    if (found) {
        free(whole);
        whole = found;
    }
    if (whole)
        straighten(whole);
    return whole;
}

static bool keep(flow_paths *p, char *text)
{
    if (p->count == p->capacity) {
        size_t capacity = p->capacity ? 2 * p->capacity : 64;
        char **made = realloc(p->made, capacity * sizeof *made);
        if (!made)
            return false;
        p->made = made;
        p->capacity = capacity;
    }
    p->made[p->count++] = text;
    return true;
}

const char *flow_paths_name(flow_paths *p, const char *path)
{
    if (is_plain(path) || (!*p->folder && !getcwd(p->folder, sizeof p->folder)))
        return path;
    char *text = resolve(p->folder, path);
    if (!text || !keep(p, text)) {
        free(text);
        return NULL;
    }
    size_t inside = strcmp(p->folder, "/") ? strlen(p->folder) : 0;
    return strncmp(text, p->folder, inside) == 0 && text[inside] == '/' ? text + inside + 1 : text;
}

void flow_paths_fini(flow_paths *p)
{
    while (p->count)
        free(p->made[--p->count]);
    free(p->made);
    *p = (flow_paths){0};
}
