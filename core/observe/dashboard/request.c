#include "core/observe/dashboard/request.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

enum { MOST_HOST = 255 };

bool rk_token_make(char *token)
{
    unsigned char random[RK_TOKEN_DIGITS / 2];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return false;
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(token + 2 * i, 3, "%02x", random[i]);
    return true;
}

/* In a time that says nothing of where they differ. */
static bool is_token(const char *text, size_t len, const char *token)
{
    unsigned char differ = 0;
    if (len != RK_TOKEN_DIGITS)
        return false;
    for (size_t i = 0; i < RK_TOKEN_DIGITS; i++)
        differ |= (unsigned char)(text[i] ^ token[i]);
    return !differ;
}

/* -- Host: a page from elsewhere may have a name resolve to this machine, and then asks under that name; so only what nobody else
 * can own is answered. */

/* Without brackets and port into name. False: it is none. */
static bool split_host(const char *host, char name[MOST_HOST + 1])
{
    bool v6 = *host == '[';
    const char *begin = host + v6, *end = strchr(begin, v6 ? ']' : ':');
    size_t len = end ? (size_t)(end - begin) : strlen(begin);
    const char *port = !end ? "" : v6 ? end + 1 : end;
    if ((v6 && !end) || !len || len > MOST_HOST)
        return false;
    memcpy(name, begin, len);
    name[len] = 0;
    return !*port || (*port == ':' && strspn(port + 1, "0123456789") == strlen(port + 1));
}

static bool is_host(const char *host, const char *own)
{
    char name[MOST_HOST + 1];
    struct in6_addr address;
    if (!host || !split_host(host, name))
        return false;
    return inet_pton(*host == '[' ? AF_INET6 : AF_INET, name, &address) == 1 ||
           !strcasecmp(name, "localhost") || (*own && !strcasecmp(name, own));
}

/* Of a page of the same server, or of no page. */
static bool is_origin(const rk_http_request *r)
{
    static const char scheme[] = "http://";
    return !r->origin ||
           (!strncmp(r->origin, scheme, strlen(scheme)) && !strcasecmp(r->origin + strlen(scheme), r->host));
}

/* -- Paths */

/* What follows the token, with its slash, if it has one; NULL: it is not there. */
static const char *behind_token(const rk_http_request *r, const char *token)
{
    static const char bearer[] = "Bearer ";
    const char *given = r->authorization;
    if (given && !strncmp(given, bearer, strlen(bearer)) &&
        is_token(given + strlen(bearer), strlen(given + strlen(bearer)), token))
        return r->path;
    if (r->path[0] != '/')
        return NULL;
    size_t len = strcspn(r->path + 1, "/");
    return is_token(r->path + 1, len, token) ? r->path + 1 + len : NULL;
}

static int find(const char *path, rk_wanted *wanted)
{
    static const char *const paths[] = {
        [RK_WANTS_PAGE] = "/",          [RK_WANTS_STYLE] = "/page.css",    [RK_WANTS_SCRIPT] = "/page.js",
        [RK_WANTS_EVENTS] = "/events",  [RK_WANTS_STATE] = "/api/state",   [RK_WANTS_METRICS] = "/metrics",
        [RK_WANTS_HEALTH] = "/healthz", [RK_WANTS_CANCEL] = "/api/cancel", [RK_WANTS_SLASH] = "",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (!strcmp(path, paths[i])) {
            *wanted = (rk_wanted)i;
            return 0;
        }
    return 404;
}

static int refuse(int status, const char *reason, const char **why)
{
    *why = reason;
    return status;
}

/* Once it is known whose request it is. */
static int check_method(const rk_http_request *r, rk_wanted wanted, const char **why)
{
    bool post = !strcmp(r->method, "POST");
    if (post != (wanted == RK_WANTS_CANCEL))
        return refuse(405, post ? "this can only be read\n" : "this takes a POST\n", why);
    if (wanted == RK_WANTS_EVENTS && strcmp(r->method, "GET") != 0)
        return refuse(405, "this can only be read\n", why);
    return 0;
}

int rk_request_read(const rk_http_request *r, const char *token, const char *host, rk_wanted *wanted,
                    const char **why)
{
    rk_wanted found = RK_WANTS_PAGE;
    bool health = !strcmp(r->path, "/healthz"); /* which needs no token */
    if (!is_host(r->host, host))
        return refuse(403, "the Host header has neither an address nor localhost\n", why);
    if (!is_origin(r))
        return refuse(403, "a page from elsewhere may not ask\n", why);
    const char *path = *token && !health ? behind_token(r, token) : r->path;
    if (!path)
        return refuse(403, "take the whole address that the program printed, with its token\n", why);
    if (find(path, &found) || (found == RK_WANTS_SLASH && !*token))
        return refuse(404, "there is nothing here\n", why);
    int status = check_method(r, found, why);
    if (status)
        return status;
    if (found == RK_WANTS_CANCEL && !*token)
        return refuse(403, "without a token nobody may cancel\n", why);
    *wanted = found;
    return 0;
}
