#ifndef _GNU_SOURCE
#    define _GNU_SOURCE /* dladdr */
#endif
#include "core/task/plugin.h"

#include "core/task/task.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { BLOCK = 1 << 16, KEPT = 16 };

/* What was found out last, in turn. */
static struct {
    pthread_mutex_t lock;
    uint32_t next;
    struct {
        uint8_t module[sizeof((rk_identity *)0)->module];
        rk_plugin plugin; /* path "": none */
    } at[KEPT];
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* 0, or errno. */
static int hash_all(int fd, XXH3_state_t *state)
{
    char block[BLOCK];
    struct stat file;
    ssize_t n;
    if (fstat(fd, &file) || !S_ISREG(file.st_mode))
        return EINVAL;
    while ((n = read(fd, block, sizeof block)) > 0)
        XXH3_128bits_update(state, block, (size_t)n);
    return n < 0 ? errno : 0;
}

static int hash_file(const char *path, uint8_t content[16])
{
    XXH3_state_t *state = XXH3_createState();
    XXH128_canonical_t hash;
    /* What a pipe's other end never writes is not waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int failure = fd < 0 ? errno : ENOMEM;
    if (fd >= 0 && state && !XXH3_128bits_reset(state))
        failure = hash_all(fd, state);
    if (!failure) {
        XXH128_canonicalFromHash(&hash, XXH3_128bits_digest(state));
        memcpy(content, hash.digest, sizeof hash.digest);
    }
    if (fd >= 0)
        close(fd);
    XXH3_freeState(state);
    return failure;
}

/* Of every process of the program. */
static bool is_common(const rk_identity *identity)
{
    rk_identity program, library;
    return (!rk_identity_of_program(&program) &&
            !memcmp(program.module, identity->module, sizeof program.module)) ||
           (!rk_identity_of((void (*)(void))rask_version, &library) &&
            !memcmp(library.module, identity->module, sizeof library.module));
}

static bool recall(const rk_identity *identity, rk_plugin *out)
{
    bool found = false;
    pthread_mutex_lock(&kept.lock);
    for (int i = 0; i < KEPT && !found; i++)
        if (*kept.at[i].plugin.path &&
            !memcmp(kept.at[i].module, identity->module, sizeof identity->module)) {
            *out = kept.at[i].plugin;
            found = true;
        }
    pthread_mutex_unlock(&kept.lock);
    return found;
}

static void remember(const rk_identity *identity, const rk_plugin *plugin)
{
    pthread_mutex_lock(&kept.lock);
    uint32_t i = kept.next++ % KEPT;
    memcpy(kept.at[i].module, identity->module, sizeof identity->module);
    kept.at[i].plugin = *plugin;
    pthread_mutex_unlock(&kept.lock);
}

int rk_plugin_of(uintptr_t address, rk_plugin *out)
{
    rk_identity identity;
    Dl_info info;
    if (rk_identity_of((void (*)(void))address, &identity) || is_common(&identity))
        return RASK_ENOENT;
    if (recall(&identity, out))
        return RASK_OK;
    rk_plugin found = {.path = ""};
    if (!dladdr((const void *)address, &info) || !realpath(info.dli_fname, found.path) ||
        hash_file(found.path, found.content))
        return RASK_ENOENT;
    remember(&identity, &found);
    *out = found;
    return RASK_OK;
}

static void name_machine(char *name, size_t capacity)
{
    if (gethostname(name, capacity - 1))
        snprintf(name, capacity, "this machine");
    name[capacity - 1] = '\0';
}

int rk_plugin_load(const rk_plugin *plugin, char *reason, size_t capacity)
{
    char machine[256];
    uint8_t content[sizeof plugin->content];
    int failure = hash_file(plugin->path, content);
    name_machine(machine, sizeof machine);
    if (failure) {
        snprintf(reason, capacity, "the library %s cannot be read on %s: %s", plugin->path, machine,
                 strerror(failure));
        return RASK_ENOENT;
    }
    if (memcmp(content, plugin->content, sizeof content) != 0) {
        snprintf(reason, capacity, "the library %s is another on %s than the program has", plugin->path,
                 machine);
        return RASK_EUNSUPPORTED;
    }
    if (!dlopen(plugin->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) {
        const char *why = dlerror();
        snprintf(reason, capacity, "the library %s does not load on %s: %s", plugin->path, machine,
                 why ? why : "no reason given");
        return RASK_EUNSUPPORTED;
    }
    return RASK_OK;
}
