/* core/store/available: memory that is still to be had. */
#ifndef RASK_CORE_STORE_AVAILABLE_H
#define RASK_CORE_STORE_AVAILABLE_H

#include <rask/options.h>

/* Bytes that this process could still take: what the machine has available and what the cgroup's limits leave,
 * whichever is least. Asks the system at most ten times a second. Behind rask_default_memory(). */
uint64_t rk_available_memory(void);

/* The most bytes of memory that this program has had resident; 0: the system does not say. */
uint64_t rk_peak_rss(void);

#endif
