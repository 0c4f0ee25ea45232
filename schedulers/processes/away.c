/* What units grow, run by a client. */
#include "schedulers/processes/away.h"

#include "core/graph/wrap.h"
#include "schedulers/futures/client.h"
#include "schedulers/futures/executor.h"

#include <stdio.h>
#include <string.h>

/* A unit that is away. It belongs to the list of them until it is done and the hands have heard of it. */
typedef struct trip {
    rk_away *away;
    rask_node *node; /* what the unit came to, with a reference to its graph; NULL: it is submitted */
    rk_news news;    /* of the worker */
    rk_posted posted;
    rask_future *future;
    bool told; /* to end, since the run is being stopped */
    struct trip *next, *next_done;
} trip;

/* Large content of nodes that is used where their worker wrote it. */
typedef struct kept {
    rk_away *away;
    void *extent; /* referenced */
    struct kept *next, *previous, *next_released;
} kept;

/* What a unit came to that goes on with its next tasks. */
typedef struct middle {
    uint32_t unit;
    rk_parcel *parcel;
    struct middle *next;
} middle;

struct rk_away {
    rask_client *client;
    rk_executor *executor; /* the client's */
    rk_staff staff;        /* to the coordinator, a worker of its own */
    const rk_watch *watch;
    rk_shared_heap heap; /* of the last range */
    trip *trips;
    kept *kept;
    middle *middles;
    pthread_mutex_t lock; /* of what follows, that the hands have not heard of */
    trip *done;
    kept *released;
};

enum { MOST_AWAY = 1024 }; /* at once; others wait for their turn */

/* It is the last range. */
static uint32_t own_range(const rk_hands *h)
{
    return h->crew.workers + 1;
}

static rask_options options_of(const rk_hands *h)
{
    rask_options o = rk_options_within(&h->run->options);
    o.memory = rk_coordinator_get_home(h->coordinator, 0).budget / 2;
    return o;
}

/* They have the first numbers. */
static uint32_t count_seats(const rk_crew *crew)
{
    return crew->workers * (crew->threads + crew->lanes) + crew->here;
}

/* -- What is counted. All of it is the coordinator's, which counts what units take, and lends what futures wait for. */

static void ring(void *watch)
{
    rk_watch_ring(watch);
}

static bool shares_counts(const rk_hands *h)
{
    return h->run->limits;
}

static void return_spare(rk_hands *h, uint32_t *spare)
{
    rk_gate *gate = h->away->executor->gate;
    if (!rk_gate_remove_spare(gate, spare))
        return;
    for (uint32_t i = 0; i < rk_gate_counters(gate); i++)
        if (spare[i])
            rk_coordinator_give_back(h->coordinator, h->now, i, spare[i]);
}

static void borrow_wanted(rk_hands *h)
{
    rk_executor *executor = h->away->executor;
    uint32_t more[RK_MAX_LIMITS], all = 0;
    rk_gate_wanted(executor->gate, more);
    for (uint32_t i = 0; i < rk_gate_counters(executor->gate); i++) {
        more[i] = more[i] ? rk_coordinator_borrow(h->coordinator, h->now, i, more[i]) : 0;
        all |= more[i];
    }
    if (all)
        rk_executor_let_in(executor, rk_gate_add(executor->gate, more));
}

/* Before the coordinator gives to units what has just been given back: what grew goes first. */
static void balance_counts(rk_hands *h)
{
    uint32_t spare[RK_MAX_LIMITS];
    if (!shares_counts(h))
        return;
    return_spare(h, spare);
    borrow_wanted(h);
}

/* -- Opening */

static int join(rk_hands *h, rk_away *away)
{
    rk_worker_offer offer = {.lanes = MOST_AWAY, .here = true, .only_here = true};
    return rk_coordinator_joined(h->coordinator, h->now, &offer, &away->staff.number, &away->staff.epoch);
}

static int open_away(rk_hands *h)
{
    rask_options options = options_of(h);
    uint32_t all[RK_MAX_LIMITS];
    rk_away *away = rk_calloc(1, sizeof *away);
    int status = away ? rask_client_open(&options, &away->client) : RASK_ENOMEM;
    if (!status && (status = join(h, away)))
        rask_client_close(away->client);
    if (status) {
        rk_free(away);
        return status;
    }
    away->executor = rk_client_executor(away->client);
    away->executor->first_number = count_seats(&h->crew);
    if (shares_counts(h)) {
        rk_gate_remove_spare(away->executor->gate, all);
        away->executor->gate_context = (void *)&h->crew.watch;
        away->executor->gate_changed = ring;
    }
    pthread_mutex_init(&away->lock, NULL);
    away->staff.here = true;
    away->watch = &h->crew.watch;
    rk_shared_heap_init(&away->heap, h->crew.region, own_range(h), 1, &h->crew.used[own_range(h)],
                        h->crew.kept);
    h->away = away;
    return RASK_OK;
}

/* -- Large content stays where it is */

static void ref_extent(rk_hands *h, void *content)
{
    rk_extent *extent = rk_extent_of(content);
    if (rk_add_relaxed(&extent->refs, 1))
        return;
    extent->payer = 0;
    h->alone += extent->held;
}

static void unref_extent(rk_hands *h, void *content)
{
    rk_extent *extent = rk_extent_of(content);
    if (rk_sub_acq_rel(&extent->refs, 1) != 1)
        return;
    if (!extent->payer)
        h->alone -= extent->held;
    rk_staff_send_freed(h, content);
}

typedef struct taking {
    rk_hands *h;
    const rk_parcel *parcel;
} taking;

static void *keep(void *context, const char *content, uint64_t bytes)
{
    const taking *t = context;
    rk_away *away = t->h->away;
    (void)bytes;
    for (uint64_t i = 0; i < t->parcel->extents; i++) {
        char *extent = t->parcel->extent[i];
        if ((uintptr_t)content - (uintptr_t)extent >= rk_extent_of(extent)->bytes)
            continue;
        kept *k = rk_alloc(sizeof *k);
        if (!k)
            return NULL;
        *k = (kept){.away = away, .extent = extent, .next = away->kept};
        if (away->kept)
            away->kept->previous = k;
        away->kept = k;
        ref_extent(t->h, extent);
        return k;
    }
    return NULL;
}

/* In whatever thread; the hands let go of it. */
static void release(void *owner)
{
    kept *k = owner;
    rk_away *away = k->away;
    pthread_mutex_lock(&away->lock);
    k->next_released = away->released;
    away->released = k;
    pthread_mutex_unlock(&away->lock);
}

static void forget_kept(rk_away *away, kept *k)
{
    *(k->previous ? &k->previous->next : &away->kept) = k->next;
    if (k->next)
        k->next->previous = k->previous;
    rk_free(k);
}

static bool let_released_go(rk_hands *h)
{
    pthread_mutex_lock(&h->away->lock);
    kept *k = h->away->released, *next;
    h->away->released = NULL;
    pthread_mutex_unlock(&h->away->lock);
    bool any = k;
    for (; k; k = next) {
        next = k->next_released;
        unref_extent(h, k->extent);
        forget_kept(h->away, k);
    }
    return any;
}

bool rk_away_add_extents(const rk_hands *h, rk_array *extents)
{
    bool complete = true;
    for (const kept *k = h->away ? h->away->kept : NULL; k; k = k->next) {
        void **place = rk_array_push(extents);
        complete &= place != NULL;
        if (place)
            *place = k->extent;
    }
    return complete;
}

/* -- There */

/* The parcel ends; what it is made of stays as long as it is used. */
static int read_nodes(rk_hands *h, rk_parcel *parcel, rask_node **node)
{
    taking t = {h, parcel};
    const rk_parcel_keeper keeper = {.context = &t, .keep = keep, .release = release};
    char message[RK_MAX_MESSAGE + 1];
    rask_value wrapped;
    for (uint64_t i = 0; i < parcel->extents; i++)
        ref_extent(h, parcel->extent[i]);
    int status = rk_parcel_take(parcel, &keeper, &wrapped, message, sizeof message);
    if (!status) {
        status = rk_graph_unwrap(&wrapped, node);
        rask_value_unref(&wrapped);
    }
    for (uint64_t i = 0; i < parcel->extents; i++)
        unref_extent(h, parcel->extent[i]);
    rk_staff_send_freed(h, parcel);
    return status;
}

/* What observers are to be told, in memory that does not end with the worker's process. */
static void keep_story(rk_hands *h, rk_news *news)
{
    const rk_story *story = (const rk_story *)(uintptr_t)news->story;
    size_t bytes = story ? sizeof *story + story->count * sizeof *story->told : 0;
    void *own = story ? rk_shared_heap_alloc(&h->away->heap, NULL, bytes) : NULL;
    if (own) {
        memcpy(own, story, bytes);
        rk_extent_of(own)->published = true;
    }
    rk_result_free_note(h, news->story);
    news->story = (uint64_t)(uintptr_t)own;
}

/* To the coordinator, the unit becomes a task that only this worker runs, and takes nothing that is counted. */
static int become(rk_hands *h, const rk_staff *staff, const rk_posted *posted, rk_traits traits)
{
    static const uint64_t no_start[2];
    static const uint32_t no_inputs[1];
    const rk_growth growth = {1, no_start, no_inputs, &traits, 0};
    uint32_t number;
    return rk_coordinator_grown(h->coordinator, h->now, staff->number, staff->epoch, posted->unit,
                                posted->attempt, &growth, &number);
}

static rk_traits traits_of(const rk_hands *h, uint32_t unit)
{
    rk_traits traits = {0};
    h->units.graph.describe(h->units.graph.context, unit, &traits);
    traits.source = traits.target = false;
    return traits;
}

static rk_traits traits_away(const rk_hands *h, uint32_t unit)
{
    rk_traits traits = traits_of(h, unit);
    traits.here = traits.io = true;
    traits.scratch_bytes = traits.timeout_ns = 0;
    traits.retries = traits.need_count = 0;
    memset(traits.needs, 0, sizeof traits.needs);
    return traits;
}

static void free_trip(trip *t)
{
    if (t->node)
        rask_graph_free(t->node->graph);
    rask_future_unref(t->future);
    rk_free(t);
}

static int prepare(rk_hands *h, const rk_news *news, const rk_posted *posted, trip **out)
{
    int status = h->away ? RASK_OK : open_away(h);
    trip *t = status ? NULL : rk_alloc(sizeof *t);
    if (!t)
        return status ? status : RASK_ENOMEM;
    *t = (trip){.away = h->away, .news = *news, .posted = *posted};
    status = read_nodes(h, (rk_parcel *)(uintptr_t)news->parcel, &t->node);
    if (status)
        free_trip(t);
    else
        *out = t;
    return status;
}

int rk_away_take(rk_hands *h, const rk_staff *staff, rk_news *news, const rk_posted *posted)
{
    trip *t;
    int status = prepare(h, news, posted, &t);
    if (status)
        return status;
    if (news->kept)
        rk_result_pin_arguments(h, news->unit);
    news->kept = t->news.kept = false;
    status = become(h, staff, posted, traits_away(h, news->unit));
    if (status && status != RASK_ECANCELLED) {
        free_trip(t);
        return status;
    }
    keep_story(h, &t->news);
    t->next = h->away->trips;
    h->away->trips = t;
    rk_result_tell_alone(h);
    return RASK_OK; /* cancelled: nobody waits for it, and it ends with the run */
}

/* In a thread of the client's, or in the hands'. */
static void come_back(void *context, rask_future *future)
{
    trip *t = context;
    rk_away *away = t->away;
    (void)future;
    pthread_mutex_lock(&away->lock);
    t->next_done = away->done;
    away->done = t;
    pthread_mutex_unlock(&away->lock);
    rk_watch_ring(away->watch);
}

static trip *find_trip(const rk_away *away, uint32_t unit)
{
    trip *t = away->trips;
    while (t && t->news.unit != unit)
        t = t->next;
    return t;
}

static int set_out(trip *t)
{
    rask_graph *graph = t->node->graph;
    t->future = rask_submit(t->away->client, t->node);
    t->node = NULL;
    rask_graph_free(graph);
    return t->future ? rask_future_on_done(t->future, come_back, t) : RASK_ENOMEM;
}

static void remove_trip(rk_away *away, const trip *t)
{
    trip **at = &away->trips;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
}

static void run(rk_hands *h, const rk_instruction *in)
{
    trip *t = find_trip(h->away, in->task);
    int status = t ? RASK_OK : RASK_ECANCELLED;
    if (t) {
        t->posted.attempt = in->attempt;
        status = set_out(t);
    }
    if (!status)
        return;
    rk_coordinator_failed(h->coordinator, h->now, in->worker, in->epoch, in->task, in->attempt, status, true);
    if (!t)
        return;
    rk_hands_fail(h, t->news.task, status, rask_status_text(status));
    remove_trip(h->away, t);
    if (t->future)
        rask_future_cancel(t->future);
    free_trip(t);
}

bool rk_away_obey(rk_hands *h, const rk_instruction *in)
{
    if (!h->away || in->worker != h->away->staff.number)
        return false;
    if (in->kind == RK_DO_RUN)
        run(h, in);
    else if (in->kind == RK_DO_RECALL) /* it is under way: its news are the answer */
        rk_coordinator_recalled(h->coordinator, h->now, in->worker, in->epoch, in->task, in->attempt, false);
    return true;
}

/* -- And back */

static void miss(trip *t, rk_news_kind kind)
{
    t->news.kind = kind;
    t->news.finished--;
    t->news.result = (rask_value){.reserved = 1};
}

static void fail(trip *t, int status, const char *text)
{
    size_t len = strlen(text);
    char *note = rk_shared_heap_alloc(&t->away->heap, NULL, len + 1);
    if (note) {
        memcpy(note, text, len + 1);
        rk_extent_of(note)->published = true;
    }
    miss(t, RK_NEWS_FAILED);
    t->news.status = status;
    t->news.text = (uint64_t)(uintptr_t)note;
}

static void finish(trip *t, const rask_value *value)
{
    char message[RK_MAX_MESSAGE + 1];
    rk_parcel *parcel;
    t->news.kind = RK_NEWS_FINISHED;
    if (!rk_value_is_object(value)) {
        t->news.result = *value;
        return;
    }
    int status = rk_parcel_write(&t->away->heap, NULL, value, NULL, 0, &parcel, message, sizeof message);
    if (status)
        fail(t, status, message);
    else
        t->news.parcel = (uint64_t)(uintptr_t)parcel;
}

/* What it came to, as news of the unit. */
static void conclude(rk_hands *h, trip *t)
{
    rask_value value;
    int status = rask_future_result(t->future, &value);
    t->news.parcel = 0;
    t->news.result = rask_value_none();
    if (status == RASK_ECANCELLED && t->told) {
        miss(t, RK_NEWS_SKIPPED);
    } else if (status) {
        fail(t, status, rask_future_error(t->future));
    } else {
        if (h->run->plan->uses[t->news.task])
            finish(t, &value);
        else
            t->news.kind = RK_NEWS_FINISHED; /* nobody takes it */
        rask_value_unref(&value);
    }
}

/* -- Units that go on */

static void drop_middle(rk_hands *h, uint32_t unit)
{
    rk_away *away = h->away;
    for (middle **at = &away->middles; *at; at = &(*at)->next) {
        middle *m = *at;
        if (m->unit != unit)
            continue;
        *at = m->next;
        for (uint64_t i = 0; i < m->parcel->extents; i++)
            unref_extent(h, m->parcel->extent[i]);
        unref_extent(h, m->parcel);
        rk_free(m);
        return;
    }
}

void rk_away_over(rk_hands *h, uint32_t unit)
{
    if (h->away)
        drop_middle(h, unit);
}

/* False: no memory. */
static bool keep_middle(rk_hands *h, const rk_news *news)
{
    middle *m = news->parcel ? rk_alloc(sizeof *m) : NULL;
    if (!news->parcel || !m)
        return !news->parcel;
    *m = (middle){news->unit, (rk_parcel *)(uintptr_t)news->parcel, h->away->middles};
    h->away->middles = m;
    ref_extent(h, m->parcel);
    for (uint64_t i = 0; i < m->parcel->extents; i++)
        ref_extent(h, m->parcel->extent[i]);
    return true;
}

/* The result is where the unit's next task looks for it, and the coordinator has the unit run again, from there. */
static int go_on(rk_hands *h, trip *t)
{
    uint32_t task = t->news.task, unit = t->news.unit;
    drop_middle(h, unit);
    if (!keep_middle(h, &t->news))
        return RASK_ENOMEM;
    h->crew.places[task] = t->news.parcel
                               ? (rask_value){.type = RK_PLACE_PARCEL, .as.i64 = (int64_t)t->news.parcel}
                               : t->news.result;
    int status = become(h, &h->away->staff, &t->posted, traits_of(h, unit));
    if (status)
        return status;
    rk_store_release(&h->crew.next_tasks[unit], task + 1);
    h->run->finished += t->news.finished;
    h->run->retries += t->news.retries;
    rk_hands_tell_part(h, &t->news);
    return RASK_OK;
}

static void come_home(rk_hands *h, trip *t)
{
    bool goes_on = t->news.task != rk_units_last(&h->units, t->news.unit);
    conclude(h, t);
    int status = goes_on && t->news.kind == RK_NEWS_FINISHED ? go_on(h, t) : RASK_OK;
    if (status == RASK_ECANCELLED)
        return;
    if (status)
        fail(t, status, rask_status_text(status));
    if (status || !goes_on || t->news.kind != RK_NEWS_FINISHED)
        rk_hands_conclude(h, &h->away->staff, &t->news, &t->posted);
}

static trip *take_done(rk_away *away)
{
    pthread_mutex_lock(&away->lock);
    trip *t = away->done;
    away->done = t ? t->next_done : NULL;
    pthread_mutex_unlock(&away->lock);
    return t;
}

/* Those, too, that set out when the run was being stopped already. */
static void cancel_all(rk_away *away)
{
    for (trip *t = away->trips; t; t = t->next) {
        if (t->told || !t->future)
            continue;
        rask_future_cancel(t->future);
        t->told = true;
    }
}

bool rk_away_hear(rk_hands *h)
{
    rk_away *away = h->away;
    if (!away)
        return false;
    bool heard = let_released_go(h);
    if (rk_load_relaxed(&h->crew.board->stop.cancelled))
        cancel_all(away);
    for (trip *t; (t = take_done(away)); heard = true) {
        remove_trip(away, t);
        come_home(h, t);
        free_trip(t);
    }
    balance_counts(h);
    if (heard)
        rk_result_tell_alone(h);
    return heard;
}

bool rk_away_free(rk_hands *h, void *content)
{
    if (!h->away || rk_region_range_of(h->crew.region, content) != own_range(h))
        return false;
    rk_shared_heap_free(&h->away->heap, content);
    return true;
}

uint64_t rk_away_take_retries(const rk_hands *h)
{
    return h->away ? rk_executor_take_retries(h->away->executor) : 0;
}

uint64_t rk_away_bytes(const rk_hands *h)
{
    return h->away ? rk_store_live(h->away->executor->store) : 0;
}

void rk_away_end(rk_away *away)
{
    if (!away)
        return;
    rask_client_close(away->client); /* all are done */
    for (trip *t; (t = away->trips);) {
        away->trips = t->next;
        free_trip(t);
    }
    for (middle *m; (m = away->middles);) {
        away->middles = m->next;
        rk_free(m);
    }
    while (away->kept) /* memory that ends with the run's */
        forget_kept(away, away->kept);
    rk_shared_heap_fini(&away->heap);
    pthread_mutex_destroy(&away->lock);
    rk_free(away);
}
