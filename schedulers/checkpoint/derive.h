/* schedulers/checkpoint/derive: the plan of what is left to do. */
#ifndef RASK_SCHEDULERS_CHECKPOINT_DERIVE_H
#define RASK_SCHEDULERS_CHECKPOINT_DERIVE_H

#include "core/plan/plan.h"
#include "schedulers/checkpoint/journal.h"

/* By task of the plan that was asked for. */
enum {
    RK_LEFT_NEEDED = 1, /* it is called, or read */
    RK_LEFT_FOUND = 2,  /* it is read */
    RK_LEFT_KEPT = 4    /* its result is kept */
};

typedef struct rk_left {
    const rask_plan *plan; /* what was asked for */
    rk_journal *journal;
    const rk_key *keys; /* by its tasks */
    uint8_t *state;     /* by them, too */
    uint64_t *bytes;    /* of those that are found, on disk */
    uint32_t *task_of;  /* by node: its task; UINT32_MAX: it has none */
    uint32_t nodes;
    uint32_t found; /* results that are read */
} rk_left;

/* What is left to do. RASK_ENOMEM; fini() is called all the same. */
int rk_left_init(rk_left *left, const rask_plan *plan, rk_journal *journal, const rk_key *keys);
void rk_left_fini(rk_left *left);

/* The plan of that, whose nodes have the ids of the first plan's: with a task for each result that is read, and, where tasks run in
 * other processes (apart), one for each that is kept, which are targets behind those that were asked for and are tasks.
 * RASK_ENOMEM, RASK_ELIMIT. */
int rk_left_plan(const rk_left *left, bool apart, rask_plan **out);

/* By task of that plan, or of the first one: the key of a result that is kept. To be ended with rk_free(); NULL: no memory. */
rk_key *rk_left_keys(const rk_left *left, const rask_plan *plan);

#endif
