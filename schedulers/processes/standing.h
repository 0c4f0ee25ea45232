/* schedulers/processes/standing: a worker process that stands by for single calls, one after the other.
 *
 * It belongs to one thread, which forks it, gives it calls and waits for what comes of them. It sees the program's memory as it
 * was at the fork. A call goes there by shared memory: the function's address, arguments as parcels,
 * and the result comes back as a parcel that is read where it was written. One that dies is replaced by the next call.
 *
 * Whatever cannot go there has to be called elsewhere: functions, definitions and classes that are not in the program or in a
 * library that was loaded at the fork, custom values without encode() and decode(), numbers that are addresses of the program's
 * memory as it is now, and tasks that run in the program's own process only (RASK_HERE); and so has what it died of. */
#ifndef RASK_SCHEDULERS_PROCESSES_STANDING_H
#define RASK_SCHEDULERS_PROCESSES_STANDING_H

#include "schedulers/call.h"

typedef struct rk_standing rk_standing;

typedef struct rk_lone_call {
    const rask_task_def *def;
    const rask_value *args;
    uint32_t nargs;
    uint32_t worker; /* number, as the task sees it */
    bool
        spreads; /* others have time: nodes that it returns are its result, where they can travel; else it runs them itself */
    bool counts; /* the caller counts what they take: they are its result whenever they can travel */
    rk_call_terms terms;
    uint64_t grown_retries; /* set: calls repeated of what grew and ran there */
    uint32_t attempt; /* with which it begins; then, with which it has ended, or has to begin elsewhere */
    uint64_t
        rest_ns; /* set: how long it has to rest before it is called again, with the next; 0: it is not */
    const rask_cancel_token
        *cancel; /* looked at now and then; a task that does not end by it is killed after its grace */
} rk_lone_call;

/* Of the calling thread, and forked by it: best while no other thread is busy, since a lock that one of them has at that moment, in
 * an allocator say, is never free in the process. options are resolved. NULL: no memory, or not on this system. */
rk_standing *rk_standing_new(const rask_options *options);

/* True: the call was made, and *status is what came of it, with *result, or a text in message (RK_MAX_MESSAGE + 1 bytes).
 * False: it is to be made elsewhere. Blocks; the caller's references to arguments stay the caller's. */
bool rk_standing_call(rk_standing *s, rk_lone_call *call, int *status, rask_value *result, char *message);

/* By the same thread: the process ends; results that somebody still has stay. */
void rk_standing_free(rk_standing *s);

#endif
