/* Parts of files under a lease.
 *
 * users counts the parts that are mapped: the first takes the lease, the last gives it back. While one does so the count is
 * BUSY, and whoever comes then reads instead of waiting. When somebody wants to write, the kernel lets them wait and the
 * lease's type says so: no part is mapped any more, those in use end soon. The kernel waits for some 45 s
 * (/proc/sys/fs/lease-break-time); a part is in use for milliseconds. */
#if defined __linux__ && !defined _GNU_SOURCE
#    define _GNU_SOURCE /* F_SETLEASE, F_SETSIG, preadv2 */
#endif
#include "core/base/mapped.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

void rk_mappable_init(rk_mappable *file)
{
    file->process = getpid();
    rk_init(&file->users, 0);
}

#if defined __linux__ && defined F_SETLEASE && defined RWF_NOWAIT

#    ifndef MADV_POPULATE_READ
#        define MADV_POPULATE_READ 22 /* Linux 5.14; others refuse it */
#    endif

enum { BUSY = UINT32_MAX };

/* Of a lease that is asked for the kernel tells by a signal, SIGIO, which would end the program: SIGURG does not, and
 * without an owner none is sent. */
static bool take_lease(int fd)
{
    if (fcntl(fd, F_SETSIG, SIGURG) || fcntl(fd, F_SETLEASE, F_RDLCK))
        return false;
    fcntl(fd, F_SETOWN, 0);
    return true;
}

/* A user leaves, so the count is neither 0 nor BUSY. */
static void leave(rk_mappable *file, int fd)
{
    uint32_t users = rk_load_relaxed(&file->users);
    while (!rk_cas_acq_rel(&file->users, &users, users == 1 ? BUSY : users - 1)) {
    }
    if (users > 1)
        return;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    rk_store_release(&file->users, 0);
}

/* One more user of the lease, unless somebody waits for its end. */
static bool join(rk_mappable *file, int fd)
{
    uint32_t users = rk_load_relaxed(&file->users);
    do {
        if (users >= BUSY - 1)
            return false;
    } while (!rk_cas_acq_rel(&file->users, &users, users ? users + 1 : BUSY));
    if (!users) {
        bool taken = take_lease(fd);
        rk_store_release(&file->users, taken);
        return taken;
    }
    if (fcntl(fd, F_GETLEASE) == F_RDLCK)
        return true;
    leave(file, fd);
    return false;
}

/* Reading ahead is what read(2) is good at: parts on disk are left to it. */
static bool is_in_memory(int fd, int64_t place)
{
    char byte;
    return preadv2(fd, &(struct iovec){&byte, 1}, 1, (off_t)place, RWF_NOWAIT) == 1;
}

static bool map_pages(int fd, int64_t first, size_t len, rk_mapped *part)
{
    int64_t page = sysconf(_SC_PAGESIZE), start = first - first % page;
    size_t pages_len = len + (size_t)(first - start);
    void *pages = mmap(NULL, pages_len, PROT_READ, MAP_SHARED, fd, (off_t)start);
    if (pages == MAP_FAILED)
        return false;
    if (madvise(pages, pages_len, MADV_POPULATE_READ)) {
        munmap(pages, pages_len);
        return false;
    }
    *part = (rk_mapped){.fd = fd,
                        .data = (const char *)pages + (first - start),
                        .first = first,
                        .len = len,
                        .pages = pages,
                        .pages_len = pages_len};
    return true;
}

bool rk_map(rk_mappable *file, int fd, int64_t first, size_t len, rk_mapped *part)
{
    if (file->process != getpid() || !is_in_memory(fd, first) ||
        !is_in_memory(fd, first + (int64_t)len - 1) || !join(file, fd))
        return false;
    if (!map_pages(fd, first, len, part)) {
        leave(file, fd);
        return false;
    }
    part->file = file;
    return true;
}

void rk_unmap(rk_mapped *part)
{
    if (!part->file)
        return;
    munmap(part->pages, part->pages_len);
    leave(part->file, part->fd);
    *part = (rk_mapped){0};
}

#else

bool rk_map(rk_mappable *file, int fd, int64_t first, size_t len, rk_mapped *part)
{
    (void)file, (void)fd, (void)first, (void)len, (void)part;
    return false;
}

void rk_unmap(rk_mapped *part)
{
    (void)part;
}

#endif
