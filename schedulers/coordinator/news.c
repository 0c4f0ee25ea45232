/* What comes in. News that do not fit what is known, of a worker's life that is over, of an attempt that is settled, are
 * ignored; all others lead to one change of state here, and what follows from that is the business of the machines. */
#include "schedulers/coordinator/state.h"

enum { MOST_FAILURES = 3 }; /* of moving a copy, one after another, before it is given up */

void rk_co_pass_time(rk_coordinator *c, uint64_t now)
{
    c->now = now > c->now ? now : c->now;
    c->look_at_loads = c->leavers;
}

/* Homes and workers. */

int rk_coordinator_home(rk_coordinator *c, uint64_t now, uint32_t home, uint64_t budget)
{
    rk_co_pass_time(c, now);
    if (home >= c->options.most_homes || c->homes[home].state == RK_HOME_LOST)
        return RASK_EINVAL;
    rk_co_home *h = &c->homes[home];
    bool unlimited = h->state == RK_HOME_HERE && h->budget == RK_UNLIMITED;
    h->state = RK_HOME_HERE;
    h->budget = budget;
    if (unlimited && budget != RK_UNLIMITED)
        rk_co_home_chill(c, home);
    rk_co_relieve(c, home);
    rk_co_freed(c, home);
    rk_co_unblock(c, home);
    return RASK_OK;
}

static uint32_t free_worker(rk_coordinator *c)
{
    uint32_t worker = c->free_worker;
    if (worker != RK_NONE)
        c->free_worker = c->workers[worker].next;
    else if (c->used_workers < c->options.most_workers)
        worker = c->used_workers++;
    return worker;
}

static void add_worker(rk_coordinator *c, uint32_t worker, const rk_worker_offer *offer)
{
    rk_co_home *h = &c->homes[offer->home];
    rk_co_worker *w = &c->workers[worker];
    *w = (rk_co_worker){.home = offer->home,
                        .epoch = ++c->last_epoch,
                        .width = {offer->slots, offer->lanes},
                        .next_up = {RK_NONE, RK_NONE},
                        .here = offer->here,
                        .only_here = offer->here && offer->only_here,
                        .culprit = RK_NO_TASK,
                        .progress_ns = c->now,
                        .home_next = h->first_worker,
                        .home_prev = RK_NOBODY,
                        .state = RK_WORKER_GONE};
    for (int i = 0; i < RK_LISTS; i++)
        w->lists[i] = RK_EMPTY_LIST;
    if (h->first_worker != RK_NOBODY)
        c->workers[h->first_worker].home_prev = worker;
    h->first_worker = worker;
    h->workers++;
    for (uint32_t tag = 0; tag < c->options.tags; tag++)
        *rk_co_worker_tag(c, worker, tag) = *rk_co_worker_brought(c, worker, tag) = offer->tags[tag];
    for (uint32_t k = 0; k < c->class_count; k++)
        c->seats[(uint64_t)k * c->options.most_workers + worker].room = RK_ROOM_NONE;
    rk_co_worker_move(c, worker, RK_WORKER_GONE, RK_WORKER_HERE);
}

int rk_coordinator_joined(rk_coordinator *c, uint64_t now, const rk_worker_offer *offer, uint32_t *worker,
                          uint32_t *epoch)
{
    rk_co_pass_time(c, now);
    uint64_t capacity = c->capacity + (uint64_t)offer->slots * c->options.window + offer->lanes;
    if (offer->home >= c->options.most_homes || c->homes[offer->home].state != RK_HOME_HERE ||
        (!offer->slots && !offer->lanes))
        return RASK_EINVAL;
    rk_co_home *home = &c->homes[offer->home];
    int status = rk_co_errands_reserve(c, capacity);
    if (!status) /* all may ask for memory at once */
        status = rk_heap_reserve(&home->asks, home->width[0] + home->width[1] + offer->slots + offer->lanes);
    if (status)
        return status;
    uint32_t number = free_worker(c);
    if (number == RK_NONE)
        return RASK_ELIMIT;
    c->capacity = capacity;
    add_worker(c, number, offer);
    *worker = number;
    *epoch = c->workers[number].epoch;
    return RASK_OK;
}

static bool has_worker(const rk_coordinator *c, uint32_t worker, uint32_t epoch)
{
    return worker < c->used_workers && c->workers[worker].state != RK_WORKER_GONE &&
           c->workers[worker].epoch == epoch;
}

/* The worker with this life, if it is not over. */
static rk_co_worker *find_worker(rk_coordinator *c, uint32_t worker, uint32_t epoch)
{
    return has_worker(c, worker, epoch) ? &c->workers[worker] : NULL;
}

/* Who may have brought the worker down. */
static void accuse(rk_coordinator *c, const rk_co_worker *w, uint32_t culprit)
{
    for (int list = RK_LIST_SLOTS; list <= RK_LIST_LANES; list++)
        for (uint32_t i = w->lists[list].first; i != RK_NONE; i = c->errands[i].next) {
            rk_errand *e = &c->errands[i];
            e->guilty =
                culprit == RK_NO_TASK ? (c->hears_starts ? e->started : e->begun) : e->task == culprit;
            c->tasks[e->task].suspect |= culprit == RK_NO_TASK && !c->hears_starts;
        }
}

/* A task comes back without having returned. */
static void take_back(rk_coordinator *c, uint32_t errand, bool timed_out)
{
    uint32_t task = c->errands[errand].task;
    bool guilty = c->errands[errand].guilty;
    rk_co_errand_end(c, errand);
    rk_co_task_move(c, task, (rk_task_state)c->tasks[task].state, RK_TASK_WAITING);
    if (!rk_co_is_needed(c, task))
        rk_co_task_settle(c, task, false);
    else if (guilty && timed_out)
        rk_co_task_retry(c, task, RASK_ETIMEDOUT, RK_WHY_TIMEOUT);
    else if (!guilty || !rk_co_task_died(c, task, RK_WHY_DEATHS, RASK_ETASK))
        rk_co_task_settle(c, task, false);
}

static void lose_worker(rk_coordinator *c, uint32_t worker, uint32_t culprit)
{
    rk_co_worker *w = &c->workers[worker];
    rk_co_home *h = &c->homes[w->home];
    bool killed = w->state == RK_WORKER_KILLED;
    accuse(c, w, killed ? w->culprit : culprit);
    if (killed || w->state == RK_WORKER_RETIRED)
        rk_bitmap_remove(&c->farewells, worker);
    rk_co_worker_move(c, worker, (rk_worker_state)w->state, RK_WORKER_GONE);
    for (int list = 0; list < RK_LISTS; list++)
        while (w->lists[list].count)
            take_back(c, w->lists[list].first, killed);
    *(w->home_prev == RK_NOBODY ? &h->first_worker : &c->workers[w->home_prev].home_next) = w->home_next;
    if (w->home_next != RK_NOBODY)
        c->workers[w->home_next].home_prev = w->home_prev;
    h->workers--;
    c->capacity -= (uint64_t)w->width[0] * c->options.window + w->width[1];
    c->figures.deaths++;
    w->next = c->free_worker;
    c->free_worker = worker;
}

static void lose_home(rk_coordinator *c, uint32_t home)
{
    rk_co_home *h = &c->homes[home];
    h->state = RK_HOME_LOST;
    while (h->copies != RK_NONE) {
        uint32_t task = c->copies[h->copies].task;
        rk_co_copy_lose(c, h->copies);
        rk_co_task *t = &c->tasks[task];
        if (rk_co_is_dropped(t) && t->uses && !t->source)
            rk_co_lineage_add(c, task);
    }
    rk_co_lineage_follow(c);
}

void rk_coordinator_lost(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t culprit,
                         bool home_lost)
{
    rk_co_pass_time(c, now);
    rk_co_worker *w = find_worker(c, worker, epoch);
    if (!w)
        return;
    uint32_t home = w->home;
    lose_worker(c, worker, culprit);
    if (!home_lost)
        return;
    while (c->homes[home].first_worker != RK_NOBODY)
        lose_worker(c, c->homes[home].first_worker, RK_NO_TASK);
    lose_home(c, home);
}

/* What was not said to run there yet runs elsewhere. */
static void undo_staged(rk_coordinator *c, uint32_t worker)
{
    rk_co_worker *w = &c->workers[worker];
    for (int list = RK_LIST_STAGING; list <= RK_LIST_STAGED; list++)
        while (w->lists[list].count)
            rk_co_errand_undo(c, w->lists[list].first);
}

void rk_coordinator_leaving(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch)
{
    rk_co_pass_time(c, now);
    rk_co_worker *w = find_worker(c, worker, epoch);
    if (!w || w->state != RK_WORKER_HERE)
        return;
    while (w->recallable)
        rk_co_recall_one(c, worker);
    rk_co_worker_move(c, worker, RK_WORKER_HERE, RK_WORKER_LEAVING);
    undo_staged(c, worker);
    rk_co_worker_farewell(c, worker);
    c->leavers++;
    rk_co_vacate_begin(c, c->workers[worker].home);
}

/* Tasks. */

uint32_t rk_co_find_errand(const rk_coordinator *c, uint32_t worker, uint32_t epoch, uint32_t task,
                           uint32_t attempt)
{
    if (!has_worker(c, worker, epoch) || task >= c->numbers || c->tasks[task].state != RK_TASK_SENT)
        return RK_NONE;
    const rk_errand *e = &c->errands[c->tasks[task].link];
    return e->worker == worker && e->attempt == attempt ? c->tasks[task].link : RK_NONE;
}

void rk_coordinator_started(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                            uint32_t attempt)
{
    rk_co_pass_time(c, now);
    uint32_t i = rk_co_find_errand(c, worker, epoch, task, attempt);
    c->hears_starts = true;
    if (i != RK_NONE && !c->errands[i].started)
        rk_co_errand_started(c, i);
}

void rk_coordinator_renewed(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                            uint32_t attempt)
{
    rk_co_pass_time(c, now);
    uint32_t i = rk_co_find_errand(c, worker, epoch, task, attempt);
    if (i != RK_NONE && c->workers[worker].state != RK_WORKER_KILLED)
        rk_co_errand_set_deadline(c, i);
}

void rk_coordinator_rests(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                          uint32_t attempt)
{
    rk_co_pass_time(c, now);
    uint32_t i = rk_co_find_errand(c, worker, epoch, task, attempt);
    if (i == RK_NONE || c->errands[i].rests || c->workers[worker].state == RK_WORKER_KILLED)
        return;
    c->errands[i].rests = true;
    if (c->errands[i].place != RK_NO_PLACE && !c->errands[i].abandoned)
        rk_co_errand_forget_deadline(c, i);
    rk_co_tags_give(c, worker, &c->classes[c->tasks[task].class]);
    rk_co_worker_refresh(c, worker, false);
}

bool rk_coordinator_resumes(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                            uint32_t attempt)
{
    rk_co_pass_time(c, now);
    uint32_t i = rk_co_find_errand(c, worker, epoch, task, attempt);
    if (i == RK_NONE || !c->errands[i].rests)
        return false;
    const rk_class *class = &c->classes[c->tasks[task].class];
    for (uint32_t k = 0; k < class->need_count; k++)
        c->lent[class->needs[k].tag] -= class->needs[k].count;
    c->errands[i].rests = false;
    rk_co_errand_set_deadline(c, i);
    return true;
}

void rk_coordinator_finished(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                             uint32_t attempt, uint64_t bytes, uint64_t duration_ns)
{
    rk_co_pass_time(c, now);
    uint32_t i = rk_co_find_errand(c, worker, epoch, task, attempt);
    if (i == RK_NONE)
        return;
    uint32_t home = c->errands[i].home;
    rk_co_learn_task(c, c->errands[i].group, bytes, duration_ns);
    rk_co_errand_end(c, i);
    c->tasks[task].suspect = 0;
    rk_co_task_over(c, task, home, bytes);
    rk_co_vacate_result(c, home, task);
    rk_co_relieve(c, home);
}

void rk_coordinator_failed(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                           uint32_t attempt, int status, bool final)
{
    rk_co_pass_time(c, now);
    uint32_t i = rk_co_find_errand(c, worker, epoch, task, attempt);
    if (i == RK_NONE)
        return;
    rk_co_errand_end(c, i);
    rk_co_task_move(c, task, RK_TASK_SENT, RK_TASK_WAITING);
    if (!rk_co_is_needed(c, task))
        rk_co_task_settle(c, task, false);
    else if (final)
        rk_co_task_fail(c, task, status);
    else
        rk_co_task_retry(c, task, status, RK_WHY_NOTHING);
}

bool rk_coordinator_backs_off(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                              uint32_t attempt, uint64_t rest_ns)
{
    rk_co_pass_time(c, now);
    uint32_t i = rk_co_find_errand(c, worker, epoch, task, attempt);
    if (i == RK_NONE)
        return false;
    rk_co_errand_end(c, i);
    rk_co_task_move(c, task, RK_TASK_SENT, RK_TASK_WAITING);
    c->tasks[task].suspect = 0;
    if (rk_co_is_needed(c, task))
        rk_co_task_rest(c, task, rest_ns);
    else
        rk_co_task_settle(c, task, false);
    return true;
}

void rk_coordinator_asked(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                          uint32_t attempt, uint64_t bytes)
{
    rk_co_pass_time(c, now);
    uint32_t i = rk_co_find_errand(c, worker, epoch, task, attempt);
    if (i != RK_NONE)
        rk_co_ask(c, i, bytes);
}

void rk_coordinator_recalled(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                             uint32_t attempt, bool given_back)
{
    rk_co_pass_time(c, now);
    uint32_t i = rk_co_find_errand(c, worker, epoch, task, attempt);
    if (i == RK_NONE || !c->errands[i].recalled)
        return;
    if (!given_back) {
        c->errands[i].gives_up = false; /* what it asked for had just come: it may ask again */
        return;
    }
    uint32_t better = c->errands[i].gives_up ? c->errands[i].better : RK_NO_HOME;
    c->tasks[task].given_back = 1;
    rk_co_errand_undo(c, i);
    if (better != RK_NO_HOME && c->tasks[task].state == RK_TASK_READY)
        rk_co_task_bind(c, task, better);
}

/* Copies. */

static uint32_t find_copy(rk_coordinator *c, uint32_t home, uint32_t task, uint32_t attempt,
                          rk_copy_state state)
{
    if (task >= c->numbers || home >= c->options.most_homes || c->homes[home].state != RK_HOME_HERE)
        return RK_NONE;
    uint32_t i = rk_co_copy_find(c, task, home);
    return i != RK_NONE && c->copies[i].state == state && c->copies[i].attempt == attempt &&
                   !c->copies[i].linked
               ? i
               : RK_NONE;
}

/* It is in memory now. */
static void settle_copy(rk_coordinator *c, uint32_t i)
{
    uint32_t home = c->copies[i].home, task = c->copies[i].task;
    bool awaited = (c->gathering && c->tasks[task].target) ||
                   (c->more && c->more[task].awaited && c->more[task].wants && !c->stopping);
    if (home == 0 && awaited)
        rk_co_copy_move(c, i, RK_COPY_HELD, RK_COPY_HANDED);
    rk_co_errand_arrived(c, i);
    rk_co_copy_came(c, c->copies[i].task, c->copies[i].home);
    rk_co_copy_leave(c, i);
    rk_co_freed(c, home);
}

/* It cannot be had: whoever waits for it does without for now, and is blamed when that happens again and again.
 * status: RASK_OK: it is nobody's fault. */
static void give_up_copy(rk_coordinator *c, uint32_t i, int status)
{
    uint32_t task = c->copies[i].task, home = c->copies[i].home;
    const rk_co_task *t = &c->tasks[task];
    rk_co_errand_give_up(c, i, status);
    rk_co_copy_lose(c, i);
    if (rk_co_is_dropped(t) && t->uses && !t->source) {
        rk_co_lineage_add(c, task);
        rk_co_lineage_follow(c);
    }
    if (c->gathering)
        rk_co_gather_again(c, task, status);
    rk_co_copy_came(c, task, home);
    rk_co_freed(c, home);
}

/* From another home, if there is one. */
static void fetch_again(rk_coordinator *c, uint32_t i, int status)
{
    rk_co_copy *copy = &c->copies[i];
    const rk_co_task *t = &c->tasks[copy->task];
    bool orphaned = copy->from == RK_NO_HOME; /* by the loss of a home, which is no fault of who takes it */
    uint32_t from = orphaned ? RK_NONE : rk_co_copy_find(c, copy->task, copy->from);
    from = from == RK_NONE ? RK_NONE : c->copies[from].next;
    bool wanted = copy->pins || c->gathering || (c->more && c->more[copy->task].awaited);
    rk_co_copy_unread(c, i);
    if (from == RK_NONE && t->state == RK_TASK_OVER)
        from = t->link;
    copy->failures += !orphaned;
    if (from == RK_NONE || !wanted || copy->failures == MOST_FAILURES) {
        give_up_copy(c, i, orphaned ? RASK_OK : status);
        return;
    }
    rk_co_copy_read(c, i, from);
    rk_co_copy_send(c, i);
}

/* It came, but the home that it came from is gone, and its task runs again already: that result will do. */
static void refuse_copy(rk_coordinator *c, uint32_t i)
{
    uint32_t home = c->copies[i].home;
    rk_co_copy_came(c, c->copies[i].task, c->copies[i].home);
    rk_co_errand_give_up(c, i, RASK_OK);
    rk_co_copy_unread(c, i);
    rk_co_copy_move(c, i, RK_COPY_FETCHING, RK_COPY_GONE);
    rk_co_copy_send(c, i);
    rk_co_freed(c, home);
}

uint32_t rk_coordinator_source(const rk_coordinator *c, uint32_t home, uint32_t task)
{
    uint32_t i = task < c->numbers ? rk_co_copy_find(c, task, home) : RK_NONE;
    return i == RK_NONE || c->copies[i].state != RK_COPY_FETCHING ? RK_NO_HOME : c->copies[i].from;
}

void rk_coordinator_transferred(rk_coordinator *c, uint64_t now, uint32_t home, uint32_t task,
                                uint32_t attempt, int status, uint64_t bytes, uint64_t duration_ns)
{
    rk_co_pass_time(c, now);
    uint32_t i = find_copy(c, home, task, attempt, RK_COPY_FETCHING);
    if (i == RK_NONE)
        return;
    if (status) {
        fetch_again(c, i, status);
        return;
    }
    c->figures.transfers++;
    c->figures.transferred_bytes += bytes;
    rk_co_learn_transfer(c, bytes, duration_ns);
    if (c->tasks[task].state != RK_TASK_OVER) {
        refuse_copy(c, i);
        return;
    }
    rk_co_copy_unread(c, i);
    rk_co_copy_move(c, i, RK_COPY_FETCHING, RK_COPY_HELD);
    settle_copy(c, i);
}

void rk_coordinator_spilled(rk_coordinator *c, uint64_t now, uint32_t home, uint32_t task, uint32_t attempt,
                            int status, uint64_t bytes)
{
    rk_co_pass_time(c, now);
    uint32_t i = find_copy(c, home, task, attempt, RK_COPY_SPILLING);
    if (i == RK_NONE)
        return;
    if (status) {
        c->homes[home].disk_status = status;
        rk_co_copy_move(c, i, RK_COPY_SPILLING, RK_COPY_HELD);
        settle_copy(c, i);
        return;
    }
    c->figures.spilled_bytes += bytes;
    rk_co_copy_move(c, i, RK_COPY_SPILLING, RK_COPY_ON_DISK);
    rk_co_copy_resize(c, i, bytes);
    rk_co_copy_came(c, task, home);
    if (c->copies[i].pins) {
        rk_co_copy_move(c, i, RK_COPY_ON_DISK, RK_COPY_LOADING);
        rk_co_copy_send(c, i);
    } else {
        rk_co_copy_leave(c, i);
    }
    rk_co_freed(c, home);
}

void rk_coordinator_loaded(rk_coordinator *c, uint64_t now, uint32_t home, uint32_t task, uint32_t attempt,
                           int status)
{
    rk_co_pass_time(c, now);
    uint32_t i = find_copy(c, home, task, attempt, RK_COPY_LOADING);
    if (i == RK_NONE)
        return;
    if (status) {
        give_up_copy(c, i, status);
        return;
    }
    c->figures.loaded_bytes += c->copies[i].bytes;
    rk_co_copy_move(c, i, RK_COPY_LOADING, RK_COPY_HELD);
    settle_copy(c, i);
}

/* Time, memory, the end. */

void rk_coordinator_memory(rk_coordinator *c, uint64_t now, uint32_t home, uint64_t bytes_used_otherwise)
{
    rk_co_pass_time(c, now);
    if (home >= c->options.most_homes || c->homes[home].state != RK_HOME_HERE)
        return;
    c->homes[home].other = bytes_used_otherwise;
    rk_co_note_peak(&c->homes[home]);
    rk_co_relieve(c, home);
    rk_co_freed(c, home);
}

static void kill_late(rk_coordinator *c)
{
    while (c->deadlines.count && c->deadlines.entries[0].key <= c->now) {
        uint32_t i = c->deadlines.entries[0].item, worker = c->errands[i].worker;
        rk_co_worker *w = &c->workers[worker];
        rk_co_errand_forget_deadline(c, i);
        if (w->state == RK_WORKER_KILLED)
            continue;
        w->culprit = c->errands[i].task;
        rk_co_worker_move(c, worker, (rk_worker_state)w->state, RK_WORKER_KILLED);
        undo_staged(c, worker);
        rk_bitmap_add(&c->farewells, worker);
    }
}

void rk_coordinator_tick(rk_coordinator *c, uint64_t now)
{
    rk_co_pass_time(c, now);
    while (c->retries.count && c->retries.entries[0].key <= c->now)
        rk_co_task_retry_now(c);
    kill_late(c);
    if (c->recall_ns <= c->now && !c->stopping)
        rk_co_recall_some(c);
}

uint64_t rk_coordinator_wants_tick(const rk_coordinator *c)
{
    uint64_t when = c->stopping ? RK_NEVER : c->recall_ns;
    if (c->ended)
        return RK_NEVER;
    if (c->deadlines.count && c->deadlines.entries[0].key < when)
        when = c->deadlines.entries[0].key;
    if (!c->stopping && c->retries.count && c->retries.entries[0].key < when)
        when = c->retries.entries[0].key;
    return when;
}

void rk_coordinator_cancel(rk_coordinator *c, uint64_t now, int status)
{
    rk_co_pass_time(c, now);
    rk_co_stop(c, status);
}
