/* The threads behind the threads scheduler: created when first needed, kept, and joined when the program or
 * the library ends. There are two kinds, both moving between sessions:
 *
 *   workers  sit down in a session that has work and a free seat; asleep when there is none
 *   lanes    execute I/O units; asleep when there is none. A lane that waits for a disk costs no core.
 *
 * Sleeping (see threads.c for the other side). A worker counts itself in sleepers, then looks at every
 * session, and only then waits, all under the lock; whoever makes work visible looks at sleepers afterwards.
 * One sleeping worker, the sentinel, waits with a timeout while there are sessions, because wake-ups may be
 * held back by wrong estimates. An owner without work waits for its own session only, with owner_parked in
 * the place of sleepers, and looks around now and then, too.
 *
 * After fork() the child has none of these threads: it starts with an empty pool. A fork waits for threads that
 * are on their way: they are within the system's libraries, and their locks (an allocator's under a sanitizer)
 * would stay taken in the child. */
#include "schedulers/threads.h"

#include "core/base/clock.h"
#include "core/base/cond.h"
#include "core/base/fence.h"
#include "core/base/forks.h"
#include "schedulers/growth.h"

#include <assert.h>
#include <string.h>

enum {
    GATHER_NS = 200000,
    SENTINEL_LEAST_NS = 2000000,
    SENTINEL_MOST_NS = 16000000,
    HELP_NS = 50000,
    STACK_BYTES = 8 << 20
};

typedef struct thread {
    pthread_t id;
    struct thread *next;
} thread;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work, io, arrival;
    rk_session *sessions;
    thread *threads;
    rk_atomic_u32 sleepers; /* workers */
    rk_atomic_u32 workers;
    rk_atomic_bool sentinel; /* somebody looks around on his own */
    rk_atomic_bool refused;  /* the system gave no worker: nobody asks again before the next run */
    uint32_t lanes, idle_lanes, lanes_numbered;
    uint32_t lanes_wanted; /* the most that all sessions together can use */
    uint32_t arriving;     /* threads that were created and did not run yet */
    uint32_t io_waiting;   /* I/O units of all sessions that no lane has taken */
    bool lanes_short;      /* the last time one was wanted there was none to be had */
    bool ending;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void lock(void)
{
    rk_chaos();
    pthread_mutex_lock(&pool.lock);
}

static void unlock(void)
{
    pthread_mutex_unlock(&pool.lock);
    rk_chaos();
}

static void before_fork(void)
{
    pthread_mutex_lock(&pool.lock);
    while (pool.arriving)
        pthread_cond_wait(&pool.arrival, &pool.lock);
}

static void after_fork_parent(void)
{
    pthread_mutex_unlock(&pool.lock);
}

/* The parent's threads and sessions are not here; what they held is left alone. */
static void after_fork_child(void)
{
    rk_mutex_renew(&pool.lock);
    rk_cond_init(&pool.work);
    rk_cond_init(&pool.io);
    rk_cond_init(&pool.arrival);
    pool.sessions = NULL;
    pool.threads = NULL;
    rk_store_relaxed(&pool.sleepers, 0);
    rk_store_relaxed(&pool.workers, 0);
    rk_store_relaxed(&pool.sentinel, false);
    rk_store_relaxed(&pool.refused, false);
    pool.lanes = pool.idle_lanes = pool.lanes_numbered = pool.lanes_wanted = pool.io_waiting = 0;
    pool.lanes_short = pool.ending = false;
}

/* Under the lock. False when the system gives no thread: fewer must do. */
static bool spawn(void *(*body)(void *))
{
    thread *t = pool.ending ? NULL : rk_alloc(sizeof *t);
    if (!t)
        return false;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int error = pthread_create(&t->id, &attributes, body, NULL);
    pthread_attr_destroy(&attributes);
    if (error) {
        rk_free(t);
        return false;
    }
    pool.arriving++;
    t->next = pool.threads;
    pool.threads = t;
    return true;
}

/* Under the lock, by a new thread. */
static void arrive(void)
{
    if (!--pool.arriving)
        pthread_cond_broadcast(&pool.arrival);
}

/* Under the lock, of a session whose guest goes. */
static void guest_leaves(rk_session *session)
{
    if (!--session->guests)
        pthread_cond_signal(&session->owner_wake);
}

/* Under the lock: a free seat in a session with work, taken; NULL when there is none. */
static rk_seat *find_seat(rk_session **session)
{
    for (rk_session *s = pool.sessions; s; s = s->next) {
        if (s->seat_count < 2 || !rk_session_has_work(s))
            continue;
        for (uint32_t i = 1; i < s->seat_count; i++)
            if (!s->seats[i].taken) {
                s->seats[i].taken = true;
                s->guests++;
                *session = s;
                return &s->seats[i];
            }
    }
    return NULL;
}

/* The lock is free while the thread works. */
static uint64_t visit(rk_session *session, rk_seat *seat)
{
    unlock();
    uint64_t start = rk_clock_now();
    uint64_t units = rk_session_work(session, seat);
    rk_session_judge_wake(session, units, rk_clock_now() - start);
    lock();
    seat->taken = false;
    guest_leaves(session);
    return units;
}

/* Under the lock: a session whose tasks grew more than who sits there can run; NULL when there is none. */
static rk_session *find_growth(void)
{
    for (rk_session *s = pool.sessions; s; s = s->next)
        if (s->seat_count + s->helpers < s->run->options.workers && rk_growth_has_work(s->run)) {
            s->guests++;
            s->helpers++;
            return s;
        }
    return NULL;
}

/* The lock is free while the thread works. */
static void help(rk_session *session)
{
    static _Thread_local uint32_t own; /* one more than its number among the threads that have no seat */
    if (!own)
        own = ++pool.lanes_numbered;
    uint32_t number = session->run->options.workers + own - 1;
    unlock();
    uint64_t mark = rk_clock_now();
    while (!rk_session_is_done(session) && rk_clock_now() - mark < HELP_NS)
        if (rk_growth_help(session->run, number))
            mark = rk_clock_now();
        else
            rk_relax();
    lock();
    session->helpers--;
    guest_leaves(session);
}

void rk_pool_share(rk_session *session)
{
    lock();
    assert(rk_load_relaxed(&session->phase) == RK_BREAKING);
    rk_store_seq_cst(&session->phase, RK_SHARED);
    unlock();
}

static bool is_gathering(const rk_session *session)
{
    return rk_load_relaxed(&session->phase) == RK_GATHERING;
}

/* Under the lock. */
static void give_up_gathering(rk_session *session)
{
    rk_session_distrust(session);
    rk_store_seq_cst(&session->phase, RK_SHARED);
}

bool rk_pool_gather(rk_session *session)
{
    struct timespec until = rk_cond_in(GATHER_NS);
    bool in_time = true;
    lock();
    while (is_gathering(session) && session->guests && in_time)
        in_time = rk_cond_wait_until(&session->owner_wake, &pool.lock, &until);
    bool away = rk_load_seq_cst(&session->away);
    bool alone = is_gathering(session) && !session->guests && !away && !rk_session_has_work(session);
    if (is_gathering(session) && (session->guests || away))
        give_up_gathering(session);
    if (alone) {
        uint32_t cursor = rk_load_relaxed(&session->cursor), units = session->run->plan->units;
        rk_store_relaxed(&session->position, cursor < units ? cursor : units);
        rk_store_relaxed(&session->broken, false);
        session->seen_position = UINT32_MAX;
        rk_store_seq_cst(&session->phase, RK_BURST);
    }
    unlock();
    return alone;
}

bool rk_pool_end_burst(rk_session *session)
{
    lock();
    bool mine = rk_load_relaxed(&session->phase) == RK_BURST;
    if (mine)
        rk_store_seq_cst(&session->phase, RK_BREAKING);
    unlock();
    return mine;
}

/* Under the lock: neither the burst nor the gathering of a session has moved since the sentinel's last look:
 * the owner is in a long unit. */
static bool stands_still(rk_session *s)
{
    uint32_t phase = rk_load_relaxed(&s->phase);
    if (phase != RK_BURST && phase != RK_GATHERING)
        return false;
    uint32_t seen = s->seen_position;
    s->seen_position = rk_load_relaxed(phase == RK_BURST ? &s->position : &s->cursor);
    return s->seen_position == seen;
}

/* Under the lock, by the sentinel: a session that stands still is shared again. True when there was one. */
static bool break_bursts(void)
{
    for (rk_session *s = pool.sessions; s; s = s->next) {
        if (!stands_still(s))
            continue;
        if (is_gathering(s)) {
            give_up_gathering(s);
            return true;
        }
        rk_store_seq_cst(&s->phase, RK_BREAKING);
        s->guests++;
        unlock();
        rk_burst_break(s);
        lock();
        guest_leaves(s);
        return true;
    }
    return false;
}

static bool any_burst(void)
{
    for (rk_session *s = pool.sessions; s; s = s->next)
        if (rk_load_relaxed(&s->phase) == RK_BURST || is_gathering(s))
            return true;
    return false;
}

/* Under the lock. rest_ns: how long a sentinel sleeps before it looks around. */
static void sleep_worker(uint64_t *rest_ns)
{
    if (rk_load_relaxed(&pool.sentinel) || !pool.sessions) {
        pthread_cond_wait(&pool.work, &pool.lock);
        *rest_ns = SENTINEL_LEAST_NS;
        return;
    }
    struct timespec until = rk_cond_in(*rest_ns);
    rk_store_relaxed(&pool.sentinel, true);
    bool looks = !rk_cond_wait_until(&pool.work, &pool.lock, &until);
    rk_store_relaxed(&pool.sentinel, false);
    if (!looks || break_bursts() || any_burst())
        *rest_ns = SENTINEL_LEAST_NS;
    else if (*rest_ns < SENTINEL_MOST_NS)
        *rest_ns *= 2;
}

static void *worker_body(void *unused);

/* Under the lock: somebody who could run what tasks of the session grew. */
static void wake_for_growth(const rk_session *session)
{
    if (rk_load_relaxed(&pool.sleepers))
        pthread_cond_signal(&pool.work);
    else if (rk_load_relaxed(&pool.workers) + 1 < session->run->options.workers &&
             !rk_load_relaxed(&pool.refused) && spawn(worker_body))
        rk_add_relaxed(&pool.workers, 1);
}

static void *worker_body(void *unused)
{
    uint64_t rest_ns = SENTINEL_LEAST_NS;
    rk_session *session;
    lock();
    arrive();
    while (!pool.ending) {
        rk_add_seq_cst(&pool.sleepers, 1);
        rk_seat *seat = find_seat(&session);
        rk_session *growing = seat ? NULL : find_growth();
        if (!seat && !growing)
            sleep_worker(&rest_ns);
        rk_sub_seq_cst(&pool.sleepers, 1);
        if ((seat || growing) && rk_growth_has_more(seat ? session->run : growing->run))
            wake_for_growth(seat ? session : growing);
        if (growing)
            help(growing);
        if (!seat)
            continue;
        if (!rk_load_relaxed(&pool.sentinel) && rk_load_relaxed(&pool.sleepers))
            pthread_cond_signal(&pool.work); /* somebody else is the sentinel now */
        rest_ns = SENTINEL_LEAST_NS;
        visit(session, seat);
    }
    unlock();
    return unused;
}

/* One more worker could be of use, and may be had. */
static bool may_grow(const rk_session *session)
{
    return rk_load_relaxed(&pool.workers) + 1 < session->seat_count && !rk_load_relaxed(&pool.refused);
}

bool rk_pool_may_wake(const rk_session *session)
{
    return rk_load_seq_cst(&pool.sleepers) || rk_load_seq_cst(&session->owner_parked) || may_grow(session);
}

bool rk_pool_has_sentinel(void)
{
    return rk_load_relaxed(&pool.sentinel);
}

void rk_pool_wake(rk_session *session)
{
    lock();
    if (rk_load_relaxed(&session->owner_parked))
        pthread_cond_signal(&session->owner_wake);
    else if (rk_load_relaxed(&pool.sleepers))
        pthread_cond_signal(&pool.work);
    else if (may_grow(session) && spawn(worker_body))
        rk_add_relaxed(&pool.workers, 1);
    else if (may_grow(session))
        rk_store_relaxed(&pool.refused, true);
    unlock();
}

/* Nobody counts what this costs: what tasks grow is seldom as short as what is wanted is. One is woken, however much there is: who comes
 * wakes the next. */
void rk_pool_wake_for_growth(rk_session *session)
{
    bool parked = rk_load_seq_cst(&session->owner_parked); /* its tasks are put off */
    if (!parked && !rk_load_seq_cst(&pool.sleepers) &&
        (rk_load_relaxed(&pool.workers) + 1 >= session->run->options.workers ||
         rk_load_relaxed(&pool.refused)))
        return;
    lock();
    if (rk_load_relaxed(&session->owner_parked))
        pthread_cond_signal(&session->owner_wake);
    else
        wake_for_growth(session);
    unlock();
}

void rk_pool_wake_owner(rk_session *session)
{
    lock();
    pthread_cond_signal(&session->owner_wake);
    unlock();
}

void rk_pool_push_injected(rk_session *session, uint32_t unit)
{
    lock();
    rk_store_relaxed(&session->run->join[unit], rk_load_relaxed(&session->injected));
    rk_store_seq_cst(&session->injected, unit);
    unlock();
    if (rk_pool_may_wake(session))
        rk_pool_wake(session);
}

uint32_t rk_pool_pop_injected(rk_session *session)
{
    if (rk_load_relaxed(&session->injected) == RK_NO_UNIT)
        return RK_NO_UNIT;
    lock();
    uint32_t unit = rk_load_relaxed(&session->injected);
    if (unit != RK_NO_UNIT)
        rk_store_relaxed(&session->injected, rk_load_relaxed(&session->run->join[unit]));
    unlock();
    return unit;
}

void rk_pool_push_rest(rk_session *session, uint32_t unit, uint64_t due_ns)
{
    lock();
    bool pushed = !rk_heap_push(&session->rests, RK_NO_PLACES, due_ns, unit);
    rk_store_seq_cst(&session->next_due_ns, rk_heap_least(&session->rests));
    unlock();
    if (!pushed)
        rk_pool_push_injected(session, unit);
}

uint32_t rk_pool_pop_due(rk_session *session)
{
    if (!rk_session_has_due(session))
        return RK_NO_UNIT;
    lock();
    bool due = rk_session_has_due(session);
    uint32_t unit = due ? rk_heap_pop(&session->rests, RK_NO_PLACES) : RK_NO_UNIT;
    rk_store_seq_cst(&session->next_due_ns, rk_heap_least(&session->rests));
    unlock();
    return unit;
}

/* Under the lock: the I/O unit that has been ready for the longest, or RK_NO_UNIT. */
static uint32_t pop_io(rk_session *session)
{
    uint32_t unit = session->io_first;
    if (unit == RK_NO_UNIT || session->io_running >= session->run->options.io_lanes)
        return RK_NO_UNIT;
    session->io_first = unit == session->io_last ? RK_NO_UNIT : rk_load_relaxed(&session->run->join[unit]);
    session->io_running++;
    pool.io_waiting--;
    return unit;
}

/* The lock is free while the unit runs. */
static void run_io(rk_session *session, uint32_t unit, uint32_t number)
{
    unlock();
    rk_worker worker;
    rk_worker_init(&worker, session->run, number);
    worker.lane =
        number >= session->run->options.workers; /* else it is the owner, without a lane to be had */
    bool over = rk_session_run_unit(session, &worker, unit);
    rk_worker_fini(&worker);
    if (over)
        rk_session_release_from_lane(session, unit);
    lock();
    session->io_running--;
    if (session->io_first != RK_NO_UNIT && pool.idle_lanes)
        pthread_cond_signal(&pool.io);
}

/* Under the lock: an I/O unit of any session. */
static uint32_t find_io(rk_session **session)
{
    for (rk_session *s = pool.sessions; s; s = s->next) {
        uint32_t unit = pop_io(s);
        if (unit == RK_NO_UNIT)
            continue;
        s->guests++;
        *session = s;
        return unit;
    }
    return RK_NO_UNIT;
}

static void *lane_body(void *unused)
{
    rk_session *session;
    lock();
    arrive();
    uint32_t number = pool.lanes_numbered++;
    while (!pool.ending) {
        uint32_t unit = find_io(&session);
        if (unit == RK_NO_UNIT) {
            pool.idle_lanes++;
            pthread_cond_wait(&pool.io, &pool.lock);
            pool.idle_lanes--;
            continue;
        }
        run_io(session, unit, session->run->options.workers + number);
        guest_leaves(session);
    }
    unlock();
    return unused;
}

/* Under the lock. */
static void add_lane(rk_session *session)
{
    pool.lanes_short = pool.lanes >= RK_MAX_LANES || !spawn(lane_body);
    if (pool.lanes_short)
        pthread_cond_signal(&session->owner_wake);
    else
        pool.lanes++;
}

void rk_pool_push_io(rk_session *session, uint32_t unit)
{
    lock();
    if (session->io_first == RK_NO_UNIT)
        session->io_first = unit;
    else
        rk_store_relaxed(&session->run->join[session->io_last], unit);
    session->io_last = unit;
    pool.io_waiting++;
    if (session->io_running < session->run->options.io_lanes) {
        if (pool.idle_lanes)
            pthread_cond_signal(&pool.io);
        if (pool.idle_lanes < pool.io_waiting && pool.lanes < pool.lanes_wanted)
            add_lane(session);
    }
    unlock();
}

/* Under the lock: an I/O unit that no lane may ever take, since no more can be had and those there are may
 * all be waiting for this very session. */
static uint32_t pop_stranded_io(rk_session *session)
{
    return pool.lanes_short && !pool.idle_lanes ? pop_io(session) : RK_NO_UNIT;
}

/* Under the lock. */
static void run_stranded(rk_session *session, uint32_t unit)
{
    rk_store_seq_cst(&session->owner_parked, false);
    run_io(session, unit, 0);
    rk_store_seq_cst(&session->owner_parked, true);
}

void rk_pool_park_owner(rk_session *session)
{
    uint64_t rest_ns = SENTINEL_LEAST_NS;
    lock();
    rk_store_seq_cst(&session->owner_parked, true);
    while (!rk_load_acquire(&session->done) && !rk_session_has_work(session)) {
        uint32_t unit = pop_stranded_io(session);
        struct timespec until = rk_cond_in(rest_ns);
        if (unit != RK_NO_UNIT)
            run_stranded(session, unit);
        else if (!rk_cond_wait_until(&session->owner_wake, &pool.lock, &until) && rest_ns < SENTINEL_MOST_NS)
            rest_ns *= 2;
    }
    rk_store_seq_cst(&session->owner_parked, false);
    if (rk_growth_has_more(session->run))
        wake_for_growth(session);
    unlock();
}

static void begin(void)
{
    rk_fence_init();
    rk_cond_init(&pool.work);
    rk_cond_init(&pool.io);
    rk_cond_init(&pool.arrival);
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

void rk_pool_enter(rk_session *session)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin);
    rk_cond_init(&session->owner_wake);
    session->seats[0].taken = true;
    lock();
    pool.lanes_wanted += session->run->options.io_lanes;
    rk_store_relaxed(&pool.refused, false);
    session->next = pool.sessions;
    if (pool.sessions)
        pool.sessions->previous = session;
    pool.sessions = session;
    unlock();
    if (session->run->plan->root_count > 1 && session->seat_count > 1 && rk_pool_may_wake(session))
        rk_pool_wake(session);
}

void rk_pool_leave(rk_session *session)
{
    lock();
    pool.lanes_wanted -= session->run->options.io_lanes;
    if (session->previous)
        session->previous->next = session->next;
    else
        pool.sessions = session->next;
    if (session->next)
        session->next->previous = session->previous;
    while (session->guests)
        pthread_cond_wait(&session->owner_wake, &pool.lock);
    unlock();
    pthread_cond_destroy(&session->owner_wake);
}

/* With sessions still open (exit() called by a task, or by another thread) the threads are left to the
 * system. */
__attribute__((destructor)) static void end(void)
{
    lock();
    bool idle = !pool.sessions;
    pool.ending = idle;
    if (pool.threads) {
        pthread_cond_broadcast(&pool.work);
        pthread_cond_broadcast(&pool.io);
    }
    thread *threads = idle ? pool.threads : NULL;
    if (idle) {
        pool.threads = NULL;
        pool.lanes = 0;
        rk_store_relaxed(&pool.workers, 0);
    }
    unlock();
    while (threads) {
        thread *next = threads->next;
        pthread_join(threads->id, NULL);
        rk_free(threads);
        threads = next;
    }
}
