#include "schedulers/processes/system.h"

#include <errno.h>
#include <rask/base.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#    include "core/base/loaded.h"

#    include <linux/futex.h>
#    include <sys/epoll.h>
#    include <sys/eventfd.h>
#    include <sys/prctl.h>
#    include <sys/syscall.h>
#endif

void *rk_system_share(uint64_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
#ifdef MADV_DONTDUMP
    madvise(at, bytes, MADV_DONTDUMP);
#endif
    return at;
}

void rk_system_unshare(void *at, uint64_t bytes)
{
    if (at)
        munmap(at, bytes);
}

#ifdef __linux__

bool rk_system_has_processes(void)
{
    return true;
}

bool rk_system_is_mapped(uint64_t address)
{
    unsigned char resident;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return !mincore((void *)(uintptr_t)(address & ~(page - 1)), 1, &resident);
}

void rk_system_sleep(rk_atomic_u32 *word, uint32_t expected)
{
    struct timespec most = {1, 0};
    syscall(SYS_futex, word, FUTEX_WAIT, expected, &most, NULL, 0);
}

void rk_system_wake(rk_atomic_u32 *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

int rk_watch_init(rk_watch *watch)
{
    *watch = (rk_watch){-1, -1};
    watch->poll = epoll_create1(EPOLL_CLOEXEC);
    watch->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = watch->bell};
    if (watch->poll >= 0 && watch->bell >= 0 && !epoll_ctl(watch->poll, EPOLL_CTL_ADD, watch->bell, &event))
        return RASK_OK;
    int error = errno;
    rk_watch_fini(watch);
    errno = error;
    return RASK_EIO;
}

void rk_watch_fini(rk_watch *watch)
{
    if (watch->poll >= 0)
        close(watch->poll);
    if (watch->bell >= 0)
        close(watch->bell);
    *watch = (rk_watch){-1, -1};
}

void rk_watch_ring(const rk_watch *watch)
{
    uint64_t one = 1;
    ssize_t written = write(watch->bell, &one, sizeof one);
    (void)written; /* full: it rings already */
}

void rk_watch_wait(const rk_watch *watch, uint64_t nanoseconds)
{
    struct epoll_event events[8];
    uint64_t ms = (nanoseconds + 999999) / 1000000, rung;
    int count = epoll_wait(watch->poll, events, 8, ms > 60000 ? 60000 : (int)ms);
    for (int i = 0; i < count; i++)
        if (events[i].data.fd == watch->bell) {
            ssize_t got = read(watch->bell, &rung, sizeof rung);
            (void)got;
        }
}

/* Only what may be called after a fork of a program with threads. */
static void begin_child(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1); /* it ended before that */
}

int rk_child_fork(rk_child *child, rk_watch *watch)
{
    pid_t parent = getpid(), pid = fork();
    if (!pid) {
        begin_child(parent);
        return 1;
    }
    if (pid < 0)
        return -1;
    *child = (rk_child){pid, (int)syscall(SYS_pidfd_open, pid, 0)};
    struct epoll_event event = {.events = EPOLLIN, .data.fd = child->fd};
    if (child->fd >= 0 && !epoll_ctl(watch->poll, EPOLL_CTL_ADD, child->fd, &event))
        return 0;
    int error = errno;
    char how[1];
    rk_child_kill(child);
    rk_child_end(child, watch, how, sizeof how);
    errno = error;
    return -1;
}

bool rk_child_has_ended(const rk_child *child)
{
    siginfo_t info = {.si_pid = 0};
    int result = waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return result ? errno == ECHILD : info.si_pid != 0;
}

bool rk_child_is_stopped(const rk_child *child, bool *stopped)
{
    siginfo_t info = {.si_pid = 0};
    while (!waitid(P_PID, (id_t)child->pid, &info, WSTOPPED | WCONTINUED | WNOHANG) && info.si_pid) {
        *stopped = info.si_code == CLD_STOPPED || info.si_code == CLD_TRAPPED;
        info.si_pid = 0;
    }
    return *stopped;
}

void rk_child_kill(const rk_child *child)
{
    kill(child->pid, SIGKILL);
}

static void describe_end(const siginfo_t *info, char *how, size_t capacity)
{
    const char *name = info->si_code == CLD_EXITED ? NULL : sigabbrev_np(info->si_status);
    if (info->si_code == CLD_EXITED)
        snprintf(how, capacity, "ended by exit(%d)", info->si_status);
    else if (info->si_status == SIGKILL)
        snprintf(how, capacity, "was killed by SIGKILL (by somebody, or for want of memory)");
    else
        snprintf(how, capacity, "was killed by SIG%s (%s)", name ? name : "?", sigdescr_np(info->si_status));
}

void rk_child_end(rk_child *child, const rk_watch *watch, char *how, size_t capacity)
{
    siginfo_t info = {.si_pid = 0};
    int result;
    while ((result = waitid(P_PID, (id_t)child->pid, &info, WEXITED)) && errno == EINTR) {
    }
    if (result)
        snprintf(how, capacity,
                 "ended (how, only the program knows: it waits for children of its own accord)");
    else
        describe_end(&info, how, capacity);
    if (child->fd >= 0) {
        epoll_ctl(watch->poll, EPOLL_CTL_DEL, child->fd, NULL);
        close(child->fd);
    }
    *child = (rk_child){0, -1};
}

typedef struct range {
    uintptr_t begin, end;
} range;

static int count_ranges(struct dl_phdr_info *info, size_t size, void *count)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
        *(size_t *)count += info->dlpi_phdr[i].p_type == PT_LOAD;
    return 0;
}

/* 1: there is no room for all. */
static int add_ranges(struct dl_phdr_info *info, size_t size, void *context)
{
    rk_modules *modules = context;
    modules->unloaded = size >= offsetof(struct dl_phdr_info, dlpi_tls_modid) ? info->dlpi_subs : 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD)
            continue;
        if (modules->ranges.count == modules->ranges.capacity)
            return 1;
        uintptr_t begin = info->dlpi_addr + part->p_vaddr;
        *(range *)rk_array_push(&modules->ranges) = (range){begin, begin + part->p_memsz};
    }
    return 0;
}

static int compare_ranges(const void *a, const void *b)
{
    uintptr_t x = ((const range *)a)->begin, y = ((const range *)b)->begin;
    return (x > y) - (x < y);
}

int rk_modules_note(rk_modules *modules)
{
    modules->ranges = modules->ranges.data ? modules->ranges : (rk_array)RK_ARRAY(range, UINT32_MAX);
    do { /* until no more are loaded meanwhile: nothing is allocated in a walk, which has a lock */
        size_t count = 0;
        modules->ranges.count = 0;
        rk_loaded_walk(count_ranges, &count);
        int status = rk_array_reserve(&modules->ranges, count);
        if (status)
            return status;
    } while (rk_loaded_walk(add_ranges, modules));
    qsort(modules->ranges.data, modules->ranges.count, sizeof(range), compare_ranges);
    return RASK_OK;
}

/* The first of them says it. */
static int see_unloaded(struct dl_phdr_info *info, size_t size, void *context)
{
    *(uint64_t *)context = size >= offsetof(struct dl_phdr_info, dlpi_tls_modid) ? info->dlpi_subs : 0;
    return 1;
}

bool rk_modules_have(const rk_modules *modules, const void *at)
{
    const range *ranges = modules->ranges.data;
    size_t low = 0, high = modules->ranges.count;
    while (low < high) { /* the last that begins at or before it */
        size_t middle = low + (high - low) / 2;
        if (ranges[middle].begin <= (uintptr_t)at)
            low = middle + 1;
        else
            high = middle;
    }
    uint64_t unloaded = 0;
    rk_loaded_walk(see_unloaded, &unloaded);
    return low && (uintptr_t)at < ranges[low - 1].end && unloaded == modules->unloaded;
}

void rk_modules_fini(rk_modules *modules)
{
    rk_array_fini(&modules->ranges);
}

void rk_system_describe_stderr(char *text, size_t capacity)
{
    char path[256];
    ssize_t len = readlink("/proc/self/fd/2", path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    if (len <= 0 || !strcmp(path, "/dev/null"))
        snprintf(text, capacity, "nowhere");
    else if (path[0] == '/')
        snprintf(text, capacity, "to %s", path);
    else
        snprintf(text, capacity, "to this program's standard error");
}

#else

bool rk_system_has_processes(void)
{
    return false;
}

/* Never called. */
bool rk_system_is_mapped(uint64_t address)
{
    (void)address;
    return true;
}

void rk_system_sleep(rk_atomic_u32 *word, uint32_t expected)
{
    (void)word, (void)expected;
}

void rk_system_wake(rk_atomic_u32 *word)
{
    (void)word;
}

int rk_watch_init(rk_watch *watch)
{
    *watch = (rk_watch){-1, -1};
    errno = ENOSYS;
    return RASK_EIO;
}

void rk_watch_fini(rk_watch *watch)
{
    (void)watch;
}

void rk_watch_ring(const rk_watch *watch)
{
    (void)watch;
}

void rk_watch_wait(const rk_watch *watch, uint64_t nanoseconds)
{
    (void)watch, (void)nanoseconds;
}

int rk_child_fork(rk_child *child, rk_watch *watch)
{
    (void)child, (void)watch;
    errno = ENOSYS;
    return -1;
}

bool rk_child_has_ended(const rk_child *child)
{
    (void)child;
    return true;
}

bool rk_child_is_stopped(const rk_child *child, bool *stopped)
{
    (void)child;
    return *stopped;
}

void rk_child_kill(const rk_child *child)
{
    (void)child;
}

void rk_child_end(rk_child *child, const rk_watch *watch, char *how, size_t capacity)
{
    (void)child, (void)watch;
    snprintf(how, capacity, "ended");
}

int rk_modules_note(rk_modules *modules)
{
    (void)modules;
    return RASK_EUNSUPPORTED;
}

bool rk_modules_have(const rk_modules *modules, const void *at)
{
    (void)modules, (void)at;
    return false;
}

void rk_modules_fini(rk_modules *modules)
{
    (void)modules;
}

void rk_system_describe_stderr(char *text, size_t capacity)
{
    snprintf(text, capacity, "to this program's standard error");
}

#endif
