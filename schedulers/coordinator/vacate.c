/* A home whose workers leave: what others need and only this home has goes to homes that stay, before it is dropped here.
 *
 * Results stand in a list until it is their turn; some are seen to at once. One of these ends when a home that stays has a copy
 * and nobody takes it here any more, when nobody needs it, or when it could not be moved. Where it can go nowhere it waits. */
#include "schedulers/coordinator/state.h"

enum { MOST_AT_ONCE = 64, MOST_TRIES = 3 };

typedef struct load {
    uint32_t home, task;
    uint32_t tries;
} load;

typedef enum outcome { NOTHING, CHANGED, ENDED } outcome;

void rk_co_vacate_init(rk_coordinator *c)
{
    c->loads = (rk_array)RK_ARRAY(load, SIZE_MAX / sizeof(load));
    c->loading = (rk_array)RK_ARRAY(load, MOST_AT_ONCE);
}

void rk_co_vacate_fini(rk_coordinator *c)
{
    rk_array_fini(&c->loads);
    rk_array_fini(&c->loading);
}

/* Home 0 does not leave, and where there is no other there is nowhere to go. */
static bool is_left(const rk_coordinator *c, uint32_t home)
{
    const rk_co_home *h = &c->homes[home];
    bool left = home && h->state == RK_HOME_HERE && h->first_worker != RK_NOBODY;
    for (uint32_t w = h->first_worker; left && w != RK_NOBODY; w = c->workers[w].home_next)
        left = c->workers[w].state == RK_WORKER_LEAVING || c->workers[w].state == RK_WORKER_RETIRED;
    return left;
}

/* Without memory it is made again elsewhere, as after any loss. */
static void add(rk_coordinator *c, uint32_t home, uint32_t task)
{
    load *l = rk_array_push(&c->loads);
    if (l)
        *l = (load){.home = home, .task = task};
    c->look_at_loads = true;
}

void rk_co_vacate_begin(rk_coordinator *c, uint32_t home)
{
    if (!is_left(c, home))
        return;
    for (uint32_t i = c->homes[home].copies; i != RK_NONE; i = c->copies[i].home_next)
        add(c, home, c->copies[i].task);
}

void rk_co_vacate_result(rk_coordinator *c, uint32_t home, uint32_t task)
{
    if (c->leavers && is_left(c, home))
        add(c, home, task);
}

static bool has_copy_that_stays(const rk_coordinator *c, uint32_t task)
{
    for (uint32_t i = c->tasks[task].link; i != RK_NONE; i = c->copies[i].next)
        if (!is_left(c, c->copies[i].home))
            return true;
    return false;
}

static bool takes(const rk_coordinator *c, uint32_t home, uint64_t bytes)
{
    const rk_co_home *h = &c->homes[home];
    return h->state == RK_HOME_HERE && !rk_co_is_closed(h) && rk_co_has_room(h, bytes);
}

/* The home with the most room among those with workers that stay; home 0 for what goes there in the end, and when there is no
 * other. */
static uint32_t find_home(const rk_coordinator *c, uint32_t task, uint64_t bytes)
{
    uint32_t best = RK_NO_HOME;
    uint64_t most = 0;
    if (c->tasks[task].target && takes(c, 0, bytes))
        return 0;
    for (uint32_t w = 0; w < c->used_workers; w++) {
        uint32_t home = c->workers[w].home;
        if (c->workers[w].state != RK_WORKER_HERE || !home || !takes(c, home, bytes))
            continue;
        uint64_t room = rk_co_limit(&c->homes[home]) - rk_co_used(&c->homes[home]);
        if (best == RK_NO_HOME || room > most) {
            best = home;
            most = room;
        }
    }
    return best == RK_NO_HOME && takes(c, 0, bytes) ? 0 : best;
}

static outcome send_away(rk_coordinator *c, load *l, uint32_t from)
{
    uint64_t bytes = c->copies[from].bytes;
    uint32_t home = l->tries < MOST_TRIES ? find_home(c, l->task, bytes) : RK_NO_HOME;
    if (home == RK_NO_HOME)
        return l->tries < MOST_TRIES ? NOTHING : ENDED;
    if (rk_co_copy_find(c, l->task, home) != RK_NONE) /* one is on its way there, from a home that is lost */
        return NOTHING;
    uint32_t i = rk_co_copy_new(c, l->task, home, RK_COPY_FETCHING, bytes);
    if (i == RK_NONE)
        return ENDED;
    rk_co_copy_read(c, i, from);
    rk_co_copy_send(c, i);
    l->tries++;
    return CHANGED;
}

static outcome see_to(rk_coordinator *c, load *l)
{
    const rk_co_task *t = &c->tasks[l->task];
    uint32_t i = t->state == RK_TASK_OVER ? rk_co_copy_find(c, l->task, l->home) : RK_NONE;
    if (i == RK_NONE || !t->uses || !is_left(c, l->home)) /* others may have come to the home */
        return ENDED;
    const rk_co_copy *copy = &c->copies[i];
    if (copy->readers || rk_co_copy_moves(copy) || copy->linked)
        return NOTHING;
    if (!has_copy_that_stays(c, l->task))
        return send_away(c, l, i);
    if (copy->pins)
        return NOTHING;
    rk_co_copy_drop(c, i);
    rk_co_freed(c, l->home);
    return ENDED;
}

bool rk_co_vacate(rk_coordinator *c)
{
    bool any = false;
    c->look_at_loads = false;
    load *loading = c->loading.data, *loads = c->loads.data;
    while (c->loading.count < MOST_AT_ONCE && c->loads.count) {
        load *l = rk_array_push(&c->loading);
        if (!l)
            break;
        *l = loads[--c->loads.count];
        loading = c->loading.data;
        any = true;
    }
    for (size_t k = c->stopping ? 0 : c->loading.count; k-- > 0;) {
        outcome o = see_to(c, &loading[k]);
        any |= o != NOTHING;
        if (o == ENDED)
            loading[k] = loading[--c->loading.count];
    }
    c->look_at_loads |= any && c->loads.count;
    return any;
}
