/* Tasks that need more memory than they were let in with.
 *
 * Who asks runs, holds memory and waits. So room goes to who asks before anything is let in, the first in plan order first. As
 * long as somebody in the home will return, or something is on its way out of memory, it is waited for. What was given to a
 * worker and has not begun there is asked back meanwhile, for it may stand behind who waits. When all that run in a home ask,
 * everything that may leave memory does, then the last of them in plan order gives up and is run again; one that is left alone
 * and still does not fit never will. The first in plan order never gives up, so that the run goes on. */
#include "schedulers/coordinator/state.h"

static rk_places ask_places(rk_coordinator *c)
{
    return (rk_places){&c->errands->ask_place, sizeof(rk_errand) / sizeof(uint32_t)};
}

static void learn(rk_coordinator *c, const rk_errand *e, uint64_t bytes)
{
    rk_traits traits;
    rk_group *group = &c->groups[e->group];
    rk_co_describe(c, e->task, &traits);
    uint64_t result = bytes > traits.scratch_bytes ? bytes - traits.scratch_bytes : 0;
    group->bytes = result > group->bytes ? result : group->bytes;
}

/* Out of the queue. */
static void dequeue(rk_coordinator *c, uint32_t i)
{
    uint32_t home = c->errands[i].home;
    rk_co_home *h = &c->homes[home];
    rk_heap_remove(&h->asks, ask_places(c), c->errands[i].ask_place);
    if (!h->asks.count) {
        rk_bitmap_remove(&c->lacking, home);
        rk_bitmap_remove(&c->answerable, home);
        rk_bitmap_remove(&c->unsettled, home);
    }
    rk_co_reopen(c, home);
}

void rk_co_ask_end(rk_coordinator *c, uint32_t i)
{
    rk_errand *e = &c->errands[i];
    if (e->ask_place != RK_NO_PLACE)
        dequeue(c, i);
    if (e->answering)
        RK_UNLINK(&c->answers, c->errands, i, wait_next, wait_prev);
    e->answering = false;
}

static void answer(rk_coordinator *c, uint32_t i, bool refused)
{
    rk_errand *e = &c->errands[i];
    if (e->ask_place != RK_NO_PLACE)
        dequeue(c, i);
    e->answering = true;
    e->refused = refused;
    RK_LINK_LAST(&c->answers, c->errands, i, wait_next, wait_prev);
}

static void grant(rk_coordinator *c, uint32_t i)
{
    rk_errand *e = &c->errands[i];
    rk_co_home *h = &c->homes[e->home];
    h->reserved += e->asked - e->reserved;
    e->reserved = e->asked;
    rk_co_note_peak(h);
    answer(c, i, false);
}

void rk_co_ask(rk_coordinator *c, uint32_t i, uint64_t bytes)
{
    rk_errand *e = &c->errands[i];
    rk_co_home *h = &c->homes[e->home];
    if (e->answering || e->refused || e->gives_up || e->ask_place != RK_NO_PLACE)
        return; /* the same again */
    if (bytes <= e->reserved) {
        answer(c, i, false);
        return;
    }
    e->asked = bytes;
    learn(c, e, bytes);
    if (!e->started)
        rk_co_errand_started(c, i);
    if (rk_heap_push(&h->asks, ask_places(c), rk_co_rank(c, e->task), i)) {
        rk_co_stop(c, RASK_ENOMEM);
        answer(c, i, true); /* or it would wait for ever */
        return;
    }
    rk_bitmap_add(&c->lacking, e->home);
    rk_bitmap_add(&c->answerable, e->home);
    rk_co_home_show(c, e->home, false);
    rk_co_wake_others(c);
}

/* True: some were given. */
static bool serve(rk_coordinator *c, uint32_t home)
{
    rk_co_home *h = &c->homes[home];
    bool served = false;
    rk_bitmap_remove(&c->answerable, home);
    while (h->asks.count) {
        uint32_t i = h->asks.entries[0].item;
        const rk_errand *e = &c->errands[i];
        uint64_t bytes = e->asked - e->reserved;
        if (!rk_co_has_room(h, bytes))
            rk_co_press_for(c, home, e->task, bytes, false);
        if (!rk_co_has_room(h, bytes)) {
            rk_bitmap_add(&c->unsettled, home);
            break;
        }
        grant(c, i);
        served = true;
    }
    return served;
}

bool rk_co_serve(rk_coordinator *c)
{
    bool served = false;
    for (uint32_t home; (home = rk_bitmap_first(&c->answerable)) != RK_NONE;)
        served |= serve(c, home);
    return served || c->outgoing.count;
}

/* Later ones, and those that have not begun, give back what is reserved for them. False: nobody. */
static bool recall_from(rk_coordinator *c, uint32_t worker, uint64_t first)
{
    rk_co_worker *w = &c->workers[worker];
    bool any = false;
    for (int list = RK_LIST_STAGING; list <= RK_LIST_STAGED; list++)
        for (uint32_t i = w->lists[list].first, next; i != RK_NONE; i = next) {
            next = c->errands[i].next;
            if (rk_co_rank(c, c->errands[i].task) < first)
                continue;
            rk_co_errand_undo(c, i);
            any = true;
        }
    for (int list = RK_LIST_SLOTS; list <= RK_LIST_LANES; list++)
        for (uint32_t i = w->lists[list].first; i != RK_NONE; i = c->errands[i].next) {
            const rk_errand *e = &c->errands[i];
            if (e->recalled || e->answering || e->ask_place != RK_NO_PLACE || e->started ||
                (e->begun && rk_co_rank(c, e->task) < first))
                continue;
            rk_co_errand_recall(c, i);
            any = true;
        }
    return any;
}

static bool recall_others(rk_coordinator *c, uint32_t home)
{
    bool any = false;
    uint64_t first = rk_co_rank(c, rk_co_first_ask(c, &c->homes[home]));
    for (uint32_t w = c->homes[home].first_worker; w != RK_NOBODY; w = c->workers[w].home_next)
        any |= recall_from(c, w, first);
    return any;
}

static uint32_t last_of(const rk_coordinator *c, const rk_co_home *h)
{
    uint32_t last = h->asks.entries[0].item;
    for (uint32_t k = 1; k < h->asks.count; k++)
        if (rk_co_rank(c, c->errands[h->asks.entries[k].item].task) > rk_co_rank(c, c->errands[last].task))
            last = h->asks.entries[k].item;
    return last;
}

void rk_co_give_up(rk_coordinator *c, uint32_t i, uint32_t better)
{
    dequeue(c, i);
    c->errands[i].gives_up = true;
    c->errands[i].better = better;
    rk_co_errand_recall(c, i);
}

void rk_co_give_up_all(rk_coordinator *c)
{
    for (uint32_t home; (home = rk_bitmap_first(&c->lacking)) != RK_NONE;)
        rk_co_give_up(c, c->homes[home].asks.entries[0].item, RK_NO_HOME);
}

uint64_t rk_co_asked_bytes(rk_coordinator *c, const rk_errand *e)
{
    rk_traits traits;
    rk_co_describe(c, e->task, &traits);
    return rk_co_demand(c, e->home, e->task, &traits).inputs + e->asked;
}

/* It does not fit even alone. */
static void turn_away(rk_coordinator *c, uint32_t i)
{
    const rk_errand *e = &c->errands[i];
    uint32_t larger = rk_co_larger_home(c, e->home, e->task, rk_co_asked_bytes(c, e));
    if (larger == RK_NO_HOME)
        answer(c, i, true);
    else
        rk_co_give_up(c, i, larger);
}

static bool settle(rk_coordinator *c, uint32_t home)
{
    rk_co_home *h = &c->homes[home];
    uint32_t first = h->asks.entries[0].item;
    uint64_t bytes = c->errands[first].asked - c->errands[first].reserved;
    if (recall_others(c, home))
        return true;
    if (h->moving || h->errands > h->asks.count)
        return false;
    rk_co_press_for(c, home, c->errands[first].task, bytes, true);
    if (h->moving || rk_co_has_room(h, bytes)) {
        rk_bitmap_add(&c->answerable, home);
        return true;
    }
    if (h->asks.count > 1)
        rk_co_give_up(c, last_of(c, h), RK_NO_HOME);
    else
        turn_away(c, first);
    return true;
}

bool rk_co_settle_asks(rk_coordinator *c)
{
    for (uint32_t home; (home = rk_bitmap_first(&c->unsettled)) != RK_NONE;) {
        rk_bitmap_remove(&c->unsettled, home);
        if (settle(c, home))
            return true;
    }
    return false;
}
