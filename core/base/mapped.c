/* Parts of files under a lease.
 *
 * users counts the parts that are mapped: the first takes the lease, the last gives it back. While one does so the count is
 * BUSY, and whoever comes then reads instead of waiting. When somebody wants to write, the kernel lets them wait and the
 * lease's type says so: no part is mapped any more, those in use end soon. The kernel waits for some 45 s
 * (/proc/sys/fs/lease-break-time); a part is in use for milliseconds.
 *
 * A part gets its addresses for much of its way at once, and as it moves on pages are put behind them and taken away: that
 * needs the address space for reading only, where mapping and unmapping each stretch would have the workers wait for one
 * another, and the page tables stay. */
#if defined __linux__ && !defined _GNU_SOURCE
#    define _GNU_SOURCE /* F_SETLEASE, F_SETSIG, preadv2 */
#endif
#include "core/base/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

void rk_mappable_init(rk_mappable *file)
{
    file->process = getpid();
    rk_init(&file->users, 0);
    rk_init(&file->refused, false);
}

#if defined __linux__ && defined F_SETLEASE && defined RWF_NOWAIT

#    ifndef MADV_POPULATE_READ
#        define MADV_POPULATE_READ 22 /* Linux 5.14; others refuse it */
#    endif

enum { BUSY = UINT32_MAX, RANGE = 32 << 20 /* bytes of addresses, when a part needs no more */ };

/* Of a lease that is asked for the kernel tells by a signal, SIGIO, which would end the program: SIGURG does not, and
 * without an owner none is sent. */
static bool take_lease(int fd)
{
    if (fcntl(fd, F_SETSIG, SIGURG) || fcntl(fd, F_SETLEASE, F_RDLCK))
        return false;
    fcntl(fd, F_SETOWN, 0);
    return true;
}

/* Nobody waits for its end. */
static bool is_leased(int fd)
{
    return fcntl(fd, F_GETLEASE) == F_RDLCK;
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
        if (!taken && errno != EAGAIN) /* which says that somebody writes to it */
            rk_store_relaxed(&file->refused, true);
        rk_store_release(&file->users, taken);
        return taken;
    }
    if (is_leased(fd))
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

/* Addresses from byte `first` on, which begins a page; no pages stand behind them yet. */
static bool take_range(rk_mapped *part, int64_t first, size_t len)
{
    if (part->range)
        munmap(part->range, part->range_len);
    void *range = mmap(NULL, len, PROT_READ, MAP_SHARED, part->fd, (off_t)first);
    part->range = range == MAP_FAILED ? NULL : range;
    part->range_len = len;
    part->range_first = part->from = part->to = first;
    return part->range;
}

static bool advise(const rk_mapped *part, int64_t from, int64_t to, int advice)
{
    return from >= to || !madvise(part->range + (from - part->range_first), (size_t)(to - from), advice);
}

/* Takes away the pages outside from … to - 1, and puts all of these there. */
static bool move_pages(rk_mapped *part, int64_t from, int64_t to)
{
    bool on = from >= part->from && from < part->to && to >= part->to;
    if (!advise(part, part->from, on ? from : part->to, MADV_DONTNEED))
        return false;
    if (!advise(part, on ? part->to : from, to, MADV_POPULATE_READ)) {
        if (errno == EINVAL)
            rk_store_relaxed(&part->file->refused, true);
        return false;
    }
    part->from = from;
    part->to = to;
    return true;
}

static bool move_part(rk_mapped *part, int64_t first, size_t len, size_t reach)
{
    int64_t page = sysconf(_SC_PAGESIZE), from = first - first % page;
    int64_t last = first + (int64_t)len - 1, to = last - last % page + page;
    if (!part->range || from < part->range_first || to > part->range_first + (int64_t)part->range_len) {
        size_t range = reach < RANGE ? (reach + (size_t)(2 * page - 1)) & ~(size_t)(page - 1) : RANGE;
        if (!take_range(part, from, range > (size_t)(to - from) ? range : (size_t)(to - from)))
            return false;
    }
    if (!move_pages(part, from, to))
        return false;
    part->data = part->range + (first - part->range_first);
    part->first = first;
    part->len = len;
    return true;
}

bool rk_map(rk_mappable *file, int fd, int64_t first, size_t len, size_t reach, rk_mapped *part)
{
    bool moves = part->file, may = !rk_load_relaxed(&file->refused) && is_in_memory(fd, first) &&
                                   is_in_memory(fd, first + (int64_t)len - 1);
    if (may && !moves && file->process == getpid() && join(file, fd))
        *part = (rk_mapped){.file = file, .fd = fd};
    if (may && part->file && (!moves || is_leased(fd)) && move_part(part, first, len, reach))
        return true;
    rk_unmap(part);
    return false;
}

void rk_unmap(rk_mapped *part)
{
    if (!part->file)
        return;
    if (part->range)
        munmap(part->range, part->range_len);
    leave(part->file, part->fd);
    *part = (rk_mapped){0};
}

#else

bool rk_map(rk_mappable *file, int fd, int64_t first, size_t len, size_t reach, rk_mapped *part)
{
    (void)file, (void)fd, (void)first, (void)len, (void)reach, (void)part;
    return false;
}

void rk_unmap(rk_mapped *part)
{
    (void)part;
}

#endif
