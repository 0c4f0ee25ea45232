/* core/observe/told: what observers are told, and what it comes to: the same for all of them. */
#ifndef RASK_CORE_OBSERVE_TOLD_H
#define RASK_CORE_OBSERVE_TOLD_H

#include <rask/observe.h>
#include <string.h>

/* What was cancelled is nobody's failure: somebody wanted no more of it. */
static inline bool rk_has_failed(int status)
{
    return status != RASK_OK && status != RASK_ECANCELLED;
}

/* Workers are threads of this process: they tell of tasks themselves, and what they compute costs its time. */
static inline bool rk_runs_here(const rask_run_info *run)
{
    return !strcmp(run->scheduler, "threads") || !strcmp(run->scheduler, "serial");
}

#endif
