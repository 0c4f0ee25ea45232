/* Follows the links of a site: each page is fetched once, whoever links to it, by tasks that wait without keeping a core busy, and
 * read by tasks that submit what they find. The site is this program's own, on this machine: pages that are slow, pages that
 * need a second try, and one that never answers.
 * Shows: I/O tasks, retries and timeouts, a limit for each host, a task that goes on as another, tasks that submit, pure calls
 * that meet. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <rask/rask.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* -- The site: page n links to 3n + 1, 3n + 2, 3n + 3, and home. */

enum { PAGES = 60, SILENT = 41, SERVERS = 16 };

static int listener;
static char home[64];
static atomic_int asked[PAGES]; /* how often each page was */

static bool is_busy_at_first(int page)
{
    return page % 10 == 5;
}

static void answer(int fd, int page, int tries)
{
    char body[512], head[128];
    if (is_busy_at_first(page) && !tries) {
        dprintf(fd, "HTTP/1.0 503 Busy\r\n\r\n");
        return;
    }
    if (page % 7 == 3)
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    int len = snprintf(body, sizeof body, "Page %d <a href=\"%s0\">home</a>", page, home);
    for (int i = 3 * page + 1; i <= 3 * page + 3; i++)
        len += snprintf(body + len, sizeof body - (size_t)len, " <a href=\"%s%d\">%d</a>", home, i % PAGES,
                        i % PAGES);
    snprintf(head, sizeof head, "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n", len);
    dprintf(fd, "%s%s", head, body);
}

static void serve_one(int fd)
{
    char request[1024] = "";
    int page = -1;
    ssize_t got = recv(fd, request, sizeof request - 1, 0);
    if (got <= 0 || sscanf(request, "GET /%d ", &page) != 1 || page < 0 || page >= PAGES)
        return;
    int tries = atomic_fetch_add(&asked[page], 1);
    if (page == SILENT)
        recv(fd, request, sizeof request, 0); /* until the other side has had enough */
    else
        answer(fd, page, tries);
}

static void *serve(void *unused)
{
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
        serve_one(fd);
    return unused;
}

static int open_site(pthread_t *servers)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (void *)&at, len) || listen(listener, 64) ||
        getsockname(listener, (void *)&at, &len))
        return -1;
    snprintf(home, sizeof home, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    for (int i = 0; i < SERVERS; i++)
        if (pthread_create(&servers[i], NULL, serve, NULL))
            return -1;
    return 0;
}

static void close_site(pthread_t *servers)
{
    shutdown(listener, SHUT_RDWR);
    for (int i = 0; i < SERVERS; i++)
        pthread_join(servers[i], NULL);
    close(listener);
}

/* -- The crawler. */

enum { RETRIES = 2, LONGEST_PAGE = 1 << 20, MOST_PAGES = 1000, AT_ONCE = 4 };

static const char limits[] = "127.0.0.1=4"; /* pages of a host that are asked for at once */
static atomic_int fetching, most_fetching;

typedef struct text {
    char *data;
    size_t len;
} text;

static size_t append(char *data, size_t size, size_t count, void *to)
{
    text *page = to;
    size_t len = size * count;
    char *grown = len <= LONGEST_PAGE - page->len ? realloc(page->data, page->len + len + 1) : NULL;
    if (!grown)
        return 0; /* which is an error of curl's */
    memcpy(grown + page->len, data, len);
    page->data = grown;
    page->len += len;
    return len;
}

/* Waits for the page, but not longer than the task may. */
static CURLcode wait_for_page(CURL *request, rask_task *t)
{
    CURLcode outcome = CURLE_OPERATION_TIMEDOUT;
    CURLM *multi = curl_multi_init();
    int running = 1, left;
    curl_multi_add_handle(multi, request);
    while (running && !rask_task_cancelled(t))
        if (!curl_multi_perform(multi, &running) && running)
            curl_multi_poll(multi, NULL, 0, 20, NULL);
    for (CURLMsg *news; (news = curl_multi_info_read(multi, &left));)
        outcome = news->data.result;
    curl_multi_remove_handle(multi, request);
    curl_multi_cleanup(multi);
    return outcome;
}

static CURLcode download(rask_task *t, const char *url, text *page)
{
    CURL *request = curl_easy_init();
    if (!request)
        return CURLE_OUT_OF_MEMORY;
    curl_easy_setopt(request, CURLOPT_URL, url);
    curl_easy_setopt(request, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L); /* threads */
    curl_easy_setopt(request, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(request, CURLOPT_WRITEDATA, page);
    CURLcode outcome = wait_for_page(request, t);
    curl_easy_cleanup(request);
    return outcome;
}

static int fetch(rask_task *t);
RASK_SLOTS_WITH(fetch, (.flags = RASK_PURE | RASK_IO, .retries = RETRIES, .timeout = 0.6));

/* What is under way or done, each page once; held until the end, so that it is met whenever it is asked for again. */
static struct {
    pthread_mutex_t lock;
    rask_client *client;
    rask_future *pages[MOST_PAGES];
    size_t count;
} crawl = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void visit(rask_graph *g, const char *url)
{
    char host[64] = "";
    sscanf(url, "http://%63[^:/]", host);
    rask_future *page = rask_submit(crawl.client, rask_set_tags(rask_delayed(g, fetch, url), host));
    pthread_mutex_lock(&crawl.lock);
    size_t i = 0;
    while (i < crawl.count && crawl.pages[i] != page)
        i++;
    if (i == crawl.count && i < MOST_PAGES)
        crawl.pages[crawl.count++] = page;
    else
        rask_future_unref(page); /* it was met */
    pthread_mutex_unlock(&crawl.lock);
}

/* A page → its length; the links in it are visited. */
static int follow(rask_task *t)
{
    char url[256];
    rask_bytes page = rask_arg_bytes(t, 0);
    for (const char *at = page.data; (at = strstr(at, "href=\"")); at++)
        if (sscanf(at, "href=\"%255[^\"]", url) == 1)
            visit(rask_task_graph(t), url);
    return rask_return_i64(t, (int64_t)page.len);
}
RASK_SLOTS(follow);

/* An address → what follow() makes of the page. This waits, in a lane of its own; that works, on a core. */
static int fetch(rask_task *t)
{
    text page = {0};
    int now = atomic_fetch_add(&fetching, 1) + 1, most = atomic_load(&most_fetching);
    while (most < now && !atomic_compare_exchange_weak(&most_fetching, &most, now)) {
    }
    CURLcode outcome = download(t, rask_arg_str(t, 0), &page);
    atomic_fetch_sub(&fetching, 1);
    int status = outcome ? rask_fail(t, RASK_EIO, curl_easy_strerror(outcome))
                         : rask_return_node(t, rask_delayed(rask_task_graph(t), follow,
                                                            ((rask_bytes){page.data, page.len})));
    free(page.data);
    return status;
}

/* Returns how many pages came. */
static int report(void)
{
    int pages = 0;
    int64_t len, total = 0;
    for (size_t i = 0; i < crawl.count; i++) {
        if (rask_future_get(crawl.pages[i], &len)) {
            printf("%s\n", rask_future_error(crawl.pages[i]));
        } else {
            pages++;
            total += len;
        }
        rask_future_unref(crawl.pages[i]);
    }
    printf("%d pages, %lld bytes\n", pages, (long long)total);
    return pages;
}

static int crawl_all(void)
{
    char start[80];
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "threads"; /* whatever the environment says: tasks submit to this program's client */
    o.io_lanes = SERVERS;
    o.limits = limits;
    if (rask_client_open(&o, &crawl.client))
        return 0;
    rask_graph *g = rask_graph_new();
    snprintf(start, sizeof start, "%s0", home);
    visit(g, start);
    rask_client_drain(crawl.client, -1); /* tasks that run submit others: until none is left */
    rask_graph_free(g);
    rask_client_close(crawl.client);
    return report();
}

int main(void)
{
    pthread_t servers[SERVERS];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (open_site(servers))
        return 1;
    bool right = crawl_all() == PAGES - 1;
    close_site(servers);
    curl_global_cleanup();
    for (int i = 0; i < PAGES; i++)
        right &= asked[i] == (i == SILENT ? RETRIES + 1 : 1 + is_busy_at_first(i));
    right &= most_fetching <= AT_ONCE;
    printf("at most %d at once, ", most_fetching);
    printf("each was asked for %s\n", right ? "once, or until it answered" : "too often, or too seldom");
    return right ? 0 : 1;
}
