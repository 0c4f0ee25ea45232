#ifndef _GNU_SOURCE
#    define _GNU_SOURCE /* dladdr1, secure_getenv */
#endif
#include "core/base/module.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef RASK_MODULE_DIR
#    define RASK_MODULE_DIR "/usr/lib/rask"
#endif

static int check(void *handle, size_t size, const char *path, const void **module, char *error,
                 size_t capacity)
{
    const rk_module_head *head = dlsym(handle, "rask_module");
    if (!head || head->abi != RK_MODULE_ABI) {
        snprintf(error, capacity, "%s is no module of Rask", path);
        return RASK_EUNSUPPORTED;
    }
    if (head->version != RK_MODULE_VERSION || head->size != size) {
        snprintf(error, capacity, "%s belongs to another version of Rask", path);
        return RASK_EUNSUPPORTED;
    }
    *module = head;
    return RASK_OK;
}

/* One place. A module is never unloaded: what it brings along (GLib, MPI) does not survive that. */
static int open_in(const char *folder, const char *name, size_t size, const void **module, char *error,
                   size_t capacity)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s.so", folder, name);
    if (n < 0 || (size_t)n >= sizeof path || access(path, F_OK))
        return RASK_ENOENT;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        const char *reason = dlerror();
        snprintf(error, capacity, "%s", reason ? reason : path);
        return RASK_EUNSUPPORTED;
    }
    int status = check(handle, size, path, module, error, capacity);
    dlclose(handle);
    return status;
}

/* In a folder near the library's own object: whoever could put something there that is not the library's
 * could be anyone (/tmp), so the module must have the library's owner. */
static int open_near(const char *folder, const char *name, uid_t owner, size_t size, const void **module,
                     char *error, size_t capacity)
{
    char path[PATH_MAX];
    struct stat file = {
        0}; /* compilers look at it before they know that there is one, which tools complain of */
    int n = snprintf(path, sizeof path, "%s/%s.so", folder, name);
    if (n < 0 || (size_t)n >= sizeof path || stat(path, &file))
        return RASK_ENOENT;
    if ((file.st_uid != owner && file.st_uid != 0) || file.st_mode & S_IWOTH)
        return RASK_ENOENT;
    return open_in(folder, name, size, module, error, capacity);
}

/* The folder and the owner of the object that this code is linked into. */
static bool own_folder(char *folder, uid_t *owner)
{
    static const char anchor = 0;
    Dl_info info;
    void *map = NULL;
    struct stat file;
    if (!dladdr1(&anchor, &info, &map, RTLD_DL_LINKMAP) || !map)
        return false;
    /* the program itself has no name there, and its argv[0] could be anything */
    const char *object = ((const struct link_map *)map)->l_name;
    if (!realpath(*object ? object : "/proc/self/exe", folder) || stat(folder, &file))
        return false;
    *strrchr(folder, '/') = '\0';
    *owner = file.st_uid;
    return true;
}

static int open_beside(const char *name, size_t size, const void **module, char *error, size_t capacity)
{
    /* moved installations; then build trees, from the library and from programs it is linked into */
    static const char *const places[] = {"rask",
                                         ".",
                                         "tools/draw",
                                         "../tools/draw",
                                         "../../tools/draw",
                                         "collections/array",
                                         "../collections/array",
                                         "../../collections/array",
                                         "collections/bag",
                                         "../collections/bag",
                                         "../../collections/bag",
                                         "collections/table",
                                         "../collections/table",
                                         "../../collections/table",
                                         "collections/text",
                                         "../collections/text",
                                         "../../collections/text",
                                         "collections/regex",
                                         "../collections/regex",
                                         "../../collections/regex",
                                         "schedulers/cluster",
                                         "../schedulers/cluster",
                                         "../../schedulers/cluster",
                                         "core/observe/dashboard",
                                         "../core/observe/dashboard",
                                         "../../core/observe/dashboard"};
    char own[PATH_MAX], folder[PATH_MAX];
    uid_t owner;
    int status = RASK_ENOENT;
    if (!own_folder(own, &owner))
        return status;
    for (size_t i = 0; i < sizeof places / sizeof *places && status == RASK_ENOENT; i++) {
        int n = snprintf(folder, sizeof folder, "%s/%s", own, places[i]);
        if (n > 0 && (size_t)n < sizeof folder)
            status = open_near(folder, name, owner, size, module, error, capacity);
    }
    return status;
}

int rk_module_open(const char *name, size_t size, const void **module, char *error, size_t capacity)
{
    bool privileged = getauxval(AT_SECURE) != 0;
    const char *asked = secure_getenv("RASK_MODULE_PATH");
    int status = RASK_ENOENT;
    if (asked && *asked)
        status = open_in(asked, name, size, module, error, capacity);
    if (status == RASK_ENOENT)
        status = open_in(RASK_MODULE_DIR, name, size, module, error, capacity);
    if (status == RASK_ENOENT && !privileged)
        status = open_beside(name, size, module, error, capacity);
    if (status == RASK_ENOENT)
        snprintf(error, capacity, "%s.so is not in %s", name, RASK_MODULE_DIR);
    return status;
}
