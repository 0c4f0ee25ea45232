#include "schedulers/units.h"

#include "schedulers/limits.h"
#include "schedulers/told.h"

#include <stdio.h>

/* -- To the coordinator */

static bool is_here(const rk_run *run, uint32_t unit)
{
    return rk_plan_def(run->plan, run->plan->unit_start[unit])->flags & RASK_HERE;
}

/* Of one call: a worker repeats at once what fails by itself, and each time counts anew; what is to rest before that, and a call that it
 * does not come back from, the coordinator repeats elsewhere. */
static void add_timeout(const rk_run *run, uint32_t task, rk_traits *traits, bool *untimed)
{
    uint64_t timeout = rk_run_timeout(run, task), retries = rk_run_retries(run, task);
    *untimed |= !timeout;
    traits->timeout_ns = timeout > traits->timeout_ns ? timeout : traits->timeout_ns;
    if (retries && timeout && !rk_def_would_retry(rk_plan_def(run->plan, task), RASK_ETIMEDOUT, 0))
        retries = 0;
    traits->retries = retries < traits->retries ? (uint32_t)retries : traits->retries;
}

_Static_assert(RK_MAX_GATE_NEEDS <= RK_MAX_NEEDS && RK_MAX_LIMITS <= RK_MAX_TAGS,
               "what a gate counts is tags here");
_Static_assert(3 * (RK_MAX_NEED_KINDS + 1) + 1 <= RK_MAX_CLASSES,
               "of tasks that compute, wait, or run here; and what they grew");

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
    const rk_units *units = context;
    rk_run *run = units->run;
    const rask_plan *plan = run->plan;
    uint32_t first = plan->unit_start[unit], last = rk_units_last(units, unit);
    bool untimed = false;
    out->here = is_here(run, unit);
    out->retries = RK_MAX_RETRIES;
    out->backoff_ns = rk_run_backoff(run, first);
    out->io = !out->here && rk_run_is_io(run, unit);
    out->target = units->is_target[unit];
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
static uint32_t *add_inputs(const rk_units *units, uint32_t unit, const uint32_t *unit_of, uint32_t *to)
{
    const rask_plan *plan = units->run->plan;
    for (uint32_t task = plan->unit_start[unit]; task < plan->unit_start[unit + 1]; task++) {
        const uint32_t *words = plan->args + plan->arg_start[task];
        uint32_t all = plan->arg_start[task + 1] - plan->arg_start[task], taken = rk_plan_nargs(plan, task);
        for (uint32_t i = 0; i < all; i++)
            if (!(words[i] & RK_CONSTANT) && unit_of[words[i]] != unit)
                *to++ = unit_of[words[i]] | (i < taken ? 0 : RK_INPUT_ORDER);
    }
    return to;
}

static int alloc_units(rk_units *units)
{
    const rk_run *run = units->run;
    size_t count = (size_t)run->plan->units + 1;
    units->input_start = rk_alloc_array(count, sizeof *units->input_start);
    units->inputs = rk_alloc_array(count_inputs(run->plan) + 1, sizeof *units->inputs);
    units->is_target = rk_calloc(count, 1);
    units->told = run->observed ? rk_calloc(count, 1) : NULL;
    bool whole = units->input_start && units->inputs && units->is_target && (units->told || !run->observed);
    return whole ? RASK_OK : RASK_ENOMEM;
}

int rk_units_init(rk_units *units, rk_run *run)
{
    const rask_plan *plan = run->plan;
    *units = (rk_units){.run = run};
    uint32_t *unit_of = rk_alloc_array((size_t)plan->tasks + 1, sizeof *unit_of);
    if (!unit_of || alloc_units(units)) {
        rk_free(unit_of);
        return RASK_ENOMEM;
    }
    uint32_t *to = units->inputs;
    for (uint32_t unit = 0; unit < plan->units; unit++) {
        for (uint32_t task = plan->unit_start[unit]; task < plan->unit_start[unit + 1]; task++)
            unit_of[task] = unit;
        units->input_start[unit] = (uint64_t)(to - units->inputs);
        to = add_inputs(units, unit, unit_of, to);
    }
    units->input_start[plan->units] = (uint64_t)(to - units->inputs);
    for (uint32_t i = 0; i < plan->target_count; i++)
        if (!(plan->targets[i] & RK_CONSTANT))
            units->is_target[unit_of[plan->targets[i]]] = 1;
    units->graph = (rk_coordinator_graph){plan->units, units->input_start, units->inputs, units, describe};
    rk_free(unit_of);
    return RASK_OK;
}

void rk_units_fini(rk_units *units)
{
    rk_free(units->input_start);
    rk_free(units->inputs);
    rk_free(units->is_target);
    rk_free(units->told);
    *units = (rk_units){0};
}

/* -- To people */

/* Of the tasks of a unit, the first that takes most results from others. */
static uint32_t takes_most(const rk_units *units, uint32_t unit)
{
    const rask_plan *plan = units->run->plan;
    uint32_t first = plan->unit_start[unit], found = first, most = 0;
    for (uint32_t task = first; task < plan->unit_start[unit + 1]; task++) {
        const uint32_t *words = plan->args + plan->arg_start[task];
        uint32_t taken = 0;
        for (uint32_t i = 0, n = rk_plan_nargs(plan, task); i < n; i++)
            taken += !(words[i] & RK_CONSTANT) && words[i] < first;
        found = taken > most ? task : found;
        most = taken > most ? taken : most;
    }
    return found;
}

/* Of the tasks of a unit, the one that is too large by itself, the one that takes too much, or the last. What it needs, in
 * words. */
static uint32_t say_no_room(const rk_units *units, const rk_instruction *in, char *text, size_t capacity)
{
    const rask_plan *plan = units->run->plan;
    rk_print out = {text, capacity, 0};
    rk_traits traits = {0};
    for (uint32_t task = plan->unit_start[in->task]; task < plan->unit_start[in->task + 1]; task++) {
        rk_task_needs needs = rk_budget_needs(units->run, task);
        if (needs.result + needs.scratch <= in->budget)
            continue;
        rk_store_say_too_large(&out, (rk_store_need){0, needs.result, needs.scratch}, in->budget);
        return task;
    }
    uint32_t task = takes_most(units, in->task);
    describe((void *)units, in->task, &traits);
    uint64_t own = traits.result_bytes + traits.scratch_bytes;
    rk_store_need need = {in->bytes > own ? in->bytes - own : 0, traits.result_bytes, traits.scratch_bytes};
    rk_store_say_too_large(&out, need, in->budget);
    return need.arguments > need.result + need.scratch ? task : rk_units_last(units, in->task);
}

static double unit_seconds(const rk_units *units, uint32_t unit)
{
    rk_traits traits = {0};
    describe((void *)units, unit, &traits);
    return (double)traits.timeout_ns / 1e9;
}

static int say_disk(const rk_units *units, const rk_instruction *in, const char *disk, uint32_t *task,
                    char *text, size_t capacity)
{
    *task = say_no_room(units, in, text, capacity);
    if (*disk)
        snprintf(text, capacity, "%s", disk);
    return in->status;
}

int rk_units_blame(const rk_units *units, const rk_instruction *in, const char *last_words, const char *disk,
                   uint32_t *task, char *text, size_t capacity)
{
    int status = in->status;
    *task = rk_units_last(units, in->task);
    switch (in->why) {
    case RK_WHY_DEATHS:
        status = RASK_EDIED;
        snprintf(text, capacity, "%u workers died of it; the last %s", (unsigned)in->bytes, last_words);
        break;
    case RK_WHY_TIMEOUT:
        status = RASK_ETIMEDOUT;
        snprintf(text, capacity,
                 "took longer than its %g seconds, did not return, and was ended with its worker",
                 unit_seconds(units, in->task));
        break;
    case RK_WHY_NO_ROOM: *task = say_no_room(units, in, text, capacity); break;
    case RK_WHY_NO_DISK: status = say_disk(units, in, disk, task, text, capacity); break;
    case RK_WHY_LOST: snprintf(text, capacity, "its result cannot be brought back: %s", disk); break;
    default: snprintf(text, capacity, "no worker can run it"); break;
    }
    return status ? status : RASK_ETASK;
}

/* -- To observers */

void rk_units_told(rk_units *units, uint32_t unit)
{
    rk_run *run = units->run;
    const rask_plan *plan = run->plan;
    units->told[unit] = 1;
    for (uint32_t e = plan->succ_start[unit]; e < plan->succ_start[unit + 1]; e++) {
        uint32_t ready = rk_run_release(run, plan->succ[e]);
        if (ready != RK_NO_UNIT && !rk_run_is_end(run, ready))
            rk_run_ready(run, NULL, ready);
    }
}

/* What kept a task from being told of: a failure of its own, or that the run ended before. */
static void tell_what_is_known(rk_run *run, uint32_t task)
{
    rask_task_info info = rk_run_describe(run, task);
    info.status = RASK_ECANCELLED;
    for (uint32_t i = 0; i < run->failure_count && info.status == RASK_ECANCELLED; i++)
        if (run->failures[i].task == task) {
            info.status = run->failures[i].status;
            info.message = run->failures[i].message;
        }
    rk_run_relay(run, &info);
}

static void tell_unit(const rk_units *units, uint32_t unit)
{
    rk_run *run = units->run;
    const uint32_t *start = run->plan->unit_start + unit;
    if (!run->ready_ns[start[0]])
        rk_run_ready(run, NULL, unit);
    for (uint32_t task = start[0]; task < start[1]; task++)
        tell_what_is_known(run, task);
}

void rk_units_tell_failed(rk_units *units, uint32_t unit)
{
    if (!units->told || units->told[unit])
        return;
    tell_unit(units, unit);
    rk_units_told(units, unit);
}

void rk_units_tell_rest(rk_units *units)
{
    for (uint32_t unit = 0; unit < units->run->plan->units; unit++)
        if (!units->told[unit])
            tell_unit(units, unit);
}

void rk_units_forgive_stop(const rk_units *units, int *end_status,
                           bool (*is_missing)(void *context, uint32_t unit), void *context)
{
    rk_run *run = units->run;
    uint32_t stopped = rk_load_relaxed(&run->env.stop);
    if (run->finished < run->plan->tasks || (stopped != RASK_ECANCELLED && stopped != RASK_ETIMEDOUT))
        return;
    for (uint32_t unit = 0; unit < run->plan->units; unit++)
        if (units->is_target[unit] && is_missing(context, unit))
            return;
    rk_store_relaxed(&run->env.stop, RASK_OK);
    *end_status = RASK_OK;
}
