/* core/base/loaded: the objects that are loaded into this process, program and libraries. Linux alone. */
#ifndef RASK_CORE_BASE_LOADED_H
#define RASK_CORE_BASE_LOADED_H

#ifdef __linux__

#    include <link.h>

/* dl_iterate_phdr(3), which see, that a fork waits for: the C library has a lock meanwhile, which a child that was forked then
 * would find taken for good. Thread-safe; look must not fork, load, allocate or lock. */
int rk_loaded_walk(int (*look)(struct dl_phdr_info *, size_t, void *), void *context);

#endif

#endif
