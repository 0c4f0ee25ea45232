/* What units grow, run by a client. */
#include "schedulers/processes/away.h"

#include "core/graph/wrap.h"
#include "schedulers/futures/client.h"
#include "schedulers/futures/executor.h"

#include <stdio.h>
#include <string.h>

/* A unit that is away. Freed when it is done and the hands have heard of it. */
typedef struct trip {
    rk_away *away;
    rk_staff *staff; /* NULL: its worker ended, and nobody waits for it */
    rk_news news;    /* of the worker */
    rk_posted posted;
    rask_future *future;
    bool told; /* to end, since the run is being stopped */
    struct trip *next, *next_done;
} trip;

struct rk_away {
    rask_client *client;
    const rk_watch *watch;
    rk_shared_heap heap; /* of the last range */
    trip *trips;
    pthread_mutex_t lock;
    trip *done; /* that the hands have not heard of; under lock */
};

/* It is the last range. */
static uint32_t own_range(const rk_hands *h)
{
    return h->crew.workers + 1;
}

static rask_options options_of(const rk_hands *h)
{
    rask_options o = rk_options_within(&h->run->options);
    o.memory = rk_coordinator_get_home(h->coordinator, 0).budget / 2;
    o.limits = NULL;
    return o;
}

/* They have the first numbers. */
static uint32_t count_seats(const rk_crew *crew)
{
    return crew->workers * (crew->threads + crew->lanes) + crew->here;
}

static int open_away(rk_hands *h)
{
    rask_options options = options_of(h);
    rk_away *away = rk_calloc(1, sizeof *away);
    int status = away ? rask_client_open(&options, &away->client) : RASK_ENOMEM;
    if (status) {
        rk_free(away);
        return status;
    }
    rk_client_executor(away->client)->first_number = count_seats(&h->crew);
    pthread_mutex_init(&away->lock, NULL);
    away->watch = &h->crew.watch;
    rk_shared_heap_init(&away->heap, h->crew.region, own_range(h), 1, &h->crew.used[own_range(h)],
                        h->crew.kept);
    h->away = away;
    return RASK_OK;
}

/* -- There */

static void *keep(void *context, const char *content, uint64_t bytes)
{
    (void)content;
    (void)bytes;
    return context;
}

static void let_go(void *owner)
{
    (void)owner;
}

/* The parcel ends; what it is made of has no large content but what unwrapping copies. */
static int read_nodes(rk_hands *h, rk_parcel *parcel, rask_node **node)
{
    const rk_parcel_keeper keeper = {.context = h, .keep = keep, .release = let_go};
    char message[RK_MAX_MESSAGE + 1];
    rask_value wrapped;
    int status = rk_parcel_take(parcel, &keeper, &wrapped, message, sizeof message);
    if (!status) {
        status = rk_graph_unwrap(&wrapped, node);
        rask_value_unref(&wrapped);
    }
    for (uint64_t i = 0; i < parcel->extents; i++)
        rk_staff_send_freed(h, parcel->extent[i]);
    rk_staff_send_freed(h, parcel);
    return status;
}

/* In a thread of the client's, or in the hands'. */
static void come_back(void *context, rask_future *future)
{
    trip *t = context;
    (void)future;
    pthread_mutex_lock(&t->away->lock);
    t->next_done = t->away->done;
    t->away->done = t;
    pthread_mutex_unlock(&t->away->lock);
    rk_watch_ring(t->away->watch);
}

static int set_out(trip *t, rask_node *node)
{
    rk_away *away = t->away;
    t->future = rask_submit(away->client, node);
    if (!t->future)
        return RASK_ENOMEM;
    t->next = away->trips;
    away->trips = t;
    if (!rask_future_on_done(t->future, come_back, t))
        return RASK_OK;
    away->trips = t->next;
    rask_future_cancel(t->future);
    rask_future_unref(t->future);
    return RASK_ENOMEM;
}

int rk_away_take(rk_hands *h, const rk_staff *staff, const rk_news *news, const rk_posted *posted)
{
    rask_node *node;
    int status = read_nodes(h, (rk_parcel *)(uintptr_t)news->parcel, &node);
    if (status)
        return status;
    status = h->away ? RASK_OK : open_away(h);
    trip *t = status ? NULL : rk_alloc(sizeof *t);
    if (t)
        *t = (trip){.away = h->away, .staff = &h->staff[staff - h->staff], .news = *news, .posted = *posted};
    if (!status)
        status = t ? set_out(t, node) : RASK_ENOMEM;
    if (status)
        rk_free(t);
    rask_graph_free(node->graph);
    return status;
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

/* What it came to, as news of the unit, of which this is the last task. */
static void conclude(trip *t, uint32_t task)
{
    rask_value value;
    int status = rask_future_result(t->future, &value);
    t->news.task = task;
    t->news.parcel = 0;
    if (status == RASK_ECANCELLED && t->told) {
        miss(t, RK_NEWS_SKIPPED);
    } else if (status) {
        fail(t, status, rask_future_error(t->future));
    } else {
        finish(t, &value);
        rask_value_unref(&value);
    }
}

static void remove_trip(rk_away *away, const trip *t)
{
    trip **at = &away->trips;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
}

static void free_trip(trip *t)
{
    rask_future_unref(t->future);
    rk_free(t);
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
        if (!t->told)
            rask_future_cancel(t->future);
        t->told = true;
    }
}

bool rk_away_hear(rk_hands *h)
{
    rk_away *away = h->away;
    bool heard = false;
    if (!away)
        return false;
    if (rk_load_relaxed(&h->crew.board->stop.cancelled))
        cancel_all(away);
    for (trip *t; (t = take_done(away)); heard = true) {
        remove_trip(away, t);
        if (t->staff) {
            conclude(t, rk_units_last(&h->units, t->news.unit));
            rk_hands_conclude(h, t->staff, &t->news, &t->posted);
        }
        free_trip(t);
    }
    return heard;
}

void rk_away_forget(rk_hands *h, const rk_staff *staff)
{
    for (trip *t = h->away ? h->away->trips : NULL; t; t = t->next)
        if (t->staff == staff) {
            t->staff = NULL;
            rk_result_free_note(h, t->news.story);
            rask_future_cancel(t->future);
        }
}

bool rk_away_free(rk_hands *h, void *content)
{
    if (!h->away || rk_region_range_of(h->crew.region, content) != own_range(h))
        return false;
    rk_shared_heap_free(&h->away->heap, content);
    return true;
}

uint64_t rk_away_bytes(const rk_hands *h)
{
    return h->away ? rk_store_live(rk_client_executor(h->away->client)->store) : 0;
}

void rk_away_end(rk_away *away)
{
    if (!away)
        return;
    rask_client_close(away->client); /* all are done */
    for (trip *t; (t = away->trips); free_trip(t))
        away->trips = t->next;
    rk_shared_heap_fini(&away->heap);
    pthread_mutex_destroy(&away->lock);
    rk_free(away);
}
