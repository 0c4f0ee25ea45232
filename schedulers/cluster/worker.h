/* schedulers/cluster/worker: a process that executes units for a program elsewhere: the same program, started as a worker. */
#ifndef RASK_SCHEDULERS_CLUSTER_WORKER_H
#define RASK_SCHEDULERS_CLUSTER_WORKER_H

#include "schedulers/cluster/setup.h"

typedef struct rk_worker_setup {
    const char *address;         /* of the program */
    const rk_cluster_keys *keys; /* NULL: everybody is let in */
    const char *key_file;        /* for words: where they are from, "" or NULL */
    uint32_t threads, lanes;     /* not 0; may be 0 */
    uint64_t memory;
    const char *scratch;
    double
        patience; /* seconds that it goes on looking for a program, when there is none, unless the first refuses it again
                      * and again; infinite: for good, whoever refuses it */
    void (*waiting)(void *context, const char *why); /* as in rask_worker_options; NULL: nobody is told */
    void *context;
} rk_worker_setup;

/* In a process that became a worker. Until SIGTERM or SIGINT, or until no program was there for so long. RASK_OK; RASK_EIO: never a program was reached;
 * RASK_EINVAL: it refused the worker; or as the engine's open(); with a reason. */
int rk_worker_work(const rk_worker_setup *setup, char *reason, size_t capacity);

/* main() has called rask_cluster_init(): RASK_WORKER_OF makes workers of this program. */
bool rk_worker_may_be(void);

/* This process is a worker. */
bool rk_worker_is(void);
/* Also while it gets ready. */
void rk_worker_become(bool one);

#endif
