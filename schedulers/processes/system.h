/* schedulers/processes/system: what the scheduler asks of the system: processes, sleeping and waking across them, shared
 * pages. The one place here that knows which system it is. */
#ifndef RASK_SCHEDULERS_PROCESSES_SYSTEM_H
#define RASK_SCHEDULERS_PROCESSES_SYSTEM_H

#include "core/base/array.h"
#include "core/base/atomic.h"

#include <stddef.h>
#include <sys/types.h>

/* Worker processes can be had here. */
bool rk_system_has_processes(void);

/* Zeroed pages that processes forked later share; nothing is resident before it is written. NULL: none. */
void *rk_system_share(uint64_t bytes);
void rk_system_unshare(void *at, uint64_t bytes);

/* There is something at that address in this process. */
bool rk_system_is_mapped(uint64_t address);

/* Sleeps while *word is expected, or for a while; wakes for no reason at times. */
void rk_system_sleep(rk_atomic_u32 *word, uint32_t expected);
void rk_system_wake(rk_atomic_u32 *word);

/* What the program's process waits for: a bell that workers ring, and their ends. */
typedef struct rk_watch {
    int poll, bell;
} rk_watch;

/* RASK_OK, or RASK_EIO with errno's reason. */
int rk_watch_init(rk_watch *watch);
void rk_watch_fini(rk_watch *watch);
/* From any process; cheap, but a system call. */
void rk_watch_ring(const rk_watch *watch);
/* Until the bell rings, a child ends, or so many nanoseconds have passed. */
void rk_watch_wait(const rk_watch *watch, uint64_t nanoseconds);

typedef struct rk_child {
    pid_t pid; /* 0: there is none */
    int fd;    /* readable when it has ended */
} rk_child;

/* 1 in the child, which is killed when the calling thread ends; 0 in the caller; -1: not possible, errno says
 * why. */
int rk_child_fork(rk_child *child, rk_watch *watch);
bool rk_child_has_ended(const rk_child *child);
/* It was stopped by a signal (SIGSTOP) since the last time this was asked, and not continued. *stopped: the answer
 * of the last time, 0 at first. */
bool rk_child_is_stopped(const rk_child *child, bool *stopped);
void rk_child_kill(const rk_child *child);
/* Waits for its end and forgets it; how it ended, in words: "was killed by SIGSEGV (Segmentation fault)". */
void rk_child_end(rk_child *child, const rk_watch *watch, char *how, size_t capacity);
/* The program and the libraries that are loaded. Zeroed: none. */
typedef struct rk_modules {
    rk_array ranges;   /* by address */
    uint64_t unloaded; /* how many were, so far */
} rk_modules;

/* Notes those that are there now. RASK_ENOMEM; RASK_EUNSUPPORTED: not to be known here. */
int rk_modules_note(rk_modules *modules);
/* It is in one of them, which is where it was. */
bool rk_modules_have(const rk_modules *modules, const void *at);
void rk_modules_fini(rk_modules *modules);

/* Where this process's standard error goes, in words. */
void rk_system_describe_stderr(char *text, size_t capacity);

#endif
