/* What a run tells its store: how much tasks will hold, which results are needed when, and how a source is called
 * again. */
#include "schedulers/told.h"

#include "core/base/print.h"

#include <string.h>

_Static_assert(RK_STORE_CONSTANT == RK_CONSTANT, "the store reads words of plans");

void rk_budget_init_estimates(rk_run *run)
{
    const rask_task_def *const *defs = run->plan->graph->definitions.data;
    for (uint32_t i = 0; i < run->plan->def_count; i++) {
        bool unknown = defs[i]->flags & RASK_IO && !defs[i]->result_bytes;
        rk_init(&run->estimates[i], unknown ? RK_NO_ESTIMATE : defs[i]->result_bytes);
    }
}

static rk_atomic_u64 *estimate_of(const rk_run *run, uint32_t task)
{
    return &run->estimates[run->plan->def[task] & RK_TASK_DEF_MASK];
}

void rk_budget_learn(rk_run *run, uint32_t task, uint64_t bytes)
{
    rk_atomic_u64 *estimate = estimate_of(run, task);
    uint64_t unknown = RK_NO_ESTIMATE;
    if (!rk_cas_relaxed(estimate, &unknown, bytes))
        rk_raise_relaxed(estimate, bytes);
}

rk_task_needs rk_budget_needs(const rk_run *run, uint32_t task)
{
    const rk_extra *extra = rk_run_extra(run, task);
    rk_task_needs needs = {.scratch = extra ? extra->scratch_bytes : 0};
    if (!run->plan->uses[task])
        needs.sure = true;
    else if (extra && extra->own_result_bytes && extra->result_bytes)
        needs = (rk_task_needs){extra->result_bytes, needs.scratch, true};
    else
        needs.result = rk_plan_def(run->plan, task)->result_bytes;
    return needs;
}

rk_pass rk_budget_ask(const rk_run *run, uint32_t task, const uint32_t *words, uint32_t count,
                      rk_worker *worker)
{
    const rask_plan *plan = run->plan;
    const rask_task_def *def = rk_plan_def(plan, task);
    const rk_extra *extra = rk_run_extra(run, task);
    bool own = extra && extra->own_result_bytes && extra->result_bytes;
    uint64_t estimate = rk_load_relaxed(estimate_of(run, task));
    bool unknown = estimate == RK_NO_ESTIMATE;
    uint64_t result = own ? extra->result_bytes : unknown ? 0 : estimate;
    if (!plan->uses[task])
        result = 0; /* ends at once; what it takes until then is scratch */
    return (rk_pass){.task = task,
                     .words = words,
                     .count = count,
                     .results = run->results,
                     .uses = run->uses,
                     .result = result,
                     .surely = own                          ? result
                               : def->result_bytes < result ? def->result_bytes
                                                            : result,
                     .scratch = extra ? extra->scratch_bytes : 0,
                     .lane = worker->id >= run->options.workers &&
                             (unknown || result || (extra && extra->scratch_bytes)),
                     .others = run->options.workers > 1 || worker->id >= run->options.workers,
                     .worker = worker};
}

bool rk_budget_is_source(const rk_run *run, uint32_t task)
{
    const rask_plan *plan = run->plan;
    if (!(rk_plan_def(plan, task)->flags & RASK_SOURCE))
        return false;
    for (uint32_t i = 0, n = rk_plan_nargs(plan, task); i < n; i++)
        if (!(plan->args[plan->arg_start[task] + i] & RK_CONSTANT))
            return false;
    return true;
}

/* The unit behind joins. */
static uint32_t behind_joins(const rask_plan *plan, uint32_t unit)
{
    while (unit >= plan->units && unit < plan->all_units - 1)
        unit = plan->succ[plan->succ_start[unit]];
    return unit;
}

/* Units that wait for a result stand in plan order; a unit's own tasks take it before them. */
static uint32_t next_use(void *context, uint32_t task, uint32_t now, uint32_t *edge)
{
    const rask_plan *plan = ((const rk_run *)context)->plan;
    uint32_t unit = rk_plan_unit(plan, task), first = plan->succ_start[unit],
             end = plan->succ_start[unit + 1];
    if (now < plan->unit_start[unit + 1] && task + 1 < plan->unit_start[unit + 1])
        return 0;
    for (; first + *edge < end; ++*edge) {
        uint32_t user = behind_joins(plan, plan->succ[first + *edge]);
        if (user >= plan->units)
            return UINT32_MAX;
        if (plan->unit_start[user + 1] > now)
            return plan->unit_start[user] > now ? plan->unit_start[user] : now;
    }
    return 0;
}

static int remake(void *context, const rk_pass *pass, uint32_t task, rask_value *result, char *message)
{
    const rk_run *run = context;
    char reason[RK_MAX_MESSAGE + 1];
    int status = rk_run_call_again(pass->worker, task, result, reason);
    rk_print out = {message, RK_MAX_MESSAGE + 1, 0};
    if (status)
        rk_print_add(&out, "its argument was to be made again, and %s failed: %s",
                     rk_plan_def(run->plan, task)->name, reason);
    return status;
}

static bool stopped(void *context)
{
    rk_run *run = context;
    return rk_load_relaxed(&run->env.stop) != RASK_OK;
}

static void moved(void *context, const rk_store_move *move)
{
    static const rask_move moves[] = {RASK_MOVE_SPILLED, RASK_MOVE_READ_BACK, RASK_MOVE_REMADE};
    rk_run *run = context;
    rask_move_info info = {.run = run->info.run,
                           .move = moves[move->direction],
                           .task = move->task,
                           .status = move->status,
                           .start_ns = move->start_ns,
                           .end_ns = move->end_ns,
                           .bytes = move->bytes,
                           .live_bytes = rk_store_used(run->store),
                           .spilled_bytes = rk_store_on_disk(run->store)};
    rk_run_moved(run, &info);
}

rk_store_run rk_budget_store_run(rk_run *run)
{
    return (rk_store_run){.context = run,
                          .next_use = next_use,
                          .remake = remake,
                          .stopped = stopped,
                          .moved = run->observed ? moved : NULL};
}
