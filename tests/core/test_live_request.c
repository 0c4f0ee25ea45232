/* Who may ask a live page for what, and where it can be served. */
#include "core/observe/dashboard/listen.h"
#include "core/observe/dashboard/request.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TOKEN "0123456789abcdef0123456789abcdef"

static rk_http_request get(const char *path)
{
    return (rk_http_request){.method = "GET", .path = path, .host = "127.0.0.1:8787"};
}

static int status_of(rk_http_request r, const char *token, rk_wanted *wanted)
{
    const char *why = NULL;
    int status = rk_request_read(&r, token, "head", wanted, &why);
    cr_assert(!status || (why && *why), "a refusal without a reason");
    return status;
}

static int refused(rk_http_request r)
{
    rk_wanted wanted;
    return status_of(r, TOKEN, &wanted);
}

Test(live_request, every_path_behind_the_token_is_found)
{
    static const char *const paths[] = {"/",          "/page.css", "/page.js", "/events",
                                        "/api/state", "/metrics",  "/healthz"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char path[100];
        rk_wanted wanted = RK_WANTS_CANCEL;
        snprintf(path, sizeof path, "/" TOKEN "%s", paths[i]);
        cr_expect_eq(status_of(get(path), TOKEN, &wanted), 0, "%s", path);
        cr_expect_eq((size_t)wanted, i, "%s", path);
        cr_expect_eq(status_of(get(paths[i]), "", &wanted), 0, "%s, open", paths[i]);
    }
}

Test(live_request, the_token_without_a_slash_is_the_page_elsewhere)
{
    rk_wanted wanted = RK_WANTS_PAGE;
    cr_expect_eq(status_of(get("/" TOKEN), TOKEN, &wanted), 0);
    cr_expect_eq(wanted, RK_WANTS_SLASH);
    cr_expect_eq(status_of(get(""), "", &wanted), 404, "an open page has no token");
}

Test(live_request, without_the_whole_token_nothing_is_shown_but_health)
{
    static const char *const paths[] = {"/",
                                        "/api/state",
                                        "//" TOKEN "/",
                                        "/0123456789abcdef0123456789abcde/",
                                        "/0123456789abcdef0123456789abcdef0/",
                                        "/0123456789abcdef0123456789abcdee/metrics",
                                        "/x/" TOKEN "/",
                                        "",
                                        "*"};
    rk_wanted wanted = RK_WANTS_PAGE;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        cr_expect_eq(refused(get(paths[i])), 403, "%s", paths[i]);
    cr_expect_eq(status_of(get("/healthz"), TOKEN, &wanted), 0);
    cr_expect_eq(wanted, RK_WANTS_HEALTH);
}

Test(live_request, a_bearer_token_stands_for_the_one_in_the_path)
{
    rk_http_request r = get("/metrics");
    rk_wanted wanted = RK_WANTS_PAGE;
    r.authorization = "Bearer " TOKEN;
    cr_expect_eq(status_of(r, TOKEN, &wanted), 0);
    cr_expect_eq(wanted, RK_WANTS_METRICS);
    r.authorization = "Bearer " TOKEN "0";
    cr_expect_eq(refused(r), 403);
    r.authorization = "Basic " TOKEN;
    cr_expect_eq(refused(r), 403);
}

Test(live_request, names_that_others_can_own_are_no_hosts)
{
    static const char *const good[] = {"127.0.0.1",  "127.0.0.1:1", "localhost:99", "LOCALHOST",
                                       "[::1]:8787", "10.1.2.3:80", "head:8787",    "Head"};
    static const char *const bad[] = {"evil.example",
                                      "evil.example:8787",
                                      "127.0.0.1.evil.example",
                                      "localhost.evil.example",
                                      "",
                                      ":80",
                                      "[::1",
                                      "[evil]",
                                      "127.0.0.1:8o",
                                      "localhost@evil.example",
                                      "head.evil",
                                      "[]",
                                      "127.0.0.1 x"};
    rk_http_request r = get("/" TOKEN "/");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        r.host = good[i];
        cr_expect_eq(refused(r), 0, "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        r.host = bad[i];
        cr_expect_eq(refused(r), 403, "%s", bad[i]);
    }
    r.host = NULL;
    cr_expect_eq(refused(r), 403);
}

Test(live_request, pages_from_elsewhere_may_not_ask)
{
    rk_http_request r = get("/" TOKEN "/api/state");
    r.origin = "http://127.0.0.1:8787";
    cr_expect_eq(refused(r), 0);
    r.origin = "http://127.0.0.1:8788";
    cr_expect_eq(refused(r), 403);
    r.origin = "https://evil.example";
    cr_expect_eq(refused(r), 403);
    r.origin = "null";
    cr_expect_eq(refused(r), 403);
}

Test(live_request, only_cancelling_is_posted_and_only_with_a_token)
{
    rk_http_request r = get("/" TOKEN "/api/cancel");
    rk_wanted wanted = RK_WANTS_PAGE;
    cr_expect_eq(refused(r), 405);
    r.method = "POST";
    cr_expect_eq(status_of(r, TOKEN, &wanted), 0);
    cr_expect_eq(wanted, RK_WANTS_CANCEL);
    r.path = "/" TOKEN "/api/state";
    cr_expect_eq(refused(r), 405);
    r.path = "/api/cancel";
    cr_expect_eq(refused(r), 403);
    cr_expect_eq(status_of(r, "", &wanted), 403, "nobody may cancel what is open");
    r = get("/" TOKEN "/events");
    r.method = "HEAD";
    cr_expect_eq(refused(r), 405);
}

Test(live_request, tokens_are_long_and_never_the_same)
{
    char a[RK_TOKEN_DIGITS + 1], b[RK_TOKEN_DIGITS + 1];
    cr_assert(rk_token_make(a) && rk_token_make(b));
    cr_expect_eq(strlen(a), 32);
    cr_expect_eq(strspn(a, "0123456789abcdef"), 32);
    cr_expect_str_neq(a, b);
}

/* -- Where it is served */

static void listens(const char *address, const char *authority)
{
    char error[300] = "";
    rk_listener l;
    cr_assert_eq(rk_listen(address, &l, error, sizeof error), RASK_OK, "%s: %s", address ? address : "NULL",
                 error);
    cr_expect(!strncmp(l.authority, authority, strlen(authority)), "%s: %s", address ? address : "NULL",
              l.authority);
    close(l.socket);
}

Test(live_listen, addresses_may_leave_out_host_or_port)
{
    listens(NULL, "127.0.0.1:");
    listens("", "127.0.0.1:");
    listens("0", "127.0.0.1:");
    listens(":0", "127.0.0.1:");
    listens("127.0.0.1", "127.0.0.1:");
    listens("localhost:0", "127.0.0.1:");
    listens("127.0.0.2:0", "127.0.0.2:");
}

Test(live_listen, what_is_no_address_is_said)
{
    static const char *const bad[] = {
        "evil.example:80", "127.0.0.1:",   "127.0.0.1:70000", "127.0.0.1:-1", "::1", "[::1",
        "[::1]80",         "300.1.1.1:80", "70000",           "host"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char error[300] = "";
        rk_listener l;
        cr_expect_eq(rk_listen(bad[i], &l, error, sizeof error), RASK_EINVAL, "%s", bad[i]);
        cr_expect(strstr(error, bad[i]), "%s", error);
    }
}

Test(live_listen, a_port_in_use_is_said)
{
    char error[300] = "";
    rk_listener first, second;
    cr_assert_eq(rk_listen(NULL, &first, error, sizeof error), RASK_OK);
    cr_expect_eq(rk_listen(first.authority, &second, error, sizeof error), RASK_EIO);
    cr_expect(strstr(error, first.authority) && strstr(error, "in use"), "%s", error);
    close(first.socket);
}
