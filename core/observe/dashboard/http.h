/* core/observe/dashboard/http: what the module rask-http gives to the library: an HTTP server. It alone is linked with
 * libmicrohttpd, so that programs that show no page do not load it. It knows nothing of pages. */
#ifndef RASK_CORE_OBSERVE_DASHBOARD_HTTP_H
#define RASK_CORE_OBSERVE_DASHBOARD_HTTP_H

#include "core/base/module.h"

#include <stdbool.h>
#include <stddef.h>

#define RK_HTTP_MODULE "rask-http"

enum {
    RK_HTTP_CONNECTIONS = 64,   /* at once; further ones are closed */
    RK_HTTP_STREAMS = 16,       /* of these, that stay open; further ones are told to come again */
    RK_HTTP_HEADERS = 16 << 10, /* bytes of a request without its body; more is refused */
    RK_HTTP_BODY = 4096,        /* and of a body, which nobody looks at */
};

/* A request. Texts are NULL where it has none, and valid during the call. */
typedef struct rk_http_request {
    const char *method, *path, *host, *origin, *authorization;
    const char *peer; /* the address that it comes from; "" where that is not known */
} rk_http_request;

typedef struct rk_http_answer {
    int status;
    const char *type;  /* of the content; static */
    char *text;        /* malloc's, the server's to free; NULL: bytes */
    const void *bytes; /* static */
    size_t len;
    void *stream;      /* not NULL: the content is what more() gives */
    char location[64]; /* where to look instead; "": nowhere */
} rk_http_answer;

/* All calls come from the server's own thread. */
typedef struct rk_http_service {
    void *context;
    uint32_t patience_s; /* for clients that neither send nor take */
    void (*answer)(void *context, const rk_http_request *request, rk_http_answer *answer);
    /* Of a stream: so many bytes into buffer; 0: there are none yet, it is asked again after wake(); -1: that was all. */
    ptrdiff_t (*more)(void *stream, char *buffer, size_t capacity);
    void (*end)(void *stream);
} rk_http_service;

typedef struct rk_http_server rk_http_server;

typedef struct rk_http_module {
    rk_module_head head;
    /* Serves at a socket that listens, and which is the server's from here on, also on failure. The service is copied. RASK_OK,
     * RASK_ENOMEM, RASK_EIO. */
    int (*open)(int listener, const rk_http_service *service, rk_http_server **server);
    /* Streams that had nothing are asked again. From any thread. */
    void (*wake)(rk_http_server *server);
    /* Streams get patience_ms to end by themselves; then all connections are closed. NULL is legal. */
    void (*close)(rk_http_server *server, uint32_t patience_ms);
} rk_http_module;

#endif
