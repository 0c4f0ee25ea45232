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

/* In the working folder itself: as good as all are. */
static bool is_name(const char *path)
{
    return !strchr(path, '/') && !is_dots(path, strlen(path));
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

/* Malloced: an absolute path with its links followed as far as it is there. NULL: no memory. */
static char *follow(const char *path)
{
    char *there = strdup(path), *real = NULL;
    size_t len = strlen(path);
    while (there && !(real = realpath(len ? there : "/", NULL)) && len) {
        while (there[--len] != '/') {
        }
        there[len] = 0;
    }
    char *found = real ? join(real, path + len) : NULL;
    free(there);
    free(real);
    return found;
}

/* follow(), for one folder after the other of many files. It belongs to paths. */
static const char *follow_again(flow_paths *p, const char *folder)
{
    if (p->from && strcmp(p->from, folder) == 0)
        return p->to;
    free(p->from);
    free(p->to);
    p->from = strdup(folder);
    p->to = follow(folder);
    return p->from ? p->to : NULL;
}

/* Malloced: absolute. NULL: no memory. */
static char *resolve(flow_paths *p, const char *path)
{
    char *whole = join(*path == '/' ? "" : p->folder, path), *found = NULL;
    char *name = whole ? strrchr(whole, '/') : NULL;
    if (name && is_dots(name + 1, strlen(name + 1))) {
        found = follow(whole);
    } else if (name) {
        *name = 0;
        const char *folder = follow_again(p, whole);
        found = folder ? join(folder, name + 1) : NULL;
    }
    free(whole);
    if (found)
        straighten(found);
    return found;
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
    if (is_name(path) || (!*p->folder && !getcwd(p->folder, sizeof p->folder)))
        return path;
    char *text = resolve(p, path);
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
    free(p->from);
    free(p->to);
    *p = (flow_paths){0};
}
