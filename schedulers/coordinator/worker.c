/* The machine of workers (schedulers/coordinator/state.h), and who of them has room for what.
 *
 * For each class of tasks the workers of a home stand in two lists: those that would begin with such a task at once, and
 * those that would have it wait behind others, so that the next task is there when one returns. How many may wait is by
 * what they are expected to take: as long as a message and its answer, and some more. */
#include "schedulers/coordinator/state.h"

#include <assert.h>

enum { AHEAD_MESSAGES = 6 }; /* of work in a worker's queue, in times a message takes */

static rk_seat_link *seat_of(const rk_coordinator *c, uint32_t worker, uint32_t class)
{
    return &c->seats[(uint64_t) class * c->options.most_workers + worker];
}

/* First and last of a list. */
static uint32_t *head_of(const rk_coordinator *c, uint32_t home, uint32_t class, rk_room room)
{
    return &c->seat_heads[(((uint64_t) class * c->options.most_homes + home) * RK_ROOMS + room) * 2];
}

uint32_t rk_co_seat_first(const rk_coordinator *c, uint32_t home, uint32_t class, rk_room room)
{
    return *head_of(c, home, class, room);
}

static void show(rk_coordinator *c, uint32_t home, uint32_t class, rk_room room, bool shown)
{
    if (c->options.most_homes == 1)
        return; /* nobody looks for a home */
    rk_bitmap *homes = &c->classes[class].homes[room];
    if (shown)
        rk_bitmap_add(homes, home);
    else if (rk_bitmap_has(homes, home))
        rk_bitmap_remove(homes, home);
}

void rk_co_home_show(rk_coordinator *c, uint32_t home, bool shown)
{
    for (int room = 0; room < RK_ROOMS; room++)
        for (uint64_t classes = c->homes[home].open[room]; classes; classes &= classes - 1)
            show(c, home, (uint32_t)__builtin_ctzll(classes), room, shown);
}

static void seat_leave(rk_coordinator *c, uint32_t worker, uint32_t class)
{
    rk_seat_link *seat = seat_of(c, worker, class);
    uint32_t home = c->workers[worker].home, *head = head_of(c, home, class, seat->room);
    *(seat->prev == RK_NONE ? &head[0] : &seat_of(c, seat->prev, class)->next) = seat->next;
    *(seat->next == RK_NONE ? &head[1] : &seat_of(c, seat->next, class)->prev) = seat->prev;
    if (head[0] != RK_NONE)
        return;
    c->homes[home].open[seat->room] &= ~((uint64_t)1 << class);
    show(c, home, class, seat->room, false);
}

static void seat_enter(rk_coordinator *c, uint32_t worker, uint32_t class, rk_room room)
{
    rk_seat_link *seat = seat_of(c, worker, class);
    uint32_t home = c->workers[worker].home, *head = head_of(c, home, class, room);
    *seat = (rk_seat_link){.next = RK_NONE, .prev = head[1], .room = (uint8_t)room, .suits = true};
    rk_bitmap_add(&c->look[room], home);
    if (head[1] != RK_NONE) {
        seat_of(c, head[1], class)->next = worker;
        head[1] = worker;
        return;
    }
    head[0] = head[1] = worker;
    c->homes[home].open[room] |= (uint64_t)1 << class;
    if (!rk_co_is_closed(&c->homes[home]))
        show(c, home, class, room, true);
}

bool rk_co_worker_suits(const rk_coordinator *c, uint32_t worker, const rk_class *class)
{
    const rk_co_worker *w = &c->workers[worker];
    for (uint32_t i = 0; i < class->need_count; i++) {
        uint32_t tag = class->needs[i].tag;
        if (!c->options.tag_counts[tag] && *rk_co_worker_brought(c, worker, tag) < class->needs[i].count)
            return false;
    }
    return w->state == RK_WORKER_HERE && w->width[class->io] && (class->here ? w->here : !w->only_here);
}

static bool has_tags(const rk_coordinator *c, uint32_t worker, const rk_class *class)
{
    for (uint32_t i = 0; i < class->need_count; i++) {
        uint32_t tag = class->needs[i].tag;
        if (!c->options.tag_counts[tag] && *rk_co_worker_tag(c, worker, tag) < class->needs[i].count)
            return false;
    }
    return true;
}

/* May one more task wait in its queue? */
static bool has_room_ahead(const rk_coordinator *c, const rk_co_worker *w)
{
    uint64_t flying = w->in_flight[0], slots = w->width[0];
    return !w->suspects && flying < slots * c->options.window &&
           (flying < 2 * slots || w->load_ns < slots * AHEAD_MESSAGES * c->options.latency_ns);
}

static rk_room room_for(const rk_coordinator *c, uint32_t worker, const rk_class *class, bool suits)
{
    const rk_co_worker *w = &c->workers[worker];
    if (!suits || (class->need_count && !has_tags(c, worker, class)))
        return RK_ROOM_NONE;
    if (w->in_flight[class->io] < w->width[class->io])
        return RK_ROOM_NOW;
    return !class->io && !class->need_count && has_room_ahead(c, w) ? RK_ROOM_AHEAD : RK_ROOM_NONE;
}

void rk_co_worker_refresh(rk_coordinator *c, uint32_t worker, bool more)
{
    rk_co_worker *w = &c->workers[worker];
    uint32_t slots = w->state == RK_WORKER_HERE && !w->only_here ? w->width[0] : 0, taken = w->in_flight[0];
    c->free_slots -= w->free_slots;
    w->free_slots = slots > taken ? slots - taken : 0;
    c->free_slots += w->free_slots;
    for (uint32_t k = 0; k < c->class_count; k++) {
        rk_seat_link *seat = seat_of(c, worker, k);
        rk_room room = room_for(c, worker, &c->classes[k], seat->suits);
        if (room == seat->room && (room != RK_ROOM_AHEAD || !more || seat->next == RK_NONE)) {
            if (room != RK_ROOM_NONE)
                rk_bitmap_add(&c->look[room], w->home);
            continue;
        }
        if (seat->room != RK_ROOM_NONE)
            seat_leave(c, worker, k);
        if (room != RK_ROOM_NONE)
            seat_enter(c, worker, k, room);
        else
            seat->room = RK_ROOM_NONE;
    }
}

void rk_co_tags_take(rk_coordinator *c, uint32_t worker, const rk_class *class)
{
    for (uint32_t i = 0; i < class->need_count; i++) {
        uint32_t tag = class->needs[i].tag;
        if (c->options.tag_counts[tag])
            c->tags[tag] -= class->needs[i].count;
        else if (worker != RK_NOBODY)
            *rk_co_worker_tag(c, worker, tag) -= class->needs[i].count;
    }
}

static void wake_starved(rk_coordinator *c)
{
    for (uint64_t starved = c->starved; starved; starved &= starved - 1)
        rk_co_wake(c, (uint32_t)__builtin_ctzll(starved), RK_NO_TASK);
    c->starved = 0;
}

void rk_co_tags_give(rk_coordinator *c, uint32_t worker, const rk_class *class)
{
    for (uint32_t i = 0; i < class->need_count; i++) {
        uint32_t tag = class->needs[i].tag;
        if (c->options.tag_counts[tag])
            c->tags[tag] += class->needs[i].count;
        else if (worker != RK_NOBODY)
            *rk_co_worker_tag(c, worker, tag) += class->needs[i].count;
    }
    if (class->need_count)
        wake_starved(c);
}

uint32_t rk_coordinator_borrow(rk_coordinator *c, uint64_t now, uint32_t tag, uint32_t count)
{
    rk_co_pass_time(c, now);
    uint32_t lent = count < c->tags[tag] ? count : c->tags[tag];
    c->tags[tag] -= lent;
    c->lent[tag] += lent;
    return lent;
}

void rk_coordinator_give_back(rk_coordinator *c, uint64_t now, uint32_t tag, uint32_t count)
{
    rk_co_pass_time(c, now);
    assert(count <= c->lent[tag]);
    c->lent[tag] -= count;
    c->tags[tag] += count;
    wake_starved(c);
}

static bool gets_tasks(uint32_t state)
{
    return state == RK_WORKER_HERE;
}

void rk_co_worker_move(rk_coordinator *c, uint32_t worker, rk_worker_state from, rk_worker_state to)
{
    rk_co_worker *w = &c->workers[worker];
    rk_co_home *h = &c->homes[w->home];
    assert(w->state == from);
    w->state = (uint8_t)to;
    for (int io = 0; io < 2; io++) {
        uint32_t change = (gets_tasks(to) ? w->width[io] : 0) - (gets_tasks(from) ? w->width[io] : 0);
        h->width[io] += change;
        h->plain[io] += w->only_here ? 0 : change;
    }
    c->worker_count += gets_tasks(to) && !w->only_here;
    c->worker_count -= gets_tasks(from) && !w->only_here;
    for (uint32_t k = 0; k < c->class_count; k++)
        seat_of(c, worker, k)->suits = rk_co_worker_suits(c, worker, &c->classes[k]);
    rk_co_worker_backlog(c, worker, false);
    rk_co_worker_refresh(c, worker, false);
    if (gets_tasks(from) && !gets_tasks(to)) {
        rk_co_home_deserted(c, w->home);
        rk_co_wake_others(c);
    }
}

void rk_co_worker_backlog(rk_coordinator *c, uint32_t worker, bool moved)
{
    rk_co_worker *w = &c->workers[worker];
    bool backlogged = w->recallable && w->state == RK_WORKER_HERE && !w->only_here;
    if (moved)
        w->progress_ns = c->now;
    if (w->backlogged && (moved || !backlogged))
        RK_UNLINK(&c->backlogged, c->workers, worker, back_next, back_prev);
    if (backlogged && (moved || !w->backlogged))
        RK_LINK_LAST(&c->backlogged, c->workers, worker, back_next, back_prev);
    w->backlogged = backlogged;
}

void rk_co_worker_farewell(rk_coordinator *c, uint32_t worker)
{
    rk_co_worker *w = &c->workers[worker];
    if (w->state != RK_WORKER_LEAVING || w->in_flight[0] || w->in_flight[1])
        return;
    rk_co_worker_move(c, worker, RK_WORKER_LEAVING, RK_WORKER_RETIRED);
    rk_bitmap_add(&c->farewells, worker);
}
