/* schedulers/checkpoint/checkpoint: runs that keep what they finish, and go on where others ended.
 *
 * A run with options.checkpoint looks for the results of its calls in the folder's journal. What is found is read instead of called,
 * and what only feeds that is not there at all: the plan that runs is another one, made of the calls that are left
 * (derive.h). What they come to is kept as it comes. */
#ifndef RASK_SCHEDULERS_CHECKPOINT_CHECKPOINT_H
#define RASK_SCHEDULERS_CHECKPOINT_CHECKPOINT_H

#include "schedulers/checkpoint/journal.h"

#include <rask/plan.h>

/* What a run knows of it whose tasks run in the program's own process. */
typedef struct rk_checkpoint {
    rk_journal *journal;
    rk_key *keys; /* by task: none where its result is not kept */
} rk_checkpoint;

/* The task came to this value, which stays the caller's. */
static inline void rk_checkpoint_keep(const rk_checkpoint *checkpoint, uint32_t task, const rask_value *value)
{
    if (rk_key_is(checkpoint->keys[task]))
        rk_journal_put(checkpoint->journal, checkpoint->keys[task], value);
}

/* Runs the plan as rk_plan_execute() does (schedulers/scheduler.h), with what the folder of options.checkpoint has, which is not
 * empty. options are resolved. What fails before anything runs fails with the message in the plan and its graph. */
int rk_checkpoint_run(rask_plan *plan, const rask_options *options, rask_value *results);

/* The memory that work is cut for where nobody says how much there is, so that the same calls are made of the same data: that of
 * the folder's first run, unless the machine has less by now. NULL, "", or a folder that cannot be used: false. */
bool rk_checkpoint_memory(const char *folder, uint64_t *memory);

#endif
