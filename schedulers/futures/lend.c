/* Calls that go from one executor to another: see the header. */
#include "schedulers/futures/lend.h"

#include "schedulers/futures/queue.h"

typedef struct known_growers {
    const rask_task_def *const *defs;
    uint32_t count;
} known_growers;

static bool is_grower(const known_growers *g, const rask_task_def *def)
{
    uint32_t i = 0;
    while (i < g->count && g->defs[i] != def)
        i++;
    return i < g->count;
}

/* One that has been called is not: how often that was is known here. Nor one that cannot have what it takes: it fails here. */
static bool may_go(const void *context, const rask_future *future)
{
    const uint32_t never = RK_FUTURE_STAYS | RK_FUTURE_REFUSED | RK_FUTURE_NO_TASK;
    const rask_task_def *def = future->def;
    bool refused = future->admission && future->admission->refused;
    return !refused && !future->put_off && !(future->flags & never) && future->flags & RK_FUTURE_NESTED &&
           !(def->flags & RASK_HERE) && !future->priority && !rk_load_relaxed(&future->pending) &&
           !(def->flags & RASK_PURE && is_grower(context, def));
}

bool rk_executor_may_lend(rk_executor *executor)
{
    return !executor->own_store && !rk_load_relaxed(&executor->may_circle) &&
           !rk_load_acquire(&executor->closed) && rk_executor_has_work(executor);
}

rask_future *rk_executor_lend(rk_executor *executor, const rask_task_def *const *growers, uint32_t count)
{
    const known_growers known = {growers, count};
    rask_future *future;
    do
        future = rk_executor_may_lend(executor) ? rk_executor_take_oldest(executor, may_go, &known) : NULL;
    while (future && !rk_future_depart(future));
    return future;
}

rk_lent_call rk_lent_call_of(const rask_future *future)
{
    rk_lent_call call = {.def = future->def,
                         .args = (rask_value *)future->args,
                         .nargs = future->nargs,
                         .origin = future->origin,
                         .node = future->node,
                         .retries = future->retries,
                         .limit_ns = future->limit_ns,
                         .backoff_ns = future->backoff_ns,
                         .check = future->flags & RK_FUTURE_CHECK,
                         .leaf = future->def->flags & RASK_PURE};
    if (future->admission)
        call.needs = *rk_gate_needs(future->executor->gate, future->admission->waiter.class);
    return call;
}

static void set_call(rask_future *future, const rk_lent_call *call)
{
    future->flags |= RK_FUTURE_NESTED | (call->check ? RK_FUTURE_CHECK : 0) |
                     (call->leaf ? RK_FUTURE_LEAF : 0) | (call->def->flags & RASK_IO ? RK_FUTURE_IO : 0);
    future->origin = call->origin;
    future->node = call->node;
    future->retries = call->retries;
    future->limit_ns = call->limit_ns;
    future->backoff_ns = call->backoff_ns;
    for (uint32_t i = 0; i < call->nargs; i++)
        future->args[i] = rask_value_ref(&call->args[i]);
    rk_store_relaxed(&future->wants, 1);
}

int rk_executor_borrow(rk_executor *executor, const rk_lent_call *call, rk_waiter *waiter, rask_future **out)
{
    rask_future *future = rk_future_new(executor, call->def, call->nargs, 0, 0);
    if (!future)
        return RASK_ENOMEM;
    set_call(future, call);
    int status = rk_admission_init_needs(future, &call->needs);
    if (status) {
        rk_future_abandon(future);
        return status;
    }
    *out = future;
    (void)rk_future_add_waiter(future, waiter);
    (void)rk_future_start(future, true);
    rk_executor_push(executor, future);
    return RASK_OK;
}
