/* The live page over HTTP: what it tells against what ran, whom it tells, and how it ends. */
#include "core/observe/dashboard/http.h"
#include "core/observe/dashboard/listen.h"
#include "core/observe/dashboard/request.h"
#include "tests/failing_allocator.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <rask/rask.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HOSTILE "<script>alert(1)</script>\"\\\n\xff"

/* -- Tasks */

static int64_t one(int64_t n)
{
    return n;
}
RASK_TASK(one, i64, i64);

static int fails(rask_task *task)
{
    return rask_fail(task, RASK_EINVAL, "it is " HOSTILE);
}

static atomic_bool waits;

/* Until somebody cancels. */
static int wait_for_cancel(rask_task *task)
{
    atomic_store(&waits, true);
    while (!rask_task_cancelled(task))
        usleep(1000);
    return rask_return_i64(task, 1);
}

static rask_node *many(rask_graph *g, int count)
{
    rask_node **nodes = calloc((size_t)count, sizeof *nodes);
    for (int i = 0; i < count; i++)
        nodes[i] = rask_delayed(g, one, i);
    rask_node *sum = rask_sum(rask_list(g, nodes, (size_t)count));
    free(nodes);
    return sum;
}

static const rask_task_def hostile_def = {.size = sizeof hostile_def, .name = HOSTILE, .call = fails};
static const rask_task_def waiting_def = {
    .size = sizeof waiting_def, .name = "wait", .call = wait_for_cancel};

/* -- Asking */

typedef struct reply {
    long status;
    char *text;
    size_t len;
    char type[100], policy[400], location[200];
} reply;

static atomic_bool heard; /* something of an answer has come */

static size_t keep(char *data, size_t size, size_t count, void *context)
{
    reply *r = context;
    atomic_store(&heard, true);
    r->text = realloc(r->text, r->len + size * count + 1);
    memcpy(r->text + r->len, data, size * count);
    r->len += size * count;
    r->text[r->len] = 0;
    return size * count;
}

static size_t keep_header(char *data, size_t size, size_t count, void *context)
{
    reply *r = context;
    sscanf(data, "Location: %199[^\r\n]", r->location);
    sscanf(data, "Content-Type: %99[^\r\n]", r->type);
    sscanf(data, "Content-Security-Policy: %399[^\r\n]", r->policy);
    return size * count;
}

static reply ask(const char *url, const char *path, const char *header, bool post)
{
    reply r = {.text = calloc(1, 1)};
    char whole[600];
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = header ? curl_slist_append(NULL, header) : NULL;
    snprintf(whole, sizeof whole, "%s%s", url, path);
    curl_easy_setopt(curl, CURLOPT_URL, whole);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &r);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, keep_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &r);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    if (post)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &r.status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return r;
}

static long status_of(const char *url, const char *path, const char *header, bool post)
{
    reply r = ask(url, path, header, post);
    free(r.text);
    return r.status;
}

static cJSON *state_of(const char *url)
{
    reply r = ask(url, "api/state", NULL, false);
    cr_assert_eq(r.status, 200);
    cr_expect_str_eq(r.type, "application/json");
    cr_expect(!strchr(r.text, '<'), "an angle bracket came through");
    cJSON *state = cJSON_Parse(r.text);
    cr_assert_not_null(state, "no JSON: %.300s", r.text);
    free(r.text);
    return state;
}

static const cJSON *at(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    cr_assert_not_null(item, "no %s", name);
    return item;
}

static double number(const cJSON *state, const char *group, const char *name)
{
    return cJSON_GetNumberValue(at(group ? at(state, group) : state, name));
}

static const char *text_at(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(at(object, name));
}

static rask_dashboard *opened(const rask_dashboard_options *options)
{
    char error[400] = "";
    rask_dashboard *d = NULL;
    cr_assert_eq(rask_dashboard_open(options, &d, error, sizeof error), RASK_OK, "%s", error);
    return d;
}

static int compute_shown(rask_dashboard *d, rask_node *node, rask_options *o)
{
    const rask_observer *observer = rask_dashboard_observer(d);
    rask_value result = rask_value_none();
    o->observers = &observer;
    o->observer_count = 1;
    int status = rask_compute_value(node, o, &result);
    rask_value_unref(&result);
    return status;
}

/* -- What is told */

static void expect_sums(const cJSON *state, double tasks, uint32_t finished)
{
    double by_name = 0, by_worker = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, at(state, "names")) by_name += number(item, NULL, "done");
    cJSON_ArrayForEach(item, at(state, "workers")) by_worker += number(item, NULL, "done");
    cr_expect_eq(number(state, "tasks", "done"), finished);
    cr_expect_eq(number(state, "tasks", "known"), tasks);
    cr_expect_eq(by_name, finished);
    cr_expect_eq(by_worker, finished);
}

Test(dashboard, tells_what_ran_on_every_scheduler)
{
    static const char *const schedulers[] = {"serial", "threads", "processes"};
    for (size_t i = 0; i < sizeof schedulers / sizeof *schedulers; i++) {
        rask_dashboard *d = opened(NULL);
        rask_graph *g = rask_graph_new();
        rask_options o = RASK_OPTIONS_INIT;
        rask_report report = {0};
        o.scheduler = schedulers[i];
        o.workers = 3;
        o.report = &report;
        cr_assert_eq(compute_shown(d, many(g, 3000), &o), RASK_OK);
        cr_assert_eq(compute_shown(d, many(g, 500), &o), RASK_OK);
        cJSON *state = state_of(rask_dashboard_url(d));
        cr_expect_eq(number(state, NULL, "version"), 1);
        cr_expect_eq(number(state, NULL, "runs"), 2);
        cr_expect_str_eq(text_at(state, "phase"), "between");
        cr_expect_str_eq(text_at(at(state, "run"), "scheduler"), schedulers[i]);
        double tasks = number(state, "tasks", "known");
        cr_expect_geq(tasks, 3500);
        expect_sums(state, tasks, (uint32_t)tasks);
        cr_expect_gt(cJSON_GetArraySize(at(state, "links")), 0);
        if (!strcmp(schedulers[i], "processes"))
            cr_expect_gt(cJSON_GetArraySize(at(state, "processes")), 0);
        cJSON_Delete(state);
        rask_graph_free(g);
        rask_dashboard_close(d);
    }
}

Test(dashboard, hostile_names_and_messages_are_text_and_nothing_else)
{
    rask_dashboard_options options = RASK_DASHBOARD_OPTIONS_INIT;
    options.title = HOSTILE;
    rask_dashboard *d = opened(&options);
    rask_graph *g = rask_graph_new();
    rask_options o = RASK_OPTIONS_INIT;
    rask_node *bad = rask_call(g, &hostile_def, NULL, 0);
    rask_set_label(bad, HOSTILE);
    cr_assert_neq(compute_shown(d, bad, &o), RASK_OK);
    cJSON *state = state_of(rask_dashboard_url(d));
    const cJSON *failure = cJSON_GetArrayItem(at(state, "failures"), 0);
    cr_assert_not_null(failure);
    cr_expect_str_eq(text_at(failure, "message"), "it is <script>alert(1)</script>\"\\\n?");
    cr_expect_str_eq(text_at(failure, "label"), "<script>alert(1)</script>\"\\\n?");
    cr_expect_str_eq(text_at(state, "title"), "<script>alert(1)</script>\"\\\n?");
    cr_expect(strstr(text_at(state, "message"), "it is"));
    cJSON_Delete(state);
    reply metrics = ask(rask_dashboard_url(d), "metrics", NULL, false);
    cr_expect(
        strstr(metrics.text, "rask_task_failed_total{name=\"<script>alert(1)</script>\\\"\\\\\\n?\"} 1\n"),
        "%s", metrics.text);
    cr_expect_str_eq(metrics.type, "text/plain; version=0.0.4; charset=utf-8");
    free(metrics.text);
    rask_graph_free(g);
    rask_dashboard_close(d);
}

/* -- Whom it tells */

Test(dashboard, answers_those_who_have_the_token_and_no_others)
{
    rask_dashboard *d = opened(NULL);
    const char *url = rask_dashboard_url(d);
    char bare[400], posted[64];
    snprintf(bare, sizeof bare, "%.*s", (int)(strlen(url) - RK_TOKEN_DIGITS - 1), url);
    reply page = ask(url, "", NULL, false);
    cr_expect_eq(page.status, 200);
    cr_expect(strstr(page.policy, "default-src 'none'") && !strstr(page.policy, "unsafe"), "%s", page.policy);
    free(page.text);
    cr_expect_eq(status_of(url, "page.js", NULL, false), 200);
    cr_expect_eq(status_of(url, "page.css", NULL, false), 200);
    cr_expect_eq(status_of(url, "other", NULL, false), 404);
    cr_expect_eq(status_of(bare, "", NULL, false), 403);
    cr_expect_eq(status_of(bare, "api/state", NULL, false), 403);
    cr_expect_eq(status_of(bare, "healthz", NULL, false), 200);
    cr_expect_eq(status_of(url, "", "Host: evil.example", false), 403);
    cr_expect_eq(status_of(url, "", "Host: localhost:1", false), 200);
    cr_expect_eq(status_of(url, "api/state", "Origin: http://evil.example", false), 403);
    cr_expect_eq(status_of(url, "api/cancel", NULL, true), 403, "there is nothing to cancel");
    cr_expect_not(rask_dashboard_cancelled(d, NULL, 0));
    snprintf(posted, sizeof posted, "X: %d", 1);
    cr_expect_eq(status_of(url, "api/state", posted, true), 405);
    rask_dashboard_close(d);
}

Test(dashboard, an_address_without_its_last_slash_leads_to_the_page)
{
    rask_dashboard *d = opened(NULL);
    char cut[400];
    const char *url = rask_dashboard_url(d), *behind = url + strlen(url) - RK_TOKEN_DIGITS - 2;
    snprintf(cut, sizeof cut, "%.*s", (int)(strlen(url) - 1), url);
    reply page = ask(cut, "", NULL, false);
    cr_expect_eq(page.status, 308);
    cr_expect_str_eq(page.location, behind);
    free(page.text);
    cut[strlen(cut) - 1] ^= 1;
    cr_expect_eq(status_of(cut, "", NULL, false), 403, "another token is none");
    rask_dashboard_close(d);
}

Test(dashboard, open_ones_can_be_read_and_not_cancelled)
{
    rask_dashboard_options options = RASK_DASHBOARD_OPTIONS_INIT;
    options.open = true;
    options.cancel = rask_cancel_token_new();
    rask_dashboard *d = opened(&options);
    cr_expect_eq(status_of(rask_dashboard_url(d), "api/state", NULL, false), 200);
    cr_expect_eq(status_of(rask_dashboard_url(d), "api/cancel", NULL, true), 403);
    cr_expect_not(rask_cancelled(options.cancel));
    rask_dashboard_close(d);
    rask_cancel_token_free(options.cancel);
}

static void *cancel_at(void *url)
{
    while (!atomic_load(&waits))
        usleep(1000);
    cr_expect_eq(status_of(url, "api/cancel", NULL, true), 202);
    return NULL;
}

Test(dashboard, the_button_cancels_the_run)
{
    rask_dashboard_options options = RASK_DASHBOARD_OPTIONS_INIT;
    options.cancel = rask_cancel_token_new();
    rask_dashboard *d = opened(&options);
    rask_graph *g = rask_graph_new();
    rask_options o = RASK_OPTIONS_INIT;
    pthread_t thread;
    o.cancel = options.cancel;
    pthread_create(&thread, NULL, cancel_at, (void *)(uintptr_t)rask_dashboard_url(d));
    int status = compute_shown(d, rask_call(g, &waiting_def, NULL, 0), &o);
    pthread_join(thread, NULL);
    cr_expect(rask_cancelled(options.cancel));
    char by[64] = "";
    cr_expect(rask_dashboard_cancelled(d, by, sizeof by) && !strcmp(by, "127.0.0.1"), "by %s", by);
    cr_expect_eq(status, RASK_ECANCELLED, "%s", rask_status_name(status));
    rask_graph_free(g);
    rask_dashboard_close(d);
    rask_cancel_token_free(options.cancel);
}

Test(dashboard, what_was_cancelled_did_not_fail)
{
    static const int statuses[] = {RASK_OK, RASK_ECANCELLED, RASK_EIO, RASK_ECANCELLED};
    rask_dashboard *d = opened(NULL);
    const rask_observer *o = rask_dashboard_observer(d);
    const rask_run_info run = {.run = 1, .tasks = 4, .workers = 2, .scheduler = "cluster", .start_ns = 1};
    o->plan_made(o->context, &run);
    for (uint32_t i = 0; i < 4; i++) {
        rask_task_info info = {.task = i, .name = "some", .label = "", .worker = 2, .start_ns = 1, .run = 1};
        info.lane = true;
        o->task_started(o->context, &info);
        info.end_ns = 2;
        info.status = statuses[i];
        o->task_finished(o->context, &info);
    }
    o->run_ended(o->context, &run);
    cJSON *state = state_of(rask_dashboard_url(d));
    const cJSON *worker = cJSON_GetArrayItem(at(state, "workers"), 0);
    cr_expect_eq(number(state, "tasks", "done"), 4);
    cr_expect_eq(number(state, "tasks", "failed"), 1);
    cr_expect_eq(number(worker, NULL, "failed"), 1);
    cr_expect(cJSON_IsTrue(at(worker, "lane")));
    cr_expect_eq(cJSON_GetArraySize(at(state, "failures")), 1);
    cJSON_Delete(state);
    rask_dashboard_close(d);
}

/* -- Streams */

typedef struct listener {
    pthread_t thread;
    const char *url;
    reply reply;
} listener;

static void *follow(void *context)
{
    listener *l = context;
    l->reply = ask(l->url, "events", NULL, false);
    return NULL;
}

static uint32_t events_in(const char *text)
{
    uint32_t count = 0;
    for (const char *event = strstr(text, "data: "); event; event = strstr(event + 1, "data: "))
        count++;
    return count;
}

/* What the events say together: tasks of slices, which must be those that ran. */
static double tasks_in_slices(const char *text, char phase[32])
{
    double tasks = 0;
    for (const char *event = strstr(text, "data: "); event; event = strstr(event + 1, "data: ")) {
        cJSON *told = cJSON_Parse(event + 6);
        const cJSON *slice;
        cr_assert_not_null(told, "no JSON: %.200s", event);
        cJSON_ArrayForEach(slice, at(told, "slices")) tasks += cJSON_GetArrayItem(slice, 4)->valuedouble;
        snprintf(phase, 32, "%s", text_at(at(told, "state"), "phase"));
        cJSON_Delete(told);
    }
    return tasks;
}

Test(dashboard, streams_tell_of_every_task_and_of_the_end)
{
    rask_dashboard *d = opened(NULL);
    listener l = {.url = strdup(rask_dashboard_url(d))};
    rask_graph *g = rask_graph_new();
    rask_options o = RASK_OPTIONS_INIT;
    rask_report report = {0};
    o.report = &report;
    o.workers = 2;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pthread_create(&l.thread, NULL, follow, &l);
    while (!atomic_load(&heard))
        usleep(1000);
    cr_assert_eq(compute_shown(d, many(g, 20000), &o), RASK_OK);
    rask_dashboard_close(d);
    pthread_join(l.thread, NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    char phase[32] = "";
    cr_expect_eq(l.reply.status, 200);
    cr_expect_str_eq(l.reply.type, "text/event-stream");
    cr_expect_eq(tasks_in_slices(l.reply.text, phase), report.finished);
    cr_expect_str_eq(phase, "finished");
    double seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    cr_expect_leq(events_in(l.reply.text), 10 * seconds + 3, "more than ten events a second");
    free(l.reply.text);
    free((void *)(uintptr_t)l.url);
    rask_graph_free(g);
}

/* -- Workers that are lost */

/* So many of the tracks are shown as at a task, and so many as a lost worker's. */
static void expect_tracks(const char *url, int running, int lost)
{
    cJSON *state = state_of(url);
    const cJSON *track;
    cJSON_ArrayForEach(track, at(state, "workers"))
    {
        running -= cJSON_HasObjectItem(track, "task");
        lost -= cJSON_IsTrue(cJSON_GetObjectItem(track, "lost"));
    }
    cr_expect_eq(running, 0);
    cr_expect_eq(lost, 0);
    cJSON_Delete(state);
}

/* Nobody tells of the ends of what it was at: here on a thread, a lane and a helper, and on a thread of another. */
Test(dashboard, a_lost_worker_is_at_no_task_on_whatever_thread)
{
    rask_dashboard *d = opened(NULL);
    const rask_observer *o = rask_dashboard_observer(d);
    const char *url = rask_dashboard_url(d);
    const rask_run_info run = {.run = 1, .tasks = 4, .workers = 4, .scheduler = "cluster", .start_ns = 1};
    rask_worker_info one = {.run = 1, .first = 0, .count = 2, .numbers = 6, .host = "a", .reason = ""};
    rask_worker_info other = {.run = 1, .first = 6, .count = 2, .numbers = 6, .host = "b", .reason = ""};
    static const uint32_t threads[] = {1, 2, 5, 6};
    o->plan_made(o->context, &run);
    o->worker_changed(o->context, &one);
    o->worker_changed(o->context, &other);
    for (uint32_t i = 0; i < 4; i++)
        o->task_started(
            o->context,
            &(rask_task_info){
                .run = 1, .task = i, .name = "t", .label = "", .worker = threads[i], .start_ns = 1});
    expect_tracks(url, 4, 0);
    one.lost = true;
    o->worker_changed(o->context, &one);
    expect_tracks(url, 1, 3);
    o->run_ended(o->context, &run);
    rask_dashboard_close(d);
}

/* -- Guests who misbehave */

static uint16_t port_of(const char *url)
{
    unsigned port = 0;
    cr_assert_eq(sscanf(url, "http://127.0.0.1:%u", &port), 1);
    return (uint16_t)port;
}

static int dial(uint16_t port)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval patience = {.tv_sec = 10};
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    cr_assert_eq(connect(fd, (struct sockaddr *)&place, sizeof place), 0);
    return fd;
}

/* The status of what the server says to these bytes; 0: it hangs up without a word. */
static int told(uint16_t port, const char *bytes, size_t len)
{
    char answer[2000] = "";
    int fd = dial(port), status = 0;
    if (send(fd, bytes, len, MSG_NOSIGNAL) < 0)
        cr_log_info("it did not listen to all");
    shutdown(fd, SHUT_WR);
    ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
    cr_expect(got >= 0 || errno != EAGAIN, "no answer, and no end");
    sscanf(answer, "HTTP/1.%*d %d", &status);
    close(fd);
    return status;
}

Test(dashboard, hostile_requests_are_refused_and_the_next_is_answered)
{
    static const char *const bad[] = {
        "\r\n\r\n\r\n",
        "GET",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "PUT /api/state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /api/cancel HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /%00%00/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n"};
    rask_dashboard *d = opened(NULL);
    uint16_t port = port_of(rask_dashboard_url(d));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int status = told(port, bad[i], strlen(bad[i]));
        cr_expect(status == 0 || (status >= 400 && status < 500) || status == 505 || status == 501, "%s: %d",
                  bad[i], status);
    }
    size_t len = 1 << 20;
    char *huge = malloc(len);
    memset(huge, 'a', len);
    memcpy(huge, "GET /", 5);
    int status = told(port, huge, len);
    cr_expect(status == 0 || status >= 400, "%d", status);
    free(huge);
    cr_expect_eq(status_of(rask_dashboard_url(d), "healthz", NULL, false), 200);
    rask_dashboard_close(d);
}

/* Comes, and does not wait to be let in. */
static int knock(uint16_t port)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert(!connect(fd, (struct sockaddr *)&place, sizeof place) || errno == EINPROGRESS);
    return fd;
}

Test(dashboard, too_many_guests_do_not_keep_it_from_ending, .timeout = 60)
{
    enum { GUESTS = 100 };
    rask_dashboard *d = opened(NULL);
    const char *url = rask_dashboard_url(d);
    char request[300];
    int fds[GUESTS];
    snprintf(request, sizeof request, "GET %sevents HTTP/1.1\r\nHost: localhost\r\n\r\n",
             strchr(url + 7, '/'));
    for (int i = 0; i < GUESTS; i++) {
        fds[i] = knock(port_of(url)); /* and never reads */
        (void)!send(fds[i], request, strlen(request), MSG_NOSIGNAL);
    }
    for (int i = 0; i < GUESTS / 4; i++) /* there is room for these; others may not even be let in */
        cr_assert_eq(poll(&(struct pollfd){.fd = fds[i], .events = POLLIN}, 1, -1), 1);
    rask_dashboard_close(d);
    for (int i = 0; i < GUESTS; i++)
        close(fds[i]);
}

/* The server by itself, with less patience. */
static void answer_ok(void *context, const rk_http_request *request, rk_http_answer *answer)
{
    (void)context;
    (void)request;
    *answer = (rk_http_answer){.status = 200, .type = "text/plain", .bytes = "ok", .len = 2};
}

Test(dashboard, guests_who_say_nothing_are_shown_out)
{
    const void *found;
    char error[400] = "", byte;
    rk_listener l;
    rk_http_server *server = NULL;
    rk_http_service service = {.patience_s = 1, .answer = answer_ok};
    cr_assert_eq(rk_module_open(RK_HTTP_MODULE, sizeof(rk_http_module), &found, error, sizeof error), RASK_OK,
                 "%s", error);
    const rk_http_module *http = found;
    cr_assert_eq(rk_listen(NULL, &l, error, sizeof error), RASK_OK);
    cr_assert_eq(http->open(l.socket, &service, &server), RASK_OK);
    char url[330];
    snprintf(url, sizeof url, "http://%s", l.authority);
    int fd = dial(port_of(url));
    cr_assert_eq(send(fd, "GET / HT", 8, MSG_NOSIGNAL), 8);
    ssize_t got = recv(fd, &byte, 1, 0);
    cr_expect(got == 0 || (got < 0 && errno == ECONNRESET) || got == 1, "it still waits");
    close(fd);
    http->close(server, 100);
}

/* -- Opening */

Test(dashboard, what_cannot_be_opened_is_said)
{
    rask_dashboard_options options = RASK_DASHBOARD_OPTIONS_INIT;
    char error[400] = "", taken[100];
    rask_dashboard *d = opened(NULL), *other = NULL;
    snprintf(taken, sizeof taken, "127.0.0.1:%u", port_of(rask_dashboard_url(d)));
    options.address = taken;
    cr_expect_eq(rask_dashboard_open(&options, &other, error, sizeof error), RASK_EIO);
    cr_expect(strstr(error, taken) && strstr(error, "in use"), "%s", error);
    options.address = "nowhere:at:all";
    cr_expect_eq(rask_dashboard_open(&options, &other, error, sizeof error), RASK_EINVAL);
    cr_expect_eq(rask_dashboard_open(&options, &other, NULL, 0), RASK_EINVAL);
    cr_expect_eq(rask_dashboard_open(&options, NULL, error, sizeof error), RASK_EINVAL);
    cr_expect_null(other);
    rask_dashboard_close(d);
    rask_dashboard_close(NULL);
    cr_expect_str_eq(rask_dashboard_url(NULL), "");
    cr_expect_null(rask_dashboard_observer(NULL));
}

/* -- Pages that options ask for */

/* stderr goes to a file from here on, in which a page says where it is. */
static FILE *catch_stderr(void)
{
    FILE *said = tmpfile();
    fflush(stderr);
    dup2(fileno(said), STDERR_FILENO);
    return said;
}

/* Waits for it. */
static void url_said(FILE *said, char url[400])
{
    int found = 0;
    for (int i = 0; i < 2000 && found != 1; i++) {
        rewind(said);
        found = fscanf(said, "rask: what is computed is shown at %399s", url);
        if (found != 1)
            usleep(5000);
    }
    cr_assert_eq(found, 1, "no page was told of");
}

static void *cancel_what_is_said(void *said)
{
    char url[400];
    url_said(said, url);
    return cancel_at(url);
}

/* While a client goes on, what is told may be of a moment ago. */
static cJSON *state_with_one_done(const char *url)
{
    cJSON *state = state_of(url);
    for (int i = 0; i < 2000 && number(state, "tasks", "done") != 1; i++) {
        usleep(5000);
        cJSON_Delete(state);
        state = state_of(url);
    }
    cr_expect_eq(number(state, "tasks", "done"), 1);
    return state;
}

Test(dashboard, options_show_a_run_whose_button_cancels_it)
{
    FILE *said = catch_stderr();
    rask_graph *g = rask_graph_new();
    rask_options o = RASK_OPTIONS_INIT;
    rask_value result = rask_value_none();
    pthread_t thread;
    o.dashboard = "";
    pthread_create(&thread, NULL, cancel_what_is_said, said);
    cr_expect_eq(rask_compute_value(rask_call(g, &waiting_def, NULL, 0), &o, &result), RASK_ECANCELLED);
    pthread_join(thread, NULL);
    rask_graph_free(g);
    fclose(said);
}

Test(dashboard, options_show_what_a_client_does_until_it_is_closed)
{
    static const char *const schedulers[] = {"serial", "threads", "processes"};
    for (size_t i = 0; i < sizeof schedulers / sizeof *schedulers; i++) {
        FILE *said = catch_stderr();
        char url[400];
        rask_client *client;
        int64_t answer = 0;
        rask_options o = RASK_OPTIONS_INIT;
        o.scheduler = schedulers[i];
        o.workers = 2;
        o.dashboard = "127.0.0.1";
        cr_assert_eq(rask_client_open(&o, &client), RASK_OK, "%s", rask_client_open_error());
        cr_expect_str_eq(rask_client_open_error(), "");
        rask_graph *g = rask_graph_new();
        rask_future *future = rask_submit(client, rask_delayed(g, one, (int64_t)7));
        cr_expect_eq(rask_future_get(future, &answer), RASK_OK);
        rask_client_drain(client, -1);
        url_said(said, url);
        cJSON *state = state_with_one_done(url);
        cr_expect_str_eq(text_at(at(state, "run"), "scheduler"), schedulers[i]);
        cr_expect(cJSON_IsFalse(at(state, "can_cancel")), "nobody gave it what to cancel");
        cJSON_Delete(state);
        rask_client_close(client);
        cr_expect_eq(status_of(url, "healthz", NULL, false), 0, "it is still there");
        rask_future_unref(future);
        rask_graph_free(g);
        fclose(said);
    }
}

Test(dashboard, options_whose_page_cannot_be_had_fail_before_anything_runs)
{
    char taken[100];
    int64_t answer = 0;
    rask_client *client = NULL;
    rask_dashboard *d = opened(NULL);
    rask_graph *g = rask_graph_new();
    rask_options o = RASK_OPTIONS_INIT;
    snprintf(taken, sizeof taken, "127.0.0.1:%u", port_of(rask_dashboard_url(d)));
    o.dashboard = taken;
    o.progress = true;
    cr_expect_eq(rask_compute_with(rask_delayed(g, one, (int64_t)7), &o, &answer), RASK_EIO);
    cr_expect(strstr(rask_graph_error(g), taken), "%s", rask_graph_error(g));
    cr_expect_eq(answer, 0);
    cr_expect_eq(rask_client_open(&o, &client), RASK_EIO);
    cr_expect(strstr(rask_client_open_error(), taken), "%s", rask_client_open_error());
    cr_expect_null(client);
    rask_graph_free(g);
    rask_dashboard_close(d);
}

/* Whatever there is no memory for, the run is not the page's hostage, and nothing is left. */
static int open_run_close(void)
{
    rask_dashboard *d = NULL;
    int64_t answer = 0;
    int status = rask_dashboard_open(NULL, &d, NULL, 0);
    rask_graph *g = status ? NULL : rask_graph_new();
    const rask_observer *observer = rask_dashboard_observer(d);
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "serial";
    o.observers = &observer;
    o.observer_count = 1;
    rask_node *node = g ? rask_delayed(g, one, (int64_t)7) : NULL;
    if (!status)
        status = node ? rask_compute_with(node, &o, &answer) : RASK_ENOMEM;
    cr_assert(status || answer == 7);
    rask_graph_free(g);
    rask_dashboard_close(d);
    return status;
}

Test(dashboard, without_memory_nothing_leaks_and_no_answer_is_wrong)
{
    sweep(open_run_close, 0);
}
