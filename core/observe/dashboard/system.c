#include "core/observe/dashboard/system.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST_READ = 1024 };

/* The beginning of a small file. */
static bool read_file(const char *path, char text[MOST_READ])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, MOST_READ - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = 0;
    return got > 0;
}

uint64_t rk_system_resident(uint64_t process)
{
    char path[64], text[MOST_READ];
    uint64_t pages = 0;
    if (process)
        snprintf(path, sizeof path, "/proc/%" PRIu64 "/statm", process);
    else
        snprintf(path, sizeof path, "/proc/self/statm");
    if (!read_file(path, text) || sscanf(text, "%*u %" SCNu64, &pages) != 1)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t rk_system_thread_ns(uint32_t thread)
{
    char path[64], text[MOST_READ];
    uint64_t ns = 0;
    snprintf(path, sizeof path, "/proc/self/task/%" PRIu32 "/schedstat", thread);
    return read_file(path, text) && sscanf(text, "%" SCNu64, &ns) == 1 ? ns : 0;
}

uint64_t rk_system_process_ns(uint64_t process)
{
    char path[64], text[MOST_READ];
    uint64_t user = 0, kernel = 0;
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/stat", process);
    const char *behind = read_file(path, text) ? strrchr(text, ')') : NULL; /* names may have brackets, too */
    if (!behind || sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
                          &user, &kernel) != 2)
        return 0;
    return (user + kernel) * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}
