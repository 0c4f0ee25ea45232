/* schedulers/processes/mover: a thread of the program's process that writes results into the scratch file and reads them
 * back, so that the run goes on meanwhile. Extents keep their addresses while their pages are gone. */
#ifndef RASK_SCHEDULERS_PROCESSES_MOVER_H
#define RASK_SCHEDULERS_PROCESSES_MOVER_H

#include "core/base/atomic.h"
#include "core/store/scratch.h"
#include "schedulers/processes/region.h"
#include "schedulers/processes/system.h"

typedef struct rk_move {
    bool back; /* from the file; else into it */
    uint32_t unit, attempt;
    int status; /* RASK_OK or RASK_EIO */
    uint64_t bytes;
    uint64_t start_ns, end_ns;
    struct rk_move *next;
    uint64_t count;
    void *extents[]; /* nobody frees them until it is done */
} rk_move;

typedef struct rk_mover {
    rk_scratch scratch;
    const rk_watch *watch; /* is rung when something is done */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    rk_move *first, **last, *done;
    bool started, ending;
    char message[512]; /* of the first failure; under the lock */
    uint64_t written, read;
    rk_atomic_u64 on_disk; /* bytes of contents that are in the file */
} rk_mover;

void rk_mover_init(rk_mover *mover, const char *folder, const rk_watch *watch);
/* Waits for what is under way. */
void rk_mover_fini(rk_mover *mover);

/* RASK_OK: it is under way, and the mover's until rk_mover_next_done() gives it back. RASK_ENOMEM: no thread; it is the
 * caller's. */
int rk_mover_move(rk_mover *mover, rk_move *move);
/* Something that is done, the caller's to free; NULL: nothing. */
rk_move *rk_mover_next_done(rk_mover *mover);
/* An extent that ends while its content is in the file. */
void rk_mover_forget(rk_mover *mover, void *content);

#endif
