/* Where futures that are ready wait for a worker: see the header. */
#include "schedulers/futures/executor.h"

#include "core/base/clock.h"
#include "core/base/cond.h"
#include "schedulers/call.h"
#include "schedulers/chaos.h"
#include "schedulers/futures/holding.h"
#include "schedulers/futures/notice.h"
#include "schedulers/futures/piece.h"
#include "schedulers/futures/several.h"
#include "schedulers/limits.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

enum {
    TURN = 61,
    MOST_TAKEN = 32,
    ENOUGH = 2,
    SPIN_NS = 20000,
    HELP_NS = 20000,
    LOOKS = 64,
    NAP_NS = 500000,
    LOOK_NS = 5000000 /* at what may stop it without waking anybody */
};

#define MOST_ASLEEP_NS ((uint64_t)3600 * 1000000000)

static const rk_place nowhere = {NULL, RK_NO_WORKER, RK_NO_WORKER, false};
static _Thread_local rk_place here = {NULL, RK_NO_WORKER, RK_NO_WORKER, false};

/* -- Life */

static void init_slabs(rk_slabs *slabs)
{
    for (size_t i = 0; i < RK_SLABS; i++)
        rk_slabs_init(&slabs[i], RK_SLAB_LEAST + i * RK_SLAB_STEP);
}

static void fini_slabs(rk_slabs *slabs)
{
    for (size_t i = 0; i < RK_SLABS; i++)
        rk_slabs_fini(&slabs[i]);
}

static void free_executor(rk_executor *e)
{
    fini_slabs(e->slabs);
    rk_sources_fini(&e->sources);
    for (uint32_t i = 0; e->benches && i < e->bench_count; i++) {
        pthread_mutex_destroy(&e->benches[i].lock);
        pthread_mutex_destroy(&e->benches[i].sowing);
        rask_graph_free(e->benches[i].spare);
        rk_piles_fini(&e->benches[i]);
        fini_slabs(e->benches[i].slabs);
    }
    if (e->own_store && e->store)
        rk_store_end(e->store);
    rk_free(e->scratch);
    rk_meetings_fini(&e->meetings);
    rk_circles_fini(&e->circles);
    rk_resting_fini(&e->resting);
    rk_ranking_fini(&e->ranked);
    if (!e->shares_gate)
        rk_gate_free(e->gate);
    rk_free(e->benches);
    pthread_mutex_destroy(&e->lock);
    pthread_mutex_destroy(&e->done_lock);
    pthread_cond_destroy(&e->work);
    pthread_cond_destroy(&e->io);
    pthread_cond_destroy(&e->done);
    rk_free(e);
}

static bool is_stopped(void *executor)
{
    return rk_load_relaxed(&((rk_executor *)executor)->env.stop) != RASK_OK;
}

static void tell_move(void *executor, const rk_store_move *move)
{
    rk_notice_moved(executor, move);
}

static rk_store *own_store(rk_executor *e)
{
    rk_store_run run = {
        .context = e, .stopped = is_stopped, .moved = e->options.observer_count ? tell_move : NULL};
    const char *folder = e->options.scratch ? e->options.scratch : "/tmp";
    e->scratch = rk_strndup(folder, strlen(folder));
    return e->scratch ? rk_store_new(e->options.memory, e->scratch, &run) : NULL;
}

rk_executor *rk_executor_new(const rask_options *options, uint32_t workers, rk_store *store,
                             const rk_task_env *outer)
{
    rk_executor *e = rk_calloc(1, sizeof *e);
    if (!e)
        return NULL;
    rk_init(&e->refs, 1);
    e->options = *options;
    e->env.outer = outer;
    e->env.cancel = outer ? outer->cancel : options->cancel;
    e->env.deadline_ns = outer ? outer->deadline_ns : 0;
    rk_sources_init(&e->sources);
    rk_circles_init(&e->circles);
    rk_resting_init(&e->resting);
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->done_lock, NULL);
    rk_cond_init(&e->work);
    rk_cond_init(&e->io);
    rk_cond_init(&e->done);
    e->ranked = (rk_ranking)RK_RANKING;
    e->bench_count = workers;
    e->benches = rk_calloc(workers, sizeof *e->benches);
    init_slabs(e->slabs);
    for (uint32_t i = 0; e->benches && i < workers; i++) {
        pthread_mutex_init(&e->benches[i].lock, NULL);
        pthread_mutex_init(&e->benches[i].sowing, NULL);
        init_slabs(e->benches[i].slabs);
    }
    e->own_store = !store;
    e->store = store ? store : own_store(e);
    if (rk_meetings_init(&e->meetings) || !e->benches || !e->store) {
        free_executor(e);
        return NULL;
    }
    return e;
}

rk_executor *rk_executor_ref(rk_executor *e)
{
    rk_add_relaxed(&e->refs, 1);
    return e;
}

void rk_executor_unref(rk_executor *e)
{
    if (e && rk_sub_acq_rel(&e->refs, 1) == 1)
        free_executor(e);
}

rk_place rk_executor_sit(rk_place place)
{
    rk_place before = here;
    here = place;
    return before;
}

rk_place rk_executor_place(const rk_executor *e)
{
    return here.executor == e ? here : nowhere;
}

uint32_t rk_executor_worker(const rk_executor *e)
{
    return here.executor == e ? here.worker : RK_NO_WORKER;
}

static rk_tally *own_tally(rk_executor *e)
{
    uint32_t worker = rk_executor_worker(e);
    return worker == RK_NO_WORKER ? &e->tally : &e->benches[worker].tally;
}

/* Of everybody's first, and so on: nobody needs to know what others have given. */
uint64_t rk_executor_number(rk_executor *e)
{
    uint32_t worker = rk_executor_worker(e);
    uint64_t made = rk_add_relaxed(&own_tally(e)->made, 1) + 1;
    return made * (e->bench_count + 1) + (worker == RK_NO_WORKER ? 0 : worker + 1);
}

void *rk_executor_alloc(rk_executor *e, size_t size)
{
    uint32_t worker = rk_executor_worker(e);
    size_t over = size > RK_SLAB_LEAST ? size - RK_SLAB_LEAST : 0,
           class = (over + RK_SLAB_STEP - 1) / RK_SLAB_STEP;
    rk_slabs *slabs = worker == RK_NO_WORKER ? e->slabs : e->benches[worker].slabs;
    return rk_slab_alloc(&slabs[class < RK_SLABS ? class : RK_SLABS - 1], size);
}

rk_spare_graph *rk_executor_spare(rk_executor *e)
{
    uint32_t worker = rk_executor_worker(e);
    return worker == RK_NO_WORKER ? NULL : &e->benches[worker].spare;
}

/* -- What has a priority */

static rk_atomic_u32 *ranked_like(rk_executor *e, const rask_future *future)
{
    return future->priority > 0 ? &e->express : &e->late;
}

/* -- Pushing */

/* What is ready goes to the benches in a row: many at once. */
typedef struct batch {
    rk_queue queue;
    uint32_t count;
} batch;

static void push_last(rk_executor *e, uint32_t worker, const batch *ready)
{
    rk_bench *bench = &e->benches[worker];
    pthread_mutex_lock(&bench->lock);
    rk_queue_append(&bench->ready, &ready->queue);
    rk_add_seq_cst(&bench->count, ready->count);
    pthread_mutex_unlock(&bench->lock);
}

static void push_own(rk_executor *e, uint32_t worker, const batch *ready)
{
    rk_bench *bench = &e->benches[worker];
    pthread_mutex_lock(&bench->lock);
    rk_queue_prepend(&bench->ready, &ready->queue);
    rk_add_seq_cst(&bench->count, ready->count);
    pthread_mutex_unlock(&bench->lock);
}

static void push_io(rk_executor *e, rask_future *future)
{
    pthread_mutex_lock(&e->lock);
    rk_queue_push_last(&e->io_ready, future);
    bool more = ++e->io_waiting > e->io_sleepers;
    if (e->io_sleepers)
        pthread_cond_signal(&e->io);
    pthread_mutex_unlock(&e->lock);
    if (more)
        e->want_lane(e->context);
}

static bool push_by_priority(rk_executor *e, rask_future *future)
{
    pthread_mutex_lock(&e->lock);
    bool pushed = rk_ranking_push(&e->ranked, -(int64_t)future->priority, future);
    if (pushed)
        rk_add_seq_cst(ranked_like(e, future), 1);
    pthread_mutex_unlock(&e->lock);
    return pushed;
}

/* A sleeper is a seeker from here on, whenever it wakes. */
static void wake_one(rk_executor *e)
{
    pthread_mutex_lock(&e->lock);
    bool any = rk_load_relaxed(&e->sleepers);
    if (any) {
        rk_add_seq_cst(&e->seekers, 1);
        rk_sub_seq_cst(&e->sleepers, 1);
        e->woken++;
    }
    pthread_mutex_unlock(&e->lock);
    if (any)
        pthread_cond_signal(&e->work);
}

void rk_executor_wake(rk_executor *e)
{
    if (!rk_load_seq_cst(&e->seekers) && rk_load_seq_cst(&e->sleepers))
        wake_one(e);
    if (e->wake)
        e->wake(e->context);
}

static void push_batch(rk_executor *e, const batch *ready)
{
    uint32_t worker = rk_executor_worker(e);
    if (worker != RK_NO_WORKER)
        push_own(e, worker, ready);
    else if (!rk_sources_push(&e->sources, &ready->queue, ready->count))
        push_last(e, 0, ready);
}

/* It has what it takes: to where it belongs, or into the batch of those that belong nowhere else. */
static void sort_out(rk_executor *e, rask_future *future, batch *others)
{
    if (future->flags & RK_FUTURE_IO && e->want_lane) {
        push_io(e, future);
    } else if (!future->priority || !push_by_priority(e, future)) {
        rk_queue_push_last(&others->queue, future);
        others->count++;
    }
}

static void queue(rk_executor *e, rask_future *future)
{
    batch others = {{NULL, NULL}, 0};
    sort_out(e, future, &others);
    if (others.count)
        push_batch(e, &others);
    rk_executor_wake(e);
}

static void note_gate(const rk_executor *e, bool changed)
{
    if (changed && e->gate_changed)
        e->gate_changed(e->gate_context);
}

void rk_executor_push_all(rk_executor *e, rk_queue *ready)
{
    batch others = {{NULL, NULL}, 0};
    rask_future *future;
    bool waits = false;
    if (!ready->first)
        return;
    while ((future = rk_queue_pop_first(ready))) {
        if (e->options.observer_count)
            future->ready_ns = rk_clock_now();
        if (rk_admission_enter(future, e->gate))
            sort_out(e, future, &others);
        else
            waits = true;
    }
    note_gate(e, waits);
    if (others.count)
        push_batch(e, &others);
    rk_executor_wake(e);
}

void rk_executor_push(rk_executor *e, rask_future *future)
{
    rk_queue one = {NULL, NULL};
    rk_queue_push_last(&one, future);
    rk_executor_push_all(e, &one);
}

/* Nothing but a bench would take it. */
static bool may_run_next(const rk_executor *e, const rask_future *future)
{
    return rk_executor_worker(e) != RK_NO_WORKER && !future->admission && !future->priority &&
           !(future->flags & RK_FUTURE_IO && e->want_lane);
}

rask_future *rk_executor_take_next(rk_executor *e, rk_queue *ready)
{
    rask_future *next = ready->first;
    if (!next)
        return NULL;
    if (may_run_next(e, next)) {
        rk_queue_pop_first(ready);
        if (e->options.observer_count)
            next->ready_ns = rk_clock_now();
    } else {
        next = NULL;
    }
    rk_executor_push_all(e, ready);
    return next;
}

void rk_executor_let_in(rk_executor *e, rk_gate_waiter *first)
{
    for (rk_gate_waiter *next; first; first = next) {
        uint32_t unit = rk_limits_unit_of(first);
        next = first->next;
        if (unit == RK_NO_UNIT)
            queue(e, rk_admission_of(first)->future);
        else
            e->let_in(e->context, unit);
    }
}

void rk_executor_leave(rk_executor *e, rask_future *future)
{
    if (!future->admission)
        return;
    rk_executor_let_in(e, rk_admission_leave(future, e->gate));
    note_gate(e, true);
}

void rk_executor_withdraw(rk_executor *e, rask_future *future)
{
    rk_gate_waiter *others;
    bool waited = rk_admission_give_up(future, e->gate, &others);
    rk_executor_let_in(e, others);
    note_gate(e, waited);
    if (rk_load_acquire(
            &future->admission->rests)) /* for long, perhaps, and nobody else looks at it before */
        rk_executor_leave(e, future);
    if (waited)
        rask_future_unref(future);
}

/* -- Those that rest */

/* Somebody of those who sleep, if anybody does, sleeps no longer than until the first is due. */
static void set_watch(rk_executor *e)
{
    pthread_mutex_lock(&e->lock);
    uint64_t next_ns = rk_load_seq_cst(&e->resting.next_ns);
    if (next_ns && (!e->watch_ns || next_ns < e->watch_ns)) {
        pthread_cond_signal(&e->work);
        pthread_cond_signal(&e->io);
    }
    pthread_mutex_unlock(&e->lock);
}

bool rk_executor_rest(rk_executor *e, rask_future *future, uint64_t due_ns)
{
    bool first;
    if (future->admission)
        rk_store_release(&future->admission->rests, true);
    if (!rk_resting_add(&e->resting, future, due_ns, &first))
        return false;
    if (first)
        set_watch(e);
    if (first && e->wake) /* its thread has time now */
        e->wake(e->context);
    return true;
}

/* Nothing is called any more: whoever rests has nothing to wait for. */
static bool is_over(rk_executor *e)
{
    return rk_load_acquire(&e->closed) || rk_load_acquire(&e->env.stop) || rk_env_must_stop(&e->env);
}

static bool has_due(rk_executor *e)
{
    return rk_load_seq_cst(&e->resting.next_ns) && (rk_resting_is_due(&e->resting) || is_over(e));
}

/* What is due is as ready as anything. */
static void rouse(rk_executor *e)
{
    uint64_t now_ns = is_over(e) ? UINT64_MAX : rk_clock_now();
    for (rask_future *future; (future = rk_resting_pop(&e->resting, now_ns));) {
        if (e->options.observer_count)
            future->ready_ns = rk_clock_now();
        queue(e, future);
    }
    if (rk_load_seq_cst(&e->resting.next_ns))
        set_watch(e);
}

/* -- Popping */

static rask_future *pop_ranked(rk_executor *e)
{
    pthread_mutex_lock(&e->lock);
    rask_future *future = rk_ranking_pop(&e->ranked);
    if (future)
        rk_sub_relaxed(ranked_like(e, future), 1);
    pthread_mutex_unlock(&e->lock);
    return future;
}

static rask_future *pop_own(rk_executor *e, uint32_t worker)
{
    rk_bench *bench = &e->benches[worker];
    if (!rk_load_relaxed(&bench->count))
        return NULL;
    pthread_mutex_lock(&bench->lock);
    rask_future *future = rk_queue_pop_first(&bench->ready);
    if (future)
        rk_sub_relaxed(&bench->count, 1);
    pthread_mutex_unlock(&bench->lock);
    return future;
}

static rask_future *pop_other(rk_executor *e, uint32_t worker)
{
    for (uint32_t i = 1; i < e->bench_count; i++) {
        rk_bench *bench = &e->benches[(worker + i) % e->bench_count];
        if (!rk_load_relaxed(&bench->count))
            continue;
        pthread_mutex_lock(&bench->lock);
        rask_future *future = rk_queue_pop_last(&bench->ready);
        if (future)
            rk_sub_relaxed(&bench->count, 1);
        pthread_mutex_unlock(&bench->lock);
        if (future)
            return future;
    }
    return NULL;
}

/* Of what grew with another, and lies there: some is ready by being sown, which is the worker's from then on. */
static rask_future *pop_piece(rk_executor *e, uint32_t worker)
{
    for (uint32_t i = 1; i <= e->bench_count; i++) {
        uint32_t other = (worker + i) % e->bench_count;
        rk_endings endings = {0};
        if (!rk_load_relaxed(&e->benches[other].open))
            continue;
        rk_piles_split(e, other, &endings);
        rask_future *future = rk_queue_pop_first(&endings.ready);
        rk_futures_end(&endings);
        if (future)
            return future;
    }
    return NULL;
}

enum { MOST_LOOKED_AT = 16 };

/* Under the lock. */
static rask_future *take_out(rk_bench *bench, bool (*may)(const void *context, const rask_future *future),
                             const void *context)
{
    rask_future *future = bench->ready.last;
    for (int i = 0; future && !may(context, future); i++)
        future = i < MOST_LOOKED_AT ? future->previous : NULL;
    if (!future)
        return NULL;
    rk_queue_remove(&bench->ready, future);
    rk_sub_relaxed(&bench->count, 1);
    return future;
}

/* Of what came from outside, or was made ready there: the first. Others go behind the rest. */
static rask_future *take_outside(rk_executor *e, bool (*may)(const void *context, const rask_future *future),
                                 const void *context)
{
    rk_atomic_u32 others = 0;
    rask_future *future = NULL;
    batch kept = {{NULL, NULL}, 0};
    for (int i = 0; i < MOST_LOOKED_AT && rk_load_relaxed(&e->sources.count); i++) {
        rk_queue taken = {NULL, NULL};
        rk_sources_take(&e->sources, 1, &taken, &others);
        future = taken.first;
        if (!future || may(context, future))
            break;
        rk_queue_push_last(&kept.queue, future);
        kept.count++;
        future = NULL;
    }
    if (kept.count) {
        push_batch(e, &kept);
        rk_executor_wake(e);
    }
    return future;
}

/* Of what grew and lies on a bench; the rest of what is ready by that is everybody's. */
static rask_future *split_oldest(rk_executor *e, bool (*may)(const void *context, const rask_future *future),
                                 const void *context)
{
    rask_future *future = pop_piece(e, 0);
    if (!future || may(context, future))
        return future;
    queue(e, future);
    return NULL;
}

rask_future *rk_executor_take_oldest(rk_executor *e,
                                     bool (*may)(const void *context, const rask_future *future),
                                     const void *context)
{
    for (uint32_t i = 0; i < e->bench_count; i++) {
        rk_bench *bench = &e->benches[i];
        if (!rk_load_relaxed(&bench->count))
            continue;
        pthread_mutex_lock(&bench->lock);
        rask_future *future = take_out(bench, may, context);
        pthread_mutex_unlock(&bench->lock);
        if (future)
            return future;
    }
    rask_future *future = take_outside(e, may, context);
    return future ? future : split_oldest(e, may, context);
}

/* Some of what one thread submitted: the first is returned, the others wait behind what the worker has. */
static rask_future *pop_outside(rk_executor *e, uint32_t worker, uint32_t most)
{
    rk_bench *bench = &e->benches[worker];
    uint32_t count = rk_load_seq_cst(&e->sources.count), share = count / (2 * e->bench_count) + 1;
    rk_queue taken = {NULL, NULL};
    if (!count)
        return NULL;
    rk_sources_take(&e->sources, share < most ? share : most, &taken, &bench->count);
    rk_chaos();
    rask_future *next = rk_queue_pop_first(&taken), *future;
    if (!taken.first)
        return next;
    pthread_mutex_lock(&bench->lock);
    while ((future = rk_queue_pop_first(&taken)))
        rk_queue_push_last(&bench->ready, future);
    pthread_mutex_unlock(&bench->lock);
    return next;
}

/* The next for this worker; NULL: none is ready. */
static rask_future *pop(rk_executor *e, uint32_t worker)
{
    rask_future *future = NULL;
    uint32_t turn = rk_load_relaxed(&e->benches[worker].turn) + 1;
    rk_store_relaxed(&e->benches[worker].turn, turn);
    if (has_due(e))
        rouse(e);
    if (rk_load_relaxed(&e->express))
        future = pop_ranked(e);
    if (!future && turn % TURN == 0)
        future = pop_outside(e, worker, 1);
    if (!future && !(future = pop_own(e, worker)) && !(future = pop_outside(e, worker, MOST_TAKEN)))
        future = pop_other(e, worker);
    if (!future)
        future = pop_piece(e, worker);
    if (!future && rk_load_relaxed(&e->late))
        future = pop_ranked(e);
    return future;
}

static rask_future *run(rk_executor *e, uint32_t worker, rask_future *future, const rk_awaited *until)
{
    rk_seat seat = {worker, here.executor == e ? here.number : worker, until};
    return rk_future_run(future, &seat);
}

bool rk_executor_may_go_on(rk_executor *e, uint32_t worker, const rk_awaited *until)
{
    uint32_t turn = rk_load_relaxed(&e->benches[worker].turn) + 1;
    if (turn % TURN == 0 || rk_load_relaxed(&e->express) || rk_load_relaxed(&e->closed) ||
        (until && until->holds(until->what)))
        return false;
    rk_store_relaxed(&e->benches[worker].turn, turn);
    return true;
}

bool rk_executor_run_on(rk_executor *e, uint32_t worker, const rk_awaited *until)
{
    rask_future *future = pop(e, worker), *next = future ? run(e, worker, future, until) : NULL;
    while (next && rk_executor_may_go_on(e, worker, until))
        next = run(e, worker, next, until);
    if (next)
        rk_executor_push(e, next);
    return future;
}

/* What is waited for has come, or never mind. */
typedef struct timely {
    const rk_awaited *awaited; /* NULL: nothing is */
    uint64_t deadline_ns;
} timely;

static bool is_late(uint64_t deadline_ns)
{
    return deadline_ns && rk_clock_now() >= deadline_ns;
}

static bool is_time(void *what)
{
    const timely *t = what;
    return is_late(t->deadline_ns) || (t->awaited && t->awaited->holds(t->awaited->what));
}

bool rk_executor_run_one(rk_executor *e, uint32_t worker)
{
    timely t = {NULL, rk_clock_now() + HELP_NS};
    rk_awaited until = {.holds = is_time, .what = &t};
    rask_future *future = pop(e, worker), *next = future ? run(e, worker, future, &until) : NULL;
    if (next)
        rk_executor_push(e, next);
    return future;
}

bool rk_executor_run_io(rk_executor *e, uint32_t worker)
{
    if (has_due(e))
        rouse(e);
    pthread_mutex_lock(&e->lock);
    rask_future *future = rk_queue_pop_first(&e->io_ready);
    e->io_waiting -= future != NULL;
    pthread_mutex_unlock(&e->lock);
    rk_seat seat = {RK_NO_WORKER, worker, NULL};
    if (future)
        rk_future_run(future, &seat);
    return future;
}

uint32_t rk_executor_backlog(rk_executor *e)
{
    uint32_t count =
        rk_load_seq_cst(&e->sources.count) + rk_load_seq_cst(&e->express) + rk_load_seq_cst(&e->late);
    for (uint32_t i = 0; i < e->bench_count; i++)
        count += rk_load_seq_cst(&e->benches[i].count) + rk_load_seq_cst(&e->benches[i].open);
    return count + has_due(e);
}

int rk_executor_stopped(rk_executor *e, char *message)
{
    if (!rk_load_acquire(&e->env.stop) && !rk_env_must_stop(&e->env))
        return RASK_OK;
    snprintf(message, RK_MAX_MESSAGE, "it had not begun when its scheduler was stopped");
    return RASK_ECANCELLED; /* whatever stopped the run: that is no failure of its own */
}

uint64_t rk_executor_take_retries(rk_executor *e)
{
    return rk_load_relaxed(&e->retries) ? rk_exchange_acq_rel(&e->retries, 0) : 0;
}

bool rk_executor_is_hungry(rk_executor *e)
{
    return e->bench_count > 1 && rk_executor_backlog(e) < ENOUGH * e->bench_count;
}

/* -- Sleeping */

/* A little while awake: true when there is work. */
static bool seek(rk_executor *e)
{
    uint64_t start = rk_clock_now();
    do {
        for (int i = 0; i < LOOKS; i++) {
            if (rk_executor_backlog(e) || rk_load_relaxed(&e->closed))
                return true;
            rk_relax();
        }
        sched_yield(); /* who submits may have no processor but this one */
    } while (rk_clock_now() - start < SPIN_NS);
    return false;
}

/* What is stopped by others, or is out of time, tells nobody. */
static bool may_end_unnoticed(const rk_executor *e)
{
    return rk_load_relaxed(&e->env.cancel) || e->env.deadline_ns || e->env.outer;
}

/* Under the lock: until somebody signals; one of all who wait, no longer than until the first that rests is due. */
static void wait_at(rk_executor *e, pthread_cond_t *cond)
{
    uint64_t next_ns = rk_load_seq_cst(&e->resting.next_ns), now_ns = rk_clock_now();
    if (next_ns && next_ns <= now_ns)
        return;
    uint64_t most_ns = may_end_unnoticed(e) ? LOOK_NS : MOST_ASLEEP_NS;
    uint64_t until_ns = next_ns - now_ns < most_ns ? next_ns : now_ns + most_ns;
    if (!next_ns || (e->watch_ns && e->watch_ns <= until_ns)) {
        pthread_cond_wait(cond, &e->lock);
        return;
    }
    struct timespec moment = rk_cond_in(until_ns - now_ns);
    e->watch_ns = until_ns;
    rk_cond_wait_until(cond, &e->lock, &moment);
    if (e->watch_ns == until_ns)
        e->watch_ns = 0;
}

/* Until somebody makes it a seeker again, or it sees why it should be one. */
static void sleep(rk_executor *e)
{
    rk_chaos();
    pthread_mutex_lock(&e->lock);
    rk_add_seq_cst(&e->sleepers, 1);
    rk_sub_seq_cst(&e->seekers, 1);
    while (!e->woken && !rk_executor_backlog(e) && !rk_load_relaxed(&e->closed))
        wait_at(e, &e->work);
    if (e->woken) {
        e->woken--;
    } else {
        rk_add_seq_cst(&e->seekers, 1);
        rk_sub_seq_cst(&e->sleepers, 1);
    }
    pthread_mutex_unlock(&e->lock);
}

/* Who submits needs memory all the time, and has least time. */
static bool prepare(rk_executor *e)
{
    bool any = false;
    for (size_t i = 0; i < RK_SLABS; i++)
        any |= rk_slabs_prepare(&e->slabs[i]);
    return any;
}

void rk_executor_sleep(rk_executor *e)
{
    if (prepare(e))
        return;
    if (rk_circles_in_doubt(&e->circles))
        rk_circles_settle(&e->circles);
    bool enough = 2 * rk_add_seq_cst(&e->seekers, 1) >= e->bench_count; /* look already */
    if (enough || !seek(e))
        sleep(e);
    /* Nobody was woken for what came while this one looked, and it takes but one. */
    if (rk_sub_seq_cst(&e->seekers, 1) == 1 && rk_executor_backlog(e) > 1 && rk_load_seq_cst(&e->sleepers))
        wake_one(e);
    if (rk_load_seq_cst(&e->resting.next_ns) && !has_due(e))
        set_watch(e);
}

void rk_executor_sleep_io(rk_executor *e)
{
    pthread_mutex_lock(&e->lock);
    e->io_sleepers++;
    if (!e->io_waiting && !rk_load_relaxed(&e->closed))
        wait_at(e, &e->io);
    e->io_sleepers--;
    pthread_mutex_unlock(&e->lock);
    if (rk_load_seq_cst(&e->resting.next_ns) && !has_due(e))
        set_watch(e);
}

void rk_executor_note_apart(rk_executor *e, uint32_t worker, rask_future *future)
{
    rk_bench *bench = &e->benches[worker];
    pthread_mutex_lock(&bench->lock);
    bench->apart = future;
    if (future && rk_load_relaxed(&e->env.stop))
        rask_cancel(&future->cancel);
    pthread_mutex_unlock(&bench->lock);
}

static void cancel_apart(rk_executor *e)
{
    for (uint32_t i = 0; i < e->bench_count; i++) {
        pthread_mutex_lock(&e->benches[i].lock);
        if (e->benches[i].apart)
            rask_cancel(&e->benches[i].apart->cancel);
        pthread_mutex_unlock(&e->benches[i].lock);
    }
}

void rk_executor_close(rk_executor *e)
{
    rk_env_stop(&e->env, RASK_ECANCELLED);
    cancel_apart(e);
    pthread_mutex_lock(&e->lock);
    rk_store_release(&e->closed, true);
    pthread_cond_broadcast(&e->work);
    pthread_cond_broadcast(&e->io);
    pthread_mutex_unlock(&e->lock);
    rk_circles_close(&e->circles);
}

/* -- Who waits for futures */

static void tell(rk_executor *e)
{
    pthread_mutex_lock(&e->done_lock);
    pthread_cond_broadcast(&e->done);
    pthread_mutex_unlock(&e->done_lock);
}

/* What has ended is read before what was made: nothing that came in between is missed. */
static bool is_drained(void *executor)
{
    const rk_executor *e = executor;
    uint64_t ended = rk_load_seq_cst(&e->tally.ended);
    for (uint32_t i = 0; i < e->bench_count; i++)
        ended += rk_load_seq_cst(&e->benches[i].tally.ended);
    uint64_t made = rk_load_seq_cst(&e->tally.made);
    for (uint32_t i = 0; i < e->bench_count; i++)
        made += rk_load_seq_cst(&e->benches[i].tally.made);
    return ended == made;
}

void rk_executor_note_end(rk_executor *e, bool watched)
{
    rk_add_seq_cst(&own_tally(e)->ended, 1);
    bool matters = rk_load_seq_cst(&e->drain_watched) || rk_meet_keeps(&e->meetings);
    bool drained = matters && is_drained(e);
    if (drained)
        rk_meet_keep_none(&e->meetings);
    if (watched || drained)
        tell(e);
}

/* A little while awake, since a short task is done sooner than anybody is woken. */
static bool spin(const rk_awaited *awaited)
{
    uint64_t start = rk_clock_now();
    do {
        for (int i = 0; i < LOOKS; i++) {
            if (awaited->holds(awaited->what))
                return true;
            rk_relax();
        }
        sched_yield();
    } while (rk_clock_now() - start < SPIN_NS);
    return false;
}

/* How long to sleep at most. */
static uint64_t patience(uint64_t deadline_ns, bool shortly)
{
    uint64_t now = rk_clock_now(), most = shortly ? NAP_NS : MOST_ASLEEP_NS;
    uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
    return deadline_ns && left < most ? left : most;
}

/* Until something is done that is watched, or so long. */
static void watch(rk_executor *e, const rk_awaited *awaited, uint64_t most_ns)
{
    struct timespec moment = rk_cond_in(most_ns);
    pthread_mutex_lock(&e->done_lock);
    if (awaited->watch)
        awaited->watch(awaited->what);
    rk_add_relaxed(&e->watching, 1);
    if (!awaited->holds(awaited->what))
        rk_cond_wait_until(&e->done, &e->done_lock, &moment);
    rk_sub_relaxed(&e->watching, 1);
    pthread_mutex_unlock(&e->done_lock);
}

static bool may_help(const rk_executor *e)
{
    return here.executor == e || e->run_some;
}

bool rk_executor_help(rk_executor *e, const rk_awaited *awaited, uint64_t deadline_ns)
{
    timely t = {awaited, deadline_ns};
    rk_awaited in_time = {.holds = is_time, .what = &t};
    const rk_awaited *until = deadline_ns ? &in_time : awaited;
    if (here.executor != e)
        return e->run_some && e->run_some(e->context, until);
    if (here.worker == RK_NO_WORKER)
        return rk_executor_run_io(e, here.number);
    return rk_executor_run_on(e, here.worker, until);
}

/* Others' tasks in place of the one that waits. False: there is none. */
static bool help(rk_executor *e, const rk_awaited *awaited, uint64_t deadline_ns)
{
    if (awaited->several)
        return rk_several_help(awaited->several, awaited, deadline_ns);
    return rk_executor_help(e, awaited, deadline_ns);
}

bool rk_executor_await(rk_executor *e, const rk_awaited *awaited, uint64_t deadline_ns)
{
    bool helps = awaited->several || may_help(e);
    if (awaited->holds(awaited->what))
        return true;
    const rk_holding *paused = rk_holding_pause();
    while (!awaited->holds(awaited->what) && !is_late(deadline_ns)) {
        if (help(e, awaited, deadline_ns))
            continue;
        if (rk_circles_in_doubt(&e->circles))
            rk_circles_settle(&e->circles);
        if (!spin(awaited))
            watch(e, awaited, patience(deadline_ns, awaited->shortly || helps));
    }
    rk_holding_resume(paused);
    return awaited->holds(awaited->what);
}

static bool is_done(void *future)
{
    return rk_load_seq_cst(&((rask_future *)future)->state) == RK_FUTURE_DONE;
}

static void watch_future(void *future)
{
    rk_store_seq_cst(&((rask_future *)future)->watched, true);
}

rk_awaited rk_awaited_future(rask_future *future)
{
    return (rk_awaited){.holds = is_done, .watch = watch_future, .what = future};
}

bool rk_executor_wait(rk_executor *e, rask_future *future, uint64_t deadline_ns)
{
    rk_awaited awaited = rk_awaited_future(future);
    return is_done(future) || rk_executor_await(e, &awaited, deadline_ns);
}

static void watch_drain(void *executor)
{
    rk_store_seq_cst(&((rk_executor *)executor)->drain_watched, true);
}

bool rk_executor_drain(rk_executor *e, uint64_t deadline_ns)
{
    rk_awaited awaited = {.holds = is_drained, .watch = watch_drain, .what = e};
    return rk_executor_await(e, &awaited, deadline_ns);
}

void rk_executor_settle(rk_executor *e, rask_future *future)
{
    rk_executor_wait(e, future, 0);
    while (rk_executor_has_work(e) || rk_resting_any(&e->resting))
        if (!rk_executor_help(e, NULL, 0))
            rk_clock_sleep(NAP_NS);
}
