/* Results and where they are: the machine of copies (schedulers/coordinator/state.h), what they count for, and which of
 * them may be evicted. */
#include "schedulers/coordinator/state.h"

#include "core/base/alloc.h"

#include <string.h>

enum { FIRST_COPIES = 64, MOST_LOOKED_AT = 8 };

static uint32_t slot_of(const rk_coordinator *c, uint32_t task, uint32_t home)
{
    uint64_t mixed = ((uint64_t)task << 32 | home) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(mixed >> 32) & c->hash_mask;
}

static void hash_all(rk_coordinator *c)
{
    memset(c->hash, 0xff, ((size_t)c->hash_mask + 1) * sizeof *c->hash);
    for (uint32_t i = 0; i < c->copy_count; i++) {
        rk_co_copy *copy = &c->copies[i];
        if (copy->state == RK_COPY_GONE)
            continue;
        uint32_t slot = slot_of(c, copy->task, copy->home);
        copy->hash_next = c->hash[slot];
        c->hash[slot] = i;
    }
}

/* Twice the room, with as many hash slots. */
static int grow(rk_coordinator *c)
{
    uint32_t room = c->copy_room ? c->copy_room * 2 : FIRST_COPIES;
    rk_co_copy *copies = room > c->copy_room ? rk_realloc(c->copies, room * sizeof *copies) : NULL;
    if (!copies)
        return RASK_ENOMEM;
    c->copies = copies;
    c->copy_room = room;
    if (c->options.most_homes == 1)
        return RASK_OK;
    uint32_t *hash = rk_realloc(c->hash, room * sizeof *hash);
    if (!hash)
        return RASK_ENOMEM;
    c->hash = hash;
    c->hash_mask = room - 1;
    hash_all(c);
    return RASK_OK;
}

int rk_co_copies_init(rk_coordinator *c)
{
    c->free_copy = RK_NONE;
    return grow(c);
}

uint32_t rk_co_copy_find_hashed(const rk_coordinator *c, uint32_t task, uint32_t home)
{
    uint32_t i = c->hash[slot_of(c, task, home)];
    while (i != RK_NONE && (c->copies[i].task != task || c->copies[i].home != home))
        i = c->copies[i].hash_next;
    return i;
}

static void hash_add(rk_coordinator *c, uint32_t i)
{
    if (!c->hash)
        return;
    uint32_t slot = slot_of(c, c->copies[i].task, c->copies[i].home);
    c->copies[i].hash_next = c->hash[slot];
    c->hash[slot] = i;
}

static void hash_remove(rk_coordinator *c, uint32_t i)
{
    if (!c->hash)
        return;
    uint32_t *at = &c->hash[slot_of(c, c->copies[i].task, c->copies[i].home)];
    while (*at != i)
        at = &c->copies[*at].hash_next;
    *at = c->copies[i].hash_next;
}

static uint32_t take_free(rk_coordinator *c)
{
    uint32_t i = c->free_copy;
    if (i != RK_NONE) {
        c->free_copy = c->copies[i].next;
        return i;
    }
    if (c->copy_count == c->copy_room && grow(c))
        return RK_NONE;
    return c->copy_count++;
}

void rk_co_copy_free(rk_coordinator *c, uint32_t i)
{
    c->copies[i].next = c->free_copy;
    c->free_copy = i;
}

/* What a task has is what could be fetched: not what is itself on its way. */
static void add_to_task(rk_coordinator *c, uint32_t i)
{
    rk_co_copy *copy = &c->copies[i];
    rk_co_task *t = &c->tasks[copy->task];
    copy->prev = RK_NONE;
    copy->next = t->link;
    if (t->link != RK_NONE)
        c->copies[t->link].prev = i;
    t->link = i;
}

static void remove_from_task(rk_coordinator *c, uint32_t i)
{
    rk_co_copy *copy = &c->copies[i];
    *(copy->prev == RK_NONE ? &c->tasks[copy->task].link : &c->copies[copy->prev].next) = copy->next;
    if (copy->next != RK_NONE)
        c->copies[copy->next].prev = copy->prev;
}

static void add_to_home(rk_coordinator *c, uint32_t i)
{
    rk_co_copy *copy = &c->copies[i];
    rk_co_home *h = &c->homes[copy->home];
    copy->home_prev = RK_NONE;
    copy->home_next = h->copies;
    if (h->copies != RK_NONE)
        c->copies[h->copies].home_prev = i;
    h->copies = i;
}

static void remove_from_home(rk_coordinator *c, uint32_t i)
{
    rk_co_copy *copy = &c->copies[i];
    *(copy->home_prev == RK_NONE ? &c->homes[copy->home].copies : &c->copies[copy->home_prev].home_next) =
        copy->home_next;
    if (copy->home_next != RK_NONE)
        c->copies[copy->home_next].home_prev = copy->home_prev;
}

/* What a copy in a state counts for: add is 1, or -1 and wraps round. */
static void count(rk_coordinator *c, const rk_co_copy *copy, uint64_t add)
{
    rk_co_home *h = &c->homes[copy->home];
    if (copy->state == RK_COPY_HELD || copy->state == RK_COPY_SPILLING)
        h->live += add * copy->bytes;
    if (copy->state == RK_COPY_SPILLING)
        h->leaving += add * copy->bytes;
    if (copy->state == RK_COPY_FETCHING || copy->state == RK_COPY_LOADING)
        h->reserved += add * copy->bytes;
    if (rk_co_copy_moves(copy)) {
        h->moving += (uint32_t)add;
        c->moving += (uint32_t)add;
    }
    rk_co_note_peak(h);
}

static rk_places cold_places(rk_coordinator *c)
{
    return (rk_places){&c->copies->place, sizeof(rk_co_copy) / sizeof(uint32_t)};
}

/* Among what may be evicted, or not, as it is now. The key is right when it comes in; a use that ends in another home
 * makes it needed later than it says. */
static inline void settle_cold(rk_coordinator *c, uint32_t i)
{
    rk_co_copy *copy = &c->copies[i];
    rk_co_home *h = &c->homes[copy->home];
    if (h->budget == RK_UNLIMITED && copy->place == RK_NO_PLACE)
        return;
    bool may = copy->state == RK_COPY_HELD && !copy->pins && !copy->readers && copy->bytes &&
               h->budget != RK_UNLIMITED;
    if (may == (copy->place != RK_NO_PLACE))
        return;
    if (!may)
        rk_heap_remove(&h->cold, cold_places(c), copy->place);
    else if (rk_heap_push(&h->cold, cold_places(c), ~rk_co_copy_next_use(c, i), i))
        rk_co_stop(c, RASK_ENOMEM);
}

/* Where to look for the next use of a new copy: as far as another copy has come. */
static uint32_t first_edge(const rk_coordinator *c, uint32_t task)
{
    const rk_co_task *t = &c->tasks[task];
    return rk_co_has_copy(t) ? c->copies[t->link].edge : rk_co_is_added(c, task) ? 0 : c->succ_start[task];
}

uint32_t rk_co_copy_new(rk_coordinator *c, uint32_t task, uint32_t home, rk_copy_state state, uint64_t bytes)
{
    uint32_t i = take_free(c);
    if (i == RK_NONE) {
        rk_co_stop(c, RASK_ENOMEM);
        return i;
    }
    c->copies[i] = (rk_co_copy){.task = task,
                                .home = home,
                                .bytes = bytes,
                                .state = (uint8_t)state,
                                .place = RK_NO_PLACE,
                                .waiters = RK_NONE,
                                .from = RK_NO_HOME,
                                .edge = first_edge(c, task)};
    hash_add(c, i);
    if (c->more)
        c->more[task].copies++;
    add_to_home(c, i);
    if (state != RK_COPY_FETCHING)
        add_to_task(c, i);
    count(c, &c->copies[i], 1);
    settle_cold(c, i);
    return i;
}

void rk_co_copy_move(rk_coordinator *c, uint32_t i, rk_copy_state from, rk_copy_state to)
{
    rk_co_copy *copy = &c->copies[i];
    assert(copy->state == from);
    count(c, copy, (uint64_t)-1);
    copy->state = (uint8_t)to;
    count(c, copy, 1);
    if (from == RK_COPY_FETCHING && to != RK_COPY_GONE)
        add_to_task(c, i);
    copy->image |= to == RK_COPY_ON_DISK;
    if (to == RK_COPY_GONE) {
        if (c->more && !--c->more[copy->task].copies)
            rk_co_tidy_later(c, copy->task);
        if (copy->image)
            c->homes[copy->home].disk_status = RASK_OK;
        hash_remove(c, i);
        remove_from_home(c, i);
        if (from != RK_COPY_FETCHING)
            remove_from_task(c, i);
    }
    settle_cold(c, i);
}

void rk_co_copy_send(rk_coordinator *c, uint32_t i)
{
    rk_co_copy *copy = &c->copies[i];
    copy->attempt = ++c->last_attempt;
    if (copy->linked) /* what is said is what it is then */
        return;
    copy->linked = true;
    copy->link = RK_NONE;
    *(c->outgoing.count++ ? &c->copies[c->outgoing.last].link : &c->outgoing.first) = i;
    c->outgoing.last = i;
}

void rk_co_copy_drop(rk_coordinator *c, uint32_t i)
{
    rk_co_copy *copy = &c->copies[i];
    assert(!copy->pins && !copy->readers && !rk_co_copy_moves(copy));
    rk_co_copy_move(c, i, copy->state, RK_COPY_GONE);
    rk_co_copy_send(c, i);
}

/* Copies that are fetched from one that is no more will find out by themselves. */
static void lose_readers(rk_coordinator *c, uint32_t i)
{
    uint32_t task = c->copies[i].task, home = c->copies[i].home;
    c->homes[home].moving -= c->copies[i].readers;
    for (uint32_t other = 0; c->copies[i].readers; other++) {
        uint32_t k = rk_co_copy_find(c, task, other);
        if (k == RK_NONE || c->copies[k].state != RK_COPY_FETCHING || c->copies[k].from != home)
            continue;
        c->copies[k].from = RK_NO_HOME;
        c->copies[i].readers--;
    }
}

void rk_co_copy_lose(rk_coordinator *c, uint32_t i)
{
    rk_co_copy *copy = &c->copies[i];
    if (copy->state == RK_COPY_FETCHING)
        rk_co_copy_unread(c, i);
    lose_readers(c, i);
    rk_co_copy_move(c, i, copy->state, RK_COPY_GONE);
    if (!copy->linked)
        rk_co_copy_free(c, i);
}

void rk_co_copy_leave(rk_coordinator *c, uint32_t i)
{
    rk_co_copy *copy = &c->copies[i];
    if (c->tasks[copy->task].uses || copy->pins || copy->readers || rk_co_copy_moves(copy))
        return;
    rk_co_copy_drop(c, i);
    rk_co_freed(c, copy->home);
}

void rk_co_copy_pin(rk_coordinator *c, uint32_t i)
{
    c->copies[i].pins++;
    settle_cold(c, i);
}

void rk_co_copy_unpin(rk_coordinator *c, uint32_t i)
{
    assert(c->copies[i].pins);
    if (--c->copies[i].pins)
        return;
    settle_cold(c, i);
    rk_co_copy_leave(c, i);
}

void rk_co_copy_resize(rk_coordinator *c, uint32_t i, uint64_t bytes)
{
    count(c, &c->copies[i], (uint64_t)-1);
    c->copies[i].bytes = bytes;
    count(c, &c->copies[i], 1);
}

void rk_co_copy_read(rk_coordinator *c, uint32_t i, uint32_t from)
{
    rk_co_copy *source = &c->copies[from];
    source->readers++;
    c->homes[source->home].moving++;
    c->copies[i].from = source->home;
    settle_cold(c, from);
}

void rk_co_copy_unread(rk_coordinator *c, uint32_t i)
{
    rk_co_copy *copy = &c->copies[i];
    uint32_t home = copy->from, from = home == RK_NO_HOME ? RK_NONE : rk_co_copy_find(c, copy->task, home);
    copy->from = RK_NO_HOME;
    if (from == RK_NONE)
        return;
    c->copies[from].readers--;
    c->homes[home].moving--;
    settle_cold(c, from);
    rk_co_copy_leave(c, from);
    rk_co_freed(c, home);
}

/* Of users that were added, a few are looked at: those that are over stand first. */
static uint64_t next_added_use(const rk_coordinator *c, uint32_t task)
{
    uint32_t at = c->more[task].users.first;
    for (int i = 0; i < MOST_LOOKED_AT && at != RK_NONE; i++, at = c->edges[at].next) {
        const rk_co_edge *edge = &c->edges[at];
        if (!(edge->word & RK_INPUT_ORDER) && c->tasks[edge->user].state < RK_TASK_OVER &&
            c->more[edge->user].script == edge->script)
            return rk_co_rank(c, edge->user);
    }
    return at == RK_NONE ? UINT64_MAX : UINT64_MAX - 1;
}

uint64_t rk_co_next_use(const rk_coordinator *c, uint32_t task, uint32_t *edge)
{
    uint64_t added = c->more ? next_added_use(c, task) : UINT64_MAX;
    for (uint32_t end = rk_co_is_added(c, task) ? 0 : c->succ_start[task + 1]; *edge < end; ++*edge) {
        uint32_t word = c->succ[*edge];
        if (word & RK_INPUT_ORDER || c->tasks[word].state >= RK_TASK_OVER || rk_co_is_grown(c, word))
            continue;
        uint64_t rank = rk_co_rank(c, word);
        return rank < added ? rank : added;
    }
    return added;
}

uint64_t rk_co_copy_next_use(rk_coordinator *c, uint32_t i)
{
    return rk_co_next_use(c, c->copies[i].task, &c->copies[i].edge);
}

void rk_co_home_chill(rk_coordinator *c, uint32_t home)
{
    for (uint32_t i = c->homes[home].copies; i != RK_NONE; i = c->copies[i].home_next)
        settle_cold(c, i);
}

void rk_co_spare_unneeded(rk_coordinator *c, uint32_t task)
{
    const rk_co_task *t = &c->tasks[task];
    if (rk_co_is_needed(c, task))
        return;
    if (c->more)
        rk_co_tidy_later(c, task);
    if (t->state <= RK_TASK_READY && !t->listed)
        rk_co_task_spare(c, task);
}

void rk_co_release(rk_coordinator *c, uint32_t task)
{
    rk_co_task *t = &c->tasks[task];
    assert(t->uses);
    if (--t->uses)
        return;
    rk_co_spare_unneeded(c, task);
    if (t->state != RK_TASK_OVER)
        return;
    for (uint32_t i = t->link, next; i != RK_NONE; i = next) {
        next = c->copies[i].next;
        rk_co_copy_leave(c, i);
    }
}
