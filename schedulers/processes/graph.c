/* Units as the coordinator's tasks: same numbers, same order. */
#include "schedulers/limits.h"
#include "schedulers/processes/hands.h"

static bool is_here(const rk_run *run, uint32_t unit)
{
    return rk_plan_def(run->plan, run->plan->unit_start[unit])->flags & RASK_HERE;
}

/* A worker repeats what fails by itself; what it does not come back from within the time of all repetitions and of the waits
 * between them, the coordinator repeats elsewhere, when the task would be called again after a timeout. */
static void add_timeout(const rk_run *run, uint32_t task, rk_traits *traits, bool *untimed)
{
    uint64_t timeout = rk_run_timeout(run, task), retries = rk_run_retries(run, task);
    *untimed |= !timeout;
    if (__builtin_mul_overflow(timeout, retries + 1, &timeout) ||
        __builtin_add_overflow(timeout, rk_run_waits(run, task), &timeout) ||
        __builtin_add_overflow(traits->timeout_ns, timeout, &traits->timeout_ns))
        *untimed = true;
    if (retries && !*untimed && !rk_def_would_retry(rk_plan_def(run->plan, task), RASK_ETIMEDOUT, 0))
        retries = 0;
    traits->retries = retries < traits->retries ? (uint32_t)retries : traits->retries;
}

_Static_assert(RK_MAX_GATE_NEEDS <= RK_MAX_NEEDS && RK_MAX_LIMITS <= RK_MAX_TAGS,
               "what a gate counts is tags here");
_Static_assert(3 * (RK_MAX_NEED_KINDS + 1) <= RK_MAX_CLASSES, "of tasks that compute, wait, or run here");

/* Counters of the run's gate are the coordinator's tags, by the same numbers. */
static void add_needs(const rk_run *run, uint32_t unit, rk_traits *traits)
{
    const rk_gate_waiter *waiter = run->limits ? rk_limits_of(run->limits, unit) : NULL;
    const rk_needs *needs = waiter ? rk_gate_needs(run->limits->gate, waiter->class) : NULL;
    for (uint32_t i = 0; needs && i < needs->count; i++)
        traits->needs[traits->need_count++] = (rk_need){needs->of[i].counter, needs->of[i].count};
}

static void describe(void *context, uint32_t unit, rk_traits *out)
{
    const rk_hands *h = context;
    rk_run *run = h->run;
    const rask_plan *plan = run->plan;
    uint32_t first = plan->unit_start[unit], last = rk_hands_last(h, unit);
    bool untimed = false;
    out->here = is_here(run, unit);
    out->retries = RK_MAX_RETRIES;
    out->io = !out->here && rk_run_is_io(run, unit);
    out->target = h->is_target[unit];
    out->source = first == last && rk_budget_is_source(run, last);
    for (uint32_t task = first; task <= last; task++) {
        rk_task_needs needs = rk_budget_needs(run, task);
        out->group = plan->def[task] & RK_TASK_DEF_MASK;
        out->result_bytes = needs.result;
        out->sure = needs.sure;
        out->scratch_bytes += needs.scratch + (task < last ? needs.result : 0);
        add_timeout(run, task, out, &untimed);
    }
    if (untimed || out->here)
        out->timeout_ns = 0;
    add_needs(run, unit, out);
}

static uint64_t count_inputs(const rask_plan *plan)
{
    uint64_t inputs = 0;
    for (uint32_t word = 0; word < plan->arg_start[plan->tasks]; word++)
        inputs += !(plan->args[word] & RK_CONSTANT);
    return inputs;
}

/* Words of a unit's tasks that name tasks of other units. */
static uint32_t *add_inputs(const rk_hands *h, uint32_t unit, const uint32_t *unit_of, uint32_t *to)
{
    const rask_plan *plan = h->run->plan;
    for (uint32_t task = plan->unit_start[unit]; task < plan->unit_start[unit + 1]; task++) {
        const uint32_t *words = plan->args + plan->arg_start[task];
        uint32_t all = plan->arg_start[task + 1] - plan->arg_start[task], taken = rk_plan_nargs(plan, task);
        for (uint32_t i = 0; i < all; i++)
            if (!(words[i] & RK_CONSTANT) && unit_of[words[i]] != unit)
                *to++ = unit_of[words[i]] | (i < taken ? 0 : RK_INPUT_ORDER);
    }
    return to;
}

int rk_hands_describe(rk_hands *h)
{
    const rask_plan *plan = h->run->plan;
    uint32_t *unit_of = rk_alloc_array((size_t)plan->tasks + 1, sizeof *unit_of);
    h->input_start = rk_alloc_array((size_t)plan->units + 1, sizeof *h->input_start);
    h->inputs = rk_alloc_array(count_inputs(plan) + 1, sizeof *h->inputs);
    h->is_target = rk_calloc((size_t)plan->units + 1, 1);
    if (!unit_of || !h->input_start || !h->inputs || !h->is_target) {
        rk_free(unit_of);
        return RASK_ENOMEM;
    }
    uint32_t *to = h->inputs;
    for (uint32_t unit = 0; unit < plan->units; unit++) {
        for (uint32_t task = plan->unit_start[unit]; task < plan->unit_start[unit + 1]; task++)
            unit_of[task] = unit;
        h->input_start[unit] = (uint64_t)(to - h->inputs);
        to = add_inputs(h, unit, unit_of, to);
    }
    h->input_start[plan->units] = (uint64_t)(to - h->inputs);
    for (uint32_t i = 0; i < plan->target_count; i++)
        if (!(plan->targets[i] & RK_CONSTANT))
            h->is_target[unit_of[plan->targets[i]]] = 1;
    h->graph = (rk_coordinator_graph){plan->units, h->input_start, h->inputs, h, describe};
    rk_free(unit_of);
    return RASK_OK;
}
