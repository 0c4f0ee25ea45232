/* core/base/mapped: parts of files read where the kernel keeps them, without a copy.
 *
 * Who reads a mapping of a file that somebody cuts short gets a signal, where read(2) gets an error. So a part is mapped
 * only while this process holds a read lease on the file (fcntl(2), F_SETLEASE): nobody can open it for writing or cut it
 * before the lease is given back, which happens as soon as the parts in use are unmapped. Whatever is in the way (somebody
 * writes to the file, it belongs to another user, its pages are not in memory, the system knows no leases) is no error:
 * the part is not mapped, and has to be read. */
#ifndef RASK_CORE_BASE_MAPPED_H
#define RASK_CORE_BASE_MAPPED_H

#include "core/base/atomic.h"

#include <stddef.h>
#include <sys/types.h>

/* One for each open file, shared by its readers. A process that was forked off reads: the lease is not its own. */
typedef struct rk_mappable {
    pid_t process; /* that may map */
    rk_atomic_u32 users;
    rk_atomic_bool refused; /* for good: the system has no such pages, or no lease for us */
} rk_mappable;

/* A part that moves through the file with its reader; one thread's at a time. Zeroed is legal: nothing is mapped. */
typedef struct rk_mapped {
    rk_mappable *file;
    int fd;
    const char *data; /* of byte first */
    int64_t first;
    size_t len;
    char *range; /* addresses for range_len bytes of the file, from range_first on; */
    size_t range_len;
    int64_t range_first, from, to; /* pages stand behind those of bytes from … to - 1 */
} rk_mapped;

void rk_mappable_init(rk_mappable *file);

/* Bytes first … first + len - 1, at least one, of the file that is open for reading only as fd, always the same. part was
 * zeroed, or has been a part of this file, which is done with: it moves on, and keeps its pages where the two overlap.
 * reach: how far from first on its reader is going, len at least. False: nothing is mapped any more. Thread-safe; waits
 * for nobody. */
bool rk_map(rk_mappable *file, int fd, int64_t first, size_t len, size_t reach, rk_mapped *part);
void rk_unmap(rk_mapped *part);

#endif
