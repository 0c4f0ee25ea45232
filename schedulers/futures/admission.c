/* What a future takes of what is counted. */
#include "schedulers/futures/admission.h"

#include "core/base/alloc.h"
#include "schedulers/futures/executor.h"

#include <stddef.h>
#include <string.h>

_Static_assert(offsetof(rk_admission, waiter) == 0, "one pointer serves as the other's");

static void refuse(rask_future *future, int status, const char *why)
{
    future->flags |= RK_FUTURE_REFUSED;
    future->status = status;
    future->message = rk_strndup(why, strlen(why));
}

static const char *const not_here =
    "it takes what the program counts, and cannot go there from the process in which it grew: numbers that "
    "may be addresses "
    "of memory, functions that the program does not have, and values without encode() and decode() keep it";

static const char *const no_memory = "no memory for what it takes";

void rk_admission_init(rask_future *future, const char *tags)
{
    rk_gate *gate = future->executor->gate;
    char why[RK_MAX_MESSAGE];
    rk_needs needs;
    uint32_t class = 0;
    if (!*tags && !rk_gate_counters(gate))
        return;
    if (rk_gate_need(gate, future->def->name, tags, &needs, why, sizeof why))
        refuse(future, RASK_EINVAL, why);
    else if (rk_gate_class(gate, &needs, &class))
        refuse(future, RASK_ELIMIT, RK_TOO_MANY_NEED_KINDS);
    else if (class && future->executor->counted_elsewhere && !future->executor->permits)
        refuse(future, RASK_EUNSUPPORTED, not_here);
    else if (class && !(future->admission = rk_calloc(1, sizeof *future->admission)))
        refuse(future, RASK_ENOMEM, no_memory);
    if (future->admission)
        *future->admission =
            (rk_admission){.waiter = {.class = class, .priority = future->priority, .place = future->number},
                           .future = future};
}

void rk_admission_refuse(rk_admission *admission, int status, const char *why)
{
    admission->refused = status;
    admission->why = rk_strndup(why, strlen(why));
}

void rk_admission_free(rk_admission *admission)
{
    if (admission)
        rk_free(admission->why);
    rk_free(admission);
}

bool rk_admission_enter(rask_future *future, rk_gate *gate)
{
    const rk_permits *permits = future->executor->permits;
    if (!future->admission)
        return true;
    if (!permits)
        return rk_gate_enter(gate, &future->admission->waiter);
    permits->ask(permits->context, future->admission);
    return false;
}

rk_gate_waiter *rk_admission_leave(rask_future *future, rk_gate *gate)
{
    const rk_permits *permits = future->executor->permits;
    rk_admission *admission = future->admission;
    if (!admission || rk_exchange_acq_rel(&admission->left, true))
        return NULL;
    if (!permits)
        return rk_gate_leave(gate, admission->waiter.class);
    permits->give(permits->context, admission);
    return NULL;
}

bool rk_admission_give_up(rask_future *future, rk_gate *gate, rk_gate_waiter **others)
{
    const rk_permits *permits = future->executor->permits;
    *others = NULL;
    if (!future->admission)
        return false;
    return permits ? permits->forget(permits->context, future->admission)
                   : rk_gate_forget(gate, &future->admission->waiter, others);
}
