/* The processes scheduler: workers are forked when a run starts, so that the plan and all it points to are there, and write
 * results into memory that all of them share.
 *
 * Design notes.
 *   - The coordinator (schedulers/coordinator) decides; this thread, the one that waits for the run, is its hands: it
 *     hears news from the mailboxes, tells the coordinator, carries out what that says, and sleeps until the bell rings.
 *   - All workers are in one home: a result is readable by all as soon as it is known, nothing is ever transferred, and a
 *     worker's death takes no result with it.
 *   - places[task] is written before the order that needs it, and read by who took the order.
 *   - Who frees: the program's process counts the references to extents and tells their owner, by the mailbox. What a dead
 *     worker left behind unpublished goes at its death.
 *   - A seat's news are read before its death is acted on: what was told counts, whatever came after. */
#include "schedulers/processes/away.h"

#include "core/base/clock.h"
#include "core/base/print.h"
#include "schedulers/limits.h"
#include "schedulers/scheduler.h"
#include "schedulers/told.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    LOOK_NS = 100000000,
    CANCEL_LOOK_NS = 20000000,
    STOP_GRACE_NS = 2000000000,
    BUSY_NS = 2000000,
    MOST_LANES = 64,
    KEPT_SHARE = 16 /* of the budget: freed memory that is kept resident for what comes next */
};

#define WANTED_RANGE ((uint64_t)16 << 30)
#define MOST_KEPT    ((uint64_t)64 << 20)

/* -- The loop */

static void stop(rk_hands *h, int status)
{
    if (h->stopping_since)
        return;
    h->stopping_since = h->now;
    if (status == RASK_ETIMEDOUT)
        rk_staff_name_running(h);
    rk_store_relaxed(&h->crew.board->stop.cancelled, true);
    rk_coordinator_cancel(h->coordinator, h->now, status);
}

static void join(rk_hands *h, rk_staff *staff)
{
    rk_worker_offer offer = {.slots = staff->here ? staff->post_count : h->crew.threads,
                             .lanes = staff->here ? 0 : h->crew.lanes,
                             .here = staff->here,
                             .only_here = staff->here};
    int status = rk_coordinator_joined(h->coordinator, h->now, &offer, &staff->number, &staff->epoch);
    if (status) {
        rk_run_stop(h->run, status);
        return;
    }
    staff->joined = true;
    h->by_number[staff->number] = (uint32_t)(staff - h->staff);
    rk_staff_tell(h, staff, staff->child.pid, NULL);
}

static uint64_t patience(const rk_hands *h)
{
    uint64_t tick = rk_coordinator_wants_tick(h->coordinator), most = LOOK_NS;
    if (h->run->options.cancel || h->run->env.deadline_ns)
        most = CANCEL_LOOK_NS;
    return tick <= h->now ? 0 : tick - h->now < most ? tick - h->now : most;
}

static bool has_news(const rk_hands *h)
{
    for (uint32_t i = 0; i < h->staff_count; i++)
        for (uint32_t k = 0; k < h->staff[i].post_count; k++) {
            const rk_mailbox *box = h->staff[i].posts[k].box;
            if (!h->staff[i].posts[k].asked && rk_mailbox_asked(box))
                return true;
            if (rk_load_relaxed(&box->news_begin) != rk_load_seq_cst(&box->news_end))
                return true;
        }
    return false;
}

static void sleep_until_rung(rk_hands *h)
{
    rk_store_seq_cst(&h->crew.board->listening, 1);
    if (!has_news(h))
        rk_watch_wait(&h->crew.watch, patience(h));
    rk_store_relaxed(&h->crew.board->listening, 0);
    h->now = rk_clock_now();
}

/* A worker is given orders from the moment it was forked. */
static void join_new(rk_hands *h)
{
    for (uint32_t i = 0; i < h->staff_count; i++)
        if (!h->staff[i].joined && (h->staff[i].child.pid || (h->staff[i].here && h->own)))
            join(h, &h->staff[i]);
}

/* Tasks that do not see that the run is being stopped end with their workers. */
static void end_stubborn(rk_hands *h)
{
    if (!h->stopping_since || h->now - h->stopping_since < STOP_GRACE_NS)
        return;
    for (uint32_t i = 0; i < h->staff_count; i++)
        rk_staff_kill(&h->staff[i]);
}

/* Some worker has nothing to do, or is not even there: what units grow would be welcome. */
static bool is_hungry(const rk_hands *h)
{
    bool idle = h->crew.workers < h->run->options.workers;
    for (uint32_t i = 0; i < h->crew.workers && !idle; i++) {
        uint32_t posted = 0;
        for (uint32_t k = 0; k < h->staff[i].post_count; k++)
            posted += h->staff[i].posts[k].count;
        idle = !posted;
    }
    return idle;
}

static void look_around(rk_hands *h, bool all)
{
    rk_store_relaxed(&h->crew.board->hungry, is_hungry(h));
    rk_staff_look_after(h, all);
    join_new(h);
    if (all)
        rk_hands_tell_begun(h);
    if (h->run->finished + h->run->failed < h->run->plan->tasks)
        rk_run_must_stop(h->run);
    uint32_t status = rk_load_relaxed(&h->run->env.stop);
    if (status && status != RASK_ETASK)
        stop(h, (int)status);
    end_stubborn(h);
    if (rk_coordinator_wants_tick(h->coordinator) > h->now)
        return;
    rk_staff_renew(h);
    if (rk_coordinator_wants_tick(h->coordinator) <= h->now)
        rk_coordinator_tick(h->coordinator, h->now);
}

static void work(rk_hands *h)
{
    uint64_t looked = 0, looked_closely = 0;
    while (!h->ended) {
        h->now = rk_clock_now();
        bool busy = rk_hands_hear_all(h);
        busy |= rk_hands_obey_all(h);
        if (h->ended)
            break;
        if (busy)
            rk_staff_wake(h);
        if (!busy)
            sleep_until_rung(h);
        if (busy && h->now - looked < BUSY_NS)
            continue;
        look_around(h, h->now - looked_closely >= LOOK_NS);
        looked = h->now;
        looked_closely = h->now - looked_closely >= LOOK_NS ? h->now : looked_closely;
    }
}

/* -- Start and end */

static uint32_t count_here(const rk_run *run)
{
    const rask_task_def *const *defs = run->plan->graph->definitions.data;
    for (uint32_t i = 0; i < run->plan->def_count; i++)
        if (defs[i]->flags & RASK_HERE)
            return run->options.workers;
    return 0;
}

static int share(rk_crew *crew)
{
    const rask_plan *plan = crew->run->plan;
    uint64_t seats = (uint64_t)crew->workers * (crew->threads + crew->lanes) + crew->here,
             ranges = crew->workers + 2, mailboxes = seats * sizeof(rk_mailbox),
             places = ((uint64_t)plan->tasks + 1) * sizeof *crew->places,
             used = (ranges * sizeof *crew->used + RK_CACHE_LINE - 1) & ~(uint64_t)(RK_CACHE_LINE - 1),
             next_tasks = ((uint64_t)plan->units + 1) * sizeof *crew->next_tasks,
             tries = rk_run_backs_off(crew->run) ? next_tasks : 0;
    crew->shared_bytes = RK_CACHE_LINE + used + mailboxes + places + next_tasks + tries;
    char *at = rk_system_share(crew->shared_bytes);
    if (!at)
        return RASK_ENOMEM;
    crew->board = (rk_board *)at;
    crew->used = (rk_atomic_u64 *)(at + RK_CACHE_LINE);
    crew->mailboxes = (rk_mailbox *)(at + RK_CACHE_LINE + used);
    crew->places = (rask_value *)(at + RK_CACHE_LINE + used + mailboxes);
    crew->next_tasks = (rk_atomic_u32 *)(crew->places + plan->tasks + 1);
    crew->tries = tries ? crew->next_tasks + plan->units + 1 : NULL;
    return RASK_OK;
}

static int crew_init(rk_crew *crew, rk_run *run)
{
    const rask_options *o = &run->options;
    uint32_t units = run->plan->units ? run->plan->units : 1;
    crew->run = run;
    crew->counts = o->limits && *o->limits;
    crew->watch = (rk_watch){-1, -1};
    crew->workers = o->workers < units ? o->workers : units;
    if (!crew->workers)
        return RASK_EINVAL;
    crew->threads = o->worker_threads ? o->worker_threads : 1;
    uint32_t lanes = o->io_lanes < run->plan->io_tasks ? o->io_lanes : run->plan->io_tasks;
    lanes = (lanes + crew->workers - 1) / crew->workers;
    crew->lanes = lanes > MOST_LANES ? MOST_LANES : lanes;
    crew->here = count_here(run);
    uint64_t budget = o->memory ? o->memory : rask_default_memory();
    crew->kept =
        budget / (KEPT_SHARE * 2 * ((uint64_t)crew->workers + 1)); /* by the worker, and on its way to it */
    crew->kept = crew->kept < MOST_KEPT ? crew->kept : MOST_KEPT;
    crew->region = rk_region_new(crew->workers + 2, 8 * budget > WANTED_RANGE ? 8 * budget : WANTED_RANGE);
    if (!crew->region || share(crew))
        return RASK_ENOMEM;
    int status = rk_watch_init(&crew->watch);
    if (status)
        snprintf(run->reason, sizeof run->reason, "processes: nothing to wait for workers with: %s",
                 strerror(errno));
    return status;
}

static int staff_init(rk_hands *h)
{
    const rk_crew *crew = &h->crew;
    h->staff_count = crew->workers + (crew->here > 0);
    h->staff = rk_calloc(h->staff_count, sizeof *h->staff);
    h->by_number = rk_calloc(h->staff_count + 1, sizeof *h->by_number);
    if (!h->staff || !h->by_number)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < h->staff_count; i++) {
        rk_staff *staff = &h->staff[i];
        staff->here = i == crew->workers;
        staff->unsent = (rk_array)RK_ARRAY(void *, SIZE_MAX / sizeof(void *));
        uint32_t count = staff->here ? crew->here : crew->threads + crew->lanes;
        staff->posts = rk_calloc(count, sizeof *staff->posts);
        if (!staff->posts)
            return RASK_ENOMEM;
        staff->post_count = count;
        for (uint32_t k = 0; k < staff->post_count; k++)
            staff->posts[k].box = rk_crew_mailbox(crew, i, k);
    }
    return RASK_OK;
}

/* Threads of this process for what runs nowhere else: after the forks, so that no worker inherits their locks. */
static int start_own(rk_hands *h)
{
    if (!h->crew.here)
        return RASK_OK;
    int status = rk_run_init_apart(&h->own_run, h->run, &h->crew.board->stop);
    if (status)
        return status;
    rk_staff *staff = &h->staff[h->crew.workers];
    h->own = rk_squad_new(&h->crew, &h->own_run, h->crew.workers, ++staff->life);
    status = h->own ? rk_squad_start(h->own) : RASK_ENOMEM;
    if (status && !h->own)
        rk_run_fini_apart(&h->own_run);
    staff->ready = !status;
    return status;
}

static int coordinate(rk_hands *h)
{
    const rask_options *o = &h->run->options;
    rk_coordinator_options options = {.most_workers = h->staff_count + 1, /* away.h */
                                      .most_homes = 1,
                                      .groups = h->run->plan->def_count ? h->run->plan->def_count : 1,
                                      .window = RK_ORDERS / 4,
                                      .grace_ns = STOP_GRACE_NS / 4,
                                      .keep_going = o->keep_going};
    uint32_t totals[RK_MAX_LIMITS];
    options.tag_counts = totals;
    options.tags = h->run->limits ? rk_limits_totals(h->run->limits, totals) : 0;
    int status = rk_units_init(&h->units, h->run);
    if (!status)
        status = rk_coordinator_new(&h->units.graph, &options, &h->coordinator);
    if (!status)
        status =
            rk_coordinator_home(h->coordinator, h->now, 0, o->memory ? o->memory : rask_default_memory());
    return status;
}

static int hire_all(rk_hands *h)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < h->crew.workers && h->run->plan->units && !status; i++)
        status = rk_staff_hire(h, i);
    return status;
}

void rk_hands_end(rk_hands *h)
{
    if (h->staff)
        rk_staff_dismiss(h);
    if (h->own) {
        rk_squad_join(h->own);
        rk_squad_free(h->own);
        rk_run_fini_apart(&h->own_run);
    }
    rk_away_end(h->away);
    rk_mover_fini(&h->mover);
    rk_result_end_all(h);
    for (uint32_t i = 0; h->staff && i < h->staff_count; i++) {
        rk_array_fini(&h->staff[i].unsent);
        rk_free(h->staff[i].posts);
    }
    rk_coordinator_free(h->coordinator);
    rk_region_unref(h->crew.region);
    rk_system_unshare(h->crew.board, h->crew.shared_bytes);
    rk_watch_fini(&h->crew.watch);
    rk_array_fini(&h->deaths);
    rk_modules_fini(&h->modules);
    rk_free(h->staff);
    rk_free(h->by_number);
    rk_free(h->results);
    rk_units_fini(&h->units);
    rk_free(h->is_suspect);
}

int rk_hands_assemble(rk_hands *h)
{
    rk_mover_init(&h->mover, h->run->options.scratch, &h->crew.watch);
    h->crew.watch = (rk_watch){-1, -1};
    h->now = rk_clock_now();
    if (!rk_system_has_processes()) {
        snprintf(h->run->reason, sizeof h->run->reason, "processes: not on this system; use threads");
        return RASK_EUNSUPPORTED;
    }
    int status = crew_init(&h->crew, h->run);
    return status ? status : staff_init(h);
}

static int prepare(rk_hands *h)
{
    h->results = rk_calloc((size_t)h->run->plan->units + 1, sizeof *h->results);
    h->deaths = (rk_array)RK_ARRAY(rk_death, SIZE_MAX / sizeof(rk_death));
    h->pinned = (rk_array)RK_ARRAY(void *, SIZE_MAX / sizeof(void *));
    int status = h->results ? rk_hands_assemble(h) : RASK_ENOMEM;
    if (!status)
        status = coordinate(h);
    if (!status && !rk_modules_note(&h->modules))
        h->crew.modules = &h->modules;
    if (!status)
        status = hire_all(h);
    return status ? status : start_own(h);
}

/* Within a worker the program's threads run what a task computes. */
static int start(rk_run *run, void **handle)
{
    if (rk_squad_is_worker())
        return rk_threads.start(run, handle);
    rk_hands *h = rk_calloc(1, sizeof *h);
    if (!h)
        return RASK_ENOMEM;
    h->run = run;
    int status = prepare(h);
    if (status) {
        rk_hands_end(h);
        rk_free(h);
        return status;
    }
    *handle = h;
    return RASK_OK;
}

static bool is_missing(void *hands, uint32_t unit)
{
    const rk_hands *h = hands;
    return h->results[unit] && h->results[unit]->away;
}

static void count(rk_hands *h)
{
    rk_run *run = h->run;
    rk_home_figures home = rk_coordinator_get_home(h->coordinator, 0);
    run->skipped = run->plan->tasks - run->finished - run->failed;
    run->retries += rk_coordinator_get_figures(h->coordinator).retries + rk_away_take_retries(h);
    run->elsewhere =
        (rk_store_figures){.budget = home.budget,
                           .peak = home.peak,
                           .spilled = h->mover.written,
                           .read_back = h->mover.read,
                           .remade = (uint32_t)rk_coordinator_get_figures(h->coordinator).recomputed};
    run->is_elsewhere = true;
}

static void wait(rk_run *run, void *handle)
{
    if (rk_squad_is_worker()) {
        rk_threads.wait(run, handle);
        return;
    }
    rk_hands *h = handle;
    rk_run_roots_ready(run);
    rk_result_expect(h);
    look_around(h, false);
    work(h);
    rk_units_forgive_stop(&h->units, &h->end_status, is_missing, h);
    count(h);
    if (run->observed)
        rk_units_tell_rest(&h->units);
    if (!h->end_status && !run->failure_count && rk_result_targets_fit(h))
        rk_result_gather(h);
    rk_hands_end(h);
    rk_free(h);
}

const rk_scheduler rk_processes = {.name = "processes", .start = start, .wait = wait, .apart = true};
