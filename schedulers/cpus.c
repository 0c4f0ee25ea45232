/* How many cores this process may use: the affinity mask, and the cgroup's CPU quota rounded up. */
#include "core/base/limits.h"

#include <rask/options.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint32_t allowed_cores(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set))
        return (uint32_t)CPU_COUNT(&set);
#endif
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (uint32_t)cores : 1;
}

/* Cores that "quota period" or two files with one number each allow; 0: no bound. */
static uint32_t cores_of(long long quota, long long period)
{
    return quota > 0 && period > 0 ? (uint32_t)((quota + period - 1) / period) : 0;
}

static uint32_t quota_v2(const char *directory)
{
    char path[4096 + 64];
    long long quota, period;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", directory);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    int read = fscanf(file, "%lld %lld", &quota, &period);
    fclose(file);
    return read == 2 ? cores_of(quota, period) : 0;
}

static long long number_in(const char *directory, const char *name)
{
    char path[4096 + 64];
    long long number = 0;
    snprintf(path, sizeof path, "/sys/fs/cgroup/cpu%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%lld", &number) != 1)
        number = 0;
    fclose(file);
    return number;
}

static uint32_t quota_v1(const char *directory)
{
    return cores_of(number_in(directory, "cpu.cfs_quota_us"), number_in(directory, "cpu.cfs_period_us"));
}

/* The least bound on the way from directory up to the root. */
static uint32_t quota_above(char *directory, uint32_t (*quota)(const char *))
{
    uint32_t least = 0;
    for (;;) {
        uint32_t here = quota(directory);
        if (here && (!least || here < least))
            least = here;
        char *slash = strrchr(directory, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}

/* Lines of /proc/self/cgroup are "number:controllers:/directory"; version 2 has no controllers. */
static uint32_t line_quota(char *line)
{
    char *controllers = strchr(line, ':'), *directory = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!directory)
        return 0;
    *directory++ = '\0';
    directory[strcspn(directory, "\n")] = '\0';
    if (!*++controllers)
        return quota_above(directory, quota_v2);
    char *save, *name = strtok_r(controllers, ",", &save);
    while (name && strcmp(name, "cpu"))
        name = strtok_r(NULL, ",", &save);
    return name ? quota_above(directory, quota_v1) : 0;
}

static uint32_t cgroup_cores(void)
{
    char line[4096];
    uint32_t least = 0;
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && fgets(line, sizeof line, file)) {
        uint32_t cores = line_quota(line);
        if (cores && (!least || cores < least))
            least = cores;
    }
    if (file)
        fclose(file);
    return least;
}

uint32_t rask_default_workers(void)
{
    uint32_t cores = allowed_cores(), quota = cgroup_cores();
    if (quota && quota < cores)
        cores = quota;
    return cores < RK_MAX_WORKERS ? cores : RK_MAX_WORKERS;
}
