#include "core/store/available.h"

#include "core/base/atomic.h"
#include "core/base/clock.h"
#include "core/base/limits.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { KNOWN_NS = 100000000 };

/* The number behind a word in a file; UINT64_MAX when there is none. "" : the first thing in the file. */
static uint64_t number_in(const char *path, const char *word)
{
    char line[256];
    unsigned long long number;
    uint64_t found = UINT64_MAX;
    FILE *file = fopen(path, "re");
    if (!file)
        return found;
    size_t len = strlen(word);
    while (found == UINT64_MAX && fgets(line, sizeof line, file))
        if (!strncmp(line, word, len) && sscanf(line + len, "%llu", &number) == 1)
            found = number;
    fclose(file);
    return found;
}

static uint64_t machine_leaves(void)
{
    uint64_t kibibytes = number_in("/proc/meminfo", "MemAvailable:");
    if (kibibytes != UINT64_MAX)
        return kibibytes << 10;
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 2 : (uint64_t)1 << 30;
}

typedef struct names {
    const char *root, *limit, *usage, *cache;
} names;

static const names version_1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                                "total_inactive_file "},
                   version_2 = {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "};

static uint64_t number_of(const names *n, const char *directory, const char *file, const char *word)
{
    char path[4096 + 64];
    snprintf(path, sizeof path, "%s%s/%s", n->root, directory, file);
    return number_in(path, word);
}

/* What one cgroup leaves: pages of files that are not in use count as free. */
static uint64_t directory_leaves(const names *n, const char *directory)
{
    uint64_t limit = number_of(n, directory, n->limit, ""), usage = number_of(n, directory, n->usage, "");
    if (limit == UINT64_MAX || usage == UINT64_MAX)
        return UINT64_MAX;
    uint64_t cache = number_of(n, directory, "memory.stat", n->cache);
    usage -= cache <= usage ? cache : 0;
    return limit > usage ? limit - usage : 0;
}

/* The least on the way from directory up to the root. */
static uint64_t cgroup_leaves(const names *n, char *directory)
{
    uint64_t least = UINT64_MAX;
    for (;;) {
        uint64_t here = directory_leaves(n, directory);
        least = here < least ? here : least;
        char *slash = strrchr(directory, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}

/* Lines of /proc/self/cgroup are "0::directory" in version 2 and "number:controllers:directory" in version 1. */
static uint64_t cgroups_leave(void)
{
    char line[4096];
    uint64_t least = UINT64_MAX;
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (!file)
        return least;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *directory = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!directory)
            continue;
        *directory++ = '\0';
        bool first = !strcmp(controllers + 1, "memory"), second = !controllers[1];
        uint64_t here = first    ? cgroup_leaves(&version_1, directory)
                        : second ? cgroup_leaves(&version_2, directory)
                                 : UINT64_MAX;
        least = here < least ? here : least;
    }
    fclose(file);
    return least;
}

uint64_t rk_available_memory(void)
{
    static rk_atomic_u64 known, asked_ns;
    uint64_t now = rk_clock_now(), asked = rk_load_acquire(&asked_ns);
    if (asked && now >= asked && now - asked < KNOWN_NS)
        return rk_load_relaxed(&known);
    uint64_t machine = machine_leaves(), cgroups = cgroups_leave();
    uint64_t least = machine < cgroups ? machine : cgroups;
    rk_store_relaxed(&known, least);
    rk_store_release(&asked_ns, now);
    return least;
}

uint64_t rask_default_memory(void)
{
    return rk_available_memory() / 100 * RK_BUDGET_PERCENT;
}

/* What getrusage() knows on Linux is no less than what ran in the process before this program did. */
uint64_t rk_peak_rss(void)
{
    struct rusage usage;
    uint64_t kib = number_in("/proc/self/status", "VmHWM:");
    if (kib != UINT64_MAX)
        return kib << 10;
    if (getrusage(RUSAGE_SELF, &usage))
        return 0;
#ifdef __APPLE__
    return (uint64_t)usage.ru_maxrss;
#else
    return (uint64_t)usage.ru_maxrss << 10;
#endif
}
