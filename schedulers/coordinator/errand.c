/* Errands: what a task holds from being picked to being over: a place at a worker, room in its home, its inputs. */
#include "schedulers/coordinator/state.h"

#include "core/base/alloc.h"

enum { FIRST_ERRANDS = 64, ANSWER_MESSAGES = 4 };

int rk_co_errands_reserve(rk_coordinator *c, uint64_t count)
{
    uint64_t room = c->errand_room ? c->errand_room : FIRST_ERRANDS;
    while (room < count)
        room *= 2;
    if (room > UINT32_MAX / 2)
        return RASK_ELIMIT;
    if (room == c->errand_room)
        return RASK_OK;
    rk_errand *errands = rk_realloc(c->errands, room * sizeof *errands);
    if (!errands)
        return RASK_ENOMEM;
    c->errands = errands;
    for (uint32_t i = (uint32_t)room; i-- > c->errand_room;) {
        errands[i].next = c->free_errand;
        errands[i].task = RK_NO_TASK;
        c->free_errand = i;
    }
    c->errand_room = (uint32_t)room;
    return rk_heap_reserve(&c->deadlines, (uint32_t)room);
}

static rk_places deadline_places(rk_coordinator *c)
{
    return (rk_places){&c->errands->place, sizeof(rk_errand) / sizeof(uint32_t)};
}

/* There is room: rk_co_errands_reserve(). */
static void set_deadline(rk_coordinator *c, uint32_t i, uint64_t when)
{
    uint32_t place = c->errands[i].place;
    if (place == RK_NO_PLACE)
        (void)rk_heap_push(&c->deadlines, deadline_places(c), when, i);
    else
        rk_heap_change(&c->deadlines, deadline_places(c), place, when);
}

void rk_co_errand_set_deadline(rk_coordinator *c, uint32_t i)
{
    const rk_errand *e = &c->errands[i];
    if (e->timeout_ns && !e->abandoned && !e->rests)
        set_deadline(c, i, c->now + e->timeout_ns + c->options.grace_ns);
}

static void list_add(rk_coordinator *c, uint32_t i, rk_errand_list list)
{
    rk_errand *e = &c->errands[i];
    rk_co_worker *w = &c->workers[e->worker];
    e->list = (uint8_t)list;
    RK_LINK_LAST(&w->lists[list], c->errands, i, next, prev);
    if (list == RK_LIST_STAGED && w->lists[list].count == 1)
        RK_LINK_LAST(&c->outbox, c->workers, e->worker, next, prev);
}

static bool is_recallable(const rk_errand *e)
{
    return e->list == RK_LIST_SLOTS && !e->begun && !e->started && !e->recalled && !e->stays;
}

static void list_remove(rk_coordinator *c, uint32_t i)
{
    rk_errand *e = &c->errands[i];
    rk_co_worker *w = &c->workers[e->worker];
    w->recallable -= is_recallable(e);
    RK_UNLINK(&w->lists[e->list], c->errands, i, next, prev);
    if (e->list == RK_LIST_STAGED && !w->lists[e->list].count)
        RK_UNLINK(&c->outbox, c->workers, e->worker, next, prev);
}

/* By its place in the worker's queue it is running now. */
static void begin(rk_coordinator *c, uint32_t i)
{
    rk_errand *e = &c->errands[i];
    rk_co_worker *w = &c->workers[e->worker];
    w->recallable -= is_recallable(e);
    e->begun = true;
    w->begun[e->io]++;
    if (!e->started)
        rk_co_errand_set_deadline(c, i);
}

static void begin_next(rk_coordinator *c, rk_co_worker *w, bool io)
{
    while (w->begun[io] < w->width[io] && w->next_up[io] != RK_NONE) {
        uint32_t i = w->next_up[io];
        w->next_up[io] = c->errands[i].next;
        begin(c, i);
    }
}

void rk_co_errand_send(rk_coordinator *c, uint32_t i)
{
    rk_errand *e = &c->errands[i];
    rk_co_worker *w = &c->workers[e->worker];
    rk_co_task_move(c, e->task, RK_TASK_STAGED, RK_TASK_SENT);
    e->attempt = ++c->last_attempt;
    if (e->list != RK_LISTS)
        list_remove(c, i);
    list_add(c, i, e->io ? RK_LIST_LANES : RK_LIST_SLOTS);
    w->recallable += is_recallable(e);
    if (w->next_up[e->io] == RK_NONE)
        w->next_up[e->io] = i;
    begin_next(c, w, e->io);
    rk_co_worker_backlog(c, e->worker, false);
}

void rk_co_errand_started(rk_coordinator *c, uint32_t i)
{
    rk_errand *e = &c->errands[i];
    rk_co_worker *w = &c->workers[e->worker];
    w->recallable -= is_recallable(e);
    e->started = true;
    rk_co_errand_set_deadline(c, i);
    rk_co_worker_backlog(c, e->worker, true);
}

void rk_co_errand_recall(rk_coordinator *c, uint32_t i)
{
    rk_errand *e = &c->errands[i];
    assert(!e->answering);
    c->workers[e->worker].recallable -= is_recallable(e);
    c->recalling += !e->recalled;
    e->recalled = true;
    if (!e->asking)
        RK_LINK_LAST(&c->recalls, c->errands, i, wait_next, wait_prev);
    e->asking = true;
    rk_co_worker_backlog(c, e->worker, false);
}

/* What it is told takes a while to come, and so does the answer: that is no part of its grace. */
void rk_co_errand_abandon(rk_coordinator *c, uint32_t i)
{
    rk_errand *e = &c->errands[i];
    if (e->abandoned)
        return;
    e->abandoned = true;
    set_deadline(c, i, c->now + c->options.grace_ns + ANSWER_MESSAGES * c->options.latency_ns);
    if (e->ask_place != RK_NO_PLACE)
        rk_co_give_up(c, i, RK_NO_HOME);
    else
        rk_co_errand_recall(c, i);
}

/* Inputs. */

static void wait_for(rk_coordinator *c, uint32_t i, uint32_t copy)
{
    rk_errand *e = &c->errands[i];
    uint32_t first = c->copies[copy].waiters;
    e->copy = copy;
    e->wait_prev = RK_NONE;
    e->wait_next = first;
    if (first != RK_NONE)
        c->errands[first].wait_prev = i;
    c->copies[copy].waiters = i;
}

static void wait_no_more(rk_coordinator *c, uint32_t i)
{
    rk_errand *e = &c->errands[i];
    *(e->wait_prev == RK_NONE ? &c->copies[e->copy].waiters : &c->errands[e->wait_prev].wait_next) =
        e->wait_next;
    if (e->wait_next != RK_NONE)
        c->errands[e->wait_next].wait_prev = e->wait_prev;
    e->copy = RK_NONE;
}

/* On to the first input that is not in memory. */
static void look_for_missing(rk_coordinator *c, uint32_t i)
{
    rk_errand *e = &c->errands[i];
    for (rk_walk in = e->in; rk_co_next_input(c, &in); e->in = in) {
        if (in.word & RK_INPUT_ORDER)
            continue;
        uint32_t copy = rk_co_copy_find(c, in.word, e->home);
        if (!rk_co_copy_is_in_memory(&c->copies[copy])) {
            wait_for(c, i, copy);
            return;
        }
    }
    rk_co_task_move(c, e->task, RK_TASK_STAGING, RK_TASK_STAGED);
    if (e->list == RK_LISTS && !c->outgoing.count) {
        c->prompt = i;
        return;
    }
    if (e->list == RK_LIST_STAGING)
        list_remove(c, i);
    list_add(c, i, RK_LIST_STAGED);
}

void rk_co_errand_arrived(rk_coordinator *c, uint32_t copy)
{
    while (c->copies[copy].waiters != RK_NONE) {
        uint32_t i = c->copies[copy].waiters;
        wait_no_more(c, i);
        look_for_missing(c, i);
    }
}

/* An input is pinned, and sent for when it is not in memory. False: no memory for that. */
static bool call_in(rk_coordinator *c, uint32_t task, uint32_t home)
{
    uint32_t i = rk_co_copy_find(c, task, home);
    if (i == RK_NONE) {
        uint32_t from = c->tasks[task].link;
        i = rk_co_copy_new(c, task, home, RK_COPY_FETCHING, c->copies[from].bytes);
        if (i == RK_NONE)
            return false;
        rk_co_copy_read(c, i, from);
        rk_co_copy_send(c, i);
    } else if (c->copies[i].state == RK_COPY_ON_DISK) {
        rk_co_copy_move(c, i, RK_COPY_ON_DISK, RK_COPY_LOADING);
        rk_co_copy_send(c, i);
    }
    rk_co_copy_pin(c, i);
    return true;
}

/* The first so many. */
static void unpin_inputs(rk_coordinator *c, const rk_errand *e, uint32_t count)
{
    for (rk_walk in = rk_co_inputs(c, e->task); count && rk_co_next_input(c, &in); count--)
        if (!(in.word & RK_INPUT_ORDER))
            rk_co_copy_unpin(c, rk_co_copy_find(c, in.word, e->home));
}

static bool call_inputs_in(rk_coordinator *c, const rk_errand *e)
{
    uint32_t count = 0;
    for (rk_walk in = e->in; rk_co_next_input(c, &in); count++)
        if (!(in.word & RK_INPUT_ORDER) && !call_in(c, in.word, e->home)) {
            unpin_inputs(c, e, count);
            return false;
        }
    return true;
}

static uint32_t errand_new(rk_coordinator *c, uint32_t task, uint32_t worker, const rk_traits *traits)
{
    uint32_t i = c->free_errand;
    assert(i != RK_NONE);
    c->free_errand = c->errands[i].next;
    c->errands[i] = (rk_errand){.task = task,
                                .worker = worker,
                                .home = c->workers[worker].home,
                                .group = traits->group,
                                .expected_ns = rk_co_estimate_ns(c, traits->group),
                                .timeout_ns = traits->timeout_ns,
                                .in = rk_co_inputs(c, task),
                                .copy = RK_NONE,
                                .place = RK_NO_PLACE,
                                .ask_place = RK_NO_PLACE,
                                .list = RK_LISTS,
                                .stays = c->tasks[task].given_back,
                                .suspect = c->tasks[task].suspect,
                                .io = traits->io};
    return i;
}

void rk_co_errand_start(rk_coordinator *c, uint32_t task, uint32_t worker, const rk_traits *traits,
                        uint64_t reserved)
{
    uint32_t i = errand_new(c, task, worker, traits);
    rk_errand *e = &c->errands[i];
    rk_co_worker *w = &c->workers[worker];
    rk_co_home *h = &c->homes[w->home];
    if (!call_inputs_in(c, e)) {
        e->next = c->free_errand;
        e->task = RK_NO_TASK;
        c->free_errand = i;
        return; /* and with it ends the run */
    }
    rk_co_task_move(c, task, RK_TASK_READY, RK_TASK_STAGING);
    c->tasks[task].link = i;
    c->tasks[task].waits = 0;
    e->reserved = reserved;
    h->reserved += reserved;
    rk_co_note_peak(h);
    h->errands++;
    c->errands_out++;
    w->in_flight[e->io]++;
    w->suspects += e->suspect;
    w->load_ns += e->io ? 0 : e->expected_ns;
    rk_co_tags_take(c, worker, &c->classes[c->tasks[task].class]);
    look_for_missing(c, i);
    if (e->copy != RK_NONE)
        list_add(c, i, RK_LIST_STAGING);
    rk_co_worker_refresh(c, worker, true);
}

/* It leaves its worker's queue, and who stands behind moves up. */
static void leave_queue(rk_coordinator *c, uint32_t i)
{
    rk_errand *e = &c->errands[i];
    rk_co_worker *w = &c->workers[e->worker];
    if (w->next_up[e->io] == i)
        w->next_up[e->io] = e->next;
    list_remove(c, i);
    w->begun[e->io] -= e->begun;
    if (e->recalled) {
        c->recalling--;
        if (e->asking)
            RK_UNLINK(&c->recalls, c->errands, i, wait_next, wait_prev);
    }
    rk_co_ask_end(c, i);
    begin_next(c, w, e->io);
}

void rk_co_errand_end(rk_coordinator *c, uint32_t i)
{
    rk_errand *e = &c->errands[i];
    uint32_t worker = e->worker, home = e->home;
    rk_co_worker *w = &c->workers[worker];
    rk_co_home *h = &c->homes[home];
    if (e->list == RK_LIST_SLOTS || e->list == RK_LIST_LANES)
        leave_queue(c, i);
    else
        list_remove(c, i);
    if (e->copy != RK_NONE)
        wait_no_more(c, i);
    if (e->place != RK_NO_PLACE)
        rk_co_errand_forget_deadline(c, i);
    h->reserved -= e->reserved;
    h->errands--;
    c->errands_out--;
    w->in_flight[e->io]--;
    w->suspects -= e->suspect;
    w->load_ns -= e->io ? 0 : e->expected_ns;
    if (!e->rests)
        rk_co_tags_give(c, worker, &c->classes[c->tasks[e->task].class]);
    c->tasks[e->task].link = RK_NONE;
    unpin_inputs(c, e, UINT32_MAX);
    e->task = RK_NO_TASK;
    e->next = c->free_errand;
    c->free_errand = i;
    rk_co_worker_backlog(c, worker, true);
    rk_co_worker_refresh(c, worker, false);
    rk_co_worker_farewell(c, worker);
    rk_co_freed(c, home);
}

/* The task is the caller's, as if it had never been picked. */
static uint32_t take_task(rk_coordinator *c, uint32_t i)
{
    uint32_t task = c->errands[i].task;
    rk_co_errand_end(c, i);
    rk_co_task_move(c, task, (rk_task_state)c->tasks[task].state, RK_TASK_WAITING);
    return task;
}

void rk_co_errand_undo(rk_coordinator *c, uint32_t i)
{
    uint32_t task = take_task(c, i);
    rk_co_task_settle(c, task, false);
}

void rk_co_errand_give_up(rk_coordinator *c, uint32_t copy, int status)
{
    uint32_t task = c->copies[copy].task, home = c->copies[copy].home;
    for (rk_walk out = rk_co_users(c, task); rk_co_next_user(c, &out);) {
        uint32_t user = out.word;
        if (user & RK_INPUT_ORDER || c->tasks[user].state != RK_TASK_STAGING ||
            c->errands[c->tasks[user].link].home != home)
            continue;
        user = take_task(c, c->tasks[user].link);
        if (!status || !rk_co_task_died(c, user, RK_WHY_LOST, status))
            rk_co_task_settle(c, user, false);
    }
}

void rk_co_errand_forget_deadline(rk_coordinator *c, uint32_t i)
{
    rk_heap_remove(&c->deadlines, deadline_places(c), c->errands[i].place);
}
