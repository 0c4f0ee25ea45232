#include "core/observe/dashboard/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <rask/base.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 32, MOST_PORT = 65535, MOST_HOST = 64 };

typedef union place {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} place;

static bool read_port(const char *text, uint16_t *port)
{
    if (!*text || strlen(text) > 5 || text[strspn(text, "0123456789")])
        return false;
    unsigned long value = strtoul(text, NULL, 10);
    *port = (uint16_t)value;
    return value <= MOST_PORT;
}

/* Host and port, as texts. False: neither can be that. */
static bool split(const char *address, char host[MOST_HOST], const char **port)
{
    const char *end = *address == '[' ? strchr(address, ']') : NULL;
    const char *colon = strchr(end ? end : address, ':'), *begin = address + (end != NULL);
    bool number = address[strspn(address, "0123456789")] == 0;
    if (*address == '[' && (!end || (end[1] && end[1] != ':')))
        return false;
    size_t len = number ? 0 : end ? (size_t)(end - begin) : colon ? (size_t)(colon - begin) : strlen(begin);
    if (len >= MOST_HOST)
        return false;
    memcpy(host, begin, len);
    host[len] = 0;
    *port = number ? address : colon ? colon + 1 : "0";
    return true;
}

static bool read_place(const char *address, place *at)
{
    char host[MOST_HOST];
    const char *text;
    uint16_t port;
    *at = (place){0};
    if (!*address)
        address = "0";
    if (!split(address, host, &text) || !read_port(text, &port))
        return false;
    if (*address == '[') {
        at->v6.sin6_family = AF_INET6;
        at->v6.sin6_port = htons(port);
        return inet_pton(AF_INET6, host, &at->v6.sin6_addr) == 1;
    }
    at->v4.sin_family = AF_INET;
    at->v4.sin_port = htons(port);
    return inet_pton(AF_INET, !*host || !strcmp(host, "localhost") ? "127.0.0.1" : host, &at->v4.sin_addr) ==
           1;
}

static bool is_anywhere(const place *at)
{
    if (at->any.sa_family == AF_INET)
        return at->v4.sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&at->v6.sin6_addr);
}

/* Who listens to all addresses is best reached by name. */
static void name_place(const place *at, rk_listener *l)
{
    char text[INET6_ADDRSTRLEN] = "";
    bool v4 = at->any.sa_family == AF_INET;
    unsigned port = ntohs(v4 ? at->v4.sin_port : at->v6.sin6_port);
    if (v4)
        inet_ntop(AF_INET, &at->v4.sin_addr, text, sizeof text);
    else
        inet_ntop(AF_INET6, &at->v6.sin6_addr, text, sizeof text);
    if (is_anywhere(at) && gethostname(l->host, sizeof l->host - 1) == 0 && *l->host)
        snprintf(l->authority, sizeof l->authority, "%s:%u", l->host, port);
    else
        snprintf(l->authority, sizeof l->authority, v4 ? "%s:%u" : "[%s]:%u", text, port);
}

static bool begin(int fd, place *at)
{
    int on = 1;
    socklen_t len = at->any.sa_family == AF_INET ? sizeof at->v4 : sizeof at->v6;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, &at->any, len) == 0 &&
           listen(fd, BACKLOG) == 0 && getsockname(fd, &at->any, &len) == 0;
}

int rk_listen(const char *address, rk_listener *listener, char *error, size_t capacity)
{
    place at;
    rk_listener l = {.socket = -1};
    address = address ? address : "";
    if (!read_place(address, &at)) {
        snprintf(error, capacity, "%.100s: not an address to listen at, such as 127.0.0.1:8787 or [::1]:8787",
                 address);
        return RASK_EINVAL;
    }
    l.socket = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l.socket < 0 || !begin(l.socket, &at)) {
        int why = errno;
        snprintf(error, capacity, "%.100s: %s", *address ? address : "127.0.0.1",
                 why == EADDRINUSE ? "the port is in use by another program" : strerror(why));
        if (l.socket >= 0)
            close(l.socket);
        return RASK_EIO;
    }
    name_place(&at, &l);
    *listener = l;
    return RASK_OK;
}
