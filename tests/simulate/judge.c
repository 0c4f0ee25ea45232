/* What must hold at every moment, of every instruction, and in the end. */
#include "simulate.h"

#include <inttypes.h>

static bool is_here(const world *w, uint32_t home)
{
    return w->home_here[home] && !w->home_known_lost[home];
}

/* Whatever it has grown into. */
static bool is_target(const world *w, uint32_t task)
{
    return task < w->s.tasks && w->s.scripts[task].traits.target;
}

static bool takes(const node *n, uint32_t task)
{
    for (uint32_t k = 0; k < n->input_count; k++)
        if (n->inputs[k] == task)
            return true;
    return false;
}

/* Somebody not over yet takes the result of task, or it is a target. */
static bool is_needed(const world *w, uint32_t task)
{
    if (is_target(w, task))
        return true;
    for (uint32_t user = 0; user < w->numbers; user++)
        if (w->known[user] && rk_coordinator_outcome(w->c, user) == RK_NOT_OVER &&
            (takes(&w->nodes[user], task) || takes(&w->origins[user], task)))
            return true;
    return w->wants[task];
}

/* A task is run again for a reason: its result is needed and nowhere. */
static void judge_run(world *w, const rk_instruction *i)
{
    for (uint32_t home = 0; home < w->s.homes; home++)
        if (is_here(w, home) && !w->cells[home][i->task].untold &&
            (w->cells[home][i->task].memory || w->cells[home][i->task].disk))
            world_wrong(w, "task %" PRIu32 " runs again, and its result is in home %" PRIu32, i->task, home);
    if (w->returned[i->task] && !is_needed(w, i->task) && !w->ends[i->task])
        world_wrong(w, "task %" PRIu32 " runs again for nothing", i->task);
}

static bool suits(const world *w, uint32_t home, uint32_t task)
{
    const rk_traits *t = &w->nodes[task].x.traits;
    const site *x = &w->s.sites[home];
    for (uint32_t k = 0; k < t->need_count; k++)
        if ((w->s.tag_counts[t->needs[k].tag] ? w->s.tag_counts : x->tags)[t->needs[k].tag] <
            t->needs[k].count)
            return false;
    return (t->io ? x->lanes : x->slots) && (t->here ? x->here : !x->only_here);
}

/* Some living worker in a home could run it. */
static bool has_worker(const world *w, uint32_t home, uint32_t task)
{
    for (uint32_t k = 0; k < w->life_count; k++)
        if (w->lives[k].alive && !w->lives[k].leaving && w->lives[k].home == home)
            return suits(w, home, task);
    return false;
}

static bool is_justified(const world *w, const rk_instruction *i)
{
    const script *x = &w->nodes[i->task].x;
    bool fits = false, runs = false;
    for (uint32_t home = 0; home < w->s.homes; home++) {
        uint64_t budget = w->s.sites[home].budget;
        bool can = has_worker(w, home, i->task) && is_here(w, home);
        runs |= can;
        can &= !home || !w->returned[i->task] ||
               !is_target(w, i->task); /* a target that is made has to fit into home 0 */
        fits |= can && (budget == UINT64_MAX || i->bytes <= budget - w->other[home]);
    }
    switch (i->why) {
    case RK_WHY_DEATHS:
        return w->ends[i->task] >= (w->disturbed ? 1 : 3); /* inputs that could not be had count, too */
    case RK_WHY_TIMEOUT: return x->traits.timeout_ns != 0;
    case RK_WHY_NO_ROOM: return i->bytes > i->budget && !fits;
    case RK_WHY_NO_WORKER: return !runs;
    case RK_WHY_NO_DISK: return w->disturbed;
    case RK_WHY_LOST: return w->disturbed;
    default: return false;
    }
}

/* Who wants a result is told when it is in place. */
static void judge_done(world *w, const rk_instruction *i)
{
    const cell *there = &w->cells[0][i->task];
    rk_outcome outcome = rk_coordinator_outcome(w->c, i->task);
    if (!w->wants[i->task] || w->told[i->task] || outcome == RK_NOT_OVER)
        world_wrong(w, "it is told for no reason that task %" PRIu32 " is over", i->task);
    if (outcome == RK_FINISHED && !i->status && (!there->memory || there->hash != w->nodes[i->task].truth))
        world_wrong(w, "the result of task %" PRIu32 " is not where it is wanted", i->task);
    rk_home_figures f = rk_coordinator_get_home(w->c, 0);
    bool fits = f.live + f.reserved + w->other[0] + w->nodes[i->task].x.bytes <= f.budget;
    if (i->status && !w->disturbed && fits)
        world_wrong(w, "the result of task %" PRIu32 " is not handed over", i->task);
}

void judge_instruction(world *w, const rk_instruction *i)
{
    if (i->kind == RK_DO_RUN)
        judge_run(w, i);
    if (i->kind == RK_DO_DONE)
        judge_done(w, i);
    if (i->kind == RK_DO_DROP && w->cells[i->home][i->task].moving)
        world_wrong(w, "the result of task %" PRIu32 " is dropped while it moves", i->task);
    if ((i->kind == RK_DO_BLAME || i->kind == RK_DO_REFUSE) && !is_justified(w, i))
        world_wrong(w, "task %" PRIu32 " is blamed for reason %d without one: %" PRIu64 " of %" PRIu64,
                    i->task, i->why, i->bytes, i->budget);
    if (i->kind == RK_DO_SPILL && w->s.sites[i->home].budget == UINT64_MAX)
        world_wrong(w, "a result is put on disk without need");
}

static uint64_t targets_in_place(const world *w)
{
    uint64_t bytes = 0;
    for (uint32_t task = 0; task < w->numbers; task++)
        if (w->cells[0][task].memory && (is_target(w, task) || w->told[task]))
            bytes += w->nodes[task].x.bytes;
    return bytes;
}

void judge_now(world *w)
{
    const char *broken = rk_coordinator_check(w->c);
    if (broken)
        world_wrong(w, "%s", broken);
    for (uint32_t home = 0; home < w->s.homes && !w->s.memory_reports && !w->s.submits; home++) {
        rk_home_figures f = rk_coordinator_get_home(w->c, home);
        if (is_here(w, home) && f.live + f.reserved > f.budget)
            world_wrong(w, "home %" PRIu32 " has %" PRIu64 " bytes live and %" PRIu64 " reserved of %" PRIu64,
                        home, f.live, f.reserved, f.budget);
    }
}

void judge_memory(world *w)
{
    for (uint32_t home = 0; home < w->s.homes; home++) {
        rk_home_figures f = rk_coordinator_get_home(w->c, home);
        uint64_t used = world_memory(w, home), targets = home ? 0 : targets_in_place(w);
        if (is_here(w, home) && used > f.live + f.reserved + targets)
            world_wrong(w, "home %" PRIu32 " uses %" PRIu64 " bytes, %" PRIu64 " are known of", home, used,
                        f.live + f.reserved);
    }
}

/* Did something that task depends on fail? What it grew is forgotten then. */
static bool depends_on_failure(const world *w, uint32_t task)
{
    const node *n = &w->nodes[task];
    if (n->depth || task >= w->s.tasks)
        return true;
    for (uint32_t k = 0; k < n->input_count; k++) {
        rk_outcome outcome = rk_coordinator_outcome(w->c, n->inputs[k] & ~RK_INPUT_ORDER);
        if (outcome == RK_FAILED || outcome == RK_SKIPPED)
            return true;
    }
    return false;
}

static void judge_task(world *w, uint32_t task)
{
    const script *x = &w->nodes[task].x;
    bool target = is_target(w, task);
    rk_outcome outcome = rk_coordinator_outcome(w->c, task);
    bool stopped = w->status && (!w->s.options.keep_going || w->cancelled);
    bool tried = w->failures[task] + w->ends[task] * !!x->traits.timeout_ns > x->traits.retries;
    if (outcome == RK_FAILED && !w->blamed[task] && !x->fatal && !tried)
        world_wrong(w, "task %" PRIu32 " failed for no reason", task);
    if (outcome == RK_NOT_OVER && !stopped)
        world_wrong(w, "task %" PRIu32 " was forgotten", task);
    if (outcome == RK_SKIPPED && !depends_on_failure(w, task))
        world_wrong(w, "task %" PRIu32 " was skipped for no reason", task);
    if (outcome == RK_FINISHED && target && !stopped &&
        (!w->cells[0][task].memory || w->cells[0][task].hash != w->nodes[task].truth))
        world_wrong(w, "target %" PRIu32 " is not in place", task);
    if (w->wants[task] && !w->told[task] && !stopped)
        world_wrong(w, "nobody was told that task %" PRIu32 " is over", task);
}

void judge_end(world *w)
{
    bool failed = rk_coordinator_get_figures(w->c).failed;
    for (uint32_t task = 0; task < w->numbers && !w->wrong; task++)
        if (w->known[task])
            judge_task(w, task);
    if (!w->wrong && (w->status != RASK_OK) != (failed || w->cancelled))
        world_wrong(w, "the run ends with %s", rask_status_name(w->status));
}
