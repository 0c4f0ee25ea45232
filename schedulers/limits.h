/* schedulers/limits: what the units of a plan take while they run, of what rask_options.limits counts. A run has one gate
 * (schedulers/gate.h); before a unit runs it passes it, unless it takes nothing.
 *
 * Whoever runs one unit after the other needs no gate: what each takes alone has been checked. So no unit that takes something may
 * rest there until its next call (schedulers/serial.c). */
#ifndef RASK_SCHEDULERS_LIMITS_H
#define RASK_SCHEDULERS_LIMITS_H

#include "core/plan/plan.h"
#include "schedulers/gate.h"
#include "schedulers/run.h"

/* Places of units at the gate: behind those of what tasks of the run grew (schedulers/growth.h), which pass the same gate. */
#define RK_UNIT_PLACE ((uint64_t)1 << 63)

typedef struct rk_limits {
    rk_gate *gate;
    rk_array waiters; /* rk_gate_waiter: of the units that take something, ascending by them */
} rk_limits;

/* limits: as in rask_options, or NULL. *out: NULL when no unit takes anything. RASK_OK; RASK_EINVAL, RASK_ELIMIT: what
 * rk_gate_new() and rk_gate_need() complain of, for some task of the plan, or too many combinations; RASK_ENOMEM. Failures
 * get a reason, which names the task. */
int rk_limits_new(const rask_plan *plan, const char *limits, rk_limits **out, char *reason, size_t capacity);
/* NULL is legal. */
void rk_limits_free(rk_limits *limits);

/* How many there are of each counter; how many counters. */
uint32_t rk_limits_totals(const rk_limits *limits, uint32_t totals[RK_MAX_LIMITS]);

/* NULL: the unit takes nothing. */
rk_gate_waiter *rk_limits_of(const rk_limits *limits, uint32_t unit);

/* The unit that waited; RK_NO_UNIT: it is none. */
static inline uint32_t rk_limits_unit_of(const rk_gate_waiter *waiter)
{
    return waiter->place & RK_UNIT_PLACE ? (uint32_t)waiter->place : RK_NO_UNIT;
}

/* True: the unit may run. False: rk_limits_leave() of another unit hands it out. */
static inline bool rk_limits_enter(const rk_limits *limits, uint32_t unit)
{
    rk_gate_waiter *waiter = rk_limits_of(limits, unit);
    return !waiter || rk_gate_enter(limits->gate, waiter);
}

/* A unit that may have been let in has run, or will go on later: who may run by that, which is the caller's to see to. */
static inline rk_gate_waiter *rk_limits_leave(const rk_limits *limits, uint32_t unit)
{
    rk_gate_waiter *waiter = rk_limits_of(limits, unit);
    if (!waiter || !waiter->inside)
        return NULL;
    waiter->inside = false;
    return rk_gate_leave(limits->gate, waiter->class);
}

#endif
