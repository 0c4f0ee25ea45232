/* schedulers/gate: counted things that tasks take while they run, and who waits for them.
 *
 * A gate has a counter for each name that there is a limit for. Who wants to pass asks for some of several at once and gets all or
 * nothing; who gets nothing waits, and is handed out by whoever gives back what it waits for: the caller goes on with something
 * else. Of those that wait, the larger priority goes first, and among equals the smaller place. One that does not fit yet lets
 * others pass, but not with what it is waiting for: what it needs is set aside for it as it is given back, so that who needs
 * much is not kept waiting for ever by those who need little.
 *
 * A gate knows neither runs nor tasks. Thread-safe. No call blocks for longer than its lock. */
#ifndef RASK_SCHEDULERS_GATE_H
#define RASK_SCHEDULERS_GATE_H

#include "core/base/limits.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct rk_gate rk_gate;

/* How much of which counters. */
typedef struct rk_needs {
    uint32_t count;
    struct {
        uint32_t counter, count;
    } of[RK_MAX_GATE_NEEDS]; /* ascending */
} rk_needs;

/* Somebody who wants to pass; the caller's memory, which stays where it is while it waits. */
typedef struct rk_gate_waiter {
    uint32_t class;
    int32_t priority;
    uint64_t place; /* among those of the same priority, smaller first */
    bool inside;    /* it has what it needs: the gate says so, and who leaves says that it has not any more */
    /* The gate's while it waits; next also links those that are handed out together. */
    struct rk_gate_waiter *child, *next, *previous;
} rk_gate_waiter;

/* limits: "gpu=1,licence=4". RASK_OK; RASK_EINVAL: not of that form, or a name is there twice; RASK_ELIMIT: more than
 * RK_MAX_LIMITS names; RASK_ENOMEM. Failures get a reason. */
int rk_gate_new(const char *limits, rk_gate **out, char *reason, size_t capacity);
/* Nobody waits, or nobody cares. NULL is legal. */
void rk_gate_free(rk_gate *gate);

/* Counters, and how many there are of each. */
uint32_t rk_gate_counters(const rk_gate *gate);
uint32_t rk_gate_total(const rk_gate *gate, uint32_t counter);

/* What a task takes: its tags, and one of its own name where there is a limit for it and its tags do not say how many.
 * RASK_OK; RASK_EINVAL: there is no limit for a tag, or less than it takes. Failures get a reason. */
int rk_gate_need(const rk_gate *gate, const char *name, const char *tags, rk_needs *out, char *reason,
                 size_t capacity);

/* What one takes that runs tasks with these and those needs one after the other: the larger number of each. RASK_OK, or
 * RASK_ELIMIT: more than RK_MAX_GATE_NEEDS counters. */
int rk_needs_join(rk_needs *these, const rk_needs *those);

#define RK_TOO_MANY_NEED_KINDS "there are too many combinations of what tasks take: 20 are possible"
_Static_assert(RK_MAX_NEED_KINDS == 20, "a message says so");

/* The number of these needs, for waiters; 0: none at all. RASK_OK, or RASK_ELIMIT: more than RK_MAX_NEED_KINDS. */
int rk_gate_class(rk_gate *gate, const rk_needs *needs, uint32_t *class);
/* They live as long as the gate, and stay where they are. */
const rk_needs *rk_gate_needs(const rk_gate *gate, uint32_t class);

/* True: it has what it needs. False: it waits, and will be handed out, perhaps already has been. */
bool rk_gate_enter(rk_gate *gate, rk_gate_waiter *waiter);

/* Gives back what one who had passed took. Those who have what they need by that, linked by next, first ones first: the
 * caller's to set going; NULL: none. */
rk_gate_waiter *rk_gate_leave(rk_gate *gate, uint32_t class);

/* A gate may have less than its totals, because others count the same things. */

/* By counter: how much more those who wait could use than is there. */
void rk_gate_wanted(rk_gate *gate, uint32_t *more);
/* By counter: so much more is there now. Those who are let in by that, as in rk_gate_leave(). */
rk_gate_waiter *rk_gate_add(rk_gate *gate, const uint32_t *more);
/* By counter: what is there that nobody takes or waits for is not there any more. True: it is something. */
bool rk_gate_remove_spare(rk_gate *gate, uint32_t *spare);

/* Who waits does not want to any more. True: it did not get anything; *others: as rk_gate_leave(). False: it has been handed
 * out. */
bool rk_gate_forget(rk_gate *gate, rk_gate_waiter *waiter, rk_gate_waiter **others);

#endif
