/* The live page: an observer that counts (live.h), a thread that adds up and tells those who look, and a server.
 *
 * The thread looks ten times a second at most, and takes a fiftieth of its time: when there is so much to add up that a look
 * takes longer, looks are rarer. While nobody looks nothing is put into words. Streams are read by the server's thread; what
 * they share with the other one is under the lock of what was counted. */
#include "core/base/clock.h"
#include "core/base/cond.h"
#include "core/live_page.h"
#include "core/observe/dashboard/http.h"
#include "core/observe/dashboard/listen.h"
#include "core/observe/dashboard/request.h"
#include "core/observe/dashboard/tell.h"

#include <rask/dashboard.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_NS = 100000000,
    REST = 50, /* times what a look took */
    MOST_TICK_NS = 2000000000,
    PATIENCE_S = 10,     /* with clients that neither send nor take */
    LAST_WORD_MS = 500,  /* for pages to take the last state */
    FRESH_NS = 50000000, /* a state that is younger is told again */
};

struct rask_dashboard {
    rk_live live;
    char title[RK_LIVE_TEXT];
    char token[RK_TOKEN_DIGITS + 1]; /* "": whoever asks may read */
    char url[400];
    rk_listener listener;
    const rk_http_module *http;
    rk_http_server *server;
    rask_cancel_token *cancel;
    pthread_t thread;
    pthread_cond_t wake;
    /* Under live.lock. */
    bool stop;        /* watching */
    bool over;        /* the state is the last */
    uint32_t readers; /* streams */
    uint64_t tick;    /* that state is of */
    char *state;      /* open_memstream's; NULL: nobody asked yet, or no memory */
    bool was_cancelled;
    char cancelled_by[64];
};

typedef struct stream {
    rask_dashboard *dashboard;
    rk_live_reader reader;
    uint64_t tick; /* that it has */
    char *text;    /* open_memstream's: what is being sent */
    size_t len, sent;
} stream;

/* -- What was counted, in words. Under the lock. */

static bool can_cancel(const rask_dashboard *d)
{
    return d->cancel && *d->token;
}

static void renew(rask_dashboard *d)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return;
    rk_tell_state(out, &d->live, d->title, can_cancel(d));
    if (fclose(out)) {
        free(text); // open_memstream's
        return;
    }
    free(d->state); // open_memstream's
    d->state = text;
    d->tick++;
}

static uint64_t look(rask_dashboard *d)
{
    uint64_t began = rk_clock_now();
    rk_live_gather(&d->live);
    if (d->readers)
        renew(d);
    uint64_t rest = (rk_clock_now() - began) * REST;
    return rest < TICK_NS ? TICK_NS : rest < MOST_TICK_NS ? rest : MOST_TICK_NS;
}

static void *watch(void *context)
{
    rask_dashboard *d = context;
    pthread_mutex_lock(&d->live.lock);
    while (!d->stop) {
        struct timespec until = rk_cond_in(look(d));
        bool read = d->readers;
        pthread_mutex_unlock(&d->live.lock);
        if (read)
            d->http->wake(d->server);
        pthread_mutex_lock(&d->live.lock);
        while (!d->stop && rk_cond_wait_until(&d->wake, &d->live.lock, &until))
            continue;
    }
    pthread_mutex_unlock(&d->live.lock);
    return NULL;
}

/* -- Streams */

static void refill(stream *s)
{
    const rask_dashboard *d = s->dashboard;
    free(s->text); // open_memstream's
    s->text = NULL;
    s->len = s->sent = 0;
    if (!d->state || s->tick == d->tick)
        return;
    FILE *out = open_memstream(&s->text, &s->len);
    if (!out)
        return;
    rk_tell_event(out, &d->live, d->state, &s->reader);
    if (fclose(out))
        s->len = 0;
    s->tick = d->tick;
}

static ptrdiff_t more(void *context, char *buffer, size_t capacity)
{
    stream *s = context;
    rask_dashboard *d = s->dashboard;
    bool over = false;
    if (s->sent == s->len) {
        pthread_mutex_lock(&d->live.lock);
        refill(s);
        over = d->over;
        pthread_mutex_unlock(&d->live.lock);
    }
    size_t left = s->len - s->sent, count = left < capacity ? left : capacity;
    if (!count)
        return over ? -1 : 0;
    memcpy(buffer, s->text + s->sent, count);
    s->sent += count;
    return (ptrdiff_t)count;
}

static void end_stream(void *context)
{
    stream *s = context;
    pthread_mutex_lock(&s->dashboard->live.lock);
    s->dashboard->readers--;
    pthread_mutex_unlock(&s->dashboard->live.lock);
    free(s->text); // open_memstream's
    rk_free(s);
}

static void begin_stream(rask_dashboard *d, rk_http_answer *answer)
{
    stream *s = rk_calloc(1, sizeof *s);
    if (!s)
        return;
    s->dashboard = d;
    pthread_mutex_lock(&d->live.lock);
    d->readers++;
    rk_live_gather(&d->live);
    renew(d);
    pthread_mutex_unlock(&d->live.lock);
    answer->status = 200;
    answer->type = "text/event-stream";
    answer->stream = s;
}

/* -- Answers */

static void put_all(FILE *out, rask_dashboard *d, rk_wanted wanted)
{
    pthread_mutex_lock(&d->live.lock);
    if (rk_clock_now() - d->live.gathered_ns > FRESH_NS)
        rk_live_gather(&d->live);
    if (wanted == RK_WANTS_METRICS)
        rk_tell_metrics(out, &d->live);
    else
        rk_tell_whole(out, &d->live, d->title, can_cancel(d));
    pthread_mutex_unlock(&d->live.lock);
}

/* Of no memory nothing is left but the status that the answer had. */
static void answer_text(rask_dashboard *d, rk_wanted wanted, rk_http_answer *answer)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return;
    put_all(out, d, wanted);
    if (fclose(out)) {
        free(text); // open_memstream's
        return;
    }
    *answer = (rk_http_answer){.status = 200, .text = text, .len = len};
    answer->type =
        wanted == RK_WANTS_METRICS ? "text/plain; version=0.0.4; charset=utf-8" : "application/json";
}

static void answer_bytes(int status, const char *type, const void *bytes, size_t len, rk_http_answer *answer)
{
    *answer = (rk_http_answer){.status = status, .type = type, .bytes = bytes, .len = len};
}

static void answer_words(int status, const char *text, rk_http_answer *answer)
{
    answer_bytes(status, "text/plain; charset=utf-8", text, strlen(text), answer);
}

static void cancel(rask_dashboard *d, const char *peer, rk_http_answer *answer)
{
    if (d->cancel) {
        pthread_mutex_lock(&d->live.lock);
        if (!d->was_cancelled)
            snprintf(d->cancelled_by, sizeof d->cancelled_by, "%s", *peer ? peer : "somewhere");
        d->was_cancelled = true;
        pthread_mutex_unlock(&d->live.lock);
        rask_cancel(d->cancel);
    }
    answer_words(d->cancel ? 202 : 403,
                 d->cancel ? "cancelled\n" : "this program does not let itself be cancelled\n", answer);
}

static void answer(void *context, const rk_http_request *request, rk_http_answer *answer)
{
    rask_dashboard *d = context;
    rk_wanted wanted;
    const char *why;
    int status = rk_request_read(request, d->token, d->listener.host, &wanted, &why);
    if (status) {
        answer_words(status, why, answer);
        return;
    }
    switch (wanted) {
    case RK_WANTS_PAGE:
        answer_bytes(200, "text/html; charset=utf-8", live_html, sizeof live_html, answer);
        return;
    case RK_WANTS_STYLE:
        answer_bytes(200, "text/css; charset=utf-8", live_css, sizeof live_css, answer);
        return;
    case RK_WANTS_SCRIPT:
        answer_bytes(200, "text/javascript; charset=utf-8", live_js, sizeof live_js, answer);
        return;
    case RK_WANTS_EVENTS: begin_stream(d, answer); return;
    case RK_WANTS_HEALTH: answer_words(200, "ok\n", answer); return;
    case RK_WANTS_CANCEL: cancel(d, request->peer ? request->peer : "", answer); return;
    case RK_WANTS_SLASH:
        answer_words(308, "it has a slash at its end\n", answer);
        snprintf(answer->location, sizeof answer->location, "/%s/", d->token);
        return;
    default: answer_text(d, wanted, answer);
    }
}

/* -- Beginning and end */

static int load(rask_dashboard *d, char *error, size_t capacity)
{
    const void *module;
    char reason[512];
    if (rk_module_open(RK_HTTP_MODULE, sizeof *d->http, &module, reason, sizeof reason)) {
        snprintf(error, capacity,
                 "the live page needs the HTTP module of Rask (%s): install the packages libmicrohttpd12 and "
                 "rask-http, "
                 "or build Rask with libmicrohttpd-dev",
                 reason);
        return RASK_EUNSUPPORTED;
    }
    d->http = module;
    return RASK_OK;
}

static int serve(rask_dashboard *d, const char *address, char *error, size_t capacity)
{
    rk_http_service service = {
        .context = d, .patience_s = PATIENCE_S, .answer = answer, .more = more, .end = end_stream};
    int status = rk_listen(address, &d->listener, error, capacity);
    if (status)
        return status;
    status = d->http->open(d->listener.socket, &service, &d->server);
    if (status)
        snprintf(error, capacity, "the server does not start: %s", rask_status_text(status));
    snprintf(d->url, sizeof d->url, "http://%s/%s%s", d->listener.authority, d->token, *d->token ? "/" : "");
    return status;
}

static int begin_watch(rask_dashboard *d, char *error, size_t capacity)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the program's own threads */
    int failed = pthread_create(&d->thread, NULL, watch, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        snprintf(error, capacity, "no thread: %s", strerror(failed));
    return failed ? RASK_ENOMEM : RASK_OK;
}

static int open_all(rask_dashboard *d, const rask_dashboard_options *o, char *error, size_t capacity)
{
    if (rk_live_init(&d->live)) {
        snprintf(error, capacity, "%s", rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    rk_live_copy(d->title, sizeof d->title, o->title ? o->title : "rask");
    d->cancel = o->cancel;
    if (!o->open && !rk_token_make(d->token)) {
        snprintf(error, capacity, "no token: the system gives no random numbers");
        return RASK_EIO;
    }
    int status = load(d, error, capacity);
    if (!status)
        status = serve(d, o->address, error, capacity);
    if (!status)
        status = begin_watch(d, error, capacity);
    return status;
}

static void free_all(rask_dashboard *d)
{
    if (d->http)
        d->http->close(d->server, LAST_WORD_MS);
    free(d->state); // open_memstream's
    rk_live_fini(&d->live);
    pthread_cond_destroy(&d->wake);
    rk_free(d);
}

int rask_dashboard_open(const rask_dashboard_options *options, rask_dashboard **dashboard, char *error,
                        size_t capacity)
{
    rask_dashboard_options o = RASK_DASHBOARD_OPTIONS_INIT;
    char unread[1];
    if (!error || !capacity) {
        error = unread;
        capacity = sizeof unread;
    }
    if (!dashboard || (options && (!options->size || options->size > sizeof o))) {
        snprintf(error, capacity, "dashboard: %s",
                 dashboard ? "options have no size, or a newer program's" : "no place for it");
        return RASK_EINVAL;
    }
    if (options)
        memcpy(&o, options, options->size);
    rask_dashboard *d = rk_calloc(1, sizeof *d);
    if (!d) {
        snprintf(error, capacity, "%s", rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    rk_cond_init(&d->wake);
    int status = open_all(d, &o, error, capacity);
    if (status)
        free_all(d);
    else
        *dashboard = d;
    return status;
}

const rask_observer *rask_dashboard_observer(const rask_dashboard *dashboard)
{
    return dashboard ? &dashboard->live.observer : NULL;
}

const char *rask_dashboard_url(const rask_dashboard *dashboard)
{
    return dashboard ? dashboard->url : "";
}

bool rask_dashboard_cancelled(rask_dashboard *dashboard, char *text, size_t capacity)
{
    if (!dashboard)
        return false;
    pthread_mutex_lock(&dashboard->live.lock);
    bool was = dashboard->was_cancelled;
    if (was && text && capacity)
        snprintf(text, capacity, "%s", dashboard->cancelled_by);
    pthread_mutex_unlock(&dashboard->live.lock);
    return was;
}

void rask_dashboard_close(rask_dashboard *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->live.lock);
    d->stop = true;
    d->live.finished = true;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->live.lock);
    pthread_join(d->thread, NULL);
    pthread_mutex_lock(&d->live.lock);
    rk_live_gather(&d->live);
    renew(d);
    d->over = true;
    pthread_mutex_unlock(&d->live.lock);
    free_all(d);
}
