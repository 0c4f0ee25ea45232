/* Policy: which task runs next, and where.
 *
 * A home looks for a task when a worker of it has room, or when a task became ready that it might take: look[] has the
 * homes that should. First those whose workers would begin at once, then those whose workers would queue it. A home
 * takes, of the tasks that its workers have room for, the first in plan order among those that had better run there and
 * those that may run anywhere. When there is none it takes one that had better run elsewhere, if the wait there is
 * longer than moving the inputs; and when there is none of these either, tasks that wait behind a long one on some worker
 * are asked back. What was given back begins at once wherever it goes next: it is sent to no queue. */
#include "schedulers/coordinator/state.h"

enum {
    MOST_GATHERED = 64,       /* targets on their way at once */
    LARGE_TRANSFER = 1 << 16, /* bytes from which on a transfer tells how fast they go */
    VICTIMS = 4,              /* homes with long queues that one without work looks at */
    STUCK_MESSAGES = 4,       /* a worker without progress for so many messages, */
    STUCK_TASKS = 3           /* and for so many times what a task takes, is stuck */
};

/* A home with this room for a class that is not blocked; RK_NONE. */
static inline uint32_t home_with_room(const rk_coordinator *c, uint32_t class, int room)
{
    if (c->options.most_homes > 1)
        return rk_bitmap_first(&c->classes[class].homes[room]);
    const rk_co_home *h = &c->homes[0];
    return h->blocked == RK_NO_TASK && h->open[room] >> class & 1 ? 0 : RK_NONE;
}

void rk_co_wake(rk_coordinator *c, uint32_t class, uint32_t task)
{
    for (int room = 0; room < RK_ROOMS; room++) {
        uint32_t home = home_with_room(c, class, room);
        if (home != RK_NONE) {
            rk_bitmap_add(&c->look[room], home);
            return;
        }
    }
    uint32_t blocked = rk_bitmap_first(&c->blocked);
    if (blocked != RK_NONE && rk_co_rank(c, task) < rk_co_rank(c, c->homes[blocked].blocked))
        rk_co_unblock(c, blocked);
}

void rk_co_wake_others(rk_coordinator *c)
{
    for (uint64_t classes = c->loose; classes; classes &= classes - 1)
        rk_co_wake(c, (uint32_t)__builtin_ctzll(classes), RK_NO_TASK);
}

/* Are the tags of the run there that tasks of this class need? When not, it is looked at again when some are given
 * back. */
static bool is_starved(rk_coordinator *c, uint32_t class)
{
    const rk_class *k = &c->classes[class];
    for (uint32_t i = 0; i < k->need_count; i++)
        if (c->options.tag_counts[k->needs[i].tag] && c->tags[k->needs[i].tag] < k->needs[i].count) {
            c->starved |= (uint64_t)1 << class;
            return true;
        }
    return false;
}

/* The first task in plan order for which some worker of the home has this room. */
static uint32_t first_task(rk_coordinator *c, const rk_co_home *h, rk_room room)
{
    uint32_t best = RK_NO_TASK;
    for (uint64_t classes = h->open[room] & c->loose; classes; classes &= classes - 1) {
        uint32_t class = (uint32_t)__builtin_ctzll(classes);
        if (!is_starved(c, class))
            best = rk_co_sooner(c, best, rk_co_first_loose(c, class));
    }
    for (uint32_t kind = 0; kind < RK_QUEUES; kind++) {
        uint32_t task = h->queue[kind].count ? h->queue[kind].entries[0].item : RK_NO_TASK;
        if (task != RK_NO_TASK && h->open[room] >> c->tasks[task].class & 1 &&
            !is_starved(c, c->tasks[task].class))
            best = rk_co_sooner(c, best, task);
    }
    return best;
}

/* What it takes until a task's inputs are in a home. */
static uint64_t moving_ns(const rk_coordinator *c, uint32_t home, uint32_t task)
{
    uint64_t bytes = 0, messages = 0;
    for (rk_walk in = rk_co_inputs(c, task); rk_co_next_input(c, &in);) {
        uint32_t word = in.word;
        if (word & RK_INPUT_ORDER || c->tasks[word].link == RK_NONE ||
            rk_co_copy_find(c, word, home) != RK_NONE)
            continue;
        bytes += c->copies[c->tasks[word].link].bytes;
        messages = 2;
    }
    return messages * c->options.latency_ns + (uint64_t)((double)bytes / c->bytes_per_ns);
}

static uint64_t stuck_after(const rk_coordinator *c)
{
    return STUCK_MESSAGES * c->options.latency_ns + STUCK_TASKS * c->average_ns;
}

/* How long the first in a home's queue will wait there, by what its like take. One that was given back was behind a
 * task that is no longer like the others. */
static uint64_t waiting_ns(const rk_coordinator *c, const rk_co_home *h, uint32_t kind)
{
    uint64_t queue = h->queue[kind].count * c->average_ns / h->plain[kind] + c->average_ns / 2;
    return queue + (c->tasks[h->queue[kind].entries[0].item].given_back ? stuck_after(c) : 0);
}

/* A task that had better run in another home, but would wait there for longer than it takes to move. */
static uint32_t others_task(rk_coordinator *c, uint32_t home, uint32_t kind)
{
    for (uint32_t i = 0; i < VICTIMS && i < c->busy[kind].count; i++) {
        uint32_t other = c->busy[kind].entries[i].item;
        const rk_co_home *h = &c->homes[other];
        uint32_t task = h->queue[kind].entries[0].item;
        if (other == home)
            continue;
        if (h->blocked != RK_NO_TASK || !c->figures.finished ||
            waiting_ns(c, h, kind) > moving_ns(c, home, task))
            return task;
    }
    return RK_NO_TASK;
}

static uint32_t any_others_task(rk_coordinator *c, uint32_t home)
{
    for (uint32_t kind = 0; kind < 2; kind++) {
        uint32_t class = c->plain[kind];
        if (class == RK_NONE || !(c->homes[home].open[RK_ROOM_NOW] >> class & 1))
            continue;
        uint32_t task = others_task(c, home, kind);
        if (task != RK_NO_TASK)
            return task;
    }
    return RK_NO_TASK;
}

/* The errand last in a worker's queue that is not asked back yet. */
static uint32_t last_recallable(const rk_coordinator *c, const rk_co_worker *w)
{
    uint32_t i = w->lists[RK_LIST_SLOTS].last;
    while (i != RK_NONE && (c->errands[i].recalled || c->errands[i].started || c->errands[i].stays))
        i = c->errands[i].prev;
    return i == RK_NONE || c->errands[i].begun ? RK_NONE : i;
}

void rk_co_recall_one(rk_coordinator *c, uint32_t worker)
{
    uint32_t i = last_recallable(c, &c->workers[worker]);
    assert(i != RK_NONE);
    rk_co_errand_recall(c, i);
}

/* Asks back what waits behind a long task while others have nothing to do: from the worker without progress for the
 * longest time, if it is stuck; or else from the one that began last, if the wait is longer than the message. */
void rk_co_recall_some(rk_coordinator *c)
{
    c->recall_ns = RK_NEVER;
    while (c->recalling < c->free_slots && c->backlogged.count) {
        const rk_co_worker *oldest = &c->workers[c->backlogged.first];
        bool stuck = oldest->progress_ns + stuck_after(c) <= c->now;
        if (!stuck && c->average_ns < 2 * STUCK_MESSAGES * c->options.latency_ns) {
            c->recall_ns = oldest->progress_ns + stuck_after(c);
            return;
        }
        rk_co_recall_one(c, stuck ? c->backlogged.first : c->backlogged.last);
    }
}

typedef enum decision { DECIDED, NOTHING, AGAIN } decision;

/* A task for a home whose first worker with this room takes it. */
static decision let_in(rk_coordinator *c, uint32_t home, uint32_t task, rk_room room)
{
    rk_traits traits;
    uint64_t reserve;
    uint32_t class = c->tasks[task].class;
    if (rk_co_lineage_wake_sources(c, task))
        return AGAIN;
    rk_co_describe(c, task, &traits);
    rk_demand demand = rk_co_demand(c, home, task, &traits);
    if (room == RK_ROOM_AHEAD) {
        reserve = demand.result + demand.scratch;
        if (!rk_co_has_room(&c->homes[home], demand.missing + reserve))
            return NOTHING;
    } else {
        rk_verdict verdict = rk_co_make_room(c, home, task, &demand, &reserve);
        if (verdict == RK_NEVER_FITS)
            rk_co_refuse(c, home, task, &demand);
        if (verdict != RK_FITS)
            return verdict == RK_WAITS ? NOTHING : AGAIN;
    }
    rk_co_task_unqueue(c, task);
    rk_co_errand_start(c, task, rk_co_seat_first(c, home, class, room), &traits, reserve);
    return DECIDED;
}

static bool has_queue(const rk_co_home *h)
{
    return h->queue[RK_QUEUE_SLOTS].count || h->queue[RK_QUEUE_LANES].count;
}

static decision decide(rk_coordinator *c, uint32_t home, rk_room room)
{
    const rk_co_home *h = &c->homes[home];
    if (c->stopping || h->state != RK_HOME_HERE || h->blocked != RK_NO_TASK || !h->open[room])
        return NOTHING;
    uint32_t task = first_task(c, h, room);
    if (task == RK_NO_TASK && room == RK_ROOM_NOW && c->options.most_homes > 1)
        task = any_others_task(c, home);
    if (task == RK_NO_TASK) {
        if (room == RK_ROOM_NOW)
            rk_co_recall_some(c);
        return NOTHING;
    }
    if (rk_co_rank(c, task) > rk_co_rank(c, rk_co_first_ask(c, h)) ||
        (h->asks.count && room == RK_ROOM_AHEAD))
        return NOTHING;
    if (room == RK_ROOM_AHEAD && (c->tasks[task].suspect || c->tasks[task].given_back))
        return NOTHING; /* it does not wait behind another, or not once more */
    uint32_t class = c->tasks[task].class, from = c->tasks[task].link;
    decision made = let_in(c, home, task, room);
    bool more = from == home ? has_queue(h) && !(h->open[RK_ROOM_NOW] >> class & 1) : true;
    if (more && made != AGAIN) /* another home may have room for one more of these, or for this one */
        rk_co_wake(c, class, RK_NO_TASK);
    return made;
}

bool rk_co_choose(rk_coordinator *c)
{
    for (;;) {
        rk_room room = rk_bitmap_any(&c->look[RK_ROOM_NOW]) ? RK_ROOM_NOW : RK_ROOM_AHEAD;
        uint32_t home = rk_bitmap_first(&c->look[room]);
        if (home == RK_NONE)
            return false;
        decision made = decide(c, home, room);
        if (made == NOTHING)
            rk_bitmap_remove(&c->look[room], home);
        if (made == DECIDED)
            return true;
    }
}

/* A task that is READY; there is one when some task is left and nothing moves. */
static uint32_t some_ready_task(const rk_coordinator *c)
{
    if (c->loose)
        return rk_co_first_loose(c, (uint32_t)__builtin_ctzll(c->loose));
    for (uint32_t home = 0; home < c->options.most_homes; home++)
        for (uint32_t kind = 0; kind < RK_QUEUES; kind++)
            if (c->homes[home].queue[kind].count)
                return c->homes[home].queue[kind].entries[0].item;
    return RK_NO_TASK;
}

/* What is lent comes back, and may be all that is missing. */
static bool is_lending(const rk_coordinator *c)
{
    bool lends = false;
    for (uint32_t tag = 0; tag < c->options.tags; tag++)
        lends |= c->lent[tag] > 0;
    return lends;
}

bool rk_co_resolve(rk_coordinator *c)
{
    if (c->stopping || c->errands_out || c->moving || c->retries.count || !c->left || !c->worker_count ||
        is_lending(c))
        return false;
    uint32_t task = some_ready_task(c);
    assert(task != RK_NO_TASK);
    if (c->tasks[task].link != RK_NO_HOME) { /* who it waits for there is gone */
        rk_co_task_loosen(c, task);
        return true;
    }
    rk_co_task_unqueue(c, task);
    rk_co_task_blame(c, task, &(rk_instruction){.why = RK_WHY_NO_WORKER, .status = RASK_EUNSUPPORTED});
    return true;
}

/* Learning. */

static uint64_t drift(uint64_t old, uint64_t seen)
{
    return old - old / 4 + seen / 4 + 1;
}

void rk_co_learn_task(rk_coordinator *c, uint32_t group, uint64_t bytes, uint64_t duration_ns)
{
    rk_group *g = &c->groups[group];
    g->duration_ns = g->timed ? drift(g->duration_ns, duration_ns) : duration_ns;
    g->timed = true;
    g->bytes = bytes > g->bytes ? bytes : g->bytes;
    c->average_ns = c->figures.finished ? drift(c->average_ns, duration_ns) : duration_ns;
}

void rk_co_learn_transfer(rk_coordinator *c, uint64_t bytes, uint64_t duration_ns)
{
    if (bytes < LARGE_TRANSFER || !duration_ns)
        return;
    c->bytes_per_ns += ((double)bytes / (double)duration_ns - c->bytes_per_ns) / 4;
}

/* The end. */

static bool hand_over(rk_coordinator *c, uint32_t task)
{
    uint32_t i = rk_co_copy_find(c, task, 0);
    if (c->tasks[task].state != RK_TASK_OVER)
        return true;
    if (i != RK_NONE && c->copies[i].state == RK_COPY_HELD)
        rk_co_copy_move(c, i, RK_COPY_HELD, RK_COPY_HANDED);
    return i != RK_NONE && c->copies[i].state == RK_COPY_HANDED;
}

/* What others use of home 0 is no reason to be without a target, when it is the only thing that is missing. */
static bool has_room_for_target(const rk_coordinator *c, uint64_t bytes)
{
    const rk_co_home *h = &c->homes[0];
    return rk_co_has_room(h, bytes) || (!c->moving && rk_co_used(h) + bytes <= h->budget);
}

static void hand_over_asked(rk_coordinator *c)
{
    while (c->gathered < c->asked && hand_over(c, c->targets[c->gathered]))
        c->gathered++;
}

/* A target is sent for; false: there is no room now, or it is on its way out. */
static bool send_for(rk_coordinator *c, uint32_t task)
{
    uint32_t i = rk_co_copy_find(c, task, 0), from = c->tasks[task].link;
    if (i != RK_NONE && c->copies[i].state != RK_COPY_ON_DISK)
        return c->copies[i].state != RK_COPY_SPILLING;
    if (!has_room_for_target(c, c->copies[from].bytes))
        return false;
    if (i == RK_NONE) {
        i = rk_co_copy_new(c, task, 0, RK_COPY_FETCHING, c->copies[from].bytes);
        if (i == RK_NONE)
            return true;
        rk_co_copy_read(c, i, from);
    } else {
        rk_co_copy_move(c, i, RK_COPY_ON_DISK, RK_COPY_LOADING);
    }
    rk_co_copy_send(c, i);
    return true;
}

rk_delivery rk_co_deliver(rk_coordinator *c, uint32_t task)
{
    uint32_t i = rk_co_copy_find(c, task, 0);
    bool quiet = rk_co_is_quiet(&c->homes[0]);
    if (hand_over(c, task))
        return RK_DELIVERED;
    if (rk_co_lineage_wake(c, task))
        return RK_MADE_AGAIN;
    if ((i != RK_NONE && rk_co_copy_moves(&c->copies[i])) || send_for(c, task))
        return RK_ON_ITS_WAY;
    uint64_t bytes = c->copies[c->tasks[task].link].bytes;
    if (bytes > c->homes[0].budget) /* nothing need leave for it, nor return */
        return RK_NO_ROOM_EVER;
    rk_co_press_for_result(c, task, bytes, quiet);
    if (send_for(c, task))
        return RK_ON_ITS_WAY;
    return quiet && rk_co_is_quiet(&c->homes[0]) ? RK_NO_ROOM_EVER : RK_NO_ROOM_NOW;
}

static void send_for_more(rk_coordinator *c)
{
    while (c->asked < c->target_count && c->moving < MOST_GATHERED && !c->stopping) {
        uint32_t task = c->targets[c->asked];
        if (hand_over(c, task)) {
            c->asked++;
        } else if (rk_co_lineage_wake(c, task)) {
            return;
        } else if (send_for(c, task)) {
            c->asked++;
        } else if (c->moving) {
            return;
        } else {
            rk_co_refuse_target(c, task);
        }
    }
}

void rk_co_gather_again(rk_coordinator *c, uint32_t task, int status)
{
    c->asked = c->gathered;
    if (status && c->tasks[task].target)
        (void)rk_co_task_died(c, task, RK_WHY_LOST, status);
}

/* What is in place already comes first, for it makes room. */
bool rk_co_gather(rk_coordinator *c)
{
    if (c->left || c->stopping) {
        c->gathering = false;
        return false;
    }
    if (!c->gathering) {
        for (uint32_t k = 0; k < c->target_count; k++)
            (void)hand_over(c, c->targets[k]);
        c->gathering = true;
        c->gathered = c->asked = 0;
    }
    hand_over_asked(c);
    send_for_more(c);
    hand_over_asked(c);
    return !c->left && !c->stopping && c->gathered == c->target_count;
}
