/* Memory: what a task needs in a home before it is let in, and what leaves memory for its sake.
 *
 * A task is let in when its inputs that are to come, its result and what it uses besides fit at once; all of that is
 * reserved before its errand starts, so what is let in never waits for memory again. The first task in plan order that
 * does not fit blocks its home: later ones must not take what is being made free for it. Copies that are needed last
 * leave first, but none that is needed earlier than the task's own result, as long as something else in the home goes
 * on: waiting costs less than bringing it back. A result of which nobody knows the size reserves nothing: its task asks
 * (ask.c). */
#include "schedulers/coordinator/state.h"

/* One that is named twice counts once. */
static void add_inputs(rk_coordinator *c, uint32_t home, uint32_t task, rk_demand *demand)
{
    uint32_t look = ++c->last_look;
    for (rk_walk in = rk_co_inputs(c, task); rk_co_next_input(c, &in);) {
        uint32_t word = in.word;
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

static uint64_t expect_result(const rk_coordinator *c, const rk_traits *traits)
{
    uint64_t learned = c->groups[traits->group].bytes;
    return traits->sure || traits->result_bytes > learned ? traits->result_bytes : learned;
}

rk_demand rk_co_demand(rk_coordinator *c, uint32_t home, uint32_t task, const rk_traits *traits)
{
    rk_demand demand = {.result = expect_result(c, traits),
                        .surely = traits->sure ? traits->result_bytes : 0,
                        .scratch = traits->scratch_bytes};
    if (c->homes[home].budget != RK_UNLIMITED)
        add_inputs(c, home, task, &demand);
    return demand;
}

/* What may be evicted, and how: what is needed later than bound, and when desperate anything. */
typedef struct rk_pressure {
    uint64_t bound; /* a rank */
    bool desperate;
    bool for_result; /* not for a task: nobody waits behind it */
} rk_pressure;

/* It need not go to disk: another home has it, too, or its task can be called again. But a source that is needed soon is
 * not dropped: it would be made again, and something else that is needed with it be dropped in turn. Nor is one for the sake of a
 * result, as long as the home goes on: who takes it is not held back by that, calls it again, and finds it dropped again. From disk it
 * comes back pinned. */
static bool is_replaceable(rk_coordinator *c, uint32_t i, rk_pressure p)
{
    const rk_co_copy *copy = &c->copies[i];
    const rk_co_task *t = &c->tasks[copy->task];
    return copy->next != RK_NONE || copy->prev != RK_NONE ||
           (t->source && !t->target && (p.desperate || !p.for_result) && rk_co_copy_next_use(c, i) > p.bound);
}

/* Takes one copy out of memory, at once or by a SPILL. */
static void evict(rk_coordinator *c, uint32_t i, rk_pressure p)
{
    if (is_replaceable(c, i, p)) {
        rk_co_copy_drop(c, i);
        return;
    }
    rk_co_copy_move(c, i, RK_COPY_HELD, RK_COPY_SPILLING);
    rk_co_copy_send(c, i);
}

/* The copy to take first, or RK_NONE. While the disk takes no more, one that needs none. */
static uint32_t coldest(rk_coordinator *c, const rk_co_home *h, rk_pressure p)
{
    for (uint32_t k = 0; k < h->cold.count; k++) {
        uint32_t i = h->cold.entries[k].item;
        if (!p.desperate && rk_co_copy_next_use(c, i) <= p.bound)
            return RK_NONE;
        if (h->disk_status == RASK_OK || is_replaceable(c, i, p))
            return i;
    }
    return RK_NONE;
}

/* What is needed before the first who takes a source's result, or else before a task itself, is not worth evicting for
 * its sake. */
static uint64_t bound_of(const rk_coordinator *c, uint32_t task)
{
    uint32_t edge = rk_co_is_added(c, task) ? 0 : c->succ_start[task];
    uint64_t use = c->tasks[task].source ? rk_co_next_use(c, task, &edge) : UINT64_MAX;
    return use != UINT64_MAX ? use : rk_co_rank(c, task);
}

/* Evicts until bytes more will fit. */
static void press(rk_coordinator *c, rk_co_home *h, uint64_t bytes, rk_pressure p)
{
    uint64_t limit = rk_co_limit(h);
    while (rk_co_used(h) - h->leaving + bytes > limit) {
        uint32_t i = coldest(c, h, p);
        if (i == RK_NONE)
            return;
        evict(c, i, p);
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

void rk_co_reopen(rk_coordinator *c, uint32_t home)
{
    if (!rk_co_is_closed(&c->homes[home]))
        rk_co_home_show(c, home, true);
    rk_bitmap_add(&c->look[RK_ROOM_NOW], home);
    rk_bitmap_add(&c->look[RK_ROOM_AHEAD], home);
}

void rk_co_unblock(rk_coordinator *c, uint32_t home)
{
    rk_co_home *h = &c->homes[home];
    if (h->blocked == RK_NO_TASK)
        return;
    h->blocked = RK_NO_TASK;
    rk_bitmap_remove(&c->blocked, home);
    rk_co_reopen(c, home);
}

void rk_co_press_for(rk_coordinator *c, uint32_t home, uint32_t task, uint64_t bytes, bool desperate)
{
    press(c, &c->homes[home], bytes, (rk_pressure){.bound = bound_of(c, task), .desperate = desperate});
}

void rk_co_press_for_result(rk_coordinator *c, uint32_t task, uint64_t bytes, bool desperate)
{
    press(c, &c->homes[0], bytes,
          (rk_pressure){.bound = bound_of(c, task), .desperate = desperate, .for_result = true});
}

void rk_co_freed_blocked(rk_coordinator *c, uint32_t home)
{
    rk_co_home *h = &c->homes[home];
    if (h->asks.count)
        rk_bitmap_add(&c->answerable, home);
    if (h->blocked == RK_NO_TASK)
        return;
    if (!rk_co_is_quiet(h) && !rk_co_has_room(h, h->wanted))
        press(c, h, h->wanted, (rk_pressure){.bound = bound_of(c, h->blocked)});
    if (rk_co_is_quiet(h) || rk_co_has_room(h, h->wanted))
        rk_co_unblock(c, home);
}

/* What a task takes and is in memory stays while room is made for it. */
static void keep_inputs(rk_coordinator *c, uint32_t home, uint32_t task, bool keep)
{
    for (rk_walk in = rk_co_inputs(c, task); rk_co_next_input(c, &in);) {
        uint32_t word = in.word;
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
        press(c, h, bytes, (rk_pressure){.bound = bound_of(c, task), .desperate = rk_co_is_quiet(h)});
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
    uint64_t left = rk_co_limit(h) - rk_co_used(h) - demand->missing;
    *reserve = *reserve < left ? *reserve : left;
    return RK_FITS;
}

uint32_t rk_co_larger_home(const rk_coordinator *c, uint32_t home, uint32_t task, uint64_t bytes)
{
    const rk_class *class = &c->classes[c->tasks[task].class];
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
    uint32_t other = rk_co_larger_home(c, home, task, bytes);
    if (other != RK_NO_HOME) {
        rk_co_task_bind(c, task, other);
        return;
    }
    rk_instruction blame = {.home = home};
    rk_co_say_no_room(h, bytes, &blame);
    rk_co_task_unqueue(c, task);
    rk_co_task_blame(c, task, &blame);
}

void rk_co_say_no_room(const rk_co_home *h, uint64_t bytes, rk_instruction *out)
{
    bool disk = bytes <= rk_co_limit(h) && h->disk_status;
    out->why = disk ? RK_WHY_NO_DISK : RK_WHY_NO_ROOM;
    out->status = disk ? h->disk_status : RASK_EBUDGET;
    out->bytes = bytes;
    out->budget = rk_co_limit(h);
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
        press(c, h, 0, (rk_pressure){.bound = UINT64_MAX, .desperate = true});
}
