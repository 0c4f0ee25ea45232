/* schedulers/units: the units of a run as the coordinator's tasks: same numbers, same order. What the hands of the coordinator
 * have in common: how units are described to it, its judgements in words, and what observers are told of units that were
 * executed elsewhere. */
#ifndef RASK_SCHEDULERS_UNITS_H
#define RASK_SCHEDULERS_UNITS_H

#include "schedulers/coordinator/coordinator.h"
#include "schedulers/run.h"

typedef struct rk_units {
    rk_run *run;
    rk_coordinator_graph graph; /* refers to this structure, which stays where it is */
    uint64_t *input_start;
    uint32_t *inputs;
    uint8_t *is_target;
    uint8_t *told; /* observers know; NULL: there are none */
} rk_units;

/* RASK_ENOMEM: what there is goes with fini(), which is legal for zeroed memory. */
int rk_units_init(rk_units *units, rk_run *run);
void rk_units_fini(rk_units *units);

/* The task that a unit's result is the result of. */
static inline uint32_t rk_units_last(const rk_units *units, uint32_t unit)
{
    return units->run->plan->unit_start[unit + 1] - 1;
}

/* BLAME in words: the status, with its text, and the task that it is about. last_words: how the last worker ended that died of
 * it; disk: why nothing more can be put there, "" where that is not known. */
int rk_units_blame(const rk_units *units, const rk_instruction *in, const char *last_words, const char *disk,
                   uint32_t *task, char *text, size_t capacity);

/* Observers know what became of the unit, and are told which ones are ready by it. */
void rk_units_told(rk_units *units, uint32_t unit);
/* The unit has failed, and no worker told of it: observers learn what of, unless they know. */
void rk_units_tell_failed(rk_units *units, uint32_t unit);
/* At the end: a run that was told to stop when all was done, but for the telling, was not, and *end_status is RASK_OK again; unless a
 * target is missing where it is wanted. */
void rk_units_forgive_stop(const rk_units *units, int *end_status,
                           bool (*is_missing)(void *context, uint32_t unit), void *context);
/* At the end: observers learn of units that nothing was told of. */
void rk_units_tell_rest(rk_units *units);

#endif
