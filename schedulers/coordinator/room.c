/* Memory: what a task needs in a home before it is let in, and what leaves memory for its sake.
 *
 * A task is let in when its inputs that are to come, its result and what it uses besides fit at once; all of that is
 * reserved before its errand starts, so what is let in never waits for memory again. The first task in plan order that
 * does not fit blocks its home: later ones must not take what is being made free for it. Copies that are needed last
 * leave first, but none that is needed earlier than the task's own result, as long as something else in the home goes
 * on: waiting costs less than bringing it back. */
#include "schedulers/coordinator/state.h"

enum { UNKNOWN_SHARE = 8 }; /* results of unknown size may take this part of a home, altogether */

/* One that is named twice counts once. */
static void add_inputs(rk_coordinator *c, uint32_t home, uint32_t task, rk_demand *demand)
{
    uint32_t look = ++c->last_look;
    for (uint64_t at = c->graph.input_start[task]; at < c->graph.input_start[task + 1]; at++) {
        uint32_t word = c->graph.inputs[at];
        rk_co_copy *some = word & RK_INPUT_ORDER ? NULL : &c->copies[c->tasks[word].link];
        if (!some || some->seen == look)
            continue;
        uint32_t i = rk_co_copy_find(c, word, home);
        some->seen = look;
        demand->inputs += some->bytes;
        if (i == RK_NONE || c->copies[i].state == RK_COPY_ON_DISK)
            demand->missing += some->bytes;
    }
}

static uint64_t expect_result(const rk_coordinator *c, const rk_co_home *h, const rk_traits *traits)
{
    const rk_group *group = &c->groups[traits->group];
    if (traits->sure || traits->result_bytes > group->bytes)
        return traits->result_bytes;
    if (group->sized || h->budget == RK_UNLIMITED)
        return group->bytes;
    return h->budget / UNKNOWN_SHARE / (h->width[0] + h->width[1] + 1);
}

rk_demand rk_co_demand(rk_coordinator *c, uint32_t home, uint32_t task, const rk_traits *traits)
{
    rk_demand demand = {.result = expect_result(c, &c->homes[home], traits),
                        .surely = traits->sure ? traits->result_bytes : 0,
                        .scratch = traits->scratch_bytes};
    if (c->homes[home].budget != RK_UNLIMITED)
        add_inputs(c, home, task, &demand);
    return demand;
}

/* Another copy of the same result can be had when this one is gone, or its task can be called again. */
static bool is_replaceable(const rk_coordinator *c, uint32_t i)
{
    const rk_co_copy *copy = &c->copies[i];
    const rk_co_task *t = &c->tasks[copy->task];
    return copy->next != RK_NONE || copy->prev != RK_NONE || (t->source && !t->target);
}

/* Takes one copy out of memory, at once or by a SPILL. */
static void evict(rk_coordinator *c, uint32_t i)
{
    if (is_replaceable(c, i)) {
        rk_co_copy_drop(c, i);
        return;
    }
    rk_co_copy_move(c, i, RK_COPY_HELD, RK_COPY_SPILLING);
    rk_co_copy_send(c, i);
}

/* The copy to take first; RK_NONE: none is needed later than bound. With a disk that takes no more, any that needs
 * none. */
static uint32_t coldest(rk_coordinator *c, const rk_co_home *h, uint32_t bound)
{
    for (uint32_t k = 0; k < h->cold.count; k++) {
        uint32_t i = h->cold.entries[k].item;
        if (rk_co_copy_next_use(c, i) <= bound && bound)
            return RK_NONE;
        if (h->disk_status == RASK_OK || is_replaceable(c, i))
            return i;
    }
    return RK_NONE;
}

/* What is needed before this is not worth evicting for a task's sake. */
static uint32_t bound_of(const rk_coordinator *c, uint32_t task)
{
    if (!c->tasks[task].source || c->succ_start[task] == c->succ_start[task + 1])
        return task;
    return c->succ[c->succ_start[task]] & ~RK_INPUT_ORDER;
}

/* Evicts until bytes more will fit. */
static void press(rk_coordinator *c, rk_co_home *h, uint64_t bytes, uint32_t bound)
{
    uint64_t limit = rk_co_limit(h);
    while (rk_co_used(h) - h->leaving + bytes > limit) {
        uint32_t i = coldest(c, h, bound);
        if (i == RK_NONE)
            return;
        evict(c, i);
    }
}

static void block(rk_coordinator *c, uint32_t home, uint32_t task, uint64_t bytes)
{
    rk_co_home *h = &c->homes[home];
    rk_co_home_show(c, home, false);
    h->blocked = task;
    h->wanted = bytes;
    rk_bitmap_add(&c->blocked, home);
    rk_co_wake_others(c);
}

void rk_co_unblock(rk_coordinator *c, uint32_t home)
{
    rk_co_home *h = &c->homes[home];
    if (h->blocked == RK_NO_TASK)
        return;
    h->blocked = RK_NO_TASK;
    rk_bitmap_remove(&c->blocked, home);
    rk_co_home_show(c, home, true);
    rk_bitmap_add(&c->look[RK_ROOM_NOW], home);
    rk_bitmap_add(&c->look[RK_ROOM_AHEAD], home);
}

void rk_co_freed(rk_coordinator *c, uint32_t home)
{
    rk_co_home *h = &c->homes[home];
    if (h->blocked == RK_NO_TASK)
        return;
    if (!rk_co_is_quiet(h) && !rk_co_has_room(h, h->wanted))
        press(c, h, h->wanted, bound_of(c, h->blocked));
    if (rk_co_is_quiet(h) || rk_co_has_room(h, h->wanted))
        rk_co_unblock(c, home);
}

/* What a task takes and is in memory stays while room is made for it. */
static void keep_inputs(rk_coordinator *c, uint32_t home, uint32_t task, bool keep)
{
    for (uint64_t at = c->graph.input_start[task]; at < c->graph.input_start[task + 1]; at++) {
        uint32_t word = c->graph.inputs[at];
        uint32_t i = word & RK_INPUT_ORDER ? RK_NONE : rk_co_copy_find(c, word, home);
        if (i != RK_NONE && keep)
            rk_co_copy_pin(c, i);
        else if (i != RK_NONE)
            rk_co_copy_unpin(c, i);
    }
}

rk_verdict rk_co_make_room(rk_coordinator *c, uint32_t home, uint32_t task, const rk_demand *demand,
                           uint64_t *reserve)
{
    rk_co_home *h = &c->homes[home];
    uint64_t bytes = demand->missing + demand->result + demand->scratch;
    *reserve = demand->result + demand->scratch;
    if (rk_co_has_room(h, bytes))
        return RK_FITS;
    if (demand->inputs + demand->surely + demand->scratch <= rk_co_limit(h)) {
        keep_inputs(c, home, task, true);
        press(c, h, bytes, rk_co_is_quiet(h) ? 0 : bound_of(c, task));
        keep_inputs(c, home, task, false);
        if (rk_co_has_room(h, bytes))
            return RK_FITS;
    }
    if (!rk_co_is_quiet(h)) {
        block(c, home, task, bytes);
        return RK_WAITS;
    }
    bytes = demand->missing + demand->surely + demand->scratch;
    if (!rk_co_has_room(h, bytes))
        return RK_NEVER_FITS;
    *reserve = h->budget == RK_UNLIMITED ? *reserve : rk_co_limit(h) - rk_co_used(h) - demand->missing;
    return RK_FITS;
}

/* A home that is large enough, with somebody who could run it. */
static uint32_t larger_home(const rk_coordinator *c, uint32_t home, const rk_class *class, uint64_t bytes)
{
    for (uint32_t w = 0; w < c->used_workers; w++) {
        uint32_t other = c->workers[w].home;
        if (other != home && rk_co_worker_suits(c, w, class) && bytes <= rk_co_limit(&c->homes[other]) &&
            rk_co_limit(&c->homes[home]) < rk_co_limit(&c->homes[other]))
            return other;
    }
    return RK_NO_HOME;
}

void rk_co_refuse(rk_coordinator *c, uint32_t home, uint32_t task, const rk_demand *demand)
{
    rk_co_home *h = &c->homes[home];
    uint64_t bytes = demand->inputs + demand->surely + demand->scratch;
    uint32_t other = larger_home(c, home, &c->classes[c->tasks[task].class], bytes);
    if (other != RK_NO_HOME) {
        rk_co_task_bind(c, task, other);
        return;
    }
    bool disk = bytes <= rk_co_limit(h) && h->disk_status;
    rk_co_task_unqueue(c, task);
    rk_co_task_blame(c, task,
                     &(rk_instruction){.why = disk ? RK_WHY_NO_DISK : RK_WHY_NO_ROOM,
                                       .status = disk ? h->disk_status : RASK_EBUDGET,
                                       .bytes = bytes,
                                       .budget = rk_co_limit(h),
                                       .home = home});
}

void rk_co_refuse_target(rk_coordinator *c, uint32_t task)
{
    rk_co_task_blame(c, task,
                     &(rk_instruction){.why = RK_WHY_NO_ROOM,
                                       .status = RASK_EBUDGET,
                                       .bytes = c->copies[c->tasks[task].link].bytes,
                                       .budget = rk_co_limit(&c->homes[0]),
                                       .home = 0});
}

void rk_co_relieve(rk_coordinator *c, uint32_t home)
{
    rk_co_home *h = &c->homes[home];
    if (h->budget != RK_UNLIMITED)
        press(c, h, 0, 0);
}
