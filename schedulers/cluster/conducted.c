/* The beginning and the end of a run on a cluster, by the thread that waits for it: what a conduct is made of, and what comes out of
 * it. */
#include "schedulers/cluster/conduct.h"

#include "core/base/clock.h"
#include "schedulers/cluster/plans.h"
#include "schedulers/limits.h"

#include <stdio.h>
#include <string.h>

enum { WINDOW = 256, GRACE_NS = 500000000 };

/* -- The beginning */

static void wake(void *context)
{
    rk_bell_ring(&((const rk_conduct *)context)->hub->line.bell);
}

static bool has_here(const rk_run *r)
{
    const rask_task_def *const *defs = r->plan->graph->definitions.data;
    for (uint32_t i = 0; i < r->plan->def_count; i++)
        if (defs[i]->flags & RASK_HERE)
            return true;
    return false;
}

static int open_own(rk_conduct *c)
{
    rk_run *r = c->run;
    bool here = has_here(r);
    uint32_t threads = here ? r->options.workers : 0;
    uint64_t budget = r->options.memory ? r->options.memory : rask_default_memory();
    rk_shop_setup setup = {
        .model = r, .threads = threads, .observed = r->observed, .wake = wake, .context = c};
    c->next_worker = threads;
    int status = rk_shop_new(&setup, &c->own);
    if (!status)
        status = rk_coordinator_home(c->coordinator, rk_clock_now(), 0, budget);
    if (status || !here)
        return status;
    rk_worker_offer offer = {.slots = threads, .here = true, .only_here = true};
    rk_hand *hand = &c->hands[0];
    status = rk_coordinator_joined(c->coordinator, rk_clock_now(), &offer, &hand->worker, &hand->epoch);
    if (!status)
        c->homes[hand->worker] = 0;
    return status;
}

static int coordinate(rk_conduct *c)
{
    const rask_options *o = &c->run->options;
    uint32_t totals[RK_MAX_LIMITS];
    if (o->limits && strlen(o->limits) > RK_MAX_INLINE) { /* workers are told of them */
        snprintf(c->run->reason, sizeof c->run->reason, "cluster: limits of more than %d bytes",
                 RK_MAX_INLINE);
        return RASK_ELIMIT;
    }
    rk_coordinator_options options = {.most_workers = RK_CONDUCT_WORKERS,
                                      .most_homes = RK_CONDUCT_HOMES,
                                      .groups = c->run->plan->def_count ? c->run->plan->def_count : 1,
                                      .window = WINDOW,
                                      .grace_ns = GRACE_NS,
                                      .keep_going = o->keep_going,
                                      .tag_counts = totals};
    options.tags = c->run->limits ? rk_limits_totals(c->run->limits, totals) : 0;
    return rk_coordinator_new(&c->units.graph, &options, &c->coordinator);
}

static int pack_plan(rk_conduct *c)
{
    char message[RK_MAX_MESSAGE + 1];
    uint32_t task = 0;
    int status = rk_pack_put_plan(&c->plan, c->run, &task, message, sizeof message);
    if (status)
        rk_run_fail(c->run, task, status, message);
    return status;
}

static int prepare(rk_conduct *c)
{
    size_t units = (size_t)c->run->plan->units + 1;
    c->notes = rk_calloc(units, sizeof *c->notes);
    c->hands = rk_calloc(RK_CONDUCT_HOMES, sizeof *c->hands);
    c->homes = rk_calloc(RK_CONDUCT_WORKERS, sizeof *c->homes);
    c->home_count = 1;
    rk_detours_init(&c->detours);
    rk_exchange_init(&c->exchange);
    if (c->hands)
        c->hands[0].transfers = rk_transfers_none();
    int status = c->notes && c->hands && c->homes ? RASK_OK : RASK_ENOMEM;
    if (!status)
        status = rk_units_init(&c->units, c->run);
    if (!status)
        status = pack_plan(c);
    if (!status)
        status = coordinate(c);
    return status ? status : open_own(c);
}

int rk_conduct_new(rk_hub *hub, rk_run *r, rk_conduct **out)
{
    rk_conduct *c = rk_calloc(1, sizeof *c);
    if (!c)
        return RASK_ENOMEM;
    *c = (rk_conduct){.hub = hub, .run = r, .number = rk_hub_number_run(hub)};
    int status = prepare(c);
    if (status)
        rk_conduct_free(c);
    else
        *out = c;
    return status;
}

void rk_conduct_free(rk_conduct *c)
{
    rk_shop_free(c->own);
    rk_permits_fini(c);
    rk_exchange_fini(&c->exchange);
    rk_coordinator_free(c->coordinator);
    for (uint32_t unit = 0; c->notes && unit < c->run->plan->units; unit++)
        rk_outcome_forget(&c->notes[unit]);
    for (uint32_t home = 0; c->hands && home < c->home_count; home++)
        rk_array_fini(&c->hands[home].transfers);
    rk_units_fini(&c->units);
    rk_pack_out_fini(&c->plan);
    rk_detours_fini(&c->detours);
    rk_free(c->notes);
    rk_free(c->hands);
    rk_free(c->homes);
    rk_free(c);
}

/* -- The end */

static void gather(rk_conduct *c)
{
    const rask_plan *plan = c->run->plan;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        uint32_t task = plan->targets[i];
        if (task & RK_CONSTANT || rk_add_relaxed(&c->run->uses[task], 1))
            continue;
        rask_value *result = rk_shop_result(c->own, rk_plan_unit(plan, task));
        c->run->results[task] = *result;
        *result = rask_value_none();
    }
}

/* The run's table has no targets until they are gathered. */
static void expect(const rk_conduct *c)
{
    const rask_plan *plan = c->run->plan;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        if (plan->targets[i] & RK_CONSTANT)
            continue;
        c->run->results[plan->targets[i]] = (rask_value){.reserved = 1};
        rk_store_relaxed(&c->run->uses[plan->targets[i]], 0);
    }
}

/* Its result is in this process, or in the news of it. */
static bool is_at_home(rk_conduct *c, uint32_t unit)
{
    char message[RK_MAX_MESSAGE + 1];
    uint64_t bytes;
    const rk_outcome_note *note = &c->notes[unit];
    if (rk_value_is_object(rk_shop_result(c->own, unit)))
        return true;
    return note->inlined &&
           !rk_shop_take(c->own, unit, note->inlined, note->size, &bytes, message, sizeof message);
}

static bool is_missing(void *conduct, uint32_t unit)
{
    return !is_at_home(conduct, unit);
}

/* Each worker has a budget of its own. */
static uint64_t highest_peak(const rk_conduct *c)
{
    uint64_t peak = 0;
    for (uint32_t home = 0; home < c->home_count; home++) {
        rk_home_figures figures = rk_coordinator_get_home(c->coordinator, home);
        peak = figures.peak > peak ? figures.peak : peak;
    }
    return peak;
}

static void report(rk_conduct *c)
{
    rk_run *r = c->run;
    rk_home_figures home = rk_coordinator_get_home(c->coordinator, 0);
    rk_coordinator_figures figures = rk_coordinator_get_figures(c->coordinator);
    r->skipped = r->plan->tasks - r->finished - r->failed;
    r->retries += figures.retries;
    r->elsewhere = (rk_store_figures){.budget = home.budget,
                                      .peak = highest_peak(c),
                                      .spilled = figures.spilled_bytes,
                                      .read_back = figures.loaded_bytes,
                                      .remade = (uint32_t)figures.recomputed};
    r->is_elsewhere = true;
}

void rk_conduct_finish(rk_conduct *c)
{
    expect(c);
    rk_units_forgive_stop(&c->units, &c->end_status, is_missing, c);
    report(c);
    if (c->run->observed)
        rk_units_tell_rest(&c->units);
    if (!c->end_status && !c->run->failure_count)
        gather(c);
    rk_conduct_free(c);
}
