/* core/observe/dashboard/system: what the system says of processes and threads. Where it says nothing, all is 0. */
#ifndef RASK_CORE_OBSERVE_DASHBOARD_SYSTEM_H
#define RASK_CORE_OBSERVE_DASHBOARD_SYSTEM_H

#include <stdint.h>

/* Bytes that are resident; process 0: this one. */
uint64_t rk_system_resident(uint64_t process);

/* Nanoseconds that a thread of this process, or all threads of another process, ran for. */
uint64_t rk_system_thread_ns(uint32_t thread);
uint64_t rk_system_process_ns(uint64_t process);

#endif
