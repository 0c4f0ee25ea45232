/* Clients: an executor, and the threads that work for it.
 *
 * Workers sleep in the executor. Lanes, threads for I/O, are created as they are needed. A keeper, created with the first
 * deadline, ends what is out of time. On serial there are none: whoever submits, or waits, runs what is ready, one thread at a time,
 * and what rests when it is due. On processes workers have their tasks executed elsewhere (apart.h). */
#include "schedulers/futures/client.h"

#include "core/base/clock.h"
#include "core/base/cond.h"
#include "schedulers/futures/apart.h"
#include "schedulers/futures/notice.h"
#include "schedulers/shown.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#    include <sys/eventfd.h>
#endif

enum { LOOK_NS = 1000000000 };

static _Thread_local char why[RK_MAX_MESSAGE + 1]; /* this thread could not open a client */

typedef struct helper {
    pthread_t id;
    rask_client *client;
    uint32_t number;
    struct helper *next;
} helper;

/* A submission that is done, for who asks for the next. */
typedef struct finding {
    rask_client *client;
    rask_future *future; /* referenced */
    struct finding *next;
} finding;

struct rask_client {
    rk_executor *executor;
    helper *workers;
    uint32_t worker_count;
    _Atomic(const void *) busy; /* serial: the thread that runs what is ready (own_mark); NULL: none does */
    bool serial;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t came_up;
    uint32_t up; /* workers that have come up, where that takes a fork */
    helper *lanes;
    uint32_t lane_count;
    pthread_cond_t timers_changed;
    rk_ranking timers; /* by deadline; referenced */
    helper keeper;
    bool has_keeper, closing;
    int fd;
    rk_atomic_bool remembers;
    finding *first_done, *last_done;
    rk_shown shown; /* outside of the lock: from open to close */
};

/* -- Threads */

/* Its process is forked while all others sleep (see wait_for_workers()). */
static void come_up(rask_client *client)
{
    rk_apart_begin(client->executor);
    pthread_mutex_lock(&client->lock);
    client->up++;
    pthread_cond_signal(&client->came_up);
    pthread_mutex_unlock(&client->lock);
}

static void *work(void *context)
{
    helper *self = context;
    rk_executor *e = self->client->executor;
    rk_executor_sit((rk_place){e, self->number, self->number, false});
    if (e->call_apart)
        come_up(self->client);
    while (!rk_load_acquire(&e->closed))
        if (!rk_executor_run_on(e, self->number, NULL))
            rk_executor_sleep(e);
    return NULL;
}

static void *work_in_lane(void *context)
{
    helper *self = context;
    rk_executor *e = self->client->executor;
    uint32_t number = e->bench_count + self->number;
    rk_executor_sit((rk_place){e, RK_NO_WORKER, number, true});
    while (!rk_load_acquire(&e->closed))
        if (!rk_executor_run_io(e, number))
            rk_executor_sleep_io(e);
    return NULL;
}

/* One more lane, when there may be: else one of those that there are comes. */
static void want_lane(void *context)
{
    rask_client *client = context;
    pthread_mutex_lock(&client->lock);
    helper *lane = !client->closing && client->lane_count < client->executor->options.io_lanes
                       ? rk_calloc(1, sizeof *lane)
                       : NULL;
    if (lane) {
        *lane = (helper){.client = client, .number = client->lane_count, .next = client->lanes};
        if (pthread_create(&lane->id, NULL, work_in_lane, lane)) {
            rk_free(lane);
        } else {
            client->lanes = lane;
            client->lane_count++;
        }
    }
    bool none = !client->lane_count;
    pthread_mutex_unlock(&client->lock);
    if (none)
        rk_executor_run_io(client->executor, client->executor->bench_count);
}

/* -- Deadlines */

static void expire(rask_future *future)
{
    rk_endings endings = {0};
    rk_future_abort(future, RASK_ETIMEDOUT, "its deadline passed", &endings);
    rk_futures_end(&endings);
}

/* Under the lock. The first deadline that has passed, for the caller to unref; NULL: until when to sleep. */
static rask_future *pop_late(rask_client *client, uint64_t *sleep_ns)
{
    rk_ranked first = rk_ranking_first(&client->timers);
    uint64_t now = rk_clock_now();
    if (first.future && (uint64_t)first.key <= now)
        return rk_ranking_pop(&client->timers);
    *sleep_ns = first.future && (uint64_t)first.key - now < LOOK_NS ? (uint64_t)first.key - now : LOOK_NS;
    return NULL;
}

/* Under the lock: results are not held for deadlines that are far. */
static void forget_done(rask_client *client)
{
    size_t count = client->timers.items.count;
    rask_future **done = count ? rk_alloc_array(count, sizeof(rask_future *)) : NULL;
    if (!done)
        return;
    count = rk_ranking_take_done(&client->timers, done);
    pthread_mutex_unlock(&client->lock);
    for (size_t i = 0; i < count; i++)
        rask_future_unref(done[i]);
    rk_free(done);
    pthread_mutex_lock(&client->lock);
}

static void *keep_time(void *context)
{
    rask_client *client = context;
    uint64_t sleep_ns = 0, swept_ns = rk_clock_now();
    pthread_mutex_lock(&client->lock);
    while (!client->closing) {
        rask_future *late = pop_late(client, &sleep_ns);
        if (!late) {
            struct timespec moment = rk_cond_in(sleep_ns);
            rk_cond_wait_until(&client->timers_changed, &client->lock, &moment);
            if (rk_clock_now() - swept_ns >= LOOK_NS) {
                forget_done(client);
                swept_ns = rk_clock_now();
            }
            continue;
        }
        pthread_mutex_unlock(&client->lock);
        expire(late);
        rask_future_unref(late);
        pthread_mutex_lock(&client->lock);
    }
    pthread_mutex_unlock(&client->lock);
    return NULL;
}
/* RASK_ENOMEM, RASK_ESYSTEM: there is nobody to keep it. */
static int set_deadline(rask_client *client, rask_future *future, uint64_t deadline_ns)
{
    int status = RASK_OK;
    pthread_mutex_lock(&client->lock);
    if (!client->has_keeper)
        client->has_keeper = !pthread_create(&client->keeper.id, NULL, keep_time, client);
    if (!client->has_keeper)
        status = RASK_ESYSTEM;
    else if (!rk_ranking_push(&client->timers, (int64_t)deadline_ns, rask_future_ref(future)))
        status = RASK_ENOMEM;
    pthread_cond_signal(&client->timers_changed);
    pthread_mutex_unlock(&client->lock);
    if (status == RASK_ENOMEM)
        rask_future_unref(future);
    return status;
}

/* -- Those that are done */

static void ring(rask_client *client)
{
    uint64_t one = 1;
    if (client->fd >= 0 && write(client->fd, &one, sizeof one) < 0)
        return; /* full: it is readable already */
}

static void remember(void *context, rask_future *future)
{
    finding *f = context;
    rask_client *client = f->client;
    f->future = rask_future_ref(future);
    pthread_mutex_lock(&client->lock);
    bool first = !client->first_done;
    *(first ? &client->first_done : &client->last_done->next) = f;
    client->last_done = f;
    if (first)
        ring(client);
    pthread_mutex_unlock(&client->lock);
}

/* Without memory it is forgotten. */
static void remember_later(rask_client *client, rask_future *future)
{
    finding *f = rk_alloc(sizeof *f);
    if (!f)
        return;
    *f = (finding){.client = client};
    if (rask_future_on_done(future, remember, f))
        rk_free(f);
}

rask_future *rask_client_next(rask_client *client)
{
    uint64_t rung;
    if (!client)
        return NULL;
    pthread_mutex_lock(&client->lock);
    finding *f = client->first_done;
    if (f && !(client->first_done = f->next) && client->fd >= 0 && read(client->fd, &rung, sizeof rung) < 0)
        rung = 0;
    pthread_mutex_unlock(&client->lock);
    rask_future *future = f ? f->future : NULL;
    rk_free(f);
    return future;
}

int rask_client_fd(rask_client *client)
{
    if (!client)
        return -1;
    pthread_mutex_lock(&client->lock);
#ifdef __linux__
    if (client->fd < 0)
        client->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
#endif
    rk_store_release(&client->remembers, client->fd >= 0);
    int fd = client->fd;
    pthread_mutex_unlock(&client->lock);
    return fd;
}

/* -- Serial */

static _Thread_local const char own_mark; /* its address is the thread's */

/* What is ready, by whoever comes first: also within a task of it, though another client's task within that is what waits. */
static bool run_some(void *context, const rk_awaited *until)
{
    rask_client *client = context;
    rk_executor *e = client->executor;
    for (bool ran; rk_executor_has_work(e);) {
        const void *busy = NULL;
        if (!rk_cas_acq_rel(&client->busy, &busy, &own_mark) && busy != &own_mark)
            return false;
        rk_place before = rk_executor_sit((rk_place){e, 0, 0, false});
        ran = rk_executor_run_on(e, 0, until);
        rk_executor_sit(before);
        if (!busy)
            rk_store_seq_cst(&client->busy, NULL);
        if (ran)
            return true;
    }
    return false;
}

/* Within a task the one who runs that goes on afterwards. */
static void run_all(rask_client *client, rask_future *future)
{
    if (rk_executor_worker(client->executor) == RK_NO_WORKER)
        rk_executor_settle(client->executor, future);
}

/* -- Life */

static void join_all(rask_client *client)
{
    for (uint32_t i = 0; i < client->worker_count; i++)
        pthread_join(client->workers[i].id, NULL);
    for (helper *lane = client->lanes, *next; lane; lane = next) {
        next = lane->next;
        pthread_join(lane->id, NULL);
        rk_free(lane);
    }
    if (client->has_keeper)
        pthread_join(client->keeper.id, NULL);
}

static void forget_all(rask_client *client)
{
    rask_future *future;
    while ((future = rk_ranking_pop(&client->timers)))
        rask_future_unref(future);
    while ((future = rask_client_next(client)))
        rask_future_unref(future);
    rk_ranking_fini(&client->timers);
}

/* What waited fails, and with it what waits for that. */
static void empty(rk_executor *e)
{
    while (rk_executor_run_one(e, 0) || rk_executor_run_io(e, 0)) {
    }
    rk_meet_keep_none(&e->meetings);
}

void rask_client_close(rask_client *client)
{
    if (!client)
        return;
    pthread_mutex_lock(&client->lock);
    client->closing = true;
    pthread_cond_signal(&client->timers_changed);
    pthread_mutex_unlock(&client->lock);
    if (client->executor) {
        rk_executor_close(client->executor);
        join_all(client);
        empty(client->executor);
        rk_executor_drain(client->executor, 0); /* others may be about to end some */
        rk_store_finish(client->executor->store);
        rk_notice_end(client->executor);
        forget_all(client);
        rk_executor_unref(client->executor);
    }
    if (client->fd >= 0)
        close(client->fd);
    pthread_cond_destroy(&client->timers_changed);
    pthread_cond_destroy(&client->came_up);
    pthread_mutex_destroy(&client->lock);
    rk_free(client->workers);
    rk_shown_close(&client->shown);
    rk_free(client);
}

/* One worker after the other, before the program goes on: none is forked in the middle of what another thread does. */
static void wait_for_workers(rask_client *client)
{
    pthread_mutex_lock(&client->lock);
    while (client->executor->call_apart && client->up < client->worker_count)
        pthread_cond_wait(&client->came_up, &client->lock);
    pthread_mutex_unlock(&client->lock);
}

static int start_workers(rask_client *client)
{
    uint32_t count = client->serial ? 0 : client->executor->options.workers;
    client->workers = rk_calloc((size_t)count + 1, sizeof *client->workers);
    if (!client->workers)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        client->workers[i] = (helper){.client = client, .number = i};
        if (pthread_create(&client->workers[i].id, NULL, work, &client->workers[i]))
            return client->worker_count ? RASK_OK : RASK_ESYSTEM;
        client->worker_count++;
        wait_for_workers(client);
    }
    return RASK_OK;
}

static int open_with(rask_client *client, const rask_options *options)
{
    const rk_scheduler *scheduler = rk_scheduler_find(options->scheduler);
    client->serial = scheduler == &rk_serial;
    client->executor = rk_executor_new(options, options->workers, NULL, NULL);
    if (!client->executor)
        return RASK_ENOMEM;
    int status = scheduler->prepare ? scheduler->prepare(options, why, sizeof why) : RASK_OK;
    if (!status)
        status =
            rk_gate_new(options->limits ? options->limits : "", &client->executor->gate, why, sizeof why);
    if (status)
        return status;
    client->executor->context = client;
    client->executor->run_some = client->serial ? run_some : NULL;
    client->executor->want_lane = client->serial || scheduler->apart ? NULL : want_lane;
    rk_notice_begin(client->executor);
    client->executor->call_apart = scheduler->apart ? rk_apart_call : NULL;
    return start_workers(client);
}

static int open_resolved(rask_options *options, rask_client **out)
{
    rask_client *client = rk_calloc(1, sizeof *client);
    if (!client)
        return RASK_ENOMEM;
    client->fd = -1;
    client->timers = (rk_ranking)RK_RANKING;
    pthread_mutex_init(&client->lock, NULL);
    pthread_cond_init(&client->came_up, NULL);
    rk_cond_init(&client->timers_changed);
    int status = rk_shown_client(options, &client->shown, why, sizeof why);
    if (!status)
        status = open_with(client, options);
    if (status)
        rask_client_close(client);
    else
        *out = client;
    return status;
}

int rask_client_open(const rask_options *options, rask_client **out)
{
    rask_options resolved;
    *why = 0;
    int status = out ? rk_options_resolve(options, &resolved, why, sizeof why) : RASK_EINVAL;
    if (!status)
        status = open_resolved(&resolved, out);
    if (!status)
        *why = 0;
    else if (!*why)
        snprintf(why, sizeof why, "client: %s", out ? rask_status_text(status) : "no place for it");
    return status;
}

const char *rask_client_open_error(void)
{
    return why;
}

int rask_client_drain(rask_client *client, double seconds)
{
    if (!client)
        return RASK_EINVAL;
    return rk_executor_drain(client->executor, rk_deadline_in(seconds)) ? RASK_OK : RASK_ETIMEDOUT;
}

/* -- Submitting */

rask_future *rk_client_failed(rask_client *client, int status, const char *message)
{
    rask_future *future = rk_future_new(client->executor, &rk_list_def, 0, 0, 0);
    rk_endings endings = {0};
    if (!future)
        return NULL;
    rk_future_hold(future);
    future->flags |= RK_FUTURE_NO_TASK;
    rk_future_fail(future, RK_FUTURE_WAITING, status, message, NULL, &endings);
    rk_futures_end(&endings);
    return future;
}

static rask_future *submit(rask_client *client, rask_node *node, const rask_submission *how)
{
    rk_queue ready = {NULL, NULL};
    rask_future *future = rk_executor_sow(client->executor, node, NULL, how->priority, &ready);
    rk_executor_push_all(client->executor, &ready);
    if (!future)
        return NULL;
    uint64_t deadline_ns = how->deadline > 0 ? rk_deadline_in(how->deadline) : 0;
    int status = deadline_ns ? set_deadline(client, future, deadline_ns) : RASK_OK;
    if (status) {
        rask_future_cancel(future);
        rask_future_unref(future);
        return rk_client_failed(client, status, "submit: no memory, or no thread, to keep the deadline");
    }
    if (rk_load_acquire(&client->remembers))
        remember_later(client, future);
    if (client->serial)
        run_all(client, future);
    return future;
}

rask_future *rask_submit_with(rask_client *client, rask_node *node, const rask_submission *how)
{
    static const rask_submission plain = {.size = sizeof plain};
    how = how ? how : &plain;
    if (!client)
        return NULL;
    if (how->size < sizeof *how || !(how->deadline >= 0))
        return rk_client_failed(client, RASK_EINVAL,
                                "submit: a deadline that is negative or no number, or no size");
    if (!node)
        return rk_client_failed(client, RASK_EGRAPH, "submit: the node is NULL: it could not be built");
    if (node->graph->status)
        return rk_client_failed(client, node->graph->status, rask_graph_error(node->graph));
    return submit(client, node, how);
}

rask_future *rask_submit(rask_client *client, rask_node *node)
{
    return rask_submit_with(client, node, NULL);
}

rk_executor *rk_client_executor(rask_client *client)
{
    return client->executor;
}
