/* rask-http: a server on libmicrohttpd.
 *
 * One thread, libmicrohttpd's own, serves all connections. A stream that has nothing to say is suspended, and resumed by
 * wake(). Its flag says so under the lock, and is set before it is suspended, in the same hold: who resumes under the lock never
 * meets one that is about to be. Once the server closes no stream is suspended any more: its end is given instead. */
#include "core/observe/dashboard/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 32 << 10, CLOSING_STEP_NS = 5000000 };

typedef struct stream {
    rk_http_server *server;
    struct MHD_Connection *connection;
    void *own; /* the service's */
    bool suspended;
    struct stream *next, **place; /* of the server's */
} stream;

struct rk_http_server {
    rk_http_service service;
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock;
    stream *streams;
    uint32_t stream_count;
    bool closing, gone; /* gone: streams end whether they have said all or not */
};

/* What is known of a request while it comes in. */
typedef struct incoming {
    size_t body;
} incoming;

/* -- Streams */

static ssize_t give(void *context, uint64_t position, char *buffer, size_t capacity)
{
    stream *s = context;
    rk_http_server *server = s->server;
    (void)position;
    ptrdiff_t got = server->service.more(s->own, buffer, capacity);
    if (got > 0)
        return got;
    if (got < 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    pthread_mutex_lock(&server->lock);
    bool ends = server->gone, waits = !server->closing;
    if (waits) {
        s->suspended = true;
        MHD_suspend_connection(s->connection);
    }
    pthread_mutex_unlock(&server->lock);
    return ends ? MHD_CONTENT_READER_END_OF_STREAM : 0;
}

static void end_stream(void *context)
{
    stream *s = context;
    rk_http_server *server = s->server;
    pthread_mutex_lock(&server->lock);
    *s->place = s->next;
    if (s->next)
        s->next->place = s->place;
    server->stream_count--;
    pthread_mutex_unlock(&server->lock);
    server->service.end(s->own);
    free(s);
}

static stream *new_stream(rk_http_server *server, struct MHD_Connection *connection, void *own)
{
    stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (stream){.server = server, .connection = connection, .own = own, .place = &server->streams};
    pthread_mutex_lock(&server->lock);
    s->next = server->streams;
    if (s->next)
        s->next->place = &s->next;
    server->streams = s;
    server->stream_count++;
    pthread_mutex_unlock(&server->lock);
    return s;
}

static void resume_all(rk_http_server *server)
{
    for (stream *s = server->streams; s; s = s->next)
        if (s->suspended) {
            s->suspended = false;
            MHD_resume_connection(s->connection);
        }
}

static void wake(rk_http_server *server)
{
    pthread_mutex_lock(&server->lock);
    resume_all(server);
    pthread_mutex_unlock(&server->lock);
}

/* -- Answers */

static const char *const headers[][2] = {
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src "
                                "'self'; img-src data:; base-uri 'none'; "
                                "form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

/* location may be NULL. */
static enum MHD_Result send_response(struct MHD_Connection *connection, int status, const char *type,
                                     const char *location, struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    enum MHD_Result done = MHD_add_response_header(response, "Content-Type", type);
    for (size_t i = 0; i < sizeof headers / sizeof *headers && done; i++)
        done = MHD_add_response_header(response, headers[i][0], headers[i][1]);
    if (done && location && *location)
        done = MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, location);
    if (done && status == 405)
        done = MHD_add_response_header(response, "Allow", "GET, HEAD, POST");
    if (done)
        done = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return done;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, int status, const char *why)
{
    // NOLINTNEXTLINE: the text is static, and libmicrohttpd does not write to what is persistent
    return send_response(
        connection, status, "text/plain; charset=utf-8", NULL,
        MHD_create_response_from_buffer(strlen(why), (void *)(uintptr_t)why, MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result send_stream(rk_http_server *server, struct MHD_Connection *connection,
                                   const rk_http_answer *answer)
{
    pthread_mutex_lock(&server->lock);
    bool room = server->stream_count < RK_HTTP_STREAMS;
    pthread_mutex_unlock(&server->lock);
    stream *s = room ? new_stream(server, connection, answer->stream) : NULL;
    if (!s) {
        server->service.end(answer->stream);
        return refuse(connection, 503, "too many pages are open\n");
    }
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, give, s, end_stream);
    if (!response)
        end_stream(s);
    return send_response(connection, answer->status, answer->type, NULL, response);
}

static void name_peer(struct MHD_Connection *connection, char text[INET6_ADDRSTRLEN])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    const void *number = NULL;
    if (address && address->sa_family == AF_INET)
        number = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (address && address->sa_family == AF_INET6)
        number = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (!number || !inet_ntop(address->sa_family, number, text, INET6_ADDRSTRLEN))
        text[0] = 0;
}

static enum MHD_Result answer_one(rk_http_server *server, struct MHD_Connection *connection, const char *path,
                                  const char *method)
{
    rk_http_answer answer = {.status = 500, .type = "text/plain; charset=utf-8", .bytes = ""};
    char peer[INET6_ADDRSTRLEN];
    name_peer(connection, peer);
    rk_http_request request = {
        .peer = peer,
        .method = method,
        .path = path,
        .host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST),
        .origin = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin"),
        .authorization =
            MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION),
    };
    server->service.answer(server->service.context, &request, &answer);
    if (answer.stream)
        return send_stream(server, connection, &answer);
    bool own = answer.text != NULL;
    void *bytes = own ? answer.text : (void *)(uintptr_t)answer.bytes;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer.len, bytes, own ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!response)
        free(answer.text);
    return send_response(connection, answer.status, answer.type, answer.location, response);
}

static bool is_known(const char *method)
{
    return !strcmp(method, "GET") || !strcmp(method, "HEAD") || !strcmp(method, "POST");
}

/* Called when the headers are there, for each part of a body, and when all is there. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *len,
                                  void **state)
{
    rk_http_server *server = context;
    incoming *in = *state;
    (void)version;
    (void)data;
    if (!is_known(method))
        return refuse(connection, 405, "only GET, HEAD and POST\n");
    if (!in) {
        *state = in = calloc(1, sizeof *in);
        return in ? MHD_YES : MHD_NO;
    }
    if (*len) {
        in->body += *len;
        *len = 0;
        return in->body <= RK_HTTP_BODY ? MHD_YES : MHD_NO;
    }
    return answer_one(server, connection, path, method);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    free(*state);
    *state = NULL;
}

/* -- The server */

static void free_server(rk_http_server *server)
{
    pthread_mutex_destroy(&server->lock);
    free(server);
}

/* Signals are for the program's own threads. By poll(): told by edges, as with epoll, libmicrohttpd overlooks the end of a request that
 * came with its last bytes. */
static struct MHD_Daemon *start(rk_http_server *server, int listener)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)listener, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)RK_HTTP_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)server->service.patience_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)RK_HTTP_HEADERS + BLOCK + 4096,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return daemon;
}

static int open_server(int listener, const rk_http_service *service, rk_http_server **out)
{
    rk_http_server *server = calloc(1, sizeof *server);
    if (server) {
        server->service = *service;
        pthread_mutex_init(&server->lock, NULL);
        server->daemon = start(server, listener);
    }
    if (server && server->daemon) {
        *out = server;
        return RASK_OK;
    }
    close(listener);
    int status = server ? RASK_EIO : RASK_ENOMEM;
    if (server)
        free_server(server);
    return status;
}

/* Streams that are left. */
static uint32_t let_go(rk_http_server *server, bool gone)
{
    pthread_mutex_lock(&server->lock);
    server->closing = true;
    server->gone = gone;
    resume_all(server);
    uint32_t left = server->stream_count;
    pthread_mutex_unlock(&server->lock);
    return left;
}

static void close_server(rk_http_server *server, uint32_t patience_ms)
{
    if (!server)
        return;
    struct timespec step = {.tv_nsec = CLOSING_STEP_NS};
    uint64_t steps = (uint64_t)patience_ms * 1000000 / CLOSING_STEP_NS;
    while (let_go(server, false) && steps--)
        nanosleep(&step, NULL);
    let_go(server, true);
    MHD_stop_daemon(server->daemon);
    free_server(server);
}

RASK_API extern const rk_http_module rask_module;
const rk_http_module rask_module = {
    .head = RK_MODULE_HEAD(rk_http_module),
    .open = open_server,
    .wake = wake,
    .close = close_server,
};
